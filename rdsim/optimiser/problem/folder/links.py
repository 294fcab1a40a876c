"""Links between groups: what needs, excludes or strengthens what."""

from __future__ import annotations

from typing import Any

from rdsim.optimiser.problem.folder.cells import several
from rdsim.optimiser.problem.folder.form import LINKS
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.tables import TableRow, shown_value

__all__ = ["links"]


def links(reader: Reader) -> dict[str, Any]:
    """Prerequisites, exclusions and synergies."""
    needs: list[tuple[int, int]] = []
    exclusions: list[tuple[int, ...]] = []
    synergies: list[tuple[int, int, float]] = []
    for row, place in reader.entries("links"):
        group, others, word = _link(reader, row, place)
        if group is None:
            continue
        if word == "needs":
            needs += [(group, other) for other in others]
        elif word == "excludes":
            exclusions += [(group, other) for other in others]
        elif word == "at most one":
            exclusions.append((group, *others))
        else:
            if not reader.has("links", reader.worth):
                reader.blame((*place, reader.worth), "a synergy must have one", "no such column")
            worth = reader.value_of(row, place, None)
            synergies += [(group, other, worth) for other in others]
    return {"prerequisites": needs, "exclusions": exclusions, "synergies": synergies}


def _link(reader: Reader, row: TableRow, place: tuple[str, int]) -> tuple[int | None, list[int], str]:
    """(group, the groups it is linked with, link) of a row; group None where something is wrong."""
    before = len(reader.faults)
    word = reader.word_in(row, place, "link", LINKS)
    if "link" not in row.cells:
        reader.blame((*place, "link"), f"must be one of {', '.join(LINKS)}", "an empty cell")
    group = reader.find(reader.groups, (*place, "group"), row.cells.get("group", ""), "a group")
    others = _link_groups(reader, row, place, may_be_empty=word == "at most one")
    if group in others or len(set(others)) < len(others):
        reader.blame((*place, "with"), "must name other groups, each once", shown_value(row.cells["with"]))
    if word and word != "synergy" and reader.worth in row.cells:
        reader.blame((*place, reader.worth), "only a synergy has one", shown_value(row.cells[reader.worth]))
    return (None if len(reader.faults) > before else group), others, word


def _link_groups(reader: Reader, row: TableRow, place: tuple[str, int], *, may_be_empty: bool) -> list[int]:
    """The groups in `with`: one name, or several with | between them."""
    text = row.cells.get("with", "")
    names = [text] if text in (reader.groups or ()) or not text else several(text)
    if not text and may_be_empty:
        return []
    found = [reader.find(reader.groups, (*place, "with"), name, "a group") for name in names]
    return [one for one in found if one is not None]
