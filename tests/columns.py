"""Whether the columns of a study's tables are those of the data dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.dictionary import column_of, table_entry
from rdsim.figures import column_figures
from rdsim.study import Study

__all__ = ["tables_of", "unknown"]

KINDS = {"whole": "iuf", "number": "iuf", "text": "OUS", "truth": "b"}


def unknown(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Columns that are not in the dictionary, or of another type than it says."""
    figures = {} if study.scenario is None else column_figures(study.scenario)
    wrong = []
    for name, table in tables.items():
        entry = table_entry(study.name, name, stated=study.scenario is None)
        for column in table if entry is not None else [""]:
            one = None if entry is None else column_of(entry, str(column), figures)
            if one is None or not is_of_type(table[column], one.type):
                wrong.append(f"{study.name}, {name}, {column}: {one}")
    return wrong


def is_of_type(values: pd.Series[Any], kind: str) -> bool:
    """Whether values are of a type; what is empty throughout is of any."""
    if isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype):
        return kind == "text"
    known = values.dropna()
    if values.dtype.kind == "O" and len(known):
        types = {"whole": int | np.integer, "number": int | float | np.number, "text": str, "truth": bool}
        return all(isinstance(one, types[kind]) for one in known)
    return not len(known) or values.dtype.kind in KINDS[kind]


def tables_of(study: Study) -> dict[str, pd.DataFrame]:
    return {name: table() if callable(table) else table for name, table in study.tables.items()}
