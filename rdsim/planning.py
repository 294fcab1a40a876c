"""The main job: optimise, search with simulation in the loop, simulate the result and the simple rules, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from rdsim.domain import Scenario
from rdsim.errors import PolicyError
from rdsim.search import Loop, Posed, Proposal, Rule, baselines, choose, fresh_worth, improve, pose
from rdsim.simulation import Engine, Simulation, replicate, simulate
from rdsim.stats import Interval, mean_interval, paired_difference

__all__ = ["ONE_SHOT", "Comparison", "Plan", "Progress", "plan"]

T = TypeVar("T")

ONE_SHOT = "one_shot"
"""Name among the rules of the portfolio that the optimiser chose before any portfolio was simulated."""

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
    search: Loop | None = None  # how the loop went; none if the portfolio is the one-shot optimiser's
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
    one_shot: bool = False,
    progress: Progress = _silent,
) -> Plan:
    """Optimise, search with simulation in the loop unless it is `one_shot`, simulate and compare.

    An interrupt (Ctrl-C) ends the loop with its best so far; a later one leaves what is finished. The draws that judge
    (replications 0, 1, ...) are not those that chose: those behind the options and in the loop are far away.
    Differences are paired, and their intervals hold for all rules together (Bonferroni); with the loop, the one-shot
    portfolio is the first of the rules.
    """
    count = scenario.simulation.replications if replications is None else replications
    chance = scenario.simulation.seed if seed is None else seed
    progress("optimise", 0, 1)
    asking = partial(pose, scenario, seed=chance, threads=threads)
    posed = _posed(asking, engine)
    proposal = choose(posed, solver=solver, time_limit=time_limit)
    progress("optimise", 1, 1)
    found = Plan(scenario, proposal, chance, engine, count)
    rules: dict[str, Rule] = {}
    if not one_shot:
        told = partial(progress, "search")
        found.search = improve(posed, proposal, solver=solver, time_limit=time_limit, progress=told)
        found.proposal = found.search.proposal
        rules = {ONE_SHOT: Rule(proposal.portfolio, proposal.evaluation)}
    enough = max(count, FRESH)
    found.fresh = fresh_worth(scenario, found.proposal, count=enough, seed=chance, engine=engine, threads=threads)
    rules |= baselines(scenario, proposal, seed=chance)
    try:
        _judge(found, rules, threads, progress)
    except KeyboardInterrupt:
        found.missing = tuple(name for name in ("optimised", *rules) if not _is_done(found, name))
    return found


def _is_done(found: Plan, name: str) -> bool:
    return found.simulation is not None if name == "optimised" else name in found.comparisons


def _posed(asking: Callable[..., Posed], engine: Engine) -> Posed:
    """Options are sampled on the compiled engine, a hundred times as fast, unless a user's policy needs SimPy."""
    try:
        return asking(engine="compiled")
    except PolicyError:
        if engine == "compiled":
            raise
        return asking(engine=engine)


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
