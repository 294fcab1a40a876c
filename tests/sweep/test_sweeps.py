"""Sweeps as a user runs them: the same bytes from every backend, resumed, extended, reported, and refused."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim.errors import ExperimentError, OutputError, SweepError
from rdsim.portfolio import write as write_portfolio
from rdsim.simulation import replicate
from rdsim.sweep import manifest_of, prepare, read, read_sweep, run
from rdsim.sweep import store as stores
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.page import write_report
from tests.command import Ran
from tests.command import run as command
from tests.sweep.files import bytes_of, write


@pytest.fixture
def file(tiny: Path, tmp_path: Path) -> Path:
    return write(tmp_path, tiny)


def test_a_row_is_what_a_simulation_of_its_scenario_says(file: Path, tiny: Path) -> None:
    found = read(file).run().table
    base = rdsim.load(tiny)
    policies = {name: prepare(read(file)).decide(name, 1) for name in ("value-per-cost", "domestic-only")}
    for row in found.iloc[[0, 5, 15]].to_dict("records"):
        rates = {f"partners.{code}.break_rate": one.break_rate * row["breaks"] for code, one in base.partners.items()}
        gain = {"partner_effect.duration_gain": row["partner_effect.duration_gain"]}
        world = rdsim.load(tiny, {**rates, **gain})
        table = replicate(world, policies[row["policy"]], replications=20)
        assert row["npv"] == table["npv"].mean()
        assert row["npv >= 0"] == (table["npv"] >= 0).mean()
        assert list(row["samples"]) == table["npv"].tolist()
        assert row["n"] == 20


def test_the_same_bytes_whatever_the_workers_and_their_number(file: Path, tmp_path: Path) -> None:
    """Of Dask `test_crashes` tells, which starts a scheduler."""
    experiment = read(file)
    run(experiment, tmp_path / "here")
    for jobs in (2, 4):
        run(experiment, tmp_path / f"jobs{jobs}", jobs=jobs)
        assert bytes_of(tmp_path / f"jobs{jobs}") == bytes_of(tmp_path / "here")
    with ThreadPoolExecutor(3) as pool:
        run(experiment, tmp_path / "threads", executor=pool)
    assert bytes_of(tmp_path / "threads") == bytes_of(tmp_path / "here")


def test_what_is_done_is_never_done_again_and_more_points_take_it_up(file: Path, tiny: Path, tmp_path: Path) -> None:
    assert run(read(file), tmp_path / "out").manifest["tasks_of_this_run"] == 16
    assert run(read(file), tmp_path / "out").manifest["tasks_of_this_run"] == 0
    more = read(write(tmp_path, tiny, points=16))
    assert run(more, tmp_path / "out").manifest["tasks_of_this_run"] == 16
    run(more, tmp_path / "fresh")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "fresh")


def test_equal_content_is_one_task_and_other_content_another(tiny: Path, tmp_path: Path) -> None:
    gain = rdsim.load(tiny).partner_effect.duration_gain
    same = rdsim.Experiment(
        str(tiny), factors={"partner_effect.duration_gain": [gain, 0.4]}, policy="value-per-cost", replications=10,
        design="one-at-a-time",
    )  # fmt: skip
    found = run(same, tmp_path / "out")
    assert (len(found.table), found.manifest["tasks_of_this_run"]) == (3, 2)
    assert found.table["key"].iloc[0] == found.table["key"].iloc[1] != found.table["key"].iloc[2]
    for change in ({"replications": 11}, {"seed": 2}, {"policy": "domestic-only"}, {"metrics": ("lapsed",)}):
        other = rdsim.Experiment(
            str(tiny), **{"policy": "value-per-cost", "replications": 10, **change}  # type: ignore[arg-type]
        )  # fmt: skip
        assert run(other, tmp_path / "out", force=True).manifest["tasks_of_this_run"] == 1


def test_points_have_the_same_luck_or_each_its_own(tiny: Path) -> None:
    settings = {"factors": {"name": ["a", "b"]}, "policy": "value-per-cost", "replications": 10, "paired": True}
    common = rdsim.Experiment(str(tiny), **settings).run().table  # type: ignore[arg-type]
    assert list(common["samples"].iloc[0]) == list(common["samples"].iloc[1])
    own = rdsim.Experiment(str(tiny), common_random_numbers=False, **settings).run().table  # type: ignore[arg-type]
    assert list(own["samples"].iloc[0]) != list(own["samples"].iloc[1])


def test_an_experiment_without_factors_has_one_point_with_its_replications(tiny: Path) -> None:
    found = rdsim.Experiment(str(tiny), policy="domestic-only", replications=30).run()
    assert len(found.table) == 1
    assert found.table["n"].iloc[0] == 30


def test_a_scenario_in_memory_and_a_portfolio_of_a_file(tiny: Path, tmp_path: Path) -> None:
    scenario = rdsim.load(tiny)
    chosen = rdsim.optimise(scenario, samples=20).portfolio
    write_portfolio(chosen, tmp_path / "mine.csv")
    found = rdsim.Experiment(scenario, policy="mine.csv", replications=30, folder=str(tmp_path)).run()
    assert found.table["npv"].iloc[0] == replicate(scenario, chosen, replications=30)["npv"].mean()


@pytest.mark.parametrize("task", ["simulate", "optimise"])
def test_portfolios_by_name_stand_beside_rules(task: str, tiny: Path, tmp_path: Path) -> None:
    scenario = rdsim.load(tiny)
    chosen = rdsim.optimise(scenario, samples=20).portfolio
    write_portfolio(chosen, tmp_path / "a-long-name.csv")
    found = rdsim.Experiment(
        scenario,
        task=task,  # type: ignore[arg-type]
        portfolios={"mine": "a-long-name.csv"},
        factors={"policy": {"policies": ["mine", "domestic-only"]}, "discount_rate": [0.0, 0.1]},
        replications=30,
        folder=str(tmp_path),
    ).run()
    mine = found.table[found.table["policy"] == "mine"]
    for rate, npv in zip(mine["discount_rate"], mine["npv"], strict=True):
        world = replace(scenario, discount_rate=float(rate))
        assert npv == replicate(world, chosen, replications=30)["npv"].mean()


def test_how_much_better_is_told_by_cells_of_the_factors_that_move_it(tiny: Path, tmp_path: Path) -> None:
    factors = {"gain": {"paths": ["partner_effect.duration_gain"], "values": [0.0, 0.4]}, "discount_rate": [0.0, 0.1]}
    policy = {"policies": ["one-shot", "domestic-only"]}
    run(rdsim.Experiment(str(tiny), factors={"policy": policy, **factors}, replications=20), tmp_path / "out")
    table, manifest = read_sweep(tmp_path / "out"), manifest_of(tmp_path / "out")
    analysis = Analysis(table, manifest, "npv")
    assert sorted(analysis.movers("one-shot", "domestic-only")) == ["discount_rate", "gain"]
    cells = analysis.contrast_by_cell("gain", "discount_rate", "one-shot", "domestic-only")
    wide = table.pivot_table(index=["gain", "discount_rate"], columns="policy", values="npv")
    told = {(float(row.x), float(row.y)): row.mean for row in cells.itertuples(index=False)}
    assert told == pytest.approx((wide["one-shot"] - wide["domestic-only"]).to_dict())
    assert "How much more has one-shot than domestic-only?" in write_report(tmp_path / "out").read_text("utf-8")


def test_a_factor_named_as_a_column_is_refused_in_an_older_sweep_too(tiny: Path, tmp_path: Path) -> None:
    factors = {"rate": {"paths": ["discount_rate"], "values": [0.0, 0.1]}}
    run(rdsim.Experiment(str(tiny), factors=factors, replications=20, policy="domestic-only"), tmp_path / "out")
    told = tmp_path / "out" / "sweep.json"
    manifest = json.loads(told.read_text("utf-8"))
    manifest["factors"]["world"] = manifest["factors"].pop("rate")
    told.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ExperimentError, match="must not have the name of another column"):
        write_report(tmp_path / "out")


@pytest.mark.parametrize("task", ["optimise", "plan", "rolling"])
def test_tasks_that_choose_tell_what_they_chose(task: str, tiny: Path) -> None:
    settings = {"optimiser.samples": 20, "optimiser.search.rounds": 1, "optimiser.search.replications": 20}
    settings |= {"optimiser.search.most_replications": 100, "programmes.leap.budget.2028": 7}
    # What is discounted is worth something, whatever the luck of so few samples and replications.
    settings |= {"technologies.*.value": 1000, "technologies.T2.market_probability": 1.0}
    settings |= {"calibrations.strict.market_probability": 1.0}
    experiment = rdsim.Experiment(
        str(tiny), task=task, settings=settings, replications=20, factors={"discount_rate": [0.0, 0.1]}  # type: ignore[arg-type]
    )  # fmt: skip
    found = experiment.run().table
    assert (found["status"] == "done").all(), found["error"].tolist()
    assert (found["funded"] > 0).all()
    assert [len(text.split("|")) for text in found["technologies"]] == found["funded"].tolist()
    if task == "rolling":
        assert np.allclose(found["flexibility"], found["rolling"] - found["static"])
    else:
        assert found["npv"].iloc[0] > found["npv"].iloc[1]


# --- failures -------------------------------------------------------------------------------------


def test_one_bad_point_is_a_row_and_stops_no_other(tiny: Path, tmp_path: Path) -> None:
    """The portfolio, decided in the scenario as it stands, is refused where a partner of it is barred."""
    experiment = rdsim.Experiment(
        str(tiny),
        factors={
            "rule": {
                "cases": {
                    "as announced": {},
                    "without Germany": {"technologies.T2.partners_barred": ["DE"]},
                }
            }
        },
        policy="value-per-cost",
        replications=10,
    )
    found = run(experiment, tmp_path / "out", partial=True)
    failed = found.table["status"] == "failed"
    assert not found.complete
    assert 0 < failed.sum() < len(found.table)
    assert found.table.loc[failed, "error"].str.len().min() > 10
    assert found.table.loc[failed, "npv"].isna().all()
    assert run(experiment, tmp_path / "out", partial=True).manifest["tasks_of_this_run"] == 0
    again = run(experiment, tmp_path / "out", retry_failed=True, partial=True)
    assert again.manifest["tasks_of_this_run"] == failed.sum()


@pytest.mark.parametrize("resumed", [False, True])
def test_a_rule_that_the_call_does_not_allow_stands_beside_those_that_it_does(
    tiny: Path, tmp_path: Path, resumed: bool
) -> None:
    """Domestic projects where a foreign partner is required: decided once, kept, read again in a world of theirs."""
    required = {f"programmes.{line}.foreign_partner_required": True for line in ("leap", "base")}
    dropped = {f"programmes.{line}.fallback": "drop" for line in ("leap", "base")}
    experiment = rdsim.Experiment(
        str(tiny),
        settings={**required, **dropped},
        factors={"policy": {"policies": ["one-shot", "domestic-only"]}},
        replications=10,
    )
    found = run(experiment, tmp_path / "out")
    if resumed:
        shutil.rmtree(tmp_path / "out" / "parts")
        (tmp_path / "out" / "results.parquet").unlink()
        found = run(experiment, tmp_path / "out")
    assert found.complete
    assert (found.table["npv"] != 0).all()
    assert found.manifest["barred"] == ["domestic-only"]
    assert "domestic-only: not allowed by the call" in write_report(tmp_path / "out").read_text("utf-8")


def test_a_damaged_part_is_set_aside_done_again_and_told(file: Path, tmp_path: Path) -> None:
    run(read(file), tmp_path / "out")
    whole = bytes_of(tmp_path / "out")
    part = sorted((tmp_path / "out" / "parts").iterdir())[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(bytes(data))
    found = run(read(file), tmp_path / "out")
    assert found.manifest["damaged"] == [part.name]
    assert found.manifest["tasks_of_this_run"] > 0
    assert bytes_of(tmp_path / "out") == whole
    assert (tmp_path / "out" / "damaged" / part.name).exists()


def test_files_that_are_not_a_sweeps_stay(file: Path, tmp_path: Path) -> None:
    """Names that a sweep uses are its own only in the folder of a sweep, and parts only if they are named as parts."""
    for name in ("results.parquet", "report.html"):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / name).write_text("mine")
        with pytest.raises(OutputError, match="files that are not a sweep's"):
            run(read(file), tmp_path / "mine")
        assert [(one.name, one.read_text()) for one in (tmp_path / "mine").iterdir()] == [(name, "mine")]
        (tmp_path / "mine" / name).unlink()
    run(read(file), tmp_path / "out")
    (tmp_path / "out" / "parts" / "mine.parquet").write_text("mine")
    found = run(read(file), tmp_path / "out")
    assert (tmp_path / "out" / "parts" / "mine.parquet").read_text() == "mine"
    assert found.manifest["damaged"] == []
    assert read_sweep(tmp_path / "out").attrs["complete"]


@pytest.mark.parametrize("room", [1, 2, 3])
def test_a_full_disk_ends_it_with_what_is_done_and_it_goes_on(
    room: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(read(file), tmp_path / "whole")
    real, left = stores.write_whole, [room]

    def write_until_full(path: Path, data: bytes) -> None:
        if path.suffix == ".parquet":
            if not left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= 1
        real(path, data)

    monkeypatch.setattr(stores, "write_whole", write_until_full)
    monkeypatch.setattr("rdsim.sweep.runner.write_whole", write_until_full)
    monkeypatch.setattr("rdsim.sweep.runner._LARGEST", 3)
    with pytest.raises(SweepError, match=r"No space left on device; .* points are kept"):
        run(read(file), tmp_path / "out")
    told = manifest_of(tmp_path / "out")
    assert "No space left" in told["stopped"]
    assert (told["complete"], told["done"] > 0, told["missing"] > 0) == (False, True, True)
    left[0] = 1000
    found = run(read(file), tmp_path / "out")
    assert found.manifest["tasks_of_this_run"] == told["missing"]
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


# --- the command line -----------------------------------------------------------------------------


def rdsim_sweep(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> Ran:
    return command(capsys, monkeypatch, "sweep", *words)


def test_the_command_runs_reports_and_says_what_it_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path
) -> None:
    ran = rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path / "out", "--jobs", 1)
    assert ran.code == 0, ran.err
    assert "16 points of 20 replications each, all done." in ran.out
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Does the partner effect matter?" in page
    assert "Which policy, and where" in page
    ran = rdsim_sweep(capsys, monkeypatch, "report", tmp_path / "out", "--metric", "npv >= 0")
    assert ran.code == 0, ran.err
    ran = rdsim_sweep(capsys, monkeypatch, "report", tmp_path / "out", "--metric", "npw")
    assert (ran.code, "npv" in ran.err) == (2, True)


def test_a_dry_run_counts_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path
) -> None:
    ran = rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path / "out", "--dry-run", "--points", 32)
    assert ran.code == 0, ran.err
    assert "64 points, 64 tasks not done yet" in ran.out
    assert not (tmp_path / "out").exists()
    # The folder of the experiment file is none of a sweep's: said before an hour is spent, not after.
    ran = rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path, "--dry-run")
    assert (ran.code, "must be new, empty, or hold an earlier sweep" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenario = 'nowhere'", "nowhere"),
        ("task = 'simulat'", "scenario: is required"),
        ("scenario = '{tiny}'\ndesing = 'grid'", "Did you mean 'design'?"),
        ("scenario = '{tiny}'\npolicy = 'value-per-cots'", "Did you mean 'value-per-cost'?"),
        ("scenario = '{tiny}'\nmetrics = ['npw']", "Did you mean 'npv'?"),
        ("scenario = '{tiny}'\n[factors.'partner_effect.gap_bets']\nvalues = [1]", "Did you mean 'gap_best'?"),
        ("scenario = '{tiny}'\n[factors.'partner_effect.gap_best']\nrange = [0, 1000]", "from -200 to 200"),
        ("scenario = '{tiny}'\ndesign = 'sobol'\n[factors.'partner_effect.gap_best']\nrange = [0, 9]", "points"),
        ("scenario = '{tiny}'\ndesign = 'list'", "[[list]]"),
        ("scenario = '{tiny}'\n[factors.error]\npaths = ['discount_rate']\nvalues = [0.1]", "name of another column"),
        ("scenario = '{tiny}'\n[factors.x.cases.one]\n'nothing.*.more' = 1", "unknown path: the scenario has no"),
        ("scenario = '{tiny}'\ntask = 'plan'\n[factors.p]\npolicies = ['one-shot']", "policy"),
        ("scenario = '{tiny}'\npolicy = 'mine'\n[portfolios]\nmine = 'none.csv'", "none.csv"),
        ("scenario = '{tiny}'\npolicy = 'mien'\n[portfolios]\nmine = 'none.csv'", "Did you mean 'mine'?"),
        ("scenario = '{tiny}'\n[portfolios]\none-shot = 'none.csv'", "name of a rule"),
        ("scenario = '{tiny}'\n[factors.f.cases.one]\n'partnrs.*.places' = 1", "Did you mean 'partners'?"),
        ("scenario = '{tiny}'\n[set]\n'partners.*.placs' = 1", "Did you mean 'places'?"),
        ("scenario = '{tiny}'\nplugins = ['none.py']", "none.py"),
        ("scenario = [", "TOML"),
    ],
)
def test_bad_experiments_are_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tiny: Path,
    tmp_path: Path,
    text: str,
    told: str,
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text.replace("{tiny}", tiny.as_posix()), "utf-8")
    ran = rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path / "out")
    assert ran.code == 2
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_sweeps_is_left_alone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(OutputError):
        run(read(file), tmp_path / "other")
    with pytest.raises(ExperimentError):
        read_sweep(tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["mine.txt"]


def test_a_partial_sweep_is_readable_says_so_and_ends_with_code_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("rdsim.sweep.runner._LARGEST", 2)
    from rdsim.sweep import runner  # noqa: PLC0415

    real, calls = runner.perform, []

    def interrupted(*words: object) -> object:
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "perform", interrupted)
    ran = rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path / "out", "--jobs", 1)
    assert ran.code == 4, ran.err
    assert "PARTIAL" in ran.out
    table = read_sweep(tmp_path / "out")
    assert not table.attrs["complete"]
    assert {"done", "missing"} == set(table["status"])
    assert json.loads((tmp_path / "out" / "sweep.json").read_text("utf-8"))["stopped"] == "interrupted"
    monkeypatch.setattr(runner, "perform", real)
    assert rdsim_sweep(capsys, monkeypatch, file, "--out", tmp_path / "out", "--jobs", 1).code == 0
    assert isinstance(read_sweep(tmp_path / "out"), pd.DataFrame)
