"""Constraint families: what limits a portfolio, one value and one file for each.

A family makes rows of a scenario and its options, says what they count and how they are told, and what of the past
counts in them when a plan is decided again. `FAMILIES` holds them in the order of their rows;
`rdsim.extend.constraint_family` adds one from outside, which holds in scenarios that have a table for it.
"""

from rdsim.families.family import Counted, Family
from rdsim.families.known import (
    FAMILIES,
    as_engines_see,
    counts_running,
    families_of,
    is_whole,
    remaining_cap,
    row_words,
    rows_of,
    unit_of,
)
from rdsim.families.rows import Begun, Openings, Options, Past, Row, RowKey

__all__ = [
    "FAMILIES",
    "Begun",
    "Counted",
    "Family",
    "Openings",
    "Options",
    "Past",
    "Row",
    "RowKey",
    "as_engines_see",
    "counts_running",
    "families_of",
    "is_whole",
    "remaining_cap",
    "row_words",
    "rows_of",
    "unit_of",
]
