"""Names of files and folders that cannot be, at every door that takes one: refused in words, before any work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rdsim import portfolio, results, runs, sweep
from rdsim.calibration import records
from rdsim.errors import InputError, OutputError
from rdsim.folders import claim, is_file, is_folder
from rdsim.optimiser.problem import folder as problems
from rdsim.scenario import load, start
from rdsim.sweep import Experiment
from tests.folders.runs import contents
from tests.tiny import tiny_folder

NAMES = {"long": "x" * 5000, "deep": "d/" * 3000 + "x", "NUL": "a\0b"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("world") / "tiny")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_that_cannot_be_are_refused_at_every_door(
    name: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = load(tiny)
    doors: dict[str, Callable[[str], object]] = {
        "scenario": load,
        "experiment": sweep.read,
        "experiment's scenario": lambda text: Experiment(text, policy="value-per-cost").run(),
        "problem": problems.read_statement,
        "records": records.read,
        "portfolio": lambda text: portfolio.read(text, world),
        "portfolio of a run": lambda text: runs.portfolio_of(Path(text), world),
        "run": lambda text: runs.read_run(Path(text)),
        "page": results.redraw,
        "sweep": sweep.read_sweep,
        "sweep's page": sweep.write_report,
        "place": claim,
        "new": start,
        "sweep's folder": lambda text: Experiment(world, policy="value-per-cost", replications=2).run(text),
    }
    for enter in doors.values():
        with pytest.raises(InputError):
            enter(NAMES[name])
    assert [is_file(NAMES[name]), is_folder(NAMES[name]), sweep.is_sweep(NAMES[name])] == [False] * 3
    assert contents(tmp_path) == {}


def test_a_run_whose_scenario_has_a_name_that_cannot_be_is_refused(tmp_path: Path) -> None:
    scenario = {"name": "s", "digest": "0" * 64, "path": "[" * 5000, "overrides": []}
    head = {"rdsim": "0", "complete": True, "files": {}, "versions": {}, "scenario": scenario, "seed": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(head), encoding="utf-8")
    with pytest.raises(InputError, match="must name the folder of its scenario"):
        runs.read_run(tmp_path)


def test_a_folder_that_no_table_can_be_written_to_is_refused_before_the_work(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of other bytes than UTF-8: Python takes it, what writes tables does not."""
    monkeypatch.chdir(tmp_path)
    for enter in (claim, Experiment(str(tiny), policy="value-per-cost", replications=2).run):
        with pytest.raises(OutputError, match=r"'\\udcff'.*UTF-8"):
            enter("\udcff")
    assert contents(tmp_path) == {}
