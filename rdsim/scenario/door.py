"""A scenario from frames, as frames, and changed: the door of what is made in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rdsim.domain import Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.scenario.archive import dump
from rdsim.scenario.cells import together
from rdsim.scenario.findings import FILES
from rdsim.scenario.folder import PARTS, Reading, add_table, reasons
from rdsim.scenario.illustrative import DRAW
from rdsim.scenario.loader import MADE, let_in, sound
from rdsim.scenario.overrides import Override, parse_overrides
from rdsim.scenario.renamed import modern_tree
from rdsim.scenario.shapes import cell_names, own_columns, parts
from rdsim.scenario.values import plain
from rdsim.tables import did_you_mean, shown_value, table_of_frame

if TYPE_CHECKING:
    pass

__all__ = ["Room", "from_frames", "plain_parts", "record_of", "to_frames", "with_"]

_FRAMES = {name: f"frame {name}" for name in FILES}
_SETTINGS = "settings"
_WHEN_READ = "is chosen when the folder is read"


def from_frames(frames: Mapping[str, object]) -> Scenario:
    """See `Scenario.from_frames`."""
    given: object = frames
    if not isinstance(given, Mapping):
        rule = "must be a mapping of settings and of frames by name"
        raise ScenarioError((Fault("frames", rule, type(given).__name__),))
    reading = Reading()
    _add_settings(frames.get("settings", {}), reading)
    tables = {name: frame for name, frame in frames.items() if name != "settings" and frame is not None}
    for name, frame in tables.items():
        if name in _FRAMES:
            add_table(name, table_of_frame(frame, _FRAMES[name]), reading)
        else:
            rule, known = f"must be one of settings, {', '.join(_FRAMES)}", ["settings", *_FRAMES]
            reading.faults.append(Fault("frames", rule, repr(name), did_you_mean(str(name), known)))
            reading.bad.append(())
    _require(tables, reading)
    return let_in(reading, settings=_SETTINGS, tables=_FRAMES, head="")


def _add_settings(given: object, reading: Reading) -> None:
    """The settings as plain data by the names of today, without what belongs in a frame or a folder."""
    if not isinstance(given, Mapping):
        rule = "must be a mapping of what scenario.toml would hold"
        reading.faults.append(Fault(_SETTINGS, rule, type(given).__name__))
        reading.bad.append(())
        return
    content, faults = modern_tree(plain(given), _SETTINGS)
    for name in FILES.keys() & content.keys():
        faults.append(Fault(f"{_SETTINGS}, {name}", f"belongs in {_FRAMES[name]}"))
    if content.get(PARTS):
        faults.append(Fault(f"{_SETTINGS}, {PARTS}", _WHEN_READ))
    reading.mapping = {name: one for name, one in content.items() if name not in (*FILES, PARTS)}
    reading.faults = faults


def _require(tables: Mapping[str, object], reading: Reading) -> None:
    """Frames that there must be, as there must be files."""
    has = {name: name in tables for name in FILES}
    for name, reason in reasons(has, reading.mapping, _FRAMES, "frame").items():
        if reason and not has[name]:
            reading.faults.append(Fault(_FRAMES[name], reason, "none"))
            reading.bad.append((name,))


def to_frames(scenario: Scenario) -> dict[str, Any]:
    """See `Scenario.to_frames`."""
    import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone

    settings, tables = plain_parts(scenario)
    frames = {name: pd.DataFrame(rows, columns=columns) for name, (columns, rows) in tables.items() if rows}
    return {_SETTINGS: settings, **frames}


Rows = tuple[list[str], list[dict[str, Any]]]
"""A table as plain data: its columns in the order of its file, and its rows, each with what it says by column."""


def plain_parts(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Rows]]:
    """What scenario.toml would hold, and the rows of the tables by their names in `FILES`."""
    content: dict[str, Any] = plain(sound(scenario))
    settings = {name: value for name, value in content.items() if name not in (*FILES, PARTS)}
    rows = {name: _rows(name, content[name]) for name in FILES}
    return settings, {name: (_columns(name, rows[name]), rows[name]) for name in FILES}


def _rows(name: str, entries: Any) -> list[dict[str, Any]]:
    if name == "levels":
        return [{"partner": code, **row} for code, row in entries.items()]
    prefixes = {table: prefix for prefix, table in own_columns(record_of(name)).items()}
    return [_row(one, prefixes) for one in (entries.values() if isinstance(entries, dict) else entries)]


def record_of(name: str) -> type:
    """The record that a table has in each row."""
    item = parts(Scenario)[name].item
    assert item is not None  # noqa: S101 - every table but that of levels has records
    assert item.record is not None  # noqa: S101
    return item.record


def _row(record: Mapping[str, Any], prefixes: Mapping[str, str]) -> dict[str, Any]:
    """A record as a row of its table: what one cell holds as text, a column for each figure and tag."""
    own = {f"{prefix}{name}": one for table, prefix in prefixes.items() for name, one in record[table].items()}
    cells = {key: together(one) if isinstance(one, list | dict) else one for key, one in record.items()}
    return {**{key: one for key, one in cells.items() if key not in prefixes}, **own}


def _columns(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table's columns in the order of its file."""
    known = ["partner"] if name == "levels" else cell_names(record_of(name))
    return list(dict.fromkeys([*known, *(key for row in rows for key in row)]))


def with_(scenario: Scenario, settings: Mapping[str, object] | Sequence[str]) -> Scenario:
    """See `Scenario.with_`."""
    given, faults = parse_overrides(settings)
    late = [one for one in given if one.path[0] == PARTS or _is_other_draw(scenario, one)]
    faults += [Fault(f"--set {one.text}", _WHEN_READ, shown_value(one.value)) for one in late]
    given = [one for one in given if one not in late]
    return let_in(Reading(plain(sound(scenario))), given, faults, **MADE)


def _is_other_draw(scenario: Scenario, one: Override) -> bool:
    """Whether a setting asks for figures that only the program in a folder can draw."""
    return one.path == DRAW and one.value != scenario.illustrative.draw


class Room:
    """What is answered of scenarios (`rdsim.domain.ROOMS`)."""

    from_frames = staticmethod(from_frames)
    to_frames = staticmethod(to_frames)
    with_ = staticmethod(with_)
    dump = staticmethod(dump)
