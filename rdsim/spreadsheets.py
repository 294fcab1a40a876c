"""Excel workbooks, whoever made them, read into plain cells: sheets by name, rows by the number that Excel shows.

Of a formula the value is read that the program which saved the book had calculated. What no table can hold - a date, an
error, a formula that nobody calculated - comes back as what is wrong with it. Books are bounded in size, and so is what
they unpack to.
"""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdsim.errors import Fault, InputError

__all__ = ["BookSheet", "Strange", "Value", "letter", "read_sheets"]

_MOST_BYTES = 200_000_000
_MOST_ROWS, _MOST_COLUMNS, _LAST_ROW = 100_000, 1_000, 1_048_576
_OLD = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z0-9:$]{1,40})\"")
_KIND = "must be a scenario folder, or a workbook (.xlsx)"


@dataclass(frozen=True)
class Strange:
    """What a cell holds and no table can: the rule, what was found, and a way out, as a fault tells them."""

    rule: str
    found: str
    suggestion: str

    def fault(self, where: str) -> Fault:
        """The fault of a cell."""
        return Fault(where, self.rule, self.found, self.suggestion)


Value = str | int | float | bool | Strange | None
"""What a cell holds; None is an empty one."""

_UNCALCULATED = Strange(
    "a formula must have a value",
    "a formula that has not been calculated",
    "Open the book in Excel or LibreOffice, save it there, and try again; or type the value.",
)


@dataclass(frozen=True)
class BookSheet:
    """A sheet: its filled rows by number, each as long as its last filled cell."""

    name: str
    rows: Mapping[int, tuple[Value, ...]] = field(default_factory=dict)
    merged: tuple[str, ...] = ()
    """Ranges of merged cells."""
    hidden: bool = False


def letter(column: int) -> str:
    """The letters of a column, counted from 0.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    before, last = divmod(column, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def read_sheets(path: Path, wanted: Collection[str]) -> list[BookSheet]:
    """The sheets of a workbook, in their order. Of those whose name, in small letters, is not `wanted`, only the name
    is read.

    Raises InputError if it is no workbook, is encrypted, damaged, or larger than any table.
    """
    try:
        _require_workbook(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, which are not read
            return list(_sheets(path, wanted))
    except InputError:
        raise
    except Exception as error:  # a damaged book makes its reader raise anything
        advice = "Open it in Excel, save it as a new workbook (.xlsx), and try again."
        found = f"{type(error).__name__}: {error}"
        raise InputError((Fault(str(path), "must be a sound workbook", found, advice),)) from None


# --- the file -------------------------------------------------------------------------------------


def _require_workbook(path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise _refusal(path, _size_rule(), f"{path.stat().st_size / 1e6:,.0f} MB")
    data = path.read_bytes()
    if data.startswith(_OLD):
        advice = "Save it in Excel as 'Excel Workbook (.xlsx)', without a password."
        found = "a workbook with a password" if _ENCRYPTED in data else "a file of old Excel (.xls)"
        raise _refusal(path, _KIND, found, advice)
    if not zipfile.is_zipfile(path):
        raise _refusal(path, _KIND, "a file")
    with zipfile.ZipFile(path) as archive:
        _require_parts(path, archive)


def _require_parts(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise InputError for an archive of something else, for a locked one, and for one that unpacks to too much."""
    names = archive.namelist()
    if "xl/workbook.bin" in names or "content.xml" in names:
        found = "a workbook of another kind (.xlsb)" if "xl/workbook.bin" in names else "a file of OpenDocument (.ods)"
        raise _refusal(path, _KIND, found, "Save it as 'Excel Workbook (.xlsx)'.")
    if not any(name.startswith("xl/") for name in names):
        raise _refusal(path, _KIND, "an archive of something else")
    if any(one.flag_bits & 1 for one in archive.infolist()):
        raise _refusal(path, "must have no password", "an encrypted workbook")
    size = sum(one.file_size for one in archive.infolist())  # no more is unpacked, whatever comes
    if size > _MOST_BYTES:
        raise _refusal(path, _size_rule(), f"{size / 1e6:,.0f} MB")
    for name in names:
        with archive.open(name) as part:
            if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in part.read(4096):
                raise _refusal(path, "must be a sound workbook", f"entities of XML in {name}")


def _size_rule() -> str:
    return f"must come to at most {_MOST_BYTES // 10**6} MB, unpacked"


def _refusal(path: Path, rule: str, found: str, suggestion: str = "") -> InputError:
    return InputError((Fault(str(path), rule, found, suggestion),))


# --- its sheets -----------------------------------------------------------------------------------


def _sheets(path: Path, wanted: Collection[str]) -> Iterator[BookSheet]:
    """The book is read twice at once: for what was calculated, and for what is a formula."""
    import openpyxl  # noqa: PLC0415 - needed here alone

    with (
        zipfile.ZipFile(path) as archive,
        closing(openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)) as shown,
        closing(openpyxl.load_workbook(path, read_only=True, keep_links=False)) as written,
    ):
        for page, formulas in zip(shown.worksheets, written.worksheets, strict=True):
            if page.title.strip().casefold() not in wanted:
                yield BookSheet(page.title)
                continue
            rows = dict(_rows(path, page, formulas))
            with archive.open(page._worksheet_path) as part:  # openpyxl forgets merged cells when it reads row by row
                merged = tuple(one.decode() for one in _MERGED.findall(part.read()))
            yield BookSheet(page.title, rows, merged, page.sheet_state != "visible")


def _rows(path: Path, page: Any, formulas: Any) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """The filled rows. Raises InputError where there are too many, or too many columns."""
    for one in (page, formulas):
        one.reset_dimensions()  # what the book says of them may be wrong
    filled = 0
    for number, pair in enumerate(zip(page.iter_rows(), formulas.iter_rows(), strict=True), start=1):
        if number > _LAST_ROW:
            break
        cells = [_value(shown, written) for shown, written in zip(*pair, strict=True)]
        while cells and cells[-1] is None:
            cells.pop()
        filled += bool(cells)
        if filled > _MOST_ROWS or len(cells) > _MOST_COLUMNS:
            rule = f"must have at most {_MOST_ROWS:,} rows and {_MOST_COLUMNS:,} columns"
            raise _refusal(path, f"sheet {page.title} {rule}", f"a value in cell {letter(len(cells) - 1)}{number}")
        if cells:
            yield number, tuple(cells)


def _value(shown: Any, written: Any) -> Value:
    value = shown.value
    if value is None:
        # A formula whose value is an empty text is no formula without a value.
        return _UNCALCULATED if written.data_type == "f" and shown.data_type != "str" else None
    if shown.data_type == "e":
        return Strange("must be a value", f"the error {value}", "Mend the formula, or type the value.")
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        advice = "Excel made a date of what was typed: format the cell as text or as a number, and type it again."
        return Strange("must not be a date", str(value), advice)
    if isinstance(value, str):
        return value.replace("_x000D_\n", "\n").replace("_x000D_", "\n").strip() or None
    return value if isinstance(value, bool | int | float) else str(value)
