"""How often each group is funded: over portfolios nearly as good as the best, and over resampled values.

Two sets of portfolios, two questions. Over the *near-optimal* set: could one do without it, and lose next to nothing?
Over *resampled* values: would it have been chosen, had the samples of its value come out otherwise? Each resample is
drawn from the samples with replacement (Efron 1979, Annals of Statistics 7) and solved again. Resamples are independent
given the samples, so a share of them has a Wilson interval; the near-optimal portfolios are no sample of anything, and
their shares have none.

A group is *core* in a set of portfolios if all of them fund it, *exterior* if none does, else *borderline* (Liesio,
Mild & Salo 2007, European Journal of Operational Research 181). Both sets hold portfolios to within a gap only: a
smaller gap may move a group that stands at a share near 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from rdsim.optimiser.alternatives import Alternatives, Resampled, Selection, alternatives, resampled
from rdsim.optimiser.problem import PortfolioProblem
from rdsim.optimiser.questions import refuse
from rdsim.optimiser.solution import Solution
from rdsim.optimiser.solvers import Solver
from rdsim.stats import Interval, proportion_interval

__all__ = ["Frequencies", "Frequency", "Standing", "frequencies", "frequencies_of", "standing_of"]


class Standing(StrEnum):
    """Where a group stands in a set of portfolios."""

    CORE = "core"
    BORDERLINE = "borderline"
    EXTERIOR = "exterior"


@dataclass(frozen=True)
class Frequency:
    """How often one group is funded."""

    group: int
    name: str
    funded: bool  # by the best portfolio
    near: float  # share of the near-optimal portfolios, the best among them; nan if they were not asked for
    resampled: Interval | None  # share of the resamples, with its Wilson interval; none if they were not asked for

    @property
    def near_standing(self) -> Standing | None:
        """Among the near-optimal portfolios; none if they were not asked for."""
        return None if np.isnan(self.near) else standing_of(self.near)

    @property
    def resampled_standing(self) -> Standing | None:
        """Over the resamples; none if they were not asked for."""
        return None if self.resampled is None else standing_of(self.resampled.mean)

    @property
    def standing(self) -> Standing:
        """Core or exterior only if it is so in every set that was asked for."""
        known = {one for one in (self.near_standing, self.resampled_standing) if one is not None}
        return known.pop() if len(known) == 1 else Standing.BORDERLINE


@dataclass(frozen=True, eq=False)
class Frequencies:
    """Every group, and how many portfolios stand behind the shares."""

    groups: tuple[Frequency, ...]  # (G,), in the problem's order
    portfolios: int  # near-optimal ones, the best among them; 0 if they were not asked for
    complete: bool  # proven: there are no other portfolios as good and as far apart
    resamples: int

    def with_standing(self, standing: Standing) -> tuple[str, ...]:
        """Names of the groups that stand so in every set."""
        return tuple(one.name for one in self.groups if one.standing is standing)


def standing_of(share: float) -> Standing:
    """Core at 1, exterior at 0, else borderline."""
    if share == 1:
        return Standing.CORE
    return Standing.EXTERIOR if share == 0 else Standing.BORDERLINE


def frequencies(
    problem: PortfolioProblem,
    solution: Solution,
    *,
    near: int = 10,
    within: float = 0.01,
    swaps: int = 1,
    resamples: int = 50,
    confidence: float = 0.95,
    gap: float = 0.01,
    solver: str | Solver = "highs",
    time_limit: float | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Frequencies:
    """How often each group is funded, near the optimum and over resampled values.

    Args:
        problem: what was chosen from; resampling needs `values` of shape (samples, options).
        solution: the best portfolio known.
        near: how many portfolios to look for beside the best; 0: none.
        within: relative loss of objective that is near enough.
        swaps: least distance of the near-optimal portfolios from one another.
        resamples: how many times to draw the values and solve again; 0: never.
        confidence: of the Wilson intervals.
        gap, solver, seed, threads: of each solve.
        time_limit: seconds for each of the two sets.

    Raises: ProblemError for wrong arguments; InfeasibleError or SolverError if `solution` holds no portfolio or a
    resample has no answer in time.
    """
    refuse(
        ("near", near >= 0, "must be at least 0", near),
        ("resamples", resamples >= 0, "must be at least 0", resamples),
        ("near and resamples", near + resamples > 0, "must not both be 0", (near, resamples)),
        ("confidence", 0 < confidence < 1, "must lie between 0 and 1", confidence),
    )
    beside = partial(alternatives, problem, solution, count=near, within=within, swaps=swaps)
    drawn = partial(resampled, problem, count=resamples)
    found = beside(gap=gap, solver=solver, time_limit=time_limit, seed=seed, threads=threads) if near else None
    again = drawn(gap=gap, solver=solver, time_limit=time_limit, seed=seed, threads=threads) if resamples else None
    return frequencies_of(problem, solution.chosen, found, again, confidence=confidence)


def frequencies_of(
    problem: PortfolioProblem,
    chosen: Iterable[int],
    near: Alternatives | None,
    drawn: Resampled | None,
    *,
    confidence: float = 0.95,
) -> Frequencies:
    """The same from sets of portfolios that are at hand."""
    funded = set(problem.group[list(chosen)].tolist())
    beside = near.selection if near else None
    behind = drawn.selection if drawn else None
    groups = tuple(
        Frequency(
            group=group,
            name=name,
            funded=group in funded,
            near=float(beside.groups[group]) if beside else float("nan"),
            resampled=_interval(behind, group, confidence) if behind else None,
        )
        for group, name in enumerate(problem.group_names)
    )
    complete = near is not None and near.most
    return Frequencies(groups, beside.count if beside else 0, complete, behind.count if behind else 0)


def _interval(selection: Selection, group: int, confidence: float) -> Interval:
    return proportion_interval(round(float(selection.groups[group]) * selection.count), selection.count, confidence)
