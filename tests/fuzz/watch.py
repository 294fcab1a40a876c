"""What an input must not do: end in a traceback, hang, write outside of its folder, or speak without end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rdsim.errors import RdsimError

__all__ = ["Trouble", "outcome", "watched"]

SECONDS = 20
LONGEST_LINE = 2500
MOST_TEXT = 200_000
_MARKS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree"}


class Trouble(BaseException):
    """What an input did that it must not; no handler of rdsim may catch it."""


class _Guard:
    """The folder in which an input may write, while one is watched; Python tells it of every opened file."""

    def __init__(self) -> None:
        self.inside: tuple[str, ...] = ()
        self.outside: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.inside:
            return
        if event == "open" and isinstance(arguments[0], str | bytes) and arguments[2] & _MARKS:
            self.note(arguments[0])
        elif event in _CHANGES:
            for one in arguments[: 2 if event == "os.rename" else 1]:
                self.note(one)

    def note(self, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            place = os.path.realpath(os.fsdecode(path))
            if not place.startswith((*self.inside, os.devnull)) and "__pycache__" not in place:
                self.outside.append(place)


_guards: list[_Guard] = []


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Raise Trouble if what runs inside writes outside of the folder, or takes longer than a person would wait."""
    if not _guards:
        _guards.append(_Guard())
    guard = _guards[0]
    guard.inside, guard.outside = (
        (os.path.realpath(folder), os.path.realpath(tempfile.gettempdir() + "/rdsim-error-")),
        [],
    )

    def hang(_number: int, _frame: types.FrameType | None) -> None:
        raise Trouble(f"takes more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        guard.inside = ()
    if guard.outside:
        raise Trouble(f"writes outside of its folder: {guard.outside[:3]}")


def outcome(enter: Callable[[], object], folder: Path) -> str:
    """How an input was taken: accepted, or the kind of its refusal. Raises Trouble, or whatever nobody foresaw."""
    with watched(folder):
        try:
            enter()
        except RdsimError as error:
            if error.exit_code not in (2, 3, 4):
                raise
            text = str(error)
            if len(text) > MOST_TEXT or max(map(len, text.splitlines())) > LONGEST_LINE:
                raise Trouble(f"a message of {len(text):,} characters") from None
            return type(error).__name__
    return "accepted"
