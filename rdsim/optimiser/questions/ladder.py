"""The same problem with less and more money: a ladder of portfolios, each the best at its share, or nested.

A planner whose budget may still be cut or raised wants to know more than the best portfolio at each budget: which
decisions stay. A *nested* ladder keeps them: what is funded at a lower share is funded, with the same partner, mode
and year, at every higher one. It is built from the share that is most likely to come, by default the announced budget,
outwards: that step pays nothing for nesting, and each further one is bound by the step before it, as decisions are
when money is added or cut. The price of nesting is what a nested step is worth less than the best at its share.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rdsim.optimiser.models.variations import with_caps, with_fixed
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check
from rdsim.optimiser.problem.solution import Solution, Status, Termination, relative_gap
from rdsim.optimiser.questions.series import ask
from rdsim.optimiser.solving.settings import Check, Solving, SolvingSeries, refuse

__all__ = ["SHARES", "Ladder", "Price", "Rung", "ladder"]

SHARES = (0.8, 0.9, 1.0, 1.1, 1.2)
PROVEN = 1e-6


@dataclass(frozen=True)
class Price:
    """What nesting costs at a rung, in the objective's unit; `low` and `high` are proven, whatever the gaps are."""

    amount: float  # best found less nested
    low: float
    high: float
    share: float  # of the best found; nan if that is 0


@dataclass(frozen=True)
class Rung:
    """One share of the budget. A solution without a portfolio says why in its status."""

    share: float
    plain: Solution
    nested: Solution | None  # None for a plain ladder
    added: tuple[int, ...] = ()  # options that the nested portfolio has and the rung below has not

    @property
    def price(self) -> Price | None:
        """The price of nesting; None for a plain ladder, or where one of the two has no portfolio."""
        if self.nested is None or not (self.plain.has_portfolio and self.nested.has_portfolio):
            return None
        amount = self.plain.objective - self.nested.objective
        return Price(
            amount=amount,
            low=max(0.0, self.plain.objective - self.nested.bound),
            high=self.plain.bound - self.nested.objective,
            share=amount / abs(self.plain.objective) if self.plain.objective else math.nan,
        )


@dataclass(frozen=True)
class Ladder:
    """The rungs, from the lowest share to the highest."""

    rungs: tuple[Rung, ...]
    families: tuple[str, ...]
    start: float  # the share from which nesting went outwards
    solver: str
    seconds: float = field(compare=False)


def ladder(
    problem: PortfolioProblem,
    shares: Sequence[float] = SHARES,
    *,
    families: Sequence[str] = ("budget",),
    nested: bool = True,
    start: float = 1.0,
    kept: Sequence[int] | None = None,
    solving: Solving = Solving(),
) -> Ladder:
    """Portfolios at shares of the caps of some families of rows.

    Args:
        problem: what to choose from.
        shares: factors on the caps.
        families: the rows whose caps are multiplied.
        nested: build the nested ladder beside the plain one.
        start: the share that nesting starts from, the nearest of `shares`; the least or the greatest of them gives a
            ladder that only grows or only shrinks.
        kept: options of a portfolio that is decided at the share `start`, whether that is among `shares` or not: the
            nested ladder goes outwards from it, and not from the best portfolio there.
        solving: of each rung; the time limit is for the whole ladder.

    Raises: ProblemError for wrong arguments; SolverError if the solver is missing or crashes.
    """
    began = time.perf_counter()
    check(problem)
    rows = [row for row, family in enumerate(problem.rows.family) if family in families]
    refuse(*_share_checks(problem, shares, families, start), *solving.checks())
    settings = solving.begin()
    problems = {share: _scale(problem, rows, share) for share in sorted(shares)}
    plain = {share: ask(stated, settings) for share, stated in problems.items()}
    decided = None if kept is None else _solution_of(_scale(problem, rows, start), kept)
    chain = _nest(problems, plain, settings, start, decided) if nested else {}
    plain = {
        share: _best_fit(stated, plain[share], (*plain.values(), *chain.values())) for share, stated in problems.items()
    }
    rungs = tuple(_rungs(plain, chain))
    return Ladder(rungs, tuple(families), start, settings.solver.name, time.perf_counter() - began)


def _share_checks(
    problem: PortfolioProblem, shares: Sequence[float], families: Sequence[str], start: float
) -> tuple[Check, ...]:
    known = sorted(set(problem.rows.family))
    positive = all(math.isfinite(share) and share > 0 for share in shares)
    among = bool(families) and set(families) <= set(known)
    return (
        ("shares", len(shares) > 0 and positive, "must be finite and above 0", tuple(shares)),
        ("shares", len(set(shares)) == len(shares), "must differ", tuple(shares)),
        ("start", math.isfinite(start), "must be finite", start),
        ("families", among, f"must be among {', '.join(known)}", tuple(families)),
    )


def _scale(problem: PortfolioProblem, rows: Iterable[int], share: float) -> PortfolioProblem:
    return with_caps(problem, {row: float(problem.rows.cap[row]) * share for row in rows})


def _nest(
    problems: dict[float, PortfolioProblem],
    plain: dict[float, Solution],
    settings: SolvingSeries,
    start: float,
    decided: Solution | None,
) -> dict[float, Solution]:
    """Upwards what the rung below holds is fixed in; downwards what the rung above does not hold is fixed out."""
    nearest = min(problems, key=lambda share: (abs(share - start), share))
    first, foot = (nearest, plain[nearest]) if decided is None else (start, decided)
    chain = {first: foot} if first in problems else {}
    up, down = [share for share in problems if share > first], [share for share in problems if share < first]
    for path, upwards in ((up, True), (down[::-1], False)):
        last = foot
        for share in path:
            chain[share] = ask(_bound_by(problems[share], last, upwards), settings)
            last = chain[share] if chain[share].has_portfolio else last
    return chain


def _solution_of(problem: PortfolioProblem, kept: Sequence[int]) -> Solution:
    """A portfolio that nobody chooses anew: its own objective is its bound. Raises ProblemError if it breaks a row."""
    judged = evaluate(problem, kept)
    names = [violation.name for violation in judged.violations]
    refuse(("kept", not names, "must keep every row at the share that nesting starts from", names[:5]))
    return Solution(
        chosen=judged.chosen,
        opened=judged.opened,
        status=Status.OPTIMAL,
        termination=Termination.COMPLETE,
        objective=judged.objective,
        bound=judged.objective,
        gap=0.0,
        solver="none",
        version="",
        method="decided",
    )


def _bound_by(problem: PortfolioProblem, last: Solution, upwards: bool) -> PortfolioProblem:
    """The problem bound by the step before; as it is where that step had no portfolio."""
    if not last.has_portfolio:
        return problem
    if upwards:
        return with_fixed(problem, options_in=last.chosen)
    return with_fixed(problem, options_out=np.setdiff1d(np.arange(len(problem.option_names)), last.chosen))


def _best_fit(problem: PortfolioProblem, mine: Solution, others: Iterable[Solution]) -> Solution:
    """The best of all portfolios that fit this share: one that was found for another may be better."""
    best = mine
    for other in others:
        if other.has_portfolio:
            judged = evaluate(problem, other.chosen)
            if judged.feasible and not judged.objective <= best.objective:
                best = replace(mine, chosen=judged.chosen, opened=judged.opened, objective=judged.objective)
    return best if best is mine else _with_gap(best)


def _with_gap(solution: Solution) -> Solution:
    """With the gap and status that follow from objective and bound."""
    bound = max(solution.bound, solution.objective)
    gap = relative_gap(solution.objective, bound)
    status = Status.OPTIMAL if gap <= PROVEN else Status.FEASIBLE
    termination = Termination.COMPLETE if gap <= PROVEN else solution.termination
    return replace(solution, bound=bound, gap=gap, status=status, termination=termination)


def _rungs(plain: dict[float, Solution], chain: dict[float, Solution]) -> Iterable[Rung]:
    below: tuple[int, ...] = ()
    for share, solution in plain.items():
        nested = chain.get(share)
        if nested is None or not nested.has_portfolio:
            yield Rung(share, solution, nested)
            continue
        yield Rung(share, solution, nested, tuple(sorted(set(nested.chosen) - set(below))))
        below = nested.chosen
