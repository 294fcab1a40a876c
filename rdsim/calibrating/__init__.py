"""Step times fitted to records of real projects: `rdsim calibrate`."""

from __future__ import annotations

from rdsim.calibrating.calibration import Asked, Fitted, calibrate
from rdsim.calibrating.fragment import fragment
from rdsim.calibrating.page import described, sheet, study
from rdsim.calibrating.prediction import Check, check
from rdsim.calibrating.records import Records, read

__all__ = [
    "Asked",
    "Check",
    "Fitted",
    "Records",
    "calibrate",
    "check",
    "described",
    "fragment",
    "read",
    "sheet",
    "study",
]
