"""Cells of a page's tables, as people read them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from rdsim.languages import N_, marks, retold
from rdsim.languages import gettext as _
from rdsim.report.data.sections import Kind, Table
from rdsim.report.words.amounts import amount

__all__ = ["cells", "verdict_word"]

_VERDICTS = {"sure in": N_("firm"), "sure out": N_("rejected"), "open": N_("open")}
"""What files call a decision that was made again, and what readers do; see `rdsim.search.redecisions.Verdict`."""


def verdict_word(verdict: str) -> str:
    """What re-decisions say of a decision, in a reader's word."""
    return _(_VERDICTS.get(verdict, verdict)) if verdict else ""


def cells(table: Table) -> list[list[tuple[Kind, str]]]:
    """For each row of the table its cells: what they are, and their text."""
    shown = table.frame[list(table.columns)].itertuples(index=False, name=None)
    kinds = [column.kind for column in table.columns.values()]
    return [[(kind, _text(kind, value)) for kind, value in zip(kinds, row, strict=True)] for row in shown]


def _text(kind: Kind, value: Any) -> str:
    return "" if _is_missing(value) else _cell_text(kind, value)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _cell_text(kind: Kind, value: Any) -> str:
    if isinstance(value, str) or kind == "text":
        return retold(value) if isinstance(value, str) else str(value)
    if isinstance(value, float) and math.isinf(value):
        return _("none") if value > 0 else _("unknown")
    shapes = {"money": amount, "count": "{:,.0f}".format, "share": "{:.1%}".format, "year": "{:.0f}".format}
    return marks(shapes[kind](value))
