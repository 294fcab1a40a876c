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

__all__ = ["GateDecisions", "Policies", "PurseDecisions", "policies"]

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


class Policies(NamedTuple):
    """All policies of a case: what their functions take is settled once, for all replications."""

    gates: tuple[GateDecisions, ...]
    """By programme."""
    purses: tuple[PurseDecisions, ...]
    """By programme."""
    queues: tuple[_Ask | None, ...]
    """Keys of the rules of queues, numbered as in `Case.queue_rule`; None where it is served by rank."""


def policies(case: Case) -> Policies:
    """The policies of a case."""
    programmes, queues = range(len(case.tranches)), range(len(case.queue_rule))
    return Policies(
        tuple(_gate_policy(case, g) for g in programmes),
        tuple(_purse_rule(case, g) for g in programmes),
        tuple(_queue_key(case, q) for q in queues),
    )


def _gate_policy(case: Case, programme: int) -> GateDecisions:
    """Model: E34, E35, E36, E37."""
    name = GATE_POLICIES.name_of(int(case.policy[programme]))
    policy, given = GATE_POLICIES[name], case.gate_parameters[programme]
    label = f"gate policy {name!r}"
    judge = _question(label, policy, "judge", given, _truth)
    return GateDecisions(judge, policy.rounds, _question(label, policy, "drops", given, _two_numbers))


def _purse_rule(case: Case, programme: int) -> PurseDecisions:
    """Model: E20."""
    name = PURSE_RULES.name_of(int(case.purse_rule[programme]))
    label, rule, given = f"purse rule {name!r}", PURSE_RULES[name], case.purse_parameters[programme]
    return PurseDecisions(*(_question(label, rule, field, given, _truth) for field in PurseDecisions._fields))


def _queue_key(case: Case, queue: int) -> _Ask | None:
    """Model: E3, E4, E5."""
    name = QUEUE_RULES.name_of(int(case.queue_rule[queue]))
    if name == RANK:
        return None
    return _question(f"queue rule {name!r}", QUEUE_RULES[name], "key", case.queue_parameters[queue], _number)


def _question(
    name: str, extension: Extension, field: str, given: Sequence[float], read: Callable[[str, Any], Any]
) -> _Ask:
    """One of its functions, with its parameters; `read` makes of its label and its answer what the engine takes.

    An exception that it raises becomes a PolicyError that names it.
    """
    label = f"{name}, {field}"
    taken, own = extension.bind(label, field).positional, extension.restore(given)

    def ask(*offered: float) -> Any:
        try:
            answer = taken(*offered, *own)
        except Exception as error:
            raise PolicyError((Fault(label, "must not raise an exception", raised_text(error)),)) from error
        return read(label, answer)

    return ask


def _truth(label: str, answer: Any) -> bool:
    """Yes or no; another answer becomes a PolicyError."""
    if answer is True or answer is False:  # as nearly always: no more is asked then
        return bool(answer)
    if not is_truth(answer):
        raise PolicyError((no_truth(label, answer),))
    return bool(answer)


def _number(label: str, answer: Any) -> float:
    """A number; another answer becomes a PolicyError."""
    try:
        found = float(answer)
    except (TypeError, ValueError):
        found = math.nan
    if math.isnan(found):
        raise PolicyError((Fault(label, "must return a number", repr(answer)),))
    return found


def _two_numbers(label: str, answer: Any) -> tuple[int, int]:
    """Two whole numbers; another answer becomes a PolicyError."""
    if not gives_two_numbers(answer):
        raise PolicyError((not_two_numbers(label, answer),))
    return int(answer[0]), int(answer[1])
