"""The engines against a third reading of the model: every column of a project that lives alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from rdsim import gates
from rdsim.case import END_STATES, Case, Outcomes, SamplePaths, unconstrained_case
from rdsim.draws import Draws
from rdsim.engines import compiled, process, rules
from rdsim.engines.process.project import Project
from rdsim.luck import lay_out
from tests.engines.oracle import COLUMNS, Life
from tests.sizes import size
from tests.worlds import START, draw_world

REPLICATIONS = 3

Engine = Callable[[Case, SamplePaths], Outcomes]


def told(seed: int, engine: Engine) -> Iterator[tuple[Life, list[str]]]:
    """Each life of a world, with the columns in which an engine tells another story."""
    world = draw_world(seed)
    horizon = (world.scenario.horizon_year, START + 3, START + 1)[seed % 3]
    scenario, choices = replace(world.scenario, horizon_year=horizon), world.choices
    case = unconstrained_case(scenario, choices)
    luck = lay_out(scenario, case, choices, Draws(seed, range(REPLICATIONS)))
    out = engine(case, luck)
    for r, p in np.ndindex(out.trl.shape):
        life = Life(case, luck, r, p)
        yield life, [name for name in COLUMNS if np.any(getattr(out, name)[r, p] != getattr(life, name))]


def test_a_third_reading_of_the_model_tells_the_same_lives() -> None:
    seen, lives = Counter[str](), 0
    for seed in range(size(300, 2000)):
        for life, wrong in told(seed, compiled.run):
            assert not wrong, f"world {seed}, replication {life.r}, project {life.p}: {wrong}"
            seen.update(name for name in COLUMNS if np.any(np.asarray(getattr(life, name)) > 0))
            seen[END_STATES[life.end_state]] += 1
            lives += 1
    never = {"wait_prerequisite", "wait_start", "wait_facility", "blocked"}  # alone, nobody is in the way
    wanted = {*COLUMNS, *END_STATES} - never - {"end_state"}
    rare = {name: seen[name] for name in wanted if seen[name] < 0.005 * lives}
    assert not rare, f"in {lives} lives these were too rare: {rare}"
    assert not [name for name in never if seen[name]]


def test_the_simpy_engine_tells_them_too() -> None:
    for seed in range(size(20, 200)):
        for life, wrong in told(seed, process.run):
            assert not wrong, f"world {seed}, replication {life.r}, project {life.p}: {wrong}"


_FUND, _REFUND, _SUCCESS = Project.fund, Project.give_refund, Project.success


def _forget_the_break(one: Project) -> None:
    lost = one.world.out.lost_partner
    at = (one.world.row, one.rank)
    before, lost[at] = lost[at], 0
    _REFUND(one)
    lost[at] = before


def _still_joint(one: Project) -> float:
    before, one.step_joint = one.step_joint, bool(one.partners)
    found = _SUCCESS(one)
    one.step_joint = before
    return found


MISREADINGS: dict[str, tuple[object, str, object]] = {
    "tranches fund a day less": (Project, "fund", lambda one, days: _FUND(one, days - 1)),
    "money abroad comes back after a break": (Project, "give_refund", _forget_the_break),
    "setbacks fail": (rules, "attempt", lambda luck, success, setback: 0 if luck < success else 2),
    "the plan is a step behind": (
        rules,
        "planned_trl",
        lambda medians, trl, target, funded: trl + sum(day < funded for day in medians[: target - trl]),
    ),
    "rounds are yearly": (rules, "next_round", lambda day: -(-day // 360) * 360),
    "the partner's effect outlasts the partner": (Project, "success", _still_joint),
    "nobody minds missing deliverables": (gates.GATE_POLICIES["drop-worst"], "judge", gates.always_pass),
}


@pytest.mark.parametrize("name", MISREADINGS)
def test_a_misread_model_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, mutant = MISREADINGS[name]
    if isinstance(owner, gates.GatePolicy):
        key = next(key for key, policy in gates.GATE_POLICIES.items() if policy is owner)
        monkeypatch.setitem(gates.GATE_POLICIES._known, key, replace(owner, **{attribute: mutant}))  # type: ignore[arg-type]
    else:
        monkeypatch.setattr(owner, attribute, mutant)
    assert any(wrong for seed in range(size(100, 500)) for _, wrong in told(seed, process.run))
