"""Propose portfolios: sample every option alone, state the problem, solve it; and the simple rules beside it."""

from __future__ import annotations

from dataclasses import dataclass

from rdsim import portfolio
from rdsim import scenario as scenarios
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import InfeasibleError
from rdsim.optimiser import Evaluation, PortfolioProblem, Solution, Status, evaluate, require, solve
from rdsim.optimiser.baselines import BASELINES, run_baseline
from rdsim.options import Options, candidates, sample
from rdsim.simulation import Engine
from rdsim.statement import state

__all__ = ["Proposal", "Rule", "baselines", "optimise", "propose"]


@dataclass(frozen=True, eq=False)
class Proposal:
    """An optimised portfolio, with all that it rests on."""

    portfolio: Portfolio
    options: Options
    problem: PortfolioProblem
    solution: Solution
    evaluation: Evaluation
    samples: int


@dataclass(frozen=True, eq=False)
class Rule:
    """A simple rule's portfolio, judged by the same rows as the optimum."""

    portfolio: Portfolio
    evaluation: Evaluation


def optimise(scenario: Scenario, **settings: object) -> Portfolio:
    """The optimised portfolio of a scenario; settings are those of `propose`.

    >>> import rdsim
    >>> scenario = rdsim.load("scenarios/medical-ai-2024")
    >>> portfolio = rdsim.optimise(scenario, samples=50)
    >>> len(portfolio.choices)
    3
    """
    return propose(scenario, **settings).portfolio  # type: ignore[arg-type]


def propose(
    scenario: Scenario,
    *,
    samples: int | None = None,
    seed: int | None = None,
    solver: str = "highs",
    gap: float | None = None,
    time_limit: float | None = None,
    engine: Engine = "compiled",
    threads: int | None = None,
) -> Proposal:
    """Sample the options, state the problem and solve it; what is left out comes from the scenario.

    `samples` are the replications behind each option, `gap` the relative gap to prove, `time_limit` a safety net in
    seconds, `engine` the one that simulates the options, in `threads` (by default one for each core). Raises
    InfeasibleError if no portfolio satisfies every row, SolverError if no answer came.
    """
    settings = scenario.optimiser
    count = settings.samples if samples is None else samples
    options = sample(
        scenario,
        candidates(scenario),
        samples=count,
        seed=scenario.simulation.seed if seed is None else seed,
        engine=engine,
        threads=threads,
    )
    problem = state(scenario, options)
    wanted = settings.gap if gap is None else gap
    solution = solve(problem, solver=solver, gap=wanted, time_limit=time_limit)
    if solution.status is Status.INFEASIBLE:
        raise InfeasibleError(_reason(scenario))
    require(solution)
    chosen = _portfolio(scenario, options, solution.chosen, "optimised")
    return Proposal(chosen, options, problem, solution, evaluate(problem, solution.chosen), count)


def _portfolio(scenario: Scenario, options: Options, chosen: tuple[int, ...], name: str) -> Portfolio:
    return portfolio.ranked(Portfolio(tuple(options.choices[o] for o in chosen), name), scenario)


def _reason(scenario: Scenario) -> str:
    """What cheap bounds say about why nothing fits."""
    faults = scenarios.check(scenario)
    if faults:
        return "\n".join(["", *(f"  {fault}" for fault in faults)])
    return "the solver proved it; must-fund technologies and floors are the usual cause, so relax one of them"


def baselines(scenario: Scenario, proposal: Proposal, *, seed: int | None = None) -> dict[str, Rule]:
    """The portfolio of every simple rule, on the same options and rows."""
    options, problem = proposal.options, proposal.problem
    scores = [technology.score for technology in scenario.technologies.values()]
    chance = scenario.simulation.seed if seed is None else seed
    rules = {}
    for name in BASELINES:
        chosen = run_baseline(name, problem, options.award, scores, chance)
        rules[name] = Rule(_portfolio(scenario, options, chosen, name), evaluate(problem, chosen))
    return rules
