"""Queues: where projects wait for starts, places, money, panel seats, facilities and rounds: by rank, or by a rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import TYPE_CHECKING

import simpy

from rdsim.case import DAYS_PER_YEAR
from rdsim.engines import rules
from rdsim.engines.rules import GRANT, PANEL, PARTNER_COST

if TYPE_CHECKING:
    from rdsim.engines.process.parts import PartnerLike, ProjectLike, WorldLike

__all__ = ["FacilityQueue", "PanelQueue", "PlaceQueue", "Purse", "Queue", "ReviewRounds", "StartQueue"]


class Queue(ABC):
    """A queue in order of rank for something scarce; `order` is its place among the grants of a day.

    One with a `rule` (its number in `Case.queue_rule`) looks at those who wait in the order of that rule.
    """

    wait = ""  # outcome column in which waiting here counts

    def __init__(self, world: WorldLike, order: int, rule: int | None = None) -> None:
        self.world, self.order = world, order
        self.key = None if rule is None else world.policies.queues[rule]
        self.waiting: list[ProjectLike] = []
        self.granting = False

    def ask(self, project: ProjectLike) -> simpy.Event:
        """Join the queue; the event that comes back succeeds when the project is served.

        Model: E2.
        """
        insort(self.waiting, project, key=lambda waiting: waiting.rank)
        project.queue, project.since, project.answer = self, self.world.now, self.world.env.event()
        self.grant_soon()
        return project.answer

    def withdraw(self, project: ProjectLike) -> None:
        del self.waiting[bisect_left(self.waiting, project.rank, key=lambda waiting: waiting.rank)]
        project.queue = None

    def grant_soon(self) -> None:
        """Model: E2."""
        if not self.granting:
            self.granting = True
            self.world.enter(self.world.now, GRANT, self.order, self._grant)

    def _grant(self) -> None:
        self.granting = False
        for project, answer in self.serve():
            project.queue = None
            project.answer.succeed(answer)

    @abstractmethod
    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Take out of the queue those whose wait is over: served (True), or turned away (False)."""

    def _first(self, count: int) -> list[tuple[ProjectLike, bool]]:
        if self.key is not None:
            return self._leave([(project, True) for project in self.in_order()[:count]])
        served, self.waiting = self.waiting[:count], self.waiting[count:]
        return [(project, True) for project in served]

    def in_order(self) -> list[ProjectLike]:
        """Those who wait, as they are looked at: of equal keys, the higher rank first.

        Model: E3.
        """
        if self.key is None:
            return self.waiting
        return sorted(self.waiting, key=lambda project: (self._key_of(project), project.rank))

    def _key_of(self, project: ProjectLike) -> float:
        assert self.key is not None  # noqa: S101 - asked of those that have one
        case, p, now = self.world.case, project.rank, self.world.now
        request = p, now - project.since, self.days(project)
        known = project.trl, project.target, case.deadline[p] - now, case.value[p], project.tranche
        found: float = self.key(*request, *known)
        return found

    def days(self, project: ProjectLike) -> int:  # noqa: ARG002
        """Days that a project asks for."""
        return 0

    def _leave(self, over: list[tuple[ProjectLike, bool]]) -> list[tuple[ProjectLike, bool]]:
        """Take out of the queue those whose wait is over; they go on in order of rank.

        Model: E2.
        """
        if not over:
            return over
        gone = {project.rank for project, _ in over}
        self.waiting = [project for project in self.waiting if project.rank not in gone]
        return sorted(over, key=lambda one: one[0].rank)


class StartQueue(Queue):
    """A programme's starts of the year."""

    wait = "wait_start"
    left = 0

    def __init__(self, world: WorldLike, order: int) -> None:
        super().__init__(world, order, 2 + len(world.case.seats))

    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Model: E11."""
        served = self._first(self.left)
        self.left -= len(served)
        return served


class PanelQueue(Queue):
    """A panel's seats."""

    wait = "wait_panel"

    def __init__(self, world: WorldLike, order: int, panel: int) -> None:
        super().__init__(world, order, 1 + panel)
        self.panel, self.used = panel, 0

    def days(self, project: ProjectLike) -> int:  # noqa: ARG002
        return int(self.world.case.review_days[self.panel])

    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Model: E32."""
        served = self._first(self.world.case.seats[self.panel] - self.used)
        if served:
            self.used += len(served)
            peak = self.world.out.peak_seats[self.world.row]
            peak[self.panel] = max(peak[self.panel], self.used)
        return served

    def give_back(self) -> None:
        """Model: E32."""
        self.used -= 1
        self.grant_soon()


class FacilityQueue(Queue):
    """Units of facilities, all that a step needs at once; who comes first keeps its units from those behind it."""

    wait = "wait_facility"

    def __init__(self, world: WorldLike, order: int) -> None:
        super().__init__(world, order, 1 + len(world.case.seats))
        self.used = [0] * len(world.case.capacity)

    def days(self, project: ProjectLike) -> int:
        return project.remaining

    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Model: E26."""
        reserved: set[int] = set()
        served: list[tuple[ProjectLike, bool]] = []
        for project in self.in_order():
            need = {f: units for f, units in enumerate(project.needs()) if units}
            if all(f not in reserved and self._free(f) >= units for f, units in need.items()):
                self._take(need, 1)
                served.append((project, True))
            else:
                reserved |= need.keys()
        return self._leave(served)

    def _free(self, f: int) -> int:
        return int(self.world.case.capacity[f]) - self.used[f]

    def _take(self, need: dict[int, int], sign: int) -> None:
        for f, units in need.items():
            self.used[f] += sign * units

    def give_back(self, needs: Sequence[int]) -> None:
        """Model: E26."""
        self._take(dict(enumerate(needs)), -1)
        self.grant_soon()


class PlaceQueue(Queue):
    """Places at partners; a consortium takes one with each member.

    A project that all its partners would let in, but for want of a place, keeps theirs from those behind it;
    one that waits for a partner to open keeps none.
    """

    wait = "wait_place"

    def __init__(self, world: WorldLike, order: int) -> None:
        super().__init__(world, order, 0)

    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Model: E13."""
        reserved: set[PartnerLike] = set()
        over: list[tuple[ProjectLike, bool]] = []
        for project in self.in_order():
            if any(partner.never for partner in project.partners):
                over.append((project, False))
            elif all(partner.has_place() and partner not in reserved for partner in project.partners):
                project.take_place()
                over.append((project, True))
            elif all(partner.is_open() for partner in project.partners):
                reserved.update(project.partners)
        return self._leave(over)


class Purse(Queue):
    """A programme's money of the year."""

    wait = "wait_money"

    def __init__(self, world: WorldLike, order: int, programme: int) -> None:
        super().__init__(world, order)
        self.programme, self.money = programme, 0
        self.rule = world.policies.purses[programme]
        self.pays_partners = programme == world.case.network

    def serve(self) -> list[tuple[ProjectLike, bool]]:
        """Model: E20."""
        blocked = self._serve_partners() if self.pays_partners else False
        over: list[tuple[ProjectLike, bool]] = []
        waiting: list[ProjectLike] = []
        year = self.world.year
        for project in self.waiting:
            amount = project.request(year)
            if not blocked and self._pays(amount, project.tranche):
                self.pay(project, amount)
                over.append((project, True))
            elif self._is_hopeless(amount):
                over.append((project, False))
            else:
                blocked = blocked or self._blocks(amount, project.tranche)
                waiting.append(project)
        self.waiting = waiting
        return over

    def _is_hopeless(self, amount: int) -> bool:
        """Model: E20."""
        announced = self.world.case.budget[self.programme]
        return rules.hopeless(amount, self.money, sum(announced[self.world.year + 1 :]))

    def _serve_partners(self) -> bool:
        """Partners come before projects; says whether an unpaid one blocks those behind it.

        Model: E19.
        """
        blocked = False
        for partner in self.world.partners:
            if not partner.claim:
                continue
            if not blocked and self._pays(partner.claim, PARTNER_COST):
                self._pay_partner(partner)
            elif self._is_hopeless(partner.claim):
                partner.give_up()
            else:
                blocked = blocked or self._blocks(partner.claim, PARTNER_COST)
        return blocked

    def _pays(self, amount: int, tranche: int) -> bool:
        """Model: E20, E21, E22."""
        return rules.fits(amount, self.money) and bool(self.rule.pays(amount, *self._present(tranche)))

    def _blocks(self, amount: int, tranche: int) -> bool:
        """Model: E20, E21, E22."""
        return bool(self.rule.blocks(amount, *self._present(tranche)))

    def _present(self, tranche: int) -> tuple[int, int, int, int]:
        """What a purse rule is told beside the amount: purse, year's new money, tranche, day of the year."""
        new = self.world.luck.budget[self.programme][self.world.year]
        return self.money, new, tranche, self.world.now % DAYS_PER_YEAR

    def _pay_partner(self, partner: PartnerLike) -> None:
        """Model: E12, E19."""
        out, row, year = self.world.out, self.world.row, self.world.year
        self.money -= partner.claim
        out.spent_network[row, self.programme, year] += partner.claim
        out.network_paid[row, partner.index, year] += partner.claim
        partner.claim = 0
        if partner.opened is None:
            partner.open()

    def pay(self, project: ProjectLike, amount: int) -> None:
        """Model: E23."""
        self.money -= amount
        self.world.out.spent[self.world.row, self.programme, self.world.year] += amount
        project.record_payment(amount)

    def refund(self, amount: int) -> None:
        """Model: E24, E42."""
        self.money += 0 if self.world.case.alone else amount
        self.world.out.refunded[self.world.row, self.programme, self.world.year] += amount
        self.grant_soon()

    def open_requests(self, year: int) -> int:
        """Requests that nobody has paid.

        Model: E6, E41.
        """
        claims = sum(partner.claim for partner in self.world.partners) if self.pays_partners else 0
        return claims + sum(project.request(year) for project in self.waiting)

    def end_year(self) -> None:
        """Carry over, let the rest lapse, and take the new year's money.

        Model: E6.
        """
        out, row, year = self.world.out, self.world.row, self.world.year
        if year:
            out.short[row, self.programme, year - 1] = self.open_requests(year - 1)
            carried = rules.carry_over(self.money, self.world.case.carry_ppm[self.programme])
            out.lapsed[row, self.programme, year - 1] = self.money - carried
            out.carried_in[row, self.programme, year] = carried
            self.money = carried
        new = self.world.luck.budget[self.programme][year]
        out.new_money[row, self.programme, year] = new
        self.money += new
        self.grant_soon()


class ReviewRounds:
    """The half-year rounds of a programme whose gate compares projects with one another."""

    wait = "wait_panel"

    def __init__(self, world: WorldLike, programme: int) -> None:
        self.world, self.programme = world, programme
        self.waiting: list[ProjectLike] = []
        self.day, self.fraction = -1, 0

    def ask(self, project: ProjectLike) -> simpy.Event:
        """Wait for the next round; the event tells whether the project stays.

        Model: E37.
        """
        insort(self.waiting, project, key=lambda waiting: waiting.rank)
        project.queue, project.since, project.answer = self, self.world.now, self.world.env.event()
        day = rules.next_round(self.world.now)
        if day != self.day:
            self.day = day
            order = len(self.world.projects) + self.programme
            self.world.enter(day, PANEL, order, self._hold)
        return project.answer

    def withdraw(self, project: ProjectLike) -> None:
        self.waiting.remove(project)
        project.queue = None

    def _hold(self) -> None:
        """Drop the worst; of equals, the one of lower rank (served later everywhere) goes first.

        Model: E37.
        """
        reviews, self.waiting = self.waiting, []
        case = self.world.case
        drops, self.fraction = self.world.policies.gates[self.programme].drops(
            len(reviews), case.drop_ppm[self.programme], self.fraction
        )
        worst = sorted(reviews, key=lambda project: (project.reviewed_lead(), -project.rank))[: max(drops, 0)]
        for project in reviews:
            project.queue = None
            project.answer.succeed(project not in worst)
