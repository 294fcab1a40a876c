"""A page of a study: what it found, in sections, each with sentences, figures and tables.

A study (`rdsim.studies`) says what is to be seen; nothing is run or estimated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import pandas as pd

__all__ = ["PLOT_KINDS", "Column", "Kind", "Page", "Plot", "Section", "Table"]

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


PlotKind = Literal["points", "bars", "cells"]
PLOT_KINDS: tuple[PlotKind, ...] = get_args(PlotKind)


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
    kind: PlotKind = "points"
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
class Page:
    """The whole page: what kind of study of which scenario, its answer in a few sentences, and its sections."""

    kind: str
    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
