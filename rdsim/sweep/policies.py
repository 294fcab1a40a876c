"""Extensions of a user's in a sweep: what they do is in the keys of results, and goes with the work to every worker."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rdsim.behaviour import Behaviour, UnknownBehaviourError, behaviour
from rdsim.errors import Fault, InputError
from rdsim.registry import Extension, Registry, load_installed_packages

__all__ = ["Own", "install", "own_policies"]


@dataclass(frozen=True)
class Own:
    """A registered extension: the noun of its registry and its name, what it does, and its other fields."""

    kind: str
    name: str
    functions: tuple[tuple[str, Behaviour], ...]
    settings: tuple[tuple[str, Any], ...] = ()
    made: Callable[..., Extension] = Extension

    @property
    def key(self) -> str:
        """Digest of what it does."""
        text = [self.kind, self.name, repr(self.settings), *(f"{name} {one.digest}" for name, one in self.functions)]
        return hashlib.sha256(";".join(text).encode()).hexdigest()


def own_policies(texts: Iterable[str]) -> tuple[Own, ...]:
    """The registered extensions, built-in ones aside, whose names are among some texts.

    Raises InputError with every function whose behaviour cannot be known.
    """
    wanted, faults, found = set(texts), list[Fault](), list[Own]()
    for kind, name, one in _extensions():
        if name not in wanted:
            continue
        try:
            known = tuple((field, _behaviour(kind, name, field, function)) for field, function in one.functions.items())
            found.append(Own(kind, name, known, _settings(one), type(one)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(tuple(faults))
    return tuple(sorted(found, key=lambda one: (one.kind, one.name)))


def _extensions() -> Iterator[tuple[str, str, Extension]]:
    load_installed_packages()
    for registry in Registry.every:
        for name, one in registry.own().items():
            if isinstance(one, Extension):
                yield registry.noun, name, one


def _settings(extension: Extension) -> tuple[tuple[str, Any], ...]:
    fields = (one for one in dataclasses.fields(extension) if one.init)
    names = [one.name for one in fields if one.name not in extension.contracts]
    return tuple((name, getattr(extension, name)) for name in names)


def _behaviour(kind: str, name: str, field: str, function: Any) -> Behaviour:
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


_installed: set[tuple[str, str]] = set()
"""Extensions of this process that came with a work, and may be replaced by those of another."""


def _put(policy: Own) -> None:
    _installed.add((policy.kind, policy.name))
    registry = next(one for one in Registry.every if one.noun == policy.kind)
    functions = {field: one.function() for field, one in policy.functions}
    registry.register(policy.name, policy.made(**functions, **dict(policy.settings)), replace=True)
