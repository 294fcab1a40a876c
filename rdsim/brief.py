"""How a value shows itself at a prompt and in a notebook: in a line, and as a small table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from rdsim.languages import ENGLISH, Message, active, gettext

__all__ = ["be", "count", "html_table", "listing"]

_ROWS = 12
_NAMES = 4


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1; of other languages the catalogue's text of the noun."""
    told = f"{number:,}"
    if active() != ENGLISH:
        return gettext(noun).format(number=told)
    plural = f"{noun[:-1]}ies" if noun.endswith(("gy", "ry")) else f"{noun}s"
    return Message(f"{told} {noun if number == 1 else plural}", {"text": noun, "with": {"number": told}})


def be(number: int) -> str:
    """The verb of so many."""
    return "is" if number == 1 else "are"


def listing(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    known = list(names)
    more = f", ... {len(known) - _NAMES:,} more" if len(known) > _NAMES else ""
    return ", ".join(known[:_NAMES]) + more


def html_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of HTML, its text escaped; of many rows the first, and how many more there are."""
    lines = [_row("th", head)] if head else []
    lines += [_row("td", row) for row in rows[:_ROWS]]
    if len(rows) > _ROWS:
        lines.append(_row("td", [f"... {len(rows) - _ROWS:,} more", *[""] * (len(rows[0]) - 1)]))
    return f"<table><caption>{escape(caption)}</caption>{''.join(lines)}</table>"


def _row(tag: str, cells: Iterable[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
