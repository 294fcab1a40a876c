"""The shipped scenario medical-ai-2024: the figures of S001 are read back, every number has a grade."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from rdsim.domain import Scenario
from rdsim.scenario import award, check, eligible, load, market_value, target
from tests.test_korea_2024 import SCENARIOS, ungraded, unnamed

FOLDER = SCENARIOS / "medical-ai-2024"
LINES = ("rnd", "commercialisation")


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
        "rnd": {"data-use", "paper", "patent", "solution", "clinical-application"},
        "commercialisation": {"data-use", "clinical-application", "overseas-approval", "export-contract"},
    }
    items = {(line, name): item for line in LINES for name, item in medical.programmes[line].deliverables.items()}
    assert {item.count for item in items.values()} == {1}
    assert [key for key, item in items.items() if item.optional] == [("commercialisation", "export-contract")]
    conditions = {key for key, item in items.items() if item.due_tranche}
    assert conditions == {
        *(("rnd", name) for name in ("data-use", "paper", "patent")),
        *(("commercialisation", name) for name in ("data-use", "clinical-application")),
    }


def test_gates_come_after_the_trl_that_their_deliverables_need(medical: Scenario) -> None:
    """A project on plan has begun work on what is due: the median path reaches `after_trl` before the gate."""
    for line in medical.programmes.values():
        for item in line.deliverables.values():
            steps = medical.steps.median_years[line.trl_entry_min - 1 : item.after_trl - 1]
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
    assert rates == {"strict": (0.872, 0.228), "lenient": (0.89, 0.532)}


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


@pytest.mark.parametrize("overrides", [[], ["calibration=lenient"]])
def test_nothing_the_planner_fixed_is_impossible(overrides: list[str]) -> None:
    assert check(load(FOLDER, overrides)) == ()


def test_every_row_of_the_readme_has_a_grade() -> None:
    assert ungraded(FOLDER) == []


def test_every_number_is_named_in_the_readme() -> None:
    assert unnamed(FOLDER) == set()
