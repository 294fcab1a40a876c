"""Overrides by dotted path: ``programmes.leap.budget.2024=100``.

Segments are separated by dots; one that holds a dot, a space or an equals sign stands in quotes. A value is read as
a TOML literal and otherwise taken as plain text; ``none`` unsets an optional field or drops an entry of a table.
A segment ``*`` stands for every entry there is: ``partners.*.agreement=0.5``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rdsim.errors import Fault, cut
from rdsim.scenario.cells import cell_entries
from rdsim.scenario.renamed import modern_path, modern_tree, restatement
from rdsim.scenario.shapes import ROOT, Path, Shape, covers, default, dotted_path, parts
from rdsim.tables import did_you_mean, shown_value
from rdsim.texts import DEEPEST, TreeError, invisible, parsed_toml, tidy, tidy_tree

__all__ = [
    "Override",
    "UnknownPathError",
    "apply_override",
    "by_new_names",
    "dotted_segments",
    "literal",
    "new_figures",
    "parse_overrides",
    "places",
]

_SEGMENT = r"(?:\"[^\"]*\"|'[^']*'|[^\s.\"'=]+)"
_PATH = re.compile(rf"\s*({_SEGMENT}(?:\.{_SEGMENT})*)\s*")
_VALUES = "must be text, a number, true, false, a list or a table"
_SYNTAX = "must be a dotted path, an equals sign and a value, as programmes.leap.budget.2024=100"


@dataclass(frozen=True)
class Override:
    """A path as the user wrote it, its segments, and the value that it is to have; None unsets."""

    text: str
    path: Path
    value: Any


class UnknownPathError(Exception):
    """Carries the fault of a step that leads nowhere; caught in this package, never a user's."""

    def __init__(self, rule: str, suggestion: str = "") -> None:
        super().__init__(rule, suggestion)
        self.rule, self.suggestion = rule, suggestion


def parse_overrides(given: Sequence[str] | Mapping[str, object]) -> tuple[list[Override], list[Fault]]:
    """Overrides from ``path=value`` texts, or from a mapping of paths to Python values, and faults of syntax."""
    overrides, faults = [], []
    for name, value in given.items() if isinstance(given, Mapping) else (_split(one) for one in _texts(given)):
        text = tidy(name if isinstance(name, str) else shown_value(name))
        match = _PATH.fullmatch(text)
        if not match or value is _split:
            faults.append(
                Fault(f"--set {text}", _SYNTAX, shown_value(text), "Quote a segment that holds a dot or a space.")
            )
            continue
        if strange := invisible(match[1]):
            faults.append(Fault(f"--set {match[1]}", "a path must hold nothing that cannot be seen", strange))
            continue
        try:
            override, twice = _override(match[1], value)
        except TreeError as error:
            faults.append(Fault(f"--set {match[1]}", _VALUES, str(error)))
        else:
            overrides.append(override)
            faults += twice
    return overrides, [*faults, *_twice(overrides)]


def by_new_names(text: str) -> str:
    """A setting's text, ``path=value`` or a path alone, with the path by the names of today."""
    match = _PATH.match(text)
    path = _segments(match[1]) if match else ()
    known = modern_path(path)
    return text if match is None or known == path else dotted_path(known) + text[match.end(1) :]


def _override(text: str, value: object) -> tuple[Override, list[Fault]]:
    """The override by the names of today. Raises TreeError for what no file could hold."""
    path, plain = _segments(text), tidy_tree(_native(value))
    known = modern_path(path, f"--set {text}")
    tree, faults = modern_tree(plain, f"--set {text}", known)
    known, more = restatement(known, tree, f"--set {text}")
    return Override(text, known, tree), [*faults, *more]


def _twice(overrides: Sequence[Override]) -> Iterator[Fault]:
    """Settings that are given by their old name and by the new one too."""
    for one in overrides:
        if one.path != _segments(one.text):
            for other in overrides:
                if other.path == _segments(other.text) and (
                    covers(one.path, other.path) or covers(other.path, one.path)
                ):
                    rule = f"must not stand beside {other.text}, its new name"
                    yield Fault(f"--set {one.text}", rule, "both", f"Write {dotted_path(one.path)} alone.")


def apply_override(mapping: dict[str, Any], override: Override) -> Fault | None:
    """Set, or unset, the value at the override's path, or paths; a fault if there is no such path."""
    try:
        for path in places(mapping, override.path):
            node, shape = _descend(mapping, path[:-1])
            _put(node, shape, path, override.value)
    except UnknownPathError as error:
        return Fault(f"--set {override.text}", error.rule, "", error.suggestion)
    return None


def places(mapping: Mapping[str, Any], path: Path) -> list[Path]:
    """The paths that a path with ``*`` for every entry stands for; a path without is itself, there or not.

    Raises UnknownPathError where there are no entries.
    """
    found: list[Path] = [()]
    for depth, segment in enumerate(path):
        if segment == "*":
            found = [(*place, key) for place in found for key in _entries(mapping, place)]
            if not found:
                raise UnknownPathError(f"'{dotted_path(path[:depth])}' holds no entries")
        else:
            found = [(*place, segment) for place in found]
    return found


def new_figures(mapping: Mapping[str, Any], overrides: Sequence[Override]) -> Iterator[Fault]:
    """Cells of single technologies under a figure that neither they nor the overrides have as a column or a line: more
    likely a slip than a figure. `mapping` is what it was before the overrides."""
    cells = [one for one in overrides if _is_cell(one.path) and one.value is not None]
    if not cells:
        return
    rows = mapping.get("technologies")
    columns = {name for row in (rows.values() if isinstance(rows, dict) else ()) for name in row.get("figures") or {}}
    lines = mapping.get("figures")
    columns |= set(lines) if isinstance(lines, dict) else set()
    columns |= {one.path[1] for one in overrides if one.path[0] == "figures" and len(one.path) > 1}
    columns |= {one.path[3] for one in cells if one.path[1] == "*"}
    for one in cells:
        name = one.path[3]
        if name not in columns and not _is_everywhere(name, cells, rows):
            rule = f"there is no column figure.{name} in technologies.csv"
            advice = (
                f"For a new one: --set 'technologies.*.figures.{name}=0' beside it, which gives every technology one."
            )
            close = did_you_mean(str(name), columns, shown_at_most=0)
            yield Fault(f"--set {one.text}", rule, "", " ".join(filter(None, [close, advice])))


def _is_cell(path: Path) -> bool:
    return len(path) == 4 and (path[0], path[2]) == ("technologies", "figures")


def _is_everywhere(name: object, cells: Iterable[Override], rows: object) -> bool:
    """Whether every technology is given a number of that name."""
    return isinstance(rows, dict) and set(rows) <= {one.path[1] for one in cells if one.path[3] == name}


def _entries(mapping: Mapping[str, Any], place: Path) -> Sequence[str]:
    """Keys of a table, or numbers of a list, that stands at a place; none where nothing does."""
    node: Any = mapping
    shape = ROOT
    for depth, segment in enumerate(place):
        key, below = _step(node, shape, place[:depth], segment)
        node, shape = node[int(key)] if isinstance(node, list) else node.get(str(key), {}), below
    if not isinstance(node, dict | list):
        raise UnknownPathError(f"'{dotted_path(place)}' is a single value and has no entries")
    return [str(key) for key in (node if isinstance(node, dict) else range(len(node)))]


def _texts(given: object) -> Sequence[str]:
    if isinstance(given, str) or not isinstance(given, Iterable) or isinstance(given, bytes):
        return [given if isinstance(given, str) else shown_value(given)]
    return [one if isinstance(one, str) else shown_value(one) for one in given]


def _split(text: str) -> tuple[str, Any]:
    """Path and value of ``path=value``; a text without both gets this function itself as the mark of no value."""
    match = re.fullmatch(rf"({_PATH.pattern})=(.*)", text, re.DOTALL)
    return (match[1], literal(match[3].strip())) if match and match[3].strip() else (text, _split)


def dotted_segments(text: str) -> Path:
    """The segments of a dotted path; none of a text that is no such path."""
    match = _PATH.fullmatch(text)
    try:
        return _segments(match[1]) if match else ()
    except TreeError:
        return ()


def literal(text: str) -> Any:
    """What a text says as TOML's literal, else the text itself; None for ``none``."""
    if text == "none":
        return None
    try:
        table = parsed_toml(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = table.get("value")
    return text if len(table) > 1 or isinstance(value, datetime.date | datetime.time) else value


def _segments(text: str) -> Path:
    """The parts of a path. Raises TreeError where there are more than any table is deep."""
    found = re.findall(_SEGMENT, text)
    if len(found) > DEEPEST:
        raise TreeError(f"a path of {len(found):,} parts")
    return tuple(one[1:-1] if one[0] in "\"'" else one for one in found)


def _native(value: Any, depth: int = 0) -> Any:
    """A value as plain data: numbers and arrays of numerical libraries become what TOML would have given.

    Raises TreeError where there is no such data: bytes, complex numbers, sets, dates, what contains itself.
    """
    if depth > DEEPEST:
        raise TreeError(f"more than {DEEPEST} tables or lists in one another")
    if isinstance(value, Mapping):
        return {str(key): _native(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_native(one, depth + 1) for one in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)
    plain = value.tolist() if hasattr(value, "tolist") else value
    if type(plain) is type(value):
        raise TreeError(f"{type(value).__name__} {cut(repr(value), 40)}")
    return _native(plain, depth + 1)


def _descend(mapping: dict[str, Any], path: Path) -> tuple[Any, Shape]:
    node: Any = mapping
    shape = ROOT
    for depth, segment in enumerate(path):
        key, below = _step(node, shape, path[:depth], segment)
        if isinstance(node, dict) and node.get(str(key)) is None:
            _existing(node, shape, path[: depth + 1])
            node[str(key)] = _fresh(shape, str(key))
        node, shape = node[key], below
    return node, shape


def _step(node: Any, shape: Shape, before: Path, segment: str | int) -> tuple[str | int, Shape]:
    """The key of a segment in a node, and the shape below it."""
    place = f"'{dotted_path(before)}'" if before else "the scenario"
    if shape.kind not in ("record", "mapping", "list", "any") or not isinstance(node, dict | list):
        raise UnknownPathError(f"unknown path: {place} is a single value and has no '{segment}'")
    names = parts(shape.record) if shape.record else {}
    below = names.get(str(segment)) if shape.record else shape if shape.kind == "any" else shape.item
    if below is None:
        raise UnknownPathError(f"unknown path: {place} has no '{segment}'", did_you_mean(str(segment), names))
    return (_index(node, place, segment) if isinstance(node, list) else segment), below


def _index(node: Any, place: str, segment: str | int) -> int:
    if not str(segment).isdecimal() or int(segment) >= len(node):
        raise UnknownPathError(f"unknown path: {place} has {len(node)} entries, counted from 0, and no '{segment}'")
    return int(segment)


def _fresh(shape: Shape, key: str) -> Any:
    """What an absent place holds before a part of it is set: a field's default, or an empty table."""
    if shape.record:
        value = default(shape.record, key)
        return {} if value is None else value
    return {}


def _existing(node: dict[str, Any], shape: Shape, path: Path) -> None:
    """Refuse to make a new named thing by setting a part of it; tables keyed by references and years may grow."""
    if shape.kind == "mapping" and shape.key and shape.key.pattern:
        rule = f"unknown path: '{dotted_path(path[:-1])}' has no '{path[-1]}'"
        raise UnknownPathError(rule, did_you_mean(str(path[-1]), node))


def _entries_of(value: Any, shape: Shape) -> Any:
    """The value, or what a text holds that stands for several things, so that later overrides reach each of these."""
    if not (shape.joined and isinstance(value, str)):
        return value
    found, broken = cell_entries(value, shape)
    return value if broken else found


def _put(node: Any, shape: Shape, path: Path, value: Any) -> None:
    key, below = _step(node, shape, path[:-1], path[-1])
    if isinstance(node, list):
        if value is None:
            raise UnknownPathError("an entry of a list cannot be unset")
        node[int(key)] = value
    elif value is None:
        if shape.kind == "mapping" and key not in node:
            raise UnknownPathError(f"unknown path: there is no '{key}' to unset", did_you_mean(str(key), node))
        node.pop(str(key), None)
    else:
        if below.record and key not in node and not isinstance(value, dict):
            _existing(node, shape, path)
        node[str(key)] = _entries_of(value, below)
