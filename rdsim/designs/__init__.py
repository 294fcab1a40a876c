"""What is varied, and in which combinations: factors of a scenario's settings, and designs of their levels."""

from __future__ import annotations

from rdsim.designs.design import DESIGNS, SAMPLED, Design, DesignKind
from rdsim.designs.factors import Bound, Change, Distribution, Factor, bind, read_anew

__all__ = [
    "DESIGNS",
    "SAMPLED",
    "Bound",
    "Change",
    "Design",
    "DesignKind",
    "Distribution",
    "Factor",
    "bind",
    "read_anew",
]
