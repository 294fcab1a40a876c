"""What of the libraries answers by what is nowhere in the code: files, the clock, surroundings, chance.

Of Python's own library what computes is listed, and all else is taken to read; of other libraries what reads is known
by its name, as ``read_csv``, ``load``, ``random`` or ``now``.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile
from types import CodeType, ModuleType
from typing import Any

__all__ = ["HIDES", "attributes_of", "codes", "reading_among", "reading_in", "reading_of"]

HIDES = frozenset(
    {"open", "input", "eval", "exec", "compile", "globals", "locals", "vars", "dir", "__import__", "breakpoint", "help"}
    | {"id", "hash"}
)
"""Built-in functions whose answer depends on files, on names in texts, or on the process."""

_COMPUTES = frozenset(
    {"__future__", "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections", "contextlib"}
    | {"copy", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "graphlib"}
    | {"hashlib", "heapq", "itertools", "json", "math", "numbers", "operator", "re", "statistics", "string", "struct"}
    | {"textwrap", "types", "typing", "unicodedata", "warnings", "zlib"}
)
"""Modules of Python's own library that answer by their arguments alone."""

_READS = frozenset(
    {"load", "loadtxt", "loadmat", "genfromtxt", "fromfile", "from_file", "fromregex", "memmap", "DataSource", "open"}
    | {"ExcelFile", "HDFStore", "imread", "io", "datasets", "ctypeslib"}  # files
    | {"now", "today", "utcnow", "time_ns", "perf_counter", "monotonic"}  # the clock
    | {"environ", "getenv", "getcwd"}  # surroundings
    | {"random", "rvs", "default_rng", "RandomState", "SystemRandom"}  # chance
)
_BEGINNINGS = ("read_", "load_", "open_", "fetch_")

_NAMES = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions inside it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from codes(one)


def reading_of(value: Any) -> str:
    """What a library's module, function or class reads by, as ``pathlib.Path``: "" if it is not known to read."""
    home, name = _place(value)
    parts = home.split(".")
    if parts[0] == "builtins":
        return name if name in HIDES or not name else ""
    plain = parts[0] if parts[0] in _COMPUTES else parts[0].removeprefix("_")  # _bisect is where bisect is written
    reads = parts[0] in sys.stdlib_module_names and plain not in _COMPUTES
    reads |= any(map(_reads, (*parts[1:], *name.split("."))))
    return ".".join(filter(None, [plain, *parts[1:], name])) if reads else ""


def _place(value: Any) -> tuple[str, str]:
    """The module that something is of by its own word, and its name there."""
    if isinstance(value, ModuleType):
        return value.__name__, ""
    return str(getattr(value, "__module__", None) or ""), str(getattr(value, "__qualname__", ""))


def _reads(name: str) -> bool:
    return name in _READS or name.startswith(_BEGINNINGS)


def reading_in(code: CodeType, name: str, value: Any) -> str:
    """What a code object takes that reads, from a library's module, function or class that it has under a name: "" if
    nothing is known to."""
    along = (_reading_along(name, value, path) for path in attributes_of(code, name))
    return reading_of(value) or next(filter(None, along), "")


def reading_among(label: str, value: Any, names: Iterable[str]) -> str:
    """The first of some attributes of a module that reads, with a label before it: "" if none is known to."""
    return next(filter(None, (_reading_along(label, value, (one,)) for one in names)), "")


def _reading_along(label: str, value: Any, path: tuple[str, ...]) -> str:
    """What reads on the way from a value along its attributes."""
    for depth, attribute in enumerate(path, start=1):
        value = getattr(value, attribute, None)
        if value is None:
            return ""
        if _reads(attribute) or reading_of(value):
            return ".".join((label, *path[:depth]))
    return ""


def attributes_of(code: CodeType, name: str) -> tuple[tuple[str, ...], ...]:
    """The attributes that stand after each use of a name, in a code object and those inside it; none, where it is
    taken as a whole."""
    return tuple(dict.fromkeys(_attributes(code, name)))


def _attributes(code: CodeType, name: str) -> Iterator[tuple[str, ...]]:
    for inner in codes(code):
        steps = [one for one in dis.get_instructions(inner) if one.opname != "EXTENDED_ARG"]
        for place, step in enumerate(steps, start=1):
            if step.opname in _NAMES and step.argval == name:
                after = takewhile(lambda one: one.opname in _ATTRIBUTES, steps[place:])
                yield tuple(str(one.argval) for one in after)
