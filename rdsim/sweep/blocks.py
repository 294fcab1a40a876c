"""What the blocks of a Saltelli design say of one factor, from pairs of worlds that differ by it alone.

In a block one world has all levels from one draw, another the same but for one factor, and the last all from a second
draw. The repeated levels make the worlds of a block alike, so means over them have no honest interval. The differences
within blocks have: all else is equal, so a factor without an effect has none, exactly; and blocks are independent.
The curve along the factor is fitted to the differences by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import fdtrc, stdtrit

from rdsim.arrays import Floats
from rdsim.sweep.groups import BINS, bin_rows, middle

__all__ = ["Blocks"]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Levels of a factor in the first world and in that in which it alone has changed, and values of all three."""

    level: pd.Series
    changed_level: pd.Series
    first: pd.Series
    changed: pd.Series
    last: pd.Series

    @cached_property
    def _groups(self) -> list[tuple[str, float, npt.NDArray[np.int64]]]:
        """Label, place and members (of all levels, first ones before changed ones) of each group of levels."""
        levels = pd.concat([self.level, self.changed_level], ignore_index=True)
        most = max(2, min(BINS, len(self.level) // 4))
        return [(label, middle(levels[group]), group.to_numpy()) for label, group in bin_rows(levels, most)]

    @cached_property
    def _design(self) -> Floats:
        """Shape (blocks, groups): 1 where a block comes to, -1 where it comes from."""
        count = len(self.level)
        found = np.zeros((2 * count, len(self._groups)))
        for k, (_, _, group) in enumerate(self._groups):
            found[group, k] = 1.0
        return found[count:] - found[:count]

    @cached_property
    def _effects(self) -> Floats:
        return (self.changed - self.first).to_numpy(np.float64)

    @cached_property
    def _fit(self) -> tuple[Floats, Floats, int]:
        """Effects of groups, what each block adds to them (groups, blocks), and the rank."""
        inverse = np.asarray(np.linalg.pinv(self._design), np.float64)
        return inverse @ self._effects, inverse, int(np.linalg.matrix_rank(self._design))

    def curve(self, confidence: float) -> pd.DataFrame:
        """Columns `level`, `at`, `mean`, `low`, `high`, `n` blocks."""
        effects, inverse, rank = self._fit
        count = len(self.level)
        own = ((self.first + self.last) / 2).to_numpy(np.float64)
        shares = np.array([len(group) for _, _, group in self._groups]) / (2 * count)
        found = []
        for k, (label, at, _) in enumerate(self._groups):
            weights = -shares
            weights[k] += 1.0
            mean = float(own.mean() + weights @ effects)
            error = self._error(own - own.mean(), weights @ inverse)
            half = float(stdtrit(max(count - rank, 1), (1 + confidence) / 2)) * error
            found.append({"level": label, "at": at, "mean": mean, "low": mean - half, "high": mean + half, "n": count})
        return pd.DataFrame(found, columns=["level", "at", "mean", "low", "high", "n"])

    def _error(self, around: Floats, weights: Floats) -> float:
        """Standard error of the mean plus a weighted effect: the root of the sum of what each block adds, squared."""
        _, inverse, _ = self._fit
        leverage = np.clip(np.einsum("bg,gb->b", self._design, inverse), 0.0, 0.9)
        added = around / len(around) + weights * self._left / (1 - leverage)
        return float(np.sqrt((added**2).sum()))

    @property
    def _left(self) -> Floats:
        return self._effects - self._design @ self._fit[0]

    @property
    def chance(self) -> float:
        """How likely differences as large are if the factor has no effect: an F test of the fit."""
        rank, count = self._fit[2], len(self.level)
        whole, left = float((self._effects**2).sum()), float((self._left**2).sum())
        if whole == 0.0 or rank == 0 or count <= rank:
            return 1.0
        return 0.0 if left == 0.0 else float(fdtrc(rank, count - rank, (whole - left) / rank * (count - rank) / left))
