"""What a solver can, when it stops, what it knows in the end, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from rdsim.arrays import Floats
from rdsim.optimiser.problem.solution import Termination

__all__ = ["Feature", "RunLimits", "SolverResult", "SolverState"]


class Feature(StrEnum):
    """What a solver may declare that it can; whatever it does not is done for it, or left out."""

    GAP = "gap"  # it stops at a relative gap
    TIME_LIMIT = "time_limit"
    THREADS = "threads"
    SEED = "seed"
    NODES = "nodes"  # it stops after a number of nodes, which repeats where a time limit does not
    TARGET = "target"  # it stops at an objective that is good enough
    START = "start"  # it takes a first solution
    BOUND = "bound"  # it says what the objective cannot exceed, also where it stops early
    RELAXATION = "relaxation"  # it solves linear models, and says the reduced costs of their columns
    ROW_PRICES = "row_prices"  # its relaxations that grow say the prices of their rows


class SolverState(StrEnum):
    """What a solver knows in the end."""

    OPTIMAL = "optimal"  # nothing is better than `bound`; the values come within the gap asked for
    STOPPED = "stopped"  # a limit bit; there may be values and a bound
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True)
class RunLimits:
    """When to stop. `gap` is relative; `target` is an objective that is good enough."""

    gap: float = 0.0
    target: float = math.inf
    nodes: int | None = None
    seconds: float | None = None
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, eq=False)
class SolverResult:
    """Values (n,) or none, an upper bound on the objective, and for a linear model its reduced costs."""

    state: SolverState
    termination: Termination
    bound: float = math.inf
    values: Floats | None = None
    reduced_costs: Floats | None = None  # of the maximisation: <= 0 at a lower bound
    prices: Floats | None = None  # of the rows of a relaxation that grows, >= 0 for a cap: `Feature.ROW_PRICES`
    loading: float = 0.0  # seconds of building through PuLP and handing over
