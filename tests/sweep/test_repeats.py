"""Repeats of deciding: intervals that hold the noise of choosing, three answers, and how many repeats it takes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import rdsim
from benchmarks.answers import main as ask_again
from rdsim.errors import ExperimentError, OutputError
from rdsim.report.words import amount
from rdsim.stats import Interval, mean_interval, paired_difference
from rdsim.sweep import manifest_of, read, read_sweep, run, write_answer
from rdsim.sweep.again import WrittenAnswers, changes, read_answers
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.answers import answers, statements
from rdsim.sweep.page import page_of
from rdsim.sweep.repeats import over_repeats, repeat_count, standard_deviation
from rdsim.sweep.verdicts import Statement, claim_of
from tests.command import run as command
from tests.sizes import size

Floats = npt.NDArray[np.float64]

# --- sweeps made up for the purpose ---------------------------------------------------------------


def made(values: Floats, *, answer: str = "{npv}", metric: str = "npv", n: int = 100, **more: Any) -> Analysis:
    """A sweep of points (rows) that were decided in several repeats (columns)."""
    kind = "probability" if ">" in metric else "mean"
    rows = [
        {
            "point": point, "repeat": repeat, "level": float(point), "status": "done", "error": "", "n": n,
            metric: float(value), f"{metric} low": value - 0.1, f"{metric} high": value + 0.1,
            "technologies": "T1|T2" if repeat % 2 else "T1", "partners": "US:1",
        }
        for (point, repeat), value in np.ndenumerate(values)
    ]  # fmt: skip
    factor = {
        "label": "level", "levels": [str(float(one)) for one in range(len(values))], "policy": False, "kind": "values",
    }  # fmt: skip
    manifest = {
        "factors": {"level": factor}, "metrics": [metric], "kinds": [kind], "paired": False, "confidence": 0.95,
        "design": {"kind": "grid", "policies": 1, "base": 1, "seed": 1}, "policies": ["one-shot"],
        "points": len(values), "replications": n, "repeats": values.shape[1], "task": "optimise", "missing": 0,
        "failed": 0, "damaged": [], "title": "made", "description": "", "experiment": "made", "money_unit": "won",
        "answers": [answer], "scenario": {"name": "made"}, "stopped": "", "seed": 1, **more,
    }  # fmt: skip
    return Analysis(pd.DataFrame(rows), manifest, metric)


def told(values: Sequence[Sequence[float]], answer: str, **more: Any) -> str:
    one = made(np.array(values, np.float64), answer=answer, **more)
    return answers(one.table, one.manifest)[0]


def test_an_interval_over_repeats_is_students_and_differences_are_paired_by_repeat() -> None:
    values = np.array([[1.0, 2.0, 4.0, 3.0], [2.0, 2.5, 5.5, 3.5]])
    mean, gap = mean_interval(values[0]), paired_difference(values[1], values[0])
    assert told(values, "{npv | level=0}") == _said(mean)
    assert told(values, "{npv: 1 over 0 of level}") == _said(gap)


def _said(found: Interval) -> str:
    return f"{amount(found.mean)} ({amount(found.low)} to {amount(found.high)}, {found.n} repeats)"


def test_intervals_over_repeats_cover_where_those_of_luck_do_not() -> None:
    """Two levels of equal worth; what is chosen in a repeat adds noise that the luck within it does not show."""
    rng, times, count = np.random.default_rng(1), size(400, 5000), 6
    over, within = [], []
    for _ in range(times):
        choosing, luck = rng.normal(0, 3, (2, count)), rng.normal(0, 1, (2, count, 50))
        means = choosing + luck.mean(axis=2)
        over.append(paired_difference(means[1], means[0]))
        within.append(paired_difference(choosing[1, 0] + luck[1, 0], choosing[0, 0] + luck[0, 0]))
    covered = [float(np.mean([one.low <= 0 <= one.high for one in each])) for each in (over, within)]
    assert abs(covered[0] - 0.95) < 3 * math.sqrt(0.95 * 0.05 / times)
    assert covered[1] < 0.4


@pytest.mark.parametrize(("chance", "count"), [(0.01, 5), (0.5, 5), (0.2, 10)])
def test_a_probability_over_repeats_has_a_width_and_covers(chance: float, count: int) -> None:
    rng, times, hits = np.random.default_rng(2), size(60, 2000), 0
    for _ in range(times):
        wins = rng.binomial(40, chance, (1, count)) / 40
        row = made(wins, metric="npv >= 0", n=40).finished_points.iloc[0]
        assert row["npv >= 0 low"] < row["npv >= 0 high"]
        hits += row["npv >= 0 low"] <= chance <= row["npv >= 0 high"]
    assert hits / times >= 0.94 - 3 * math.sqrt(0.05 * 0.95 / times)


def test_of_a_partial_sweep_only_whole_repeats_count_and_a_point_that_failed_once_is_left_out() -> None:
    full = made(np.arange(12, dtype=float).reshape(3, 4))
    missing = full.table["repeat"].eq(3) & full.table["point"].eq(2)
    table = full.table.assign(status=np.where(missing, "missing", "done"))
    found = over_repeats(table, full.manifest, full.measure)
    assert (found["n"] == 3).all()
    assert [list(one) for one in found["samples"]] == [[0, 1, 2], [4, 5, 6], [8, 9, 10]]
    table = full.table.assign(status=np.where(missing, "failed", "done"))
    found = over_repeats(table, full.manifest, full.measure)
    assert found["point"].tolist() == [0, 1]
    assert (found["n"] == 4).all()


def test_what_never_changes_is_said_to_be_the_same_and_choices_are_counted_by_decision() -> None:
    assert told([[7.0, 7.0, 7.0]], "{npv}") == "7.00 (the same in all 3 repeats)"
    assert told([[7.0, 7.5], [7.0, 7.5]], "{chosen}") == "T1 in all, T2 in 50% (4 decisions)"


# --- three answers --------------------------------------------------------------------------------


def test_a_claim_has_three_answers() -> None:
    found = Interval(1.0, 0.5, 1.5, 20)
    cases = {
        (">", 0.0, 0.0): "shown", (">", 0.7, 0.0): "not known", (">", 2.0, 0.0): "shown not",
        (">", 1.2, 1.0): "shown not", (">=", 0.5, 0.0): "shown", ("<", 2.0, 0.0): "shown",
        ("<", 1.2, 0.0): "not known", ("<", 0.0, 0.0): "shown not", ("<=", 1.5, 0.0): "shown",
    }  # fmt: skip
    for (sign, limit, margin), verdict in cases.items():
        assert claim_of(found, sign, limit, margin).verdict == verdict, (sign, limit, margin)
        assert claim_of(found, sign, limit, margin, blind=True).verdict == "not known"
    nothing = Interval(0.0, 0.0, 0.0, 20)
    assert claim_of(nothing, ">", 0.0, 0.0).verdict == "shown not"
    assert claim_of(nothing, ">=", 0.0, 0.0).verdict == "shown"


@pytest.mark.parametrize("effect", [2.0, 3.0])
def test_how_many_it_takes_shows_the_effect_four_times_in_five(effect: float) -> None:
    count = repeat_count(3.0, effect, 0.95)
    assert count is not None
    rng, times = np.random.default_rng(3), size(2000, 20_000)

    def power(n: int) -> float:
        return float(np.mean([mean_interval(draws).low > 0 for draws in rng.normal(effect, 3.0, (times, n))]))

    assert abs(power(count) - 0.8) < 0.04
    assert power(count // 2) < 0.6


def test_a_deviation_is_read_off_an_interval_and_what_no_number_shows_has_none() -> None:
    told = [
        standard_deviation(mean_interval(draws), 0.95) for draws in np.random.default_rng(7).normal(0, 3, (500, 15))
    ]
    assert np.mean(told) == pytest.approx(3.0, abs=0.1)
    assert standard_deviation(mean_interval([1.0, 2.0, 4.0]), 0.95) == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert repeat_count(3.0, 0.0, 0.95) is None
    assert repeat_count(1.0, 1e-9, 0.95) is None


def test_the_best_says_what_is_worse_what_is_near_and_what_is_not_known() -> None:
    rng = np.random.default_rng(4)
    shared = rng.normal(0, 5, 8)
    levels = [shared + 10, shared + 9.9 + rng.normal(0, 0.01, 8), shared + rng.normal(5, 0.1, 8), rng.normal(9, 6, 8)]
    words = told(levels, "{best npv by level}", difference={"npv": 0.5})
    assert words.startswith("0.0, ")
    assert "; within 0.50 of it: 1.0; not told apart from it: 3.0 (about " in words
    assert words.endswith(" repeats would tell)")
    assert "2.0" not in words
    once = made(np.array([[10.0], [5.0]]), answer="{best npv by level}", repeats=1)
    assert answers(once.table.drop(columns="repeat"), once.manifest)[0].endswith("(decided once; repeats would tell)")


def test_a_threshold_names_what_is_not_known_before_it() -> None:
    rng = np.random.default_rng(5)
    levels = [rng.normal(-3, 0.2, 6), rng.normal(0.1, 2, 6), rng.normal(4, 0.2, 6), rng.normal(6, 0.2, 6)]
    words = told(levels, "{first level where npv > 0}")
    assert words.startswith("2.0 (")
    assert "; not known at 1.0 (" in words
    assert told(levels[:2], "{first level where npv > 0}").startswith("shown at no level; not known at 1.0 (")
    assert told(levels[:1], "{first level where npv > 0}") == "no level"


def test_the_comparisons_of_a_sentence_hold_together() -> None:
    values = np.random.default_rng(6).normal(0, 1, (3, 7)) + np.array([[0.0], [1.0], [2.0]])
    alone = told(values, "{npv: 1 over 0 of level}")
    both = told(values, "{npv: 1 over 0 of level} and {npv: 2 over 0 of level}, of {npv | level=0}")
    gap = paired_difference(values[1], values[0], comparisons=2)
    assert alone not in both
    assert _said(gap) in both
    one = made(values, answer="{npv: 1 over 0 of level} and {npv: 2 over 0 of level}")
    assert statements(one.table, one.manifest)[0][0].halves[""] == pytest.approx(gap.half_width)


def test_nothing_is_called_sure_of_decisions_that_were_taken_once() -> None:
    one = made(np.array([[1.0], [9.0]]), answer="{npv: 1 over 0 of level}", repeats=1, paired=True)
    kept = pd.Series([np.arange(20.0), np.arange(20.0) + 8 + np.tile([0.0, 0.1], 10)], dtype=object)
    table = one.table.drop(columns="repeat").assign(samples=kept)
    (statement,) = statements(table, one.manifest)[0]
    assert statement.words.endswith(", luck alone)")
    assert (statement.shown, statement.kind) == ((), "difference")
    page = " ".join(page_of(table, one.manifest).lead)
    assert "Each portfolio was decided once: intervals are of luck alone" in page
    simulated = {**one.manifest, "task": "simulate"}
    assert statements(table, simulated)[0][0].shown == ("more",)


# --- what another seed says -----------------------------------------------------------------------


def _statement(kind: str, **more: Any) -> Statement:
    return Statement("asked", kind, "words", **{"means": {"": 1.0}, "halves": {"": 0.5}, **more})


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (_statement("difference", shown=["more"]), _statement("difference", shown=["more"]), "holds"),
        (_statement("difference", shown=["more"]), _statement("difference"), "weaker"),
        (_statement("difference", shown=["more"]), _statement("difference", means={"": -0.1}), "turned"),
        (_statement("difference", shown=["less"]), _statement("difference", means={"": 0.1}), "turned"),
        (_statement("difference"), _statement("difference", means={"": 9.0}), "moved"),
        (_statement("figure"), _statement("figure", means={"": 1.4}), "holds"),
        (
            _statement("first", shown=["2"], means={"2": 1.0}, halves={"2": 0.1}, sign=">", limit=0.5),
            _statement("first", means={"2": 0.4}, halves={"2": 0.1}),
            "turned",
        ),
        (
            _statement("first", shown_not=["1"], means={"1": 1.0}, halves={"1": 0.1}, sign="<", limit=0.5),
            _statement("first", shown=["1"], means={"1": 0.4}, halves={"1": 0.1}),
            "turned",
        ),
        (_statement("best", best="a", shown=["b"]), _statement("best", best="b"), "turned"),
        (_statement("best", best="a"), _statement("best", best="b"), "holds"),
        (_statement("least", best="a"), _statement("least", best="b", shown=["a"]), "turned"),
    ],
)
def test_a_sure_statement_turns_if_another_seed_is_on_the_other_side(
    before: Statement, after: Statement, outcome: str
) -> None:
    (change,) = changes(WrittenAnswers("x", 1, 0.95, [[before]]), [[after]])
    assert change.outcome == outcome


# --- sweeps that run ------------------------------------------------------------------------------

CHOOSING = """
title = "What do starts add?"
scenario = "{scenario}"
task = "optimise"
design = "grid"
replications = 20
repeats = {repeats}
metrics = ["npv", "paid"]
difference = {{ npv = 5.0 }}

[set]
"optimiser.samples" = 3

[factors.starts]
pool = {pool}

[factors.starts.cases]
announced = {{}}
fewer = {{ "programmes.leap.starts.2024" = 1 }}
nobody = {{ "partners.*.places" = 0 }}

[[answers]]
text = "Fewer starts: {{npv: fewer over announced of starts}}; nobody abroad: {{npv: nobody over announced of starts}}."
"""


def choosing(folder: Path, scenario: Path, *, repeats: int = 4, pool: str = "true") -> Path:
    file = folder / "choosing.toml"
    file.write_text(CHOOSING.format(scenario=scenario.as_posix(), repeats=repeats, pool=pool), "utf-8")
    return file


def test_each_repeat_decides_and_is_judged_on_luck_of_its_own(tiny: Path, tmp_path: Path) -> None:
    file = choosing(tmp_path, tiny, repeats=2, pool="false")
    found = run(replace(read(file), paired=True), tmp_path / "out").table
    assert found[["point", "repeat"]].to_numpy().tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    once = run(replace(read(file), paired=True, repeats=1), tmp_path / "once").table
    first = found[found["repeat"] == 0]
    assert first["key"].tolist() == once["key"].tolist()
    assert [list(one) for one in first["samples"]] == [list(one) for one in once["samples"]]
    assert "repeat" not in once
    assert list(found["samples"].iloc[0]) != list(found["samples"].iloc[3])
    # Another number of repeats takes up what is there; fewer would throw away.
    more = run(replace(read(file), paired=True, repeats=3), tmp_path / "out")
    assert more.manifest["tasks_of_this_run"] == 3
    with pytest.raises(OutputError, match="repeats"):
        run(read(file), tmp_path / "out")
    other = run(replace(read(file), paired=True, repeats=3, seed=9), tmp_path / "out", force=True)
    assert other.manifest["tasks_of_this_run"] == 9


def test_policies_that_are_decided_once_are_decided_anew_in_each_repeat(tiny: Path) -> None:
    experiment = rdsim.Experiment(
        str(tiny), factors={"policy": {"policies": ["one-shot", "domestic-only"]}, "discount_rate": [0.0, 0.1]},
        settings={"optimiser.samples": 2}, replications=20, repeats=3, paired=True,
    )  # fmt: skip
    found = experiment.run()
    table = found.table
    assert len(table) == 12
    assert (table["status"] == "done").all(), table["error"].tolist()
    domestic = table[(table["policy"] == "domestic-only") & (table["discount_rate"] == 0.1)]
    assert len({tuple(one) for one in domestic["samples"]}) == 3
    assert "over the repeats" in " ".join(page_of(table, found.manifest).lead)


def test_faults_of_repeats_and_pools_are_told_before_anything_runs(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("technology,partner,mode,start_year,rank\nT1,,domestic,2024,1\n", "utf-8")
    nothing = rdsim.Experiment(str(tiny), policy="mine.csv", repeats=2, folder=str(tmp_path))
    with pytest.raises(ExperimentError, match="nothing is decided here"):
        nothing.run()
    pooled = {"discount_rate": {"values": [0.0, 0.1], "pool": True}}
    for settings in ({"task": "simulate"}, {"task": "optimise", "design": "sobol", "points": 2}):
        with pytest.raises(ExperimentError, match="share a pool in the task optimise"):
            rdsim.Experiment(str(tiny), factors=pooled, **settings).run()  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match="a list of values or cases"):
        rdsim.Experiment(str(tiny), task="optimise", factors={"a": {"range": (0, 1), "pool": True}}).run()
    with pytest.raises(ExperimentError, match="must be a metric of the experiment"):
        rdsim.Experiment(str(tiny), task="optimise", difference={"npw": 1.0}, policy="one-shot").run()


def test_a_dry_run_tells_how_many_repeats_a_difference_takes(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = choosing(tmp_path, tiny, repeats=2, pool="false")
    ran = command(capsys, monkeypatch, "sweep", file, "--dry-run", "--out", tmp_path / "out", "--seed", 3)
    assert ran.code == 0, ran.err
    assert "npv: to show a difference of 5 takes about " in ran.out
    assert " by 4 of them at points 1 and 0; " in ran.out
    assert not (tmp_path / "out").exists()


def test_what_a_readme_calls_sure_is_asked_again_on_another_seed(
    tmp_path: Path, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = choosing(tmp_path, tiny)
    run(read(file), tmp_path / "out")
    readme = tiny / "README.md"
    readme.write_text("# Tiny\n", "utf-8")
    write_answer(tmp_path / "out", readme)
    assert "each decided anew in 4 repeats, seed 1" in readme.read_text("utf-8")
    record = tiny / "answers" / "choosing.json"
    table, manifest = read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out")
    assert read_answers(record).statements == statements(table, manifest)
    words = ["--experiments", str(tmp_path), "--out", str(tmp_path / "again"), "--jobs", "1", "choosing"]
    assert ask_again(["--seed", "1", *words]) == 1
    assert ask_again(["--seed", "2", *words]) == 0, capsys.readouterr().out
    denied = json.loads(record.read_text("utf-8"))
    for one in denied["statements"][0]:
        one["shown"] = ["more"]  # fewer choices, worth more: the pool does not let it come true
    record.write_text(json.dumps(denied), "utf-8")
    capsys.readouterr()
    assert ask_again(["--seed", "2", *words]) == 1
    out = capsys.readouterr().out
    assert "2 turned" in out
    assert "TURNED sentence 1, {npv: fewer over announced of starts}" in out
    record.unlink()
    assert ask_again(["--seed", "2", *words]) == 1
    assert "must be answers that were written beside a README" in capsys.readouterr().out


# --- the experiments that are shipped -------------------------------------------------------------

SHIPPED = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_experiment_that_decides_repeats_it_and_a_claim_has_its_margin(file: Path) -> None:
    experiment = read(file)
    own_luck = experiment.design == "sobol" and not experiment.common_random_numbers
    if experiment.task != "simulate":
        assert experiment.repeats >= 4 or own_luck
    asked = [text for answer in experiment.answers for text in answer.text.split("{")[1:]]
    if any(text.startswith("best npv") or "where npv" in text for text in asked):
        assert experiment.difference["npv"] > 0
