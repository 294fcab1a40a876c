"""Rolling: each fiscal year, knowing what happened so far and nothing more, decide again; for every replication."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from rdsim.arrays import Floats
from rdsim.case import SamplePaths
from rdsim.domain import Portfolio, Scenario
from rdsim.native.threads import cores, in_threads
from rdsim.optimiser import Solving
from rdsim.optimiser.problem.problem import best_per_group
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.rolling.course import Course, Lived
from rdsim.rolling.decisions import Policy, Supply, proposals, sooner, stopping
from rdsim.rolling.futures import Worlds
from rdsim.rolling.knowledge import knowledge_at
from rdsim.rolling.prospects import Prospects
from rdsim.scenario import due_years, plannable
from rdsim.search import Instance

__all__ = ["Rolled", "courses", "decision_years", "roll", "roll_one", "supply_of"]

_EACH = 3
"""Options of a technology and start year that may be decided on: those of least reduced cost."""

_MOST_SAMPLES = 1000
_SURELY = 2.0
"""Standard errors by which another course must be better than the one that changes nothing."""


@dataclass(frozen=True, eq=False)
class Rolled:
    """What a policy came to in some replications."""

    worths: Floats  # (R,)
    courses: tuple[Course, ...]


def decision_years(scenario: Scenario) -> list[int]:
    """Fiscal years after the first up to the last in which there is money, something may start, or a tranche falls due.

    A tranche counts where a plan may count on carried money for it.
    """
    last = max(max(_busy_years(scenario, code)) for code in scenario.programmes)
    return list(range(scenario.start_year + 1, min(last, scenario.horizon_year) + 1))


def _busy_years(scenario: Scenario, code: str) -> set[int]:
    """Years with money, with starts, and those in which carried money may pay what falls due."""
    line, money = scenario.programmes[code], plannable(scenario, code)
    return {*line.budget, *line.starts, *(year for year in due_years(scenario, code) if money.get(year, 0))}


def supply_of(
    posed: Instance, portfolio: Portfolio, *, means: Floats | None = None, solving: Solving = Solving()
) -> Supply:
    """What may be decided on: by technology and start year the options nearest to the relaxation, and the portfolio."""
    choices = posed.options.choices
    planned = {(one.technology, one.partner, one.mode, one.start_year) for one in portfolio.choices}
    mine = [o for o, one in enumerate(choices) if (one.technology, one.partner, one.mode, one.start_year) in planned]
    kept = best_per_group(posed.problem, relaxation_duals(posed.problem, solving).reduced_costs[: len(choices)], _EACH)
    kept[mine] = True
    near = np.flatnonzero(kept)
    some = tuple(choices[o] for o in near.tolist())
    prospects = Prospects(
        posed.scenario,
        some,
        samples=min(max(posed.samples, 200), _MOST_SAMPLES),
        seed=posed.seed,
        running=posed.running,
    )
    worth = posed.problem.expected_value if means is None else means
    worlds = Worlds(posed.scenario, some, posed.seed, engine=posed.running.engine)
    return Supply(posed, near, np.asarray(worth), prospects, worlds, solving)


def roll_one(
    supply: Supply, policy: Policy, portfolio: Portfolio, luck: SamplePaths, number: int
) -> tuple[float, Course]:
    """One replication, played with its luck: its worth, and the course that was taken.

    `number` only says which futures are imagined.
    """
    course = deque(courses(supply, policy, portfolio, luck, number), maxlen=1).pop()
    return float(supply.worlds.play(course, luck).worths[0]), course


def courses(supply: Supply, policy: Policy, portfolio: Portfolio, luck: SamplePaths, number: int) -> Iterator[Course]:
    """The course at the beginning, and after each year's decisions (see `decision_years`)."""
    course = Course(portfolio)
    yield course
    for year in decision_years(supply.posed.scenario):
        past = supply.worlds.play(course, luck, until=year)
        course = _decide(supply, policy, course, past, luck, number)
        yield course


def _decide(supply: Supply, policy: Policy, course: Course, past: Lived, luck: SamplePaths, number: int) -> Course:
    """The best over imagined futures of plans, then of projects to stop, and then of plans for what that sets free."""
    now = knowledge_at(supply.posed.scenario, past, luck.budget)
    judge = _Judge(supply.worlds, luck, past, policy.futures, number)

    def best_plan(course: Course) -> Course:
        same, *others = proposals(supply, policy, course, now)
        best = judge.best(same, others)
        # Futures are imagined without the decisions of later years, for which an earlier start leaves more choice.
        return judge.best(best, sooner(supply, policy, best, now), surely=0.0)

    best = best_plan(course)
    stopped = judge.best(best, stopping(supply, best, now)) if policy.stops else best
    return best if stopped is best else best_plan(stopped)


class _Judge:
    """Imagined futures of one past, drawn when they are first asked for."""

    def __init__(self, worlds: Worlds, luck: SamplePaths, past: Lived, count: int, number: int) -> None:
        self.worlds, self.luck, self.past, self.count = worlds, luck, past, count
        self.first = number * count * 7919
        self.known: list[tuple[Course, Floats]] = []

    @cached_property
    def futures(self) -> SamplePaths:
        rows = (self.first + np.arange(self.count)) % self.worlds.pool
        return self.worlds.futures(self.luck, self.past, rows)

    def worths(self, course: Course) -> Floats:
        found = next((worths for known, worths in self.known if known is course), None)
        if found is None:
            found = self.worlds.play(course, self.futures).worths
            self.known.append((course, found))
        return found

    def best(self, leader: Course, others: list[Course], surely: float = _SURELY) -> Course:
        """The course that leads, unless another is better by so many standard errors; by 0 a tie is enough."""
        for other in others:
            gain = self.worths(other) - self.worths(leader)
            if gain.mean() > surely * gain.std(ddof=1) / len(gain) ** 0.5 or (surely == 0 and gain.mean() >= 0):
                leader = other
        return leader


def roll(
    supply: Supply,
    policy: Policy,
    portfolio: Portfolio,
    replications: Iterable[int],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Rolled:
    """Replications under a rolling policy that starts with a ranked portfolio; no number depends on the threads."""

    def one(number: int) -> tuple[float, Course]:
        return roll_one(supply, policy, portfolio, supply.worlds.actual(number), number)

    worths, taken = [], []
    for worth, course in in_threads(
        (partial(one, number) for number in replications), supply.posed.running.threads or cores()
    ):
        worths.append(worth)
        taken.append(course)
        progress(1)
    return Rolled(np.array(worths), tuple(taken))
