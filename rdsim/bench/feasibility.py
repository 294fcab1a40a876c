"""Which rows a portfolio breaks, by how much, in words; what it costs, and what it promises of the announced money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rdsim.arrays import Floats
from rdsim.bench.entrants import Entrant
from rdsim.brief import count
from rdsim.domain import Choice, Scenario
from rdsim.families import row_words
from rdsim.formulation import budget_rows, state
from rdsim.optimiser import Evaluation, PortfolioProblem, evaluate
from rdsim.options import Options, awards_due, joined_options, sample
from rdsim.search import Instance, at_ratios
from rdsim.search.views import payment_ratios, ratios_of
from rdsim.words import amount_words, money_words, unit_noun

__all__ = ["ANNOUNCED", "EQUAL", "FREEDOMS", "Broken", "RowStanding", "Stands", "key_of", "stand"]

ANNOUNCED, EQUAL = "announced money", "equal promises"
FREEDOMS = (ANNOUNCED, EQUAL)
"""What budget rows are held to: every year's announced money, or that times the plan's payment ratios."""

_RULES = {
    "fixed": "something that must be funded is not, or something is that must not be",
    "prerequisite": "a prerequisite is not funded, or later than what needs it",
    "exclusion": "two technologies are funded that exclude one another",
}


@dataclass(frozen=True)
class Broken:
    """A row or rule that a portfolio breaks: in words, by how much, of what; soft ones bar nothing."""

    freedom: str
    row: str
    words: str
    by: str
    """By how much, in words; '' of a rule that is kept or not."""
    amount: float
    unit: str
    hard: bool

    @property
    def sentence(self) -> str:
        """What is broken, and by how much."""
        return f"{self.words}: {self.by}" if self.by else self.words


@dataclass(frozen=True, eq=False)
class RowStanding:
    """A portfolio in the portfolio problem of its world."""

    chosen: tuple[int, ...]
    """Options by number, in the problem of its world: what that problem holds is let go, for it is large."""
    budgets: frozenset[str]
    """Names of budget rows."""
    broken: tuple[Broken, ...]
    needed_ratios: Mapping[str, float]
    """By programme, the least multiple of every year's announced money within which its expected payments keep."""
    payments: Mapping[tuple[str, int], float]
    """By programme and year, as expected: net of refunds, with the partners' cost."""
    awards: Floats
    """Full awards by year as they fall due if no project ever stops, (Y,)."""

    def keeps(self, freedom: str) -> bool:
        """Whether it breaks no hard row, at this freedom."""
        return not any(one.hard and one.freedom == freedom for one in self.broken)

    @property
    def total_payments(self) -> float:
        """Expected payments of all years."""
        return sum(self.payments.values())


Stands = Mapping[str, RowStanding]
"""Of each entrant, by its name."""


def key_of(choice: Choice) -> tuple[str, str, str, int]:
    """What tells an option from all others."""
    return choice.technology, choice.partner, choice.mode, choice.start_year


def stand(entrant: Entrant, posed: Instance, ratios: Mapping[str, float]) -> RowStanding:
    """How a portfolio stands to the rows of its world, at the announced money and at some payment ratios.

    What the problem has no option for, as domestic projects where the call requires a partner, is sampled as they were.
    """
    problem, options = _problem_of(entrant, posed)
    number = {key_of(one): o for o, one in enumerate(options.choices)}
    chosen = tuple(sorted(number[key_of(one)] for one in entrant.portfolio.choices))
    scenario, own = entrant.world, payment_ratios(entrant.world)
    announced = at_ratios(scenario, problem, dict.fromkeys(own, 1.0))
    equal = at_ratios(scenario, problem, ratios)
    judged = evaluate(announced, chosen)
    broken = [
        *_broken_rows(scenario, announced, judged, ANNOUNCED),
        *_broken_rows(scenario, equal, evaluate(equal, chosen), EQUAL),
    ]
    if not entrant.allowed:
        broken += _barring_rows(entrant)
    rows, keys = budget_rows(scenario, problem), problem.rows.keys
    paid = {
        (name, keys[row].year): float(judged.activity[row])  # type: ignore[attr-defined]
        for name, some in rows.items()
        for row in some
    }
    awards = np.sum([awards_due(scenario, one) for one in entrant.portfolio.choices], axis=0)
    names = frozenset(problem.rows.names[row] for some in rows.values() for row in some)
    due = np.zeros(options.payments.shape[1]) + awards
    return RowStanding(chosen, names, tuple(broken), ratios_of(scenario, announced, chosen), paid, due)


def _problem_of(entrant: Entrant, posed: Instance) -> tuple[PortfolioProblem, Options]:
    """The problem of the entrant's world, with what it chose among the options, at the scenario's payment ratios."""
    known = {key_of(one) for one in posed.options.choices}
    lacking = tuple(replace(one, rank=0) for one in entrant.portfolio.choices if key_of(one) not in known)
    if not lacking and entrant.allowed:
        return posed.problem, posed.options
    world, options = entrant.world, posed.options
    if lacking:
        each = world.optimiser.risk.money != "expected"
        more = sample(world, lacking, samples=posed.samples, seed=posed.seed, each_payment=each, running=posed.running)
        options = joined_options([options, more])
    return state(world, options), options


def _broken_rows(scenario: Scenario, problem: PortfolioProblem, judged: Evaluation, freedom: str) -> Iterator[Broken]:
    for one in judged.violations:
        if one.key is None:
            words = _RULES.get(one.family, f"the rule on {one.family.replace('_', ' ')} is not kept")
            yield Broken(freedom, one.name, f"{words} ({_plain(scenario, one.name)})", "", one.amount, "", True)
            continue
        by, unit = f"off by {amount_words(scenario, one.key, one.amount)}", unit_noun(scenario, one.key)
        yield Broken(freedom, one.name, row_words(scenario, one.key), by, one.amount, unit, True)
    rows = problem.rows
    for row in np.flatnonzero(rows.is_soft & (judged.excess > rows.tolerance)).tolist():
        key, off = rows.keys[row], float(judged.excess[row])
        price = money_words(scenario, off * float(rows.shortfall_price[row]))
        by = f"short by {amount_words(scenario, key, off)}, which is charged with {price}"
        yield Broken(freedom, rows.names[row], row_words(scenario, key), by, off, unit_noun(scenario, key), False)


def _plain(scenario: Scenario, name: str) -> str:
    """Names of a rule's technologies."""
    words = name.replace("_", " ").split()
    return " ".join(scenario.technologies[one].name if one in scenario.technologies else one for one in words)


def _barring_rows(entrant: Entrant) -> Iterator[Broken]:
    alone = sum(not one.partner for one in entrant.portfolio.choices)
    words, by = "the call requires a foreign partner", f"{count(alone, 'project')} without one"
    for freedom in FREEDOMS:
        yield Broken(freedom, "foreign partner required", words, by, alone, "projects", True)
