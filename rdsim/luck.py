"""Chance laid out for a case: from random numbers by address to days, outcomes and money.

Every number is the quantile of one uniform number, so more of a good thing (a shorter median, a higher
probability) never turns good luck into bad. A field's common factor F enters the normal score of each
step's luck and time with its loading l, as l F + sqrt(1 - l^2) e (a Gaussian copula); with both loadings
zero, technologies are independent.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtr, ndtri

from rdsim.case import DAYS_PER_MONTH, DAYS_PER_YEAR, MILLION, STEPS, Case, Luck, currencies, hosts, technologies
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws, Purpose
from rdsim.scenario import market_probability

__all__ = ["lay_out", "value_factor"]

Floats = npt.NDArray[np.float64]


def lay_out(scenario: Scenario, case: Case, choices: tuple[Choice, ...], draws: Draws) -> Luck:
    """The luck of a case for some replications; `choices` in the order of the case's projects."""
    names = technologies(choices)
    gates = draws.uniform(Purpose.GATE, names, _reviews(case))[..., 0]
    errors = {name: line.gate.review_error for name, line in scenario.programmes.items()}
    spread = np.array([errors[scenario.technologies[name].programme] for name in names])
    step_days, step = _steps(scenario, names, draws)
    agreed, agreement_days = _agreements(scenario, case, choices, draws)
    commercial, market_days = _market(scenario, names, draws)
    return Luck(
        step_days=step_days,
        step=step,
        gate=gates,
        review_error=ndtri(gates) * spread[:, None],
        agreed=agreed,
        agreement_days=agreement_days,
        deliverable_days=_deliverables(scenario, case, names, draws),
        commercial=commercial,
        market_days=market_days,
        break_day=_breaks(scenario, case, draws),
        budget=_budgets(scenario, case, draws),
        exchange_ppm=_exchange(scenario, case, draws),
    )


def value_factor(scenario: Scenario, names: list[str], draws: Draws) -> Floats:
    """Luck of the market value, lognormal with mean 1 by uncertainty class, shape (replications, names)."""
    sigma = np.array([scenario.uncertainty[scenario.technologies[name].uncertainty].value_sigma for name in names])
    score = ndtri(draws.uniform(Purpose.MARKET_VALUE, names)[..., 0, 0])
    return np.asarray(np.exp(sigma * score - sigma**2 / 2))


def _reviews(case: Case) -> int:
    return int((case.tranches - 1 + case.extensions).max(initial=1)) or 1


def _whole_days(time: Floats, least: int = 1) -> npt.NDArray[np.int64]:
    # Beyond a few centuries a day more or less is nothing, and the cap keeps sums far from overflow.
    return np.maximum(np.ceil(np.minimum(time, 1e6)), least).astype(np.int64)


def _steps(scenario: Scenario, names: list[str], draws: Draws) -> tuple[Floats, Floats]:
    attempts, risk = scenario.steps.attempts, scenario.risks.field_factor
    fields = list(scenario.fields)
    of_technology = [fields.index(scenario.technologies[name].field) for name in names]
    factor = ndtri(draws.uniform(Purpose.FIELD, fields)[..., 0, 0])[:, of_technology, None, None]
    time = ndtri(draws.uniform(Purpose.STEP_TIME, names, STEPS, attempts))
    luck = ndtri(draws.uniform(Purpose.STEP_LUCK, names, STEPS, attempts))
    # A good year for a field makes its steps shorter and likelier: both scores fall as F rises.
    time = _mix(-factor, time, risk.duration_loading)
    luck = _mix(-factor, luck, risk.success_loading)
    return _step_days(scenario, names, time), ndtr(luck)


def _mix(common: Floats, own: Floats, loading: float) -> Floats:
    return loading * common + math.sqrt(1.0 - loading**2) * own


def _step_days(scenario: Scenario, names: list[str], score: Floats) -> Floats:
    steps = scenario.steps
    median = np.array(steps.median_years)[None, None, :, None] * DAYS_PER_YEAR
    classes = [scenario.uncertainty[scenario.technologies[name].uncertainty] for name in names]
    sigma = np.array([c.duration_sigma for c in classes])[None, :, None, None]
    if steps.distribution == "lognormal":
        return np.asarray(median * np.exp(sigma * score))
    return np.asarray(median * _gamma_ratio(score, sigma))


def _gamma_ratio(score: Floats, sigma: Floats) -> Floats:
    """Gamma quantile over gamma median, with the coefficient of variation of a lognormal of that sigma."""
    shape = 1.0 / np.maximum(np.expm1(sigma**2), 1e-9)
    return np.asarray(np.where(sigma > 0, gammaincinv(shape, ndtr(score)) / gammaincinv(shape, 0.5), 1.0))


def _agreements(
    scenario: Scenario, case: Case, choices: tuple[Choice, ...], draws: Draws
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Talks by technology and partner: the same luck in each mode, judged by the mode's probability and time."""
    names = [f"{choice.technology}\0{choice.partner}" for choice in choices]
    modes = [scenario.modes[choice.mode] for choice in choices]
    luck = draws.uniform(Purpose.AGREEMENT_LUCK, names)[..., 0, 0]
    score = ndtri(draws.uniform(Purpose.AGREEMENT_TIME, names)[..., 0, 0])
    median = np.array([mode.agreement_months * DAYS_PER_MONTH for mode in modes])
    sigma = np.array([mode.agreement_sigma for mode in modes])
    chance = np.array([agreement_chance(scenario, choice) for choice in choices])
    return luck < chance, _whole_days(median * np.exp(sigma * score)) + case.extra_days


def agreement_chance(scenario: Scenario, choice: Choice) -> float:
    """Probability that talks succeed: the mode's, times the partner's where the counterpart must agree."""
    mode = scenario.modes[choice.mode]
    willing = scenario.partners[choice.partner].agreement if choice.partner and mode.needs_counterpart else 1.0
    return mode.agreement_probability * willing


def _deliverables(scenario: Scenario, case: Case, names: list[str], draws: Draws) -> npt.NDArray[np.int64]:
    """Days of work until the last required one of each kind: a sum of exponential times (Erlang)."""
    needed = np.zeros((len(draws.replications), len(names), case.due_tranche.shape[1]), np.int64)
    for t, name in enumerate(names):
        items = scenario.programmes[scenario.technologies[name].programme].deliverables
        luck = draws.uniform(Purpose.DELIVERABLE, [f"{name}\0{item}" for item in items])[..., 0, 0]
        for d, item in enumerate(items.values()):
            mean = item.mean_months * DAYS_PER_MONTH
            needed[:, t, d] = _whole_days(gammaincinv(item.count, luck[:, d]) * mean, 1 if mean else 0)
    return needed


def _market(scenario: Scenario, names: list[str], draws: Draws) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    chance = np.array([market_probability(scenario, scenario.technologies[name]) for name in names])
    luck = draws.uniform(Purpose.MARKET_LUCK, names)[..., 0, 0]
    score = ndtri(draws.uniform(Purpose.MARKET_TIME, names)[..., 0, 0])
    median = scenario.value.market_months * DAYS_PER_MONTH
    return luck < chance, _whole_days(median * np.exp(scenario.value.market_sigma * score))


def _breaks(scenario: Scenario, case: Case, draws: Draws) -> npt.NDArray[np.int64]:
    codes, years = hosts(scenario), case.budget.shape[1]
    if not codes:
        return np.full((len(draws.replications), 0, years), -1, np.int64)
    rate = np.array([scenario.partners[code].break_rate for code in codes])[:, None]
    happens = draws.uniform(Purpose.BREAK_LUCK, codes, years)[..., 0] < -np.expm1(-rate)
    day = np.floor(draws.uniform(Purpose.BREAK_DAY, codes, years)[..., 0] * DAYS_PER_YEAR).astype(np.int64)
    return np.where(happens, np.arange(years) * DAYS_PER_YEAR + day, -1)


def _budgets(scenario: Scenario, case: Case, draws: Draws) -> npt.NDArray[np.int64]:
    risk, years = scenario.risks.budget, case.budget.shape[1]
    score = ndtri(draws.uniform(Purpose.BUDGET, list(scenario.programmes), years)[..., 0])
    factor = np.clip(1.0 + risk.sd * score, risk.lowest, risk.highest)
    certain = np.arange(years) + scenario.start_year <= risk.certain_until
    return np.where(certain, case.budget, np.rint(case.budget * factor).astype(np.int64))


def _exchange(scenario: Scenario, case: Case, draws: Draws) -> npt.NDArray[np.int64]:
    """Rates in millionths: a geometric random walk with mean 1, constant within a year, 1 in the first."""
    volatility, years = scenario.risks.exchange.volatility, case.budget.shape[1]
    score = ndtri(draws.uniform(Purpose.EXCHANGE, currencies(scenario), years)[..., 0])
    change = volatility * score - volatility**2 / 2
    change[..., 0] = 0.0
    rate: Floats = np.exp(np.cumsum(change, axis=-1))
    return np.rint(rate * MILLION).astype(np.int64)
