"""Selection frequencies against sets of portfolios that are found by trying all."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from rdsim.errors import ProblemError
from rdsim.optimiser import PortfolioProblem, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.alternatives import alternatives, resampled
from rdsim.optimiser.frequency import Standing, frequencies, frequencies_of, standing_of
from rdsim.stats import proportion_interval
from tests.optimiser.small import build, draw
from tests.sizes import size

SEEDS = size(12, 80)


def near_optimal(problem: PortfolioProblem, floor: float) -> list[tuple[int, ...]]:
    """Every portfolio worth at least `floor`."""
    by_group = [np.flatnonzero(problem.group == group).tolist() for group in range(len(problem.group_names))]
    picks = itertools.product(*([None, *options] for options in by_group))
    judged = [evaluate(problem, [option for option in pick if option is not None]) for pick in picks]
    return [one.chosen for one in judged if one.feasible and one.objective >= floor - 1e-9]


def test_shares_over_the_whole_near_optimal_set() -> None:
    seen: Counter[Standing] = Counter()
    for seed in range(SEEDS):
        problem = build(draw(seed), ["budget", "starts", "prerequisites"] if seed % 2 else ["places", "field ceiling"])
        solution = solve(problem, gap=0)
        every = near_optimal(problem, 0.85 * solution.objective)
        found = frequencies(problem, solution, near=len(every) + 3, within=0.15, resamples=0, gap=0)
        assert found.complete
        assert found.portfolios == len(every)
        for one in found.groups:
            holders = sum(one.group in problem.group[list(chosen)] for chosen in every)
            assert one.near == pytest.approx(holders / len(every))
            assert one.resampled is None
            assert one.funded == (one.group in problem.group[list(solution.chosen)])
            seen[one.standing] += 1
    assert min(seen[standing] for standing in Standing) >= 5


def uncertain(samples: int = 40, seed: int = 0) -> PortfolioProblem:
    """One that is always best, two that compete, one that never pays."""
    rng = np.random.default_rng(seed)
    values = np.array([20.0, 5.0, 5.1, -3.0]) + rng.normal(0, [0.5, 4.0, 4.0, 0.5], (samples, 4))
    rows = state_rows([[1.0, 1.0, 1.0, 1.0]], [2.0], names=["starts"])
    return state_problem(values, rows=rows, group_names=["sure", "left", "right", "never"])


def test_resampled_shares_have_wilson_intervals() -> None:
    problem = uncertain()
    solution = solve(problem, gap=0)
    found = frequencies(problem, solution, near=0, resamples=60, gap=0, seed=3, confidence=0.9)
    drawn = resampled(problem, count=60, gap=0, seed=3).selection
    for one in found.groups:
        assert one.resampled is not None
        assert one.resampled == proportion_interval(round(drawn.groups[one.group] * 60), 60, 0.9)
        assert np.isnan(one.near)
    assert found.with_standing(Standing.CORE) == ("sure",)
    assert found.with_standing(Standing.EXTERIOR) == ("never",)
    assert found.with_standing(Standing.BORDERLINE) == ("left", "right")
    assert (found.resamples, found.portfolios, found.complete) == (60, 0, False)


def test_the_bootstrap_share_is_that_of_a_normal_difference() -> None:
    """P(left beats right) over resamples of n pairs is about Phi(mean difference / standard error)."""
    problem = uncertain(samples=200, seed=5)
    difference = problem.values[:, 1] - problem.values[:, 2]
    z = difference.mean() / (difference.std() / np.sqrt(len(difference)))
    expected = 0.5 * (1 + np.sign(z) * np.sqrt(1 - np.exp(-2 * z * z / np.pi)))  # Polya 1945, within 0.003
    found = frequencies(problem, solve(problem, gap=0), near=0, resamples=size(150, 800), gap=0, confidence=0.999)
    left = found.groups[1].resampled
    assert left is not None
    assert left.low - 0.02 <= expected <= left.high + 0.02
    assert 0.02 < expected < 0.98


def test_core_in_one_set_and_not_in_the_other_is_borderline() -> None:
    problem = uncertain()
    solution = solve(problem, gap=0)
    near = alternatives(problem, solution, count=3, within=0.0001, gap=0)
    drawn = resampled(problem, count=40, gap=0)
    found = frequencies_of(problem, solution.chosen, near, drawn)
    funded = next(one for one in found.groups if one.funded and one.name != "sure")
    assert funded.near_standing is Standing.CORE
    assert funded.resampled_standing is Standing.BORDERLINE
    assert funded.standing is Standing.BORDERLINE
    assert found.groups[0].standing is Standing.CORE
    assert found.groups[3].standing is Standing.EXTERIOR


def test_standings() -> None:
    assert [standing_of(share) for share in (1.0, 0.5, 0.0)] == [Standing.CORE, Standing.BORDERLINE, Standing.EXTERIOR]


def test_repeatable_and_by_seed() -> None:
    problem = uncertain()
    solution = solve(problem, gap=0)
    first, again, other = (frequencies(problem, solution, near=0, resamples=20, gap=0, seed=seed) for seed in (1, 1, 2))
    assert [one.resampled for one in first.groups] == [one.resampled for one in again.groups]
    assert [one.resampled for one in first.groups] != [one.resampled for one in other.groups]


def test_wrong_questions_are_refused_all_at_once() -> None:
    problem = state_problem([1.0, 2.0])
    solution = solve(problem, gap=0)
    with pytest.raises(ProblemError) as caught:
        frequencies(problem, solution, near=-1, resamples=-1, confidence=1.0)
    assert len(caught.value.faults) == 4
    with pytest.raises(ProblemError, match="samples"):
        frequencies(problem, solution, near=0, resamples=5)
