"""Extension points: what a plug-in's functions may ask for, and the registries that hold what plug-ins bring.

A function of a plug-in takes its arguments **by name**, any subset of what its `Contract` offers: whoever needs two
numbers of ten writes two, and an argument that a later release offers breaks nobody. Beside those it may take
`Parameter`s of its own, whose values a scenario gives. What a name stands for is kept in a `Registry`: those that came
with rdsim, and those that were registered, which can be replaced and taken back. Installed packages register by the
entry points of the group `rdsim.plugins`, modules or functions without arguments, which are loaded when a name is not
found or names are listed for somebody to read. What nobody asked for by its name then changes nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
import dis
import inspect
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from keyword import iskeyword
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rdsim.errors import ExtensionError, Fault, InstalledWarning, raised_text
from rdsim.names import NAMES

__all__ = [
    "GROUP",
    "TABLES",
    "Binding",
    "Contract",
    "Extension",
    "Numbers",
    "Package",
    "Parameter",
    "Registry",
    "Setting",
    "Text",
    "installed_packages",
    "load_installed_packages",
    "packages_of",
]

GROUP = "rdsim.plugins"
"""Group of the entry points by which installed packages register what they bring."""

TABLES = (
    "programmes",
    "technologies",
    "fields",
    "modes",
    "partners",
    "calibrations",
    "panels",
    "facilities",
    "institutes",
    "uncertainty",
)
"""Tables of a scenario by whose ids an extension's numbers may stand."""

T = TypeVar("T")


@dataclass(frozen=True)
class Parameter:
    """A number of an extension's own, which a scenario may give; its functions take it by its name."""

    name: str
    default: float
    lowest: float = -math.inf
    highest: float = math.inf
    whole: bool = False
    """Whether it is a whole number; functions then get an `int`."""
    description: str = ""
    """What it means, and its unit."""

    def value(self, given: Mapping[str, float]) -> float:
        """What is given under its name, or its default."""
        found = given.get(self.name, self.default)
        return int(found) if self.whole else float(found)

    def rule(self, value: object) -> str:
        """'' if it may have this value, or what it must be."""
        return "" if self.fits(value) else f"must be {self}"

    def fits(self, value: object) -> bool:
        """Whether it may have this value."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (not self.whole or float(value).is_integer()) and self.lowest <= value <= self.highest

    def __str__(self) -> str:
        limits = [
            text
            for text, limit in ((f"at least {self.lowest:g}", self.lowest), (f"at most {self.highest:g}", self.highest))
            if math.isfinite(limit)
        ]
        return " ".join(["a whole number" if self.whole else "a number", " and ".join(limits)]).strip()


class Setting(Protocol):
    """What a scenario may give an extension: a number (`Parameter`), `Numbers` under keys or a `Text`."""

    @property
    def name(self) -> str:
        """By which functions take it."""

    @property
    def default(self) -> Any:
        """What it is where a scenario says nothing."""

    @property
    def description(self) -> str:
        """What it means, and its unit."""

    def value(self, given: Mapping[str, Any]) -> Any:
        """What is given under its name, or its default."""

    def rule(self, value: object) -> str:
        """'' if it may have this value, or what it must be."""


@dataclass(frozen=True)
class Numbers:
    """Numbers of an extension's own under keys, as one for each year; functions get a dictionary, years as `int`.

    Keys are fiscal years; with `of` they are ids of that table of the scenario, as `of="partners"`; without either,
    names that nobody checks.
    """

    name: str
    default: Mapping[Any, float] = dataclasses.field(default_factory=dict)
    each: Parameter = Parameter("each", 0.0)
    """What each number must be."""
    years: bool = True
    """Whether the keys are fiscal years, if they are no ids; else they are names."""
    description: str = ""
    """What they mean, and their unit."""
    of: str = ""
    """The table of the scenario whose ids the keys are, one of `TABLES`; empty: none."""

    @property
    def by_year(self) -> bool:
        """Whether the keys are fiscal years."""
        return self.years and not self.of

    def value(self, given: Mapping[str, Any]) -> dict[Any, float]:
        """What is given under its name, or its default."""
        table = given.get(self.name, self.default)
        return {int(key) if self.by_year else key: self.each.value({"each": one}) for key, one in table.items()}

    def rule(self, value: object) -> str:
        """'' if it may have this value, or what it must be."""
        proper = (
            isinstance(value, Mapping) and all(map(self.is_key, value)) and all(map(self.each.fits, value.values()))
        )
        return "" if proper else f"must be {self}"

    def is_key(self, key: object) -> bool:
        """Whether a number may stand under it, whatever the scenario."""
        return not self.by_year or bool(re.fullmatch("[0-9]{4}", str(key)))

    def __str__(self) -> str:
        keys = "fiscal years" if self.by_year else self.of or "names"
        return f"a table of {keys}, each with {self.each}"


@dataclass(frozen=True)
class Text:
    """A text of an extension's own, one of some `choices` if there are any."""

    name: str
    default: str = ""
    choices: tuple[str, ...] = ()
    description: str = ""

    def value(self, given: Mapping[str, Any]) -> str:
        """What is given under its name, or its default."""
        return str(given.get(self.name, self.default))

    def rule(self, value: object) -> str:
        """'' if it may have this value, or what it must be."""
        proper = isinstance(value, str) and (not self.choices or value in self.choices)
        return "" if proper else f"must be {self}"

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.choices))}" if self.choices else "a text"


@dataclass(frozen=True)
class Contract:
    """What one function of an extension point is offered, by name, and what it must answer."""

    point: str
    """What the function is, as `gate policy, judge`."""
    offers: Mapping[str, str]
    """Every argument's meaning and unit, by name, in the order in which rdsim gives them."""
    answers: str
    """What it must return."""
    older: int = 0
    """How many of the first arguments were once given by position: functions written so are taken still."""

    def bind(self, label: str, function: Callable[..., Any], also: Sequence[str] = ()) -> Binding:
        """Which of the arguments a function takes; `also` are offered besides, by what registers the function.

        Raises: ExtensionError with every argument that nobody offers.
        """
        offered = (*self.offers, *also)
        signature = _signature(self, label, function)
        names, strange = _names(signature, offered)
        if self.is_by_position(signature, offered):
            return Binding(function, offered[: self.older], offered, by_position=True)
        if strange:
            rule = f"may take {', '.join(offered)}, by name"
            raise ExtensionError(tuple(Fault(label, rule, repr(name), _close(name, offered)) for name in strange))
        return Binding(function, names, offered)

    def is_by_position(self, signature: inspect.Signature, offered: Sequence[str]) -> bool:
        """Whether a function is written as earlier releases asked for: with names of its own, or a star."""
        star = any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values())
        if not self.older or not (star or _names(signature, offered)[1]):
            return False
        try:
            signature.bind(*range(self.older))
        except TypeError:
            return False
        return True

    def __str__(self) -> str:
        lines = [f"{self.point}: {self.answers}", *(f"  {name}: {meaning}" for name, meaning in self.offers.items())]
        return "\n".join(lines)


def _close(name: str, offered: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, offered, 1, 0.6)
    return f"Did you mean {close[0]!r}?" if close else ""


def _signature(contract: Contract, label: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as error:
        rule = f"must be a function whose arguments can be read, and that answers with {contract.answers}"
        raise ExtensionError((Fault(label, rule, str(error)),)) from error


def _names(signature: inspect.Signature, offered: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that a function takes of what is offered, and those that nobody offers."""
    names, strange = list[str](), list[str]()
    for one in signature.parameters.values():
        if one.kind is one.VAR_KEYWORD:
            names += [name for name in offered if name not in names]
        elif one.kind is one.VAR_POSITIONAL or (one.name not in offered and one.default is not one.empty):
            continue  # a default is a value that the function brings itself
        elif one.name in offered and one.kind is not one.POSITIONAL_ONLY:
            names.append(one.name)
        else:
            strange.append(one.name)
    return tuple(names), tuple(strange)


@dataclass(frozen=True)
class Binding:
    """A function and the names of the offered arguments that it takes; called with all that is offered, by position."""

    function: Callable[..., Any]
    names: tuple[str, ...]
    offered: tuple[str, ...]
    by_position: bool = False

    def __call__(self, *given: Any) -> Any:
        """The function's answer; `given` are the values of all that is offered, in the order of the contract."""
        return self.positional(*given)

    @property
    def positional(self) -> Callable[..., Any]:
        """The function as one of all that is offered, by position: for who asks again and again."""
        adapter: Callable[..., Any] = _adapter(self.offered, self.names, self.by_position)(self.function)
        return adapter

    def of(self, given: Mapping[str, Any]) -> Any:
        """The function's answer; `given` holds at least what it takes."""
        if self.by_position:
            return self.function(*(given[name] for name in self.names))
        return self.function(**{name: given[name] for name in self.names})


@cache
def _adapter(offered: tuple[str, ...], names: tuple[str, ...], by_position: bool) -> Callable[..., Any]:
    """Makes of a function of some names one of all that is offered, by position.

    It is compiled from a text: the call costs what one that was written by hand does, without a dictionary.
    """
    places = {name: f"given{place}" for place, name in enumerate(offered)}
    handed = [_argument_text(name, places[name], by_position) for name in names]
    text = f"lambda function: lambda {', '.join(places.values())}: function({', '.join(handed)})"
    found: Callable[..., Any] = eval(compile(text, "<arguments by name>", "eval"))  # noqa: S307 - of identifiers only
    return found


def _argument_text(name: str, place: str, by_position: bool) -> str:
    """An argument as a call's text has it; a word of Python's own reaches a function that takes whatever comes."""
    if by_position:
        return place
    return f"**{{{name!r}: {place}}}" if iskeyword(name) else f"{name}={place}"


# --- what is registered ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Extension:
    """What stands under a name at an extension point: functions with contracts, and the parameters they share."""

    contracts: ClassVar[Mapping[str, Contract]] = {}
    """By the name of the field that holds the function; a field that holds None has none."""
    kinds: ClassVar[tuple[type, ...]] = (Parameter,)
    """Of its parameters."""

    _: KW_ONLY
    parameters: tuple[Setting, ...] = ()

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """Its functions, by field."""
        return {field: one for field in self.contracts if (one := getattr(self, field)) is not None}

    def bind(self, label: str, field: str) -> Binding:
        """One of its functions, and what it takes. Raises ExtensionError with every argument that nobody offers."""
        return self.contracts[field].bind(label, getattr(self, field), [one.name for one in self.parameters])

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Its parameters' values, those that are not given at their defaults, in the order of `parameters`."""
        return tuple(one.value(given) for one in self.parameters)

    @property
    def whole(self) -> tuple[bool, ...]:
        """Which of its parameters are whole numbers."""
        return tuple(isinstance(one, Parameter) and one.whole for one in self.parameters)

    def restore(self, row: Sequence[float]) -> tuple[float, ...]:
        """Values that `values` gave, after they were numbers of an array."""
        return tuple(int(one) if whole else one for whole, one in zip(self.whole, row, strict=False))

    def faults(self, label: str) -> Iterator[Fault]:
        """What is wrong with it, whatever a scenario says."""
        strange = [type(one).__name__ for one in self.parameters if not isinstance(one, self.kinds)]
        if strange:
            kinds = " or ".join(kind.__name__ for kind in self.kinds)
            yield from (Fault(f"{label}, parameters", f"each must be a {kinds}", one) for one in strange)
            return
        offered = {name for one in self.contracts.values() for name in one.offers}
        names = [one.name for one in self.parameters]
        for one in self.parameters:
            where = f"{label}, parameter {one.name!r}"
            if one.name in offered:
                yield Fault(where, "must have a name of its own", "an argument that rdsim offers its functions")
            elif names.count(one.name) > 1 or not one.name.isidentifier():
                yield Fault(where, "must have a name of its own, of letters, digits and _ only", repr(one.name))
            if isinstance(one, Numbers) and one.of not in ("", *TABLES):
                yield Fault(f"{where}, of", f"must be one of {', '.join(TABLES)}", repr(one.of), _close(one.of, TABLES))
            if rule := one.rule(one.default):
                yield Fault(where, f"the default {rule}", repr(one.default))
        for field, function in self.functions.items():
            if _answers_nothing(function):
                yield Fault(f"{label}, {field}", f"must answer with {self.contracts[field].answers}", "no return")
            try:
                self.bind(f"{label}, {field}", field)
            except ExtensionError as error:
                yield from error.faults

    def by_position(self, label: str) -> Iterator[str]:
        """A line for each function that is written as earlier releases asked for, and what to write instead."""
        for field in self.functions:
            if self.bind(label, field).by_position:
                yield (
                    f"{label}, {field}: arguments are given by name now; "
                    f"name those that it needs of {', '.join(self.contracts[field].offers)}"
                )


def _answers_nothing(function: Callable[..., Any]) -> bool:
    """Whether a function ends without an answer on each of its ways: one that never returns has none."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
        return False
    steps = list(dis.get_instructions(code))
    ends = [(before, step) for before, step in zip([None, *steps], steps, strict=False) if step.opname in _RETURNS]
    return bool(ends) and all(_is_none(before, step) for before, step in ends)


_RETURNS = ("RETURN_VALUE", "RETURN_CONST")


def _is_none(before: dis.Instruction | None, step: dis.Instruction) -> bool:
    """Whether what is returned is None as it stands in the code; where a return is jumped to, it may be anything."""
    if step.opname == "RETURN_VALUE" and step.is_jump_target:
        return False
    loading = step if step.opname == "RETURN_CONST" else before
    return loading is not None and loading.opname in ("RETURN_CONST", "LOAD_CONST") and loading.argval is None


def _origin(value: object) -> tuple[tuple[str, str], ...]:
    """Modules and qualified names of a value's functions, rdsim's own aside: whoever defines it again has the same."""
    fields = [getattr(value, one.name) for one in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else []
    functions = [one for one in (value, *fields) if callable(one) and hasattr(one, "__qualname__")]
    return tuple((one.__module__, one.__qualname__) for one in functions if not one.__module__.startswith("rdsim."))


def _home(value: object) -> str:
    """Where a value's functions were defined, as messages say it."""
    origin = _origin(value)
    if not origin:
        return ""
    module, name = origin[0]
    file = getattr(sys.modules.get(module), "__file__", None)
    return f", by {name} of {file or module}"


@dataclass(frozen=True, order=True)
class Package:
    """An installed package: the name and version of its distribution, and the entry point by which it registers."""

    name: str
    version: str
    entry_point: str


_loading: list[Package] = []
"""Whose entry point is being loaded, if any is."""


def installed_packages() -> tuple[Package, ...]:
    """Every entry point that installed packages have for rdsim; nothing is loaded."""
    return tuple(_package_of(one) for one in entry_points(group=GROUP))


@cache
def load_installed_packages() -> tuple[Fault, ...]:
    """Load what installed packages bring, once; a fault for each that failed, which hides none of the others.

    Warns (InstalledWarning) of those that failed.
    """
    faults = tuple(fault for one in entry_points(group=GROUP) if (fault := _fault_of(one)))
    for fault in faults:
        warnings.warn(str(fault), InstalledWarning, stacklevel=3)
    return faults


def _fault_of(entry: EntryPoint) -> Fault | None:
    """Load a module, or load and call a function; what went wrong."""
    _loading.append(_package_of(entry))
    try:
        found = entry.load()
        if callable(found):
            found()
    except (Exception, SystemExit) as error:  # whatever another's code raises
        home = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
        return Fault(f"installed plug-in {entry.name}{home}", "must load without an error", raised_text(error))
    finally:
        _loading.pop()
    return None


def _package_of(entry: EntryPoint) -> Package:
    return Package(entry.dist.name, entry.dist.version, entry.name) if entry.dist else Package("", "", entry.name)


def _package_of_code(value: object) -> Package | None:
    """Whose entry point leads to the code of what was registered, for who imported a package by hand."""
    rooms = {module.partition(".")[0] for module, _ in _origin(value)}
    entries = entry_points(group=GROUP) if rooms else ()
    return next((_package_of(one) for one in entries if one.module.partition(".")[0] in rooms), None)


def packages_of(used: Iterable[tuple[str, str]]) -> tuple[Package, ...]:
    """The installed packages that brought what is used: nouns of registries, and names."""
    rooms = {one.noun: one for one in Registry.every}
    found = (rooms[noun].package(name) for noun, name in used if noun in rooms)
    return tuple(sorted({one for one in found if one is not None}))


class Registry(Mapping[str, T], Generic[T]):
    """What names stand for at one extension point, those that came with rdsim first.

    Every name has a number that no other name gets, by which engines know it.
    """

    every: ClassVar[list[Registry[Any]]] = []
    """All registries there are: what a plug-in registered is taken back from each."""

    def __init__(self, noun: str, kind: type[T], built_in: Mapping[str, T]) -> None:
        self.noun, self.kind = noun, kind
        self.built_in = frozenset(built_in)
        """Names of those that came with rdsim."""
        self._known: dict[str, T] = dict(built_in)
        self._brought: dict[str, Package] = {}
        self._asked: set[str] = set()
        self._numbered = list(built_in)
        Registry.every.append(self)

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            load_installed_packages()
        found = self._known[name]
        self._asked.add(name)
        return found

    def __iter__(self) -> Iterator[str]:
        load_installed_packages()
        return iter(tuple(self._known))

    def __len__(self) -> int:
        load_installed_packages()
        return len(self._known)

    def number(self, name: str) -> int:
        """The number of a name, 0, 1, ... for those that came with rdsim."""
        return self._numbered.index(name)

    def name_of(self, number: int) -> str:
        """The name of a number."""
        return self._numbered[number]

    def own(self) -> dict[str, T]:
        """Those that were registered so far."""
        return {name: one for name, one in self._known.items() if name not in self.built_in}

    def is_own(self, name: str, value: object) -> bool:
        """Whether it is what somebody registered under a name."""
        return name not in self.built_in and self._known.get(name) is value

    def at_hand(self) -> dict[str, T]:
        """Those that count before anybody names them: what installed packages brought only if somebody asked for it."""
        return {name: one for name, one in self._known.items() if name not in self._brought or name in self._asked}

    def loading_package(self, name: str) -> Package | None:
        """The installed package that was loaded and registered it, if one did."""
        return self._brought.get(name)

    def package(self, name: str) -> Package | None:
        """The installed package that it comes from, also if somebody imported that by hand."""
        if name in self.built_in or name not in self._known:
            return None
        return self._brought.get(name) or _package_of_code(self._known[name])

    def register(self, name: str, value: T, *, replace: bool = False) -> None:
        """Add one under a name. With `replace`, one that was registered before gives way.

        What the same functions of the same module define again gives way in any case: a notebook's cell runs twice.
        Raises: ExtensionError with everything that is wrong: another kind, a name that no file could bear or that is in
        use, functions that take what nobody offers. Warns of functions that take their arguments by position.
        """
        faults = tuple(self._faults(name, value, replace=replace))
        if faults:
            raise ExtensionError(faults)
        if isinstance(value, Extension):
            for line in value.by_position(self._label(name)):
                warnings.warn(line, DeprecationWarning, stacklevel=3)
        self._known[name] = value
        self._brought.pop(name, None)
        if _loading:
            self._brought[name] = _loading[-1]
        if name not in self._numbered:
            self._numbered.append(name)

    def _label(self, name: str) -> str:
        return f"{self.noun} {name!r}"

    def _faults(self, name: str, value: T, *, replace: bool) -> Iterator[Fault]:
        label = self._label(name)
        if not isinstance(value, self.kind):
            yield Fault(label, f"must be a {self.kind.__name__}", type(value).__name__)
        elif callable(own := getattr(value, "faults", None)):
            yield from own(label)
        if not (isinstance(name, str) and re.fullmatch(NAMES, name)):
            yield Fault(label, "must have a name of letters, digits and . _ + - only, at most 64", repr(name))
        elif name in self.built_in:
            yield Fault(label, "must have a name of its own", "a name that came with rdsim")
        elif not replace and name in self._known and not self._is_again(name, value):
            found = f"a name in use{_home(self._known[name])}"
            yield Fault(label, "must have a name of its own", found, "Give replace=True to put it in place.")

    def _is_again(self, name: str, value: T) -> bool:
        origin = _origin(value)
        return bool(origin) and origin == _origin(self._known[name])

    def unregister(self, name: str) -> T:
        """Take one back, and return it. Raises ExtensionError for a name that nobody registered."""
        if name in self.built_in or name not in self._known:
            found = "it came with rdsim" if name in self.built_in else "unknown"
            raise ExtensionError((Fault(self._label(name), "must have been registered by somebody", found),))
        self._brought.pop(name, None)
        self._asked.discard(name)
        return self._known.pop(name)
