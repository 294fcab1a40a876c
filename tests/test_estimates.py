"""More samples where options of a technology are close: who is sampled, and how near means come to the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from rdsim.search.estimates import Estimates, estimate_means
from tests.sizes import size

N = 250


@dataclass
class World:
    """Options of known means: their worth is the mean, luck of their group, and luck of their own."""

    means: np.ndarray
    group: np.ndarray
    common: float = 10.0
    own: float = 1.0
    seed: int = 1
    asked: list[tuple[tuple[int, ...], int, int]] = field(default_factory=list)

    def draw(self, some: np.ndarray, done: int, count: int) -> np.ndarray:
        self.asked.append((tuple(some.tolist()), done, count))
        rng = np.random.default_rng([self.seed, done])
        shared = rng.normal(0.0, self.common, (count, self.group.max() + 1))
        luck = rng.normal(0.0, self.own, (count, len(self.means)))
        return (self.means + shared[:, self.group] + luck)[:, some]

    def estimates(self, charges: np.ndarray | None = None, award: float = 10.0) -> Estimates:
        nothing = np.zeros(len(self.means))
        return estimate_means(self.draw, self.group, nothing if charges is None else charges, nothing + award, N)


def test_those_that_are_close_are_sampled_further_and_no_others() -> None:
    """A: the second is close, the third is far behind. B: one alone. C: two that are equal but for nothing at all."""
    world = World(np.array([50.0, 49.95, 40.0, 20.0, 30.0, 30.0]), np.array([0, 0, 0, 1, 2, 2]))
    found = world.estimates()
    assert found.counts[[0, 3]].tolist() == [8 * N, 8 * N]
    assert found.counts[1] > N
    assert found.counts[2] == N
    assert max(found.counts[4:]) == 8 * N
    assert found.best[:2].tolist() == [0, 3]
    assert found.leads[0] == pytest.approx(0.05, abs=4 * found.errors[0])
    assert np.isinf(found.leads[1])


def test_equals_within_what_makes_no_difference_are_sampled_no_further() -> None:
    world = World(np.array([50.0, 50.0]), np.array([0, 0]), own=0.01)
    assert sorted(world.estimates().counts.tolist()) == [N, 8 * N]
    assert World(np.array([50.0, 50.0]), np.array([0, 0]), own=3.0).estimates().counts.tolist() == [8 * N, 8 * N]


def test_nobody_is_sampled_twice_in_the_same_samples() -> None:
    world = World(np.linspace(30.0, 31.0, 12), np.repeat([0, 1, 2], 4))
    world.estimates()
    assert [(done, count) for _, done, count in world.asked] == [(0, N), (N, N), (2 * N, 2 * N), (4 * N, 4 * N)]
    asked = [set(some) for some, _, _ in world.asked]
    assert all(later <= earlier for earlier, later in pairwise(asked))


def test_what_is_compared_is_worth_less_what_is_charged() -> None:
    """The dearer one is worth more, but not by as much as it is charged."""
    world = World(np.array([50.0, 48.0]), np.array([0, 0]), own=0.1)
    assert world.estimates().best.tolist() == [0]
    charged = world.estimates(charges=np.array([5.0, 1.0]))
    assert charged.best.tolist() == [1]
    assert charged.means == pytest.approx([50.0, 48.0], abs=1.0)  # means are of worth
    assert charged.leads == pytest.approx([2.0], abs=0.05)


def test_means_are_unbiased_and_all_as_precise_as_the_best() -> None:
    """The one that drops out keeps its distance, and shares the samples of the one that stays."""
    true, group, trials = np.array([50.0, 47.0, 49.8]), np.array([0, 0, 0]), size(150, 2000)
    errors = np.array([World(true, group, seed=seed).estimates().means - true for seed in range(trials)])
    spread = errors.std(axis=0)
    assert (np.abs(errors.mean(axis=0)) < 4 * spread / trials**0.5).all()
    alone = 10.0 / (8 * N) ** 0.5
    assert (spread < 1.5 * alone).all()


def test_one_sample_is_enough_to_run() -> None:
    world = World(np.array([3.0, 1.0]), np.array([0, 0]))
    found = estimate_means(world.draw, world.group, np.zeros(2), np.ones(2), 1)
    assert np.isfinite(found.means).all()


def test_without_options_there_are_no_means() -> None:
    nothing = np.zeros(0)
    found = estimate_means(
        lambda some, _, count: np.zeros((count, len(some))), np.zeros(0, np.int64), nothing, nothing, 5
    )
    assert found.means.size == found.best.size == 0
