"""The folder of a sweep: one experiment's, read through a door, and never written out of."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from rdsim.errors import ExperimentError, OutputError, RdsimError
from rdsim.sweep import Experiment, manifest_of, read_sweep, run, write_answer
from rdsim.sweep.page import sheet_of
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


def test_results_of_another_manifest_are_not_read(swept: Path, tmp_path: Path) -> None:
    shutil.copytree(swept, tmp_path / "out")
    manifest = manifest_of(swept)
    manifest["results"] = "0" * 64
    (tmp_path / "out" / "sweep.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ExperimentError, match="was killed"):
        read_sweep(tmp_path / "out")


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/b", "..", ""])
def test_an_answer_never_leaves_its_readme(name: str, swept: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "er" / "out"
    shutil.copytree(swept, out)
    manifest = {**manifest_of(swept), "experiment": name}
    (out / "sweep.json").write_text(json.dumps(manifest), encoding="utf-8")
    (out / "README.md").write_text("# Mine\n", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(ExperimentError, match="experiment"):
        write_answer(out, out / "README.md")
    assert contents(tmp_path) == before


def test_edited_manifests_are_told_about_or_refused(swept: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(swept, out)
    original = manifest_of(swept)
    refused = 0
    for document in edited(original, size(60, 5000)):
        (out / "sweep.json").write_text(json.dumps(document), encoding="utf-8")
        try:
            sheet_of(read_sweep(out), manifest_of(out))
        except RdsimError:
            refused += 1
    assert refused > 20
