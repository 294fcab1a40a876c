"""Extension points: what a plug-in's functions may ask for, and the registries that hold what plug-ins bring.

A function of a plug-in takes its arguments **by name**, any subset of what its `Contract` offers: whoever needs two
numbers of ten writes two, and an argument that a later release offers breaks nobody. What a name stands for is kept
in a `Registry`: those that came with rdsim, and those that were registered, which can be replaced and taken back.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rdsim.domain import NAMES
from rdsim.errors import ExtensionError, Fault

__all__ = ["Contract", "Registry", "Taken"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Contract:
    """What one function of an extension point is offered, by name, and what it must answer."""

    point: str
    """What the function is, as `gate policy, judge`."""
    offers: Mapping[str, str]
    """Every argument's meaning and unit, by name, in the order in which rdsim gives them."""
    answers: str
    """What it must return."""

    def taken(self, label: str, function: Callable[..., Any], also: Mapping[str, str] | None = None) -> Taken:
        """Which of the arguments a function takes; `also` are offered besides, by what registers the function.

        Raises: ExtensionError with every argument that nobody offers.
        """
        offered = (*self.offers, *(also or {}))
        faults, names = list[Fault](), list[str]()
        for one in _signature(self, label, function).parameters.values():
            if one.kind is one.VAR_KEYWORD:
                names += [name for name in offered if name not in names]
            elif one.kind is one.VAR_POSITIONAL or (one.name not in offered and one.default is not one.empty):
                continue  # a default is a value that the function brings itself
            elif one.name in offered and one.kind is not one.POSITIONAL_ONLY:
                names.append(one.name)
            else:
                faults.append(Fault(f"{label}", f"may take {', '.join(offered)}, by name", repr(one.name)))
        if faults:
            raise ExtensionError(tuple(faults))
        return Taken(function, tuple(names), offered)

    def __str__(self) -> str:
        lines = [f"{self.point}: {self.answers}", *(f"  {name}: {meaning}" for name, meaning in self.offers.items())]
        return "\n".join(lines)


def _signature(contract: Contract, label: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as error:
        rule = f"must be a function whose arguments can be read, and that answers with {contract.answers}"
        raise ExtensionError((Fault(label, rule, str(error)),)) from error


@dataclass(frozen=True)
class Taken:
    """A function and the names of the offered arguments that it takes; called with all that is offered, by position."""

    function: Callable[..., Any]
    names: tuple[str, ...]
    offered: tuple[str, ...]

    def __call__(self, *given: Any) -> Any:
        """The function's answer; `given` are the values of all that is offered, in the order of the contract."""
        known = dict(zip(self.offered, given, strict=True))
        return self.function(**{name: known[name] for name in self.names})

    def of(self, given: Mapping[str, Any]) -> Any:
        """The function's answer; `given` holds at least what it takes."""
        return self.function(**{name: given[name] for name in self.names})


class Registry(Mapping[str, T], Generic[T]):
    """What names stand for at one extension point, those that came with rdsim first."""

    def __init__(self, noun: str, kind: type[T], built_in: Mapping[str, T]) -> None:
        self.noun, self.kind = noun, kind
        self.built_in = frozenset(built_in)
        """Names of those that came with rdsim."""
        self._known: dict[str, T] = dict(built_in)

    def __getitem__(self, name: str) -> T:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def register(self, name: str, value: T, *, replace: bool = False) -> None:
        """Add one under a name. With `replace`, one that was registered before gives way: a cell may run twice.

        Raises: ExtensionError for what is of another kind, for a name that no file could bear, and for one in use.
        """
        faults = tuple(self._faults(name, value, replace=replace))
        if faults:
            raise ExtensionError(faults)
        self._known[name] = value

    def _faults(self, name: str, value: T, *, replace: bool) -> Iterator[Fault]:
        label = f"{self.noun} {name!r}"
        if not isinstance(value, self.kind):
            yield Fault(label, f"must be a {self.kind.__name__}", type(value).__name__)
        if not (isinstance(name, str) and re.fullmatch(NAMES, name)):
            yield Fault(label, "must have a name of letters, digits and . _ + - only, at most 64", repr(name))
        elif name in self.built_in:
            yield Fault(label, "must have a name of its own", "a name that came with rdsim")
        elif name in self._known and not replace:
            yield Fault(label, "must have a name of its own", "a name in use", "Give replace=True to put it in place.")

    def unregister(self, name: str) -> T:
        """Take one back, and return it. Raises ExtensionError for a name that nobody registered."""
        if name in self.built_in or name not in self._known:
            found = "it came with rdsim" if name in self.built_in else "unknown"
            raise ExtensionError((Fault(f"{self.noun} {name!r}", "must have been registered by somebody", found),))
        return self._known.pop(name)
