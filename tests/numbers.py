"""Figures that are none: what Python writes where there is no number must not reach a reader."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["NO_NUMBER", "assert_numbers_everywhere"]

NO_NUMBER = re.compile(r"\b(nan|NaN|NaT|inf|None(?! of | was ))\b")
"""What Python writes where there is no number; "None of them" and "None was better" are English."""


def _words(page: Path) -> str:
    """The page's text without the programs and data in it."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def assert_numbers_everywhere(results: Path) -> None:
    """No page and no table below a folder says nan, inf, NaT or None."""
    for page in sorted(results.glob("*/report.html")):
        found = NO_NUMBER.search(_words(page))
        assert not found, (page, found)
    for table in results.rglob("*.csv"):
        assert not re.search(r"(^|,)-?(nan|inf|NaT|None)(,|$)", table.read_text(encoding="utf-8"), re.M), table
