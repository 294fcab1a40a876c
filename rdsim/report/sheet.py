"""A sheet: what one study found, as a page of sections, each with sentences, figures and tables.

A study (`rdsim.studies`) says what is to be seen; nothing is run or estimated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pandas as pd

from rdsim.report.inside import picture, render

__all__ = ["Column", "Kind", "Plot", "Section", "Sheet", "Table", "render_sheet", "svg"]

Kind = Literal["text", "money", "count", "share", "year"]


class Column(NamedTuple):
    """How a column of a table is shown: its heading, and what its values are."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, eq=False)
class Table:
    """Some columns of a frame, in this order, under headings for people."""

    caption: str
    frame: pd.DataFrame
    columns: Mapping[str, Column]

    def rows(self) -> list[list[tuple[str, str, object]]]:
        """For each row its cells: (kind, text, value to sort by)."""
        shown = self.frame[list(self.columns)].itertuples(index=False, name=None)
        kinds = [column.kind for column in self.columns.values()]
        return [[_cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in shown]


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure of a frame, with the question that it answers, the answer, and how to read it.

    `cells` are the cells of a table of two texts, `x` and `y`, coloured by the column `colour`, a number or a text.
    `points` are joined in the order of the frame if `joined`; `low` and `high` name columns of limits; `colour` names
    a column of series; `tips` are shown at a mark.
    """

    key: str
    question: str
    answer: str
    reading: str
    frame: pd.DataFrame
    x: tuple[str, str]  # column, title
    y: tuple[str, str]
    kind: Literal["points", "bars", "cells"] = "points"
    joined: bool = True
    low: str = ""
    high: str = ""
    colour: str = ""
    tips: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Section:
    """Sentences, figures and tables under a heading."""

    title: str
    sentences: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    text: str = ""
    """Text to be copied, shown as it is."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The whole page: what kind of study of which scenario, its answer in a few sentences, and its sections."""

    kind: str
    title: str
    lead: Sequence[str]
    sections: Sequence[Section]


def svg(plot: Plot) -> str:
    """The figure as a drawing, for other documents."""
    from rdsim.report import plots  # noqa: PLC0415

    return str(picture(plots.draw(plot)))


def render_sheet(sheet: Sheet, manifest: Mapping[str, Any]) -> str:
    """The page, as HTML."""
    from rdsim.report import plots  # noqa: PLC0415 - Altair takes most of a second to import

    figures = {plot.key: plots.draw(plot) for section in sheet.sections for plot in section.plots}
    return render(
        "sheet.html.j2",
        figures.values(),
        ("figures.js",),
        sheet=sheet,
        manifest=manifest,
        figures=figures,
        pictures={key: picture(figure) for key, figure in figures.items()},
    )


def _cell(kind: Kind, value: Any) -> tuple[str, str, object]:
    return kind, "" if _is_missing(value) else _shown(kind, value), value


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _shown(kind: Kind, value: Any) -> str:
    from rdsim.report import words  # noqa: PLC0415

    if isinstance(value, str) or kind == "text":
        return str(value)
    if isinstance(value, float) and math.isinf(value):
        return "none" if value > 0 else "unknown"
    shapes = {"money": words.amount, "count": "{:,.0f}".format, "share": "{:.1%}".format, "year": "{:.0f}".format}
    return shapes[kind](value)
