"""What two technologies come to together: their markets share factors, so chances do not simply multiply.

Whether a technology comes to the market is a probit: it does if its normal score lies below the quantile of its
chance. Scores share the variance `risks.market_factor.chance_common`, and within a field `chance_field` more; that is
their correlation, and both come with the probability of a bivariate normal distribution.
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri, owens_t

from rdsim.domain import Scenario

__all__ = ["bivariate_normal", "both_chance", "market_correlation"]


def bivariate_normal(one: float, other: float, correlation: float) -> float:
    """Probability that two standard normal variables of a correlation in (-1, 1) lie below `one` and `other`.

    By Owen's T function (Owen 1956, "Tables for computing bivariate normal probabilities", Annals of Mathematical
    Statistics 27, equation 2.1).

    Model: L19.
    """
    if math.isinf(one) or math.isinf(other):
        return float(min(ndtr(one), ndtr(other)))  # one of them is sure, or out of the question
    rest = math.sqrt(1.0 - correlation * correlation)
    if one == 0.0 and other == 0.0:
        return 0.25 + math.asin(correlation) / math.tau
    parts = _owen(one, (other - correlation * one) / rest) + _owen(other, (one - correlation * other) / rest)
    apart = one * other < 0.0 or (one * other == 0.0 and one + other < 0.0)
    found = (ndtr(one) + ndtr(other)) / 2.0 - parts - (0.5 if apart else 0.0)
    return float(min(max(found, 0.0), ndtr(one), ndtr(other)))


def _owen(bound: float, height: float) -> float:
    """Owen's T of a bound and the slope `height` over it, which is upright at bound 0."""
    if bound == 0.0:
        return math.copysign(0.25, height)
    return float(owens_t(bound, height / bound))


def market_correlation(scenario: Scenario, one: str, other: str) -> float:
    """Correlation of the scores that decide whether two different technologies come to the market.

    Model: L19.
    """
    shares = scenario.risks.market_factor
    same = scenario.technologies[one].field == scenario.technologies[other].field
    return shares.chance_common + (shares.chance_field if same else 0.0)


def both_chance(scenario: Scenario, one: tuple[str, float], other: tuple[str, float]) -> float:
    """Probability that two different technologies, each given with its own chance, both come to the market.

    Model: L19.
    """
    (first, chance), (second, others) = one, other
    correlation = market_correlation(scenario, first, second)
    if correlation == 0.0:
        return chance * others
    return bivariate_normal(float(ndtri(chance)), float(ndtri(others)), correlation)
