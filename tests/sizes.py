"""How large a generated or statistical suite is: honest by default, full with RDSIM_FULL=1."""

from __future__ import annotations

import os
from typing import Literal

__all__ = ["EFFORT", "FULL", "size"]

FULL = os.environ.get("RDSIM_FULL") == "1"

EFFORT: Literal["quick", "normal"] = "normal" if FULL else "quick"
"""Of solving large problems: tests are about right answers, not about the last tenth of a per cent."""


def size(default: int, full: int) -> int:
    """`default`, or `full` if the environment asks for it."""
    return full if FULL else default
