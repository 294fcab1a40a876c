"""The rows that a folder states, what passes on, capacities, and what opening is worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from rdsim.arrays import Floats
from rdsim.optimiser.problem.folder.cells import matrix
from rdsim.optimiser.problem.folder.form import SENSES
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.optimiser.problem.folder.uses import Uses
from rdsim.optimiser.problem.problem import Labels, Rows, state_rows
from rdsim.tables import TableRow, shown_value

__all__ = ["openings_and_rows"]


def openings_and_rows(reader: Reader) -> tuple[Any, Rows | None]:
    """Values of opening, and the rows with their uses by options and openings."""
    shape = (len(reader.partners or ()), max(1, len(reader.stages or ())))
    uses = Uses(reader)
    uses.read_columns()
    uses.read_lines(shape)
    worth = _read_openings(reader, uses, shape)
    stated = [_row_parts(reader, row, place) for row, place in reader.entries("rows")]
    _check_chains(reader)
    extra = _capacities(reader, uses, len(stated))
    names = [*(reader.rows or ()), *(part["name"] for part in extra)]
    if reader.faults:
        return 0.0, None
    both = [*stated, *extra]
    return worth, state_rows(
        matrix(uses.by_option, (len(names), len(reader.options or ()))),
        [part["cap"] for part in both],
        sense=[part["sense"] for part in both],
        labels=Labels(names=names, family=[part["family"] for part in both]),
        opening_use=matrix(uses.by_opening, (len(names), shape[0] * shape[1])),
        shortfall_price=[part["price"] for part in both],
        carry=_carries(reader),
    )


def _row_parts(reader: Reader, row: TableRow, place: tuple[str, int]) -> dict[str, Any]:
    """Cap, sense, family and price of a row; what it may carry on is checked here as well."""
    price = reader.number_in(row, place, "shortfall_price", math.inf)
    if price < 0:
        reader.blame((*place, "shortfall_price"), "must be 0 or more, or empty for a hard row", shown_value(price))
    sense = SENSES[reader.word_in(row, place, "sense", SENSES)]
    carries = row.cells.get("carry_to", "")
    if row.cells.get("carry_rate") and not carries:
        reader.blame((*place, "carry_rate"), "needs a carry_to")
    _check_carry(reader, row, place)
    return {
        "cap": reader.number_in(row, place, "cap"),
        "sense": sense,
        "family": row.cells.get("family", "row"),
        "price": math.nan if math.isinf(price) else price,
    }


def _check_carry(reader: Reader, row: TableRow, place: tuple[str, int]) -> None:
    """Only hard ceilings pass on, to a hard ceiling, at a rate of 0 or more."""
    target = row.cells.get("carry_to", "")
    if not target:
        return
    found = reader.find(reader.rows, (*place, "carry_to"), target, "a row")
    if reader.number_in(row, place, "carry_rate", 1.0) < 0:
        reader.blame((*place, "carry_rate"), "must be 0 or more", row.cells["carry_rate"])
    others = [one for one, _ in reader.entries("rows") if found is not None and one.cells.get("row") == target]
    for one in [row, *others[:1]]:
        soft = "shortfall_price" in one.cells
        if soft or SENSES.get(one.cells.get("sense", "").casefold(), "<=") != "<=":
            kind = "one with a shortfall_price" if soft else one.cells["sense"]
            rule = f"only 'at most' rows without a shortfall_price carry over: {one.cells.get('row', '')} is not one"
            reader.blame((*place, "carry_to"), rule, kind)


def _check_chains(reader: Reader) -> None:
    """No row is carried to twice, and nothing is carried in a circle."""
    follows = {
        row.cells.get("row", ""): row.cells["carry_to"] for row, _ in reader.entries("rows") if "carry_to" in row.cells
    }
    times = Counter(follows.values())
    for row, place in reader.entries("rows"):
        target = row.cells.get("carry_to", "")
        if times[target] > 1:
            reader.blame((*place, "carry_to"), "a row may be carried to from one row", shown_value(target))
        if target and _comes_back(follows, row.cells.get("row", "")):
            reader.blame((*place, "carry_to"), "money must not be carried in a circle", shown_value(target))


def _carries(reader: Reader) -> list[tuple[int, int, float]]:
    """(from, to, rate) of every row that carries over."""
    rows = reader.rows or {}
    return [
        (rows[row.cells["row"]], rows[row.cells["carry_to"]], reader.number_in(row, place, "carry_rate", 1.0))
        for row, place in reader.entries("rows")
        if "carry_to" in row.cells
    ]


def _capacities(reader: Reader, uses: Uses, first: int) -> list[dict[str, Any]]:
    """A row for every partner that has a capacity: the load of its options is at most that."""
    found: list[dict[str, Any]] = []
    for row, place in reader.entries("partners"):
        name = f"capacity {row.cells.get('partner', '')}"
        if "capacity" not in row.cells:
            continue
        if name in (reader.rows or {}):
            reader.blame((*place, "capacity"), "its row must not be in rows.csv as well", shown_value(name))
        cap = reader.number_in(row, place, "capacity")
        if cap < 0:
            reader.blame((*place, "capacity"), "must be at least 0", f"{cap:g}")
        uses.read_loads(row.cells.get("partner", ""), first + len(found))
        found.append({"name": name, "cap": cap, "sense": "<=", "family": "capacity", "price": math.nan})
    if reader.has("options", "load") and not found:
        reader.blame(("options", 1, "load"), "needs a capacity in partners.csv")
    return found


def _read_openings(reader: Reader, uses: Uses, shape: tuple[int, int]) -> Floats:
    """What opening each partner at each stage is worth (P, S); uses of rows go into `uses`."""
    worth = np.zeros(shape)
    seen: set[tuple[int, int]] = set()
    for name in ("partners", "openings"):
        filled = {reader.worth, *reader.row_columns(name)}
        for row, place in reader.entries(name):
            partner = reader.find(reader.partners, (*place, "partner"), row.cells.get("partner", ""), "a partner")
            if partner is None or not filled & row.cells.keys():
                continue
            stages = range(shape[1]) if name == "partners" else [reader.stage_of(row, place)]
            for stage in stages:
                if (partner, stage) in seen:
                    reader.blame((*place, "partner"), "what opening it is worth and uses must be stated once")
                    break
                seen.add((partner, stage))
                worth[partner, stage] = reader.value_of(row, place)
                uses.read_opening(row, place, partner * shape[1] + stage)
    return worth


def _comes_back(follows: Mapping[str, str], first: str) -> bool:
    """True if following the carries from a row leads to it again."""
    row = first
    for _ in follows:
        row = follows.get(row, "")
        if row == first:
            return True
    return False
