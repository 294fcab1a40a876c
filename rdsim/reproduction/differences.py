"""What differs between what should be and what is: values of documents, and tables row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.errors import Fault

__all__ = ["TABLE_RULE", "csv_faults", "document_faults", "read_csv", "table_faults"]

TABLE_RULE = "must be a table that can be read"

CLOSE = 1e-9
"""Relative difference of numbers that are recomputed by another sum."""

_MOST = 5
"""Cells of a column that are told one by one."""


def document_faults(where: str, expected: object, found: object) -> Iterator[Fault]:
    """Each value that is not what it should be, with its place; numbers may differ in their last bits."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in dict.fromkeys([*map(str, expected), *map(str, found)]):
            yield from document_faults(f"{where}, {name}", expected.get(name), found.get(name))
    elif _is_list(expected) and _is_list(found) and len(expected) == len(found):  # type: ignore[arg-type]
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):  # type: ignore[call-overload]
            yield from document_faults(f"{where}, {place}", one, other)
    elif not _is_same(expected, found):
        yield Fault(where, f"must be {_words(expected)}", _words(found))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_same(one: Any, other: Any) -> bool:
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in (one, other)):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, float) and other is None:
        return not math.isfinite(one)
    return bool(one == other)


def _words(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, float | str) else str(value)


def table_faults(
    where: str, expected: pd.DataFrame, found: pd.DataFrame, rows: Sequence[int] | None = None, *, exact: bool = True
) -> Iterator[Fault]:
    """Each cell that is not what it should be, with row and column; of a column the first few, and how many more.

    `rows` are the numbers that the rows of `found` have in their file, counted from 1; by default from 1 on. Numbers
    must be the same bit for bit unless not `exact`.
    """
    if list(expected) == list(found) and expected.equals(found):
        return  # as nearly always, and soon told
    for name in expected.columns.difference(found.columns):
        yield Fault(f"{where}, column {name}", "must be there", "nothing")
    for name in found.columns.difference(expected.columns):
        yield Fault(f"{where}, column {name}", "must not be there", "a column")
    if len(expected) != len(found):
        yield Fault(where, f"must have {len(expected):,} of these rows", f"{len(found):,}")
        return
    numbers = range(1, len(found) + 1) if rows is None else rows
    for name in [name for name in expected.columns if name in found.columns]:
        ours, theirs = expected[name], found[name]
        wrong = np.flatnonzero(~_alike(ours, theirs, exact))
        for place in wrong[:_MOST].tolist():
            place_words = f"{where}, row {numbers[place]:,}, column {name}"
            yield Fault(place_words, f"must be {_cell(ours.iloc[place])}", _cell(theirs.iloc[place]))
        if len(wrong) > _MOST:
            yield Fault(
                f"{where}, column {name}", "must be as it comes out again", f"{len(wrong):,} cells that are not"
            )


def _alike(ours: pd.Series[Any], theirs: pd.Series[Any], exact: bool) -> npt.NDArray[np.bool_]:
    if all(pd.api.types.is_numeric_dtype(one) for one in (ours, theirs)):
        one, other = (column.to_numpy(np.float64, na_value=np.nan) for column in (ours, theirs))
        same = one == other if exact else np.isclose(one, other, rtol=CLOSE, atol=1e-12)
        return np.asarray(same | (np.isnan(one) & np.isnan(other)))
    texts = [column.astype(object).where(column.notna(), "").astype(str).to_numpy() for column in (ours, theirs)]
    return np.asarray(texts[0] == texts[1])


def _cell(value: object) -> str:
    return "nothing" if value is None or value is pd.NA else f"{value!r}" if isinstance(value, str) else f"{value}"


def read_csv(path: Path) -> pd.DataFrame:
    """A table as it was written. Raises ValueError or OSError for none."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def csv_faults(path: Path, expected: pd.DataFrame) -> Iterator[Fault]:
    """Each cell of a table that is not what it must be; numbers may differ in their last bits."""
    try:
        found = read_csv(path)
    except (OSError, ValueError) as error:
        yield Fault(str(path), TABLE_RULE, str(error).splitlines()[0])
        return
    told = expected.replace([float("inf"), float("-inf")], float("nan")).reset_index(drop=True)
    yield from table_faults(str(path), told, found, range(2, len(found) + 2), exact=False)
