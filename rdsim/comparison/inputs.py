"""Which inputs of runs differ: settings of the scenario by path, and how each run came about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from rdsim.comparison.reading import FinishedRun
from rdsim.languages import N_, NP_, listing, pgettext
from rdsim.languages import gettext as _

__all__ = ["COLUMNS", "input_table", "kind_title", "scenario_words"]

COLUMNS = ("run", "kind", "path", "first", "second")
_KINDS = {"run": NP_("kind", "run"), "scenario": NP_("kind", "scenario"), "override": NP_("kind", "override")}
_ABSENT = N_("not there")
_APART = {"--set", "--seed", "--replications", "--threads"}
"""Options that are told by themselves, or that change nothing."""


def input_table(first: FinishedRun, second: FinishedRun) -> pd.DataFrame:
    """A row for each input of `second` that differs from that of `first`: kind, path and the two values as text.

    Kinds: `scenario` where both scenarios are still there as they ran, so that every value is compared by its path;
    `override` (what was set on top of the scenario) otherwise; `run` for what the manifests say besides.
    """
    pairs = [("run", *one) for one in _differences(_provenance(first), _provenance(second))]
    if first.scenario is not None and second.scenario is not None:
        mine, other = (dict(_flat(dataclasses.asdict(one))) for one in (first.scenario, second.scenario))
        pairs += [("scenario", *one) for one in _differences(mine, other)]
    else:
        pairs += [("override", *one) for one in _differences(_overrides(first), _overrides(second))]
    return pd.DataFrame([(second.label, *one) for one in pairs], columns=list(COLUMNS))


def kind_title(kind: str) -> str:
    """What readers call a kind of input."""
    return pgettext("kind", _KINDS[kind])


def scenario_words(first: FinishedRun, second: FinishedRun) -> str:
    """What can be known of the two scenarios: alike or not by their digests, and whether more can be said."""
    mine, other = (one.manifest["scenario"]["digest"] for one in (first, second))
    if mine == other:
        return _("The scenarios are the same, by their digests.")
    if first.scenario is not None and second.scenario is not None:
        return _("The scenarios differ; what differs is told by path.")
    gone = listing([one.label for one in (first, second) if one.scenario is None])
    return _(
        "The scenarios differ, by their digests. That of {runs} is not to be found any more as it ran, so only "
        "overrides can be told apart: tables and settings may differ as well."
    ).format(runs=gone)


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for path in dict.fromkeys([*first, *second]):
        pair = (first.get(path, _(_ABSENT)), second.get(path, _(_ABSENT)))
        if pair[0] != pair[1]:
            yield (path, *pair)


def _provenance(run: FinishedRun) -> dict[str, str]:
    """What the manifest says of how the run came about."""
    told, world = run.manifest, run.manifest["scenario"]
    solver = told.get("solver") or {}
    found = {
        _("command"): " ".join(_command(told.get("command") or [])),
        "rdsim": told["rdsim"],
        _("scenario"): world.get("path") or world["name"],
        _("scenario digest"): world["digest"][:12],
        _("parts"): ", ".join(world.get("parts") or []),
        _("seed"): told.get("seed"),
        _("replications"): told.get("replications"),
        _("confidence"): told.get("confidence"),
        _("solver"): solver.get("name"),
        _("samples behind each option"): solver.get("samples"),
        _("plug-ins"): ", ".join(f"{one['file']} ({one['sha256'][:12]})" for one in told.get("plugins") or []),
        _("packages"): ", ".join(f"{one['name']} {one['version']}" for one in told.get("packages") or []),
    }
    return {name: _("none") if value in (None, "") else str(value) for name, value in found.items()}


def _command(words: Sequence[str]) -> Iterator[str]:
    """The command without the scenario, and without options that are told by themselves."""
    skipped = {1 + place for place, word in enumerate(words) if word in _APART} | {2}
    return (word for place, word in enumerate(words) if place not in skipped and word not in _APART)


def _overrides(run: FinishedRun) -> dict[str, str]:
    """Values by path; of a path that was set twice the later one."""
    pairs = (one.partition("=") for one in run.manifest["scenario"].get("overrides") or [])
    return {path.strip(): value.strip() for path, _, value in pairs}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Values of a scenario as text, by dotted path; lists of plain values are one value."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _flat(one, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for place, one in enumerate(value, start=1):
            yield from _flat(one, f"{path}.{place}")
    elif isinstance(value, list | tuple):
        yield path, ", ".join(map(_text, value)) or _("none")
    else:
        yield path, _text(value)


def _text(value: object) -> str:
    if value is None or value == "":
        return _("none")
    return f"{value:.10g}" if isinstance(value, float) else str(value)
