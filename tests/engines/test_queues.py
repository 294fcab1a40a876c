"""Queue rules: who is looked at first, on both engines, in generated worlds where much is scarce."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rdsim.domain import Queues, QueueSettings, Scenario
from rdsim.engines import compiled, process
from rdsim.engines.process import queues
from rdsim.errors import PolicyError
from rdsim.queues import QUEUE_RULES, QueueRule
from rdsim.registry import Parameter
from tests.sizes import size
from tests.worlds import World, draw_world, run_both

OWN = {
    "shortest": QueueRule(lambda days, rank: days + 0.001 * rank),
    "nearly-there": QueueRule(lambda trl, target, tranche: (target - trl) * 4 - tranche),
    "ageing": QueueRule(lambda deadline, waited, by: deadline - by * waited, parameters=(Parameter("by", 2.0),)),
    "richest-last": QueueRule(lambda value, rank: value * (20 - rank)),
}
RULES = ["first-come", *OWN]


@pytest.fixture(autouse=True)
def _registered(taken_back: None) -> None:
    for name, rule in OWN.items():
        QUEUE_RULES.register(name, rule)


def under(world: World, rule: str, **parameters: float) -> World:
    """The world with every queue under a rule."""
    queue = QueueSettings(rule, parameters)
    scenario: Scenario = world.scenario
    panels = {code: replace(panel, queue=queue) for code, panel in scenario.panels.items()}
    return replace(world, scenario=replace(scenario, panels=panels, queues=Queues(queue, queue, queue)))


@pytest.mark.parametrize("rule", RULES)
def test_engines_agree_under_every_rule_and_the_rule_matters(rule: str) -> None:
    changed, count = 0, size(40, 400)
    for seed in range(count):
        world = draw_world(seed)
        _, _, slow, fast = run_both(under(world, rule), 3)
        assert [name for name in slow._fields if not np.array_equal(getattr(slow, name), getattr(fast, name))] == []
        usual = run_both(world, 3)[3]
        changed += not all(np.array_equal(a, b) for a, b in zip(usual, fast, strict=True))
    assert changed >= 0.05 * count


def test_the_rule_of_rank_is_what_no_rule_is() -> None:
    QUEUE_RULES.register("as-ever", QueueRule(lambda rank: rank))
    for seed in range(12):
        world = draw_world(seed)
        usual, same = run_both(world, 2), run_both(under(world, "as-ever"), 2)
        for engine in (2, 3):
            assert all(np.array_equal(a, b) for a, b in zip(usual[engine], same[engine], strict=True))


@pytest.mark.parametrize("kind", [queues.PanelQueue, queues.StartQueue])
def test_who_has_waited_longest_is_served_first(kind: type[queues.Queue], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those who wait for a seat or a start, nobody goes before one who came earlier; of equals, the rank."""
    serve, seen = kind.serve, []

    def look(queue: Any) -> Any:
        served = serve(queue)
        last = max(((project.since, project.rank) for project, _ in served), default=(-1, -1))
        assert all(last < (project.since, project.rank) for project in queue.waiting)
        seen.append((len(served), len(queue.waiting)))
        return served

    monkeypatch.setattr(kind, "serve", look)
    for seed in range(size(120, 400)):
        world = under(draw_world(seed), "first-come")
        case = world.case()
        process.run(case, world.luck(case, 2))
    assert sum(bool(served and left) for served, left in seen) >= 10


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (lambda rank: 1 // (rank - rank), "must not raise an exception"),
        (lambda rank: math.nan * rank, "must return a number"),
        (lambda rank: rank if rank < 0 else None, "must return a number"),
    ],
)
def test_a_key_that_is_no_number_is_told_on_both_engines(key: Callable[..., Any], said: str) -> None:
    QUEUE_RULES.register("odd", QueueRule(key))
    world = next(one for one in map(draw_world, range(99)) if one.case().needs.any())
    case = under(world, "odd").case()
    luck = world.luck(case, 4)
    with pytest.raises(PolicyError, match=said) as told:
        process.run(case, luck)
    assert told.value.faults[0].where == "queue rule 'odd', key"
    with pytest.raises(PolicyError, match="queue rule"):
        compiled.run(case, luck)
