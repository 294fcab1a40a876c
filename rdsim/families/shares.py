"""Shares of the money: of a field what its projects are paid, of a partner what is paid while joint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from rdsim.domain import Limit, Scenario
from rdsim.families.family import Family
from rdsim.families.masks import options_of
from rdsim.families.rows import Openings, Options, Past, Row
from rdsim.languages import gettext as _

if TYPE_CHECKING:
    from rdsim.arrays import Floats


__all__ = ["FIELDS", "PARTNERS"]


def _field_rows(scenario: Scenario, options: Options) -> Iterator[Row]:
    """Model: R17."""
    total = options.payments.sum(axis=1)
    yield from _limit_rows(
        scenario, scenario.limits.fields, lambda field: total * options_of(scenario, options, "field", field)
    )


def _partner_rows(scenario: Scenario, options: Options, openings: Openings) -> Iterator[Row]:
    """Model: R18."""
    total = options.joint.sum(axis=1)
    place = {code: p for p, code in enumerate(openings.partners)}
    yield from _limit_rows(scenario, scenario.limits.partners, lambda code: total * openings.joined[:, place[code]])


def _limit_rows(scenario: Scenario, limits: Mapping[str, Limit], use: Callable[[str], Floats]) -> Iterator[Row]:
    """Floors, then ceilings, on expected payments as shares of the whole announced budget."""
    total = _money(scenario)
    for name, limit in limits.items():
        if limit.floor > 0:
            yield Row(use(name), limit.floor * total, name, side="floor", sense=">=")
    for name, limit in limits.items():
        if limit.ceiling < 1:
            yield Row(use(name), limit.ceiling * total, name, side="ceiling")


def _money(scenario: Scenario) -> float:
    return sum(sum(line.budget.values()) for line in scenario.programmes.values())


def _remaining(scenario: Scenario, left: Scenario, sense: str, cap: float, held: float, spent: float) -> float:
    """A share of the whole announced money less what was paid; who is under way keeps what he will be paid.

    Model: R26.
    """
    money = _money(left)
    share = cap / money * _money(scenario) - spent if money else 0.0
    return min(share, held) if sense == ">=" else max(share, held)


def _field_remaining(
    scenario: Scenario, left: Scenario, past: Past, what: str, sense: str, cap: float, held: float
) -> float:
    """Model: R26."""
    spent = sum(one.paid for one in past.projects if scenario.technologies[one.choice.technology].field == what)
    return _remaining(scenario, left, sense, cap, held, spent)


def _partner_remaining(
    scenario: Scenario, left: Scenario, past: Past, what: str, sense: str, cap: float, held: float
) -> float:
    """Model: R26."""
    spent = sum(one.paid_joint for one in past.projects if what in one.partners)
    return _remaining(scenario, left, sense, cap, held, spent)


def _share_words(name: str, side: str) -> str:
    told = _("the floor on the share of {name}") if side == "floor" else _("the ceiling on the share of {name}")
    return told.format(name=name)


def _field_words(scenario: Scenario, what: str, side: str) -> str:
    return _share_words(scenario.fields[what].name, side)


def _partner_words(scenario: Scenario, what: str, side: str) -> str:
    return _share_words(scenario.partners[what].name, side)


FIELDS = Family(_field_rows, _field_words, remaining=_field_remaining)
PARTNERS = Family(_partner_rows, _partner_words, remaining=_partner_remaining)
