"""How results and money of two simulated runs differ: paired where their draws are common, unpaired where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.comparison.reading import FinishedRun
from rdsim.figures import Figure, from_files, label_with_unit
from rdsim.languages import N_
from rdsim.languages import gettext as _
from rdsim.stats import Interval, paired_difference, proportion_interval, unpaired_difference

__all__ = ["ABROAD", "HOME", "MONEY", "NETWORK", "PLANNED", "RESULTS", "RunPair", "money_table", "result_table"]

MONEY = ("run", "by", "key", "name", "what", "first", "second", "difference", "low", "high", "n", "interval")
RESULTS = (
    "run", "figure", "label", "luck", "first", "second", "difference", "low", "high", "n", "interval", "better",
    "better_low", "better_high", "same",
)  # fmt: skip

HOME, ABROAD, NETWORK, PLANNED = (
    N_("paid by home, net of refunds"),
    N_("paid by partners"),
    N_("paid for opening and running partners"),
    N_("expected payments, as the optimiser adds them up"),
)


@dataclass(frozen=True, eq=False)
class RunPair:
    """Two simulated runs, and how they are compared: every difference is the second's less the first's."""

    first: FinishedRun
    second: FinishedRun
    comparisons: int
    """So many runs stand beside the first: intervals of one figure hold together over them."""

    @property
    def confidence(self) -> float:
        """The first run's, for all."""
        return float(self.first.manifest.get("confidence") or 0.95)

    @property
    def common(self) -> pd.Index:
        """Replications that both runs have of one seed and scenario, whose luck is the same: the pairs, if any."""
        if self.first.manifest.get("seed") != self.second.manifest.get("seed") or not self.is_of_one_scenario:
            return pd.Index([], dtype="int64")
        return self.first.replications.index.intersection(self.second.replications.index)

    @property
    def is_of_one_scenario(self) -> bool:
        """Whether both are of a scenario of one name, with whatever settings: luck is addressed by what is in it."""
        first, second = (run.manifest.get("scenario") or {} for run in (self.first, self.second))
        return bool(first.get("name") == second.get("name"))

    @property
    def is_paired(self) -> bool:
        """Whether draws are common: one seed, and replications that both have."""
        return len(self.common) > 1

    def difference(self, first: pd.Series, second: pd.Series) -> Interval:
        """The second less the first, of two columns by replication."""
        if self.is_paired:
            first, second = first.loc[self.common], second.loc[self.common]
            return paired_difference(_numbers(second), _numbers(first), self.confidence, self.comparisons)
        return unpaired_difference(_numbers(second), _numbers(first), self.confidence, self.comparisons)

    def is_expected(self, figure: str) -> bool:
        """Whether both runs keep a figure with the luck of the market in expectation."""
        return figure in self.first.expectations and figure in self.second.expectations

    def columns(self, figure: str) -> tuple[pd.Series, ...]:
        """A figure by replication, of both runs; nothing where it is no column, or not a number everywhere, of one."""
        runs = (self.first, self.second)
        tables = [run.expectations if self.is_expected(figure) else run.replications for run in runs]
        if any(figure not in one or not np.isfinite(_numbers(one[figure])).all() for one in tables):
            return ()
        return tuple(one[figure] for one in tables)

    @property
    def word(self) -> str:
        """How intervals are made."""
        return _("paired") if self.is_paired else _("unpaired")


def _numbers(column: pd.Series) -> Floats:
    return column.to_numpy(np.float64)


# --- results --------------------------------------------------------------------------------------


def result_table(pair: RunPair) -> pd.DataFrame:
    """A row for each figure that both runs estimate: means, the difference with its interval, and who is better.

    Means and differences are with the luck of the market in expectation where the runs keep it so (`luck`). `better`
    is the share of common replications, as drawn, in which the second run is better, with its interval, and `same`
    that in which both are alike; they are missing (NaN) where draws are not common or neither sense is better.
    """
    told = (from_files(run.manifest.get("figures", {})) for run in (pair.first, pair.second))
    known, other = told
    names = [name for name in pair.first.manifest.get("figures", {}) if name in pair.second.manifest.get("figures", {})]
    rows = (_result_row(pair, known[name]) for name in names if name in other)
    return pd.DataFrame([row for row in rows if row], columns=list(RESULTS))


def _result_row(pair: RunPair, figure: Figure) -> dict[str, object]:
    """Empty for a figure that is no column, or not a number in every replication, of either run."""
    name = figure.name
    columns = pair.columns(name)
    if not columns:
        return {}
    found = pair.difference(columns[0], columns[1])
    return {
        "run": pair.second.label,
        "figure": name,
        "label": label_with_unit(figure, pair.first.money_unit),
        "luck": "in expectation" if pair.is_expected(name) else "as drawn",
        "first": float(columns[0].mean()),
        "second": float(columns[1].mean()),
        **_interval_columns(pair, found),
        **_better(pair, figure),
    }


def _interval_columns(pair: RunPair, found: Interval) -> dict[str, object]:
    return {"difference": found.mean, "low": found.low, "high": found.high, "n": found.n, "interval": pair.word}


def _better(pair: RunPair, figure: Figure) -> dict[str, float]:
    """In which share of the common futures the second is better: with all luck, for a mean has no probability."""
    if not pair.is_paired or figure.sense == "neither" or figure.name not in pair.second.replications:
        return {}
    drawn = [_numbers(run.replications.loc[pair.common, figure.name]) for run in (pair.first, pair.second)]
    gain = drawn[1] - drawn[0] if figure.sense == "more" else drawn[0] - drawn[1]
    # Sums in another order differ in their last bits, and nobody is better for that.
    gain[np.abs(gain) <= 1e-9 * np.maximum(np.abs(drawn[0]), np.abs(drawn[1]))] = 0.0
    level = 1 - (1 - pair.confidence) / pair.comparisons
    share = proportion_interval(int((gain > 0).sum()), gain.size, level)
    return {
        "better": share.mean,
        "better_low": share.low,
        "better_high": share.high,
        "same": float((gain == 0).mean()),
    }


# --- money ----------------------------------------------------------------------------------------


def money_table(pair: RunPair) -> pd.DataFrame:
    """A row for each year, field and partner and who pays: means of the two runs, and the difference.

    Money of simulated replications, with the interval of the difference. Where both runs hold what the optimiser
    expected of them, that by year as well (`what` says so), without one: no replications are behind it.
    """
    rows = [*_simulated_money(pair)] if pair.first.is_simulated and pair.second.is_simulated else []
    return pd.DataFrame([*rows, *_planned_money(pair)], columns=list(MONEY))


def _simulated_money(pair: RunPair) -> Iterator[dict[str, object]]:
    tables = [_payments(run) for run in (pair.first, pair.second)]
    order = {"year": 0, "field": 1, "partner": 2}
    keys = sorted(
        {*tables[0], *tables[1]}, key=lambda key: (order[key[0]], key[1], (HOME, ABROAD, NETWORK).index(key[2]))
    )
    nothing = [pd.Series(0.0, index=run.replications.index) for run in (pair.first, pair.second)]
    for key in keys:
        first, second = (one.get(key, zero) for one, zero in zip(tables, nothing, strict=True))
        if not first.any() and not second.any():
            continue
        found = pair.difference(first, second)
        by, name, what = key
        means = {"first": float(first.mean()), "second": float(second.mean())}
        told = {"run": pair.second.label, "by": by, "key": name, "name": _name(pair, by, name), "what": what}
        yield told | means | _interval_columns(pair, found)


def _payments(run: FinishedRun) -> dict[tuple[str, str, str], pd.Series]:
    """Money by replication: of each year, field and partner, by who pays."""
    index, projects = run.replications.index, run.outcomes
    found: dict[tuple[str, str, str], pd.Series] = {}
    for prefix, what in (("home_", HOME), ("foreign_", ABROAD)):
        columns = [one for one in projects.columns if one.startswith(prefix)]
        of_year = projects.groupby("replication")[columns].sum().reindex(index, fill_value=0.0)
        found |= {("year", name.removeprefix(prefix), what): of_year[name] for name in columns}
        total = projects[["replication", "field", "partner"]].assign(paid=projects[columns].sum(axis=1))
        for by in ("field", "partner"):
            sums = _wide(total, by, "paid").reindex(index, fill_value=0.0)
            found |= {(by, str(name), what): sums[name] for name in sums.columns}
    network = _wide(run.purses, "year", "spent_network").reindex(index, fill_value=0.0)
    return found | {("year", str(year), NETWORK): network[year] for year in network.columns}


def _wide(table: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Sums, a row for each replication and a column for each value of `by`."""
    return table.pivot_table(
        index="replication", columns=by, values=value, aggfunc="sum", fill_value=0.0, observed=True
    )


def _name(pair: RunPair, by: str, key: str) -> str:
    for world in (pair.second.scenario, pair.first.scenario):
        known = {} if world is None or by == "year" else world.fields if by == "field" else world.partners
        if key in known:
            return str(known[key].name)
    return _("no partner") if by == "partner" and not key else key


def _planned_money(pair: RunPair) -> Iterator[dict[str, object]]:
    tables = [_planned_payments(run) for run in (pair.first, pair.second)]
    if not all(tables):
        return
    for year in sorted({*tables[0], *tables[1]}):
        first, second = (one.get(year, 0.0) for one in tables)
        if first or second:
            told = {"run": pair.second.label, "by": "year", "key": str(year), "name": str(year), "what": PLANNED}
            yield told | {"first": first, "second": second, "difference": second - first, "interval": "none"}


def _planned_payments(run: FinishedRun) -> dict[int, float]:
    """Expected payments of the chosen options by year, all programmes together; empty where the run does not say."""
    found: dict[int, float] = {}
    for row in (run.manifest.get("promises") or {}).get("years") or []:
        found[int(row["year"])] = found.get(int(row["year"]), 0.0) + float(row["payments"] or 0.0)
    return found
