"""Single edits of a JSON document, as a curious user's, a bad disk's or an attacker's hand makes them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

__all__ = ["VALUES", "edited"]

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 0.5, -1e308, "", "x", "../../evil", "/etc", "기술\0", [], {}, [[]], {"a": None},
    "a" * 10_000, [1, "x"], "2024-13-99", "<script>", [None] * 3,
)  # fmt: skip


def edited(document: Any, count: int, seed: int = 1) -> Iterator[Any]:
    """Copies of the document with one thing changed, removed, added or renamed each."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        found = copy.deepcopy(document)
        place, key = _place(found, chance)
        way = chance.randrange(4)
        if way == 0 and isinstance(place, dict):
            place[str(chance.choice(("x", "../x", "", "world")))] = place.pop(key)
        elif way == 1:
            del place[key]
        else:
            place[key] = copy.deepcopy(chance.choice(VALUES))
        yield found


def _place(document: Any, chance: random.Random) -> tuple[Any, Any]:
    """A container somewhere in the document, and a key of it."""
    place = document
    while True:
        key = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
        below = place[key]
        if not (isinstance(below, dict | list) and below) or chance.random() < 0.3:
            return place, key
        place = below
