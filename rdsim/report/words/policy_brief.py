"""A plan on one page, for who decides and reads nothing else: question, recommendation, numbers, doubts, decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rdsim.brief import be, count
from rdsim.report.data.aggregates import partners_among
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, estimate, interval, percent, sentence_list
from rdsim.report.words.head import Tile, choice_words, comparison_words, firmness_words, use_words, wider
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
        tuple(_names(first)),
    )


def _portfolio(report: PlanReport) -> pd.DataFrame:
    return report.technologies[report.technologies["funded"].astype(bool)]


def _question(report: PlanReport) -> str:
    announced = amount(float(report.plan["announced"].sum()))
    return (
        f"Which of {count(len(report.technologies), 'technology')} should be funded from {report.start_year} on, with "
        f"which partners abroad, out of {announced} {report.money_unit} of announced money?"
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
    return (
        f"If no project ever stopped, full awards of {above['name']} would ask in {above['year']} for "
        f"{amount(float(above['above']))} {report.money_unit} more than is announced."
    )


def _numbers(report: PlanReport) -> Iterator[Tile]:
    worth = estimate(report, "npv")
    if worth is not None:
        detail = f"{report.confidence:.0%} interval {interval(worth)}{wider(report)}"
        yield Tile(f"net present value, {report.money_unit}", amount(worth["mean"]), detail)
    timely = estimate(report, "commercialised_by_deadline")
    if timely is not None:
        chosen = count(len(_portfolio(report)), "funded technology")
        detail = f"of {chosen}, on average; {report.confidence:.0%} interval {interval(timely)}"
        yield Tile("on the market by their deadline", amount(timely["mean"]), detail)
    if _is_decided_again(report):
        funded = _portfolio(report)
        firm = int((funded["verdict"] == _FIRM).sum())
        detail = f"of {count(len(funded), 'funded technology')}: nearly every decision on other samples funds them, too"
        yield Tile("technologies that are firm", f"{firm:,}", detail)


def _is_decided_again(report: PlanReport) -> bool:
    return bool(report.manifest.get("redecisions", {}).get("technologies"))


def _doubts(report: PlanReport) -> Iterator[str]:
    if estimate(report, "npv") is not None and "npv" in report.replications:
        yield _loss_words(report)
    yield from _bound_words(report)
    yield from filter(None, [above_words(report)])
    yield from firmness_words(report)[:1]
    if len(_portfolio(report)["partner"].loc[lambda column: column != ""]):
        yield "What a partner does to time, success and cost is assumed: nobody has measured it."


def _loss_words(report: PlanReport) -> str:
    worths = report.replications["npv"]
    lost = int((worths < 0).sum())
    found = proportion_interval(lost, len(worths), report.confidence)
    return (
        f"In {percent(lost / len(worths))} of the futures ({percent(found.low)} to {percent(found.high)}) it is worth "
        "less than nothing."
    )


def _bound_words(report: PlanReport) -> Iterator[str]:
    """Of how many leads the sign is not sure once what is assumed may lie anywhere within its bounds."""
    widths: list[Mapping[str, Any]] = report.manifest.get("assumptions", {}).get("widths", [])
    leads = [one["with_assumptions"] for one in widths if one["headline"].startswith("lead")]
    open_ones = sum(one["low"] < 0 < one["high"] for one in leads)
    if open_ones:
        leads_told = f"Of its leads over {count(len(leads), 'other portfolio')}, {open_ones} {be(open_ones)}"
        yield f"{leads_told} not sure to be gains once what is assumed may lie anywhere within its bounds."


def _first_year(report: PlanReport) -> pd.DataFrame:
    """What starts first, the firm before others, then by what is asked for."""
    funded = _portfolio(report).dropna(subset=["start_year"])
    first = funded[funded["start_year"] == funded["start_year"].min()]
    firm = [one == _FIRM for one in first["verdict"]] if "verdict" in first else [False] * len(first)
    ordered: pd.DataFrame = first.assign(firm=firm).sort_values(["firm", "cost"], ascending=False, kind="stable")
    return ordered


def _request(report: PlanReport, first: pd.DataFrame) -> Iterator[str]:
    if first.empty:
        yield "No award is asked for."
        return
    year, cost = int(first["start_year"].iloc[0]), amount(float(first["cost"].sum()))
    partners = sorted(map(str, first.loc[first["partner"] != "", "partner_name"].unique()))
    told = sentence_list(partners) if len(partners) <= _FEW else f"{len(partners_among(first))} partners abroad"
    abroad = f", with {told}" if partners else ""
    yield f"To award {count(len(first), 'technology')} that start in {year}: {cost} {report.money_unit} in all{abroad}."
    later = len(_portfolio(report)) - len(first)
    if later:
        start = "starts" if later == 1 else "start"
        yield f"{count(later, 'further technology')} of the plan {start} later: not yet asked."
    if _is_decided_again(report):
        firm = int(first["firm"].sum())
        others = "; the others are open: on other samples something else might be funded" if firm < len(first) else ""
        yield f"Of those that start in {year} {firm:,} {be(firm)} firm{others}."


def _names(first: pd.DataFrame) -> Iterator[str]:
    for row in first.head(_MOST_NAMED).to_dict(orient="records"):
        partner = f", with {row['partner_name']}" if row["partner"] else ""
        yield f"{row['name']} ({amount(row['cost'])}{partner})"
    if len(first) > _MOST_NAMED:
        yield f"and {len(first) - _MOST_NAMED:,} more, all in the plan's report"
