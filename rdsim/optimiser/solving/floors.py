"""A floor on a second figure that moves: one model and one relaxation for a whole front.

Between two levels only a right-hand side changes, so the dual simplex goes on from the last basis: a few dozen pivots
where a new program takes thousands. A portfolio at a level begins as the best one known there, goes on by a walk among
the options near the relaxation (see `annealing`), and, only if that does not prove the gap, by integer programs.

Nothing stops on time but the time limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from rdsim.optimiser.adapters import Relaxation, SolverState
from rdsim.optimiser.models.milp import RESOURCES, columns_of, formulate, tighten
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.models.variations import Measure, with_floor
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, frozen
from rdsim.optimiser.solving.annealing import Schedule, Walking, anneal_mean
from rdsim.optimiser.solving.rens import Progress, Relaxed, narrow_options, refine
from rdsim.optimiser.solving.settings import SolvingSeries

__all__ = ["Floor"]

HOT, COLD = 0.2, 0.002  # temperatures, in units of the mean size of what a chosen option adds


@dataclass(eq=False)
class Floor:
    """Most objective with at least so much of a measure, for one level after another."""

    problem: PortfolioProblem
    measure: Measure
    settings: SolvingSeries
    relaxed: dict[float, Relaxed] = field(default_factory=dict)  # by level
    waves: int = 0

    def __post_init__(self) -> None:
        """State the model once, with a floor that may be missed at a price, and its relaxation, in which it may not."""
        stated = formulate(self._with_floor(0.0, 1.0))
        self._model = tighten(self.problem, stated)
        self._row = stated.rows_of(RESOURCES).stop - 1
        self._relaxation: Relaxation = self.settings.solver.relaxation(self._at(0.0, math.inf))

    def _with_floor(self, level: float, price: float) -> PortfolioProblem:
        return with_floor(self.problem, self.measure, level, price if math.isfinite(price) else math.nan)

    def _at(self, level: float, price: float) -> Model:
        """The model at a level; the last column is what is missing, none at an infinite price."""
        model, hard = self._model, math.isinf(price)
        rhs, value, upper = model.rhs.copy(), model.value.copy(), model.upper.copy()
        rhs[self._row], value[-1], upper[-1] = level, 0.0 if hard else -price, 0.0 if hard else math.inf
        return replace(model, rhs=frozen(rhs), value=frozen(value), upper=frozen(upper))

    def bound(self, level: float) -> float:
        """No portfolio with at least `level` of the measure is worth more; infinite if there was no time."""
        self._relaxation.move(self._row, level)
        answer = self._relaxation.solve(self.settings.limits())
        if answer.state is SolverState.OPTIMAL and answer.values is not None and answer.reduced_costs is not None:
            self.relaxed[level] = Relaxed(answer.bound, answer.values, answer.reduced_costs)
        return answer.bound if answer.state in {SolverState.OPTIMAL, SolverState.INFEASIBLE} else math.inf

    def best(self, level: float, price: float, known: Iterable[tuple[int, ...]]) -> tuple[int, ...] | None:
        """A portfolio of much objective less `price` times what is missing at a level; none if none known holds there.

        An infinite price forbids that anything is missing. `bound` must have been asked at the level.
        """
        problem, relaxed = self._with_floor(level, price), self.relaxed.get(level)
        judged = (evaluate(problem, chosen) for chosen in known)
        start = max((one for one in judged if one.feasible), key=lambda one: one.objective, default=None)
        if start is None or relaxed is None:
            return None
        model = self._at(level, price)
        met = evaluate(problem, self._walk(problem, model, relaxed, start.chosen, price))
        values, columns = np.zeros(model.value.size), columns_of(problem, met)
        values[: columns.size] = columns  # a floor without a price has no last column
        progress = Progress(met.chosen, met.objective, relaxed.bound, values=values)
        return refine(problem, model, self.settings, progress, relaxed).chosen

    def _walk(
        self, problem: PortfolioProblem, model: Model, relaxed: Relaxed, start: tuple[int, ...], price: float
    ) -> tuple[int, ...]:
        """Anneal among the options near the relaxation."""
        scale, settings = self._size(start, price), self.settings
        course = Schedule(settings.moves.floors * len(problem.group_names), HOT * scale, COLD * scale)
        open_, wave = narrow_options(problem, model, relaxed), self.waves
        self.waves += 1
        return anneal_mean(problem, start, open_, course, Walking(settings.seed, wave, late=lambda: settings.late))

    def _size(self, chosen: tuple[int, ...], price: float) -> float:
        """What an option adds to the objective, on average, its part of the measure at the price included."""
        picked = list(chosen)
        if not picked:
            return 1.0
        size = float(np.abs(self.problem.expected_value[picked]).mean())
        if math.isfinite(price):
            size += price * float(np.abs(self.measure.use[picked]).mean())
        return size or 1.0
