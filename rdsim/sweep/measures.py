"""Metrics of an experiment: figures of replications, reduced to an estimate with its interval.

``npv``                 mean of a figure, with Student's t interval
``sales >= 52``         probability, with Wilson's score interval (also <=, > and <)
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
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.case import END_STATES
from rdsim.errors import Fault, InputError
from rdsim.stats import Interval, cvar_interval, mean_interval, proportion_interval, quantile_interval
from rdsim.tables import did_you_mean

__all__ = ["Metric", "parse_metric", "parse_metrics"]

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
_SIGNED = ("npv", "value_pv", "cost_pv", "network_pv", "rolling", "static", "flexibility", "gain_over_")
"""How figures begin that may be negative; no other may."""

_OF_PROJECTS = frozenset({"commercialised", "commercialised_by_deadline", "talks", "agreements", *END_STATES})

_RULE = "must be a figure ('npv'), a probability ('sales >= 52'), or 'quantile npv 0.05' or 'cvar npv 0.95'"


@dataclass(frozen=True)
class Metric:
    """A figure and how its replications are reduced."""

    text: str
    figure: str
    kind: Literal["mean", "probability", "quantile", "cvar"] = "mean"
    sign: str = ""
    number: float = 0.0

    def counted(self, figures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Replications whose mean the metric is: of a probability 1 where it came true, of a mean the figures."""
        if self.kind == "probability":
            return np.asarray(_SIGNS[self.sign](figures, self.number), np.float64)
        return figures

    def limits(self, most: Mapping[str, float] | None = None) -> tuple[float, float]:
        """What the metric cannot be below and above; `most` says how many of some things there are."""
        if self.kind == "probability":
            return 0.0, 1.0
        if self.figure.startswith(_SIGNED):
            return -math.inf, math.inf
        things = "partners" if self.figure == "partners_opened" else "projects" if self.figure in _OF_PROJECTS else ""
        return 0.0, (most or {}).get(things, math.inf)

    def measure(self, table: pd.DataFrame, confidence: float, most: Mapping[str, float] | None = None) -> Interval:
        """The estimate over the rows of a table of replications, within the metric's limits.

        Raises ValueError for figures that are not finite.
        """
        return self._estimate(table[self.figure].to_numpy(np.float64), confidence).within(*self.limits(most))

    def _estimate(self, samples: npt.NDArray[np.float64], confidence: float) -> Interval:
        if self.kind == "mean":
            return mean_interval(samples, confidence)
        if self.kind == "probability":
            return proportion_interval(int(self.counted(samples).sum()), len(samples), confidence)
        if self.kind == "quantile":
            return quantile_interval(samples, self.number, confidence)
        return cvar_interval(samples, self.number, confidence)


def parse_metrics(texts: Iterable[str], figures: Iterable[str]) -> tuple[Metric, ...]:
    """Metrics as they were written. Raises InputError with every one that is no metric, or of no known figure."""
    known, found, faults = list(figures), [], []
    for place, text in enumerate(texts):
        metric = parse_metric(text.strip())
        where = f"metrics, entry {place + 1}"
        if metric is None:
            faults.append(Fault(where, _RULE, repr(text)))
        elif metric.figure not in known:
            faults.append(Fault(where, "there is no such figure", metric.figure, _advice(metric.figure, known)))
        elif metric.kind in ("quantile", "cvar") and not 0 < metric.number < 1:
            faults.append(Fault(where, "the level must be between 0 and 1", repr(text)))
        else:
            found.append(metric)
    if faults:
        raise InputError(tuple(faults))
    return tuple(dict.fromkeys(found))


def _advice(figure: str, known: list[str]) -> str:
    return did_you_mean(figure, known) or f"There are {', '.join(known)}."


def parse_metric(text: str) -> Metric | None:
    """A metric as it was written, whatever its figure; None if it is none."""
    if _MEAN.fullmatch(text):
        return Metric(text, text)
    if match := _CHANCE.fullmatch(text):
        return Metric(text, match[1], "probability", match[2], float(match[3]))
    if match := _TAIL.fullmatch(text):
        return Metric(text, match[2], "quantile" if match[1] == "quantile" else "cvar", "", float(match[3]))
    return None
