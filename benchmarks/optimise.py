"""Subjects `build`, `solve` and `tight`: rdsim's optimiser beside textbook PuLP and stock HiGHS, same rows, same run.

The portfolio problem of the Korean scenario, five perturbed copies of it, and synthetic instances of that shape, which
have three times as many options and are harder. "Textbook" is one `lpSum` of products for each row and PuLP's own HiGHS
call; "matrix" hands a numpy matrix to highspy and is the floor of what building can take. One thread each.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pulp

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO, instances
from benchmarks._timing import interleaved, ratios, seconds, spread
from benchmarks.instances import Shape, draw_problem
from rdsim.optimiser import PortfolioProblem, Solution, Solving, solve
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.model import Model


@dataclass(frozen=True)
class Size:
    """Which instances, the gap that is asked, and how long stock solvers may take."""

    scenario: Path = SCENARIO
    copies: int = 5  # perturbed ones of it
    samples: int | None = None  # behind its options; None: as a plan has
    synthetic: tuple[int, ...] = tuple(range(5))  # seeds
    shape: Shape | None = None  # None: that of korea-2024
    gap: float = 0.01
    tight: tuple[float, ...] = (0.003, 0.0005)
    stock_seconds: float = 120.0

    @property
    def copied(self) -> str:
        """What the scenario and its copies are called."""
        return f"{self.scenario.name} and {self.copies} copies"

    def stated(self) -> dict[str, PortfolioProblem]:
        """The scenario's problem and copies of it."""
        return instances(self.scenario, self.copies, self.samples)

    def drawn(self) -> dict[str, PortfolioProblem]:
        """Synthetic problems of the shape of korea-2024, or another one."""
        return {f"synthetic {seed}": draw_problem(seed, self.shape)[0] for seed in self.synthetic}


FULL = Size()
TOKEN = Size(MEDICAL, 1, 20, (0,), Shape(technologies=12, partners=3, fields=2), 0.2, (0.2,), 1.0)


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


@subject("build", full=FULL, token=TOKEN)
def build(size: Size) -> None:
    """Problem to solver memory: rdsim through PuLP, textbook PuLP with stock HiGHS, and a bare matrix."""
    _measure_building(size.copied, list(size.stated().values()))
    _measure_building("synthetic", list(size.drawn().values()))


def _measure_building(name: str, problems: list[PortfolioProblem]) -> None:
    ways: dict[str, Callable[[PortfolioProblem], object]] = {
        "rdsim": lambda problem: Highs().load(formulate(problem)),
        "textbook": _textbook_loaded,
        "matrix": _matrix_loaded,
    }
    turns = [interleaved({way: partial(ways[way], one) for way in ways}, 1, time.thread_time) for one in problems]
    found = {way: [turn[way][0] for turn in turns] for way in ways}
    print(f"  {name}: {len(problems)} instances, {len(problems[0].option_names):,} options; median (min .. max)")
    for way, column in found.items():
        print(f"    {way:<10}{spread(column)} s")
    print(f"    rdsim is {spread(ratios(found['textbook'], found['rdsim']), 1)} times faster than textbook,", end="")
    print(f" and takes {spread(ratios(found['rdsim'], found['matrix']), 1)} times a bare matrix")


def _stock(problem: PortfolioProblem, size: Size) -> object:
    """Stock PuLP and HiGHS to the same gap."""
    highspy.Highs.resetGlobalScheduler(True)
    solver = pulp.HiGHS(msg=False, gapRel=size.gap, timeLimit=size.stock_seconds, threads=1)
    return _textbook(formulate(problem)).solve(solver)


@subject("solve", full=FULL, token=TOKEN)
def measure_solve(size: Size) -> None:
    """Problem to a portfolio within a proven 1%: rdsim beside stock PuLP and HiGHS."""
    found = [_race(name, problem, size) for name, problem in size.stated().items()]
    print(f"  {size.copied}: stock / rdsim {spread(found, 1)}")
    found = [_race(name, problem, size) for name, problem in size.drawn().items()]
    print(f"  synthetic: stock / rdsim {spread(found, 1)}")


def _race(name: str, problem: PortfolioProblem, size: Size) -> float:
    """How many times as long stock takes; a lower bound where its time limit stopped it."""
    answers: list[Solution] = []
    taken = seconds(lambda: answers.append(solve(problem, Solving(gap=size.gap))))
    slow = seconds(lambda: _stock(problem, size))
    proven = "" if answers[0].gap <= size.gap else " NOT PROVEN"
    capped = " at least (its time limit)" if slow >= size.stock_seconds else ""
    print(f"  {name:<12} rdsim {taken:6.2f} s, gap {answers[0].gap:.2%}{proven};", end="")
    print(f" stock {slow:7.2f} s; ratio {slow / taken:.1f}{capped}")
    return slow / taken


@subject("tight", full=FULL, token=TOKEN)
def tight(size: Size) -> None:
    """How small a gap is proven, and in how long: asked for 0.3% and for 0.05%."""
    for name, problem in {**size.stated(), **size.drawn()}.items():
        asked = _asked(problem, size.tight)
        told = [f"asked {gap:.2%}: {solved.gap:.3%} in {taken:6.1f} s" for gap, solved, taken in asked]
        print(f"  {name:<12} {'; '.join(told)}", flush=True)


def _asked(problem: PortfolioProblem, gaps: Sequence[float]) -> Iterator[tuple[float, Solution, float]]:
    for gap in gaps:
        answers: list[Solution] = []
        taken = seconds(lambda into=answers, gap=gap: into.append(solve(problem, Solving(gap=gap))))
        yield gap, answers[0], taken
