"""Competitors of a proposed portfolio: those that cost no more and bring more, what differs, and the regret.

PROBE (Lourenco, Morton & Bana e Costa 2012, EJOR 223) takes a portfolio that somebody proposes and looks for such
competitors. Here they are simulated whole. A competitor costs no more if neither its expected payments, net of refunds
and with the partners' cost, nor its full awards come to more in total; `by year` says whether no year of any programme
costs more either. It breaks no hard row that the proposed portfolio keeps, and none by more; in the place of budgets
the proposed portfolio's cost stands.

They come from all portfolios that are known, and from the optimiser, which is asked for the best under the proposed
cost: in total, and in every year; once by options alone, and once more corrected for what simulation showed that they
lose together (`rdsim.search.views.corrections`). Who brings more is chosen on replications that are not told of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rdsim.arrays import Floats
from rdsim.bench.entrants import Entrant
from rdsim.bench.feasibility import RowStanding, stand
from rdsim.bench.judging import Judged, measure
from rdsim.bench.worlds import AS_STATED
from rdsim.domain import Portfolio
from rdsim.formulation import budget_rows
from rdsim.multiplicity import intervals_together
from rdsim.optimiser import PortfolioProblem, Solving
from rdsim.optimiser.models.variations import Measure, with_row, with_slack
from rdsim.optimiser.problem.problem import frozen
from rdsim.search import Judge, Refined, portfolio_of, risk_of, solving_of, soon
from rdsim.search.views import corrections
from rdsim.stats import Interval
from rdsim.streams import SEARCHING

__all__ = ["Rival", "Rivals", "by_year", "find_rivals", "in_total"]

_MOST_SHOWN = 5
_ROUNDING = 1e-9
_TRIES = 2


@dataclass(frozen=True, eq=False)
class Rival:
    """A competitor: how much more it brings (paired, all of a proposal's together), and what it costs beside it."""

    entrant: Entrant
    more: Interval
    paid: float
    """Its expected payments less the proposed portfolio's."""
    awards: float
    by_year: bool
    """Whether no year of any programme is expected to cost more either."""


@dataclass(frozen=True, eq=False)
class Rivals:
    """Whom a proposed portfolio meets: those that seem better, the best first; `tried` were looked at."""

    proposed: Entrant
    found: tuple[Rival, ...]
    tried: int

    @property
    def regret(self) -> Interval | None:
        """How much more the best competitor brings, chosen on other replications; None if none seems better."""
        return self.found[0].more if self.found else None


def find_rivals(
    proposed: Entrant,
    posed: Refined,
    known: Mapping[str, tuple[Entrant, RowStanding]],
    judged: Judged,
    solving: Solving,
) -> Rivals:
    """Competitors of a portfolio among those that are known, and those that the optimiser finds under its cost.

    `known` are all portfolios with how they stand to the rows, the proposed one among them.
    """
    mine = known[proposed.name][1]
    others = [
        (one, standing)
        for name, (one, standing) in known.items()
        if name != proposed.name and _is_open_to(proposed, one) and _breaks_no_more(standing, mine)
    ]
    made = [
        (one, stand(one, posed, dict.fromkeys(posed.scenario.programmes, 1.0)))
        for one in _found_by_optimiser(proposed, posed, mine, judged, solving)
    ]
    pool = [pair for pair in (*others, *made) if _costs_no_more(pair[1], mine)]
    return Rivals(proposed, tuple(_better(proposed, mine, list(_once(pool)), judged, posed)), len(pool))


def _is_open_to(proposed: Entrant, other: Entrant) -> bool:
    """What the call does not allow competes only with its like."""
    return other.allowed or not proposed.allowed


def _breaks_no_more(standing: RowStanding, mine: RowStanding) -> bool:
    """Budgets aside, whether it breaks no hard row that the proposed portfolio keeps, and none by more."""
    allowed = {broken.row: broken.amount for broken in mine.broken if broken.hard} | dict.fromkeys(
        standing.budgets, np.inf
    )
    slack = 1 + _ROUNDING
    return all(broken.amount <= slack * allowed.get(broken.row, 0.0) for broken in standing.broken if broken.hard)


def _costs_no_more(one: RowStanding, other: RowStanding) -> bool:
    slack = _ROUNDING * max(other.total_payments, float(other.awards.sum()), 1.0)
    return one.total_payments <= other.total_payments + slack and one.awards.sum() <= other.awards.sum() + slack


def _once(pool: Sequence[tuple[Entrant, RowStanding]]) -> Iterator[tuple[Entrant, RowStanding]]:
    seen = set[object]()
    for entrant, standing in pool:
        if entrant.portfolio.choices not in seen:
            seen.add(entrant.portfolio.choices)
            yield entrant, standing


def _better(
    proposed: Entrant, mine: RowStanding, pool: Sequence[tuple[Entrant, RowStanding]], judged: Judged, posed: Refined
) -> Iterator[Rival]:
    """Those that are better by the replications that choose, with what the others say of them."""
    choosing = {one.name: _worths(one, judged, choosing=True) for one, _ in pool}
    own = judged.choosing[AS_STATED, proposed.name]
    gains = {name: float((worths - own).mean()) for name, worths in choosing.items()}
    some = sorted((pair for pair in pool if gains[pair[0].name] > 0), key=lambda pair: -gains[pair[0].name])[
        :_MOST_SHOWN
    ]
    if not some:
        return
    told = judged.told[AS_STATED, proposed.name]
    ahead = np.array([_worths(one, judged, choosing=False) - told for one, _ in some]).T
    for (one, standing), more in zip(
        some, intervals_together(ahead, posed.scenario.simulation.confidence), strict=True
    ):
        slack = _ROUNDING * max(mine.total_payments, 1.0)
        by_year = all(paid <= _year(mine, key) + slack for key, paid in standing.payments.items())
        dearer = float(standing.awards.sum() - mine.awards.sum())
        yield Rival(one, more, standing.total_payments - mine.total_payments, dearer, by_year)


def _year(mine: RowStanding, key: tuple[str, int]) -> float:
    """What a year of a programme may cost; where refunds exceed payments, as years later, nothing."""
    return max(mine.payments.get(key, 0.0), 0.0)


def _worths(one: Entrant, judged: Judged, *, choosing: bool) -> Floats:
    place, asked = (AS_STATED, one.name), judged.measured
    known = judged.choosing if choosing else judged.told
    if place not in known:
        count = asked.elsewhere if choosing else asked.replications
        known[place] = measure(one.world, one.portfolio, asked, count, choosing=choosing)
    return known[place]


# --- from the optimiser -----------------------------------------------------------------------------


def _found_by_optimiser(
    proposed: Entrant, posed: Refined, mine: RowStanding, judged: Judged, solving: Solving
) -> Iterator[Entrant]:
    """The best that the optimiser finds under the proposed portfolio's cost, in total and by year."""
    scenario, options, asked = posed.scenario, posed.options, judged.measured
    judge = Judge(scenario, posed.seed, SEARCHING, False, asked.running)
    for way, problem in (("in total", in_total(posed, mine)), ("in every year", by_year(posed, mine))):
        added, seen = np.zeros(len(options.choices)), set[tuple[int, ...]]()
        for number in range(1, _TRIES + 1):
            told = replace(problem, values=frozen(problem.values + added))
            chosen = soon(told, (), solving_of(scenario, solving), risk_of(posed))
            if chosen is None or chosen in seen:
                break
            seen.add(chosen)
            portfolio = portfolio_of(scenario, options, chosen, "optimised")
            yield _entrant_of(proposed, portfolio, way, number, posed)
            added = corrections(scenario, options, judge, portfolio, scenario.optimiser.search.replications)


def _entrant_of(proposed: Entrant, portfolio: Portfolio, way: str, number: int, posed: Refined) -> Entrant:
    ending = "" if number == 1 else ", corrected for crowding"
    title = f"the optimiser's for no more {way} than {proposed.title}{ending}"
    which = way.removeprefix("in ").replace(" ", "-")
    name = f"for-the-cost-of-{proposed.name}-{which}{'' if number == 1 else f'-{number}'}"
    named = replace(portfolio, name=name)
    return Entrant(name, title, "optimiser", named, posed.scenario, "rdsim's optimiser, under the proposed cost")


def in_total(posed: Refined, mine: RowStanding) -> PortfolioProblem:
    """No more expected payments, and no more full awards, in total; budgets of years as the portfolio needs them."""
    problem, rows = (
        _as_kept(posed, mine),
        [row for some in budget_rows(posed.scenario, posed.problem).values() for row in some],
    )
    use = np.asarray(problem.rows.use[rows].sum(axis=0)).ravel()
    opening = np.asarray(problem.rows.opening_use[rows].sum(axis=0)).ravel()
    freer = _with_budgets(problem, dict.fromkeys(rows, np.inf))
    paid = with_row(freer, Measure("payments in total", frozen(use), frozen(opening)), "<=", mine.total_payments)
    return _within_awards(posed, paid, mine)


def by_year(posed: Refined, mine: RowStanding) -> PortfolioProblem:
    """No more expected payments in any year of any programme, no more full awards in total; nothing carried over."""
    keys = posed.problem.rows.keys
    caps = {
        row: _year(mine, (keys[row].what, keys[row].year))  # type: ignore[attr-defined]
        for some in budget_rows(posed.scenario, posed.problem).values()
        for row in some
    }
    return _within_awards(posed, _with_budgets(_as_kept(posed, mine), caps), mine)


def _as_kept(posed: Refined, mine: RowStanding) -> PortfolioProblem:
    """The problem in which rows that the proposed portfolio breaks are as wide as it needs them."""
    budgets = {row for some in budget_rows(posed.scenario, posed.problem).values() for row in some}
    place = {name: row for row, name in enumerate(posed.problem.rows.names) if row not in budgets}
    slack = {place[one.row]: one.amount for one in mine.broken if one.hard and one.row in place}
    return with_slack(posed.problem, slack)


def _with_budgets(problem: PortfolioProblem, caps: Mapping[int, float]) -> PortfolioProblem:
    """The problem with other caps for budget rows, and nothing carried over from one to another.

    A row without an end is left as wide as all that could be paid in it.
    """
    uses = (problem.rows.use, problem.rows.opening_use)
    most = np.sum([np.asarray(one.maximum(0).sum(axis=1)).ravel() for one in uses], axis=0)
    cap = problem.rows.cap.copy()
    for row, money in caps.items():
        cap[row] = min(money, float(most[row]) + 1.0)
    carry = tuple(one for one in problem.rows.carry if one[0] not in caps and one[1] not in caps)
    return replace(problem, rows=replace(problem.rows, cap=frozen(cap), carry=carry))


def _within_awards(posed: Refined, problem: PortfolioProblem, mine: RowStanding) -> PortfolioProblem:
    promised = np.array([_award(posed, o) for o in range(len(posed.options.choices))])
    return with_row(
        problem, Measure("awards in total", frozen(promised), frozen(np.zeros(0))), "<=", float(mine.awards.sum())
    )


def _award(posed: Refined, option: int) -> float:
    return float(posed.options.award[option])
