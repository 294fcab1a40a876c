"""What a fit predicts of projects, beside what they did.

The predictive distribution has both uncertainties: parameters are drawn from the bootstrap, and the gain of each
project from its probabilities. Gelman, Meng & Stern 1996, Statistica Sinica 6 (posterior predictive checks, with the
bootstrap in the posterior's place).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rdsim.arrays import Floats, Ints
from rdsim.calibration.fits import Fit
from rdsim.calibration.records import Records

__all__ = ["Check", "check"]

_DRAWS = 2000
_LEVELS = 9
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Check:
    """How well a fit predicts the gains of some projects.

    `gains`: a row for each number of steps: observed and expected projects, with the 95% predictive interval.
    `begins`: a row for each beginning TRL: projects, observed and expected mean gain, with its predictive interval.
    """

    projects: int
    gains: pd.DataFrame
    begins: pd.DataFrame
    observed_mean: float
    mean: tuple[float, float, float]  # expected, low, high
    chance: float  # of a discrepancy as large as the observed one, if the fit is right
    log_score: float  # mean log probability of what happened
    plain_score: float  # the same for the shares of the fitted projects, whatever their window

    @property
    def inside(self) -> int:
        """How many counts of gains lie within their intervals."""
        return int(
            ((self.gains["observed"] >= self.gains["low"]) & (self.gains["observed"] <= self.gains["high"])).sum()
        )

    @property
    def is_passed(self) -> bool:
        """Whether nothing speaks against the fit at the 5% level."""
        return self.chance >= 0.05


def check(fits: Sequence[Fit], best: Fit, fitted: Records, records: Records, seed: int) -> Check:
    """The predictions of a fit, and of its bootstrap `fits`, for some projects: those that were fitted, or others."""
    rng = np.random.default_rng(seed)
    chances = best.gains(records)
    drawn = _gain_draws([one.gains(records) for one in fits] or [chances], rng)
    counts = np.stack([(drawn == k).sum(axis=1) for k in range(_LEVELS)], axis=1)
    expected = chances.sum(axis=0)
    seen = np.bincount(records.gain, minlength=_LEVELS)
    away = _discrepancy(counts, expected)
    chance = (1 + int((away >= _discrepancy(seen[None, :], expected)[0] - 1e-9).sum())) / (1 + len(away))
    mine = chances[np.arange(records.count), records.gain]
    mean = float((chances * np.arange(_LEVELS)).sum() / records.count)
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975]).tolist()
    return Check(
        projects=records.count,
        gains=_by_gain(seen, expected, counts),
        begins=_by_begin(records, chances, drawn),
        observed_mean=float(records.gain.mean()),
        mean=(mean, low, high),
        chance=chance,
        log_score=float(np.log(np.maximum(mine, _TINY)).mean()),
        plain_score=_plain_score(fitted, records),
    )


def _gain_draws(chances: list[Floats], rng: np.random.Generator) -> Ints:
    """Gains of all projects, (draws, N): each draw with the probabilities of one of the fits."""
    found = np.empty((_DRAWS, len(chances[0])), np.int64)
    upto = [np.cumsum(one, axis=1) for one in chances]
    for draw in range(_DRAWS):
        u = rng.random((len(chances[0]), 1))
        found[draw] = np.minimum((u > upto[draw % len(upto)]).sum(axis=1), _LEVELS - 1)
    return found


def _discrepancy(counts: Ints, expected: Floats) -> Floats:
    """Pearson's chi-square of counts, (draws, 9), with the rare gains in one cell."""
    rare = expected < 5
    cells = np.concatenate([counts[:, ~rare], counts[:, rare].sum(axis=1, keepdims=True)], axis=1)
    means = np.append(expected[~rare], max(expected[rare].sum(), 1.0))
    return np.asarray(((cells - means) ** 2 / means).sum(axis=1))


def _by_gain(seen: Ints, expected: Floats, counts: Ints) -> pd.DataFrame:
    low, high = np.quantile(counts, [0.025, 0.975], axis=0)
    frame = pd.DataFrame({"gain": np.arange(_LEVELS), "observed": seen, "expected": expected, "low": low, "high": high})
    return frame[(frame["observed"] > 0) | (frame["high"] > 0)].reset_index(drop=True)


def _by_begin(records: Records, chances: Floats, drawn: Ints) -> pd.DataFrame:
    rows = []
    for first in np.unique(records.begin).tolist():
        mine = records.begin == first
        low, high = np.quantile(drawn[:, mine].mean(axis=1), [0.025, 0.975]).tolist()
        expected = float((chances[mine] * np.arange(_LEVELS)).sum() / mine.sum())
        rows.append((first, int(mine.sum()), float(records.gain[mine].mean()), expected, low, high))
    return pd.DataFrame(rows, columns=["begin", "projects", "observed", "expected", "low", "high"])


def _plain_score(fitted: Records, records: Records) -> float:
    """Mean log probability by shares of gains of the fitted projects, one added to each that can be (Laplace)."""
    scores = []
    for first, gain in zip(records.begin.tolist(), records.gain.tolist(), strict=True):
        possible = np.bincount(fitted.gain, minlength=_LEVELS)[: _LEVELS - first + 1] + 1.0
        scores.append(float(np.log(possible[gain] / possible.sum())))
    return float(np.mean(scores))
