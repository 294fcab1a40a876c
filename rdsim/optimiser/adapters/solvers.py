"""Solvers as values: a model and limits in, an answer with an honest state out.

One path for both generations of PuLP (3.3 and 4) and for every solver: Model -> PuLP problem -> solver.
HiGHS, the default, gets the matrix of the PuLP problem in one hand-over through `highspy`, and says its
bound itself; CBC is called through PuLP, and its bound is read from its log. Any other solver that PuLP
finds may be named (`Other`): it answers through PuLP's own words, which are taken for no more than they say.

What is not left to the layers below, because they are known to get it wrong:

* models are handed over as a *minimisation* without constant, so no bound changes its sign on the way;
* a row's coefficients are scaled by a power of two, so tolerances are relative to the row;
* expressions are made of (variable, coefficient) pairs without duplicates, from a canonical matrix;
* a limit is never `optimal`; values are read only after a state that says there are some;
* "infeasible" is asked again without objective where the model could be unbounded;
* HiGHS keeps one scheduler per process: its number of threads is reset before it changes;
* files live in a directory of their own, which goes away whatever happens to the solver.
"""

from __future__ import annotations

import gc
import inspect
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, vstack

from rdsim.errors import Fault, SolverError
from rdsim.optimiser.models.milp import Model
from rdsim.optimiser.problem.problem import FloatArray, IntArray
from rdsim.optimiser.problem.solution import Termination

__all__ = [
    "SOLVERS",
    "Answer",
    "Cbc",
    "Highs",
    "Limits",
    "Other",
    "Relaxation",
    "Solver",
    "State",
    "cbc_path",
    "installed",
    "pulp_matrix",
    "pulp_problem",
    "relaxation_of",
    "solver_fault",
    "solver_named",
    "typical",
    "untold",
    "with_rows_below",
]

GENERATION = int(version("pulp").split(".", maxsplit=1)[0])
_FORBIDDING, _NOISE = 1e4, 1e12
_WHOLE = 2.0**40
"""Whole numbers up to here are told apart by a solver in double precision."""

SENSES = {"<=": pulp.LpConstraintLE, ">=": pulp.LpConstraintGE, "==": pulp.LpConstraintEQ}


class State(StrEnum):
    """What a solver knows in the end."""

    OPTIMAL = "optimal"  # nothing is better than `bound`; the values come within the gap asked for
    STOPPED = "stopped"  # a limit bit; there may be values and a bound
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True)
class Limits:
    """When to stop. `gap` is relative; `target` is an objective that is good enough."""

    gap: float = 0.0
    target: float = math.inf
    nodes: int | None = None
    seconds: float | None = None
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Answer:
    """Values (n,) or none, an upper bound on the objective, and for a linear model its reduced costs."""

    state: State
    termination: Termination
    bound: float = math.inf
    values: FloatArray | None = None
    reduced_costs: FloatArray | None = None  # of the maximisation: <= 0 at a lower bound
    prices: FloatArray | None = None  # of the rows of a relaxation that grows, >= 0 for a cap; HiGHS alone tells them
    loading: float = 0.0  # seconds of building through PuLP and handing over


class Solver(Protocol):
    """What a solver must offer."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    def run(self, model: Model, limits: Limits, *, relaxed: bool = False, start: FloatArray | None = None) -> Answer:
        """Solve; `relaxed` drops integrality, `start` (n,) is a first solution, used where possible.

        Raises: SolverError if the solver is missing, crashes or is killed.
        """
        ...


# ---------------------------------------------------------------- PuLP, both generations


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """No garbage collection inside: it would walk hundreds of thousands of new pairs, again and again, for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_garbage_waits()
def pulp_problem(model: Model, *, relaxed: bool = False) -> tuple[Any, list[Any]]:
    """The model as a PuLP minimisation without constant, and its variables in column order."""
    problem = pulp.LpProblem("portfolio", pulp.LpMinimize)
    category = np.where(model.integer & (not relaxed), pulp.LpInteger, pulp.LpContinuous).tolist()
    variables = [
        problem.add_variable(name, _finite(low), _finite(high), kind)
        for name, low, high, kind in zip(
            model.column_names, model.lower.tolist(), model.upper.tolist(), category, strict=True
        )
    ]
    pairs = list(zip(variables, (-model.value).tolist(), strict=True))
    problem.setObjective(_expression([pair for pair in pairs if pair[1]], 0.0, None))
    for row, line in enumerate(_pairs(model, variables)):
        expression = _expression(line, -float(model.rhs[row]), model.sense[row])
        problem.addConstraint(expression, model.row_names[row])
    return problem, variables


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def _pairs(model: Model, variables: list[Any]) -> list[list[tuple[Any, float]]]:
    """(variable, coefficient) pairs of every row; a canonical CSR has no duplicates."""
    ends = model.matrix.indptr.tolist()
    terms = [
        (variables[column], coefficient)
        for column, coefficient in zip(model.matrix.indices.tolist(), model.matrix.data.tolist(), strict=True)
    ]
    return [terms[first:last] for first, last in pairwise(ends)]


def _expression(pairs: list[tuple[Any, float]], constant: float, sense: str | None) -> Any:
    """An affine expression, or a constraint `expression (sense) 0`, in the installed generation's words."""
    if GENERATION < 4:
        expression = pulp.LpAffineExpression(pairs, constant=constant)
        return expression if sense is None else pulp.LpConstraint(expression, SENSES[sense])
    expression = pulp.LpAffineExpression.from_list(pairs, constant=constant)
    if sense is not None:
        expression.sense = SENSES[sense]
    return expression


def _places(lines: list[Any], variables: list[Any]) -> list[int]:
    """Column of every variable in the rows; PuLP 4 numbers variables as they were added, PuLP 3 does not."""
    if GENERATION >= 4:
        return [variable.id for line in lines for variable, _ in line]
    place = {variable.name: column for column, variable in enumerate(variables)}
    return [place[variable.name] for line in lines for variable, _ in line]


@_garbage_waits()
def pulp_matrix(problem: Any, variables: list[Any]) -> tuple[csr_array, FloatArray, FloatArray]:
    """The rows of a PuLP problem: matrix (m, n), lowest and highest activity (m,)."""
    rows = problem.constraints()
    lines = [row.items() for row in rows]
    indptr = np.cumsum([0, *(len(line) for line in lines)])
    indices = np.array(_places(lines, variables), dtype=np.int64)
    data = np.array([coefficient for line in lines for _, coefficient in line], dtype=np.float64)
    rhs = np.array([-row.constant for row in rows], dtype=np.float64)
    sense = np.array([row.sense for row in rows], dtype=np.int64)
    low = np.where(sense == pulp.LpConstraintLE, -np.inf, rhs)
    high = np.where(sense == pulp.LpConstraintGE, np.inf, rhs)
    return csr_array((data, indices, indptr), shape=(len(rows), len(variables))), low, high


# ---------------------------------------------------------------- common to every solver


@dataclass(frozen=True)
class _Scaled:
    """A model in the units a solver sees, and the factors of its objective and of its rows."""

    model: Model
    factor: float
    rows: FloatArray


def _power(largest: FloatArray, top: int) -> FloatArray:
    """Powers of two that bring `largest` into [2 ** (top - 1), 2 ** top); 1 for zeros."""
    _, exponent = np.frexp(largest)
    return np.asarray(np.where(largest > 0, np.exp2(top - exponent), 1.0))


def _scaled(model: Model) -> _Scaled:
    """Largest coefficient of a row in [1, 2), typical one of the objective in [512, 1024). Powers of two round nothing.

    Columns that are fixed do not count: what cannot be chosen must not loosen what can. Rows that decimals state in
    whole columns become rows of the smallest whole numbers: one off is then far more than a solver's tolerance.
    """
    free = model.upper > model.lower
    bound = _clipped(model, free)
    largest = _largest(model.matrix, free)
    units = _units(model, free)
    whole = units > 0
    rows = np.where(whole, np.where(whole, units, 1.0), _power(largest, 1))
    factor = float(_power(np.array(typical(model.value[free])), 10))
    matrix = csr_array(diags_array(rows) @ bound) if rows.size else bound
    rhs = model.rhs * rows
    inside = np.repeat(whole, np.diff(matrix.indptr))
    matrix.data = np.where(inside, np.rint(matrix.data), matrix.data)
    rhs = np.where(whole, _whole_caps(rhs), rhs)
    return _Scaled(replace(model, value=model.value * factor, matrix=matrix, rhs=rhs), factor, rows)


def _largest(matrix: csr_array, free: NDArray[np.bool_]) -> FloatArray:
    """The largest coefficient of each row in columns that are free, shape (m,)."""
    largest = np.zeros(matrix.shape[0])
    sizes = np.where(free[matrix.indices], np.abs(matrix.data), 0.0)
    np.maximum.at(largest, np.repeat(np.arange(largest.size), np.diff(matrix.indptr)), sizes)
    return largest


_BESIDE = 2.0**20
"""A coefficient of a column fixed at 0 is at most so many times the largest that counts: solvers refuse more."""


def _clipped(model: Model, free: NDArray[np.bool_]) -> csr_array:
    """The matrix with no outsize coefficient in a column that is fixed at 0, where it says nothing."""
    at, data = model.matrix.indices, model.matrix.data
    most = np.repeat(np.maximum(_largest(model.matrix, free), np.abs(model.rhs)), np.diff(model.matrix.indptr))
    nothing = (~free & (model.upper == 0))[at] & (np.abs(data) > _BESIDE * np.where(most > 0, most, 1.0))
    if not nothing.any():
        return model.matrix
    clipped = np.where(nothing, np.sign(data) * _BESIDE * np.where(most > 0, most, 1.0), data)
    return csr_array((clipped, at, model.matrix.indptr), shape=model.matrix.shape)


_DECIMALS, _RINT = 12, 1e-12
_SMALL = 2.0**20
"""Whole numbers up to here need no common divisor: one off is far more than a tolerance."""


def _units(model: Model, free: NDArray[np.bool_]) -> FloatArray:
    """By what each row must be multiplied to become one of small whole numbers, shape (m,); 0 if by nothing.

    All columns must be whole, and all numbers those of at most so many decimals; what is fixed at 0 does not count.
    """
    ends, at, data = model.matrix.indptr, model.matrix.indices, model.matrix.data
    nothing = (~free & (model.upper == 0))[at]
    mixed = _row_any(~model.integer[at] & ~nothing, ends)
    plain = ~mixed & ~_row_any(((data != np.rint(data)) | (np.abs(data) > _SMALL)) & ~nothing, ends)
    units = np.where(plain & (model.rhs == np.rint(model.rhs)), 1.0, 0.0)
    for row in np.flatnonzero(~mixed & (units == 0) & _looks_stated(model)):
        part = slice(ends[row], ends[row + 1])
        units[row] = _unit_of(np.append(data[part][~nothing[part]], model.rhs[row]))
    return units


def _row_any(marked: NDArray[np.bool_], ends: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows in which an entry is marked, shape (m,)."""
    count = np.concatenate([[0], np.cumsum(marked)])
    return np.asarray(count[ends[1:]] > count[ends[:-1]])


def _looks_stated(model: Model) -> NDArray[np.bool_]:
    """Rows whose first and last coefficient have few digits: a quick look, which spares a long one at sampled rows."""
    ends = model.matrix.indptr
    filled = np.diff(ends) > 0
    looks = filled.copy()
    for place in (ends[:-1], ends[1:] - 1):
        looks[filled] &= _digits_at_most(model.matrix.data[place[filled]], _DECIMALS)
    return np.asarray(looks)


def _digits_at_most(numbers: FloatArray, decimals: int) -> NDArray[np.bool_]:
    """Numbers that are the nearest to one of so many decimals."""
    scale = 10.0**decimals
    near = np.rint(numbers * scale)
    return np.asarray((near / scale == numbers) | (numbers == np.rint(numbers)))


def _unit_of(numbers: FloatArray) -> float:
    """1 over the largest unit of which all numbers but the last, a cap, are whole multiples below `_WHOLE`; or 0."""
    for decimals in range(_DECIMALS + 1):
        if _digits_at_most(numbers[:-1], decimals).all():
            scale = 10.0**decimals
            whole = np.rint(numbers[:-1] * scale)
            divisor = _common_divisor(whole)
            large = max(float(np.abs(whole).max(initial=0.0)), abs(float(numbers[-1])) * scale) / divisor
            return scale / divisor if large < _WHOLE else 0.0
    return 0.0


def _common_divisor(whole: FloatArray) -> int:
    return max(math.gcd(*(int(number) for number in np.unique(np.abs(whole)).tolist())), 1)


def _whole_caps(rhs: FloatArray) -> FloatArray:
    """Caps of rows of whole numbers, without what a product with a unit leaves behind."""
    near = np.rint(rhs)
    return np.asarray(np.where(np.abs(rhs - near) <= _RINT * np.maximum(1.0, np.abs(rhs)), near, rhs))


def typical(values: FloatArray) -> float:
    """The size of numbers that an objective's precision is relative to: the largest that is not there to forbid.

    Published instances forbid a choice by a price of, say, a billion: far below zero, and at least `_FORBIDDING` times
    as large as any number that is left. Where numbers are `_NOISE` times apart, the smaller ones are rounding.
    """
    sizes = np.sort(np.abs(values[values != 0]))
    if not sizes.size:
        return 0.0
    ratio, below = sizes[1:] / sizes[:-1], sizes[:-1] >= values.max()
    jumps = np.flatnonzero((ratio >= _FORBIDDING) & (ratio < _NOISE) & below)
    return float(sizes[jumps[-1]] if jumps.size else sizes[-1])


def _without_columns(model: Model) -> Answer | None:
    """The answer of a model whose rows have no coefficient left to choose, if it is one."""
    sense, zero = np.array(model.sense, dtype="U2"), 1e-9 * np.maximum(1.0, np.abs(model.rhs))
    empty = np.diff(model.matrix.indptr) == 0
    broken = np.where(
        sense == "<=", model.rhs < -zero, np.where(sense == ">=", model.rhs > zero, abs(model.rhs) > zero)
    )
    if (broken & empty).any() or (model.lower > model.upper).any():
        return Answer(State.INFEASIBLE, Termination.COMPLETE, -math.inf)
    if not model.column_names:
        return Answer(State.OPTIMAL, Termination.COMPLETE, model.offset, np.zeros(0), np.zeros(0))
    return None


def _with_coefficients(model: Model) -> Model:
    """The model without its empty rows, which some solvers and some writers trip over."""
    filled = np.flatnonzero(np.diff(model.matrix.indptr))
    if filled.size == len(model.row_names):
        return model
    return replace(
        model,
        row_names=tuple(model.row_names[row] for row in filled),
        matrix=csr_array(model.matrix[filled]),
        sense=tuple(model.sense[row] for row in filled),
        rhs=model.rhs[filled],
    )


def _may_be_unbounded(model: Model) -> bool:
    endless_up = (model.value > 0) & np.isposinf(model.upper)
    endless_down = (model.value < 0) & np.isneginf(model.lower)
    return bool((endless_up | endless_down).any())


def _asked_twice(ask: Callable[[Model], Answer], model: Model) -> Answer:
    """`ask(model)`; where it says infeasible or unbounded and both are possible, a run without objective decides."""
    answer = ask(model)
    if answer.state not in {State.INFEASIBLE, State.UNBOUNDED}:
        return answer
    if not _may_be_unbounded(model):
        return Answer(State.INFEASIBLE, Termination.COMPLETE, -math.inf)
    second = ask(replace(model, value=np.zeros_like(model.value)))
    if second.values is not None:
        return Answer(State.UNBOUNDED, Termination.COMPLETE)
    return second


def _run(ask: Callable[[_Scaled], Answer], model: Model) -> Answer:
    """What every solver's `run` does around its own call."""
    trivial = _without_columns(model)
    if trivial is not None:
        return trivial
    return _asked_twice(lambda stated: ask(_scaled(stated)), _with_coefficients(model))


# ---------------------------------------------------------------- HiGHS

_STOPS = {
    "kObjectiveTarget": Termination.TARGET,
    "kObjectiveBound": Termination.TARGET,
    "kTimeLimit": Termination.TIME_LIMIT,
    "kIterationLimit": Termination.ROUNDS,
    "kSolutionLimit": Termination.ROUNDS,
    "kHighsInterrupt": Termination.STOPPED,
    "kInterrupt": Termination.STOPPED,
    "kUnknown": Termination.STOPPED,
}
_PROOFS = {
    "kInfeasible": State.INFEASIBLE,
    "kUnbounded": State.UNBOUNDED,
    "kUnboundedOrInfeasible": State.INFEASIBLE,  # `_asked_twice` tells them apart
}
_FEASIBLE = 2  # kSolutionStatusFeasible


class _Quiet(highspy.Highs):
    """HiGHS that says nothing and calls nothing back: from highspy 1.16 on its constructor enables callbacks.

    That prints a heading, and ties every solver into a circle, which then waits for the garbage collector.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name
        return


@dataclass(frozen=True)
class Highs:
    """HiGHS in this process, through highspy."""

    name: str = "highs"

    @property
    def version(self) -> str:
        """Version of highspy."""
        return version("highspy")

    def run(self, model: Model, limits: Limits, *, relaxed: bool = False, start: FloatArray | None = None) -> Answer:
        """See `Solver.run`."""
        return _run(lambda scaled: self._ask(scaled, limits, relaxed, start), model)

    def _ask(self, scaled: _Scaled, limits: Limits, relaxed: bool, start: FloatArray | None) -> Answer:
        began = time.perf_counter()
        solver = self.load(scaled.model, relaxed=relaxed)
        loading = time.perf_counter() - began
        _set_options(solver, _highs_options(scaled, limits))
        if start is not None:
            first = highspy.HighsSolution()
            first.col_value = start.tolist()
            solver.setSolution(first)  # a start that is refused is none: nothing is lost
        if solver.run() == highspy.HighsStatus.kError:
            raise SolverError(self.name, f"failed: {solver.getModelStatus().name}")
        answer = self.read(solver, scaled, relaxed or not scaled.model.integer.any())
        return replace(answer, loading=loading)

    def load(self, model: Model, *, relaxed: bool = False) -> Any:
        """A highspy solver that holds the model as it is: PuLP problem -> one matrix -> passModel."""
        # HiGHS has one scheduler per process; a different number of threads is refused, silently, until it is reset.
        highspy.Highs.resetGlobalScheduler(True)
        solver: Any = _Quiet()  # type: ignore[no-untyped-call]
        _set_options(solver, {"output_flag": False})
        _accepted(solver.passModel(_highs_lp(model, relaxed)), "the model")
        return solver

    def read(self, solver: Any, scaled: _Scaled, linear: bool) -> Answer:
        """The answer of a solver that has run."""
        status, info = solver.getModelStatus().name, solver.getInfo()
        if status in _PROOFS:
            return Answer(_PROOFS[status], Termination.COMPLETE, -math.inf if status == "kInfeasible" else math.inf)
        if status != "kOptimal" and status not in _STOPS:
            raise SolverError(self.name, f"gave no answer: {status}")
        solution = solver.getSolution()
        has_values = info.primal_solution_status == _FEASIBLE
        values = np.array(solution.col_value, dtype=np.float64) if has_values else None
        costs = (
            -np.array(solution.col_dual, dtype=np.float64) / scaled.factor if linear and status == "kOptimal" else None
        )
        return Answer(
            state=State.OPTIMAL if status == "kOptimal" else State.STOPPED,
            termination=_STOPS.get(status, Termination.COMPLETE),
            bound=_highs_bound(info, status, scaled, linear),
            values=values,
            reduced_costs=costs,
        )


def _highs_lp(model: Model, relaxed: bool) -> Any:
    problem, variables = pulp_problem(model, relaxed=relaxed)
    matrix, low, high = pulp_matrix(problem, variables)
    handed = highspy.HighsLp()
    handed.num_row_, handed.num_col_ = matrix.shape
    handed.col_cost_, handed.col_lower_, handed.col_upper_ = -model.value, model.lower, model.upper
    handed.row_lower_, handed.row_upper_ = low, high
    handed.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    handed.a_matrix_.start_ = matrix.indptr
    handed.a_matrix_.index_ = matrix.indices
    handed.a_matrix_.value_ = matrix.data
    if not relaxed and model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        handed.integrality_ = [kinds[whole] for whole in model.integer.tolist()]
    return handed


def _highs_options(scaled: _Scaled, limits: Limits) -> dict[str, Any]:
    options: dict[str, Any] = {
        "mip_rel_gap": limits.gap,
        "random_seed": limits.seed % 2**31,
        "threads": limits.threads,
        "parallel": "off" if limits.threads == 1 else "on",
    }
    if math.isfinite(limits.target):
        options["objective_target"] = -(limits.target - scaled.model.offset) * scaled.factor
    if limits.nodes is not None:
        options["mip_max_nodes"] = limits.nodes
    if limits.seconds is not None:
        options["time_limit"] = max(limits.seconds, 0.0)
    return options


def _accepted(status: Any, what: str) -> None:
    """HiGHS answers every call with a status, and goes on without what it refused."""
    if status == highspy.HighsStatus.kError:
        raise SolverError("highs", f"refused {what}: a number in it is too large, or none")


def _set_options(solver: Any, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise SolverError("highs", f"refused option {name} = {value}")


def _highs_bound(info: Any, status: str, scaled: _Scaled, linear: bool) -> float:
    """Upper bound of the maximisation, offset included; a stopped linear program has none."""
    if linear and status != "kOptimal":
        return math.inf
    lowest = info.objective_function_value if linear else info.mip_dual_bound
    return -lowest / scaled.factor + scaled.model.offset if math.isfinite(lowest) else math.inf


# ---------------------------------------------------------------- a relaxation that grows


class Relaxation(Protocol):
    """The linear relaxation of a model; between solves rows `coefficients @ column <= cap` are added, or one moves."""

    def add(self, coefficients: FloatArray, caps: FloatArray) -> None:
        """More rows, shapes (k, n) and (k,)."""
        ...

    def move(self, row: int, rhs: float) -> None:
        """Another right-hand side for one of the model's own rows."""
        ...

    def begin(self, other: Relaxation, columns: IntArray, rows: IntArray) -> None:
        """Begin the next solve where another relaxation ended, if the solver can.

        columns, rows: of each one here its place in the other, -1 if it has none.
        """
        ...

    def solve(self, limits: Limits) -> Answer:
        """Solve with all rows added so far.

        Raises: SolverError as `Solver.run`.
        """
        ...


def relaxation_of(solver: Solver, model: Model) -> Relaxation:
    """The growing relaxation: HiGHS goes on from its last basis, other solvers start anew each time."""
    if isinstance(solver, Highs) and model.column_names and len(model.row_names):
        return _WarmRelaxation(solver, model)
    return _FreshRelaxation(solver, model)


def with_rows_below(model: Model, coefficients: FloatArray, caps: FloatArray) -> Model:
    """The model with more rows `coefficients @ column <= cap`, shapes (k, n) and (k,)."""
    count = len(model.row_names)
    names = (f"cut_{count + place:06d}" for place in range(caps.size))
    return replace(
        model,
        row_names=(*model.row_names, *names),
        matrix=csr_array(vstack([model.matrix, csr_array(coefficients)])),
        sense=(*model.sense, *("<=" for _ in range(caps.size))),
        rhs=np.concatenate([model.rhs, caps]),
    )


_DEVEX = 1


def _statuses(known: Sequence[Any], places: IntArray, missing: Any) -> list[Any]:
    """What is known at each place, `missing` at -1."""
    return [missing if place < 0 else known[place] for place in places.tolist()]


@dataclass(eq=False)
class _FreshRelaxation:
    """Solved from the beginning each time."""

    solver: Solver
    model: Model

    def add(self, coefficients: FloatArray, caps: FloatArray) -> None:
        """See `Relaxation.add`."""
        self.model = with_rows_below(self.model, coefficients, caps)

    def move(self, row: int, rhs: float) -> None:
        """See `Relaxation.move`."""
        moved = self.model.rhs.copy()
        moved[row] = rhs
        self.model = replace(self.model, rhs=moved)

    def begin(self, other: Relaxation, columns: IntArray, rows: IntArray) -> None:
        """See `Relaxation.begin`: it cannot."""

    def solve(self, limits: Limits) -> Answer:
        """See `Relaxation.solve`."""
        return self.solver.run(self.model, limits, relaxed=True)


@dataclass(frozen=True, eq=False)
class _WarmRelaxation:
    """A model that stays in HiGHS, from its first use on; its dual simplex goes on where it stopped."""

    highs: Highs
    model: Model
    factors: list[float] = field(default_factory=list)  # by which added rows are scaled

    @cached_property
    def scaled(self) -> _Scaled:
        """The model in the units that HiGHS sees."""
        return _scaled(self.model)

    @cached_property
    def solver(self) -> Any:
        """HiGHS with the model."""
        return self.highs.load(self.scaled.model, relaxed=True)

    def add(self, coefficients: FloatArray, caps: FloatArray) -> None:
        """See `Relaxation.add`."""
        factors = _power(np.abs(coefficients).max(axis=1, initial=0.0), 1)
        rows = csr_array(coefficients * factors[:, np.newaxis])
        low = np.full(caps.size, -np.inf)
        ends = rows.indptr[:-1].astype(np.int32)
        status = self.solver.addRows(
            caps.size, low, caps * factors, rows.nnz, ends, rows.indices.astype(np.int32), rows.data
        )
        _accepted(status, "rows")
        self.factors.extend(factors.tolist())

    def move(self, row: int, rhs: float) -> None:
        """See `Relaxation.move`."""
        sense, scaled = self.scaled.model.sense[row], rhs * float(self.scaled.rows[row])
        low = -math.inf if sense == "<=" else scaled
        _accepted(self.solver.changeRowBounds(row, low, math.inf if sense == ">=" else scaled), "a row's bounds")

    def begin(self, other: Relaxation, columns: IntArray, rows: IntArray) -> None:
        """See `Relaxation.begin`: columns that are new stand at their lower bound, rows that are new are slack."""
        if isinstance(other, _WarmRelaxation):
            known, basis = other.solver.getBasis(), highspy.HighsBasis()
            basis.col_status = _statuses(known.col_status, columns, highspy.HighsBasisStatus.kLower)
            basis.row_status = _statuses(known.row_status, rows, highspy.HighsBasisStatus.kBasic)
            basis.valid = True
            self.solver.setBasis(basis)  # what is no basis is refused, and nothing is lost

    def solve(self, limits: Limits) -> Answer:
        """See `Relaxation.solve`."""
        _set_options(self.solver, _highs_options(self.scaled, replace(limits, seconds=self._until(limits.seconds))))
        if self.solver.run() == highspy.HighsStatus.kError:
            _accepted(self.solver.clearSolver(), "to begin anew")  # a basis led nowhere
            if self.solver.run() == highspy.HighsStatus.kError:
                raise SolverError(self.highs.name, f"failed: {self.solver.getModelStatus().name}")
        answer = self.highs.read(self.solver, self.scaled, linear=True)
        if answer.state is State.OPTIMAL:
            prices = -np.array(self.solver.getSolution().row_dual, dtype=np.float64) / self.scaled.factor
            answer = replace(answer, prices=prices * np.append(self.scaled.rows, self.factors))
        # After new rows exact steepest-edge weights would be computed anew, which takes longer than the few pivots.
        _set_options(self.solver, {"simplex_dual_edge_weight_strategy": _DEVEX})
        return answer

    def _until(self, seconds: float | None) -> float | None:
        """HiGHS counts the time limit over all runs of one model."""
        return None if seconds is None else seconds + float(self.solver.getRunTime())


# ---------------------------------------------------------------- CBC

_CBC_RESULTS = (
    (r"Result - Optimal solution found \(within gap", State.OPTIMAL, Termination.TARGET),
    (r"Result - Optimal solution found", State.OPTIMAL, Termination.COMPLETE),
    (r"Result - Stopped on time", State.STOPPED, Termination.TIME_LIMIT),
    (r"Result - Stopped on (node|iteration|solution)", State.STOPPED, Termination.ROUNDS),
    (r"infeasible or unbounded", State.INFEASIBLE, Termination.COMPLETE),  # `_asked_twice` tells them apart
    (r"Result - .*(infeasible|Infeasible)", State.INFEASIBLE, Termination.COMPLETE),
    (r"Result - .*(unbounded|Unbounded)", State.UNBOUNDED, Termination.COMPLETE),
    (r"Result - ", State.STOPPED, Termination.STOPPED),
    (r"(?m)(Linear relaxation|Problem is|Primal|proven) infeasible", State.INFEASIBLE, Termination.COMPLETE),
    (r"(?m)(Dual infeasible|[Uu]nbounded)", State.UNBOUNDED, Termination.COMPLETE),
    (r"(?m)^Stopped", State.STOPPED, Termination.TIME_LIMIT),
    (r"(?m)^Optimal( objective| - objective)", State.OPTIMAL, Termination.COMPLETE),
)
_CBC_SOURCES = "PuLP 3.3 brings it along, for PuLP 4 install `pulp[cbc]` or put cbc on the PATH"


@dataclass(frozen=True)
class Cbc:
    """CBC as a process of its own, through PuLP."""

    name: str = "cbc"
    path: str = ""  # empty: the one that PuLP brings along, else the one on the PATH

    @property
    def version(self) -> str:
        """The version that the program itself states."""
        path = self.path or cbc_path()
        if not path:
            return ""
        said = subprocess.run([path, "-quit"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - the solver
        found = re.search(r"Version:?\s+(\S+)", said.stdout)
        return found[1] if found else ""

    def run(self, model: Model, limits: Limits, *, relaxed: bool = False, start: FloatArray | None = None) -> Answer:
        """See `Solver.run`. A target cannot be told to CBC: it stops at the gap."""
        return _run(lambda scaled: self._checked(scaled, limits, relaxed, start), model)

    def _checked(self, scaled: _Scaled, limits: Limits, relaxed: bool, start: FloatArray | None) -> Answer:
        """Ask, and where CBC says infeasible ask again without its preprocessing: that strengthens rows of mixed sizes
        by more than its own tolerance, and then takes the solution that it found itself for none."""
        began = time.perf_counter()
        first = self._ask(scaled, limits, relaxed, start)
        if first.state is not State.INFEASIBLE or relaxed or not scaled.model.integer.any():
            return first
        spent = time.perf_counter() - began
        left = limits if limits.seconds is None else replace(limits, seconds=limits.seconds - spent)
        return self._ask(scaled, left, relaxed, start, ("preprocess off",))

    def _ask(
        self,
        scaled: _Scaled,
        limits: Limits,
        relaxed: bool,
        start: FloatArray | None,
        options: tuple[str, ...] = (),
    ) -> Answer:
        program = self.path or cbc_path()
        if not program or shutil.which(program) is None:
            raise SolverError(self.name, f"is not installed; {_CBC_SOURCES}")
        began = time.perf_counter()
        problem, variables = pulp_problem(scaled.model, relaxed=relaxed)
        loading = time.perf_counter() - began
        if start is not None:
            for variable, value in zip(variables, start.tolist(), strict=True):
                variable.setInitialValue(value, check=False)
        if limits.seconds is not None and limits.seconds <= 0:
            return Answer(State.STOPPED, Termination.TIME_LIMIT, loading=loading)
        with tempfile.TemporaryDirectory(prefix="rdsim-") as folder:
            log, late = Path(folder) / "cbc.log", Path(folder) / "late"
            watched = program if limits.seconds is None else _watched(program, limits.seconds, late)
            command = _cbc_command(watched, limits, log, relaxed, start is not None, options)
            command.tmpDir = folder
            try:
                problem.solve(command)
            except (pulp.PulpSolverError, OSError, LookupError, ValueError) as error:  # killed, or an unreadable answer
                if late.exists():
                    return Answer(State.STOPPED, Termination.TIME_LIMIT, loading=loading)
                raise SolverError(self.name, "failed, or was killed") from error
            if late.exists():
                return Answer(State.STOPPED, Termination.TIME_LIMIT, loading=loading)
            text = log.read_text(encoding="utf-8", errors="replace")
        values = np.array([variable.varValue or 0.0 for variable in variables])
        costs = np.array([getattr(variable, "dj", None) or 0.0 for variable in variables])
        answer = _cbc_answer(scaled, text, values, costs, relaxed or not scaled.model.integer.any())
        return replace(answer, loading=loading)


def cbc_path() -> str:
    """The CBC of PuLP 3, of the package behind `pulp[cbc]`, or of the PATH; empty if there is none."""
    bundled = getattr(getattr(pulp, "PULP_CBC_CMD", None), "pulp_cbc_path", "")
    path = bundled if bundled and os.access(bundled, os.X_OK) else str(pulp.COIN_CMD(msg=False).path)
    return path if shutil.which(path) else ""


_GRACE = 2.0
"""Seconds beyond its limit, and a tenth of it, that a solver may take to notice and to write what it has."""

_WATCHMAN = """#!{python} -IS
import os, signal, subprocess, sys
child = subprocess.Popen([{program!r}, *sys.argv[1:]], start_new_session=True)
def end(*_):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
def ended(*_):
    end()
    sys.exit(1)
signal.signal(signal.SIGTERM, ended)
signal.signal(signal.SIGINT, ended)
try:
    code = child.wait({seconds!r})
except subprocess.TimeoutExpired:
    open({late!r}, "w").close()
    code = 1
end()
sys.exit(code)
"""


def _watched(program: str, seconds: float, late: Path) -> str:
    """A program that runs the solver and ends it, with all it started, soon after its limit; `late` then exists.

    PuLP keeps the process to itself, and a solver that hangs looks at no clock. Not on Windows: there the limit is the
    solver's own.
    """
    if os.name == "nt":
        return program
    script = late.with_name("watched-cbc")
    told = {"python": sys.executable, "program": program, "seconds": 1.1 * seconds + _GRACE, "late": str(late)}
    script.write_text(_WATCHMAN.format(**told), encoding="utf-8")
    script.chmod(0o700)
    return str(script)


def _cbc_command(program: str, limits: Limits, log: Path, relaxed: bool, warm: bool, options: tuple[str, ...]) -> Any:
    seeds = (f"randomSeed {limits.seed % 10**8 + 1}", f"randomCbcSeed {limits.seed % 10**8 + 1}")
    return pulp.COIN_CMD(
        path=program,
        mip=not relaxed,
        msg=False,
        gapRel=limits.gap,
        timeLimit=limits.seconds,
        threads=limits.threads if limits.threads > 1 else None,
        maxNodes=limits.nodes,
        warmStart=warm,
        logPath=str(log),
        options=[*seeds, *options],
    )


def _cbc_answer(scaled: _Scaled, text: str, values: FloatArray, costs: FloatArray, linear: bool) -> Answer:
    """The log says what happened; PuLP's own status calls a time limit optimal and leaves junk in the variables."""
    found = ((state, why) for pattern, state, why in _CBC_RESULTS if re.search(pattern, text))
    state, why = next(found, (None, Termination.STOPPED))
    if state is None:
        raise SolverError("cbc", f"gave no answer: {text.strip()[-200:]}")
    if state in {State.INFEASIBLE, State.UNBOUNDED}:
        return Answer(state, why, -math.inf if state is State.INFEASIBLE else math.inf)
    has_values = state is State.OPTIMAL or (not linear and "No feasible solution found" not in text)
    if has_values:
        _refuse_half_read(scaled, text, values)
    return Answer(
        state=state,
        termination=why,
        bound=_cbc_bound(scaled, state, text, values),
        values=values if has_values else None,
        reduced_costs=-costs / scaled.factor if linear and state is State.OPTIMAL else None,
    )


def _refuse_half_read(scaled: _Scaled, text: str, values: FloatArray) -> None:
    """A solution file that was cut off or is not a number reads as zeros: its worth must be the one in the log."""
    printed = re.findall(r"^Objective value:\s+(\S+)", text, re.MULTILINE)
    worth = -float(scaled.model.value @ values)
    room = 1e-3 + 1e-5 * float(np.abs(scaled.model.value * values).sum())
    if not math.isfinite(worth) or (printed and abs(float(printed[-1]) - worth) > room):
        raise SolverError("cbc", "its solution file does not hold the solution of its log")


def _cbc_bound(scaled: _Scaled, state: State, text: str, values: FloatArray) -> float:
    """Upper bound: from the log, where it is rounded to three decimals; the optimum itself if that is proven."""
    printed = re.findall(r"^Lower bound:\s+(\S+)", text, re.MULTILINE)
    if printed:
        lowest = float(printed[-1])
        return -(lowest - max(1e-3, 1e-6 * abs(lowest))) / scaled.factor + scaled.model.offset
    if state is State.OPTIMAL:
        return float(scaled.model.value @ values) / scaled.factor + scaled.model.offset
    return math.inf


# ---------------------------------------------------------------- any other solver that PuLP finds

_TOLD = {"gap": "gapRel", "time_limit": "timeLimit", "threads": "threads", "seed": ""}
"""Settings of ours by PuLP's word for them; PuLP has no word for a seed."""
_LATE = 0.95
"""From this share of the time limit on, a solver's `optimal` or `infeasible` may be the limit's."""
_LOOSE = 1e-4
"""How far a value may be from whole, and a scaled row from its cap."""


class _Word(StrEnum):
    """What PuLP says of a run."""

    PROVEN = "proven"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Other:
    """A solver by the name that PuLP gives it, e.g. `SCIP_CMD`, with PuLP's own words for what it found.

    No bound comes through PuLP: a claim of the optimum is a claim that nothing is better by more than the gap asked
    for; short of that, HiGHS bounds the objective by the linear relaxation. Neither nodes nor a target can be told.
    """

    name: str

    @property
    def version(self) -> str:
        """PuLP's version: it does not ask solvers for theirs."""
        return f"by PuLP {version('pulp')}"

    def run(self, model: Model, limits: Limits, *, relaxed: bool = False, start: FloatArray | None = None) -> Answer:
        """See `Solver.run`. Linear models are left to HiGHS, for few of PuLP's solvers say reduced costs."""
        if relaxed or not model.integer.any():
            return Highs().run(model, limits, relaxed=relaxed, start=start)
        return _run(lambda scaled: self._ask(scaled, limits), model)

    def _ask(self, scaled: _Scaled, limits: Limits) -> Answer:
        if limits.seconds is not None and limits.seconds <= 0:  # PuLP takes 0 seconds for no limit
            return Answer(State.STOPPED, Termination.TIME_LIMIT)
        began = time.perf_counter()
        problem, variables = pulp_problem(scaled.model)
        loaded = time.perf_counter()
        word, has_values = self._call(problem, limits)
        late = _is_late(time.perf_counter() - loaded, limits)
        values = np.array([_number(variable.varValue) for variable in variables]) if has_values else None
        if values is not None and not _holds(scaled.model, values):
            if word is _Word.PROVEN and not late:
                raise SolverError(self.name, "its values break the model that it claims to have solved")
            values = None
        answer = _other_answer(scaled, limits, _Word.STOPPED if late else word, values)
        why = Termination.TIME_LIMIT if late and answer.state is State.STOPPED else answer.termination
        return replace(answer, termination=why, loading=loaded - began)

    def _call(self, problem: Any, limits: Limits) -> tuple[_Word, bool]:
        """PuLP's word and whether there are values, after a run with files in a folder that goes away."""
        with tempfile.TemporaryDirectory(prefix="rdsim-") as folder:
            try:
                command = pulp.getSolver(self.name, **_settings(self.name, limits))
                command.tmpDir = folder
                return _word(problem.solve(command), problem)
            except Exception as error:  # wrappers raise whatever a killed solver or an unreadable answer makes of them
                raise SolverError(self.name, f"failed, or was killed ({type(error).__name__}: {error})") from error


def _number(value: float | None) -> float:
    return 0.0 if value is None else float(value)


def _settings(name: str, limits: Limits) -> dict[str, Any]:
    """What the solver's wrapper understands of the limits, in PuLP's words; whole seconds, as some take no others."""
    seconds = None if limits.seconds is None else math.ceil(limits.seconds)
    # gap / (1 + gap) of the bound is no more than gap of the objective, whichever of the two the solver divides by.
    wanted = {"gapRel": limits.gap / (1 + limits.gap), "timeLimit": seconds, "threads": limits.threads}
    known = _words(name)
    return {"msg": False, **{word: value for word, value in wanted.items() if word in known and value is not None}}


def _words(name: str) -> frozenset[str]:
    """The arguments of the solver's wrapper."""
    return frozenset(inspect.signature(type(pulp.getSolver(name, msg=False)).__init__).parameters)


def _is_late(spent: float, limits: Limits) -> bool:
    """True if the time limit may have bitten; a solver that counts processor time reaches it earlier."""
    return limits.seconds is not None and spent >= _LATE * limits.seconds / limits.threads


def _word(answer: Any, problem: Any) -> tuple[_Word, bool]:
    """PuLP 4 returns what happened; PuLP 3 keeps it in two integers."""
    names = {-1: _Word.INFEASIBLE, -2: _Word.UNBOUNDED}
    if GENERATION >= 4:
        gap_met = int(answer.status) == -7  # LpSolveStatus.GapLimit
        word = _Word.PROVEN if gap_met or int(answer.status) == 1 else names.get(int(answer.status), _Word.STOPPED)
        return word, bool(answer.has_solution)
    optimal = problem.status == 1 and problem.sol_status == pulp.LpSolutionOptimal
    has_values = problem.sol_status in {pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible}
    return _Word.PROVEN if optimal else names.get(problem.status, _Word.STOPPED), has_values


def _holds(model: Model, values: FloatArray) -> bool:
    """True if the values are whole where they must be, within bounds, and satisfy every row."""
    whole = np.abs(values - np.round(values))[model.integer] <= _LOOSE
    bounded = (values >= model.lower - _LOOSE) & (values <= model.upper + _LOOSE)
    activity, sense = model.matrix @ values, np.array(model.sense, dtype="U2")
    room = _LOOSE * np.maximum(1.0, np.abs(model.rhs))
    below = (activity <= model.rhs + room) | (sense == ">=")
    above = (activity >= model.rhs - room) | (sense == "<=")
    return bool(np.isfinite(values).all() and whole.all() and bounded.all() and below.all() and above.all())


def _other_answer(scaled: _Scaled, limits: Limits, word: _Word, values: FloatArray | None) -> Answer:
    """An answer no surer than PuLP's word for it."""
    if word is _Word.INFEASIBLE:
        return Answer(State.INFEASIBLE, Termination.COMPLETE, -math.inf)
    if word is _Word.UNBOUNDED:
        return Answer(State.UNBOUNDED, Termination.COMPLETE)
    if word is _Word.PROVEN and values is not None:
        worth = float(scaled.model.value @ values) / scaled.factor
        bound = worth + limits.gap * abs(worth) + scaled.model.offset
        why = Termination.TARGET if limits.gap else Termination.COMPLETE
        return Answer(State.OPTIMAL, why, bound, values)
    relaxed = Highs().run(scaled.model, replace(limits, seconds=None), relaxed=True)
    if relaxed.state is State.INFEASIBLE:
        return relaxed
    known = relaxed.state is State.OPTIMAL
    bound = (relaxed.bound - scaled.model.offset) / scaled.factor + scaled.model.offset if known else math.inf
    return Answer(State.STOPPED, Termination.STOPPED, bound, values)


# ---------------------------------------------------------------- by name

SOLVERS: dict[str, Callable[[], Solver]] = {"highs": Highs, "cbc": Cbc}
_OURS = {"highs": "highs", "cbc": "cbc", "pulp_cbc_cmd": "cbc"}
"""Names, in small letters, of the solvers that have an adapter of their own."""


def installed() -> tuple[str, ...]:
    """Names of the solvers that this machine has: our own two first, then what PuLP finds."""
    ours = ("highs", "cbc") if cbc_path() else ("highs",)
    return (*ours, *_others(available=True))


def _others(*, available: bool) -> tuple[str, ...]:
    names = dict.fromkeys(pulp.listSolvers(onlyAvailable=available))
    return tuple(name for name in names if name.casefold() not in _OURS)


def untold(solver: Solver) -> tuple[str, ...]:
    """Which of gap, time_limit, threads and seed the solver cannot be told."""
    if not isinstance(solver, Other):
        return ()
    known = _words(solver.name)
    return tuple(setting for setting, word in _TOLD.items() if word not in known)


def solver_fault(name: str) -> Fault | None:
    """What is wrong with a solver's name, if anything: no such solver, or it is not installed."""
    found = _resolved(name)
    here = installed()
    if found in here:
        return None
    rule = "must be the name of a solver" if found is None else "the solver must be installed"
    advice = f"CBC: {_CBC_SOURCES}. " if found == "cbc" else ""
    return Fault("--solver", rule, repr(name), f"{advice}Installed here: {', '.join(here)}.")


def _resolved(name: str) -> str | None:
    """Our or PuLP's name of a solver, in any case, with or without `_CMD` or `_PY`; an installed one first."""
    folded = name.casefold()
    if folded in _OURS:
        return _OURS[folded]
    meant = (folded, f"{folded}_cmd", f"{folded}_py")
    known = [*_others(available=True), *_others(available=False)]
    return next((one for word in meant for one in known if one.casefold() == word), None)


def solver_named(name: str) -> Solver:
    """The solver of that name: `highs`, `cbc`, or one of PuLP's, in any case and with or without `_CMD`.

    Raises: SolverError if there is none, or if it is one of PuLP's that is not installed.
    """
    found = _resolved(name)
    if found in SOLVERS:
        return SOLVERS[found]()
    if found is None:
        known = f"choose from {', '.join(SOLVERS)}, or another that PuLP finds"
        raise SolverError(name, f"is unknown; {known}. Installed here: {', '.join(installed())}")
    if found not in installed():
        raise SolverError(name, f"is not installed; installed here: {', '.join(installed())}")
    return Other(found)
