"""Every setting of the schema, and what to change it to, in a small world in which each of them does something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rdsim.errors import ScenarioError
from rdsim.scenario import Variations
from rdsim.scenario.shapes import ROOT, Shape, parts, within
from tests.tiny import tiny_folder

__all__ = ["CASES", "STILL", "changes", "places", "rich_folder", "settings"]

Place = tuple[str, ...]

STILL: Mapping[str, str] = {
    "name": "told",
    "title": "told",
    "description": "told",
    "programmes.*.name": "told",
    "fields.*.name": "told",
    "institutes.*.name": "told",
    "facilities.*.name": "told",
    "modes.*.name": "told",
    "modes.*.formation.*.name": "told",
    "technologies.*.name": "told",
    "technologies.*.note": "told",
    "partners.*.name": "told",
    "partners.*.region": "told",
    "institutes.*.source": "told",
    "calibrations.*.source": "told",
    "technologies.*.source": "told",
    "partners.*.source": "told",
    "links.*.source": "told",
    "technology_steps.*.source": "told",
    "judgements.*.source": "told",
    "technologies.*.id": "the key of its table, which is not to be set apart from it",
    "partners.*.code": "the key of its table, which is not to be set apart from it",
    "technologies.*.institute": "moves where an institute has few teams",
    "programmes.*.trl_entry_min": "refuses technologies at the door, and moves none that it lets in",
    "programmes.*.trl_entry_max": "refuses technologies at the door, and moves none that it lets in",
    "assumptions.*.paths.*": "draws of what is not known: no outcome",
    "assumptions.*.low": "draws of what is not known: no outcome",
    "assumptions.*.high": "draws of what is not known: no outcome",
    "assumptions.*.change": "draws of what is not known: no outcome",
    "assumptions.*.grade": "told",
    "assumptions.*.why": "told",
    "assumptions.*.label": "told",
    "optimiser.assumptions.points": "how many worlds are drawn beside a plan",
    "optimiser.assumptions.replications": "of the worlds that are drawn beside a plan",
    "optimiser.assumptions.repeats": "how often a break-even is sought",
    "optimiser.assumptions.samples": "of decisions that seek a break-even",
    "optimiser.assumptions.pairs": "how many break-evens a plan seeks",
    "optimiser.what_if.repeats": "how often a plan is decided anew under a change",
    "optimiser.what_if.replications": "of decisions under a change",
    "documents.*": "told",
    "figures.*.label": "told",
    "tags.*.label": "told",
    "tags.*.source": "told",
    "figures.*.unit": "told",
    "figures.*.sense": "which way a front is drawn, and told",
    "optimiser.gap": "how much may be left unproved: with another the same portfolio may come",
    "optimiser.effort": "how long large problems are searched: these are proven",
    "illustrative.program": "makes tables when the folder is read; what they hold are settings like others",
    "illustrative.draw": "chosen when the folder is read; what the tables hold are settings like others",
    "illustrative.digest": "told",
    "optimiser.redecisions": "of plans as good, that which most re-decisions share: tests/test_redecisions",
    "optimiser.interchangeable": "told of a plan's choices: tests/test_redecisions",
    "parts.*": "chosen when the folder is read; what they add are settings like others",
    "market.target.*": "told: reports compare with it",
    "programmes.*.gate.parameters.*": "of a registered policy's own: tests/extensions",
    "panels.*.queue.parameters.*": "of a registered rule's own: tests/extensions",
    "queues.facilities.parameters.*": "of a registered rule's own: tests/extensions",
    "queues.places.parameters.*": "of a registered rule's own: tests/extensions",
    "queues.starts.parameters.*": "of a registered rule's own: tests/extensions",
    "queues.starts.rule": "nobody is passed at a start in so small a portfolio: tests/engines/test_queues",
    "steps.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "calibrations.*.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "value.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "value.market_distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "modes.*.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "risks.budget.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "risks.exchange.distribution_parameters.*": "of a registered distribution's own: tests/extensions",
    "value.model": "one came with rdsim: tests/extensions registers another",
    "value.model_parameters.*": "of a registered model's own: tests/extensions",
    "programmes.*.purse_parameters.*": "of a registered rule's own: tests/extensions",
    "rules.*.*": "of a registered rule's own: tests/extensions",
    "families.*.*": "of a registered family's own: tests/extensions",
    "simulation.replications": "how many, not which: a sweep's keys hold it beside the version",
    "simulation.confidence": "of intervals, which are not kept: a sweep's keys hold it beside the version",
}
"""Settings that by nature move no outcome, sample or choice, each with the reason."""

_YEARS = [0.7, 0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 1.0]
_LUCKY = [0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.98, 0.99]
_ASIAN = (("bloc", "pacific"), ("break_rate", 0.4))
_POOR = {
    "programmes.base.budget.2024": 2.0,
    "programmes.base.budget.2025": 2.5,
    "programmes.base.budget.2026": 5.0,
    "programmes.base.purse_rule": "first-fit",
}
_TEST_BED = {
    "facility_needs.0.technology": "T5",
    "facility_needs.0.trl": 3,
    "facility_needs.1.technology": "T1",
    "facility_needs.1.trl": 6,
}
_LIKED = {"technologies.T3.score": 60.0, "programmes.leap.preference_points": 60.0}
_DROPS = {
    "programmes.base.budget.2024": 90.0,
    "programmes.base.budget.2025": 90.0,
    "programmes.base.gate.drop_share": 0.5,
}
_LOOSE = {"programmes.base.screening.layers.0.error": 90.0, "programmes.base.screening.layers.1.error": 90.0}
_AIM = {"optimiser.risk.probability": 0.2, "optimiser.risk.target": -20.0}

_WATCHED = {"technologies.T2.tags.watched": "1", "tags.watched": {"partners_barred": ["JP"]}}

Case = tuple[Mapping[str, Any], Mapping[str, Any]]

CASES: Mapping[str, Case] = {
    "limits.partners.*.floor": ({}, {"limits.partners.US.floor": 0.2}),
    "judgement.expert": ({}, {"judgement.expert": "ann"}),
    "partners.*.members.*": ({"levels.DE.chip": 90.0}, {"partners.US+JP.members.0": "DE"}),
    "steps.attempts": ({}, {"steps.attempts": 1}),
    "technology_steps.*.success": ({}, {"technology_steps.0.success": 0.3}),
    "currency": ({}, {"currency": "USD"}),
    "programmes.*.tranches.*.share": (
        {},
        {"programmes.base.tranches.0.share": 0.7, "programmes.base.tranches.1.share": 0.3},
    ),
    "programmes.*.foreign_partner_required": (
        {"programmes.leap.fallback": "drop"},
        {"programmes.leap.foreign_partner_required": True},
    ),
    "programmes.*.purse_rule": (_POOR, {"programmes.base.purse_rule": "strict"}),
    "programmes.*.preferred_networks.*": (
        {"programmes.leap.preference_points": 60.0},
        {"programmes.leap.preferred_networks": ["Horizon"]},
    ),
    "programmes.*.preference_points": ({"technologies.T3.score": 60.0}, {"programmes.leap.preference_points": 60.0}),
    "programmes.*.gate.drop_share": ({}, {"programmes.base.gate.drop_share": 1.0}),
    "programmes.*.gate.review_error": (_DROPS, {"programmes.base.gate.review_error": 9.0}),
    "programmes.*.screening.layers.*.error": (
        {**_LOOSE, "programmes.base.screening.luck": 5},
        {"programmes.base.screening.layers.0.error": 0.0, "programmes.base.screening.layers.1.error": 0.0},
    ),
    "programmes.*.screening.shared_error": (
        {"programmes.base.screening.luck": 9},
        {"programmes.base.screening.shared_error": 90.0},
    ),
    "programmes.*.screening.luck": (_LOOSE, {"programmes.base.screening.luck": 5}),
    "programmes.*.deliverables.*.optional": (
        {"programmes.leap.deliverables.patent.mean_months": 60.0, "programmes.leap.deliverables.patent.due_tranche": 1},
        {"programmes.leap.deliverables.patent.optional": True},
    ),
    "calibrations.*.success.*": (
        {"calibrations.strict.success": _LUCKY},
        {"calibrations.strict.success": [*_LUCKY[:5], 0.7, *_LUCKY[6:]]},
    ),
    "calibrations.*.success_grade.*": (
        {"calibrations.strict.success": _LUCKY, "calibrations.strict.success_grade": ["assumed"] * 8},
        {"calibrations.strict.success_grade": ["assumed"] * 4 + ["derived"] + ["assumed"] * 3},
    ),
    "domestic": (
        {"programmes.leap.foreign_partner_required": True, "programmes.leap.fallback": "drop"},
        {"domestic": "allowed"},
    ),
    "risks.breaks.bloc_share": (
        {f"partners.{code}.{name}": one for code in ("US", "JP") for name, one in _ASIAN},
        {"risks.breaks.bloc_share": 0.9},
    ),
    "calibrations.*.median_years.*": (
        {"calibrations.strict.median_years": _YEARS},
        {"calibrations.strict.median_years": [*_YEARS[:5], 2.4, *_YEARS[6:]]},
    ),
    "fields.*.median_years.*": (
        {"fields.chip.median_years": _YEARS},
        {"fields.chip.median_years": [*_YEARS[:5], 2.4, *_YEARS[6:]]},
    ),
    "partners.*.networks.*": (_LIKED, {"partners.JP.networks": ["Horizon"]}),
    "links.*.amount": ({"links.3.technology": "T1", "links.3.other": "T2"}, {"links.3.amount": 50.0}),
    "facility_needs.*.technology": (
        {"facility_needs.0.technology": "T5", "facility_needs.0.trl": 3},
        {"facility_needs.1.technology": "T1"},
    ),
    "facility_needs.*.trl": (_TEST_BED, {"facility_needs.1.trl": 8}),
    "facility_needs.*.facility": (_TEST_BED, {"facility_needs.1.facility": "clinic"}),
    "facility_needs.*.units": ({**_TEST_BED, "facilities.testbed.capacity": 2}, {"facility_needs.1.units": 2}),
    "facilities.*.capacity": (_TEST_BED, {"facilities.testbed.capacity": 2}),
    "panels.*.seats": ({"panels.experts.review_months": 14.0}, {"panels.experts.seats": 9}),
    "panels.*.queue.rule": (
        {"panels.experts.review_months": 14.0, "programmes.base.gate.policy": "threshold"},
        {"panels.experts.queue.rule": "first-come"},
    ),
    "queues.facilities.rule": (_TEST_BED, {"queues.facilities.rule": "first-come"}),
    "queues.places.rule": ({"partners.JP.places": 1}, {"queues.places.rule": "first-come"}),
    "judgements.*.expert": ({"judgement.weights.ann": 30.0}, {"judgements.0.expert": "cho"}),
    "judgements.*.trl": ({"judgements.3.technology": "T1"}, {"judgements.3.trl": 7}),
    "risks.budget.lowest": ({"risks.budget.sd": 0.9}, {"risks.budget.lowest": 0.95}),
    "risks.budget.highest": ({"risks.budget.sd": 0.9, **_POOR}, {"risks.budget.highest": 5.0}),
    "network.learning_floor": ({"network.learning": 0.2}, {"network.learning_floor": 1.0}),
    "optimiser.risk.level": ({"optimiser.risk.weight": 0.5}, {"optimiser.risk.level": 0.5}),
    "optimiser.risk.floor": ({}, {"optimiser.risk.floor": -50.0}),
    "optimiser.risk.target": (_AIM, {"optimiser.risk.target": -90.0}),
    "optimiser.risk.probability": (_AIM, {"optimiser.risk.probability": 0.5}),
    "optimiser.risk.money_level": ({"optimiser.risk.money": "quantile"}, {"optimiser.risk.money_level": 0.5}),
    "aim.*": ({}, {"aim.commercialised_by_deadline": 1.0}),
    "technologies.*.figures.*": (
        {"technologies.*.figures.saved": 0.0, "technologies.T1.figures.saved": 3.0},
        {"technologies.T1.figures.saved": 5.0},
    ),
    "figures.*.counted": (
        {"technologies.*.figures.saved": 0.0, "technologies.T1.figures.saved": 3.0},
        {"figures.saved.counted": "funded"},
    ),
    "technologies.*.needs_fields.*": (
        {"technologies.T2.needs_fields": {"bio": 1.0, "chip": 1.0}},
        {"technologies.T2.needs_fields.chip": 5.0},
    ),
    "technologies.*.home_levels.*": (
        {"technologies.T2.home_levels": {"bio": 80.0}},
        {"technologies.T2.home_levels.bio": 60.0},
    ),
    "technologies.*.partners_required.*": ({}, {"technologies.T2.partners_required": ["DE"]}),
    "technologies.*.partners_barred.*": ({}, {"technologies.T2.partners_barred": ["JP"]}),
    "technologies.*.tags.*": ({**_WATCHED, "technologies.T2.tags.watched": "0"}, {"technologies.T2.tags.watched": "1"}),
    "tags.*.partners_barred.*": (_WATCHED, {"tags.watched.partners_barred": ["DE"]}),
    "tags.*.networks_barred.*": (_WATCHED, {"tags.watched.networks_barred": ["Horizon"]}),
    "tags.*.values.*": (
        {**_WATCHED, "technologies.T4.tags.watched": "closely"},
        {"tags.watched.values": ["closely"]},
    ),
    "optimiser.award_ratio.*": ({}, {"optimiser.award_ratio.leap": 1.0}),
    "optimiser.search.rounds": ({}, {"optimiser.search.rounds": 0}),
    "optimiser.search.replications": ({}, {"optimiser.search.replications": 30}),
    "optimiser.search.most_replications": ({}, {"optimiser.search.most_replications": 150}),
    "optimiser.search.indifference": ({}, {"optimiser.search.indifference": 0.2}),
    "optimiser.search.probability": ({}, {"optimiser.search.probability": 0.6}),
}
"""Settings that move a number only beside others: the others, and what to change."""

_ADDED = """
[facilities.clinic]
name = "Clinic"
capacity = 1

[institutes.kist]
name = "KIST"
teams = 1
source = "illustrative"

[programmes.base.screening]
keep = 2
depth = 2
shared_error = 0.4
luck = 3
layers = [
    { experts = 3, error = 1.0, months = 2, fee = 0.01 },
    { experts = 2, error = 0.5, months = 1, fee = 0.02 },
]

[judgement]
expert = ""
pooling = "linear"

[judgement.weights]
ann = 1.0
ben = 2.0

[judgement.at]
cost = "p50"

[market]
share = 0.01

[market.world]
2024 = 4000
2030 = 6000

[market.target]
2030 = 0.05

[value]
margin = 0.5

[steps]
distribution = "lognormal"
"""

_TALKS = "agreement_probability = 0.9\nagreement_months = 6\nagreement_sigma = 0.4\n"
_SEARCH = "samples = 40\nsearch = { rounds = 1, replications = 20, most_replications = 100 }\n"
_FORMATION = """\
formation = [
    { name = "search", months = 2, sigma = 0.3, success = 0.9 },
    { name = "talks", months = 3, sigma = 0.2, success = 0.95 },
]
"""

_JUDGEMENTS = """\
technology,input,expert,p10,p50,p90,trl,source
T1,value,ann,80,120,200,,illustrative
T1,value,ben,60,100,150,,illustrative
T4,cost,ann,8,9,12,,illustrative
T6,months,ben,8,12,20,5,illustrative
"""


def rich_folder(path: Path) -> Path:
    """The tiny scenario, with everything that a scenario may have."""
    (tiny_folder(path) / "judgements.csv").write_text(_JUDGEMENTS, encoding="utf-8")
    return tiny_folder(
        path,
        scenario=_rich,
        technologies=lambda text: (
            text.replace("status,source,note", "status,source,note,institute,waives")
            .replace("illustrative,\n", "illustrative,,kist,\n", 1)
            .replace("illustrative,\n", "illustrative,,,\n")
            .replace("named in the seed\n", "named in the seed,kist,patent\n")
            .replace("value from a market share\n", "value from a market share,,\n")
        ),
    )


def _rich(text: str) -> str:
    stages = text.replace(_TALKS, _FORMATION)
    return (
        stages.replace("[steps]\n", _ADDED.rstrip() + "\n")
        .replace("samples = 20\n", _SEARCH)
        .replace(
            "development_success = 0.872\nmarket_probability = 0.228",
            "development_success = 0.95\nmarket_probability = 0.8",
        )
    )


# --- the schema -----------------------------------------------------------------------------------


def settings(shape: Shape = ROOT, at: Place = ()) -> Iterator[tuple[Place, Shape]]:
    """Every setting: its path, with ``*`` for any entry of a table or list, and the shape of its value."""
    if shape.record:
        for name, one in parts(shape.record).items():
            yield from settings(one, (*at, name))
    elif shape.item:
        yield from settings(shape.item, (*at, "*"))
    else:
        yield at, shape


def places(variations: Variations, path: Place) -> list[Place]:
    """Where a setting stands in a world."""
    try:
        return [tuple(map(str, one)) for one in variations.places(path)]
    except ScenarioError:
        return []


def changes(shape: Shape, value: Any, names: Sequence[str]) -> Iterator[Any]:
    """Other values to try at a place; `names` are what a text may refer to."""
    if shape.kind in ("number", "whole"):
        tried = (1.0, 2.0) if value is None else (1.5 * value, 0.5 * value, value + 1, value - 1, 3 * value + 5)
        rounded = (round(one) if shape.kind == "whole" else one for one in tried)
        yield from (one for one in dict.fromkeys(rounded) if one != value and within(shape, one))
    elif shape.kind == "flag":
        yield not value
    else:
        yield from (one for one in (shape.choices or names) if one != value)
