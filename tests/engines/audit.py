"""An auditor in the SimPy engine: looks on at every queue, keeps its own books, and counts ties.

Outcomes say what came of a year; the auditor sees every movement within it. It recomputes nothing with the
engine's rules: its statements are those of the model, section 3 and 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rdsim.engines.process import partners, queues
from rdsim.purses import PURSE_RULES

__all__ = ["Audit"]


def _strict(purse: Any) -> bool:
    return bool(purse.world.case.purse_rule[purse.programme] == PURSE_RULES.number("strict"))


class Audit:
    """What was seen; statements that do not hold fail at once, on the day on which they break."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ties: Counter[str] = Counter()
        self.claims_given_up = 0
        self.claims_waiting = 0
        self.served = 0
        self._asked: set[tuple[int, int]] = set()
        self._books: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is used twice
        for kind in (queues.Queue, queues.ReviewRounds):
            self._after(patch, kind, "ask", self._note_tie)
        for kind, look in (
            (queues.Purse, self._look_at_purse),
            (queues.PanelQueue, self._look_at_panel),
            (queues.FacilityQueue, self._look_at_facilities),
            (queues.PlaceQueue, self._look_at_places),
            (queues.StartQueue, self._look_at_starts),
        ):
            self._after(patch, kind, "serve", look)
        self._after(patch, queues.Purse, "end_year", self._new_year)
        self._after(patch, queues.Purse, "refund", self._refunded)
        self._after(patch, partners.Partner, "give_up", self._gave_up)

    @staticmethod
    def _after(patch: pytest.MonkeyPatch, kind: type, name: str, look: Callable[..., None]) -> None:
        original = getattr(kind, name)

        def method(self: Any, *given: Any) -> Any:
            found = original(self, *given)
            look(self, found)
            return found

        patch.setattr(kind, name, method)

    def _note_tie(self, queue: Any, _: object) -> None:
        self._kept.append(queue)
        where = (id(queue), queue.world.now)
        if where in self._asked:
            self.ties[type(queue).__name__] += 1
        self._asked.add(where)

    # purses

    def _new_year(self, purse: Any, _: object) -> None:
        case, luck, year = purse.world.case, purse.world.luck, purse.world.year
        rate = case.carry_ppm[purse.programme]
        carried = self._books.get(id(purse), 0) * rate // 1_000_000
        self._books[id(purse)] = carried + luck.budget[purse.programme][year]
        self._kept.append(purse)
        assert purse.money == self._books[id(purse)]

    def _refunded(self, purse: Any, _: object) -> None:
        assert purse.money >= self._books[id(purse)]
        self._books[id(purse)] = purse.money

    def _look_at_purse(self, purse: Any, over: list[tuple[Any, bool]]) -> None:
        """What was paid was there; who waits could not be paid; who was turned away could never be."""
        world, g = purse.world, purse.programme
        year, out = world.year, world.out
        spent = int(out.spent[world.row, g, year] + out.spent_network[world.row, g, year])
        income = sum(int(getattr(out, name)[world.row, g, year]) for name in ("new_money", "carried_in", "refunded"))
        self._books[id(purse)] = left = income - spent
        assert purse.money == left >= 0
        claims = [partner.claim for partner in world.partners] if purse.pays_partners else []
        self.claims_waiting += any(claims)
        assert _strict(purse) or all(left < claim for claim in claims if claim)
        to_come = left + sum(world.case.budget[g][year + 1 :])
        for project, paid in reversed(over):
            assert paid or project.request(year) > to_come
            to_come += project.request(year) if paid else 0
        self.served += sum(paid for _, paid in over)
        self._look_at_queue(purse, [project.rank for project, paid in over if paid], blocked=any(claims))

    @staticmethod
    def _look_at_queue(purse: Any, paid: list[int], blocked: bool) -> None:
        requests = [project.request(purse.world.year) for project in purse.waiting]
        if not _strict(purse):
            assert all(request > purse.money for request in requests)
        elif blocked:
            assert not paid  # an unpaid claim of a partner blocks every project
        elif requests:
            assert requests[0] > purse.money
            assert all(rank < purse.waiting[0].rank for rank in paid)

    # other queues

    def _look_at_panel(self, panel: Any, served: list[object]) -> None:
        case, seats = panel.world.case, panel.world.case.seats[panel.panel]
        seated = [p for p in panel.world.projects if p.seated and case.panel[p.programme] == panel.panel]
        assert panel.used == len(seated) + len(served)
        assert 0 <= panel.used <= seats
        assert panel.used == seats or not panel.waiting

    def _look_at_facilities(self, queue: Any, _: object) -> None:
        assert all(0 <= used <= units for used, units in zip(queue.used, queue.world.case.capacity, strict=True))
        working = [p for p in queue.world.projects if p.run_from >= 0 and any(p.needs())]
        held = [sum(column) for column in zip(*(p.needs() for p in working), strict=True)] or [0] * len(queue.used)
        assert all(used >= units for used, units in zip(queue.used, held, strict=True))
        if queue.waiting:
            first = queue.waiting[0].needs()
            assert any(u > c - used for u, c, used in zip(first, queue.world.case.capacity, queue.used, strict=True))

    def _look_at_places(self, queue: Any, _: object) -> None:
        now, kept = queue.world.now, set()
        for partner in queue.world.partners:
            holders = [p for p in queue.world.projects if p.holding and partner in p.partners]
            assert partner.used == len(holders) <= queue.world.case.places[partner.index]
        for project in queue.waiting:
            assert not any(partner.never for partner in project.partners)
            closed = [p for p in project.partners if not p.ready or now < p.closed_until]
            full = [p for p in project.partners if p.used >= queue.world.case.places[p.index]]
            assert closed or full or kept & set(project.partners)
            kept |= set() if closed else set(project.partners)

    def _look_at_starts(self, queue: Any, _: object) -> None:
        assert queue.left >= 0
        assert queue.left == 0 or not queue.waiting

    def _gave_up(self, partner: Any, _: object) -> None:
        self.claims_given_up += 1
        assert partner.claim == 0
