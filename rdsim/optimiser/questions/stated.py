"""A problem that tables state, solved as they ask: by its values, by mean and CVaR, or by the chance of a target."""

from __future__ import annotations

import math

from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.problem.folder.form import RiskTerms
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.questions.chances import likeliest
from rdsim.optimiser.questions.conflicts import diagnosis, without_values
from rdsim.optimiser.questions.risk_conflicts import Words, risk_diagnosis
from rdsim.optimiser.solving.appraisal import Risk, SampledRow
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.optimiser.solving.settings import Solving

__all__ = ["refusal_of", "risk_of_statement", "solve_statement"]


def risk_of_statement(posed: StatedProblem) -> Risk | None:
    """What ``[risk]`` asks, of worths: costs have their sign changed, so that a ceiling becomes a floor."""
    if posed.risk is None and not posed.sampled:
        return None
    asked = posed.risk or RiskTerms()
    floor, target = (None if one is None else posed.sign * one for one in (asked.floor, asked.target))
    money = tuple(SampledRow(one.row, one.use, one.holds, one.level) for one in posed.sampled)
    return Risk(asked.level, asked.weight, floor, target, asked.probability, money)


def solve_statement(posed: StatedProblem, solving: Solving = Solving()) -> tuple[Solution, float]:
    """The answer, and the largest share of the samples in which any portfolio reaches the target, as far as is proven;
    that is nan where the share is not what is made large.

    Raises: as `solve` and `solve_risk`.
    """
    risk = risk_of_statement(posed)
    if risk is None:
        return solve(posed.problem, solving), math.nan
    if posed.risk is not None and posed.risk.aim == "probability" and risk.target is not None:
        found = likeliest(posed.problem, risk.target, solving, risk.money)
        return found.solution, found.most
    return solve_risk(posed.problem, risk, solving), math.nan


def refusal_of(posed: StatedProblem, solver: str) -> str:
    """Why no portfolio satisfies everything, as a message of some lines; "" if no conflict was found to name.

    Where rows alone can be kept, it is what is asked of the samples that cannot. Raises: SolverError.
    """
    problem, risk, solving = posed.problem, risk_of_statement(posed), Solving(solver=solver)
    if risk is None or not solve(without_values(problem), Solving(solver=solver, gap=0.9)).has_portfolio:
        return diagnosis(problem, solving=solving) or ""
    told = risk_diagnosis(problem, risk, solving=solving, words=Words(posed.unit))
    return f"{told}\n(amounts are worths: costs with their sign changed)" if posed.minimise else told
