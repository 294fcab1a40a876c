"""The main job: optimise, search with simulation in the loop, simulate the result and the simple rules, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd

from rdsim.arguments import check_arguments, refuse, whole_faults
from rdsim.brief import html_table
from rdsim.domain import Scenario
from rdsim.errors import PolicyError
from rdsim.memory import require_memory
from rdsim.optimiser import Solving
from rdsim.scenario import sound
from rdsim.search import (
    Instance,
    Loop,
    Proposal,
    RulePortfolio,
    baselines,
    build_instance,
    choose,
    fresh_worth,
    improve,
)
from rdsim.simulation import Engine, Running, Simulation, replicate, simulate
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.streams import REPORTED

__all__ = ["AT_PLAN_RATIOS", "ONE_SHOT", "Comparison", "Plan", "Progress", "plan"]

T = TypeVar("T")

ONE_SHOT = "one_shot"
"""Name among the rules of the portfolio that the optimiser chose before any portfolio was simulated."""

FRESH = 1000
"""At least so many samples tell optimism from luck; a portfolio's options alone are simulated in no time."""

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""


AT_PLAN_RATIOS = "-at-plan-ratios"
"""Ends the name of a simple rule that was made with the plan's freedom: budget rows at the plan's payment ratios."""

_SAME_RATIO = 1e-9


@dataclass(frozen=True, eq=False)
class Comparison:
    """A simple rule beside the optimised portfolio, on the same replications."""

    rule: RulePortfolio
    replications: pd.DataFrame
    npv: Interval
    difference: Interval  # optimised less rule

    def __repr__(self) -> str:
        ahead = f"the plan is ahead by {_in_words(self.difference)}"
        return f"Comparison with {self.rule!r}: npv {_in_words(self.npv)}, {ahead}"


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

    def __repr__(self) -> str:
        told = self.simulation or self.proposal
        beside = f"; beside {', '.join(self.comparisons)}" if self.comparisons else ""
        missing = f"; missing: {', '.join(self.missing)}" if self.missing else ""
        return f"Plan of {self.scenario.name}: {self.proposal.portfolio!r}; {told!r}{beside}{missing}"

    def _repr_html_(self) -> str:
        """The plan in a notebook."""
        beside = [(name, _in_words(one.npv), _in_words(one.difference)) for name, one in self.comparisons.items()]
        told = self.simulation._repr_html_() if self.simulation else ""
        head = ("beside it", f"npv, {self.scenario.money_unit}", "the plan is ahead by")
        rules = html_table(f"Plan of {self.scenario.name}", head, beside) if beside else ""
        return self.proposal.portfolio._repr_html_() + told + rules

    @property
    def promises_more(self) -> bool:
        """True if the plan's budget rows are at other payment ratios than 1."""
        return any(abs(ratio - 1) > _SAME_RATIO for ratio in self.proposal.payment_ratios.values())

    def is_equal(self, comparison: Comparison) -> bool:
        """True if the other portfolio was made under rows with the plan's payment ratios."""
        mine, other = self.proposal.payment_ratios, comparison.rule.payment_ratios
        return all(abs(ratio - other[name]) <= _SAME_RATIO for name, ratio in mine.items())


def _in_words(found: Interval) -> str:
    return f"{found.mean:,.4g} ({found.low:,.4g} to {found.high:,.4g})"


def _silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


@check_arguments("scenario")
def plan(
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    solving: Solving = Solving(),
    running: Running = Running(),
    one_shot: bool = False,
    progress: Progress = _silent,
) -> Plan:
    """Optimise, search with simulation in the loop unless it is `one_shot`, simulate and compare.

    An interrupt (Ctrl-C) ends the loop with its best so far; a later one leaves what is finished. The draws that judge
    (replications 0, 1, ...) are not those that chose: those behind the options and in the loop are far away.
    Differences are paired, and their intervals hold for all rules together (Bonferroni); with the loop, the one-shot
    portfolio is the first of the rules. Every simple rule is made within the announced money, and once more at the
    plan's payment ratios if those are others: a lead over a rule of less freedom is in part that freedom.
    """
    scenario = sound(scenario)
    refuse(*whole_faults(("replications", replications, 1, REPORTED.size), ("seed", seed, 0, 2**63)))
    count = scenario.simulation.replications if replications is None else replications
    chance = scenario.simulation.seed if seed is None else seed
    most = min(len(scenario.technologies), sum(sum(one.starts.values()) for one in scenario.programmes.values()))
    require_memory(scenario, most, count)
    progress("optimise", 0, 1)
    posed = _instance(scenario, chance, running)
    proposal = choose(posed, solving)
    progress("optimise", 1, 1)
    found = Plan(scenario, proposal, chance, running.engine, count)
    rules: dict[str, RulePortfolio] = {}
    if not one_shot:
        told = partial(progress, "search")
        found.search = improve(posed, proposal, solving, progress=told)
        found.proposal = found.search.proposal
        rules = {ONE_SHOT: _one_shot_rule(scenario, proposal)}
    enough = max(count, FRESH)
    found.fresh = fresh_worth(scenario, found.proposal, count=enough, seed=chance, running=running)
    rules |= _simple_rules(found, posed, proposal)
    try:
        _judge(found, rules, running, progress)
    except KeyboardInterrupt:
        found.missing = tuple(name for name in ("optimised", *rules) if not _is_done(found, name))
    return found


def _one_shot_rule(scenario: Scenario, one: Proposal) -> RulePortfolio:
    return RulePortfolio(ONE_SHOT, one.portfolio, one.evaluation, one.payment_ratios, scenario)


def _simple_rules(found: Plan, posed: Instance, one_shot: Proposal) -> dict[str, RulePortfolio]:
    """The simple rules within the announced money, and with the plan's freedom if that is another."""
    announced = dict.fromkeys(found.scenario.programmes, 1.0)
    make = partial(baselines, found.scenario, one_shot, seed=found.seed, running=posed.running)
    rules = make(payment_ratios=announced)
    if not found.promises_more:
        return rules
    freer = make(payment_ratios=found.proposal.payment_ratios)
    return rules | {f"{name}{AT_PLAN_RATIOS}": rule for name, rule in freer.items()}


def _is_done(found: Plan, name: str) -> bool:
    return found.simulation is not None if name == "optimised" else name in found.comparisons


def _instance(scenario: Scenario, seed: int, running: Running) -> Instance:
    """Options are sampled on the compiled engine, a hundred times as fast, unless a user's policy needs SimPy."""
    try:
        return build_instance(scenario, seed=seed, running=replace(running, engine="compiled"))
    except PolicyError:
        if running.engine == "compiled":
            raise
        return build_instance(scenario, seed=seed, running=running)


def _judge(found: Plan, rules: dict[str, RulePortfolio], running: Running, progress: Progress) -> None:
    run = _Run(found, 1 + len(rules), running, progress)
    found.simulation = run(partial(simulate, found.scenario, found.proposal.portfolio))
    for name, rule in rules.items():
        table = run(partial(replicate, rule.world, rule.portfolio))
        found.comparisons[name] = _compare(found, rule, table, len(rules))


@dataclass
class _Run:
    """Simulates policies one after another, telling how far all of them are."""

    found: Plan
    policies: int
    running: Running
    progress: Progress
    done: int = 0

    def __call__(self, job: Callable[..., T]) -> T:
        found = self.found
        return job(replications=found.replications, seed=found.seed, running=self.running, progress=self._tell)

    def _tell(self, more: int) -> None:
        self.done += more
        self.progress("simulate", self.done, self.policies * self.found.replications)


def _compare(found: Plan, rule: RulePortfolio, table: pd.DataFrame, comparisons: int) -> Comparison:
    assert found.simulation is not None  # noqa: S101 - the optimised portfolio is simulated first
    best, other = (frame["npv"].to_numpy(np.float64) for frame in (found.simulation.replications, table))
    difference = paired_difference(best, other, found.confidence, comparisons)
    return Comparison(rule, table, mean_interval(other, found.confidence), difference)
