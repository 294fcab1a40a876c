"""What the page of a plan shows: its tables and the manifest of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from rdsim.report.data.asked import PlanAnswer

__all__ = ["PlanReport", "mean_payments", "with_names"]


@dataclass(frozen=True, eq=False)
class PlanReport:
    """What a plan found. Names are for people, money is in `money_unit`, times are decimal calendar years.

    The frames' columns are those of `rdsim.frames` (projects, replications, expected, budget, international) and of
    `rdsim.findings` (technologies, plan, targets, policies, sources, facts, tried, partners, decisions). The manifest
    is the run's own, put in where the page is drawn.
    """

    title: str
    description: str
    money_unit: str
    confidence: float
    start_year: int
    horizon_year: int
    technologies: pd.DataFrame
    projects: pd.DataFrame
    replications: pd.DataFrame
    budget: pd.DataFrame
    plan: pd.DataFrame
    international: pd.DataFrame
    targets: pd.DataFrame
    policies: pd.DataFrame
    sources: pd.DataFrame
    names: Mapping[str, Mapping[str, str]]
    """What people call programmes, fields and modes, by the columns of tables that hold their ids."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    expected: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Replications by policy with the luck of the market in expectation; empty of runs that were made without."""
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    """What is assumed of technologies and partners; empty of runs that were made without, as the next three are."""
    tried: pd.DataFrame = field(default_factory=pd.DataFrame)
    partners: pd.DataFrame = field(default_factory=pd.DataFrame)
    texts: Mapping[str, Any] = field(default_factory=dict)
    """What texts of these tables say, see `rdsim.languages.kept_texts`."""
    decisions: pd.DataFrame = field(default_factory=pd.DataFrame)
    """How firm each decision is; empty of plans that were decided once."""
    answers: tuple[PlanAnswer, ...] = ()
    """What was asked of the plan, put in where the page is drawn, as the next is."""
    strangers: Mapping[str, str] = field(default_factory=dict)
    """Folders beside the answers that are none of this plan, by name, and why not."""

    @cached_property
    def payments(self) -> pd.DataFrame:
        """Expected payments by funded technology and year, see `mean_payments`: worked out once for all that ask."""
        return mean_payments(self.projects)


def mean_payments(projects: pd.DataFrame) -> pd.DataFrame:
    """Expected payments by funded technology, undiscounted: technology, then a column for each kind and year.

    `home_YEAR` is what the purses pay, net of refunds; `foreign_YEAR` what partners pay of their own; `abroad_YEAR`, of
    runs that tell it, what home pays abroad, refunds not taken off. `projects` has a row for each replication and
    project.
    """
    money = projects.filter(regex=r"^(technology|(home|foreign|abroad)_\d+)$")
    means = money.groupby("technology", observed=True, sort=False).mean()
    return means.reset_index().astype({"technology": str})


def with_names(table: pd.DataFrame, names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The table with names for people instead of ids, in those of its columns that have names."""
    return table.assign(**{name: table[name].astype(str).map(names[name]) for name in names if name in table})
