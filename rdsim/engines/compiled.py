"""The compiled engine: one event loop over the arrays of a case, the same sample paths as `process`.

The loop keeps an agenda ordered by (day, phase, order), as `rules` writes down, and a state for each
project. Where `process` has a generator that waits, this module has a function for what comes after the
wait; they are named alike. Purse, gate, step and tie rules are the function objects of `rules` and
`gates`, compiled here.

The first call in a fresh installation compiles for about half a minute; the code is then kept in numba's
cache beside this file (or in the user's cache folder), and later processes load it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.experimental import structref

from rdsim import gates
from rdsim.case import (
    BLOCKED,
    DAYS_PER_YEAR,
    DROPPED,
    EXHAUSTED,
    FAILED,
    STOPPED,
    TARGET,
    UNFUNDED,
    Case,
    Ints,
    Luck,
    Outcomes,
    blank_outcomes,
)
from rdsim.engines import rules
from rdsim.engines.rules import AGREEMENT, BREAK, FAILURE, GRANT, PANEL, RELEASE, REQUEST, SUCCESS, WORK, YEAR
from rdsim.errors import EngineError

__all__ = ["count_events", "run"]

Bools = npt.NDArray[np.bool_]

_carried_over = njit(cache=True)(rules.carried_over)
_fits = njit(cache=True)(rules.fits)
_hopeless = njit(cache=True)(rules.hopeless)
_refund = njit(cache=True)(rules.refund)
_at_rate = njit(cache=True)(rules.at_rate)
_work_days = njit(cache=True)(rules.work_days)
_attempt = njit(cache=True)(rules.attempt)
_planned_trl = njit(cache=True)(rules.planned_trl)
_next_round = njit(cache=True)(rules.next_round)
_threshold = njit(cache=True)(gates.threshold)
_dropped = njit(cache=True)(gates.dropped)

_POLICIES = tuple(gates.GATE_POLICIES)
_THRESHOLD, _DROP_WORST = _POLICIES.index("threshold"), _POLICIES.index("drop-worst")

# What an agenda entry is.
_YEAR_END, _CALL, _WORK, _BREAK, _REVIEW, _ROUND, _TALKS, _READY, _REOPEN, _LOOK, _GRANT = range(11)

# Where a project stands; the order matters: from _TALKS on it holds a place, from _MONEY on it is in R&D.
_SCHEDULED, _START, _PLACE, _BETWEEN, _TALKING, _MONEY, _WORKING, _FACILITY, _PANEL, _REVIEWED, _ROUNDS, _ENDED = range(
    12
)

# What a partner is.
_NEW, _CLAIMED, _OPENING, _OPEN, _NEVER = range(5)


class _State(NamedTuple):
    """What changes while a replication runs."""

    keys: Ints  # the agenda: a binary heap of (day, phase, order) packed in one number
    entries: Ints  # kind, token and index of each, packed in one number
    size: Ints  # (1,) entries in the agenda
    queue: Ints  # (resources, P) waiting projects in order of rank
    waiting: Ints  # (resources,)
    granting: Bools  # (resources,) a grant is on the agenda
    served: Ints  # (P,) scratch: those that a grant serves, or turns away
    # projects
    stage: Ints
    token: Ints  # an agenda entry with another token is void
    since: Ints
    joint: Bools
    counted: Bools  # the partner stays open for it
    holding: Bools  # a place
    using: Bools  # units of facilities
    tranche: Ints
    trl_now: Ints
    worked_at: Ints  # (P, 9) days worked when TRL k + 1 was reached
    funded_end: Ints
    extended: Bools
    step_joint: Bools
    attempt: Ints
    remaining: Ints
    run_from: Ints
    # programmes, panels, partners, facilities
    purse: Ints
    starts_left: Ints
    fraction: Ints
    round_day: Ints
    announced: Ints  # (G, Y) budgets of later years together
    seats_used: Ints
    partner: Ints
    claim: Ints
    live: Ints
    closed_until: Ints
    used: Ints
    units: Ints
    reserved: Bools  # scratch: (N,) or (F,), asked for by a project of higher rank


# Compiled functions pass these by one pointer; a tuple of a hundred arrays would be copied at each call.


class _Shared(types.StructRef):
    """The numba type of a contract's arrays."""

    def preprocess_fields(self, fields: tuple[tuple[str, types.Type], ...]) -> tuple[tuple[str, types.Type], ...]:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


@structref.register
class _CaseType(_Shared):
    pass


@structref.register
class _LuckType(_Shared):
    pass


@structref.register
class _OutcomesType(_Shared):
    pass


@structref.register
class _StateType(_Shared):
    pass


class _CaseRef(structref.StructRefProxy):
    pass


class _LuckRef(structref.StructRefProxy):
    pass


class _OutcomesRef(structref.StructRefProxy):
    pass


class _StateRef(structref.StructRefProxy):
    pass


structref.define_proxy(_CaseRef, _CaseType, list(Case._fields))
structref.define_proxy(_LuckRef, _LuckType, list(Luck._fields))
structref.define_proxy(_OutcomesRef, _OutcomesType, list(Outcomes._fields))
structref.define_proxy(_StateRef, _StateType, list(_State._fields))


# --- agenda ---------------------------------------------------------------------------------------


@njit(cache=True)
def _push(s, day, phase, order, kind, token, index):
    if s.size[0] == len(s.keys):
        raise OverflowError("the agenda is full")
    key = (day << 28) | (phase << 24) | order
    entry = (kind << 56) | (token << 24) | index
    k = s.size[0]
    s.size[0] = k + 1
    while k > 0:
        above = (k - 1) >> 1
        if s.keys[above] <= key:
            break
        s.keys[k], s.entries[k] = s.keys[above], s.entries[above]
        k = above
    s.keys[k], s.entries[k] = key, entry


@njit(cache=True)
def _pop(s):
    key, entry = s.keys[0], s.entries[0]
    n = s.size[0] - 1
    s.size[0] = n
    last_key, last_entry = s.keys[n], s.entries[n]
    k = 0
    while True:
        below = 2 * k + 1
        if below >= n:
            break
        if below + 1 < n and s.keys[below + 1] < s.keys[below]:
            below += 1
        if s.keys[below] >= last_key:
            break
        s.keys[k], s.entries[k] = s.keys[below], s.entries[below]
        k = below
    s.keys[k], s.entries[k] = last_key, last_entry
    return key, entry


@njit(cache=True)
def _expect(s, p, day, phase, kind):
    """Put a project's next event on the agenda; the one it expected before is void."""
    s.token[p] += 1
    _push(s, day, phase, p, kind, s.token[p], p)


# --- queues ---------------------------------------------------------------------------------------


@njit(cache=True)
def _places(c):
    return len(c.tranches)


@njit(cache=True)
def _purse_of(c, g):
    return len(c.tranches) + 1 + g


@njit(cache=True)
def _panel_of(c, q):
    return 2 * len(c.tranches) + 1 + q


@njit(cache=True)
def _facilities(c):
    return 2 * len(c.tranches) + 1 + len(c.seats)


@njit(cache=True)
def _rounds_of(c, g):
    return 2 * len(c.tranches) + 2 + len(c.seats) + g


@njit(cache=True)
def _grant_soon(s, t, resource):
    if not s.granting[resource]:
        s.granting[resource] = True
        _push(s, t, GRANT, resource, _GRANT, 0, resource)


@njit(cache=True)
def _join(s, resource, p):
    row = s.queue[resource]
    k = s.waiting[resource]
    while k > 0 and row[k - 1] > p:
        row[k] = row[k - 1]
        k -= 1
    row[k] = p
    s.waiting[resource] += 1


@njit(cache=True)
def _leave(s, resource, p):
    row = s.queue[resource]
    k = 0
    while row[k] != p:
        k += 1
    s.waiting[resource] -= 1
    for j in range(k, s.waiting[resource]):
        row[j] = row[j + 1]


@njit(cache=True)
def _wait_for(s, t, p, stage, resource):
    s.stage[p] = stage
    s.since[p] = t
    _join(s, resource, p)
    _grant_soon(s, t, resource)


# --- 1 scheduled ----------------------------------------------------------------------------------


@njit(cache=True)
def _look(c, o, s, r, p, t):
    """Come up for a start: at the planned call, and whenever a prerequisite has ended."""
    g = c.programme[p]
    planned = c.start_year[p] * DAYS_PER_YEAR + c.call_day[g]
    if s.stage[p] != _SCHEDULED or t < planned:
        return
    met = True
    for k in range(c.prerequisite_start[p], c.prerequisite_start[p + 1]):
        other = c.prerequisite[k]
        if other < 0 or (s.stage[other] == _ENDED and o.end_state[r, other] != TARGET):
            o.wait_prerequisite[r, p] = t - planned
            _finish(c, o, s, r, p, t, BLOCKED, False)
            return
        met = met and s.stage[other] == _ENDED
    if met:
        o.wait_prerequisite[r, p] = t - planned
        _wait_for(s, t, p, _START, g)


@njit(cache=True)
def _grant_starts(c, o, s, r, g, t):
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
        s.stage[p] = _BETWEEN
        o.start_day[r, p] = t
        o.wait_start[r, p] = t - s.since[p]
        o.trl_day[r, p, c.trl[p] - 1] = t
        if c.joint[p]:
            _seek_place(c, o, s, r, p, t)
        else:
            _ask_money(c, s, p, t)


# --- 2 partnership --------------------------------------------------------------------------------


@njit(cache=True)
def _seek_place(c, o, s, r, p, t):
    for n in c.member[p]:
        if n >= 0 and s.partner[n] == _NEW:
            _claim_opening(c, o, s, r, n, t)
    _wait_for(s, t, p, _PLACE, _places(c))


@njit(cache=True)
def _claim_opening(c, o, s, r, n, t):
    amount = c.setup_cost[n] + c.running_cost[n]
    if c.network < 0 or amount == 0:
        _open_partner(c, o, s, r, n, t)
        return
    s.partner[n] = _CLAIMED
    s.claim[n] = amount
    _grant_soon(s, t, _purse_of(c, c.network))


@njit(cache=True)
def _open_partner(c, o, s, r, n, t):
    s.partner[n] = _OPENING
    o.opened_day[r, n] = t
    _push(s, t + c.setup_days[n], RELEASE, n, _READY, 0, n)


@njit(cache=True)
def _has_place(c, s, p, t):
    for n in c.member[p]:
        if n >= 0 and (s.partner[n] != _OPEN or t < s.closed_until[n] or s.used[n] >= c.places[n] or s.reserved[n]):
            return False
    return True


@njit(cache=True)
def _is_hopeless_place(c, s, p):
    for n in c.member[p]:  # noqa: SIM110 - a generator would not compile
        if n >= 0 and s.partner[n] == _NEVER:
            return True
    return False


@njit(cache=True)
def _grant_places(c, u, o, s, r, t):
    queue = _places(c)
    row = s.queue[queue]
    s.reserved[:] = False
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        turned_away = _is_hopeless_place(c, s, p)
        if turned_away or _has_place(c, s, p, t):
            s.served[served] = p
            served += 1
            if not turned_away:
                _take_place(c, o, s, r, p, t)
        else:
            for n in c.member[p]:
                if n >= 0:
                    s.reserved[n] = True
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    for k in range(served):
        _after_place(c, u, o, s, r, s.served[k], t)


@njit(cache=True)
def _take_place(c, o, s, r, p, t):
    s.holding[p] = True
    o.place_day[r, p] = t
    for n in c.member[p]:
        if n >= 0:
            s.used[n] += 1
            o.peak_places[r, n] = max(o.peak_places[r, n], s.used[n])


@njit(cache=True)
def _after_place(c, u, o, s, r, p, t):
    s.stage[p] = _BETWEEN
    o.wait_place[r, p] += t - s.since[p]
    if not s.holding[p]:
        _fall_back(c, o, s, r, p, t)
        return
    s.stage[p] = _TALKING
    _expect(s, p, t + u.agreement_days[r, p], AGREEMENT, _TALKS)


@njit(cache=True)
def _end_talks(c, u, o, s, r, p, t):
    s.stage[p] = _BETWEEN
    if u.agreed[r, p]:
        o.agreement_day[r, p] = t
        _ask_money(c, s, p, t)
    else:
        _fall_back(c, o, s, r, p, t)


@njit(cache=True)
def _fall_back(c, o, s, r, p, t):
    """Without an agreement: go on as a domestic project, or be dropped."""
    _give_back_place(c, o, s, r, p, t)
    if c.drop_fallback[c.programme[p]]:
        _finish(c, o, s, r, p, t, DROPPED, False)
        return
    s.joint[p] = False
    o.fell_back[r, p] = 1
    _ask_money(c, s, p, t)


@njit(cache=True)
def _give_back_place(c, o, s, r, p, t):
    for n in c.member[p]:
        if n >= 0:
            s.used[n] -= s.holding[p]
            s.live[n] -= s.counted[p]
    if s.holding[p]:
        o.freed_day[r, p] = t
        _grant_soon(s, t, _places(c))
    s.holding[p] = False
    s.counted[p] = False


@njit(cache=True)
def _break(c, o, s, r, n, t):
    s.closed_until[n] = max(s.closed_until[n], t + c.closed_days)
    _push(s, s.closed_until[n], RELEASE, n, _REOPEN, 0, n)
    for p in range(len(c.programme)):
        if s.holding[p] and (c.member[p] == n).any():
            _lose_partner(c, o, s, r, p, t)


@njit(cache=True)
def _lose_partner(c, o, s, r, p, t):
    o.lost_partner[r, p] = 1
    if s.stage[p] == _TALKING:
        s.stage[p] = _BETWEEN
        s.token[p] += 1
        _fall_back(c, o, s, r, p, t)
    elif c.drop_fallback[c.programme[p]]:
        _finish(c, o, s, r, p, t, DROPPED, True)
    else:
        _give_back_place(c, o, s, r, p, t)
        s.joint[p] = False
        o.fell_back[r, p] = 1
        if s.stage[p] == _MONEY:
            _grant_soon(s, t, _purse_of(c, c.programme[p]))


# --- 3 tranche ------------------------------------------------------------------------------------


@njit(cache=True)
def _ask_money(c, s, p, t):
    _wait_for(s, t, p, _MONEY, _purse_of(c, c.programme[p]))


@njit(cache=True)
def _abroad(c, u, s, r, p, y):
    if not s.joint[p]:
        return 0
    return _at_rate(c.abroad[p, s.tranche[p]], u.exchange_ppm[r, c.currency[p], y])


@njit(cache=True)
def _request(c, u, s, r, p, y):
    k = s.tranche[p]
    if not s.joint[p]:
        return c.domestic[p, k]
    return c.home[p, k] - c.abroad[p, k] + _abroad(c, u, s, r, p, y)


@njit(cache=True)
def _grant_money(c, u, o, s, r, g, t):
    y = t // DAYS_PER_YEAR
    blocked = False
    if g == c.network:
        blocked = _serve_claims(c, o, s, r, g, t)
    queue = _purse_of(c, g)
    row = s.queue[queue]
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        amount = _request(c, u, s, r, p, y)
        paid = not blocked and _fits(amount, s.purse[g])
        if paid or _hopeless(amount, s.purse[g], s.announced[g, y]):
            s.served[served] = p
            served += 1
            o.wait_money[r, p] += t - s.since[p]
            s.stage[p] = _BETWEEN
            if paid:
                _pay(c, u, o, s, r, p, amount, t)
        else:
            blocked = blocked or c.strict[g]
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    for k in range(served):
        p = s.served[k]
        if o.tranche_day[r, p, s.tranche[p]] == t:
            _begin_tranche(c, u, s, o, r, p, t)
        else:
            _finish(c, o, s, r, p, t, UNFUNDED, False)


@njit(cache=True)
def _serve_claims(c, o, s, r, g, t):
    """Pay for partners before projects; says whether an unpaid claim blocks those behind it."""
    y = t // DAYS_PER_YEAR
    blocked = False
    for n in range(len(c.places)):
        amount = s.claim[n]
        if amount == 0:
            continue
        if not blocked and _fits(amount, s.purse[g]):
            s.claim[n] = 0
            s.purse[g] -= amount
            o.spent_network[r, g, y] += amount
            o.network_paid[r, n, y] += amount
            if s.partner[n] == _CLAIMED:
                _open_partner(c, o, s, r, n, t)
        elif _hopeless(amount, s.purse[g], s.announced[g, y]):
            s.claim[n] = 0
            if s.partner[n] == _CLAIMED:
                s.partner[n] = _NEVER
                _grant_soon(s, t, _places(c))
            else:
                o.network_short[r, n] += amount
        else:
            blocked = blocked or c.strict[g]
    return blocked


@njit(cache=True)
def _pay(c, u, o, s, r, p, amount, t):
    g, k, y = c.programme[p], s.tranche[p], t // DAYS_PER_YEAR
    s.purse[g] -= amount
    o.spent[r, g, y] += amount
    o.tranche_day[r, p, k] = t
    o.paid[r, p, k] = amount
    o.paid_abroad[r, p, k] = _abroad(c, u, s, r, p, y)
    if s.joint[p]:
        o.paid_joint[r, p, k] = 1
        o.paid_foreign[r, p, k] = c.foreign[p, k]


@njit(cache=True)
def _begin_tranche(c, u, s, o, r, p, t):
    days = c.tranche_days[c.programme[p], s.tranche[p]]
    s.extended[p] = False
    _fund(c, u, o, s, r, p, t, days)


@njit(cache=True)
def _fund(c, u, o, s, r, p, t, days):
    s.funded_end[p] = t + days
    o.funded_days[r, p] += days
    _start_work(c, u, s, r, p, t)


# --- 4 technical work -----------------------------------------------------------------------------


@njit(cache=True)
def _start_work(c, u, s, r, p, t):
    """Begin the next attempt, or go on with the one that paused; wait for facilities first."""
    step = s.trl_now[p] - 1
    if s.remaining[p] == 0:
        s.step_joint[p] = s.joint[p]
        factor = c.factor[p, step] if s.joint[p] else 1.0
        s.remaining[p] = _work_days(u.step_days[r, c.technology[p], step, s.attempt[p]], factor)
    if c.needs[p, step].any():
        _wait_for(s, t, p, _FACILITY, _facilities(c))
        _expect(s, p, s.funded_end[p], WORK, _WORK)
    else:
        _run(s, p, t)


@njit(cache=True)
def _run(s, p, t):
    s.stage[p] = _WORKING
    s.run_from[p] = t
    _expect(s, p, min(t + s.remaining[p], s.funded_end[p]), WORK, _WORK)


@njit(cache=True)
def _grant_facilities(c, o, s, r, t):
    queue = _facilities(c)
    row = s.queue[queue]
    s.reserved[:] = False
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        need = c.needs[p, s.trl_now[p] - 1]
        free = True
        for f in range(len(need)):
            if need[f] > 0 and (s.reserved[f] or s.units[f] + need[f] > c.capacity[f]):
                free = False
        if free:
            s.units[:] += need
            s.using[p] = True
            s.served[served] = p
            served += 1
        else:
            for f in range(len(need)):
                s.reserved[f] = s.reserved[f] or need[f] > 0
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    for k in range(served):
        p = s.served[k]
        o.wait_facility[r, p] += t - s.since[p]
        _run(s, p, t)


@njit(cache=True)
def _give_back_units(c, s, p, t):
    if s.using[p]:
        s.units[:] -= c.needs[p, s.trl_now[p] - 1]
        s.using[p] = False
        _grant_soon(s, t, _facilities(c))


@njit(cache=True)
def _stop_work(c, o, s, r, p, t):
    """Lay down the work: count it, give back units, or stop waiting for them."""
    if s.stage[p] == _FACILITY:
        o.wait_facility[r, p] += t - s.since[p]
        _leave(s, _facilities(c), p)
    elif s.stage[p] == _WORKING:
        done = t - s.run_from[p]
        s.remaining[p] -= done
        o.worked_days[r, p] += done
        _give_back_units(c, s, p, t)
    s.stage[p] = _BETWEEN


@njit(cache=True)
def _work(c, u, o, s, r, p, t):
    """A step ends, the tranche ends, or both; the step comes first."""
    ran = s.stage[p] == _WORKING
    _stop_work(c, o, s, r, p, t)
    if ran and s.remaining[p] == 0:
        _end_attempt(c, u, o, s, r, p, t)
        if s.stage[p] == _ENDED:
            return
    if t == s.funded_end[p]:
        _end_tranche(c, o, s, r, p, t)
    else:
        _start_work(c, u, s, r, p, t)


@njit(cache=True)
def _success(c, o, s, r, p, t):
    step = s.trl_now[p] - 1
    chance = c.success[p, step] if s.step_joint[p] else c.alone_success[p, step]
    helped = False
    for k in range(c.spillover_start[p], c.spillover_start[p + 1]):
        other = c.spillover[k]
        if o.end_state[r, other] == TARGET and o.end_day[r, other] < t:
            chance += c.spillover_gain[k]
            helped = True
    if helped:
        o.spillovers[r, p] += 1
        chance = min(1.0, max(0.0, chance))
    return chance


@njit(cache=True)
def _end_attempt(c, u, o, s, r, p, t):
    luck = u.step[r, c.technology[p], s.trl_now[p] - 1, s.attempt[p]]
    verdict = _attempt(luck, _success(c, o, s, r, p, t), c.setback)
    if verdict == SUCCESS:
        s.trl_now[p] += 1
        s.attempt[p] = 0
        o.trl_day[r, p, s.trl_now[p] - 1] = t
        s.worked_at[p, s.trl_now[p] - 1] = o.worked_days[r, p]
        if s.trl_now[p] == c.target[p]:
            _finish(c, o, s, r, p, t, TARGET, False)
        return
    s.attempt[p] += 1
    if verdict == FAILURE or s.attempt[p] == c.attempts:
        _finish(c, o, s, r, p, t, FAILED, False)
    else:
        o.setbacks[r, p] += 1


# --- 5 gate ---------------------------------------------------------------------------------------


@njit(cache=True)
def _end_tranche(c, o, s, r, p, t):
    g = c.programme[p]
    if s.tranche[p] + 1 == c.tranches[g]:
        _finish(c, o, s, r, p, t, EXHAUSTED, False)
    elif c.policy[g] == _DROP_WORST:
        _await_round(c, s, g, p, t)
    elif c.panel[g] >= 0:
        _wait_for(s, t, p, _PANEL, _panel_of(c, c.panel[g]))
    else:
        s.stage[p] = _REVIEWED
        _expect(s, p, t, PANEL, _REVIEW)


@njit(cache=True)
def _await_round(c, s, g, p, t):
    s.stage[p] = _ROUNDS
    s.since[p] = t
    _join(s, _rounds_of(c, g), p)
    day = _next_round(t)
    if s.round_day[g] != day:
        s.round_day[g] = day
        _push(s, day, PANEL, len(c.programme) + g, _ROUND, 0, g)


@njit(cache=True)
def _grant_seats(c, o, s, r, q, t):
    queue = _panel_of(c, q)
    row = s.queue[queue]
    n = min(s.waiting[queue], c.seats[q] - s.seats_used[q])
    s.waiting[queue] -= n
    s.seats_used[q] += n
    o.peak_seats[r, q] = max(o.peak_seats[r, q], s.seats_used[q])
    for k in range(n):
        p = row[k]
        o.wait_panel[r, p] += t - s.since[p]
        s.stage[p] = _REVIEWED
        _expect(s, p, t + c.review_days[q], PANEL, _REVIEW)
    for k in range(s.waiting[queue]):
        row[k] = row[k + n]


@njit(cache=True)
def _give_back_seat(c, s, p, t):
    q = c.panel[c.programme[p]]
    if q >= 0:
        s.seats_used[q] -= 1
        _grant_soon(s, t, _panel_of(c, q))


@njit(cache=True)
def _end_review(c, u, o, s, r, p, t):
    _give_back_seat(c, s, p, t)
    s.stage[p] = _BETWEEN
    _decide(c, u, o, s, r, p, t)


@njit(cache=True)
def _lead(c, o, s, r, p):
    planned = _planned_trl(c.median_days[p], c.trl[p], c.target[p], o.funded_days[r, p])
    return s.trl_now[p] - planned


@njit(cache=True)
def _missing(c, u, o, s, r, p):
    g = c.programme[p]
    delivered = _delivered(c, u, o, s, r, p)
    count = 0
    for d in range(c.deliverables[g]):
        due = c.due_tranche[g, d]
        if 0 < due <= s.tranche[p] + 1 and not delivered >> d & 1:
            count += 1
    return count


@njit(cache=True)
def _delivered(c, u, o, s, r, p):
    """Deliverables handed in, as bits: enough work has been done since the TRL after which each starts."""
    g, t = c.programme[p], c.technology[p]
    bits = 0
    for d in range(c.deliverables[g]):
        after = max(c.after_trl[g, d], c.trl[p])
        if s.trl_now[p] >= after and o.worked_days[r, p] - s.worked_at[p, after - 1] >= u.deliverable_days[r, t, d]:
            bits |= 1 << d
    return bits


@njit(cache=True)
def _on_plan(c, u, o, s, r, p):
    g = c.programme[p]
    if c.policy[g] != _THRESHOLD:
        return True
    luck = u.gate[r, c.technology[p], o.reviews[r, p]]
    missing = _missing(c, u, o, s, r, p)
    return _threshold(_lead(c, o, s, r, p), missing, luck, c.alpha[g], c.beta[g], c.tolerance[g])


@njit(cache=True)
def _decide(c, u, o, s, r, p, t):
    g = c.programme[p]
    passed = _on_plan(c, u, o, s, r, p)
    o.reviews[r, p] += 1
    if passed:
        s.tranche[p] += 1
        _ask_money(c, s, p, t)
    elif o.extensions[r, p] < c.extensions[g]:
        o.extensions[r, p] += 1
        s.extended[p] = True
        _fund(c, u, o, s, r, p, t, c.extension_days[g])
    else:
        _finish(c, o, s, r, p, t, STOPPED, False)


@njit(cache=True)
def _hold_round(c, u, o, s, r, g, t):
    """Drop the worst of those who wait for this round, then decide on the others, both in order of rank."""
    queue = _rounds_of(c, g)
    row = s.queue[queue]
    n = s.waiting[queue]
    score = np.empty(n)
    for k in range(n):
        p = row[k]
        s.served[k] = p
        score[k] = _lead(c, o, s, r, p) + u.review_error[r, c.technology[p], o.reviews[r, p]]
    drops, s.fraction[g] = _dropped(n, c.drop_ppm[g], s.fraction[g])
    worst = np.zeros(n, np.bool_)
    for _ in range(min(drops, n)):
        lowest = -1
        for k in range(n):
            # Of equals, the one of lower rank (served later everywhere) is dropped.
            if not worst[k] and (lowest < 0 or score[k] <= score[lowest]):
                lowest = k
        worst[lowest] = True
    s.waiting[queue] = 0
    for k in range(n):
        p = s.served[k]
        s.stage[p] = _BETWEEN
        o.wait_panel[r, p] += t - s.since[p]
        if worst[k]:
            o.reviews[r, p] += 1
            _finish(c, o, s, r, p, t, STOPPED, False)
        else:
            _decide(c, u, o, s, r, p, t)


# --- 6 end ----------------------------------------------------------------------------------------


@njit(cache=True)
def _queue_of(c, s, p):
    """The queue that a project stands in, or -1."""
    g, stage = c.programme[p], s.stage[p]
    if stage == _START:
        return g
    if stage == _PLACE:
        return _places(c)
    if stage == _MONEY:
        return _purse_of(c, g)
    if stage == _PANEL:
        return _panel_of(c, c.panel[g])
    if stage == _ROUNDS:
        return _rounds_of(c, g)
    return -1


@njit(cache=True)
def _finish(c, o, s, r, p, t, end_state, by_break):
    if by_break:
        _withdraw(c, o, s, r, p, t)
    _give_refund(c, o, s, r, p, t, by_break)
    _give_back_place(c, o, s, r, p, t)
    s.stage[p] = _ENDED
    s.token[p] += 1
    o.end_state[r, p] = end_state
    o.end_day[r, p] = t
    for k in range(c.dependent_start[p], c.dependent_start[p + 1]):
        _push(s, t, REQUEST, c.dependent[k], _LOOK, 0, c.dependent[k])


@njit(cache=True)
def _withdraw(c, o, s, r, p, t):
    """Take a project out of whatever it was doing or waiting for."""
    queue = _queue_of(c, s, p)
    if queue >= 0:
        _leave(s, queue, p)
        if s.stage[p] == _MONEY:
            o.wait_money[r, p] += t - s.since[p]
            _grant_soon(s, t, queue)
        else:
            o.wait_panel[r, p] += t - s.since[p]
    elif s.stage[p] == _REVIEWED:
        _give_back_seat(c, s, p, t)
    else:
        _stop_work(c, o, s, r, p, t)


@njit(cache=True)
def _give_refund(c, o, s, r, p, t, by_break):
    g, k = c.programme[p], s.tranche[p]
    unused = s.funded_end[p] - t
    if unused <= 0 or s.extended[p]:
        return
    returnable = o.paid[r, p, k]
    if by_break:
        returnable -= o.paid_abroad[r, p, k]
    amount = _refund(returnable, unused, c.tranche_days[g, k])
    s.purse[g] += amount
    o.refund[r, p] = amount
    o.refund_day[r, p] = t
    o.refunded[r, g, t // DAYS_PER_YEAR] += amount
    _grant_soon(s, t, _purse_of(c, g))


# --- the year -------------------------------------------------------------------------------------


@njit(cache=True)
def _end_year(c, u, o, s, r, t):
    """Count what went unserved, carry over, let lapse, take the new year's money, ask for partners' running cost."""
    y = t // DAYS_PER_YEAR
    for g in range(len(c.tranches)):
        if y > 0:
            o.short[r, g, y - 1] = _unserved(c, u, s, r, g, y - 1)
            carried = _carried_over(s.purse[g], c.carry_ppm[g])
            o.lapsed[r, g, y - 1] = s.purse[g] - carried
            o.carried_in[r, g, y] = carried
            s.purse[g] = carried
        o.new_money[r, g, y] = u.budget[r, g, y]
        s.purse[g] += u.budget[r, g, y]
        s.starts_left[g] = 0
        _push(s, t + c.call_day[g], YEAR, 1 + g, _CALL, 0, g)
        _grant_soon(s, t, _purse_of(c, g))
    if c.network >= 0:
        for n in range(len(c.places)):
            if s.live[n] > 0 and s.partner[n] in (_OPENING, _OPEN):
                s.claim[n] += c.running_cost[n]
    if t + DAYS_PER_YEAR < c.horizon:
        _push(s, t + DAYS_PER_YEAR, YEAR, 0, _YEAR_END, 0, 0)


@njit(cache=True)
def _unserved(c, u, s, r, g, y):
    total = 0
    for k in range(s.waiting[_purse_of(c, g)]):
        total += _request(c, u, s, r, s.queue[_purse_of(c, g), k], y)
    if g == c.network:
        total += s.claim.sum()
    return total


@njit(cache=True)
def _open_call(c, s, g, t):
    s.starts_left[g] = c.starts[g, t // DAYS_PER_YEAR]
    _grant_soon(s, t, g)


@njit(cache=True)
def _close(c, u, o, s, r):
    """The horizon: what is under way stays `running`, what is left in the purses lapses."""
    last = c.horizon // DAYS_PER_YEAR - 1
    for g in range(len(c.tranches)):
        o.lapsed[r, g, last] = s.purse[g]
        o.short[r, g, last] = _unserved(c, u, s, r, g, last)
    for p in range(len(c.programme)):
        _close_project(c, o, s, r, p)
        o.trl[r, p] = s.trl_now[p]
        o.joint_at_end[r, p] = s.joint[p]
        o.delivered[r, p] = _delivered(c, u, o, s, r, p)
        t = o.end_day[r, p]
        market = t + u.market_days[r, c.technology[p]]
        if o.end_state[r, p] == TARGET and u.commercial[r, c.technology[p]] and market < c.horizon:
            o.market_day[r, p] = market


@njit(cache=True)
def _close_project(c, o, s, r, p):
    stage, waited = s.stage[p], c.horizon - s.since[p]
    if stage == _START:
        o.wait_start[r, p] += waited
    elif stage == _PLACE:
        o.wait_place[r, p] += waited
    elif stage == _MONEY:
        o.wait_money[r, p] += waited
    elif stage in (_PANEL, _ROUNDS):
        o.wait_panel[r, p] += waited
    elif stage == _FACILITY:
        o.wait_facility[r, p] += waited
    elif stage == _WORKING:
        o.worked_days[r, p] += c.horizon - s.run_from[p]
    elif stage == _SCHEDULED:
        planned = c.start_year[p] * DAYS_PER_YEAR + c.call_day[c.programme[p]]
        o.wait_prerequisite[r, p] = max(0, c.horizon - planned)


# --- the loop -------------------------------------------------------------------------------------


@njit(cache=True)
def _grant(c, u, o, s, r, resource, t):
    s.granting[resource] = False
    lines = len(c.tranches)
    if resource < lines:
        _grant_starts(c, o, s, r, resource, t)
    elif resource == _places(c):
        _grant_places(c, u, o, s, r, t)
    elif resource < _panel_of(c, 0):
        _grant_money(c, u, o, s, r, resource - lines - 1, t)
    elif resource < _facilities(c):
        _grant_seats(c, o, s, r, resource - 2 * lines - 1, t)
    else:
        _grant_facilities(c, o, s, r, t)


@njit(cache=True)
def _handle(c, u, o, s, r, kind, index, t):
    if kind == _WORK:
        _work(c, u, o, s, r, index, t)
    elif kind == _GRANT:
        _grant(c, u, o, s, r, index, t)
    elif kind == _REVIEW:
        _end_review(c, u, o, s, r, index, t)
    elif kind == _TALKS:
        _end_talks(c, u, o, s, r, index, t)
    elif kind == _LOOK:
        _look(c, o, s, r, index, t)
    elif kind == _YEAR_END:
        _end_year(c, u, o, s, r, t)
    elif kind == _CALL:
        _open_call(c, s, index, t)
    elif kind == _BREAK:
        _break(c, o, s, r, index, t)
    elif kind == _ROUND:
        _hold_round(c, u, o, s, r, index, t)
    elif kind == _READY:
        s.partner[index] = _OPEN
        _grant_soon(s, t, _places(c))
    else:  # _REOPEN
        _grant_soon(s, t, _places(c))


@njit(cache=True)
def _prepare(c, u, s, r):
    """Reset the state and write the first entries of the agenda."""
    s.size[0] = 0
    s.waiting[:] = 0
    s.granting[:] = False
    s.stage[:] = _SCHEDULED
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
    s.partner[:] = _NEW
    s.claim[:] = 0
    s.live[:] = 0
    s.closed_until[:] = 0
    s.used[:] = 0
    s.units[:] = 0
    _push(s, 0, YEAR, 0, _YEAR_END, 0, 0)
    for p in range(len(c.programme)):
        _push(s, c.start_year[p] * DAYS_PER_YEAR + c.call_day[c.programme[p]], REQUEST, p, _LOOK, 0, p)
        for n in c.member[p]:
            if n >= 0:
                s.live[n] += 1
    for n in range(len(c.places)):
        for day in u.break_day[r, n]:
            if day >= 0:
                _push(s, day, BREAK, n, _BREAK, 0, n)


@njit(cache=True, nogil=True)
def _replicate(c, u, o, s, first, last):
    """Run replications first..last - 1; returns the number of events handled."""
    events = 0
    for r in range(first, last):
        _prepare(c, u, s, r)
        while s.size[0] > 0:
            key, entry = _pop(s)
            t = key >> 28
            if t >= c.horizon:
                break
            kind, token, index = entry >> 56, (entry >> 24) & 0xFFFFFFFF, entry & 0xFFFFFF
            if token > 0 and token != s.token[index]:
                continue
            events += 1
            _handle(c, u, o, s, r, kind, index, t)
        _close(c, u, o, s, r)
    return events


def _state(case: Case) -> _State:
    """Room for one replication's state."""
    projects, lines, partners = len(case.programme), len(case.tranches), len(case.places)
    resources = 3 * lines + 2 + len(case.seats)
    # One live entry a project; a wait for facilities leaves a void one behind for each attempt and tranche.
    agenda = 64 + 4 * lines + 2 * (case.budget.shape[1] + 1) * partners + len(case.dependent)
    agenda += projects * (4 + 8 * case.attempts + 2 * case.home.shape[1] + int(case.extensions.max(initial=0)))
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_State._fields, (projects,))
    shapes |= {"keys": (agenda,), "entries": (agenda,), "size": (1,), "queue": (resources, max(projects, 1))}
    shapes |= dict.fromkeys(("waiting", "granting"), (resources,))
    shapes |= dict.fromkeys(("purse", "starts_left", "fraction", "round_day"), (lines,))
    shapes |= dict.fromkeys(("partner", "claim", "live", "closed_until", "used"), (partners,))
    shapes |= {"worked_at": (projects, 9), "seats_used": (len(case.seats),), "units": (len(case.capacity),)}
    shapes |= {"reserved": (max(partners, len(case.capacity)),), "announced": case.budget.shape}
    flags = {name for name, kind in _State.__annotations__.items() if kind == "Bools"}
    state = _State(**{name: np.zeros(shape, np.bool_ if name in flags else np.int64) for name, shape in shapes.items()})
    state.announced[:] = case.budget[:, ::-1].cumsum(axis=1)[:, ::-1] - case.budget
    return state


def run(case: Case, luck: Luck) -> Outcomes:
    """Simulate every replication of the luck. Raises EngineError for a gate policy that is not compiled."""
    return _simulate(case, luck)[0]


def count_events(case: Case, luck: Luck) -> int:
    """Entries of the agenda that are handled in all replications of the luck: what benchmarks count."""
    return _simulate(case, luck)[1]


def _simulate(case: Case, luck: Luck) -> tuple[Outcomes, int]:
    unknown = list(gates.GATE_POLICIES)[len(_POLICIES) :]
    if unknown and case.policy.max(initial=0) >= len(_POLICIES):
        raise EngineError("compiled", f"gate policies {unknown} are registered for the simpy engine only: use it")
    outcomes = blank_outcomes(case, len(luck.agreed))
    references = _CaseRef(*case), _LuckRef(*luck), _OutcomesRef(*outcomes), _StateRef(*_state(case))
    return outcomes, int(_replicate(*references, 0, len(luck.agreed)))
