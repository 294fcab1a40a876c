"""What a constraint family makes, and what it makes it of: rows and their keys; options, openings and what is past."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rdsim.brief import count
from rdsim.domain import Choice

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rdsim.arrays import Bools, Floats


__all__ = ["Begun", "Openings", "Options", "Past", "Row", "RowKey"]

# A scenario is read without numpy: what calculates loads it.


class RowKey(NamedTuple):
    """What a row is about. Its text is the row's name; nothing is ever read out of that."""

    family: str
    what: str = ""
    """Id of the programme, partner, field, ... that it limits; empty: everything."""
    year: int = 0
    """Fiscal year; 0: the whole horizon."""
    side: str = ""
    """Which of several limits of one thing it is: floor or ceiling."""

    @property
    def label(self) -> str:
        """Family and side: by which tables, weights and ladders take rows together."""
        return f"{self.family} {self.side}" if self.side else self.family

    def __str__(self) -> str:
        return " ".join(part for part in (self.label, self.what, str(self.year or "")) if part)


@dataclass(frozen=True, eq=False)
class Row:
    """One limit: the uses of the chosen options, and of the partners' openings, come to at most (or least) a cap.

    Attributes:
        use: of each option, shape (O,); None: options use nothing.
        cap: how much there is, in what the family counts.
        what: id of the programme, partner, field, ... that it limits; empty: everything.
        year: fiscal year; 0: the whole horizon.
        side: which of several limits of one thing it is, as floor or ceiling.
        sense: <=, >= or ==.
        openings: use of each partner that opens, by the stage at which it does, shape (P, S); None: they use nothing.
        price: what a unit of shortfall costs, in money; nan: the row must hold.
        carry: share of what is unspent that moves to the row of the next year, if there is one.
    """

    use: Floats | Bools | None
    cap: float
    what: str = ""
    year: int = 0
    side: str = ""
    sense: str = "<="
    openings: Floats | None = None
    price: float = math.nan
    carry: float = 0.0


@dataclass(frozen=True, eq=False)
class Options:
    """Options and what each came to alone; N samples, O options, Y fiscal years, money in the scenario's unit.

    What is expected leaves out the luck of markets and of talks (`rdsim.expectation`, `rdsim.talks`); what is kept of
    each sample has it.

    Attributes:
        choices: the options themselves, O of them: technology, mode, partner ('' for none), start year.
        npv: present value less present cost, shape (N, O).
        gain: present value, shape (N, O).
        mean: expected npv given how R&D went, averaged over the samples (see `expectation`), shape (O,).
        cost: expected present cost, shape (O,).
        sold: discount factor at the market date, if it comes to the market; 0 if R&D falls short, shape (N, O).
        p_target: probability to reach the target TRL, shape (O,).
        p_market: probability to come to the market, shape (O,).
        p_in_time: probability to be there by the programme's deadline, shape (O,).
        payments: expected home money net of refunds, by fiscal year, shape (O, Y).
        abroad: expected money paid abroad, shape (O, Y).
        joint: expected home money paid while joint, shape (O, Y).
        occupancy: expected share of the year for which a place is held, shape (O, Y).
        end_year: median fiscal year, counted from 0, in which the place is given back, shape (O,).
        award: home money promised, shape (O,).
        due: that by the fiscal year in which its tranches fall due if nothing ever stops or waits, shape (O, Y).
        paid: home money net of refunds in each sample, shape (N, O, Y), if it was asked for, else None.
        figures: expected figures that only samples tell, by name, each of shape (O,).
    """

    choices: tuple[Choice, ...]
    npv: Floats
    gain: Floats
    mean: Floats
    cost: Floats
    sold: Floats
    p_target: Floats
    p_market: Floats
    p_in_time: Floats
    payments: Floats
    abroad: Floats
    joint: Floats
    occupancy: Floats
    end_year: npt.NDArray[np.int64]
    award: Floats
    due: Floats
    paid: Floats | None = None
    figures: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def expected_value(self) -> Floats:
        """Expected net present value, shape (O,)."""
        return self.mean

    def __repr__(self) -> str:
        known = {one.technology for one in self.choices}
        samples = count(len(self.npv), "sample")
        return f"Options: {count(len(self.choices), 'option')} of {count(len(known), 'technology')}, {samples} of each"

    def where(self, holds: Callable[[Choice], bool]) -> Bools:
        """Of which choices something holds, shape (O,)."""
        import numpy as np  # noqa: PLC0415

        return np.array([holds(choice) for choice in self.choices], np.bool_)


@dataclass(frozen=True, eq=False)
class Openings:
    """Partners that hold places themselves (P), the stages at which they may open (S start years), and what that costs.

    A partner opens at the earliest start year among the chosen options that take places with it.
    """

    partners: tuple[str, ...]
    stages: tuple[int, ...]
    value: Floats  # (P, S) present value, not above 0
    money: Floats  # (P, S, Y) cost by fiscal year
    joined: Bools  # (O, P) where an option takes places
    new: Bools  # (P,) not open when the problem is stated

    def in_year(self, year: int) -> Floats:
        """1 where a partner that is not open yet opens in a fiscal year, shape (P, S)."""
        import numpy as np  # noqa: PLC0415

        return np.outer(self.new, [float(stage == year) for stage in self.stages])


class Begun(NamedTuple):
    """A project of the portfolio when a plan is decided again."""

    choice: Choice
    partners: tuple[str, ...]
    """Where it takes places."""
    over: bool
    paid: float
    """So far, net of refunds."""
    paid_joint: float
    """Of what was paid, that while joint."""


class Past(NamedTuple):
    """What was done before a plan is decided again, on the first day of a fiscal year."""

    year: int
    opened: frozenset[str]
    """Partners that were opened."""
    projects: tuple[Begun, ...]
