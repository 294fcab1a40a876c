"""What was read of a folder so far, and its cells: names, numbers, words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdsim.errors import Fault
from rdsim.numerals import number, number_advice
from rdsim.optimiser.problem.folder.form import AIMS, COLUMNS, RiskTerms
from rdsim.tables import CsvTable, TableRow, did_you_mean, shown_value

__all__ = ["Cells", "Index", "Reader"]


Index = dict[str, int]
Cells = dict[tuple[int, int], float]


@dataclass
class Reader:
    """What was read so far. An index of names is None where its table is broken: what refers to it is not blamed."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    risk: RiskTerms | None = None
    tables: dict[str, CsvTable] = field(default_factory=dict)
    options: Index | None = None
    rows: Index | None = None
    groups: Index | None = None
    partners: Index | None = None
    stages: Index | None = None

    @property
    def minimise(self) -> bool:
        """True if costs are made small."""
        return AIMS.get(self.settings.get("sense", "max"), False)

    @property
    def worth(self) -> str:
        """The column of the objective."""
        return "cost" if self.minimise else "value"

    def blame(self, place: tuple[str, int, str], rule: str, found: str = "", advice: str = "") -> None:
        """One more fault of a cell: (table, row, column); no row, no column where they are 0 or empty."""
        table, row, column = place
        where = [f"{table}.csv", *([f"row {row}"] if row else []), *([f"column {column}"] if column else [])]
        self.faults.append(Fault(", ".join(where), rule, found, advice))

    def entries(self, name: str) -> Iterator[tuple[TableRow, tuple[str, int]]]:
        """The rows of a table with their place, none if it is not there."""
        table = self.tables.get(name)
        for row in table.rows if table else ():
            yield row, (name, row.number)

    def has(self, table: str, column: str) -> bool:
        """True if the table has that column."""
        return table in self.tables and column in self.tables[table].columns

    def row_columns(self, name: str) -> list[str]:
        """The columns of a wide table that bear the name of a row."""
        own = {self.worth if column == "value" else column for column in COLUMNS[name]}
        columns = self.tables[name].columns if name in self.tables else ()
        return [column for column in columns if column in (self.rows or {}) and column not in own]

    def find(self, names: Index | None, place: tuple[str, int, str], text: str, what: str) -> int | None:
        """The index of a name; None, and a fault, if there is none."""
        if names is None:
            return None
        if text in names:
            return names[text]
        self.blame(
            place, f"must name {what}", shown_value(text) if text else "an empty cell", did_you_mean(text, names)
        )
        return None

    def number_in(self, row: TableRow, place: tuple[str, int], column: str, default: float | None = None) -> float:
        """A finite number; the default where the cell is empty, a fault if there is none."""
        text = row.cells.get(column, "")
        if not text:
            if default is None and self.has(place[0], column):
                self.blame((*place, column), "must be a number", "an empty cell")
            return math.nan if default is None else default
        style = self.tables[place[0]].style
        value = number(text, style)
        if value is None or not math.isfinite(value):
            self.blame((*place, column), "must be a finite number", shown_value(text), number_advice(text, style))
            return math.nan
        return float(value)

    def word_in(self, row: TableRow, place: tuple[str, int], column: str, words: Iterable[str]) -> str:
        """One of a few words, or nothing."""
        text = row.cells.get(column, "").casefold()
        if not text or text in words:
            return text
        known = ", ".join(word for word in words if word)
        self.blame(
            (*place, column), f"must be one of {known}", shown_value(row.cells[column]), did_you_mean(text, words)
        )
        return ""

    def value_of(self, row: TableRow, place: tuple[str, int], default: float | None = 0.0) -> float:
        """What a row is worth, in rdsim's sign."""
        value = self.number_in(row, place, self.worth, default)
        return (-value if self.minimise else value) + 0.0

    def stage_of(self, row: TableRow, place: tuple[str, int]) -> int:
        """The stage of a row; where there is but one, it need not be named."""
        text = row.cells.get("stage", "")
        if self.stages is None or (not text and len(self.stages) <= 1):
            return 0
        return self.find(self.stages, (*place, "stage"), text, "a stage") or 0
