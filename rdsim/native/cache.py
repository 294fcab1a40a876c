"""Where compiled code is kept between processes.

numba's cache looks at the file of the compiled function alone: a change in another file that it calls would go
unseen. So the cache's folder is named by a digest of every file that is compiled. A file says so itself: it imports
`rdsim.native.jit`, or, where its plain functions, its constants or the layout of its values become part of compiled
ones, holds the line ``__compiled__ = True``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FOLDER", "compiled_files", "digest", "forget_older", "is_cold"]

_ROOM = Path(__file__).parent
_SAYS_SO = (b"\nfrom rdsim.native.jit import ", b"\n__compiled__ = True")


def compiled_files(package: Path = _ROOM.parent) -> Iterator[tuple[str, bytes]]:
    """Place and text of every file of the package that is compiled, and of all in this room, in order of place."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if path.parent == _ROOM or any(words in text for words in _SAYS_SO):
            yield path.relative_to(package).as_posix(), text


def digest(package: Path = _ROOM.parent) -> str:
    """What the compiled code of the package is made of."""
    return hashlib.sha256(b"\0".join(text for _, text in compiled_files(package))).hexdigest()[:16]


FOLDER = _ROOM / "__pycache__" / f"numba-{digest()}"


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
