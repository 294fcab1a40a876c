"""One small run for these tests, and its workplace."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdsim.serve import Workplace
from tests.serve.desks import ready, small_run


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan's run."""
    return small_run(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="package")
def place(run: Path) -> Workplace:
    """The run's workplace, its samples in hand."""
    return ready(run)
