"""What readers call the portfolios beside a plan and the simple rules: the one catalogue of names for people.

Files keep ids (`one_shot`, `value-per-cost-at-plan-ratios`); pages and the terminal say what stands here.
"""

from __future__ import annotations

__all__ = [
    "AT_AWARD_RATIO_1",
    "AT_PAYMENT_RATIO_1",
    "AT_PLAN_RATIOS",
    "ONE_SHOT",
    "OWN_TITLES",
    "PLAN",
    "USUAL_ORDER",
    "WHAT_IF",
    "portfolio_title",
    "rule_title",
]

ONE_SHOT = "one_shot"
"""The portfolio that the optimiser chose before any portfolio was simulated."""

AT_PLAN_RATIOS = "-at-plan-ratios"
"""Ends the name of a portfolio that was made with the plan's freedom: budget rows at the plan's payment ratios."""

PLAN = "the plan"

USUAL_ORDER = "usual_order"
AT_PAYMENT_RATIO_1 = "at-payment-ratio-1"
AT_AWARD_RATIO_1 = "at-award-ratio-1"

OWN_TITLES = {
    ONE_SHOT: "the optimiser's choice without simulation",
    f"{ONE_SHOT}{AT_PLAN_RATIOS}": "choice without simulation, plan's payment ratios",
    USUAL_ORDER: "the plan, usual order of priority",
    AT_PAYMENT_RATIO_1: "best with payments within the announced money",
    AT_AWARD_RATIO_1: "best with full awards within the announced money",
}
"""Portfolios of the optimiser's own."""

_RULES = {
    "value-per-cost": "value per cost",
    "evaluation-score": "evaluation score",
    "domestic-only": "domestic projects only",
    "random-feasible": "random choice",
}


def rule_title(name: str) -> str:
    """What a simple rule is called; a rule of somebody's own by its name, in words."""
    return _RULES.get(name, name.replace("-", " ").replace("_", " "))


def portfolio_title(name: str) -> str:
    """What a portfolio beside a plan is called, with its freedom where that is the plan's."""
    if name.replace("-", "_") == ONE_SHOT or name in OWN_TITLES:
        return OWN_TITLES.get(name, OWN_TITLES[ONE_SHOT])
    rule = rule_title(name.removesuffix(AT_PLAN_RATIOS))
    return f"{rule} with the plan's payment ratios" if name.endswith(AT_PLAN_RATIOS) else rule


WHAT_IF = "what would change it"
"""Stands among what is missing for what a plan would be otherwise."""
