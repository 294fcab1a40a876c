"""The known traps of PuLP's two generations, HiGHS and CBC: none of them reaches an answer."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pulp
import pytest
from scipy.sparse import csr_array

from rdsim.errors import SolverError
from rdsim.optimiser import Solving, Status, Termination, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.adapters import SOLVERS, RunLimits, SolverState, cbc, find_solver
from rdsim.optimiser.adapters.cbc import Cbc
from rdsim.optimiser.adapters.pulp_models import GENERATION, pulp_matrix, pulp_problem
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.model import Model, restrict
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, build, draw

pytestmark = pytest.mark.parametrize("name", INSTALLED)


def model(
    value: list[float],
    matrix: list[list[float]],
    sense: str,
    rhs: list[float],
    *,
    upper: float = 1.0,
    lower: float = 0.0,
    integer: bool = True,
    offset: float = 0.0,
) -> Model:
    """A model from nested lists."""
    count = len(value)
    return Model(
        column_names=tuple(f"x_{index}" for index in range(count)),
        value=np.array(value, dtype=float),
        offset=offset,
        lower=np.full(count, lower),
        upper=np.full(count, upper),
        integer=np.full(count, integer),
        row_names=tuple(f"row_{index}" for index in range(len(rhs))),
        matrix=csr_array(np.array(matrix, dtype=float).reshape(len(rhs), count)),
        sense=(sense,) * len(rhs),
        rhs=np.array(rhs, dtype=float),
    )


def market_split(seed: int = 3, rows: int = 5, columns: int = 40) -> Model:
    """Cornuejols and Dawande's market split instances: equations that no solver settles in a few nodes."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 100, (rows, columns))
    half = matrix.sum(axis=1) // 2
    free = np.hstack([matrix, np.eye(rows), -np.eye(rows)])
    stated = model([0.0] * columns + [-1.0] * 2 * rows, free.tolist(), "==", half.tolist())
    kinds = np.arange(columns + 2 * rows) < columns
    return replace(stated, upper=np.where(kinds, 1.0, np.inf), integer=kinds)


def hard_knapsack(seed: int = 1, options: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    use = rng.integers(20, 100, (6, options))
    return use.mean(axis=0) + rng.integers(0, 10, options), use


@pytest.mark.parametrize("seed", range(6))
def test_the_pulp_problem_says_what_the_model_says(name: str, seed: int) -> None:
    stated = formulate(build(draw(seed), FAMILIES))
    problem, variables = pulp_problem(stated)
    matrix, low, high = pulp_matrix(problem, variables)
    sense = np.array(stated.sense)
    assert (matrix != stated.matrix).nnz == 0
    assert (low[sense != "<="] == stated.rhs[sense != "<="]).all()
    assert (high[sense != ">="] == stated.rhs[sense != ">="]).all()
    assert np.isneginf(low[sense == "<="]).all()
    assert np.isposinf(high[sense == ">="]).all()
    terms = {variable.name: value for variable, value in problem.objective.items()}
    assert terms == {n: -v for n, v in zip(stated.column_names, stated.value, strict=True) if v}
    assert problem.objective.constant == 0


def test_names_sort_as_their_indices(name: str) -> None:
    stated = formulate(state_problem(np.arange(1.0, 120.0), rows=state_rows(np.ones((12, 119)), np.ones(12))))
    assert list(stated.column_names) == sorted(stated.column_names)
    assert [n for n in stated.row_names if n.startswith("row")] == [f"row_{index:02d}" for index in range(12)]


def test_a_node_limit_is_not_called_optimal(name: str) -> None:
    answer = find_solver(name).run(market_split(), RunLimits(nodes=1))
    assert (answer.state, answer.termination) == (SolverState.STOPPED, Termination.ROUNDS)
    value, use = hard_knapsack()
    stopped = find_solver(name).run(
        model(value.tolist(), use.tolist(), "<=", (use.sum(axis=1) // 2).tolist()), RunLimits(nodes=1)
    )
    assert stopped.state is SolverState.STOPPED
    assert stopped.values is not None
    assert value @ np.round(stopped.values) < stopped.bound - 1e-3


def test_a_gap_is_not_called_optimal(name: str) -> None:
    value, use = hard_knapsack()
    problem = state_problem(value, rows=state_rows(use, use.sum(axis=1) // 2))
    solution = solve(problem, Solving(gap=0.05, solver=name))
    assert (solution.status, solution.termination) == (Status.FEASIBLE, Termination.TARGET)
    assert 1e-6 < solution.gap <= 0.05
    assert solution.gap == pytest.approx((solution.bound - solution.objective) / solution.objective)


def test_a_time_limit_is_not_called_optimal(name: str) -> None:
    value, use = hard_knapsack(options=150)
    problem = state_problem(value, rows=state_rows(use, use.sum(axis=1) // 2))
    solution = solve(problem, Solving(gap=0, time_limit=1.0, solver=name))
    assert (solution.status, solution.termination) == (Status.FEASIBLE, Termination.TIME_LIMIT)
    assert evaluate(problem, solution.chosen).objective == solution.objective < solution.bound
    assert solution.seconds.total < 6


def test_no_time_at_all_is_no_answer(name: str) -> None:
    rng = np.random.default_rng(5)
    use = rng.integers(0, 100, (4, 40))
    problem = state_problem(np.ones(40), rows=state_rows(use, use.sum(axis=1) // 2, sense="=="))
    solution = solve(problem, Solving(gap=0, time_limit=0.0, solver=name))
    assert (solution.status, solution.termination) == (Status.NO_ANSWER, Termination.TIME_LIMIT)
    assert solution.chosen == ()
    assert math.isnan(solution.objective)
    assert math.isinf(solution.gap)


def test_nothing_is_read_after_infeasible(name: str) -> None:
    answer = find_solver(name).run(model([1, 1], [[1, 1], [1, 1]], ">=", [1, 3]), RunLimits())
    assert (answer.state, answer.values) == (SolverState.INFEASIBLE, None)
    parity = find_solver(name).run(model([1, 1, 1], [[2, 2, 2]], "==", [3]), RunLimits())  # the relaxation is feasible
    assert (parity.state, parity.values) == (SolverState.INFEASIBLE, None)


@pytest.mark.parametrize("integer", [True, False])
def test_unbounded_is_told_from_infeasible(name: str, integer: bool) -> None:
    solver = find_solver(name)
    endless = model([1, 1], [[1, -1]], "<=", [3], upper=math.inf, integer=integer)
    assert solver.run(endless, RunLimits()).state is SolverState.UNBOUNDED
    nowhere = model([1, 1], [[1, -1], [-1, 1]], "<=", [3, -4], upper=math.inf, integer=integer)
    assert solver.run(nowhere, RunLimits()).state is SolverState.INFEASIBLE


def test_a_constant_stays_in_objective_bound_and_gap(name: str) -> None:
    stated = model([6, 10, 12], [[1, 2, 3]], "<=", [5])
    for offset in (1000.0, -1000.0):
        answer = find_solver(name).run(replace(stated, offset=offset), RunLimits())
        assert answer.bound == pytest.approx(22 + offset)
        assert answer.state is SolverState.OPTIMAL


def test_fixed_columns_become_a_constant(name: str) -> None:
    stated = model([6, 10, 12], [[1, 2, 3]], "<=", [5])
    small, kept = restrict(stated, np.array([0.0, 0, 1]), np.array([1.0, 1, 1]))
    answer = find_solver(name).run(small, RunLimits())
    assert (small.offset, kept.tolist(), small.rhs.tolist()) == (12.0, [0, 1], [2.0])
    assert answer.bound == pytest.approx(22)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_bound_is_above_whatever_the_sign(name: str, sign: float) -> None:
    """Maximising gains, and minimising costs stated as negative values, stopped early and at the end."""
    value, use = hard_knapsack(options=30)
    half = use.sum(axis=1) // 2
    rows = state_rows(use, half, sense="<=" if sign > 0 else ">=")
    problem = state_problem(sign * value, rows=rows)
    early = solve(problem, Solving(gap=0.2, solver=name), method="direct")
    late = solve(problem, Solving(gap=0.01, solver=name), method="direct")
    assert math.copysign(1, early.objective) == sign
    assert early.objective <= early.bound + 1e-9
    assert early.objective <= late.bound + 1e-6
    assert late.objective <= early.bound + 1e-6
    assert late.gap <= 0.01
    relaxed = find_solver(name).run(formulate(problem), RunLimits(), relaxed=True)
    assert late.objective <= relaxed.bound + 1e-6


def test_reduced_costs_have_one_sign(name: str) -> None:
    """Of a maximisation: <= 0 where a column stays at 0, >= 0 where it stays at 1; checked against theory."""
    stated = model([6, 10, 12, 1], [[1, 2, 3, 1]], "<=", [4], integer=False)
    answer = find_solver(name).run(stated, RunLimits(), relaxed=True)
    assert answer.bound == pytest.approx(20)
    assert answer.values == pytest.approx([1, 1, 1 / 3, 0])
    assert answer.reduced_costs == pytest.approx([2, 2, 0, -3])


def test_small_and_large_units_give_the_same_choice(name: str) -> None:
    """Won instead of billions of won: tolerances are relative to rows and objective."""
    value, use = hard_knapsack(options=14)
    cap = use.sum(axis=1) * 0.4
    chosen = {
        solve(
            state_problem(value * unit, rows=state_rows(use * unit, cap * unit)), solving=Solving(gap=0, solver=name)
        ).chosen
        for unit in (1.0, 1e9, 1e-6)
    }
    assert len(chosen) == 1


def test_a_row_that_misses_its_cap_by_little_is_not_let_through(name: str) -> None:
    problem = state_problem([5.0, 4.0], rows=state_rows([[1_000_000, 1_000_000]], [1_999_990]))
    assert solve(problem, Solving(gap=0, solver=name)).chosen == (0,)


@pytest.mark.parametrize("threads", [(1, 2, 1), (2, 1, 2)])
def test_the_number_of_threads_may_change_in_one_process(name: str, threads: tuple[int, ...]) -> None:
    value, use = hard_knapsack(options=16)
    problem = state_problem(value, rows=state_rows(use, use.sum(axis=1) // 2))
    found = [solve(problem, Solving(gap=0, threads=count, solver=name)) for count in threads]
    assert {solution.status for solution in found} == {Status.OPTIMAL}
    assert len({solution.chosen for solution in found}) == 1


def test_a_first_solution_is_used(name: str) -> None:
    value, use = hard_knapsack(options=40)
    stated = model(value.tolist(), use.tolist(), "<=", (use.sum(axis=1) // 2).tolist())
    best = find_solver(name).run(stated, RunLimits(gap=0.01))
    assert best.values is not None
    warm = find_solver(name).run(stated, RunLimits(nodes=0), start=best.values)
    assert warm.values is not None
    assert value @ np.round(warm.values) >= value @ np.round(best.values) - 1e-6


def test_nothing_to_choose_and_rows_without_coefficients(name: str) -> None:
    empty = state_problem([], rows=state_rows(np.zeros((1, 0)), [1.0]))
    assert solve(empty, Solving(gap=0, solver=name)).status is Status.OPTIMAL
    never = state_problem([], rows=state_rows(np.zeros((1, 0)), [1.0], sense=">="))
    assert solve(never, Solving(gap=0, solver=name)).status is Status.INFEASIBLE
    idle = state_problem([2.0], rows=state_rows([[0.0], [1.0]], [0.0, 1.0], sense=["==", "<="]))
    assert solve(idle, Solving(gap=0, solver=name)).chosen == (0,)


def test_an_objective_of_zero_has_no_gap(name: str) -> None:
    solution = solve(state_problem([0.0, 0.0], rows=state_rows([[1, 1]], [1])), solving=Solving(gap=0, solver=name))
    assert (solution.status, solution.objective, solution.gap, solution.chosen) == (Status.OPTIMAL, 0.0, 0.0, ())


# ---------------------------------------------------------------- CBC as a process


def fake_cbc(folder: Path, line: str) -> str:
    script = folder / "cbc"
    script.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize("line", ["kill -9 $$", "exit 3", "exit 0"])
def test_a_killed_solver_is_an_error_and_leaves_nothing(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    for variable in ("TMPDIR", "TMP"):
        monkeypatch.setenv(variable, str(left))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(left)
    with pytest.raises(SolverError) as caught:
        Cbc(path=fake_cbc(tmp_path, line)).run(model([1, 2], [[1, 1]], "<=", [1]), RunLimits())
    assert list(left.iterdir()) == []
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason  # noqa: S301 - our own bytes


def test_a_missing_solver_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cbc, "cbc_path", lambda: "")
    with pytest.raises(SolverError, match=r"pulp\[cbc\]"):
        solve(state_problem([1.0]), Solving(solver="cbc", gap=0))


def test_an_unknown_solver_names_the_known_ones(name: str) -> None:
    with pytest.raises(SolverError, match=", ".join(SOLVERS)):
        find_solver("oracle")


def test_an_answer_without_a_word_of_its_state_is_an_error(name: str, tmp_path: Path) -> None:
    """A log that says nothing is not taken for a proof; PuLP would read the empty solution file as a status."""
    line = 'for last; do :; done; echo "Welcome"; : > "$last"'
    with pytest.raises(SolverError):
        Cbc(path=fake_cbc(tmp_path, line)).run(model([1, 2], [[1, 1]], "<=", [1]), RunLimits())


def test_cbcs_word_that_nothing_is_feasible_is_asked_for_twice(name: str, tmp_path: Path) -> None:
    """Its preprocessing loses what is feasible: so said of a model that HiGHS solves to 344.929."""
    claim = 'for last; do :; done; echo "Infeasible - objective value 0" > "$last"; echo "Result - Problem infeasible"'
    line = f'case "$*" in *"preprocess off"*) exec {cbc.cbc_path()} "$@";; *) {claim};; esac'
    false, true = (model([3, 2], [[1, 1]], "<=", [1]), model([3, 2], [[1, 1]], "==", [3]))
    assert (answer := Cbc(path=fake_cbc(tmp_path, line)).run(false, RunLimits())).state is SolverState.OPTIMAL
    assert answer.values is not None
    assert answer.values.tolist() == [1.0, 0.0]
    assert Cbc().run(true, RunLimits()).state is SolverState.INFEASIBLE


def test_generation_is_the_installed_one(name: str) -> None:
    assert (GENERATION >= 4) == hasattr(pulp.LpAffineExpression, "from_list")


def test_solvers_print_nothing_of_their_own(name: str) -> None:
    """Asked in a new process: HiGHS prints its heading once in each, when the first solver is made."""
    code = (
        "from rdsim.optimiser import Solving, solve; from tests.optimiser.small import FAMILIES, build, draw; "
        f"print(solve(build(draw(0), FAMILIES), Solving({name!r})).status.name)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert len(ran.stdout.splitlines()) == 1, ran.stdout
    assert not ran.stderr


def test_a_bounded_model_that_is_called_unbounded_gets_its_optimum(name: str) -> None:
    """HiGHS 1.16 calls this one unbounded: eleven rows of a portfolio problem, in a solver's units."""
    told = json.loads((Path(__file__).parent / "called_unbounded.json").read_text("utf-8"))
    free = np.isin(np.arange(len(told["value"])), told["continuous"])
    stated = model(told["value"], told["matrix"], "<=", told["rhs"])
    stated = replace(stated, sense=tuple(told["sense"]), integer=~free, upper=np.where(free, math.inf, 1.0))
    answer = find_solver(name).ask(stated, RunLimits(gap=0.0), relaxed=False, start=None)
    assert answer.state is SolverState.OPTIMAL
    assert answer.bound == pytest.approx(_best_of_all(stated, free), rel=1e-9)


def _best_of_all(stated: Model, free: np.ndarray) -> float:
    """The optimum by trying all choices; each free column is the shortfall of a floor of its own, and costs."""
    whole, matrix = np.flatnonzero(~free), stated.matrix.toarray()
    tried = ((np.arange(2**whole.size)[:, np.newaxis] >> np.arange(whole.size)) & 1).astype(float)
    activity, worth = tried @ matrix[:, whole].T, tried @ stated.value[whole]
    capped = np.array(stated.sense) == "<="
    holds = (activity[:, capped] <= stated.rhs[capped] + 1e-9 * np.maximum(1.0, abs(stated.rhs[capped]))).all(axis=1)
    for row in np.flatnonzero(~capped):
        lacks = np.maximum(stated.rhs[row] - activity[:, row], 0.0)
        mine = np.flatnonzero(free & (matrix[row] != 0))
        holds &= (lacks <= 0.0) | (mine.size == 1)
        worth += lacks * stated.value[mine[0]] / matrix[row, mine[0]] if mine.size else 0.0
    return float(worth[holds].max())
