"""The compiled event loop as subjects run it: on luck that is laid out, at full size and within the cache."""

from __future__ import annotations

from collections.abc import Callable

from rdsim.case import Case, SamplePaths, empty_outcomes
from rdsim.engines import compiled

__all__ = ["first", "in_turns", "loop"]


def first(luck: SamplePaths, count: int) -> SamplePaths:
    """The first replications of a luck."""
    return SamplePaths(*(column[:count].copy() for column in luck))


def loop(case: Case, luck: SamplePaths, replications: int) -> Callable[[], int]:
    """The loop into outcomes that are there already; with no replications, what a call costs by itself."""
    run, outcomes = compiled.EventLoop(case, luck), empty_outcomes(case, replications)
    return lambda: run(outcomes)


def in_turns(job: Callable[[], object], times: int) -> Callable[[], None]:
    """A job again and again: what it reads and writes stays in the cache if it is small."""

    def run() -> None:
        for _ in range(times):
            job()

    return run
