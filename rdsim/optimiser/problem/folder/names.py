"""What has a name in a folder, in which order, and which columns may bear such a name."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable

from rdsim.errors import Fault
from rdsim.numerals import number
from rdsim.optimiser.problem.folder.cells import in_order, several
from rdsim.optimiser.problem.folder.form import BY_SAMPLE, COLUMNS, REQUIRED, SETTINGS, WIDE, name_rule
from rdsim.optimiser.problem.folder.reader import Index, Reader
from rdsim.tables import did_you_mean, shown_value, with_known_headings

__all__ = ["name_everything"]


def name_everything(reader: Reader) -> None:
    """Indices of everything that has a name, then the columns, which may bear some of them."""
    _head(reader, "rows", ())
    reader.rows = _index_of(reader, "rows", "row") if "rows" in reader.tables else {}
    for name in COLUMNS:
        if name not in BY_SAMPLE:
            _head(reader, name, reader.rows or () if name in WIDE else ())
    reader.options = _index_of(reader, "options", "option")
    reader.partners = _partner_index(reader)
    reader.groups = _group_index(reader)
    reader.stages = _stage_index(reader)
    for name in COLUMNS:
        _check_columns(reader, name)
    _check_row_names(reader)


def _head(reader: Reader, name: str, own: Collection[str]) -> None:
    """A table's headings as they are known; those that bear the name of a row mean that row."""
    if name in reader.tables:
        known = [reader.worth if column == "value" else column for column in COLUMNS[name]]
        reader.tables[name] = with_known_headings(reader.tables[name], known, own)


def _index_of(reader: Reader, name: str, column: str) -> Index | None:
    """Places by name, from a column in which each name occurs once; None if there is no such column."""
    if not reader.has(name, column):
        return None
    found: Index = {}
    first: dict[str, int] = {}
    for row, place in reader.entries(name):
        text = row.cells.get(column, "")
        rule = name_rule(text)
        if rule:
            reader.blame((*place, column), rule, shown_value(text) if text else "an empty cell")
        elif text in found:
            reader.blame((*place, column), "must be unique", f"{shown_value(text)}, as in row {first[text]}")
        else:
            found[text], first[text] = len(found), row.number
    return found


def _partner_index(reader: Reader) -> Index | None:
    """partners.csv if it is there, else partners as options name them."""
    if "partners" not in reader.tables:
        named = (one for row, _ in reader.entries("options") for one in several(row.cells.get("partners", "")))
        return in_order(named)
    listed = _index_of(reader, "partners", "partner")
    for row, place in reader.entries("partners"):
        if "|" in row.cells.get("partner", ""):
            reader.blame(
                (*place, "partner"), "the name of a partner must not hold |", shown_value(row.cells["partner"])
            )
    return listed


def _group_index(reader: Reader) -> Index | None:
    """groups.csv first if it is there, then groups as options name them, themselves included."""
    listed = _index_of(reader, "groups", "group") if "groups" in reader.tables else {}
    if listed is None or reader.options is None:
        return None
    own = {row.cells.get("option", "") for row, _ in reader.entries("options") if "group" not in row.cells}
    for row, place in reader.entries("options"):
        text = row.cells.get("group", "")
        if text and listed and text not in listed:
            advice = did_you_mean(text, listed)
            reader.blame((*place, "group"), "must be a group that groups.csv lists", shown_value(text), advice)
        if text in own:
            rule = "must not be the name of an option without a group, which is a group of its own"
            reader.blame((*place, "group"), rule, shown_value(text))
    named = (row.cells.get("group", row.cells.get("option", "")) for row, _ in reader.entries("options"))
    return in_order(itertools.chain(listed, (name for name in named if name)))


def _stage_index(reader: Reader) -> Index | None:
    """Stages in order of time: as problem.toml lists them, or by number."""
    if "stages" in reader.settings:
        return in_order(reader.settings["stages"])
    tables = ("options", "openings", "uses")
    cells = (row.cells for table in tables for row, _ in reader.entries(table))
    named = [one["stage"] for one in cells if "stage" in one]
    order = {name: number(name) for name in named}
    if len(order) > 1 and None in order.values():
        words = ", ".join(list(order)[:5])
        advice = 'Write e.g. stages = ["early", "late"] in problem.toml.'
        reader.faults.append(Fault(SETTINGS, "must list stages that are not numbers in order of time", words, advice))
        return None
    return in_order(sorted(order, key=lambda name: (order[name] or 0, name)))


def _check_columns(reader: Reader, name: str) -> None:
    """Unknown columns, and required ones that are missing."""
    table = reader.tables.get(name)
    if table is None or not table.columns:
        return
    known = [reader.worth if column == "value" else column for column in COLUMNS[name]]
    names = reader.options if name in BY_SAMPLE else reader.rows
    more = tuple(names or ()) if name in (*WIDE, *BY_SAMPLE) else ()
    open_ended = names is None and name in (*WIDE, *BY_SAMPLE)
    for column in table.columns:
        if column and column not in known and column not in more and not open_ended:
            reader.blame((name, 1, column), "unknown column", "", _advise(reader, column, (*known, *more)))
    for column in REQUIRED[name]:
        if column not in table.columns:
            reader.blame((name, 1, column), "the column is required", "no such column")


def _advise(reader: Reader, column: str, known: Iterable[str]) -> str:
    """What an unknown column may have meant."""
    if column in {"value", "cost"}:
        sense, other = ("minimise", "cost") if reader.minimise else ("maximise", "value")
        return f"With sense {sense} the column is called {other}, and has the other sign."
    return did_you_mean(column, known)


def _check_row_names(reader: Reader) -> None:
    """A row that is called as a column of options.csv cannot have its use there."""
    stated = {row.cells.get("row", "") for row, _ in reader.entries("uses")}
    own = {reader.worth if column == "value" else column for column in COLUMNS["options"]}
    for row, place in reader.entries("rows"):
        text = row.cells.get("row", "")
        if text in own and text not in stated and reader.has("options", text):
            rule = "is the name of a column with another meaning in options.csv"
            reader.blame((*place, "row"), rule, shown_value(text), "Rename the row, or state its use in uses.csv.")
