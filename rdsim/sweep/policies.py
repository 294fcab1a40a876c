"""Policies of a user's in a sweep: what they do is in the keys of results, and goes with the work to every worker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rdsim import gates, purses
from rdsim.behaviour import Behaviour, UnknownBehaviourError, behaviour
from rdsim.errors import Fault, InputError

__all__ = ["Own", "install", "own_policies"]

Kind = Literal["gate policy", "purse rule"]


@dataclass(frozen=True)
class Own:
    """A registered policy: its kind and name, what it does, and whether its reviews wait for rounds."""

    kind: Kind
    name: str
    functions: tuple[tuple[str, Behaviour], ...]
    rounds: bool = False

    @property
    def key(self) -> str:
        """Digest of what it does."""
        text = [self.kind, self.name, str(self.rounds), *(f"{name} {one.digest}" for name, one in self.functions)]
        return hashlib.sha256(";".join(text).encode()).hexdigest()


def own_policies(texts: Iterable[str]) -> tuple[Own, ...]:
    """The registered policies, built-in ones aside, whose names are among some texts.

    Raises InputError with every function whose behaviour cannot be known.
    """
    wanted, faults, found = set(texts), list[Fault](), list[Own]()
    for kind, name, policy, functions in _registered():
        if name not in wanted:
            continue
        try:
            known = tuple((field, _known(kind, name, field, one)) for field, one in functions.items())
            found.append(Own(kind, name, known, getattr(policy, "rounds", False)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(tuple(faults))
    return tuple(sorted(found, key=lambda one: (one.kind, one.name)))


def _registered() -> Iterator[tuple[Kind, str, Any, Mapping[str, Any]]]:
    for name, gate in gates.GATE_POLICIES.items():
        if name not in gates.BUILT_IN:
            yield "gate policy", name, gate, {"judge": gate.judge, "drops": gate.drops}
    for name, purse in purses.PURSE_RULES.items():
        if name not in purses.BUILT_IN:
            yield "purse rule", name, purse, {"pays": purse.pays, "blocks": purse.blocks}


def _known(kind: Kind, name: str, field: str, function: Any) -> Behaviour:
    try:
        return behaviour(function)
    except UnknownBehaviourError as error:
        rule = "must be a function whose behaviour can be known, for results are kept under it"
        advice = "Write it as a plain function of numbers, and what it uses as constants and plain functions."
        raise InputError((Fault(f"{kind} {name!r}, {field}", rule, str(error), advice),)) from None


def install(policies: Iterable[Own]) -> None:
    """In a worker: register policies that are not there. Raises InputError where another of the name is."""
    there = {(one.kind, one.name): one for one in own_policies(one.name for one in policies)}
    for policy in policies:
        mine = there.get((policy.kind, policy.name))
        if mine is not None and mine.key == policy.key:
            continue
        if mine is not None and (policy.kind, policy.name) not in _installed:
            rule = "must be the same in every worker"
            raise InputError((Fault(f"{policy.kind} {policy.name!r}", rule, "another one", "Start the workers anew."),))
        _put(policy)


_installed: set[tuple[Kind, str]] = set()
"""Policies of this process that came with a work, and may be replaced by those of another."""


def _put(policy: Own) -> None:
    _installed.add((policy.kind, policy.name))
    functions = {field: one.function() for field, one in policy.functions}
    if policy.kind == "gate policy":
        gates.GATE_POLICIES[policy.name] = gates.GatePolicy(rounds=policy.rounds, **functions)
    else:
        purses.PURSE_RULES[policy.name] = purses.PurseRule(**functions)
