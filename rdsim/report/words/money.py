"""What the tables of money by year say: rows with their amounts as text, and what leaves the country in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.report.data.plan import PlanReport
from rdsim.report.data.yearly import Ledger, by_partner
from rdsim.report.words.amounts import amount, mean, with_unit

__all__ = ["UPKEEP", "YearRow", "abroad_words", "crossing_rows", "partner_rows", "spending_rows"]

UPKEEP = N_("Opening and running partners")
"""What the row is called that no technology stands behind."""


@dataclass(frozen=True)
class YearRow:
    """A row of a table by year: its name, amounts as text with their sum last, and whether it sums up others."""

    name: str
    cells: tuple[str, ...]
    is_sum: bool = False
    is_part: bool = False
    """Whether it is part of the row before it."""


def _row(
    name: str, values: Sequence[float] | pd.Series[float], *, is_sum: bool = False, is_part: bool = False
) -> YearRow:
    numbers = [float(value) for value in values]
    return YearRow(name, tuple(amount(one) for one in (*numbers, math.fsum(numbers))), is_sum, is_part)


def spending_rows(money: Ledger, by: str) -> list[YearRow]:
    """What home pays by year, net of refunds: a row for each value of `by`, the network's cost, and all together."""
    sums, upkeep = money.sums("home", by), money.network.sum()
    order = sums.sum(axis=1).sort_values(ascending=False, kind="stable").index
    rows = [_row(str(name), sums.loc[name]) for name in order]
    network = [_row(_(UPKEEP), upkeep)] if len(money.network) else []
    return [*rows, *network, _row(_("In all"), sums.sum() + upkeep, is_sum=True)]


def crossing_rows(money: Ledger) -> list[YearRow]:
    """By year: home's money to projects of each mode, what of it goes abroad, and what partners cost and pay."""
    home, upkeep = money.sums("home", "mode"), money.network.sum()
    rows = list(_mode_rows(money, home))
    rows += [_row(_(UPKEEP), upkeep)] if len(money.network) else []
    rows.append(_row(_("Home pays in all"), home.sum() + upkeep, is_sum=True))
    if "abroad" in money.kinds:
        rows.append(_row(_("Leaves the country, before refunds"), money.sums("abroad", "mode").sum(), is_sum=True))
    return [*rows, _row(_("Partners pay of their own"), money.sums("foreign", "mode").sum())]


def _mode_rows(money: Ledger, home: pd.DataFrame) -> Iterator[YearRow]:
    abroad = money.sums("abroad", "mode") if "abroad" in money.kinds else None
    for mode in home.index:
        yield _row(_("To projects: {mode}").format(mode=mode), home.loc[mode])
        if abroad is not None and abroad.loc[mode].sum() > 0:
            yield _row(_("of it, paid abroad"), abroad.loc[mode], is_part=True)


def partner_rows(report: PlanReport, money: Ledger) -> list[dict[str, str]]:
    """A row for each partner over all years: name, count, home, abroad, network, foreign; empty where not told."""
    return [
        {
            str(name): value if isinstance(value, str) else "" if math.isnan(value) else _cell(name, value)
            for name, value in row.items()
        }
        for row in by_partner(report, money).to_dict(orient="records")
    ]


def _cell(name: object, value: float) -> str:
    return str(int(value)) if name == "count" else amount(value)


def abroad_words(report: PlanReport, money: Ledger) -> str:
    """How much of the home money to joint projects leaves the country."""
    joint = money.technologies[money.technologies["partner"] != ""]
    if joint.empty:
        return _("No project has a partner abroad, and no money leaves the country.")
    paid = float(joint.filter(regex=r"^home_\d+$").to_numpy().sum())
    left = mean(report, "paid_abroad")
    told = _("Home pays {amount} {unit}, net of refunds, to projects with a partner.")
    sentence = told.format(amount=amount(paid), unit=report.money_unit)
    if math.isnan(left):
        return sentence
    more = _("Counted before refunds, {amount} is paid to institutions abroad and leaves the country.")
    return f"{sentence} {more.format(amount=with_unit(report, left))}"
