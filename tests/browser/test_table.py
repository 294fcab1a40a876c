"""The table of all technologies, used as a reader does: searched, narrowed, sorted, and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ALL = 180

COLUMN = """(title) => {
  const table = document.getElementById("technologies");
  const heading = Array.from(table.tHead.rows[0].cells).find((one) => one.textContent.trim() === title);
  const rows = Array.from(table.tBodies[0].rows).filter((row) => row.checkVisibility());
  return rows.map((row) => row.cells[heading.cellIndex].innerText.trim());
}"""


@pytest.fixture
def page(browser: Browser, large: Path) -> Iterator[Page]:
    """The page, just opened."""
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    with opened(browser, large) as seen:
        yield seen.page
        assert seen.complaints == []


def shown(page: Page, column: str = "Id") -> list[str]:
    """What the rows that are to be seen say in a column, from top to bottom."""
    found: list[str] = page.evaluate(COLUMN, column)
    return found


def count(page: Page) -> str:
    """How many are shown, as the page says."""
    return re.sub(r"^(\d+ of \d+).*", r"\1", page.locator("#count").inner_text(), flags=re.DOTALL)


def narrow(page: Page, title: str, choice: str) -> None:
    """One of the lists above the table."""
    page.locator("#controls").get_by_label(title).select_option(label=choice)


def head(page: Page, title: str) -> None:
    """A press on a column's heading."""
    page.locator("#technologies thead").get_by_role("button", name=re.compile(rf"^{title}\b")).click()


def numbers(texts: list[str]) -> list[float]:
    """Of those that say something."""
    return [float(text.replace(",", "").replace("\N{MINUS SIGN}", "-").rstrip("%")) for text in texts if text]


def test_at_first_all_are_shown(page: Page) -> None:
    assert len(shown(page)) == ALL
    assert count(page) == f"{ALL} of {ALL}"


def test_a_search_takes_rows_with_every_word_in_any_case(page: Page) -> None:
    page.locator("#search").fill("NUMBER t17")
    assert [one.split()[0] for one in shown(page)] == [f"T{number}" for number in range(170, 180)]
    assert count(page) == f"10 of {ALL}"
    page.locator("#search").fill("there is no such thing")
    assert shown(page) == []
    assert count(page) == f"0 of {ALL}"
    page.locator("#search").fill("")
    assert len(shown(page)) == ALL


def test_lists_narrow_it_together(page: Page) -> None:
    narrow(page, "Programme", "Leaps")
    assert len(shown(page)) == ALL / 2
    narrow(page, "Field", "Robots")
    assert len(shown(page)) == ALL / 6
    narrow(page, "Decision", "not funded")
    rows = shown(page)
    assert 0 < len(rows) < ALL / 6
    assert set(shown(page, "Decision")) == {"not funded"}
    assert all(field.split() == ["Robots", "Leaps"] for field in shown(page, "Field"))
    assert count(page) == f"{len(rows)} of {ALL}"


def test_a_heading_sorts_up_then_down_and_what_is_missing_stays_last(page: Page) -> None:
    head(page, "Requested")
    assert page.locator("th[aria-sort=ascending]").inner_text().strip().startswith("Requested")
    costs = numbers(shown(page, "Requested"))
    assert costs == sorted(costs)
    head(page, "Requested")
    assert page.locator("th[aria-sort]").count() == 1
    assert numbers(shown(page, "Requested")) == sorted(costs, reverse=True)
    for _ in ("up", "down"):
        head(page, "Start")
        starts = shown(page, "Start")
        assert starts[:140] != [""] * 140
        assert starts[140:] == [""] * 40
        assert all(starts[:140])


def test_what_is_sorted_stays_narrowed(page: Page) -> None:
    narrow(page, "Field", "Nuclear")
    before = shown(page)
    head(page, "Id")
    head(page, "Id")
    assert shown(page) == sorted(before, reverse=True)
    assert count(page) == f"{len(before)} of {ALL}"


def test_it_is_used_by_keyboard_alone(page: Page) -> None:
    page.locator("#search").focus()
    page.keyboard.type("batteries")
    found = shown(page)
    assert 0 < len(found) < ALL
    page.locator("#technologies thead button").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert shown(page) == sorted(found, reverse=True)


def test_a_table_that_is_wider_than_its_box_shows_that_there_is_more(page: Page) -> None:
    """A shadow at the edge on a phone; it scrolls by keyboard; nothing of it is printed."""
    page.set_viewport_size({"width": 375, "height": 800})
    box = page.locator("#table .scroll")
    assert box.evaluate("one => one.scrollWidth > one.clientWidth")
    assert box.evaluate("one => getComputedStyle(one).backgroundImage").count("linear-gradient") == 4
    assert box.evaluate("one => getComputedStyle(one).backgroundAttachment") == "local, local, scroll, scroll"
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#table .scroll').scrollLeft > 0")
    page.emulate_media(media="print")
    assert box.evaluate("one => getComputedStyle(one).backgroundImage") == "none"
    page.emulate_media(media="screen")
