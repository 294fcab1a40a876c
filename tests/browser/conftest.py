"""The browser, and pages to look at. Without a browser, or what drives it, these tests are left out, and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.runs import Shelf, large_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for these tests, and gone before others begin: while it lives, an event loop runs in this thread."""
    pytest.importorskip("playwright", reason="pip install 'rdsim[test]' brings what drives a browser")
    from tests.browser.chromium import NAMES, executable, running  # noqa: PLC0415 - there may be no playwright

    if executable() is None:
        pytest.skip(f"there is no browser on this machine (looked for {', '.join(NAMES)})")
    with running() as started:
        yield started


@pytest.fixture(scope="package")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Runs of every kind."""
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="package")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with as many technologies as the largest scenario that is shipped."""
    return large_page(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="package")
def printer() -> None:
    """What reads a printed page back."""
    if shutil.which("pdftohtml") is None:
        pytest.skip("there is no pdftohtml on this machine (Debian: poppler-utils)")
