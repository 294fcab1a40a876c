"""How far each assumption alone moves a headline between its bounds: the portfolios kept, all else as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rdsim.arrays import Floats
from rdsim.assumptions.headlines import Headline, Measuring
from rdsim.assumptions.worlds import ENDS, OpenWorlds
from rdsim.domain import Portfolio
from rdsim.native.threads import cores, in_threads
from rdsim.stats import Interval, paired_difference

__all__ = ["Swing", "swings_of"]

STAGE = "swing"


@dataclass(frozen=True)
class Swing:
    """A headline at the bounds of one assumption."""

    headline: Headline
    assumption: str
    at_low: float
    at_high: float
    difference: Interval
    """At the upper bound less at the lower, on the same luck; intervals of all swings of a headline hold together."""

    @property
    def is_shown(self) -> bool:
        """Whether the difference is told from nothing."""
        return self.difference.low > 0 or self.difference.high < 0


def swings_of(
    worlds: OpenWorlds,
    portfolios: Mapping[str, Portfolio],
    headlines: Sequence[Headline],
    measuring: Measuring,
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
) -> tuple[Swing, ...]:
    """Swings of each headline, the largest first.

    Raises ScenarioError for a world within the bounds that is no scenario.
    """
    places = [(name, end) for name in worlds.names for end in ENDS]
    told = replace(measuring, running=replace(measuring.running, threads=1))
    jobs = (partial(told.of, worlds.at({name: worlds.end(name, end)}), portfolios, headlines) for name, end in places)
    workers = 1 if measuring.running.engine == "simpy" else measuring.running.threads or cores()
    found: dict[tuple[str, str], list[Floats]] = {}
    for place, each in enumerate(in_threads(jobs, workers)):
        found[places[place]] = each
        progress(STAGE, place + 1, len(places))
    level = worlds.scenario.simulation.confidence
    swings = []
    for h, headline in enumerate(headlines):
        mine = [
            Swing(
                headline,
                name,
                float(low.mean()),
                float(high.mean()),
                paired_difference(high, low, level, len(worlds.names)),
            )
            for name in worlds.names
            for low, high in [(found[name, ENDS[0]][h], found[name, ENDS[1]][h])]
        ]
        swings += sorted(mine, key=lambda one: -abs(one.difference.mean))
    return tuple(swings)
