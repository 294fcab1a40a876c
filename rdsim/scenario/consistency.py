"""What must hold between the parts of a scenario: references, years, windows, shares, cycles.

Each rule is a generator of findings over a validated scenario; `contradictions` runs them all, so that every fault
is known at once.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rdsim.domain import (
    Calibration,
    FacilityNeed,
    Judgement,
    Limit,
    Link,
    Mode,
    Partner,
    Programme,
    Scenario,
    Screening,
    Technology,
    TechnologyStep,
)
from rdsim.figures import columns_of, current_name, figures_of
from rdsim.scenario.bounds import unsound_bounds
from rdsim.scenario.extensions import unfit
from rdsim.scenario.figures import call_months
from rdsim.scenario.findings import Finding
from rdsim.scenario.judgement import LARGEST_SPREAD, SCALES, Z90
from rdsim.scenario.partners import named_partners, needed_fields, tags_of
from rdsim.scenario.shapes import Path, judged_shape, with_limit, within, words
from rdsim.scenario.success import Mix, reach, reference_mix, unreachable
from rdsim.tables import did_you_mean, shown_value

__all__ = ["contradictions", "references"]

_NOUNS = {
    "calibrations": "a calibration",
    "facilities": "a facility",
    "fields": "a field",
    "institutes": "an institute",
    "modes": "a mode",
    "panels": "a panel",
    "partners": "a partner",
    "programmes": "a programme",
    "technologies": "a technology",
    "uncertainty": "an uncertainty class",
}
_TOLERANCE = 1e-9


def contradictions(scenario: Scenario) -> Iterator[Finding]:
    """Every rule between parts that the scenario breaks, in the order of the rules below."""
    rules = (
        *(
            unfit,
            _references,
            _identities,
            _calendar,
            _money,
            _plans,
            _windows,
            _waivers,
            _networks,
            _domestic,
            _formations,
        ),
        *(
            _partners,
            _limits,
            _links,
            _cycles,
            _needs,
            _success,
            _own_steps,
            _judgements,
            _judgement_rules,
            _risk,
            _market_factors,
            _market,
        ),
        *(_figures, _aim, _tags, _demands, _consortium_levels, unsound_bounds),
    )
    for rule in rules:
        yield from rule(scenario)


def _figures(s: Scenario) -> Iterator[Finding]:
    """Figures of one's own: each line has its column, and no name is one that a figure has already."""
    columns = columns_of(s)
    for name in s.figures:
        if name not in columns:
            rule = f"must name a column figure.{name} of technologies.csv"
            yield Finding((("figures", name), ("technologies",)), rule, "no such column", did_you_mean(name, columns))
    known = figures_of(dataclasses.replace(s, technologies={}, figures={}, aim={}))
    for name in columns:
        if name in known:
            rule, advice = "must not have the name of another figure", f"That is: {known[name].label}."
            yield Finding((("technologies", "*", "figures", name),), rule, shown_value(name), advice)


def _aim(s: Scenario) -> Iterator[Finding]:
    """The aim weighs figures that options contribute to."""
    every = figures_of(s) if s.aim else {}
    known = {name: one for name, one in every.items() if one.is_additive}
    for name in s.aim:
        if name not in known:
            now = current_name(name, known)
            advice = f"Did you mean '{now}'?" if now != name else did_you_mean(name, known)
            advice = "That is of the portfolio alone." if name in every else advice
            yield Finding((("aim", name),), "must be a figure that options contribute to", shown_value(name), advice)


def _references(s: Scenario) -> Iterator[Finding]:
    for path, name, table in dict.fromkeys(_mentions(s)):
        known = getattr(s, table)
        if name not in known:
            rule = f"must name {_NOUNS[table]} of the scenario"
            yield Finding((path, (table,), (table, name)), rule, shown_value(name), did_you_mean(name, known))


def references(s: Scenario) -> dict[Path, str]:
    """The places at which the scenario names something, with ``*`` for the entry, and the table that must hold it.

    Tables without rows are told of by a row that stands in for one.
    """
    stood_in = dataclasses.replace(
        s,
        links=s.links or (Link("exclusion", "", ""),),
        facility_needs=s.facility_needs or (FacilityNeed("", 1, ""),),
        technology_steps=s.technology_steps or (TechnologyStep("", 1),),
        judgements=s.judgements or (Judgement("", "value", "", 0.0, 0.0, 0.0),),
    )
    return {(path[0], "*", *path[2:]) if len(path) > 1 else path: table for path, _, table in _mentions(stood_in)}


def _mentions(s: Scenario) -> Iterator[tuple[Path, str, str]]:
    """Every place that names something: its path, the name, and the table that must hold it."""
    yield ("calibration",), s.calibration, "calibrations"
    if s.network.programme:
        yield ("network", "programme"), s.network.programme, "programmes"
    for code, programme in s.programmes.items():
        if programme.gate.panel:
            yield ("programmes", code, "gate", "panel"), programme.gate.panel, "panels"
    yield from _mentions_of_mixes(s)
    yield from _mentions_of_rows(s)
    for code, tag in s.tags.items():
        for name in tag.partners_barred:
            yield ("tags", code, "partners_barred"), name, "partners"
    for key, table in (("fields", "fields"), ("partners", "partners")):
        for name in getattr(s.limits, key):
            yield ("limits", key, name), name, table
    for key in ("payment_ratio", "award_ratio"):
        for name in getattr(s.optimiser, key):
            yield ("optimiser", key, name), name, "programmes"


def _mentions_of_mixes(s: Scenario) -> Iterator[tuple[Path, str, str]]:
    """Fields and classes of the reference mixes' rows."""
    for name, one in s.calibrations.items():
        for index, row in enumerate(one.reference):
            for column, table in (("field", "fields"), ("uncertainty", "uncertainty")):
                if getattr(row, column):
                    yield ("calibrations", name, "reference", index, column), getattr(row, column), table


def _mentions_of_rows(s: Scenario) -> Iterator[tuple[Path, str, str]]:
    for code, technology in s.technologies.items():
        yield from _named_by_technology(s, code, technology)
    for code, partner in s.partners.items():
        for column, table in (("members", "partners"), ("modes", "modes")):
            for name in getattr(partner, column):
                yield ("partners", code, column), name, table
    for code, levels in s.levels.items():
        yield ("levels", code), code, "partners"
        for field in levels:
            yield ("levels", "*", field), field, "fields"
    for index, link in enumerate(s.links):
        yield ("links", index, "technology"), link.technology, "technologies"
        yield ("links", index, "other"), link.other, "technologies"
    for index, need in enumerate(s.facility_needs):
        yield ("facility_needs", index, "technology"), need.technology, "technologies"
        yield ("facility_needs", index, "facility"), need.facility, "facilities"
    for index, step in enumerate(s.technology_steps):
        yield ("technology_steps", index, "technology"), step.technology, "technologies"
    for index, one in enumerate(s.judgements):
        yield ("judgements", index, "technology"), one.technology, "technologies"


def _named_by_technology(s: Scenario, code: str, technology: Technology) -> Iterator[tuple[Path, str, str]]:
    path: Path = ("technologies", code)
    for column, table in (("programme", "programmes"), ("field", "fields"), ("uncertainty", "uncertainty")):
        yield (*path, column), getattr(technology, column), table
    if technology.institute:
        yield (*path, "institute"), technology.institute, "institutes"
    for name in technology.needs_fields:
        yield (*path, "needs_fields", name), name, "fields"
    for name in named_partners(s, technology.partners_required):
        yield (*path, "partners_required"), name, "partners"
    for name in technology.partners_barred:
        yield (*path, "partners_barred"), name, "partners"


def _identities(s: Scenario) -> Iterator[Finding]:
    keyed: tuple[tuple[str, str, Mapping[str, object]], ...] = (
        ("technologies", "id", s.technologies),
        ("partners", "code", s.partners),
    )
    for table, column, entries in keyed:
        for key, entry in entries.items():
            given = getattr(entry, column)
            if given != key:
                yield Finding(
                    ((table, key, column),), f"must be the same as its key, {shown_value(key)}", shown_value(given)
                )


def _calendar(s: Scenario) -> Iterator[Finding]:
    ends: tuple[Path, ...] = (("horizon_year",), ("start_year",))
    if s.start_year > s.horizon_year:
        yield Finding(ends, "start_year must not come after horizon_year", f"{s.start_year} and {s.horizon_year}")
        return
    rule = f"must be a year of the scenario, from {s.start_year} (start_year) to {s.horizon_year} (horizon_year)"
    for path, years in _yearly(s):
        for year in years:
            if not s.start_year <= year <= s.horizon_year:
                yield Finding(((*path, str(year)), *ends), rule, str(year))


def _yearly(s: Scenario) -> Iterator[tuple[Path, Iterable[int]]]:
    for code, programme in s.programmes.items():
        yield ("programmes", code, "budget"), programme.budget
        yield ("programmes", code, "starts"), programme.starts
    yield ("international", "share_floor"), s.international.share_floor
    yield ("international", "abroad_cap"), s.international.abroad_cap
    yield ("market", "world"), s.market.world
    yield ("market", "target"), s.market.target


def _money(s: Scenario) -> Iterator[Finding]:
    if s.requests_total == 0:
        yield Finding((("requests_total",),), "must be above 0: all costs are scaled to it", "0")
    for year, floor in s.international.share_floor.items():
        place: Path = ("international", "rd_budget", str(year))
        if floor > 0 and not s.international.rd_budget.get(year):
            paths = (("international", "share_floor", str(year)), place)
            yield Finding(paths, "a floor of the international share needs an rd_budget above 0 in that year", "none")


def _plans(s: Scenario) -> Iterator[Finding]:
    for code, programme in s.programmes.items():
        yield from _plan(("programmes", code), programme)
        yield from _screening(("programmes", code, "screening"), programme.screening)
        into_year = call_months(s, programme)
        if into_year >= 12:
            paths: tuple[Path, ...] = (("programmes", code, "screening"), ("programmes", code, "call_month"))
            rule = "the call and the months of its screening must fit in a fiscal year, below 12 months"
            yield Finding(paths, rule, f"{into_year:g} months")
    if s.partner_effect.trl_low > s.partner_effect.trl_high:
        found = f"{s.partner_effect.trl_low} and {s.partner_effect.trl_high}"
        paths = (("partner_effect", "trl_low"), ("partner_effect", "trl_high"))
        yield Finding(paths, "trl_low must not be above trl_high", found)


def _plan(path: Path, programme: Programme) -> Iterator[Finding]:
    total = sum(tranche.share for tranche in programme.tranches)
    if abs(total - 1) > _TOLERANCE:
        yield Finding(((*path, "tranches"),), "the shares of the tranches must sum to 1", f"{total:.12g}")
    low, high = programme.trl_entry_min, programme.trl_entry_max
    if low > high:
        paths = ((*path, "trl_entry_min"), (*path, "trl_entry_max"))
        yield Finding(paths, "trl_entry_min must not be above trl_entry_max", f"{low} and {high}")
    if programme.foreign_partner_required and programme.fallback != "drop":
        paths = ((*path, "fallback"), (*path, "foreign_partner_required"))
        rule = "must be 'drop' where a foreign partner is required: no project may go on domestically"
        yield Finding(paths, rule, shown_value(programme.fallback))
    for name, one in programme.deliverables.items():
        if one.due_tranche > len(programme.tranches):
            paths = ((*path, "deliverables", name, "due_tranche"), (*path, "tranches"))
            yield Finding(paths, f"must be a tranche from 1 to {len(programme.tranches)}, or 0", str(one.due_tranche))


def _screening(path: Path, screening: Screening) -> Iterator[Finding]:
    depth = screening.depth
    if depth is not None and depth > len(screening.layers):
        paths = ((*path, "depth"), (*path, "layers"))
        yield Finding(paths, f"must be at most the number of layers, {len(screening.layers)}", str(depth))
    if screening.layers and screening.keep is None:
        paths = ((*path, "keep"), (*path, "layers"))
        yield Finding(paths, "must say how many candidates the layers keep", "nothing")


def _windows(s: Scenario) -> Iterator[Finding]:
    for code, technology in s.technologies.items():
        path = ("technologies", code)
        if technology.programme in s.programmes:
            yield from _window(path, technology, s.programmes[technology.programme])
        if technology.value is None and not (technology.market_size > 0 and technology.market_share > 0):
            found = f"no value, market_size {technology.market_size:g}, market_share {technology.market_share:g}"
            paths = tuple((*path, one) for one in ("value", "market_size", "market_share"))
            yield Finding(paths, "must be given, or a market_size and a market_share above 0", found)


def _window(path: Path, technology: Technology, programme: Programme) -> Iterator[Finding]:
    """Model: D6."""
    rules: Path = ("programmes", technology.programme)
    low, high = programme.trl_entry_min, programme.trl_entry_max
    shared = ((*path, "trl"), (*path, "programme"))
    if low <= high and not low <= technology.trl <= high:
        paths = (*shared, (*rules, "trl_entry_min"), (*rules, "trl_entry_max"))
        rule = f"must be in the entry window of programme {technology.programme}, TRL {low} to {high}"
        yield Finding(paths, rule, str(technology.trl))
    target = technology.trl_target or programme.trl_target
    if technology.trl >= target:
        paths = (*shared, (*path, "trl_target"), (*rules, "trl_target"))
        yield Finding(paths, f"must be below the target TRL, {target}", str(technology.trl))


def _waivers(s: Scenario) -> Iterator[Finding]:
    """What is not asked of a technology is something that its programme asks for."""
    for code, technology in s.technologies.items():
        rules: Path = ("programmes", technology.programme, "deliverables")
        asked = s.programmes[technology.programme].deliverables if technology.programme in s.programmes else None
        for name in technology.waives:
            if asked is not None and name not in asked:
                rule = f"must name deliverables of programme {technology.programme}, separated by |"
                yield Finding(
                    (("technologies", code, "waives"), rules), rule, shown_value(name), did_you_mean(name, asked)
                )


def _networks(s: Scenario) -> Iterator[Finding]:
    known = {network for partner in s.partners.values() for network in partner.networks}
    for code, programme in s.programmes.items():
        for network in programme.preferred_networks:
            if network not in known:
                paths: tuple[Path, ...] = (("programmes", code, "preferred_networks"), ("partners",))
                rule = "must name a network that a partner belongs to"
                yield Finding(paths, rule, shown_value(network), did_you_mean(network, known))


def _domestic(s: Scenario) -> Iterator[Finding]:
    if "domestic" not in s.modes:
        rule = "there must be a mode 'domestic', the one without a partner"
        yield Finding((("modes",), ("modes", "domestic")), rule, "none", did_you_mean("domestic", s.modes))
        return
    plain = Mode("")
    for spec in dataclasses.fields(Mode):
        given, default = getattr(s.modes["domestic"], spec.name), getattr(plain, spec.name)
        if spec.name != "name" and given != default:
            rule = f"must be {shown_value(default)} in the mode 'domestic', which has no partner"
            yield Finding((("modes", "domestic", spec.name),), rule, shown_value(given))


def _formations(s: Scenario) -> Iterator[Finding]:
    """An agreement is formed as a whole or in stages, never both; stages have different names."""
    for code, mode in s.modes.items():
        path: Path = ("modes", code)
        agreed = [one.name for one in dataclasses.fields(Mode) if one.name.startswith("agreement_")]
        given = [name for name in agreed if getattr(mode, name) != getattr(Mode, name)]
        if mode.formation and given:
            paths = tuple((*path, name) for name in (*given, "formation"))
            rule = "must be left out where a formation gives the stages of the agreement"
            yield Finding(paths, rule, ", ".join(given), "Write it as a stage of the formation, or leave that out.")
        names = [stage.name for stage in mode.formation]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                yield Finding(((*path, "formation"),), "stages must have different names", shown_value(name))


def _partners(s: Scenario) -> Iterator[Finding]:
    for code, partner in s.partners.items():
        path = ("partners", code)
        yield from _partner(path, partner)
        if partner.members:
            yield from _consortium(path, partner, s.partners)
        for column in ("setup_cost", "running_cost"):
            if getattr(partner, column) > 0 and not s.network.programme:
                rule = "a partner that costs money needs network.programme, the line that pays"
                yield Finding(((*path, column), ("network", "programme")), rule, f"{getattr(partner, column):g}")


def _partner(path: Path, partner: Partner) -> Iterator[Finding]:
    if "domestic" in partner.modes:
        yield Finding(((*path, "modes"),), "a partner offers joint modes, never 'domestic'", "'domestic'")
    if not (len(partner.currency) == 3 and partner.currency.isascii() and partner.currency.isupper()):
        rule = "must be a currency's code of three capital letters, as USD"
        yield Finding(((*path, "currency"),), rule, shown_value(partner.currency))
    for column in ("networks", "members", "modes"):
        names = getattr(partner, column)
        wrong = [name for name in names if not name.strip() or "|" in name]
        if wrong or len(set(names)) < len(names):
            found = shown_value(wrong[0]) if wrong else shown_value("|".join(names))
            yield Finding(((*path, column),), "must be different names, separated by |", found)


def _consortium(path: Path, partner: Partner, known: Mapping[str, Partner]) -> Iterator[Finding]:
    if len(set(partner.members)) < 2:
        yield Finding(((*path, "members"),), "a consortium must have at least two members", str(len(partner.members)))
    for member in partner.members:
        if member in known and known[member].members:
            paths = ((*path, "members"), ("partners", member, "members"))
            yield Finding(paths, "a member must not be a consortium itself", shown_value(member))
    for column in ("places", "setup_cost", "setup_months", "running_cost", "break_rate"):
        if getattr(partner, column):
            rule = f"must be 0 or empty: a consortium's {column.replace('_', ' ')} is its members'"
            yield Finding(((*path, column), (*path, "members")), rule, f"{getattr(partner, column):g}")
    if partner.bloc:
        rule = "must be empty: a consortium's members break, each with its bloc"
        yield Finding(((*path, "bloc"), (*path, "members")), rule, shown_value(partner.bloc))


def _consortium_levels(s: Scenario) -> Iterator[Finding]:
    for code in s.levels:
        if code in s.partners and s.partners[code].members:
            rule = "must not be given for a consortium: it has its members' levels, the best one field by field"
            yield Finding((("levels", code), ("partners", code, "members")), rule, shown_value(code), "Delete the row.")


def _demands(s: Scenario) -> Iterator[Finding]:
    """What technologies ask of partners: home levels of fields that they need, nobody both required and barred."""
    for code, technology in s.technologies.items():
        path: Path = ("technologies", code)
        needed = needed_fields(s, technology)
        for name in technology.home_levels:
            if name not in needed:
                paths: tuple[Path, ...] = ((*path, "home_levels", name), (*path, "needs_fields"), (*path, "field"))
                rule = f"must be of a field that it needs: {', '.join(needed)}"
                yield Finding(paths, rule, shown_value(name), did_you_mean(name, needed))
        for column in ("partners_required", "partners_barred"):
            yield from _different((*path, column), getattr(technology, column))
        for name in named_partners(s, technology.partners_required):
            if name in technology.partners_barred:
                paths = ((*path, "partners_barred"), (*path, "partners_required"))
                yield Finding(paths, "must not bar a partner that must take part", shown_value(name))


def _different(path: Path, names: tuple[str, ...]) -> Iterator[Finding]:
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        yield Finding((path,), "must be different names, separated by |", shown_value("|".join(names)))


def _tags(s: Scenario) -> Iterator[Finding]:
    """Each tag that is described has its column; what it bars, and at which values, is known."""
    columns = tags_of(s)
    networks = {network for partner in s.partners.values() for network in partner.networks}
    for name, tag in s.tags.items():
        path: Path = ("tags", name)
        for column in ("partners_barred", "networks_barred", "values"):
            yield from _different((*path, column), getattr(tag, column))
        if name not in columns:
            rule = f"must name a column tag.{name} of technologies.csv"
            yield Finding((path, ("technologies",)), rule, "no such column", did_you_mean(name, columns))
            continue
        for network in tag.networks_barred:
            if network not in networks:
                paths: tuple[Path, ...] = ((*path, "networks_barred"), ("partners",))
                rule = "must name a network that a partner belongs to"
                yield Finding(paths, rule, shown_value(network), did_you_mean(network, networks))
        values = {row.tags.get(name, "") for row in s.technologies.values()}
        for value in tag.values:
            if value not in values:
                paths = ((*path, "values"), ("technologies", "*", "tags", name))
                rule = f"must be a value of column tag.{name} of technologies.csv"
                yield Finding(paths, rule, shown_value(value), did_you_mean(value, values - {""}))


def _limits(s: Scenario) -> Iterator[Finding]:
    for key, most in (("fields", 1), ("partners", max([1, *(len(one.members) for one in s.partners.values())]))):
        limits: Mapping[str, Limit] = getattr(s.limits, key)
        for name, limit in limits.items():
            if limit.floor > limit.ceiling:
                paths: tuple[Path, ...] = tuple(("limits", key, name, one) for one in ("floor", "ceiling"))
                yield Finding(
                    paths, "the floor must not be above the ceiling", f"{limit.floor:g} and {limit.ceiling:g}"
                )
        total = sum(limit.floor for limit in limits.values())
        if total > most + _TOLERANCE:
            times = "1" if most == 1 else f"{most}, as many as the largest consortium has members"
            yield Finding((("limits", key),), f"the floors must sum to at most {times}", f"{total:.12g}")
    for name in s.limits.partners:
        if name in s.partners and s.partners[name].members:
            paths = (("limits", "partners", name), ("partners", name, "members"))
            yield Finding(
                paths, "limits are by country: a consortium counts for each of its members", shown_value(name)
            )


def _links(s: Scenario) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], int] = {}
    for index, link in enumerate(s.links):
        if link.technology == link.other:
            paths = (("links", index, "other"), ("links", index, "technology"))
            yield Finding(paths, "a technology must not be linked to itself", shown_value(link.other))
        ends = (link.technology, link.other)
        same = (link.kind, *(sorted(ends) if link.kind in ("exclusion", "synergy") else ends))
        first = seen.setdefault(same, index)
        if first != index:
            paths = (("links", index, "kind"), ("links", index, "other"))
            yield Finding(paths, "a link must not be listed twice", f"{link.kind} {link.technology} {link.other}")


def _cycles(s: Scenario) -> Iterator[Finding]:
    """Each cycle of prerequisites once, found by walking down from every technology that is not yet cleared."""
    needs: dict[str, list[str]] = {}
    rows: dict[tuple[str, str], int] = {}
    for index, link in enumerate(s.links):
        if link.kind == "prerequisite" and link.technology != link.other:
            needs.setdefault(link.technology, []).append(link.other)
            rows[link.technology, link.other] = index
    for cycle in _circuits(needs):
        paths: tuple[Path, ...] = (("links", rows[cycle[-2], cycle[-1]], "other"),)
        yield Finding(paths, "prerequisites must not form a cycle", " -> ".join(cycle))


def _circuits(needs: Mapping[str, list[str]]) -> Iterator[list[str]]:
    cleared: set[str] = set()
    for root in needs:
        trail: list[str] = []
        stack = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                cleared.add(trail.pop())
            elif node in trail:
                yield [*trail[trail.index(node) :], node]
            elif node not in cleared:
                trail.append(node)
                stack += [(node, True), *((other, False) for other in needs.get(node, ()))]


def _needs(s: Scenario) -> Iterator[Finding]:
    count = Counter((need.technology, need.trl, need.facility) for need in s.facility_needs)
    for index, need in enumerate(s.facility_needs):
        path = ("facility_needs", index)
        if need.facility in s.facilities and need.units > s.facilities[need.facility].capacity:
            paths = ((*path, "units"), ("facilities", need.facility, "capacity"))
            rule = f"must not exceed the capacity of {need.facility}, {s.facilities[need.facility].capacity}"
            yield Finding(paths, rule, str(need.units))
        if count[need.technology, need.trl, need.facility] > 1:
            rule = "a technology's step may need a facility once; put the units together"
            yield Finding(((*path, "facility"),), rule, f"{need.technology} at TRL {need.trl}: {need.facility}")


def _success(s: Scenario) -> Iterator[Finding]:
    """Grades for all steps or for each; reference mixes of projects that take steps, and figures they can have."""
    faults = list(_grade_findings(s))
    yield from faults
    if faults:
        return
    for name, one in s.calibrations.items():
        path: Path = ("calibrations", name)
        idle = [index for index, row in enumerate(one.reference) if row.target <= row.trl]
        for index in idle:
            row, place = one.reference[index], (*path, "reference", index)
            yield Finding(((*place, "target"), (*place, "trl")), f"must be above trl, {row.trl}", str(row.target))
        if not idle and one.development_success is not None and _mix_is_of_known_classes(s, one):
            yield from _reach_findings(path, one.development_success, reference_mix(s, one))


def _grade_findings(s: Scenario) -> Iterator[Finding]:
    """One grade for all steps or one for each, and none without a success that it grades."""
    lists: dict[Path, tuple[str, ...]] = {("steps",): s.steps.success_grade}
    lists |= {("calibrations", name): one.success_grade for name, one in s.calibrations.items()}
    for table, grades in lists.items():
        if len(grades) not in (1, len(s.steps.success)):
            rule = f"must be one grade for all steps, or {len(s.steps.success)}"
            yield Finding(((*table, "success_grade"),), rule, f"{len(grades)} entries")
    for name, one in s.calibrations.items():
        if one.success is None and one.success_grade != ("assumed",):
            place: Path = ("calibrations", name)
            rule = "needs success beside it: without one, the steps' own success and grades hold"
            yield Finding(((*place, "success_grade"), (*place, "success")), rule, ", ".join(one.success_grade))


def _mix_is_of_known_classes(s: Scenario, one: Calibration) -> bool:
    return all(row.field in ("", *s.fields) and row.uncertainty in ("", *s.uncertainty) for row in one.reference)


def _reach_findings(path: Path, figure: float, mix: Mix) -> Iterator[Finding]:
    if unreachable(figure, mix):
        least, largest = reach(mix)
        moves = largest - least > _TOLERANCE
        span = f"above {least:.6g} and at most {largest:.6g}" if moves else f"{largest:.6g}, as no step is shifted"
        tables: tuple[Path, ...] = (("steps", "success"), ("steps", "success_grade"), ("fields",), ("uncertainty",))
        advice = "Steps graded published, and a success of 0 or 1, are never shifted: give other steps, or another mix."
        paths = ((*path, "development_success"), (*path, "reference"), *tables)
        yield Finding(paths, f"must be a success that its reference mix can have: {span}", f"{figure:g}", advice)


def _own_steps(s: Scenario) -> Iterator[Finding]:
    seen: set[tuple[str, int]] = set()
    for index, step in enumerate(s.technology_steps):
        again = (step.technology, step.trl) in seen
        seen.add((step.technology, step.trl))
        if again:
            rule = "a technology's step may be described once"
            found = f"{step.technology} at TRL {step.trl}"
            yield Finding((("technology_steps", index, "trl"),), rule, found, "Put both figures in one row.")


def _judgements(s: Scenario) -> Iterator[Finding]:
    seen: set[tuple[object, ...]] = set()
    for index, one in enumerate(s.judgements):
        path: Path = ("judgements", index)
        of_step = one.input in ("months", "success")
        if of_step != (one.trl is not None):
            rule = f"must {'name the step' if of_step else 'be empty'}: only months and success are of a step"
            yield Finding(((*path, "trl"), (*path, "input")), rule, "nothing" if of_step else str(one.trl))
        key = (one.technology, one.input, one.trl, one.expert)
        if key in seen:
            found = f"{one.input} of {one.technology}{f' at TRL {one.trl}' if of_step else ''}"
            yield Finding(
                ((*path, "expert"),), "an expert may judge a figure once", f"{shown_value(one.expert)}, {found}"
            )
        seen.add(key)
        yield from _quantiles(path, one, s.money_unit)


def _quantiles(path: Path, one: Judgement, money: str) -> Iterator[Finding]:
    """Within the input's limits, in order, and not too far apart; strictly inside where the scale has no end."""
    shape, scale = judged_shape(one.input), SCALES[one.input]
    assert shape is not None  # noqa: S101 - every input has a shape
    if scale != "plain":
        shape = dataclasses.replace(shape, lower=(0, False), upper=(1, False) if scale == "odds" else shape.upper)
    shape = with_limit(shape, money)
    given = {name: getattr(one, name) for name in ("p10", "p50", "p90")}
    outside = [name for name, value in given.items() if not within(shape, value)]
    for name in outside:
        rule = f"{one.input} must be {words(shape, money)}"
        yield Finding(((*path, name), (*path, "input")), rule, f"{given[name]:g}")
    for lower, upper in (("p10", "p50"), ("p50", "p90")):
        if outside:
            return
        ends = ((*path, upper), (*path, lower))
        if given[lower] > given[upper]:
            yield Finding(ends, f"must not be below {lower}, {given[lower]:g}", f"{given[upper]:g}")
        elif scale == "log" and given[upper] > _WIDEST * given[lower]:
            rule = f"must be at most {_WIDEST:.0f} times {lower}: a log standard deviation of {LARGEST_SPREAD:g}"
            yield Finding(ends, rule, f"{given[upper]:g} and {given[lower]:g}")


_WIDEST = math.floor(math.exp(LARGEST_SPREAD * Z90))
"""How many times the median an expert's P90, or P10 the median, may be."""


def _judgement_rules(s: Scenario) -> Iterator[Finding]:
    """Experts and inputs that the rules name must be among those of the judgements."""
    experts = sorted({one.expert for one in s.judgements})
    inputs: list[str] = sorted({one.input for one in s.judgements})
    rules = s.judgement
    named: list[tuple[Path, str, list[str]]] = [
        *((("judgement", "weights", name), name, experts) for name in rules.weights),
        *((("judgement", "at", name), name, inputs) for name in rules.at),
    ]
    if rules.expert:
        named.append((("judgement", "expert"), rules.expert, experts))
    for path, name, known in named:
        if name not in known:
            noun = "an input that is judged" if path[1] == "at" else "an expert of judgements.csv"
            rule = (
                f"must name {noun}: {', '.join(known)}" if known else f"must name {noun}, and there are no judgements"
            )
            yield Finding((path, ("judgements",)), rule, shown_value(name), did_you_mean(name, known))


def _market_factors(s: Scenario) -> Iterator[Finding]:
    """What markets share must leave something to each one's own luck."""
    shares = s.risks.market_factor
    for luck in ("chance", "value"):
        pair = [f"{luck}_common", f"{luck}_field"]
        total = sum(getattr(shares, name) for name in pair)
        if total >= 1.0:
            paths = tuple(("risks", "market_factor", name) for name in pair)
            yield Finding(paths, "shares of variance must sum to less than 1", f"{total:g}", "Lower one of them.")


def _risk(s: Scenario) -> Iterator[Finding]:
    risk = s.optimiser.risk
    if risk.probability is not None and risk.target is None:
        rule = "needs a target: the value to be reached with this probability"
        where: Path = ("optimiser", "risk", "probability")
        yield Finding((where,), rule, shown_value(risk.probability), "Set optimiser.risk.target as well.")


def _market(s: Scenario) -> Iterator[Finding]:
    world = s.market.world
    for year, size in world.items():
        if size <= 0:
            yield Finding((("market", "world", str(year)),), "the world market must be above 0", f"{size:g}")
    for year in s.market.target:
        if year not in world:
            paths: tuple[Path, ...] = (("market", "target", str(year)), ("market", "world"))
            yield Finding(paths, "a target needs the world market of its year", "none", did_you_mean(str(year), world))
    last = max(world, default=0)
    for code, technology in s.technologies.items():
        if 0 < world.get(last, 0.0) < technology.market_size:
            paths = (("technologies", code, "market_size"), ("market", "world", str(last)))
            rule = f"must not be above the world market of {last}, {world[last]:g}"
            yield Finding(paths, rule, f"{technology.market_size:g}")
