"""A page of a study: what it found, in sections, each with sentences, figures and tables.

A study (`rdsim.studies`) says what is to be seen; nothing is run or estimated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd

from rdsim.languages import ENGLISH, Message, active, keeping, kept_texts, retold

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
    texts: Mapping[str, Any] = field(default_factory=dict)
    """What its texts say, by their English, of those in frames, which keep no more than the English; see
    `rdsim.languages.kept_texts`."""

    def with_noted(self, noted: Mapping[str, Message]) -> Page:
        """The page that knows what the texts in its frames say, of those that were noted while it was made."""
        found = {one: noted[one] for one in dict.fromkeys(self._texts_of_frames()) if one in noted}
        return replace(self, texts={**self.texts, **kept_texts(found)})

    def _texts_of_frames(self) -> Iterator[str]:
        for section in self.sections:
            shown: list[Plot | Table] = [*section.plots, *section.tables]
            for one in shown:
                for name, column in one.frame.items():
                    is_shown = not isinstance(one, Table) or name in one.columns
                    if is_shown and not pd.api.types.is_numeric_dtype(column):
                        yield from (text for text in column.tolist() if isinstance(text, str))

    @property
    def language(self) -> str:
        """The active language; English of a page whose texts do not know what they say, as a plug-in's."""
        return active() if self.kind in self.texts else ENGLISH

    def retold(self) -> Page:
        """The page in its language, as far as its texts know what they say; in English the page itself."""
        if self.language == ENGLISH:
            return self
        with keeping(self.texts):
            return Page(
                retold(self.kind), retold(self.title), _all_retold(self.lead), [_section(one) for one in self.sections]
            )


def _all_retold(texts: Sequence[str]) -> list[str]:
    return [retold(one) for one in texts]


def _section(one: Section) -> Section:
    plots, tables = [_plot(plot) for plot in one.plots], [_table(table) for table in one.tables]
    return Section(retold(one.title), _all_retold(one.sentences), plots, tables, retold(one.text))


def _table(one: Table) -> Table:
    return Table(retold(one.caption), _frame(one.frame), _columns(one.columns))


def _plot(one: Plot) -> Plot:
    axes = {"x": (one.x[0], retold(one.x[1])), "y": (one.y[0], retold(one.y[1]))}
    said = {name: retold(getattr(one, name)) for name in ("question", "answer", "reading")}
    return replace(one, frame=_frame(one.frame), tips=_columns(one.tips), **axes, **said)  # type: ignore[arg-type]


def _columns(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: Column(retold(column.title), column.kind) for name, column in columns.items()}


def _frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts told again; each of them once, for there may be many rows."""
    texts = {str(name): column.tolist() for name, column in frame.items() if not pd.api.types.is_numeric_dtype(column)}
    known = {one: retold(one) for column in texts.values() for one in column if isinstance(one, str)}
    told = {name: [known[one] if isinstance(one, str) else one for one in column] for name, column in texts.items()}
    return frame.assign(**told)
