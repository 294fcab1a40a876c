"""What if partners did less than is assumed: the benefit of a partner, times a factor, with decisions made anew.

The factor stands before what a partner does to a step's time and to its success; costs, talks and breaks stay. At each
of none, half and all of it the plan and the choice without partners are decided anew on other samples, several times
(`rdsim.assumptions.turning`); so the plan's lead over working alone has an interval that holds the luck of deciding.
The factor at which that lead is gone is where straight lines through these three cross nothing, in each repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rdsim.arrays import Floats
from rdsim.assumptions import BreakEven, Deciding, Headline, break_even, near_choices
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.native.threads import cores, in_threads
from rdsim.search import Basis
from rdsim.stats import Interval, mean_interval

__all__ = ["LEVELS", "PartnersWorth", "choices_of_levels", "partners_worth"]

STAGE = "partners"

LEVELS = (0.0, 0.5, 1.0)
"""Factors that are told of; halving looks at the middle one first."""


@dataclass(frozen=True, eq=False)
class PartnersWorth:
    """The plan where partners bring a part of what is assumed; intervals are over repeats, `repeats` of them."""

    kept: Interval
    """Net present value gained where partners bring half and the plan is kept, over replications."""
    decided: Interval
    """The same if it is decided anew."""
    leads: tuple[Interval, ...]
    """Lead over working without partners at each of `LEVELS`; empty without that comparator."""
    break_even: BreakEven | None
    """Factor from which the plan leads working without partners; None without that comparator."""
    repeats: int


def partners_worth(
    scenario: Scenario,
    plan: Portfolio,
    deciding: Deciding,
    repeats: int,
    progress: Callable[[str, int, int], None],
) -> PartnersWorth:
    """Decide at each factor; the first rule of `deciding` is the choice without partners, if it has one.

    Raises SolverError if a decision stays unanswered.
    """
    alone = next(iter(deciding.rules), "")
    lead = Headline("npv", f"lead over {alone}", "money", alone)
    headlines = [Headline("npv", "net present value", "money"), *([lead] if alone else [])]
    told: dict[tuple[float, int], list[float]] = {}

    def means(level: float, repeat: int) -> list[float]:
        if (level, repeat) not in told:
            world = with_benefit(scenario, level)
            found = deciding.headlines(("benefit", level), world, repeat, headlines)
            told[level, repeat] = [np.nan] * len(headlines) if found is None else [float(one.mean()) for one in found]
        return told[level, repeat]

    points = [(level, repeat) for repeat in range(repeats) for level in LEVELS]
    workers = 1 if deciding.running.engine == "simpy" else deciding.running.threads or cores()
    for place, _ in enumerate(in_threads((partial(means, *point) for point in points), workers), start=1):
        progress(STAGE, place, len(points))
    by_level = np.array([[means(level, repeat) for repeat in range(repeats)] for level in LEVELS])
    confidence, gained = scenario.simulation.confidence, by_level[1, :, 0] - by_level[2, :, 0]
    leads = tuple(_interval(one[:, 1], confidence) for one in by_level) if alone else ()
    turn = (
        break_even(
            lead,
            "benefit",
            (LEVELS[0], LEVELS[-1]),
            lambda at, repeat: float(np.interp(at, LEVELS, by_level[:, repeat, 1])),
            repeats=repeats,
            confidence=confidence,
        )
        if alone
        else None
    )
    judge = deciding.measuring
    kept = judge.worth(with_benefit(scenario, 0.5), plan) - judge.worth(scenario, plan)
    return PartnersWorth(mean_interval(kept, confidence), _interval(gained, confidence), leads, turn, repeats)


def _interval(values: Floats, confidence: float) -> Interval:
    """Over the repeats in which something could be decided; of none nothing is known."""
    sound = values[np.isfinite(values)]
    return mean_interval(sound, confidence) if len(sound) else Interval(np.nan, np.nan, np.nan, 0)


def choices_of_levels(scenario: Scenario, known: Basis | None, deciding: Deciding) -> tuple[Choice, ...] | None:
    """Options that are chosen from at all levels: those near the relaxation's optimum where partners bring nothing, and
    those that other samples might bring near it where they bring all of it; None for all of few."""
    if known is None:
        return None
    mine = [known.posed.options.choices[o] for o in np.flatnonzero(known.choosable)]
    return near_choices([with_benefit(scenario, LEVELS[0])], deciding, mine)


def with_benefit(scenario: Scenario, factor: float) -> Scenario:
    """The scenario in which partners bring a part of what is assumed."""
    effect = scenario.partner_effect
    gained, shifted = factor * effect.duration_gain, factor * effect.success_shift
    return replace(scenario, partner_effect=replace(effect, duration_gain=gained, success_shift=shifted))
