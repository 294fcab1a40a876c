"""Places, talks, agreements and breaks."""

from __future__ import annotations

import numpy as np

from rdsim.engines.compiled import draws
from rdsim.engines.compiled.agenda import expect, fill, grant_soon, places, purse_of, push, wait_for
from rdsim.engines.compiled.contracts import (
    AGREEMENT,
    AT_BETWEEN,
    AT_MONEY,
    AT_PLACE,
    AT_TALKING,
    CLOSED,
    DO_REOPEN,
    DO_TALKS,
    DROPPED,
    FREE,
    FULL,
    HOPELESS,
    IS_CLAIMED,
    IS_NEVER,
    IS_NEW,
    IS_OPEN,
    NO,
    NONE,
    RELEASE,
    YES,
    talk_days,
)
from rdsim.engines.compiled.endings import finish, give_back_place
from rdsim.engines.compiled.money import ask_money, open_partner
from rdsim.engines.compiled.queues import OF_PLACES, arrange, restore
from rdsim.native.jit import inline, jit

__all__ = [
    "after_place",
    "agree",
    "break_off",
    "claim_opening",
    "end_talks",
    "experience",
    "fall_back",
    "grant_places",
    "keep_places",
    "lose_partner",
    "prospect",
    "prospect_at",
    "seek_place",
    "take_place",
    "talk",
]


@inline
def seek_place(c, o, s, p, t):
    """Model: E12."""
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0 and s.partner[n] == IS_NEW:
            claim_opening(c, o, s, n, t)
    wait_for(s, t, p, AT_PLACE, places(c))


@inline
def claim_opening(c, o, s, n, t):
    """Model: E12."""
    amount = c.setup_cost[n] + c.running_cost[n]
    if c.network < 0 or amount == 0:
        open_partner(c, o, s, n, t)
        return
    s.partner[n] = IS_CLAIMED
    s.claim[n] = amount
    grant_soon(s, purse_of(c, c.network))


@inline
def prospect(c, s, p, t):
    """What a project that waits for places can expect of all its partners together."""
    found = FREE
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0:
            found = min(found, prospect_at(c, s, n, t))
    return found


@inline
def prospect_at(c, s, n, t):
    """Model: E13."""
    if s.partner[n] == IS_NEVER:
        return HOPELESS
    if s.partner[n] != IS_OPEN or t < s.closed_until[n]:
        return CLOSED
    return FULL if s.used[n] >= c.places[n] or s.reserved[n] else FREE


@inline
def take_place(c, o, s, p, t):
    """Model: E13."""
    s.holding[p] = True
    o.place_day[p] = t
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0:
            s.used[n] += 1
            o.peak_places[n] = max(o.peak_places[n], s.used[n])


@jit
def fall_back(c, o, s, p, t):
    """Without an agreement: go on as a domestic project, or be dropped.

    Model: E16.
    """
    give_back_place(c, o, s, p, t)
    if c.drop_fallback[p]:
        finish(c, o, s, p, t, DROPPED, NO)
        return
    s.joint[p] = False
    o.fell_back[p] = 1
    ask_money(c, s, p, t)


@inline
def after_place(c, u, o, s, p, t):
    """Model: E13, E14."""
    s.stage[p] = AT_BETWEEN
    o.wait_place[p] += t - s.since[p]
    if not s.holding[p]:
        fall_back(c, o, s, p, t)
        return
    s.stage[p] = AT_TALKING
    s.pace[p] = c.learning_ppm[min(experience(c, s, p), len(c.learning_ppm) - 1)]
    talk(u, s, p, t)


@inline
def experience(c, s, p):
    """Agreements so far with a project's partner, or with the member of the consortium that has the fewest.

    Model: E14.
    """
    fewest = np.int64(len(c.programme))
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0:
            fewest = min(fewest, s.agreements[n])
    return fewest


@inline
def talk(u, s, p, t):
    """Model: E14."""
    expect(s, p, t + talk_days(draws.agreement_days(u, p, s.formed[p]), s.pace[p]), AGREEMENT, DO_TALKS)


@inline
def keep_places(c, s, p):
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0:
            s.reserved[n] = True


@inline
def grant_places(c, u, o, s, t):
    """Model: E13."""
    queue = places(c)
    row = s.queue[queue]
    arrange(c, s, t, OF_PLACES, queue, NONE)
    fill(s.reserved, NO)
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        found = prospect(c, s, p, t)
        if found == FREE:
            take_place(c, o, s, p, t)
        if found in (FREE, HOPELESS):
            s.served[served] = p
            served += 1
            continue
        if found == FULL:  # who waits for a partner to open keeps no place from those of lower rank
            keep_places(c, s, p)
        row[kept] = p
        kept += 1
    s.waiting[queue] = kept
    restore(c, s, OF_PLACES, queue, served)
    for k in range(served):
        after_place(c, u, o, s, s.served[k], t)


@inline
def end_talks(c, u, o, s, p, t):
    """A stage of talks ends: on to the next, to the agreement, or to nothing.

    Model: E14.
    """
    stage = s.formed[p]
    if not draws.stage_succeeds(u, p, stage):
        s.stage[p] = AT_BETWEEN
        fall_back(c, o, s, p, t)
        return
    o.formed_day[p, stage] = t
    s.formed[p] = stage + 1
    if stage + 1 < c.stages[p]:
        talk(u, s, p, t)
    else:
        s.stage[p] = AT_BETWEEN
        agree(c, o, s, p, t)


@inline
def agree(c, o, s, p, t):
    """Model: E15."""
    o.agreement_day[p] = t
    for m in range(len(c.member[p])):
        if c.member[p, m] >= 0:
            s.agreements[c.member[p, m]] += 1
    ask_money(c, s, p, t)


@inline
def is_member(c, p, n):
    for m in range(len(c.member[p])):
        if c.member[p, m] == n:
            return True
    return False


@inline
def lose_partner(c, o, s, p, t):
    """Model: E17."""
    o.lost_partner[p] = 1
    if s.stage[p] == AT_TALKING:
        s.stage[p] = AT_BETWEEN
        s.token[p] += 1
        fall_back(c, o, s, p, t)
    elif c.drop_fallback[p]:
        finish(c, o, s, p, t, DROPPED, YES)
    else:
        give_back_place(c, o, s, p, t)
        s.joint[p] = False
        o.fell_back[p] = 1
        if s.stage[p] == AT_MONEY:
            grant_soon(s, purse_of(c, c.programme[p]))


@inline
def break_off(c, o, s, n, t):
    """Model: E17."""
    s.closed_until[n] = max(s.closed_until[n], t + c.closed_days)
    push(s, s.closed_until[n], RELEASE, n, DO_REOPEN, NONE, n)
    for p in range(len(c.programme)):
        if s.holding[p] and is_member(c, p, n):
            lose_partner(c, o, s, p, t)
