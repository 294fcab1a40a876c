"""The luck of a case once more, from the scenario itself: numpy and scipy, all numbers at once, no compiled function.

Philox and the distributions are written here a second time, so that a fault in `rdsim.draws`, `rdsim.native.normal` or
`rdsim.luck` shows as a difference. Only the ids that addresses are made of are shared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri
from scipy.stats import gamma

from rdsim.case import Case, SamplePaths, currencies, hosts, technologies
from rdsim.domain import Choice, Judgement, Scenario
from rdsim.draws import Purpose, addresses
from rdsim.scenario import market_probability

__all__ = ["expected_luck", "unlike"]

Array = npt.NDArray[Any]
LOW = np.uint64(2**32 - 1)
HALF = np.uint64(32)


def _rounds(counter: list[Array], key: list[np.uint64]) -> list[Array]:
    """Philox4x32-10 on arrays of counters (Salmon et al. 2011, section 3.3)."""
    for k in range(10):
        keys = [
            (word + np.uint64(k * step % 2**32)) & LOW for word, step in zip(key, (0x9E3779B9, 0xBB67AE85), strict=True)
        ]
        first, third = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        counter = [
            (third >> HALF) ^ counter[1] ^ keys[0],
            third & LOW,
            (first >> HALF) ^ counter[3] ^ keys[1],
            first & LOW,
        ]
    return counter


class _Numbers:
    """Uniform and normal numbers of some replications, shape (R, names, first, second)."""

    def __init__(self, seed: int, replications: range) -> None:
        self.key = [np.uint64(seed % 2**32), np.uint64(seed >> 32)]
        self.replications = np.array(replications, np.uint64)[:, None, None, None]

    def uniform(self, purpose: Purpose, names: list[str], first: int = 1, second: int = 1) -> Array:
        who = addresses(purpose, names)[None, :, None, None]
        place = (np.arange(first, dtype=np.uint64) * np.uint64(65536))[:, None] + np.arange(second, dtype=np.uint64)
        words = np.broadcast_arrays(who & LOW, who >> HALF, self.replications, place[None, None])
        high, low, _, _ = _rounds(list(words), self.key)
        return (high * 2.0**20 + np.floor(low / 2.0**12) + 0.5) / 2.0**52

    def normal(self, purpose: Purpose, names: list[str], first: int = 1, second: int = 1) -> Array:
        return ndtri(self.uniform(purpose, names, first, second))


def expected_luck(
    scenario: Scenario, case: Case, choices: tuple[Choice, ...], seed: int, numbers: range
) -> SamplePaths:
    """What `lay_out` must give; `choices` in the order of the case's projects."""
    names, draw = technologies(choices), _Numbers(seed, numbers)
    parts = (_steps, _gates, _market, _deliverables)
    columns = {name: column for part in parts for name, column in part(scenario, case, names, draw).items()}
    return SamplePaths(**columns, **_agreements(scenario, case, choices, draw), **_calendar(scenario, case, draw))


def _steps(scenario: Scenario, case: Case, names: list[str], draw: _Numbers) -> dict[str, Array]:
    fields, risk, sizes = list(scenario.fields), scenario.risks.field_factor, (8, case.attempts)
    places = [fields.index(scenario.technologies[name].field) for name in names]
    factor = draw.normal(Purpose.FIELD, fields)[:, places]

    def bound(purpose: Purpose, loading: float) -> Array:
        return np.sqrt(1 - loading**2) * draw.normal(purpose, names, *sizes) - loading * factor

    score, sigma = bound(Purpose.STEP_TIME, risk.duration_loading), _of_technologies(scenario, names, "duration_sigma")
    fields = [scenario.fields[scenario.technologies[name].field] for name in names]
    medians = np.array([one.median_years or scenario.steps.median_years for one in fields])[:, :, None] * 360
    for own in scenario.technology_steps:
        if own.median_months is not None and own.technology in names:
            medians[names.index(own.technology), own.trl - 1] = own.median_months * 30
    ratio = _ratio(scenario.steps.distribution, score, sigma)
    days = np.broadcast_to(medians * ratio, score.shape).copy()
    pick = draw.uniform(Purpose.STEP_TIME, names, 16)[..., 0]
    for t, name in enumerate(names):
        for k in range(8):
            said = [x for x in scenario.judgements if (x.technology, x.input, x.trl) == (name, "months", k + 1)]
            said = [x for x in said if scenario.judgement.expert in ("", x.expert)]
            if said:
                days[:, t, k] = 30 * _judged(scenario, said, score[:, t, k], pick[:, t, 8 + k, None])
    return {"step_days": days, "step": ndtr(bound(Purpose.STEP_LUCK, risk.success_loading))}


def _judged(scenario: Scenario, said: list[Judgement], score: Array, pick: Array) -> Array:
    """Months by score: each expert's, those of one picked by weight, or the average of all."""
    rules = scenario.judgement
    heard = sorted(said, key=lambda x: x.expert)
    weight = np.array([1.0 if rules.expert else rules.weights.get(x.expert, 1.0) for x in heard])
    weight /= weight.sum()
    each = [
        x.p50 * np.where(score < 0, (x.p50 / x.p10) ** (score / ndtri(0.9)), (x.p90 / x.p50) ** (score / ndtri(0.9)))
        for x in heard
    ]
    if rules.pooling == "quantile":
        return sum(w * months for w, months in zip(weight, each, strict=True))
    chosen = (pick >= np.cumsum(weight)[:-1]).sum(axis=-1)[..., None] if len(heard) > 1 else np.zeros_like(pick, int)
    return np.choose(np.broadcast_to(chosen, score.shape), each)


def _of_technologies(scenario: Scenario, names: list[str], field: str) -> Array:
    classes = [scenario.uncertainty[scenario.technologies[name].uncertainty] for name in names]
    return np.array([getattr(one, field) for one in classes])[:, None, None]


def _gamma_ratio(score: Array, sigma: Array) -> Array:
    """Gamma quantile over its median; the coefficient of variation is that of a lognormal."""
    shape = 1 / np.expm1(np.where(sigma > 0, sigma, 1.0) ** 2)
    return np.where(sigma > 0, gamma.ppf(ndtr(score), shape) / gamma.median(shape), 1.0)


def _ratio(name: str, score: Array, sigma: Array) -> Array:
    return np.exp(sigma * score) if name == "lognormal" else _gamma_ratio(score, sigma)


def _unit_ratio(name: str, score: Array, sigma: Array) -> Array:
    """Over the mean: of a lognormal exp(sigma^2 / 2), of a gamma its shape over its median."""
    shape = 1 / np.expm1(np.where(sigma > 0, sigma, 1.0) ** 2)
    mean = np.exp(sigma**2 / 2) if name == "lognormal" else np.where(sigma > 0, shape / gamma.median(shape), 1.0)
    return _ratio(name, score, sigma) / mean


def _gates(scenario: Scenario, case: Case, names: list[str], draw: _Numbers) -> dict[str, Array]:
    possible = np.minimum(case.extensions, case.horizon // case.extension_days + 1)
    reviews = max(int((case.tranches - 1 + possible).max(initial=1)), 1)
    luck = draw.uniform(Purpose.GATE, names, reviews)[..., 0]
    programmes = [scenario.programmes[scenario.technologies[name].programme] for name in names]
    errors = np.array([programme.gate.review_error for programme in programmes])
    return {"gate": luck, "review_error": ndtri(luck) * errors[:, None]}


def _whole_days(months: Array, ratio: Array) -> Array:
    return np.maximum(np.ceil(np.minimum(months * 30 * ratio, 1e6)), 1).astype(np.int64)


def _market(scenario: Scenario, case: Case, names: list[str], draw: _Numbers) -> dict[str, Array]:
    reached = [market_probability(scenario, scenario.technologies[name]) for name in names]
    score = draw.normal(Purpose.MARKET_TIME, names)[..., 0, 0]
    value, shares = scenario.value, scenario.risks.market_factor
    fields = list(scenario.fields)
    places = [fields.index(scenario.technologies[name].field) for name in names]
    # A good year of all or of the field brings the score down: coming to the market is likelier.
    own = np.sqrt(1 - shares.chance_common - shares.chance_field) * draw.normal(Purpose.MARKET_LUCK, names)[..., 0, 0]
    everywhere = np.sqrt(shares.chance_common) * draw.normal(Purpose.MARKET_COMMON, [""])[..., 0, 0]
    within = np.sqrt(shares.chance_field) * draw.normal(Purpose.MARKET_FIELD, fields)[:, places, 0, 0]
    return {
        "commercial": ndtr(own - everywhere - within) < reached,
        "market_days": _whole_days(
            np.array(value.market_months), _ratio(value.market_distribution, score, np.array(value.market_sigma))
        ),
    }


def _deliverables(scenario: Scenario, case: Case, names: list[str], draw: _Numbers) -> dict[str, Array]:
    found = np.zeros((len(draw.replications), len(names), case.due_tranche.shape[1]), np.int64)
    for t, name in enumerate(names):
        kinds = scenario.programmes[scenario.technologies[name].programme].deliverables
        for d, (item, kind) in enumerate(kinds.items()):
            if kind.mean_months > 0:
                luck = draw.uniform(Purpose.DELIVERABLE, [f"{name}\0{item}"])[:, 0, 0, 0]
                found[:, t, d] = np.maximum(np.ceil(gamma.ppf(luck, kind.count) * kind.mean_months * 30), 1)
    return {"deliverable_days": found}


def _agreements(scenario: Scenario, case: Case, choices: tuple[Choice, ...], draw: _Numbers) -> dict[str, Array]:
    names = [f"{choice.technology}\0{choice.partner}" for choice in choices]
    talks = [_talks(scenario, choice) for choice in choices]
    count = max(map(len, talks))
    months, sigma, chances = np.array([[*one, *[(0.0, 0.0, 1.0)] * (count - len(one))] for one in talks]).transpose(
        2, 0, 1
    )
    score = draw.normal(Purpose.AGREEMENT_TIME, names, 1, count)[:, :, 0]
    shapes = [scenario.modes[choice.mode].distribution for choice in choices]
    ratio = np.stack([_ratio(shape, score[:, p], sigma[p]) for p, shape in enumerate(shapes)], axis=1)
    days = _whole_days(months, ratio)
    days[..., 0] += case.extra_days
    luck = draw.uniform(Purpose.AGREEMENT_LUCK, names, 1, count)[:, :, 0]
    return {"agreed": luck < chances, "agreement_days": days}


def _talks(scenario: Scenario, choice: Choice) -> list[tuple[float, float, float]]:
    """Months, spread and chance of each stage of an agreement; the agency's word counts in the last."""
    mode = scenario.modes[choice.mode]
    stages = [(stage.months, stage.sigma, stage.success) for stage in mode.formation]
    *before, last = stages or [(mode.agreement_months, mode.agreement_sigma, mode.agreement_probability)]
    return [*before, (last[0], last[1], last[2] * _willing(scenario, choice))]


def _willing(scenario: Scenario, choice: Choice) -> float:
    asked = choice.partner and scenario.modes[choice.mode].needs_counterpart
    return scenario.partners[choice.partner].agreement if asked else 1.0


def _calendar(scenario: Scenario, case: Case, draw: _Numbers) -> dict[str, Array]:
    codes, years, risk = hosts(scenario), case.budget.shape[1], scenario.risks.budget
    rates = np.array([scenario.partners[code].break_rate for code in codes])[:, None]
    blocs, share = [scenario.partners[code].bloc for code in codes], scenario.risks.breaks.bloc_share
    weight = np.where(np.array(blocs) == "", 0.0, share)[:, None]
    score = np.sqrt(1 - weight) * draw.normal(Purpose.BREAK_LUCK, codes, years)[..., 0]
    score = score + np.sqrt(weight) * draw.normal(Purpose.BLOC, blocs, years)[..., 0]
    breaks = ndtr(score) < -np.expm1(-rates)
    days = np.arange(years) * 360 + np.floor(draw.uniform(Purpose.BREAK_DAY, codes, years)[..., 0] * 360)
    score = np.sqrt(1 - risk.common) * draw.normal(Purpose.BUDGET, list(scenario.programmes), years)[..., 0]
    score = score + np.sqrt(risk.common) * draw.normal(Purpose.BUDGET_COMMON, [""], years)[..., 0]
    calendar = np.arange(years) + scenario.start_year
    announced = np.array([[year in line.budget for year in calendar] for line in scenario.programmes.values()])
    certain = (calendar <= risk.certain_until) | ~announced
    factor = 1 + risk.sd * score
    if risk.distribution != "normal":
        factor = _unit_ratio(risk.distribution, score, np.sqrt(np.log1p(np.array(risk.sd) ** 2)))
    factor = np.where(certain, 1.0, np.clip(factor, risk.lowest, risk.highest))
    coins, volatility = currencies(scenario), scenario.risks.exchange.volatility
    volatility = np.where(np.array(coins) == scenario.currency, 0.0, volatility)[:, None]
    score = draw.normal(Purpose.EXCHANGE, coins, years)[..., 0]
    moves = np.log(_unit_ratio(scenario.risks.exchange.distribution, score, volatility))
    moves[..., 0] = 0.0
    return {
        "break_day": np.where(breaks, days, -1).astype(np.int64),
        "budget": np.floor(case.budget * factor + 0.5).astype(np.int64),
        "exchange_ppm": np.floor(np.exp(moves.cumsum(axis=-1)) * 1e6 + 0.5).astype(np.int64),
    }


def unlike(found: SamplePaths, expected: SamplePaths) -> list[str]:
    """Columns that differ by more than rounding: days, rates and outcomes exactly, won and quantiles to 1e-9."""
    return [
        name
        for name, column, other in zip(SamplePaths._fields, found, expected, strict=True)
        if column.shape != other.shape or not np.allclose(column, other, rtol=1e-9, atol=0.0)
    ]
