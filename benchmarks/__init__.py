"""Benchmarks: one self-registering subject per file, each measured side by side in one run.

`python -m benchmarks [NAME ...]` runs them; figures are for reading, never for tests. With `--token` they run at a size
that only shows that they work, as the tests do for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["SUBJECTS", "Subject", "subject"]

S = TypeVar("S")


@dataclass(frozen=True)
class Subject:
    """What is measured, and at which sizes."""

    measure: Callable[[Any], None]
    full: object
    token: object

    @property
    def summary(self) -> str:
        """The first line of what the subject says of itself."""
        return (self.measure.__doc__ or "").splitlines()[0]

    def run(self, *, token: bool) -> None:
        """Measure and print, at the size that figures are made with or at one of some seconds."""
        self.measure(self.token if token else self.full)


SUBJECTS: dict[str, Subject] = {}


def subject(name: str, *, full: S, token: S) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
    """Register a function that measures something at a size of its own kind and prints it."""

    def register(measure: Callable[[S], None]) -> Callable[[S], None]:
        SUBJECTS[name] = Subject(measure, full, token)
        return measure

    return register
