"""Luck: from random numbers by address to days, outcomes and money.

Every number is the quantile of one uniform number, so more of a good thing (a shorter median, a higher
probability) never turns good luck into bad. A field's common factor F enters the normal score of each
step's luck and time with its loading l, as -l F + sqrt(1 - l^2) e (a Gaussian copula). Markets share factors of their
own, common to all and to a field, with shares of variance c and f: a technology comes to the market if
sqrt(1 - c - f) e - sqrt(c) F - sqrt(f) F_field lies below the quantile of its chance, and its value has a score of the
same kind, with a plus and with other factors, so that chance and value stay independent. Budgets of a year share a
factor, breaks of a year one within each bloc. No factor moves the distribution of a single number; where all shares are
zero, technologies are independent, and no factor is drawn.

An `InputModel` says how the luck of a case is distributed and where its random numbers are. `lay_out` draws all of it
for some replications, as arrays; the compiled engine draws from the `InputModel` only what a replication comes to need.
What no compiled function gives - Erlang quantiles, and distributions that a scenario names (`marginals`) - is laid out
in numpy for both.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from rdsim.arrays import Floats, Ints
from rdsim.case import DAYS_PER_MONTH, STEPS, Case, SamplePaths, most_reviews, technologies
from rdsim.distributions import LOGNORMAL
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws, Purpose, addresses
from rdsim.luck import kernels
from rdsim.luck.chance import (
    InputModel,
    agreement_chance,
    chance,
    expert_pools,
    market_luck,
    no_chance,
    stage_chances,
    talk_luck,
    value_luck,
)
from rdsim.luck.factors import unit_mean_factors
from rdsim.luck.joint import both_chance
from rdsim.luck.marginals import columns, layout_flags, others, scratch
from rdsim.native.blocks import Block, select
from rdsim.native.jit import jit
from rdsim.scenario import Pool, distribution_of

__all__ = [
    "InputModel",
    "agreement_chance",
    "both_chance",
    "chance",
    "comes_to_market",
    "failing_stage",
    "lay_out",
    "lay_out_rest",
    "layout_flags",
    "no_chance",
    "path_bytes",
    "scratch",
    "stage_chances",
    "value_factor",
]


def lay_out(scenario: Scenario, case: Case, choices: tuple[Choice, ...], draws: Draws) -> SamplePaths:
    """The whole luck of a case for some replications; `choices` in the order of the case's projects."""
    source = chance(scenario, case, choices, draws.seed)
    rest = lay_out_rest(scenario, case, choices, draws)
    luck = _room(source, case, len(draws.replications))._replace(**rest)
    rows = Block("SamplePaths", luck._asdict(), rows=frozenset(SamplePaths._fields))
    _lay_out(Block("InputModel", scratch(source, rest)), rows, np.array(draws.replications, np.int64))
    return luck


def path_bytes(scenario: Scenario, case: Case, choices: tuple[Choice, ...]) -> int:
    """Memory that the luck of one replication takes when it is laid out."""
    return sum(column.nbytes for column in _room(chance(scenario, case, choices, 0), case, 1))


def _room(source: InputModel, case: Case, count: int) -> SamplePaths:
    """Arrays for what `count` replications can come to need, and no more: reviews are as many as the horizon allows."""
    names, years = len(source.field), case.budget.shape[1]
    steps, reviews = (count, names, STEPS, case.attempts), (count, names, most_reviews(case))
    columns: dict[str, npt.NDArray[Any]] = {
        "step_days": np.empty(steps),
        "step": np.empty(steps),
        "gate": np.empty(reviews),
        "review_error": np.empty(reviews),
        "agreed": np.empty((count, *source.agreement_chance.shape), np.bool_),
        "agreement_days": np.empty((count, *source.agreement_chance.shape), np.int64),
        "deliverable_days": np.zeros((count, names, case.due_tranche.shape[1]), np.int64),
        "commercial": np.empty((count, names), np.bool_),
        "market_days": np.empty((count, names), np.int64),
        "break_day": np.empty((count, len(case.places), years), np.int64),
        "budget": np.empty((count, len(case.budget), years), np.int64),
        "exchange_ppm": np.empty((count, len(source.exchange_address), years), np.int64),
    }
    return SamplePaths(**columns)


@jit
def _lay_out(h, u, numbers):  # type: ignore[no-untyped-def]
    for r in range(len(numbers)):
        kernels.enter(h, numbers[r])
        select(u, r)
        for t in range(len(u.step)):
            _lay_out_technology(h, u, t)
        for p in range(len(u.agreed)):
            for stage in range(len(u.agreed[p])):
                u.agreed[p, stage] = kernels.stage_succeeds(h, p, stage)
                if not h.talks_laid_out:
                    u.agreement_days[p, stage] = kernels.agreement_days(h, p, stage)
        kernels.calendar(h, u)
        if not h.rates_laid_out:
            for currency in range(len(u.exchange_ppm)):
                kernels.exchange_rates(h, currency, u.exchange_ppm[currency])


@jit
def _lay_out_technology(h, u, t):  # type: ignore[no-untyped-def]
    for step in range(len(u.step[t])):
        for attempt in range(len(u.step[t, step])):
            u.step[t, step, attempt] = kernels.step_luck(h, t, step, attempt)
            if not h.steps_laid_out:
                u.step_days[t, step, attempt] = kernels.step_days(h, t, step, attempt)
    for review in range(len(u.gate[t])):
        u.gate[t, review] = kernels.gate(h, t, review)
        u.review_error[t, review] = kernels.review_error(h, t, review)
    u.commercial[t] = kernels.commercial(h, t)
    if not h.markets_laid_out:
        u.market_days[t] = kernels.market_days(h, t)


# --- what numpy lays out --------------------------------------------------------------------------


def lay_out_rest(
    scenario: Scenario, case: Case, choices: tuple[Choice, ...], draws: Draws
) -> dict[str, npt.NDArray[Any]]:
    """The columns of luck that are always laid out: deliverables if there are any, and `marginals`."""
    rest: dict[str, npt.NDArray[Any]] = {}
    if case.deliverables.any():
        rest["deliverable_days"] = _deliverables(scenario, case, technologies(choices), draws)
    if named := others(scenario, choices):
        chances = chance(scenario, case, choices, draws.seed), np.array(draws.replications, np.int64)
        rest.update(columns(named, scenario, choices, case.attempts, chances))
    return rest


def _deliverables(scenario: Scenario, case: Case, names: list[str], draws: Draws) -> Ints:
    """Days of work until the last required one of each kind: a sum of exponential times (Erlang).

    Model: L18.
    """
    kinds = [scenario.programmes[scenario.technologies[name].programme].deliverables for name in names]
    needed = np.zeros((len(draws.replications), len(names), case.due_tranche.shape[1]), np.int64)
    for t, (name, items) in enumerate(zip(names, kinds, strict=True)):
        luck = draws.uniform(Purpose.DELIVERABLE, [f"{name}\0{item}" for item in items])[..., 0, 0]
        for d, item in enumerate(items.values()):
            mean = item.mean_months * DAYS_PER_MONTH
            days = np.ceil(np.minimum(gammaincinv(item.count, luck[:, d]) * mean, 1e6))
            needed[:, t, d] = np.maximum(days, 1 if mean else 0)
    return needed


# --- talks ----------------------------------------------------------------------------------------


def failing_stage(chances: Floats, choices: tuple[Choice, ...], draws: Draws) -> Ints:
    """Stage at which the talks of each choice fail as drawn, (replications, choices); H where none of the H fails.

    `chances` are the choices' `stage_chances`, (choices, H).

    Model: L11.
    """
    found = np.full((len(draws.replications), len(choices)), chances.shape[1], np.int64)
    luck = Block("Talks", talk_luck(chances, choices, draws.seed))
    _fail_talks(luck, np.array(draws.replications, np.int64), found)
    return found


@jit
def _fail_talks(h, numbers, found):  # type: ignore[no-untyped-def]
    for r in range(len(numbers)):
        h.replication[0] = np.uint64(numbers[r])
        for p in range(found.shape[1]):
            for stage in range(found[r, p]):
                if not kernels.stage_succeeds(h, p, stage):
                    found[r, p] = stage
                    break


# --- market value ---------------------------------------------------------------------------------


def comes_to_market(scenario: Scenario, names: list[str], draws: Draws) -> npt.NDArray[np.bool_]:
    """Whether each technology comes to the market if it reaches its target, shape (replications, names).

    Model: L12.
    """
    found = np.empty((len(draws.replications), len(names)), np.bool_)
    luck = Block("Markets", market_luck(scenario, names, draws.seed))
    _come_to_market(luck, np.array(draws.replications, np.int64), found)
    return found


@jit
def _come_to_market(h, numbers, found):  # type: ignore[no-untyped-def]
    for r in range(len(numbers)):
        kernels.enter_market(h, numbers[r])
        for t in range(found.shape[1]):
            found[r, t] = kernels.commercial(h, t)


def value_factor(
    scenario: Scenario, names: list[str], draws: Draws, wanted: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """Luck of the market value, with mean 1, shape (replications, names).

    As `value.distribution` has it, spread by uncertainty class, or as experts judge it. Where it is not `wanted` (same
    shape) it is 1, undrawn.

    Model: L14.
    """
    factor = np.ones((len(draws.replications), len(names)))
    judged = _judged_values(scenario, names)
    classes = [scenario.uncertainty[scenario.technologies[name].uncertainty] for name in names]
    sigma = np.array([0.0 if t in judged else one.value_sigma for t, one in enumerate(classes)])
    spread = {t: pool for t, pool in judged.items() if not pool.certain}
    lucky = np.broadcast_to((sigma > 0.0) | np.isin(np.arange(len(names)), list(spread)), factor.shape)
    lucky = np.array(lucky if wanted is None else lucky & wanted)
    score, numbers = np.zeros(factor.shape), np.array(draws.replications, np.int64)
    _value_scores(Block("Value scores", value_luck(scenario, names, draws.seed)), numbers, lucky, score)
    if scenario.value.distribution == LOGNORMAL:
        _value_factors(sigma, lucky, score, factor)
    else:
        given = scenario.value.distribution_parameters
        factor[lucky] = unit_mean_factors(scenario.value.distribution, given, score, sigma)[lucky]
    if spread:
        columns = np.array(list(spread), np.int64)
        units = [1.0 / pool.mean() for pool in spread.values()]
        address = addresses(Purpose.MARKET_VALUE, names)[columns]
        fields = {"seed": np.uint64(draws.seed), "address": address, **expert_pools(list(spread.values()), units)}
        _judge_values(Block("Values", fields), columns, numbers, lucky, (score, factor))
    return factor


def _judged_values(scenario: Scenario, names: list[str]) -> dict[int, Pool]:
    pools = {t: distribution_of(scenario, name, "value") for t, name in enumerate(names)}
    return {t: pool for t, pool in pools.items() if pool is not None}


@jit
def _value_scores(h, numbers, wanted, score):  # type: ignore[no-untyped-def]
    for r in range(len(numbers)):
        entered = False
        for t in range(score.shape[1]):
            if wanted[r, t]:
                if not entered:
                    kernels.enter_market(h, numbers[r])
                    entered = True
                score[r, t] = kernels.value_score(h, t)


@jit
def _value_factors(sigma, wanted, score, factor):  # type: ignore[no-untyped-def]
    """Lognormal ones.

    Model: L5, L14.
    """
    for r in range(factor.shape[0]):
        for t in range(len(sigma)):
            if wanted[r, t]:
                factor[r, t] = math.exp(sigma[t] * score[r, t] - sigma[t] * sigma[t] / 2.0)


@jit
def _judge_values(h, columns, numbers, wanted, tables):  # type: ignore[no-untyped-def]
    score, factor = tables
    for r in range(len(numbers)):
        for n in range(len(columns)):
            if wanted[r, columns[n]]:
                own = score[r, columns[n]]
                factor[r, columns[n]] = kernels.judged_value(h, n, own, np.uint64(numbers[r]))
