"""Partner countries and organisations: opening, places, breaks in relations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdsim.engines.rules import RELEASE

if TYPE_CHECKING:
    from rdsim.engines.process.parts import WorldLike

__all__ = ["Partner"]


class Partner:
    """A country or organisation in which joint projects take places."""

    def __init__(self, world: WorldLike, index: int) -> None:
        self.world, self.index = world, index
        self.used = self.live = self.claim = self.closed_until = self.agreements = 0
        self.claimed = self.ready = self.never = False
        self.opened: int | None = None

    def is_open(self) -> bool:
        """Model: E13."""
        return self.ready and self.world.now >= self.closed_until

    def has_place(self) -> bool:
        """Model: E13."""
        return self.is_open() and self.used < self.world.case.places[self.index]

    def ask_to_open(self) -> None:
        """Claim the opening and the first year's running cost, once.

        Model: E12.
        """
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
        """Model: E12."""
        self.opened = self.world.now
        self.world.out.opened_day[self.world.row, self.index] = self.opened
        self.world.note("partner", self.index, "opens")
        self.world.enter(self.opened + self.world.case.setup_days[self.index], RELEASE, self.index, self._become_ready)

    def _become_ready(self) -> None:
        """Model: E12."""
        self.ready = True
        self.world.places.grant_soon()

    def claim_running_cost(self) -> None:
        """Model: E7."""
        kept = self.world.case.kept[self.index][self.world.year]
        if self.opened is not None and (kept > 0 or (kept < 0 and self.live)):
            self.claim += self.world.case.running_cost[self.index]

    def give_up(self) -> None:
        """The claim is larger than all money still to come.

        Model: E12.
        """
        if self.opened is None:
            self.never = True
            self.world.places.grant_soon()
        else:
            self.world.out.network_short[self.world.row, self.index] += self.claim
        self.claim = 0

    def break_off(self) -> None:
        """A break in relations: close for a while, and end the agreements and talks of its projects.

        Model: E17.
        """
        self.closed_until = max(self.closed_until, self.world.now + self.world.case.closed_days)
        self.world.note("partner", self.index, "breaks off relations")
        self.world.enter(self.closed_until, RELEASE, self.index, self.world.places.grant_soon)
        for project in self.world.projects:
            if project.holding and self in project.partners:
                project.lose_partner()
