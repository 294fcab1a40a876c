"""What a sweep's table says: effects of factors, Sobol indices, interactions, and which policy is best where.

Tables in, tables out; nothing is run. Points that failed or are missing are left out, and counted by the caller.

What an interval is of depends on the design. Where worlds were *sampled*, it is of the mean over worlds: policies of a
world are averaged first, and of a Saltelli design only the first and last world of each block are independent. Points
that were *chosen* (grid, list, one at a time) are no sample of anything: there it is of the luck of the replications,
or, where everything was decided several times over, of deciding and luck, over these repeats.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rdsim.arrays import Floats
from rdsim.designs import SAMPLED
from rdsim.figures import Figure, from_files
from rdsim.stats import Interval, mean_interval
from rdsim.sweep.blocks import Blocks
from rdsim.sweep.groups import BINS, bin_rows, cell_rows, middle
from rdsim.sweep.measures import Metric, parse_metric
from rdsim.sweep.repeats import both_errors, is_decided_once, over_repeats, repeats_of, units_words

__all__ = ["Analysis", "Flip"]

_RESAMPLES = 200

_ROUNDING = 1e-12
"""Swings that are smaller, relative to the means, are those of sums in another order."""


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
    def finished_points(self) -> pd.DataFrame:
        """Points that gave numbers, each over its repeats; `world` tells which points differ by the policy alone."""
        return self._with_world(over_repeats(self.table, self.manifest, self.measure))

    @cached_property
    def decided_rows(self) -> pd.DataFrame:
        """Every row that gave numbers: a point, or a repeat of one, with what was chosen there."""
        return self._with_world(self.table[self.table["status"] == "done"])

    def _with_world(self, table: pd.DataFrame) -> pd.DataFrame:
        if self.switch and self.manifest["design"]["policies"] == 1 and self.factors:
            # A list of points may name a policy in each row: then its worlds are told by their other levels.
            return table.assign(world=table.groupby(self.factors, sort=False, dropna=False).ngroup())
        return table.assign(world=table["point"] // self.manifest["design"]["policies"])

    @property
    def is_repeated(self) -> bool:
        """Whether everything was decided several times over."""
        return repeats_of(self.manifest) > 1

    @property
    def is_blind(self) -> bool:
        """Whether decisions are compared that were taken once: then nothing is called clear."""
        return is_decided_once(self.manifest)

    @property
    def is_sampled(self) -> bool:
        """Whether the design drew its worlds, so that they stand for others."""
        return self.manifest["design"]["kind"] in SAMPLED

    @property
    def _block(self) -> int:
        """Worlds in a block of a Saltelli design; 0 of others."""
        return len(self.factors) + 2 if self.manifest["design"]["kind"] == "saltelli" and self.factors else 0

    def independent(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of worlds that were drawn by themselves: of a block of a Saltelli design the first and the last."""
        place = rows["world"] % self._block if self._block else None
        return rows if place is None else rows[(place == 0) | (place == self._block - 1)]

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

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """The figures of the metrics, as the manifest describes them, and those that need no description."""
        return from_files(self.manifest.get("figures", {}))

    @cached_property
    def measure(self) -> Metric:
        """What is measured."""
        metric = parse_metric(self.metric, self.figures)
        assert metric is not None  # noqa: S101 - the manifest names metrics that were parsed
        return metric

    # --- estimates --------------------------------------------------------------------------------

    @cached_property
    def has_replications(self) -> bool:
        """Whether there are samples whose mean the metric is: its repeats, or replications that were kept."""
        if self.is_repeated:
            return True
        first = self.metric == self.manifest["metrics"][0] and self.manifest["kinds"][0] in ("mean", "probability")
        return first and "samples" in self.finished_points

    def samples(self, rows: pd.DataFrame) -> Floats:
        """Replications, shape (rows, replications): figures, or 1 where what a probability is of came true. Where
        deciding was repeated the estimates, shape (rows, repeats)."""
        known = np.array([np.asarray(one, np.float64) for one in rows["samples"]])
        return known if self.is_repeated else self.measure.samples(known)

    def by_world(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The metric by world, averaged over the points of each: levels, `value`, `low`, `high`, `n`, and `samples`
        where they were kept. The error of an average is at most the average error, however luck hangs together
        (Minkowski's inequality), and so are the limits."""
        columns = {"value": self.metric, "low": f"{self.metric} low", "high": f"{self.metric} high", "n": "n"}
        plain = rows[["world", *self.factors]].assign(**{name: rows[one] for name, one in columns.items()})
        groups = plain.groupby("world", sort=False)
        found = groups[self.factors].first() if self.factors else groups[["n"]].first().drop(columns="n")
        found = found.join(groups[["value", "low", "high"]].mean()).join(groups[["n"]].min())
        if self.has_replications:
            means = pd.DataFrame(self.samples(rows)).groupby(rows["world"].to_numpy(), sort=False).mean()
            found["samples"] = pd.Series(list(means.to_numpy()), means.index, dtype=object)
        return found

    def estimate(self, rows: pd.DataFrame, comparisons: int = 1) -> Interval:
        """The mean of the metric over points, with the interval that the design allows; of several comparisons all
        intervals hold together with the confidence (Bonferroni)."""
        found = self._interval(self.by_world(self.independent(rows)), comparisons)
        return self._within_limits(found, of_one=comparisons == 1)

    def _interval(self, worlds: pd.DataFrame, comparisons: int = 1) -> Interval:
        """The mean over worlds: over sampled ones with Student's interval, else with that of the replications' luck,
        or of repeats. Over sampled worlds that share the luck of several repeats both errors are in it."""
        confidence = 1 - (1 - self.confidence) / comparisons
        alike = None
        if "samples" in worlds:
            alike = mean_interval(np.array(list(worlds["samples"])).mean(axis=0), confidence)
        if self.is_sampled and len(worlds) > 1:
            found = mean_interval(worlds["value"].to_numpy(np.float64), confidence)
            return found if alike is None or not self.is_repeated else both_errors(found, alike)
        limits = self._scaled_limits(worlds, confidence)
        if alike is None or not self.is_repeated or self.measure.kind == "mean":
            return limits if alike is None else alike
        return Interval(alike.mean, min(alike.low, limits.low), max(alike.high, limits.high), alike.n)

    def _scaled_limits(self, worlds: pd.DataFrame, confidence: float) -> Interval:
        """The mean of the limits, for another confidence in the proportion of normal quantiles."""
        mean, low, high = (float(worlds[name].mean()) for name in ("value", "low", "high"))
        wider = float(ndtri((1 + confidence) / 2) / ndtri((1 + self.confidence) / 2))
        return Interval(mean, mean - wider * (mean - low), mean + wider * (high - mean), int(worlds["n"].min()))

    def _within_limits(self, found: Interval, *, of_one: bool = True) -> Interval:
        """An interval without what the metric cannot be, nor, of a count, beyond the limits of all points, which are
        those of one comparison."""
        lowest, highest = self.measure.limits()
        ends = self.finished_points[f"{self.metric} high"]
        narrow = of_one and lowest >= 0 and not ends.empty
        return found.within(lowest, min(highest, float(ends.max())) if narrow else highest)

    # --- effects ----------------------------------------------------------------------------------

    def response(self, factor: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """The metric along a factor: columns `level`, `at` (its place on an axis), `mean`, `low`, `high`, `n`.

        In a one-at-a-time design the other factors are as the scenario has them, in others whatever they are.
        """
        worlds = self.by_world(self.along(factor) if rows is None else rows)
        return self._curve(worlds, factor, bounded=True)

    def _curve(self, worlds: pd.DataFrame, factor: str, comparisons: int = 1, *, bounded: bool = False) -> pd.DataFrame:
        """Means of `value` by levels of a factor, as `response`."""
        if self._block:
            return self._blocks(worlds, factor).curve(1 - (1 - self.confidence) / comparisons)
        found = []
        for level, group in bin_rows(worlds[factor]):
            told = self._interval(worlds.loc[group], comparisons)
            told = self._within_limits(told) if bounded else told
            found.append({"level": level, "at": middle(worlds.loc[group, factor]), **_numbers(told)})
        return pd.DataFrame(found, columns=["level", "at", "mean", "low", "high", "n"])

    def _blocks(self, worlds: pd.DataFrame, factor: str) -> Blocks:
        """What the blocks of a Saltelli design say of a factor."""
        place, number = worlds.index.to_numpy() % self._block, worlds.index.to_numpy() // self._block
        own = 1 + self.factors.index(factor)
        parts = [worlds[place == one].set_axis(number[place == one]) for one in (0, own, self._block - 1)]
        whole = parts[0].index.intersection(parts[1].index).intersection(parts[2].index)
        first, changed, last = (part.loc[whole] for part in parts)
        return Blocks(first[factor], changed[factor], *(one["value"] for one in (first, changed, last)))

    def along(self, factor: str) -> pd.DataFrame:
        """The points that tell about a factor: all, or in a one-at-a-time design those that vary no other."""
        if self.manifest["design"]["kind"] != "one-at-a-time":
            return self.finished_points
        others = [name for name in self.factors if name != factor]
        same = np.ones(len(self.finished_points), np.bool_)
        for name in others:
            same &= (self.finished_points[name] == self._own(name)).to_numpy() | (
                self.finished_points[name].isna().to_numpy() if self._own(name) is None else False
            )
        return self.finished_points[same]

    def _own(self, factor: str) -> Any:
        """The level of the scenario itself, which is the first point of a one-at-a-time design."""
        first = self.table[factor].iloc[0]
        return None if isinstance(first, float) and np.isnan(first) else first

    def tornado(self) -> pd.DataFrame:
        """Factors by how far the metric moves over their levels, most first: `factor`, `lowest`, `highest`, `swing`,
        the levels at which it is lowest and highest, and whether it is `clear` that it moves at all: the chance that
        any factor without an effect is called clear is at most 1 - confidence."""
        return self._tornado

    @cached_property
    def _tornado(self) -> pd.DataFrame:
        found = []
        for factor in self.factors:
            curve = self.response(factor)
            if len(curve) < 2:
                continue
            low, high = (curve.iloc[int(place)] for place in (curve["mean"].argmin(), curve["mean"].argmax()))
            swing = float(high["mean"] - low["mean"])
            swing = swing if swing > _ROUNDING * float(curve["mean"].abs().max()) else 0.0
            clear = swing > 0 and self._is_clear(factor, str(low["level"]), str(high["level"]), len(curve))
            found.append(
                {
                    "factor": factor,
                    "lowest": low["mean"],
                    "highest": high["mean"],
                    "swing": swing,
                    "clear": clear,
                    "at_lowest": low["level"],
                    "at_highest": high["level"],
                }
            )
        columns = ["factor", "lowest", "highest", "swing", "clear", "at_lowest", "at_highest"]
        table = pd.DataFrame(found, columns=columns)
        return table.sort_values(["swing", "factor"], ascending=[False, True], ignore_index=True)

    def _is_clear(self, factor: str, lowest: str, highest: str, levels: int) -> bool:
        """Whether the metric surely moves along a factor, all factors together (Bonferroni)."""
        if self.is_blind:
            return False
        worlds = self.by_world(self.along(factor))
        if self.is_sampled:
            if self._block:
                return self._blocks(worlds, factor).chance * len(self.factors) < 1 - self.confidence
            return _chance_alike(worlds, factor) * len(self.factors) < 1 - self.confidence
        groups = {str(level): worlds.loc[group] for level, group in bin_rows(worlds[factor])}
        pairs = len(self.factors) * levels * (levels - 1) // 2
        gap = self._unpaired_difference(groups[highest], groups[lowest])
        return self._interval(gap, pairs).low > 0

    def _unpaired_difference(self, more: pd.DataFrame, less: pd.DataFrame) -> pd.DataFrame:
        """The mean over some worlds less that over others, as one world: luck is paired by replication where it was
        kept; else limits add up, as nothing is known of how it hangs together."""
        a, b = more[["value", "low", "high"]].mean(), less[["value", "low", "high"]].mean()
        ends = {"value": a["value"] - b["value"], "low": a["low"] - b["high"], "high": a["high"] - b["low"]}
        gap = pd.DataFrame([{**ends, "n": min(more["n"].min(), less["n"].min())}])
        if "samples" in more:
            means = [np.array(list(one["samples"])).mean(axis=0) for one in (more, less)]
            gap["samples"] = pd.Series([means[0] - means[1]], dtype=object)
        return gap

    def interaction(self, first: str, second: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Mean of the metric by levels of two factors: `x`, `y`, `mean`, `n`."""
        rows = self.independent(self.finished_points) if rows is None else rows
        across, up = dict(cell_rows(rows[first])), dict(cell_rows(rows[second]))
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
        return self.finished_points.loc[self.finished_points["point"] % int(self.manifest["design"]["policies"]) == 0]

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
        return table.assign(n=len(values) // block).sort_values("total", ascending=False, ignore_index=True)

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
    def _of_policies(self) -> dict[str, pd.DataFrame]:
        """`by_world` for each policy, of the worlds in which every policy is done."""
        if not self.switch:
            return {}
        names = [str(name) for name in self.manifest["factors"][self.switch]["levels"]]
        each = {
            name: self.by_world(self.finished_points[self.finished_points[self.switch].astype(str) == name])
            for name in names
        }
        each = {name: one for name, one in each.items() if len(one)}
        shared = [
            world for world in next(iter(each.values())).index if all(world in one.index for one in each.values())
        ]
        return {name: one.loc[shared] for name, one in each.items()}

    @cached_property
    def worlds(self) -> pd.DataFrame:
        """The metric by world (rows) and policy (columns), of the worlds in which every policy is done."""
        return pd.DataFrame({name: one["value"] for name, one in self._of_policies.items()})

    @property
    def _own_worlds(self) -> pd.DataFrame:
        """`worlds`, of a Saltelli design without those that repeat others' levels."""
        wide = self.worlds
        return wide.loc[self.independent(pd.DataFrame({"world": wide.index}))["world"]] if self._block else wide

    def regret(self) -> pd.DataFrame:
        """Policies, best mean first: `policy`, `mean`, `best_in` (share of worlds), `regret` and its largest value, `n`
        worlds; over sampled worlds also the interval of the mean regret. It is what the best of a world has more."""
        wide = self._own_worlds
        if wide.empty:
            return pd.DataFrame()
        best, found = wide.max(axis=1), []
        first = wide.idxmax(axis=1)
        for name in wide:
            lost = (best - wide[name]).to_numpy(np.float64)
            told = mean_interval(lost, self.confidence)
            ends = (
                {"regret_low": max(told.low, 0.0), "regret_high": told.high} if self.is_sampled and told.n > 1 else {}
            )
            found.append(
                {
                    "policy": name,
                    "mean": float(wide[name].mean()),
                    "best_in": float((first == name).mean()),
                    "regret": told.mean,
                    **ends,
                    "most": float(lost.max()),
                    "n": told.n,
                }
            )
        return pd.DataFrame(found).sort_values("mean", ascending=False, ignore_index=True)

    def differences(self) -> pd.DataFrame:
        """The policy that is best on average against each other one: `policy`, `difference`, `low`, `high` (together,
        Bonferroni), and in which share of the worlds it is `better` and clearly `worse`.

        Over sampled worlds paired by world; over chosen ones by replication, or, where those were not kept, from the
        limits of both. `over` says what the interval is over, `n` how many.
        """
        wide, found = self._own_worlds, []
        if wide.shape[1] < 2:
            return pd.DataFrame()
        best = str(wide.mean().idxmax())
        others = [str(name) for name in wide if name != best]
        for other in others:
            gaps = self._gaps(best, other).loc[wide.index]
            gap = self._interval(gaps, len(others))
            better, worse = self._clear(gaps)
            told = {"policy": other, "difference": gap.mean, "low": gap.low, "high": gap.high}
            over = units_words(self.manifest, sampled=self.is_sampled and len(gaps) > 1)
            found.append({**told, "better": better, "worse": worse, "n": gap.n, "over": over})
        return pd.DataFrame(found).assign(best=best)

    def _gaps(self, first: str, second: str) -> pd.DataFrame:
        """How much more the first policy has in each world: as `by_world`."""
        a, b = self._of_policies[first], self._of_policies[second]
        ends = {"value": a["value"] - b["value"], "low": a["low"] - b["high"], "high": a["high"] - b["low"]}
        gaps = a[self.factors].assign(**ends, n=np.minimum(a["n"], b["n"]))
        return gaps.assign(samples=a["samples"] - b["samples"]) if "samples" in a else gaps

    def _clear(self, gaps: pd.DataFrame) -> tuple[float, float]:
        """Shares of worlds in which one policy is clearly better than another, and clearly worse."""
        if "samples" not in gaps:
            return float((gaps["value"] > 0).mean()), float((gaps["value"] < 0).mean())
        told = [mean_interval(one, self.confidence) for one in gaps["samples"]]
        return float(np.mean([gap.low > 0 for gap in told])), float(np.mean([gap.high < 0 for gap in told]))

    def contrast(self, factor: str, first: str, second: str, comparisons: int = 1) -> pd.DataFrame:
        """By levels of a factor how much more the first policy has: as `response`."""
        gaps = self._gaps(first, second)
        along = self.along(factor)["world"]
        return self._curve(gaps.loc[[world for world in gaps.index if world in set(along)]], factor, comparisons)

    def flips(self) -> list[Flip]:
        """Along which factor the better of two policies changes: one is clearly better at some levels, and clearly
        worse at others (intervals over the worlds of a level, all pairs and factors together by Bonferroni)."""
        wide = self.worlds
        if wide.shape[1] < 2 or self.manifest["design"]["policies"] < 2 or self.is_blind:
            return []
        pairs = list(combinations([str(name) for name in wide.mean().sort_values(ascending=False).index], 2))
        comparisons, found = len(pairs) * len(self.factors) * BINS, []
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
        wide = self._own_worlds
        base = self.finished_points.drop_duplicates("world").set_index("world").reindex(wide.index)
        across, up = dict(cell_rows(base[first])), dict(cell_rows(base[second]))
        cells = wide.assign(x=[across[k] for k in wide.index], y=[up[k] for k in wide.index])
        means = cells.groupby(["x", "y"], sort=False).mean()
        table = means.idxmax(axis=1).rename("policy").reset_index()
        order = [{name: k for k, name in enumerate(dict.fromkeys(one.values()))} for one in (across, up)]
        return table.assign(a=table["x"].map(order[0]), b=table["y"].map(order[1])).sort_values(
            ["a", "b"], ignore_index=True
        )

    def contrast_by_cell(self, x: str, y: str, first: str, second: str) -> pd.DataFrame:
        """How much more the first policy has in each cell of two factors, over its worlds: `x`, `y`, `mean`, `n`."""
        gaps = self._own_worlds[first] - self._own_worlds[second]
        base = self.finished_points.drop_duplicates("world").set_index("world").reindex(gaps.index)
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
        rows = self.decided_rows
        if "partners" not in rows:
            return pd.DataFrame()
        chosen = pd.DataFrame([_counts(text) for text in rows["partners"]], index=rows.index).fillna(0)
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
            shares = [float(used.loc[group].mean()) for _, group in bin_rows(self.decided_rows[factor], 4)]
            if len(shares) > 1 and not abs(shares[-1] - shares[0]) <= abs(most[2] - most[1]):
                most = (factor, shares[0], shares[-1])
        return most

    def technologies(self) -> pd.DataFrame:
        """How often each technology is funded, over the points: `technology`, `share`, `n`."""
        rows = self.decided_rows
        if "technologies" not in rows:
            return pd.DataFrame()
        every = rows["technologies"].str.split("|").explode()
        shares = every[every != ""].value_counts() / max(len(rows), 1)
        table = pd.DataFrame({"technology": shares.index, "share": shares.to_numpy(), "n": len(rows)})
        return table.sort_values(["share", "technology"], ascending=[False, True], ignore_index=True)


def _numbers(found: Any) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _counts(text: str) -> dict[str, float]:
    pairs = (one.rpartition(":") for one in text.split("|") if one)
    return {code: float(number) for code, _, number in pairs}


def _chance_alike(worlds: pd.DataFrame, factor: str) -> float:
    """How likely differences as large are between groups that are alike (Kruskal & Wallis 1952, J. American
    Statistical Association 47): ranks, so that no shape of the metric makes it too small."""
    values = [worlds.loc[group, "value"].to_numpy(np.float64) for _, group in bin_rows(worlds[factor])]
    if len(values) < 2 or np.ptp(np.concatenate(values)) == 0:
        return 1.0
    from scipy.stats import kruskal  # noqa: PLC0415 - takes half a second to import

    return float(kruskal(*values).pvalue)


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
    return ", ".join(_join(str(first), str(last)) for first, last, _ in runs)


def _join(first: str, last: str) -> str:
    return first if first == last else f"{first.split(' to ', maxsplit=1)[0]} to {last.split(' to ')[1]}"
