"""Work in threads: compiled code and solvers let go of the interpreter's lock."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Event, Thread
from typing import TypeVar

__all__ = ["aside", "cores", "ends_within", "in_threads"]

T = TypeVar("T")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(jobs: Iterator[Callable[[], T]], workers: int, unwanted: Event | None = None) -> Iterator[T]:
    """Results in order; no more jobs are under way or done ahead than twice the workers.

    Jobs that are under way when nobody wants more - after an interrupt, say - are waited for. `unwanted` is set then:
    jobs that take long look at it, and end.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="rdsim")
    try:
        ahead = deque(pool.submit(job) for job in islice(jobs, 2 * workers))
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(job) for job in islice(jobs, 1))
            yield result
    finally:
        if unwanted is not None:
            unwanted.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def aside(job: Callable[[Callable[[], None]], T], *, at_once: bool = True) -> Iterator[Future[T]]:
    """A job that is done meanwhile, in a thread of its own; or, for who wants one thread, once its result is asked for.

    It is given what it calls after each step: when nobody wants it any more - the block has been left - that ends it.
    """
    if not at_once:
        yield _Later(job)
        return
    unwanted = Event()

    def go_on() -> None:
        if unwanted.is_set():
            raise _UnwantedError

    pool = ThreadPoolExecutor(1, thread_name_prefix="rdsim-aside")
    try:
        yield pool.submit(job, go_on)
    finally:
        unwanted.set()
        pool.shutdown(wait=False)


def ends_within(seconds: float, job: Callable[[], object]) -> bool:
    """Whether a job ends in so many seconds; one that does not goes on, in a thread that nobody waits for.

    A job that may take as long as it likes (inf) is done in the thread that asks. Raises: what the job raises.
    """
    if math.isinf(seconds):
        job()
        return True
    raised: list[BaseException] = []

    def watched() -> None:
        try:
            job()
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=watched, name="rdsim-watched", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    return not thread.is_alive()


class _Later(Future[T]):
    """A job that is done by whoever first asks for its result."""

    def __init__(self, job: Callable[[Callable[[], None]], T]) -> None:
        super().__init__()
        self._job = job

    def result(self, timeout: float | None = None) -> T:
        """See `Future.result`."""
        if not self.done():
            self.set_result(self._job(lambda: None))
        return super().result(timeout)


class _UnwantedError(Exception):
    """Ends a job that nobody wants any more."""
