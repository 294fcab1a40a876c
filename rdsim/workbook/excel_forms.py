"""The file of a scenario's workbook: forms as XlsxWriter writes them, with notes, offered names, limits and checks.

Texts are written as `rdsim.workbook.excel` writes them: never as formulas. Numbers have all their digits, so that the
scenario comes back as it was. The same scenario makes the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from rdsim.scenario.book import CHECKS, COVER, SETTINGS_SHEET
from rdsim.scenario.shapes import Shape, words
from rdsim.spreadsheets import letter
from rdsim.workbook.checks import SelfCheck, YearMoney, checks_of, year_money
from rdsim.workbook.excel import MADE, OPTIONS, Pen, wide
from rdsim.workbook.forms import Allowed, Cell, Form, Forms

__all__ = ["Cover", "forms_bytes"]

_NARROW, _BROAD = 9, 44
_WIDTHS = {"Setting": 52, "Value": 30, "Unit": 14, "Default": 16, "Kind": 13, "Limits": 30, "What it is": 70}
_SIZE = {"x_scale": 2.2, "y_scale": 1.3}
_LISTED = 255
"""Characters of words that Excel offers without a range."""


class _Exact(float):
    """A number with all its digits: XlsxWriter writes sixteen, and some numbers need seventeen to come back."""

    def __format__(self, form: str) -> str:
        return repr(float(self))


@dataclass(frozen=True)
class Cover:
    """The first sheet: a title, lines of a label and a text, and sentences."""

    title: str
    lines: Sequence[tuple[str, str]]
    sentences: Sequence[str]


def forms_bytes(forms: Forms, cover: Cover) -> bytes:
    """The workbook's file: the cover, the checks, then the forms; the cover is shown when it is opened."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"created": MADE, "author": "rdsim"})
        writer = _Writer(book)
        writer.cover(cover, checks := checks_of(forms))
        writer.checks(checks, year_money(forms), forms.settings)
        for form in forms.every:
            writer.form(form)
    return file.getvalue()


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.pen = Pen(book)
        self.found = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})
        self.input = book.add_format({"bg_color": "#FFF9E5"})
        self.quoted_input = book.add_format({"bg_color": "#FFF9E5", "quote_prefix": True})

    # --- the first sheets

    def cover(self, cover: Cover, checks: Sequence[SelfCheck]) -> None:
        page = self.book.add_worksheet(COVER)
        page.set_column(0, 0, 30)
        page.set_column(1, 1, 90)
        self.pen.text(page, (0, 0), cover.title)
        page.set_row(0, 22, self.pen.title)
        for row, (label, text) in enumerate(cover.lines, start=2):
            page.write_string(row, 0, label)
            self.pen.text(page, (row, 1), text, "words")
        row = 2 + len(cover.lines)
        page.write_string(row, 0, "Checks that found something")
        total = f"=COUNTIF('{CHECKS}'!$C$2:$C${len(checks) + 1},\">0\")"
        page.write_formula(row, 1, total, self.pen.left, sum(one.value > 0 for one in checks))
        page.conditional_format(row, 1, row, 1, self._above_zero())
        for below, sentence in enumerate(cover.sentences, start=row + 2):
            page.write_string(below, 0, sentence)

    def _above_zero(self) -> dict[str, Any]:
        return {"type": "cell", "criteria": ">", "value": 0, "format": self.found}

    def checks(self, checks: Sequence[SelfCheck], sums: Sequence[YearMoney], settings: Form) -> None:
        page = self.book.add_worksheet(CHECKS)
        page.set_column(0, 0, 30)
        page.set_column(1, 1, 48)
        page.set_column(2, 2, _NARROW)
        page.set_column(3, 3, 70)
        for column, title in enumerate(("Sheet", "What is counted", "Found", "What to do")):
            page.write_string(0, column, title, self.pen.head)
        for row, check in enumerate(checks, start=1):
            page.write_string(row, 0, check.sheet)
            page.write_string(row, 1, check.what)
            page.write_formula(row, 2, check.formula, self.pen.formats["count"], check.value)
            page.write_string(row, 3, check.advice)
        page.conditional_format(1, 2, len(checks), 2, self._above_zero())
        page.autofilter(0, 0, len(checks), 3)
        page.freeze_panes(1, 0)
        row = len(checks) + 2
        for one in sums:
            self._sums(page, row, one, settings)
            row += len(one.rows) + 4

    def _sums(self, page: Any, first: int, told: YearMoney, settings: Form) -> None:
        """A setting by programme and year from this row on, in formulas over the settings, with totals."""
        page.write_string(first, 0, told.title, self.pen.head)
        for column, year in enumerate(told.years, start=1):
            page.write_number(first, column, year, self.pen.head)
        last, kind = len(told.years), self.pen.formats["number"]
        page.write_string(first, last + 1, "Total", self.pen.head)
        of = settings.span("Setting"), settings.span("Value")
        for row, (path, values) in enumerate(told.rows.items(), start=first + 1):
            page.write_string(row, 0, path)
            for column, value in enumerate(values, start=1):
                sought = f'$A{row + 1}&".{told.key}."&{letter(column)}${first + 1}'
                page.write_formula(row, column, f"=SUMIF({of[0]},{sought},{of[1]})", kind, value)
            across = f"=SUM(B{row + 1}:{letter(last)}{row + 1})"
            page.write_formula(row, last + 1, across, kind, sum(values))
        below = first + len(told.rows) + 1
        page.write_string(below, 0, "Total")
        columns = [*zip(*told.rows.values(), strict=True)]
        totals = [*(sum(one) for one in columns), sum(map(sum, told.rows.values()))]
        for column, total in enumerate(totals, start=1):
            down = f"=SUM({letter(column)}{first + 2}:{letter(column)}{below})"
            page.write_formula(below, column, down, kind, total)

    # --- forms

    def form(self, form: Form) -> None:
        page = self.book.add_worksheet(form.name)
        for column, head in enumerate(form.heads):
            page.write_string(0, column, head.title, self.pen.head)
            if head.note:
                page.write_comment(0, column, head.note, _SIZE)
            page.set_column(column, column, _WIDTHS.get(head.title) or _width(form, column))
        for row, cells in enumerate(form.rows, start=1):
            for column, value in enumerate(cells):
                is_input = form.name == SETTINGS_SHEET and column == form.place("Value")
                self._cell(page, (row, column), value, is_input)
        for one in form.allowed:
            page.data_validation(one.first, one.column, one.last, one.column, _validation(one))
        page.freeze_panes(1, 1)
        page.autofilter(0, 0, max(1, len(form.rows)), len(form.heads) - 1)

    def _cell(self, page: Any, place: tuple[int, int], value: Cell, is_input: bool) -> None:
        style = self.input if is_input else None
        if isinstance(value, bool):
            page.write_boolean(*place, value, style)
        elif isinstance(value, str):
            self.pen.text(page, place, value, styles=(style, self.quoted_input) if is_input else None)
        elif value is not None:
            page.write_number(*place, _Exact(value), style)
        elif is_input:
            page.write_blank(*place, None, style)


def _validation(one: Allowed) -> dict[str, Any]:
    """What Excel offers for cells, and warns of: a quantity with its unit is not a number for it, and is allowed."""
    told: dict[str, Any] = {"error_type": "warning", "error_title": "rdsim", "error_message": _warning(one.shape)}
    listed = ("TRUE", "FALSE") if one.shape.kind == "flag" else one.shape.choices
    if one.names:
        return {**told, "validate": "list", "source": f"={one.names}"}
    if listed and len(",".join(listed)) <= _LISTED:
        return {**told, "validate": "list", "source": list(listed)}
    return {**told, **_number_rule(one.shape)}


def _number_rule(shape: Shape) -> dict[str, Any]:
    kind = {"number": "decimal", "whole": "integer"}.get(shape.kind, "any")
    low, high = shape.lower, shape.upper
    if kind == "any" or (low is None and high is None):
        return {"validate": "any"}
    if low and high:
        return {"validate": kind, "criteria": "between", "minimum": low[0], "maximum": high[0]}
    if low:
        return {"validate": kind, "criteria": ">=" if low[1] else ">", "value": low[0]}
    assert high is not None  # noqa: S101 - one of the two is there
    return {"validate": kind, "criteria": "<=" if high[1] else "<", "value": high[0]}


def _warning(shape: Shape) -> str:
    text = f"Must be {words(shape)}."
    return text if len(text) <= _LISTED else "See the note on the heading."


def _width(form: Form, column: int) -> int:
    texts = (str(row[column]) for row in form.rows if row[column] is not None)
    longest = max([wide(form.heads[column].title), *map(wide, texts)])
    return min(max(longest + 3, _NARROW), _BROAD)
