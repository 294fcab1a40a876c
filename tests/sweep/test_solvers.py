"""The solver of an experiment: its own version is in the keys of all that it chose, and it must be there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rdsim
from rdsim.errors import ExperimentError
from rdsim.optimiser.adapters.cbc import Cbc
from rdsim.sweep import prepare, run
from rdsim.sweep.tasks import pack, perform


def keys(tiny: Path, **settings: Any) -> list[str]:
    """The keys of an experiment's tasks."""
    prepared = prepare(rdsim.Experiment(str(tiny), **settings))
    return [point.task.key for point in prepared.points(prepared.work({}, 1))]


def test_the_solvers_own_version_is_in_the_keys_of_what_it_chose(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {solver: keys(tiny, task="optimise", solver=solver) for solver in ("highs", "cbc")}
    monkeypatch.setattr(Cbc, "version", "9.9")
    second = {solver: keys(tiny, task="optimise", solver=solver) for solver in ("highs", "cbc")}
    assert second["highs"] == first["highs"] != first["cbc"] != second["cbc"]


def test_what_is_decided_once_is_decided_again_by_another_version(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rdsim.Experiment(str(tiny), policy="value-per-cost", solver="cbc", replications=2)
    for version in ("9.8", "9.8", "9.9"):
        monkeypatch.setattr(Cbc, "version", version)
        assert version in run(one, tmp_path / "out").manifest["solvers"]
    assert len(list((tmp_path / "out" / "policies").iterdir())) == 2


def test_a_worker_says_which_solver_it_has_and_one_that_is_nowhere_is_refused(tiny: Path) -> None:
    one = rdsim.Experiment(str(tiny), task="optimise", solver="cbc", replications=2)
    here = prepare(one).work({}, 1)
    there = replace(here, solvers="cbc of another machine")
    assert perform(pack(there), []).program == here.program != there.program
    with pytest.raises(ExperimentError, match=r"solver: must be the name of a solver. Found: 'nonsense'"):
        prepare(replace(one, solver="nonsense"))
