"""What compiled functions share: the codes of stages and entries, the state, the compiled rules.

Purse, gate, step and tie rules are the function objects of `rules` and `gates`, compiled here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from rdsim import case, gates, queues
from rdsim.arrays import Bools, Floats, Ints, Ints32
from rdsim.case import Case, most_extensions
from rdsim.engines import rules
from rdsim.native.blocks import blank, records
from rdsim.native.jit import inline

__all__ = [
    "AGREEMENT",
    "ALWAYS_PASS",
    "AT_BETWEEN",
    "AT_ENDED",
    "AT_FACILITY",
    "AT_MONEY",
    "AT_PANEL",
    "AT_PLACE",
    "AT_REVIEWED",
    "AT_ROUNDS",
    "AT_SCHEDULED",
    "AT_START",
    "AT_TALKING",
    "AT_WORKING",
    "BLOCKED",
    "BREAK",
    "CLOSED",
    "DO_BREAK",
    "DO_CALL",
    "DO_LOOK",
    "DO_READY",
    "DO_REOPEN",
    "DO_REVIEW",
    "DO_ROUND",
    "DO_STOP",
    "DO_TALKS",
    "DO_WORK",
    "DO_YEAR_END",
    "DROPPED",
    "DROP_WORST",
    "EXHAUSTED",
    "FAILED",
    "FIRST_COME",
    "FIRST_FIT",
    "FREE",
    "FULL",
    "HOPELESS",
    "IS_CLAIMED",
    "IS_NEVER",
    "IS_NEW",
    "IS_OPEN",
    "IS_OPENING",
    "NO",
    "NONE",
    "PANEL",
    "PARTNER_COST",
    "POLICIES",
    "QUEUES",
    "RAISED",
    "RANK",
    "RELEASE",
    "REMAINING",
    "REQUEST",
    "RULES",
    "STOPPED",
    "STRICT",
    "TARGET",
    "THRESHOLD",
    "UNFUNDED",
    "WORK",
    "YEAR",
    "YES",
    "State",
    "at_rate",
    "attempt",
    "blank_state",
    "carry_over",
    "deliverables_in",
    "drop_count",
    "first_come",
    "fits",
    "hopeless",
    "next_round",
    "planned_trl",
    "refund",
    "talk_days",
    "threshold",
    "work_days",
]


carry_over = inline(rules.carry_over)
fits = inline(rules.fits)
hopeless = inline(rules.hopeless)
refund = inline(rules.refund)
at_rate = inline(rules.at_rate)
work_days = inline(rules.work_days)
talk_days = inline(rules.talk_days)
attempt = inline(rules.attempt)
planned_trl = inline(rules.planned_trl)
next_round = inline(rules.next_round)
threshold = inline(gates.threshold)
deliverables_in = inline(gates.deliverables_in)
drop_count = inline(gates.drop_count)
first_come = inline(queues.first_come)

# Those of `gates` itself: a plug-in may have registered its own before this module was imported.
POLICIES = ("threshold", "always-pass", "drop-worst")
THRESHOLD, ALWAYS_PASS, DROP_WORST = range(3)
RULES = ("strict", "first-fit")
STRICT, FIRST_FIT = range(2)
QUEUES = ("rank", "first-come")
RANK, FIRST_COME = range(2)

RAISED = -(2**62)
"""What a user's function returns that raised an exception: compiled code cannot pass one on."""

# numba compiles a function anew for each literal number that it is called with; a number of a stated type is none.


def _codes(values: Iterable[int]) -> tuple[np.int64, ...]:
    return tuple(np.int64(value) for value in values)


NONE = np.int64(0)
NO, YES = np.bool_(False), np.bool_(True)

# Phases of a day.
YEAR, WORK, BREAK, PANEL, AGREEMENT, RELEASE, REQUEST = _codes(
    (rules.YEAR, rules.WORK, rules.BREAK, rules.PANEL, rules.AGREEMENT, rules.RELEASE, rules.REQUEST)
)
PARTNER_COST = np.int64(rules.PARTNER_COST)
REMAINING = np.int64(-1)
"""Days that a queue is told of a request for facilities: what is left of the step."""

# End states.
TARGET, STOPPED, FAILED, EXHAUSTED, DROPPED, UNFUNDED, BLOCKED = _codes(
    (case.TARGET, case.STOPPED, case.FAILED, case.EXHAUSTED, case.DROPPED, case.UNFUNDED, case.BLOCKED)
)

# What an agenda entry is.
(
    DO_YEAR_END,
    DO_CALL,
    DO_WORK,
    DO_BREAK,
    DO_REVIEW,
    DO_ROUND,
    DO_TALKS,
    DO_READY,
    DO_REOPEN,
    DO_LOOK,
    DO_STOP,
) = _codes(range(11))

# Where a project stands.
(
    AT_SCHEDULED,
    AT_START,
    AT_PLACE,
    AT_BETWEEN,
    AT_TALKING,
    AT_MONEY,
    AT_WORKING,
    AT_FACILITY,
    AT_PANEL,
    AT_REVIEWED,
    AT_ROUNDS,
    AT_ENDED,
) = _codes(range(12))

# What a partner is.
IS_NEW, IS_CLAIMED, IS_OPENING, IS_OPEN, IS_NEVER = _codes(range(5))

# What a project that waits for a place can expect, from worst to best.
HOPELESS, CLOSED, FULL, FREE = _codes(range(4))


class Entry(NamedTuple):
    """An entry of the agenda."""

    after: int  # the entry that follows on the same day, or in the list of unused ones; -1 for none
    key: int  # phase and order, packed in one number
    what: int  # kind, token and index, packed in one number


class Resource(NamedTuple):
    """Something that projects wait for: starts, places, money, seats, units, rounds."""

    waiting: int  # length of its queue
    granting: bool  # to be granted when the rest of the day is done


class Project(NamedTuple):
    """What changes of a project while a replication runs."""

    stage: int
    token: int  # an agenda entry with another token is void
    since: int
    formed: int  # stages of its agreement that are passed
    pace: int  # of its talks, in millionths
    tranche: int
    trl_now: int
    attempt: int
    remaining: int
    run_from: int
    funded_end: int
    joint: bool
    counted: bool  # the partner stays open for it
    holding: bool  # a place
    using: bool  # units of facilities
    extended: bool
    step_joint: bool


class Line(NamedTuple):
    """What changes of a programme."""

    purse: int
    starts_left: int
    fraction: int
    round_day: int


class Partner(NamedTuple):
    """What changes of a partner."""

    partner: int  # what it is
    claim: int
    live: int
    closed_until: int
    used: int
    agreements: int  # reached so far


class State(NamedTuple):
    """What changes while a replication runs, beside those."""

    first: Ints32  # (days,) first entry of the agenda on each day, in a list ordered by (phase, order); -1 for none
    last: Ints32  # (days,) last entry of each day, if there is a first
    free: Ints  # (1,) first of the list of unused entries
    overflow: Ints  # (1,) 1 if there was no room for an entry
    raised: Ints  # (1,) 1 if a user's policy raised an exception
    due: Ints  # (1,) number of resources that are to be granted
    first_due: Ints  # (1,) none of those comes before
    queue: Ints  # (resources, P) waiting projects in order of rank
    served: Ints  # (P,) scratch: those that a grant serves, or turns away
    score: Floats  # (P,) scratch: of a round's reviews; keys of a queue
    worst: Bools  # (P,) scratch: those that a round drops
    ready: Ints  # (P, D) days worked when a deliverable is handed in; -1 while work on it has not begun
    announced: Ints  # (G, Y) budgets of later years together
    seats_used: Ints  # (Q,)
    units: Ints  # (F,)
    reserved: Bools  # scratch: (N,) or (F,), asked for by a project of higher rank


def blank_state(world: Case) -> dict[str, Any]:
    """Room for one replication's state."""
    projects, lines, partners = len(world.programme), len(world.tranches), len(world.places)
    resources = 3 * lines + 2 + len(world.seats)
    # One live entry a project; a wait for facilities leaves a void one behind for each attempt and tranche.
    entries = 64 + 4 * lines + 2 * (world.budget.shape[1] + 1) * partners + len(world.dependent)
    entries += projects * (
        5 + 8 * world.attempts + 2 * world.home.shape[1] + int(most_extensions(world).max(initial=0))
    )
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("served", "score", "worst"), (projects,))
    shapes |= dict.fromkeys(("first", "last"), (world.horizon,)) | dict.fromkeys(
        ("free", "overflow", "raised", "due", "first_due"), (1,)
    )
    shapes |= {"queue": (resources, max(projects, 1)), "ready": world.asked.shape, "announced": world.budget.shape}
    shapes |= {"seats_used": (len(world.seats),), "units": (len(world.capacity),)}
    shapes |= {"reserved": (max(partners, len(world.capacity)),)}
    state: dict[str, Any] = blank(State, shapes)
    state |= {"entry": records(Entry, entries), "resource": records(Resource, resources)}
    state |= {
        "project": records(Project, projects),
        "line": records(Line, lines),
        "partner": records(Partner, partners),
    }
    state["first"][:] = -1
    state["entry"]["after"] = np.append(np.arange(1, entries), -1)
    state["announced"][:] = world.budget[:, ::-1].cumsum(axis=1)[:, ::-1] - world.budget
    return state
