"""The shipped scenario gri-network: S000 read back, a grade for every number, stages and learning by hand."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim.case import build, hosts
from rdsim.domain import Choice, Institute, Mode, Portfolio, Scenario
from rdsim.families import RowKey, row_words
from rdsim.formulation import row_index
from rdsim.options import candidates
from rdsim.portfolio import with_ranks
from rdsim.scenario import check, dump, eligible, load, market_value, target
from rdsim.search import build_instance
from rdsim.simulation import replicate, simulate
from tests.simple import lived, plain
from tests.test_korea_2024 import S000_NAMES, SCENARIOS, ungraded, unnamed

FOLDER = SCENARIOS / "gri-network"
STAGES = ("discovery", "matching", "mou-workshop", "agreement")
GROUPS = {  # as S000 groups its list
    "Europe": {"Belarus", "Denmark", "France", "Germany", "Hungary", "Italy", "Russia", "Spain"},
    "Asia": {"India", "Taiwan", "Vietnam"},
    "America": {"Canada", "Peru"},
    "Middle East and Africa": {"United Arab Emirates"},
    "Oceania": {"Australia", "New Zealand"},
    "International organisation": {"United Nations Industrial Development Organization"},
}


@pytest.fixture(scope="module")
def gri() -> Scenario:
    return load(FOLDER)


def many(scenario: Scenario) -> Portfolio:
    """An option of each technology, partners in turn: more than the money can pay."""
    mine: dict[str, list[Choice]] = {}
    for choice in candidates(scenario):
        mine.setdefault(choice.technology, []).append(choice)
    return with_ranks(Portfolio(tuple(some[7 * k % len(some)] for k, some in enumerate(mine.values()))), scenario)


# --- the document ---------------------------------------------------------------------------------


def test_sixteen_names_and_unido_where_the_text_says_fifteen_countries(gri: Scenario) -> None:
    """The contradiction is kept and told: 16 names on five continents, and an organisation that is no country."""
    listed: dict[str, set[str]] = {}
    for partner in gri.partners.values():
        listed.setdefault(partner.region, set()).add(partner.name)
    assert listed == GROUPS
    countries = set().union(*(names for region, names in GROUPS.items() if region != "International organisation"))
    assert countries == S000_NAMES
    assert (len(countries), len(gri.partners)) == (16, 17)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "**15 countries, 16 names.**" in readme
    assert {partner.source for partner in gri.partners.values()} == {"seed S000"}


def test_agreements_are_formed_in_the_documents_stages(gri: Scenario) -> None:
    for mode in ("matching", "direct"):
        assert tuple(stage.name for stage in gri.modes[mode].formation) == STAGES
    assert sum(stage.months for stage in gri.modes["matching"].formation) == pytest.approx(6.6)  # Eurostars-2


def test_institutes_propose_and_every_project_is_joint(gri: Scenario) -> None:
    assert Counter(row.institute for row in gri.technologies.values()) == dict.fromkeys(gri.institutes, 5)
    assert len(gri.institutes) == 14
    assert {one.source for one in (*gri.institutes.values(), *gri.technologies.values())} == {"illustrative"}
    for row in gri.technologies.values():
        assert eligible(gri, row, "", "domestic")
        assert target(gri, row) == row.trl + 2
    assert gri.programmes["network"].foreign_partner_required


def test_a_result_counts_alike_whatever_and_whenever_it_is(gri: Scenario) -> None:
    """So that what the optimiser makes most of is the number of results that are spread within five years."""
    assert {market_value(gri, row) for row in gri.technologies.values()} == {5.0}
    table = replicate(gri, many(gri), replications=200, seed=5)
    spent = table["paid"] - table["refunded"] + table["network_paid"]
    assert np.allclose(table["npv"], 5.0 * table["commercialised_by_2028"] - spent)
    assert (table["commercialised_by_2028"] == table["commercialised"]).all()
    assert table["commercialised"].sum() > 200


def test_each_year_has_two_billion_and_twenty_four_starts(gri: Scenario) -> None:
    line = gri.programmes["network"]
    assert line.budget == dict.fromkeys(range(2024, 2029), 2.0)
    assert line.starts == dict.fromkeys(range(2024, 2027), 24)
    assert (gri.start_year, gri.horizon_year) == (2024, 2028)
    assert math.fsum(row.cost for row in gri.technologies.values()) == pytest.approx(26.96)


def test_every_number_is_named_and_graded(gri: Scenario) -> None:
    assert ungraded(FOLDER) == []
    assert unnamed(FOLDER) == set()
    assert check(gri) == ()


def test_a_dumped_folder_with_stages_and_institutes_loads_to_an_equal_one(gri: Scenario, tmp_path: Path) -> None:
    dump(gri, tmp_path / "dumped")
    assert load(tmp_path / "dumped") == gri


# --- stages and learning, by hand -----------------------------------------------------------------


def certain(scenario: Scenario) -> Scenario:
    """Every stage succeeds in its median, every agency agrees, and nothing breaks."""

    def sure(mode: Mode) -> Mode:
        stages = tuple(replace(stage, sigma=0.0, success=1.0) for stage in mode.formation)
        return replace(mode, formation=stages)

    partners = {code: replace(one, agreement=1.0, break_rate=0.0) for code, one in scenario.partners.items()}
    return replace(scenario, modes={code: sure(mode) for code, mode in scenario.modes.items()}, partners=partners)


def test_dates_of_agreements_with_certain_stages_by_hand(gri: Scenario) -> None:
    """Germany opens in 60 days; stages of 30, 45, 63 and 60 days follow.

    In 2025 two agreements are known: 0.85 x 0.85 = 0.7225 of each stage, rounded up: 22, 33, 46 and 44 days.
    """
    first = [Choice(name, "matching", "DE", 2024) for name in ("G001", "G002")]
    _, _, out = lived(certain(gri), *first, Choice("G003", "matching", "DE", 2025))
    assert out.place_day[0].tolist() == [60, 60, 360]
    assert out.formed_day[0].tolist() == [[90, 135, 198, 258]] * 2 + [[382, 415, 461, 505]]
    _, _, out = lived(load_certain("network.learning=1"), *first, Choice("G003", "matching", "DE", 2025))
    assert out.formed_day[0, 2].tolist() == [390, 435, 498, 558]
    _, _, out = lived(load_certain("network.learning_floor=0.9"), *first, Choice("G003", "matching", "DE", 2025))
    assert out.formed_day[0, 2].tolist() == [387, 428, 485, 539]  # 27, 40.5, 56.7 and 54 days, rounded up


def load_certain(*overrides: str) -> Scenario:
    return certain(load(FOLDER, overrides))


def test_figures_tell_the_way_of_projects_through_the_stages(gri: Scenario) -> None:
    table = replicate(gri, many(gri), replications=300, seed=3)
    formed = [f"formed_{name}" for name in STAGES]
    assert [name for name in table if str(name).startswith("formed_")] == formed
    way = table[["talks", *formed]].to_numpy()
    assert (np.diff(way, axis=1) <= 0).all()
    assert (table["formed_agreement"] == table["agreements"]).all()
    shares = way[:, 1:].sum(axis=0) / way[:, :-1].sum(axis=0)
    assert shares[0] == pytest.approx(0.9, abs=0.02)  # of matching and direct alike
    assert shares[1] == pytest.approx(0.8, abs=0.02)
    for name in ("agreements", "target", "commercialised"):
        years = table[[f"{name}_by_{year}" for year in range(2024, 2029)]].to_numpy()
        assert (np.diff(years, axis=1) >= 0).all()
        assert (years[:, -1] == table[name]).all()


def test_figures_by_year_are_counts_of_dates(gri: Scenario) -> None:
    found = simulate(gri, many(gri), replications=50, seed=4)
    for name, column in (("agreements", "agreement_time"), ("commercialised", "market_time")):
        early = (found.projects[column] < 2027).groupby(found.projects["replication"]).sum()
        assert (found.replications[f"{name}_by_2026"] == early).all()


def test_a_network_that_learns_agrees_sooner_on_the_same_luck() -> None:
    tables = []
    for learning in (1.0, 0.85, 0.7):
        scenario = load(FOLDER, [f"network.learning={learning}"])
        tables.append(replicate(scenario, many(scenario), replications=300, seed=6))
    means = [float(table["agreements_by_2026"].mean()) for table in tables]
    assert means == sorted(means)
    assert means[0] < means[2]


# --- institutes -----------------------------------------------------------------------------------


def test_a_step_waits_for_a_team_of_the_institute() -> None:
    """One team, two projects of two steps of 180 days: the second begins when the first has ended, on day 360."""
    techs = {
        name: replace(plain().technologies["T"], id=name, name=name, institute=institute)
        for name, institute in (("A", "one"), ("B", "one"), ("C", "many"), ("D", ""))
    }
    institutes = {"one": Institute("One team", teams=1), "many": Institute("No limit")}
    choices = [Choice(name, start_year=2024) for name in techs]
    case, _, out = lived(plain(techs, institutes=institutes), *choices)
    assert case.capacity.tolist() == [1]
    assert out.wait_facility[0].tolist() == [0, 360, 0, 0]
    assert out.trl_day[0, :, 5].tolist() == [360, 720, 360, 360]
    _, _, out = lived(plain(techs, institutes={**institutes, "one": Institute("Two teams", teams=2)}), *choices)
    assert out.trl_day[0, :, 5].tolist() == [360] * 4


def test_teams_of_institutes_bind_steps_and_rows(gri: Scenario) -> None:
    portfolio = many(gri)
    case = build(gri, portfolio)
    choices = sorted(portfolio.choices, key=lambda choice: choice.rank)
    codes = list(gri.institutes)
    assert case.capacity.tolist() == [gri.institutes[code].teams for code in codes]
    for row, choice in enumerate(choices):
        mine = codes.index(gri.technologies[choice.technology].institute)
        assert (case.needs[row] == (np.arange(len(codes)) == mine)).all()
    problem = build_instance(gri, samples=20).problem
    assert {key.what for key in row_index(problem, "institutes")} == set(codes)
    words = row_words(gri, RowKey("institutes", "KIST", 2025))
    assert words == "the teams of Korea Institute of Science and Technology in 2025"
    assert {key.what for key in row_index(problem, "places")} == set(hosts(gri))
