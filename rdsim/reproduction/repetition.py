"""A run made again from its own folder, and whether what came out is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim import findings, studies, sweep
from rdsim import portfolio as portfolios
from rdsim.brief import count
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import Fault, RunError
from rdsim.folders import MANIFEST, SECONDS, is_file, read_manifest, without_times
from rdsim.folders.contents import BRIEF, GIVEN, PORTFOLIO, REPORT, SLIDE, WORKBOOK
from rdsim.optimiser import Solving
from rdsim.optimiser.adapters import find_solver, untold
from rdsim.plans import Progress, plan
from rdsim.reproduction.differences import document_faults, table_faults
from rdsim.runs import source_again
from rdsim.search import Given, optimise
from rdsim.simulation import Running, simulate, trace
from rdsim.studies import QUESTIONS, StudySettings
from rdsim.study import Study

__all__ = ["Repetition", "given_again", "make_again", "repetition", "sweep_repetition"]

_DRAWN = (REPORT.name, BRIEF.name, SLIDE.name, WORKBOOK.name)
"""Files that are made of others, in a reader's language, with the command as it was typed."""

_OTHERWISE = ("rdsim", "numbers", "command", "settings", "platform", "versions", "files", "manifest_sha256", "plugins",
              "packages", "asked_of", "stated", "complete", "missing")  # fmt: skip
"""What a manifest says of how the run came about rather than of what came out."""


def given_again(folder: Path, world: Scenario) -> Given | None:
    """The portfolio that a question was asked about, as its run holds it; None if it was the optimiser's own."""
    told = read_manifest(folder).get("given")
    if not told:
        return None
    chosen: Portfolio = replace(portfolios.read(folder / GIVEN.name, world), name=told["name"])
    return Given(chosen, source_again(told["source"]), told["payment_ratios"])


def make_again(folder: Path, world: Scenario, progress: Progress, threads: int | None = None) -> Study:
    """What the run's command comes to in a scenario, with the settings and the portfolio that its folder holds.

    Raises: RunError if the run does not say its settings, or is of a command that is not made again; what the command
    raises.
    """
    manifest = read_manifest(folder)
    settings: Mapping[str, Any] = manifest.get("settings") or {}
    name = manifest.get("study") or _command(manifest)
    if not settings or (name not in ("plan", "simulate", "optimise") and name not in QUESTIONS):
        rule = "must be a run of a command about a scenario, which says what it was told"
        raise RunError((Fault(str(folder / MANIFEST), rule, f"a run of {name or 'no command'}"),))
    running = Running(settings["engine"], threads)
    told = {one: settings[one] for one in ("solver", "gap", "time_limit") if settings.get(one) is not None}
    count_of, seed = settings.get("replications"), settings.get("seed")
    if name == "plan":
        found = plan(world, replications=count_of, seed=seed, solving=Solving(**told), running=running,
                     one_shot=bool(settings.get("one_shot")), progress=progress)  # fmt: skip
        return findings.of_plan(found)
    if name == "simulate":
        chosen = portfolios.read(folder / PORTFOLIO.name, world)
        simulated = simulate(world, chosen, replications=count_of, seed=seed, running=running)
        return findings.of_simulation(simulated, trace(world, chosen, seed=seed) if settings.get("trace") else None)
    if name == "optimise":
        proposal = optimise(world, samples=count_of, seed=seed, solving=Solving(**told), running=running)
        asked = {"gap": told.get("gap", world.optimiser.gap), "time_limit": told.get("time_limit"), "threads": 1,
                 "seed": 0, "untold": list(untold(find_solver(settings["solver"])))}  # fmt: skip
        return findings.of_proposal(world, proposal, world.simulation.seed if seed is None else seed, asked)
    own = {one.name: settings[one.name] for one in QUESTIONS[name].own if settings.get(one.name) is not None}
    wanted = StudySettings(settings.get("samples"), None if "replications" in own else count_of, seed, Solving(**told),
                           running)  # fmt: skip
    return studies.ask(name, world, given_again(folder, world), wanted, progress, **own)


def _command(manifest: Mapping[str, Any]) -> str:
    """The command of a run that is known by what it holds."""
    if "search" in manifest:
        return "plan"
    if "solver" in manifest:
        return "optimise"
    return "simulate" if "estimates" in manifest else ""


@dataclass(frozen=True, eq=False)
class Repetition:
    """A run and the same made again: which files are the same, and each thing that came out otherwise."""

    same: tuple[str, ...]
    """Files that are the same byte for byte, pages and workbooks left out."""
    alike: tuple[str, ...]
    """Tables that hold the same values in other bytes."""
    faults: tuple[Fault, ...]

    @property
    def is_identical(self) -> bool:
        """Whether every table, portfolio and figure came out the same."""
        return not self.faults

    def __str__(self) -> str:
        """In one line."""
        if self.faults:
            return f"not the same: {count(len(self.faults), 'difference')}"
        more = f", {count(len(self.alike), 'table')} with the same values in other bytes" if self.alike else ""
        return f"the same again: {count(len(self.same), 'file')} byte for byte{more}, and every figure"


def repetition(before: Path, after: Path) -> Repetition:
    """Compare a run with the same made again, file by file and figure by figure. Raises RunError."""
    then, now = read_manifest(before), read_manifest(after)
    same, alike, faults = list[str](), list[str](), list[Fault]()
    for name in sorted({**then["files"], **now["files"]}):
        if name in _DRAWN:
            continue
        if then["files"].get(name) == now["files"].get(name):
            same.append(name)
            continue
        found = list(_file_faults(before / name, after / name))
        faults += found
        if not found:
            alike.append(name)
    said = [_came_out(manifest) for manifest in (then, now)]
    faults += document_faults(str(after / MANIFEST), *said)
    return Repetition(tuple(same), tuple(alike), tuple(faults))


def sweep_repetition(before: Path, after: Path) -> Repetition:
    """Compare a sweep with the same run again: what was asked, and every row of results. Raises ExperimentError."""
    faults = list(sweep.differences(sweep.manifest_of(before), sweep.manifest_of(after)))
    tables = [sweep.read_sweep(one) for one in (before, after)]
    then, now = (table.drop(columns="key", errors="ignore") for table in tables)  # it has rdsim's own code in it
    found = list(table_faults(str(after / sweep.RESULTS), then, now))
    is_same = (before / sweep.RESULTS).read_bytes() == (after / sweep.RESULTS).read_bytes()
    same, alike = ((sweep.RESULTS,), ()) if is_same else ((), () if found else (sweep.RESULTS,))
    return Repetition(same, alike, (*faults, *found))


def _came_out(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What came out, without how long it took and how the scenario was handed over."""
    told = {name: without_times(value) for name, value in manifest.items() if name not in _OTHERWISE}
    scenario, solver = manifest.get("scenario") or {}, told.get("solver")
    if isinstance(solver, dict):
        solver.pop("version", None)
    return told | {"scenario": {name: scenario.get(name) for name in ("name", "digest")}}


def _file_faults(before: Path, after: Path) -> Iterator[Fault]:
    for path, other in ((before, after), (after, before)):
        if not is_file(path):
            yield Fault(str(path), "must be there, as in the other run", f"no such file, beside {other}")
            return
    if before.suffix in (".parquet", ".csv"):
        read = pd.read_parquet if before.suffix == ".parquet" else pd.read_csv
        try:
            then, now = (read(path).drop(columns=SECONDS, errors="ignore") for path in (before, after))
            yield from table_faults(str(after), then, now)
        except (OSError, ValueError) as error:
            yield Fault(str(before), "must be a table that can be read", str(error).splitlines()[0])
    else:
        yield Fault(str(after), "must be the same as in the first run", "another file")
