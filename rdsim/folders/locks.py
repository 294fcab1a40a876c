"""Who is at work: locks that the system frees when a process dies, so a live run's files are told from a dead one's.

Where files cannot be locked, a note that names the process stands for a lock.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import secrets
import socket
from pathlib import Path
from typing import Any

__all__ = ["is_abandoned", "is_same", "lock", "sign"]

# Windows has none: nobody is kept out there, and nothing that a dead run left is cleared away.
fcntl: Any = importlib.import_module("fcntl") if importlib.util.find_spec("fcntl") else None


def lock(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file, alone or with others, for as long as it stays open; False if another has it. A lock that is
    there already is changed. Raises OSError without locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
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


def is_same(handle: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def sign(path: Path) -> str:
    """Write a note of this process, unless one of another that may live is there: which that is, else nothing.

    A note of a process of this machine that is dead is taken away. Raises OSError.
    """
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            if other := _signer(path):
                return other
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as note:
            note.write(f"{os.getpid()} {socket.gethostname()}\n")
        return ""


def _signer(path: Path) -> str:
    """Who signed, in words; nothing if that process is dead, and its note is taken away."""
    with contextlib.suppress(FileNotFoundError):
        text = path.read_text(encoding="utf-8", errors="replace")
        number, _, host = text.strip().partition(" ")
        if host != socket.gethostname() or not number.isdecimal() or _is_alive(int(number)):
            return f"process {number or 'that has just begun'} on {host or 'this machine'}"
        aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        path.rename(aside)
        if aside.read_text(encoding="utf-8", errors="replace") == text:
            aside.unlink()
        else:  # of another who was quicker
            aside.rename(path)
    return ""


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
