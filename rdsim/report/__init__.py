"""Findings as HTML pages, of a plan or of a study: data in, pages out; nothing is run or estimated anew.

Four rooms, each importing only from those before it: `data` (what a page shows), `words` (what the data say), `charts`
(what they look like), `page` (one HTML file, drawn in a process of its own).
"""

from __future__ import annotations

from rdsim.errors import tell_new_name
from rdsim.report.data.aggregates import NOT_ALLOWED, outcome_shares, payments_for_good, policy_labels, yearly_payments
from rdsim.report.data.kept import document, kept_table, needs, page_tables, page_text, read_page
from rdsim.report.data.plan import PlanReport, with_names
from rdsim.report.data.sections import PLOT_KINDS, Column, Page, Plot, Section, Table
from rdsim.report.page.drawings import Drawer, at_hand, brief_files, page_html, plot_svgs, run_files
from rdsim.report.page.html import Content, fill_page
from rdsim.report.words import firmness_words, headline, promise_words

__all__ = [
    "NOT_ALLOWED",
    "PLOT_KINDS",
    "Column",
    "Content",
    "Drawer",
    "Page",
    "PlanReport",
    "Plot",
    "Section",
    "Table",
    "at_hand",
    "brief_files",
    "document",
    "fill_page",
    "firmness_words",
    "headline",
    "kept_table",
    "needs",
    "outcome_shares",
    "page_html",
    "page_tables",
    "page_text",
    "payments_for_good",
    "plot_svgs",
    "policy_labels",
    "promise_words",
    "read_page",
    "run_files",
    "with_names",
    "yearly_payments",
]


def __getattr__(name: str) -> object:
    if name != "Sheet":
        raise AttributeError(f"module 'rdsim.report' has no attribute {name!r}")
    tell_new_name("rdsim.report.Sheet", "rdsim.report.Page")
    return Page
