"""What the optimiser is told in the loop: the portfolio problem with other budgets and other values.

A **view** says by which factor each programme's payment ratio may be above the stated one, what each option
is worth by all samples of it so far, and by how much less, as simulation of whole portfolios showed (correction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats
from rdsim.domain import Portfolio, Scenario
from rdsim.formulation import budget_rows, row_index
from rdsim.optimiser import PortfolioProblem, evaluate
from rdsim.optimiser.problem.problem import frozen, round_off
from rdsim.options import Options
from rdsim.search.judge import Judge

__all__ = [
    "LOOSEST",
    "View",
    "apply_view",
    "at_ratios",
    "budgets_times",
    "corrections",
    "payment_ratios",
    "ratios_of",
    "risk_deductions",
]


LOOSEST = 10.0
"""The most that a scenario may ask for as a payment ratio."""

_HALVINGS = 30
_FEW = 3.0
"""A cell of so many projects counts half in a correction: fewer tell luck from waiting badly."""


@dataclass(frozen=True, eq=False)
class View:
    """Budgets as multiples of what the problem has, by programme, and what is added to each option's value, (O,)."""

    ratios: Mapping[str, float]
    added: Floats
    tilt: float = 0.0  # by how much more than its ratio a programme's first year may promise, and its last year less
    spread: float = 1.0  # part of the starts of each programme's first year that may be used


def apply_view(scenario: Scenario, problem: PortfolioProblem, view: View, *, sampled: bool) -> PortfolioProblem:
    """The problem as the view shows it; expected values alone unless samples are asked for."""
    values = problem.values + view.added if sampled else round_off(problem.expected_value + view.added)
    looser = budgets_times(scenario, problem, view.ratios)
    factor = np.ones(len(problem.rows.names))
    for rows in budget_rows(scenario, problem).values():
        paying = [row for row in rows if problem.rows.cap[row] > 0]
        factor[paying] += view.tilt * np.linspace(1.0, -1.0, len(paying))
    factor[_first_starts(problem)] = view.spread
    return replace(
        looser,
        values=frozen(values),
        rows=replace(looser.rows, cap=frozen(looser.rows.cap * factor)),
    )


def _first_starts(problem: PortfolioProblem) -> list[int]:
    """The row of each programme's first year of starts."""
    first: dict[str, int] = {}
    for key, row in row_index(problem, "starts").items():
        if problem.rows.cap[row] > 0:
            first.setdefault(key.what, row)
    return list(first.values())


def risk_deductions(problem: PortfolioProblem, chosen: tuple[int, ...], weight: float) -> Floats:
    """What a weight on the portfolio's standard deviation takes off each option, (O,): its share in that deviation.

    d std(sum of values) / d option = cov(option, sum) / std(sum), at a portfolio: the risk that options share.
    """
    values = problem.values
    total = values[:, list(chosen)].sum(axis=1)
    deviation = total - total.mean()
    spread = float(total.std())
    if len(values) < 2 or spread == 0:
        return np.zeros(values.shape[1])
    return np.asarray(-weight * (deviation @ (values - values.mean(axis=0))) / len(values) / spread)


def budgets_times(scenario: Scenario, problem: PortfolioProblem, ratios: Mapping[str, float]) -> PortfolioProblem:
    """The problem with the caps of each programme's budget rows multiplied."""
    factor = np.ones(len(problem.rows.names))
    for name, rows in budget_rows(scenario, problem).items():
        factor[rows] = ratios.get(name, 1.0)
    return replace(problem, rows=replace(problem.rows, cap=frozen(problem.rows.cap * factor)))


def payment_ratios(scenario: Scenario, more: Mapping[str, float] | None = None) -> dict[str, float]:
    """By programme, what budget rows let expected payments reach, as a multiple of every year's announced money.

    That is the scenario's payment ratio, times `more` where a portfolio was chosen in a looser problem.
    """
    stated, factors = scenario.optimiser.payment_ratio, more or {}
    return {name: stated.get(name, 1.0) * factors.get(name, 1.0) for name in scenario.programmes}


def at_ratios(
    scenario: Scenario, problem: PortfolioProblem, wanted: Mapping[str, float], now: Mapping[str, float] | None = None
) -> PortfolioProblem:
    """The problem with budget rows at other payment ratios; `now` are those it has, by default the scenario's."""
    known = now or payment_ratios(scenario)
    return budgets_times(scenario, problem, {name: ratio / known[name] for name, ratio in wanted.items()})


def ratios_of(scenario: Scenario, problem: PortfolioProblem, chosen: tuple[int, ...]) -> dict[str, float]:
    """The least ratios, at least 1, at which a portfolio keeps within the budget rows, found by halving."""
    return {name: _ratio_of(scenario, problem, chosen, name) for name in scenario.programmes}


def _ratio_of(scenario: Scenario, problem: PortfolioProblem, chosen: tuple[int, ...], name: str) -> float:
    rows = budget_rows(scenario, problem)[name]

    def excess(ratio: float) -> Floats:
        judged = evaluate(budgets_times(scenario, problem, {name: ratio}), chosen)
        return np.asarray((judged.activity - judged.room)[rows])

    if (excess(1.0) <= problem.rows.tolerance[rows]).all():
        return 1.0
    # Nothing of a row's tolerance is used up: a solver that is asked about these rows must not deny the portfolio.
    low, high = 1.0, LOOSEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if (excess(middle) <= 0).all() else (middle, high)
    return high


def corrections(scenario: Scenario, options: Options, judge: Judge, portfolio: Portfolio, count: int) -> Floats:
    """What simulation takes off each option's value, shape (O,): by programme and year, then by partner and year.

    Losses of the portfolio's projects are averaged in cells; a cell's mean is drawn towards none the fewer projects it
    has. What a programme's year does not explain is a partner's.
    """
    chosen = {(one.technology, one.partner, one.mode, one.start_year) for one in portfolio.choices}
    known = dict(
        zip([choice.technology for choice in portfolio.choices], judge.losses(portfolio, count).tolist(), strict=True)
    )
    lines = np.array([scenario.technologies[choice.technology].programme for choice in options.choices])
    loss = np.array([known.get(choice.technology, 0.0) for choice in options.choices])
    mine = np.array([(c.technology, c.partner, c.mode, c.start_year) in chosen for c in options.choices])
    by_line = [f"{line} {choice.start_year}" for line, choice in zip(lines, options.choices, strict=True)]
    by_partner = [f"{choice.partner} {choice.start_year}" for choice in options.choices]
    first = _by_cell(by_line, loss, mine)
    second = _by_cell(by_partner, np.where(mine, loss - first, 0.0), mine)
    alone = np.array([choice.partner == "" for choice in options.choices])
    return np.asarray(-(first + np.where(alone, 0.0, second)))


def _by_cell(cells: list[str], loss: Floats, mine: npt.NDArray[np.bool_]) -> Floats:
    _, cell = np.unique(np.array(cells), return_inverse=True)
    count = np.bincount(cell, weights=mine)
    total = np.bincount(cell, weights=np.where(mine, loss, 0.0))
    return np.asarray((total / (count + _FEW))[cell])
