"""Re-decisions: what the plan would have been, had the samples come out otherwise, and what of it is therefore firm.

A portfolio is chosen on samples; with others it would be another one. When the loop has proposed and judged, the plan
is decided again K times, each time with what another seed would have seen:

1. What options near the relaxation are worth is drawn anew from the samples in hand. Another seed's mean differs from
   ours by the error of both, so the draw has the **predictive** spread, twice the variance of a mean: replications get
   weights of mean 1 and variance 2 (a bootstrap of half the samples: Efron 1979, Annals of Statistics 7; with Poisson
   weights as in Chamandy et al. 2012), the same weights for all options, as they are paired.
2. Replications that the loop judged portfolios by are drawn anew in the same way: the contender that then leads names
   the payment ratios and corrections under which this re-decision is made.
3. That problem is solved near its relaxation and improved by a short walk, from that contender at the latest. Options
   that no other samples would bring near the relaxation are left out.

Shares of re-decisions are estimates with limits (Clopper & Pearson 1934, Biometrika 26, one-sided 95%). What at least
`SURE` of all re-decisions share by its lower limit is **sure in**; what they leave out likewise **sure out**; the rest
is **open**. `python -m benchmarks seeds` compares the shares with whole plans by other seeds.

A **consensus** is the portfolio of largest agreement with re-decisions (`Redecisions.preference`) among those that the
optimiser's view puts within the indifference zone of the leader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.domain import Choice, Portfolio
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.models.variations import Measure, with_floor, with_objective
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.optimiser.solving.reach import sub_problem
from rdsim.search.contenders import Contender
from rdsim.search.estimates import MOST_SAMPLES, Near, Refined, refine, sample_near
from rdsim.search.proposals import Instance
from rdsim.search.quick import near_optimum
from rdsim.search.views import View, apply_view
from rdsim.stats import least_share
from rdsim.streams import CHECKING

__all__ = [
    "CONFIDENCE",
    "SURE",
    "Basis",
    "Decision",
    "Preference",
    "Redecisions",
    "Tally",
    "Verdict",
    "basis_of",
    "check",
    "consensus",
    "redecide",
]

SURE = 0.9
"""Least share of re-decisions that makes a decision sure, by its lower limit."""

CONFIDENCE = 0.95
"""Of one-sided limits of shares."""

KINDS = ("partner", "mode", "start")
"""What is decided of a funded technology."""

_SPREADS = 5.0  # standard deviations of redrawn means: options farther from the relaxation are left out
_ROUNDING = 1e-9
_TIE = 1e-3  # weight of an opened partner, and of all places in the file together, against a share


class Verdict(StrEnum):
    """What re-decisions say of a decision."""

    SURE_IN = "sure in"
    SURE_OUT = "sure out"
    OPEN = "open"


@dataclass(frozen=True, eq=False)
class Basis:
    """What a plan is decided again from."""

    posed: Refined
    contenders: tuple[Contender, ...]
    left_out: tuple[int, ...]  # options that are not proposed
    solving: Solving

    @property
    def means(self) -> Floats:
        """What each option is worth on average, by all samples, (O,)."""
        return self.posed.problem.expected_value

    @property
    def near(self) -> Near:
        """Options near the relaxation, with their samples."""
        return self.posed.near

    def draw_shift(self, rng: np.random.Generator) -> Floats:
        """What another seed's samples would add to each option's mean, shape (O,)."""
        weights = _weights(rng, int(self.near.found.counts.max(initial=0)))
        return self.shift(self.near.found.means_with(weights))

    def shift(self, now: Floats) -> Floats:
        """What is added to the mean of every option, (O,), if those near the relaxation are worth `now`."""
        return np.asarray(self.near.new_means(self.means, now, self.posed.problem.group) - self.means)

    def leader(self, rng: np.random.Generator, shift: Floats) -> Contender:
        """The contender that leads when replications are drawn anew, and options are worth otherwise."""
        weights = _weights(rng, self.contenders[0].worth.size)
        share = weights / max(float(weights.sum()), 1.0)
        return max(self.contenders, key=lambda one: float(share @ one.worth) + float(shift[list(one.chosen)].sum()))

    def problem(self, leader: Contender, shift: Floats) -> PortfolioProblem:
        """The problem as a contender's view shows it, with room for that contender, and options worth `shift` more."""
        view = replace(leader.view, added=leader.view.added + shift)
        return with_room(apply_view(self.posed.scenario, self.posed.problem, view, sampled=False), leader.chosen)

    @cached_property
    def best(self) -> Contender:
        """The contender of the largest estimate; of equals the first."""
        return max(self.contenders, key=lambda one: float(one.worth.mean()))

    @cached_property
    def choosable(self) -> Bools:
        """Options that may be chosen: those that other samples might bring near the relaxation, and the best's; (O,).

        That is, whose reduced cost in the best contender's view is within a few standard deviations of what is redrawn.
        """
        small = sub_problem(self.problem(self.best, np.zeros_like(self.means)), self.proposable)
        costs = np.zeros_like(self.means)
        costs[small.options] = relaxation_duals(small.problem, self.solving).reduced_costs[: len(small.options)]
        room = _ROUNDING * np.abs(costs).max(initial=0.0) + _SPREADS * 2**0.5 * self.near.found.spreads
        kept = np.zeros_like(self.proposable)
        kept[self.near.options] = costs[self.near.options] >= -room
        kept &= self.proposable
        kept[list(self.best.chosen)] = True
        return kept

    @cached_property
    def proposable(self) -> Bools:
        """Options that may be proposed, (O,): sampled further, and not left out; and the best's."""
        allowed = np.zeros(len(self.means), dtype=bool)
        allowed[self.near.options] = True
        allowed[list(self.left_out)] = False
        allowed[list(self.best.chosen)] = True
        return allowed


def basis_of(posed: Instance, portfolio: Portfolio, chosen: tuple[int, ...], solving: Solving = Solving()) -> Basis:
    """What a portfolio that no loop found is decided again from: options near the relaxation, sampled as there."""
    refined = refine(posed, solving, also=chosen)
    view = View(dict.fromkeys(posed.scenario.programmes, 1.0), np.zeros(len(refined.problem.option_names)))
    alone = Contender(portfolio.name, portfolio, chosen, view, np.zeros(1))
    return Basis(refined, (alone,), (), solving)


def _weights(rng: np.random.Generator, count: int) -> Floats:
    """Weights of replications, of mean 1 and variance 2."""
    return np.asarray(2.0 * rng.poisson(0.5, count), np.float64)


def with_room(problem: PortfolioProblem, chosen: tuple[int, ...]) -> PortfolioProblem:
    """The problem whose ceilings leave room for a portfolio that others were chosen beside."""
    excess, rows = evaluate(problem, chosen).excess, problem.rows
    cap = np.where(rows.has_ceiling & ~rows.is_soft & (excess > 0), rows.cap + excess + rows.tolerance, rows.cap)
    return replace(problem, rows=replace(rows, cap=frozen(cap)))


# --- deciding again -------------------------------------------------------------------------------


def redecide(basis: Basis, count: int, progress: Callable[[], None] = lambda: None) -> Redecisions:
    """Decide again `count` times.

    The same basis gives the same re-decisions on any number of threads, unless the time limit of a solve bites.
    `progress` is called after each.
    """
    _ = basis.choosable  # found once, before threads ask for it
    jobs = (partial(_decide, basis, number) for number in range(count))
    found = []
    for chosen in in_threads(jobs, basis.posed.running.threads or cores()):
        found.append(chosen)
        progress()
    return Redecisions(basis.posed.problem, basis.posed.options.choices, tuple(found))


def _decide(basis: Basis, number: int) -> tuple[int, ...]:
    rng = np.random.default_rng([basis.posed.seed, len(basis.posed.options.choices), number])
    shift = basis.draw_shift(rng)
    leader = basis.leader(rng, shift)
    return _nearest(basis, leader, shift, number)


def _nearest(basis: Basis, leader: Contender, shift: Floats, number: int) -> tuple[int, ...]:
    kept = basis.choosable.copy()
    kept[list(leader.chosen)] = True
    return near_optimum(basis.problem(leader, shift), kept, leader.chosen, replace(basis.solving, seed=number))


def check(basis: Basis, count: int, progress: Callable[[], None] = lambda: None) -> tuple[tuple[int, ...], ...]:
    """Decide again `count` times on fresh samples, as many as those in hand, of the options that may be chosen.

    They tell what drawing the samples in hand anew may have missed. `progress` is called after each.
    """
    found = []
    for number in range(count):
        found.append(_decide_afresh(basis, number))
        progress()
    return tuple(found)


def _decide_afresh(basis: Basis, number: int) -> tuple[int, ...]:
    posed, near = basis.posed, basis.near
    mine = basis.choosable[near.options]
    stream = CHECKING.after(number * MOST_SAMPLES * posed.samples)
    fresh = sample_near(posed, near.options[mine], near.charges, stream)
    shift = fresh.new_means(basis.means, fresh.found.means, posed.problem.group) - basis.means
    leader = basis.leader(np.random.default_rng([posed.seed, CHECKING.first, number]), shift)
    return _nearest(basis, leader, shift, number)


# --- what they say --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """Something that is decided, and in how many re-decisions, of those in which it comes up."""

    kind: str  # technology, partner, mode, start or country
    technology: str  # "" of a country
    what: str  # the partner, mode or start year of the technology, "" of whether it is funded; the country
    count: int
    of: int  # re-decisions; of partners, modes and starts those that fund the technology
    held: int = 0  # of re-decisions on fresh samples
    checked: int = 0

    @property
    def share(self) -> float:
        """Share of re-decisions; nan of none."""
        return self.count / self.of if self.of else float("nan")

    @property
    def low(self) -> float:
        """One-sided lower limit of the share."""
        return least_share(self.count, self.of, CONFIDENCE)

    @property
    def high(self) -> float:
        """One-sided upper limit of the share."""
        return 1.0 - least_share(self.of - self.count, self.of, CONFIDENCE)

    @property
    def verdict(self) -> Verdict:
        """Sure in or sure out if no re-decision on fresh samples says otherwise; else open."""
        if self.low >= SURE and self.held == self.checked:
            return Verdict.SURE_IN
        return Verdict.SURE_OUT if self.high <= 1.0 - SURE and self.held == 0 else Verdict.OPEN


@dataclass(frozen=True, eq=False)
class Preference:
    """What re-decisions share, as weights: of options, and of opened partners."""

    options: Floats  # (O,)
    openings: Floats  # (P,)

    def of(self, problem: PortfolioProblem, chosen: tuple[int, ...]) -> float:
        """Agreement of a portfolio."""
        opened = evaluate(problem, chosen).opened
        return float(self.options[list(chosen)].sum() + self.openings[list(opened)].sum())


@dataclass(frozen=True, eq=False)
class Tally:
    """How many of some portfolios hold what."""

    problem: PortfolioProblem
    choices: tuple[Choice, ...]
    portfolios: tuple[tuple[int, ...], ...]

    @cached_property
    def options(self) -> Ints:
        """How many hold each option, (O,)."""
        return np.bincount([o for one in self.portfolios for o in one], minlength=len(self.choices))

    @cached_property
    def groups(self) -> Ints:
        """How many fund each group, (G,)."""
        counts = np.zeros(len(self.problem.group_names))
        np.add.at(counts, self.problem.group, self.options)
        return counts.astype(np.int64)

    @cached_property
    def partners(self) -> Ints:
        """How many open each partner, (P,)."""
        opened = [list(evaluate(self.problem, one).opened) for one in self.portfolios]
        return np.bincount([p for one in opened for p in one], minlength=len(self.problem.partner_names))

    def alike(self, kind: str) -> Ints:
        """For each option, how many hold one of its technology with the same partner, mode or start, (O,)."""
        keys = [(choice.technology, what_of(choice, kind)) for choice in self.choices]
        place = {key: index for index, key in enumerate(dict.fromkeys(keys))}
        cell = np.array([place[key] for key in keys], dtype=np.int64)
        counts = np.bincount(cell, weights=self.options, minlength=len(place))
        return np.asarray(counts[cell], dtype=np.int64)

    @cached_property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many hold a decision, by kind, technology and what; those that none holds may be absent."""
        found = {("technology", name, ""): n for name, n in zip(self.problem.group_names, self.groups, strict=True)}
        for kind in KINDS:
            numbers = self.alike(kind)
            found |= {
                (kind, one.technology, what_of(one, kind)): n
                for one, n in zip(self.choices, numbers.tolist(), strict=True)
                if n
            }
        countries = zip(self.problem.partner_names, self.partners, strict=True)
        return {key: int(n) for key, n in {**found, **{("country", "", code): n for code, n in countries}}.items()}

    def of(self, kind: str, technology: str) -> int:
        """In how many a decision comes up."""
        return self.counts["technology", technology, ""] if kind in KINDS else len(self.portfolios)


@dataclass(frozen=True, eq=False)
class Redecisions:
    """Portfolios that were decided again, by number of option; `checks` of them on fresh samples."""

    problem: PortfolioProblem
    choices: tuple[Choice, ...]
    portfolios: tuple[tuple[int, ...], ...]
    checks: tuple[tuple[int, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.portfolios)

    def __repr__(self) -> str:
        sure = sum(one.verdict is Verdict.SURE_IN for one in self.decisions if one.kind == "technology")
        return f"Redecisions: {len(self)}, {sure} technologies sure in"

    @cached_property
    def tally(self) -> Tally:
        """What re-decisions hold."""
        return Tally(self.problem, self.choices, self.portfolios)

    @cached_property
    def _check_tally(self) -> Tally:
        return Tally(self.problem, self.choices, self.checks)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Every technology and country, and what funded technologies have in any re-decision."""
        return tuple(self.decision(*key) for key in self.tally.counts)

    def decision(self, kind: str, technology: str, what: str = "") -> Decision:
        """One decision; what no re-decision holds counts 0."""
        key = (kind, technology, what)
        numbers = [(one.counts.get(key, 0), one.of(kind, technology)) for one in (self.tally, self._check_tally)]
        return Decision(*key, *numbers[0], *numbers[1])

    def options_of(self, technology: str) -> list[tuple[Choice, int]]:
        """Options that are held of a technology, and by how many, the most frequent first."""
        held = [(one, n) for one, n in zip(self.choices, self.tally.options.tolist(), strict=True) if n]
        return sorted((pair for pair in held if pair[0].technology == technology), key=lambda pair: -pair[1])

    @cached_property
    def preference(self) -> Preference:
        """What re-decisions share, as weights that a portfolio adds up.

        Of a technology, or a country, the share that has it less the share that has it not; of its partner, mode and
        start the mean of their shares less those of the usual ones. Shares that are not told apart (two-sided 95%)
        count as the same. Then fewer partners, then the order of the file: weights next to nothing.
        """
        count, tally = max(len(self), 1), self.tally
        funded = _lean(tally.groups, count)
        usual = np.mean([self._behind(tally.alike(kind)) for kind in KINDS], axis=0)
        order = _TIE * np.arange(len(self.choices)) / max(len(self.choices), 1) ** 2
        opened = _lean(tally.partners, count) - _TIE
        return Preference(frozen(funded[self.problem.group] + usual - order), frozen(opened))

    def _behind(self, counts: Ints) -> Floats:
        """How far each option's share is behind the largest of its technology, if it is told apart; (O,), <= 0."""
        group, most = self.problem.group, np.zeros(len(self.problem.group_names), dtype=np.int64)
        np.maximum.at(most, group, counts)
        best, funding = most[group], np.maximum(self.tally.groups[group], 1)
        return np.where(_is_apart(counts, best), (counts - best) / funding, 0.0)


def what_of(choice: Choice, kind: str) -> str:
    """An option's partner, mode or start year, as a text."""
    return {"partner": choice.partner, "mode": choice.mode, "start": str(choice.start_year)}[kind]


def _lean(counts: Ints, count: int) -> Floats:
    """Share that has it less the share that has it not; 0 where the two are not told apart."""
    told = _is_apart(np.minimum(counts, count - counts), np.maximum(counts, count - counts))
    return np.where(told, 2.0 * counts / count - 1.0, 0.0)


def _is_apart(fewer: Ints, more: Ints) -> Bools:
    """Whether counts differ by more than chance would have it (sign test, two-sided, normal approximation)."""
    return np.asarray((more - fewer) ** 2 > 1.96**2 * (more + fewer))


# --- consensus ------------------------------------------------------------------------------------


def consensus(basis: Basis, found: Redecisions, leader: Contender, slack: float) -> tuple[int, ...]:
    """The portfolio of largest agreement, worth at most `slack` less than the leader in the leader's view."""
    problem = basis.problem(leader, np.zeros_like(basis.means))
    worth = Measure("value", problem.expected_value, np.ravel(problem.opening_value))
    floor = worth.of(problem, evaluate(problem, leader.chosen)) - slack
    stages = len(problem.stage_names)
    shared = Measure("agreement", found.preference.options, np.repeat(found.preference.openings, stages))
    kept = found.tally.options > 0
    kept[list(leader.chosen)] = True
    stated = with_objective(with_floor(problem, worth, floor), shared)
    return near_optimum(stated, kept, leader.chosen, replace(basis.solving, gap=0.0))
