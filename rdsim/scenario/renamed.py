"""Settings that were called something else: their old names go on working, or say what to write instead.

`RENAMED` and `MOVED` are the one place that knows them. A setting is renamed within its table, where ``*`` stands for
every entry of a table, or moved to another one. One that is measured otherwise today (`RESTATED`) is refused, with the
value to write, but for a value that means the same in both measures. Digests go by the first name that a setting had,
and by nothing that came later and says nothing, or that moves no outcome, so that none makes another scenario.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rdsim.errors import Fault, RenamedWarning
from rdsim.numerals import numeral
from rdsim.scenario.shapes import Path, dotted_path
from rdsim.tables import shown_value

__all__ = [
    "MOVED",
    "RENAMED",
    "RESTATED",
    "first_sections",
    "modern_path",
    "modern_tree",
    "restatement",
    "with_first_names",
]

RENAMED: Mapping[Path, Path] = {("optimiser", "over_commitment"): ("optimiser", "payment_ratio")}
"""Old paths and what they are called now, the oldest renaming first."""

MOVED: Mapping[tuple[str, str], tuple[tuple[str, str], Any]] = {
    ("optimiser", "commercialisation_value"): (("aim", "commercialised_by_deadline"), 0.0),
}
"""Old paths of single values, where these stand now, and what they were where they were absent."""


def _points_in_log_odds(points: float) -> float:
    """What points of success come to in log-odds where a step succeeds with 90%, to two digits."""
    most = min(0.9 + points, 0.999)
    return round(math.log(most / (1.0 - most)) - math.log(9.0), 2)


RESTATED: Mapping[tuple[str, str], tuple[str, str, Callable[[float], float]]] = {
    ("partner_effect", "success_gain"): ("success_shift", "log-odds of a step's eventual success", _points_in_log_odds),
}
"""Old paths of single values, their names today in the same table, what these are measured in, and the conversion."""

_BY_RANK: Mapping[str, Any] = {"rule": "rank", "parameters": {}}
_LATER: tuple[tuple[Path, Any], ...] = (
    (("aim",), {}),
    (("figures",), {}),
    (("families",), {}),
    (("rules",), {}),
    (("optimiser", "effort"), "normal"),
    (("optimiser", "award_ratio"), {}),
    (("optimiser", "redecisions"), 64),
    (("optimiser", "interchangeable"), 0.005),
    (("technologies", "*", "figures"), {}),
    (("tags",), {}),
    (("domestic",), "by-programme"),
    (("illustrative",), {"program": "", "draw": 1, "digest": ""}),
    (("technologies", "*", "tags"), {}),
    (("technologies", "*", "needs_fields"), {}),
    (("technologies", "*", "home_levels"), {}),
    (("technologies", "*", "partners_required"), ()),
    (("technologies", "*", "partners_barred"), ()),
    (("programmes", "*", "gate", "parameters"), {}),
    (("programmes", "*", "screening", "essentiality"), 0.0),
    (("programmes", "*", "purse_parameters"), {}),
    (("calibrations", "*", "distribution_parameters"), {}),
    (("calibrations", "*", "success"), None),
    (("calibrations", "*", "success_grade"), ("assumed",)),
    (("steps", "distribution_parameters"), {}),
    (("value", "distribution"), "lognormal"),
    (("value", "distribution_parameters"), {}),
    (("value", "market_distribution"), "lognormal"),
    (("value", "market_distribution_parameters"), {}),
    (("modes", "*", "distribution"), "lognormal"),
    (("modes", "*", "distribution_parameters"), {}),
    (("risks", "budget", "distribution"), "normal"),
    (("risks", "budget", "distribution_parameters"), {}),
    (("risks", "budget", "common"), 0.0),
    (("risks", "breaks", "bloc_share"), 0.0),
    (("risks", "market_factor"), dict.fromkeys(("chance_common", "chance_field", "value_common", "value_field"), 0.0)),
    (("partners", "*", "bloc"), ""),
    (("risks", "exchange", "distribution"), "lognormal"),
    (("risks", "exchange", "distribution_parameters"), {}),
    (("panels", "*", "queue"), _BY_RANK),
    (("queues", "starts"), _BY_RANK),
    (("queues",), {"facilities": _BY_RANK, "places": _BY_RANK}),
    (("value", "model"), "listed"),
    (("value", "model_parameters"), {}),
)
"""Settings that came with later releases, and what they are where a scenario says nothing."""


_MOVING_NOTHING: tuple[Path, ...] = (
    ("assumptions",),
    ("optimiser", "assumptions"),
    ("optimiser", "what_if"),
    ("documents",),
)
"""What is not known, how it and changes are looked at, and titles of sources, which move no outcome: no part of a
digest."""


def modern_path(path: Path, where: str = "") -> Path:
    """A dotted path by the names of today; `where` it was written, if given, is told with what to write there."""
    for old, new in RENAMED.items():
        if _lies_in(old, path):
            now = (*path[: len(old) - 1], new[-1])
            if where:
                _tell(where, path[: len(old)], now)
            path = (*now, *path[len(old) :])
    for single, (now_at, _) in MOVED.items():
        if path == single:
            if where:
                _tell(where, path, now_at)
            path = now_at
    return path


def restatement(path: Path, value: Any, where: str) -> tuple[Path, list[Fault]]:
    """The path of today of a value that is measured otherwise today, and the fault unless it means the same."""
    old = (str(path[0]), str(path[-1])) if len(path) == 2 else ("", "")
    if old not in RESTATED:
        return path, []
    name, measure, convert = RESTATED[old]
    now = (*path[:-1], name)
    given = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if given == 0.0:
        _tell(where, path, now)
        return now, []
    example = f" = {numeral(convert(given), 'g')}" if math.isfinite(given) and given > -0.9 else ""
    place = where if where.startswith("--set") else f"{where}, {dotted_path(path)}"
    rule = f"is not measured in points any more: {dotted_path(now)} is in {measure}"
    return now, [Fault(place, rule, "" if value is None else shown_value(value), f"Write {name}{example}.")]


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
            now = (*place[:-1], new[-1])
            _tell(where, place, now)
            if new[-1] in table:
                faults.append(_twice(where, place, now))
        tree = _rename(tree, old[len(above) :], new[-1])
    for old, (moved, _) in MOVED.items():
        if len(above) < len(old) and _lies_in(old[: len(above)], above) and list(_standing(tree, old[len(above) :])):
            tree, more = _move(tree, old, moved, where, above)
            faults += more
    for old in RESTATED:
        if len(above) < len(old) and _lies_in(old[: len(above)], above) and list(_standing(tree, old[len(above) :])):
            tree, more = _restate(tree, old, where, above)
            faults += more
    return tree, faults


def _restate(tree: Any, old: tuple[str, str], where: str, above: Path) -> tuple[Any, list[Fault]]:
    """Settings without one that is measured otherwise; where its value means the same, that stands by its new name."""
    path = old[len(above) :]
    table = tree[path[0]] if len(path) > 1 else tree
    now, faults = restatement(old, table[old[-1]], where)
    rest = {key: one for key, one in table.items() if key != old[-1]}
    if not faults and now[-1] in rest:
        faults = [_twice(where, old, now)]
    kept = rest if faults else {**rest, now[-1]: 0.0}
    return ({**tree, path[0]: kept} if len(path) > 1 else kept), faults


def _move(tree: Any, old: tuple[str, str], new: tuple[str, str], where: str, above: Path) -> tuple[Any, list[Fault]]:
    """Settings in which one stands by its old path, with it by the new one, and what is wrong with that."""
    if above:  # the value of a whole table, which has no other beside it
        rule, advice = "stands in another table now", f"Set {dotted_path(new)}."
        return tree, [Fault(f"{where}, {dotted_path(old)}", rule, "", advice)]
    _tell(where, old, new)
    if list(_standing(tree, new)):
        return tree, [_twice(where, old, new)]
    rest, value = _without(tree, old)
    beside = rest.get(new[0], {})
    if not isinstance(beside, Mapping):
        return tree, []  # what stands there is a fault of its own
    return {**rest, new[0]: {**beside, new[1]: value}}, []


def _without(tree: Mapping[str, Any], path: tuple[str, str]) -> tuple[dict[Any, Any], Any]:
    """A copy without what stands at a path of two keys, and that."""
    table = dict(tree[path[0]])
    value = table.pop(path[1])
    return {**tree, path[0]: table}, value


def with_first_names(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A scenario's content by the first name that each setting had."""
    for place, (now, absent) in MOVED.items():
        there = bool(list(_standing(tree, now)))
        rest, value = _without(tree, now) if there else (dict(tree), absent)
        if isinstance(rest.get(place[0]), Mapping):
            tree = {**rest, place[0]: {**rest[place[0]], place[1]: value}}
    for old, new in reversed(list(RENAMED.items())):
        tree = _rename(tree, new, str(old[-1]))
    for path, silent in _LATER:
        tree = _without_silent(tree, path, silent)
    for path in _MOVING_NOTHING:
        tree = _without_any(tree, path)
    return tree


def first_sections(names: Iterable[str]) -> set[str]:
    """The sections of content `with_first_names` that settings in some sections of today's may touch."""
    found = set(names)
    return found | {str(old[0]) for old, (now, _) in MOVED.items() if now[0] in found}


def _without_silent(tree: Any, path: Path, silent: Any) -> Any:
    """The tables without what says nothing at a path; those along the path are copied, all else is shared."""
    if not isinstance(tree, Mapping):
        return tree
    if len(path) == 1:
        return {key: value for key, value in tree.items() if key != path[0] or _as_tuple(value) != silent}
    within = path[1:]
    return {key: _without_silent(one, within, silent) if path[0] in ("*", key) else one for key, one in tree.items()}


def _without_any(tree: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The tables without what stands at a path."""
    first, *rest = (str(one) for one in path)
    if not rest:
        return {key: value for key, value in tree.items() if key != first}
    return {key: _without_any(one, tuple(rest)) if key == first else one for key, one in tree.items()}


def _as_tuple(value: Any) -> Any:
    """A list as the tuple that it is in a scenario."""
    return tuple(value) if isinstance(value, list) else value


def _tell(where: str, old: Path, new: Path) -> None:
    text = f"{where}: {dotted_path(old)} is now called {dotted_path(new)}; write that"
    warnings.warn(text, RenamedWarning, stacklevel=2)


def _twice(where: str, old: Path, now: Path) -> Fault:
    new = dotted_path(now)
    return Fault(
        f"{where}, {dotted_path(old)}", f"must not stand beside {new}, its new name", "both", f"Write {new} alone."
    )


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


def _rename(tree: Any, path: Path, name: str | int) -> Any:
    """The tables with the last key of a path called `name`; those along the path are copied, all else is shared."""
    if not isinstance(tree, Mapping) or (path[0] != "*" and path[0] not in tree):
        return tree
    if len(path) == 1:
        return {name if key == path[0] else key: value for key, value in tree.items()}
    return {k: _rename(value, path[1:], name) if path[0] in ("*", k) else value for k, value in tree.items()}
