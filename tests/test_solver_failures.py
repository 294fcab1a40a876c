"""A solver that fails after a portfolio was found loses nothing that is done: the run says what it lacks, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from rdsim.errors import SolverError
from rdsim.plans import Plan, plan
from rdsim.scenario import load
from tests.command import run
from tests.tiny import tiny_folder

ASSUMED = """
[assumptions.gain]
paths = ["partner_effect.duration_gain"]
low = 0.0
high = 0.4
why = "a test"
"""


def fail(*_words: Any, **_settings: Any) -> NoReturn:
    raise SolverError("highs", "failed: kSolveError")


def after(times: int) -> Callable[..., Any]:
    """Fails when it is asked once more than so often: what a replaced function did before."""
    left = [times]

    def once_more(real: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*words: Any, **settings: Any) -> Any:
            left[0] -= 1
            return fail() if left[0] < 0 else real(*words, **settings)

        return asked

    return once_more


def found_by(folder: Path) -> Plan:
    changes = ["optimiser.samples=30", "simulation.replications=20", "optimiser.redecisions=4"]
    return plan(load(folder, changes), replications=20, seed=4)


@pytest.fixture
def stated(tmp_path: Path) -> Path:
    """A folder with a scenario that states an assumption, so that every part of a plan is made."""
    return tiny_folder(tmp_path / "tiny", scenario=lambda text: text + ASSUMED)


PARTS = {
    "rdsim.search.loop.redecide": ("the end of the search", {"firmness"}),
    "rdsim.search.loop.soon": ("the end of the search", {"firmness"}),
    "rdsim.plans.swaps": ("firmness", {"firmness"}),
    "rdsim.plans.turning_points": ("assumptions", {"assumptions"}),
    "rdsim.plans.fresh_worth": ("fresh samples", {"fresh samples", "firmness", "assumptions", "what would change it"}),
}
"""What fails; what is missing at least, and at most beside it."""


@pytest.mark.parametrize("part", PARTS)
def test_a_plan_lives_through_a_solver_that_fails_later(
    part: str, stated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    least, most = PARTS[part]
    monkeypatch.setattr(part, fail)
    found = found_by(stated)
    assert least in found.missing
    assert set(found.missing) <= most | {least}
    assert found.failure == "solver highs: failed: kSolveError"
    assert found.proposal.portfolio.choices
    assert found.simulation is not None
    assert len(found.simulation.replications) == 20


def test_the_portfolio_is_the_best_that_was_known_when_the_solver_failed(
    stated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdsim.search import loop  # noqa: PLC0415

    monkeypatch.setattr(loop, "soon", after(2)(loop.soon))
    found = found_by(stated)
    assert found.search is not None
    assert (found.search.stopped, found.search.failure) == (True, "solver highs: failed: kSolveError")
    known = {one.portfolio.choices: float(one.worth.mean()) for one in found.search.pool}
    assert known[found.proposal.portfolio.choices] == max(known.values())


def test_a_run_says_what_it_lacks_and_why(
    stated: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rdsim.plans.swaps", fail)
    words = ("--set", "optimiser.samples=30", "--set", "optimiser.redecisions=4", "--replications", "20")
    ran = run(capsys, monkeypatch, "plan", stated, *words, "--out", tmp_path / "run")
    assert ran.code == 4
    assert "incomplete: still missing firmness (solver highs: failed: kSolveError)" in ran.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["complete"], manifest["missing"]) == (False, ["firmness"])
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Missing: firmness (solver highs: failed: kSolveError)." in page
    assert {"portfolio.csv", "replications.parquet"} <= {one.name for one in (tmp_path / "run").iterdir()}
