"""What stands between a plan's figures and the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rdsim.languages import N_, retold
from rdsim.languages import gettext as _
from rdsim.numerals import NO_NUMBER
from rdsim.report.data.plan import PlanReport
from rdsim.report.words.amounts import amount, estimate, percent, rests_on, sentence_list, span
from rdsim.stats import quantile

__all__ = ["Doubt", "assumed_inputs", "doubts"]


@dataclass(frozen=True)
class Doubt:
    """A source of doubt about the net value, its size in money and relative to the mean, and what it means."""

    source: str
    money: str
    percent: str
    meaning: str


def doubts(report: PlanReport) -> list[Doubt]:
    """What stands between the figures and the truth, in money where it can be said."""
    known = (*_solver_gap(report), *_sampling(report), *_luck(report), *_other_view(report))
    return [*known, *_bounds(report), _inputs(report)]


def _bounds(report: PlanReport) -> Iterator[Doubt]:
    """What the bounds of assumptions, and luck, make of the net value."""
    asked = report.manifest.get("assumptions", {})
    for one in asked.get("widths", ()):
        if one["headline"] == "npv":
            low, high = one["with_assumptions"]["low"], one["with_assumptions"]["high"]
            share = _shares(low - one["mean"], high - one["mean"], one["mean"])
            meaning = _(
                "Where the net value lies, luck of the estimate included, if {assumptions} assumptions may each be "
                "anywhere within the bounds that the scenario states: over {worlds} worlds drawn within these, the "
                "portfolio kept."
            ).format(assumptions=len(asked["bounds"]), worlds=asked["points"])
            yield Doubt(_("Assumptions within their bounds"), span(low, high), share, meaning)


def _solver_gap(report: PlanReport) -> Iterator[Doubt]:
    solver = report.manifest.get("solver", {})
    objective, bound = solver.get("objective"), solver.get("bound")
    if objective is None or bound is None:
        nothing = _("The solver proved nothing about better portfolios.")
        yield Doubt(_("Solver's gap"), _("unknown"), NO_NUMBER, nothing)
        return
    more = max(bound - objective, 0.0)
    told = (
        _(
            "Of the optimiser's model, which adds up options that each live alone: the aim of this portfolio's options "
            "is {objective} {unit}, and under the same rows no portfolio's can be more than {bound}. Looking longer "
            "can add no more than this to that sum. It does not bound the net value of a whole portfolio that is "
            "simulated, which is another figure."
        )
        if solver.get("risk")
        else _(
            "Of the optimiser's model, which adds up options that each live alone: the value of this portfolio's "
            "options is {objective} {unit}, and under the same rows no portfolio's can be more than {bound}. Looking "
            "longer can add no more than this to that sum. It does not bound the net value of a whole portfolio that "
            "is simulated, which is another figure."
        )
    )
    meaning = told.format(objective=amount(objective), unit=report.money_unit, bound=amount(bound))
    yield Doubt(_("Solver's gap"), amount(more), percent(solver.get("gap"), 2), meaning)


def _sampling(report: PlanReport) -> Iterator[Doubt]:
    npv = estimate(report, "npv")
    if npv is None or npv["low"] is None:
        return
    half = (npv["high"] - npv["low"]) / 2
    meaning = _(
        "With {replications} replications the mean is known to this much, {confidence} of the time. Four times as many "
        "replications halve it. It is no bound on a single future."
    ).format(replications=f"{npv['n']:,}", confidence=f"{report.confidence:.0%}")
    yield Doubt(_("Sampling"), f"± {amount(half)}", _relative(half, npv["mean"]), meaning)


def _shares(low: float, high: float, mean: float) -> str:
    return _("{low} to {high}").format(low=_relative(low, mean), high=_relative(high, mean))


def _relative(value: float, mean: float) -> str:
    return percent(value / abs(mean), 1) if mean else NO_NUMBER


def _luck(report: PlanReport) -> Iterator[Doubt]:
    npv = report.replications["npv"].to_numpy(np.float64)
    low, high = (quantile(npv, level) for level in (0.1, 0.9))
    mean = float(npv.mean())
    share = _shares(low - mean, high - mean, mean)
    meaning = _(
        "Eight of ten futures of the model lie in between. No larger sample makes this smaller: it is risk, not error."
    )
    yield Doubt(_("Luck (P10 to P90)"), span(low, high), share, f"{meaning}{rests_on(report)}")


def _other_view(report: PlanReport) -> Iterator[Doubt]:
    """The optimiser's value less the simulated one, in two parts where fresh samples tell them apart."""
    expected, npv = _expected_value(report), estimate(report, "npv")
    if expected is None or npv is None:
        return
    fresh = report.manifest.get("fresh") or None
    if fresh is None:
        yield _difference(_("Optimiser's view less simulation"), expected - npv["mean"], npv, npv["mean"], _(_BOTH))
        return
    yield _difference(_("Optimism"), expected - fresh["mean"], fresh, fresh["mean"], _(_OPTIMISM))
    both = math.hypot(_half(fresh), _half(npv))
    wide = {"low": -both, "high": both}
    yield _difference(_("Alone less together"), fresh["mean"] - npv["mean"], wide, npv["mean"], _(_TOGETHER))


_OPTIMISM = N_(
    "What the samples that chose the portfolio promised of its options, less what the same options come to on fresh "
    "samples: choosing on samples flatters what is chosen. More samples behind each option make it smaller."
)
_TOGETHER = N_(
    "What the options come to when each is simulated alone, less the simulated value of the portfolio. Together "
    "projects wait for money, places and panels, and crowd one another out, which takes value; but payments that are "
    "never made, for partners or for projects that found no money, and spillovers may add more (then it is below "
    "nothing). This report's figures are the simulated ones."
)
_BOTH = N_(
    "The optimiser's expected value less the simulated one: what projects do to one another when they are simulated "
    "together, and that choosing on samples flatters what is chosen. This report's figures are the simulated ones."
)


def _expected_value(report: PlanReport) -> float | None:
    """Expected value in the optimiser's own samples."""
    solver = report.manifest.get("solver", {})
    expected = solver.get("expected", solver.get("objective"))
    return None if expected is None else float(expected)


def _half(estimate: Mapping[str, Any]) -> float:
    if estimate.get("low") is None:
        return math.nan
    return float(estimate["high"] - estimate["low"]) / 2


def _difference(source: str, gap: float, known: Mapping[str, Any], mean: float, meaning: str) -> Doubt:
    half = _half(known)
    if math.isnan(half):
        return Doubt(source, amount(gap), _relative(gap, mean), meaning)
    return Doubt(source, f"{amount(gap)} ± {amount(half)}", _relative(gap, mean), f"{meaning}{_chance(gap, half)}")


def _chance(gap: float, half: float) -> str:
    told = (
        _("The ± is the sampling error; chance could explain the whole difference.")
        if abs(gap) <= half
        else _("The ± is the sampling error.")
    )
    return f" {told}"


def assumed_inputs(report: PlanReport) -> str:
    """What of the inputs nobody has measured, in a sentence; '' for nothing."""
    if "grade" not in report.sources:
        return ""
    weak = report.sources[report.sources["grade"] == "assumed"]
    told = _("{item} of {table}")
    parts = [told.format(item=retold(str(row.item)), table=_(str(row.table))) for row in weak.itertuples()]
    return _("Assumed: {parts}.").format(parts=sentence_list(parts)) if parts else ""


def _inputs(report: PlanReport) -> Doubt:
    assumed = assumed_inputs(report)
    rest = f" {assumed}" if assumed else ""
    looked = bool(report.manifest.get("assumptions", {}).get("widths"))
    meaning = (
        _(
            "Whether the scenario's rates, costs and values are right, what other countries and firms do, and what the "
            "model leaves out. Beyond the bounds of assumptions no interval covers that."
        )
        if looked
        else _(
            "Whether the scenario's rates, costs and values are right, what other countries and firms do, and what the "
            "model leaves out. No interval here covers that."
        )
    )
    return Doubt(_("Not covered"), _("not known"), NO_NUMBER, f"{meaning}{rest}")
