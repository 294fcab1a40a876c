"""With which versions a run was made that are others here, in words."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rdsim.numbers import NUMBERS
from rdsim.version import VERSION

__all__ = ["version_lines"]


def version_lines(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each thing that the run was made with in another version than is here, if it says which."""
    return tuple(_lines(manifest))


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    pairs = [("rdsim", str(manifest["rdsim"]), VERSION)]
    numbers = manifest.get("numbers")
    pairs += [] if numbers is None else [("rdsim's numbers, version", str(numbers), str(NUMBERS))]
    pairs += [(name, str(then), _here(name)) for name, then in manifest["versions"].items()]
    here = {"system": platform.system(), "machine": platform.machine()}
    pairs += [(name, str(then), here.get(name, "")) for name, then in (manifest.get("platform") or {}).items()]
    for name, then, now in pairs:
        if then != now:
            yield f"{name} {then} then, {now or 'none'} here"


def _here(name: str) -> str:
    try:
        return platform.python_version() if name == "python" else version(name)
    except PackageNotFoundError:
        return ""
