"""Folders that several processes write to at once, as long as all do the same work there."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from rdsim.errors import Fault, OutputError
from rdsim.folders.locks import is_abandoned, is_same, lock

__all__ = ["WORK", "is_at_work", "share"]

WORK = ".rdsim-work"
"""A file that says which work is done in its folder, locked by all who do it."""

_TRIES, _PAUSE = 100, 0.01


@contextlib.contextmanager
def share(folder: Path, work: str, rule: str) -> Iterator[None]:
    """Do a piece of work in a folder, beside others that do the same, until the end of the block.

    Raises OutputError, with the rule, if another work is done there; and if the folder cannot be written. Where files
    cannot be locked nobody is kept out.
    """
    path = folder / WORK
    try:
        handle = _join(path, work)
    except OSError as error:
        raise OutputError((Fault(str(folder), "must be writable", error.strerror or str(error)),)) from None
    if handle is None:
        raise OutputError((Fault(str(folder), rule, "", "Wait for it, or give another --out."),))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if _is_alone(handle):
                path.unlink(missing_ok=True)
        os.close(handle)


def is_at_work(folder: Path) -> bool:
    """Whether a process that lives (or may) does shared work in a folder."""
    path = folder / WORK
    return path.exists() and not is_abandoned(path)


def _join(path: Path, work: str) -> int | None:
    """The file, open and locked with others; None if it goes on to speak of another work."""
    for _ in range(_TRIES):
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        if _is_joined(handle, path, work):
            return handle
        os.close(handle)
        time.sleep(_PAUSE)
    return None


def _is_joined(handle: int, path: Path, work: str) -> bool:
    """Whether the file could be locked with others, and speaks of the work. Nobody else has it: then it is made to."""
    try:
        alone = lock(handle)
        if alone and is_same(handle, path):
            os.ftruncate(handle, 0)
            os.write(handle, work.encode())
        if not lock(handle, shared=True):
            return False
    except OSError:
        return True
    os.lseek(handle, 0, os.SEEK_SET)
    return is_same(handle, path) and os.read(handle, len(work) + 1).decode(errors="replace") == work


def _is_alone(handle: int) -> bool:
    try:
        return lock(handle)
    except OSError:
        return True
