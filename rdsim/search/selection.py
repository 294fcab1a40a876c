"""The best of a few contenders, with a stated probability: the fully sequential procedure KN.

Contenders are observed on common random numbers. After a first stage of n0 observations each, one that falls behind
another by more than chance explains is dropped, and the others are observed further, until one is left. If the best is
better than all others by at least the indifference zone, it is the one with at least the stated probability.

Source: Kim & Nelson 2001, "A fully sequential procedure for indifference-zone selection in simulation" (ACM TOMACS
11), with c = 1; its guarantee is for normal observations, and common random numbers may make them depend on one
another. Here whole batches are observed between two looks, which drops later, never earlier, than the procedure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Floats

__all__ = ["Selected", "select"]

Observe = Callable[[int, int], Floats]
"""Observations 0..count-1 of a contender, shape (count,); the same number is the same luck for all of them."""


@dataclass(frozen=True, eq=False)
class Selected:
    """Which contender was selected, and how sure that is."""

    best: int
    observed: tuple[int, ...]  # observations of each contender
    means: tuple[float, ...]
    zone: float  # the difference that is worth finding
    probability: float  # of selecting the best if it is ahead by at least the zone
    sure: bool  # False if observations ran out: then the probability is not guaranteed


def select(
    contenders: int,
    observe: Observe,
    *,
    zone: float,
    probability: float = 0.95,
    first: int = 200,
    batch: int = 200,
    most: int = 5000,
) -> Selected:
    """Select the contender of the largest mean.

    Args:
        contenders: how many there are, at least 1.
        observe: gives observations, see `Observe`.
        zone: indifference zone, in units of the observations, above 0.
        probability: of correct selection, 1 / contenders < probability < 1.
        first: observations of the first stage, at least 2.
        batch: further observations between two looks.
        most: observations of one contender at most; whoever leads then is selected without guarantee.

    Raises: ValueError for settings out of these ranges.
    """
    _check(contenders, zone, probability, first, batch)
    if contenders == 1:
        seen = observe(0, first)
        return Selected(0, (first,), (float(seen.mean()),), zone, 1.0, True)
    known = [observe(one, first) for one in range(contenders)]
    spread = np.array([[float((a - b).var(ddof=1)) for b in known] for a in known])
    # eta solves g(eta) = 1 - (1 - alpha) ** (1 / (k - 1)) >= alpha / (k - 1) for c = 1, see the paper's equation (2).
    eta = ((2 * (1 - probability) / (contenders - 1)) ** (-2 / (first - 1)) - 1) / 2
    scaled = 2 * eta * (first - 1) * spread
    alive, count = list(range(contenders)), first
    while True:
        alive = _survivors(alive, known, scaled, zone, count)
        enough = len(alive) == 1 or count > scaled[np.ix_(alive, alive)].max() / zone**2
        if enough or count >= most:
            break
        count = min(count + batch, most)
        for one in alive:
            known[one] = observe(one, count)
    best = max(alive, key=lambda one: (float(known[one].mean()), -one))
    means = tuple(float(seen.mean()) for seen in known)
    return Selected(best, tuple(seen.size for seen in known), means, zone, probability, bool(enough))


def _survivors(alive: list[int], known: list[Floats], scaled: Floats, zone: float, count: int) -> list[int]:
    """Those that are behind nobody by more than the continuation region allows."""
    means = [float(seen[:count].mean()) for seen in known]

    def room(a: int, b: int) -> float:
        return max(0.0, zone / (2 * count) * (float(scaled[a, b]) / zone**2 - count))

    return [a for a in alive if all(means[a] >= means[b] - room(a, b) - 1e-12 * abs(means[b]) for b in alive)]


def _check(contenders: int, zone: float, probability: float, first: int, batch: int) -> None:
    if contenders < 1 or not zone > 0 or not math.isfinite(zone) or first < 2 or batch < 1:
        raise ValueError("needs a contender, a zone above 0, 2 first observations and a batch of 1")
    if contenders > 1 and not 1 / contenders < probability < 1:
        raise ValueError(f"probability must lie between 1/{contenders} and 1, not {probability}")
