"""Simple portfolio rules, to compare an optimum with what is done without one.

A rule puts options into an order; `fill` then adds one at a time, and takes an option only if that
leaves no hard row further off than it was. Options that a hard floor still needs come first, in the
rule's order. So a portfolio keeps every cap, but a floor that its options cannot reach stays broken:
`evaluate` shows it, and nobody hides it.

=================  ===============================================================================
value-per-cost     options by expected value per unit of cost, best first
evaluation-score   technologies by evaluation score, each with its option of largest expected value
domestic-only      value-per-cost among the options without a partner
random-feasible    technologies in random order, their options in random order
=================  ===============================================================================

Options that are fixed in, then groups that must be funded, then what floors need come before all others.
Options worth nothing or less are taken only where they must be. Ties go to the smaller index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array

from rdsim.arrays import Bools, Floats, Ints
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.problem.evaluation import excess_of, room_of
from rdsim.optimiser.problem.problem import PortfolioProblem

__all__ = ["BASELINES", "Attributes", "Baseline", "fill", "run_baseline"]


@dataclass(frozen=True, eq=False)
class Attributes:
    """What rules look at besides the problem."""

    cost: Floats  # (O,) money an option asks for, >= 0
    score: Floats  # (G,) evaluation score of a group


Baseline = Callable[[PortfolioProblem, Attributes, np.random.Generator], Ints]
"""A rule: the options it would take, in the order it tries them."""


def run_baseline(
    name: str, problem: PortfolioProblem, cost: ArrayLike, score: ArrayLike, seed: int = 0
) -> tuple[int, ...]:
    """The portfolio of a rule: option indices, ascending.

    Raises: ProblemError for an unknown rule, or `cost` (O,) and `score` (G,) of wrong shape.
    """
    attributes = Attributes(np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64))
    faults = tuple(_faults(name, problem, attributes))
    if faults:
        raise ProblemError(faults)
    order = BASELINES[name](problem, attributes, np.random.default_rng(seed))
    return fill(problem, order)


def _faults(name: str, problem: PortfolioProblem, attributes: Attributes) -> Iterable[Fault]:
    if name not in BASELINES:
        yield Fault("baseline", f"must be one of {', '.join(BASELINES)}", repr(name))
    for where, array, names in (
        ("cost", attributes.cost, problem.option_names),
        ("score", attributes.score, problem.group_names),
    ):
        if array.shape != (len(names),):
            yield Fault(where, f"must have shape {(len(names),)}", str(array.shape))


# ---------------------------------------------------------------- orders


def _by_value_per_cost(problem: PortfolioProblem, attributes: Attributes, rng: np.random.Generator) -> Ints:  # noqa: ARG001 - one contract
    ratio = problem.expected / np.maximum(attributes.cost, 1e-12)
    return np.asarray(np.argsort(-ratio, kind="stable"))


def _by_score(problem: PortfolioProblem, attributes: Attributes, rng: np.random.Generator) -> Ints:  # noqa: ARG001 - one contract
    return np.asarray(np.lexsort((-problem.expected, problem.group, -attributes.score[problem.group])))


def _domestic(problem: PortfolioProblem, attributes: Attributes, rng: np.random.Generator) -> Ints:
    order = _by_value_per_cost(problem, attributes, rng)
    alone = np.diff(problem.partners.indptr) == 0
    return np.asarray(order[alone[order]])


def _at_random(problem: PortfolioProblem, attributes: Attributes, rng: np.random.Generator) -> Ints:  # noqa: ARG001 - one contract
    place = rng.permutation(len(problem.group_names))
    return np.lexsort((rng.random(problem.group.size), place[problem.group]))


BASELINES: dict[str, Baseline] = {
    "value-per-cost": _by_value_per_cost,
    "evaluation-score": _by_score,
    "domestic-only": _domestic,
    "random-feasible": _at_random,
}


# ---------------------------------------------------------------- filling


@dataclass(eq=False)
class _Fill:
    """A portfolio in the making; rows are kept up to date, not computed anew."""

    problem: PortfolioProblem
    use: csc_array
    opening_use: csc_array
    activity: Floats
    excess: Floats
    opened: dict[int, int] = field(default_factory=dict)
    start: dict[int, int] = field(default_factory=dict)  # group -> stage
    chosen: list[int] = field(default_factory=list)

    def take(self, option: int) -> bool:
        """Add the option if every rule lets it in."""
        opened, activity = self._with(option)
        excess = excess_of(self.problem.rows, activity, room_of(self.problem.rows, activity)[1])
        worse = excess > self.excess + self.problem.rows.tolerance / 2
        if (worse & ~self.problem.rows.is_soft).any():
            return False
        self.opened, self.activity, self.excess = opened, activity, np.minimum(excess, self.excess)
        self.start[int(self.problem.group[option])] = int(self.problem.stage[option])
        self.chosen.append(option)
        return True

    def _with(self, option: int) -> tuple[dict[int, int], Floats]:
        """Partners opened and row activity with the option added."""
        problem, activity, opened = self.problem, self.activity.copy(), dict(self.opened)
        _add_column(activity, self.use, option, 1.0)
        stage, stages = int(problem.stage[option]), len(problem.stage_names)
        for partner in problem.partners.indices[problem.partners.indptr[option] : problem.partners.indptr[option + 1]]:
            before = opened.get(int(partner), stages)
            if stage < before:
                opened[int(partner)] = stage
                _add_column(activity, self.opening_use, int(partner) * stages + stage, 1.0)
            if stage < before < stages:
                _add_column(activity, self.opening_use, int(partner) * stages + before, -1.0)
        return opened, activity


def _add_column(activity: Floats, matrix: csc_array, column: int, sign: float) -> None:
    span = slice(matrix.indptr[column], matrix.indptr[column + 1])
    activity[matrix.indices[span]] += sign * matrix.data[span]


def fill(problem: PortfolioProblem, order: Ints) -> tuple[int, ...]:
    """Add options in this order where the rules allow: what must be chosen first, then the rest."""
    rows = problem.rows
    activity = np.zeros(len(rows.names))
    excess = excess_of(rows, activity, room_of(rows, activity)[1])
    filling = _Fill(problem, csc_array(rows.use), csc_array(rows.opening_use), activity, excess)
    relations = _Relations.of(problem)
    must, rest = _phases(problem, order)
    _exhaust(problem, filling, relations, must)
    _meet_floors(problem, filling, relations, rest)
    _exhaust(problem, filling, relations, rest)
    return tuple(sorted(filling.chosen))


def _meet_floors(problem: PortfolioProblem, filling: _Fill, relations: _Relations, waiting: Ints) -> None:
    """Row by row, take options that help a hard floor which is not reached yet."""
    rows = problem.rows
    for row in np.flatnonzero(~rows.is_soft & np.isin(rows.sense, (">=", "=="))).tolist():
        helps = rows.use[[row], :].toarray().ravel()[waiting] > 0
        for option in waiting[helps].tolist():
            if filling.excess[row] <= rows.tolerance[row]:
                break
            if relations.allow(option, filling.start):
                filling.take(option)


def _exhaust(problem: PortfolioProblem, filling: _Fill, relations: _Relations, waiting: Ints) -> None:
    """Take what can be taken; what waits for a prerequisite is tried again while anything is taken."""
    while waiting.size:
        before = len(filling.chosen)
        for option in waiting.tolist():
            if relations.allow(option, filling.start):
                filling.take(option)
        if len(filling.chosen) == before:
            return
        waiting = waiting[relations.dependent[problem.group[waiting]]]


def _phases(problem: PortfolioProblem, order: Ints) -> tuple[Ints, Ints]:
    """The order in two parts: what must be chosen, then what is worth something; what is fixed out is in neither."""
    everything, rank = np.arange(len(problem.option_names)), np.full(len(problem.option_names), order.size)
    rank[order] = np.arange(order.size)
    fixed = np.isin(everything, problem.fixed_in_options)
    out = np.isin(problem.group, problem.fixed_out_groups) | np.isin(everything, problem.fixed_out_options)
    must = _must_groups(problem)[problem.group] & ~out & ((rank < order.size) | fixed)
    first = np.flatnonzero(must)
    first = first[np.lexsort((rank[first], ~fixed[first]))]
    rest = order[(~must & ~out & (problem.expected > 0))[order]]
    return first, rest


def _must_groups(problem: PortfolioProblem) -> Bools:
    """Groups that are fixed in, have a fixed option or must have one, and all their prerequisites, shape (G,)."""
    must: Bools = problem.exactly_one.copy()
    must[list(problem.fixed_in_groups)] = True
    must[problem.group[list(problem.fixed_in_options)]] = True
    for _ in range(len(problem.prerequisites)):
        must[problem.prerequisites[must[problem.prerequisites[:, 0]], 1]] = True
    return must


@dataclass(frozen=True, eq=False)
class _Relations:
    """What groups have to do with one another."""

    problem: PortfolioProblem
    needed: dict[int, list[int]]  # dependent group -> its prerequisites
    rivals: dict[int, set[int]]  # group -> groups it excludes
    dependent: Bools  # (G,)

    @staticmethod
    def of(problem: PortfolioProblem) -> _Relations:
        """The relations of a problem, indexed by group."""
        needed: dict[int, list[int]] = {}
        for group, other in problem.prerequisites.tolist():
            needed.setdefault(group, []).append(other)
        rivals: dict[int, set[int]] = {}
        for groups in problem.exclusions:
            for group in groups:
                rivals.setdefault(group, set()).update(set(groups) - {group})
        dependent = np.isin(np.arange(len(problem.group_names)), problem.prerequisites[:, 0])
        return _Relations(problem, needed, rivals, dependent)

    def allow(self, option: int, start: dict[int, int]) -> bool:
        """True if the option's group is free, its prerequisites have started by then, and no rival is funded."""
        group, stage = int(self.problem.group[option]), int(self.problem.stage[option])
        if group in start or any(rival in start for rival in self.rivals.get(group, ())):
            return False
        never = stage + 1
        return all(start.get(other, never) <= stage for other in self.needed.get(group, ()))
