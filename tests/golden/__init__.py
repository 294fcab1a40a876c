"""Golden numbers: digests of outcomes, samples and choices, which say whether a number has moved."""

from __future__ import annotations
