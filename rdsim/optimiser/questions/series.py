"""A series of questions to one solver: the same gap, seed and threads, and one clock for all of them."""

from __future__ import annotations

from dataclasses import replace

from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.risk import Risk, solve_risk
from rdsim.optimiser.solving.settings import SolvingSeries

__all__ = ["ask"]


def ask(
    problem: PortfolioProblem, settings: SolvingSeries, *, gap: float | None = None, risk: Risk | None = None
) -> Solution:
    """`solve`, or `solve_risk` if there is a risk, with what is left of the series' time.

    Raises: ProblemError for a wrong problem, risk or setting; SolverError if the solver is missing or crashes.
    """
    solving = settings.rest if gap is None else replace(settings.rest, gap=gap)
    return solve(problem, solving) if risk is None else solve_risk(problem, risk, solving)
