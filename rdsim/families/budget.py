"""Budgets: expected payments within the announced money, by programme and year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rdsim.domain import Scenario
from rdsim.families.family import Family
from rdsim.families.masks import options_of
from rdsim.families.rows import Openings, Options, Row
from rdsim.languages import gettext as _

__all__ = ["BUDGET"]


def _rows(
    scenario: Scenario, options: Options, openings: Openings, years: range, ratios: Mapping[str, float]
) -> Iterator[Row]:
    """Expected payments net of refunds, and partners' costs, within the announced money x the payment ratio.

    Model: R11.
    """
    for name, line in scenario.programmes.items():
        mine, pays = options_of(scenario, options, "programme", name), name == scenario.network.programme
        for y, year in enumerate(years):
            yield Row(
                use=options.payments[:, y] * mine,
                cap=line.budget.get(year, 0.0) * ratios.get(name, 1.0),
                what=name,
                year=year,
                openings=openings.money[:, :, y] * pays,
                carry=line.carry_over,
            )


def _words(scenario: Scenario, what: str, year: int) -> str:
    return _("the {year} budget of {name}").format(year=year, name=scenario.programmes[what].name)


def _remaining(cap: float, held: float) -> float:
    """Never less than is held; what partners that are open cost is no promise, and goes with them.

    Model: R26.
    """
    return max(cap, held)


BUDGET = Family(_rows, _words, remaining=_remaining)
