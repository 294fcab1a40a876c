"""How likely it is that at least so many technologies are on the market by the end of a year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdsim.report.data.plan import PlanReport
from rdsim.stats import proportion_interval

__all__ = ["market_odds"]


def market_odds(report: PlanReport) -> pd.DataFrame:
    """Share of replications with at least `count` commercialised by the end of `year`, with its exact interval.

    Columns: year, count (from 0 to one more than was ever reached), share, low, high. Of no replications, no rows.
    """
    rows = [
        (year, count, found.mean, found.low, found.high)
        for year in range(report.start_year, report.horizon_year + 1)
        for count, reached in enumerate(_tail(report.replications[f"commercialised_by_{year}"]))
        for found in [proportion_interval(reached, len(report.replications), report.confidence)]
    ]
    return pd.DataFrame(rows, columns=["year", "count", "share", "low", "high"])


def _tail(counts: pd.Series[int]) -> list[int]:
    """Replications that reach 0, 1, 2, ... technologies, to the first number that none does."""
    if counts.empty:
        return []
    numbers = np.bincount(counts.to_numpy(np.int64), minlength=int(counts.max()) + 2)
    return [int(one) for one in numbers[::-1].cumsum()[::-1]]
