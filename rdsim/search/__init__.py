"""From a scenario to a portfolio: propose one, judge portfolios by simulating them, and the loop of the two."""

from __future__ import annotations

from rdsim.search.judging import Judge
from rdsim.search.loop import Loop, Step, improve
from rdsim.search.proposing import (
    Posed,
    Proposal,
    Rule,
    baselines,
    choose,
    fresh_values,
    fresh_worth,
    optimise,
    pose,
    propose,
    risk_of,
)
from rdsim.search.selection import Selected, select

__all__ = [
    "Judge",
    "Loop",
    "Posed",
    "Proposal",
    "Rule",
    "Selected",
    "Step",
    "baselines",
    "choose",
    "fresh_values",
    "fresh_worth",
    "improve",
    "optimise",
    "pose",
    "propose",
    "risk_of",
    "select",
]
