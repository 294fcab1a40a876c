"""Findings as HTML pages, of a plan or of a study: data in, pages out; nothing is run or estimated anew."""

from __future__ import annotations

from rdsim.report.drawing import drawn_plots, drawn_run, drawn_sheet
from rdsim.report.kept import PAGE, PLAN_TABLES, page_text, plan_page, read_page, sheet_page
from rdsim.report.page import PlanReport, named
from rdsim.report.sheet import Column, Plot, Section, Sheet, Table

__all__ = [
    "PAGE",
    "PLAN_TABLES",
    "Column",
    "PlanReport",
    "Plot",
    "Section",
    "Sheet",
    "Table",
    "drawn_plots",
    "drawn_run",
    "drawn_sheet",
    "named",
    "page_text",
    "plan_page",
    "read_page",
    "sheet_page",
]
