"""Which sheets a scenario's workbook has, and what stands in them: settings by line, tables by row, known names.

A form is a sheet to fill in: headings with notes, cells, and for ranges of cells what they may hold. Everything is told
by the domain: what a field is, its unit, its limits, its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rdsim.domain import Scenario
from rdsim.scenario.book import LISTS, SETTINGS_SHEET, SHEETS
from rdsim.scenario.consistency import references
from rdsim.scenario.door import Rows, plain_parts, record_of
from rdsim.scenario.lines import SettingLine, settings_lines
from rdsim.scenario.shapes import (
    Path,
    Shape,
    default,
    dotted_path,
    own_columns,
    part,
    parts,
    required_fields,
    with_limit,
    words,
)
from rdsim.spreadsheets import letter

__all__ = ["SETTINGS_HEADS", "Allowed", "Form", "Forms", "Head", "forms_of"]

SPARE = 200
"""Rows below a table that are ready for more: offered names, limits and checks hold there too."""
_KINDS = {"number": "number", "whole": "whole number", "flag": "true or false", "text": "text", "choice": "text"}
_MANY = {"mapping": "table", "record": "table", "list": "list", "any": "any"}
_KEYED = ("programmes", "fields", "modes", "institutes", "facilities", "uncertainty", "calibrations", "panels")
"""Tables of the settings whose names other places mention."""

Cell = str | float | bool | None


@dataclass(frozen=True)
class Head:
    """A heading, with the note behind it, and the shape of what stands below."""

    title: str
    note: str
    shape: Shape | None = None
    required: bool = False
    table: str = ""
    """The table whose names stand here, one in a cell."""


@dataclass(frozen=True)
class Allowed:
    """What the cells of a column hold, from one row to another, counted from 0: names of a range, words, or numbers."""

    column: int
    first: int
    last: int
    shape: Shape
    names: str = ""
    """The range that holds the names, as a formula names it."""


@dataclass(frozen=True)
class Form:
    """A sheet: its headings in row 0, its rows below."""

    name: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    allowed: Sequence[Allowed] = ()

    @property
    def last(self) -> int:
        """The last row, from 0, that is ready to be filled in."""
        return len(self.rows) + SPARE

    def place(self, title: str) -> int:
        """Number of the column of this title, from 0. Raises ValueError if there is none."""
        return [one.title for one in self.heads].index(title)

    def span(self, title: str) -> str:
        """The cells below a heading, as a formula names them."""
        return _span(self.name, self.place(title), self.last)


def _span(sheet: str, column: int, last: int) -> str:
    return f"'{sheet}'!${letter(column)}$2:${letter(column)}${last + 1}"


SETTINGS_HEADS = (
    Head("Setting", "The dotted path, as --set takes it. Entries of lists are numbered from 0, without a gap. "
         "New entries are new lines, as programmes.NAME.budget.2031."),
    Head("Value", "Empty: the default. A quantity may carry its unit, as 9 months or 500 million KRW."),
    Head("Unit", "Of a number without a unit of its own."),
    Head("Default", "What holds where the value is empty."),
    Head("Kind", "What kind of value it is."),
    Head("Limits", "What the value must be."),
    Head("What it is", "From the documentation of the scenario."),
    Head("Required", "yes: there is no default."),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Forms:
    """The forms of one scenario: its settings, its tables by their names, and the names that cells may mention."""

    scenario: Scenario
    settings: Form
    tables: Mapping[str, Form]
    lists: Form

    @cached_property
    def every(self) -> tuple[Form, ...]:
        """The sheets in their order."""
        return (self.settings, *self.tables.values(), self.lists)


def forms_of(scenario: Scenario) -> Forms:
    """The forms of a scenario. Raises ScenarioError for what cannot be a scenario."""
    settings, tables = plain_parts(scenario)
    mentioned = references(scenario)
    lists = _lists(scenario)
    ranges = {
        **{
            head.title: _span(LISTS, place, max(1, len(getattr(scenario, head.title))))
            for place, head in enumerate(lists.heads)
        },
        **{name: _span(SHEETS[name], 0, len(tables[name][1]) + SPARE) for name in ("technologies", "partners")},
    }
    made = {name: _table(name, rows, scenario.money_unit, mentioned, ranges) for name, rows in tables.items()}
    return Forms(scenario, _settings(settings, scenario.money_unit, mentioned, ranges), made, lists)


def _lists(scenario: Scenario) -> Form:
    """Names by the table that holds them, a column each."""
    names = {table: list(getattr(scenario, table)) for table in _KEYED}
    deepest = max(map(len, names.values()))
    rows = [[known[row] if row < len(known) else None for known in names.values()] for row in range(deepest)]
    note = "Names that are offered in other sheets: a new one is offered there if it is added here. Not read back."
    return Form(LISTS, [Head(table, note) for table in names], rows)


# --- settings -------------------------------------------------------------------------------------


def _settings(content: Mapping[str, Any], money: str, mentioned: Mapping[Path, str], ranges: Mapping[str, str]) -> Form:
    lines = list(settings_lines(content))
    allowed = [
        one for row, line in enumerate(lines, start=1) for one in _allowed_line(row, line, money, mentioned, ranges)
    ]
    return Form(SETTINGS_SHEET, SETTINGS_HEADS, [_line_cells(line, money) for line in lines], allowed)


def _line_cells(line: SettingLine, money: str) -> list[Cell]:
    shape = line.shape
    kind = {**_KINDS, **_MANY}[shape.kind if shape else "any"]
    limits = words(shape, money) if shape is not None and shape.kind in _KINDS else ""
    needed = "yes" if _is_required(line.path) else None
    return [
        dotted_path(line.path), line.value, _unit(shape, money) or None, line.default, kind, limits or None,
        line.words, needed,
    ]  # fmt: skip


def _is_required(path: Path) -> bool:
    above = part(path[:-1])
    return above is not None and above.record is not None and str(path[-1]) in required_fields(above.record)


def _unit(shape: Shape | None, money: str) -> str:
    unit = shape.unit if shape else ""
    return money if unit == "money" else unit


def _allowed_line(
    row: int, line: SettingLine, money: str, mentioned: Mapping[Path, str], ranges: Mapping[str, str]
) -> Iterator[Allowed]:
    if line.shape is not None and line.shape.kind in _KINDS:
        table = mentioned.get((line.path[0], "*", *line.path[2:]) if len(line.path) > 1 else line.path, "")
        yield Allowed(1, row, row, with_limit(line.shape, money), ranges.get(table, ""))


# --- tables ---------------------------------------------------------------------------------------


def _table(name: str, table: Rows, money: str, mentioned: Mapping[Path, str], ranges: Mapping[str, str]) -> Form:
    columns, rows = table
    heads = [_head(name, column, money, mentioned) for column in columns]
    cells = [[_table_cell(row.get(column)) for column in columns] for row in rows]
    last = len(rows) + SPARE
    allowed = [
        Allowed(place, 1, last, head.shape, ranges.get(head.table, ""))
        for place, head in enumerate(heads)
        if head.shape is not None and head.shape.kind in _KINDS
    ]
    return Form(SHEETS[name], heads, cells, allowed)


def _table_cell(value: Any) -> Cell:
    """What stands in a cell of a table: an empty text is an empty cell, and a number stays one where it is the same."""
    if isinstance(value, int | float):
        return value if abs(value) <= 2**53 else repr(value)
    return value or None


def _head(name: str, column: str, money: str, mentioned: Mapping[Path, str]) -> Head:
    if name == "levels":
        return _level_head(column)
    record = record_of(name)
    prefix = next((one for one in own_columns(record) if column.startswith(one)), "")
    if prefix:
        own = parts(record)[own_columns(record)[prefix]]
        return Head(column, own.description, own.item if own.item and own.item.kind == "number" else None)
    shape, required = parts(record)[column], column in required_fields(record)
    table = mentioned.get((name, "*", column), "") if shape.kind == "text" else ""
    return Head(
        column, _note(shape, money, default(record, column), required), with_limit(shape, money), required, table
    )


def _level_head(column: str) -> Head:
    shape = part(("levels",))
    levels = shape.item.item if shape and shape.item else None
    said = shape.description if shape else ""
    if column == "partner":
        return Head(column, "Code of the partner.", parts(record_of("partners"))["code"], True, "partners")
    return Head(column, f"{said} The field is {column}. {_capital(words(levels)) if levels else ''}.", levels)


def _note(shape: Shape, money: str, absent: Any, required: bool) -> str:
    """What a column is, its unit, its limits, and what an empty cell means."""
    texts = [shape.description]
    if shape.kind in _KINDS:
        texts.append(f"Must be {words(shape, money)}.")
    if shape.unit and shape.unit != "as its input":
        texts.append(f"Unit: {_unit(shape, money)}.")
    if required:
        texts.append("Required.")
    elif absent not in (None, "", [], {}):
        texts.append(f"Empty: {absent}.")
    return "\n".join(texts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
