"""Any other solver that PuLP finds, in PuLP's own words, which are taken for no more than they say."""

from __future__ import annotations

import inspect
import math
import tempfile
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import version
from typing import Any

import numpy as np
import pulp

from rdsim.arrays import Floats
from rdsim.errors import SolverError
from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.pulp_models import GENERATION, pulp_problem
from rdsim.optimiser.adapters.solver import Solver
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.solution import Termination

__all__ = ["Other", "pulp_names"]

_TOLD = {Feature.GAP: "gapRel", Feature.TIME_LIMIT: "timeLimit", Feature.THREADS: "threads"}
"""PuLP's words for what a solver may be told; it has none for a seed, nodes or a target."""
_LATE = 0.95
"""From this share of the time limit on, a solver's `optimal` or `infeasible` may be the limit's."""


class _Word(StrEnum):
    """What PuLP says of a run."""

    PROVEN = "proven"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Other(Solver):
    """A solver by the name that PuLP gives it, e.g. `SCIP_CMD`, with PuLP's own words for what it found.

    No bound comes through PuLP, and few of its solvers say reduced costs: neither is declared.
    """

    name: str

    @property
    def features(self) -> frozenset[Feature]:
        """See `Solver.features`: what its wrapper understands."""
        known = _words(self.name)
        return frozenset(feature for feature, word in _TOLD.items() if word in known)

    @property
    def version(self) -> str:
        """PuLP's version: it does not ask solvers for theirs."""
        return f"by PuLP {version('pulp')}"

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:  # noqa: ARG002 - neither is told
        """See `Solver.ask`."""
        if limits.seconds is not None and limits.seconds <= 0:  # PuLP takes 0 seconds for no limit
            return SolverResult(SolverState.STOPPED, Termination.TIME_LIMIT)
        began = time.perf_counter()
        problem, variables = pulp_problem(model)
        loaded = time.perf_counter()
        word, has_values = self._call(problem, limits)
        late = _is_late(time.perf_counter() - loaded, limits)
        values = np.array([_number(variable.varValue) for variable in variables]) if has_values else None
        return replace(_answer(word, values, late), loading=loaded - began)

    def _call(self, problem: Any, limits: RunLimits) -> tuple[_Word, bool]:
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


def _settings(name: str, limits: RunLimits) -> dict[str, Any]:
    """What the solver's wrapper understands of the limits, in PuLP's words; whole seconds, as some take no others."""
    seconds = None if limits.seconds is None else math.ceil(limits.seconds)
    # gap / (1 + gap) of the bound is no more than gap of the objective, whichever of the two the solver divides by.
    wanted = {"gapRel": limits.gap / (1 + limits.gap), "timeLimit": seconds, "threads": limits.threads}
    known = _words(name)
    return {"msg": False, **{word: value for word, value in wanted.items() if word in known and value is not None}}


def _words(name: str) -> frozenset[str]:
    """The arguments of the solver's wrapper."""
    return frozenset(inspect.signature(type(pulp.getSolver(name, msg=False)).__init__).parameters)


def _is_late(spent: float, limits: RunLimits) -> bool:
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


def _answer(word: _Word, values: Floats | None, late: bool) -> SolverResult:
    """PuLP's word as an answer; what came late may be the limit's."""
    if late:
        return SolverResult(SolverState.STOPPED, Termination.TIME_LIMIT, values=values)
    if word is _Word.INFEASIBLE:
        return SolverResult(SolverState.INFEASIBLE, Termination.COMPLETE, -math.inf)
    if word is _Word.UNBOUNDED:
        return SolverResult(SolverState.UNBOUNDED, Termination.COMPLETE)
    if word is _Word.PROVEN:
        return SolverResult(SolverState.OPTIMAL, Termination.COMPLETE, values=values)
    return SolverResult(SolverState.STOPPED, Termination.STOPPED, values=values)


def pulp_names(*, available: bool) -> tuple[str, ...]:
    """Names of the solvers that PuLP knows, or of those that it finds on this machine."""
    return tuple(dict.fromkeys(pulp.listSolvers(onlyAvailable=available)))
