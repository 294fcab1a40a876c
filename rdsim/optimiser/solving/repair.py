"""A solver's portfolio that breaks a row in exact arithmetic is cut off, and the solver asked again.

Solvers work with tolerances, so what they call a portfolio may be off by a trifle. Such a portfolio is nobody's
answer, and no failure either: a row is added that it breaks and that every true portfolio keeps, until the solver's
portfolio is one. For a ceiling that options alone use it is an extended cover inequality (Balas 1975, Mathematical
Programming 8): of a set of options that is too much, and of all that use as much as the largest of it, one less may be
chosen. For a floor: something must be added to what is too little. Else the portfolio alone is excluded. Numbers are
read as the judge reads them (`problem.exact`), so no portfolio that he lets pass is cut off. Where `TRIES` such rows
are not enough, caps are tightened by what the solver cannot see; the bound stays that of the true ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.errors import SolverError
from rdsim.optimiser.adapters import SolverResult, SolverState
from rdsim.optimiser.models.milp import RESOURCES, choice_of
from rdsim.optimiser.models.model import Model, with_rows_below
from rdsim.optimiser.problem.evaluation import Evaluation, evaluate
from rdsim.optimiser.problem.exact import amount_of, excess_exactly
from rdsim.optimiser.problem.problem import PortfolioProblem, Rows
from rdsim.optimiser.problem.solution import Termination

__all__ = ["TRIES", "cuts_of", "solve_exactly"]

TRIES = 60
_TRIFLE = 1e-4
"""Share of the largest number in a row that no solver's tolerance explains."""


def solve_exactly(
    problem: PortfolioProblem, model: Model, ask: Callable[[Model], SolverResult], solver: str, tries: int = TRIES
) -> SolverResult:
    """`ask(model)`, asked again with more rows until its portfolio breaks none; its bound holds for the model as it is.

    `ask` gives values of every column of the model that it is given; `solver` is the name of who answers. Raises:
    SolverError if its portfolio breaks a rule by more than tolerances explain.
    """
    bound, loading = np.inf, 0.0
    for _ in range(tries):
        answer = ask(model)
        bound, loading = min(bound, answer.bound), loading + answer.loading
        answer = replace(answer, bound=bound, loading=loading)
        if answer.values is None:
            return answer
        judged = evaluate(problem, choice_of(problem, answer.values))
        if judged.feasible:
            return answer
        model = with_rows_below(model, *_widen(cuts_of(problem, judged, model, solver), model))
    last = ask(_tighten_caps(problem, model))
    kept = last.values is not None and evaluate(problem, choice_of(problem, last.values)).feasible
    values = last.values if kept else None
    return SolverResult(SolverState.STOPPED, Termination.STOPPED, bound, values, loading=loading + last.loading)


def _widen(cuts: tuple[Floats, Floats], model: Model) -> tuple[Floats, Floats]:
    """Cuts over options as cuts over all columns."""
    coefficients, caps = cuts
    wide = np.zeros((caps.size, model.value.size))
    wide[:, : coefficients.shape[1]] = coefficients
    return wide, caps


def _tighten_caps(problem: PortfolioProblem, model: Model) -> Model:
    """Hard ceilings lowered and floors raised by what a solver may not tell from nothing."""
    rows, part, rhs = problem.rows, model.rows_of(RESOURCES), model.rhs.copy()
    slack = 4 * rows.precision * ~rows.is_soft
    rhs[part] += slack * (rows.has_floor & ~rows.has_ceiling) - slack * (rows.has_ceiling & ~rows.has_floor)
    return replace(model, rhs=rhs)


# ---------------------------------------------------------------- cuts


def cuts_of(problem: PortfolioProblem, judged: Evaluation, model: Model, solver: str) -> tuple[Floats, Floats]:
    """Rows `coefficients @ x <= caps` over the options, shapes (k, O) and (k,), one for each row that is broken.

    Raises: SolverError if something else is broken, or by more than a trifle: no tolerance explains that.
    """
    broken = np.flatnonzero((judged.excess > 0) & ~problem.rows.is_soft)
    far = judged.excess[broken] > _TRIFLE * problem.rows.largest[broken]
    if broken.size < len(judged.violations) or far.any():
        names = ", ".join(f"{violation.family} {violation.name}" for violation in judged.violations[:5])
        raise SolverError(solver, f"its portfolio breaks {names}")
    open_ = model.upper[: len(problem.option_names)] > 0
    cuts = [_cut(problem, judged, int(row), open_) for row in broken]
    return np.array([row for row, _ in cuts]), np.array([cap for _, cap in cuts])


def _cut(problem: PortfolioProblem, judged: Evaluation, row: int, open_: Bools) -> tuple[Floats, float]:
    rows, chosen = problem.rows, np.array(judged.chosen, dtype=np.int64)
    use = rows.use[[row]].toarray().ravel() * open_
    alone = not rows.opening_use[[row]].nnz and all(target != row for _, target, _ in rows.carry)
    if not alone or (use < 0).any():
        return _all_but_this(problem, chosen)
    if excess_exactly(problem, judged.chosen, judged.opened, row)[0] < 0:
        more = use > 0
        more[chosen] = False
        return -more.astype(np.float64), -1.0
    return _cover(use, chosen, _most(use, rows, row)) or _all_but_this(problem, chosen)


def _most(use: Floats, rows: Rows, row: int) -> Fraction:
    """What the judge lets pass at most, whatever is chosen: the cap, and what rounding of computed numbers may add."""
    cap = amount_of(float(rows.cap[row]))
    exact = cap.stated and all(amount_of(number).stated for number in np.unique(use).tolist())
    return cap.value if exact else cap.value + Fraction(float(rows.tolerance[row]))


def _all_but_this(problem: PortfolioProblem, chosen: Ints) -> tuple[Floats, float]:
    """Every portfolio but this one."""
    row = -np.ones(len(problem.option_names))
    row[chosen] = 1.0
    return row, chosen.size - 1.0


def _cover(use: Floats, chosen: Ints, most: Fraction) -> tuple[Floats, float] | None:
    """Of the fewest chosen options that are too much, and of all that use as much as the largest of them, one less.

    None where even all of them may be within what the judge lets pass.
    """
    used = chosen[use[chosen] > 0]
    ordered = used[np.argsort(use[used], kind="stable")].tolist()
    amounts = [amount_of(float(use[option])).value for option in ordered]
    total, left_out = sum(amounts, Fraction(0)), 0
    if total <= most:
        return None
    while len(ordered) - left_out > 1 and total - amounts[left_out] > most:
        total -= amounts[left_out]
        left_out += 1
    ordered = ordered[left_out:]
    row = (use >= use[ordered].max()).astype(np.float64)
    row[ordered] = 1.0
    return row, len(ordered) - 1.0
