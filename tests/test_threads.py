"""Work in threads: what is done meanwhile ends when nobody wants it any more."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from rdsim.native.threads import aside, in_threads


def test_what_is_done_meanwhile_is_there_in_the_end() -> None:
    def job(go_on: Callable[[], None]) -> int:
        go_on()
        return 7

    with aside(job) as found:
        assert found.result(timeout=60) == 7


def test_a_job_that_nobody_wants_ends_at_its_next_step() -> None:
    begun, left = Event(), Event()
    steps = list[int]()

    def job(go_on: Callable[[], None]) -> None:
        for step in range(10**6):
            begun.set()
            left.wait(60)
            go_on()
            steps.append(step)

    with aside(job) as found:
        assert begun.wait(60)
    left.set()
    assert found.exception(timeout=60) is not None
    assert steps == []


def test_what_goes_wrong_meanwhile_is_told_to_who_asks() -> None:
    def job(_go_on: Callable[[], None]) -> None:
        raise ValueError("odd")

    with aside(job) as found, pytest.raises(ValueError, match="odd"):
        found.result(timeout=60)


def test_who_wants_one_thread_gets_the_job_done_when_its_result_is_asked_for() -> None:
    done = list[int]()

    def job(go_on: Callable[[], None]) -> int:
        go_on()
        done.append(1)
        return 7

    with aside(job, at_once=False) as found:
        assert not found.done()
        assert done == []
        assert (found.result(), found.result(), done) == (7, 7, [1])


def test_jobs_that_take_long_end_soon_once_nobody_wants_what_they_do() -> None:
    unwanted, begun = Event(), Event()
    steps = list[int]()

    def long() -> int:
        begun.set()
        for step in range(600):
            if unwanted.wait(0.1):
                break
            steps.append(step)
        return len(steps)

    found = in_threads(iter([lambda: 1, long, long]), 2, unwanted)
    assert next(found) == 1
    assert begun.wait(60)
    found.close()  # as an interrupt does, where results are waited for
    assert unwanted.is_set()
    assert len(steps) < 600
