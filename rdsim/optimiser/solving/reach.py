"""The problem without what nothing can choose, so that it is as if it had never been stated.

An option that asks for more of a hard ceiling than there can be (`Rows.misfits`) would count in all that is
relative: a solver's tolerances, the weights that choose among equal optima, the numbers behind a walk. So it goes
before any of that begins, and so does a group that is left without options, if nothing asks for the group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from rdsim.arrays import Bools, Ints
from rdsim.optimiser.problem.problem import PortfolioProblem, Rows, frozen
from rdsim.optimiser.problem.solution import Solution
from rdsim.optimiser.solving.appraisal import Risk

__all__ = ["Reachable", "reachable", "sub_problem"]

S = TypeVar("S", bound=Solution)


@dataclass(frozen=True, eq=False)
class Reachable:
    """A problem of fewer options, and which option of the whole each of them is."""

    problem: PortfolioProblem
    options: Ints

    def risk(self, risk: Risk) -> Risk:
        """The risk, its sampled money that of the options that are left."""
        money = tuple(replace(row, use=row.use[..., self.options]) for row in risk.money)
        return replace(risk, money=money)

    def back(self, solution: S) -> S:
        """The solution in options of the whole."""
        return replace(solution, chosen=tuple(self.options[list(solution.chosen)].tolist()))


def reachable(problem: PortfolioProblem) -> Reachable:
    """The problem without the options that nothing can choose; the problem itself if there are none.

    An option that is fixed in stays, and so does one that is fixed out, for the user named it.
    """
    named = np.isin(np.arange(len(problem.option_names)), (*problem.fixed_in_options, *problem.fixed_out_options))
    kept = ~problem.rows.misfits | named
    if kept.all():
        return Reachable(problem, np.arange(kept.size))
    return Reachable(_without(problem, kept), np.flatnonzero(kept))


def sub_problem(problem: PortfolioProblem, kept: Bools) -> Reachable:
    """The problem of some of its options, (O,); those that are fixed, by themselves or with their group, stay."""
    named = np.isin(np.arange(len(problem.option_names)), (*problem.fixed_in_options, *problem.fixed_out_options))
    kept = kept | named
    return Reachable(_without(problem, kept), np.flatnonzero(kept))


def _without(problem: PortfolioProblem, kept: Bools) -> PortfolioProblem:
    options, groups = np.flatnonzero(kept), _needed_groups(problem, kept)
    place = np.cumsum(kept) - 1
    group = np.cumsum(groups) - 1
    return replace(
        problem,
        option_names=tuple(problem.option_names[option] for option in options),
        group=frozen(group[problem.group[options]]),
        group_names=tuple(name for name, needed in zip(problem.group_names, groups, strict=True) if needed),
        exactly_one=frozen(problem.exactly_one[groups]),
        values=frozen(np.ascontiguousarray(problem.values[..., options])),
        partners=_canonical(problem.partners[options]),
        stage=frozen(problem.stage[options]),
        rows=_with_options(problem.rows, options),
        prerequisites=frozen(group[problem.prerequisites].reshape(-1, 2)),
        exclusions=tuple(_renumber((g for g in one if groups[g]), group) for one in problem.exclusions),
        synergies=tuple(
            (int(group[a]), int(group[b]), worth) for a, b, worth in problem.synergies if groups[a] and groups[b]
        ),
        fixed_in_groups=_renumber(problem.fixed_in_groups, group),
        fixed_out_groups=_renumber((g for g in problem.fixed_out_groups if groups[g]), group),
        fixed_in_options=_renumber(problem.fixed_in_options, place),
        fixed_out_options=_renumber(problem.fixed_out_options, place),
    )


def _needed_groups(problem: PortfolioProblem, kept: Bools) -> Bools:
    """Groups that still have an option, that never had one, or that something asks for, shape (G,)."""
    count = len(problem.group_names)
    before, after = (np.bincount(problem.group[which], minlength=count) for which in (slice(None), kept))
    needed = (after > 0) | (before == 0) | problem.exactly_one
    needed[[*problem.fixed_in_groups, *problem.prerequisites.ravel().tolist()]] = True
    return np.asarray(needed)


def _renumber(indices: Iterable[int], place: Ints) -> tuple[int, ...]:
    return tuple(int(place[index]) for index in indices)


def _with_options(rows: Rows, options: Ints) -> Rows:
    return replace(rows, use=_canonical(csr_array(rows.use[:, options])))


def _canonical(matrix: csr_array) -> csr_array:
    matrix = csr_array(matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
