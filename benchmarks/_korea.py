"""The Korean scenario with its optimised portfolio, as the subjects that measure it want it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rdsim.case import Case, build
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.scenario import load
from rdsim.search import propose

__all__ = ["SCENARIO", "Korea", "optimised"]

SCENARIO = Path(__file__).parent.parent / "scenarios" / "korea-2024"
SAMPLES = 50


@dataclass(frozen=True)
class Korea:
    """The scenario, its optimised portfolio, and its arrays."""

    scenario: Scenario
    portfolio: Portfolio
    choices: tuple[Choice, ...]
    case: Case


def optimised() -> Korea:
    """The scenario, with options sampled less than a plan samples them: the portfolio's size is what matters here."""
    scenario = load(SCENARIO)
    portfolio = propose(scenario, samples=SAMPLES).portfolio
    choices = tuple(sorted(portfolio.choices, key=lambda choice: choice.rank))
    return Korea(scenario, portfolio, choices, build(scenario, portfolio))
