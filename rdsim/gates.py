"""Gate policies: how a review between two tranches decides.

A policy is a small value behind two contracts, `GatePolicy`; `rdsim.extend.gate_policy` registers a third party's,
which scenarios then name in `gate.policy`. Its functions take and return plain numbers, so that the compiled
engine can compile the very objects that the SimPy engine calls.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from rdsim.contracts import GATE_DROPS, GATE_JUDGE
from rdsim.errors import Fault
from rdsim.registry import Extension, Registry

__all__ = [
    "GATE_POLICIES",
    "GatePolicy",
    "always_pass",
    "deliverables_in",
    "drop_count",
    "gives_two_numbers",
    "is_truth",
    "never_drop",
    "no_truth",
    "not_two_numbers",
    "register",
    "threshold",
]

__compiled__ = True

MILLION = 1_000_000


def threshold(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    """On plan if no more than `tolerance` TRL steps behind and no due deliverable missing; judged with error.

    Model: E35.
    """
    if lead + tolerance >= 0 and missing == 0:
        return luck >= alpha
    return luck < beta


def always_pass() -> bool:
    """Every project is judged on plan.

    Model: E36.
    """
    return True


def deliverables_in(missing: int, luck: float, beta: float) -> bool:
    """On plan if no due deliverable is missing, or if that is overlooked.

    Model: E37.
    """
    return missing == 0 or luck < beta


def never_drop() -> tuple[int, int]:
    """No project of a round is dropped by comparison.

    Model: E35, E36.
    """
    return 0, 0


def drop_count(reviews: int, rate_ppm: int, fraction: int) -> tuple[int, int]:
    """How many of a round's reviews are dropped, and the fraction (in millionths) carried to the next round.

    floor(rate x n + carried fraction), the remainder carried: Korean practice at a rate of 10%.

    Model: E37.
    """
    total = reviews * rate_ppm + fraction
    return total // MILLION, total % MILLION


@dataclass(frozen=True)
class GatePolicy(Extension):
    """How a review decides.

    `judge` says whether a project is on plan (`rdsim.contracts.GATE_JUDGE`). With `rounds`, reviews wait for the next
    half-year round instead of a panel seat, and `drops` says how many of the worst are stopped, and the fraction
    carried on (`GATE_DROPS`); those that are not dropped pass if `judge` says so.
    """

    contracts: ClassVar = {"judge": GATE_JUDGE, "drops": GATE_DROPS}

    judge: Callable[..., Any] = always_pass
    rounds: bool = False
    drops: Callable[..., Any] = never_drop


GATE_POLICIES = Registry(
    "gate policy",
    GatePolicy,
    {
        "threshold": GatePolicy(judge=threshold),
        "always-pass": GatePolicy(),
        "drop-worst": GatePolicy(judge=deliverables_in, rounds=True, drops=drop_count),
    },
)


def gives_two_numbers(answer: object) -> bool:
    """Whether `drops` answered as it must: two whole numbers."""
    return isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(one, Integral) for one in answer)


def not_two_numbers(label: str, answer: object) -> Fault:
    """What is wrong with another answer."""
    rule = "must return two whole numbers: how many are dropped, and the fraction carried on"
    return Fault(label, rule, repr(answer))


def is_truth(answer: object) -> bool:
    """Whether a function answered yes or no: a truth value or a number; None, of one that forgets to answer, is no."""
    import numpy as np  # noqa: PLC0415 - a scenario is read without it

    return answer is None or (isinstance(answer, Real | np.bool_) and not math.isnan(answer))


def no_truth(label: str, answer: object) -> Fault:
    """What is wrong with another answer."""
    return Fault(label, "must return a truth value", repr(answer))


def register(name: str, policy: GatePolicy) -> None:
    """The old name of `GATE_POLICIES.register`."""
    line = "write rdsim.extend.gate_policy, or gates.GATE_POLICIES.register, for gates.register"
    warnings.warn(line, DeprecationWarning, stacklevel=2)
    GATE_POLICIES.register(name, policy)
