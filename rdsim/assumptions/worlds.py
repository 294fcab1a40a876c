"""Worlds in which a scenario's assumptions are otherwise, within their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Floats
from rdsim.designs import Design, Factor
from rdsim.domain import Assumption, Scenario
from rdsim.scenario import Variations
from rdsim.scenario.bounds import own_level
from rdsim.scenario.ends import ENDS, levels_overrides, require_bounds

__all__ = ["ENDS", "OpenWorlds", "worlds_of"]


@dataclass(frozen=True, eq=False)
class OpenWorlds:
    """A scenario, and the worlds that its assumptions leave open; see `worlds_of`."""

    variations: Variations

    @property
    def scenario(self) -> Scenario:
        """The scenario as it stands."""
        return self.variations.scenario

    @property
    def assumptions(self) -> Mapping[str, Assumption]:
        """The assumptions by name."""
        return self.scenario.assumptions

    @property
    def names(self) -> tuple[str, ...]:
        """The assumptions, in their order."""
        return tuple(self.assumptions)

    def label(self, name: str) -> str:
        """What people call an assumption."""
        return self.assumptions[name].label or name

    def end(self, name: str, end: str) -> float:
        """A bound, `low` or `high`."""
        return float(getattr(self.assumptions[name], end))

    def own(self, name: str) -> float | None:
        """The value at which the scenario is as it stands; None if an assumption's settings have several values."""
        return own_level(self.scenario, name)

    def at(self, levels: Mapping[str, float]) -> Scenario:
        """The world in which some assumptions have other values, the others as they stand.

        Raises ScenarioError if that is no scenario.
        """
        return self.variations.vary(levels_overrides(self.variations, levels))

    def points(self, count: int, seed: int) -> Floats:
        """Values of all assumptions in `count` worlds, (count, K): a Latin hypercube within their bounds."""
        factors = {name: Factor(range=(one.low, one.high)) for name, one in self.assumptions.items()}
        design = Design("latin-hypercube", factors, count, seed=seed)
        return np.array([design.at(number) for number in range(count)], np.float64).reshape(count, len(factors))

    def point(self, values: Floats) -> Scenario:
        """The world of one row of `points`."""
        return self.at(dict(zip(self.names, values.tolist(), strict=True)))


def worlds_of(scenario: Scenario) -> OpenWorlds:
    """The worlds that a scenario's assumptions leave open, with none of them if it states none.

    Raises ScenarioError with every bound at which the scenario, all else as it stands, would be none.
    """
    found = OpenWorlds(Variations(scenario))
    require_bounds(found.scenario, found.variations)
    return found
