"""Places, talks, agreements and breaks."""

from __future__ import annotations

from rdsim.case import DROPPED
from rdsim.engines.compiled.agenda import expect, grant_soon, places, purse_of, push, wait_for
from rdsim.engines.compiled.contracts import (
    AT_BETWEEN,
    AT_MONEY,
    AT_PLACE,
    AT_TALKING,
    DO_REOPEN,
    DO_TALKS,
    IS_CLAIMED,
    IS_NEVER,
    IS_NEW,
    IS_OPEN,
)
from rdsim.engines.compiled.ending import finish, give_back_place
from rdsim.engines.compiled.money import ask_money, open_partner
from rdsim.engines.jit import jit
from rdsim.engines.rules import AGREEMENT, RELEASE

__all__ = [
    "after_place",
    "break_off",
    "claim_opening",
    "end_talks",
    "fall_back",
    "grant_places",
    "has_place",
    "is_hopeless_place",
    "lets_in",
    "lose_partner",
    "seek_place",
    "take_place",
]


@jit
def seek_place(c, o, s, r, p, t):
    for n in c.member[p]:
        if n >= 0 and s.partner[n] == IS_NEW:
            claim_opening(c, o, s, r, n, t)
    wait_for(s, t, p, AT_PLACE, places(c))


@jit
def claim_opening(c, o, s, r, n, t):
    amount = c.setup_cost[n] + c.running_cost[n]
    if c.network < 0 or amount == 0:
        open_partner(c, o, s, r, n, t)
        return
    s.partner[n] = IS_CLAIMED
    s.claim[n] = amount
    grant_soon(s, t, purse_of(c, c.network))


@jit
def lets_in(c, s, p, t):
    for n in c.member[p]:
        if n >= 0 and (s.partner[n] != IS_OPEN or t < s.closed_until[n]):
            return False
    return True


@jit
def has_place(c, s, p):
    for n in c.member[p]:
        if n >= 0 and (s.used[n] >= c.places[n] or s.reserved[n]):
            return False
    return True


@jit
def is_hopeless_place(c, s, p):
    for n in c.member[p]:
        if n >= 0 and s.partner[n] == IS_NEVER:
            return True
    return False


@jit
def take_place(c, o, s, r, p, t):
    s.holding[p] = True
    o.place_day[r, p] = t
    for n in c.member[p]:
        if n >= 0:
            s.used[n] += 1
            o.peak_places[r, n] = max(o.peak_places[r, n], s.used[n])


@jit
def fall_back(c, o, s, r, p, t):
    """Without an agreement: go on as a domestic project, or be dropped."""
    give_back_place(c, o, s, r, p, t)
    if c.drop_fallback[c.programme[p]]:
        finish(c, o, s, r, p, t, DROPPED, False)
        return
    s.joint[p] = False
    o.fell_back[r, p] = 1
    ask_money(c, s, p, t)


@jit
def after_place(c, u, o, s, r, p, t):
    s.stage[p] = AT_BETWEEN
    o.wait_place[r, p] += t - s.since[p]
    if not s.holding[p]:
        fall_back(c, o, s, r, p, t)
        return
    s.stage[p] = AT_TALKING
    expect(s, p, t + u.agreement_days[r, p], AGREEMENT, DO_TALKS)


@jit
def grant_places(c, u, o, s, r, t):
    queue = places(c)
    row = s.queue[queue]
    s.reserved[:] = False
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        turned_away = is_hopeless_place(c, s, p)
        let_in = not turned_away and lets_in(c, s, p, t)
        if turned_away or (let_in and has_place(c, s, p)):
            s.served[served] = p
            served += 1
            if not turned_away:
                take_place(c, o, s, r, p, t)
        else:
            # Who waits for a partner to open keeps no place from those of lower rank.
            for n in c.member[p]:
                if n >= 0 and let_in:
                    s.reserved[n] = True
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    for k in range(served):
        after_place(c, u, o, s, r, s.served[k], t)


@jit
def end_talks(c, u, o, s, r, p, t):
    s.stage[p] = AT_BETWEEN
    if u.agreed[r, p]:
        o.agreement_day[r, p] = t
        ask_money(c, s, p, t)
    else:
        fall_back(c, o, s, r, p, t)


@jit
def lose_partner(c, o, s, r, p, t):
    o.lost_partner[r, p] = 1
    if s.stage[p] == AT_TALKING:
        s.stage[p] = AT_BETWEEN
        s.token[p] += 1
        fall_back(c, o, s, r, p, t)
    elif c.drop_fallback[c.programme[p]]:
        finish(c, o, s, r, p, t, DROPPED, True)
    else:
        give_back_place(c, o, s, r, p, t)
        s.joint[p] = False
        o.fell_back[r, p] = 1
        if s.stage[p] == AT_MONEY:
            grant_soon(s, t, purse_of(c, c.programme[p]))


@jit
def break_off(c, o, s, r, n, t):
    s.closed_until[n] = max(s.closed_until[n], t + c.closed_days)
    push(s, s.closed_until[n], RELEASE, n, DO_REOPEN, 0, n)
    for p in range(len(c.programme)):
        if s.holding[p] and (c.member[p] == n).any():
            lose_partner(c, o, s, r, p, t)
