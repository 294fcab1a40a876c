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
from dataclasses import dataclass

import numpy as np

from rdsim.arrays import Floats, Ints

__all__ = ["Estimates", "estimate_means"]

_DOUBLINGS = 3
_ERRORS = 2.0  # of the paired difference, by which options are told apart
_TIED = 0.001  # of the award: a difference within that is none

Draw = Callable[[Ints, int, int], Floats]
"""Worth of some options in `count` samples after the first `done` ones, (count, options)."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Means of K options, of G groups (technologies)."""

    means: Floats  # (K,)
    counts: Ints  # (K,) samples of each
    best: Ints  # (G,) the best of each group, less what it is charged
    leads: Floats  # (G,) of the best over the second, less what they are charged; infinite where there is none
    errors: Floats  # (G,) standard errors of these leads, over the samples that both have


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

    def means(self) -> Floats:
        """By the best one's samples, and the paired difference from it."""
        mine = self.worths[self.best]
        return np.array([mine.mean() + (one - mine[: len(one)]).mean() for one in self.worths])

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
    return Estimates(means, counts, best, leads[0], leads[1])
