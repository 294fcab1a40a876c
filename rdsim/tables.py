"""Text and CSV files as spreadsheets write them, read into plain cells.

Accepted: UTF-8 with or without a byte-order mark, commas, semicolons or tabs, any line ending. A column may carry
its unit in brackets, ``cost [billion KRW]``. Rows are numbered as a spreadsheet shows them: the header is row 1.
A decimal comma is read only where semicolons separate the cells, for there it cannot be mistaken.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rdsim.errors import Fault, InputError

__all__ = ["Row", "Table", "did_you_mean", "number", "number_advice", "read_table", "read_text", "shown"]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d{1,3})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, ]\d{3})+(\.\d+)?")
_HEADER = re.compile(r"(?P<name>[^\[\]]*?)\s*(\[(?P<unit>[^\[\]]*)\])?")


@dataclass(frozen=True)
class Row:
    """One row: its number in the spreadsheet and its cells by column; an empty cell is absent."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A CSV file. If it cannot be read at all, it has no columns, and `faults` says why."""

    name: str
    columns: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    decimal_comma: bool = False
    faults: tuple[Fault, ...] = ()


def did_you_mean(name: str, known: Iterable[object], shown_at_most: int = 8) -> str:
    """The closest known name as a question; without a close one, the first known names."""
    folded = {str(one).casefold(): str(one) for one in known}
    close = difflib.get_close_matches(name.casefold(), folded, 1, 0.6)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    names = sorted(folded.values())
    rest = f" and {len(names) - shown_at_most} more" if len(names) > shown_at_most else ""
    return f"Known: {', '.join(names[:shown_at_most])}{rest}." if names else ""


def shown(value: object, width: int = 60) -> str:
    """A value as a message shows it: text in quotes, never longer than about `width` characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a table of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else text[: width - 3] + "..."


def number(text: str, decimal_comma: bool = False) -> int | float | None:
    """The number that `text` writes, an int where it is whole, or None if it is not a plain number."""
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if len(text) > 60 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if text.lstrip("+-").isdigit():
        return int(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def number_advice(text: str) -> str:
    """How to write a number that `number` refuses, where its meaning can be guessed."""
    bare = text.strip()
    if bare.endswith("%") and _NUMBER.fullmatch(bare[:-1].strip()):
        return f"Write a share as a number: {float(bare[:-1]) / 100:.12g}."
    if _THOUSANDS.fullmatch(bare):
        return f"Write {re.sub('[, ]', '', bare)}, without a separator of thousands."
    if _DECIMAL_COMMA.fullmatch(bare):
        return f"Write {bare.replace(',', '.')}: a decimal comma is read only where semicolons separate the cells."
    return ""


def read_text(path: Path) -> str:
    """The text of a UTF-8 file without its byte-order mark.

    Raises InputError if the file is missing, empty, not readable, or not UTF-8 text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _refusal(path, "the file is required", f"no such file in {path.parent}") from None
    except OSError as error:
        raise _refusal(path, "the file must be readable", error.strerror or type(error).__name__) from None
    return _decoded(path, data)


def read_table(path: Path) -> Table:
    """A CSV file as a table; faults of the file, its header and its rows' lengths are in the table, not raised."""
    try:
        text = read_text(path)
        delimiter = _delimiter(text)
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except InputError as error:
        return Table(path.name, faults=error.faults)
    except csv.Error as error:
        return Table(path.name, faults=(Fault(path.name, "must be a CSV table", str(error)),))
    return _table(path.name, records, delimiter)


def _refusal(path: Path, rule: str, found: str, suggestion: str = "") -> InputError:
    return InputError((Fault(path.name, rule, found, suggestion),))


def _decoded(path: Path, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refusal(path, "must be UTF-8 text", "UTF-16 text", "Save it as 'CSV UTF-8'.")
    if b"\0" in data:
        raise _refusal(path, "must be UTF-8 text", "a binary file", "Save a spreadsheet as 'CSV UTF-8'.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at position {error.start}"
        advice = "Save it as 'CSV UTF-8' (older spreadsheets write EUC-KR, CP949 or Latin-1)."
        raise _refusal(path, "must be UTF-8 text", found, advice) from None
    if not text.strip():
        raise _refusal(path, "the file must not be empty", f"{len(data)} bytes")
    return text


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: the one that the header line uses most, outside of quotes and brackets."""
    header = re.sub(r'"[^"]*"|\[[^\]]*\]', "", text.lstrip().splitlines()[0])
    return max(",;\t", key=header.count)


def _table(name: str, records: list[list[str]], delimiter: str) -> Table:
    numbered = [(number, [cell.strip() for cell in record]) for number, record in enumerate(records, start=1)]
    filled = [(number, record) for number, record in numbered if any(record)]
    if not filled:
        return Table(name, faults=(Fault(name, "the table must have a header"),))
    (head, header), body = filled[0], filled[1:]
    while header and not header[-1]:
        header.pop()
    columns, units, faults = _columns(f"{name}, row {head}", header)
    rows, ragged = _rows(name, columns, body)
    return Table(name, tuple(columns), units, rows, delimiter == ";", (*faults, *ragged))


def _columns(where: str, header: list[str]) -> tuple[list[str], dict[str, str], list[Fault]]:
    columns: list[str] = []
    units: dict[str, str] = {}
    faults: list[Fault] = []
    for position, text in enumerate(header, start=1):
        match = _HEADER.fullmatch(text)
        name = match["name"].strip() if match else ""
        if not match or not name:
            faults.append(Fault(where, f"column {position} must have a name, and at most one [unit]", shown(text)))
        elif name in columns:
            faults.append(Fault(f"{where}, column {name}", "a column must not occur twice"))
        elif match["unit"] is not None:
            units[name] = match["unit"].strip()
        columns.append(name)
    return columns, units, faults


def _rows(name: str, columns: list[str], body: list[tuple[int, list[str]]]) -> tuple[tuple[Row, ...], list[Fault]]:
    rows, faults = [], []
    for number, record in body:
        if len(record) < len(columns) or any(record[len(columns) :]):
            rule = f"a row must have as many cells as the header, {len(columns)}"
            advice = "A cell that holds the separator must be in double quotes."
            faults.append(Fault(f"{name}, row {number}", rule, f"{len(record)} cells", advice))
        cells = zip(columns, record, strict=False)
        rows.append(Row(number, {column: cell for column, cell in cells if column and cell}))
    return tuple(rows), faults
