"""Rows in exact arithmetic: how far a choice is off, in the numbers that were stated.

A number means what it says in decimals: the 0.1 that a file states, not the binary number beside it. So 0.1 + 0.2 keeps
a cap of 0.3, and 5,000,000,000,000.01 breaks one of 5,000,000,000,000. So do whole numbers, whatever their size:
5873947711e9 has no binary number of its own and is meant all the same; only one of more than `DIGITS` significant
digits is taken as it is. What else has more digits was computed by somebody, and its last digits are rounding: rows
with such a number may be off by `ROUNDING` of the largest number that counts in them (`Rows.tolerance`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rdsim.arrays import Bools, Floats
from rdsim.optimiser.problem.problem import PortfolioProblem

__all__ = ["DIGITS", "Amount", "amount_of", "excess_exactly", "near_its_cap"]

DIGITS = 15
_EXACT = 2.0**53
"""Whole numbers up to here are binary numbers themselves."""
_NEAR = 1e-11
"""Share of the numbers in a row within which floating point does not tell how far it is off."""


@dataclass(frozen=True)
class Amount:
    """A sum, and whether every number in it was stated in decimals."""

    value: Fraction
    stated: bool

    def plus(self, other: Amount, factor: Amount) -> Amount:
        """This and `factor` times the other."""
        return Amount(self.value + factor.value * other.value, self.stated and other.stated and factor.stated)


_NOTHING, _MINUS = Amount(Fraction(0), True), Amount(Fraction(-1), True)


def amount_of(number: float) -> Amount:
    """What a number says."""
    whole, short = number == round(number), float(f"{number:.{DIGITS}g}") == number
    if whole and (abs(number) < _EXACT or not short):
        return Amount(Fraction(int(number)), True)
    return Amount(Fraction(repr(number)), short)


def near_its_cap(problem: PortfolioProblem, activity: Floats, room: Floats) -> Bools:
    """Hard rows so near to their cap that only exact arithmetic says whether they are kept, shape (R,)."""
    rows = problem.rows
    size = np.maximum(rows.largest, np.maximum(np.abs(activity), np.abs(room)))
    near = (np.abs(activity - room) <= _NEAR * size) & ~rows.is_soft
    return np.asarray(near & ~(rows.is_summed_exactly & (activity == room)))


def excess_exactly(
    problem: PortfolioProblem, picked: Sequence[int], openings: Mapping[int, int], row: int
) -> tuple[float, bool]:
    """(activity less room of a row, whether every number in it was stated); `openings` are stages by partner.

    Model: R27.
    """
    stages = len(problem.stage_names)
    places = frozenset(partner * stages + stage for partner, stage in openings.items())
    over = _over(problem, frozenset(picked), places, row)
    return float(over.value), over.stated


def _over(problem: PortfolioProblem, picked: frozenset[int], places: frozenset[int], row: int) -> Amount:
    """Use of a row, less its cap and what the row before it passes on."""
    rows, total = problem.rows, amount_of(float(problem.rows.cap[row]))
    total = _NOTHING.plus(total, _MINUS)
    for matrix, members in ((rows.use, picked), (rows.opening_use, places)):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        for column, number in zip(matrix.indices[part].tolist(), matrix.data[part].tolist(), strict=True):
            if column in members:
                total = total.plus(amount_of(number), amount_of(1.0))
    for source, target, rate in rows.carry:
        if target == row:
            before = _over(problem, picked, places, source)
            if before.value < 0:
                total = total.plus(before, amount_of(rate))
    return total
