"""Money by year and chances by year: sums counted anew from the frames, in Python and by the page's scripts."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from rdsim.report import PlanReport
from rdsim.report.data.odds import market_odds
from rdsim.report.data.yearly import Ledger, ledger, no_partner
from rdsim.report.page.tables import ledger_block, odds_block
from rdsim.report.words.money import UPKEEP, abroad_words, crossing_rows, partner_rows, spending_rows
from rdsim.report.words.odds import odds_rows
from rdsim.stats import proportion_interval
from tests.report import synthetic
from tests.report.scripts import Scripts
from tests.report.synthetic import YEARS, Shape

WAYS = ("programme", "field", "partner_name", "mode")


@pytest.fixture(scope="module")
def report() -> PlanReport:
    plain = synthetic.build()
    partners = pd.DataFrame({"partner": ["DE", "US"], "name": ["Germany", "United States"], "network": [1.5, 2.25]})
    return synthetic.build(projects=synthetic.told_abroad(plain), partners=partners)


@pytest.fixture(scope="module")
def money(report: PlanReport) -> Ledger:
    return ledger(report)


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    return Scripts("pivot.js", "odds.js")


def _counted(report: PlanReport, kind: str, year: int, **who: str) -> float:
    """Mean money of a kind in a year to projects of these names, row by row."""
    called = dict(zip(report.technologies["technology"], report.technologies["partner_name"], strict=True))
    total = 0.0
    for row in report.projects.to_dict(orient="records"):
        names = {**row, "partner_name": called[row["technology"]] or no_partner()}
        total += row[f"{kind}_{year}"] if all(names[one] == asked for one, asked in who.items()) else 0.0
    return total / Shape().replications


def _upkeep(report: PlanReport, year: int, programme: str = "") -> float:
    rows = report.budget[(report.budget["year"] == year) & report.budget["programme"].str.startswith(programme)]
    return float(rows["spent_network"].sum()) / Shape().replications


@pytest.mark.parametrize("way", WAYS)
def test_groups_by_year_are_sums_of_projects(report: PlanReport, money: Ledger, way: str) -> None:
    for kind in ("home", "foreign", "abroad"):
        sums = money.sums(kind, way)
        for name, year in itertools.product(sums.index, YEARS):
            assert sums.loc[name, year] == pytest.approx(_counted(report, kind, year, **{way: str(name)}))


def test_the_network_is_what_the_purses_pay_for_it(report: PlanReport, money: Ledger) -> None:
    for programme, year in itertools.product(synthetic.PROGRAMMES, YEARS):
        assert money.network.loc[programme, year] == pytest.approx(_upkeep(report, year, programme))


def _numbers(cells: tuple[str, ...]) -> list[float]:
    return [float(cell.replace(",", "").replace("\N{MINUS SIGN}", "-")) for cell in cells]


def test_tables_by_year_add_up_to_what_leaves_the_purses(report: PlanReport, money: Ledger) -> None:
    known = [_counted(report, "home", year) + _upkeep(report, year) for year in YEARS]
    for way in WAYS[:3]:
        rows = spending_rows(money, way)
        assert [row.name for row in rows][-2:] == [UPKEEP, "In all"]
        assert _numbers(rows[-1].cells) == pytest.approx([*known, sum(known)], abs=0.06)
    rows = {row.name: row for row in crossing_rows(money)}
    assert rows["Home pays in all"].cells == spending_rows(money, "field")[-1].cells
    left = [_counted(report, "abroad", year) for year in YEARS]
    assert _numbers(rows["Leaves the country, before refunds"].cells)[:-1] == pytest.approx(left, abs=0.006)
    assert sum(row.is_part for row in crossing_rows(money)) == 1  # of joint projects alone


def test_what_is_paid_abroad_is_told_by_partner_and_only_where_the_run_tells_it(
    report: PlanReport, money: Ledger
) -> None:
    rows = {row["partner_name"]: row for row in partner_rows(report, money)}
    assert set(rows) == {"Germany", "United States", no_partner()}
    assert rows["Germany"]["network"] == "1.50"
    assert rows[no_partner()]["network"] == ""
    sent = sum(_counted(report, "abroad", year, partner_name="Germany") for year in YEARS)
    assert float(rows["Germany"]["abroad"]) == pytest.approx(sent, abs=0.006)
    older = synthetic.build()
    rows = {row["partner_name"]: row for row in partner_rows(older, ledger(older))}
    assert rows["Germany"]["abroad"] == rows["Germany"]["network"] == ""
    assert not any("leaves" in row.name for row in crossing_rows(ledger(older)))


def test_the_sentence_about_money_abroad_says_the_figure_of_the_run(report: PlanReport, money: Ledger) -> None:
    said = synthetic.build(
        projects=report.projects,
        manifest={**report.manifest, "estimates": {"paid_abroad": {"mean": 7.5, "low": 7.0, "high": 8.0}}},
    )
    assert "7.50 billion KRW is paid to institutions abroad" in abroad_words(said, money)
    assert "abroad and leaves" not in abroad_words(report, money)
    nothing = synthetic.without_funding()
    assert partner_rows(nothing, ledger(nothing)) == []
    assert abroad_words(nothing, ledger(nothing)) == "No project has a partner abroad, and no money leaves the country."


CASES: list[tuple[list[str], str, dict[str, str]]] = [
    (["programme"], "home", {}),
    (["field"], "foreign", {}),
    (["programme", "partner_name"], "home", {"programme": "Leaps"}),
    (["field", "mode"], "abroad", {"field": "Robots"}),
    (["technology"], "all", {"partner_name": "Germany", "programme": ""}),
]


@pytest.mark.parametrize(("by", "kind", "filters"), CASES)
def test_the_pivot_says_what_the_frames_say(
    report: PlanReport, money: Ledger, scripts: Scripts, by: list[str], kind: str, filters: dict[str, str]
) -> None:
    found = scripts.ask("pivot.table", ledger_block(money), by, kind, filters)
    asked = {name: value for name, value in filters.items() if value}
    kinds = ["home", "foreign"] if kind == "all" else [kind]
    sums = [sum(_counted(report, one, year, **asked) for one in kinds) for year in YEARS]
    for row in found["rows"]:
        who = {**asked, **dict(zip(by, row["keys"], strict=True))}
        known = [sum(_counted(report, one, year, **who) for one in kinds) for year in YEARS]
        assert row["values"] == pytest.approx(known)
    is_told = "home" in kinds and set(asked) <= {"programme"}
    upkeep = [_upkeep(report, year, asked.get("programme", "")) if is_told else 0.0 for year in YEARS]
    assert (found["network"] is not None) == is_told
    assert found["sum"] == pytest.approx([a + b for a, b in zip(sums, upkeep, strict=True)])


def test_what_is_copied_of_the_pivot_has_its_sums(money: Ledger, scripts: Scripts) -> None:
    block: dict[str, Any] = ledger_block(money)
    found = scripts.ask("pivot.table", block, ["field", "mode"], "home", {})
    lines = scripts.ask("pivot.cells", block, ["field", "mode"], found, {"field": "Field", "mode": "Mode"})
    assert lines[0] == ["Field", "Mode", *map(str, YEARS), "All years"]
    assert {len(line) for line in lines} == {len(YEARS) + 3}
    body = pd.DataFrame(lines[1:-1]).iloc[:, 2:].astype(float)
    assert body.sum().tolist() == pytest.approx(lines[-1][2:])
    assert lines[-2][:2] == [UPKEEP, ""]


# --- chances --------------------------------------------------------------------------------------


def test_chances_are_counted_and_have_their_exact_interval(report: PlanReport, scripts: Scripts) -> None:
    table = market_odds(report)
    block = odds_block(report, table)
    for year, number in itertools.product((2026, 2030), (0, 1, 2, 5, 50)):
        reached = sum(one >= number for one in report.replications[f"commercialised_by_{year}"])
        known = proportion_interval(reached, Shape().replications, report.confidence)
        rows = table[(table["year"] == year) & (table["count"] == number)]
        assert rows[["share", "low", "high"]].to_numpy().tolist() in ([], [[known.mean, known.low, known.high]])
        said = scripts.ask("odds.answer", block, number, str(year))
        assert f"At least {number} " in said
        assert f"by the end of {year}" in said
        assert f"in {_percent(known.mean)} of 20 replications (95% interval {_percent(known.low)} to" in said


def _percent(share: float) -> str:
    return f"{share * 100:.{0 if 0.01 < share < 0.99 else 1}f}".removesuffix(".0") + "%"


def test_round_numbers_stand_in_a_table_without_scripts(report: PlanReport) -> None:
    years, rows = odds_rows(market_odds(report))
    assert years == list(range(years[0], years[-1] + 1))
    assert rows[0][0] == 1
    last = report.replications[f"commercialised_by_{years[-1]}"]
    share, ends = rows[0][1][-1]
    assert share == f"{(last >= 1).mean():.0%}"
    assert " to " in ends
    nothing = synthetic.without_funding()
    assert odds_rows(market_odds(nothing)) == ([], [])
