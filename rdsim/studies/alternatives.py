"""Portfolios nearly as good as the best and clearly different, and what all of them share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from rdsim.optimiser.alternatives import Alternatives, Resampled, Selection, resampled, selection
from rdsim.optimiser.alternatives import alternatives as find
from rdsim.report import Column, Plot, Section, Sheet, Table
from rdsim.search import Posed, Proposal
from rdsim.stats import proportion_interval
from rdsim.studies.study import Study, intervals, judged, listing, money, picked, record_of, speaks_of

__all__ = ["alternatives"]


def alternatives(
    posed: Posed,
    best: Proposal,
    *,
    count: int = 5,
    within: float = 0.01,
    swaps: int = 5,
    resamples: int = 20,
    gap: float | None = None,
    replications: int | None = None,
    solver: str = "highs",
    time_limit: float | None = None,
) -> Study:
    """`count` portfolios worth at most `within` (relative) less than the best, at least `swaps` swaps apart.

    Beside them, how often each technology is chosen: over these portfolios, and over `resamples` bootstrap draws of
    the value samples, each solved anew. Raises ProblemError and SolverError as the optimiser's functions do.
    """
    wanted = posed.scenario.optimiser.gap if gap is None else gap
    found = find(
        posed.problem,
        best.solution.chosen,
        count=count,
        within=within,
        swaps=swaps,
        gap=wanted,
        solver=solver,
        time_limit=time_limit,
    )
    again = resampled(posed.problem, count=resamples, gap=wanted, solver=solver, time_limit=time_limit, seed=posed.seed)
    return _study(posed, best, found, again, replications)


def _study(posed: Posed, best: Proposal, found: Alternatives, again: Resampled, replications: int | None) -> Study:
    names = ["best", *(f"alternative-{number}" for number in range(1, len(found.portfolios) + 1))]
    chosen = [best.solution.chosen, *(one.chosen for one in found.portfolios)]
    portfolios = {name: picked(posed, options, name) for name, options in zip(names, chosen, strict=True)}
    table = pd.DataFrame(list(_rows(posed, found, names)))
    table = table.merge(judged(posed, portfolios, replications), on="portfolio", how="left")
    near = selection(posed.problem, chosen)
    frequency = pd.DataFrame(list(_frequency(posed, near, again)))
    record = {
        **record_of(posed, best.solution),
        "alternatives": {
            "wanted": found.wanted,
            "found": len(found.portfolios),
            "floor": found.floor,
            "swaps": found.swaps,
            "exhausted": found.exhausted,
            "solves": found.solves,
        },
        "resamples": again.count,
    }
    tables = {"alternatives": table, "selection": frequency}
    sheet = _sheet(posed, found, again, table, frequency)
    return speaks_of(Study("alternatives", posed.scenario, posed.seed, sheet, tables, record, portfolios), best)


def _rows(posed: Posed, found: Alternatives, names: list[str]) -> Iterator[dict[str, object]]:
    judged_ones = [found.best, *(one.evaluation for one in found.portfolios)]
    distances = [0, *(one.swaps for one in found.portfolios)]
    first = set(found.best.chosen)
    for name, one, swaps in zip(names, judged_ones, distances, strict=True):
        mine, problem = set(one.chosen), posed.problem
        yield {
            "portfolio": name,
            "value": one.objective,
            "loss": found.best.objective - one.objective,
            "swaps": swaps,
            "funded": len(mine),
            "partners": len(one.opened),
            "enters": " ".join(sorted(problem.option_names[o] for o in mine - first)),
            "leaves": " ".join(sorted(problem.option_names[o] for o in first - mine)),
        }


def _frequency(posed: Posed, near: Selection, again: Resampled) -> Iterator[dict[str, object]]:
    """A row for each technology: its share of the portfolios, and of the resampled optima with its interval."""
    confidence = posed.scenario.simulation.confidence
    for g, name in enumerate(posed.problem.group_names):
        share = float(again.selection.groups[g])
        interval = proportion_interval(round(share * again.count), again.count, confidence)
        yield {
            "technology": name,
            "name": posed.scenario.technologies[name].name,
            "near": float(near.groups[g]),
            "class": "core" if near.groups[g] == 1 else "borderline" if near.groups[g] > 0 else "exterior",
            "resampled": share,
            "low": interval.low,
            "high": interval.high,
            "n": again.count,
        }


# --- words ----------------------------------------------------------------------------------------


def _sheet(posed: Posed, found: Alternatives, again: Resampled, table: pd.DataFrame, frequency: pd.DataFrame) -> Sheet:
    counts = frequency["class"].value_counts()
    core, some, none = (int(counts.get(name, 0)) for name in ("core", "borderline", "exterior"))
    how = "all of them" if found.exhausted else "not necessarily all there are"
    lead = (
        f"{len(found.portfolios)} other portfolios worth at least {money(found.floor, posed.scenario)} and at least "
        f"{found.swaps} decisions apart ({how}; {found.wanted} were asked for).",
        f"Of {len(frequency)} technologies {core} are core: every one of these portfolios funds them. {some} are "
        f"borderline: some do. {none} are exterior: none does."
        + (f" It is the {some} that deserve a discussion." if some else ""),
    )
    return Sheet(
        "Near-optimal alternatives",
        posed.scenario.title,
        lead,
        (
            Section("The portfolios", (), (), (_portfolios(posed, table),)),
            Section("How firmly is each technology chosen?", _reading(again), _plots(frequency), (_firm(frequency),)),
        ),
    )


def _reading(again: Resampled) -> tuple[str, ...]:
    gaps = float(np.max(again.gaps, initial=0.0))
    return (
        f"Resampled: the samples of every option's value were drawn again, with replacement, {again.count} times, and "
        f"the problem solved anew each time (largest gap {gaps:.2%}). A technology chosen in nearly all of them does "
        "not owe its place to the luck of the samples.",
    )


def _portfolios(posed: Posed, table: pd.DataFrame) -> Table:
    unit = posed.scenario.money_unit
    frame = table.assign(
        simulated=intervals(table),
        enters=[listing(names.split(), most=4, none="") for names in table["enters"]],
        leaves=[listing(names.split(), most=4, none="") for names in table["leaves"]],
    )
    columns = {
        "portfolio": Column("Portfolio"),
        "value": Column(f"Expected value, {unit}", "money"),
        "loss": Column("less than the best", "money"),
        "swaps": Column("Decisions changed", "count"),
        "funded": Column("Funded", "count"),
        "partners": Column("Partners opened", "count"),
        "simulated": Column("Simulated net value"),
        "enters": Column("Enters"),
        "leaves": Column("Leaves"),
    }
    count = int(table["n"].iloc[0])
    level = posed.scenario.simulation.confidence
    return Table(
        f"Expected values are the optimiser's; simulated means with {level:.0%} intervals, {count} replications.",
        frame,
        columns,
    )


def _plots(frequency: pd.DataFrame) -> tuple[Plot, ...]:
    doubtful = frequency[(frequency["resampled"] > 0) & (frequency["resampled"] < 1)]
    if doubtful.empty:
        return ()
    shown = doubtful.sort_values("resampled", ascending=False, kind="stable").head(60)
    shown = shown.assign(
        label=[f"{row.technology} {row.name_}" for row in shown.rename(columns={"name": "name_"}).itertuples()]
    )
    return (
        Plot(
            "firmness",
            "Which decisions hang on the samples?",
            f"{len(doubtful)} technologies are chosen in some resamples and not in others.",
            "Share of resamples that fund the technology, with its interval.",
            shown,
            ("resampled", "share of resamples"),
            ("label", ""),
            kind="bars",
            low="low",
            high="high",
            colour="class",
            tips={
                "label": Column("Technology"),
                "resampled": Column("resamples", "share"),
                "near": Column("near-optimal portfolios", "share"),
                "class": Column("class"),
            },
        ),
    )


def _firm(frequency: pd.DataFrame) -> Table:
    order = frequency.sort_values(["resampled", "near"], ascending=False, kind="stable")
    columns = {
        "technology": Column("Id"),
        "name": Column("Technology"),
        "class": Column("Class"),
        "near": Column("Near-optimal portfolios", "share"),
        "resampled": Column("Resamples", "share"),
        "low": Column("from", "share"),
        "high": Column("to", "share"),
    }
    return Table("Share of portfolios that fund each technology; intervals are Wilson's.", order, columns)
