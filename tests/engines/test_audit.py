"""What must hold on every day, at every queue: seen by an auditor inside the SimPy engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rdsim.engines import process, rules
from rdsim.engines.process import queues
from tests.engines.audit import Audit
from tests.sizes import size
from tests.worlds import World, draw_world, worlds


@settings(max_examples=size(80, 600), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
def test_the_books_hold_at_every_desk_on_every_day(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        audit = Audit(patch)
        case = world.case()
        process.run(case, world.luck(case, 3))
    assert audit.served >= 0


def test_ties_at_every_desk_and_unpaid_partners_are_common() -> None:
    """Two projects come to the same queue on the same day: at each kind of queue in at least 5% of worlds."""
    count, seen = size(150, 600), Counter[str]()
    for seed in range(count):
        world = draw_world(seed)
        case = world.case()
        with pytest.MonkeyPatch.context() as patch:
            audit = Audit(patch)
            process.run(case, world.luck(case, 4))
        seen.update(audit.ties.keys())
        seen["a partner waits for money"] += audit.claims_waiting > 0
        seen["a partner is never paid"] += audit.claims_given_up > 0
    kinds = ("StartQueue", "PlaceQueue", "Purse", "PanelQueue", "FacilityQueue", "ReviewRounds")
    wanted = (*kinds, "a partner waits for money", "a partner is never paid")
    rare = {name: seen[name] for name in wanted if seen[name] < 0.05 * count}
    assert not rare, f"in {count} worlds these were too rare: {rare}"


def _spendthrift(purse: Any, amount: int) -> None:
    """A refund that comes twice."""
    purse.money += 2 * amount
    purse.world.out.refunded[purse.world.row, purse.programme, purse.world.year] += amount
    purse.grant_soon()


def _generous(queue: Any) -> list[tuple[Any, bool]]:
    """Everyone is served, whatever there is."""
    served, queue.waiting = queue.waiting, []
    queue.used = getattr(queue, "used", 0) + len(served)
    return [(project, True) for project in served]


SABOTAGE: dict[str, tuple[Any, str, Callable[..., object]]] = {
    "pays what is not there": (rules, "fits", lambda amount, purse: True),
    "pays nobody": (rules, "fits", lambda amount, purse: False),
    "turns everybody away": (rules, "hopeless", lambda amount, purse, announced: True),
    "carries over all": (rules, "carry_over", lambda unspent, rate: unspent),
    "refunds twice": (queues.Purse, "refund", _spendthrift),
    "seats everybody": (queues.PanelQueue, "serve", _generous),
    "keeps seats": (queues.PanelQueue, "give_back", lambda panel: panel.grant_soon()),
    "has room for everybody": (queues.FacilityQueue, "_free", lambda queue, f: 10**6),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_the_auditor_notices_sabotage(name: str) -> None:
    for seed in range(60):
        world = draw_world(seed)
        case = world.case()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*SABOTAGE[name])
            Audit(patch)
            try:
                process.run(case, world.luck(case, 2))
            except AssertionError:
                return
    pytest.fail(f"the auditor does not notice an engine that {name}")
