"""Work in threads: compiled code and solvers let go of the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["cores", "in_threads"]

T = TypeVar("T")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(jobs: Iterator[Callable[[], T]], workers: int) -> Iterator[T]:
    """Results in order; no more jobs are under way or done ahead than twice the workers."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="rdsim")
    try:
        ahead = deque(pool.submit(job) for job in islice(jobs, 2 * workers))
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(job) for job in islice(jobs, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
