"""Institutes: joint projects of an institute's teams at a time, by institute and year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rdsim.domain import Scenario
from rdsim.families.family import Counted, Family
from rdsim.families.rows import Options, Row

__all__ = ["INSTITUTES"]


def _rows(scenario: Scenario, options: Options, years: range) -> Iterator[Row]:
    """Joint projects under way on average over a year, from the beginning of talks, within the institute's teams."""
    home = np.array([scenario.technologies[choice.technology].institute for choice in options.choices])
    for code, institute in scenario.institutes.items():
        for y, year in enumerate(years) if institute.teams is not None else ():
            use = np.where(home == code, options.occupancy[:, y], 0.0)
            if use.any():
                yield Row(use, float(institute.teams or 0), code, year)


def _words(scenario: Scenario, what: str, year: int) -> str:
    return f"the teams of {scenario.institutes[what].name} in {year}"


INSTITUTES = Family(_rows, _words, Counted("project", "projects"))
