"""What comes to nothing: median projects by hand, and the sentence on an empty portfolio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rdsim.domain import Calibration, Choice, Gate, Mode, Partner, PartnerEffect, Scenario, Technology, ValueRules
from rdsim.expectation import with_sure_market
from rdsim.options import candidates, sample
from rdsim.outlook import outlook, remarks
from rdsim.search import build_instance, choose, why_nothing
from tests.simple import plain
from tests.worlds import draw_world


def slow(**changes: object) -> Scenario:
    """Two steps of a year from 2024 or 2025, on the market a year later; 10 in two tranches for 100, at 10% a year."""
    technology = Technology("T", "T", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6)
    line = replace(plain().programmes["line"], starts={2024: 1, 2025: 1}, deadline_years=9.0)
    steps = replace(plain().steps, median_years=(1.0,) * 8)
    return plain({"T": technology}, line, **{"steps": steps, "discount_rate": 0.1, **changes})


def test_the_median_project_by_hand_is_the_one_that_is_simulated() -> None:
    scenario = slow()
    found = outlook(scenario, [Choice("T", start_year=2024), Choice("T", start_year=2025)])
    worth = 100 / 1.1**3 - 5 - 5 / 1.1
    assert found.market_day.tolist() == [1080, 1440]
    assert found.worth == pytest.approx([worth, worth / 1.1])
    assert sample(scenario, candidates(scenario), samples=2, seed=1).mean == pytest.approx(found.worth)
    steps = replace(scenario.steps, success=(0.8,) * 8)
    unsure = replace(scenario, calibrations={"only": Calibration(0.5)}, steps=steps)
    half = outlook(unsure, [Choice("T", start_year=2024)])
    assert (half.value[0], half.cost[0]) == pytest.approx((0.32 * 100 / 1.1**3, 5 + 0.8 * 5 / 1.1))


def test_what_is_simulated_without_luck_is_the_median_project() -> None:
    """Generated worlds in which nothing fails and times are certain, gates are passed and money never ends."""
    compared = 0
    for seed in range(60):
        world = draw_world(seed)
        sure = with_sure_market(world.scenario)
        lines = {
            name: replace(line, budget=dict.fromkeys(range(2024, 2034), 9.0), gate=Gate(policy="always-pass"))
            for name, line in sure.programmes.items()
        }
        calm = replace(
            sure,
            programmes=lines,
            horizon_year=2033,
            calibrations={"only": Calibration(1.0)},
            steps=replace(sure.steps, success=(1.0,) * 8),
            uncertainty={name: replace(one, duration_sigma=0.0) for name, one in sure.uncertainty.items()},
            partners={code: replace(one, break_rate=0.0, agreement=1.0) for code, one in sure.partners.items()},
            modes={
                code: replace(mode, agreement_probability=1.0, agreement_months=3.0, agreement_sigma=0.0, formation=())
                for code, mode in sure.modes.items()
            },
            judgements=(),
            technology_steps=(),
            risks=replace(sure.risks, budget=replace(sure.risks.budget, sd=0.0)),
            value=ValueRules(market_months=6.0, market_sigma=0.0),
        )
        calm = replace(calm, risks=replace(calm.risks, exchange=replace(calm.risks.exchange, volatility=0.0)))
        options = sample(calm, candidates(calm), samples=1, seed=seed)
        found = outlook(calm, options.choices)
        assert options.mean == pytest.approx(found.worth, abs=1e-6), seed
        compared += len(options.choices)
    assert compared > 500


def test_check_says_of_whom_the_median_project_comes_too_late() -> None:
    assert remarks(slow()) == ()
    (late,) = remarks(slow(horizon_year=2027))
    assert late.where == "scenario.toml, programmes.line.starts"
    assert late.found == "starts of line in 2025 that bring none; nearest: T alone from 2025, on the market in 2028.0"
    (never,) = remarks(slow(horizon_year=2026))
    assert (
        never.found == "of 1 of 1 technologies of line it never is; nearest: T alone from 2024, on the market in 2027.0"
    )
    (unpaid,) = remarks(slow(steps=replace(slow().steps, median_years=(2.0,) * 8)))
    assert "whose funded months end before the target" in unpaid.found


def test_check_says_where_lateness_takes_everything_and_where_everything_costs_more() -> None:
    early = replace(slow().programmes["line"], deadline_years=1.0)
    (worthless,) = remarks(slow(programmes={"line": early}, value=ValueRules(12.0, 0.0, loss_per_year=0.5)))
    assert worthless.where == "scenario.toml, programmes.line.deadline_years"
    (losing,) = remarks(slow(calibrations={"only": Calibration(0.1)}))
    assert losing.found == ("none of 1 of line is; nearest: T alone from 2025 (value 6.83, cost 8.68 billion KRW)")


def test_an_empty_portfolio_says_what_would_bring_the_nearest_in_and_that_does() -> None:
    """Value 7.51 and cost 9.55 from 2024; a year later all of it is a tenth less, and the loss too."""
    scenario = slow(calibrations={"only": Calibration(0.1)})
    found = choose(build_instance(scenario, samples=20, seed=1))
    assert found.portfolio.choices == ()
    assert why_nothing(scenario, found.options, found.problem) == (
        "Nothing is funded: no option is worth what it costs. Nearest: T alone from 2025, 1.85 billion KRW short: "
        "it comes in if its value rises by 27% or if its cost falls by 21%."
    )
    for change, funded in (({"value": 126.0}, 0), ({"value": 128.0}, 1), ({"cost": 7.9}, 0), ({"cost": 7.8}, 1)):
        changed = {"T": replace(scenario.technologies["T"], **change)}
        again = choose(build_instance(replace(scenario, technologies=changed), samples=20, seed=1))
        assert len(again.portfolio.choices) == funded, change


def test_an_empty_portfolio_says_which_rule_stands_against_the_best_option() -> None:
    poor = replace(slow().programmes["line"], budget={2024: 2.0, 2025: 2.0})
    scenario = slow(programmes={"line": poor})
    found = choose(build_instance(scenario, samples=20, seed=1))
    said = why_nothing(scenario, found.options, found.problem)
    assert said.startswith("Nothing is funded: no option by itself keeps every rule. Of most worth: T alone from 2024")
    assert "the 2024 budget of Line" in said


def test_partners_count_in_the_outlook() -> None:
    """Talks of half a year, opening of a quarter; a step takes half of its time; rights 0.8."""
    joint = slow(
        modes={"domestic": Mode("Domestic"), "joint": Mode("Joint", value_share=0.8, agreement_months=6.0)},
        partners={"P": Partner("P", "P", modes=("joint",), places=1, setup_months=3.0)},
        levels={"P": {"f": 92.0}},
        partner_effect=PartnerEffect(duration_gain=0.5, success_shift=0.0, cost_overhead=0.0, trl_high=4.0),
        discount_rate=0.0,
    )
    found = outlook(joint, [Choice("T", "joint", "P", 2024)])
    assert found.market_day.tolist() == [270 + 2 * 180 + 360]
    assert np.allclose([found.value[0], found.cost[0]], [80.0, 5.0])
