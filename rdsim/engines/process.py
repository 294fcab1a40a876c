"""The SimPy engine: the readable reference for the life of a project, with traces.

Each project is a SimPy process that lives through the phases one after another (`_Project.life`). What it
waits for - a start, a place, money, a panel seat, units of facilities - is asked for at a `_Desk`, which
serves its queue in order of rank when its grant comes up on the agenda. Ties follow `rules`: an entry's phase
and order are its SimPy priority, so that SimPy's own event queue is the agenda. Answers to requests carry
SimPy's NORMAL priority and interrupts its URGENT one, which both precede every phase: whoever is served
goes on before anything else happens.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import simpy
from simpy.events import EventPriority

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
    Case,
    Luck,
    Outcomes,
    blank_outcomes,
)
from rdsim.engines import rules
from rdsim.engines.rules import AGREEMENT, BREAK, FAILURE, GRANT, PANEL, RELEASE, REQUEST, SUCCESS, WORK, YEAR
from rdsim.gates import GATE_POLICIES, GatePolicy

__all__ = ["TraceRow", "run"]

_Life = Generator[simpy.Event, Any, None]


class TraceRow(NamedTuple):
    """Something that happened to a project (its place in order of rank) or to a partner (its place among hosts)."""

    day: int
    subject: str  # project or partner
    place: int
    event: str
    detail: str


class _End(Exception):  # noqa: N818 - a signal between the phases of a life, not an error
    """A project's research and development ends."""

    def __init__(self, state: int) -> None:
        super().__init__(state)
        self.state = state


class _Entry(simpy.Event):
    """An entry of the agenda: happens on a day, in a phase, at an order within it."""

    def __init__(self, env: simpy.Environment, day: int, phase: int, order: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=EventPriority((phase << 24) | order), delay=day - env.now)


def _lists(arrays: Case | Luck, row: int | None = None) -> Any:
    """The same tuple with plain lists for arrays (of one replication): Python reads those faster."""
    plain = {
        name: (value if row is None else value[row]).tolist() if hasattr(value, "tolist") else value
        for name, value in arrays._asdict().items()
    }
    return type(arrays)(**plain)


# --- desks: where projects wait by rank -----------------------------------------------------------


class _Desk:
    """A queue in order of rank for something scarce; `order` is its place among the grants of a day."""

    def __init__(self, world: _World, order: int) -> None:
        self.world, self.order = world, order
        self.queue: list[_Project] = []
        self.granting = False

    def ask(self, project: _Project) -> simpy.Event:
        """Join the queue; the event that comes back succeeds when the project is served."""
        insort(self.queue, project, key=lambda waiting: waiting.rank)
        project.desk, project.since, project.answer = self, self.world.now, self.world.env.event()
        self.grant_soon()
        return project.answer

    def withdraw(self, project: _Project) -> None:
        del self.queue[bisect_left(self.queue, project.rank, key=lambda waiting: waiting.rank)]
        project.desk = None

    def grant_soon(self) -> None:
        if not self.granting:
            self.granting = True
            self.world.enter(self.world.now, GRANT, self.order, self._grant)

    def _grant(self) -> None:
        self.granting = False
        for project, answer in self.serve():
            project.desk = None
            project.answer.succeed(answer)

    def serve(self) -> list[tuple[_Project, bool]]:
        """Take out of the queue those whose wait is over: served (True), or turned away (False)."""
        raise NotImplementedError

    def _first(self, count: int) -> list[tuple[_Project, bool]]:
        served, self.queue = self.queue[:count], self.queue[count:]
        return [(project, True) for project in served]


class _StartDesk(_Desk):
    """A programme's starts of the year."""

    left = 0

    def serve(self) -> list[tuple[_Project, bool]]:
        served = self._first(self.left)
        self.left -= len(served)
        return served


class _PanelDesk(_Desk):
    """A panel's seats."""

    def __init__(self, world: _World, order: int, panel: int) -> None:
        super().__init__(world, order)
        self.panel, self.used = panel, 0

    def serve(self) -> list[tuple[_Project, bool]]:
        served = self._first(self.world.case.seats[self.panel] - self.used)
        self.used += len(served)
        peak = self.world.out.peak_seats[self.world.row]
        peak[self.panel] = max(peak[self.panel], self.used)
        return served

    def give_back(self) -> None:
        self.used -= 1
        self.grant_soon()


class _FacilityDesk(_Desk):
    """Units of facilities, all that a step needs at once; a higher rank keeps its units from a lower one."""

    def __init__(self, world: _World, order: int) -> None:
        super().__init__(world, order)
        self.used = [0] * len(world.case.capacity)

    def serve(self) -> list[tuple[_Project, bool]]:
        reserved: set[int] = set()
        served = []
        for project in self.queue:
            need = {f: units for f, units in enumerate(project.needs()) if units}
            if all(f not in reserved and self._free(f) >= units for f, units in need.items()):
                self._take(need, 1)
                served.append(project)
            else:
                reserved |= need.keys()
        self.queue = [project for project in self.queue if project not in served]
        return [(project, True) for project in served]

    def _free(self, f: int) -> int:
        return int(self.world.case.capacity[f]) - self.used[f]

    def _take(self, need: dict[int, int], sign: int) -> None:
        for f, units in need.items():
            self.used[f] += sign * units

    def give_back(self, needs: Sequence[int]) -> None:
        self._take(dict(enumerate(needs)), -1)
        self.grant_soon()


class _PlaceDesk(_Desk):
    """Places at partners; a consortium takes one with each member."""

    def serve(self) -> list[tuple[_Project, bool]]:
        reserved: set[_Partner] = set()
        over: list[tuple[_Project, bool]] = []
        waiting: list[_Project] = []
        for project in self.queue:
            if any(partner.never for partner in project.partners):
                over.append((project, False))
            elif all(partner.has_place() and partner not in reserved for partner in project.partners):
                project.take_place()
                over.append((project, True))
            else:
                reserved.update(project.partners)
                waiting.append(project)
        self.queue = waiting
        return over


class _Purse(_Desk):
    """A programme's money of the year."""

    def __init__(self, world: _World, order: int, programme: int) -> None:
        super().__init__(world, order)
        self.programme, self.money = programme, 0
        self.strict = world.case.strict[programme]
        self.pays_partners = programme == world.case.network

    def serve(self) -> list[tuple[_Project, bool]]:
        blocked = self._serve_partners() if self.pays_partners else False
        over: list[tuple[_Project, bool]] = []
        waiting: list[_Project] = []
        for project in self.queue:
            amount = project.request(self.world.year)
            if not blocked and rules.fits(amount, self.money):
                self.pay(project, amount)
                over.append((project, True))
            elif self._is_hopeless(amount):
                over.append((project, False))
            else:
                blocked = blocked or self.strict
                waiting.append(project)
        self.queue = waiting
        return over

    def _is_hopeless(self, amount: int) -> bool:
        announced = self.world.case.budget[self.programme]
        return rules.hopeless(amount, self.money, sum(announced[self.world.year + 1 :]))

    def _serve_partners(self) -> bool:
        """Partners come before projects; says whether an unpaid one blocks those behind it."""
        blocked = False
        for partner in self.world.partners:
            if not partner.claim:
                continue
            if not blocked and rules.fits(partner.claim, self.money):
                self._pay_partner(partner)
            elif self._is_hopeless(partner.claim):
                partner.give_up()
            else:
                blocked = blocked or self.strict
        return blocked

    def _pay_partner(self, partner: _Partner) -> None:
        out, row, year = self.world.out, self.world.row, self.world.year
        self.money -= partner.claim
        out.spent_network[row, self.programme, year] += partner.claim
        out.network_paid[row, partner.index, year] += partner.claim
        partner.claim = 0
        if partner.opened is None:
            partner.open()

    def pay(self, project: _Project, amount: int) -> None:
        self.money -= amount
        self.world.out.spent[self.world.row, self.programme, self.world.year] += amount
        project.record_payment(amount)

    def refund(self, amount: int) -> None:
        self.money += amount
        self.world.out.refunded[self.world.row, self.programme, self.world.year] += amount
        self.grant_soon()

    def unserved(self, year: int) -> int:
        """Requests that nobody has paid."""
        claims = sum(partner.claim for partner in self.world.partners) if self.pays_partners else 0
        return claims + sum(project.request(year) for project in self.queue)

    def end_year(self) -> None:
        """Carry over, let the rest lapse, and take the new year's money."""
        out, row, year = self.world.out, self.world.row, self.world.year
        if year:
            out.short[row, self.programme, year - 1] = self.unserved(year - 1)
            carried = rules.carried_over(self.money, self.world.case.carry_ppm[self.programme])
            out.lapsed[row, self.programme, year - 1] = self.money - carried
            out.carried_in[row, self.programme, year] = carried
            self.money = carried
        new = self.world.luck.budget[self.programme][year]
        out.new_money[row, self.programme, year] = new
        self.money += new
        self.grant_soon()


class _Rounds:
    """The half-year rounds of a programme whose gate compares projects with one another."""

    def __init__(self, world: _World, programme: int) -> None:
        self.world, self.programme = world, programme
        self.queue: list[_Project] = []
        self.day, self.fraction = -1, 0

    def ask(self, project: _Project) -> simpy.Event:
        """Wait for the next round; the event tells whether the project stays."""
        insort(self.queue, project, key=lambda waiting: waiting.rank)
        project.desk, project.since, project.answer = self, self.world.now, self.world.env.event()
        day = rules.next_round(self.world.now)
        if day != self.day:
            self.day = day
            order = len(self.world.projects) + self.programme
            self.world.enter(day, PANEL, order, self._hold)
        return project.answer

    def withdraw(self, project: _Project) -> None:
        self.queue.remove(project)
        project.desk = None

    def _hold(self) -> None:
        """Drop the worst; of equals, the one of lower rank (served later everywhere) goes first."""
        reviews, self.queue = self.queue, []
        case = self.world.case
        drops, self.fraction = project_policy(case, self.programme).drops(
            len(reviews), case.drop_ppm[self.programme], self.fraction
        )
        worst = sorted(reviews, key=lambda project: (project.reviewed_lead(), -project.rank))[:drops]
        for project in reviews:
            project.desk = None
            project.answer.succeed(project not in worst)


def project_policy(case: Case, programme: int) -> GatePolicy:
    """The gate policy of a programme."""
    return list(GATE_POLICIES.values())[int(case.policy[programme])]


# --- partners -------------------------------------------------------------------------------------


class _Partner:
    """A country or organisation in which joint projects take places."""

    def __init__(self, world: _World, index: int) -> None:
        self.world, self.index = world, index
        self.used = self.live = self.claim = self.closed_until = 0
        self.claimed = self.ready = self.never = False
        self.opened: int | None = None

    def has_place(self) -> bool:
        return self.ready and self.world.now >= self.closed_until and self.used < self.world.case.places[self.index]

    def ask_to_open(self) -> None:
        """Claim the opening and the first year's running cost, once."""
        if self.claimed:
            return
        case, self.claimed = self.world.case, True
        amount = case.setup_cost[self.index] + case.running_cost[self.index]
        if case.network < 0 or amount == 0:
            self.open()
        else:
            self.claim = amount
            self.world.purses[case.network].grant_soon()

    def open(self) -> None:
        self.opened = self.world.now
        self.world.out.opened_day[self.world.row, self.index] = self.opened
        self.world.note("partner", self.index, "opens")
        self.world.enter(self.opened + self.world.case.setup_days[self.index], RELEASE, self.index, self._become_ready)

    def _become_ready(self) -> None:
        self.ready = True
        self.world.places.grant_soon()

    def claim_running_cost(self) -> None:
        if self.opened is not None and self.live:
            self.claim += self.world.case.running_cost[self.index]

    def give_up(self) -> None:
        """The claim is larger than all money still to come."""
        if self.opened is None:
            self.never = True
            self.world.places.grant_soon()
        else:
            self.world.out.network_short[self.world.row, self.index] += self.claim
        self.claim = 0

    def break_off(self) -> None:
        """A break in relations: close for a while, and end the agreements and talks of its projects."""
        self.closed_until = max(self.closed_until, self.world.now + self.world.case.closed_days)
        self.world.note("partner", self.index, "breaks off relations")
        self.world.enter(self.closed_until, RELEASE, self.index, self.world.places.grant_soon)
        for project in self.world.projects:
            if project.holding and self in project.partners:
                project.lose_partner()


# --- projects -------------------------------------------------------------------------------------


class _Project:
    """One funded technology and its life."""

    def __init__(self, world: _World, rank: int) -> None:
        case = world.case
        self.world, self.rank = world, rank
        self.technology, self.programme = int(case.technology[rank]), int(case.programme[rank])
        self.partners = [world.partners[n] for n in case.member[rank] if n >= 0]
        for partner in self.partners:
            partner.live += 1
        self.joint, self.holding, self.counted = case.joint[rank], False, bool(self.partners)
        self.trl, self.target = case.trl[rank], case.target[rank]
        self.worked_at: dict[int, int] = {self.trl: 0}
        self.tranche, self.funded_end, self.extended = 0, -1, False
        self.attempt, self.remaining, self.step_joint, self.run_from = 0, 0, False, -1
        self.desk: Any = None
        self.seated = self.talking = False
        self.since, self.funded, self.worked, self.reviews = 0, 0, 0, 0
        self.answer = self.wake = world.env.event()
        self.end_state = RUNNING
        self.end_day: int | None = None
        self.planned = case.start_year[rank] * DAYS_PER_YEAR + case.call_day[self.programme]
        self.process = world.env.process(self.life())

    # the whole life

    def life(self) -> _Life:
        """From the call to the end of research and development."""
        try:
            yield from self.scheduled()
            yield from self.partnership()
            while True:
                yield from self.tranche_paid()
                yield from self.technical_work()
                yield from self.gate()
        except _End as end:
            self.finish(end.state, by_break=False)
        except simpy.Interrupt:
            self.withdraw()
            self.finish(DROPPED, by_break=True)

    # 1 scheduled

    def scheduled(self) -> _Life:
        """Wait for the planned call, for prerequisites, and for one of the programme's starts."""
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

    def look(self) -> None:
        """Look again: the call is open, or a prerequisite has ended."""
        if not self.wake.triggered:
            self.wake.succeed()

    def may_start(self) -> bool:
        """Whether the call is open and every prerequisite is met. Ends the project if one cannot be met any more."""
        if self.world.now < self.planned:
            return False
        met = True
        for other in self.links("prerequisite"):
            ahead = self.world.projects[other] if other >= 0 else None
            if ahead is None or ahead.end_state not in (RUNNING, TARGET):
                self.count("wait_prerequisite", self.world.now - self.planned)
                raise _End(BLOCKED)
            met = met and ahead.end_state == TARGET
        return met

    # 2 partnership

    def partnership(self) -> _Life:
        """Take a place at the partner and reach an agreement; without one, fall back."""
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
        """Whether an agreement is reached; a break in relations ends the talks at once."""
        self.talking = True
        try:
            days = self.world.luck.agreement_days[self.rank]
            yield self.world.at(self.world.now + days, AGREEMENT, self.rank)
        except simpy.Interrupt:
            return False
        finally:
            self.talking = False
        if self.world.luck.agreed[self.rank]:
            self.record("agreement_day")
            self.note("agreement")
        return bool(self.world.luck.agreed[self.rank])

    def take_place(self) -> None:
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
        """Go on as a domestic project, or be dropped, as the programme says."""
        self.give_back_place()
        if self.world.case.drop_fallback[self.programme]:
            raise _End(DROPPED)
        self.joint = False
        self.count("fell_back", 1)
        self.note("goes on as domestic")

    def lose_partner(self) -> None:
        """A break in relations; called by the partner."""
        self.count("lost_partner", 1)
        if self.talking or self.world.case.drop_fallback[self.programme]:
            self.process.interrupt()
            return
        self.give_back_place()
        self.joint = False
        self.count("fell_back", 1)
        self.note("goes on as domestic")
        if self.desk is self.purse:
            self.purse.grant_soon()

    # 3 tranche

    @property
    def purse(self) -> _Purse:
        return self.world.purses[self.programme]

    def tranche_paid(self) -> _Life:
        """Ask the purse for the next tranche; it funds work from the day it is paid."""
        paid = yield self.purse.ask(self)
        self.count_wait("wait_money")
        if not paid:
            raise _End(UNFUNDED)
        self.extended = False
        self.fund(self.world.case.tranche_days[self.programme][self.tranche])

    def request(self, year: int) -> int:
        """Won that the next tranche costs home in a year."""
        case, k = self.world.case, self.tranche
        if not self.joint:
            return int(case.domestic[self.rank][k])
        return int(case.home[self.rank][k] - case.abroad[self.rank][k] + self.paid_abroad(year))

    def paid_abroad(self, year: int) -> int:
        case = self.world.case
        rate = self.world.luck.exchange_ppm[case.currency[self.rank]][year]
        return rules.at_rate(case.abroad[self.rank][self.tranche], rate) if self.joint else 0

    def record_payment(self, amount: int) -> None:
        out, at = self.world.out, (self.world.row, self.rank, self.tranche)
        out.tranche_day[at] = self.world.now
        out.paid[at] = amount
        out.paid_abroad[at] = self.paid_abroad(self.world.year)
        if self.joint:
            out.paid_joint[at] = 1
            out.paid_foreign[at] = self.world.case.foreign[self.rank][self.tranche]
        self.note("tranche paid", f"{self.tranche + 1}: {amount}")

    def fund(self, days: int) -> None:
        self.funded_end = self.world.now + days
        self.funded += days

    # 4 technical work

    def technical_work(self) -> _Life:
        """Attempt step after step until the funded days are over; a step pauses then."""
        while self.world.now < self.funded_end:
            self.begin_attempt()
            in_time = yield from self.facilities()
            if not in_time:
                return
            self.run_from = self.world.now
            end = min(self.world.now + self.remaining, self.funded_end)
            yield self.world.at(end, WORK, self.rank)
            self.stop_work()
            if self.remaining == 0:
                self.end_attempt()

    def begin_attempt(self) -> None:
        """Draw the time of a new attempt; one that paused goes on with what is left."""
        if self.remaining:
            return
        self.step_joint = self.joint
        factor = self.world.case.factor[self.rank][self.trl - 1] if self.joint else 1.0
        base = self.world.luck.step_days[self.technology][self.trl - 1][self.attempt]
        self.remaining = rules.work_days(base, factor)

    def needs(self) -> list[int]:
        """Units of facilities that the step needs."""
        return list(self.world.case.needs[self.rank][self.trl - 1])

    def facilities(self) -> Generator[simpy.Event, Any, bool]:
        """Wait for the step's facilities, if it needs any; False if the funded days end first."""
        if not any(self.needs()):
            return True
        request = self.world.facilities.ask(self)
        yield request | self.world.at(self.funded_end, WORK, self.rank)
        if self.desk is not None:
            self.world.facilities.withdraw(self)
        self.count_wait("wait_facility")
        return bool(request.triggered)

    def stop_work(self) -> None:
        """Lay down the work: count it and give back the facilities."""
        done = self.world.now - self.run_from
        self.remaining -= done
        self.worked += done
        self.run_from = -1
        if any(self.needs()):
            self.world.facilities.give_back(self.needs())

    def end_attempt(self) -> None:
        luck = self.world.luck.step[self.technology][self.trl - 1][self.attempt]
        verdict = rules.attempt(luck, self.success(), self.world.case.setback)
        if verdict == SUCCESS:
            self.reach_next_trl()
            return
        self.attempt += 1
        if verdict == FAILURE or self.attempt == self.world.case.attempts:
            raise _End(FAILED)
        self.count("setbacks", 1)
        self.note("setback", f"TRL {self.trl}")

    def reach_next_trl(self) -> None:
        self.trl += 1
        self.attempt = 0
        self.worked_at[self.trl] = self.worked
        self.world.out.trl_day[self.world.row, self.rank, self.trl - 1] = self.world.now
        self.note("TRL reached", str(self.trl))
        if self.trl == self.target:
            raise _End(TARGET)

    def success(self) -> float:
        """Success of the attempt, with the spillover of technologies that reached their target before today."""
        case = self.world.case
        table = case.success if self.step_joint else case.alone_success
        chance: float = table[self.rank][self.trl - 1]
        first = case.spillover_start[self.rank]
        gains = [
            case.spillover_gain[first + k]
            for k, other in enumerate(self.links("spillover"))
            if self.world.projects[other].reached_before(self.world.now)
        ]
        if not gains:
            return chance
        self.count("spillovers", 1)
        for gain in gains:
            chance += gain
        return min(1.0, max(0.0, chance))

    def reached_before(self, day: int) -> bool:
        return self.end_state == TARGET and self.end_day is not None and self.end_day < day

    # 5 gate

    def gate(self) -> _Life:
        """A review at the end of a tranche: next tranche, extension, or stop."""
        case = self.world.case
        if self.tranche + 1 == case.tranches[self.programme]:
            raise _End(EXHAUSTED)
        policy = project_policy(case, self.programme)
        stays = yield from self.round() if policy.rounds else self.review()
        passed = stays and self.judged(policy)
        self.reviews += 1
        self.note("passes the gate" if passed else "is judged behind")
        if passed:
            self.tranche += 1
        elif stays and self.world.out.extensions[self.world.row, self.rank] < case.extensions[self.programme]:
            yield from self.extension()
        else:
            raise _End(STOPPED)

    def round(self) -> Generator[simpy.Event, Any, bool]:
        stays = yield self.world.rounds[self.programme].ask(self)
        self.count_wait("wait_panel")
        return bool(stays)

    def review(self) -> Generator[simpy.Event, Any, bool]:
        """Take a seat for as long as a review takes; without a panel the decision comes at once."""
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
        """More funded months without money, then the gate again."""
        self.count("extensions", 1)
        self.extended = True
        self.fund(self.world.case.extension_days[self.programme])
        yield from self.technical_work()
        yield from self.gate()

    def lead(self) -> int:
        """TRL reached minus TRL planned."""
        case = self.world.case
        medians, entry = case.median_days[self.rank], case.trl[self.rank]
        return int(self.trl - rules.planned_trl(medians, entry, self.target, self.funded))

    def reviewed_lead(self) -> float:
        return float(self.lead() + self.world.luck.review_error[self.technology][self.reviews])

    def judged(self, policy: GatePolicy) -> bool:
        case, g = self.world.case, self.programme
        luck = self.world.luck.gate[self.technology][self.reviews]
        return policy.judge(self.lead(), self.missing(), luck, case.alpha[g], case.beta[g], case.tolerance[g])

    def missing(self) -> int:
        """Deliverables due at this gate and not handed in."""
        due, delivered = self.world.case.due_tranche[self.programme], self.delivered()
        count = self.world.case.deliverables[self.programme]
        return sum(0 < due[d] <= self.tranche + 1 and not delivered >> d & 1 for d in range(count))

    def delivered(self) -> int:
        """Deliverables handed in, as bits: enough work has been done since the TRL after which each starts."""
        case, needed = self.world.case, self.world.luck.deliverable_days[self.technology]
        bits = 0
        for d in range(case.deliverables[self.programme]):
            since = self.worked_at.get(max(case.after_trl[self.programme][d], case.trl[self.rank]))
            if since is not None and self.worked - since >= needed[d]:
                bits |= 1 << d
        return bits

    # 6 end

    def withdraw(self) -> None:
        """Leave whatever the project is doing or waiting for (only a break in relations does this)."""
        if self.desk is not None:
            name = {_Purse: "wait_money", _FacilityDesk: "wait_facility"}.get(type(self.desk), "wait_panel")
            self.count_wait(name)
            desk = self.desk
            desk.withdraw(self)
            if isinstance(desk, _Purse):
                desk.grant_soon()
        elif self.seated:
            self.leave_seat()
        elif self.run_from >= 0:
            self.stop_work()

    def finish(self, state: int, by_break: bool) -> None:
        """Give back money and place, tell those who wait for this technology."""
        self.give_refund(by_break)
        self.give_back_place()
        self.end_state, self.end_day = state, self.world.now
        self.note("ends", END_STATES[state])
        for other in self.links("dependent"):
            self.world.enter(self.world.now, REQUEST, other, self.world.projects[other].look)

    def give_refund(self, by_break: bool) -> None:
        """Unused days of the tranche are refunded; after a break, money paid abroad is not returned."""
        unused = self.funded_end - self.world.now
        if unused <= 0 or self.extended:
            return
        out, at = self.world.out, (self.world.row, self.rank, self.tranche)
        returnable = int(out.paid[at]) - (int(out.paid_abroad[at]) if by_break else 0)
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
        """Write down how the project stands at the horizon, and its market."""
        world, horizon = self.world, self.world.case.horizon
        if self.end_day is None:
            self.close_running(horizon)
        out, at = world.out, (world.row, self.rank)
        out.end_state[at] = self.end_state
        out.end_day[at] = -1 if self.end_day is None else self.end_day
        out.trl[at], out.joint_at_end[at] = self.trl, self.joint
        out.funded_days[at], out.worked_days[at] = self.funded, self.worked
        out.reviews[at], out.delivered[at] = self.reviews, self.delivered()
        if self.end_state == TARGET and self.end_day is not None and world.luck.commercial[self.technology]:
            market = self.end_day + world.luck.market_days[self.technology]
            out.market_day[at] = market if market < horizon else -1

    def close_running(self, horizon: int) -> None:
        if self.desk is not None:
            self.count(self.world.wait_column(self.desk), horizon - self.since)
        elif self.run_from >= 0:
            self.worked += horizon - self.run_from
        elif self.world.out.start_day[self.world.row, self.rank] < 0:
            self.count("wait_prerequisite", max(0, horizon - self.planned))


# --- the world ------------------------------------------------------------------------------------


class _World:
    """One replication: the agenda, the desks, the partners and the projects."""

    def __init__(self, case: Case, luck: Luck, out: Outcomes, row: int, trace: list[TraceRow] | None) -> None:
        self.env = simpy.Environment()
        self.case, self.luck, self.out, self.row, self.trace = case, luck, out, row, trace
        lines, panels = len(case.tranches), len(case.seats)
        self.starts = [_StartDesk(self, g) for g in range(lines)]
        self.places = _PlaceDesk(self, lines)
        self.purses = [_Purse(self, lines + 1 + g, g) for g in range(lines)]
        self.panels = [_PanelDesk(self, 2 * lines + 1 + q, q) for q in range(panels)]
        self.facilities = _FacilityDesk(self, 2 * lines + 1 + panels)
        self.rounds = [_Rounds(self, g) for g in range(lines)]
        self.partners = [_Partner(self, n) for n in range(len(case.places))]
        self.projects = [_Project(self, p) for p in range(len(case.programme))]

    @property
    def now(self) -> int:
        return int(self.env.now)

    @property
    def year(self) -> int:
        return self.now // DAYS_PER_YEAR

    def at(self, day: int, phase: int, order: int) -> _Entry:
        """An event on the agenda, to wait for."""
        return _Entry(self.env, day, phase, order)

    def enter(self, day: int, phase: int, order: int, action: Callable[[], None]) -> None:
        """Put an action on the agenda."""
        entry = self.at(day, phase, order)
        assert entry.callbacks is not None  # noqa: S101 - a new event has its list
        entry.callbacks.append(lambda _: action())

    def note(self, subject: str, index: int, event: str, detail: str = "") -> None:
        if self.trace is not None:
            self.trace.append(TraceRow(self.now, subject, index, event, detail))

    def wait_column(self, desk: object) -> str:
        """Outcome column in which waiting at a desk counts."""
        columns = {_StartDesk: "wait_start", _PlaceDesk: "wait_place", _Purse: "wait_money"}
        return {**columns, _FacilityDesk: "wait_facility"}.get(type(desk), "wait_panel")

    def run(self) -> None:
        """From the first day to the horizon."""
        self.enter(0, YEAR, 0, self.end_year)
        for partner, break_days in zip(self.partners, self.luck.break_day, strict=True):
            for day in break_days:
                if day >= 0:
                    self.enter(day, BREAK, partner.index, partner.break_off)
        self.env.run(until=self.case.horizon)
        last = self.case.horizon // DAYS_PER_YEAR - 1
        for purse in self.purses:
            self.out.lapsed[self.row, purse.programme, last] = purse.money
            self.out.short[self.row, purse.programme, last] = purse.unserved(last)
        for project in self.projects:
            project.close()

    def end_year(self) -> None:
        """Year end: old money lapses or is carried over, new money and new starts come, partners' costs fall due."""
        for g, purse in enumerate(self.purses):
            purse.end_year()
            self.starts[g].left = 0
            self.enter(self.now + self.case.call_day[g], YEAR, 1 + g, lambda g=g: self.open_call(g))  # type: ignore[misc]
        if self.case.network >= 0:
            for partner in self.partners:
                partner.claim_running_cost()
        if self.now + DAYS_PER_YEAR < self.case.horizon:
            self.enter(self.now + DAYS_PER_YEAR, YEAR, 0, self.end_year)

    def open_call(self, programme: int) -> None:
        desk = self.starts[programme]
        desk.left = self.case.starts[programme][self.year]
        desk.grant_soon()


def run(case: Case, luck: Luck, trace: list[TraceRow] | None = None) -> Outcomes:
    """Simulate every replication of the luck; a trace, if given, receives what happened, in order."""
    outcomes, plain = blank_outcomes(case, len(luck.agreed)), _lists(case)
    for row in range(len(luck.agreed)):
        _World(plain, _lists(luck, row), outcomes, row, trace).run()
    return outcomes
