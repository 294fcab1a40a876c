"""Figures of outcomes: what each project and each replication came to, in the scenario's unit of money.

Value arrives at the market date: value x luck x rights kept at home x timeliness, or what a registered market value
model (`rdsim.markets`) makes of these, discounted at that date.
Home cost is discounted at the day of payment, refunds at theirs, a partner's opening at its day and its running
cost at the first day of the fiscal year; all to the scenario's first day. Rights are those that were signed if any
step was worked together, whether or not relations broke later, and all of them otherwise: the share kept, and of that
the part that home can realise, which is all where it has the right to use joint results. Fees of a screening are a
cost of the first day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.case import DAYS_PER_YEAR, END_STATES, TARGET, Case, Ints, Outcomes
from rdsim.domain import Choice, Scenario
from rdsim.errors import ExtensionError, Fault
from rdsim.markets import LISTED, MARKET_MODELS
from rdsim.scenario import market_share, market_size, market_value, money_scale, screening_paid

__all__ = [
    "Worth",
    "by_year",
    "calendar",
    "deadlines",
    "delivered_figures",
    "discount",
    "home_by_year",
    "international_share",
    "market_figures",
    "network_pv",
    "replication_figures",
    "sold_by_technology",
    "synergy_pv",
    "timeliness",
    "worked_together",
    "worth",
]

Floats = npt.NDArray[np.float64]


class Worth(NamedTuple):
    """What projects came to, each of shape (replications, projects), in the scenario's money."""

    value: Floats  # kept at home, at the market date
    value_pv: Floats
    cost_pv: Floats  # home payments less refunds
    in_time: npt.NDArray[np.bool_]  # commercialised by the programme's deadline

    @property
    def npv(self) -> Floats:
        """Present value less present cost."""
        return self.value_pv - self.cost_pv


def discount(scenario: Scenario, day: Ints) -> Floats:
    """Discount factors from days to the scenario's first day; of no meaning for day -1."""
    return np.asarray((1.0 + scenario.discount_rate) ** (-day / DAYS_PER_YEAR))


def timeliness(scenario: Scenario, late_days: Ints) -> Floats:
    """Part of the value that is left: all until the deadline, then a fixed part less for each year, never below 0."""
    lost = scenario.value.loss_per_year * np.maximum(late_days, 0) / DAYS_PER_YEAR
    return np.asarray(np.maximum(1.0 - lost, 0.0))


def calendar(scenario: Scenario, day: Ints) -> Floats:
    """Decimal calendar years of days, NaN for -1."""
    first = scenario.start_year + (scenario.fiscal_year_start_month - 1) / 12
    return np.where(day < 0, np.nan, np.round(first + day / DAYS_PER_YEAR, 4))


def deadlines(scenario: Scenario, choices: Sequence[Choice]) -> Ints:
    """Days of the programmes' deadlines, counted from the first day of the planned start year."""
    lines = [scenario.programmes[scenario.technologies[choice.technology].programme] for choice in choices]
    starts = [(choice.start_year - scenario.start_year) * DAYS_PER_YEAR for choice in choices]
    years = [round(line.deadline_years * DAYS_PER_YEAR) for line in lines]
    return np.array(starts, np.int64) + np.array(years, np.int64)


def worth(scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, factor: Floats) -> Worth:
    """Worth of every project; `factor` is the luck of the market value, shape (replications, technologies).

    Raises: ExtensionError for a registered market value model that fails, or whose answer is no value.
    """
    modes = [scenario.modes[choice.mode] for choice in choices]
    kept = np.array([mode.value_share * mode.implementation for mode in modes])
    rights = np.where(worked_together(outcomes), kept, 1.0)
    sold, late = outcomes.market_day >= 0, outcomes.market_day - deadlines(scenario, choices)
    offered: dict[str, Callable[[], Floats]] = {
        "luck": lambda: factor[:, case.technology],
        "rights": lambda: rights,
        "timeliness": lambda: timeliness(scenario, late),
        "late": lambda: late.astype(np.float64),
        "day": lambda: outcomes.market_day.astype(np.float64),
        "listed": lambda: _by_project(scenario, choices, market_value),
        "size": lambda: _by_project(scenario, choices, market_size),
        "share": lambda: _by_project(scenario, choices, market_share),
    }
    value = _market_values(scenario.value.model, scenario.value.model_parameters, offered, sold)
    paid = (outcomes.paid * discount(scenario, outcomes.tranche_day)).sum(axis=2)
    cost = paid - outcomes.refund * discount(scenario, outcomes.refund_day)
    value_pv = value * discount(scenario, outcomes.market_day)
    return Worth(value, value_pv, cost / money_scale(scenario), sold & (late <= 0))


def _by_project(scenario: Scenario, choices: Sequence[Choice], figure: Callable[[Scenario, str], float]) -> Floats:
    return np.array([figure(scenario, choice.technology) for choice in choices])


def _market_values(
    name: str, given: Mapping[str, float], offered: Mapping[str, Callable[[], Floats]], sold: npt.NDArray[np.bool_]
) -> Floats:
    """Values at the market dates, 0 where a project is not `sold`, (R, P); `offered` makes what the model asks for."""
    extension, label = MARKET_MODELS[name], f"market value model {name!r}, value"
    taken = extension.taken(label, "value")
    own = dict(zip((one.name for one in extension.parameters), extension.values(given), strict=True))
    known = {one: own[one] if one in own else offered[one]() for one in taken.names}
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(taken.of(known), np.float64)
            values = np.where(sold, found if "luck" in taken.names else found * offered["luck"](), 0.0)
    except Exception as error:  # whatever the user's own code raises
        rule = "must return numbers for arrays, and raise no exception"
        raise ExtensionError((Fault(label, rule, f"{type(error).__name__}: {error}"),)) from error
    if name == LISTED:
        return values
    wrong = ~(np.isfinite(values) & (values >= 0))
    if values.shape != sold.shape or wrong.any():
        said = f"shape {values.shape}" if values.shape != sold.shape else f"{values[wrong][0]:g}"
        rule = f"must return values that fit (replications, projects), {sold.shape}, finite and at least 0"
        raise ExtensionError((Fault(label, rule, said),))
    return values


def worked_together(outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Whether any step was begun with a partner, shape (R, P): the first is, on the day of the first tranche, or none.

    A project that has no partner then gets none later; one that has begun with one keeps its effect on that step.
    """
    return np.asarray(outcomes.paid_joint[..., 0] == 1)


def sold_by_technology(case: Case, outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Whether any project of a technology came to the market, shape (replications, technologies)."""
    sold = np.zeros((len(outcomes.market_day), int(case.technology.max(initial=-1)) + 1), np.bool_)
    replication, project = np.nonzero(outcomes.market_day >= 0)
    sold[replication, case.technology[project]] = True
    return sold


def by_year(days: Ints, amounts: Ints, years: int) -> Ints:
    """Amounts summed by fiscal year over the last axis: (R, P, K) becomes (R, P, years). Day -1 counts nowhere."""
    table = np.zeros((*days.shape[:-1], years), np.int64)
    paid = np.flatnonzero(days >= 0)
    year = days.ravel()[paid] // DAYS_PER_YEAR
    np.add.at(table.reshape(-1), paid // days.shape[-1] * years + year, amounts.ravel()[paid])
    return table


def home_by_year(case: Case, outcomes: Outcomes) -> Ints:
    """Won paid by home less refunds, by project and fiscal year, shape (R, P, Y)."""
    years = case.budget.shape[1]
    refunds = by_year(outcomes.refund_day[..., None], outcomes.refund[..., None], years)
    return by_year(outcomes.tranche_day, outcomes.paid, years) - refunds


def international_share(scenario: Scenario, case: Case, outcomes: Outcomes) -> dict[int, Floats]:
    """International share of the R&D budget by year: outside spending plus all home money paid to joint projects."""
    years, rules = case.budget.shape[1], scenario.international
    rows = len(outcomes.paid)
    paid = (outcomes.paid * outcomes.paid_joint).reshape(rows, -1)
    joint = by_year(outcomes.tranche_day.reshape(rows, -1), paid, years) / money_scale(scenario)
    return {
        year: (rules.outside_spending.get(year, 0.0) + joint[:, year - scenario.start_year]) / budget
        for year, budget in rules.rd_budget.items()
        if budget > 0 and 0 <= year - scenario.start_year < years
    }


def network_pv(scenario: Scenario, case: Case, outcomes: Outcomes) -> Floats:
    """Present cost of opening and running partners, shape (replications,)."""
    years = np.arange(case.budget.shape[1])
    opened = outcomes.opened_day[..., None]
    day = np.where(opened // DAYS_PER_YEAR == years, opened, years * DAYS_PER_YEAR)
    cost: Floats = (outcomes.network_paid * discount(scenario, day)).sum(axis=(1, 2))
    return cost / money_scale(scenario)


def synergy_pv(
    scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes, chance: Floats | None = None
) -> Floats:
    """Present value of synergies, shape (R,): each arrives when the later of the two technologies reaches the market.

    `chance` (P,), if given, is that of a technology that the outcomes bring to the market to come there at all.
    """
    chances = np.ones(len(choices)) if chance is None else chance
    row = {choice.technology: p for p, choice in enumerate(choices)}
    total = np.zeros(outcomes.market_day.shape[0])
    for link in scenario.links:
        if link.kind == "synergy" and link.technology in row and link.other in row:
            pair = [row[link.technology], row[link.other]]
            days, amount = outcomes.market_day[:, pair], link.amount * float(chances[pair].prod())
            both = (days >= 0).all(axis=1)
            total += np.where(both, amount * discount(scenario, days.max(axis=1)), 0.0)
    return total


_WAITS = ("wait_prerequisite", "wait_start", "wait_place", "wait_money", "wait_panel", "wait_facility")


def replication_figures(
    scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, worths: Worth
) -> dict[str, npt.NDArray[np.generic]]:
    """Figures of each replication, by name: money in the scenario's unit, waits in days summed over projects."""
    scale = money_scale(scenario)
    network, synergy = network_pv(scenario, case, outcomes), synergy_pv(scenario, choices, outcomes)
    sold = outcomes.market_day >= 0
    fees = screening_paid(scenario)
    figures: dict[str, npt.NDArray[np.generic]] = {
        "npv": worths.npv.sum(axis=1) + synergy - network - fees,
        "value_pv": worths.value_pv.sum(axis=1) + synergy,
        "cost_pv": worths.cost_pv.sum(axis=1),
        "network_pv": network,
        "paid": outcomes.paid.sum(axis=(1, 2)) / scale,
        "refunded": outcomes.refund.sum(axis=1) / scale,
        "paid_abroad": outcomes.paid_abroad.sum(axis=(1, 2)) / scale,
        "paid_by_partners": outcomes.paid_foreign.sum(axis=(1, 2)) / scale,
        "network_paid": outcomes.network_paid.sum(axis=(1, 2)) / scale,
        "screening_paid": np.full(len(network), fees),
        "lapsed": outcomes.lapsed.sum(axis=(1, 2)) / scale,
        "commercialised": sold.sum(axis=1),
        "commercialised_by_deadline": worths.in_time.sum(axis=1),
        "sales": sold @ _yearly_sales(scenario, choices),
        "partners_opened": (outcomes.opened_day >= 0).sum(axis=1),
        "talks": (outcomes.place_day >= 0).sum(axis=1),
        "agreements": (outcomes.agreement_day >= 0).sum(axis=1),
    }
    figures |= _formed(scenario, choices, outcomes)
    figures |= _by_years(scenario, case, outcomes)
    figures |= {state: (outcomes.end_state == code).sum(axis=1) for code, state in enumerate(END_STATES)}
    figures |= {name: getattr(outcomes, name).sum(axis=1) for name in _WAITS}
    figures |= _international_figures(scenario, international_share(scenario, case, outcomes))
    figures |= delivered_figures(scenario, choices, outcomes)
    return figures | market_figures(scenario, choices, outcomes)


def _international_figures(scenario: Scenario, shares: Mapping[int, Floats]) -> dict[str, npt.NDArray[np.generic]]:
    """The share of each year; where there is a floor, money short of it, and outside spending that just reaches it."""
    rules = scenario.international
    figures: dict[str, npt.NDArray[np.generic]] = {f"international_share_{year}": one for year, one in shares.items()}
    for year, share in shares.items():
        if rules.share_floor.get(year, 0.0) > 0:
            missing = (rules.share_floor[year] - share) * rules.rd_budget[year]
            figures[f"international_shortfall_{year}"] = np.maximum(missing, 0.0)
            needed = rules.outside_spending.get(year, 0.0) + missing
            figures[f"outside_spending_needed_{year}"] = np.maximum(needed, 0.0)
    return figures


def delivered_figures(scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes) -> dict[str, Ints]:
    """Number of projects that handed in a deliverable: ``delivered_paper``, ``delivered_paper_by_2026``; each (R,).

    By a year means by its last day. The figures are those of all deliverables of the scenario, chosen or not; in their
    names ``_`` stands for what is no letter or digit, and deliverables of the same name are counted together.
    """
    days = _delivered_days(scenario, choices, outcomes)
    figures = {f"delivered_{name}": (found >= 0).sum(axis=1) for name, found in days.items()}
    for year in range(scenario.start_year, scenario.horizon_year + 1):
        end = (year + 1 - scenario.start_year) * DAYS_PER_YEAR
        by_then = {name: ((found >= 0) & (found < end)).sum(axis=1) for name, found in days.items()}
        figures |= {f"delivered_{name}_by_{year}": count for name, count in by_then.items()}
    return figures


def _delivered_days(scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes) -> dict[str, Ints]:
    """Day on which each project handed in a deliverable of that name, shape (R, P); -1 for never."""
    lines = [scenario.programmes[scenario.technologies[choice.technology].programme] for choice in choices]
    names = {name for line in scenario.programmes.values() for name in line.deliverables}
    days = {re.sub(r"\W", "_", name): np.full(outcomes.end_state.shape, -1, np.int64) for name in sorted(names)}
    for p, line in enumerate(lines):
        for d, name in enumerate(line.deliverables):
            column = days[re.sub(r"\W", "_", name)][:, p]
            np.maximum(column, outcomes.delivered_day[:, p, d], out=column)
    return days


def _formed(scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes) -> dict[str, Ints]:
    """Projects that passed each stage in which agreements are formed, by its name, in the order of the modes."""
    found: dict[str, Ints] = {}
    for code, mode in scenario.modes.items():
        mine = [p for p, choice in enumerate(choices) if choice.mode == code]
        for h, stage in enumerate(mode.formation):
            passed = (outcomes.formed_day[:, mine, h] >= 0).sum(axis=1) if mine else 0
            name = f"formed_{stage.name}"
            found[name] = found.get(name, np.zeros(len(outcomes.trl), np.int64)) + passed
    return found


def _by_years(scenario: Scenario, case: Case, outcomes: Outcomes) -> dict[str, Ints]:
    """Agreements reached, targets reached and technologies on the market by the end of each fiscal year."""
    reached = np.where(outcomes.end_state == TARGET, outcomes.end_day, -1)
    kinds = {"agreements": outcomes.agreement_day, "target": reached, "commercialised": outcomes.market_day}
    years = case.budget.shape[1]
    return {
        f"{name}_by_{scenario.start_year + y}": column
        for name, days in kinds.items()
        for y, column in enumerate(by_year(days, np.ones_like(days), years).cumsum(axis=1).T)
    }


def _yearly_sales(scenario: Scenario, choices: Sequence[Choice]) -> Floats:
    """Sales a year of each technology once it is on the market: market size x share."""
    names = [choice.technology for choice in choices]
    return np.array([market_size(scenario, name) * market_share(scenario, name) for name in names])


def market_figures(scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes) -> dict[str, Floats]:
    """Home's share of the world market and its sales at the end of each year of `market.world`, each of shape (R,).

    Today's share, and from its market date each technology's size x share in parts of the world market of the last
    year given, whose sizes these are. Sales are that share of the year's market.
    """
    market = scenario.market
    figures: dict[str, Floats] = {}
    for year, world in sorted(market.world.items()):
        end = (year - scenario.start_year + 1) * DAYS_PER_YEAR
        sold = (outcomes.market_day >= 0) & (outcomes.market_day < end)
        won = sold @ _yearly_sales(scenario, choices) / market.world[max(market.world)]
        share = np.round(market.share + won, 12)  # a share that is just reached must not fall short by a last bit
        figures |= {f"market_share_{year}": share, f"sales_{year}": share * world}
    return figures
