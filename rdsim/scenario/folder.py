"""A scenario folder as plain data: scenario.toml and its CSV tables, with the row that each record stands in.

A folder may hold optional parts, each a folder under `parts/` with a scenario.toml, tables, or both: what is in use
adds its rows to the tables and its settings to the settings, where they replace what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from rdsim.domain import FIGURE_NAMES, FacilityNeed, Judgement, Link, Partner, Technology, TechnologyStep
from rdsim.errors import Fault, InputError, ScenarioError
from rdsim.folders import is_folder
from rdsim.scenario.cells import Cell, cell_entries
from rdsim.scenario.findings import FILES, Finding
from rdsim.scenario.illustrative import ILLUSTRATIVE, program_digest, redraw
from rdsim.scenario.renamed import modern_tree
from rdsim.scenario.shapes import Path, Shape, cell_names, own_columns, parts, required_fields
from rdsim.shipped import names as shipped_names
from rdsim.tables import (
    CsvTable,
    TableRow,
    copies,
    did_you_mean,
    place_words,
    read_table,
    shown_value,
    with_known_headings,
)
from rdsim.texts import read_toml, tidy

__all__ = [
    "PARTS",
    "SETTINGS",
    "Reading",
    "add_table",
    "chosen_parts",
    "near_name",
    "part_names",
    "read_folder",
    "reasons",
]

SETTINGS = "scenario.toml"
PARTS = "parts"

_RECORDS: dict[str, tuple[type, str]] = {
    "technologies": (Technology, "id"),
    "partners": (Partner, "code"),
    "links": (Link, ""),
    "facility_needs": (FacilityNeed, ""),
    "technology_steps": (TechnologyStep, ""),
    "judgements": (Judgement, ""),
}


@dataclass
class Reading:
    """What was read, while it is being put together; `bad` are the places that are already known to be wrong."""

    mapping: dict[str, Any] = field(default_factory=dict)
    rows: dict[Path, int] = field(default_factory=dict)
    files: dict[Path, str] = field(default_factory=dict)  # where the record or setting stands, if in a part
    faults: list[Fault] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    bad: list[Path] = field(default_factory=list)
    cells: dict[Path, str] = field(default_factory=dict)  # of a workbook: where settings stand
    letters: dict[str, Mapping[str, str]] = field(default_factory=dict)  # ... and the columns of tables


def part_names(folder: FilePath) -> list[str]:
    """The optional parts of a scenario folder."""
    place = folder / PARTS
    return sorted(tidy(path.name) for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def read_folder(folder: FilePath, chosen: object = None, draw: object = None) -> Reading:
    """Everything in the folder, and the faults of its files. Raises ScenarioError if it is no folder, or empty.

    `chosen` are the parts in use, as a list of names or a text with commas between; None: those of scenario.toml.
    `draw` is the draw of illustrative figures; None: that of the files.
    """
    if not is_folder(folder):
        rule, name = "must be a scenario folder, or a workbook (.xlsx)", folder.name
        advice = f"To have a copy of it: rdsim new {name} --from {name}." if name in shipped_names() else ""
        raise ScenarioError((Fault(str(folder), rule, "nothing", advice),))
    if not any(folder.iterdir()):
        rule = f"a scenario folder holds {SETTINGS} and technologies.csv"
        raise ScenarioError((Fault(str(folder), rule, "an empty folder"),))
    reading = Reading()
    _read_settings(folder, reading)
    _read_tables(folder, draw, reading)
    own = reading.mapping.pop(PARTS, None)
    where = f"{SETTINGS}, {PARTS}" if chosen is None else f"--set {PARTS}"
    used = _known_parts(folder, where, chosen_parts(own if chosen is None else chosen), reading)
    for part in used:
        _read_part(folder / PARTS / part, f"{PARTS}/{part}/", reading)
    if used:
        reading.mapping[PARTS] = used
    _require_files([folder, *(folder / PARTS / part for part in used)], reading)
    return reading


def _read_tables(folder: FilePath, draw: object, reading: Reading) -> None:
    """The folder's own tables: as its files hold them, or as its program draws them anew."""
    drawn, faults = redraw(folder, reading.mapping, draw)
    reading.faults += faults
    for name in FILES:
        if name in drawn:
            add_table(name, drawn[name], reading)
        else:
            _read_file(folder, name, reading)
    stated = reading.mapping.get(ILLUSTRATIVE)
    if isinstance(stated, dict) and (digest := program_digest(folder, stated)):
        stated["digest"] = digest


def chosen_parts(value: object) -> list[str]:
    """Names of parts, each once: of a list, or of a text with commas between; anything else is one name."""
    names = value if isinstance(value, list | tuple) else str("" if value is None else value).split(",")
    return list(dict.fromkeys(tidy(str(one)).strip() for one in names if str(one).strip()))


def _known_parts(folder: FilePath, where: str, chosen: list[str], reading: Reading) -> list[str]:
    """The chosen parts that there are; the others are faults."""
    known = part_names(folder)
    advice = "" if known else f"{folder} has no folder {PARTS}."
    for part in chosen:
        if part not in known:
            suggestion = advice or did_you_mean(part, known)
            reading.faults.append(Fault(where, f"must name folders under {PARTS}", shown_value(part), suggestion))
    return [part for part in chosen if part in known]


def _read_part(place: FilePath, prefix: str, reading: Reading) -> None:
    if not any((place / file).exists() for file in (SETTINGS, *FILES.values())):
        rule = f"a part holds {SETTINGS} or tables"
        reading.faults.append(Fault(prefix.rstrip("/"), rule, "none of them"))
    if (place / SETTINGS).exists():
        _merge(reading.mapping, _settings(place, reading, prefix), (), prefix + SETTINGS, reading)
    for name in FILES:
        _read_file(place, name, reading, prefix)


def _merge(into: dict[str, Any], added: Mapping[str, Any], path: Path, file: str, reading: Reading) -> None:
    """Tables grow; anything else is replaced."""
    for key, value in added.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value, (*path, key), file, reading)
        else:
            into[key] = value
            reading.files[*path, key] = file


def _read_settings(folder: FilePath, reading: Reading) -> None:
    reading.mapping.update(_settings(folder, reading, ""))


def _settings(folder: FilePath, reading: Reading, prefix: str) -> dict[str, Any]:
    """The settings of a folder, without tables that belong in files of their own."""
    try:
        settings = read_toml(folder / SETTINGS)
    except InputError as error:
        reading.faults += _of(prefix, error.faults)
    else:
        for name in FILES.keys() & settings.keys():
            rule = f"belongs in {FILES[name]}, not in {SETTINGS}"
            reading.faults.append(Fault(f"{prefix}{SETTINGS}, {name}", rule))
            del settings[name]
        if prefix and settings.pop(PARTS, None) is not None:
            reading.faults.append(Fault(f"{prefix}{SETTINGS}, {PARTS}", "a part chooses no other parts"))
        known: dict[str, Any]
        known, faults = modern_tree(settings, prefix + SETTINGS)
        reading.faults += faults
        return known
    reading.bad.append(())
    return {}


def _read_file(folder: FilePath, name: str, reading: Reading, prefix: str = "") -> None:
    path = folder / FILES[name]
    if not path.exists():
        return
    table = read_table(path)
    faults = tuple(_of(prefix, table.faults))
    add_table(name, replace(table, name=prefix + table.name, faults=faults), reading)


def add_table(name: str, table: CsvTable, reading: Reading) -> None:
    """Add the records of a table, and what is wrong with its cells and headings."""
    reading.faults += table.faults
    if not table.columns:
        reading.bad.append((name,))
    elif name == "levels":
        _add_levels(table, reading)
    else:
        _add_records(name, table, reading)


def _of(prefix: str, faults: Iterable[Fault]) -> list[Fault]:
    """The faults of a file as those of a file in a part."""
    return [replace(fault, where=prefix + fault.where) for fault in faults]


def _require_files(folders: Sequence[FilePath], reading: Reading) -> None:
    """Technologies always; partners if a mode is joint; partners and their levels together. The parts come last."""
    has = {name: any((folder / file).exists() for folder in folders) for name, file in FILES.items()}
    required_for = reasons(has, reading.mapping, FILES, "file")
    folder, *places = folders
    for name, file in FILES.items():
        reading.faults += [_copy_fault(one, file) for one in copies(folder, file)] if has[name] else []
        misnamed = "" if has[name] else _near_name(folder, file)
        if not has[name] and (required_for.get(name) or misnamed):
            rule = required_for.get(name) or "a table is read only under its own name"
            suggestion = f"Rename {misnamed} to {file}." if misnamed else ""
            reading.faults.append(Fault(file, rule, f"no such file in {folder}", suggestion))
            reading.bad.append((name,))
        for place in places:
            _require_own_name(place, file, reading)


def reasons(
    has: Mapping[str, bool], mapping: Mapping[str, Any], called: Mapping[str, str], noun: str
) -> dict[str, str]:
    """Why a table must be there, by its name; empty if it need not be. `called` are the names of all of them, and a
    `noun` is what each is."""
    modes = mapping.get("modes")
    joint = isinstance(modes, dict) and bool(modes.keys() - {"domestic"})
    return {
        "technologies": f"the {noun} is required",
        "partners": f"the {noun} is required where there are joint modes or {called['levels']}"
        if joint or has["levels"]
        else "",
        "levels": f"the {noun} is required where there is a {called['partners']}" if has["partners"] else "",
    }


def _copy_fault(copy: str, file: str) -> Fault:
    rule = f"must not stand beside {file}: only that is read, and this may be the newer one"
    return Fault(copy, rule, suggestion=f"Keep one of the two, as {file}.")


def _require_own_name(place: FilePath, file: str, reading: Reading) -> None:
    """A part's table under nearly its name is not left out in silence."""
    misnamed = "" if (place / file).exists() else _near_name(place, file)
    if misnamed:
        rule, suggestion = "a table is read only under its own name", f"Rename {misnamed} to {file}."
        reading.faults.append(Fault(f"{PARTS}/{place.name}/{file}", rule, f"no such file in {place}", suggestion))


def _near_name(folder: FilePath, file: str) -> str:
    """A CSV of the folder whose name is nearly `file`, for a table silently left out would change the world."""
    return near_name((path.name for path in folder.glob("*.csv") if path.name not in FILES.values()), file)


def near_name(names: Iterable[str], wanted: str) -> str:
    """The first of the names that is nearly the one that is wanted; '' if none is."""
    near = (one for one in sorted(names) if did_you_mean(one, [wanted]).startswith("Did"))
    return next((one for one in near if one[0].casefold() == wanted[0]), "")


def _add_records(name: str, table: CsvTable, reading: Reading) -> None:
    record, key = _RECORDS[name]
    shapes = {column: parts(record)[column] for column in cell_names(record)}
    table = with_known_headings(table, shapes)
    reading.letters[name] = table.letters
    own = _own_columns(record, table, reading)
    _check_columns(name, table, frozenset({*shapes, *own}), required_fields(record), reading)
    _note_columns(name, table.units, _with_units(reading.mapping.get(name)), table, reading)
    entries = [(row, _record(row, table, shapes, own)) for row in table.rows]
    if not key:
        already = reading.mapping.setdefault(name, [])
        for index, (row, entry) in enumerate(entries, start=len(already)):
            already.append(entry)
            _note((name, index), row, table, reading)
        return
    already = reading.mapping.setdefault(name, {})
    for row, entry in entries:
        unique = _unique(name, key, row, table, reading)
        already[unique] = _with_parts(entry, shapes, (name, unique), reading)
        _note((name, unique), row, table, reading)


def _with_parts(entry: dict[str, Any], shapes: Mapping[str, Shape], path: Path, reading: Reading) -> dict[str, Any]:
    """A record whose cells that hold several things are taken apart, so that overrides reach each of these."""
    for column in [one for one in entry if one in shapes and shapes[one].joined]:
        entry[column], broken = cell_entries(entry[column], shapes[column])
        if broken:
            reading.findings.append(Finding(((*path, column),), *broken))
    return entry


def _note(path: Path, row: TableRow, table: CsvTable, reading: Reading) -> None:
    reading.rows[path] = row.number
    reading.bad += [(*path, *_place(str(path[0]), column)) for column in row.bad]
    if "/" in table.name:
        reading.files[path] = table.name


def _place(name: str, column: str) -> Path:
    """Where a record of a table has what a column holds."""
    own = own_columns(_RECORDS[name][0]) if name in _RECORDS else {}
    return next(((table, column.removeprefix(one)) for one, table in own.items() if column.startswith(one)), (column,))


def _note_columns(name: str, columns: Iterable[str], known: Container[str], table: CsvTable, reading: Reading) -> None:
    """Columns that only a part has, so that what is wrong with their heads is laid at its file."""
    if "/" in table.name:
        reading.files.update({(name, "*", one): table.name for one in columns if one not in known})


def _with_units(entries: Any) -> set[str]:
    """Columns whose head gave a unit, of the records read so far."""
    records = entries.values() if isinstance(entries, dict) else entries or ()
    return {column for one in records for column, cell in one.items() if isinstance(cell, Cell) and cell.unit}


def _first(path: Path, reading: Reading) -> str:
    """Where a record stands that another one repeats."""
    return f"row {reading.rows[path]}" + (f" of {reading.files[path]}" if path in reading.files else "")


def _unique(name: str, column: str, row: TableRow, table: CsvTable, reading: Reading) -> str:
    """The row's key; a row without one, or with one already seen, gets its number, so that it is still checked."""
    given = row.cells.get(column, "")
    where = f"row {row.number}" + (f" of {table.name}" if "/" in table.name else "")
    if not given:
        return where
    if given in reading.mapping[name]:
        found = f"{shown_value(given)}, as in {_first((name, given), reading)}"
        unique = f"{given} in {where}"
        reading.findings.append(Finding(((name, unique, column),), f"{column} must be unique", found))
        return unique
    return given


def _check_columns(name: str, table: CsvTable, known: frozenset[str], needed: frozenset[str], reading: Reading) -> None:
    missing = sorted(needed - set(table.columns))
    for column in table.columns:
        if column and column not in known:
            advice = did_you_mean(column, known)
            reading.faults.append(Fault(f"{table.name}{table.head}, column {column}", "unknown column", "", advice))
            for meant in [one for one in missing if f"'{one}'" in advice]:
                missing.remove(meant)
                reading.bad.append((name, "*", meant))
    for column in missing:
        reading.faults.append(
            Fault(f"{table.name}{table.head}, column {column}", "the column is required", "no such column")
        )
        reading.bad.append((name, "*", column))


Own = Mapping[str, tuple[str, str]]
"""Columns of one's own: by heading, the record's table in which it is an entry, and its name there."""


def _own_columns(record: type, table: CsvTable, reading: Reading) -> Own:
    """The table's columns of figures and tags of one's own; wrong names are told."""
    prefixes = own_columns(record)
    found = {
        column: (prefixes[prefix], column.removeprefix(prefix))
        for column in table.columns
        for prefix in prefixes
        if column.startswith(prefix)
    }
    for column, (place, name) in found.items():
        if not re.fullmatch(FIGURE_NAMES, name):
            prefix = column.removesuffix(name)
            rule = f"must be named {prefix}NAME, with a NAME of letters, digits and _ that begins with a letter"
            reading.faults.append(Fault(f"{table.name}{table.head}, column {column}", rule, shown_value(name)))
            reading.bad.append(("technologies", "*", place, name))
    return found


def _record(row: TableRow, table: CsvTable, shapes: Mapping[str, Shape], own: Own) -> dict[str, Any]:
    cells = ((column, text) for column, text in row.cells.items() if column in shapes)
    found = {column: _value(column, text, table, shapes[column]) for column, text in cells}
    for column, (place, name) in own.items():
        found.setdefault(place, {})[name] = _own_value(place, column, row, table)
    return found


def _own_value(place: str, column: str, row: TableRow, table: CsvTable) -> Cell | float | str:
    """The number of a figure of one's own, nothing is 0; the text of a tag."""
    text, unit = row.cells.get(column), table.units.get(column, "")
    if place == "tags":
        return Cell(text or "", unit, table.style) if unit else text or ""
    return 0.0 if text is None else Cell(text, unit, table.style)


def _value(column: str, text: str, table: CsvTable, shape: Shape) -> Any:
    if shape.kind == "list" and not shape.joined:
        return [one.strip() for one in text.split("|")]
    if shape.kind in ("number", "whole") or shape.joined or column in table.units:
        return Cell(text, table.units.get(column, ""), table.style)
    return text


def _add_levels(table: CsvTable, reading: Reading) -> None:
    """The wide table partner x field; the columns are checked as references later, as a field may be overridden."""
    table = with_known_headings(table, ("partner",))
    reading.letters["levels"] = table.letters
    if "partner" not in table.columns:
        rule = "the first column must be 'partner', and one column for each field follows"
        reading.faults.append(Fault(f"{table.name}{table.head}", rule, shown_value(", ".join(table.columns))))
        reading.bad.append(("levels",))
        return
    levels: dict[str, Any] = reading.mapping.setdefault("levels", {})
    known = {field for row in levels.values() for field in row}
    _note_columns("levels", table.columns, known, table, reading)
    for row in table.rows:
        code = row.cells.get("partner", "")
        if not code or code in levels:
            found = f"{shown_value(code)}, as in {_first(('levels', code), reading)}" if code else "an empty cell"
            where = place_words(table.name, row.number, "partner", table.letters)
            fault = Fault(where, "must name each partner once", found)
            reading.faults.append(fault)
            continue
        levels[code] = {field: _level(field, text, table) for field, text in _fields(row)}
        _note(("levels", code), row, table, reading)


def _fields(row: TableRow) -> Iterator[tuple[str, str]]:
    return ((column, text) for column, text in row.cells.items() if column != "partner")


def _level(column: str, text: str, table: CsvTable) -> Cell:
    return Cell(text, table.units.get(column, ""), table.style)
