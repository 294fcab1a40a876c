"""How portfolio problems are solved: what is asked for (`Solving`), and one series of solves under one clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Literal

from rdsim.arguments import check_fields
from rdsim.defaults import DEFAULT_SOLVER
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.adapters import RunLimits, Solver, solver_of

__all__ = ["EFFORTS", "GAP", "Check", "Effort", "EffortName", "Solving", "SolvingSeries", "refuse"]

GAP = 0.01
"""Relative gap that is good enough where nobody names one."""

EffortName = Literal["quick", "normal", "long"]

Check = tuple[str, bool, str, object]
"""Where a rule applies, whether it holds, the rule, and what was found."""


@dataclass(frozen=True)
class Effort:
    """Moves of walks (simulated annealing), for each group: what large problems are left to after their relaxation."""

    waves: tuple[int, ...]  # of each wave while the gap is not proven, by expected values
    risk: int  # of a walk that looks at samples
    floors: int  # of a walk at one level of a front


EFFORTS: dict[EffortName, Effort] = {
    "quick": Effort((10_000, 20_000), 20_000, 2_000),
    "normal": Effort((50_000, 150_000), 150_000, 12_000),
    "long": Effort((200_000, 600_000), 600_000, 48_000),
}
"""By name: `quick` for a look, `normal` for work, `long` where a night is at hand."""


@dataclass(frozen=True)
class Solving:
    """How problems are solved: by which solver, how near to the optimum, with how much work.

    The same settings give the same answer, unless `time_limit` bites. Raises InputError for fields of another type.

    >>> import rdsim
    >>> rdsim.optimise(rdsim.examples.starter(), samples=60, solving=rdsim.Solving(gap=0.0)).gap
    0.0
    """

    solver: str | Solver = DEFAULT_SOLVER
    """Name of a solver (`highs`, `cbc`, one that was registered), or an adapter."""
    gap: float | None = None
    """(bound - objective) / |objective| that is good enough, 0 <= gap < 1; 0 proves the optimum. None: who is asked
    knows what fits the question, as the scenario's own gap."""
    time_limit: float | None = None
    """Seconds for each question, a safety net: when it bites, the answer need not repeat."""
    seed: int = 0
    """Of the solver, of walks and of the neighbourhood search."""
    threads: int = 1
    """Of the solver."""
    effort: EffortName | None = None
    """How long walks go on where a gap is not proven: quick, normal or long. None: the scenario's, else normal."""

    def __post_init__(self) -> None:
        check_fields(self)

    def to_gap(self, gap: float) -> Solving:
        """The same, to this gap if it names none."""
        return self if self.gap is not None else replace(self, gap=gap)

    def checks(self) -> tuple[Check, ...]:
        """What must hold of the settings."""
        gap, seconds = self.gap, self.time_limit
        return (
            ("gap", gap is None or 0 <= gap < 1, "must lie in 0 <= gap < 1", gap),
            ("time_limit", seconds is None or seconds >= 0, "must be None or >= 0 seconds", seconds),
            ("threads", self.threads >= 1, "must be at least 1", self.threads),
        )

    def begin(self, gap: float = GAP) -> SolvingSeries:
        """A series of solves, to this gap if none is named; its clock starts now.

        Raises: ProblemError with every setting that cannot be; SolverError if the solver is missing.
        """
        refuse(*self.checks())
        wanted = gap if self.gap is None else self.gap
        deadline = math.inf if self.time_limit is None else time.perf_counter() + self.time_limit
        return SolvingSeries(solver_of(self.solver), wanted, self.seed, self.threads, deadline, self.effort or "normal")


@dataclass(frozen=True)
class SolvingSeries:
    """What a series of solves is given: `Solving` with its solver at hand and its clock running."""

    solver: Solver
    gap: float
    seed: int
    threads: int
    deadline: float  # of `time.perf_counter`; infinite without a time limit
    effort: EffortName = "normal"

    @property
    def moves(self) -> Effort:
        """Moves of walks."""
        return EFFORTS[self.effort]

    @property
    def left(self) -> float | None:
        """Seconds that are left of the time; None without a limit."""
        return None if math.isinf(self.deadline) else max(0.0, self.deadline - time.perf_counter())

    def limits(self, *, gap: float = 0.0, target: float = math.inf, nodes: int | None = None) -> RunLimits:
        """Limits of one run, with what is left of the time."""
        return RunLimits(gap, target, nodes, self.left, self.seed, self.threads)

    @property
    def rest(self) -> Solving:
        """The same for another solve, with what is left of the time."""
        return Solving(self.solver, self.gap, self.left, self.seed, self.threads, self.effort)

    @property
    def late(self) -> bool:
        """True once the time limit has passed."""
        return time.perf_counter() >= self.deadline


def refuse(*checks: Check) -> None:
    """Raise ProblemError with a fault for each check that does not hold."""
    faults = tuple(Fault(where, rule, repr(found)) for where, holds, rule, found in checks if not holds)
    if faults:
        raise ProblemError(faults)
