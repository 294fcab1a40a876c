"""Portfolios: what does not fit the scenario is refused at once; ranks are unique; files and frames round-trip."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rdsim.portfolio
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import OutputError, PortfolioError
from rdsim.portfolio import check, frame, from_frame, read, with_ranks, write
from rdsim.scenario import eligible, load

HEADER = "technology,partner,mode,start_year,rank\n"
GOOD = HEADER + "T1,US,direct,2024,2\nT3,,domestic,2025,1\nT5,DE,direct,2024,3\n"


@pytest.fixture
def scenario(tiny: Path) -> Scenario:
    return load(tiny)


def written(path: Path, content: str | bytes) -> Path:
    file = path / "mine.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refusal(path: Path, content: str | bytes, scenario: Scenario) -> PortfolioError:
    with pytest.raises(PortfolioError) as caught:
        read(written(path, content), scenario)
    return caught.value


def test_a_file_is_read_as_it_stands(tmp_path: Path, scenario: Scenario) -> None:
    assert read(written(tmp_path, GOOD), scenario) == Portfolio(
        (
            Choice("T1", "direct", "US", 2024, 2),
            Choice("T3", "domestic", "", 2025, 1),
            Choice("T5", "direct", "DE", 2024, 3),
        ),
        "mine",
    )


def test_spreadsheets_write_portfolios_in_many_ways(tmp_path: Path, scenario: Scenario) -> None:
    expected = read(written(tmp_path, GOOD), scenario)
    for separator in ",;\t":
        content = ("\ufeff" + GOOD.replace(",", separator).replace("\n", "\r\n")).encode()
        assert read(written(tmp_path, content), scenario) == expected


def test_a_portfolio_may_be_empty_and_without_ranks(tmp_path: Path, scenario: Scenario) -> None:
    assert read(written(tmp_path, HEADER), scenario).choices == ()
    assert with_ranks(Portfolio(()), scenario) == Portfolio(())
    one = read(written(tmp_path, "technology,partner,mode,start_year\nT1,,domestic,2024\n"), scenario)
    assert one.choices == (Choice("T1", "domestic", "", 2024, 0),)


BROKEN = {
    "unknown technology": ("T7,,domestic,2024,", "technology", "must name a technology", "'T7'"),
    "no technology": (",US,direct,2024,", "technology", "must name a technology", "''"),
    "unknown partner": ("T1,UK,direct,2024,", "partner", "must name a partner", "'UK'"),
    "unknown mode": ("T1,US,drect,2024,", "mode", "must name a mode", "Did you mean 'direct'?"),
    "no mode": ("T1,,,2024,", "mode", "must name a mode", "''"),
    "no level": ("T1,DE,direct,2024,", "partner", "must be eligible", "DE has no level in field chip"),
    "mode not offered": ("T1,JP,direct,2024,", "partner", "must be eligible", "JP does not offer"),
    "partner of none": ("T1,,direct,2024,", "mode", "must be eligible", "mode 'direct' needs a partner"),
    "above the cap": ("T4,US,direct,2024,", "partner", "must be eligible", "above the programme's largest"),
    "year without starts": ("T1,,domestic,2027,", "start_year", "has starts: 2024, 2025, 2026", "2027"),
    "no year": ("T1,,domestic,,", "start_year", "must be a fiscal year", "''"),
    "no number": ("T1,,domestic,soon,", "start_year", "must be a fiscal year", "'soon'"),
    "half a rank": ("T1,,domestic,2024,1.5", "rank", "whole number of 1 or more", "'1.5'"),
    "rank 0": ("T1,,domestic,2024,0", "rank", "whole number of 1 or more", "'0'"),
    "chosen twice": ("T1,,domestic,2024,\nT1,US,direct,2025,", "technology", "chosen twice", "'T1'"),
    "some ranks": ("T1,,domestic,2024,1\nT2,,domestic,2025,", "rank", "or none", "none"),
    "equal ranks": ("T1,,domestic,2024,1\nT2,,domestic,2025,1", "rank", "must be unique", "1"),
    "exclusion": ("T5,,domestic,2024,\nT6,US,matching,2024,", "technology", "exclude one another", "T5 and T6"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_is_refused_in_its_cell(name: str, tmp_path: Path, tiny: Path) -> None:
    rows, column, rule, found = BROKEN[name]
    error = refusal(tmp_path, HEADER + rows + "\n", load(tiny, ["programmes.base.award_cap=9.5"]))
    fault = error.faults[-1]
    assert fault.where == f"mine.csv, row {2 + rows.count(chr(10))}, column {column}"
    assert rule in fault.rule
    assert found in fault.found + fault.suggestion
    assert {one.rule for one in error.faults} == {fault.rule}
    assert pickle.loads(pickle.dumps(error)).faults == error.faults  # noqa: S301 - our own bytes


def test_all_faults_come_at_once(tmp_path: Path, scenario: Scenario) -> None:
    rows = "T9,,domestic,2024,1\nT1,XX,direct,2030,1\nT5,,domestic,x,2\nT6,,domestic,2024,3\nT6,,domestic,2025,4\n"
    assert sorted(fault.where for fault in refusal(tmp_path, HEADER + rows, scenario).faults) == [
        "mine.csv, row 2, column rank",
        "mine.csv, row 2, column technology",
        "mine.csv, row 3, column partner",
        "mine.csv, row 3, column rank",
        "mine.csv, row 3, column start_year",
        "mine.csv, row 4, column start_year",
        "mine.csv, row 6, column technology",
        "mine.csv, row 6, column technology",
    ]


@pytest.mark.parametrize(
    ("content", "where", "text"),
    [
        (b"", "mine.csv", "must not be empty"),
        (b"PK\0\0", "mine.csv", "a binary file"),
        (b"\xc7\xd1,a\n", "mine.csv", "UTF-8"),
        ("technology,partner,mode\nT1,,domestic\n", "mine.csv, column start_year", "the column is required"),
        ("technology,partner,mode,start\nT1,,domestic,2024\n", "mine.csv, column start", "Did you mean 'start_year'?"),
        (HEADER.replace("rank", "prise") + "T1,,domestic,2024,\n", "mine.csv, column prise", "unknown column"),
        (HEADER.replace("year", "year [AD]") + "T1,,domestic,2024,\n", "mine.csv, column start_year", "[AD]"),
        (HEADER + "T1,,domestic\n", "mine.csv, row 2", "as many cells"),
    ],
)
def test_a_broken_file_is_refused(
    content: str | bytes, where: str, text: str, tmp_path: Path, scenario: Scenario
) -> None:
    error = refusal(tmp_path, content, scenario)
    assert any(fault.where == where and text in str(fault) for fault in error.faults), error


def test_a_missing_file_is_refused(tmp_path: Path, scenario: Scenario) -> None:
    with pytest.raises(PortfolioError, match="no such file"):
        read(tmp_path / "none.csv", scenario)


def test_default_ranks_follow_year_then_score_then_id(tiny: Path) -> None:
    s = load(tiny, ["technologies.T3.score=60", "technologies.T4.score=60", "programmes.leap.preference_points=5"])
    plain = Portfolio(
        (
            Choice("T1", start_year=2025),
            Choice("T6", start_year=2024),
            Choice("T4", start_year=2024),
            Choice("T3", start_year=2024),
        )
    )
    assert [choice.rank for choice in with_ranks(plain, s).choices] == [4, 3, 2, 1]
    assert [choice.technology for choice in with_ranks(plain, s).choices] == ["T1", "T6", "T4", "T3"]


def test_a_preferred_network_gives_points_also_through_a_member(tiny: Path) -> None:
    for partner, mode, first in (("", "domestic", "T1"), ("US", "direct", "T2"), ("US+JP", "direct", "T2")):
        s = load(tiny, ["technologies.T1.score=88"])
        two = Portfolio((Choice("T1", start_year=2024), Choice("T2", mode, partner, 2024)))
        order = sorted(with_ranks(two, s).choices, key=lambda choice: choice.rank)
        assert order[0].technology == first


def test_given_ranks_are_kept_and_bad_ones_refused(scenario: Scenario) -> None:
    given_ranks = Portfolio((Choice("T1", start_year=2024, rank=7), Choice("T2", start_year=2024, rank=3)))
    assert with_ranks(given_ranks, scenario) is given_ranks
    for ranks in ((1, 1), (1, 0), (-1, 2)):
        wrong = Portfolio(tuple(Choice(f"T{k}", start_year=2024, rank=rank) for k, rank in enumerate(ranks, 1)))
        with pytest.raises(PortfolioError, match="rank"):
            with_ranks(wrong, scenario)


def test_check_refuses_what_read_refuses(scenario: Scenario) -> None:
    check(Portfolio((Choice("T1", start_year=2024),)), scenario)
    with pytest.raises(PortfolioError) as caught:
        check(Portfolio((Choice("T1", "direct", "DE", 2024), Choice("T2", start_year=2030)), "best"), scenario)
    assert [fault.where for fault in caught.value.faults] == [
        "portfolio best, T1, partner",
        "portfolio best, T2, start_year",
    ]


def test_write_is_whole_or_not_at_all(tmp_path: Path, scenario: Scenario) -> None:
    portfolio = read(written(tmp_path, GOOD), scenario)
    write(portfolio, tmp_path / "other.csv")
    assert (tmp_path / "other.csv").read_text() == GOOD
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["mine.csv", "other.csv"]
    with pytest.raises(OutputError, match="must be writable"):
        write(portfolio, tmp_path / "none" / "other.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError, match="must be writable"):
        write(portfolio, tmp_path / "folder.csv")
    assert not list(tmp_path.glob(".*part"))


def test_a_frame_shows_names_and_reads_back(tmp_path: Path, scenario: Scenario) -> None:
    portfolio = read(written(tmp_path, GOOD), scenario)
    table = frame(portfolio, scenario)
    assert list(table["name"]) == ["AI 반도체", "Packaging", "Rejuvenation"]
    assert list(table["partner_name"]) == ["미국", "", "Germany"]
    assert list(table["cost"]) == [15, 12, 8]
    assert from_frame(table, scenario, "mine") == portfolio
    table.to_csv(tmp_path / "mine.csv", index=False)
    assert read(tmp_path / "mine.csv", scenario) == portfolio
    assert list(frame(Portfolio(()), scenario).columns) == list(table.columns)
    assert from_frame(frame(Portfolio(()), scenario), scenario) == Portfolio(())


def test_missing_values_of_a_frame_mean_none(scenario: Scenario) -> None:
    table = pd.DataFrame(
        {
            "technology": ["T1", "T2"],
            "partner": [None, "US"],
            "mode": ["domestic", "direct"],
            "start_year": [2024.0, 2025.0],
        }
    )
    assert from_frame(table, scenario).choices == (
        Choice("T1", "domestic", "", 2024),
        Choice("T2", "direct", "US", 2025),
    )
    with pytest.raises(PortfolioError, match="frame portfolio, row 1, column start_year: must be a fiscal year"):
        from_frame(table.assign(start_year=[2024, float("nan")]), scenario)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_eligible_portfolio_survives_file_and_frame(
    data: st.DataObject, tmp_path: Path, scenario: Scenario
) -> None:
    codes = data.draw(st.lists(st.sampled_from(["T1", "T2", "T3", "T4", "T5"]), unique=True))
    pairs = [("", "domestic"), *((code, mode) for code, one in scenario.partners.items() for mode in one.modes)]
    choices = []
    for code in codes:
        options = [pair for pair in pairs if not eligible(scenario, code, *pair)]
        partner, mode = data.draw(st.sampled_from(options))
        starts = scenario.programmes[scenario.technologies[code].programme].starts
        choices.append(Choice(code, mode, partner, data.draw(st.sampled_from(sorted(starts)))))
    plain = Portfolio(tuple(choices), "mine")
    check(plain, scenario)
    portfolio = data.draw(st.sampled_from([plain, with_ranks(plain, scenario)]))
    write(portfolio, tmp_path / "mine.csv")
    assert read(tmp_path / "mine.csv", scenario) == portfolio
    assert from_frame(frame(portfolio, scenario), scenario, "mine") == portfolio
    assert sorted(choice.rank for choice in with_ranks(portfolio, scenario).choices) == list(range(1, len(codes) + 1))


def test_what_is_public_is_what_is_said() -> None:
    assert set(rdsim.portfolio.__all__) <= set(dir(rdsim.portfolio))
