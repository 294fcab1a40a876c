"""What a scenario was read from: its files as they were then, and the overrides; kept with the scenario.

A run holds these files, so that it repeats where the scenario is gone, moved or changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from rdsim.domain import Scenario
from rdsim.folders import is_file, is_folder
from rdsim.scenario.findings import FILES
from rdsim.scenario.folder import PARTS, SETTINGS
from rdsim.scenario.illustrative import last_draw
from rdsim.scenario.overrides import parse_overrides
from rdsim.scenario.shapes import dotted_path
from rdsim.texts import toml_value

__all__ = ["BOOK", "ScenarioSource", "keep_source", "read_source", "runs_program", "source_of"]

BOOK = "scenario.xlsx"
"""What a workbook is called among the files that a scenario was read from."""

_SOURCE = "_source"
"""Attribute of a scenario that was read from files: its `ScenarioSource`."""


@dataclass(frozen=True, eq=False)
class ScenarioSource:
    """The files that a scenario was read from, by path in its folder, and overrides as ``--set`` takes them.

    The files of all optional parts are among them, in use or not. Of a workbook there is one file, `BOOK`.
    """

    overrides: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Files stay in the process that read them: simulation elsewhere has no use for them."""
        return type(self), ()


def read_source(
    place: FilePath, overrides: Sequence[str] | Mapping[str, object], program: str = ""
) -> ScenarioSource | None:
    """The files of a scenario's folder, with its `program` that draws figures, or its workbook; None if they cannot be
    read again."""
    try:
        return ScenarioSource(tuple(_texts(overrides)), dict(_files(place, program)))
    except OSError:
        return None


def keep_source(scenario: Scenario, source: ScenarioSource | None) -> None:
    """Remember with a scenario, which does not change, what it was read from."""
    object.__setattr__(scenario, _SOURCE, source)


def source_of(scenario: Scenario) -> ScenarioSource | None:
    """What a scenario was read from; None of one that was made, or changed, in Python."""
    found: ScenarioSource | None = vars(scenario).get(_SOURCE)
    return found if found is not None and found.files else None


def runs_program(overrides: Sequence[str]) -> bool:
    """Whether reading a folder with these overrides may run a program in it, to draw illustrative figures anew."""
    return last_draw(parse_overrides(overrides)[0]) is not None


def _texts(overrides: Sequence[str] | Mapping[str, object]) -> Iterator[str]:
    if isinstance(overrides, Mapping):
        for one in parse_overrides(overrides)[0]:
            yield f"{dotted_path(one.path)}={'none' if one.value is None else toml_value(one.value)}"
    else:
        yield from map(str, overrides)


def _files(place: FilePath, program: str) -> Iterator[tuple[str, bytes]]:
    if is_file(place):
        yield BOOK, place.read_bytes()
        return
    parts = sorted(one for one in (place / PARTS).iterdir() if one.is_dir()) if is_folder(place / PARTS) else []
    own = (program,) if program and (place / program).parent == place else ()
    for folder, names in ((place, own), *((one, ()) for one in parts)):
        for name in (SETTINGS, *FILES.values(), *names):
            if is_file(folder / name):
                yield (folder / name).relative_to(place).as_posix(), (folder / name).read_bytes()
