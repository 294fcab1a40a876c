"""Courses that the talks of lone options can take: signed, or failed at one of their stages, each with its probability.

Whether a stage of talks succeeds is drawn by itself and touches no other luck. So the mean over that luck is known
exactly once every course has been simulated on the same replications: the sum of what the courses come to, weighed with
their probabilities (conditional Monte Carlo, as for the luck of the market: `rdsim.expectation`; it is also what
stratifying by the course with exact weights comes to). It is unbiased, and what is left in the difference of two
partners is what they do, not which of them happened to sign.

It is of use for means, and for what is read off weighed courses. Risk needs the course that each replication takes: it
is one of those simulated, and is picked as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rdsim.arrays import Floats, Ints
from rdsim.case import Case, unconstrained_case
from rdsim.domain import Choice, Scenario
from rdsim.draws import Draws
from rdsim.luck import failing_stage, stage_chances

__all__ = ["TalkCourses", "courses_of", "pick_courses", "single_courses"]

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class TalkCourses:
    """C courses of O lone options; those of an option side by side, those without a chance left out.

    Attributes:
        choices: the options, O of them.
        chances: that each stage of talks succeeds, (O, H); 1 beyond an option's last.
        option: whose course it is, (C,).
        stage: at which talks fail, H where they are signed; -1: as drawn, (C,).
        weight: probability of a course, (C,); those of an option sum to 1.
    """

    choices: tuple[Choice, ...]
    chances: Floats
    option: Ints
    stage: Ints
    weight: Floats

    @property
    def projects(self) -> tuple[Choice, ...]:
        """What is simulated: an option for each of its courses, C of them."""
        return tuple(self.choices[o] for o in self.option)

    def case(self, scenario: Scenario) -> Case:
        """The case in which each course lives alone."""
        return unconstrained_case(scenario, self.projects)._replace(talks=self.stage)

    @cached_property
    def _first(self) -> Ints:
        return np.searchsorted(self.option, np.arange(len(self.choices)))

    def mean(self, column: Floats, axis: int = 0) -> Floats:
        """Each option's mean over its courses; `column` has C entries along an axis, what is returned O."""
        if len(self.option) == len(self.choices):
            return column
        shape = [1] * column.ndim
        shape[axis] = -1
        return np.asarray(np.add.reduceat(self.weight.reshape(shape) * column, self._first, axis=axis))

    def numbers(self, draws: Draws) -> Ints:
        """The course that each option's talks take in each replication, shape (R, O)."""
        if len(self.option) == len(self.choices):
            return np.broadcast_to(np.arange(len(self.choices)), (len(draws.replications), len(self.choices)))
        place = np.zeros((len(self.choices), self.chances.shape[1] + 1), np.int64)
        place[self.option, self.stage] = np.arange(len(self.option))
        return np.asarray(place[np.arange(len(self.choices)), failing_stage(self.chances, self.choices, draws)])


def pick_courses(column: npt.NDArray[Scalar], course: Ints) -> npt.NDArray[Scalar]:
    """Of a column of shape (R, C, ...) the courses that were taken, (R, O): shape (R, O, ...)."""
    return column[np.arange(len(column))[:, None], course]


def courses_of(scenario: Scenario, choices: tuple[Choice, ...]) -> TalkCourses:
    """Every course that the talks of lone options may take.

    Model: F13.
    """
    chances = stage_chances(scenario, choices)
    passed = np.cumprod(np.hstack([np.ones((len(choices), 1)), chances]), axis=1)  # (O, H + 1): the stages before
    table = np.hstack([passed[:, :-1] * (1.0 - chances), passed[:, -1:]])
    option, stage = map(np.ascontiguousarray, np.nonzero(table > 0.0))
    return TalkCourses(choices, chances, option, stage, table[option, stage])


def single_courses(choices: tuple[Choice, ...]) -> TalkCourses:
    """One course of each option: the one that its talks take in a replication, whichever that is."""
    every = np.arange(len(choices))
    return TalkCourses(choices, np.ones((len(choices), 1)), every, np.full(len(choices), -1), np.ones(len(choices)))
