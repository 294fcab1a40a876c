"""A run checked against what its own folder holds, and made again from it."""

from __future__ import annotations

from rdsim.reproduction.repeatable import make_again_without_scenario, require_repeatable
from rdsim.reproduction.repetition import Repetition, given_again, make_again, repetition, sweep_repetition
from rdsim.reproduction.verification import SAMPLED, Verification, verify
from rdsim.reproduction.versions import version_lines

__all__ = [
    "SAMPLED",
    "Repetition",
    "Verification",
    "given_again",
    "make_again",
    "make_again_without_scenario",
    "repetition",
    "require_repeatable",
    "sweep_repetition",
    "verify",
    "version_lines",
]
