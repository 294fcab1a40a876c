"""What is known on the first day of a fiscal year: what happened before it, and the year's money. Nothing else."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np

from rdsim.arrays import Ints
from rdsim.case import DAYS_PER_YEAR, TARGET, hosts
from rdsim.domain import Choice, Scenario
from rdsim.engines.rules import carry_over, refund
from rdsim.metrics import has_joint_work
from rdsim.rolling.course import Lived
from rdsim.scenario import money_scale

__all__ = ["Knowledge", "Phase", "Standing", "knowledge_at"]


class Phase(Enum):
    """Where a project is."""

    AHEAD = "ahead"  # its planned start is still to come
    WAITING = "waiting"  # for a start or for a prerequisite
    RUNNING = "running"
    OVER = "over"


class Standing(NamedTuple):
    """A project on that day."""

    choice: Choice
    phase: Phase
    reached: bool  # its target
    trl: int
    tranches: int  # paid so far
    joint: bool  # counts for its partner
    together: bool  # some step was begun with the partner: what was signed stays
    delay: int  # whole years between planned and real start
    paid: float  # net of refunds, so far
    paid_joint: float  # of what was paid, that while joint
    refund: float  # comes back if it is stopped today

    @property
    def alive(self) -> bool:
        """True if it was begun, or should have been, and is not over."""
        return self.phase in {Phase.WAITING, Phase.RUNNING}


class Knowledge(NamedTuple):
    """All that a policy may know."""

    year: int
    standings: tuple[Standing, ...]  # in order of rank
    purse: dict[str, float]  # money of the year by programme: carried over, and new
    opened: frozenset[str]  # partners


def knowledge_at(scenario: Scenario, past: Lived, budget: Ints) -> Knowledge:
    """What is known on the day on which a past ends: the horizon of its case, the first day of a fiscal year.

    The past is one replication; `budget` is its luck of that name, (1, G, Y), of which no later year is looked at.
    """
    index, case = past.case.horizon // DAYS_PER_YEAR, past.case
    unspent = zip(past.outcomes.lapsed[0, :, index - 1].tolist(), case.carry_ppm.tolist(), strict=True)
    carried = np.array([carry_over(left, rate) for left, rate in unspent])
    money = (carried + budget[0, :, index]) / money_scale(scenario)
    opened = past.outcomes.opened_day[0] >= 0
    return Knowledge(
        scenario.start_year + index,
        tuple(_standing(scenario, past, row) for row in range(len(past.choices))),
        dict(zip(scenario.programmes, money.tolist(), strict=True)),
        frozenset(code for code, open_ in zip(hosts(scenario), opened, strict=True) if open_),
    )


def _standing(scenario: Scenario, past: Lived, row: int) -> Standing:
    out, case, choice, today = past.outcomes, past.case, past.choices[row], past.case.horizon
    over, started = out.end_day[0, row] >= 0, out.start_day[0, row] >= 0
    planned = int(case.start_year[row] * DAYS_PER_YEAR + case.call_day[case.programme[row]])
    if over:
        phase = Phase.OVER
    elif started:
        phase = Phase.RUNNING
    else:
        phase = Phase.WAITING if case.start_year[row] * DAYS_PER_YEAR < today else Phase.AHEAD
    tranches = int((out.tranche_day[0, row] >= 0).sum())
    paid = out.paid[0, row].sum() - out.refund[0, row]
    return Standing(
        choice=choice,
        phase=phase,
        reached=bool(over) and int(out.end_state[0, row]) == TARGET,
        trl=int(out.trl[0, row]),
        tranches=tranches,
        joint=bool(out.joint_at_end[0, row]) and not over,
        together=bool(has_joint_work(out)[0, row]),
        delay=max(0, (int(out.start_day[0, row]) if started else today) - planned) // DAYS_PER_YEAR,
        paid=float(paid) / money_scale(scenario),
        paid_joint=float((out.paid[0, row] * out.paid_joint[0, row]).sum()) / money_scale(scenario),
        refund=0.0 if over else _refund(past, row, tranches) / money_scale(scenario),
    )


def _refund(past: Lived, row: int, tranches: int) -> int:
    """What is left of the tranche under way; an extension brings no money, and begins when its tranche is used up."""
    if not tranches:
        return 0
    out, case, last = past.outcomes, past.case, tranches - 1
    days = int(case.tranche_days[case.programme[row], last])
    unused = int(out.tranche_day[0, row, last]) + days - case.horizon
    left = int(out.paid[0, row, last]) - (int(out.paid_abroad[0, row, last]) if out.lost_partner[0, row] else 0)
    return int(refund(left, unused, days)) if unused > 0 else 0
