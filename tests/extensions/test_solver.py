"""Another solver library in one file: a class, its name and its features; nothing in rdsim knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

import rdsim
from rdsim.errors import ExtensionError, SolverError
from rdsim.optimiser import PortfolioProblem, Solving, Status, Termination, solve
from rdsim.optimiser.adapters import (
    SOLVERS,
    Feature,
    RunLimits,
    Solver,
    SolverResult,
    SolverState,
    installed_solvers,
    solver_of,
    untold,
    versions_of,
)
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.questions.conflicts import conflicts
from rdsim.optimiser.questions.explanation import relaxation_duals
from rdsim.scenario import load
from rdsim.search import build_instance
from tests.command import run
from tests.optimiser.small import build, draw
from tests.tiny import tiny_folder


class Mine(Solver):
    """`scipy.optimize.milp`: it says no bound and no reduced cost, and can be told a gap and a time limit alone."""

    name = "mine"
    version = "7"
    features = frozenset({Feature.GAP, Feature.TIME_LIMIT})
    asked = 0

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: np.ndarray | None) -> SolverResult:
        """See `Solver.ask`."""
        assert model.integer.any()
        assert not relaxed
        assert start is None
        Mine.asked += 1
        sense = np.array(model.sense, dtype="U2")
        low, high = np.where(sense == "<=", -np.inf, model.rhs), np.where(sense == ">=", np.inf, model.rhs)
        found = milp(
            -model.value,
            integrality=model.integer,
            bounds=Bounds(model.lower, model.upper),
            constraints=LinearConstraint(model.matrix, low, high),
            options={"mip_rel_gap": limits.gap, "time_limit": limits.seconds or np.inf},
        )
        states = {0: SolverState.OPTIMAL, 2: SolverState.INFEASIBLE, 3: SolverState.UNBOUNDED}
        return SolverResult(states.get(found.status, SolverState.STOPPED), Termination.COMPLETE, values=found.x)


def small(seed: int) -> PortfolioProblem:
    """A problem of few options, with some of all constraint families."""
    return build(draw(seed), draw(seed)["families"])


@pytest.fixture
def mine() -> Iterator[str]:
    """The solver, registered as a plug-in does."""
    SOLVERS.register("mine", Mine())
    Mine.asked = 0
    yield "mine"
    SOLVERS.unregister("mine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("solver") / "tiny")


def test_it_finds_the_optima_that_highs_finds(mine: str) -> None:
    statuses = set()
    for seed in range(12):
        problem = small(seed)
        theirs, ours = solve(problem, Solving(gap=0)), solve(problem, Solving(gap=0, solver=mine))
        assert (ours.status, ours.chosen) == (theirs.status, theirs.chosen)
        statuses.add(ours.status)
    assert Mine.asked
    assert Status.OPTIMAL in statuses


def test_a_scenario_is_optimised_and_explained_with_it(
    mine: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load(folder)
    portfolio = rdsim.optimise(scenario, samples=20, solving=Solving(gap=0, solver=mine)).portfolio
    assert Mine.asked
    assert portfolio == rdsim.optimise(scenario, samples=20, solving=Solving(gap=0)).portfolio
    out = tmp_path / "out"
    absent = next(name for name in scenario.technologies if name not in {one.technology for one in portfolio.choices})
    words = ("explain", folder, absent, "--set", "optimiser.samples=20", "--solver", "MINE", "--out", out)
    asked, ran = Mine.asked, run(capsys, monkeypatch, *words)
    assert ran.code == 0, ran.err
    assert Mine.asked > asked
    assert "mine" in json.dumps(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


def test_prices_come_from_who_can_and_a_conflict_is_told(mine: str, folder: Path) -> None:
    posed = build_instance(load(folder), samples=20)
    assert relaxation_duals(posed.problem, Solving(mine)).bound == relaxation_duals(posed.problem).bound
    assert Mine.asked == 0  # a linear model is none of its business
    infeasible = next(one for one in map(small, range(60)) if solve(one, Solving(gap=0)).status is Status.INFEASIBLE)
    assert conflicts(infeasible, solving=Solving(mine)).rules == conflicts(infeasible).rules


def test_what_it_cannot_is_said_and_its_version_is_in_the_keys(mine: str) -> None:
    assert untold(solver_of(mine)) == ("threads", "seed")
    assert mine in installed_solvers()
    assert versions_of(mine).startswith("mine ")
    assert versions_of(mine).endswith(" 7")


def test_a_name_in_use_is_refused_and_one_taken_back_is_unknown(mine: str) -> None:
    with pytest.raises(ExtensionError, match="in use"):
        SOLVERS.register(mine, Mine())
    SOLVERS.register(mine, Mine(), replace=True)
    SOLVERS.unregister(mine)
    with pytest.raises(SolverError, match="is unknown"):
        solver_of(mine)
    SOLVERS.register(mine, Mine())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "must answer with a SolverResult, not NoneType"),
        (SolverResult(SolverState.OPTIMAL, Termination.COMPLETE, values=np.ones(1)), r"the shape is \(1,\), not"),
        (ValueError("no licence"), r"ValueError: no licence \(test_solver.py, line \d+\)"),
    ],
)
def test_an_adapter_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, mine: str, answer: object, said: str) -> None:
    def ask(_self: Mine, _model: Model, _limits: RunLimits, **_more: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Mine, "ask", ask)
    with pytest.raises(SolverError, match=f"solver mine: its adapter .*{said}"):
        solve(small(0), Solving(gap=0, solver=mine))


def test_features_that_are_none_are_refused() -> None:
    odd = type("Odd", (Mine,), {"features": ["gap"]})()
    with pytest.raises(ExtensionError, match="solver 'odd', features: must be a frozenset of Feature"):
        SOLVERS.register("odd", odd)


def test_what_was_typed_and_cannot_be_told_is_said(
    folder: Path, mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mine, "features", frozenset({Feature.GAP}))
    words = ("optimise", folder, "--set", "optimiser.samples=20", "--solver", mine, "--gap", "0", "--time-limit", "60")
    ran = run(capsys, monkeypatch, *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "solver mine cannot be told --time-limit" in ran.err
    assert "--gap" not in ran.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["solver"]["asked"]["untold"] == ["time_limit", "threads", "seed"]
