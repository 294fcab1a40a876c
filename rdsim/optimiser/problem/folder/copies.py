"""Options that may be chosen several times: each time is an option of its own, a copy.

``most`` in options.csv says how many times at most; an option without it is chosen once. The copies of ``boat`` are
called ``boat``, ``boat #2``, ``boat #3``, ...: what the tables say of ``boat`` holds for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rdsim.numerals import number
from rdsim.optimiser.problem.folder.cells import several
from rdsim.optimiser.problem.folder.form import BY_SAMPLE
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.tables import CsvTable, TableRow, shown_value

__all__ = ["copy_names", "with_copies"]

MOST = 10_000
"""Copies of an option."""


def with_copies(reader: Reader) -> None:
    """Write out copies in every table that speaks of their option; faults are told where they stand."""
    table = reader.tables.get("options")
    if table is None or "most" not in table.columns:
        return
    times = dict(_times(reader, table))
    if not times:
        return
    _refuse_links(reader, times)
    reader.tables["options"] = replace(table, rows=tuple(_of_options(table, times)))
    if (uses := reader.tables.get("uses")) is not None:
        reader.tables["uses"] = replace(uses, rows=tuple(_of_uses(uses, times)))
    for name in BY_SAMPLE:
        if (samples := reader.tables.get(name)) is not None:
            reader.tables[name] = _of_samples(samples, times)


def copy_names(option: str, times: int) -> list[str]:
    """The names of an option and its copies."""
    return [option, *(f"{option} #{number}" for number in range(2, times + 1))]


def _times(reader: Reader, table: CsvTable) -> Iterator[tuple[str, int]]:
    """Options that may be chosen more than once, and how many times."""
    for row in table.rows:
        place, text = ("options", row.number), row.cells.get("most", "")
        if not text:
            continue
        most = number(text, table.style)
        if most is None or most != int(most) or not 1 <= most <= MOST:
            reader.blame((*place, "most"), f"must be a whole number from 1 to {MOST:,}", shown_value(text))
            continue
        option = row.cells.get("option", "")
        if most > 1 and option:
            for column in ("group", "fixed"):
                if row.cells.get(column, option if column == "group" else "") not in ("", option):
                    rule = "must be empty of an option that may be chosen several times"
                    reader.blame((*place, column), rule, shown_value(row.cells[column]))
            yield option, int(most)


def _refuse_links(reader: Reader, times: Mapping[str, int]) -> None:
    """A link would be with one of the copies only."""
    for row, place in reader.entries("links"):
        for column in ("group", "with"):
            for name in several(row.cells.get(column, "")):
                if name in times:
                    rule = "must not name an option that may be chosen several times"
                    reader.blame((*place, column), rule, shown_value(name))


def _of_options(table: CsvTable, times: Mapping[str, int]) -> Iterator[TableRow]:
    for row in table.rows:
        option = row.cells.get("option", "")
        for name in copy_names(option, times.get(option, 1)):
            named = {"option": name, **({"group": name} if row.cells.get("group") else {})}
            yield row if name == option else replace(row, cells={**row.cells, **named})


def _of_uses(table: CsvTable, times: Mapping[str, int]) -> Iterator[TableRow]:
    for row in table.rows:
        option = row.cells.get("option", "")
        for name in copy_names(option, times.get(option, 1)):
            yield row if name == option else replace(row, cells={**row.cells, "option": name})


def _of_samples(table: CsvTable, times: Mapping[str, int]) -> CsvTable:
    columns = [(name, column) for column in table.columns for name in copy_names(column, times.get(column, 1))]
    rows = (
        replace(row, cells={name: row.cells[column] for name, column in columns if column in row.cells})
        for row in table.rows
    )
    return replace(table, columns=tuple(name for name, _ in columns), rows=tuple(rows))
