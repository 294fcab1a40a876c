"""The compiled engine: one event loop over the arrays of a case, the same sample paths as `process`.

The loop keeps an agenda ordered by (day, phase, order), as `rules` writes down, and a state for each
project. Where `process` has a generator that waits, this module has a function for what comes after the
wait; they are named alike. Purse, gate, step and tie rules are the function objects of `rules` and
`gates`, compiled here.

The first call in a fresh installation compiles for about half a minute; the code is then kept in numba's
cache in the package (or in the user's cache folder), and later processes load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rdsim.case import UNSET, Case, Outcomes, SamplePaths, empty_outcomes
from rdsim.engines.compiled.contracts import blank_state
from rdsim.engines.compiled.loop import replicate
from rdsim.engines.compiled.plugins import CALLED, addresses, raising
from rdsim.errors import EngineError, Fault, PolicyError
from rdsim.luck import InputModel, layout_flags, no_chance, scratch
from rdsim.native.blocks import Block, blank

__all__ = ["EventLoop", "Runner", "count_events", "run"]


def run(case: Case, luck: SamplePaths) -> Outcomes:
    """Simulate every replication of the luck.

    Raises PolicyError for a user's policy that numba cannot compile, or that raises an exception.
    """
    return _run_on_paths(case, luck)[0]


def count_events(case: Case, luck: SamplePaths) -> int:
    """Entries of the agenda and grants that are handled in all replications of the luck: what benchmarks count."""
    return _run_on_paths(case, luck)[1]


def _run_on_paths(case: Case, luck: SamplePaths) -> tuple[Outcomes, int]:
    outcomes = empty_outcomes(case, len(luck.agreed))
    return outcomes, EventLoop(case, luck)(outcomes)


class EventLoop:
    """The event loop over luck that is laid out, again and again: what benchmarks hold against other programs."""

    def __init__(self, case: Case, luck: SamplePaths) -> None:
        flags = {"laid_out": True, **layout_flags(SamplePaths._fields), "rated": np.zeros(0, np.bool_)}
        self._room = _Room(case)
        self._luck = _luck_block(scratch(no_chance()) | luck._asdict() | flags)

    def __call__(self, outcomes: Outcomes) -> int:
        """Fill in the outcomes, a row for each replication of the luck; returns the number of events."""
        return self._room.replicate(self._luck, outcomes, 0)


class Runner:
    """Simulates batches of a case's replications, drawing their luck as they come to need it; for one thread.

    Raises PolicyError for a user's policy that numba cannot compile, or that raises.
    """

    def __init__(self, case: Case, chance: InputModel) -> None:
        self._case, self._room = case, _Room(case)
        self._fields = scratch(chance) | _calendar(case, chance)
        self._luck, self._outcomes = _luck_block(self._fields), empty_outcomes(case, 0)

    def __call__(self, replications: range, rest: Mapping[str, npt.NDArray[Any]]) -> Outcomes:
        """Outcomes of some replications; `rest` is what `lay_out_rest` gives for them.

        The next call writes over them: making new memory for each batch costs a tenth of the time.
        """
        if len(self._outcomes.trl) != len(replications):
            self._outcomes = empty_outcomes(self._case, len(replications))
        luck = self._luck
        if rest:
            luck = _luck_block({**self._fields, **rest, **layout_flags(rest)})
        self._room.replicate(luck, self._outcomes, replications.start)
        return self._outcomes


def _luck_block(fields: dict[str, Any]) -> Block:
    return Block("SamplePaths", {name: fields[name] for name in sorted(fields)}, rows=frozenset(SamplePaths._fields))


def _calendar(case: Case, chance: InputModel) -> dict[str, Any]:
    """Room for the calendar of one replication; columns that are drawn when asked for have none."""
    years, currencies = case.budget.shape[1], len(chance.exchange_address)
    shapes: dict[str, tuple[int, ...]] = {
        "step_days": (1, 0, 0, 0),
        "step": (1, 0, 0, 0),
        "gate": (1, 0, 0),
        "review_error": (1, 0, 0),
        "agreed": (1, 0, 0),
        "agreement_days": (1, 0, 0),
        "deliverable_days": (1, len(chance.field), case.due_tranche.shape[1]),
        "commercial": (1, 0),
        "market_days": (1, 0),
        "break_day": (1, len(case.places), years),
        "budget": (1, *case.budget.shape),
        "exchange_ppm": (1, currencies, years),
    }
    flags = {"laid_out": False, "rated": np.zeros(currencies, np.bool_)}
    return blank(SamplePaths, shapes) | flags


_RAISED = Fault(
    "a gate policy, purse rule or queue rule",
    "must not raise an exception",
    "one, on the compiled engine, which cannot say which",
    "Run it on the simpy engine (--engine simpy) to see it.",
)


class _Room:
    """A case and the state of a replication, as compiled functions see them."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._state, asked = blank_state(case), addresses(case)
        self._blocks = Block("Case", case._asdict() | asked), Block("State", self._state)
        self._asks = any(bool(asked[name].any()) for name in CALLED)

    def replicate(self, luck: Block, outcomes: Outcomes, first: int) -> int:
        """Fill in the outcomes; returns the number of events."""
        case, state = self._blocks
        out = Block("Outcomes", outcomes._asdict(), rows=frozenset(Outcomes._fields), unset=UNSET)
        try:
            events = int(replicate(case, luck, out, state, first, len(outcomes.trl)))
        except Exception as error:  # the loop itself raises nothing; numba may pass on what a user's policy raised
            if not self._asks:
                raise
            raise PolicyError(raising(self._case) or (_RAISED,)) from error
        if self._state["raised"][0]:
            raise PolicyError(raising(self._case) or (_RAISED,))
        if self._state["overflow"][0]:
            raise EngineError("compiled", "the agenda is full: please report this")
        return events
