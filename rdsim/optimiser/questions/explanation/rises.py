"""The least relaxation of one cap that brings a group in.

Relaxing a cap by d moves both optima upwards, by steps: A1(d) with the group, A0(d) without it. The least d with
A1(d) >= A0(d) is reached from below: d' is the least amount with A1(d') >= A0(d), found by making that one row elastic,
and takes the place of d until A1(d) >= A0(d) holds. Since A0 never falls, nothing below the last d does it.

In a problem of more than `SMALL` options the elastic row is too hard. There the linear relaxation gives a lower limit
that is proven, prices give an amount to begin with (the relaxations with and without the group differ by L and have
prices y1 and y0, so they meet near L / (y1 - y0)), and amounts are tried from there upwards, and then halved towards
the last that was not enough. What is found is enough; whether it is the least, only the limit tells.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from rdsim.arrays import Floats
from rdsim.optimiser.adapters import RunLimits, SolverState
from rdsim.optimiser.models.milp import RESOURCES, choice_of, formulate
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.models.variations import with_slack
from rdsim.optimiser.problem.evaluation import evaluate, excess_of
from rdsim.optimiser.problem.problem import PortfolioProblem, frozen
from rdsim.optimiser.questions.explanation.optima import NEVER, Best, Bracket, Inquiry, Pair
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.optimiser.solving.methods import SMALL

__all__ = ["CapProspects", "CapRise", "least_rise", "prospects_of", "size_of"]

FARTHEST = 1000.0
"""A cap is raised by at most this many times the largest number in its row."""

ROUNDS = 30

LADDER = (1.0, 2.0, 4.0, math.inf)
"""Multiples of the first amount that are tried in a large problem; the last is as far as it may go."""

HALVINGS = 2


@dataclass(frozen=True)
class CapRise:
    """The least relaxation of one row that brings a group in."""

    row: int
    name: str
    family: str
    sense: str
    amount: Bracket  # in the row's unit
    key: Hashable = None

    def __str__(self) -> str:
        verb = {"<=": "raising", ">=": "lowering", "==": "widening"}[self.sense]
        return f"{verb} {self.name} by {self.amount}"


def size_of(problem: PortfolioProblem, row: int) -> float:
    """What a relaxation is measured by."""
    return abs(float(problem.rows.cap[row])) or float(problem.rows.scale[row]) or 1.0


def _whole(problem: PortfolioProblem, row: int, amount: float, families: Collection[str]) -> float:
    """The amount, rounded up if the caps of the row's family move in whole units."""
    counted = problem.rows.family[row] in families and math.isfinite(amount)
    return float(math.ceil(amount - 1e-9)) if counted else amount


# ---------------------------------------------------------------- what prices say beforehand


@dataclass(frozen=True)
class CapProspects:
    """What the relaxations with and without the group say of each row."""

    order: tuple[int, ...]  # rows worth trying, by the share of their size that they seem to need
    ruled_out: tuple[int, ...]  # rows of which it is proven that relaxing them, within limits, is not enough
    need: Floats  # (R,) how far each row would have to go if prices stayed: a guess, infinite if they part


def prospects_of(case: Inquiry, pair: Pair, within: float) -> CapProspects:
    """Rows by what prices promise; a price that cannot lift the relaxation far enough rules its row out."""
    problem = case.problem
    inside, outside = (
        relaxation_duals(one, case.asker.solving) for one in (case.with_group_in(problem), case.with_group_out(problem))
    )
    gain = np.abs(inside.worth)
    size = np.array([size_of(problem, row) for row in range(len(gain))])
    reach = np.array([_farthest(problem, row, within) for row in range(len(gain))])
    priced = gain * problem.rows.scale > 1e-9 * max(1.0, abs(pair.without.found))
    lift = np.where(priced, gain * np.where(priced, reach, 0.0), 0.0)
    slack = 1e-6 * max(1.0, abs(pair.without.found))
    out = inside.bound + lift < pair.without.found - slack
    need = _estimates(max(outside.bound, pair.without.found) - inside.bound, gain - np.abs(outside.worth))
    likely = np.flatnonzero(~out & (need <= reach))
    order = likely[np.argsort(need[likely] / size[likely], kind="stable")]
    return CapProspects(tuple(order.tolist()), tuple(np.flatnonzero(out).tolist()), frozen(need))


def _estimates(apart: float, closing: Floats) -> Floats:
    """How far a row must go for two relaxations to meet, if prices stay; infinite if they do not close."""
    closes = closing > 1e-9
    return np.where(closes, max(apart, 0.0) / np.where(closes, closing, 1.0), np.inf)


def _farthest(problem: PortfolioProblem, row: int, within: float) -> float:
    return min(_reach(problem, row), within * size_of(problem, row))


# ---------------------------------------------------------------- one row


def least_rise(
    case: Inquiry, pair: Pair, row: int, *, within: float, whole: Collection[str] = (), likely: float = 0.0
) -> Bracket:
    """Least relaxation of a row with A1 >= A0; low is infinite if it is proven that there is none.

    Args:
        case: the group and its problem, and `pair` what is known of it there.
        row: which to relax, by at most `within` times its size.
        whole: families of rows whose caps move in whole units.
        likely: where to begin in a large problem.
    """
    if len(case.problem.option_names) > SMALL:
        return _by_trying(case, pair, row, within, whole, likely)
    return _from_below(case, pair, row, within, whole)


def _from_below(case: Inquiry, pair: Pair, row: int, within: float, whole: Collection[str]) -> Bracket:
    without, amount, low = pair.without, 0.0, 0.0
    for _ in range(ROUNDS):
        step = _least_for(case, row, without.found, within)
        low = max(low, _whole(case.problem, row, step.low, whole))
        if not math.isfinite(step.found):
            return Bracket(math.inf, step.low if step.low == math.inf else low, math.inf)
        amount = _whole(case.problem, row, max(amount, step.found), whole)
        now = _at(case, row, amount, replace(pair, without=without, with_it=Best(-math.inf, math.inf, step.chosen)))
        without = now.without
        if now.comes_in:
            return Bracket(amount, min(low, amount), amount if now.surely_in else math.inf)
    return Bracket(math.inf, low, math.inf)


def _at(case: Inquiry, row: int, amount: float, known: Pair) -> Pair:
    """Both optima with the row relaxed, no worse than portfolios known from a smaller relaxation."""
    wider = with_slack(case.problem, {row: amount})
    without = _no_worse(case.asker.best(case.with_group_out(wider), [known.without.chosen]), known.without)
    return case.pair(wider, without, [known.with_it.chosen] if known.with_it.chosen else ())


def _no_worse(wide: Best, narrow: Best) -> Best:
    """The best of a wider problem: what was found in a narrower one is there, too."""
    return wide if wide.found >= narrow.found else Best(narrow.found, max(wide.bound, narrow.found), narrow.chosen)


def _by_trying(case: Inquiry, pair: Pair, row: int, within: float, whole: Collection[str], likely: float) -> Bracket:
    """The same for a large problem: amounts from the likely one upwards, then halving what is open."""
    low = _relaxed_rise(case, row, pair.without.found, within)
    if math.isinf(low):
        return NEVER
    low, most = _whole(case.problem, row, low, whole), _farthest(case.problem, row, within)
    first = max(1.02 * low, likely if likely <= most else 0.0, 1e-3 * size_of(case.problem, row))
    below, known = 0.0, pair
    for amount in dict.fromkeys(_whole(case.problem, row, min(first * factor, most), whole) for factor in LADDER):
        now = _at(case, row, amount, known)
        if now.comes_in:
            return _halve(case, row, (low, max(low, below), amount), (known, now), whole)
        below, known = amount, now
    return Bracket(math.inf, low, math.inf)


def _halve(
    case: Inquiry, row: int, limits: tuple[float, float, float], pairs: tuple[Pair, Pair], whole: Collection[str]
) -> Bracket:
    """`HALVINGS` halvings between an amount that was not seen to be enough and one that is; low is proven."""
    (low, below, enough), (known, now) = limits, pairs
    for _ in range(HALVINGS):
        middle = _whole(case.problem, row, (below + enough) / 2, whole)
        if middle >= enough or enough - below <= 0.02 * enough:
            break
        tried = _at(case, row, middle, known)
        if tried.comes_in:
            enough, now = middle, tried
        else:
            below, known = middle, tried
    return Bracket(enough, min(low, enough), enough if now.surely_in else math.inf)


# ---------------------------------------------------------------- an elastic row


@dataclass(frozen=True)
class _Step:
    """The least relaxation with which a group's best reaches a target."""

    found: float
    low: float
    chosen: tuple[int, ...]


def _least_for(case: Inquiry, row: int, target: float, within: float) -> _Step:
    problem, asker = case.with_group_in(case.problem), case.asker
    elastic = _elastic(problem, row, target, within)
    answer = asker.adapter.run(elastic.model, asker.limits)
    if answer.state is SolverState.INFEASIBLE:
        return _Step(math.inf, math.inf, ())
    low = max(0.0, elastic.reach - answer.bound)
    if answer.values is None:
        return _Step(math.inf, low, ())
    chosen = choice_of(problem, answer.values)
    amount = _need(problem, row, target, chosen, max(0.0, elastic.reach - float(answer.values[-1])))
    return _Step(amount, min(low, amount), chosen)


def _relaxed_rise(case: Inquiry, row: int, target: float, within: float) -> float:
    """A lower bound on the rise of a row, from the linear relaxation; inf if no rise is enough."""
    elastic = _elastic(case.with_group_in(case.problem), row, target, within)
    answer = case.asker.adapter.run(elastic.model, RunLimits(seconds=case.asker.solving.time_limit), relaxed=True)
    if answer.state is SolverState.INFEASIBLE:
        return math.inf
    return max(0.0, elastic.reach - answer.bound) if math.isfinite(answer.bound) else 0.0


def _need(problem: PortfolioProblem, row: int, target: float, chosen: tuple[int, ...], amount: float) -> float:
    """The portfolio's own need, if the judge agrees that it is enough; else the solver's amount, loose as it is."""
    judged = evaluate(problem, chosen)
    own = float(excess_of(problem.rows, judged.activity, judged.room)[row])
    loose = float(problem.rows.precision[row])
    # A solver that is asked again at an amount that just suffices may deny it: solution files have eight digits.
    for enough in (own, amount + loose / 8, amount + loose):
        relaxed = evaluate(with_slack(problem, {row: enough}), chosen)
        if relaxed.feasible and relaxed.objective >= target - 1e-9 * max(1.0, abs(target)) and enough <= amount + loose:
            return enough
    return amount + 4 * loose


@dataclass(frozen=True, eq=False)
class _ElasticRow:
    """A model whose last column is what is left of a row's largest relaxation; its objective is to leave most."""

    model: Model
    reach: float


def _elastic(problem: PortfolioProblem, row: int, target: float, within: float) -> _ElasticRow:
    """Relax one row as little as possible, so that the objective reaches `target`."""
    reach = min(_reach(problem, row), within * size_of(problem, row))
    wide = formulate(with_slack(problem, {row: reach}))
    own, band = wide.rows_of(RESOURCES), problem.rows.sense[row] == "=="
    places = [own.start + row, *([own.stop - 1] if band else [])]
    signs = [1.0 if wide.sense[place] == "<=" else -1.0 for place in places]
    column = csr_array(coo_array((signs, (places, [0] * len(places))), shape=(len(wide.row_names), 1)))
    worth = csr_array(np.append(wide.value, 0.0)[np.newaxis])
    small = 1e-9 * max(1.0, abs(target))
    return _ElasticRow(
        replace(
            wide,
            column_names=(*wide.column_names, "left"),
            value=np.append(np.zeros(wide.value.size), 1.0),
            offset=0.0,
            lower=np.append(wide.lower, 0.0),
            upper=np.append(wide.upper, reach),
            integer=np.append(wide.integer, False),
            row_names=(*wide.row_names, "worth_0"),
            matrix=csr_array(vstack([hstack([wide.matrix, column]), worth])),
            sense=(*wide.sense, ">="),
            rhs=np.append(wide.rhs, target - wide.offset - small),
        ),
        reach,
    )


def _reach(problem: PortfolioProblem, row: int) -> float:
    """A relaxation beyond which a row does not bind; what it passes on may matter farther, and counts to `FARTHEST`."""
    rows = problem.rows
    if any(source == row for source, _, _ in rows.carry):
        return FARTHEST * max(float(rows.scale[row]), 1e-9)
    use = rows.use[[row]].toarray().ravel()
    openings = rows.opening_use[[row]].toarray().ravel()
    most = _sum_of_best(problem, use) + float(np.maximum(openings, 0.0).sum())
    least = -_sum_of_best(problem, -use) + float(np.minimum(openings, 0.0).sum())
    over = most - float(rows.cap[row]) if rows.has_ceiling[row] else 0.0
    under = float(rows.cap[row]) - least if rows.has_floor[row] else 0.0
    return max(over, under, 0.0)


def _sum_of_best(problem: PortfolioProblem, use: Floats) -> float:
    best = np.zeros(len(problem.group_names))
    np.maximum.at(best, problem.group, use)
    return float(best.sum())
