"""Extension points of the world: a file registers, a scenario names it and gives its parameters, both engines obey."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import rdsim
from rdsim import plugins
from rdsim.domain import Scenario
from rdsim.errors import ScenarioError
from rdsim.registry import Registry
from rdsim.scenario import digest
from tests.command import run

HERE = Path(__file__).parent / "plugins"


CROWDED = rdsim.Portfolio(tuple(rdsim.Choice(name, start_year=2024) for name in ("T1", "T2", "T4", "T6")), "crowded")
"""They share a purse, an experts' seat and a test bed."""


@dataclass(frozen=True)
class Point:
    """A plug-in file, how a scenario names it, a parameter of its own with another value, and one that cannot be."""

    file: str
    names: dict[str, str]
    parameter: str
    other: float
    bad: float
    rule: str


POINTS = {
    "gate policy": Point(
        "patient.py",
        {"programmes.leap.gate.policy": "patient"},
        "programmes.leap.gate.parameters.patience",
        0,
        1.5,
        "must be a whole number at least 0 and at most 9: Reviews that are forgiven",
    ),
    "purse rule": Point(
        "reserve.py",
        {"programmes.leap.purse_rule": "reserve"},
        "programmes.leap.purse_parameters.kept",
        0.7,
        2,
        "must be a number at least 0 and at most 1: Share of the year's money kept back",
    ),
}
EVERY = pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))


@pytest.fixture(autouse=True)
def _taken_back() -> Iterator[None]:
    yield
    for registry in Registry.every:
        for name in registry.own():
            registry.unregister(name)


def load(tiny: Path, point: Point, **more: float) -> Scenario:
    plugins.load([HERE / point.file])
    return rdsim.load(tiny, {**point.names, **more})


def tables(scenario: Scenario, portfolio: rdsim.Portfolio, engine: str = "compiled") -> list[pd.DataFrame]:
    found = rdsim.simulate(scenario, portfolio, replications=30, engine=engine)  # type: ignore[arg-type]
    return [found.projects, found.replications, found.purses, found.partners, found.international]


def same(first: list[pd.DataFrame], second: list[pd.DataFrame]) -> bool:
    return all(one.equals(other) for one, other in zip(first, second, strict=True))


@EVERY
def test_it_decides_on_both_engines_alike_and_its_parameter_matters(tiny: Path, point: Point) -> None:
    plain = rdsim.load(tiny)
    scenario = load(tiny, point)
    assert rdsim.optimise(scenario).choices
    portfolio = CROWDED
    here = tables(scenario, portfolio)
    assert same(here, tables(scenario, portfolio, "simpy"))
    assert not same(here, tables(plain, portfolio))
    other = load(tiny, point, **{point.parameter: point.other})
    there = tables(other, portfolio)
    assert same(there, tables(other, portfolio, "simpy"))
    assert not same(here, there)
    assert len({digest(one) for one in (plain, scenario, other)}) == 3


@EVERY
def test_parameters_that_cannot_be_are_told_together(tiny: Path, point: Point) -> None:
    before, _, name = point.parameter.rpartition(".")
    wrong = {point.parameter: point.bad, f"{before}.{name}s": 1, f"{before}.texts": "much"}
    with pytest.raises(ScenarioError) as caught:
        load(tiny, point, **wrong)  # type: ignore[arg-type]
    rules = {fault.where.rpartition(".")[2]: str(fault) for fault in caught.value.faults}
    assert point.rule in rules[name]
    assert f"Did you mean '{name}'?" in rules[f"{name}s"]
    assert "must be a number" in rules["texts"]
    with pytest.raises(ScenarioError, match="has no parameters"):
        rdsim.load(tiny, {point.parameter: point.other})


def test_the_command_line_runs_them_all_and_tells_what_cannot_be(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [word for point in POINTS.values() for word in ("--plugin", HERE / point.file)]
    names = [
        word for point in POINTS.values() for key, name in point.names.items() for word in ("--set", f"{key}={name}")
    ]
    said = run(capsys, monkeypatch, "plan", tiny, *files, *names, "--replications", 8, "--out", tmp_path / "run")
    assert said.code == 0, said.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert [one["file"] for one in manifest["plugins"]] == [str(HERE / point.file) for point in POINTS.values()]
    assert run(capsys, monkeypatch, "report", tmp_path / "run").code == 0
    wrong = [word for point in POINTS.values() for word in ("--set", f"{point.parameter}={point.bad}")]
    told = run(capsys, monkeypatch, "check", tiny, *files, *names, *wrong)
    assert told.code == 2
    assert all(f"--set {point.parameter}: {point.rule}" in told.err for point in POINTS.values())
