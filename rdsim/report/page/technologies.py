"""The table of all technologies: what stands in it, what it can be narrowed to, and what is copied out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rdsim.domain import TAG
from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.report.data import aggregates
from rdsim.report.data.plan import PlanReport
from rdsim.report.words import verdict_word

__all__ = ["Narrowing", "TechnologyList", "block", "compact", "technology_list"]

_DIGITS = 9
_DECISIONS = (N_("funded"), N_("not funded"))
_MONEY = ("cost", "expected_value", "home", "foreign")
_SUMMED = ("cost", "home", "foreign", "p_market")
_COPIED = (
    *("technology", "name", "programme_id", "programme", "field_id", "field", "trl", "trl_target", "cost", "score"),
    *("decision", "verdict", "share", "partner", "partner_name", "mode_id", "mode", "start_year", "rank"),
    *("expected_value", "home", "foreign", "p_target", "p_market", "institute", "source", "note"),
)
"""Columns of the report's technologies that are copied out, in this order; tags follow. Older runs lack some ids."""


@dataclass(frozen=True)
class Narrowing:
    """What the table can be narrowed by: a column, its title, and values with what they are called."""

    key: str
    title: str
    offers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class TechnologyList:
    """The table: rows with None for what is missing, titles of tags by column, choices, sums by column."""

    rows: tuple[Mapping[str, Any], ...]
    tags: Mapping[str, str]
    choices: tuple[Narrowing, ...]
    sums: Mapping[str, float]
    copied: Mapping[str, str]
    """Headings of the columns that are copied out."""


def technology_list(report: PlanReport) -> TechnologyList:
    """The table of all technologies of a plan, with what is expected to be paid for them."""
    table = _with_payments(report)
    tags = {name: name.removeprefix(TAG).replace("_", " ") for name in map(str, table) if name.startswith(TAG)}
    columns = [name for name in (*_COPIED, *tags) if name in table]
    return TechnologyList(
        _rows(table),
        tags,
        tuple(one for one in _choices(table, tags) if one.offers),
        {name: float(table[name].sum()) for name in _SUMMED},
        {name: f"{name} [{report.money_unit}]" if name in _MONEY else name for name in columns},
    )


def block(table: TechnologyList) -> dict[str, object]:
    """The table as its script reads it: keys and headings of what is copied, and a list of values for each row."""
    rows = [[compact(row[name]) for name in table.copied] for row in table.rows]
    return {"keys": list(table.copied), "heads": list(table.copied.values()), "rows": rows}


def compact(value: Any) -> Any:
    """A value with no more digits than anybody reads."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _with_payments(report: PlanReport) -> pd.DataFrame:
    table = report.technologies.merge(aggregates.payments(report), on="technology", how="left")
    decision = table["funded"].map({True: "funded", False: "not funded"})
    return table.assign(decision=decision, start_year=table["start_year"].astype("Int64"))


def _choices(table: pd.DataFrame, tags: Mapping[str, str]) -> list[Narrowing]:
    called = dict(zip(table["partner"], table["partner_name"], strict=True))
    partners = sorted((code for code in called if code), key=lambda code: str(called[code]))
    return [
        Narrowing("decision", _("Decision"), tuple((one, _(one)) for one in _DECISIONS)),
        _choice(table, "programme", _("Programme")),
        _choice(table, "field", _("Field")),
        Narrowing("partner", _("Partner"), _or_none([(code, str(called[code])) for code in partners])),
        _choice(table, "mode", _("Mode")),
        _choice(table, "start_year", _("Start")),
        _choice(table, "verdict", _("How firm")),
        *(
            Narrowing(name, title.capitalize(), _or_none(_choice(table, name, title).offers))
            for name, title in tags.items()
        ),
    ]


def _choice(table: pd.DataFrame, key: str, title: str) -> Narrowing:
    known = sorted(set(table[key].dropna().astype(str))) if key in table else []
    return Narrowing(
        key, title, tuple((name, verdict_word(name) if key == "verdict" else name) for name in known if name)
    )


def _or_none(values: Any) -> tuple[tuple[str, str], ...]:
    """The values, and `-` for rows that have none of them; nothing without values."""
    return (*values, ("-", _("none"))) if values else ()


def _rows(table: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Rows for the template; what is missing is None."""
    return tuple(
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    )
