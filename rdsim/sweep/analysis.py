"""What a sweep's table says: effects of factors, Sobol indices, interactions, and which policy is best where.

Tables in, tables out; nothing is run. Points that failed or are missing are left out, and counted by the caller.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.sweep.design import SAMPLED

__all__ = ["Analysis", "Flip"]

_BINS, _FEWEST, _CELLS = 8, 5, 5
"""Bins of a response curve, points in a bin at least, and bins each way of an interaction."""

_RESAMPLES = 200

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Flip:
    """Between two policies: the factor along which the better one changes, and which levels favour which."""

    factor: str
    first: str
    second: str
    favours_first: str
    favours_second: str


@dataclass(frozen=True, eq=False)
class Analysis:
    """One metric of a sweep, over the points that are done."""

    table: pd.DataFrame
    manifest: Mapping[str, Any]
    metric: str

    @cached_property
    def done(self) -> pd.DataFrame:
        """Points that gave numbers; `world` tells which points differ by the policy alone."""
        table = self.table[self.table["status"] == "done"]
        return table.assign(world=table["point"] // self.manifest["design"]["policies"])

    @property
    def switch(self) -> str:
        """Name of the factor that chooses the policy, or nothing."""
        return next((name for name, one in self.manifest["factors"].items() if one["policy"]), "")

    @property
    def factors(self) -> list[str]:
        """The factors that are no policies."""
        return [name for name in self.manifest["factors"] if name != self.switch]

    @property
    def confidence(self) -> float:
        """Confidence of the intervals."""
        return float(self.manifest["confidence"])

    # --- effects ----------------------------------------------------------------------------------

    def response(self, factor: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """The metric along a factor: columns `level`, `at` (its place on an axis), `mean`, `low`, `high`, `n`.

        In a one-at-a-time design the other factors are as the scenario has them and the interval is the simulation's;
        in others it is that of the mean over the points of a level, whatever the other factors are.
        """
        rows = self.along(factor) if rows is None else rows
        found = []
        for level, group in _binned(rows[factor]):
            some = rows.loc[group]
            found.append({"level": level, "at": _middle(some[factor]), **self._estimate(some)})
        return pd.DataFrame(found, columns=["level", "at", "mean", "low", "high", "n"])

    def along(self, factor: str) -> pd.DataFrame:
        """The points that tell about a factor: all, or in a one-at-a-time design those that vary no other."""
        if self.manifest["design"]["kind"] != "one-at-a-time":
            return self.done
        others = [name for name in self.factors if name != factor]
        same = np.ones(len(self.done), np.bool_)
        for name in others:
            same &= (self.done[name] == self._own(name)).to_numpy() | (
                self.done[name].isna().to_numpy() if self._own(name) is None else False
            )
        return self.done[same]

    def _own(self, factor: str) -> Any:
        """The level of the scenario itself, which is the first point of a one-at-a-time design."""
        first = self.table[factor].iloc[0]
        return None if isinstance(first, float) and np.isnan(first) else first

    def _estimate(self, rows: pd.DataFrame) -> dict[str, float]:
        if len(rows) == 1:
            row = rows.iloc[0]
            low, high = float(row[f"{self.metric} low"]), float(row[f"{self.metric} high"])
            return {"mean": float(row[self.metric]), "low": low, "high": high, "n": 1}
        found = mean_interval(rows[self.metric].to_numpy(np.float64), self.confidence)
        return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}

    def tornado(self) -> pd.DataFrame:
        """Factors by how far the metric moves over their levels, most first: `factor`, `lowest`, `highest`, `swing`,
        and the levels at which it is lowest and highest."""
        found = []
        for factor in self.factors:
            curve = self.response(factor)
            if len(curve) < 2:
                continue
            low, high = (curve.iloc[int(place)] for place in (curve["mean"].argmin(), curve["mean"].argmax()))
            told = {"factor": factor, "lowest": low["mean"], "highest": high["mean"]}
            found.append(
                {
                    **told,
                    "swing": high["mean"] - low["mean"],
                    "clear": high["low"] > low["high"],
                    "at_lowest": low["level"],
                    "at_highest": high["level"],
                }
            )
        columns = ["factor", "lowest", "highest", "swing", "clear", "at_lowest", "at_highest"]
        table = pd.DataFrame(found, columns=columns)
        return table.sort_values(["swing", "factor"], ascending=[False, True], ignore_index=True)

    def interaction(self, first: str, second: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Mean of the metric by levels of two factors: `x`, `y`, `mean`, `n`."""
        rows = self.done if rows is None else rows
        across, up = dict(_celled(rows[first])), dict(_celled(rows[second]))
        cells = pd.DataFrame(
            {"x": rows.index.map(across), "y": rows.index.map(up), "value": rows[self.metric].to_numpy(np.float64)}
        )
        found = cells.groupby(["x", "y"], sort=False)["value"].agg(mean="mean", n="size").reset_index()
        order = {
            axis: {name: k for k, name in enumerate(dict.fromkeys(one.values()))}
            for axis, one in (("x", across), ("y", up))
        }
        keys = [found["x"].map(order["x"]), found["y"].map(order["y"])]
        return found.assign(a=keys[0], b=keys[1]).sort_values(["a", "b"], ignore_index=True)

    # --- shares of the variance -------------------------------------------------------------------

    def indices(self) -> pd.DataFrame | None:
        """Sobol indices: `factor`, `first`, `first_error`, and of a Saltelli design `total`, `total_error`.

        Errors are half widths of bootstrap intervals. Of a Saltelli design by Saltelli's and Jansen's estimators, after
        leaving out every block with a point that failed; of another sampled design first-order indices alone, by
        Plischke, Borgonovo & Smith 2013 (European J. Operational Research 226). None if SALib is not installed, the
        design gives none, or there are fewer than 32 points.
        """
        kind = self.manifest["design"]["kind"]
        if kind not in ("saltelli", "latin-hypercube", "sobol") or len(self.factors) < 2:
            return None
        try:
            import SALib  # noqa: F401, PLC0415 - an extra
        except ImportError:
            return None
        shape = warnings.formatwarning
        try:
            with warnings.catch_warnings(record=True):  # SALib turns warnings on again, and gives them another shape
                return self._saltelli() if kind == "saltelli" else self._given_data()
        finally:
            warnings.formatwarning = shape

    @property
    def _one_policy(self) -> pd.DataFrame:
        """The points of the first policy alone: indices are of one response."""
        return self.done.loc[self.done["point"] % int(self.manifest["design"]["policies"]) == 0]

    def _saltelli(self) -> pd.DataFrame | None:
        from SALib.analyze import sobol  # noqa: PLC0415

        block = len(self.factors) + 2
        rows = self._one_policy
        whole = rows.groupby(rows["world"] // block)["world"].transform("size") == block
        values = rows.loc[whole, self.metric].to_numpy(np.float64)
        if len(values) < 4 * block or not values.std():
            return None
        problem = {"num_vars": len(self.factors), "names": self.factors, "bounds": [[0, 1]] * len(self.factors)}
        found = sobol.analyze(
            problem, values, calc_second_order=False, conf_level=self.confidence, num_resamples=_RESAMPLES, seed=1
        )
        columns = {"first": "S1", "first_error": "S1_conf", "total": "ST", "total_error": "ST_conf"}
        table = pd.DataFrame({"factor": self.factors, **{name: found[key] for name, key in columns.items()}})
        return table.assign(n=len(values)).sort_values("total", ascending=False, ignore_index=True)

    def _given_data(self) -> pd.DataFrame | None:
        from SALib.analyze import delta  # noqa: PLC0415

        rows = self._one_policy
        values = rows[self.metric].to_numpy(np.float64)
        if len(values) < 64 or not values.std():
            return None
        codes = np.column_stack([_codes(rows[name]) for name in self.factors])
        bounds = [[float(column.min()), float(column.max()) + 1e-9] for column in codes.T]
        names = [f"x{k}" for k in range(len(self.factors))]  # SALib forbids some endings of names
        problem = {"num_vars": len(names), "names": names, "bounds": bounds}
        wanted: dict[str, Any] = {"num_resamples": 100, "conf_level": self.confidence, "seed": 1, "method": "sobol"}
        found = delta.analyze(problem, codes, values, **wanted)
        table = pd.DataFrame({"factor": self.factors, "first": found["S1"], "first_error": found["S1_conf"]})
        return table.assign(n=len(values)).sort_values("first", ascending=False, ignore_index=True)

    # --- policies ---------------------------------------------------------------------------------

    @cached_property
    def worlds(self) -> pd.DataFrame:
        """The metric by world (rows) and policy (columns), of the worlds in which every policy is done."""
        if not self.switch:
            return pd.DataFrame()
        # A list of points may have a policy in some worlds only; then its points are compared by their other levels.
        keys = "world" if self.manifest["design"]["policies"] > 1 else self.factors or "world"
        wide = self.done.pivot_table(index=keys, columns=self.switch, values=self.metric, sort=False)
        names = [name for name in self.manifest["factors"][self.switch]["levels"] if name in wide]
        return wide[names].dropna()

    def regret(self) -> pd.DataFrame:
        """Policies, best mean first: `policy`, `mean`, `best_in` (share of worlds), `regret` with its interval and its
        largest value, `n` worlds. Regret is what the best policy of a world has more."""
        wide = self.worlds
        if wide.empty:
            return pd.DataFrame()
        best, found = wide.max(axis=1), []
        first = wide.idxmax(axis=1)
        for name in wide:
            lost = (best - wide[name]).to_numpy(np.float64)
            told = mean_interval(lost, self.confidence)
            found.append(
                {
                    "policy": name,
                    "mean": float(wide[name].mean()),
                    "best_in": float((first == name).mean()),
                    "regret": told.mean,
                    "regret_low": max(told.low, 0.0),
                    "regret_high": told.high,
                    "most": float(lost.max()),
                    "n": told.n,
                }
            )
        return pd.DataFrame(found).sort_values("mean", ascending=False, ignore_index=True)

    def differences(self) -> pd.DataFrame:
        """The policy that is best on average against each other one: `policy`, `difference`, `low`, `high` (together,
        Bonferroni), and in which share of the worlds it is `better` and clearly `worse`.

        Paired by world where worlds were sampled; over worlds that were chosen one by one, by replication, if those
        were kept. `over` says which, `n` how many.
        """
        wide, found = self.worlds, []
        if wide.shape[1] < 2:
            return pd.DataFrame()
        best = str(wide.mean().idxmax())
        others = [name for name in wide if name != best]
        for other in others:
            over, pair = self._paired(best, str(other), wide)
            gap = paired_difference(*pair, self.confidence, len(others))
            better, worse = self._clear(best, str(other), wide)
            told = {"policy": other, "difference": gap.mean, "low": gap.low, "high": gap.high}
            found.append({**told, "better": better, "worse": worse, "n": gap.n, "over": over})
        return pd.DataFrame(found).assign(best=best)

    def _paired(self, best: str, other: str, wide: pd.DataFrame) -> tuple[str, tuple[Floats, Floats]]:
        """What two policies are compared over, and their figures there."""
        kept = self.kept
        if kept is None or self.manifest["design"]["kind"] in SAMPLED:
            return "worlds", (wide[best].to_numpy(np.float64), wide[other].to_numpy(np.float64))
        # The same replications lived through every world: their means over the worlds are the samples.
        first, second = (np.array([np.asarray(one) for one in kept[name]]).mean(axis=0) for name in (best, other))
        return "replications", (first, second)

    def _clear(self, best: str, other: str, wide: pd.DataFrame) -> tuple[float, float]:
        """Shares of worlds in which one policy is clearly better than another, and clearly worse."""
        kept = self.kept
        if kept is None:
            gaps = (wide[best] - wide[other]).to_numpy(np.float64)
            return float((gaps > 0).mean()), float((gaps < 0).mean())
        pairs = kept[[best, other]].itertuples(index=False, name=None)
        told = [paired_difference(mine, theirs, self.confidence) for mine, theirs in pairs]
        return float(np.mean([gap.low > 0 for gap in told])), float(np.mean([gap.high < 0 for gap in told]))

    def contrast(self, factor: str, first: str, second: str, comparisons: int = 1) -> pd.DataFrame:
        """By levels of a factor how much more the first policy has: as `response`.

        Intervals are over the worlds of a level; of a single world over its replications, if they were kept.
        """
        along = self.along(factor).drop_duplicates("world").set_index("world")[factor]
        worlds = [world for world in self.worlds.index if world in along.index]
        gaps = (self.worlds.loc[worlds, first] - self.worlds.loc[worlds, second]).rename("gap")
        found = []
        for level, group in _binned(along.loc[worlds]):
            told = self._gap(gaps.loc[group], first, second, comparisons)
            found.append({"level": level, "at": _middle(along.loc[group]), **_told(told)})
        return pd.DataFrame(found, columns=["level", "at", "mean", "low", "high", "n"])

    def _gap(self, gaps: pd.Series, first: str, second: str, comparisons: int) -> Interval:
        kept = self.kept
        if len(gaps) == 1 and kept is not None:
            pair = kept.loc[gaps.index[0]]
            return paired_difference(pair[first], pair[second], self.confidence, comparisons)
        return mean_interval(gaps.to_numpy(np.float64), 1 - (1 - self.confidence) / comparisons)

    @cached_property
    def kept(self) -> pd.DataFrame | None:
        """Replications of the metric by world and policy, if they were kept and are this metric's."""
        if "samples" not in self.done or self.metric != self.manifest["metrics"][0]:
            return None
        if self.manifest["kinds"][0] != "mean":
            return None
        return self.done.set_index(["world", self.switch])["samples"].unstack().dropna()  # noqa: PD010 - lists

    def flips(self) -> list[Flip]:
        """Along which factor the better of two policies changes: one is clearly better at some levels, and clearly
        worse at others (intervals over the worlds of a level, all pairs and factors together by Bonferroni)."""
        wide = self.worlds
        if wide.shape[1] < 2 or self.manifest["design"]["policies"] < 2:
            return []
        pairs = list(combinations([str(name) for name in wide.mean().sort_values(ascending=False).index], 2))
        comparisons, found = len(pairs) * len(self.factors) * _BINS, []
        for first, second in pairs:
            for factor in self.factors:
                table = self.contrast(factor, first, second, max(comparisons, 1))
                ahead = table.loc[table["low"] > 0, "level"]
                behind = table.loc[table["high"] < 0, "level"]
                if len(ahead) and len(behind):
                    found.append(Flip(factor, first, second, _list(ahead), _list(behind)))
        return found

    def best_by_cell(self, first: str, second: str) -> pd.DataFrame:
        """Which policy has the best mean in each cell of two factors: `x`, `y`, `policy`."""
        wide = self.worlds
        base = self.done.drop_duplicates("world").set_index("world").reindex(wide.index)
        across, up = dict(_celled(base[first])), dict(_celled(base[second]))
        cells = wide.assign(x=[across[k] for k in wide.index], y=[up[k] for k in wide.index])
        means = cells.groupby(["x", "y"], sort=False).mean()
        table = means.idxmax(axis=1).rename("policy").reset_index()
        order = [{name: k for k, name in enumerate(dict.fromkeys(one.values()))} for one in (across, up)]
        return table.assign(a=table["x"].map(order[0]), b=table["y"].map(order[1])).sort_values(
            ["a", "b"], ignore_index=True
        )

    def contrast_by_cell(self, x: str, y: str, first: str, second: str) -> pd.DataFrame:
        """How much more the first policy has in each cell of two factors, over its worlds: `x`, `y`, `mean`, `n`."""
        gaps = self.worlds[first] - self.worlds[second]
        base = self.done.drop_duplicates("world").set_index("world").reindex(gaps.index)
        return self.interaction(x, y, base.assign(**{self.metric: gaps}))

    def movers(self, first: str, second: str) -> list[str]:
        """The factors by how far they move the difference between two policies, most first."""
        curves = {factor: self.contrast(factor, first, second)["mean"] for factor in self.factors}
        swings = {factor: float(curve.max() - curve.min()) for factor, curve in curves.items() if len(curve) > 1}
        return sorted(swings, key=lambda factor: -swings[factor])

    # --- choices ----------------------------------------------------------------------------------

    def partners(self) -> pd.DataFrame:
        """How often each partner has a project, over the points: `partner`, `share`, `projects` (mean where it has),
        and the factor along which the share moves most, with the share at its ends."""
        if "partners" not in self.done:
            return pd.DataFrame()
        chosen = pd.DataFrame([_counts(text) for text in self.done["partners"]], index=self.done.index).fillna(0)
        found = []
        for code in chosen.columns:
            used = chosen[code] > 0
            factor, low, high = self._moves(used)
            told = {"partner": code, "share": float(used.mean()), "projects": float(chosen.loc[used, code].mean())}
            found.append({**told, "factor": factor, "at_low": low, "at_high": high, "n": len(used)})
        table = pd.DataFrame(found, columns=["partner", "share", "projects", "factor", "at_low", "at_high", "n"])
        return table.sort_values(["share", "partner"], ascending=[False, True], ignore_index=True)

    def _moves(self, used: pd.Series) -> tuple[str, float, float]:
        most: tuple[str, float, float] = ("", float("nan"), float("nan"))
        for factor in [*self.factors, *([self.switch] if self.switch else [])]:
            shares = [float(used.loc[group].mean()) for _, group in _binned(self.done[factor], 4)]
            if len(shares) > 1 and not abs(shares[-1] - shares[0]) <= abs(most[2] - most[1]):
                most = (factor, shares[0], shares[-1])
        return most

    def technologies(self) -> pd.DataFrame:
        """How often each technology is funded, over the points: `technology`, `share`, `n`."""
        if "technologies" not in self.done:
            return pd.DataFrame()
        every = self.done["technologies"].str.split("|").explode()
        shares = every[every != ""].value_counts() / max(len(self.done), 1)
        table = pd.DataFrame({"technology": shares.index, "share": shares.to_numpy(), "n": len(self.done)})
        return table.sort_values(["share", "technology"], ascending=[False, True], ignore_index=True)


def _told(found: Any) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _counts(text: str) -> dict[str, float]:
    pairs = (one.rpartition(":") for one in text.split("|") if one)
    return {code: float(number) for code, _, number in pairs}


def _binned(levels: pd.Series, most: int = _BINS) -> Iterator[tuple[str, pd.Index]]:
    """Groups of a column's rows in order: by level if there are few, else by equally full bins of a number."""
    groups: dict[str, list[Any]] = {}
    for row, label in _labelled(levels, most):
        groups.setdefault(label, []).append(row)
    for label, rows in groups.items():
        yield label, pd.Index(rows)


def _labelled(levels: pd.Series, most: int) -> Iterator[tuple[Any, str]]:
    """(row, label of its group), groups in order; rows without a level are left out."""
    known = levels.dropna()
    if not pd.api.types.is_numeric_dtype(known):
        for value in dict.fromkeys(known):
            yield from ((row, str(value)) for row in known.index[known == value])
        return
    distinct = np.unique(known.to_numpy())
    ordered = known.sort_values(kind="stable")
    if len(distinct) <= most:
        yield from ((row, f"{value:.4g}") for row, value in ordered.items())
        return
    parts = np.array_split(np.arange(len(ordered)), max(2, min(most, len(ordered) // _FEWEST)))
    for part in parts:
        some = ordered.iloc[part]
        label = f"{some.iloc[0]:.3g} to {some.iloc[-1]:.3g}"
        yield from ((row, label) for row in some.index)


def _celled(levels: pd.Series) -> Iterator[tuple[Any, str]]:
    """As `_labelled`, for one side of a map: a cell for each level if there are few."""
    return _labelled(levels, _BINS if levels.nunique() <= _BINS else _CELLS)


def _middle(levels: pd.Series) -> float:
    return float(levels.mean()) if pd.api.types.is_numeric_dtype(levels) else float("nan")


def _codes(levels: pd.Series) -> Floats:
    if pd.api.types.is_numeric_dtype(levels):
        return np.asarray(levels.to_numpy(np.float64))
    return np.asarray(pd.factorize(levels)[0], np.float64)


def _list(levels: pd.Series) -> str:
    """Levels in words; neighbouring intervals become one."""
    runs: list[list[Any]] = []
    for place, level in levels.items():
        if runs and runs[-1][2] + 1 == place and " to " in str(level):
            runs[-1][1:] = [level, place]
        else:
            runs.append([level, level, place])
    return ", ".join(_joined(str(first), str(last)) for first, last, _ in runs)


def _joined(first: str, last: str) -> str:
    return first if first == last else f"{first.split(' to ', maxsplit=1)[0]} to {last.split(' to ')[1]}"
