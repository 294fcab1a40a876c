"""Why not this one, what losing that one would cost, and what one more unit of a cap is worth: by solving again.

Integer programs have no prices, so every answer compares optima of variations of the problem. For a group g let
A1 be the best objective with g funded and A0 the best without it. Then

* forcing g in costs max(0, A0 - A1), and the same is the least rise of its value that brings it in, for a rise moves
  A1 by as much and A0 not at all;
* cutting its use of money moves A1 alone, upwards: the least cut is found by bisection;
* relaxing a cap moves both upwards, each by steps. The least amount d with A1(d) >= A0(d) is reached from below: d' is
  the least amount with A1(d') >= A0(d), found by making that one row elastic, and takes the place of d until
  A1(d) >= A0(d) holds. Since A0 never falls, nothing below the last d does it.

Each optimum is known as far as its solve proved it: `found` is what portfolios at hand give, `low` and `high` are
proven. At gap 0 the three are one. Equal counts as brought in. Prices of linear programs are hints, and labelled so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array, hstack, vstack

from rdsim.errors import Fault, ProblemError, SolverError
from rdsim.optimiser.conflicts import Change, Conflict, Rule, conflicts, relaxed_by, rules_of
from rdsim.optimiser.evaluation import TOLERANCE, Evaluation, evaluate, excess_of
from rdsim.optimiser.methods import SMALL, solve
from rdsim.optimiser.milp import Model, formulate
from rdsim.optimiser.problem import BoolArray, FloatArray, IntArray, PortfolioProblem, frozen
from rdsim.optimiser.rens import chosen_of
from rdsim.optimiser.solution import Solution, Status
from rdsim.optimiser.solvers import Limits, Solver, State, solver_named
from rdsim.optimiser.variations import with_caps, with_fixed, with_slack, with_use, with_values

__all__ = [
    "Asker",
    "Best",
    "CapRise",
    "CapStep",
    "Exchange",
    "Figure",
    "Hints",
    "Reason",
    "Replacement",
    "Screened",
    "WhyNot",
    "WorthOfCap",
    "cost_of_losing",
    "hints",
    "screen",
    "why_not",
    "worth_of_cap",
]

CUT_STEP = 0.01
"""Width to which the least cut of cost is narrowed."""

FARTHEST = 1000.0
"""A cap is raised by at most this many times the largest number in its row."""

ROUNDS = 30
TRIES = 3
"""Halvings of a cap's rise in a large problem."""

PIVOTS = 4
"""Options of a group, and exchanges for each, that a screen tries."""


@dataclass(frozen=True)
class Figure:
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
            return f"{self.found:,.4g}"
        return f"{self.found:,.4g} (proven: at least {self.low:,.4g}{self._most})"

    @property
    def _most(self) -> str:
        return "" if math.isinf(self.high) else f", at most {self.high:,.4g}"


NEVER = Figure(math.inf, math.inf, math.inf)
UNKNOWN = Figure(math.inf, 0.0, math.inf)


class Reason(StrEnum):
    """Why a group is not funded."""

    NO_OPTION = "it has no eligible option"
    RULED_OUT = "the planner ruled it out"
    IMPOSSIBLE = "no portfolio that satisfies every rule can hold it"
    WORTHLESS = "it would lower the objective even if it used nothing that is scarce"
    CROWDED_OUT = "others make better use of what it needs"
    AS_GOOD = "as far as is proven, a portfolio with it may be as good"


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
class CapRise:
    """The least relaxation of one row that brings a group in."""

    row: int
    name: str
    family: str
    sense: str
    amount: Figure  # in the row's unit

    def __str__(self) -> str:
        verb = {"<=": "raising", ">=": "lowering", "==": "widening"}[self.sense]
        return f"{verb} {self.name} by {self.amount}"


@dataclass(frozen=True)
class WhyNot:
    """Why a group is not funded, and the smallest changes that would bring it in."""

    group: int
    name: str
    reason: Reason
    loss: Figure  # objective lost if it is forced in, which is also the least rise of its value that brings it in
    exchange: Exchange | None  # what the best portfolio found with it changes; none if there is none
    verified: bool  # solving again, its value raised a little more and a little less than proven, agreed
    cut: Figure  # least share of its cost to cut; infinite if even all of it is not enough
    links: tuple[Rule, ...]  # exclusions and prerequisites of the group without which, dropped alone, it comes in
    caps: tuple[CapRise, ...]  # rows that bring it in if relaxed alone, least relative amount first
    no_cap: tuple[str, ...]  # rows for which it is proven that relaxing them alone does not
    open_caps: tuple[str, ...]  # rows of which neither is known
    within: float  # caps were relaxed by at most this many times their size
    conflict: Conflict | None  # what forbids it, if no portfolio can hold it; funding it is one of its rules

    def __str__(self) -> str:
        return self.describe()

    def describe(self, unit: str = "") -> str:
        """A few sentences; `unit` is that of the objective."""
        return "\n".join(f"{'' if place == 0 else '  '}{line}" for place, line in enumerate(self._lines(unit)))

    def _lines(self, unit: str) -> Iterator[str]:
        yield f"{self.name} is not funded: {self.reason.value}."
        if self.conflict is not None:
            yield f"In its way: {'; '.join(map(str, self._in_its_way))}."
        if self.exchange is None and self.conflict is None:
            return
        if math.isfinite(self.loss.found):
            yield (
                f"Funding it now would lower the objective by {self.loss}{f' {unit}' if unit else ''}; "
                "its value would have to rise by as much."
            )
            yield f"The best portfolio found with it - {self.exchange}."
        yield self._cut_line()
        yield from self._cap_lines()

    @property
    def _in_its_way(self) -> list[Rule]:
        rules = self.conflict.rules if self.conflict is not None else ()
        return [rule for rule in rules if (rule.kind, rule.index) != ("must-fund", self.group)]

    def _cut_line(self) -> str:
        if math.isfinite(self.cut.found):
            known = "" if math.isfinite(self.cut.high) else ", as far as portfolios were found"
            return f"Its cost would have to fall by {self.cut.found:.0%}{known}."
        return (
            "No cut of its cost brings it in."
            if math.isinf(self.cut.low)
            else "A cut of its cost was not found to help."
        )

    def _cap_lines(self) -> Iterator[str]:
        if self.links:
            yield f"It comes in without {'; or without '.join(map(str, self.links))}."
        if self.caps:
            yield f"One cap alone would do: {'; or '.join(map(str, self.caps))}."
        elif not self.open_caps:
            yield f"No single cap keeps it out: none brings it in alone{self._limit}, which is proven."
        else:
            yield f"No single cap was found that brings it in{self._limit}; not settled: {_listed(self.open_caps)}."

    @property
    def _limit(self) -> str:
        return f", relaxed by up to {self.within:.0%}" if math.isfinite(self.within) else ""


@dataclass(frozen=True)
class Replacement:
    """What losing a funded group would cost."""

    group: int
    name: str
    cost: Figure  # of the objective; infinite if no portfolio does without it
    exchange: Exchange | None
    conflict: Conflict | None  # why it cannot be done without

    def __str__(self) -> str:
        if self.conflict is not None:
            return f"{self.name} cannot be lost: {'; '.join(map(str, self.conflict.rules))}"
        return f"losing {self.name} would cost {self.cost}; {self.exchange}"


@dataclass(frozen=True)
class CapStep:
    """A cap moved by `amount`, and what that is worth."""

    amount: float
    cap: float
    worth: Figure  # change of the optimal objective; -inf where no portfolio is left
    per_unit: Figure  # worth of one more unit between the step before and this one
    exchange: Exchange | None  # against the portfolio at hand


@dataclass(frozen=True)
class WorthOfCap:
    """A piecewise table of the worth of a cap; steps by ascending amount."""

    row: int
    name: str
    steps: tuple[CapStep, ...]
    hint: float  # price of the relaxation at the present cap: a hint, no statement about portfolios

    def __str__(self) -> str:
        head = f"{self.name}: one unit is worth {self.hint:,.4g} in the linear relaxation (a hint only)"
        lines = (f"  {step.amount:+,.6g} -> cap {step.cap:,.6g}: worth {step.worth}" for step in self.steps)
        return "\n".join([head, *lines])


@dataclass(frozen=True)
class Screened:
    """An unfunded group at a glance: limits of its loss from one linear program and simple exchanges."""

    group: int
    name: str
    loss: Figure  # found and high are infinite where no simple exchange makes room
    best_alone: float  # largest expected value of its options; nan without one
    reason: Reason | None  # where it is known without solving


# ---------------------------------------------------------------- asking


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

    solver: str | Solver = "highs"
    gap: float = 0.001
    seed: int = 0
    threads: int = 1
    time_limit: float | None = None

    @property
    def adapter(self) -> Solver:
        """The solver itself."""
        return solver_named(self.solver) if isinstance(self.solver, str) else self.solver

    def best(self, problem: PortfolioProblem, known: Iterable[tuple[int, ...]] = ()) -> Best:
        """The optimum, as far as a solve and the portfolios known beforehand tell.

        Raises: SolverError if the solver denies a portfolio that is known, or proves a bound below one.
        """
        answer = solve(
            problem,
            solver=self.adapter,
            gap=self.gap,
            time_limit=self.time_limit,
            seed=self.seed,
            threads=self.threads,
        )
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
class _Pair:
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
    def loss(self) -> Figure:
        """A0 - A1, at least 0."""
        if not self.with_it.exists:
            return Figure(math.inf, _not_below_zero(self.without.found, self.with_it.bound), math.inf)
        return Figure(
            _not_below_zero(self.without.found, self.with_it.found),
            _not_below_zero(self.without.found, self.with_it.bound),
            _not_below_zero(self.without.bound, self.with_it.found),
        )


def _not_below_zero(more: float, less: float) -> float:
    if less == -math.inf:
        return math.inf
    return 0.0 if more == -math.inf else max(0.0, more - less)


def _at_hand(problem: PortfolioProblem, solution: Solution) -> Best:
    """What a solution of this very problem says.

    Raises: ProblemError if it holds no portfolio of the problem.
    """
    judged = evaluate(problem, solution.chosen)
    if not solution.has_portfolio or not judged.feasible:
        raise ProblemError((Fault("solution", "must hold a portfolio that satisfies the problem", solution.status),))
    return Best(judged.objective, max(solution.bound, judged.objective), solution.chosen)


def _tighter(first: Best, second: Best) -> Best:
    """Two answers to one question made one."""
    top = max((first, second), key=lambda best: best.found)
    return replace(top, bound=max(top.found, min(first.bound, second.bound)))


def _group_at(problem: PortfolioProblem, group: int | str) -> int:
    """Index of a group given by index or name.

    Raises: ProblemError if there is none.
    """
    names = problem.group_names
    if isinstance(group, str) and group in names:
        return names.index(group)
    if isinstance(group, str) or not 0 <= group < len(names):
        raise ProblemError((Fault("group", "must be a group of the problem", repr(group)),))
    return int(group)


def _row_at(problem: PortfolioProblem, row: int | str) -> int:
    names = problem.rows.names
    if isinstance(row, str) and row in names:
        return names.index(row)
    if isinstance(row, str) or not 0 <= row < len(names):
        raise ProblemError((Fault("row", "must be a row of the problem", repr(row)),))
    return int(row)


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _exchange(problem: PortfolioProblem, before: Sequence[int], after: Sequence[int]) -> Exchange:
    old = {int(problem.group[option]): option for option in before}
    new = {int(problem.group[option]): option for option in after}
    stay = [group for group in new if group in old and new[group] != old[group]]
    return Exchange(
        joined=tuple(problem.option_names[new[group]] for group in new if group not in old),
        left=tuple(problem.group_names[group] for group in old if group not in new),
        moved=tuple(problem.option_names[new[group]] for group in stay),
    )


# ---------------------------------------------------------------- why not


@dataclass(frozen=True, eq=False)
class _Case:
    """A group, the problem it is not funded in, and how to ask."""

    problem: PortfolioProblem
    group: int
    asker: Asker
    incumbent: Best
    mine: BoolArray  # (O,) options of the group

    def pair(self, problem: PortfolioProblem, without: Best, known: Iterable[tuple[int, ...]] = ()) -> _Pair:
        """`without` beside the best with the group in a variation of the problem."""
        return _Pair(without, self.asker.best(self.forced(problem), known))

    def forced(self, problem: PortfolioProblem) -> PortfolioProblem:
        """The problem with the group fixed in."""
        return with_fixed(problem, groups_in=[self.group])

    def barred(self, problem: PortfolioProblem) -> PortfolioProblem:
        """The problem with the group fixed out."""
        return with_fixed(problem, groups_out=[self.group])


def why_not(
    problem: PortfolioProblem,
    solution: Solution,
    group: int | str,
    *,
    cost_rows: Iterable[int | str] | None = None,
    saving: ArrayLike | None = None,
    caps: Iterable[int | str] | None = None,
    most_caps: int = 3,
    within: float = 1.0,
    solver: str | Solver = "highs",
    gap: float = 0.001,
    seed: int = 0,
    threads: int = 1,
    time_limit: float | None = None,
) -> WhyNot:
    """Why a group is not funded, and the least changes that would bring it in.

    Args:
        problem: the problem, and `solution` an answer to it whose bound is proven.
        group: index or name of a group that the solution does not fund.
        cost_rows: rows whose use is the group's cost, by default the `<=` rows of family `budget`, else all `<=` rows.
        saving: (O,) objective that cutting the whole cost of an option saves; by default nothing: only use is cut.
        caps: rows to try relaxing, each alone; by default all of them in a problem of at most `SMALL` options, else the
            `most_caps` that need the least relaxation, over their size, in the linear relaxation.
        within: a cap is relaxed by at most this many times its size (a cap of 0: the row's largest number); infinite
            lets it go as far as it can matter.
        solver, gap, seed, threads, time_limit: of each solve; see `solve`.

    Raises: ProblemError if the group is funded or unknown, or the solution is not one of the problem; SolverError.
    """
    case = _case(problem, solution, group, Asker(solver, gap, seed, threads, time_limit))
    refused = _refused(case)
    if refused is not None:
        return refused
    without = _without(case)
    pair = case.pair(problem, without)
    forbidden = not pair.with_it.exists and pair.with_it.bound == -math.inf
    conflict = conflicts(case.forced(problem), solver=solver, time_limit=time_limit) if forbidden else None
    cut = _least_cut(case, pair, _cost_rows(problem, cost_rows), saving)
    free = None if math.isfinite(cut.found) else _free(case, pair)
    found = WhyNot(
        group=case.group,
        name=problem.group_names[case.group],
        reason=_reason(pair, free),
        loss=pair.loss,
        exchange=_exchange(problem, solution.chosen, pair.with_it.chosen) if pair.with_it.exists else None,
        verified=_is_verified(case, pair),
        cut=cut,
        links=tuple(_links_that_bar(case, pair)),
        caps=(),
        no_cap=(),
        open_caps=(),
        within=within,
        conflict=conflict,
    )
    if pair.comes_in:
        return found
    if free is not None and free.surely_out and all(sense == "<=" for sense in problem.rows.sense):
        return replace(found, no_cap=problem.rows.names)
    return _with_caps_tried(case, found, pair, _candidates(case, pair, caps, most_caps, within), within)


def _case(problem: PortfolioProblem, solution: Solution, group: int | str, asker: Asker) -> _Case:
    index = _group_at(problem, group)
    incumbent, mine = _at_hand(problem, solution), frozen(problem.group == index)
    if mine[list(solution.chosen)].any():
        raise ProblemError((Fault("group", "is funded: ask for the cost of losing it", problem.group_names[index]),))
    return _Case(problem, index, asker, incumbent, mine)


def _known_reason(problem: PortfolioProblem, group: int) -> Reason | None:
    """What needs no solver: no option at all, or ruled out."""
    options = set(np.flatnonzero(problem.group == group).tolist())
    if not options:
        return Reason.NO_OPTION
    ruled_out = group in problem.fixed_out_groups or options <= set(problem.fixed_out_options)
    return Reason.RULED_OUT if ruled_out else None


def _refused(case: _Case) -> WhyNot | None:
    reason = _known_reason(case.problem, case.group)
    if reason is None:
        return None
    name, rows = case.problem.group_names[case.group], case.problem.rows.names
    return WhyNot(case.group, name, reason, NEVER, None, True, NEVER, (), (), rows, (), math.inf, None)


def _without(case: _Case) -> Best:
    """The best without the group: the incumbent, looked for again only if it is less close than the gap asked for."""
    best = case.incumbent
    if best.bound - best.found <= case.asker.gap * abs(best.found) + 1e-9:
        return best
    return _tighter(best, case.asker.best(case.barred(case.problem), [best.chosen]))


def _reason(pair: _Pair, free: _Pair | None) -> Reason:
    if pair.comes_in or not pair.surely_out:
        return Reason.AS_GOOD
    if free is not None and not free.with_it.exists:
        return Reason.IMPOSSIBLE
    if free is not None and free.surely_out:
        return Reason.WORTHLESS
    return Reason.CROWDED_OUT if pair.with_it.exists else Reason.IMPOSSIBLE


def _free(case: _Case, pair: _Pair) -> _Pair:
    """The same if the group used nothing of any ceiling."""
    if not pair.surely_out:
        return pair
    ceilings = [row for row, sense in enumerate(case.problem.rows.sense) if sense == "<="]
    cheaper = _cheaper(case, np.array(ceilings, dtype=np.int64), 1.0, None)
    return case.pair(cheaper, pair.without, _chosen(pair.with_it))


def _chosen(best: Best) -> list[tuple[int, ...]]:
    return [best.chosen] if best.exists else []


def _is_verified(case: _Case, pair: _Pair) -> bool:
    """Solve with its value a little above the rise that is proven to do, and a little below what is proven needed."""
    loss, margin = pair.loss, 4 * pair.slack
    if not math.isfinite(loss.high):
        return loss.low == math.inf
    known = [pair.without.chosen, pair.with_it.chosen]
    above = case.asker.best(_dearer(case, loss.high + margin), known)
    below = loss.low - margin
    enough = bool(case.mine[list(above.chosen)].any())
    if below <= 0:
        return enough
    return enough and not case.mine[list(case.asker.best(_dearer(case, below), known).chosen)].any()


def _dearer(case: _Case, rise: float) -> PortfolioProblem:
    return with_values(case.problem, case.problem.values + rise * case.mine)


def _cost_rows(problem: PortfolioProblem, rows: Iterable[int | str] | None) -> IntArray:
    if rows is not None:
        return np.array([_row_at(problem, row) for row in rows], dtype=np.int64)
    ceilings = [row for row, sense in enumerate(problem.rows.sense) if sense == "<="]
    money = [row for row in ceilings if problem.rows.family[row] == "budget"]
    return np.array(money or ceilings, dtype=np.int64)


def _cheaper(case: _Case, rows: IntArray, cut: float, saving: ArrayLike | None) -> PortfolioProblem:
    """The problem with a share of the group's positive use of some rows taken away."""
    problem = case.problem
    use = coo_array(problem.rows.use)
    row, option = use.coords
    touched = np.isin(row, rows) & case.mine[option] & (use.data > 0)
    data = np.where(touched, use.data * (1 - cut), use.data)
    cheaper = with_use(problem, csr_array(coo_array((data, (row, option)), shape=use.shape)))
    if saving is None:
        return cheaper
    return with_values(cheaper, problem.values + cut * np.asarray(saving, dtype=np.float64) * case.mine)


def _least_cut(case: _Case, pair: _Pair, rows: IntArray, saving: ArrayLike | None) -> Figure:
    """Least share of the cost to cut, to `CUT_STEP`: bisection, for a cut raises A1 and leaves A0 alone."""
    if pair.comes_in:
        return Figure(0.0, 0.0, 0.0 if pair.surely_in else math.inf)
    known = _chosen(pair.with_it)
    whole = case.pair(_cheaper(case, rows, 1.0, saving), pair.without, known)
    if not whole.comes_in:
        return NEVER if whole.surely_out else UNKNOWN
    low, high, least, most = 0.0, 1.0, 0.0, 1.0 if whole.surely_in else math.inf
    while high - low > CUT_STEP:
        middle = (low + high) / 2
        tried = case.pair(_cheaper(case, rows, middle, saving), pair.without, known)
        least = middle if tried.surely_out else least
        most = middle if tried.surely_in else most
        low, high = (low, middle) if tried.comes_in else (middle, high)
        known = known if tried.comes_in else _chosen(tried.with_it) or known
    return Figure(high, least, most)


def _links_that_bar(case: _Case, pair: _Pair) -> Iterator[Rule]:
    """Exclusions and prerequisites that name the group, and keep it out: dropped alone, each lets it in."""
    if pair.comes_in:
        return
    problem = case.problem
    for rule in rules_of(problem):
        dependent = rule.kind == "prerequisite" and int(problem.prerequisites[rule.index, 0]) == case.group
        excluded = rule.kind == "exclusion" and case.group in problem.exclusions[rule.index]
        if not (dependent or excluded):
            continue
        looser = relaxed_by(problem, [Change(rule, 1.0, 0.0)])
        without = pair.without if excluded and len(problem.exclusions[rule.index]) == 2 else None
        without = without or case.asker.best(case.barred(looser), [pair.without.chosen])
        if case.pair(looser, without, _chosen(pair.with_it)).comes_in:
            yield rule


# ---------------------------------------------------------------- which cap


def _with_caps_tried(case: _Case, found: WhyNot, pair: _Pair, tried: _Candidates, within: float) -> WhyNot:
    """The explanation with what each cap, relaxed alone, would do."""
    names = case.problem.rows.names
    rises, proven = [], list(tried.ruled_out)
    for row in tried.rows:
        amount = _least_rise(case, pair, row, within)
        if amount.low == math.inf:
            proven.append(row)
        elif math.isfinite(amount.found):
            rows = case.problem.rows
            rises.append(CapRise(row, names[row], rows.family[row], rows.sense[row], amount))
    rises.sort(key=lambda rise: rise.amount.found / _size(case.problem, rise.row))
    settled = {*proven, *(rise.row for rise in rises)}
    return replace(
        found,
        caps=tuple(rises),
        no_cap=tuple(names[row] for row in sorted(proven)),
        open_caps=tuple(name for row, name in enumerate(names) if row not in settled),
    )


@dataclass(frozen=True)
class _Candidates:
    """Rows worth trying, and rows that a linear program rules out."""

    rows: tuple[int, ...]
    ruled_out: tuple[int, ...] = ()


def _candidates(case: _Case, pair: _Pair, caps: Iterable[int | str] | None, most: int, within: float) -> _Candidates:
    if caps is not None:
        return _Candidates(tuple(dict.fromkeys(_row_at(case.problem, row) for row in caps)))
    if len(case.problem.option_names) <= SMALL:
        return _Candidates(tuple(range(len(case.problem.rows.names))))
    prices = hints(case.forced(case.problem), solver=case.asker.solver)
    priced = np.abs(prices.worth) * case.problem.rows.scale > 1e-9 * max(1.0, abs(pair.without.found))
    # A row without a price leaves the relaxation's optimum as it is, however far it is relaxed.
    out = np.flatnonzero(~priced).tolist() if prices.bound < pair.without.found - pair.slack else []
    least = {row: _relaxed_rise(case, row, pair.without.found, within) for row in np.flatnonzero(priced).tolist()}
    order = sorted((amount / _size(case.problem, row), row) for row, amount in least.items())
    possible = [row for amount, row in order if math.isfinite(amount)]
    return _Candidates(tuple(possible[:most]), (*out, *(row for amount, row in order if math.isinf(amount))))


def _size(problem: PortfolioProblem, row: int) -> float:
    """What a relaxation is measured by."""
    return abs(float(problem.rows.cap[row])) or float(problem.rows.scale[row]) or 1.0


def _relaxed_rise(case: _Case, row: int, target: float, within: float) -> float:
    """A lower bound on the rise of a row, from the linear relaxation; inf if no rise is enough."""
    elastic = _elastic(case.forced(case.problem), row, target, within)
    answer = case.asker.adapter.run(elastic.model, Limits(seconds=case.asker.time_limit), relaxed=True)
    if answer.state is State.INFEASIBLE:
        return math.inf
    return max(0.0, elastic.reach - answer.bound) if math.isfinite(answer.bound) else 0.0


def _least_rise(case: _Case, pair: _Pair, row: int, within: float) -> Figure:
    """Least relaxation of a row with A1 >= A0; low is infinite if it is proven that there is none."""
    without, amount, low = pair.without, 0.0, 0.0
    for _ in range(ROUNDS):
        step = _least_for(case, row, without.found, within)
        low = max(low, step.low)
        if not math.isfinite(step.found):
            return Figure(math.inf, step.low if step.low == math.inf else low, math.inf)
        amount = max(amount, step.found)
        wider = with_slack(case.problem, {row: amount})
        without = _tighter_below(case.asker.best(case.barred(wider), [without.chosen]), without)
        now = case.pair(wider, without, [step.chosen])
        if now.comes_in:
            return Figure(amount, min(low, amount), amount if now.surely_in else math.inf)
    return Figure(math.inf, low, math.inf)


def _tighter_below(wide: Best, narrow: Best) -> Best:
    """The best of a wider problem: what was found in a narrower one is there, too."""
    return wide if wide.found >= narrow.found else Best(narrow.found, max(wide.bound, narrow.found), narrow.chosen)


@dataclass(frozen=True)
class _Step:
    """The least relaxation with which a group's best reaches a target."""

    found: float
    low: float
    chosen: tuple[int, ...]


def _least_for(case: _Case, row: int, target: float, within: float) -> _Step:
    if len(case.problem.option_names) > SMALL:
        return _least_by_trying(case, row, target, within)
    problem, asker = case.forced(case.problem), case.asker
    elastic = _elastic(problem, row, target, within)
    answer = asker.adapter.run(elastic.model, Limits(seconds=asker.time_limit, seed=asker.seed, threads=asker.threads))
    if answer.state is State.INFEASIBLE:
        return _Step(math.inf, math.inf, ())
    low = max(0.0, elastic.reach - answer.bound)
    if answer.values is None:
        return _Step(math.inf, low, ())
    chosen = chosen_of(problem, answer.values)
    amount = _needed(problem, row, target, chosen, max(0.0, elastic.reach - float(answer.values[-1])))
    return _Step(amount, min(low, amount), chosen)


def _least_by_trying(case: _Case, row: int, target: float, within: float) -> _Step:
    """The same for a large problem: from the relaxation's lower bound upwards, then halving what is open."""
    low = _relaxed_rise(case, row, target, within)
    if math.isinf(low):
        return _Step(math.inf, math.inf, ())
    problem, high = case.forced(case.problem), min(_reach(case.problem, row), within * _size(case.problem, row))
    start = max(low, high / 2**TRIES)
    amounts = [min(start * factor, high) for factor in (1.05, 1.25, 2.0, 4.0)] + [high]
    below, known = low, list[tuple[int, ...]]()
    for amount in dict.fromkeys(amounts):
        best = case.asker.best(with_slack(problem, {row: amount}), known)
        known = _chosen(best)
        if best.found >= target:
            return _halved(case, row, target, (low, below, amount), best)
        below, low = amount, amount if best.bound < target else low
    return _Step(math.inf, low, ())


def _halved(case: _Case, row: int, target: float, limits: tuple[float, float, float], best: Best) -> _Step:
    """`TRIES` halvings between an amount that was not seen to be enough and one that is; `limits` begin with proven."""
    problem, (low, below, enough) = case.forced(case.problem), limits
    for _ in range(TRIES):
        if enough - below <= CUT_STEP * enough:
            break
        middle = (below + enough) / 2
        tried = case.asker.best(with_slack(problem, {row: middle}))
        if tried.found >= target:
            enough, best = middle, tried
        else:
            below, low = middle, middle if tried.bound < target else low
    return _Step(enough, min(low, enough), best.chosen)


def _needed(problem: PortfolioProblem, row: int, target: float, chosen: tuple[int, ...], amount: float) -> float:
    """The portfolio's own need, if the judge agrees that it is enough; else the solver's amount, loose as it is."""
    judged = evaluate(problem, chosen)
    own = float(excess_of(problem.rows, judged.activity, judged.room)[row])
    loose = TOLERANCE * float(problem.rows.scale[row])
    for enough in (own, amount, amount + loose):
        relaxed = evaluate(with_slack(problem, {row: enough}), chosen)
        if relaxed.feasible and relaxed.objective >= target - 1e-9 * max(1.0, abs(target)) and enough <= amount + loose:
            return enough
    return amount + 4 * loose


@dataclass(frozen=True, eq=False)
class _ElasticRow:
    """A model whose last column is what is left of a row's largest relaxation; its objective is to leave most."""

    model: Model
    reach: float


def _elastic(problem: PortfolioProblem, row: int, target: float, within: float) -> _ElasticRow:
    """Relax one row as little as possible, so that the objective reaches `target`."""
    reach = min(_reach(problem, row), within * _size(problem, row))
    wide = formulate(with_slack(problem, {row: reach}))
    names = [place for place, name in enumerate(wide.row_names) if name.startswith("row_")]
    band = problem.rows.sense[row] == "=="
    places = [names[row], *(names[-1:] if band else [])]
    signs = [1.0 if wide.sense[place] == "<=" else -1.0 for place in places]
    column = csr_array(coo_array((signs, (places, [0] * len(places))), shape=(len(wide.row_names), 1)))
    worth = csr_array(np.append(wide.value, 0.0)[np.newaxis])
    small = 1e-9 * max(1.0, abs(target))
    return _ElasticRow(
        replace(
            wide,
            column_names=(*wide.column_names, "left"),
            value=np.append(np.zeros(wide.value.size), 1.0),
            offset=0.0,
            lower=np.append(wide.lower, 0.0),
            upper=np.append(wide.upper, reach),
            integer=np.append(wide.integer, False),
            row_names=(*wide.row_names, "worth_0"),
            matrix=csr_array(vstack([hstack([wide.matrix, column]), worth])),
            sense=(*wide.sense, ">="),
            rhs=np.append(wide.rhs, target - wide.offset - small),
        ),
        reach,
    )


def _reach(problem: PortfolioProblem, row: int) -> float:
    """A relaxation beyond which a row does not bind; what it passes on may matter farther, and counts to `FARTHEST`."""
    rows = problem.rows
    if any(source == row for source, _, _ in rows.carry):
        return FARTHEST * max(float(rows.scale[row]), 1e-9)
    use = rows.use[[row]].toarray().ravel()
    openings = rows.opening_use[[row]].toarray().ravel()
    most = _sum_of_best(problem, use) + float(np.maximum(openings, 0.0).sum())
    least = -_sum_of_best(problem, -use) + float(np.minimum(openings, 0.0).sum())
    over = most - float(rows.cap[row]) if rows.has_ceiling[row] else 0.0
    under = float(rows.cap[row]) - least if rows.has_floor[row] else 0.0
    return max(over, under, 0.0)


def _sum_of_best(problem: PortfolioProblem, use: FloatArray) -> float:
    best = np.zeros(len(problem.group_names))
    np.maximum.at(best, problem.group, use)
    return float(best.sum())


# ---------------------------------------------------------------- losing, and caps


def cost_of_losing(
    problem: PortfolioProblem,
    solution: Solution,
    group: int | str,
    *,
    solver: str | Solver = "highs",
    gap: float = 0.001,
    seed: int = 0,
    threads: int = 1,
    time_limit: float | None = None,
) -> Replacement:
    """The replacement cost of a funded group: the objective lost when it is fixed out and all else chosen anew.

    Raises: ProblemError if the group is not funded or unknown, or the solution is not one of the problem; SolverError.
    """
    index, best = _group_at(problem, group), _at_hand(problem, solution)
    name = problem.group_names[index]
    if not (problem.group[list(solution.chosen)] == index).any():
        raise ProblemError((Fault("group", "is not funded: ask why not", name),))
    if index in problem.fixed_in_groups:
        return Replacement(index, name, NEVER, None, _fixed_in(problem, index))
    barred = with_fixed(problem, groups_out=[index])
    after = Asker(solver, gap, seed, threads, time_limit).best(barred)
    if after.exists:
        return Replacement(index, name, _Pair(best, after).loss, _exchange(problem, best.chosen, after.chosen), None)
    cost = _Pair(best, after).loss
    return Replacement(index, name, cost, None, conflicts(barred, solver=solver) if cost.low == math.inf else None)


def _fixed_in(problem: PortfolioProblem, group: int) -> Conflict:
    """What forbids losing a group that must be funded is that rule alone."""
    rules = (rule for rule in rules_of(problem) if rule.kind == "must-fund" and rule.index == group)
    return Conflict(tuple(rules), True, 1)


def worth_of_cap(
    problem: PortfolioProblem,
    solution: Solution,
    row: int | str,
    amounts: Iterable[float],
    *,
    solver: str | Solver = "highs",
    gap: float = 0.001,
    seed: int = 0,
    threads: int = 1,
    time_limit: float | None = None,
) -> WorthOfCap:
    """What moving the cap of a row by each of the amounts is worth; negative amounts lower it.

    A raised ceiling or a lowered floor lets in every portfolio there was, so what is known of one step bounds the
    others. An equality moves as a whole, and neither direction is better beforehand. What a row has left over moves on
    along its carries, and is counted there.

    Raises: ProblemError for an unknown row or an amount that is not finite; SolverError.
    """
    index, asker = _row_at(problem, row), Asker(solver, gap, seed, threads, time_limit)
    steps = sorted({0.0, *(float(amount) for amount in amounts)})
    if not all(map(math.isfinite, steps)):
        raise ProblemError((Fault("amounts", "must be finite", str(steps)),))
    incumbent, cap = _at_hand(problem, solution), float(problem.rows.cap[index])
    moved = [with_caps(problem, {index: cap + amount}) for amount in steps]
    known: list[tuple[int, ...]] = [incumbent.chosen]
    found: dict[float, Best] = {}
    for amount, variation in _widening(problem, index, steps, moved):
        best = asker.best(variation, known)
        found[amount] = _tighter(best, incumbent) if amount == 0.0 else best
        known.extend(_chosen(best))
    found = _bounded(problem, index, found)
    price = float(hints(problem, solver=solver).worth[index])
    return WorthOfCap(index, problem.rows.names[index], tuple(_cap_steps(problem, cap, incumbent, found)), price)


def _widening(
    problem: PortfolioProblem, row: int, steps: Sequence[float], moved: Sequence[PortfolioProblem]
) -> list[tuple[float, PortfolioProblem]]:
    """Steps from the tightest cap to the loosest."""
    pairs = list(zip(steps, moved, strict=True))
    return pairs[::-1] if problem.rows.sense[row] == ">=" else pairs


def _bounded(problem: PortfolioProblem, row: int, found: dict[float, Best]) -> dict[float, Best]:
    """No tighter cap is worth more than a looser one is proven to be at most."""
    if problem.rows.sense[row] == "==":
        return found
    ascending = sorted(found, reverse=problem.rows.sense[row] == ">=")
    bound, bounded = math.inf, {}
    for amount in reversed(ascending):
        bound = min(bound, found[amount].bound)
        bounded[amount] = replace(found[amount], bound=bound)
    return bounded


def _cap_steps(problem: PortfolioProblem, cap: float, incumbent: Best, found: dict[float, Best]) -> Iterator[CapStep]:
    now, before = found[0.0], None
    for amount in sorted(found):
        best = found[amount]
        gain = _difference(best, now) if amount else Figure(0.0, 0.0, 0.0)
        unit = Figure(math.nan, math.nan, math.nan)
        if before is not None:
            unit = _over(_difference(best, found[before]), amount - before)
        exchange = _exchange(problem, incumbent.chosen, best.chosen) if best.exists else None
        yield CapStep(amount, cap + amount, gain, unit, exchange)
        before = amount


def _difference(best: Best, base: Best) -> Figure:
    """How much better one optimum is than another; infinite where one has no portfolio, nan where both have none."""
    if not best.exists and not base.exists:
        return Figure(math.nan, math.nan, math.nan)
    return Figure(best.found - base.found, best.found - base.bound, best.bound - base.found)


def _over(figure: Figure, amount: float) -> Figure:
    return Figure(figure.found / amount, figure.low / amount, figure.high / amount)


# ---------------------------------------------------------------- hints of the relaxation, and a screen


@dataclass(frozen=True, eq=False)
class Hints:
    """The linear relaxation: a valid bound, and prices that say nothing certain about portfolios."""

    bound: float
    worth: FloatArray  # (R,) objective of the relaxation gained by one more unit of each row's cap
    reduced_costs: FloatArray  # (O,)


def hints(problem: PortfolioProblem, *, solver: str | Solver = "highs") -> Hints:
    """Prices of the linear relaxation: the reduced cost of a column, fixed at 0, that would add one unit to a cap.

    Raises: SolverError if the relaxation has no optimum.
    """
    adapter = solver_named(solver) if isinstance(solver, str) else solver
    model = formulate(problem)
    places = [place for place, name in enumerate(model.row_names) if name.startswith("row_")]
    count = len(places)
    extra = csr_array(coo_array((-np.ones(count), (places, range(count))), shape=(len(model.row_names), count)))
    priced = replace(
        model,
        column_names=(*model.column_names, *(f"more_{place:06d}" for place in range(count))),
        value=np.concatenate([model.value, np.zeros(count)]),
        lower=np.concatenate([model.lower, np.zeros(count)]),
        upper=np.concatenate([model.upper, np.zeros(count)]),
        integer=np.concatenate([model.integer, np.zeros(count, dtype=bool)]),
        matrix=csr_array(hstack([model.matrix, extra])) if count else model.matrix,
    )
    answer = adapter.run(priced, Limits(), relaxed=True)
    if answer.state is not State.OPTIMAL or answer.reduced_costs is None:
        raise SolverError(adapter.name, f"the relaxation has no optimum ({answer.state.value})")
    costs = answer.reduced_costs
    return Hints(answer.bound, frozen(costs[model.value.size :]), frozen(costs[: len(problem.option_names)]))


def screen(problem: PortfolioProblem, solution: Solution, *, solver: str | Solver = "highs") -> tuple[Screened, ...]:
    """Limits of the loss of every unfunded group when it is forced in, smallest loss first.

    Below: the incumbent less what the relaxation allows with an option of the group in, by its reduced cost. Above: the
    bound less the best portfolio that puts one option of the group in and takes at most one other group out.

    Raises: ProblemError if the solution is not one of the problem; SolverError if the relaxation has no optimum.
    """
    best, relaxed = _at_hand(problem, solution), hints(problem, solver=solver)
    bound = max(best.found, min(best.bound, relaxed.bound))
    swaps = _Swaps.of(problem, evaluate(problem, best.chosen))
    funded = set(problem.group[list(best.chosen)].tolist())
    rest = [group for group in range(len(problem.group_names)) if group not in funded]
    screened = [_screened(problem, group, replace(best, bound=bound), relaxed, swaps) for group in rest]
    return tuple(sorted(screened, key=lambda one: (one.loss.found, one.loss.low, one.group)))


def _screened(problem: PortfolioProblem, group: int, best: Best, relaxed: Hints, swaps: _Swaps) -> Screened:
    reason = _known_reason(problem, group)
    mine = np.flatnonzero(problem.group == group)
    alone = float(problem.expected[mine].max()) if mine.size else math.nan
    if reason is not None:
        return Screened(group, problem.group_names[group], NEVER, alone, reason)
    mine = mine[~np.isin(mine, problem.fixed_out_options)]
    costs = np.minimum(relaxed.reduced_costs[mine], 0.0)
    most = relaxed.bound + float(costs.max()) + 1e-6 * max(1.0, abs(relaxed.bound))
    likely = mine[np.argsort(-costs, kind="stable")[: 4 * PIVOTS]]
    with_it = Best(max((swaps.best_with(int(option)) for option in likely), default=-math.inf), most)
    return Screened(group, problem.group_names[group], _Pair(best, with_it).loss, alone, None)


@dataclass(frozen=True, eq=False)
class _Swaps:
    """Exchanges of one funded option for another, or for none, judged together."""

    problem: PortfolioProblem
    chosen: IntArray  # (K,)
    use: FloatArray  # (R, K + 1) use of each chosen option; the last column is nothing
    slack_above: FloatArray  # (R,) room left below a hard ceiling, infinite without one
    slack_below: FloatArray  # (R,) room left above a hard floor
    values: FloatArray  # (K + 1,)

    @staticmethod
    def of(problem: PortfolioProblem, judged: Evaluation) -> _Swaps:
        """The exchanges that start from a portfolio."""
        rows, chosen = problem.rows, np.array(judged.chosen, dtype=np.int64)
        loose = TOLERANCE * rows.scale
        above = np.where(rows.has_ceiling & ~rows.is_soft, judged.room - judged.activity + loose, np.inf)
        below = np.where(rows.has_floor & ~rows.is_soft, judged.activity - judged.room + loose, np.inf)
        use = np.hstack([rows.use[:, chosen].toarray(), np.zeros((len(rows.names), 1))])
        return _Swaps(problem, chosen, use, above, below, np.append(problem.expected[chosen], 0.0))

    def best_with(self, option: int) -> float:
        """Objective of the best of a few exchanges that look feasible, judged in full; -inf if none is."""
        added = self.problem.rows.use[:, [option]].toarray() - self.use
        fits = ((added <= self.slack_above[:, np.newaxis]) & (-added <= self.slack_below[:, np.newaxis])).all(axis=0)
        places = np.flatnonzero(fits)
        cheapest = places[np.argsort(self.values[places], kind="stable")[:PIVOTS]]
        judged = (evaluate(self.problem, self._after(option, int(place))) for place in cheapest)
        return max((one.objective for one in judged if one.feasible), default=-math.inf)

    def _after(self, option: int, place: int) -> list[int]:
        return [*(int(one) for at, one in enumerate(self.chosen) if at != place), option]
