"""What differs between finished runs: inputs, portfolio, money, results. Nothing is simulated or solved again."""

from __future__ import annotations

from rdsim.comparison.answer import RunComparison, compare
from rdsim.comparison.page import study

__all__ = ["RunComparison", "compare", "study"]
