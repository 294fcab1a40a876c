"""Values that cannot be changed in place: what was once found right stays right."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["Frozen", "FrozenTable"]

K = TypeVar("K")
V = TypeVar("V")


class FrozenTable(dict[K, V]):
    """A dictionary that does not change; ``table | {key: value}`` makes a new one."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a table of a scenario does not change: scenario.with_ makes another scenario")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenTable[K, V]], tuple[dict[K, V]]]:
        """Copied and pickled by being made anew."""
        return type(self), (dict(self),)


class Frozen:
    """Base of frozen dataclasses whose tables and tuples are frozen as well, whatever they were made of."""

    def __post_init__(self) -> None:
        """Freeze what was given; what no table or tuple can be made of is left for the door to refuse."""
        held = _HELD.get(type(self))
        for name in _container_fields(type(self)) if held is None else held:
            given = getattr(self, name)
            if type(given) is not tuple or given:
                object.__setattr__(self, name, frozen(given))


def frozen(value: Any) -> Any:
    """Tables and lists, and those in them, as what does not change; anything else as it is."""
    if type(value) is FrozenTable:
        return value
    if isinstance(value, tuple):
        return tuple(map(frozen, value)) if any(isinstance(one, _LOOSE) for one in value) else value
    if isinstance(value, Mapping):
        loose = any(isinstance(one, _LOOSE) for one in value.values())
        return FrozenTable({key: frozen(one) for key, one in value.items()} if loose else value)
    plain = value.tolist() if getattr(value, "ndim", 0) and hasattr(value, "tolist") else value
    return tuple(map(frozen, plain)) if isinstance(plain, list) else value


def _container_fields(record: type) -> tuple[str, ...]:
    """The fields that hold tables or tuples, found once for each class."""
    hints = get_type_hints(record)
    _HELD[record] = tuple(name for name, hint in hints.items() if _holds(hint))
    return _HELD[record]


def _holds(hint: Any) -> bool:
    of_several = get_origin(hint) in (Union, UnionType)
    return any(map(_holds, get_args(hint))) if of_several else get_origin(hint) in (dict, tuple)


_HELD: dict[type, tuple[str, ...]] = {}
_LOOSE = (dict, list, tuple)
