"""The event loop: starts, the year, the horizon, and the dispatch of entries."""

from __future__ import annotations

from rdsim.case import BLOCKED, DAYS_PER_YEAR, TARGET
from rdsim.engines.compiled.agenda import facilities, grant_soon, panel_of, places, pop, purse_of, push, wait_for
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
    DO_BREAK,
    DO_CALL,
    DO_GRANT,
    DO_LOOK,
    DO_READY,
    DO_REVIEW,
    DO_ROUND,
    DO_TALKS,
    DO_WORK,
    DO_YEAR_END,
    IS_NEW,
    IS_OPEN,
    IS_OPENING,
    carried_over,
)
from rdsim.engines.compiled.ending import finish, stop_work
from rdsim.engines.compiled.gate import end_review, end_tranche, grant_seats, handed_in, hold_round
from rdsim.engines.compiled.money import ask_money, grant_money, unserved
from rdsim.engines.compiled.partnership import break_off, end_talks, grant_places, seek_place
from rdsim.engines.compiled.work import end_attempt, grant_facilities, start_work
from rdsim.engines.jit import jit
from rdsim.engines.rules import BREAK, REQUEST, YEAR

__all__ = [
    "close",
    "close_project",
    "end_year",
    "grant",
    "grant_starts",
    "handle",
    "look",
    "open_call",
    "prepare",
    "replicate",
    "work",
]


@jit
def look(c, o, s, r, p, t):
    """Come up for a start: at the planned call, and whenever a prerequisite has ended."""
    g = c.programme[p]
    planned = c.start_year[p] * DAYS_PER_YEAR + c.call_day[g]
    if s.stage[p] != AT_SCHEDULED or t < planned:
        return
    met = True
    for k in range(c.prerequisite_start[p], c.prerequisite_start[p + 1]):
        other = c.prerequisite[k]
        if other < 0 or (s.stage[other] == AT_ENDED and o.end_state[r, other] != TARGET):
            o.wait_prerequisite[r, p] = t - planned
            finish(c, o, s, r, p, t, BLOCKED, False)
            return
        met = met and s.stage[other] == AT_ENDED
    if met:
        o.wait_prerequisite[r, p] = t - planned
        wait_for(s, t, p, AT_START, g)


@jit
def grant_starts(c, o, s, r, g, t):
    row = s.queue[g]
    n = min(s.waiting[g], s.starts_left[g])
    for k in range(n):
        s.served[k] = row[k]
    s.starts_left[g] -= n
    s.waiting[g] -= n
    for k in range(s.waiting[g]):
        row[k] = row[k + n]
    for k in range(n):
        p = s.served[k]
        s.stage[p] = AT_BETWEEN
        o.start_day[r, p] = t
        o.wait_start[r, p] = t - s.since[p]
        o.trl_day[r, p, c.trl[p] - 1] = t
        if c.joint[p]:
            seek_place(c, o, s, r, p, t)
        else:
            ask_money(c, s, p, t)


@jit
def work(c, u, o, s, r, p, t):
    """A step ends, the tranche ends, or both; the step comes first."""
    ran = s.stage[p] == AT_WORKING
    stop_work(c, o, s, r, p, t)
    if ran and s.remaining[p] == 0:
        end_attempt(c, u, o, s, r, p, t)
        if s.stage[p] == AT_ENDED:
            return
    if t == s.funded_end[p]:
        end_tranche(c, o, s, r, p, t)
    else:
        start_work(c, u, s, r, p, t)


@jit
def end_year(c, u, o, s, r, t):
    """Count what went unserved, carry over, let lapse, take the new year's money, ask for partners' running cost."""
    y = t // DAYS_PER_YEAR
    for g in range(len(c.tranches)):
        if y > 0:
            o.short[r, g, y - 1] = unserved(c, u, s, r, g, y - 1)
            carried = carried_over(s.purse[g], c.carry_ppm[g])
            o.lapsed[r, g, y - 1] = s.purse[g] - carried
            o.carried_in[r, g, y] = carried
            s.purse[g] = carried
        o.new_money[r, g, y] = u.budget[r, g, y]
        s.purse[g] += u.budget[r, g, y]
        s.starts_left[g] = 0
        push(s, t + c.call_day[g], YEAR, 1 + g, DO_CALL, 0, g)
        grant_soon(s, t, purse_of(c, g))
    if c.network >= 0:
        for n in range(len(c.places)):
            if s.live[n] > 0 and s.partner[n] in (IS_OPENING, IS_OPEN):
                s.claim[n] += c.running_cost[n]
    if t + DAYS_PER_YEAR < c.horizon:
        push(s, t + DAYS_PER_YEAR, YEAR, 0, DO_YEAR_END, 0, 0)


@jit
def open_call(c, s, g, t):
    s.starts_left[g] = c.starts[g, t // DAYS_PER_YEAR]
    grant_soon(s, t, g)


@jit
def close_project(c, o, s, r, p):
    stage, waited = s.stage[p], c.horizon - s.since[p]
    if stage == AT_START:
        o.wait_start[r, p] += waited
    elif stage == AT_PLACE:
        o.wait_place[r, p] += waited
    elif stage == AT_MONEY:
        o.wait_money[r, p] += waited
    elif stage in (AT_PANEL, AT_ROUNDS):
        o.wait_panel[r, p] += waited
    elif stage == AT_FACILITY:
        o.wait_facility[r, p] += waited
    elif stage == AT_WORKING:
        o.worked_days[r, p] += c.horizon - s.run_from[p]
    elif stage == AT_SCHEDULED:
        planned = c.start_year[p] * DAYS_PER_YEAR + c.call_day[c.programme[p]]
        o.wait_prerequisite[r, p] = max(0, c.horizon - planned)


@jit
def close(c, u, o, s, r):
    """The horizon: what is under way stays `running`, what is left in the purses lapses."""
    last = c.horizon // DAYS_PER_YEAR - 1
    for g in range(len(c.tranches)):
        o.lapsed[r, g, last] = s.purse[g]
        o.short[r, g, last] = unserved(c, u, s, r, g, last)
    for p in range(len(c.programme)):
        close_project(c, o, s, r, p)
        o.trl[r, p] = s.trl_now[p]
        o.joint_at_end[r, p] = s.joint[p]
        o.delivered[r, p] = handed_in(c, u, o, s, r, p)
        t = o.end_day[r, p]
        market = t + u.market_days[r, c.technology[p]]
        if o.end_state[r, p] == TARGET and u.commercial[r, c.technology[p]] and market < c.horizon:
            o.market_day[r, p] = market


@jit
def grant(c, u, o, s, r, resource, t):
    s.granting[resource] = False
    lines = len(c.tranches)
    if resource < lines:
        grant_starts(c, o, s, r, resource, t)
    elif resource == places(c):
        grant_places(c, u, o, s, r, t)
    elif resource < panel_of(c, 0):
        grant_money(c, u, o, s, r, resource - lines - 1, t)
    elif resource < facilities(c):
        grant_seats(c, o, s, r, resource - 2 * lines - 1, t)
    else:
        grant_facilities(c, o, s, r, t)


@jit
def handle(c, u, o, s, r, kind, index, t):
    if kind == DO_WORK:
        work(c, u, o, s, r, index, t)
    elif kind == DO_GRANT:
        grant(c, u, o, s, r, index, t)
    elif kind == DO_REVIEW:
        end_review(c, u, o, s, r, index, t)
    elif kind == DO_TALKS:
        end_talks(c, u, o, s, r, index, t)
    elif kind == DO_LOOK:
        look(c, o, s, r, index, t)
    elif kind == DO_YEAR_END:
        end_year(c, u, o, s, r, t)
    elif kind == DO_CALL:
        open_call(c, s, index, t)
    elif kind == DO_BREAK:
        break_off(c, o, s, r, index, t)
    elif kind == DO_ROUND:
        hold_round(c, u, o, s, r, index, t)
    elif kind == DO_READY:
        s.partner[index] = IS_OPEN
        grant_soon(s, t, places(c))
    else:  # DO_REOPEN
        grant_soon(s, t, places(c))


@jit
def prepare(c, u, s, r):
    """Reset the state and write the first entries of the agenda."""
    s.size[0] = 0
    s.waiting[:] = 0
    s.granting[:] = False
    s.stage[:] = AT_SCHEDULED
    s.token[:] = 0
    s.since[:] = 0
    s.trl_now[:] = c.trl
    s.joint[:] = c.joint
    s.counted[:] = c.joint
    s.holding[:] = False
    s.using[:] = False
    s.tranche[:] = 0
    s.funded_end[:] = -1
    s.extended[:] = False
    s.attempt[:] = 0
    s.remaining[:] = 0
    s.worked_at[:] = 0
    s.purse[:] = 0
    s.starts_left[:] = 0
    s.fraction[:] = 0
    s.round_day[:] = -1
    s.seats_used[:] = 0
    s.partner[:] = IS_NEW
    s.claim[:] = 0
    s.live[:] = 0
    s.closed_until[:] = 0
    s.used[:] = 0
    s.units[:] = 0
    push(s, 0, YEAR, 0, DO_YEAR_END, 0, 0)
    for p in range(len(c.programme)):
        push(s, c.start_year[p] * DAYS_PER_YEAR + c.call_day[c.programme[p]], REQUEST, p, DO_LOOK, 0, p)
        for n in c.member[p]:
            if n >= 0:
                s.live[n] += 1
    for n in range(len(c.places)):
        for day in u.break_day[r, n]:
            if day >= 0:
                push(s, day, BREAK, n, DO_BREAK, 0, n)


@jit
def replicate(c, u, o, s, first, last):
    """Run replications first..last - 1; returns the number of events handled."""
    events = 0
    for r in range(first, last):
        prepare(c, u, s, r)
        while s.size[0] > 0:
            key, entry = pop(s)
            t = key >> 28
            if t >= c.horizon:
                break
            kind, token, index = entry >> 56, (entry >> 24) & 0xFFFFFFFF, entry & 0xFFFFFF
            if token > 0 and token != s.token[index]:
                continue
            events += 1
            handle(c, u, o, s, r, kind, index, t)
        close(c, u, o, s, r)
    return events
