"""What a study is: a sheet for people, tables and portfolios for programs, and a record of how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from rdsim import portfolio
from rdsim.domain import Portfolio, Scenario
from rdsim.optimiser import Solution
from rdsim.report import Sheet
from rdsim.report.words import amount
from rdsim.search import Posed
from rdsim.simulation import replicate
from rdsim.stats import Interval, mean_interval

__all__ = ["Study", "intervals", "judged", "listing", "money", "picked", "record_of"]


@dataclass(frozen=True, eq=False)
class Study:
    """What was found: the sheet, tables by name, portfolios by name, and what a manifest should say."""

    name: str
    scenario: Scenario
    seed: int
    sheet: Sheet
    tables: Mapping[str, pd.DataFrame]
    record: Mapping[str, Any]
    portfolios: Mapping[str, Portfolio] = field(default_factory=dict)
    said: Sequence[str] = ()
    """For the terminal, if that is more than the sheet's lead."""

    @property
    def lines(self) -> Sequence[str]:
        """What the terminal says."""
        return self.said or self.sheet.lead


def picked(posed: Posed, chosen: Iterable[int], name: str) -> Portfolio:
    """Options by number as a ranked portfolio."""
    choices = posed.options.choices
    return portfolio.ranked(Portfolio(tuple(choices[o] for o in chosen), name), posed.scenario)


def judged(posed: Posed, portfolios: Mapping[str, Portfolio], replications: int | None = None) -> pd.DataFrame:
    """Simulate portfolios on the same replications, which chose none of them.

    Returns a row for each, in their order: mean and limits of `npv`, mean of `commercialised_by_deadline` and of
    `commercialised`, and `n`.
    """
    scenario = posed.scenario
    count = scenario.simulation.replications if replications is None else replications
    rows = []
    for name, one in portfolios.items():
        table = replicate(
            scenario, one, replications=count, seed=posed.seed, engine=posed.engine, threads=posed.threads
        )
        rows.append({"portfolio": name, **_estimates(table, scenario.simulation.confidence)})
    columns = ("portfolio", "npv", "npv_low", "npv_high", "in_time", "commercialised", "n")
    return pd.DataFrame(rows, columns=list(columns))


def _estimates(table: pd.DataFrame, confidence: float) -> dict[str, float]:
    npv: Interval = mean_interval(table["npv"].to_numpy(np.float64), confidence)
    return {
        "npv": npv.mean,
        "npv_low": npv.low,
        "npv_high": npv.high,
        "in_time": float(table["commercialised_by_deadline"].mean()),
        "commercialised": float(table["commercialised"].mean()),
        "n": npv.n,
    }


def intervals(table: pd.DataFrame) -> list[str]:
    """Simulated means with their limits, as `judged` gives them, in words."""
    columns = zip(table["npv"], table["npv_low"], table["npv_high"], strict=True)
    return [f"{amount(mean)} ({amount(low)} to {amount(high)})" for mean, low, high in columns]


def money(value: float, scenario: Scenario) -> str:
    """An amount with its unit."""
    return f"{amount(value)} {scenario.money_unit}"


def listing(names: Iterable[str], most: int = 6, none: str = "none") -> str:
    """Names as a planner reads them: the first few, and how many more there are."""
    every = list(names)
    if not every:
        return none
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def record_of(posed: Posed, solution: Solution | None = None) -> dict[str, Any]:
    """Samples, engine and options of the problem, and the solver's account of a solution."""
    told: dict[str, Any] = {
        "samples": posed.samples,
        "engine": posed.engine,
        "options": len(posed.options.choices),
        "rows": len(posed.problem.rows.names),
    }
    if solution is not None:
        told["solver"] = {
            "name": solution.solver,
            "version": solution.version,
            "status": str(solution.status),
            "objective": solution.objective,
            "bound": solution.bound,
            "gap": solution.gap,
            "seconds": solution.seconds.total,
        }
    return told
