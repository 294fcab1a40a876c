"""How functions are compiled: by numba, without the interpreter's lock, cached between processes.

numba's cache looks at the file of the compiled function alone: a change in another file that it calls would go
unseen. So the cache's folder is named by a digest of every file that is compiled.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config as _config

from rdsim.native import lowering

__all__ = ["inlined", "jit"]

_PACKAGE = Path(__file__).parent.parent
_COMPILED = ("native", "engines", "luck", "draws.py", "case.py", "gates.py", "purses.py")
"""Files and folders of the package that hold compiled functions, or constants that these use."""


def _digest() -> str:
    paths = [path for name in _COMPILED for path in (_PACKAGE / name, *(_PACKAGE / name).rglob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(paths) if path.is_file())).hexdigest()[:16]


_ = lowering  # imported for what it tells numba about blocks
config: Any = _config  # numba's settings are made at import; type checkers see none of them
_FOLDER = Path(__file__).parent / "__pycache__" / f"numba-{_digest()}"


def _forget_older() -> None:
    """Remove what earlier versions of the sources left, when the first cache of this one is about to be made."""
    if not _FOLDER.exists():
        for folder in set(_FOLDER.parent.glob("numba-*")) - {_FOLDER}:
            shutil.rmtree(folder, ignore_errors=True)


_forget_older()


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER)
    try:
        return njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before


def jit(function: Callable[..., Any]) -> Any:
    """The function, compiled at its first call or loaded from the cache (numba's own place if this one is closed).

    Division is numpy's, so that no function can raise; none of ours divides by zero.
    """
    return _compiled(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Like `jit`, and its machine code becomes part of every compiled function that calls it.

    Calls between numba's functions pass status and result through memory: in the event loop they cost a quarter.
    """
    return _compiled(function, forceinline=True)
