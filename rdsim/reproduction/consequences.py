"""What a plan's run tells beside its portfolio and its replications, computed again as far as what it holds allows.

==============  ====================================================================================================
`lead.csv`      from the net present values of the plan and of what is beside it, in the run's own tables
`unused.csv`    from the run's own tables of projects and purses
`lapse.csv`     simulated again: the plan without each cause of lapsing money and with each lever
`worlds.csv`    the values of assumptions drawn again, and some of the worlds simulated again
`unfunded.csv`  proven limits and exchanges from the relaxation, solved again; shares by the table of decisions
`decisions`     limits and verdicts by the shares, what is chosen by the portfolio
==============  ====================================================================================================

Shares of re-decisions themselves, and portfolios with a technology that was brought in, are not: they came out of the
whole search, whose contenders no run holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rdsim.assumptions import PLAN, Measuring, headlines_of, worlds_of
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault
from rdsim.folders import MANIFEST
from rdsim.folders.contents import (
    DECISIONS,
    EXPECTED,
    LAPSE,
    LEAD,
    OUTCOMES,
    PURSES,
    REPLICATIONS,
    UNFUNDED,
    UNUSED,
    WORLDS,
)
from rdsim.languages import ENGLISH, speaking
from rdsim.lead import lead_of
from rdsim.optimiser.questions.explanation import screen
from rdsim.plans import OPTIMISED
from rdsim.reproduction.differences import TABLE_RULE, csv_faults, document_faults, read_csv, table_faults
from rdsim.reproduction.replay import KeptTables
from rdsim.search import Decision, Proposal
from rdsim.search.redecisions import KINDS, what_of
from rdsim.simulation import Running, Simulation
from rdsim.stats import paired_difference, proportion_interval
from rdsim.whatif import excluding, lapse_by_cause, lapse_record, lapse_table, unused_money, unused_record, unused_table

__all__ = [
    "decision_faults",
    "lapse_faults",
    "lead_faults",
    "unfunded_faults",
    "unused_faults",
    "world_faults",
]

_SOME = 4
"""Worlds of assumptions that are simulated again, evenly spread."""


def lead_faults(tables: KeptTables, world: Scenario) -> Iterator[Fault]:
    """The lead over each rule, part by part, from the tables of replications."""
    manifest, level = tables.manifest, world.simulation.confidence
    names = (OPTIMISED, *manifest["baselines"])
    worths = {name: tables.own(EXPECTED, name).table["npv"].to_numpy(np.float64) for name in names}
    leads = {
        name: paired_difference(worths[OPTIMISED], worths[name], level, len(manifest["baselines"]))
        for name in names[1:]
    }
    expected = lead_of(worths, leads, manifest["missing"], level)
    yield from csv_faults(tables.folder / LEAD.name, expected)
    parts = manifest["lead"]["parts"]
    yield from document_faults(f"{tables.folder / MANIFEST}, lead, parts", expected.to_dict("records"), parts)


def unused_faults(tables: KeptTables, world: Scenario, chosen: Portfolio) -> Iterator[Fault]:
    """The account of announced money that is not paid, from the tables of projects and purses."""
    manifest, empty = tables.manifest, pd.DataFrame()
    own = {one: tables.own(one).table.reset_index(drop=True) for one in (OUTCOMES, REPLICATIONS, PURSES, EXPECTED)}
    frames = own[OUTCOMES], own[REPLICATIONS], own[PURSES], empty, empty, own[EXPECTED]
    told = Simulation(world, chosen, int(manifest["seed"]), manifest["engine"], *frames)
    with speaking(ENGLISH):
        found = unused_money(told)
        table, record = unused_table(found), unused_record(world, found)
    yield from csv_faults(tables.folder / UNUSED.name, table)
    yield from document_faults(f"{tables.folder / MANIFEST}, unused", record, manifest["unused"])


def lapse_faults(
    folder: Path, manifest: Mapping[str, Any], world: Scenario, chosen: Portfolio, running: Running
) -> Iterator[Fault]:
    """Why money lapses, simulated again without each cause and with each lever."""
    measuring = Measuring(world.optimiser.what_if.replications, int(manifest["seed"]), running)
    with speaking(ENGLISH):
        found = lapse_by_cause(world, chosen, measuring, lambda _stage, _done, _total: None)
        record = lapse_record(world, found)
    yield from csv_faults(folder / LAPSE.name, lapse_table(found))
    yield from document_faults(f"{folder / MANIFEST}, what_if, lapse", record, manifest["what_if"]["lapse"])


def world_faults(
    folder: Path, manifest: Mapping[str, Any], world: Scenario, portfolios: Mapping[str, Portfolio], running: Running
) -> Iterator[Fault]:
    """Worlds within the bounds of assumptions: which they are, and what some of them come to.

    `portfolios` are the plan's own, under '', and those beside it by name.
    """
    path, open_ = folder / WORLDS.name, worlds_of(world)
    try:
        found = read_csv(path)
    except (OSError, ValueError) as error:
        yield Fault(str(path), TABLE_RULE, str(error).splitlines()[0])
        return
    levels = open_.points(world.optimiser.assumptions.points, int(manifest["seed"]))
    names = list(open_.names)
    yield from table_faults(str(path), pd.DataFrame(levels, columns=names), found.reindex(columns=names),
                            range(2, len(found) + 2), exact=False)  # fmt: skip
    if len(found) != len(levels):
        return
    known = {PLAN: portfolios[""], **{name: one for name, one in portfolios.items() if name}}
    rules = [name for name in known if f"lead over {name}" in found]
    headlines = headlines_of(world, rules)
    measuring = Measuring(world.optimiser.assumptions.replications, int(manifest["seed"]), running)
    some = np.unique(np.linspace(0, len(levels) - 1, _SOME).astype(np.int64)).tolist()
    means = [[float(one.mean()) for one in measuring.of(open_.point(levels[row]), known, headlines)] for row in some]
    expected = pd.DataFrame(means, columns=[one.name for one in headlines])
    mine = found.drop(columns=names, errors="ignore").iloc[some].reset_index(drop=True)
    yield from table_faults(str(path), expected, mine, [row + 2 for row in some], exact=False)


# --- what is decided, and what is not funded --------------------------------------------------------


def decision_faults(tables: KeptTables, made: Proposal) -> Iterator[Fault]:
    """What follows of each decision from its share, and whether the portfolio takes it."""
    path, told = tables.folder / DECISIONS.name, tables.table(DECISIONS)
    mine, count = set(_plan_keys(made)), tables.manifest["redecisions"]["count"]
    keys = _keys(told)
    for key in sorted(mine - set(keys)):
        yield Fault(str(path), f"must have a row for what the portfolio decides: {' '.join(filter(None, key))}", "none")
    funded = {key[1]: round(share * n) for key, share, n in zip(keys, told["share"], told["n"], strict=True)
              if key[0] == "technology" and n}  # fmt: skip
    rows = []
    columns = (told[name].tolist() for name in ("share", "checks_for", "checks"))
    for key, share, held, checks in zip(keys, *columns, strict=True):
        of = funded.get(key[1], 0) if key[0] in KINDS else count
        kind, technology, what = key
        one = Decision(kind, technology, what, round(share * of) if of else 0, of, held, checks)
        rows.append((key in mine, one.share, one.low, one.high, of, str(one.verdict)))
    names = ["chosen", "share", "low", "high", "n", "verdict"]
    expected = pd.DataFrame(rows, columns=names)
    yield from table_faults(str(path), expected, told[names].reset_index(drop=True), exact=False)


def _keys(told: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Kind, technology and what is decided, row by row."""
    texts = told[["kind", "technology", "what"]].astype(object).fillna("").astype(str)
    return list(texts.itertuples(index=False, name=None))


def _plan_keys(made: Proposal) -> Iterator[tuple[str, str, str]]:
    for one in made.portfolio.choices:
        yield "technology", one.technology, ""
        yield from ((kind, one.technology, what_of(one, kind)) for kind in KINDS)
    yield from (("country", "", made.problem.partner_names[p]) for p in made.evaluation.opened)


def unfunded_faults(tables: KeptTables, world: Scenario, made: Proposal, *, same: bool) -> Iterator[Fault]:
    """Technologies that are not funded: what bringing one in costs at least, proven, and by one exchange at most.

    Limits must be the same where the versions are (`same`), and must not contradict one another elsewhere: one
    relaxation may have several sets of prices, each of which proves something.
    """
    path = tables.folder / UNFUNDED.name
    try:
        found = read_csv(path)
    except (OSError, ValueError) as error:
        yield Fault(str(path), TABLE_RULE, str(error).splitlines()[0])
        return
    screened = {one.name: one for one in screen(made.problem, made.solution)}
    listed = found["technology"].astype(str).tolist()
    if sorted(listed) != sorted(screened):
        yield Fault(str(path), f"must tell of {', '.join(sorted(screened))}", ", ".join(listed) or "nothing")
        return
    low = [max(screened[name].loss.low, 0.0) for name in listed]
    high = [screened[name].loss.found for name in listed]
    solved = found["solved"].astype(bool).to_numpy()
    expected = {
        "name": [world.technologies[name].name for name in listed],
        "alone": [screened[name].best_alone for name in listed],
        "excluded_by": [" ".join(excluding(made, name)) or np.nan for name in listed],
        **dict(zip(("shared", "shared_low", "shared_high"), _shares(tables, world, listed), strict=True)),
    }
    if same:
        expected |= {"at_least": low, "at_most": np.where(solved, found["at_most"], high).tolist()}
    told = pd.DataFrame(expected).replace([np.inf, -np.inf], np.nan)
    rows = range(2, len(found) + 2)
    yield from table_faults(str(path), told, found[list(expected)], rows, exact=False)
    size = max(1.0, abs(made.evaluation.objective))
    least, most = (found[name].fillna(np.inf).to_numpy(np.float64) for name in ("at_least", "at_most"))
    for row in np.flatnonzero(most < np.maximum(least, low) - 1e-5 * size).tolist():
        rule = f"must be at least what is proven of it, {max(float(least[row]), low[row])!r}"
        yield Fault(f"{path}, row {rows[row]:,}, column at_most", rule, repr(float(most[row])))


def _shares(tables: KeptTables, world: Scenario, names: Sequence[str]) -> list[list[float]]:
    """The share of re-decisions that fund each of the technologies, with its ends; nan without re-decisions."""
    if DECISIONS.name not in tables.manifest["files"]:
        return [[np.nan] * len(names) for _ in range(3)]
    told, count = tables.table(DECISIONS), int(tables.manifest["redecisions"]["count"])
    share = {key[1]: float(one) for key, one in zip(_keys(told), told["share"], strict=True) if key[0] == "technology"}
    level = world.simulation.confidence
    found = [proportion_interval(round(share.get(name, 0.0) * count), count, level) for name in names]
    return [[getattr(one, end) for one in found] for end in ("mean", "low", "high")]
