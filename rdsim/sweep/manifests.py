"""What sweep.json must hold, so that all that reads it finds what it looks for; and when two sweeps are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from rdsim.designs import DesignKind
from rdsim.domain import Confidence
from rdsim.errors import ExperimentError, Fault
from rdsim.folders import SWEEP, Digest, FileName, Part, Record, is_file, read_document
from rdsim.names import NAMES
from rdsim.scenario import by_new_names
from rdsim.sweep.answers import Names, answers_faults
from rdsim.sweep.measures import parse_metric
from rdsim.sweep.settings import TaskKind

__all__ = ["differences", "essence", "is_sweep", "manifest_of"]

_Text = Annotated[str, Field(max_length=1_000_000)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Name = Annotated[str, Field(pattern=NAMES, max_length=200)]


class _Scenario(Record):
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    title: _Text = ""
    digest: Digest
    parts: list[str]
    overrides: list[_Text]


class _Factor(Record):
    label: _Text
    kind: str
    levels: list[str]
    range: list[float] | None
    policy: bool
    pool: bool = False


class _Design(Record):
    kind: DesignKind
    seed: _Count
    base: _Count
    policies: Annotated[int, Field(ge=1, le=1000)]


class _Figure(Record):
    label: _Text
    unit: _Text
    sense: Literal["more", "less", "neither"]
    least: float | None
    most: Literal["", "projects", "partners"]


class _Sweep(Record):
    rdsim: str
    experiment: _Name
    title: _Text
    description: _Text
    answers: list[_Text] = Field(default_factory=list)
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    task: TaskKind
    scenario: _Scenario
    money_unit: str
    shared_luck: _Text = ""
    barred: list[str] = Field(default_factory=list)  # policies of which the call allows no portfolio
    policies: list[str]
    factors: dict[str, _Factor]
    design: _Design
    metrics: Annotated[list[str], Field(min_length=1)]
    kinds: Annotated[list[str], Field(min_length=1)]
    figures: dict[str, _Figure] = Field(default_factory=dict)
    paired: bool
    replications: Annotated[int, Field(ge=1, lt=2**31)]
    repeats: Annotated[int, Field(ge=1, le=10_000)] = 1
    difference: dict[_Text, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    seed: _Count
    common_random_numbers: bool
    confidence: Confidence
    points: Annotated[int, Field(ge=1, lt=2**31)]
    done: _Count
    failed: _Count
    missing: _Count
    complete: bool
    stopped: _Text
    damaged: list[Part]
    parts: list[Part]
    command: list[_Text] = Field(default_factory=list)
    solvers: str = ""
    versions: dict[str, str]
    results: Digest | Literal[""] = ""
    origin: dict[FileName, Digest] = Field(default_factory=dict)


def is_sweep(folder: str | Path) -> bool:
    """Whether a folder is one that a sweep was begun in."""
    return is_file(Path(folder) / SWEEP)


def manifest_of(folder: str | Path) -> dict[str, Any]:
    """What ran. Raises ExperimentError with every fault, and if the folder holds no sweep."""
    path = Path(folder) / SWEEP
    found = read_document(path, _Sweep, ExperimentError, f"must be the folder of a sweep, with a {SWEEP}")
    faults = tuple(_faults(found, path))
    if faults:
        raise ExperimentError(faults)
    found["scenario"]["overrides"] = [by_new_names(one) for one in found["scenario"]["overrides"]]
    return found


def _faults(found: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """What the fields say of one another."""
    metrics, counts = found["metrics"], (found["done"], found["failed"], found["missing"])
    for metric in metrics:
        if parse_metric(metric) is None:
            yield Fault(f"{path}, metrics", "must be metrics", metric)
    kinds = [metric.kind for text in metrics if (metric := parse_metric(text)) is not None]
    if len(set(metrics)) < len(metrics) or kinds != found["kinds"]:
        yield Fault(f"{path}, kinds", "must have the kind of each metric, and no metric twice", str(found["kinds"]))
    if sum(counts) != found["points"] * found.get("repeats", 1):
        rule = "must be, times the repeats, as many as are done, failed and missing"
        yield Fault(f"{path}, points", rule, str(found["points"]))
    if sum(one["policy"] for one in found["factors"].values()) > 1:
        yield Fault(f"{path}, factors", "at most one factor has policies")
    for fault in answers_faults(found.get("answers", []), Names.of(found)):
        yield Fault(f"{path}, {fault.where}", fault.rule, fault.found, fault.suggestion)


# --- the same experiment --------------------------------------------------------------------------

_SAME = (
    "experiment",
    "task",
    "scenario",
    "policies",
    "factors",
    "design",
    "metrics",
    "paired",
    "seed",
    "common_random_numbers",
    "confidence",
)
_GROWING = ("points", "replications", "repeats")
_TEXTS = frozenset({"title", "label", "path"})
"""What is only said of an experiment: it may change."""


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Fault, ...]:
    """In what a sweep is another experiment than the one that a folder holds: none if it is the same, with more points
    or replications at most."""
    faults = [
        Fault(place, "differs from the sweep that is there", f"{_value_text(before)} there, {_value_text(after)} now")
        for name in _SAME
        for place, before, after in _different(name, old.get(name), new.get(name))
        if not (place == "design.base" and _is_more(after, before))
    ]
    fewer = "must not be fewer than in the sweep that is there"
    advice = "Ask for as many, or give another --out."
    shrunk = [
        Fault(name, fewer, f"{old.get(name, 1):,} there", advice)
        for name in _GROWING
        if not _is_more(new.get(name, 1), old.get(name, 1))
    ]
    return (*faults, *shrunk)


def essence(identity: Any) -> Any:
    """What makes an experiment another one than any that is not the same: all but what is only said of it."""
    if isinstance(identity, dict):
        return {name: essence(value) for name, value in identity.items() if name not in _TEXTS}
    return identity


def _is_more(after: Any, before: Any) -> bool:
    return isinstance(after, int) and isinstance(before, int) and after >= before


def _different(place: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """The fields, by their path, in which two documents differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            if name not in _TEXTS:
                yield from _different(f"{place}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield place, old, new


def _value_text(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
