"""How a partner changes a project: time, success and cost of its technical work.

Benefit is an inverted U in the gap between the partner's and the home side's technology level
(Nooteboom et al. 2007: technological distance), times the home side's absorptive capacity, which grows
with its TRL (Cohen & Levinthal 1990; S002: "if the TRL is low, there may not be much benefit"). A technology
may need several fields: its benefit is the weighted mean over them (`rdsim.scenario.partners`).
Success changes in the log-odds of a step's eventual success (all attempts), so that a partner takes away a like share
of failures whether a project has one step or many. Every coefficient is a field of `rdsim.domain.PartnerEffect`; all
of them are assumed, none measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from rdsim.domain import PartnerEffect

__all__ = ["StepEffect", "absorption", "benefit", "cost_factor", "step_effect"]


@dataclass(frozen=True)
class StepEffect:
    """What a partner does to one TRL step: a factor on its time, and what is added to its success's log-odds."""

    duration: float
    success: float


def benefit(effect: PartnerEffect, gap: float) -> float:
    """Inverted U: 1 where partner minus home level is `gap_best`, 0 at `gap_width` from it and beyond.

    Model: D7.
    """
    return 1.0 - min(1.0, abs((gap - effect.gap_best) / effect.gap_width)) ** 2


def absorption(effect: PartnerEffect, trl: int) -> float:
    """Absorptive capacity of the home side at a TRL: 0 up to `trl_low`, 1 from `trl_high`, a line between.

    Model: D8.
    """
    if trl >= effect.trl_high:
        return 1.0
    if trl <= effect.trl_low:
        return 0.0
    return (trl - effect.trl_low) / (effect.trl_high - effect.trl_low)


def step_effect(effect: PartnerEffect, brought: float, trl: int, partners: int) -> StepEffect:
    """Effect on the step that starts from `trl` of a benefit, with `partners` institutions' countries (1 or more).

    Model: D9.
    """
    gained = brought * absorption(effect, trl)
    coordination = effect.coordination_duration ** (partners - 1)
    return StepEffect((1.0 - effect.duration_gain * gained) * coordination, effect.success_shift * gained)


def cost_factor(effect: PartnerEffect, partners: int) -> float:
    """Factor on a joint project's whole cost: overhead, and coordination with each further partner.

    Model: D10.
    """
    return (1.0 + effect.cost_overhead) * effect.coordination_cost ** (partners - 1)
