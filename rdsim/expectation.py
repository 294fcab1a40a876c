"""What projects are worth on average given how their R&D went: no luck of the market is left in it.

Whether a technology that reached its target comes to the market, and what it is worth there, is drawn after its last
day of R&D and touches nothing else: no money, place, panel or other project. So the mean over that luck is known
exactly for each path: chance x value if it comes to the market, less cost. Estimating a mean by these conditional
means (conditional Monte Carlo: Trotter & Tukey 1956; Asmussen & Glynn 2007, chapter V.4) is unbiased and varies
less: a value that comes with a chance of a fifth, and then with a factor of its own, is most of the luck there is.

It is of no use for anything but means: quantiles, CVaR and probabilities need the luck that is taken out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rdsim.aim import Aim, aim_of
from rdsim.arrays import Floats
from rdsim.case import Case, Outcomes
from rdsim.domain import Choice, Judgement, Scenario
from rdsim.figures import Figure, has_market_luck
from rdsim.markets import takes_luck
from rdsim.metrics import Material, Worth
from rdsim.scenario import market_probability

__all__ = [
    "expected_figure",
    "expected_projects",
    "expected_replications",
    "expected_total",
    "market_chances",
    "with_sure_market",
]


def with_sure_market(scenario: Scenario) -> Scenario:
    """The scenario in which what reaches its target comes to the market, at its mean value.

    Where a market value model does with luck what it likes, the luck stays: a mean value is then no value at mean luck.

    Model: F11.
    """
    technologies = {name: replace(row, market_probability=1.0) for name, row in scenario.technologies.items()}
    if takes_luck(scenario.value.model):
        heard = _judgements_without(scenario, "market_probability")
        return replace(scenario, technologies=technologies, judgements=heard)
    uncertainty = {name: replace(one, value_sigma=0.0) for name, one in scenario.uncertainty.items()}
    return replace(scenario, technologies=technologies, uncertainty=uncertainty, **_sure_judgements(scenario))


def _sure_judgements(scenario: Scenario) -> dict[str, Any]:
    """Experts unheard on whether the market comes, and their value at its mean, if it is not taken for certain."""
    heard = _judgements_without(scenario, "market_probability")
    at = dict(scenario.judgement.at)
    at.setdefault("value", "mean")
    rules = replace(scenario.judgement, at=at)
    return {"judgements": heard, "judgement": rules} if scenario.judgements else {}


def _judgements_without(scenario: Scenario, name: str) -> tuple[Judgement, ...]:
    return tuple(one for one in scenario.judgements if one.input != name)


def expected_projects(
    scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, sure: Worth
) -> Floats:
    """Expected worth of each project given its path, shape (R, P), by the scenario's aim.

    `sure` is the projects' worth in the scenario with a sure market; `scenario` is the one that is asked about.

    Model: F11.
    """
    chances = market_chances(scenario, choices)
    return aim_of(scenario).projects(Material(scenario, choices, case, outcomes, sure, chances), chances)


def expected_total(
    scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, sure: Worth
) -> Floats:
    """Expected worth of a portfolio given its projects' paths, shape (R,): with synergies, partners' cost and fees.

    Once both have reached their targets, two technologies come to the market with their bivariate chance
    (`rdsim.luck.both_chance`): their markets may share factors.

    Model: F11.
    """
    chances = market_chances(scenario, choices)
    return aim_of(scenario).portfolio(Material(scenario, choices, case, outcomes, sure, chances), chances)


def expected_figure(
    figure: Figure, scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, sure: Worth
) -> Floats:
    """What each project is expected to add to a figure given its path, shape (R, P)."""
    chances = market_chances(scenario, choices)
    once = Aim(((figure, 1.0),))
    return once.projects(Material(scenario, choices, case, outcomes, sure, chances), chances)


def expected_replications(
    scenario: Scenario,
    choices: Sequence[Choice],
    case: Case,
    outcomes: Outcomes,
    sure: Worth,
    figures: Mapping[str, Figure],
) -> dict[str, Floats]:
    """Figures of each replication, given how R&D went, each (R,): of all that the luck of the market moves.

    What somebody registered is left out: it may be anything but linear in what comes with the market.
    """
    chances = market_chances(scenario, choices)
    material = Material(scenario, choices, case, outcomes, sure, chances)
    lucky = {name: one for name, one in figures.items() if has_market_luck(one)}
    return {name: Aim(((one, 1.0),)).portfolio(material, chances) for name, one in lucky.items()}


def market_chances(scenario: Scenario, choices: Sequence[Choice]) -> Floats:
    """Probability that each choice's technology comes to the market once it is at its target, (P,)."""
    known = {name: market_probability(scenario, name) for name in dict.fromkeys(one.technology for one in choices)}
    return np.array([known[choice.technology] for choice in choices])
