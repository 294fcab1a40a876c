"""Levers as a form has them, and back: whatever was typed is read, or told as a fault, all at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from rdsim.domain import Scenario
from rdsim.errors import Fault, ScenarioError
from rdsim.scenario.bounds import own_level
from rdsim.serve.levers import Levers, lever_faults

__all__ = ["SHOWN", "LeverForm", "form_of", "levers_of", "read_form"]

SHOWN = "partners"
"""Field that says that the form asked about partners: of a box that is not ticked nothing is sent."""

_STATUSES = ("free", "must-fund", "must-not-fund")
_NUMBER = re.compile(r"[+-]?(?:(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""Commas stand between thousands and nowhere else: 1,5 is no 15."""


@dataclass(frozen=True)
class LeverForm:
    """Fields by name, as texts."""

    fields: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """What a field holds; nothing for one that is not there."""
        return self.fields.get(name, "")


def read_form(body: bytes) -> LeverForm:
    """The fields of a form that was sent. Raises ScenarioError for what is no form."""
    try:
        read = parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=False, max_num_fields=20_000)
    except ValueError as error:
        raise ScenarioError((Fault("the form", "must be a form of this page", str(error)),)) from None
    return LeverForm({name: values[-1] for name, values in read.items()})


def form_of(scenario: Scenario, levers: Levers) -> LeverForm:
    """The form in which the levers stand."""
    return LeverForm(dict(_fields(scenario, levers)))


def _fields(scenario: Scenario, levers: Levers) -> Iterator[tuple[str, str]]:
    for name, line in scenario.programmes.items():
        known = {**line.budget, **levers.budgets.get(name, {})}
        for year in budget_years(scenario):
            yield f"budget.{name}.{year}", _text(known.get(year, 0.0))
        own = scenario.optimiser.payment_ratio.get(name, 1.0)
        yield f"ratio.{name}", _text(levers.payment_ratios.get(name, own))
    yield "risk", _text(levers.risk_weight)
    yield SHOWN, "shown"
    for code in single_partners(scenario):
        if code not in levers.barred:
            yield f"partner.{code}", "on"
    for code in scenario.technologies:
        kind = "must-fund" if code in levers.must_fund else "must-not-fund" if code in levers.must_not_fund else "free"
        yield f"status.{code}", kind
    for name in scenario.assumptions:
        yield f"level.{name}", _text(levers.levels[name]) if name in levers.levels else ""


def _text(number: float) -> str:
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(float(number))


def budget_years(scenario: Scenario) -> list[int]:
    """Fiscal years from the first to the last for which any programme has money."""
    paid = [year for line in scenario.programmes.values() for year, money in line.budget.items() if money]
    return list(range(scenario.start_year, max(paid, default=scenario.start_year) + 1))


def single_partners(scenario: Scenario) -> list[str]:
    """Partners that somebody could be asked to do without: single ones that are offered, or are in a consortium."""
    return [code for code, one in scenario.partners.items() if not one.members]


def _by_status(scenario: Scenario, form: LeverForm) -> tuple[dict[str, list[str]], list[Fault]]:
    """Technologies by the status that a form gives them, or the scenario where it gives none; and what is no status."""
    found, faults = {kind: list[str]() for kind in _STATUSES}, list[Fault]()
    for code, technology in scenario.technologies.items():
        status = form.fields.get(f"status.{code}", technology.status)
        if status in found:
            found[status].append(code)
        else:
            faults.append(Fault(f"technology {code}", "must be free, in or out", status or "nothing"))
    return found, faults


def levers_of(scenario: Scenario, form: LeverForm) -> Levers:
    """The levers of a form; partners and technologies that it does not ask about stand as in the scenario.

    Raises ScenarioError with every fault: fields that are no numbers, and numbers out of bounds.
    """
    faults = list[Fault]()

    def number(name: str, where: str) -> float | None:
        text = form[name].strip()
        found = float(text.replace(",", "")) if _NUMBER.fullmatch(text) else math.nan
        if math.isfinite(found):
            return found
        advice = "Write a point before decimals; a comma stands before three digits." if "," in text else ""
        faults.append(Fault(where, "must be a number", text or "nothing", advice))
        return None

    lines = {
        code: {year: number(f"budget.{code}.{year}", f"budget of {line.name}, {year}") for year in years}
        for code, line in scenario.programmes.items()
        for years in (budget_years(scenario),)
    }
    ratios = {
        code: number(f"ratio.{code}", f"payment ratio of {one.name}") for code, one in scenario.programmes.items()
    }
    weight = number("risk", "weight of risk")
    levels = {}
    for name, one in scenario.assumptions.items():
        if form[f"level.{name}"].strip():
            level = number(f"level.{name}", f"assumption {one.label or name}")
            if level is not None and level != own_level(scenario, name):
                levels[name] = level
    by_status, unknown = _by_status(scenario, form)
    faults += unknown
    barred = [code for code in single_partners(scenario) if form[SHOWN] and not form[f"partner.{code}"]]
    levers = Levers(
        {code: {year: money for year, money in line.items() if money is not None} for code, line in lines.items()},
        {code: ratio for code, ratio in ratios.items() if ratio is not None},
        0.0 if weight is None else weight,
        tuple(barred),
        tuple(by_status["must-fund"]),
        tuple(by_status["must-not-fund"]),
        levels,
    )
    faults += lever_faults(scenario, levers)
    if faults:
        raise ScenarioError(tuple(faults))
    return levers
