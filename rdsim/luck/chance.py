"""What it takes to draw the luck of any replication of a case: addresses and distributions, as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np
from scipy.special import ndtri

from rdsim.arrays import Bools, Floats, Ints
from rdsim.case import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    STEPS,
    Case,
    currencies,
    formation,
    hosts,
    step_median,
    technologies,
)
from rdsim.domain import Choice, Scenario
from rdsim.draws import Purpose, Words, addresses
from rdsim.native.blocks import blank
from rdsim.scenario import Pool, calibration, distribution_of, market_probability, own_steps

__all__ = [
    "InputModel",
    "agreement_chance",
    "chance",
    "expert_pools",
    "market_luck",
    "no_chance",
    "stage_chances",
    "talk_luck",
    "value_luck",
]

__compiled__ = True


class InputModel(NamedTuple):
    """The distributions of a case, and where its random numbers are found; letters as in `rdsim.case`, X fields."""

    seed: np.uint64
    # steps and gates
    field_address: Words  # (X,)
    field: Ints  # (T,) index
    time_address: Words  # (T,)
    luck_address: Words  # (T,)
    time_median: Floats  # (T, S) days
    time_sigma: Floats  # (T,)
    judged_step: Ints  # (T, S) row of what experts make of its time, or -1
    judged_averaged: bool  # quantiles are averaged; else an expert is picked
    judged_weight: Floats  # (J, E) of J judged figures and E experts, 0 where one is silent
    judged_median: Floats  # (J, E) days
    judged_low: Floats  # (J, E) log standard deviation below the median
    judged_high: Floats  # (J, E) and above it
    time_loading: float
    luck_loading: float
    gate_address: Words  # (T,)
    review_spread: Floats  # (T,)
    # agreements
    agreement_luck_address: Words  # (P,)
    agreement_time_address: Words  # (P,)
    agreement_chance: Floats  # (P, H)
    agreement_median: Floats  # (P, H) days
    agreement_sigma: Floats  # (P, H)
    agreement_extra: Ints  # (P,) days, in the first stage
    # market
    market_luck_address: Words  # (T,)
    market_time_address: Words  # (T,)
    market_common_address: np.uint64
    market_field_address: Words  # (X,)
    market_common: float  # share of variance common to all
    market_within: float  # and to a field beside that
    market_own: float  # weight of one's own score
    market_chance: Floats  # (T,)
    market_median: float  # days
    market_sigma: float
    # calendar
    break_luck_address: Words  # (N,)
    break_day_address: Words  # (N,)
    break_chance: Floats  # (N,) in a year
    break_bound: Floats  # (N,) its normal quantile
    bloc_address: Words  # (B,) of B blocs
    bloc_bound: Floats  # (B,) the largest normal quantile of its members' chances
    bloc: Ints  # (N,) index, -1 if breaks share nothing
    bloc_share: float  # share of variance common to a bloc
    budget_address: Words  # (G,)
    budget_common_address: np.uint64
    budget_common: float  # share of variance common to all
    announced: Ints  # (G, Y)
    certain: Bools  # (G, Y) the announced budget comes
    budget_sd: float
    budget_lowest: float
    budget_highest: float
    exchange_address: Words  # (C,)
    exchange_volatility: Floats  # (C,) 0 of the home currency


_TABLES = (
    *("announced", "certain", "time_median", "agreement_chance", "agreement_median", "agreement_sigma"),
    *("judged_step", "judged_weight", "judged_median", "judged_low", "judged_high"),
)
_COLUMNS = frozenset(name for name, hint in get_type_hints(InputModel).items() if get_args(hint))


def chance(scenario: Scenario, case: Case, choices: tuple[Choice, ...], seed: int) -> InputModel:
    """The chance of a case; `choices` in the order of the case's projects."""
    names = technologies(choices)
    return InputModel(
        seed=np.uint64(seed),
        **_steps(scenario, names),
        **_agreements(scenario, case, choices),
        **_market(scenario, names),
        **_calendar(scenario, case),
    )


def no_chance() -> InputModel:
    """What an engine is given beside luck that is laid out: nothing to draw from."""
    shapes: dict[str, tuple[int, ...]] = {name: (0,) if name in _COLUMNS else () for name in InputModel._fields}
    fields: dict[str, Any] = blank(InputModel, shapes | dict.fromkeys(_TABLES, (0, 0)))
    return InputModel(**fields)


def _steps(scenario: Scenario, names: list[str]) -> dict[str, Any]:
    rows = [scenario.technologies[name] for name in names]
    risk = scenario.risks.field_factor
    return {
        "field_address": addresses(Purpose.FIELD, list(scenario.fields)),
        "field": _fields(scenario, names),
        "time_address": addresses(Purpose.STEP_TIME, names),
        "luck_address": addresses(Purpose.STEP_LUCK, names),
        "time_median": _medians(scenario, names),
        "time_sigma": _sigmas(scenario, names),
        **_judged_steps(scenario, names),
        "time_loading": float(risk.duration_loading),
        "luck_loading": float(risk.success_loading),
        "gate_address": addresses(Purpose.GATE, names),
        "review_spread": np.array([scenario.programmes[row.programme].gate.review_error for row in rows]),
    }


def _fields(scenario: Scenario, names: list[str]) -> Ints:
    places = {field: x for x, field in enumerate(scenario.fields)}
    return np.array([places[scenario.technologies[name].field] for name in names], np.int64)


def _sigmas(scenario: Scenario, names: list[str]) -> Floats:
    """Log standard deviation of step times: the calibration's if it has one, else that of the uncertainty class."""
    given = calibration(scenario).duration_sigma
    classes = [scenario.uncertainty[scenario.technologies[name].uncertainty] for name in names]
    return np.array([one.duration_sigma if given is None else given for one in classes])


def _medians(scenario: Scenario, names: list[str]) -> Floats:
    own = own_steps(scenario)
    trls = range(1, STEPS + 1)
    years = [[step_median(scenario, name, own.get((name, trl)), trl) for trl in trls] for name in names]
    return np.array(years).reshape(len(names), STEPS) * DAYS_PER_YEAR


def _judged_steps(scenario: Scenario, names: list[str]) -> dict[str, Any]:
    """Steps whose time experts have judged, and their pools in days."""
    row = np.full((len(names), STEPS), -1, np.int64)
    pools: list[Pool] = []
    for t, name in enumerate(names):
        for step in range(STEPS):
            pool = distribution_of(scenario, name, "months", step + 1)
            if pool is not None:
                row[t, step] = len(pools)
                pools.append(pool)
    return {"judged_step": row, **expert_pools(pools, [float(DAYS_PER_MONTH)] * len(pools))}


def expert_pools(pools: Sequence[Pool], units: Sequence[float]) -> dict[str, Any]:
    """Pools on a log scale as arrays of shape (pools, experts), for `kernels.judgement`; each median times its unit."""
    experts = max((len(pool.opinions) for pool in pools), default=0)
    columns = {name: np.zeros((len(pools), experts)) for name in ("weight", "median", "low", "high")}
    for j, (pool, unit) in enumerate(zip(pools, units, strict=True)):
        for e, (weight, one) in enumerate(zip(pool.weights, pool.opinions, strict=True)):
            for name, value in zip(columns, (weight, one.median * unit, one.low, one.high), strict=True):
                columns[name][j, e] = value
    averaged = any(pool.pooling == "quantile" for pool in pools)
    return {"judged_averaged": averaged, **{f"judged_{name}": table for name, table in columns.items()}}


def _agreements(scenario: Scenario, case: Case, choices: tuple[Choice, ...]) -> dict[str, Any]:
    """Talks by technology and partner: the same luck in each mode, judged by its stages' probabilities and times."""
    chances = stage_chances(scenario, choices, int(case.stages.max(initial=1)))
    medians, sigmas = np.zeros(chances.shape), np.zeros(chances.shape)
    for p, choice in enumerate(choices):
        for h, stage in enumerate(formation(scenario.modes[choice.mode])):
            medians[p, h], sigmas[p, h] = stage.months * DAYS_PER_MONTH, stage.sigma
    return {
        "agreement_luck_address": addresses(Purpose.AGREEMENT_LUCK, _talks(choices)),
        "agreement_time_address": addresses(Purpose.AGREEMENT_TIME, _talks(choices)),
        "agreement_chance": _as_told(chances, case.talks),
        "agreement_median": medians,
        "agreement_sigma": sigmas,
        "agreement_extra": case.extra_days,
    }


def _talks(choices: Sequence[Choice]) -> list[str]:
    """Whose talks they are."""
    return [f"{choice.technology}\0{choice.partner}" for choice in choices]


def stage_chances(scenario: Scenario, choices: Sequence[Choice], least: int = 1) -> Floats:
    """Probability that each stage of talks succeeds once it is come to, (P, H); 1 beyond a choice's last one.

    H is the number of stages of the choice that has most, or `least`.

    Model: D22.
    """
    stages = [[stage.success for stage in formation(scenario.modes[choice.mode])] for choice in choices]
    chances = np.ones((len(choices), max([least, *map(len, stages)])))
    for p, (choice, own) in enumerate(zip(choices, stages, strict=True)):
        chances[p, : len(own)] = own
        chances[p, len(own) - 1] *= _willing(scenario, choice)
    return chances


def _as_told(chances: Floats, talks: Ints) -> Floats:
    """Chances, (P, H); where a case says how talks go (`Case.talks`), 0 at the stage that fails and 1 at the others."""
    fails = np.arange(chances.shape[1]) == talks[:, None]
    return np.where(talks[:, None] < 0, chances, np.where(fails, 0.0, 1.0))


def talk_luck(chances: Floats, choices: Sequence[Choice], seed: int) -> dict[str, Any]:
    """What `kernels.stage_succeeds` asks for, without the rest of an `InputModel`; `chances` are `stage_chances`."""
    return {
        "seed": np.uint64(seed),
        "replication": np.zeros(1, np.uint64),
        "agreement_luck_address": addresses(Purpose.AGREEMENT_LUCK, _talks(choices)),
        "agreement_chance": chances,
    }


def agreement_chance(scenario: Scenario, choice: Choice) -> float:
    """Probability that talks succeed: the mode's, times the partner's where the counterpart must agree."""
    stages = formation(scenario.modes[choice.mode])
    return math.prod(stage.success for stage in stages) * _willing(scenario, choice)


def _willing(scenario: Scenario, choice: Choice) -> float:
    """Probability that the counterpart agrees, where it is asked: in the last stage."""
    asked = choice.partner and scenario.modes[choice.mode].needs_counterpart
    return scenario.partners[choice.partner].agreement if asked else 1.0


def _market(scenario: Scenario, names: list[str]) -> dict[str, Any]:
    return {
        **_market_chances(scenario, names),
        "market_time_address": addresses(Purpose.MARKET_TIME, names),
        "market_median": float(scenario.value.market_months * DAYS_PER_MONTH),
        "market_sigma": float(scenario.value.market_sigma),
    }


def _market_chances(scenario: Scenario, names: list[str]) -> dict[str, Any]:
    """Whether technologies come to the market."""
    shares = scenario.risks.market_factor
    purposes = Purpose.MARKET_LUCK, Purpose.MARKET_COMMON, Purpose.MARKET_FIELD
    reached = [market_probability(scenario, scenario.technologies[name]) for name in names]
    return {
        **_market_scores(scenario, names, purposes, (shares.chance_common, shares.chance_field)),
        "market_chance": np.array(reached, np.float64),
    }


def _market_scores(
    scenario: Scenario, names: list[str], purposes: tuple[Purpose, Purpose, Purpose], shares: tuple[float, float]
) -> dict[str, Any]:
    """Normal scores of technologies that share factors: purposes of their own, of the common and of fields' factors."""
    own, everywhere, within = purposes
    return {
        "market_luck_address": addresses(own, names),
        "market_common_address": addresses(everywhere, [""])[0],
        "market_field_address": addresses(within, list(scenario.fields)),
        "market_common": float(shares[0]),
        "market_within": float(shares[1]),
        "market_own": math.sqrt(1.0 - shares[0] - shares[1]),
    }


def market_luck(scenario: Scenario, names: list[str], seed: int) -> dict[str, Any]:
    """What `kernels.commercial` asks for, without the rest of an `InputModel`."""
    return {**_alone(scenario, names, seed), **_market_chances(scenario, names)}


def value_luck(scenario: Scenario, names: list[str], seed: int) -> dict[str, Any]:
    """What `kernels.value_score` asks for: factors of their own, so that chance x mean value is what is expected."""
    shares = scenario.risks.market_factor
    purposes = Purpose.MARKET_VALUE, Purpose.VALUE_COMMON, Purpose.VALUE_FIELD
    scores = _market_scores(scenario, names, purposes, (shares.value_common, shares.value_field))
    return {**_alone(scenario, names, seed), **scores}


def _alone(scenario: Scenario, names: list[str], seed: int) -> dict[str, Any]:
    return {
        "seed": np.uint64(seed),
        "replication": np.zeros(1, np.uint64),
        "field": _fields(scenario, names),
        "market_factor": np.zeros(len(scenario.fields)),
    }


def _blocs(scenario: Scenario, codes: list[str], bounds: Floats) -> dict[str, Any]:
    """Whose breaks share luck; `bounds` are the normal quantiles of their chances."""
    share, named = scenario.risks.breaks.bloc_share, [scenario.partners[code].bloc for code in codes]
    blocs = list(dict.fromkeys(filter(None, named))) if share > 0.0 else []
    bloc = np.array([blocs.index(one) if one in blocs else -1 for one in named], np.int64)
    return {
        "bloc_address": addresses(Purpose.BLOC, blocs),
        "bloc_bound": np.array([bounds[bloc == b].max() for b in range(len(blocs))], np.float64),
        "bloc": bloc,
        "bloc_share": float(share),
    }


def _calendar(scenario: Scenario, case: Case) -> dict[str, Any]:
    codes, risk = hosts(scenario), scenario.risks.budget
    # Breaks come at a rate: at least one in a year with probability 1 - exp(-rate).
    chances = np.array([-math.expm1(-scenario.partners[code].break_rate) for code in codes], np.float64)
    return {
        "break_luck_address": addresses(Purpose.BREAK_LUCK, codes),
        "break_day_address": addresses(Purpose.BREAK_DAY, codes),
        "break_chance": chances,
        "break_bound": ndtri(chances),
        **_blocs(scenario, codes, ndtri(chances)),
        "budget_address": addresses(Purpose.BUDGET, list(scenario.programmes)),
        "budget_common_address": addresses(Purpose.BUDGET_COMMON, [""])[0],
        "budget_common": float(risk.common),
        "announced": case.budget,
        "certain": _certain(scenario),
        "budget_sd": float(risk.sd),
        "budget_lowest": float(risk.lowest),
        "budget_highest": float(risk.highest),
        "exchange_address": addresses(Purpose.EXCHANGE, currencies(scenario)),
        "exchange_volatility": _volatilities(scenario),
    }


def _certain(scenario: Scenario) -> Bools:
    """Where the announced budget is sure to come, shape (G, Y): money that is carried over was announced before."""
    years = range(scenario.start_year, scenario.horizon_year + 1)
    until = scenario.risks.budget.certain_until
    lines = scenario.programmes.values()
    return np.array([[year <= until or not line.budget.get(year, 0.0) for year in years] for line in lines])


def _volatilities(scenario: Scenario) -> Floats:
    """Volatility of each currency's rate: money in home currency, wherever it is spent, has no exchange rate."""
    volatility = float(scenario.risks.exchange.volatility)
    return np.array([0.0 if code == scenario.currency else volatility for code in currencies(scenario)])
