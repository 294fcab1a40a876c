"""Numbers and lists as people read them, and the estimates of a plan as its manifest states them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.numerals import NO_NUMBER, numeral
from rdsim.report.data.plan import PlanReport

__all__ = [
    "amount",
    "capital",
    "estimate",
    "for_partners",
    "interval",
    "listed",
    "mean",
    "per_replication",
    "percent",
    "span",
]


def amount(value: float | None) -> str:
    """A number with as many decimals as its size deserves; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NO_NUMBER
    size = abs(value)
    text = f"{value:,.{0 if size >= 200 else 1 if size >= 10 else 2}f}"
    text = text.lstrip("-") if float(text.replace(",", "")) == 0 else text
    return text.replace("-", "\N{MINUS SIGN}")


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def capital(text: str) -> str:
    """The text with a capital letter first."""
    return text[:1].upper() + text[1:]


def span(low: float, high: float) -> str:
    """Two ends with as many decimals as the larger one deserves."""
    size = max(abs(low), abs(high))
    decimals = 0 if size >= 200 else 1 if size >= 10 else 2
    ends = [numeral(round(end, decimals) + 0.0, f",.{decimals}f").replace("-", "\N{MINUS SIGN}") for end in (low, high)]
    return " to ".join(ends)


def percent(value: float | None, decimals: int = 0) -> str:
    """A share in per cent; a dash where there is none."""
    return numeral(value, f".{decimals}%").replace("-", "\N{MINUS SIGN}")


def interval(found: Mapping[str, Any]) -> str:
    """`1,350 to 1,508`, or that it is unknown."""
    if found["ci_low"] is None or found["ci_high"] is None:
        return "unknown from one replication"
    return span(found["ci_low"], found["ci_high"])


# --- of a plan's manifest -------------------------------------------------------------------------


def estimate(report: PlanReport, name: str) -> Mapping[str, Any] | None:
    """An estimate of the manifest, or None; the interval of a count or a payment does not reach below nothing."""
    found: Mapping[str, Any] = report.manifest.get("estimates", {}).get(name) or {}
    if found.get("mean") is None:
        return None
    low = found["ci_low"]
    return found if name == "npv" or low is None else {**found, "ci_low": max(low, 0.0)}


def mean(report: PlanReport, name: str) -> float:
    """The mean of an estimate; NaN if it is not there."""
    found = estimate(report, name)
    return float(found["mean"]) if found else float("nan")


def per_replication(report: PlanReport, column: pd.Series[float]) -> float:
    """A column of the purses, summed over lines and years: its mean over replications."""
    return float(column.sum()) / max(len(report.replications), 1)


def for_partners(network: float) -> str:
    """What partners cost, as the end of a sentence; nothing if they cost nothing."""
    return f" and with {amount(network)} for opening and running partners" if network > 0 else ""
