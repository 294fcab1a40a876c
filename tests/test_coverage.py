"""Intervals that cover: every kind that is printed against a known truth, at the counts that users run.

A nominal 95% must cover `ABOUT` of the tries; what is stated to be wide (docs/answers.md, "What an interval is of")
must cover at least 94%, however many there are. The replications are

===========  ======================================================================================
normal       as those of a large portfolio
exponential  as those of one in which few projects carry the value (skewness 2)
lognormal    the same, heavier: sigma 0.8, skewness 3.7
projects     worth of ten projects, each of which comes to the market with a chance of a fifth
===========  ======================================================================================

`python -m tests.test_coverage` prints the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats as reference

from rdsim import stats
from rdsim.assumptions.information import information
from rdsim.assumptions.turning import break_even
from rdsim.bench.doubts import spread_interval
from rdsim.multiplicity import distances_from_best, intervals_together, rank_ranges
from rdsim.optimiser.questions.confidence import BatchResult, Candidate, estimate
from rdsim.stats import Interval
from tests.sizes import FULL, size

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
Estimate = Callable[[Floats], Interval]

NOMINAL = 0.95
ABOUT = (0.94, 0.975)
WIDE = (0.94, 1.0)
COUNTS = (20, 50, 100, 200, 500) if FULL else (20, 100)
BATCHES = (10, 20, 30) if FULL else (10,)
SIGMA = 0.8


def _times(*, quick: bool) -> int:
    """Tries behind one coverage; fewer of what takes long."""
    return size(800, 20_000) if quick else size(200, 4000)


class Kind(NamedTuple):
    """A kind of interval in one world."""

    name: str
    world: str
    draw: Draw
    """A row of n numbers, or of what else the estimate rests on."""
    estimate: Estimate
    truth: float
    promise: tuple[float, float]
    counts: tuple[int, ...] = COUNTS
    quick: bool = True

    def coverage(self, n: int) -> tuple[float, int]:
        """The share of tries in which the truth lies inside, and how many tries."""
        rng, times = np.random.default_rng([n, len(self.name), len(self.world)]), _times(quick=self.quick)
        found = [self.estimate(self.draw(rng, n)) for _ in range(times)]
        return float(np.mean([one.low <= self.truth <= one.high for one in found])), times


# --- worlds ---------------------------------------------------------------------------------------


def projects(rng: np.random.Generator, n: int) -> Floats:
    """Worth of ten projects, 2 on average."""
    return np.asarray(((rng.random((n, 10)) < 0.2) * rng.lognormal(-0.125, 0.5, (n, 10))).sum(axis=1))


LAWS: dict[str, Any] = {
    "normal": reference.norm(),
    "exponential": reference.expon(),
    "lognormal": reference.lognorm(SIGMA),
}
DRAWS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(0.0, SIGMA, n),
    "projects": projects,
}
MEANS = {"normal": 0.0, "exponential": 1.0, "lognormal": math.exp(SIGMA**2 / 2), "projects": 2.0}


def _mean_of_lowest(world: str, share: float) -> float:
    """By the midpoint rule over the quantiles."""
    places = (np.arange(100_000) + 0.5) / 100_000 * share
    return float(LAWS[world].ppf(places).mean())


# --- kinds ----------------------------------------------------------------------------------------


def _means() -> Iterator[Kind]:
    for world, draw in DRAWS.items():
        counts = COUNTS if world == "lognormal" else (10, *COUNTS)
        yield Kind("mean", world, draw, stats.mean_interval, MEANS[world], ABOUT, counts)
        yield Kind("difference", world, _paired(draw), _difference, MEANS[world], ABOUT)


def _paired(lead: Draw) -> Draw:
    """Two plans on common luck: the first has some more."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        luck = rng.normal(50.0, 20.0, n)
        return np.array([luck + lead(rng, n), luck])

    return draw


def _difference(pair: Floats) -> Interval:
    return stats.paired_difference(pair[0], pair[1])


def _quantiles() -> Iterator[Kind]:
    for world, law in LAWS.items():
        for level in (0.05, 0.5, 0.9):
            asked = _at(stats.quantile_interval, level)
            yield Kind(f"quantile {level}", world, DRAWS[world], asked, float(law.ppf(level)), WIDE)
        for level in (0.9, 0.95):
            truth = _mean_of_lowest(world, 1 - level)
            yield Kind(f"cvar {level}", world, DRAWS[world], _at(stats.cvar_interval, level), truth, WIDE, quick=False)


def _at(asked: Callable[[Floats, float], Interval], level: float) -> Estimate:
    return lambda samples: asked(samples, level)


def _probabilities() -> Iterator[Kind]:
    for chance in (0.01, 0.05, 0.2, 0.5):
        yield Kind("probability", f"chance {chance}", _coins(chance), _share, chance, WIDE)


def _shares() -> Iterator[Kind]:
    """Of re-decisions that have something: a one-sided limit; it is sure where the limit is at least 0.90."""
    for chance in (0.8, 0.9, 0.97):
        yield Kind("share", f"of re-decisions, {chance}", _coins(chance), _least_share, chance, WIDE, (32, 64, 128))


def _least_share(came: Floats) -> Interval:
    return Interval(float(came.mean()), stats.least_share(int(came.sum()), came.size), 1.0, came.size)


def _coins(chance: float) -> Draw:
    return lambda rng, n: (rng.random(n) < chance).astype(np.float64)


def _share(came: Floats) -> Interval:
    return stats.proportion_interval(int(came.sum()), came.size)


def _counts() -> Iterator[Kind]:
    """Of the projects of a portfolio."""
    for number, chance in ((40, 0.3), (40, 0.001), (5, 0.02), (5, 0.99)):
        world = f"{number} projects, chance {chance}"
        yield Kind("count", world, _successes(number, chance), _count_of(number), number * chance, WIDE)


def _successes(number: int, chance: float) -> Draw:
    return lambda rng, n: rng.binomial(number, chance, n).astype(np.float64)


def _count_of(number: int) -> Estimate:
    return lambda counts: stats.count_interval(counts, NOMINAL, number)


# --- what a certificate says: one of some options is chosen on samples, batch by batch -----------------------


OPTIONS, SAMPLES = 12, 25
EXACT = np.linspace(0.0, 1.0, OPTIONS)


@cache
def _curse(spread: float) -> float:
    """What the best of a batch promises too much, on average."""
    rng = np.random.default_rng(3)
    seen = EXACT + rng.normal(0.0, spread / math.sqrt(SAMPLES), (100_000, OPTIONS))
    best = seen.argmax(axis=1)
    return float((seen.max(axis=1) - EXACT[best]).mean())


def _certificates() -> Iterator[Kind]:
    for spread in (0.5, 2.0, 8.0):
        world = f"{OPTIONS} options, spread {spread}"
        draw = _batches(spread)
        yield Kind("optimism", world, draw, lambda rows: _optimality(rows).optimism, _curse(spread), ABOUT, BATCHES)
        yield Kind("upper limit", world, draw, _reaches, 1.0, WIDE, BATCHES)
        yield Kind("gap", world, draw, _gap, 1.0 - float(EXACT[OPTIONS // 2]), WIDE, BATCHES)


def _batches(spread: float) -> Draw:
    """By batch: the best mean, that of the candidate, a middling one, and what the best gives on fresh samples."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        seen = EXACT + rng.normal(0.0, spread / math.sqrt(SAMPLES), (n, OPTIONS))
        fresh = EXACT[seen.argmax(axis=1)] + rng.normal(0.0, spread / math.sqrt(SAMPLES), n)
        return np.array([seen.max(axis=1), seen[:, OPTIONS // 2], fresh])

    return draw


def _optimality(rows: Floats) -> Any:
    batches = [BatchResult(best, best, own, best - fresh) for best, own, fresh in rows.T.tolist()]
    return estimate(Candidate((0,), 0.0, 0.0), batches, rows[1], samples=SAMPLES)


def _reaches(rows: Floats) -> Interval:
    """The upper end of the limits of the true optimum."""
    return Interval(0.0, -math.inf, float(_optimality(rows).upper.high), rows.shape[1])


def _gap(rows: Floats) -> Interval:
    """A one-sided limit."""
    return Interval(0.0, 0.0, float(_optimality(rows).gap.high), rows.shape[1])


# --- what is said of assumptions --------------------------------------------------------------------


def _break_evens() -> Iterator[Kind]:
    """A lead of x - 0.4, sought in each repeat on other luck; counts are of repeats."""
    yield Kind("break-even", "x - 0.4", lambda rng, n: rng.normal(0.0, 0.1, n), _turn, 0.4, WIDE, (6, 8, 12))


def _turn(luck: Floats) -> Interval:
    asked: Any = None  # the headline is carried, and not looked at
    found = break_even(asked, "x", (-1.0, 2.0), lambda level, k: level - 0.4 + float(luck[k]), repeats=len(luck))
    return Interval(found.value, found.low, found.high, found.repeats)


SLOPE = 10.0
"""By how much more a second portfolio is worth from one bound of an assumption to the other."""


def _knowing() -> Iterator[Kind]:
    """Two portfolios, six assumptions; counts are of worlds."""
    for skewed in (False, True):
        for gain in (0.0, -2.0):
            world = f"{'exponential' if skewed else 'normal'}, {gain:g} ahead"
            yield Kind(
                "knowing", world, _rivals(gain, skewed), _evppi, _worth_of_knowing(gain), WIDE, (48,), quick=False
            )


def _rivals(gain: float, skewed: bool) -> Draw:
    """Where n worlds lie between bounds, and what a second portfolio is worth more in each replication there.

    The first assumption moves that evenly; what the others do is another one's luck, and not even straight.
    """

    def draw(rng: np.random.Generator, n: int) -> Floats:
        levels = reference.qmc.LatinHypercube(6, rng=rng).random(n)
        others = levels[:, 1:] - 0.5
        means = gain + SLOPE * (levels[:, 0] - 0.5) + 5 * others.sum(axis=1) + 20 * others[:, 0] * others[:, 1]
        luck = rng.exponential(1.0, 100) - 1.0 if skewed else rng.standard_normal(100)
        return np.hstack([levels, means[:, None] + 10 * luck])

    return draw


def _evppi(rows: Floats) -> Interval:
    levels, more = rows[:, :6], rows[:, 6:]
    return information(levels, 0, np.stack([np.zeros(more.shape), more], axis=1)).value


def _worth_of_knowing(gain: float) -> float:
    """E max(0, E[more | assumption]) less max(0, E more), of an assumption that is even between its bounds."""
    known = gain + SLOPE * ((np.arange(20_000) + 0.5) / 20_000 - 0.5)
    return float(np.maximum(known, 0.0).mean() - max(gain, 0.0))


# --- what a benchmark says of several portfolios at once ----------------------------------------------------


LEADS = np.array([1.0, 1.0, 0.7, -0.5])
"""Of four portfolios: two are the best, a third is near them."""
SPREADS = np.array([0.5, 0.8, 1.1, 1.4])


def _several() -> Iterator[Kind]:
    """All intervals of a table must hold at once; counts are of replications."""
    for world, counts in (("normal", (40,)), ("lognormal", (20,))):
        mine = COUNTS if FULL else counts
        for name, holds in (("together", _all_hold), ("from the best", _distances_hold), ("ranks", _ranks_hold)):
            yield Kind(name, world, _portfolios(world), _as_interval(holds), 1.0, WIDE, mine, quick=False)
    yield Kind("spread", "normal", DRAWS["normal"], _spread, 1.0, ABOUT, (6, 12))


def _portfolios(world: str) -> Draw:
    """Worth of the four on common luck, each with some of its own."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        own = np.array([DRAWS[world](rng, n) for _ in LEADS]).T - MEANS[world]
        return np.asarray(LEADS + own * SPREADS + rng.normal(0.0, 3.0, (n, 1)))

    return draw


def _as_interval(holds: Callable[[Floats], bool]) -> Estimate:
    """1 where all holds that is said."""

    def estimate_of(table: Floats) -> Interval:
        kept = float(holds(table))
        return Interval(kept, kept, kept, len(table))

    return estimate_of


def _all_hold(table: Floats) -> bool:
    found = intervals_together(table[:, 1:] - table[:, :1])
    return all(one.low <= lead <= one.high for one, lead in zip(found, LEADS[1:] - LEADS[0], strict=True))


def _distances_hold(table: Floats) -> bool:
    ahead = [lead - np.delete(LEADS, place).max() for place, lead in enumerate(LEADS)]
    return all(one.low <= lead <= one.high for one, lead in zip(distances_from_best(table), ahead, strict=True))


def _ranks_hold(table: Floats) -> bool:
    truth = [(1 + int((lead < LEADS).sum()), int((lead <= LEADS).sum())) for lead in LEADS]
    return all(
        low <= last and high >= first for (low, high), (first, last) in zip(rank_ranges(table), truth, strict=True)
    )


def _spread(samples: Floats) -> Interval:
    return spread_interval(samples, NOMINAL)


KINDS = [
    *(*_means(), *_quantiles(), *_probabilities(), *_shares(), *_counts(), *_certificates()),
    *(*_break_evens(), *_knowing(), *_several()),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.name}, {kind.world}")
def test_an_interval_covers_at_the_counts_that_users_run(kind: Kind) -> None:
    least, most = kind.promise
    for n in kind.counts:
        covered, times = kind.coverage(n)
        doubt = 3 * math.sqrt(0.05 * 0.95 / times)
        assert least - doubt <= covered <= most + doubt, (n, covered)


def test_a_stated_width_is_true() -> None:
    """A wide interval is not so wide that it says nothing: within a half of the usual one at 100 samples."""
    samples = np.random.default_rng(1).standard_normal(100)
    usual = 2 * 1.984 * float(samples.std(ddof=1)) / 10
    assert 2 * stats.mean_interval(samples).half_width == pytest.approx(usual, rel=0.03)
    assert 2 * stats.quantile_interval(samples, 0.5).half_width < 1.5 * 1.2533 * usual
    assert stats.proportion_interval(20, 100).half_width == pytest.approx(1.96 * 0.04, rel=0.1)


def _table() -> Iterator[str]:
    for kind in KINDS:
        told = "  ".join(f"{n}: {kind.coverage(n)[0]:.3f}" for n in kind.counts)
        yield f"{kind.name:14} {kind.world:26} {told}"


if __name__ == "__main__":
    for line in _table():
        print(line, flush=True)  # noqa: T201
