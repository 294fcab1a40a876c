"""Break-evens: the value of one assumption at which a headline turns its sign, the others as they stand.

The decision is made anew at each value: options are sampled in that world, the optimiser chooses at the plan's payment
ratios, the simple rules choose with their own, and all are simulated on the same replications. Deciding has noise of
its own; so a break-even is sought several times, each time on other samples of the options and on other replications,
by halving on draws that stay the same. The interval is that of the median of these roots, by order statistics: it holds
for roots of any distribution, also where some lie beyond the bounds. With six roots it runs from the least to the
largest, and holds with 96.9%.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from rdsim.arrays import Floats
from rdsim.assumptions.headlines import PLAN, Headline, Measuring, rule_of
from rdsim.choice_rules import DOMESTIC_ONLY
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import InfeasibleError, SolverError
from rdsim.optimiser import Solving
from rdsim.optimiser.problem.problem import best_per_group
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.optimiser.questions.explanation import relaxation_duals
from rdsim.options import candidates
from rdsim.search import AT_PLAN_RATIOS, Instance, baselines, build_instance, choose_soon
from rdsim.search.views import at_ratios
from rdsim.simulation import Running
from rdsim.stats import quantile_interval
from rdsim.streams import ASSUMING

__all__ = ["BreakEven", "Deciding", "break_even", "near_choices"]

HALVINGS = 3
"""Of the bounds, before the root is taken between the last two values by a straight line."""

_NEAREST = 750
"""Options nearest to the relaxation's optimum of a world, from which a decision in it is made."""

_AGREED = 3
"""So many decisions of one sign at both bounds are enough to seek no turn between them."""


@dataclass(frozen=True)
class BreakEven:
    """Where a headline turns its sign; infinite beyond the bounds, as the ends of the interval may be, and nan where
    nothing could be decided."""

    headline: Headline
    assumption: str
    value: float
    low: float
    high: float
    is_rising: bool
    """Whether the headline is above nothing for values above the break-even."""
    at_low: float
    """Mean of the headline at the lower bound."""
    at_high: float
    repeats: int

    @property
    def is_within(self) -> bool:
        """Whether it lies within the bounds."""
        return math.isfinite(self.value)


def break_even(
    headline: Headline,
    assumption: str,
    bounds: tuple[float, float],
    value: Callable[[float, int], float],
    *,
    repeats: int,
    confidence: float = 0.95,
) -> BreakEven:
    """Seek a break-even within bounds; `value(level, repeat)` is the headline there, nan if nothing could be decided.

    A headline that is exactly nothing counts as below: a lead over a portfolio that is chosen too is none.
    """
    ends = _ends(value, bounds, repeats)
    sound = ends[np.isfinite(ends).all(axis=1)]
    if not len(sound):
        return BreakEven(headline, assumption, math.nan, -math.inf, math.inf, True, math.nan, math.nan, 0)
    at_low, at_high = sound.mean(axis=0).tolist()
    rising = at_high >= at_low
    roots = [
        _root(partial(_in_repeat, value, repeat), bounds, ends[repeat], rising)
        for repeat in range(len(ends))
        if np.isfinite(ends[repeat]).all()
    ]
    middle, least, most = _median(roots, confidence)
    return BreakEven(headline, assumption, middle, least, most, rising, at_low, at_high, len(roots))


def _ends(value: Callable[[float, int], float], bounds: tuple[float, float], repeats: int) -> Floats:
    """The headline at both bounds, (repeats, 2); fewer repeats where the first few agree that there is no turn."""
    found: list[list[float]] = []
    for repeat in range(repeats):
        found.append([value(bound, repeat) for bound in bounds])
        signs = {end > 0 for ends in found for end in ends}
        if len(found) == _AGREED and len(signs) == 1 and np.isfinite(found).all():
            break
    return np.array(found)


def _in_repeat(value: Callable[[float, int], float], repeat: int, level: float) -> float:
    return value(level, repeat)


def _root(value: Callable[[float], float], bounds: tuple[float, float], ends: Floats, rising: bool) -> float:
    """The root by halving; infinite, on the side where it must lie, if the sign is the same at both ends."""
    (low, high), (below, above) = bounds, ends.tolist()
    if (below > 0) == (above > 0):
        return -math.inf if (above > 0) == rising else math.inf
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        here = value(middle)
        if math.isnan(here):
            break
        if (here > 0) == (below > 0):
            low, below = middle, here
        else:
            high, above = middle, here
    return float(low + (high - low) * min(max(below / (below - above), 0.0), 1.0))


def _median(roots: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """The lower median of roots, some of which may be infinite, and the limits of its interval."""
    ordered = sorted(roots)
    ranks = quantile_interval(np.arange(len(ordered), dtype=np.float64), 0.5, confidence)
    least = ordered[int(ranks.low)] if math.isfinite(ranks.low) else -math.inf
    most = ordered[int(ranks.high)] if math.isfinite(ranks.high) else math.inf
    return ordered[int(ranks.mean)], least, most


# --- deciding anew --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Deciding:
    """How decisions are made anew in a world, and what a headline then comes to; each decision is made once."""

    measuring: Measuring
    samples: int
    ratios: Mapping[str, float]
    """The plan's payment ratios, by programme."""
    rules: tuple[str, ...] = ()
    """Comparators by name; those that end with `AT_PLAN_RATIOS` have the plan's freedom."""
    solving: Solving = Solving()
    choices: tuple[Choice, ...] | None = None
    """Options that are chosen from; by default every eligible one."""
    _known: dict[tuple[object, int], dict[str, Portfolio]] = field(default_factory=dict, init=False)

    @property
    def running(self) -> Running:
        """How options and portfolios are simulated."""
        return self.measuring.running

    def portfolios(self, key: object, world: Scenario, repeat: int) -> dict[str, Portfolio]:
        """The plan's portfolio and those of the rules in the world that `key` stands for; none if there is none."""
        if (key, repeat) not in self._known:
            self._known[key, repeat] = self._choose(world, self._seed(repeat))
        return self._known[key, repeat]

    def headlines(
        self, key: object, world: Scenario, repeat: int, headlines: Sequence[Headline]
    ) -> list[Floats] | None:
        """Headlines in replications of a repeat's own, (n,) each; None if nothing can be chosen."""
        portfolios = self.portfolios(key, world, repeat)
        if not portfolios:
            return None
        return self.judge(repeat).of(world, portfolios, headlines)

    def judge(self, repeat: int) -> Measuring:
        """What a repeat is judged on: replications that neither chose its portfolios nor are reported."""
        return replace(self.measuring, seed=self._seed(repeat))

    def _seed(self, repeat: int) -> int:
        return stream_seed(self.measuring.seed, ASSUMING.number(repeat))

    def _choose(self, world: Scenario, seed: int) -> dict[str, Portfolio]:
        posed = build_instance(world, samples=self.samples, seed=seed, running=self.running, choices=self.choices)
        free = replace(posed, problem=at_ratios(world, posed.problem, self.ratios))
        try:
            mine = replace(choose_soon(free, self.solving), payment_ratios=dict(self.ratios))
        except InfeasibleError:
            return {}
        announced = dict.fromkeys(world.programmes, 1.0)
        found = {PLAN: mine.portfolio}
        for ending, ratios in (("", announced), (AT_PLAN_RATIOS, self.ratios)):
            names = [rule_of(name) for name in self.rules if name == f"{rule_of(name)}{ending}"]
            made = baselines(world, mine, payment_ratios=ratios, seed=seed, names=names, running=self.running)
            found |= {f"{name}{ending}": rule.portfolio for name, rule in made.items()}
        return found


def near_choices(
    worlds: Iterable[Scenario], deciding: Deciding, always: Iterable[Choice] = ()
) -> tuple[Choice, ...] | None:
    """Options that the optimiser, or the rules of `deciding`, would look at in any of some worlds, and `always` some
    more; None for all of few.

    All are sampled once in each world, half as many samples of each as decide; of many, these alone are worth sampling
    again for decisions there: those nearest to the relaxation's optimum, for the choice without partners those without
    one, and for rules that go by value, or value per cost, the best by these of each technology and start year.

    All stay where a rule looks at others, and where the relaxation of a world has no answer: whoever decides there says
    why.
    """
    rules = {rule_of(name) for name in deciding.rules}
    if rules - {DOMESTIC_ONLY, *_RANKED}:
        return None
    kept, listed = set(always), dict[Choice, None]()
    samples, seed = max(deciding.samples // 2, 1), deciding.measuring.seed
    for world in worlds:
        every = candidates(world)
        if len(every) <= 2 * _NEAREST:
            return None
        listed |= dict.fromkeys(every)
        posed = build_instance(world, samples=samples, seed=seed, running=deciding.running, choices=every)
        problem = at_ratios(world, posed.problem, deciding.ratios)
        try:
            costs = relaxation_duals(problem, deciding.solving).reduced_costs[: len(every)]
        except SolverError:
            return None
        places = [np.argsort(-costs, kind="stable")[:_NEAREST]]
        places += [
            np.flatnonzero(best_per_group(problem, _RANKED[name](posed), _BEST)) for name in rules & set(_RANKED)
        ]
        kept |= {every[o] for o in np.concatenate(places).tolist()}
    if DOMESTIC_ONLY in rules:
        kept |= {one for one in listed if not one.partner}
    return tuple(one for one in listed if one in kept)


def _by_value(posed: Instance) -> Floats:
    return posed.problem.expected_value


def _by_value_per_cost(posed: Instance) -> Floats:
    return np.asarray(posed.problem.expected_value / np.maximum(posed.options.award, 1e-12))


_RANKED = {"evaluation-score": _by_value, "value-per-cost": _by_value_per_cost}
"""Rules for choosing that take, of a technology, the options that are first by a figure of their own, (O,)."""

_BEST = 2
"""Options of a technology and start year that are looked at for each of these rules."""
