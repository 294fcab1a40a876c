"""Designs: which combinations of levels an experiment looks at, by number; each with every policy.

=================  =====================================================================================
grid               every combination of levels; a range or distribution is cut into `levels`
list               the rows that the file gives; what a row leaves out is as the scenario has it
one-at-a-time      the scenario itself, and each level of each factor with all else as the scenario has it
latin-hypercube    `points` worlds, each factor evenly spread (McKay, Beckman & Conover 1979)
sobol              the first `points` worlds of a scrambled Sobol sequence (scipy.stats.qmc)
saltelli           the worlds that Sobol indices need: N (factors + 2) of them, N a power of two
                   (Saltelli et al. 2010, Computer Physics Communications 181)
=================  =====================================================================================
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from rdsim.arrays import Floats
from rdsim.designs.factors import Factor

__all__ = ["DESIGNS", "SAMPLED", "Design", "DesignKind"]

DesignKind = Literal["grid", "list", "one-at-a-time", "latin-hypercube", "sobol", "saltelli"]
DESIGNS: tuple[DesignKind, ...] = ("grid", "list", "one-at-a-time", "latin-hypercube", "sobol", "saltelli")
SAMPLED = ("latin-hypercube", "sobol", "saltelli")
"""Designs that need a number of points."""


@dataclass(frozen=True, eq=False)
class Design:
    """Points by number; a point is a level for each factor, or None where it is as the scenario has it.

    A world is a point but for the policy: every policy is looked at in every world, so that policies can be compared
    pair by pair. `points` is the number of worlds.
    """

    kind: DesignKind
    factors: Mapping[str, Factor]
    points: int | None = None
    levels: int = 5
    rows: Sequence[Mapping[str, Any]] = ()
    seed: int = 1

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.worlds * len(self.policies)

    @cached_property
    def worlds(self) -> int:
        """How many points there are for each policy."""
        return self._whole if self.points is None else min(self.points, self._whole)

    @cached_property
    def policies(self) -> tuple[str | None, ...]:
        """The policies that are looked at in every world; (None,) if no factor, or each row of a list, names one."""
        if self._switch is None or any(self._switch in row for row in self.rows):
            return (None,)
        return self.factors[self._switch].policies

    def at(self, number: int) -> tuple[Any, ...]:
        """The point of that number, 0 <= number < count; of fewer worlds than there are, evenly over all of them."""
        world, policy = divmod(number, len(self.policies))
        place = world * self._whole // self.worlds
        levels = self._levels(place)
        if self.policies[policy] is not None:
            levels[str(self._switch)] = self.policies[policy]
        return tuple(levels.get(name) for name in self.factors)

    @property
    def base(self) -> int:
        """N of a Saltelli design: how many blocks of factors + 2 worlds there are."""
        block = len(self._varied_factors) + 2
        return 1 << max(0, math.floor(math.log2(max(1, (self.points or block) // block))))

    @property
    def at_most(self) -> tuple[int, int]:
        """So many points there are at most, and so many numbers are held for them; told without making any."""
        sizes = [len(one.level_list) or self.levels for one in self._varied_factors.values()]
        if self.kind in SAMPLED:
            count, wide = self.points or 0, len(sizes) * (2 if self.kind == "saltelli" else 1)
            return count * len(self.policies), count * wide
        worlds = {"grid": math.prod(sizes), "one-at-a-time": 1 + sum(sizes)}.get(self.kind, len(self.rows))
        return min(worlds, self.points or worlds) * len(self.policies), sum(sizes)

    @cached_property
    def _switch(self) -> str | None:
        return next((name for name, factor in self.factors.items() if factor.policies), None)

    @cached_property
    def _varied_factors(self) -> dict[str, Factor]:
        return {name: factor for name, factor in self.factors.items() if name != self._switch}

    @cached_property
    def _whole(self) -> int:
        if self.kind == "list":
            return len(self.rows)
        if not self._varied_factors:
            return 1
        if self.kind == "grid":
            return math.prod(len(one) for one in self._spreads)
        if self.kind == "one-at-a-time":
            return len(self._one_by_one)
        return self.base * (len(self._varied_factors) + 2) if self.kind == "saltelli" else self.points or 0

    def _levels(self, place: int) -> dict[str, Any]:
        """The levels of a world, but for the policy; what is left out is as the scenario has it."""
        if self.kind == "list":
            return dict(self.rows[place])
        if not self._varied_factors:
            return {}
        if self.kind == "grid":
            return self._of_grid(place)
        if self.kind == "one-at-a-time":
            return self._one_by_one[place]
        quantiles = zip(self._varied_factors.items(), self._sample[place].tolist(), strict=True)
        return {name: factor.at(level) for (name, factor), level in quantiles}

    @cached_property
    def _spreads(self) -> list[tuple[Any, ...]]:
        return [factor.spread(self.levels) for factor in self._varied_factors.values()]

    def _of_grid(self, number: int) -> dict[str, Any]:
        """The last factor runs fastest."""
        found = {}
        for name, levels in reversed(list(zip(self._varied_factors, self._spreads, strict=True))):
            number, place = divmod(number, len(levels))
            found[name] = levels[place]
        return found

    @cached_property
    def _one_by_one(self) -> list[dict[str, Any]]:
        spreads = zip(self._varied_factors, self._spreads, strict=True)
        return [{}, *({name: level} for name, levels in spreads for level in levels)]

    @cached_property
    def _sample(self) -> Floats:
        """Quantiles, shape (points, factors), each below 1."""
        width = len(self._varied_factors)
        if self.kind == "latin-hypercube":
            from scipy.stats import qmc  # noqa: PLC0415 - takes half a second to import

            return np.asarray(qmc.LatinHypercube(width, rng=self.seed).random(self.points or 0))
        if self.kind == "sobol":
            return self._sobol(width, self.points or 0)
        both = self._sobol(2 * width, self.base)
        return _blocks(both[:, :width], both[:, width:])

    def _sobol(self, width: int, count: int) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # numbers that are no power of two are the user's choice
            from scipy.stats import qmc  # noqa: PLC0415 - as above

            return np.asarray(qmc.Sobol(width, rng=self.seed).random(count))


def _blocks(first: Floats, second: Floats) -> Floats:
    """For each row: of `first`, then with one column each from `second`, then of `second`."""
    count, width = first.shape
    found = np.repeat(first[:, None, :], width + 2, axis=1)
    for f in range(width):
        found[:, f + 1, f] = second[:, f]
    found[:, width + 1] = second
    return found.reshape(count * (width + 2), width)
