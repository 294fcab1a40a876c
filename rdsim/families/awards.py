"""Awards: full awards within the announced money, by programme and year, where the scenario holds them to it."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Family
from rdsim.families.masks import options_of
from rdsim.families.rows import Options, Row
from rdsim.languages import gettext as _

__all__ = ["AWARDS"]


def _rows(scenario: Scenario, options: Options, years: range) -> Iterator[Row]:
    """What falls due if no project ever stops, within the announced money x the award ratio.

    What is left of a year adds nothing to the next: a full award is asked of each year's announced money.

    Model: R12.
    """
    for name in scenario.programmes:
        if name in scenario.optimiser.award_ratio:
            mine = options_of(scenario, options, "programme", name)
            for y, year in enumerate(years):
                yield Row(options.due[:, y] * mine, _most(scenario, name, year), name, year)


def _most(scenario: Scenario, what: str, year: int) -> float:
    return scenario.programmes[what].budget.get(year, 0.0) * scenario.optimiser.award_ratio[what]


def _words(scenario: Scenario, what: str, year: int) -> str:
    told = _("the full awards of {name} that fall due in {year}")
    return told.format(name=scenario.programmes[what].name, year=year)


def _remaining(scenario: Scenario, what: str, year: int, held: float) -> float:
    """What was announced, whatever is left of it; who is under way keeps what he was promised.

    Model: R26.
    """
    return max(_most(scenario, what, year), held)


AWARDS = Family(_rows, _words, remaining=_remaining)
