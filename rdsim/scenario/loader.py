"""From a folder, or a workbook, and overrides to a scenario, or to every fault at once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from rdsim.arguments import check_arguments
from rdsim.domain import Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.folders import is_file
from rdsim.scenario.book import book_names, read_book
from rdsim.scenario.consistency import contradictions
from rdsim.scenario.findings import FILES, Finding, Origin, standing
from rdsim.scenario.folder import PARTS, Reading, read_folder
from rdsim.scenario.illustrative import last_draw
from rdsim.scenario.overrides import Override, apply_override, new_figures, parse_overrides
from rdsim.scenario.shapes import covers
from rdsim.scenario.sources import keep_source, read_source
from rdsim.scenario.validation import repair_scenario, validate
from rdsim.scenario.values import plain, resolve, stated_money

__all__ = ["MADE", "accept", "let_in", "load", "sound"]

MADE: Mapping[str, Any] = {
    "settings": "scenario",
    "tables": {name: f"scenario.{name}" for name in FILES},
    "head": "",
}
"""What the places of a scenario are called that came from no files."""

_SOUND = "_sound"
"""Attribute of a scenario that has been checked: True, or the scenario that it is read as."""


@check_arguments("overrides")
def load(folder: str | FilePath, overrides: Sequence[str] | Mapping[str, object] = ()) -> Scenario:
    """The scenario of a folder, or of a workbook, after overrides.

    Args:
        folder: the scenario folder, or the Excel workbook that holds a scenario (`rdsim.export`).
        overrides: texts ``path=value`` as ``--set`` takes them, or a mapping of dotted paths to values, where None
            unsets; later ones win. ``parts=NAME`` (or a list) adds optional parts of the folder, and
            ``illustrative.draw=NUMBER`` has the folder's program draw its illustrative figures.

    Returns:
        A validated scenario; money in its ``money_unit``, whatever units the files were written in.

    Raises:
        ScenarioError: with every fault of the files, of the overrides and of what they say together.

    >>> import rdsim
    >>> from rdsim.scenario import start
    >>> start("my-scenario")  # as `rdsim new my-scenario`
    >>> scenario = rdsim.load("my-scenario", {"programmes.main.budget.2026": 25})
    >>> scenario.programmes["main"].budget[2026], scenario.money_unit
    (25.0, 'billion KRW')
    """
    given, faults = parse_overrides(overrides)
    parts = [one for one in given if one.path == (PARTS,)]
    given = [one for one in given if one not in parts]
    place, chosen, draw = FilePath(folder), (parts[-1].value or []) if parts else None, last_draw(given)
    if is_file(place):
        scenario = let_in(read_book(place, chosen, draw), given, faults, **book_names(place))
    else:
        scenario = let_in(read_folder(place, chosen, draw), given, faults)
    keep_source(scenario, read_source(place, overrides, scenario.illustrative.program))
    return scenario


def let_in(reading: Reading, given: Sequence[Override] = (), faults: Iterable[Fault] = (), **names: Any) -> Scenario:
    """The scenario that a reading is after overrides: what everything passes, from wherever it comes.

    `faults` are known already; `names` are those of `Origin` for what was read. Raises ScenarioError with every fault.
    """
    _complete(reading.mapping.get("technologies"))
    faults = [*reading.faults, *faults, *_apply(given, reading)]
    scenario, findings = _judge(reading)
    origin = Origin(reading.rows, tuple(given), reading.files, **names, cells=reading.cells, letters=reading.letters)
    faults += [origin.fault(finding) for finding in findings]
    if faults or scenario is None:
        raise ScenarioError(tuple(sorted(dict.fromkeys(faults), key=_natural)))
    return accept(scenario)


def sound(scenario: Scenario) -> Scenario:
    """The scenario as the door lets it in, checked at its first use: what has come through is itself.

    One that was put together in Python comes back as files with its content would be read: in order of id, with plain
    numbers. It is remembered with the scenario, which does not change, and goes with it to other processes.

    Raises:
        ScenarioError: with every fault, by dotted path.
    """
    given: object = scenario
    if not isinstance(given, Scenario):
        advice = "rdsim.load(folder) reads one."
        raise ScenarioError((Fault("scenario", "must be a Scenario", type(given).__name__, advice),))
    known = vars(scenario).get(_SOUND)
    if known is None:
        known = let_in(Reading(plain(scenario)), **MADE)
        object.__setattr__(scenario, _SOUND, known)
    return scenario if known is True else known


def accept(scenario: Scenario) -> Scenario:
    """A scenario in which nothing was found wrong, in its canonical order, and marked as such."""
    found = canonical(scenario)
    object.__setattr__(found, _SOUND, True)
    return found


def canonical(scenario: Scenario) -> Scenario:
    """The scenario with everything that is found by id in order of id: the order of rows must change no result."""
    tables: dict[str, Any] = {
        one.name: dict(sorted(getattr(scenario, one.name).items()))
        for one in dataclasses.fields(scenario)
        if isinstance(getattr(scenario, one.name), dict)
    }
    links = tuple(sorted(scenario.links, key=lambda link: (link.kind, link.technology, link.other)))
    needs = tuple(sorted(scenario.facility_needs, key=lambda need: (need.technology, need.trl, need.facility)))
    steps = tuple(sorted(scenario.technology_steps, key=lambda step: (step.technology, step.trl)))
    said = tuple(sorted(scenario.judgements, key=lambda one: (one.technology, one.input, one.trl or 0, one.expert)))
    return dataclasses.replace(
        scenario, **tables, links=links, facility_needs=needs, technology_steps=steps, judgements=said
    )


def _complete(rows: Any) -> None:
    """Give technologies every column of one's own that others have: a part's table may lack some, and no cell says as
    much as an empty one."""
    whole = [row for row in rows.values() if isinstance(row, dict)] if isinstance(rows, dict) else []
    for place, empty in (("figures", 0.0), ("tags", "")):
        names = {name for row in whole if isinstance(row.get(place), dict) for name in row[place]}
        for row in whole if names else ():
            if isinstance(row.setdefault(place, {}), dict):
                row[place] |= {name: empty for name in names if name not in row[place]}


def _apply(overrides: Sequence[Override], reading: Reading) -> list[Fault]:
    """Apply the overrides; a path into a file that could not be read is not the override's fault."""
    faults = list(new_figures(reading.mapping, overrides))
    for override in overrides:
        fault = apply_override(reading.mapping, override)
        if fault and not any(covers(place, override.path) for place in reading.bad):
            faults.append(fault)
    return faults


def _judge(reading: Reading) -> tuple[Scenario | None, list[Finding]]:
    """The scenario if nothing is wrong with it, and all findings: of writing, of each value, and between values."""
    money, unit_findings = stated_money(reading.mapping)
    plain, value_findings = resolve(reading.mapping, money)
    scenario, shape_findings = validate(plain, str(money), reading.rows)
    written = [*reading.findings, *value_findings]
    bad = [*reading.bad, *(one.paths[0] for one in written)]
    found = [*written, *standing(shape_findings, bad)]
    bad += [one.paths[0] for one in shape_findings]
    found += standing(unit_findings, bad)
    whole = scenario if not bad else repair_scenario(plain, bad)
    if whole is not None:
        found += standing(contradictions(whole), bad)
    return scenario, list(dict.fromkeys(found))


def _natural(fault: Fault) -> list[str]:
    """Sorts by place, numbers by size: file by file, row by row."""
    return [one.zfill(20) if one.isdecimal() else one for one in re.split(r"(\d+)", fault.where)]
