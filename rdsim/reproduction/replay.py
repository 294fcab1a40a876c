"""Replications simulated again against a run's tables, and its headline figures recomputed from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, RunError
from rdsim.findings import simulation_record
from rdsim.folders import MANIFEST
from rdsim.folders.contents import EXPECTED, MILESTONES, OUTCOMES, PAYMENTS, POLICIES, PURSES, REPLICATIONS, Held
from rdsim.frames import milestone_frame, payment_frame
from rdsim.plans import OPTIMISED
from rdsim.reproduction.differences import TABLE_RULE, document_faults, table_faults
from rdsim.search import world_of_rule
from rdsim.simulation import Running, Simulation, simulate
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.streams import REPORTED

__all__ = [
    "KeptTables",
    "blocks_of",
    "count_faults",
    "headline_faults",
    "long_faults",
    "policy_faults",
    "sample_faults",
]

_BLOCKS = 4
"""Runs of replications in a row that a sample is made of, evenly spread, the first and the last among them."""

_MAIN = (OUTCOMES, REPLICATIONS, PURSES, EXPECTED)


class _Own(NamedTuple):
    """Rows of one portfolio, and the numbers that they have in their file."""

    table: pd.DataFrame
    rows: np.ndarray[Any, np.dtype[np.int64]]


class KeptTables:
    """A simulated run's tables as its folder holds them, each read once. Raises RunError where one cannot be read."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self._read: dict[str, pd.DataFrame] = {}

    @property
    def is_simulated(self) -> bool:
        """Whether the run has the tables of its portfolio's simulation."""
        return all(one.name in self.manifest["files"] for one in _MAIN)

    @cached_property
    def count(self) -> int:
        """Replications that the manifest says."""
        return int(self.manifest["replications"])

    def table(self, what: Held) -> pd.DataFrame:
        """A table, whole."""
        if what.name not in self._read:
            path = self.folder / what.name
            try:
                self._read[what.name] = pd.read_parquet(path)
            except (OSError, ValueError) as error:
                raise RunError((Fault(str(path), TABLE_RULE, str(error).splitlines()[0]),)) from None
        return self._read[what.name]

    def own(self, what: Held, policy: str = OPTIMISED) -> _Own:
        """The rows of one portfolio, the run's own by default, without the column that names it."""
        table = self.table(what)
        if "policy" not in table:
            return _Own(table, np.arange(1, len(table) + 1))
        mine = np.flatnonzero((table["policy"] == policy).to_numpy())
        return _Own(table.iloc[mine].drop(columns="policy"), mine + 1)


def blocks_of(count: int, wanted: int | None) -> list[range]:
    """The replications to simulate again, `wanted` of `count` or all: a few runs of them, evenly spread."""
    if wanted is None or wanted >= count:
        return [range(count)]
    size = max(1, wanted // _BLOCKS)
    firsts = np.unique(np.linspace(0, count - size, min(_BLOCKS, wanted)).astype(np.int64))
    return [range(first, first + size) for first in firsts.tolist()]


def count_faults(tables: KeptTables, funded: int) -> Iterator[Fault]:
    """Tables that have more rows, or fewer, than there were replications, or not theirs."""
    for what, each in ((REPLICATIONS, 1), (OUTCOMES, funded), (EXPECTED, 1)):
        yield from _number_faults(tables, what, OPTIMISED, each)
    if POLICIES.name in tables.manifest["files"]:
        names = [OPTIMISED, *tables.manifest["baselines"]]
        yield from _name_faults(tables, POLICIES, names)
        yield from _name_faults(tables, EXPECTED, names)
        for name in names:
            yield from _number_faults(tables, POLICIES, name, 1)
            yield from _number_faults(tables, EXPECTED, name, 1)


def _number_faults(tables: KeptTables, what: Held, policy: str, each: int) -> Iterator[Fault]:
    """Rows that are not those of the replications 0, 1, ..., `each` of them."""
    found = tables.own(what, policy).table["replication"].to_numpy()
    expected = np.repeat(np.arange(tables.count), each)
    if not np.array_equal(found, expected):
        where = f"{tables.folder / what.name}{'' if policy == OPTIMISED else f', {policy}'}"
        rule = (
            f"must have {len(expected):,} rows, {each:,} for each replication from 0 to {tables.count - 1:,}, in order"
        )
        yield Fault(where, rule, f"{len(found):,} rows of {len(np.unique(found)):,} replications")


def _name_faults(tables: KeptTables, what: Held, names: Sequence[str]) -> Iterator[Fault]:
    found = sorted(map(str, tables.table(what)["policy"].unique()))
    if found != sorted(names):
        yield Fault(f"{tables.folder / what.name}, column policy", f"must name {', '.join(sorted(names))}",
                    ", ".join(found))  # fmt: skip


def sample_faults(
    tables: KeptTables, world: Scenario, chosen: Portfolio, blocks: Sequence[range], running: Running
) -> Iterator[Fault]:
    """Rows of the run's own portfolio that come out otherwise when they are simulated again, cell by cell."""
    for block in blocks:
        again = _simulate_block(tables, world, chosen, block, running)
        by_file = {OUTCOMES: again.projects, REPLICATIONS: again.replications, PURSES: again.purses}
        for what, expected in {**by_file, EXPECTED: again.expected}.items():
            yield from _block_faults(tables, what, OPTIMISED, block, expected)
        if POLICIES.name in tables.manifest["files"]:
            yield from _block_faults(tables, POLICIES, OPTIMISED, block, again.replications)


def long_faults(tables: KeptTables, world: Scenario) -> Iterator[Fault]:
    """Cells of the long tables that are not what the wide one says."""
    wide = tables.table(OUTCOMES)
    for what, make in ((PAYMENTS, payment_frame), (MILESTONES, partial(milestone_frame, world))):
        if what.name in tables.manifest["files"]:
            yield from table_faults(f"{tables.folder / what.name}", make(wide), tables.table(what))


def policy_faults(
    tables: KeptTables, world: Scenario, name: str, chosen: Portfolio, blocks: Sequence[range], running: Running
) -> Iterator[Fault]:
    """The same of a portfolio beside the plan."""
    world = world_of_rule(world, str(tables.manifest["baselines"][name]["rule"]))
    for block in blocks:
        again = _simulate_block(tables, world, chosen, block, running)
        for what, expected in ((POLICIES, again.replications), (EXPECTED, again.expected)):
            yield from _block_faults(tables, what, name, block, expected)


def _simulate_block(
    tables: KeptTables, world: Scenario, chosen: Portfolio, block: range, running: Running
) -> Simulation:
    seed, stream = int(tables.manifest["seed"]), REPORTED.after(block.start)
    return simulate(world, chosen, replications=len(block), seed=seed, stream=stream, running=running)


def _block_faults(tables: KeptTables, what: Held, policy: str, block: range, expected: pd.DataFrame) -> Iterator[Fault]:
    own = tables.own(what, policy)
    mine = np.flatnonzero(own.table["replication"].between(block.start, block.stop - 1).to_numpy())
    where = f"{tables.folder / what.name}{'' if policy == OPTIMISED else f', {policy}'}"
    found = own.table.iloc[mine].reset_index(drop=True)
    if what is EXPECTED or what is POLICIES:  # columns of other portfolios' figures are empty here
        found = found[[name for name in found if name in expected or found[name].notna().any()]]
    yield from table_faults(where, expected, found, own.rows[mine].tolist())


def headline_faults(tables: KeptTables, world: Scenario, chosen: Portfolio) -> Iterator[Fault]:
    """Figures of the manifest that are not what the tables come to: estimates, and each lead over what is beside."""
    manifest, place = tables.manifest, f"{tables.folder / MANIFEST}"
    seed, empty = int(manifest["seed"]), pd.DataFrame()
    own = {what: tables.own(what).table.reset_index(drop=True) for what in _MAIN}
    frames = own[OUTCOMES], own[REPLICATIONS], own[PURSES], empty, empty, own[EXPECTED]
    again = simulation_record(Simulation(world, chosen, seed, manifest["engine"], *frames))
    for name in ("estimates", "figures"):
        yield from document_faults(f"{place}, {name}", again[name], manifest[name])
    if "baselines" not in manifest:
        return
    worths = {name: tables.own(EXPECTED, name).table["npv"] for name in (OPTIMISED, *manifest["baselines"])}
    level = world.simulation.confidence
    for name, said in manifest["baselines"].items():
        difference = paired_difference(worths[OPTIMISED], worths[name], level, len(manifest["baselines"]))
        told = {"npv": _interval(mean_interval(worths[name], level)), "difference": _interval(difference)}
        yield from document_faults(f"{place}, baselines, {name}", told, {one: said[one] for one in told})


def _interval(found: Interval) -> dict[str, Any]:
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}
