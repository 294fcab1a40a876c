"""Intervals that hold together: known answers, ties, what has no spread or cannot be (coverage: test_coverage.py)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rdsim.multiplicity import distances_from_best, intervals_together, rank_ranges
from rdsim.stats import mean_interval, paired_difference

RNG = np.random.default_rng(5)
LUCK = RNG.normal(0.0, 10.0, (200, 1))
TABLE = np.array([5.0, 4.9, 3.0, -1.0]) + RNG.normal(0.0, 1.0, (200, 4)) + LUCK


def test_one_column_has_about_the_interval_that_it_has_alone() -> None:
    (found,) = intervals_together(TABLE[:, :1])
    alone = mean_interval(TABLE[:, 0])
    assert found.mean == alone.mean
    assert found.half_width == pytest.approx(alone.half_width, rel=0.08)


def test_several_are_wider_than_one_and_no_wider_than_bonferronis() -> None:
    rest = TABLE[:, :1] - TABLE[:, 1:]
    for one, other in zip(intervals_together(rest), rest.T, strict=True):
        alone = paired_difference(TABLE[:, 0], TABLE[:, 0] - other)
        bonferroni = paired_difference(TABLE[:, 0], TABLE[:, 0] - other, comparisons=3)
        assert alone.half_width < one.half_width < 1.08 * bonferroni.half_width


def test_columns_that_say_the_same_cost_nothing() -> None:
    """The covariance is taken as it is: twenty copies of one column are one comparison."""
    once, *_ = intervals_together(TABLE[:, :1])
    copies = intervals_together(np.repeat(TABLE[:, :1], 20, axis=1))
    assert copies[0].half_width == pytest.approx(once.half_width, rel=0.05)


def test_who_is_shown_not_to_be_the_best_ends_at_nothing() -> None:
    first, second, third, last = distances_from_best(TABLE)
    assert first.low < 0 < first.high
    assert second.low < 0 < second.high
    assert third.high == last.high == 0.0
    assert last.low < last.mean < -5 < third.low


def test_a_best_that_is_shown_begins_at_nothing() -> None:
    found = distances_from_best(TABLE[:, [0, 2, 3]])
    assert found[0].low == 0.0 < found[0].mean < found[0].high
    assert [one.high for one in found[1:]] == [0.0, 0.0]


def test_twins_are_not_told_apart() -> None:
    twins = TABLE[:, [0, 0, 3]]
    first, second, other = distances_from_best(twins)
    assert (first.mean, first.high) == (second.mean, second.high) == (0.0, 0.0)
    assert other.high == 0.0
    assert rank_ranges(twins) == ((1, 2), (1, 2), (3, 3))


def test_ranks_have_a_range_where_two_are_not_told_apart() -> None:
    assert rank_ranges(TABLE) == ((1, 2), (1, 2), (3, 3), (4, 4))
    assert rank_ranges(TABLE[:, :1]) == ((1, 1),)


def test_what_has_no_spread_has_no_width_and_one_sample_no_ends() -> None:
    fixed = np.full((30, 2), 3.0)
    assert [(one.low, one.high) for one in intervals_together(fixed)] == [(3.0, 3.0), (3.0, 3.0)]
    (one,) = intervals_together(TABLE[:1, :1])
    assert (one.low, one.high) == (-math.inf, math.inf)
    assert rank_ranges(TABLE[:1]) == ((1, 4),) * 4


def test_the_same_samples_give_the_same_intervals() -> None:
    assert intervals_together(TABLE) == intervals_together(TABLE.copy())
    assert distances_from_best(TABLE) == distances_from_best(TABLE.copy())


@pytest.mark.parametrize("table", [np.zeros((0, 2)), np.zeros(5), np.array([[1.0, math.nan]])])
def test_what_is_no_table_of_numbers_is_refused(table: np.ndarray) -> None:
    for ask in (intervals_together, distances_from_best, rank_ranges):
        with pytest.raises(ValueError, match="finite numbers"):
            ask(table)
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals_together(TABLE, 1.0)
