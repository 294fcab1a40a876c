"""Factors: what an experiment varies, and how.

A factor sets one or several settings by dotted path (``*`` stands for any one entry), multiplies or adds to them,
switches between named cases of several settings, or between policies. Its levels come from a list, a range, or a
distribution, of which a design takes quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field

from rdsim.arguments import check_fields
from rdsim.errors import ExperimentError, Fault, InputError, ScenarioError
from rdsim.scenario import DRAW, PARTS, Override, Variations, World, parse_overrides
from rdsim.scenario.shapes import Path, dotted_path

__all__ = ["Bound", "Change", "Distribution", "Factor", "bind", "read_anew"]

Number = Annotated[float, Field(allow_inf_nan=False)]
Change = Literal["set", "multiply", "add"]
Value = bool | int | float | str | list[Any]

_strict = ConfigDict(extra="forbid")

_INNER = 0.001
"""Levels of an endless distribution are checked between this quantile and its opposite."""


@dataclass(frozen=True)
class Distribution:
    """A continuous distribution by its usual parameters."""

    __pydantic_config__ = _strict
    kind: Annotated[
        Literal["uniform", "loguniform", "triangular", "normal", "lognormal", "beta"],
        Field(description="Its family."),
    ]
    low: Annotated[Number | None, Field(description="Lower end: uniform, loguniform, triangular.")] = None
    high: Annotated[Number | None, Field(description="Upper end: uniform, loguniform, triangular.")] = None
    mode: Annotated[Number | None, Field(description="Most likely value: triangular.")] = None
    mean: Annotated[Number | None, Field(description="Mean: normal.")] = None
    sd: Annotated[Number | None, Field(gt=0, description="Standard deviation: normal.")] = None
    median: Annotated[Number | None, Field(gt=0, description="Median: lognormal.")] = None
    sigma: Annotated[Number | None, Field(gt=0, description="Log standard deviation: lognormal.")] = None
    a: Annotated[Number | None, Field(gt=0, description="First shape: beta.")] = None
    b: Annotated[Number | None, Field(gt=0, description="Second shape: beta.")] = None

    def faults(self, where: str) -> Iterator[Fault]:
        """What does not fit: parameters that are missing or that another family has, ends out of order."""
        wanted = _PARAMETERS[self.kind]
        for name in sorted({one for names in _PARAMETERS.values() for one in names}):
            given = getattr(self, name) is not None
            if given != (name in wanted):
                rule = f"a {self.kind} distribution has {', '.join(wanted)}"
                yield Fault(f"{where}.{name}", rule, "given" if given else "nothing")
                return
        if self.kind in ("uniform", "loguniform", "triangular"):
            ends = [self.low, *([self.mode] if self.kind == "triangular" else []), self.high]
            ordered = self._number("low") < self._number("high") and ends == sorted(ends)  # type: ignore[type-var]
            if not ordered or (self.kind == "loguniform" and self._number("low") <= 0):
                rule = "low, mode and high must be in order" + (", above 0" if self.kind == "loguniform" else "")
                yield Fault(where, rule, str(ends))

    def quantile(self, level: float) -> float:
        """The value below which it lies with probability `level`, 0 <= level <= 1."""
        return float(self._frozen.ppf(level))

    def _number(self, name: str) -> float:
        return float(getattr(self, name))

    @cached_property
    def _frozen(self) -> Any:
        from scipy import stats  # noqa: PLC0415 - takes half a second to import

        number = self._number
        if self.kind == "uniform":
            return stats.uniform(number("low"), number("high") - number("low"))
        if self.kind == "loguniform":
            return stats.loguniform(number("low"), number("high"))
        if self.kind == "triangular":
            width = number("high") - number("low")
            return stats.triang((number("mode") - number("low")) / width, number("low"), width)
        if self.kind == "normal":
            return stats.norm(number("mean"), number("sd"))
        if self.kind == "lognormal":
            return stats.lognorm(number("sigma"), scale=number("median"))
        return stats.beta(number("a"), number("b"))


_PARAMETERS = {
    "uniform": ("low", "high"),
    "loguniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
    "beta": ("a", "b"),
}


@dataclass(frozen=True)
class Factor:
    """What is varied: settings at `paths` (by default the factor's name), over one kind of levels.

    >>> import rdsim
    >>> rdsim.Factor(range=(0.5, 2.0), paths=("programmes.main.budget.*",), change="multiply").range
    (0.5, 2.0)
    """

    __pydantic_config__ = _strict
    values: Annotated[tuple[Value, ...], Field(description="Its levels, one by one.")] = ()
    range: Annotated[tuple[Number, Number] | None, Field(description="Lowest and highest value.")] = None
    distribution: Annotated[Distribution | None, Field(description="What is believed of its value.")] = None
    cases: Annotated[
        Mapping[str, Mapping[str, Any]], Field(description="Levels by name; each a table of settings by dotted path.")
    ] = field(default_factory=dict)
    policies: Annotated[tuple[str, ...], Field(description="Levels that are policies instead of settings.")] = ()
    paths: Annotated[tuple[str, ...], Field(description="Dotted paths set; absent: the factor's name.")] = ()
    change: Annotated[Change, Field(description="set the value, or multiply or add to the scenario's own.")] = "set"
    whole: Annotated[bool, Field(description="Round levels of a range or distribution to whole numbers.")] = False
    label: Annotated[str, Field(description="Name for people; absent: the factor's name.")] = ""
    pool: Annotated[
        bool, Field(description="Every portfolio found at one level is tried at all levels that allow it.")
    ] = False

    def __post_init__(self) -> None:
        check_fields(self, ExperimentError)

    @property
    def kinds(self) -> list[str]:
        """Which kinds of levels are given; there must be exactly one."""
        return [name for name in ("values", "range", "distribution", "cases", "policies") if getattr(self, name)]

    @property
    def level_list(self) -> tuple[Any, ...]:
        """The levels of a factor that has a list of them; () of a continuous one."""
        return self.values or tuple(self.cases) or self.policies

    def at(self, level: float) -> Any:
        """The level at a quantile, 0 <= level <= 1."""
        if self.level_list:
            return self.level_list[min(int(level * len(self.level_list)), len(self.level_list) - 1)]
        if self.range is not None:
            value = self.range[0] + level * (self.range[1] - self.range[0])
        else:
            assert self.distribution is not None  # noqa: S101 - one kind is given
            value = self.distribution.quantile(level)
        return round(value) if self.whole else value

    def spread(self, count: int) -> tuple[Any, ...]:
        """All levels of a list; of a range `count` with both ends; of a distribution its inner quantiles."""
        if self.level_list:
            return self.level_list
        if self.range is not None:
            steps = np.linspace(0.0, 1.0, count) if count > 1 else np.array([0.5])
        else:
            steps = (np.arange(count) + 0.5) / count
        return tuple(dict.fromkeys(self.at(float(step)) for step in steps))

    def edges(self) -> tuple[Any, ...]:
        """The levels to be checked before anything runs."""
        if self.level_list:
            return self.level_list
        ends = (0.0, 1.0) if self.range is not None else (_INNER, 1 - _INNER)
        return tuple(self.at(end) for end in ends)


@dataclass(frozen=True, eq=False)
class Bound:
    """A factor together with the places in a scenario that it changes, in each world: with other parts or draws."""

    name: str
    factor: Factor
    variations: Variations
    targets: Mapping[World, tuple[Override, ...]] = field(default_factory=dict)
    cases: Mapping[str, tuple[Override, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.factor.label or self.name

    @property
    def is_policy(self) -> bool:
        """Whether it chooses between policies."""
        return bool(self.factor.policies)

    @property
    def is_number(self) -> bool:
        """Whether its levels are numbers."""
        return all(isinstance(one, int | float) and not isinstance(one, bool) for one in self.factor.level_list)

    def world(self, level: Any) -> World | None:
        """The world that a level chooses: parts, or a draw; None if it chooses none."""
        chosen = read_anew(self.factor, self.name, level)
        return self.variations.chosen_world(chosen) if chosen else None

    def overrides(self, level: Any, world: World | None = None) -> tuple[Override, ...]:
        """The settings of a level, in a world; None: the scenario's own."""
        if self.is_policy:
            return ()
        if self.factor.cases:
            return self.cases[level]
        own = self._own if world is None else self.targets.get(world, self._own)
        return tuple(self.variations.override(one.path, _change(one.value, level, self.factor.change)) for one in own)

    @property
    def _own(self) -> tuple[Override, ...]:
        return self.targets.get(self.variations.world, ())

    @property
    def own(self) -> Any:
        """The scenario's own level, where there is one to tell: for a design that varies one factor at a time."""
        if self.factor.change != "set":
            return 1.0 if self.factor.change == "multiply" else 0.0
        values = [one.value for one in self._own]
        same = bool(values) and all(one == values[0] for one in values)
        return values[0] if same and isinstance(values[0], bool | int | float | str) else None


def bind(name: str, factor: Factor, variations: Variations) -> Bound:
    """Find the places of a factor. Raises InputError with every fault: of the levels, and of the paths."""
    where = f"factors.{name}"
    faults = list(_level_faults(where, factor))
    if faults:
        raise InputError(tuple(faults))
    if factor.policies:
        return Bound(name, factor, variations)
    if factor.cases:
        cases = {case: tuple(_settings(f"{where}.cases.{case}", table)) for case, table in factor.cases.items()}
        return Bound(name, factor, variations, cases=cases)
    targets, missing = {}, []
    for world in variations.worlds:
        place = variations.in_world(world)
        targets[world], absent = _targets(where, factor.paths or (name,), factor.change, place)
        missing += absent
    if missing:
        raise InputError(tuple(dict.fromkeys(missing)))
    return Bound(name, factor, variations, targets)


_READ_ANEW = {PARTS: (PARTS,), dotted_path(DRAW): DRAW}


def read_anew(factor: Factor, name: str, level: Any) -> dict[Path, object]:
    """What a level chooses that the folder must be read anew for, by path: its parts, or a draw."""
    if factor.cases:
        table = factor.cases.get(level, {}) if isinstance(level, str) else {}
        return {path: table[text] for text, path in _READ_ANEW.items() if text in table}
    return {path: level for text, path in _READ_ANEW.items() if text in (factor.paths or (name,))}


def _level_faults(where: str, factor: Factor) -> Iterator[Fault]:
    kinds = factor.kinds
    if len(kinds) != 1:
        rule = "has exactly one of values, range, distribution, cases and policies"
        yield Fault(where, rule, ", ".join(kinds) or "none")
        return
    if factor.distribution is not None:
        yield from factor.distribution.faults(f"{where}.distribution")
    yield from _endless(where, factor)
    if factor.range is not None and not factor.range[0] < factor.range[1]:
        yield Fault(f"{where}.range", "must be the lowest and the highest value", str(list(factor.range)))
    if factor.change != "set" and not all(isinstance(one, int | float) for one in factor.values):
        yield Fault(f"{where}.values", f"must be numbers, for they {factor.change}", str(list(factor.values)))
    named = factor.paths or (where.removeprefix("factors."),)
    if set(named) & _READ_ANEW.keys() and (not factor.level_list or factor.change != "set"):
        noun = "optional parts are" if PARTS in named else "a draw of illustrative figures is"
        yield Fault(where, f"{noun} chosen by a list of values or by cases")
    if factor.pool and (factor.policies or not factor.level_list):
        yield Fault(f"{where}.pool", "is of a factor with a list of values or cases", ", ".join(kinds))
    if (factor.cases or factor.policies) and (factor.paths or factor.change != "set"):
        yield Fault(where, "cases and policies have no paths and no change of their own")


def _endless(where: str, factor: Factor) -> Iterator[Fault]:
    """A range or distribution so wide that its levels are no numbers any more."""
    if factor.range is not None and not math.isfinite(factor.range[1] - factor.range[0]):
        yield Fault(f"{where}.range", "must not be wider than numbers reach", str(list(factor.range)))
    if factor.distribution is not None and not list(factor.distribution.faults("")):
        with np.errstate(all="ignore"):
            ends = [factor.distribution.quantile(level) for level in (_INNER, 1 - _INNER)]
        if not all(map(math.isfinite, ends)):
            yield Fault(f"{where}.distribution", "must have quantiles that are numbers", str(ends))


def _settings(where: str, table: Mapping[str, Any]) -> list[Override]:
    """The settings of a case in the order given, so that one entry may differ from what ``*`` says of all."""
    overrides, faults = parse_overrides(table)
    if faults:
        raise InputError(tuple(Fault(where, fault.rule, fault.found, fault.suggestion) for fault in faults))
    return overrides


def _targets(
    where: str, paths: Sequence[str], change: Change, variations: Variations
) -> tuple[tuple[Override, ...], list[Fault]]:
    """The places with the scenario's own values, and the faults of paths that lead nowhere."""
    parsed, faults = parse_overrides(dict.fromkeys(paths))
    targets: list[Override] = []
    for one in parsed:
        try:
            places = variations.places(one.path)
            targets += [variations.override(place, _own(variations, place, change)) for place in places]
        except ScenarioError as error:
            faults += [Fault(where, fault.rule, fault.found, fault.suggestion) for fault in error.faults]
    return tuple(targets), faults


def _own(variations: Variations, place: tuple[Any, ...], change: Change) -> Any:
    """The scenario's own value; one that is merely absent may still be set."""
    try:
        value = variations.value(place)
    except ScenarioError:
        if change != "set":
            raise
        # Whether there may be such a setting at all shows when its levels are checked.
        return None
    if change != "set" and not _is_numeric(value):
        raise ScenarioError((Fault(".".join(map(str, place)), f"must hold numbers to {change}", str(value)),))
    return value


def _is_numeric(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_numeric(one) for one in value.values())
    if isinstance(value, list):
        return bool(value) and all(_is_numeric(one) for one in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _change(own: Any, level: Any, change: Change) -> Any:
    """A number, or all numbers of a table or list, after the change; whole numbers stay whole."""
    if change == "set":
        return level
    if isinstance(own, dict):
        return {key: _change(one, level, change) for key, one in own.items()}
    if isinstance(own, list):
        return [_change(one, level, change) for one in own]
    value = own * level if change == "multiply" else own + level
    return round(value) if isinstance(own, int) else value
