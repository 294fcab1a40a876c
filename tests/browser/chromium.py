"""The system's browser, driven by playwright: pages open from their files, offline; what they complain of is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

__all__ = ["NAMES", "Opened", "executable", "opened", "running"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""What a browser that playwright can drive is called; none is downloaded."""

UNDRAWN = "[id^='figure-']:not(:has(svg))"
"""Places of figures without a figure."""


@dataclass(frozen=True)
class Opened:
    """A page in the browser, what went wrong while it was open, and every address that it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def wait_for_figures(self) -> None:
        """Every figure is drawn when this returns. Raises AssertionError if one is not within a minute."""
        expect(self.page.locator(UNDRAWN)).to_have_count(0, timeout=60_000)


def executable() -> str | None:
    """The browser of this machine, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def running() -> Iterator[Browser]:
    """The browser, which is ended afterwards; there must be one."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable())
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1300, height: int = 900, scale: float = 1.0) -> Iterator[Opened]:
    """A page in a window of that many pixels, with all of its figures; there is no network."""
    screen = {"width": width, "height": height}
    context = browser.new_context(viewport=screen, device_scale_factor=scale, offline=True)
    try:
        seen = Opened(context.new_page())
        seen.page.on("console", lambda said: seen.complaints.append(f"{said.type}: {said.text}"))
        seen.page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(file.as_uri())
        seen.wait_for_figures()
        yield seen
    finally:
        context.close()
