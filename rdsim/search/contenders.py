"""A portfolio in the loop: what it is, how the optimiser was told to look for it, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from rdsim.arrays import Floats
from rdsim.domain import Portfolio
from rdsim.search.views import View

__all__ = ["Contender"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A portfolio in the loop."""

    name: str
    portfolio: Portfolio
    chosen: tuple[int, ...]
    view: View
    worth: Floats  # (n,) estimate of its worth in each replication, see `rdsim.search.loop`
