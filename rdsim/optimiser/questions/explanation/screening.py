"""All unfunded groups at a glance: limits of what each would cost, from one linear program and simple exchanges."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.sparse import csc_array

from rdsim.arrays import Floats, Ints
from rdsim.languages import N_
from rdsim.optimiser.problem.evaluation import Evaluation, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.questions.explanation.optima import NEVER, Best, Bracket, Pair, at_hand
from rdsim.optimiser.questions.explanation.prices import RelaxationDuals, relaxation_duals
from rdsim.optimiser.solving.settings import Solving

__all__ = ["Reason", "ScreenedGroup", "Swaps", "known_reason", "screen"]

PIVOTS = 4
"""Exchanges for each option that a screen looks at; of a group it looks at four times as many options, and judges as
many exchanges in full."""


class Reason(StrEnum):
    """Why a group is not funded."""

    NO_OPTION = N_("it has no eligible option")
    RULED_OUT = N_("the planner ruled it out")
    IMPOSSIBLE = N_("no portfolio that satisfies every rule can hold it")
    WORTHLESS = N_("it would lower the objective even if it used nothing that is scarce")
    LINKED = N_("an exclusion or a prerequisite keeps it out")
    CROWDED_OUT = N_("others make better use of what it needs")
    AS_GOOD = N_("as far as is proven, a portfolio with it may be as good")


@dataclass(frozen=True)
class ScreenedGroup:
    """An unfunded group at a glance: limits of its loss from one linear program and simple exchanges."""

    group: int
    name: str
    loss: Bracket  # found and high are infinite where no simple exchange makes room
    best_alone: float  # largest expected value of its options; nan without one
    reason: Reason | None  # where it is known without solving


def known_reason(problem: PortfolioProblem, group: int) -> Reason | None:
    """What needs no solver: no option at all, or ruled out."""
    options = set(np.flatnonzero(problem.group == group).tolist())
    if not options:
        return Reason.NO_OPTION
    ruled_out = group in problem.fixed_out_groups or options <= set(problem.fixed_out_options)
    return Reason.RULED_OUT if ruled_out else None


def screen(problem: PortfolioProblem, solution: Solution, *, solving: Solving = Solving()) -> tuple[ScreenedGroup, ...]:
    """Limits of the loss of every unfunded group when it is forced in, smallest loss first.

    Below: the incumbent less what the relaxation allows with an option of the group in, by its reduced cost. Above: the
    bound less the best portfolio that puts one option of the group in and takes at most one other group out.

    Raises: ProblemError if the solution is not one of the problem; SolverError if the relaxation has no optimum.
    """
    best, relaxed = at_hand(problem, solution), relaxation_duals(problem, solving)
    bound = max(best.found, min(best.bound, relaxed.bound))
    swaps = Swaps.of(problem, evaluate(problem, best.chosen))
    funded = set(problem.group[list(best.chosen)].tolist())
    rest = [group for group in range(len(problem.group_names)) if group not in funded]
    screened = [_screen(problem, group, replace(best, bound=bound), relaxed, swaps) for group in rest]
    return tuple(sorted(screened, key=lambda one: (one.loss.found, one.loss.low, one.group)))


def _screen(problem: PortfolioProblem, group: int, best: Best, relaxed: RelaxationDuals, swaps: Swaps) -> ScreenedGroup:
    reason = known_reason(problem, group)
    mine = np.flatnonzero(problem.group == group)
    alone = float(problem.expected_value[mine].max()) if mine.size else math.nan
    if reason is not None:
        return ScreenedGroup(group, problem.group_names[group], NEVER, alone, reason)
    costs = relaxed.reduced_costs[_eligible(problem, group)]
    most = relaxed.bound + min(0.0, float(costs.max())) + 1e-6 * max(1.0, abs(relaxed.bound))
    swapped = swaps.best_with(group, relaxed)
    with_it = Best(swapped.objective if swapped else -math.inf, most)
    return ScreenedGroup(group, problem.group_names[group], Pair(best, with_it).loss, alone, None)


def _eligible(problem: PortfolioProblem, group: int) -> Ints:
    mine = np.flatnonzero(problem.group == group)
    return mine[~np.isin(mine, problem.fixed_out_options)]


@dataclass(frozen=True, eq=False)
class Swaps:
    """Exchanges of one funded option for another, or for none, judged together."""

    problem: PortfolioProblem
    chosen: Ints  # (K,)
    columns: csc_array  # (R, O) use of every option
    use: Floats  # (R, K + 1) use of each chosen option; the last column is nothing
    slack_above: Floats  # (R,) room left below a hard ceiling, infinite without one
    slack_below: Floats  # (R,) room left above a hard floor
    values: Floats  # (K + 1,)

    @staticmethod
    def of(problem: PortfolioProblem, judged: Evaluation) -> Swaps:
        """The exchanges that start from a portfolio."""
        rows, chosen = problem.rows, np.array(judged.chosen, dtype=np.int64)
        loose = rows.tolerance
        above = np.where(rows.has_ceiling & ~rows.is_soft, judged.room - judged.activity + loose, np.inf)
        below = np.where(rows.has_floor & ~rows.is_soft, judged.activity - judged.room + loose, np.inf)
        use = np.hstack([rows.use[:, chosen].toarray(), np.zeros((len(rows.names), 1))])
        return Swaps(
            problem, chosen, csc_array(rows.use), use, above, below, np.append(problem.expected_value[chosen], 0.0)
        )

    def best_with(self, group: int, relaxed: RelaxationDuals) -> Evaluation | None:
        """The best of a few exchanges that bring a group in, by its options of best reduced cost; none if none does."""
        mine = _eligible(self.problem, group)
        likely = mine[np.argsort(-relaxed.reduced_costs[mine], kind="stable")[: 4 * PIVOTS]]
        pairs = [pair for option in likely.tolist() for pair in self._with(option)]
        first = sorted(pairs, key=lambda pair: -pair[0])[: 4 * PIVOTS]
        found = (evaluate(self.problem, self._after(option, place)) for _, option, place in first)
        return max((one for one in found if one.feasible), key=lambda one: one.objective, default=None)

    def _with(self, option: int) -> list[tuple[float, int, int]]:
        """A few exchanges that look feasible: (what options alone gain, the option, the place that it takes)."""
        added = self.columns[:, [option]].toarray() - self.use
        fits = ((added <= self.slack_above[:, np.newaxis]) & (-added <= self.slack_below[:, np.newaxis])).all(axis=0)
        places = np.flatnonzero(fits)
        cheapest = places[np.argsort(self.values[places], kind="stable")[:PIVOTS]]
        worth = float(self.problem.expected_value[option])
        return [(worth - float(self.values[place]), option, int(place)) for place in cheapest]

    def _after(self, option: int, place: int) -> list[int]:
        return [*(int(one) for at, one in enumerate(self.chosen) if at != place), option]
