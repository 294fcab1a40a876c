"""What may be called by a name: one pattern, for scenarios, policies, experiments and what plug-ins register."""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = r"^[A-Za-z0-9][A-Za-z0-9_.+\-]{0,63}$"
"""Pattern of what programmes, partners, policies and the like may be called."""
