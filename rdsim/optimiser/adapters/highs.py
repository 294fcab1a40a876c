"""HiGHS, the solver that comes with rdsim and helps every other, in this process through highspy.

It gets the matrix of the PuLP problem in one hand-over, and says its bound itself. It keeps one scheduler per process:
its number of threads is reset before it changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csr_array

from rdsim.arrays import Floats, Ints
from rdsim.errors import SolverError
from rdsim.native.threads import ends_within
from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.pulp_models import pulp_matrix, pulp_problem
from rdsim.optimiser.adapters.scaling import Scaled, power, scale_model
from rdsim.optimiser.adapters.solver import FreshRelaxation, Relaxation, Solver, is_linear
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.solution import Termination

__all__ = ["Highs"]

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
    "kInfeasible": SolverState.INFEASIBLE,
    "kUnbounded": SolverState.UNBOUNDED,
    "kUnboundedOrInfeasible": SolverState.INFEASIBLE,  # `Solver.run` tells them apart
}
_DOUBTFUL = {"kUnbounded", "kUnboundedOrInfeasible", "kSolveError"}
_STRICTER = {"presolve": "off", "mip_feasibility_tolerance": 1e-7}  # by default 1e-6
_FEASIBLE = 2  # kSolutionStatusFeasible


_OTHERWISE = {"mip_heuristic_run_root_reduced_cost": False}
_PATIENCE = 300.0
"""Seconds after which a run of few nodes, which takes seconds, is taken for one that never ends.

HiGHS 1.16 was seen to turn in its heuristic of the root's reduced costs without end, deaf to limits and to interrupts,
on a neighbourhood of korea-2024 with cooperation centres that cost a thousand times as much. Such a run is left alone
in its thread, and HiGHS asked again without that heuristic.
"""
_GRACE = 60.0
"""Seconds past a time limit, for what HiGHS does between two looks at the clock."""


def _patience(limits: RunLimits, linear: bool) -> float:
    """Seconds to wait for a run; without end where nothing says that it is short."""
    known = math.inf if linear or limits.nodes is None else _PATIENCE
    return known if limits.seconds is None else min(known, max(limits.seconds, 0.0) + _GRACE)


class _Quiet(highspy.Highs):
    """HiGHS that says nothing and calls nothing back: from highspy 1.16 on its constructor enables callbacks.

    That prints a heading, and ties every solver into a circle, which then waits for the garbage collector.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name
        return


@dataclass(frozen=True)
class Highs(Solver):
    """HiGHS in this process, through highspy."""

    name: str = "highs"
    features = frozenset(Feature)

    @property
    def version(self) -> str:
        """Version of highspy."""
        return version("highspy")

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:
        """See `Solver.ask`."""
        patience = _patience(limits, is_linear(model, relaxed))
        solver, loading = self._ready(model, _options(limits), relaxed, start)
        if not ends_within(patience, lambda: self.run_whole(solver)):
            solver, more = self._ready(model, _options(limits) | _OTHERWISE, relaxed, start)
            loading += more
            if not ends_within(patience, lambda: self.run_whole(solver)):
                raise SolverError(self.name, f"did not end within {patience:,.0f} seconds, twice, and heeds no limit")
        return replace(self.read(solver, is_linear(model, relaxed)), loading=loading)

    def _ready(self, model: Model, options: dict[str, Any], relaxed: bool, start: Floats | None) -> tuple[Any, float]:
        """A solver that holds the model, options and start, and the seconds that this took."""
        began = time.perf_counter()
        solver = self.load(model, relaxed=relaxed)
        loading = time.perf_counter() - began
        _set_options(solver, options)
        if start is not None:
            first = highspy.HighsSolution()
            first.col_value = start.tolist()
            solver.setSolution(first)  # a start that is refused is none: nothing is lost
        return solver, loading

    def run_whole(self, solver: Any) -> None:
        """Run a solver; once more, more strictly, where it fails, or says "unbounded", as of bounded models too.

        HiGHS 1.16 does so where coefficients are large beside its tolerance of whole numbers; and it fails where its
        presolve makes coefficients of very different sizes.
        Raises: SolverError if it fails.
        """
        status = solver.run()
        if solver.getModelStatus().name in _DOUBTFUL:
            _check_status(solver.clearSolver(), "to begin anew")
            _set_options(solver, _STRICTER)
            status = solver.run()
        if status == highspy.HighsStatus.kError:
            raise SolverError(self.name, f"failed: {solver.getModelStatus().name}")

    def load(self, model: Model, *, relaxed: bool = False) -> Any:
        """A highspy solver that holds the model as it is: PuLP problem -> one matrix -> passModel."""
        # HiGHS has one scheduler per process; a different number of threads is refused, silently, until it is reset.
        highspy.Highs.resetGlobalScheduler(True)
        solver: Any = _Quiet()  # type: ignore[no-untyped-call]
        _set_options(solver, {"output_flag": False})
        _check_status(solver.passModel(_lp(model, relaxed)), "the model")
        return solver

    def relaxation(self, model: Model) -> Relaxation:
        """See `Solver.relaxation`: it goes on from its last basis."""
        there = model.column_names and len(model.row_names)
        return _WarmRelaxation(self, model) if there else FreshRelaxation(self, model)

    def read(self, solver: Any, linear: bool) -> SolverResult:
        """The answer of a solver that has run."""
        status, info = solver.getModelStatus().name, solver.getInfo()
        if status in _PROOFS:
            return SolverResult(
                _PROOFS[status], Termination.COMPLETE, -math.inf if status == "kInfeasible" else math.inf
            )
        if status != "kOptimal" and status not in _STOPS:
            raise SolverError(self.name, f"gave no answer: {status}")
        solution = solver.getSolution()
        has_values = info.primal_solution_status == _FEASIBLE
        values = np.array(solution.col_value, dtype=np.float64) if has_values else None
        costs = -np.array(solution.col_dual, dtype=np.float64) if linear and status == "kOptimal" else None
        return SolverResult(
            state=SolverState.OPTIMAL if status == "kOptimal" else SolverState.STOPPED,
            termination=_STOPS.get(status, Termination.COMPLETE),
            bound=_bound(info, status, linear),
            values=values,
            reduced_costs=costs,
        )


def _lp(model: Model, relaxed: bool) -> Any:
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


def _options(limits: RunLimits) -> dict[str, Any]:
    options: dict[str, Any] = {
        "mip_rel_gap": limits.gap,
        "random_seed": limits.seed % 2**31,
        "threads": limits.threads,
        "parallel": "off" if limits.threads == 1 else "on",
    }
    if math.isfinite(limits.target):
        options["objective_target"] = -limits.target
    if limits.nodes is not None:
        options["mip_max_nodes"] = limits.nodes
    if limits.seconds is not None:
        options["time_limit"] = max(limits.seconds, 0.0)
    return options


def _check_status(status: Any, what: str) -> None:
    """HiGHS answers every call with a status, and goes on without what it refused."""
    if status == highspy.HighsStatus.kError:
        raise SolverError("highs", f"refused {what}: a number in it is too large, or none")


def _set_options(solver: Any, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise SolverError("highs", f"refused option {name} = {value}")


def _bound(info: Any, status: str, linear: bool) -> float:
    """Upper bound of the maximisation; a stopped linear program has none."""
    if linear and status != "kOptimal":
        return math.inf
    lowest = info.objective_function_value if linear else info.mip_dual_bound
    return -lowest if math.isfinite(lowest) else math.inf


# ---------------------------------------------------------------- a relaxation that grows

_DEVEX = 1


def _statuses(known: Sequence[Any], places: Ints, missing: Any) -> list[Any]:
    """What is known at each place, `missing` at -1."""
    return [missing if place < 0 else known[place] for place in places.tolist()]


@dataclass(frozen=True, eq=False)
class _WarmRelaxation:
    """A model that stays in HiGHS, from its first use on; its dual simplex goes on where it stopped."""

    highs: Highs
    model: Model
    factors: list[float] = field(default_factory=list)  # by which added rows are scaled

    @cached_property
    def scaled_model(self) -> Scaled:
        """The model in the units that HiGHS sees."""
        return scale_model(self.model)

    @cached_property
    def solver(self) -> Any:
        """HiGHS with the model."""
        return self.highs.load(self.scaled_model.model, relaxed=True)

    def add(self, coefficients: Floats, caps: Floats) -> None:
        """See `Relaxation.add`."""
        factors = power(np.abs(coefficients).max(axis=1, initial=0.0), 1)
        rows = csr_array(coefficients * factors[:, np.newaxis])
        low = np.full(caps.size, -np.inf)
        ends = rows.indptr[:-1].astype(np.int32)
        status = self.solver.addRows(
            caps.size, low, caps * factors, rows.nnz, ends, rows.indices.astype(np.int32), rows.data
        )
        _check_status(status, "rows")
        self.factors.extend(factors.tolist())

    def move(self, row: int, rhs: float) -> None:
        """See `Relaxation.move`."""
        sense, scaled = self.scaled_model.model.sense[row], rhs * float(self.scaled_model.rows[row])
        low = -math.inf if sense == "<=" else scaled
        _check_status(self.solver.changeRowBounds(row, low, math.inf if sense == ">=" else scaled), "a row's bounds")

    def begin(self, other: Relaxation, columns: Ints, rows: Ints) -> None:
        """See `Relaxation.begin`: columns that are new stand at their lower bound, rows that are new are slack."""
        if isinstance(other, _WarmRelaxation):
            known, basis = other.solver.getBasis(), highspy.HighsBasis()
            basis.col_status = _statuses(known.col_status, columns, highspy.HighsBasisStatus.kLower)
            basis.row_status = _statuses(known.row_status, rows, highspy.HighsBasisStatus.kBasic)
            basis.valid = True
            self.solver.setBasis(basis)  # what is no basis is refused, and nothing is lost

    def solve(self, limits: RunLimits) -> SolverResult:
        """See `Relaxation.solve`."""
        told = self.scaled_model.limits(replace(limits, seconds=self._until(limits.seconds)))
        _set_options(self.solver, _options(told))
        if self.solver.run() == highspy.HighsStatus.kError:
            _check_status(self.solver.clearSolver(), "to begin anew")  # a basis led nowhere
            _set_options(self.solver, _STRICTER)
            if self.solver.run() == highspy.HighsStatus.kError:
                raise SolverError(self.highs.name, f"failed: {self.solver.getModelStatus().name}")
        answer = self.scaled_model.unscale(self.highs.read(self.solver, linear=True))
        if answer.state is SolverState.OPTIMAL:
            prices = -np.array(self.solver.getSolution().row_dual, dtype=np.float64) / self.scaled_model.factor
            answer = replace(answer, prices=prices * np.append(self.scaled_model.rows, self.factors))
        # After new rows exact steepest-edge weights would be computed anew, which takes longer than the few pivots.
        _set_options(self.solver, {"simplex_dual_edge_weight_strategy": _DEVEX})
        return answer

    def _until(self, seconds: float | None) -> float | None:
        """HiGHS counts the time limit over all runs of one model."""
        return None if seconds is None else seconds + float(self.solver.getRunTime())
