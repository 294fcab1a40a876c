"""Why not this one, what losing that one would cost, and what one more unit of a cap is worth: by solving again.

Integer programs have no prices, so every answer compares optima of variations of the problem. For a group g let
A1 be the best objective with g funded and A0 the best without it. Then

* forcing g in costs max(0, A0 - A1), and the same is the least rise of its value that brings it in, for a rise moves
  A1 by as much and A0 not at all;
* cutting its use of money moves A1 alone, upwards: the least cut is found by bisection;
* relaxing a cap moves both upwards, each by steps: see `rises`.

======================  ==========================================================================
`screen`                every unfunded group at a glance: limits of A0 - A1, without solving again
`why_not`               one unfunded group: loss, least cut, caps that keep it out, conflict
`cost_of_losing`        one funded group: its replacement cost
`worth_of_cap`          one cap: a table of what other caps are worth
`relaxation_duals`                 prices of the linear relaxation: hints, and labelled so
======================  ==========================================================================
"""

from rdsim.optimiser.questions.explanation.absence import CUT_STEP, Ways, WhyNot, why_not
from rdsim.optimiser.questions.explanation.optima import Asker, Best, Bracket, Exchange
from rdsim.optimiser.questions.explanation.prices import RelaxationDuals, relaxation_duals
from rdsim.optimiser.questions.explanation.rises import CapRise
from rdsim.optimiser.questions.explanation.screening import Reason, ScreenedGroup, screen
from rdsim.optimiser.questions.explanation.worths import CapStep, Replacement, WorthOfCap, cost_of_losing, worth_of_cap

__all__ = [
    "CUT_STEP",
    "Asker",
    "Best",
    "Bracket",
    "CapRise",
    "CapStep",
    "Exchange",
    "Reason",
    "RelaxationDuals",
    "Replacement",
    "ScreenedGroup",
    "Ways",
    "WhyNot",
    "WorthOfCap",
    "cost_of_losing",
    "relaxation_duals",
    "screen",
    "why_not",
    "worth_of_cap",
]
