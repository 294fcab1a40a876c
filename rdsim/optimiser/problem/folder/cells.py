"""Cells that hold several names, and arrays from cells."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import coo_array, csr_array

from rdsim.optimiser.problem.folder.reader import Cells, Index

__all__ = ["in_order", "matrix", "several"]


def several(text: str) -> list[str]:
    """The names of a cell, with | between them."""
    return [one.strip() for one in text.split("|")] if text else []


def in_order(names: Iterable[str]) -> Index:
    """Places by name, in the order in which each first comes."""
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def matrix(cells: Cells, shape: tuple[int, int]) -> csr_array:
    """A matrix of a shape from its cells."""
    keys = np.array(list(cells), dtype=np.int64).reshape(-1, 2)
    return csr_array(
        coo_array((np.array(list(cells.values()), dtype=np.float64), (keys[:, 0], keys[:, 1])), shape=shape)
    )
