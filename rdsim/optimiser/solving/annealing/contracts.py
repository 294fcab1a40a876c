"""What compiled moves see: the landscape they walk on, and the state of a walk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from rdsim.arrays import Floats, Ints
from rdsim.optimiser.problem.evaluation import evaluate, excess_of
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.solving.appraisal import Appraiser
from rdsim.optimiser.solving.tail import least_count

__all__ = ["BEST", "EXPECTED", "LOST", "MOST", "NONE", "NOW", "TAIL", "TOUCHED", "blank_state", "survey"]

__compiled__ = True

NONE = np.int64(-1)
NOW, BEST, MOST = 0, 1, 2
EXPECTED, TAIL, LOST = 3, 5, 7  # each followed by what it would be after the change at hand
_FIGURES = 9
TOUCHED = 0  # the one place of `counts`: how many rows the change at hand touches
_CHANGES = 4  # groups that one move changes, at most
_ROUNDING = 1e-3
_CLOSED = 1e300
_RISKLESS = {"weight": 0.0, "tail_size": 0.0, "floor": -math.inf, "target": -math.inf, "enough": 0}


def survey(
    problem: PortfolioProblem,
    options: Ints,
    judge: Appraiser | None,
    start: tuple[int, ...],
    sampled: Ints | None,
) -> dict[str, Any]:
    """The landscape of some options, ascending by group; rows may be off as far as rounding lets `start` be.

    `judge` of a risk without rules on money; none: the expected value is all that counts, and there are no samples.
    `sampled`: the samples of the landscape; none: all.
    """
    return {
        **_groups(problem, options),
        **_rows(problem, options, start),
        **_worth(problem, options, judge, sampled),
    }


def _groups(problem: PortfolioProblem, options: Ints) -> dict[str, Any]:
    groups = len(problem.group_names)
    kept = problem.exactly_one | np.isin(np.arange(groups), problem.fixed_in_groups)
    kept[problem.group[list(problem.fixed_in_options)]] = True
    members = problem.partners[options]
    sizes = [0, *(len(exclusion) for exclusion in problem.exclusions)]
    return {
        "start": np.searchsorted(problem.group[options], np.arange(groups + 1)).astype(np.int64),
        "may_drop": ~kept,
        "stage": problem.stage[options],
        "stages": np.zeros(len(problem.stage_names), dtype=np.bool_),
        "member_start": members.indptr.astype(np.int64),
        "member": members.indices.astype(np.int64),
        "needs": np.ascontiguousarray(problem.prerequisites, dtype=np.int64),
        "excluding_start": np.cumsum(sizes, dtype=np.int64),
        "excluding": np.array([group for groups in problem.exclusions for group in groups], dtype=np.int64),
        "pair": np.array([(a, b) for a, b, _ in problem.synergies], dtype=np.int64).reshape(-1, 2),
        "pair_value": np.array([value for *_, value in problem.synergies], dtype=np.float64),
        "group_of": problem.group[options],
        "pair_most": _most_of_pairs(problem),
        "opening_most": problem.opening_value.max(axis=1, initial=0.0),
    }


def _most_of_pairs(problem: PortfolioProblem) -> Floats:
    """What the synergies of a group can change at most, shape (groups,)."""
    most = np.zeros(len(problem.group_names))
    for first, second, value in problem.synergies:
        most[[first, second]] += abs(value)
    return most


def _rows(problem: PortfolioProblem, options: Ints, start: tuple[int, ...]) -> dict[str, Any]:
    rows, judged = problem.rows, evaluate(problem, start)
    excess = excess_of(rows, judged.activity, judged.room)
    off = np.clip(excess, _ROUNDING * rows.tolerance, rows.tolerance)
    off = np.where(rows.is_soft, 0.0, off)
    use = csr_array(rows.use[:, options].T)
    opening = csr_array(rows.opening_use.T)
    users = csr_array(use.T)
    soft_in, soft_out = _soft_gains(problem, options)
    return {
        "use_start": use.indptr.astype(np.int64),
        "use_row": use.indices.astype(np.int64),
        "use": use.data,
        "user_start": users.indptr.astype(np.int64),
        "user": users.indices.astype(np.int64),
        "opening_start": opening.indptr.astype(np.int64),
        "opening_row": opening.indices.astype(np.int64),
        "opening": opening.data,
        "opening_value": np.ascontiguousarray(problem.opening_value),
        "cap": rows.cap,
        "above": np.where(rows.has_ceiling, off, _CLOSED),
        "below": np.where(rows.has_floor, off, _CLOSED),
        "price": np.where(rows.is_soft, rows.shortfall_price, -1.0),
        "soft_in": soft_in,
        "soft_out": soft_out,
        "soft": np.flatnonzero(rows.is_soft),
        "carry": np.array([(a, b) for a, b, _ in rows.carry_in_order], dtype=np.int64).reshape(-1, 2),
        "rate": np.array([rate for *_, rate in rows.carry_in_order], dtype=np.float64),
    }


def _soft_gains(problem: PortfolioProblem, options: Ints) -> tuple[Floats, Floats]:
    """What an option that comes in, and one that goes, can save of what soft rows cost, at most: shapes (options,)."""
    rows = problem.rows
    carried = np.zeros(len(rows.names), dtype=bool)
    carried[[row for source, target, _ in rows.carry for row in (source, target)]] = True
    opening = np.abs(rows.opening_use).sum(axis=1) > 0
    if (rows.is_soft & (carried | np.asarray(opening).ravel())).any():
        return np.full(options.size, math.inf), np.full(options.size, math.inf)
    price = np.where(rows.is_soft, rows.shortfall_price, 0.0)
    use = rows.use[:, options]
    more, less = use.maximum(0.0), (-use).maximum(0.0)
    floor, ceiling = price * rows.has_floor, price * rows.has_ceiling
    return more.T @ floor + less.T @ ceiling, less.T @ floor + more.T @ ceiling


def _worth(problem: PortfolioProblem, options: Ints, judge: Appraiser | None, sampled: Ints | None) -> dict[str, Any]:
    """Worth by sample; samples that are left out are taken to be none of the worst and to reach the target."""
    if judge is None:
        none = {"samples": np.zeros((options.size, 0)), "by_sample": np.zeros((0, options.size))}
        return {"expected": problem.expected_value[options], **none, **_RISKLESS}
    risk, values = judge.risk, np.atleast_2d(problem.values)
    count = len(values)
    kept = np.arange(count) if sampled is None else sampled
    by_sample = np.ascontiguousarray(values[np.ix_(kept, options)])
    floor, target, enough = -math.inf, -math.inf, 0
    if risk.floor is not None:
        floor = risk.floor - judge.worth_tolerance(risk.floor)
    if risk.target is not None and risk.probability is not None:
        target = risk.target - judge.worth_tolerance(risk.target)
        enough = max(0, least_count(risk.probability, count) - (count - kept.size))
    return {
        "expected": problem.expected_value[options],
        "samples": np.ascontiguousarray(by_sample.T),
        "by_sample": by_sample,
        "weight": risk.weight,
        "tail_size": (1 - risk.level) * count,
        "floor": floor,
        "target": target,
        "enough": enough,
    }


def blank_state(problem: PortfolioProblem, land: dict[str, Any], options: int, samples: int) -> dict[str, Any]:
    """A state in which nothing is funded yet."""
    groups, rows, tail_size = len(problem.group_names), len(problem.rows.names), land["tail_size"]
    partners, stages = problem.opening_value.shape
    tail = min(samples, max(1, math.ceil(tail_size * (1 - 1e-12)))) if samples else 0
    return {
        "current": np.full(groups, NONE),
        "best": np.full(groups, NONE),
        "group": np.zeros(_CHANGES, dtype=np.int64),
        "old": np.full(_CHANGES, NONE),
        "fresh": np.full(_CHANGES, NONE),
        "activity": np.zeros(rows),
        "delta": np.zeros(rows),
        "touched": np.zeros(rows, dtype=np.int64),
        "is_touched": np.zeros(rows, dtype=np.bool_),
        "counts": np.zeros(1, dtype=np.int64),
        "room": np.zeros(rows),
        "users": np.zeros((partners, stages), dtype=np.int64),
        "opened": np.full(partners, stages, dtype=np.int64),
        "opens": np.full(partners, stages, dtype=np.int64),
        "worth": np.zeros(samples),
        "tried": np.zeros(samples),
        "sorting": np.zeros(samples),
        "change": np.zeros(samples),
        "tail": np.zeros(tail, dtype=np.int64),
        "before": np.zeros(tail, dtype=np.int64),
        "in_tail": np.zeros(options if samples else 0),
        "figures": np.full(_FIGURES, -math.inf),
    }
