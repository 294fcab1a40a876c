"""What the parts of a replication know of one another, whoever they are: the world, projects, partners, queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import simpy

from rdsim.case import Case, Outcomes, SamplePaths
from rdsim.engines.process.agenda import Entry
from rdsim.engines.process.policies import Policies

__all__ = [
    "Facilities",
    "GrantQueueLike",
    "PanelLike",
    "PartnerLike",
    "ProjectLike",
    "PurseLike",
    "QueueLike",
    "WorldLike",
]


class QueueLike(Protocol):
    """Where a project waits."""

    def ask(self, project: Any) -> simpy.Event:
        """Join the queue; the event that comes back succeeds when the project is served."""

    def withdraw(self, project: Any) -> None:
        """Leave it unserved."""


class GrantQueueLike(QueueLike, Protocol):
    """A queue for something scarce."""

    def grant_soon(self) -> None:
        """Look at the queue again, today."""


class PanelLike(GrantQueueLike, Protocol):
    """Seats of a panel."""

    def give_back(self) -> None:
        """A seat is free again."""


class Facilities(GrantQueueLike, Protocol):
    """Units of facilities."""

    def give_back(self, needs: Sequence[int]) -> None:
        """Units are free again."""


class PurseLike(GrantQueueLike, Protocol):
    """A programme's money."""

    def refund(self, amount: int) -> None:
        """Money comes back."""


class PartnerLike(Protocol):
    """A partner, as queues and projects see it."""

    index: int
    used: int
    live: int
    claim: int
    agreements: int
    never: bool
    opened: int | None

    def is_open(self) -> bool:
        """Whether it lets projects in."""

    def has_place(self) -> bool:
        """Whether it lets one more in."""

    def ask_to_open(self) -> None:
        """Claim the opening and the first year's running cost, once."""

    def open(self) -> None:
        """Its opening is paid."""

    def give_up(self) -> None:
        """Its claim will never be paid."""


class ProjectLike(Protocol):
    """A project, as queues, partners and other projects see it."""

    rank: int
    queue: Any
    since: int
    answer: simpy.Event
    tranche: int
    trl: int
    target: int
    remaining: int
    holding: bool
    end_state: int

    @property
    def partners(self) -> Sequence[PartnerLike]:
        """With whom it is joint."""

    def look(self) -> None:
        """Look whether what it waits for has come."""

    def is_at_target_before(self, day: int) -> bool:
        """Whether it had reached its target."""

    def needs(self) -> list[int]:
        """Units of each facility that its next step needs."""

    def take_place(self) -> None:
        """A place at each partner is its own."""

    def request(self, year: int) -> int:
        """Money that it asks for."""

    def record_payment(self, amount: int) -> None:
        """Money that it got."""

    def reviewed_lead(self) -> float:
        """Its lead as reviewers see it."""

    def lose_partner(self) -> None:
        """A partner broke off."""


class WorldLike(Protocol):
    """One replication, as its parts see it."""

    env: simpy.Environment
    case: Case
    policies: Policies
    luck: SamplePaths
    out: Outcomes
    row: int

    @property
    def now(self) -> int:
        """Day."""

    @property
    def year(self) -> int:
        """Year, counted from the first."""

    def at(self, day: int, phase: int, order: int) -> Entry:
        """An event on the agenda, to wait for."""

    def enter(self, day: int, phase: int, order: int, action: Callable[[], None]) -> None:
        """Put an action on the agenda."""

    def note(self, subject: str, index: int, event: str, detail: str = "") -> None:
        """A line of the trace."""

    @property
    def starts(self) -> Sequence[GrantQueueLike]:
        """Starts of the year, by programme."""

    @property
    def places(self) -> GrantQueueLike:
        """Places at partners."""

    @property
    def purses(self) -> Sequence[PurseLike]:
        """Money of the year, by programme."""

    @property
    def panels(self) -> Sequence[PanelLike]:
        """Seats, by panel."""

    @property
    def facilities(self) -> Facilities:
        """Units of facilities."""

    @property
    def rounds(self) -> Sequence[QueueLike]:
        """Rounds of gates, by programme."""

    @property
    def partners(self) -> Sequence[PartnerLike]:
        """Partners, by place."""

    @property
    def projects(self) -> Sequence[ProjectLike]:
        """Projects, in order of rank."""
