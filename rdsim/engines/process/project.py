"""A project and its life, phase by phase."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from rdsim.case import (
    BLOCKED,
    DAYS_PER_YEAR,
    DROPPED,
    END_STATES,
    EXHAUSTED,
    FAILED,
    RUNNING,
    STOPPED,
    TARGET,
    UNFUNDED,
)
from rdsim.engines import rules
from rdsim.engines.process.queues import Queue
from rdsim.engines.rules import AGREEMENT, FAILURE, PANEL, REQUEST, SUCCESS, WORK, YEAR

if TYPE_CHECKING:
    from rdsim.engines.process.parts import PurseLike, WorldLike
    from rdsim.engines.process.policies import GateDecisions

__all__ = ["Project"]

_Life = Generator[simpy.Event, Any, None]


class End(Exception):  # noqa: N818 - a signal between the phases of a life, not an error
    """A project's research and development ends."""

    def __init__(self, state: int) -> None:
        super().__init__(state)
        self.state = state


class Project:
    """One funded technology and its life."""

    def __init__(self, world: WorldLike, rank: int) -> None:
        """A project that waits for its call; if a decision is to stop it, that is on the agenda.

        Model: E9.
        """
        case = world.case
        self.world, self.rank = world, rank
        self.technology, self.programme = int(case.technology[rank]), int(case.programme[rank])
        self.partners = [world.partners[n] for n in case.member[rank] if n >= 0]
        for partner in self.partners:
            partner.live += 1
        self.joint, self.holding, self.counted = case.joint[rank], False, bool(self.partners)
        self.trl, self.target = case.trl[rank], case.target[rank]
        self.ready: dict[int, int] = {}
        self.tranche, self.funded_end, self.extended = 0, -1, False
        self.attempt, self.remaining, self.step_joint, self.run_from = 0, 0, False, -1
        self.queue: Any = None
        self.seated = self.talking = self.stopped = False
        self.since, self.funded, self.worked, self.reviews = 0, 0, 0, 0
        self.answer = self.wake = world.env.event()
        self.end_state = RUNNING
        self.end_day: int | None = None
        self.planned = case.start_year[rank] * DAYS_PER_YEAR + case.call_day[self.programme]
        self.process = world.env.process(self.life())
        if case.stop_year[rank] >= 0:
            order = 1 + len(case.tranches) + rank
            world.enter(case.stop_year[rank] * DAYS_PER_YEAR, YEAR, order, self.stop)

    # the whole life

    def life(self) -> _Life:
        """From the call to the end of research and development."""
        try:
            yield from self.wait_for_start()
            yield from self.partnership()
            while True:
                yield from self.request_tranche()
                yield from self.technical_work()
                yield from self.gate()
        except End as end:
            self.finish(end.state)
        except simpy.Interrupt:
            self.withdraw()
            self.finish(STOPPED if self.stopped else DROPPED)

    def stop(self) -> None:
        """A decision ends the project, wherever it stands.

        Model: E9.
        """
        if self.end_day is None:
            self.stopped = True
            self.process.interrupt()

    # 1 scheduled

    def wait_for_start(self) -> _Life:
        """Wait for the planned call, for prerequisites, and for one of the programme's starts.

        Model: E10, E11.
        """
        self.world.enter(self.planned, REQUEST, self.rank, self.look)
        while not self.may_start():
            self.wake = self.world.env.event()
            yield self.wake
        self.count("wait_prerequisite", self.world.now - self.planned)
        yield self.world.starts[self.programme].ask(self)
        self.count_wait("wait_start")
        self.record("start_day")
        self.world.out.trl_day[self.world.row, self.rank, self.trl - 1] = self.world.now
        self.note("starts")
        self.begin_deliverables(range(1, self.trl + 1))

    def look(self) -> None:
        """Look again: the call is open, or a prerequisite has ended."""
        if not self.wake.triggered:
            self.wake.succeed()

    def may_start(self) -> bool:
        """Whether the call is open and every prerequisite is met. Ends the project if one cannot be met any more.

        Model: E10.
        """
        if self.world.now < self.planned:
            return False
        met = True
        for other in self.links("prerequisite"):
            ahead = self.world.projects[other] if other >= 0 else None
            if ahead is None or ahead.end_state not in (RUNNING, TARGET):
                self.count("wait_prerequisite", self.world.now - self.planned)
                raise End(BLOCKED)
            met = met and ahead.end_state == TARGET
        return met

    # 2 partnership

    def partnership(self) -> _Life:
        """Take a place at the partner and reach an agreement; without one, fall back.

        Model: E12, E13.
        """
        if not self.joint:
            return
        for partner in self.partners:
            partner.ask_to_open()
        placed = yield self.world.places.ask(self)
        self.count_wait("wait_place")
        if placed:
            agreed = yield from self.talks()
            if agreed:
                return
        self.fall_back()

    def talks(self) -> Generator[simpy.Event, Any, bool]:
        """Whether an agreement is reached, stage by stage; a break in relations ends the talks at once.

        Model: E14.
        """
        self.talking = True
        pace, luck = self.pace(), self.world.luck
        try:
            for stage in range(self.world.case.stages[self.rank]):
                days = rules.talk_days(luck.agreement_days[self.rank][stage], pace)
                yield self.world.at(self.world.now + days, AGREEMENT, self.rank)
                if not luck.agreed[self.rank][stage]:
                    return False
                self.pass_stage(stage)
        except simpy.Interrupt:
            if self.stopped:
                raise
            return False
        finally:
            self.talking = False
        self.agree()
        return True

    def pass_stage(self, stage: int) -> None:
        self.world.out.formed_day[self.world.row, self.rank, stage] = self.world.now
        if self.world.case.stages[self.rank] > 1:
            self.note("stage of formation passed", str(stage + 1))

    def pace(self) -> int:
        """Factor on talks that begin now, in millionths: what was learned with the partner that is known least.

        Model: E14.
        """
        table = self.world.case.learning_ppm
        known = min(partner.agreements for partner in self.partners)
        return int(table[min(known, len(table) - 1)])

    def agree(self) -> None:
        """Model: E15."""
        for partner in self.partners:
            partner.agreements += 1
        self.record("agreement_day")
        self.note("agreement")

    def take_place(self) -> None:
        """Model: E13."""
        self.holding = True
        self.record("place_day")
        peak = self.world.out.peak_places[self.world.row]
        for partner in self.partners:
            partner.used += 1
            peak[partner.index] = max(peak[partner.index], partner.used)

    def give_back_place(self) -> None:
        for partner in self.partners:
            partner.used -= self.holding
            partner.live -= self.counted
        if self.holding:
            self.record("freed_day")
            self.world.places.grant_soon()
        self.holding = self.counted = False

    def fall_back(self) -> None:
        """Go on as a domestic project, or be dropped, as the programme says.

        Model: E16.
        """
        self.give_back_place()
        if self.world.case.drop_fallback[self.rank]:
            raise End(DROPPED)
        self.joint = False
        self.count("fell_back", 1)
        self.note("goes on as domestic")

    def lose_partner(self) -> None:
        """A break in relations; called by the partner.

        Model: E17.
        """
        self.count("lost_partner", 1)
        if self.talking or self.world.case.drop_fallback[self.rank]:
            self.process.interrupt()
            return
        self.give_back_place()
        self.joint = False
        self.count("fell_back", 1)
        self.note("goes on as domestic")
        if self.queue is self.purse:
            self.purse.grant_soon()

    # 3 tranche

    @property
    def purse(self) -> PurseLike:
        return self.world.purses[self.programme]

    def request_tranche(self) -> _Life:
        """Ask the purse for the next tranche; it funds work from the day it is paid.

        Model: E18, E23.
        """
        paid = yield self.purse.ask(self)
        self.count_wait("wait_money")
        if not paid:
            raise End(UNFUNDED)
        self.extended = False
        self.fund(self.world.case.tranche_days[self.programme][self.tranche])

    def request(self, year: int) -> int:
        """Won that the next tranche costs home in a year.

        Model: E18.
        """
        case, k = self.world.case, self.tranche
        if not self.joint:
            return int(case.domestic[self.rank][k])
        return int(case.home[self.rank][k] - case.abroad[self.rank][k] + self.payment_abroad(year))

    def payment_abroad(self, year: int) -> int:
        """Model: E18."""
        if not self.joint:
            return 0
        case = self.world.case
        rate = self.world.luck.exchange_ppm[case.currency[self.rank]][year]
        return rules.at_rate(case.abroad[self.rank][self.tranche], rate)

    def record_payment(self, amount: int) -> None:
        """Model: E23."""
        out, at = self.world.out, (self.world.row, self.rank, self.tranche)
        out.tranche_day[at] = self.world.now
        out.paid[at] = amount
        out.paid_abroad[at] = self.payment_abroad(self.world.year)
        if self.joint:
            out.paid_joint[at] = 1
            out.paid_foreign[at] = self.world.case.foreign[self.rank][self.tranche]
        self.note("tranche paid", f"{self.tranche + 1}: {amount}")

    def fund(self, days: int) -> None:
        self.funded_end = self.world.now + days
        self.funded += days

    # 4 technical work

    def technical_work(self) -> _Life:
        """Attempt step after step until the funded days are over; a step pauses then.

        Model: E25, E27.
        """
        while self.world.now < self.funded_end:
            self.begin_attempt()
            if any(self.needs()):
                in_time = yield from self.facilities()
                if not in_time:
                    return
            self.run_from = self.world.now
            end = min(self.run_from + self.remaining, self.funded_end)
            yield self.world.at(end, WORK, self.rank)
            self.stop_work()
            if self.remaining == 0:
                self.end_attempt()

    def begin_attempt(self) -> None:
        """Draw the time of a new attempt; one that paused goes on with what is left.

        Model: E25.
        """
        if self.remaining:
            return
        self.step_joint = self.joint
        self.remaining = self.attempt_days()

    def attempt_days(self) -> int:
        """Days of work that the present attempt takes in all.

        Model: E25.
        """
        factor = self.world.case.factor[self.rank][self.trl - 1] if self.step_joint else 1.0
        base = self.world.luck.step_days[self.technology][self.trl - 1][self.attempt]
        return int(rules.work_days(base, factor))

    def needs(self) -> list[int]:
        """Units of facilities that the step needs."""
        return list(self.world.case.needs[self.rank][self.trl - 1])

    def facilities(self) -> Generator[simpy.Event, Any, bool]:
        """Wait for the step's facilities; False if the funded days end first.

        Model: E26.
        """
        request = self.world.facilities.ask(self)
        yield request | self.world.at(self.funded_end, WORK, self.rank)
        if self.queue is not None:
            self.world.facilities.withdraw(self)
        self.count_wait("wait_facility")
        return bool(request.triggered)

    def stop_work(self) -> None:
        """Lay down the work: count it and give back the facilities.

        Model: E27.
        """
        now = self.world.now
        self.remaining -= now - self.run_from
        self.count_work(now)
        self.run_from = -1
        need = self.needs()
        if any(need):
            self.world.facilities.give_back(need)

    def count_work(self, until: int) -> None:
        """Count the days worked since the work was taken up, and hand in what they completed.

        Model: E29.
        """
        before, self.worked = self.worked, self.worked + until - self.run_from
        for d, ready in self.ready.items():
            if before < ready <= self.worked:
                self.hand_in(d, until - (self.worked - ready))

    def end_attempt(self) -> None:
        """Model: E28."""
        luck = self.world.luck.step[self.technology][self.trl - 1][self.attempt]
        verdict = rules.attempt(luck, self.success(), self.world.case.setback)
        if verdict == SUCCESS:
            self.reach_next_trl()
            return
        self.attempt += 1
        if verdict == FAILURE or self.attempt == self.world.case.attempts:
            raise End(FAILED)
        self.count("setbacks", 1)
        self.note("setback", f"TRL {self.trl}")

    def reach_next_trl(self) -> None:
        """Model: E28."""
        self.trl += 1
        self.attempt = 0
        self.world.out.trl_day[self.world.row, self.rank, self.trl - 1] = self.world.now
        self.note("TRL reached", str(self.trl))
        self.begin_deliverables(range(self.trl, self.trl + 1))
        if self.trl == self.target:
            raise End(TARGET)

    def success(self) -> float:
        """Success of the attempt, with the spillover of technologies that reached their target before today.

        Model: E28, E30.
        """
        case, now = self.world.case, self.world.now
        table = case.success if self.step_joint else case.alone_success
        chance: float = table[self.rank][self.trl - 1]
        first = case.spillover_start[self.rank]
        gains = [
            case.spillover_gain[first + k]
            for k, other in enumerate(self.links("spillover"))
            if self.world.projects[other].is_at_target_before(now)
        ]
        if not gains:
            return chance
        self.count("spillovers", 1)
        for gain in gains:
            chance += gain
        return min(1.0, max(0.0, chance))

    def is_at_target_before(self, day: int) -> bool:
        return self.end_state == TARGET and self.end_day is not None and self.end_day < day

    # 5 gate

    def gate(self) -> _Life:
        """A review at the end of a tranche, and after each extension: next tranche, extension, or stop.

        Model: E31, E34.
        """
        if self.tranche + 1 == self.world.case.tranches[self.programme]:
            raise End(EXHAUSTED)
        while not (yield from self.passes(self.world.policies.gates[self.programme])):
            yield from self.extension()
        self.tranche += 1

    def passes(self, policy: GateDecisions) -> Generator[simpy.Event, Any, bool]:
        """Whether a review is passed; who is behind without an extension left is stopped.

        Model: E34.
        """
        stays = yield from self.round() if policy.rounds else self.review()
        passed = stays and self.passes_gate(policy)
        self.reviews += 1
        self.note("passes the gate" if passed else "is judged behind")
        given = self.world.out.extensions[self.world.row, self.rank]
        if not passed and not (stays and given < self.world.case.extensions[self.programme]):
            raise End(STOPPED)
        return passed

    def round(self) -> Generator[simpy.Event, Any, bool]:
        """Model: E37."""
        stays = yield self.world.rounds[self.programme].ask(self)
        self.count_wait("wait_panel")
        return bool(stays)

    def review(self) -> Generator[simpy.Event, Any, bool]:
        """Take a seat for as long as a review takes; without a panel the decision comes at once.

        Model: E31, E32.
        """
        case, panel = self.world.case, self.world.case.panel[self.programme]
        if panel < 0:
            yield self.world.at(self.world.now, PANEL, self.rank)
            return True
        yield self.world.panels[panel].ask(self)
        self.count_wait("wait_panel")
        self.seated = True
        yield self.world.at(self.world.now + case.review_days[panel], PANEL, self.rank)
        self.leave_seat()
        return True

    def leave_seat(self) -> None:
        self.seated = False
        self.world.panels[self.world.case.panel[self.programme]].give_back()

    def extension(self) -> _Life:
        """More funded months without money.

        Model: E34.
        """
        self.count("extensions", 1)
        self.extended = True
        self.fund(self.world.case.extension_days[self.programme])
        yield from self.technical_work()

    def lead(self) -> int:
        """TRL reached minus TRL planned.

        Model: E33.
        """
        case = self.world.case
        medians, entry = case.median_days[self.rank], case.trl[self.rank]
        return int(self.trl - rules.planned_trl(medians, entry, self.target, self.funded))

    def reviewed_lead(self) -> float:
        """Model: E37."""
        return float(self.lead() + self.world.luck.review_error[self.technology][self.reviews])

    def passes_gate(self, policy: GateDecisions) -> bool:
        case, g = self.world.case, self.programme
        luck = self.world.luck.gate[self.technology][self.reviews]
        rules_of_gate = case.alpha[g], case.beta[g], case.tolerance[g]
        known = self.reviews, self.trl, self.target
        return bool(policy.judge(self.lead(), self.missing(), luck, *rules_of_gate, *known))

    def missing(self) -> int:
        """Deliverables asked for, due at this gate and not handed in.

        Model: E35.
        """
        due, asked, days = self.world.case.due_tranche[self.programme], self.required_deliverables, self.delivered_day
        return sum(0 < due[d] <= self.tranche + 1 and days[d] < 0 for d in asked)

    @property
    def required_deliverables(self) -> list[int]:
        """Deliverables that the programme asks of this project."""
        return [d for d, asked in enumerate(self.world.case.asked[self.rank]) if asked]

    @property
    def delivered_day(self) -> Any:
        return self.world.out.delivered_day[self.world.row, self.rank]

    def begin_deliverables(self, reached: range) -> None:
        """Work begins on what is waiting for one of the TRLs now reached; what needs no work is handed in.

        Model: E29.
        """
        needed = self.world.luck.deliverable_days[self.technology]
        for d in self.required_deliverables:
            if self.world.case.after_trl[self.programme][d] in reached:
                self.ready[d] = self.worked + needed[d]
                if needed[d] == 0:
                    self.hand_in(d, self.world.now)

    def hand_in(self, d: int, day: int) -> None:
        """Hand in a deliverable, unless it all ends before.

        Model: E29.
        """
        if day < self.world.case.horizon:
            self.delivered_day[d] = day

    def deliverable_bits(self) -> int:
        """Deliverables handed in, as bits."""
        return sum(1 << d for d in self.required_deliverables if self.delivered_day[d] >= 0)

    # 6 end

    def withdraw(self) -> None:
        """Leave whatever the project is doing or waiting for, for a break in relations or by decision.

        Model: E39.
        """
        if self.queue is not None:
            queue = self.queue
            self.count_wait(queue.wait)
            queue.withdraw(self)
            if isinstance(queue, Queue):
                queue.grant_soon()  # it may have kept something from those behind it
        elif self.seated:
            self.leave_seat()
        elif self.run_from >= 0:
            self.stop_work()
        elif self.world.out.start_day[self.world.row, self.rank] < 0:
            self.count("wait_prerequisite", max(0, self.world.now - self.planned))

    def finish(self, state: int) -> None:
        """Give back money and place, tell those who wait for this technology.

        Model: E38.
        """
        self.give_refund()
        self.give_back_place()
        self.end_state, self.end_day = state, self.world.now
        self.note("ends", END_STATES[state])
        for other in self.links("dependent"):
            self.world.enter(self.world.now, REQUEST, other, self.world.projects[other].look)

    def give_refund(self) -> None:
        """Unused days of the tranche are refunded; after a break, money paid abroad is not returned.

        Model: E24.
        """
        unused = self.funded_end - self.world.now
        if unused <= 0 or self.extended:
            return
        out, at = self.world.out, (self.world.row, self.rank, self.tranche)
        broken = bool(out.lost_partner[self.world.row, self.rank])
        returnable = int(out.paid[at]) - (int(out.paid_abroad[at]) if broken else 0)
        amount = rules.refund(returnable, unused, self.world.case.tranche_days[self.programme][self.tranche])
        self.count("refund", amount)
        self.record("refund_day")
        self.purse.refund(amount)

    # book-keeping

    def links(self, kind: str) -> list[int]:
        case = self.world.case
        start = getattr(case, f"{kind}_start")
        return list(getattr(case, kind)[start[self.rank] : start[self.rank + 1]])

    def count(self, column: str, amount: int) -> None:
        getattr(self.world.out, column)[self.world.row, self.rank] += amount

    def count_wait(self, column: str) -> None:
        waited = self.world.now - self.since
        self.count(column, waited)
        if waited:
            self.note(f"waited for {column.removeprefix('wait_')}", f"{waited} days")

    def record(self, column: str) -> None:
        getattr(self.world.out, column)[self.world.row, self.rank] = self.world.now

    def note(self, event: str, detail: str = "") -> None:
        self.world.note("project", self.rank, event, detail)

    def close(self) -> None:
        """Write down how the project stands at the horizon, and its market.

        Model: E40, E41.
        """
        world, horizon = self.world, self.world.case.horizon
        if self.end_day is None:
            self.close_running(horizon)
            self.close_attempt(horizon)
        out, at = world.out, (world.row, self.rank)
        out.end_state[at] = self.end_state
        out.end_day[at] = -1 if self.end_day is None else self.end_day
        out.trl[at], out.joint_at_end[at] = self.trl, self.joint
        out.funded_days[at], out.worked_days[at] = self.funded, self.worked
        out.reviews[at], out.delivered[at] = self.reviews, self.deliverable_bits()
        if self.end_state == TARGET and self.end_day is not None and world.luck.commercial[self.technology]:
            market = self.end_day + world.luck.market_days[self.technology]
            out.market_day[at] = market if market < horizon else -1

    def close_attempt(self, horizon: int) -> None:
        """How far the step has come."""
        self.count("attempt", self.attempt)
        if self.remaining:
            left = self.remaining - (horizon - self.run_from if self.run_from >= 0 else 0)
            self.count("progress", self.attempt_days() - left)

    def close_running(self, horizon: int) -> None:
        """Model: E41."""
        if self.queue is not None:
            self.count(self.queue.wait, horizon - self.since)
        elif self.run_from >= 0:
            self.count_work(horizon)
        elif self.world.out.start_day[self.world.row, self.rank] < 0:
            self.count("wait_prerequisite", max(0, horizon - self.planned))
