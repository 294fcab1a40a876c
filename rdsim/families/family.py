"""A constraint family: everything there is to know of one kind of row, as one value.

What rows it makes of a scenario and its options, what they count, how they are told, and what of the past counts in
them when a plan is decided again. The optimiser sees rows only; who tells of a row asks its family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from rdsim.families.rows import Row
from rdsim.registry import Contract, Taken

__all__ = ["Counted", "Family", "never_less_than_held"]

_ROWS = Contract(
    "constraint family, rows",
    {
        "scenario": "the scenario",
        "options": "what may be funded, and what each option came to alone (`rdsim.families.Options`)",
        "openings": "partners that may be opened, at which stages and at what cost (`rdsim.families.Openings`)",
        "years": "fiscal years of the scenario, a range",
        "ratios": "payment ratios by programme: to what multiple of its money budget rows hold expected payments",
        "past": "what was done before (`rdsim.families.Past`) if a plan is decided again, else None",
    },
    "rows (`rdsim.families.Row`), in the order in which they are listed",
)

_WORDS = Contract(
    "constraint family, words",
    {
        "scenario": "the scenario",
        "what": "id of what the row is about",
        "year": "its fiscal year, or 0",
        "side": "which of several limits it is",
    },
    "the row's name in words, as: the 2025 budget of Leapfrogging technologies",
)

_REMAINING = Contract(
    "constraint family, remaining",
    {
        "scenario": "the scenario as it was announced",
        "left": "the scenario of what is left: budgets are the purse of the year and the money of later years",
        "past": "what was done before (`rdsim.families.Past`)",
        "what": "id of what the row is about",
        "year": "its fiscal year, or 0",
        "side": "which of several limits it is",
        "sense": "<=, >= or ==",
        "cap": "the cap that the row has in the problem of what is left",
        "held": "what projects under way use of it",
        "opening": "what the partners that they still have to open use of it",
        "gone": "what projects that are over used of it, as the first plan counted them",
    },
    "the row's cap when a plan is decided again",
)


def never_less_than_held(
    past: Any, year: int, sense: str, cap: float, held: float, opening: float, gone: float
) -> float:
    """Whole horizons count what is over; no ceiling asks for less than is held, and no floor for years gone by."""
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


@dataclass(frozen=True)
class Family:
    """A constraint family; its functions take any subset of what their contracts offer, by name."""

    contracts: ClassVar[Mapping[str, Contract]] = {"rows": _ROWS, "words": _WORDS, "remaining": _REMAINING}

    rows: Callable[..., Iterable[Row]]
    words: Callable[..., str] | None = None
    """None: a row is told by its name."""
    counts: Counted | None = None
    """None: money, in the scenario's unit."""
    counts_running: bool = True
    """Whether projects that are running count in its rows when a plan is decided again."""
    remaining: Callable[..., float] = never_less_than_held
    """What of the past counts when a plan is decided again: the cap of a row of what is left."""

    @cached_property
    def asked(self) -> dict[str, Taken]:
        """Its functions, and what each takes."""
        functions = {field: getattr(self, field) for field in self.contracts}
        return {field: self.contracts[field].taken(field, one) for field, one in functions.items() if one is not None}
