"""Numbers and lists as people read them, and the estimates of a plan as its manifest states them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.figures import Figure, from_files
from rdsim.languages import N_, Message, listing, marks, retold
from rdsim.languages import gettext as _
from rdsim.numerals import NO_NUMBER, numeral
from rdsim.report.data.plan import PlanReport

__all__ = [
    "ALIKE",
    "UNKNOWN",
    "amount",
    "capital",
    "estimate",
    "interval",
    "is_point",
    "known_figures",
    "mean",
    "per_replication",
    "percent",
    "rests_on",
    "sentence_list",
    "span",
    "with_unit",
]


def amount(value: float | None) -> str:
    """A number with as many decimals as its size deserves; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NO_NUMBER
    size = abs(value)
    text = f"{value:,.{0 if size >= 200 else 1 if size >= 10 else 2}f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return marks(text.replace("-", "\N{MINUS SIGN}"))


def with_unit(report: PlanReport, value: float) -> str:
    """An amount of the plan's money with its unit."""
    return _("{amount} {unit}").format(amount=amount(value), unit=report.money_unit)


def sentence_list(names: Sequence[str]) -> str:
    """Names as in a sentence: a, b and c."""
    return listing(names)


def capital(text: str) -> str:
    """The text with a capital letter first; it says what it said."""
    told = text[:1].upper() + text[1:]
    return Message(told, text.says) if isinstance(text, Message) else told


ALIKE = N_("alike in all")
"""What stands in place of an interval where every replication says the same: it would be of no width."""

UNKNOWN = N_("unknown from one replication")
"""What stands in place of an interval without ends."""


def is_point(low: float, high: float) -> bool:
    """Whether an interval has no width but for rounding: there is no luck in it, or none of it was seen.

    One without an end is none: too little was seen to bound it.
    """
    return math.isfinite(high - low) and high - low <= 1e-12 * max(abs(low), abs(high))


def span(low: float, high: float) -> str:
    """Two ends with as many decimals as the larger one deserves."""
    size = max(abs(low), abs(high))
    decimals = 0 if size >= 200 else 1 if size >= 10 else 2
    ends = [numeral(round(end, decimals) + 0.0, f",.{decimals}f").replace("-", "\N{MINUS SIGN}") for end in (low, high)]
    return _("{low} to {high}").format(low=ends[0], high=ends[1])


def percent(value: float | None, decimals: int = 0) -> str:
    """A share in per cent; a dash where there is none."""
    return numeral(value, f".{decimals}%").replace("-", "\N{MINUS SIGN}")


def interval(found: Mapping[str, Any]) -> str:
    """`1,350 to 1,508`, or that it is unknown."""
    if found["low"] is None or found["high"] is None:
        return _(UNKNOWN)
    if is_point(found["low"], found["high"]):
        return _("alike in all replications")
    return span(found["low"], found["high"])


# --- of a plan's manifest -------------------------------------------------------------------------


def estimate(report: PlanReport, name: str) -> Mapping[str, Any] | None:
    """An estimate of the manifest, or None; its interval does not reach below what the figure cannot be below."""
    found: Mapping[str, Any] = report.manifest.get("estimates", {}).get(name) or {}
    if found.get("mean") is None:
        return None
    known, low = known_figures(report).get(name), found["low"]
    least = known.least if known else 0.0
    return found if low is None else {**found, "low": max(low, least)}


def known_figures(report: PlanReport) -> dict[str, Figure]:
    """Figures as the manifest describes them, and those that need no description."""
    return from_files(report.manifest.get("figures", {}))


def mean(report: PlanReport, name: str) -> float:
    """The mean of an estimate; NaN if it is not there."""
    found = estimate(report, name)
    return float(found["mean"]) if found else float("nan")


def per_replication(report: PlanReport, column: pd.Series[float]) -> float:
    """A column of the purses, summed over lines and years: its mean over replications."""
    return float(column.sum()) / max(len(report.replications), 1)


def rests_on(report: PlanReport) -> str:
    """What a figure of risk rests on, as a sentence to be added to it; nothing where the run does not say."""
    shared = report.manifest.get("shared_luck")
    if not shared:
        return ""
    told = _("This rests on the luck that is shared, in shares of variance: {shares}.").format(shares=retold(shared))
    return f" {told}"
