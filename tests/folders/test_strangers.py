"""What comes between: a user's files where a killed run's shall go, disks that fill up, systems without locks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rdsim.errors import OutputError
from rdsim.folders import MANIFEST, claim, claim_next, is_unfinished, settle, share
from rdsim.folders import locks as system
from tests.folders.runs import FILES, Killed, contents, fill, is_whole, mark_of, steps, stopped_at, work, write

NEW = (*FILES, "more.csv")


def killed_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, had: bool) -> list[Path]:
    """Folders of runs that were killed while their files were moved, each at another step."""

    def before(folder: Path) -> None:
        if had:
            write(folder, "old", (*FILES, "gone.csv")).release()

    before(tmp_path / "count")
    found = []
    for number in range(steps(lambda: work(tmp_path / "count", NEW), monkeypatch)):
        folder = tmp_path / f"at-{number}" / "run"
        before(folder)
        with stopped_at(number, monkeypatch, Killed), contextlib.suppress(Killed):
            work(folder, NEW)
        found += [folder] if is_unfinished(folder) else []
    assert len(found) > 3
    return found


@pytest.mark.parametrize("had", [False, True], ids=["new place", "older run"])
def test_files_that_came_after_a_kill_stay_and_the_run_is_whole_next_door(
    had: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the user's in every name that is free, also those that the older run's files had."""
    moved = 0
    for folder in killed_runs(tmp_path, monkeypatch, had=had):
        names = [name for name in (*NEW, "gone.csv", MANIFEST) if not (folder / name).exists()]
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"mine {name}", encoding="utf-8")
        words = settle(folder)
        assert {name: (folder / name).read_text(encoding="utf-8") for name in names} == {
            name: f"mine {name}" for name in names
        }
        in_the_way = set(names) - {"gone.csv"}
        new = folder.with_name("run-2") if in_the_way else folder
        assert mark_of(new) == "new"
        assert is_whole(new)
        assert bool(in_the_way) == ("run-2" in words[0])
        assert not [name for name in contents(folder.parent) if ".rdsim" in name]
        moved += bool(in_the_way)
    assert moved > 1


def test_a_page_gives_way_to_a_file_that_came_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(folder: Path) -> None:
        place = claim(folder, force=True)
        try:
            fill(place.draft(), "drawn", ("report.html",))
            place.publish(beside=True)
        finally:
            place.release()

    gave_way = 0
    write(tmp_path / "count", "old").release()
    for number in range(steps(lambda: draw(tmp_path / "count"), monkeypatch)):
        folder = tmp_path / f"at-{number}" / "run"
        write(folder, "old").release()
        with stopped_at(number, monkeypatch, Killed), contextlib.suppress(Killed):
            draw(folder)
        if not is_unfinished(folder) or (folder / "report.html").exists():
            continue
        (folder / "report.html").write_text("mine")
        assert "is not put there" in settle(folder)[0]
        assert (folder / "report.html").read_text() == "mine"
        assert (mark_of(folder), is_whole(folder)) == ("old", True)
        gave_way += 1
    assert gave_way


def test_what_was_finished_is_said_where_the_next_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed_runs(tmp_path, monkeypatch, had=False)[0]
    with pytest.raises(OutputError, match=r"(?s)not overwritten.*has been finished"):
        claim(folder)


def test_where_nothing_can_be_made_beside_it_a_run_goes_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount point, or a folder in one that cannot be written."""
    real = os.mkdir

    def refused(path: Any, *words: Any, **named: Any) -> None:
        if Path(path).parent == tmp_path:
            raise PermissionError(13, "Permission denied")
        real(path, *words, **named)

    place = claim(tmp_path / "run")
    fill(place.draft(), "new", FILES)
    (tmp_path / "run" / "portfolio.csv").write_text("mine")
    monkeypatch.setattr(os, "mkdir", refused)
    with pytest.raises(OutputError, match="run/run instead"):
        place.publish()
    place.release()
    assert (tmp_path / "run" / "portfolio.csv").read_text() == "mine"
    assert is_whole(tmp_path / "run" / "run")
    with pytest.raises(OutputError, match="must be writable"):
        claim_next(tmp_path / "other")


def test_a_link_in_the_place_of_the_hidden_folder_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "new"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine")
    write(tmp_path / "run", "old").release()
    (tmp_path / "run" / ".rdsim").symlink_to(tmp_path / "mine")
    before = contents(tmp_path / "mine")
    for enter in (lambda: claim(tmp_path / "run", force=True), lambda: settle(tmp_path / "run")):
        with pytest.raises(OutputError, match=r"link named \.rdsim"):
            enter()
    assert contents(tmp_path / "mine") == before


# --- file systems without locks -------------------------------------------------------------------


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot lock."""

    def refuse(*_words: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(system, "fcntl", SimpleNamespace(flock=refuse, LOCK_EX=2, LOCK_SH=1, LOCK_NB=4))


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_note_of_the_process_keeps_others_out(tmp_path: Path) -> None:
    place = write(tmp_path / "run", "first")
    assert "cannot lock files" in place.words[0]
    assert len(place.words) == 1
    with pytest.raises(OutputError, match=rf"process {os.getpid()} on .*remove .*owner"):
        claim(tmp_path / "run", force=True)
    place.release()
    assert is_whole(tmp_path / "run")
    assert not (tmp_path / "run" / ".rdsim").exists()
    assert claim_next(tmp_path / "run").folder.name == "run-2"


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize(("note", "free"), [("{dead} {host}", True), ("{dead} elsewhere", False), ("", False)])
def test_without_locks_a_note_of_a_dead_process_of_this_machine_is_taken_away(
    note: str, free: bool, tmp_path: Path
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    desk = tmp_path / "run" / ".rdsim"
    desk.mkdir(parents=True)
    (desk / "owner").write_text(note.format(dead=ended.pid, host=system.socket.gethostname()))
    with contextlib.nullcontext() if free else pytest.raises(OutputError, match="another run is writing there"):
        claim(tmp_path / "run").release()
    assert desk.exists() != free


# --- the same work, and other work ----------------------------------------------------------------


def entered(folder: Path, work: str, then: Callable[[], object] = lambda: None) -> None:
    """Come to a folder for a piece of work."""
    with share(folder, work, "other work is done there"):
        then()


def test_the_same_work_is_shared_and_another_is_refused_while_it_is_done(tmp_path: Path) -> None:
    def second() -> None:
        entered(tmp_path, "one", lambda: entered(tmp_path, "one"))
        with pytest.raises(OutputError, match="other work is done there"):
            entered(tmp_path, "another")

    entered(tmp_path, "one", second)
    assert contents(tmp_path) == {}
    (tmp_path / ".rdsim-work").write_text("a sweep that was killed long ago")
    entered(tmp_path, "another")
    assert contents(tmp_path) == {}


@pytest.mark.usefixtures("no_locks")
def test_without_locks_nobody_is_kept_out_of_shared_work(tmp_path: Path) -> None:
    entered(tmp_path, "one", lambda: entered(tmp_path, "another"))
    assert contents(tmp_path) == {}
