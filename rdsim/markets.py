"""Market value models: what a technology is worth on the day on which it comes to the market.

`rdsim.extend.market_model` registers a third party's, which a scenario then names in `value.model`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rdsim.contracts import MARKET_VALUE
from rdsim.registry import Extension, Registry

if TYPE_CHECKING:
    from rdsim.arrays import Floats


__all__ = ["LISTED", "MARKET_MODELS", "MarketModel", "takes_luck"]

LISTED = "listed"
"""The model that came with rdsim."""


@dataclass(frozen=True)
class MarketModel(Extension):
    """What comes at the market date: `rdsim.contracts.MARKET_VALUE`."""

    contracts: ClassVar = {"value": MARKET_VALUE}

    value: Callable[..., Any]


def _listed_value(listed: Floats, luck: Floats, rights: Floats, timeliness: Floats) -> Floats:
    """The listed value times its luck, the rights kept at home, and the part that is left of what comes late.

    Model: F3.
    """
    return listed * luck * rights * timeliness


MARKET_MODELS = Registry("market value model", MarketModel, {LISTED: MarketModel(_listed_value)})


def takes_luck(name: str) -> bool:
    """Whether a model does with luck what it likes, so that a mean value is no value at mean luck."""
    return name != LISTED and "luck" in MARKET_MODELS[name].bind(f"market value model {name!r}, value", "value").names
