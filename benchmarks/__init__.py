"""Benchmarks: one self-registering subject per file, each measured side by side in one run.

`python -m benchmarks [NAME ...]` runs them; figures are for reading, never for tests.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["SUBJECTS", "subject"]

SUBJECTS: dict[str, Callable[[], None]] = {}


def subject(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a function that measures something and prints it."""

    def register(measure: Callable[[], None]) -> Callable[[], None]:
        SUBJECTS[name] = measure
        return measure

    return register
