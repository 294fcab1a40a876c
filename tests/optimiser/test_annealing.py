"""Annealing: every rule is kept, what it says of a portfolio is what the judge says, small optima are found."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.instances import Shape, draw_problem
from benchmarks.risk import draw_samples
from rdsim.optimiser import PortfolioProblem, Solving, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.solving.annealing import Annealing, Schedule, Walking, abreast, anneal
from rdsim.optimiser.solving.appraisal import Appraiser, Risk, appraise
from rdsim.optimiser.solving.tail import tail_weights
from tests.optimiser.small import FAMILIES, draw
from tests.optimiser.test_risk import Listed, best_of, keeps, listed, risk_drawn, sampled
from tests.sizes import EFFORT


def never() -> bool:
    return False


def worst_of(problem: PortfolioProblem, risk: Risk, known: Listed) -> tuple[int, ...] | None:
    """The portfolio of the lowest mean that keeps every rule."""
    kept = [(float(worth.mean()), chosen) for chosen, worth in known if keeps(problem, risk, worth, chosen)]
    return min(kept)[1] if kept else None


def all_open(problem: PortfolioProblem) -> np.ndarray:
    return np.ones(len(problem.option_names), dtype=bool)


def test_small_optima_are_found_from_the_worst_portfolio() -> None:
    seen: Counter[str] = Counter()
    for seed in range(150):
        families = {*draw(seed)["families"]}
        problem = sampled(seed, families)
        known = listed(problem)
        risk = replace(risk_drawn(seed, problem, known), money=())
        start = worst_of(problem, risk, known)
        if start is None:
            continue
        walk = Annealing(problem, all_open(problem), start, Appraiser(problem, risk))
        walk.run(Schedule(4000, 10.0, 0.1), seed, 0, math.inf, never)
        judged = appraise(problem, risk, walk.best)
        assert judged.feasible
        assert walk.objective == pytest.approx(judged.objective, abs=1e-9)
        best = best_of(problem, risk, known)
        assert judged.objective <= best + 1e-6
        seen["walks"] += 1
        seen["moved"] += walk.best != start
        seen["optimal"] += judged.objective >= best - 1e-6
        seen.update(families)
        seen.update(name for name in ("floor", "target") if getattr(risk, name) is not None)
    assert seen["optimal"] >= 0.97 * seen["walks"], seen
    assert seen["moved"] >= 0.5 * seen["walks"], seen
    assert min(seen[name] for name in (*FAMILIES, "floor", "target")) >= 5, seen


def test_without_samples_the_expected_value_counts() -> None:
    for seed in range(40):
        problem = sampled(seed, {*draw(seed)["families"]})
        known = listed(problem)
        if not known:
            continue
        walk = Annealing(problem, all_open(problem), known[0][0])
        walk.run(Schedule(4000, 10.0, 0.1), seed, 0, math.inf, never)
        assert walk.objective == pytest.approx(max(float(worth.mean()) for _, worth in known), abs=1e-6)


@pytest.fixture(scope="module")
def large() -> PortfolioProblem:
    problem, of = draw_problem(4, Shape(technologies=60, partners=4, starts=2, fields=6))
    return draw_samples(problem, of, 2500, 1)


@pytest.fixture(scope="module")
def start(large: PortfolioProblem) -> tuple[int, ...]:
    return solve(large, Solving(gap=0.2, effort=EFFORT)).chosen


RISK = Risk(level=0.95, weight=0.5)


@pytest.mark.parametrize("worst", [2, 50])
def test_a_walk_improves_and_repeats(
    large: PortfolioProblem, start: tuple[int, ...], worst: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the worst samples of every stage, or over all 2,500."""
    monkeypatch.setattr("rdsim.optimiser.solving.annealing.WORST", worst)
    found = [
        anneal(Appraiser(large, RISK), start, all_open(large), walking=Walking(seed=3), moves=1_000_000)
        for _ in range(2)
    ]
    assert found[0] == found[1]
    judged = appraise(large, RISK, found[0])
    assert judged.feasible
    assert judged.objective > appraise(large, RISK, start).objective


def test_a_stage_over_too_few_samples_is_followed_by_one_over_more(
    large: PortfolioProblem, start: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    class Recorded(Annealing):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            sizes.append(args[-1].size)

    monkeypatch.setattr("rdsim.optimiser.solving.annealing.Annealing", Recorded)
    monkeypatch.setattr("rdsim.optimiser.solving.annealing.WORST", 1)
    anneal(Appraiser(large, RISK), start, all_open(large), moves=200_000)
    assert sizes[0] == 125
    assert sizes == sorted(sizes)
    assert sizes[-1] > 125


def test_some_samples_flatter_and_no_answer_breaks_a_rule() -> None:
    """CVaR over some samples is too high or right; what comes back keeps floor and target over all of them."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        problem = sampled(seed, {*draw(seed)["families"]})
        known = listed(problem)
        risk = replace(risk_drawn(seed, problem, known), money=())
        start = worst_of(problem, risk, known)
        if start is None:
            continue
        judge, count = Appraiser(problem, risk), len(np.atleast_2d(problem.values))
        some = np.arange(0, count, 2) if seed % 2 else np.arange(count)
        walk = Annealing(problem, all_open(problem), start, judge, some)
        walk.run(Schedule(2000, 10.0, 0.1), seed, 0, math.inf, never)
        judged = appraise(problem, risk, walk.best)
        assert walk.objective >= judged.objective - 1e-9
        found = appraise(
            problem, risk, anneal(judge, start, all_open(problem), walking=Walking(seed=seed), moves=20_000)
        )
        assert found.feasible
        assert found.objective >= appraise(problem, risk, start).objective
        seen["walks"] += 1
        seen["refused"] += not judged.feasible
        seen["optimal"] += found.objective >= best_of(problem, risk, known) - 1e-6
    assert seen["refused"] > 0, seen
    assert seen["optimal"] >= 0.8 * seen["walks"], seen


@pytest.mark.parametrize("level", [0.0, 0.95, 0.9513])
def test_means_over_the_tail_are_kept_up_to_date(large: PortfolioProblem, start: tuple[int, ...], level: float) -> None:
    """What a walk rejects by, after thousands of changes: the mean of each option over the worst samples."""
    risk = Risk(level=level, weight=0.5)
    walk = Annealing(large, all_open(large), start, Appraiser(large, risk))
    walk.run(Schedule(15_000, 20.0, 5.0), 0, 0, math.inf, never)
    state, options = walk._state, walk._options
    values = large.values[:, options]
    worst, weights = tail_weights(values[:, state["current"][state["current"] >= 0]].sum(axis=1), level)
    assert {*worst.tolist()} == {*state["tail"].tolist()}
    np.testing.assert_allclose(state["in_tail"], weights @ values[worst], rtol=1e-9, atol=1e-9)
    assert not state["change"].any()


def test_options_that_are_not_open_stay_out(large: PortfolioProblem, start: tuple[int, ...]) -> None:
    even = large.group % 2 == 0
    found = anneal(Appraiser(large, RISK), start, even)
    assert found != start
    assert even[list({*found} - {*start})].all()


def test_a_walk_ends_when_it_is_good_enough_or_late(large: PortfolioProblem, start: tuple[int, ...]) -> None:
    begin = appraise(large, RISK, start).objective
    walk = Annealing(large, all_open(large), start, Appraiser(large, RISK))
    walk.run(Schedule(50_000, 1.0, 0.1), 0, 0, begin + 0.1, never)
    early = walk.objective
    walk.run(Schedule(50_000, 1.0, 0.1), 0, 1, math.inf, never)
    assert begin + 0.1 <= early < walk.objective
    assert anneal(Appraiser(large, RISK), start, all_open(large), walking=Walking(late=lambda: True)) == start


def test_a_start_that_breaks_a_rule_stays_as_it_is() -> None:
    problem = state_problem([3.0, 4.0], rows=state_rows([[2.0, 1.0]], [1.0]))
    assert not evaluate(problem, (0,)).feasible
    walk = Annealing(problem, all_open(problem), (0,), None)
    walk.run(Schedule(1000, 1.0, 0.1), 0, 0, math.inf, never)
    assert walk.best == (0,)


def test_nothing_to_choose_from() -> None:
    nothing = state_problem([])
    assert anneal(Appraiser(nothing, RISK), (), all_open(nothing)) == ()


def test_a_walk_that_fails_ends_the_others() -> None:
    ended_early: list[int] = []

    def walk(number: int, ended: Callable[[], bool]) -> int:
        if number % 2 == 0:
            raise ValueError(number)
        while not ended():
            time.sleep(0.001)
        ended_early.append(number)
        return number

    with pytest.raises(ValueError, match="6"):
        abreast(walk, 3, never)
    assert ended_early == [7]


def test_walks_have_numbers_of_their_own() -> None:
    assert abreast(lambda number, _: number, 0, never) == [0, 1]
    assert abreast(lambda number, _: number, 3, never) == [6, 7]
