"""What was asked of a plan, as its own page tells it: in short, from what the answers' runs keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rdsim.folders import KeptAnswer
from rdsim.report.data.sections import Page, Plot, Table

__all__ = ["ROWS", "ROWS_BESIDE", "SENTENCES", "PlanAnswer"]

SENTENCES, ROWS, ROWS_BESIDE = 5, 8, 4
"""Of an answer, what a plan's page shows at most, of a table beside a figure fewer rows; its own page has the rest."""


@dataclass(frozen=True, eq=False)
class PlanAnswer:
    """A study that was asked of a plan: where it is, and what its page holds."""

    kept: KeptAnswer
    page: Page

    @cached_property
    def shown_page(self) -> Page:
        """Its page in the active language, as far as its run kept what its texts say."""
        return self.page.retold()

    @property
    def key(self) -> str:
        """What its section and its figure are called on the plan's page."""
        return f"answer-{'-'.join(self.kept.label.split())}"

    @property
    def sentences(self) -> Sequence[str]:
        """What it found, the most important first, without the line that says whose portfolio it speaks of."""
        whose = (self.kept.manifest.get("subject") or {}).get("words")
        pairs = zip(_page_sentences(self.page), _page_sentences(self.shown_page), strict=True)
        return list(dict.fromkeys(told for said, told in pairs if said != whose))

    @property
    def plot(self) -> Plot | None:
        """Its first figure, under a key of its own; none where its own page was not drawn, lest this one fail too."""
        plots = [plot for section in self.shown_page.sections for plot in section.plots]
        return replace(plots[0], key=self.key) if plots and self.kept.target else None

    @property
    def table(self) -> Table | None:
        """Its first table, whole."""
        return next((table for section in self.shown_page.sections for table in section.tables), None)


def _page_sentences(page: Page) -> Iterator[str]:
    yield from page.lead
    yield from (one for section in page.sections for one in section.sentences)
