"""What comes of levers: a portfolio, its figures beside the run's, what changed, and the money of each year.

An answer is plain data: what the history keeps is all of it, and it is read back through a door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rdsim.domain import Choice, Portfolio
from rdsim.serve.levers import Levers
from rdsim.stats import Interval

__all__ = ["ChoiceChange", "FigureChange", "Firmness", "LeverAnswer", "MoneyYear", "Span"]

_strict = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Span:
    """A mean, and the ends of its interval; None for an end that is not known."""

    __pydantic_config__ = _strict
    mean: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, found: Interval) -> Self:
        """The span of an interval."""
        ends = [end if abs(end) != float("inf") else None for end in (found.low, found.high)]
        return cls(float(found.mean), *ends)


@dataclass(frozen=True)
class FigureChange:
    """A figure of the answer and of the run, and their difference, replication by replication."""

    __pydantic_config__ = _strict
    name: str
    label: str
    unit: str
    """In words; empty: a plain number."""
    run: Span
    answer: Span
    difference: Span
    """The answer less the run as it is."""
    decided: Span | None
    """The answer less the run's portfolio kept under the same money and assumptions; None where that is the run."""
    ahead: float
    """Share of replications in which the answer has more of it than the run."""


@dataclass(frozen=True)
class ChoiceChange:
    """A decision that differs from the run's: entered, left, start, partner or mode."""

    __pydantic_config__ = _strict
    change: str
    technology: str
    before: str
    after: str
    firm: str
    """What the run's re-decisions say of its own decision: firm, rejected or open; empty where there are none."""


@dataclass(frozen=True)
class MoneyYear:
    """Money of a programme in a fiscal year, in the scenario's unit."""

    __pydantic_config__ = _strict
    programme: str
    year: int
    announced: float
    most: float
    """What expected payments may reach: announced money x payment ratio, and what is carried over."""
    expected: float
    """Expected payments net of refunds, partners' costs included, options alone."""
    run: float
    """The same of the run's portfolio."""
    paid: float
    """Paid on average over the replications."""


@dataclass(frozen=True)
class Firmness:
    """How often a decision came out in the question decided again on other samples: `count` of `of`."""

    __pydantic_config__ = _strict
    technology: str
    count: int
    of: int
    verdict: str
    """Firm, rejected or open."""


@dataclass(frozen=True)
class LeverAnswer:
    """What came of levers, beside the run."""

    __pydantic_config__ = _strict
    levers: dict[str, Any]
    """The record of the levers."""
    digest: str
    """Of the scenario with the levers where they stand."""
    run: str
    """Digest of the run that was asked: of its scenario and portfolio."""
    replications: int
    seed: int
    choices: tuple[tuple[str, str, str, int, int], ...]
    """Technology, mode, partner, start year and rank of each."""
    is_run: bool
    """Whether the run's own portfolio stands."""
    figures: tuple[FigureChange, ...]
    changes: tuple[ChoiceChange, ...]
    money: tuple[MoneyYear, ...]
    against: tuple[str, ...]
    """Rules that the run's portfolio would break under these levers, in words."""
    seconds: float

    @property
    def portfolio(self) -> Portfolio:
        """The portfolio that was decided."""
        return Portfolio(tuple(Choice(*one) for one in self.choices), "what-if")

    @property
    def question(self) -> Levers:
        """The levers that it answers."""
        return Levers.from_record(self.levers)

    @property
    def changes_membership(self) -> bool:
        """Whether a technology enters or leaves."""
        return any(one.change in ("entered", "left") for one in self.changes)

    def figure(self, name: str) -> FigureChange:
        """A figure by name. Raises KeyError."""
        return {one.name: one for one in self.figures}[name]

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> LeverAnswer:
        """The answer that a record tells of. Raises ValueError for what is no such record."""
        try:
            found = _ANSWER.validate_python(dict(record))
            Levers.from_record(found.levers)
        except (ValidationError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"no answer: {error}") from None
        if "npv" not in {one.name for one in found.figures}:
            raise ValueError("no answer: it does not tell what its portfolio is worth")
        return found


_ANSWER: TypeAdapter[LeverAnswer] = TypeAdapter(LeverAnswer)
