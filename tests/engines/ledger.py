"""Rebuilds, from outcomes alone, what every purse, place and seat held day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from rdsim.case import DAYS_PER_YEAR, Case, Outcomes

__all__ = ["held_places", "purse_by_day", "year_of"]


def year_of(day: int) -> int:
    """The fiscal year of a day, counted from 0."""
    return day // DAYS_PER_YEAR


def purse_by_day(case: Case, out: Outcomes, r: int, g: int) -> Iterator[tuple[int, int]]:
    """(day, what is left in the purse) after each day on which projects' money moved; partners' cost left out."""
    moves: dict[int, int] = defaultdict(int)
    for p in np.flatnonzero(case.programme == g):
        for day, paid in zip(out.tranche_day[r, p].tolist(), out.paid[r, p].tolist(), strict=True):
            if day >= 0:
                moves[day] -= paid
        if out.refund_day[r, p] >= 0:
            moves[int(out.refund_day[r, p])] += int(out.refund[r, p])
    money = 0
    for y in range(case.budget.shape[1]):
        money = int(out.carried_in[r, g, y]) + int(out.new_money[r, g, y])
        for day in sorted(day for day in moves if year_of(day) == y):
            money += moves[day]
            yield day, money


def held_places(case: Case, out: Outcomes, r: int, n: int) -> Iterator[tuple[int, int, int]]:
    """(day, most that may have been held at once, held at its end) of each day on which places at partner n move.

    A place may be given back after others were taken on the same day: its project asks for money after the
    places have been granted, and there is none.
    """
    taken, freed = Counter[int](), Counter[int]()
    for p in np.flatnonzero((case.member == n).any(axis=1)):
        taken[int(out.place_day[r, p])] += 1
        freed[int(out.freed_day[r, p])] += 1
    held = 0
    for day in sorted((taken.keys() | freed.keys()) - {-1}):
        most = held + taken[day]
        held = most - freed[day]
        yield day, most, held
