"""Metrics of an experiment: figures of replications, reduced to an estimate with its interval.

``npv``                 mean of a figure, with Student's t interval
``sales >= 52``         probability, with Wilson's score interval (also <=, > and <)
``quantile npv 0.05``   quantile, with the order-statistics interval
``cvar npv 0.95``       mean of the worst share 1 - level, with a normal interval from its influence
                        function (Trindade, Uryasev, Shapiro & Zrazhevsky 2007, J. Banking & Finance 31)
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.errors import Fault, InputError
from rdsim.stats import Interval, mean_interval, proportion_interval, quantile, quantile_interval
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

    def measure(self, table: pd.DataFrame, confidence: float) -> Interval:
        """The estimate over the rows of a table of replications. Raises ValueError for figures that are not finite."""
        samples = table[self.figure].to_numpy(np.float64)
        if self.kind == "mean":
            return mean_interval(samples, confidence)
        if self.kind == "probability":
            return proportion_interval(int(self.counted(samples).sum()), len(samples), confidence)
        if self.kind == "quantile":
            return quantile_interval(samples, self.number, confidence)
        edge = quantile(samples, 1 - self.number)
        return mean_interval(edge - np.maximum(edge - samples, 0.0) / (1 - self.number), confidence)


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
