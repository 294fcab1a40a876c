"""Answers: sentences whose figures come from the table, refused where they speak of what is not there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import rdsim
from rdsim.errors import ExperimentError
from rdsim.report.words import amount
from rdsim.stats import mean_interval, paired_difference, proportion_interval
from rdsim.sweep import manifest_of, read, read_sweep, run, write_answer
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.answers import answers
from rdsim.sweep.settings import Answer
from tests.command import run as command

GRID = """
title = "Which policy, and with how much gain?"
scenario = "{scenario}"
design = "grid"
replications = 40
metrics = ["npv", "commercialised >= 1"]
paired = true

[set]
calibration = "lenient"

[factors.policy]
policies = ["value-per-cost", "domestic-only", "evaluation-score"]

[factors.gain]
paths = ["partner_effect.duration_gain"]
label = "step time saved"
values = [0.0, 0.25, 0.5]
"""


def _experiment(tmp_path: Path, tiny: Path, *texts: str) -> Path:
    file = tmp_path / "asked.toml"
    answers = "".join(f'\n[[answers]]\ntext = "{text}"\n' for text in texts)
    file.write_text(GRID.format(scenario=tiny.as_posix()) + answers, encoding="utf-8")
    return file


def _asked(tmp_path: Path, tiny: Path, *texts: str) -> list[str]:
    run(read(_experiment(tmp_path, tiny, *texts)), tmp_path / "out")
    return answers(read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out"))


def test_figures_of_a_point_are_the_tables(tiny: Path, tmp_path: Path) -> None:
    told = _asked(
        tmp_path,
        tiny,
        "It is worth {npv | policy = value-per-cost; gain = 0.50}.",
        "It sells with {commercialised >= 1 | policy = domestic-only; gain = 0}.",
    )
    table = read_sweep(tmp_path / "out").set_index(["policy", "gain"])
    row = table.loc[("value-per-cost", 0.5)]
    spread = f"({amount(row['npv low'])} to {amount(row['npv high'])}, n = 40)"
    assert told[0] == f"It is worth {amount(row['npv'])} {spread}."
    assert f"{table.loc[('domestic-only', 0.0), 'commercialised >= 1']:.1%} (" in told[1]


def test_differences_are_paired_by_replication_over_all_points(tiny: Path, tmp_path: Path) -> None:
    told = _asked(tmp_path, tiny, "{npv: value-per-cost over domestic-only of policy}")[0]
    table = read_sweep(tmp_path / "out")
    mine, theirs = (
        np.array([list(one) for one in table.loc[table["policy"] == name, "samples"]]).mean(axis=0)
        for name in ("value-per-cost", "domestic-only")
    )
    gap = paired_difference(mine, theirs)
    assert told == f"{amount(gap.mean)} ({amount(gap.low)} to {amount(gap.high)}, n = 40)"


def test_the_mean_of_chosen_points_has_an_interval_of_luck_and_not_of_points(tiny: Path, tmp_path: Path) -> None:
    kept, other = _asked(tmp_path, tiny, "{npv | gain = 0.5}", "{commercialised >= 1 | policy = value-per-cost}")
    table = read_sweep(tmp_path / "out")
    samples = np.array([list(one) for one in table.loc[table["gain"] == 0.5, "samples"]]).mean(axis=0)
    exact = mean_interval(samples)
    assert kept == f"{amount(exact.mean)} ({amount(exact.low)} to {amount(exact.high)}, n = 40)"
    rows, name = table[table["policy"] == "value-per-cost"], "commercialised >= 1"
    mean, low, high = (rows[name + end].mean() for end in ("", " low", " high"))
    assert other == f"{mean:.1%} ({low:.1%} to {high:.1%}, n = 40)"


def test_worlds_chosen_one_by_one_are_compared_over_replications(tiny: Path, tmp_path: Path) -> None:
    _asked(tmp_path, tiny)
    analysis = Analysis(read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out"), "npv")
    told = analysis.differences().set_index("policy")
    done = analysis.finished_points
    best = np.array([list(one) for one in done.loc[done["policy"] == told["best"].iloc[0], "samples"]]).mean(axis=0)
    for name, row in told.iterrows():
        other = np.array([list(one) for one in done.loc[done["policy"] == name, "samples"]]).mean(axis=0)
        gap = paired_difference(best, other, comparisons=2)
        assert (row["difference"], row["low"], row["n"]) == pytest.approx((gap.mean, gap.low, 40))
        assert row["over"] == "replications"
    # How the luck of a metric hangs together whose replications are not kept is unknown: then limits add up.
    rough = Analysis(analysis.table, analysis.manifest, "commercialised >= 1").differences()
    assert set(rough["over"]) == {"replications"}
    assert (rough["low"] < rough["difference"]).all()


def test_the_best_level_is_named_with_those_not_told_apart(tiny: Path, tmp_path: Path) -> None:
    best, least = _asked(
        tmp_path, tiny, "{best npv by policy | gain = 0.5}", "{least npv by gain | policy = domestic-only}"
    )
    table = read_sweep(tmp_path / "out")
    means = table[table["gain"] == 0.5].set_index("policy")["npv"]
    assert best.startswith(f"{means.idxmax()}, {amount(means.max())} (")
    # Without partners their effect changes nothing, replication by replication.
    assert least.startswith("0.0, ")
    assert least.endswith("; equal to it: 0.25, 0.5")


def test_the_first_level_at_which_a_claim_is_clear(tiny: Path, tmp_path: Path) -> None:
    table = (_asked(tmp_path, tiny), read_sweep(tmp_path / "out"))[1]
    samples = table[table["policy"] == "value-per-cost"].set_index("gain")["samples"]
    lows = samples.map(lambda one: mean_interval(one, 1 - 0.05 / 3).low)
    limit = (lows.min() + lows.max()) / 2
    first = next(level for level, low in lows.items() if low >= limit)
    assert lows.min() < limit < lows.max(), "the tiny scenario must tell the levels apart"
    told = _asked(
        tmp_path,
        tiny,
        f"{{first gain where npv >= {limit:.6f} | policy = value-per-cost}}",
        "{first gain where npv >= 1000000}",
        "{first gain where npv: value-per-cost over domestic-only of policy > -1000}",
    )
    assert told[0].startswith(f"{first} (")
    assert told[1] == "no level"
    assert told[2].startswith("0.0 (")


def test_every_level_that_is_gone_through_counts(tiny: Path, tmp_path: Path) -> None:
    """What is clear of a level by itself is not, of one among three: of means, of probabilities, and of differences."""
    _asked(tmp_path, tiny)
    table, manifest = read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out")
    mine, theirs = (table[table["policy"] == name].set_index("gain") for name in ("evaluation-score", "domestic-only"))

    def chances(confidence: float) -> list[float]:
        return [proportion_interval(round(40 * p), 40, confidence).low for p in mine["commercialised >= 1"]]

    def means(confidence: float) -> list[float]:
        return [mean_interval(one, confidence).low for one in mine["samples"]]

    def gaps(confidence: float) -> list[float]:
        pairs = zip(mine["samples"], theirs["samples"], strict=True)
        return [paired_difference(one, other, confidence).low for one, other in pairs]

    claims = {
        "commercialised >= 1 >= {:.9f} | policy = evaluation-score": chances,
        "npv >= {:.9f} | policy = evaluation-score": means,
        "npv: evaluation-score over domestic-only of policy >= {:.9f}": gaps,
    }
    for claim, lows in claims.items():
        for confidence, is_shown in ((0.95, False), (1 - 0.05 / 3, True)):
            asked = f"{{first gain where {claim.format(max(lows(confidence)) - 1e-6)}}}"
            told = answers(table, {**manifest, "answers": [asked]})[0]
            assert (not told.startswith("shown at no level; not known at ")) == is_shown, asked
            assert is_shown or told.endswith(" replications would tell)")


def test_of_points_that_failed_nothing_is_known(tiny: Path, tmp_path: Path) -> None:
    file = _experiment(tmp_path, tiny, "{npv | gain = 0.5; policy = value-per-cost}")
    run(read(file), tmp_path / "out")
    table = read_sweep(tmp_path / "out")
    table.loc[table["gain"] == 0.5, "status"] = "failed"
    assert answers(table, manifest_of(tmp_path / "out")) == ["(not known: no such point is done)"]


def test_every_fault_is_told_before_anything_runs(tiny: Path, tmp_path: Path) -> None:
    texts = ("{npw}", "{npv | gian = 0.5}", "{npv | gain = 0.3}", "{best npv in policy}", "{first gain where npv}")
    texts += ("{commercialised >= 1: domestic-only over value-per-cost of policy}", "{npv: 0.5 under 0 of gain}")
    with pytest.raises(ExperimentError) as caught:
        _asked(tmp_path, tiny, *texts)
    told = [str(fault) for fault in caught.value.faults]
    assert len(told) == len(texts)
    assert [int(found[1]) for one in told if (found := re.search(r"answers, entry (\d)", one))] == [1, 2, 3, 4, 5, 6, 7]
    assert "Did you mean 'npv'?" in told[0]
    assert "Did you mean 'gain'?" in told[1]
    assert "0.0, 0.25, 0.5" in told[2]
    assert "paired = true" in told[5]
    assert not (tmp_path / "out").exists()


def test_answers_stand_in_the_readme_between_their_markers(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _experiment(tmp_path, tiny, "Worth {npv | policy = domestic-only; gain = 0}.")
    ran = command(capsys, monkeypatch, "sweep", file, "--jobs", 1, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "Worth " in ran.out
    readme = tmp_path / "README.md"
    readme.write_text("# Mine\n\n<!-- answer asked -->\nold\n<!-- end of answer -->\n\nAfter.\n", encoding="utf-8")
    for _ in range(2):  # written again it is the same
        ran = command(capsys, monkeypatch, "sweep", "report", tmp_path / "out", "--readme", readme)
        assert ran.code == 0, ran.err
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n")
    assert text.endswith("\n<!-- end of answer -->\n\nAfter.\n")
    assert "\nold\n" not in text
    assert text.count("### Which policy, and with how much gain?") == 1
    assert "- Worth " in text
    assert "| domestic-only | 0.25 | " in text
    for drawing in re.findall(r"\((answers/.*?)\)", text):
        assert (tmp_path / drawing).read_text(encoding="utf-8").startswith("<svg")
    assert "answers/asked-1.svg" in text


def test_a_readme_without_markers_gets_them_at_its_end(tiny: Path, tmp_path: Path) -> None:
    run(read(_experiment(tmp_path, tiny, "{npv}")), tmp_path / "out")
    readme = tmp_path / "README.md"
    readme.write_text("# Mine\n", encoding="utf-8")
    write_answer(tmp_path / "out", readme)
    assert "<!-- answer asked -->" in readme.read_text(encoding="utf-8")
    readme.write_text("<!-- answer asked -->\n", encoding="utf-8")
    with pytest.raises(ExperimentError, match="end of answer"):
        write_answer(tmp_path / "out", readme)


def test_words_alone_do_not_change_what_ran(tiny: Path, tmp_path: Path) -> None:
    run(read(_experiment(tmp_path, tiny)), tmp_path / "out")
    again = run(read(_experiment(tmp_path, tiny, "Other words: {npv}.")), tmp_path / "out")
    assert again.manifest["tasks_of_this_run"] == 0
    assert again.manifest["answers"] == ["Other words: {npv}."]
    listed = rdsim.Experiment(str(tiny), answers=[Answer("{npv}")])  # type: ignore[arg-type]
    assert listed.answers == (Answer("{npv}"),)


def test_what_is_chosen_is_told_by_its_share_of_the_points(tiny: Path, tmp_path: Path) -> None:
    file = _experiment(tmp_path, tiny, "Chosen: {chosen | policy = value-per-cost}.")
    text = file.read_text("utf-8")
    with pytest.raises(ExperimentError, match="only a task that chooses at each point"):
        run(read(file), tmp_path / "out")
    file.write_text(text.replace("design =", 'task = "optimise"\ndesign ='), "utf-8")
    run(read(file), tmp_path / "out")
    table, manifest = read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out")
    (told,) = answers(table.assign(technologies="T1|T2"), manifest)
    assert told == "Chosen: T1, T2 in all (3 points)."
    mixed = iter(["T1|T2", "T1|T3", "T1|T2"])
    rule = table["policy"] == "value-per-cost"
    (told,) = answers(table.assign(technologies=[next(mixed) if one else "T9" for one in rule]), manifest)
    assert told == "Chosen: T1 in all, T2 in 67%, T3 in 33% (3 points)."
