"""The plan decided anew under a change: less money, more promised, two partners only.

What a change does to a decision is the difference of two decisions, and carries the noise of both. So both are made
several times, each time with what another seed would have seen (`rdsim.search.redecisions`): once as things stand and
once under the change, near the relaxation and with a short walk, and both are simulated on the same replications,
which chose neither. Intervals are over these repeats. What happens if nothing is decided anew - the plan kept as it is
in the changed world - stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np

from rdsim.arrays import Bools, Floats
from rdsim.assumptions import Measuring
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import SolverError
from rdsim.formulation import row_index
from rdsim.languages import gettext as _
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import PortfolioProblem, evaluate
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.optimiser.questions.explanation import relaxation_duals
from rdsim.optimiser.solving.reach import sub_problem
from rdsim.scenario import members
from rdsim.search import Basis, near_optimum, portfolio_of
from rdsim.search.views import budgets_times
from rdsim.stats import Interval, mean_interval
from rdsim.streams import CHANGING

__all__ = ["ChangeEffect", "WorldChange", "changes_of", "decide_changes"]

STAGE = "change"

LESS, MORE = 0.9, 1.1
"""Of the money of the next year, and of what may be promised."""

_LIKELY = 6
"""Partners of which pairs are made: those with whom alone the most is to be had."""
_PAIRS = 2
"""Pairs that each repeat chooses from."""
_NOW = "as things stand"

Restate = Callable[[PortfolioProblem], PortfolioProblem]


@dataclass(frozen=True, eq=False)
class WorldChange:
    """What is changed: the world in which decisions are judged, their problem, the options that they choose from."""

    key: str
    label: str
    world: Scenario
    restate: Restate
    kept: tuple[Bools, ...]
    """Sets of options, (O,): a portfolio is of any one of them."""

    def allows(self, problem: PortfolioProblem, chosen: tuple[int, ...]) -> bool:
        """Whether a portfolio may be chosen under the change; `problem` is that without it."""
        options = list(chosen)
        inside = any(bool(kept[options].all()) for kept in self.kept)
        return inside and evaluate(self.restate(problem), chosen).feasible


@dataclass(frozen=True, eq=False)
class ChangeEffect:
    """What a change does; of `repeats` pairs of decisions."""

    key: str
    label: str
    decided: Interval
    """Net present value that is gained by deciding anew under the change, over repeats."""
    kept: Interval | None
    """The same if the plan is kept as it is, over replications; None where it could not be kept."""
    funded: tuple[float, float]
    """Technologies funded as things stand, and under the change: means over repeats."""
    mine: int
    """Technologies that the plan funds, which simulation chose among many such decisions."""
    leaving: tuple[tuple[str, float], ...]
    """Technologies of the plan that fewer repeats fund under the change, and the part of repeats that drop them."""
    joining: tuple[tuple[str, float], ...]
    partners: tuple[tuple[tuple[str, ...], float], ...]
    """Sets of partners that take part under the change, and in which part of the repeats; the most frequent first."""
    repeats: int


# --- the changes ----------------------------------------------------------------------------------


def changes_of(basis: Basis) -> Iterator[WorldChange]:
    """The changes that mean something in a scenario, decided from what a loop left."""
    scenario, near = basis.posed.scenario, (basis.choosable,)
    year = scenario.start_year + 1
    if any(one.budget.get(year) for one in scenario.programmes.values()):
        label = _("{share} less money in {year}").format(share=f"{1 - LESS:.0%}", year=year)
        yield WorldChange("less-money", label, _with_less(scenario, year), partial(_with_less_money, year), near)
    more = dict.fromkeys(scenario.programmes, MORE)
    label = _("{share} more of the money promised").format(share=f"{MORE - 1:.0%}")
    yield WorldChange("promise-more", label, scenario, lambda problem: budgets_times(scenario, problem, more), near)
    pairs = tuple(_options_with(basis, pair) for pair in _pairs(basis))
    if pairs:
        yield WorldChange("two-partners", _("two partners only"), scenario, _as_it_stands, pairs)


def _as_it_stands(problem: PortfolioProblem) -> PortfolioProblem:
    return problem


def _with_less(scenario: Scenario, year: int) -> Scenario:
    programmes = {
        code: replace(one, budget={y: money * (LESS if y == year else 1.0) for y, money in one.budget.items()})
        for code, one in scenario.programmes.items()
    }
    return replace(scenario, programmes=programmes)


def _with_less_money(year: int, problem: PortfolioProblem) -> PortfolioProblem:
    factor = np.ones(len(problem.rows.names))
    factor[[row for key, row in row_index(problem, "budget").items() if key.year == year]] = LESS
    return replace(problem, rows=replace(problem.rows, cap=frozen(problem.rows.cap * factor)))


def _pairs(basis: Basis) -> Iterator[frozenset[str]]:
    """Pairs of partners that promise most, the best first; none where no more than two are opened anyway.

    Places with a partner are few, so that it is the relaxation's bound that tells what a pair can hold: with each
    partner alone, and then with the pairs of those with whom most is to be had.
    """
    scenario, problem = basis.posed.scenario, basis.problem(basis.best, np.zeros_like(basis.means))
    if len(evaluate(problem, basis.best.chosen).opened) <= 2:
        return

    def worth(partners: frozenset[str]) -> float:
        try:
            return relaxation_duals(sub_problem(problem, _options_with(basis, partners)).problem, basis.solving).bound
        except SolverError:
            return -np.inf  # no portfolio satisfies every row

    def ranked(sets: list[frozenset[str]]) -> list[tuple[float, frozenset[str]]]:
        worths = in_threads((partial(worth, one) for one in sets), basis.posed.running.threads or cores())
        return sorted(zip(worths, sets, strict=True), key=lambda pair: -pair[0])

    alone = ranked([frozenset({code}) for code in scenario.partners if len(members(scenario, code)) == 1])
    pairs = ranked([one | other for (_, one), (_, other) in combinations(alone[:_LIKELY], 2)])
    yield from [pair for value, pair in pairs if np.isfinite(value)][:_PAIRS]


def _options_with(basis: Basis, partners: frozenset[str]) -> Bools:
    """Options without a partner, or with these alone, (O,)."""
    scenario, choices = basis.posed.scenario, basis.posed.options.choices
    known = {code: set(members(scenario, code)) <= partners for code in {one.partner for one in choices}}
    return np.array([known[one.partner] for one in choices])


def _choose(basis: Basis, problem: PortfolioProblem, kept: Bools, repeat: int) -> tuple[int, ...] | None:
    chosen = near_optimum(problem, kept, (), replace(basis.solving, seed=repeat))
    return chosen if evaluate(problem, chosen).feasible else None


# --- deciding -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Repeat:
    """One pair of decisions: portfolios, and means of what they are worth in their worlds, on the same luck."""

    portfolios: dict[str, Portfolio]
    """As things stand (`_NOW`), and by the key of each change that allows any."""
    gains: dict[str, float]
    kept: dict[str, Floats]


def decide_changes(
    basis: Basis,
    plan: Portfolio,
    measuring: Measuring,
    repeats: int,
    progress: Callable[[str, int, int], None],
) -> tuple[ChangeEffect, ...]:
    """Decide each change `repeats` times; the replications of `measuring` are drawn from another stream for each.

    The same basis gives the same answers on any number of threads, unless the time limit of a solve bites. A change
    under which no repeat finds a portfolio is told with an interval that is not known.
    """
    changes = tuple(changes_of(basis))
    _ = basis.choosable  # found once, before threads ask for it
    jobs = (partial(_repeat, basis, changes, plan, measuring, number) for number in range(repeats))
    found: list[_Repeat] = []
    for one in in_threads(jobs, basis.posed.running.threads or cores()):
        found.append(one)
        progress(STAGE, len(found), repeats)
    return tuple(_summary(change, found, plan, basis.posed.scenario) for change in changes)


def _repeat(
    basis: Basis, changes: tuple[WorldChange, ...], plan: Portfolio, measuring: Measuring, number: int
) -> _Repeat:
    scenario, seed = basis.posed.scenario, basis.posed.seed
    stream = CHANGING.number(number)
    rng = np.random.default_rng([seed, stream])
    shift = basis.draw_shift(rng)
    problem = basis.problem(basis.leader(rng, shift), shift)
    judge = replace(measuring, seed=stream_seed(measuring.seed, stream), running=replace(measuring.running, threads=1))
    chosen = _decide(basis, problem, changes, number)
    portfolios = {key: portfolio_of(scenario, basis.posed.options, one, key) for key, one in chosen.items()}
    worth, own = judge.worth(scenario, portfolios[_NOW]), judge.worth(scenario, plan)
    made = [change for change in changes if change.key in portfolios]
    gains = {one.key: float((judge.worth(one.world, portfolios[one.key]) - worth).mean()) for one in made}
    kept = {one.key: judge.worth(one.world, plan) - own for one in changes if one.world is not scenario}
    return _Repeat(portfolios, gains, kept)


def _decide(
    basis: Basis, problem: PortfolioProblem, changes: tuple[WorldChange, ...], number: int
) -> dict[str, tuple[int, ...]]:
    """The best portfolio as things stand, and under each change that allows one.

    What is found in one case is tried in every other that allows it: a larger choice is worth no less.
    """
    now = WorldChange(_NOW, "", basis.posed.scenario, _as_it_stands, (basis.choosable,))
    cases = (now, *changes)
    pool = [basis.best.chosen]
    for case in cases:
        restated = case.restate(problem)
        pool += [one for kept in case.kept if (one := _choose(basis, restated, kept, number)) is not None]
    found: dict[str, tuple[int, ...]] = {}
    for case in cases:
        every = case is now  # as things stand any option may be chosen
        allowed = [one for one in pool if (every and evaluate(problem, one).feasible) or case.allows(problem, one)]
        if allowed:
            found[case.key] = max(allowed, key=lambda one: evaluate(problem, one).objective)
    return {_NOW: basis.best.chosen, **found}


# --- what they say --------------------------------------------------------------------------------


def _summary(change: WorldChange, found: list[_Repeat], plan: Portfolio, scenario: Scenario) -> ChangeEffect:
    confidence = scenario.simulation.confidence
    pairs = [(one.portfolios[_NOW], one.portfolios[change.key]) for one in found if change.key in one.portfolios]
    gains = np.array([one.gains[change.key] for one in found if change.key in one.gains])
    kept = [one.kept[change.key] for one in found if change.key in one.kept]
    mine = {choice.technology for choice in plan.choices}
    dropped = _drops(pairs)
    return ChangeEffect(
        change.key,
        change.label,
        mean_interval(gains, confidence) if len(gains) else Interval(np.nan, np.nan, np.nan, 0),
        mean_interval(np.concatenate(kept), confidence) if kept else None,
        (_size([before for before, _ in pairs]), _size([after for _, after in pairs])),
        len(mine),
        tuple((name, share) for name, share in dropped.items() if share > 0 and name in mine),
        tuple((name, -share) for name, share in dropped.items() if share < 0),
        _openings([after for _, after in pairs], scenario),
        len(pairs),
    )


def _size(portfolios: list[Portfolio]) -> float:
    return float(np.mean([len(one.choices) for one in portfolios])) if portfolios else float("nan")


def _drops(pairs: list[tuple[Portfolio, Portfolio]]) -> dict[str, float]:
    """By technology, the part of pairs that drop it less the part that take it in; the largest first."""
    net: Counter[str] = Counter()
    for before, after in pairs:
        net.update(choice.technology for choice in before.choices)
        net.subtract(choice.technology for choice in after.choices)
    return {name: count / len(pairs) for name, count in sorted(net.items(), key=lambda pair: (-abs(pair[1]), pair[0]))}


def _openings(portfolios: list[Portfolio], scenario: Scenario) -> tuple[tuple[tuple[str, ...], float], ...]:
    counts = Counter(
        tuple(sorted({code for choice in one.choices for code in members(scenario, choice.partner)}))
        for one in portfolios
    )
    return tuple((codes, count / len(portfolios)) for codes, count in counts.most_common())
