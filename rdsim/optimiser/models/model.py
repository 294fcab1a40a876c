"""A mixed-integer linear model: columns, rows and a matrix, whatever they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from rdsim.arrays import Bools, Floats, Ints

__all__ = ["Model", "RowBlock", "restrict", "with_rows_below"]


@dataclass(frozen=True, eq=False)
class RowBlock:
    """The rows of one family in a model, and what each is about: the index of its group, pair, row of `Rows`, ..."""

    first: int
    about: Ints  # (k,)

    @property
    def rows(self) -> slice:
        """Where they stand."""
        return slice(self.first, self.first + self.about.size)


@dataclass(frozen=True, eq=False)
class Model:
    """Maximise ``offset + value @ column`` with ``matrix @ column (sense) rhs`` and bounds.

    Shapes: n columns, m rows. The offset stays out of every solver, for some lose it.
    """

    column_names: tuple[str, ...]
    value: Floats  # (n,)
    offset: float
    lower: Floats  # (n,)
    upper: Floats  # (n,)
    integer: Bools  # (n,)
    row_names: tuple[str, ...]
    matrix: csr_array  # (m, n), canonical
    sense: tuple[str, ...]  # (m,)
    rhs: Floats  # (m,)
    blocks: Mapping[str, RowBlock] = field(default_factory=dict)
    """Where the rows of each family stand; of a model that lost rows, nothing is known any more."""

    def rows_of(self, family: str) -> slice:
        """Where the rows of a family stand: together, in their order."""
        return self.blocks[family].rows

    def with_rows(self, kept: Ints) -> Model:
        """The model with some of its rows."""
        return replace(
            self,
            row_names=tuple(self.row_names[row] for row in kept),
            matrix=csr_array(self.matrix[kept]),
            sense=tuple(self.sense[row] for row in kept),
            rhs=self.rhs[kept],
            blocks={},
        )


def with_rows_below(model: Model, coefficients: Floats, caps: Floats) -> Model:
    """The model with more rows `coefficients @ column <= cap`, shapes (k, n) and (k,)."""
    count = len(model.row_names)
    names = (f"cut_{count + place:06d}" for place in range(caps.size))
    return replace(
        model,
        row_names=(*model.row_names, *names),
        matrix=csr_array(vstack([model.matrix, csr_array(coefficients)])),
        sense=(*model.sense, *("<=" for _ in range(caps.size))),
        rhs=np.concatenate([model.rhs, caps]),
    )


def restrict(model: Model, lower: Floats, upper: Floats) -> tuple[Model, Ints]:
    """The model with tighter bounds, its fixed columns taken out, and the columns that are left.

    The value of the fixed columns moves to the offset, their use to the right-hand side; rows that
    nothing can break any more are dropped.
    """
    fixed = lower == upper
    kept = np.flatnonzero(~fixed)
    settled = np.where(fixed, lower, 0.0)
    rhs = model.rhs - model.matrix @ settled
    matrix = csr_array(model.matrix[:, kept])
    sense = np.array(model.sense, dtype="U2")
    needed = np.flatnonzero(_can_break(matrix, lower[kept], upper[kept], sense, rhs))
    return (
        Model(
            column_names=tuple(model.column_names[column] for column in kept),
            value=model.value[kept],
            offset=math.fsum([model.offset, *(model.value * settled)[fixed].tolist()]),
            lower=lower[kept],
            upper=upper[kept],
            integer=model.integer[kept],
            row_names=tuple(model.row_names[row] for row in needed),
            matrix=csr_array(matrix[needed]),
            sense=tuple(model.sense[row] for row in needed),
            rhs=rhs[needed],
        ),
        kept,
    )


def _can_break(matrix: csr_array, lower: Floats, upper: Floats, sense: NDArray[np.str_], rhs: Floats) -> Bools:
    """Rows that some values within the bounds would break."""
    highest, lowest = _reach(matrix, lower, upper), -_reach(matrix, -upper, -lower)
    slack = 1e-12 * np.maximum(np.abs(rhs), 1.0)
    over, under = highest > rhs + slack, lowest < rhs - slack
    return np.asarray(np.where(sense == "<=", over, np.where(sense == ">=", under, over | under)))


def _reach(matrix: csr_array, lower: Floats, upper: Floats) -> Floats:
    """The most that each row can come to, shape (m,); some releases of scipy store zeros, and 0 x inf is no number."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    at, data = matrix.indices, matrix.data
    most = np.where(data > 0, upper[at], np.where(data < 0, lower[at], 0.0))
    return np.asarray(np.bincount(row, weights=data * most, minlength=matrix.shape[0]), dtype=np.float64)
