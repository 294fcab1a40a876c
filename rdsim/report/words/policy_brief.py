"""A plan on one page, for who decides and reads nothing else: question, recommendation, numbers, doubts, decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rdsim.brief import count
from rdsim.languages import gettext as _
from rdsim.languages import ngettext
from rdsim.report.data.aggregates import partners_among
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, estimate, percent, sentence_list, with_unit
from rdsim.report.words.head import Tile, choice_words, comparison_words, firmness_words, sure_words, use_words, wider
from rdsim.report.words.leads import most_above
from rdsim.stats import proportion_interval

__all__ = ["Brief", "above_words", "brief", "recommendation"]

_MOST_NAMED = 8
"""Technologies of the first year that are named: more would not fit beside the rest on a page."""

_FEW = 4
"""Partners that are named in a sentence; of more their number is told."""

_FIRM = "sure in"


@dataclass(frozen=True)
class Brief:
    """What stands on the page, from top to bottom."""

    question: str
    recommendation: tuple[str, ...]
    numbers: tuple[Tile, ...]  # three, or as many as were found out
    doubts: tuple[str, ...]
    asked: tuple[str, ...]
    named: tuple[str, ...]  # what is to be decided first


def brief(report: PlanReport) -> Brief:
    """The plan in as many words as fit on a page. What is to start first is named, the firm before others."""
    first = _first_year(report)
    return Brief(
        _question(report),
        tuple(recommendation(report)),
        tuple(_numbers(report)),
        tuple(_doubts(report)),
        tuple(_request(report, first)),
        tuple(_names(report, first)),
    )


def _portfolio(report: PlanReport) -> pd.DataFrame:
    return report.technologies[report.technologies["funded"].astype(bool)]


def _question(report: PlanReport) -> str:
    return _(
        "Which of {technologies} should be funded from {year} on, with which partners abroad, out of {announced} "
        "{unit} of announced money?"
    ).format(
        technologies=count(len(report.technologies), "technology"),
        year=report.start_year,
        announced=amount(float(report.plan["announced"].sum())),
        unit=report.money_unit,
    )


def recommendation(report: PlanReport) -> list[str]:
    """What is recommended, in three sentences: how many with whom, what of the money is used, what it leads by."""
    used = [use_words(report)] if estimate(report, "paid") is not None else []
    return [choice_words(report), *used, *list(comparison_words(report))[:1]]


def above_words(report: PlanReport) -> str:
    """What would be asked for above the announced money if no project ever stopped, where it is most; '' if nothing."""
    above = most_above(report)
    if above is None:
        return ""
    return _(
        "If no project ever stopped, full awards of {name} would ask in {year} for {amount} {unit} more than is "
        "announced."
    ).format(name=above["name"], year=above["year"], amount=amount(float(above["above"])), unit=report.money_unit)


def _numbers(report: PlanReport) -> Iterator[Tile]:
    worth = estimate(report, "npv")
    if worth is not None:
        label = _("net present value, {unit}").format(unit=report.money_unit)
        yield Tile(label, amount(worth["mean"]), f"{sure_words(report, worth)}{wider(report)}")
    timely = estimate(report, "commercialised_by_deadline")
    if timely is not None:
        chosen = count(len(_portfolio(report)), "funded technology")
        told = _("of {technologies}, on average; {interval}")
        detail = told.format(technologies=chosen, interval=sure_words(report, timely))
        yield Tile(_("on the market by their deadline"), amount(timely["mean"]), detail)
    if _is_decided_again(report):
        funded = _portfolio(report)
        firm = int((funded["verdict"] == _FIRM).sum())
        detail = _("of {technologies}: nearly every decision on other samples funds them, too").format(
            technologies=count(len(funded), "funded technology")
        )
        yield Tile(_("technologies that are firm"), f"{firm:,}", detail)


def _is_decided_again(report: PlanReport) -> bool:
    return bool(report.manifest.get("redecisions", {}).get("technologies"))


def _doubts(report: PlanReport) -> Iterator[str]:
    if estimate(report, "npv") is not None and "npv" in report.replications:
        yield _loss_words(report)
    yield from _bound_words(report)
    yield from filter(None, [above_words(report)])
    yield from firmness_words(report)[:1]
    if len(_portfolio(report)["partner"].loc[lambda column: column != ""]):
        yield _("What a partner does to time, success and cost is assumed: nobody has measured it.")


def _loss_words(report: PlanReport) -> str:
    worths = report.replications["npv"]
    lost = int((worths < 0).sum())
    found = proportion_interval(lost, len(worths), report.confidence)
    told = _("In {share} of the futures ({low} to {high}) it is worth less than nothing.")
    return told.format(share=percent(lost / len(worths)), low=percent(found.low), high=percent(found.high))


def _bound_words(report: PlanReport) -> Iterator[str]:
    """Of how many leads the sign is not sure once what is assumed may lie anywhere within its bounds."""
    widths: list[Mapping[str, Any]] = report.manifest.get("assumptions", {}).get("widths", [])
    leads = [one["with_assumptions"] for one in widths if one["headline"].startswith("lead")]
    open_ones = sum(one["low"] < 0 < one["high"] for one in leads)
    if open_ones:
        yield ngettext(
            "Of its leads over {portfolios}, {number} is not sure to be gains once what is assumed may lie anywhere "
            "within its bounds.",
            "Of its leads over {portfolios}, {number} are not sure to be gains once what is assumed may lie anywhere "
            "within its bounds.",
            open_ones,
        ).format(portfolios=count(len(leads), "other portfolio"), number=open_ones)


def _first_year(report: PlanReport) -> pd.DataFrame:
    """What starts first, the firm before others, then by what is asked for."""
    funded = _portfolio(report).dropna(subset=["start_year"])
    first = funded[funded["start_year"] == funded["start_year"].min()]
    firm = [one == _FIRM for one in first["verdict"]] if "verdict" in first else [False] * len(first)
    ordered: pd.DataFrame = first.assign(firm=firm).sort_values(["firm", "cost"], ascending=False, kind="stable")
    return ordered


def _request(report: PlanReport, first: pd.DataFrame) -> Iterator[str]:
    if first.empty:
        yield _("No award is asked for.")
        return
    year, cost = int(first["start_year"].iloc[0]), amount(float(first["cost"].sum()))
    partners = sorted(map(str, first.loc[first["partner"] != "", "partner_name"].unique()))
    named = (
        sentence_list(partners)
        if len(partners) <= _FEW
        else _("{number} partners abroad").format(number=len(partners_among(first)))
    )
    told = (
        _("To award {technologies} that start in {year}: {cost} {unit} in all, with {partners}.")
        if partners
        else _("To award {technologies} that start in {year}: {cost} {unit} in all.")
    )
    technologies = count(len(first), "technology")
    yield told.format(technologies=technologies, year=year, cost=cost, unit=report.money_unit, partners=named)
    later = len(_portfolio(report)) - len(first)
    if later:
        yield ngettext(
            "{technologies} of the plan starts later: not yet asked.",
            "{technologies} of the plan start later: not yet asked.",
            later,
        ).format(technologies=count(later, "further technology"))
    if _is_decided_again(report):
        yield _firm_starts(year, int(first["firm"].sum()), len(first))


def _firm_starts(year: int, firm: int, started: int) -> str:
    """How many of those that start first are firm."""
    told = (
        ngettext(
            "Of those that start in {year} {firm} is firm; the others are open: on other samples something else might "
            "be funded.",
            "Of those that start in {year} {firm} are firm; the others are open: on other samples something else might "
            "be funded.",
            firm,
        )
        if firm < started
        else ngettext(
            "Of those that start in {year} {firm} is firm.", "Of those that start in {year} {firm} are firm.", firm
        )
    )
    return told.format(year=year, firm=f"{firm:,}")


def _names(report: PlanReport, first: pd.DataFrame) -> Iterator[str]:
    for row in first.head(_MOST_NAMED).to_dict(orient="records"):
        told = _("{name} ({cost}, with {partner})") if row["partner"] else _("{name} ({cost})")
        yield told.format(name=row["name"], cost=with_unit(report, row["cost"]), partner=row["partner_name"])
    if len(first) > _MOST_NAMED:
        yield _("and {number} more, all in the plan's report").format(number=f"{len(first) - _MOST_NAMED:,}")
