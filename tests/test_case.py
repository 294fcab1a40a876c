"""From a scenario and a portfolio to arrays: money to the won, days, links, the case in which each lives alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdsim.case import FAILED, build, days, hosts, largest_remainder, unconstrained_case
from rdsim.domain import (
    BudgetRisk,
    Choice,
    Link,
    Mode,
    Network,
    Partner,
    Portfolio,
    Scenario,
    Technology,
    TechnologyStep,
    Tranche,
)
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.luck import lay_out
from rdsim.scenario import plannable
from tests.simple import lived, plain
from tests.worlds import draw_world


def joint_scenario() -> Scenario:
    partners = {
        "P": Partner("P", "P", modes=("joint",), places=2, setup_months=2.0),
        "Q": Partner("Q", "Q", modes=("joint",), places=1, setup_months=4.0),
        "P+Q": Partner("P+Q", "P+Q", modes=("joint",), members=("P", "Q")),
    }
    line = replace(plain().programmes["line"], tranches=(Tranche(9, 1 / 3), Tranche(9, 1 / 3), Tranche(12, 1 / 3)))
    return plain(
        {name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=9.0, trl_target=6) for name in "ABC"},
        line,
        modes={"domestic": Mode("Domestic"), "joint": Mode("Joint", 0.7, 0.3, 0.8, agreement_months=3.0)},
        partners=partners,
        levels={"P": {"f": 95.0}, "Q": {"f": 85.0}},
        links=(Link("prerequisite", "B", "A"), Link("spillover", "C", "A", 0.1)),
    )


@given(st.integers(0, 10**13), st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8))
def test_shares_of_money_add_up_to_the_won(total: int, shares: list[float]) -> None:
    parts = largest_remainder(np.array([total]), shares)[0].tolist()
    assert sum(parts) == total
    whole = sum(shares)
    assert all(abs(part - total * share / whole) < 1 + total * 1e-12 for part, share in zip(parts, shares, strict=True))


def test_equal_shares_of_what_does_not_divide_favour_the_earlier() -> None:
    assert largest_remainder(np.array([100, 101, 0]), [1 / 3] * 3).tolist() == [[34, 33, 33], [34, 34, 33], [0, 0, 0]]


def test_days_are_rounded_up_on_the_30_360_calendar() -> None:
    assert [days(months) for months in (0, 1, 9, 12, 6.6, 0.01)] == [0, 30, 270, 360, 198, 1]


def test_projects_are_laid_out_in_order_of_rank() -> None:
    choices = (Choice("A", rank=2, start_year=2024), Choice("B", rank=1, start_year=2025))
    case = build(joint_scenario(), Portfolio(choices))
    assert case.technology.tolist() == [1, 0]
    assert case.start_year.tolist() == [1, 0]


def test_choices_that_a_case_knows_are_taken_from_it() -> None:
    scenario = joint_scenario()
    every = (Choice("A"), Choice("A", "joint", "P", 2024), Choice("B", "joint", "P+Q", 2025), Choice("B", "joint", "Q"))
    stage = build(scenario, Portfolio(tuple(replace(one, start_year=one.start_year or 2024) for one in every)))
    some = Portfolio((Choice("B", "joint", "P+Q", 2025, 1), Choice("A", "joint", "P", 2024, 2)))
    plain, taken = build(scenario, some), build(scenario, some, known=(stage, [2, 1]))
    for name, column, same in zip(plain._fields, plain, taken, strict=True):
        np.testing.assert_array_equal(column, same, err_msg=name)


def test_joint_money_is_split_between_home_partner_and_abroad() -> None:
    case = build(joint_scenario(), Portfolio((Choice("A", "joint", "P", 2024, 1),)))
    whole = round(10 * 1.08 * 10**9)
    assert case.home[0].sum() + case.foreign[0].sum() == whole
    assert case.home[0].sum() == round(whole * 0.7)
    assert case.abroad[0].tolist() == [int(part * 0.3) for part in case.home[0].tolist()]
    assert case.domestic[0].sum() == 10 * 10**9


def test_a_consortium_takes_a_place_with_each_member() -> None:
    scenario = joint_scenario()
    case = build(scenario, Portfolio((Choice("A", "joint", "P+Q", 2024, 1), Choice("B", "joint", "Q", 2024, 2))))
    assert hosts(scenario) == ["P", "Q"]
    assert case.member.tolist() == [[0, 1], [1, -1]]
    coordination = scenario.partner_effect.coordination_duration
    assert case.factor[0, 3] / coordination == pytest.approx(
        build(scenario, Portfolio((Choice("A", "joint", "P", 2024, 1),))).factor[0, 3]
    )


def test_links_point_to_the_projects_of_the_portfolio() -> None:
    scenario = joint_scenario()
    case = build(
        scenario, Portfolio(tuple(Choice(name, rank=k, start_year=2024) for k, name in enumerate("ABC", start=1)))
    )
    assert case.prerequisite_start.tolist() == [0, 0, 1, 1]
    assert case.prerequisite.tolist() == [0]
    assert case.dependent.tolist() == [1]
    assert (case.spillover.tolist(), case.spillover_gain.tolist()) == ([0], [0.1])
    without = build(scenario, Portfolio((Choice("B", rank=1, start_year=2024),)))
    assert without.prerequisite.tolist() == [-1]


def test_an_empty_portfolio_is_a_case_too() -> None:
    scenario = joint_scenario()
    case = build(scenario, Portfolio(()))
    luck = lay_out(scenario, case, (), Draws(1, range(3)))
    for engine in (compiled, process):
        out = engine.run(case, luck)
        assert out.trl.shape == (3, 0)
        assert (out.lapsed == out.new_money).all()


def test_alone_each_choice_is_what_it_would_be_with_endless_resources() -> None:
    """The unconstrained case equals, choice by choice, a portfolio of that choice in a world without scarcity."""
    compared = 0
    for seed in range(60):
        world = draw_world(seed)
        scenario, choices = world.scenario, world.choices
        case = unconstrained_case(scenario, choices)
        together = compiled.run(case, lay_out(scenario, case, choices, Draws(seed, range(3))))
        for p, choice in enumerate(choices):
            one = unconstrained_case(scenario, (choice,))
            alone = process.run(one, lay_out(scenario, one, (choice,), Draws(seed, range(3))))
            for name in ("end_state", "trl", "end_day", "tranche_day", "paid", "refund", "market_day", "place_day"):
                assert (getattr(together, name)[:, p] == getattr(alone, name)[:, 0]).all(), (seed, p, name)
            compared += 1
        # Money may be waited for still: some generated lines have a year without any.
        waits = (together.wait_start, together.wait_prerequisite, together.wait_facility)
        assert all((wait == 0).all() for wait in waits)
    assert compared > 200


def _endless(scenario: Scenario) -> Scenario:
    """The same world with more of everything than anybody needs; years without money have what may be carried there."""
    lines = {
        name: replace(
            line,
            budget={year: 1e6 for year, money in plannable(scenario, name).items() if money},
            starts=dict.fromkeys(range(scenario.start_year, scenario.horizon_year + 1), 10**6),
            gate=replace(line.gate, drop_share=0.0),
            carry_over=0.0,
        )
        for name, line in scenario.programmes.items()
    }
    partners = {
        code: replace(one, places=0 if one.members else 10**6, setup_months=0.0, setup_cost=0.0, running_cost=0.0)
        for code, one in scenario.partners.items()
    }
    panels = {name: replace(panel, seats=10**6) for name, panel in scenario.panels.items()}
    rooms = {name: replace(room, capacity=10**6) for name, room in scenario.facilities.items()}
    return replace(
        scenario, programmes=lines, partners=partners, panels=panels, facilities=rooms, links=(), network=Network()
    )


def test_alone_a_choice_lives_as_the_only_one_of_an_endless_world() -> None:
    """Built from another scenario, not by `unconstrained_case`: both engines, all columns without purses' money."""
    purses = {"new_money", "carried_in", "lapsed"}
    for seed in range(40):
        world = draw_world(seed)
        quick = {code: replace(one, setup_months=0.0) for code, one in world.scenario.partners.items()}
        scenario, rich = replace(world.scenario, partners=quick), _endless(world.scenario)
        certain = replace(rich, risks=replace(rich.risks, budget=BudgetRisk()))
        for choice in world.choices:
            one, draws = (replace(choice, rank=1),), Draws(seed, range(3))
            lonely, plenty = unconstrained_case(scenario, one), build(certain, Portfolio(one))
            for engine in (compiled, process):
                first = engine.run(lonely, lay_out(scenario, lonely, one, draws))
                second = engine.run(plenty, lay_out(certain, plenty, one, draws))
                for name in set(first._fields) - purses:
                    assert (getattr(first, name) == getattr(second, name)).all(), (seed, choice, name)


def test_whole_numbers_in_a_scenario_make_the_same_arrays() -> None:
    """A planner's `alpha = 0` is no other type than 0.0: compiled code is for one type of each array."""
    scenario = joint_scenario()
    line = scenario.programmes["line"]
    whole = replace(
        scenario,
        programmes={"line": replace(line, gate=replace(line.gate, alpha=0, beta=1), carry_over=1)},
        steps=replace(scenario.steps, setback_probability=1),
        links=(Link("spillover", "C", "A", 1),),
    )
    portfolio = Portfolio((Choice("A", start_year=2024, rank=1), Choice("C", start_year=2024, rank=2)))
    for first, second in zip(build(scenario, portfolio), build(whole, portfolio), strict=True):
        assert type(first) is type(second)
        assert getattr(first, "dtype", None) == getattr(second, "dtype", None)


def test_alone_the_end_of_a_programmes_money_still_counts() -> None:
    scenario = joint_scenario()
    line = replace(scenario.programmes["line"], budget={2024: 5.0}, starts={2024: 1})
    scenario = replace(scenario, programmes={"line": line})
    choice = Choice("A", start_year=2024)
    case = unconstrained_case(scenario, (choice,))
    out = compiled.run(case, lay_out(scenario, case, (choice,), Draws(1, range(2))))
    # Steps of half a year: the target comes on day 360, in the second of three tranches of 9, 9 and 12 months.
    assert out.tranche_day[0, 0].tolist()[0] == 0
    assert (np.diff(out.tranche_day[0, 0][out.tranche_day[0, 0] >= 0]) >= 270).all()
    assert out.tranche_day.max() < 360


def test_a_technology_may_have_steps_of_its_own() -> None:
    """Times of five and seven months and certain outcomes, where others take half a year; its gate plans with them."""
    own = (TechnologyStep("T", 4, median_months=5.0, success=1.0), TechnologyStep("T", 5, 7.0, 0.0))
    scenario = plain(technology_steps=own)
    case, luck, outcomes = lived(scenario, Choice("T", "domestic", "", 2024), replications=20)
    assert (luck.step_days[:, 0, 3:5, 0] == [150.0, 210.0]).all()
    assert case.median_days[0, :2].tolist() == [150, 360]
    assert (outcomes.trl_day[:, 0, 4] == 150).all()
    assert (outcomes.end_state == FAILED).all()
    assert (outcomes.end_day == 360).all()
    other = plain({"T": scenario.technologies["T"], "U": replace(scenario.technologies["T"], id="U")})
    both = replace(other, technology_steps=own)
    _, luck, _ = lived(both, Choice("U", "domestic", "", 2024))
    assert (luck.step_days == 180.0).all()
