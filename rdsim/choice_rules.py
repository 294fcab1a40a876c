"""Simple rules for choosing, to compare an optimum with what is done without one.

A rule says what each option is worth to it; options are then taken one by one, the largest first, each only if every
row still holds (`rdsim.optimiser.solving.baselines.fill`): no rule can spend what is not there.

=================  ===============================================================================
value-per-cost     options by expected value per unit of cost, best first
evaluation-score   technologies by evaluation score, each with its option of largest expected value
domestic-only      value-per-cost among the options without a partner, also where the call allows none
random-feasible    technologies in random order, their options in random order
=================  ===============================================================================

`rdsim.extend.choosing_rule` registers a third party's. It is compared in plans of scenarios that have a table
``[rules.NAME]``, and is a policy of sweeps by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rdsim.contracts import CHOOSING_WORTH
from rdsim.registry import Contract, Extension, Registry

if TYPE_CHECKING:
    from rdsim.arrays import Bools, Floats, Ints

__all__ = ["CHOOSING_RULES", "DOMESTIC_ONLY", "ChoosingRule"]

DOMESTIC_ONLY = "domestic-only"
"""The rule that is compared also where a call requires a foreign partner: it tells what that costs."""


@dataclass(frozen=True)
class ChoosingRule(Extension):
    """What options are worth to a rule: `rdsim.contracts.CHOOSING_WORTH`."""

    contracts: ClassVar[Mapping[str, Contract]] = {"worth": CHOOSING_WORTH}

    worth: Callable[..., Any]


def _value_per_cost(value: Floats, cost: Floats) -> Floats:
    """Model: C2."""
    return value / cost


def _evaluation_score(score: Floats, group: Ints, value: Floats) -> tuple[Floats, Ints, Floats]:
    """Model: C3."""
    return score, -group, value


def _domestic_only(value: Floats, cost: Floats, joint: Bools) -> Floats:
    """Model: C4."""
    ratio = value / cost
    ratio[joint] = float("nan")
    return ratio


def _random_feasible(lot: Ints, luck: Floats) -> tuple[Ints, Floats]:
    """Model: C5."""
    return -lot, -luck


CHOOSING_RULES = Registry(
    "rule for choosing",
    ChoosingRule,
    {
        "value-per-cost": ChoosingRule(_value_per_cost),
        "evaluation-score": ChoosingRule(_evaluation_score),
        DOMESTIC_ONLY: ChoosingRule(_domestic_only),
        "random-feasible": ChoosingRule(_random_feasible),
    },
)
