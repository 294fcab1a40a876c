"""Annealing: a walk over portfolios by changes of one to three groups, each judged exactly, samples and all.

Every change is tried on the rows, prerequisites, exclusions, openings and carried money, and on the objective itself:
the mean and the CVaR of the sampled worth, a floor on it, a target. Nothing that breaks a rule is ever entered. What is
better is accepted, what is worse by d with probability exp(-d / temperature), and the temperature falls
(Metropolis et al. 1953, J. Chemical Physics 21; Kirkpatrick, Gelatt & Vecchi 1983, Science 220).

An integer model sees CVaR through cuts, which are right at few portfolios; a walk sees it everywhere, at a few
microseconds for a portfolio. It proves nothing: the bound comes from the relaxation.

The numbers of move m come from Philox at the address (seed, round, m): the same start gives the same walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rdsim.native.blocks import Block
from rdsim.optimiser.annealing.contracts import BEST, NONE, blank_state, survey
from rdsim.optimiser.annealing.moves import walk
from rdsim.optimiser.appraisal import Risk
from rdsim.optimiser.problem import BoolArray, IntArray, PortfolioProblem, frozen

__all__ = ["Annealing", "Course", "anneal"]

MOVES = 4_000_000
FEW = 2000  # samples over which a walk goes first where there are more than twice as many
FINE = 8  # of a walk over all of them: so many times fewer moves, from a temperature so many times lower
HOT, COLD = 0.1, 0.005  # temperatures, in units of the mean size of the start's expected values
_AT_ONCE = 20_000  # moves between two looks at the clock, and at sums that drift


@dataclass(frozen=True)
class Course:
    """How many moves a walk makes, and its first and last temperature, in units of the objective."""

    moves: int
    hot: float
    cold: float


def anneal(
    problem: PortfolioProblem,
    risk: Risk,
    start: tuple[int, ...],
    open_: BoolArray,
    *,
    seed: int = 0,
    number: int = 0,
    moves: int = MOVES,
    enough: float = math.inf,
    late: Callable[[], bool] = lambda: False,
) -> tuple[int, ...]:
    """The best portfolio of a walk from `start`, which keeps every rule; `start` itself if nothing better was met.

    What is accepted costs as much as there are samples, and most is accepted early: where there are many samples, a
    short walk over all of them follows one over `FEW`, spread evenly.

    Args:
        risk: without rules on money.
        open_: (O,) options to choose from; those of `start` may be chosen anyway.
        number: of the walk: other numbers give other walks.
        moves: that it makes.
        enough: objective at which a walk may end.
        late: asked now and then; True ends the walk, which then need not repeat.
    """
    if not problem.option_names:
        return start
    scale = float(np.abs(problem.expected[list(start)]).mean()) if start else 0.0
    scale = scale or float(np.abs(problem.expected).max(initial=0.0)) or 1.0
    course, samples = Course(moves, HOT * scale, COLD * scale), np.atleast_2d(problem.values)
    if len(samples) > 2 * FEW:
        few = replace(problem, values=frozen(samples[:: len(samples) // FEW]))
        coarse = Annealing(few, open_, start, risk)
        coarse.run(course, seed, number, math.inf, late)
        walks = Annealing(problem, open_, coarse.best, risk)
        walks.run(Course(moves // FINE, course.hot / FINE, course.cold), seed, number, enough, late)
        return walks.best
    walks = Annealing(problem, open_, start, risk)
    walks.run(course, seed, number, enough, late)
    return walks.best


class Annealing:
    """Walks on the landscape of one problem."""

    def __init__(
        self, problem: PortfolioProblem, open_: BoolArray, start: tuple[int, ...], risk: Risk | None = None
    ) -> None:
        """`open_` (O,): options that may be chosen; those of `start`, which must keep every rule, may be anyway.

        `risk` without rules on money: they need samples of their own.
        """
        self._problem, self._options = problem, _options(problem, open_, start)
        self._survey = survey(problem, self._options, risk, start)
        samples = self._survey["samples"].shape[1]
        self._state = blank_state(problem, self._options.size, samples, self._survey["tail_size"])
        self._block = Block("Walk", self._state)
        self._state["current"][:] = self._places(start)
        self._state["best"][:] = self._state["current"]

    def _places(self, chosen: tuple[int, ...]) -> IntArray:
        places = np.full(len(self._problem.group_names), NONE)
        picked = np.array(chosen, dtype=np.int64)
        order = np.argsort(self._options)
        places[self._problem.group[picked]] = order[np.searchsorted(self._options, picked, sorter=order)]
        return places

    @property
    def best(self) -> tuple[int, ...]:
        """The best portfolio so far."""
        best = self._state["best"]
        return tuple(sorted(self._options[best[best != NONE]].tolist()))

    @property
    def objective(self) -> float:
        """Its objective; minus infinity before the first walk."""
        return float(self._state["figures"][BEST])

    def run(self, course: Course, seed: int, number: int, enough: float, late: Callable[[], bool]) -> None:
        """One walk from the best portfolio, until an objective of `enough`, the course's end, or being late."""
        land = Block("Landscape", self._survey | {"seed": np.uint64(seed), "round": np.uint64(number)})
        self._state["current"][:] = self._state["best"]
        cooling = math.log(course.cold / course.hot) / course.moves
        for first in range(0, course.moves, _AT_ONCE):
            if late() or self.objective >= enough:
                return
            moves = min(_AT_ONCE, course.moves - first)
            if walk(land, self._block, first, moves, course.hot, cooling, enough) < 0:
                return


def _options(problem: PortfolioProblem, open_: BoolArray, start: tuple[int, ...]) -> IntArray:
    """The options that walks may choose, ascending by group: where one is fixed, it alone."""
    may = open_.copy()
    may[list(start)] = True
    may[list(problem.fixed_out_options)] = False
    may[np.isin(problem.group, problem.fixed_out_groups)] = False
    fixed = np.array(problem.fixed_in_options, dtype=np.int64)
    may[np.isin(problem.group, problem.group[fixed])] = False
    may[fixed] = True
    options = np.flatnonzero(may)
    return np.asarray(options[np.argsort(problem.group[options], kind="stable")])
