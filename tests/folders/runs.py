"""Runs made of a few words, whose writing can be stopped at any step."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rdsim.folders import MANIFEST, Place, claim

__all__ = ["FILES", "Killed", "contents", "fill", "is_whole", "mark_of", "steps", "stopped_at", "work", "write"]

FILES = ("baselines/one.csv", "outcomes.parquet", "portfolio.csv")


class Killed(BaseException):
    """Stands for the end of the process: nothing behind it runs, not even what cleans up."""


def write(folder: Path, mark: str, names: tuple[str, ...] = FILES, *, force: bool = False) -> Place:
    """A run of these files, each with the mark in it; the place stays claimed."""
    place = claim(folder, force=force)
    fill(place.draft(), mark, names)
    place.publish()
    return place


def fill(draft: Path, mark: str, names: tuple[str, ...]) -> None:
    """The files of a run, and its manifest."""
    for name in names:
        (draft / name).parent.mkdir(exist_ok=True)
        (draft / name).write_text(f"{mark} {name}", encoding="utf-8")
    files = {name: hashlib.sha256(f"{mark} {name}".encode()).hexdigest() for name in names}
    body = {"rdsim": "0", "complete": True, "missing": [], "files": files, "versions": {}, "mark": mark}
    (draft / MANIFEST).write_text(json.dumps(body), encoding="utf-8")


def work(folder: Path, names: tuple[str, ...] = FILES, *, force: bool = True) -> None:
    """A run as commands have it: the place is given back, whatever happens."""
    place = claim(folder, force=force)
    try:
        fill(place.draft(), "new", names)
        place.publish()
    finally:
        place.release()


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with its bytes' digest; folders end in a slash."""
    return {
        path.relative_to(folder).as_posix() + "/" * path.is_dir(): ""
        if path.is_dir()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


def is_whole(folder: Path) -> bool:
    """Whether a folder has a manifest, and every file that it lists as it lists it."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        return False
    found = contents(folder)
    assert all(found.get(name) == digest for name, digest in listed.items()), "half a run was taken for a whole one"
    return True


def mark_of(folder: Path) -> str:
    """The mark of the run in a folder."""
    mark: str = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["mark"]
    return mark


_MODULES: tuple[tuple[object, str], ...] = (
    (os, "mkdir"),
    (os, "unlink"),
    (os, "replace"),
    (os, "rename"),
    (os, "rmdir"),
    (os, "fsync"),
    (shutil, "rmtree"),
    (Path, "touch"),
    (os, "open"),
    (io, "open"),
)


@contextmanager
def stopped_at(number: int, monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException]) -> Iterator[list[str]]:
    """Let the error come instead of the step of that number; after it nothing works, as after a kill, if it is
    `Killed`. Yields the names of the steps that were taken."""
    taken: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*words: object, **named: object) -> object:
            if name == "open" and not _writes(named.get("mode", words[1] if len(words) > 1 else "r")):
                return real(*words, **named)
            taken.append(name)
            dead = len(taken) > number if error is Killed else len(taken) == number + 1
            if dead:
                raise error()
            return real(*words, **named)

        return step

    with monkeypatch.context() as patched:
        for home, name in _MODULES:
            patched.setattr(home, name, counted(name, getattr(home, name)))
        yield taken


def _writes(mode: object) -> bool:
    return bool(mode & os.O_CREAT) if isinstance(mode, int) else bool({"w", "x"} & set(str(mode)))


def steps(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many steps a piece of work takes on the disk."""
    with stopped_at(10**9, monkeypatch, Killed) as taken:
        work()
    return len(taken)
