"""Institutes: joint projects of an institute's teams at a time, by institute and year."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Counted, Family
from rdsim.families.masks import options_of
from rdsim.families.rows import Options, Row
from rdsim.languages import NP_
from rdsim.languages import gettext as _

__all__ = ["INSTITUTES"]


def _rows(scenario: Scenario, options: Options, years: range) -> Iterator[Row]:
    """Joint projects under way on average over a year, from the beginning of talks, within the institute's teams.

    Model: R15.
    """
    limited = {code: institute.teams for code, institute in scenario.institutes.items() if institute.teams is not None}
    for code, teams in limited.items():
        mine = options_of(scenario, options, "institute", code)
        for y, year in enumerate(years):
            use = options.occupancy[:, y] * mine
            if use.any():
                yield Row(use, float(teams), code, year)


def _words(scenario: Scenario, what: str, year: int) -> str:
    return _("the teams of {name} in {year}").format(name=scenario.institutes[what].name, year=year)


INSTITUTES = Family(_rows, _words, Counted(NP_("unit", "project"), NP_("unit", "projects")))
