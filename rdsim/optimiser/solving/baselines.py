"""Simple portfolio rules, to compare an optimum with what is done without one.

A rule puts options into an order (`rdsim.choice_rules`); `fill` then adds one at a time, and takes one only if that
leaves no hard row further off than it was. Options that a hard floor still needs come first, in the
rule's order. So a portfolio keeps every cap, but a floor that its options cannot reach stays broken:
`evaluate` shows it, and nobody hides it.

Options that are fixed in, then groups that must be funded, then what floors need come before all others.
Options worth nothing or less are taken only where they must be. Ties go to the smaller index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array

from rdsim.arrays import Bools, Floats, Ints
from rdsim.choice_rules import CHOOSING_RULES
from rdsim.errors import ExtensionError, Fault, ProblemError, RdsimError, raised_text
from rdsim.optimiser.problem.evaluation import excess_of, room_of
from rdsim.optimiser.problem.problem import PortfolioProblem

__all__ = ["fill", "run_baseline"]


def run_baseline(
    name: str,
    problem: PortfolioProblem,
    cost: ArrayLike,
    score: ArrayLike,
    seed: int = 0,
    more: Mapping[str, Any] | None = None,
) -> tuple[int, ...]:
    """The portfolio of a rule: option indices, ascending.

    Args:
        name: of a rule for choosing.
        cost: (O,) money that an option asks for, >= 0.
        score: (G,) evaluation score of a group.
        seed: of what the rule draws.
        more: what else the rule may take: values of its parameters, and what `contracts.CHOOSING_WORTH` offers of a
            scenario.

    Raises: ProblemError for an unknown rule, or `cost` and `score` of wrong shape; ExtensionError if a rule fails, or
    answers with what is no number for each option.
    """
    costs, scores = np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64)
    faults = tuple(_faults(name, problem, costs, scores))
    if faults:
        raise ProblemError(faults)
    rng = np.random.default_rng(seed)
    lot = rng.permutation(len(problem.group_names))[problem.group]
    offered = {
        "value": problem.expected_value.copy(),
        "cost": np.maximum(costs, _LEAST_COST),
        "score": scores[problem.group],
        "group": problem.group.copy(),
        "stage": problem.stage.copy(),
        "joint": np.diff(problem.partners.indptr) > 0,
        "lot": lot,
        "luck": rng.random(problem.group.size),
    }
    return fill(problem, _order(name, {**offered, **(more or {})}, len(problem.option_names)))


_LEAST_COST = 1e-12


def _faults(name: str, problem: PortfolioProblem, cost: Floats, score: Floats) -> Iterable[Fault]:
    if name not in CHOOSING_RULES:
        yield Fault("baseline", f"must be one of {', '.join(CHOOSING_RULES)}", repr(name))
    for where, array, names in (("cost", cost, problem.option_names), ("score", score, problem.group_names)):
        if array.shape != (len(names),):
            yield Fault(where, f"must have shape {(len(names),)}", str(array.shape))


def _order(name: str, offered: Mapping[str, Any], options: int) -> Ints:
    """The options that a rule would take, in the order in which it tries them."""
    label, rule = f"rule for choosing {name!r}", CHOOSING_RULES[name]
    try:
        answer = rule.bind(label, "worth").of(offered)
        keys = [np.asarray(one, np.float64) for one in (answer if isinstance(answer, tuple) else (answer,))]
    except RdsimError:
        raise
    except Exception as error:
        if name in CHOOSING_RULES.built_in:
            raise
        found = raised_text(error)
        raise ExtensionError((Fault(label, "must run without an error, and answer with numbers", found),)) from error
    wrong = [one.shape for one in keys if one.shape != (options,)]
    if wrong or not keys:
        raise ExtensionError((Fault(label, f"must answer with arrays of shape {(options,)}", str(wrong)),))
    order = np.lexsort([-one for one in reversed(keys)])
    return np.asarray(order[~np.isnan(keys[0][order])])


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
    """Add options in this order where the rules allow: what must be chosen first, then the rest.

    Model: C1.
    """
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
    rest = order[(~must & ~out & (problem.expected_value > 0))[order]]
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
