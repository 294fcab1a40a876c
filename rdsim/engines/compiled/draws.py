"""The luck of the present replication: looked up where it is laid out, drawn when asked for where it is not.

Each number is asked for at most once or twice in a project's life, and most never: so none is kept, but for a
currency's rates, which are a walk.
"""

from __future__ import annotations

from rdsim.luck import kernels
from rdsim.native.jit import inline

__all__ = [
    "agreement_days",
    "commercial",
    "deal",
    "exchange",
    "gate",
    "market_days",
    "review_error",
    "stage_succeeds",
    "step_days",
    "step_luck",
]


@inline
def deal(u, replication):
    """Turn to a replication, and draw its calendar of breaks and budgets."""
    if u.laid_out:
        return
    kernels.enter(u, replication)
    kernels.calendar(u, u)
    for currency in range(len(u.rated)):
        u.rated[currency] = False


@inline
def step_days(u, t, step, attempt):
    if u.steps_laid_out:
        return u.step_days[t, step, attempt]
    return kernels.step_days(u, t, step, attempt)


@inline
def step_luck(u, t, step, attempt):
    if u.laid_out:
        return u.step[t, step, attempt]
    return kernels.step_luck(u, t, step, attempt)


@inline
def gate(u, t, review):
    if u.laid_out:
        return u.gate[t, review]
    return kernels.gate(u, t, review)


@inline
def review_error(u, t, review):
    if u.laid_out:
        return u.review_error[t, review]
    return kernels.review_error(u, t, review)


@inline
def stage_succeeds(u, p, stage):
    if u.laid_out:
        return u.agreed[p, stage]
    return kernels.stage_succeeds(u, p, stage)


@inline
def agreement_days(u, p, stage):
    if u.talks_laid_out:
        return u.agreement_days[p, stage]
    return kernels.agreement_days(u, p, stage)


@inline
def commercial(u, t):
    if u.laid_out:
        return u.commercial[t]
    return kernels.commercial(u, t)


@inline
def market_days(u, t):
    if u.markets_laid_out:
        return u.market_days[t]
    return kernels.market_days(u, t)


@inline
def exchange(u, currency, year):
    """Rate of a currency in millionths."""
    if not u.rates_laid_out and not u.rated[currency]:
        kernels.exchange_rates(u, currency, u.exchange_ppm[currency])
        u.rated[currency] = True
    return u.exchange_ppm[currency, year]
