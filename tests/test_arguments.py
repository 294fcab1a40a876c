"""What is given in Python of another type than asked for: rdsim's own error at every public door, all at once."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rdsim
from rdsim.errors import ExperimentError, InputError, ScenarioError
from rdsim.optimiser import solve
from rdsim.search import build_instance
from rdsim.simulation import expected_worths, plain_worths, replicate
from tests.golden.digests import some_portfolio
from tests.tiny import tiny_folder

STRANGE = object()
DOORS: list[Callable[..., Any]] = [
    *(one for name in rdsim.__all__ if inspect.isfunction(one := getattr(rdsim, name))),
    build_instance,
    replicate,
    expected_worths,
    plain_worths,
]
ANYTHING = {"settings"}  # of any kind, by its name


def cases() -> Iterator[tuple[Callable[..., Any], str]]:
    """Every argument of every public function."""
    for door in DOORS:
        yield from ((door, name) for name in inspect.signature(door).parameters if name not in ANYTHING)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What arguments of those names may be."""
    folder = tiny_folder(tmp_path_factory.mktemp("world") / "tiny")
    scenario = rdsim.load(folder)
    portfolio = some_portfolio(scenario)
    path = folder.parent / "portfolio.csv"
    rdsim.write_portfolio(portfolio, path)
    return {
        "scenario": scenario,
        "chosen": portfolio,
        "portfolio": portfolio,
        "folder": folder,
        "first": folder,
        "path": path,
        "file": folder.parent / "book.xlsx",
        "book": folder.parent / "book.xlsx",
    }


@pytest.mark.parametrize(("door", "name"), [pytest.param(*one, id=f"{one[0].__name__}-{one[1]}") for one in cases()])
def test_a_strange_argument_is_a_fault_that_names_it(
    world: dict[str, Any], door: Callable[..., Any], name: str
) -> None:
    every = inspect.signature(door).parameters.values()
    several = {one.name for one in every if one.kind is one.VAR_POSITIONAL}
    needed = [one.name for one in every if one.default is one.empty and one.name not in several]
    given = {one: world[one] for one in needed} | {name: STRANGE}
    with pytest.raises(InputError) as caught:
        door(*given.values()) if name in several else door(**given)
    known = {"chosen": "portfolio", "overrides": "--set"}
    faults = caught.value.faults
    assert any(known.get(name, name) in one.where and "must" in one.rule and one.found for one in faults), faults
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: rdsim.Solving(gap="x"), ["Solving, gap: must be a number or None. Found: 'x'"]),  # type: ignore[arg-type]
        (
            lambda: rdsim.Solving(solver=5, threads=1.5, effort="lazy"),  # type: ignore[arg-type]
            ["solver: must be text or a Solver", "threads: must be a whole number", "one of quick, normal, long"],
        ),
        (lambda: rdsim.Running(engine="simpi"), ["Running, engine: must be one of compiled, simpy"]),  # type: ignore[arg-type]
        (lambda: rdsim.Running(threads=0), ["Running, threads: must be a whole number of at least 1"]),
        (lambda: rdsim.Running(threads=True), ["threads: must be a whole number or None. Found: True"]),
    ],
)
def test_settings_of_another_type_are_told_when_they_are_made(make: Callable[[], object], told: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert all(one in str(caught.value) for one in told), str(caught.value)
    assert len(caught.value.faults) == len(told)


def test_all_that_is_wrong_is_told_at_once_and_what_to_write(world: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        rdsim.optimise(world["scenario"], samples="5", solving="highs", running="simpy")  # type: ignore[arg-type]
    told = {one.where: one for one in caught.value.faults}
    assert list(told) == ["samples", "solving", "running"]
    assert told["solving"].suggestion == "Write solving=Solving(solver='highs')."
    assert told["running"].suggestion == "Write running=Running(engine='simpy')."


@pytest.mark.parametrize("samples", [-5, 0, 2**40])
def test_samples_that_cannot_be_are_told_by_their_name(world: dict[str, Any], samples: int) -> None:
    with pytest.raises(InputError, match=rf"samples: must be a whole number of at least 1, .* Found: {samples}"):
        rdsim.optimise(world["scenario"], samples=samples)
    with pytest.raises(InputError, match="replication: must be a whole number of at least 0"):
        rdsim.trace(world["scenario"], world["chosen"], replication=-1)
    with pytest.raises(InputError, match="seed: must be a whole number of at least 0"):
        rdsim.plan(world["scenario"], seed=-1)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    scenario = rdsim.load(tiny_folder(tmp_path / "tiny"))
    settings = rdsim.Solving(gap=np.float64(0.5), threads=np.int64(1))  # type: ignore[arg-type]
    assert settings.gap == 0.5
    table = replicate(scenario, some_portfolio(scenario), replications=np.int64(2), seed=np.int32(1))  # type: ignore[arg-type]
    assert len(table) == 2


def test_settings_that_cannot_be_are_told_with_the_problem(world: dict[str, Any]) -> None:
    posed = build_instance(world["scenario"], samples=5)
    with pytest.raises(InputError, match="gap: must lie in 0 <= gap < 1"):
        solve(posed.problem, rdsim.Solving(gap=2.0))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"replications": "x", "points": 2.5}, ["replications: must be a whole number or None", "points: must be a"]),
        ({"factors": 5}, ["factors: must be a mapping, each a Factor. Found: 5"]),
        ({"factors": {"x": 5}}, ["factor: must be a dictionary or an instance of Factor. Found: 5"]),
        ({"metrics": [5]}, ["metrics: must be a list, each text. Found: [5]"]),
        ({"metrics": "npv"}, ["metrics: must be a list, each text. Found: 'npv'"]),
        ({"rows": [5]}, ["rows: must be a list, each a mapping. Found: [5]"]),
        ({"answers": [5]}, ["answers: must be a list, each an Answer. Found: [5]"]),
        ({"task": "dream"}, ["task: must be one of simulate, optimise, plan, rolling. Found: 'dream'"]),
    ],
)
def test_an_experiment_of_another_type_is_told_when_it_is_made(changed: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(ExperimentError) as caught:
        rdsim.Experiment("scenarios/medical-ai-2024", **changed)
    assert all(one in str(caught.value) for one in told), str(caught.value)
    assert len(caught.value.faults) == len(told)


def test_factors_jobs_and_frames_of_another_type_are_told() -> None:
    with pytest.raises(ExperimentError, match="Factor, values: must be a list"):
        rdsim.Factor(5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="jobs: must be a whole number"):
        rdsim.Experiment("scenarios/medical-ai-2024").run(jobs="x")  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="frames: must be a mapping of settings and of frames by name"):
        rdsim.Scenario.from_frames(5)  # type: ignore[arg-type]
