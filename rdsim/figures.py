"""Figures: what a simulated portfolio is measured by, each with its name, label, unit, sense, and how it comes about.

A figure adds up over projects what each of them is worth in it, and what belongs to the portfolio as a whole:

=============  =====================================================================================================
``market``     what comes with the market, by project: nothing of a technology that never comes there
``course``     what the course of R&D has settled, by project, whether or not the market comes
``cost``       times the project's present cost
``each``       factor on these by technology, as a column of technologies.csv
``synergies``  times the present value of synergies
``portfolio``  what belongs to the portfolio alone, as its partners' cost, by replication
``opening``    what opening a partner adds: for the optimiser, which opens partners
``alone``      what an option alone is expected to add, where the samples behind options tell it already
=============  =====================================================================================================

So one statement says what a figure is in a replication, what is expected of it given how R&D went (draws of the market
enter by ``market`` alone), and what an option contributes by itself. A figure with any of ``market``, ``course``,
``cost``, ``alone`` and ``opening`` can be aimed at (`rdsim.aim`) and traded off; one that is of the portfolio alone is
told. Functions take their arguments by name, any subset of what `PROJECTS`, `PORTFOLIO`, `EACH`, `OPENING` and `ALONE`
offer. Families (by year, programme, field, stage, deliverable) are made from the scenario.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Literal

from rdsim.domain import END_STATES, FIGURE_NAMES, FigureColumn, Scenario
from rdsim.errors import ExtensionError, Fault, raised_text
from rdsim.languages import N_, gettext, retold, unit_of_money
from rdsim.registry import Binding, Contract, Extension, Registry

__all__ = [
    "ALONE",
    "EACH",
    "ESTIMATED",
    "FIGURES",
    "OPENING",
    "PORTFOLIO",
    "PROJECTS",
    "SHOWN",
    "TOLD",
    "Figure",
    "FigureFamily",
    "Sense",
    "Source",
    "answer",
    "column_figures",
    "columns_of",
    "current_name",
    "figure_description",
    "figures_of",
    "find_figure",
    "from_files",
    "has_market_luck",
    "is_own",
    "label_with_unit",
    "register",
    "single_figures",
    "unit_words",
]

Sense = Literal["more", "less", "neither"]
"""Whether more of a figure is better, less of it, or neither."""

Function = Callable[..., Any]

_WORLD = {
    "scenario": "the scenario",
    "choices": "what is chosen, P choices in order of rank",
    "technologies": "their rows of technologies.csv, in the same order",
    "yearly_sales": "sales of each technology in a year once it is on the market, in the scenario's money, (P,)",
    "key": "what the figure of a family is of: a year, a programme, a stage",
}
_LIVED = {
    "case": "the scenario and the portfolio as engines know them",
    "outcomes": "what the engine gave back: days from the first one on, -1 for never; won; counts",
    "replications": "R, how many there are",
    "money_scale": "won in a unit of the scenario's money",
    "year_ends": "the day after the last one of each fiscal year, by year",
    "sold": "whether the technology came to the market, (R, P)",
    "in_time": "whether it came there by its programme's deadline, (R, P)",
    "reached": "whether it reached its target TRL, (R, P)",
    "delivered_days": "day on which each deliverable was handed in, by its name in figures, each (R, P), -1 for never",
}

EACH = Contract("figure, each", _WORLD, "a number for each choice, of shape (P,)")
PROJECTS = Contract(
    "figure, by project",
    {
        **_WORLD,
        **_LIVED,
        "value_pv": "present value kept at home, in the scenario's money, (R, P)",
        "cost_pv": "present cost of the project, net of refunds, in the scenario's money, (R, P)",
    },
    "numbers by replication and project, of shape (R, P); by project, (P,); or one number",
)
PORTFOLIO = Contract(
    "figure, of the portfolio",
    {
        **_WORLD,
        **_LIVED,
        "network_pv": "present cost of opening and running partners, (R,)",
        "screening_fees": "fees of a screening, in the scenario's money",
        "international_shares": "international share of the R&D budget by year, each (R,)",
        "market_shares": "home's share of the world market at the end of each year of `market.world`, each (R,)",
    },
    "numbers by replication, of shape (R,), or one number",
)
OPENING = Contract(
    "figure, opening",
    {
        "scenario": "the scenario",
        "key": _WORLD["key"],
        "hosts": "codes of the H partners that hold places",
        "present_cost": "present cost of opening a partner at a stage and running it, (H, S)",
        "money": "the money of it by fiscal year, (H, S, Y)",
    },
    "a number for each partner and stage, of shape (H, S), or one number",
)
ALONE = Contract(
    "figure, alone",
    {
        **_WORLD,
        "npv": "net present value in each sample, (N, P)",
        "gain": "present value in each sample, (N, P)",
        "mean": "expected net present value, (P,)",
        "cost": "expected present cost, (P,)",
        "p_target": "probability to reach the target TRL, (P,)",
        "p_market": "probability to come to the market, (P,)",
        "p_in_time": "probability to come there by the deadline, (P,)",
        "payments": "expected home money net of refunds, by fiscal year, (P, Y)",
        "abroad": "expected money paid abroad, (P, Y)",
        "joint": "expected home money paid while joint, (P, Y)",
    },
    "what each option is expected to add, of shape (P,), or one number",
)
_PARTS = {"market": PROJECTS, "course": PROJECTS, "each": EACH, "opening": OPENING, "alone": ALONE}


class Source(ABC):
    """A figure, or a family of them."""

    @abstractmethod
    def members(self, scenario: Scenario) -> Iterable[Figure]:
        """The figures of a scenario."""


@dataclass(frozen=True, eq=False)
class Figure(Source, Extension):
    """One figure; see the module for what its parts mean. One that is registered has one function for `portfolio`.

    Raises: ExtensionError for arguments that nobody offers.
    """

    contracts: ClassVar[Mapping[str, Contract]] = {**_PARTS, "portfolio": PORTFOLIO}

    name: str
    label: str
    unit: str = "count"
    """``money`` (the scenario's), ``count``, ``share``, ``days``, or a unit in words."""
    sense: Sense = "more"
    market: Function | None = None
    course: Function | None = None
    cost: float = 0.0
    each: Function | None = None
    synergies: float = 0.0
    portfolio: Function | tuple[Function, ...] | None = None
    opening: Function | None = None
    alone: Function | None = None
    """Before `each`."""
    key: Any = None
    won: bool = False
    """`market` and `course` are in won, which are added up before they are divided."""
    column: bool = True
    """Whether it is a column of the replications."""
    least: float = -math.inf
    """What it cannot be below."""
    most: Literal["", "projects", "partners"] = ""
    """Of what it cannot count more than there are."""
    aliases: tuple[str, ...] = ()
    """Names that it had."""
    asks: Mapping[str, Binding] = field(init=False, repr=False)
    """Its functions, with the arguments that they take."""
    terms: tuple[Binding, ...] = field(init=False, repr=False)
    """Those of `portfolio`."""

    def __post_init__(self) -> None:
        given = {part: function for part in _PARTS if (function := getattr(self, part)) is not None}
        object.__setattr__(self, "asks", {part: _bind(part, one) for part, one in given.items()})
        several = self.portfolio if isinstance(self.portfolio, tuple) else (self.portfolio,)
        terms = tuple(_bind("portfolio", one) for one in several if one is not None)
        object.__setattr__(self, "terms", terms)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def members(self, scenario: Scenario) -> Iterable[Figure]:  # noqa: ARG002
        """Itself."""
        return (self,)

    @property
    def of_projects(self) -> bool:
        """Whether projects add to it."""
        return bool(self.market or self.course or self.cost)

    @property
    def is_additive(self) -> bool:
        """Whether options, or the partners that they open, add to it: then it can be aimed at."""
        return self.of_projects or bool(self.alone or self.opening)


@lru_cache(maxsize=1024)  # families share functions, and are made anew for every simulation
def _bind(part: str, function: Function) -> Binding:
    name = getattr(function, "__name__", repr(function))
    return Figure.contracts[part].bind(f"figure, {part} {name}", function)


@dataclass(frozen=True)
class FigureFamily(Source):
    """Figures of one kind that a scenario has some of."""

    made: Callable[[Scenario], Iterable[Figure]]
    label: str

    def members(self, scenario: Scenario) -> Iterable[Figure]:
        """One for each year, programme, stage, ... of the scenario."""
        return self.made(scenario)


# --- those of single names ------------------------------------------------------------------------


def _money(name: str, label: str, sense: Sense, **parts: Any) -> Figure:
    return Figure(name, label, "money", sense, **{"least": 0.0, **parts})


def _count(name: str, label: str, sense: Sense = "neither", **parts: Any) -> Figure:
    return Figure(name, label, "count", sense, **{"least": 0.0, **parts})


def _npv() -> Figure:
    """Model: F10."""
    return _money(
        "npv",
        N_("net present value"),
        "more",
        market=lambda value_pv: value_pv,
        cost=-1.0,
        synergies=1.0,
        portfolio=(lambda network_pv: -network_pv, lambda screening_fees: -screening_fees),
        opening=lambda present_cost: -present_cost,
        alone=lambda mean: mean,
        least=-math.inf,
    )


def _value() -> Figure:
    return _money(
        "value_pv",
        N_("present value"),
        "more",
        market=lambda value_pv: value_pv,
        synergies=1.0,
        alone=lambda mean, cost: mean + cost,
        least=-math.inf,
    )


def _costs() -> Iterator[Figure]:
    yield _money(
        "cost_pv",
        N_("present cost of projects"),
        "less",
        cost=1.0,
        alone=lambda cost: cost,
        least=-math.inf,
    )
    yield _money(
        "network_pv",
        N_("present cost of partners"),
        "less",
        portfolio=(lambda network_pv: network_pv,),
        opening=lambda present_cost: present_cost,
        least=-math.inf,
    )


def _in_all(tranches: Any) -> Any:
    """What comes to each project over its few tranches, (R, P, K): numpy is slow to add up a short last axis."""
    return sum(tranches[..., k] for k in range(tranches.shape[2]))


def _payments() -> Iterator[Figure]:
    yield _money("paid", N_("paid"), "neither", course=lambda outcomes: _in_all(outcomes.paid), won=True)
    yield _money("refunded", N_("refunded"), "neither", course=lambda outcomes: outcomes.refund, won=True)
    yield _money(
        "paid_abroad",
        N_("paid abroad"),
        "less",
        course=lambda outcomes: _in_all(outcomes.paid_abroad),
        won=True,
        alone=lambda abroad: abroad.sum(axis=1),
        aliases=("abroad",),
    )
    yield _money(
        "paid_by_partners",
        N_("paid by partners"),
        "neither",
        course=lambda outcomes: _in_all(outcomes.paid_foreign),
        won=True,
    )
    yield _money(
        "network_paid",
        N_("paid for partners"),
        "less",
        portfolio=(lambda outcomes, money_scale: outcomes.network_paid.sum(axis=(1, 2)) / money_scale,),
        opening=lambda money: money.sum(axis=2),
    )
    yield _money("screening_paid", N_("paid for screening"), "less", portfolio=(lambda screening_fees: screening_fees,))
    yield _money(
        "lapsed",
        N_("lapsed"),
        "less",
        portfolio=(lambda outcomes, money_scale: outcomes.lapsed.sum(axis=(1, 2)) / money_scale,),
    )


def _successes() -> Iterator[Figure]:
    yield _count(
        "commercialised",
        N_("technologies commercialised"),
        "more",
        market=lambda sold: sold,
        alone=lambda p_market: p_market,
        most="projects",
    )
    yield _count(
        "commercialised_by_deadline",
        N_("technologies commercialised in time"),
        "more",
        market=lambda in_time: in_time,
        alone=lambda p_in_time: p_in_time,
        most="projects",
        aliases=("commercialised-in-time", "in_time"),
    )
    yield _money(
        "sales",
        N_("sales a year of what is on the market"),
        "more",
        market=lambda sold: sold,
        each=lambda yearly_sales: yearly_sales,
        alone=lambda p_market: p_market,
    )


def _relations() -> Iterator[Figure]:
    yield _count(
        "partners_opened",
        N_("partners opened"),
        portfolio=(lambda outcomes: (outcomes.opened_day >= 0).sum(axis=1),),
        opening=lambda: 1.0,
        most="partners",
        aliases=("partners",),
    )
    yield _count("talks", N_("talks begun"), course=lambda outcomes: outcomes.place_day >= 0, most="projects")
    yield _count(
        "agreements", N_("agreements reached"), course=lambda outcomes: outcomes.agreement_day >= 0, most="projects"
    )


_ENDS: dict[str, tuple[str, Sense]] = {
    "running": (N_("still running at the horizon"), "neither"),
    "target": (N_("reached their target TRL"), "more"),
    "stopped": (N_("stopped at a gate"), "neither"),
    "failed": (N_("failed"), "less"),
    "exhausted": (N_("out of tranches"), "less"),
    "dropped": (N_("dropped without an agreement"), "less"),
    "unfunded": (N_("never paid"), "less"),
    "blocked": (N_("blocked by what they need"), "less"),
}


def _is_end(outcomes: Any, key: int) -> Any:
    return outcomes.end_state == key


def _end_states() -> Iterator[Figure]:
    for code, state in enumerate(END_STATES):
        label, sense = _ENDS[state]
        known: dict[str, Any] = {}
        if state == "target":
            known = {"alone": lambda p_target: p_target, "aliases": ("on-target",)}
        yield _count(state, label, sense, course=_is_end, key=code, most="projects", **known)


_WAITS = {
    "wait_prerequisite": "what a technology needs",
    "wait_start": "a start",
    "wait_place": "a place with a partner",
    "wait_money": "money",
    "wait_panel": "a panel",
    "wait_facility": "a facility",
}


def _wait(outcomes: Any, key: str) -> Any:
    return getattr(outcomes, key)


def _waits() -> Iterator[Figure]:
    for name, what in _WAITS.items():
        yield Figure(name, f"days waited for {what}", "days", "less", course=_wait, key=name, least=0.0)


def _choice_counts() -> Iterator[Figure]:
    """What a portfolio is by itself, before anything is simulated; no columns of the replications."""
    yield _count(
        "funded",
        N_("technologies funded"),
        course=lambda: 1.0,
        alone=lambda: 1.0,
        most="projects",
        column=False,
    )
    yield _count("joint", N_("with a partner"), course=_is_joint, alone=_is_joint, most="projects", column=False)


def _is_joint(choices: Any) -> Any:
    return [float(bool(choice.partner)) for choice in choices]


def _payment_figures() -> Iterator[Figure]:
    yield _money(
        "payments",
        N_("payments net of refunds, partners included"),
        "less",
        course=lambda outcomes: _in_all(outcomes.paid) - outcomes.refund,
        portfolio=(lambda outcomes, money_scale: outcomes.network_paid.sum(axis=(1, 2)) / money_scale,),
        won=True,
        opening=lambda money: money.sum(axis=2),
        alone=lambda payments: payments.sum(axis=1),
        least=-math.inf,
        column=False,
    )
    yield _money(
        "international",
        N_("home money paid to joint projects"),
        "more",
        course=lambda outcomes: _in_all(outcomes.paid * outcomes.paid_joint),
        won=True,
        alone=lambda joint: joint.sum(axis=1),
        column=False,
    )


# --- families -------------------------------------------------------------------------------------


def _years(scenario: Scenario) -> range:
    return range(scenario.start_year, scenario.horizon_year + 1)


def _stage_count(scenario: Scenario, choices: Any, outcomes: Any, key: str) -> Any:
    """How often each project passed a stage of that name."""
    passed = outcomes.formed_day >= 0
    for p, choice in enumerate(choices):
        names = [stage.name for stage in scenario.modes[choice.mode].formation]
        for h in range(passed.shape[2]):
            passed[:, p, h] &= h < len(names) and names[h] == key
    return passed.sum(axis=2)


def _partnership_figures(scenario: Scenario) -> Iterator[Figure]:
    """Projects that passed each stage in which agreements are formed, in the order of the modes."""
    stages = dict.fromkeys(stage.name for mode in scenario.modes.values() for stage in mode.formation)
    for name in stages:
        yield _count(f"formed_{name}", f"passed {name}", course=_stage_count, key=name)


def _is_by(days: Any, end: int) -> Any:
    """Whether there is a day, and before an end: read without a sign, -1 is later than any, so one comparison does."""
    return days.view("u8") < end


def _agreement_by(outcomes: Any, year_ends: Mapping[int, int], key: int) -> Any:
    return _is_by(outcomes.agreement_day, year_ends[key])


def _target_by(reached: Any, outcomes: Any, year_ends: Mapping[int, int], key: int) -> Any:
    return reached & (outcomes.end_day < year_ends[key])


def _market_by(outcomes: Any, year_ends: Mapping[int, int], key: int) -> Any:
    return _is_by(outcomes.market_day, year_ends[key])


def _by_years(scenario: Scenario) -> Iterator[Figure]:
    """Agreements reached, targets reached and technologies on the market by the end of each fiscal year."""
    parts: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("agreements", "agreements reached", {"course": _agreement_by}),
        ("target", "reached their target TRL", {"course": _target_by}),
        ("commercialised", "technologies commercialised", {"market": _market_by}),
    )
    for name, label, part in parts:
        for year in _years(scenario):
            yield _count(f"{name}_by_{year}", f"{label} by the end of {year}", "more", key=year, **part)


def _share(international_shares: Mapping[int, Any], key: int) -> Any:
    return international_shares[key]


def _missing(scenario: Scenario, shares: Mapping[int, Any], year: int) -> Any:
    rules = scenario.international
    return (rules.share_floor[year] - shares[year]) * rules.rd_budget[year]


def _shortfall(scenario: Scenario, international_shares: Mapping[int, Any], key: int) -> Any:
    return _at_least_nothing(_missing(scenario, international_shares, key))


def _outside_spending(scenario: Scenario, international_shares: Mapping[int, Any], key: int) -> Any:
    outside = scenario.international.outside_spending.get(key, 0.0)
    return _at_least_nothing(outside + _missing(scenario, international_shares, key))


def _at_least_nothing(money: Any) -> Any:
    return money.clip(min=0.0)


def _international(scenario: Scenario) -> Iterator[Figure]:
    """The share of each year; where there is a floor, money short of it, and outside spending that just reaches it."""
    rules = scenario.international
    years = [year for year, budget in rules.rd_budget.items() if budget > 0 and year in _years(scenario)]
    for year in years:
        label = f"international share of the R&D budget in {year}"
        yield Figure(f"international_share_{year}", label, "share", portfolio=(_share,), key=year, least=0.0)
    for year in years:
        if rules.share_floor.get(year, 0.0) > 0:
            label = f"short of the international share of {year}"
            yield _money(f"international_shortfall_{year}", label, "less", portfolio=(_shortfall,), key=year)
            label = f"outside spending that reaches the international share of {year}"
            yield _money(f"outside_spending_needed_{year}", label, "neither", portfolio=(_outside_spending,), key=year)


def _delivery(delivered_days: Mapping[str, Any], key: str) -> Any:
    return delivered_days[key] >= 0


def _delivery_by(delivered_days: Mapping[str, Any], year_ends: Mapping[int, int], key: tuple[str, int]) -> Any:
    return _is_by(delivered_days[key[0]], year_ends[key[1]])


def _deliverable_figures(scenario: Scenario) -> Iterator[Figure]:
    """Projects that handed in a deliverable: ``delivered_paper``, and by a year's last day ``delivered_paper_by_2026``.

    Those of all deliverables of the scenario, chosen or not; in their names ``_`` stands for what is no letter or
    digit, and deliverables of the same name are counted together.
    """
    listed = sorted({name for line in scenario.programmes.values() for name in line.deliverables})
    names = list(dict.fromkeys(re.sub(r"\W", "_", name) for name in listed))
    for name in names:
        yield _count(f"delivered_{name}", f"handed in {name}", "more", course=_delivery, key=name)
    for year in _years(scenario):
        for name in names:
            label = f"handed in {name} by the end of {year}"
            yield _count(f"delivered_{name}_by_{year}", label, "more", course=_delivery_by, key=(name, year))


def _market_share(market_shares: Mapping[int, Any], key: int) -> Any:
    return market_shares[key]


def _market_sales(scenario: Scenario, market_shares: Mapping[int, Any], key: int) -> Any:
    return market_shares[key] * scenario.market.world[key]


def _market(scenario: Scenario) -> Iterator[Figure]:
    """Home's share of the world market and its sales at the end of each year of `market.world`.

    Today's share, and from its market date each technology's size x share in parts of the world market of the last
    year given, whose sizes these are. Sales are that share of the year's market.
    """
    for year in sorted(scenario.market.world):
        label = f"home's share of the world market in {year}"
        yield Figure(f"market_share_{year}", label, "share", portfolio=(_market_share,), key=year, least=0.0)
        yield _money(f"sales_{year}", f"home's sales in {year}", "more", portfolio=(_market_sales,), key=year)


def _in_field(technologies: Any, key: str) -> Any:
    return [float(one.field == key) for one in technologies]


def _fields(scenario: Scenario) -> Iterator[Figure]:
    for code, one in scenario.fields.items():
        name = f"funded_{_spelt(code)}"
        label = f"technologies funded in {one.name}"
        known: dict[str, Any] = {"course": _in_field, "alone": _in_field, "key": code, "column": False}
        yield _count(name, label, aliases=(f"funded-{code}",), most="projects", **known)


def _payment_of(technologies: Any, outcomes: Any, key: str) -> Any:
    return (_in_all(outcomes.paid) - outcomes.refund) * [one.programme == key for one in technologies]


def _expected_payment_of(technologies: Any, payments: Any, key: str) -> Any:
    return payments.sum(axis=1) * [one.programme == key for one in technologies]


def _network_of(scenario: Scenario, outcomes: Any, money_scale: float, key: str) -> Any:
    return outcomes.network_paid.sum(axis=(1, 2)) / money_scale * (scenario.network.programme == key)


def _opening_of(scenario: Scenario, money: Any, key: str) -> Any:
    return money.sum(axis=2) * (scenario.network.programme == key)


def _programmes(scenario: Scenario) -> Iterator[Figure]:
    for code, line in scenario.programmes.items():
        yield _money(
            f"payments_{_spelt(code)}",
            f"payments of {line.name}",
            "less",
            course=_payment_of,
            won=True,
            portfolio=(_network_of,),
            opening=_opening_of,
            alone=_expected_payment_of,
            key=code,
            least=-math.inf,
            column=False,
            aliases=(f"payments-{code}",),
        )


def _spelt(code: str) -> str:
    return re.sub(r"\W", "_", code)


# --- columns of technologies.csv ------------------------------------------------------------------


def columns_of(scenario: Scenario) -> list[str]:
    """Names of the scenario's columns ``figure.NAME``, in order of name."""
    return sorted({name for row in scenario.technologies.values() for name in row.figures})


def _cells(technologies: Any, key: str) -> Any:
    return [one.figures.get(key, 0.0) for one in technologies]


_COUNTED: dict[str, dict[str, Any]] = {
    "commercialised": {"market": lambda sold: sold, "alone": lambda p_market: p_market},
    "in_time": {"market": lambda in_time: in_time, "alone": lambda p_in_time: p_in_time},
    "target": {"course": lambda reached: reached, "alone": lambda p_target: p_target},
    "funded": {"course": lambda: 1.0, "alone": lambda: 1.0},
}


def _columns(scenario: Scenario) -> Iterator[Figure]:
    """The scenario's columns ``figure.NAME``: added up over the technologies that count."""
    for name in columns_of(scenario):
        told = scenario.figures.get(name, FigureColumn())
        cells = [row.figures.get(name, 0.0) for row in scenario.technologies.values()]
        yield Figure(
            name,
            told.label or name.replace("_", " "),
            told.unit,
            told.sense,
            each=_cells,
            key=name,
            least=0.0 if min(cells) >= 0 else -math.inf,
            **_COUNTED[told.counted],
        )


# --- the registry ---------------------------------------------------------------------------------


def _built_in_sources() -> dict[str, Source]:
    """In the order of the replications' columns."""
    singles = [_npv(), _value(), *_costs(), *_payments(), *_successes(), *_relations()]
    return {
        **{one.name: one for one in singles},
        "formed_STAGE": FigureFamily(
            _partnership_figures, "projects that passed a stage in which agreements are formed"
        ),
        "EVENT_by_YEAR": FigureFamily(_by_years, "`agreements`, `target` and `commercialised` by the end of a year"),
        **{one.name: one for one in (*_end_states(), *_waits())},
        "international_share_YEAR": FigureFamily(
            _international,
            "international share of the R&D budget; where it has a floor, `international_shortfall_YEAR` and "
            "`outside_spending_needed_YEAR`",
        ),
        "delivered_DELIVERABLE": FigureFamily(
            _deliverable_figures, "projects that handed it in; `delivered_DELIVERABLE_by_YEAR`"
        ),
        "market_share_YEAR": FigureFamily(_market, "home's share of the world market; `sales_YEAR`"),
        **{one.name: one for one in (*_choice_counts(), *_payment_figures())},
        "funded_FIELD": FigureFamily(_fields, "technologies funded in a field"),
        "payments_PROGRAMME": FigureFamily(
            _programmes, "payments of a programme, net of refunds, its partners included"
        ),
        "COLUMN": FigureFamily(
            _columns, "a column `figure.COLUMN` of technologies.csv, added up over those that count"
        ),
    }


FIGURES: Registry[Source] = Registry("figure", Source, _built_in_sources())  # type: ignore[type-abstract] # makes none
"""All figures by name, and families of figures."""


def register(figure: Figure, *, replace: bool = False) -> None:
    """Add a figure under its name; see `Registry.register`. A metric must be able to say the name."""
    if not re.fullmatch(FIGURE_NAMES, figure.name):
        rule = "must have a name of letters, digits and _ that begins with a letter, at most 64"
        raise ExtensionError((Fault(f"figure {figure.name!r}", rule, repr(figure.name)),))
    FIGURES.register(figure.name, figure, replace=replace)


def figures_of(scenario: Scenario, named: Iterable[str] = ()) -> dict[str, Figure]:
    """Every figure of a scenario by name, those that came with rdsim first, then its columns, then the user's.

    Of those of installed packages there are only the ones that somebody asked for: those that the aim weighs, and
    those `named` here.
    """
    found = _at_hand(scenario)
    asked = [name for name in (*scenario.aim, *named) if name not in found and name in FIGURES]
    return _at_hand(scenario) if asked else found


def _at_hand(scenario: Scenario) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for source in FIGURES.at_hand().values():
        for one in source.members(scenario):
            found.setdefault(one.name, one)
    return found


def column_figures(scenario: Scenario, named: Iterable[str] = ()) -> dict[str, Figure]:
    """Those of `figures_of` that are columns of the replications, in the order of the columns."""
    return {name: one for name, one in figures_of(scenario, named).items() if one.column}


def find_figure(scenario: Scenario, name: str) -> Figure | None:
    """The figure of a scenario with that name; none if there is none. Quicker than all of them."""
    sources = FIGURES.at_hand()
    single = sources.get(name)
    if isinstance(single, Figure):
        return single
    families = (source for source in reversed(sources.values()) if isinstance(source, FigureFamily))
    found = (one for source in families for one in source.members(scenario) if one.name == name)
    return next(found, None) or _figure_of_package(name)


def _figure_of_package(name: str) -> Figure | None:
    """The figure of that name that an installed package brings, if one does."""
    found = FIGURES.get(name)
    return found if isinstance(found, Figure) else None


def single_figures() -> dict[str, Figure]:
    """The figures that need no scenario to be known, by name."""
    return {name: one for name, one in FIGURES.at_hand().items() if isinstance(one, Figure)}


def current_name(name: str, known: Mapping[str, Figure]) -> str:
    """The name that a figure has now, for a name that it had; else the name as it is."""
    return next((one.name for one in known.values() if name in one.aliases), name)


def unit_words(figure: Figure, money_unit: str) -> str:
    """The figure's unit as it stands behind a number; nothing for a count or a share."""
    return {"money": money_unit, "count": "", "share": ""}.get(figure.unit, figure.unit)


def is_own(figure: Figure) -> bool:
    """Whether somebody registered it."""
    return FIGURES.is_own(figure.name, figure)


def has_market_luck(figure: Figure) -> bool:
    """Whether the luck of the market moves a figure that came with rdsim, or is a column: all are linear in it."""
    of_shares = any("market_shares" in taken.names for taken in figure.terms)
    return (figure.market is not None or figure.synergies != 0.0 or of_shares) and not is_own(figure)


def answer(figure: Figure, taken: Binding, material: Mapping[str, Any]) -> Any:
    """What a function of a figure answers, as an array of numbers. Raises ExtensionError for anything else."""
    import numpy as np  # noqa: PLC0415 - who reads a scenario needs no numbers yet

    try:
        keyed = "key" in taken.names
        given = {n: figure.key if n == "key" else material[n] for n in taken.names} if keyed else material
        found = np.asarray(taken.of(given))
    except Exception as error:
        rule = "must be computed without an error"
        raise ExtensionError((Fault(f"figure {figure.name}", rule, raised_text(error)),)) from error
    if found.dtype.kind not in "biuf":
        raise ExtensionError((Fault(f"figure {figure.name}", "must answer with numbers", f"{found.dtype}"),))
    return found


def label_with_unit(figure: Figure, money_unit: str) -> str:
    """Its label with its unit."""
    label, unit = gettext(retold(figure.label)), unit_words(figure, money_unit)
    return gettext("{label}, {unit}").format(label=label, unit=unit_of_money(unit)) if unit else label


def figure_description(figure: Figure) -> dict[str, Any]:
    """What a file says of a figure, so that whoever reads it needs neither scenario nor plug-in."""
    least = figure.least if math.isfinite(figure.least) else None
    return {
        "label": figure.label,
        "unit": figure.unit,
        "sense": figure.sense,
        "least": least,
        "most": figure.most,
    }


def from_files(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """Figures as files describe them, beside those that need no description."""
    found = single_figures()
    for name, one in told.items():
        least = -math.inf if one["least"] is None else one["least"]
        found[name] = Figure(name, one["label"], one["unit"], one["sense"], least=least, most=one["most"])
    return found


ESTIMATED = (
    "npv",
    "value_pv",
    "cost_pv",
    "network_pv",
    "commercialised_by_deadline",
    "commercialised",
    "target",
    "paid",
    "refunded",
    "lapsed",
    "paid_abroad",
    "paid_by_partners",
    "sales",
)
"""Figures that the manifest of a run estimates; those that the scenario's aim weighs or declares come beside them."""

TOLD = ("npv", "commercialised", "commercialised_by_deadline", "target", "paid", "refunded", "lapsed")
"""Figures that the terminal tells of a simulation."""

SHOWN = ("npv", "target", "commercialised", "commercialised_by_deadline")
"""Figures that stand at the head of a report."""
