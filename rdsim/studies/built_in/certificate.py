"""How near the portfolio is to the true optimum: solver's gap, sampling gap and optimism apart, on fresh samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from rdsim.arrays import Floats
from rdsim.languages import N_, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.confidence import (
    InformationValue,
    Optimality,
    Sampling,
    StochasticValue,
    describe,
    optimality,
    value_of_perfect_information,
    value_of_stochastic_solution,
)
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.search import Instance, Proposal, fresh_values, risk_of, solving_of
from rdsim.studies.built_in.parts import money, record_of, speaks_of
from rdsim.study import Study

__all__ = ["certificate"]


def certificate(
    posed: Instance,
    best: Proposal,
    *,
    batches: int = 10,
    samples: int | None = None,
    evaluation: int = 10_000,
    worlds: int = 30,
    solving: Solving = Solving(),
) -> Study:
    """Limits on the true optimum by multiple replication, and what uncertainty and perfect information are worth.

    `batches` problems are solved anew on `samples` fresh samples each (by default as many as the portfolio was chosen
    on); the portfolio is judged on `evaluation` others; `worlds` are solved in hindsight (0: none). All options alone,
    as the optimiser sees them: what waiting does shows in a simulation only. Raises ProblemError where the scenario
    asks for a floor on CVaR or a probability (see `rdsim.optimiser.questions.confidence`), SolverError as the optimiser
    does.
    """
    risk, count = risk_of(posed), samples or posed.samples
    solving = solving_of(posed.scenario, solving)
    level = posed.scenario.simulation.confidence

    def some(index: int, size: int, options: Sequence[int]) -> Floats:
        return fresh_values(posed, index, size, options)

    def every(index: int, size: int) -> Floats:
        return fresh_values(posed, index, size)

    sampling = Sampling(batches, count, evaluation, level, some)
    known = optimality(posed.problem, every, risk, candidate=best.solution, sampling=sampling, solving=solving)
    stochastic = value_of_stochastic_solution(
        posed.problem, every, risk, candidate=best.solution, sampling=sampling, solving=solving
    )
    if not worlds:
        return _study(posed, best, known, stochastic, None)
    information = value_of_perfect_information(posed.problem, every, known, risk, solves=worlds, solving=solving)
    return _study(posed, best, known, stochastic, information)


def _study(
    posed: Instance,
    best: Proposal,
    known: Optimality,
    stochastic: StochasticValue,
    information: InformationValue | None,
) -> Study:
    table, batches = _parts(known), _batches(known)
    record = {
        **record_of(posed, best.solution),
        "certificate": {
            "batches": len(known.batches),
            "samples": known.samples,
            "evaluation": known.lower.n,
            "confidence": known.confidence,
            "optimum_between": list(known.limits),
            "seconds": known.seconds,
        },
    }
    if information is not None:
        record["certificate"]["evpi"] = {"low": information.low, "high": information.high, "worlds": information.n}
    record["certificate"]["vss"] = {
        "mean": stochastic.difference.mean,
        "low": stochastic.difference.low,
        "high": stochastic.difference.high,
        "n": stochastic.difference.n,
    }
    page = _page(posed, known, stochastic, information, table, batches)
    tables, portfolios = {"certificate": table, "batches": batches}, {"certified": best.portfolio}
    return speaks_of(Study("certify", posed.scenario, posed.seed, page, tables, record, portfolios), best)


def _parts(known: Optimality) -> pd.DataFrame:
    """The parts of the distance from the optimum: amount, limits, share of the value, count."""
    optimism, here = known.optimism, known.overpromise
    rows = [
        (N_("value on fresh samples"), known.lower.mean, known.lower.low, known.lower.high, known.lower.n),
        (N_("limit of the true optimum"), known.upper.mean, known.upper.low, known.upper.high, known.upper.n),
        (N_("solver gap"), known.solver_gap, known.solver_gap, known.solver_gap, 1),
        (N_("sampling gap"), known.sampling_gap.mean, 0.0, known.sampling_gap.high, known.sampling_gap.n),
        (N_("promised too much here"), here.mean, here.low, here.high, here.n),
        (N_("optimism"), optimism.mean, optimism.low, optimism.high, optimism.n),
        (N_("gap, whole"), known.gap.mean, 0.0, known.gap.high, known.gap.n),
    ]
    table = pd.DataFrame(rows, columns=["part", "amount", "low", "high", "n"])
    return table.assign(share=[known.share(amount) for amount in table["amount"]])


def _batches(known: Optimality) -> pd.DataFrame:
    rows = [(number, one.bound, one.incumbent, one.value) for number, one in enumerate(known.batches, start=1)]
    return pd.DataFrame(rows, columns=["batch", "bound", "incumbent", "portfolio"])


# --- words ----------------------------------------------------------------------------------------


def _page(
    posed: Instance,
    known: Optimality,
    stochastic: StochasticValue,
    information: InformationValue | None,
    table: pd.DataFrame,
    batches: pd.DataFrame,
) -> Page:
    unit, form = unit_of_money(posed.scenario.money_unit), _form(known.lower.mean)
    low, high = (money(limit, posed.scenario) for limit in known.limits)
    level, most = f"{known.confidence:.0%}", known.share(known.gap.high)
    value = _(
        "Options alone, added up: with {confidence} confidence the best portfolio there is would be worth between "
        "{low} and {high}; this one is worth {value} on samples that did not choose it."
    ).format(confidence=level, low=low, high=high, value=money(known.lower.mean, posed.scenario))
    gap = (
        _("It is at most {value} from the best, with {confidence} confidence.")
        if math.isnan(most)
        else _("It is at most {value} ({share}) from the best, with {confidence} confidence.")
    ).format(value=money(known.gap.high, posed.scenario), share=numeral(most, ".1%"), confidence=level)
    worth = (*describe(stochastic, unit, form), *(describe(information, unit, form) if information else ()))
    return Page(
        _("How sure"),
        posed.scenario.title,
        (value, gap),
        (
            Section(
                _("How far from the best?"),
                describe(known, unit, form),
                (_plot(posed, batches),),
                (_page_table(posed, table),),
            ),
            Section(_("What is it worth to reckon with uncertainty, and to know?"), worth),
        ),
    )


def _form(size: float) -> str:
    return ",.0f" if abs(size) >= 200 else ",.1f" if abs(size) >= 10 else ",.2f"


def _plot(posed: Instance, batches: pd.DataFrame) -> Plot:
    unit = unit_of_money(posed.scenario.money_unit)
    parts = [
        batches[["batch", name]].rename(columns={name: "value"}).assign(series=words)
        for name, words in (("bound", _("limit of the batch's best")), ("portfolio", _("this portfolio")))
    ]
    frame = pd.concat(parts, ignore_index=True)
    return Plot(
        "batches",
        _("How much better could a portfolio be that knew the samples?"),
        _("Each batch is a fresh sample: the limit of what is best there, and this portfolio in the same worlds."),
        _("The distance between the two is the gap of a batch; its mean and its upper limit are in the table below."),
        frame,
        ("batch", _("batch")),
        ("value", _("value, {unit}").format(unit=unit)),
        joined=False,
        colour="series",
        tips={"series": Column(" "), "batch": Column(_("batch"), "count"), "value": Column(_("value"), "money")},
    )


def _page_table(posed: Instance, table: pd.DataFrame) -> Table:
    columns = {
        "part": Column(""),
        "amount": Column(unit_of_money(posed.scenario.money_unit), "money"),
        "low": Column(_("from"), "money"),
        "high": Column(_("to"), "money"),
        "share": Column(_("of the value"), "share"),
        "n": Column(_("count"), "count"),
    }
    caption = _(
        "Gaps have one-sided limits. Promised too much here: by the samples that chose this portfolio, of it. "
        "Optimism: by samples as many, of what they choose, on average over the batches, which chose anew."
    )
    return Table(caption, table.assign(part=[_(one) for one in table["part"]]), columns)
