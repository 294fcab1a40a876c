"""Step times fitted to records of real projects: `rdsim calibrate`."""

from __future__ import annotations

from rdsim.calibration.fragment import fragment
from rdsim.calibration.page import page_of, study, terminal_lines
from rdsim.calibration.prediction import Check, check
from rdsim.calibration.records import Records, read
from rdsim.calibration.run import CalibrationSettings, Fitted, calibrate

__all__ = [
    "CalibrationSettings",
    "Check",
    "Fitted",
    "Records",
    "calibrate",
    "check",
    "fragment",
    "page_of",
    "read",
    "study",
    "terminal_lines",
]
