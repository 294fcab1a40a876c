"""Models as PuLP problems, in the words of both its generations (3.3 and 4), and their matrix read back."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import pulp
from scipy.sparse import csr_array

from rdsim.arrays import Floats
from rdsim.optimiser.models.model import Model

__all__ = ["GENERATION", "pulp_matrix", "pulp_problem"]

GENERATION = int(version("pulp").split(".", maxsplit=1)[0])

SENSES = {"<=": pulp.LpConstraintLE, ">=": pulp.LpConstraintGE, "==": pulp.LpConstraintEQ}


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """No garbage collection inside: it would walk hundreds of thousands of new pairs, again and again, for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_garbage_waits()
def pulp_problem(model: Model, *, relaxed: bool = False) -> tuple[Any, list[Any]]:
    """The model as a PuLP minimisation without constant, and its variables in column order."""
    problem = pulp.LpProblem("portfolio", pulp.LpMinimize)
    category = np.where(model.integer & (not relaxed), pulp.LpInteger, pulp.LpContinuous).tolist()
    variables = [
        problem.add_variable(name, _finite(low), _finite(high), kind)
        for name, low, high, kind in zip(
            model.column_names, model.lower.tolist(), model.upper.tolist(), category, strict=True
        )
    ]
    pairs = list(zip(variables, (-model.value).tolist(), strict=True))
    problem.setObjective(_expression([pair for pair in pairs if pair[1]], 0.0, None))
    for row, line in enumerate(_pairs(model, variables)):
        expression = _expression(line, -float(model.rhs[row]), model.sense[row])
        problem.addConstraint(expression, model.row_names[row])
    return problem, variables


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def _pairs(model: Model, variables: list[Any]) -> list[list[tuple[Any, float]]]:
    """(variable, coefficient) pairs of every row; a canonical CSR has no duplicates."""
    ends = model.matrix.indptr.tolist()
    terms = [
        (variables[column], coefficient)
        for column, coefficient in zip(model.matrix.indices.tolist(), model.matrix.data.tolist(), strict=True)
    ]
    return [terms[first:last] for first, last in pairwise(ends)]


def _expression(pairs: list[tuple[Any, float]], constant: float, sense: str | None) -> Any:
    """An affine expression, or a constraint `expression (sense) 0`, in the installed generation's words."""
    if GENERATION < 4:
        expression = pulp.LpAffineExpression(pairs, constant=constant)
        return expression if sense is None else pulp.LpConstraint(expression, SENSES[sense])
    expression = pulp.LpAffineExpression.from_list(pairs, constant=constant)
    if sense is not None:
        expression.sense = SENSES[sense]
    return expression


def _places(lines: list[Any], variables: list[Any]) -> list[int]:
    """Column of every variable in the rows; PuLP 4 numbers variables as they were added, PuLP 3 does not."""
    if GENERATION >= 4:
        return [variable.id for line in lines for variable, _ in line]
    place = {variable.name: column for column, variable in enumerate(variables)}
    return [place[variable.name] for line in lines for variable, _ in line]


@_garbage_waits()
def pulp_matrix(problem: Any, variables: list[Any]) -> tuple[csr_array, Floats, Floats]:
    """The rows of a PuLP problem: matrix (m, n), lowest and highest activity (m,)."""
    rows = problem.constraints()
    lines = [row.items() for row in rows]
    indptr = np.cumsum([0, *(len(line) for line in lines)])
    indices = np.array(_places(lines, variables), dtype=np.int64)
    data = np.array([coefficient for line in lines for _, coefficient in line], dtype=np.float64)
    rhs = np.array([-row.constant for row in rows], dtype=np.float64)
    sense = np.array([row.sense for row in rows], dtype=np.int64)
    low = np.where(sense == pulp.LpConstraintLE, -np.inf, rhs)
    high = np.where(sense == pulp.LpConstraintGE, np.inf, rhs)
    return csr_array((data, indices, indptr), shape=(len(rows), len(variables))), low, high
