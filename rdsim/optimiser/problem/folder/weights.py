"""Samples that are not equally likely: each stands as often as its weight says.

Everything that is said of samples takes them to be equally likely. Weights are decimals, so that there is a smallest
number of equal samples that stands for them exactly: weights 0.2, 0.3, 0.5 are 2, 3 and 5 of 10.
"""

from __future__ import annotations

import math
from fractions import Fraction

from rdsim.numerals import number
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.tables import shown_value

__all__ = ["equal_times", "has_weights"]

MOST = 20_000
"""Equal samples that may stand for weighted ones."""


def has_weights(reader: Reader) -> bool:
    """Whether samples have weights; an option may be called so too."""
    return reader.has("samples", "weight") and "weight" not in (reader.options or {})


def equal_times(reader: Reader) -> list[int]:
    """How often each sample stands, so that all that stand are equally likely; 1 each where weights are at fault."""
    table, weights = reader.tables["samples"], list[Fraction]()
    for row, place in reader.entries("samples"):
        text = row.cells.get("weight", "")
        found = number(text, table.style) if text else None
        if found is None or not math.isfinite(found) or found < 0:
            shown = shown_value(text) if text else "an empty cell"
            reader.blame((*place, "weight"), "must be a number of at least 0", shown)
            found = 1.0
        weights.append(Fraction(repr(float(found))))
    whole = [one for one in weights if one]
    if not whole:
        reader.blame(("samples", 0, "weight"), "must be above 0 for a sample at least", "0 everywhere")
        return [1] * len(weights)
    unit = Fraction(math.gcd(*(one.numerator for one in whole)), math.lcm(*(one.denominator for one in whole)))
    times = [int(one / unit) for one in weights]
    if sum(times) > MOST:
        rule = f"must be in a ratio for which at most {MOST:,} equally likely samples stand"
        reader.blame(("samples", 0, "weight"), rule, f"{sum(times):,}", "Round them to three or four digits.")
        return [1] * len(weights)
    return times
