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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Array, Floats, Ints
from rdsim.case import DAYS_PER_YEAR, TARGET, Case, Outcomes
from rdsim.domain import Choice, Link, Scenario
from rdsim.errors import ExtensionError, Fault, raised_text
from rdsim.figures import Figure, answer, is_own
from rdsim.luck import both_chance
from rdsim.markets import LISTED, MARKET_MODELS
from rdsim.registry import Binding
from rdsim.scenario import market_share, market_size, market_value, money_scale, screening_fees

__all__ = [
    "Material",
    "Shares",
    "Worth",
    "beside",
    "by_year",
    "calendar",
    "discount",
    "has_joint_work",
    "home_by_year",
    "international_share",
    "market_by_technology",
    "market_shares",
    "network_pv",
    "replication_figures",
    "shares",
    "synergy_pv",
    "timeliness",
    "total",
    "worth",
    "yearly_sales",
]


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
    """Discount factors from days to the scenario's first day; of no meaning for day -1.

    Many days are looked up in a table of all up to the horizon: a power takes fifty times as long.

    Model: F1.
    """
    days = (scenario.horizon_year + 1 - scenario.start_year) * DAYS_PER_YEAR
    if day.size <= days or day.max() >= days:
        return _powers(scenario.discount_rate, day)
    return np.asarray(_table(scenario.discount_rate, days)[day])


def _powers(rate: float, day: Ints) -> Floats:
    return np.asarray((1.0 + rate) ** (-day / DAYS_PER_YEAR))


@lru_cache(maxsize=16)
def _table(rate: float, days: int) -> Floats:
    """Factors of days 0, 1, ..., and of day -1 at the end, where it is looked for."""
    return _powers(rate, np.append(np.arange(days), -1))


def timeliness(scenario: Scenario, late_days: Ints) -> Floats:
    """Part of the value that is left: all until the deadline, then a fixed part less for each year, never below 0.

    Model: F2.
    """
    lost = scenario.value.loss_per_year * np.maximum(late_days, 0) / DAYS_PER_YEAR
    return np.asarray(np.maximum(1.0 - lost, 0.0))


def calendar(scenario: Scenario, day: Ints) -> Floats:
    """Decimal calendar years of days, NaN for -1."""
    first = scenario.start_year + (scenario.fiscal_year_start_month - 1) / 12
    return np.where(day < 0, np.nan, np.round(first + day / DAYS_PER_YEAR, 4))


def worth(scenario: Scenario, choices: Sequence[Choice], case: Case, outcomes: Outcomes, factor: Floats) -> Worth:
    """Worth of every project; `factor` is the luck of the market value, shape (replications, technologies).

    Raises: ExtensionError for a registered market value model that fails, or whose answer is no value.

    Model: F4, F5.
    """
    modes = [scenario.modes[choice.mode] for choice in choices]
    kept = np.array([mode.value_share * mode.implementation for mode in modes])
    rights = np.where(has_joint_work(outcomes), kept, 1.0)
    sold, late = outcomes.market_day >= 0, outcomes.market_day - case.deadline
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
    known = {name: figure(scenario, name) for name in dict.fromkeys(choice.technology for choice in choices)}
    return np.array([known[choice.technology] for choice in choices])


def _market_values(
    name: str, given: Mapping[str, float], offered: Mapping[str, Callable[[], Floats]], sold: npt.NDArray[np.bool_]
) -> Floats:
    """Values at the market dates, 0 where a project is not `sold`, (R, P); `offered` makes what the model asks for."""
    extension, label = MARKET_MODELS[name], f"market value model {name!r}, value"
    taken = extension.bind(label, "value")
    own = dict(zip((one.name for one in extension.parameters), extension.values(given), strict=True))
    known = {one: own[one] if one in own else offered[one]() for one in taken.names}
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(taken.of(known), np.float64)
            values = np.where(sold, found if "luck" in taken.names else found * offered["luck"](), 0.0)
    except Exception as error:  # whatever the user's own code raises
        rule = "must return numbers for arrays, and raise no exception"
        raise ExtensionError((Fault(label, rule, raised_text(error)),)) from error
    if name == LISTED:
        return values
    wrong = ~(np.isfinite(values) & (values >= 0))
    if values.shape != sold.shape or wrong.any():
        said = f"shape {values.shape}" if values.shape != sold.shape else f"{values[wrong][0]:g}"
        rule = f"must return values that fit (replications, projects), {sold.shape}, finite and at least 0"
        raise ExtensionError((Fault(label, rule, said),))
    return values


def has_joint_work(outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Whether any step was begun with a partner, shape (R, P): the first is, on the day of the first tranche, or none.

    A project that has no partner then gets none later; one that has begun with one keeps its effect on that step.

    Model: F4.
    """
    return np.asarray(outcomes.paid_joint[..., 0] == 1)


def market_by_technology(case: Case, outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Whether any project of a technology came to the market, shape (replications, technologies)."""
    sold = np.zeros((len(outcomes.market_day), int(case.technology.max(initial=-1)) + 1), np.bool_)
    replication, project = np.nonzero(outcomes.market_day >= 0)
    sold[replication, case.technology[project]] = True
    return sold


def by_year(days: Ints, amounts: Ints, years: int) -> Ints:
    """Amounts summed by fiscal year over the last axis: (R, P, K) becomes (R, P, years). Day -1 counts nowhere."""
    table = np.zeros((*days.shape[:-1], years), np.int64)
    paid = np.flatnonzero((days >= 0) & (amounts != 0))
    year = days.ravel()[paid] // DAYS_PER_YEAR
    np.add.at(table.reshape(-1), paid // days.shape[-1] * years + year, amounts.ravel()[paid])
    return table


def home_by_year(case: Case, outcomes: Outcomes) -> Ints:
    """Won paid by home less refunds, by project and fiscal year, shape (R, P, Y)."""
    years = case.budget.shape[1]
    refunds = by_year(outcomes.refund_day[..., None], outcomes.refund[..., None], years)
    return by_year(outcomes.tranche_day, outcomes.paid, years) - refunds


def international_share(scenario: Scenario, case: Case, outcomes: Outcomes) -> dict[int, Floats]:
    """International share of the R&D budget by year: outside spending plus all home money paid to joint projects.

    Model: F8.
    """
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
    """Present cost of opening and running partners, shape (replications,).

    Model: F6.
    """
    years = np.arange(case.budget.shape[1])
    opened = outcomes.opened_day[..., None]
    day = np.where(opened // DAYS_PER_YEAR == years, opened, years * DAYS_PER_YEAR)
    cost: Floats = (outcomes.network_paid * discount(scenario, day)).sum(axis=(1, 2))
    return cost / money_scale(scenario)


def synergy_pv(
    scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes, chance: Floats | None = None
) -> Floats:
    """Present value of synergies, shape (R,): each arrives when the later of the two technologies reaches the market.

    `chance` (P,), if given, is that of a technology that the outcomes bring to the market to come there at all; both
    come with the chance of two markets that share factors.

    Model: F7.
    """
    row = {choice.technology: p for p, choice in enumerate(choices)}
    total = np.zeros(outcomes.market_day.shape[0])
    for link in scenario.links:
        if link.kind == "synergy" and link.technology in row and link.other in row:
            pair = [row[link.technology], row[link.other]]
            amount = link.amount if chance is None else link.amount * _both(scenario, link, chance[pair])
            days = outcomes.market_day[:, pair]
            both = (days >= 0).all(axis=1)
            total += np.where(both, amount * discount(scenario, days.max(axis=1)), 0.0)
    return total


def _both(scenario: Scenario, link: Link, chance: Floats) -> float:
    return both_chance(scenario, (link.technology, float(chance[0])), (link.other, float(chance[1])))


def market_shares(
    scenario: Scenario, choices: Sequence[Choice], outcomes: Outcomes, chances: Floats | None = None
) -> dict[int, Floats]:
    """Home's share of the world market at the end of each year of `market.world`, each of shape (R,).

    `chances` (P,), if given, are those of technologies that the outcomes bring to the market to come there at all.

    Model: F9.
    """
    market, each = scenario.market, yearly_sales(scenario, choices)
    each = each if chances is None else each * chances
    shares: dict[int, Floats] = {}
    for year in sorted(market.world):
        end = (year - scenario.start_year + 1) * DAYS_PER_YEAR
        sold = (outcomes.market_day >= 0) & (outcomes.market_day < end)
        won = sold @ each / market.world[max(market.world)]
        shares[year] = np.round(market.share + won, 12)  # one that is just reached must not fall short by a last bit
    return shares


def yearly_sales(scenario: Scenario, choices: Sequence[Choice]) -> Floats:
    """Sales a year of each technology once it is on the market: market size x share."""
    names = [choice.technology for choice in choices]
    return np.array([market_size(scenario, name) * market_share(scenario, name) for name in names])


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


# --- figures --------------------------------------------------------------------------------------


class Material(dict[str, Any]):
    """What figures are made of, by the names that `rdsim.figures` offers; each is computed when it is first asked for.

    `chances` (P,), if given, are those of technologies that the outcomes bring to the market to come there at all.
    """

    def __init__(
        self,
        scenario: Scenario,
        choices: Sequence[Choice],
        case: Case,
        outcomes: Outcomes,
        worths: Worth,
        chances: Floats | None = None,
    ) -> None:
        super().__init__(
            scenario=scenario,
            choices=choices,
            case=case,
            outcomes=outcomes,
            chances=chances,
            replications=len(outcomes.end_state),
            in_time=worths.in_time,
            value_pv=worths.value_pv,
            cost_pv=worths.cost_pv,
        )

    def __missing__(self, name: str) -> Any:
        found = self[name] = _MADE[name](self)
        return found

    @property
    def world(self) -> tuple[Scenario, Sequence[Choice]]:
        """The scenario and what is chosen."""
        return self["scenario"], self["choices"]

    @property
    def shape(self) -> tuple[int, int]:
        """Replications and projects."""
        replications, projects = self["outcomes"].end_state.shape
        return replications, projects


_MADE: dict[str, Callable[[Material], Any]] = {
    "technologies": lambda one: [one["scenario"].technologies[choice.technology] for choice in one["choices"]],
    "yearly_sales": lambda one: yearly_sales(*one.world),
    "money_scale": lambda one: money_scale(one["scenario"]),
    "year_ends": lambda one: _year_ends(one["scenario"]),
    "sold": lambda one: one["outcomes"].market_day >= 0,
    "reached": lambda one: one["outcomes"].end_state == TARGET,
    "delivered_days": lambda one: _delivered_days(*one.world, one["outcomes"]),
    "network_pv": lambda one: network_pv(one["scenario"], one["case"], one["outcomes"]),
    "screening_fees": lambda one: screening_fees(one["scenario"]),
    "international_shares": lambda one: international_share(one["scenario"], one["case"], one["outcomes"]),
    "market_shares": lambda one: market_shares(*one.world, one["outcomes"], one["chances"]),
    "synergies": lambda one: synergy_pv(*one.world, one["outcomes"], one["chances"]),
}


def _year_ends(scenario: Scenario) -> dict[int, int]:
    first = scenario.start_year
    return {year: (year + 1 - first) * DAYS_PER_YEAR for year in range(first, scenario.horizon_year + 1)}


class Shares(NamedTuple):
    """What projects add to a figure, each (R, P); None where nothing is of that kind."""

    market: Array | None  # what comes with the market
    rest: Array | None  # what the course of R&D has settled, and cost


def shares(figure: Figure, material: Material, *, cost: bool = True) -> Shares:
    """What each project adds to a figure, in the figure's unit; without its cost, if that is counted elsewhere.

    Model: F12.
    """
    found = _kinds(figure, material, cost=cost)
    factor = _each(figure, material) if figure.each else None
    scale = material["money_scale"] if figure.won else None
    return Shares(*(None if one is None else _times(one, factor, scale) for one in found))


def total(figure: Figure, material: Material) -> Array:
    """A figure in each replication, (R,): what projects add to it, and what belongs to the portfolio.

    Model: F12.
    """
    counted = _sum(*_kinds(figure, material))
    if counted is not None:
        counted = counted @ _each(figure, material) if figure.each else _over_projects(counted)
        counted = counted / material["money_scale"] if figure.won else counted
    for term in beside(figure, material):
        counted = _sum(counted, term)
    found = np.zeros(material.shape[0]) if counted is None else np.array(counted)
    if found.dtype.kind == "f" and is_own(figure) and not np.isfinite(found).all():
        raise ExtensionError((Fault(f"figure {figure.name}", "must be finite numbers", "some are not"),))
    return found


def beside(figure: Figure, material: Material) -> Iterator[Array]:
    """What of a figure belongs to the portfolio alone, term by term, each (R,): synergies, partners, fees."""
    if figure.synergies:
        yield figure.synergies * material["synergies"]
    for taken in figure.terms:
        yield _answer(figure, taken, material, material.shape[:1])


def replication_figures(
    scenario: Scenario,
    choices: Sequence[Choice],
    case: Case,
    outcomes: Outcomes,
    worths: Worth,
    figures: Mapping[str, Figure],
) -> dict[str, Array]:
    """Figures of each replication, by name: money in the scenario's unit, waits in days summed over projects.

    `figures` are those asked for, as all of a scenario's columns (`rdsim.figures.column_figures`).
    """
    material = Material(scenario, choices, case, outcomes, worths)
    return {name: total(one, material) for name, one in figures.items()}


def _kinds(figure: Figure, material: Material, *, cost: bool = True) -> tuple[Array | None, Array | None]:
    """The two kinds before factors by technology, and in won if the figure is in won."""
    market, course = (
        _answer(figure, figure.asks[part], material, material.shape) if part in figure.asks else None
        for part in ("market", "course")
    )
    paid = figure.cost * material["cost_pv"] if figure.cost and cost else None
    return None if market is None else market * material["sold"], _sum(course, paid)


def _each(figure: Figure, material: Material) -> Array:
    return _answer(figure, figure.asks["each"], material, material.shape[1:])


def _over_projects(counted: Array) -> Array:
    """Their sum, (R,); what is true or not is counted in the narrowest numbers that hold all, in half of the time."""
    if counted.dtype != np.bool_:
        return np.asarray(counted.sum(axis=1))
    narrow = np.min_scalar_type(counted.shape[1])
    return np.asarray(counted.view(np.uint8).sum(axis=1, dtype=narrow), np.int64)


def _sum(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return other if one is None else one
    return np.asarray(one + other)


def _times(one: Array, factor: Array | None, scale: float | None) -> Array:
    found = one if factor is None else one * factor
    return np.asarray(found if scale is None else found / scale)


def _answer(figure: Figure, taken: Binding, material: Mapping[str, Any], shape: tuple[int, ...]) -> Array:
    """What a function of a figure answers, in its shape. Raises ExtensionError for anything else."""
    found: Array = answer(figure, taken, material)
    if found.shape == shape:
        return found
    try:
        return np.broadcast_to(found, shape)
    except ValueError:
        rule = f"must answer with numbers of shape {shape}"
        raise ExtensionError((Fault(f"figure {figure.name}", rule, f"shape {found.shape}"),)) from None
