"""The place of a run: reserved before the work, filled out of sight, and shown when all is written.

A place is a folder. While a run lives, it holds a hidden folder `.rdsim` with a lock, which the system frees when the
run dies, and the draft of what is being written. When the draft is whole, a list of what is to be moved and removed
is written beside it (`commit`); from then on the step is finished by whoever comes next, should the run die in the
middle of it. Before that, the next run at the place clears the draft away. Only files that the manifest of an earlier
run lists are ever replaced or removed: others stay where they are, untouched, and so do the folder itself, what
permissions it has, what is mounted there and links that lead to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rdsim.errors import Fault, OutputError
from rdsim.folders.documents import FileName, Record, read_document
from rdsim.folders.files import clear_parts, write_whole
from rdsim.folders.locks import lock
from rdsim.folders.manifests import MANIFEST, SWEEP, listed

__all__ = ["Place", "claim", "claim_next", "is_unfinished", "new_folder", "settle"]

_DESK = ".rdsim"
_LOCK, _MADE, _DRAFT, _COMMIT = "lock", "made", "new", "commit"
_TRIES = 100
_FREE = "must be new, empty, or hold an earlier run"


class _TakenError(OutputError):
    """There is something in the place that must stay, or somebody who writes."""

    words: tuple[str, ...] = ()
    """What was done there about an earlier run that died, all the same."""


class _Commit(Record):
    """What a step still has to do: files to take away, then files to put in their place, in this order."""

    remove: Annotated[list[FileName], Field(max_length=1_000_000)]
    files: Annotated[list[FileName], Field(max_length=1_000_000)]


@dataclass(eq=False)
class Place:
    """A claimed place. Nobody else writes there until it is released, or this process dies."""

    folder: Path  # as it was asked for
    real: Path  # where links lead
    handle: int
    words: list[str] = field(default_factory=list)
    """What was done about an earlier run that died, to be told."""
    finished: bool = False

    def draft(self) -> Path:
        """An empty folder to write into."""
        draft = self._desk / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        return draft

    def publish(self, *, beside: bool = False) -> None:
        """Put the draft, which must hold a manifest, in its place: instead of the run that is there, or `beside` its
        other files. Raises OutputError if it cannot be done, or if a file that is not the run's is in the way: then
        nothing is replaced, and the draft is put into the next free folder instead.
        """
        draft = self._desk / _DRAFT
        files = _files(draft)
        old = listed(self.real) or frozenset()
        strangers = [name for name in files if not _is_free(self.real, name, old)]
        if strangers:
            self._give_way(strangers, beside)
        gone = [] if beside else [name for name in (MANIFEST, *sorted(old - {*files, MANIFEST})) if name in old]
        files.sort(key=lambda name: (name == MANIFEST, name))
        try:
            _sync(draft, files)
            write_whole(self._desk / _COMMIT, json.dumps({"remove": gone, "files": files}))
            _carry_out(self.real)
        except OSError as error:
            raise OutputError((Fault(str(self.folder), "must be writable", error.strerror or str(error)),)) from None
        self.finished = True

    def release(self) -> None:
        """Give the place back: what is not published is cleared away, and the folder too if it was made for it."""
        try:
            made = (self._desk / _MADE).exists()
            with contextlib.suppress(OSError):
                if not (self._desk / _COMMIT).exists():
                    _clear(self.real)
                    if made and not self.finished:
                        self.real.rmdir()
        finally:
            os.close(self.handle)

    @property
    def _desk(self) -> Path:
        return self.real / _DESK

    def _give_way(self, strangers: list[str], beside: bool) -> None:
        """Files that are not the run's stay; a whole run goes into the next free folder."""
        rule = "files that are not the run's are in the way, and stay"
        if not beside:
            other = claim_next(self.real)
            try:
                shutil.move(self._desk / _DRAFT, other._desk / _DRAFT)
                other.publish()
            finally:
                other.release()
            rule += f"; the run was written to {other.folder} instead"
        raise OutputError((Fault(str(self.folder), rule, ", ".join(strangers[:5])),))


# --- claiming -------------------------------------------------------------------------------------


def claim(folder: str | Path, *, force: bool = False) -> Place:
    """Reserve a place before the work: a folder that is new, empty, or with `force` holds a finished run.

    What an earlier run that died had left there is finished, or cleared away. Raises OutputError if the place cannot
    be used: it holds something else, a live run writes there, it cannot be written, or it is a link to nowhere.
    """
    asked = Path(folder)
    try:
        real = _resolved(asked)
        _check(asked, real, force=force or (real / _DESK).exists())
        place = _claimed(asked, real)
    except OSError as error:
        raise OutputError((Fault(str(asked), "must be writable", error.strerror or str(error)),)) from None
    try:
        place.words += _recovered(asked, real)
        _check(asked, real, force=force)
    except BaseException as error:
        place.release()
        if isinstance(error, _TakenError):
            error.words = tuple(place.words)
        raise
    return place


def claim_next(folder: str | Path) -> Place:
    """Reserve the first of NAME, NAME-2, NAME-3, ... that is new. Raises OutputError if none can be made."""
    base, words = Path(folder), list[str]()
    for number in count(1):
        try:
            place = claim(base if number == 1 else base.with_name(f"{base.name}-{number}"))
        except _TakenError as error:
            words += error.words
        else:
            place.words[:0] = words
            return place
    raise AssertionError  # pragma: no cover - numbers do not end


@contextlib.contextmanager
def new_folder(folder: str | Path, rule: str) -> Iterator[Path]:
    """A draft that takes its place as the folder, whole, at the end of the block; nothing is left if that fails.

    Raises OutputError, with the rule, if the folder is not new or empty; and if it cannot be written. One that was
    killed while it took its place is finished first.
    """
    path = Path(folder)
    try:
        settle(path)
        if os.path.lexists(path) and (not path.is_dir() or any(one.name != _DESK for one in path.iterdir())):
            raise OutputError((Fault(str(path), rule, "something else", "Name another."),))
        place = claim(path)
        try:
            yield place.draft()
            place.publish()
        finally:
            place.release()
    except OSError as error:
        raise OutputError((Fault(str(path), "the folder must be writable", error.strerror or str(error)),)) from None


def settle(folder: str | Path) -> list[str]:
    """Finish, or clear away, what a run that died left in a folder; says what was done. Raises OutputError if a live
    run writes there."""
    if not (Path(folder) / _DESK).is_dir():
        return []
    place = _claimed(Path(folder), Path(os.path.realpath(folder)))
    try:
        return list(_recovered(place.folder, place.real))
    finally:
        place.release()


def is_unfinished(folder: Path) -> bool:
    """Whether a run died there while its files were moved into their place: the next claim finishes it."""
    return (folder / _DESK / _COMMIT).exists()


def _resolved(asked: Path) -> Path:
    real = Path(os.path.realpath(asked))
    if asked.is_symlink() and not real.exists():
        raise _TakenError((Fault(str(asked), "must not be a link that leads nowhere", str(real), "Name another."),))
    return real


def _check(asked: Path, real: Path, *, force: bool) -> None:
    """Refuse a place that holds what must not be replaced."""
    if real.exists() and not real.is_dir():
        raise _TakenError((Fault(str(asked), "must be a folder", "a file", "Name another."),))
    names = [path.name for path in real.iterdir() if path.name != _DESK] if real.exists() else []
    if not names or (force and is_unfinished(real)):
        return
    if listed(real) is None:
        found = "a sweep" if SWEEP in names else "files that are not a run's"
        raise _TakenError((Fault(str(asked), _FREE, found, "Name another."),))
    if not force:
        rule = "a finished run is not overwritten"
        raise _TakenError((Fault(str(asked), rule, MANIFEST, "Give --force, or another --out."),))


def _claimed(asked: Path, real: Path) -> Place:
    """The place with its lock. Others may clear their own away at the same time: then it is tried again."""
    for _ in range(_TRIES):
        made = _make(real)
        try:
            place = _locked(asked, real, made)
        except BaseException:
            if made:  # nobody else has put anything there: else it stays
                _remove_empty(real / _DESK, real)
            raise
        if place is not None:
            return place
    raise OSError(0, "others make and remove it all the time")


def _locked(asked: Path, real: Path, made: bool) -> Place | None:
    """The place, or None if the lock was cleared away meanwhile."""
    try:
        (real / _DESK).mkdir(exist_ok=True)
        handle = os.open(real / _DESK / _LOCK, os.O_CREAT | os.O_RDWR, 0o666)
    except FileNotFoundError:
        return None
    try:
        if not _lock(handle):
            rule = "another run is writing there"
            raise _TakenError((Fault(str(asked), rule, "", "Wait for it, or give another --out."),))
        if _is_same(handle, real / _DESK / _LOCK):
            if made:
                (real / _DESK / _MADE).touch()
            return Place(asked, real, os.dup(handle))
        return None
    finally:
        os.close(handle)


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _lock(handle: int) -> bool:
    try:
        return lock(handle)
    except OSError as error:
        raise OSError(error.errno, f"its file system cannot lock files ({error.strerror})") from None


def _make(real: Path) -> bool:
    """Whether the folder was made here; a folder of that name may be there already."""
    real.parent.mkdir(parents=True, exist_ok=True)
    try:
        real.mkdir()
    except FileExistsError:
        return False
    return True


def _is_same(handle: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


# --- what a dead run left -------------------------------------------------------------------------


def _recovered(asked: Path, real: Path) -> Iterator[str]:
    """Finish what was committed, else clear the draft away; the place must be claimed. Says what was done."""
    if is_unfinished(real):
        try:
            _carry_out(real)
        except OSError as error:
            raise OutputError((Fault(str(asked), "must be writable", error.strerror or str(error)),)) from None
        yield f"{asked}: a run that was killed while it was put in its place has been finished"
    elif (draft := real / _DESK / _DRAFT).exists():
        lost = bool(_files(draft))  # one whose files are all in their place was only not taken away
        shutil.rmtree(draft, ignore_errors=True)
        if lost:
            yield f"{asked}: the unfinished draft of a run that was killed has been cleared away"
    clear_parts(real)


def _carry_out(real: Path) -> None:
    """Do what is committed and not done yet; begun again it does no harm, wherever it was left."""
    desk = real / _DESK
    step = read_document(desk / _COMMIT, _Commit, OutputError, "must say what is to be done")
    for name in step["remove"]:
        is_new = name in step["files"] and not (desk / _DRAFT / name).exists()
        if _is_ours(real, name) and not is_new:
            (real / name).unlink(missing_ok=True)
    _drop_empty(real, step["remove"])
    for name in step["files"]:
        source = desk / _DRAFT / name
        if source.exists():
            (real / name).parent.mkdir(parents=True, exist_ok=True)
            source.replace(real / name)
    (desk / _COMMIT).unlink()
    shutil.rmtree(desk / _DRAFT, ignore_errors=True)


def _clear(real: Path) -> None:
    """Take the hidden folder away, and of it only what is ours."""
    desk = real / _DESK
    shutil.rmtree(desk / _DRAFT, ignore_errors=True)
    clear_parts(desk)
    for name in (_MADE, _LOCK):
        (desk / name).unlink(missing_ok=True)
    desk.rmdir()


# --- lists of files -------------------------------------------------------------------------------


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def _is_free(real: Path, name: str, old: frozenset[str]) -> bool:
    """Whether a new file may go there: nothing is in its way but a file of the old run."""
    return _is_ours(real, name) and (name in old or not (real / name).exists())


def _is_ours(real: Path, name: str) -> bool:
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
        if str(folder) != "." and _is_ours(real, str(folder / "file")):
            with contextlib.suppress(OSError):
                (real / folder).rmdir()


def _sync(draft: Path, files: Iterable[str]) -> None:
    for name in files:
        with (draft / name).open("rb") as file:
            os.fsync(file.fileno())
