"""Distributions of factors: times around their median; market values, budgets and exchange rates around their mean.

A distribution is given by its quantile function and drawn at normal scores, those of a field's steps bound by its
common factor (a Gaussian copula: the marginal is anybody's, the dependence stays). `rdsim.extend.distribution`
registers a third party's, which scenarios then name wherever they say ``distribution``: see `rdsim.luck.marginals`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rdsim.contracts import QUANTILE
from rdsim.registry import Extension, Registry

if TYPE_CHECKING:
    from rdsim.arrays import Floats


__all__ = ["DISTRIBUTIONS", "LOGNORMAL", "NORMAL", "FactorDistribution"]

# A scenario is read without numpy: what calculates loads it.

LOGNORMAL, NORMAL = "lognormal", "normal"
"""What compiled code draws number by number, budgets normal and all else lognormal; others are laid out."""


@dataclass(frozen=True)
class FactorDistribution(Extension):
    """How a factor is distributed: its quantile function, `rdsim.contracts.QUANTILE`."""

    contracts: ClassVar = {"quantile": QUANTILE}

    quantile: Callable[..., Any]


def _lognormal(score: Floats, sigma: Floats) -> Floats:
    """Median 1.

    Model: L5.
    """
    import numpy as np  # noqa: PLC0415

    return np.asarray(np.exp(sigma * score))


def _gamma(u: Floats, sigma: Floats) -> Floats:
    """Gamma quantile over gamma median, with the coefficient of variation of a lognormal of that sigma.

    Model: L6.
    """
    import numpy as np  # noqa: PLC0415
    from scipy.special import gammaincinv  # noqa: PLC0415

    shape = 1.0 / np.maximum(np.expm1(sigma**2), 1e-9)
    return np.asarray(gammaincinv(shape, u) / gammaincinv(shape, 0.5))


_LOWEST = 1e-3


def _normal(score: Floats, sigma: Floats) -> Floats:
    """Mean 1, with the coefficient of variation of a lognormal of that sigma; cut off just above 0.

    Model: L7.
    """
    import numpy as np  # noqa: PLC0415

    return np.asarray(np.maximum(1.0 + np.sqrt(np.expm1(sigma**2)) * score, _LOWEST))


DISTRIBUTIONS = Registry(
    "distribution",
    FactorDistribution,
    {
        LOGNORMAL: FactorDistribution(_lognormal),
        "gamma": FactorDistribution(_gamma),
        NORMAL: FactorDistribution(_normal),
    },
)
