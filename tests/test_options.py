"""Options, what each does alone, and the rows of the problem that they make."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from rdsim.case import DAYS_PER_YEAR
from rdsim.domain import (
    Choice,
    International,
    Limit,
    Limits,
    Link,
    Mode,
    Network,
    OptimiserSettings,
    Partner,
    Scenario,
    Technology,
)
from rdsim.formulation import option_name, state
from rdsim.options import Options, candidates, sample, worth_alone
from rdsim.simulation import Running
from tests.simple import plain
from tests.worlds import draw_world

SAMPLES = 8


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Two technologies, one partner with two modes; all times certain, steps of half a year, tranches of a year."""
    line = replace(plain().programmes["line"], starts={2024: 1, 2025: 2}, carry_over=0.1)
    partner = Partner("P", "P", modes=("direct", "matching"), places=1, setup_cost=2.0, running_cost=1.0)
    modes = {
        "domestic": Mode("Domestic"),
        "direct": Mode("Direct", abroad_share=0.5, agreement_months=6.0, value_share=0.9),
        "matching": Mode("Matching", home_cost_share=0.5, agreement_months=6.0, value_share=0.6),
    }
    return plain(
        {name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=100.0, trl_target=7) for name in ("A", "B")},
        line,
        modes=modes,
        partners={"P": partner},
        levels={"P": {"f": 20.0}},
        network=Network("line"),
        links=(Link("prerequisite", "B", "A"), Link("synergy", "A", "B", 20.0)),
        international=International(
            rd_budget={2024: 100.0},
            outside_spending={2024: 3.0},
            share_floor={2024: 0.1},
            shortfall_price=0.5,
            abroad_cap={2024: 4.0},
        ),
        limits=Limits(fields={"f": Limit(0.001, 0.5)}, partners={"P": Limit(0.0, 0.25)}),
    )


@pytest.fixture(scope="module")
def options(scenario: Scenario) -> Options:
    return sample(scenario, candidates(scenario), samples=SAMPLES, seed=1)


def column(options: Options, name: str) -> int:
    return [option_name(choice) for choice in options.choices].index(name)


def test_candidates_are_every_eligible_combination(scenario: Scenario) -> None:
    names = [option_name(choice) for choice in candidates(scenario)]
    assert len(names) == len(set(names)) == 2 * 3 * 2
    assert {"A/-/domestic/2024", "A/P/matching/2025", "B/P/direct/2024"} <= set(names)


def test_candidates_leave_out_what_is_ruled_out_or_closed(scenario: Scenario) -> None:
    out = replace(scenario.technologies["B"], status="must-not-fund")
    line = replace(
        scenario.programmes["line"], foreign_partner_required=True, fallback="drop", starts={2024: 1, 2025: 0}
    )
    world = replace(scenario, technologies={**scenario.technologies, "B": out}, programmes={"line": line})
    assert {option_name(choice) for choice in candidates(world)} == {"A/P/direct/2024", "A/P/matching/2024"}


def test_each_option_is_what_one_computes_by_hand(options: Options) -> None:
    """Domestic 2024: 5 bn on day 0, 5 bn on day 360, target on day 540 and so 2.5 bn refunded; market on day 900."""
    domestic = column(options, "A/-/domestic/2024")
    assert options.payments[domestic, :3] == pytest.approx([5.0, 2.5, 0.0])
    assert options.expected_value[domestic] == pytest.approx(100 - 7.5)
    assert options.p_market[domestic] == options.p_in_time[domestic] == 1.0
    assert options.award[domestic] == 10.0
    direct = column(options, "A/P/direct/2025")
    # Talks from day 360 to 540; paid on days 540 and 900; the target, and half a tranche back, on day 1080.
    assert options.payments[direct, :4] == pytest.approx([0.0, 5.4, 5.4, -2.7])
    assert options.abroad[direct, :4] == pytest.approx([0.0, 2.7, 2.7, 0.0])
    assert options.occupancy[direct, :4] == pytest.approx([0.0, 1.0, 1.0, 0.0])
    assert options.end_year[direct] == 1080 // DAYS_PER_YEAR
    matching = column(options, "A/P/matching/2024")
    assert options.joint[matching, :2] == pytest.approx([2.7, 2.7])
    assert options.award[matching] == pytest.approx(5.4)


def test_chunks_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    world = draw_world(11)
    choices = candidates(world.scenario)
    whole = sample(world.scenario, choices, samples=6, seed=2)
    monkeypatch.setattr("rdsim.options._CHUNK", 3)
    pieces = sample(world.scenario, choices, samples=6, seed=2)
    for one in dataclasses.fields(Options):
        assert np.array_equal(getattr(whole, one.name), getattr(pieces, one.name)), one.name


def test_the_rows_hold_every_family_with_its_cap(scenario: Scenario, options: Options) -> None:
    rows = state(scenario, options).rows
    caps = dict(zip(rows.names, rows.cap.tolist(), strict=True))
    senses = dict(zip(rows.names, rows.sense, strict=True))
    assert caps["budget line 2024"] == 100.0
    assert caps["budget line 2031"] == 0.0
    assert (caps["starts line 2024"], caps["starts line 2025"]) == (1.0, 2.0)
    assert caps["places P 2024"] == 1.0
    assert caps["abroad 2024"] == 4.0
    assert (caps["field floor f"], senses["field floor f"]) == (pytest.approx(0.6), ">=")
    assert caps["field ceiling f"] == 300.0
    assert caps["partner ceiling P"] == 150.0
    assert (caps["international 2024"], senses["international 2024"]) == (pytest.approx(7.0), ">=")
    prices = dict(zip(rows.names, rows.shortfall_price.tolist(), strict=True))
    assert prices["international 2024"] == 0.5
    assert np.isnan(prices["budget line 2024"])
    index = {name: r for r, name in enumerate(rows.names)}
    assert (index["budget line 2024"], index["budget line 2025"], 0.1) in rows.carry


def test_a_payment_ratio_multiplies_the_money_rows_alone(scenario: Scenario, options: Options) -> None:
    ratios = OptimiserSettings(payment_ratio={"line": 1.3})
    stated, given = state(replace(scenario, optimiser=ratios), options), state(scenario, options, {"line": 1.3})
    for problem in (stated, given):
        caps = dict(zip(problem.rows.names, problem.rows.cap.tolist(), strict=True))
        assert caps["budget line 2024"] == pytest.approx(130.0)
        assert caps["abroad 2024"] == 4.0


def test_opening_a_partner_costs_its_line_and_its_value(scenario: Scenario, options: Options) -> None:
    """Set-up 2 in the opening year; running 1 a year until the median end (2026) of the longest option."""
    problem = state(scenario, options)
    opening = problem.rows.opening_use.toarray()[: scenario.horizon_year - scenario.start_year + 1]
    assert opening[:4].T.tolist() == [[3.0, 1.0, 1.0, 1.0], [0.0, 3.0, 1.0, 1.0]]
    assert problem.opening_value.tolist() == [[-6.0, -5.0]]


def test_links_and_fixed_choices_reach_the_problem(scenario: Scenario, options: Options) -> None:
    must = replace(scenario.technologies["A"], status="must-fund")
    problem = state(replace(scenario, technologies={**scenario.technologies, "A": must}), options)
    assert problem.prerequisites.tolist() == [[1, 0]]
    assert problem.fixed_in_groups == (0,)
    (pair,) = problem.synergies
    assert pair[:2] == (0, 1)
    assert pair[2] == pytest.approx(20.0)


def test_a_bonus_for_the_market_in_time_is_added_to_the_value(scenario: Scenario, options: Options) -> None:
    eager = replace(scenario, aim={"commercialised_by_deadline": 7.0})
    assert state(eager, options).expected_value - state(scenario, options).expected_value == pytest.approx(
        7.0 * options.p_in_time
    )


def test_no_option_at_all_is_a_problem_without_options(scenario: Scenario) -> None:
    none = sample(scenario, (), samples=3, seed=1)
    assert none.npv.shape == (3, 0)
    assert none.payments.shape == (0, 17)


def test_calendar_shocks_are_those_of_the_start_year_not_shifted() -> None:
    """A late start meets the end of the money, an early one does not: samples are not shifted in time."""
    line = replace(plain().programmes["line"], budget={2024: 50.0, 2025: 50.0}, starts={2024: 1, 2025: 1})
    world = plain({"A": Technology("A", "A", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=7)}, line)
    found = sample(world, (Choice("A", start_year=2024), Choice("A", start_year=2025)), samples=4, seed=1)
    assert found.p_target.tolist() == [1.0, 0.0]
    assert found.payments[:, :3].tolist() == [[5.0, 2.5, 0.0], [0.0, 5.0, 0.0]]


def test_options_are_the_same_however_threads_share_them(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks of three, by one thread and by more of them than there are chunks."""
    choices = candidates(scenario)
    whole = sample(scenario, choices, samples=SAMPLES, seed=1, running=Running(threads=1))
    monkeypatch.setattr("rdsim.options._CHUNK", 3)
    for threads in (1, 2, 16):
        shared = sample(scenario, choices, samples=SAMPLES, seed=1, running=Running(threads=threads))
        worths = worth_alone(scenario, choices, samples=SAMPLES, seed=1, running=Running(threads=threads))
        assert shared.choices == whole.choices
        for field in ("npv", "mean", "payments", "occupancy", "end_year"):
            assert np.array_equal(getattr(shared, field), getattr(whole, field)), field
        assert np.array_equal(worths, worth_alone(scenario, choices, samples=SAMPLES, seed=1))
