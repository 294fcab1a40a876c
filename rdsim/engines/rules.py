"""Purse, gate, step and tie rules: plain functions of numbers, used by both engines.

The SimPy engine calls them as they stand; the compiled engine compiles these very objects. So they take
and return plain numbers, and know nothing of either engine.

Ties. Everything that happens is an entry of one agenda, ordered by (day, phase, order). At equal days the
phases are, from first to last,

    1 YEAR       year end, new money, new starts      order: the year end first, then programme by programme,
                 and what is stopped by decision      then by rank
    2 WORK       step and tranche ends, refunds       order: rank of the project
    3 BREAK      breaks in relations                  order: partner
    4 PANEL      panel ends and gate decisions        order: rank; half-year rounds after them, by programme
    5 AGREEMENT  ends of agreement talks              order: rank
    6 RELEASE    a partner opens or opens again       order: partner
    7 REQUEST    projects come up for a start         order: rank
    8 GRANT      resources are granted by rank        order: starts, places, purses, panels, facilities

and what an entry causes on the same day in an earlier phase is done before the rest of a later phase: (2)
to (8) again until nothing changes. Money, places, seats and units that are given back are free at once,
and, since grants come last, all that is given back on a day is there before anything is granted. Requests
for places, money, seats and units join their queue in the phase in which they arise, for the same reason.
A grant decides who is served first, by rank or by the queue's rule (`rdsim.queues`), then the served go on, in order of
rank.

How a gate judges is a policy of its own: see `rdsim.gates`. What is carried over is a rule that plans share with the
engines: see `rdsim.purses`. Each rule has a number: docs/events.md tells it.

Model: E1, E2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rdsim.purses import carry_over

__all__ = [
    "AGREEMENT",
    "BREAK",
    "GRANT",
    "PANEL",
    "PARTNER_COST",
    "RELEASE",
    "REQUEST",
    "WORK",
    "YEAR",
    "at_rate",
    "attempt",
    "carry_over",
    "fits",
    "hopeless",
    "next_round",
    "planned_trl",
    "refund",
    "talk_days",
    "work_days",
]

__compiled__ = True

ROUND_DAYS: Final = 180
MILLION: Final = 1_000_000

YEAR: Final = 1
WORK: Final = 2
BREAK: Final = 3
PANEL: Final = 4
AGREEMENT: Final = 5
RELEASE: Final = 6
REQUEST: Final = 7
GRANT: Final = 8

PARTNER_COST: Final = -1
"""Tranche that a purse rule is told for the cost of a partner."""

SUCCESS: Final = 0
SETBACK: Final = 1
FAILURE: Final = 2


# --- the purse ------------------------------------------------------------------------------------


def fits(amount: int, purse: int) -> bool:
    """Whether a request can be paid from what is in the purse.

    Model: E20.
    """
    return amount <= purse


def hopeless(amount: int, purse: int, announced: int) -> bool:
    """Whether a request is larger than all money still to come: the purse and the announced later budgets.

    Model: E20.
    """
    return amount > purse + announced


def refund(paid: int, unused_days: int, tranche_days: int) -> int:
    """Won given back for the unused days of a tranche, rounded down.

    Model: E24.
    """
    return paid // tranche_days * unused_days + paid % tranche_days * unused_days // tranche_days


def at_rate(amount: int, rate_ppm: int) -> int:
    """Won that an amount planned at rate 1 costs at an exchange rate in millionths, rounded down.

    Model: E18.
    """
    return amount // MILLION * rate_ppm + amount % MILLION * rate_ppm // MILLION


# --- partnership ----------------------------------------------------------------------------------


def talk_days(base: int, rate_ppm: int) -> int:
    """Whole days of a stage of talks: its luck in days times a factor in millionths, rounded up, at least 1.

    Model: E14.
    """
    return max(-(-base * rate_ppm // MILLION), 1)


# --- technical work -------------------------------------------------------------------------------


def work_days(base: float, factor: float) -> int:
    """Whole days of a step: its luck in days times the partner's factor, rounded up, at least 1.

    Model: E25.
    """
    days = base * factor
    whole = int(days)
    if whole < days:
        whole += 1
    return max(whole, 1)


def attempt(luck: float, success: float, setback: float) -> int:
    """Outcome of an attempt: SUCCESS with probability `success`; else SETBACK with `setback`, else FAILURE.

    Model: E28.
    """
    if luck < success:
        return SUCCESS
    if luck < success + (1.0 - success) * setback:
        return SETBACK
    return FAILURE


# --- gates ----------------------------------------------------------------------------------------


def planned_trl(median_days: Sequence[int], trl: int, target: int, funded_days: int) -> int:
    """TRL planned after the funded days, if each step takes its median.

    `median_days[k]` is the time from the start TRL until k + 1 steps are done.

    Model: E33.
    """
    reached = trl
    while reached < target and median_days[reached - trl] <= funded_days:
        reached += 1
    return reached


def next_round(day: int) -> int:
    """The first half-year round on or after a day.

    Model: E37.
    """
    return -(-day // ROUND_DAYS) * ROUND_DAYS
