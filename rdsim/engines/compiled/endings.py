"""The end of research and development: what a project gives back, wherever it stands."""

from __future__ import annotations

from rdsim.case import DAYS_PER_YEAR
from rdsim.engines.compiled.agenda import (
    facilities,
    grant_soon,
    hand_on,
    leave,
    panel_of,
    places,
    purse_of,
    push,
    rounds_of,
)
from rdsim.engines.compiled.contracts import (
    AT_BETWEEN,
    AT_ENDED,
    AT_FACILITY,
    AT_MONEY,
    AT_PANEL,
    AT_PLACE,
    AT_REVIEWED,
    AT_ROUNDS,
    AT_SCHEDULED,
    AT_START,
    AT_WORKING,
    DO_LOOK,
    NONE,
    REQUEST,
    refund,
)
from rdsim.native.jit import inline, jit

__all__ = [
    "begin_deliverables",
    "count_wait",
    "count_work",
    "finish",
    "give_back_place",
    "give_back_seat",
    "give_back_units",
    "give_refund",
    "hand_in",
    "planned_day",
    "queue_of",
    "stop_work",
    "withdraw",
]


@inline
def give_back_place(c, o, s, p, t):
    """Model: E38."""
    for m in range(len(c.member[p])):
        n = c.member[p, m]
        if n >= 0:
            s.used[n] -= s.holding[p]
            s.live[n] -= s.counted[p]
    if s.holding[p]:
        o.freed_day[p] = t
        hand_on(s, places(c))
    s.holding[p] = False
    s.counted[p] = False


@inline
def give_back_units(c, s, p):
    """Model: E26."""
    if s.using[p]:
        need = c.needs[p, s.trl_now[p] - 1]
        for f in range(len(need)):
            s.units[f] -= need[f]
        s.using[p] = False
        hand_on(s, facilities(c))


@inline
def count_work(c, o, s, p, until):
    """Count the days worked since the work was taken up, and hand in what they completed.

    Model: E29.
    """
    before = o.worked_days[p]
    o.worked_days[p] += until - s.run_from[p]
    for d in range(c.deliverables[c.programme[p]]):
        if before < s.ready[p, d] <= o.worked_days[p]:
            hand_in(c, o, p, d, until - (o.worked_days[p] - s.ready[p, d]))


@inline
def hand_in(c, o, p, d, day):
    """Hand in a deliverable, unless it all ends before.

    Model: E29.
    """
    if day < c.horizon:
        o.delivered_day[p, d] = day


@inline
def begin_deliverables(c, u, o, s, p, t, first):
    """Work begins on what is waiting for a TRL from `first` to that now reached; what needs no work is handed in.

    Model: E29.
    """
    for d in range(c.deliverables[c.programme[p]]):
        if c.asked[p, d] and first <= c.after_trl[c.programme[p], d] <= s.trl_now[p]:
            needed = u.deliverable_days[c.technology[p], d]
            s.ready[p, d] = o.worked_days[p] + needed
            if needed == 0:
                hand_in(c, o, p, d, t)


@inline
def stop_work(c, o, s, p, t):
    """Lay down the work: count it, give back units, or stop waiting for them.

    Model: E27.
    """
    if s.stage[p] == AT_FACILITY:
        o.wait_facility[p] += t - s.since[p]
        leave(s, facilities(c), p)
    elif s.stage[p] == AT_WORKING:
        s.remaining[p] -= t - s.run_from[p]
        count_work(c, o, s, p, t)
        give_back_units(c, s, p)
    s.stage[p] = AT_BETWEEN


@inline
def give_back_seat(c, s, p):
    """Model: E32."""
    q = c.panel[c.programme[p]]
    if q >= 0:
        s.seats_used[q] -= 1
        hand_on(s, panel_of(c, q))


@inline
def queue_of(c, s, p):
    """The queue that a project stands in, or -1."""
    g, stage = c.programme[p], s.stage[p]
    if stage == AT_START:
        return g
    if stage == AT_PLACE:
        return places(c)
    if stage == AT_MONEY:
        return purse_of(c, g)
    if stage == AT_PANEL:
        return panel_of(c, c.panel[g])
    if stage == AT_ROUNDS:
        return rounds_of(c, g)
    return -1


@inline
def count_wait(o, s, p, t):
    stage, waited = s.stage[p], t - s.since[p]
    if stage == AT_START:
        o.wait_start[p] += waited
    elif stage == AT_PLACE:
        o.wait_place[p] += waited
    elif stage == AT_MONEY:
        o.wait_money[p] += waited
    else:
        o.wait_panel[p] += waited


@inline
def planned_day(c, p):
    """The day on which a project comes up for a start.

    Model: E10.
    """
    return c.start_year[p] * DAYS_PER_YEAR + c.call_day[c.programme[p]]


@inline
def withdraw(c, o, s, p, t):
    """Take a project out of whatever it was doing or waiting for.

    Model: E39.
    """
    queue = queue_of(c, s, p)
    if queue >= 0:
        leave(s, queue, p)
        if s.stage[p] != AT_ROUNDS:
            grant_soon(s, queue)  # it may have kept something from those behind it
        count_wait(o, s, p, t)
    elif s.stage[p] == AT_REVIEWED:
        give_back_seat(c, s, p)
    elif s.stage[p] == AT_SCHEDULED:
        o.wait_prerequisite[p] = max(0, t - planned_day(c, p))
    else:
        if s.stage[p] == AT_FACILITY:
            grant_soon(s, facilities(c))
        stop_work(c, o, s, p, t)


@inline
def give_refund(c, o, s, p, t):
    """Model: E24, E42."""
    g, k = c.programme[p], s.tranche[p]
    unused = s.funded_end[p] - t
    if unused <= 0 or s.extended[p]:
        return
    returnable = o.paid[p, k]
    if o.lost_partner[p]:
        returnable -= o.paid_abroad[p, k]
    amount = refund(returnable, unused, c.tranche_days[g, k])
    if not c.alone:
        s.purse[g] += amount
    o.refund[p] = amount
    o.refund_day[p] = t
    o.refunded[g, t // DAYS_PER_YEAR] += amount
    grant_soon(s, purse_of(c, g))


@jit
def finish(c, o, s, p, t, end_state, interrupted):
    """Model: E38."""
    if interrupted:
        withdraw(c, o, s, p, t)
    give_refund(c, o, s, p, t)
    give_back_place(c, o, s, p, t)
    s.stage[p] = AT_ENDED
    s.token[p] += 1
    o.end_state[p] = end_state
    o.end_day[p] = t
    for k in range(c.dependent_start[p], c.dependent_start[p + 1]):
        push(s, t, REQUEST, c.dependent[k], DO_LOOK, NONE, c.dependent[k])
