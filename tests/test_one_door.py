"""One door: what is made or changed in Python is checked as files are, once; equal scenarios have equal digests."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import domain
from rdsim import portfolio as portfolios
from rdsim import scenario as scenarios
from rdsim.domain import Choice, Portfolio, Programme, Scenario, WhatIfSettings
from rdsim.errors import Fault, PortfolioError, ScenarioError
from rdsim.frozen import Frozen, FrozenTable, _container_fields
from rdsim.scenario import Variations, digest, dump, load, loader, sound
from rdsim.search import build_instance
from rdsim.simulation import expected_worths, replicate
from tests.tiny import tiny_folder

CHOSEN = Portfolio((Choice("T2", start_year=2024),))


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("door") / "tiny"))


def faults_of(made: Callable[[], object], kind: type[rdsim.InputError] = ScenarioError) -> list[Fault]:
    with pytest.raises(kind) as refused:
        made()
    return list(refused.value.faults)


def texts_of(made: Callable[[], object], kind: type[rdsim.InputError] = ScenarioError) -> list[str]:
    return [str(fault) for fault in faults_of(made, kind)]


# Checked on use -----------------------------------------------------------------------------------


def _spoilt(scenario: Scenario) -> Scenario:
    first = replace(scenario.technologies["T1"], cost=-5, trl=77)
    return replace(scenario, technologies=scenario.technologies | {"T1": first})


USES: dict[str, Callable[[Scenario, Path], object]] = {
    "optimise": lambda one, _: rdsim.optimise(one),
    "build_instance": lambda one, _: build_instance(one),
    "plan": lambda one, _: rdsim.plan(one),
    "simulate": lambda one, _: rdsim.simulate(one, CHOSEN),
    "replicate": lambda one, _: replicate(one, CHOSEN),
    "expected": lambda one, _: expected_worths(one, CHOSEN),
    "trace": lambda one, _: rdsim.trace(one, CHOSEN),
    "check": lambda one, _: rdsim.check(one),
    "remarks": lambda one, _: scenarios.remarks(one),
    "digest": lambda one, _: digest(one),
    "dump": lambda one, place: dump(one, place / "out"),
    "write": lambda one, place: one.write(place / "out"),
    "frames": lambda one, _: one.to_frames(),
    "with_": lambda one, _: one.with_({"optimiser.samples": 20}),
    "vary": lambda one, _: Variations(one),
    "portfolio": lambda one, _: portfolios.check(CHOSEN, one),
    "read": lambda one, _: Portfolio.from_frame(CHOSEN.frame(), one),
    "show": lambda one, _: CHOSEN.frame(one),
    "sweep": lambda one, _: rdsim.Experiment(one, factors={"optimiser.samples": [20, 30]}).run(),
}


@pytest.mark.parametrize("use", USES)
def test_what_was_changed_by_hand_is_checked_at_every_use(scenario: Scenario, tmp_path: Path, use: str) -> None:
    made = _spoilt(scenario)
    texts = texts_of(lambda: USES[use](made, tmp_path), rdsim.InputError)
    assert [text.split(":")[0] for text in texts] == [
        "scenario.technologies, T1, column cost",
        "scenario.technologies, T1, column trl",
    ]
    assert "Found: -5" in texts[0]
    assert "from 1 to 9. Found: 77" in texts[1]
    assert not (tmp_path / "out").exists()


def test_rules_between_parts_are_checked_too(scenario: Scenario) -> None:
    orphan = replace(scenario.technologies["T1"], programme="lepa")
    made = replace(scenario, technologies=scenario.technologies | {"T1": orphan})
    (text,) = texts_of(lambda: rdsim.check(made))
    assert text.startswith("scenario.technologies, T1, column programme: must name a programme")
    assert "Did you mean 'leap'?" in text


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"start_year": "2024"}, "scenario, start_year"),
        ({"start_year": 2024.5}, "scenario, start_year"),
        ({"discount_rate": float("nan")}, "scenario, discount_rate"),
        ({"discount_rate": pd.NA}, "scenario, discount_rate"),
        ({"technologies": None}, "scenario.technologies"),
        ({"technologies": {"T1": "T1"}}, "scenario.technologies, T1"),
        ({"links": 5}, "scenario.links"),
        ({"steps": object()}, "scenario, steps"),
        ({"name": "a b"}, "scenario, name"),
    ],
)
def test_wrong_types_are_faults_with_their_place(scenario: Scenario, changes: dict[str, Any], where: str) -> None:
    made = replace(scenario, **changes)
    assert where in [fault.where for fault in faults_of(lambda: digest(made))]
    assert len(repr(made)) < 300


def test_what_is_no_scenario_is_said() -> None:
    (text,) = texts_of(lambda: rdsim.simulate("scenarios/tiny", CHOSEN))  # type: ignore[arg-type]
    assert text == "scenario: must be a Scenario. Found: str. rdsim.load(folder) reads one."


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every scenario that passes the door from now on."""
    seen: list[object] = []
    real = loader.let_in

    def counted(*given: Any, **names: Any) -> Scenario:
        seen.append(given)
        return real(*given, **names)

    monkeypatch.setattr(loader, "let_in", counted)
    return seen


def test_a_scenario_is_checked_once_and_one_from_the_door_never(scenario: Scenario, checks: list[object]) -> None:
    for _ in range(3):
        rdsim.simulate(scenario, CHOSEN, replications=2, seed=1)
        assert sound(scenario) is scenario
    varied = Variations(scenario).vary([Variations(scenario).override(("optimiser", "samples"), 30)])
    changed = scenario.with_({"optimiser.samples": 30})
    assert sound(varied) is varied
    assert sound(changed) is changed
    assert sound(pickle.loads(pickle.dumps(scenario))) == scenario  # noqa: S301 - its own bytes
    assert not checks
    made = replace(scenario, title="By hand")
    for _ in range(3):
        rdsim.simulate(made, CHOSEN, replications=2, seed=1)
        digest(made)
    assert len(checks) == 1
    assert sound(pickle.loads(pickle.dumps(made))) == made  # noqa: S301 - its own bytes
    assert len(checks) == 1


def test_what_was_checked_cannot_be_changed_in_place(scenario: Scenario) -> None:
    levels = scenario.levels["US"]
    for change in (
        lambda: scenario.technologies.pop("T1"),
        lambda: scenario.technologies.update(T9=scenario.technologies["T1"]),
        lambda: scenario.programmes["leap"].budget.__setitem__(2024, -5),
        scenario.optimiser.payment_ratio.clear,
        lambda: levels.setdefault("chip", 3),
        lambda: scenario.technologies.__delitem__("T1"),
        lambda: scenario.technologies.__ior__({}),
    ):
        with pytest.raises(TypeError, match=r"does not change: scenario.with_ makes another"):
            change()
    assert copy.deepcopy(scenario) == scenario
    assert type(copy.copy(levels)) is FrozenTable
    assert type(levels | {}) is dict


def test_every_record_that_holds_tables_or_tuples_is_frozen_whole() -> None:
    records = [one for one in vars(domain).values() if is_dataclass(one) and isinstance(one, type)]
    assert len(records) > 30
    loose = [one.__name__ for one in records if _container_fields(one) and not issubclass(one, Frozen)]
    assert loose == []


def test_what_a_value_was_made_of_may_change_and_the_value_does_not(scenario: Scenario) -> None:
    budget = dict(scenario.programmes["leap"].budget)
    names = ["EU"]
    line = replace(scenario.programmes["leap"], budget=budget, preferred_networks=names)
    budget[2024] = -1.0
    names.append("nowhere")
    assert line.budget == scenario.programmes["leap"].budget
    assert line.preferred_networks == ("EU",)


# Equal scenarios, equal digests -------------------------------------------------------------------


def _same(scenario: Scenario) -> dict[str, Scenario]:
    leap = scenario.programmes["leap"]

    def with_leap(**changes: Any) -> Scenario:
        return replace(scenario, programmes=scenario.programmes | {"leap": replace(leap, **changes)})

    budget = leap.budget
    return {
        "order": replace(scenario, technologies=dict(reversed(scenario.technologies.items()))),
        "ints": with_leap(
            budget={year: int(value) if value == int(value) else value for year, value in budget.items()}
        ),
        "numpy": with_leap(budget={np.int64(year): np.float64(value) for year, value in budget.items()}),
        "lists": with_leap(tranches=list(leap.tranches)),
        "arrays": replace(scenario, steps=replace(scenario.steps, median_years=np.array(scenario.steps.median_years))),
        "whole": replace(scenario, start_year=np.int32(scenario.start_year), requests_total=None),
        "frames": Scenario.from_frames(scenario.to_frames()),
        "pickled": pickle.loads(pickle.dumps(scenario)),  # noqa: S301 - its own bytes
    }


def test_equal_scenarios_have_equal_digests_and_results(scenario: Scenario) -> None:
    expected = rdsim.simulate(scenario, CHOSEN, replications=4, seed=1).replications
    for name, other in _same(scenario).items():
        assert other == scenario, name
        assert digest(other) == digest(scenario), name
        assert list(sound(other).technologies) == list(scenario.technologies), name
        pd.testing.assert_frame_equal(rdsim.simulate(other, CHOSEN, replications=4, seed=1).replications, expected)


def test_other_scenarios_have_other_digests(scenario: Scenario) -> None:
    others = [
        scenario.with_({"programmes.leap.budget.2024": 90}),
        scenario.with_({"technologies.T1.name": "other"}),
        replace(scenario, links=scenario.links[1:]),
        replace(scenario, title="x"),
    ]
    assert len({digest(one) for one in [scenario, *others]}) == len(others) + 1
    assert all(one != scenario for one in others)


# with_ --------------------------------------------------------------------------------------------


def test_with_is_what_set_is(scenario: Scenario, tmp_path: Path) -> None:
    changes = {
        "programmes.leap.budget.2026": 90,
        "technologies.*.cost": "9000 million KRW",
        "programmes.base.budget": {"2024": 3, "2025": np.float64(2.5)},
        "calibration": scenario.calibration,
        "technologies.T1.value": np.int64(100),
    }
    changed = scenario.with_(changes)
    assert changed == load(tiny_folder(tmp_path / "tiny"), changes)
    assert changed.programmes["leap"].budget[2026] == 90
    assert {one.cost for one in changed.technologies.values()} == {9.0}
    assert scenario.with_(["programmes.leap.budget.2026=90"]).programmes["leap"].budget[2026] == 90
    assert scenario.with_({}) == scenario


def test_with_says_what_set_says_and_all_of_it(scenario: Scenario, tmp_path: Path) -> None:
    wrong = {
        "programmes.laep.budget.2026": 90,
        "optimiser.samples": "many",
        "technologies.T1.cost": -3,
        "optimiser.gap": float("nan"),
        "nonsense": 4,
        "name": {1, 2},
    }
    mine = faults_of(lambda: scenario.with_(wrong))
    assert mine == faults_of(lambda: load(tiny_folder(tmp_path / "tiny"), wrong))
    assert len(mine) == len(wrong)
    (text,) = texts_of(lambda: scenario.with_({"parts": "x"}))
    assert text == "--set parts: is chosen when the folder is read. Found: 'x'."


# from_frames --------------------------------------------------------------------------------------


def test_frames_make_the_scenario_they_came_from(scenario: Scenario, tmp_path: Path) -> None:
    frames = scenario.to_frames()
    shuffled = frames["technologies"].set_index("id").sample(frac=1, random_state=1)
    heads = frames["technologies"].rename(columns={"cost": "Cost [million KRW]"})
    heads["Cost [million KRW]"] *= 1000
    for table in (frames["technologies"], shuffled, heads, frames["technologies"].astype(object)):
        assert Scenario.from_frames({**frames, "technologies": table}) == scenario
    Scenario.from_frames(frames).write(tmp_path / "out")
    assert load(tmp_path / "out") == scenario
    lists = frames["partners"].assign(modes=[list(one.modes) for one in scenario.partners.values()])
    assert Scenario.from_frames({**frames, "partners": lists}) == scenario
    made = {name: line for name, line in scenario.programmes.items() if isinstance(line, Programme)}
    settings = {**frames["settings"], "programmes": made}
    assert Scenario.from_frames({**frames, "settings": settings}) == scenario


def test_all_faults_of_frames_are_told_at_once_with_their_cells(scenario: Scenario) -> None:
    frames = scenario.to_frames()
    table = frames["technologies"].astype(object)
    for row, (column, value) in enumerate(
        [("cost", pd.NA), ("trl", 77), ("programme", "lepa"), ("cost", np.int64(-4)), ("value", pd.Timestamp("2024"))]
    ):
        table.loc[row, column] = value
    settings = copy.deepcopy(frames["settings"])
    settings["programmes"]["leap"]["budget"] = {np.int64(2024): np.float64("nan"), 2025: 7}
    settings |= {"colour": "red", "links": [], "parts": ["x"]}
    texts = texts_of(lambda: Scenario.from_frames({**frames, "technologies": table, "settings": settings}))
    assert [text.split(". Found")[0] for text in texts] == [
        "frame technologies, row 0, column cost: is required: Cost to the target TRL",
        "frame technologies, row 1, column trl: must be a whole number from 1 to 9",
        "frame technologies, row 2, column programme: must name a programme of the scenario",
        "frame technologies, row 3, column cost: must be an amount of money in billion KRW above 0 and at most 100000",
        "frame technologies, row 4, column value: must be text, a number or a list",
        "settings, colour: unknown key. Known: parts, requests_total.",
        "settings, links: belongs in frame links.",
        "settings, parts: is chosen when the folder is read.",
        "settings, programmes.leap.budget.2024: must be an amount of money in billion KRW from 0 to 1000000",
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: f["technologies"].pop("cost"), "frame technologies, column cost: the column is required"),
        (lambda f: f["technologies"].insert(1, "csot", 1), "frame technologies, column csot: unknown column"),
        (
            lambda f: f["technologies"].insert(1, "id", 1, allow_duplicates=True),
            "frame technologies, column id: a column",
        ),
        (lambda f: f.pop("levels"), "frame levels: the frame is required where there is a frame partners"),
        (lambda f: f.pop("partners"), "frame partners: the frame is required where there are joint modes"),
        (lambda f: f.update(technologies=[1]), "frame technologies: must be a pandas DataFrame. Found: list"),
        (lambda f: f.update(settings="scenario.toml"), "settings: must be a mapping of what scenario.toml would hold"),
        (lambda f: f["settings"].pop("currency"), "settings, currency: is required"),
        (lambda f: f["levels"].insert(1, "chpi", 3), "frame levels, column chpi: must name a field of the scenario"),
    ],
)
def test_missing_and_unknown_frames_and_columns(scenario: Scenario, spoil: Callable[[Any], object], told: str) -> None:
    frames = scenario.to_frames()
    spoil(frames)
    texts = texts_of(lambda: Scenario.from_frames(frames))
    assert [text for text in texts if text.startswith(told)]
    assert len(texts) == 1


# Portfolios ---------------------------------------------------------------------------------------


def test_a_portfolio_is_iterated_counted_and_asked_for_technologies(scenario: Scenario) -> None:
    chosen = Portfolio([Choice("T2", start_year=2024), Choice("T1", start_year=2025)])  # type: ignore[arg-type]
    assert chosen.choices == tuple(chosen)
    assert len(chosen) == 2
    assert "T1" in chosen
    assert Choice("T1", start_year=2025) in chosen
    assert "T3" not in chosen
    assert Portfolio(())
    table = chosen.frame()
    assert list(table.columns) == ["technology", "partner", "mode", "start_year", "rank"]
    assert Portfolio.from_frame(table) == chosen
    assert Portfolio.from_frame(table.set_index("technology"), scenario) == chosen
    assert Portfolio.from_frame(chosen.frame(scenario), scenario) == chosen
    assert {"name", "cost"} <= set(chosen.frame(scenario).columns)
    assert Portfolio.from_frame(Portfolio(()).frame(), scenario) == Portfolio(())


def test_portfolios_made_by_hand_are_refused_with_every_fault(scenario: Scenario, tmp_path: Path) -> None:
    made = Portfolio((Choice("T2", start_year="2024"), Choice(5, start_year=2024.5), 3, Choice("T8")))  # type: ignore[arg-type]
    texts = texts_of(lambda: rdsim.simulate(scenario, made), PortfolioError)
    assert [text.split(":")[0] for text in texts] == [
        "portfolio portfolio, choice 0, start_year",
        "portfolio portfolio, choice 1, technology",
        "portfolio portfolio, choice 1, start_year",
        "portfolio portfolio, choice 2",
        "portfolio portfolio, T8, technology",
    ]
    for use in (lambda: rdsim.write_portfolio(made, tmp_path / "p.csv"), made.frame):
        assert len(faults_of(use, PortfolioError)) == 4
    (text,) = texts_of(lambda: rdsim.trace(scenario, (1, 2)), PortfolioError)  # type: ignore[arg-type]
    assert text == "portfolio: must be a Portfolio of a tuple of choices. Found: tuple."
    rdsim.simulate(scenario, Portfolio((Choice("T2", start_year=np.int64(2024)),)), replications=2)


def test_a_frame_of_a_portfolio_is_refused_by_cell(scenario: Scenario) -> None:
    table = pd.DataFrame({"technology": ["T1", "T1"], "mode": ["domestic", object()], "start_year": [np.nan, 2024.5]})
    texts = texts_of(lambda: Portfolio.from_frame(table), PortfolioError)
    assert [text.split(":")[0] for text in texts] == [
        "frame portfolio, row 1, column mode",
        "frame portfolio, column partner",
        "frame portfolio, row 0, column start_year",
        "frame portfolio, row 1, column start_year",
        "frame portfolio, row 1, column technology",
    ]


# Reprs --------------------------------------------------------------------------------------------


def test_a_plan_checks_nothing_on_its_way_and_shows_itself(scenario: Scenario, checks: list[object]) -> None:
    alone = replace(scenario, optimiser=replace(scenario.optimiser, what_if=WhatIfSettings(repeats=0)))
    made = len(checks)
    plan = rdsim.plan(alone, replications=12)
    assert len(checks) == made + 1, "a scenario made by hand passes the door once; worlds of changes would pass it too"
    posed = build_instance(scenario, samples=10)
    assert repr(scenario) == f"Scenario tiny: {scenario.title}; 2 programmes, 6 technologies, 4 partners; 2024 to 2036"
    assert repr(CHOSEN) == "Portfolio portfolio: 1 choice (T2)"
    shown = [scenario, CHOSEN, plan, plan.proposal, plan.search, plan.simulation, posed, posed.options, posed.problem]
    shown += [plan.proposal.solution, posed.problem.rows, *plan.comparisons.values()]
    for value in shown:
        assert "\n" not in repr(value)
        assert len(repr(value)) < 600, repr(value)
    for value in (scenario, CHOSEN, plan, plan.proposal, plan.simulation):
        assert value._repr_html_().startswith("<table>")


def test_html_is_escaped(scenario: Scenario) -> None:
    html = replace(scenario, title="<b>&")._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html
    assert "<i>" not in Portfolio((Choice("<i>"),))._repr_html_()
