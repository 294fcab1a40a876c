"""Cells before they are converted, and those that hold several things: names with | between, each with its number.

``semiconductor:0.6|materials:0.4`` is a table of numbers by name, ``US|TW`` a list of names. A text in a cell's place,
as ``--set`` gives it, is read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rdsim.numerals import PLAIN, Style
from rdsim.scenario.shapes import Shape
from rdsim.tables import shown_value

__all__ = ["Cell", "cell_entries", "together"]


@dataclass(frozen=True)
class Cell:
    """A number's cell, not yet converted: its text, its column's unit, and how its file writes numbers."""

    text: str
    unit: str = ""
    style: Style = PLAIN


def cell_entries(cell: Cell | str, shape: Shape) -> tuple[Any, tuple[str, str] | None]:
    """What a cell of a `Joined` field holds, numbers as cells again; and the rule that is broken with what was found.

    What cannot be taken apart is empty.
    """
    text, style = (cell.text, cell.style) if isinstance(cell, Cell) else (cell, PLAIN)
    parts = [one.strip() for one in text.split("|")] if text.strip() else []
    if shape.kind == "list":
        return parts, None
    pairs = [one.rpartition(":") for one in parts]
    named = [(name.strip() if mark else rest, rest.strip() if mark else "") for name, mark, rest in pairs]
    rule = _broken_rule(named, shape)
    if rule:
        return {}, (rule, shown_value(text))
    alone = shape.joined.alone if shape.joined else None
    return {name: Cell(number, "", style) if number else alone for name, number in named}, None


def _broken_rule(named: list[tuple[str, str]], shape: Shape) -> str:
    """The rule of names with numbers that is broken, or ''."""
    numbered = [bool(number) for _, number in named]
    if len({name for name, _ in named}) < len(named):
        return "must hold each name once, separated by |"
    if shape.joined is not None and shape.joined.alone is None and not all(numbered):
        return "must give each name its number, as name:number, separated by |"
    if any(numbered) and not all(numbered):
        return "must give every name its number, as name:number, or none of them"
    return ""


def together(value: Mapping[str, object] | Iterable[str]) -> str:
    """The text of a cell that holds names, or names with their numbers."""
    if isinstance(value, Mapping):
        return "|".join(f"{name}:{number}" for name, number in value.items())
    return "|".join(value)
