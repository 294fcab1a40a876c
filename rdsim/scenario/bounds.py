"""Assumptions: the numbers that they move, what these are at a bound, and what must hold of bounds and paths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rdsim.domain import Assumption, Scenario
from rdsim.errors import Fault
from rdsim.scenario.findings import Finding
from rdsim.scenario.overrides import UnknownPathError, parse_overrides
from rdsim.scenario.shapes import ROOT, Path, Shape, dotted_path, parts, with_limit, within, words
from rdsim.tables import did_you_mean

__all__ = ["ASSUMPTIONS", "MovedNumber", "bound_remarks", "moved_numbers", "own_level", "unsound_bounds"]

ASSUMPTIONS = "assumptions"
"""The table of a scenario that says what nobody has measured."""

FEWEST_WORLDS = 10
"""Of worlds within the bounds, to say anything by."""

_OURS = ("simulation", "optimiser", "illustrative", ASSUMPTIONS)
"""Settings of how rdsim works, which are no assumptions about the world."""


@dataclass(frozen=True)
class MovedNumber:
    """A number of the scenario that an assumption moves: where it stands, what it is, and what may stand there."""

    path: Path
    value: float
    shape: Shape

    def plain_value(self, change: str, level: float) -> float:
        """What a level of the assumption would make of it."""
        if change == "set":
            return level
        return self.value * level if change == "multiply" else self.value + level

    def at(self, change: str, level: float) -> float:
        """What a level makes of it: it stops at its own limits, and counts stay whole."""
        found = self.plain_value(change, level)
        low, high = self.shape.lower, self.shape.upper
        found = max(found, low[0]) if low and low[1] else found
        found = min(found, high[0]) if high and high[1] else found
        return round(found) if self.shape.kind == "whole" else found


def own_level(scenario: Scenario, name: str) -> float | None:
    """The level of an assumption at which the scenario is as it stands; None if its settings have several values."""
    one = scenario.assumptions[name]
    if one.change != "set":
        return 1.0 if one.change == "multiply" else 0.0
    values = {number.value for number in moved_numbers(scenario, name)}
    return values.pop() if len(values) == 1 else None


def moved_numbers(scenario: Scenario, name: str) -> list[MovedNumber]:
    """The numbers that an assumption of a sound scenario moves; what is absent stays so."""
    one = scenario.assumptions[name]
    return [number for text in one.paths for number in _numbers_of(scenario, one, text)]


# --- what must hold -------------------------------------------------------------------------------


def unsound_bounds(s: Scenario) -> Iterator[Finding]:
    """Bounds out of order, paths to no number, settings that cannot be what a bound says, or that are moved twice."""
    if 0 < s.optimiser.assumptions.points < FEWEST_WORLDS:
        rule, found = f"must be 0, or at least {FEWEST_WORLDS}", f"{s.optimiser.assumptions.points}"
        yield Finding((("optimiser", ASSUMPTIONS, "points"),), rule, found)
    movers: dict[Path, tuple[str, Path]] = {}
    for name, one in s.assumptions.items():
        at: Path = (ASSUMPTIONS, name)
        if not one.low < one.high:
            yield Finding(((*at, "high"), (*at, "low")), f"must be above low, {one.low:g}", f"{one.high:g}")
        for place, text in enumerate(one.paths):
            here: Path = (*at, "paths", place)
            try:
                numbers = _numbers_of(s, one, text)
            except UnknownPathError as error:
                yield Finding((here,), error.rule, text, error.suggestion)
                continue
            if one.change == "set":  # whatever the scenario says: of other changes see `bound_remarks`
                yield from _impossible(s, at, one, numbers)
            yield from _moved_twice(here, name, numbers, movers)


def _impossible(s: Scenario, at: Path, one: Assumption, numbers: list[MovedNumber]) -> Iterator[Finding]:
    """The first number that cannot be what a bound makes of it, for each bound."""
    for end in ("low", "high"):
        bound = getattr(one, end)
        for number in numbers:
            shape, value = with_limit(number.shape, s.money_unit), number.plain_value(one.change, bound)
            if not within(shape, value):
                rule = f"must leave {dotted_path(number.path)} what it may be, {words(shape, s.money_unit)}"
                yield Finding(((*at, end),), rule, f"{bound:g}, which makes it {value:g}")
                break


def _moved_twice(
    here: Path, name: str, numbers: list[MovedNumber], movers: dict[Path, tuple[str, Path]]
) -> Iterator[Finding]:
    """The first number that another path moves too: what both together mean, nobody could say."""
    for number in numbers:
        other, place = movers.setdefault(number.path, (name, here))
        if place != here:
            found = f"{dotted_path(number.path)}, as in {other}"
            yield Finding((here,), "must not move what is moved already", found)
            return


def bound_remarks(s: Scenario) -> Iterator[Finding]:
    """Bounds that do not hold what the scenario says, and those at which a setting stops at its own limit."""
    for name, one in s.assumptions.items():
        at: Path = (ASSUMPTIONS, name)
        numbers = moved_numbers(s, name)
        yield from _outside(at, one, numbers)
        for finding in _impossible(s, at, one, numbers) if one.change != "set" else ():
            yield Finding(finding.paths, f"{finding.rule}: it stops at its limit", finding.found)


def _outside(at: Path, one: Assumption, numbers: list[MovedNumber]) -> Iterator[Finding]:
    own = {"set": math.nan, "multiply": 1.0, "add": 0.0}[one.change]
    for number in numbers:
        value = number.value if math.isnan(own) else own
        if not one.low <= value <= one.high:
            rule = f"bounds of {one.low:g} to {one.high:g} do not hold what the scenario says"
            told = f"{dotted_path(number.path)} = {number.value:g}" if math.isnan(own) else f"as it stands: {own:g}"
            yield Finding((at,), rule, told)
            return


# --- numbers at a path ----------------------------------------------------------------------------


def _numbers_of(s: Scenario, one: Assumption, text: str) -> list[MovedNumber]:
    """The numbers that a path leads to. Raises UnknownPathError where there are none."""
    parsed, faults = parse_overrides({text: 1.0})
    if faults or not parsed:
        raise UnknownPathError(_rule_of(faults), "")
    path = parsed[0].path
    if str(path[0]) in _OURS:
        raise UnknownPathError("must be a setting of the world, not of how rdsim works on it")
    numbers = _numbers(s, ROOT, path, ())
    if not numbers:
        raise UnknownPathError("must lead to numbers")
    if one.change == "set" and any(len(number.path) != len(path) or number.shape.kind == "whole" for number in numbers):
        rule = "must be a single number, and no count, to be set; tables and counts are multiplied or added to"
        raise UnknownPathError(rule)
    return numbers


def _rule_of(faults: list[Fault]) -> str:
    return faults[0].rule if faults else "must be a dotted path"


def _numbers(node: Any, shape: Shape, path: Path, done: Path) -> list[MovedNumber]:
    if not path:
        return _leaves(node, shape, done)
    below = _below(node, shape, str(path[0]), done)
    return [number for key, one, inner in below for number in _numbers(one, inner, path[1:], (*done, key))]


def _leaves(node: Any, shape: Shape, done: Path) -> list[MovedNumber]:
    """A number, or all numbers of a table or list; none of what is absent."""
    if node is None or (shape.kind in ("mapping", "list") and not node):
        return []
    if shape.kind in ("number", "whole"):
        return [MovedNumber(done, float(node), shape)]
    if shape.kind in ("mapping", "list") and shape.item:
        entries = _entries(node)
        return [number for key, one in entries.items() for number in _leaves(one, shape.item, (*done, key))]
    raise UnknownPathError(f"must lead to numbers, and '{dotted_path(done)}' is none")


def _below(node: Any, shape: Shape, segment: str, done: Path) -> list[tuple[str, Any, Shape]]:
    """What a segment leads to: key, value and shape of each; ``*`` leads to every entry of a table or list."""
    place = f"'{dotted_path(done)}'" if done else "the scenario"
    if node is None:
        return []
    if shape.record:
        names = parts(shape.record)
        if segment not in names:
            raise UnknownPathError(f"unknown path: {place} has no '{segment}'", did_you_mean(segment, names))
        return [(segment, getattr(node, segment), names[segment])]
    if shape.kind not in ("mapping", "list") or shape.item is None:
        raise UnknownPathError(f"unknown path: {place} is a single value and has no '{segment}'")
    entries = _entries(node)
    if segment != "*" and segment not in entries:
        raise UnknownPathError(f"unknown path: {place} has no '{segment}'", did_you_mean(segment, entries))
    return [(key, one, shape.item) for key, one in entries.items() if segment in ("*", key)]


def _entries(node: Any) -> dict[str, Any]:
    """Entries of a table or list by the keys of a path."""
    return {str(key): one for key, one in (node.items() if isinstance(node, dict) else enumerate(node))}
