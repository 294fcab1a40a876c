"""Whether a folder still holds the run that was opened: it may be planned anew, or removed, while it is asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rdsim.errors import Fault, InputError, RunError
from rdsim.folders import read_manifest
from rdsim.runs import portfolio_file

__all__ = ["require_run", "run_mark"]


def run_mark(folder: Path) -> str:
    """Digest of what questions take from a run's folder; other files may come beside it. Raises InputError, OSError."""
    manifest = read_manifest(folder)
    scenario = manifest.get("scenario") or {}
    ratios = (manifest.get("promises") or {}).get("rows_held_to")
    told = [scenario.get(name) for name in ("path", "digest", "overrides")]
    told += [manifest.get("seed"), manifest.get("replications"), (manifest.get("solver") or {}).get("samples"), ratios]
    return hashlib.sha256(repr(told).encode() + portfolio_file(folder).read_bytes()).hexdigest()


def require_run(folder: Path, mark: str) -> None:
    """Raise RunError unless the folder holds the run of that mark."""
    try:
        is_there = run_mark(folder) == mark
    except (InputError, OSError):
        is_there = False
    if not is_there:
        rule = "the run in this folder is another now, or gone: start rdsim serve again"
        raise RunError((Fault(folder.as_posix(), rule),))
