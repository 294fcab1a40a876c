"""A question to a solver in a process of its own: what ends that process costs the answer, and not the benchmark.

A solver may be killed by the system where memory is short, or crash in code of its own; either takes with it the
process that it runs in. So that process does nothing else, is the first to go where memory ends (on Linux), and is
begun again for the next question. Solvers of plug-ins are not known there, and are asked here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rdsim.errors import RdsimError
from rdsim.optimiser import PortfolioProblem, state_problem, state_rows
from rdsim.sweep.backends import Backend, processes
from rdsim.unproven import unproven_solves

__all__ = ["Answer", "Apart", "Told", "Way", "ask_here"]

Answer = tuple[float, float, bool]
"""Objective, bound, and whether the portfolio keeps every row."""

Way = Callable[[PortfolioProblem, float, float], Answer]
"""How a problem is solved to a gap within some seconds."""

NOTHING: Answer = (float("nan"), float("inf"), False)

_ENDED = "its process ended before it answered, as where memory is short, or where a solver crashes"
_SHORT = "there was not enough memory"


class Told(NamedTuple):
    """What came of a question: the answer, the seconds it took, and of one without an answer why."""

    answer: Answer
    seconds: float
    failure: str = ""


def ask_here(way: Way, problem: PortfolioProblem, gap: float, limit: float) -> Told:
    """Ask in this process."""
    began, answer, failure = time.perf_counter(), NOTHING, ""
    with unproven_solves():
        try:
            answer = way(problem, gap, limit)
        except RdsimError as error:
            failure = str(error)
        except MemoryError:
            failure = _SHORT
    return Told(answer, time.perf_counter() - began, failure)


class Apart:
    """A process that is asked one question after another; open it by `open`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._executor = backend.executor
        self._ready = set[Way]()

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[Apart]:
        """The process, which ends with the context."""
        with processes(1) as backend:
            yield cls(backend)

    def ask(self, way: Way, problem: PortfolioProblem, gap: float, limit: float) -> Told:
        """Ask there. The first question of a way is asked once before of a problem of three options, for what a process
        loads at first is not the way's time."""
        began = time.perf_counter()
        try:
            if way not in self._ready:
                self._executor.submit(_begin, way).result()
                self._ready.add(way)
            began = time.perf_counter()
            return self._executor.submit(ask_here, way, problem, gap, limit).result()
        except BrokenExecutor:
            assert self._backend.renew is not None  # noqa: S101 - processes can be begun again
            self._executor, self._ready = self._backend.renew(), set()
            return Told(NOTHING, time.perf_counter() - began, _ENDED)


def _begin(way: Way) -> None:
    """Load what a way needs; and be the process that ends where memory does."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    small = state_problem([3.0, 2.0, 1.0], rows=state_rows(np.array([[2.0, 2.0, 1.0]]), [3.0]))
    ask_here(way, small, 0.5, 1.0)
