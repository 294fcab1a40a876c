"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.sizes import FULL
from tests.tiny import tiny_folder

# The first example of a test may compile the engine: no example has a deadline.
settings.register_profile("rdsim", deadline=None)
settings.load_profile("rdsim")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with the tiny scenario, the test's own copy."""
    return tiny_folder(tmp_path / "tiny")


@pytest.fixture(autouse=True)
def short_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter walks, unless all is asked for: tests are about right answers, not about the last tenth of a per cent."""
    if FULL:
        return
    monkeypatch.setattr("rdsim.optimiser.risk.MOVES", 20_000)
    monkeypatch.setattr("rdsim.optimiser.rens.MOVES", (10_000, 20_000))
    monkeypatch.setattr("rdsim.optimiser.floors.MOVES", 2000)
