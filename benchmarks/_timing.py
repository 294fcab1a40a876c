"""How subjects take and print times: interleaved repeats, medians with their range, ratios repeat by repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

__all__ = ["Clock", "interleaved", "ratios", "seconds", "spread"]

Clock = Callable[[], float]


def seconds(job: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """How long a job takes once.

    `time.thread_time` counts what this thread alone computed: who else uses the machine changes it less.
    """
    began = clock()
    job()
    return clock() - began


def interleaved(
    jobs: Mapping[str, Callable[[], object]], repeats: int, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of every repeat of every job, in turns (A B C A B C ...), after one turn that is not counted."""
    for job in jobs.values():
        job()
    turns = [{name: seconds(job, clock) for name, job in jobs.items()} for _ in range(repeats)]
    return {name: [turn[name] for turn in turns] for name in jobs}


def ratios(upper: Sequence[float], lower: Sequence[float]) -> list[float]:
    """What was measured in the same repeat, one over the other."""
    return [a / b for a, b in zip(upper, lower, strict=True)]


def spread(numbers: Sequence[float], digits: int = 2) -> str:
    """Median with the range: `1.44 (1.42 .. 1.46)`."""
    return f"{median(numbers):.{digits}f} ({min(numbers):.{digits}f} .. {max(numbers):.{digits}f})"
