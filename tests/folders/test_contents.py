"""The one list of what a run's folder holds: kept by what is written, by who reads it, and by its documentation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rdsim import findings, plugins, results
from rdsim.domain import Choice, Portfolio
from rdsim.folders import contents, read_manifest
from rdsim.optimiser import solve
from rdsim.optimiser.problem import folder as problems
from rdsim.plans import plan
from rdsim.report import Page
from rdsim.results import Run
from rdsim.scenario import load
from rdsim.search import Given, optimise
from rdsim.simulation import simulate, trace
from rdsim.study import Study
from tests.documents.blocks import ROOT
from tests.tiny import tiny_folder

TABLE = pd.DataFrame({"x": [1, 2]})
WHOSE = Portfolio((Choice("T1", "domestic", "", 2024),))

ASSUMED = """
[assumptions.values]
paths = ["technologies.*.value"]
change = "multiply"
low = 0.5
high = 1.5
why = "nobody has measured them"
"""

QUICK = {
    "optimiser.samples": 20,
    "optimiser.redecisions": 4,
    "optimiser.search.rounds": 1,
    "optimiser.search.replications": 20,
    "optimiser.search.most_replications": 100,
    "optimiser.assumptions.points": 10,
    "optimiser.assumptions.replications": 20,
    "optimiser.assumptions.pairs": 0,
}
"""A plan with all that a plan may have, in little time."""


def problem(folder: Path) -> Path:
    """A knapsack of two things."""
    folder.mkdir()
    (folder / "options.csv").write_text("option,value,weight\ntent,6,1\nstove,10,2\n", encoding="utf-8")
    (folder / "rows.csv").write_text("row,cap\nweight,2\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    """One of each kind; the last two are made up."""
    base = tmp_path_factory.mktemp("world")
    world, stated = load(tiny_folder(base / "tiny")), problems.read_statement(problem(base / "knapsack"))
    doubted = load(tiny_folder(base / "doubted", scenario=lambda text: text + ASSUMED), QUICK)
    chosen = Portfolio((Choice("T1", "domestic", "", 2024),))
    simulated = simulate(world, chosen, replications=4, seed=2)
    answer = solve(stated.problem)
    page = Page("Study", "A title", ["First."], [])
    return {
        "plan": findings.of_plan(plan(doubted, replications=4)),
        "simulation": findings.of_simulation(simulated, trace(world, chosen, seed=2)),
        "proposal": findings.of_proposal(world, optimise(world, samples=10), 1),
        "problem": findings.of_problem(stated, answer, {"seed": 3}),
        "study": replace(
            Study("mine", world, 1, page, {"a": TABLE, "b": TABLE}, {}, {"c": chosen}, parquet=frozenset("b")),
            workbook=("a",),
        ),
        "calibration": Study("calibrate", None, 1, page, {"a": TABLE}, texts={contents.CALIBRATION.name: "x"}),
    }  # fmt: skip


def test_runs_hold_what_the_list_says_and_the_list_says_nothing_else(studies: dict[str, Study], tmp_path: Path) -> None:
    seen = set[contents.Held]()
    (tmp_path / "mine.py").write_text("X = 1\n")
    loaded, stated = plugins.load([tmp_path / "mine.py"]), problems.given_problem(problem(tmp_path / "knapsack"))
    for kind, study in studies.items():
        asked: dict[str, Any] = {"given": Given(WHOSE, "somebody's"), "plugins": loaded} if kind == "study" else {}
        asked |= {"problem": stated} if kind == "problem" else {}
        found = results.write(study, Run(tmp_path / kind, **asked))
        assert found.missing == (), (kind, found.why)
        if kind == "plan":
            results.brief(tmp_path / kind)
        files = [
            path.relative_to(tmp_path / kind).as_posix() for path in (tmp_path / kind).rglob("*") if path.is_file()
        ]
        held = {path: contents.content_of(path, study.name) for path in files}
        assert None not in held.values(), (kind, [path for path, one in held.items() if one is None])
        assert read_manifest(tmp_path / kind)["files"].keys() == held.keys() - {"manifest.json"}
        seen |= {one for one in held.values() if one is not None}
        assert read_manifest(tmp_path / kind)["study"] == study.name if study.name not in contents.MAIN else True
    assert seen == set(contents.HELD)


def test_a_file_is_of_the_runs_that_have_it() -> None:
    assert contents.content_of("policies.parquet", "simulate") is None
    assert contents.content_of("trace.csv", "simulate") is contents.TRACE
    assert contents.content_of("trace.csv", "frontier") is contents.TABLE
    assert contents.content_of("portfolios/a/b.csv", "frontier") is None
    assert contents.content_of("thesis.txt", "frontier") is None
    assert contents.PORTFOLIOS.path("best") == "portfolios/best.csv"


def test_a_run_s_documentation_is_the_list() -> None:
    page = (ROOT / "docs" / "runs.md").read_text(encoding="utf-8")
    assert "\n".join(contents.markdown_lines()) in page


def test_a_page_that_there_is_no_memory_for_is_missing_and_the_rest_is_kept(
    studies: dict[str, Study], tmp_path: Path
) -> None:
    def too_large() -> pd.DataFrame:
        raise MemoryError("too little")

    whole = studies["plan"]
    lacking = Study("plan", whole.scenario, 1, too_large, whole.tables, parquet=whole.parquet)  # type: ignore[arg-type]
    found = results.write(lacking, Run(tmp_path / "page"))
    assert (found.missing, "too little" in found.why) == (("page/page.json",), True)
    tables = {**whole.tables, "policies": too_large}
    lacking = Study("plan", whole.scenario, 1, whole.page, tables, parquet=whole.parquet)
    found = results.write(lacking, Run(tmp_path / "table"))
    assert found.missing == ("policies.parquet",)
    assert not (tmp_path / "table" / "page").exists()  # it is drawn from that table
    assert (tmp_path / "table" / "outcomes.parquet").exists()
