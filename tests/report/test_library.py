"""The scripts of the pages are bundled once for an installation, and never half or of another version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rdsim.report.page import library as module
from rdsim.report.page.library import library


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was bundled, each time."""
    made: list[str] = []

    def bundle() -> str:
        made.append(f"bundle {len(made)}: 기술")
        return made[-1]

    monkeypatch.setattr(module, "_KEPT", tmp_path / "kept")
    monkeypatch.setattr(module, "_bundle", bundle)
    library.cache_clear()
    yield made
    library.cache_clear()


def again() -> str:
    """As another process would find it."""
    library.cache_clear()
    return library()


def test_another_process_reads_what_is_kept(bundled: list[str]) -> None:
    assert library() == again() == "bundle 0: 기술"
    assert len(bundled) == 1


@pytest.mark.parametrize("damage", [b"", b"half", b"\xff\n", b"0\nother"])
def test_a_damaged_text_is_made_again(bundled: list[str], tmp_path: Path, damage: bytes) -> None:
    library()
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(damage)
    assert again() == bundled[-1] == "bundle 1: 기술"
    assert again() == bundled[-1]
    assert len(bundled) == 2


def test_of_another_version_only_the_newest_stays(
    bundled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    monkeypatch.setattr(module, "version", lambda _name: "0")
    assert again() == "bundle 1: 기술"
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert len(bundled) == 2


def test_a_closed_folder_costs_the_time_alone(bundled: list[str], tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder")
    assert (library(), again()) == ("bundle 0: 기술", "bundle 1: 기술")
    assert len(bundled) == 2
