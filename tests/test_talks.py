"""Means of lone options leave out the luck of talks: every course is simulated on the same steps, and weighed."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from rdsim.case import DROPPED, unconstrained_case
from rdsim.domain import Choice, FormationStage, Mode, Partner, Scenario, Technology
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.formulation import values
from rdsim.luck import lay_out
from rdsim.options import Options, candidates, plain_sample, sample, worth_alone
from rdsim.search.judge import Judge
from rdsim.simulation import Running
from rdsim.talks import courses_of
from tests.simple import plain
from tests.sizes import size
from tests.worlds import draw_world

KEPT = ("npv", "gain", "sold", "paid")
WORLDS = range(11, 11 + size(4, 40))

STAGED = (FormationStage("contact", 3.0, 0.0, 0.8), FormationStage("contract", 9.0, 0.0, 0.5))


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """A technology of two steps of half a year, 10 in two yearly tranches, worth 100; times are certain, talks are not.

    A joint project pays half of it at home and keeps 0.6 of the value. The partner asks nobody twice: in `direct` it
    agrees in 0.9 of all cases, in `staged` in 0.9 of those in which the last stage does not fail by itself.
    """
    modes = {
        "domestic": Mode("Domestic"),
        "direct": Mode(
            "Direct",
            home_cost_share=0.5,
            value_share=0.6,
            needs_counterpart=True,
            agreement_probability=0.5,
            agreement_months=12.0,
        ),
        "staged": Mode("Staged", home_cost_share=0.5, value_share=0.6, needs_counterpart=True, formation=STAGED),
    }
    partner = Partner("P", "P", modes=("direct", "staged"), places=1, agreement=0.9)
    technologies = {"A": Technology("A", "A", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6)}
    world = plain(technologies, modes=modes, partners={"P": partner}, levels={"P": {"f": 20.0}})
    return replace(world, partner_effect=replace(world.partner_effect, coordination_cost=0.0))


DOMESTIC, DIRECT, STAGED_ONE = (
    Choice("A", start_year=2024),
    Choice("A", "direct", "P", 2024),
    Choice("A", "staged", "P", 2024),
)
EVERY = (DOMESTIC, DIRECT, STAGED_ONE)


@pytest.fixture(scope="module")
def options(scenario: Scenario) -> Options:
    return sample(scenario, EVERY, samples=3, seed=1)


# --- what one computes by hand ---------------------------------------------------------------------


def test_courses_have_their_probabilities_and_those_without_any_are_left_out(scenario: Scenario) -> None:
    courses = courses_of(scenario, EVERY)
    assert courses.option.tolist() == [0, 1, 1, 2, 2, 2]
    # Two stages at most: 0 and 1 fail at that one, 2 is signed.
    assert courses.stage.tolist() == [2, 0, 2, 0, 1, 2]
    assert courses.weight == pytest.approx([1.0, 0.55, 0.45, 0.2, 0.8 * 0.55, 0.8 * 0.45])


def test_means_are_exact_where_only_talks_are_luck(scenario: Scenario, options: Options) -> None:
    """Three samples tell what a thousand would: signed 60 less what is paid then, else 100; half of it is paid."""
    alone, half = 100.0 - 5.0, options.award[1] / 2
    signed = 60.0 - half
    assert options.mean == pytest.approx([alone, 0.45 * signed + 0.55 * alone, 0.36 * signed + 0.64 * alone])
    # Talks of a year end on day 360, whichever way; of stages of 90 and 270 days the first fails on day 90.
    assert options.payments[1, :3] == pytest.approx([0.0, 0.45 * half + 0.55 * 5.0, 0.0])
    assert options.payments[2, 0] == pytest.approx(0.2 * 5.0)
    assert options.joint[:, 1] == pytest.approx([0.0, 0.45 * half, 0.36 * half])
    assert options.p_target.tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_the_median_end_weighs_all_courses(scenario: Scenario) -> None:
    """Signed it holds its place for another year; by one probability or the other that is the median."""
    ends = {}
    for chance in (0.4, 0.6):
        mode = replace(scenario.modes["direct"], agreement_probability=chance, needs_counterpart=False)
        world = replace(scenario, modes={**scenario.modes, "direct": mode})
        found = [sample(world, (DIRECT,), samples=n, seed=s) for n in (1, 4) for s in (1, 2, 3)]
        ends[chance] = {int(one.end_year[0]) for one in found}
    assert ends == {0.4: {1}, 0.6: {2}}


def test_where_a_programme_drops_them_failed_talks_end_the_project(scenario: Scenario) -> None:
    world = replace(scenario, programmes={"line": replace(scenario.programmes["line"], fallback="drop")})
    found = sample(world, (DIRECT,), samples=2, seed=1)
    assert found.p_target[0] == pytest.approx(0.45)
    courses = courses_of(world, (DIRECT,))
    outcomes = compiled.run(
        courses.case(world), lay_out(world, courses.case(world), courses.projects, Draws(1, range(2)))
    )
    assert outcomes.end_state[:, 0].tolist() == [DROPPED, DROPPED]


# --- what is as it was -----------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_what_is_kept_of_each_sample_is_of_the_course_that_talks_take(world: int) -> None:
    drawn = draw_world(world).scenario
    choices = candidates(drawn)
    ours = sample(drawn, choices, samples=12, seed=3, each_payment=True)
    plain_ones = plain_sample(drawn, choices, samples=12, seed=3)
    for name in KEPT[:3]:
        assert np.array_equal(getattr(ours, name), getattr(plain_ones, name)), name
    assert ours.paid is not None
    assert ours.paid.shape == (12, len(choices), ours.payments.shape[1])
    sure = [o for o, choice in enumerate(choices) if not choice.partner]
    for one in ("mean", "payments", "occupancy", "p_target", "end_year"):
        assert np.array_equal(getattr(ours, one)[sure], getattr(plain_ones, one)[sure]), one
    assert np.abs(ours.paid.mean(axis=0) - plain_ones.payments).max() < 1e-4


def test_where_all_talks_succeed_nothing_is_changed(scenario: Scenario) -> None:
    sure = {
        name: replace(mode, needs_counterpart=False, agreement_probability=1.0, formation=())
        for name, mode in scenario.modes.items()
    }
    world = replace(scenario, modes=sure)
    assert len(courses_of(world, EVERY).option) == 3
    ours, plain_ones = (draw(world, EVERY, samples=5, seed=2) for draw in (sample, plain_sample))
    for one in dataclasses.fields(Options):
        assert np.array_equal(getattr(ours, one.name), getattr(plain_ones, one.name)), one.name


def test_what_an_aim_asks_of_costs_and_values_is_expected_of_all_courses(scenario: Scenario, options: Options) -> None:
    """Samples keep their talks, but their mean is the one that is known: of 3 samples and of all there might be."""
    half = options.award[1] / 2
    assert options.cost == pytest.approx([5.0, 0.45 * half + 0.55 * 5.0, 0.36 * half + 0.64 * 5.0])
    dear = replace(scenario, aim={"npv": 0.0, "cost_pv": -2.0})
    assert values(dear, options).mean(axis=0) == pytest.approx(-2.0 * options.cost)
    parts = replace(scenario, aim={"npv": 0.0, "value_pv": 1.0, "cost_pv": -1.0})
    for world in (scenario, parts):
        assert values(world, options).mean(axis=0) == pytest.approx(options.mean)


@pytest.mark.parametrize("world", WORLDS)
def test_a_course_is_what_comes_of_talks_that_go_that_way(world: int) -> None:
    """In both engines: the outcomes of a course are those of the option wherever its own luck takes that course."""
    drawn = draw_world(world).scenario
    choices, draws = candidates(drawn)[:12], Draws(5, range(6))
    courses = courses_of(drawn, choices)
    taken = courses.numbers(draws)
    lone, forced = unconstrained_case(drawn, choices), courses.case(drawn)
    luck = lay_out(drawn, lone, choices, draws)
    signed = luck.agreed.all(axis=2)
    assert ((courses.stage[taken] == courses.chances.shape[1]) == signed).all()
    for engine in (compiled, process):
        as_drawn = engine.run(lone, luck)
        each = engine.run(forced, lay_out(drawn, forced, courses.projects, draws))
        row = np.arange(len(draws.replications))[:, None]
        for name in ("end_day", "trl", "freed_day", "agreement_day", "paid", "paid_abroad", "market_day"):
            assert np.array_equal(getattr(each, name)[row, taken], getattr(as_drawn, name)), name


def test_engines_agree_on_options() -> None:
    drawn = draw_world(WORLDS[0]).scenario
    choices = candidates(drawn)[:6]
    fast, slow = (sample(drawn, choices, samples=4, seed=1, running=Running(engine=e)) for e in ("compiled", "simpy"))
    for one in dataclasses.fields(Options):
        assert np.array_equal(getattr(fast, one.name), getattr(slow, one.name)), one.name


# --- unbiased, and steadier ------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_it_is_unbiased(world: int) -> None:
    """Paired with plain means over the same samples, differences are luck: of all options, few beyond 3 errors."""
    drawn, count = draw_world(world).scenario, size(1500, 20_000)
    choices = tuple(one for one in candidates(drawn) if one.partner)
    known, plain_ones = (
        worth_alone(drawn, choices, samples=count, seed=9, as_drawn=as_drawn) for as_drawn in (False, True)
    )
    difference = known - plain_ones
    error = difference.std(axis=0, ddof=1) / np.sqrt(count)
    lucky = error > 1e-9
    assert np.abs(difference[:, ~lucky]).max(initial=0.0) < 1e-6
    assert (np.abs(difference.mean(axis=0))[lucky] < 4.5 * error[lucky]).all()
    ours = sample(drawn, choices, samples=60, seed=9)
    assert ours.mean == pytest.approx(_net_mean(drawn, choices, 60), rel=1e-9, abs=1e-9)


def _net_mean(scenario: Scenario, choices: tuple[Choice, ...], samples: int) -> np.ndarray:
    """The mean that `worth_alone` tells of an aim at nothing but the net present value."""
    return worth_alone(replace(scenario, aim={}), choices, samples=samples, seed=9).mean(axis=0)


def test_two_partners_are_told_apart_by_far_fewer_samples(scenario: Scenario) -> None:
    """Equal but for their names and a little value kept: plain samples tell whose talks happened to succeed."""
    other = replace(scenario.partners["P"], name="Q")
    world = replace(scenario, partners={"P": scenario.partners["P"], "Q": other}, levels={c: {"f": 20.0} for c in "PQ"})
    pair = (DIRECT, replace(DIRECT, partner="Q"))
    spread = [
        float(np.diff(worth_alone(world, pair, samples=400, seed=1, as_drawn=how), axis=1).std())
        for how in (False, True)
    ]
    assert spread[0] < 1e-9
    assert spread[1] > 5.0


# --- whoever needs the luck of talks has it --------------------------------------------------------


def test_the_judge_takes_out_the_luck_that_its_portfolios_have(scenario: Scenario) -> None:
    judge = Judge(scenario, seed=4)
    alone = judge.alone((DIRECT,), 200)[:, 0]
    signed = 60.0 - sample(scenario, (DIRECT,), samples=1, seed=1).award[0] / 2
    assert set(np.round(alone, 6).tolist()) == {95.0, round(signed, 6)}


def test_one_plain_sample_is_what_came_in_it(scenario: Scenario) -> None:
    means = {float(plain_sample(scenario, (DIRECT,), samples=1, seed=s).p_market[0]) for s in range(3)}
    worths = {round(float(plain_sample(scenario, (DIRECT,), samples=1, seed=seed).mean[0]), 6) for seed in range(12)}
    assert means == {1.0}
    assert len(worths) == 2
