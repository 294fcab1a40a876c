"""The manifest of a run: what it must hold for rdsim to know the folder as a run's, and which files are the run's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from rdsim.errors import InputError, RunError
from rdsim.folders.documents import Digest, FileName, Record, read_document

__all__ = [
    "MANIFEST",
    "SECONDS",
    "SWEEP",
    "Manifest",
    "digest_of_manifest",
    "own_files",
    "read_manifest",
    "without_times",
]

MANIFEST, SWEEP = "manifest.json", "sweep.json"
SECONDS = "seconds"
"""What a time is called wherever a run tells one: no run has those of another."""

_Text = Annotated[str, Field(max_length=100_000)]
_Texts = list[_Text]
_Count = Annotated[int, Field(ge=0)]
_Limit = float | None


class _GivenScenario(Record):
    place: FileName
    overrides: _Texts


class _Scenario(Record):
    name: _Text
    title: _Text = ""
    digest: Digest
    path: _Text = ""
    parts: _Texts = Field(default_factory=list)
    overrides: _Texts = Field(default_factory=list)
    given: _GivenScenario | None = None
    """Where in the run's folder the scenario is as it was read, and the overrides on it."""


class _Estimate(Record):
    mean: _Limit
    low: Annotated[_Limit, Field(validation_alias=AliasChoices("low", "ci_low"))]
    high: Annotated[_Limit, Field(validation_alias=AliasChoices("high", "ci_high"))]
    n: _Count


class _MarketTarget(_Estimate):
    year: int
    target: float


class _Above(Record):
    programme: _Text
    year: int
    amount: float


class _Baseline(Record):
    rule: _Text
    kind: Literal["rule", "optimised"] = "rule"
    equal_freedom: bool
    npv: _Estimate
    difference: _Estimate
    feasible: bool
    violations: _Texts
    funded: _Count
    awards_above: list[_Above] = Field(default_factory=list)


class _Portfolio(Record):
    funded: _Texts = Field(default_factory=list)
    partners_opened: dict[str, int] = Field(default_factory=dict)


class _Plugin(Record):
    file: _Text
    sha256: Digest
    code: Digest | None = None
    """Of the file with every module of the user's that it imports."""
    kept: FileName | None = None
    """Its text in the run's folder."""


class _Given(Record):
    name: _Text = ""
    source: _Text
    payment_ratios: dict[str, float] | None = None


class _Package(Record):
    name: _Text
    version: _Text
    entry_point: _Text


class _Solver(Record):
    samples: _Count | None = None


class _PromisedAbove(Record):
    name: _Text
    year: int
    announced: float
    awards: float
    above: float


class _LeadPart(_Estimate):
    comparator: _Text
    part: _Text


class _Lead(Record):
    parts: list[_LeadPart] = Field(default_factory=list)
    bounds: _Texts = Field(default_factory=list)


class _Promises(Record):
    rows_held_to: dict[str, float] = Field(default_factory=dict)
    busiest: dict[str, _Limit] = Field(default_factory=dict)
    above: list[_PromisedAbove] = Field(default_factory=list)
    sentences: _Texts = Field(default_factory=list)


class _AskedOf(Record):
    portfolio: Digest


class _Records(Record):
    name: _Text
    projects: _Count
    sha256: Digest | None = None


class _Figure(Record):
    label: _Text
    unit: _Text
    sense: Literal["more", "less", "neither"]
    least: _Limit
    most: Literal["", "projects", "partners"]
    shown: bool


class _Stated(Record):
    path: _Text
    place: FileName


class Manifest(Record):
    """What manifest.json holds, whatever kind of run wrote it; the fields of a kind are beside these."""

    rdsim: Annotated[str, Field(min_length=1, max_length=100)]
    complete: bool
    missing: _Texts = Field(default_factory=list)
    files: dict[FileName, Digest]
    versions: dict[str, _Text]
    command: _Texts = Field(default_factory=list)
    study: _Text = ""
    scenario: _Scenario | None = None
    asked_of: _AskedOf | None = None
    """The plan that was asked, in whose folder this is: by its portfolio's digest."""
    given: _Given | None = None
    """Whose portfolio was asked about; the run's folder holds it."""
    stated: _Stated | None = None
    """Where the problem was that tables state, and where the run's folder holds it."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the command was told, defaults included, by name."""
    numbers: _Count | None = None
    """The version of the numbers (`rdsim.numbers`)."""
    platform: dict[str, _Text] = Field(default_factory=dict)
    manifest_sha256: Digest | None = None
    """Of all that the manifest says beside it (`digest_of_manifest`)."""
    seed: _Count | None = None
    replications: _Count | None = None
    engine: _Text = ""
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None
    money_unit: _Text = ""
    shared_luck: _Text = ""
    plugins: list[_Plugin] = Field(default_factory=list)
    packages: list[_Package] = Field(default_factory=list)
    solver: _Solver | None = None
    promises: _Promises | None = None
    search: dict[str, Any] = Field(default_factory=dict)
    portfolio: _Portfolio | None = None
    fresh: dict[str, Any] = Field(default_factory=dict)
    estimates: dict[str, _Estimate] = Field(default_factory=dict)
    figures: dict[str, _Figure] = Field(default_factory=dict)
    aim: _Text = ""
    market_targets: list[_MarketTarget] = Field(default_factory=list)
    baselines: dict[str, _Baseline] = Field(default_factory=dict)
    lead: _Lead | None = None
    assumptions: dict[str, Any] = Field(default_factory=dict)
    notes: _Texts = Field(default_factory=list)
    records: list[_Records] = Field(default_factory=list)


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """What manifest.json of a run says, by the names of today. Raises RunError with every fault, and if there is no
    run."""
    rule = f"must be the folder of a run, with its {MANIFEST}"
    found: dict[str, Any] = _by_new_names(read_document(Path(folder) / MANIFEST, Manifest, RunError, rule))
    return found


_RENAMED = {"ci_low": "low", "ci_high": "high"}
"""What ends of intervals were called until December 2026, and what they are called everywhere since."""


def _by_new_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {_RENAMED.get(name, name): _by_new_names(one) for name, one in value.items()}
    return [_by_new_names(one) for one in value] if isinstance(value, list) else value


def digest_of_manifest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of what a manifest says, but for `manifest_sha256` and for how many seconds anything took, so that the
    same run has the same digest: blind to the order of fields and to spaces."""
    said = {name: value for name, value in without_times(manifest).items() if name != "manifest_sha256"}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def without_times(value: Any) -> Any:
    """What a document says, without how many `seconds` anything took."""
    if isinstance(value, Mapping):
        return {name: without_times(one) for name, one in value.items() if name != SECONDS}
    return [without_times(one) for one in value] if isinstance(value, list | tuple) else value


def own_files(folder: Path) -> frozenset[str] | None:
    """Names of the files that the folder's manifest lists as its run's, itself among them; None without a run's
    manifest: a link, a manifest of something else, one that was damaged."""
    try:
        return None if (folder / MANIFEST).is_symlink() else frozenset(read_manifest(folder)["files"]) | {MANIFEST}
    except InputError:
        return None
