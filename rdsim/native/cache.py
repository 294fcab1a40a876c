"""Where compiled code is kept between processes.

numba's cache looks at the file of the compiled function alone: a change in another file that it calls would go
unseen. So the cache's folder is named by a digest of every file that is compiled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

__all__ = ["FOLDER", "forget_older", "is_cold"]

_PACKAGE = Path(__file__).parent.parent
_COMPILED = ("native", "engines", "luck", "optimiser/solving/annealing", "draws.py", "case.py", "gates.py", "purses.py")
"""Files and folders of the package that hold compiled functions, or constants that these use."""


def _digest() -> str:
    paths = [path for name in _COMPILED for path in (_PACKAGE / name, *(_PACKAGE / name).rglob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(paths) if path.is_file())).hexdigest()[:16]


FOLDER = Path(__file__).parent / "__pycache__" / f"numba-{_digest()}"


def is_cold() -> bool:
    """Whether the first run with these sources is still to come, which compiles.

    Where the package's folder is closed, numba keeps its code in a place of the user's, and nobody can tell.
    """
    return not FOLDER.exists() and os.access(FOLDER.parent.parent, os.W_OK)


def forget_older() -> None:
    """Remove what earlier versions of the sources left, when the first cache of this one is about to be made."""
    if not FOLDER.exists():
        for folder in set(FOLDER.parent.glob("numba-*")) - {FOLDER}:
            shutil.rmtree(folder, ignore_errors=True)
