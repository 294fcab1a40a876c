"""Annealing: a walk over portfolios by changes of one to four groups, each judged exactly, samples and all.

A change begins with one group or two, at random. While a row is off, one more group changes that uses less of it, or
more where it has a floor: most portfolios at which money is short are left by exchanges alone. Every change is then
tried on prerequisites and exclusions and on the objective itself: the mean and the CVaR of the sampled worth, a floor
on it, a target. Nothing that breaks a rule is ever entered. What is better is accepted, what is worse by d with
probability exp(-d / temperature), and the temperature falls (Metropolis et al. 1953, J. Chemical Physics 21;
Kirkpatrick, Gelatt & Vecchi 1983, Science 220).

An integer model sees CVaR through cuts, which are right at few portfolios; a walk sees it everywhere, at less than a
microsecond for a change. It proves nothing: the bound comes from the relaxation.

CVaR is the mean of the worst samples, and those are much the same for portfolios that are near to each other. So a walk
goes in stages, each over the samples that are the worst for where it begins: over those its CVaR is right as long as
they hold its own worst ones, and too high otherwise, which is found out at the end of the stage.

The numbers of move m come from Philox at the address (seed, round, m): the same start gives the same walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

import numpy as np

from rdsim.arrays import Bools, Ints
from rdsim.native.blocks import Block
from rdsim.native.threads import cores
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.solving.annealing.contracts import BEST, NONE, blank_state, survey
from rdsim.optimiser.solving.annealing.moves import walk
from rdsim.optimiser.solving.appraisal import Appraisal, Appraiser
from rdsim.optimiser.solving.tail import least_count

__all__ = ["Annealing", "Schedule", "Walking", "abreast", "anneal", "anneal_mean", "scale_of"]

T = TypeVar("T")

WALKS = 2  # beside each other, one for each core of a small machine

MOVES = 10_000_000
STAGES = 10
HOT, COLD = 0.03, 0.005  # temperatures, in units of the mean size of the start's expected values
WORST = 2  # samples of a stage, in units of those that CVaR is the mean of; twice as many after one that was wrong
_AT_ONCE = 20_000  # moves between two looks at the clock, and at sums that drift


@dataclass(frozen=True)
class Schedule:
    """How many moves a walk makes, and its first and last temperature, in units of the objective."""

    moves: int
    hot: float
    cold: float


@dataclass(frozen=True)
class Walking:
    """How walks go: which ones, and when they may end early."""

    seed: int = 0
    number: int = 0
    """Of the walk, or of the wave of walks: other numbers give other ones."""
    enough: float = math.inf
    """Objective at which one may end."""
    late: Callable[[], bool] = lambda: False
    """Asked now and then; True ends the walk, which then need not repeat."""


def anneal(
    judge: Appraiser,
    start: tuple[int, ...],
    open_: Bools,
    *,
    walking: Walking = Walking(),
    moves: int = MOVES,
    hot: float = HOT,
) -> tuple[int, ...]:
    """The best portfolio of a walk from `start`, which keeps every rule; `start` itself if nothing better was met.

    Args:
        judge: of a problem and a risk without rules on money.
        open_: (O,) options to choose from; those of `start` may be chosen anyway.
        walking: which walk, and when it may end early.
        moves: that it makes.
        hot: its first temperature, in units of the mean size of the start's expected values; it ends at `COLD`.
    """
    problem = judge.problem
    if not problem.option_names:
        return start
    scale = scale_of(problem, start)
    best = here = judge.appraise(start)
    samples, factor = best.worth.size, WORST
    for stage in range(STAGES):
        count = min(samples, factor * least_count(1 - judge.risk.level, samples))
        sampled = np.sort(np.argpartition(here.worth, count - 1)[:count])
        walks = Annealing(problem, open_, here.evaluation.chosen, judge, sampled)
        number = walking.number * STAGES + stage
        first, last = (scale * hot * (COLD / hot) ** (part / STAGES) for part in (stage, stage + 1))
        walks.run(Schedule(moves // STAGES, first, last), walking.seed, number, walking.enough, walking.late)
        top, end = judge.appraise(walks.best), judge.appraise(walks.current)
        best = _better(best, _better(top, end))
        if best.objective >= walking.enough or walking.late():
            break
        here = end if end.feasible else best
        if walks.objective - top.objective > last:
            factor *= 2
    return best.evaluation.chosen


def scale_of(problem: PortfolioProblem, chosen: tuple[int, ...]) -> float:
    """What temperatures are measured in: the mean size of the expected values of what is chosen."""
    mean = float(np.abs(problem.expected_value[list(chosen)]).mean()) if chosen else 0.0
    return mean or float(np.abs(problem.expected_value).max(initial=0.0)) or 1.0


def anneal_mean(
    problem: PortfolioProblem,
    start: tuple[int, ...],
    open_: Bools,
    course: Schedule,
    walking: Walking = Walking(),
) -> tuple[int, ...]:
    """The portfolio of largest expected worth of `WALKS` walks from `start`; `start` itself if nothing better was met.

    Args: as `anneal`; `course` says how many moves they make, and at which temperatures.
    """

    def one(number: int, ended: Callable[[], bool]) -> Annealing:
        walks = Annealing(problem, open_, start)
        walks.run(course, walking.seed, number, walking.enough, ended)
        return walks

    return max(abreast(one, walking.number, walking.late), key=lambda walks: walks.objective).best


def abreast(walk: Callable[[int, Callable[[], bool]], T], wave: int, late: Callable[[], bool]) -> list[T]:
    """What `WALKS` walks give, beside each other; the same on any number of cores.

    Each is called with its number and with what tells it to end: being late, or an interrupt or an error here, so that
    nobody waits for walks that nobody wants any more.
    """
    unwanted = Event()
    with ThreadPoolExecutor(min(WALKS, cores()), thread_name_prefix="walk") as pool:
        numbers = range(wave * WALKS, (wave + 1) * WALKS)
        under_way = [pool.submit(walk, number, lambda: unwanted.is_set() or late()) for number in numbers]
        try:
            return [one.result() for one in under_way]
        finally:
            unwanted.set()


def _better(one: Appraisal, other: Appraisal) -> Appraisal:
    """The feasible one, or that of larger objective; the first if they are as good."""
    return max((one, other), key=lambda judged: (judged.feasible, judged.objective))


class Annealing:
    """Walks on the landscape of one problem."""

    def __init__(
        self,
        problem: PortfolioProblem,
        open_: Bools,
        start: tuple[int, ...],
        judge: Appraiser | None = None,
        sampled: Ints | None = None,
    ) -> None:
        """`open_` (O,): options that may be chosen; those of `start`, which must keep every rule, may be anyway.

        `judge`, of a risk without rules on money (they need samples of their own): what counts; without one the
        expected value does. `sampled`: the samples that may be among the worst; none: all.
        """
        self._problem, self._options = problem, _options(problem, open_, start)
        self._survey = survey(problem, self._options, judge, start, sampled)
        samples = self._survey["samples"].shape[1]
        self._state = blank_state(problem, self._survey, self._options.size, samples)
        self._block = Block("Walk", self._state)
        self._state["current"][:] = self._places(start)
        self._state["best"][:] = self._state["current"]

    def _places(self, chosen: tuple[int, ...]) -> Ints:
        places = np.full(len(self._problem.group_names), NONE)
        picked = np.array(chosen, dtype=np.int64)
        order = np.argsort(self._options)
        places[self._problem.group[picked]] = order[np.searchsorted(self._options, picked, sorter=order)]
        return places

    @property
    def best(self) -> tuple[int, ...]:
        """The best portfolio so far."""
        return self._choice(self._state["best"])

    @property
    def current(self) -> tuple[int, ...]:
        """The portfolio at which the last walk ended."""
        return self._choice(self._state["current"])

    def _choice(self, places: Ints) -> tuple[int, ...]:
        return tuple(sorted(self._options[places[places != NONE]].tolist()))

    @property
    def objective(self) -> float:
        """That of the best portfolio; minus infinity before the first walk."""
        return float(self._state["figures"][BEST])

    def run(self, course: Schedule, seed: int, number: int, enough: float, late: Callable[[], bool]) -> None:
        """One walk from the best portfolio, until an objective of `enough`, the course's end, or being late."""
        land = Block("WalkData", self._survey | {"seed": np.uint64(seed), "round": np.uint64(number)})
        self._state["current"][:] = self._state["best"]
        cooling = math.log(course.cold / course.hot) / course.moves
        for first in range(0, course.moves, _AT_ONCE):
            if late() or self.objective >= enough:
                return
            moves = min(_AT_ONCE, course.moves - first)
            if walk(land, self._block, first, moves, course.hot, cooling, enough) < 0:
                return


def _options(problem: PortfolioProblem, open_: Bools, start: tuple[int, ...]) -> Ints:
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
