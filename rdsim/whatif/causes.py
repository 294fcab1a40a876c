"""Worlds without one cause for which money lapses, and worlds in which a planner has pulled one lever.

Each is the scenario with one thing otherwise, all else as it stands: what it does is found by simulating the same
portfolio in it on the same draws. Causes work together - a project that fails early leaves money that a project
stopped at its gate would have left as well - so what they do does not add up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rdsim.domain import JudgementRules, Mode, Partner, Programme, Scenario
from rdsim.languages import N_

__all__ = ["OTHERWISE", "Kind", "Otherwise"]

Kind = Literal["cause", "lever"]

_PLENTY = 1_000_000
"""More seats, places, teams and units than projects could ever take."""

_SURE = (1.0,) * 8
_A_DAY = 1 / 30


@dataclass(frozen=True)
class Otherwise:
    """The scenario with one thing otherwise."""

    key: str
    label: str
    """A cause as what would not be there; a lever as what would be done."""
    kind: Kind
    world: Callable[[Scenario], Scenario]


def _with_programmes(scenario: Scenario, change: Callable[[Programme], Programme]) -> Scenario:
    return replace(scenario, programmes={code: change(one) for code, one in scenario.programmes.items()})


def _with_modes(scenario: Scenario, change: Callable[[Mode], Mode]) -> Scenario:
    return replace(scenario, modes={code: change(one) for code, one in scenario.modes.items()})


def _with_partners(scenario: Scenario, change: Callable[[Partner], Partner]) -> Scenario:
    return replace(scenario, partners={code: change(one) for code, one in scenario.partners.items()})


# --- causes ---------------------------------------------------------------------------------------


def _no_stops(scenario: Scenario) -> Scenario:
    """Every gate is passed, whatever a project is behind with."""

    def open_gate(one: Programme) -> Programme:
        return replace(one, gate=replace(one.gate, policy="always-pass", parameters={}))

    return _with_programmes(scenario, open_gate)


def _no_failures(scenario: Scenario) -> Scenario:
    """Every attempt at a step succeeds, also where single technologies or experts say otherwise."""
    sure = {
        name: replace(one, development_success=None, success=None, success_grade=("assumed",))
        for name, one in scenario.calibrations.items()
    }
    return replace(
        scenario,
        calibrations=sure,
        steps=replace(scenario.steps, success=_SURE),
        technology_steps=tuple(
            replace(one, success=None) for one in scenario.technology_steps if one.median_months is not None
        ),
        judgements=tuple(one for one in scenario.judgements if one.input != "success"),
        judgement=_rules_without_success(scenario),
    )


def _rules_without_success(scenario: Scenario) -> JudgementRules:
    """Rules of pooling that name no expert and no input that is gone with the judgements of success."""
    rules, heard = scenario.judgement, {one.expert for one in scenario.judgements if one.input != "success"}
    return replace(
        rules,
        expert=rules.expert if rules.expert in heard else "",
        weights={name: weight for name, weight in rules.weights.items() if name in heard},
        at={name: figure for name, figure in rules.at.items() if name != "success"},
    )


def _no_failed_talks(scenario: Scenario) -> Scenario:
    agreed = _with_partners(scenario, lambda one: replace(one, agreement=1.0))

    def passed(one: Mode) -> Mode:
        stages = tuple(replace(stage, success=1.0) for stage in one.formation)
        return replace(one, agreement_probability=1.0, formation=stages)

    return _with_modes(agreed, passed)


def _no_time_of_talks(scenario: Scenario) -> Scenario:
    ready = _with_partners(scenario, lambda one: replace(one, setup_months=0.0))

    def at_once(one: Mode) -> Mode:
        return replace(one, agreement_months=0.0, formation=tuple(replace(s, months=0.0) for s in one.formation))

    return _with_modes(ready, at_once)


def _no_breaks(scenario: Scenario) -> Scenario:
    return _with_partners(scenario, lambda one: replace(one, break_rate=0.0))


def _no_reviews(scenario: Scenario) -> Scenario:
    """Reviews take a day, and nobody waits for a seat."""
    panels = {
        name: replace(one, seats=_PLENTY, review_months=min(one.review_months, _A_DAY))
        for name, one in scenario.panels.items()
    }
    return replace(scenario, panels=panels)


def _no_queues(scenario: Scenario) -> Scenario:
    """Places with partners, facilities and teams for all."""
    placed = _with_partners(scenario, lambda one: one if one.members else replace(one, places=_PLENTY))
    return replace(
        placed,
        facilities={name: replace(one, capacity=_PLENTY) for name, one in scenario.facilities.items()},
        institutes={name: replace(one, teams=None) for name, one in scenario.institutes.items()},
    )


def _no_surprises(scenario: Scenario) -> Scenario:
    """Every year's money is as announced."""
    return replace(scenario, risks=replace(scenario.risks, budget=replace(scenario.risks.budget, sd=0.0)))


# --- levers ---------------------------------------------------------------------------------------


def _carry_all(scenario: Scenario) -> Scenario:
    return _with_programmes(scenario, lambda one: replace(one, carry_over=1.0))


def _first_that_fits(scenario: Scenario) -> Scenario:
    return _with_programmes(scenario, lambda one: replace(one, purse_rule="first-fit", purse_parameters={}))


def _one_more_extension(scenario: Scenario) -> Scenario:
    def longer(one: Programme) -> Programme:
        return replace(one, gate=replace(one.gate, extensions=one.gate.extensions + 1))

    return _with_programmes(scenario, longer)


OTHERWISE: tuple[Otherwise, ...] = (
    Otherwise("gates", N_("projects stopped at gates"), "cause", _no_stops),
    Otherwise("failures", N_("steps that fail or must be tried again"), "cause", _no_failures),
    Otherwise("failed-talks", N_("talks with partners that fail"), "cause", _no_failed_talks),
    Otherwise("slow-talks", N_("the time that talks and opening partners take"), "cause", _no_time_of_talks),
    Otherwise("breaks", N_("breaks in relations"), "cause", _no_breaks),
    Otherwise("reviews", N_("the time that reviews take"), "cause", _no_reviews),
    Otherwise("queues", N_("waiting for places, facilities and teams"), "cause", _no_queues),
    Otherwise("surprises", N_("years whose money is not as announced"), "cause", _no_surprises),
    Otherwise("carry-over", N_("carry all unspent money into the next year"), "lever", _carry_all),
    Otherwise(
        "first-fit",
        N_("pay the first request that fits, where the next in line is too large"),
        "lever",
        _first_that_fits,
    ),
    Otherwise("extension", N_("allow each project one more extension"), "lever", _one_more_extension),
)
"""All that is looked at; what changes nothing in a scenario is left out there."""
