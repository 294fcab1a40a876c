"""The shipped scenario medical-ai-2024: the figures of its documents are read back, every number has a grade."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim.case import build
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.engines.rules import planned_trl
from rdsim.scenario import award, check, eligible, load, market_value, step_success, target
from rdsim.simulation import replicate, simulate
from rdsim.sweep import prepare, read
from tests.test_korea_2024 import SCENARIOS, ungraded, unnamed

FOLDER = SCENARIOS / "medical-ai-2024"
LINES = ("rnd", "commercialisation")
EXPERIMENTS = sorted((SCENARIOS.parent / "experiments").glob("medical-ai-*.toml"))
TRIAL, REVIEW, ETHICS = "clinical-application", 10, "ethics-review"


@pytest.fixture(scope="module")
def medical() -> Scenario:
    return load(FOLDER)


@pytest.mark.parametrize(
    ("line", "money", "projects", "per_tranche"),
    [("rnd", 4.8, 2, 0.8), ("commercialisation", 5.4, 1, 1.8)],
)
def test_money_and_projects_are_as_called(
    medical: Scenario, line: str, money: float, projects: int, per_tranche: float
) -> None:
    programme = medical.programmes[line]
    assert math.fsum(programme.budget.values()) == pytest.approx(money)
    assert programme.starts == {2024: projects}
    rows = [row for row in medical.technologies.values() if row.programme == line]
    assert all(row.cost * projects == pytest.approx(money) for row in rows)
    assert all(row.cost * one.share == pytest.approx(per_tranche) for row in rows for one in programme.tranches)
    assert len(rows) > 4 * projects


@pytest.mark.parametrize(("line", "lowest", "goal"), [("rnd", 3, 6), ("commercialisation", 6, 8)])
def test_windows_are_as_called(medical: Scenario, line: str, lowest: int, goal: int) -> None:
    programme = medical.programmes[line]
    assert (programme.trl_entry_min, programme.trl_target) == (lowest, goal)


@pytest.mark.parametrize("line", LINES)
def test_tranches_are_9_9_12_months_in_equal_thirds_from_july(medical: Scenario, line: str) -> None:
    programme = medical.programmes[line]
    assert [tranche.months for tranche in programme.tranches] == [9, 9, 12]
    assert {tranche.share for tranche in programme.tranches} == {1 / 3}
    assert programme.call_month == 7


@pytest.mark.parametrize("line", LINES)
def test_each_years_budget_is_what_its_tranche_needs(medical: Scenario, line: str) -> None:
    programme = medical.programmes[line]
    begins = np.cumsum([programme.call_month - 1, *(tranche.months for tranche in programme.tranches[:-1])])
    due: Counter[int] = Counter()
    for month, tranche in zip(begins, programme.tranches, strict=True):
        due[2024 + int(month // 12)] += tranche.share * math.fsum(programme.budget.values())  # type: ignore[assignment]
    assert programme.budget == pytest.approx(dict(due))
    assert programme.carry_over == 1


def test_awards_are_the_calls_in_every_mode(medical: Scenario) -> None:
    """Neither a partner's overhead nor a mode's share may change an award that the call fixes."""
    for row in medical.technologies.values():
        for mode in ("direct", "matching"):
            assert award(medical, row, "US", mode) == pytest.approx(row.cost)


def test_domestic_projects_are_not_eligible(medical: Scenario) -> None:
    for row in medical.technologies.values():
        assert eligible(medical, row, "", "domestic")
        assert not eligible(medical, row, "US", "direct")
    assert all(line.foreign_partner_required and line.fallback == "drop" for line in medical.programmes.values())


def test_named_members_of_the_regulators_forum_are_preferred(medical: Scenario) -> None:
    named = {code for code, row in medical.partners.items() if row.source == "seed S001"}
    assert named == {"US", "CA", "AU", "BR", "JP"}
    assert all("IMDRF" in medical.partners[code].networks for code in named)
    assert any("IMDRF" not in row.networks for row in medical.partners.values())
    assert all(line.preferred_networks == ("IMDRF",) for line in medical.programmes.values())
    assert all(line.preference_points > 0 for line in medical.programmes.values())


def test_deliverables_are_those_of_the_call(medical: Scenario) -> None:
    asked = {line: set(programme.deliverables) for line, programme in medical.programmes.items()}
    assert asked == {
        "rnd": {"data-use", "paper", "patent", "solution", TRIAL, ETHICS},
        "commercialisation": {"data-use", TRIAL, ETHICS, "overseas-approval", "export-contract"},
    }
    items = {(line, name): item for line in LINES for name, item in medical.programmes[line].deliverables.items()}
    assert {item.count for item in items.values()} == {1}
    assert [key for key, item in items.items() if item.optional] == [("commercialisation", "export-contract")]
    conditions = {key for key, item in items.items() if item.due_tranche}
    assert conditions == {
        *(("rnd", name) for name in ("data-use", ETHICS, "paper", "patent")),
        *(("commercialisation", name) for name in ("data-use", ETHICS, TRIAL)),
    }


def test_gates_come_after_the_trl_that_their_deliverables_need(medical: Scenario) -> None:
    """A project on plan has begun work on what is due: the median path reaches `after_trl` before the gate.

    The approval alone is beyond the money: 31 months from TRL 6, and 30 are funded.
    """
    for line in medical.programmes.values():
        for name, item in line.deliverables.items():
            steps = medical.steps.median_years[line.trl_entry_min - 1 : item.after_trl - 1]
            if name == "overseas-approval":
                assert 12 * sum(steps) == pytest.approx(31)
                continue
            funded = sum(tranche.months for tranche in line.tranches[: item.due_tranche or None])
            assert 12 * sum(steps) < funded
            assert item.after_trl <= line.trl_target


def test_proposals_differ_and_are_worth_looking_at(medical: Scenario) -> None:
    rows = list(medical.technologies.values())
    assert len({row.name for row in rows}) == len(rows) == 16
    assert {row.source for row in rows} == {"illustrative"}
    assert {row.field for row in rows} == {"medical-ai", "digital-therapeutics"}
    for row in rows:
        assert target(medical, row) > row.trl
        assert market_value(medical, row) == pytest.approx(
            row.market_size * row.market_share * medical.value.margin, rel=0.06
        )


def test_both_calibrations_are_the_published_ones(medical: Scenario) -> None:
    rates = {name: (one.development_success, one.market_probability) for name, one in medical.calibrations.items()}
    assert rates.pop("lenient") == (0.89, 0.532)
    assert rates == dict.fromkeys(("strict", *ROADS), (0.872, 0.228))


def test_levels_follow_the_published_ones(medical: Scenario) -> None:
    assert set(medical.levels["US"].values()) == {100}
    assert medical.levels["JP"]["medical-ai"] == round(85.2)
    union = [level for code in ("DE", "FR", "DK") for level in medical.levels[code].values()]
    assert min(union) < 92.3 < max(union)


def test_partners_are_agreed_before_the_first_year_ends(medical: Scenario) -> None:
    for name in ("direct", "matching"):
        mode = medical.modes[name]
        assert mode.agreement_months * math.exp(2.33 * mode.agreement_sigma) < 6
        assert mode.agreement_probability > 0.9
    assert {(row.setup_cost, row.setup_months, row.running_cost) for row in medical.partners.values()} == {(0, 0, 0)}


# --- the road to an approval ----------------------------------------------------------------------

ROADS = {"late-trial": (12, 31), "ce-mark": (4.74, 2.26), "pma": (36.6, 17.4)}
"""Months from TRL 6 to 7 and from 7 to 8."""


def test_the_way_from_trl_6_to_8_is_the_surveys(medical: Scenario) -> None:
    months = {"strict": (31 - REVIEW, REVIEW)} | ROADS
    for name, (evidence, review) in months.items():
        found = medical.calibrations[name].median_years or medical.steps.median_years
        assert [12 * years for years in found[5:7]] == pytest.approx([evidence, review])
        assert found[:5] == medical.steps.median_years[:5]
    for name, whole in (("pma", 54), ("ce-mark", 7)):
        assert sum(ROADS[name]) == pytest.approx(whole)
        assert ROADS[name][1] / whole == pytest.approx(REVIEW / 31, abs=0.001)


@pytest.mark.parametrize("parts", ["", "link"])
def test_trials_succeed_as_those_of_phase_3_and_reviews_as_filings(parts: str) -> None:
    scenario = load(FOLDER, {"parts": parts})
    found = {(step.technology, step.trl): step.success for step in scenario.technology_steps}
    for name, row in scenario.technologies.items():
        if target(scenario, row) == 8:
            assert found.pop((name, 7)) == 0.906
            assert found.pop((name, 6), None) == (0.578 if row.trl == 6 and ETHICS in row.waives else None)
    assert not found
    assert all(step.median_months is None for step in scenario.technology_steps)


def test_each_proposal_is_asked_for_a_trial_or_for_the_ethics_path(medical: Scenario) -> None:
    spared = {name for name, row in medical.technologies.items() if row.waives == (TRIAL,)}
    assert spared == {"R01", "R02", "R09", "C01", "C03", "C06"}
    assert all(row.waives == (ETHICS,) for name, row in medical.technologies.items() if name not in spared)


def test_the_plan_of_the_gates_follows_the_road(medical: Scenario) -> None:
    """From TRL 6, nothing is planned within 9 or 18 months on the 510(k) road; on the European one all of it is."""
    planned = {}
    for road in ("strict", "ce-mark"):
        case = build(load(FOLDER, {"calibration": road}), Portfolio((Choice("C04", "direct", "US", 2024),)))
        planned[road] = [planned_trl(case.median_days[0].tolist(), 6, 8, 30 * months) for months in (9, 18, 30)]
    assert planned == {"strict": [6, 6, 7], "ce-mark": [8, 8, 8]}


@pytest.fixture(scope="module")
def lived(medical: Scenario) -> pd.DataFrame:
    choices = [("R09", "JP"), ("R04", "US"), ("C03", "US")]
    chosen = Portfolio(tuple(Choice(name, "direct", partner, 2024) for name, partner in choices))
    return simulate(medical, chosen, replications=400).projects


def test_an_approval_is_trl_8_and_what_is_waived_is_never_handed_in(lived: pd.DataFrame) -> None:
    handed_in = {name: rows["delivered"].str.split("|") for name, rows in lived.groupby("technology", observed=True)}
    approved = handed_in["C03"].map(lambda names: "overseas-approval" in names)
    assert (approved == (lived["trl"][approved.index] == 8)).all()
    assert 0.2 < approved.mean() < 0.8
    asked = {"R09": (ETHICS, TRIAL), "C03": (ETHICS, TRIAL), "R04": (TRIAL, ETHICS)}
    for name, (given, spared) in asked.items():
        assert handed_in[name].map(lambda names, one=given: one in names).any()
        assert not handed_in[name].map(lambda names, one=spared: one in names).any()


def test_at_most_27_months_of_work_lie_before_the_end_of_2026(lived: pd.DataFrame) -> None:
    """After the contract, with a month of review at each gate; nobody who worked longer was approved by then."""
    early = lived[(lived["technology"] == "C03") & (lived["trl_8_time"] < 2027)]
    assert len(early) > 50
    assert early["worked_days"].max() <= 27 * 30
    assert lived.loc[lived["technology"] == "C03", "worked_days"].max() > 27 * 30


def _approved(road: str, proposal: str) -> float:
    """Probability of an approval by the end of 2026."""
    chosen = Portfolio((Choice(proposal, "direct", "US", 2024),))
    return float(
        replicate(load(FOLDER, {"calibration": road}), chosen, replications=2000)[
            "delivered_overseas_approval_by_2026"
        ].mean()
    )


def test_where_a_proposal_starts_decides_more_than_the_trial() -> None:
    """By 2,000 replications each; the limits are seven standard errors and more from what is found."""
    from_7, without_trial, with_trial = (_approved("strict", name) for name in ("C01", "C03", "C04"))
    assert from_7 > 0.8
    assert 0.5 > without_trial > 0.3
    assert 0.3 > with_trial > 0.1
    assert _approved("pma", "C04") < _approved("late-trial", "C04") < 0.15
    assert _approved("ce-mark", "C04") > 0.45


@pytest.mark.parametrize("road", ["strict", "late-trial", "pma"])
def test_who_is_not_approved_ran_out_of_time_rather_than_failed(road: str) -> None:
    chosen = Portfolio((Choice("C04", "direct", "US", 2024),))
    table = replicate(load(FOLDER, {"calibration": road}), chosen, replications=2000)
    assert table["exhausted"].sum() > table["failed"].sum() + 100


def test_research_alone_is_never_approved(medical: Scenario) -> None:
    table = replicate(medical, Portfolio((Choice("R09", "direct", "US", 2024),)), replications=200)
    assert table["delivered_solution"].sum() > 50
    assert table["delivered_overseas_approval"].sum() == 0


# --- the link -------------------------------------------------------------------------------------


def test_the_link_is_off_and_follows_the_lines_it_joins(medical: Scenario) -> None:
    linked = load(FOLDER, {"parts": "link"})
    assert "follow-on" not in medical.programmes
    assert {name: linked.programmes[name] for name in LINES} == medical.programmes
    new, old = linked.programmes["follow-on"], medical.programmes["commercialisation"]
    assert (new.tranches, new.gate, new.deliverables) == (old.tranches, old.gate, old.deliverables)
    assert new.budget == {year + 3: money for year, money in old.budget.items()}
    assert new.starts == {2027: 1}
    assert check(linked) == ()


def test_each_research_proposal_has_one_that_follows_it(medical: Scenario) -> None:
    linked = load(FOLDER, {"parts": "link"})
    added = linked.technologies.keys() - medical.technologies.keys()
    assert len(added) == 10
    links = {(link.kind, link.technology, link.other): link.amount for link in linked.links}
    assert len(links) == 2 * len(added)
    for name in added:
        research, row = linked.technologies[f"R{name[1:]}"], linked.technologies[name]
        assert ("prerequisite", name, research.id) in links
        assert links["synergy", name, research.id] == -market_value(linked, research) == -market_value(linked, row)
        same = ("field", "uncertainty", "home_level", "score", "market_size", "market_share", "waives")
        assert all(getattr(row, column) == getattr(research, column) for column in same)
        assert (row.trl, row.cost, row.programme) == (6, 5.4, "follow-on")


def test_a_follow_on_starts_after_its_research_and_can_be_approved() -> None:
    linked = load(FOLDER, {"parts": "link"})
    pair = Portfolio((Choice("R09", "direct", "US", 2024), Choice("L09", "direct", "US", 2027)))
    table = simulate(linked, pair, replications=400).projects
    research, after = (table[table["technology"] == name].reset_index() for name in ("R09", "L09"))
    begun = after["start_time"].notna()
    assert (research["end_state"][begun] == "target").all()
    assert (after["start_time"][begun] >= np.maximum(research["end_time"][begun], 2027.5)).all()
    last_call = max(linked.programmes["follow-on"].starts) + 0.5
    late = research["end_time"] > last_call  # no year is left that starts any
    assert (after["end_state"][~begun & ~late] == "blocked").all()
    assert set(after["end_state"][~begun & late]) <= {"blocked", "running"}
    assert after["delivered"].str.contains("overseas-approval").any()


# --- the experiments ------------------------------------------------------------------------------


def test_there_is_an_experiment_for_each_question() -> None:
    assert [path.stem for path in EXPERIMENTS] == [
        f"medical-ai-{one}" for one in ("approval", "link", "money", "roads")
    ]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"<!-- answer {path.stem} -->" in readme for path in EXPERIMENTS)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiments_can_be_run(path: Path) -> None:
    assert prepare(read(path)).design.count < 100


def test_the_experiment_on_money_shares_4_8_billion_in_every_case() -> None:
    prepared = prepare(read(next(path for path in EXPERIMENTS if path.stem == "medical-ai-money")))
    factors = {one.name: one for one in prepared.factors}
    for split in factors["split"].factor.level_list:
        for tranches in factors["tranches"].factor.level_list:
            overrides = (*factors["split"].overrides(split), *factors["tranches"].overrides(tranches))
            world = prepared.variations.vary(overrides)
            line, rows = world.programmes["rnd"], world.technologies.values()
            costs = {row.cost for row in rows if row.programme == "rnd"}
            assert [cost * line.starts[2024] for cost in costs] == [pytest.approx(4.8)]
            due = [4.8 * tranche.share for tranche in line.tranches]
            assert [line.budget[year] for year in (2024, 2025, 2026)] == pytest.approx(due)


def test_the_easier_trial_is_that_of_both_who_need_one(medical: Scenario) -> None:
    prepared = prepare(read(next(path for path in EXPERIMENTS if path.stem == "medical-ai-roads")))
    change = next(one for one in prepared.factors if one.name == "change")
    steps = prepared.variations.vary(change.overrides("easier-trial")).technology_steps
    rate = step_success(medical).of_kind(6, uncertainty="medium")
    assert {medical.technologies[name].uncertainty for name in ("C04", "C05")} == {"medium"}
    assert [step.success for step in steps if step.trl == 6] == pytest.approx([rate, rate], abs=0.001)
    assert {step.success for step in steps if step.trl == 7} == {0.906}


def test_beliefs_on_money_and_speed_are_powers_of_the_award(medical: Scenario) -> None:
    prepared = prepare(read(next(path for path in EXPERIMENTS if path.stem == "medical-ai-money")))
    split = next(one for one in prepared.factors if one.name == "split")
    powers = {"one-faster": 0.5, "one-twice-as-fast": 1.0, "three-slower": 0.5, "three-much-slower": 1.0}
    for case in split.factor.level_list:
        world = prepared.variations.vary(split.overrides(case))
        pace = (2.4 / world.technologies["R01"].cost) ** powers.get(case, 0.0)
        own = np.array(medical.steps.median_years[2:5])
        assert np.array(world.steps.median_years[2:5]) == pytest.approx(pace * own, abs=0.001)


# --- what is left ---------------------------------------------------------------------------------


@pytest.mark.parametrize("overrides", [[], ["calibration=lenient"], ["calibration=pma"]])
def test_nothing_the_planner_fixed_is_impossible(overrides: list[str]) -> None:
    assert check(load(FOLDER, overrides)) == ()


def test_every_row_of_the_readme_has_a_grade() -> None:
    assert ungraded(FOLDER) == []


def test_every_number_is_named_in_the_readme() -> None:
    assert unnamed(FOLDER) == set()
