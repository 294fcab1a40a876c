"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from rdsim.registry import Registry
from tests.command import draw_here
from tests.tiny import tiny_folder

# The first example of a test may compile the engine: no example has a deadline.
settings.register_profile("rdsim", deadline=None)
settings.load_profile("rdsim")

SLOW = (
    "documents/test_blocks.py", "browser/test_pages.py",
    "sweep/test_crashes.py", "optimiser/test_explanation.py", "optimiser/test_conflicts.py",
    "fuzz/test_fuzz.py", "test_plugins.py", "test_benchmarks.py", "optimiser/test_exact.py", "sweep/test_sweeps.py",
    "test_calibration.py", "optimiser/test_confidence.py", "test_rolling.py", "test_loop.py",
    "engines/test_equality.py",
    "test_repeating.py", "sweep/test_answers.py", "test_studies.py", "test_cli.py", "engines/test_interpreted.py",
    "test_explanation.py", "test_tour.py", "extensions/test_world.py", "optimiser/test_risk.py",
    "torture/test_kills.py",
    "sweep/test_own_policies.py", "optimiser/test_fronts.py", "optimiser/test_methods.py",
    "optimiser/test_published.py",
    "serve/test_web.py", "serve/test_decisions.py", "browser/test_serve.py",
    "test_golden.py", "test_parts.py", "test_korea_2024.py", "test_api.py",
)  # fmt: skip
"""Files that take longest. Workers take whole files: with these first, none is left with a long one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first; otherwise the order stays."""
    root = Path(__file__).parent
    place = {root / name: number for number, name in enumerate(SLOW)}
    items.sort(key=lambda item: place.get(item.path, len(SLOW)))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with the tiny scenario, the test's own copy."""
    return tiny_folder(tmp_path / "tiny")


@pytest.fixture
def taken_back() -> Iterator[None]:
    """What the test registers is unregistered after it."""
    yield
    for registry in Registry.every:
        for name in registry.own():
            registry.unregister(name)


@pytest.fixture(autouse=True)
def drawn_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are drawn in the process of the tests.

    Tests of that process, and of pages' bytes (figures are numbered within a process), are marked `drawn_apart`.
    """
    if request.node.get_closest_marker("drawn_apart") is None:
        draw_here(monkeypatch)
