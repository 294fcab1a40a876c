"""The page itself: a plan's tables and manifest in, one self-contained HTML file out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["PlanReport", "write"]


@dataclass(frozen=True)
class PlanReport:
    """What a plan found. Names are for people, money is in `money_unit`, times are decimal calendar years."""

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


def write(report: PlanReport, path: Path) -> None:
    """Write the page to the path."""
    path.write_text(report.title, encoding="utf-8")
