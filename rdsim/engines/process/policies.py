"""Policies of a case, by name: gate policies, purse rules and queue rules, whose errors are told as the user's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rdsim.case import Case
from rdsim.errors import Fault, PolicyError, raised_text
from rdsim.gates import GATE_POLICIES, gives_two_numbers, is_truth, no_truth, not_two_numbers
from rdsim.purses import PURSE_RULES
from rdsim.queues import QUEUE_RULES, RANK
from rdsim.registry import Extension

__all__ = ["GateDecisions", "PurseDecisions", "gate_policy", "purse_rule", "queue_key"]

_Ask = Callable[..., Any]


class GateDecisions(NamedTuple):
    """A gate policy whose functions take all that their contracts offer, by position."""

    judge: _Ask
    rounds: bool
    drops: _Ask


class PurseDecisions(NamedTuple):
    """A purse rule whose functions take all that their contracts offer, by position."""

    pays: _Ask
    blocks: _Ask


def gate_policy(case: Case, programme: int) -> GateDecisions:
    """The gate policy of a programme."""
    name = GATE_POLICIES.name_of(int(case.policy[programme]))
    policy, given = GATE_POLICIES[name], case.gate_parameters[programme]
    label = f"gate policy {name!r}"
    drops = _two_numbers(f"{label}, drops", _question(label, policy, "drops", given))
    judge = _a_truth(f"{label}, judge", _question(label, policy, "judge", given))
    return GateDecisions(judge, policy.rounds, drops)


def purse_rule(case: Case, programme: int) -> PurseDecisions:
    """The purse rule of a programme."""
    name = PURSE_RULES.name_of(int(case.purse_rule[programme]))
    label, given = f"purse rule {name!r}", case.purse_parameters[programme]
    asked = [
        _a_truth(f"{label}, {field}", _question(label, PURSE_RULES[name], field, given))
        for field in PurseDecisions._fields
    ]
    return PurseDecisions(*asked)


def queue_key(case: Case, queue: int) -> _Ask | None:
    """The key of a queue's rule, queues numbered as in `Case.queue_rule`; None for the one that serves by rank."""
    name = QUEUE_RULES.name_of(int(case.queue_rule[queue]))
    if name == RANK:
        return None
    label = f"queue rule {name!r}"
    return _a_number(f"{label}, key", _question(label, QUEUE_RULES[name], "key", case.queue_parameters[queue]))


def _a_truth(label: str, function: _Ask) -> Callable[..., bool]:
    """The function; an answer that is neither yes nor no becomes a PolicyError."""

    def ask(*given: float) -> bool:
        answer = function(*given)
        if not is_truth(answer):
            raise PolicyError((no_truth(label, answer),))
        return bool(answer)

    return ask


def _a_number(label: str, key: _Ask) -> Callable[..., float]:
    """The function; an answer that is no number becomes a PolicyError."""

    def ask(*given: float) -> float:
        answer = key(*given)
        try:
            found = float(answer)
        except (TypeError, ValueError):
            found = math.nan
        if math.isnan(found):
            raise PolicyError((Fault(label, "must return a number", repr(answer)),))
        return found

    return ask


def _question(name: str, extension: Extension, field: str, given: Sequence[float]) -> _Ask:
    """One of its functions, with its parameters; an exception that it raises becomes a PolicyError that names it."""
    label = f"{name}, {field}"
    taken, own = extension.bind(label, field), extension.restore(given)

    def ask(*offered: float) -> Any:
        try:
            return taken(*offered, *own)
        except Exception as error:
            raise PolicyError((Fault(label, "must not raise an exception", raised_text(error)),)) from error

    return ask


def _two_numbers(label: str, drops: _Ask) -> Callable[..., tuple[int, int]]:
    """The function; an answer that is not two whole numbers becomes a PolicyError."""

    def ask(*given: int) -> tuple[int, int]:
        answer = drops(*given)
        if not gives_two_numbers(answer):
            raise PolicyError((not_two_numbers(label, answer),))
        return int(answer[0]), int(answer[1])

    return ask
