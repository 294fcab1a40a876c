"""The command line: what each command writes and says, and how bad input is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.broken_inputs import BROKEN, Broken, broken_folder
from tests.command import Ran
from tests.command import run as run_command
from tests.tiny import tiny_folder

Rdsim = Callable[..., Ran]


@pytest.fixture
def rdsim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Rdsim:
    """Runs `rdsim WORDS`."""
    return lambda *words: run_command(capsys, monkeypatch, *words)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished `rdsim plan` of the tiny scenario."""
    base = tmp_path_factory.mktemp("planned")
    tiny_folder(base / "tiny")
    words = ["plan", base / "tiny", "--out", base / "run", "--replications", "12", "--seed", "5"]
    subprocess.run([sys.executable, "-m", "rdsim", *map(str, words)], check=True, capture_output=True)
    return base / "run"


# --- help ------------------------------------------------------------------------------------------


def test_help_names_every_command(rdsim: Rdsim) -> None:
    said = rdsim("--help")
    assert said.code == 0
    for command in ("new", "check", "schema", "simulate", "optimise", "plan"):
        assert command in said.out


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_broken_scenarios_end_with_code_2_and_no_traceback(rdsim: Rdsim, tmp_path: Path, broken: Broken) -> None:
    folder = broken_folder(broken, tmp_path / "broken")
    overrides = [word for override in broken.overrides for word in ("--set", override)]
    said = rdsim("check", folder, *overrides)
    assert said.code == 2, said.err
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "programmes.leap.carry_ovr=0.1"), "Did you mean 'carry_over'?"),
        (("--set", "nonsense"), "nonsense"),
        (("--replications", "1"), "replications"),
        (("--replications", "many"), "valid integer"),
        (("--seed", "-3"), "seed"),
        (("--engine", "warp"), "warp"),
        (("--solver", "magic"), "magic"),
        (("--time-limit", "0"), "time-limit"),
        (("--colour", "red"), "--colour"),
    ],
)
def test_bad_options_end_with_code_2(rdsim: Rdsim, tiny: Path, words: tuple[str, ...], says: str) -> None:
    said = rdsim("plan", tiny, *words)
    assert said.code == 2
    assert says in said.err
    assert "Traceback" not in said.err


def test_a_scenario_that_is_not_there(rdsim: Rdsim, tmp_path: Path) -> None:
    said = rdsim("plan", tmp_path / "nowhere")
    assert said.code == 2
    assert "must be a scenario folder" in said.err


def test_an_empty_folder(rdsim: Rdsim, tmp_path: Path) -> None:
    said = rdsim("check", tmp_path)
    assert said.code == 2
    assert "scenario.toml" in said.err


def test_many_faults_are_cut_short_but_counted(rdsim: Rdsim, tmp_path: Path) -> None:
    rows = "\n".join(f"X{k},x,nowhere,chip,4,5,10,,medium,80,50,,,,free,illustrative," for k in range(60))
    folder = tiny_folder(tmp_path / "many", technologies=lambda text: text + rows + "\n")
    said = rdsim("check", folder)
    assert said.code == 2
    assert "60 faults" in said.err
    assert "and 55 more like this" in said.err
    assert len(said.err.splitlines()) < 10


def test_an_output_that_cannot_be_written(rdsim: Rdsim, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/rdsim/run")):
        said = rdsim("plan", tiny, "--out", out)
        assert said.code == 2, out
        assert str(out) in said.err
        assert "Traceback" not in said.err


def test_a_folder_with_other_files_is_never_overwritten(rdsim: Rdsim, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    said = rdsim("optimise", tiny, "--out", tmp_path / "mine", "--force")
    assert said.code == 2
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("technology,partner,mode,start_year\nT9,,domestic,2024\n", "T9"),
        ("technology,partner,mode,start_year\nT1,,matching,2024\n", "needs a partner"),
        ("technology,partner,mode,start_year\nT1,US,matching,2031\n", "2031"),
        ("technology,partner,mode\nT1,US,matching\n", "start_year"),
        ("", "empty"),
    ],
)
def test_portfolios_that_do_not_fit(rdsim: Rdsim, tiny: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    said = rdsim("simulate", tiny, "--portfolio", tmp_path / "p.csv", "--out", tmp_path / "run")
    assert said.code == 2
    assert says in said.err
    assert not (tmp_path / "run").exists()


# --- what cannot be done --------------------------------------------------------------------------


def test_an_infeasible_scenario_ends_with_code_3_and_says_why(rdsim: Rdsim, tiny: Path, tmp_path: Path) -> None:
    demands = ["--set", "technologies.T5.status=must-fund", "--set", "technologies.T6.status=must-fund"]
    said = rdsim("plan", tiny, "--out", tmp_path / "run", *demands)
    assert said.code == 3
    assert "T5" in said.err
    assert "T6" in said.err
    assert not (tmp_path / "run").exists()
    assert rdsim("check", tiny, *demands).code == 3


# --- what the commands write ----------------------------------------------------------------------


def test_new_makes_a_scenario_that_can_be_planned(rdsim: Rdsim, tmp_path: Path) -> None:
    assert rdsim("new", tmp_path / "mine").code == 0
    assert rdsim("check", tmp_path / "mine").code == 0
    said = rdsim("optimise", tmp_path / "mine", "--out", tmp_path / "run")
    assert said.code == 0
    assert "proven gap" in said.out
    assert rdsim("new", tmp_path / "mine").code == 2


def test_schema_is_json(rdsim: Rdsim) -> None:
    assert "programmes" in json.loads(rdsim("schema").out)["properties"]


def test_a_plan_holds_every_file_whole(planned: Path) -> None:
    manifest = json.loads((planned / "manifest.json").read_text())
    names = {path.relative_to(planned).as_posix() for path in planned.rglob("*") if path.is_file()}
    assert {"report.html", "portfolio.csv", "outcomes.parquet", "replications.parquet", "manifest.json"} <= names
    assert set(manifest["files"]) == names - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((planned / name).read_bytes()).hexdigest() == digest


def test_the_manifest_says_what_ran_and_how_sure_it_is(planned: Path) -> None:
    manifest = json.loads((planned / "manifest.json").read_text())
    assert manifest["scenario"]["name"] == "tiny"
    assert (manifest["seed"], manifest["replications"], manifest["complete"]) == (5, 12, True)
    assert manifest["solver"]["status"] in {"optimal", "feasible"}
    assert manifest["solver"]["bound"] >= manifest["solver"]["objective"] - 1e-6
    for estimate in manifest["estimates"].values():
        assert estimate["low"] <= estimate["mean"] <= estimate["high"]
        assert estimate["n"] == 12
    rules = {"value-per-cost", "evaluation-score", "domestic-only", "random-feasible"}
    assert set(manifest["baselines"]) == {"one_shot", *rules, *(f"{rule}-at-plan-ratios" for rule in rules)}
    promises = manifest["promises"]
    assert promises["rows_held_to"]["leap"] == pytest.approx(1.2 * manifest["search"]["payment_ratio_factors"]["leap"])
    for name, rule in manifest["baselines"].items():
        assert name == "one_shot" or rule["equal_freedom"] == name.endswith("-at-plan-ratios")
        assert name == "one_shot" or (planned / "baselines" / f"{name}.csv").exists()
    awards = {(row["programme"], row["year"]): row["awards"] for row in promises["years"]}
    assert sum(awards.values()) > 0
    search = manifest["search"]
    assert search["portfolios"] == len(search["steps"])
    assert search["selection"]["probability"] == 0.95
    assert set(search["payment_ratio_factors"]) == {"leap", "base"}
    for baseline in manifest["baselines"].values():
        gap = manifest["estimates"]["npv"]["mean"] - baseline["npv"]["mean"]
        assert baseline["difference"]["mean"] == pytest.approx(gap)


def test_the_tables_agree_with_the_manifest(planned: Path) -> None:
    manifest = json.loads((planned / "manifest.json").read_text())
    names = ("outcomes", "replications", "expected")
    projects, replications, expected = (pd.read_parquet(planned / f"{name}.parquet") for name in names)
    funded = manifest["portfolio"]["funded"]
    assert len(projects) == 12 * len(funded)
    assert set(projects["technology"]) == set(funded)
    estimates = manifest["estimates"]
    assert estimates["npv"]["market_luck"] == "in expectation"
    assert estimates["paid"]["market_luck"] == "as drawn"
    own = expected[expected["policy"] == "optimised"]
    assert own["npv"].mean() == pytest.approx(estimates["npv"]["mean"])
    assert replications["paid"].mean() == pytest.approx(estimates["paid"]["mean"])
    for name, baseline in manifest["baselines"].items():
        mine = expected.loc[expected["policy"] == name, "npv"]
        assert mine.mean() == pytest.approx(baseline["npv"]["mean"])


def test_two_runs_write_the_same_bytes(rdsim: Rdsim, planned: Path, tmp_path: Path) -> None:
    words = ("--out", tmp_path / "again", "--replications", "12", "--seed", "5")
    assert rdsim("plan", tiny_folder(tmp_path / "tiny"), *words).code == 0
    first, second = (
        json.loads((folder / "manifest.json").read_text())["files"] for folder in (planned, tmp_path / "again")
    )
    drawn = ("report.html", "brief.html", "brief.svg")  # figures are numbered within a process
    assert {name: digest for name, digest in first.items() if name not in drawn} == {
        name: digest for name, digest in second.items() if name not in drawn
    }


def test_both_engines_write_the_same_tables(rdsim: Rdsim, planned: Path, tmp_path: Path) -> None:
    words = ("--portfolio", planned / "portfolio.csv", "--replications", "12", "--seed", "5", "--engine", "simpy")
    assert rdsim("simulate", tiny_folder(tmp_path / "tiny"), *words, "--out", tmp_path / "simpy").code == 0
    for name in ("outcomes.parquet", "replications.parquet", "purses.parquet"):
        assert (tmp_path / "simpy" / name).read_bytes() == (planned / name).read_bytes()


def test_a_finished_run_is_overwritten_with_force_only(rdsim: Rdsim, tiny: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "run")
    assert rdsim("optimise", tiny, *out).code == 0
    refused = rdsim("optimise", tiny, *out)
    assert refused.code == 2
    assert "--force" in refused.err
    assert rdsim("optimise", tiny, *out, "--force").code == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_without_out_the_next_free_folder_is_taken(
    rdsim: Rdsim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert rdsim("optimise", tiny).code == 0
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["tiny-optimise", "tiny-optimise-2"]


def test_overrides_are_recorded_and_change_the_digest(rdsim: Rdsim, tiny: Path, planned: Path, tmp_path: Path) -> None:
    assert rdsim("optimise", tiny, "--out", tmp_path / "run", "--set", "calibration=lenient").code == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["scenario"]["overrides"] == ["calibration=lenient"]
    assert manifest["scenario"]["digest"] != json.loads((planned / "manifest.json").read_text())["scenario"]["digest"]


def test_a_trace_tells_who_waited_for_what(rdsim: Rdsim, tiny: Path, planned: Path, tmp_path: Path) -> None:
    words = ("--portfolio", planned / "portfolio.csv", "--out", tmp_path / "run", "--replications", "3", "--trace")
    assert rdsim("simulate", tiny, *words).code == 0
    trace = pd.read_csv(tmp_path / "run" / "trace.csv")
    assert {"time", "id", "event", "detail"} <= set(trace.columns)
    assert trace["time"].is_monotonic_increasing
    assert {"starts", "tranche paid", "ends"} <= set(trace["event"])
    assert trace["event"].str.startswith("waited for").any()


def test_an_interrupted_plan_keeps_what_was_finished(
    rdsim: Rdsim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def interrupted(*args: object, **keywords: object) -> None:
        calls.append(args)
        raise KeyboardInterrupt

    monkeypatch.setattr("rdsim.plans.replication_tables", interrupted)
    said = rdsim("plan", tiny, "--out", tmp_path / "run", "--replications", "5")
    assert calls
    assert said.code == 4
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["complete"] is False
    assert "value-per-cost" in manifest["missing"]
    assert (tmp_path / "run" / "portfolio.csv").exists()
    assert (tmp_path / "run" / "outcomes.parquet").exists()


@pytest.mark.parametrize("where", ["baselines", "simulate", "fresh_worth"])
def test_an_interrupt_after_the_search_keeps_the_plan(
    rdsim: Rdsim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupted(*args: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"rdsim.plans.{where}", interrupted)
    said = rdsim("plan", tiny, "--out", tmp_path / "run", "--replications", "5")
    assert said.code == 4
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    missing = {"baselines": "simple rules", "simulate": "optimised", "fresh_worth": "fresh samples"}[where]
    assert missing in manifest["missing"]
    assert missing in said.err
    assert (tmp_path / "run" / "portfolio.csv").exists()


def test_an_interrupt_before_anything_is_finished_writes_nothing(
    rdsim: Rdsim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rdsim.search.proposals.sample", interrupted)
    said = rdsim("plan", tiny, "--out", tmp_path / "run")
    assert said.code == 130
    assert "nothing was written" in said.err
    assert not (tmp_path / "run").exists()


def test_a_problem_without_a_portfolio_is_told_its_conflict(rdsim: Rdsim, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "options.csv").write_text("option,value,weight,fixed\ntent,6,9,in\nmat,1,1,\n", encoding="utf-8")
    (folder / "rows.csv").write_text("row,cap\nweight,5\n", encoding="utf-8")
    said = rdsim("optimise", "--problem", folder, "--out", tmp_path / "out")
    assert said.code == 3
    assert "raise weight by 4" in said.err
    assert "drop option fixed in tent" in said.err
    assert not (tmp_path / "out").exists()
