"""From a setting to a golden number that it moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rdsim.domain import Portfolio, Scenario
from rdsim.errors import RdsimError, ScenarioError
from rdsim.scenario import Variations, parse_overrides
from rdsim.scenario.shapes import Shape, dotted_path
from tests.golden.digests import some_portfolio, stages
from tests.golden.settings import CASES, Place, changes, places

__all__ = ["LOOP", "Move", "World"]

LOOP = "loop"
_TRIED = 12


@dataclass(frozen=True)
class Move:
    """A setting changed beside others, and the stage whose digest then is another."""

    beside: Mapping[str, Any]
    change: Mapping[str, Any]
    stage: str
    digest: str


@dataclass(frozen=True, eq=False)
class World:
    """The rich world, and the portfolio that lives in it."""

    scenario: Scenario

    @cached_property
    def variations(self) -> Variations:
        return Variations(self.scenario)

    @cached_property
    def portfolio(self) -> Portfolio:
        return some_portfolio(self.scenario)

    @cached_property
    def names(self) -> list[str]:
        """What texts may refer to."""
        one = self.scenario
        tables = (one.programmes, one.fields, one.modes, one.partners, one.technologies, one.panels, one.facilities)
        known = {name for table in (*tables, one.institutes, one.calibrations, one.uncertainty) for name in table}
        return sorted(
            known
            | {
                "USD",
                "EUR",
                "always-pass",
                "drop-worst",
                "first-come",
                "first-fit",
                "gamma",
                "patent",
                "export",
                "Asia",
                "",
            }
        )

    def varied(self, settings: Mapping[str, Any]) -> Scenario:
        """The world with other settings. Raises ScenarioError."""
        overrides, _ = parse_overrides(settings)
        return self.variations.vary([self.variations.override(one.path, one.value) for one in overrides])

    def digest(self, settings: Mapping[str, Any], stage: str) -> str:
        """The digest of a stage in the world with other settings."""
        return dict(stages(self.varied(settings), self.portfolio))[stage]()

    def moved(self, path: Place, shape: Shape) -> Move | None:
        """A change of a setting that moves a number, and the first stage at which it does; None if none is found."""
        for beside, change in self._tries(path, shape):
            found = self._move(beside, change, loop=path[:2] == ("optimiser", "search"))
            if found is not None:
                return found
        return None

    def _tries(self, path: Place, shape: Shape) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        if dotted_path(path) in CASES:
            yield CASES[dotted_path(path)]
            return
        tried = 0
        for place in places(self.variations, path):
            for value in changes(shape, self._value(place), self.names):
                try:
                    self.varied({dotted_path(place): value})
                except ScenarioError:
                    continue
                yield {}, {dotted_path(place): value}
                tried += 1
                if tried == _TRIED:
                    return

    def _value(self, place: Place) -> Any:
        try:
            return self.variations.value(place)
        except ScenarioError:
            return None

    def _move(self, beside: Mapping[str, Any], change: Mapping[str, Any], *, loop: bool) -> Move | None:
        before, after = (
            dict(stages(self.varied(settings), self.portfolio)) for settings in (beside, {**beside, **change})
        )
        for stage in after:
            if (stage == LOOP) != loop or stage == "outcomes, simpy":
                continue
            try:
                first, second = before[stage](), after[stage]()
            except RdsimError:  # a change may forbid the portfolio, and then shows in the options
                continue
            if first != second:
                return Move(beside, change, stage, second)
        return None
