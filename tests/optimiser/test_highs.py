"""HiGHS where it fails."""

from __future__ import annotations

import time
from typing import Any

import highspy
import pytest

from rdsim.errors import SolverError
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from tests.optimiser.test_limits import knapsack


class _Failing:
    """A HiGHS that fails until it is told to be stricter."""

    def __init__(self) -> None:
        self.strict, self.ran = False, 0

    def run(self) -> highspy.HighsStatus:
        self.ran += 1
        return highspy.HighsStatus.kOk if self.strict else highspy.HighsStatus.kError

    def getModelStatus(self) -> highspy.HighsModelStatus:  # noqa: N802 - HiGHS's name
        return highspy.HighsModelStatus.kOptimal if self.strict else highspy.HighsModelStatus.kSolveError

    def clearSolver(self) -> highspy.HighsStatus:  # noqa: N802 - as above
        return highspy.HighsStatus.kOk

    def setOptionValue(self, name: str, value: object) -> highspy.HighsStatus:  # noqa: N802 - as above
        self.strict |= (name, value) == ("presolve", "off")
        return highspy.HighsStatus.kOk


def test_a_failure_is_tried_again_more_strictly() -> None:
    """HiGHS 1.16 fails on relaxations whose coefficients differ by 18 orders of magnitude, but not without presolve."""
    failing = _Failing()
    Highs().run_whole(failing)
    assert (failing.ran, failing.strict) == (2, True)


class _Endless(highspy.Highs):
    """Turns without end, or for longer than anybody waits, unless it is told to leave out a heuristic."""

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name
        return

    def run(self) -> Any:
        _, on = self.getOptionValue("mip_heuristic_run_root_reduced_cost")
        if on:
            time.sleep(3.0)
            return highspy.HighsStatus.kError
        return super().run()


class _AlwaysEndless(_Endless):
    def run(self) -> Any:
        time.sleep(3.0)
        return highspy.HighsStatus.kError


def test_a_run_that_does_not_end_is_left_alone_and_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    model = formulate(knapsack())
    right = Highs().run(model, RunLimits(nodes=100))
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._PATIENCE", 0.2)
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._Quiet", _Endless)
    found = Highs().run(model, RunLimits(nodes=100))
    assert found.values is not None
    assert found.values.tolist() == right.values.tolist()
    assert found.bound == right.bound


def test_a_solver_that_never_ends_is_a_failure_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._PATIENCE", 0.1)
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._Quiet", _AlwaysEndless)
    with pytest.raises(SolverError, match="did not end within"):
        Highs().run(formulate(knapsack()), RunLimits(nodes=100))


def test_a_time_limit_that_is_not_heeded_is_held_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._GRACE", 0.0)
    monkeypatch.setattr("rdsim.optimiser.adapters.highs._Quiet", _AlwaysEndless)
    began = time.perf_counter()
    with pytest.raises(SolverError, match="heeds no limit"):
        Highs().run(formulate(knapsack()), RunLimits(seconds=0.2))
    assert time.perf_counter() - began < 3.0


def test_what_a_watched_run_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Highs, _solver: object) -> None:
        raise SolverError("highs", "odd")

    monkeypatch.setattr(Highs, "run_whole", fail)
    with pytest.raises(SolverError, match="odd"):
        Highs().run(formulate(knapsack()), RunLimits(nodes=100))
