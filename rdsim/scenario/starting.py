"""A small scenario to start from: files that are shipped with rdsim, copied into a new folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from rdsim.errors import Fault, OutputError

__all__ = ["start"]


def start(folder: str | Path) -> None:
    """Write the starter scenario. Raises OutputError if the folder is not new or empty, or not writable."""
    path = Path(folder)
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(
                (Fault(str(path), "a scenario is started in a new or an empty folder", "something else"),)
            )
        path.mkdir(parents=True, exist_ok=True)
        for file in files("rdsim.scenario").joinpath("starter").iterdir():
            (path / file.name).write_bytes(file.read_bytes())
    except OSError as error:
        raise OutputError((Fault(str(path), "the folder must be writable", error.strerror or ""),)) from None
