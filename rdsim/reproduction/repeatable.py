"""Which runs can be made again from their folders, and those that are of no scenario: of problems stated by tables, of
other runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rdsim import comparison, findings, studies, sweep
from rdsim.errors import Fault, InputError, RunError
from rdsim.folders import MANIFEST, read_manifest
from rdsim.optimiser import Solving
from rdsim.optimiser.problem import folder as problems
from rdsim.optimiser.problem.folder import GivenProblem
from rdsim.studies import QUESTIONS
from rdsim.study import Study

__all__ = ["make_again_without_scenario", "require_repeatable"]

_SOLVING = ("solver", "gap", "time_limit", "seed", "threads")


def require_repeatable(folder: Path, overrides: Sequence[str] = ()) -> None:
    """Raise an InputError that says why a run cannot be made again, and what to do instead; nothing if it can."""
    if sweep.is_sweep(folder):
        if overrides:
            rule, advice = "has a meaning of a run alone, and this is a sweep", "Change its experiment, and run that."
            raise RunError((Fault("--set", rule, ", ".join(overrides), advice),))
        return
    manifest = read_manifest(folder)
    faults = tuple(_faults(folder, manifest, overrides))
    if faults:
        raise RunError(faults)


def _faults(folder: Path, manifest: Mapping[str, Any], overrides: Sequence[str]) -> Iterator[Fault]:
    name = manifest.get("study") or ""
    of_runs, stated = name == "compare", manifest.get("stated")
    if overrides and (of_runs or stated):
        rule = "has a meaning of a scenario alone"
        found = "a comparison of runs" if of_runs else "a problem that tables state"
        yield Fault("--set", rule, found)
    elif of_runs:
        yield from _compared_faults(folder, manifest)
    elif name in _WITHOUT:
        why, advice = _WITHOUT[name]
        yield Fault(str(folder), f"cannot be made again from its own folder: {why}", name, advice)
    elif not (stated or manifest.get("scenario")):
        rule = "must hold what it was made of: a scenario, a problem that tables state, or the runs that it compares"
        advice = "Runs of stated problems hold them since runs can be made again: ask again, of the problem's folder."
        yield Fault(str(folder / MANIFEST), rule, f"a run of {name or 'no command'}", advice)
    elif not manifest.get("settings"):
        rule = "must say its settings: it was written in Python, where nothing says what was called with what"
        advice = "Call the same again. What it comes to can be checked: rdsim verify."
        yield Fault(str(folder / MANIFEST), rule, "none", advice)


_WITHOUT = {
    "calibrate": (
        "a calibration holds the digests of the records that it was fitted to, and not the records",
        "Give its command again, with the records: the manifest says their digests.",
    ),
    "bench": (
        "a benchmark measures seconds, which never come out the same, and portfolios that stand outside it",
        "Give its command again, with --against this folder, which tells values and seconds apart.",
    ),
}
"""Commands whose runs lack something that they were made of: what, and what to do instead."""


def _compared_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """Runs that a comparison is of and that are not where they were, or not what they were: it holds none of them."""
    for number, one in enumerate(manifest.get("compared") or ()):
        where, place, stated = f"{folder / MANIFEST}, compared, {number}", Path(one["folder"]), one["manifest_sha256"]
        advice = "A comparison holds none of its runs: put it back, or make it again with rdsim rerun there."
        try:
            found = read_manifest(place).get("manifest_sha256")
        except InputError:
            yield Fault(where, "must be a finished run, as seen from here", str(place), advice)
            continue
        if stated is None or found != stated:
            rule = f"must be the run that was compared, {place}, whose manifest has digest {stated}"
            yield Fault(where, rule, str(found), advice)


def make_again_without_scenario(folder: Path) -> tuple[Study, GivenProblem | None]:
    """What the command of a run comes to again that is of a stated problem, with the problem as its folder holds it, or
    of other runs. Raises as `require_repeatable`, and what the command raises."""
    require_repeatable(folder)
    manifest = read_manifest(folder)
    if manifest.get("study") == "compare":
        return comparison.study(comparison.compare(*(one["folder"] for one in manifest["compared"]))), None
    place, settings = folder / manifest["stated"]["place"], dict(manifest["settings"])
    given, posed = problems.given_problem(place), problems.read_statement(place)
    solving = Solving(**{name: settings.pop(name) for name in _SOLVING})
    name = manifest.get("study")
    if not name:
        return findings.of_statement(posed, solving), given
    known = {one.name for one in QUESTIONS[name].problem_options}
    values = {one: value for one, value in settings.items() if one in known}
    return studies.ask_of_problem(name, posed, solving, **values), given
