"""What lies in a folder of results, each in its own folder: runs, studies and sweeps; and what is none, with why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from rdsim.brief import count
from rdsim.comparison.reading import FinishedRun, finished_run
from rdsim.errors import Fault, InputError
from rdsim.folders import (
    MANIFEST,
    SWEEP,
    WORK,
    KeptAnswer,
    is_at_work,
    is_file,
    is_folder,
    kept_answers,
    occupation,
    read_manifest,
)
from rdsim.folders.contents import MAIN
from rdsim.languages import N_, listing
from rdsim.languages import gettext as _
from rdsim.sweep import manifest_of
from rdsim.version import VERSION

__all__ = ["Entry", "Stranger", "entries_of", "is_entry"]

_HELD = {
    "a live run": N_("another run is writing there now"),
    "a dead run": N_("a run that died is to be cleared away by the next run at that place"),
    "an unfinished run": N_("a run was killed while it was put there; rdsim report of that folder finishes it"),
}
"""What is said of a claimed folder."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A folder that holds a run, a study or a sweep, as its manifest tells it."""

    label: str
    """The folder's name."""
    folder: Path
    manifest: Mapping[str, Any]
    file: Path
    """Where the manifest stands."""
    run: FinishedRun | None
    """The run, if it has one portfolio of a scenario that can be read."""
    remarks: tuple[str, ...]
    """What to know of it: another version of rdsim, a portfolio that cannot be read, somebody who writes there."""

    @property
    def when(self) -> datetime:
        """When the manifest was last written, by the clock of this machine: it holds no time itself."""
        return datetime.fromtimestamp(int(self.file.stat().st_mtime))

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep's."""
        return self.file.name == SWEEP

    @property
    def command(self) -> str:
        """The command that made it, by its name; of one that was made from Python what it comes to."""
        if self.is_sweep or self.manifest.get("study"):
            return "sweep" if self.is_sweep else str(self.manifest["study"])
        words = self.words
        if len(words) > 1 and words[1] in MAIN:
            return words[1]
        return "plan" if "search" in self.manifest else "simulate" if self.manifest.get("estimates") else "optimise"

    @property
    def words(self) -> list[str]:
        """The command that repeats it, word by word; none of what was made from Python."""
        return [str(one) for one in self.manifest.get("command") or []]

    @property
    def portfolio(self) -> str:
        """Whose portfolio it is, in words; nothing where there is not one."""
        words = self.words
        if self.run is None:
            return ""
        if "--portfolio" in words[:-1]:
            return words[words.index("--portfolio") + 1]
        if self.command == "plan":
            return _("the plan") if self.manifest.get("search") else _("the plan, solved once")
        return _("the optimiser's") if self.command == "optimise" else _("given from Python")

    @property
    def partners(self) -> int | None:
        """Partners that are opened, or where the run does not say so, that have projects; None without a portfolio."""
        if self.run is None:
            return None
        opened = (self.manifest.get("portfolio") or {}).get("partners_opened")
        return len(opened if opened is not None else {one.partner for one in self.run.choices.values() if one.partner})

    @cached_property
    def scenario(self) -> Mapping[str, Any]:
        """What the manifest says of the scenario; nothing where none was asked about."""
        return self.manifest.get("scenario") or {}

    @property
    def missing(self) -> Sequence[str]:
        """What is missing of it, in words."""
        if self.manifest["complete"]:
            return []
        if self.is_sweep:
            lacking = {
                _("{points} not done"): self.manifest["missing"],
                _("{points} failed"): self.manifest["failed"],
            }
            told = [text.format(points=count(number, "point")) for text, number in lacking.items() if number]
            return told or [str(self.manifest["stopped"]) or _("part of it")]
        return [str(one) for one in self.manifest["missing"]] or [_("part of it")]

    @cached_property
    def answers(self) -> tuple[KeptAnswer, ...]:
        """What was asked of the plan, each in a folder below the run's; also what lies there and is not its own."""
        return () if self.is_sweep else tuple(kept_answers(self.folder, self.manifest))

    def holds(self, name: str) -> bool:
        """Whether such a file is there to be opened; of a name that the run has for a file of its own."""
        return is_file(self.folder / name)


@dataclass(frozen=True)
class Stranger:
    """A folder that is told in one line: it holds nothing that can be listed, or what is in it cannot be read."""

    label: str
    folder: Path
    words: str


def is_entry(folder: Path) -> bool:
    """Whether a folder says that it holds a run or a sweep."""
    return is_file(folder / MANIFEST) or is_file(folder / SWEEP)


def entries_of(folder: Path) -> Iterator[Entry | Stranger]:
    """What each folder in a folder holds, by name; hidden ones and files are passed over. Raises OSError."""
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if not path.name.startswith(".") and is_folder(path):
            try:
                yield _entry(path) if is_entry(path) else Stranger(_legible(path), path, _nothing(path))
            except InputError as error:
                yield Stranger(
                    _legible(path), path, _("its manifest cannot be read: {fault}").format(fault=_first(error.faults))
                )
            except OSError as error:
                yield Stranger(
                    _legible(path), path, _("it cannot be read: {reason}").format(reason=error.strerror or error)
                )


def _legible(path: Path) -> str:
    """The folder's name as it can be written, whatever its bytes are."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def _entry(path: Path) -> Entry:
    """The entry of a folder. Raises InputError with the faults of its manifest."""
    if not is_file(path / MANIFEST):
        manifest, file, run, remarks = manifest_of(path), path / SWEEP, None, list[str]()
        if is_at_work(path):
            remarks.append(_("it is being run now"))
    else:
        manifest, file = read_manifest(path), path / MANIFEST
        run, remarks = _run(path, manifest)
        remarks += [_(_HELD[held]) for held in [occupation(path)] if held in _HELD]
    if manifest["rdsim"] != VERSION:
        remarks.insert(0, _("written by rdsim {then}; this is {now}").format(then=manifest["rdsim"], now=VERSION))
    found = Entry(_legible(path), path, manifest, file, run, tuple(remarks))
    strangers = [
        _("{name} is not shown: {fault}").format(name=f"{one.folder.parent.name}/{one.label}", fault=one.fault)
        for one in found.answers
        if one.fault
    ]
    return replace(found, remarks=(*found.remarks, *strangers))


def _run(path: Path, manifest: Mapping[str, Any]) -> tuple[FinishedRun | None, list[str]]:
    """The run, or what keeps it from being compared with others."""
    if manifest.get("study") or not manifest.get("scenario"):
        return None, []
    try:
        return finished_run(_legible(path), path), []
    except InputError as error:
        return None, [_("not compared: {fault}").format(fault=_first(error.faults))]


def _nothing(path: Path) -> str:
    """What is said of a folder without a manifest."""
    if (held := occupation(path)) != "nobody":
        return _("no finished run: {reason}").format(reason=_(_HELD[held]))
    if (path / WORK).exists():
        if is_at_work(path):
            return _("no results yet: a sweep is being run now")
        return _("no results yet: a sweep was stopped; the same command goes on")
    inside = [one for one in sorted(path.iterdir()) if is_folder(one) and is_entry(one)]
    kinds = [one for one in inside if is_file(one / MANIFEST)]
    runs, sweeps = len(kinds), len(inside) - len(kinds)
    told = [*([count(runs, "run")] if runs else []), *([count(sweeps, "sweep")] if sweeps else [])]
    if inside:
        found = _("a folder of {contents}, which rdsim index {path} lists")
        return found.format(contents=listing(told), path=path.as_posix())
    return _("no run: it holds neither {manifest} nor {sweep}").format(manifest=MANIFEST, sweep=SWEEP)


def _first(faults: Sequence[Fault]) -> str:
    first = str(faults[0]).rstrip(".")
    if len(faults) == 1:
        return first
    return _("{fault} (and {faults} more)").format(fault=first, faults=count(len(faults) - 1, "fault"))
