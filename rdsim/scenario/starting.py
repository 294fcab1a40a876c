"""A small scenario to start from: files that are shipped with rdsim, copied into a new folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from rdsim.folders import new_folder

__all__ = ["start"]


def start(folder: str | Path) -> None:
    """Write the starter scenario, whole or not at all. Raises OutputError if the folder is not new or empty, or not
    writable."""
    with new_folder(folder, "a scenario is started in a new or an empty folder") as draft:
        for file in files("rdsim.scenario").joinpath("starter").iterdir():
            (draft / file.name).write_bytes(file.read_bytes())
