"""A series of questions to one solver: the same gap, seed and threads, and one clock for all of them."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.methods import solve
from rdsim.optimiser.problem import PortfolioProblem
from rdsim.optimiser.rens import Settings
from rdsim.optimiser.solution import Solution
from rdsim.optimiser.solvers import Solver, solver_named

__all__ = ["ask", "refuse", "series"]


def series(solver: str | Solver, gap: float, time_limit: float | None, seed: int, threads: int) -> Settings:
    """Settings whose clock, of `time_limit` seconds for the whole series, starts now."""
    deadline = math.inf if time_limit is None else time.perf_counter() + time_limit
    return Settings(solver_named(solver) if isinstance(solver, str) else solver, gap, seed, threads, deadline)


def ask(problem: PortfolioProblem, settings: Settings, *, gap: float | None = None) -> Solution:
    """`solve` with what is left of the series' time.

    Raises: ProblemError for a wrong problem or setting; SolverError if the solver is missing or crashes.
    """
    if gap is not None:
        settings = replace(settings, gap=gap)
    return solve(
        problem,
        solver=settings.solver,
        gap=settings.gap,
        time_limit=settings.limits().seconds,
        seed=settings.seed,
        threads=settings.threads,
    )


def refuse(*rules: tuple[str, bool, str, object]) -> None:
    """Raise ProblemError with a fault for each (where, holds, rule, found) that does not hold."""
    faults = tuple(Fault(where, rule, repr(found)) for where, holds, rule, found in rules if not holds)
    if faults:
        raise ProblemError(faults)
