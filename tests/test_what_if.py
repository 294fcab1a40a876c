"""What would change a plan: each world lacks what it says, differences are recomputed, choices keep their order."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rdsim.assumptions import BreakEven, Deciding, Headline, Measuring
from rdsim.domain import Choice, Judgement, JudgementRules, Link, Portfolio, Scenario
from rdsim.errors import Fault, InputError, PolicyError, ScenarioError, SolverError
from rdsim.families import RowKey
from rdsim.findings import describe_plan, of_plan
from rdsim.findings.page import gather
from rdsim.formulation import option_name, row_index
from rdsim.optimiser import Solving, evaluate, solve
from rdsim.optimiser.problem.problem import frozen
from rdsim.options import awards_due, candidates
from rdsim.plans import Plan, plan
from rdsim.portfolio import with_ranks
from rdsim.scenario import digest, load, members
from rdsim.search import Basis, as_before, build_instance, choose, find_plan
from rdsim.simulation import Running, simulate
from rdsim.stats import Interval
from rdsim.titles import WHAT_IF
from rdsim.whatif import (
    OTHERWISE,
    Lapse,
    PartnersWorth,
    UnusedMoney,
    Without,
    absences,
    lapse_by_cause,
    partners_worth,
    unused_money,
    unused_table,
)
from rdsim.whatif.absences import Absence
from rdsim.whatif.changes import _NOW, LESS, _decide, changes_of, decide_changes
from rdsim.whatif.partners import LEVELS, with_benefit
from rdsim.whatif.words import absence_words, change_words, lapse_sentences, partner_sentences, unused_sentences
from tests.command import run
from tests.simple import plain
from tests.test_redecisions import world
from tests.tiny import tiny_folder

SETTINGS = ["optimiser.samples=30", "simulation.replications=20", "optimiser.redecisions=4"]
WORLDS = {one.key: one for one in OTHERWISE}


def silent(_stage: str, _done: int, _total: int) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    scenario = load(tiny_folder(tmp_path_factory.mktemp("what-if") / "tiny"), SETTINGS)
    return replace(scenario, assumptions={})


@pytest.fixture(scope="module")
def chosen(tiny: Scenario) -> Portfolio:
    return choose(build_instance(tiny, seed=3), Solving()).portfolio


@pytest.fixture(scope="module")
def crowd(tiny: Scenario) -> Portfolio:
    """Every technology but one of two that exclude one another, with a partner where one may: so that projects wait."""
    barred = {link.other for link in tiny.links if link.kind == "exclusion"}
    first: dict[str, Choice] = {}
    for one in sorted(candidates(tiny), key=lambda one: (not one.partner, one.partner.count("+"), one.start_year)):
        first.setdefault(one.technology, one)
    return Portfolio(tuple(one for name, one in first.items() if name not in barred), "crowd")


@lru_cache
def basis() -> Basis:
    found = find_plan(build_instance(world(redecisions=8), seed=3)).basis
    assert found is not None
    return found


@lru_cache
def planned() -> Plan:
    return plan(world(redecisions=8), replications=40, seed=3)


# --- causes ---------------------------------------------------------------------------------------


def ends(scenario: Scenario, portfolio: Portfolio) -> pd.DataFrame:
    return simulate(scenario, portfolio, replications=200, seed=5).projects


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("gates", lambda table: (table["end_state"] == "stopped").sum()),
        ("failures", lambda table: (table["end_state"] == "failed").sum() + table["setbacks"].sum()),
        ("breaks", lambda table: table["lost_partner"].sum()),
        ("queues", lambda table: table["wait_place"].sum() + table["wait_facility"].sum()),
    ],
)
def test_a_world_without_a_cause_has_none_of_it(tiny: Scenario, crowd: Portfolio, key: str, gone: object) -> None:
    """What is counted happens in the scenario as it stands, and nowhere in the world without it."""
    rate = 0.5 if key == "breaks" else 0.0  # a break ends talks, and a partner that it closes makes projects wait
    partners = {
        code: one if one.members else replace(one, break_rate=rate, places=min(one.places, 1), setup_months=0.0)
        for code, one in tiny.partners.items()
    }
    worse = replace(
        tiny,
        partners=partners,
        facilities={name: replace(one, capacity=1) for name, one in tiny.facilities.items()},
    )
    assert callable(gone)
    assert gone(ends(worse, crowd)) > 0
    assert gone(ends(WORLDS[key].world(worse), crowd)) == 0


def test_talks_neither_fail_nor_take_time(tiny: Scenario, chosen: Portfolio) -> None:
    joint = [choice.technology for choice in chosen.choices if choice.partner]
    assert joint
    agreed = ends(WORLDS["failed-talks"].world(WORLDS["breaks"].world(tiny)), chosen)
    began = agreed[agreed["technology"].isin(joint) & agreed["place_time"].notna()]
    assert len(began)
    assert began["agreement_time"].notna().all()
    soon = ends(WORLDS["slow-talks"].world(tiny), chosen)
    signed = soon[soon["agreement_time"].notna()]
    assert ((signed["agreement_time"] - signed["place_time"]) * 360).max() <= 1.5  # at least a day each


def test_all_that_may_be_carried_lapses_at_the_end_alone(tiny: Scenario, chosen: Portfolio) -> None:
    purses = simulate(WORLDS["carry-over"].world(tiny), chosen, replications=20, seed=5).purses
    assert purses.loc[purses["year"] < tiny.horizon_year, "lapsed"].abs().max() == 0.0


def test_announced_money_comes(tiny: Scenario, chosen: Portfolio) -> None:
    wild = replace(tiny, risks=replace(tiny.risks, budget=replace(tiny.risks.budget, sd=0.2, certain_until=1900)))
    first = tiny.start_year

    def budgets(scenario: Scenario) -> pd.Series:
        purses = simulate(scenario, chosen, replications=20, seed=5).purses
        return purses.loc[purses["year"] == first].groupby("programme", observed=True)["new_money"].std()

    assert budgets(wild).max() > 0
    assert budgets(WORLDS["surprises"].world(wild)).max() == pytest.approx(0.0, abs=1e-12)


def test_reviews_take_a_day(tiny: Scenario, chosen: Portfolio) -> None:
    assert ends(WORLDS["reviews"].world(tiny), chosen)["wait_panel"].sum() == 0
    assert all(one.review_months <= 1 / 30 for one in WORLDS["reviews"].world(tiny).panels.values())


def test_lapse_is_the_difference_on_the_same_draws(tiny: Scenario, chosen: Portfolio) -> None:
    """Recomputed from the purses of two simulations; years add up to the whole, and intervals hold the mean."""
    found = lapse_by_cause(tiny, chosen, Measuring(30, 7, Running(threads=1)), silent)
    assert {one.otherwise.kind for one in found.without} == {"cause", "lever"}
    before = simulate(tiny, chosen, replications=30, seed=7)
    assert found.lapsed.mean == pytest.approx(before.purses["lapsed"].sum() / 30)
    assert found.years["lapsed"].sum() == pytest.approx(found.lapsed.mean)
    for one in found.without:
        after = simulate(one.otherwise.world(tiny), chosen, replications=30, seed=7)
        paired = (before.replications["lapsed"] - after.replications["lapsed"]).to_numpy()
        assert one.less.mean == pytest.approx(paired.mean(), abs=1e-9)
        assert one.years["less"].sum() == pytest.approx(one.less.mean, abs=1e-9)
        assert one.npv.mean == pytest.approx((after.expected["npv"] - before.expected["npv"]).mean(), abs=1e-9)
        assert one.less.low <= one.less.mean <= one.less.high


def test_the_account_of_what_lapses_adds_up(tiny: Scenario, crowd: Portfolio) -> None:
    """In every year, and each part recomputed from the run's own tables."""
    found = simulate(tiny, crowd, replications=30, seed=7)
    told, parts = unused_money(found), {one.key: one for one in unused_money(found).parts}
    lapsed = found.purses.groupby("year")["lapsed"].sum() / 30
    assert told.lapsed.mean == pytest.approx(lapsed.sum())
    for year, money in told.years.items():
        assert money == pytest.approx(lapsed[year], abs=1e-9)
        assert money == pytest.approx(sum(one.years[year] for one in told.parts), abs=1e-9)
    assert sum(one.money.mean for one in told.parts) == pytest.approx(told.lapsed.mean)
    assert "other" not in parts, "nothing is left over"
    announced = sum(sum(one.budget.values()) for one in tiny.programmes.values())
    awards = sum(float(awards_due(tiny, one).sum()) for one in crowd.choices)
    assert parts["promised"].money.mean == pytest.approx(announced - awards)
    assert ("above" in parts["promised"].label) == (awards > announced)
    ended = found.projects[found.projects["end_state"] == "stopped"]
    due = {one.technology: float(awards_due(tiny, one).sum()) for one in crowd.choices}
    paid = ended[[name for name in ended if str(name).startswith("home_")]].sum().sum()
    left = sum(due[str(name)] for name in ended["technology"]) - paid
    assert parts["stopped"].money.mean == pytest.approx(left / 30)
    assert parts["network"].money.mean == pytest.approx(-found.purses["spent_network"].sum() / 30)
    table = unused_table(told)
    assert table.loc[table["part"] != "lapsed", "money"].sum() == pytest.approx(told.lapsed.mean)


def test_a_project_that_needs_less_than_its_award_leaves_the_rest() -> None:
    """It succeeds for certain within a year: of 600 announced 590 are promised to nobody; the rest is its own."""
    found = simulate(plain(), Portfolio((Choice("T", "domestic", start_year=2024),)), replications=20, seed=1)
    parts = {one.key: one.money.mean for one in unused_money(found).parts}
    assert parts.pop("promised") == pytest.approx(590.0)
    paid = float((found.replications["paid"] - found.replications["refunded"]).mean())
    assert parts == ({"target": pytest.approx(10.0 - paid)} if paid < 10.0 else {})
    assert unused_money(found).lapsed.mean == pytest.approx(600.0 - paid)
    assert paid < 10.0


def test_why_a_plan_is_worth_less_without_a_cause_is_told() -> None:
    """Costs and values are recomputed; who finds no money is counted where it is shown."""
    scenario = planned().scenario
    less, none = Interval(-5.0, -7.0, -3.0, 100), Interval(0.0, -1.0, 1.0, 100)
    more = {"cost_pv": Interval(8.0, 7.0, 9.0, 100), "value_pv": Interval(3.0, 2.0, 4.0, 100), "unfunded": none}
    one = Without(WORLDS["failed-talks"], Interval(4.0, 3.0, 5.0, 100), less, pd.DataFrame(), more)
    years = pd.DataFrame({"programme": ["line"], "year": [2024], "lapsed": [9.0]})
    whole = Lapse(Interval(9.0, 8.0, 10.0, 100), years, 100, (one,))
    told = " ".join(lapse_sentences(scenario, whole))
    assert (
        "Without talks with partners that fail the plan, kept as it is, would be worth less: its projects cost 8"
        in told
    )
    assert "bring 3 billion KRW more, in present values" in told
    assert "in time" not in told
    crowded = replace(one, more={**more, "unfunded": Interval(2.0, 1.0, 3.0, 100)})
    assert "2 more find none in time" in " ".join(lapse_sentences(scenario, replace(whole, without=(crowded,))))
    dear = replace(one, npv=none)
    assert "kept as it is" not in " ".join(lapse_sentences(scenario, replace(whole, without=(dear,))))


def test_what_there_is_more_of_without_a_cause_is_paired(tiny: Scenario, crowd: Portfolio) -> None:
    found = lapse_by_cause(tiny, crowd, Measuring(30, 7, Running(threads=1)), silent)
    before = simulate(tiny, crowd, replications=30, seed=7)
    for one in found.without:
        after = simulate(one.otherwise.world(tiny), crowd, replications=30, seed=7)
        assert one.more["unfunded"].mean == pytest.approx(
            (after.replications["unfunded"] - before.replications["unfunded"]).mean(), abs=1e-9
        )
        gained = one.more["value_pv"].mean - one.more["cost_pv"].mean
        network = (after.replications["network_pv"] - before.replications["network_pv"]).mean()
        assert one.npv.mean == pytest.approx(gained - network, abs=1e-6)


def test_what_a_scenario_does_not_have_is_not_looked_at() -> None:
    scenario = world()
    found = lapse_by_cause(scenario, planned().proposal.portfolio, Measuring(20, 7), silent)
    keys = {one.otherwise.key for one in found.without}
    assert not keys & {"gates", "breaks", "surprises"}, "gates pass all, nothing breaks, money is certain"
    assert {"failures", "failed-talks"} <= keys


def test_bounds_of_what_a_world_lacks_do_not_stand_in_its_way(tmp_path: Path) -> None:
    """An assumption about judged success is of figures that a world without failures does not have."""
    folder = load("scenarios/medical-ai-2024", ["simulation.replications=20"])
    assert folder.assumptions
    portfolio = Portfolio(choose(build_instance(folder, samples=20, seed=1), Solving()).portfolio.choices)
    assert lapse_by_cause(folder, portfolio, Measuring(20, 1), silent).without


# --- changes --------------------------------------------------------------------------------------


def test_a_smaller_choice_is_worth_no_more() -> None:
    """In the problem of a repeat: less money and two partners never add, more promised never takes away."""
    based = basis()
    changes = tuple(changes_of(based))
    assert {one.key for one in changes} >= {"less-money", "promise-more"}
    for number in range(4):
        problem = based.problem(based.best, based.draw_shift(np.random.default_rng(number)))
        chosen = _decide(based, problem, changes, number)
        worth = {key: evaluate(problem, one).objective for key, one in chosen.items()}
        for change in changes:
            assert change.allows(problem, chosen[change.key])
            if change.key == "promise-more":
                assert worth[change.key] >= worth[_NOW] - 1e-9
            else:
                assert worth[change.key] <= worth[_NOW] + 1e-9


def test_two_partners_are_at_most_two(tiny: Scenario) -> None:
    spread = replace(
        tiny,
        partners={
            code: replace(one, setup_cost=0.0, running_cost=0.0, places=1 if not one.members else 0)
            for code, one in tiny.partners.items()
        },
    )
    found = find_plan(build_instance(spread, seed=3)).basis
    assert found is not None
    pairs = [one for one in changes_of(found) if one.key == "two-partners"]
    opened = len(evaluate(found.posed.problem, found.best.chosen).opened)
    assert bool(pairs) == (opened > 2)
    for change in pairs:
        for kept in change.kept:
            options = [one for one, inside in zip(found.posed.options.choices, kept, strict=True) if inside]
            assert len({code for one in options for code in members(spread, one.partner)}) <= 2


def test_less_money_is_so_in_rows_and_in_the_world() -> None:
    based = basis()
    change = next(one for one in changes_of(based) if one.key == "less-money")
    before, year = based.posed.scenario, based.posed.scenario.start_year + 1
    for code, one in change.world.programmes.items():
        for y, money in before.programmes[code].budget.items():
            assert one.budget[y] == pytest.approx(money * (LESS if y == year else 1.0))
    rows = based.posed.problem.rows
    after = change.restate(based.posed.problem).rows
    for key, old, new in zip(rows.keys, rows.cap, after.cap, strict=True):
        touched = getattr(key, "family", "") == "budget" and getattr(key, "year", 0) == year
        assert new == pytest.approx(old * (LESS if touched else 1.0))


def test_answers_do_not_depend_on_threads() -> None:
    based, portfolio = basis(), planned().proposal.portfolio
    alone, two = (
        decide_changes(
            replace(based, posed=replace(based.posed, running=Running(threads=count))),
            portfolio,
            Measuring(20, 3, Running(threads=count)),
            3,
            silent,
        )
        for count in (1, 2)
    )
    assert repr(alone) == repr(two)  # nan, of what is not asked, is no nan


def test_intervals_are_over_repeats_and_kept_ones_over_replications() -> None:
    found = {one.key: one for one in planned().what_if.changes}
    less = found["less-money"]
    assert less.repeats == planned().scenario.optimiser.what_if.repeats == less.decided.n
    assert less.kept is not None
    assert less.kept.n == less.repeats * planned().scenario.optimiser.what_if.replications
    assert found["promise-more"].kept is None, "nothing changes for a plan that is kept"


# --- partners -------------------------------------------------------------------------------------


def test_all_of_the_benefit_is_the_scenario() -> None:
    scenario = world()
    assert with_benefit(scenario, 1.0) == scenario
    none = with_benefit(scenario, 0.0).partner_effect
    assert (none.duration_gain, none.success_shift) == (0.0, 0.0)


def test_the_lead_grows_with_what_partners_bring() -> None:
    """Partners here bring only what the factor stands before, and cost: so without it they do not pay."""
    scenario = world()
    dear = replace(
        scenario,
        partner_effect=replace(scenario.partner_effect, duration_gain=0.5, success_shift=2.5, cost_overhead=0.3),
    )
    deciding = Deciding(Measuring(200, 3), 100, {"line": 1.0}, ("domestic-only",), Solving(gap=0.0))
    portfolio = choose(build_instance(dear, seed=3), Solving()).portfolio
    found = partners_worth(dear, portfolio, deciding, 6, silent)
    none, half, full = (one.mean for one in found.leads)
    assert none <= half <= full
    assert full > 0
    assert found.kept.mean < 0
    assert found.decided.mean < 0
    assert found.break_even is not None
    assert len(found.leads) == len(LEVELS)


def test_without_the_comparator_only_the_plan_is_told() -> None:
    scenario = world()
    portfolio = choose(build_instance(scenario, seed=3), Solving()).portfolio
    found = partners_worth(scenario, portfolio, Deciding(Measuring(20, 3), 50, {"line": 1.0}), 2, silent)
    assert found.leads == ()
    assert found.break_even is None
    assert len(partner_sentences(scenario, found)) == 1


# --- absences -------------------------------------------------------------------------------------


def test_what_an_absence_costs_lies_between_its_bounds(tiny: Scenario) -> None:
    """Against the optimum with the technology forced in, solved to proof."""
    posed = build_instance(tiny, seed=3)
    best = choose(posed, Solving(gap=0.0))
    every, measuring = np.ones(len(best.options.choices), bool), Measuring(20, 3, Running(threads=1))
    found = absences(tiny, best, every, measuring, None, Solving(gap=0.0), silent)
    funded = {choice.technology for choice in best.portfolio.choices}
    assert {one.technology for one in found} == set(tiny.technologies) - funded
    solved = [one for one in found if one.solved]
    assert solved
    for one in solved:
        group = best.problem.group_names.index(one.technology)
        forced = solve(replace(best.problem, fixed_in_groups=(*best.problem.fixed_in_groups, group)), Solving(gap=0.0))
        loss = best.solution.objective - forced.objective if forced.has_portfolio else math.inf
        assert one.at_least - 1e-6 <= loss <= one.at_most + 1e-6
        if one.joined:
            assert one.technology in {name.split("/")[0] for name in one.joined}
            assert not set(one.left) & {name.split("/")[0] for name in one.joined}


def test_who_most_re_decisions_fund_is_the_nearest() -> None:
    """Shares are those of the table of decisions; of equals those that cost least by what is proven come first."""
    found = planned()
    told = [one for one in found.what_if.absences if one.solved]
    assert len(told) > 1
    assert found.redecisions is not None
    known = {one.technology: one.share for one in found.redecisions.decisions if one.kind == "technology"}
    for one in told:
        assert one.shared is not None
        assert one.shared.mean == known.get(one.technology, 0.0)
        assert one.shared.low <= one.shared.mean <= one.shared.high
    order = [(-one.shared.mean, one.at_least) for one in told if one.shared is not None]
    assert order == sorted(order)


def test_what_the_plan_is_worth_less_with_an_absent_technology_is_simulated() -> None:
    """Recomputed: the plan, and that portfolio in the plan's own order, on the same replications."""
    found, told = planned(), 0
    scenario, plan_ = found.scenario, found.proposal.portfolio
    names = {option_name(choice): choice for choice in found.proposal.options.choices}
    for one in found.what_if.absences:
        if one.fall is None:
            continue
        kept = [choice for choice in plan_.choices if choice.technology not in one.left]
        joined = tuple(replace(names[name], rank=0) for name in one.joined)
        bare = tuple(replace(choice, rank=0) for choice in kept)
        other = as_before(with_ranks(Portfolio((*bare, *joined), one.technology), scenario), plan_)
        measuring = Measuring(one.fall.n, found.seed)
        gap = measuring.worth(scenario, plan_) - measuring.worth(scenario, other)
        assert one.fall.mean == pytest.approx(gap.mean(), abs=1e-9)
        assert one.fall.low <= one.fall.mean <= one.fall.high
        told += 1
    assert told


def test_more_money_lets_it_stand_beside_the_plan(tiny: Scenario) -> None:
    """With so much more announced in those years, the plan and the technology keep every rule together."""
    poor = {
        code: replace(one, budget={year: 0.4 * money for year, money in one.budget.items()}, starts={2024: 9, 2025: 9})
        for code, one in tiny.programmes.items()
    }
    scenario = replace(tiny, programmes=poor)
    best = choose(build_instance(scenario, seed=3), Solving(gap=0.0))
    every = np.ones(len(best.options.choices), bool)
    found = absences(scenario, best, every, Measuring(20, 3), None, Solving(gap=0.0), silent)
    lacking = [one for one in found if one.money and not one.barred and not one.excluded_by]
    assert lacking
    for one in lacking:
        mine = [best.problem.option_names.index(name) for name in one.joined]
        rows, caps = best.problem.rows, best.problem.rows.cap.copy()
        for key, row in row_index(best.problem, "budget").items():
            caps[row] += dict(one.money).get(key.year, 0.0) * best.payment_ratios[key.what] + 1e-6
        richer = replace(best.problem, rows=replace(rows, cap=frozen(caps)))
        both = (*best.solution.chosen, *mine)
        assert evaluate(richer, both).feasible
        assert not evaluate(best.problem, both).feasible


def test_a_technology_that_a_funded_one_excludes_says_so() -> None:
    """On the page, in the table and in its own sentences: not that others make better use of the money."""
    scenario = replace(world(redecisions=8), links=(Link("exclusion", "T2", "T1"),))
    found = plan(scenario, replications=20, seed=3)
    funded = {choice.technology for choice in found.proposal.portfolio.choices}
    assert len(funded & {"T1", "T2"}) == 1
    inside, outside = sorted({"T1", "T2"}, key=lambda name: name not in funded)
    said = f"{inside} ({inside}) is funded, and the two exclude one another"
    (absence,) = [one for one in found.what_if.absences if one.technology == outside]
    assert absence.excluded_by == (inside,)
    assert absence_words(scenario, absence).startswith(f"{said}.")
    assert absence.fall is not None, "however many others are nearer"
    assert inside in absence.left
    notes = gather(found).technologies.set_index("technology")["note"]
    assert notes[outside] == said
    assert not any("exclude" in note for name, note in notes.items() if name != outside)


# --- words ----------------------------------------------------------------------------------------


def test_not_shown_is_not_no() -> None:
    """A difference whose interval holds nothing is told as not shown, in a sentence that is right for one and many."""
    one = planned().what_if.changes[0]
    scenario = planned().scenario
    open_one = replace(one, decided=Interval(-1.0, -3.0, 1.0, 6), kept=None, leaving=(), joining=())
    other = change_words(scenario, replace(open_one, funded=(3.0, 2.5), mine=4))
    assert "Decided anew it funds 2.5 technologies on average, and 3 as things stand; this plan, which was" in other
    assert "funds 4." in other
    assert "is not shown to be worth more or less (\N{MINUS SIGN}3 to 1 billion KRW;" in change_words(
        scenario, open_one
    )
    shown = replace(open_one, decided=Interval(-2.0, -3.0, -1.0, 6), leaving=(("T1", 0.8),))
    words = change_words(scenario, shown)
    assert "would be worth 2 billion KRW less (1 to 3;" in words
    assert "T1 (T1) leaves." in words
    assert "T1 (T1) and T2 (T2) leave." in change_words(scenario, replace(shown, leaving=(("T1", 0.8), ("T2", 0.6))))
    nobody = replace(shown, decided=Interval(math.nan, math.nan, math.nan, 0), leaving=(), repeats=0)
    assert "the plan could not be decided: no portfolio was found" in change_words(scenario, nobody)
    single = replace(shown, decided=Interval(-2.0, -math.inf, math.inf, 1), leaving=(), repeats=1)
    assert "is not shown to be worth more or less: 1 pair of decisions has no interval." in change_words(
        scenario, single
    )


def test_absences_tell_what_would_bring_them_in() -> None:
    scenario = planned().scenario
    seen = Absence("T5", 1.0, 0.5, 2.0, solved=False)
    assert absence_words(scenario, seen) == (
        "It would cost 0.5 to 2 billion KRW of expected value. "
        "By expected values of options it comes in if its value rises by 2 billion KRW."
    )
    hopeless = replace(seen, at_least=math.inf, at_most=math.inf)
    assert absence_words(scenario, hopeless) == "No portfolio that keeps every rule can hold it."
    known = replace(
        seen,
        solved=True,
        shared=Interval(0.25, 0.1, 0.5, 8),
        joined=("T5/X/direct/2024",),
        left=("T3",),
        saving=8.0,
        fall=Interval(2.0, 1.0, 3.0, 200),
        money=((2025, 4.0), (2026, 1.0)),
    )
    assert absence_words(scenario, known) == (
        "25% of the re-decisions fund it (10% to 50%). With T5 with X from 2024 in the place of T3 (T3) the plan would "
        "be worth 2 billion KRW less (1 to 3; 95% interval, 200 replications). It comes in if its value rises by 2 "
        "billion KRW, or if it asks for 25% less. Beside the plan, nobody leaving, it would take 5 billion KRW more of "
        "announced money, in 2025 and 2026."
    )
    assert "asks for" not in absence_words(scenario, replace(known, saving=1.0))
    alike = absence_words(scenario, replace(known, fall=Interval(1.0, -1.0, 3.0, 200), left=()))
    assert "nobody leaving, the plan is not shown to be worth more or less" in alike
    assert "Nothing more is shown to be needed" in alike
    better = replace(known, fall=Interval(-3.0, -4.0, -2.0, 200))
    assert math.isnan(better.cut), "nothing need be cut of what comes in for nothing"
    assert "Nothing more is needed" in absence_words(scenario, better)
    full = absence_words(scenario, replace(known, barred=(RowKey("starts", "line", 2024),)))
    assert (
        "More money alone makes no room for it beside the plan, for the limit on the starts of Line in 2024 is" in full
    )


def test_no_number_is_printed_that_is_none() -> None:
    found = planned().what_if
    assert found.lapse is not None
    texts = [*lapse_sentences(planned().scenario, found.lapse)]
    texts += [change_words(planned().scenario, one) for one in found.changes]
    texts += [absence_words(planned().scenario, one) for one in found.absences]
    assert texts
    assert not [text for text in texts if "nan" in text.split() or "inf" in text.split()]


# --- the plan -------------------------------------------------------------------------------------


def test_a_plan_asks_and_says_so() -> None:
    found = planned()
    study = of_plan(found)
    record = study.record["what_if"]
    assert set(record) >= {"lapse", "changes", "nearest"}
    assert not found.missing
    assert {"lapse", "unfunded"} <= set(study.tables)
    table = study.tables["unfunded"]
    assert isinstance(table, pd.DataFrame)
    assert set(table["technology"]) == set(found.scenario.technologies) - {
        choice.technology for choice in found.proposal.portfolio.choices
    }


def test_a_plan_that_is_not_to_ask_does_not() -> None:
    quiet = world(redecisions=8)
    quiet = replace(quiet, optimiser=replace(quiet.optimiser, what_if=replace(quiet.optimiser.what_if, repeats=0)))
    found = plan(quiet, replications=20, seed=3)
    assert not found.missing
    assert found.what_if.lapse is None
    assert of_plan(found).record["what_if"] == {}
    assert digest(quiet) == digest(world(redecisions=8)), "how a plan is asked moves no outcome"


@pytest.mark.parametrize("part", ["absences", "lapse_by_cause", "decide_changes", "partners_worth"])
def test_what_fails_costs_itself_alone(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words: object, **_settings: object) -> None:
        raise SolverError("highs", "failed: kSolveError")

    monkeypatch.setattr(f"rdsim.plans.{part}", fail)
    found = plan(world(redecisions=8), replications=20, seed=3)
    assert found.missing == (WHAT_IF,)
    assert "kSolveError" in found.failure
    assert found.simulation is not None
    assert describe_plan(found)
    done = ("absences", "lapse_by_cause", "decide_changes", "partners_worth").index(part)
    assert bool(found.what_if.absences) == (done > 0)
    assert (found.what_if.lapse is not None) == (done > 1)


def test_an_interrupt_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_words: object, **_settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rdsim.plans.decide_changes", stop)
    found = plan(world(redecisions=8), replications=20, seed=3)
    assert found.missing == (WHAT_IF,)
    assert found.what_if.lapse is not None
    assert found.what_if.changes == ()


def test_a_brief_page_is_asked_for_at_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    told = [word for setting in SETTINGS for word in ("--set", setting)]
    out = tmp_path / "run"
    words = ("plan", folder, "--brief-page", "--replications", 20, *told, "--out", out)
    done = run(capsys, monkeypatch, *words)
    assert done.code == 0, done.err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "--brief-page" in page
    assert "Lapsing money by cause" not in page
    assert "What lapses, by where it is left" in page, "an account of every plan that was simulated"
    assert not (out / "lapse.csv").exists()


def test_experts_who_judge_success_alone_are_gone_with_their_judgements(tiny: Scenario, chosen: Portfolio) -> None:
    """Rules of pooling that name them would refuse the world without failures, and what asks of it."""
    who = next(iter(tiny.technologies))
    judged = Judgement(who, "success", "Kim", 0.5, 0.6, 0.7, trl=tiny.technologies[who].trl)
    rules = JudgementRules(expert="Kim", weights={"Kim": 2.0}, at={"success": "mean"})
    scenario = replace(tiny, judgements=(judged,), judgement=rules, technology_steps=())
    found = lapse_by_cause(scenario, chosen, Measuring(20, 7), silent)
    assert "failures" in {one.otherwise.key for one in found.without}


def test_what_no_repeat_could_decide_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a rule cannot be kept without what partners bring, other levels are told, and this one is not."""
    scenario = world()
    portfolio = choose(build_instance(scenario, seed=3), Solving()).portfolio
    real = Deciding.headlines

    def some(deciding: Deciding, key: tuple[str, float], *words: Any) -> Any:
        return None if key[1] == 0.5 else real(deciding, key, *words)

    monkeypatch.setattr(Deciding, "headlines", some)
    found = partners_worth(
        scenario, portfolio, Deciding(Measuring(20, 3), 50, {"line": 1.0}, ("domestic-only",)), 2, silent
    )
    assert found.decided.n == 0
    assert [one.n for one in found.leads] == [2, 0, 2]
    assert "could not be decided" in partner_sentences(scenario, found)[0]


def test_partners_pay_up_to_a_part_where_they_do_harm() -> None:
    lead = Headline("npv", "lead", "money", "domestic-only")
    turn = BreakEven(lead, "benefit", 0.4, 0.3, 0.5, is_rising=False, at_low=5.0, at_high=-5.0, repeats=6)
    known = Interval(0.0, -1.0, 1.0, 6)
    found = PartnersWorth(known, known, (known, known, known), turn, 6)
    last = partner_sentences(planned().scenario, found)[-1]
    assert last == "Partners pay up to 40% of what is assumed (interval 30% to 50%, 6 decisions)."
    rising = replace(found, break_even=replace(turn, is_rising=True))
    assert partner_sentences(planned().scenario, rising)[-1].startswith("Partners pay from 40% of what is assumed on")


def test_nothing_lapses_is_said_so() -> None:
    found = planned().what_if.lapse
    assert found is not None
    none = replace(found, lapsed=Interval(0.0, 0.0, 0.0, 20))
    assert lapse_sentences(planned().scenario, none) == []
    nothing = UnusedMoney(Interval(0.0, 0.0, 0.0, 20), {2024: 0.0}, ())
    assert unused_sentences(planned().scenario, nothing) == ["No money lapses."]


@pytest.mark.parametrize("error", [ScenarioError, PolicyError])
def test_a_world_that_is_refused_loses_no_plan(error: type[InputError], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: object, **_settings: object) -> None:
        raise error((Fault("scenario", "must be sound", "a test"),))

    monkeypatch.setattr("rdsim.plans.lapse_by_cause", refuse)
    found = plan(world(redecisions=8), replications=20, seed=3)
    assert found.missing == (WHAT_IF,)
    assert "must be sound" in found.failure
    assert found.simulation is not None
