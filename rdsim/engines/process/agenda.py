"""Entries of the agenda, and what is written down of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import simpy

__all__ = ["Entry", "TraceRow"]


class TraceRow(NamedTuple):
    """Something that happened to a project (its place in order of rank) or to a partner (its place among hosts)."""

    day: int
    subject: str  # project or partner
    place: int
    event: str
    detail: str


class Entry(simpy.Event):
    """An entry of the agenda: happens on a day, in a phase, at an order within it.

    Model: E1.
    """

    def __init__(self, env: simpy.Environment, day: int, phase: int, order: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        priority: Any = (phase << 24) | order  # `EventPriority` of it would be a call more for each entry
        env.schedule(self, priority, day - env.now)
