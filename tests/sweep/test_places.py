"""The folder of a sweep: one experiment's, read through a door, and never written out of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rdsim.errors import ExperimentError, OutputError, RdsimError, SweepError
from rdsim.sweep import Experiment, manifest_of, read, read_sweep, run, runner, write_answer
from rdsim.sweep.page import page_of
from tests.command import run as command
from tests.edits import edited
from tests.folders.runs import contents
from tests.sizes import size
from tests.tiny import tiny_folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Four quick points."""
    folder = tiny_folder(tmp_path_factory.mktemp("world") / "tiny")
    factors = {"discount_rate": {"range": [0.0, 0.1]}, "policy": {"policies": ["domestic-only", "value-per-cost"]}}
    return Experiment(str(folder), name="asked", factors=factors, replications=20, design="sobol", points=2)


@pytest.fixture(scope="module")
def swept(asked: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, done."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    assert run(asked, folder).complete
    return folder


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """The folder of a sweep of which nothing was run."""
    rate, policy = [0.0, 0.0, 0.1, 0.1], ["a", "b"] * 2
    table = pd.DataFrame({
        "point": range(4), "rate": rate, "policy": policy, "status": ["done"] * 3 + ["failed"],
        "error": ["", "", "", "why"],
        "n": [20, 20, 20, None], "npv": [1.0, 2.0, 3.0, None], "npv low": [0.0, 1.0, 2.0, None],
        "npv high": [2.0, 3.0, 4.0, None], "key": list("abcd"),
    })  # fmt: skip
    folder = tmp_path / "deep" / "er" / "out"
    folder.mkdir(parents=True)
    table.to_parquet(folder / "results.parquet")
    data = (folder / "results.parquet").read_bytes()
    factor = {"label": "rate", "kind": "values", "levels": ["0.0", "0.1"], "range": None, "policy": False, "own": 0.0}
    manifest = {
        "rdsim": "0", "experiment": "asked", "title": "T", "description": "",
        "answers": ["{npv | policy = a; rate = 0.0}"],
        "date": "2026-01-01", "task": "simulate", "scenario": {
            "name": "tiny", "title": "Tiny", "digest": "0" * 64, "parts": [], "overrides": [],
        }, "money_unit": "KRW", "policies": ["a", "b"],
        "factors": {"rate": factor, "policy": {**factor, "label": "policy", "levels": ["a", "b"], "policy": True}},
        "design": {"kind": "grid", "seed": 1, "base": 1, "policies": 2}, "metrics": ["npv"], "kinds": ["mean"],
        "paired": False, "replications": 20, "seed": 1, "common_random_numbers": True, "confidence": 0.95, "points": 4,
        "done": 3, "failed": 1, "missing": 0, "complete": True, "stopped": "", "damaged": [],
        "parts": ["0" * 40 + ".parquet"],
        "versions": {}, "results": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    (folder / "sweep.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "another"}, "experiment"),
        ({"metrics": ("lapsed",)}, "metrics"),
        ({"seed": 7}, "seed"),
        ({"settings": {"discount_rate": 0.2}}, "scenario.digest"),
        ({"points": 1}, "points"),
        ({"replications": 10}, "replications"),
    ],
)
def test_another_experiment_is_refused_and_what_is_there_stays(
    change: dict[str, object], says: str, asked: Experiment, swept: Path
) -> None:
    before = contents(swept)
    with pytest.raises(OutputError, match=says):
        run(dataclasses.replace(asked, **change), swept)  # type: ignore[arg-type]
    assert contents(swept) == before


def test_more_of_the_same_goes_on_and_force_replaces(asked: Experiment, swept: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(swept, out)
    (out / "report.html").write_text("the page of two worlds")
    (out / "parts" / ".0123.0123abcd.rdsim-part").write_text("half")
    found = run(dataclasses.replace(asked, points=4, title="Other words"), out)
    assert (len(found.table), found.manifest["tasks_of_this_run"]) == (8, 4)
    assert not (out / "report.html").exists()
    assert all(path.suffix == ".parquet" for path in (out / "parts").iterdir())
    other = dataclasses.replace(asked, seed=7)
    with pytest.raises(OutputError, match="--force"):
        run(other, out)
    assert run(other, out, force=True).manifest["seed"] == 7


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C come after so many batches of one task."""
    real, calls = runner.perform, list[int]()

    def perform(*words: Any) -> Any:
        calls.append(1)
        if len(calls) > count:
            raise KeyboardInterrupt
        return real(*words)

    monkeypatch.setattr(runner, "perform", perform)
    monkeypatch.setattr(runner, "_LARGEST", 1)


@pytest.mark.parametrize("done", [0, 2])
@pytest.mark.parametrize("change", [{"replications": 40}, {"seed": 7}])
def test_what_is_finished_stays_until_as_much_of_the_next_is(
    change: dict[str, Any], done: int, asked: Experiment, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More replications, or another experiment in its place, interrupted: both commands go on."""
    out, other = tmp_path / "out", dataclasses.replace(asked, **change)
    shutil.copytree(swept, out)
    (out / "report.html").write_text("the page")
    with monkeypatch.context() as patched:
        interrupted_after(done, patched)
        found = run(other, out, force=True, partial=True)
        with pytest.raises(
            SweepError, match=r"the results that were there stay \(4 points of 20 replications of asked"
        ):
            run(other, out, force=True)
    assert (found.manifest["missing"], list(found.table["status"]).count("missing")) == (4 - done, 4 - done)
    for name in ("results.parquet", "sweep.json"):
        assert (out / name).read_bytes() == (swept / name).read_bytes()
    assert (out / "report.html").read_text() == "the page"
    again = run(asked, out)
    assert (again.complete, again.manifest["tasks_of_this_run"]) == (True, 0)
    assert (out / "results.parquet").read_bytes() == (swept / "results.parquet").read_bytes()
    whole = run(other, out, force=True)
    assert (whole.complete, whole.manifest["tasks_of_this_run"]) == (True, 4 - done)
    assert not (out / "report.html").exists()


def test_more_points_replace_fewer_as_soon_as_they_hold_them(
    asked: Experiment, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(swept, tmp_path / "out")
    interrupted_after(1, monkeypatch)
    found = run(dataclasses.replace(asked, points=4), tmp_path / "out", partial=True)
    assert (found.stays, found.manifest["done"], found.manifest["missing"]) == ("", 5, 3)
    assert len(read_sweep(tmp_path / "out")) == 8
    with pytest.raises(OutputError, match=r"8 there\..*Ask for as many"):
        run(asked, tmp_path / "out")


def test_a_full_disk_leaves_the_results_that_were_there(
    asked: Experiment, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real = tmp_path / "out", runner.write_whole
    shutil.copytree(swept, out)
    (out / "report.html").write_text("the page")

    def full(path: Path, data: bytes | str) -> None:
        if path.name == "results.parquet":
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(runner, "write_whole", full)
    with pytest.raises(SweepError, match="No space left"):
        run(dataclasses.replace(asked, replications=40), out)
    assert (read_sweep(out).attrs["complete"], manifest_of(out)["replications"]) == (True, 20)
    assert (out / "report.html").read_text() == "the page"


@pytest.mark.parametrize("had", [False, True], ids=["new place", "older sweep"])
def test_another_experiment_that_begins_meanwhile_is_refused_before_its_work(
    had: bool, asked: Experiment, swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real, tried = tmp_path / "out", runner.perform, list[str]()
    if had:
        shutil.copytree(swept, out)
    first = dataclasses.replace(asked, seed=3)

    def meanwhile(*words: Any) -> Any:
        monkeypatch.setattr(runner, "perform", real)
        for second in (dataclasses.replace(first, seed=4), dataclasses.replace(first, replications=40)):
            with pytest.raises(OutputError, match="another experiment is being run there"):
                run(second, out, force=True)
        assert run(dataclasses.replace(first, title="Other words"), out, force=had).complete
        tried.append("both")
        return real(*words)

    monkeypatch.setattr(runner, "perform", meanwhile)
    assert run(first, out, force=had).manifest["seed"] == 3
    assert tried == ["both"]
    assert not [name for name in contents(out) if ".rdsim" in name]


def test_a_sweep_says_what_it_did_about_a_killed_run(
    asked: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "asked.toml", tmp_path / "out"
    scenario = Path(str(asked.scenario)).as_posix()
    file.write_text(f'scenario = "{scenario}"\npolicy = "value-per-cost"\nreplications = 2\n', encoding="utf-8")
    (out / ".rdsim" / "new").mkdir(parents=True)
    (out / ".rdsim" / "new" / "portfolio.csv").write_text("half of a plan")
    child = ("-c", "print('the page')")
    monkeypatch.setattr("rdsim.report.page.drawings._CHILD", child)
    ran = command(capsys, monkeypatch, "sweep", file, "--out", out)
    assert (ran.code, "has been cleared away" in ran.err) == (0, True), ran.err
    assert not (out / ".rdsim").exists()


def test_an_interrupted_command_says_what_stays(
    asked: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "asked.toml", tmp_path / "out"
    scenario = Path(str(asked.scenario)).as_posix()
    file.write_text(f'scenario = "{scenario}"\npolicy = "value-per-cost"\nreplications = 2\n', encoding="utf-8")
    run(read(file), out)
    before = contents(out)
    interrupted_after(0, monkeypatch)
    ran = command(capsys, monkeypatch, "sweep", file, "--out", out, "--replications", 4)
    assert ran.code == 4, ran.err
    assert "the results that were there stay (1 points of 2 replications of asked) until these are complete" in ran.err
    assert "the same command goes on" in ran.err
    assert contents(out) == before


def test_results_of_another_manifest_are_not_read(made_up: Path) -> None:
    manifest = {**manifest_of(made_up), "results": "0" * 64}
    (made_up / "sweep.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ExperimentError, match="was killed"):
        read_sweep(made_up)


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/b", "..", ""])
def test_an_answer_never_leaves_its_readme(name: str, made_up: Path, tmp_path: Path) -> None:
    manifest = {**manifest_of(made_up), "experiment": name}
    (made_up / "sweep.json").write_text(json.dumps(manifest), encoding="utf-8")
    (made_up / "README.md").write_text("# Mine\n", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(ExperimentError, match="experiment"):
        write_answer(made_up, made_up / "README.md")
    assert contents(tmp_path) == before


def test_edited_manifests_are_told_about_or_refused(made_up: Path) -> None:
    original = manifest_of(made_up)
    assert page_of(read_sweep(made_up), original).lead
    refused = 0
    for document in edited(original, size(300, 20_000)):
        (made_up / "sweep.json").write_text(json.dumps(document), encoding="utf-8")
        try:
            page_of(read_sweep(made_up), manifest_of(made_up))
        except RdsimError:
            refused += 1
    assert refused > 100
