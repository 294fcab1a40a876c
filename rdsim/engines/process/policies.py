"""Policies of a case, by name: gate policies and purse rules, whose errors are told as the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rdsim.case import Case
from rdsim.errors import Fault, PolicyError
from rdsim.gates import GATE_POLICIES, GatePolicy, gives_two_numbers, not_two_numbers
from rdsim.purses import PURSE_RULES, PurseRule

__all__ = ["gate_policy", "purse_rule"]


def gate_policy(case: Case, programme: int) -> GatePolicy:
    """The gate policy of a programme."""
    name, policy = list(GATE_POLICIES.items())[int(case.policy[programme])]
    label = f"gate policy {name!r}"
    drops = _two_numbers(f"{label}, drops", _told(f"{label}, drops", policy.drops))
    return GatePolicy(_told(f"{label}, judge", policy.judge), policy.rounds, drops)


def purse_rule(case: Case, programme: int) -> PurseRule:
    """The purse rule of a programme."""
    name, rule = list(PURSE_RULES.items())[int(case.purse_rule[programme])]
    label = f"purse rule {name!r}"
    return PurseRule(_told(f"{label}, pays", rule.pays), _told(f"{label}, blocks", rule.blocks))


def _told(label: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; an exception that it raises becomes a PolicyError that names it."""

    def ask(*given: float) -> Any:
        try:
            return function(*given)
        except Exception as error:
            raise PolicyError(
                (Fault(label, "must not raise an exception", f"{type(error).__name__}: {error}"),)
            ) from error

    return ask


def _two_numbers(label: str, drops: Callable[..., Any]) -> Callable[..., tuple[int, int]]:
    """The function; an answer that is not two whole numbers becomes a PolicyError."""

    def ask(*given: int) -> tuple[int, int]:
        answer = drops(*given)
        if not gives_two_numbers(answer):
            raise PolicyError((not_two_numbers(label, answer),))
        return int(answer[0]), int(answer[1])

    return ask
