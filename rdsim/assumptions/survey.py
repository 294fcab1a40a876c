"""A plan looked at in worlds within the bounds: its headlines there, with two widths, and where they turn their signs.

Portfolios are kept and live through every world on the same replications. Break-evens ask for decisions made anew,
which take long; so they are sought only where the kept portfolios do not show the sign at both bounds of an assumption:
a straight line through the worlds says what a headline would be there, and three times its error must not reach
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import Event

import numpy as np
import pandas as pd

from rdsim.arrays import Floats
from rdsim.assumptions.headlines import Headline, Measuring
from rdsim.assumptions.swings import Swing
from rdsim.assumptions.turning import BreakEven, Deciding, break_even, near_choices
from rdsim.assumptions.widths import TwoWidths, two_widths
from rdsim.assumptions.worlds import ENDS, OpenWorlds
from rdsim.domain import Portfolio
from rdsim.native.threads import cores, in_threads
from rdsim.stats import Interval

__all__ = ["Progress", "Survey", "survey", "turning_points", "with_doubts"]

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is."""

_ERRORS = 3.0
"""So many errors of the straight line a headline must be from nothing for its sign to count as shown."""

STAGE = "assume"


@dataclass(frozen=True, eq=False)
class Survey:
    """Headlines of kept portfolios in worlds drawn within the bounds."""

    worlds: OpenWorlds
    headlines: tuple[Headline, ...]
    levels: Floats
    """(M, K) values of the assumptions."""
    own: Floats
    """(H, n) headlines in replications of the scenario as it stands."""
    found: Floats
    """(M, H, n) the same replications in each world."""
    widths: tuple[TwoWidths, ...]
    break_evens: tuple[BreakEven, ...] = ()
    doubts: tuple[tuple[Headline, str], ...] = ()
    """Headlines and assumptions at whose bounds the sign is not shown, the most doubtful first: break-evens are of the
    first of these."""
    repeats: int = 0
    swings: tuple[Swing, ...] = ()
    """Of net present value, and of the lead over the best comparator if there is one; the largest of each first."""

    @property
    def points(self) -> int:
        """Worlds that were drawn."""
        return len(self.levels)

    def table(self) -> pd.DataFrame:
        """A row for each world: values of the assumptions, by name, and means of the headlines, by theirs."""
        levels = pd.DataFrame(self.levels, columns=list(self.worlds.names))
        means = pd.DataFrame(self.found.mean(axis=2), columns=[one.name for one in self.headlines])
        return pd.concat([levels, means], axis=1)

    @cached_property
    def shares(self) -> Floats:
        """(M, K) where the values lie between their bounds, 0 to 1."""
        low, high = (np.array([self.worlds.end(name, end) for name in self.worlds.names]) for end in ENDS)
        return np.asarray((self.levels - low) / (high - low))


def survey(
    worlds: OpenWorlds,
    portfolios: Mapping[str, Portfolio],
    luck: Mapping[Headline, Interval],
    measuring: Measuring,
    points: int,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Survey:
    """Let portfolios live through worlds; `luck` are the headlines with their intervals by luck, as they are reported.

    Raises ScenarioError for a world within the bounds that is no scenario.
    """
    headlines, levels = tuple(luck), worlds.points(points, measuring.seed)
    told = replace(measuring, running=replace(measuring.running, threads=1))
    jobs = (partial(told.of, worlds.point(row), portfolios, headlines) for row in levels)
    own = np.array(measuring.of(worlds.scenario, portfolios, headlines))
    workers = 1 if measuring.running.engine == "simpy" else measuring.running.threads or cores()
    kept = []
    for place, each in enumerate(in_threads(jobs, workers), start=1):
        kept.append(np.array(each))
        progress(STAGE, place, points)
    found, level = np.array(kept), worlds.scenario.simulation.confidence
    widths = [two_widths(one, luck[one], own[h], found[:, h], level) for h, one in enumerate(headlines)]
    return Survey(worlds, headlines, levels, own, found, tuple(widths))


def with_doubts(found: Survey, headlines: Sequence[Headline]) -> Survey:
    """The survey with those of its headlines, and assumptions, at whose bounds the sign is not shown."""
    ranked = sorted((margin, h, k) for h, k, margin in _margins(found, headlines) if margin <= _ERRORS)
    return replace(found, doubts=tuple((found.headlines[h], found.worlds.names[k]) for _, h, k in ranked))


def _margins(found: Survey, headlines: Sequence[Headline]) -> Iterator[tuple[int, int, float]]:
    """How many errors each headline is from the other sign, at the nearer bound of each assumption; below 0: beyond."""
    shares, base = found.shares, [_share_of_own(found.worlds, name) for name in found.worlds.names]
    design = np.hstack([np.ones((found.points, 1)), shares])
    inverse = np.linalg.pinv(design)
    for headline in headlines:
        h = found.headlines.index(headline)
        means = found.found[:, h].mean(axis=1)
        slopes = (inverse @ means)[1:]
        rest = means - design @ (inverse @ means)
        free = max(found.points - np.linalg.matrix_rank(design), 1)
        error = float(np.sqrt((rest**2).sum() / free + found.own[h].var(ddof=1) / found.own.shape[1]))
        here = found.widths[h].luck.mean
        for k, slope in enumerate(slopes.tolist()):
            ends = [here + slope * (share - base[k]) for share in (0.0, 1.0)]
            yield h, k, min(end * np.sign(here) for end in ends) / max(error, 1e-300)


def _share_of_own(worlds: OpenWorlds, name: str) -> float:
    """Where the scenario's own value lies between the bounds; in the middle if several settings have several values."""
    own, (low, high) = worlds.own(name), (worlds.end(name, end) for end in ENDS)
    return 0.5 if own is None else (own - low) / (high - low)


def turning_points(
    found: Survey,
    deciding: Deciding,
    repeats: int,
    most: int,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Survey:
    """The survey with break-evens of its doubts, so many at most; each decision is made once for all of them.

    Assumptions are shared among threads.
    """
    pairs = found.doubts[: most if repeats else 0]
    named: dict[str, list[Headline]] = {}
    for headline, name in pairs:
        named.setdefault(name, []).append(headline)
    running = deciding.running
    alone = replace(deciding, measuring=replace(deciding.measuring, running=replace(running, threads=1)))
    unwanted = Event()
    jobs = (partial(_turns, found.worlds, alone, repeats, (name, asked), unwanted) for name, asked in named.items())
    workers = 1 if running.engine == "simpy" else running.threads or cores()
    told: dict[tuple[Headline, str], BreakEven] = {}
    for turns in in_threads(jobs, workers, unwanted):
        told |= {(one.headline, one.assumption): one for one in turns}
        progress("break even", len(told), len(pairs))
    return replace(found, break_evens=tuple(told[pair] for pair in pairs), repeats=repeats)


def _turns(
    worlds: OpenWorlds, deciding: Deciding, repeats: int, asked: tuple[str, Sequence[Headline]], unwanted: Event
) -> list[BreakEven]:
    """Where headlines turn by one assumption; a decision serves all of them. Ends before the next one if `unwanted`."""
    (name, headlines), told = asked, dict[tuple[float, int], Floats]()
    bounds = (worlds.end(name, "low"), worlds.end(name, "high"))
    mine = replace(deciding, rules=tuple(headline.rule for headline in headlines if headline.rule))
    mine = replace(mine, choices=near_choices([worlds.at({name: end}) for end in bounds], mine))

    def value(headline: Headline, at: float, repeat: int) -> float:
        if unwanted.is_set():
            return math.nan
        if (at, repeat) not in told:
            each = mine.headlines((name, at), worlds.at({name: at}), repeat, headlines)
            told[at, repeat] = np.full(len(headlines), np.nan) if each is None else np.mean(each, axis=1)
        return float(told[at, repeat][headlines.index(headline)])

    level = worlds.scenario.simulation.confidence
    return [break_even(one, name, bounds, partial(value, one), repeats=repeats, confidence=level) for one in headlines]
