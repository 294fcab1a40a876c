"""Which solvers this machine has."""

from __future__ import annotations

from rdsim.optimiser.adapters.cbc import cbc_path

__all__ = ["INSTALLED"]

INSTALLED = ["highs", "cbc"] if cbc_path() else ["highs"]
