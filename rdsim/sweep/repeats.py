"""Repeats of deciding: what they say of a point, and how many it takes.

In each repeat everything is decided on option samples of its own, and judged on replications of its own; the same
repeat has the same luck at every point, so that points are compared repeat by repeat. The interval over repeats is that
of deciding *and* luck.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from rdsim.arrays import Floats
from rdsim.designs import SAMPLED
from rdsim.stats import Interval, mean_interval, mean_reach, proportion_interval
from rdsim.sweep.measures import Metric

__all__ = [
    "both_errors",
    "is_decided_once",
    "over_repeats",
    "repeat_count",
    "repeats_of",
    "standard_deviation",
    "units_words",
]

_POWER = 0.8
"""With which probability a difference that is there should be shown."""

_MOST_NEEDED = 10_000_000


def repeats_of(manifest: Mapping[str, Any]) -> int:
    """How often a sweep decided."""
    return int(manifest.get("repeats", 1))


def is_decided_once(manifest: Mapping[str, Any]) -> bool:
    """Whether every point was decided by itself, and once: then no interval holds the noise of choosing, unless it is
    over sampled worlds that each decided on luck of their own."""
    apart = manifest["design"]["kind"] in SAMPLED and not manifest.get("common_random_numbers", True)
    return manifest["task"] != "simulate" and repeats_of(manifest) == 1 and not apart


def units_words(manifest: Mapping[str, Any], *, sampled: bool) -> str:
    """What intervals of differences are over."""
    if sampled:
        return "worlds"
    return "repeats" if repeats_of(manifest) > 1 else "replications"


def over_repeats(table: pd.DataFrame, manifest: Mapping[str, Any], metric: Metric) -> pd.DataFrame:
    """A row for each point that is done: the metric's mean over the repeats and its interval, `samples` with the
    estimate of each repeat, and `n`, how many there are.

    A point with a repeat that failed is left out. Of a sweep that is not complete those repeats count in which every
    point is done that was begun.
    """
    done = table[table["status"] == "done"]
    if repeats_of(manifest) == 1:
        return done
    done = done[~done["point"].isin(table.loc[table["status"] == "failed", "point"])]
    if done.empty:
        return done
    wide = done.pivot_table(index="point", columns="repeat", values=metric.text)
    counts = wide.notna().sum()
    wide = wide.loc[:, counts == counts.max()].dropna()
    kept = done[done["point"].isin(wide.index) & done["repeat"].isin(wide.columns)]
    return _estimates(kept, wide, metric, float(manifest["confidence"]))


def _estimates(rows: pd.DataFrame, wide: pd.DataFrame, metric: Metric, confidence: float) -> pd.DataFrame:
    parts = [rows[rows["point"] == point] for point in wide.index]
    estimates = list(wide.to_numpy(np.float64))
    found = [_interval(part, each, metric, confidence) for part, each in zip(parts, estimates, strict=True)]
    one = rows.drop_duplicates("point").set_index("point").loc[wide.index].reset_index()
    one[metric.text] = [each.mean for each in found]
    one[f"{metric.text} low"] = [each.low for each in found]
    one[f"{metric.text} high"] = [each.high for each in found]
    one["n"] = wide.shape[1]
    one["samples"] = pd.Series(estimates, one.index, dtype=object)
    return one


def _interval(rows: pd.DataFrame, estimates: Floats, metric: Metric, confidence: float) -> Interval:
    """Student's over the repeats. Of a probability at least Wilson's of all replications together, which has a width
    where every repeat agrees; of a quantile or CVaR at least the mean limits of one repeat, for repeats do not take
    out what few replications bend it by."""
    found = mean_interval(estimates, confidence)
    if metric.kind == "mean":
        return found.within(*metric.limits())
    low, high = (float(rows[f"{metric.text} {end}"].mean()) for end in ("low", "high"))
    if metric.kind == "probability":
        n = int(rows["n"].sum())
        luck = proportion_interval(min(round(float((rows[metric.text] * rows["n"]).sum())), n), n, confidence)
        low, high = luck.low, luck.high
    return Interval(found.mean, min(found.low, low), max(found.high, high), found.n).within(*metric.limits())


def both_errors(worlds: Interval, repeats: Interval) -> Interval:
    """A mean over sampled worlds that all share the luck of some repeats: both errors, added as variances are."""
    half = math.hypot(worlds.half_width, repeats.half_width)
    return Interval(worlds.mean, worlds.mean - half, worlds.mean + half, worlds.n)


# --- how many it takes ----------------------------------------------------------------------------


def standard_deviation(found: Interval, confidence: float) -> float:
    """Of one replication, repeat or world, as the interval of their mean tells it; too large where they are skewed."""
    if found.n < 2 or not math.isfinite(found.half_width):
        return math.nan
    return found.half_width * math.sqrt(found.n) / mean_reach(found.n, confidence)


def repeat_count(deviation: float, effect: float, confidence: float) -> int | None:
    """The fewest replications, repeats or worlds that show an effect with a probability of 80%, if their standard
    deviation is this; None where no number does, or more than ten million."""
    if not effect > 0 or not math.isfinite(deviation):
        return None
    z = float(ndtri((1 + confidence) / 2) + ndtri(_POWER))
    count = max(2, math.ceil((z * deviation / effect) ** 2))
    while count <= _MOST_NEEDED and _reach(count, confidence) * deviation > effect * math.sqrt(count):
        count += max(1, count // 100)
    return count if count <= _MOST_NEEDED else None


def _reach(count: int, confidence: float) -> float:
    return mean_reach(count, confidence) + float(stdtrit(count - 1, _POWER))
