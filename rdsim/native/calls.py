"""Calls by address: how compiled code calls functions that are not known when it is compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import ir
from numba import cfunc, njit, types
from numba.core import config as _config
from numba.core.typing.templates import signature
from numba.extending import intrinsic, overload

__all__ = ["address", "call", "call_by_address", "compilable", "number", "number_at", "recompile"]

config: Any = _config
_FUNCTIONS: dict[int, Any] = {}
"""Functions by address: keeps them alive, and finds them when nothing is compiled."""


def compilable(function: Callable[..., Any]) -> Any:
    """A function of a user's, compiled with those that call it and not kept; its indices are checked."""
    return njit(nogil=True, boundscheck=True)(function)


def recompile(function: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """A function that its user compiled, with the options that it was compiled with."""
    return njit(**{key: value for key, value in options.items() if key != "nopython"})(function)


_TYPES = {"i": types.int64, "f": types.float64}


def address(function: Callable[..., float], parameters: str, gives: str = "i") -> int:
    """Where compiled code finds a function; `parameters` are a letter each, i for int64 and f for float64.

    It must return what `gives` says, and not raise. Raises numba's error if numba cannot compile it.
    """
    if config.DISABLE_JIT:
        _FUNCTIONS[id(function)] = function
        return id(function)
    compiled = cfunc(_TYPES[gives](*(_TYPES[letter] for letter in parameters)))(function)
    _FUNCTIONS[compiled.address] = compiled
    return int(compiled.address)


def call(address: int, *arguments: float) -> int:
    """Call a function by its address; it returns an int64."""
    return int(_FUNCTIONS[address](*arguments))


def number(address: int, *arguments: float) -> float:
    """Call a function by its address; it returns a float64."""
    return float(_FUNCTIONS[address](*arguments))


def call_by_address(address: int, *arguments: float) -> float:
    """Call a function by its address from Python, as compiled code would."""
    function = _FUNCTIONS[address]
    found: float = function(*arguments) if config.DISABLE_JIT else function.ctypes(*arguments)
    return found


def number_at(address: int, place: int) -> float:
    """The float64 at a place of an array that begins at an address."""
    return ctypes.c_double.from_address(address + 8 * place).value


@intrinsic
def _number_at(typing_context: Any, address: Any, place: Any) -> Any:
    del typing_context, address, place

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        first = builder.inttoptr(given[0], ir.DoubleType().as_pointer())
        return builder.load(builder.gep(first, [given[1]]))

    return signature(types.float64, types.int64, types.int64), generate


@overload(number_at)
def _number_at_address(address, place):
    return lambda address, place: _number_at(address, place)


def _calling(gives: Any) -> Any:
    """An intrinsic that calls a function by its address, which returns a number of that type."""

    @intrinsic
    def calling(typing_context: Any, address: Any, arguments: Any) -> Any:
        del typing_context, address
        kinds = [types.float64 if isinstance(kind, types.Float) else types.int64 for kind in arguments.types]

        def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
            values = [
                context.cast(builder, builder.extract_value(given[1], k), sig.args[1].types[k], kind)
                for k, kind in enumerate(kinds)
            ]
            shape = ir.FunctionType(context.get_value_type(gives), [value.type for value in values])
            return builder.call(builder.inttoptr(given[0], shape.as_pointer()), values)

        return signature(gives, types.int64, arguments), generate

    return calling


_call, _number = _calling(types.int64), _calling(types.float64)


@overload(call)
def _call_by_address(address, *arguments):
    return lambda address, *arguments: _call(address, arguments)


@overload(number)
def _number_by_address(address, *arguments):
    return lambda address, *arguments: _number(address, arguments)
