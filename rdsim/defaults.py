"""What is taken where nobody says otherwise, and no scenario can."""

from __future__ import annotations

__all__ = ["DEFAULT_SOLVER"]

DEFAULT_SOLVER = "highs"
"""Name of the solver of every choice."""
