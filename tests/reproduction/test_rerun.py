"""A run is made again from its own folder alone, and comes out the same; or otherwise, where it is asked for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rdsim import results
from rdsim.domain import Choice, Portfolio
from rdsim.errors import ExperimentError, RunError
from rdsim.findings import of_simulation
from rdsim.folders import read_manifest
from rdsim.reproduction import repetition, require_repeatable, sweep_repetition, verify, version_lines
from rdsim.runs import kept_run
from rdsim.scenario import digest, load
from rdsim.simulation import simulate
from rdsim.sweep import experiment_of_sweep, manifest_of
from rdsim.sweep import read as read_experiment
from rdsim.sweep import run as run_sweep
from tests.command import Ran, quietly
from tests.command import run as run_command
from tests.folders.test_contents import problem
from tests.reproduction.tampering import edit
from tests.sweep.files import SMALL, write
from tests.tiny import TINY_FILES, tiny_folder

PART = 'title = "With a part"\n[modes.direct]\nabroad_share = 0.2\n'


DRAWN = ("report.html", "brief.html", "brief.svg", "portfolio.xlsx")
"""Files that are drawn, or hold when they were written."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of several commands; the scenario that they were made of is another now."""
    base = tmp_path_factory.mktemp("finished")
    scenario = tiny_folder(base / "tiny")
    (scenario / "parts" / "abroad").mkdir(parents=True)
    (scenario / "parts" / "abroad" / "scenario.toml").write_text(PART, encoding="utf-8")
    asked = ["--set", "parts=abroad", "--set", "discount_rate=0.04"]
    plan = base / "plan"
    assert quietly("plan", scenario, "--one-shot", "--seed", 3, *asked, "--out", plan) == 0
    assert quietly("optimise", scenario, "--replications", 15, "--gap", 0.02, "--out", base / "optimise") == 0
    chosen = ["--portfolio", plan, "--replications", 12, "--trace"]
    assert quietly("simulate", scenario, *chosen, "--out", base / "simulate") == 0
    assert quietly("ladder", plan, "--shares", "0.9,1.1", "--out", base / "ladder") == 0
    for name in TINY_FILES:
        (scenario / name).write_text("gone")
    return {path.name: path for path in base.iterdir() if path.name != "tiny"}


def again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, run: Path, out: Path, *words: object
) -> Ran:
    """`rdsim rerun`, with pages that are written and not drawn."""
    monkeypatch.setattr("rdsim.report.run_files", lambda *_: {"report.html": "a page"})
    return run_command(capsys, monkeypatch, "rerun", run, "--out", out, *words)


@pytest.mark.parametrize("name", ["plan", "optimise", "simulate", "ladder"])
def test_a_run_comes_out_the_same_again(
    name: str,
    finished: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = again(capsys, monkeypatch, finished[name], tmp_path / "again")
    assert found.code == 0, found.out + found.err
    assert found.out.splitlines()[-1].startswith("the same again: ")
    assert "another version" not in found.out
    before, after = (read_manifest(one) for one in (finished[name], tmp_path / "again"))
    assert {one: before["files"][one] for one in before["files"] if one not in DRAWN} == {
        one: after["files"][one] for one in after["files"] if one not in DRAWN
    }
    assert (after["command"], after["settings"], after["scenario"]) == (
        before["command"], before["settings"], before["scenario"])  # fmt: skip
    assert verify(tmp_path / "again").holds


def test_a_run_holds_its_scenario_as_it_was_read_and_as_it_ran(finished: dict[str, Path]) -> None:
    plan = finished["plan"]
    manifest = read_manifest(plan)
    assert (plan / "scenario" / "given" / "technologies.csv").read_text() == TINY_FILES["technologies.csv"]
    assert (plan / "scenario" / "given" / "parts" / "abroad" / "scenario.toml").read_text() == PART
    assert manifest["scenario"]["given"] == {
        "place": "scenario/given", "overrides": ["parts=abroad", "discount_rate=0.04"]}  # fmt: skip
    ran = load(plan / "scenario" / "applied")
    assert (ran.discount_rate, ran.modes["direct"].abroad_share) == (0.04, 0.2)
    assert digest(ran) == manifest["scenario"]["digest"]
    assert manifest["settings"] == {
        "seed": 3, "replications": None, "solver": "highs", "time_limit": None, "engine": "compiled",
        "one_shot": True}  # fmt: skip


def test_with_other_settings_it_comes_out_otherwise(
    finished: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "other"
    found = again(capsys, monkeypatch, finished["simulate"], out, "--set", "discount_rate=0.1", "--set", "parts=abroad")
    assert found.code == 0, found.err
    assert f"rdsim compare {finished['simulate']} {out}" in found.out
    manifest = read_manifest(out)
    assert manifest["scenario"]["overrides"] == ["discount_rate=0.1", "parts=abroad"]
    assert manifest["scenario"]["parts"] == ["abroad"]
    assert manifest["command"][-4:] == ["--set", "discount_rate=0.1", "--set", "parts=abroad"]
    before, after = (pd.read_parquet(one / "replications.parquet") for one in (finished["simulate"], out))
    assert not before["npv"].equals(after["npv"])


def test_what_does_not_come_out_the_same_is_told(
    finished: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with numbers that were never simulated, made by a version that is not here."""
    folder = tmp_path / "run"
    shutil.copytree(finished["simulate"], folder)
    table = pd.read_parquet(folder / "replications.parquet")
    table.loc[4, "npv"] = 10.0
    table.to_parquet(folder / "replications.parquet", index=False)
    edit(folder, lambda manifest: manifest["versions"].update(numpy="1.0"))
    found = again(capsys, monkeypatch, folder, tmp_path / "again")
    assert found.code == 1
    assert "another version: numpy 1.0 then, " in found.out
    assert "replications.parquet, row 5, column npv" in found.out
    assert found.out.splitlines()[-1] == "not the same: 1 difference"


def test_a_table_in_other_bytes_is_the_same_table(finished: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished["simulate"], folder)
    pd.read_parquet(folder / "purses.parquet").to_parquet(folder / "purses.parquet", index=False, compression="gzip")
    edit(folder, lambda manifest: None)
    found = repetition(finished["simulate"], folder)
    assert (found.is_identical, found.alike) == (True, ("purses.parquet",))
    assert "1 table with the same values in other bytes" in str(found)


def test_an_earlier_run_says_that_it_cannot_be_made_again(finished: dict[str, Path], tmp_path: Path) -> None:
    """Of runs that held no scenario, and of runs that were written in Python."""
    folder = tmp_path / "run"
    shutil.copytree(finished["simulate"], folder)
    shutil.rmtree(folder / "scenario")
    with pytest.raises(RunError, match="must hold the scenario that it was made of"):
        kept_run(folder)
    told = verify(folder)
    assert any("must hold the scenario" in str(one) for one in told.faults)


def test_a_run_from_python_is_verified_and_says_what_it_lacks_to_be_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = load(tiny_folder(tmp_path / "tiny"), {"discount_rate": 0.04, "simulation.seed": 2})
    study = of_simulation(simulate(world, Portfolio((Choice("T1", "domestic", "", 2024),)), replications=4))
    results.write(study, results.Run(tmp_path / "run"))
    shutil.rmtree(tmp_path / "tiny")
    assert verify(tmp_path / "run").holds
    given = read_manifest(tmp_path / "run")["scenario"]["given"]
    assert given["overrides"] == ["discount_rate=0.04", "simulation.seed=2"]
    found = again(capsys, monkeypatch, tmp_path / "run", tmp_path / "again")
    assert (found.code, "written in Python" in found.err) == (2, True)


def test_a_plug_in_is_kept_and_run_only_if_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is named may be the text that the run holds."""
    plugin = tmp_path / "kept_rule.py"
    plugin.write_text(
        "from rdsim.extend import purse_rule\n\n\n@purse_rule('all-at-once')\ndef pays(amount, purse):\n"
        "    return amount <= purse\n",
        encoding="utf-8",
    )
    scenario = tiny_folder(tmp_path / "tiny", scenario=lambda text: text.replace('"first-fit"', '"all-at-once"'))
    (tmp_path / "p.csv").write_text("technology,partner,mode,start_year\nT4,,domestic,2024\n")
    run, words = tmp_path / "run", ["--portfolio", tmp_path / "p.csv", "--replications", 4, "--plugin", plugin]
    assert quietly("simulate", scenario, *words, "--out", run) == 0
    told = read_manifest(run)["plugins"][0]
    assert (told["kept"], len(told["code"])) == ("plugins/1/kept_rule.py", 64)
    plugin.unlink()
    refused = again(capsys, monkeypatch, run, tmp_path / "again")
    assert (refused.code, "run only if it is named again" in refused.err) == (2, True)
    found = again(capsys, monkeypatch, run, tmp_path / "again", "--plugin", run / told["kept"])
    assert found.code == 0, found.out + found.err
    assert run_command(capsys, monkeypatch, "verify", run, "--plugin", run / told["kept"]).code == 0


def test_a_workbook_is_kept_as_it_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book, run = tmp_path / "tiny.xlsx", tmp_path / "run"
    assert quietly("export", tiny_folder(tmp_path / "tiny"), book) == 0
    (tmp_path / "p.csv").write_text("technology,partner,mode,start_year\nT4,,domestic,2024\n")
    assert quietly("simulate", book, "--portfolio", tmp_path / "p.csv", "--replications", 4, "--out", run) == 0
    assert read_manifest(run)["scenario"]["given"]["place"] == "scenario/given/scenario.xlsx"
    assert (run / "scenario" / "given" / "scenario.xlsx").read_bytes() == book.read_bytes()
    book.unlink()
    assert again(capsys, monkeypatch, run, tmp_path / "again").code == 0


def test_versions_are_told_only_where_they_differ(finished: dict[str, Path]) -> None:
    manifest = read_manifest(finished["plan"])
    assert version_lines(manifest) == ()
    other = json.loads(json.dumps(manifest)) | {"numbers": 1, "platform": {"machine": "abacus"}}
    other["versions"]["gone"] = "2"
    assert [one.partition(" then")[0] for one in version_lines(other)] == [
        "rdsim's numbers, version 1", "gone 2", "machine abacus"]  # fmt: skip


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a stated problem; its folder is gone."""
    base = tmp_path_factory.mktemp("stated")
    folder = problem(base / "knapsack")
    asked = ["--problem", folder]
    assert quietly("optimise", *asked, "--seed", 3, "--out", base / "optimise") == 0
    assert quietly("frontier", *asked, "--second", "weight", "--points", 3, "--out", base / "frontier") == 0
    assert quietly("explain", "tent", "weight", *asked, "--out", base / "explain") == 0
    assert quietly("ladder", *asked, "--shares", "0.5,1", "--gap", 0.01, "--out", base / "ladder") == 0
    shutil.rmtree(folder)
    return base


@pytest.mark.parametrize("name", ["optimise", "frontier", "explain", "ladder"])
def test_a_run_of_a_stated_problem_comes_out_the_same_again(
    name: str, stated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out = stated / name, tmp_path / "again"
    assert read_manifest(run)["stated"]["place"] == "problem/knapsack"
    found = again(capsys, monkeypatch, run, out)
    assert found.code == 0, found.out + found.err
    assert found.out.splitlines()[-1].startswith("the same again: ")
    before, after = read_manifest(run), read_manifest(out)
    assert (after["command"], after["settings"], after["stated"]["place"]) == (
        before["command"], before["settings"], before["stated"]["place"])  # fmt: skip
    assert "problem/knapsack/options.csv" in after["files"]
    assert verify(out).holds
    refused = again(capsys, monkeypatch, run, tmp_path / "other", "--set", "x=1")
    assert (refused.code, "--set: has a meaning of a scenario alone" in refused.err) == (2, True)


def test_a_stated_problem_that_was_changed_comes_out_otherwise(
    stated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(stated / "optimise", run)
    options = run / "problem" / "knapsack" / "options.csv"
    options.write_text(options.read_text().replace("tent,6", "tent,60"), encoding="utf-8")
    assert any("options.csv" in str(one) for one in verify(run).faults)
    found = again(capsys, monkeypatch, run, tmp_path / "again")
    assert (found.code, "objective" in found.out) == (1, True), found.out


def test_a_comparison_comes_out_the_same_again_of_the_same_runs_alone(
    finished: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, compared = tmp_path / "one", tmp_path / "other", tmp_path / "compared"
    shutil.copytree(finished["simulate"], one)
    shutil.copytree(finished["plan"], other)
    assert quietly("compare", one, other, "--out", compared) == 0
    found = again(capsys, monkeypatch, compared, tmp_path / "again")
    assert found.code == 0, found.out + found.err
    assert found.out.splitlines()[-1].startswith("the same again: ")
    edit(one, lambda manifest: manifest.update(title="another"))
    shutil.rmtree(other)
    refused = again(capsys, monkeypatch, compared, tmp_path / "third")
    assert refused.code == 2
    assert f"compared, 0: must be the run that was compared, {one}, whose manifest has digest" in refused.err
    assert f"compared, 1: must be a finished run, as seen from here. Found: {other}." in refused.err
    assert not (tmp_path / "third").exists()


def test_what_cannot_be_made_again_says_why_and_what_to_do_instead(finished: dict[str, Path], tmp_path: Path) -> None:
    for name, words in (
        ("calibrate", "holds the digests of the records"),
        ("bench", "--against this folder"),
        ("mine", "ask again, of the problem's folder"),
    ):
        folder = tmp_path / name
        shutil.copytree(finished["simulate"], folder)
        edit(folder, lambda manifest, name=name: manifest.update(study=name, scenario=None))  # type: ignore[misc]
        with pytest.raises(RunError, match=words):
            require_repeatable(folder)


def test_a_sweep_runs_again_from_its_own_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever became of experiment, scenario and portfolios."""
    scenario = tiny_folder(tmp_path / "tiny")
    (tmp_path / "mine.csv").write_text("technology,partner,mode,start_year\nT2,US,matching,2024\n")
    text = SMALL.replace('"domestic-only"]', '"mine.csv", "own"]') + '[portfolios]\nown = "mine.csv"\n'
    file, swept, out = write(tmp_path, scenario, text=text), tmp_path / "swept", tmp_path / "again"
    assert quietly("sweep", "run", file, "--points", 6, "--seed", 5, "--jobs", 1, "--out", swept) == 0
    for path in (file, tmp_path / "mine.csv"):
        path.unlink()
    shutil.rmtree(scenario)
    monkeypatch.setattr("rdsim.native.threads.cores", lambda: 1)
    found = again(capsys, monkeypatch, swept, out)
    assert found.code == 0, found.out + found.err
    assert found.out.splitlines()[-1] == "the same again: 1 file byte for byte, and every figure"
    before, after = manifest_of(swept), manifest_of(out)
    assert [after[name] for name in ("points", "seed", "command")] == [before["points"], 5, before["command"]]
    assert after["scenario"] == before["scenario"]
    refused = again(capsys, monkeypatch, swept, tmp_path / "other", "--set", "discount_rate=0.1")
    assert (refused.code, "Change its experiment, and run that" in refused.err) == (2, True)
    table = swept / "origin" / "mine.csv"
    table.write_text(table.read_text().replace("2024", "2025"), encoding="utf-8")
    refused = again(capsys, monkeypatch, swept, tmp_path / "other")
    assert (refused.code, f"{table}: must be as it was written" in refused.err) == (2, True)


def test_a_sweep_that_comes_out_otherwise_is_told_row_by_row(tmp_path: Path) -> None:
    scenario = tiny_folder(tmp_path / "tiny")
    experiment = read_experiment(write(tmp_path, scenario, points=4))
    for name, seed in (("one", 1), ("other", 2)):
        run_sweep(replace(experiment, seed=seed), tmp_path / name)
    told = "\n".join(map(str, sweep_repetition(tmp_path / "one", tmp_path / "other").faults))
    assert "seed: differs from the sweep that is there" in told
    assert "results.parquet, row 1, column npv" in told


def test_a_sweep_whose_plug_ins_are_not_named_or_that_holds_nothing_says_so(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text("X = 1\n")
    scenario = tiny_folder(tmp_path / "tiny")
    experiment = replace(read_experiment(write(tmp_path, scenario, points=4)), plugins=(str(plugin),))
    run_sweep(experiment, tmp_path / "swept")
    with pytest.raises(ExperimentError, match="run only if it is named again"):
        experiment_of_sweep(tmp_path / "swept")
    held = tmp_path / "swept" / "origin" / "plugins" / "1" / "mine.py"
    assert experiment_of_sweep(tmp_path / "swept", [held]).plugins == (str(held),)
    manifest = json.loads((tmp_path / "swept" / "sweep.json").read_text())
    (tmp_path / "swept" / "sweep.json").write_text(json.dumps(manifest | {"origin": {}}))
    with pytest.raises(ExperimentError, match=r"must hold in origin what .* Run its experiment again"):
        experiment_of_sweep(tmp_path / "swept", [held])


def test_a_sweep_that_goes_on_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    """Files of what it was made of before are replaced or go, one by one; a file of somebody's stays where it is."""
    plugin = tmp_path / "mine.py"
    plugin.write_text("X = 1\n")
    experiment = read_experiment(write(tmp_path, tiny_folder(tmp_path / "tiny"), points=4))
    swept, origin = tmp_path / "swept", tmp_path / "swept" / "origin"
    run_sweep(replace(experiment, plugins=(str(plugin),)), swept)
    (origin / "notes.txt").write_text("mine")
    kept = origin / "scenario" / "scenario.toml"
    written = kept.stat().st_mtime_ns
    run_sweep(experiment, swept, force=True)
    assert not (origin / "plugins" / "1" / "mine.py").exists()
    assert (origin / "notes.txt").read_text() == "mine"
    assert kept.stat().st_mtime_ns == written
    assert experiment_of_sweep(swept).plugins == ()
