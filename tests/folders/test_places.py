"""Places: reserved before the work, never taken from anybody, and whole or not there whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rdsim.errors import OutputError
from rdsim.folders import MANIFEST, claim, claim_next, new_folder, settle, write_whole
from rdsim.scenario import start
from tests.folders.runs import FILES, Killed, contents, fill, is_whole, steps, stopped_at, work, write


def no_space() -> OSError:
    return OSError(28, "No space left on device")


# --- names are reserved ---------------------------------------------------------------------------


def test_runs_that_begin_together_get_names_of_their_own(tmp_path: Path) -> None:
    gate = threading.Barrier(6)

    def run(number: int) -> str:
        gate.wait()
        place = claim_next(tmp_path / "s")
        fill(place.draft(), str(number), FILES)
        gate.wait()
        place.publish()
        place.release()
        return place.folder.name

    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(run, range(6)))
    assert sorted(names) == ["s", "s-2", "s-3", "s-4", "s-5", "s-6"]
    assert all(is_whole(tmp_path / name) for name in names)
    assert [json.loads((tmp_path / name / MANIFEST).read_text())["mark"] for name in names] == list("012345")


def test_the_second_with_the_same_name_is_refused_before_its_work(tmp_path: Path) -> None:
    first = claim(tmp_path / "run")
    with pytest.raises(OutputError, match="another run is writing there"):
        claim(tmp_path / "run", force=True)
    first.release()
    assert contents(tmp_path) == {}


def test_a_claim_that_is_given_back_leaves_nothing(tmp_path: Path) -> None:
    place = claim(tmp_path / "run")
    (place.draft() / "half").write_text("half")
    place.release()
    assert contents(tmp_path) == {}
    (tmp_path / "empty").mkdir()
    claim(tmp_path / "empty").release()
    assert contents(tmp_path) == {"empty/": ""}


# --- what is there stays --------------------------------------------------------------------------


def test_without_force_a_finished_run_stays(tmp_path: Path) -> None:
    write(tmp_path / "run", "old").release()
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="--force"):
        claim(tmp_path / "run")
    assert contents(tmp_path) == before
    assert claim_next(tmp_path / "run").folder.name == "run-2"


def test_with_force_only_files_of_the_run_go(tmp_path: Path) -> None:
    write(tmp_path / "run", "old").release()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "baselines" / "mine.csv").write_text("mine")
    write(tmp_path / "run", "new", ("portfolio.csv", "more.csv"), force=True).release()
    found = contents(tmp_path / "run")
    assert set(found) == {MANIFEST, "portfolio.csv", "more.csv", "notes.txt", "baselines/", "baselines/mine.csv"}
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert is_whole(tmp_path / "run")


@pytest.mark.parametrize(
    "text", ['{"name": "my web page", "icons": []}', "[]", "not JSON", '{"rdsim": 1, "files": {}}', ""]
)
def test_a_manifest_of_something_else_protects_its_folder(text: str, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / MANIFEST).write_text(text)
    (tmp_path / "web" / "index.html").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="files that are not a run's"):
        claim(tmp_path / "web", force=True)
    assert contents(tmp_path) == before


def test_a_list_that_names_files_elsewhere_is_no_runs(tmp_path: Path) -> None:
    write(tmp_path / "run", "old").release()
    (tmp_path / "precious.txt").write_text("mine")
    for name in ("../precious.txt", str(tmp_path / "precious.txt"), "a/../../precious.txt"):
        told = json.loads((tmp_path / "run" / MANIFEST).read_text())
        told["files"][name] = "0" * 64
        (tmp_path / "run" / MANIFEST).write_text(json.dumps(told))
        with pytest.raises(OutputError):
            claim(tmp_path / "run", force=True)
        del told["files"][name]
        (tmp_path / "run" / MANIFEST).write_text(json.dumps(told))
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_folder_of_the_run_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "run", "old").release()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "one.csv").write_text("mine")
    (tmp_path / "run" / "baselines" / "one.csv").unlink()
    (tmp_path / "run" / "baselines").rmdir()
    (tmp_path / "run" / "baselines").symlink_to(tmp_path / "elsewhere")
    write(tmp_path / "run", "new", ("portfolio.csv",), force=True).release()
    assert (tmp_path / "elsewhere" / "one.csv").read_text() == "mine"
    assert (tmp_path / "run" / "baselines").is_symlink()


def test_what_came_in_the_way_meanwhile_stays_and_the_run_goes_next_door(tmp_path: Path) -> None:
    place = claim(tmp_path / "run")
    fill(place.draft(), "new", FILES)
    (tmp_path / "run" / "portfolio.csv").write_text("mine")
    with pytest.raises(OutputError, match="run-2 instead"):
        place.publish()
    place.release()
    assert contents(tmp_path / "run").keys() == {"portfolio.csv"}
    assert (tmp_path / "run" / "portfolio.csv").read_text() == "mine"
    assert is_whole(tmp_path / "run-2")


# --- kinds of places ------------------------------------------------------------------------------


def test_links_lead_to_the_place_and_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link", "new").release()
    assert (tmp_path / "link").is_symlink()
    assert is_whole(tmp_path / "real")
    write(tmp_path / "link", "newer", force=True).release()
    assert is_whole(tmp_path / "real")


@pytest.mark.parametrize("target", ["nowhere", "link"], ids=["dangling", "loop"])
def test_links_to_nowhere_are_refused_before_the_work(target: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(OutputError):
        claim(tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_the_folder_that_one_is_in_stays_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    write(Path(), "new").release()
    write(Path(), "newer", force=True).release()
    assert tmp_path.stat().st_ino == before == os.stat(".").st_ino
    assert is_whole(Path())


def test_names_that_cannot_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300), Path("/proc/rdsim/run")):
        with pytest.raises(OutputError):
            claim(place, force=True)
    assert (tmp_path / "file").read_text() == "mine"


# --- kills at every step --------------------------------------------------------------------------


def prepared(folder: Path, force: bool) -> dict[str, str]:
    """The place before the run: with force an older run and notes of the user's, which are returned."""
    if not force:
        return {}
    write(folder, "old", (*FILES, "gone.csv")).release()
    (folder / "notes.txt").write_text("mine")
    (folder / "baselines" / "mine.csv").write_text("mine")
    return {name: digest for name, digest in contents(folder).items() if name.endswith(("notes.txt", "mine.csv"))}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [Killed, no_space],
                         ids=["kill", "full disk"])  # fmt: skip
def test_stopped_at_any_step_nothing_is_lost_halved_or_left(
    error: type[BaseException], force: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_folder = tmp_path / "count"
    prepared(count_folder, force)
    count = steps(lambda: work(count_folder, force=force), monkeypatch)
    assert count > 15
    for number in range(count):
        folder = tmp_path / f"at-{number}" / "run"
        mine = prepared(folder, force)
        with (
            stopped_at(number, monkeypatch, error),
            contextlib.suppress(Killed, OSError, OutputError, KeyboardInterrupt),
        ):
            work(folder, force=force)
        check(folder, mine, had=force)


def check(folder: Path, mine: dict[str, str], *, had: bool) -> None:
    """After a stop, and after the next run: what was finished is there, the user's files are, litter is not."""
    if folder.exists():
        is_whole(folder)
    if had:
        settle(folder)
        assert is_whole(folder), "a finished run was lost"
    found = contents(folder) if folder.exists() else {}
    assert mine.items() <= found.items()
    write(folder, "next", force=True).release()
    found = contents(folder)
    assert is_whole(folder)
    assert set(found) == {*FILES, MANIFEST, "baselines/", *mine}
    assert contents(folder.parent).keys() == {"run/", *(f"run/{name}" for name in found)}


def _place(base: Path, name: str) -> Path:
    """A folder to be made, by one name wherever it is: a scenario goes by its folder's."""
    (base / name).mkdir()
    return base / name / "mine"


def test_a_new_folder_that_the_disk_had_no_room_for_can_be_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = steps(lambda: start(_place(tmp_path, "count")), monkeypatch)
    for number in range(0, count, 2):
        folder = _place(tmp_path, f"at-{number}")
        with stopped_at(number, monkeypatch, no_space), contextlib.suppress(OutputError):
            start(folder)
        settle(folder)
        if not (folder / "scenario.toml").exists():
            start(folder)
        assert contents(folder) == contents(tmp_path / "count" / "mine")


def test_a_new_folder_that_was_killed_at_any_step_can_be_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same command and nothing else; one that had been committed is finished, and is then in the way."""
    count = steps(lambda: start(_place(tmp_path, "count")), monkeypatch)
    for number in range(count):
        folder = _place(tmp_path, f"at-{number}")
        with stopped_at(number, monkeypatch, Killed), contextlib.suppress(Killed, OutputError):
            start(folder)
        with contextlib.suppress(OutputError):
            start(folder)
        assert contents(folder) == contents(tmp_path / "count" / "mine")


def test_what_was_finished_next_door_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that died while it took its place is finished by the next, though that one goes elsewhere."""
    count = steps(lambda: work(tmp_path / "count", force=False), monkeypatch)
    said = 0
    for number in range(count):
        base = tmp_path / f"at-{number}" / "run"
        with stopped_at(number, monkeypatch, Killed), contextlib.suppress(Killed):
            work(base, force=False)
        place = claim_next(base)
        if place.folder != base and contents(base):
            said += bool(place.words)
            assert all("has been finished" in one for one in place.words)
        place.release()
    assert said


def test_a_new_folder_is_not_begun_in_one_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutputError, match="empty please"), new_folder(tmp_path, "empty please"):
        pass
    assert contents(tmp_path).keys() == {"mine"}


# --- real signals ---------------------------------------------------------------------------------

_ENDLESS = """
import signal, sys, time
from pathlib import Path
from rdsim.folders import claim, terminate_like_ctrl_c
from tests.folders.runs import FILES, fill
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a shell it is ignored
terminate_like_ctrl_c()
place = claim(sys.argv[1], force=True)
try:
    fill(place.draft(), "new", FILES)
    print("writing", flush=True)
    time.sleep(60)
finally:
    place.release()
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_live_run_is_left_alone_and_a_dead_one_is_cleared_away(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write(folder, "old").release()
    before = contents(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", _ENDLESS, str(folder)], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    with pytest.raises(OutputError, match="another run is writing there"):
        claim(folder, force=True)
    process.send_signal(number)
    process.wait(timeout=60)
    process.stdout.close()
    place = claim(folder, force=True)
    assert bool(place.words) == (number == signal.SIGKILL)
    place.release()
    assert contents(tmp_path) == before


# --- single files ---------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "README.md"
    path.write_text("old")
    path.chmod(0o640)
    count = steps(lambda: write_whole(path, "new"), monkeypatch)
    for number in range(count):
        path.write_text("old")
        with stopped_at(number, monkeypatch, no_space), pytest.raises(OSError, match="No space"):
            write_whole(path, "new")
        assert path.read_text() == "old"
        assert [one.name for one in tmp_path.iterdir()] == ["README.md"]
    write_whole(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("old")
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    write_whole(tmp_path / "link.md", "new")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text() == "new"


def test_a_part_whose_writer_died_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".notes.md.0123abcd.rdsim-part").write_text("half")
    (tmp_path / ".others.md.0123abcd.rdsim-part").write_text("half of another")
    write_whole(tmp_path / "notes.md", "whole")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".others.md.0123abcd.rdsim-part", "notes.md"]


@pytest.mark.parametrize("name", ["x" * 250, "기술" * 40, "a[b]?*.md"])
def test_names_of_any_kind_are_written(name: str, tmp_path: Path) -> None:
    write_whole(tmp_path / name, "whole")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(name, "whole")]
