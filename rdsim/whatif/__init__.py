"""What would change a plan: why money lapses, what other money or partners would do, what the unfunded lack.

Three questions about a finished plan, each answered by simulating or deciding again: `lapse` (the plan without each
cause of lapsing money, and with each lever), `changes` (the plan decided anew under a change), `absences` (what each
technology that is not funded would cost).
"""

from __future__ import annotations

from rdsim.whatif.absences import Absence, absences, excluding
from rdsim.whatif.causes import OTHERWISE, Otherwise
from rdsim.whatif.changes import ChangeEffect, WorldChange, changes_of, decide_changes
from rdsim.whatif.lapse import Lapse, Without, lapse_by_cause
from rdsim.whatif.partners import PartnersWorth, choices_of_levels, partners_worth
from rdsim.whatif.record import (
    absence_table,
    changes_record,
    lapse_record,
    lapse_table,
    nearest_record,
    others_record,
    partners_record,
    unused_record,
    unused_table,
)
from rdsim.whatif.unused import OVER, UnusedMoney, UnusedPart, unused_money
from rdsim.whatif.words import absence_words, excluded_words, gain_words

__all__ = [
    "OTHERWISE",
    "OVER",
    "Absence",
    "ChangeEffect",
    "Lapse",
    "Otherwise",
    "PartnersWorth",
    "UnusedMoney",
    "UnusedPart",
    "Without",
    "WorldChange",
    "absence_table",
    "absence_words",
    "absences",
    "changes_of",
    "changes_record",
    "choices_of_levels",
    "decide_changes",
    "excluded_words",
    "excluding",
    "gain_words",
    "lapse_by_cause",
    "lapse_record",
    "lapse_table",
    "nearest_record",
    "others_record",
    "partners_record",
    "partners_worth",
    "unused_money",
    "unused_record",
    "unused_table",
]
