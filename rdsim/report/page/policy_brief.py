"""A plan on one page: as HTML that prints to one sheet of A4, and as a slide, which is one SVG."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rdsim.languages import active, unit_of_money
from rdsim.report import words
from rdsim.report.data.plan import PlanReport
from rdsim.report.page.html import as_markup, environment, picture

__all__ = ["one_page"]

_WIDTH, _HEIGHT, _EDGE = 1280, 720, 48
_FIGURES = ("fields", "partners")
_INK, _QUIET, _BLUE = "#1B1F24", "#3A4149", "#0072B2"
_LATIN, _BOLD, _EAST_ASIAN = 0.55, 0.64, 1.0
"""Widths of letters, on average, as shares of the type size: a slide's words are broken before it is drawn."""


@dataclass(frozen=True)
class _Line:
    """A line of text of the slide; pixels."""

    x: float
    y: float
    size: int
    text: str
    colour: str = _INK
    bold: bool = False


_LOWER = 0.58
"""Height of a figure, one of two beside each other on A4, as a part of that on a screen."""


def one_page(page: PlanReport, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The HTML page (`html`) and the slide (`svg`) of a plan's run."""
    from rdsim.report.charts import plan  # noqa: PLC0415 - Altair takes most of a second to import
    from rdsim.report.charts.figure import COLUMN  # noqa: PLC0415 - as above

    report = replace(page, manifest=manifest, money_unit=unit_of_money(page.money_unit))
    told = words.brief(report)
    figures = [figure for figure in plan.draw(report, "chosen") if figure.key in _FIGURES]
    drawn = {figure.key: picture(figure, COLUMN, _LOWER) for figure in figures}
    style = as_markup((Path(__file__).parent / "brief.css").read_text(encoding="utf-8"))
    pages, shown = environment(), {"report": report, "manifest": manifest, "brief": told, "language": active()}
    slide = _slide(report, told, [str(one) for one in drawn.values()])
    return {
        "html": pages.get_template("brief.html.j2").render(style=style, figures=figures, pictures=drawn, **shown),
        "svg": pages.get_template("slide.svg.j2").render(report=report, **slide),
    }


# --- the slide ------------------------------------------------------------------------------------


def _slide(report: PlanReport, told: words.Brief, drawn: Sequence[str]) -> dict[str, Any]:
    """What the slide's template is filled with: words on the left, figures on the right, the decision below."""
    left, half = _EDGE, (_WIDTH - 3 * _EDGE) * 0.56
    lines = [*_block(report.title, left, 64, 30, _WIDTH - 2 * _EDGE, bold=True, most=1)]
    lines += _block(told.question, left, lines[-1].y + 34, 17, _WIDTH - 2 * _EDGE, colour=_QUIET, most=2)
    top = lines[-1].y + 44
    lines += _block(" ".join(told.recommendation), left, top, 17, half, most=7)
    lines += _numbers(told.numbers, left, lines[-1].y + 34, half)
    below = lines[-1].y + 40
    for sentence in told.doubts:
        fits = _block(f"\N{BULLET} {sentence}", left, below, 15, half, colour=_QUIET, most=3)
        if fits[-1].y > _HEIGHT - 104:
            break
        lines += fits
        below = fits[-1].y + 22
    asked = _block(
        " ".join(dict.fromkeys((told.asked[0], told.asked[-1]))),
        left,
        _HEIGHT - 62,
        17,
        _WIDTH - 2 * _EDGE,
        bold=True,
        most=2,
    )
    place = (2 * _EDGE + half, top - 16, _WIDTH - 3 * _EDGE - half)
    return {"width": _WIDTH, "height": _HEIGHT, "lines": lines + asked, "pictures": list(_at_places(drawn, *place))}


def _numbers(numbers: Sequence[words.Tile], left: float, top: float, width: float) -> list[_Line]:
    column = width / max(len(numbers), 1)
    found = []
    for place, tile in enumerate(numbers):
        x = left + place * column
        found += _block(tile.label, x, top, 13, column - 16, colour=_QUIET, most=2)
        found.append(_Line(x, top + 54, 34, tile.figure, _BLUE, bold=True))
        found += _block(tile.detail, x, top + 74, 12, column - 16, colour=_QUIET, most=4)
    return sorted(found, key=lambda line: line.y)


def _at_places(drawn: Sequence[str], x: float, top: float, width: float) -> Iterator[Any]:
    """Drawings one below another, each as wide as there is room for."""
    height = (_HEIGHT - 110 - top) / max(len(drawn), 1) - 12
    for place, text in enumerate(drawn):
        y = top + place * (height + 12)
        size = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" overflow="visible"'
        yield as_markup(
            re.sub(r'^<svg((?:(?!\bwidth=|>).)*?) width="[^"]*" height="[^"]*"', rf"<svg\1 {size}", text, count=1)
        )


def _block(
    text: str, x: float, y: float, size: int, width: float, *, colour: str = _INK, bold: bool = False, most: int
) -> list[_Line]:
    """A text in lines of that width, at most so many: of one that is longer the end is left out."""
    rows = _rows(text, width / size * (_LATIN / _BOLD if bold else 1.0))
    if len(rows) > most:
        rows = [*rows[: most - 1], f"{rows[most - 1].rstrip(' .,;')} \N{HORIZONTAL ELLIPSIS}"]
    return [_Line(x, y + place * size * 1.32, size, row, colour, bold) for place, row in enumerate(rows)]


def _rows(text: str, width: float) -> list[str]:
    """Rows no wider than `width` type sizes, broken between words; words that are wider alone, anywhere."""
    rows = [""]
    for word in text.split():
        joined = f"{rows[-1]} {word}".lstrip()
        if _breadth(joined) <= width:
            rows[-1] = joined
            continue
        rows += [""] if rows[-1] else []
        for letter in word:
            if _breadth(rows[-1] + letter) > width:
                rows.append("")
            rows[-1] += letter
    return rows


def _breadth(text: str) -> float:
    return sum(_EAST_ASIAN if unicodedata.east_asian_width(letter) in "WF" else _LATIN for letter in text)
