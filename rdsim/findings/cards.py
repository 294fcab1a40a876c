"""What a plan assumes about each technology and partner, each with its grade and source, and what else it tried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from rdsim.domain import Choice, Judgement, Link, Partner, Scenario, Technology
from rdsim.languages import N_, Message, join_texts, unit_of_money
from rdsim.languages import gettext as _
from rdsim.numerals import numeral
from rdsim.plans import Plan
from rdsim.scenario import (
    calibration,
    cost,
    home_level,
    level,
    market_probability,
    market_share,
    market_size,
    market_value,
    needed_fields,
    target,
)
from rdsim.words import source_words

__all__ = ["best_options", "facts", "grade_of", "partner_table", "row_source", "told_source"]

_BEST = 5
"""Options of a technology that are told, beside the chosen one."""


_OF_LINE, _OF_LEVELS = N_("setting of its programme"), "partner_levels.csv"
_UNSTATED = N_("not stated")
_UNGRADED = ("", _OF_LINE, _OF_LEVELS)
"""What has no source of its own in a scenario."""


class _Fact(NamedTuple):
    """One thing that is assumed; of an empty source nothing is stated."""

    part: str
    item: str
    value: str
    source: str


GRADES = (N_("published"), N_("derived"), N_("assumed"))
"""What a source may say of how a figure came about."""

_GRADES = re.compile(r"(?<!not )\b(published|derived|assumed)\b")


def grade_of(source: str) -> str:
    """The grade that a source states, the lowest of several, or that follows from its kind."""
    stated = [match[0] for match in _GRADES.finditer(source.lower())]
    if stated:
        return max(stated, key=GRADES.index)
    return "published" if source.startswith(("seed", "press")) else "assumed"


def row_source(source: str, note: str = "") -> str:
    """The source of a row's figures, with the note that says otherwise of them: `..., but: every number assumed`.

    A row's source may be of its name alone; where its note grades the figures lower, that is what they are.
    """
    stated = [match[0] for match in _GRADES.finditer(note.lower())]
    worse = any(GRADES.index(grade) > GRADES.index(grade_of(source)) for grade in stated)
    return _("{source}, but: {note}").format(source=source, note=note) if source and worse else source


def told_source(scenario: Scenario, source: str) -> str:
    """A source with the titles of documents in the place of their codes; one that knows what it says still does."""
    if not isinstance(source, Message) or "text" not in source.says:
        return source_words(scenario, source)
    given: Mapping[str, object] = source.says.get("with", {})  # type: ignore[assignment]
    told = {name: told_source(scenario, one) if isinstance(one, str) else one for name, one in given.items()}
    return _(str(source.says["text"])).format(**told) if told else source


def facts(scenario: Scenario) -> pd.DataFrame:
    """A row for each thing assumed: subject (technology or partner), id, part, item, value as text, grade, source."""
    rows = [
        (subject, name, one.part, one.item, one.value, _grade(one), told_source(scenario, one.source or _UNSTATED))
        for subject, name, one in _all_facts(scenario)
    ]
    return pd.DataFrame(rows, columns=["subject", "id", "part", "item", "value", "grade", "source"], dtype=object)


def _grade(one: _Fact) -> str:
    return N_("not stated") if one.source in _UNGRADED else grade_of(one.source)


def _all_facts(scenario: Scenario) -> Iterator[tuple[str, str, _Fact]]:
    links, judgements = _links_of(scenario), _judgements_of(scenario)
    for name, row in scenario.technologies.items():
        for make in (_inputs, _market, _partnering, _own):
            yield from (("technology", name, one) for one in make(scenario, row))
        yield from (("technology", name, _judgement_fact(one)) for one in judgements.get(name, ()))
        yield from (("technology", name, one) for one in links.get(name, ()))
    for name, partner in scenario.partners.items():
        yield from (("partner", name, one) for one in _offers(scenario, partner))


# --- technologies ---------------------------------------------------------------------------------


def _source_of(row: Technology) -> str:
    """Of a technology's figures."""
    return row_source(row.source, row.note)


def _inputs(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    line, asked = scenario.programmes[row.programme], cost(scenario, row)
    unit = unit_of_money(scenario.money_unit)
    scaled = abs(asked - row.cost) > 1e-9 * row.cost
    told = _("{cost} {unit} (listed: {listed})") if scaled else _("{cost} {unit}")
    asked_for = told.format(cost=_number(asked), unit=unit, listed=_number(row.cost))
    yield _Fact(N_("Inputs"), N_("Cost to the target TRL"), asked_for, _row_source(_source_of(row), scaled))
    yield _Fact(N_("Inputs"), N_("TRL today"), str(row.trl), _source_of(row))
    yield _Fact(
        N_("Inputs"), N_("Target TRL"), str(target(scenario, row)), _source_of(row) if row.trl_target else _OF_LINE
    )
    yield _Fact(N_("Inputs"), N_("Evaluation score"), _number(row.score), _source_of(row))
    yield _Fact(N_("Inputs"), N_("Uncertainty"), row.uncertainty, _source_of(row))
    deadline = _("{years} years after its planned start").format(years=_number(line.deadline_years))
    yield _Fact(N_("Inputs"), N_("Deadline to reach the market"), deadline, _OF_LINE)
    if row.status != "free":
        yield _Fact(N_("Inputs"), N_("Fixed by the planner"), row.status, row.source)
    if row.waives:
        yield _Fact(N_("Inputs"), N_("Deliverables not asked of it"), ", ".join(row.waives), row.source)


def _market(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    unit, worth = unit_of_money(scenario.money_unit), market_value(scenario, row)
    source = _row_source(_source_of(row), row.value is None)
    yield _Fact(N_("Market"), N_("Value on reaching the market"), _money(worth, unit), source)
    if market_size(scenario, row):
        yield _Fact(N_("Market"), N_("World market, a year"), _money(market_size(scenario, row), unit), _source_of(row))
        yield _Fact(N_("Market"), N_("Share of it won"), _percent(market_share(scenario, row)), _source_of(row))
    chance = _percent(market_probability(scenario, row))
    source = calibration(scenario).source if row.market_probability is None else _source_of(row)
    yield _Fact(N_("Market"), N_("Chance of coming to the market from the target TRL"), chance, source)


def _partnering(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    needs = needed_fields(scenario, row)
    for field, weight in needs.items():
        name = scenario.fields[field].name
        told = _("At home in {field} (weight {weight})") if len(needs) > 1 else _("At home in {field}")
        at_home = _number(home_level(scenario, row, field))
        yield _Fact(N_("Level"), told.format(field=name, weight=_percent(weight)), at_home, _source_of(row))
        yield _Fact(N_("Level"), _("Partners in {field}").format(field=name), _levels_in(scenario, field), _OF_LEVELS)
    for item, codes in ((N_("Partners required"), row.partners_required), (N_("Partners barred"), row.partners_barred)):
        if codes:
            yield _Fact(N_("Level"), item, ", ".join(_partner_name(scenario, code) for code in codes), row.source)


def _levels_in(scenario: Scenario, field: str) -> str:
    """Single partners with a level in the field, the highest first."""
    alone = [one for one in scenario.partners.values() if not one.members]
    known = sorted(((level(scenario, one.code, field), one.name) for one in alone), key=lambda it: (-it[0], it[1]))
    return ", ".join(f"{name} {_number(height)}" for height, name in known if height > 0) or N_("none")


def _own(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    """Steps, facilities, tags, figures and notes of its own."""
    for step in scenario.technology_steps:
        if step.technology == row.id:
            parts = [(_("median months {number}"), step.median_months), (_("eventual success {number}"), step.success)]
            said = join_texts([what.format(number=_number(value)) for what, value in parts if value is not None], ", ")
            yield _Fact(
                N_("Steps of its own"),
                _("TRL {low} to {high}").format(low=step.trl, high=step.trl + 1),
                said,
                step.source,
            )
    for need in scenario.facility_needs:
        if need.technology == row.id:
            name = scenario.facilities[need.facility].name
            yield _Fact(
                N_("Facilities"),
                _("TRL {low} to {high}").format(low=need.trl, high=need.trl + 1),
                _("{units} of {facility}").format(units=need.units, facility=name),
                "",
            )
    for tag, value in row.tags.items():
        if value:
            yield _Fact(N_("Tags"), tag.replace("_", " "), str(value), row.source)
    for figure, number in row.figures.items():
        yield _Fact(N_("Figures"), figure.replace("_", " "), _number(number), _source_of(row))
    if row.note:
        yield _Fact(N_("Inputs"), N_("Note"), source_words(scenario, row.note), row.source)


def _judgements_of(scenario: Scenario) -> dict[str, list[Judgement]]:
    found: dict[str, list[Judgement]] = {}
    for one in scenario.judgements:
        found.setdefault(one.technology, []).append(one)
    return found


def _judgement_fact(one: Judgement) -> _Fact:
    told = _("{input} of the step from TRL {trl}, by {expert}") if one.trl else _("{input}, by {expert}")
    item = told.format(input=one.input, trl=one.trl, expert=one.expert)
    said = f"{_number(one.p10)}, {_number(one.p50)}, {_number(one.p90)} (P10, P50, P90)"
    return _Fact(N_("Judgements"), item, said, one.source)


_ONE_WAY = {"prerequisite": N_("Needs first"), "spillover": N_("Helped by success of")}
_OTHER_WAY = {"prerequisite": N_("Is needed first by"), "spillover": N_("Its success helps")}
_BOTH_WAYS = {"exclusion": N_("Excludes"), "synergy": N_("Synergy with")}


def _links_of(scenario: Scenario) -> dict[str, list[_Fact]]:
    """Links by technology, told from both ends."""
    found: dict[str, list[_Fact]] = {}
    for link in scenario.links:
        ends = ((link.technology, link.other, _ONE_WAY), (link.other, link.technology, _OTHER_WAY))
        for one, other, words in ends:
            found.setdefault(one, []).append(_link_fact(scenario, link, other, words))
    return found


def _link_fact(scenario: Scenario, link: Link, other: str, words: Mapping[str, str]) -> _Fact:
    known = scenario.technologies.get(other)
    amounts = {"synergy": f", {_number(link.amount)} {scenario.money_unit}", "spillover": f", {_number(link.amount)}"}
    said = f"{other}{f' {known.name}' if known else ''}{amounts.get(link.kind, '')}"
    return _Fact(N_("Links"), {**words, **_BOTH_WAYS}[link.kind], said, link.source)


# --- partners -------------------------------------------------------------------------------------


def _offers(scenario: Scenario, one: Partner) -> Iterator[_Fact]:
    unit = unit_of_money(scenario.money_unit)
    if one.members:
        members = ", ".join(_partner_name(scenario, code) for code in one.members)
        yield _Fact(N_("Partner"), N_("Consortium of"), members, one.source)
    told = {
        N_("Region"): one.region,
        N_("Networks"): ", ".join(one.networks),
        N_("Ways of funding"): ", ".join(scenario.modes[mode].name for mode in one.modes),
        N_("Places for joint projects"): N_("its members'") if one.members else str(one.places),
        N_("Set-up cost"): _money(one.setup_cost, unit),
        N_("Months from opening to first talks"): _number(one.setup_months),
        N_("Running cost, a year"): _money(one.running_cost, unit),
        N_("Chance that its agency agrees"): _percent(one.agreement),
        N_("Breaks in relations, a year"): _number(one.break_rate),
        N_("Bloc"): one.bloc,
        N_("Paid in"): one.currency,
    }
    yield from (_Fact(N_("Partner"), item, value, one.source) for item, value in told.items() if value)
    for code, field in scenario.fields.items():
        height = level(scenario, one.code, code)
        if height > 0:
            yield _Fact(N_("Level"), field.name, _number(height), _OF_LEVELS)


def _partner_name(scenario: Scenario, code: str) -> str:
    known = scenario.partners.get(code)
    return known.name if known else code


def _number(value: float) -> str:
    return numeral(round(float(value), 4), ",.10g")


def _money(value: float, unit: str) -> str:
    return _("{cost} {unit}").format(cost=_number(value), unit=unit)


def _percent(share: float) -> str:
    return f"{_number(share * 100)}%"


def _row_source(source: str, is_derived: bool) -> str:
    """The source of a figure that is computed from what the row says."""
    if not is_derived:
        return source
    return _("derived from: {source}").format(source=source) if source else _("derived from: not stated")


# --- what was tried, and what partners cost -------------------------------------------------------


def best_options(found: Plan) -> pd.DataFrame:
    """Options of each technology, the best and the chosen one, by expected value, with names for people.

    Columns: technology, partner, mode, start_year, expected_value, chosen.
    """
    scenario, options = found.scenario, found.proposal.options
    mine = {_key(one) for one in found.proposal.portfolio.choices}
    by_technology: dict[str, list[tuple[float, Choice]]] = {}
    for choice, value in zip(options.choices, options.expected_value.tolist(), strict=True):
        by_technology.setdefault(choice.technology, []).append((value, choice))
    rows = [
        (
            name,
            _partner_name(scenario, one.partner) if one.partner else "",
            scenario.modes[one.mode].name,
            one.start_year,
            value,
            _key(one) in mine,
        )
        for name, known in by_technology.items()
        for place, (value, one) in enumerate(sorted(known, key=lambda it: -it[0]))
        if place < _BEST or _key(one) in mine
    ]
    return pd.DataFrame(rows, columns=["technology", "partner", "mode", "start_year", "expected_value", "chosen"])


def _key(one: Choice) -> tuple[str, str, str, int]:
    return one.technology, one.partner, one.mode, one.start_year


def partner_table(found: Plan) -> pd.DataFrame:
    """A row for each partner: code, name, and what the simulation says of those that hold places.

    Columns: partner, name, opened (share of replications in which it is opened), opened_time (median, NaN for never),
    network (mean cost of opening and running it), peak_places (mean). NaN for consortia, whose members hold places.
    """
    assert found.simulation is not None  # noqa: S101 - `gather` has looked
    names = [(code, one.name) for code, one in found.scenario.partners.items()]
    of_hosts = found.simulation.partners.groupby("partner", observed=True).agg(
        opened=("opened_time", lambda times: float(times.notna().mean())),
        opened_time=("opened_time", "median"),
        network=("paid", "mean"),
        peak_places=("peak_places", "mean"),
    )
    return pd.DataFrame(names, columns=["partner", "name"]).merge(of_hosts.reset_index(), on="partner", how="left")
