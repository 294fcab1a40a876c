"""The shipped scenario direct-or-matching: what S002 says is read back, and what it observes comes out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rdsim import portfolio
from rdsim.domain import Portfolio, Scenario
from rdsim.scenario import Variations, award, check, load, target
from rdsim.simulation import replicate
from rdsim.stats import Interval, paired_difference
from rdsim.sweep import prepare, read
from tests.test_korea_2024 import SCENARIOS, ungraded, unnamed

FOLDER = SCENARIOS / "direct-or-matching"
EXPERIMENTS = SCENARIOS.parent / "experiments"
NAMES = (
    *("direct-or-matching", "direct-or-matching-assumptions", "free-choice-of-mode"),
    *("medium-home-trl", "medium-home-trl-assumptions"),
)
MODES = ("domestic", "matching", "direct")
LEVEL = {"levels.*.*": 100.0, "technologies.*.home_level": 100.0}
ABSORBED = {"partner_effect.trl_low": 0.0, "partner_effect.trl_high": 0.0}
ANY_GAP = {"partner_effect.gap_width": 400.0}

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def japan() -> Scenario:
    return load(FOLDER)


def funded(scenario: Scenario, mode: str) -> Portfolio:
    return portfolio.read(FOLDER / f"{mode}.csv", scenario)


# --- what S002 says ------------------------------------------------------------------------------


def test_only_matching_needs_the_other_government(japan: Scenario) -> None:
    assert {name: mode.needs_counterpart for name, mode in japan.modes.items()} == {
        "domestic": False,
        "matching": True,
        "direct": False,
    }


def test_sicorps_countries_of_s002_are_partners_in_both_modes(japan: Scenario) -> None:
    named = {row.name for row in japan.partners.values() if row.source == "seed S002"}
    assert named == {"United Kingdom", "France", "Germany"}
    assert all(set(row.modes) == {"matching", "direct"} for row in japan.partners.values())


def test_under_matching_each_side_pays_its_own_and_direct_pays_both(japan: Scenario) -> None:
    """The price of direct funding is the foreign side's part of the work, and nothing else."""
    matching, direct = (award(japan, "D01", "US", mode) for mode in ("matching", "direct"))
    assert direct - matching == pytest.approx(direct * japan.modes["direct"].abroad_share)
    assert japan.modes["matching"].abroad_share == 0


def test_levels_are_the_published_ones(japan: Scenario) -> None:
    assert {row.home_level for row in japan.technologies.values()} == {85.2}
    found = {code: set(row.values()) for code, row in japan.levels.items()}
    assert found == {"US": {100.0}, "DE": {92.3}, "FR": {92.3}, "GB": {92.3}, "KR": {81.7}}


# --- the design ------------------------------------------------------------------------------------


def test_candidates_differ_in_field_and_trl_alone(japan: Scenario) -> None:
    rows = list(japan.technologies.values())
    assert Counter((row.trl, row.field) for row in rows) == {(t, f): 2 for t in range(2, 8) for f in japan.fields}
    assert len({(row.cost, row.value, row.uncertainty, row.home_level, row.score) for row in rows}) == 1
    assert all(target(japan, row) == min(row.trl + 3, 9) for row in rows)
    assert len({row.name for row in rows}) == 48


def test_portfolios_differ_in_the_mode_alone(japan: Scenario) -> None:
    matching, direct = ({(c.technology, c.partner, c.start_year) for c in funded(japan, m).choices} for m in MODES[1:])
    assert matching == direct
    assert {c.technology for c in funded(japan, "domestic").choices} == set(japan.technologies)
    for mode in MODES:
        assert {c.mode for c in funded(japan, mode).choices} == {mode}
    at = Counter((japan.technologies[c.technology].trl, c.partner) for c in funded(japan, "direct").choices)
    for trl in range(2, 8):
        levels = Counter({japan.levels[partner]["energy"]: 0 for _, partner in at})
        for (home, partner), count in at.items():
            levels[japan.levels[partner]["energy"]] += count if home == trl else 0
        assert levels == {100.0: 2, 92.3: 4, 81.7: 2}


def test_nothing_is_scarce_in_any_mode(japan: Scenario) -> None:
    for mode in MODES:
        table = replicate(japan, funded(japan, mode), replications=100)
        waits = [name for name in table.columns if name.startswith("wait_")]
        assert waits
        assert table[waits].to_numpy().sum() == 0
        assert table["unfunded"].sum() == 0


# --- the observation, and the assumptions behind it ---------------------------------------------------


def gain(scenario: Scenario, trl: int, gap: float, changes: dict[str, float], steps: int = 3) -> Interval:
    """What direct funding gains over going alone, in net present value of the 48 projects, paired."""
    places = {"technologies.*.trl": trl, "technologies.*.trl_target": min(trl + steps, 9), **LEVEL}
    world = load(FOLDER, {**places, "levels.*.*": 100.0 + gap, **changes})
    joint, alone = (npv(world, funded(scenario, mode)) for mode in ("direct", "domestic"))
    return paired_difference(joint, alone, 0.99)


def npv(world: Scenario, chosen: Portfolio) -> Floats:
    return replicate(world, chosen, replications=400)["npv"].to_numpy(np.float64)


def test_a_low_home_trl_gains_little_and_a_medium_one_with_a_high_partner_most(japan: Scenario) -> None:
    gains = {(trl, gap): gain(japan, trl, gap, {}) for trl in (2, 5, 7) for gap in (-12.0, 12.0)}
    best = gains.pop((5, 12.0))
    assert best.low > 3.0
    assert all(one.high < best.low for one in gains.values())
    assert gains[2, 12.0].high < 1.0


def test_without_the_ramp_of_absorption_a_low_home_trl_gains_as_much(japan: Scenario) -> None:
    low, medium = (gain(japan, trl, 12.0, ABSORBED) for trl in (2, 5))
    assert low.low > 3.0
    assert low.low < medium.mean < low.high


def test_without_the_inverted_u_a_low_partner_is_as_good(japan: Scenario) -> None:
    low, high = (gain(japan, 5, gap, ANY_GAP) for gap in (-12.0, 12.0))
    assert low.mean == pytest.approx(high.mean, rel=0.02)


def test_a_high_home_trl_gains_less_for_the_steps_that_are_left(japan: Scenario) -> None:
    high, short = gain(japan, 7, 12.0, {}), gain(japan, 5, 12.0, {}, steps=2)
    assert short.low < high.mean < short.high


def test_direct_funding_is_worth_its_price_only_where_the_other_government_is_reluctant(japan: Scenario) -> None:
    found = {}
    for agreement in (0.3, 0.9):
        world = load(
            FOLDER,
            {
                **LEVEL,
                "levels.*.*": 112.0,
                "technologies.*.trl": 5,
                "technologies.*.trl_target": 8,
                "partners.*.agreement": agreement,
            },
        )
        direct, matching = (npv(world, funded(japan, mode)) for mode in ("direct", "matching"))
        found[agreement] = paired_difference(direct, matching, 0.99)
    assert found[0.3].low > 0
    assert found[0.9].high < 0


# --- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_experiments_are_ready_and_their_answers_have_a_place(name: str) -> None:
    found = prepare(read(EXPERIMENTS / f"{name}.toml"))
    assert found.design.count >= 36
    assert Path(str(found.experiment.scenario)).name == FOLDER.name
    text = (FOLDER / "README.md").read_text("utf-8")
    assert text.index(f"<!-- answer {name} -->") < text.index("## How the question is put")


def test_nothing_the_planner_fixed_is_impossible(japan: Scenario) -> None:
    assert check(japan) == ()
    assert Variations(japan).scenario.calibration == "strict"


def test_every_row_of_the_readme_has_a_grade() -> None:
    assert ungraded(FOLDER) == []


def test_every_number_is_named_in_the_readme() -> None:
    assert unnamed(FOLDER) == set()
