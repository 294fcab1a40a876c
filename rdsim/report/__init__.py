"""A plan's findings as one HTML page: tables in, a file out; nothing is run or estimated anew."""

from __future__ import annotations

from rdsim.report.page import PlanReport, write

__all__ = ["PlanReport", "write"]
