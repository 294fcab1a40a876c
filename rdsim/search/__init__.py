"""From a scenario to a portfolio: propose one, judge portfolios by simulating them, and the loop of the two."""

from __future__ import annotations

from rdsim.search.beside import (
    AT_AWARD_RATIO_1,
    AT_PAYMENT_RATIO_1,
    AT_PLAN_RATIOS,
    ONE_SHOT,
    OWN,
    USUAL_ORDER,
    Beside,
)
from rdsim.search.contenders import Contender
from rdsim.search.estimates import Near, Refined, estimates_of, refine
from rdsim.search.given import Given, as_stated, in_own_terms, subject, violation_faults
from rdsim.search.judge import Judge, risk_adjustment
from rdsim.search.loop import LOOP, Loop, Step, as_before, find_plan, improve
from rdsim.search.nearest import why_nothing
from rdsim.search.proposals import (
    Instance,
    Proposal,
    RulePortfolio,
    baselines,
    build_instance,
    choose,
    choose_soon,
    fresh_values,
    fresh_worth,
    optimise,
    portfolio_of,
    risk_of,
    rules_of,
    solution_of,
    solving_of,
    world_of_rule,
)
from rdsim.search.quick import near_optimum, soon
from rdsim.search.redecisions import Basis, Decision, Redecisions, Verdict, basis_of, check, redecide
from rdsim.search.selection import Selected, select
from rdsim.search.swaps import Swap, swaps
from rdsim.search.views import View, at_ratios

__all__ = [
    "AT_AWARD_RATIO_1",
    "AT_PAYMENT_RATIO_1",
    "AT_PLAN_RATIOS",
    "LOOP",
    "ONE_SHOT",
    "OWN",
    "USUAL_ORDER",
    "Basis",
    "Beside",
    "Contender",
    "Decision",
    "Given",
    "Instance",
    "Judge",
    "Loop",
    "Near",
    "Proposal",
    "Redecisions",
    "Refined",
    "RulePortfolio",
    "Selected",
    "Step",
    "Swap",
    "Verdict",
    "View",
    "as_before",
    "as_stated",
    "at_ratios",
    "baselines",
    "basis_of",
    "build_instance",
    "check",
    "choose",
    "choose_soon",
    "estimates_of",
    "find_plan",
    "fresh_values",
    "fresh_worth",
    "improve",
    "in_own_terms",
    "near_optimum",
    "optimise",
    "portfolio_of",
    "redecide",
    "refine",
    "risk_adjustment",
    "risk_of",
    "rules_of",
    "select",
    "solution_of",
    "solving_of",
    "soon",
    "subject",
    "swaps",
    "violation_faults",
    "why_nothing",
    "world_of_rule",
]
