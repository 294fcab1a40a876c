"""A constraint family: everything there is to know of one kind of row, as one value.

What rows it makes of a scenario and its options, what they count, how they are told, and what of the past counts in
them when a plan is decided again. The optimiser sees rows only; who tells of a row asks its family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from rdsim.contracts import FAMILY_ENGINES, FAMILY_REMAINING, FAMILY_ROWS, FAMILY_WORDS
from rdsim.domain import Scenario
from rdsim.errors import Fault
from rdsim.families.rows import Row
from rdsim.registry import Binding, Contract, Extension, Numbers, Parameter, Text

__all__ = ["Counted", "Family", "cap_above_past"]


def cap_above_past(past: Any, year: int, sense: str, cap: float, held: float, opening: float, gone: float) -> float:
    """Whole horizons count what is over; no ceiling asks for less than is held, and no floor for years gone by.

    Model: R26.
    """
    left = cap if year else cap - gone
    if sense == "<=":
        return max(left, held + opening)
    return min(left, held) if sense == ">=" and 0 < year < past.year else left


@dataclass(frozen=True)
class Counted:
    """What a family's rows count, if not money."""

    one: str
    """The noun for one of it, as `place`."""
    many: str
    whole: bool = True
    """Whether caps move in whole units."""
    running: bool = True
    """Whether projects that are running count in its rows when a plan is decided again."""


@dataclass(frozen=True)
class Family(Extension):
    """A constraint family; its functions take any subset of what their contracts offer, by name."""

    contracts: ClassVar[Mapping[str, Contract]] = {
        "rows": FAMILY_ROWS,
        "words": FAMILY_WORDS,
        "remaining": FAMILY_REMAINING,
        "engines": FAMILY_ENGINES,
    }
    kinds: ClassVar[tuple[type, ...]] = (Parameter, Numbers, Text)

    rows: Callable[..., Iterable[Row]]
    words: Callable[..., str] | None = None
    """None: a row is told by its name."""
    counts: Counted | None = None
    """None: money, in the scenario's unit."""
    remaining: Callable[..., float] = cap_above_past
    """What of the past counts when a plan is decided again: the cap of a row of what is left."""
    engines: Callable[..., Scenario] | None = None
    """The scenario as the engines are to see it; None: as it is, and they obey what they know of it."""

    def faults(self, label: str) -> Iterator[Fault]:
        """What is wrong with it, whatever a scenario says."""
        counts: object = self.counts
        if not isinstance(counts, Counted | None):
            yield Fault(f"{label}, counts", 'must be a Counted, as Counted("tonne", "tonnes")', repr(counts))
        yield from super().faults(label)

    @cached_property
    def bindings(self) -> dict[str, Binding]:
        """Its functions, and what each takes."""
        return {field: self.bind(field, field) for field in self.functions}

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its parameters by name, those that a scenario does not give at their defaults."""
        return {one.name: one.value(given) for one in self.parameters}
