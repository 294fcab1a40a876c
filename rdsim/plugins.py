"""Plug-ins: Python files of a user that register gate policies or purse rules before a scenario is read."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdsim.errors import Fault, InputError

__all__ = ["Plugin", "load"]


@dataclass(frozen=True)
class Plugin:
    """A file that was run: its path as given, and the SHA-256 of what was in it."""

    path: str
    sha256: str


def load(paths: Sequence[Path]) -> tuple[Plugin, ...]:
    """Run every file, in order. Raises InputError with all files that are missing or that fail.

    Such a file registers what it defines, for instance by `purses.register("reserve", purses.PurseRule(pays=...))`.
    """
    faults, plugins = list[Fault](), list[Plugin]()
    for path in paths:
        try:
            text = path.read_bytes()
        except OSError as error:
            rule = "must be a Python file that can be read"
            faults.append(Fault(str(path), rule, error.strerror or type(error).__name__))
            continue
        try:
            _run(path, text)
        except (Exception, SystemExit) as error:  # whatever the user's own code raises
            faults.append(Fault(str(path), "must run without an error", f"{type(error).__name__}: {error}"))
        else:
            plugins.append(Plugin(str(path), hashlib.sha256(text).hexdigest()))
    if faults:
        raise InputError(tuple(faults))
    return tuple(plugins)


def _run(path: Path, text: bytes) -> None:
    name = f"rdsim_plugin_{path.stem}"
    source = importlib.util.spec_from_loader(name, loader=None)
    assert source is not None  # noqa: S101 - made here
    module = importlib.util.module_from_spec(source)
    module.__file__ = str(path)
    sys.modules[name] = module  # where numba and pickle look for the functions
    exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - the user's own file
