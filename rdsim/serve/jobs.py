"""Work in the background that tells how far it is and can be stopped; whoever asks something else does not wait for it.

Of each kind one job works at a time. The others of that kind wait, and can be stopped while they do.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rdsim.errors import RdsimError
from rdsim.serve.samples import StoppedError, Tell

__all__ = ["Job", "Jobs"]

State = Literal["waiting", "running", "done", "stopped", "failed"]
_LOOKS = 0.1
"""Seconds between looks of a job that waits for another."""


@dataclass(eq=False)
class Job:
    """Some work: how far it is, and what came of it."""

    number: int
    title: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    result: int | None = None
    why: str = ""
    """What it failed for, in words."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ("done", "stopped", "failed")

    def stop(self) -> None:
        """Ask it to end; it does between two portions of its work, and leaves nothing behind."""
        self._stop.set()

    def tell(self, done: int, total: int) -> None:
        """Say how far it is. Raises StoppedError once nobody wants it any more."""
        self.done, self.total = done, total
        if self._stop.is_set():
            raise StoppedError


class Jobs:
    """The jobs of a process, by number."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers, self._turns = itertools.count(1), dict[str, threading.Lock]()

    def start(self, title: str, work: Callable[[Tell], int | None]) -> Job:
        """Begin some work in a thread; its result is the number of an answer, if it comes to one.

        Jobs of one title work one after another.
        """
        job = Job(next(self._numbers), title)
        self._jobs[job.number] = job
        turn = self._turns.setdefault(title, threading.Lock())
        threading.Thread(target=_run, args=(job, work, turn), name=f"rdsim-job-{job.number}", daemon=True).start()
        return job

    def __getitem__(self, number: int) -> Job:
        """A job by its number. Raises KeyError."""
        return self._jobs[number]

    def stop_all(self) -> None:
        """Ask every job to end."""
        for job in self._jobs.values():
            job.stop()


def _run(job: Job, work: Callable[[Tell], int | None], turn: threading.Lock) -> None:
    try:
        while not turn.acquire(timeout=_LOOKS):
            job.tell(0, 0)
        try:
            job.state = "running"
            job.tell(0, 0)
            job.result = work(job.tell)
            job.state = "done"
        finally:
            turn.release()
    except StoppedError:
        job.state = "stopped"
    except RdsimError as error:
        job.why, job.state = str(error), "failed"
    except Exception as error:  # whatever it is, who waits for it must hear of it
        job.why, job.state = f"a defect of rdsim: {type(error).__name__}: {error}", "failed"
