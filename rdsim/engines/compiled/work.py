"""Technical work: attempts, pauses, facilities."""

from __future__ import annotations

from rdsim.engines.compiled import draws
from rdsim.engines.compiled.agenda import expect, facilities, fill, wait_for
from rdsim.engines.compiled.contracts import (
    AT_FACILITY,
    AT_WORKING,
    DO_WORK,
    FAILED,
    NO,
    REMAINING,
    TARGET,
    WORK,
    attempt,
    work_days,
)
from rdsim.engines.compiled.endings import begin_deliverables, finish
from rdsim.engines.compiled.queues import arrange, of_facilities, restore
from rdsim.engines.rules import FAILURE, SUCCESS
from rdsim.native.jit import inline

__all__ = ["end_attempt", "fund", "grant_facilities", "run", "start_work", "success"]


@inline
def run(s, p, t):
    """Model: E27."""
    s.stage[p] = AT_WORKING
    s.run_from[p] = t
    expect(s, p, min(t + s.remaining[p], s.funded_end[p]), WORK, DO_WORK)


@inline
def needs_any(need):
    for f in range(len(need)):
        if need[f] > 0:
            return True
    return False


@inline
def start_work(c, u, s, p, t):
    """Begin the next attempt, or go on with the one that paused; wait for facilities first.

    Model: E25, E26.
    """
    step = s.trl_now[p] - 1
    if s.remaining[p] == 0:
        s.step_joint[p] = s.joint[p]
        factor = c.factor[p, step] if s.joint[p] else 1.0
        s.remaining[p] = work_days(draws.step_days(u, c.technology[p], step, s.attempt[p]), factor)
    if needs_any(c.needs[p, step]):
        wait_for(s, t, p, AT_FACILITY, facilities(c))
        expect(s, p, s.funded_end[p], WORK, DO_WORK)
    else:
        run(s, p, t)


@inline
def fund(c, u, o, s, p, t, days):
    """Model: E23."""
    s.funded_end[p] = t + days
    o.funded_days[p] += days
    start_work(c, u, s, p, t)


@inline
def grant_facilities(c, o, s, t):
    """Model: E26."""
    queue = facilities(c)
    row = s.queue[queue]
    arrange(c, s, t, of_facilities(c), queue, REMAINING)
    fill(s.reserved, NO)
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        need = c.needs[p, s.trl_now[p] - 1]
        free = True
        for f in range(len(need)):
            if need[f] > 0 and (s.reserved[f] or s.units[f] + need[f] > c.capacity[f]):
                free = False
        if free:
            for f in range(len(need)):
                s.units[f] += need[f]
            s.using[p] = True
            s.served[served] = p
            served += 1
        else:
            for f in range(len(need)):
                s.reserved[f] = s.reserved[f] or need[f] > 0
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    restore(c, s, of_facilities(c), queue, served)
    for k in range(served):
        p = s.served[k]
        o.wait_facility[p] += t - s.since[p]
        run(s, p, t)


@inline
def success(c, o, s, p, t):
    """Model: E28, E30."""
    step = s.trl_now[p] - 1
    chance = c.success[p, step] if s.step_joint[p] else c.alone_success[p, step]
    helped = False
    for k in range(c.spillover_start[p], c.spillover_start[p + 1]):
        other = c.spillover[k]
        if o.end_state[other] == TARGET and o.end_day[other] < t:
            chance += c.spillover_gain[k]
            helped = True
    if helped:
        o.spillovers[p] += 1
        chance = min(1.0, max(0.0, chance))
    return chance


@inline
def end_attempt(c, u, o, s, p, t):
    """Model: E28."""
    luck = draws.step_luck(u, c.technology[p], s.trl_now[p] - 1, s.attempt[p])
    verdict = attempt(luck, success(c, o, s, p, t), c.setback)
    if verdict == SUCCESS:
        s.trl_now[p] += 1
        s.attempt[p] = 0
        o.trl_day[p, s.trl_now[p] - 1] = t
        begin_deliverables(c, u, o, s, p, t, s.trl_now[p])
        if s.trl_now[p] == c.target[p]:
            finish(c, o, s, p, t, TARGET, NO)
        return
    s.attempt[p] += 1
    if verdict == FAILURE or s.attempt[p] == c.attempts:
        finish(c, o, s, p, t, FAILED, NO)
    else:
        o.setbacks[p] += 1
