"""The main job: optimise, simulate the optimised portfolio and the simple rules on common draws, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from rdsim.domain import Scenario
from rdsim.errors import PolicyError
from rdsim.search import Proposal, Rule, baselines, fresh_worth, propose
from rdsim.simulation import Engine, Simulation, replicate, simulate
from rdsim.stats import Interval, mean_interval, paired_difference

__all__ = ["Comparison", "Plan", "Progress", "plan"]

T = TypeVar("T")

FRESH = 1000
"""At least so many samples tell optimism from luck; a portfolio's options alone are simulated in no time."""

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A simple rule beside the optimised portfolio, on the same replications."""

    rule: Rule
    replications: pd.DataFrame
    npv: Interval
    difference: Interval  # optimised less rule


@dataclass(eq=False)
class Plan:
    """What the main job found; what is still missing when it is interrupted stays None or absent."""

    scenario: Scenario
    proposal: Proposal
    seed: int
    engine: Engine
    replications: int
    fresh: Interval | None = None  # the optimiser's expected value, on samples that did not choose
    simulation: Simulation | None = None
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of the intervals."""
        return self.scenario.simulation.confidence


def _silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


def plan(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    engine: Engine = "compiled",
    solver: str = "highs",
    time_limit: float | None = None,
    threads: int | None = None,
    progress: Progress = _silent,
) -> Plan:
    """Optimise, simulate and compare. An interrupt (Ctrl-C) after the optimisation leaves what is finished.

    The draws that judge (replications 0, 1, ...) are not those that chose: those behind the options are far away.
    Differences are paired, and their intervals hold for all rules together (Bonferroni).
    """
    count = scenario.simulation.replications if replications is None else replications
    chance = scenario.simulation.seed if seed is None else seed
    progress("optimise", 0, 1)
    search = partial(propose, scenario, seed=chance, solver=solver, time_limit=time_limit, threads=threads)
    proposal = _proposed(search, engine)
    progress("optimise", 1, 1)
    found = Plan(scenario, proposal, chance, engine, count)
    enough = max(count, FRESH)
    found.fresh = fresh_worth(scenario, proposal, count=enough, seed=chance, engine=engine, threads=threads)
    rules = baselines(scenario, proposal, seed=chance)
    try:
        _judge(found, rules, threads, progress)
    except KeyboardInterrupt:
        found.missing = tuple(name for name in ("optimised", *rules) if not _is_done(found, name))
    return found


def _is_done(found: Plan, name: str) -> bool:
    return found.simulation is not None if name == "optimised" else name in found.comparisons


def _proposed(search: Callable[..., Proposal], engine: Engine) -> Proposal:
    """Options are sampled on the compiled engine, a hundred times as fast, unless a user's policy needs SimPy."""
    try:
        return search(engine="compiled")
    except PolicyError:
        if engine == "compiled":
            raise
        return search(engine=engine)


def _judge(found: Plan, rules: dict[str, Rule], threads: int | None, progress: Progress) -> None:
    run = _Run(found, 1 + len(rules), threads, progress)
    found.simulation = run(partial(simulate, found.scenario, found.proposal.portfolio))
    for name, rule in rules.items():
        table = run(partial(replicate, found.scenario, rule.portfolio))
        found.comparisons[name] = _compare(found, rule, table, len(rules))


@dataclass
class _Run:
    """Simulates policies one after another, telling how far all of them are."""

    found: Plan
    policies: int
    threads: int | None
    progress: Progress
    done: int = 0

    def __call__(self, job: Callable[..., T]) -> T:
        found = self.found
        count, seed, threads = found.replications, found.seed, self.threads
        return job(replications=count, seed=seed, engine=found.engine, threads=threads, progress=self._tell)

    def _tell(self, more: int) -> None:
        self.done += more
        self.progress("simulate", self.done, self.policies * self.found.replications)


def _compare(found: Plan, rule: Rule, table: pd.DataFrame, comparisons: int) -> Comparison:
    assert found.simulation is not None  # noqa: S101 - the optimised portfolio is simulated first
    best, other = (frame["npv"].to_numpy(np.float64) for frame in (found.simulation.replications, table))
    difference = paired_difference(best, other, found.confidence, comparisons)
    return Comparison(rule, table, mean_interval(other, found.confidence), difference)
