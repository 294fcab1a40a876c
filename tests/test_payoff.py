"""What more effort would add: repeats decide anew, and what is not known is not called nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rdsim.domain import Scenario
from rdsim.errors import ProblemError
from rdsim.optimiser import Solving
from rdsim.optimiser.questions.confidence import stream_seed
from rdsim.search import build_instance
from rdsim.streams import EFFORT
from rdsim.studies import payoff
from rdsim.studies.built_in.payoff import (
    ADDS,
    NOTHING,
    TAKES,
    UNKNOWN,
    Repeating,
    _posed_anew,
    _repeat_count,
    _rows,
    _Step,
    _verdict,
)
from tests.simple import plain

FEW = Repeating(repeats=2, rolled=2, foresight=1, futures=8)


def small() -> Scenario:
    scenario = plain()
    search = replace(scenario.optimiser.search, rounds=1, replications=20, most_replications=100)
    return replace(scenario, optimiser=replace(scenario.optimiser, samples=10, search=search))


def test_where_nothing_is_uncertain_effort_adds_exactly_nothing() -> None:
    posed = build_instance(small())
    found = payoff(posed, replications=4, repeating=FEW, solving=Solving(gap=0.01))
    table = found.tables["payoff"].set_index("step")
    assert list(table.index) == [
        "more samples",
        "a smaller gap",
        "the loop",
        "more samples before the loop",
        "deciding again each year",
        "knowing the luck of R&D",
    ]
    assert (table[["adds", "low", "high"]] == 0).to_numpy().all()
    assert set(table["verdict"]) == {NOTHING}
    assert found.record["payoff"]["margin"] > 0
    assert len(found.tables["repeats"]) == 2
    proven = payoff(posed, replications=4, repeating=replace(FEW, rolled=0, foresight=0), solving=Solving(gap=0.0))
    steps = set(proven.tables["payoff"]["step"])
    assert steps == {"more samples", "the loop", "more samples before the loop"}


def test_a_repeat_has_luck_of_its_own_and_the_first_is_as_posed() -> None:
    posed = build_instance(small())
    assert _posed_anew(posed, 0) is posed
    seeds = [_posed_anew(posed, number).seed for number in (1, 2)]
    assert seeds == [stream_seed(posed.seed, EFFORT.number(number)) for number in (1, 2)]
    assert len({posed.seed, *seeds}) == 3


def test_the_interval_is_over_repeats_and_holds_for_all_steps() -> None:
    one, two = _Step("one", "x"), _Step("two", "x")
    gains = [{one: gain, two: 3.0} for gain in (1.0, 2.0, 6.0)]
    first, second = _rows(gains, 0.95, margin=0.5)
    assert first["adds"] == 3.0
    half = 4.302653 * 7**0.5 / 3**0.5  # of one statement alone; Bonferroni makes it wider
    assert float(str(first["high"])) - 3.0 > half
    assert first["verdict"] == UNKNOWN
    assert int(str(first["repeats_needed"])) > 3
    assert (second["low"], second["high"], second["verdict"], second["repeats_needed"]) == (3.0, 3.0, ADDS, 3)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 5.0, ADDS), (-5.0, -0.1, TAKES), (-0.4, 0.4, NOTHING), (-0.4, 2.0, UNKNOWN), (0.1, 0.4, NOTHING)],
)
def test_not_shown_is_not_no(low: float, high: float, told: str) -> None:
    assert _verdict(low, high, 0.5) == told


def test_repeats_that_it_would_take_shrink_with_what_matters() -> None:
    values = np.array([-2.0, 1.0, 2.0, -1.0])
    assert _repeat_count(values, 0.95, 0.5) > _repeat_count(values, 0.95, 1.0) > 4


def test_numbers_that_cannot_be_are_all_told() -> None:
    posed = build_instance(small())
    with pytest.raises(ProblemError) as caught:
        payoff(posed, replications=3, repeating=Repeating(1, 1, 4, 5, 7))
    assert [fault.where for fault in caught.value.faults] == ["repeats", "more", "rolled", "foresight", "futures"]
