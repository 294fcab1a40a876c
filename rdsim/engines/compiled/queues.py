"""Queues that are not served in order of rank: put in the order of their rule for a grant, and back after it."""

from __future__ import annotations

import math

from rdsim.engines.compiled.contracts import FIRST_COME, NONE, RANK, REMAINING, first_come
from rdsim.native.calls import number
from rdsim.native.jit import inline, jit

__all__ = ["OF_PLACES", "arrange", "of_facilities", "of_panel", "of_starts", "restore"]


OF_PLACES = NONE


@inline
def of_panel(q):
    return 1 + q


@inline
def of_facilities(c):
    return 1 + len(c.seats)


@inline
def of_starts(c):
    return 2 + len(c.seats)


@inline
def arrange(c, s, t, rule, queue, days):
    """Put a queue in the order in which its rule has it looked at; `days` are asked for, or REMAINING.

    Model: E3.
    """
    if c.queue_rule[rule] != RANK:
        sort_by_key(c, s, t, rule, queue, days)


@inline
def restore(c, s, rule, queue, served):
    """Put what is left of a queue, and those served, in order of rank again.

    Model: E2.
    """
    if c.queue_rule[rule] != RANK:
        sort_by_rank(s.queue[queue], s.waiting[queue])
        sort_by_rank(s.served, served)


@inline
def key(c, s, t, rule, p, days):
    """Model: E3, E5."""
    waited = t - s.since[p]
    if c.queue_rule[rule] == FIRST_COME:
        return float(first_come(waited))
    asked = s.remaining[p] if days == REMAINING else days
    own, left = c.queue_own[rule], c.deadline[p] - t
    found = number(c.queue_key[rule], p, waited, asked, s.trl_now[p], c.target[p], left, c.value[p], s.tranche[p], own)
    if math.isnan(found):  # no number: the function raised an exception, or gave none
        s.raised[0] = 1
        return 0.0
    return found


@jit
def sort_by_key(c, s, t, rule, queue, days):
    """Insert one after another; those that have equal keys stay in order of rank.

    Model: E3, E4.
    """
    row = s.queue[queue]
    for k in range(s.waiting[queue]):
        p = row[k]
        mine = key(c, s, t, rule, p, days)
        j = k
        while j > 0 and s.score[j - 1] > mine:
            row[j] = row[j - 1]
            s.score[j] = s.score[j - 1]
            j -= 1
        row[j] = p
        s.score[j] = mine


@jit
def sort_by_rank(row, count):
    for k in range(count):
        p = row[k]
        j = k
        while j > 0 and row[j - 1] > p:
            row[j] = row[j - 1]
            j -= 1
        row[j] = p
