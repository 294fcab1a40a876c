"""Locks that the system frees when a process dies: so a live run's files are told from those of a dead one."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any

__all__ = ["is_abandoned", "lock"]

# Windows has none: nobody is kept out there, and nothing that a dead run left is cleared away.
fcntl: Any = importlib.import_module("fcntl") if importlib.util.find_spec("fcntl") else None


def lock(handle: int) -> bool:
    """Lock an open file, for as long as it stays open; False if another has it. Raises OSError without locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_abandoned(path: Path) -> bool:
    """Whether nobody who is alive has locked the file; False if that cannot be told."""
    if fcntl is None:
        return False
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return lock(handle)
    except OSError:
        return False
    finally:
        os.close(handle)
