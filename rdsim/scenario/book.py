"""A scenario in one Excel workbook as plain data: a sheet of settings, and a sheet for each of its tables.

A book holds what came out of a scenario, so it has no optional parts, and no program that draws figures anew. Sheets
that rdsim does not know are their owner's, as other files in a scenario's folder are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from rdsim.errors import Fault, InputError, ScenarioError
from rdsim.numerals import number
from rdsim.scenario.cells import Cell
from rdsim.scenario.findings import FILES
from rdsim.scenario.folder import PARTS, Reading, add_table, chosen_parts, near_name, reasons
from rdsim.scenario.illustrative import DRAW, ILLUSTRATIVE
from rdsim.scenario.lines import Tree, settings_tree
from rdsim.scenario.renamed import modern_tree
from rdsim.spreadsheets import BookSheet, Value, letter, read_sheets
from rdsim.tables import copies_among, sheet_faults, shown_value, table_of_sheet

__all__ = ["CHECKS", "COVER", "LISTS", "SETTINGS_SHEET", "SHEETS", "book_names", "read_book"]

SETTINGS_SHEET = "Settings"
SHEETS: Mapping[str, str] = {name: file.removesuffix(".csv") for name, file in FILES.items()}
"""What the sheet of each table is called."""
COVER, CHECKS, LISTS = "Read me", "Checks", "Lists"
"""Sheets of a book that rdsim writes and does not read."""

_PATH_HEAD, _VALUE_HEAD = "setting", "value"


def book_names(path: FilePath) -> dict[str, Any]:
    """What the places of a book are called, as `rdsim.scenario.findings.Origin` takes it."""
    return {
        "settings": _sheet_name(path, SETTINGS_SHEET),
        "tables": {name: _sheet_name(path, sheet) for name, sheet in SHEETS.items()},
    }


def _sheet_name(path: FilePath, sheet: str) -> str:
    return f"{path.name}, sheet {sheet}"


def read_book(path: FilePath, chosen: object = None, draw: object = None) -> Reading:
    """Everything in the book, and the faults of its sheets. Raises ScenarioError if it is no workbook that can be read.

    `chosen` and `draw` are asked for as of a folder (`rdsim.scenario.folder.read_folder`); a book has neither.
    """
    wanted = {name.casefold(): name for name in (SETTINGS_SHEET, *SHEETS.values())}
    try:
        sheets = read_sheets(path, wanted)
    except InputError as error:
        raise ScenarioError(error.faults) from None
    reading = Reading()
    by_name = _by_name(sheets, wanted, path, reading)
    _add_settings(by_name.get(SETTINGS_SHEET), path, reading)
    has = {name: len(by_name[sheet].rows) > 1 if sheet in by_name else False for name, sheet in SHEETS.items()}
    for name, sheet in SHEETS.items():
        if sheet in by_name:
            add_table(name, table_of_sheet(by_name[sheet], _sheet_name(path, sheet)), reading)
    _require(has, [sheet.name for sheet in sheets], path, reading)
    reading.faults += _not_in_books(chosen, draw, path, reading)
    return reading


def _not_in_books(chosen: object, draw: object, path: FilePath, reading: Reading) -> Iterator[Fault]:
    """Parts and draws that only a folder could give."""
    export = "Export the folder anew: rdsim export SCENARIO BOOK --set"
    if named := chosen_parts(chosen):
        rule = f"{path.name} is a workbook, which has no optional parts"
        yield Fault(f"--set {PARTS}", rule, shown_value(named[0]), f"{export} {PARTS}={','.join(named)}.")
    table = reading.mapping.get(ILLUSTRATIVE)
    stated = table.get("draw") if isinstance(table, Mapping) else None
    if draw is not None and draw != (number(stated.text) if isinstance(stated, Cell) else 1):
        asked = ".".join(DRAW)
        rule = f"{path.name} is a workbook, which holds one draw"
        yield Fault(f"--set {asked}", rule, shown_value(draw), f"{export} {asked}={draw}.")


def _by_name(
    sheets: Sequence[BookSheet], wanted: Mapping[str, str], path: FilePath, reading: Reading
) -> dict[str, BookSheet]:
    """The sheets that are read, by their names; two of one name are a fault."""
    found: dict[str, BookSheet] = {}
    for sheet in sheets:
        name = wanted.get(sheet.name.strip().casefold())
        if name in found:
            where = f"{path.name}, sheet {sheet.name}"
            reading.faults.append(Fault(where, f"a sheet of this name must be there once, beside {found[name].name}"))
        elif name is not None:
            found[name] = sheet
    return found


def _require(has: Mapping[str, bool], names: Sequence[str], path: FilePath, reading: Reading) -> None:
    """Sheets that there must be, as there must be files; and none that may be meant for one."""
    called = book_names(path)["tables"]
    why = reasons(has, reading.mapping, called, "sheet")
    there = {name.strip().casefold() for name in names}
    others = [name for name in names if name not in (SETTINGS_SHEET, *SHEETS.values(), COVER, CHECKS, LISTS)]
    for name, sheet in SHEETS.items():
        for copy in copies_among([f"{other}.csv" for other in others], f"{sheet}.csv"):
            rule = f"must not stand beside {sheet}: only that is read, and this may be the newer one"
            where = _sheet_name(path, copy.removesuffix(".csv"))
            reading.faults.append(Fault(where, rule, "", f"Keep one of the two, as {sheet}."))
        misnamed = "" if sheet in there else near_name(others, sheet)
        if (misnamed or why.get(name)) and not has[name]:
            rule = why.get(name) or "a sheet is read only under its own name"
            found = "a sheet without rows" if sheet in there else "no such sheet"
            advice = f"Rename {misnamed} to {sheet}." if misnamed else ""
            reading.faults.append(Fault(called[name], rule, found, advice))
            reading.bad.append((name,))


# --- settings -------------------------------------------------------------------------------------


def _add_settings(sheet: BookSheet | None, path: FilePath, reading: Reading) -> None:
    """The settings by the names of today, without what belongs in a sheet of its own."""
    where = _sheet_name(path, SETTINGS_SHEET)
    tree = _tree(sheet, where) if sheet is not None else None
    if tree is None:
        rule = "the sheet is required, with the headings Setting and Value"
        reading.faults.append(Fault(where, rule, "no such sheet" if sheet is None else "other headings"))
        reading.bad.append(())
        return
    reading.faults += tree.faults
    reading.bad += tree.bad
    reading.cells = tree.cells
    content, faults = modern_tree(tree.settings, where)
    reading.faults += faults
    for name in [*FILES.keys() & content.keys(), *({PARTS} & content.keys())]:
        cell = next(cell for place, cell in tree.cells.items() if place[0] == name)
        rule = f"belongs in sheet {SHEETS[name]}" if name in SHEETS else "a workbook has no optional parts"
        reading.faults.append(Fault(f"{where}, cell {cell} ({name})", rule))
        del content[name]
    reading.mapping = content


def _tree(sheet: BookSheet, where: str) -> Tree | None:
    """What the lines of a sheet say; None of one without the two headings."""
    (_, first), *body = [*sheet.rows.items()] or [(1, ())]
    titles = [str(value).strip().casefold() if isinstance(value, str) else "" for value in first]
    if _PATH_HEAD not in titles or _VALUE_HEAD not in titles:
        return None
    places = titles.index(_PATH_HEAD), titles.index(_VALUE_HEAD)
    lines = [(row, *(_at(values, place) for place in places)) for row, values in body]
    told = [
        (f"{letter(places[0])}{row}", f"{letter(places[1])}{row}", stated, value)
        for row, stated, value in lines
        if stated is not None or value is not None
    ]
    tree = settings_tree(told, where)
    tree.faults += sheet_faults(sheet, where)
    return tree


def _at(values: Sequence[Value], place: int) -> Value:
    return values[place] if place < len(values) else None
