"""Tables of money by year and of chances: as text for who reads, as blocks of data for scripts."""

from __future__ import annotations

import pandas as pd

from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.report import words
from rdsim.report.data.plan import PlanReport
from rdsim.report.data.yearly import Ledger
from rdsim.report.page.technologies import compact

__all__ = ["ledger_block", "odds_block", "texts"]

_WAYS = {"programme": N_("Programme"), "field": N_("Field"), "partner_name": N_("Partner"), "mode": N_("Mode")}
_SPENT = {
    "programme": N_("What home pays by year and programme, net of refunds, {unit}"),
    "field": N_("What home pays by year and field, net of refunds, {unit}"),
    "partner_name": N_("What home pays by year and partner, net of refunds, {unit}"),
}
_KINDS = {
    "home": N_("home pays"),
    "foreign": N_("partners pay"),
    "abroad": N_("home pays abroad"),
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
        "spent": {
            _(caption).format(unit=report.money_unit): words.spending_rows(money, way)
            for way, caption in _SPENT.items()
        },
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
        "ways": {way: _(title) for way, title in _WAYS.items()},
        "upkeep": _(words.UPKEEP),
        "kinds": {kind: _(_KINDS[kind]) for kind in money.kinds},
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
