"""The history: nothing in it is ever lost or written again; and what is taken away asks the same question."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdsim import portfolio, runs
from rdsim.errors import OutputError
from rdsim.folders import read_manifest
from rdsim.scenario import digest, load
from rdsim.serve import History, LeverAnswer, Levers, Workplace, export_folder, export_run, setting_lines
from rdsim.serve.answers import Firmness
from tests.command import quietly

SHARED = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def answer(place: Workplace) -> LeverAnswer:
    return place.decide(replace(place.levers, barred=("JP",)))[0]


def test_two_writers_at_once_lose_nothing(answer: LeverAnswer, tmp_path: Path) -> None:
    """Each has a view of the folder of its own, as two processes would."""
    begin = threading.Barrier(8)

    def write(writer: int) -> list[int]:
        begin.wait()
        return [History(tmp_path).add(replace(answer, seconds=writer + k / 100)).number for k in range(12)]

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for mine in pool.map(write, range(8)) for number in mine]
    assert sorted(numbers) == list(range(1, 97))
    entries = History(tmp_path).entries()
    assert [one.number for one in entries] == list(range(96, 0, -1))
    assert len({one.answer.seconds for one in entries}) == 96
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_answer_comes_back_whole_and_is_never_written_again(answer: LeverAnswer, tmp_path: Path) -> None:
    history = History(tmp_path / "deep" / "answers")
    number = history.add(answer).number
    kept = (history.folder / "000001.json").read_bytes()
    entry = history.entry(number)
    assert entry is not None
    assert entry.answer == answer
    assert entry.answer.question.barred == ("JP",)
    history.add(replace(answer, seconds=9.0))
    assert (history.folder / "000001.json").read_bytes() == kept
    first = (Firmness("T1", 3, 32, "open"),)
    history.add_firmness(number, first)
    history.add_firmness(number, (Firmness("T1", 9, 32, "open"),))
    assert history.firmness(number) == first


def test_what_is_none_of_ours_is_passed_over(answer: LeverAnswer, tmp_path: Path) -> None:
    history = History(tmp_path)
    (tmp_path / "000001.json").write_text("no answer")
    (tmp_path / "000002.json").write_text(json.dumps({"when": "", "answer": {"levers": {}}}))
    (tmp_path / "000003.json").write_text(
        json.dumps({"format": 1, "when": "", "answer": {**answer.record(), "figures": []}})
    )
    (tmp_path / "notes.txt").write_text("mine")
    assert history.entries() == []
    assert history.add(answer).number == 4
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="writable"):
        History(tmp_path / "file" / "answers").add(answer)


@SHARED
@given(
    st.dictionaries(st.integers(2024, 2028), st.floats(0.0, 60.0), max_size=3),
    st.floats(0.1, 4.0),
    st.sets(st.sampled_from(["US", "JP", "DE"]), max_size=3),
    st.sampled_from([(), ("T3",), ("T1", "T3")]),
    st.sampled_from([{}, {"gain": 0.3}, {"worth": 1.7}, {"gain": 0.0, "worth": 0.5}]),
)
def test_setting_lines_ask_the_same_question(
    place: Workplace,
    budget: dict[int, float],
    ratio: float,
    barred: set[str],
    must: tuple[str, ...],
    levels: dict[str, float],
) -> None:
    levers = replace(
        place.levers,
        budgets={"leap": budget},
        payment_ratios={"leap": ratio},
        barred=tuple(barred),
        must_fund=must,
        levels=levels,
    )
    again = load(place.run.scenario, [*place.run.overrides, *setting_lines(place.scenario, levers)])
    assert digest(again) == place._world(levers)[1]
    assert Levers.from_record(json.loads(json.dumps(levers.record()))) == levers


def test_a_folder_asks_the_same_question_with_the_portfolio_beside_it(
    place: Workplace, answer: LeverAnswer, tmp_path: Path
) -> None:
    folder = export_folder(place, answer, tmp_path / "scenario")
    world = load(folder)
    assert digest(world) == answer.digest
    assert portfolio.read(folder / "portfolio.csv", world).choices == answer.portfolio.choices
    assert export_folder(place, answer, folder).name == "scenario-2"
    assert load(tmp_path / "scenario-2") == world


def test_a_run_is_one_like_any_other_and_can_be_asked_in_turn(
    place: Workplace, answer: LeverAnswer, tmp_path: Path
) -> None:
    written = [export_run(place, answer, tmp_path / "what-if") for _ in range(2)]
    assert [one.folder.name for one in written] == ["what-if", "what-if-2"]
    assert all(not one.missing for one in written)
    run = runs.read_run(written[0].folder)
    assert run.fault(load(run.scenario, run.overrides)) is None
    assert run.digest == answer.digest
    words = read_manifest(written[0].folder)["command"]
    assert quietly(*words[1:], "--out", tmp_path / "again") == 0
    tables = [pd.read_parquet(folder / "replications.parquet") for folder in (written[0].folder, tmp_path / "again")]
    pd.testing.assert_frame_equal(*tables)
