"""Optimisers side by side: published optima, means and profiles by hand, files that are none, a way that fails."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rdsim.bench import races
from rdsim.bench.apart import Answer
from rdsim.bench.instances import copies_of, published_problems, read_orlib
from rdsim.bench.race_page import failure_sentences
from rdsim.bench.races import (
    Racing,
    geometric_means,
    performance_profile,
    profiles,
    race,
    require_solvers,
    shifted_geometric_mean,
)
from rdsim.errors import InputError, SolverError
from rdsim.optimiser import PortfolioProblem, evaluate

DATA = Path(__file__).parents[2] / "benchmarks" / "data"


def test_every_way_that_proves_comes_to_the_published_optima() -> None:
    problems = published_problems(DATA)[:2]
    runs = race(problems, Racing(("highs",), gaps=(0.001,), limit=30.0))
    exact = runs[runs["way"] == "highs, exact"]
    assert exact["proven"].all()
    assert exact["objective"].tolist() == pytest.approx([one.published for one in problems])
    assert (runs["bound"] >= runs["objective"] - 1e-6).all()


def test_a_smaller_gap_is_not_asked_for_where_a_larger_one_was_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []

    def way(name: str, reached: float) -> Any:
        def solve(problem: object, gap: float, limit: float) -> tuple[float, float, bool]:
            asked.append((name, gap))
            return 100.0, 100.0 * (1 + reached), True

        return solve

    monkeypatch.setattr(races, "ways_of", lambda _: {"good": way("good", 0.0), "poor": way("poor", 0.02)})
    runs = race(published_problems(DATA)[:1], Racing((), gaps=(0.05, 0.01, 0.001)))
    assert asked == [("good", 0.05), ("poor", 0.05), ("good", 0.01), ("poor", 0.01), ("good", 0.001)]
    means = geometric_means(runs, 60.0).set_index(["asked", "way"])
    assert means.loc[(0.001, "poor"), "proven"] == 0
    assert means.loc[(0.001, "poor"), "seconds"] == pytest.approx(60.0)


def test_a_solver_that_fails_proves_nothing_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:
        raise SolverError("poor", "crashed")

    def is_short(*_: object) -> Any:
        raise MemoryError

    monkeypatch.setattr(races, "ways_of", lambda _: {"poor": fails, "large": is_short})
    runs = race(published_problems(DATA)[:1], Racing((), gaps=(0.05, 0.01)))
    assert not runs["proven"].any()
    assert np.isnan(runs["objective"]).all()
    assert runs["failure"].tolist() == ["solver poor: crashed", "there was not enough memory"]


def dies(problem: PortfolioProblem, gap: float, limit: float) -> Answer:
    """As a process that the system kills where memory ends."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")


def test_a_solver_that_is_killed_is_a_row_and_others_answer_as_they_do_here(monkeypatch: pytest.MonkeyPatch) -> None:
    good = races.ways_of(("highs",))["highs, exact"]
    monkeypatch.setattr(races, "ways_of", lambda _: {"poor": dies, "good": good})
    problems, asked = published_problems(DATA)[:1], Racing((), gaps=(0.05, 0.01), limit=30.0)
    runs = race(problems, asked, apart=True)
    assert runs["way"].tolist() == ["poor", "good", "good"], "no smaller gap is asked for where it gave no answer"
    assert runs["proven"].tolist() == [False, True, True]
    assert [text[:42] for text in runs["failure"]] == ["its process ended before it answered, as w", "", ""]
    (told,) = failure_sentences(runs)
    assert told.startswith(f"poor gave no answer to {problems[0].name} to a gap of 5%: its process ended")
    monkeypatch.setattr(races, "ways_of", lambda _: {"good": good})
    mine, here = runs[runs["way"] == "good"].reset_index(drop=True), race(problems, asked)
    assert mine.drop(columns="seconds").equals(here.drop(columns="seconds"))


def test_a_portfolio_that_breaks_a_row_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(races, "ways_of", lambda _: {"liar": lambda *_: (100.0, 100.0, False)})
    assert not race(published_problems(DATA)[:1], Racing((), gaps=(0.05,)))["proven"].any()


def test_means_and_profiles_by_hand() -> None:
    assert shifted_geometric_mean([3.0]) == pytest.approx(3.0)
    assert shifted_geometric_mean([0.0, 3.0], 1.0) == pytest.approx(1.0)
    times = [[1.0, 2.0], [4.0, 2.0], [np.inf, 5.0], [np.inf, np.inf]]
    found = performance_profile(times, (1.0, 2.0, 100.0))
    assert found.tolist() == [[0.25, 0.5, 0.5], [0.5, 0.75, 0.75]]


def test_profiles_take_the_median_of_repeats_that_all_proved() -> None:
    rows = [
        {"problem": "p", "group": "g", "way": way, "asked": 0.01, "seconds": seconds, "proven": proven}
        for way, seconds, proven in (("a", 1.0, True), ("a", 3.0, True), ("b", 1.0, True), ("b", 1.0, False))
    ]
    table = profiles(pd.DataFrame(rows)).set_index(["way", "factor"])["share"]
    assert table["a", 1.0] == 1.0
    assert table["b", 100.0] == 0.0


def test_copies_are_like_the_problem_and_not_the_same() -> None:
    one = published_problems(DATA)[1].problem
    first, second, third = copies_of("x", one, 2)
    assert np.array_equal(first.problem.expected_value, one.expected_value)
    assert not np.array_equal(second.problem.expected_value, third.problem.expected_value)
    again = list(copies_of("x", one, 2))
    assert np.array_equal(again[1].problem.expected_value, second.problem.expected_value)
    assert evaluate(second.problem, ()).feasible


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 2 1 5 1 1", "ends too soon"),
        ("1 1 1 5 1 1 1 9 9", "more numbers"),
        ("x", "could not convert"),
        ("1.5", "where a count"),
        ("1 9e9 1", "where a count"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text(text)
    with pytest.raises(InputError, match=told):
        read_orlib(tmp_path / "bad.txt")


def test_all_faults_of_a_folder_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        published_problems(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        published_problems(tmp_path / "none")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("1 2")
    with pytest.raises(InputError) as refused:
        published_problems(tmp_path)
    assert len(refused.value.faults) == 2


def test_solvers_by_name() -> None:
    assert require_solvers(("highs", "highs")) == ("highs",)
    assert "highs" in require_solvers(("all",))
    with pytest.raises(InputError, match="hihgs"):
        require_solvers(("hihgs", "highs"))
