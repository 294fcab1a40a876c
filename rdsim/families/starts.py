"""Starts: projects begun, by programme and year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rdsim.domain import Scenario
from rdsim.families.family import Counted, Family
from rdsim.families.lines import by_programme
from rdsim.families.rows import Options, Row

__all__ = ["STARTS"]


def _rows(scenario: Scenario, options: Options) -> Iterator[Row]:
    started = np.array([choice.start_year for choice in options.choices], np.int64)
    for name, mine in by_programme(scenario, options):
        for year in sorted(set(started.tolist())):
            cap = float(scenario.programmes[name].starts.get(year, 0))
            yield Row((mine & (started == year)).astype(np.float64), cap, name, year)


def _words(scenario: Scenario, what: str, year: int) -> str:
    return f"the starts of {scenario.programmes[what].name} in {year}"


def _remaining(cap: float) -> float:
    """All of the year's: who is running has had a start, and takes no other."""
    return cap


STARTS = Family(_rows, _words, Counted("start", "starts"), counts_running=False, remaining=_remaining)
