"""Gates: seats, rounds, decisions."""

from __future__ import annotations

from rdsim.engines.compiled import draws
from rdsim.engines.compiled.agenda import expect, join, panel_of, push, rounds_of, wait_for
from rdsim.engines.compiled.contracts import (
    ALWAYS_PASS,
    AT_BETWEEN,
    AT_PANEL,
    AT_REVIEWED,
    AT_ROUNDS,
    DO_REVIEW,
    DO_ROUND,
    EXHAUSTED,
    NO,
    NONE,
    PANEL,
    RAISED,
    STOPPED,
    THRESHOLD,
    deliverables_in,
    drop_count,
    next_round,
    planned_trl,
    threshold,
)
from rdsim.engines.compiled.endings import finish, give_back_seat
from rdsim.engines.compiled.money import ask_money
from rdsim.engines.compiled.queues import arrange, of_panel, restore
from rdsim.engines.compiled.work import fund
from rdsim.native.calls import call
from rdsim.native.jit import inline

__all__ = [
    "await_round",
    "count_drops",
    "count_missing",
    "decide",
    "deliverable_bits",
    "end_review",
    "end_tranche",
    "grant_seats",
    "hold_round",
    "lead",
    "on_plan",
]


@inline
def end_tranche(c, o, s, p, t):
    """Model: E31."""
    g = c.programme[p]
    if s.tranche[p] + 1 == c.tranches[g]:
        finish(c, o, s, p, t, EXHAUSTED, NO)
    elif c.rounds[g]:
        await_round(c, s, g, p, t)
    elif c.panel[g] >= 0:
        wait_for(s, t, p, AT_PANEL, panel_of(c, c.panel[g]))
    else:
        s.stage[p] = AT_REVIEWED
        expect(s, p, t, PANEL, DO_REVIEW)


@inline
def await_round(c, s, g, p, t):
    """Model: E37."""
    s.stage[p] = AT_ROUNDS
    s.since[p] = t
    join(s, rounds_of(c, g), p)
    day = next_round(t)
    if s.round_day[g] != day:
        s.round_day[g] = day
        push(s, day, PANEL, len(c.programme) + g, DO_ROUND, NONE, g)


@inline
def grant_seats(c, o, s, q, t):
    """Model: E32."""
    queue = panel_of(c, q)
    row = s.queue[queue]
    arrange(c, s, t, of_panel(q), queue, c.review_days[q])
    n = min(s.waiting[queue], c.seats[q] - s.seats_used[q])
    s.waiting[queue] -= n
    s.seats_used[q] += n
    o.peak_seats[q] = max(o.peak_seats[q], s.seats_used[q])
    for k in range(n):
        p = row[k]
        o.wait_panel[p] += t - s.since[p]
        s.stage[p] = AT_REVIEWED
        expect(s, p, t + c.review_days[q], PANEL, DO_REVIEW)
    for k in range(s.waiting[queue]):
        row[k] = row[k + n]
    restore(c, s, of_panel(q), queue, NONE)


@inline
def lead(c, o, s, p):
    """Model: E33."""
    planned = planned_trl(c.median_days[p], c.trl[p], c.target[p], o.funded_days[p])
    return s.trl_now[p] - planned


@inline
def deliverable_bits(c, o, p):
    """Deliverables handed in, as bits."""
    bits = 0
    for d in range(c.deliverables[c.programme[p]]):
        if o.delivered_day[p, d] >= 0:
            bits |= 1 << d
    return bits


@inline
def count_missing(c, o, s, p):
    """Deliverables asked for, due at this gate and not handed in.

    Model: E35.
    """
    g = c.programme[p]
    count = 0
    for d in range(c.deliverables[g]):
        if c.asked[p, d] and 0 < c.due_tranche[g, d] <= s.tranche[p] + 1 and o.delivered_day[p, d] < 0:
            count += 1
    return count


@inline
def on_plan(c, u, o, s, p):
    """Model: E35, E36, E37."""
    g = c.programme[p]
    if c.policy[g] == ALWAYS_PASS:
        return True
    luck = draws.gate(u, c.technology[p], o.reviews[p])
    ahead, missing = lead(c, o, s, p), count_missing(c, o, s, p)
    if c.judge[g] != 0:
        alpha, beta, tolerance, own = c.alpha[g], c.beta[g], c.tolerance[g], c.gate_own[g]
        seen, trl, target = o.reviews[p], s.trl_now[p], c.target[p]
        verdict = call(c.judge[g], ahead, missing, luck, alpha, beta, tolerance, seen, trl, target, own)
        if verdict == RAISED:
            s.raised[0] = 1
        return verdict == 1
    if c.policy[g] == THRESHOLD:
        return threshold(ahead, missing, luck, c.alpha[g], c.beta[g], c.tolerance[g])
    return deliverables_in(missing, luck, c.beta[g])


@inline
def decide(c, u, o, s, p, t):
    """Model: E34."""
    g = c.programme[p]
    passed = on_plan(c, u, o, s, p)
    o.reviews[p] += 1
    if passed:
        s.tranche[p] += 1
        ask_money(c, s, p, t)
    elif o.extensions[p] < c.extensions[g]:
        o.extensions[p] += 1
        s.extended[p] = True
        fund(c, u, o, s, p, t, c.extension_days[g])
    else:
        finish(c, o, s, p, t, STOPPED, NO)


@inline
def end_review(c, u, o, s, p, t):
    """Model: E32, E34."""
    give_back_seat(c, s, p)
    s.stage[p] = AT_BETWEEN
    decide(c, u, o, s, p, t)


@inline
def count_drops(c, s, g, n):
    """How many of a round's reviews are dropped; the fraction is carried to the next round.

    Model: E37.
    """
    if c.drops[g] == 0:
        drops, s.fraction[g] = drop_count(n, c.drop_ppm[g], s.fraction[g])
        return drops
    drops = call(c.drops[g], n, c.drop_ppm[g], s.fraction[g], c.gate_own[g])
    left = call(c.left[g], n, c.drop_ppm[g], s.fraction[g], c.gate_own[g])
    if RAISED in (drops, left):
        s.raised[0] = 1
        return 0
    s.fraction[g] = left
    return drops


@inline
def hold_round(c, u, o, s, g, t):
    """Drop the worst of those who wait for this round, then decide on the others, both in order of rank.

    Model: E37.
    """
    queue = rounds_of(c, g)
    row = s.queue[queue]
    n = s.waiting[queue]
    for k in range(n):
        p = row[k]
        s.served[k] = p
        s.worst[k] = False
        s.score[k] = lead(c, o, s, p) + draws.review_error(u, c.technology[p], o.reviews[p])
    drops = count_drops(c, s, g, n)
    for _ in range(min(drops, n)):
        lowest = -1
        for k in range(n):
            # Of equals, the one of lower rank (served later everywhere) is dropped.
            if not s.worst[k] and (lowest < 0 or s.score[k] <= s.score[lowest]):
                lowest = k
        s.worst[lowest] = True
    s.waiting[queue] = 0
    for k in range(n):
        p = s.served[k]
        s.stage[p] = AT_BETWEEN
        o.wait_panel[p] += t - s.since[p]
        if s.worst[k]:
            o.reviews[p] += 1
            finish(c, o, s, p, t, STOPPED, NO)
        else:
            decide(c, u, o, s, p, t)
