"""Worlds in which portfolios are judged: the scenario as it stands, and others in which one thing is otherwise.

=============  ================================================================================================
as stated      the scenario
bounds         each assumption at its lower and at its upper bound, the others as they stand
calibrations   every other calibration that the scenario brings
poor, rich     all announced budgets of all years times 0.7, and times 1.3
crowded        places of partners, seats of panels, units of facilities and teams of institutes times 0.7, rounded down,
               but never fewer than one, or than a single step needs
=============  ================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rdsim.assumptions import worlds_of
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError
from rdsim.numerals import numeral
from rdsim.scenario.ends import ENDS
from rdsim.tables import did_you_mean

__all__ = ["AS_STATED", "KINDS", "POOR", "RICH", "SQUEEZED", "BenchWorld", "bench_worlds", "world_kinds"]

AS_STATED = "as-stated"
KINDS = ("money", "crowded", "calibrations", "bounds")
"""Kinds of other worlds, in the order in which they are judged."""

POOR, RICH = 0.7, 1.3
"""Parts of every announced budget."""
SQUEEZED = 0.7
"""Part of places, seats, units and teams."""


@dataclass(frozen=True, eq=False)
class BenchWorld:
    """A world: what it is called in files (`name`) and on pages (`title`), and what is otherwise in it (`change`)."""

    name: str
    title: str
    change: str
    scenario: Scenario


def bench_worlds(scenario: Scenario, kinds: Sequence[str] = KINDS) -> tuple[BenchWorld, ...]:
    """The scenario as it stands, then the other worlds of some kinds.

    Raises ScenarioError for a bound at which the scenario would be none.
    """
    made = {"money": _money, "crowded": _crowding, "calibrations": _calibrations, "bounds": _bounds}
    first = BenchWorld(AS_STATED, "as stated", "nothing: the scenario as it stands", scenario)
    return (first, *(world for kind in KINDS if kind in kinds for world in made[kind](scenario)))


def world_kinds(text: str) -> tuple[str, ...]:
    """Kinds of worlds from a text with commas; `none` is none of them. Raises InputError with every unknown one."""
    names = [one.strip() for one in text.split(",") if one.strip()]
    if names == ["none"]:
        return ()
    rule = f"must be of {', '.join(KINDS)}, with commas between them, or none"
    faults = [
        Fault("--worlds", rule, repr(one), did_you_mean(one, KINDS, shown_at_most=0))
        for one in names
        if one not in KINDS
    ]
    if faults or not names:
        raise InputError(tuple(faults) or (Fault("--worlds", rule, repr(text)),))
    return tuple(names)


def _money(scenario: Scenario) -> Iterator[BenchWorld]:
    for name, title, part in (("poor", "less money", POOR), ("rich", "more money", RICH)):
        budgets = {
            f"programmes.{code}.budget.{year}": float(f"{part * money:.10g}")
            for code, line in scenario.programmes.items()
            for year, money in line.budget.items()
        }
        change = f"every announced budget of every year is {numeral(part, '.0%')} of what the scenario states"
        yield BenchWorld(name, f"{title} ({numeral(part, '.0%')})", change, scenario.with_(budgets))


def _crowding(scenario: Scenario) -> Iterator[BenchWorld]:
    needed = dict.fromkeys(scenario.facilities, 1)
    for need in scenario.facility_needs:
        needed[need.facility] = max(needed.get(need.facility, 1), need.units)
    fewer = {f"partners.{code}.places": _fewer(one.places) for code, one in scenario.partners.items() if one.places}
    fewer |= {f"panels.{name}.seats": _fewer(one.seats) for name, one in scenario.panels.items()}
    fewer |= {
        f"facilities.{name}.capacity": _fewer(one.capacity, min(needed[name], one.capacity))
        for name, one in scenario.facilities.items()
    }
    fewer |= {f"institutes.{name}.teams": _fewer(one.teams) for name, one in scenario.institutes.items() if one.teams}
    if not fewer:
        return
    part = numeral(SQUEEZED, ".0%")
    change = (
        f"partners have {part} of their places, panels of their seats, facilities of their units and institutes of "
        "their teams, rounded down, at least one"
    )
    yield BenchWorld("crowded", "crowded", change, scenario.with_(fewer))


def _fewer(count: int, least: int = 1) -> int:
    return max(math.floor(SQUEEZED * count), least)


def _calibrations(scenario: Scenario) -> Iterator[BenchWorld]:
    for name in scenario.calibrations:
        if name != scenario.calibration:
            told = name.replace("_", " ")
            change = f"success rates are those of the calibration {told}"
            yield BenchWorld(
                f"calibration-{name}", f"calibration {told}", change, scenario.with_({"calibration": name})
            )


def _bounds(scenario: Scenario) -> Iterator[BenchWorld]:
    if not scenario.assumptions:
        return
    worlds = worlds_of(scenario)
    for name in worlds.names:
        for end in ENDS:
            value = worlds.end(name, end)
            if worlds.own(name) == value:
                continue
            told = f"{worlds.label(name)} {numeral(value, ',.4g')}"
            change = f"{worlds.label(name)} is at its {_END_WORDS[end]} bound, {numeral(value, ',.4g')}"
            yield BenchWorld(f"{name}-{end}", told, change, worlds.at({name: value}))


_END_WORDS = {"low": "lower", "high": "upper"}
