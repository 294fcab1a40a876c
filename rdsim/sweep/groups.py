"""Levels of a factor in groups: by level if there are few, else by equally full bins of a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["BINS", "bin_rows", "cell_rows", "middle"]

BINS, _FEWEST, _CELLS = 8, 5, 5
"""Bins of a response curve, points in a bin at least, and bins each way of an interaction."""


def bin_rows(levels: pd.Series, most: int = BINS) -> Iterator[tuple[str, pd.Index]]:
    """Groups of a column's rows in order: by level if there are few, else by equally full bins of a number."""
    groups: dict[str, list[Any]] = {}
    for row, label in _with_labels(levels, most):
        groups.setdefault(label, []).append(row)
    for label, rows in groups.items():
        yield label, pd.Index(rows)


def _with_labels(levels: pd.Series, most: int) -> Iterator[tuple[Any, str]]:
    """(row, label of its group), groups in order; rows without a level are left out."""
    known = levels.dropna()
    if not pd.api.types.is_numeric_dtype(known):
        for value in dict.fromkeys(known):
            yield from ((row, str(value)) for row in known.index[known == value])
        return
    distinct = np.unique(known.to_numpy())
    ordered = known.sort_values(kind="stable")
    if len(distinct) <= most:
        yield from ((row, f"{value:.4g}") for row, value in ordered.items())
        return
    parts = np.array_split(np.arange(len(ordered)), max(2, min(most, len(ordered) // _FEWEST)))
    for part in parts:
        some = ordered.iloc[part]
        label = f"{some.iloc[0]:.3g} to {some.iloc[-1]:.3g}"
        yield from ((row, label) for row in some.index)


def cell_rows(levels: pd.Series) -> Iterator[tuple[Any, str]]:
    """As `_with_labels`, for one side of a map: a cell for each level if there are few."""
    return _with_labels(levels, BINS if levels.nunique() <= BINS else _CELLS)


def middle(levels: pd.Series) -> float:
    """The mean of levels that are numbers, their place on an axis; NaN of others, which have none."""
    return float(levels.mean()) if pd.api.types.is_numeric_dtype(levels) else float("nan")
