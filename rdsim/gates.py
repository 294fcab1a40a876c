"""Gate policies: how a review between two tranches decides.

A policy is a small value behind one contract, `GatePolicy`; `register` adds a third party's, which
scenarios then name in `gate.policy`. Its functions take and return plain numbers, so that the compiled
engine can compile the very objects that the SimPy engine calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

from rdsim.domain import NAMES
from rdsim.errors import Fault

__all__ = [
    "BUILT_IN",
    "GATE_POLICIES",
    "GatePolicy",
    "always_pass",
    "deliverables_in",
    "dropped",
    "gives_two_numbers",
    "never_drop",
    "not_two_numbers",
    "register",
    "threshold",
]

MILLION = 1_000_000


def threshold(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:
    """On plan if no more than `tolerance` TRL steps behind and no due deliverable missing; judged with error."""
    if lead + tolerance >= 0 and missing == 0:
        return luck >= alpha
    return luck < beta


def always_pass(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:  # noqa: ARG001
    """Every project is judged on plan."""
    return True


def deliverables_in(lead: int, missing: int, luck: float, alpha: float, beta: float, tolerance: int) -> bool:  # noqa: ARG001
    """On plan if no due deliverable is missing, or if that is overlooked."""
    return missing == 0 or luck < beta


def never_drop(reviews: int, rate_ppm: int, fraction: int) -> tuple[int, int]:  # noqa: ARG001
    """No project of a round is dropped by comparison."""
    return 0, 0


def dropped(reviews: int, rate_ppm: int, fraction: int) -> tuple[int, int]:
    """How many of a round's reviews are dropped, and the fraction (in millionths) carried to the next round.

    floor(rate x n + carried fraction), the remainder carried: Korean practice at a rate of 10%.
    """
    total = reviews * rate_ppm + fraction
    return total // MILLION, total % MILLION


@dataclass(frozen=True)
class GatePolicy:
    """How a review decides.

    `judge(lead, missing, luck, alpha, beta, tolerance)` says whether a project is on plan: `lead` is TRL
    reached minus planned, `missing` the number of due deliverables not handed in, `luck` uniform in (0, 1).
    With `rounds`, reviews wait for the next half-year round instead of a panel seat, and
    `drops(reviews, rate_ppm, fraction)` says how many of the worst are stopped, and the fraction carried on;
    those that are not dropped pass if `judge` says so.

    All must depend on their arguments alone. The compiled engine calculates in 64-bit integers, and takes the values
    that globals have when it compiles.
    """

    judge: Callable[[int, int, float, float, float, int], bool] = always_pass
    rounds: bool = False
    drops: Callable[[int, int, int], tuple[int, int]] = never_drop


GATE_POLICIES: dict[str, GatePolicy] = {
    "threshold": GatePolicy(judge=threshold),
    "always-pass": GatePolicy(),
    "drop-worst": GatePolicy(judge=deliverables_in, rounds=True, drops=dropped),
}


BUILT_IN = frozenset(GATE_POLICIES)
"""Those that came with rdsim."""


def gives_two_numbers(answer: object) -> bool:
    """Whether `drops` answered as it must: two whole numbers."""
    return isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(one, Integral) for one in answer)


def not_two_numbers(label: str, answer: object) -> Fault:
    """What is wrong with another answer."""
    rule = "must return two whole numbers: how many are dropped, and the fraction carried on"
    return Fault(label, rule, repr(answer))


def register(name: str, policy: GatePolicy) -> None:
    """Add a gate policy; scenarios then name it in `gate.policy`.

    Raises: TypeError for what is no GatePolicy; ValueError for a name in use, or that a scenario could not bear.
    """
    if not isinstance(policy, GatePolicy):
        raise TypeError(f"gate policy {name!r} must be a gates.GatePolicy, not a {type(policy).__name__}")
    if not re.fullmatch(NAMES, name):
        raise ValueError(f"{name!r} is no name: letters, digits and . _ + - only, at most 64")
    if name in GATE_POLICIES:
        raise ValueError(f"gate policy {name!r} exists")
    GATE_POLICIES[name] = policy
