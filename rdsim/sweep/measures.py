"""Metrics of an experiment: figures of replications, reduced to an estimate with its interval.

``npv``                 mean of a figure, with `stats.mean_interval`; of a count with `stats.count_interval`
``sales >= 52``         probability, with Clopper and Pearson's interval (also <=, > and <)
``quantile npv 0.05``   quantile, with the order-statistics interval
``cvar npv 0.95``       mean of the worst share 1 - level, with `stats.cvar_interval`: wide where the tail
                        holds few replications, and without ends where it holds one

Figures that cannot be negative have no interval below zero, counts of projects none above their number.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.errors import Fault, InputError
from rdsim.figures import Figure, single_figures
from rdsim.stats import (
    Interval,
    count_interval,
    cvar_interval,
    mean_interval,
    proportion_interval,
    quantile_interval,
)
from rdsim.tables import did_you_mean

__all__ = [
    "OF_ROLLING",
    "Metric",
    "figure_of",
    "gain_name",
    "gain_over",
    "parse_metric",
    "parse_metrics",
]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_MEAN = re.compile(r"\w+")
_CHANCE = re.compile(rf"(\w+)\s*(>=|<=|>|<)\s*({_NUMBER})")
_TAIL = re.compile(rf"(quantile|cvar)\s+(\w+)\s+({_NUMBER})")
_SIGNS: dict[str, Callable[[Any, float], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_RULE = "must be a figure ('npv'), a probability ('sales >= 52'), or 'quantile npv 0.05' or 'cvar npv 0.95'"


@dataclass(frozen=True)
class Metric:
    """A figure and how its replications are reduced; `least`, `most` and `unit` are its own (see `rdsim.figures`)."""

    text: str
    figure: str
    kind: Literal["mean", "probability", "quantile", "cvar"] = "mean"
    sign: str = ""
    number: float = 0.0
    least: float = 0.0
    most: str = ""
    unit: str = ""

    def samples(self, figures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Replications whose mean the metric is: of a probability 1 where it came true, of a mean the figures."""
        if self.kind == "probability":
            return np.asarray(_SIGNS[self.sign](figures, self.number), np.float64)
        return figures

    def limits(self, most: Mapping[str, float] | None = None) -> tuple[float, float]:
        """What the metric cannot be below and above; `most` says how many of some things there are."""
        if self.kind == "probability":
            return 0.0, 1.0
        return self.least, (most or {}).get(self.most, math.inf)

    def measure(self, table: pd.DataFrame, confidence: float, most: Mapping[str, float] | None = None) -> Interval:
        """The estimate over the rows of a table of replications, within the metric's limits.

        Raises ValueError for figures that are not finite.
        """
        limits = self.limits(most)
        return self._estimate(table[self.figure].to_numpy(np.float64), confidence, limits[1]).within(*limits)

    def _estimate(self, samples: npt.NDArray[np.float64], confidence: float, most: float) -> Interval:
        if self.kind == "mean" and self.unit == "count" and self.least == 0.0:
            return count_interval(samples, confidence, most)
        if self.kind == "mean":
            return mean_interval(samples, confidence)
        if self.kind == "probability":
            return proportion_interval(int(self.samples(samples).sum()), len(samples), confidence)
        if self.kind == "quantile":
            return quantile_interval(samples, self.number, confidence)
        return cvar_interval(samples, self.number, confidence)


OF_ROLLING: Mapping[str, Figure] = {
    name: Figure(name, label, "money", "more", column=False)
    for name, label in (
        ("rolling", "worth if decided again each year"),
        ("static", "worth if decided once"),
        ("flexibility", "worth of deciding again each year"),
    )
}
"""What the task `rolling` measures."""


def gain_name(rule: str) -> str:
    """Figure of what a plan gained over a rule."""
    return "gain_over_" + rule.replace("-", "_")


def gain_over(rule: str) -> Figure:
    """What a plan gained over a rule, in net present value."""
    words = rule.replace("_", " ").replace("-", " ").replace("one shot", "the one-shot portfolio")
    return Figure(gain_name(rule), f"gain over {words}", "money", "more", column=False)


def parse_metrics(texts: Iterable[str], figures: Iterable[str] | Mapping[str, Figure]) -> tuple[Metric, ...]:
    """Metrics as they were written. Raises InputError with every one that is no metric, or of no known figure."""
    known, found, faults = list(figures), [], []
    told = figures if isinstance(figures, Mapping) else None
    for place, text in enumerate(texts):
        metric = parse_metric(text.strip(), told)
        where = f"metrics, entry {place + 1}"
        if metric is None:
            faults.append(Fault(where, _RULE, repr(text)))
        elif metric.figure not in known:
            faults.append(_unknown(where, metric.figure, known))
        elif metric.kind in ("quantile", "cvar") and not 0 < metric.number < 1:
            faults.append(Fault(where, "the level must be between 0 and 1", repr(text)))
        else:
            found.append(metric)
    if faults:
        raise InputError(tuple(faults))
    return tuple(dict.fromkeys(found))


def _unknown(where: str, figure: str, known: list[str]) -> Fault:
    one = figure_of(figure)
    if one is not None and not one.column:
        rule = "must be a figure of the replications; this one is known of a portfolio before it is simulated"
        return Fault(where, rule, figure)
    return Fault(where, "there is no such figure", figure, _advice(figure, known))


def _advice(figure: str, known: list[str]) -> str:
    return did_you_mean(figure, known) or f"There are {', '.join(known)}."


def parse_metric(text: str, figures: Mapping[str, Figure] | None = None) -> Metric | None:
    """A metric as it was written, whatever its figure; None if it is none. `figures` are known beside the usual."""
    if _MEAN.fullmatch(text):
        found = Metric(text, text)
    elif match := _CHANCE.fullmatch(text):
        found = Metric(text, match[1], "probability", match[2], float(match[3]))
    elif match := _TAIL.fullmatch(text):
        found = Metric(text, match[2], "quantile" if match[1] == "quantile" else "cvar", "", float(match[3]))
    else:
        return None
    known = figure_of(found.figure, figures)
    return found if known is None else replace(found, least=known.least, most=known.most, unit=known.unit)


def figure_of(name: str, figures: Mapping[str, Figure] | None = None) -> Figure | None:
    """The figure of a metric, if it is known: of those given, of those that need no scenario, or of a task."""
    if figures is not None and name in figures:
        return figures[name]
    if name.startswith("gain_over_"):
        return gain_over(name.removeprefix("gain_over_"))
    return single_figures().get(name) or OF_ROLLING.get(name)
