"""What an experiment says: a scenario, what is done with it, what is varied and measured; written as a TOML file.

See `experiments/README.md` for the format. Everything is checked before anything runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from rdsim.arguments import check_fields
from rdsim.defaults import DEFAULT_SOLVER
from rdsim.designs import DesignKind, Distribution, Factor
from rdsim.errors import ExperimentError, Fault, InputError
from rdsim.names import NAMES
from rdsim.tables import did_you_mean, shown_value
from rdsim.texts import read_toml

__all__ = ["TASKS", "Answer", "ExperimentSettings", "TaskKind", "read_as"]

TaskKind = Literal["simulate", "optimise", "plan", "rolling"]
TASKS: tuple[TaskKind, ...] = ("simulate", "optimise", "plan", "rolling")

_RENAMED = {"set": "settings", "list": "rows"}


@dataclass(frozen=True)
class Answer:
    """A sentence with figures of the sweep in braces; see `rdsim.sweep.answers`."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    text: Annotated[str, Field(min_length=1, description="The sentence.")]


@dataclass(frozen=True)
class ExperimentSettings:
    """What is run, varied and measured; see `Experiment`."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    scenario: Annotated[Any, Field(description="Folder of the scenario, from the file's folder; in Python a Scenario.")]
    name: Annotated[str, Field(pattern=NAMES, description="Name of the experiment.")] = "experiment"
    title: Annotated[str, Field(description="One line for the report's head; the question.")] = ""
    description: Annotated[str, Field(description="A paragraph for the report.")] = ""
    task: Annotated[TaskKind, Field(description="What is done at each point.")] = "simulate"
    policy: Annotated[
        str, Field(description="Who chooses the portfolio, if no factor says so: a rule, one-shot, plan or a CSV file.")
    ] = "one-shot"
    settings: Annotated[Mapping[str, Any], Field(description="Settings by dotted path, the same at every point.")] = (
        field(default_factory=dict)
    )
    portfolios: Annotated[
        Mapping[Annotated[str, Field(pattern=NAMES)], str],
        Field(description="Portfolios by the names that policies call them by; each a CSV file."),
    ] = field(default_factory=dict)
    factors: Annotated[Mapping[str, Factor], Field(description="What is varied, by name.")] = field(
        default_factory=dict
    )
    design: Annotated[DesignKind, Field(description="Which combinations of levels.")] = "grid"
    points: Annotated[int | None, Field(ge=1, le=100_000_000, description="How many points.")] = None
    levels: Annotated[int, Field(ge=1, le=10_000, description="Levels of a range or distribution in a grid.")] = 5
    rows: Annotated[tuple[Mapping[str, Any], ...], Field(description="The points of the design `list`.")] = ()
    design_seed: Annotated[int, Field(ge=0, lt=2**63, description="Seed of a sampled design.")] = 1
    replications: Annotated[
        int | None, Field(ge=2, le=10_000_000, description="Replications at each point; absent: the scenario's.")
    ] = None
    repeats: Annotated[
        int, Field(ge=1, le=10_000, description="How often everything is decided, each time on other luck.")
    ] = 1
    difference: Annotated[
        Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]],
        Field(description="By metric, the difference that would matter."),
    ] = field(default_factory=dict)
    seed: Annotated[int | None, Field(ge=0, lt=2**63, description="Seed of the draws; absent: the scenario's.")] = None
    common_random_numbers: Annotated[bool, Field(description="Whether all points have the same luck.")] = True
    metrics: Annotated[tuple[str, ...], Field(description="What is measured; absent: the task's main figures.")] = ()
    paired: Annotated[
        bool, Field(description="Keep the first metric's replications, so that policies are compared pair by pair.")
    ] = False
    solver: Annotated[str, Field(description="Solver of the optimiser.")] = DEFAULT_SOLVER
    plugins: Annotated[tuple[str, ...], Field(description="Python files that register policies.")] = ()
    answers: Annotated[tuple[Answer, ...], Field(description="Sentences that answer the question.")] = ()
    folder: Annotated[str, Field(description="What relative paths are relative to.")] = "."

    def __post_init__(self) -> None:
        if isinstance(self.factors, Mapping):
            object.__setattr__(self, "factors", {name: _factor(one) for name, one in self.factors.items()})
        check_fields(self, ExperimentError)
        for name in ("metrics", "plugins", "rows", "answers"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def path(self, text: str) -> Path:
        """A path that the experiment names."""
        return Path(self.folder) / text


def _factor(given: Any) -> Factor:
    """A factor as a file or a user's script gives it."""
    if isinstance(given, Factor):
        return given
    table = {"values": given} if isinstance(given, Sequence) and not isinstance(given, str) else given
    try:
        return TypeAdapter(Factor).validate_python(table)
    except ValidationError as error:
        raise ExperimentError(tuple(_faults("factor", error, table))) from None


S = TypeVar("S", bound=ExperimentSettings)


def read_as(kind: type[S], path: str | Path) -> S:
    """The settings of a TOML file. Raises ExperimentError with every fault of its form."""
    file = Path(path)
    try:
        table = read_toml(file)
    except InputError as error:
        raise ExperimentError(error.faults) from None
    table = {"name": file.stem, **table}
    given = {_RENAMED.get(key, key): value for key, value in table.items()}
    unknown = [Fault(f"{file.name}, {one}", "unknown key") for one in ("settings", "rows", "folder") if one in table]
    try:
        found = TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        raise ExperimentError((*unknown, *_faults(file.name, error, table))) from None
    if unknown or not isinstance(found.scenario, str):
        wrong = [] if isinstance(found.scenario, str) else [_no_folder(file.name, found.scenario)]
        raise ExperimentError((*unknown, *wrong))
    return dataclasses.replace(found, folder=str(file.parent))


def _no_folder(where: str, value: object) -> Fault:
    return Fault(f"{where}, scenario", "must be the folder of a scenario", shown_value(value))


def _faults(where: str, error: ValidationError, table: Any) -> Iterator[Fault]:
    """Pydantic's errors as faults, each once: with the key, the rule and the value found."""
    seen = set()
    written = {value: key for key, value in _RENAMED.items()}
    for one in error.errors(include_url=False):
        path = [str(part) for part in one["loc"] if str(part) not in _INSIDE]
        place = ".".join([written.get(path[0], path[0]), *path[1:]]) if path else ""
        if place in seen:
            continue
        seen.add(place)
        at = f"{where}, {place}" if place else where
        if one["type"] == "unexpected_keyword_argument":
            names = [written.get(field.name, field.name) for field in dataclasses.fields(_record(where, path))]
            yield Fault(at, "unknown key", "", did_you_mean(path[-1], _others(names, table)))
        elif one["type"] == "missing":
            yield Fault(at, "is required", "nothing")
        else:
            rule = one["msg"][0].lower() + one["msg"][1:]
            yield Fault(at, rule.replace("input should be", "must be"), shown_value(one["input"]))


def _record(where: str, path: list[str]) -> type[Any]:
    """What holds a key: the distribution of a factor, a factor, or the experiment."""
    if path[-2:-1] == ["distribution"]:
        return Distribution
    return Factor if where == "factor" or (len(path) == 3 and path[0] == "factors") else ExperimentSettings


_INSIDE = {"bool", "int", "float", "str", "function-plain[_factor()]"}


def _others(names: Iterable[str], table: Any) -> list[str]:
    return [name for name in names if not (isinstance(table, Mapping) and name in table) and name != "folder"]
