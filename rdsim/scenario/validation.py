"""The one validation at the door: pydantic's errors said in rdsim's words, and a repaired copy to go on with.

The values are validated as strict JSON: a number is no text, a bool is no number, a fraction is no whole number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rdsim.domain import Scenario
from rdsim.scenario.findings import FILES, Finding
from rdsim.scenario.shapes import Path, Shape, default, part, parts, placeholder, required_fields, words
from rdsim.tables import did_you_mean, shown_value

__all__ = ["adapter", "as_json", "repair_scenario", "validate"]

_KEY = "[key]"
_ROUNDS = 4


@cache
def adapter() -> TypeAdapter[Scenario]:
    """The adapter that every scenario passes, built at first use."""
    return TypeAdapter(Scenario)


def validate(
    mapping: dict[str, Any], unit: str, rows: Iterable[Path], known: Mapping[str, str] = MappingProxyType({})
) -> tuple[Scenario | None, list[Finding]]:
    """The scenario, or None and a finding for every value that breaks its field's statement.

    `unit` names the money unit in the rules; the ids of `rows` are checked in their own column, not as keys. `known`
    has sections of the mapping as JSON already (`as_json`).
    """
    sections = (f"{as_json(name)}:{known.get(name) or as_json(value)}" for name, value in mapping.items())
    try:
        return adapter().validate_json(f"{{{','.join(sections)}}}", strict=True), []
    except ValidationError as error:
        keys = set(rows)
        details = error.errors(include_url=False, include_context=False)
        return None, [finding for one in details if (finding := _finding(one, mapping, unit, keys))]


def repair_scenario(mapping: dict[str, Any], bad: Iterable[Path]) -> Scenario | None:
    """The scenario with defaults and stand-ins in the bad places, or None where that does not help."""
    copy = json.loads(as_json(mapping))
    places = list(bad)
    for _ in range(_ROUNDS):
        for path in places:
            _repair(copy, path, ())
        try:
            return adapter().validate_json(as_json(copy), strict=True)
        except ValidationError as error:
            places = [_path(one["loc"]) for one in error.errors(include_url=False, include_context=False)]
    return None


def as_json(value: object) -> str:
    """A value as JSON; a value that JSON lacks, as a date, becomes what is no number, which no field takes."""
    return json.dumps(value, default=lambda _: math.nan)


def _path(location: tuple[int | str, ...]) -> Path:
    return tuple(one for one in location if one != _KEY)


def _finding(error: Any, mapping: dict[str, Any], unit: str, keys: set[Path]) -> Finding | None:
    path = _path(error["loc"])
    if _KEY in error["loc"]:
        return None if path in keys else _key_finding(path)
    parent = part(path[:-1])
    if error["type"] == "unexpected_keyword_argument":
        known = parts(parent.record) if parent and parent.record else {}
        return Finding((path,), "unknown key", "", did_you_mean(str(path[-1]), _missing_keys(known, mapping, path)))
    shape = part(path)
    if error["type"] == "missing":
        rule = f"is required: {shape.description}" if shape else "is required"
        return Finding((path,), rule.rstrip("."), "nothing")
    rule = f"must be {words(shape, unit)}" if shape else str(error["msg"])
    given = _input_at(mapping, path, error["input"])
    return Finding((path,), rule, shown_value(given), _advice(shape, given))


def _input_at(mapping: dict[str, Any], path: Path, value: Any) -> Any:
    """The value as the mapping has it, for JSON lacks dates and more."""
    node: Any = mapping
    for segment in path:
        node = node[int(segment)] if isinstance(node, list) else node.get(str(segment))
    return value if isinstance(node, dict | list) or node is None else node


def _missing_keys(known: Iterable[str], mapping: dict[str, Any], path: Path) -> list[str]:
    """The known keys that the table does not yet hold, for a misspelt key is one of those; at the top, no CSV's."""
    node: Any = mapping
    for segment in path[:-1]:
        node = node[int(segment)] if isinstance(node, list) else node[str(segment)]
    return [name for name in known if name not in node and (len(path) > 1 or name not in FILES)]


def _key_finding(path: Path) -> Finding:
    parent = part(path[:-1])
    rule = f"the key must be {words(parent.key)}" if parent and parent.key else "the key is not allowed"
    return Finding((path,), rule, shown_value(path[-1]))


def _advice(shape: Shape | None, value: Any) -> str:
    if shape is None:
        return ""
    if shape.kind == "choice" and isinstance(value, str):
        return did_you_mean(value, shape.choices)
    if shape.kind == "text" and isinstance(value, int | float | bool):
        return "Write it in quotes."
    if shape.kind in ("number", "whole", "flag") and isinstance(value, str) and _literal(value):
        return "Write it without quotes."
    return ""


def _literal(text: str) -> bool:
    return text in ("true", "false") or text.replace(".", "", 1).lstrip("-").isdigit()


def _repair(node: Any, path: Path, before: Path) -> None:
    """Put a default or a stand-in at a path below `node`; a path that leads nowhere is left alone."""
    if not path or not isinstance(node, dict | list):
        return
    for key in _matching(node, path[0]):
        if len(path) > 1:
            child = node[int(key)] if isinstance(node, list) else node.get(str(key))
            _repair(child, path[1:], (*before, key))
        else:
            _replace(node, key, part(before))


def _matching(node: Any, segment: str | int) -> list[str | int]:
    if segment == "*":
        return list(node) if isinstance(node, dict) else list(range(len(node)))
    inside = not isinstance(node, list) or int(segment) < len(node)
    return [segment] if inside else []


def _replace(node: Any, key: str | int, parent: Shape | None) -> None:
    below = None
    if parent:
        below = parts(parent.record).get(str(key)) if parent.record else parent.item
    if isinstance(node, list):
        node[int(key)] = placeholder(below) if below else None
    elif below is None:
        node.pop(str(key), None)
    elif parent and parent.record and key not in required_fields(parent.record):
        node[str(key)] = default(parent.record, str(key))
    elif parent and parent.record:
        node[str(key)] = placeholder(below)
    else:
        node.pop(str(key), None)
