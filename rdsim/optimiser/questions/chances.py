"""The portfolio that reaches a target most often: the share of the samples in which it does is made large.

A share of N samples takes N + 1 values, so the largest is found by halving: is there a portfolio that reaches the
target in at least k of them? Each step is a chance-constrained problem, which `solve_risk` answers with a portfolio, or
with a proof that there is none; a step that it leaves unanswered ends the halving, and what is not settled is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Status
from rdsim.optimiser.solving.appraisal import Risk, SampledRow
from rdsim.optimiser.solving.risk import RiskSolution, solve_risk
from rdsim.optimiser.solving.settings import Solving

__all__ = ["Likeliest", "likeliest"]

_LOOSE = 0.5
"""Relative gap of a step: only whether there is a portfolio counts."""


@dataclass(frozen=True)
class Likeliest:
    """The portfolio found, and what is proven of the share of the samples that reach the target."""

    solution: RiskSolution
    """Of all that reach it as often, the one of largest mean, to the gap asked for; without a portfolio if the problem
    has none."""
    most: float
    """No portfolio reaches the target in a larger share of the samples."""

    @property
    def probability(self) -> float:
        """The share that the portfolio reaches; nan without one."""
        return self.solution.probability

    @property
    def proven(self) -> bool:
        """Whether none reaches it more often."""
        return self.probability >= self.most


def likeliest(
    problem: PortfolioProblem, target: float, solving: Solving = Solving(), money: tuple[SampledRow, ...] = ()
) -> Likeliest:
    """The portfolio whose worth is at least `target` in the largest share of the samples, values (N, O); under rows of
    sampled money besides, if any.

    Raises: as `solve_risk`. The time limit is of each step.

    >>> from rdsim.optimiser import state_problem, state_rows
    >>> samples = [[9.0, 4.0], [0.0, 4.0], [0.0, 4.0]]
    >>> found = likeliest(state_problem(samples, rows=state_rows([[1, 1]], cap=[1])), 4.0, Solving(gap=0.0))
    >>> found.solution.chosen, found.probability, found.proven
    ((1,), 1.0, True)
    """
    count = len(np.atleast_2d(problem.values))
    loose = replace(solving, gap=max(solving.gap or 0.0, _LOOSE))
    best = solve_risk(problem, Risk(target=target, money=money), loose)
    if not best.has_portfolio:
        return Likeliest(best, math.nan)
    reached, beyond = _times(best, count), count + 1
    while beyond - reached > 1:
        asked = (reached + beyond) // 2
        found = solve_risk(problem, Risk(target=target, probability=asked / count, money=money), loose)
        if found.has_portfolio:
            best, reached = found, max(asked, _times(found, count))
        elif found.status is Status.INFEASIBLE:
            beyond = asked
        else:
            break
    share = reached / count if reached else None
    last = solve_risk(problem, Risk(target=target, probability=share, money=money), solving)
    return Likeliest(last if last.has_portfolio else best, (beyond - 1) / count)


def _times(solution: RiskSolution, count: int) -> int:
    return round(solution.probability * count)
