"""A series of questions to one solver: the same gap, seed and threads, and one clock for all of them."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial
from typing import Any

from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.adapters import Solver, solver_of
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.rens import Settings
from rdsim.optimiser.solving.risk import Risk, solve_risk

__all__ = ["Check", "ask", "refuse", "series", "series_checks"]

Check = tuple[str, bool, str, object]
"""Where a rule applies, whether it holds, the rule, and what was found."""


def series(solver: str | Solver, gap: float, time_limit: float | None, seed: int, threads: int) -> Settings:
    """Settings whose clock, of `time_limit` seconds for the whole series, starts now."""
    deadline = math.inf if time_limit is None else time.perf_counter() + time_limit
    return Settings(solver_of(solver), gap, seed, threads, deadline)


def ask(
    problem: PortfolioProblem, settings: Settings, *, gap: float | None = None, risk: Risk | None = None
) -> Solution:
    """`solve`, or `solve_risk` if there is a risk, with what is left of the series' time.

    Raises: ProblemError for a wrong problem, risk or setting; SolverError if the solver is missing or crashes.
    """
    if gap is not None:
        settings = replace(settings, gap=gap)
    put = solve if risk is None else partial(_solve_risk, risk=risk)
    return put(
        problem,
        solver=settings.solver,
        gap=settings.gap,
        time_limit=settings.limits().seconds,
        seed=settings.seed,
        threads=settings.threads,
    )


def _solve_risk(problem: PortfolioProblem, *, risk: Risk, **settings: Any) -> Solution:
    return solve_risk(problem, risk, **settings)


def series_checks(gap: float, time_limit: float | None, threads: int) -> tuple[Check, ...]:
    """What must hold of the settings of a series."""
    return (
        ("gap", 0 <= gap < 1, "must lie in 0 <= gap < 1", gap),
        ("time_limit", time_limit is None or time_limit >= 0, "must be None or >= 0 seconds", time_limit),
        ("threads", threads >= 1, "must be at least 1", threads),
    )


def refuse(*checks: Check) -> None:
    """Raise ProblemError with a fault for each check that does not hold."""
    faults = tuple(Fault(where, rule, repr(found)) for where, holds, rule, found in checks if not holds)
    if faults:
        raise ProblemError(faults)
