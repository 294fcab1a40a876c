"""A step: files of a draft take their places and others go, as a list says that is written beside the draft before.

Whoever comes after a run that died in the middle of it does the rest. A file is replaced or removed only if it is the
very one that was there when the list was written, so that what somebody put there since stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from rdsim.errors import OutputError
from rdsim.folders.documents import FileName, Record, read_document
from rdsim.folders.files import is_file, write_whole

__all__ = ["DESK", "DRAFT", "carry_out", "commit", "files_below", "is_beside", "is_plain_place", "is_unfinished"]

DESK, DRAFT = ".rdsim", "new"
_COMMIT = "commit"

_Names = Annotated[list[FileName], Field(max_length=1_000_000)]
_Mark = Annotated[list[int], Field(min_length=2, max_length=2)]
_Read = Mapping[str, Any]


class _Step(Record):
    """Files to take away, then files to put in their place, in this order; marks of those of the older run that stood
    there, and of the new ones; whether the older run stays."""

    remove: _Names
    files: _Names
    was: dict[FileName, _Mark]
    made: dict[FileName, _Mark]
    beside: bool


def is_unfinished(folder: Path) -> bool:
    """Whether a run died there while its files were moved into their place: the next claim finishes it."""
    return is_file(folder / DESK / _COMMIT)


def is_beside(real: Path) -> bool:
    """Whether the step adds to the run that is there. Raises OutputError if its list is damaged."""
    return bool(_step(real)["beside"])


def commit(real: Path, files: list[str], gone: list[str], old: frozenset[str], *, beside: bool) -> None:
    """Write the list of a step: from here on it is finished by whoever comes next. Of what is there, only files of
    the `old` run may go. Raises OSError."""
    draft = real / DESK / DRAFT
    _sync(draft, files)
    was = {name: mark for name in sorted(old & {*gone, *files}) if (mark := _mark(real / name))}
    made = {name: _mark(draft / name) for name in files}
    step = {"remove": gone, "files": files, "was": was, "made": made, "beside": beside}
    write_whole(real / DESK / _COMMIT, json.dumps(step))


def carry_out(real: Path) -> list[str]:
    """Do what is committed and not done yet; begun again it does no harm, wherever it was left.

    Returns names of files that came since and are in the way. Then the step is called off: they stay, and the draft is
    whole again. Raises OSError, and OutputError if its list is damaged.
    """
    step, draft = _step(real), real / DESK / DRAFT
    left = [name for name in step["files"] if (draft / name).exists()]
    strangers = [name for name in left if not _may_go(real, name, step)]
    if strangers:
        _call_off(real, step)
        return strangers
    _remove(real, step)
    for name in left:
        (real / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).replace(real / name)
    (real / DESK / _COMMIT).unlink()
    shutil.rmtree(draft, ignore_errors=True)
    return []


def _step(real: Path) -> _Read:
    return read_document(real / DESK / _COMMIT, _Step, OutputError, "must say what is to be done")


def _mark(path: Path) -> list[int] | None:
    """What tells a file from any other that has its name later; None if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]  # numbers of inodes do not last everywhere


def _is_the_same(real: Path, name: str, marks: Mapping[str, list[int]]) -> bool:
    """Whether the file that has the mark is there, and not another of its name."""
    mark = _mark(real / name)
    return mark is not None and mark == marks.get(name) and is_plain_place(real, name)


def _may_go(real: Path, name: str, step: _Read) -> bool:
    """Whether a new file may take its place there."""
    return is_plain_place(real, name) and (_mark(real / name) is None or _is_the_same(real, name, step["was"]))


def _remove(real: Path, step: _Read) -> None:
    for name in step["remove"]:
        if _is_the_same(real, name, step["was"]):
            (real / name).unlink(missing_ok=True)
    _drop_empty(real, step["remove"])


def _call_off(real: Path, step: _Read) -> None:
    """Bring back into the draft what was moved; of an older run that was broken up already the rest goes too."""
    draft = real / DESK / DRAFT
    moved = [name for name in step["files"] if not (draft / name).exists() and _is_the_same(real, name, step["made"])]
    for name in moved:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (real / name).replace(draft / name)
    _drop_empty(real, moved)
    if step["remove"] and not _is_the_same(real, step["remove"][0], step["was"]):
        _remove(real, step)
    (real / DESK / _COMMIT).unlink()


def _sync(draft: Path, files: Iterable[str]) -> None:
    for name in files:
        with (draft / name).open("rb") as file:
            os.fsync(file.fileno())


# --- names ----------------------------------------------------------------------------------------


def files_below(folder: Path) -> list[str]:
    """Names of all files in a folder and below it."""
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def is_plain_place(real: Path, name: str) -> bool:
    """Whether the name leads to a plain file, or to none, in this very folder: not by links, files or mounts."""
    if (real / name).is_symlink() or (real / name).is_dir():
        return False
    device = real.stat().st_dev
    folders = [real / parent for parent in Path(name).parents if str(parent) != "."]
    return all(not os.path.lexists(one) or _is_plain(one, device) for one in folders)


def _is_plain(folder: Path, device: int) -> bool:
    return folder.is_dir() and not folder.is_symlink() and folder.stat().st_dev == device


def _drop_empty(real: Path, names: Iterable[str]) -> None:
    """Folders that were left empty go with their files."""
    for folder in sorted({parent for name in names for parent in Path(name).parents}, reverse=True):
        if str(folder) != "." and is_plain_place(real, str(folder / "file")):
            with contextlib.suppress(OSError):
                (real / folder).rmdir()
