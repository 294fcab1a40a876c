"""A copy of a scenario that comes with rdsim, to be changed: it stands alone, wherever it is put."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from rdsim.names import NAMES
from rdsim.shipped.place import EXPERIMENTS, SETTINGS, experiments_of, folder_of
from rdsim.texts import toml_value

__all__ = ["copy_scenario", "with_name"]

_NAME = re.compile(r'^name = "[^"\n]*"', re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def copy_scenario(name: str, folder: Path, new_name: str) -> None:
    """Copy a scenario's files, and its experiments into `experiments` below them, into a folder that is there.

    The copy goes by the new name, where that can be one. Experiments speak of the copy; links of its pages that would
    lead out of it become plain words. Raises InputError if no scenario is called so.
    """
    shutil.copytree(folder_of(name), folder, ignore=shutil.ignore_patterns("__pycache__", "*.png"), dirs_exist_ok=True)
    settings = folder / SETTINGS
    _write(settings, with_name(_read(settings), new_name))
    for page in folder.rglob("*.md"):
        _write(page, _without_links_out(_read(page), page.parent, folder))
    for one in experiments_of(name):
        (folder / EXPERIMENTS).mkdir(exist_ok=True)
        _write(folder / EXPERIMENTS / one.name, _read(one).replace(f'"../scenarios/{name}', '"..'))


def with_name(settings: str, name: str) -> str:
    """The text of a scenario's settings under another name, where that is one that a scenario can have."""
    return _NAME.sub(lambda _: f"name = {toml_value(name)}", settings, count=1) if re.match(NAMES, name) else settings


def _without_links_out(text: str, place: Path, folder: Path) -> str:
    def told(found: re.Match[str]) -> str:
        words, target = found[1], found[2].partition("#")[0]
        return found[0] if "://" in target or _is_inside(place / target, folder) else words

    return _LINK.sub(told, text)


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
