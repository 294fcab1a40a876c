"""Why money lapses: the plan simulated without each cause, and with each lever, on the same draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.assumptions import Measuring
from rdsim.domain import Portfolio, Scenario
from rdsim.native.threads import cores, in_threads
from rdsim.simulation import simulate
from rdsim.stats import Interval, mean_interval
from rdsim.whatif.causes import OTHERWISE, Otherwise

__all__ = ["Lapse", "Without", "lapse_by_cause"]

STAGE = "lapse"

_MOVED = ("value_pv", "cost_pv", "unfunded")
"""Present values of what projects bring and cost, and projects that find no money in time."""


@dataclass(frozen=True, eq=False)
class Without:
    """What one thing otherwise does; intervals are of paired differences, and hold for all that is looked at."""

    otherwise: Otherwise
    less: Interval
    """Money that lapses less in all years, in the scenario's unit."""
    npv: Interval
    """Net present value that is gained."""
    years: pd.DataFrame
    """Columns programme, year, less (mean)."""
    more: dict[str, Interval] = field(default_factory=dict)
    """By `_MOVED`, what there is more of: why the plan is worth more or less."""


@dataclass(frozen=True, eq=False)
class Lapse:
    """What lapses, and what it would be otherwise."""

    lapsed: Interval
    years: pd.DataFrame
    """Columns programme, year, lapsed (mean)."""
    replications: int
    without: tuple[Without, ...]
    """The causes and levers that change anything here, in the order of `OTHERWISE`."""


def lapse_by_cause(
    scenario: Scenario, portfolio: Portfolio, measuring: Measuring, progress: Callable[[str, int, int], None]
) -> Lapse:
    """Simulate the portfolio as it stands, and with one thing otherwise at a time; same draws in each.

    Money lapses at the end of a fiscal year; what is left after the last year with money counts too, as in the
    purses' own accounts. Raises ScenarioError for a world that is no scenario.
    """
    bare = replace(scenario, assumptions={})  # bounds, which move nothing, would be of figures that a world lacks
    worlds = [(one, world) for one in OTHERWISE if (world := one.world(bare)) != bare]
    measure = partial(_measure, portfolio, measuring)
    jobs = (partial(measure, world) for world in (bare, *(world for _, world in worlds)))
    workers = 1 if measuring.running.engine == "simpy" else measuring.running.threads or cores()
    found = []
    for place, one in enumerate(in_threads(jobs, workers), start=1):
        found.append(one)
        progress(STAGE, place, len(worlds) + 1)
    confidence, base = scenario.simulation.confidence, found[0]
    lapsed = mean_interval(base.lapsed.sum(axis=1), confidence)
    confidence = 1 - (1 - confidence) / max(len(worlds), 1)  # Bonferroni: those that matter are picked by them
    told = tuple(_without(one, base, other, confidence) for (one, _), other in zip(worlds, found[1:], strict=True))
    return Lapse(lapsed, _yearly(base, base.lapsed, "lapsed"), measuring.replications, told)


@dataclass(frozen=True, eq=False)
class _Measured:
    """Money lapsed by replication and purse-year, (n, cells); net present value, (n,); what each cell is.

    `moved` are the figures of `_MOVED`, (n,) each.
    """

    lapsed: Floats
    npv: Floats
    moved: dict[str, Floats]
    cells: tuple[tuple[str, int], ...]


def _measure(portfolio: Portfolio, measuring: Measuring, world: Scenario) -> _Measured:
    one = simulate(
        world,
        portfolio,
        replications=measuring.replications,
        seed=measuring.seed,
        running=replace(measuring.running, threads=1),
    )
    first = one.purses[one.purses["replication"] == one.purses["replication"].iloc[0]]
    cells = tuple(zip(first["programme"].astype(str), first["year"].astype(int), strict=True))
    lapsed = one.purses["lapsed"].to_numpy(np.float64).reshape(-1, len(cells))  # a replication after the other
    figures = {
        name: (one.expected if name in one.expected else one.replications)[name].to_numpy(np.float64)
        for name in ("npv", *_MOVED)
    }
    return _Measured(lapsed, figures.pop("npv"), figures, cells)


def _without(one: Otherwise, base: _Measured, other: _Measured, confidence: float) -> Without:
    less = base.lapsed - other.lapsed
    return Without(
        one,
        mean_interval(less.sum(axis=1), confidence),
        mean_interval(other.npv - base.npv, confidence),
        _yearly(base, less, "less"),
        {name: mean_interval(values - base.moved[name], confidence) for name, values in other.moved.items()},
    )


def _yearly(measured: _Measured, values: Floats, name: str) -> pd.DataFrame:
    programmes, years = zip(*measured.cells, strict=True)
    return pd.DataFrame({"programme": programmes, "year": years, name: values.mean(axis=0)})
