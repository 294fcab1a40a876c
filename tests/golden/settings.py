"""Every setting of the schema, and what to change it to, in a small world in which each of them does something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rdsim.errors import ScenarioError
from rdsim.scenario import Variations
from rdsim.scenario.shapes import ROOT, Shape, parts, within
from tests.tiny import tiny_folder

__all__ = ["STILL", "changes", "places", "rich_folder", "settings"]

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
    "parts": "chosen when the folder is read; what they add are settings like others",
    "market.target": "told: reports compare with it",
    "market.target.*": "told: reports compare with it",
    "simulation.confidence": "of intervals, which are not kept: a sweep's keys hold it beside the version",
}
"""Settings that by nature move no outcome, sample or choice, each with the reason."""

_ADDED = """
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
    return stages.replace("[steps]\n", _ADDED.rstrip() + "\n")


# --- the schema -----------------------------------------------------------------------------------


def settings(shape: Shape = ROOT, at: Place = ()) -> Iterator[tuple[Place, Shape]]:
    """Every setting: its path, with ``*`` for any entry of a table or list, and the shape of its value."""
    if shape.record:
        for name, one in parts(shape.record).items():
            yield from settings(one, (*at, name))
    elif shape.kind in ("mapping", "list") and shape.item:
        if not (shape.item.record or shape.item.kind == "mapping"):
            yield at, shape
        yield from settings(shape.item, (*at, "*"))
    else:
        yield at, shape


def places(variations: Variations, path: Place) -> list[Place]:
    """Where a setting stands in a world; a setting that is absent may be where the rest of its path is."""
    try:
        return [tuple(map(str, one)) for one in variations.places(path)]
    except ScenarioError:
        return []


def changes(shape: Shape, value: Any, names: Sequence[str]) -> Iterator[Any]:
    """Other values to try at a place; `names` are what a text may refer to."""
    if shape.kind in ("number", "whole"):
        yield from _numbers(shape, 1.0 if value is None else float(value))
    elif shape.kind == "flag":
        yield not value
    elif shape.kind == "choice":
        yield from (one for one in shape.choices if one != value)
    elif shape.kind == "text":
        yield from (one for one in names if one != value)
    elif shape.kind == "list" and shape.item:
        yield from _lists(shape.item, list(value or ()), names)
    elif value:  # a table: without its first entry
        yield dict(list(value.items())[1:])


def _numbers(shape: Shape, value: float) -> Iterator[float]:
    tried = (1.5 * value, 0.5 * value, value + 1, value - 1, 0.1 + value / 2, 3 * value + 5)
    rounded = (round(one) if shape.kind == "whole" else one for one in tried)
    yield from (one for one in dict.fromkeys(rounded) if one != value and within(shape, one))


def _lists(item: Shape, value: list[Any], names: Sequence[str]) -> Iterator[list[Any]]:
    if value:
        first = next(changes(item, value[0], names), None)
        yield from ([first, *value[1:]], value[1:])
    if item.kind == "text":
        yield from ([*value, one] for one in names if one not in value)
