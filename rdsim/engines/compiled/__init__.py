"""The compiled engine: one event loop over the arrays of a case, the same sample paths as `process`.

The loop keeps an agenda ordered by (day, phase, order), as `rules` writes down, and a state for each
project. Where `process` has a generator that waits, this module has a function for what comes after the
wait; they are named alike. Purse, gate, step and tie rules are the function objects of `rules` and
`gates`, compiled here.

The first call in a fresh installation compiles for about half a minute; the code is then kept in numba's
cache beside this file (or in the user's cache folder), and later processes load it.
"""

from __future__ import annotations

from rdsim import gates
from rdsim.case import Case, Luck, Outcomes, blank_outcomes
from rdsim.engines.compiled.contracts import (
    POLICIES,
    CaseRef,
    LuckRef,
    OutcomesRef,
    StateRef,
    blank_state,
)
from rdsim.engines.compiled.loop import replicate
from rdsim.errors import EngineError

__all__ = ["count_events", "run"]


def run(case: Case, luck: Luck) -> Outcomes:
    """Simulate every replication of the luck. Raises EngineError for a gate policy that is not compiled."""
    return _simulate(case, luck)[0]


def count_events(case: Case, luck: Luck) -> int:
    """Entries of the agenda that are handled in all replications of the luck: what benchmarks count."""
    return _simulate(case, luck)[1]


def _simulate(case: Case, luck: Luck) -> tuple[Outcomes, int]:
    unknown = list(gates.GATE_POLICIES)[len(POLICIES) :]
    if unknown and case.policy.max(initial=0) >= len(POLICIES):
        raise EngineError("compiled", f"gate policies {unknown} are registered for the simpy engine only: use it")
    outcomes = blank_outcomes(case, len(luck.agreed))
    references = CaseRef(*case), LuckRef(*luck), OutcomesRef(*outcomes), StateRef(*blank_state(case))
    return outcomes, int(replicate(*references, 0, len(luck.agreed)))
