"""What each technology that is not funded would cost, and for the nearest ones what would have to make room.

Limits of the loss come from one linear program (`rdsim.optimiser.questions.explanation.screen`). For those that would
cost least the problem is solved again with the technology in it, near the relaxation and with a short walk: what is
found bounds the loss from above, what is proven from below. What the plan holds counts for more there than it is worth,
so that no more is moved than has to make room: a plan is chosen by simulation, and by options alone others may be as
good, which would hide what one technology displaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rdsim.arrays import Bools, Floats
from rdsim.domain import Scenario
from rdsim.measures import savings
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.explanation import ScreenedGroup, screen
from rdsim.search import Proposal, near_optimum
from rdsim.simulation import Running

__all__ = ["NEAREST", "Absence", "absences"]

STAGE = "absence"

NEAREST = 20
"""Technologies for which the problem is solved again: those that would cost least."""


_LOYALTY = 0.5
"""Of what an option of the plan is worth on average: so much less a portfolio must be worth for each that it drops."""


@dataclass(frozen=True)
class Absence:
    """A technology that is not funded; money in the scenario's unit, expected values of options alone."""

    technology: str
    alone: float
    """What its best option is worth; nan without one."""
    at_least: float
    """What bringing it in costs at least, proven; infinite for one that cannot be brought in."""
    at_most: float
    """What it costs in a portfolio that holds it, below nothing if that is better; infinite if none was found."""
    solved: bool
    """Whether the problem was solved again with it."""
    joined: tuple[str, ...] = ()
    """Options that are funded with it, and not without."""
    left: tuple[str, ...] = ()
    """Technologies that make room."""
    saving: float = math.nan
    """Its expected payments, discounted, in that portfolio: what a cut of all its cost would save."""

    @property
    def cut(self) -> float:
        """Part of its cost that is enough to cut for it to come in; nan if none is needed, or all of it not enough."""
        share = self.at_most / self.saving if self.saving > 0 else math.inf
        return share if 0 < share < 1 else math.nan


def absences(
    scenario: Scenario,
    proposal: Proposal,
    near: Bools,
    running: Running,
    solving: Solving,
    progress: Callable[[str, int, int], None],
) -> tuple[Absence, ...]:
    """All technologies that are not funded, those that cost least first.

    `near` are the options that others may change to where one is brought in, (O,); all of that one may be chosen.

    Raises SolverError if the relaxation has no optimum.
    """
    problem, solution, saving = proposal.problem, proposal.solution, savings(scenario, proposal.options)
    screened = screen(problem, solution, solving=solving)
    open_ones = [one for one in screened if one.reason is None and math.isfinite(one.loss.low)]
    nearest = sorted(open_ones, key=lambda one: (one.loss.low, one.loss.found, one.group))[:NEAREST]
    jobs = (partial(_with_it, proposal, near, saving, solving, one) for one in nearest)
    found: dict[str, Absence] = {}
    for one in in_threads(jobs, running.threads or cores()):
        found[one.technology] = one
        progress(STAGE, len(found), len(nearest))
    every = [found.get(one.name) or _from_screen(one) for one in screened]
    return tuple(sorted(every, key=lambda one: (one.at_most, one.at_least, one.technology)))


def _from_screen(one: ScreenedGroup) -> Absence:
    return Absence(one.name, one.best_alone, max(one.loss.low, 0.0), one.loss.found, solved=False)


def _with_it(proposal: Proposal, near: Bools, saving: Floats, solving: Solving, one: ScreenedGroup) -> Absence:
    """The technology forced in, and what then joins and leaves."""
    problem, solution, bare = proposal.problem, proposal.solution, _from_screen(one)
    kept = near | (problem.group == one.group)
    kept[list(solution.chosen)] = True
    forced = replace(problem, fixed_in_groups=(*problem.fixed_in_groups, one.group))
    chosen = near_optimum(_loyal(forced, solution.chosen), kept, (), replace(solving, seed=one.group))
    judged = evaluate(forced, chosen)
    loss = solution.objective - judged.objective
    if not judged.feasible:
        return replace(bare, solved=True)
    before, after = set(solution.chosen), set(chosen)
    gone = {int(problem.group[o]) for o in before} - {int(problem.group[o]) for o in after}
    new = {int(problem.group[o]) for o in after} - {int(problem.group[o]) for o in before}
    return replace(
        bare,
        at_most=loss,
        solved=True,
        joined=tuple(problem.option_names[o] for o in sorted(after) if int(problem.group[o]) in new),
        left=tuple(problem.group_names[g] for g in sorted(gone)),
        saving=float(sum(saving[o] for o in after if int(problem.group[o]) == one.group)),
    )


def _loyal(problem: PortfolioProblem, chosen: tuple[int, ...]) -> PortfolioProblem:
    """The problem in which what is chosen already counts for more than it is worth."""
    bonus = np.zeros(len(problem.option_names))
    bonus[list(chosen)] = _LOYALTY * float(np.abs(problem.expected_value[list(chosen)]).mean()) if chosen else 0.0
    return replace(problem, values=frozen(problem.values + bonus))
