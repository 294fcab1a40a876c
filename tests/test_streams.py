"""Luck that chooses never reports: the streams share no number, and none gives more than it has."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rdsim import streams
from rdsim.domain import Portfolio, Scenario
from rdsim.errors import InputError
from rdsim.options import candidates, sample
from rdsim.search.judge import Judge
from rdsim.simulation import expected_worths, replicate
from rdsim.streams import PROSPECTS, REPLICATIONS, REPORTED, SAMPLES, SAMPLING, SEARCHING, SELECTING, Stream
from tests.worlds import draw_world

A_WORD = 2**32
"""Numbers of replications that an address has room for (`rdsim.draws`)."""


@pytest.mark.parametrize("table", [REPLICATIONS, SAMPLES])
def test_no_two_share_a_number(table: tuple[Stream, ...]) -> None:
    ordered = sorted(table, key=lambda stream: stream.first)
    assert all(one.end <= other.first for one, other in pairwise(ordered))
    assert ordered[0].first == 0
    assert ordered[-1].end <= A_WORD
    assert all(stream.size > 0 for stream in table)


def test_every_stream_stands_in_a_table() -> None:
    every = [value for value in vars(streams).values() if isinstance(value, Stream)]
    assert sorted(every, key=id) == sorted((*REPLICATIONS, *SAMPLES), key=id)


def test_results_rest_on_these_numbers() -> None:
    firsts = {name: value.first for name, value in vars(streams).items() if isinstance(value, Stream)}
    assert firsts == {
        "REPORTED": 0,
        "SEARCHING": 1_073_741_824,
        "SELECTING": 1_610_612_736,
        "FORESEEING": 1_879_048_192,
        "SAMPLING": 2_147_483_648,
        "PROSPECTS": 2_684_354_560,
        "REFINING": 3_221_225_472,
        "ASKED": 3_758_096_384,
        "MEASURED_AGAINST": 3_892_314_112,
        "CHECKING": 4_026_531_840,
        "COMPARING": 4_160_749_568,
        "CHOOSING": 0,
        "BATCHES": 1,
        "EVALUATION": 1_048_576,
        "INFORMATION": 2_097_152,
        "REDECIDED": 4_194_304,
        "JUDGING": 1_073_741_824,
        "REPEATS": 3_221_225_472,
        "EFFORT": 3_758_096_384,
        "ASSUMING": 2_147_483_648,
        "CHANGING": 2_148_532_224,
        "RECHOSEN": 2_149_580_800,
    }


def test_a_stream_gives_no_more_than_it_has() -> None:
    small = Stream("a try", 10, 5)
    assert small.after(2).numbers(3) == range(12, 15)
    assert small.number(4) == 14
    for count, after in ((6, 0), (3, 3), (-1, 0), (1, -1)):
        with pytest.raises(InputError, match="a try"):
            small.after(after).numbers(count)


@pytest.fixture(scope="module")
def world() -> tuple[Scenario, Portfolio]:
    drawn = draw_world(11)
    return drawn.scenario, drawn.portfolio


def test_replications_go_on_where_others_ended(world: tuple[Scenario, Portfolio]) -> None:
    scenario, portfolio = world
    whole = replicate(scenario, portfolio, replications=12, seed=3)["npv"].to_numpy()
    parts = [
        replicate(scenario, portfolio, replications=6, seed=3, stream=REPORTED.after(after))["npv"] for after in (0, 6)
    ]
    assert np.array_equal(np.concatenate(parts), whole)


def test_another_stream_has_other_luck(world: tuple[Scenario, Portfolio]) -> None:
    scenario, portfolio = world
    worths = [
        expected_worths(scenario, portfolio, replications=40, seed=3, stream=stream)[0]
        for stream in (REPORTED, SEARCHING)
    ]
    assert not np.array_equal(*worths)
    choices = candidates(scenario)[:3]
    samples = [sample(scenario, choices, samples=40, seed=3, stream=stream).npv for stream in (SAMPLING, PROSPECTS)]
    assert not np.array_equal(*samples)
    assert np.array_equal(samples[0], sample(scenario, choices, samples=40, seed=3).npv)


def test_more_replications_than_there_are_is_refused(world: tuple[Scenario, Portfolio]) -> None:
    with pytest.raises(InputError, match="1,073,741,824"):
        replicate(*world, replications=2**30)
    with pytest.raises(InputError, match="reported"):
        replicate(*world, replications=10, stream=REPORTED.after(2**30 - 5))


def test_a_judge_lives_on_its_own_stream(world: tuple[Scenario, Portfolio]) -> None:
    scenario, portfolio = world
    for judge in (Judge(scenario, 3), Judge(scenario, 3, SELECTING)):
        whole = expected_worths(scenario, portfolio, replications=20, seed=3, stream=judge.stream)[0]
        judge.worths(portfolio, 8)
        assert np.array_equal(judge.worths(portfolio, 20), whole)
        assert judge.stream is not REPORTED
