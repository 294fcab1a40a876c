"""Portfolios judged: each simulated whole, on the same replications in every world, so that all differences are paired.

Two streams: on replications of `MEASURED_AGAINST` it is chosen what others are measured against - the best of a world,
competitors -, on those that are `REPORTED` everything is told. Worth is by the scenario's aim, with the luck of the
market in expectation (`rdsim.expectation`); CVaR is of worth as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.bench.entrants import Entrant
from rdsim.bench.worlds import AS_STATED, BenchWorld
from rdsim.domain import Portfolio, Scenario
from rdsim.simulation import Running, expected_worths, plain_worths, replication_tables
from rdsim.streams import MEASURED_AGAINST, REPORTED

__all__ = ["Judged", "Measured", "measure"]


@dataclass(frozen=True)
class Measured:
    """How portfolios are simulated: replications, and how many of them in other worlds and to choose by."""

    replications: int
    elsewhere: int
    seed: int
    running: Running = Running()


@dataclass(eq=False)
class Judged:
    """What portfolios came to, by world and name: worth in each replication, for telling and for choosing."""

    measured: Measured
    told: dict[tuple[str, str], Floats] = field(default_factory=dict)
    """(R,) in the scenario as it stands, the first of them in other worlds."""
    choosing: dict[tuple[str, str], Floats] = field(default_factory=dict)
    plain: dict[str, Floats] = field(default_factory=dict)
    """By name, worth as it came, with all luck, in the scenario as it stands, (R,)."""
    figures: dict[str, pd.DataFrame] = field(default_factory=dict)
    """By name, all figures of each replication there."""

    def judge(self, entrant: Entrant, world: BenchWorld) -> None:
        """Simulate a portfolio in a world, unless it was."""
        place = world.name, entrant.name
        if place in self.told and place in self.choosing:
            return
        scenario, asked = _allowing(world.scenario, entrant), self.measured
        count = asked.replications if world.name == AS_STATED else asked.elsewhere
        if world.name == AS_STATED:
            self._figures(entrant, scenario)
        self.choosing[place] = measure(scenario, entrant.portfolio, asked, asked.elsewhere, choosing=True)
        self.told[place] = measure(scenario, entrant.portfolio, asked, count)

    def _figures(self, entrant: Entrant, scenario: Scenario) -> None:
        asked = self.measured
        told = {"replications": asked.replications, "seed": asked.seed, "running": asked.running}
        self.figures[entrant.name] = replication_tables(scenario, entrant.portfolio, **told).replications  # type: ignore[arg-type]
        is_plain = aim_of(scenario).is_default
        worths = self.figures[entrant.name]["npv"].to_numpy(np.float64)
        self.plain[entrant.name] = worths if is_plain else plain_worths(scenario, entrant.portfolio, **told)  # type: ignore[arg-type]

    def table(self, names: Mapping[str, object], world: str = AS_STATED, count: int | None = None) -> Floats:
        """Worths that are told of some portfolios in a world, (R, K), or their first `count` replications."""
        return np.array([self.told[world, name][:count] for name in names]).T

    def best(self, names: Mapping[str, object], world: str) -> str:
        """Who is best of some by the replications that choose; of equals the first."""
        return max(names, key=lambda name: float(self.choosing[world, name].mean()))


def measure(scenario: Scenario, portfolio: Portfolio, asked: Measured, count: int, *, choosing: bool = False) -> Floats:
    """Worth of a portfolio in the first replications that tell, or that choose, (count,)."""
    stream = MEASURED_AGAINST if choosing else REPORTED
    return expected_worths(
        scenario, portfolio, replications=count, seed=asked.seed, stream=stream, running=asked.running
    )[0]


def _allowing(scenario: Scenario, entrant: Entrant) -> Scenario:
    """The world, and domestic projects in it where the portfolio needs them."""
    return scenario if entrant.allowed else replace(scenario, domestic="allowed")
