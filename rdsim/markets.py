"""Market value models: what a technology is worth on the day on which it comes to the market.

`rdsim.extend.market_model` registers a third party's, which a scenario then names in `value.model`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rdsim.contracts import MARKET_VALUE
from rdsim.errors import ExtensionError, Fault
from rdsim.registry import Extension, Registry

__all__ = ["LISTED", "MARKET_MODELS", "MarketModel", "market_values", "takes_luck"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LISTED = "listed"
"""The model that came with rdsim."""


@dataclass(frozen=True)
class MarketModel(Extension):
    """What comes at the market date: `rdsim.contracts.MARKET_VALUE`."""

    contracts: ClassVar = {"value": MARKET_VALUE}

    value: Callable[..., Any]


def _listed(listed: Floats, luck: Floats, rights: Floats, timeliness: Floats) -> Floats:
    """The listed value times its luck, the rights kept at home, and the part that is left of what comes late."""
    return listed * luck * rights * timeliness


MARKET_MODELS = Registry("market value model", MarketModel, {LISTED: MarketModel(_listed)})


def takes_luck(name: str) -> bool:
    """Whether a model does with luck what it likes, so that a mean value is no value at mean luck."""
    return name != LISTED and "luck" in MARKET_MODELS[name].taken(_label(name), "value").names


def market_values(
    name: str, given: Mapping[str, float], offered: Mapping[str, Callable[[], Floats]], sold: Bools
) -> Floats:
    """Values at the market dates, 0 where a project is not `sold`, (R, P); `offered` makes what the model asks for.

    Raises: ExtensionError for a registered model that fails, or whose answer is no value.
    """
    extension, label = MARKET_MODELS[name], _label(name)
    taken = extension.taken(label, "value")
    own = dict(zip((one.name for one in extension.parameters), extension.values(given), strict=True))
    known = {one: own[one] if one in own else offered[one]() for one in taken.names}
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(taken.of(known), np.float64)
            values = np.where(sold, found if "luck" in taken.names else found * offered["luck"](), 0.0)
    except Exception as error:  # whatever the user's own code raises
        rule = "must return numbers for arrays, and raise no exception"
        raise ExtensionError((Fault(label, rule, f"{type(error).__name__}: {error}"),)) from error
    wrong = ~(np.isfinite(values) & (values >= 0))
    if values.shape != sold.shape or wrong.any():
        said = f"shape {values.shape}" if values.shape != sold.shape else f"{values[wrong][0]:g}"
        rule = f"must return values that fit (replications, projects), {sold.shape}, finite and at least 0"
        raise ExtensionError((Fault(label, rule, said),))
    return values


def _label(name: str) -> str:
    return f"market value model {name!r}, value"
