"""Intervals, quantiles and tails: closed forms, coverage at an honest size, edges and errors."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats as reference

from rdsim import stats

EXPERIMENTS = 3000


def _allowed(confidence: float) -> float:
    """Four standard deviations of a share that is right with the confidence."""
    return 4 * math.sqrt(confidence * (1 - confidence) / EXPERIMENTS)


def test_mean_interval_is_students() -> None:
    values = np.array([3.0, 5.0, 8.0, 4.0])
    found = stats.mean_interval(values, 0.9)
    low, high = reference.t.interval(0.9, 3, values.mean(), reference.sem(values))
    assert (found.mean, found.n) == (5.0, 4)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.half_width == pytest.approx((high - low) / 2)


def test_mean_interval_of_one_sample_is_unknown() -> None:
    found = stats.mean_interval([7.0])
    assert (found.mean, found.low, found.high, found.n) == (7.0, -math.inf, math.inf, 1)


def test_mean_interval_of_equal_samples_is_a_point() -> None:
    found = stats.mean_interval([2.5] * 6)
    assert (found.low, found.mean, found.high) == (2.5, 2.5, 2.5)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_mean_interval_covers_as_often_as_it_says(confidence: float) -> None:
    samples = np.random.default_rng(11).normal(10.0, 3.0, (EXPERIMENTS, 8))
    found = [stats.mean_interval(row, confidence) for row in samples]
    share = np.mean([interval.low <= 10.0 <= interval.high for interval in found])
    assert abs(share - confidence) < _allowed(confidence)


def test_mean_interval_of_skewed_samples_reaches_further_to_the_long_side() -> None:
    """Hall's transform of the studentised mean is Student's quantile at the end that it moves."""
    values = np.array([1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 1.0, 2.0, 9.0, 1.0])
    found, n = stats.mean_interval(values), len(values)
    t, error = float(reference.t.ppf(0.975, n - 1)), float(reference.sem(values))
    assert found.mean - found.low == pytest.approx(t * error)  # Hall's end is nearer
    z, g = (found.high - found.mean) / error, float(reference.skew(values, bias=False))
    assert z > 1.5 * t
    transformed = -z + g / (3 * math.sqrt(n)) * z**2 - g**2 / (27 * n) * z**3 + g / (6 * math.sqrt(n))
    assert transformed == pytest.approx(-t)
    mirrored = stats.mean_interval(-values)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def test_of_fewer_than_ten_samples_the_mean_has_students_interval() -> None:
    values = np.array([1.0, 1.0, 2.0, 1.0, 9.0, 1.0, 1.0, 1.0, 2.0])
    found = stats.mean_interval(values)
    half = float(reference.t.ppf(0.975, 8) * reference.sem(values))
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))


def test_count_interval_has_room_for_what_was_not_seen() -> None:
    """Garwood: nothing in 20 samples leaves 3.69 in 20; and 2 of at most 5 is no matter for it."""
    assert stats.count_interval([0] * 20).high == pytest.approx(reference.chi2.ppf(0.975, 2) / 2 / 20)
    always = stats.count_interval([5] * 20, most=5)
    assert (always.mean, always.high) == (5.0, 5.0)
    assert always.low == pytest.approx(5 - reference.chi2.ppf(0.975, 2) / 2 / 20)
    once = stats.count_interval([1] + [0] * 19)
    assert once.low == 0.0
    assert once.high == stats.mean_interval([1] + [0] * 19).high > reference.chi2.ppf(0.975, 4) / 2 / 20
    many = np.random.default_rng(4).binomial(40, 0.4, 50)
    assert stats.count_interval(many, most=40) == stats.mean_interval(many)
    alone = stats.count_interval([2], most=5)
    assert (alone.low, alone.mean, alone.high) == (0.0, 2.0, 5.0)


def test_paired_difference_uses_the_pairs() -> None:
    luck = np.random.default_rng(3).normal(0.0, 100.0, 50)
    found = stats.paired_difference(luck + 2.0, luck)
    assert found.mean == pytest.approx(2.0)
    assert found.half_width < 1e-9


def test_bonferroni_is_the_confidence_shared_out() -> None:
    a, b = np.array([1.0, 4.0, 2.0, 9.0]), np.array([0.0, 2.0, 3.0, 5.0])
    assert stats.paired_difference(a, b, 0.95, comparisons=5) == stats.mean_interval(a - b, 0.99)


def test_bonferroni_covers_all_together() -> None:
    chance = np.random.default_rng(5)
    together = 0
    for _ in range(EXPERIMENTS // 3):
        base = chance.normal(0.0, 1.0, 12)
        gaps = [stats.paired_difference(base + chance.normal(1.0, 1.0, 12), base, 0.9, 4) for _ in range(4)]
        together += all(gap.low <= 1.0 <= gap.high for gap in gaps)
    # Independent differences: each is right with 0.975, all with 0.975^4 = 0.904.
    share, expected = together / (EXPERIMENTS // 3), 0.975**4
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / (EXPERIMENTS // 3))


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (1, 1), (400, 1000)])
def test_proportion_interval_is_clopper_and_pearsons(successes: int, n: int) -> None:
    found = stats.proportion_interval(successes, n, 0.95)
    expected = reference.binomtest(successes, n).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
    assert found.mean == successes / n


def test_proportion_interval_covers_whatever_the_chance() -> None:
    """Exact coverage, summed over the binomial distribution; rare chances included."""
    n, chances = 40, np.linspace(0.005, 0.995, 199)
    ends = [stats.proportion_interval(k, n) for k in range(n + 1)]
    low, high = (np.array([getattr(end, side) for end in ends]) for side in ("low", "high"))
    coverage = [reference.binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum() for p in chances]
    assert min(coverage) >= 0.95
    assert np.mean(coverage) < 0.98


def test_quantile_is_a_sample() -> None:
    values = [10.0, 20.0, 30.0, 40.0]
    assert [stats.quantile(values, level) for level in (0.1, 0.25, 0.26, 0.5, 0.99)] == [10, 10, 20, 20, 40]


@pytest.mark.parametrize("hundredths", [1, 5, 10, 25, 35, 50, 55, 70, 90, 95, 99])
def test_quantile_has_the_rank_of_exact_arithmetic(hundredths: int) -> None:
    """Fractions know that 0.55 of 100 is 55."""
    for n in (*range(1, 121), 180, 200, 220, 1000):
        rank = math.ceil(Fraction(hundredths, 100) * n)
        assert stats.quantile(np.arange(1.0, n + 1)[::-1], hundredths / 100) == rank


def test_quantile_interval_has_the_textbook_ranks() -> None:
    """n = 20, median, 95%: the 6th and the 15th of the ordered samples (Conover 1999, section 3.2)."""
    found = stats.quantile_interval(np.arange(1.0, 21.0)[::-1], 0.5)
    assert (found.mean, found.low, found.high, found.n) == (10.0, 6.0, 15.0, 20)


def test_quantile_interval_is_open_where_samples_are_too_few() -> None:
    assert stats.quantile_interval([1.0, 2.0, 3.0], 0.9).high == math.inf
    assert stats.quantile_interval([1.0, 2.0, 3.0], 0.1).low == -math.inf


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_quantile_interval_covers_at_least_as_often_as_it_says(level: float) -> None:
    samples = np.random.default_rng(8).exponential(1.0, (EXPERIMENTS, 60))
    truth = -math.log(1 - level)
    found = [stats.quantile_interval(row, level) for row in samples]
    share = float(np.mean([interval.low <= truth <= interval.high for interval in found]))
    assert 0.95 - _allowed(0.95) < share < 0.99


def test_cvar_splits_an_atom() -> None:
    """Costs 10, 20, 30, 40 at level 0.6: (40 + 0.6 x 30) / 1.6, where a mean above the quantile says 40 or 35."""
    costs = [20.0, 40.0, 10.0, 30.0]
    assert stats.cvar(costs, 0.6, "high") == pytest.approx(36.25)
    assert stats.cvar(costs, 0.6, "low") == pytest.approx((10 + 0.6 * 20) / 1.6)


def test_cvar_is_the_smallest_of_its_bounds() -> None:
    """Rockafellar & Uryasev: min over t of t + mean of what exceeds t, over 1 - level, is at a sample."""
    costs = np.random.default_rng(2).gamma(2.0, 5.0, 137)
    for level in (0.05, 0.5, 0.83, 0.95):
        bounds = [t + np.maximum(costs - t, 0).mean() / (1 - level) for t in costs]
        assert stats.cvar(costs, level, "high") == pytest.approx(min(bounds))


def test_cvar_goes_from_the_mean_to_the_worst() -> None:
    values = np.array([4.0, 1.0, 7.0])
    assert stats.cvar(values, 1e-9) == pytest.approx(values.mean())
    assert stats.cvar(values, 0.999) == 1.0
    assert stats.cvar(values, 0.4, "low") == pytest.approx(-stats.cvar(-values, 0.4, "high"))


def test_enough_bounds_the_relative_error() -> None:
    values = np.array([9.0, 11.0] * 50)  # mean 10, standard deviation 1.005
    half = stats.mean_interval(values).half_width / 10
    exact = half / (1 - half)  # where relative / (1 + relative) = half
    assert stats.enough(values, exact * 1.001)
    assert not stats.enough(values, exact * 0.999)
    assert stats.enough(-values, exact * 1.001)


def test_one_sample_is_never_enough() -> None:
    assert not stats.enough([5.0], 10.0)


def test_a_few_samples_that_agree_are_not_enough() -> None:
    assert not stats.enough([5.0] * 9, 0.1)
    assert stats.enough([5.0] * 10, 0.1)
    assert stats.enough([5.0] * 3, 0.1, fewest=3)
    with pytest.raises(ValueError, match="at least 2, not 1"):
        stats.enough([5.0] * 10, 0.1, fewest=1)


def _stop(values: np.ndarray, relative: float, fewest: int) -> float:
    """The mean at which asking after every sample stops."""
    n = next(n for n in range(2, len(values)) if stats.enough(values[:n], relative, 0.9, fewest))
    return float(values[:n].mean())


def test_stopping_keeps_its_promise_when_asked_after_every_sample() -> None:
    """Counts, mean 4, relative error 0.1: some 80 samples are needed, and the first two are often equal."""
    chance, tries = np.random.default_rng(6), 300
    samples = chance.poisson(4.0, (tries, 400)).astype(float)
    right = {fewest: np.mean([abs(_stop(row, 0.1, fewest) - 4) <= 0.4 for row in samples]) for fewest in (2, 10)}
    assert right[10] > 0.9 - 4 * math.sqrt(0.9 * 0.1 / tries)
    assert right[2] < 0.85  # what the fewest samples are for


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_samples_must_be_finite_and_some(values: list[float]) -> None:
    for verb in (stats.mean_interval, lambda v: stats.quantile(v, 0.5), lambda v: stats.cvar(v, 0.5)):
        with pytest.raises(ValueError, match="finite, and at least one"):
            verb(values)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 1.5, math.nan])
def test_levels_must_be_inside(level: float) -> None:
    values = [1.0, 2.0]
    for verb in (
        lambda: stats.mean_interval(values, level),
        lambda: stats.paired_difference(values, values, level, comparisons=3),
        lambda: stats.proportion_interval(1, 2, level),
        lambda: stats.quantile(values, level),
        lambda: stats.quantile_interval(values, 0.5, level),
        lambda: stats.quantile_interval(values, level),
        lambda: stats.cvar(values, level),
    ):
        with pytest.raises(ValueError, match="between 0 and 1"):
            verb()


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="not 2 and 3"):
        stats.paired_difference([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="at least 1, not 0"):
        stats.paired_difference([1.0], [1.0], comparisons=0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_successes_must_be_among_the_trials(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes must be between 0 and n"):
        stats.proportion_interval(successes, n)


@pytest.mark.parametrize("relative", [0.0, -0.1, math.nan])
def test_relative_error_must_be_positive(relative: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        stats.enough([1.0, 2.0], relative)
