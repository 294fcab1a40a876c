"""How large a generated or statistical suite is: honest by default, full with RDSIM_FULL=1."""

from __future__ import annotations

import os

__all__ = ["FULL", "size"]

FULL = os.environ.get("RDSIM_FULL") == "1"


def size(default: int, full: int) -> int:
    """`default`, or `full` if the environment asks for it."""
    return full if FULL else default
