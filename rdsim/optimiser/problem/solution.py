"""A solver's answer as a value: status, bound and gap that can be trusted, and what was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from rdsim.brief import count
from rdsim.errors import InfeasibleError, SolverError
from rdsim.unproven import note_unproven

__all__ = ["Seconds", "Solution", "Status", "Termination", "note_if_unproven", "relative_gap", "require"]


class Status(StrEnum):
    """What is known about the answer."""

    OPTIMAL = "optimal"  # proven: the gap is at most 1e-6
    FEASIBLE = "feasible"  # every row holds; the gap is stated, and infinite if there is no bound
    INFEASIBLE = "infeasible"  # proven: no portfolio satisfies every row
    UNBOUNDED = "unbounded"  # proven: the model is unbounded, which `check` should have refused
    NO_ANSWER = "no answer"  # stopped before any portfolio was found


class Termination(StrEnum):
    """Why the solver stopped."""

    COMPLETE = "complete"  # the tree was searched to the end
    TARGET = "target"  # the gap asked for was proven
    ROUNDS = "rounds"  # the fixed number of nodes or rounds was used up
    TIME_LIMIT = "time limit"  # the safety net bit: the answer need not repeat
    STOPPED = "stopped"  # the solver gave up for a reason of its own


@dataclass(frozen=True)
class Seconds:
    """Wall time of the parts of a solve."""

    build: float = 0.0
    lp: float = 0.0
    mip: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.build + self.lp + self.mip


@dataclass(frozen=True)
class Solution:
    """The answer. `objective` is recomputed from `chosen`; `bound` is a valid upper bound on any objective."""

    chosen: tuple[int, ...]  # option indices, ascending
    opened: dict[int, int]  # partner -> stage at which it opens
    status: Status
    termination: Termination
    objective: float  # nan without a portfolio
    bound: float  # inf if none was proven
    gap: float  # (bound - objective) / max(|objective|, 1e-9), never negative; inf without both
    solver: str
    version: str
    method: str
    seconds: Seconds = field(default_factory=Seconds, compare=False)

    @property
    def has_portfolio(self) -> bool:
        """True if `chosen` satisfies every row (it may be empty)."""
        return self.status in {Status.OPTIMAL, Status.FEASIBLE}

    @property
    def solver_label(self) -> str:
        """The solver with its version, if it says one."""
        return f"{self.solver} {self.version}".rstrip()

    def __repr__(self) -> str:
        proof = f"{self.status.value} ({self.termination.value}) by {self.solver_label}, {self.method}"
        if not self.has_portfolio:
            return f"{type(self).__name__}: {proof}"
        figures = f"objective {self.objective:,.6g}, bound {self.bound:,.6g}, gap {self.gap:.2%}"
        return f"{type(self).__name__}: {proof}; {figures}; {count(len(self.chosen), 'option')}"


S = TypeVar("S", bound=Solution)


def relative_gap(objective: float, bound: float) -> float:
    """(bound - objective) / |objective|, at least 0; infinite while either is unknown."""
    if objective != objective or bound == float("inf"):  # noqa: PLR0124 - nan is the one number unlike itself
        return float("inf")
    return max(0.0, bound - objective) / max(abs(objective), 1e-9)


def note_if_unproven(solution: S, asked: float) -> S:
    """The solution; whoever listens hears of it if a time limit left its gap above the one asked for."""
    proven = solution.status in {Status.INFEASIBLE, Status.UNBOUNDED} or solution.gap <= asked
    if solution.termination is Termination.TIME_LIMIT and not proven:
        note_unproven(asked, solution.gap)
    return solution


def require(solution: Solution) -> Solution:
    """The solution, if it holds a portfolio.

    Raises: InfeasibleError if there is none; SolverError if none was found.
    """
    if solution.has_portfolio:
        return solution
    if solution.status is Status.INFEASIBLE:
        raise InfeasibleError(f"proven by {solution.solver}")
    raise SolverError(solution.solver, f"{solution.status.value} ({solution.termination.value})")
