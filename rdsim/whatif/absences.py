"""What each technology that is not funded would cost, and for the nearest ones what would have to make room.

Nearest are those that most re-decisions fund, and of equals those that cost least by what is proven: limits of the loss
come from one linear program (`rdsim.optimiser.questions.explanation.screen`). For these the problem is solved again
with the technology in it, near the relaxation and with a short walk: what is found bounds the loss from above, what is
proven from below. Nothing else comes in, and what the plan holds counts for more there than it is worth, so that no
more is moved than has to make room. A plan is chosen by simulation, and by options alone others may be better, which
would hide what one technology displaces. So the portfolio with it is simulated too, beside the plan on the same
luck: what the plan is worth less then is what the technology lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from rdsim.arrays import Bools, Floats
from rdsim.assumptions import Measuring
from rdsim.domain import Scenario
from rdsim.families import RowKey
from rdsim.measures import savings
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.explanation import ScreenedGroup, screen
from rdsim.search import Proposal, Redecisions, as_before, near_optimum, portfolio_of
from rdsim.stats import Interval, paired_difference, proportion_interval

__all__ = ["NEAREST", "Absence", "absences", "excluding"]

STAGE = "absence"

NEAREST = 20
"""Technologies for which the problem is solved again, besides those that a funded one excludes."""

_FINE = 2_000
"""Replications, at least, where these take no time: one technology more or less moves a portfolio little."""

_LOYALTY = 0.5
"""Of what an option of the plan is worth on average: so much less a portfolio must be worth for each that it drops."""

_BUDGET = "budget"


@dataclass(frozen=True)
class Absence:
    """A technology that is not funded; money in the scenario's unit."""

    technology: str
    alone: float
    """What its best option is worth, expected; nan without one."""
    at_least: float
    """What bringing it in costs at least by options alone, proven; infinite for one that cannot be brought in."""
    at_most: float
    """What it costs in a portfolio that holds it, below nothing if that is better; infinite if none was found."""
    solved: bool
    """Whether the problem was solved again with it."""
    shared: Interval | None = None
    """Share of re-decisions that fund it; None without re-decisions."""
    excluded_by: tuple[str, ...] = ()
    """Funded technologies with which it may not be funded together."""
    joined: tuple[str, ...] = ()
    """Options that are funded with it, and not without."""
    left: tuple[str, ...] = ()
    """Technologies that make room."""
    saving: float = math.nan
    """Its expected payments, discounted, in that portfolio: what a cut of all its cost would save."""
    fall: Interval | None = None
    """What that portfolio is worth less than the plan where both are simulated; None if it was not."""
    money: tuple[tuple[int, float], ...] = ()
    """More announced money, by year, with which it would fit beside the plan, at the plan's payment ratios."""
    barred: tuple[RowKey, ...] = ()
    """Rows of other things than money that keep it from standing beside the plan."""

    @property
    def lacking(self) -> float:
        """What it lacks: by simulation, or where none was made by what it costs of expected values at most."""
        return self.at_most if self.fall is None else self.fall.mean

    @property
    def cut(self) -> float:
        """Part of its cost that is enough to cut for it to come in; nan if none is needed, or all of it not enough."""
        share = self.lacking / self.saving if self.saving > 0 else math.inf
        return share if 0 < share < 1 else math.nan


@dataclass(frozen=True, eq=False)
class _Asked:
    """What every technology is asked with."""

    scenario: Scenario
    proposal: Proposal
    near: Bools
    measuring: Measuring
    solving: Solving
    together: int
    """Intervals that hold together."""

    @cached_property
    def savings(self) -> Floats:
        """What a cut of all its cost would save, by option, (O,)."""
        return savings(self.scenario, self.proposal.options)

    @cached_property
    def worth(self) -> Floats:
        """Of the plan, in each replication."""
        return self.measuring.worth(self.scenario, self.proposal.portfolio)


def absences(
    scenario: Scenario,
    proposal: Proposal,
    near: Bools,
    measuring: Measuring,
    redecisions: Redecisions | None,
    solving: Solving,
    progress: Callable[[str, int, int], None],
) -> tuple[Absence, ...]:
    """All technologies that are not funded, the nearest first.

    `near` are the options that others may change to where one is brought in, (O,); all of that one may be chosen.
    Intervals of all that are simulated hold together.

    Raises SolverError if the relaxation has no optimum.
    """
    screened = screen(proposal.problem, proposal.solution, solving=solving)
    bare = {one.name: _from_screen(scenario, proposal, redecisions, one) for one in screened}
    open_ones = [one for one in screened if one.reason is None and math.isfinite(one.loss.low)]
    ordered = sorted(open_ones, key=lambda one: _order(bare[one.name]))
    nearest = [one for place, one in enumerate(ordered) if place < NEAREST or bare[one.name].excluded_by]
    asked = _Asked(scenario, proposal, near, _finer(measuring), solving, len(nearest))
    _ = nearest and (asked.worth, asked.savings)  # found once, before threads ask for it
    jobs = (partial(_with_it, asked, one, bare[one.name]) for one in nearest)
    found: dict[str, Absence] = {}
    for one in in_threads(jobs, measuring.running.threads or cores()):
        found[one.technology] = one
        progress(STAGE, len(found), len(nearest))
    return tuple(sorted((bare | found).values(), key=lambda one: (not one.solved, _order(one))))


def _order(one: Absence) -> tuple[float, ...]:
    """By the share of re-decisions that fund it, then what is proven, then what was found."""
    share = one.shared.mean if one.shared is not None else 0.0
    return (-share, one.at_least, one.lacking)


def _finer(measuring: Measuring) -> Measuring:
    """On more replications where these take no time."""
    least = 0 if measuring.running.engine == "simpy" else _FINE
    one_thread = replace(measuring.running, threads=1)  # threads take technologies
    return replace(measuring, replications=max(measuring.replications, least), running=one_thread)


def _from_screen(
    scenario: Scenario, proposal: Proposal, redecisions: Redecisions | None, one: ScreenedGroup
) -> Absence:
    shared = None
    if redecisions is not None:
        count = redecisions.decision("technology", one.name, "").count
        shared = proportion_interval(count, len(redecisions), scenario.simulation.confidence)
    excluded_by = excluding(proposal, one.name)
    return Absence(one.name, one.best_alone, max(one.loss.low, 0.0), one.loss.found, False, shared, excluded_by)


def excluding(proposal: Proposal, technology: str) -> tuple[str, ...]:
    """The funded technologies with which one that is not funded may not be funded together."""
    problem = proposal.problem
    group = problem.group_names.index(technology)
    funded = {int(problem.group[option]) for option in proposal.solution.chosen}
    others = {other for pair in problem.exclusions if group in pair for other in pair if other in funded}
    return tuple(problem.group_names[other] for other in sorted(others))


def _with_it(asked: _Asked, one: ScreenedGroup, bare: Absence) -> Absence:
    """The technology forced in, what then makes room, and what comes of it in a simulation."""
    scenario, proposal = asked.scenario, asked.proposal
    problem, solution = proposal.problem, proposal.solution
    chosen = _portfolio_with(asked, one.group)
    judged = evaluate(problem, chosen)
    if not judged.feasible:
        return replace(bare, solved=True)
    before, after = set(solution.chosen), set(chosen)
    old, now = ({int(problem.group[o]) for o in options} for options in (before, after))
    mine = [o for o in after if int(problem.group[o]) == one.group]
    portfolio = as_before(portfolio_of(scenario, proposal.options, chosen, one.name), proposal.portfolio)
    gap = asked.worth - asked.measuring.worth(scenario, portfolio)
    money, barred = _beside(asked, mine)
    return replace(
        bare,
        at_most=solution.objective - judged.objective,
        solved=True,
        joined=tuple(problem.option_names[o] for o in sorted(after) if int(problem.group[o]) in now - old),
        left=tuple(problem.group_names[g] for g in sorted(old - now)),
        saving=float(asked.savings[mine].sum()),
        fall=paired_difference(gap, np.zeros_like(gap), scenario.simulation.confidence, asked.together),
        money=money,
        barred=barred,
    )


def _portfolio_with(asked: _Asked, group: int) -> tuple[int, ...]:
    """A portfolio with the technology: the plan's own, fewer of them or otherwise, where that keeps every rule."""
    problem, solution = asked.proposal.problem, asked.proposal.solution
    forced = replace(problem, fixed_in_groups=(*problem.fixed_in_groups, group))
    loyal, solving = _loyal(forced, solution.chosen), replace(asked.solving, seed=group)
    mine = (problem.group == group) | np.isin(np.arange(len(problem.group)), solution.chosen)
    funded = np.isin(problem.group, problem.group[list(solution.chosen)])
    found: tuple[int, ...] = ()
    for kept in ((asked.near & funded) | mine, asked.near | mine):  # others come in where they must, as what it needs
        found = near_optimum(loyal, kept, (), solving)
        if evaluate(forced, found).feasible:
            break
    return found


def _loyal(problem: PortfolioProblem, chosen: tuple[int, ...]) -> PortfolioProblem:
    """The problem in which what is chosen already counts for more than it is worth."""
    bonus = np.zeros(len(problem.option_names))
    bonus[list(chosen)] = _LOYALTY * float(np.abs(problem.expected_value[list(chosen)]).mean()) if chosen else 0.0
    return replace(problem, values=frozen(problem.values + bonus))


def _beside(asked: _Asked, mine: list[int]) -> tuple[tuple[tuple[int, float], ...], tuple[RowKey, ...]]:
    """What the plan lacks for an option to stand beside it: money by year, and rows of other things."""
    problem, ratios = asked.proposal.problem, asked.proposal.payment_ratios
    judged = evaluate(problem, (*asked.proposal.solution.chosen, *mine))
    money: dict[int, float] = {}
    barred = []
    for one in judged.violations:
        if not isinstance(one.key, RowKey):
            continue
        if one.key.family == _BUDGET:
            money[one.key.year] = money.get(one.key.year, 0.0) + one.amount / ratios.get(one.key.what, 1.0)
        else:
            barred.append(one.key)
    return tuple(sorted(money.items())), tuple(barred)
