"""The event loop: starts, the year, the horizon, and the dispatch of entries."""

from __future__ import annotations

from rdsim.case import DAYS_PER_YEAR
from rdsim.engines.compiled import draws
from rdsim.engines.compiled.agenda import (
    clear,
    facilities,
    fill,
    grant_soon,
    next_grant,
    panel_of,
    places,
    pop,
    purse_of,
    push,
    wait_for,
)
from rdsim.engines.compiled.contracts import (
    AT_BETWEEN,
    AT_ENDED,
    AT_FACILITY,
    AT_MONEY,
    AT_PANEL,
    AT_PLACE,
    AT_ROUNDS,
    AT_SCHEDULED,
    AT_START,
    AT_WORKING,
    BLOCKED,
    BREAK,
    DO_BREAK,
    DO_CALL,
    DO_LOOK,
    DO_READY,
    DO_REVIEW,
    DO_ROUND,
    DO_STOP,
    DO_TALKS,
    DO_WORK,
    DO_YEAR_END,
    IS_NEW,
    IS_OPEN,
    IS_OPENING,
    NO,
    NONE,
    REQUEST,
    STOPPED,
    TARGET,
    YEAR,
    YES,
    carry_over,
    work_days,
)
from rdsim.engines.compiled.endings import begin_deliverables, count_work, finish, planned_day, stop_work
from rdsim.engines.compiled.gate import deliverable_bits, end_review, end_tranche, grant_seats, hold_round
from rdsim.engines.compiled.money import ask_money, grant_money, open_requests
from rdsim.engines.compiled.partnership import break_off, end_talks, grant_places, seek_place
from rdsim.engines.compiled.queues import arrange, of_starts, restore
from rdsim.engines.compiled.work import end_attempt, grant_facilities, start_work
from rdsim.native.blocks import select, wipe
from rdsim.native.jit import inline, jit

__all__ = [
    "close",
    "close_attempt",
    "close_project",
    "end_year",
    "grant",
    "grant_starts",
    "handle",
    "look",
    "open_call",
    "prepare",
    "replicate",
    "stop",
    "work",
]


@inline
def look(c, o, s, p, t):
    """Come up for a start: at the planned call, and whenever a prerequisite has ended.

    Model: E10.
    """
    g = c.programme[p]
    planned = planned_day(c, p)
    if s.stage[p] != AT_SCHEDULED or t < planned:
        return
    met = True
    for k in range(c.prerequisite_start[p], c.prerequisite_start[p + 1]):
        other = c.prerequisite[k]
        if other < 0 or (s.stage[other] == AT_ENDED and o.end_state[other] != TARGET):
            o.wait_prerequisite[p] = t - planned
            finish(c, o, s, p, t, BLOCKED, NO)
            return
        met = met and s.stage[other] == AT_ENDED
    if met:
        o.wait_prerequisite[p] = t - planned
        wait_for(s, t, p, AT_START, g)


@inline
def grant_starts(c, u, o, s, g, t):
    """Model: E11."""
    row = s.queue[g]
    arrange(c, s, t, of_starts(c), g, NONE)
    n = min(s.waiting[g], s.starts_left[g])
    for k in range(n):
        s.served[k] = row[k]
    s.starts_left[g] -= n
    s.waiting[g] -= n
    for k in range(s.waiting[g]):
        row[k] = row[k + n]
    restore(c, s, of_starts(c), g, n)
    for k in range(n):
        p = s.served[k]
        s.stage[p] = AT_BETWEEN
        o.start_day[p] = t
        o.wait_start[p] = t - s.since[p]
        o.trl_day[p, c.trl[p] - 1] = t
        begin_deliverables(c, u, o, s, p, t, NONE)
        if c.joint[p]:
            seek_place(c, o, s, p, t)
        else:
            ask_money(c, s, p, t)


@inline
def stop(c, o, s, p, t):
    """A decision ends a project, wherever it stands.

    Model: E9.
    """
    if s.stage[p] != AT_ENDED:
        finish(c, o, s, p, t, STOPPED, YES)


@inline
def work(c, u, o, s, p, t):
    """A step ends, the tranche ends, or both; the step comes first.

    Model: E27.
    """
    ran = s.stage[p] == AT_WORKING
    stop_work(c, o, s, p, t)
    if ran and s.remaining[p] == 0:
        end_attempt(c, u, o, s, p, t)
        if s.stage[p] == AT_ENDED:
            return
    if t == s.funded_end[p]:
        end_tranche(c, o, s, p, t)
    else:
        start_work(c, u, s, p, t)


@inline
def end_year(c, u, o, s, t):
    """Count what went unserved, carry over, let lapse, take the new year's money, ask for partners' running cost.

    Model: E6, E7.
    """
    y = t // DAYS_PER_YEAR
    for g in range(len(c.tranches)):
        if y > 0:
            o.short[g, y - 1] = open_requests(c, u, s, g, y - 1)
            carried = carry_over(s.purse[g], c.carry_ppm[g])
            o.lapsed[g, y - 1] = s.purse[g] - carried
            o.carried_in[g, y] = carried
            s.purse[g] = carried
        o.new_money[g, y] = u.budget[g, y]
        s.purse[g] += u.budget[g, y]
        s.starts_left[g] = 0
        push(s, t + c.call_day[g], YEAR, 1 + g, DO_CALL, NONE, g)
        grant_soon(s, purse_of(c, g))
    if c.network >= 0:
        for n in range(len(c.places)):
            kept = c.kept[n, y]
            if (kept > 0 or (kept < 0 and s.live[n] > 0)) and s.partner[n] in (IS_OPENING, IS_OPEN):
                s.claim[n] += c.running_cost[n]
    if t + DAYS_PER_YEAR < c.horizon:
        push(s, t + DAYS_PER_YEAR, YEAR, NONE, DO_YEAR_END, NONE, NONE)


@inline
def open_call(c, s, g, t):
    """Model: E8."""
    s.starts_left[g] = c.starts[g, t // DAYS_PER_YEAR]
    grant_soon(s, g)


@inline
def close_project(c, o, s, p):
    """Model: E41."""
    stage, waited = s.stage[p], c.horizon - s.since[p]
    if stage == AT_START:
        o.wait_start[p] += waited
    elif stage == AT_PLACE:
        o.wait_place[p] += waited
    elif stage == AT_MONEY:
        o.wait_money[p] += waited
    elif stage in (AT_PANEL, AT_ROUNDS):
        o.wait_panel[p] += waited
    elif stage == AT_FACILITY:
        o.wait_facility[p] += waited
    elif stage == AT_WORKING:
        count_work(c, o, s, p, c.horizon)
    elif stage == AT_SCHEDULED:
        o.wait_prerequisite[p] = max(0, c.horizon - planned_day(c, p))


@inline
def close_attempt(c, u, o, s, p):
    step, left = s.trl_now[p] - 1, s.remaining[p]
    o.attempt[p] = s.attempt[p]
    if left > 0:
        factor = c.factor[p, step] if s.step_joint[p] else 1.0
        if s.stage[p] == AT_WORKING:
            left -= c.horizon - s.run_from[p]
        o.progress[p] = work_days(draws.step_days(u, c.technology[p], step, s.attempt[p]), factor) - left


@inline
def close(c, u, o, s):
    """The horizon: what is under way stays `running`, what is left in the purses lapses.

    Model: E40, E41.
    """
    last = c.horizon // DAYS_PER_YEAR - 1
    for g in range(len(c.tranches)):
        o.lapsed[g, last] = s.purse[g]
        o.short[g, last] = open_requests(c, u, s, g, last)
    for p in range(len(c.programme)):
        close_project(c, o, s, p)
        if s.stage[p] != AT_ENDED:
            close_attempt(c, u, o, s, p)
        o.trl[p] = s.trl_now[p]
        o.joint_at_end[p] = s.joint[p]
        o.delivered[p] = deliverable_bits(c, o, p)
        if o.end_state[p] == TARGET and draws.commercial(u, c.technology[p]):
            day = o.end_day[p] + draws.market_days(u, c.technology[p])
            if day < c.horizon:
                o.market_day[p] = day


@inline
def grant(c, u, o, s, resource, t):
    """Model: E2."""
    lines = len(c.tranches)
    if resource < lines:
        grant_starts(c, u, o, s, resource, t)
    elif resource == places(c):
        grant_places(c, u, o, s, t)
    elif resource < panel_of(c, NONE):
        grant_money(c, u, o, s, resource - lines - 1, t)
    elif resource < facilities(c):
        grant_seats(c, o, s, resource - 2 * lines - 1, t)
    else:
        grant_facilities(c, o, s, t)


@inline
def handle(c, u, o, s, kind, index, t):
    """Model: E1."""
    if kind == DO_WORK:
        work(c, u, o, s, index, t)
    elif kind == DO_REVIEW:
        end_review(c, u, o, s, index, t)
    elif kind == DO_TALKS:
        end_talks(c, u, o, s, index, t)
    elif kind == DO_LOOK:
        look(c, o, s, index, t)
    elif kind == DO_YEAR_END:
        end_year(c, u, o, s, t)
    elif kind == DO_CALL:
        open_call(c, s, index, t)
    elif kind == DO_BREAK:
        break_off(c, o, s, index, t)
    elif kind == DO_ROUND:
        hold_round(c, u, o, s, index, t)
    elif kind == DO_STOP:
        stop(c, o, s, index, t)
    elif kind == DO_READY:
        s.partner[index] = IS_OPEN
        grant_soon(s, places(c))
    else:  # DO_REOPEN
        grant_soon(s, places(c))


@inline
def prepare(c, u, s):
    """Reset the state and write the first entries of the agenda.

    Model: E1.
    """
    clear(s)
    for resource in range(len(s.waiting)):
        s.waiting[resource] = 0
        s.granting[resource] = False
    for g in range(len(c.tranches)):
        s.purse[g] = 0
        s.starts_left[g] = 0
        s.fraction[g] = 0
        s.round_day[g] = -1
    fill(s.seats_used, NONE)
    fill(s.units, NONE)
    push(s, NONE, YEAR, NONE, DO_YEAR_END, NONE, NONE)
    for n in range(len(c.places)):
        prepare_partner(u, s, n)
    for p in range(len(c.programme)):
        prepare_project(c, s, p)


@inline
def prepare_partner(u, s, n):
    """Model: E17."""
    s.partner[n] = IS_NEW
    s.claim[n] = 0
    s.live[n] = 0
    s.closed_until[n] = 0
    s.used[n] = 0
    s.agreements[n] = 0
    for y in range(len(u.break_day[n])):
        if u.break_day[n, y] >= 0:
            push(s, u.break_day[n, y], BREAK, n, DO_BREAK, NONE, n)


@inline
def prepare_project(c, s, p):
    """Model: E9, E10."""
    s.stage[p] = AT_SCHEDULED
    s.token[p] = 0
    s.since[p] = 0
    s.trl_now[p] = c.trl[p]
    s.joint[p] = c.joint[p]
    s.counted[p] = c.joint[p]
    s.holding[p] = False
    s.using[p] = False
    s.formed[p] = 0
    s.tranche[p] = 0
    s.funded_end[p] = -1
    s.extended[p] = False
    s.attempt[p] = 0
    s.remaining[p] = 0
    for d in range(c.deliverables[c.programme[p]]):
        s.ready[p, d] = -1
    for m in range(len(c.member[p])):
        if c.member[p, m] >= 0:
            s.live[c.member[p, m]] += 1
    push(s, planned_day(c, p), REQUEST, p, DO_LOOK, NONE, p)
    if c.stop_year[p] >= 0:
        push(s, c.stop_year[p] * DAYS_PER_YEAR, YEAR, 1 + len(c.tranches) + p, DO_STOP, NONE, p)


@inline
def next_day(c, s, t):
    """The next day on which something is entered, or the horizon."""
    horizon, first = c.horizon, s.first
    t += 1
    while t < horizon and first[t] < 0:
        t += 1
    return t


@jit
def live(c, u, o, s):
    """Run one replication; returns the number of events handled.

    Model: E1, E2.
    """
    prepare(c, u, s)
    events, t = 0, NONE
    while t < c.horizon:
        if s.first[t] >= 0:
            entry = pop(s, t)
            kind, token, index = entry >> 56, (entry >> 24) & 0xFFFFFFFF, entry & 0xFFFFFF
            if token == 0 or token == s.token[index]:
                handle(c, u, o, s, kind, index, t)
                events += 1
        elif s.due[0] > 0:
            grant(c, u, o, s, next_grant(s), t)
            events += 1
        else:
            t = next_day(c, s, t)
    close(c, u, o, s)
    return events


@jit
def replicate(c, u, o, s, first, count):
    """Run replications first, first + 1, ...; returns the number of events handled."""
    events = 0
    for r in range(count):
        select(u, r)
        select(o, r)
        wipe(o)
        draws.deal(u, first + r)
        events += live(c, u, o, s)
    return events
