"""The version of the numbers: what the results of sweeps are kept under, in place of the program's own text.

A comment, a message or a new report changes no number, and must not cost hours of simulation. So this version is
raised by hand: whenever the same scenario, portfolio and seed give another outcome, another sample of an option or
another choice than before. `tests/golden` holds digests of all of these, and fails where a number moved and the
version did not.
"""

from __future__ import annotations

__all__ = ["NUMBERS"]

NUMBERS = 6
"""1: until November 2026, when results were kept under the text of the program; 3: problems are stated in rounded
numbers; 4: risk by step, shared luck, and what technologies need of partners;
5: talks of lone options in expectation, more samples where it is close, re-decisions;
6: a plan's one-shot portfolio knows all samples, exchanges are screened in two steps."""
