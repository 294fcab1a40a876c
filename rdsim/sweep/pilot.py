"""How many repeats a difference takes, told by a pilot of a few before a sweep runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtri

from rdsim.arrays import Floats
from rdsim.sweep.answers import first_comparison
from rdsim.sweep.prepared import Prepared, names_of
from rdsim.sweep.reader import levels_row
from rdsim.sweep.repeats import repeat_count
from rdsim.sweep.store import Store
from rdsim.sweep.tasks import DONE, Row, Work, pack, perform

__all__ = ["Need", "needs", "with_pilot"]

_PILOT = 4
"""Repeats of a pilot."""

_LIKELY = 0.8
"""Confidence of how many it takes: the pilot's standard deviation is an estimate of few."""


@dataclass(frozen=True)
class Need:
    """How many repeats show a difference in a metric with a probability of 80%, if it is there."""

    metric: str
    difference: float
    points: tuple[int, int]  # that were compared
    pilot: int  # repeats that tell the standard deviation
    deviation: float  # of the difference, repeat by repeat
    repeats: int | None
    low: int | None
    high: int | None

    @property
    def words(self) -> str:
        """In a sentence."""
        told = f"{self.repeats:,}" if self.repeats is not None else "more than can be run"
        ends = f"{_text(self.low)} to {_text(self.high)}"
        return (
            f"{self.metric}: to show a difference of {self.difference:g} takes about {told} repeats ({ends}, by "
            f"{self.pilot} of them at points {self.points[0]} and {self.points[1]}; the difference has a standard "
            f"deviation of {self.deviation:.3g})"
        )


def _text(count: int | None) -> str:
    return "no end" if count is None else f"{count:,}"


def with_pilot(prepared: Prepared) -> Prepared:
    """The experiment with enough repeats for a pilot, if it names a difference that matters and decides anything."""
    one = prepared.experiment
    if not one.difference or not prepared.solves or prepared.design.count < 2:
        return prepared
    return dataclasses.replace(prepared, experiment=dataclasses.replace(one, repeats=max(one.repeats, _PILOT)))


def needs(prepared: Prepared, work: Work, store: Store) -> Iterator[Need]:
    """For each difference that matters how many repeats it takes; `prepared` and `work` are those of the pilot."""
    if prepared.experiment.repeats < _PILOT or not prepared.solves or prepared.design.count < 2:
        return
    confidence = prepared.scenario.simulation.confidence
    for metric, difference in prepared.experiment.difference.items():
        points = _comparison(prepared, metric)
        gaps = _gaps(prepared, work, store, metric, points)
        if len(gaps) < 2:
            continue
        deviation, free = float(gaps.std(ddof=1)), len(gaps) - 1
        ends = [deviation * math.sqrt(free / float(chdtri(free, end))) for end in _ends()]
        told = [repeat_count(one, difference, confidence) for one in (deviation, *ends)]
        yield Need(metric, difference, points, len(gaps), deviation, *told)


def _ends() -> tuple[float, float]:
    return (1 - _LIKELY) / 2, (1 + _LIKELY) / 2


def _comparison(prepared: Prepared, metric: str) -> tuple[int, int]:
    """The points whose difference the answers ask for first, else the first and the last."""
    count = prepared.design.count
    rows = pd.DataFrame([levels_row(prepared, prepared.design.at(number)) for number in range(count)])
    texts = [answer.text for answer in prepared.experiment.answers]
    found = first_comparison(texts, names_of(prepared), metric, rows)
    return (0, count - 1) if found is None else (int(found[0].index[0]), int(found[1].index[0]))


def _gaps(prepared: Prepared, work: Work, store: Store, metric: str, points: tuple[int, int]) -> Floats:
    """The difference in each repeat that is in the store, and in those of the pilot, which are run."""
    packed, found = pack(work), []
    for repeat in range(prepared.experiment.repeats):
        tasks = [prepared.point(work, number, repeat).task for number in points]
        known: list[Row | None] = list(store.rows(task.key for task in tasks))
        if None in known and repeat < _PILOT:
            known = list(perform(packed, tasks).rows)
        rows = [row for row in known if row is not None and row["status"] == DONE]
        if len(rows) == len(points):
            found.append(rows[0][metric] - rows[1][metric])
    return np.array(found, np.float64)
