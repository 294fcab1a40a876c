"""Simulate a portfolio in a scenario: a pure function of scenario, portfolio and draws, run in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from rdsim import frames, portfolio
from rdsim.case import Case, Luck, Outcomes, build, technologies
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.errors import Fault, InputError
from rdsim.luck import lay_out, value_factor
from rdsim.metrics import Worth, replication_figures, worth
from rdsim.stats import mean_interval

__all__ = ["ENGINES", "Engine", "Simulation", "batches", "replicate", "simulate", "trace"]

Engine = Literal["compiled", "simpy"]
ENGINES: tuple[Engine, ...] = ("compiled", "simpy")

_BATCH_CELLS = 400_000
"""Replications x projects in a batch: about 500 bytes each, so 200 MB at once."""


class Batch(NamedTuple):
    """Some replications of a simulation."""

    draws: Draws
    case: Case
    luck: Luck
    outcomes: Outcomes
    worth: Worth


@dataclass(frozen=True)
class Simulation:
    """A portfolio simulated: tables with a row for each replication and thing.

    `projects` has a row for each replication and project, `replications` one for each replication, `purses` one
    for each replication, programme and fiscal year, `partners` one for each replication and partner that holds
    places, `international` one for each replication and year with an R&D budget.
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

    def summary(self, confidence: float | None = None) -> pd.DataFrame:
        """Mean of each figure of a replication with its confidence interval and the number of replications."""
        level = self.scenario.simulation.confidence if confidence is None else confidence
        figures = self.replications.drop(columns="replication")
        intervals = [mean_interval(figures[name].to_numpy(np.float64), level) for name in figures]
        table = {
            "mean": [interval.mean for interval in intervals],
            "ci_low": [interval.low for interval in intervals],
            "ci_high": [interval.high for interval in intervals],
            "n": [interval.n for interval in intervals],
        }
        return pd.DataFrame(table, index=pd.Index(figures.columns, name="figure"))


def _engine(name: str) -> Callable[[Case, Luck], Outcomes]:
    """The engine of that name; imported when asked for, since each needs a large library."""
    if name == "compiled":
        from rdsim.engines import compiled  # noqa: PLC0415

        return compiled.run
    if name == "simpy":
        from rdsim.engines import process  # noqa: PLC0415

        return process.run
    fault = Fault("engine", f"must be one of {', '.join(ENGINES)}", repr(name))
    raise InputError((fault,))


def batches(
    scenario: Scenario,
    case: Case,
    choices: tuple[Choice, ...],
    draws: Draws,
    engine: str,
) -> Iterator[Batch]:
    """Replications in batches of bounded memory; the batches' sizes change no number."""
    run, names = _engine(engine), technologies(choices)
    numbers = draws.replications
    size = max(1, min(len(numbers), _BATCH_CELLS // max(1, len(choices))))
    for first in range(numbers.start, numbers.stop, size):
        part = Draws(draws.seed, range(first, min(first + size, numbers.stop)))
        luck = lay_out(scenario, case, choices, part)
        outcomes = run(case, luck)
        yield Batch(
            part, case, luck, outcomes, worth(scenario, choices, case, outcomes, value_factor(scenario, names, part))
        )


def simulate(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    engine: Engine = "compiled",
    progress: Callable[[int], None] = lambda _: None,
) -> Simulation:
    """Simulate a portfolio; replications and seed default to the scenario's.

    `progress` is called with the number of replications done since its last call. Raises PortfolioError for a
    portfolio that does not fit the scenario, InputError for an unknown engine.

    >>> import rdsim
    >>> scenario = rdsim.load("scenarios/medical-ai-2024")
    >>> portfolio = rdsim.Portfolio((rdsim.Choice("R01", "direct", "US", 2024),))
    >>> outcomes = rdsim.simulate(scenario, portfolio, replications=50, seed=1)
    >>> len(outcomes.projects), list(outcomes.summary().columns)
    (50, ['mean', 'ci_low', 'ci_high', 'n'])
    """
    prepared = _prepare(scenario, chosen, replications, seed)
    tables: list[list[pd.DataFrame]] = []
    for batch in batches(scenario, prepared.case, prepared.choices, prepared.draws, engine):
        tables.append(_tables(scenario, prepared.choices, batch))
        progress(len(batch.draws.replications))
    stacked = (_stack(list(parts)) for parts in zip(*tables, strict=True))
    return Simulation(scenario, prepared.portfolio, prepared.draws.seed, engine, *stacked)


def replicate(
    scenario: Scenario,
    chosen: Portfolio,
    *,
    replications: int | None = None,
    seed: int | None = None,
    engine: Engine = "compiled",
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Like `simulate`, but only the table with a row for each replication: far less memory for many replications."""
    prepared = _prepare(scenario, chosen, replications, seed)
    parts = []
    for batch in batches(scenario, prepared.case, prepared.choices, prepared.draws, engine):
        parts.append(_figures(scenario, prepared.choices, batch))
        progress(len(batch.draws.replications))
    return _stack(parts)


class _Prepared(NamedTuple):
    portfolio: Portfolio
    choices: tuple[Choice, ...]
    case: Case
    draws: Draws


def _prepare(scenario: Scenario, chosen: Portfolio, replications: int | None, seed: int | None) -> _Prepared:
    portfolio.check(chosen, scenario)
    chosen = portfolio.ranked(chosen, scenario)
    count = scenario.simulation.replications if replications is None else replications
    draws = Draws(scenario.simulation.seed if seed is None else seed, range(count))
    choices = tuple(sorted(chosen.choices, key=lambda choice: choice.rank))
    return _Prepared(chosen, choices, build(scenario, chosen), draws)


def _figures(scenario: Scenario, choices: tuple[Choice, ...], batch: Batch) -> pd.DataFrame:
    figures = replication_figures(scenario, choices, batch.case, batch.outcomes, batch.worth)
    return frames.replication_frame(batch.draws.replications, figures)


def _tables(scenario: Scenario, choices: tuple[Choice, ...], batch: Batch) -> list[pd.DataFrame]:
    numbers, case, outcomes = batch.draws.replications, batch.case, batch.outcomes
    return [
        frames.project_frame(scenario, choices, case, outcomes, batch.worth, numbers),
        _figures(scenario, choices, batch),
        frames.purse_frame(scenario, outcomes, numbers),
        frames.partner_frame(scenario, outcomes, numbers),
        frames.international_frame(scenario, case, outcomes, numbers),
    ]


def _stack(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def trace(scenario: Scenario, chosen: Portfolio, *, replication: int = 0, seed: int | None = None) -> pd.DataFrame:
    """What happened in one replication, event by event: who waited for what, when (on the SimPy engine)."""
    from rdsim.engines import process  # noqa: PLC0415

    prepared = _prepare(scenario, chosen, 1, seed)
    draws = Draws(prepared.draws.seed, range(replication, replication + 1))
    rows: list[process.TraceRow] = []
    process.run(prepared.case, lay_out(scenario, prepared.case, prepared.choices, draws), rows)
    return frames.trace_frame(scenario, prepared.choices, rows)
