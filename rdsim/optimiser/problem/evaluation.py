"""The judge: what a set of chosen options is worth and which rules it breaks, from the arrays alone.

Nothing here knows how a problem is written for a solver, so a solver's answer can be judged by it.
A row counts as broken when it is off at all in exact arithmetic (see `exact`), or, where its numbers have more digits
than anybody states, by more than rounding (`Rows.tolerance`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.problem.exact import excess_exactly, near_its_cap
from rdsim.optimiser.problem.problem import PortfolioProblem, Rows, frozen

__all__ = ["TOLERANCE", "Evaluation", "Violation", "evaluate", "excess_of", "room_of"]

TOLERANCE = 1e-6
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Violation:
    """One rule that is broken: its family, its name, and by how much."""

    family: str
    name: str
    amount: float
    key: Hashable = None  # of a row


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a choice is worth, and what it breaks."""

    chosen: tuple[int, ...]
    objective: float
    expected: float  # sum of the options' expected values
    opening: float  # objective contribution of the partners opened
    synergy: float
    shortfall: float  # objective lost to soft rows, >= 0
    opened: dict[int, int]  # partner -> stage at which it opens
    activity: Floats  # (R,) use of each row, openings included
    carried: Floats  # (R,) unspent amount that a row passes on, before the rate; 0 where it passes nothing
    room: Floats  # (R,) cap + what was carried in
    excess: Floats  # (R,) how far each row is off, >= 0; exactly 0 where it is kept
    violations: tuple[Violation, ...]

    @property
    def feasible(self) -> bool:
        """True if no hard rule is broken."""
        return not self.violations


def evaluate(problem: PortfolioProblem, chosen: Iterable[int]) -> Evaluation:
    """Judge a choice of option indices.

    Raises: ProblemError if an index names no option or is named twice.

    Model: R1, R27.
    """
    picked = _indices(problem, chosen)
    indicator = np.zeros(len(problem.option_names))
    indicator[picked] = 1.0
    opened = _openings(problem, picked)
    activity = _activity(problem, indicator, opened)
    carried, room = room_of(problem.rows, activity)
    excess = _exact_where_near(problem, picked, opened, activity, room)
    funded = np.bincount(problem.group[picked], minlength=len(problem.group_names))
    soft = problem.rows.is_soft
    expected = math.fsum(problem.expected_value[picked].tolist())
    opening = math.fsum(float(problem.opening_value[partner, stage]) for partner, stage in opened.items())
    synergy = math.fsum(value for a, b, value in problem.synergies if funded[a] and funded[b])
    shortfall = float(problem.rows.shortfall_price[soft] @ excess[soft])
    return Evaluation(
        chosen=tuple(picked.tolist()),
        objective=expected + opening + synergy - shortfall,
        expected=expected,
        opening=opening,
        synergy=synergy,
        shortfall=shortfall,
        opened=opened,
        activity=frozen(activity),
        carried=frozen(carried),
        room=frozen(room),
        excess=frozen(excess),
        violations=(*_rule_violations(problem, picked, funded), *_row_violations(problem, excess, soft)),
    )


def room_of(rows: Rows, activity: Floats) -> tuple[Floats, Floats]:
    """(unspent passed on, room) of each row; passing on all that is unspent is never worse, as rates are >= 0.

    Model: R6.
    """
    carried, room = np.zeros(activity.size), rows.cap.copy()
    for source, target, rate in rows.carry_in_order:
        carried[source] = max(0.0, room[source] - activity[source])
        room[target] += rate * carried[source]
    return carried, room


def excess_of(rows: Rows, activity: Floats, room: Floats) -> Floats:
    """How far each row is off, >= 0."""
    over, under = np.maximum(activity - room, 0.0), np.maximum(room - activity, 0.0)
    return np.asarray(over * rows.has_ceiling + under * rows.has_floor)


def _exact_where_near(
    problem: PortfolioProblem, picked: Ints, opened: dict[int, int], activity: Floats, room: Floats
) -> Floats:
    """How far each row is off; where floating point cannot tell, by exact arithmetic, rounding forgiven."""
    rows = problem.rows
    excess = excess_of(rows, activity, room)
    for row in np.flatnonzero(near_its_cap(problem, activity, room)).tolist():
        over, stated = excess_exactly(problem, picked.tolist(), opened, row)
        off = max(over * rows.has_ceiling[row], -over * rows.has_floor[row], 0.0)
        excess[row] = off if stated or off > rows.tolerance[row] else 0.0
    return excess


def _indices(problem: PortfolioProblem, chosen: Iterable[int]) -> Ints:
    picked = np.array(sorted(chosen), dtype=np.int64)
    count = len(problem.option_names)
    if picked.size and (picked[0] < 0 or picked[-1] >= count):
        raise ProblemError((Fault("chosen", f"indices must lie in 0..{count - 1}", str(picked.tolist()[:20])),))
    if (picked[1:] == picked[:-1]).any():
        raise ProblemError((Fault("chosen", "an option may be named once", str(picked.tolist()[:20])),))
    return picked


def _openings(problem: PortfolioProblem, picked: Ints) -> dict[int, int]:
    """Opening stage of each partner in use: the smallest stage among the chosen options that use it.

    Model: R5.
    """
    first: dict[int, int] = {}
    start, member = problem.partners.indptr, problem.partners.indices
    for option in picked:
        stage = int(problem.stage[option])
        for partner in member[start[option] : start[option + 1]].tolist():
            first[partner] = min(stage, first.get(partner, NEVER))
    return dict(sorted(first.items()))


def _activity(problem: PortfolioProblem, indicator: Floats, opened: dict[int, int]) -> Floats:
    activity: Floats = problem.rows.use @ indicator
    if opened and problem.rows.opening_use.nnz:
        openings = np.zeros(problem.opening_value.size)
        openings[[partner * len(problem.stage_names) + stage for partner, stage in opened.items()]] = 1.0
        activity = activity + problem.rows.opening_use @ openings
    return activity


def _row_violations(problem: PortfolioProblem, excess: Floats, soft: Bools) -> Iterator[Violation]:
    """Model: R6."""
    for row in np.flatnonzero((excess > 0) & ~soft):
        rows = problem.rows
        yield Violation(rows.family[row], rows.names[row], float(excess[row]), rows.keys[row])


def _rule_violations(problem: PortfolioProblem, picked: Ints, funded: Ints) -> Iterator[Violation]:
    yield from _choice_violations(problem, funded)
    yield from _prerequisite_violations(problem, picked)
    for groups in problem.exclusions:
        extra = int((funded[list(groups)] > 0).sum()) - 1
        if extra > 0:
            yield Violation("exclusion", " | ".join(problem.group_names[group] for group in groups), extra)
    yield from _fixed_violations(problem, picked, funded)


def _choice_violations(problem: PortfolioProblem, funded: Ints) -> Iterator[Violation]:
    """Model: R2."""
    for group in np.flatnonzero((funded > 1) | (problem.exactly_one & (funded == 0))):
        yield Violation("choice", problem.group_names[group], float(abs(funded[group] - 1)))


def _prerequisite_violations(problem: PortfolioProblem, picked: Ints) -> Iterator[Violation]:
    """A dependent group starts when its prerequisite has started, or later.

    Model: R7.
    """
    start = np.full(len(problem.group_names), NEVER)
    np.minimum.at(start, problem.group[picked], problem.stage[picked])
    for dependent, needed in problem.prerequisites:
        if start[dependent] != NEVER and start[needed] > start[dependent]:
            name = f"{problem.group_names[dependent]} needs {problem.group_names[needed]}"
            yield Violation("prerequisite", name, 1.0)


def _fixed_violations(problem: PortfolioProblem, picked: Ints, funded: Ints) -> Iterator[Violation]:
    """Model: R10."""
    chosen = set(picked.tolist())
    for group in (*problem.fixed_in_groups, *problem.fixed_out_groups):
        if bool(funded[group]) != (group in problem.fixed_in_groups):
            yield Violation("fixed", problem.group_names[group], 1.0)
    for option in (*problem.fixed_in_options, *problem.fixed_out_options):
        if (option in chosen) != (option in problem.fixed_in_options):
            yield Violation("fixed", problem.option_names[option], 1.0)
