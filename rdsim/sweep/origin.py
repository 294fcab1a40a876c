"""What a sweep was made of, in its own folder: the experiment, its scenario's files, its portfolios, texts of plug-ins.

By it a sweep runs again wherever its folder is, whatever became of the files that it was begun with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from rdsim.errors import ExperimentError, Fault
from rdsim.folders import SWEEP, is_file, write_whole
from rdsim.plugins import texts_of
from rdsim.scenario import BOOK, runs_program, source_of
from rdsim.scenario import texts_of as scenario_texts
from rdsim.sweep.manifests import manifest_of
from rdsim.sweep.prepared import Prepared
from rdsim.sweep.settings import ExperimentSettings

__all__ = ["ORIGIN", "keep", "settings_of_sweep"]

S = TypeVar("S", bound=ExperimentSettings)

ORIGIN = "origin"
"""Folder in a sweep's folder that holds it."""

_EXPERIMENT = "experiment.json"


def keep(prepared: Prepared, folder: Path) -> dict[str, str]:
    """Write what the sweep is made of in place of what an earlier one wrote; the digest of each file, by its path.

    Each file is written whole, and only where it is another: a second sweep may be writing the same. What nobody wrote
    for a sweep stays. Raises OSError.
    """
    place, found = folder / ORIGIN, dict(_files(prepared))
    for name in _earlier_files(folder):
        if name not in found and _is_inside(name):
            (place / name).unlink(missing_ok=True)
    for name, data in found.items():
        path = place / name
        if not is_file(path) or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(found.items())}


def _earlier_files(folder: Path) -> Mapping[str, str]:
    """The files that a sweep's manifest speaks of; none where there is no manifest."""
    try:
        return manifest_of(folder).get(ORIGIN) or {}
    except ExperimentError:
        return {}


def _files(prepared: Prepared) -> Iterator[tuple[str, bytes]]:
    one, source = prepared.experiment, source_of(prepared.scenario)
    told: dict[str, Any] = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    told |= {"factors": {name: dataclasses.asdict(factor) for name, factor in one.factors.items()}}
    told |= {"answers": [dataclasses.asdict(answer) for answer in one.answers], "folder": ".", "plugins": []}
    if source is None:  # it was made in Python, where settings are in it already
        told |= {"scenario": "scenario", "settings": {}}
        files = {name: text.encode() for name, text in scenario_texts(prepared.scenario).items()}
    else:
        told["scenario"] = f"scenario/{BOOK}" if BOOK in source.files else "scenario"
        files = dict(source.files)
    yield from ((f"scenario/{name}", data) for name, data in files.items())
    told["portfolios"] = {name: f"portfolios/{name}.csv" for name in one.portfolios}
    for name in prepared.given:
        place = told["portfolios"].get(name, name)
        if _is_inside(place):
            yield place, one.path(one.portfolios.get(name, name)).read_bytes()
    for number, plugin in enumerate(prepared.plugins, start=1):
        yield from ((f"plugins/{number}/{name}", data) for name, data in texts_of(plugin).items())
    plugins = [{"file": plugin.path, "sha256": plugin.sha256} for plugin in prepared.plugins]
    text = json.dumps({"experiment": told, "plugins": plugins}, indent=1, ensure_ascii=False, default=_plain)
    yield _EXPERIMENT, text.encode()


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def _is_inside(place: str) -> bool:
    path = PurePosixPath(place)
    return not path.is_absolute() and ".." not in path.parts


def settings_of_sweep(kind: type[S], folder: Path, plugins: Sequence[Path] = ()) -> S:
    """The experiment of a sweep, as its own folder holds it; `plugins` are files of those that it used, which are code
    and run only if they are named again: the texts that the sweep holds will do.

    Raises ExperimentError if the folder holds none, or not as it was written, or a plug-in is not named.
    """
    manifest, place = manifest_of(folder), folder / ORIGIN
    listed: Mapping[str, str] = manifest.get(ORIGIN) or {}
    if _EXPERIMENT not in listed:
        rule = f"must hold in {ORIGIN} what the sweep was made of, as sweeps do that can be run again"
        advice = "Run its experiment again: the command stands in sweep.json."
        raise ExperimentError((Fault(str(folder / SWEEP), rule, "nothing", advice),))
    faults = [
        Fault(str(place / name), f"must be as it was written, with digest {sha256}", _digest(place / name))
        for name, sha256 in listed.items()
        if _digest(place / name) != sha256
    ]
    if faults:
        raise ExperimentError(tuple(faults))
    told = json.loads((place / _EXPERIMENT).read_text(encoding="utf-8"))
    named = {_digest(path): str(path.resolve()) for path in plugins}
    faults += [
        Fault(str(folder), "the sweep used a plug-in, which is run only if it is named again", one["file"],
              f"Give --plugin {one['file']}.")
        for one in told["plugins"]
        if one["sha256"] not in named
    ]  # fmt: skip
    faults += list(_strange(folder, told["experiment"], listed))
    if faults:
        raise ExperimentError(tuple(faults))
    given = told["experiment"] | {"folder": str(place), "plugins": [named[one["sha256"]] for one in told["plugins"]]}
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        rule = "must be the experiment of a sweep"
        raise ExperimentError((Fault(str(place / _EXPERIMENT), rule, str(error).splitlines()[0]),)) from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if is_file(path) else "no such file"


def _strange(folder: Path, told: Mapping[str, Any], listed: Mapping[str, str]) -> Iterator[Fault]:
    """What keeps a sweep from being run again from its folder."""
    settings = [f"{path}={value}" for path, value in told["settings"].items()]
    varied = [name for name in told["factors"] if name.startswith("illustrative")]
    advice = "Run its experiment again: the command stands in sweep.json."
    if varied or runs_program(settings):
        rule = "must draw no figures anew: a program of the scenario's folder is not run unasked"
        yield Fault(str(folder), rule, ", ".join([*settings, *varied]), advice)
    policies = [told["policy"], *(one for factor in told["factors"].values() for one in factor.get("policies") or ())]
    for name in dict.fromkeys(policies):
        if name.endswith(".csv") and name not in told["portfolios"] and name not in listed:
            rule = "must hold the portfolio of each policy, and this one stands outside the experiment's folder"
            yield Fault(str(folder), rule, name, advice)
