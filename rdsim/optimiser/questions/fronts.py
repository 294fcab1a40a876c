"""Pareto fronts of two figures of a portfolio, by epsilon-constraint (Haimes, Lasdon & Wismer 1971).

One of the two figures is the aim, the other gets a floor that moves::

    maximise aim  subject to  every row  and  other >= level

The objective of the problem ("value") can only be an aim, for it is no row; where it is named second the two
change places, which changes no point. A figure to be minimised is maximised with its sign changed.
The CVaR of the value is the other figure beside the value (a floor on CVaR, see `risk`), the aim beside a measure.

============================  ====================================================================================
`points` is None              the level rises from one point's figure to the next possible one until nothing is
                              feasible: at gap 0 the whole set, which the last solve proves
`points` and gap 0            that many levels, each solved twice (lexicographic): most aim, then most of the other at
                              that aim, so that no point is weakly dominated
`points` and a gap above 0    for large problems: floors are *elastic* (falling short costs a price, taken from the
                              slope of the relaxed front, see `floors`), and every portfolio found counts for the
                              whole front
============================  ====================================================================================

The bound of the relaxation with a floor at level e holds for every portfolio that reaches e. So a point's bound is the
least of those at levels no higher than its own figure, at which the relaxation is solved in the end as well.

CVaR on large problems has no elastic floor. There value and CVaR are weighed, and a weighted sum's bound is a line
above the whole front, ``(1 - w) value + w CVaR <= B``. The first prices of CVaR are 0 and `DEAREST`, each further one
makes the two ends of the widest gap equally good (Cohon, Church & Sheer 1979, Water Resources Research 15). Relaxed
tails are weak, so the gap asked of a weighted solve grows with CVaR's part; each point says what was proven of it.
Beyond `DEAREST`, where CVaR may still rise a little at a great loss of value, nothing is sought: that needs gap 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rdsim.optimiser.adapters import SolverState
from rdsim.optimiser.models.milp import choice_of
from rdsim.optimiser.models.variations import Measure, opposite, with_floor, with_objective, with_values, worth_at_least
from rdsim.optimiser.problem.evaluation import Evaluation, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check
from rdsim.optimiser.problem.solution import Solution, Status, relative_gap, require
from rdsim.optimiser.questions.series import ask
from rdsim.optimiser.solving.floors import Floor
from rdsim.optimiser.solving.risk import Risk, cvar, sampled_worth
from rdsim.optimiser.solving.settings import Check, Solving, SolvingSeries, refuse

__all__ = ["SENSES", "VALUE", "CVaR", "Front", "FrontPoint", "Objective", "front"]

VALUE = "value"
"""The name of the problem's own objective."""

SENSES = ("max", "min")


@dataclass(frozen=True)
class CVaR:
    """The mean of the worst 1 - level share of the value's samples, as in `Risk`; always maximised."""

    level: float = 0.95

    @property
    def name(self) -> str:
        """Such as cvar-0.95."""
        return f"cvar-{self.level:g}"

    def of(self, problem: PortfolioProblem, portfolio: Evaluation) -> float:
        """The figure of a portfolio."""
        return cvar(sampled_worth(problem, portfolio), self.level)


Objective = Measure | CVaR | str
"""A measure, a CVaR of the value, or "value"."""

TIE = 4e-9  # of the largest figure: what a solver cannot tell apart
TIE_IN_TAIL = 2e-6  # the same where a figure is a CVaR, whose cuts have a tolerance of their own
PROVEN = 1e-6
STEP = 1e-5  # of the largest coefficient: how much more of a figure that is not whole counts as more
STEEPER = 1.25
DEAREST = 2.0  # what a unit of CVaR is worth at most where the two are weighed, in units of value
LOOSER = 2.5  # power of 1 + price by which the gap asked of a weighted solve grows: tails relax badly
ALIKE = 0.05  # two prices of CVaR this close, relatively, are one


@dataclass(frozen=True)
class FrontPoint:
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
    points: tuple[FrontPoint, ...]
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
    first: Objective,
    second: Objective,
    *,
    senses: tuple[str, str] = ("max", "max"),
    points: int | None = None,
    solving: Solving = Solving(),
) -> Front:
    """The Pareto front of two figures.

    Args:
        problem: what to choose from.
        first: a `Measure`, a `CVaR`, or "value", the objective of the problem.
        second: the other figure.
        senses: "max" or "min" for each; the value and its CVaR are always maximised.
        points: at most how many; None for every point there is.
        solving: of each point, by default to gap 0, which proves it; the time limit is for the whole front, and one
            that it cuts short is not complete.

    Raises: ProblemError for wrong arguments; InfeasibleError if there is no portfolio; SolverError if none was found.
    """
    began = time.perf_counter()
    check(problem)
    refuse(*_checks(problem, (first, second), senses, points, solving.gap or 0.0), *solving.checks())
    settings = solving.begin(0.0)
    trace = _Trace(_task(problem, (first, second), senses, settings))
    complete = _sweep(trace) if points is None else _grid(trace, points)
    return _front(trace, complete, began, points)


def _checks(
    problem: PortfolioProblem,
    figures: tuple[Objective, Objective],
    senses: tuple[str, str],
    points: int | None,
    gap: float,
) -> Iterator[Check]:
    same = figures[0] is figures[1] or (figures[0] == figures[1] and not isinstance(figures[0], Measure))
    yield "first, second", not same, "must differ", figures
    tails = sum(isinstance(figure, CVaR) for figure in figures)
    yield "first, second", same or tails < 2, "one of them at most may be a CVaR", figures
    for where, figure, sense in zip(("first", "second"), figures, senses, strict=True):
        yield f"sense of {where}", sense in SENSES, "must be max or min", sense
        if isinstance(figure, Measure):
            yield from _measure_checks(problem, where, figure)
            continue
        yield f"sense of {where}", sense != "min", "the value and its CVaR can only be maximised", sense
        if isinstance(figure, CVaR):
            yield f"level of {where}", 0 < figure.level < 1, "must lie in 0 < level < 1", figure.level
        else:
            yield where, figure == VALUE, 'must be a Measure, a CVaR or "value"', figure
    whole = gap == 0 or any(isinstance(figure, Measure) and figure.integer for figure in figures)
    yield "points", points is None or points >= 2, "must be None or at least 2", points
    yield "points", points is not None or whole, "must be given unless a figure is whole or the gap is 0", points


def _measure_checks(problem: PortfolioProblem, where: str, measure: Measure) -> Iterator[Check]:
    options, openings = len(problem.option_names), problem.opening_value.size
    sizes = (measure.use.size, measure.opening_use.size)
    fits = sizes in {(options, openings), (options, 0)}
    yield where, fits, f"must have {options} uses, and {openings} or no opening uses", sizes
    finite = bool(np.isfinite(measure.use).all() and np.isfinite(measure.opening_use).all())
    yield where, finite, "must be finite", measure.name


# ---------------------------------------------------------------- the task, and what is known so far


@dataclass(frozen=True, eq=False)
class _Task:
    """Both figures as figures to be maximised: the aim is the objective of `problem`, the other has the floor."""

    problem: PortfolioProblem
    other: Measure | CVaR
    tail: CVaR | None  # the aim, instead of the objective of `problem`
    step: float  # of the other figure
    names: tuple[str, str]
    signs: tuple[float, float]  # of the first and second figure
    senses: tuple[str, str]
    swapped: bool  # the aim is the second figure
    settings: SolvingSeries

    @property
    def aim_sign(self) -> float:
        """-1 where the aim is a figure to be minimised."""
        return self.signs[int(self.swapped)]

    @property
    def whole(self) -> bool:
        """True if the other figure is always a whole number."""
        return isinstance(self.other, Measure) and self.other.integer

    @property
    def linear(self) -> bool:
        """True if no figure is a CVaR."""
        return self.tail is None and isinstance(self.other, Measure)

    def judge(self, chosen: Iterable[int]) -> _Found | None:
        """A portfolio with its figures; None if it breaks a rule."""
        judged = evaluate(self.problem, chosen)
        if not judged.feasible:
            return None
        aim = judged.objective if self.tail is None else self.tail.of(self.problem, judged)
        other = self.other.of(self.problem, judged)
        return _Found(aim, round(other) if self.whole else other, judged.chosen)

    def with_floor(self, level: float) -> tuple[PortfolioProblem, Risk | None]:
        """The question: most aim with at least `level` of the other figure."""
        if isinstance(self.other, CVaR):
            return self.problem, Risk(level=self.other.level, floor=level if math.isfinite(level) else None)
        problem = self.problem
        if math.isfinite(level):
            problem = with_floor(problem, self.other, level)
        return problem, None if self.tail is None else Risk(level=self.tail.level, weight=1.0)


def _task(
    problem: PortfolioProblem, figures: tuple[Objective, Objective], senses: tuple[str, str], settings: SolvingSeries
) -> _Task:
    """The value is the aim, then a CVaR; else the second figure has the floor, unless only the first is whole."""
    first, second = figures
    swapped = _rank(second) > _rank(first)
    upward = [_upward(figure, sense) for figure, sense in zip(figures, senses, strict=True)]
    aim, other = (upward[1], upward[0]) if swapped else (upward[0], upward[1])
    assert not isinstance(other, str)  # noqa: S101 - `_checks` let one value pass, and that one is the aim
    return _Task(
        problem=with_objective(problem, aim) if isinstance(aim, Measure) else problem,
        other=other,
        tail=aim if isinstance(aim, CVaR) else None,
        step=_step(problem, other),
        names=(_name(first), _name(second)),
        signs=(1.0 if senses[0] == "max" else -1.0, 1.0 if senses[1] == "max" else -1.0),
        senses=(senses[0], senses[1]),
        swapped=swapped,
        settings=settings,
    )


def _rank(figure: Objective) -> int:
    """The higher one is the aim."""
    if isinstance(figure, Measure):
        return 0 if figure.integer else 1
    return 2 if isinstance(figure, CVaR) else 3


def _name(figure: Objective) -> str:
    return figure if isinstance(figure, str) else figure.name


def _upward(figure: Objective, sense: str) -> Objective:
    """The figure to be maximised."""
    return opposite(figure) if isinstance(figure, Measure) and sense == "min" else figure


def _step(problem: PortfolioProblem, other: Measure | CVaR) -> float:
    if isinstance(other, CVaR):
        return STEP * max(_most_worth(problem), 1e-9)
    largest = max(np.abs(other.use).max(initial=0.0), np.abs(other.opening_use).max(initial=0.0))
    return 1.0 if other.integer else STEP * max(float(largest), 1e-9)


def _most_worth(problem: PortfolioProblem) -> float:
    """No sample of a portfolio's worth is larger, shortfalls apart: a floor's tolerance is a small part of it."""
    largest = np.zeros(len(problem.group_names))
    np.maximum.at(largest, problem.group, np.abs(np.atleast_2d(problem.values)).max(axis=0))
    openings = float(np.abs(problem.opening_value).max(axis=1, initial=0.0).sum())
    return float(largest.sum()) + openings + sum(abs(value) for *_, value in problem.synergies)


@dataclass(frozen=True)
class _Found:
    """A portfolio and its figures, both to be maximised."""

    aim: float
    other: float
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class _Bound:
    """aim <= most for all that reach the level of the other figure; without a price nothing is said of the others.

    With one, aim <= most + price * (level - other): a line above the whole front is such a bound, where `level` is at
    least all there can be of the other figure.
    """

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
        one = self.task.judge(chosen)
        return None if one is None else self.found.setdefault(one.chosen, one)

    def solve(self, level: float = -math.inf) -> tuple[Solution, _Found | None]:
        """Most aim with at least `level` of the other figure."""
        solution = self.bound_at(level)
        return solution, self.judge(solution.chosen) if solution.has_portfolio else None

    def bound_at(self, level: float) -> Solution:
        """The same, but for the portfolio: only what is proven counts."""
        problem, risk = self.task.with_floor(level)
        solution = ask(problem, self.task.settings, risk=risk)
        self.solves += 1
        self.bounds.append(_Bound(level, math.nan, solution.bound))
        return solution

    def relax(self, floor: Floor, level: float) -> float:
        """The bound of the relaxation at a level."""
        self.bounds.append(_Bound(level, math.nan, floor.bound(level)))
        return self.bound(level)

    def approach(self, floor: Floor, level: float, price: float) -> None:
        """A portfolio near a level, from the best of those found so far."""
        chosen = floor.best(level, price, self.found)
        self.solves += 1
        if chosen is not None:
            self.judge(chosen)

    def bound(self, other: float) -> float:
        """Most aim of any portfolio with at least this much of the other figure."""
        return min((one.at(other, self.task.step / 2) for one in self.bounds), default=math.inf)

    @property
    def tie(self) -> float:
        """Aims closer than this are equal."""
        aims = max((abs(one.aim) for one in self.found.values()), default=0.0)
        share = TIE if self.task.linear else TIE_IN_TAIL
        return share * max(aims, float(np.abs(self.task.problem.expected_value).max(initial=0.0)))

    def gap(self, one: _Found) -> float:
        """Relative gap of a portfolio's aim; a difference that no solver can see is none."""
        bound = self.bound(one.other)
        return 0.0 if bound <= one.aim + self.tie else relative_gap(one.aim, bound)

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
    if isinstance(trace.task.other, CVaR) and not exact:
        _try_prices(trace, solution.bound, points)  # no CVaR is above the mean
        return False
    if start is not None and exact:
        start = _clean(trace, start)
    top = _top(trace)
    if start is None or top <= start.other + trace.task.step / 2:
        return False
    if trace.task.whole and exact and top - start.other < points:
        return _sweep(trace)
    levels = np.linspace(start.other, top, points)[1:]
    if trace.task.whole:
        levels = np.unique(np.ceil(levels - PROVEN))  # a floor between two whole numbers is the upper one
    if exact:
        _at_levels(trace, levels)
    else:
        _near_levels(trace, levels, points)
    return False


def _top(trace: _Trace) -> float:
    """The most of the other figure that was reached."""
    task = trace.task
    if isinstance(task.other, CVaR):
        solution = ask(task.problem, task.settings, risk=Risk(level=task.other.level, weight=1.0))
    else:
        solution = ask(with_objective(task.problem, task.other), task.settings)
    trace.solves += 1
    if solution.has_portfolio:
        trace.judge(solution.chosen)
        trace.bounds.append(_Bound(solution.bound + trace.task.step, math.nan, -math.inf))
    return max(one.other for one in trace.found.values())


def _clean(trace: _Trace, found: _Found) -> _Found:
    """The portfolio with most of the other figure among those with as much aim."""
    task = trace.task
    if task.tail is not None or isinstance(task.other, CVaR):
        return _climb(trace, found)
    model = worth_at_least(task.problem, task.other, found.aim)
    answer = task.settings.solver.run(model, task.settings.limits())
    trace.solves += 1
    judged = trace.judge(choice_of(task.problem, answer.values)) if answer.values is not None else None
    best = judged if judged and judged.aim >= found.aim - trace.tie and judged.other > found.other else found
    if answer.state is SolverState.OPTIMAL and answer.bound <= best.other + task.step / 2:
        trace.clean.add(best.chosen)
    return best


def _climb(trace: _Trace, found: _Found) -> _Found:
    """The same where a figure is a CVaR: a little more of the other figure is asked for while it costs no aim."""
    while True:
        solution = trace.bound_at(found.other + trace.task.step)
        if solution.status is Status.INFEASIBLE or solution.bound < found.aim - trace.tie:
            trace.clean.add(found.chosen)
        higher = trace.task.judge(solution.chosen) if solution.has_portfolio else None
        if higher is None or higher.aim < found.aim - trace.tie or higher.other <= found.other:
            return found
        found = trace.judge(higher.chosen) or higher


def _at_levels(trace: _Trace, levels: Iterable[float]) -> None:
    """Each level solved and cleaned, unless a point found so far is proven to be the best there."""
    for level in levels:
        whole = math.ceil(level - PROVEN) if trace.task.whole else float(level)
        known = [one for one in trace.found.values() if one.other >= whole - trace.task.step / 2]
        if any(one.chosen in trace.clean and trace.bound(whole) <= one.aim + trace.tie for one in known):
            continue
        _, found = trace.solve(whole)
        if found is not None:
            _clean(trace, found)


def _near_levels(trace: _Trace, levels: Iterable[float], points: int) -> None:
    """Elastic floors at the levels, then at the middle of the widest gaps while points are missing; then the pool.

    The last level, the most of the other figure, is not solved: its portfolio is there, and the pool improves it.
    """
    task = trace.task
    if not task.linear or isinstance(task.other, CVaR):
        for level in levels:
            trace.solve(float(level))
        return
    floor = Floor(with_values(task.problem, task.problem.expected_value), task.other, task.settings)
    places = [min(one.other for one in trace.found.values()), *(float(level) for level in levels)]
    relaxed = {place: trace.relax(floor, place) for place in places}
    for place in places[1:-1]:
        trace.approach(floor, place, _price(trace, relaxed, place, points))
    trace.approach(floor, places[-1], math.inf)
    while (between := _widest(trace, relaxed, points)) is not None:
        relaxed[between] = trace.relax(floor, between)
        trace.approach(floor, between, _price(trace, relaxed, between, points))
    for one in trace.efficient():
        trace.relax(floor, one.other)


def _widest(trace: _Trace, relaxed: dict[float, float], points: int) -> float | None:
    """The middle of the widest gap between points where none was tried; None if there are enough points or tries."""
    others = [one.other for one in trace.efficient()]
    if not 2 <= len(others) < points or len(relaxed) >= 2 * points or trace.task.settings.late:
        return None
    pairs = sorted(pairwise(others), key=lambda pair: pair[0] - pair[1])
    middles = ((math.ceil((a + b) / 2) if trace.task.whole else (a + b) / 2, b) for a, b in pairs)
    return next((middle for middle, b in middles if middle < b and middle not in relaxed), None)


def _price(trace: _Trace, relaxed: dict[float, float], place: float, points: int) -> float:
    """A little more than the slope of the relaxed front before a level; by a step between levels at least the gap.

    Falling short hardly pays then; and where the front is steep, a level is no needle that a search never finds.
    """
    places = sorted(relaxed)
    index = places.index(place)
    before, step = places[index - 1], (places[-1] - places[0]) / (points - 1)
    slope = (relaxed[before] - relaxed[place]) / (place - before)
    least = max(trace.task.settings.gap, PROVEN) * abs(relaxed[place]) / step
    return max(STEEPER * slope, least)


# ---------------------------------------------------------------- value and CVaR, weighed


def _try_prices(trace: _Trace, ceiling: float, points: int) -> None:
    """One price of CVaR after another, until there are enough points or as many solves."""
    _weigh(trace, DEAREST, ceiling)
    tried = [DEAREST]
    while len(tried) < points and not trace.task.settings.late:
        price = _next_price(trace, points, tried)
        if price is None:
            return
        tried.append(price)
        _weigh(trace, price, ceiling)


def _weigh(trace: _Trace, price: float, ceiling: float) -> None:
    """Most of aim + price * other, and the line above the front that its bound is. No other is above `ceiling`."""
    task, whole = trace.task, 1 + price
    assert isinstance(task.other, CVaR)  # noqa: S101 - nothing else is weighed
    risk = Risk(level=task.other.level, weight=price / whole)
    solution = ask(task.problem, task.settings, gap=min(0.5, task.settings.gap * whole**LOOSER), risk=risk)
    trace.solves += 1
    if math.isfinite(ceiling):
        trace.bounds.append(_Bound(ceiling, price, solution.bound * whole - price * ceiling))
    if solution.has_portfolio:
        trace.judge(solution.chosen)


def _next_price(trace: _Trace, points: int, tried: list[float]) -> float | None:
    """What makes the ends of the widest gap equally good, if it is new; None if there are enough points."""
    known = trace.efficient()
    if len(known) >= points:
        return None
    pairs = sorted(pairwise(known), key=lambda pair: pair[0].other - pair[1].other)
    prices = ((a.aim - b.aim) / (b.other - a.other) for a, b in pairs)
    return next((price for price in prices if _is_new(price, tried)), None)


def _is_new(price: float, tried: list[float]) -> bool:
    return price < DEAREST and all(abs(price / one - 1) > ALIKE for one in tried)


# ---------------------------------------------------------------- telling


def _front(trace: _Trace, complete: bool, began: float, most: int | None) -> Front:
    task = trace.task
    aim = task.names[int(task.swapped)]
    return Front(
        *task.names,
        senses=task.senses,
        aim=aim,
        points=tuple(_points(trace, _thin(trace.efficient(), most))),
        complete=complete,
        step=0.0 if task.whole else task.step,
        solves=trace.solves,
        solver=task.settings.solver.name,
        seconds=time.perf_counter() - began,
    )


def _thin(found: list[_Found], most: int | None) -> list[_Found]:
    """At most so many, without those whose neighbours are closest to one another; both ends stay."""
    kept = list(found)
    while most is not None and len(kept) > most:
        span = [abs(kept[place - 1].other - kept[place + 1].other) for place in range(1, len(kept) - 1)]
        del kept[1 + span.index(min(span))]
    return kept


def _points(trace: _Trace, found: list[_Found]) -> Iterator[FrontPoint]:
    task = trace.task
    for one in found:
        gap = trace.gap(one)
        bound = one.aim if gap == 0 else trace.bound(one.other)
        figures = (one.other, one.aim) if task.swapped else (one.aim, one.other)
        first, second = (sign * figure for sign, figure in zip(task.signs, figures, strict=True))
        yield FrontPoint(
            first=first,
            second=second,
            chosen=one.chosen,
            opened=evaluate(task.problem, one.chosen).opened,
            bound=task.aim_sign * bound,
            gap=gap,
            proven=gap <= PROVEN and one.chosen in trace.clean,
        )
