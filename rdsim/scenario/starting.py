"""A scenario to start from: files that come with rdsim, copied into a new folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from rdsim.folders import new_folder
from rdsim.scenario.folder import SETTINGS
from rdsim.shipped import copy_scenario, folder_of, with_name

__all__ = ["STARTER", "start"]

STARTER = files("rdsim.scenario").joinpath("starter")
"""The small scenario that one starts from where no other is named."""


def start(folder: str | Path, source: str = "") -> None:
    """Write a scenario to start from, whole or not at all: the small one, or that which comes with rdsim by a name.

    It goes by the folder's name, where a scenario can have that. With it come its parts, and its experiments in a
    folder `experiments`.

    Raises:
        InputError: if no scenario that comes with rdsim is called so.
        OutputError: if the folder is not new or empty, or not writable.
    """
    if source:
        folder_of(source)
    with new_folder(folder, "a scenario is started in a new or an empty folder") as draft:
        name = Path(folder).resolve().name
        if source:
            copy_scenario(source, draft, name)
            return
        for file in STARTER.iterdir():
            (draft / file.name).write_bytes(file.read_bytes())
        settings = draft / SETTINGS
        settings.write_text(with_name(settings.read_text(encoding="utf-8"), name), encoding="utf-8", newline="\n")
