"""Deciding again: shares mean what they say, ties are told as ties, and the plan is what a stated rule takes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from rdsim.domain import (
    Calibration,
    Gate,
    Level,
    Mode,
    Partner,
    Portfolio,
    Programme,
    Scenario,
    Technology,
    Tranche,
    UncertaintyClass,
)
from rdsim.findings import describe_plan, of_plan
from rdsim.findings.firmness import decision_table
from rdsim.optimiser import evaluate, state_problem
from rdsim.plans import Plan, plan, plan_beside_rules
from rdsim.search import Basis, Loop, Redecisions, Verdict, build_instance, check, find_plan, redecide
from rdsim.search.estimates import estimate_means
from rdsim.search.judge import Judge
from rdsim.search.redecisions import SURE, Decision, _weights, consensus
from rdsim.search.swaps import swaps
from rdsim.simulation import Running
from rdsim.stats import least_share
from tests.simple import each_step, plain
from tests.sizes import size


def world(**changes: object) -> Scenario:
    """Five technologies for three starts: two far ahead, two alike, one worth nothing; two partners, twins.

    Partners help and cost nothing; X and Y differ in name alone, and Z hardly ever agrees.
    """
    line = Programme(
        name="Line",
        budget={2024 + k: 60.0 for k in range(7)},
        starts={2024: 3},
        tranches=(Tranche(12.0, 0.5), Tranche(12.0, 0.5)),
        deadline_years=8.0,
        trl_target=6,
        gate=Gate(policy="always-pass"),
    )
    values = {"T1": 400.0, "T2": 300.0, "T3": 120.0, "T4": 120.0, "T5": 2.0}
    technologies = {
        name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=value, trl_target=6, home_level=80.0)
        for name, value in values.items()
    }
    partners = {
        code: Partner(code, code, "abroad", modes=("direct",), places=9, agreement=chance)
        for code, chance in (("X", 0.9), ("Y", 0.9), ("Z", 0.02))
    }
    scenario = plain(
        technologies,
        line,
        partners=partners,
        levels={code: {"f": Level(92.0)} for code in partners},
        modes={"domestic": Mode("Domestic"), "direct": Mode("Direct", needs_counterpart=True)},
        calibrations={"only": Calibration(0.6)},
        steps=each_step(0.9**0.5),
        uncertainty={"medium": UncertaintyClass(0.4, 0.5)},
        discount_rate=0.04,
    )
    settings = replace(scenario.optimiser, **{"samples": 100, **changes})  # type: ignore[arg-type]
    search = replace(settings.search, rounds=1, replications=60, most_replications=400)
    return replace(scenario, optimiser=replace(settings, search=search))


@lru_cache
def searched(seed: int = 3) -> Loop:
    posed = build_instance(world(), seed=seed)
    return find_plan(posed)


@lru_cache
def planned() -> Plan:
    return plan(world(redecisions=32), replications=40, seed=3)


def told(loop: Loop) -> Redecisions:
    assert loop.redecisions is not None
    return loop.redecisions


def basis_of(loop: Loop) -> Basis:
    assert loop.basis is not None
    return loop.basis


# --- shares and their limits ----------------------------------------------------------------------


def test_sure_is_what_the_definition_says() -> None:
    """Of 64, 62 are the fewest whose one-sided 95% limit is 0.90 or more; 58, which are 0.906, are open."""
    assert least_share(64, 64) == pytest.approx(0.05 ** (1 / 64))
    assert least_share(0, 64) == 0.0
    assert least_share(62, 64) >= SURE > least_share(61, 64)
    for count, verdict in ((64, Verdict.SURE_IN), (58, Verdict.OPEN), (2, Verdict.SURE_OUT), (3, Verdict.OPEN)):
        assert Decision("technology", "T", "", count, 64).verdict is verdict
    with pytest.raises(ValueError, match="successes"):
        least_share(3, 2)


def test_fresh_samples_may_deny_what_seems_sure() -> None:
    assert Decision("technology", "T", "", 64, 64, held=4, checked=4).verdict is Verdict.SURE_IN
    assert Decision("technology", "T", "", 64, 64, held=3, checked=4).verdict is Verdict.OPEN
    assert Decision("technology", "T", "", 0, 64, held=1, checked=4).verdict is Verdict.OPEN


def test_limits_of_shares_cover() -> None:
    """The lower limit is above the truth in at most 5% of trials, whatever the truth."""
    rng = np.random.default_rng(5)
    for truth in (0.5, 0.9, 0.95, 0.99):
        limits = np.array([least_share(count, 64) for count in range(65)])
        missed = float((limits[rng.binomial(64, truth, 4000)] > truth).mean())
        assert missed <= 0.05 + 3 * (0.05 * 0.95 / 4000) ** 0.5


def test_draws_have_the_spread_of_another_seed() -> None:
    """Twice the variance of a mean, and options stay paired: what two have in common cancels in their difference."""
    rng = np.random.default_rng(7)
    weights = _weights(rng, 200_000)
    assert weights.mean() == pytest.approx(1.0, abs=0.02)
    assert weights.var() == pytest.approx(2.0, abs=0.05)
    common = rng.normal(0.0, 5.0, (300, 1))
    values = np.hstack([common, common + rng.normal(0.0, 1.0, (300, 1))])
    none = np.zeros(2)
    found = estimate_means(lambda some, done, n: values[:n, some], np.zeros(2, np.int64), none, none, 300)
    found = replace(found, groups=tuple(replace(one, worths=[*values.T]) for one in found.groups))
    drawn = np.array([found.means_with(_weights(np.random.default_rng(k), 300)) for k in range(2000)])
    assert drawn.std(axis=0) == pytest.approx((2 / 300) ** 0.5 * values.std(axis=0), rel=0.1)
    apart = values[:, 1] - values[:, 0]
    assert (drawn[:, 1] - drawn[:, 0]).std() == pytest.approx((2 / 300) ** 0.5 * apart.std(), rel=0.1)


def test_options_that_were_not_sampled_move_with_their_technology() -> None:
    near = basis_of(searched()).near
    group, means = np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0])
    some = replace(near, options=np.array([1]), found=replace(near.found, best=np.array([0])))
    assert some.new_means(means, np.array([5.0]), group).tolist() == [4.0, 5.0, 3.0]


# --- what re-decisions say ------------------------------------------------------------------------


def test_what_is_far_ahead_is_sure_and_what_is_alike_is_open() -> None:
    found = told(searched())
    verdicts = {one.technology: one.verdict for one in found.decisions if one.kind == "technology"}
    assert verdicts == {
        "T1": Verdict.SURE_IN,
        "T2": Verdict.SURE_IN,
        "T3": Verdict.OPEN,
        "T4": Verdict.OPEN,
        "T5": Verdict.SURE_OUT,
    }
    assert sum(found.decision("technology", name).count for name in ("T3", "T4")) == len(found)
    assert found.decision("partner", "T1", "Z").verdict is Verdict.SURE_OUT
    assert found.decision("country", "", "Z").verdict is Verdict.SURE_OUT


def test_shares_are_of_those_that_fund_the_technology() -> None:
    found = told(searched())
    for name in ("T1", "T3", "T4"):
        funding = found.decision("technology", name).count
        for kind in ("partner", "mode", "start"):
            mine = [one for one in found.decisions if (one.kind, one.technology) == (kind, name)]
            assert sum(one.count for one in mine) == funding
            assert all(one.of == funding for one in mine)


def test_re_decisions_repeat_whatever_the_threads() -> None:
    basis = basis_of(searched())
    once = redecide(replace(basis, posed=replace(basis.posed, running=Running(threads=1))), 8)
    assert once.portfolios == told(searched()).portfolios[:8]
    assert check(basis, 2) == check(basis, 2)


def test_re_decisions_keep_every_rule() -> None:
    basis = basis_of(searched())
    for chosen in (*told(searched()).portfolios, *check(basis, 2)):
        judged = evaluate(basis.posed.problem, chosen)
        assert {one.family for one in judged.violations} <= {"budget"}


def test_what_is_sure_is_decided_so_by_other_seeds() -> None:
    """Of what one seed calls sure in or out, plans by others decide at least 98% so."""
    loops = [searched(seed) for seed in range(100, 100 + size(3, 40))]
    funded = [{one.technology for one in loop.proposal.portfolio.choices} for loop in loops]
    kept = [
        (decision.technology in theirs) is (decision.verdict is Verdict.SURE_IN)
        for loop, mine in zip(loops, funded, strict=True)
        for decision in told(loop).decisions
        if decision.kind == "technology" and decision.verdict is not Verdict.OPEN
        for theirs in funded
        if theirs is not mine
    ]
    assert len(kept) >= 3 * len(loops) * (len(loops) - 1)
    assert np.mean(kept) >= 0.98


# --- which portfolio is the plan ------------------------------------------------------------------


def test_preference_counts_shares_then_partners_then_the_order_of_the_file() -> None:
    """Of two twins the first as long as their shares are not told apart, and the one that leads where they are."""
    choices = build_instance(world(), samples=2).options.choices
    mine = [o for o, one in enumerate(choices) if one.technology == "T1" and one.partner in ("X", "Y")]
    problem = build_instance(world(), samples=2).problem

    def preferred(first: int, second: int) -> bool:
        portfolios = ((mine[0],),) * first + ((mine[1],),) * second
        shared = Redecisions(problem, choices, portfolios).preference
        return shared.of(problem, (mine[0],)) > shared.of(problem, (mine[1],))

    assert preferred(5, 5)
    assert preferred(3, 7)
    assert not preferred(2, 60)
    assert preferred(60, 2)


def test_a_consensus_agrees_more_than_any_re_decision_with_room() -> None:
    loop = searched()
    basis, found = basis_of(loop), told(loop)
    shared = consensus(basis, found, basis.best, slack=1e6)
    most = found.preference.of(basis.posed.problem, shared)
    assert most >= max(found.preference.of(basis.posed.problem, one) for one in found.portfolios) - 1e-9
    same = consensus(basis, found, basis.best, slack=0.0)
    problem = basis.problem(basis.best, np.zeros_like(basis.means))
    assert evaluate(problem, same).objective >= evaluate(problem, basis.best.chosen).objective - 1e-6


def test_the_plan_is_within_the_zone_of_the_one_that_led() -> None:
    loop = searched()
    assert loop.selected is not None
    chosen = loop.proposal.solution.chosen
    shared = told(loop).preference
    judged = {one.name: shared.of(basis_of(loop).posed.problem, one.chosen) for one in basis_of(loop).contenders}
    led = loop.finalists[loop.selected.best]
    assert shared.of(basis_of(loop).posed.problem, chosen) >= judged.get(led, -np.inf) - 1e-9


def test_twins_are_interchangeable_and_a_worse_partner_is_told_apart() -> None:
    """X and Y differ in nothing but luck; Z hardly ever signs, which the whole plan feels."""
    found = planned()
    redecisions = found.redecisions
    assert redecisions is not None
    first = found.proposal.portfolio.choices[0]
    assert first.partner in ("X", "Y")
    other = {"X": "Y", "Y": "X"}[first.partner]
    options = {c.partner: o for o, c in enumerate(redecisions.choices) if c.technology == first.technology}
    forced = Redecisions(redecisions.problem, redecisions.choices, ((options[other],),) * 5 + ((options["Z"],),) * 4)
    judged = swaps(world(interchangeable=0.2), found.proposal.portfolio, forced, seed=3)
    mine = {one.other.partner: one for one in judged if one.chosen.technology == first.technology}
    assert mine[other].is_same
    assert not mine[other].is_told_apart
    assert mine["Z"].difference.low > mine["Z"].margin
    assert mine["Z"].is_told_apart


def test_a_swap_is_given_up_by_the_width_of_its_interval_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """All replications where they may show two options to be the same, half of them where they cannot."""
    found = planned()
    redecisions = found.redecisions
    assert redecisions is not None
    first = found.proposal.portfolio.choices[0]
    others = {c.partner: o for o, c in enumerate(redecisions.choices) if c.technology == first.technology}
    alike = {"X": "Y", "Y": "X"}[first.partner]
    asked = list[int]()
    whole = Judge.worths

    def worths(judge: Judge, portfolio: Portfolio, count: int) -> np.ndarray:
        asked.append(count)
        return whole(judge, portfolio, count)

    monkeypatch.setattr(Judge, "worths", worths)
    spent = []
    for share, other in ((0.2, alike), (1e-9, "Z")):
        asked.clear()
        forced = Redecisions(redecisions.problem, redecisions.choices, ((others[other],),) * 9)
        judged = swaps(world(interchangeable=share), found.proposal.portfolio, forced, seed=3)
        spent.append(max(asked[1:]))  # after the plan's own
        mine = [one for one in judged if one.chosen.technology == first.technology]
        assert [one.is_same for one in mine] == [other == alike]
    assert spent == [200, 100]


def test_who_plans_many_times_keeps_what_the_loop_decided_again() -> None:
    found = plan_beside_rules(world(samples=20, redecisions=4), replications=5, seed=3)
    assert found.search is not None
    assert found.redecisions is not None
    assert found.redecisions is found.search.redecisions


# --- what is told ---------------------------------------------------------------------------------


def test_what_no_re_decision_holds_stands_in_the_same_order_in_every_process() -> None:
    """A set's order is another one in each process: these rows come in that of their keys."""
    found = planned()
    assert found.redecisions is not None
    none = Redecisions(found.redecisions.problem, found.redecisions.choices, ((),) * 4)
    table = decision_table(replace(found, redecisions=none, swaps=()))
    mine = table[table["kind"].isin(["partner", "mode", "start"])]
    keys = list(zip(mine["kind"], mine["technology"], mine["what"], strict=True))
    assert len(keys) >= 6
    assert keys == sorted(keys)


def test_a_plan_tells_what_of_it_is_firm() -> None:
    found = planned()
    said = describe_plan(found)
    assert "Decided again 32 times" in said
    study = of_plan(found)
    record = study.record["redecisions"]
    assert record["count"] == 32
    assert record["checks"] == 1
    assert record["technologies"]["firm"] == ["T1", "T2"]
    assert record["technologies"]["rejected"] == ["T5"]
    made = study.tables["decisions"]
    assert callable(made)
    table = made()
    assert isinstance(table, pd.DataFrame)
    assert set(table["kind"]) == {"technology", "partner", "mode", "start", "country"}
    assert (table["low"] <= table["share"].fillna(1.0)).all()
    funded = table[(table["kind"] == "technology") & table["chosen"]]
    assert set(funded["technology"]) == {one.technology for one in found.proposal.portfolio.choices}


def test_what_re_decisions_are_sure_of_and_the_plan_decides_otherwise_is_named() -> None:
    found = planned()
    told = found.redecisions
    assert told is not None
    mine = {one.technology for one in found.proposal.portfolio.choices}
    options = {one.technology: o for o, one in enumerate(told.choices)}
    held = tuple(o for name, o in options.items() if name not in mine)
    against = replace(found, redecisions=replace(told, portfolios=(held,) * 40, checks=(held,)))
    record = of_plan(against).record["redecisions"]["technologies"]
    assert set(record["disputed"]) == set(options)
    assert record["firm"] == record["open"] == record["rejected"] == []
    assert f"{len(options)} the plan decides otherwise than nearly all re-decisions" in describe_plan(against)
    assert of_plan(found).record["redecisions"]["technologies"]["disputed"] == []


def test_none_are_made_if_none_are_wanted_or_a_risk_is_asked_about() -> None:
    for changes, reason in (({"redecisions": 0}, "redecisions is 0"), ({"risk": _WARY}, "risk")):
        found = plan(world(**changes), replications=20, seed=3)
        assert found.redecisions is None
        assert reason in describe_plan(found)
        assert "decisions" not in of_plan(found).tables
        assert "technologies" not in of_plan(found).record["redecisions"]


_WARY = replace(world().optimiser.risk, weight=0.3, level=0.8)


def test_nothing_to_choose_from_is_no_error() -> None:
    empty = Redecisions(state_problem([]), (), ((),))
    assert empty.decisions == ()
    assert empty.preference.options.size == 0
