"""What studies are made of: whose portfolio they speak of, portfolios simulated side by side, words, records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rdsim import portfolio
from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.brief import count
from rdsim.domain import Portfolio, Scenario
from rdsim.languages import gettext as _
from rdsim.languages import join_texts, unit_of_money
from rdsim.optimiser import Solution
from rdsim.report.words import amount
from rdsim.search import Instance, Proposal
from rdsim.simulation import replicate
from rdsim.stats import mean_interval
from rdsim.study import Study
from rdsim.titles import ONE_SHOT, OWN_TITLES
from rdsim.words import ratio_words

__all__ = ["intervals", "listing", "money", "ranked_portfolio", "record_of", "simulated_estimates", "speaks_of"]


def speaks_of(study: Study, best: Proposal | None, without: str = "") -> Study:
    """The study with whose portfolio it speaks of as its first line, and in its record.

    `without` is said where no portfolio is at hand: whose portfolios are shown then.
    """
    if study.scenario is None:
        words = without
    else:
        whose = [without] if best is None else _whose(study.scenario, best)
        words = join_texts([*whose, *_aim_words(study.scenario)], " ")
    record = {"source": "", "funded": 0, "rows_held_to": {}} if best is None else _record_of_subject(best)
    return replace(study.with_lead(words), record={**study.record, "subject": {"words": words, **record}})


def _record_of_subject(best: Proposal) -> dict[str, Any]:
    held = dict(best.payment_ratios)
    return {"source": best.source or "one-shot", "funded": len(best.portfolio.choices), "rows_held_to": held}


def _whose(scenario: Scenario, best: Proposal) -> list[str]:
    technologies = count(len(best.portfolio.choices), "technology")
    held = ratio_words(scenario, best.payment_ratios)
    if not best.source:
        told = _(
            "This speaks of {portfolio} ({technologies}), solved here, not of a plan (--portfolio names one); its "
            "budgets are held to {money}."
        )
        return [told.format(portfolio=_(OWN_TITLES[ONE_SHOT]), technologies=technologies, money=held)]
    told = _("This speaks of {portfolio} ({technologies}); its budgets are held to {money}.")
    mine = told.format(portfolio=best.source, technologies=technologies, money=held)
    return [mine, *([_beside(scenario, best)] if not np.isnan(best.best_known) else [])]


def _aim_words(scenario: Scenario) -> Iterator[str]:
    """What value means, where it is not net present value alone."""
    aim = aim_of(scenario)
    if not aim.is_default:
        yield _("Value is by the scenario's aim: {aim}.").format(aim=aim.words(scenario.money_unit))


def _beside(scenario: Scenario, best: Proposal) -> str:
    """How far the portfolio is from what the optimiser would choose; a plan may be, for simulation chose it."""
    mine, other = best.solution.objective, best.best_known
    if mine >= other - 1e-9 * max(1.0, abs(other)):
        return _("Options alone, no better portfolio was found under these rows.")
    return _(
        "Options alone, it adds up to {value}, and the best portfolio found under these rows to {best}: what "
        "simulation sees beyond that is not in the figures here."
    ).format(value=money(mine, scenario), best=money(other, scenario))


def ranked_portfolio(posed: Instance, chosen: Iterable[int], name: str) -> Portfolio:
    """Options by number as a ranked portfolio."""
    choices = posed.options.choices
    return portfolio.with_ranks(Portfolio(tuple(choices[o] for o in chosen), name), posed.scenario)


def simulated_estimates(
    posed: Instance,
    portfolios: Mapping[str, Portfolio],
    replications: int | None = None,
    beside: Mapping[str, Callable[[pd.DataFrame], Floats]] | None = None,
) -> pd.DataFrame:
    """Simulate portfolios on the same replications, which chose none of them.

    Returns a row for each, in their order: mean and limits of `npv`, mean of `commercialised_by_deadline` and of
    `commercialised`, and `n`; and mean and limits of what `beside` makes of a table of replications, by name.
    """
    scenario = posed.scenario
    count = scenario.simulation.replications if replications is None else replications
    rows, more = [], beside or {}
    for name, one in portfolios.items():
        table = replicate(scenario, one, replications=count, seed=posed.seed, running=posed.running)
        level = scenario.simulation.confidence
        row = {"portfolio": name, **_estimates(table, level)}
        for told, make in more.items():
            row |= _with_limits(make(table), told, level)
        rows.append(row)
    columns = ("portfolio", "npv", "npv_low", "npv_high", "in_time", "commercialised", "n")
    return pd.DataFrame(rows, columns=[*columns, *(f"{told}{end}" for told in more for end in ("", "_low", "_high"))])


def _estimates(table: pd.DataFrame, confidence: float) -> dict[str, float]:
    return {
        **_with_limits(table["npv"].to_numpy(np.float64), "npv", confidence),
        "in_time": float(table["commercialised_by_deadline"].mean()),
        "commercialised": float(table["commercialised"].mean()),
        "n": len(table),
    }


def _with_limits(values: Floats, told: str, confidence: float) -> dict[str, float]:
    """Mean of numbers with its limits, under a name."""
    found = mean_interval(values, confidence)
    return {told: found.mean, f"{told}_low": found.low, f"{told}_high": found.high}


def intervals(table: pd.DataFrame, name: str = "npv") -> list[str]:
    """Simulated means with their limits, as `simulated_estimates` gives them, in words."""
    columns = zip(table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True)
    told = _("{amount} ({low} to {high})")
    return [told.format(amount=amount(mean), low=amount(low), high=amount(high)) for mean, low, high in columns]


def money(value: float, scenario: Scenario) -> str:
    """An amount with its unit."""
    return _("{amount} {unit}").format(amount=amount(value), unit=unit_of_money(scenario.money_unit))


def listing(names: Iterable[str], most: int = 6, none: str | None = None) -> str:
    """Names as a planner reads them: the first few, and how many more there are; where there are none, `none`."""
    every = list(names)
    if not every:
        return _("none") if none is None else none
    shown = join_texts(every[:most], ", ")
    if len(every) <= most:
        return shown
    return _("{names} and {number} more").format(names=shown, number=len(every) - most)


def record_of(posed: Instance, solution: Solution | None = None) -> dict[str, Any]:
    """Samples, engine and options of the problem, and the solver's account of a solution."""
    told: dict[str, Any] = {
        "samples": posed.samples,
        "engine": posed.running.engine,
        "options": len(posed.options.choices),
        "rows": len(posed.problem.rows.names),
    }
    if solution is not None:
        told["solver"] = {
            "name": solution.solver,
            "version": solution.version,
            "status": str(solution.status),
            "objective": solution.objective,
            "bound": solution.bound,
            "gap": solution.gap,
            "seconds": solution.seconds.total,
        }
    return told
