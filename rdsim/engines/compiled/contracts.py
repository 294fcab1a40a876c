"""What compiled functions share: the codes of stages and entries, the state, the compiled rules.

Purse, gate, step and tie rules are the function objects of `rules` and `gates`, compiled here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types
from numba.experimental import structref

from rdsim import gates
from rdsim.case import Case, Ints, Luck, Outcomes
from rdsim.engines import rules
from rdsim.engines.jit import jit

__all__ = [
    "ALWAYS_PASS",
    "AT_BETWEEN",
    "AT_ENDED",
    "AT_FACILITY",
    "AT_MONEY",
    "AT_PANEL",
    "AT_PLACE",
    "AT_REVIEWED",
    "AT_ROUNDS",
    "AT_SCHEDULED",
    "AT_START",
    "AT_TALKING",
    "AT_WORKING",
    "DO_BREAK",
    "DO_CALL",
    "DO_GRANT",
    "DO_LOOK",
    "DO_READY",
    "DO_REOPEN",
    "DO_REVIEW",
    "DO_ROUND",
    "DO_TALKS",
    "DO_WORK",
    "DO_YEAR_END",
    "DROP_WORST",
    "IS_CLAIMED",
    "IS_NEVER",
    "IS_NEW",
    "IS_OPEN",
    "IS_OPENING",
    "POLICIES",
    "THRESHOLD",
    "CaseRef",
    "LuckRef",
    "OutcomesRef",
    "State",
    "StateRef",
    "at_rate",
    "attempt",
    "blank_state",
    "carried_over",
    "deliverables_in",
    "dropped",
    "fits",
    "hopeless",
    "next_round",
    "planned_trl",
    "refund",
    "threshold",
    "work_days",
]

Bools = npt.NDArray[np.bool_]

carried_over = jit(rules.carried_over)
fits = jit(rules.fits)
hopeless = jit(rules.hopeless)
refund = jit(rules.refund)
at_rate = jit(rules.at_rate)
work_days = jit(rules.work_days)
attempt = jit(rules.attempt)
planned_trl = jit(rules.planned_trl)
next_round = jit(rules.next_round)
threshold = jit(gates.threshold)
deliverables_in = jit(gates.deliverables_in)
dropped = jit(gates.dropped)

# Those of `gates` itself: a plug-in may have registered its own before this module was imported.
POLICIES = ("threshold", "always-pass", "drop-worst")
THRESHOLD, ALWAYS_PASS, DROP_WORST = range(3)

# What an agenda entry is.
DO_YEAR_END, DO_CALL, DO_WORK, DO_BREAK, DO_REVIEW, DO_ROUND, DO_TALKS, DO_READY, DO_REOPEN, DO_LOOK, DO_GRANT = range(
    11
)

# Where a project stands.
(
    AT_SCHEDULED,
    AT_START,
    AT_PLACE,
    AT_BETWEEN,
    AT_TALKING,
    AT_MONEY,
    AT_WORKING,
    AT_FACILITY,
    AT_PANEL,
    AT_REVIEWED,
    AT_ROUNDS,
    AT_ENDED,
) = range(12)

# What a partner is.
IS_NEW, IS_CLAIMED, IS_OPENING, IS_OPEN, IS_NEVER = range(5)


class State(NamedTuple):
    """What changes while a replication runs."""

    keys: Ints  # the agenda: a binary heap of (day, phase, order) packed in one number
    entries: Ints  # kind, token and index of each, packed in one number
    size: Ints  # (1,) entries in the agenda
    queue: Ints  # (resources, P) waiting projects in order of rank
    waiting: Ints  # (resources,)
    granting: Bools  # (resources,) a grant is on the agenda
    served: Ints  # (P,) scratch: those that a grant serves, or turns away
    # projects
    stage: Ints
    token: Ints  # an agenda entry with another token is void
    since: Ints
    joint: Bools
    counted: Bools  # the partner stays open for it
    holding: Bools  # a place
    using: Bools  # units of facilities
    tranche: Ints
    trl_now: Ints
    worked_at: Ints  # (P, 9) days worked when TRL k + 1 was reached
    funded_end: Ints
    extended: Bools
    step_joint: Bools
    attempt: Ints
    remaining: Ints
    run_from: Ints
    # programmes, panels, partners, facilities
    purse: Ints
    starts_left: Ints
    fraction: Ints
    round_day: Ints
    announced: Ints  # (G, Y) budgets of later years together
    seats_used: Ints
    partner: Ints
    claim: Ints
    live: Ints
    closed_until: Ints
    used: Ints
    units: Ints
    reserved: Bools  # scratch: (N,) or (F,), asked for by a project of higher rank


# Compiled functions pass these by one pointer; a tuple of a hundred arrays would be copied at each call.


class _Shared(types.StructRef):
    """The numba type of a contract's arrays."""

    def preprocess_fields(self, fields: tuple[tuple[str, types.Type], ...]) -> tuple[tuple[str, types.Type], ...]:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


@structref.register
class _CaseType(_Shared):
    pass


@structref.register
class _LuckType(_Shared):
    pass


@structref.register
class _OutcomesType(_Shared):
    pass


@structref.register
class _StateType(_Shared):
    pass


class CaseRef(structref.StructRefProxy):
    pass


class LuckRef(structref.StructRefProxy):
    pass


class OutcomesRef(structref.StructRefProxy):
    pass


class StateRef(structref.StructRefProxy):
    pass


structref.define_proxy(CaseRef, _CaseType, list(Case._fields))
structref.define_proxy(LuckRef, _LuckType, list(Luck._fields))
structref.define_proxy(OutcomesRef, _OutcomesType, list(Outcomes._fields))
structref.define_proxy(StateRef, _StateType, list(State._fields))


def blank_state(case: Case) -> State:
    """Room for one replication's state."""
    projects, lines, partners = len(case.programme), len(case.tranches), len(case.places)
    resources = 3 * lines + 2 + len(case.seats)
    # One live entry a project; a wait for facilities leaves a void one behind for each attempt and tranche.
    agenda = 64 + 4 * lines + 2 * (case.budget.shape[1] + 1) * partners + len(case.dependent)
    agenda += projects * (4 + 8 * case.attempts + 2 * case.home.shape[1] + int(case.extensions.max(initial=0)))
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(State._fields, (projects,))
    shapes |= {"keys": (agenda,), "entries": (agenda,), "size": (1,), "queue": (resources, max(projects, 1))}
    shapes |= dict.fromkeys(("waiting", "granting"), (resources,))
    shapes |= dict.fromkeys(("purse", "starts_left", "fraction", "round_day"), (lines,))
    shapes |= dict.fromkeys(("partner", "claim", "live", "closed_until", "used"), (partners,))
    shapes |= {"worked_at": (projects, 9), "seats_used": (len(case.seats),), "units": (len(case.capacity),)}
    shapes |= {"reserved": (max(partners, len(case.capacity)),), "announced": case.budget.shape}
    flags = {name for name, kind in State.__annotations__.items() if kind == "Bools"}
    state = State(**{name: np.zeros(shape, np.bool_ if name in flags else np.int64) for name, shape in shapes.items()})
    state.announced[:] = case.budget[:, ::-1].cumsum(axis=1)[:, ::-1] - case.budget
    return state
