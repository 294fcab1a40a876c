"""What it is worth to know one assumption before deciding: the expected value of partial perfect information.

With portfolios d, worth B_d(x) in a world x, and one assumption x_k known,

    EVPPI = E[ max_d E[B_d | x_k] ] - max_d E[B_d].

The inner means are had by regression on the worlds at hand (Strong, Oakley & Brennan 2014, Medical Decision Making 34:
a generalised additive model of what each portfolio is worth beyond the first). Here a cubic spline of x_k with a
penalty on its curvature (Eilers & Marx 1996, Statistical Science 11), the other assumptions beside it in straight
lines, which take out most of what is not its own; how smooth, generalised cross-validation says (Craven & Wahba 1979).
As the bounds are known, the outer mean is over a grid of x_k, without an error of its own. Coefficients drawn from
their posterior, with the luck of the replications that all worlds share, give bias and interval as in that paper: the
largest of several noisy curves is too large, so the bias is taken off. The limits are the outer ones of those drawn and
of those turned about the estimate (percentile and basic): the value has kinks, where either alone would be too narrow,
and the interval is rather too wide elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Floats
from rdsim.stats import Interval

__all__ = ["Information", "information"]

_SEGMENTS = 4
_DEGREE = 3
_GRID = 200
_DRAWS = 2000
_BEYOND = 10.0
"""The upper limit leaves so many times less out: where two portfolios are worth the same on average, to know is worth
most, and whatever the estimate errs by, it errs downwards."""
_PENALTIES = np.geomspace(1e-4, 1e4, 17)
_FEWEST_EACH = 3
"""Worlds for each of the other assumptions, from which on these stand beside the one asked about."""


@dataclass(frozen=True)
class Information:
    """What knowing one assumption is worth, and how likely it is that another portfolio is then chosen."""

    value: Interval
    """In money, at least 0; `n` is the number of worlds."""
    change: Interval
    """Probability that another portfolio is better than the first by more than the zone."""


def information(
    levels: Floats, column: int, worths: Floats, *, zone: float = 0.0, confidence: float = 0.95, seed: int = 1
) -> Information:
    """What it is worth to know one assumption before choosing among portfolios.

    Args:
        levels: (M, K) where each of M worlds lies between the bounds of K assumptions, 0 to 1.
        column: which assumption is asked about.
        worths: (M, D, n) what D portfolios are worth in the worlds, in n replications that all worlds share; the first
            portfolio is that of the plan.
        zone: by how much another portfolio must be better to count as a change, >= 0.
        seed: of the draws behind bias and interval.

    Raises: ValueError for fewer than 10 worlds.
    """
    count, portfolios, _ = worths.shape
    if count < 10:
        raise ValueError(f"a regression needs at least 10 worlds, not {count}")
    if portfolios == 1:
        return Information(Interval(0.0, 0.0, 0.0, count), Interval(0.0, 0.0, 0.0, count))
    beyond = worths[:, 1:] - worths[:, :1]
    curves, drawn = _curves(levels, column, beyond, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    value, values = float(_evppi(curves)), _evppi(drawn)
    least, most = np.quantile(values, [tail, 1 - tail / _BEYOND]).tolist()
    mean = max(2 * value - float(values.mean()), 0.0)
    low, high = max(min(least, 2 * value - most), 0.0), max(most, 2 * value - least, mean)
    change, changes = float(_change(curves, zone)), _change(drawn, zone)
    first, last = np.quantile(changes, [tail, 1 - tail]).tolist()
    return Information(
        Interval(mean, min(low, mean), high, count),
        Interval(change, min(first, change), max(last, change), count),
    )


def _evppi(curves: Floats) -> Floats:
    """Of curves over the grid, (..., grid, D - 1): what is gained by choosing at each of its places."""
    best_each = np.maximum(curves.max(axis=-1), 0.0).mean(axis=-1)
    return np.asarray(best_each - np.maximum(curves.mean(axis=-2).max(axis=-1), 0.0))


def _change(curves: Floats, zone: float) -> Floats:
    return np.asarray((curves.max(axis=-1) > zone).mean(axis=-1))


def _curves(levels: Floats, column: int, beyond: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """What each portfolio is worth beyond the first over the grid, (grid, D - 1), and drawn from what is known of it,
    (draws, grid, D - 1)."""
    means, replications = beyond.mean(axis=2), beyond.shape[2]
    design, spline = _design(levels, column), _splines((np.arange(_GRID) + 0.5) / _GRID)
    coefficients, inverse, residuals, free = _fit(design, means, spline.shape[1])
    width = spline.shape[1]
    curves = spline @ coefficients[:width]
    root = np.linalg.cholesky(_positive(inverse[:width, :width]))
    noise = np.linalg.cholesky(_positive(residuals.T @ residuals / free))
    normal = rng.standard_normal((_DRAWS, width, means.shape[1]))
    luck = np.atleast_2d(np.cov(beyond.mean(axis=0))) / replications
    shift = rng.standard_normal((_DRAWS, 1, means.shape[1])) @ np.linalg.cholesky(_positive(luck)).T
    return curves, curves + spline @ (root @ normal @ noise.T) + shift


def _design(levels: Floats, column: int) -> Floats:
    """Splines of the assumption asked about, and the others in straight lines where there are worlds enough."""
    others = np.delete(levels, column, axis=1) - 0.5
    if len(levels) < _SEGMENTS + _DEGREE + _FEWEST_EACH * others.shape[1]:
        others = others[:, :0]
    return np.hstack([_splines(levels[:, column]), others])


def _splines(places: Floats) -> Floats:
    """Cubic B-splines over 0 to 1 with equal segments, (places, segments + 3)."""
    step = 1.0 / _SEGMENTS
    knots = np.arange(-_DEGREE, _SEGMENTS + _DEGREE + 1) * step
    inside = np.clip(places, 0.0, 1.0)
    from scipy.interpolate import BSpline  # noqa: PLC0415 - takes a fifth of a second to import

    return np.asarray(BSpline.design_matrix(inside, knots, _DEGREE).toarray())


def _fit(design: Floats, means: Floats, width: int) -> tuple[Floats, Floats, Floats, float]:
    """Coefficients, their covariance but for the residuals', residuals and free residuals, as smooth as GCV says."""
    second = np.diff(np.eye(width), n=2, axis=0)
    penalty = np.zeros((design.shape[1], design.shape[1]))
    penalty[:width, :width] = second.T @ second
    square, count = design.T @ design, len(design)
    best: tuple[float, Floats, Floats, float] | None = None
    for weight in _PENALTIES:
        inverse = np.linalg.pinv(square + weight * penalty, hermitian=True)
        coefficients = inverse @ design.T @ means
        residuals = means - design @ coefficients
        free = max(count - float(np.trace(inverse @ square)), 1.0)
        score = float((residuals**2).sum()) / free**2
        if best is None or score < best[0]:
            best = (score, inverse, coefficients, free)
    assert best is not None  # noqa: S101 - there are penalties
    _, inverse, coefficients, free = best
    return coefficients, inverse, means - design @ coefficients, free


def _positive(matrix: Floats) -> Floats:
    """The matrix with a trifle on its diagonal, so that it has a root."""
    return np.asarray(matrix + np.eye(len(matrix)) * (1e-12 * float(np.trace(matrix)) + 1e-300))
