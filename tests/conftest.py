"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import tiny_folder


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with the tiny scenario, the test's own copy."""
    return tiny_folder(tmp_path / "tiny")
