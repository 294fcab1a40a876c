"""Optima as far as they are known, their differences, and how questions about them are put to a solver.

Each optimum is known as far as its solve proved it: `found` is what portfolios at hand give, `low` and `high` of a
difference are proven. At gap 0 the three are one. Equal counts as brought in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rdsim.arrays import Bools
from rdsim.errors import Fault, ProblemError, SolverError
from rdsim.numerals import numeral
from rdsim.optimiser.adapters import RunLimits, Solver, solver_of
from rdsim.optimiser.models.variations import with_fixed
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, frozen
from rdsim.optimiser.problem.solution import Solution, Status
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.settings import Solving

__all__ = [
    "NEVER",
    "UNKNOWN",
    "Asker",
    "Best",
    "Bracket",
    "Exchange",
    "Inquiry",
    "Pair",
    "at_hand",
    "case_of",
    "difference",
    "exchange_of",
    "group_at",
    "portfolios_of",
    "row_at",
    "tighter",
]


GAP = 0.001
"""Relative gap of each solve behind an explanation, if none is named."""


@dataclass(frozen=True)
class Bracket:
    """A difference of two optima: what the portfolios found give, and limits that are proven."""

    found: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """True if the limits leave nothing open but rounding."""
        return bool(self.high == self.low or self.high - self.low <= 1e-5 * max(1.0, abs(self.high)))

    def __str__(self) -> str:
        if self.exact:
            return numeral(self.found, ",.4g")
        return f"{numeral(self.found, ',.4g')} (proven: at least {numeral(self.low, ',.4g')}{self._most})"

    @property
    def _most(self) -> str:
        return "" if math.isinf(self.high) else f", at most {numeral(self.high, ',.4g')}"


NEVER = Bracket(math.inf, math.inf, math.inf)
UNKNOWN = Bracket(math.inf, 0.0, math.inf)


@dataclass(frozen=True)
class Exchange:
    """From one portfolio to another, by names of groups and options."""

    joined: tuple[str, ...]  # options of groups that are new
    left: tuple[str, ...]  # groups that are gone
    moved: tuple[str, ...]  # new options of groups that stay

    def __str__(self) -> str:
        parts = (("in", self.joined), ("out", self.left), ("changed to", self.moved))
        return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names) or "no change"


@dataclass(frozen=True)
class Best:
    """What is known of an optimum."""

    found: float  # -inf without a portfolio
    bound: float  # -inf if it is proven that there is none
    chosen: tuple[int, ...] = ()

    @property
    def exists(self) -> bool:
        """True if there is a portfolio."""
        return self.found > -math.inf


@dataclass(frozen=True)
class Asker:
    """How questions are put to the solver."""

    solving: Solving = Solving()

    @property
    def adapter(self) -> Solver:
        """The solver itself."""
        return solver_of(self.solving.solver)

    @property
    def limits(self) -> RunLimits:
        """Of one question."""
        return RunLimits(seconds=self.solving.time_limit, seed=self.solving.seed, threads=self.solving.threads)

    @property
    def gap(self) -> float:
        """Relative gap of each."""
        return GAP if self.solving.gap is None else self.solving.gap

    def best(self, problem: PortfolioProblem, known: Iterable[tuple[int, ...]] = ()) -> Best:
        """The optimum, as far as a solve and the portfolios known beforehand tell.

        Raises: SolverError if the solver denies a portfolio that is known, or proves a bound below one.
        """
        answer = solve(problem, self.solving.to_gap(GAP))
        judged = [evaluate(problem, chosen) for chosen in (answer.chosen, *known)]
        usable = [one for one in judged[not answer.has_portfolio :] if one.feasible]
        bound = -math.inf if answer.status is Status.INFEASIBLE else answer.bound
        if not usable:
            return Best(-math.inf, bound)
        top = max(usable, key=lambda one: one.objective)
        if bound < top.objective - 1e-5 * max(1.0, abs(top.objective)):
            raise SolverError(answer.solver, "proved a bound below a portfolio that is at hand")
        return Best(top.objective, max(bound, top.objective), top.chosen)


@dataclass(frozen=True)
class Pair:
    """The best without a group, and the best with it."""

    without: Best
    with_it: Best

    @property
    def slack(self) -> float:
        """What solvers cannot tell apart."""
        size = self.without.found if math.isfinite(self.without.found) else 0.0
        return 1e-6 * max(1.0, abs(size))

    @property
    def comes_in(self) -> bool:
        """With it is as good as anything found without it."""
        return self.with_it.exists and self.with_it.found >= self.without.found - self.slack

    @property
    def surely_in(self) -> bool:
        """Proven to be as good as anything without it."""
        return self.with_it.exists and self.with_it.found >= self.without.bound - self.slack

    @property
    def surely_out(self) -> bool:
        """Proven to be worse than something without it."""
        return self.with_it.bound < self.without.found - self.slack

    @property
    def loss(self) -> Bracket:
        """A0 - A1, at least 0."""
        if not self.with_it.exists:
            return Bracket(math.inf, _not_below_zero(self.without.found, self.with_it.bound), math.inf)
        return Bracket(
            _not_below_zero(self.without.found, self.with_it.found),
            _not_below_zero(self.without.found, self.with_it.bound),
            _not_below_zero(self.without.bound, self.with_it.found),
        )


def _not_below_zero(more: float, less: float) -> float:
    if less == -math.inf:
        return math.inf
    return 0.0 if more == -math.inf else max(0.0, more - less)


@dataclass(frozen=True, eq=False)
class Inquiry:
    """A group, the problem it is not funded in, and how to ask."""

    problem: PortfolioProblem
    group: int
    asker: Asker
    incumbent: Best
    mine: Bools  # (O,) options of the group

    def pair(self, problem: PortfolioProblem, without: Best, known: Iterable[tuple[int, ...]] = ()) -> Pair:
        """`without` beside the best with the group in a variation of the problem."""
        return Pair(without, self.asker.best(self.with_group_in(problem), known))

    def with_group_in(self, problem: PortfolioProblem) -> PortfolioProblem:
        """The problem with the group fixed in."""
        return with_fixed(problem, groups_in=[self.group])

    def with_group_out(self, problem: PortfolioProblem) -> PortfolioProblem:
        """The problem with the group fixed out."""
        return with_fixed(problem, groups_out=[self.group])


def case_of(problem: PortfolioProblem, solution: Solution, group: int | str, asker: Asker) -> Inquiry:
    """The question why a group is not funded. Raises ProblemError if it is, or if there is no such group."""
    index = group_at(problem, group)
    incumbent, mine = at_hand(problem, solution), frozen(problem.group == index)
    if mine[list(solution.chosen)].any():
        raise ProblemError((Fault("group", "is funded: ask for the cost of losing it", problem.group_names[index]),))
    return Inquiry(problem, index, asker, incumbent, mine)


def at_hand(problem: PortfolioProblem, solution: Solution) -> Best:
    """What a solution of this very problem says.

    Raises: ProblemError if it holds no portfolio of the problem.
    """
    judged = evaluate(problem, solution.chosen)
    if not solution.has_portfolio or not judged.feasible:
        raise ProblemError((Fault("solution", "must hold a portfolio that satisfies the problem", solution.status),))
    return Best(judged.objective, max(solution.bound, judged.objective), solution.chosen)


def tighter(first: Best, second: Best) -> Best:
    """Two answers to one question made one."""
    top = max((first, second), key=lambda best: best.found)
    return replace(top, bound=max(top.found, min(first.bound, second.bound)))


def difference(best: Best, base: Best) -> Bracket:
    """How much better one optimum is than another; infinite where one has no portfolio, nan where both have none."""
    if not best.exists and not base.exists:
        return Bracket(math.nan, math.nan, math.nan)
    return Bracket(best.found - base.found, best.found - base.bound, best.bound - base.found)


def portfolios_of(best: Best) -> list[tuple[int, ...]]:
    """The portfolio of an optimum, option indices, or none where there is no portfolio."""
    return [best.chosen] if best.exists else []


def exchange_of(problem: PortfolioProblem, before: Sequence[int], after: Sequence[int]) -> Exchange:
    """What the second of two portfolios, option indices, has that the first has not, and the other way."""
    old = {int(problem.group[option]): option for option in before}
    new = {int(problem.group[option]): option for option in after}
    stay = [group for group in new if group in old and new[group] != old[group]]
    return Exchange(
        joined=tuple(problem.option_names[new[group]] for group in new if group not in old),
        left=tuple(problem.group_names[group] for group in old if group not in new),
        moved=tuple(problem.option_names[new[group]] for group in stay),
    )


def group_at(problem: PortfolioProblem, group: int | str) -> int:
    """Index of a group given by index or name.

    Raises: ProblemError if there is none.
    """
    names = problem.group_names
    if isinstance(group, str) and group in names:
        return names.index(group)
    if isinstance(group, str) or not 0 <= group < len(names):
        raise ProblemError((Fault("group", "must be a group of the problem", repr(group)),))
    return int(group)


def row_at(problem: PortfolioProblem, row: int | str) -> int:
    """The index of a row by its index or name. Raises ProblemError if there is none."""
    names = problem.rows.names
    if isinstance(row, str) and row in names:
        return names.index(row)
    if isinstance(row, str) or not 0 <= row < len(names):
        raise ProblemError((Fault("row", "must be a row of the problem", repr(row)),))
    return int(row)
