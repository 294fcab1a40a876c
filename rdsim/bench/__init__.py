"""Benchmarks, for reviewers: portfolios from anywhere and from every rule, side by side in several worlds; optimisers,
too.

Who takes part (`entrants`) is held to every row (`feasibility`), simulated on common draws (`judging`) in several
`worlds`, and compared: ranks, regret and trade-offs (`ranking`), competitors of what is proposed (`rivals`), likeness
(`sharing`), doubts of what was chosen (`doubts`). `stages` does all of it for a scenario, one after another. `races`
sets optimisers side by side on `instances`, `against` sets a benchmark against an earlier one, `benchmark` is all of
it, and `report` makes a study of it.
"""

from __future__ import annotations

from rdsim.bench.benchmark import Benchmark, BenchRequest, require, run
from rdsim.bench.races import GAPS, Racing
from rdsim.bench.report import study
from rdsim.bench.stages import BenchSettings, Contest, contest, quick
from rdsim.bench.worlds import KINDS, world_kinds

__all__ = [
    "GAPS",
    "KINDS",
    "BenchRequest",
    "BenchSettings",
    "Benchmark",
    "Contest",
    "Racing",
    "contest",
    "quick",
    "require",
    "run",
    "study",
    "world_kinds",
]
