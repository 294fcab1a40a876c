"""The Korean scenario with its optimised portfolio, as the subjects that measure it want it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import rdsim.scenario
from rdsim.bench.instances import perturbed_copy
from rdsim.case import Case, build
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.formulation import state
from rdsim.optimiser import PortfolioProblem
from rdsim.options import candidates, sample
from rdsim.scenario import load
from rdsim.search import optimise

__all__ = ["MEDICAL", "SCENARIO", "SMALL", "Korea", "instances", "optimised"]

SCENARIO = Path(__file__).parent.parent / "scenarios" / "korea-2024"
MEDICAL = SCENARIO.with_name("medical-ai-2024")
"""A small scenario, for what is no matter of size."""
SMALL = Path(rdsim.scenario.__file__).parent / "starter"
"""What `rdsim new` makes: for token sizes, where nothing is measured."""
SAMPLES = 50


@dataclass(frozen=True)
class Korea:
    """The scenario, its optimised portfolio, and its arrays."""

    scenario: Scenario
    portfolio: Portfolio
    choices: tuple[Choice, ...]
    case: Case


def optimised(folder: Path = SCENARIO) -> Korea:
    """A scenario, with options sampled less than a plan samples them: the portfolio's size is what matters here."""
    scenario = load(folder)
    portfolio = optimise(scenario, samples=SAMPLES).portfolio
    choices = tuple(sorted(portfolio.choices, key=lambda choice: choice.rank))
    return Korea(scenario, portfolio, choices, build(scenario, portfolio))


@functools.cache
def _posed(folder: Path, samples: int | None) -> PortfolioProblem:
    scenario = load(folder)
    count, seed = samples or scenario.optimiser.samples, scenario.simulation.seed
    return state(scenario, sample(scenario, candidates(scenario), samples=count, seed=seed))


def instances(folder: Path, copies: int, samples: int | None = None) -> dict[str, PortfolioProblem]:
    """A scenario's portfolio problem as a plan states it, or with so many samples, and perturbed copies."""
    problem = _posed(folder, samples)
    return {folder.name: problem, **{f"copy {seed}": perturbed_copy(problem, seed) for seed in range(1, copies + 1)}}
