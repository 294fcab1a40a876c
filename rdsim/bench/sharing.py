"""What portfolios have in common, and where they differ: technologies, partners, modes, starts."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.words import technology_words

__all__ = ["common", "difference_words", "differences"]

_SHOWN = 5
"""Technologies that a sentence names."""


def common(one: Portfolio, other: Portfolio) -> dict[str, int]:
    """How many technologies both fund, and of these with the same partner, mode and start; and only one of them."""
    mine, others = _by_technology(one), _by_technology(other)
    both = [(mine[name], others[name]) for name in mine if name in others]
    return {
        "funded": len(mine),
        "shared": len(both),
        "same_partner": sum(a.partner == b.partner for a, b in both),
        "same_mode": sum(a.mode == b.mode for a, b in both),
        "same_start": sum(a.start_year == b.start_year for a, b in both),
        "same_all": sum((a.partner, a.mode, a.start_year) == (b.partner, b.mode, b.start_year) for a, b in both),
        "only_here": len(mine.keys() - others.keys()),
        "only_there": len(others.keys() - mine.keys()),
    }


def differences(scenario: Scenario, one: Portfolio, other: Portfolio) -> Iterator[dict[str, object]]:
    """Decision by decision, what is otherwise in the other portfolio.

    Each is a row: technology, name, change (only here, only there, partner, mode, start), here, there.
    """
    mine, others = _by_technology(one), _by_technology(other)
    for code in sorted(mine.keys() | others.keys()):
        here, there = mine.get(code), others.get(code)
        head = {"technology": code, "name": scenario.technologies[code].name}
        if here is None or there is None:
            change = "only there" if here is None else "only here"
            yield {**head, "change": change, "here": _whole(scenario, here), "there": _whole(scenario, there)}
            continue
        for change, a, b in _unlike(scenario, here, there):
            yield {**head, "change": change, "here": a, "there": b}


def _unlike(scenario: Scenario, here: Choice, there: Choice) -> Iterator[tuple[str, str, str]]:
    if here.partner != there.partner:
        yield "partner", _partner(scenario, here), _partner(scenario, there)
    if here.mode != there.mode:
        yield "mode", scenario.modes[here.mode].name, scenario.modes[there.mode].name
    if here.start_year != there.start_year:
        yield "start", str(here.start_year), str(there.start_year)


def difference_words(scenario: Scenario, one: Portfolio, other: Portfolio) -> str:
    """What the other portfolio does otherwise, in a sentence without its subject: `funds A and B, not C; ...`."""
    mine, others, told = _by_technology(one), _by_technology(other), common(one, other)
    parts = []
    for verb, names in (("funds", others.keys() - mine.keys()), ("does not fund", mine.keys() - others.keys())):
        if names:
            ordered = sorted(names, key=lambda name: (-scenario.technologies[name].cost, name))
            name_list = ", ".join(technology_words(scenario, name) for name in ordered[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            parts.append(f"{verb} {name_list}{more}")
    for what, name in (("partner", "same_partner"), ("way of funding", "same_mode"), ("start", "same_start")):
        if apart := told["shared"] - told[name]:
            parts.append(f"has another {what} for {apart} of {told['shared']} that both fund")
    return "; ".join(parts) or "is the same but for the order of priority"


def _by_technology(portfolio: Portfolio) -> dict[str, Choice]:
    return {choice.technology: choice for choice in portfolio.choices}


def _partner(scenario: Scenario, choice: Choice) -> str:
    return scenario.partners[choice.partner].name if choice.partner else "no partner"


def _whole(scenario: Scenario, choice: Choice | None) -> str:
    if choice is None:
        return ""
    return f"{_partner(scenario, choice)}, {scenario.modes[choice.mode].name}, {choice.start_year}"
