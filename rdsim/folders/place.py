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
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from rdsim.errors import Fault, OutputError
from rdsim.folders.files import clear_parts, is_folder
from rdsim.folders.locks import is_abandoned, is_same, lock, sign
from rdsim.folders.manifests import MANIFEST, SWEEP, own_files
from rdsim.folders.moves import DESK, DRAFT, carry_out, commit, files_below, is_beside, is_plain_place, is_unfinished
from rdsim.signals import hold_signals

__all__ = [
    "Occupation",
    "Place",
    "claim",
    "claim_next",
    "is_unfinished",
    "new_folder",
    "occupation",
    "require_name",
    "settle",
]

_LOCK, _OWNER, _MADE, _KEPT = "lock", "owner", "made", "unfinished"
_TRIES = 100

Occupation = Literal["nobody", "a live run", "a dead run", "an unfinished run"]
_FREE = "must be new, empty, or hold an earlier run"


class _TakenError(OutputError):
    """There is something in the place that must stay, or somebody who writes."""

    def __init__(self, faults: tuple[Fault, ...], words: tuple[str, ...] = ()) -> None:
        super().__init__(faults)
        self.words = words
        """What was done there about an earlier run that died, all the same."""


@dataclass(eq=False)
class Place:
    """A claimed place. Nobody else writes there until it is released, or this process dies."""

    folder: Path  # as it was asked for
    real: Path  # where links lead
    handle: int
    words: list[str] = field(default_factory=list)
    """What was done about an earlier run that died, to be told."""
    finished: bool = False
    signed: bool = False
    """Whether a note of this process stands there for the lock."""
    left: bool = False
    """Whether the draft stays where it is when the place is given back."""
    own: frozenset[str] = frozenset()
    """Files there that may be replaced, where no manifest of a run tells which."""

    def draft(self) -> Path:
        """An empty folder to write into."""
        draft = self._desk / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        return draft

    def publish(self, *, beside: bool = False) -> None:
        """Put the draft, which must hold a manifest, in its place: instead of the run that is there, or `beside` its
        other files. Raises OSError if it cannot be done; OutputError if a file that is not the run's is in the way:
        then nothing is replaced, and the draft is put into the next free folder instead.
        """
        files = files_below(self._desk / DRAFT)
        old = self.own or own_files(self.real) or frozenset()
        strangers = [name for name in files if not _is_free(self.real, name, old)]
        if not strangers:
            gone = [] if beside else [name for name in (MANIFEST, *sorted(old - {*files, MANIFEST})) if name in old]
            files.sort(key=lambda name: (name == MANIFEST, name))
            commit(self.real, files, gone, old, beside=beside)
            strangers = carry_out(self.real)
        if strangers:
            self._give_way(strangers, beside)
        self.finished = True

    def keep(self) -> Path | None:
        """Leave the draft in the open, in a folder of its own in this one; None if no file is in it, or if it is
        committed. Returns where it is."""
        draft = self._desk / DRAFT
        if is_unfinished(self.real) or not files_below(draft):
            return None
        names = (f"{_KEPT}-{number}" if number > 1 else _KEPT for number in count(1))
        name = next(one for one in names if not os.path.lexists(self.real / one))
        try:
            draft.rename(self.real / name)
        except OSError:
            self.left, name = True, f"{DESK}/{DRAFT}"
        self.finished = True
        return self.folder / name

    def release(self) -> None:
        """Give the place back: what is not published is cleared away, and the folder too if it was made for it."""
        try:
            made = (self._desk / _MADE).exists()
            with contextlib.suppress(OSError):
                if self.left or is_unfinished(self.real):
                    _unsign(self.real, self.signed)
                    return
                _clear(self.real)
                if made and not self.finished:
                    self.real.rmdir()
        finally:
            os.close(self.handle)

    @property
    def _desk(self) -> Path:
        return self.real / DESK

    def _give_way(self, strangers: list[str], beside: bool) -> None:
        """Files that are not the run's stay; a whole run goes elsewhere."""
        rule = "files that are not the run's are in the way, and stay"
        if not beside:
            rule += f"; the run was written to {_move_elsewhere(self)} instead"
        raise OutputError((Fault(str(self.folder), rule, ", ".join(strangers[:5])),))


# --- claiming -------------------------------------------------------------------------------------


def claim(folder: str | Path, *, force: bool = False, own: frozenset[str] = frozenset()) -> Place:
    """Reserve a place before the work: a folder that is new, empty, or with `force` holds a finished run; or one in
    which files that are there are the caller's `own`.

    What an earlier run that died had left there is finished, or cleared away. Raises OutputError if the place cannot
    be used: it holds something else, a live run writes there, it cannot be written, or it is a link to nowhere.
    """
    asked = Path(folder)
    try:
        real = _resolve(asked)
        _check(asked, real, own, force=force or (real / DESK).exists())
        place = _claim(asked, real)
        place.own = own
    except OSError as error:
        raise OutputError((Fault(str(asked), "must be writable", error.strerror or str(error)),)) from None
    try:
        place.words += _recover(place)
        _check(asked, real, own, force=force)
    except _TakenError as error:
        place.release()
        told = (Fault(str(asked), sentence.removeprefix(f"{asked}: ")) for sentence in place.words)
        raise _TakenError((*error.faults, *told), tuple(place.words)) from None
    except BaseException:
        place.release()
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
def new_folder(folder: str | Path, rule: str, own: Collection[str] = ()) -> Iterator[Path]:
    """A draft that takes its place as the folder, whole, at the end of the block; nothing is left if that fails.

    Of a folder that holds files called as in `own`, these are replaced by those of the draft, and all others stay.

    Raises OutputError, with the rule, if the folder is not new or empty; and if it cannot be written. One that was
    killed while it took its place is finished first.
    """
    path = Path(folder)
    try:
        settle(path)
        known = frozenset(name for name in own if is_plain_place(path, name) and (path / name).is_file())
        is_new = not os.path.lexists(path) or (path.is_dir() and all(one.name == DESK for one in path.iterdir()))
        if not is_new and not known:
            raise OutputError((Fault(str(path), rule, "something else", "Name another."),))
        place = claim(path, own=known)
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
    if not is_folder(Path(folder) / DESK):
        return []
    real = Path(os.path.realpath(folder))
    _refuse_link(Path(folder), real)
    place = _claim(Path(folder), real)
    try:
        return list(_recover(place))
    finally:
        place.release()


def occupation(folder: str | Path) -> Occupation:
    """Who holds a claimed folder: nobody, a run that lives (or may), one that died before anything of it was in its
    place, or one that died while its files were moved there. Nothing is changed."""
    desk = Path(folder) / DESK
    if not is_folder(desk):
        return "nobody"
    if (desk / _OWNER).exists() or ((desk / _LOCK).exists() and not is_abandoned(desk / _LOCK)):
        return "a live run"
    return "an unfinished run" if is_unfinished(Path(folder)) else "a dead run"


def require_name(folder: Path) -> None:
    """Raise OutputError for a folder whose name, from the root on, not all that writes files can have."""
    try:
        fits = "\0" not in str(folder) and bool(os.path.realpath(folder).encode())
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise OutputError((Fault(ascii(str(folder)), "must have a name that is UTF-8", "", "Name another."),))


def _resolve(asked: Path) -> Path:
    require_name(asked)
    real = Path(os.path.realpath(asked))
    if asked.is_symlink() and not real.exists():
        raise _TakenError((Fault(str(asked), "must not be a link that leads nowhere", str(real), "Name another."),))
    return real


def _check(asked: Path, real: Path, own: frozenset[str], *, force: bool) -> None:
    """Refuse a place that holds what must not be replaced; `own` files there may be."""
    _refuse_link(asked, real)
    if real.exists() and not real.is_dir():
        raise _TakenError((Fault(str(asked), "must be a folder", "a file", "Name another."),))
    names = [path.name for path in real.iterdir() if path.name != DESK] if real.exists() else []
    if not names or own or (force and is_unfinished(real)):
        return
    if own_files(real) is None:
        found = "a sweep" if SWEEP in names else "files that are not a run's"
        raise _TakenError((Fault(str(asked), _FREE, found, "Name another."),))
    if not force:
        rule = "a finished run is not overwritten"
        raise _TakenError((Fault(str(asked), rule, MANIFEST, "Give --force, or another --out."),))


def _refuse_link(asked: Path, real: Path) -> None:
    """What is written and cleared away out of sight must be in the place itself."""
    if (real / DESK).is_symlink():
        raise _TakenError((Fault(str(asked), f"must not hold a link named {DESK}", "", "Name another."),))


def _claim(asked: Path, real: Path) -> Place:
    """The place with its lock. Others may clear their own away at the same time: then it is tried again."""
    for _ in range(_TRIES):
        made = _make(real)
        try:
            place = _lock(asked, real, made)
        except BaseException:
            if made:  # nobody else has put anything there: else it stays
                _remove_empty(real / DESK, real)
            raise
        if place is not None:
            return place
    raise OSError(0, "others make and remove it all the time")


def _lock(asked: Path, real: Path, made: bool) -> Place | None:
    """The place, or None if the lock was cleared away meanwhile."""
    try:
        (real / DESK).mkdir(exist_ok=True)
        handle = os.open(real / DESK / _LOCK, os.O_CREAT | os.O_RDWR, 0o666)
    except FileNotFoundError:
        return None
    try:
        signed = _take(asked, real / DESK, handle)
        if not is_same(handle, real / DESK / _LOCK):
            _unsign(real, signed)
            return None
        if made:
            (real / DESK / _MADE).touch()
        return Place(asked, real, os.dup(handle), [f"{asked}: {_NO_LOCKS}"] if signed else [], signed=signed)
    except FileNotFoundError:
        return None
    finally:
        os.close(handle)


_NO_LOCKS = "its file system cannot lock files; a note of this process keeps other runs out"


def _take(asked: Path, desk: Path, handle: int) -> bool:
    """Take the lock, or sign where files cannot be locked: whether it was signed. Raises OutputError if another has
    either."""
    advice = "Wait for it, or give another --out."
    try:
        signed, found = False, "" if lock(handle) else "a live run"
    except OSError:
        signed, found = True, sign(desk / _OWNER)
        advice += f" If it is gone: remove {desk / _OWNER}."
    if found:
        raise _TakenError((Fault(str(asked), "another run is writing there", found, advice),))
    return signed


def _unsign(real: Path, signed: bool) -> None:
    if signed:
        (real / DESK / _OWNER).unlink(missing_ok=True)


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _make(real: Path) -> bool:
    """Whether the folder was made here; a folder of that name may be there already."""
    real.parent.mkdir(parents=True, exist_ok=True)
    try:
        real.mkdir()
    except FileExistsError:
        return False
    return True


# --- what a dead run left -------------------------------------------------------------------------


def _recover(place: Place) -> Iterator[str]:
    """Finish what was committed, else clear the draft away. Says what was done."""
    draft = place.real / DESK / DRAFT
    if is_unfinished(place.real):
        with hold_signals():
            done = _carry_out(place)
        yield f"{place.folder}: {done}"
    elif draft.exists():
        lost = bool(files_below(draft))  # one whose files are all in their place was only not taken away
        shutil.rmtree(draft, ignore_errors=True)
        if lost:
            yield f"{place.folder}: the unfinished draft of a run that was killed has been cleared away"
    clear_parts(place.real)


def _carry_out(place: Place) -> str:
    """Finish what was committed; what was done, in words. Raises OutputError if it cannot be."""
    finished = "a run that was killed while it was put in its place has been finished"
    try:
        beside = is_beside(place.real)
        strangers = ", ".join(carry_out(place.real)[:5])
    except OSError as error:
        raise OutputError((Fault(str(place.folder), "must be writable", error.strerror or str(error)),)) from None
    if not strangers:
        return finished
    if beside:
        return f"the page of a run that was killed is not put there: files of that name stay ({strangers})"
    return f"{finished} in {_move_elsewhere(place)}: files of that name stay ({strangers})"


def _move_elsewhere(place: Place) -> Path:
    """Put the draft, a whole run, into the next free folder, beside the place or else in it; returns where."""
    draft = place.real / DESK / DRAFT
    for base in (place.real, place.real / place.real.name):
        with contextlib.suppress(OSError, OutputError), _hold(claim_next(base)) as other:
            shutil.move(draft, other.real / DESK / DRAFT)
            try:
                other.publish()
            except OSError:
                return other.keep() or other.folder
            return other.folder
    return place.keep() or place.folder


@contextlib.contextmanager
def _hold(place: Place) -> Iterator[Place]:
    try:
        yield place
    finally:
        place.release()


def _clear(real: Path) -> None:
    """Take the hidden folder away, and of it only what is ours."""
    desk = real / DESK
    shutil.rmtree(desk / DRAFT, ignore_errors=True)
    clear_parts(desk)
    for name in (_MADE, _OWNER, _LOCK):
        (desk / name).unlink(missing_ok=True)
    desk.rmdir()


def _is_free(real: Path, name: str, old: frozenset[str]) -> bool:
    """Whether a new file may go there: nothing is in its way but a file of the old run."""
    return is_plain_place(real, name) and (name in old or not (real / name).exists())
