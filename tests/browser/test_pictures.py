"""The pictures that the repository's pages show: found, all of one size, and the same of the same page."""

from __future__ import annotations

import shutil
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.documents.blocks import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


def test_every_picture_that_is_shown_is_of_a_scenario_and_of_one_size(browser: Browser) -> None:
    from tests.browser.pictures import SIZE, pictures  # noqa: PLC0415 - there may be no playwright

    found = pictures()
    assert ROOT / "scenarios" / "korea-2024" / "report.png" in found
    assert all((picture.parent / "scenario.toml").is_file() for picture in found)
    assert {size(picture) for picture in found} == {SIZE}


def test_a_picture_is_the_same_of_the_same_page(browser: Browser, large: Path, tmp_path: Path) -> None:
    from tests.browser.pictures import SIZE, take  # noqa: PLC0415 - as above

    for name in ("one.png", "two.png"):
        take(browser, large, tmp_path / name)
    assert size(tmp_path / "one.png") == SIZE
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_pictures_are_taken_of_runs_that_are_there(
    browser: Browser, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.browser import pictures  # noqa: PLC0415 - as above

    run, picture = tmp_path / "results" / "mine", tmp_path / "scenarios" / "mine" / "report.png"
    for folder in (run, picture.parent):
        folder.mkdir(parents=True)
    shutil.copy(large, run / "report.html")
    (run / "manifest.json").touch()
    monkeypatch.setattr(pictures, "pictures", lambda: [picture])
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    monkeypatch.setattr(pictures, "running", lambda: nullcontext(browser))
    assert pictures.main(["--runs", str(tmp_path / "results")]) == 0
    assert capsys.readouterr().out == "written to scenarios/mine/report.png\n"
    assert size(picture) == pictures.SIZE


def test_without_a_browser_it_is_said(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.browser import pictures  # noqa: PLC0415 - as above

    monkeypatch.setattr(pictures, "executable", lambda: None)
    assert pictures.main([]) == 2
    assert "there is no browser on this machine" in capsys.readouterr().err
