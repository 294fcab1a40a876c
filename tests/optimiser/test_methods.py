"""Published optima, large instances, repeatability, and a stop that says why."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.instances import Shape, draw_problem
from rdsim.arrays import Floats
from rdsim.bench.instances import read_orlib
from rdsim.errors import SolverError
from rdsim.optimiser import (
    Groups,
    Labels,
    PortfolioProblem,
    Rules,
    Solving,
    Status,
    Termination,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.adapters import Feature, RunLimits, Solver, SolverResult, SolverState
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.model import Model, restrict
from rdsim.optimiser.solving.settings import EFFORTS
from tests.optimiser.machine import INSTALLED
from tests.sizes import EFFORT

PETERSEN = Path(__file__).parents[2] / "benchmarks" / "data" / "mknap1.txt"
PUBLISHED = (3800.0, 8706.1, 4015.0, 6120.0, 12400.0, 10618.0, 16537.0)
MIDDLE = Shape(technologies=60, partners=6, starts=3, fields=3)


def petersen() -> list[tuple[PortfolioProblem, float]]:
    """The seven problems and the optima that the file states."""
    return [(one.problem, one.published or 0.0) for one in read_orlib(PETERSEN)]


@pytest.mark.parametrize("solver", INSTALLED)
@pytest.mark.parametrize("method", ["direct", "rens"])
def test_petersens_problems_are_solved_to_their_published_optima(solver: str, method: str) -> None:
    for (problem, best), published in zip(petersen(), PUBLISHED, strict=True):
        assert best == published
        solution = solve(problem, Solving(gap=0, solver=solver, effort=EFFORT), method=method)
        assert solution.objective <= best + 1e-9 <= solution.bound + 1e-6
        if method == "direct":
            assert solution.status is Status.OPTIMAL
            assert solution.objective == pytest.approx(best, rel=1e-12)


def test_both_solvers_agree_on_petersens_portfolios() -> None:
    for problem, _ in petersen():
        assert len({solve(problem, Solving(gap=0, solver=solver)).chosen for solver in INSTALLED}) == 1


def test_the_korean_shape_is_solved_to_a_proven_gap() -> None:
    problem, _ = draw_problem(1)
    began = time.perf_counter()
    solution = solve(problem, Solving(gap=0.01, effort=EFFORT))
    assert time.perf_counter() - began < 60  # about 3 s on two idle cores
    judged = evaluate(problem, solution.chosen)
    assert judged.feasible
    assert (solution.method, solution.termination) == ("rens", Termination.TARGET)
    assert solution.gap <= 0.01
    assert solution.objective == judged.objective <= solution.bound
    assert len(solution.opened) > 5


@pytest.mark.parametrize("solver", INSTALLED)
@pytest.mark.parametrize("seed", range(3))
def test_rens_and_direct_bound_one_another(solver: str, seed: int) -> None:
    problem, _ = draw_problem(seed, MIDDLE)
    near = solve(problem, Solving(gap=0.03, solver=solver, effort=EFFORT), method="rens")
    exact = solve(problem, Solving(gap=0.03), method="direct")
    assert near.objective <= exact.bound + 1e-6
    assert exact.objective <= near.bound + 1e-6
    assert evaluate(problem, near.chosen).feasible
    assert near.gap <= 0.03


def test_near_is_where_rens_begins() -> None:
    """The same bound and a portfolio no better, whatever gap it is left with."""
    problem, _ = draw_problem(3, MIDDLE)
    soon, later = (solve(problem, Solving(gap=1e-4, effort=EFFORT), method=method) for method in ("near", "rens"))
    assert evaluate(problem, soon.chosen).feasible
    assert soon.termination is Termination.ROUNDS
    assert soon.bound >= later.bound
    assert soon.objective <= later.objective
    assert 1e-4 < soon.gap < 0.2
    late = solve(draw_problem(0)[0], solving=Solving(gap=1e-5, time_limit=0.0), method="near")
    assert late.termination is Termination.TIME_LIMIT


@pytest.mark.parametrize("method", ["direct", "rens", "near"])
@pytest.mark.parametrize("solver", INSTALLED)
def test_two_runs_are_identical(method: str, solver: str) -> None:
    problem, _ = draw_problem(7, MIDDLE)
    first, second = (solve(problem, Solving(gap=0.04, solver=solver, effort=EFFORT), method=method) for _ in range(2))
    assert first == second  # every field but the seconds
    assert first.chosen == second.chosen


def test_neighbourhood_search_improves_and_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap that nothing proves: all rounds are used, none makes it worse, and two runs are alike."""
    monkeypatch.setattr("rdsim.optimiser.solving.rens.PROOF_NODES", 0)
    monkeypatch.setitem(EFFORTS, EFFORT, replace(EFFORTS[EFFORT], waves=()))
    problem, _ = draw_problem(3, MIDDLE)
    first, second = (solve(problem, Solving(gap=1e-4, effort=EFFORT), method="rens") for _ in range(2))
    monkeypatch.setattr("rdsim.optimiser.solving.rens.ROUNDS", 0)
    without = solve(problem, Solving(gap=1e-4, effort=EFFORT), method="rens")
    assert first == second
    assert first.termination in {Termination.ROUNDS, Termination.TARGET, Termination.COMPLETE}
    assert first.objective > without.objective


def test_walks_improve_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdsim.optimiser.solving.rens.PROOF_NODES", 0)
    monkeypatch.setattr("rdsim.optimiser.solving.rens.ROUNDS", 0)
    problem, _ = draw_problem(3, MIDDLE)
    first, second = (solve(problem, Solving(gap=1e-4, effort=EFFORT), method="rens") for _ in range(2))
    monkeypatch.setitem(EFFORTS, EFFORT, replace(EFFORTS[EFFORT], waves=()))
    without = solve(problem, Solving(gap=1e-4, effort=EFFORT), method="rens")
    assert first == second
    assert first.objective > without.objective
    assert first.bound == without.bound


def test_a_time_limit_is_kept_and_reported() -> None:
    problem, _ = draw_problem(0)
    began = time.perf_counter()
    solution = solve(problem, Solving(gap=1e-5, time_limit=3.0, effort=EFFORT))
    assert time.perf_counter() - began < 20
    assert solution.termination is Termination.TIME_LIMIT
    assert solution.status in {Status.FEASIBLE, Status.NO_ANSWER}
    if solution.status is Status.FEASIBLE:
        assert evaluate(problem, solution.chosen).feasible
        assert 1e-5 < solution.gap < math.inf


def test_no_time_on_a_large_problem_is_no_answer() -> None:
    problem, _ = draw_problem(0, MIDDLE)
    solution = solve(problem, Solving(gap=0.01, time_limit=0.0), method="rens")
    assert (solution.status, solution.termination) == (Status.NO_ANSWER, Termination.TIME_LIMIT)
    assert math.isinf(solution.bound)


def test_rens_finds_what_fixing_would_hide() -> None:
    """The relaxation likes options that no portfolio can hold together: the widened problem still finds one."""
    use = np.array([[3.0, 3.0, 3.0, 1.0, 1.0], [1, 1, 1, 1, 1]])
    problem = state_problem([9, 9, 9, 1, 1], rows=state_rows(use, [7, 4], sense=["==", "<="]))
    solution = solve(problem, Solving(gap=0.01), method="rens")
    assert solution.chosen
    assert evaluate(problem, solution.chosen).feasible
    assert solution.objective == 19


def test_infeasibility_is_proven_by_rens_too() -> None:
    rows = state_rows([[2.0, 2.0, 2.0]], [3.0], sense="==")  # the relaxation is feasible, no portfolio is
    assert solve(state_problem([1, 1, 1], rows=rows), method="rens").status is Status.INFEASIBLE
    floor = state_rows([[1.0, 1.0, 1.0]], [4.0], sense=">=")
    assert solve(state_problem([1, 1, 1], rows=floor), method="rens").status is Status.INFEASIBLE


def test_auto_takes_the_direct_way_for_small_or_exact() -> None:
    problem, _ = draw_problem(0, MIDDLE)
    assert solve(problem, Solving(gap=0.05)).method == "direct"


def test_equal_optima_are_broken_as_documented() -> None:
    """Five equal options, two fit: fewest first, then the smallest frac(sqrt(2)), frac(sqrt(3)), frac(sqrt(5)) ..."""
    problem = state_problem([4.0] * 5, rows=state_rows(np.ones((1, 5)), [2]))
    smallest = np.argsort([math.sqrt(number) % 1 for number in (2, 3, 5, 6, 7)])[:2]
    for solver in INSTALLED:
        for seed in (0, 1, 2):
            assert solve(problem, Solving(gap=0, solver=solver, seed=seed)).chosen == tuple(sorted(smallest.tolist()))
    worthless = state_problem(
        [4.0, 0.0, 2.0, 2.0], groups=Groups(of=[0, 1, 2, 3]), rules=Rules(exclusions=[(0, 2), (0, 3)])
    )
    assert solve(worthless, Solving(gap=0)).chosen == (0,)


def test_restricting_a_model_keeps_its_value_and_rows() -> None:
    problem, _ = draw_problem(2, Shape(technologies=12, partners=3, starts=2, fields=1))
    model = formulate(problem)
    best = solve(problem, Solving(gap=0))
    fixed = np.zeros(len(problem.option_names), dtype=bool)
    fixed[list(best.chosen)[:4]] = True
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[: fixed.size][fixed] = 1.0
    small, kept = restrict(model, lower, upper)
    assert len(kept) == model.value.size - 4
    assert len(small.row_names) < len(model.row_names)
    assert Highs().run(small, RunLimits()).bound == pytest.approx(best.objective, rel=1e-6)


class Liar(Solver):
    """A solver that claims a proven optimum which breaks the rows."""

    name = "liar"
    features = frozenset(Feature)

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:  # noqa: ARG002 - the contract of a solver
        return SolverResult(
            SolverState.OPTIMAL, Termination.COMPLETE, 99.0, np.ones(model.value.size), np.zeros(model.value.size)
        )


@pytest.mark.parametrize("method", ["direct", "rens"])
def test_a_portfolio_that_breaks_rows_is_nobodys_answer(method: str) -> None:
    problem = state_problem(
        [4.0, 5.0], rows=state_rows([[1, 1]], [1], labels=Labels(names=["budget 2024"], family="budget"))
    )
    with pytest.raises(SolverError, match="budget budget 2024"):
        solve(problem, Solving(solver=Liar(), gap=0), method=method)
