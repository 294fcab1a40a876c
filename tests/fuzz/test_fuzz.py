"""Some hundreds of random inputs through every door; `make torture` sends a million."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import tried
from tests.fuzz.doors import DOORS
from tests.sizes import size

COSTLY = {"scenario": 2, "set": 2, "mapping": 2, "words": 4}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_nothing_that_comes_through_a_door_ends_in_a_traceback(name: str, tmp_path: Path) -> None:
    door = DOORS[name]
    taken = {tried(door, 0, number, tmp_path) for number in range(size(1200 // COSTLY.get(name, 1), 20_000))}
    assert len(taken) > 1  # some are refused, some are taken
