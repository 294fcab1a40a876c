"""An index of a folder of runs: each told in its line, the best only among what can be compared, never a traceback."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import rdsim
from rdsim import comparison, findings, results
from rdsim.domain import Choice, Portfolio
from rdsim.errors import OutputError, RunError
from rdsim.folders import claim
from rdsim.overview import RunIndex
from rdsim.results import Run
from rdsim.scenario import load
from rdsim.stats import paired_difference
from tests.command import Ran, run
from tests.tiny import tiny_folder
from tests.visible import internal_words_of_page

RICH = (
    Choice("T1", "matching", "US", 2024, 1),
    Choice("T2", "matching", "US", 2024, 2),
    Choice("T4", "domestic", "", 2024, 3),
)
POOR = (Choice("T4", "domestic", "", 2024, 1),)


def _write(
    base: Path, name: str, choices: tuple[Choice, ...], *, seed: int = 1, overrides: tuple[str, ...] = ()
) -> Path:
    """A simulated run in `base`/results."""
    world = load(base / "tiny", overrides)
    found = rdsim.simulate(world, Portfolio(choices, name), replications=30, seed=seed)
    words = ("rdsim", "simulate", "tiny", "--portfolio", f"{name}.csv")
    asked = Run(base / "results" / name, overrides, command=words, scenario=(base / "tiny").as_posix())
    return results.write(findings.of_simulation(found), asked).folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny scenario and runs of it: three of one world and seed, one of another seed, one of another world."""
    folder = tmp_path_factory.mktemp("index")
    tiny_folder(folder / "tiny")
    _write(folder, "rich", RICH)
    _write(folder, "rich-again", RICH)
    _write(folder, "poor", POOR)
    _write(folder, "other-seed", POOR, seed=2)
    _write(folder, "lenient", RICH, overrides=("calibration=lenient",))
    return folder


@pytest.fixture
def shelf(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the runs, in the folder `results` of where rdsim is called."""
    shutil.copytree(base / "results", tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return Path("results")


def _only(shelf: Path, *names: str) -> RunIndex:
    """The index of some of the runs."""
    for path in shelf.iterdir():
        if path.name not in names:
            shutil.rmtree(path)
    return rdsim.index(shelf)


def _edit(run: Path, **changes: object) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def _text(page: str) -> str:
    """What is seen of a page, in one line."""
    body = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


# --- what was tried -------------------------------------------------------------------------------


def test_each_run_is_told_with_what_made_it_and_what_came_of_it(shelf: Path) -> None:
    found = rdsim.index().runs.set_index("run")
    row = found.loc["lenient"]
    assert (row["command"], row["scenario"], row["title"]) == ("simulate", "tiny", "A tiny scenario for tests")
    assert (row["overrides"], row["seed"], row["replications"]) == ("calibration=lenient", 1, 30)
    assert (row["portfolio"], row["funded"], row["partners"]) == ("lenient.csv", 3, 1)
    told = results.read_manifest(shelf / "lenient")["estimates"]["npv"]
    assert tuple(row[["npv", "npv_low", "npv_high"]]) == (told["mean"], told["low"], told["high"])
    assert bool(row["complete"])


def test_worlds_are_scenarios_as_they_ran(shelf: Path) -> None:
    worlds = rdsim.index(shelf).runs.set_index("run")["world"]
    assert worlds["rich"] == worlds["poor"] == worlds["other-seed"] != worlds["lenient"]
    _edit(shelf / "rich", money_unit="million EUR")
    assert rdsim.index(shelf).runs.set_index("run")["world"]["rich"] != worlds["poor"]


def test_when_is_the_time_of_the_manifest_and_is_said_to_be(shelf: Path) -> None:
    os.utime(shelf / "poor" / "manifest.json", (86400 * 365, 86400 * 365))
    when = rdsim.index(shelf).runs.set_index("run")["when"]
    assert when["poor"] == pd.Timestamp.fromtimestamp(86400 * 365)
    assert "when the run's manifest was last written" in _text(rdsim.index(shelf).write().read_text(encoding="utf-8"))


# --- the best of what can be compared -------------------------------------------------------------


def test_the_best_of_a_world_is_ahead_by_its_paired_difference(shelf: Path) -> None:
    found = _only(shelf, "rich", "poor", "lenient")
    best = found.best.set_index(["world", "figure"])
    row = best.loc[(found.runs.set_index("run")["world"]["rich"], "npv")]
    tables = [pd.read_parquet(shelf / name / "expected.parquet")["npv"] for name in (row["best"], row["second"])]
    expected = paired_difference(*tables, 0.95)
    assert {row["best"], row["second"]} == {"rich", "poor"}
    assert (row["difference"], row["difference_low"]) == pytest.approx((expected.mean, expected.low))
    assert row["interval"] == "paired"
    assert row["verdict"] == ("ahead" if expected.low > 0 else "open")
    assert best.loc[(found.runs.set_index("run")["world"]["lenient"], "npv"), "verdict"] == "only"


def test_two_runs_alike_are_no_best(shelf: Path) -> None:
    found = _only(shelf, "rich", "rich-again")
    assert set(found.best["verdict"]) == {"alike"}
    assert any("rich-again has the same in every replication" in line for line in found.lines)


def test_of_another_seed_the_luck_is_other_and_nothing_is_told_apart(shelf: Path) -> None:
    found = _only(shelf, "poor", "other-seed")
    row = found.best.set_index("figure").loc["npv"]
    assert (row["interval"], row["verdict"]) == ("unpaired", "open")  # one portfolio: only its luck differs
    assert any(f"not told apart from {row['second']}" in line for line in found.lines)


def test_intervals_widen_with_the_pairs_that_could_have_been_picked(shelf: Path) -> None:
    tables = [pd.read_parquet(shelf / name / "expected.parquet")["npv"] for name in ("rich", "poor")]
    two = paired_difference(*tables)
    shutil.rmtree(shelf / "rich-again")
    row = rdsim.index(shelf).best.set_index(["world", "figure"]).query("runs == 3").loc[(slice(None), "npv"), :].iloc[0]
    if {row["best"], row["second"]} == {"rich", "poor"}:
        assert row["difference_high"] - row["difference_low"] > two.high - two.low
    else:  # the poor ones of two seeds lead: of other luck, unpaired
        assert row["interval"] == "unpaired"


def test_a_damaged_table_leaves_the_best_unknown_and_says_so(shelf: Path) -> None:
    (shelf / "poor" / "replications.parquet").write_bytes(b"PAR1 no")
    found = _only(shelf, "rich", "poor")
    assert set(found.best["verdict"]) == {"unknown"}
    assert any("tables of theirs are damaged" in line for line in found.lines)


# --- what is no run, or half of one ---------------------------------------------------------------


def _strange(shelf: Path) -> None:
    (shelf / "notes").mkdir()
    (shelf / "notes" / "a.txt").write_text("mine", encoding="utf-8")
    (shelf / ".hidden").mkdir()
    (shelf / "broken").mkdir()
    (shelf / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    (shelf / "foreign").mkdir()
    (shelf / "foreign" / "manifest.json").write_text('{"name": "an app"}', encoding="utf-8")
    shutil.copytree(shelf / "rich", shelf / "nested" / "inner")
    (shelf / "dead" / ".rdsim").mkdir(parents=True)
    (shelf / "dead" / ".rdsim" / "lock").touch()
    (shelf / "begun").mkdir()
    (shelf / "begun" / ".rdsim-work").touch()
    _edit(shelf / "poor", rdsim="0.0.9")
    _edit(shelf / "other-seed", complete=False, missing=["report.html"])
    (shelf / "lenient" / "portfolio.csv").write_text("technology,mode\nT1,domestic\n", encoding="utf-8")


def test_whatever_lies_there_is_told_in_its_line(
    shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _strange(shelf)
    place = claim(shelf / "alive")
    try:
        ran = run(capsys, monkeypatch, "index")
    finally:
        place.release()
    assert (ran.code, ran.err) == (0, "")
    said = {
        "notes: no run: it holds neither manifest.json nor sweep.json.",
        "nested: a folder of 1 run, which rdsim index results/nested lists.",
        "dead: no finished run: a run that died is to be cleared away by the next run at that place.",
        "alive: no finished run: another run is writing there now.",
        "begun: no results yet: a sweep was stopped; the same command goes on.",
        f"poor: written by rdsim 0.0.9; this is {results.read_manifest(shelf / 'rich')['rdsim']}.",
        "other-seed: missing: report.html.",
    }
    lines = ran.out.splitlines()
    assert said <= set(lines)
    for start in ("broken: its manifest cannot be read: ", "foreign: its manifest cannot be read: "):
        assert sum(line.startswith(start) for line in lines) == 1
    assert any(line.startswith("lenient: not compared: ") and "required" in line for line in lines)
    assert "hidden" not in ran.out
    page = _text((shelf / "index.html").read_text(encoding="utf-8"))
    assert all(line.split(": ", 1)[1].rstrip(".") in page for line in said)


def test_asking_changes_nothing_of_what_lies_there(shelf: Path) -> None:
    _strange(shelf)
    before = {path: path.stat().st_mtime_ns for path in shelf.rglob("*") if path.is_file()}
    rdsim.index(shelf)
    assert {path: path.stat().st_mtime_ns for path in shelf.rglob("*") if path.is_file()} == before


def test_a_sweep_is_listed_with_what_it_lacks(base: Path, shelf: Path) -> None:
    experiment = rdsim.Experiment(
        (base / "tiny").as_posix(),
        task="optimise",
        factors={"discount_rate": [0.01, 0.05]},
        replications=5,
    )
    experiment.run(shelf / "swept", jobs=1)
    path = shelf / "swept" / "sweep.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "complete": False, "missing": 1, "done": 1}), encoding="utf-8")
    row = rdsim.index(shelf).runs.set_index("run").loc["swept"]
    assert (row["command"], row["title"], row["missing"]) == ("sweep", "A tiny scenario for tests", "1 point not done")


@pytest.mark.parametrize(
    ("folder", "found"), [("absent", "no such folder"), ("results/rich", "a run"), ("empty", "no")]
)
def test_a_folder_without_runs_is_refused_in_one_message(
    folder: str, found: str, shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("empty").mkdir()
    ran = run(capsys, monkeypatch, "index", folder)
    assert ran.code == 2
    assert f"Found: {found}" in ran.err
    assert "Name the folder that holds runs" in ran.err
    with pytest.raises(RunError):
        rdsim.index(folder)


# --- the page -------------------------------------------------------------------------------------


def test_the_page_links_what_is_there_and_says_how_to_compare(shelf: Path) -> None:
    study = comparison.study(rdsim.compare(shelf / "rich", shelf / "poor"))
    results.write(study, Run(shelf / "compared"))
    found = _only(shelf, "rich", "poor", "compared")
    page = found.write().read_text(encoding="utf-8")
    links = re.findall(r'href="\./([^"]+)"', page)
    assert {"rich/portfolio.xlsx", "poor/portfolio.csv"} <= set(links)
    assert links.count("compared/report.html") == 3  # its own, and from each of the two
    assert all((shelf / link).is_file() for link in links)
    row = found.best.iloc[0]
    first, second = sorted((row["best"], row["second"]))
    assert f"rdsim compare results/{first} results/{second}" in _text(page)
    assert internal_words_of_page(page) == set()
    assert "vegaEmbed" not in page  # no figures, so nothing that draws


def test_names_of_folders_and_scenarios_are_no_markup(shelf: Path) -> None:
    evil = shelf / '<img src=x onerror="1">&"javascript:1'
    (shelf / "rich").rename(evil)
    _edit(evil, command=["rdsim", "plan", "<script>alert(1)</script>"])
    page = rdsim.index(shelf).write().read_text(encoding="utf-8")
    assert "<img" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert all(link.startswith("./") for link in re.findall(r'href="([^"]*)"', page))


def test_an_index_of_ours_is_written_again_and_anothers_stays(
    shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shelf / "index.html"
    assert run(capsys, monkeypatch, "index").code == 0
    assert run(capsys, monkeypatch, "index").code == 0
    place.write_text("<title>my own page of runs</title>", encoding="utf-8")
    ran = run(capsys, monkeypatch, "index")
    assert ran.code == 2
    assert "give --force" in ran.err
    assert place.read_text(encoding="utf-8") == "<title>my own page of runs</title>"
    assert run(capsys, monkeypatch, "index", "results", "--force").code == 0
    assert "Index of runs" in place.read_text(encoding="utf-8")
    place.unlink()
    place.mkdir()
    with pytest.raises(OutputError, match="name another folder"):
        rdsim.index(shelf).write(force=True)


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: Ran = run(capsys, monkeypatch, "index", "--help")
    assert ran.code == 0
    assert "index.html" in ran.out


def test_a_plan_of_python_is_told_as_one_and_how_it_was_solved(base: Path, tmp_path: Path) -> None:
    """Its manifest has no command: what it found says what it is."""
    world = load(base / "tiny", ("optimiser.samples=20",))
    found = rdsim.plan(world, replications=20, one_shot=True)
    results.write(findings.of_plan(found), Run(tmp_path / "results" / "mine"))
    (entry,) = rdsim.index(tmp_path / "results").entries
    assert (entry.command, entry.portfolio) == ("plan", "the plan, solved once")
