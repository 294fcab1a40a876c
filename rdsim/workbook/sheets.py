"""What a sheet is, as data: a table with typed columns, or an overview of lines; and the charts beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Cell", "Chart", "Heading", "Kind", "Overview", "Share", "Sheet", "YearSums"]

Kind = Literal["text", "words", "year", "count", "number", "money", "share"]
"""What a cell holds; `words` are whole sentences, which are wrapped."""

Cell = str | float | int | None
"""None, and a number that is not finite, is an empty cell."""


class Share(float):
    """A number that is shown in per cent, in a column of others."""


@dataclass(frozen=True)
class Heading:
    """A column of a table. Its title has letters and spaces alone: formulas name it."""

    title: str
    kind: Kind
    total: bool = False
    """Whether the row of totals sums what is shown of it."""


@dataclass(frozen=True)
class Chart:
    """Columns of a table side by side, over the rows `first` to `last` of its body, counted from 0."""

    title: str
    over: str
    """Title of the column along the axis."""
    columns: Sequence[str]
    first: int
    last: int


@dataclass(frozen=True)
class Sheet:
    """A table, with a line above it that says what it shows."""

    name: str
    note: str
    columns: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    charts: Sequence[Chart] = ()

    def place(self, title: str) -> int:
        """Number of the column of this title, from 0. Raises ValueError if there is none."""
        return [column.title for column in self.columns].index(title)


@dataclass(frozen=True)
class YearSums:
    """Columns of another sheet's table, summed by its year in formulas."""

    sheet: Sheet
    columns: Sequence[str]
    chart: str
    """Title of the chart over the years."""


@dataclass(frozen=True)
class Overview:
    """The first sheet: lines of a label and a text or number, sentences, main figures, and money by year."""

    title: str
    lines: Sequence[tuple[str, Cell]]
    sentences: Sequence[str]
    columns: Sequence[Heading]
    figures: Sequence[Sequence[Cell]]
    years: YearSums | None
