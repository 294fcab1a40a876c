"""Pages on paper: how many sheets, and how small the letters."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from rdsim.report.page.policy_brief import one_page
from tests.browser.runs import Shelf
from tests.report import synthetic

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHEETS = 12
"""Most sheets of A4 for a plan with 180 technologies."""

LETTERS = {"large": 8.0, "brief": 8.0, "ladder": 8.0, "explain": 8.0}
"""Smallest type in points by kind of page, figures included."""

POINTS = 842.0
"""Of the longer side of A4."""


def printed(browser: Browser, file: Path, folder: Path) -> Path:
    """The page as a PDF."""
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    path = folder / "page.pdf"
    with opened(browser, file) as seen:
        seen.page.pdf(path=path, format="A4", prefer_css_page_size=True, print_background=True)
    return path


def sheets(pdf: Path) -> int:
    """How many pages it has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf.read_bytes()))


def smallest(pdf: Path) -> float:
    """The smallest type of all pages in points; it is told in dots, as many to a point as the page's height says."""
    command = ["pdftohtml", "-xml", "-i", "-zoom", "3", "-stdout", str(pdf)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    sizes = []
    for page in told.split("<page ")[1:]:
        dots = max(int(found) for found in re.findall(r'(?:height|width)="(\d+)"', page)[:2])
        sizes += [float(size) * POINTS / dots for size in re.findall(r'fontspec id="\d+" size="(\d+)"', page)]
    return min(sizes)


def test_a_large_plan_takes_twelve_sheets(browser: Browser, large: Path, tmp_path: Path) -> None:
    assert sheets(printed(browser, large, tmp_path)) <= SHEETS


def test_a_figure_is_as_wide_as_before_once_it_was_printed(browser: Browser, shelf: Shelf) -> None:
    from tests.browser.chromium import opened  # noqa: PLC0415 - there may be no playwright

    widths = "[...document.querySelectorAll('.plot svg')].map((one) => one.getAttribute('width'))"
    with opened(browser, shelf.page("ladder")) as seen:
        before = seen.page.evaluate(widths)
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        paper = seen.page.evaluate(widths)
        seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert before == seen.page.evaluate(widths) != paper


def test_a_brief_takes_one_sheet(browser: Browser, tmp_path: Path) -> None:
    """With as many technologies to name, and as long names, as there is room for."""
    plain = synthetic.build()
    table = plain.technologies.assign(name=lambda one: one["name"] + " with a long and telling name, as they are")
    many = replace(plain, technologies=pd.concat([table] * 10, ignore_index=True))
    page = tmp_path / "brief.html"
    page.write_text(one_page(many, plain.manifest)["html"], encoding="utf-8")
    assert sheets(printed(browser, page, tmp_path)) == 1


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("kind", LETTERS)
def test_letters_are_as_large_as_of_a_book(
    kind: str, browser: Browser, shelf: Shelf, large: Path, tmp_path: Path
) -> None:
    page = large if kind == "large" else shelf.page(kind)
    assert round(smallest(printed(browser, page, tmp_path)), 1) >= LETTERS[kind]  # told in whole dots


@pytest.mark.usefixtures("printer")
def test_small_letters_are_noticed(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p style='font-size: 12pt'>As they should be<p style='font-size: 5pt'>too small", encoding="utf-8")
    assert smallest(printed(browser, page, tmp_path)) == pytest.approx(5, abs=0.3)
