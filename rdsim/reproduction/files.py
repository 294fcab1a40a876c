"""A run's files against the digests that its manifest holds, and the manifest against its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rdsim.errors import Fault
from rdsim.folders import MANIFEST, digest_of_manifest, is_file
from rdsim.folders.contents import HELD

__all__ = ["file_faults", "manifest_faults"]

_OWN = tuple(dict.fromkeys(one.name.partition("/")[0] for one in HELD if "/" in one.name))
"""Folders in which all files are a run's: what stands in another file there would be read with it."""


def manifest_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """What the manifest says that does not agree with its own digest, or with itself."""
    place, stated = str(folder / MANIFEST), manifest.get("manifest_sha256")
    if stated is None:
        advice = "Runs have it since they hold their scenario: make an earlier one again."
        yield Fault(f"{place}, manifest_sha256", "must be there: the digest of the manifest itself", "nothing", advice)
    elif (found := digest_of_manifest(manifest)) != stated:
        yield Fault(place, f"must be as it was written, with digest {stated}", found)
    if manifest["complete"] != (not manifest["missing"]):
        rule = "must say that the run is complete if nothing is missing, and only then"
        yield Fault(f"{place}, complete", rule, str(manifest["complete"]).lower())
    for name in sorted(set(manifest["missing"]) & manifest["files"].keys()):
        yield Fault(f"{place}, missing", "must not name a file that is there", name)


def file_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    """Files that are gone or not what they were, and files that stand among the run's and are none of them."""
    listed = manifest["files"]
    for name, stated in listed.items():
        path = folder / name
        if not is_file(path):
            yield Fault(str(path), f"must be there, with digest {stated}", "no such file")
        elif (found := _digest(path)) != stated:
            yield Fault(str(path), f"must be as it was written, with digest {stated}", found)
    for name in _OWN:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file() and path.relative_to(folder).as_posix() not in listed:
                yield Fault(str(path), "must not be there: the run wrote no such file", "a file")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error.strerror or type(error).__name__
