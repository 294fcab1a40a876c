"""How people write numbers, and which of their ways has one meaning only; and how rdsim writes those that it found.

Plain numbers are read everywhere: ``1150.5``, ``1e3``. Thousands may be set apart by spaces or apostrophes, for these
cannot be mistaken: ``1 150.5``, ``1'150.5``. A decimal comma is read where semicolons separate the cells. ``1.234``
is refused where it may mean 1234: beside decimal commas; and so is ``1,234`` beside decimal points.

What is printed is a number or a dash: where none is known, no reader meets a ``nan`` or an ``inf``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rdsim.languages import marks

__all__ = ["NO_NUMBER", "PLAIN", "Style", "exact", "number", "number_advice", "numeral", "quantity_parts", "style_of"]

NO_NUMBER = "\N{EN DASH}"
"""Stands where a number is not known, or has no end."""

_DIGITS = r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?"
_NUMBER = re.compile(rf"[+-]?{_DIGITS}")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d{1,3})?")
_SPACED = re.compile("[+-]?\\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\\d{3})+(?:[.,]\\d+)?")
_GAPS = re.compile("[ \u00a0\u2009\u202f'\u2019]")
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_DOTTED_DECIMAL = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+")
_COMMAED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_SURE_POINT = re.compile(r"[+-]?(0|\d{4,})?\.\d+|[+-]?\d{1,3}\.(\d{1,2}|\d{4,})")
_SURE_COMMA = re.compile(r"[+-]?(0|\d{4,}),\d+|[+-]?\d{1,3},(\d{1,2}|\d{4,})|[+-]?\d{1,3}(\.\d{3})+,\d+")
_QUANTITY = re.compile(
    "(?P<number>[+\\-\u2212]?[\\d.,' \u00a0\u2009\u202f\u2019]*[\\d.](?:[eE][+-]?\\d{1,3})?)\\s*"
    "(?P<unit>[^\\W\\d_].*|[%/].*)"
)
_LONGEST = 60


@dataclass(frozen=True)
class Style:
    """How one file writes numbers: whether a comma is a decimal mark, and what may separate thousands."""

    decimal_comma: bool = False
    dots_may_group: bool = False  # 1.234 may mean 1234
    commas_may_group: bool = False  # 1,234 may mean 1234


PLAIN = Style()


def numeral(value: float | None, form: str) -> str:
    """A number as Python's format specification has it; a dash where there is none.

    >>> numeral(0.25, ".0%"), numeral(float("nan"), ".0%"), numeral(float("inf"), ",.1f")
    ('25%', '\u2013', '\u2013')
    """
    return NO_NUMBER if value is None or not math.isfinite(value) else marks(format(value, form))


def style_of(cells: Iterable[str], semicolons: bool) -> Style:
    """The style of a file's cells, by those among them that have one meaning only."""
    texts = [
        match["number"] if (match := _QUANTITY.fullmatch(cell)) else cell
        for cell in cells
        if "," in cell or (semicolons and "." in cell)
    ]
    commas = any(_SURE_COMMA.fullmatch(text) for text in texts)
    points = semicolons and any(_SURE_POINT.fullmatch(text) for text in texts)
    return Style(semicolons, commas or (semicolons and not points), points)


def number(text: str, style: Style = PLAIN) -> int | float | None:
    """The number that `text` writes, an int where it is whole, or None if it is none, or has two meanings."""
    plain = _plain(text, style)
    if plain is None:
        return None
    if plain.lstrip("+-").isdigit():
        return int(plain)
    value = float(plain)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def exact(text: str, style: Style = PLAIN) -> Fraction | None:
    """As `number`, without rounding."""
    plain = _plain(text, style)
    return None if plain is None else Fraction(plain)


def quantity_parts(text: str, style: Style = PLAIN) -> tuple[Fraction, str] | None:
    """Number and unit of a text as "1.5 years"; None if it is not a number with words, or has two meanings.

    Where words follow, nobody writes three zeros behind a decimal point: "150.000 million" may be 150,000 million.
    """
    match = _QUANTITY.fullmatch(text.strip())
    value = exact(match["number"].strip(), _wary(match["number"], style)) if match else None
    return None if match is None or value is None else (value, " ".join(match["unit"].split()))


def number_advice(text: str, style: Style = PLAIN, *, share: bool = True) -> str:
    """How to write a number that `number` or `quantity_parts` refuses, where its meaning can be guessed.

    `share`: whether a percentage is a share of 1 there; elsewhere it is the number before the sign.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match and match["unit"] == "%":
        value = exact(match["number"].strip(), style)
        return "" if value is None else _percent_advice(float(value), share)
    bare, unit = (match["number"].strip(), f" {match['unit']}") if match else (text.strip(), "")
    if len(bare) > _LONGEST:
        return ""
    return _advice(bare, unit, _wary(bare, style) if match else style)


def _percent_advice(value: float, share: bool) -> str:
    return f"Write a share as a number: {value / 100:.12g}." if share else f"Write the number alone: {value:.12g}."


def _advice(bare: str, unit: str, style: Style) -> str:
    if style.dots_may_group and _DOTTED.fullmatch(bare):
        return _two_meanings(bare, ".", unit, style)
    if _COMMAED.fullmatch(bare):
        return _two_meanings(bare, ",", unit, style)
    if _THOUSANDS.fullmatch(bare) or (_DOTTED.fullmatch(bare) and bare.count(".") > 1):
        return f"Write {bare.replace(',' if ',' in bare else '.', '')}{unit}, without a separator of thousands."
    if _DOTTED_DECIMAL.fullmatch(bare) or (_SPACED.fullmatch(bare) and "," in bare):
        return f"Write {_GAPS.sub('', bare).replace('.', '').replace(',', '.')}{unit}."
    if _DECIMAL_COMMA.fullmatch(bare):
        where = "a decimal comma is read only where semicolons separate the cells"
        return f"Write {bare.replace(',', '.')}{unit}: {where}."
    return ""


def _two_meanings(bare: str, mark: str, unit: str, style: Style) -> str:
    """Both meanings of a number with groups of three digits, each as it is written without doubt."""
    whole = f"Write {bare.replace(mark, '')}{unit} if '{mark}' separates thousands"
    if bare.count(mark) > 1:
        return f"{whole}."
    point = "," if style.decimal_comma else "."
    return f"{whole}, {bare.replace(mark, point)}0{unit} if it is the decimal mark."


def _wary(bare: str, style: Style) -> Style:
    zeros = re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.000)+", bare.strip())
    return Style(style.decimal_comma, True, style.commas_may_group) if zeros else style


def _plain(text: str, style: Style) -> str | None:
    """The number with a decimal point and nothing else in it; None if it is no number or has two meanings."""
    if len(text) > _LONGEST:
        return None
    text = text.replace("\u2212", "-")
    if _SPACED.fullmatch(text):
        text = _GAPS.sub("", text)
    elif style.dots_may_group and _DOTTED.fullmatch(text):
        return text.replace(".", "") if text.count(".") > 1 and style.decimal_comma else None
    elif style.commas_may_group and _COMMAED.fullmatch(text):
        return None
    elif style.decimal_comma and _DOTTED_DECIMAL.fullmatch(text):
        text = text.replace(".", "")
    if style.decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return text if _NUMBER.fullmatch(text) else None
