"""The workbook of a run: types and sums of its sheets, texts that are no formulas, and the same bytes twice."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from rdsim import findings, results
from rdsim.domain import Choice, Portfolio, Scenario, Technology
from rdsim.folders.contents import WORKBOOK
from rdsim.optimiser import Solving
from rdsim.plans import plan
from rdsim.report import PlanReport
from rdsim.results import Run, read_manifest
from rdsim.scenario import load
from rdsim.search import optimise
from rdsim.simulation import simulate
from rdsim.study import Study
from rdsim.workbook import Contents, sheets_of, workbook_bytes
from rdsim.workbook.contents import command_words
from rdsim.workbook.excel import LONGEST, cell_text
from rdsim.workbook.sheets import Heading, Sheet
from tests.tiny import tiny_folder

HEAD = 3
"""Row of the headings, as Excel counts."""

STRANGE = {
    "T1": "=cmd|' /C calc'!A0",
    "T2": "+1",
    "T3": "-2",
    "T4": "@x",
    "T5": '차세대 "전지" <배터리> & 소재',
    "T6": "x" * 300,
}

ASSUMED = """
[assumptions.gain]
paths = ["partners.*.agreement"]
low = 0.2
high = 0.9
grade = "derived"
why = "=what was asked"
"""


def strange(scenario: Scenario) -> Scenario:
    """The scenario with names that nobody should trust."""
    technologies: dict[str, Technology] = {
        name: replace(one, name=STRANGE.get(name, one.name)) for name, one in scenario.technologies.items()
    }
    return replace(scenario, technologies=technologies)


def tabled(book: Any, name: str) -> pd.DataFrame:
    """A sheet's table without its totals, as numbers and texts."""
    page = book[name]
    (table,) = page.tables.values()
    first, last = table.ref.split(":")
    rows = [[cell.value for cell in row] for row in page[first:last]]
    body = rows[1 : len(rows) - (table.totalsRowCount or 0)]
    return pd.DataFrame(body, columns=rows[0])


def totals(book: Any, name: str) -> dict[str, Any]:
    """The cells of a table's last row by heading."""
    page = book[name]
    (table,) = page.tables.values()
    first, last = table.ref.split(":")
    rows = [[cell.value for cell in row] for row in page[first:last]]
    return dict(zip(rows[0], rows[-1], strict=True))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tiny_folder(tmp_path_factory.mktemp("tiny") / "tiny", scenario=lambda text: text + ASSUMED)
    changes = ["optimiser.samples=20", "optimiser.assumptions.points=0"]
    return findings.of_plan(plan(strange(load(folder, changes)), replications=6, one_shot=True))


@pytest.fixture(scope="module")
def run(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "run"
    command = ("rdsim", "plan", str(folder / "tiny"), "--one-shot")
    assert results.write(study, Run(folder, command=command)).missing == ()
    return folder


@pytest.fixture(scope="module")
def book(run: Path) -> Any:
    """The workbook with its formulas."""
    return openpyxl.load_workbook(run / WORKBOOK.name)


@pytest.fixture(scope="module")
def shown(run: Path) -> Any:
    """The workbook with what its formulas come to."""
    return openpyxl.load_workbook(run / WORKBOOK.name, data_only=True)


def test_a_plan_has_every_sheet_with_a_frozen_head_and_filters(book: Any) -> None:
    assert book.sheetnames == ["Overview", "Portfolio", "Money", "Budget", "Not funded", "Assumptions", "Results"]
    for name in book.sheetnames[1:]:
        (table,) = book[name].tables.values()
        assert book[name].freeze_panes == f"A{HEAD + 1}"
        assert table.autoFilter is not None
        assert table.ref.startswith(f"A{HEAD}:")


def test_the_portfolio_is_the_runs_with_names_and_typed_cells(run: Path, study: Study, book: Any) -> None:
    table, chosen = tabled(book, "Portfolio"), pd.read_csv(run / "portfolio.csv", keep_default_na=False)
    chosen = chosen.sort_values("rank")
    assert study.scenario is not None
    for heading, column in (
        ("Technology code", "technology"),
        ("Partner code", "partner"),
        ("Start year", "start_year"),
    ):
        assert [one or "" for one in table[heading]] == chosen[column].tolist()
    assert table["Technology"].tolist() == [study.scenario.technologies[one].name for one in chosen["technology"]]
    assert all(isinstance(one, int) for one in table["Start year"])
    page = book["Portfolio"]
    place = {cell.value: cell.column for cell in page[HEAD]}
    formats = {name: page.cell(HEAD + 1, place[name]).number_format for name in ("Start year", "Chance of market")}
    assert formats == {"Start year": "0", "Chance of market": "0.0%"}
    outcomes = pd.read_parquet(run / "outcomes.parquet")
    share = outcomes.groupby(outcomes["technology"].astype(str))["market_time"].apply(lambda one: one.notna().mean())
    assert table["Chance of market"].tolist() == pytest.approx([share[name] for name in table["Technology code"]])


def test_money_adds_up_to_the_purses_everywhere(run: Path, shown: Any) -> None:
    purses = pd.read_parquet(run / "purses.parquet")
    net = purses.assign(net=purses["spent"] + purses["spent_network"] - purses["refunded"])
    mean = net.groupby(["programme", "year"], observed=True)[["net", "lapsed", "spent_network"]].mean()
    money, budget, portfolio = (tabled(shown, name) for name in ("Money", "Budget", "Portfolio"))
    by_line = money.groupby(["Programme code", "Year"])["Expected payments"].sum()
    told = budget.set_index(["Programme code", "Year"])
    for key, one in mean.iterrows():
        assert by_line.get(key, 0.0) == pytest.approx(one["net"], abs=1e-9)
        assert told.loc[key, "Expected payments"] == pytest.approx(one["net"], abs=1e-9)
        assert told.loc[key, "Lapsed"] == pytest.approx(one["lapsed"], abs=1e-9)
    assert len(told) == len(mean)
    projects = money.loc[money["For"] == "projects", ["Expected payments", "Paid by partners"]].sum()
    assert portfolio["Expected payments"].sum() == pytest.approx(projects["Expected payments"])
    estimates = read_manifest(run)["estimates"]
    assert projects["Expected payments"] == pytest.approx(estimates["paid"]["mean"] - estimates["refunded"]["mean"])
    assert projects["Paid by partners"] == pytest.approx(estimates["paid_by_partners"]["mean"])


def test_totals_and_years_are_formulas_with_their_values(book: Any, shown: Any) -> None:
    assert totals(book, "Money")["Expected payments"] == "=SUBTOTAL(109,[Expected payments])"
    for name in ("Portfolio", "Money", "Budget"):
        table = tabled(shown, name)
        assert totals(shown, name)["Expected payments"] == pytest.approx(table["Expected payments"].sum())
    formulas = [row for row in book["Overview"].iter_rows() if isinstance(row[1].value, str)]
    assert any(str(row[1].value).startswith("=SUMIFS('Budget'!") for row in formulas)
    budget = tabled(shown, "Budget").groupby("Year")[["Announced", "Expected payments", "Lapsed"]].sum()
    rows = {row[0].value: [cell.value for cell in row[1:4]] for row in shown["Overview"].iter_rows()}
    for year, sums in budget.iterrows():
        assert rows[year] == pytest.approx(sums.tolist())


def test_only_formulas_of_our_own_are_formulas(book: Any) -> None:
    for page in book:
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert str(cell.value).startswith(("=SUBTOTAL(109,[", "=SUMIFS('Budget'!"))


def test_names_that_look_like_formulas_are_texts_that_stay_texts(book: Any) -> None:
    found = {}
    for name in ("Portfolio", "Not funded"):
        page = book[name]
        code, name_of = (next(c.column for c in page[HEAD] if c.value == h) for h in ("Technology code", "Technology"))
        for row in range(HEAD + 1, page.max_row + 1):
            if page.cell(row, code).value in STRANGE:
                found[page.cell(row, code).value] = page.cell(row, name_of)
    assert {code: cell.value for code, cell in found.items()} == STRANGE
    assert {cell.data_type for cell in found.values()} == {"s"}
    assert [found[code].quotePrefix for code in ("T1", "T2", "T3", "T4", "T5", "T6")] == [True] * 4 + [False] * 2


def test_candidates_are_funded_or_not(study: Study, book: Any) -> None:
    assert study.scenario is not None
    codes = [one for name in ("Portfolio", "Not funded") for one in tabled(book, name)["Technology code"]]
    assert sorted(codes) == sorted(study.scenario.technologies)


def test_assumptions_and_figures_are_those_of_the_run(run: Path, book: Any) -> None:
    row = tabled(book, "Assumptions").iloc[0]
    assert row[["Assumption code", "Low", "High", "Grade", "Why"]].tolist() == [
        "gain", 0.2, 0.9, "derived", "=what was asked",
    ]  # fmt: skip
    manifest, table = read_manifest(run), tabled(book, "Results")
    npv = table[(table["What"] == "figure") & (table["Figure"] == "net present value")].iloc[0]
    told = manifest["estimates"]["npv"]
    assert npv[["Mean", "Low", "High"]].tolist() == pytest.approx([told[k] for k in ("mean", "low", "high")])
    leads = table[table["What"] == "lead of the plan over"]
    expected = [one["difference"]["mean"] for one in manifest["baselines"].values()]
    assert np.array(leads["Mean"], dtype=float).tolist() == pytest.approx(expected)
    lines = {row[0].value: row[1].value for row in book["Overview"].iter_rows()}
    assert (lines["Seed"], lines["rdsim"]) == (manifest["seed"], manifest["rdsim"])
    assert lines["Command"] == "rdsim plan tiny --one-shot"


def test_the_same_run_writes_the_same_bytes_and_they_are_in_the_manifest(
    run: Path, study: Study, tmp_path: Path
) -> None:
    command = ("rdsim", "plan", str(tmp_path / "elsewhere" / "tiny"), "--one-shot")
    results.write(study, Run(tmp_path / "run", command=command))
    assert (tmp_path / "run" / WORKBOOK.name).read_bytes() == (run / WORKBOOK.name).read_bytes()
    files = [read_manifest(folder)["files"][WORKBOOK.name] for folder in (run, tmp_path / "run")]
    assert files[0] == files[1]


def test_simulations_and_proposals_have_the_sheets_that_they_can_fill(tiny: Path, tmp_path: Path) -> None:
    world = load(tiny)
    chosen = Portfolio((Choice("T1", "domestic", "", 2024),))
    alone = findings.of_simulation(simulate(world, chosen, replications=4, seed=2))
    proposed = findings.of_proposal(world, optimise(world, samples=10, solving=Solving()), 1)
    sheets = {}
    for study in (alone, proposed):
        assert results.write(study, Run(tmp_path / study.name)).missing == ()
        sheets[study.name] = openpyxl.load_workbook(tmp_path / study.name / WORKBOOK.name).sheetnames
    assert sheets == {
        "simulate": ["Overview", "Portfolio", "Money", "Budget", "Not funded", "Results"],
        "optimise": ["Overview", "Portfolio", "Budget", "Not funded"],
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\x00b\x0bc", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("\uffff", "\ufffd"),
        ("\r\n=1", "\n=1"),
        ("정책 \U0001f600", "정책 \U0001f600"),
        ("y" * LONGEST, "y" * LONGEST),
        ("y" * (LONGEST + 1), "y" * (LONGEST - 3) + "..."),
    ],
)
def test_texts_become_such_as_a_cell_can_hold(text: str, found: str) -> None:
    assert cell_text(text) == found


def test_long_texts_and_empty_tables_are_written() -> None:
    heads = [Heading("Name", "text"), Heading("Amount", "money", total=True)]
    full = Sheet("Full", "=note", heads, [("\U0001f600" * 40_000, float("nan")), ("\t=1", 2.0)])
    data = workbook_bytes([full, Sheet("Empty", "Nothing.", heads, [])])
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    assert len(book["Full"]["A4"].value.encode("utf-16-le")) <= 2 * LONGEST
    assert (book["Full"]["A5"].value, book["Full"]["A5"].quotePrefix) == ("\t=1", True)
    assert (book["Full"]["A2"].data_type, book["Full"]["B4"].value, book["Full"]["B6"].value) == ("s", None, 2.0)
    assert not book["Empty"].tables


def test_a_command_is_told_without_folders_of_a_machine() -> None:
    words = ("rdsim", "plan", str(Path("/a/b/tiny")), "--set", "x=1", "results/run")
    assert command_words(words) == "rdsim plan tiny --set x=1 results/run"


def test_firmness_is_told_of_what_is_funded_and_of_what_is_not(study: Study) -> None:
    assert study.portfolio is not None
    assert study.scenario is not None
    mine = [one.technology for one in study.portfolio.choices]
    others = [name for name in study.scenario.technologies if name not in mine]
    lists = {"firm": mine, "rejected": others[1:], "open": others[:1], "disputed": []}
    record = {**study.record, "redecisions": {"technologies": lists, "sentences": ["Decided again."]}}
    page = study.page() if callable(study.page) else None
    assert isinstance(page, PlanReport)
    told = Contents("plan", study.scenario, study.portfolio, record, page=page)
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(sheets_of(told))))
    assert tabled(book, "Portfolio")["Firmness"].tolist() == ["firm"] * len(mine)
    assert tabled(book, "Not funded")["Firmness"].tolist() == ["open"] + ["rejected"] * (len(others) - 1)
    assert "Decided again." in [cell.value for cell in book["Overview"]["A"]]


def test_money_by_year_is_drawn(study: Study, book: Any) -> None:
    assert study.scenario is not None
    drawn = {page.title: len(page._charts) for page in book if page._charts}
    assert drawn == {"Overview": 1, "Budget": len(study.scenario.programmes)}
