"""Findings as HTML pages, of a plan or of a study: tables in, a file out; nothing is run or estimated anew."""

from __future__ import annotations

from rdsim.report.page import PlanReport, write
from rdsim.report.sheet import Column, Plot, Section, Sheet, Table, svg, write_sheet

__all__ = ["Column", "PlanReport", "Plot", "Section", "Sheet", "Table", "svg", "write", "write_sheet"]
