"""The international share: soft floors on home money of joint projects, by year."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Family
from rdsim.families.rows import Options, Row
from rdsim.languages import gettext as _

__all__ = ["INTERNATIONAL"]


def _rows(scenario: Scenario, options: Options, years: range) -> Iterator[Row]:
    """Outside spending and home money of joint projects reach the year's share of the R&D budget, or cost a price.

    Model: R19.
    """
    rules = scenario.international
    for year, floor in sorted(rules.share_floor.items()):
        if year in years and rules.rd_budget.get(year, 0.0) > 0:
            needed = floor * rules.rd_budget[year] - rules.outside_spending.get(year, 0.0)
            use = options.joint[:, year - years.start]
            yield Row(use, needed, year=year, sense=">=", price=rules.shortfall_price)


def _words(year: int) -> str:
    return _("the international share of {year}").format(year=year)


def _remaining(cap: float) -> float:
    """All of it: what falls short is paid for, and years gone by are not asked.

    Model: R26.
    """
    return cap


INTERNATIONAL = Family(_rows, _words, remaining=_remaining)
