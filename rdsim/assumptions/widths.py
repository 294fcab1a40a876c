"""Two widths of a headline: by the luck of projects alone, and by that and by what is not known of the world.

The plan is kept and lives through worlds drawn within the bounds, on the same draws in each: what such a world adds to
a headline is then known far better than the headline itself. The wider interval is a prediction interval of Student's
(Hahn & Meeker 1991, Statistical Intervals, section 4.7): with the stated confidence the headline of one more world
drawn within the bounds, its luck included, lies in it. For bounded shifts, as these are, it is rather too wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from rdsim.arrays import Floats
from rdsim.assumptions.headlines import Headline
from rdsim.stats import Interval

__all__ = ["TwoWidths", "two_widths"]


@dataclass(frozen=True)
class TwoWidths:
    """A headline with an interval by luck alone, and one by luck and assumptions; their means are the same."""

    headline: Headline
    luck: Interval
    both: Interval
    """`n` is the number of worlds."""


def two_widths(headline: Headline, luck: Interval, own: Floats, worlds: Floats, confidence: float = 0.95) -> TwoWidths:
    """Both widths of a headline.

    Args:
        luck: the headline as it is reported, by the luck of its replications.
        own: (n,) the headline in replications of the scenario as it stands.
        worlds: (M, n) the same replications in worlds drawn within the bounds, M at least 2.

    Raises: ValueError for fewer than two worlds.
    """
    count = len(worlds)
    if count < 2:
        raise ValueError(f"two widths need at least two worlds, not {count}")
    found = luck.mean + worlds.mean(axis=1) - own.mean()
    error = luck.half_width / float(stdtrit(max(luck.n - 1, 1), (1 + confidence) / 2))
    spread = math.sqrt(float(found.var(ddof=1)) * (1 + 1 / count) + (error if math.isfinite(error) else 0.0) ** 2)
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * spread
    centre = float(np.mean(found))
    both = Interval(luck.mean, centre - half, centre + half, count).within(headline.least, math.inf)
    return TwoWidths(headline, luck, both)
