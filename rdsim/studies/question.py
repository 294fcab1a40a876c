"""Questions that can be asked of a scenario by name: what each takes, and how its command is typed.

A question's function takes by name any subset of what `STUDY` offers, and its own options, and answers with a
`rdsim.study.Study`. The command line makes a command of it; from Python it is asked by `rdsim.studies.ask`. Nothing
heavy is imported here: the command line lists its commands at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from rdsim.contracts import STATED_STUDY, STUDY
from rdsim.errors import ExtensionError, Fault, InputError
from rdsim.registry import Binding, Contract, Extension, Parameter

__all__ = ["COMMANDS", "SHARED", "Kind", "Option", "Question"]

COMMANDS = (
    "new", "scenarios", "check", "schema", "simulate", "optimise", "plan", "report", "brief", "compare", "index",
    "calibrate", "sweep", "export", "import", "serve", "verify", "rerun", "bench",
)  # fmt: skip
"""Commands that are no question: no question may be called so."""

_PROBLEM = ("posed", "portfolio")
_SOLVED = ("solving", "portfolio")
SHARED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "portfolio": ("given", "portfolio"), "out": (), "force": (), "seed": (), "samples": _PROBLEM,
    "replications": ("replications",), "overrides": (), "solver": _SOLVED, "gap": _SOLVED, "time_limit": _SOLVED,
    "engine": (), "threads": (), "plugins": (),
})  # fmt: skip
"""Options that questions share, in their order, and the arguments that they are there for; none: for every question."""

Kind = Literal["whole", "number", "text", "flag", "numbers", "words"]
_KINDS: Mapping[type, Kind] = {bool: "flag", int: "whole", float: "number", str: "text", tuple: "numbers"}
_TAKEN = ("scenario", "problem", *(name for name, uses in SHARED.items() if not uses or name == "portfolio"))
"""Names that options of a question's own cannot have."""

_SEVERAL = ("numbers", "words")
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "whole": (int,), "number": (int, float), "text": (str,), "flag": (bool,), "words": (str,),
}  # fmt: skip
_RULES: Mapping[Kind, str] = {
    "whole": "a whole number", "number": "a number", "text": "a text", "flag": "True or False",
    "numbers": "numbers with commas between them", "words": "texts",
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """A parameter of a question's own: an option of its command, an argument of its function by the same name.

    What kind it is follows from its default, unless it is said: a whole `number`, `numbers` with commas between them (a
    tuple), `words` that stand behind the scenario (a tuple of texts), ... An option that is left out may be None.
    """

    name: str
    default: Any = None
    help: str = ""
    """What it means, and its unit."""
    lowest: float | None = None
    highest: float | None = None
    kind: Kind | None = None
    metavar: str | None = None
    zero: bool = False
    """Whether 0, below the lowest, asks for none of it."""

    @property
    def form(self) -> Kind:
        """What it is. Raises ExtensionError if neither its kind nor its default says."""
        if self.kind is not None:
            return self.kind
        if type(self.default) not in _KINDS:
            fault = Fault(f"option {self.name!r}", f"must say its kind, one of {', '.join(_RULES)}", repr(self.default))
            raise ExtensionError((fault,))
        return _KINDS[type(self.default)]

    @property
    def flag(self) -> str:
        """How it is typed."""
        return "--" + self.name.replace("_", "-")

    @property
    def default_text(self) -> Any:
        """Its default as it is typed."""
        return ",".join(f"{one:g}" for one in self.default) if self.form == "numbers" else self.default

    def value(self, given: Any) -> Any:
        """What its function gets. Raises InputError with every part that cannot be that."""
        if given is None and self.default is None:
            return None
        several = self.form in _SEVERAL
        parts = _parts(given) if several else (given,)
        wrong = [one for one in parts if not self._is_right(one)]
        if wrong:
            raise InputError(tuple(Fault(self.flag, f"must be {self.rule}", repr(one)) for one in wrong))
        found = tuple(float(one) if self.form == "numbers" else one for one in parts)
        return found if several else found[0]

    @property
    def rule(self) -> str:
        """What it must be, in words."""
        least = "" if self.lowest is None else f"at least {self.lowest:g}"
        most = "" if self.highest is None else f"at most {self.highest:g}"
        within = ", ".join(filter(None, (_RULES[self.form], " and ".join(filter(None, (least, most))))))
        return f"0, or {within}" if self.zero else within

    def _is_right(self, value: Any) -> bool:
        if self.form == "numbers":
            return _is_number(value) and self._is_within(float(value))
        if not issubclass(type(value), _TYPES[self.form]) or (type(value) is bool and self.form != "flag"):
            return False
        return self._is_within(value)

    def _is_within(self, value: Any) -> bool:
        if self.zero and value == 0:
            return True
        return (self.lowest is None or value >= self.lowest) and (self.highest is None or value <= self.highest)


def _parts(given: Any) -> tuple[Any, ...]:
    """Of several values each; a text has them between commas."""
    if isinstance(given, str):
        return tuple(given.split(","))
    return tuple(given) if isinstance(given, Sequence) else (given,)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(value) is not None
    except (TypeError, ValueError):
        return False


def _option_of(parameter: Parameter) -> Option:
    """The option of a number that is declared as other extensions declare theirs."""
    low, high = (limit if math.isfinite(limit) else None for limit in (parameter.lowest, parameter.highest))
    default = int(parameter.default) if parameter.whole else float(parameter.default)
    return Option(parameter.name, default, parameter.description, low, high)


@dataclass(frozen=True)
class Question(Extension):
    """What is asked under a name: the function that answers, what it is for in a line, and options of its own.

    An own option that is called as a shared one (`SHARED`) takes its place. Of shared options `defaults` are those that
    are others here, `helps` what they mean here, and `first` names those that stand before its own.
    """

    contracts: ClassVar[Mapping[str, Contract]] = {"function": STUDY}

    function: Callable[..., Any]
    help: str = ""
    options: tuple[Option, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    stated: Callable[..., Any] | None = None
    """What answers it of a problem that tables state; None: it has no meaning there."""
    stated_options: tuple[Option, ...] = ()
    """Options that have a meaning there alone, or, by the name of one of its own, another default there."""
    example: str = ""
    """A command that asks it, for its help; by default one without options."""

    @property
    def own(self) -> tuple[Option, ...]:
        """Its own options, `parameters` among them."""
        return (*self.options, *(_option_of(one) for one in self.parameters if isinstance(one, Parameter)))

    def bind(self, label: str, field: str = "function") -> Binding:
        """What its function takes. Raises ExtensionError with every argument that nobody offers."""
        also = [one.name for one in self.own if one.name not in STUDY.offers]
        return STUDY.bind(label, getattr(self, field), also)

    def bind_problem(self, label: str) -> Binding:
        """What its function of stated problems takes. Raises ExtensionError with what nobody offers, or without one."""
        if self.stated is None:
            raise ExtensionError((Fault(label, "must say what answers it of a stated problem", "nothing"),))
        also = dict.fromkeys(one.name for one in (*self.own, *self.stated_options))
        return STATED_STUDY.bind(label, self.stated, [name for name in also if name not in STATED_STUDY.offers])

    @property
    def shared_options(self) -> tuple[str, ...]:
        """Shared options that its command has, in their order."""
        names, own = set(self.bind("study").names), {one.name for one in self.own}
        return tuple(one for one, uses in SHARED.items() if one not in own and (not uses or names & set(uses)))

    def problem_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """As `option_values`, of the options that its function of stated problems takes."""
        return _values(self.problem_options, given)

    @property
    def problem_options(self) -> tuple[Option, ...]:
        """Options that its function of stated problems takes, as they are meant there."""
        taken, mine = self.bind_problem("study").names, {one.name: one for one in self.stated_options}
        return tuple(one for one in {**{one.name: one for one in self.own}, **mine}.values() if one.name in taken)

    def option_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Values of its own options, those that are not given at their defaults. Raises InputError with every fault."""
        return _values(self.own, given)

    def faults(self, label: str) -> Iterator[Fault]:
        """What is wrong with it, whoever asks."""
        names = [one.name for one in self.own]
        for one in (*self.own, *self.stated_options):
            if not one.name.isidentifier() or names.count(one.name) > 1 or one.name in _TAKEN:
                rule = "must have a name of its own, of letters, digits and _ only"
                yield Fault(f"{label}, option {one.name!r}", rule, repr(one.name))
            yield from _default_faults(label, one)
        try:
            self.bind(label)
            if self.stated is not None:
                self.bind_problem(label)
        except ExtensionError as error:
            yield from error.faults


def _values(options: Sequence[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of options, those that are not given at their defaults. Raises InputError with every fault."""
    from rdsim.tables import did_you_mean  # noqa: PLC0415

    found, faults = dict[str, Any](), list[Fault]()
    for one in options:
        try:
            found[one.name] = one.value(given.get(one.name, one.default))
        except InputError as error:
            faults += error.faults
    names = [one.name for one in options]
    rule = f"must be one of {', '.join(names) or 'none'}"
    faults += [
        Fault("options of the study", rule, repr(name), did_you_mean(name, names, shown_at_most=0))
        for name in given
        if name not in names
    ]
    if faults:
        raise InputError(tuple(faults))
    return found


def _default_faults(label: str, option: Option) -> Iterator[Fault]:
    try:
        if option.form not in _RULES:
            yield Fault(f"{label}, option {option.name!r}", f"must be of a kind of {', '.join(_RULES)}", option.form)
        else:
            option.value(option.default)
    except InputError as error:
        yield from (Fault(f"{label}, option {option.name!r}", one.rule, one.found) for one in error.faults)
