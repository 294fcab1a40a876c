"""Expert judgement: distributions through elicited quantiles, pooled, and the figures that follow.

An expert gives P10, P50 and P90 of a figure. The distribution through them joins two halves of a normal one at the
median, on a scale that keeps the figure within its limits: the logarithm for money and months, the log-odds for
probabilities and shares, the figure itself for levels. With the normal score z of a probability, the quantile lies
``s z`` from the median on that scale, where s is (P90 - P50) / 1.2816 above it and (P50 - P10) / 1.2816 below. So all
three quantiles are met exactly, a lognormal belief stays lognormal, and a draw is one step from the uniform number
that the model uses anyway. Three quantiles as a summary of a distribution: Keefer & Bodily 1983, Management Science
29(5); their means (30-40-30 and alike) are rules of thumb where ours is the mean of the distribution that is drawn.

Two rules of pooling. The *linear* pool is the mixture of the experts' distributions (Stone 1961, Annals of
Mathematical Statistics 32; Clemen & Winkler 1999, Risk Analysis 19(2)): one of them is right, the heavier the
likelier. The *quantile* pool averages their quantiles at each probability (Vincentization; Lichtendahl,
Grushka-Cockayne & Winkler 2013, Management Science 59(7)). Both have the same mean, the weighted mean of the experts'
means; the quantile pool is never wider. So the rule matters where a distribution is drawn, and not to a mean.

What the simulation draws has its distribution: the market value, and the months of a step. What it takes as one number
- cost, levels, probabilities, the size and share of a market - is the mean of the pool. For a probability that loses
nothing, as a thing that happens with an uncertain probability happens with its mean; for the others it is a choice.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from rdsim.domain import Input, Judgement, JudgementRules, Scenario

__all__ = [
    "LARGEST_SPREAD",
    "SCALES",
    "Z90",
    "Opinion",
    "Pool",
    "Scale",
    "distribution_of",
    "expert_names",
    "figure",
    "fit_distribution",
    "judgement_lines",
]

Scale = Literal["log", "odds", "plain"]
SCALES: Mapping[Input, Scale] = {
    "value": "log",
    "cost": "log",
    "market_size": "log",
    "months": "log",
    "market_probability": "odds",
    "market_share": "odds",
    "success": "odds",
    "home_level": "plain",
}

LARGEST_SPREAD = 3.0
"""Log standard deviation that a judgement on a log scale may come to, as elsewhere: beyond, a mean means nothing."""

_NORMAL = NormalDist()
Z90 = _NORMAL.inv_cdf(0.9)
"""Normal score of P90, 1.2816."""
_PANELS = 600
"""Simpson panels on each side of the median, out to 9 standard deviations: means to about seven digits."""


@dataclass(frozen=True)
class Opinion:
    """One expert's distribution of a figure: its median, and its spread on the scale below and above it."""

    scale: Scale
    median: float
    low: float
    high: float

    def at(self, score: float) -> float:
        """Quantile at a normal score.

        Model: D4.
        """
        away = (self.low if score < 0 else self.high) * score
        if self.scale == "log":
            return self.median * math.exp(away)
        if self.scale == "plain":
            return self.median + away
        return 0.5 + 0.5 * math.tanh((_log_odds(self.median) + away) / 2.0)

    def below(self, value: float) -> float:
        """Probability of not being above a value."""
        away = _on_scale(self.scale, value) - _on_scale(self.scale, self.median)
        spread = self.low if away < 0 else self.high
        if spread == 0.0:
            return 1.0 if away >= 0 else 0.0
        return _NORMAL.cdf(away / spread)

    def mean(self) -> float:
        """Mean: of halves of lognormal and of normal distributions in closed form, on log-odds by Simpson's rule."""
        if self.scale == "log":
            return self.median * (_half_lognormal(-self.low) + _half_lognormal(self.high))
        if self.scale == "plain":
            return self.median + (self.high - self.low) / math.sqrt(2.0 * math.pi)
        return _mean_by_quadrature(self)


def _half_lognormal(spread: float) -> float:
    """Integral of exp(spread z) over the upper half of a standard normal; with a minus, of the lower half."""
    return math.exp(spread * spread / 2.0) * _NORMAL.cdf(spread)


@functools.lru_cache(maxsize=4096)
def _mean_by_quadrature(one: Opinion) -> float:
    return _simpson(one, -9.0, 0.0) + _simpson(one, 0.0, 9.0)


def _simpson(one: Opinion, first: float, last: float) -> float:
    """Integral of quantile x normal density between two scores, both on the same side of the median."""
    side = Opinion(one.scale, one.median, *((one.low, one.low) if first < 0 else (one.high, one.high)))
    step = (last - first) / _PANELS
    total = 0.0
    for k in range(_PANELS + 1):
        weight = 1.0 if k in (0, _PANELS) else 4.0 if k % 2 else 2.0
        score = first + k * step
        total += weight * side.at(score) * _NORMAL.pdf(score)
    return total * step / 3.0


def _log_odds(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


def _on_scale(scale: Scale, value: float) -> float:
    if scale == "plain":
        return value
    if value <= 0.0:
        return -math.inf
    if scale == "log":
        return math.log(value)
    return math.inf if value >= 1.0 else _log_odds(value)


def fit_distribution(one: Judgement) -> Opinion:
    """The distribution through a judgement's quantiles, which must lie within the limits of its scale.

    Model: D4.
    """
    scale = SCALES[one.input]
    low, middle, high = (_on_scale(scale, value) for value in (one.p10, one.p50, one.p90))
    return Opinion(scale, one.p50, (middle - low) / Z90, (high - middle) / Z90)


@dataclass(frozen=True)
class Pool:
    """The experts' distributions of one figure with weights that sum to 1, and the rule by which they are pooled."""

    weights: tuple[float, ...]
    opinions: tuple[Opinion, ...]
    pooling: Literal["linear", "quantile"] = "linear"

    @property
    def certain(self) -> bool:
        """Whether it is one number."""
        return len(self.opinions) == 1 and self.opinions[0].low == self.opinions[0].high == 0.0

    def mean(self) -> float:
        """Mean, the same by either rule.

        Model: D4.
        """
        if self.certain:
            return self.opinions[0].median  # not what a sum has rounded
        return math.fsum(w * one.mean() for w, one in zip(self.weights, self.opinions, strict=True))

    def quantile(self, probability: float) -> float:
        """Quantile at a probability between 0 and 1.

        Model: D4.
        """
        score = _NORMAL.inv_cdf(probability) if probability != 0.5 else 0.0
        if self.certain:
            return self.opinions[0].median
        each = [one.at(score) for one in self.opinions]
        if self.pooling == "quantile" or len(each) == 1:
            return math.fsum(w * value for w, value in zip(self.weights, each, strict=True))
        return self._crossing(probability, min(each), max(each))

    def below(self, value: float) -> float:
        """Probability that the mixture is not above a value: of the linear pool alone."""
        return math.fsum(w * one.below(value) for w, one in zip(self.weights, self.opinions, strict=True))

    def _crossing(self, probability: float, low: float, high: float) -> float:
        """The least value at which the mixture reaches a probability, by bisection: between the experts' quantiles."""
        while low < (middle := (low + high) / 2.0) < high:
            low, high = (middle, high) if self.below(middle) < probability else (low, middle)
        return high


# --- of a scenario --------------------------------------------------------------------------------

_Key = tuple[str, Input, int]


class _Asked:
    """A scenario's judgements and rules, known by identity: an index is made once for all scenarios that share them."""

    def __init__(self, judgements: tuple[Judgement, ...], rules: JudgementRules) -> None:
        self.judgements, self.rules = judgements, rules

    def __hash__(self) -> int:
        return hash((id(self.judgements), id(self.rules)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.judgements is other.judgements and self.rules is other.rules


@functools.lru_cache(maxsize=64)
def _pools(asked: _Asked) -> Mapping[_Key, Pool]:
    """What is judged, by technology, input and TRL, as the rules have it."""
    heard: dict[_Key, list[Judgement]] = {}
    for one in asked.judgements:
        if asked.rules.expert in ("", one.expert):
            heard.setdefault(_key(one), []).append(one)
    pooled = {key: _pool(rows, asked.rules) for key, rows in heard.items()}
    return {key: _certain(key[1], pool, asked.rules) for key, pool in pooled.items() if pool.opinions}


def _key(one: Judgement) -> _Key:
    return one.technology, one.input, one.trl or 0


def _pool(rows: Sequence[Judgement], rules: JudgementRules) -> Pool:
    """The pool of some rows, in order of the experts' names; one who is heard alone has no weight but 1."""
    weights = {one.expert: 1.0 if rules.expert else rules.weights.get(one.expert, 1.0) for one in rows}
    total = math.fsum(weights.values())
    kept = [one for one in sorted(rows, key=lambda one: one.expert) if weights[one.expert] > 0]
    return Pool(tuple(weights[one.expert] / total for one in kept), tuple(map(fit_distribution, kept)), rules.pooling)


_LEVELS = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def _certain(name: Input, pool: Pool, rules: JudgementRules) -> Pool:
    """The pool itself, or what is taken to be known for certain in its place."""
    wanted = rules.at.get(name)
    if wanted is None:
        return pool
    value = pool.mean() if wanted == "mean" else pool.quantile(_LEVELS[wanted])
    return Pool((1.0,), (Opinion(SCALES[name], value, 0.0, 0.0),), rules.pooling)


def distribution_of(scenario: Scenario, technology: str, name: Input, trl: int = 0) -> Pool | None:
    """The distribution of a figure, or None where nobody who is heard has judged it."""
    if not scenario.judgements:
        return None
    return _pools(_Asked(scenario.judgements, scenario.judgement)).get((technology, name, trl))


def figure(scenario: Scenario, technology: str, name: Input, trl: int = 0) -> float | None:
    """The number that stands for a figure where the model takes one: the pool's mean; None where it is not judged.

    Model: D4.
    """
    pool = distribution_of(scenario, technology, name, trl)
    return None if pool is None else _mean(pool)


@functools.lru_cache(maxsize=4096)
def _mean(pool: Pool) -> float:
    return pool.mean()


def expert_names(scenario: Scenario) -> list[str]:
    """Names of the experts."""
    return sorted({one.expert for one in scenario.judgements})


def judgement_lines(scenario: Scenario) -> Iterator[str]:
    """Lines for people: how many judgements there are and of whom, whose count, and what one expert leaves open."""
    rows = scenario.judgements
    if not rows:
        return
    counts = {name: sum(one.expert == name for one in rows) for name in expert_names(scenario)}
    figures, technologies = {_key(one) for one in rows}, {one.technology for one in rows}
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    rules = scenario.judgement
    pooled = {"linear": "pooled linearly", "quantile": "pooled by averaged quantiles"}[rules.pooling]
    heard = f"only {rules.expert} is heard" if rules.expert else pooled
    yield (
        f"judgements: {len(rows)} by {len(counts)} expert{'s' * (len(counts) > 1)} ({each}) of {len(figures)} figures "
        f"of {len(technologies)} technologies; {heard}"
    )
    silent = len(figures) - len(_pools(_Asked(rows, rules)))
    if silent:
        yield f"of {silent} of these figures nobody who is heard says anything: the tables' own stand there"
