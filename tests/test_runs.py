"""Runs in their folders: whole before they are drawn, kept when a page or a table cannot be, read through a door."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rdsim import report
from rdsim.domain import Choice, Portfolio
from rdsim.errors import InputError, OutputError, RunError
from rdsim.folders import files
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.data import kept
from rdsim.report.page import drawings
from rdsim.report.page.render import render
from rdsim.report.words import cells
from rdsim.results import Run, read_manifest, redraw, write
from rdsim.scenario import load
from rdsim.study import Study
from tests.command import Ran
from tests.command import run as run_command
from tests.edits import edited
from tests.sizes import size
from tests.tiny import tiny_folder

FRAME = pd.DataFrame({
    "x": [1, 2, 3], "y": [0.1, float("nan"), 1 / 3], "low": [0.0, 0.1, -1.5], "high": [1.0, 2.0, 3.0],
    "who": ["기술", "", "<b>"], "some": pd.array([1, None, 3], dtype="Int64"), "sure": [True, False, True],
    "kind": ["a", "b", "a"],
})  # fmt: skip
ODD = FRAME.assign(y=[float("inf"), float("nan"), -0.0], who=["기술", None, "<b>"])
SHEET = Page("Study", "A title", ["First."], [
    Section("One", ["A sentence."],
            [Plot("p", "Why?", "So.", "Read.", FRAME, ("x", "x"), ("y", "y"), colour="kind", tips={"y": Column("?")})],
            [Table("All", ODD, {"x": Column("X", "count"), "y": Column("Y", "money"), "some": Column("S", "count"),
                                  "who": Column("W")})], "text"),
])  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that was made up."""
    scenario = load(tiny_folder(tmp_path_factory.mktemp("world") / "tiny"))
    best = Portfolio((Choice("T1", "domestic", "", 2024),), "best")
    return Study("frontier", scenario, 1, SHEET, {"frontier": FRAME, "more": FRAME}, {}, {"best": best})


@pytest.fixture(scope="module")
def drawn(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the study, with its page."""
    folder = tmp_path_factory.mktemp("drawn") / "run"
    found = write(study, Run(folder))
    assert (found.missing, found.drawn) == ((), True), found.why
    return folder


PRINTS = "import json; print(json.dumps({'report.html': 'the page\\n'}))"
"""A process that draws a page of two words."""


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the process that draws run this instead."""
    monkeypatch.setattr("rdsim.report.page.drawings._CHILD", ("-c", code))


def hashes_hold(folder: Path) -> bool:
    files = read_manifest(folder)["files"]
    return all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in files.items())


# --- pages ----------------------------------------------------------------------------------------


def test_the_page_is_that_of_the_study_and_comes_out_the_same_again(study: Study, drawn: Path, tmp_path: Path) -> None:
    again = tmp_path / "run"
    shutil.copytree(drawn, again)
    (again / "report.html").unlink()
    page = (drawn / "report.html").read_bytes()
    assert redraw(again).drawn
    assert (again / "report.html").read_bytes() == page
    assert page.decode() == render(study.page, read_manifest(drawn))
    assert hashes_hold(again)


def test_what_a_page_shows_is_read_as_it_was_written() -> None:
    document = json.loads(report.page_text(SHEET, {}))
    found = kept.page_from(document, "page")
    assert json.loads(report.page_text(found, {})) == document
    shown, given = (cells(one.sections[0].tables[0])[0] for one in (found, SHEET))
    assert shown[:2] == given[:2]
    pd.testing.assert_frame_equal(found.sections[0].plots[0].frame[["x", "y", "low", "some", "sure"]],
                                  FRAME[["x", "y", "low", "some", "sure"]])  # fmt: skip


@pytest.mark.drawn_apart
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("raise MemoryError('too little')", "too little"),
        ("raise KeyError('odd')", "odd"),
    ],
)
def test_when_drawing_fails_the_run_is_whole_and_says_what_is_missing(
    code: str, says: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, code)
    found = write(study, Run(tmp_path / "run"))
    assert (found.missing, found.drawn, found.drawable) == (("report.html",), False, True)
    assert says in found.why
    manifest = read_manifest(tmp_path / "run")
    assert (manifest["complete"], manifest["missing"]) == (False, ["report.html"])
    assert hashes_hold(tmp_path / "run")
    assert (tmp_path / "run" / "portfolios" / "best.csv").exists()
    child(monkeypatch, PRINTS)
    assert redraw(tmp_path / "run").missing == ()
    assert (tmp_path / "run" / "report.html").read_text() == "the page\n"
    assert read_manifest(tmp_path / "run")["complete"]
    assert not (tmp_path / "run" / ".rdsim").exists()


@pytest.mark.drawn_apart
@pytest.mark.parametrize("said", ["the page", "[1]", '{"report.html": 3}', ""])
def test_a_process_that_says_anything_else_has_drawn_nothing(
    said: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, f"print({said!r})")
    found = write(study, Run(tmp_path / "run"))
    assert (found.missing, found.drawn) == (("report.html",), False)
    assert "no page" in found.why


@pytest.mark.drawn_apart
def test_a_process_that_died_waiting_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import sys; sys.stdin.read(); print('the page')")
    with drawings.at_hand() as ready:
        assert ready is not None
        ready.kill()
        ready.wait()
        assert drawings._ask(("sheet",), b"{}", ready) == "the page\n"


@pytest.mark.drawn_apart
def test_a_process_that_nobody_asks_anything_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import sys; sys.stdin.read()")
    with drawings.at_hand() as ready:
        assert ready is not None
        assert ready.poll() is None
    assert ready.returncode is not None


@pytest.mark.drawn_apart
def test_an_interrupt_while_it_is_drawn_leaves_out_the_page(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_words: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.Popen.communicate", interrupted)
    found = write(study, Run(tmp_path / "run"))
    assert (found.missing, found.why) == (("report.html",), "interrupted")
    assert hashes_hold(tmp_path / "run")


@pytest.mark.drawn_apart
def test_a_table_that_the_disk_has_no_room_for_is_missing_and_the_portfolios_are_kept(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pd.DataFrame.to_csv

    def full(table: pd.DataFrame, path: Path, **named: object) -> None:
        if path.name == "more.csv":
            path.write_text("ha")
            raise OSError(28, "No space left on device")
        real(table, path, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    child(monkeypatch, PRINTS)
    found = write(study, Run(tmp_path / "run"))
    assert found.missing == ("more.csv",)
    assert "No space left" in found.why
    manifest = read_manifest(tmp_path / "run")
    assert (manifest["complete"], manifest["missing"]) == (False, ["more.csv"])
    assert not (tmp_path / "run" / "more.csv").exists()
    assert (tmp_path / "run" / "portfolios" / "best.csv").exists()


@pytest.mark.parametrize("force", [False, True], ids=["new place", "older run"])
@pytest.mark.parametrize("full", ["manifest.json", "commit"])
def test_what_could_be_written_is_kept_where_a_disk_is_too_full_for_the_rest(
    full: str, force: bool, study: Study, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest has no room, or the list of what is to be moved: nothing that was written is taken away."""
    run, real = tmp_path / "run", files.write_whole
    if force:
        shutil.copytree(drawn, run)

    def write_until_full(path: Path, data: bytes | str) -> None:
        if path.name == full:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr("rdsim.folders.write_whole", write_until_full)
    monkeypatch.setattr("rdsim.folders.moves.write_whole", write_until_full)
    found = write(study, Run(run, force=force))
    assert found.folder == run / "unfinished"
    assert {"frontier.csv", "more.csv", "portfolios", "page"} <= {one.name for one in found.folder.iterdir()}
    assert found.missing == ("report.html", "manifest.json" if full == "manifest.json" else "its place")
    assert "No space left" in found.why
    assert not (run / ".rdsim").exists()
    assert {one.name for one in run.iterdir()} - {one.name for one in drawn.iterdir()} == {"unfinished"}
    assert not force or hashes_hold(run)
    with pytest.raises(OutputError):
        write(study, Run(run))


def test_of_a_disk_without_any_room_nothing_is_left(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_words: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pandas.DataFrame.to_csv", full)
    monkeypatch.setattr("pathlib.Path.write_text", full)
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    monkeypatch.setattr("rdsim.portfolio.write_whole", full)
    monkeypatch.setattr("rdsim.folders.write_whole", full)
    with pytest.raises(OutputError, match="No space left"):
        write(study, Run(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


@pytest.mark.drawn_apart
def test_report_draws_again_or_says_what_is_wrong(
    rdsim: Callable[..., Ran], drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drawn, tmp_path / "run")
    child(monkeypatch, "import os; os.abort()")
    said = rdsim("report", tmp_path / "run")
    assert (said.code, "SIGABRT" in said.err) == (4, True)
    assert hashes_hold(tmp_path / "run")
    child(monkeypatch, PRINTS)
    said = rdsim("report", tmp_path / "run")
    assert (said.code, str(tmp_path / "run" / "report.html") in said.out) == (0, True)
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "nowhere", tmp_path / "empty"):
        said = rdsim("report", place)
        assert (said.code, "must be the folder of a run" in said.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "run"]


@pytest.mark.drawn_apart
def test_report_finishes_what_a_killed_run_left(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    shutil.copytree(drawn, run)
    (run / ".rdsim" / "new").mkdir(parents=True)
    (run / "manifest.json").rename(run / ".rdsim" / "new" / "manifest.json")
    step = {"remove": ["manifest.json"], "files": ["manifest.json"], "was": {}, "made": {}, "beside": False}
    (run / ".rdsim" / "commit").write_text(json.dumps(step))
    child(monkeypatch, PRINTS)
    found = redraw(run)
    assert found.drawn
    assert "has been finished" in found.words[0]
    assert hashes_hold(run)
    assert not (run / ".rdsim").exists()


# --- doors ----------------------------------------------------------------------------------------


def test_edited_manifests_and_pages_are_read_or_refused(drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "run")
    refused = 0
    for name in ("manifest.json", "page/page.json"):
        path = tmp_path / "run" / name
        text = path.read_text(encoding="utf-8")
        for document in edited(json.loads(text), size(200, 20_000)):
            path.write_text(json.dumps(document), encoding="utf-8")
            try:
                read_manifest(tmp_path / "run")
                report.read_page(tmp_path / "run")
            except InputError:
                refused += 1
        path.write_text(text, encoding="utf-8")
    assert refused > 200


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "null", "1" * 5000, "[" * 100_000, '{"a": NaN}', '{"rdsim": "\\ud800"}', "\x00", '{"a":' * 500],
)
def test_documents_of_any_form_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError):
        read_manifest(tmp_path)


def test_every_fault_of_a_manifest_is_told_at_once(drawn: Path, tmp_path: Path) -> None:
    manifest = read_manifest(drawn)
    manifest["complete"] = "yes"
    manifest["files"]["../../evil"] = "0" * 64
    del manifest["scenario"]["digest"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        read_manifest(tmp_path)
    told = str(caught.value)
    assert all(one in told for one in ("complete", "evil", "scenario.digest", "manifest.json"))
