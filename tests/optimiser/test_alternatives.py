"""Alternatives and selection frequencies: brute force on small problems, and what holds on large ones."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from benchmarks.instances import Shape, draw_problem
from rdsim.errors import InfeasibleError, ProblemError
from rdsim.optimiser import (
    Groups,
    PortfolioProblem,
    Solving,
    Status,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.questions.alternatives import alternatives, distance, selection
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import build, draw, portfolios
from tests.sizes import EFFORT

SEEDS = range(24)


def swaps(problem: PortfolioProblem, one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Groups whose decision differs, counted one by one."""
    decisions = [{int(problem.group[o]): o for o in chosen} for chosen in (one, other)]
    return sum(decisions[0].get(g) != decisions[1].get(g) for g in range(len(problem.group_names)))


def packs(problem: PortfolioProblem, far: list[tuple[int, ...]], count: int, apart: int) -> bool:
    """Whether some `count` of the portfolios are that far from one another."""
    return any(
        all(swaps(problem, a, b) >= apart for a, b in itertools.combinations(some, 2))
        for some in itertools.combinations(far, count)
    )


@pytest.mark.parametrize("solver", INSTALLED)
def test_alternatives_are_those_of_brute_force(solver: str) -> None:
    """They are worth enough and far enough apart; where fewer came than wanted there are really no more."""
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        parts = draw(seed)
        problem = build(parts, parts["families"][::2])
        best = solve(problem, Solving(gap=0, solver=solver))
        if best.status is Status.INFEASIBLE:
            continue
        apart, within, wanted = 1 + seed % 3, (0.05, 0.2, 0.5)[seed // 3 % 3], 1 + seed % 5
        found = alternatives(
            problem, best, count=wanted, within=within, swaps=apart, solving=Solving(gap=0, solver=solver)
        )
        floor = best.objective - within * abs(best.objective) - 1e-6
        everyone = [best.chosen, *(one.chosen for one in found.portfolios)]
        assert len(found.portfolios) <= wanted
        for one in found.portfolios:
            judged = evaluate(problem, one.chosen)
            assert judged.feasible
            assert judged.objective >= floor
            assert one.loss == pytest.approx((best.objective - judged.objective) / abs(best.objective), abs=1e-9)
            assert one.swaps == swaps(problem, one.chosen, best.chosen)
            assert one.nearest == min(swaps(problem, one.chosen, other) for other in everyone if other != one.chosen)
        assert all(swaps(problem, a, b) >= apart for a, b in itertools.combinations(everyone, 2))
        enough = [one.chosen for one in portfolios(problem) if one.objective >= floor]
        far = [chosen for chosen in enough if swaps(problem, chosen, best.chosen) >= apart]
        if len(found.portfolios) < wanted:
            assert found.exhausted
            assert found.most
            assert not packs(problem, far, len(found.portfolios) + 1, apart)
            seen["fewer"] += 1
        else:
            seen["all"] += 1
        seen["some"] += bool(found.portfolios)
    assert min(seen["fewer"], seen["all"], seen["some"]) >= 3, seen


def test_without_diversity_the_best_come_first() -> None:
    problem = state_problem([9.0, 8.0, 7.0, 3.0], groups=Groups(of=[0, 0, 0, 0]))
    found = alternatives(
        problem, solve(problem, Solving(gap=0)), count=2, within=0.5, diverse=False, solving=Solving(gap=0)
    )
    assert [one.chosen for one in found.portfolios] == [(1,), (2,)]
    assert not found.exhausted


def test_with_diversity_the_farthest_come_first() -> None:
    """One swap costs nothing, three cost a little: three are taken."""
    problem = state_problem([5.0, 5.0, 4.0, 3.9, 4.0, 3.9], groups=Groups(of=[0, 0, 1, 1, 2, 2]))
    found = alternatives(problem, solve(problem, Solving(gap=0)), count=1, within=0.05, solving=Solving(gap=0))
    assert found.portfolios[0].swaps == 3


def test_large_problems_pay_for_distance() -> None:
    problem, _ = draw_problem(4, Shape(technologies=180, partners=4, starts=2, fields=6))
    best = solve(problem, Solving(gap=0.02, effort=EFFORT))
    settings: dict[str, Any] = {"count": 2, "within": 0.03, "swaps": 3, "solving": Solving(gap=0.02, effort=EFFORT)}
    found, near = (alternatives(problem, best, diverse=diverse, **settings) for diverse in (True, False))
    assert len(found.portfolios) == 2
    for one in found.portfolios:
        judged = evaluate(problem, one.chosen)
        assert judged.feasible
        assert judged.objective >= found.floor - 1e-6
        assert one.nearest >= 3
    assert sum(one.nearest for one in found.portfolios) > sum(one.nearest for one in near.portfolios)
    again = alternatives(problem, best, diverse=True, **settings)
    assert [one.chosen for one in again.portfolios] == [one.chosen for one in found.portfolios]


def test_distance_counts_decisions() -> None:
    problem = state_problem(np.ones(6), groups=Groups(of=[0, 0, 1, 1, 2, 2]))
    assert distance(problem, [0, 2], [0, 2]) == 0
    assert distance(problem, [0, 2], [1, 2]) == 1  # another option of the same group
    assert distance(problem, [0, 2], [0, 4]) == 2  # one leaves, one enters
    assert distance(problem, [], [0, 2, 4]) == 3


def test_selection_frequencies_classify() -> None:
    problem = state_problem(np.ones(4), groups=Groups(of=[0, 1, 1, 2], names=["A", "B", "C"]))
    found = selection(problem, [[0, 1], [0, 2], [0]])
    assert found.core == ("A",)
    assert found.borderline == ("B",)
    assert found.exterior == ("C",)
    assert found.groups.tolist() == pytest.approx([1, 2 / 3, 0])
    assert found.options.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 0])
    with pytest.raises(ProblemError):
        selection(problem, [])


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"count": 0}, "count: must be at least 1"),
        ({"swaps": 0}, "swaps: must be at least 1"),
        ({"within": -0.1}, "within: must be finite and at least 0"),
    ],
)
def test_wrong_arguments_are_refused(settings: dict[str, Any], rule: str) -> None:
    problem = state_problem([1.0])
    with pytest.raises(ProblemError, match=rule):
        alternatives(problem, solve(problem, Solving(gap=0)), **settings)


def test_all_wrong_arguments_are_named_at_once() -> None:
    problem = state_problem([1.0])
    with pytest.raises(ProblemError) as caught:
        alternatives(problem, [0], count=0, swaps=0, within=float("inf"), solving=Solving(gap=1.0, time_limit=-1.0))
    assert [fault.where for fault in caught.value.faults] == ["count", "swaps", "within", "gap", "time_limit"]


def test_no_time_proves_nothing() -> None:
    problem = state_problem([9.0, 8.0, 7.0], groups=Groups(of=[0, 0, 0]))
    found = alternatives(problem, [0], count=5, within=0.5, solving=Solving(gap=0, time_limit=0.0))
    assert len(found.portfolios) < 5
    assert not found.exhausted
    assert not found.most


def test_a_best_that_breaks_a_rule_or_is_none_is_refused() -> None:
    problem = state_problem([1.0, 1.0], rows=state_rows([[1, 1]], [1]))
    with pytest.raises(ProblemError, match="must break no rule"):
        alternatives(problem, [0, 1])
    impossible = state_problem([1.0], rows=state_rows([[1]], [2], sense=">="))
    with pytest.raises(InfeasibleError):
        alternatives(impossible, solve(impossible))
