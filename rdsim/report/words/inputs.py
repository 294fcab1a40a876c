"""Which inputs matter most: how far each assumption alone moves a headline, as rows, sentences and a figure's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.languages import gettext as _
from rdsim.languages import ngettext, retold
from rdsim.numerals import numeral
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, capital, interval, sentence_list
from rdsim.report.words.doubts import assumed_inputs

__all__ = ["input_words", "swing_answer", "swing_headlines", "swing_rows", "swing_table"]

_NAMED = 3
"""Assumptions that a sentence names."""


def swing_headlines(report: PlanReport) -> dict[str, str]:
    """What headlines are called that assumptions are ranked by, by name, net present value first."""
    return {str(one["headline"]): capital(retold(one["label"])) for one in _swings(report)}


def _swings(report: PlanReport) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = report.manifest.get("assumptions", {}).get("swings", [])
    return found


def input_words(report: PlanReport) -> list[str]:
    """How the ranking is to be read; where there is none, why, and what is known to be assumed."""
    if _swings(report):
        return [
            _(
                "Each assumption is moved from its lower to its upper bound, the others as they stand, and the plan "
                "lives through both, on the same luck. Portfolios are kept here: where decisions would be made anew, "
                "the order may be another; that is asked with rdsim assumptions. Swings are no probabilities: nobody "
                "says that a bound is likely."
            )
        ]
    return [
        _(
            "Which inputs matter most was not looked at: that needs bounds of what is assumed in the scenario, and "
            "worlds in which it is otherwise."
        ),
        *filter(None, [assumed_inputs(report)]),
    ]


def swing_table(report: PlanReport, headline: str) -> pd.DataFrame:
    """The swings of a headline, the largest first: label, mean, low, high, shown."""
    bounds = report.manifest["assumptions"]["bounds"]
    rows = [
        {
            "label": retold(bounds[one["assumption"]]["label"]),
            "mean": one["difference"]["mean"],
            "low": one["difference"]["low"],
            "high": one["difference"]["high"],
            "at_low": one["at_low"],
            "at_high": one["at_high"],
            "shown": bool(one["is_shown"]),
        }
        for one in _swings(report)
        if one["headline"] == headline
    ]
    return pd.DataFrame(rows)


def swing_answer(report: PlanReport, headline: str) -> str:
    """Which assumptions move a headline most, and how many are not told from nothing."""
    table = swing_table(report, headline)
    shown, unit = table[table["shown"]], report.money_unit
    if shown.empty:
        return _("No assumption is shown to move it: no swing is told from nothing in these replications.")
    told = _("{assumption} ({swing})")
    first = [
        told.format(assumption=row["label"], swing=amount(row["mean"]))
        for row in shown.head(_NAMED).to_dict(orient="records")
    ]
    moved = _("It is moved most, in {unit}, by {assumptions}.").format(unit=unit, assumptions=sentence_list(first))
    rest = len(table) - len(shown)
    if not rest:
        return moved
    unsure = ngettext(
        "Of {assumptions} {number} is not told from nothing.",
        "Of {assumptions} {number} are not told from nothing.",
        rest,
    ).format(assumptions=count(len(table), "assumption"), number=rest)
    return f"{moved} {unsure}"


def swing_rows(report: PlanReport) -> list[dict[str, Any]]:
    """A row for each assumption, that which moves net present value most first; cells of the leads beside it."""
    swings, bounds = _swings(report), report.manifest.get("assumptions", {}).get("bounds", {})
    names = list(swing_headlines(report))
    by = {(one["assumption"], one["headline"]): one for one in swings}
    return [
        {
            "label": retold(bounds[one["assumption"]]["label"]),
            "grade": _(bounds[one["assumption"]]["grade"]),
            "bounds": _bound_words(bounds[one["assumption"]]),
            "at_low": amount(one["at_low"]),
            "at_high": amount(one["at_high"]),
            "swings": [_swing_cell(by[one["assumption"], name]) for name in names],
        }
        for one in swings
        if one["headline"] == names[0]
    ]


def _bound_words(bounds: Mapping[str, Any]) -> str:
    low, high = (numeral(bounds[end], ".3g").replace("-", "\N{MINUS SIGN}") for end in ("low", "high"))
    told = _("{low} to {high} times") if bounds["change"] == "multiply" else _("{low} to {high}")
    return told.format(low=low, high=high)


def _swing_cell(one: Mapping[str, Any]) -> dict[str, str]:
    gap = one["difference"]
    if gap["mean"] == gap["low"] == gap["high"]:
        return {"figure": amount(gap["mean"]), "doubt": ""}
    told = f"{amount(gap['mean'])} ({interval(gap)})"
    return {"figure": told, "doubt": "" if one["is_shown"] else _("not told from nothing")}
