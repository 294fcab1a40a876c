"""Decisions at a point: what a policy chooses in a world, on draws that judge nothing; and the pool of nested cases.

Cases that differ only in what may be chosen, in an equal world, are **nested**: who may choose from more is worth no
less. Each case's own search may miss what another's found. So cases share a **pool**: every portfolio found in any of
them is tried in every case that allows it, on the replications that select among portfolios, and the best is the
case's own; what is reported of it comes from replications that chose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rdsim.choice_rules import CHOOSING_RULES
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import RdsimError
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.solving.appraisal import Risk, appraise
from rdsim.plans import AT_PLAN_RATIOS
from rdsim.search import Instance, Judge, baselines, build_instance, choose, find_plan, risk_of
from rdsim.search.views import LOOSEST, budgets_times
from rdsim.simulation import Running
from rdsim.stats import cvar
from rdsim.streams import SELECTING

__all__ = ["ONE_SHOT", "PLAN", "POOLED", "Decided", "best_of_pool", "decide", "decisions_in"]

ONE_SHOT, PLAN = "one-shot", "plan"
"""Policies that are no simple rules: the optimiser without simulation, and the loop of both."""

POOLED = (ONE_SHOT, PLAN)
"""Policies that look for the best: a simple rule does not, and may do worse with more to choose from."""


def decide(world: Scenario, policy: str, seed: int, solving: Solving, running: Running) -> Portfolio:
    """The portfolio of a policy in a world, on draws that judge nothing."""
    return _decide(build_instance(world, seed=seed, running=running), policy, solving)


def _decide(posed: Instance, policy: str, solving: Solving) -> Portfolio:
    world, seed = posed.scenario, posed.seed
    if policy == PLAN:
        return find_plan(posed, solving).proposal.portfolio
    proposal = choose(posed, solving)
    if policy == ONE_SHOT:
        return proposal.portfolio
    if policy in CHOOSING_RULES:
        return baselines(world, proposal, seed=seed, names=[policy], running=posed.running)[policy].portfolio
    # The same samples as without the plan's freedom: their difference is that freedom.
    name, ratios = policy.removesuffix(AT_PLAN_RATIOS), find_plan(posed, solving).proposal.payment_ratios
    freer = baselines(world, proposal, payment_ratios=ratios, seed=seed, names=[name], running=posed.running)
    return freer[name].portfolio


# --- the pool -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Decided:
    """What was found in one case, and what tells whether the case allows what others found."""

    portfolio: Portfolio
    problem: PortfolioProblem
    choices: tuple[Choice, ...]  # of the problem's options
    risk: Risk | None

    def options_of(self, portfolio: Portfolio) -> tuple[int, ...] | None:
        """The options that a portfolio consists of here; None if the case does not allow it."""
        number = {choice: option for option, choice in enumerate(self.choices)}
        wanted = [number.get(replace(choice, rank=0), -1) for choice in portfolio.choices]
        if min(wanted, default=0) < 0 or not evaluate(self.problem, tuple(wanted)).feasible:
            return None
        chosen = tuple(sorted(wanted))
        return chosen if self.risk is None or appraise(self.problem, self.risk, chosen).feasible else None


def decisions_in(
    worlds: Iterable[Scenario], policy: str, seed: int, solving: Solving, running: Running
) -> list[Decided | RdsimError]:
    """Each world decided by itself; the error where that was not possible."""
    found: list[Decided | RdsimError] = []
    for world in worlds:
        try:
            found.append(_decision(world, policy, seed, solving, running))
        except RdsimError as error:
            found.append(error)
    return found


def _decision(world: Scenario, policy: str, seed: int, solving: Solving, running: Running) -> Decided:
    posed = build_instance(world, seed=seed, running=running)
    portfolio, problem, risk = _decide(posed, policy, solving), posed.problem, risk_of(posed)
    if policy == PLAN:  # it may promise more than is announced, as its loop finds best
        problem = budgets_times(world, problem, dict.fromkeys(world.programmes, LOOSEST))
    if risk is None:  # then nothing asks for samples, which are large
        problem = replace(problem, values=problem.expected_value)
    return Decided(portfolio, problem, posed.options.choices, risk)


def best_of_pool(
    own: Decided, pool: Sequence[Decided], world: Scenario, *, seed: int, count: int, running: Running
) -> Portfolio:
    """The best portfolio of the pool in the world of a case, by the scenario's aim, on `count` replications that
    select; of equals the case's own, then the first."""
    judge = Judge(world, seed, SELECTING, own.risk is not None and own.risk.weight > 0, running)
    tried = {one.portfolio.choices: one.portfolio for one in (own, *pool)}
    worths = {}
    for choices, portfolio in tried.items():
        chosen = own.options_of(portfolio)
        if chosen is not None or choices == own.portfolio.choices:
            lost = evaluate(own.problem, chosen).shortfall if chosen is not None else 0.0
            worths[choices] = _worth(judge, portfolio, own.risk, count) - lost
    return tried[max(worths, key=lambda choices: worths[choices])]


def _worth(judge: Judge, portfolio: Portfolio, risk: Risk | None, count: int) -> float:
    """Mean worth, or mean and CVaR as the scenario weighs them."""
    worths, weight = judge.worths(portfolio, count), 0.0 if risk is None else risk.weight
    mean = float(worths.mean())
    return mean if risk is None or not weight else (1 - weight) * mean + weight * cvar(worths, risk.level)
