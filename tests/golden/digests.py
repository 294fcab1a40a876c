"""Digests of what rdsim calculates, from values and not from how a library prints them.

Whole numbers, truth values and texts count as they are: they are bit-identical on every supported version of Python,
numpy, numba and pandas. Of other numbers ten significant digits count: powers and logarithms may differ in the last
bit from one kind of processor to another.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import PortfolioError
from rdsim.optimiser import PortfolioProblem
from rdsim.options import Options, candidates, sample
from rdsim.portfolio import check, with_ranks
from rdsim.rolling import Policy, roll, supply_of
from rdsim.search import Instance, baselines, build_instance, choose, find_plan
from rdsim.search.views import ratios_of
from rdsim.simulation import Engine, Running, simulate
from rdsim.sweep.measures import parse_metrics

__all__ = ["chosen", "digest", "loop", "metrics", "options", "outcomes", "some_portfolio", "stages"]

REPLICATIONS, MANY, SAMPLES = 12, 80, 6


def digest(value: Any) -> str:
    """SHA-256 of a value: arrays, tables, dataclasses, mappings, sequences, numbers and texts."""
    text = hashlib.sha256()
    for token in _tokens(value):
        text.update(token + b"\0")
    return text.hexdigest()[:20]


def _tokens(value: Any) -> Iterator[bytes]:
    if isinstance(value, pd.DataFrame):
        for name in value:
            yield str(name).encode()
            yield from _column(value[name].to_numpy())
    elif isinstance(value, csr_array):
        yield from (token for one in (value.indptr, value.indices, value.data) for token in _column(np.asarray(one)))
    elif isinstance(value, np.ndarray):
        yield from (repr(value.shape).encode(), *_column(value.ravel()))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _tokens({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from (str(key).encode(), *_tokens(one))
    elif isinstance(value, list | tuple):
        yield from (token for one in value for token in _tokens(one))
    else:
        yield from _column(np.array([value], object))


def _column(values: np.ndarray[Any, Any]) -> Iterator[bytes]:
    if values.dtype.kind in "iub":
        yield values.astype("<i8").tobytes()
    elif values.dtype.kind == "f":
        yield " ".join([f"{one + 0.0:.10g}" for one in values.ravel().tolist()]).encode()
    else:
        yield "\x1f".join(_written(one) for one in values.ravel().tolist()).encode()


def _written(one: Any) -> str:
    return f"{one + 0.0:.10g}" if isinstance(one, float) else str(one)


# --- what is looked at ----------------------------------------------------------------------------


def some_portfolio(scenario: Scenario) -> Portfolio:
    """A portfolio of many kinds of options that the scenario allows: of each technology another of its options."""
    taken: list[Choice] = []
    by_technology: dict[str, list[Choice]] = {}
    for choice in candidates(scenario):
        by_technology.setdefault(choice.technology, []).append(choice)
    for number, listed in enumerate(by_technology.values()):
        place = (7 * number) % len(listed)
        for choice in (*listed[place:], *listed[:place]):
            rank = len(taken) + 1
            try:
                check(Portfolio((*taken, dataclasses.replace(choice, rank=rank))), scenario)
            except PortfolioError:
                continue
            taken.append(dataclasses.replace(choice, rank=rank))
            break
    return Portfolio(tuple(taken))


def _unranked(portfolio: Portfolio) -> Portfolio:
    """The choices without ranks, all of one year: so their scores order them."""
    return Portfolio(tuple(dataclasses.replace(choice, rank=0, start_year=2024) for choice in portfolio.choices))


def outcomes(scenario: Scenario, portfolio: Portfolio, engine: Engine, replications: int = REPLICATIONS) -> str:
    """Of every table of a simulation."""
    found = simulate(scenario, portfolio, replications=replications, running=Running(engine=engine, threads=1))
    names = ("replications", "purses", "partners", "international")
    return digest([_as_before(found.projects), *(getattr(found, name) for name in names)])


def _as_before(projects: pd.DataFrame) -> pd.DataFrame:
    """Projects without the money abroad of each year: told since numbers of version 6, its sum is in `replications`."""
    return projects.loc[:, ~projects.columns.str.startswith("abroad_")]


METRICS = ("npv", "npv >= 0", "quantile npv 0.05", "cvar npv 0.9", "cvar commercialised 0.9", "partners_opened")


def metrics(scenario: Scenario, portfolio: Portfolio) -> str:
    """Of the estimates with their intervals that a sweep keeps of a point, each of another kind."""
    table = simulate(scenario, portfolio, replications=MANY, running=Running(threads=1)).replications
    return digest([one.measure(table, 0.95) for one in parse_metrics(METRICS, [str(name) for name in table])])


def options(scenario: Scenario, choices: tuple[Choice, ...]) -> str:
    """Of the samples behind options."""
    return _options(
        sample(scenario, choices, samples=SAMPLES, seed=scenario.simulation.seed, running=Running(threads=1))
    )


def _options(told: Options) -> str:
    """Figures that a scenario's aim asks for stand behind what all options have."""
    columns = {one.name: getattr(told, one.name) for one in dataclasses.fields(told) if one.name != "figures"}
    return digest({**columns, **told.figures})


def chosen(posed: Instance) -> str:
    """Of the portfolio that the optimiser proves to be the best, and of those of the simple rules."""
    proposal = choose(posed)
    rules = {name: one.portfolio.choices for name, one in baselines(posed.scenario, proposal).items()}
    return digest([proposal.portfolio.choices, proposal.solution.chosen, rules, proposal.appraisal])


def loop(posed: Instance) -> str:
    """Of how the loop of optimiser and simulator went, and of a plan that is decided again each year."""
    found = find_plan(posed)
    supply = supply_of(posed, found.proposal.portfolio, means=found.means)
    policy = Policy(ratios_of(posed.scenario, posed.problem, found.proposal.solution.chosen))
    rolled = roll(supply, policy, found.proposal.portfolio, range(2))
    return digest(
        [found.steps, found.finalists, found.winner, found.ratios, found.spent, found.selected, rolled.worths]
    )


def _by_name(problem: PortfolioProblem) -> dict[str, Any]:
    """A problem's fields, without the keys of rows, which say what their names do."""
    rows = {one.name: getattr(problem.rows, one.name) for one in dataclasses.fields(problem.rows) if one.name != "keys"}
    return {one.name: getattr(problem, one.name) for one in dataclasses.fields(problem)} | {"rows": rows}


def stages(scenario: Scenario, portfolio: Portfolio) -> Iterator[tuple[str, Callable[[], str]]]:
    """Digests of one small world, from those that are quickly had to those that are not."""
    yield "ranks", lambda: digest(with_ranks(_unranked(portfolio), scenario).choices)
    yield "outcomes, compiled", lambda: outcomes(scenario, portfolio, "compiled", MANY)
    yield "outcomes, simpy", lambda: outcomes(scenario, portfolio, "simpy")
    posed: list[Instance] = []

    def stated() -> Instance:
        posed.extend([] if posed else [build_instance(scenario, running=Running(threads=1))])
        return posed[0]

    yield "options", lambda: _options(stated().options)
    yield "problem", lambda: digest(_by_name(stated().problem))
    yield "choice", lambda: chosen(stated())
    yield "loop", lambda: loop(stated())
    yield "metrics", lambda: metrics(scenario, portfolio)
