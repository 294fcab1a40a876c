"""The file of a workbook: sheets as XlsxWriter writes them.

Texts are a scenario's, so anybody's. Each is written as a text and never as a formula, a link or a number, and one that
begins as a formula does carries the mark that keeps it a text when its cell is edited. Formulas are rdsim's own: they
name sheets, columns and rows, and hold no text of a scenario. The same sheets make the same bytes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from rdsim.tables import FORMULA_SIGNS
from rdsim.workbook.sheets import Cell, Chart, Kind, Overview, Share, Sheet

__all__ = ["LONGEST", "MADE", "OPTIONS", "Pen", "cell_text", "wide", "workbook_bytes"]

LONGEST = 32_767
"""Characters of a cell in Excel, counted as UTF-16 does."""

_NO_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_FORMULA = (*FORMULA_SIGNS, "\n")
_HEAD = 2
"""Row of the headings, from 0: below the sheet's title and its note."""

MADE = datetime(2000, 1, 1)
"""No moment of the run's, so that the same run has the same bytes."""
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_FORMATS: dict[Kind, dict[str, Any]] = {
    "text": {},
    "words": {"text_wrap": True, "valign": "top"},
    "year": {"num_format": "0"},
    "count": {"num_format": "#,##0"},
    "number": {"num_format": "#,##0.00"},
    "money": {"num_format": "#,##0.00"},
    "share": {"num_format": "0.0%"},
}
_NARROWEST, _WIDEST, _WORDS = 9, 44, 70
"""Widths in characters: of columns at least and at most, and of columns of sentences."""


def cell_text(text: str) -> str:
    """A text that a cell can hold: what XML has no character for is replaced, and what is too long is cut."""
    known = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
    units = known.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return known
    return units[: 2 * (LONGEST - 3)].decode("utf-16-le", errors="ignore") + "..."


def workbook_bytes(sheets: Sequence[Overview | Sheet]) -> bytes:
    """The workbook's file; the first sheet is shown when it is opened."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"created": MADE, "author": "rdsim"})
        pen = Pen(book)
        for sheet in sheets:
            if isinstance(sheet, Overview):
                pen.overview(sheet)
            else:
                pen.table(sheet)
    return file.getvalue()


class Pen:
    """Writes into one workbook, in formats that it makes once."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.formats = {kind: book.add_format(told) for kind, told in _FORMATS.items()}
        marked = {"quote_prefix": True}
        self.quoted = {kind: book.add_format({**told, **marked}) for kind, told in _FORMATS.items()}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.quoted_title = book.add_format({"bold": True, "font_size": 14, **marked})
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.note = book.add_format({"italic": True})
        self.left = book.add_format({"num_format": "0", "align": "left"})

    # --- cells

    def text(self, page: Any, place: tuple[int, int], text: str, kind: Kind = "text", styles: Any = None) -> None:
        """Write a text as a text; `styles` are other formats, for what is plain and for what looks like a formula."""
        known = cell_text(text)
        plain, quoted = styles or (self.formats[kind], self.quoted[kind])
        page.write_string(*place, known, quoted if known.startswith(_FORMULA) else plain)

    def cell(self, page: Any, place: tuple[int, int], value: Cell, kind: Kind) -> None:
        """Write what a cell holds; nothing of what is empty, or no number."""
        if isinstance(value, str):
            if value:
                self.text(page, place, value, kind if kind == "words" else "text")
        elif value is not None and math.isfinite(value):
            page.write_number(*place, value, self.formats["share" if isinstance(value, Share) else kind])

    # --- sheets

    def table(self, sheet: Sheet) -> None:
        """A sheet with an Excel table: its filters are the table's, and totals are of the rows that are shown."""
        page = self.book.add_worksheet(sheet.name)
        page.write_string(0, 0, sheet.name, self.title)
        page.write_string(1, 0, cell_text(sheet.note), self.note)
        for number, column in enumerate(sheet.columns):
            page.write_string(_HEAD, number, column.title, self.head)
            page.set_column(number, number, _width(sheet, number))
        for row, values in enumerate(sheet.rows, start=_HEAD + 1):
            for number, (column, value) in enumerate(zip(sheet.columns, values, strict=True)):
                self.cell(page, (row, number), value, column.kind)
        page.freeze_panes(_HEAD + 1, 0)
        if sheet.rows:  # Excel knows no table without a row
            self._frame(page, sheet)
        below = _HEAD + len(sheet.rows) + 3
        for number, chart in enumerate(sheet.charts):
            page.insert_chart(below + 16 * number, 1, self._chart(sheet, chart))

    def _frame(self, page: Any, sheet: Sheet) -> None:
        totals = any(column.total for column in sheet.columns)
        last = _HEAD + len(sheet.rows) + (1 if totals else 0)
        told = {
            "name": sheet.name.replace(" ", ""),
            "style": "Table Style Light 1",
            "columns": [self._heading(sheet, number, totals) for number in range(len(sheet.columns))],
            "total_row": totals,
        }
        page.add_table(_HEAD, 0, last, len(sheet.columns) - 1, told)

    def _heading(self, sheet: Sheet, number: int, totals: bool) -> dict[str, Any]:
        column = sheet.columns[number]
        told = {"header": column.title, "header_format": self.head}
        if column.total:
            amount = math.fsum(_numbers(sheet, number))
            return {**told, "total_function": "sum", "total_value": amount, "format": self.formats[column.kind]}
        return {**told, "total_string": "Total"} if totals and number == 0 else told

    def overview(self, sheet: Overview) -> None:
        """The first sheet of a run's workbook."""
        page = self.book.add_worksheet("Overview")
        page.set_column(0, 0, _WIDEST)
        page.set_column(1, 6, 16)
        title = cell_text(sheet.title)
        page.write_string(0, 0, title, self.quoted_title if title.startswith(_FORMULA) else self.title)
        first = 2
        for row, (label, value) in enumerate(sheet.lines, start=first):
            page.write_string(row, 0, label)
            self.cell(page, (row, 1), value, "year")
        second = first + len(sheet.lines) + 1
        for row, sentence in enumerate(sheet.sentences, start=second):
            self.text(page, (row, 0), sentence)
        third = second + len(sheet.sentences) + 1
        if sheet.figures:
            self._figures(page, sheet, third)
        if sheet.years is not None:
            self._years(page, sheet, third + len(sheet.figures) + 2)

    def _figures(self, page: Any, sheet: Overview, head: int) -> None:
        """The main figures, with their headings in this row."""
        for number, column in enumerate(sheet.columns):
            page.write_string(head, number, column.title, self.head)
        for row, values in enumerate(sheet.figures, start=head + 1):
            for number, (column, value) in enumerate(zip(sheet.columns, values, strict=True)):
                self.cell(page, (row, number), value, column.kind)

    def _years(self, page: Any, sheet: Overview, row: int) -> None:
        """Money by year from this row on, in formulas over the other sheet's table, and its chart below."""
        assert sheet.years is not None  # noqa: S101 - looked by who calls
        of, columns = sheet.years.sheet, sheet.years.columns
        at = of.place("Year")
        years = sorted({int(value) for value in _numbers(of, at)})
        page.write_string(row, 0, "Year", self.head)
        for number, title in enumerate(columns, start=1):
            page.write_string(row, number, title, self.head)
        for below, year in enumerate(years, start=row + 1):
            page.write_number(below, 0, year, self.left)
            for number, title in enumerate(columns, start=1):
                place = of.place(title)
                formula = f"=SUMIFS({_span(of, place)},{_span(of, at)},$A{below + 1})"
                shown = [one[place] for one in of.rows if one[at] == year]
                amount = math.fsum(value for value in shown if isinstance(value, float | int))
                page.write_formula(below, number, formula, self.formats["money"], amount)
        chart = self._columns(sheet.years.chart)
        for number, title in enumerate(columns, start=1):
            rows = (row + 1, row + len(years))
            where = {"categories": ["Overview", rows[0], 0, rows[1], 0]}
            chart.add_series({"name": title, **where, "values": ["Overview", rows[0], number, rows[1], number]})
        page.insert_chart(row + len(years) + 2, 0, chart)

    # --- charts

    def _columns(self, title: str) -> Any:
        chart = self.book.add_chart({"type": "column"})
        known = cell_text(title)[:200]
        # A title that begins with = would be taken for a reference to a cell.
        chart.set_title({"name": f" {known}" if known.startswith(_FORMULA) else known, "name_font": {"size": 11}})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 720, "height": 300})
        return chart

    def _chart(self, sheet: Sheet, told: Chart) -> Any:
        chart = self._columns(told.title)
        rows = (_HEAD + 1 + told.first, _HEAD + 1 + told.last)
        at = sheet.place(told.over)
        for title in told.columns:
            column = sheet.place(title)
            values = [sheet.name, rows[0], column, rows[1], column]
            chart.add_series({"name": title, "categories": [sheet.name, rows[0], at, rows[1], at], "values": values})
        return chart


def _span(sheet: Sheet, column: int) -> str:
    """A column of the sheet's table, without heading and totals, for a formula of another sheet."""
    letter = xl_col_to_name(column)
    return f"'{sheet.name}'!${letter}${_HEAD + 2}:${letter}${_HEAD + 1 + len(sheet.rows)}"


def _numbers(sheet: Sheet, column: int) -> list[float]:
    values = [row[column] for row in sheet.rows]
    return [float(value) for value in values if isinstance(value, float | int) and math.isfinite(value)]


def _width(sheet: Sheet, number: int) -> int:
    column = sheet.columns[number]
    if column.kind == "words":
        return _WORDS
    longest = max(map(len, column.title.split()))
    if column.kind == "text":
        longest = max([longest, *(wide(value) for row in sheet.rows if isinstance(value := row[number], str))])
    return min(max(longest + 2, _NARROWEST + (4 if column.kind == "money" else 0)), _WIDEST)


def wide(text: str) -> int:
    """Widths of a Latin letter that a text takes: a Korean or Chinese one takes two."""
    return sum(2 if character > "\u1100" else 1 for character in text[:_WIDEST])
