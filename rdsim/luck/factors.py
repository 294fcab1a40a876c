"""Factors at normal scores, as a distribution's quantile function gives them, and what it may not answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from rdsim.arrays import Floats
from rdsim.distributions import DISTRIBUTIONS
from rdsim.errors import ExtensionError, Fault, raised_text

__all__ = ["factors", "unit_mean_factors"]


def factors(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """Factors at normal scores, of the shape of `score`; 1 where `sigma`, which fits it, is 0.

    Raises: ExtensionError for a registered distribution that fails, or whose answer is no factor.
    """
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


_SCORES = np.linspace(-8.0, 8.0, 1601)
_WEIGHTS = np.exp(-0.5 * _SCORES**2) / np.exp(-0.5 * _SCORES**2).sum()


def unit_mean_factors(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """As `factors`, over the distribution's mean for each sigma: what is stated as a mean stays one."""
    means = {spread: _mean_factor(name, given, spread) for spread in np.unique(sigma).tolist()}
    mean = np.array([means[spread] for spread in sigma.ravel().tolist()]).reshape(sigma.shape)
    return np.asarray(factors(name, given, score, sigma) / mean)


def _mean_factor(name: str, given: Mapping[str, float], sigma: float) -> float:
    """Mean of a distribution's factors, by the trapezoidal rule over normal scores, which converges fast for it."""
    return float(_WEIGHTS @ factors(name, given, _SCORES, np.full(_SCORES.shape, sigma)))
