"""What a portfolio promises of the announced money, by programme and year.

=============  ====================================================================================================
announced      a programme's money of a year as the scenario states it
payments       what the optimiser expects to be paid, net of refunds and with the partners' cost
payment ratio  payments / announced money with what is carried over; the rows of the optimiser hold it to a limit
awards         full awards, by the year in which their tranches fall due if no project ever stops
award ratio    awards / announced money: what a finance ministry asks
=============  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from rdsim.domain import Portfolio, Scenario
from rdsim.formulation import row_index
from rdsim.languages import gettext as _
from rdsim.languages import listing
from rdsim.options import awards_due
from rdsim.search import Proposal
from rdsim.words import money_words

__all__ = ["award_sentences", "awards_above", "payment_sentence", "promise_table", "sentences"]

_WORTH_TELLING = 1.005
"""Ratios below this round to no more than the announced money."""

_COLUMNS = (
    "programme", "name", "year", "announced", "payments", "payment_ratio", "awards", "award_ratio", "above",
)  # fmt: skip

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def promise_table(scenario: Scenario, proposal: Proposal) -> pd.DataFrame:
    """A row for each programme and year of the horizon; ratios are NaN where no money is announced.

    Columns: programme (its code), name, year, announced, payments, payment_ratio, awards, award_ratio, above (awards
    above the announced money).
    """
    rows = [row for code in scenario.programmes for row in _rows(scenario, proposal, code)]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _rows(scenario: Scenario, proposal: Proposal, code: str) -> Iterator[tuple[object, ...]]:
    line, years = scenario.programmes[code], range(scenario.start_year, scenario.horizon_year + 1)
    payments, awards = _payments(scenario, proposal, code), _awards(scenario, proposal.portfolio, code)
    carried = 0.0
    for year, paid, promised in zip(years, payments.tolist(), awards.tolist(), strict=True):
        announced = line.budget.get(year, 0.0)
        room = announced + carried
        carried = line.carry_over * max(room - paid, 0.0)
        told = (_ratio(paid, room), promised, _ratio(promised, announced), _above(promised, announced))
        yield code, line.name, year, announced, paid, *told


def awards_above(scenario: Scenario, portfolio: Portfolio) -> dict[tuple[str, int], float]:
    """Full awards of any portfolio above the announced money, by programme and year, where there are such."""
    found = {}
    for code, line in scenario.programmes.items():
        for year, promised in enumerate(_awards(scenario, portfolio, code).tolist(), scenario.start_year):
            if (above := _above(promised, line.budget.get(year, 0.0))) > 0:
                found[code, year] = above
    return found


def _above(awards: float, announced: float) -> float:
    """Nothing where it is too little to be told."""
    return awards - announced if awards > announced * _WORTH_TELLING else 0.0


def _ratio(amount: float, money: float) -> float:
    return amount / money if money > 0 else float("nan")


def _payments(scenario: Scenario, proposal: Proposal, code: str) -> Floats:
    options = proposal.options
    mine = [o for o in proposal.solution.chosen if _programme(scenario, proposal, o) == code]
    paid = options.payments[mine].sum(axis=0)
    return np.asarray(paid + (_network(scenario, proposal) if code == scenario.network.programme else 0.0))


def _programme(scenario: Scenario, proposal: Proposal, option: int) -> str:
    return scenario.technologies[proposal.options.choices[option].technology].programme


def _network(scenario: Scenario, proposal: Proposal) -> Floats:
    """Opening and running cost of the opened partners by year, from the rows that the optimiser used."""
    problem = proposal.problem
    years, stages = proposal.options.payments.shape[1], len(problem.stage_names)
    columns = [p * stages + s for p, s in proposal.evaluation.opened.items()]
    cost = np.zeros(years)
    for key, row in row_index(problem, "budget").items():
        if key.what == scenario.network.programme:
            use = problem.rows.opening_use[[row], :].toarray().ravel()
            cost[key.year - scenario.start_year] = use[columns].sum()
    return cost


def _awards(scenario: Scenario, portfolio: Portfolio, code: str) -> Floats:
    """Whole awards by year, as if every tranche were paid on its first possible day."""
    due = np.zeros(scenario.horizon_year - scenario.start_year + 1)
    for choice in portfolio.choices:
        if scenario.technologies[choice.technology].programme == code:
            due += awards_due(scenario, choice)
    return due


# --- words ----------------------------------------------------------------------------------------


def sentences(scenario: Scenario, table: pd.DataFrame) -> list[str]:
    """Expected payments in the busiest year, then full awards above the announced money, by line and year."""
    return [payment_sentence(table), *award_sentences(scenario, table)]


def payment_sentence(table: pd.DataFrame) -> str:
    """How far expected payments reach in each line's busiest year."""
    most = table.groupby("name", sort=False)["payment_ratio"].max()
    told = _("{ratio} of the announced money of {name}")
    over = [told.format(ratio=f"{ratio:.0%}", name=name) for name, ratio in most.items() if ratio >= _WORTH_TELLING]
    if not over:
        return _("Expected payments stay within the announced money of every line and year.")
    return _("Expected payments reach {parts} in the busiest year.").format(parts=listing(over))


def award_sentences(scenario: Scenario, table: pd.DataFrame) -> Iterator[str]:
    """Of each line whose full awards come to more than is announced: by how much money, in which years."""
    for name, mine in table.groupby("name", sort=False):
        over = mine[(mine["award_ratio"] >= _WORTH_TELLING) | ((mine["announced"] <= 0) & (mine["awards"] > 0))]
        if len(over):
            years = [_over_words(scenario, row) for row in over.to_dict("records")]
            told = _("If no project ever stopped, full awards of {name} would ask for more than is announced: {years}.")
            yield told.format(name=name, years=listing(years))


def _over_words(scenario: Scenario, row: Mapping[object, object]) -> str:
    awards, announced = float(str(row["awards"])), float(str(row["announced"]))
    told = (
        _("{year} by {more} ({awards} for {announced}, {ratio})")
        if announced > 0
        else _("{year} by {more} ({awards} for {announced})")
    )
    return told.format(
        year=row["year"],
        more=money_words(scenario, awards - announced),
        awards=f"{awards:,.4g}",
        announced=f"{announced:,.4g}",
        ratio=f"{awards / announced:.0%}" if announced > 0 else "",
    )
