"""An engine's contract: `Case` and `SamplePaths` go in, `Outcomes` come out - arrays of plain numbers.

Time is an integer number of days on the 30/360 calendar, counted from the first day of the scenario's
first fiscal year; money an integer number of currency units (won). Every exponential, logarithm and power
has been taken before, so two engines that follow the same rules give equal outcomes.

Letters in shapes: R replications, P projects, T technologies, G programmes, N partners that hold places
(countries and organisations, not consortia), K tranches, S = 8 steps, A attempts, V reviews, D deliverables,
Y fiscal years, Q panels, F facilities and institutes, C currencies, M members of a consortium, H stages in which an
agreement is formed, L counts of agreements that make a difference. An index of -1 means none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Bools, Floats, Ints
from rdsim.domain import (
    END_STATES,
    Choice,
    FormationStage,
    Mode,
    Portfolio,
    Programme,
    Scenario,
    Technology,
    TechnologyStep,
)
from rdsim.families import as_engines_see
from rdsim.gates import GATE_POLICIES
from rdsim.partnership import StepEffect, cost_factor, step_effect
from rdsim.purses import PURSE_RULES
from rdsim.queues import QUEUE_RULES
from rdsim.registry import Extension
from rdsim.scenario import (
    calibration,
    call_months,
    cost,
    distribution_of,
    is_partner_required,
    market_value,
    members,
    money_scale,
    partner_benefit,
    plannable,
    step_success,
    target,
    with_shift,
)

__all__ = [
    "BLOCKED",
    "DAYS_PER_MONTH",
    "DAYS_PER_YEAR",
    "DROPPED",
    "END_STATES",
    "EXHAUSTED",
    "FAILED",
    "RUNNING",
    "STEPS",
    "STOPPED",
    "TARGET",
    "UNFUNDED",
    "UNSET",
    "Case",
    "Outcomes",
    "SamplePaths",
    "blank_outcomes",
    "build",
    "days",
    "deadlines",
    "empty_outcomes",
    "formation",
    "largest_remainder",
    "median_years",
    "most_extensions",
    "most_reviews",
    "step_median",
    "unconstrained_case",
]

__compiled__ = True

DAYS_PER_MONTH: Final = 30
DAYS_PER_YEAR: Final = 360
STEPS: Final = 8
MILLION: Final = 1_000_000
ENDLESS: Final = 10**16
"""Money and capacity that never run out: large, yet a sum of many years of it fits 64 bits."""

RUNNING, TARGET, STOPPED, FAILED, EXHAUSTED, DROPPED, UNFUNDED, BLOCKED = range(8)


class Case(NamedTuple):
    """A scenario and a portfolio as arrays: all that an engine may know of them."""

    horizon: int  # first day that is not simulated
    closed_days: int  # for which a break closes a partner
    setback: float  # probability that an unsuccessful attempt is a setback
    attempts: int  # most attempts at one step
    network: int  # programme that pays for partners
    alone: bool  # each project has a purse of its own: a refund helps no other
    # programmes
    budget: Ints  # (G, Y) announced
    starts: Ints  # (G, Y)
    call_day: Ints  # (G,) day of the fiscal year on which projects start
    carry_ppm: Ints  # (G,)
    purse_rule: Ints  # (G,) number in `purses.PURSE_RULES`
    purse_parameters: Floats  # (G, W) of the rule's own
    tranches: Ints  # (G,) number of tranches
    tranche_days: Ints  # (G, K)
    policy: Ints  # (G,) number in `gates.GATE_POLICIES`
    gate_parameters: Floats  # (G, W) of the policy's own, W as many as the one with the most has
    alpha: Floats  # (G,)
    beta: Floats  # (G,)
    tolerance: Ints  # (G,)
    extensions: Ints  # (G,)
    extension_days: Ints  # (G,)
    drop_ppm: Ints  # (G,)
    panel: Ints  # (G,)
    deliverables: Ints  # (G,) number of deliverables
    due_tranche: Ints  # (G, D) 0: a condition at no gate
    after_trl: Ints  # (G, D)
    # shared resources
    queue_rule: Ints  # (Q + 3,) number in `queues.QUEUE_RULES`: of places, of each panel, of facilities, of starts
    queue_parameters: Floats  # (Q + 2, W) of the rule's own
    seats: Ints  # (Q,)
    review_days: Ints  # (Q,)
    places: Ints  # (N,)
    setup_days: Ints  # (N,)
    setup_cost: Ints  # (N,)
    running_cost: Ints  # (N,)
    learning_ppm: Ints  # (L,) factor on talks after k agreements with the partner; the last entry holds for all more
    kept: Ints  # (N, Y) whether its running cost falls due at the beginning of a year: -1 as its projects have it
    capacity: Ints  # (F,)
    # projects, in order of rank: project 0 is served first everywhere
    technology: Ints  # (P,)
    programme: Ints  # (P,)
    start_year: Ints  # (P,) index of the planned start year
    trl: Ints  # (P,) on entry
    target: Ints  # (P,)
    joint: Bools  # (P,)
    drop_fallback: Bools  # (P,) without an agreement it is dropped
    member: Ints  # (P, M) partners in which a joint project takes a place
    stages: Ints  # (P,) in which its agreement is formed, at least 1
    talks: Ints  # (P,) stage of these that is sure to fail, or any other that none does; -1: as luck has it
    extra_days: Ints  # (P,) added to the first of them
    deadline: Ints  # (P,) day of its programme's deadline
    value: Floats  # (P,) on the market, as listed or judged, in the scenario's money
    asked: Bools  # (P, D) deliverables that its programme asks of it
    stop_year: Ints  # (P,) index of the year at whose beginning a decision stops it, or -1
    currency: Ints  # (P,) of money paid abroad
    home: Ints  # (P, K) paid by home while joint
    abroad: Ints  # (P, K) part of `home` that goes abroad, at exchange rate 1
    foreign: Ints  # (P, K) paid by the partner while joint
    domestic: Ints  # (P, K) paid by home otherwise
    factor: Floats  # (P, S) on step time while joint
    success: Floats  # (P, S) of an attempt while joint
    alone_success: Floats  # (P, S) of an attempt otherwise
    median_days: Ints  # (P, S) from entry until k + 1 steps are done, each taking its median
    needs: Ints  # (P, S, F) units of facilities
    prerequisite_start: Ints  # (P + 1,) rows of `prerequisite`
    prerequisite: Ints  # projects needed; -1 for one that is not in the portfolio
    dependent_start: Ints  # (P + 1,)
    dependent: Ints  # projects that wait for this one
    spillover_start: Ints  # (P + 1,)
    spillover: Ints  # projects whose success helps this one
    spillover_gain: Floats  # points of step success


class SamplePaths(NamedTuple):
    """The chance of R replications, laid out for a case."""

    step_days: Floats  # (R, T, S, A) days of an attempt without partner
    step: Floats  # (R, T, S, A) uniform
    gate: Floats  # (R, T, V) uniform
    review_error: Floats  # (R, T, V) TRL steps
    agreed: Bools  # (R, P, H) whether a stage of formation is passed
    agreement_days: Ints  # (R, P, H) of a stage, before anything was learned
    deliverable_days: Ints  # (R, T, D) of work after `after_trl`
    commercial: Bools  # (R, T)
    market_days: Ints  # (R, T) from target to market
    break_day: Ints  # (R, N, Y) or -1
    budget: Ints  # (R, G, Y) that really comes
    exchange_ppm: Ints  # (R, C, Y)


class Outcomes(NamedTuple):
    """What came of R replications; days are -1 where the thing never happened, money is in won."""

    # projects (R, P) unless said otherwise
    end_state: Ints
    trl: Ints
    start_day: Ints  # left the scheduled phase
    place_day: Ints  # took its place at the partner
    agreement_day: Ints
    freed_day: Ints  # gave its place back
    end_day: Ints
    market_day: Ints
    joint_at_end: Ints
    setbacks: Ints
    attempt: Ints  # of those under way at the horizon: attempts made at the present step, none of them a success
    progress: Ints  # of those: days worked in the attempt under way
    extensions: Ints
    reviews: Ints
    lost_partner: Ints  # 1 if a break ended its agreement or its talks
    fell_back: Ints  # 1 if it went on as domestic
    spillovers: Ints  # attempts that a spillover helped
    funded_days: Ints
    worked_days: Ints
    delivered: Ints  # bit d: deliverable d
    refund: Ints
    refund_day: Ints
    wait_prerequisite: Ints  # days
    wait_start: Ints
    wait_place: Ints
    wait_money: Ints
    wait_panel: Ints
    wait_facility: Ints
    delivered_day: Ints  # (R, P, D) day on which deliverable d was handed in
    formed_day: Ints  # (R, P, H) day on which a stage of formation was passed; the last one is that of agreement
    trl_day: Ints  # (R, P, 9) day on which TRL k + 1 was reached; entry TRL: start day
    tranche_day: Ints  # (R, P, K)
    paid: Ints  # (R, P, K) by home, abroad included
    paid_abroad: Ints  # (R, P, K)
    paid_foreign: Ints  # (R, P, K) by the partner
    paid_joint: Ints  # (R, P, K) 1 if paid while joint
    # programmes (R, G, Y)
    new_money: Ints
    carried_in: Ints
    spent: Ints  # on projects
    spent_network: Ints
    refunded: Ints
    lapsed: Ints
    short: Ints  # requests unserved at the year's end
    peak_seats: Ints  # (R, Q) most seats in use at once
    # partners
    opened_day: Ints  # (R, N)
    network_paid: Ints  # (R, N, Y) opening and running
    network_short: Ints  # (R, N) running cost that could not be paid
    peak_places: Ints  # (R, N) most places in use at once


UNSET: Final = frozenset(name for name in Outcomes._fields if name.endswith("_day"))
"""Columns that are -1 where nothing has happened; the others are 0."""


def blank_outcomes(case: Case, replications: int) -> Outcomes:
    """Arrays for an engine to fill, with nothing having happened."""
    outcomes = empty_outcomes(case, replications)
    for name in Outcomes._fields:
        getattr(outcomes, name)[...] = -1 if name in UNSET else 0
    return outcomes


def empty_outcomes(case: Case, replications: int) -> Outcomes:
    """Arrays for an engine that wipes them itself."""
    projects, tranches = case.home.shape
    programmes, years = case.budget.shape
    partners = len(case.places)
    columns = Outcomes._fields[: Outcomes._fields.index("delivered_day")]
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(columns, (projects,))
    shapes |= {"delivered_day": case.asked.shape, "formed_day": (projects, int(case.stages.max(initial=1)))}
    shapes |= {"trl_day": (projects, 9), "peak_seats": (len(case.seats),)}
    shapes |= dict.fromkeys(("tranche_day", "paid", "paid_abroad", "paid_foreign", "paid_joint"), (projects, tranches))
    shapes |= dict.fromkeys(
        ("new_money", "carried_in", "spent", "spent_network", "refunded", "lapsed", "short"), (programmes, years)
    )
    shapes |= dict.fromkeys(("opened_day", "network_short", "peak_places"), (partners,))
    shapes |= {"network_paid": (partners, years)}
    return Outcomes(**{name: np.empty((replications, *shapes[name]), np.int64) for name in Outcomes._fields})


def most_extensions(case: Case) -> Ints:
    """Extensions that a project of each programme can come to before the horizon, whatever number is allowed, (G,)."""
    return np.asarray(np.minimum(case.extensions, case.horizon // case.extension_days + 1))


def most_reviews(case: Case) -> int:
    """Reviews that a project can come to, at least 1: one ends each tranche but the last, and each extension."""
    return max(int((case.tranches - 1 + most_extensions(case)).max(initial=1)), 1)


# --- building -------------------------------------------------------------------------------------


def days(months: float) -> int:
    """Whole days of a number of months on the 30/360 calendar, rounded up.

    Model: D1.
    """
    return math.ceil(months * DAYS_PER_MONTH - 1e-9)


def largest_remainder(totals: Ints, shares: Sequence[float]) -> Ints:
    """Split whole amounts (n,) by shares so that the parts (n, shares) add up; ties go to the earlier part.

    Model: D15.
    """
    exact = totals[:, None] * np.asarray(shares, np.float64) / sum(shares)
    parts = np.floor(exact)
    order = np.argsort(parts - exact, axis=1, kind="stable")
    rest = totals - parts.sum(axis=1).astype(np.int64)
    more = np.arange(len(shares)) < rest[:, None]
    split = parts.astype(np.int64)
    np.put_along_axis(split, order, np.take_along_axis(split, order, axis=1) + more, axis=1)
    return split


def attempt_success(eventual: Floats, setback: float, attempts: int) -> Floats:
    """Success of one attempt such that `eventual` is reached over all attempts; by bisection, of any shape.

    eventual = q (1 + r + ... + r^(attempts - 1)) with r = (1 - q) setback: the next attempt is made if this one is
    unsuccessful and a setback. What is certain, or impossible, is so at the first attempt.

    Model: D13.
    """
    wanted, place = np.unique(eventual, return_inverse=True)
    found = _FOUND.setdefault((setback, attempts), {})
    if len(found) > _MOST_KEPT:
        found = _FOUND[setback, attempts] = {}  # and not emptied: another thread may be reading it
    if new := [one for one in wanted.tolist() if one not in found]:
        found.update(zip(new, _attempt_success(np.array(new), setback, attempts).tolist(), strict=True))
    return np.array([found[one] for one in wanted.tolist()], np.float64)[place].reshape(eventual.shape)


_FOUND: dict[tuple[float, int], dict[float, float]] = {}
"""Success of one attempt by what is reached in the end: a scenario has few of them, and asks again and again."""

_MOST_KEPT = 10_000


def _attempt_success(wanted: Floats, setback: float, attempts: int) -> Floats:
    low, high = np.zeros_like(wanted), np.ones_like(wanted)
    for _ in range(60):
        q = (low + high) / 2
        short = q * sum(((1.0 - q) * setback) ** k for k in range(attempts)) < wanted
        low, high = np.where(short, q, low), np.where(short, high, q)
    return np.where((wanted > 0.0) & (wanted < 1.0), high, wanted)


_PER_PROJECT: Final = (
    "member",
    "home",
    "abroad",
    "foreign",
    "domestic",
    "factor",
    "success",
    "alone_success",
    "median_days",
    "needs",
)


class _Projects:
    """The arrays named in `_PER_PROJECT`, filled one project at a time."""

    def __init__(self, scenario: Scenario, choices: Sequence[Choice], partners: Mapping[str, int]) -> None:
        self.scenario = scenario
        self.scale = money_scale(scenario)
        self.partners = partners
        width = max((len(members(scenario, c.partner)) for c in choices), default=1)
        tranches = max(len(p.tranches) for p in scenario.programmes.values())
        count = len(choices)
        self.member = np.full((count, max(width, 1)), -1, np.int64)
        self.home, self.abroad, self.foreign, self.domestic = (np.zeros((count, tranches), np.int64) for _ in range(4))
        self.factor = np.ones((count, STEPS))
        self.success, self.alone_success = np.zeros((count, STEPS)), np.zeros((count, STEPS))
        self.median_days = np.zeros((count, STEPS), np.int64)
        self.needs = np.zeros((count, STEPS, len(_capacities(scenario))), np.int64)
        self._needs = _needs_by_technology(scenario)
        self._eventual = step_success(scenario)
        self._fill_money(choices)
        first = dict[tuple[str, str], int]()
        alike = np.array([first.setdefault((one.technology, one.partner), row) for row, one in enumerate(choices)], int)
        for row in first.values():
            self._fill(row, choices[row])
        # Steps know nothing of modes and years: what is the same for many projects is found once.
        for table in (self.factor, self.success, self.alone_success, self.median_days, self.needs):
            table[...] = table[alike]
        rules = scenario.steps
        self.success, self.alone_success = (
            attempt_success(eventual, rules.setback_probability, rules.attempts)
            for eventual in (self.success, self.alone_success)
        )

    def _fill(self, row: int, choice: Choice) -> None:
        self._fill_steps(row, choice)
        for trl, facility, units in self._needs.get(choice.technology, ()):
            self.needs[row, trl - 1, facility] = units

    def _fill_money(self, choices: Sequence[Choice]) -> None:
        """What each project costs at home and with its partners, split into the tranches of its programme.

        Model: D2, D15.
        """
        scenario = self.scenario
        lines = [scenario.technologies[choice.technology].programme for choice in choices]
        totals = np.array([self._totals(row, choice) for row, choice in enumerate(choices)], np.int64).reshape(-1, 3)
        for name, programme in scenario.programmes.items():
            mine = np.array([row for row, line in enumerate(lines) if line == name], np.int64)
            shares = [tranche.share for tranche in programme.tranches]
            for table, column in zip((self.domestic, self.home, self.foreign), totals[mine].T, strict=True):
                table[mine, : len(shares)] = largest_remainder(column, shares)
        sent = np.array([scenario.modes[choice.mode].abroad_share if choice.partner else 0.0 for choice in choices])
        self.abroad[...] = np.floor(self.home * sent.reshape(-1, 1))

    def _totals(self, row: int, choice: Choice) -> tuple[int, int, int]:
        """Cost without a partner, home's part of that with one, and the partners' part; and who the partners are.

        Model: D10, D15.
        """
        scenario, technology = self.scenario, self.scenario.technologies[choice.technology]
        full = round(cost(scenario, technology) * self.scale)
        if not choice.partner:
            return full, 0, 0
        joined = members(scenario, choice.partner)
        self.member[row, : len(joined)] = [self.partners[code] for code in joined]
        joint = full * cost_factor(scenario.partner_effect, len(joined))
        home = round(joint * scenario.modes[choice.mode].home_cost_share)
        return full, home, round(joint) - home

    def _fill_steps(self, row: int, choice: Choice) -> None:
        """Model: D9, D16."""
        scenario, technology = self.scenario, self.scenario.technologies[choice.technology]
        benefit = partner_benefit(scenario, technology, choice.partner)
        count = len(members(scenario, choice.partner))
        elapsed = 0
        for trl in range(technology.trl, target(scenario, technology)):
            effect = step_effect(scenario.partner_effect, benefit, trl, count) if count else StepEffect(1.0, 0.0)
            alone = self._eventual.of(technology.id, trl)
            self.factor[row, trl - 1] = effect.duration
            self.success[row, trl - 1] = with_shift(alone, effect.success)
            self.alone_success[row, trl - 1] = alone
            own = self._eventual.own.get((technology.id, trl))
            elapsed += math.ceil(step_median(scenario, technology.id, own, trl) * DAYS_PER_YEAR - 1e-9)
            self.median_days[row, trl - technology.trl] = elapsed


def step_median(scenario: Scenario, technology: str, own: TechnologyStep | None, trl: int) -> float:
    """Median years of a technology's step from `trl`: of what experts make of it, if they are heard on it.

    Model: D14.
    """
    judged = distribution_of(scenario, technology, "months", trl)
    if judged is not None:
        return judged.quantile(0.5) / 12.0
    if own is not None and own.median_months is not None:
        return own.median_months / 12.0
    return median_years(scenario, scenario.technologies[technology].field, trl)


def median_years(scenario: Scenario, field: str, trl: int) -> float:
    """Median time of a step from `trl` in a field: the field's if it has one, the calibration's, that of `steps`.

    Model: D14.
    """
    years = scenario.fields[field].median_years or calibration(scenario).median_years
    return (years or scenario.steps.median_years)[trl - 1]


def _capacities(scenario: Scenario) -> dict[tuple[str, str], int]:
    """Units of what steps wait for: facilities, then the teams of institutes that have a limit.

    Model: D25.
    """
    facilities = {("facility", name): one.capacity for name, one in scenario.facilities.items()}
    teams = {("institute", name): one.teams for name, one in scenario.institutes.items() if one.teams is not None}
    return facilities | teams


def _needs_by_technology(scenario: Scenario) -> dict[str, list[tuple[int, int, int]]]:
    """(TRL, index, units) by technology: of the facilities that it names, and a team of its institute at every step.

    Model: D25.
    """
    index = {key: f for f, key in enumerate(_capacities(scenario))}
    needs: dict[str, list[tuple[int, int, int]]] = {}
    for need in scenario.facility_needs:
        needs.setdefault(need.technology, []).append((need.trl, index["facility", need.facility], need.units))
    for name, row in scenario.technologies.items():
        team = index.get(("institute", row.institute))
        if team is not None:
            needs.setdefault(name, []).extend((trl, team, 1) for trl in range(1, STEPS + 1))
    return needs


def hosts(scenario: Scenario) -> list[str]:
    """Codes of the partners that hold places themselves: all but the consortia."""
    return [code for code, partner in scenario.partners.items() if not partner.members]


def currencies(scenario: Scenario) -> list[str]:
    """Currencies in which money is paid abroad, in alphabetical order."""
    return sorted({partner.currency for partner in scenario.partners.values()}) or [scenario.currency]


def _csr(rows: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    start = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    return start, np.array([x for row in rows for x in row], np.int64)


class _Links(NamedTuple):
    prerequisite: list[list[int]]
    dependent: list[list[int]]
    spillover: list[list[int]]
    gain: list[list[float]]


def _links(scenario: Scenario, choices: Sequence[Choice]) -> _Links:
    """Links between the chosen technologies; a prerequisite that was not chosen is -1."""
    row_of = {choice.technology: row for row, choice in enumerate(choices)}
    links = _Links(*([[] for _ in choices] for _ in range(4)))  # type: ignore[arg-type]
    for link in scenario.links:
        row, other = row_of.get(link.technology), row_of.get(link.other, -1)
        if row is None:
            continue
        if link.kind == "prerequisite":
            links.prerequisite[row].append(other)
            if other >= 0:
                links.dependent[other].append(row)
        elif link.kind == "spillover" and other >= 0:
            links.spillover[row].append(other)
            links.gain[row].append(link.amount)
    return links


def _per_year(table: Mapping[int, float], scenario: Scenario, scale: int) -> list[int]:
    """Model: D2."""
    return [round(table.get(y, 0) * scale) for y in range(scenario.start_year, scenario.horizon_year + 1)]


def call_day(scenario: Scenario, programme: Programme) -> int:
    """Day of the fiscal year on which a programme's projects start.

    Model: D17.
    """
    return days(call_months(scenario, programme))


def _drops(scenario: Scenario, technology: Technology) -> bool:
    """Whether a project without an agreement is dropped: always where partners must take part.

    A line that requires a foreign partner has no other reason to drop: where domestic projects are allowed after all,
    its projects go on at home.

    Model: D27.
    """
    line = scenario.programmes[technology.programme]
    required = is_partner_required(scenario, technology.programme)
    own = line.fallback == "drop" and not line.foreign_partner_required
    return own or required or bool(technology.partners_required)


def _most_deliverables(scenario: Scenario) -> int:
    return max(1, *(len(line.deliverables) for line in scenario.programmes.values()), 1)


def _required_deliverables(scenario: Scenario, choices: Sequence[Choice]) -> Bools:
    """Which deliverables are asked of each project: its programme's but for those that its technology waives.

    Model: D26.
    """
    asked = np.zeros((len(choices), _most_deliverables(scenario)), np.bool_)
    for row, choice in enumerate(choices):
        technology = scenario.technologies[choice.technology]
        names = scenario.programmes[technology.programme].deliverables
        asked[row, : len(names)] = [name not in technology.waives for name in names]
    return asked


def _own(extensions: Sequence[tuple[Extension, Mapping[str, float]]]) -> Floats:
    """Values of the parameters of some extensions, a row for each, as wide as the widest."""
    rows = [one.values(given) for one, given in extensions]
    table = np.zeros((len(rows), max(map(len, rows), default=0)))
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table


def _programme_arrays(scenario: Scenario) -> dict[str, npt.NDArray[np.generic]]:
    lines, scale = list(scenario.programmes.values()), money_scale(scenario)
    gates, panels = [line.gate for line in lines], list(scenario.panels)
    width = _most_deliverables(scenario)
    tranches = max(len(line.tranches) for line in lines)
    due, after = np.zeros((len(lines), width), np.int64), np.ones((len(lines), width), np.int64)
    tranche_days = np.zeros((len(lines), tranches), np.int64)
    for g, line in enumerate(lines):
        tranche_days[g, : len(line.tranches)] = [max(1, days(t.months)) for t in line.tranches]
        for d, item in enumerate(line.deliverables.values()):
            due[g, d] = 0 if item.optional else item.due_tranche
            after[g, d] = item.after_trl
    return {
        "budget": np.array([_per_year(line.budget, scenario, scale) for line in lines], np.int64),
        "starts": np.array([_per_year(line.starts, scenario, 1) for line in lines], np.int64),
        "call_day": np.array([call_day(scenario, line) for line in lines], np.int64),
        "carry_ppm": np.array([round(line.carry_over * MILLION) for line in lines], np.int64),
        "purse_rule": np.array([PURSE_RULES.number(line.purse_rule) for line in lines], np.int64),
        "purse_parameters": _own([(PURSE_RULES[line.purse_rule], line.purse_parameters) for line in lines]),
        "tranches": np.array([len(line.tranches) for line in lines], np.int64),
        "tranche_days": tranche_days,
        "policy": np.array([GATE_POLICIES.number(gate.policy) for gate in gates], np.int64),
        "gate_parameters": _own([(GATE_POLICIES[gate.policy], gate.parameters) for gate in gates]),
        "alpha": np.array([gate.alpha for gate in gates], np.float64),
        "beta": np.array([gate.beta for gate in gates], np.float64),
        "tolerance": np.array([gate.tolerance for gate in gates], np.int64),
        "extensions": np.array([gate.extensions for gate in gates], np.int64),
        "extension_days": np.array([max(1, days(gate.extension_months)) for gate in gates], np.int64),
        "drop_ppm": np.array([round(gate.drop_share * MILLION) for gate in gates], np.int64),
        "panel": np.array([panels.index(gate.panel) if gate.panel else -1 for gate in gates], np.int64),
        "deliverables": np.array([len(line.deliverables) for line in lines], np.int64),
        "due_tranche": due,
        "after_trl": after,
    }


def _resource_arrays(scenario: Scenario) -> dict[str, Ints]:
    scale, codes = money_scale(scenario), hosts(scenario)
    partners, panels = [scenario.partners[code] for code in codes], scenario.panels.values()
    columns: dict[str, list[int]] = {
        "seats": [panel.seats for panel in panels],
        "review_days": [max(1, days(panel.review_months)) for panel in panels],
        "places": [partner.places for partner in partners],
        "setup_days": [days(partner.setup_months) for partner in partners],
        "setup_cost": [round(partner.setup_cost * scale) for partner in partners],
        "running_cost": [round(partner.running_cost * scale) for partner in partners],
        "capacity": list(_capacities(scenario).values()),
    }
    kept = np.full((len(codes), scenario.horizon_year - scenario.start_year + 1), -1, np.int64)
    return {name: np.array(column, np.int64) for name, column in columns.items()} | {"kept": kept}


def formation(mode: Mode) -> tuple[FormationStage, ...]:
    """The stages in which a mode's agreements are formed; a mode without any has one, the agreement itself.

    Model: D22.
    """
    whole = FormationStage("agreement", mode.agreement_months, mode.agreement_sigma, mode.agreement_probability)
    return mode.formation or (whole,)


def _learning(scenario: Scenario, projects: int) -> Ints:
    """Factors on talks after 0, 1, 2, ... agreements, in millionths, until they change no more.

    Model: D23.
    """
    rule, factors = scenario.network, [MILLION]
    for count in range(1, projects):
        factor = max(round(MILLION * max(rule.learning**count, rule.learning_floor)), 1)
        if factor == factors[-1]:
            break
        factors.append(factor)
    return np.array(factors, np.int64)


def technologies(choices: Sequence[Choice]) -> list[str]:
    """Ids of the technologies of a case, in the order of its luck tables."""
    return sorted({choice.technology for choice in choices})


def deadlines(scenario: Scenario, choices: Sequence[Choice]) -> Ints:
    """Days of the programmes' deadlines, counted from the first day of the planned start year.

    Model: D24.
    """
    lines = [scenario.programmes[scenario.technologies[choice.technology].programme] for choice in choices]
    starts = [(choice.start_year - scenario.start_year) * DAYS_PER_YEAR for choice in choices]
    years = [round(line.deadline_years * DAYS_PER_YEAR) for line in lines]
    return np.array(starts, np.int64) + np.array(years, np.int64)


def _values(scenario: Scenario, choices: Sequence[Choice]) -> Floats:
    values = {name: market_value(scenario, name) for name in technologies(choices)}
    return np.array([values[choice.technology] for choice in choices], np.float64)


def _queue_arrays(scenario: Scenario) -> dict[str, npt.NDArray[np.generic]]:
    panels = [panel.queue for panel in scenario.panels.values()]
    queues = [scenario.queues.places, *panels, scenario.queues.facilities, scenario.queues.starts]
    return {
        "queue_rule": np.array([QUEUE_RULES.number(queue.rule) for queue in queues], np.int64),
        "queue_parameters": _own([(QUEUE_RULES[queue.rule], queue.parameters) for queue in queues]),
    }


def _choice_arrays(scenario: Scenario, choices: Sequence[Choice]) -> dict[str, npt.NDArray[np.generic]]:
    technology = {name: t for t, name in enumerate(technologies(choices))}
    programme = {name: g for g, name in enumerate(scenario.programmes)}
    currency = {name: c for c, name in enumerate(currencies(scenario))}
    rows = [scenario.technologies[choice.technology] for choice in choices]
    money = [scenario.partners[c.partner].currency if c.partner else next(iter(currency)) for c in choices]
    return {
        "technology": np.array([technology[choice.technology] for choice in choices], np.int64),
        "programme": np.array([programme[row.programme] for row in rows], np.int64),
        "start_year": np.array([choice.start_year - scenario.start_year for choice in choices], np.int64),
        "trl": np.array([row.trl for row in rows], np.int64),
        "target": np.array([target(scenario, row) for row in rows], np.int64),
        "joint": np.array([bool(choice.partner) for choice in choices], np.bool_),
        "drop_fallback": np.array([_drops(scenario, row) for row in rows], np.bool_),
        "currency": np.array([currency[code] for code in money], np.int64),
        "stages": np.array([len(formation(scenario.modes[choice.mode])) for choice in choices], np.int64),
        "talks": np.full(len(choices), -1, np.int64),
        "extra_days": np.zeros(len(choices), np.int64),
        "deadline": deadlines(scenario, choices),
        "value": _values(scenario, choices),
        "asked": _required_deliverables(scenario, choices),
        "stop_year": np.full(len(choices), -1, np.int64),
    }


def build(
    scenario: Scenario,
    portfolio: Portfolio,
    *,
    stops: Mapping[str, int] = MappingProxyType({}),
    kept: Mapping[tuple[str, int], bool] = MappingProxyType({}),
    known: tuple[Case, Sequence[int]] | None = None,
) -> Case:
    """Turn a scenario and a ranked portfolio into arrays; projects are laid out in order of rank.

    `known` is a case of the same scenario that has the same choices, and the row of each there: building those anew is
    what takes longest.

    Decisions on the way: `stops` are the fiscal years at whose beginning a technology's project is stopped, if it has
    not ended; `kept` says of a partner and fiscal year whether the partner was kept running, whatever comes later.
    """
    scenario = as_engines_see(scenario)
    choices = sorted(portfolio.choices, key=lambda choice: choice.rank)
    projects = _projects(scenario, choices) if known is None else _columns_of(*known)
    case = _assemble(scenario, choices, projects, _links(scenario, choices))
    for row, choice in enumerate(choices):
        year = stops.get(choice.technology, -1)
        case.stop_year[row] = year - scenario.start_year if scenario.start_year < year <= scenario.horizon_year else -1
    codes = {code: n for n, code in enumerate(hosts(scenario))}
    for (code, year), running in kept.items():
        case.kept[codes[code], year - scenario.start_year] = running
    return case


def unconstrained_case(scenario: Scenario, choices: Sequence[Choice]) -> Case:
    """A case in which each choice lives alone: nothing is scarce, nobody waits, nothing is linked.

    A technology may come in many choices. What time does to a choice by itself stays: exchange rates, breaks, talks,
    the set-up of its partners, which each choice waits for as part of its talks, and years without money: those for
    which none is announced, but for what a plan may count on to be carried into them (`rdsim.scenario.money`). Where a
    gate drops the worst of a round, one alone is never the worst. Talks take their whole time, as there is no earlier
    agreement to learn from: only a portfolio that is simulated whole shows what a network learns.

    Model: E42.
    """
    scenario = as_engines_see(scenario)
    links = _Links(*([[] for _ in choices] for _ in range(4)))  # type: ignore[arg-type]
    case = _assemble(scenario, choices, _projects(scenario, choices), links)
    return case._replace(
        network=-1,
        alone=True,
        extra_days=np.where(case.member >= 0, np.append(case.setup_days, 0)[case.member], 0).max(axis=1),
        setup_days=np.zeros_like(case.setup_days),
        budget=np.where((case.budget > 0) | (_plannable(scenario) > 0), ENDLESS, 0),
        carry_ppm=np.zeros_like(case.carry_ppm),
        starts=np.full_like(case.starts, ENDLESS),
        places=np.full_like(case.places, ENDLESS),
        learning_ppm=case.learning_ppm[:1],
        seats=np.full_like(case.seats, ENDLESS),
        capacity=np.full_like(case.capacity, ENDLESS),
        drop_ppm=np.zeros_like(case.drop_ppm),
        queue_rule=np.zeros_like(case.queue_rule),
    )


def _plannable(scenario: Scenario) -> Ints:
    """Won that a plan may count on in each programme and year, shape (G, Y)."""
    return np.array([list(plannable(scenario, code).values()) for code in scenario.programmes], np.int64)


_Columns = dict[str, Any]  # arrays by name


def _projects(scenario: Scenario, choices: Sequence[Choice]) -> _Columns:
    filled = _Projects(scenario, choices, {code: n for n, code in enumerate(hosts(scenario))})
    return {name: getattr(filled, name) for name in _PER_PROJECT}


def _columns_of(case: Case, rows: Sequence[int]) -> _Columns:
    return {name: getattr(case, name)[rows] for name in _PER_PROJECT}


def _assemble(scenario: Scenario, choices: Sequence[Choice], projects: _Columns, links: _Links) -> Case:
    prerequisite_start, prerequisite = _csr(links.prerequisite)
    dependent_start, dependent = _csr(links.dependent)
    spillover_start, spillover = _csr(links.spillover)
    arrays = {
        **_programme_arrays(scenario),
        **_resource_arrays(scenario),
        **_queue_arrays(scenario),
        **_choice_arrays(scenario, choices),
        "learning_ppm": _learning(scenario, len(choices)),
        **projects,
    }
    return Case(
        horizon=(scenario.horizon_year - scenario.start_year + 1) * DAYS_PER_YEAR,
        closed_days=days(scenario.risks.breaks.closed_months),
        setback=float(scenario.steps.setback_probability),
        attempts=scenario.steps.attempts,
        network=list(scenario.programmes).index(scenario.network.programme) if scenario.network.programme else -1,
        alone=False,
        prerequisite_start=prerequisite_start,
        prerequisite=prerequisite,
        dependent_start=dependent_start,
        dependent=dependent,
        spillover_start=spillover_start,
        spillover=spillover,
        spillover_gain=np.array([gain for row in links.gain for gain in row], np.float64),
        **arrays,
    )
