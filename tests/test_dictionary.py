"""The data dictionary knows every column of every table, and what reads the tables finds it there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from rdsim import bench, comparison, findings, plans, results, studies
from rdsim.bench.against import read_measurements
from rdsim.dictionary import TABLES, UNITS, TableEntry
from rdsim.errors import InputError
from rdsim.folders import read_manifest
from rdsim.optimiser.problem import folder as problems
from rdsim.report import page_tables
from rdsim.scenario import load
from rdsim.search import Given
from rdsim.simulation import Simulation, simulate, trace
from rdsim.studies import QUESTIONS, StudySettings, ask_of_problem
from tests.columns import tables_of, unknown
from tests.documents.dictionary import PAGE, written
from tests.folders.test_contents import ASSUMED, QUICK, problem
from tests.tiny import tiny_folder

LITTLE: Mapping[str, dict[str, Any]] = {
    "alternatives": {"count": 2, "resamples": 2},
    "assumptions": {"points": 10, "repeats": 0},
    "certify": {"batches": 2, "evaluation": 10, "worlds": 2},
    "explain": {"names": ("T1", "budget leap 2024")},
    "frontier": {"points": 3},
    "ladder": {"shares": (0.9, 1.1)},
    "payoff": {"repeats": 2, "replications": 4, "rolled": 0, "foresight": 0, "futures": 8},
    "rolling": {"replications": 4, "foresight": 2, "futures": 8},
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> plans.Plan:
    world = tiny_folder(tmp_path_factory.mktemp("world") / "tiny", scenario=lambda text: text + ASSUMED)
    return plans.plan(load(world, QUICK), replications=4)


@pytest.fixture(scope="module")
def simulation(plan: plans.Plan) -> Simulation:
    return simulate(plan.scenario, plan.proposal.portfolio, replications=4)


def test_every_column_of_a_plan_and_of_a_simulation_is_known(plan: plans.Plan, simulation: Simulation) -> None:
    study = findings.of_plan(plan)
    assert callable(study.page)
    assert unknown(study, tables_of(study)) == []
    assert unknown(study, page_tables(study.page())) == []
    story = trace(plan.scenario, plan.proposal.portfolio)
    told = findings.of_simulation(simulation, story)
    assert unknown(told, tables_of(told)) == []


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name in QUESTIONS.built_in])
def test_every_column_of_a_study_is_known(name: str, plan: plans.Plan) -> None:
    own = {one.name for one in QUESTIONS[name].own}
    asked = {one: value for one, value in LITTLE.get(name, {}).items() if one in own}
    given = Given(plan.proposal.portfolio, "mine")
    study = studies.ask(name, plan.scenario, given, StudySettings(samples=8, replications=8), **asked)
    assert study.tables
    assert unknown(study, tables_of(study)) == []


def test_every_column_of_an_answer_about_a_stated_problem_is_known(tmp_path: Path) -> None:
    folder = problem(tmp_path / "knapsack")
    (folder / "options.csv").write_text("option,weight\ntent,1\nstove,2\n", encoding="utf-8")
    (folder / "samples.csv").write_text("tent,stove\n" + "6,10\n8,9\n5,12\n" * 140, encoding="utf-8")
    posed = problems.read_statement(folder)
    named: dict[str, Any] = {"names": ("tent", "weight")}
    asked: dict[str, dict[str, Any]] = {
        "alternatives": {"count": 1},
        "explain": named,
        "frontier": {"second": "weight"},
    }
    seen = set[str]()
    for name in (one for one in QUESTIONS if QUESTIONS[one].stated is not None and one in QUESTIONS.built_in):
        study = ask_of_problem(name, posed, **asked.get(name, {}))
        assert study.scenario is None
        assert unknown(study, tables_of(study)) == []
        seen |= {f"{name}/{one}" for one in study.tables}
    assert {"certify/batches", "explain/caps", "ladder/ladder"} <= seen


def test_every_column_of_a_comparison_is_known(simulation: Simulation, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        other = simulate(simulation.scenario, simulation.portfolio, replications=4, seed=seed)
        results.write(findings.of_simulation(other), results.Run(tmp_path / name))
    study = comparison.study(comparison.compare(tmp_path / "a", tmp_path / "b"))
    assert unknown(study, tables_of(study)) == []


def test_every_column_of_a_benchmark_is_known(tmp_path: Path) -> None:
    """Of everything that one may be asked: other worlds, doubts, deciding again, optimisers, an earlier one."""
    world = load(tiny_folder(tmp_path / "tiny"))
    (tmp_path / "mine.csv").write_text("technology,partner,mode,start_year\nT2,US,matching,2024\nT1,,domestic,2024\n")
    racing = bench.Racing(("highs",), gaps=(0.05,), limit=5.0, copies=0)
    asked = bench.BenchSettings(worlds=("money",), replications=8, loop=False)
    made = bench.BenchRequest(asked, (tmp_path / "mine.csv",), racing, token=True)
    found = bench.run([world], made)
    results.write(replace(bench.study(found), page=None), results.Run(tmp_path / "run"))
    schema = pq.read_schema(tmp_path / "run" / "measurements.parquet")
    assert all(field.metadata[b"description"] for field in schema)
    assert schema.metadata[b"description"] == b"a row for each number that was measured"
    found.earlier = read_measurements(tmp_path / "run")
    study = bench.study(found)
    assert unknown(study, tables_of(study)) == []
    assert set(study.tables) == {table.name for table in TABLES if "bench" in table.commands}, "none is left out"


def test_a_parquet_file_says_units_and_meanings_of_itself(simulation: Simulation, tmp_path: Path) -> None:
    results.write(findings.of_simulation(simulation), results.Run(tmp_path / "run"))
    manifest = read_manifest(tmp_path / "run")
    for name in (one for one in manifest["files"] if one.endswith(".parquet")):
        schema = pq.read_schema(tmp_path / "run" / name)
        assert schema.metadata[b"money_unit"] == b"billion KRW"
        assert schema.metadata[b"scenario_sha256"].decode() == manifest["scenario"]["digest"]
        assert all(field.metadata[b"description"] for field in schema), name
    schema = pq.read_schema(tmp_path / "run" / "outcomes.parquet")
    assert schema.field("home_2025").metadata[b"unit"] == b"billion KRW"
    assert schema.field("market_time").metadata[b"unit"] == b"time"
    assert pq.read_schema(tmp_path / "run" / "replications.parquet").field("npv").metadata[b"description"] == (
        b"net present value")  # fmt: skip


def test_long_tables_say_what_the_wide_one_does(simulation: Simulation, tmp_path: Path) -> None:
    results.write(findings.of_simulation(simulation), results.Run(tmp_path / "run"))
    names = ("outcomes", "payments", "milestones")
    wide, payments, when = (pd.read_parquet(tmp_path / "run" / f"{name}.parquet") for name in names)
    for kind in ("home", "foreign", "abroad"):
        by_year = {int(name[-4:]): wide[name].sum() for name in wide if name.startswith(f"{kind}_")}
        found = payments.groupby("year")[kind].sum()
        assert all(found.get(year, 0.0) == pytest.approx(money) for year, money in by_year.items())
    times = [name for name in wide if name.endswith("_time") and name != "in_time"]
    assert len(when) == int(wide[times].notna().to_numpy().sum()) > 0
    assert when["time"].to_numpy() == pytest.approx(2024 + when["day"].to_numpy() / 360, abs=1e-4)
    reached = when[(when["milestone"] == "trl") & (when["number"] == 7)]
    assert reached["time"].tolist() == wide["trl_7_time"].dropna().tolist()


def test_the_page_is_what_the_dictionary_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, "write it again with `make dictionary`"


def test_every_table_has_a_name_of_its_own_and_units_that_are_explained() -> None:
    def keys(table: TableEntry) -> list[tuple[str, str]]:
        return [(command, table.name) for command in table.commands]

    named = [key for table in TABLES for key in keys(table)]
    assert len(named) == len(set(named))
    assert {one.unit for table in TABLES for one in table.columns} <= set(UNITS)
    assert all(one.meaning for table in TABLES for one in table.columns)


def test_labelled_arrays_hold_what_the_tables_do(simulation: Simulation) -> None:
    pytest.importorskip("xarray")
    found = simulation.to_xarray()
    money = [name for name in simulation.projects if name.startswith("home_")]
    assert float(found["home"].sum()) == pytest.approx(simulation.projects[money].to_numpy().sum())
    assert found["total_npv"].to_numpy().tolist() == simulation.replications["npv"].tolist()
    assert found["home"].attrs == {"units": "billion KRW", "long_name": "paid by home in the year, less what came back"}
    purse = found["purse_spent"].sel(programme="base", year=2025).to_numpy().tolist()
    assert purse == simulation.purses.query("programme == 'base' and year == 2025")["spent"].tolist()


def test_without_xarray_it_is_said_how_to_install_it(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InputError, match=r"pip install 'rdsim\[xarray\]'"):
        simulation.to_xarray()
