"""The median project of each option, by hand and before anything is simulated: when it comes to the market, its worth.

Each step takes its median time with the partner's effect and needs one attempt, talks take their medians and succeed,
nothing waits, every gate is passed. Worth is what may be expected of such a course: each step succeeds with its
probability, a tranche is paid if none has failed before, what comes after the horizon counts for nothing. The
simulation says more and takes longer: this is for remarks on what a planner may not have meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.case import DAYS_PER_MONTH, DAYS_PER_YEAR, STEPS, Case, days, formation, unconstrained_case
from rdsim.domain import Choice, Scenario
from rdsim.errors import Fault
from rdsim.metrics import calendar, discount, timeliness
from rdsim.numerals import numeral
from rdsim.scenario import eligible, market_probability, market_value, money_scale

__all__ = ["Outlook", "outlook", "remarks"]


@dataclass(frozen=True, eq=False)
class Outlook:
    """Median projects of O options; money in the scenario's unit, present values."""

    choices: tuple[Choice, ...]
    target_day: Ints  # (O,) day on which the target is reached, were the funded months to last
    market_day: Ints  # (O,)
    finished: Bools  # (O,) the target comes before the funded months, extensions included, end
    left: Floats  # (O,) part of the value that its lateness leaves
    value: Floats  # (O,) expected, 0 if it comes to nothing by the horizon
    cost: Floats  # (O,) expected

    @property
    def worth(self) -> Floats:
        """Expected value less expected cost, (O,)."""
        return self.value - self.cost


def outlook(scenario: Scenario, choices: Sequence[Choice]) -> Outlook:
    """Median projects of some options."""
    case = unconstrained_case(scenario, choices)
    work, chance = _steps(case)
    begin = case.start_year * DAYS_PER_YEAR + case.call_day[case.programme] + _talks(scenario, case, choices)
    ends = begin[:, None] + work.cumsum(axis=1)
    market = ends[:, -1] + max(days(scenario.value.market_months), 1)
    room = (case.tranche_days.sum(axis=1) + case.extensions * case.extension_days)[case.programme]
    finished = work.sum(axis=1) <= room
    left = timeliness(scenario, market - case.deadline)
    comes = finished & (market < case.horizon)
    gain = _gain(scenario, choices) * chance.prod(axis=1) * left * discount(scenario, market)
    cost = _cost(scenario, case, begin, ends, chance)
    return Outlook(tuple(choices), ends[:, -1], market, finished, left, np.where(comes, gain, 0.0), cost)


def _steps(case: Case) -> tuple[Ints, Floats]:
    """Days of each step and its success over all attempts, (O, S), in the order they are taken; 0 and 1 beyond."""
    order = np.minimum(case.trl[:, None] - 1 + np.arange(STEPS), STEPS - 1)
    taken = np.arange(STEPS) < (case.target - case.trl)[:, None]
    medians = np.diff(case.median_days, axis=1, prepend=0)
    factor, once = (np.take_along_axis(table, order, axis=1) for table in (case.factor, case.success))
    again = (1.0 - once) * case.setback
    eventual = once * sum(again**k for k in range(case.attempts))
    whole = np.maximum(np.ceil(medians * factor), 1).astype(np.int64)
    return np.where(taken, whole, 0), np.where(taken, eventual, 1.0)


def _talks(scenario: Scenario, case: Case, choices: Sequence[Choice]) -> Ints:
    """Days until an agreement, the partner's opening included; 0 without a partner."""
    months = [
        sum(stage.months for stage in formation(scenario.modes[choice.mode])) if choice.partner else 0.0
        for choice in choices
    ]
    return np.asarray(np.ceil(np.array(months) * DAYS_PER_MONTH).astype(np.int64) + case.extra_days)


def _gain(scenario: Scenario, choices: Sequence[Choice]) -> Floats:
    """Value kept at home if the target is reached, times the chance of the market."""
    modes = [scenario.modes[choice.mode] for choice in choices]
    kept = [
        mode.value_share * mode.implementation if c.partner else 1.0 for mode, c in zip(modes, choices, strict=True)
    ]
    names = [choice.technology for choice in choices]
    return np.array([market_value(scenario, name) * market_probability(scenario, name) for name in names]) * kept


def _cost(scenario: Scenario, case: Case, begin: Ints, ends: Ints, chance: Floats) -> Floats:
    """Tranches asked for before the target is reached, if no step has failed by then; less what is left of them."""
    money = np.where(case.joint[:, None], case.home, case.domestic) / money_scale(scenario)
    last, reached, cost = ends[:, -1], chance.prod(axis=1), np.zeros(len(begin))
    asked = begin
    for k, length in enumerate(case.tranche_days[case.programme].T):
        alive = np.where(ends <= asked[:, None], chance, 1.0).prod(axis=1)
        unused = np.maximum(asked + length - last, 0) / np.maximum(length, 1)
        net = alive * discount(scenario, asked) - reached * unused * discount(scenario, last)
        cost += np.where(asked < last, net * money[:, k], 0.0)
        asked = asked + length
    return cost


# --- remarks --------------------------------------------------------------------------------------


def remarks(scenario: Scenario) -> tuple[Fault, ...]:
    """Programmes whose median projects come after the horizon, or too late to be worth anything, or cost more."""
    found = {code: _choices(scenario, code) for code in scenario.programmes}
    return tuple(fault for code, choices in found.items() if choices for fault in _of_line(scenario, code, choices))


def _choices(scenario: Scenario, code: str) -> list[Choice]:
    """Options of a programme's technologies that may be funded."""
    pairs = [("", "domestic"), *((p, mode) for p, partner in scenario.partners.items() for mode in partner.modes)]
    line = scenario.programmes[code]
    return [
        Choice(name, mode, partner, year)
        for name, one in scenario.technologies.items()
        if one.programme == code and one.status != "must-not-fund"
        for partner, mode in pairs
        if not eligible(scenario, name, partner, mode)
        for year, starts in sorted(line.starts.items())
        if starts
    ]


def _of_line(scenario: Scenario, code: str, choices: list[Choice]) -> Iterator[Fault]:
    found = outlook(scenario, choices)
    late = ~found.finished | (found.market_day >= (scenario.horizon_year - scenario.start_year + 1) * DAYS_PER_YEAR)
    worthless = ~late & (found.left <= 0.0)
    places = "scenario.toml, horizon_year", f"scenario.toml, programmes.{code}.deadline_years"
    by_then = f"the median project must be on the market by the end of {scenario.horizon_year}, the horizon"
    yield from _without(scenario, found, late, Fault(places[0], by_then, code))
    yield from _idle_starts(scenario, found, late, Fault(f"scenario.toml, programmes.{code}.starts", by_then, code))
    in_time = "the median project must be on the market before its lateness has taken all its value"
    yield from _without(scenario, found, late | worthless, Fault(places[1], in_time, code), late)
    yield from _losing(scenario, found, late | worthless, Fault(f"scenario.toml, programmes.{code}", "", code))


def _without(
    scenario: Scenario, found: Outlook, bad: Bools, fault: Fault, told: Bools | None = None
) -> Iterator[Fault]:
    """Technologies all of whose options are bad, if they are not told of already."""
    names = np.array([choice.technology for choice in found.choices])
    known = set() if told is None else set(names) - set(names[~told])
    lost = set(names) - set(names[~bad]) - known
    if lost:
        mine = np.flatnonzero(np.isin(names, list(lost)))
        count = f"{len(lost)} of {len(set(names))} technologies of {fault.found}"
        yield replace(fault, found=f"of {count} it never is; nearest: {_nearest(scenario, found, mine)}")


def _idle_starts(scenario: Scenario, found: Outlook, late: Bools, fault: Fault) -> Iterator[Fault]:
    """Start years of which every option is late, where others are not."""
    years = np.array([choice.start_year for choice in found.choices])
    idle = sorted(set(years.tolist()) - set(years[~late].tolist()))
    if idle and not late.all():
        nearest = _nearest(scenario, found, np.flatnonzero(np.isin(years, idle)))
        said = f"starts of {fault.found} in {', '.join(map(str, idle))} that bring none; nearest: {nearest}"
        yield replace(fault, found=said)


def _nearest(scenario: Scenario, found: Outlook, some: Ints) -> str:
    """Which of some options comes first, and when; those whose money lasts to the target before others."""
    o = int(min(some, key=lambda o: (not found.finished[o], found.market_day[o])))
    if found.finished[o]:
        year = numeral(float(calendar(scenario, found.market_day)[o]), ".1f")
        return f"{_words(found.choices[o])}, on the market in {year}"
    return f"{_words(found.choices[o])}, whose funded months end before the target"


def _losing(scenario: Scenario, found: Outlook, hidden: Bools, fault: Fault) -> Iterator[Fault]:
    """No option of the programme is worth its cost, though some come to the market in time."""
    if hidden.all() or found.worth.max() > 0.0:
        return
    o = int(found.worth.argmax())
    bounds = f"value {numeral(found.value[o], '.3g')}, cost {numeral(found.cost[o], '.3g')} {scenario.money_unit}"
    count = len({choice.technology for choice in found.choices})
    said = f"none of {count} of {fault.found} is; nearest: {_words(found.choices[o])} ({bounds})"
    yield replace(fault, rule="some technology must be expected to be worth what it costs", found=said)


def _words(choice: Choice) -> str:
    return f"{choice.technology} {f'with {choice.partner}' if choice.partner else 'alone'} from {choice.start_year}"
