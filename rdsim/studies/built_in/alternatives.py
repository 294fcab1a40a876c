"""Portfolios nearly as good as the best and clearly different, and what all of them share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from rdsim.domain import Scenario
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.alternatives import Alternatives, Selection, selection
from rdsim.optimiser.questions.alternatives import alternatives as find
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.search import Instance, Proposal, Redecisions, basis_of, redecide, solving_of
from rdsim.stats import proportion_interval
from rdsim.studies.built_in.parts import (
    intervals,
    listing,
    money,
    ranked_portfolio,
    record_of,
    simulated_estimates,
    speaks_of,
)
from rdsim.study import Study
from rdsim.words import whole_option_words

__all__ = ["Nearby", "alternatives", "usual_swaps"]

FUNDED_TO_A_SWAP = 25
SURE = 0.95
"""Share of the resamples that must agree before a technology is called core or exterior."""


def usual_swaps(funded: int) -> int:
    """Decisions in which two portfolios should differ: one for every 25 technologies funded, at least one."""
    return max(1, math.ceil(funded / FUNDED_TO_A_SWAP))


@dataclass(frozen=True)
class Nearby:
    """Which portfolios are alternatives."""

    count: int = 5
    """How many are looked for."""
    within: float = 0.01
    """They are worth at most this much less than the best, relatively."""
    swaps: int | None = None
    """Decisions in which they differ at least, from it and from one another; None follows its size (`usual_swaps`)."""


def alternatives(
    posed: Instance,
    best: Proposal,
    *,
    nearby: Nearby = Nearby(),
    resamples: int = 20,
    replications: int | None = None,
    solving: Solving = Solving(),
) -> Study:
    """Portfolios nearly as good as the best and clearly different. Beside them stands how often each technology is
    chosen: in them, and in `resamples` re-decisions on other samples (see `rdsim.search.redecisions`). A technology is
    *core* if the best and all alternatives fund it and so do at least 95% of the resamples, *exterior* if none does and
    at most 5% of them, and *borderline* otherwise; where no alternative was found, resamples alone tell. Raises
    ProblemError and SolverError as the optimiser's functions do.
    """
    solving = solving_of(posed.scenario, solving)
    found = find(
        posed.problem,
        best.solution.chosen,
        count=nearby.count,
        within=nearby.within,
        swaps=usual_swaps(len(best.solution.chosen)) if nearby.swaps is None else nearby.swaps,
        solving=solving,
    )
    basis = basis_of(posed, best.portfolio, best.solution.chosen, replace(solving, seed=posed.seed))
    again = redecide(basis, resamples)
    return _study(posed, best, found, again, replications)


def _study(posed: Instance, best: Proposal, found: Alternatives, again: Redecisions, replications: int | None) -> Study:
    names = ["best", *(f"alternative-{number}" for number in range(1, len(found.portfolios) + 1))]
    chosen = [best.solution.chosen, *(one.chosen for one in found.portfolios)]
    portfolios = {name: ranked_portfolio(posed, options, name) for name, options in zip(names, chosen, strict=True)}
    table = pd.DataFrame(list(_rows(posed, found, names)))
    table = table.merge(simulated_estimates(posed, portfolios, replications), on="portfolio", how="left")
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
        "resamples": len(again),
    }
    tables = {"alternatives": table, "selection": frequency}
    page = _page(posed, found, again, table, frequency)
    return speaks_of(Study("alternatives", posed.scenario, posed.seed, page, tables, record, portfolios), best)


def _rows(posed: Instance, found: Alternatives, names: list[str]) -> Iterator[dict[str, object]]:
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


def _frequency(posed: Instance, near: Selection, again: Redecisions) -> Iterator[dict[str, object]]:
    """A row for each technology: its share of the portfolios, and of the resampled optima with its interval."""
    confidence = posed.scenario.simulation.confidence
    for g, name in enumerate(posed.problem.group_names):
        interval = proportion_interval(int(again.tally.groups[g]), len(again), confidence)
        share = interval.mean
        yield {
            "technology": name,
            "name": posed.scenario.technologies[name].name,
            "near": float(near.groups[g]) if near.count > 1 else math.nan,
            "class": _class_of(float(near.groups[g]), share),  # of the best alone where no alternative was found
            "resampled": share,
            "low": interval.low,
            "high": interval.high,
            "n": len(again),
        }


def _class_of(near: float, resampled: float) -> str:
    """What portfolios nearly as good and resamples say together: sure only where they do not contradict each other."""
    if near == 1 and resampled >= SURE:
        return "core"
    return "exterior" if near == 0 and resampled <= 1 - SURE else "borderline"


# --- words ----------------------------------------------------------------------------------------


def _page(
    posed: Instance, found: Alternatives, again: Redecisions, table: pd.DataFrame, frequency: pd.DataFrame
) -> Page:
    lead = (_found_words(posed, found), _classes_words(found, again, frequency))
    return Page(
        "Near-optimal alternatives",
        posed.scenario.title,
        lead,
        (
            Section("The portfolios", (), (), (_portfolios(posed, table),)),
            Section("How firmly is each technology chosen?", _reading(again), _plots(frequency), (_firm(frequency),)),
        ),
    )


def _found_words(posed: Instance, found: Alternatives) -> str:
    apart = f"worth at least {money(found.floor, posed.scenario)} and at least {found.swaps} decisions apart"
    if found.portfolios:
        how = "all of them" if found.exhausted else "not necessarily all there are"
        return f"{len(found.portfolios)} other portfolios {apart} ({how}; {found.wanted} were asked for)."
    proof = "there is none" if found.exhausted else "that there is none is not proven"
    advice = "ask for a larger --within or for fewer --swaps"
    return f"No other portfolio {apart} was found ({proof}); {advice}."


def _classes_words(found: Alternatives, again: Redecisions, frequency: pd.DataFrame) -> str:
    counts = frequency["class"].value_counts()
    core, some, none = (int(counts.get(name, 0)) for name in ("core", "borderline", "exterior"))
    portfolios = "every one of these portfolios and" if found.portfolios else "the best portfolio and"
    alone = "" if found.portfolios else ", by resamples alone,"
    return (
        f"Of {len(frequency)} technologies {core} are core{alone}: {portfolios} at least {SURE:.0%} of {len(again)} "
        f"resamples fund them. {none} are exterior: none of these portfolios and at most {1 - SURE:.0%} of the "
        f"resamples does. {some} are borderline." + (f" It is the {some} that deserve a discussion." if some else "")
    )


def _reading(again: Redecisions) -> tuple[str, ...]:
    return (
        f"Resampled: decided again {len(again)} times, each time with what another seed might have seen of the options "
        "near the relaxation. A technology chosen in nearly all of them does not owe its place to the luck of the "
        "samples.",
    )


def _option_list(scenario: Scenario, names: str) -> str:
    """The first few of some options, in words."""
    return listing((whole_option_words(scenario, name) for name in names.split()), most=4, none="")


def _portfolios(posed: Instance, table: pd.DataFrame) -> Table:
    unit = posed.scenario.money_unit
    frame = table.assign(
        simulated=intervals(table),
        enters=[_option_list(posed.scenario, names) for names in table["enters"]],
        leaves=[_option_list(posed.scenario, names) for names in table["leaves"]],
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
                **_near_column(frequency, "near-optimal portfolios"),
                "class": Column("class"),
            },
        ),
    )


def _near_column(frequency: pd.DataFrame, label: str) -> dict[str, Column]:
    """Share of near-optimal portfolios, if any but the best was found."""
    return {} if frequency["near"].isna().all() else {"near": Column(label, "share")}


def _firm(frequency: pd.DataFrame) -> Table:
    order = frequency.sort_values(["resampled", "near"], ascending=False, kind="stable")
    columns = {
        "technology": Column("Id"),
        "name": Column("Technology"),
        "class": Column("Class"),
        **_near_column(frequency, "Near-optimal portfolios"),
        "resampled": Column("Resamples", "share"),
        "low": Column("from", "share"),
        "high": Column("to", "share"),
    }
    return Table("Share of portfolios that fund each technology; intervals are Clopper and Pearson's.", order, columns)
