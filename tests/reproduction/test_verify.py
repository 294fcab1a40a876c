"""What is checked of a run: nothing that was changed passes, and what belongs to no run counts for nothing."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from rdsim.errors import RunError
from rdsim.reproduction import verify
from rdsim.reproduction.replay import blocks_of
from rdsim.simulation import Running
from tests.command import quietly
from tests.command import run as run_command
from tests.folders.test_contents import ASSUMED
from tests.folders.test_contents import QUICK as LITTLE
from tests.reproduction.tampering import BEYOND, TAMPERINGS, csv_cell, edit, seal
from tests.tiny import tiny_folder

ONE = Running(threads=1)

ANNOUNCED = "optimiser.payment_ratio.leap=1"
"""Then every rule stands beside the plan once, which is quicker."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a plan with one answer; its scenario is gone."""
    base = tmp_path_factory.mktemp("finished")
    scenario = tiny_folder(base / "tiny")
    assert quietly("plan", scenario, "--one-shot", "--with", "explain", "--set", ANNOUNCED, "--out", base / "run") == 0
    shutil.rmtree(scenario)
    return base / "run"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a plan of the loop, with decisions made again, other worlds and what would change it; not drawn."""
    base = tmp_path_factory.mktemp("searched")
    scenario = tiny_folder(base / "tiny", scenario=lambda text: text + ASSUMED)
    settings = {**LITTLE, "optimiser.what_if.repeats": 1}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        assert quietly("plan", scenario, *words, "--set", ANNOUNCED, "--out", base / "run") == 0
    return base / "run"


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are written and not drawn, which takes seconds and is tested elsewhere."""
    brief = {"brief.html": "on one page", "brief.svg": "a slide"}
    monkeypatch.setattr("rdsim.report.run_files", lambda *_: {"report.html": "another page", **brief})
    monkeypatch.setattr("rdsim.report.brief_files", lambda _: brief)


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_tampering_is_found(kind: str, finished: Path, tmp_path: Path) -> None:
    tamper, sealed, said = TAMPERINGS[kind]
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    tamper(folder)
    if sealed:
        seal(folder)
    found = verify(folder, running=ONE)
    told = "\n".join(map(str, found.faults))
    assert not found.holds
    assert all(one in told for one in said), told
    assert "does not hold" in str(found)


def test_a_run_that_nobody_touched_holds(finished: Path) -> None:
    found = verify(finished, replications=None, solve=True, running=ONE)
    assert found.holds, "\n".join(map(str, found.faults))
    for words in (
        "the scenario as it was read",
        "rows, worth what it says",
        "the bound, solved again",
        "the answer explain",
        "20 of 20",
    ):
        assert words in str(found)
    assert found.notes == ()


def test_what_a_plan_tells_beside_its_portfolio_is_computed_again(searched: Path) -> None:
    found = verify(searched, replications=4, running=ONE)
    assert found.holds, "\n".join(map(str, found.faults))
    for words in (
        "each lead in its parts",
        "what becomes of money that is not paid",
        "why money lapses",
        "worlds of assumptions, some of them simulated",
        "what is said of decisions by their shares",
        "proven limits of what is not funded",
    ):
        assert words in str(found)
    assert any("shares of re-decisions" in note and "rdsim rerun" in note for note in found.notes), "what was not"


def test_each_of_these_is_found_where_it_was_tampered_with(searched: Path, tmp_path: Path) -> None:
    """All at once, for what one part finds keeps no other from being looked at."""
    folder = tmp_path / "run"
    shutil.copytree(searched, folder)
    for tamper, _ in BEYOND.values():
        tamper(folder)
    seal(folder)
    told = "\n".join(map(str, verify(folder, replications=4, running=ONE).faults))
    for kind, (_, words) in BEYOND.items():
        assert all(one in told for one in words), f"{kind}: {told}"


def test_of_other_versions_limits_must_not_contradict_one_another(searched: Path, tmp_path: Path) -> None:
    """One relaxation may have several sets of prices, so that others are proven elsewhere."""
    folder = tmp_path / "run"
    shutil.copytree(searched, folder)
    edit(folder, lambda manifest: manifest["versions"].update(highspy="1.0"))
    assert verify(folder, replications=4, running=ONE).holds
    csv_cell("unfunded.csv", "at_most", -1e6)(folder)
    seal(folder)
    told = "\n".join(map(str, verify(folder, replications=4, running=ONE).faults))
    assert "unfunded.csv, row 2, column at_most: must be at least what is proven of it" in told


def test_digests_written_anew_are_no_tampering_by_themselves(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    seal(tmp_path / "run")
    assert verify(tmp_path / "run", running=ONE).holds


def test_what_comes_beside_a_run_later_is_no_tampering(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page in another language, a page for who decides, levers, and files of one's own."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    draw_nothing(monkeypatch)
    for words in (["report", folder, "--language", "ko"], ["brief", folder]):
        assert quietly(*words) == 0
    (folder / "what-if").mkdir()
    (folder / "what-if" / "history.json").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    found = run_command(capsys, monkeypatch, "verify", folder, "--threads", 1)
    assert found.code == 0, found.out
    assert found.out.splitlines()[0].startswith(f"{folder} holds: ")
    assert "the bound was not proven again" in found.out


def test_what_does_not_hold_is_told_at_once_with_exit_code_1(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for kind in ("a value in a table", "the page", "a file that is gone"):
        TAMPERINGS[kind][0](folder)
    found = run_command(capsys, monkeypatch, "verify", folder, "--threads", 1)
    assert found.code == 1
    for words in ("outcomes.parquet, row 8, column value", "report.html", "lead.csv", f"{folder} does not hold"):
        assert words in found.out
    assert run_command(capsys, monkeypatch, "verify", tmp_path).code == 2


def test_drawing_a_page_does_not_seal_what_was_changed(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    draw_nothing(monkeypatch)
    TAMPERINGS["a headline"][0](folder)
    assert quietly("report", folder) == 0
    assert "manifest.json" in "\n".join(map(str, verify(folder, running=ONE).faults))


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"with its manifest\.json"):
        verify(tmp_path)


def test_a_sample_is_spread_over_all_replications() -> None:
    assert blocks_of(20, None) == [range(20)]
    assert blocks_of(20, 50) == [range(20)]
    spread = blocks_of(2000, 100)
    assert (spread[0].start, spread[-1].stop, sum(map(len, spread))) == (0, 2000, 100)
    assert all(one.stop <= other.start for one, other in pairwise(spread))
