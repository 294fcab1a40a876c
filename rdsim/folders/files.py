"""Single files, written whole: beside their place, then renamed, so that nobody ever sees a part of one.

The part is locked while it is written. One whose writer died is known by its lock, and cleared away by the next.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from rdsim.folders.locks import is_abandoned, lock

__all__ = ["clear_parts", "is_file", "is_folder", "is_part", "write_whole"]

_PART = ".rdsim-part"
_LONGEST = 200
"""Bytes of a name that leave room for what a part's name adds."""


def write_whole(path: str | Path, data: bytes | str) -> None:
    """Write a file whole, or not at all; text as UTF-8 with its line ends as they are. A link stays, its target is
    written; a file that is there keeps its permissions. Raises OSError."""
    target = Path(os.path.realpath(path))
    content = data.encode() if isinstance(data, str) else data
    _clear(target.parent, f".{_stem(target.name)}.*{_PART}")
    handle, part = _open_part(target)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
        with contextlib.suppress(FileNotFoundError):
            part.chmod(target.stat().st_mode & 0o7777)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def clear_parts(folder: Path) -> None:
    """Remove the parts in a folder whose writers died."""
    _clear(folder, f".*{_PART}")


def is_part(name: str) -> bool:
    """Whether a file is one that is being written."""
    return name.startswith(".") and name.endswith(_PART)


def is_folder(path: str | Path) -> bool:
    """Whether there is such a folder: of a name that cannot be there is none."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def is_file(path: str | Path) -> bool:
    """Whether there is such a file: of a name that cannot be there is none."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def _stem(name: str) -> str:
    """The name, or what stands for it where it is too long to be added to."""
    return name if len(name.encode()) <= _LONGEST else hashlib.sha256(name.encode()).hexdigest()


def _open_part(target: Path) -> tuple[int, Path]:
    """A new part, open and locked. One that was cleared away before it was locked is made again."""
    while True:
        part = target.with_name(f".{_stem(target.name)}.{secrets.token_hex(4)}{_PART}")
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with contextlib.suppress(OSError):  # without locks nobody clears parts away
            lock(handle)
        if part.exists():
            return handle, part
        os.close(handle)


def _clear(folder: Path, pattern: str) -> None:
    for path in folder.glob(_literal(pattern)):
        if not path.is_symlink() and is_abandoned(path):
            path.unlink(missing_ok=True)


def _literal(pattern: str) -> str:
    """The pattern with brackets and question marks of a name as they are; stars are ours, or match more than asked."""
    return "".join(f"[{sign}]" if sign in "[?" else sign for sign in pattern)
