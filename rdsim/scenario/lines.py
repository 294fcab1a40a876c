"""Settings as lines of a sheet: a dotted path, as ``--set`` takes it, and a value in one cell.

Each value has a line of its own, in tables and lists too: ``programmes.leap.budget.2024``, and with the number of the
entry, from 0, ``programmes.leap.tranches.0.share``. An empty cell says nothing, so the default holds. A cell may also
hold what TOML would: a list, a table, or a text in double quotes, which may be empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rdsim.errors import Fault
from rdsim.scenario.cells import Cell
from rdsim.scenario.overrides import dotted_segments, literal
from rdsim.scenario.shapes import ROOT, Path, Shape, default, dotted_path, part, parts
from rdsim.spreadsheets import Strange, Value
from rdsim.tables import shown_value
from rdsim.texts import tidy, toml_value

__all__ = ["SettingLine", "Tree", "settings_lines", "settings_tree"]

_WHOLE = 2**53
"""Whole numbers up to here are the same in a spreadsheet."""
_NESTED = ("record", "mapping", "list")
_EMPTY: tuple[Any, ...] = ("", [], {})


@dataclass(frozen=True)
class SettingLine:
    """A setting of a scenario: its path, what its cell holds, and what is known of it.

    `words` say what it is: the description of the field that it is, or of the table or list that it is an entry of.
    """

    path: Path
    value: str | float | bool | None
    shape: Shape | None
    default: str | float | bool | None
    words: str


# --- from settings to lines -----------------------------------------------------------------------


def settings_lines(settings: Mapping[str, Any]) -> Iterator[SettingLine]:
    """Every setting, and every one that could be set beside them, in the order of the domain.

    `settings` are plain data (`rdsim.scenario.values.plain`), without tables that are sheets of their own.
    """
    for name, shape in parts(ROOT.record).items() if ROOT.record else ():
        if name in settings or shape.optional:
            yield from _lines(settings.get(name), shape, (name,), _default_of(ROOT, name), shape.description)


def _default_of(shape: Shape | None, name: str) -> Any:
    """The default of a record's field; None of an entry, which has none."""
    return default(shape.record, name) if shape and shape.record else None


def _lines(value: Any, shape: Shape | None, path: Path, absent: Any, words: str) -> Iterator[SettingLine]:
    entries = list(_entries(value, shape))
    if not entries:
        says_nothing = value == absent and value in _EMPTY
        yield SettingLine(
            path, None if says_nothing else _cell(value, shape), shape, _default_cell(absent, shape), words
        )
    for key, one, below in entries:
        beside = _beside(absent, key) if absent else _default_of(shape, key)
        said = below.description if below and below.description else words
        yield from _lines(one, below, (*path, key), beside, said)


def _beside(absent: Any, key: str) -> Any:
    """What stands at a key of a table or a list, if that has one."""
    if isinstance(absent, list):
        return absent[int(key)] if int(key) < len(absent) else None
    return absent.get(key) if isinstance(absent, dict) else None


def _entries(value: Any, shape: Shape | None) -> Iterator[tuple[str, Any, Shape | None]]:
    """What a table or a list holds, each with its shape; nothing of a single value, or where nothing is in it."""
    if shape is not None and shape.record and isinstance(value, dict):
        known = {name: one for name, one in parts(shape.record).items() if name in value or one.optional}
        yield from ((name, value.get(name), one) for name, one in known.items())
    elif isinstance(value, dict):
        yield from ((str(key), one, shape and shape.item) for key, one in value.items())
    elif isinstance(value, list) and shape is not None and shape.kind == "list":
        yield from ((str(place), one, shape.item) for place, one in enumerate(value))


def _cell(value: Any, shape: Shape | None) -> str | float | bool | None:
    """A value as its cell holds it, so that `_plain` gives it back."""
    if isinstance(value, str):
        return _text_cell(value, shape)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        as_it_stands = abs(value) <= _WHOLE and (_is_typed(shape) or isinstance(value, int) or value % 1 != 0)
        return value if as_it_stands else repr(value)
    return None if value is None else toml_value(value).replace("{  }", "{}")


def _text_cell(text: str, shape: Shape | None) -> str:
    is_plain = text == text.strip() and text and not _is_quoted(text) and "\r" not in text
    return text if is_plain and (_is_typed(shape) or literal(text) == text) else toml_value(text)


def _default_cell(value: Any, shape: Shape | None) -> str | float | bool | None:
    """A default as it is shown; what is empty is not."""
    return None if value is None or value in _EMPTY else _cell(value, shape)


def _is_typed(shape: Shape | None) -> bool:
    """Whether the field says what kind of value it is, so that its text need not be told from a number's."""
    return shape is not None and shape.kind not in ("any", *_NESTED)


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] == '"'


# --- from lines to settings -----------------------------------------------------------------------


class _Table(dict[str, Any]):
    """A table or list that lines make, and no single cell."""


@dataclass
class Tree:
    """Settings that lines say, in which cells they stand, and what is wrong with the lines; `bad` are their places."""

    settings: dict[str, Any] = field(default_factory=dict)
    cells: dict[Path, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    bad: list[Path] = field(default_factory=list)


def settings_tree(lines: Iterable[tuple[str, str, Value, Value]], where: str) -> Tree:
    """The settings of lines, each the cells of its path and of its value, then what stands in these.

    `where` is the sheet that faults name.
    """
    tree, made = Tree(), _Table()
    for path_cell, value_cell, stated, value in lines:
        path = () if isinstance(stated, Strange) else dotted_segments(tidy(str(stated or "")))
        if not path:
            found = stated.found if isinstance(stated, Strange) else shown_value(stated) if stated else "an empty cell"
            rule = "must be a dotted path, as programmes.leap.budget.2024"
            tree.faults.append(Fault(f"{where}, cell {path_cell}", rule, found))
            continue
        if path in tree.cells:
            rule = f"a setting must stand in one line; this one stands in cell {tree.cells[path]} too"
            tree.faults.append(Fault(f"{where}, cell {value_cell} ({dotted_path(path)})", rule))
            continue
        tree.cells[path] = value_cell
        _put(made, path, value, tree, f"{where}, cell {value_cell} ({dotted_path(path)})")
    tree.settings = _with_lists(made, ROOT, (), tree, where)
    return tree


def _put(made: _Table, path: Path, value: Value, tree: Tree, where: str) -> None:
    if isinstance(value, Strange):
        tree.faults.append(value.fault(where))
        tree.bad.append(path)
        return
    if value is None:
        return
    node: Any = made
    for depth, key in enumerate(path[:-1], start=1):
        node = node.setdefault(str(key), _Table())
        if not isinstance(node, _Table):
            rule = f"must not stand beside a value of {dotted_path(path[:depth])} in one cell"
            tree.faults.append(Fault(where, rule, shown_value(value)))
            return
    if path[-1] in node:
        rule = "must not stand in one cell, as lines below say what is in it"
        tree.faults.append(Fault(where, rule, shown_value(value)))
        return
    node[str(path[-1])] = _plain(value, part(path))


def _plain(value: str | float, shape: Shape | None) -> Any:
    """What a cell says, as TOML would have given it; a number's cell is converted later, with its unit."""
    kind = shape.kind if shape else "any"
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = tidy(value)
        if kind in ("number", "whole"):
            return Cell(text)
        if kind == "flag" and text.casefold() in ("true", "false"):
            return text.casefold() == "true"
        return text if kind in ("text", "choice") and not _is_quoted(text) else literal(text)
    whole = int(value) if float(value).is_integer() else value
    return str(whole) if kind in ("text", "choice") else Cell(repr(value)) if _is_typed(shape) else whole


def _with_lists(node: Any, shape: Shape | None, path: Path, tree: Tree, where: str) -> Any:
    """Tables of numbered lines as the lists that they are."""
    if not isinstance(node, _Table):
        return node
    below = parts(shape.record) if shape and shape.record else {}
    found = {
        key: _with_lists(one, below.get(key) or (shape and shape.item), (*path, key), tree, where)
        for key, one in node.items()
    }
    if shape is None or shape.kind != "list":
        return found
    numbers = sorted(found, key=lambda key: (len(key), key))
    if numbers != [str(number) for number in range(len(found))]:
        rule = "entries of a list must be numbered 0, 1, 2, ... without a gap"
        first = next(place for place in tree.cells if place[: len(path)] == path)
        told = f"{where}, cell {tree.cells[first]} ({dotted_path(path)})"
        tree.faults.append(Fault(told, rule, ", ".join(numbers[:20])))
        tree.bad.append(path)
    return [found[key] for key in numbers]
