"""Step times fitted to records of real projects: `rdsim calibrate`."""

from __future__ import annotations

from rdsim.calibrating.calibration import CalibrationSettings, Fitted, calibrate
from rdsim.calibrating.fragment import fragment
from rdsim.calibrating.page import sheet, study, terminal_lines
from rdsim.calibrating.prediction import Check, check
from rdsim.calibrating.records import Records, read

__all__ = [
    "CalibrationSettings",
    "Check",
    "Fitted",
    "Records",
    "calibrate",
    "check",
    "fragment",
    "read",
    "sheet",
    "study",
    "terminal_lines",
]
