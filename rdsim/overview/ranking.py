"""Which runs can be compared, and which of them is best: of one scenario as it ran, told apart or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.comparison.figures import RunPair
from rdsim.comparison.reading import FinishedRun
from rdsim.errors import InputError
from rdsim.figures import label_with_unit, single_figures
from rdsim.overview.entries import Entry
from rdsim.report.words import is_point

__all__ = ["BEST", "RANKED", "World", "best_table", "estimate_of", "is_rankable", "world_of", "worlds_of"]

RANKED = ("npv", "commercialised")
"""Figures by which runs are ranked, of which more is better."""

BEST = (
    "world", "scenario", "figure", "label", "runs", "best", "mean", "low", "high", "second", "difference",
    "difference_low", "difference_high", "interval", "verdict",
)  # fmt: skip

World = tuple[str, str]
"""Digest of a scenario as it ran and its unit of money: runs of one world differ in choices and luck alone."""


def worlds_of(entries: Iterable[Entry]) -> dict[World, int]:
    """The worlds of the entries, numbered from 1 in the order in which they come up."""
    known = dict.fromkeys(world for one in entries if (world := world_of(one)) is not None)
    return {world: place for place, world in enumerate(known, start=1)}


def world_of(entry: Entry) -> World | None:
    """The world of an entry; None of a run about no scenario."""
    return (str(entry.scenario["digest"]), str(entry.manifest.get("money_unit"))) if entry.scenario else None


def estimate_of(entry: Entry, figure: str) -> Mapping[str, Any]:
    """The run's estimate of a figure, `mean`, `low`, `high` and `n`; empty where it has none."""
    found: Mapping[str, Any] = (entry.manifest.get("estimates") or {}).get(figure) or {}
    return found if found.get("mean") is not None else {}


def is_rankable(entry: Entry) -> bool:
    """Whether it is a run that was simulated, with tables by which it can be compared."""
    return entry.run is not None and entry.run.is_simulated


def best_table(entries: Sequence[Entry]) -> pd.DataFrame:
    """A row for each world and figure: the best of its simulated runs, and the second, told apart or not.

    `difference` is the best's less the second's, with an interval that holds together over all pairs of runs of that
    world, since the two were picked from among them. `verdict` is one of `only`, `ahead`, `open` (not told apart),
    `alike` (no difference in any replication) and `unknown` (a table is damaged).
    """
    rows = [_best_row(number, figure, members) for number, figure, members in _rankings(entries)]
    return pd.DataFrame(rows, columns=list(BEST))


def _rankings(entries: Sequence[Entry]) -> Iterable[tuple[int, str, list[Entry]]]:
    """Worlds by number, with each figure and the runs that estimate it, the best first; of equals by name."""
    simulated = [one for one in entries if is_rankable(one)]
    for world, number in worlds_of(entries).items():
        for figure in RANKED:
            members = [one for one in simulated if world_of(one) == world and estimate_of(one, figure)]
            if members:
                yield number, figure, sorted(members, key=lambda one: -float(estimate_of(one, figure)["mean"]))


def _best_row(number: int, figure: str, members: Sequence[Entry]) -> dict[str, object]:
    best = members[0]
    told = estimate_of(best, figure)
    return {
        "world": number,
        "scenario": best.scenario["name"],
        "figure": figure,
        "label": label_with_unit(single_figures()[figure], str(best.manifest.get("money_unit"))),
        "runs": len(members),
        "best": best.label,
        "mean": told["mean"],
        "low": told["low"],
        "high": told["high"],
        **_lead(figure, members),
    }


def _lead(figure: str, members: Sequence[Entry]) -> dict[str, object]:
    """The best against the second."""
    runs = [one.run for one in members if one.run is not None]
    if len(runs) == 1:
        return {"second": "", "verdict": "only"}
    try:
        return {"second": members[1].label, **_difference(figure, runs)}
    except InputError:
        return {"second": members[1].label, "verdict": "unknown"}


def _difference(figure: str, runs: Sequence[FinishedRun]) -> dict[str, object]:
    """The difference of the first two. Raises RunError for damaged tables."""
    pair = RunPair(runs[1], runs[0], len(runs) * (len(runs) - 1) // 2)
    columns = pair.columns(figure)
    if not columns:
        return {"verdict": "unknown"}
    found = pair.difference(*columns)
    same = is_point(found.low, found.high) and abs(found.mean) <= 1e-9
    verdict = "alike" if same else "ahead" if found.low > 0 else "open"
    limits = {"difference": found.mean, "difference_low": found.low, "difference_high": found.high}
    return {**limits, "interval": pair.word, "verdict": verdict}
