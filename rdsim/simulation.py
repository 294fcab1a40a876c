"""Simulate a portfolio in a scenario: a pure function of scenario, portfolio and draws, run in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from rdsim import frames, portfolio
from rdsim.aim import aim_of
from rdsim.arguments import check_arguments, check_fields, refuse, whole_faults
from rdsim.arrays import Floats
from rdsim.brief import count, html_table
from rdsim.case import Case, Outcomes, build, empty_outcomes, hosts, technologies
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.errors import Fault, InputError
from rdsim.expectation import expected_projects, expected_replications, expected_total, with_sure_market
from rdsim.figures import Figure, column_figures
from rdsim.labelled import SimulatedTables, dataset_of
from rdsim.luck import chance, comes_to_market, lay_out, lay_out_rest, path_bytes, value_factor
from rdsim.memory import require_memory
from rdsim.metrics import Material, Worth, market_by_technology, replication_figures, worth
from rdsim.native.threads import cores, in_threads
from rdsim.scenario import sound
from rdsim.stats import Interval, count_interval, mean_interval
from rdsim.streams import REPORTED, Stream

__all__ = [
    "ENGINES",
    "Batch",
    "Engine",
    "PurseTables",
    "ReplicationTables",
    "Running",
    "Setup",
    "Simulation",
    "expected_worths",
    "in_batches",
    "plain_worths",
    "purse_tables",
    "replicate",
    "replication_tables",
    "simulate",
    "trace",
]

Engine = Literal["compiled", "simpy"]
ENGINES: tuple[Engine, ...] = ("compiled", "simpy")


@dataclass(frozen=True)
class Running:
    """How a simulation runs, never what comes of it: no number depends on these.

    Raises: InputError for fields of another type, or below 1.

    >>> import rdsim
    >>> portfolio = rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),))
    >>> by_simpy = rdsim.Running(engine="simpy")
    >>> found = [
    ...     rdsim.simulate(rdsim.examples.starter(), portfolio, replications=5, running=how).projects
    ...     for how in (rdsim.Running(threads=1), by_simpy)
    ... ]
    >>> found[0].equals(found[1])
    True
    """

    engine: Engine = "compiled"
    """`compiled` for work; `simpy` in plain Python, a hundred times slower: for whoever reads or doubts."""
    threads: int | None = None
    """That simulate; by default one for each core."""

    def __post_init__(self) -> None:
        check_fields(self)
        refuse(*whole_faults(("Running, threads", self.threads, 1, 2**31)))


_BATCH_CELLS = 32_768
"""Replications x projects in a batch, at most."""

_BATCH_BYTES = 32 * 2**20
"""Outcomes in a batch, and luck where it is laid out, at most; figures of a batch take about as much again."""

T = TypeVar("T")


class Setup(NamedTuple):
    """What is simulated: a scenario, a portfolio's choices in order of rank, and the case that engines are told."""

    scenario: Scenario
    choices: tuple[Choice, ...]
    case: Case


class Batch(NamedTuple):
    """Some replications of a simulation."""

    draws: Draws
    case: Case
    outcomes: Outcomes
    worth: Worth


@dataclass(frozen=True)
class Simulation:
    """A portfolio simulated: tables with a row for each replication and thing.

    `projects` has a row for each replication and project, `replications` one for each replication, `purses` one
    for each replication, programme and fiscal year, `partners` one for each replication and partner that holds
    places, `international` one for each replication and year with an R&D budget. `expected` has a row for each
    replication too, and a column for each figure that the luck of the market moves: what it comes to on average over
    that luck, given how R&D went (see `rdsim.expectation`). Means rest on it; their interval is the narrower for it.
    """

    scenario: Scenario
    portfolio: Portfolio
    seed: int
    engine: Engine
    projects: pd.DataFrame
    replications: pd.DataFrame
    purses: pd.DataFrame
    partners: pd.DataFrame
    international: pd.DataFrame
    expected: pd.DataFrame

    def summary(self, confidence: float | None = None) -> pd.DataFrame:
        """Mean of each figure of a replication with its confidence interval and the number of replications."""
        names = self.replications.columns.drop("replication")
        intervals = [self.estimate(str(name), confidence) for name in names]
        table = {
            "mean": [interval.mean for interval in intervals],
            "low": [interval.low for interval in intervals],
            "high": [interval.high for interval in intervals],
            "n": [interval.n for interval in intervals],
        }
        return pd.DataFrame(table, index=pd.Index(names, name="figure"))

    def estimate(self, name: str, confidence: float | None = None) -> Interval:
        """Mean of a figure of a replication; what the luck of the market moves is taken in expectation over it."""
        level = self.scenario.simulation.confidence if confidence is None else confidence
        if name in self.expected:
            return mean_interval(self.expected[name].to_numpy(np.float64), level)
        numbers, figure = self.replications[name].to_numpy(np.float64), self._columns.get(name)
        if figure is None or figure.unit != "count" or figure.least != 0.0:
            return mean_interval(numbers, level)
        most = {"projects": len(self.portfolio.choices), "partners": len(hosts(self.scenario))}
        return count_interval(numbers, level, most.get(figure.most, np.inf))

    @cached_property
    def _columns(self) -> dict[str, Figure]:
        return column_figures(self.scenario)

    def to_xarray(self) -> Any:
        """The simulation as an `xarray.Dataset`, with units and meanings as attributes of its variables.

        Dimensions are `replication`, `technology` (the projects, in order of rank), `programme` and `year`: columns of
        `projects` have the first two, money of projects by year (`home`, `foreign`, `abroad`) also `year`, figures of
        `replications` the first, and columns of `purses` (`purse_spent`, ...) replication, programme and year. Figures
        of the whole portfolio are called `total_npv` and so on, with the luck of the market in expectation
        `expected_npv`; the programme of a project is `of_programme`.

        Raises: InputError if xarray is not installed.
        """
        tables = self.projects, self.replications, self.expected, self.purses
        return dataset_of(SimulatedTables(self.scenario, self.seed, *tables))

    def __repr__(self) -> str:
        value = self._figure("npv")
        runs = f"{count(len(self.replications), 'replication')}, seed {self.seed}, engine {self.engine}"
        return f"Simulation of {self.portfolio.name} in {self.scenario.name}: {runs}; npv {value}"

    def _repr_html_(self) -> str:
        """The simulation in a notebook."""
        rows = [(name, self._figure(name)) for name in self.replications.columns if name != "replication"]
        caption = f"Simulation of {self.portfolio.name} in {self.scenario.name}, {self.scenario.money_unit}"
        return html_table(caption, ("figure", f"mean, {self.scenario.simulation.confidence:.0%} interval"), rows)

    def _figure(self, name: str) -> str:
        found = self.estimate(name)
        return f"{found.mean:,.4g} ({found.low:,.4g} to {found.high:,.4g})"


Replicate = Callable[[Draws], Outcomes]


def _engine(name: str, setup: Setup, seed: int) -> Replicate:
    """The engine of that name, set up for a case; imported when asked for, since each needs a large library."""
    scenario, choices, case = setup
    if name == "compiled":
        from rdsim.engines import compiled  # noqa: PLC0415

        runner = compiled.Runner(case, chance(scenario, case, choices, seed))
        return lambda draws: runner(draws.replications, lay_out_rest(scenario, case, choices, draws))
    if name == "simpy":
        from rdsim.engines import process  # noqa: PLC0415

        return lambda draws: process.run(case, lay_out(scenario, case, choices, draws))
    fault = Fault("engine", f"must be one of {', '.join(ENGINES)}", repr(name))
    raise InputError((fault,))


class _Workshop:
    """Simulates and reduces batches, each in one of some threads; every thread has an engine of its own."""

    def __init__(self, setup: Setup, seed: int, engine: str) -> None:
        self._setup, self._seed, self._name = setup, seed, engine
        self._names, self._mine = technologies(setup.choices), threading.local()

    def batch(self, draws: Draws) -> Batch:
        if not hasattr(self._mine, "engine"):
            self._mine.engine = _engine(self._name, self._setup, self._seed)
        outcomes: Outcomes = self._mine.engine(draws)
        scenario, choices, case = self._setup
        factor = value_factor(scenario, self._names, draws, market_by_technology(case, outcomes))
        return Batch(draws, case, outcomes, worth(scenario, choices, case, outcomes, factor))


def in_batches(setup: Setup, draws: Draws, reduce: Callable[[Batch], T], running: Running = Running()) -> Iterator[T]:
    """Replications in batches of bounded memory, each reduced where it was simulated; results come in order.

    Neither the sizes of the batches nor the number of threads (default: one for each core; the SimPy engine, in
    plain Python, gains nothing by more than one) changes any number. What `reduce` returns must hold no view of the
    batch's outcomes: the next batch is written over them.
    """
    workshop = _Workshop(setup, draws.seed, running.engine)
    numbers, slow = draws.replications, running.engine == "simpy"
    each = sum(column.nbytes for column in empty_outcomes(setup.case, 1))
    each += path_bytes(setup.scenario, setup.case, setup.choices) if slow else 0
    size = max(1, min(len(numbers), _BATCH_CELLS // max(1, len(setup.choices)), _BATCH_BYTES // each))
    parts = [
        Draws(draws.seed, range(first, min(first + size, numbers.stop)))
        for first in range(numbers.start, numbers.stop, size)
    ]
    workers = 1 if slow else min(running.threads or cores(), len(parts))
    jobs = (partial(_reduce_batch, workshop, part, reduce) for part in parts)
    return (job() for job in jobs) if workers <= 1 else in_threads(jobs, workers)


def _reduce_batch(workshop: _Workshop, draws: Draws, reduce: Callable[[Batch], T]) -> T:
    return reduce(workshop.batch(draws))


@check_arguments("scenario", "chosen")
def simulate(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    stream: Stream = REPORTED,
    running: Running = Running(),
    progress: Callable[[int], None] = lambda _: None,
) -> Simulation:
    """Simulate a portfolio; replications and seed default to the scenario's.

    The replications are the first of a stream, as of `replicate`. `progress` is called with the number of replications
    done since its last call. Raises ScenarioError for a scenario that no files could hold, PortfolioError for a
    portfolio that does not fit it, InputError for an unknown engine, impossible numbers, or tables that do not fit into
    memory.

    >>> import rdsim
    >>> scenario = rdsim.examples.medical_ai()
    >>> portfolio = rdsim.Portfolio((rdsim.Choice("R01", "direct", "US", 2024),))
    >>> outcomes = rdsim.simulate(scenario, portfolio, replications=50, seed=1)
    >>> len(outcomes.projects), list(outcomes.summary().columns)
    (50, ['mean', 'low', 'high', 'n'])
    """
    prepared = _prepare(scenario, chosen, replications, seed, stream)
    scenario = prepared.setup.scenario
    require_memory(scenario, len(prepared.setup.choices), len(prepared.draws.replications))
    tables: list[list[pd.DataFrame]] = []
    reduce = partial(_tables, scenario, prepared.setup.choices, column_figures(scenario))
    for part in in_batches(_sure(prepared.setup), prepared.draws, reduce, running):
        tables.append(part)
        progress(len(part[1]))
    stacked = (_stack(list(parts)) for parts in zip(*tables, strict=True))
    return Simulation(scenario, prepared.portfolio, prepared.draws.seed, running.engine, *stacked)


@check_arguments("scenario", "chosen")
def replicate(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    stream: Stream = REPORTED,
    running: Running = Running(),
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Like `simulate`, but only the table with a row for each replication: far less memory for many replications.

    The replications are the first of a stream; those of another, or after its first (`stream.after`), have other luck.
    """
    prepared = _prepare(scenario, chosen, replications, seed, stream)
    scenario, choices, _ = prepared.setup
    parts = []
    reduce = partial(_figures, scenario, choices, column_figures(scenario))
    for part in in_batches(prepared.setup, prepared.draws, reduce, running):
        parts.append(part)
        progress(len(part))
    return _stack(parts)


class ReplicationTables(NamedTuple):
    """Two tables with a row for each replication: what came, and what was to be expected given how R&D went."""

    replications: pd.DataFrame
    expected: pd.DataFrame


@check_arguments("scenario", "chosen")
def replication_tables(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    running: Running = Running(),
    progress: Callable[[int], None] = lambda _: None,
) -> ReplicationTables:
    """Like `replicate`, with the table of expectations (see `Simulation`) beside it, of the same simulation."""
    prepared = _prepare(scenario, chosen, replications, seed)
    scenario, choices, _ = prepared.setup
    parts = []
    reduce = partial(_both_figures, scenario, choices, column_figures(scenario))
    for part in in_batches(_sure(prepared.setup), prepared.draws, reduce, running):
        parts.append(part)
        progress(len(part.replications))
    return ReplicationTables(*(_stack(list(tables)) for tables in zip(*parts, strict=True)))


class PurseTables(NamedTuple):
    """The tables of `ReplicationTables`, and a row for each replication, programme and fiscal year."""

    replications: pd.DataFrame
    expected: pd.DataFrame
    purses: pd.DataFrame


@check_arguments("scenario", "chosen")
def purse_tables(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    running: Running = Running(),
) -> PurseTables:
    """Like `replication_tables`, with the money of each year beside them: what a question of money needs, and soon."""
    prepared = _prepare(scenario, chosen, replications, seed)
    scenario, choices, _ = prepared.setup
    figures = column_figures(scenario)

    def reduce(batch: Batch) -> PurseTables:
        both = _both_figures(scenario, choices, figures, batch)
        return PurseTables(*both, frames.purse_frame(scenario, batch.outcomes, batch.draws.replications))

    parts = list(in_batches(_sure(prepared.setup), prepared.draws, reduce, running))
    return PurseTables(*(_stack(list(tables)) for tables in zip(*parts, strict=True)))


def _both_figures(
    scenario: Scenario, choices: tuple[Choice, ...], figures: Mapping[str, Figure], sure: Batch
) -> ReplicationTables:
    lived = _figures(scenario, choices, figures, _with_market_luck(scenario, choices, sure))
    return ReplicationTables(lived, _expected_figures(scenario, choices, figures, sure))


def _sure(setup: Setup) -> Setup:
    return setup._replace(scenario=with_sure_market(setup.scenario))


def _with_market_luck(scenario: Scenario, choices: tuple[Choice, ...], sure: Batch) -> Batch:
    """A batch in which the market was sure, as it came: nothing before the market depends on the luck of it."""
    draws, case, outcomes, _ = sure
    names = technologies(choices)
    comes = comes_to_market(scenario, names, draws)[:, case.technology]
    lived = outcomes._replace(market_day=np.where(comes, outcomes.market_day, -1))
    factor = value_factor(scenario, names, draws, market_by_technology(case, lived))
    return Batch(draws, case, lived, worth(scenario, choices, case, lived, factor))


@check_arguments("scenario", "chosen")
def expected_worths(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    stream: Stream = REPORTED,
    running: Running = Running(),
) -> tuple[Floats, Floats]:
    """Expected worth given how R&D went (see `expectation`): of the portfolio, (R,), and of its projects, (R, P).

    Projects are in the order of the portfolio's choices; worth is what the scenario's aim says (see `rdsim.aim`).
    Its mean is that of the simulated worth, with far less luck. Other arguments and errors are those of `replicate`.
    """
    prepared = _prepare(scenario, chosen, replications, seed, stream)
    scenario, choices, _ = prepared.setup
    reduce = partial(_expected_worths, scenario, choices)
    parts = list(in_batches(_sure(prepared.setup), prepared.draws, reduce, running))
    columns = {choice.technology: place for place, choice in enumerate(choices)}
    order = [columns[choice.technology] for choice in chosen.choices]
    return np.concatenate([total for total, _ in parts]), np.concatenate([each for _, each in parts])[:, order]


def _expected_worths(scenario: Scenario, choices: tuple[Choice, ...], batch: Batch) -> tuple[Floats, Floats]:
    told = (batch.case, batch.outcomes, batch.worth)
    return expected_total(scenario, choices, *told), expected_projects(scenario, choices, *told)


@check_arguments("scenario", "chosen")
def plain_worths(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    stream: Stream = REPORTED,
    running: Running = Running(),
) -> Floats:
    """Worth of a portfolio as it came, (R,), by the scenario's aim. Arguments and errors are those of `replicate`."""
    prepared = _prepare(scenario, chosen, replications, seed, stream)
    scenario, choices, _ = prepared.setup
    reduce = partial(_plain, scenario, choices)
    return np.concatenate(list(in_batches(prepared.setup, prepared.draws, reduce, running)))


def _plain(scenario: Scenario, choices: tuple[Choice, ...], batch: Batch) -> Floats:
    return aim_of(scenario).plain(Material(scenario, choices, batch.case, batch.outcomes, batch.worth))


class _Prepared(NamedTuple):
    portfolio: Portfolio
    setup: Setup
    draws: Draws


def _prepare(
    scenario: Scenario,
    chosen: Portfolio,
    replications: int | None,
    seed: int | None,
    stream: Stream = REPORTED,
) -> _Prepared:
    """What is simulated, after everything given was checked: the scenario as the door lets it in."""
    scenario = sound(scenario)
    refuse(*whole_faults(("replications", replications, 1, REPORTED.size), ("seed", seed, 0, 2**63)))
    portfolio.check(chosen, scenario)
    chosen = portfolio.with_ranks(chosen, scenario)
    count = scenario.simulation.replications if replications is None else replications
    draws = Draws(scenario.simulation.seed if seed is None else seed, stream.numbers(count))
    choices = tuple(sorted(chosen.choices, key=lambda choice: choice.rank))
    return _Prepared(chosen, Setup(scenario, choices, build(scenario, chosen)), draws)


def _figures(
    scenario: Scenario, choices: tuple[Choice, ...], figures: Mapping[str, Figure], batch: Batch
) -> pd.DataFrame:
    found = replication_figures(scenario, choices, batch.case, batch.outcomes, batch.worth, figures)
    return frames.replication_frame(batch.draws.replications, found)


def _expected_figures(
    scenario: Scenario, choices: tuple[Choice, ...], figures: Mapping[str, Figure], sure: Batch
) -> pd.DataFrame:
    found = expected_replications(scenario, choices, sure.case, sure.outcomes, sure.worth, figures)
    return frames.replication_frame(sure.draws.replications, found)


def _tables(
    scenario: Scenario, choices: tuple[Choice, ...], figures: Mapping[str, Figure], sure: Batch
) -> list[pd.DataFrame]:
    batch = _with_market_luck(scenario, choices, sure)
    numbers, case, outcomes = batch.draws.replications, batch.case, batch.outcomes
    return [
        frames.project_frame(scenario, choices, case, outcomes, batch.worth, numbers),
        _figures(scenario, choices, figures, batch),
        frames.purse_frame(scenario, outcomes, numbers),
        frames.partner_frame(scenario, outcomes, numbers),
        frames.international_frame(scenario, case, outcomes, numbers),
        _expected_figures(scenario, choices, figures, sure),
    ]


def _stack(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


@check_arguments("scenario", "chosen")
def trace(scenario: Scenario, chosen: Portfolio, *, replication: int = 0, seed: int | None = None) -> pd.DataFrame:
    """What happened in one replication, event by event: who waited for what, when (on the SimPy engine).

    >>> import rdsim
    >>> portfolio = rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),))
    >>> list(rdsim.trace(rdsim.examples.starter(), portfolio, replication=7).columns)
    ['time', 'day', 'subject', 'id', 'event', 'detail']
    """
    from rdsim.engines import process  # noqa: PLC0415

    refuse(*whole_faults(("replication", replication, 0, REPORTED.size)))
    _, (scenario, choices, case), draws = _prepare(scenario, chosen, 1, seed, stream=REPORTED.after(replication))
    rows: list[process.TraceRow] = []
    process.run(case, lay_out(scenario, case, choices, draws), rows)
    return frames.trace_frame(scenario, choices, rows)
