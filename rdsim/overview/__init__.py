"""An index of a folder of runs: what was tried, what came of it, and which of the comparable runs is best."""

from __future__ import annotations

from rdsim.overview.answer import RunIndex, index

__all__ = ["RunIndex", "index"]
