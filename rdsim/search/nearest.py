"""Why nothing is funded, and which technology is nearest to it."""

from __future__ import annotations

import numpy as np

from rdsim.domain import Scenario
from rdsim.families import row_words
from rdsim.languages import gettext as _
from rdsim.languages import listing
from rdsim.optimiser import Evaluation, PortfolioProblem, evaluate
from rdsim.options import Options
from rdsim.words import money_words, option_words

__all__ = ["why_nothing"]

_LOOKED_AT = 200
"""Options of most worth that are looked at one by one, with what opening their partners costs."""


def why_nothing(scenario: Scenario, options: Options, problem: PortfolioProblem) -> str:
    """A sentence on an empty portfolio: what the option that is worth most by itself would need to be funded."""
    if not options.choices:
        return _("Nothing is funded: no technology has an option that is eligible and may start.")
    best = np.argsort(-problem.expected_value, kind="stable")[:_LOOKED_AT].tolist()
    judged = {o: evaluate(problem, (o,)) for o in best}
    allowed = [o for o in best if judged[o].feasible]
    o = max(allowed or best, key=lambda o: judged[o].objective)
    name = option_words(scenario, problem.option_names[o])
    if not allowed:
        broken = listing([row_words(scenario, row.key or row.name) for row in judged[o].violations[:3]])
        told = _("Nothing is funded: no option by itself keeps every rule. Of most worth: {name}, against {rules}.")
        return told.format(name=name, rules=broken)
    missing = _missing(scenario, options, judged[o])
    told = _("Nothing is funded: no option is worth what it costs. Nearest: {name}, {missing}.")
    return told.format(name=name, missing=missing)


def _missing(scenario: Scenario, options: Options, judged: Evaluation) -> str:
    """How far an option is from being funded: by which change of its value or of its cost it comes in."""
    (o,), short = judged.chosen, -judged.objective
    cost = float(options.cost[o])
    value = float(options.mean[o]) + cost
    rise, fall = (f"{short / one:.0%}" if one > 0 else "" for one in (value, cost))
    dear = cost >= short > 0
    if value > 0 and dear:
        told = _("{money} short: it comes in if its value rises by {rise} or if its cost falls by {fall}")
    elif value > 0:
        told = _("{money} short: it comes in if its value rises by {rise}")
    elif dear:
        told = _("{money} short: it comes in if its cost falls by {fall}")
    else:
        told = _("which is worth nothing in any sample by the end of {year}")
    return told.format(money=money_words(scenario, short), rise=rise, fall=fall, year=scenario.horizon_year)
