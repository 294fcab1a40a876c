"""What was asked of a plan: runs of studies in the plan's own folder, below `answers`, and which are its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdsim.errors import InputError
from rdsim.folders.contents import ANSWERS, PAGE, PORTFOLIO, REPORT
from rdsim.folders.files import is_file, is_folder
from rdsim.folders.manifests import MANIFEST, read_manifest
from rdsim.languages import N_

__all__ = ["KeptAnswer", "kept_answers"]


@dataclass(frozen=True, eq=False)
class KeptAnswer:
    """A run below `answers`: what its manifest says, and why it is not to be shown as the plan's, if it is not."""

    label: str
    """Its folder's name."""
    folder: Path
    manifest: Mapping[str, Any]
    """Empty of one that cannot be read."""
    fault: str = ""
    """What keeps it from being an answer of this plan, in words; '' of one that is."""

    @property
    def question(self) -> str:
        """The question's name."""
        return str(self.manifest.get("study") or "")

    @property
    def target(self) -> str:
        """Its page, as seen from the plan's folder; '' if it is not there."""
        return f"{ANSWERS}/{self.label}/{REPORT.name}" if is_file(self.folder / REPORT.name) else ""


def kept_answers(folder: Path, manifest: Mapping[str, Any]) -> Iterator[KeptAnswer]:
    """What the folder of a plan's run, with this manifest, holds below `answers`, by name.

    An answer is the plan's if it was asked of the portfolio that is there now, of the same scenario by its digest, with
    the same seed: a plan that replaced another does not answer for it. Folders without a manifest are passed over.
    """
    try:
        inside = sorted((folder / ANSWERS).iterdir(), key=lambda one: one.name) if is_folder(folder / ANSWERS) else []
    except OSError:
        inside = []
    for path in inside:
        if is_file(path / MANIFEST) and path.name.isprintable():
            try:
                found = read_manifest(path)
            except InputError:
                yield KeptAnswer(path.name, path, {}, N_("its manifest cannot be read"))
            else:
                yield KeptAnswer(path.name, path, found, _fault(path, found, manifest))


def _fault(path: Path, found: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    asked = found.get("asked_of")
    if not found.get("study") or not asked:
        return N_("it was not asked of this folder's plan")
    if not is_file(path / PAGE.name):
        return N_("it has no page")
    theirs = (asked["portfolio"], (found.get("scenario") or {}).get("digest"), found.get("seed"))
    ours = (plan["files"].get(PORTFOLIO.name), (plan.get("scenario") or {}).get("digest"), plan.get("seed"))
    return "" if theirs == ours else N_("it was asked of another plan that stood here before")
