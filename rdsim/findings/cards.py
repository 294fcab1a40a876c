"""What a plan assumes about each technology and partner, each with its grade and source, and what else it tried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from rdsim.domain import Choice, Judgement, Link, Partner, Scenario, Technology
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

__all__ = ["best_options", "facts", "grade_of", "partner_table"]

_BEST = 5
"""Options of a technology that are told, beside the chosen one."""


_OF_LINE, _OF_LEVELS = "setting of its programme", "partner_levels.csv"
_UNGRADED = ("", _OF_LINE, _OF_LEVELS)
"""What has no source of its own in a scenario."""


class _Fact(NamedTuple):
    """One thing that is assumed; of an empty source nothing is stated."""

    part: str
    item: str
    value: str
    source: str


_GRADES = re.compile(r"(?<!not )\b(published|derived|assumed)\b")


def grade_of(source: str) -> str:
    """The grade that a source states, or that follows from its kind."""
    stated = _GRADES.search(source.lower())
    if stated:
        return stated[0]
    return "published" if source.startswith(("seed", "press")) else "assumed"


def facts(scenario: Scenario) -> pd.DataFrame:
    """A row for each thing assumed: subject (technology or partner), id, part, item, value as text, grade, source."""
    rows = [
        (subject, name, one.part, one.item, one.value, _grade(one), one.source or "not stated")
        for subject, name, one in _all_facts(scenario)
    ]
    return pd.DataFrame(rows, columns=["subject", "id", "part", "item", "value", "grade", "source"])


def _grade(one: _Fact) -> str:
    return "not stated" if one.source in _UNGRADED else grade_of(one.source)


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


def _inputs(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    line, unit, asked = scenario.programmes[row.programme], scenario.money_unit, cost(scenario, row)
    scaled = abs(asked - row.cost) > 1e-9 * row.cost
    listed = f" (listed: {_number(row.cost)})" if scaled else ""
    yield _Fact("Inputs", "Cost to the target TRL", f"{_number(asked)} {unit}{listed}", _row_source(row.source, scaled))
    yield _Fact("Inputs", "TRL today", str(row.trl), row.source)
    yield _Fact("Inputs", "Target TRL", str(target(scenario, row)), row.source if row.trl_target else _OF_LINE)
    yield _Fact("Inputs", "Evaluation score", _number(row.score), row.source)
    yield _Fact("Inputs", "Uncertainty", row.uncertainty, row.source)
    deadline = f"{_number(line.deadline_years)} years after its planned start"
    yield _Fact("Inputs", "Deadline to reach the market", deadline, _OF_LINE)
    if row.status != "free":
        yield _Fact("Inputs", "Fixed by the planner", row.status, row.source)
    if row.waives:
        yield _Fact("Inputs", "Deliverables not asked of it", ", ".join(row.waives), row.source)


def _market(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    unit, worth = scenario.money_unit, market_value(scenario, row)
    source = _row_source(row.source, row.value is None)
    yield _Fact("Market", "Value on reaching the market", f"{_number(worth)} {unit}", source)
    if market_size(scenario, row):
        yield _Fact("Market", "World market, a year", f"{_number(market_size(scenario, row))} {unit}", row.source)
        yield _Fact("Market", "Share of it won", _percent(market_share(scenario, row)), row.source)
    chance = _percent(market_probability(scenario, row))
    source = calibration(scenario).source if row.market_probability is None else row.source
    yield _Fact("Market", "Chance of coming to the market from the target TRL", chance, source)


def _partnering(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    needs = needed_fields(scenario, row)
    for field, weight in needs.items():
        name = scenario.fields[field].name
        share = f" (weight {_percent(weight)})" if len(needs) > 1 else ""
        at_home = _number(home_level(scenario, row, field))
        yield _Fact("Level", f"At home in {name}{share}", at_home, row.source)
        yield _Fact("Level", f"Partners in {name}", _levels_in(scenario, field), _OF_LEVELS)
    for item, codes in (("Partners required", row.partners_required), ("Partners barred", row.partners_barred)):
        if codes:
            yield _Fact("Level", item, ", ".join(_partner_name(scenario, code) for code in codes), row.source)


def _levels_in(scenario: Scenario, field: str) -> str:
    """Single partners with a level in the field, the highest first."""
    alone = [one for one in scenario.partners.values() if not one.members]
    known = sorted(((level(scenario, one.code, field), one.name) for one in alone), key=lambda it: (-it[0], it[1]))
    return ", ".join(f"{name} {_number(height)}" for height, name in known if height > 0) or "none"


def _own(scenario: Scenario, row: Technology) -> Iterator[_Fact]:
    """Steps, facilities, tags, figures and notes of its own."""
    for step in scenario.technology_steps:
        if step.technology == row.id:
            parts = [("median months", step.median_months), ("eventual success", step.success)]
            said = ", ".join(f"{what} {_number(value)}" for what, value in parts if value is not None)
            yield _Fact("Steps of its own", f"TRL {step.trl} to {step.trl + 1}", said, step.source)
    for need in scenario.facility_needs:
        if need.technology == row.id:
            name = scenario.facilities[need.facility].name
            yield _Fact("Facilities", f"TRL {need.trl} to {need.trl + 1}", f"{need.units} of {name}", "")
    for tag, value in row.tags.items():
        if value:
            yield _Fact("Tags", tag.replace("_", " "), str(value), row.source)
    for figure, number in row.figures.items():
        yield _Fact("Figures", figure.replace("_", " "), _number(number), row.source)
    if row.note:
        yield _Fact("Inputs", "Note", row.note, row.source)


def _judgements_of(scenario: Scenario) -> dict[str, list[Judgement]]:
    found: dict[str, list[Judgement]] = {}
    for one in scenario.judgements:
        found.setdefault(one.technology, []).append(one)
    return found


def _judgement_fact(one: Judgement) -> _Fact:
    step = f" of the step from TRL {one.trl}" if one.trl else ""
    said = f"{_number(one.p10)}, {_number(one.p50)}, {_number(one.p90)} (P10, P50, P90)"
    return _Fact("Judgements", f"{one.input}{step}, by {one.expert}", said, one.source)


_ONE_WAY = {"prerequisite": "Needs first", "spillover": "Helped by success of"}
_OTHER_WAY = {"prerequisite": "Is needed first by", "spillover": "Its success helps"}
_BOTH_WAYS = {"exclusion": "Excludes", "synergy": "Synergy with"}


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
    return _Fact("Links", {**words, **_BOTH_WAYS}[link.kind], said, link.source)


# --- partners -------------------------------------------------------------------------------------


def _offers(scenario: Scenario, one: Partner) -> Iterator[_Fact]:
    unit = scenario.money_unit
    if one.members:
        members = ", ".join(_partner_name(scenario, code) for code in one.members)
        yield _Fact("Partner", "Consortium of", members, one.source)
    told = {
        "Region": one.region,
        "Networks": ", ".join(one.networks),
        "Ways of funding": ", ".join(scenario.modes[mode].name for mode in one.modes),
        "Places for joint projects": "its members'" if one.members else str(one.places),
        "Set-up cost": f"{_number(one.setup_cost)} {unit}",
        "Months from opening to first talks": _number(one.setup_months),
        "Running cost, a year": f"{_number(one.running_cost)} {unit}",
        "Chance that its agency agrees": _percent(one.agreement),
        "Breaks in relations, a year": _number(one.break_rate),
        "Bloc": one.bloc,
        "Paid in": one.currency,
    }
    yield from (_Fact("Partner", item, value, one.source) for item, value in told.items() if value)
    for code, field in scenario.fields.items():
        height = level(scenario, one.code, code)
        if height > 0:
            yield _Fact("Level", field.name, _number(height), _OF_LEVELS)


def _partner_name(scenario: Scenario, code: str) -> str:
    known = scenario.partners.get(code)
    return known.name if known else code


def _number(value: float) -> str:
    return numeral(round(float(value), 4), ",.10g")


def _percent(share: float) -> str:
    return f"{_number(share * 100)}%"


def _row_source(source: str, is_derived: bool) -> str:
    """The source of a figure that is computed from what the row says."""
    return f"derived from: {source or 'not stated'}" if is_derived else source


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
