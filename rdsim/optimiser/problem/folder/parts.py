"""The parts of a problem that a folder states: values, groups, partners, stages, what is fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from rdsim.arrays import Bools, Floats
from rdsim.optimiser.problem.folder.cells import matrix, several
from rdsim.optimiser.problem.folder.form import CHOICES, FIXED
from rdsim.optimiser.problem.folder.links import links
from rdsim.optimiser.problem.folder.reader import Index, Reader
from rdsim.optimiser.problem.folder.rows import openings_and_rows
from rdsim.optimiser.problem.folder.weights import equal_times, has_weights
from rdsim.optimiser.problem.problem import Groups, PartnerNetwork, Rules

__all__ = ["parts"]


def parts(reader: Reader) -> dict[str, Any]:
    """The arguments of `state_problem`; of what is told as a fault they mean nothing."""
    values, of_group, partners = _values(reader), _group_of_options(reader), _membership(reader)
    stages = [reader.stage_of(row, place) for row, place in reader.entries("options")]
    exactly_one, fixed_groups = _choices(reader)
    opening_value, rows = openings_and_rows(reader)
    related, fixed = links(reader), _fixings(reader, "options", "option", reader.options)
    named = list(reader.stages) if reader.stages else None
    return {
        "values": values,
        "option_names": list(reader.options or {}),
        "groups": Groups(of_group, list(reader.groups or {}), exactly_one),
        "network": PartnerNetwork(partners, list(reader.partners or {}), stages, named, opening_value),
        "rows": rows,
        "rules": Rules(**related, **fixed_groups, **fixed),
    }


def _values(reader: Reader) -> Any:
    """Values (O,), or samples (N, O)."""
    listed = reader.has("options", reader.worth)
    if "samples" in reader.tables:
        if listed:
            reader.blame(("options", 1, reader.worth), "must be left out where there is a samples.csv")
        return _samples(reader)
    if not listed and "options" in reader.tables and reader.tables["options"].columns:
        reader.blame(("options", 1, reader.worth), "the column is required where there is no samples.csv")
    return [reader.value_of(row, place, None) for row, place in reader.entries("options")]


def _samples(reader: Reader) -> Floats:
    """Samples (N, O), in the order of the options."""
    table, names = reader.tables["samples"], list(reader.options or {})
    if "sample" in names:
        reader.blame(("samples", 0, ""), "no option may be called sample where there is a samples.csv")
    for name in names:
        if table.columns and name not in table.columns:
            reader.blame(("samples", 1, name), "every option must have a column", "no such column")
    if table.columns and not table.rows:
        reader.blame(("samples", 0, ""), "must hold a sample at least")
    cells = [[reader.number_in(row, place, name) for name in names] for row, place in reader.entries("samples")]
    values = np.array(cells, dtype=np.float64).reshape(len(cells), len(names))
    if cells and has_weights(reader):
        values = np.repeat(values, equal_times(reader), axis=0)
    return (-values if reader.minimise else values) + 0.0


def _group_of_options(reader: Reader) -> list[int]:
    """The group of each option."""
    groups = reader.groups or {}
    names = (row.cells.get("group", row.cells.get("option", "")) for row, _ in reader.entries("options"))
    return [groups.get(name, 0) for name in names]


def _membership(reader: Reader) -> csr_array:
    """Options x partners."""
    cells = []
    for option, (row, place) in enumerate(reader.entries("options")):
        for one in several(row.cells.get("partners", "")):
            partner = reader.find(reader.partners, (*place, "partners"), one, "a partner that partners.csv lists")
            cells += [] if partner is None else [(option, partner)]
    shape = (len(reader.options or ()), len(reader.partners or ()))
    return matrix(dict.fromkeys(cells, 1.0), shape) if not reader.faults else csr_array(shape)


def _choices(reader: Reader) -> tuple[Bools, dict[str, Any]]:
    """Whether one option of each group must be chosen, (G,), and groups fixed in or out."""
    exactly = np.full(len(reader.groups or ()), CHOICES[reader.settings.get("choice", "at most one")])
    for row, place in reader.entries("groups"):
        word = reader.word_in(row, place, "choice", CHOICES)
        group = (reader.groups or {}).get(row.cells.get("group", ""))
        if word and group is not None:
            exactly[group] = CHOICES[word]
    return exactly, _fixings(reader, "groups", "group", reader.groups)


def _fixings(reader: Reader, table: str, column: str, names: Index | None) -> dict[str, Any]:
    """What is fixed in and out of a table's rows."""
    found: dict[str, list[int]] = {word: [] for word in FIXED}
    for row, place in reader.entries(table):
        word = reader.word_in(row, place, "fixed", FIXED)
        index = (names or {}).get(row.cells.get(column, ""))
        if word and index is not None:
            found[word].append(index)
    return {f"fixed_{word}_{table}": indices for word, indices in found.items()}
