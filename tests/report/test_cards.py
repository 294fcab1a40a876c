"""Cards: what their block holds is what the tables say, and what the script makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rdsim import load
from rdsim.domain import Technology
from rdsim.findings.cards import facts
from rdsim.report import PlanReport
from rdsim.report.data.yearly import ledger
from rdsim.report.page.cards import card_block
from rdsim.report.page.tables import ledger_block
from tests.report import synthetic
from tests.report.scripts import Scripts
from tests.report.synthetic import YEARS, Shape
from tests.simple import plain

FACTS = [
    ("technology", "T001", "Inputs", "TRL today", "4", "assumed", "illustrative"),
    ("technology", "T001", "Links", "Needs first", "T002 <b>", "published", "seed S003"),
    ("technology", "T001", "Inputs", "Evaluation score", "88", "assumed", "illustrative"),
    ("partner", "US", "Partner", "Places for joint projects", "4", "assumed", "illustrative"),
]


@pytest.fixture(scope="module")
def report() -> PlanReport:
    columns = ["subject", "id", "part", "item", "value", "grade", "source"]
    decisions = [
        ("technology", "T001", "", True, 1.0, "sure in"),
        ("partner", "T001", "US", False, 0.25, "open"),
        ("partner", "T001", "DE", True, 0.75, "open"),
        ("country", "", "US", True, 1.0, "sure in"),
    ]
    return synthetic.build(
        facts=pd.DataFrame(FACTS, columns=columns),
        tried=pd.DataFrame(
            [("T001", "Germany", "Matching funds", 2025, 3.5, True), ("T001", "", "Domestic", 2024, -1.0, False)],
            columns=["technology", "partner", "mode", "start_year", "expected_value", "chosen"],
        ),
        partners=pd.DataFrame(
            [("US", "United States", 1.0, 2024.5, 2.0, 3.0), ("DE", "Germany", 0.0, None, 0.0, 0.0)],
            columns=["partner", "name", "opened", "opened_time", "network", "peak_places"],
        ),
        decisions=pd.DataFrame(decisions, columns=["kind", "technology", "what", "chosen", "share", "verdict"]),
    )


def test_a_note_that_grades_figures_lower_grades_them() -> None:
    """A row named in a publication whose note says that every number is assumed: numbers are that, its tag is not."""
    row = Technology(
        "T", "T", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6,
        source="seed S9", note="named in S9; every number assumed", tags={"named_by": "Kim"},
    )  # fmt: skip
    scenario = replace(plain({"T": row}), documents={"S9": "A strategy, 2023"})
    table = facts(scenario)
    mine = table[(table["subject"] == "technology") & (table["source"] != "setting of its programme")]
    by = mine.set_index("item")
    numbers = by.drop(
        index=["named by", "Note", "Chance of coming to the market from the target TRL", "Partners in Field"]
    )
    assert len(numbers)
    assert set(numbers["grade"]) == {"assumed"}
    assert set(numbers["source"]) == {"A strategy, 2023, but: named in A strategy, 2023; every number assumed"}
    assert by.loc["named by", "grade"] == "published"
    assert by.loc["named by", "source"] == "A strategy, 2023"
    assert by.loc["Note", "value"] == "named in A strategy, 2023; every number assumed"
    plainly = replace(plain({"T": replace(row, note="a remark")}), documents=scenario.documents)
    assert set(facts(plainly).query("item == 'TRL today'")["grade"]) == {"published"}


def test_no_shipped_card_says_better_of_a_figure_than_its_note() -> None:
    table = facts(load("scenarios/korea-2024"))
    noted = set(table[(table["item"] == "Note") & table["value"].str.contains("every number assumed")]["id"])
    assert noted
    of_them = table[
        table["id"].isin(noted) & table["item"].isin(["TRL today", "Evaluation score", "World market, a year"])
    ]
    assert set(of_them["grade"]) == {"assumed"}
    assert not table["source"].str.contains(r"seed S\d").any()


def test_a_card_holds_its_facts_in_parts_with_grade_and_source(report: PlanReport) -> None:
    scripts, block = Scripts("cards.js"), card_block(report)
    parts: list[Any] = scripts.ask("cards.parts", block, "technology", "T001")
    assert [name for name, _ in parts] == ["Inputs", "Links"]
    assert dict(parts)["Inputs"] == [list(fact[3:]) for fact in FACTS if fact[1] == "T001" and fact[2] == "Inputs"]
    assert scripts.ask("cards.parts", block, "partner", "T001") == []


def test_decisions_and_options_have_names_for_people(report: PlanReport) -> None:
    block: dict[str, Any] = card_block(report)
    assert block["decisions"]["T001"] == [
        ["Funded", "", True, 1.0, "firm"],
        ["Partner", "Germany", True, 0.75, "open"],
        ["Partner", "United States", False, 0.25, "open"],
    ]
    assert block["tried"]["T001"][0] == ["Germany", "Matching funds", 2025, 3.5, True]
    assert block["partners"]["DE"] == [["Germany", 0.0, None, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("#T001", ["technology", "T001"]),
        ("#partner/US", ["partner", "US"]),
        ("#US", None),
        ("#table?field=Robots", None),
        ("#%E0%A4%A", None),
        ("#constructor", None),
        ("", None),
    ],
)
def test_an_address_opens_a_card_or_nothing(report: PlanReport, address: str, found: list[str] | None) -> None:
    assert Scripts("cards.js").ask("cards.asked", card_block(report), address) == found


def test_a_card_tells_expected_payments_by_year(report: PlanReport) -> None:
    scripts = Scripts("cards.js")
    block = ledger_block(ledger(report))
    scripts.run('const ofT001 = (ledger) => cards.byYear(ledger, (row) => row[0] === "T001")')
    lines = scripts.ask("ofT001", block)
    mine = report.projects[report.projects["technology"] == "T001"]
    known = [mine[f"home_{year}"].sum() / Shape().replications for year in YEARS]
    assert lines[0] == ["home pays", *[pytest.approx(one) for one in (*known, sum(known))]]
    assert len(lines) == 2  # made-up projects tell nothing of money abroad


def test_runs_without_facts_have_no_cards() -> None:
    assert card_block(synthetic.build()) == {}


def test_everything_assumed_is_told_of_every_technology_and_partner() -> None:
    scenario = load(Path(__file__).parents[2] / "scenarios" / "korea-2024")
    table = facts(scenario)
    told = table.groupby("subject")["id"].agg(set)
    assert told["technology"] == set(scenario.technologies)
    assert told["partner"] == set(scenario.partners)
    assert set(table["grade"]) <= {"published", "derived", "assumed", "not stated"}
    assert (table["value"] != "").all()
    for link in scenario.links:
        for one, other in ((link.technology, link.other), (link.other, link.technology)):
            mine = table[(table["id"] == one) & (table["part"] == "Links")]
            assert mine["value"].str.startswith(f"{other} ").any()
    first = next(iter(scenario.technologies.values()))
    inputs = table[(table["id"] == first.id) & (table["part"] == "Inputs")].set_index("item")
    assert inputs.loc["TRL today", "value"] == str(first.trl)
    document = scenario.documents[first.source.removeprefix("seed ")]
    assert inputs.loc["TRL today", "source"].startswith(document)
