"""The relaxation of a task with all the cuts that it needs: Kelley's method, and sifting where options are many.

Sources: Kelley 1960 (J. SIAM 8); in-out separation: Ben-Ameur & Neto 2007 (Networks 49); sifting: Bixby, Gregory,
Lustig, Marsten & Shanno 1992 (Operations Research 40); the bound by reduced costs: Geoffrion 1974 (Mathematical
Programming Study 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.optimiser.adapters import Relaxation, SolverResult, SolverState
from rdsim.optimiser.problem.problem import best_per_group
from rdsim.optimiser.solving.settings import SolvingSeries
from rdsim.optimiser.solving.tail import Cuts, Support, TailRule
from rdsim.optimiser.solving.task import RiskModel

__all__ = ["KELLEY_ROUNDS", "Kelley", "sift"]

TINY = 1e-9
KELLEY_ROUNDS = 200
INWARDS = 0.7  # of the way from the relaxation's optimum to the best point so far, where cuts are made
PATIENCE = 5  # rounds in which a narrow relaxation's bound must fall by `STUCK` times what counts as close
STUCK = 2
SIFTINGS = 30
SIFTING_ROUNDS = (5, 10, KELLEY_ROUNDS)  # on the first options, on more of them, and from then on
EACH = 3  # options of largest value of a group and stage: with these sifting begins
ENTERING = 150  # options that come in, at most
NEARLY = 0.00075  # of the bound: options that are so near to raising it may come in with those that do


@dataclass(eq=False)
class Kelley:
    """Kelley's method on a relaxation: solve, cut, solve; `upper` falls, `lower` rises, until they are close.

    Cuts are made between the relaxation's optimum and the best point so far (in-out separation, Ben-Ameur and Neto
    2007), which takes about half the rounds; where that cuts nothing off, at the optimum itself. `patience` ends rounds
    in which `upper`, a bound whenever they end, hardly falls any more: `lower` comes up late.
    """

    task: RiskModel
    rules: tuple[TailRule, ...]
    relaxation: Relaxation
    settings: SolvingSeries
    close: float
    patience: int = KELLEY_ROUNDS
    supports: list[Support] = field(default_factory=list)
    upper: float = math.inf
    lower: float = -math.inf
    inside: Floats | None = None  # columns behind `lower`
    answer: SolverResult | None = None  # the last one, if it had an optimum
    stopped: SolverResult | None = None  # the last one, if it had none
    uppers: list[float] = field(default_factory=list)  # after each round
    narrow_rounds: int = 0  # relaxations of some of the options

    @property
    def rounds(self) -> int:
        """Relaxations solved."""
        return len(self.uppers)

    def solve(self) -> bool:
        """One relaxation; False if there is nothing left to cut."""
        answer = self.relaxation.solve(self.settings.limits())
        self.uppers.append(min(self.upper, answer.bound))
        if answer.state is not SolverState.OPTIMAL or answer.values is None:
            self.stopped = answer
            return False
        self.answer, self.upper = answer, self.uppers[-1]
        self._note(answer.values)
        room = self.close * max(abs(self.upper), 1e-9)
        return self.upper - self.lower > room and not self._stuck(STUCK * room)

    def _stuck(self, little: float) -> bool:
        """True if the bound falls by little."""
        return self.rounds > self.patience and self.uppers[-1 - self.patience] - self.upper < little

    def _note(self, columns: Floats) -> None:
        """A point within the rules is a lower bound of the relaxation."""
        worth = self.task.worth_of(columns)
        if worth > self.lower and not self.task.violations(columns, self.rules, math.inf):
            self.lower, self.inside = worth, columns

    def cut(self) -> bool:
        """Add what the last answer breaks; False if that is nothing."""
        if self.answer is None or self.answer.values is None:
            return False
        outside = self.answer.values
        if self.inside is not None:
            between = outside + INWARDS * (self.inside - outside)
            self._note(between)
            if self._add(self.task.violations(between, self.rules, -math.inf), outside):
                return True
        return self._add(self.task.violations(outside, self.rules, TINY * self.task.unit), outside)

    def _add(self, supports: list[Support], outside: Floats) -> bool:
        """Add the cuts if one of them cuts off the point outside."""
        cuts = self.task.cuts(supports)
        if not supports or cuts.slack(outside).min() > -TINY:
            return False
        self.add(supports, cuts)
        return True

    def add(self, supports: Sequence[Support], cuts: Cuts) -> None:
        """Add cuts, whose supports are known."""
        self.supports.extend(supports)
        self.relaxation.add(cuts.coefficients, cuts.caps)


# ---------------------------------------------------------------- sifting


class _Narrow(NamedTuple):
    """A narrow relaxation; which columns and rows of the whole it has."""

    kelley: Kelley
    columns: Ints
    rows: Ints


def sift(whole: Kelley) -> bool:
    """Kelley's method on some options, then on more of them, until the others cannot raise the bound.

    The prices of the rows give every option its reduced cost. At most one option of each group is chosen, so the
    optimum of some options plus the largest positive reduced cost among each group's others bounds the whole, which is
    never solved.

    Returns: whether there is an answer now: not where some options alone have no optimum, or prices are not told.
    """
    task, narrow = whole.task, None
    options = len(task.problem.option_names)
    open_ = best_per_group(task.problem, task.problem.expected_value, EACH) | (task.model.lower[:options] > 0)
    for number in range(SIFTINGS):
        narrow = _narrow(whole, open_, narrow)
        most = SIFTING_ROUNDS[min(number, len(SIFTING_ROUNDS) - 1)]
        while narrow.kelley.solve() and narrow.kelley.rounds < most:
            if not narrow.kelley.cut():
                break
        whole.narrow_rounds += narrow.kelley.rounds
        priced = _prices(task, narrow)
        if priced is None:
            break
        missing = np.where(open_, -math.inf, _most(task, priced))
        over = _by_group(task, missing)
        whole.answer = replace(priced, bound=priced.bound + over)
        whole.upper = min(whole.upper, whole.answer.bound)
        whole.supports = list(narrow.kelley.supports)
        _take_inside(whole, narrow)
        if over <= whole.close / 2 * abs(whole.upper) and most == KELLEY_ROUNDS:
            return True
        best = np.argpartition(-missing, min(ENTERING, missing.size - 1))[:ENTERING]
        open_ = open_.copy()
        open_[best[missing[best] > -NEARLY * abs(whole.upper)]] = True
    if whole.settings.late and whole.answer is not None:
        return True
    known, whole.supports, whole.answer = whole.supports, [], None
    if known:
        whole.add(known, task.cuts(known))
    return False


def _narrow(whole: Kelley, open_: Bools, last: _Narrow | None) -> _Narrow:
    """The method on the open options, begun where the last one ended."""
    task, settings = whole.task, whole.settings
    small, kept = task.narrow(open_)
    rules = tuple(replace(rule, figure=own.figure) for rule, own in zip(whole.rules, small.rules, strict=True))
    relaxation = settings.solver.relaxation(small.model)
    narrow = Kelley(small, rules, relaxation, settings, whole.close / 2, PATIENCE)
    narrow.inside, narrow.lower = None if whole.inside is None else whole.inside[kept], whole.lower
    if whole.supports:
        narrow.add(whole.supports, small.cuts(whole.supports))
    places = {name: place for place, name in enumerate(task.model.row_names)}
    rows = np.array([places[name] for name in small.model.row_names], dtype=np.int64)
    if last is not None:
        columns = _inverse(last.columns, task.model.value.size)[kept]
        cuts = last.rows.size + np.arange(len(whole.supports))
        relaxation.begin(last.kelley.relaxation, columns, np.append(_inverse(last.rows, len(places))[rows], cuts))
    return _Narrow(narrow, kept, rows)


def _inverse(places: Ints, size: int) -> Ints:
    """Where each of `size` stands among the places, -1 if nowhere."""
    inverse = np.full(size, -1)
    inverse[places] = np.arange(places.size)
    return inverse


def _prices(task: RiskModel, narrow: _Narrow) -> SolverResult | None:
    """The narrow relaxation's answer in the columns and rows of the whole; none if it has no prices."""
    answer, own = narrow.kelley.answer, narrow.rows.size
    if narrow.kelley.stopped is not None or answer is None or answer.values is None or answer.prices is None:
        return None
    prices = np.zeros(len(task.model.row_names))
    prices[narrow.rows] = answer.prices[:own]
    values = task.model.lower.copy()
    values[narrow.columns] = answer.values
    costs = _reduced_costs(task, prices, narrow.kelley.supports, answer.prices[own:])
    return replace(answer, values=values, reduced_costs=costs, prices=np.append(prices, answer.prices[own:]))


def _reduced_costs(task: RiskModel, prices: Floats, supports: Sequence[Support], of_cuts: Floats) -> Floats:
    """Reduced cost of every column at prices of the model's rows and of the first cuts, shape (n,)."""
    costs = task.model.value - task.model.matrix.T @ prices
    weights = np.zeros(task.values.count)
    for support, price in zip(supports, of_cuts.tolist(), strict=False):
        if price and support.rule is not None:
            costs -= price * task.cuts([support]).coefficients[0]
        elif price:
            weights[support.samples] += price * support.weights
            costs[task.tail] -= price * task.unit
    return np.asarray(costs + task.values.weigh(weights))


def _most(task: RiskModel, priced: SolverResult) -> Floats:
    """What each option adds at most by its reduced cost: 0 at most if it is fixed, shape (O,)."""
    assert priced.reduced_costs is not None  # noqa: S101 - `_prices` gave them
    count = len(task.problem.option_names)
    fixed = task.model.upper[:count] <= task.model.lower[:count]
    return np.asarray(np.where(fixed, -math.inf, priced.reduced_costs[:count]))


def _by_group(task: RiskModel, costs: Floats) -> float:
    """The largest of each group, where that is positive, summed."""
    most = np.zeros(len(task.problem.group_names))
    np.maximum.at(most, task.problem.group, costs)
    return float(most.sum())


def _take_inside(whole: Kelley, narrow: _Narrow) -> None:
    """The best point of the narrow relaxation is one of the whole."""
    found = narrow.kelley
    if found.inside is not None and found.lower > whole.lower:
        whole.lower, whole.inside = found.lower, whole.task.model.lower.copy()
        whole.inside[narrow.columns] = found.inside
