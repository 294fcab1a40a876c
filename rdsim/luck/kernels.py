"""The luck of one replication, number by number, compiled: from a `Chance` to days, outcomes and money.

`h` is a block with the fields of `Chance`, the number of the present replication, and the fields' common factors in
it, which `enter` draws. Both engines get their luck from these functions: the compiled one asks when a project
comes to need a number, for the SimPy engine all numbers are laid out before.
"""

from __future__ import annotations

import math

import numpy as np

from rdsim.case import DAYS_PER_YEAR, MILLION, STEPS
from rdsim.draws import uniform_at
from rdsim.native.jit import inline
from rdsim.native.normal import probability, quantile

__all__ = [
    "BUDGET",
    "EXCHANGE",
    "LONGEST",
    "MARKET_TIME",
    "STEP_TIME",
    "TALKS",
    "agreement_days",
    "break_day",
    "budget",
    "calendar",
    "commercial",
    "enter",
    "enter_market",
    "enter_year",
    "exchange_rates",
    "gate",
    "judged_value",
    "judgement",
    "market_days",
    "review_error",
    "score",
    "stage_succeeds",
    "step_days",
    "step_luck",
    "step_score",
    "value_score",
]

STEP_TIME, TALKS, MARKET_TIME, BUDGET, EXCHANGE = range(5)
"""Random factors whose distribution a scenario may name, by number."""

FIRST = np.int64(0)  # a literal would be compiled anew for each place
_SLACK = 1.0 + 1e-9  # far more than rounding
LONGEST = 1e6
"""Days: beyond a few centuries a day more or less is nothing, and the cap keeps sums far from overflow."""


@inline
def _uniform(h, address, first, second):
    return uniform_at(h.seed, address, h.replication[0], first, second)


@inline
def _score(h, address, first, second):
    """Model: L2."""
    return quantile(_uniform(h, address, first, second))


@inline
def _whole_days(median, sigma, score):
    """Days of a lognormal time, rounded up, at least 1."""
    return max(math.ceil(min(median * math.exp(sigma * score), LONGEST)), 1)


@inline
def enter(h, replication):
    """Turn to a replication.

    Model: L3, L4.
    """
    h.replication[0] = np.uint64(replication)
    if h.time_loading > 0.0 or h.luck_loading > 0.0:
        for x in range(len(h.field_address)):
            h.factor[x] = _score(h, h.field_address[x], FIRST, FIRST)
    enter_market(h, replication)


@inline
def enter_market(h, replication):
    """Turn to a replication, and draw what the markets of each field have in common in it, if they have.

    Model: L12, L14.
    """
    h.replication[0] = np.uint64(replication)
    if h.market_own < 1.0:
        everywhere = _part(h, h.market_common, h.market_common_address, FIRST)
        for x in range(len(h.market_field_address)):
            h.market_factor[x] = everywhere + _part(h, h.market_within, h.market_field_address[x], FIRST)


@inline
def _part(h, share, address, first):
    """The part of a score that is a common factor's, which has a share of the variance; undrawn without one.

    Model: L2.
    """
    return math.sqrt(share) * _score(h, address, first, FIRST) if share > 0.0 else 0.0


@inline
def _bound(own, factor, loading):
    # A good year for a field makes its steps shorter and likelier: both scores fall as the factor rises.
    """Model: L3, L4."""
    return math.sqrt(1.0 - loading * loading) * own - loading * factor


@inline
def step_score(h, t, step, attempt):
    """Normal score of the time of an attempt.

    Model: L4.
    """
    own = _score(h, h.time_address[t], step, attempt)
    if h.time_loading > 0.0:
        return _bound(own, h.factor[h.field[t]], h.time_loading)
    return own


@inline
def judgement(h, row, score, pick):
    """What experts make of a figure, at a normal score: the average of their quantiles, or that of the one picked.

    `pick` is a uniform number: picking one expert's quantile by weight is drawing from the mixture of them all.

    Model: L9.
    """
    value = 0.0
    for expert in range(len(h.judged_weight[row])):
        weight = h.judged_weight[row, expert]
        if weight > 0.0:
            spread = h.judged_low[row, expert] if score < 0.0 else h.judged_high[row, expert]
            own = h.judged_median[row, expert] * math.exp(spread * score)
            if h.judged_averaged:
                value += weight * own
            elif pick >= 0.0:
                value = own
                pick -= weight
    return value


@inline
def step_days(h, t, step, attempt):
    """Days of an attempt without partner: as experts judge the step, or lognormal around its median.

    Model: L4, L5, L9.
    """
    row = h.judged_step[t, step]
    if row >= 0:
        # One expert for all attempts at a step: whoever is right about it is right again.
        return judgement(h, row, step_score(h, t, step, attempt), _uniform(h, h.time_address[t], STEPS + step, FIRST))
    return h.time_median[t, step] * math.exp(h.time_sigma[t] * step_score(h, t, step, attempt))


@inline
def step_luck(h, t, step, attempt):
    """Uniform number that decides an attempt.

    Model: L3.
    """
    own = _uniform(h, h.luck_address[t], step, attempt)
    if h.luck_loading > 0.0:
        return probability(_bound(quantile(own), h.factor[h.field[t]], h.luck_loading))
    return own


@inline
def gate(h, t, review):
    """Uniform number that decides a review.

    Model: L10.
    """
    return _uniform(h, h.gate_address[t], review, FIRST)


@inline
def review_error(h, t, review):
    """Error of a review, in TRL steps.

    Model: L10.
    """
    return quantile(gate(h, t, review)) * h.review_spread[t]


@inline
def stage_succeeds(h, p, stage):
    """Whether a stage of talks succeeds.

    Model: L11.
    """
    return _uniform(h, h.agreement_luck_address[p], FIRST, stage) < h.agreement_chance[p, stage]


@inline
def talk_score(h, p, stage):
    """Normal score of the time of a stage of talks.

    Model: L11.
    """
    return _score(h, h.agreement_time_address[p], FIRST, stage)


@inline
def agreement_days(h, p, stage):
    """Days of a stage of talks.

    Model: L5, L11.
    """
    days = _whole_days(h.agreement_median[p, stage], h.agreement_sigma[p, stage], talk_score(h, p, stage))
    return days + h.agreement_extra[p] if stage == 0 else days


@inline
def commercial(h, t):
    """Whether a technology that reached its target comes to the market.

    Model: L12.
    """
    if h.market_chance[t] >= 1.0:
        return True
    luck = _uniform(h, h.market_luck_address[t], FIRST, FIRST)
    if h.market_own < 1.0:
        luck = probability(h.market_own * quantile(luck) - h.market_factor[h.field[t]])
    return luck < h.market_chance[t]


@inline
def market_score(h, t):
    """Normal score of the time to the market.

    Model: L13.
    """
    return _score(h, h.market_time_address[t], FIRST, FIRST)


@inline
def market_days(h, t):
    """Days from the target to the market.

    Model: L5, L13.
    """
    return _whole_days(h.market_median, h.market_sigma, market_score(h, t))


@inline
def enter_year(h, year):
    """Draw what the breaks of each bloc have in common in a year.

    Model: L15.
    """
    own = math.sqrt(1.0 - h.bloc_share)
    for b in range(len(h.bloc_address)):
        h.bloc_part[b] = _part(h, h.bloc_share, h.bloc_address[b], year)
        # Of no member's own luck above this does a break come: most are spared a quantile.
        h.bloc_most[b] = probability((h.bloc_bound[b] - h.bloc_part[b]) / own) * _SLACK if own > 0.0 else 1.0


@inline
def _is_broken(h, n, year):
    """Whether relations with a partner break in a year.

    Model: L15.
    """
    own = _uniform(h, h.break_luck_address[n], year, FIRST)
    if h.bloc[n] < 0:
        return own < h.break_chance[n]
    if own > h.bloc_most[h.bloc[n]]:
        return False
    return math.sqrt(1.0 - h.bloc_share) * quantile(own) + h.bloc_part[h.bloc[n]] < h.break_bound[n]


@inline
def break_day(h, n, year):
    """Day on which relations with a partner break in the year that was entered, or -1.

    Model: L15.
    """
    if h.break_chance[n] == 0.0 or not _is_broken(h, n, year):
        return -1
    return year * DAYS_PER_YEAR + int(_uniform(h, h.break_day_address[n], year, FIRST) * DAYS_PER_YEAR)


@inline
def budget_score(h, g, year):
    """Normal score of a year's budget, of which all programmes share a part.

    Model: L16.
    """
    own = _score(h, h.budget_address[g], year, FIRST)
    return math.sqrt(1.0 - h.budget_common) * own + _part(h, h.budget_common, h.budget_common_address, year)


@inline
def budget(h, g, year):
    """Money that really comes.

    Model: L16.
    """
    announced = h.announced[g, year]
    if h.certain[g, year] or announced == 0 or h.budget_sd == 0.0:
        return announced
    factor = 1.0 + h.budget_sd * budget_score(h, g, year)
    return math.floor(announced * min(max(factor, h.budget_lowest), h.budget_highest) + 0.5)


@inline
def calendar(h, u):
    """Fill in the breaks of a replication, and its budgets if they are not laid out."""
    for year in range(len(h.announced[0])):
        enter_year(h, year)
        for n in range(len(u.break_day)):
            u.break_day[n, year] = break_day(h, n, year)
    if h.budgets_laid_out:
        return
    for g in range(len(u.budget)):
        for year in range(len(u.budget[g])):
            u.budget[g, year] = budget(h, g, year)


@inline
def exchange_score(h, currency, year):
    """Normal score of a year's move of a currency.

    Model: L17.
    """
    return _score(h, h.exchange_address[currency], year, FIRST)


@inline
def exchange_rates(h, currency, rates):
    """A currency's rates in millionths: a geometric random walk with mean 1, constant within a year, 1 in the first.

    Model: L17.
    """
    volatility, walk = h.exchange_volatility[currency], 0.0
    for year in range(len(rates)):
        if year > 0 and volatility > 0.0:
            walk += volatility * exchange_score(h, currency, year) - volatility * volatility / 2.0
        rates[year] = math.floor(math.exp(walk) * MILLION + 0.5)


@inline
def score(h, source, i, j, k):
    """Normal score of a random factor at its place: a step's attempt, a stage, a technology, a year."""
    if source == TALKS:
        return talk_score(h, i, j)
    if source == MARKET_TIME:
        return market_score(h, i)
    if source == BUDGET:
        return budget_score(h, i, j)
    if source == EXCHANGE:
        return exchange_score(h, i, j)
    return step_score(h, i, j, k)


@inline
def value_score(h, t):
    """Normal score of a market value: it rises with what markets' values have in common.

    Model: L14.
    """
    return h.market_own * _score(h, h.market_luck_address[t], FIRST, FIRST) + h.market_factor[h.field[t]]


@inline
def judged_value(h, n, score, replication):
    """A market value as experts judge it, over its mean; `h` has their pools and the addresses of what is judged.

    Model: L9.
    """
    return judgement(h, n, score, uniform_at(h.seed, h.address[n], replication, 1, FIRST))
