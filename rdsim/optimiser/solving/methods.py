"""`solve`: from a problem to a Solution, by one of three methods.

========  ============================================================================================
direct    the whole model at once, to the gap asked for; with gap 0 the optimum is proven
rens      relaxation, RENS, walks and neighbourhoods (see `rens`), for large problems and gaps above 0
near      relaxation and RENS alone, for many problems where a good portfolio soon is worth more than a small gap
auto      direct if the gap is 0 or there are at most `SMALL` options, else rens
========  ============================================================================================

**Equal optima.** At gap 0, in problems of at most `CANONICAL` options (a second solve may take longer than the first),
the portfolio of smallest total weight among the optima is returned, where option o, numbered in the order of names and
without those that fit nowhere (see `reach`), weighs 1 + frac(sqrt(q[o])) / O and q is 2, 3, 5, 6, 7, 10, ..., the
integers without a square factor: fewest options first, then a fixed preference.
Such roots are linearly independent over the rationals (Besicovitch 1940), so no two portfolios weigh the same, and the
answer depends neither on solver nor seed. Else the answer repeats for the same input, seed, solver and version, because
nothing stops on time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, vstack

from rdsim.arrays import Floats
from rdsim.errors import SolverError
from rdsim.optimiser.adapters import SolverState, typical
from rdsim.optimiser.models.milp import choice_of, formulate, tighten
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check
from rdsim.optimiser.problem.solution import Seconds, Solution, Status, Termination, note_if_unproven, relative_gap
from rdsim.optimiser.solving.reach import reachable
from rdsim.optimiser.solving.rens import Progress, Stopwatch, search, search_near, with_values
from rdsim.optimiser.solving.repair import solve_exactly
from rdsim.optimiser.solving.settings import Solving, SolvingSeries, refuse

__all__ = ["METHODS", "solve"]

METHODS = ("auto", "direct", "rens", "near")
SMALL = 2000
PROVEN = 1e-6
CANONICAL = 200
CANONICAL_NODES = 10_000


def solve(
    problem: PortfolioProblem,
    solving: Solving = Solving(),
    *,
    method: str = "auto",
) -> Solution:
    """Choose the options of largest objective, to a relative gap.

    Args:
        problem: what to choose from; checked first.
        solving: by which solver, to which gap (by default 0.01), with how much work; when its time limit bites,
            `termination` says so.
        method: `auto`, `direct`, `rens` or `near`.

    Returns: a Solution whatever happens to the search: infeasible and unanswered problems have a status too
    (`require` turns them into errors).

    Raises: ProblemError for a wrong problem or setting; SolverError if the solver is missing or crashes.
    """
    settings = solving.begin()
    refuse(("method", method in METHODS, f"must be one of {', '.join(METHODS)}", method))
    check(problem)
    began, whole = time.perf_counter(), reachable(problem)
    problem = whole.problem
    model = tighten(problem, formulate(problem))
    seconds = Seconds(build=time.perf_counter() - began)
    chosen_method = _method(problem, settings.gap, method)
    find = {"direct": _solve_whole, "rens": search, "near": search_near}[chosen_method]
    progress = find(problem, model, settings)
    return note_if_unproven(whole.back(_solution(problem, progress, settings, chosen_method, seconds)), settings.gap)


def _method(problem: PortfolioProblem, gap: float, method: str) -> str:
    if method != "auto":
        return method
    return "direct" if gap == 0 or len(problem.option_names) <= SMALL else "rens"


def _solve_whole(problem: PortfolioProblem, model: Model, settings: SolvingSeries) -> Progress:
    """The model as it is; at gap 0 the canonical one of its optima."""
    watch = Stopwatch.start()
    answer = solve_exactly(
        problem,
        model,
        lambda stated: settings.solver.run(stated, settings.limits(gap=settings.gap)),
        settings.solver.name,
    )
    progress = Progress(
        bound=answer.bound,
        state=answer.state,
        termination=answer.termination,
        seconds=watch.add(Seconds(), answer, "mip"),
    )
    progress = with_values(problem, progress, answer.values)
    large = len(problem.option_names) > CANONICAL
    if settings.gap > 0 or progress.chosen is None or answer.state is not SolverState.OPTIMAL or large:
        return progress
    return _canonical(problem, model, settings, progress)


def _canonical(problem: PortfolioProblem, model: Model, settings: SolvingSeries, progress: Progress) -> Progress:
    """The optimum of smallest weight; the one at hand if another cannot be had in the nodes or time left."""
    watch = Stopwatch.start()
    least = progress.objective - _rounding(problem, progress.objective)
    as_good = _as_good_as(model, problem.option_names, least)
    try:
        answer = solve_exactly(
            problem,
            as_good,
            lambda stated: settings.solver.run(stated, settings.limits(nodes=CANONICAL_NODES)),
            settings.solver.name,
        )
    except SolverError:
        return progress  # the optimum is proven; which of its equals comes back is not worth an error
    progress = replace(progress, seconds=watch.add(progress.seconds, answer, "mip"))
    if answer.values is None or answer.state is not SolverState.OPTIMAL:
        return progress
    judged = evaluate(problem, choice_of(problem, answer.values))
    if not judged.feasible or judged.objective < progress.objective - _rounding(problem, progress.objective):
        return progress
    return replace(progress, chosen=judged.chosen, objective=judged.objective)


def _as_good_as(model: Model, options: Sequence[str], objective: float) -> Model:
    """Minimise weight among what is worth at least `objective`."""
    floor = csr_array(model.value[np.newaxis])
    return replace(
        model,
        value=-_weights(options, model.value.size),
        offset=0.0,
        row_names=(*model.row_names, "optimal"),
        matrix=csr_array(vstack([model.matrix, floor])),
        sense=(*model.sense, ">="),
        rhs=np.append(model.rhs, objective - model.offset),
    )


def _weights(options: Sequence[str], columns: int) -> Floats:
    """1 + frac(sqrt(q[o])) / O for options, which come first, o their place by name; 0 for the other columns."""
    weights, count = np.zeros(columns), len(options)
    by_name = sorted(range(count), key=options.__getitem__)
    weights[by_name] = 1 + np.modf(np.sqrt(_squarefree(count)))[0] / max(count, 1)
    return weights


def _squarefree(count: int) -> Floats:
    """The first integers from 2 on that no square above 1 divides; at least 6 in 10 are such."""
    free = np.ones(2 * count + 10, dtype=bool)
    free[:2] = False
    for root in range(2, math.isqrt(free.size) + 1):
        free[:: root * root] = False
    return np.flatnonzero(free)[:count].astype(np.float64)


def _rounding(problem: PortfolioProblem, objective: float) -> float:
    """What a solver cannot tell apart: its absolute gap of 1e-6 where the largest coefficient is about 1000."""
    return 4e-9 * max(abs(objective), typical(problem.expected_value))


def _solution(
    problem: PortfolioProblem, progress: Progress, settings: SolvingSeries, method: str, built: Seconds
) -> Solution:
    """The answer with what follows from it: bound no lower than objective, gap, status."""
    has, seconds = progress.chosen is not None, progress.seconds
    bound = max(progress.bound, progress.objective)
    if has and settings.gap == 0 and progress.state is SolverState.OPTIMAL:
        close = bound - progress.objective <= _rounding(problem, progress.objective)
        bound = progress.objective if close else bound
    gap = relative_gap(progress.objective, bound) if has else math.inf
    opened = evaluate(problem, progress.chosen).opened if progress.chosen is not None else {}
    return Solution(
        chosen=progress.chosen or (),
        opened=opened,
        status=_status(progress, gap),
        termination=_termination(progress, gap, settings),
        objective=progress.objective if has else math.nan,
        bound=bound,
        gap=gap,
        solver=settings.solver.name,
        version=settings.solver.version,
        method=method,
        seconds=replace(seconds, build=seconds.build + built.build),
    )


def _status(progress: Progress, gap: float) -> Status:
    if progress.chosen is not None:
        return Status.OPTIMAL if gap <= PROVEN else Status.FEASIBLE
    if progress.state is SolverState.INFEASIBLE:
        return Status.INFEASIBLE
    return Status.UNBOUNDED if progress.state is SolverState.UNBOUNDED else Status.NO_ANSWER


def _termination(progress: Progress, gap: float, settings: SolvingSeries) -> Termination:
    """No gap left is complete, the gap asked for is the target, whatever the solver called it."""
    if gap <= PROVEN:
        return Termination.COMPLETE
    return Termination.TARGET if gap <= settings.gap else progress.termination
