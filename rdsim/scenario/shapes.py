"""The shapes of a scenario's values, taken from the domain's annotations.

A field, its limits and its documentation are one statement in `rdsim.domain`; a `Shape` is that statement taken
apart, so that the door can convert a cell, walk a dotted path and say a rule in words without repeating it.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from rdsim.domain import FIGURE_NAMES, AlsoNumber, ColumnTable, Joined, Scenario, Technology, TechnologyStep, Unit
from rdsim.scenario.units import SCALES, money_unit

__all__ = [
    "ROOT",
    "STAND_IN",
    "Path",
    "Shape",
    "cell_names",
    "covers",
    "default",
    "dotted_path",
    "judged_shape",
    "own_columns",
    "part",
    "parts",
    "placeholder",
    "required_fields",
    "with_limit",
    "within",
    "words",
]

STAND_IN = "what-could-not-be-read"
"""Stands for a name that is faulty while the rest is checked; what would speak of it is not said."""

Path = tuple[str | int, ...]
Kind = Literal["record", "mapping", "list", "number", "whole", "flag", "text", "choice", "any"]

_CURRENCY = r"^[A-Z]{3}$"
_KINDS: dict[Any, Kind] = {float: "number", int: "whole", bool: "flag", str: "text", Any: "any"}
_UNIT_WORDS = {
    "money": "an amount of money",
    "months": "a number of months",
    "years": "a number of years",
    "per year": "a rate per year",
}


@dataclass(frozen=True)
class Shape:
    """What a value must look like; `lower` and `upper` are limits as (value, whether it is allowed itself).

    `most` is the limit of an amount of money, in billions of its currency; see `with_limit`. `prefix` begins the names
    of the columns that a table's entries have in a record's file, and `joined` says that one cell holds them all. Text
    that is `written` may be given as a number or a flag.
    """

    kind: Kind
    optional: bool = False
    record: type | None = None
    key: Shape | None = None
    item: Shape | None = None
    lower: tuple[float, bool] | None = None
    upper: tuple[float, bool] | None = None
    sizes: tuple[int, int | None] = (0, None)
    pattern: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    most: float | None = None
    prefix: str = ""
    joined: Joined | None = None
    written: bool = False
    description: str = ""


def covers(prefix: Path, path: Path) -> bool:
    """Whether `path` is `prefix` or lies below it; ``*`` in either stands for any one segment.

    A place in a list is the same as a number and as a text, as an override writes it.
    """
    pairs = zip(prefix, path, strict=False)
    return len(prefix) <= len(path) and all(str(a) == str(b) or "*" in (a, b) for a, b in pairs)


def dotted_path(path: Path) -> str:
    """The path as ``--set`` takes it: segments that hold a dot, a space or nothing are quoted."""
    return ".".join(f'"{one}"' if not str(one) or set(". =\"'") & set(str(one)) else str(one) for one in path)


@cache
def parts(record: type) -> Mapping[str, Shape]:
    """The shapes of a dataclass's fields, by name."""
    return {name: _shape(hint) for name, hint in get_type_hints(record, include_extras=True).items()}


def cell_names(record: type) -> list[str]:
    """Names of a record's fields that have one column in its file each, in order; a table with a prefix has many."""
    return [name for name, shape in parts(record).items() if not shape.prefix]


def own_columns(record: type) -> dict[str, str]:
    """Prefixes of the columns of a record's file that hold entries of its tables, and the names of those tables."""
    return {shape.prefix: name for name, shape in parts(record).items() if shape.prefix}


@cache
def required_fields(record: type) -> frozenset[str]:
    """The names of the fields that have no default."""
    missing = dataclasses.MISSING
    plain = (one for one in dataclasses.fields(record) if one.default is missing and one.default_factory is missing)
    return frozenset(one.name for one in plain)


def default(record: type, name: str) -> Any:
    """A fresh copy of a field's default as plain data: tables as dicts, lists as lists."""
    spec = next(one for one in dataclasses.fields(record) if one.name == name)
    if spec.default_factory is not dataclasses.MISSING:
        return _plain(spec.default_factory())
    return None if spec.default is dataclasses.MISSING else _plain(spec.default)


def part(path: Path) -> Shape | None:
    """The shape at a path below the scenario, or None where the domain has no such place."""
    shape: Shape | None = ROOT
    for segment in path:
        if shape is None:
            return None
        shape = parts(shape.record).get(str(segment)) if shape.record else shape.item
    return shape


def judged_shape(name: str) -> Shape | None:
    """The shape of the figure that experts judge under an input's name, or None for another name."""
    steps = {"months": "median_months"}
    return parts(Technology).get(name) or parts(TechnologyStep).get(steps.get(name, name))


def placeholder(shape: Shape) -> Any:
    """A plain value of the shape, to stand in for a faulty one while the rest is checked."""
    if shape.record:
        return {name: placeholder(parts(shape.record)[name]) for name in required_fields(shape.record)}
    if shape.kind == "mapping" and shape.key and shape.item:
        return {placeholder(shape.key): placeholder(shape.item)} if shape.sizes[0] else {}
    if shape.kind == "list" and shape.item:
        return [placeholder(shape.item)] * shape.sizes[0]
    return _placeholder_scalar(shape)


def with_limit(shape: Shape, money: str) -> Shape:
    """The shape with the limit of its money as an amount in the money unit."""
    unit = money_unit(money)
    if shape.most is None or unit is None:
        return shape
    return dataclasses.replace(shape, upper=(shape.most * SCALES["billion"] / unit.scale, True))


def within(shape: Shape, value: float) -> bool:
    """Whether a number is within the shape's limits."""
    low, high = shape.lower, shape.upper
    above = low is None or value > low[0] or (low[1] and value == low[0])
    return above and (high is None or value < high[0] or (high[1] and value == high[0]))


def words(shape: Shape, money: str = "") -> str:
    """The shape in words, with its limits: "a whole number from 1 to 9"."""
    shape = with_limit(shape, money)
    if shape.kind in ("number", "whole"):
        noun = _UNIT_WORDS.get(shape.unit, "a whole number" if shape.kind == "whole" else "a number")
        unit = f" in {money}" if shape.unit == "money" and money else ""
        return f"{noun}{unit}{_range(shape)}"
    if shape.kind == "choice":
        return "one of " + ", ".join(f"'{choice}'" for choice in shape.choices)
    if shape.kind == "text":
        return _text_words(shape)
    nouns = {"flag": "true or false", "list": "a list", "mapping": "a table", "record": "a table", "any": "a value"}
    return nouns[shape.kind] + _size(shape)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _unwrap(hint: Any) -> tuple[Any, list[Any], bool]:
    """A hint's bare type, all its marks (fields expanded into their limits), and whether None is allowed."""
    marks: list[Any] = []
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            marks += [one for mark in hint.__metadata__ for one in _expand(mark)]
            hint = hint.__origin__
        elif get_origin(hint) in (Union, types.UnionType):
            optional = True
            hint = next(one for one in get_args(hint) if one is not type(None))
        else:
            return hint, marks, optional


def _expand(mark: Any) -> Iterable[Any]:
    return (mark, *mark.metadata) if isinstance(mark, FieldInfo) else (mark,)


def _shape(hint: Any) -> Shape:
    bare, marks, optional = _unwrap(hint)
    unit = next((mark for mark in marks if isinstance(mark, Unit)), None)
    common = Shape(
        kind="text",
        optional=optional,
        lower=_limit(marks, "ge", "gt"),
        upper=_limit(marks, "le", "lt"),
        sizes=(_mark(marks, "min_length") or 0, _mark(marks, "max_length")),
        pattern=_mark(marks, "pattern") or "",
        unit=unit.name if unit else "",
        most=unit.most if unit else None,
        prefix=next((mark.prefix for mark in marks if isinstance(mark, ColumnTable)), ""),
        joined=next((mark for mark in marks if isinstance(mark, Joined)), None),
        written=any(isinstance(mark, AlsoNumber) for mark in marks),
        description=_mark(marks, "description") or "",
    )
    return dataclasses.replace(common, **_structure(bare))


def _structure(bare: Any) -> dict[str, Any]:
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is Literal:
        return {"kind": "choice", "choices": arguments}
    if origin is dict:
        return {"kind": "mapping", "key": _shape(arguments[0]), "item": _shape(arguments[1])}
    if origin is tuple:
        return {"kind": "list", "item": _shape(arguments[0])}
    if dataclasses.is_dataclass(bare):
        return {"kind": "record", "record": bare}
    return {"kind": _KINDS[bare]}


def _mark(marks: list[Any], name: str) -> Any:
    return next((getattr(mark, name) for mark in marks if getattr(mark, name, None) is not None), None)


def _limit(marks: list[Any], closed: str, opened: str) -> tuple[float, bool] | None:
    inside, outside = _mark(marks, closed), _mark(marks, opened)
    if inside is not None:
        return inside, True
    return None if outside is None else (outside, False)


def _placeholder_scalar(shape: Shape) -> Any:
    if shape.kind in ("number", "whole"):
        low, high = (limit[0] if limit else 1 for limit in (shape.lower, shape.upper))
        return low if shape.lower and shape.lower[1] else min(1, (low + high) / 2)
    if shape.kind == "choice":
        return shape.choices[0]
    if shape.kind == "flag":
        return True
    return "KRW" if shape.pattern == _CURRENCY else STAND_IN


def _range(shape: Shape) -> str:
    low, high = shape.lower, shape.upper
    if low and high and low[1] and high[1]:
        return f" from {low[0]:.12g} to {high[0]:.12g}"
    texts = []
    if low:
        texts.append(f"of {low[0]:.12g} or more" if low[1] else f"above {low[0]:.12g}")
    if high:
        texts.append(f"at most {high[0]:.12g}" if high[1] else f"below {high[0]:.12g}")
    return f" {' and '.join(texts)}" if texts else ""


def _text_words(shape: Shape) -> str:
    if shape.pattern == _CURRENCY:
        return "a currency's code of three capital letters, as KRW"
    if shape.pattern == FIGURE_NAMES:
        return "a name of letters, digits and '_' that begins with a letter, at most 64 long"
    if shape.pattern:
        return "an id of letters, digits, '_', '.', '+' and '-' that begins with a letter or digit, at most 64 long"
    return "text that is not empty" if shape.sizes[0] else "text"


def _size(shape: Shape) -> str:
    low, high = shape.sizes
    if low and low == high:
        return f" of {low} entries"
    if low and high:
        return f" of {low} to {high} entries"
    if low:
        return f" of at least {low}"
    return f" of at most {high}" if high else ""


ROOT = Shape("record", record=Scenario)
