"""What was asked of a plan, as its own page tells it: in short, from what the answers' runs keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rdsim.folders import KeptAnswer
from rdsim.report.data.sections import Page, Plot, Table

__all__ = ["ROWS", "SENTENCES", "PlanAnswer"]

SENTENCES, ROWS = 5, 8
"""Of an answer, what a plan's page shows at most; the answer's own page has the rest."""


@dataclass(frozen=True, eq=False)
class PlanAnswer:
    """A study that was asked of a plan: where it is, and what its page holds."""

    kept: KeptAnswer
    page: Page

    @property
    def key(self) -> str:
        """What its section and its figure are called on the plan's page."""
        return f"answer-{'-'.join(self.kept.label.split())}"

    @property
    def sentences(self) -> Sequence[str]:
        """What it found, without the line that says whose portfolio it speaks of."""
        whose = (self.kept.manifest.get("subject") or {}).get("words")
        return [one for one in self.page.lead if one != whose]

    @property
    def plot(self) -> Plot | None:
        """Its first figure, under a key of its own."""
        plots = [plot for section in self.page.sections for plot in section.plots]
        return replace(plots[0], key=self.key) if plots else None

    @property
    def table(self) -> Table | None:
        """Its first table, whole."""
        return next((table for section in self.page.sections for table in section.tables), None)
