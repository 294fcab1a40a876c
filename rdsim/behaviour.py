"""What a user's function does, as plain data: to tell whether two do the same, and to build it in another process.

A function is its bytecode with constants, its defaults, and what it takes from around it: closures and globals, and so
on through every function and module of the user's that it names. What comes from an installed library stands by its
name and that library's version. Lines, comments and names of files are no behaviour. What cannot be known, such as an
object with a state of its own, and what a library reads when it is asked (`rdsim.outside`), is refused.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import importlib
import inspect
import marshal
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from rdsim.outside import HIDES, attributes_of, codes, reading_among, reading_in, reading_of

__all__ = ["Behaviour", "UnknownBehaviourError", "behaviour", "is_local", "is_local_file"]

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))
_GLOBALS = {"LOAD_GLOBAL", "LOAD_NAME"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}
_WRITES = {"STORE_GLOBAL", "DELETE_GLOBAL", "IMPORT_NAME"}
_OUTSIDE = "do that outside of it, and give it the value as a constant"
"""What is read when a module is loaded, or around a function, is a value: it is in the digest."""


class UnknownBehaviourError(ValueError):
    """Says which part of a function cannot be known; who asked tells the user."""


@dataclass(frozen=True)
class Behaviour:
    """What a function does: nested tuples of plain data, each led by the name of its kind. It pickles, and
    `behaviour(known.function()).digest` is `known.digest` again."""

    parts: tuple[Any, ...]
    python: str = sys.implementation.cache_tag

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what the function answers."""
        text = hashlib.sha256(self.python.encode())
        for token in _tokens(self.parts):
            text.update(token.encode() + b"\0")
        return text.hexdigest()

    def function(self) -> Callable[..., Any]:
        """The function, built anew, sharing nothing with the first. Raises UnknownBehaviourError on another Python."""
        if self.python != sys.implementation.cache_tag:
            here = sys.implementation.cache_tag
            raise UnknownBehaviourError(f"it was written on {self.python}, and cannot be built on {here}")
        built: Callable[..., Any] = _Builder().value(self.parts)
        return built


def behaviour(function: Callable[..., Any]) -> Behaviour:
    """What a function does. Raises UnknownBehaviourError if that cannot be known."""
    return Behaviour(_Reader().parts(function, getattr(function, "__name__", "it")))


# --- taking apart ---------------------------------------------------------------------------------


class _Reader:
    """Takes values apart; a function that is met again stands as a reference to the first."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}

    def parts(self, value: Any, where: str) -> tuple[Any, ...]:
        """A value as plain data. Raises UnknownBehaviourError."""
        if type(value) in _PLAIN:
            return ("plain", value)
        if isinstance(value, np.ndarray | np.generic):
            return _array(value, where)
        if isinstance(value, ModuleType):
            return self._module(value, (), where)
        if inspect.isroutine(value) or isinstance(value, type | np.ufunc):
            return self._callable(value, where)
        return self._collection(value, where)

    def _callable(self, value: Any, where: str) -> tuple[Any, ...]:
        if not is_local(_home(value)):
            return _library_name(value, where)
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(getattr(value, "py_func", None), FunctionType):  # compiled by numba, before it came here
            given = sorted(value.targetoptions.items())
            options = tuple((key, self.parts(one, f"option {key} of {where}")) for key, one in given)
            return ("compiled", self._function(value.py_func), options)
        raise UnknownBehaviourError(f"{where} is a {type(value).__name__}, whose content cannot be known")

    def _collection(self, value: Any, where: str) -> tuple[Any, ...]:
        if type(value) in (tuple, list):
            return (type(value).__name__, *(self.parts(one, where) for one in value))
        if type(value) in (set, frozenset):
            items = sorted((self.parts(one, where) for one in value), key=repr)
            if all(one[0] == "plain" for one in items):
                return (type(value).__name__, *items)
        if type(value) is dict:
            pairs = value.items()
            return ("dict", *((self.parts(key, where), self.parts(one, f"{where}[{key!r}]")) for key, one in pairs))
        if type(value) in (range, slice):
            return (type(value).__name__, value.start, value.stop, value.step)
        raise UnknownBehaviourError(f"{where} is a {type(value).__name__}, whose content cannot be known")

    def _function(self, function: FunctionType) -> tuple[Any, ...]:
        if id(function) in self._met:
            return ("again", self._met[id(function)])
        self._met[id(function)] = len(self._met)
        code, label = function.__code__, function.__name__
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        return (
            "function",
            code_key(code),
            marshal.dumps(code),
            function.__module__,
            self.parts(function.__defaults__, f"a default of {label}"),
            self.parts(function.__kwdefaults__, f"a default of {label}"),
            tuple(
                self._outer_value(function, _content(cell, f"{name}, which {label} uses,"), name)
                for name, cell in cells
            ),
            tuple((name, self._global(function, name)) for name in _globals_of(code, label)),
        )

    def _global(self, function: FunctionType, name: str) -> tuple[Any, ...]:
        label = function.__name__
        if name not in function.__globals__:
            if not hasattr(builtins, name):
                raise UnknownBehaviourError(f"{label} names {name}, which is not there")
            if name in HIDES:
                raise UnknownBehaviourError(f"{label} calls {name} when it is called: {_OUTSIDE}")
            return ("builtin", name)
        return self._outer_value(function, function.__globals__[name], name)

    def _outer_value(self, function: FunctionType, value: Any, name: str) -> tuple[Any, ...]:
        """What a function takes from around it, under a name."""
        code, where = function.__code__, f"{name}, which {function.__name__} uses,"
        may_be_of_a_library = isinstance(value, ModuleType | type) or inspect.isroutine(value)
        if may_be_of_a_library and not is_local(_home(value)):
            _refuse_reading(function.__name__, reading_in(code, name, value))
        if isinstance(value, ModuleType):
            # Handed on, or under another name, it may be asked for anything.
            whole = () in attributes_of(code, name)
            return self._module(value, () if whole else _names_of(code, _ATTRIBUTES), where)
        return self.parts(value, where)

    def _module(self, module: ModuleType, attributes: tuple[str, ...], where: str) -> tuple[Any, ...]:
        """A library by its name; of a module of the user's what the code may take from it."""
        if not attributes:
            raise UnknownBehaviourError(
                f"{where} is a module, and what is taken from it cannot be known: name what is used of it"
            )
        if not is_local(module.__name__):
            return ("library", module.__name__, _version(module.__name__))
        found = [(name, getattr(module, name)) for name in attributes if hasattr(module, name)]
        parts = []
        for name, value in found:
            inner = isinstance(value, ModuleType)
            if inner and not is_local(value.__name__):
                _refuse_reading(where, reading_of(value) or reading_among(name, value, attributes))
            known = self._module(value, attributes, name) if inner else self.parts(value, f"{where}.{name}")
            parts.append((name, known))
        return ("module", module.__name__, tuple(parts))


def code_key(code: CodeType) -> tuple[Any, ...]:
    """What a code object does: without lines, files and its documentation."""
    constants = tuple(_constant_key(one) for one in _constants(code))
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return ("code", code.co_code.hex(), constants, names, counts, code.co_exceptiontable.hex())


def _constant_key(one: Any) -> Any:
    """A constant; a set, as in `x in {"a", "b"}`, without its order, which is another in each process."""
    if isinstance(one, CodeType):
        return code_key(one)
    if isinstance(one, tuple):
        return ("tuple", *map(_constant_key, one))
    if isinstance(one, frozenset):
        return ("frozenset", *sorted((_constant_key(item) for item in one), key=repr))
    return repr(one)


def _constants(code: CodeType) -> tuple[Any, ...]:
    """The constants; the first one, which is documentation or stands in its place, only where the code uses it."""
    used = any(one.opcode in dis.hasconst and one.arg == 0 for one in dis.get_instructions(code))
    return code.co_consts if used else ("", *code.co_consts[1:])


def _names_of(code: CodeType, operations: set[str]) -> tuple[str, ...]:
    """Names that some operations of a code object, or of one inside it, have."""
    found = (one for inner in codes(code) for one in dis.get_instructions(inner) if one.opname in operations)
    return tuple(dict.fromkeys(str(one.argval) for one in found))


def _globals_of(code: CodeType, label: str) -> tuple[str, ...]:
    written = _names_of(code, _WRITES)
    if written:
        raise UnknownBehaviourError(f"{label} imports or sets {written[0]} when it is called: do that outside of it")
    return _names_of(code, _GLOBALS)


def _content(cell: CellType, where: str) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise UnknownBehaviourError(f"{where} has no value yet") from None


def _array(value: Any, where: str) -> tuple[Any, ...]:
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise UnknownBehaviourError(f"{where} is an array of objects, whose content cannot be known")
    return ("array", isinstance(value, np.generic), array.dtype.str, array.shape, array.tobytes())


def _refuse_reading(label: str, reading: str) -> None:
    if reading:
        raise UnknownBehaviourError(f"{label} takes {reading} when it is called: {_OUTSIDE}")


def _home(value: Any) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    return str(getattr(value, "__module__", None) or ("numpy" if isinstance(value, np.ufunc) else "builtins"))


def _library_name(value: Any, where: str) -> tuple[Any, ...]:
    """What a library offers under a name."""
    home, name = _home(value), getattr(value, "__qualname__", value.__name__)
    if reading := reading_of(value):
        raise UnknownBehaviourError(f"{where} is {reading}, whose answer is not in the code: {_OUTSIDE}")
    if _look_up(home, name) is not value:
        raise UnknownBehaviourError(f"{where} is not found in {home} as {name}")
    return ("named", home, name, _version(home))


def _look_up(home: str, name: str) -> Any:
    found: Any = importlib.import_module(home)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


@cache
def _library_folders() -> tuple[Path, ...]:
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [*site.getsitepackages(), site.getusersitepackages()]
    return tuple(dict.fromkeys(Path(one).resolve() for one in paths if one))


def is_local(name: str) -> bool:
    """Whether a module is the user's own: no part of Python, rdsim or an installed package."""
    if name.partition(".")[0] in {"rdsim", *sys.stdlib_module_names} and name != "__main__":
        return False
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    # A package without a file of its own is where its folders are; a session without a script is the user's.
    places = [file] if file else list(getattr(module, "__path__", ()))
    return any(is_local_file(Path(one)) for one in places) if places else name not in sys.builtin_module_names


def is_local_file(path: Path) -> bool:
    """Whether a file is in no folder of Python's or of installed packages."""
    where = path.resolve()
    return not any(where.is_relative_to(folder) for folder in _library_folders())


def _version(name: str) -> str:
    """The version of a library; not of rdsim, whose releases keep results unless its numbers change."""
    library = name.partition(".")[0]
    return "" if library == "rdsim" else str(getattr(sys.modules.get(library), "__version__", ""))


def _tokens(parts: Any) -> Iterator[str]:
    """A tree of plain data as texts; code stands by what it does and not by its bytes, which hold lines and files."""
    if not isinstance(parts, tuple):
        yield repr(parts)
        return
    # Names that the code uses are tuples too, and "function" may be the first of them.
    is_function = parts[:1] == ("function",) and isinstance(parts[1], tuple)
    kept = (parts[0], parts[1], *parts[4:]) if is_function else parts
    yield "("
    for one in kept:
        yield from _tokens(one)
    yield ")"


# --- building -------------------------------------------------------------------------------------


class _Builder:
    """Builds values from their parts."""

    def __init__(self) -> None:
        self._made: list[FunctionType] = []
        self._kinds: Mapping[str, Callable[..., Any]] = {
            "plain": lambda value: value,
            "array": _array_of,
            "library": lambda name, _version: importlib.import_module(name),
            "named": lambda home, name, _version: _look_up(home, name),
            "again": lambda number: self._made[number],
            "function": self._function,
            "compiled": self._compile,
            "module": self._module,
            "dict": lambda *pairs: {self.value(key): self.value(one) for key, one in pairs},
            "range": range,
            "slice": slice,
            **{kind.__name__: self._maker(kind) for kind in (tuple, list, set, frozenset)},
        }

    def value(self, parts: tuple[Any, ...]) -> Any:
        """The value of some parts."""
        return self._kinds[parts[0]](*parts[1:])

    def _maker(self, kind: type) -> Callable[..., Any]:
        return lambda *items: kind(self.value(one) for one in items)

    def _function(
        self, _key: Any, code: bytes, home: str, defaults: Any, named: Any, cells: Any, names: Any
    ) -> FunctionType:
        surroundings: dict[str, Any] = {"__builtins__": builtins, "__name__": home}
        closure = tuple(CellType() for _ in cells)
        body: CodeType = marshal.loads(code)  # noqa: S302 - written by `behaviour`, from this sweep
        made = FunctionType(body, surroundings, body.co_name, None, closure)
        self._made.append(made)
        made.__defaults__, made.__kwdefaults__ = self.value(defaults), self.value(named)
        for cell, one in zip(closure, cells, strict=True):
            cell.cell_contents = self.value(one)
        surroundings |= {name: self.value(one) for name, one in names if one[0] != "builtin"}
        return made

    def _compile(self, function: tuple[Any, ...], options: tuple[tuple[str, Any], ...]) -> Any:
        from rdsim.native.calls import recompile  # noqa: PLC0415 - numba, for those who bring it

        return recompile(self.value(function), {key: self.value(one) for key, one in options})

    def _module(self, name: str, attributes: tuple[tuple[str, Any], ...]) -> ModuleType:
        module = ModuleType(name)
        for attribute, one in attributes:
            setattr(module, attribute, self.value(one))
        return module


def _array_of(single: bool, kind: str, shape: tuple[int, ...], data: bytes) -> Any:
    array = np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()
    return array[()] if single else array
