"""What a technology asks of its partners, and what they bring.

A technology needs some fields, each with a weight; by default its own alone. A partner's benefit is the weighted mean
over them of `rdsim.partnership.benefit` of the gap between its level and home's, and nothing in a field in which it
has no level. A consortium takes, field by field, the member whose benefit is best: so it brings what one member lacks,
and never less than any of its members; it pays for it in coordination, places and the opening of each.

Partners may be required or barred, by the technology itself or by its tags: that is about who takes part, so it counts
the members of a consortium. A technology may be given by its id or as the `Technology` itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from rdsim.domain import Partner, Scenario, Tag, Technology
from rdsim.partnership import benefit
from rdsim.scenario.judgement import figure

__all__ = [
    "barring",
    "best_members",
    "home_level",
    "is_partner_required",
    "level",
    "members",
    "named_partners",
    "needed_fields",
    "partner_benefit",
    "partner_refusal",
    "required_partners",
    "tags_of",
]


def technology_of(scenario: Scenario, technology: Technology | str) -> Technology:
    """The technology itself, of its id or of itself."""
    return scenario.technologies[technology] if isinstance(technology, str) else technology


# --- levels and benefits --------------------------------------------------------------------------


def members(scenario: Scenario, partner: str) -> tuple[str, ...]:
    """Codes of the partners in which a project with this partner takes places; () without one."""
    if not partner:
        return ()
    return scenario.partners[partner].members or (partner,)


def needed_fields(scenario: Scenario, technology: Technology | str) -> dict[str, float]:
    """Weights, adding up to 1, of the fields that a technology needs; where it names none, its own alone.

    Model: D7.
    """
    one = technology_of(scenario, technology)
    given = one.needs_fields or {one.field: 1.0}
    total = math.fsum(given.values())
    return {field: weight / total for field, weight in given.items()}


def home_level(scenario: Scenario, technology: Technology | str, field: str = "") -> float:
    """Home capability level, best in the world about 100; in a field, that of `home_levels` if it is given there."""
    one = technology_of(scenario, technology)
    if field in one.home_levels:
        return one.home_levels[field]
    said = figure(scenario, one.id, "home_level")
    return one.home_level if said is None else said


def level(scenario: Scenario, partner: str, field: str) -> float:
    """Technology level of a partner in a field, 0 for none; of a consortium, its best member's."""
    return max((scenario.levels.get(one, {}).get(field, 0.0) for one in members(scenario, partner)), default=0.0)


def best_members(scenario: Scenario, technology: Technology | str, partner: str) -> dict[str, tuple[str, float]]:
    """Who brings most in each field that a technology needs, and that benefit; '' and 0 where nobody has a level.

    Of members that bring the same, the first is named.

    Model: D7.
    """
    one = technology_of(scenario, technology)
    return {
        field: max(_member_benefits(scenario, one, partner, field), key=lambda told: told[1], default=("", 0.0))
        for field in needed_fields(scenario, one)
    }


def _member_benefits(
    scenario: Scenario, technology: Technology, partner: str, field: str
) -> Iterator[tuple[str, float]]:
    """Each member that has a level in a field, with its benefit there."""
    home = home_level(scenario, technology, field)
    for one in members(scenario, partner):
        has = level(scenario, one, field)
        if has > 0:
            yield one, benefit(scenario.partner_effect, has - home)


def partner_benefit(scenario: Scenario, technology: Technology | str, partner: str) -> float:
    """Benefit of a partner for a technology, from 0 to 1, before absorption; 0 without a partner.

    Model: D7.
    """
    weights, best = needed_fields(scenario, technology), best_members(scenario, technology, partner)
    return math.fsum(weight * best[field][1] for field, weight in weights.items())


# --- who must take part, and who must not ---------------------------------------------------------


def named_partners(scenario: Scenario, names: Iterable[str]) -> tuple[str, ...]:
    """The partners that names stand for, each once: a consortium's members, listed or joined by ``+``."""
    found: dict[str, None] = {}
    for name in names:
        known = name in scenario.partners
        found |= dict.fromkeys(members(scenario, name) if known else name.split("+"))
    return tuple(found)


def required_partners(scenario: Scenario, technology: Technology | str) -> tuple[str, ...]:
    """Codes of those that must all take part in a technology; () if nobody must."""
    return named_partners(scenario, technology_of(scenario, technology).partners_required)


def tags_of(scenario: Scenario) -> list[str]:
    """Names of the scenario's columns ``tag.NAME``, in order of name."""
    return sorted({name for row in scenario.technologies.values() for name in row.tags})


def barring(scenario: Scenario, technology: Technology | str, partner: str) -> tuple[str, str] | None:
    """Who of a partner's members must not take part in a technology and why, or None: also the consortium itself.

    Model: D19.
    """
    one = technology_of(scenario, technology)
    for code in dict.fromkeys((partner, *members(scenario, partner))):
        if code in one.partners_barred:
            return code, "the technology bars it"
        for name, tag in _barring_tags(scenario.tags, one):
            if why := _barred_by_tag(scenario.partners[code], tag):
                return code, f"tag {tag.label or name} bars {why}"
    return None


def _barring_tags(tags: Mapping[str, Tag], technology: Technology) -> Iterator[tuple[str, Tag]]:
    """Tags that a technology has at a value for which partners are barred."""
    for name, tag in tags.items():
        value = technology.tags.get(name, "").strip()
        if value in tag.values if tag.values else value not in ("", "0"):
            yield name, tag


def _barred_by_tag(partner: Partner, tag: Tag) -> str:
    """What of a partner a tag bars, in words; '' for nothing."""
    if partner.code in tag.partners_barred:
        return "it"
    network = next((one for one in partner.networks if one in tag.networks_barred), "")
    return network and f"network {network}"


def partner_refusal(scenario: Scenario, technology: Technology, partner: str) -> str:
    """'' if a technology may be worked on with this partner ('' for none), or the reason why not.

    Model: D19.
    """
    required = required_partners(scenario, technology)
    if not partner:
        return _alone_refusal(scenario, technology, required)
    absent = [code for code in required if code not in members(scenario, partner)]
    if absent:
        return f"it must be done with {_all(required)}, and {partner} is without {_all(absent)}"
    barred = barring(scenario, technology, partner)
    if barred is not None:
        return f"{barred[0]} must not take part: {barred[1]}"
    return _brings_nothing(scenario, technology, partner) or _full(scenario, partner)


def _alone_refusal(scenario: Scenario, technology: Technology, required: tuple[str, ...]) -> str:
    if is_partner_required(scenario, technology.programme):
        return f"programme {technology.programme} requires a foreign partner"
    return f"it must be done with {_all(required)}" if required else ""


def is_partner_required(scenario: Scenario, programme: str) -> bool:
    """Whether a programme takes no domestic project: its own rule, unless the scenario allows them everywhere.

    Model: D19.
    """
    return scenario.programmes[programme].foreign_partner_required and scenario.domestic != "allowed"


def _brings_nothing(scenario: Scenario, technology: Technology, partner: str) -> str:
    """Everyone who takes part must have a level in a field that is needed."""
    needed = list(needed_fields(scenario, technology))
    idle = [one for one in members(scenario, partner) if not any(level(scenario, one, field) for field in needed)]
    if not idle:
        return ""
    fields = f"field {needed[0]}" if len(needed) == 1 else f"any of the fields {', '.join(needed)}"
    return f"{idle[0]} has no level in {fields}"


def _full(scenario: Scenario, partner: str) -> str:
    """A partner without places can hold nothing; a consortium needs a place with each member."""
    closed = [one for one in members(scenario, partner) if not scenario.partners[one].places]
    return f"{closed[0]} has no places for joint projects" if closed else ""


def _all(codes: Iterable[str]) -> str:
    return " and ".join(codes)
