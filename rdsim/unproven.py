"""Who asked for a gap and did not get it: solves that a time limit ended before the gap asked for was proven."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Unproven", "note_unproven", "unproven_solves", "unproven_words"]


@dataclass(frozen=True)
class Unproven:
    """A gap that was asked for, and what was proven: infinite where there is no portfolio or no bound."""

    asked: float
    proven: float


_LOCK = threading.Lock()
_LISTENERS: list[list[Unproven]] = []


@contextmanager
def unproven_solves() -> Iterator[list[Unproven]]:
    """Collects the solves, of all threads, that a time limit ended too early while this is open."""
    found: list[Unproven] = []
    with _LOCK:
        _LISTENERS.append(found)
    try:
        yield found
    finally:
        with _LOCK:
            _LISTENERS[:] = [one for one in _LISTENERS if one is not found]


def note_unproven(asked: float, proven: float) -> None:
    """Tell whoever listens."""
    with _LOCK:
        for listener in _LISTENERS:
            listener.append(Unproven(asked, proven))


def unproven_words(found: list[Unproven]) -> str:
    """What was asked and what was proven, of the solve that is farthest from its gap."""
    widest = max(found, key=lambda one: one.proven)
    count, last = ("the solve", "") if len(found) == 1 else (f"{len(found)} solves", " (the widest)")
    proven = f"{widest.proven:.2%}" if math.isfinite(widest.proven) else "none"
    gaps = f"asked {widest.asked:.2%}, proven {proven}{last}"
    return f"--time-limit ended {count} before the gap asked for was proven: {gaps}"
