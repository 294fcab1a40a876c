"""Two widths, break-evens, and what it is worth to know: against known truths, and of a plan."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

import rdsim
from rdsim.assumptions import (
    PLAN,
    Deciding,
    Headline,
    Measuring,
    break_even,
    break_even_sentence,
    headlines_of,
    information,
    near_choices,
    survey_record,
    turning,
    two_widths,
    worlds_of,
)
from rdsim.domain import Assumption
from rdsim.errors import ScenarioError
from rdsim.findings import describe_plan, of_plan
from rdsim.optimiser import Solving
from rdsim.options import candidates
from rdsim.stats import Interval, mean_interval
from tests.sizes import size
from tests.test_korea_2024 import SCENARIOS, readme_tables
from tests.tiny import tiny_folder

NPV = Headline("npv", "net present value", "money")
LEAD = Headline("npv", "lead over domestic-only", "money", "domestic-only")

ASSUMED = """
[assumptions.effect]
label = "what a partner does"
paths = ["partner_effect.duration_gain", "partner_effect.success_shift"]
change = "multiply"
low = -0.5
high = 1.5
why = "nobody has measured it"

[assumptions.values]
paths = ["technologies.*.value"]
change = "multiply"
low = 0.5
high = 1.5
why = "ours"
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> rdsim.Scenario:
    folder = tiny_folder(tmp_path_factory.mktemp("assumed") / "tiny", scenario=lambda old: old + ASSUMED)
    few = {"optimiser.samples": 20, "optimiser.search.rounds": 1, "optimiser.search.replications": 20}
    return rdsim.load(folder, {**few, "optimiser.search.most_replications": 200, "optimiser.assumptions.points": 10})


# --- known truths ---------------------------------------------------------------------------------


def test_the_wider_width_covers_another_world() -> None:
    """95% and more of worlds drawn anew, their luck included, with bounded and with skewed shifts; it is never nearer
    than by luck alone."""
    rounds, hits = size(400, 4000), 0
    for number in range(rounds):
        rng = np.random.default_rng(number)
        luck = rng.exponential(20.0, 100)
        shifts = 30 * (rng.random(25) - 0.5) + 8 * rng.exponential(1.0, 25)
        reported = mean_interval(luck)
        found = two_widths(NPV, reported, luck, luck[None] + shifts[:24, None])
        truth = 20.0 + shifts[24]
        hits += found.both.low <= truth <= found.both.high
        assert found.both.mean == found.luck.mean == reported.mean
        assert found.both.half_width >= found.luck.half_width
    assert 0.93 <= hits / rounds <= 0.99


def test_without_any_shift_both_widths_are_nearly_the_same() -> None:
    luck = np.random.default_rng(1).normal(5, 2, 400)
    found = two_widths(NPV, mean_interval(luck), luck, np.tile(luck, (30, 1)))
    assert found.both.half_width == pytest.approx(found.luck.half_width, rel=0.06)


def test_a_break_even_is_found_with_an_interval_that_covers() -> None:
    """The root of a rising and of a falling line with the noise of deciding, at six repeats."""
    rounds, hits = size(300, 3000), 0
    for number in range(rounds):
        noise = np.random.default_rng(number).normal(0, 8, 6)
        sign = 1 if number % 2 else -1
        found = break_even(LEAD, "x", (0.0, 2.0), lambda x, r, s=sign, e=noise: s * 40 * (x - 0.8) + e[r], repeats=6)
        assert found.is_rising is (sign > 0)
        hits += found.low <= 0.8 <= found.high
    assert 0.94 <= hits / rounds <= 0.99


def test_a_root_is_exact_on_a_straight_line() -> None:
    found = break_even(LEAD, "x", (0.0, 1.0), lambda x, _: 3 * x - 1, repeats=6)
    assert found.value == pytest.approx(1 / 3)
    assert (found.low, found.high) == (found.value, found.value)
    assert found.repeats == 6


@pytest.mark.parametrize(("height", "side"), [(5.0, -math.inf), (-5.0, math.inf)])
def test_where_nothing_turns_few_decisions_are_asked_for(height: float, side: float) -> None:
    asked: list[tuple[float, int]] = []

    def value(at: float, repeat: int) -> float:
        asked.append((at, repeat))
        return height + at

    found = break_even(LEAD, "x", (0.0, 1.0), value, repeats=20)
    assert not found.is_within
    assert found.value == side
    assert len(asked) == 6


def test_roots_beyond_the_bounds_leave_an_end_open() -> None:
    roots = [0.5, 0.6, 0.7, 2.0, 3.0, 0.9]
    found = break_even(LEAD, "x", (0.0, 1.0), lambda x, r: x - roots[r], repeats=6)
    assert found.value == pytest.approx(0.7)
    assert (found.low, found.high) == (pytest.approx(0.5), math.inf)


def test_a_lead_of_exactly_nothing_is_none_and_nan_is_not_known() -> None:
    assert break_even(LEAD, "x", (0.0, 1.0), lambda x, _: max(x - 0.5, 0.0), repeats=6).is_within
    lost = break_even(LEAD, "x", (0.0, 1.0), lambda *_: math.nan, repeats=6)
    assert (lost.repeats, math.isnan(lost.value)) == (0, True)


def _evppi(gain: float, slope: float) -> float:
    known = gain + slope * ((np.arange(20_000) + 0.5) / 20_000 - 0.5)
    return float(np.maximum(known, 0).mean() - max(gain, 0.0))


@pytest.mark.parametrize(("gain", "slope"), [(0.0, 10.0), (-2.0, 10.0), (-5.0, 2.0)])
@pytest.mark.parametrize("skewed", [False, True])
def test_what_knowing_is_worth_is_covered(gain: float, slope: float, skewed: bool) -> None:
    """Two portfolios whose difference is a line in one assumption, with five others, one of them in an interaction, and
    luck: at the number of worlds that users run. Stated as rather too wide."""
    rounds, hits, truth = size(25, 400), 0, _evppi(gain, slope)
    for number in range(rounds):
        rng = np.random.default_rng(number)
        levels = qmc.LatinHypercube(6, rng=rng).random(48)
        others = levels[:, 1:] - 0.5
        means = gain + slope * (levels[:, 0] - 0.5) + 5 * others.sum(axis=1) + 20 * others[:, 0] * others[:, 1]
        luck = rng.exponential(10.0, 100) - 10.0 if skewed else rng.normal(0.0, 10.0, 100)
        worths = np.stack([np.zeros((48, 100)), means[:, None] + luck[None]], axis=1)
        found = information(levels, 0, worths, seed=number).value
        assert 0.0 <= found.low <= found.mean <= found.high
        hits += found.low <= truth <= found.high
    assert hits / rounds >= 0.92


def test_only_what_turns_the_choice_is_worth_knowing() -> None:
    levels = qmc.LatinHypercube(3, rng=np.random.default_rng(3)).random(60)
    other = 12 * (levels[:, 1] - 0.5)
    worths = np.repeat(np.stack([np.zeros(60), other], axis=1)[:, :, None], 30, axis=2)
    idle, turning = (information(levels, column, worths, zone=0.5) for column in (0, 1))
    assert turning.value.mean == pytest.approx(1.5)  # E max(0, 12 (u - 0.5))
    assert turning.change.mean == pytest.approx(0.5 - 0.5 / 12, abs=0.02)
    assert idle.value.mean < 0.1
    alone = information(levels, 0, worths[:, :1])
    assert (alone.value.mean, alone.change.high) == (0.0, 0.0)


# --- of a plan ------------------------------------------------------------------------------------


def test_worlds_lie_within_the_bounds_and_move_nothing_else(scenario: rdsim.Scenario) -> None:
    worlds = worlds_of(scenario)
    points = worlds.points(12, seed=3)
    assert points.shape == (12, 2)
    for k, name in enumerate(worlds.names):
        ordered = np.sort(
            (points[:, k] - worlds.end(name, "low")) / (worlds.end(name, "high") - worlds.end(name, "low"))
        )
        assert (np.floor(ordered * 12) == np.arange(12)).all()  # a Latin hypercube: one in each twelfth
    world = worlds.point(points[0])
    effect = points[0, worlds.names.index("effect")]
    assert world.partner_effect.duration_gain == pytest.approx(effect * scenario.partner_effect.duration_gain)
    assert world.partner_effect.success_shift == pytest.approx(effect * scenario.partner_effect.success_shift)
    assert world.partner_effect.gap_best == scenario.partner_effect.gap_best
    assert worlds.at({}) == scenario


def test_a_plan_tells_two_widths_of_each_headline(scenario: rdsim.Scenario) -> None:
    found = rdsim.plan(scenario, replications=60, seed=1)
    survey = found.survey
    assert survey is not None
    assert found.simulation is not None
    luck = {one.headline.name: one for one in survey.widths}
    equal = {name for name, one in found.comparisons.items() if name == "one_shot" or found.is_equal(one)}
    assert {f"lead over {name}" for name in equal} <= set(luck)
    assert luck["npv"].luck.mean == pytest.approx(found.simulation.expected["npv"].mean())
    for one in survey.widths:
        assert one.both.low <= one.luck.mean <= one.both.high
        assert one.both.n == 10
    told = of_plan(found)
    table = told.tables["worlds"]
    assert callable(table)
    assert list(table()) == ["effect", "values", *luck]
    record = told.record["assumptions"]
    assert record == survey_record(survey)
    assert set(record["bounds"]) == {"effect", "values"}
    assert all(line.strip() in describe_plan(found) for line in record["sentences"])
    for one in survey.break_evens:
        assert one.assumption in {"effect", "values"}
    # What a world adds is what the plan, lived through it again, comes to on the same draws.
    again = Measuring(100, 1).of(
        survey.worlds.point(survey.levels[0]), {PLAN: found.proposal.portfolio}, headlines_of(scenario)
    )
    assert np.array_equal(again[0], survey.found[0, 0])


def test_nobody_looks_where_nothing_is_asked(scenario: rdsim.Scenario) -> None:
    quiet = scenario.with_({"optimiser.assumptions.points": 0})
    told = of_plan(rdsim.plan(quiet, replications=20, one_shot=True))
    assert told.record["assumptions"] == {}
    assert any("no interval here is of the bounds" in note for note in told.record["notes"])
    with pytest.raises(ScenarioError, match="must be 0, or at least 10"):
        scenario.with_({"optimiser.assumptions.points": 5})


def test_a_decision_made_anew_is_the_same_again_and_judged_on_other_luck(scenario: rdsim.Scenario) -> None:
    ratios = dict.fromkeys(scenario.programmes, 1.0)
    first, second = (
        Deciding(Measuring(30, 1), 20, ratios, ("domestic-only",), Solving(effort="quick")) for _ in range(2)
    )
    worlds = worlds_of(scenario)
    world = worlds.at({"effect": 0.0})
    assert first.portfolios("a", world, 2) == second.portfolios("b", world, 2)
    assert set(first.portfolios("a", world, 2)) == {PLAN, "domestic-only"}
    lead = first.headlines("a", world, 2, [LEAD])
    other = first.headlines("a", world, 3, [LEAD])
    assert lead is not None
    assert other is not None
    assert not np.array_equal(lead[0], other[0])


def test_of_many_options_those_near_the_relaxation_decide_and_no_other_portfolio_comes_of_it(
    scenario: rdsim.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratios, world = dict.fromkeys(scenario.programmes, 1.0), worlds_of(scenario).at({"effect": 0.0})
    every = candidates(world)
    whole = Deciding(Measuring(30, 1), 20, ratios, ("domestic-only",), Solving(gap=0.0))
    assert near_choices([world], whole) is None  # they are few
    monkeypatch.setattr(turning, "_NEAREST", len(every) // 2 - 2)
    near = near_choices([world], whole, every[-1:])
    assert near is not None
    assert len(near) < len(every)
    assert every[-1] in near
    assert {one for one in every if not one.partner} <= set(near)
    assert list(near) == [one for one in every if one in near]  # in the order of all
    few = replace(whole, choices=near)
    assert few.portfolios("a", world, 0)["domestic-only"] == whole.portfolios("a", world, 0)["domestic-only"]
    assert few.portfolios("a", world, 0)[PLAN].choices == whole.portfolios("a", world, 0)[PLAN].choices
    assert near_choices([world], replace(whole, rules=("random-feasible",))) is None  # it takes what nobody foresees
    ranked = replace(whole, rules=("value-per-cost", "evaluation-score"))
    few = replace(ranked, choices=near_choices([world], ranked))
    for rule in ranked.rules:
        assert few.portfolios("a", world, 0)[rule].choices == ranked.portfolios("a", world, 0)[rule].choices


def test_an_end_beyond_the_bounds_is_said_so(scenario: rdsim.Scenario) -> None:
    roots = [0.5, 0.6, 0.7, 2.0, 3.0, 0.9]
    found = break_even(LEAD, "effect", (-0.5, 1.5), lambda x, r: x - roots[r], repeats=6)
    told = break_even_sentence(worlds_of(scenario), found)
    assert "leads domestic projects only from 0.7 times on" in told
    assert "0.5 times to beyond the bounds" in told
    assert told.endswith("what a partner does.")


def test_an_interval_keeps_what_cannot_be(scenario: rdsim.Scenario) -> None:
    count = headlines_of(scenario)[1]
    luck = np.full(20, 0.5)
    found = two_widths(count, Interval(0.5, 0.4, 0.6, 20), luck, luck[None] + np.linspace(-2, 2, 12)[:, None])
    assert count.least == 0.0
    assert found.both.low == 0.0


def test_a_bound_at_which_there_is_no_scenario_is_refused(tmp_path: Path) -> None:
    text = (
        ASSUMED
        + '\n[assumptions.tranche]\npaths = ["programmes.leap.tranches.0.share"]\nlow = 0.1\nhigh = 0.5\nwhy = "x"\n'
    )
    scenario = rdsim.load(tiny_folder(tmp_path, scenario=lambda old: old + text))
    with pytest.raises(ScenarioError, match=r"assumptions\.tranche\.low"):
        worlds_of(scenario)


# --- the scenarios that are shipped ---------------------------------------------------------------


@pytest.mark.parametrize(
    "folder", sorted(file.parent for file in SCENARIOS.glob("*/scenario.toml")), ids=lambda one: one.name
)
def test_a_readme_has_the_bounds_of_its_scenario(folder: Path) -> None:
    rows = next(table[1:] for table in readme_tables(folder) if table[0][0] == "assumption")
    told = {name.strip("`"): rest for name, *rest in rows}
    assert told == {name: _cells(one) for name, one in rdsim.load(folder).assumptions.items()}


def _cells(one: Assumption) -> list[str]:
    paths = ", ".join(f"`{path}`" for path in one.paths)
    return [paths, f"{one.low:g}", f"{one.high:g}", one.change, one.why, one.grade]
