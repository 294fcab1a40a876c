"""What is decided under levers keeps every cap and every wish, whatever the levers; the samples that it rests on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdsim.errors import InfeasibleError, ScenarioError
from rdsim.formulation import state
from rdsim.optimiser import evaluate
from rdsim.options import candidates, sample
from rdsim.scenario import members
from rdsim.serve import Levers, NeedsSamplesError, StoppedError, Workplace, lever_world, open_workplace
from rdsim.serve.decisions import reserve_of, with_reserve
from rdsim.serve.samples import read_samples, sample_options, samples_key, write_samples
from rdsim.simulation import simulate

SHARED = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
CODES = ("T1", "T2", "T3", "T4", "T5", "T6")
MONEY = st.floats(0.0, 40.0).map(lambda money: round(money, 3))


@st.composite
def asked(draw: st.DrawFn) -> dict[str, object]:
    """Levers of the tiny scenario but for what its samples rest on."""
    fixed = draw(st.dictionaries(st.sampled_from(CODES), st.sampled_from(["must_fund", "must_not_fund"]), max_size=3))
    years = st.dictionaries(st.integers(2024, 2028), MONEY, max_size=3)
    return {
        "budgets": draw(st.dictionaries(st.sampled_from(["leap", "base"]), years, max_size=2)),
        "payment_ratios": draw(st.dictionaries(st.sampled_from(["leap", "base"]), st.floats(0.3, 3.0), max_size=2)),
        "barred": tuple(draw(st.sets(st.sampled_from(["US", "JP", "DE"]), max_size=2))),
        "risk_weight": draw(st.sampled_from([0.0, 0.0, 0.4])),
        "must_fund": tuple(code for code, kind in fixed.items() if kind == "must_fund"),
        "must_not_fund": tuple(code for code, kind in fixed.items() if kind == "must_not_fund"),
    }


@SHARED
@given(asked())
def test_a_decided_portfolio_keeps_every_cap_and_every_wish(place: Workplace, levers: dict[str, object]) -> None:
    question = Levers(**levers)  # type: ignore[arg-type]
    try:
        answer, _ = place.decide(question)
    except InfeasibleError:
        return
    world, sampled = lever_world(place.scenario, question), place._find(question)
    assert sampled is not None
    places = [sampled.places[replace(one, rank=0)] for one in answer.portfolio.choices]
    whole = state(world, sampled.options, worths=sampled.means)  # of all options, stated anew
    allowed = set(candidates(world))
    assert all(replace(one, rank=0) in allowed for one in answer.portfolio.choices)
    judged = evaluate(whole, tuple(sorted(places)))
    assert judged.violations == ()
    stated = place._statement(world, question)
    if not set(places) <= set(stated.places.tolist()):  # those near the relaxation did not do
        stated = place._statement(world, question, every=True)
    mine = [int(k) for k in np.flatnonzero(np.isin(stated.places, places))]
    assert evaluate(stated.problem, tuple(mine)).objective == pytest.approx(judged.objective), "rows are those of all"
    funded = {one.technology for one in answer.portfolio.choices}
    assert funded >= set(question.must_fund)
    assert not funded & set(question.must_not_fund)
    partners = {code for one in answer.portfolio.choices for code in members(world, one.partner)}
    assert not partners & set(question.barred)
    for one in answer.money:
        assert one.expected <= one.most + 1e-6
        assert one.announced == world.programmes[one.programme].budget.get(one.year, 0.0)
    assert answer.digest == place._world(question)[1]


def test_where_nothing_is_moved_the_run_stands(place: Workplace) -> None:
    answer, _ = place.decide(place.levers)
    assert answer.is_run
    assert answer.changes == ()
    assert answer.against == ()
    assert all(one.difference.mean == 0 for one in answer.figures)
    ran = {one.technology: one.partner for one in place.portfolio.choices}
    assert {one.technology: one.partner for one in answer.portfolio.choices} == ran


def test_a_partner_that_is_not_allowed_moves_the_plan_and_it_is_told(place: Workplace) -> None:
    used = sorted({code for one in place.portfolio.choices for code in members(place.scenario, one.partner)})
    assert used, "the small run has partners"
    answer, _ = place.decide(replace(place.levers, barred=tuple(used)))
    assert not answer.is_run
    assert any("not allowed" in line for line in answer.against)
    changed = {one.technology for one in answer.changes}
    assert changed >= {one.technology for one in place.portfolio.choices if one.partner}
    npv = answer.figure("npv")
    assert npv.difference.mean == pytest.approx(npv.answer.mean - npv.run.mean)


def test_less_money_is_told_beside_the_plan_as_it_is_kept(place: Workplace) -> None:
    less = {name: {year: money * 0.3 for year, money in line.items()} for name, line in place.levers.budgets.items()}
    answer, _ = place.decide(replace(place.levers, budgets=less))
    npv = answer.figure("npv")
    assert npv.decided is not None
    if not answer.is_run:
        assert any("budget" in line for line in answer.against)


def test_how_firm_an_answer_is_comes_from_decisions_on_other_samples(place: Workplace) -> None:
    levers = replace(place.levers, must_not_fund=("T3",), must_fund=tuple(c for c in place.levers.must_fund))
    answer, _ = place.decide(levers)
    heard: list[tuple[int, int]] = []
    found = {one.technology: one for one in place.firmness(levers, answer, lambda *told: heard.append(told))}
    assert heard[0] == (0, 32)
    assert heard[-1] == (32, 32)
    for code in levers.must_fund:
        assert (found[code].count, found[code].verdict) == (32, "firm")
    assert "T3" not in found or found["T3"].count == 0
    assert set(found) >= {one.technology for one in answer.portfolio.choices}


def test_decisions_that_found_nothing_make_no_answer_firm(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other one finds what keeps no rule; then all of them do."""
    levers = replace(place.levers, must_not_fund=("T3",))
    answer, found = place.decide(levers)
    results = cycle([found.chosen, ()])
    monkeypatch.setattr("rdsim.serve.decisions.near_optimum", lambda *_words: next(results))
    assert levers.must_fund  # else nothing at all would keep every rule
    assert {one.of for one in place.firmness(levers, answer, lambda *_told: None)} == {16}
    monkeypatch.setattr("rdsim.serve.decisions.near_optimum", lambda *_words: ())
    assert place.firmness(levers, answer, lambda *_told: None) == ()


def test_the_runs_portfolio_keeps_its_own_reserve(place: Workplace) -> None:
    """Also where money is passed on from year to year, of which less is passed on if less is there."""
    stated = place._statement(place._world(place.levers)[0], place.levers)
    assert stated.problem.rows.carry
    reserve = reserve_of(stated)
    tight = with_reserve(stated.problem, reserve)
    assert evaluate(tight, stated.run).feasible
    tighter = with_reserve(stated.problem, {key: 0.99 * part for key, part in reserve.items()})
    assert not evaluate(tighter, stated.run).feasible
    assert (tight.rows.cap <= stated.problem.rows.cap).all()


def test_every_fault_of_levers_is_told_at_once(place: Workplace) -> None:
    wrong = Levers(
        {"leap": {1999: -1.0}, "nowhere": {2024: 1.0}},
        {"leap": 0.0},
        2.0,
        ("XX",),
        ("T1", "T99"),
        ("T1",),
        {"gain": 9.0, "luck": 1.0},
    )
    with pytest.raises(ScenarioError) as caught:
        place.decide(wrong)
    said = str(caught.value)
    for part in ("1999", "nowhere", "payment ratio", "weight of risk", "XX", "T99", "both", "bounds", "luck"):
        assert part in said, part


def test_where_the_options_nearest_to_the_relaxation_do_not_do_all_of_them_are_asked(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is quick must not call impossible what is not."""
    funded = tuple(sorted({one.technology for one in place.portfolio.choices}))
    used = {code for one in place.portfolio.choices for code in members(place.scenario, one.partner)}
    levers = replace(place.levers, must_fund=(*place.levers.must_fund, funded[0]), barred=tuple(sorted(used))[:1])
    expected, _ = place.decide(levers)
    monkeypatch.setattr("rdsim.serve.decisions._proposals", lambda *_: iter(()))
    answer, decided = place.decide(levers)
    assert not answer.is_run
    assert len(decided.stated.places) == len(candidates(lever_world(place.scenario, levers)))
    assert {one.technology for one in answer.portfolio.choices} >= {*levers.must_fund}
    assert {one.technology for one in expected.portfolio.choices} >= {*levers.must_fund}


def test_what_cannot_be_is_told_in_words(place: Workplace) -> None:
    nothing = {name: dict.fromkeys(line, 0.0) for name, line in place.levers.budgets.items()}
    with pytest.raises(InfeasibleError) as caught:
        place.decide(replace(place.levers, budgets=nothing, must_fund=("T1", "T2", "T3")))
    assert "_" not in str(caught.value)


def test_what_is_told_is_what_a_whole_simulation_says(place: Workplace) -> None:
    levers = replace(place.levers, barred=("JP",))
    answer, _ = place.decide(levers)
    world = lever_world(place.scenario, levers)
    whole = simulate(world, answer.portfolio, replications=place.replications, seed=place.run.seed)
    for one in answer.figures:
        assert one.answer.mean == pytest.approx(whole.estimate(one.name).mean)
    spent = whole.purses["spent"] + whole.purses["spent_network"] - whole.purses["refunded"]
    assert sum(one.paid for one in answer.money) == pytest.approx(spent.sum() / place.replications)


# --- samples --------------------------------------------------------------------------------------


def test_money_and_wishes_move_no_sample(place: Workplace) -> None:
    """What makes it right to sample once: options alone never want for money."""
    less = {name: dict.fromkeys(line, 0.5) for name, line in place.levers.budgets.items()}
    world = lever_world(place.scenario, replace(place.levers, budgets=less, barred=("JP",), must_fund=("T1",)))
    sampled = place._find(place.levers)
    assert sampled is not None
    some = candidates(world)
    drawn = sample(world, some, samples=sampled.drawing.samples, seed=sampled.drawing.seed)
    own = [sampled.places[one] for one in some]
    np.testing.assert_array_equal(drawn.npv, sampled.options.npv[:, own])
    np.testing.assert_array_equal(drawn.payments, sampled.options.payments[own])


def test_samples_are_read_back_as_they_were_and_only_where_they_fit(place: Workplace, tmp_path: Path) -> None:
    sampled = place._find(place.levers)
    assert sampled is not None
    world, drawing, path = sampled.world, sampled.drawing, tmp_path / "samples.npz"
    write_samples(path, sampled)
    again = read_samples(path, world, drawing)
    assert again is not None
    assert again.options.choices == sampled.options.choices
    np.testing.assert_array_equal(again.means, sampled.means)
    np.testing.assert_array_equal(again.options.npv, sampled.options.npv)
    np.testing.assert_array_equal(again.near.found.spreads, sampled.near.found.spreads)
    weights = np.random.default_rng(1).poisson(1.0, int(sampled.near.found.counts.max())).astype(float)
    np.testing.assert_array_equal(again.near.found.means_with(weights), sampled.near.found.means_with(weights))
    assert read_samples(path, world, replace(drawing, seed=drawing.seed + 1)) is None
    assert read_samples(path, world.with_({"discount_rate": 0.06}), drawing) is None
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    assert read_samples(path, world, drawing) is None
    path.write_bytes(whole[:-200])
    assert read_samples(path, world, drawing) is None
    path.write_bytes(b"no archive")
    assert read_samples(path, world, drawing) is None


def test_other_assumptions_need_samples_of_their_own_which_then_stay(run: Path, tmp_path: Path) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own, ignore=shutil.ignore_patterns("what-if"))
    place, _ = open_workplace(own, replications=40)
    place.prepare(place.levers)
    first = place._find(place.levers)
    levers = replace(place.levers, levels={"worth": 2.0})
    assert not place.has_samples(levers)
    with pytest.raises(NeedsSamplesError):
        place.decide(levers)
    heard: list[int] = []
    place.prepare(levers, lambda done, _: heard.append(done))
    assert heard == sorted(heard)
    answer, _ = place.decide(levers)
    assert answer.figure("npv").answer.mean > answer.figure("npv").run.mean
    assert first is not None
    later, _ = open_workplace(own, replications=40)
    assert later.has_samples(levers), "read back from beside the run"
    assert later.decide(levers)[0].choices == answer.choices


def test_stopped_sampling_leaves_nothing(run: Path, tmp_path: Path) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own, ignore=shutil.ignore_patterns("what-if"))
    place, _ = open_workplace(own)
    for stop in range(4):

        def tell(done: int, _: int, stop: int = stop) -> None:
            if done >= stop:
                raise StoppedError

        with pytest.raises(StoppedError):
            place.prepare(place.levers, tell)
        assert not place.has_samples(place.levers)
        assert not list((own / "what-if").glob("*")) if (own / "what-if").exists() else True


def test_portions_do_not_matter(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = place._find(place.levers)
    assert sampled is not None
    monkeypatch.setattr("rdsim.serve.samples._PORTION", 7)
    again = sample_options(sampled.world, sampled.drawing)
    np.testing.assert_array_equal(again.options.npv, sampled.options.npv)
    np.testing.assert_array_equal(again.means, sampled.means)
    assert samples_key(again.world, again.drawing) == samples_key(sampled.world, sampled.drawing)
