"""Who is best, and how far behind the others are: ranks, distances from the best, regret by world, trade-offs.

All intervals of a table hold together with the scenario's confidence (`rdsim.multiplicity`), on common replications
with the covariance that they have. What others are measured against was chosen on other replications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from rdsim.arrays import Bools, Floats
from rdsim.bench.judging import Judged
from rdsim.bench.worlds import AS_STATED
from rdsim.case import hosts
from rdsim.domain import Portfolio, Scenario
from rdsim.multiplicity import distances_from_best, intervals_together, rank_ranges
from rdsim.scenario import members
from rdsim.stats import cvar, cvar_interval, mean_interval, quantile

__all__ = ["LEVEL", "countries_of", "dominance", "ranks", "regrets", "regrets_in_short"]

LEVEL = 0.95
"""CVaR is the mean of the worst 5%, where the scenario weighs no other level."""

_LEAST_TAIL = 10
"""Replications in the tail, from which on a difference of CVaR is judged."""


def ranks(
    judged: Judged, titles: Mapping[str, str], keeping: Mapping[str, Sequence[str]], level: float
) -> pd.DataFrame:
    """A row for each freedom and portfolio that keeps within it, in the scenario as it stands, the best first.

    Columns: freedom, entrant, title, value with low and high, rank, rank_low and rank_high (all pairwise), ahead with
    ahead_low and ahead_high (of the best of the others: Hsu), maybe_best, n.
    """
    return pd.DataFrame(
        [row for freedom, names in keeping.items() for row in _ranks(judged, titles, freedom, names, level)]
    )


def _ranks(
    judged: Judged, titles: Mapping[str, str], freedom: str, names: Sequence[str], level: float
) -> Iterator[dict[str, object]]:
    if not names:
        return
    table = judged.table(dict.fromkeys(names))
    order = np.argsort(-table.mean(axis=0), kind="stable").tolist()
    own, ahead = [mean_interval(column, level) for column in table.T], distances_from_best(table, level)
    ranges = rank_ranges(table, level)
    for rank, place in enumerate(order, start=1):
        name, value, lead = names[place], own[place], ahead[place]
        yield {
            "freedom": freedom,
            "entrant": name,
            "title": titles[name],
            "value": value.mean,
            "low": value.low,
            "high": value.high,
            "rank": rank,
            "rank_low": ranges[place][0],
            "rank_high": ranges[place][1],
            "ahead": lead.mean,
            "ahead_low": lead.low,
            "ahead_high": lead.high,
            "maybe_best": bool(lead.high > 0 or lead.low == 0 or lead.mean >= 0),
            "n": value.n,
        }


# --- regret -----------------------------------------------------------------------------------------


def regrets(
    judged: Judged, worlds: Sequence[str], told: Sequence[str], known: Mapping[str, Sequence[str]], level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each portfolio loses in each world against the best that is known there, and that in short.

    `told` are portfolios that were judged in all of the worlds; `known`, by world, are those of which the best is
    chosen, on replications of their own. Of both tables all intervals hold together. Columns of the first: world,
    best, entrant, regret, low, high, n.
    """
    count = judged.measured.elsewhere
    best = {world: judged.best(dict.fromkeys(known[world]), world) for world in worlds}
    lost = np.array([judged.told[w, best[w]][:count] - judged.told[w, name][:count] for w in worlds for name in told]).T
    found = intervals_together(lost, level)
    places = [(world, name) for world in worlds for name in told]
    rows = [
        {
            "world": world,
            "best": best[world],
            "entrant": name,
            "regret": one.mean,
            "low": one.low,
            "high": one.high,
            "n": one.n,
        }
        for (world, name), one in zip(places, found, strict=True)
    ]
    table = pd.DataFrame(rows)
    return table, regrets_in_short(table, lost.reshape(len(lost), len(worlds), len(told)), told, level)


def regrets_in_short(table: pd.DataFrame, lost: Floats, told: Sequence[str], level: float) -> pd.DataFrame:
    """Mean regret over these worlds, and the largest with its world: a row for each portfolio, the least mean first.

    `lost` is (R, worlds, portfolios). Columns: entrant, mean with mean_low and mean_high, most with most_low and
    most_high, most_in, worlds, n.
    """
    means = intervals_together(lost.mean(axis=1), level)
    rows = []
    for name, mean in zip(told, means, strict=True):
        mine = table[table["entrant"] == name]
        worst = mine.iloc[int(mine["regret"].to_numpy().argmax())]
        rows.append(
            {
                "entrant": name,
                "mean": mean.mean,
                "mean_low": mean.low,
                "mean_high": mean.high,
                "most": worst["regret"],
                "most_low": mine["low"].max(),
                "most_high": mine["high"].max(),
                "most_in": worst["world"],
                "worlds": len(mine),
                "n": mean.n,
            }
        )
    return pd.DataFrame(rows).sort_values("mean", kind="stable", ignore_index=True)


# --- trade-offs -------------------------------------------------------------------------------------


def countries_of(scenario: Scenario, portfolio: Portfolio) -> list[str]:
    """Codes of the partners that a portfolio has projects with, consortia by their members."""
    known = {code for choice in portfolio.choices for code in members(scenario, choice.partner)}
    return [code for code in hosts(scenario) if code in known]


def dominance(judged: Judged, scenario: Scenario, portfolios: Mapping[str, Portfolio], level: float) -> pd.DataFrame:
    """Value against CVaR, against partners and against the international share: a row for each portfolio.

    Columns: entrant, value, cvar with cvar_low and cvar_high, countries, joint (share of projects with a partner),
    international (share of the last year with a target, NaN without one); and for each of `cvar`, `countries` and
    `international` whether a portfolio that is better in value is no worse there: `dominated_cvar` (names of those that
    are *shown* to be better in both), `beyond_countries` and `beyond_international` (names of those that are shown to
    be worth more with no fewer countries, or no smaller share), with commas.
    """
    names, alpha = list(portfolios), scenario.optimiser.risk.level or LEVEL
    rows = [_figures(judged, scenario, name, portfolios[name], alpha, level) for name in names]
    table = pd.DataFrame(rows)
    better, safer = _shown_better(judged, names, alpha, level)
    many, share = table["countries"].to_numpy(), table["international"].fillna(0.0).to_numpy()
    told = {
        "dominated_cvar": better & safer,
        "beyond_countries": better & (many[:, np.newaxis] >= many),
        "beyond_international": better & (share[:, np.newaxis] >= share),
    }
    for column, ahead in told.items():
        table[column] = [", ".join(names[i] for i in np.flatnonzero(ahead[:, j])) for j in range(len(names))]
    return table


def _figures(
    judged: Judged, scenario: Scenario, name: str, portfolio: Portfolio, alpha: float, level: float
) -> dict[str, object]:
    tail, years = cvar_interval(judged.plain[name], alpha, level), sorted(scenario.international.share_floor)
    figures, column = judged.figures[name], f"international_share_{years[-1]}" if years else ""
    return {
        "entrant": name,
        "value": float(judged.told[AS_STATED, name].mean()),
        "cvar": tail.mean,
        "cvar_low": tail.low,
        "cvar_high": tail.high,
        "countries": len(countries_of(scenario, portfolio)),
        "joint": float(np.mean([bool(one.partner) for one in portfolio.choices])) if portfolio.choices else 0.0,
        "international": float(figures[column].mean()) if column in figures else float("nan"),
    }


def _shown_better(judged: Judged, names: Sequence[str], alpha: float, level: float) -> tuple[Bools, Bools]:
    """Who is shown to be better than whom in value, and in CVaR: (K, K) each, all differences together."""
    values = judged.table(dict.fromkeys(names))
    tails = np.array([_tail_values(judged.plain[name], alpha) for name in names]).T
    count = len(names)
    first, second = np.triu_indices(count, 1)
    found = [np.zeros((count, count), bool) for _ in range(2)]
    if not first.size:
        return found[0], found[1]
    both = np.hstack([one[:, first] - one[:, second] for one in (values, tails)])
    known = intervals_together(both, level)
    enough = (1 - alpha) * len(values) >= _LEAST_TAIL
    for half, table in enumerate(found):
        for i, j, one in zip(first, second, known[half * first.size : (half + 1) * first.size], strict=True):
            table[i, j], table[j, i] = one.low > 0, one.high < 0
    return found[0], found[1] & enough


def _tail_values(worths: Floats, alpha: float) -> Floats:
    """Numbers whose mean is CVaR, and whose errors are its own to first order: its influence function."""
    edge = quantile(worths, 1 - alpha)
    told = edge - np.maximum(edge - worths, 0.0) / (1 - alpha)
    return np.asarray(told - told.mean() + cvar(worths, alpha))
