"""What if in a browser: two tabs at once, which lose nothing; nothing is asked of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("starlette", reason="pip install 'rdsim[serve]' brings what answers the browser")

from rdsim.serve import Workplace
from tests.serve.desks import ready, served, small_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return ready(small_run(tmp_path_factory.mktemp("asked")))


@pytest.fixture(scope="module")
def port(place: Workplace) -> Iterator[int]:
    with served(place) as number:
        yield number


class _Tabs:
    """Tabs of one browser window, what they complain of, and what they ask for."""

    def __init__(self, browser: Browser, width: int) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900})
        self.complaints, self.requests = list[str](), list[str]()

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda asked: self.requests.append(asked.url))
        page.goto(address)
        return page


@pytest.fixture
def tabs(browser: Browser) -> Iterator[_Tabs]:
    found = _Tabs(browser, 1300)
    yield found
    found.context.close()


def decide(page: Page) -> None:
    """Press the first Decide; the answer is there when this returns."""
    page.get_by_role("button", name="Decide").first.click()
    page.wait_for_url("**/answers/*")


def test_what_if_with_two_tabs(tabs: _Tabs, place: Workplace, port: int) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 - there may be no playwright

    home = f"http://127.0.0.1:{port}/"
    first, second = tabs.open(home), tabs.open(home)
    expect(first.get_by_role("heading", name="What the run recommends")).to_be_visible()
    first.get_by_label("2025").first.fill("5")
    second.get_by_label("Japan").uncheck()
    first.get_by_role("button", name="Decide").first.click(no_wait_after=True)  # both are under way at once
    decide(second)
    first.wait_for_url("**/answers/*")
    assert first.url != second.url
    expect(first.get_by_label("2025").first).to_have_value("5")
    expect(first.get_by_label("Japan")).to_be_checked()
    expect(second.get_by_label("2025").first).not_to_have_value("5")
    expect(second.get_by_label("Japan")).not_to_be_checked()

    first.reload()  # each tab finds what the other asked
    for page in (first, second):
        number = page.url.rpartition("/")[2]
        assert place.history.entry(int(number)) is not None
        expect(first.get_by_role("link", name=f"Answer {number}: go back")).to_be_visible()
    expect(second.locator("#firm-state, #changes p").first).not_to_contain_text("worked out", timeout=60_000)

    mine = first.url
    first.get_by_role("link", name=f"Answer {second.url.rpartition('/')[2]}: go back").click()
    expect(first.get_by_label("Japan")).not_to_be_checked()
    first.go_back()
    assert first.url == mine
    expect(first.get_by_label("2025").first).to_have_value("5")
    first.get_by_label("2026").first.fill("4")  # from there on
    decide(first)
    entry = place.history.entry(int(first.url.rpartition("/")[2]))
    assert entry is not None
    assert [entry.answer.question.budgets["base"][year] for year in (2025, 2026)] == [5.0, 4.0]
    assert len(place.history.numbers()) == 3
    assert tabs.complaints == []
    assert tabs.requests
    assert all(one.startswith((home, "data:")) for one in tabs.requests)


def test_pages_bar_nobody_and_fit(browser: Browser, place: Workplace, port: int) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - there may be no playwright

    if not place.history.numbers():
        place.ask(place.levers)
    for width in (375, 800, 1300):
        tabs = _Tabs(browser, width)
        try:
            for path in ("", f"answers/{place.history.numbers()[-1]}"):
                page = tabs.open(f"http://127.0.0.1:{port}/{path}")
                page.locator("details").evaluate_all("found => found.forEach((one) => { one.open = true; })")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                if width == 1300:
                    found = Axe().run(page).response["violations"]
                    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
            assert [one for one in tabs.complaints if "Content Security Policy" not in one] == []
        finally:
            tabs.context.close()


def test_the_keyboard_reaches_every_lever(tabs: _Tabs, port: int) -> None:
    page = tabs.open(f"http://127.0.0.1:{port}/")
    wanted = page.locator("#levers").evaluate("""form => Array.from(form.elements)
        .filter((one) => one.checkVisibility() && one.name).map((one) => one.name)""")
    reached = []
    for _ in range(len(wanted) + 60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || ''"))
    assert set(wanted) <= set(reached)
    page.locator("input[name='budget.base.2024']").fill("9")
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/*")
