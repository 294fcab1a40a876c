"""What losing a funded group would cost, and what one more unit of a cap is worth over a range: by solving again."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rdsim.errors import Fault, ProblemError
from rdsim.numerals import numeral
from rdsim.optimiser.models.variations import with_caps, with_fixed
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.questions.conflicts import Conflict, conflicts, rules_of
from rdsim.optimiser.questions.explanation.optima import (
    NEVER,
    Asker,
    Best,
    Bracket,
    Exchange,
    Pair,
    at_hand,
    difference,
    exchange_of,
    group_at,
    portfolios_of,
    row_at,
    tighter,
)
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.optimiser.solving.settings import Solving

__all__ = ["CapStep", "Replacement", "WorthOfCap", "cost_of_losing", "worth_of_cap"]


@dataclass(frozen=True)
class Replacement:
    """What losing a funded group would cost."""

    group: int
    name: str
    cost: Bracket  # of the objective; infinite if no portfolio does without it
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
    worth: Bracket  # change of the optimal objective; -inf where no portfolio is left
    per_unit: Bracket  # worth of one more unit between the step before and this one
    exchange: Exchange | None  # against the portfolio at hand


@dataclass(frozen=True)
class WorthOfCap:
    """A piecewise table of the worth of a cap; steps by ascending amount."""

    row: int
    name: str
    steps: tuple[CapStep, ...]
    hint: float  # price of the relaxation at the present cap: a hint, no statement about portfolios
    key: Hashable = None

    def __str__(self) -> str:
        head = f"{self.name}: one unit is worth {numeral(self.hint, ',.4g')} in the linear relaxation (a hint only)"
        lines = (
            f"  {numeral(step.amount, '+,.6g')} -> cap {numeral(step.cap, ',.6g')}: worth {step.worth}"
            for step in self.steps
        )
        return "\n".join([head, *lines])


def cost_of_losing(
    problem: PortfolioProblem,
    solution: Solution,
    group: int | str,
    *,
    solving: Solving = Solving(),
) -> Replacement:
    """The replacement cost of a funded group: the objective lost when it is fixed out and all else chosen anew.

    Raises: ProblemError if the group is not funded or unknown, or the solution is not one of the problem; SolverError.
    """
    index, best = group_at(problem, group), at_hand(problem, solution)
    name = problem.group_names[index]
    if not (problem.group[list(solution.chosen)] == index).any():
        raise ProblemError((Fault("group", "is not funded: ask why not", name),))
    if index in problem.fixed_in_groups:
        return Replacement(index, name, NEVER, None, _must_fund_conflict(problem, index))
    asker, barred = Asker(solving), with_fixed(problem, groups_out=[index])
    best, after = _best_with(problem, best, index, asker), asker.best(barred)
    if after.exists:
        return Replacement(index, name, Pair(best, after).loss, exchange_of(problem, best.chosen, after.chosen), None)
    cost = Pair(best, after).loss
    forbids = conflicts(barred, solving=Solving(solving.solver)) if cost.low == math.inf else None
    return Replacement(index, name, cost, None, forbids)


def _best_with(problem: PortfolioProblem, best: Best, group: int, asker: Asker) -> Best:
    """The best with the group: the incumbent, looked for again only if it is less close than the gap asked for."""
    if best.bound - best.found <= asker.gap * abs(best.found) + 1e-9:
        return best
    return tighter(best, asker.best(with_fixed(problem, groups_in=[group]), [best.chosen]))


def _must_fund_conflict(problem: PortfolioProblem, group: int) -> Conflict:
    """What forbids losing a group that must be funded is that rule alone."""
    rules = (rule for rule in rules_of(problem) if rule.kind == "must-fund" and rule.index == group)
    return Conflict(tuple(rules), True, 1)


def worth_of_cap(
    problem: PortfolioProblem,
    solution: Solution,
    row: int | str,
    amounts: Iterable[float],
    *,
    solving: Solving = Solving(),
) -> WorthOfCap:
    """What moving the cap of a row by each of the amounts is worth; negative amounts lower it.

    A raised ceiling or a lowered floor lets in every portfolio there was, so what is known of one step bounds the
    others. An equality moves as a whole, and neither direction is better beforehand. What a row has left over moves on
    along its carries, and is counted there.

    Raises: ProblemError for an unknown row or an amount that is not finite; SolverError.
    """
    index, asker = row_at(problem, row), Asker(solving)
    steps = sorted({0.0, *(float(amount) for amount in amounts)})
    if not all(map(math.isfinite, steps)):
        raise ProblemError((Fault("amounts", "must be finite", str(steps)),))
    incumbent, cap = at_hand(problem, solution), float(problem.rows.cap[index])
    moved = [with_caps(problem, {index: cap + amount}) for amount in steps]
    known: list[tuple[int, ...]] = [incumbent.chosen]
    found: dict[float, Best] = {}
    for amount, variation in _widening(problem, index, steps, moved):
        best = asker.best(variation, known)
        found[amount] = tighter(best, incumbent) if amount == 0.0 else best
        known.extend(portfolios_of(best))
    found = _bound(problem, index, found)
    price = float(relaxation_duals(problem, solving).worth[index])
    told = tuple(_cap_steps(problem, index, incumbent, found))
    return WorthOfCap(index, problem.rows.names[index], told, price, problem.rows.keys[index])


def _widening(
    problem: PortfolioProblem, row: int, steps: Sequence[float], moved: Sequence[PortfolioProblem]
) -> list[tuple[float, PortfolioProblem]]:
    """Steps from the tightest cap to the loosest."""
    pairs = list(zip(steps, moved, strict=True))
    return pairs[::-1] if problem.rows.sense[row] == ">=" else pairs


def _bound(problem: PortfolioProblem, row: int, found: dict[float, Best]) -> dict[float, Best]:
    """No tighter cap is worth more than a looser one is proven to be at most."""
    if problem.rows.sense[row] == "==":
        return found
    ascending = sorted(found, reverse=problem.rows.sense[row] == ">=")
    bound, bounded = math.inf, {}
    for amount in reversed(ascending):
        bound = min(bound, found[amount].bound)
        bounded[amount] = replace(found[amount], bound=bound)
    return bounded


def _cap_steps(problem: PortfolioProblem, row: int, incumbent: Best, found: dict[float, Best]) -> Iterator[CapStep]:
    now, before, cap = found[0.0], None, float(problem.rows.cap[row])
    for amount in sorted(found):
        best = found[amount]
        gain = _with_sign(problem, row, amount, difference(best, now)) if amount else Bracket(0.0, 0.0, 0.0)
        unit = Bracket(math.nan, math.nan, math.nan)
        if before is not None:
            unit = _over(difference(best, found[before]), amount - before)
        exchange = exchange_of(problem, incumbent.chosen, best.chosen) if best.exists else None
        yield CapStep(amount, cap + amount, gain, unit, exchange)
        before = amount


def _with_sign(problem: PortfolioProblem, row: int, amount: float, gain: Bracket) -> Bracket:
    """A looser cap never loses and a tighter one never gains, whatever two solves left open."""
    sense = problem.rows.sense[row]
    if sense == "==" or math.isnan(gain.found):
        return gain
    looser = (amount > 0) == (sense == "<=")
    return replace(gain, low=max(gain.low, 0.0)) if looser else replace(gain, high=min(gain.high, 0.0))


def _over(figure: Bracket, amount: float) -> Bracket:
    return Bracket(figure.found / amount, figure.low / amount, figure.high / amount)
