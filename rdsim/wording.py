"""A planner's words for what a portfolio problem calls by name: rows, options, groups, rules and their changes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rdsim.domain import Scenario
from rdsim.numerals import numeral
from rdsim.optimiser.questions.conflicts import Change, Conflict, Relaxation, Rule

__all__ = [
    "amount_words",
    "change_words",
    "conflict_words",
    "option_words",
    "ratio_words",
    "relaxation_words",
    "rounded_up",
    "row_words",
    "rule_words",
    "technology_words",
]

_COUNTED = {"starts": "starts", "places": "places", "institutes": "projects"}
"""Families of rows that do not count money, and what they count."""


_NAMED = {
    "budget": ("programmes", "the {year} budget of {name}"),
    "starts": ("programmes", "the starts of {name} in {year}"),
    "places": ("partners", "the places at {name} in {year}"),
    "institutes": ("institutes", "the teams of {name} in {year}"),
}
"""Families of rows that each bind one thing in a year: where it is named, and their words."""


def technology_words(scenario: Scenario, code: str) -> str:
    """`T017 (Quantum sensing)`; a code that is no technology stays as it is."""
    row = scenario.technologies.get(code)
    return f"{code} ({row.name})" if row else code


def option_words(scenario: Scenario, name: str) -> str:
    """An option's name in words: `T017 with Germany from 2025`."""
    technology, partner, _, year = name.split("/")
    whom = scenario.partners[partner].name if partner in scenario.partners else ""
    return f"{technology} with {whom} from {year}" if whom else f"{technology} alone from {year}"


def row_words(scenario: Scenario, name: str) -> str:
    """A row's name in words: `the 2025 budget of Leapfrogging technologies`."""
    family, *rest = name.split(" ")
    what, year = " ".join(rest[:-1]), rest[-1] if rest else ""
    table, words = _NAMED.get(family, ("", ""))
    named = getattr(scenario, table).get(what) if table else None
    if named:
        return words.format(name=named.name, year=year)
    if family == "abroad":
        return f"the cap on money paid abroad in {year}"
    if family == "international":
        return f"the international share of {year}"
    return _share_words(scenario, family, rest) if len(rest) == 2 else name


def _share_words(scenario: Scenario, family: str, rest: list[str]) -> str:
    """Floors and ceilings on the shares of fields and partners."""
    side, who = rest
    named = scenario.fields.get(who) if family == "field" else scenario.partners.get(who)
    return f"the {side} on the share of {named.name}" if named else f"{family} {side} {who}"


def amount_words(scenario: Scenario, family: str, amount: float) -> str:
    """An amount of what a family of rows counts: money, starts, places or projects; to three figures."""
    unit = _COUNTED.get(family, scenario.money_unit)
    unit = unit.removesuffix("s") if family in _COUNTED and amount == 1 else unit
    return f"{numeral(amount, ',.3g')} {unit}" if abs(amount) < 1000 else f"{numeral(amount, ',.0f')} {unit}"


def ratio_words(scenario: Scenario, ratios: Mapping[str, float]) -> str:
    """To what budget rows hold expected payments: the announced money, or so much of it by programme."""
    other = {name: ratio for name, ratio in ratios.items() if f"{ratio:.0%}" != "100%"}
    if not other:
        return "the announced money"
    each = [f"{ratio:.0%} of the announced money of {scenario.programmes[name].name}" for name, ratio in other.items()]
    rest = " and all of the others'" if len(other) < len(ratios) else ""
    return f"{', '.join(each)}{rest}"


def rounded_up(amount: float) -> float:
    """Three significant figures, rounded up: whoever follows the words has done enough."""
    if not 0 < amount < math.inf:
        return amount
    step = 10.0 ** (math.floor(math.log10(amount)) - 2)
    return math.ceil(amount / step - 1e-9) * step


def rule_words(scenario: Scenario, rule: Rule) -> str:
    """What a rule demands."""
    if rule.kind == "row":
        limit = rule.text.split(": ", 1)[-1]
        unit = _COUNTED.get(rule.family.split(" ")[0], scenario.money_unit)
        return f"{row_words(scenario, rule.name)} ({limit} {unit})"
    if rule.kind in {"must-fund", "must-not-fund"}:
        return f"{rule.kind} {technology_words(scenario, rule.name)}"
    return rule.text


def change_words(scenario: Scenario, change: Change) -> str:
    """`raise the 2025 budget of Leapfrogging technologies by 3.1 billion KRW`, `drop must-fund T017 (...)`."""
    rule = change.rule
    if rule.kind != "row":
        return f"drop {rule_words(scenario, rule)}"
    verb = {"<=": "raise", ">=": "lower", "==": "widen"}[change.sense]
    by = amount_words(scenario, rule.family.split(" ")[0], rounded_up(change.amount))
    return f"{verb} {row_words(scenario, rule.name)} by {by}"


def conflict_words(scenario: Scenario, conflict: Conflict) -> str:
    """What conflicts, a rule to a line."""
    known = "no smaller set does" if conflict.smallest else "a smaller set may"
    if len(conflict.rules) == 1:
        return f"this cannot be met whatever else is dropped: {rule_words(scenario, conflict.rules[0])}"
    lines = [f"these {len(conflict.rules)} cannot all be met together ({known}):"]
    return "\n".join([*lines, *(f"  {rule_words(scenario, rule)}" for rule in conflict.rules)])


def relaxation_words(scenario: Scenario, relaxation: Relaxation) -> str:
    """The changes, joined."""
    return " and ".join(change_words(scenario, change) for change in relaxation.changes)
