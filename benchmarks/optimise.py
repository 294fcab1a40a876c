"""Subjects `build` and `solve`: rdsim's optimiser beside textbook PuLP and stock HiGHS, same rows, same run.

Five synthetic instances of the Korean shape. "Textbook" is one `lpSum` of products for each row and PuLP's own
HiGHS call; "matrix" hands a numpy matrix to highspy and is the floor of what building can take.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import highspy
import numpy as np
import pulp

from benchmarks import subject
from benchmarks.instances import draw_problem
from rdsim.optimiser import PortfolioProblem, Status, solve
from rdsim.optimiser.milp import Model, formulate
from rdsim.optimiser.solvers import Highs

SEEDS = tuple(range(5))
GAP = 0.01
STOCK_SECONDS = float(os.environ.get("RDSIM_STOCK_SECONDS", "120"))


def _timed(job: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = job()
    return time.perf_counter() - began, result


def _textbook(model: Model) -> Any:
    """The model as a textbook writes it: a sum of products for the objective and for each row."""
    problem = pulp.LpProblem("textbook", pulp.LpMaximize)
    kinds = (pulp.LpContinuous, pulp.LpInteger)
    bounds = zip(model.lower.tolist(), model.upper.tolist(), strict=True)
    x = [
        problem.add_variable(name, low, high if math.isfinite(high) else None, kinds[whole])
        for name, (low, high), whole in zip(model.column_names, bounds, model.integer.tolist(), strict=True)
    ]
    problem += pulp.lpSum(value * variable for value, variable in zip(model.value.tolist(), x, strict=True))
    for row, sense in enumerate(model.sense):
        span = slice(model.matrix.indptr[row], model.matrix.indptr[row + 1])
        terms = zip(model.matrix.data[span].tolist(), model.matrix.indices[span].tolist(), strict=True)
        total, cap = pulp.lpSum(number * x[column] for number, column in terms), float(model.rhs[row])
        problem += total <= cap if sense == "<=" else total >= cap if sense == ">=" else total == cap
    return problem


def _textbook_loaded(problem: PortfolioProblem) -> None:
    """Textbook building, and the stock solver's own way into HiGHS."""
    stated = _textbook(formulate(problem))
    stock = pulp.HiGHS(msg=False)
    stock.createAndConfigureSolver(stated)
    stock.buildSolverModel(stated)


def _matrix_loaded(problem: PortfolioProblem) -> None:
    """Formulation and one hand-over of its matrix, without PuLP."""
    model = formulate(problem)
    sense = np.array(model.sense)
    handed = highspy.HighsLp()
    handed.num_row_, handed.num_col_ = model.matrix.shape
    handed.col_cost_, handed.col_lower_, handed.col_upper_ = -model.value, model.lower, model.upper
    handed.row_lower_ = np.where(sense == "<=", -np.inf, model.rhs)
    handed.row_upper_ = np.where(sense == ">=", np.inf, model.rhs)
    handed.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    handed.a_matrix_.start_, handed.a_matrix_.index_ = model.matrix.indptr, model.matrix.indices
    handed.a_matrix_.value_ = model.matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(handed)


@subject("build")
def build() -> None:
    """Problem to solver memory: rdsim through PuLP, textbook PuLP with stock HiGHS, and a bare matrix."""
    ways = {
        "rdsim": lambda problem: Highs().load(formulate(problem)),
        "textbook": _textbook_loaded,
        "matrix": _matrix_loaded,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for seed in SEEDS:
        problem, _ = draw_problem(seed)
        for name, way in ways.items():
            found[name].append(_timed(lambda way=way, problem=problem: way(problem))[0])
    middle = {name: median(seconds) for name, seconds in found.items()}
    for name, seconds in middle.items():
        print(f"  {name:<10}{seconds:>8.2f} s ({min(found[name]):.2f} .. {max(found[name]):.2f})")
    print(f"  rdsim is {middle['textbook'] / middle['rdsim']:.1f} times faster than textbook")
    print(f"  rdsim takes {middle['rdsim'] / middle['matrix']:.1f} times a bare matrix")


def _stock(problem: PortfolioProblem) -> bool:
    """Stock PuLP and HiGHS to the same gap; True if it stopped before its time was up."""
    stated = _textbook(formulate(problem))
    seconds, _ = _timed(lambda: stated.solve(pulp.HiGHS(msg=False, gapRel=GAP, timeLimit=STOCK_SECONDS, threads=1)))
    return seconds < STOCK_SECONDS


@subject("solve")
def measure_solve() -> None:
    """Problem to a portfolio within a proven 1%: rdsim beside stock PuLP and HiGHS, one thread each."""
    ours, stock, ratios, capped = [], [], [], 0
    for seed in SEEDS:
        problem, _ = draw_problem(seed)
        seconds, solution = _timed(lambda problem=problem: solve(problem, gap=GAP))
        proven = solution.status in {Status.OPTIMAL, Status.FEASIBLE} and solution.gap <= GAP
        highspy.Highs.resetGlobalScheduler(True)
        slow, finished = _timed(lambda problem=problem: _stock(problem))
        capped += not finished
        ours.append(seconds)
        stock.append(slow)
        ratios.append(slow / seconds)
        more = "" if finished else " (stopped by its time limit: a lower bound)"
        print(
            f"  seed {seed}: rdsim {seconds:6.2f} s, gap {solution.gap:.2%}{'' if proven else ' NOT PROVEN'};", end=""
        )
        print(f" stock {slow:7.2f} s{more}; ratio {slow / seconds:.1f}")
    print(f"  median: rdsim {median(ours):.2f} s, stock {median(stock):.2f} s, ratio {median(ratios):.1f}", end="")
    print(f"; {capped} of {len(SEEDS)} stock runs did not finish in {STOCK_SECONDS:.0f} s" if capped else "")
