"""Purses: tranches, and the cost of partners."""

from __future__ import annotations

from rdsim.case import DAYS_PER_YEAR
from rdsim.engines.compiled import draws
from rdsim.engines.compiled.agenda import grant_soon, places, purse_of, push, wait_for
from rdsim.engines.compiled.contracts import (
    AT_BETWEEN,
    AT_MONEY,
    DO_READY,
    IS_CLAIMED,
    IS_NEVER,
    IS_OPENING,
    NO,
    NONE,
    PARTNER_COST,
    RAISED,
    RELEASE,
    STRICT,
    UNFUNDED,
    at_rate,
    fits,
    hopeless,
)
from rdsim.engines.compiled.endings import finish
from rdsim.engines.compiled.work import fund
from rdsim.native.calls import call
from rdsim.native.jit import inline

__all__ = [
    "abroad",
    "ask_money",
    "begin_tranche",
    "blocks",
    "grant_money",
    "open_partner",
    "open_requests",
    "pay",
    "pays",
    "request",
    "serve_claims",
]


@inline
def ask_money(c, s, p, t):
    """Model: E18."""
    wait_for(s, t, p, AT_MONEY, purse_of(c, c.programme[p]))


@inline
def abroad(c, u, s, p, y):
    """Model: E18."""
    planned = c.abroad[p, s.tranche[p]]
    if not s.joint[p] or planned == 0:
        return NONE
    return at_rate(planned, draws.exchange(u, c.currency[p], y))


@inline
def request(c, u, s, p, y):
    """Model: E18."""
    k = s.tranche[p]
    if not s.joint[p]:
        return c.domestic[p, k]
    return c.home[p, k] - c.abroad[p, k] + abroad(c, u, s, p, y)


@inline
def pay(c, u, o, s, p, amount, t):
    """Model: E23."""
    g, k, y = c.programme[p], s.tranche[p], t // DAYS_PER_YEAR
    s.purse[g] -= amount
    o.spent[g, y] += amount
    o.tranche_day[p, k] = t
    o.paid[p, k] = amount
    o.paid_abroad[p, k] = abroad(c, u, s, p, y)
    if s.joint[p]:
        o.paid_joint[p, k] = 1
        o.paid_foreign[p, k] = c.foreign[p, k]


@inline
def open_partner(c, o, s, n, t):
    """Model: E12."""
    s.partner[n] = IS_OPENING
    o.opened_day[n] = t
    push(s, t + c.setup_days[n], RELEASE, n, DO_READY, NONE, n)


@inline
def pays(c, u, s, g, amount, tranche, t):
    """Whether the programme's rule has a request paid that fits.

    Model: E20, E21, E22.
    """
    if c.pays[g] == 0:
        return True
    return _verdict(c.pays[g], c, u, s, g, amount, tranche, t)


@inline
def blocks(c, u, s, g, amount, tranche, t):
    """Whether the programme's rule has a request that is not paid block those behind it.

    Model: E20, E21, E22.
    """
    if c.blocks[g] == 0:
        return c.purse_rule[g] == STRICT
    return _verdict(c.blocks[g], c, u, s, g, amount, tranche, t)


@inline
def _verdict(address, c, u, s, g, amount, tranche, t):
    new, day = u.budget[g, t // DAYS_PER_YEAR], t % DAYS_PER_YEAR
    verdict = call(address, amount, s.purse[g], new, tranche, day, c.purse_own[g])
    if verdict == RAISED:
        s.raised[0] = 1
    return verdict == 1


@inline
def serve_claims(c, u, o, s, g, t):
    """Pay for partners before projects; says whether an unpaid claim blocks those behind it.

    Model: E12, E19.
    """
    y = t // DAYS_PER_YEAR
    blocked = False
    for n in range(len(c.places)):
        amount = s.claim[n]
        if amount == 0:
            continue
        if not blocked and fits(amount, s.purse[g]) and pays(c, u, s, g, amount, PARTNER_COST, t):
            s.claim[n] = 0
            s.purse[g] -= amount
            o.spent_network[g, y] += amount
            o.network_paid[n, y] += amount
            if s.partner[n] == IS_CLAIMED:
                open_partner(c, o, s, n, t)
        elif hopeless(amount, s.purse[g], s.announced[g, y]):
            s.claim[n] = 0
            if s.partner[n] == IS_CLAIMED:
                s.partner[n] = IS_NEVER
                grant_soon(s, places(c))
            else:
                o.network_short[n] += amount
        else:
            blocked = blocked or blocks(c, u, s, g, amount, PARTNER_COST, t)
    return blocked


@inline
def begin_tranche(c, u, s, o, p, t):
    """Model: E23."""
    days = c.tranche_days[c.programme[p], s.tranche[p]]
    s.extended[p] = False
    fund(c, u, o, s, p, t, days)


@inline
def grant_money(c, u, o, s, g, t):
    """Model: E20."""
    y = t // DAYS_PER_YEAR
    blocked = False
    if g == c.network:
        blocked = serve_claims(c, u, o, s, g, t)
    queue = purse_of(c, g)
    row = s.queue[queue]
    served = kept = 0
    for k in range(s.waiting[queue]):
        p = row[k]
        amount = request(c, u, s, p, y)
        paid = not blocked and fits(amount, s.purse[g]) and pays(c, u, s, g, amount, s.tranche[p], t)
        if paid or hopeless(amount, s.purse[g], s.announced[g, y]):
            s.served[served] = p
            served += 1
            o.wait_money[p] += t - s.since[p]
            s.stage[p] = AT_BETWEEN
            if paid:
                pay(c, u, o, s, p, amount, t)
        else:
            blocked = blocked or blocks(c, u, s, g, amount, s.tranche[p], t)
            row[kept] = p
            kept += 1
    s.waiting[queue] = kept
    for k in range(served):
        p = s.served[k]
        if o.tranche_day[p, s.tranche[p]] == t:
            begin_tranche(c, u, s, o, p, t)
        else:
            finish(c, o, s, p, t, UNFUNDED, NO)


@inline
def open_requests(c, u, s, g, y):
    """Model: E6, E41."""
    total = 0
    for k in range(s.waiting[purse_of(c, g)]):
        total += request(c, u, s, s.queue[purse_of(c, g), k], y)
    if g == c.network:
        for n in range(len(s.claim)):
            total += s.claim[n]
    return total
