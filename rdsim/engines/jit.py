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

from rdsim import case, gates

__all__ = ["jit"]


def _digest() -> str:
    engines = Path(__file__).parent
    sources = [*engines.rglob("*.py"), Path(str(case.__file__)), Path(str(gates.__file__))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


config: Any = _config  # numba's settings are made at import; type checkers see none of them
_FOLDER = Path(__file__).parent / "__pycache__" / f"numba-{_digest()}"


def _forget_older() -> None:
    """Remove what earlier versions of the sources left, when the first cache of this one is about to be made."""
    if not _FOLDER.exists():
        for folder in set(_FOLDER.parent.glob("numba-*")) - {_FOLDER}:
            shutil.rmtree(folder, ignore_errors=True)


_forget_older()


def jit(function: Callable[..., Any]) -> Any:
    """The function, compiled at its first call or loaded from the cache (numba's own place if this one is closed)."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER)
    try:
        return njit(cache=True, nogil=True)(function)
    finally:
        config.CACHE_DIR = before
