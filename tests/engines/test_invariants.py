"""What must hold in every replication of every world (model section 6), on both engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from rdsim.case import (
    BLOCKED,
    DAYS_PER_YEAR,
    DROPPED,
    EXHAUSTED,
    FAILED,
    RUNNING,
    STOPPED,
    TARGET,
    UNFUNDED,
    Case,
    Outcomes,
    SamplePaths,
)
from rdsim.engines import compiled, process, rules
from rdsim.gates import GATE_POLICIES
from rdsim.portfolio import check
from rdsim.scenario import dump, load
from tests.engines.ledger import held_places, purse_by_day
from tests.sizes import size
from tests.worlds import World, draw_world, worlds

Engine = Callable[[Case, SamplePaths], Outcomes]


@dataclass(frozen=True)
class Lived:
    """A world that was simulated."""

    world: World
    case: Case
    luck: SamplePaths
    out: Outcomes

    @staticmethod
    def of(world: World, engine: Engine, replications: int = 4) -> Lived:
        case = world.case()
        luck = world.luck(case, replications)
        return Lived(world, case, luck, engine(case, luck))

    @property
    def replications(self) -> range:
        return range(len(self.out.trl))


@pytest.fixture(scope="module", params=[compiled.run, process.run], ids=["compiled", "simpy"])
def lives(request: pytest.FixtureRequest) -> list[Lived]:
    """The same worlds for every invariant: simulated once by each engine, looked at by all."""
    return [Lived.of(draw_world(seed), request.param) for seed in range(size(150, 1000))]


def test_generated_worlds_pass_the_door(tmp_path: Path) -> None:
    for seed in range(30):
        world = draw_world(seed)
        dump(world.scenario, tmp_path / str(seed))
        assert load(tmp_path / str(seed)) == world.scenario
        check(world.portfolio, world.scenario)


# --- money ----------------------------------------------------------------------------------------


def test_money_is_never_invented(lives: list[Lived]) -> None:
    """New + carried in + refunded = spent + partners + lapsed + carried on, to the won, in every year of every line."""
    for one in lives:
        o = one.out
        carried_on = np.concatenate([o.carried_in[..., 1:], np.zeros_like(o.carried_in[..., :1])], axis=-1)
        income = o.new_money + o.carried_in + o.refunded
        assert (income == o.spent + o.spent_network + o.lapsed + carried_on).all(), one.world.seed


def test_carry_over_follows_its_rate(lives: list[Lived]) -> None:
    for one in lives:
        o, rate = one.out, one.case.carry_ppm[:, None]
        unspent = o.lapsed[..., :-1] + o.carried_in[..., 1:]
        assert (o.carried_in[..., 1:] == unspent * rate // 1_000_000).all(), one.world.seed


def test_no_year_pays_out_more_than_its_purse_on_any_day(lives: list[Lived]) -> None:
    for one in lives:
        for r in one.replications:
            for g in range(len(one.case.tranches)):
                assert all(money >= 0 for _, money in purse_by_day(one.case, one.out, r, g)), one.world.seed
        income = one.out.new_money + one.out.carried_in + one.out.refunded
        assert (one.out.spent + one.out.spent_network <= income).all()


def test_what_projects_got_is_what_purses_paid(lives: list[Lived]) -> None:
    for one in lives:
        o = one.out
        for g in range(len(one.case.tranches)):
            mine = one.case.programme == g
            for y in range(one.case.budget.shape[1]):
                paid = np.where(o.tranche_day[:, mine] // DAYS_PER_YEAR == y, o.paid[:, mine], 0).sum(axis=(1, 2))
                back = np.where(o.refund_day[:, mine] // DAYS_PER_YEAR == y, o.refund[:, mine], 0).sum(axis=1)
                assert (paid == o.spent[:, g, y]).all()
                assert (back == o.refunded[:, g, y]).all()
        assert (o.network_paid.sum(axis=1) == o.spent_network.sum(axis=1)).all()


def test_refunds_are_the_unused_days_of_the_last_tranche(lives: list[Lived]) -> None:
    """Of every project that ends before its tranche does, and of no other; after a break, money abroad stays there."""
    for one in lives:
        c, o = one.case, one.out
        for r, p in np.argwhere((o.end_day >= 0) & (o.tranche_day >= 0).any(axis=2)).tolist():
            k = int(np.flatnonzero(o.tranche_day[r, p] >= 0)[-1])
            days = int(c.tranche_days[c.programme[p], k])
            unused = int(o.tranche_day[r, p, k]) + days - int(o.end_day[r, p])
            kept_abroad = int(o.paid_abroad[r, p, k]) if o.lost_partner[r, p] else 0
            amount = math.floor(Fraction((int(o.paid[r, p, k]) - kept_abroad) * unused, days)) if unused > 0 else 0
            assert o.refund[r, p] == amount, one.world.seed
            assert o.refund_day[r, p] == (o.end_day[r, p] if unused > 0 else -1)
        assert (o.refund[(o.end_day < 0) | (o.tranche_day < 0).all(axis=2)] == 0).all()


def test_domestic_projects_pay_nobody_abroad(lives: list[Lived]) -> None:
    for one in lives:
        o, alone = one.out, ~one.case.joint
        assert (o.paid_abroad <= o.paid).all()
        assert (o.paid_abroad[:, alone] == 0).all()
        assert (o.paid_foreign[:, alone] == 0).all()
        assert (o.paid_abroad[o.paid_joint == 0] == 0).all()


def test_a_tranche_costs_what_the_case_says_at_the_years_rate(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for r, p, k in np.argwhere(o.tranche_day >= 0).tolist():
            joint = bool(o.paid_joint[r, p, k])
            year = int(o.tranche_day[r, p, k]) // DAYS_PER_YEAR
            rate = int(one.luck.exchange_ppm[r, c.currency[p], year])
            abroad = int(c.abroad[p, k]) * rate // 1_000_000 if joint else 0
            home = int(c.home[p, k] - c.abroad[p, k]) + abroad if joint else int(c.domestic[p, k])
            foreign = int(c.foreign[p, k]) if joint else 0
            found = o.paid[r, p, k], o.paid_abroad[r, p, k], o.paid_foreign[r, p, k]
            assert found == (home, abroad, foreign), one.world.seed
        unpaid = o.tranche_day < 0
        assert not any(table[unpaid].any() for table in (o.paid, o.paid_abroad, o.paid_foreign, o.paid_joint))


def test_unfunded_means_that_the_request_exceeded_all_money_to_come(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for r, p in np.argwhere(o.end_state == UNFUNDED).tolist():
            g, y = int(c.programme[p]), int(o.end_day[r, p]) // DAYS_PER_YEAR
            k = int((o.tranche_day[r, p] >= 0).sum())
            assert o.tranche_day[r, p, k] == -1
            abroad = rules.at_rate(int(c.abroad[p, k]), int(one.luck.exchange_ppm[r, c.currency[p], y]))
            joint = int(c.home[p, k] - c.abroad[p, k]) + abroad if c.joint[p] else 0
            assert max(joint, int(c.domestic[p, k])) > int(c.budget[g, y + 1 :].sum()), one.world.seed


# --- scarce things --------------------------------------------------------------------------------


def test_no_partner_holds_more_than_its_places(lives: list[Lived]) -> None:
    for one in lives:
        assert (one.out.peak_places <= one.case.places).all()
        for r in one.replications:
            for n, places in enumerate(one.case.places.tolist()):
                days = list(held_places(one.case, one.out, r, n))
                assert all(0 <= held <= places for _, _, held in days), one.world.seed
                at_night, at_most = (max((day[k] for day in days), default=0) for k in (2, 1))
                assert at_night <= one.out.peak_places[r, n] <= at_most, one.world.seed


def talks(one: Lived, r: int, p: int) -> list[int]:
    """Days of each stage of a project's talks up to the one that fails, after what was learned before they began."""
    c, o, begun = one.case, one.out, one.out.place_day[r, p]
    before = (o.agreement_day[r] >= 0) & (o.agreement_day[r] <= begun)
    known = min(int((before & (c.member == n).any(axis=1)).sum()) for n in c.member[p] if n >= 0)
    rate = int(c.learning_ppm[min(known, len(c.learning_ppm) - 1)])
    failed = np.flatnonzero(~one.luck.agreed[r, p, : c.stages[p]])
    count = int(failed[0]) + 1 if failed.size else int(c.stages[p])
    return [max(math.ceil(Fraction(days * rate, 10**6)), 1) for days in one.luck.agreement_days[r, p, :count].tolist()]


def test_a_place_is_held_until_talks_fail_relations_break_or_the_project_ends(lives: list[Lived]) -> None:
    for one in lives:
        c, o, stopped = one.case, one.out, _stopped_by_decision(one)
        assert (o.joint_at_end == c.joint - o.fell_back).all()
        assert (o.freed_day[o.place_day < 0] == -1).all()
        for r, p in np.argwhere(o.place_day >= 0).tolist():
            freed, end, members = int(o.freed_day[r, p]), int(o.end_day[r, p]), c.member[p][c.member[p] >= 0]
            breaks = one.luck.break_day[r, members]
            broke = bool((breaks[breaks > o.place_day[r, p]] == freed).any())
            if o.lost_partner[r, p]:
                assert broke
            elif not one.luck.agreed[r, p, : c.stages[p]].all() and freed >= 0 and not (stopped[r, p] and freed == end):
                assert freed == o.place_day[r, p] + sum(talks(one, r, p))
            else:
                assert freed == end
                # What ends work on a day comes before a break on that day.
                assert not broke or o.end_state[r, p] in {TARGET, FAILED, EXHAUSTED}


def test_no_panel_seats_more_than_it_has(lives: list[Lived]) -> None:
    for one in lives:
        assert (one.out.peak_seats <= one.case.seats).all()


def test_no_year_starts_more_than_it_may(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for g in range(len(c.tranches)):
            days = o.start_day[:, c.programme == g]
            for y in range(c.budget.shape[1]):
                assert ((days // DAYS_PER_YEAR == y).sum(axis=1) <= c.starts[g, y]).all()
            assert ((days < 0) | (days % DAYS_PER_YEAR >= c.call_day[g])).all()


# --- time -----------------------------------------------------------------------------------------


def _accounted(one: Lived) -> np.ndarray:
    """Days of each project since its call: waits, talks, work and finished reviews."""
    c, o = one.case, one.out
    talked_until = np.where(o.agreement_day >= 0, o.agreement_day, o.freed_day)
    talks = np.where((o.place_day >= 0) & (talked_until >= 0), talked_until - o.place_day, 0)
    panel = c.panel[c.programme]
    compared = c.policy[c.programme] == GATE_POLICIES.number("drop-worst")
    review = np.where((panel < 0) | compared, 0, np.append(c.review_days, 0)[panel])
    waits = o.wait_prerequisite + o.wait_start + o.wait_place + o.wait_money + o.wait_panel + o.wait_facility
    return np.asarray(waits + talks + o.worked_days + o.reviews * review)


def _stopped_by_decision(one: Lived) -> np.ndarray:
    """Projects that ended on the first day of the fiscal year in which the portfolio stops them."""
    c, o = one.case, one.out
    return np.asarray((c.stop_year >= 0) & (o.end_state == STOPPED) & (o.end_day == c.stop_year * DAYS_PER_YEAR))


def test_every_day_of_a_life_is_accounted_for(lives: list[Lived]) -> None:
    """From the planned call to the end: nobody does nothing, and nothing is counted twice."""
    for one in lives:
        c, o = one.case, one.out
        planned = c.start_year * DAYS_PER_YEAR + c.call_day[c.programme]
        lived, found = np.where(o.end_day < 0, c.horizon, o.end_day) - planned, _accounted(one)
        # A break, a decision or the horizon may cut a review or talks short.
        cut = (o.end_state == RUNNING) | (o.end_state == DROPPED) | _stopped_by_decision(one)
        assert (found == lived)[~cut].all(), one.world.seed
        assert (found <= np.maximum(lived, 0))[cut].all(), one.world.seed
        assert (lived - found)[cut & (lived >= 0)].max(initial=0) <= max(
            one.luck.agreement_days.sum(axis=2).max(initial=0), 90
        )


def test_waits_end_where_the_next_thing_begins(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        planned = c.start_year * DAYS_PER_YEAR + c.call_day[c.programme]
        started, placed = o.start_day >= 0, o.place_day >= 0
        assert (o.wait_prerequisite + o.wait_start == o.start_day - planned)[started].all()
        assert (o.wait_place == o.place_day - o.start_day)[placed].all()
        assert (o.wait_place[:, ~c.joint] == 0).all()
        assert (o.wait_panel[o.tranche_day[..., 0] < 0] == 0).all()
        facility = c.needs.any(axis=(1, 2))
        assert (o.wait_facility[:, ~facility] == 0).all()


# --- work -----------------------------------------------------------------------------------------


def test_work_is_never_longer_than_what_was_funded(lives: list[Lived]) -> None:
    for one in lives:
        assert (one.out.worked_days <= one.out.funded_days).all()
        days = one.case.tranche_days[one.case.programme][None]
        tranches = np.where(one.out.tranche_day >= 0, days, 0).sum(axis=2)
        extensions = one.out.extensions * one.case.extension_days[one.case.programme]
        assert (one.out.funded_days == tranches + extensions).all()


def test_trl_never_falls(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for r, p in np.argwhere(o.start_day >= 0).tolist():
            days = o.trl_day[r, p, c.trl[p] - 1 : o.trl[r, p]]
            assert (days >= 0).all()
            assert (np.diff(days) > 0).all()
            assert days[0] == o.start_day[r, p]
            assert days[-1] <= (o.end_day[r, p] if o.end_day[r, p] >= 0 else c.horizon - 1)
            assert (o.trl_day[r, p, o.trl[r, p] :] == -1).all()
            assert (o.trl_day[r, p, : c.trl[p] - 1] == -1).all()
        assert (o.trl >= c.trl).all()
        assert (o.trl <= c.target).all()


def test_deliverables_are_handed_in_while_work_is_done_on_what_is_asked(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        assert (o.delivered_day[:, ~c.asked] == -1).all()
        bits = (o.delivered_day >= 0) << np.arange(c.asked.shape[1])
        assert (o.delivered == bits.sum(axis=2)).all()
        for r, p, d in np.argwhere(o.delivered_day >= 0).tolist():
            begun = max(int(c.after_trl[c.programme[p], d]), int(c.trl[p]))
            first, day = int(o.trl_day[r, p, begun - 1]), int(o.delivered_day[r, p, d])
            needed, end = int(one.luck.deliverable_days[r, c.technology[p], d]), int(o.end_day[r, p])
            assert 0 <= first <= day - needed, one.world.seed
            assert day <= (end if end >= 0 else c.horizon - 1), one.world.seed


def test_end_states_mean_what_they_say(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        paid = (o.tranche_day >= 0).sum(axis=2)
        assert ((o.trl == c.target) == (o.end_state == TARGET)).all()
        assert ((o.end_day < 0) == (o.end_state == RUNNING)).all()
        assert (
            paid[o.end_state == EXHAUSTED]
            == np.broadcast_to(c.tranches[c.programme], paid.shape)[o.end_state == EXHAUSTED]
        ).all()
        assert (o.start_day[o.end_state == BLOCKED] == -1).all()
        assert (paid[o.end_state == FAILED] > 0).all()
        assert (o.reviews[(o.end_state == STOPPED) & ~_stopped_by_decision(one)] > 0).all()
        assert ((o.market_day < 0) | (o.end_state == TARGET)).all()
        assert ((o.market_day < 0) | (o.market_day > o.end_day)).all()
        assert (o.end_day < c.horizon).all()
        joint = np.broadcast_to(c.joint & c.drop_fallback, o.trl.shape)
        assert joint[o.end_state == DROPPED].all()
        assert (o.end_day == o.trl_day.max(axis=2))[o.end_state == TARGET].all()


def test_an_exhausted_project_ends_with_its_last_tranche(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for r, p in np.argwhere(o.end_state == EXHAUSTED).tolist():
            k = int(c.tranches[c.programme[p]]) - 1
            assert o.end_day[r, p] == o.tranche_day[r, p, k] + c.tranche_days[c.programme[p], k]


def test_the_market_follows_the_target_after_its_time(lives: list[Lived]) -> None:
    for one in lives:
        c, o, t = one.case, one.out, one.case.technology
        day = o.end_day + one.luck.market_days[:, t]
        sold = (o.end_state == TARGET) & one.luck.commercial[:, t] & (day < c.horizon)
        assert (o.market_day == np.where(sold, day, -1)).all()


def test_agreements_follow_a_place_and_a_place_follows_an_open_partner(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        agreed = o.agreement_day >= 0
        for r, p in np.argwhere(o.place_day >= 0).tolist():
            formed = o.formed_day[r, p][o.formed_day[r, p] >= 0]
            planned = o.place_day[r, p] + np.cumsum(talks(one, r, p))
            assert (formed == planned[: len(formed)]).all()
            assert one.luck.agreed[r, p, : len(formed)].all()
            assert (len(formed) == c.stages[p]) == (o.agreement_day[r, p] >= 0)
            assert o.agreement_day[r, p] in (-1, *formed[-1:])
        assert (o.formed_day[o.place_day < 0] == -1).all()
        assert (agreed <= np.broadcast_to(c.joint, agreed.shape)).all()
        assert (o.joint_at_end <= c.joint).all()
        assert (o.paid_joint.any(axis=2) <= agreed).all()
        for r, p in np.argwhere(o.place_day >= 0).tolist():
            for n in c.member[p][c.member[p] >= 0].tolist():
                assert o.place_day[r, p] >= o.opened_day[r, n] + c.setup_days[n]
                breaks = one.luck.break_day[r, n]
                before = breaks[(breaks >= 0) & (breaks <= o.place_day[r, p])]
                assert (before + c.closed_days <= o.place_day[r, p]).all(), one.world.seed


def test_tranches_are_paid_in_order_and_no_faster_than_they_fund(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        days = c.tranche_days[c.programme]
        for k in range(1, o.tranche_day.shape[2]):
            paid = o.tranche_day[..., k] >= 0
            assert (o.tranche_day[..., k - 1][paid] >= 0).all()
            earliest = o.tranche_day[..., k - 1] + days[None, :, k - 1]
            assert (o.tranche_day[..., k][paid] >= earliest[paid]).all()


def test_prerequisites_are_met_before_the_start(lives: list[Lived]) -> None:
    for one in lives:
        c, o = one.case, one.out
        for p in range(len(c.programme)):
            for other in c.prerequisite[c.prerequisite_start[p] : c.prerequisite_start[p + 1]]:
                started = o.start_day[:, p] >= 0
                assert other >= 0 or not started.any()
                assert (o.end_state[started, other] == TARGET).all()
                assert (o.end_day[started, other] <= o.start_day[started, p]).all()


def test_extensions_are_no_more_than_allowed(lives: list[Lived]) -> None:
    for one in lives:
        assert (one.out.extensions <= one.case.extensions[one.case.programme]).all()


# --- worlds that hypothesis seeks out, and shrinks ------------------------------------------------


@settings(max_examples=size(60, 400))
@given(worlds())
def test_nothing_of_this_depends_on_the_seeds_above(world: World) -> None:
    lived = [Lived.of(world, engine, 2) for engine in (compiled.run, process.run)]
    test_money_is_never_invented(lived)
    test_no_year_pays_out_more_than_its_purse_on_any_day(lived)
    test_refunds_are_the_unused_days_of_the_last_tranche(lived)
    test_no_partner_holds_more_than_its_places(lived)
    test_no_panel_seats_more_than_it_has(lived)
    test_work_is_never_longer_than_what_was_funded(lived)
    test_trl_never_falls(lived)
