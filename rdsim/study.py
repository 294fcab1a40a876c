"""What every run comes to: a study, with answers for people, tables and portfolios for programs, a page, and a record.

A plan, a simulation, a proposal and a calibration become one as every other question does, so that there is one way
into a folder (`rdsim.results`) and one way onto a page (`rdsim.report`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from rdsim.brief import listing
from rdsim.domain import Portfolio, Scenario
from rdsim.languages import Message
from rdsim.report import Page, PlanReport

__all__ = ["AnyPage", "Frame", "Study"]

Frame = pd.DataFrame | Callable[[], pd.DataFrame]
"""A table, or what makes it where it is written: then no want of memory, and no interrupt, costs more than that one."""

AnyPage = Page | PlanReport | Callable[[], PlanReport]


@dataclass(frozen=True, eq=False)
class Study:
    """What was found, by the command `name`: see `rdsim.folders.contents` for where each part goes.

    Tables are stored as CSV, those named in `parquet` as Parquet, with their types. Money is in the scenario's
    `money_unit`.
    """

    name: str
    scenario: Scenario | None
    """None if no scenario was asked about: of records, or of a problem stated by tables."""
    seed: int
    page: AnyPage | None = None
    """What report.html shows, as data."""
    tables: Mapping[str, Frame] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    """What the manifest says beside how the run came about; values that JSON has."""
    portfolios: Mapping[str, Portfolio] = field(default_factory=dict)
    said: Sequence[str] = ()
    """Lines for the terminal, if they are others than the lead of the page."""
    portfolio: Portfolio | None = None
    """The one portfolio that the run comes to, if it does: further questions are asked about it."""
    baselines: Mapping[str, Portfolio] = field(default_factory=dict)
    """Portfolios of simple rules, beside it."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files of text, by their names in the folder."""
    parquet: frozenset[str] = frozenset()
    workbook: tuple[str, ...] = ()
    """Names of tables that stand in a workbook too, a sheet each."""
    replications: int | None = None
    """How many were simulated; None: as many as the scenario says."""
    engine: str = "none"
    missing: tuple[str, ...] = ()
    """What was not finished, for an interrupt or for a failure."""
    why: str = ""
    """The failure for which it was not finished."""

    def with_lead(self, line: str) -> Study:
        """The study with a line before all that it says, for people and for the terminal."""
        page = replace(self.page, lead=(line, *self.page.lead)) if isinstance(self.page, Page) else self.page
        return replace(self, page=page, said=(line, *self.said) if self.said else ())

    def with_noted(self, noted: Mapping[str, Message]) -> Study:
        """The study whose page knows what the texts in its tables say, of those that were noted while it was made."""
        return replace(self, page=self.page.with_noted(noted)) if isinstance(self.page, Page) else self

    @property
    def lines(self) -> Sequence[str]:
        """What the terminal says."""
        return self.said or (self.page.lead if isinstance(self.page, Page) else ())

    def __repr__(self) -> str:
        about = f" of {self.scenario.name}" if self.scenario else ""
        return f"Study {self.name}{about}: {listing(self.tables) or 'no tables'}"
