"""An earlier run as the start of a question: the scenario it ran, and its portfolio in its own terms.

A folder with a manifest and without a scenario.toml is a run. Questions asked of it are about the scenario that ran:
the one at the path that was typed then, if that still is the same, and otherwise the copy that the run holds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rdsim import portfolio as portfolios
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError, RunError
from rdsim.folders import MANIFEST, is_file, is_folder, read_manifest
from rdsim.folders.contents import PORTFOLIO, SCENARIO_APPLIED
from rdsim.languages import ENGLISH, N_, speaking
from rdsim.languages import gettext as _
from rdsim.registry import Package, installed_packages
from rdsim.scenario import digest, load, runs_program
from rdsim.search import Given
from rdsim.titles import GIVEN_PORTFOLIO

__all__ = [
    "Earlier",
    "OpenedRun",
    "is_run",
    "kept_run",
    "open_run",
    "portfolio_file",
    "portfolio_of",
    "read_run",
    "source_again",
]


@dataclass(frozen=True)
class Earlier:
    """What a run says of how it came about."""

    folder: Path
    scenario: Path
    digest: str
    overrides: tuple[str, ...]
    plugins: tuple[tuple[str, str], ...]  # path and SHA-256 of each
    packages: tuple[Package, ...]  # installed then, and used
    seed: int
    samples: int | None
    stated: str = ""
    """Path of the scenario as the run says it, wherever it is read from now; '' if it says none."""

    def fault(self, world: Scenario) -> Fault | None:
        """What to know if the scenario is no longer what it was in the run."""
        if digest(world) == self.digest:
            return None
        return Fault(str(self.folder), "the scenario is another than that of the run", str(self.scenario))

    def require_same(self, world: Scenario) -> None:
        """Raise InputError if the scenario is no longer what it was in the run, whose answers are about that."""
        if fault := self.fault(world):
            rule = "the scenario is no longer the one that the plan was made of"
            advice = "Plan again; or give --out FOLDER, to ask about the scenario as it is now."
            raise InputError((replace(fault, rule=rule, suggestion=advice),))

    def require_plugins(self, named: Sequence[Path]) -> None:
        """A run's manifest may come from anywhere, so its plug-ins, which are code, run only if they are named again.

        Raises InputError with each that is not among the named files, by its path or by what is in it.
        """
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in named if is_file(path)}
        rule, paths = "the run used a plug-in, which is run only if it is named again", {str(path) for path in named}
        lacking = [path for path, sha256 in self.plugins if path not in paths and sha256 not in digests]
        if lacking:
            raise InputError(tuple(Fault(str(self.folder), rule, path, f"Give --plugin {path}.") for path in lacking))

    def require_packages(self) -> tuple[Fault, ...]:
        """What to know of installed packages that the run used: those that have another version now.

        Raises InputError with each that is not installed, or has no such entry point any more.
        """
        here = {(one.name, one.entry_point): one for one in installed_packages()}
        lacking = [one for one in self.packages if (one.name, one.entry_point) not in here]
        if lacking:
            rule = "the run used what an installed package registers, which is not there"
            raise InputError(tuple(Fault(str(self.folder), rule, _words(one), _advice(one)) for one in lacking))
        known = [(one, here[one.name, one.entry_point]) for one in self.packages]
        rule = "the run used another version of an installed package"
        return tuple(
            Fault(str(self.folder), rule, _words(one), f"Installed is {now.version}.")
            for one, now in known
            if one.version != now.version
        )


def _words(package: Package) -> str:
    return f"{package.name} {package.version}, entry point {package.entry_point}"


def _advice(package: Package) -> str:
    return f"Install {package.name}=={package.version}."


def is_run(folder: Path) -> bool:
    """True for the folder of a run, which is no scenario."""
    return is_file(folder / MANIFEST) and not is_file(folder / "scenario.toml")


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run with the scenario that questions about it are asked of, and what to know of that."""

    run: Earlier
    """With the place that its scenario was read from."""
    world: Scenario
    notes: tuple[Fault, ...] = ()


def read_run(folder: Path) -> Earlier:
    """How a run came about: from the scenario at its path, if something is there, otherwise from the run's own copy.

    Raises InputError if its manifest does not say, or its scenario is nowhere.
    """
    manifest = read_manifest(folder)
    scenario: Mapping[str, Any] = manifest.get("scenario") or {}
    path = Path(str(scenario.get("path") or ""))
    faults = list[Fault]()
    if not scenario.get("path") or not (is_folder(path) or is_file(path)):
        if (own := _own_copy(folder)) is not None:
            return own
        rule = "must name the folder of its scenario, or its workbook, as seen from here"
        advice = "Ask from the folder in which the run was made; or name the scenario, and the run by --portfolio."
        faults.append(Fault(str(folder / MANIFEST), rule, str(scenario.get("path") or "none"), advice))
    said = {"seed": manifest.get("seed"), **{name: scenario.get(name) for name in ("digest", "overrides")}}
    if lacking := [name for name, value in said.items() if value is None]:
        rule, advice = f"must say the run's {' and '.join(lacking)}", "Was it edited? Make the run again."
        faults.append(Fault(str(folder / MANIFEST), rule, "nothing", advice))
    if faults:
        raise InputError(tuple(faults))
    return _earlier(folder, path, scenario["overrides"], manifest)


def open_run(run: Earlier) -> OpenedRun:
    """The scenario that ran, with the overrides of the run: as it is at its path, if that is still what ran; otherwise
    as the run's own folder holds it, which is said. Plug-ins that it needs are run before.

    A run from before runs held their scenario has the one at its path alone, and it is said if that is another.

    Raises: ScenarioError for a scenario that cannot be read; RunError if the run's own copy is not what ran either.
    """
    own = _own_copy(run.folder)
    if own is None:
        world = load(run.scenario, run.overrides)
        return OpenedRun(run, world, tuple(filter(None, (run.fault(world),))))
    rule = f"the run's own copy of its scenario, {own.scenario}, is what is asked"
    if run.scenario != own.scenario:
        try:
            world = load(run.scenario, run.overrides)
        except InputError:
            told = "the one at its path can no longer be read"
        else:
            if run.fault(world) is None:
                return OpenedRun(run, world)
            told = "the one at its path is another now"
        advice = f"To ask about that one, name it, and the plan by --portfolio {run.folder}."
    else:
        told, advice = "nothing is at its path any more" if own.stated else "the run says no path of it", ""
    world = load(own.scenario, own.overrides)
    if own.fault(world):
        check = f"rdsim verify {run.folder} says what is not as it was written."
        rule = "must be the scenario that ran, and neither is the one at its path"
        raise RunError((Fault(str(own.scenario), rule, run.stated or "none", check),))
    return OpenedRun(own, world, (Fault(str(run.folder), f"{rule}: {told}", run.stated, advice),))


def _own_copy(folder: Path) -> Earlier | None:
    """How a run came about, with the scenario that it holds; None if it holds none."""
    try:
        return kept_run(folder)
    except RunError:
        return None


def kept_run(folder: Path) -> Earlier:
    """How a run came about, with the scenario that its own folder holds: where the one that it was made of is now, and
    what has become of it, does not matter.

    It is the scenario as it was read, with its overrides; as it ran, where it was not read from files, or where reading
    it again would run a program that draws figures: what a folder from elsewhere brings is not run unasked.

    Raises: InputError if the run holds no scenario, or its manifest lacks something.
    """
    manifest = read_manifest(folder)
    scenario: Mapping[str, Any] = manifest.get("scenario") or {}
    applied, given = folder / SCENARIO_APPLIED.path("").rstrip("/"), scenario.get("given") or {}
    place, overrides = applied, tuple[str, ...]()
    if given and os.path.lexists(folder / given["place"]) and not runs_program(given["overrides"]):
        place, overrides = folder / given["place"], tuple(given["overrides"])
    said = {"scenario": scenario.get("digest"), "seed": manifest.get("seed")}
    lacking = [name for name, value in said.items() if value is None]
    if lacking or not (is_folder(place) or is_file(place)):
        rule = "must hold the scenario that it was made of, and say its seed"
        advice = "Runs of a scenario hold it, since manifests have a digest of their own: make an earlier one again."
        raise RunError((Fault(str(folder), rule, f"no {', no '.join(lacking or ['scenario'])}", advice),))
    return _earlier(folder, place, overrides, manifest)


def _earlier(folder: Path, place: Path, overrides: Sequence[str], manifest: Mapping[str, Any]) -> Earlier:
    return Earlier(
        folder,
        place,
        str(manifest["scenario"]["digest"]),
        tuple(map(str, overrides)),
        tuple((one["file"], one["sha256"]) for one in manifest.get("plugins", ())),
        tuple(Package(**one) for one in manifest.get("packages", ())),
        int(manifest["seed"]),
        (manifest.get("solver") or {}).get("samples"),
        str(manifest["scenario"].get("path") or ""),
    )


def portfolio_file(path: Path) -> Path:
    """The CSV of a portfolio that is named by its file or by its run. Raises InputError if the run has none."""
    if not is_folder(path):
        return path
    if not (path / PORTFOLIO.name).is_file():
        rule = f"must be a CSV file or the folder of a run with a {PORTFOLIO.name}"
        raise InputError((Fault(str(path), rule, "", "Runs of plan, optimise and simulate have one."),))
    return path / PORTFOLIO.name


def portfolio_of(path: Path, world: Scenario) -> Given:
    """The portfolio that a CSV file or a run holds, and the payment ratios that a run's rows were held to.

    Raises: PortfolioError for a portfolio that does not fit the scenario; InputError if there is none.
    """
    chosen = portfolios.read(portfolio_file(path), world)
    if not is_folder(path):
        return Given(chosen, _whose(_PORTFOLIO_OF, path.as_posix()))
    manifest = read_manifest(path)
    whose = _PLAN_OF if "search" in manifest else _PORTFOLIO_OF
    ratios = (manifest.get("promises") or {}).get("rows_held_to")
    known = {name: float(ratio) for name, ratio in (ratios or {}).items() if name in world.programmes}
    return Given(chosen, _whose(whose, path.as_posix()), known or None)


_PLAN_OF, _PORTFOLIO_OF = N_("the plan of {folder}"), N_("the portfolio of {folder}")


def _whose(told: str, folder: str) -> str:
    """Whose portfolio it is: in English, for files hold it, which knows what it says."""
    with speaking(ENGLISH):
        return _(told).format(folder=folder)


def source_again(source: str) -> str:
    """Whose portfolio a run was asked about, as its manifest has it: it knows again what it says."""
    for told in (_PLAN_OF, _PORTFOLIO_OF):
        before = told.partition("{folder}")[0]
        if source.startswith(before):
            return _whose(told, source.removeprefix(before))
    with speaking(ENGLISH):
        return _(source) if source == GIVEN_PORTFOLIO else source
