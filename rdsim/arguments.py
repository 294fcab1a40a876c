"""What is given in Python, against its annotations: another type is a fault as any other, and all are told at once.

Settings check their fields when they are made (`check_fields`), functions of the public interface what they are called
with (`check_arguments`), and whole numbers have their limits (`whole_faults`).
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from rdsim.errors import Fault, InputError, cut

__all__ = ["check_arguments", "check_fields", "refuse", "whole_faults"]

P = ParamSpec("P")
T = TypeVar("T")

_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    NoneType: "None",
}
_CONTAINERS: Mapping[Any, tuple[str, type]] = {
    Callable: ("a function", Callable),  # type: ignore[dict-item]
    Mapping: ("a mapping", Mapping),
    **dict.fromkeys((tuple, list, Iterable, Sequence), ("a list", Iterable)),
}
"""What a value of such a type is called, and what it must at least be; text is none of them."""
_WIDEST = 80


def refuse(*faults: Fault, error: type[InputError] = InputError) -> None:
    """Raise InputError, or that kind of it, if there are faults."""
    if faults:
        raise error(faults)


def check_fields(value: Any, error: type[InputError] = InputError) -> None:
    """Raise InputError, or that kind of it, with every field of a dataclass that is not of its type."""
    hints = _hints_of_class(type(value))
    fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.init}
    label = type(value).__name__
    refuse(*_faults({f"{label}, {name}": (hints.get(name, Any), one) for name, one in fields.items()}), error=error)


def check_arguments(*apart: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Check what a function is called with; arguments set apart are told by checks of their own."""

    def decorated(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        several = {name for name, one in signature.parameters.items() if one.kind is one.VAR_POSITIONAL}

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs).arguments
            hints = {name: _each(one) if name in several else one for name, one in _hints(function).items()}
            refuse(*_faults({name: (hints.get(name, Any), one) for name, one in given.items() if name not in apart}))
            return function(*args, **kwargs)

        return call

    return decorated


def _each(hint: Any) -> Any:
    """The type of what is gathered under a star, each one of the annotation's type."""
    return GenericAlias(tuple, (hint, ...))


def whole_faults(*wanted: tuple[str, int | None, int, int]) -> Iterator[Fault]:
    """A fault for each that is given and not a whole number within limits: its name, its value, the least, and what it
    must be below."""
    for name, value, least, limit in wanted:
        if value is not None and not (_is_whole(value) and least <= value < limit):
            yield Fault(
                name, f"must be a whole number of at least {least}, below {_limit_words(limit)}", _value_words(value)
            )


@functools.cache
def _hints(owner: Callable[..., Any]) -> dict[str, Any]:
    """Annotations as types; of what is imported for type checkers alone nothing is known."""
    room = vars(sys.modules[owner.__module__])
    return {name: _evaluate(one, room) for name, one in inspect.get_annotations(owner).items()}


def _hints_of_class(owner: type[Any]) -> dict[str, Any]:
    """Those of its fields, with what it inherits."""
    return {name: one for base in reversed(owner.__mro__) for name, one in _hints(base).items()}


def _evaluate(hint: Any, room: Mapping[str, Any]) -> Any:
    try:
        return eval(hint, dict(room)) if isinstance(hint, str) else hint  # noqa: S307 - rdsim's own annotations
    except NameError:
        return Any


def _faults(given: Mapping[str, tuple[Any, object]]) -> Iterator[Fault]:
    for name, (hint, value) in given.items():
        if not _fits(hint, value):
            words = " or ".join(dict.fromkeys(_words(hint)))
            yield Fault(name, f"must be {words}", _value_words(value), _advice(name, hint, value))


def _fits(hint: Any, value: object) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(one, value) for one in inside)
    if origin is Annotated:
        return _fits(inside[0], value)
    if origin is Literal:
        return isinstance(value, str) and value in inside
    if origin in _CONTAINERS:
        return isinstance(value, _CONTAINERS[origin][1]) and not isinstance(value, str) and _parts_fit(inside, value)
    return _fits_plain(hint, value)


def _parts_fit(inside: tuple[Any, ...], value: object) -> bool:
    """Whether what a mapping or a list holds is of its types; what can be gone through once is left alone."""
    if isinstance(value, Mapping):
        return all(_fits(inside[0], key) and _fits(inside[1], one) for key, one in value.items())
    return all(_fits(inside[0], one) for one in value) if isinstance(value, list | tuple) else True


def _fits_plain(hint: Any, value: object) -> bool:
    if hint is int:
        return _is_whole(value)
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) and hint is not Any else True


def _limit_words(limit: int) -> str:
    """A limit as it is said: powers of two that nobody reads in digits by their exponent."""
    exponent = limit.bit_length() - 1
    return f"2**{exponent}" if exponent > 40 and limit == 1 << exponent else f"{limit:,}"


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _words(hint: Any) -> Iterator[str]:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for one in get_args(hint):
            yield from _words(one)
    elif origin is Literal:
        yield f"one of {', '.join(map(str, get_args(hint)))}"
    elif origin is Annotated:
        yield from _words(get_args(hint)[0])
    elif origin in _CONTAINERS:
        yield ", each ".join([_CONTAINERS[origin][0], *_parts_words(origin, get_args(hint))])
    else:
        yield _WORDS.get(hint) or _noun(getattr(hint, "__name__", str(hint)))


def _noun(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _parts_words(origin: Any, inside: tuple[Any, ...]) -> Iterator[str]:
    """What a mapping or a list must hold, if that is of one type."""
    held = inside[-1] if origin is Mapping else inside[0]
    words = list(_words(held)) if origin is not Callable and held is not Any and held is not Ellipsis else []
    if words:
        yield " or ".join(words)


def _advice(name: str, hint: Any, value: object) -> str:
    """Of settings that are asked for: the field that the value would fit."""
    for one in get_args(hint) or (hint,):
        if dataclasses.is_dataclass(one) and isinstance(one, type):
            field = next((key for key, inside in _hints_of_class(one).items() if _fits(inside, value)), None)
            if field is not None:
                return f"Write {name}={one.__name__}({field}={_value_words(value)})."
    return ""


def _value_words(value: object) -> str:
    return cut(repr(value), _WIDEST)
