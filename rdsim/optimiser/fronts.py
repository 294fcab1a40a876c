"""Pareto fronts of two figures of a portfolio, by epsilon-constraint (Haimes, Lasdon & Wismer 1971).

One of the two figures is the aim, the other gets a floor that moves::

    maximise aim  subject to  every row  and  other >= level

The objective of the problem ("value") can only be an aim, for it is no row; where it is named second the two
change places, which changes no point. A figure to be minimised is maximised with its sign changed.

============================  ====================================================================================
`points` is None              the level rises from one point's figure to the next possible one until nothing is
                              feasible: at gap 0 the whole set, which the last solve proves
`points` and gap 0            that many levels, each solved twice (lexicographic): most aim, then most of the other at
                              that aim, so that no point is weakly dominated
`points` and a gap above 0    for large problems: floors are *elastic* (falling short costs a price, taken from the
                              slope of the relaxed front), and every portfolio found counts for the whole front
============================  ====================================================================================

With an elastic floor at level e and price q, a solver's bound B says of every portfolio::

    aim <= B + q max(0, e - other)

So each solve bounds the whole front, and a point's bound is the least of all of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rdsim.optimiser.evaluation import evaluate
from rdsim.optimiser.milp import formulate
from rdsim.optimiser.problem import PortfolioProblem, check
from rdsim.optimiser.questions import ask, refuse, series
from rdsim.optimiser.rens import Settings, chosen_of
from rdsim.optimiser.solution import Solution, Status, relative_gap, require
from rdsim.optimiser.solvers import Solver, State
from rdsim.optimiser.variations import Measure, opposite, with_fixed, with_objective, with_row, worth_at_least

__all__ = ["SENSES", "VALUE", "Figure", "Front", "Point", "front"]

VALUE = "value"
"""The name of the problem's own objective."""

SENSES = ("max", "min")

Figure = Measure | str
"""A measure, or "value"."""

TIE = 4e-9  # of the largest figure: what a solver cannot tell apart
PROVEN = 1e-6
STEP = 1e-5  # of the largest coefficient: how much more of a figure that is not whole counts as more
STEEPER = 1.25


@dataclass(frozen=True)
class Point:
    """A portfolio on the front: nothing known is at least as good in both figures and better in one."""

    first: float
    second: float
    chosen: tuple[int, ...]
    opened: dict[int, int]  # partner -> stage at which it opens
    bound: float  # no portfolio with at least as much of the other figure is better than this in the aim
    gap: float  # relative, of the aim
    proven: bool  # no portfolio at all dominates it, not even weakly


@dataclass(frozen=True)
class Front:
    """Points from the best in the aim to the best in the other figure, none dominated, none twice."""

    first: str
    second: str
    senses: tuple[str, str]
    aim: str  # the figure that bounds and gaps are about
    points: tuple[Point, ...]
    complete: bool  # proven: there is no other non-dominated pair of figures
    step: float  # pairs closer than this in the figure with the floor count as one; 0 for whole numbers
    solves: int
    solver: str
    seconds: float = field(compare=False)

    @property
    def median_gap(self) -> float:
        """Median of the points' gaps."""
        return float(np.median([point.gap for point in self.points]))


def front(
    problem: PortfolioProblem,
    first: Figure,
    second: Figure,
    *,
    senses: tuple[str, str] = ("max", "max"),
    points: int | None = None,
    gap: float = 0.0,
    solver: str | Solver = "highs",
    time_limit: float | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Front:
    """The Pareto front of two figures.

    Args:
        problem: what to choose from.
        first: a `Measure`, or "value", the objective of the problem.
        second: the other figure.
        senses: "max" or "min" for each; "value" is always maximised.
        points: at most how many; None for every point there is.
        gap: relative gap of each solve; 0 proves every point.
        solver: `highs`, `cbc`, or an adapter.
        time_limit: seconds for the whole front, a safety net; a front that it cuts short is not complete.
        seed: of the solver and of the neighbourhood search.
        threads: of the solver.

    Raises: ProblemError for wrong arguments; InfeasibleError if there is no portfolio; SolverError if none was found.
    """
    began = time.perf_counter()
    check(problem)
    _refuse_figures(problem, (first, second), senses)
    settings = series(solver, gap, time_limit, seed, threads)
    trace = _Trace(_task(problem, (first, second), senses, settings))
    whole = trace.task.other.integer or gap == 0
    refuse(("points", points is None or points >= 2, "must be None or at least 2", points))
    refuse(("points", points is not None or whole, "must be given unless a figure is whole or the gap is 0", points))
    complete = _sweep(trace) if points is None else _grid(trace, points)
    return _told(trace, complete, began)


def _refuse_figures(problem: PortfolioProblem, figures: tuple[Figure, Figure], senses: tuple[str, str]) -> None:
    refuse(("first, second", figures[0] is not figures[1] and figures != (VALUE, VALUE), "must differ", figures))
    options, openings = len(problem.option_names), problem.opening_value.size
    for where, figure, sense in zip(("first", "second"), figures, senses, strict=True):
        refuse((f"sense of {where}", sense in SENSES, "must be max or min", sense))
        if isinstance(figure, Measure):
            sizes = (figure.use.size, figure.opening_use.size)
            rule = f"must have {options} uses, and {openings} or no opening uses"
            refuse((where, sizes in {(options, openings), (options, 0)}, rule, sizes))
            finite = bool(np.isfinite(figure.use).all() and np.isfinite(figure.opening_use).all())
            refuse((where, finite, "must be finite", figure.name))
        else:
            refuse((where, figure == VALUE, 'must be a Measure or "value"', figure))
            refuse((f"sense of {where}", sense != "min", "the value can only be maximised", sense))


# ---------------------------------------------------------------- the task, and what is known so far


@dataclass(frozen=True, eq=False)
class _Task:
    """Both figures as figures to be maximised: the aim is the objective of `problem`, the other has the floor."""

    problem: PortfolioProblem
    other: Measure
    step: float  # of the other figure
    names: tuple[str, str]
    signs: tuple[float, float]  # of the first and second figure
    senses: tuple[str, str]
    swapped: bool  # the aim is the second figure
    settings: Settings

    @property
    def aim_sign(self) -> float:
        """-1 where the aim is a figure to be minimised."""
        return self.signs[int(self.swapped)]


def _task(
    problem: PortfolioProblem, figures: tuple[Figure, Figure], senses: tuple[str, str], settings: Settings
) -> _Task:
    """The value is the aim; else the second figure has the floor, unless only the first is whole."""
    first, second = figures
    whole = [isinstance(figure, Measure) and figure.integer for figure in figures]
    swapped = not isinstance(second, Measure) or (isinstance(first, Measure) and whole[0] and not whole[1])
    upward = [_upward(figure, sense) for figure, sense in zip(figures, senses, strict=True)]
    aim, other = (upward[1], upward[0]) if swapped else (upward[0], upward[1])
    assert other is not None  # noqa: S101 - `_refuse_figures` lets one value pass, and that one is the aim
    return _Task(
        problem=problem if aim is None else with_objective(problem, aim),
        other=other,
        step=1.0 if other.integer else STEP * max(_largest(other), 1e-9),
        names=(_name(first), _name(second)),
        signs=(1.0 if senses[0] == "max" else -1.0, 1.0 if senses[1] == "max" else -1.0),
        senses=(senses[0], senses[1]),
        swapped=swapped,
        settings=settings,
    )


def _name(figure: Figure) -> str:
    return figure.name if isinstance(figure, Measure) else figure


def _upward(figure: Figure, sense: str) -> Measure | None:
    """The measure to be maximised; None for the value."""
    if not isinstance(figure, Measure):
        return None
    return figure if sense == "max" else opposite(figure)


def _largest(measure: Measure) -> float:
    return float(max(np.abs(measure.use).max(initial=0.0), np.abs(measure.opening_use).max(initial=0.0)))


@dataclass(frozen=True)
class _Found:
    """A portfolio and its figures, both to be maximised."""

    aim: float
    other: float
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class _Bound:
    """aim <= most + price * max(0, level - other); a hard floor has no price and says nothing below its level."""

    level: float
    price: float
    most: float

    def at(self, other: float, slack: float) -> float:
        """The bound for portfolios with at least this much of the other figure."""
        if other >= self.level - slack:
            return self.most
        return self.most + self.price * (self.level - other) if math.isfinite(self.price) else math.inf


@dataclass(eq=False)
class _Trace:
    """Everything found and proven while a front is drawn."""

    task: _Task
    found: dict[tuple[int, ...], _Found] = field(default_factory=dict)
    bounds: list[_Bound] = field(default_factory=list)
    clean: set[tuple[int, ...]] = field(default_factory=set)  # nothing has as much aim and more of the other
    solves: int = 0

    def judge(self, chosen: Iterable[int]) -> _Found | None:
        """Take a portfolio in, if it breaks no rule."""
        judged = evaluate(self.task.problem, chosen)
        if not judged.feasible:
            return None
        other = self.task.other.of(self.task.problem, judged)
        one = _Found(judged.objective, round(other) if self.task.other.integer else other, judged.chosen)
        return self.found.setdefault(one.chosen, one)

    def solve(self, level: float = -math.inf, price: float = math.nan) -> tuple[Solution, _Found | None]:
        """Most aim with at least `level` of the other figure, or at a price for less."""
        problem = self.task.problem
        if math.isfinite(level):
            problem = with_row(problem, self._floor(), ">=", level, family="epsilon", price=price)
        solution = ask(problem, self.task.settings)
        self.solves += 1
        self.bounds.append(_Bound(level, price, solution.bound))
        return solution, self.judge(solution.chosen) if solution.has_portfolio else None

    def recombine(self, one: _Found) -> None:
        """Most aim with as much of the other figure, from the options of all portfolios found: a small problem."""
        used = {option for chosen in self.found for option in chosen}
        others = (option for option in range(len(self.task.problem.option_names)) if option not in used)
        problem = with_fixed(self.task.problem, options_out=others)
        solution = ask(with_row(problem, self._floor(), ">=", one.other, family="epsilon"), self.task.settings)
        self.solves += 1
        if solution.has_portfolio:
            self.judge(solution.chosen)

    def relax(self, level: float) -> float:
        """The bound of the relaxation at a level."""
        model = formulate(with_row(self.task.problem, self._floor(), ">=", level))
        answer = self.task.settings.solver.run(model, self.task.settings.limits(), relaxed=True)
        known = answer.bound if answer.state in {State.OPTIMAL, State.INFEASIBLE} else math.inf
        self.bounds.append(_Bound(level, math.nan, known))
        return self.bound(level)

    def _floor(self) -> Measure:
        other = self.task.other
        return Measure(f"at least: {other.name}", other.use, other.opening_use)

    def bound(self, other: float) -> float:
        """Most aim of any portfolio with at least this much of the other figure."""
        return min((one.at(other, self.task.step / 2) for one in self.bounds), default=math.inf)

    @property
    def tie(self) -> float:
        """Aims closer than this are equal."""
        aims = max((abs(one.aim) for one in self.found.values()), default=0.0)
        return TIE * max(aims, float(np.abs(self.task.problem.expected).max(initial=0.0)))

    def gap(self, one: _Found) -> float:
        """Relative gap of a portfolio's aim; a difference that no solver can see is none."""
        return relative_gap(one.aim, max(one.aim, self.bound(one.other) - self.tie))

    def efficient(self) -> list[_Found]:
        """What nothing found dominates, from most aim to most of the other; the first found of equals."""
        order = sorted(self.found.values(), key=lambda one: (-one.other, -one.aim))
        kept: list[_Found] = []
        for one in order:
            if not kept or one.aim > kept[-1].aim + self.tie:
                while kept and one.other > kept[-1].other - self.task.step / 2:
                    kept.pop()  # as much of the other but for what cannot be told apart, and more aim
                kept.append(one)
        return kept[::-1]


# ---------------------------------------------------------------- every point


def _sweep(trace: _Trace) -> bool:
    """Raise the floor from each point to the next possible one; True if the set is proven to be complete."""
    solution, found = trace.solve()
    require(solution)
    exact, level = solution.status is Status.OPTIMAL, -math.inf
    while found is not None:
        level, previous = max(level, found.other) + trace.task.step, found
        solution, found = trace.solve(level)
        if solution.status is Status.INFEASIBLE or solution.bound < previous.aim - trace.tie:
            trace.clean.add(previous.chosen)
        exact &= solution.status in {Status.OPTIMAL, Status.INFEASIBLE}
    return exact and solution.status is Status.INFEASIBLE


# ---------------------------------------------------------------- some points


def _grid(trace: _Trace, points: int) -> bool:
    """Levels between the best in one figure and the best in the other."""
    solution, start = trace.solve()
    require(solution)
    exact = trace.task.settings.gap == 0
    if start is not None and exact:
        start = _cleaned(trace, start)
    top = _top(trace)
    if start is None or top <= start.other + trace.task.step / 2:
        return False
    if trace.task.other.integer and exact and top - start.other < points:
        return _sweep(trace)
    levels = np.linspace(start.other, top, points)[1:]
    if exact:
        _at_levels(trace, levels)
    else:
        _near_levels(trace, levels, points)
    return False


def _top(trace: _Trace) -> float:
    """The most of the other figure that was reached."""
    solution = ask(with_objective(trace.task.problem, trace.task.other), trace.task.settings)
    trace.solves += 1
    if solution.has_portfolio:
        trace.judge(solution.chosen)
        trace.bounds.append(_Bound(solution.bound + trace.task.step, math.nan, -math.inf))
    return max(one.other for one in trace.found.values())


def _cleaned(trace: _Trace, found: _Found) -> _Found:
    """The portfolio with most of the other figure among those with as much aim."""
    task = trace.task
    model = worth_at_least(task.problem, task.other, found.aim)
    answer = task.settings.solver.run(model, task.settings.limits())
    trace.solves += 1
    judged = trace.judge(chosen_of(task.problem, answer.values)) if answer.values is not None else None
    best = judged if judged and judged.aim >= found.aim - trace.tie and judged.other > found.other else found
    if answer.state is State.OPTIMAL and answer.bound <= best.other + task.step / 2:
        trace.clean.add(best.chosen)
    return best


def _at_levels(trace: _Trace, levels: Iterable[float]) -> None:
    """Each level solved and cleaned, unless a point found so far is proven to be the best there."""
    for level in levels:
        whole = math.ceil(level - PROVEN) if trace.task.other.integer else float(level)
        known = [one for one in trace.found.values() if one.other >= whole - trace.task.step / 2]
        if any(one.chosen in trace.clean and trace.bound(whole) <= one.aim + trace.tie for one in known):
            continue
        _, found = trace.solve(whole)
        if found is not None:
            _cleaned(trace, found)


def _near_levels(trace: _Trace, levels: Iterable[float], points: int) -> None:
    """Elastic floors at the levels, then at the middle of the widest gaps while points are missing; then the pool.

    The last level, the most of the other figure, is not solved: its portfolio is there, and the pool improves it.
    """
    start = min(one.other for one in trace.found.values())
    places = [start, *(float(level) for level in levels)]
    relaxed = {place: trace.relax(place) for place in places}
    for place in places[1:-1]:
        trace.solve(place, _price(relaxed, place))
    while (between := _widest(trace, relaxed, points)) is not None:
        relaxed[between] = trace.relax(between)
        trace.solve(between, _price(relaxed, between))
    for one in trace.efficient():
        if trace.gap(one) > trace.task.settings.gap:
            trace.recombine(one)


def _widest(trace: _Trace, relaxed: dict[float, float], points: int) -> float | None:
    """The middle of the widest gap between points where none was tried; None if there are enough points or tries."""
    others = [one.other for one in trace.efficient()]
    if not 2 <= len(others) < points or len(relaxed) >= 2 * points or trace.task.settings.late:
        return None
    pairs = sorted(pairwise(others), key=lambda pair: pair[0] - pair[1])
    return next((middle for a, b in pairs if (middle := (a + b) / 2) not in relaxed), None)


def _price(relaxed: dict[float, float], place: float) -> float:
    """A little more than the slope of the relaxed front before a level.

    Falling short hardly pays then; and where the front is steep, a level is no needle that a search never finds.
    """
    places = sorted(relaxed)
    index = places.index(place)
    before, whole = places[index - 1], places[-1] - places[0]
    slope = (relaxed[before] - relaxed[place]) / (place - before)
    least = 1e-3 * max(relaxed[places[0]] - relaxed[places[-1]], PROVEN * abs(relaxed[place])) / whole
    return STEEPER * max(slope, least)


# ---------------------------------------------------------------- telling


def _told(trace: _Trace, complete: bool, began: float) -> Front:
    task = trace.task
    aim = task.names[int(task.swapped)]
    return Front(
        *task.names,
        senses=task.senses,
        aim=aim,
        points=tuple(_points(trace)),
        complete=complete,
        step=0.0 if task.other.integer else task.step,
        solves=trace.solves,
        solver=task.settings.solver.name,
        seconds=time.perf_counter() - began,
    )


def _points(trace: _Trace) -> Iterator[Point]:
    task = trace.task
    for one in trace.efficient():
        gap = trace.gap(one)
        bound = one.aim if gap == 0 else trace.bound(one.other)
        figures = (one.other, one.aim) if task.swapped else (one.aim, one.other)
        first, second = (sign * figure for sign, figure in zip(task.signs, figures, strict=True))
        yield Point(
            first=first,
            second=second,
            chosen=one.chosen,
            opened=evaluate(task.problem, one.chosen).opened,
            bound=task.aim_sign * bound,
            gap=gap,
            proven=gap <= PROVEN and one.chosen in trace.clean,
        )
