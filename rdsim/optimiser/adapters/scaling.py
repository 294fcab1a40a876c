"""Models in the units that a solver sees: numbers of a row and of the objective are brought near to one another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from rdsim.arrays import Floats
from rdsim.optimiser.adapters.answers import RunLimits, SolverResult
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.exact import DIGITS, amount_of

__all__ = ["Scaled", "power", "scale_model", "typical", "with_small_rows"]

_FORBIDDING, _NOISE = 1e4, 1e12
_WHOLE = 2.0**40
"""Whole numbers up to here are told apart by a solver in double precision."""


@dataclass(frozen=True)
class Scaled:
    """A model in the units a solver sees, and the factors of its objective and of its rows."""

    model: Model
    factor: float
    rows: Floats
    offset: float  # what the model's objective leaves out

    def limits(self, limits: RunLimits) -> RunLimits:
        """Limits in the solver's units."""
        return replace(limits, target=(limits.target - self.offset) * self.factor)

    def unscale(self, answer: SolverResult) -> SolverResult:
        """A solver's answer in the units of the model that was scaled."""
        costs = None if answer.reduced_costs is None else answer.reduced_costs / self.factor
        return replace(answer, bound=answer.bound / self.factor + self.offset, reduced_costs=costs)


def power(largest: Floats, top: int) -> Floats:
    """Powers of two that bring `largest` into [2 ** (top - 1), 2 ** top); 1 for zeros."""
    _, exponent = np.frexp(largest)
    return np.asarray(np.where(largest > 0, np.exp2(top - exponent), 1.0))


def scale_model(model: Model) -> Scaled:
    """Largest coefficient of a row in [1, 2), typical one of the objective in [512, 1024). Powers of two round nothing.

    Columns that are fixed do not count: what cannot be chosen must not loosen what can. Rows that decimals state in
    whole columns become rows of the smallest whole numbers: one off is then far more than a solver's tolerance.
    """
    free = model.upper > model.lower
    bound = _clip(model, free)
    largest = _largest(model.matrix, free)
    units = _units(model, free)
    whole = units > 0
    rows = np.where(whole, np.where(whole, units, 1.0), power(largest, 1))
    factor = float(power(np.array(typical(model.value[free])), 10))
    matrix = csr_array(diags_array(rows) @ bound) if rows.size else bound
    rhs = model.rhs * rows
    inside = np.repeat(whole, np.diff(matrix.indptr))
    matrix.data = np.where(inside, np.rint(matrix.data), matrix.data)
    rhs = np.where(whole, _whole_caps(rhs), rhs)
    stated = replace(model, value=model.value * factor, offset=0.0, matrix=matrix, rhs=rhs)
    return Scaled(stated, factor, rows, model.offset)


def with_small_rows(model: Model) -> Model:
    """A scaled model, rows of large whole numbers with their largest coefficient in [1, 2); itself if it has none."""
    largest = _largest(model.matrix, model.upper > model.lower)
    if not (largest > _SMALL).any():
        return model
    rows = np.where(largest > _SMALL, power(largest, 1), 1.0)
    return replace(model, matrix=csr_array(diags_array(rows) @ model.matrix), rhs=model.rhs * rows)


def _largest(matrix: csr_array, free: NDArray[np.bool_]) -> Floats:
    """The largest coefficient of each row in columns that are free, shape (m,)."""
    largest = np.zeros(matrix.shape[0])
    sizes = np.where(free[matrix.indices], np.abs(matrix.data), 0.0)
    np.maximum.at(largest, np.repeat(np.arange(largest.size), np.diff(matrix.indptr)), sizes)
    return largest


_BESIDE = 2.0**20
"""A coefficient of a column fixed at 0 is at most so many times the largest that counts: solvers refuse more."""


def _clip(model: Model, free: NDArray[np.bool_]) -> csr_array:
    """The matrix with no outsize coefficient in a column that is fixed at 0, where it says nothing."""
    at, data = model.matrix.indices, model.matrix.data
    most = np.repeat(np.maximum(_largest(model.matrix, free), np.abs(model.rhs)), np.diff(model.matrix.indptr))
    nothing = (~free & (model.upper == 0))[at] & (np.abs(data) > _BESIDE * np.where(most > 0, most, 1.0))
    if not nothing.any():
        return model.matrix
    clipped = np.where(nothing, np.sign(data) * _BESIDE * np.where(most > 0, most, 1.0), data)
    return csr_array((clipped, at, model.matrix.indptr), shape=model.matrix.shape)


_DECIMALS, _RINT = 12, 1e-12
_SMALL = 2.0**20
"""Whole numbers up to here need no common divisor: one off is far more than a tolerance."""


def _units(model: Model, free: NDArray[np.bool_]) -> Floats:
    """By what each row must be multiplied to become one of small whole numbers, shape (m,); 0 if by nothing.

    All columns must be whole, and all numbers those of at most so many decimals; what is fixed at 0 does not count.
    """
    ends, at, data = model.matrix.indptr, model.matrix.indices, model.matrix.data
    nothing = (~free & (model.upper == 0))[at]
    mixed = _row_any(~model.integer[at] & ~nothing, ends)
    plain = ~mixed & ~_row_any(((data != np.rint(data)) | (np.abs(data) > _SMALL)) & ~nothing, ends)
    units = np.where(plain & (model.rhs == np.rint(model.rhs)), 1.0, 0.0)
    for row in np.flatnonzero(~mixed & (units == 0) & _looks_stated(model)):
        part = slice(ends[row], ends[row + 1])
        units[row] = _unit_of(np.append(data[part][~nothing[part]], model.rhs[row]))
    return units


def _row_any(marked: NDArray[np.bool_], ends: NDArray[Any]) -> NDArray[np.bool_]:
    """Rows in which an entry is marked, shape (m,)."""
    count = np.concatenate([[0], np.cumsum(marked)])
    return np.asarray(count[ends[1:]] > count[ends[:-1]])


def _looks_stated(model: Model) -> NDArray[np.bool_]:
    """Rows whose first and last coefficient have few digits: a quick look, which spares a long one at sampled rows."""
    ends = model.matrix.indptr
    filled = np.diff(ends) > 0
    looks = filled.copy()
    for place in (ends[:-1], ends[1:] - 1):
        looks[filled] &= _digits_at_most(model.matrix.data[place[filled]], _DECIMALS)
    return np.asarray(looks)


def _digits_at_most(numbers: Floats, decimals: int) -> NDArray[np.bool_]:
    """Numbers that are the nearest to one of so many decimals."""
    scale = 10.0**decimals
    near = np.rint(numbers * scale)
    return np.asarray((near / scale == numbers) | (numbers == np.rint(numbers)))


def _unit_of(numbers: Floats) -> float:
    """1 over the largest unit of which all numbers but the last, a cap, are whole multiples below `_WHOLE`; or 0."""
    for decimals in range(_DECIMALS + 1):
        if _digits_at_most(numbers[:-1], decimals).all():
            scale = 10.0**decimals
            divisor = _common_divisor(numbers[:-1], decimals)
            large = float(np.abs(numbers).max()) * scale / divisor
            return scale / divisor if large < _WHOLE else 0.0
    return 0.0


def _common_divisor(numbers: Floats, decimals: int) -> int:
    """Of what numbers of at most so many decimals say, in units of the last one.

    Of at most `DIGITS` digits there is one decimal for each number, so that no exact arithmetic is needed for it.
    """
    sizes, scale = np.unique(np.abs(numbers)), 10.0**decimals
    near = np.rint(sizes * scale)
    plain = (near < 10.0**DIGITS) & (near / scale == sizes)
    others = (int(amount_of(number).value * 10**decimals) for number in sizes[~plain].tolist())
    return max(math.gcd(*near[plain].astype(np.int64).tolist(), *others), 1)


def _whole_caps(rhs: Floats) -> Floats:
    """Caps of rows of whole numbers, without what a product with a unit leaves behind."""
    near = np.rint(rhs)
    return np.asarray(np.where(np.abs(rhs - near) <= _RINT * np.maximum(1.0, np.abs(rhs)), near, rhs))


def typical(values: Floats) -> float:
    """The size of numbers that an objective's precision is relative to: the largest that is not there to forbid.

    Published instances forbid a choice by a price of, say, a billion: far below zero, and at least `_FORBIDDING` times
    as large as any number that is left. Where numbers are `_NOISE` times apart, the smaller ones are rounding.
    """
    sizes = np.sort(np.abs(values[values != 0]))
    if not sizes.size:
        return 0.0
    ratio, below = sizes[1:] / sizes[:-1], sizes[:-1] >= values.max()
    jumps = np.flatnonzero((ratio >= _FORBIDDING) & (ratio < _NOISE) & below)
    return float(sizes[jumps[-1]] if jumps.size else sizes[-1])
