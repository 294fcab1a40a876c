"""Levers: what is asked of a run. A value that becomes settings, and settings that become a world through the door.

Every lever is a setting of the scenario, so that a question, its `--set` lines and its scenario folder are one and the
same: they have the same digest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rdsim.domain import Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.frozen import Frozen
from rdsim.scenario import members
from rdsim.scenario.bounds import moved_numbers
from rdsim.scenario.shapes import Shape, dotted_path, part, with_limit, within, words
from rdsim.search.views import LOOSEST
from rdsim.tables import did_you_mean

__all__ = ["Levers", "lever_faults", "lever_world", "run_levers", "settings_of"]

_SAME = 1e-12
"""Relative difference of numbers that are the same."""

_MONEY = part(("programmes", "", "budget", 0)) or Shape("number")

_NAMES = ("budgets", "payment_ratios", "risk_weight", "barred", "must_fund", "must_not_fund", "levels")


@dataclass(frozen=True)
class Levers(Frozen):
    """Where the levers stand. Money is in the scenario's unit.

    What is left out stands as in the run's scenario: budgets and payment ratios that are not named, assumptions that
    are not named.
    """

    budgets: dict[str, dict[int, float]] = field(default_factory=dict)
    """Announced money by programme and fiscal year."""
    payment_ratios: dict[str, float] = field(default_factory=dict)
    """By programme: expected payments may reach this multiple of the announced money."""
    risk_weight: float = 0.0
    """Weight of CVaR in the aim, from 0 to 1."""
    barred: tuple[str, ...] = ()
    """Partners that are not allowed, by code; consortia of which one is a member are not allowed either."""
    must_fund: tuple[str, ...] = ()
    must_not_fund: tuple[str, ...] = ()
    levels: dict[str, float] = field(default_factory=dict)
    """Levels of assumptions, each within its bounds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("barred", "must_fund", "must_not_fund"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    def record(self) -> dict[str, Any]:
        """As plain data, of which `from_record` makes the same levers."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in _NAMES}
        plain["budgets"] = {name: {str(year): m for year, m in line.items()} for name, line in self.budgets.items()}
        return {name: list(one) if isinstance(one, tuple) else one for name, one in plain.items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Levers:
        """The levers that a record tells of. Raises KeyError, TypeError or ValueError for what is no such record."""
        lines = record["budgets"].items()
        named: dict[str, Any] = {one: tuple(map(str, record[one])) for one in ("barred", "must_fund", "must_not_fund")}
        return cls(
            budgets={str(code): {int(year): float(money) for year, money in line.items()} for code, line in lines},
            payment_ratios={str(code): float(ratio) for code, ratio in record["payment_ratios"].items()},
            risk_weight=float(record["risk_weight"]),
            levels={str(code): float(level) for code, level in record["levels"].items()},
            **named,
        )

    def with_levels_only(self) -> Levers:
        """Only what is assumed: levers that move the samples of options."""
        return Levers(levels=dict(self.levels))

    def without_wishes(self, base: Levers) -> Levers:
        """Money and assumptions as here, what may be chosen as in others: the world in which a portfolio is kept."""
        return replace(base, budgets=self.budgets, levels=self.levels)


def run_levers(scenario: Scenario, ratios: Mapping[str, float] | None = None) -> Levers:
    """Where a run's levers stand: as its scenario says, with the payment ratios that its portfolio was held to."""
    known = {name: scenario.optimiser.payment_ratio.get(name, 1.0) for name in scenario.programmes}
    by_status: dict[str, list[str]] = {"free": [], "must-fund": [], "must-not-fund": []}
    for code, one in scenario.technologies.items():
        by_status[one.status].append(code)
    return Levers(
        {name: dict(line.budget) for name, line in scenario.programmes.items()},
        {name: _round_ratio(ratio) for name, ratio in (known | dict(ratios or {})).items()},
        scenario.optimiser.risk.weight,
        (),
        tuple(by_status["must-fund"]),
        tuple(by_status["must-not-fund"]),
    )


def _round_ratio(ratio: float) -> float:
    """A ratio upwards to five digits behind the point: what kept within it still does."""
    return min(math.ceil(ratio * 1e5 - 1e-6) / 1e5, LOOSEST)


def lever_world(scenario: Scenario, levers: Levers) -> Scenario:
    """The scenario with the levers where they stand.

    Raises: ScenarioError with every fault of the levers, and of what the scenario would then be.
    """
    faults = lever_faults(scenario, levers)
    if faults:
        raise ScenarioError(faults)
    try:
        return scenario.with_(settings_of(scenario, levers))
    except ScenarioError as error:
        named = {f"--set {path}": told for path, told in _setting_words(scenario, levers)}
        raise ScenarioError(
            tuple(replace(one, where=named.get(one.where, one.where)) for one in error.faults)
        ) from None


def lever_faults(scenario: Scenario, levers: Levers) -> tuple[Fault, ...]:
    """Every fault of the levers as such: names that the scenario has not, numbers out of bounds."""
    return tuple(_faults(scenario, levers))


def _setting_words(scenario: Scenario, levers: Levers) -> Iterator[tuple[str, str]]:
    """Paths of settings, and what a reader calls them."""
    for name, line in scenario.programmes.items():
        for year in levers.budgets.get(name, {}):
            yield dotted_path(("programmes", name, "budget", str(year))), f"budget of {line.name}, {year}"
        yield dotted_path(("optimiser", "payment_ratio", name)), f"payment ratio of {line.name}"
    yield "optimiser.risk.weight", "weight of risk"
    for code, partner in scenario.partners.items():
        yield dotted_path(("partners", code, "modes")), f"partner {partner.name}"
    for code in scenario.technologies:
        yield dotted_path(("technologies", code, "status")), f"technology {code}"
    for name in levers.levels:
        one = scenario.assumptions[name]
        for number in moved_numbers(scenario, name):
            yield dotted_path(number.path), f"assumption {one.label or name}"


def settings_of(scenario: Scenario, levers: Levers) -> dict[str, object]:
    """The settings, by dotted path, that the levers change in the scenario; none of what stands as it says."""
    return dict(_settings(scenario, levers))


def _settings(scenario: Scenario, levers: Levers) -> Iterator[tuple[str, object]]:
    yield from _money_settings(scenario, levers)
    yield from _wish_settings(scenario, levers)
    for name, level in sorted(levers.levels.items()):
        for number in moved_numbers(scenario, name):
            value = number.at(scenario.assumptions[name].change, level)
            if not _is_same(value, number.value):
                yield dotted_path(number.path), value


def _money_settings(scenario: Scenario, levers: Levers) -> Iterator[tuple[str, object]]:
    for name, line in sorted(levers.budgets.items()):
        own = scenario.programmes[name].budget
        for year, money in sorted(line.items()):
            if not _is_same(money, own.get(year, 0.0)):
                yield dotted_path(("programmes", name, "budget", str(year))), float(money)
    for name, ratio in sorted(levers.payment_ratios.items()):
        if not _is_same(ratio, scenario.optimiser.payment_ratio.get(name, 1.0)):
            yield dotted_path(("optimiser", "payment_ratio", name)), float(ratio)
    if not _is_same(levers.risk_weight, scenario.optimiser.risk.weight):
        yield "optimiser.risk.weight", float(levers.risk_weight)


def _wish_settings(scenario: Scenario, levers: Levers) -> Iterator[tuple[str, object]]:
    for code, partner in scenario.partners.items():
        if partner.modes and set(members(scenario, code)) & set(levers.barred):
            yield dotted_path(("partners", code, "modes")), []
    for code, one in scenario.technologies.items():
        status = _status(levers, code)
        if status != one.status:
            yield dotted_path(("technologies", code, "status")), status


def _status(levers: Levers, code: str) -> str:
    if code in levers.must_fund:
        return "must-fund"
    return "must-not-fund" if code in levers.must_not_fund else "free"


def _is_same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)


# --- what must hold -------------------------------------------------------------------------------


def _faults(scenario: Scenario, levers: Levers) -> Iterator[Fault]:
    yield from _money_faults(scenario, levers)
    if not 0 <= levers.risk_weight <= 1:
        yield Fault("weight of risk", "must be from 0 to 1", f"{levers.risk_weight:g}")
    known: dict[str, Mapping[str, object]] = {"partner": scenario.partners, "technology": scenario.technologies}
    named = [("partner", code) for code in levers.barred]
    named += [("technology", code) for code in (*levers.must_fund, *levers.must_not_fund)]
    for what, code in dict.fromkeys(named):
        if code not in known[what]:
            yield Fault(
                f"{what} {code}", f"must be a {what} of the scenario", code, did_you_mean(code, list(known[what]))
            )
    for code in sorted({*levers.must_fund} & {*levers.must_not_fund}):
        yield Fault(f"technology {code}", "must not be both in and out", "both", "Take it out of one of the two.")
    yield from _level_faults(scenario, levers)


def _money_faults(scenario: Scenario, levers: Levers) -> Iterator[Fault]:
    for name, line in levers.budgets.items():
        if name not in scenario.programmes:
            yield _unknown("programme", name, scenario.programmes)
            continue
        for year, money in line.items():
            where = f"budget of {scenario.programmes[name].name}, {year}"
            if not scenario.start_year <= year <= scenario.horizon_year:
                yield Fault(where, f"the year must be from {scenario.start_year} to {scenario.horizon_year}", str(year))
            shape = with_limit(_MONEY, scenario.money_unit)
            if not (math.isfinite(money) and within(shape, money)):
                yield Fault(where, f"must be {words(shape, scenario.money_unit)}", f"{money:g}")
    for name, ratio in levers.payment_ratios.items():
        if name not in scenario.programmes:
            yield _unknown("programme", name, scenario.programmes)
        elif not 0 < ratio <= LOOSEST:
            where = f"payment ratio of {scenario.programmes[name].name}"
            yield Fault(where, f"must be above 0, and at most {LOOSEST:g}", f"{ratio:g}")


def _level_faults(scenario: Scenario, levers: Levers) -> Iterator[Fault]:
    for name, level in levers.levels.items():
        if name not in scenario.assumptions:
            yield _unknown("assumption", name, scenario.assumptions)
            continue
        one = scenario.assumptions[name]
        if not one.low <= level <= one.high:
            where = f"assumption {one.label or name}"
            yield Fault(where, f"must be within its bounds, {one.low:g} to {one.high:g}", f"{level:g}")


def _unknown(what: str, name: str, known: Mapping[str, object]) -> Fault:
    return Fault(f"{what} {name}", f"must be a {what} of the scenario", name, did_you_mean(name, list(known)))
