"""The constraint families that are known, and what they answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any, TypeVar

from rdsim.domain import Scenario
from rdsim.errors import ExtensionError, Fault
from rdsim.families.abroad import ABROAD
from rdsim.families.awards import AWARDS
from rdsim.families.budget import BUDGET
from rdsim.families.family import Counted, Family
from rdsim.families.institutes import INSTITUTES
from rdsim.families.international import INTERNATIONAL
from rdsim.families.places import PLACES
from rdsim.families.rows import Openings, Options, Past, Row, RowKey
from rdsim.families.shares import FIELDS, PARTNERS
from rdsim.families.starts import STARTS
from rdsim.registry import Registry

__all__ = [
    "FAMILIES",
    "as_engines_see",
    "counts_running",
    "families_of",
    "is_whole",
    "remaining_cap",
    "row_words",
    "rows_of",
    "unit_of",
]

_BUILT_IN = {
    "budget": BUDGET,
    "awards": AWARDS,
    "starts": STARTS,
    "places": PLACES,
    "institutes": INSTITUTES,
    "abroad": ABROAD,
    "field": FIELDS,
    "partner": PARTNERS,
    "international": INTERNATIONAL,
}
"""In the order in which a problem lists their rows."""

FAMILIES: Registry[Family] = Registry("constraint family", Family, _BUILT_IN)
"""Those that came with rdsim hold in every scenario, others in those that have a table for them."""

T = TypeVar("T")

_KEYS = (("what", str, "a text"), ("year", Integral, "a whole number"), ("side", str, "a text"))
_SENSES = ("<=", ">=", "==")


def families_of(scenario: Scenario) -> list[str]:
    """Names of the families that hold in a scenario, in the order of their rows: those from outside last, by name."""
    return [*_BUILT_IN, *sorted(name for name in scenario.families if name not in _BUILT_IN)]


# --- what they answer -----------------------------------------------------------------------------


def rows_of(
    name: str,
    scenario: Scenario,
    options: Options,
    openings: Openings,
    ratios: Mapping[str, float],
    past: Past | None = None,
) -> list[Row]:
    """The rows of a family. Raises ExtensionError for what is no row of this problem."""
    years = range(scenario.start_year, scenario.horizon_year + 1)
    given = {"options": options, "openings": openings, "years": years, "ratios": ratios, "past": past}
    rows = _answer(name, "rows", scenario, given, _row_list)
    faults = tuple(fault for row in rows for fault in _faults(name, row, options, openings))
    if faults:
        raise ExtensionError(faults)
    return rows


def row_words(scenario: Scenario, key: Hashable) -> str:
    """A row in words: `the 2025 budget of Leapfrogging technologies`; one that no family tells of by its name."""
    one = _family_of(key)
    if not isinstance(key, RowKey) or one is None or one.words is None:
        return str(key)
    given = {"what": key.what, "year": key.year, "side": key.side}
    return _answer(key.family, "words", scenario, given, _text)


def unit_of(key: Hashable) -> Counted | None:
    """What a row counts; None: money."""
    one = _family_of(key)
    return one.counts if one else None


def is_whole(key: Hashable) -> bool:
    """Whether a row's cap moves in whole units."""
    counted = unit_of(key)
    return counted is not None and counted.whole


def counts_running(key: Hashable) -> bool:
    """Whether projects that are running count in a row when a plan is decided again."""
    one = _family_of(key)
    return one is None or one.counts is None or one.counts.running


def _family_of(key: Hashable) -> Family | None:
    return FAMILIES.get(key.family) if isinstance(key, RowKey) else None


def remaining_cap(key: RowKey, scenario: Scenario, given: Mapping[str, Any]) -> float:
    """A row's cap when a plan is decided again; `given` is what the contract offers beside scenario and key."""
    about = {"what": key.what, "year": key.year, "side": key.side}
    return _answer(key.family, "remaining", scenario, {**about, **given}, float)


def as_engines_see(scenario: Scenario) -> Scenario:
    """The scenario as the families from outside that hold in it want the engines to see it.

    Raises: ExtensionError for one with other technologies, programmes, partners or fiscal years.
    """
    seen = scenario
    for name in sorted(scenario.families):
        if name in FAMILIES and FAMILIES[name].engines is not None:
            seen = _answer(name, "engines", seen, {}, _same_frame(scenario))
    return seen


def _same_frame(scenario: Scenario) -> Callable[[Any], Scenario]:
    def check(seen: Any) -> Scenario:
        if not isinstance(seen, Scenario) or _frame(seen) != _frame(scenario):
            raise ValueError("a scenario with the same technologies, programmes, partners and years is asked for")
        return seen

    return check


def _frame(scenario: Scenario) -> tuple[object, ...]:
    tables = (scenario.technologies, scenario.programmes, scenario.partners)
    return (*(tuple(one) for one in tables), scenario.start_year, scenario.horizon_year)


def _answer(name: str, field: str, scenario: Scenario, given: Mapping[str, Any], kind: Callable[[Any], T]) -> T:
    """What one of a family's functions answers; an exception of somebody else's becomes an error that names it."""
    label, one = f"constraint family {name!r}", FAMILIES.get(name)
    if one is None:
        raise ExtensionError((Fault(label, "must be registered by a plug-in", "unknown"),))
    settings = one.settings(scenario.families.get(name, {}))
    try:
        return kind(one.bindings[field].of({"scenario": scenario, **given, **settings}))
    except Exception as error:
        if name in _BUILT_IN:
            raise
        found = f"{type(error).__name__}: {error}"
        raise ExtensionError((Fault(f"{label}, {field}", "must answer without an exception", found),)) from error


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError(f"a text is asked for, not {found!r}")
    return found


def _row_list(found: Iterable[Row]) -> list[Row]:
    return [*found]


def _faults(name: str, row: Any, options: Options, openings: Openings) -> Iterator[Fault]:
    """What keeps a row from being one of this problem."""
    import numpy as np  # noqa: PLC0415 - a scenario is read without it

    label = f"constraint family {name!r}, rows"
    if not isinstance(row, Row):
        yield Fault(label, "must give values of families.Row", type(row).__name__)
        return
    for field, kind, rule in _KEYS:
        if not isinstance(getattr(row, field), kind):
            yield Fault(label, f"{field} of a row must be {rule}", repr(getattr(row, field)))
            return
    where = f"{label}, {RowKey(name, row.what, row.year, row.side)}"
    yield from (Fault(where, rule, found) for rule, found in _number_faults(row))
    if row.use is not None and np.shape(row.use) != (len(options.choices),):
        yield Fault(where, f"use must have one number for each option, {len(options.choices)}", str(np.shape(row.use)))
    if row.openings is not None and np.shape(row.openings) != openings.value.shape:
        yield Fault(where, f"openings must have shape {openings.value.shape}", str(np.shape(row.openings)))
    if row.sense not in _SENSES:
        yield Fault(where, f"sense must be one of {', '.join(_SENSES)}", repr(row.sense))


def _number_faults(row: Any) -> Iterator[tuple[str, str]]:
    """Rules that a row's numbers break, and what was found."""
    import numpy as np  # noqa: PLC0415

    if not (isinstance(row.cap, Real) and math.isfinite(row.cap)):
        yield "cap must be a finite number", repr(row.cap)
    if not (isinstance(row.price, Real) and (math.isnan(row.price) or float(row.price) >= 0)):
        yield "price must be a number of at least 0, or nan where the row must hold", repr(row.price)
    if not (isinstance(row.carry, Real) and 0 <= float(row.carry) <= 1):
        yield "carry must be a share from 0 to 1", repr(row.carry)
    for field in ("use", "openings"):
        given = getattr(row, field)
        kind = np.asarray(0 if given is None else given)
        if kind.dtype.kind not in "biuf":
            yield f"{field} must be numbers", str(kind.dtype)
        elif not np.isfinite(kind).all():
            yield f"{field} must be finite", f"{int((~np.isfinite(kind)).sum()):,} that are not"
