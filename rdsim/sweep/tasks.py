"""Tasks: the work at one point, done by any worker, and the row that it gives.

What all tasks of an experiment share travels as one packed `Work`, which a worker unpacks once; a task adds the
settings of its point. Its key is the digest of everything that its row depends on: content, not file names; of rdsim
itself the version of its numbers, of a user's policies what they do.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from rdsim import plugins
from rdsim.choice_rules import CHOOSING_RULES
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import RdsimError
from rdsim.numbers import NUMBERS
from rdsim.optimiser import Solving
from rdsim.optimiser.adapters import versions_of
from rdsim.plans import AT_PLAN_RATIOS, plan_beside_rules
from rdsim.rolling import Policy, roll, supply_of
from rdsim.scenario import Override, Variations, World, digest
from rdsim.search import build_instance, find_plan, rules_of, world_of_rule
from rdsim.search.views import ratios_of
from rdsim.simulation import Running, expected_worths, replicate
from rdsim.sweep.decisions import ONE_SHOT, PLAN, Decided, best_of_pool, decide, decisions_in
from rdsim.sweep.measures import Metric, gain_name
from rdsim.sweep.policies import Own, install
from rdsim.sweep.settings import TaskKind

__all__ = [
    "COLUMNS",
    "DONE",
    "FAILED",
    "Row",
    "Task",
    "Work",
    "pack",
    "perform",
    "rule_policies",
    "world_of_policy",
]

DONE, FAILED = "done", "failed"
COLUMNS = frozenset(
    {"point", "repeat", "status", "error", "n", "funded", "joint", "technologies", "partners", "pooled", "samples"}
    | {"key", "world"}
)
"""Columns that a table has, or gets when it is read, whatever is varied and measured."""


def rule_policies() -> tuple[str, ...]:
    """Every policy that is decided: the simple rules also with the plan's freedom, at its payment ratios."""
    return (ONE_SHOT, PLAN, *CHOOSING_RULES, *(f"{name}{AT_PLAN_RATIOS}" for name in CHOOSING_RULES))


_KEPT = 2
"""Works that a worker keeps unpacked."""

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Work:
    """What all tasks of an experiment share."""

    scenario: Scenario
    worlds: Mapping[World, Scenario]  # the scenario with other optional parts or draws, if a factor chooses them
    task: TaskKind
    replications: int
    metrics: tuple[Metric, ...]
    portfolios: Mapping[str, Portfolio]  # of the policies that are given
    decided: Mapping[tuple[str, int], Portfolio]  # by policy and repeat, if decided once for all points
    paired: bool
    solver: str
    plugins: tuple[plugins.Plugin, ...] = ()
    own: tuple[Own, ...] = ()  # policies of the user's
    threads: int | None = 1
    numbers: int = NUMBERS
    solvers: str = ""  # as `versions_of`, if the task chooses

    @property
    def solving(self) -> Solving:
        """How problems are solved."""
        return Solving(self.solver)

    @property
    def running(self) -> Running:
        """How portfolios are simulated."""
        return Running(threads=self.threads)

    @cached_property
    def key(self) -> str:
        """Digest of what every row of the experiment depends on, but for the scenario and the policy."""
        metrics = [metric.text for metric in self.metrics]
        shared = [self.task, self.replications, metrics, self.paired, self.solvers, self.code]
        return _digest([*shared, self.scenario.simulation.confidence])

    @cached_property
    def code(self) -> str:
        """Digest of the code that makes numbers: rdsim's, and the user's."""
        return _digest([self.numbers, [one.code for one in self.plugins], [one.key for one in self.own]])

    @cached_property
    def program(self) -> str:
        """Digest of the code and of the solvers: where it is the same, the same task gives the same row."""
        return _digest([self.code, self.solvers])

    def portfolio(self, policy: str, repeat: int) -> Portfolio | None:
        """The portfolio of a policy in a repeat; None if it is decided at each point."""
        return self.portfolios.get(policy) or self.decided.get((policy, repeat))

    def key_of(self, content: str, policy: str, seed: int, repeat: int = 0, pool: str = "") -> str:
        """Key of a task: of the digest of its scenario's content, of a policy, a seed, and the pool's contents."""
        known = self._policy_keys.get((policy, repeat), self._policy_keys.get((policy, 0), policy))
        return _digest([self.key, content, known, seed, *([pool] if pool else [])])[:32]

    @cached_property
    def _policy_keys(self) -> dict[tuple[str, int], str]:
        given = {(name, 0): portfolio_key(one) for name, one in self.portfolios.items()}
        return given | {name: portfolio_key(one) for name, one in self.decided.items()}


class Task(NamedTuple):
    """The work at one point."""

    key: str
    overrides: tuple[Override, ...]
    policy: str
    seed: int
    repeat: int = 0
    pool: str = ""  # digest of the contents of the cases that share a pool
    cases: tuple[tuple[Override, ...], ...] = ()  # all of them


class Chunk(NamedTuple):
    """What a worker gives back: rows in the order of the tasks, and the program that made them."""

    rows: list[Row]
    program: str  # as `Work.program`, where the rows were made


def portfolio_key(portfolio: Portfolio) -> str:
    """Digest of what a portfolio decides."""
    return _digest(sorted([c.technology, c.partner, c.mode, c.start_year, c.rank] for c in portfolio.choices))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


# --- packing --------------------------------------------------------------------------------------


def pack(work: Work) -> bytes:
    """A work as bytes, to be sent with every batch."""
    return zlib.compress(pickle.dumps(work), 6)


class _Unpacked(NamedTuple):
    work: Work
    variations: Variations
    program: str  # that this worker runs
    pools: dict[tuple[str, str, int], list[Decided | RdsimError]]  # the last one, by cases, policy and seed

    def portfolio(self, world: Scenario, task: Task) -> tuple[Portfolio, bool]:
        """The best of the pool at a point, and whether another case's search found it. Raises what kept the point
        from being decided at all."""
        work, key = self.work, (task.pool, task.policy, task.seed)
        if key not in self.pools:
            self.pools.clear()
            worlds = (self.variations.vary(one) for one in task.cases)
            self.pools[key] = decisions_in(worlds, task.policy, task.seed, work.solving, work.running)
        own = self.pools[key][task.cases.index(task.overrides)]
        if isinstance(own, RdsimError):
            raise own
        pool = [one for one in self.pools[key] if isinstance(one, Decided)]
        best = best_of_pool(own, pool, world, seed=task.seed, count=work.replications, running=work.running)
        return best, best is not own.portfolio


_unpacked: dict[bytes, _Unpacked] = {}


def _unpack(packed: bytes) -> _Unpacked:
    """The work of this worker; the plug-ins that it needs are run when it first arrives."""
    if packed not in _unpacked:
        while len(_unpacked) >= _KEPT:
            _unpacked.pop(next(iter(_unpacked)))
        work = cast(Work, pickle.loads(zlib.decompress(packed)))  # noqa: S301 - packed by `pack`, from this sweep
        loaded = plugins.load([Path(one.path) for one in work.plugins])
        install(work.own)
        solvers = versions_of(work.solver) if work.solvers else ""
        program = replace(work, plugins=loaded, numbers=NUMBERS, solvers=solvers).program
        _unpacked[packed] = _Unpacked(work, Variations(work.scenario, work.worlds), program, {})
    return _unpacked[packed]


def perform(packed: bytes, tasks: Sequence[Task]) -> Chunk:
    """Do some tasks; one that fails gives a row that says why, and stops no other."""
    unpacked = _unpack(packed)
    return Chunk([_perform(unpacked, task) for task in tasks], unpacked.program)


def _perform(unpacked: _Unpacked, task: Task) -> Row:
    work = unpacked.work
    try:
        world = unpacked.variations.vary(task.overrides)
        found = _of_pool(unpacked, world, task) if task.cases else _TASKS[work.task](work, world, task)
        return {"key": task.key, "status": DONE, "error": "", **found.told, **_measure(work, found)}
    except RdsimError as error:
        return failure(task.key, str(error))
    except Exception as error:  # whatever a point brings to light must not stop the others
        return failure(task.key, f"{type(error).__name__}: {error}")


def failure(key: str, why: str) -> Row:
    """The row of a task that gave no numbers."""
    return {"key": key, "status": FAILED, "error": " ".join(why.split())[:500]}


def _measure(work: Work, found: _Found) -> Row:
    table = found.table
    row: Row = {"n": len(table)}
    most: dict[str, float] = {"projects": found.projects, "partners": len(work.scenario.partners)}
    for metric in work.metrics:
        estimate = metric.measure(table, work.scenario.simulation.confidence, most)
        row |= {
            metric.text: estimate.mean,
            f"{metric.text} low": estimate.low,
            f"{metric.text} high": estimate.high,
        }
    if work.paired:
        row["samples"] = table[work.metrics[0].figure].to_numpy(np.float64).tolist()
    return row


# --- what is done ---------------------------------------------------------------------------------


class _Found(NamedTuple):
    table: pd.DataFrame  # a row for each replication
    projects: int
    told: Row  # what else a row says


def _simulate(work: Work, world: Scenario, task: Task) -> _Found:
    portfolio = work.portfolio(task.policy, task.repeat)
    assert portfolio is not None  # noqa: S101 - given, or decided before the tasks
    return _Found(_replications(work, world, portfolio, task), len(portfolio.choices), {})


def _optimise(work: Work, world: Scenario, task: Task) -> _Found:
    given = work.portfolio(task.policy, task.repeat)
    portfolio = given or decide(world, task.policy, task.seed, work.solving, work.running)
    return _Found(_replications(work, world, portfolio, task), len(portfolio.choices), _choice_counts(portfolio))


def _of_pool(unpacked: _Unpacked, world: Scenario, task: Task) -> _Found:
    """As `_optimise`, by the best of what was found in any of the cases that share a pool."""
    portfolio, pooled = unpacked.portfolio(world, task)
    table = _replications(unpacked.work, world, portfolio, task)
    return _Found(table, len(portfolio.choices), {**_choice_counts(portfolio), "pooled": pooled})


def _plan(work: Work, world: Scenario, task: Task) -> _Found:
    """The main job; beside the figures stands what the plan gained over the one-shot portfolio and every rule."""
    found = plan_beside_rules(
        world, replications=work.replications, seed=task.seed, solving=work.solving, running=work.running
    )
    assert found.simulation is not None  # noqa: S101 - an interrupt ends the process
    table = found.simulation.replications
    gains = {gain_name(rule): table["npv"] - one.replications["npv"] for rule, one in found.comparisons.items()}
    # A plan that promises no more than is announced has no more freedom than the rules.
    gains |= {
        gain_name(rule + AT_PLAN_RATIOS): gains[gain_name(rule)] for rule in rules_of(world) if not found.promises_more
    }
    chosen = found.proposal.portfolio
    return _Found(table.assign(**gains), len(chosen.choices), _choice_counts(chosen))


def _rolling(work: Work, world: Scenario, task: Task) -> _Found:
    """The plan decided once and decided again each year, in the same replications."""
    posed = build_instance(world, seed=task.seed, running=work.running)
    loop = find_plan(posed, work.solving)
    static = loop.proposal.portfolio
    supply = supply_of(posed, static, means=loop.means, solving=work.solving)
    policy = Policy(ratios_of(world, posed.problem, loop.proposal.solution.chosen))
    rolled = roll(supply, policy, static, range(work.replications))
    once, _ = expected_worths(world, static, replications=work.replications, seed=task.seed, running=work.running)
    table = pd.DataFrame({"rolling": rolled.worths, "static": once, "flexibility": rolled.worths - once})
    return _Found(table, len(static.choices), _choice_counts(static))


_TASKS: dict[TaskKind, Callable[[Work, Scenario, Task], _Found]] = {
    "simulate": _simulate,
    "optimise": _optimise,
    "plan": _plan,
    "rolling": _rolling,
}


def _replications(work: Work, world: Scenario, portfolio: Portfolio, task: Task) -> pd.DataFrame:
    judged = world_of_policy(world, task.policy)
    return replicate(judged, portfolio, replications=work.replications, seed=task.seed, running=work.running)


def world_of_policy(scenario: Scenario, policy: str) -> Scenario:
    """The scenario in which a policy's portfolio is allowed: a rule that takes no partner may, see `world_of_rule`."""
    return world_of_rule(scenario, policy.removesuffix(AT_PLAN_RATIOS))


def _choice_counts(portfolio: Portfolio) -> Row:
    """What was chosen, for counting: technologies, and how many projects each partner has."""
    names = sorted(choice.technology for choice in portfolio.choices)
    joint = [choice.partner for choice in portfolio.choices if choice.partner]
    counts: Iterable[str] = (f"{code}:{joint.count(code)}" for code in sorted(set(joint)))
    return {"funded": len(names), "joint": len(joint), "technologies": "|".join(names), "partners": "|".join(counts)}


def content_digest(scenario: Scenario) -> str:
    """Digest of a scenario's content, for policies that are decided once."""
    return digest(scenario)
