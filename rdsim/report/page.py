"""The page of a plan: its tables and manifest in, one self-contained HTML file out (see `inside`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rdsim.report.inside import picture, render

__all__ = ["PlanReport", "named", "render_plan"]

# The schedule is left out: its hundred labels take seconds to draw, and what it says is in the table as well.
_PICTURED = ("chosen", "money", "results", "rules", "way")


@dataclass(frozen=True, eq=False)
class PlanReport:
    """What a plan found. Names are for people, money is in `money_unit`, times are decimal calendar years.

    The frames' columns are those of `rdsim.frames` (projects, replications, budget, international) and of
    `rdsim.findings` (technologies, plan, targets, policies, sources); the manifest is the run's own.
    """

    title: str
    description: str
    money_unit: str
    confidence: float
    start_year: int
    horizon_year: int
    manifest: Mapping[str, Any]
    technologies: pd.DataFrame
    projects: pd.DataFrame
    replications: pd.DataFrame
    budget: pd.DataFrame
    plan: pd.DataFrame
    international: pd.DataFrame
    targets: pd.DataFrame
    policies: pd.DataFrame
    sources: pd.DataFrame


def named(table: pd.DataFrame, names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The table with names for people instead of ids, in those of its columns that have names."""
    return table.assign(**{name: table[name].astype(str).map(names[name]) for name in names if name in table})


def render_plan(report: PlanReport) -> str:
    """The page, as HTML."""
    from rdsim.report import figures, words  # noqa: PLC0415 - Altair takes most of a second to import

    drawn = {section: figures.draw(report, section) for section in figures.SECTIONS}
    return render(
        "page.html.j2",
        [figure for group in drawn.values() for figure in group],
        ("table.js", "figures.js"),
        report=report,
        manifest=report.manifest,
        headline=words.headline(report),
        promised=words.promised(report),
        searched=words.searched(report),
        tiles=words.tiles(report),
        doubts=words.doubts(report),
        figures=drawn,
        pictures={figure.key: picture(figure) for name in _PICTURED for figure in drawn[name]},
        rows=_rows(report.technologies),
        choices={name: sorted(report.technologies[name].astype(str).unique()) for name in ("programme", "field")},
        countries=dict(zip(report.technologies["partner"], report.technologies["partner_name"], strict=True)),
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for the template; what is missing is None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
