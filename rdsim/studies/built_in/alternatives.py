"""Portfolios nearly as good as the best and clearly different, and what all of them share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from rdsim.domain import Scenario
from rdsim.languages import N_, join_texts, unit_of_money
from rdsim.languages import gettext as _
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
        return N_("core")
    return N_("exterior") if near == 0 and resampled <= 1 - SURE else N_("borderline")


# --- words ----------------------------------------------------------------------------------------


def _page(
    posed: Instance, found: Alternatives, again: Redecisions, table: pd.DataFrame, frequency: pd.DataFrame
) -> Page:
    lead = (_found_words(posed, found), _classes_words(found, again, frequency))
    return Page(
        _("Near-optimal alternatives"),
        posed.scenario.title,
        lead,
        (
            Section(_("The portfolios"), (), (), (_portfolios(posed, table),)),
            Section(
                _("How firmly is each technology chosen?"), _reading(again), _plots(frequency), (_firm(frequency),)
            ),
        ),
    )


def _found_words(posed: Instance, found: Alternatives) -> str:
    apart = {"value": money(found.floor, posed.scenario), "swaps": found.swaps}
    if found.portfolios:
        told = _(
            "{number} other portfolios worth at least {value} and at least {swaps} decisions apart ({extent}; {wanted} "
            "were asked for)."
        )
        extent = _("all of them") if found.exhausted else _("not necessarily all there are")
        return told.format(number=len(found.portfolios), extent=extent, wanted=found.wanted, **apart)
    told = _(
        "No other portfolio worth at least {value} and at least {swaps} decisions apart was found ({proof}); ask for a "
        "larger --within or for fewer --swaps."
    )
    proof = _("there is none") if found.exhausted else _("that there is none is not proven")
    return told.format(proof=proof, **apart)


def _classes_words(found: Alternatives, again: Redecisions, frequency: pd.DataFrame) -> str:
    counts = frequency["class"].value_counts()
    core, some, none = (int(counts.get(name, 0)) for name in ("core", "borderline", "exterior"))
    told = (
        _(
            "Of {all} technologies {core} are core: every one of these portfolios and at least {most} of {samples} "
            "resamples fund them. {exterior} are exterior: none of these portfolios and at most {least} of the "
            "resamples does. {borderline} are borderline."
        )
        if found.portfolios
        else _(
            "Of {all} technologies {core} are core, by resamples alone,: the best portfolio and at least {most} of "
            "{samples} resamples fund them. {exterior} are exterior: none of these portfolios and at most {least} of "
            "the resamples does. {borderline} are borderline."
        )
    ).format(
        all=len(frequency),
        core=core,
        most=f"{SURE:.0%}",
        samples=len(again),
        exterior=none,
        least=f"{1 - SURE:.0%}",
        borderline=some,
    )
    talk = _("It is the {number} that deserve a discussion.").format(number=some)
    return join_texts([told, *([talk] if some else [])], " ")


def _reading(again: Redecisions) -> tuple[str, ...]:
    told = _(
        "Resampled: decided again {number} times, each time with what another seed might have seen of the options near "
        "the relaxation. A technology chosen in nearly all of them does not owe its place to the luck of the samples."
    )
    return (told.format(number=len(again)),)


def _option_list(scenario: Scenario, names: str) -> str:
    """The first few of some options, in words."""
    return listing((whole_option_words(scenario, name) for name in names.split()), most=4, none="")


def _portfolios(posed: Instance, table: pd.DataFrame) -> Table:
    unit = unit_of_money(posed.scenario.money_unit)
    frame = table.assign(
        portfolio=[_portfolio_title(name) for name in table["portfolio"]],
        simulated=intervals(table),
        enters=[_option_list(posed.scenario, names) for names in table["enters"]],
        leaves=[_option_list(posed.scenario, names) for names in table["leaves"]],
    )
    columns = {
        "portfolio": Column(_("Portfolio")),
        "value": Column(_("Expected value, {unit}").format(unit=unit), "money"),
        "loss": Column(_("less than the best"), "money"),
        "swaps": Column(_("Decisions changed"), "count"),
        "funded": Column(_("Funded"), "count"),
        "partners": Column(_("Partners opened"), "count"),
        "simulated": Column(_("Simulated net value")),
        "enters": Column(_("Enters")),
        "leaves": Column(_("Leaves")),
    }
    caption = _(
        "Expected values are the optimiser's; simulated means with {confidence} intervals, {replications} replications."
    )
    level, number = f"{posed.scenario.simulation.confidence:.0%}", int(table["n"].iloc[0])
    return Table(caption.format(confidence=level, replications=number), frame, columns)


def _portfolio_title(name: str) -> str:
    """What a portfolio's file is called, in words."""
    if name == "best":
        return _("best")
    return _("alternative-{number}").format(number=name.removeprefix("alternative-"))


def _plots(frequency: pd.DataFrame) -> tuple[Plot, ...]:
    doubtful = frequency[(frequency["resampled"] > 0) & (frequency["resampled"] < 1)]
    if doubtful.empty:
        return ()
    shown = doubtful.sort_values("resampled", ascending=False, kind="stable").head(60)
    shown = shown.assign(
        **{"class": [_(one) for one in shown["class"]]},
        label=[f"{row.technology} {row.name_}" for row in shown.rename(columns={"name": "name_"}).itertuples()],
    )
    return (
        Plot(
            "firmness",
            _("Which decisions hang on the samples?"),
            _("{number} technologies are chosen in some resamples and not in others.").format(number=len(doubtful)),
            _("Share of resamples that fund the technology, with its interval."),
            shown,
            ("resampled", _("share of resamples")),
            ("label", ""),
            kind="bars",
            low="low",
            high="high",
            colour="class",
            tips={
                "label": Column(_("Technology")),
                "resampled": Column(_("resamples"), "share"),
                **_near_column(frequency, _("near-optimal portfolios")),
                "class": Column(_("class")),
            },
        ),
    )


def _near_column(frequency: pd.DataFrame, label: str) -> dict[str, Column]:
    """Share of near-optimal portfolios, if any but the best was found."""
    return {} if frequency["near"].isna().all() else {"near": Column(label, "share")}


def _firm(frequency: pd.DataFrame) -> Table:
    order = frequency.sort_values(["resampled", "near"], ascending=False, kind="stable")
    order = order.assign(**{"class": [_(one) for one in order["class"]]})
    columns = {
        "technology": Column(_("Id")),
        "name": Column(_("Technology")),
        "class": Column(_("Class")),
        **_near_column(frequency, _("Near-optimal portfolios")),
        "resampled": Column(_("Resamples"), "share"),
        "low": Column(_("from"), "share"),
        "high": Column(_("to"), "share"),
    }
    caption = _("Share of portfolios that fund each technology; intervals are Clopper and Pearson's.")
    return Table(caption, order, columns)
