"""Every kind of page, opened as a user does: alone, offline, whole, within the window, and read by all.

A page is looked at once; each test says one thing of what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rdsim.studies import QUESTIONS
from tests.browser.runs import COMMANDS, Shelf

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE, TABLET, DESK = 375, 800, 1300
"""Widths of windows in pixels."""

KINDS = [kind for kind in COMMANDS if kind != "simulate"]
"""Of pages: a simulation has none."""

EMPTY_FIGURES = """() => Array.from(document.querySelectorAll("[id^='figure-']"))
  .filter((place) => {
    const size = place.querySelector("svg")?.getBoundingClientRect();
    const marks = place.querySelectorAll("svg [class*='role-mark'] :is(path, rect, line, text)");
    return !size || size.width < 100 || size.height < 20 || marks.length === 0;
  })
  .map((place) => place.id)"""
"""Places of figures in which nothing is to be seen."""

MARK_CONTROLS = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  window.controls = Array.from(document.querySelectorAll(all)).filter((one) => one.checkVisibility());
  document.activeElement.blur();
  return window.controls.length;
}"""

FOCUSED = "() => window.controls.indexOf(document.activeElement)"
CONTROL = "(place) => window.controls[place].outerHTML.slice(0, 120)"


@dataclass(frozen=True)
class Sight:
    """What was seen of a page."""

    address: str
    complaints: Sequence[str]
    requests: Sequence[str]
    figures: int
    empty: Sequence[str]
    breadths: Mapping[int, int]
    violations: Sequence[str]
    missed: Sequence[str]


@pytest.fixture(scope="module")
def sights() -> dict[Path, Sight]:
    """Pages that were looked at."""
    return {}


@pytest.fixture(params=KINDS)
def sight(request: pytest.FixtureRequest, browser: Browser, shelf: Shelf, sights: dict[Path, Sight]) -> Sight:
    """What is to be seen of a page of each kind."""
    file = shelf.page(request.param)
    if file not in sights:
        sights[file] = look(browser, file)
    return sights[file]


def look(browser: Browser, file: Path) -> Sight:
    """A page on a phone, and at a desk, where its window is made as narrow as a tablet's in the end."""
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    breadths = {}
    with opened(browser, file, PHONE) as small:
        breadths[PHONE] = breadth(small.page)
    with opened(browser, file, DESK) as seen:
        breadths[DESK] = breadth(seen.page)
        figures, empty = seen.page.locator("[id^='figure-']").count(), seen.page.evaluate(EMPTY_FIGURES)
        violations, missed = list(barriers(seen.page)), list(unreached(seen.page))
        seen.page.set_viewport_size({"width": TABLET, "height": 900})
        breadths[TABLET] = breadth(seen.page)
    complaints, requests = small.complaints + seen.complaints, small.requests + seen.requests
    return Sight(file.as_uri(), complaints, requests, figures, empty, breadths, violations, missed)


def breadth(page: Page) -> int:
    """How wide the page is, with what its window does not show."""
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


def barriers(page: Page) -> Iterator[str]:
    """What axe calls serious or critical, and headings that skip a level, with the first place of each."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - there may be no playwright

    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    for one in found:
        if one["impact"] in {"serious", "critical"} or one["id"] == "heading-order":
            yield f"{one['id']} ({len(one['nodes'])} times): {one['nodes'][0]['html'][:200]}"


def unreached(page: Page) -> Iterator[str]:
    """Controls that no number of presses of Tab comes to."""
    count = page.evaluate(MARK_CONTROLS)
    met = set()
    # What the browser itself makes reachable (regions that scroll) comes in between.
    for _ in range(2 * count + 10):
        page.keyboard.press("Tab")
        met.add(page.evaluate(FOCUSED))
        if len(met - {-1}) == count:
            return
    yield from (page.evaluate(CONTROL, place) for place in range(count) if place not in met)


def test_it_opens_from_its_file_without_a_complaint(sight: Sight) -> None:
    """No error, no warning, nothing that its policy forbids; nothing is asked for but the file itself."""
    assert sight.complaints == []
    assert sight.requests == [sight.address] * 2


def test_every_figure_shows_something(sight: Sight) -> None:
    assert sight.empty == []


def test_it_is_no_wider_than_its_window(sight: Sight) -> None:
    assert {width: breadth for width, breadth in sight.breadths.items() if breadth > width} == {}


def test_nothing_bars_who_sees_or_hears_it_differently(sight: Sight) -> None:
    assert sight.violations == []


def test_every_control_is_reached_without_a_mouse(sight: Sight) -> None:
    assert sight.missed == []


def test_a_plans_page_has_all_its_figures(browser: Browser, shelf: Shelf, sights: dict[Path, Sight]) -> None:
    file = shelf.page("plan")
    sights[file] = sights.get(file) or look(browser, file)
    assert sights[file].figures >= 16


def test_every_question_is_among_the_pages() -> None:
    assert set(QUESTIONS) <= set(KINDS)


FAULTY = """<!DOCTYPE html><html lang="en"><head><title>Faulty</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"></head>
<body><h1>Faulty</h1><h3>Two levels down</h3><img src="http://rdsim.example/away.png"><script>alert(1)</script>
<div id="figure-none"><svg width="300" height="100"></svg></div>
<p style="width: 2000px; color: #ccc">Pale and wide</p><button tabindex="-1">Not reached</button></body></html>"""


def test_a_faulty_page_is_seen_to_be_one(browser: Browser, tmp_path: Path) -> None:
    """Every eye has sight: what the tests above look for is told where it is."""
    file = tmp_path / "faulty.html"
    file.write_text(FAULTY, encoding="utf-8")
    sight = look(browser, file)
    assert len([said for said in sight.complaints if "Content Security Policy" in said]) == 4
    assert sight.empty == ["figure-none"]
    assert [width for width, breadth in sight.breadths.items() if breadth > width] == [PHONE, DESK, TABLET]
    assert {"color-contrast", "heading-order", "image-alt"} <= {one.partition(" ")[0] for one in sight.violations}
    assert sight.missed == ['<button tabindex="-1">Not reached</button>']
