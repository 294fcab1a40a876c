"""Settings that were called something else: their old names go on working, and say what to write instead.

`RENAMED` is the one place that knows them. A setting is renamed within its table; ``*`` stands for every entry of a
table. Digests go by the first name that a setting had, so that a renaming alone makes no scenario another one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from rdsim.errors import Fault, RenamedWarning
from rdsim.scenario.shapes import Path, dotted

__all__ = ["RENAMED", "first_named", "modern_path", "modern_tree"]

RENAMED: Mapping[Path, Path] = {("optimiser", "over_commitment"): ("optimiser", "payment_ratio")}
"""Old paths and what they are called now, the oldest renaming first."""


def modern_path(path: Path, where: str = "") -> Path:
    """A dotted path by the names of today; `where` it was written, if given, is told with what to write there."""
    for old, new in RENAMED.items():
        if _lies_in(old, path):
            if where:
                _tell(where, path[: len(old)], new[-1])
            path = (*path[: len(old) - 1], new[-1], *path[len(old) :])
    return path


def modern_tree(tree: Any, where: str, above: Path = ()) -> tuple[Any, list[Fault]]:
    """Settings that stand below the path `above`, by the names of today, and the faults of those with two names.

    What is not called by an old name is shared with what was given; `where` it was written is told.
    """
    faults: list[Fault] = []
    for old, new in RENAMED.items():
        if len(above) >= len(old) or not _lies_in(old[: len(above)], above):
            continue
        for found in _standing(tree, old[len(above) :]):
            table, place = _at(tree, found[:-1]), (*above, *found)
            _tell(where, place, new[-1])
            if new[-1] in table:
                faults.append(_twice(where, place, new[-1]))
        tree = _called(tree, old[len(above) :], new[-1])
    return tree, faults


def first_named(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A scenario's content by the first name that each setting had."""
    for old, new in reversed(list(RENAMED.items())):
        tree = _called(tree, new, str(old[-1]))
    return tree


def _tell(where: str, old: Path, name: str | int) -> None:
    text = f"{where}: {dotted(old)} is now called {dotted((*old[:-1], name))}; write that"
    warnings.warn(text, RenamedWarning, stacklevel=2)


def _twice(where: str, old: Path, name: str | int) -> Fault:
    new = dotted((*old[:-1], name))
    return Fault(f"{where}, {dotted(old)}", f"must not stand beside {new}, its new name", "both", f"Write {new} alone.")


def _lies_in(table: Path, path: Path) -> bool:
    """Whether a path is that of a table, or of what is in it."""
    return len(path) >= len(table) and all(a in ("*", str(b)) for a, b in zip(table, path, strict=False))


def _standing(tree: Any, path: Path) -> Iterator[Path]:
    """The places in the tables at which something of that path stands."""
    if not path:
        yield ()
    elif isinstance(tree, Mapping):
        for key in tree if path[0] == "*" else [path[0]]:
            if key in tree:
                yield from ((key, *rest) for rest in _standing(tree[key], path[1:]))


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _called(tree: Any, path: Path, name: str | int) -> Any:
    """The tables with the last key of a path called `name`; those along the path are copied, all else is shared."""
    if not isinstance(tree, Mapping) or (path[0] != "*" and path[0] not in tree):
        return tree
    if len(path) == 1:
        return {name if key == path[0] else key: value for key, value in tree.items()}
    return {k: _called(value, path[1:], name) if path[0] in ("*", k) else value for k, value in tree.items()}
