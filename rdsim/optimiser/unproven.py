"""Who asked for a gap and did not get it: solves that a time limit ended before the gap asked for was proven."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rdsim.optimiser.solution import Solution, Status, Termination

__all__ = ["Unproven", "noted", "unproven_solves"]

S = TypeVar("S", bound=Solution)


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


def noted(solution: S, asked: float) -> S:
    """The solution; whoever listens hears of it if a time limit left its gap above the one asked for."""
    proven = solution.status in {Status.INFEASIBLE, Status.UNBOUNDED} or solution.gap <= asked
    if solution.termination is Termination.TIME_LIMIT and not proven:
        with _LOCK:
            for listener in _LISTENERS:
                listener.append(Unproven(asked, solution.gap))
    return solution
