"""Four doubts of a portfolio that an optimiser chose, each by itself: they answer other questions, and do not add up.

============  ======================================================================================================
solver gap    how much better a portfolio could be in the optimiser's view, by its samples: proven
sampling gap  how much better one could be over all samples there might be, beyond that: an upper limit (Mak et al.)
optimism      what samples promise too much of what they choose, options alone: mean over batches that chose anew
choice noise  how much the simulated value moves when everything is sampled and chosen anew: a standard deviation
============  ======================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import chdtri

from rdsim.arrays import Floats
from rdsim.bench.entrants import Entrant
from rdsim.bench.judging import Judged, measure
from rdsim.bench.worlds import AS_STATED
from rdsim.errors import ProblemError
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.confidence import Sampling, optimality, stream_seed
from rdsim.search import Proposal, Refined, build_instance, choose, fresh_values, refine, risk_of, solving_of
from rdsim.simulation import Running
from rdsim.stats import Interval, mean_interval
from rdsim.streams import RECHOSEN

__all__ = ["ChoiceDoubt", "choice_noise", "choose_again", "doubts_of", "spread_interval"]

_FEWEST = 2
"""Batches and repeats of which an interval can be told."""


@dataclass(frozen=True)
class ChoiceDoubt:
    """One of the four: an amount in the scenario's money with its limits, of how many; NaN where nothing is known."""

    name: str
    amount: float
    low: float
    high: float
    n: int
    words: str


def doubts_of(posed: Refined, best: Proposal, batches: int, evaluation: int, solving: Solving) -> list[ChoiceDoubt]:
    """Solver gap, sampling gap and optimism of the choice without simulation, options alone, added up.

    Without batches, and where the aim asks for a floor or a probability, the solver gap alone.
    """
    open_ = max(best.solution.bound - best.solution.objective, 0.0)
    proven = "at most so much better in the optimiser's view, by the samples that chose it; proven by the solver"
    solver = ChoiceDoubt("solver gap", open_, math.nan, open_, 1, proven)
    if batches < _FEWEST:
        return [solver]
    draw = partial(_fresh, posed)
    sampling = Sampling(batches, posed.samples, evaluation, posed.scenario.simulation.confidence, draw)
    every = partial(fresh_values, posed)
    asked = solving_of(posed.scenario, solving)
    try:
        known = optimality(
            posed.problem, every, risk_of(posed), candidate=best.solution, sampling=sampling, solving=asked
        )
    except ProblemError:
        return [solver]
    gap, optimism = known.sampling_gap, known.optimism
    left = (
        "at most so much better over all samples there might be, beyond the solver's gap; the upper limit is one-sided"
    )
    curse = "what as many samples promise too much of what they choose, on average over batches that chose anew"
    return [
        solver,
        ChoiceDoubt("sampling gap", gap.mean, math.nan, gap.high, gap.n, left),
        ChoiceDoubt("optimism", optimism.mean, optimism.low, optimism.high, optimism.n, curse),
    ]


def _fresh(posed: Refined, index: int, size: int, options: Sequence[int]) -> Floats:
    return fresh_values(posed, index, size, options)


def choose_again(posed: Refined, number: int, solving: Solving, running: Running) -> Entrant:
    """The choice without simulation, made anew: other samples of all options, of those near the relaxation too."""
    seed = stream_seed(posed.seed, RECHOSEN.number(number))
    again = refine(build_instance(posed.scenario, samples=posed.samples, seed=seed, running=running), solving)
    name, title = f"chosen-again-{number + 1}", f"choice without simulation, made anew on other samples ({number + 1})"
    portfolio = replace(choose(again, solving).portfolio, name=name)
    return Entrant(name, title, "optimiser", portfolio, posed.scenario, "rdsim's optimiser, on other samples")


def choice_noise(
    first: Entrant, again: Sequence[Entrant], judged: Judged, level: float
) -> tuple[ChoiceDoubt, Interval]:
    """Standard deviation of the simulated value over choices made anew, and how much these are ahead of the first.

    All are simulated on the replications that are told. Raises ValueError for fewer than two.
    """
    own = judged.told[AS_STATED, first.name]
    for one in again:
        place = AS_STATED, one.name
        if place not in judged.told:
            judged.told[place] = measure(one.world, one.portfolio, judged.measured, judged.measured.replications)
    ahead = np.array([float((judged.told[AS_STATED, one.name] - own).mean()) for one in again])
    spread = spread_interval(ahead, level)
    told = "standard deviation of the simulated value when options are sampled and chosen anew"
    return ChoiceDoubt("choice noise", spread.mean, spread.low, spread.high, spread.n, told), mean_interval(
        ahead, level
    )


def spread_interval(samples: Sequence[float] | Floats, level: float) -> Interval:
    """Standard deviation of normal samples, two or more, with its interval (by chi-square)."""
    values = np.asarray(samples, np.float64)
    free = values.size - 1
    if free < 1:
        raise ValueError("a standard deviation needs two samples or more")
    spread, tail = float(values.std(ddof=1)), (1 - level) / 2
    low, high = (spread * math.sqrt(free / float(chdtri(free, one))) for one in (tail, 1 - tail))
    return Interval(spread, low, high, values.size)
