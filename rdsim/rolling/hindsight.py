"""Perfect information: for each replication the portfolio that is best if its luck in R&D is known beforehand.

Every option is simulated alone in that very replication; the problem is stated with what it then pays, holds and is
worth, and solved; the portfolio lives through the same replication. What projects do to one another is not foreseen, so
the static portfolio, if it does better there, is taken instead: what is told is a lower limit of what foresight is
worth. The luck of the market stays unknown, as in every worth (`rdsim.expectation`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from rdsim.arrays import Floats
from rdsim.domain import Portfolio
from rdsim.formulation import state, values
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import Solving, solve
from rdsim.options import Options, plain_sample
from rdsim.search import Instance
from rdsim.search.proposals import portfolio_of
from rdsim.simulation import expected_worths
from rdsim.streams import REPORTED

__all__ = ["foresee", "foreseen"]

_EXACT = 200
"""Problems of at most so many options are solved to the proven optimum."""

_GAP = 0.005


def foreseen(posed: Instance, replication: int, solving: Solving = Solving()) -> Portfolio | None:
    """The optimiser's portfolio for one replication whose luck is known; none if no portfolio keeps the rules."""
    scenario = posed.scenario
    lucky = plain_sample(
        scenario,
        posed.options.choices,
        samples=1,
        seed=posed.seed,
        stream=REPORTED.after(replication),
        running=replace(posed.running, threads=1),
    )
    told = _without_market_luck(lucky)
    worth = values(scenario, told)[0]
    must = {name for name, row in scenario.technologies.items() if row.status == "must-fund"}
    kept = [o for o, choice in enumerate(told.choices) if worth[o] > 0 or choice.technology in must]
    some = _some(told, kept)
    if not kept:
        return Portfolio((), "foreseen")
    problem = state(scenario, some, {})
    exact = len(kept) <= _EXACT
    found = solve(problem, replace(solving, gap=0.0 if exact else _GAP), method="direct" if exact else "rens")
    return portfolio_of(scenario, some, found.chosen, "foreseen") if found.has_portfolio else None


def foresee(
    posed: Instance,
    static: Portfolio,
    replications: Iterable[int],
    *,
    solving: Solving = Solving(),
    progress: Callable[[int], None] = lambda _: None,
) -> Floats:
    """What could be had in each replication if its luck were known: the better of `foreseen` and the static one."""

    def one(number: int) -> float:
        again = foreseen(posed, number, solving)
        found = [static] if again is None else [static, again]
        return max(_worth(posed, portfolio, number) for portfolio in found)

    worths = []
    for worth in in_threads((partial(one, number) for number in replications), posed.running.threads or cores()):
        worths.append(worth)
        progress(1)
    return np.array(worths)


def _worth(posed: Instance, portfolio: Portfolio, number: int) -> float:
    if not portfolio.choices:
        return 0.0
    alone, one = replace(posed.running, threads=1), REPORTED.after(number)
    worths, _ = expected_worths(posed.scenario, portfolio, replications=1, seed=posed.seed, stream=one, running=alone)
    return float(worths[0])


def _without_market_luck(lucky: Options) -> Options:
    """Values without the luck of the market: that is not foreseen."""
    return replace(lucky, npv=lucky.mean[None, :], gain=np.zeros((1, len(lucky.choices))))


def _some(options: Options, kept: list[int]) -> Options:
    columns = {"npv", "gain", "sold"}
    figures = {
        name: value[:, kept] if name in columns else value[kept]
        for name, value in vars(options).items()
        if name not in ("choices", "paid", "figures")
    }
    told = {name: value[kept] for name, value in options.figures.items()}
    return Options(choices=tuple(options.choices[o] for o in kept), figures=told, **figures)
