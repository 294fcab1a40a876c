"""Portfolios that are nearly as good and clearly different, and which choices all of them share.

A *swap* is one technology (group) whose decision differs: it enters, leaves, or changes its partner, mode or year. The
distance of two portfolios is the number of swaps between them, which is linear in the options of either::

    distance(x, a) = (options of a that x has not) + (options of x whose group a does not fund)

One portfolio after another is asked for, each at least `swaps` from all before it (and from the best), in two steps:
the one worth most, which shows whether there is any; then, among those worth enough, one as far as can be found in
`NODES` nodes from those before it. In the second step an option is left out if the relaxation's reduced cost proves
that no portfolio worth enough has it. Problems of more than `SMALL` options are too hard for that: there swaps are
given a price beside their worth, `PRICES` prices are tried, and the farthest portfolio worth enough is taken.

That there is no further one is proven for the set at hand; another set of the same size might leave room for more.
At gap 0 this too is settled: all portfolios worth enough are listed, up to `LISTED`, and the largest set of them that
are `swaps` apart is found exactly, as a portfolio problem of its own.

Liesio, Mild and Salo (2007) call a project *core* if every one of the portfolios funds it, *exterior* if none does, and
*borderline* otherwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from rdsim.arrays import Floats
from rdsim.optimiser.adapters import SolverState
from rdsim.optimiser.models.milp import choice_of, formulate
from rdsim.optimiser.models.model import Model, restrict
from rdsim.optimiser.models.variations import Measure, with_rows, with_values, worth_at_least
from rdsim.optimiser.problem.evaluation import Evaluation, evaluate
from rdsim.optimiser.problem.problem import (
    Labels,
    PortfolioProblem,
    Rows,
    Rules,
    check,
    frozen,
    state_problem,
    state_rows,
)
from rdsim.optimiser.problem.solution import Solution, Status, require
from rdsim.optimiser.questions.series import ask
from rdsim.optimiser.solving.settings import Solving, SolvingSeries, refuse

__all__ = [
    "Alternative",
    "Alternatives",
    "Selection",
    "alternatives",
    "distance",
    "selection",
]

NODES = 100
SMALL = 2000
PRICES = 4
LISTED = 200
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Selection:
    """How often each choice is made in a set of portfolios."""

    problem: PortfolioProblem
    count: int  # portfolios
    groups: Floats  # (G,) share of them that fund the group
    options: Floats  # (O,) share of them that hold the option

    @property
    def core(self) -> tuple[str, ...]:
        """Groups that all of them fund."""
        return self._names(self.groups == 1)

    @property
    def borderline(self) -> tuple[str, ...]:
        """Groups that some of them fund."""
        return self._names((self.groups > 0) & (self.groups < 1))

    @property
    def exterior(self) -> tuple[str, ...]:
        """Groups that none of them funds."""
        return self._names(self.groups == 0)

    def _names(self, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[str, ...]:
        return tuple(self.problem.group_names[group] for group in np.flatnonzero(which))


@dataclass(frozen=True, eq=False)
class Alternative:
    """A portfolio nearly as good as the best, judged."""

    chosen: tuple[int, ...]
    evaluation: Evaluation
    loss: float  # the best's objective less its own, as a share of the best's
    swaps: int  # from the best
    nearest: int  # swaps from the nearest of the others, the best included


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The portfolios found, in the order found; the best itself is not among them."""

    problem: PortfolioProblem
    best: Evaluation
    portfolios: tuple[Alternative, ...]
    wanted: int
    floor: float  # the least objective that was good enough
    swaps: int
    exhausted: bool  # proven: nothing else is worth enough and that far from all of these
    most: bool  # proven: no set of such portfolios around the best is larger
    solves: int
    solver: str

    @property
    def selection(self) -> Selection:
        """How often each choice is made, the best included."""
        return selection(self.problem, [self.best.chosen, *(one.chosen for one in self.portfolios)])


def distance(problem: PortfolioProblem, one: Iterable[int], other: Iterable[int]) -> int:
    """Swaps between two portfolios: groups whose decision differs."""
    left, right = set(one), set(other)
    return len({int(problem.group[option]) for option in left ^ right})


def selection(problem: PortfolioProblem, portfolios: Sequence[Iterable[int]]) -> Selection:
    """Selection frequencies over some portfolios. Raises ProblemError if there are none."""
    refuse(("portfolios", len(portfolios) > 0, "must not be empty", ()))
    options, groups = np.zeros(len(problem.option_names)), np.zeros(len(problem.group_names))
    for chosen in portfolios:
        picked = np.array(sorted(chosen), dtype=np.int64)
        options[picked] += 1
        groups[np.unique(problem.group[picked])] += 1
    return Selection(problem, len(portfolios), frozen(groups / len(portfolios)), frozen(options / len(portfolios)))


def alternatives(
    problem: PortfolioProblem,
    best: Solution | Iterable[int],
    *,
    count: int = 10,
    within: float = 0.01,
    swaps: int = 1,
    diverse: bool = True,
    solving: Solving = Solving(),
) -> Alternatives:
    """Portfolios worth at least best - within * abs(best), at least `swaps` swaps from it and from one another.

    Args:
        problem: what to choose from.
        best: the solution, or the options of the portfolio, that they are alternatives to.
        count: how many are wanted; fewer come if there are no more, and the answer says whether that is proven.
        within: relative loss of objective that is still good enough.
        swaps: least distance.
        diverse: prefer distance from those before over worth; else each is the one worth most.
        solving: of each one; gap 0 settles whether there are more, and the time limit is for the whole search.

    Raises: ProblemError for wrong arguments; InfeasibleError or SolverError if `best` holds no portfolio.
    """
    check(problem)
    refuse(
        ("count", count >= 1, "must be at least 1", count),
        ("swaps", swaps >= 1, "must be at least 1", swaps),
        ("within", 0 <= within < math.inf, "must be finite and at least 0", within),
        *solving.checks(),
    )
    judged = evaluate(problem, require(best).chosen if isinstance(best, Solution) else best)
    refuse(("best", judged.feasible, "must break no rule", [one.name for one in judged.violations[:5]]))
    floor = judged.objective - within * abs(judged.objective)
    search = _Search(problem, solving.begin(), floor, swaps, diverse)
    return search.result(judged, count)


# ---------------------------------------------------------------- the search for others


@dataclass(eq=False)
class _Search:
    """Asks for one portfolio after another, each far enough from all before."""

    problem: PortfolioProblem
    settings: SolvingSeries
    floor: float
    swaps: int
    diverse: bool
    solves: int = 0

    def result(self, best: Evaluation, count: int) -> Alternatives:
        """The alternatives to the best."""
        found, exhausted = self.collect(best.chosen, count, self.swaps, self.diverse)
        most = exhausted and self.swaps == 1  # distinct portfolios: the set at hand is all there are
        if exhausted and not most and self.settings.gap == 0:
            found, most = self.largest_set(best.chosen, found, count)
        return Alternatives(
            problem=self.problem,
            best=best,
            portfolios=tuple(self.with_worths(best, found)),
            wanted=count,
            floor=self.floor,
            swaps=self.swaps,
            exhausted=exhausted and len(found) < count,
            most=most and len(found) < count,
            solves=self.solves,
            solver=self.settings.solver.name,
        )

    def with_worths(self, best: Evaluation, found: Sequence[tuple[int, ...]]) -> Iterator[Alternative]:
        """Each with what it is worth and how far it is from the others."""
        everyone = [best.chosen, *found]
        for chosen in found:
            one = evaluate(self.problem, chosen)
            apart = [distance(self.problem, chosen, other) for other in everyone if other != chosen]
            loss = (best.objective - one.objective) / max(abs(best.objective), TIE)
            yield Alternative(chosen, one, loss, distance(self.problem, chosen, best.chosen), min(apart))

    def collect(
        self, best: tuple[int, ...], count: int, swaps: int, diverse: bool
    ) -> tuple[list[tuple[int, ...]], bool]:
        """Up to `count` of them, and whether it is proven that nothing else fits beside them."""
        found: list[tuple[int, ...]] = []
        while len(found) < count:
            apart = with_rows(self.problem, _apart_rows(self.problem, [best, *found], swaps))
            solution = ask(apart, self.settings)
            self.solves += 1
            if not solution.has_portfolio or solution.objective < self.floor - self.tie:
                none = solution.status is Status.INFEASIBLE or solution.bound < self.floor - self.tie
                return found, none
            farther = self.farther(apart, solution.chosen, [best, *found]) if diverse else solution.chosen
            found.append(farther)
        return found, False

    @property
    def tie(self) -> float:
        """Objectives closer than this are equal."""
        return TIE * max(1.0, abs(self.floor))

    def farther(
        self, apart: PortfolioProblem, chosen: tuple[int, ...], before: list[tuple[int, ...]]
    ) -> tuple[int, ...]:
        """A portfolio worth enough, with more swaps in all from those before than `chosen` has, if one is found."""
        spread = _spread(self.problem, before)
        if len(self.problem.option_names) > SMALL:
            return self.price_of_swaps(apart, chosen, spread)
        model = worth_at_least(apart, spread, self.floor)
        lower, upper = self.possible(apart, model)
        small, kept = restrict(model, lower, upper)
        answer = self.settings.solver.run(small, self.settings.limits(gap=self.settings.gap, nodes=NODES))
        self.solves += 1
        if answer.values is None:
            return chosen
        values = lower.copy()
        values[kept] = answer.values
        judged = evaluate(apart, choice_of(self.problem, values))
        better = spread.use[list(judged.chosen)].sum() > spread.use[list(chosen)].sum()
        return judged.chosen if judged.feasible and judged.objective >= self.floor - self.tie and better else chosen

    def price_of_swaps(self, apart: PortfolioProblem, chosen: tuple[int, ...], spread: Measure) -> tuple[int, ...]:
        """For large problems: swaps have a price, halved or doubled towards the highest that leaves enough worth."""
        room = self.floor_room(chosen)
        price, step, best = room / max(len(chosen), 1), 4.0, chosen
        for _ in range(PRICES):
            priced = ask(with_values(apart, apart.expected_value + price * spread.use), self.settings)
            self.solves += 1
            fits = priced.has_portfolio and evaluate(apart, priced.chosen).objective >= self.floor - self.tie
            if fits and spread.use[list(priced.chosen)].sum() > spread.use[list(best)].sum():
                best = priced.chosen
            price, step = (price * step if fits else price / step), math.sqrt(step)
        return best

    def floor_room(self, chosen: tuple[int, ...]) -> float:
        """How much worth may be given up."""
        return max(evaluate(self.problem, chosen).objective - self.floor, self.tie)

    def possible(self, apart: PortfolioProblem, model: Model) -> tuple[Floats, Floats]:
        """Bounds without the options that, by their reduced cost, no portfolio worth enough has (or lacks)."""
        answer = self.settings.solver.run(formulate(apart), self.settings.limits(), relaxed=True)
        lower, upper = model.lower.copy(), model.upper.copy()
        if answer.state is not SolverState.OPTIMAL or answer.reduced_costs is None:
            return lower, upper
        count = len(self.problem.option_names)
        costs, room = answer.reduced_costs[:count], answer.bound - self.floor + 1e-6 * max(1.0, abs(answer.bound))
        upper[:count] = np.where(costs < -room, lower[:count], upper[:count])
        lower[:count] = np.where(costs > room, upper[:count], lower[:count])
        return lower, upper

    def largest_set(
        self, best: tuple[int, ...], found: list[tuple[int, ...]], count: int
    ) -> tuple[list[tuple[int, ...]], bool]:
        """The largest set that is far enough apart, if all portfolios worth enough can be listed."""
        listed, all_ = self.collect(best, LISTED, 1, diverse=False)
        far = [chosen for chosen in listed if distance(self.problem, chosen, best) >= self.swaps]
        if not all_ or not far:
            return found, all_
        close = [
            (a, b)
            for a, b in itertools.combinations(range(len(far)), 2)
            if distance(self.problem, far[a], far[b]) < self.swaps
        ]
        packing = ask(state_problem(np.ones(len(far)), rules=Rules(exclusions=close)), self.settings)
        self.solves += 1
        larger = len(packing.chosen) > len(found)
        return [far[one] for one in packing.chosen][:count] if larger else found, packing.status is Status.OPTIMAL


def _signs(problem: PortfolioProblem, chosen: tuple[int, ...]) -> Floats:
    """distance(x, chosen) - len(chosen) = signed @ x, shape (O,): -1 for its options, 1 in groups not funded by it."""
    picked = list(chosen)
    signed = np.where(np.isin(problem.group, problem.group[picked]), 0.0, 1.0)
    signed[picked] = -1.0
    return signed


def _apart_rows(problem: PortfolioProblem, before: Sequence[tuple[int, ...]], swaps: int) -> Rows:
    """At least `swaps` from each of those before."""
    use = csr_array(np.array([_signs(problem, chosen) for chosen in before]))
    names = [f"swaps from portfolio {number}" for number in range(len(before))]
    caps = [float(swaps - len(chosen)) for chosen in before]
    return state_rows(use, caps, sense=">=", labels=Labels(names=names, family="swaps"))


def _spread(problem: PortfolioProblem, before: Sequence[tuple[int, ...]]) -> Measure:
    """The sum of the distances from those before, but for a constant."""
    total = np.sum([_signs(problem, chosen) for chosen in before], axis=0)
    return Measure("spread", frozen(np.asarray(total)), frozen(np.zeros(0)), integer=True)
