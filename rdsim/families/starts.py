"""Starts: projects begun, by programme and year."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Counted, Family
from rdsim.families.masks import begins_in, options_of
from rdsim.families.rows import Options, Row
from rdsim.languages import NP_
from rdsim.languages import gettext as _

__all__ = ["STARTS"]


def _rows(scenario: Scenario, options: Options) -> Iterator[Row]:
    """Model: R13."""
    years = sorted({choice.start_year for choice in options.choices})
    begun = {year: begins_in(options, year) for year in years}
    for name, line in scenario.programmes.items():
        mine = options_of(scenario, options, "programme", name)
        for year in years:
            yield Row(mine & begun[year], float(line.starts.get(year, 0)), name, year)


def _words(scenario: Scenario, what: str, year: int) -> str:
    return _("the starts of {name} in {year}").format(name=scenario.programmes[what].name, year=year)


def _remaining(cap: float) -> float:
    """All of the year's: who is running has had a start, and takes no other.

    Model: R26.
    """
    return cap


STARTS = Family(
    _rows, _words, Counted(NP_("unit", "start"), NP_("unit", "starts"), running=False), remaining=_remaining
)
