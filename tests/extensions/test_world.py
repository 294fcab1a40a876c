"""Extension points of the world: a file registers, a scenario names it and gives its parameters, both engines obey."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import extend, plugins
from rdsim.case import build
from rdsim.domain import Risks, Scenario
from rdsim.draws import Draws, Purpose
from rdsim.errors import ExtensionError, ScenarioError
from rdsim.expectation import with_sure_market
from rdsim.luck import lay_out, value_factor
from rdsim.options import sample
from rdsim.scenario import digest
from rdsim.simulation import Running, expected_worths
from tests.command import run

HERE = Path(__file__).parent / "plugins"


CROWDED = rdsim.Portfolio(tuple(rdsim.Choice(name, start_year=2024) for name in ("T1", "T2", "T4", "T6")), "crowded")
"""They share a purse, an experts' seat and a test bed."""
ABROAD = rdsim.Portfolio((rdsim.Choice("T1", "direct", "US", 2024, 1), rdsim.Choice("T6", start_year=2024, rank=2)))
"""One is paid for in dollars, after talks."""


@dataclass(frozen=True)
class Point:
    """A plug-in file, how a scenario names it, a parameter of its own with another value, and one that cannot be."""

    file: str
    names: dict[str, str]
    parameter: str
    other: float
    bad: float
    rule: str
    besides: dict[str, Any] = field(default_factory=dict)  # what makes it matter in so small a world
    portfolio: rdsim.Portfolio = CROWDED


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
    "distribution of step times": Point(
        "weibull.py",
        {"steps.distribution": "weibull"},
        "steps.distribution_parameters.shape",
        4.0,
        0.1,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
    ),
    "distribution of values": Point(
        "weibull.py",
        {"value.distribution": "weibull"},
        "value.distribution_parameters.shape",
        4.0,
        99,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
    ),
    "distribution of times to the market": Point(
        "weibull.py",
        {"value.market_distribution": "weibull"},
        "value.market_distribution_parameters.shape",
        4.0,
        0.1,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
    ),
    "distribution of talks": Point(
        "weibull.py",
        {"modes.direct.distribution": "weibull"},
        "modes.direct.distribution_parameters.shape",
        4.0,
        0.1,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
        portfolio=ABROAD,
    ),
    "distribution of budgets": Point(
        "weibull.py",
        {"risks.budget.distribution": "weibull"},
        "risks.budget.distribution_parameters.shape",
        4.0,
        0.1,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
    ),
    "distribution of exchange rates": Point(
        "weibull.py",
        {"risks.exchange.distribution": "weibull"},
        "risks.exchange.distribution_parameters.shape",
        4.0,
        0.1,
        "must be a number at least 0.2 and at most 20: Below 2 the tail is long",
        portfolio=ABROAD,
    ),
    "queue rule": Point(
        "urgent.py",
        {"panels.experts.queue.rule": "urgent", "queues.facilities.rule": "urgent", "queues.places.rule": "urgent"},
        "panels.experts.queue.parameters.ageing",
        90.0,
        -1,
        "must be a number at least 0 and at most 100: Days of slack that a day's wait is worth",
        {
            "panels.experts.review_months": 30,
            "programmes.base.gate.policy": "threshold",
            "programmes.base.deadline_years": 1,
        },
    ),
    "market value model": Point(
        "capped.py",
        {"value.model": "capped"},
        "value.model_parameters.cap",
        20.0,
        -1,
        "must be a number at least 0 and at most 1e+06: Most that a technology is worth",
    ),
}
EVERY = pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))


pytestmark = pytest.mark.usefixtures("taken_back")


def load(tiny: Path, point: Point, **more: float) -> Scenario:
    plugins.load([HERE / point.file])
    return rdsim.load(tiny, {**point.besides, **point.names, **more})


def tables(scenario: Scenario, portfolio: rdsim.Portfolio, engine: str = "compiled") -> list[pd.DataFrame]:
    found = rdsim.simulate(scenario, portfolio, replications=30, running=Running(engine=engine))  # type: ignore[arg-type]
    return [found.projects, found.replications, found.purses, found.partners, found.international]


def same(first: list[pd.DataFrame], second: list[pd.DataFrame]) -> bool:
    return all(one.equals(other) for one, other in zip(first, second, strict=True))


@EVERY
def test_it_decides_on_both_engines_alike_and_its_parameter_matters(tiny: Path, point: Point) -> None:
    plain = rdsim.load(tiny, point.besides)
    scenario = load(tiny, point)
    assert rdsim.optimise(scenario).portfolio.choices
    portfolio = point.portfolio
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


def test_a_distribution_of_ones_own_is_drawn_by_its_quantiles(tiny: Path) -> None:
    """The median of a step is the scenario's, the factor the distribution's at its uniform number; means stay."""
    scenario = load(tiny, POINTS["distribution of step times"], **{"value.distribution": "weibull"})  # type: ignore[arg-type]
    plain = dataclasses.replace(scenario, risks=Risks(), technology_steps=())
    draws, choices = Draws(1, range(4000)), CROWDED.choices
    days = lay_out(plain, build(plain, CROWDED), choices, draws).step_days[:, 0, 3, 0] / 360
    u = draws.uniform(Purpose.STEP_TIME, ["T1"], 8, 3)[:, 0, 3, 0]
    assert days == pytest.approx(plain.steps.median_years[3] * (np.log(1 - u) / np.log(0.5)) ** (1 / 1.5), rel=1e-9)
    value = value_factor(plain, ["T1", "T2"], draws)
    assert value.mean(axis=0) == pytest.approx(1.0, abs=0.05)
    assert (value_factor(with_sure_market(plain), ["T1"], draws) == 1.0).all()


@pytest.mark.parametrize(
    ("quantile", "rule"),
    [
        (lambda u: u - 0.5, "finite numbers above 0"),
        (lambda u: u[0], "an array of the shape of u"),
        (lambda u: 1 if u > 0.5 else 2, "must not raise an exception"),
        (lambda u: "much", "an array of the shape of u"),
        (lambda u: 1.5 - u, "must not fall as u rises"),
        (lambda u: 1.0 + u, r"must be 1 at u = 0\.5.*Found: 1\.5"),
    ],
)
def test_a_distribution_that_answers_no_factors_is_told(tiny: Path, quantile: Any, rule: str) -> None:
    extend.distribution("odd")(quantile)
    scenario = rdsim.load(tiny, {"steps.distribution": "odd"})
    for engine in ("compiled", "simpy"):
        with pytest.raises(ExtensionError, match=rule) as caught:
            rdsim.simulate(scenario, CROWDED, replications=2, running=Running(engine=engine))  # type: ignore[arg-type]
        assert caught.value.faults[0].where == "distribution 'odd', quantile"


@pytest.mark.parametrize("takes_luck", [True, False])
def test_a_market_model_has_the_mean_that_the_optimiser_is_told(tiny: Path, takes_luck: bool) -> None:
    """Whether it does with luck what it likes, or leaves it to rdsim."""
    if not takes_luck:
        extend.market_model("flat")(lambda rights, late: 50.0 * rights * (late < 720))
    scenario = load(tiny, POINTS["market value model"], **({} if takes_luck else {"value.model": "flat"}))  # type: ignore[arg-type]
    drawn = rdsim.simulate(scenario, CROWDED, replications=4000).replications["npv"].to_numpy()
    expected = expected_worths(scenario, CROWDED, replications=4000)[0]
    alone = sample(scenario, CROWDED.choices, samples=4000, seed=1)
    for found, mean in ((drawn, expected.mean()), *zip(alone.npv.T, alone.mean, strict=True)):
        assert abs(found.mean() - mean) < 4 * found.std() / np.sqrt(len(found))
    assert expected.std() < drawn.std()


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (lambda listed: -listed, "finite and at least 0"),
        (lambda listed: 1 if listed > 3 else 2, "raise no exception"),
        (lambda listed: listed[:2], "raise no exception"),
    ],
)
def test_a_market_model_that_answers_no_values_is_told(tiny: Path, value: Any, rule: str) -> None:
    extend.market_model("odd")(value)
    with pytest.raises(ExtensionError, match=rule) as caught:
        rdsim.simulate(rdsim.load(tiny, {"value.model": "odd"}), CROWDED, replications=20)
    assert caught.value.faults[0].where == "market value model 'odd', value"


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
    assert {one["file"] for one in manifest["plugins"]} == {str(HERE / point.file) for point in POINTS.values()}
    assert run(capsys, monkeypatch, "report", tmp_path / "run").code == 0
    wrong = [word for point in POINTS.values() for word in ("--set", f"{point.parameter}={point.bad}")]
    told = run(capsys, monkeypatch, "check", tiny, *files, *names, *wrong)
    assert told.code == 2
    assert all(f"--set {point.parameter}: {point.rule}" in told.err for point in POINTS.values())
