"""Why a group is not funded, and the smallest changes that would bring it in."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array

from rdsim.arrays import Ints
from rdsim.numerals import numeral
from rdsim.optimiser.models.variations import with_use, with_values
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.questions.conflicts import Change, Conflict, Rule, conflicts, relax, rules_of
from rdsim.optimiser.questions.explanation.optima import (
    NEVER,
    UNKNOWN,
    Asker,
    Best,
    Bracket,
    Exchange,
    Inquiry,
    Pair,
    case_of,
    exchange_of,
    portfolios_of,
    row_at,
    tighter,
)
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.optimiser.questions.explanation.rises import CapProspects, CapRise, least_rise, prospects_of, size_of
from rdsim.optimiser.questions.explanation.screening import Reason, Swaps, known_reason
from rdsim.optimiser.solving.methods import SMALL
from rdsim.optimiser.solving.settings import Solving

__all__ = ["CUT_STEP", "Ways", "WhyNot", "why_not"]

CUT_STEP = 0.01
"""Width to which the least cut of cost is narrowed."""


@dataclass(frozen=True)
class WhyNot:
    """Why a group is not funded, and the smallest changes that would bring it in."""

    group: int
    name: str
    reason: Reason
    loss: Bracket  # objective lost if it is forced in, which is also the least rise of its value that brings it in
    exchange: Exchange | None  # what the best portfolio found with it changes; none if there is none
    verified: bool  # solving again, its value raised a little more and a little less than proven, agreed
    cut: Bracket  # least share of its cost to cut; infinite if even all of it is not enough
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
            return f"Its cost would have to fall by {numeral(self.cut.found, '.0%')}{known}."
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
            yield f"No single cap was found that brings it in{self._limit}; not settled: {_listing(self.open_caps)}."

    @property
    def _limit(self) -> str:
        return f", relaxed by up to {self.within:.0%}" if math.isfinite(self.within) else ""


def _listing(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@dataclass(frozen=True, eq=False)
class Ways:
    """Which changes are looked at that could bring a group in."""

    cost_rows: Iterable[int | str] | None = None
    """Rows whose use is the group's cost; by default the `<=` rows of family `budget`, else all `<=` rows."""
    saving: ArrayLike | None = None
    """(O,) objective that cutting the whole cost of an option saves; by default nothing: only use is cut."""
    caps: Iterable[int | str] | None = None
    """Rows to try relaxing, each alone; by default all of them in a problem of at most `SMALL` options, else those that
    prices promise most of: at most `most_caps` of the cost rows, and as many of the others."""
    most_caps: int = 2
    within: float = 1.0
    """A cap is relaxed by at most this many times its size (a cap of 0: the row's largest number); infinite lets it go
    as far as it can matter."""
    whole: Collection[str] = ()
    """Families of rows whose caps move in whole units only."""
    cut_step: float = CUT_STEP
    """Width to which the least cut of cost is narrowed."""


def why_not(
    problem: PortfolioProblem,
    solution: Solution,
    group: int | str,
    *,
    ways: Ways = Ways(),
    solving: Solving = Solving(),
) -> WhyNot:
    """Why a group is not funded, and the least changes that would bring it in.

    Args:
        problem: the problem, and `solution` an answer to it whose bound is proven.
        group: index or name of a group that the solution does not fund.
        ways: which changes are looked at.
        solving: of each solve, by default to gap 0.001.

    Raises: ProblemError if the group is funded or unknown, or the solution is not one of the problem; SolverError.
    """
    case = case_of(problem, solution, group, Asker(solving))
    refused = _refusal(case)
    if refused is not None:
        return refused
    pair, costs = _pair(case), _cost_rows(problem, ways.cost_rows)
    cut = _least_cut(case, pair, lambda share: _cheaper(case, costs, share, ways.saving), ways.cut_step)
    free = None if math.isfinite(cut.found) and ways.saving is None else _free(case, pair)
    found = _before_caps(case, pair, cut, free, ways.within)
    if pair.comes_in:
        return found
    named = None if ways.caps is None else tuple(dict.fromkeys(row_at(problem, row) for row in ways.caps))
    attempts = _attempts(case, pair, found.conflict, named, costs, ways.most_caps, ways.within)
    return _with_single_caps(case, found, pair, attempts, ways.whole)


def _before_caps(case: Inquiry, pair: Pair, cut: Bracket, free: Pair | None, within: float) -> WhyNot:
    """The explanation before any cap was tried."""
    problem, links = case.problem, tuple(_links_that_bar(case, pair))
    there = pair.with_it.exists
    return WhyNot(
        group=case.group,
        name=problem.group_names[case.group],
        reason=_reason(pair, free, links),
        loss=pair.loss,
        exchange=exchange_of(problem, pair.without.chosen, pair.with_it.chosen) if there else None,
        verified=_is_verified(case, pair),
        cut=cut,
        links=links,
        caps=(),
        no_cap=(),
        open_caps=(),
        within=within,
        conflict=_what_forbids(case, pair),
    )


def _pair(case: Inquiry) -> Pair:
    """The best without the group and with it; a simple exchange is looked at, too."""
    without, problem = _without(case), case.problem
    relaxed = relaxation_duals(problem, case.asker.solving)
    swapped = Swaps.of(problem, evaluate(problem, case.incumbent.chosen)).best_with(case.group, relaxed)
    return case.pair(problem, without, [swapped.chosen] if swapped else ())


def _what_forbids(case: Inquiry, pair: Pair) -> Conflict | None:
    """The rules in the way of a group that is proven to be in no portfolio."""
    if pair.with_it.exists or pair.with_it.bound > -math.inf:
        return None
    return conflicts(case.with_group_in(case.problem), solving=case.asker.solving)


def _refusal(case: Inquiry) -> WhyNot | None:
    reason = known_reason(case.problem, case.group)
    if reason is None:
        return None
    name, rows = case.problem.group_names[case.group], case.problem.rows.names
    return WhyNot(case.group, name, reason, NEVER, None, True, NEVER, (), (), rows, (), math.inf, None)


def _without(case: Inquiry) -> Best:
    """The best without the group: the incumbent, looked for again only if it is less close than the gap asked for."""
    best = case.incumbent
    if best.bound - best.found <= case.asker.gap * abs(best.found) + 1e-9:
        return best
    return tighter(best, case.asker.best(case.with_group_out(case.problem), [best.chosen]))


def _reason(pair: Pair, free: Pair | None, links: Collection[Rule]) -> Reason:
    if pair.comes_in or not pair.surely_out:
        return Reason.AS_GOOD
    if free is not None and not free.with_it.exists:
        return Reason.IMPOSSIBLE
    if free is not None and free.surely_out:
        return Reason.LINKED if links else Reason.WORTHLESS
    return Reason.CROWDED_OUT if pair.with_it.exists else Reason.IMPOSSIBLE


def _free(case: Inquiry, pair: Pair) -> Pair:
    """The same if the group used nothing of any ceiling."""
    if not pair.surely_out:
        return pair
    ceilings = [row for row, sense in enumerate(case.problem.rows.sense) if sense == "<="]
    cheaper = _cheaper(case, np.array(ceilings, dtype=np.int64), 1.0, None)
    return case.pair(cheaper, pair.without, portfolios_of(pair.with_it))


def _is_verified(case: Inquiry, pair: Pair) -> bool:
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


def _dearer(case: Inquiry, rise: float) -> PortfolioProblem:
    return with_values(case.problem, case.problem.values + rise * case.mine)


def _cost_rows(problem: PortfolioProblem, rows: Iterable[int | str] | None) -> Ints:
    if rows is not None:
        return np.array([row_at(problem, row) for row in rows], dtype=np.int64)
    ceilings = [row for row, sense in enumerate(problem.rows.sense) if sense == "<="]
    money = [row for row in ceilings if problem.rows.family[row] == "budget"]
    return np.array(money or ceilings, dtype=np.int64)


def _cheaper(case: Inquiry, rows: Ints, cut: float, saving: ArrayLike | None) -> PortfolioProblem:
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


def _least_cut(case: Inquiry, pair: Pair, cheaper: Callable[[float], PortfolioProblem], width: float) -> Bracket:
    """Least share of the cost to cut: bisection to a width, for a cut raises A1 and leaves A0 alone."""
    if pair.comes_in:
        return Bracket(0.0, 0.0, 0.0 if pair.surely_in else math.inf)
    known = portfolios_of(pair.with_it)
    whole = case.pair(cheaper(1.0), pair.without, known)
    if not whole.comes_in:
        return NEVER if whole.surely_out else UNKNOWN
    low, high, least, most = 0.0, 1.0, 0.0, 1.0 if whole.surely_in else math.inf
    while high - low > width:
        middle = (low + high) / 2
        tried = case.pair(cheaper(middle), pair.without, known)
        least = middle if tried.surely_out else least
        most = middle if tried.surely_in else most
        low, high = (low, middle) if tried.comes_in else (middle, high)
        known = known if tried.comes_in else portfolios_of(tried.with_it) or known
    return Bracket(high, least, most)


def _links_that_bar(case: Inquiry, pair: Pair) -> Iterator[Rule]:
    """Exclusions and prerequisites that name the group, and keep it out: dropped alone, each lets it in."""
    if pair.comes_in:
        return
    problem = case.problem
    for rule in rules_of(problem):
        dependent = rule.kind == "prerequisite" and int(problem.prerequisites[rule.index, 0]) == case.group
        excluded = rule.kind == "exclusion" and case.group in problem.exclusions[rule.index]
        if not (dependent or excluded):
            continue
        looser = relax(problem, [Change(rule, 1.0, 0.0)])
        without = pair.without if excluded and len(problem.exclusions[rule.index]) == 2 else None
        without = without or case.asker.best(case.with_group_out(looser), [pair.without.chosen])
        if case.pair(looser, without, portfolios_of(pair.with_it)).comes_in:
            yield rule


@dataclass(frozen=True)
class _Attempts:
    """Rows to relax, where to begin with each, and rows that prices rule out."""

    rows: tuple[int, ...]
    likely: Mapping[int, float]
    ruled_out: tuple[int, ...]
    within: float


def _attempts(
    case: Inquiry,
    pair: Pair,
    conflict: Conflict | None,
    named: tuple[int, ...] | None,
    costs: Ints,
    most: int,
    within: float,
) -> _Attempts:
    """Rows to try: those named; else in a small problem all that may help, in a large one the most promising."""
    known = prospects_of(case, pair, within) if conflict is None else _prospects_in(case.problem, conflict)
    asked = range(len(case.problem.rows.names)) if named is None else named
    out = tuple(row for row in asked if row in known.ruled_out)
    tried = tuple(row for row in asked if row not in known.ruled_out)
    if named is None and len(case.problem.option_names) > SMALL:
        money = [row for row in known.order if row in costs]
        tried = (*money[:most], *[row for row in known.order if row not in costs][:most])
    return _Attempts(tried, {row: float(known.need[row]) for row in tried}, out, within)


def _prospects_in(problem: PortfolioProblem, conflict: Conflict) -> CapProspects:
    """A row that is no part of a conflict, and passes nothing on to one that is, leaves it in place."""
    hopeful = {rule.index for rule in conflict.rules if rule.kind == "row"}
    for source, target, _ in reversed(problem.rows.carry_in_order):
        if target in hopeful:
            hopeful.add(source)
    rows = range(len(problem.rows.names))
    return CapProspects(tuple(sorted(hopeful)), tuple(row for row in rows if row not in hopeful), np.zeros(len(rows)))


def _with_single_caps(case: Inquiry, found: WhyNot, pair: Pair, attempts: _Attempts, whole: Collection[str]) -> WhyNot:
    """The explanation with what each cap, relaxed alone, would do."""
    rows, rises, proven = case.problem.rows, [], list(attempts.ruled_out)
    for row in attempts.rows:
        likely = attempts.likely.get(row, 0.0)
        amount = least_rise(case, pair, row, within=attempts.within, whole=whole, likely=likely)
        if amount.low == math.inf:
            proven.append(row)
        elif math.isfinite(amount.found):
            rises.append(CapRise(row, rows.names[row], rows.family[row], rows.sense[row], amount, rows.keys[row]))
    rises.sort(key=lambda rise: rise.amount.found / size_of(case.problem, rise.row))
    settled = {*proven, *(rise.row for rise in rises)}
    return replace(
        found,
        caps=tuple(rises),
        no_cap=tuple(rows.names[row] for row in sorted(proven)),
        open_caps=tuple(name for row, name in enumerate(rows.names) if row not in settled),
    )
