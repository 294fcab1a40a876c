"""A planner's words for what a portfolio problem calls by name: rows, options, groups, rules and their changes."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping

from rdsim.domain import Scenario
from rdsim.families import row_words, unit_of
from rdsim.languages import N_, join_texts, listing, pgettext, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.optimiser.questions.conflicts import Change, Conflict, Repair, Rule

__all__ = [
    "amount_words",
    "change_words",
    "conflict_words",
    "money_words",
    "one_more",
    "option_words",
    "partner_words",
    "ratio_words",
    "relaxation_words",
    "round_up",
    "rule_words",
    "shared_luck_words",
    "source_words",
    "technology_words",
    "unit_noun",
    "whole_option_words",
]

_LIMITS = {
    "<=": N_("{row} (at most {amount} {unit})"),
    ">=": N_("{row} (at least {amount} {unit})"),
    "==": N_("{row} (exactly {amount} {unit})"),
}
"""By the sense of a row."""

_WISHES = {"must-fund": N_("must-fund {technology}"), "must-not-fund": N_("must-not-fund {technology}")}
"""By the kind of a rule."""


def technology_words(scenario: Scenario, code: str) -> str:
    """`T017 (Quantum sensing)`; a code that is no technology stays as it is."""
    row = scenario.technologies.get(code)
    return f"{code} ({row.name})" if row else code


def partner_words(scenario: Scenario, code: str) -> str:
    """`US+TW (Consortium of the United States and Taiwan)`."""
    return f"{code} ({scenario.partners[code].name})"


def option_words(scenario: Scenario, name: str) -> str:
    """An option's name in words: `T017 with Germany from 2025`."""
    technology, partner, _mode, year = name.split("/")
    whom = scenario.partners[partner].name if partner in scenario.partners else ""
    told = _("{technology} with {partner} from {year}") if whom else _("{technology} alone from {year}")
    return told.format(technology=technology, partner=whom, year=year)


def whole_option_words(scenario: Scenario, name: str) -> str:
    """An option's name in words, with its way of funding: `T017 with Germany from 2025 (Matching funds)`."""
    mode = name.split("/")[2]
    title = scenario.modes[mode].name if mode in scenario.modes else mode
    return _("{option} ({mode})").format(option=option_words(scenario, name), mode=title)


def source_words(scenario: Scenario, source: str) -> str:
    """A source with the titles of documents in the place of their codes, where the scenario states them."""
    if not scenario.documents:
        return source
    codes = "|".join(re.escape(code) for code in sorted(scenario.documents, key=len, reverse=True))
    return re.sub(rf"(?:\bseed )?(?<!\w)({codes})(?!\w)", lambda found: scenario.documents[found[1]], source)


def money_words(scenario: Scenario, amount: float) -> str:
    """An amount of money, to three figures."""
    return _("{amount} {unit}").format(amount=_figures(amount), unit=unit_of_money(scenario.money_unit))


def amount_words(scenario: Scenario, key: Hashable, amount: float) -> str:
    """An amount of what a row counts, money or for instance places; to three figures."""
    return _("{amount} {unit}").format(amount=_figures(amount), unit=_noun(scenario, key, amount))


def _figures(amount: float) -> str:
    return numeral(amount, ",.3g") if abs(amount) < 1000 else numeral(amount, ",.0f")


def unit_noun(scenario: Scenario, key: Hashable) -> str:
    """What a row counts, as a column says it beside many numbers: the scenario's money, or for instance places."""
    return _noun(scenario, key, math.nan)


def one_more(scenario: Scenario, key: Hashable) -> str:
    """The noun of one of what a row counts."""
    return _noun(scenario, key, 1)


def _noun(scenario: Scenario, key: Hashable, amount: float) -> str:
    counted = unit_of(key)
    if counted is None:
        return unit_of_money(scenario.money_unit)
    return pgettext("unit", counted.one if amount == 1 else counted.many)


def ratio_words(scenario: Scenario, ratios: Mapping[str, float]) -> str:
    """To what budget rows hold expected payments: the announced money, or so much of it by programme."""
    other = {name: ratio for name, ratio in ratios.items() if f"{ratio:.0%}" != "100%"}
    if not other:
        return _("the announced money")
    told = _("{ratio} of the announced money of {name}")
    each = [told.format(ratio=f"{ratio:.0%}", name=scenario.programmes[name].name) for name, ratio in other.items()]
    parts = join_texts(each, ", ")
    return _("{parts} and all of the others'").format(parts=parts) if len(other) < len(ratios) else parts


def round_up(amount: float) -> float:
    """Three significant figures, rounded up: whoever follows the words has done enough."""
    if not 0 < amount < math.inf:
        return amount
    step = 10.0 ** (math.floor(math.log10(amount)) - 2)
    return math.ceil(amount / step - 1e-9) * step


def rule_words(scenario: Scenario, rule: Rule) -> str:
    """What a rule demands."""
    if rule.kind == "row":
        limit, unit = f"{rule.cap:,.6g}", _noun(scenario, rule.key, rule.cap)
        return _(_LIMITS[rule.sense]).format(row=row_words(scenario, rule.key), amount=limit, unit=unit)
    if rule.kind in _WISHES:
        return _(_WISHES[rule.kind]).format(technology=technology_words(scenario, rule.name))
    if rule.kind == "exclusion":
        return _("exclusion: at most one of {technologies}").format(technologies=rule.name)
    if rule.kind == "prerequisite":
        dependent, _between, needed = rule.name.partition(" needs ")
        told = _("prerequisite: {technology} needs {other}, started no later")
        return told.format(technology=dependent, other=needed)
    return rule.text


def change_words(scenario: Scenario, change: Change) -> str:
    """`raise the 2025 budget of Leapfrogging technologies by 3.1 billion KRW`, `drop must-fund T017 (...)`."""
    rule = change.rule
    if rule.kind != "row":
        return f"drop {rule_words(scenario, rule)}"
    verb = {"<=": "raise", ">=": "lower", "==": "widen"}[change.sense]
    by = amount_words(scenario, rule.key, round_up(change.amount))
    return f"{verb} {row_words(scenario, rule.key)} by {by}"


def conflict_words(scenario: Scenario, conflict: Conflict) -> str:
    """What conflicts, a rule to a line."""
    known = "no smaller set does" if conflict.smallest else "a smaller set may"
    if len(conflict.rules) == 1:
        return f"this cannot be met whatever else is dropped: {rule_words(scenario, conflict.rules[0])}"
    lines = [f"these {len(conflict.rules)} cannot all be met together ({known}):"]
    return "\n".join([*lines, *(f"  {rule_words(scenario, rule)}" for rule in conflict.rules)])


def relaxation_words(scenario: Scenario, relaxation: Repair) -> str:
    """The changes, joined."""
    return " and ".join(change_words(scenario, change) for change in relaxation.changes)


def shared_luck_words(scenario: Scenario) -> str:
    """What luck is shared, as shares of variance: how wide values spread, and how likely a loss is, rests on that.

    `markets 10% with all and 20% within a field; ...`; where nothing is shared, that is named: `markets independent`.
    """
    told = [
        _("{luck} {shares}").format(luck=what, shares=_share_words(parts))
        for what, parts in _luck_parts(scenario)
        if parts is not None
    ]
    return join_texts(told, "; ")


_WITH_ALL, _IN_FIELD, _IN_BLOC = N_("{share} with all"), N_("{share} within a field"), N_("{share} within a bloc")


def _luck_parts(scenario: Scenario) -> list[tuple[str, dict[str, float] | None]]:
    """Shares of variance by who shares; None for luck that the scenario does not have."""
    risks, market, field = scenario.risks, scenario.risks.market_factor, scenario.risks.field_factor
    breaking = any(partner.break_rate > 0.0 for partner in scenario.partners.values())
    return [
        (_("coming to the market"), {_WITH_ALL: market.chance_common, _IN_FIELD: market.chance_field}),
        (_("market values"), {_WITH_ALL: market.value_common, _IN_FIELD: market.value_field}),
        (_("success of steps"), {_IN_FIELD: field.success_loading**2}),
        (_("time of steps"), {_IN_FIELD: field.duration_loading**2}),
        (_("budgets of a year"), {_WITH_ALL: risks.budget.common} if risks.budget.sd > 0.0 else None),
        (_("breaks of a year"), {_IN_BLOC: risks.breaks.bloc_share} if breaking else None),
    ]


def _share_words(parts: Mapping[str, float]) -> str:
    found = [_(whom).format(share=f"{numeral(100.0 * share, '.3g')}%") for whom, share in parts.items() if share > 0.0]
    return listing(found) if found else _("independent")
