"""Intervals that hold together: of many differences, of distances from the best, of ranks; on common random numbers.

Differences of portfolios that live through the same luck depend on one another, so Bonferroni's intervals are wider
than they need be, and others assume what is not so. Here the largest of all studentised errors is taken with the
covariance that the samples have: it is the wider of two, as in `rdsim.stats.mean_interval`: simulated of a
multivariate t, and from ten samples on bootstrapped (bootstrap-t), which takes skewness into account. All of it is
drawn from a fixed seed: the same samples give the same intervals.

Sources: Hsu 1984, Annals of Statistics 12 (multiple comparisons with the best); Edwards & Hsu 1983, J. American
Statistical Association 78 (any covariance, from comparisons with each as the control); Nelson & Matejcik 1995,
Management Science 41 (common random numbers); Romano & Wolf 2005, Econometrica 73 (the largest error bootstrapped);
Mohamad, Goeman & van Zwet 2022, Biometrical J. 64 (ranks from all pairwise comparisons); Hall 1988, Annals of
Statistics 16 (bootstrap-t).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats
from rdsim.stats import Interval

__all__ = ["distances_from_best", "intervals_together", "rank_ranges"]

_SEED = 20_260_711
_DRAWS = 10_000
_CELLS = 4_000_000
"""Numbers that are drawn at once, at most."""
_RESAMPLES = 1_000
_SKEWNESS_FROM = 10
"""Fewer samples do not tell how skewed they are."""
_ROUNDING = 1e-12


def intervals_together(samples: npt.ArrayLike, confidence: float = 0.95) -> tuple[Interval, ...]:
    """Means of K columns of n samples each, (n, K), with intervals that all hold together with the confidence.

    A column without spread has an interval without width, and of one sample all ends are infinite. Raises ValueError
    for samples that are none or not finite, and for an impossible confidence.
    """
    table = _check(samples, confidence)
    means, errors, n = table.mean(axis=0), _errors(table), len(table)
    if n == 1:
        return tuple(Interval(mean, -math.inf, math.inf, n) for mean in means.tolist())
    reach = _times(_reach(table, confidence, two_sided=True), errors)
    return tuple(
        _interval(*row, n)
        for row in zip(means.tolist(), (means - reach).tolist(), (means + reach).tolist(), strict=True)
    )


def distances_from_best(samples: npt.ArrayLike, confidence: float = 0.95) -> tuple[Interval, ...]:
    """Of K things how far each mean is ahead of the best of the others, (n, K): intervals that hold together.

    The larger is better. Whoever's upper end is 0 is not the best; whoever's lower end is 0 is. `mean` is the estimate,
    mean less the largest mean of the others; the interval is Hsu's constrained one, which is not wider than it must be
    for saying who is best, and ends at 0 where it says so. Of a single thing there is nothing to compare: an interval
    of 0. Raises ValueError as `intervals_together`.
    """
    table = _check(samples, confidence)
    n, count = table.shape
    if count == 1:
        return (Interval(0.0, 0.0, 0.0, n),)
    means = table.mean(axis=0)
    ahead = [float(means[i] - np.delete(means, i).max()) for i in range(count)]
    if n == 1:
        return tuple(Interval(mean, -math.inf, math.inf, n) for mean in ahead)
    # most[i, j]: the mean of i less that of j is at most so much, for all j at once, with i as the control.
    most = np.array([_upper_limits(table, i, confidence) for i in range(count)])
    off_diagonal = np.where(np.eye(count, dtype=bool), np.inf, most)
    highest = np.maximum(off_diagonal.min(axis=1), 0.0)
    maybe_best = np.flatnonzero(off_diagonal.min(axis=1) >= 0.0).tolist()
    found = []
    for i in range(count):
        others = [j for j in maybe_best if j != i]
        low = min((-float(most[j, i]) for j in others), default=0.0)
        found.append(Interval(ahead[i], min(low, 0.0), float(highest[i]), n))
    return tuple(found)


def rank_ranges(samples: npt.ArrayLike, confidence: float = 0.95) -> tuple[tuple[int, int], ...]:
    """Of K things, (n, K), the best and the worst rank that each may have; all hold together with the confidence.

    Rank 1 is that of the largest mean. From all pairwise differences: whoever is shown to be better stands before, and
    whoever is shown to be worse behind. Raises ValueError as `intervals_together`.
    """
    table = _check(samples, confidence)
    count = table.shape[1]
    first, second = np.triu_indices(count, 1)
    better = np.zeros((count, count), bool)
    if first.size and len(table) > 1:
        found = intervals_together(table[:, first] - table[:, second], confidence)
        for i, j, one in zip(first.tolist(), second.tolist(), found, strict=True):
            better[i, j], better[j, i] = one.low > 0.0, one.high < 0.0
    behind, ahead = better.sum(axis=0), better.sum(axis=1)
    return tuple((1 + int(behind[i]), count - int(ahead[i])) for i in range(count))


def _interval(mean: float, low: float, high: float, n: int) -> Interval:
    return Interval(mean, min(low, mean), max(high, mean), n)


def _check(samples: npt.ArrayLike, confidence: float) -> Floats:
    table = np.asarray(samples, np.float64)
    if table.ndim != 2 or table.size == 0 or not np.isfinite(table).all():
        raise ValueError("samples must be a table of finite numbers, of one column or more")
    if not 0 < confidence < 1:
        raise ValueError(f"a level must be between 0 and 1, not {confidence}")
    return table


def _errors(table: Floats) -> Floats:
    """Standard errors of the columns' means; 0 where all is alike but for rounding."""
    if len(table) < 2:
        return np.zeros(table.shape[1])
    errors = table.std(axis=0, ddof=1)
    return np.asarray(np.where(errors <= _ROUNDING * np.abs(table).max(axis=0), 0.0, errors) / math.sqrt(len(table)))


def _upper_limits(table: Floats, control: int, confidence: float) -> Floats:
    """Limits above of the control's mean less each other's, which hold together, (K,); the control's own is 0."""
    differences = table[:, [control]] - table
    reach = _reach(np.delete(differences, control, axis=1), confidence, two_sided=False)
    return np.asarray(differences.mean(axis=0) + _times(reach, _errors(differences)))


def _times(reach: float, errors: Floats) -> Floats:
    """What has no error has no reach, and be it without end for others."""
    return np.multiply(reach, errors, out=np.zeros(errors.shape), where=errors > 0.0)


def _reach(table: Floats, confidence: float, *, two_sided: bool) -> float:
    """Standard errors by which no column's true mean lies further off, with the confidence: above it if one-sided."""
    moving = table[:, _errors(table) > 0.0]
    if not moving.size:
        return 0.0
    rng = np.random.default_rng(_SEED)
    known = _largest_of_t(moving, rng, two_sided=two_sided)
    reach = float(np.quantile(known, confidence, method="higher"))
    if len(table) < _SKEWNESS_FROM:
        return reach
    again = _largest_of_resamples(moving, rng, two_sided=two_sided)
    return max(reach, float(np.quantile(again, confidence, method="higher")))


def _largest_of_t(table: Floats, rng: np.random.Generator, *, two_sided: bool) -> Floats:
    """The largest error of a multivariate t with the correlations of the columns, drawn again and again."""
    n, count = table.shape
    around = (table - table.mean(axis=0)) / table.std(axis=0)
    # The correlations are around.T @ around / n, so rows of normals times `around` have them: no root is taken.
    scaled = around / math.sqrt(n)
    if count < n:
        roots, vectors = np.linalg.eigh(scaled.T @ scaled)
        scaled = np.sqrt(np.maximum(roots, 0.0))[:, np.newaxis] * vectors.T
    largest = []
    for size in _portions(_DRAWS, max(scaled.shape)):
        drawn = rng.standard_normal((size, len(scaled))) @ scaled
        drawn /= np.sqrt(rng.chisquare(n - 1, (size, 1)) / (n - 1))
        largest.append(np.abs(drawn).max(axis=1) if two_sided else drawn.max(axis=1))
    return np.concatenate(largest)


def _largest_of_resamples(table: Floats, rng: np.random.Generator, *, two_sided: bool) -> Floats:
    """The largest studentised error of means of resampled rows: how far below the mean they lie, or how far off."""
    n = len(table)
    around = (table - table.mean(axis=0)) / table.std(axis=0)
    squares, largest = around**2, []
    for size in _portions(_RESAMPLES, max(table.shape)):
        drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        means = counts @ around / n
        spread = np.sqrt(np.maximum(counts @ squares / n - means**2, 0.0) / (n - 1))
        off = np.abs(means) if two_sided else -means
        told = np.divide(off, spread, out=np.where(off > 0, np.inf, 0.0), where=spread > _ROUNDING)
        largest.append(told.max(axis=1))
    return np.concatenate(largest)


def _portions(draws: int, width: int) -> list[int]:
    """Sizes of portions of some draws, none of more numbers than fit."""
    most = max(_CELLS // max(width, 1), 1)
    return [min(most, draws - done) for done in range(0, draws, most)]
