"""Tables of a study as sheets: a sheet each, with headings in words and filters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from rdsim.workbook.sheets import Cell, Heading, Kind, Sheet

__all__ = ["table_sheets"]

_LONGEST = 31
"""Characters of a sheet's name in Excel."""


def table_sheets(tables: Mapping[str, pd.DataFrame], note: str) -> list[Sheet]:
    """A sheet for each table, in their order; `note` stands above every one of them."""
    return [_sheet(name, table, note) for name, table in tables.items()]


def _sheet(name: str, table: pd.DataFrame, note: str) -> Sheet:
    headings = [Heading(_words(str(column)), _kind(table[column])) for column in table.columns]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False, name=None)]
    return Sheet(_words(name)[:_LONGEST], note, headings, rows)


def _words(name: str) -> str:
    """`regrets_in_short` as `Regrets in short`."""
    text = name.replace("_", " ").replace("-", " ")
    return text[:1].upper() + text[1:]


def _kind(column: pd.Series) -> Kind:
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return "text"
    return "count" if pd.api.types.is_integer_dtype(column) else "number"


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    return None if math.isnan(number) else number
