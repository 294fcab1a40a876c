"""One replication: the agenda, the queues, the partners and the projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from rdsim.case import DAYS_PER_YEAR, Case, Outcomes, SamplePaths, blank_outcomes
from rdsim.engines.process.agenda import Entry, TraceRow
from rdsim.engines.process.partners import Partner
from rdsim.engines.process.policies import Policies, policies
from rdsim.engines.process.project import Project
from rdsim.engines.process.queues import FacilityQueue, PanelQueue, PlaceQueue, Purse, ReviewRounds, StartQueue
from rdsim.engines.rules import BREAK, YEAR

__all__ = ["World", "run"]


def _lists(arrays: Case | SamplePaths, row: int | None = None) -> Any:
    """The same tuple with plain lists for arrays (of one replication): Python reads those faster."""
    plain = {
        name: (value if row is None else value[row]).tolist() if hasattr(value, "tolist") else value
        for name, value in arrays._asdict().items()
    }
    return type(arrays)(**plain)


class World:
    """One replication: the agenda, the queues, the partners and the projects."""

    def __init__(
        self, case: Case, asked: Policies, luck: SamplePaths, out: Outcomes, row: int, trace: list[TraceRow] | None
    ) -> None:
        self.env = simpy.Environment()
        self.case, self.policies, self.luck, self.out, self.row, self.trace = case, asked, luck, out, row, trace
        lines, panels = len(case.tranches), len(case.seats)
        self.starts = [StartQueue(self, g) for g in range(lines)]
        self.places = PlaceQueue(self, lines)
        self.purses = [Purse(self, lines + 1 + g, g) for g in range(lines)]
        self.panels = [PanelQueue(self, 2 * lines + 1 + q, q) for q in range(panels)]
        self.facilities = FacilityQueue(self, 2 * lines + 1 + panels)
        self.rounds = [ReviewRounds(self, g) for g in range(lines)]
        self.partners = [Partner(self, n) for n in range(len(case.places))]
        self.projects = [Project(self, p) for p in range(len(case.programme))]

    @property
    def now(self) -> int:
        return int(self.env.now)

    @property
    def year(self) -> int:
        return self.now // DAYS_PER_YEAR

    def at(self, day: int, phase: int, order: int) -> Entry:
        """An event on the agenda, to wait for."""
        return Entry(self.env, day, phase, order)

    def enter(self, day: int, phase: int, order: int, action: Callable[[], None]) -> None:
        """Put an action on the agenda."""
        entry = Entry(self.env, day, phase, order)
        assert entry.callbacks is not None  # noqa: S101 - a new event has its list
        entry.callbacks.append(lambda _: action())

    def note(self, subject: str, index: int, event: str, detail: str = "") -> None:
        if self.trace is not None:
            self.trace.append(TraceRow(self.now, subject, index, event, detail))

    def run(self) -> None:
        """From the first day to the horizon.

        Model: E1, E41.
        """
        self.enter(0, YEAR, 0, self.end_year)
        for partner, break_days in zip(self.partners, self.luck.break_day, strict=True):
            for day in break_days:
                if day >= 0:
                    self.enter(day, BREAK, partner.index, partner.break_off)
        self.env.run(until=self.case.horizon)
        last = self.case.horizon // DAYS_PER_YEAR - 1
        for purse in self.purses:
            self.out.lapsed[self.row, purse.programme, last] = purse.money
            self.out.short[self.row, purse.programme, last] = purse.open_requests(last)
        for project in self.projects:
            project.close()

    def end_year(self) -> None:
        """Year end: old money lapses or is carried over, new money and new starts come, partners' costs fall due.

        Model: E6, E7.
        """
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
        """Model: E8."""
        queue = self.starts[programme]
        queue.left = self.case.starts[programme][self.year]
        queue.grant_soon()


def run(case: Case, luck: SamplePaths, trace: list[TraceRow] | None = None) -> Outcomes:
    """Simulate every replication of the luck; a trace, if given, receives what happened, in order."""
    outcomes, plain = blank_outcomes(case, len(luck.agreed)), _lists(case)
    asked = policies(plain)
    for row in range(len(luck.agreed)):
        World(plain, asked, _lists(luck, row), outcomes, row, trace).run()
    return outcomes
