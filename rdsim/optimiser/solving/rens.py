"""LP, then RENS, walks and neighbourhood search: a portfolio within a proven gap, fast and repeatable.

RENS, the relaxation enforced neighbourhood search (Berthold 2014), solves the integer problem near its
linear relaxation. Here:

1. The relaxation gives a valid upper bound for everything that follows, and reduced costs.
2. Options at 1 in the relaxation are fixed; of the others at most `KEPT` stay, whose reduced
   cost is within `NEAR` of the relaxation's value.
3. That small problem is solved until an objective of bound / (1 + gap) is reached, or for `RENS_NODES`.
4. Walks among the `NARROW` options nearest to the relaxation follow while the gap is not proven (see `annealing`), a
   short pair and a longer one: in ten seconds they prove what neighbourhoods do in a minute.
5. `ROUNDS` rounds of large-neighbourhood search: a seeded share of the groups is set free, the rest stays,
   `ROUND_NODES` nodes are searched.
6. If the bound is what is too weak, `PROOF_NODES` of the whole problem's tree, with the best portfolio so far; not in
   problems of more than `LARGE` options, where that took minutes and moved no bound.

`refine` goes on from a portfolio and a relaxation at hand: what both choose is fixed (RINS, Danna, Rothberg & Le Pape
2005), then neighbourhoods; of the other options only `NARROW` stay, which are solved in half the time of `KEPT`.

Nothing stops on time, so the same input gives the same portfolio; a time limit is a safety net, and
`Termination.TIME_LIMIT` says so when it bit.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace

import numpy as np

from rdsim.arrays import Bools, Floats
from rdsim.optimiser.adapters import SolverResult, SolverState
from rdsim.optimiser.models.milp import choice_of, columns_of
from rdsim.optimiser.models.model import Model, restrict
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Seconds, Termination, relative_gap
from rdsim.optimiser.solving.annealing import Schedule, Walking, anneal_mean, scale_of
from rdsim.optimiser.solving.repair import solve_exactly
from rdsim.optimiser.solving.settings import SolvingSeries

__all__ = [
    "Progress",
    "Relaxed",
    "Stopwatch",
    "free_bounds",
    "free_groups",
    "narrow_options",
    "near_bounds",
    "refine",
    "search",
    "search_near",
    "target_of",
    "with_values",
]

NEAR = 0.00075
KEPT = 1200
WIDER = 4.0
RENS_NODES = 100
ROUNDS = 3  # after walks they find next to nothing: 0.01% on large synthetic problems
ROUND_NODES = 60
PROOF_NODES = 300
LARGE = 6000
FREE_SHARE = 0.3
EXACT_TRIES = 5  # portfolios of one neighbourhood that may break a row by a trifle
NARROW = 400
HOT, COLD = 0.03, 0.005  # temperatures, in units of `scale_of`


@dataclass(frozen=True, eq=False)
class Progress:
    """Best portfolio so far, if any, and the bound so far."""

    chosen: tuple[int, ...] | None = None
    objective: float = -math.inf
    bound: float = math.inf
    state: SolverState = SolverState.STOPPED
    termination: Termination = Termination.ROUNDS
    seconds: Seconds = field(default_factory=Seconds)
    values: Floats | None = None  # of every column, behind `chosen`

    @property
    def gap(self) -> float:
        """Relative gap, infinite without a portfolio or bound."""
        return math.inf if self.chosen is None else relative_gap(self.objective, self.bound)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The optimum of the relaxation."""

    bound: float
    values: Floats
    reduced_costs: Floats


@dataclass(frozen=True)
class Stopwatch:
    """Adds a run's wall time to the right part."""

    began: float

    @staticmethod
    def start() -> Stopwatch:
        """A watch that runs."""
        return Stopwatch(time.perf_counter())

    def add(self, seconds: Seconds, answer: SolverResult, part: str) -> Seconds:
        """`seconds` plus the run's: loading is building, the rest goes to `part` (lp or mip)."""
        spent = time.perf_counter() - self.began - answer.loading
        return replace(seconds, build=seconds.build + answer.loading, **{part: getattr(seconds, part) + spent})


def with_values(problem: PortfolioProblem, progress: Progress, values: Floats | None) -> Progress:
    """Progress with a solver's values as the best portfolio, if the judge agrees that they are better."""
    if values is None:
        return progress
    judged = evaluate(problem, choice_of(problem, values))
    if not judged.feasible or judged.objective <= progress.objective:
        return progress
    return replace(progress, chosen=judged.chosen, objective=judged.objective, values=values)


def search(problem: PortfolioProblem, model: Model, settings: SolvingSeries) -> Progress:
    """Run the whole recipe; `state` is INFEASIBLE or UNBOUNDED if the relaxation proves it."""
    progress, relaxed = _search_near(problem, model, settings)
    return progress if relaxed is None else _search_neighbourhoods(problem, model, settings, progress, relaxed)


def search_near(problem: PortfolioProblem, model: Model, settings: SolvingSeries) -> Progress:
    """The relaxation and RENS alone: soon done, and what gap is left is left."""
    return _mark_late(_search_near(problem, model, settings)[0], settings)


def _search_near(problem: PortfolioProblem, model: Model, settings: SolvingSeries) -> tuple[Progress, Relaxed | None]:
    """Steps 1 to 3; the relaxation if it has an optimum."""
    watch = Stopwatch.start()
    answer = settings.solver.run(model, settings.limits(), relaxed=True)
    progress = Progress(
        bound=answer.bound,
        state=answer.state if answer.state is not SolverState.OPTIMAL else SolverState.STOPPED,
        termination=answer.termination,
        seconds=watch.add(Seconds(), answer, "lp"),
    )
    if answer.state is not SolverState.OPTIMAL or answer.values is None or answer.reduced_costs is None:
        return progress, None
    relaxed = Relaxed(answer.bound, answer.values, answer.reduced_costs)
    progress = replace(progress, termination=Termination.ROUNDS)
    if _is_whole(model, relaxed.values):
        progress = with_values(problem, progress, relaxed.values)
    for near, fix in ((NEAR, True), (WIDER * NEAR, False), (math.inf, False)):
        if progress.chosen is None and progress.state is SolverState.STOPPED and not settings.late:
            bounds = near_bounds(problem, model, relaxed, near, fix)
            progress = _improve(problem, model, settings, progress, (bounds, RENS_NODES))
    return progress, relaxed


def _search_neighbourhoods(
    problem: PortfolioProblem, model: Model, settings: SolvingSeries, progress: Progress, relaxed: Relaxed
) -> Progress:
    progress = _walk(problem, model, settings, progress, relaxed)
    progress = _rounds(problem, model, settings, progress, relaxed, KEPT)
    small = len(problem.option_names) <= LARGE
    if small and progress.chosen is not None and not _is_done(progress, settings):
        progress = _improve(problem, model, settings, progress, ((model.lower, model.upper), PROOF_NODES))
    return _mark_late(progress, settings)


def _walk(
    problem: PortfolioProblem, model: Model, settings: SolvingSeries, progress: Progress, relaxed: Relaxed
) -> Progress:
    """Step 4."""
    open_ = narrow_options(problem, model, relaxed)
    for wave, moves in enumerate(settings.moves.waves):
        if progress.chosen is None or _is_done(progress, settings):
            break
        began, enough = time.perf_counter(), target_of(progress.bound, settings.gap)
        scale = scale_of(problem, progress.chosen)
        course = Schedule(moves * len(problem.group_names), HOT * scale, COLD * scale)
        walking = Walking(settings.seed, wave, enough, lambda: settings.late)
        met = anneal_mean(problem, progress.chosen, open_, course, walking)
        values, columns = np.zeros(model.value.size), columns_of(problem, evaluate(problem, met))
        values[: columns.size] = columns
        progress = with_values(problem, progress, values)
        spent = progress.seconds.mip + time.perf_counter() - began
        progress = replace(progress, seconds=replace(progress.seconds, mip=spent))
        if progress.gap <= settings.gap:
            progress = replace(progress, termination=Termination.TARGET)
    return progress


def _mark_late(progress: Progress, settings: SolvingSeries) -> Progress:
    late = settings.late and progress.gap > settings.gap
    return replace(progress, termination=Termination.TIME_LIMIT) if late else progress


def _rounds(
    problem: PortfolioProblem, model: Model, settings: SolvingSeries, progress: Progress, relaxed: Relaxed, kept: int
) -> Progress:
    rng = np.random.default_rng([settings.seed, len(problem.option_names)])
    for number in range(ROUNDS):
        if progress.chosen is None or _is_done(progress, settings):
            break
        free = free_groups(problem, progress.chosen, rng, number)
        bounds = free_bounds(problem, model, relaxed, progress.chosen, free, kept)
        progress = _improve(problem, model, settings, progress, (bounds, ROUND_NODES))
    return progress


def refine(
    problem: PortfolioProblem, model: Model, settings: SolvingSeries, progress: Progress, relaxed: Relaxed
) -> Progress:
    """Improve a portfolio, whose columns are in `progress`, until its gap to the bound there is small enough."""
    if progress.chosen is None or _is_done(progress, settings):
        return progress
    bounds = _agreed_bounds(problem, model, relaxed, progress.chosen)
    progress = _improve(problem, model, settings, progress, (bounds, RENS_NODES))
    return _rounds(problem, model, settings, progress, relaxed, NARROW)


def _is_done(progress: Progress, settings: SolvingSeries) -> bool:
    return progress.gap <= settings.gap or settings.late


def _improve(
    problem: PortfolioProblem,
    model: Model,
    settings: SolvingSeries,
    progress: Progress,
    task: tuple[tuple[Floats, Floats], int],
) -> Progress:
    """Solve the model within tighter bounds; its best portfolio counts, its bound only if nothing was tightened."""
    (lower, upper), nodes = task
    watch = Stopwatch.start()
    target = target_of(progress.bound, settings.gap)

    def ask(model: Model) -> SolverResult:
        small, kept = restrict(model, lower, upper)
        limits = settings.limits(gap=settings.gap / 4, target=target, nodes=nodes)
        start = None if progress.values is None else progress.values[kept]
        answer = settings.solver.run(small, limits, start=start)
        if answer.values is None:
            return answer
        values = lower.copy()
        values[kept] = answer.values
        return replace(answer, values=values)

    answer = solve_exactly(problem, model, ask, settings.solver.name, EXACT_TRIES)
    seconds = watch.add(progress.seconds, answer, "mip")
    progress = replace(progress, seconds=seconds)
    whole = bool((lower == model.lower).all() and (upper == model.upper).all())
    if whole and answer.state in {SolverState.INFEASIBLE, SolverState.UNBOUNDED}:
        return replace(progress, state=answer.state, termination=Termination.COMPLETE)
    if whole:
        progress = replace(progress, bound=min(progress.bound, answer.bound))
    if answer.values is None:
        return progress
    progress = with_values(problem, progress, answer.values)
    return replace(progress, termination=Termination.TARGET) if progress.gap <= settings.gap else progress


def target_of(bound: float, gap: float) -> float:
    """The smallest objective that proves the gap: (bound - objective) / |objective| <= gap."""
    return bound / (1 + gap) if bound >= 0 else bound / (1 - gap)


def _is_whole(model: Model, values: Floats) -> bool:
    return bool((abs(values - np.round(values))[model.integer] < 1e-9).all())


def _option_columns(problem: PortfolioProblem, model: Model) -> Bools:
    return np.arange(model.value.size) < len(problem.option_names)


def _attractive(problem: PortfolioProblem, model: Model, relaxed: Relaxed, near: float, kept: int = KEPT) -> Bools:
    """Columns that the relaxation uses, and the `kept` best whose reduced cost is within `near` of its value."""
    margin = near * max(abs(relaxed.bound - model.offset), float(np.abs(model.value).max(initial=0.0)))
    costs = relaxed.reduced_costs[: len(problem.option_names)]
    cutoff = -np.partition(-costs, kept)[kept] if costs.size > kept and math.isfinite(near) else -math.inf
    return (relaxed.reduced_costs >= max(-margin, min(cutoff, 0.0))) | (relaxed.values > model.lower + 1e-9)


def near_bounds(
    problem: PortfolioProblem, model: Model, relaxed: Relaxed, near: float, fix: bool
) -> tuple[Floats, Floats]:
    """Bounds that leave the options near the relaxation, and fix those at 1 if asked."""
    options = _option_columns(problem, model)
    upper = np.where(options & ~_attractive(problem, model, relaxed, near), model.lower, model.upper)
    at_one = options & (relaxed.values > 1 - 1e-9)
    return np.where(at_one & fix, upper, model.lower), upper


def narrow_options(problem: PortfolioProblem, model: Model, relaxed: Relaxed) -> Bools:
    """The options that the relaxation uses and the `NARROW` nearest to it, shape (O,)."""
    return _attractive(problem, model, relaxed, WIDER * NEAR, NARROW)[: len(problem.option_names)]


def _agreed_bounds(
    problem: PortfolioProblem, model: Model, relaxed: Relaxed, chosen: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Bounds that fix what both the portfolio and the relaxation choose, and leave open what is near to either."""
    count = len(problem.option_names)
    mine = np.zeros(count, dtype=bool)
    mine[list(chosen)] = True
    lower, upper = model.lower.copy(), model.upper.copy()
    open_ = narrow_options(problem, model, relaxed) | mine
    upper[:count] = np.where(open_, upper[:count], lower[:count])
    both = mine & (relaxed.values[:count] > 1 - 1e-9)
    lower[:count] = np.where(both, upper[:count], lower[:count])
    return lower, upper


def free_bounds(
    problem: PortfolioProblem,
    model: Model,
    relaxed: Relaxed,
    chosen: tuple[int, ...],
    free: Bools,
    kept: int = KEPT,
) -> tuple[Floats, Floats]:
    """Bounds that keep the chosen options of the groups that are not free, and open the attractive ones of the free."""
    count = len(problem.option_names)
    mine = np.zeros(count, dtype=bool)
    mine[list(chosen)] = True
    open_ = free[problem.group]
    near = _attractive(problem, model, relaxed, WIDER * NEAR, kept)[:count] | mine
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[:count] = np.where(open_, lower[:count], mine)
    upper[:count] = np.where(open_, np.where(near, upper[:count], lower[:count]), mine)
    return lower, upper


def free_groups(problem: PortfolioProblem, chosen: tuple[int, ...], rng: np.random.Generator, number: int) -> Bools:
    """Groups set free in a round, in turn: any; those that start in two of the stages; those of half the partners.

    A share of the groups that are not funded is free in every round.
    """
    groups = len(problem.group_names)
    picked = np.array(chosen, dtype=np.int64)
    free = rng.random(groups) < FREE_SHARE
    if number % 3 == 0:
        return np.asarray(free)
    if number % 3 == 1:
        touched = np.isin(problem.stage[picked], rng.permutation(len(problem.stage_names))[:2])
    else:
        half = rng.random(len(problem.partner_names)) < 0.5
        touched = (problem.partners[picked] @ half.astype(float)) > 0
    free[problem.group[picked]] = touched
    return np.asarray(free)
