"""Deciding under levers, soon: near the relaxation, beside the run's portfolio, and judged by simulation.

The optimiser sees options one by one. What a run's loop takes minutes to learn - how much of the money is better left
unpromised, because projects wait for one another - is read off the run's portfolio: the part of each year's room that
it uses is the part that a new portfolio may use (its **reserve**). And a decision is only made otherwise where that is
worth more than the error of what it is judged by (an **anchor** of two standard errors on what the run chose): so what
changes, changes because of the levers. Portfolios with and without the reserve, and the run's own if it keeps every
rule, are compared by simulation on replications that nothing else uses; the run's stays unless another is ahead by
more than luck explains. What is reported comes from replications that chose nothing: those of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.comparison.choices import FIRM
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import InfeasibleError
from rdsim.families import Options, RowKey, row_words
from rdsim.formulation import row_index, state, values
from rdsim.languages import gettext as _
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.problem.evaluation import Violation
from rdsim.optimiser.problem.problem import best_per_group, frozen
from rdsim.options import candidates, picked_options
from rdsim.scenario import screenings
from rdsim.search import (
    Instance,
    Judge,
    Redecisions,
    as_before,
    near_optimum,
    portfolio_of,
    risk_adjustment,
    risk_of,
    soon,
)
from rdsim.search.proposals import solution_of
from rdsim.serve.answers import Firmness
from rdsim.serve.samples import SampledOptions
from rdsim.simulation import Running
from rdsim.streams import ASKED
from rdsim.words import amount_words, technology_words

__all__ = [
    "LeverDecision",
    "Stated",
    "decide",
    "firmness",
    "reserve_of",
    "state_levers",
    "violation_words",
    "with_reserve",
]

_EACH = 3
"""Options of a technology and start year that may be chosen: those nearest to the relaxation."""
_JUDGED = 200
"""Replications by which portfolios are compared."""
_AHEAD = 2.0
"""Standard errors by which another portfolio must be ahead of the run's."""
_ANCHOR = 2.0
"""Standard errors of an option's worth that the run's own options are given."""
_GAP = 0.02

AGAIN = 32
"""Times that a question is decided again to tell how firm its decisions are."""

_ROUNDING = 1e-9
"""So much more than is used, relative, is left by a reserve: sums of floating point differ by their order."""

Reserve = Mapping[RowKey, float]
"""By budget row, the part of its money that the run's portfolio needs, in that year or passed on."""


@dataclass(frozen=True, eq=False)
class Stated:
    """A question as a portfolio problem: K options of a world, and which of them the run's portfolio has."""

    world: Scenario
    sampled: SampledOptions
    places: Ints
    """Of each option, its number among all that were sampled, (K,)."""
    options: Options
    problem: PortfolioProblem
    run: tuple[int, ...]
    """Options of the run's portfolio that are allowed."""
    whole: bool
    """Whether those are all of the run's portfolio."""

    @cached_property
    def errors(self) -> Floats:
        """Standard error of what each option is worth, (K,)."""
        near = self.sampled.near
        errors = np.zeros(len(self.sampled.means))
        errors[near.options] = near.found.spreads
        return errors[self.places]

    @cached_property
    def keeps(self) -> bool:
        """Whether the run's portfolio keeps every rule under the levers."""
        return self.whole and evaluate(self.problem, self.run).feasible

    def with_anchor(self, shift: Floats | float = 0.0) -> PortfolioProblem:
        """The problem with options worth more by `shift`, (K,), and the run's own by their anchor."""
        worth = np.zeros(len(self.places))
        worth[list(self.run)] = _ANCHOR * self.errors[list(self.run)]
        return self.plus(worth + shift)

    def plus(self, added: Floats) -> PortfolioProblem:
        """The problem with options worth so much more, (K,)."""
        return replace(self.problem, values=frozen(self.problem.values + added))


@dataclass(frozen=True, eq=False)
class LeverDecision:
    """A portfolio that keeps every rule of a question."""

    stated: Stated
    chosen: tuple[int, ...]
    portfolio: Portfolio
    is_run: bool


# --- the problem ----------------------------------------------------------------------------------


def state_levers(
    world: Scenario, sampled: SampledOptions, run: Portfolio, *, sampled_rows: bool, every: bool = False
) -> Stated:
    """The problem of a world's levers, on samples in hand: rows whole, options those near the relaxation, or `every`.

    `sampled_rows` keeps the worth of each sample, for who asks about risk.
    """
    allowed = _options_of_rules(world, sampled)
    mine = [sampled.places.get(replace(choice, rank=0)) for choice in run.choices]
    known = [place for place in mine if place is not None and allowed[place]]
    kept = allowed.copy() if every else _nearest(sampled, allowed) | _longest(sampled, allowed)
    kept[known] = True
    places = np.flatnonzero(kept)
    options = picked_options(sampled.options, places)
    worths = sampled.means[places]
    if sampled_rows:
        each = values(world, options)
        worths = each + (worths - each.mean(axis=0))
    problem = state(world, options, worths=worths)
    number = {int(place): k for k, place in enumerate(places)}
    own = tuple(sorted(number[place] for place in known))
    return Stated(world, sampled, places, options, problem, own, len(own) == len(run.choices))


def _options_of_rules(world: Scenario, sampled: SampledOptions) -> Bools:
    """Options that the world lets be chosen, (O,)."""
    if screenings(world):  # who is ruled out makes room for others
        may = set(candidates(world))
        return sampled.options.where(may.__contains__)
    out = {code for code, one in world.technologies.items() if one.status == "must-not-fund"}
    offers = {("", "domestic")} | {(code, mode) for code, one in world.partners.items() for mode in one.modes}
    return sampled.options.where(lambda one: one.technology not in out and (one.partner, one.mode) in offers)


def _nearest(sampled: SampledOptions, allowed: Bools) -> Bools:
    """Of each technology and start year the options nearest to the relaxation of the open world, (O,)."""
    net = np.where(allowed, sampled.means - sampled.near.charges, -np.inf)
    return np.asarray(best_per_group(sampled.problem, net, _EACH) & allowed)


def _longest(sampled: SampledOptions, allowed: Bools) -> Bools:
    """What rows take from single options: each partner's longest, and each technology's best, (O,)."""
    found = np.zeros(len(allowed), np.bool_)
    places = np.flatnonzero(allowed)
    if not places.size:
        return found
    joined = sampled.problem.partners[places].toarray()
    for p in range(joined.shape[1]):
        mine = places[joined[:, p] > 0]
        if mine.size:
            found[mine[int(np.argmax(sampled.options.end_year[mine]))]] = True
    order = np.argsort(sampled.options.expected_value[places], kind="stable")
    last = {int(sampled.problem.group[o]): int(o) for o in places[order]}
    found[list(last.values())] = True
    return found


def reserve_of(stated: Stated) -> dict[RowKey, float]:
    """The part of each year's money that the run's portfolio needs, with what it passes on; 1 where there is none.

    With each year's money cut to that part the portfolio still keeps its budgets: a year has to pass on what the next
    lacks, so that years are gone through from the last to the first.
    """
    rows, used = stated.problem.rows, evaluate(stated.problem, stated.run).activity
    room = np.maximum(used, 0.0) * (1 + _ROUNDING)
    for source, target, rate in reversed(rows.carry_in_order):
        lacking = max(0.0, room[target] - rows.cap[target])
        room[source] += lacking / rate if rate > 0 else 0.0
    caps = {key: float(rows.cap[row]) for key, row in row_index(stated.problem, "budget").items()}
    needed = {key: float(room[row]) for key, row in row_index(stated.problem, "budget").items()}
    return {key: min(needed[key] / cap, 1.0) if cap > 0 else 1.0 for key, cap in caps.items()}


def with_reserve(problem: PortfolioProblem, reserve: Reserve) -> PortfolioProblem:
    """The problem with each year's money cut to its part."""
    factor = np.ones(len(problem.rows.names))
    for key, row in row_index(problem, "budget").items():
        factor[row] = reserve.get(key, 1.0)
    return replace(problem, rows=replace(problem.rows, cap=frozen(problem.rows.cap * factor)))


def violation_words(world: Scenario, violations: Sequence[Violation]) -> tuple[str, ...]:
    """Limits that are broken, in words, and by how much."""
    told = [(one.key, one.amount) for one in violations if one.key is not None]
    by = _("{row}, by {amount}")
    return tuple(by.format(row=row_words(world, key), amount=amount_words(world, key, amount)) for key, amount in told)


# --- the decision ---------------------------------------------------------------------------------


def decide(
    stated: Stated, run: Portfolio, reserve: Reserve, seed: int, running: Running, whole: Callable[[], Stated]
) -> LeverDecision:
    """The portfolio for a question; `whole` is the same with every option, where those near the relaxation do not do.

    Raises: InfeasibleError if none keeps every rule, with the smallest conflict; SolverError if that could not be found
    out.
    """
    found = [(stated.run, run)] if stated.keeps else []
    known = {stated.run} if stated.keeps else set()
    for chosen in _proposals(stated, reserve, running):
        if chosen not in known:
            known.add(chosen)
            portfolio = portfolio_of(stated.world, stated.options, chosen, "what-if")
            found.append((chosen, as_before(portfolio, run)))
    if not found:
        stated = whole()
        chosen = _by_proof(stated)
        found = [(chosen, as_before(portfolio_of(stated.world, stated.options, chosen, "what-if"), run))]
    place = _best(stated, [portfolio for _, portfolio in found], seed, running)
    chosen, portfolio = found[place]
    return LeverDecision(stated, chosen, portfolio, stated.keeps and place == 0)


def _proposals(stated: Stated, reserve: Reserve, running: Running) -> Iterator[tuple[int, ...]]:
    """Portfolios that keep every rule: with the run's reserve, and without."""
    anchored = stated.with_anchor()
    problems = [with_reserve(anchored, reserve), anchored]
    jobs = (partial(_proposal, stated, problem) for problem in problems)
    for chosen in in_threads(jobs, running.threads or cores()):
        if chosen is not None and evaluate(stated.problem, chosen).feasible:
            yield chosen


def _proposal(stated: Stated, problem: PortfolioProblem) -> tuple[int, ...] | None:
    solving = Solving(gap=_GAP, effort="quick")
    risk = risk_of(_instance(stated))
    if risk is not None:
        return soon(problem, (), solving, risk)
    every = np.ones(len(problem.option_names), np.bool_)
    return tuple(sorted(near_optimum(problem, every, (), solving)))


def _instance(stated: Stated) -> Instance:
    drawing = stated.sampled.drawing
    return Instance(stated.world, stated.options, stated.problem, drawing.samples, drawing.seed, drawing.running)


def _best(stated: Stated, portfolios: Sequence[Portfolio], seed: int, running: Running) -> int:
    """The place of the best by simulation; the first, if it is the run's, unless another is ahead by more than luck."""
    if len(portfolios) == 1:
        return 0
    risk = stated.world.optimiser.risk
    judge = Judge(stated.world, seed, ASKED, plain=risk.weight > 0, running=running)
    known = judge.worths(portfolios[0], _JUDGED)
    weighed = risk_of(_instance(stated))
    worths = [risk_adjustment(judge.worths(one, _JUDGED), known, weighed) for one in portfolios]
    best = max(range(len(worths)), key=lambda place: float(worths[place].mean()))
    gain = worths[best] - worths[0]
    if stated.keeps and gain.mean() <= _AHEAD * gain.std(ddof=1) / len(gain) ** 0.5:
        return 0
    return best


def _by_proof(stated: Stated) -> tuple[int, ...]:
    """A portfolio by the whole recipe, where what is quick found none. Raises InfeasibleError if there is none."""
    funded = {choice.technology for choice in stated.options.choices}
    wanted = (code for code, one in stated.world.technologies.items() if one.status == "must-fund")
    if lacking := [technology_words(stated.world, code) for code in wanted if code not in funded]:
        raise InfeasibleError(f"nothing that is allowed would do what must be funded: {', '.join(lacking)}")
    return solution_of(_instance(stated), Solving(gap=_GAP, effort="quick")).chosen


# --- how firm -------------------------------------------------------------------------------------


def firmness(
    decided: LeverDecision,
    reserve: Reserve,
    *,
    count: int = AGAIN,
    tell: Callable[[int, int], None] = lambda _d, _t: None,
) -> tuple[Firmness, ...]:
    """How firm it is which technologies are funded: the question decided again, options worth what other samples say.

    Samples in hand are drawn anew, with the spread between two seeds (see `rdsim.search.redecisions`); the money is
    held to the run's reserve if the answer keeps that, and nothing is preferred for being the run's. Of technologies
    that the run or the answer funds, or any re-decision. `tell` is called before each; what it raises ends it.
    () where a risk is asked about, and where more than half of the re-decisions found no portfolio: those that did not
    count for nothing.
    """
    stated = decided.stated
    if risk_of(_instance(stated)) is not None:
        return ()
    sampled, found = stated.sampled, list[tuple[int, ...]]()
    reserved = with_reserve(stated.problem, reserve)
    rows = reserved.rows if evaluate(reserved, decided.chosen).feasible else stated.problem.rows
    for number in range(count):
        tell(number, count)
        rng = np.random.default_rng([sampled.drawing.seed, len(stated.places), number])
        weights = np.asarray(2.0 * rng.poisson(0.5, int(sampled.near.found.counts.max(initial=0))), np.float64)
        now = sampled.near.found.means_with(weights)
        shift = sampled.near.new_means(sampled.means, now, sampled.problem.group) - sampled.means
        problem = replace(stated.plus(shift[stated.places]), rows=rows)
        every = np.ones(len(problem.option_names), np.bool_)
        again = near_optimum(problem, every, decided.chosen, Solving(gap=_GAP, effort="quick", seed=number))
        if evaluate(stated.problem, again).feasible:
            found.append(again)
    tell(count, count)
    if 2 * len(found) < count:
        return ()
    told = Redecisions(stated.problem, stated.options.choices, tuple(found))
    codes = {choice.technology for one in (*found, decided.chosen, stated.run) for choice in _choices(stated, one)}
    decisions = (told.decision("technology", code) for code in sorted(codes))
    return tuple(Firmness(one.technology, one.count, one.of, FIRM[str(one.verdict)]) for one in decisions)


def _choices(stated: Stated, chosen: tuple[int, ...]) -> Iterator[Choice]:
    return (stated.options.choices[o] for o in chosen)
