"""Step times fitted to records of real projects: `rdsim calibrate`."""

from __future__ import annotations

from rdsim.calibrating.calibration import CalibrationSettings, Fitted, calibrate
from rdsim.calibrating.fragment import fragment
from rdsim.calibrating.page import described, sheet, study
from rdsim.calibrating.prediction import Check, check
from rdsim.calibrating.records import Records, read

__all__ = [
    "CalibrationSettings",
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
