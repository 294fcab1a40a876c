"""Money that a plan may count on: what is announced, and what is carried into a year for which nothing is.

Carried money is money. It pays in a year without new money as in any other, in the simulator out of the purse, in the
optimiser by rows that hand unspent money on. In a year for which nothing is announced a plan counts on it

- if all unspent money moves on (``carry_over = 1``): then a late request costs no more than one in time;
- else in the years in which tranches fall due on the planned dates: where a part lapses, money is kept for what is
  planned, and not for every project that may be late.
"""

from __future__ import annotations

import math

from rdsim.domain import Programme, Scenario
from rdsim.purses import MILLION, purse_at_most
from rdsim.scenario.figures import call_months, money_scale

__all__ = ["due_years", "plannable", "years_to_last_request"]

_TOLERANCE = 1e-9


def years_to_last_request(scenario: Scenario, programme: Programme) -> int:
    """Fiscal years from a project's start to the request for its last tranche, if nothing waits."""
    return _delays(scenario, programme)[-1]


def _delays(scenario: Scenario, programme: Programme) -> list[int]:
    """Fiscal years from a project's start to the request for each tranche, if nothing waits."""
    months, found = call_months(scenario, programme), []
    for tranche in programme.tranches:
        found.append(int((months + _TOLERANCE) // 12))
        months = math.fsum((months, tranche.months))
    return found


def due_years(scenario: Scenario, code: str) -> frozenset[int]:
    """Fiscal years in which a tranche of some project of the programme falls due on the planned dates.

    Model: D28.
    """
    programme = scenario.programmes[code]
    delays = _delays(scenario, programme)
    return frozenset(year + delay for year, starts in programme.starts.items() if starts for delay in delays)


def plannable(scenario: Scenario, code: str) -> dict[int, int]:
    """The most, in won, that a plan may count on in a programme's purse, for each fiscal year to the horizon.

    Model: D28.
    """
    programme, scale = scenario.programmes[code], money_scale(scenario)
    years = range(scenario.start_year, scenario.horizon_year + 1)
    announced = [round(programme.budget.get(year, 0.0) * scale) for year in years]
    held = purse_at_most(announced, round(programme.carry_over * MILLION))
    due = frozenset(years) if programme.carry_over == 1.0 else due_years(scenario, code)
    return {year: most if money or year in due else 0 for year, money, most in zip(years, announced, held, strict=True)}
