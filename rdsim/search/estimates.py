"""What options near the relaxation's optimum are worth on average: more samples where it is close.

Options of one technology - partners, modes, start years - live on the same steps in each replication, so their
difference varies far less than either (common random numbers: Glasserman & Yao 1992, Management Science 38). All are
sampled once. Then, doubling the samples each time, the best of each technology and those that are not told apart from
it are sampled further: whoever is behind by more than its error explains is not, and neither is who is within so little
that it makes no difference (as in selection with an indifference zone: Kim & Nelson 2001, ACM TOMACS 11). What is
compared is worth less what the relaxation charges for money, places and starts.

A mean is that of the technology's best one over all its samples plus the paired difference from it: so all options of a
technology have the precision of the one that was sampled most, but for what tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rdsim.arrays import Floats, Ints
from rdsim.errors import SolverError
from rdsim.optimiser import Solving
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.explanation.prices import relaxation_duals
from rdsim.options import worth_alone
from rdsim.search.proposals import Instance, solution_of, solving_of
from rdsim.streams import REFINING, Stream

__all__ = ["MOST_SAMPLES", "Estimates", "Near", "Refined", "estimate_means", "estimates_of", "refine", "sample_near"]

_MOST_NEAR = 1500  # options nearest to the relaxation, which are sampled further
_DOUBLINGS = 3
MOST_SAMPLES = 2**_DOUBLINGS
"""Times as many samples as all have that an option gets at most."""

_ERRORS = 2.0  # of the paired difference, by which options are told apart
_TIED = 0.001  # of the award: a difference within that is none

Draw = Callable[[Ints, int, int], Floats]
"""Worth of some options in `count` samples after the first `done` ones, (count, options)."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Means of K options, of G groups (technologies), and the samples behind them."""

    means: Floats  # (K,)
    counts: Ints  # (K,) samples of each
    best: Ints  # (G,) the best of each group, less what it is charged
    leads: Floats  # (G,) of the best over the second, less what they are charged; infinite where there is none
    errors: Floats  # (G,) standard errors of these leads, over the samples that both have
    groups: tuple[_Group, ...] = ()  # the samples

    def means_with(self, weights: Floats) -> Floats:
        """The means if samples had these weights, in order, (K,); as many weights as the most that any option has."""
        means = np.zeros(self.means.size)
        for one in self.groups:
            means[one.options] = one.means(weights)
        return means

    @property
    def samples(self) -> list[Floats]:
        """The samples of each option, as `estimates_of` takes them."""
        found: list[Floats] = [np.zeros(0)] * self.means.size
        for one in self.groups:
            for option, worth in zip(one.options, one.worths, strict=True):
                found[option] = worth
        return found

    @cached_property
    def spreads(self) -> Floats:
        """Standard error of each mean, (K,), from above: of the best one's, and of the difference from it."""
        errors = np.zeros(self.means.size)
        for one in self.groups:
            mine = one.worths[one.best]
            apart = [_error(worth - mine[: len(worth)]) for worth in one.worths]
            errors[one.options] = _error(mine) + np.array(apart)
        return errors


def _error(samples: Floats) -> float:
    """Standard error of a mean; of one sample nothing is known."""
    return float(samples.std(ddof=1)) / len(samples) ** 0.5 if len(samples) > 1 else 0.0


def _mean(samples: Floats, weights: Floats | None) -> float:
    """A mean; with weights of the first samples, and as it is if all of them are nothing."""
    if weights is None or not weights[: len(samples)].any():
        return float(samples.mean())
    mine = weights[: len(samples)]
    return float(mine @ samples / mine.sum())


@dataclass(frozen=True, eq=False)
class _Group:
    """Options of one technology: their worth in the samples that each has, and what each is charged."""

    options: Ints
    worths: list[Floats]
    charges: Floats
    zones: Floats

    def leads(self, some: Ints, best: int) -> tuple[Floats, Floats]:
        """Mean lead of the best over some, by place, and its standard error, over all samples that all have."""
        count = min(len(self.worths[k]) for k in [*some, best])
        table = np.array([self.worths[k][:count] for k in some]).T - self.charges[some]
        lead = self.worths[best][:count, None] - self.charges[best] - table
        error = lead.std(axis=0, ddof=1) / count**0.5 if count > 1 else np.full(len(some), np.inf)
        return lead.mean(axis=0), error

    @property
    def alive(self) -> Ints:
        """Places of those with most samples."""
        most = max(map(len, self.worths))
        return np.flatnonzero([len(one) == most for one in self.worths])

    @property
    def best(self) -> int:
        """The place of the best of those with most samples; of equals the first."""
        alive = self.alive
        net = [float(self.worths[k].mean() - self.charges[k]) for k in alive]
        return int(alive[int(np.argmax(net))])

    def open(self) -> Ints:
        """Places of the best, and of those that are neither told apart from it nor tied with it."""
        alive, best = self.alive, self.best
        lead, error = self.leads(alive, best)
        settled = (lead > _ERRORS * error) | (np.abs(lead) + _ERRORS * error < self.zones[alive])
        return np.asarray(alive[~settled | (alive == best)])

    def means(self, weights: Floats | None = None) -> Floats:
        """By the best one's samples, and the paired difference from it; of samples with weights, if given."""
        mine = self.worths[self.best]
        best = _mean(mine, weights)
        return np.array([best + _mean(one - mine[: len(one)], weights) for one in self.worths])

    def closest(self) -> tuple[float, float]:
        """Lead of the best over the second, and its standard error."""
        others = np.delete(np.arange(len(self.worths)), self.best)
        if not others.size:
            return np.inf, 0.0
        net = self.means() - self.charges
        second = others[[int(np.argmax(net[others]))]]
        lead, error = self.leads(second, self.best)
        return float(lead[0]), float(error[0])


def estimate_means(draw: Draw, group: Ints, charges: Floats, awards: Floats, samples: int) -> Estimates:
    """Means of K options.

    Args:
        draw: gives their worth, see `Draw`.
        group: technology of each, (K,).
        charges: what the relaxation charges each for what it uses, (K,).
        awards: money promised to each, (K,).
        samples: that all have; the best of each group get up to 8 times as many.
    """
    first = draw(np.arange(len(group)), 0, samples)
    groups = [
        _Group(mine, [first[:, k] for k in mine], charges[mine], _TIED * awards[mine])
        for mine in (np.flatnonzero(group == g) for g in np.unique(group))
    ]
    for doubling in range(_DOUBLINGS):
        _sample_further(draw, groups, samples * 2**doubling)
    return _summary(groups, len(group))


def estimates_of(worths: Sequence[Floats], group: Ints, charges: Floats, awards: Floats) -> Estimates:
    """Means of K options from samples in hand, one array of each; other arguments are those of `estimate_means`."""
    groups = [
        _Group(mine, [worths[k] for k in mine.tolist()], charges[mine], _TIED * awards[mine])
        for mine in (np.flatnonzero(group == g) for g in np.unique(group))
    ]
    return _summary(groups, len(group))


def _sample_further(draw: Draw, groups: Sequence[_Group], done: int) -> None:
    """As many samples again of those that are open."""
    places = [one.open() for one in groups]
    if not places:
        return
    fresh = iter(draw(np.concatenate([one.options[k] for one, k in zip(groups, places, strict=True)]), done, done).T)
    for one, mine in zip(groups, places, strict=True):
        for k in mine:
            one.worths[k] = np.concatenate([one.worths[k], next(fresh)])


def _summary(groups: Sequence[_Group], count: int) -> Estimates:
    means, counts = np.zeros(count), np.zeros(count, np.int64)
    for one in groups:
        means[one.options], counts[one.options] = one.means(), [len(worth) for worth in one.worths]
    leads = np.array([one.closest() for one in groups]).reshape(-1, 2).T
    best = np.array([one.options[one.best] for one in groups], np.int64)
    return Estimates(means, counts, best, leads[0], leads[1], tuple(groups))


@dataclass(frozen=True, eq=False)
class Near:
    """Options near the relaxation's optimum, and what is known of them from samples of their own."""

    options: Ints  # (K,) by number, in all O options
    charges: Floats  # (O,) what the relaxation charges each of all options
    found: Estimates

    def new_means(self, means: Floats, now: Floats, group: Ints) -> Floats:
        """Means of all options, (O,), once those of these are `now`, (K,); others move with their technology's best."""
        moved = np.zeros(int(group.max(initial=-1)) + 1)
        best = self.options[self.found.best]
        moved[group[best]] = now[self.found.best] - means[best]
        changed = means + moved[group]
        changed[self.options] = now
        return changed


@dataclass(frozen=True, eq=False, kw_only=True)
class Refined(Instance):
    """An instance whose options are worth what all samples say; those near the relaxation's optimum have most.

    Whoever chooses from it knows as much as the loop does.
    """

    near: Near


def refine(
    posed: Instance,
    solving: Solving = Solving(),
    also: Sequence[int] = (),
    progress: Callable[[], None] = lambda: None,
) -> Refined:
    """Sample the options nearest to the relaxation's optimum further, and `also` some more.

    Every sample of an option moves by as much as its mean. `progress` is called before each portion of samples.

    Raises: InfeasibleError if no portfolio satisfies every row, SolverError if the relaxation has no answer.
    """
    problem, expected = posed.problem, posed.problem.expected_value
    try:
        costs = relaxation_duals(problem, solving_of(posed.scenario, solving)).reduced_costs[: len(expected)]
    except SolverError:
        solution_of(posed, solving)  # says what cannot be, and why
        raise
    nearest = np.argsort(-costs, kind="stable")[:_MOST_NEAR]
    options = np.union1d(nearest, np.array(also, np.int64)).astype(np.int64)
    near = sample_near(posed, options, expected - costs, REFINING, progress)
    means = near.new_means(expected, near.found.means, problem.group)
    known = replace(problem, values=frozen(problem.values + (means - expected)))
    return Refined(posed.scenario, posed.options, known, posed.samples, posed.seed, posed.running, near=near)


def sample_near(
    posed: Instance, options: Ints, charges: Floats, stream: Stream, progress: Callable[[], None] = lambda: None
) -> Near:
    """Sample some options of a problem further, on a stream from its first number on; `charges` as in `Near`."""

    def draw(some: Ints, done: int, count: int) -> Floats:
        progress()
        return worth_alone(
            posed.scenario,
            tuple(posed.options.choices[o] for o in options[some]),
            samples=count,
            seed=posed.seed,
            stream=stream.after(done),
            running=posed.running,
        )

    group, awards = posed.problem.group[options], posed.options.award[options]
    return Near(options, charges, estimate_means(draw, group, charges[options], awards, posed.samples))
