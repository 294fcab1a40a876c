"""A model as LP text, the same whatever solver or PuLP generation is installed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rdsim.arrays import Floats, Ints
from rdsim.optimiser.models.model import Model

__all__ = ["lp_text"]

WIDTH = 110
SENSES = {"<=": "<=", ">=": ">=", "==": "="}


def lp_text(model: Model) -> str:
    """The model in the CPLEX LP format; rows and terms in the model's own order."""
    return "\n".join(_lines(model)) + "\n"


def _lines(model: Model) -> Iterator[str]:
    yield "Maximize"
    used = np.flatnonzero(model.value)
    offset = [f"{'-' if model.offset < 0 else '+'} {_number(abs(model.offset))}"] if model.offset else []
    yield from _wrap(" value:", [*_terms(model, used, model.value[used]), *offset])
    yield "Subject To"
    for row, name in enumerate(model.row_names):
        span = slice(model.matrix.indptr[row], model.matrix.indptr[row + 1])
        terms = _terms(model, model.matrix.indices[span], model.matrix.data[span]) or ["0"]
        yield from _wrap(f" {name}:", [*terms, f"{SENSES[model.sense[row]]} {_number(model.rhs[row])}"])
    yield "Bounds"
    for name, low, high in zip(model.column_names, model.lower, model.upper, strict=True):
        yield f" {_number(low)} <= {name} <= {_number(high)}"
    yield "Generals"
    yield from _wrap("", [name for name, whole in zip(model.column_names, model.integer, strict=True) if whole])
    yield "End"


def _terms(model: Model, columns: Ints, coefficients: Floats) -> list[str]:
    return [
        f"{'-' if coefficient < 0 else '+'} {_factor(abs(coefficient))}{model.column_names[column]}"
        for column, coefficient in zip(columns, coefficients, strict=True)
    ]


def _factor(size: float) -> str:
    return "" if size == 1 else f"{_number(size)} "


def _number(value: float) -> str:
    return f"{value:.12g}"


def _wrap(head: str, words: list[str]) -> Iterator[str]:
    line = head
    for word in words:
        if len(line) + len(word) >= WIDTH:
            yield line
            line = " "
        line = f"{line} {word}"
    yield line
