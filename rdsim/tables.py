"""CSV files as spreadsheets write them, sheets of workbooks and frames, read into plain cells.

Accepted: UTF-8 with or without a byte-order mark, commas, semicolons or tabs (or a first line ``sep=;``), any line
ending. A column may carry its unit in brackets, ``cost [billion KRW]``. Rows are numbered as a spreadsheet shows them:
the header is row 1. How numbers are written, `rdsim.numerals` knows; what characters are taken, `rdsim.texts`.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from numbers import Complex, Number, Rational, Real
from pathlib import Path
from typing import Any

from rdsim.domain import TAG
from rdsim.errors import Fault, InputError, cut
from rdsim.numerals import PLAIN, Style, number, style_of
from rdsim.spreadsheets import BookSheet, Strange, Value, letter
from rdsim.texts import read_tidy, tidy

__all__ = [
    "FORMULA_SIGNS",
    "CsvTable",
    "TableRow",
    "copies",
    "copies_among",
    "did_you_mean",
    "neutral",
    "place_words",
    "plain_cell",
    "read_table",
    "sheet_faults",
    "shown_value",
    "table_of_frame",
    "table_of_sheet",
    "with_known_headings",
]

_HEADER = re.compile(r"(?P<name>[^\[\]]*?)\s*(\[(?P<unit>[^\[\]]*)\])?")
_SEPARATOR = re.compile(r"\"?sep=(?P<mark>[,;\t])\"?\r?\n", re.IGNORECASE)
_COPY = r"(?:copy of |kopie von )?{stem}(?: ?\(\d+\)| (?:- )?(?:copy|copie|kopie|복사본).*)?\.csv"
_TOTALS = frozenset(["total", "totals", "sum", "sums", "subtotal", "합계", "총계", "소계", "계", "summe", "gesamt"])
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_COMPARED = 80  # characters of a name, and a hundred times as many names, that a suggestion looks at


@dataclass(frozen=True)
class TableRow:
    """One row: its number in the spreadsheet and its cells by column; an empty cell is absent."""

    number: int
    cells: Mapping[str, str]
    bad: tuple[str, ...] = ()
    """Columns whose cells hold what no cell can: told among the table's faults."""


@dataclass(frozen=True)
class CsvTable:
    """A CSV file, a sheet, or a frame. If it cannot be read at all, it has no columns, and `faults` says why."""

    name: str
    columns: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[TableRow, ...] = ()
    style: Style = PLAIN
    faults: tuple[Fault, ...] = ()
    head: str = ", row 1"
    """Where its headings stand, after its name: those of a frame stand in no row."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Letters of the columns of a sheet, whose cells are told by them."""


def did_you_mean(name: str, known: Iterable[object], shown_at_most: int = 8) -> str:
    """The closest known name as a question; without a close one, the first known names, if any shall be shown."""
    folded = {str(one).casefold(): str(one) for one in known}
    within_reach = list(folded)[: 100 * _COMPARED]
    close = difflib.get_close_matches(name.casefold(), within_reach, 1, 0.6) if len(name) <= _COMPARED else []
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    begun = [one for one in within_reach if len(name) >= 3 and one.startswith(name.casefold())]
    if len(begun) == 1:
        return f"Did you mean '{folded[begun[0]]}'?"
    names = sorted(folded.values()) if shown_at_most else []
    rest = f" and {len(names) - shown_at_most} more" if len(names) > shown_at_most else ""
    return f"Known: {', '.join(cut(one, _COMPARED) for one in names[:shown_at_most])}{rest}." if names else ""


def shown_value(value: object, width: int = 60) -> str:
    """A value as a message shows it: text in quotes, never longer than about `width` characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a table of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**width:
        return "a whole number of more than 60 digits"
    text = repr(value[: 2 * width]) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 3] + "..."


def neutral(cell: str) -> str:
    """A cell's text for a CSV file that a spreadsheet may open: what would be a formula stands behind an apostrophe.

    Numbers stay numbers; `plain_cell` takes the apostrophe away again.
    """
    marked = cell[:1] == "'" and cell.lstrip("'")[:1] in FORMULA_SIGNS
    formula = cell[:1] in FORMULA_SIGNS and cell[:1] and number(cell) is None
    return f"'{cell}" if marked or formula else cell


def plain_cell(cell: str) -> str:
    """The text of a cell that `neutral` wrote."""
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'")[:1] in FORMULA_SIGNS and cell.lstrip("'") else cell


def with_known_headings(table: CsvTable, known: Iterable[str], own: Collection[str] = ()) -> CsvTable:
    """The table with headings as they are known: `Start Year` is start_year, unless that stands beside it.

    Headings in `own` mean what they say.
    """
    folded = {_fold(one): one for one in known}
    names = {
        one: folded[_fold(one)]
        for one in table.columns
        if one not in own and folded.get(_fold(one), one) not in table.columns
    }
    if not names:
        return table
    rows = tuple(_rename(row, names) for row in table.rows)
    columns = tuple(names.get(one, one) for one in table.columns)
    units, letters = ({names.get(key, key): one for key, one in by.items()} for by in (table.units, table.letters))
    return replace(table, columns=columns, rows=rows, units=units, letters=letters)


def place_words(table: str, row: int, column: str, letters: Mapping[str, str]) -> str:
    """Where a cell stands: by its letter and number in a sheet, else by row and column.

    >>> place_words("technologies.csv", 4, "cost", {}), place_words("sheet technologies", 4, "cost", {"cost": "F"})
    ('technologies.csv, row 4, column cost', 'sheet technologies, cell F4 (cost)')
    """
    if column in letters:
        return f"{table}, cell {letters[column]}{row} ({column})"
    return f"{table}, row {row}, column {column}"


def _rename(row: TableRow, names: Mapping[str, str]) -> TableRow:
    cells = {names.get(key, key): cell for key, cell in row.cells.items()}
    return TableRow(row.number, cells, tuple(names.get(one, one) for one in row.bad))


def copies(folder: Path, file: str) -> list[str]:
    """Files beside `file` that look like copies of it, as `technologies (1).csv`: nobody knows which is meant."""
    return copies_among(sorted(path.name for path in folder.glob("*.csv")), file)


def copies_among(names: Iterable[str], file: str) -> list[str]:
    """Those of the names that look like copies of `file`."""
    pattern = re.compile(_COPY.format(stem=re.escape(file.removesuffix(".csv"))), re.IGNORECASE)
    return [name for name in names if name.casefold() != file.casefold() and pattern.fullmatch(tidy(name))]


def read_table(path: Path) -> CsvTable:
    """A CSV file as a table; faults of the file, its header and its rows' lengths are in the table, not raised."""
    try:
        text = read_tidy(path)
        told = _SEPARATOR.match(text)
        text = text[told.end() :] if told else text
        delimiter = told["mark"] if told else _delimiter(text)
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except InputError as error:
        return CsvTable(path.name, faults=error.faults)
    except csv.Error as error:
        return CsvTable(path.name, faults=(Fault(path.name, "must be a CSV table", str(error)),))
    return _table(path.name, records, delimiter)


def table_of_frame(frame: object, name: str) -> CsvTable:
    """A pandas frame as a table called `name`, its rows counted from 0: cells as a CSV file would hold them.

    Missing values of any kind are empty cells, lists are joined by ``|``, and an index with names is columns. What is
    no frame, or holds what no cell could, is told in the table's faults.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone

    if not isinstance(frame, pd.DataFrame):
        return CsvTable(name, faults=(Fault(name, "must be a pandas DataFrame", type(frame).__name__),), head="")
    named = [one for one in frame.index.names if one is not None and one not in frame.columns]
    table = frame.reset_index(level=named) if named else frame
    columns, units, faults = _columns(name, [tidy(str(one)).strip() for one in table.columns])
    if faults:
        return CsvTable(name, faults=tuple(faults), head="")
    rows = []
    for row, values in enumerate(table.itertuples(index=False, name=None)):
        cells = {column: _cell_of(value) for column, value in zip(columns, values, strict=True)}
        strange = {column: value for column, value in zip(columns, values, strict=True) if cells[column] is None}
        for column, value in strange.items():
            found = f"{type(value).__name__} {shown_value(value)}"
            faults.append(Fault(f"{name}, row {row}, column {column}", "must be text, a number or a list", found))
        rows.append(TableRow(row, {column: text for column, text in cells.items() if text}, tuple(strange)))
    return CsvTable(name, tuple(columns), units, tuple(rows), faults=tuple(faults), head="")


def table_of_sheet(sheet: BookSheet, name: str) -> CsvTable:
    """A sheet of a workbook as a table called `name`: cells as a CSV file would hold them, rows as Excel counts them.

    What no cell can hold, merged cells and a hidden sheet are told in the table's faults.
    """
    if not sheet.rows:
        return CsvTable(name, faults=(Fault(name, "the table must have a header"),))
    (head, first), *body = sheet.rows.items()
    header = [_sheet_cell(value) for value in first]
    places = [place for place, text in enumerate(header) if text]
    columns, units, faults = _columns(f"{name}, row {head}", [header[place] for place in places])
    letters = {column: letter(place) for column, place in zip(columns, places, strict=True)}
    faults = [*sheet_faults(sheet, name), *_without_heading(sheet, name, places), *faults]
    records = [(row, [_sheet_cell(value) for value in values]) for row, values in body]
    if totals := _totals(name, records, PLAIN):
        body, faults = body[:-1], [*faults, totals]
    rows = []
    for row, values in body:
        found = {column: values[place] for column, place in zip(columns, places, strict=True) if place < len(values)}
        strange = {column: one for column, one in found.items() if isinstance(one, Strange)}
        faults += [one.fault(place_words(name, row, column, letters)) for column, one in strange.items()]
        cells = {column: _sheet_cell(_as_tag(one) if column.startswith(TAG) else one) for column, one in found.items()}
        rows.append(TableRow(row, {column: text for column, text in cells.items() if text}, tuple(strange)))
    told = f", row {head}"
    return CsvTable(name, tuple(columns), units, tuple(rows), faults=tuple(faults), head=told, letters=letters)


def _sheet_cell(value: Value) -> str:
    """What a sheet's cell holds, as a cell of a CSV file; empty where none can hold it."""
    if value is None or isinstance(value, Strange):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return tidy(value).strip() if isinstance(value, str) else _number_cell(value) or ""


def _as_tag(value: Value) -> Value:
    """A tag's value: of flags true is 1 and false is 0."""
    return int(value) if isinstance(value, bool) else value


def sheet_faults(sheet: BookSheet, name: str) -> Iterator[Fault]:
    """What keeps a sheet from being read: that it is hidden, and merged cells."""
    if sheet.hidden:
        yield Fault(name, "a sheet that is read must not be hidden", "", "Unhide it, or delete it.")
    for cells in sheet.merged:
        rule = "cells must not be merged: only the first of them would have the value"
        yield Fault(f"{name}, cells {cells}", rule, "", "Unmerge them, and fill each.")


def _without_heading(sheet: BookSheet, name: str, places: Collection[int]) -> Iterator[Fault]:
    for row, values in sheet.rows.items():
        for place, value in enumerate(values):
            if value is not None and place not in places:
                rule, advice = "a value must stand under a heading", "Give the column a heading, or delete it."
                yield Fault(f"{name}, cell {letter(place)}{row}", rule, shown_value(_sheet_cell(value)), advice)


def _cell_of(value: Any) -> str | None:
    """A frame's value as a cell; None of what no cell could hold."""
    if value is None or str(value) in ("<NA>", "NaT"):
        return ""
    if isinstance(value, str):
        return tidy(value).strip()
    if isinstance(value, list | tuple):
        texts = [_cell_of(one) for one in value]
        return None if None in texts else "|".join(one for one in texts if one)
    if isinstance(value, Number):
        return _number_cell(value)
    return _cell_of(value.tolist()) if hasattr(value, "tolist") else None


def _number_cell(value: Any) -> str | None:
    """A missing number is an empty cell; a whole one is written without a point; a complex one is none."""
    if not isinstance(value, Real) or isinstance(value, Rational):
        return None if isinstance(value, Complex) and not isinstance(value, Rational) else str(value)
    if math.isnan(value):
        return ""
    return str(int(float(value))) if float(value).is_integer() else str(value)


def _fold(heading: str) -> str:
    return re.sub(r"[ \-]+", "_", heading.strip().casefold())


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: the one that the header line uses most, outside of quotes and brackets."""
    header = re.sub(r'"[^"]*"|\[[^\]]*\]', "", [*text.lstrip().splitlines(), ""][0])
    return max(",;\t", key=header.count)


def _table(name: str, records: list[list[str]], delimiter: str) -> CsvTable:
    numbered = [(row, [plain_cell(cell.strip()) for cell in record]) for row, record in enumerate(records, start=1)]
    filled = [(row, record) for row, record in numbered if any(record)]
    if not filled:
        return CsvTable(name, faults=(Fault(name, "the table must have a header"),))
    (head, header), body = filled[0], filled[1:]
    while header and not header[-1]:
        header.pop()
    style = style_of((cell for _, record in body for cell in record), delimiter == ";")
    columns, units, faults = _columns(f"{name}, row {head}", header)
    if totals := _totals(name, body, style):
        body, faults = body[:-1], [*faults, totals]
    rows, ragged = _rows(name, columns, body)
    return CsvTable(name, tuple(columns), units, rows, style, (*faults, *ragged))


def _totals(name: str, body: list[tuple[int, list[str]]], style: Style) -> Fault | None:
    """The fault of a last row that sums up those above it: it says so, and lacks cells or holds sums alone."""
    if len(body) < 3:
        return None
    last, record = body[-1]
    word = next(cell for cell in record if cell)
    if word.casefold().rstrip(".:") not in _TOTALS:
        return None
    above = [cells for _, cells in body[:-1]]
    lacks = sum(map(bool, record)) < min(sum(map(bool, cells)) for cells in above)
    counted = [column for column, cell in enumerate(record) if number(cell, style) is not None]
    if not lacks and not (counted and all(_is_sum(column, record, above, style) for column in counted)):
        return None
    return Fault(
        f"{name}, row {last}", "a row must not sum up the others", shown_value(word), "Delete the row of totals."
    )


def _is_sum(column: int, record: list[str], above: list[list[str]], style: Style) -> bool:
    total = number(record[column], style)
    parts = [number(cells[column], style) for cells in above if column < len(cells) and cells[column]]
    numbers = [one for one in parts if one is not None]
    return total is not None and len(numbers) > 1 and abs(sum(numbers) - total) <= 1e-9 * abs(total)


def _columns(where: str, header: list[str]) -> tuple[list[str], dict[str, str], list[Fault]]:
    columns: list[str] = []
    units: dict[str, str] = {}
    faults: list[Fault] = []
    for position, text in enumerate(header, start=1):
        match = _HEADER.fullmatch(text)
        name = match["name"].strip() if match else ""
        if not match or not name:
            faults.append(
                Fault(where, f"column {position} must have a name, and at most one [unit]", shown_value(text))
            )
        elif name in columns:
            faults.append(Fault(f"{where}, column {name}", "a column must not occur twice"))
        elif match["unit"] is not None:
            units[name] = match["unit"].strip()
        columns.append(name)
    return columns, units, faults


def _rows(name: str, columns: list[str], body: list[tuple[int, list[str]]]) -> tuple[tuple[TableRow, ...], list[Fault]]:
    rows, faults = [], []
    for row, record in body:
        if len(record) < len(columns) or any(record[len(columns) :]):
            rule = f"a row must have as many cells as the header, {len(columns)}"
            advice = "A cell that holds the separator must be in double quotes."
            faults.append(Fault(f"{name}, row {row}", rule, f"{len(record)} cells", advice))
        cells = zip(columns, record, strict=False)
        rows.append(TableRow(row, {column: cell for column, cell in cells if column and cell}))
    return tuple(rows), faults
