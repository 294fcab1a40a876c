"""Factors at normal scores, as a distribution's quantile function gives them, and what it may not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr

from rdsim.arrays import Floats
from rdsim.distributions import DISTRIBUTIONS, FactorDistribution
from rdsim.errors import ExtensionError, Fault, raised_text

__all__ = ["factors", "unit_mean_factors"]


def factors(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """Factors at normal scores, of the shape of `score`; 1 where `sigma`, which fits it, is 0.

    Raises: ExtensionError for a registered distribution that fails, whose answer is no factor, that falls as luck
    rises, or whose median is not 1.

    Model: L4.
    """
    for where, median in _courses(name, given, sigma):
        if abs(median - 1.0) > _NEAR:
            advice = "Divide the answer by that: times are stated by their medians."
            raise ExtensionError((Fault(where, "must be 1 at u = 0.5", f"{median:.6g}", advice),))
    return _quantiles(name, given, score, sigma)


def _quantiles(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """What the distribution answers. Raises ExtensionError for what is no factor."""
    extension, label = DISTRIBUTIONS[name], f"distribution {name!r}, quantile"
    taken = extension.bind(label, "quantile")
    offered: dict[str, Any] = {"score": score, "sigma": np.maximum(sigma, 1e-300)}
    offered |= {"u": ndtr(score)} if "u" in taken.names else {}
    offered |= dict(zip((one.name for one in extension.parameters), extension.values(given), strict=True))
    try:
        with np.errstate(all="ignore"):
            found = taken.of(offered)
    except Exception as error:  # whatever the user's own code raises
        rule = "must not raise an exception for arrays"
        raise ExtensionError((Fault(label, rule, raised_text(error)),)) from error
    return np.where(sigma > 0, _sound(label, found, score.shape), 1.0)


def _sound(label: str, found: Any, shape: tuple[int, ...]) -> Floats:
    try:
        array = np.asarray(found, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.shape != shape or not (np.isfinite(array) & (array > 0)).all():
        said = f"shape {array.shape}" if array.shape != shape else f"{array[~(array > 0) | ~np.isfinite(array)][0]:g}"
        rule = f"must return an array of the shape of u, {shape}, of finite numbers above 0"
        raise ExtensionError((Fault(label, rule, said),))
    return array


_COURSE = np.linspace(-6.0, 6.0, 121)
"""Normal scores at which a registered distribution is looked at; the one in the middle is the median's."""


_NEAR = 1e-6


def _courses(name: str, given: Mapping[str, float], sigma: Floats) -> Iterator[tuple[str, float]]:
    """What is looked at, and its median, for each spread of a registered distribution; those of rdsim's own are known.

    Raises: ExtensionError for a distribution that falls as luck rises.
    """
    if name not in DISTRIBUTIONS.built_in:
        extension = DISTRIBUTIONS[name]
        for spread in np.unique(sigma[sigma > 0]).tolist():
            yield f"distribution {name!r}, quantile", _median(name, extension, tuple(extension.values(given)), spread)


@lru_cache(maxsize=1024)
def _median(name: str, extension: FactorDistribution, values: tuple[float, ...], sigma: float) -> float:
    """Its median. Raises ExtensionError if it falls anywhere: what is then called luck is none."""
    given = dict(zip((one.name for one in extension.parameters), values, strict=True))
    found = _quantiles(name, given, _COURSE, np.full(_COURSE.shape, sigma))
    falls = np.flatnonzero(np.diff(found) < -_NEAR * found[:-1])
    if falls.size:
        first, second = ndtr(_COURSE[falls[0] : falls[0] + 2])
        said = f"{found[falls[0]]:.6g} at u = {first:.6g}, {found[falls[0] + 1]:.6g} at u = {second:.6g}"
        raise ExtensionError((Fault(f"distribution {name!r}, quantile", "must not fall as u rises", said),))
    return float(found[len(found) // 2])


_SCORES = np.linspace(-8.0, 8.0, 1601)
_WEIGHTS = np.exp(-0.5 * _SCORES**2) / np.exp(-0.5 * _SCORES**2).sum()


def unit_mean_factors(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """As `factors`, over the distribution's mean for each sigma, whatever its median: a stated mean stays one.

    Model: L8.
    """
    means = {spread: _mean_factor(name, given, spread) for spread in np.unique(sigma).tolist()}
    mean = np.array([means[spread] for spread in sigma.ravel().tolist()]).reshape(sigma.shape)
    all(_courses(name, given, sigma))  # looked at for what they raise
    return np.asarray(_quantiles(name, given, score, sigma) / mean)


def _mean_factor(name: str, given: Mapping[str, float], sigma: float) -> float:
    """Mean of a distribution's factors, by the trapezoidal rule over normal scores, which converges fast for it.

    Model: L8.
    """
    return float(_WEIGHTS @ _quantiles(name, given, _SCORES, np.full(_SCORES.shape, sigma)))
