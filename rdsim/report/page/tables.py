"""Tables of money by year and of chances: as text for who reads, as blocks of data for scripts."""

from __future__ import annotations

import pandas as pd

from rdsim.report import words
from rdsim.report.data.plan import PlanReport
from rdsim.report.data.yearly import Ledger
from rdsim.report.page.technologies import compact

__all__ = ["ledger_block", "odds_block", "texts"]

_WAYS = {"programme": "Programme", "field": "Field", "partner_name": "Partner", "mode": "Mode"}
_KINDS = {
    "home": "home pays",
    "foreign": "partners pay",
    "abroad": "home pays abroad",
}


def texts(report: PlanReport, money: Ledger, odds: pd.DataFrame) -> dict[str, object]:
    """What the templates show of them."""
    years, rows = words.odds_rows(odds)
    return {
        "years": money.years,
        "crossing": words.crossing_rows(money),
        "crossed": words.abroad_words(report, money),
        "is_abroad_told": "abroad" in money.kinds,
        "members": words.partner_rows(report, money),
        "spent": {title: words.spending_rows(money, way) for way, title in _WAYS.items() if way != "mode"},
        "chances": {"years": years, "rows": rows},
    }


def ledger_block(money: Ledger) -> dict[str, object]:
    """Money by technology and year, with who they are; and the network's cost by programme."""
    table = money.technologies
    who = ["technology", *_WAYS]
    amounts = {
        kind: [[compact(float(one)) for one in row] for row in table[_columns(money, kind)].to_numpy()]
        for kind in money.kinds
    }
    return {
        "years": money.years,
        "ways": _WAYS,
        "upkeep": words.UPKEEP,
        "kinds": {kind: _KINDS[kind] for kind in money.kinds},
        "who": who,
        "rows": table[who].astype(str).to_numpy().tolist(),
        "money": amounts,
        "network": {str(name): [compact(float(one)) for one in row] for name, row in money.network.iterrows()},
    }


def _columns(money: Ledger, kind: str) -> list[str]:
    return [f"{kind}_{year}" for year in money.years]


def odds_block(report: PlanReport, odds: pd.DataFrame) -> dict[str, object]:
    """By year the chances of at least 0, 1, 2, ... with both ends of their intervals; the last holds for any more."""
    tails = {
        str(year): [[round(float(one), 5) for one in row] for row in table[["share", "low", "high"]].to_numpy()]
        for year, table in odds.groupby("year")
    }
    return {"tails": tails, "replications": len(report.replications), "confidence": report.confidence}
