"""What readers call the portfolios beside a plan and the simple rules: the one catalogue of names for people.

Files keep ids (`one_shot`, `value-per-cost-at-plan-ratios`); pages and the terminal say what stands here.
"""

from __future__ import annotations

from rdsim.languages import N_
from rdsim.languages import gettext as _

__all__ = [
    "AT_AWARD_RATIO_1",
    "AT_PAYMENT_RATIO_1",
    "AT_PLAN_RATIOS",
    "GIVEN_PORTFOLIO",
    "ONE_SHOT",
    "OWN_TITLES",
    "PLAN",
    "USUAL_ORDER",
    "WHAT_IF",
    "plan_title",
    "portfolio_title",
    "rule_title",
]

ONE_SHOT = "one_shot"
"""The portfolio that the optimiser chose before any portfolio was simulated."""

AT_PLAN_RATIOS = "-at-plan-ratios"
"""Ends the name of a portfolio that was made with the plan's freedom: budget rows at the plan's payment ratios."""

PLAN = N_("the plan")

GIVEN_PORTFOLIO = N_("the portfolio given")
"""Whose portfolio a question speaks of that was given by a program."""

USUAL_ORDER = "usual_order"
AT_PAYMENT_RATIO_1 = "at-payment-ratio-1"
AT_AWARD_RATIO_1 = "at-award-ratio-1"

OWN_TITLES = {
    ONE_SHOT: N_("the optimiser's choice without simulation"),
    f"{ONE_SHOT}{AT_PLAN_RATIOS}": N_("choice without simulation, plan's payment ratios"),
    USUAL_ORDER: N_("the plan, usual order of priority"),
    AT_PAYMENT_RATIO_1: N_("best with payments within the announced money"),
    AT_AWARD_RATIO_1: N_("best with full awards within the announced money"),
}
"""Portfolios of the optimiser's own."""

_RULES = {
    "value-per-cost": N_("value per cost"),
    "evaluation-score": N_("evaluation score"),
    "domestic-only": N_("domestic projects only"),
    "random-feasible": N_("random choice"),
}


def plan_title() -> str:
    """What the plan itself is called among the portfolios beside it."""
    return _(PLAN)


def rule_title(name: str) -> str:
    """What a simple rule is called; a rule of somebody's own by its name, in words."""
    return _(_RULES[name]) if name in _RULES else name.replace("-", " ").replace("_", " ")


def portfolio_title(name: str) -> str:
    """What a portfolio beside a plan is called, with its freedom where that is the plan's."""
    if name.replace("-", "_") == ONE_SHOT or name in OWN_TITLES:
        return _(OWN_TITLES.get(name, OWN_TITLES[ONE_SHOT]))
    rule = rule_title(name.removesuffix(AT_PLAN_RATIOS))
    return _("{rule} with the plan's payment ratios").format(rule=rule) if name.endswith(AT_PLAN_RATIOS) else rule


WHAT_IF = N_("what would change it")
"""Stands among what is missing for what a plan would be otherwise."""
