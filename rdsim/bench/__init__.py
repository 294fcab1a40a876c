"""Benchmarks of portfolios, for reviewers: portfolios from anywhere and from every rule, side by side in several
worlds.

Who takes part (`entrants`) is held to every row (`feasibility`), simulated on common draws (`judging`) in several
`worlds`, and compared: ranks, regret and trade-offs (`ranking`), competitors of what is proposed (`rivals`), likeness
(`sharing`), doubts of what was chosen (`doubts`). `stages` does all of it for a scenario, one after another; `report`
makes a study of it.
"""

from __future__ import annotations

from rdsim.bench.report import study
from rdsim.bench.stages import BenchSettings, Contest, contest, quick, require, run
from rdsim.bench.worlds import KINDS, world_kinds

__all__ = [
    "KINDS",
    "BenchSettings",
    "Contest",
    "contest",
    "quick",
    "require",
    "run",
    "study",
    "world_kinds",
]
