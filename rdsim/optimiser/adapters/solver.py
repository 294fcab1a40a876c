"""What a solver is to rdsim, and what is done around each of them, because solvers are known to get it wrong.

* a limit is never `optimal`; values are read only after a state that says there are some;
* a row's coefficients are scaled by a power of two, so tolerances are relative to the row (see `scaling`);
* "infeasible" is asked again without objective where the model could be unbounded;
* of a solver that says no bound, a claim of the optimum counts only with values that keep every row.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rdsim.arrays import Floats, Ints
from rdsim.errors import Fault, RdsimError, SolverError, raised_text
from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.scaling import scale_model
from rdsim.optimiser.models.model import Model, with_rows_below
from rdsim.optimiser.problem.solution import Termination

__all__ = ["FreshRelaxation", "Relaxation", "Solver", "is_linear"]

_LOOSE = 1e-4
"""How far a value may be from whole, and a scaled row from its cap."""


class Solver(ABC):
    """An adapter of a solver library: a name, what it can, and `ask`. Values of a class like this are never changed.

    Nobody asks who a solver is, only what it can; what it does not declare is done by a solver that can
    (`helped.Helped`), or left out.
    """

    aliases: tuple[str, ...] = ()
    """Other names that it goes by, in small letters."""
    source: str = ""
    """Where it comes from, for who has not installed it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name."""

    @property
    def features(self) -> frozenset[Feature]:
        """What it can."""
        return frozenset()

    @property
    def version(self) -> str:
        """Its version: what it chose is chosen again when that changes."""
        return ""

    @property
    def is_installed(self) -> bool:
        """Whether this machine has it."""
        return True

    @abstractmethod
    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:
        """Maximise `model.value @ column`, in the numbers that are given; the offset is 0, and no row is empty.

        `relaxed` drops integrality: no solver without `Feature.RELAXATION` is asked so, or for a linear model. `start`
        (n,) is a first solution, None without `Feature.START`. Of what ended early values may be given that keep all
        rows, and a bound where the solver has one. Raises: SolverError if the solver is missing, crashes or is killed.
        """

    def run(
        self, model: Model, limits: RunLimits, *, relaxed: bool = False, start: Floats | None = None
    ) -> SolverResult:
        """Solve; `relaxed` drops integrality, `start` (n,) is a first solution, used where possible.

        Raises: SolverError if the solver is missing, crashes or is killed.
        """
        trivial = _without_columns(model)
        if trivial is not None:
            return trivial
        first = start if Feature.START in self.features else None
        return _ask_twice(lambda stated: self._ask_in_scale(stated, limits, relaxed, first), _with_coefficients(model))

    def _ask_in_scale(self, model: Model, limits: RunLimits, relaxed: bool, start: Floats | None) -> SolverResult:
        known = scale_model(model)
        told = known.limits(_limits_for(limits, self.features))
        answer = self._answer(known.model, told, relaxed, start)
        if Feature.BOUND not in self.features and not is_linear(model, relaxed):
            answer = _with_claimed_bound(self.name, known.model, limits, answer)
        return known.unscale(answer)

    def _answer(self, model: Model, limits: RunLimits, relaxed: bool, start: Floats | None) -> SolverResult:
        """What `ask` says. Raises: SolverError where somebody else's adapter fails, or answers with something else."""
        try:
            answer = self.ask(model, limits, relaxed=relaxed, start=start)
        except (RdsimError, MemoryError):
            raise
        except Exception as error:
            if type(self).__module__.startswith("rdsim."):
                raise
            raise SolverError(self.name, f"its adapter must not raise an exception: {raised_text(error)}") from error
        return _proper(self.name, answer, model.value.shape)

    def faults(self, label: str) -> Iterator[Fault]:
        """What is wrong with the adapter, whatever it is asked."""
        if not isinstance(self.features, frozenset) or not all(isinstance(one, Feature) for one in self.features):
            yield Fault(f"{label}, features", "must be a frozenset of Feature", repr(self.features))

    def relaxation(self, model: Model) -> Relaxation:
        """The linear relaxation of a model, to which rows are added: solved from the beginning each time."""
        return FreshRelaxation(self, model)


def _proper(name: str, answer: object, shape: tuple[int, ...]) -> SolverResult:
    """The answer, if it is one. Raises: SolverError."""
    if not isinstance(answer, SolverResult):
        raise SolverError(name, f"its adapter must answer with a SolverResult, not {type(answer).__name__}")
    if answer.values is not None and np.shape(answer.values) != shape:
        found = f"{np.shape(answer.values)}, not {shape}"
        raise SolverError(name, f"its adapter must answer with a value of each column; the shape is {found}")
    return answer


def _limits_for(limits: RunLimits, features: frozenset[Feature]) -> RunLimits:
    """The limits without those of nodes and target that the solver cannot be told: it goes on."""
    nodes = limits.nodes if Feature.NODES in features else None
    return replace(limits, nodes=nodes, target=limits.target if Feature.TARGET in features else math.inf)


def is_linear(model: Model, relaxed: bool) -> bool:
    """Whether nothing must be whole."""
    return relaxed or not model.integer.any()


def _without_columns(model: Model) -> SolverResult | None:
    """The answer of a model whose rows have no coefficient left to choose, if it is one.

    What is rounding here is what `restrict` takes for it: a cap in small units is not.
    """
    sense, zero = np.array(model.sense, dtype="U2"), 1e-12 * np.maximum(1.0, np.abs(model.rhs))
    empty = np.diff(model.matrix.indptr) == 0
    broken = np.where(
        sense == "<=", model.rhs < -zero, np.where(sense == ">=", model.rhs > zero, abs(model.rhs) > zero)
    )
    if (broken & empty).any() or (model.lower > model.upper).any():
        return SolverResult(SolverState.INFEASIBLE, Termination.COMPLETE, -math.inf)
    if not model.column_names:
        return SolverResult(SolverState.OPTIMAL, Termination.COMPLETE, model.offset, np.zeros(0), np.zeros(0))
    return None


def _with_coefficients(model: Model) -> Model:
    """The model without its empty rows, which some solvers and some writers trip over."""
    filled = np.flatnonzero(np.diff(model.matrix.indptr))
    return model if filled.size == len(model.row_names) else model.with_rows(filled)


def _may_be_unbounded(model: Model) -> bool:
    endless_up = (model.value > 0) & np.isposinf(model.upper)
    endless_down = (model.value < 0) & np.isneginf(model.lower)
    return bool((endless_up | endless_down).any())


def _ask_twice(ask: Callable[[Model], SolverResult], model: Model) -> SolverResult:
    """`ask(model)`; where it says infeasible or unbounded and both are possible, a run without objective decides.

    So it does where a solver says "unbounded" of what is not: that is no proof that nothing is feasible.
    """
    answer = ask(model)
    if answer.state not in {SolverState.INFEASIBLE, SolverState.UNBOUNDED}:
        return answer
    if answer.state is SolverState.INFEASIBLE and not _may_be_unbounded(model):
        return SolverResult(SolverState.INFEASIBLE, Termination.COMPLETE, -math.inf)
    second = ask(replace(model, value=np.zeros_like(model.value)))
    if second.values is None:
        return second
    if _may_be_unbounded(model):
        return SolverResult(SolverState.UNBOUNDED, Termination.COMPLETE)
    return SolverResult(SolverState.STOPPED, Termination.STOPPED, values=second.values)


# ---------------------------------------------------------------- a solver's word without a bound


def _with_claimed_bound(name: str, model: Model, limits: RunLimits, answer: SolverResult) -> SolverResult:
    """The answer with the bound that a claim of the optimum is: nothing is better by more than the gap asked for.

    Raises: SolverError if what it claims to be the optimum breaks the model.
    """
    values = answer.values
    if values is not None and not _holds(model, values):
        if answer.state is SolverState.OPTIMAL:
            raise SolverError(name, "its values break the model that it claims to have solved")
        values = None
    if answer.state is not SolverState.OPTIMAL:
        return replace(answer, values=values)
    if values is None:
        return replace(answer, state=SolverState.STOPPED, termination=Termination.STOPPED)
    worth = float(model.value @ values)
    why = Termination.TARGET if limits.gap else Termination.COMPLETE
    return replace(answer, termination=why, bound=worth + limits.gap * abs(worth))


def _holds(model: Model, values: Floats) -> bool:
    """True if the values are whole where they must be, within bounds, and satisfy every row."""
    whole = np.abs(values - np.round(values))[model.integer] <= _LOOSE
    bounded = (values >= model.lower - _LOOSE) & (values <= model.upper + _LOOSE)
    activity, sense = model.matrix @ values, np.array(model.sense, dtype="U2")
    room = _LOOSE * np.maximum(1.0, np.abs(model.rhs))
    below = (activity <= model.rhs + room) | (sense == ">=")
    above = (activity >= model.rhs - room) | (sense == "<=")
    return bool(np.isfinite(values).all() and whole.all() and bounded.all() and below.all() and above.all())


# ---------------------------------------------------------------- a relaxation that grows


class Relaxation(Protocol):
    """The linear relaxation of a model; between solves rows `coefficients @ column <= cap` are added, or one moves."""

    def add(self, coefficients: Floats, caps: Floats) -> None:
        """More rows, shapes (k, n) and (k,)."""
        ...

    def move(self, row: int, rhs: float) -> None:
        """Another right-hand side for one of the model's own rows."""
        ...

    def begin(self, other: Relaxation, columns: Ints, rows: Ints) -> None:
        """Begin the next solve where another relaxation ended, if the solver can.

        columns, rows: of each one here its place in the other, -1 if it has none.
        """
        ...

    def solve(self, limits: RunLimits) -> SolverResult:
        """Solve with all rows added so far.

        Raises: SolverError as `Solver.run`.
        """
        ...


@dataclass(eq=False)
class FreshRelaxation:
    """Solved from the beginning each time."""

    solver: Solver
    model: Model

    def add(self, coefficients: Floats, caps: Floats) -> None:
        """See `Relaxation.add`."""
        self.model = with_rows_below(self.model, coefficients, caps)

    def move(self, row: int, rhs: float) -> None:
        """See `Relaxation.move`."""
        moved = self.model.rhs.copy()
        moved[row] = rhs
        self.model = replace(self.model, rhs=moved)

    def begin(self, other: Relaxation, columns: Ints, rows: Ints) -> None:
        """See `Relaxation.begin`: it cannot."""

    def solve(self, limits: RunLimits) -> SolverResult:
        """See `Relaxation.solve`."""
        return self.solver.run(self.model, limits, relaxed=True)
