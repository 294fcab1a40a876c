"""Rows whose use is known sample by sample: sampled_uses.csv, and how they hold, in rows.csv."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from rdsim.optimiser.problem.folder.form import HOLDS, SENSES, SampledUse
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.optimiser.problem.folder.weights import equal_times, has_weights
from rdsim.tables import TableRow

__all__ = ["sampled_uses"]

_LEVEL = 0.9


def sampled_uses(reader: Reader) -> tuple[SampledUse, ...]:
    """The rows, in the order of rows.csv; faults are told."""
    lines = _lines(reader)
    samples = reader.tables["samples"].rows if "samples" in reader.tables else None
    times = equal_times(reader) if samples and has_weights(reader) else None
    found = []
    for row, place in reader.entries("rows"):
        index = (reader.rows or {}).get(row.cells.get("row", ""))
        if index is None or index not in lines:
            for column in ("holds", "level"):
                if column in row.cells:
                    reader.blame((*place, column), "needs the row's use in sampled_uses.csv", "no line of it there")
            continue
        holds, level = _how_it_holds(reader, row, place)
        if samples is not None and len(lines[index]) != len(samples):
            rule = f"must have a line of {row.cells['row']} for each of the {len(samples):,} samples"
            reader.blame(("sampled_uses", 0, "row"), rule, f"{len(lines[index]):,}")
            continue
        use = np.array(lines[index], dtype=np.float64)
        found.append(SampledUse(index, use if times is None else np.repeat(use, times, axis=0), holds, level))
    return tuple(found)


def _how_it_holds(reader: Reader, row: TableRow, place: tuple[str, int]) -> tuple[str, float]:
    """How a row of sampled use holds, by default always; and the share of the samples in which it does."""
    holds = reader.word_in(row, place, "holds", HOLDS) or "always"
    level = reader.number_in(row, place, "level", _LEVEL)
    if "level" in row.cells and (holds != "quantile" or not 0 < level <= 1):
        rule = "must be a share above 0, at most 1, of a row that holds by quantile"
        reader.blame((*place, "level"), rule, row.cells["level"])
    if SENSES.get(row.cells.get("sense", "").casefold(), "<=") != "<=":
        reader.blame((*place, "sense"), "must be at most, of a row whose use is sampled", row.cells["sense"])
    return holds, level if math.isfinite(level) else _LEVEL


def _lines(reader: Reader) -> dict[int, list[list[float]]]:
    """Uses by row, sample by sample."""
    names, found = list(reader.options or {}), defaultdict[int, list[list[float]]](list)
    if "sampled_uses" in reader.tables and "row" in names:
        reader.blame(("sampled_uses", 0, ""), "no option may be called row where there is a sampled_uses.csv")
    for row, place in reader.entries("sampled_uses"):
        index = reader.find(reader.rows, (*place, "row"), row.cells.get("row", ""), "a row")
        uses = [reader.number_in(row, place, name, 0.0) for name in names]
        if index is not None:
            found[index].append(uses)
    return found
