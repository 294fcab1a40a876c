"""Finished runs compared: what differs between them is told as it is, paired where draws are common."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim import comparison, findings, results
from rdsim.comparison import RunComparison, compare
from rdsim.domain import Choice, Portfolio
from rdsim.errors import PortfolioError, RunError
from rdsim.figures import TOLD
from rdsim.results import Run
from rdsim.scenario import load
from rdsim.stats import paired_difference, unpaired_difference
from tests.command import run
from tests.tiny import tiny_folder
from tests.visible import internal_words, internal_words_of_page

BASE = (
    Choice("T1", "matching", "US", 2024, 1),
    Choice("T2", "matching", "US", 2024, 2),
    Choice("T4", "domestic", "", 2024, 3),
)
OTHER = (
    Choice("T2", "direct", "DE", 2025, 1),
    Choice("T1", "matching", "JP", 2024, 2),
    Choice("T5", "domestic", "", 2024, 3),
)


def _write(
    base: Path, name: str, choices: tuple[Choice, ...], *, seed: int = 1, overrides: tuple[str, ...] = ()
) -> Path:
    """A simulated run; the scenario lies in `base`."""
    world = load(base / "tiny", overrides)
    found = rdsim.simulate(world, Portfolio(choices, name), replications=30, seed=seed)
    asked = Run(base / name, overrides, command=("rdsim", "simulate"), scenario=(base / "tiny").as_posix())
    return results.write(findings.of_simulation(found), asked).folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny scenario and runs of it."""
    folder = tmp_path_factory.mktemp("runs")
    tiny_folder(folder / "tiny")
    _write(folder, "old", BASE)
    _write(folder, "new", OTHER)
    _write(folder, "another-seed", OTHER, seed=2)
    _write(folder, "lenient", BASE, overrides=("calibration=lenient",))
    return folder


@pytest.fixture(scope="module")
def found(base: Path) -> RunComparison:
    """Two portfolios of one seed."""
    return compare(base / "old", base / "new")


def _spoilt(base: Path, tmp_path: Path, file: str, content: bytes | None) -> Path:
    """A copy of a run with one file replaced, or gone."""
    copy = tmp_path / "spoilt"
    shutil.copytree(base / "new", copy)
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_bytes(content)
    return copy


def _said_in_manifest(base: Path, tmp_path: Path, **changes: object) -> Path:
    manifest = json.loads((base / "new" / "manifest.json").read_text(encoding="utf-8"))
    return _spoilt(base, tmp_path, "manifest.json", json.dumps({**manifest, **changes}).encode())


# --- what differs ---------------------------------------------------------------------------------


def test_it_is_said_that_no_interval_holds_the_luck_of_choosing(base: Path, found: RunComparison) -> None:
    said = "The intervals are of the luck of these portfolios: on another seed others might have been chosen."
    assert said in found.lines
    assert said not in compare(base / "old", base / "lenient").lines  # one portfolio: nothing was chosen


def test_technologies_and_partners_that_entered_left_or_changed_are_named(found: RunComparison) -> None:
    table = found.choices
    told = set(zip(table["change"], table["technology"], table["first"], table["second"], strict=True))
    assert told == {
        ("entered", "T5", "not funded", "alone, domestic, from 2024"),
        ("left", "T4", "alone, domestic, from 2024", "not funded"),
        ("start", "T2", "2024", "2025"),
        ("partner", "T2", "US", "DE"),
        ("partner", "T1", "US", "JP"),
        ("mode", "T2", "matching", "direct"),
        ("opened", "DE", "not opened", "with projects"),
        ("opened", "JP", "not opened", "with projects"),
        ("closed", "US", "with projects", "not opened"),
    }
    names = dict(zip(table["technology"], table["name"], strict=True))
    assert (names["T4"], names["DE"]) == ("Motor magnets", "Germany")
    assert any("order of priority" in line for line in found.lines)


def test_an_override_is_told_by_its_path(base: Path) -> None:
    found = compare(base / "old", base / "lenient")
    rows = found.inputs[found.inputs["kind"] == "scenario"]
    assert rows[["path", "first", "second"]].to_numpy().tolist() == [["calibration", "strict", "lenient"]]
    assert found.choices.empty
    assert "The scenarios differ; what differs is told by path." in found.lines


def test_without_its_scenario_a_run_still_tells_its_overrides(base: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(base / "lenient", moved)
    text = (moved / "manifest.json").read_text(encoding="utf-8")
    (moved / "manifest.json").write_text(text.replace((base / "tiny").as_posix(), "gone"), encoding="utf-8")
    own = compare(base / "old", moved).inputs
    assert ["scenario", "calibration"] in own[["kind", "path"]].to_numpy().tolist(), "by the copies that runs hold"
    shutil.rmtree(moved / "scenario")
    found = compare(base / "old", moved)
    rows = found.inputs[found.inputs["kind"] == "override"]
    assert rows[["path", "first", "second"]].to_numpy().tolist() == [["calibration", "not there", "lenient"]]
    assert any("by their digests" in line and "moved" in line for line in found.lines)


# --- how much -------------------------------------------------------------------------------------


def test_differences_are_paired_and_rest_on_the_luck_of_the_market_in_expectation(
    base: Path, found: RunComparison
) -> None:
    tables = [pd.read_parquet(base / name / "expected.parquet")["npv"].to_numpy() for name in ("old", "new")]
    row = found.results.set_index("figure").loc["npv"]
    assert (row["interval"], row["luck"], row["n"]) == ("paired", "in expectation", 30)
    assert row["difference"] == pytest.approx(float(np.mean(tables[1] - tables[0])))
    exact = paired_difference(tables[1], tables[0])
    assert (row["low"], row["high"]) == pytest.approx((exact.low, exact.high))
    drawn = [pd.read_parquet(base / name / "replications.parquet")["npv"].to_numpy() for name in ("old", "new")]
    assert row["better"] == pytest.approx(float(np.mean(drawn[1] > drawn[0])))
    assert row["better_low"] <= row["better"] <= row["better_high"]


def test_less_is_better_where_a_figure_says_so(base: Path, found: RunComparison) -> None:
    drawn = [pd.read_parquet(base / name / "replications.parquet")["lapsed"].to_numpy() for name in ("old", "new")]
    row = found.results.set_index("figure").loc["lapsed"]
    assert row["better"] == pytest.approx(float(np.mean(drawn[1] < drawn[0] - 1e-6)))


def test_other_scenarios_share_no_luck(base: Path, tmp_path: Path) -> None:
    renamed = json.loads((base / "new" / "manifest.json").read_text(encoding="utf-8"))["scenario"] | {"name": "other"}
    found = compare(base / "old", _said_in_manifest(base, tmp_path, scenario=renamed))
    assert set(found.results["interval"]) == {"unpaired"}
    assert any("the scenarios are others" in line for line in found.lines)


def test_other_seeds_are_compared_unpaired_and_said_to_be(base: Path) -> None:
    found = compare(base / "old", base / "another-seed")
    names = ("old", "another-seed")
    tables = [pd.read_parquet(base / name / "expected.parquet")["npv"].to_numpy() for name in names]
    row, exact = found.results.set_index("figure").loc["npv"], unpaired_difference(tables[1], tables[0])
    assert row["interval"] == "unpaired"
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((exact.mean, exact.low, exact.high))
    assert found.results["better"].isna().all()
    assert any("unpaired (Welch), for the seeds differ (1; 2)" in line for line in found.lines)


def test_intervals_of_several_runs_hold_together(base: Path, found: RunComparison) -> None:
    both = compare(base / "old", base / "new", base / "lenient")
    wide = both.results[both.results["run"] == "new"].set_index("figure").loc["npv"]
    alone = found.results.set_index("figure").loc["npv"]
    assert wide["difference"] == alone["difference"]
    assert wide["low"] < alone["low"] < alone["high"] < wide["high"]
    assert set(both.results["run"]) == {"new", "lenient"}


def test_money_by_year_and_by_partner_adds_up_to_what_the_projects_were_paid(base: Path, found: RunComparison) -> None:
    home = found.money[found.money["what"] == "paid by home, net of refunds"]
    totals = home.groupby("by")["difference"].sum()
    assert totals["year"] == pytest.approx(totals["field"])
    assert totals["year"] == pytest.approx(totals["partner"])
    paid = []
    for name in ("old", "new"):
        table = pd.read_parquet(base / name / "outcomes.parquet")
        paid.append(float(table[[one for one in table if one.startswith("home_")]].sum(axis=1).sum()) / 30)
    assert totals["year"] == pytest.approx(paid[1] - paid[0])


def test_a_run_compared_with_itself_differs_in_nothing(base: Path) -> None:
    found = compare(base / "old", base / "old")
    assert [run.label for run in found.runs] == [f"{(base / 'old').as_posix()} ({k})" for k in (1, 2)]
    assert found.inputs.empty
    assert found.choices.empty
    assert not found.money["difference"].any()
    assert not found.results[["difference", "low", "high"]].to_numpy(float).any()
    sided = found.results.dropna(subset=["better"])
    assert (sided["same"] == 1.0).all()
    assert not any("is better" in line for line in found.lines)
    assert any("the same in every common replication" in line for line in found.lines)


def test_a_proposal_without_replications_is_compared_by_what_it_holds(base: Path) -> None:
    world = load(base / "tiny")
    proposal = rdsim.optimise(world, samples=10)
    asked = Run(base / "proposed", command=("rdsim", "optimise"), scenario=(base / "tiny").as_posix())
    results.write(findings.of_proposal(world, proposal, 1, {}), asked)
    found = compare(base / "old", base / "proposed")
    assert found.results.empty
    assert any("not compared, for proposed holds no replications" in line for line in found.lines)
    twice = compare(base / "proposed", base / "proposed")
    assert (twice.money["what"] == "expected payments, as the optimiser adds them up").all()
    assert len(twice.money)


def test_near_ties_are_told_by_the_decisions_of_a_plan(base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "decided"
    shutil.copytree(base / "new", copy)
    rows = [("technology", "T5", "", "open"), ("technology", "T4", "", "sure out"), ("partner", "T1", "JP", "open")]
    table = pd.DataFrame(rows, columns=["kind", "technology", "what", "verdict"])
    table.to_parquet(copy / "decisions.parquet")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["decisions.parquet"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    rows_found = compare(base / "old", copy).choices.set_index(["change", "technology"])["firm_second"]
    assert rows_found["entered", "T5"] == "open"
    assert rows_found["left", "T4"] == "rejected"
    assert rows_found["partner", "T1"] == "open"
    assert rows_found["partner", "T2"] == ""


# --- the command ----------------------------------------------------------------------------------


def test_the_command_tells_and_writes(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, monkeypatch, "compare", base / "old", base / "new")
    assert ran.code == 0, ran.err
    assert "new compared with old:" in ran.out
    place = tmp_path / "results" / "compare-old-new"
    names = {path.name for path in place.iterdir()}
    assert {"inputs.csv", "choices.csv", "money.csv", "results.csv", "report.html", "manifest.json"} <= names
    assert (
        internal_words_of_page((place / "report.html").read_text(encoding="utf-8")) == internal_words(ran.out) == set()
    )
    told = pd.read_csv(place / "results.csv").set_index("figure")
    assert set(TOLD) <= set(told.index)
    manifest = results.read_manifest(place)
    assert manifest["complete"]
    assert [one["label"] for one in manifest["compared"]] == ["old", "new"]
    again = run(capsys, monkeypatch, "compare", base / "old", base / "new", "--out", place)
    assert again.code == 2
    assert run(capsys, monkeypatch, "compare", base / "old", base / "new", "--out", place, "--force").code == 0


def test_a_page_of_several_runs_has_a_section_for_each_topic(base: Path) -> None:
    study = comparison.study(compare(base / "old", base / "new", base / "another-seed"))
    assert [one.title for one in study.page.sections] == ["Inputs that differ", "Portfolio", "Money", "Results"]
    assert "run" in study.page.sections[0].tables[0].columns


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("expected.parquet", b"PAR1 no", "must be the table that the run wrote"),
        ("outcomes.parquet", None, "must be the table that the run wrote"),
        ("manifest.json", b"{", "must be the folder of a run"),
        ("portfolio.csv", b"technology,mode\nT1,domestic\n", "the column is required"),
    ],
)
def test_a_damaged_run_is_refused_with_what_is_wrong(
    base: Path,
    tmp_path: Path,
    file: str,
    content: bytes | None,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, monkeypatch, "compare", base / "old", _spoilt(base, tmp_path, file, content))
    assert ran.code == 2
    assert message in ran.err
    assert not (tmp_path / "results").exists()


def test_what_cannot_be_compared_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="needs two runs or more"):
        compare(base / "old")
    with pytest.raises(RunError, match="must be the folder of a run"):
        compare(base / "old", base / "tiny")
    with pytest.raises(RunError, match="must state money in the unit of"):
        compare(base / "old", _said_in_manifest(base, tmp_path, money_unit="million USD"))


def test_a_run_without_a_portfolio_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="must be a run with one portfolio"):
        compare(base / "old", _said_in_manifest(base, tmp_path, files={}))


def test_a_portfolio_that_is_gone_is_a_fault(base: Path, tmp_path: Path) -> None:
    with pytest.raises(PortfolioError):
        compare(base / "old", _spoilt(base, tmp_path, "portfolio.csv", None))


def test_the_unpaired_difference_is_welchs() -> None:
    first, second = np.array([1.0, 4.0, 7.0, 8.0]), np.array([2.0, 3.0, 9.0])
    found = unpaired_difference(first, second)
    a, b = first.var(ddof=1) / 4, second.var(ddof=1) / 3
    free = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)
    from scipy.stats import t  # noqa: PLC0415 - slow to load, and needed here alone

    assert found.high - found.mean == pytest.approx(float(t.ppf(0.975, free)) * float(np.sqrt(a + b)))
    assert (found.mean, found.n) == (pytest.approx(1 / 3), 3)
    assert unpaired_difference(first, second, comparisons=2).low < found.low
    assert unpaired_difference([2.0, 2.0], [1.0, 1.0]).half_width == 0.0
    assert unpaired_difference([2.0], [1.0, 3.0]).half_width == np.inf
    with pytest.raises(ValueError, match="comparisons"):
        unpaired_difference(first, second, comparisons=0)


def test_the_unpaired_difference_covers_the_truth_of_even_and_of_skewed_samples() -> None:
    luck = np.random.default_rng(1)
    found = [unpaired_difference(luck.exponential(size=20) - 1.0, luck.normal(size=30)) for _ in range(1000)]
    assert np.mean([one.low <= 0.0 <= one.high for one in found]) >= 0.92
