"""What a page shows, as data beside a run's other files: so that it can be drawn later, and drawn again.

`page/page.json` has the texts and structure; of a plan, tables lie beside it, and what its run holds anyway is read
from there. Whatever draws reads it through a door (`read_page`), the first time as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field

from rdsim.domain import Confidence
from rdsim.errors import Fault, RunError
from rdsim.folders import Record, kept_answers, read_document, validate
from rdsim.folders.contents import DECISIONS, EXPECTED, OUTCOMES, PAGE, PAGE_TABLE, POLICIES, PURSES, REPLICATIONS
from rdsim.languages import N_, kept_texts
from rdsim.report.data.asked import PlanAnswer
from rdsim.report.data.plan import PlanReport, with_names
from rdsim.report.data.sections import Column, Kind, Page, Plot, Section, Table

__all__ = [
    "document",
    "kept_table",
    "needs",
    "page_from",
    "page_tables",
    "page_text",
    "read_page",
    "read_texts",
    "with_answers",
]

_OWN = ("technologies", "plan", "international", "targets", "sources")
"""Tables of a plan's page that its run does not hold otherwise."""

_LATER = ("facts", "tried", "partners")
"""The same, of which older runs have none."""

_NEEDS = (OUTCOMES.name, REPLICATIONS.name, PURSES.name, POLICIES.name)
"""Files of a plan's run that its page is drawn from."""

_VERSION = 1
_TOLD = ("title", "description", "money_unit", "confidence", "start_year", "horizon_year")
_TYPES: dict[str, Any] = {
    "float": np.float64,
    "integer": np.int64,
    "boolean": np.bool_,
    "Int64": "Int64",
    "text": object,
}

_Scalar = None | bool | int | float | str | dict[str, str]


# --- what is written ------------------------------------------------------------------------------


def document(page: Page | PlanReport) -> dict[str, Any]:
    """The document of a page."""
    if isinstance(page, Page):
        sheet = _sheet(page)
        return {"version": _VERSION, "kind": "sheet", "sheet": sheet, "texts": {**page.texts, **kept_texts(sheet)}}
    told = {name: getattr(page, name) for name in _TOLD}
    return {"version": _VERSION, "kind": "plan", **told, "names": page.names}


def page_text(page: Page | PlanReport, texts: Mapping[str, Any]) -> str:
    """The document of a page, as JSON; `texts` is what the run's texts say, see `rdsim.languages.kept_texts`."""
    found = document(page)
    known = {**texts, **found.get("texts", page.texts)}
    return json.dumps({**found, "texts": known}, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def page_tables(page: Page | PlanReport) -> dict[str, pd.DataFrame]:
    """Tables that lie beside the document, by name."""
    return {} if isinstance(page, Page) else {name: getattr(page, name) for name in (*_OWN, *_LATER)}


def needs(page: Page | PlanReport) -> tuple[str, ...]:
    """Files of the run that the page is drawn from, beside its own."""
    return () if isinstance(page, Page) else _NEEDS


def _sheet(sheet: Page) -> dict[str, Any]:
    sections = [
        {
            "title": one.title,
            "sentences": list(one.sentences),
            "plots": [_plot(plot) for plot in one.plots],
            "tables": [_table(table) for table in one.tables],
            "text": one.text,
        }
        for one in sheet.sections
    ]
    return {"kind": sheet.kind, "title": sheet.title, "lead": list(sheet.lead), "sections": sections}


def _plot(plot: Plot) -> dict[str, Any]:
    texts = {one.name: getattr(plot, one.name) for one in fields(plot) if one.name not in ("frame", "tips")}
    return {**texts, "frame": _frame(plot.frame), "tips": _columns(plot.tips)}


def _table(table: Table) -> dict[str, Any]:
    return {
        "caption": table.caption,
        "frame": _frame(table.frame[list(table.columns)]),
        "columns": _columns(table.columns),
    }


def _columns(columns: Mapping[str, Column]) -> dict[str, list[str]]:
    return {name: [column.title, column.kind] for name, column in columns.items()}


def _frame(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"name": str(name), "type": (kind := _type(column)), "values": [_scalar(kind, one) for one in column.tolist()]}
        for name, column in frame.items()
    ]


def _type(column: pd.Series) -> str:
    if str(column.dtype) == "Int64":
        return "Int64"
    kinds = {"f": "float", "i": "integer", "u": "integer", "b": "boolean"}
    return kinds.get(column.dtype.kind, "text") if isinstance(column.dtype, np.dtype) else "text"


def _scalar(kind: str, value: Any) -> _Scalar:
    """A value that JSON has; what is not a finite number by its name."""
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or plain is pd.NA or plain is pd.NaT:
        return None
    if isinstance(plain, float) and not math.isfinite(plain):
        return None if kind == "text" and math.isnan(plain) else {"float": str(plain)}
    if isinstance(plain, bool | int | float | str):
        return plain
    raise TypeError(f"a page cannot show a {type(plain).__name__}")


# --- the door -------------------------------------------------------------------------------------


class _Column(Record):
    name: str
    type: Literal["float", "integer", "boolean", "Int64", "text"]
    values: list[_Scalar]


_Columns = dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]]
_Axis = Annotated[list[str], Field(min_length=2, max_length=2)]


class _Table(Record):
    caption: str
    frame: list[_Column]
    columns: _Columns


class _Plot(Record):
    key: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    question: str
    answer: str
    reading: str
    frame: list[_Column]
    x: _Axis
    y: _Axis
    kind: Literal["points", "bars", "cells"]
    joined: bool
    low: str
    high: str
    colour: str
    tips: _Columns


_Sayings = dict[str, dict[str, Any]]
"""What texts say, by the English that stands in the manifest and in tables; runs of earlier versions have none."""


class _Section(Record):
    title: str
    sentences: list[str]
    plots: list[_Plot]
    tables: list[_Table]
    text: str


class _Sheet(Record):
    kind: str
    title: str
    lead: list[str]
    sections: list[_Section]


class _SheetPage(Record):
    version: Literal[1]
    kind: Literal["sheet"]
    sheet: _Sheet
    texts: _Sayings = Field(default_factory=dict)


class _PlanPage(Record):
    version: Literal[1]
    kind: Literal["plan"]
    title: str
    description: str
    money_unit: str
    confidence: Confidence
    start_year: int
    horizon_year: int
    names: dict[Literal["programme", "field", "mode"], dict[str, str]]
    texts: _Sayings = Field(default_factory=dict)


class _AnyPage(Record):
    version: Literal[1]
    kind: Literal["plan", "sheet"]
    texts: _Sayings = Field(default_factory=dict)


def read_texts(folder: Path) -> dict[str, Any]:
    """What the texts of a run say, by their English. Raises RunError as `read_page`."""
    path = folder / PAGE.name
    found = read_document(path, _AnyPage, RunError, "must hold what the page shows") if path.exists() else {}
    texts: dict[str, Any] = found.get("texts", {})
    return texts


def read_page(folder: Path) -> PlanReport | Page:
    """What a run's page is to show. Raises RunError if the run has no page, or with what is wrong with its data."""
    path = folder / PAGE.name
    if not path.exists():
        rule = "must be a run with a page: of a plan that was simulated, a study or a calibration, by this rdsim"
        raise RunError((Fault(str(folder), rule, f"no {PAGE.name}", "Run it again."),))
    found = read_document(path, _AnyPage, RunError, "must hold what the page shows")
    if found["kind"] == "sheet":
        return page_from(found, str(path))
    page = validate(found, _PlanPage, str(path), RunError)
    return _plan(folder, page)


def page_from(document: Any, where: str) -> Page:
    """The page of a document. Raises RunError with every fault."""
    told = validate(document, _SheetPage, where, RunError)
    page = told["sheet"]
    faults = list(_frame_faults(page, where))
    if faults:
        raise RunError(tuple(faults))
    sections = [
        Section(
            one["title"],
            one["sentences"],
            [_plot_from(plot) for plot in one["plots"]],
            [Table(it["caption"], _frame_from(it["frame"]), _columns_from(it["columns"])) for it in one["tables"]],
            one["text"],
        )
        for one in page["sections"]
    ]
    return Page(page["kind"], page["title"], page["lead"], sections, told.get("texts", {}))


def _frame_faults(page: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """Columns of one length, of the types that they state, and those that a plot or table asks for."""
    for s, section in enumerate(page["sections"]):
        for kind in ("plots", "tables"):
            for k, one in enumerate(section[kind]):
                place = f"{where}, sheet.sections.{s}.{kind}.{k}"
                yield from (Fault(f"{place}.{at}", rule, shown) for at, rule, shown in _faults_of(one))


def _faults_of(one: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    names = [column["name"] for column in one["frame"]]
    if len({len(column["values"]) for column in one["frame"]}) > 1:
        yield "frame", "all columns must be of one length", ""
    for column in one["frame"]:
        try:
            _series(column)
        except (TypeError, ValueError, OverflowError) as error:
            yield f"frame.{column['name']}", f"must hold values of type {column['type']}", str(error)[:80]
    asked = {**one.get("columns", {}), **one.get("tips", {})}
    for name, (_, kind) in asked.items():
        if kind not in Kind.__args__:  # type: ignore[attr-defined]
            yield f"columns.{name}", f"must be one of {', '.join(Kind.__args__)}", kind  # type: ignore[attr-defined]
    axes = [one[key][0] for key in ("x", "y") if key in one]
    marks = [one[key] for key in ("low", "high", "colour") if one.get(key)]
    for name in dict.fromkeys([*asked, *axes, *marks]):
        if name not in names:
            yield "frame", "must have every column that is shown", f"no {name}"


def _plot_from(plot: Mapping[str, Any]) -> Plot:
    texts = {name: plot[name] for name in ("key", "question", "answer", "reading", "kind", "joined")}
    marks = {name: plot[name] for name in ("low", "high", "colour")}
    x, y = (tuple(plot[axis]) for axis in ("x", "y"))
    return Plot(frame=_frame_from(plot["frame"]), x=x, y=y, tips=_columns_from(plot["tips"]), **texts, **marks)


def _columns_from(columns: Mapping[str, Any]) -> dict[str, Column]:
    return {name: Column(title, kind) for name, (title, kind) in columns.items()}


def _frame_from(columns: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({column["name"]: _series(column) for column in columns})


def _series(column: Mapping[str, Any]) -> pd.Series:
    """A column with the type that it had. Raises TypeError or ValueError if its values are of another."""
    values = [float(one["float"]) if isinstance(one, dict) else one for one in column["values"]]
    kinds = {"float": (float, int), "integer": (int,), "boolean": (bool,), "Int64": (int, type(None))}
    allowed = kinds.get(column["type"])
    for one in values:
        if allowed and (not isinstance(one, allowed) or (isinstance(one, bool) and column["type"] != "boolean")):
            raise TypeError(repr(one))
    found: pd.Series = pd.Series(values, dtype=_TYPES[column["type"]])
    return found


# --- plans ----------------------------------------------------------------------------------------


def _plan(folder: Path, page: Mapping[str, Any]) -> PlanReport:
    own: dict[str, Any] = {name: kept_table(folder / PAGE_TABLE.path(name)) for name in _OWN}
    later: dict[str, Any] = {name: _kept_if_there(folder / PAGE_TABLE.path(name)) for name in _LATER}
    projects, replications, purses, policies = (kept_table(folder / name) for name in _NEEDS)
    return PlanReport(
        **{name: page[name] for name in _TOLD},
        projects=with_names(projects, page["names"]),
        replications=replications,
        budget=with_names(purses, page["names"]),
        policies=policies[["replication", "npv", "policy"]],
        expected=_kept_if_there(folder / EXPECTED.name),
        decisions=_kept_if_there(folder / DECISIONS.name),
        names=page["names"],
        **own,
        **later,
    )


def with_answers(report: PlanReport, folder: Path, manifest: Mapping[str, Any]) -> PlanReport:
    """The page of a plan's run in a folder, with what was asked of it, and what lies there and is not its own."""
    answers, strangers = list[PlanAnswer](), dict[str, str]()
    for one in kept_answers(folder, manifest):
        try:
            page = None if one.fault else read_page(one.folder)
        except RunError:
            strangers[one.label] = N_("what its page shows cannot be read")
            continue
        if isinstance(page, Page):
            answers.append(PlanAnswer(one, page))
        else:
            strangers[one.label] = one.fault or N_("it is not the run of a study")
    return replace(report, answers=tuple(answers), strangers=strangers)


def _kept_if_there(path: Path) -> pd.DataFrame:
    """A table that a run may lack; empty without it. Raises RunError for one that cannot be read."""
    return kept_table(path) if path.exists() else pd.DataFrame()


def kept_table(path: Path) -> pd.DataFrame:
    """A table of a run's folder. Raises RunError for one that is not there, or cannot be read."""
    try:
        return pd.read_parquet(path)
    except (OSError, pa.ArrowException, ValueError) as error:
        rule = "must be the table that the run wrote"
        raise RunError((Fault(str(path), rule, str(error)[:200], "Run it again."),)) from None
