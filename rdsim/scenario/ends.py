"""What a scenario is at the bounds of its assumptions, one at a time: a scenario too, or what it contradicts there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError, ScenarioError
from rdsim.scenario.bounds import moved_numbers
from rdsim.scenario.overrides import Override
from rdsim.scenario.variation import Variations

__all__ = ["ENDS", "levels_overrides", "require_bounds"]

ENDS = ("low", "high")
"""The two bounds of an assumption."""


def levels_overrides(variations: Variations, levels: Mapping[str, float]) -> list[Override]:
    """The settings by which assumptions take some levels."""
    scenario = variations.scenario
    return [
        variations.override(number.path, number.at(scenario.assumptions[name].change, level))
        for name, level in levels.items()
        for number in moved_numbers(scenario, name)
    ]


def require_bounds(scenario: Scenario, variations: Variations | None = None) -> None:
    """Raises ScenarioError with every bound at which the scenario, all else as it stands, would contradict itself."""
    known = Variations(scenario) if variations is None and scenario.assumptions else variations
    faults = [] if known is None else [fault for name in scenario.assumptions for fault in _faults(known, name)]
    if faults:
        raise ScenarioError(tuple(faults))


def _faults(variations: Variations, name: str) -> Iterator[Fault]:
    for end in ENDS:
        bound = getattr(variations.scenario.assumptions[name], end)
        try:
            variations.vary(levels_overrides(variations, {name: bound}))
        except InputError as error:
            for fault in error.faults:
                rule = f"{fault.where.removeprefix('--set ')} {fault.rule}"
                yield Fault(f"assumptions.{name}.{end}", rule, fault.found, fault.suggestion)
