"""Distributions of factors: step times around their median, and the luck of market values around their mean.

A distribution is given by its quantile function and drawn at the normal scores that a field's steps share (a Gaussian
copula: the marginal is anybody's, the dependence stays). `rdsim.extend.distribution` registers a third party's, which
scenarios then name in `steps.distribution`, in a calibration, or in `value.distribution`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtr

from rdsim.contracts import QUANTILE
from rdsim.errors import ExtensionError, Fault
from rdsim.registry import Extension, Registry

__all__ = ["DISTRIBUTIONS", "LOGNORMAL", "FactorDistribution", "factors", "mean_factor"]

Floats = npt.NDArray[np.float64]

LOGNORMAL = "lognormal"
"""The one that compiled code draws number by number; others are laid out."""


@dataclass(frozen=True)
class FactorDistribution(Extension):
    """How a factor is distributed: its quantile function, `rdsim.contracts.QUANTILE`."""

    contracts: ClassVar = {"quantile": QUANTILE}

    quantile: Callable[..., Any]


def _lognormal(score: Floats, sigma: Floats) -> Floats:
    """Median 1."""
    return np.asarray(np.exp(sigma * score))


def _gamma(u: Floats, sigma: Floats) -> Floats:
    """Gamma quantile over gamma median, with the coefficient of variation of a lognormal of that sigma."""
    shape = 1.0 / np.maximum(np.expm1(sigma**2), 1e-9)
    return np.asarray(gammaincinv(shape, u) / gammaincinv(shape, 0.5))


DISTRIBUTIONS = Registry(
    "distribution", FactorDistribution, {LOGNORMAL: FactorDistribution(_lognormal), "gamma": FactorDistribution(_gamma)}
)


def factors(name: str, given: Mapping[str, float], score: Floats, sigma: Floats) -> Floats:
    """Factors at normal scores, of the shape of `score`; 1 where `sigma`, which fits it, is 0.

    Raises: ExtensionError for a registered distribution that fails, or whose answer is no factor.
    """
    extension, label = DISTRIBUTIONS[name], f"distribution {name!r}, quantile"
    taken = extension.taken(label, "quantile")
    offered: dict[str, Any] = {"score": score, "sigma": np.maximum(sigma, 1e-300)}
    offered |= {"u": ndtr(score)} if "u" in taken.names else {}
    offered |= dict(zip((one.name for one in extension.parameters), extension.values(given), strict=True))
    try:
        with np.errstate(all="ignore"):
            found = taken.of(offered)
    except Exception as error:  # whatever the user's own code raises
        rule = "must not raise an exception for arrays"
        raise ExtensionError((Fault(label, rule, f"{type(error).__name__}: {error}"),)) from error
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


def mean_factor(name: str, given: Mapping[str, float], sigma: float) -> float:
    """Mean of a distribution's factors, by the trapezoidal rule over normal scores, which converges fast for it."""
    return float(_WEIGHTS @ factors(name, given, _SCORES, np.full(_SCORES.shape, sigma)))
