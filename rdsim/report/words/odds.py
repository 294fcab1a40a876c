"""The chance of at least so many technologies on the market by a year: a table of round numbers, for a reader."""

from __future__ import annotations

import pandas as pd

from rdsim.languages import gettext as _
from rdsim.report.words.amounts import percent

__all__ = ["odds_rows"]

_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_ROWS = 8


def odds_rows(table: pd.DataFrame) -> tuple[list[int], list[tuple[int, list[tuple[str, str]]]]]:
    """Years that make a difference, and rows of (a round number, by each year the chance and its interval).

    `table` is that of `rdsim.report.data.odds.market_odds`.
    """
    most = int(table["count"].max()) - 1 if len(table) else 0
    if most < 1:
        return [], []
    step = next((one for one in _STEPS if most // one <= _ROWS), most)
    numbers = sorted({1, *range(step, most + 1, step)})
    known = table.set_index(["year", "count"])
    years = _years(table)
    return years, [(number, [_chance(known, year, number) for year in years]) for number in numbers]


def _years(table: pd.DataFrame) -> list[int]:
    """From the first year in which chances change to the last."""
    wide = table[table["count"] > 0].pivot_table(index="year", columns="count", values="share").fillna(0.0)
    changed = (wide != wide.shift(fill_value=0.0)).any(axis=1)
    years = [int(year) for year in wide.index[changed]]
    return list(range(years[0], years[-1] + 1))


def _chance(known: pd.DataFrame, year: int, number: int) -> tuple[str, str]:
    """Of a number that was never reached, the chance of the first such number."""
    of_year = known.loc[year]
    share, low, high = of_year.iloc[min(number, len(of_year) - 1)][["share", "low", "high"]]
    return percent(share), _("{low} to {high}").format(low=percent(low), high=percent(high))
