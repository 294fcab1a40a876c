"""Swaps: another partner, mode or start for a technology of the plan, the rest kept, by simulation.

What a swap costs is the simulated value of the whole plan less that of the plan with the other option. It is estimated
in two parts, each on replications of its own that chose nothing: the options alone, paired, on many replications;
and what the whole plan loses beyond that, on fewer, where most luck cancels (a control variate: Lavenberg & Welch 1981,
Management Science 27). Two options are **interchangeable** if the 90% interval of the difference lies within a margin,
a share of the award (`optimiser.interchangeable`): two one-sided tests at 5% (Schuirmann 1987, J. Pharmacokinetics and
Biopharmaceutics 15). Where half the replications say by the width of the interval that all of them would hardly get
there, the other half is not spent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import stdtrit

from rdsim.arrays import Floats
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.native.threads import cores, in_threads
from rdsim.options import worth_alone
from rdsim.scenario import award
from rdsim.search.judge import Judge
from rdsim.search.redecisions import KINDS, Redecisions, Verdict, what_of
from rdsim.simulation import Running
from rdsim.stats import Interval, mean_interval
from rdsim.streams import COMPARING

__all__ = ["LEVEL", "Swap", "swaps"]

LEVEL = 0.9
"""Confidence of the interval of a swap's difference."""

_ALONE = 4000
"""Replications of options alone."""

_WHOLE = 200
"""Replications of whole plans."""

_FIRST = 100
"""Of these, all that are spent where no more of them would show two options to be the same."""

_RIVALS = 2  # of a technology
_SELDOM = 0.05  # share of re-decisions below which an option is no rival


@dataclass(frozen=True)
class Swap:
    """An option of the plan, and another one that re-decisions hold for its technology."""

    chosen: Choice
    other: Choice
    count: int  # re-decisions that hold the other
    difference: Interval  # of the whole plan's value with the one less with the other
    margin: float  # money within which the two are the same

    @property
    def is_same(self) -> bool:
        """True if the two are shown to be interchangeable."""
        return -self.margin <= self.difference.low and self.difference.high <= self.margin

    @property
    def is_told_apart(self) -> bool:
        """True if the interval lies on one side of nothing."""
        return self.difference.low > 0 or self.difference.high < 0


def swaps(
    scenario: Scenario,
    plan: Portfolio,
    found: Redecisions,
    *,
    seed: int,
    running: Running = Running(),
    progress: Callable[[], None] = lambda: None,
) -> tuple[Swap, ...]:
    """Rivals of the plan's open partners, modes and starts, the most frequent of each technology first.

    `progress` is called after each step.
    """
    rivals = [(mine, other, count) for mine in plan.choices for other, count in _rivals(found, mine)]
    options = tuple(option for mine, other, _ in rivals for option in (mine, other))
    progress()
    alone = _Alone(scenario, seed, running, options)
    judge, made = Judge(scenario, seed, COMPARING.after(_ALONE), running=running), list[Swap]()
    progress()
    judge.worths(plan, _WHOLE)
    judge.alone(options, _WHOLE)  # once for all, before threads share the swaps
    jobs = (partial(_swap, judge, plan, one, alone.difference(*one[:2])) for one in rivals)
    for swap in in_threads(jobs, running.threads or cores()):
        made.append(swap)
        progress()
    return tuple(made)


def _swap(judge: Judge, plan: Portfolio, rival: tuple[Choice, Choice, int], alone: Floats) -> Swap:
    """A swap, by as many replications of the whole plan as may show its options to be the same."""
    mine, other, count = rival
    scenario = judge.scenario
    margin = scenario.optimiser.interchangeable * award(scenario, mine.technology, mine.partner, mine.mode)
    first = _sum(alone, _beyond(judge, plan, mine, other, _FIRST))
    # By its width alone, never by where it lies: so it covers as it says.
    if first.half_width * (_FIRST / _WHOLE) ** 0.5 > margin:
        return Swap(mine, other, count, first, margin)
    return Swap(mine, other, count, _sum(alone, _beyond(judge, plan, mine, other, _WHOLE)), margin)


def _rivals(found: Redecisions, mine: Choice) -> Iterator[tuple[Choice, int]]:
    """Other options of a technology in re-decisions, if any of its decisions is open."""
    told = (found.decision(kind, mine.technology, what_of(mine, kind)).verdict for kind in KINDS)
    if all(one is Verdict.SURE_IN for one in told):
        return
    others = [(choice, count) for choice, count in found.options_of(mine.technology) if not _same(choice, mine)]
    yield from [one for one in others if one[1] >= _SELDOM * len(found)][:_RIVALS]


def _same(one: Choice, other: Choice) -> bool:
    return replace(one, rank=0) == replace(other, rank=0)


class _Alone:
    """Options alone on common replications."""

    def __init__(self, scenario: Scenario, seed: int, running: Running, options: tuple[Choice, ...]) -> None:
        distinct = tuple(dict.fromkeys(replace(option, rank=0) for option in options))
        self._place = {option: place for place, option in enumerate(distinct)}
        self._worths = worth_alone(scenario, distinct, samples=_ALONE, seed=seed, stream=COMPARING, running=running)

    def difference(self, one: Choice, other: Choice) -> Floats:
        first, second = (self._worths[:, self._place[replace(option, rank=0)]] for option in (one, other))
        return np.asarray(first - second)


def _beyond(judge: Judge, plan: Portfolio, mine: Choice, other: Choice, count: int) -> Floats:
    """What the whole plan differs by beyond what the two options do alone, (n,)."""
    swapped = tuple(replace(other, rank=one.rank) if _same(one, mine) else one for one in plan.choices)
    whole = judge.worths(plan, count) - judge.worths(replace(plan, choices=swapped), count)
    alone = judge.alone((mine, other), count)
    return np.asarray(whole - (alone[:, 0] - alone[:, 1]))


def _sum(first: Floats, second: Floats) -> Interval:
    """Interval of the sum of two independent means: Student's, by Welch's degrees of freedom."""
    parts = [mean_interval(one, LEVEL) for one in (first, second)]
    variances = [float(one.var(ddof=1)) / one.size for one in (first, second)]
    mean, variance = sum(part.mean for part in parts), sum(variances)
    if variance == 0:
        return Interval(mean, mean, mean, min(first.size, second.size))
    each = zip(variances, (first.size, second.size), strict=True)
    free = variance**2 / sum(one**2 / (count - 1) for one, count in each)
    half = float(stdtrit(free, (1 + LEVEL) / 2)) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half, min(first.size, second.size))
