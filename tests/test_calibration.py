"""Step times from records: known laws are recovered, wrong ones are noticed, and the simulation agrees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import bdtrc

from rdsim.calibration import (
    CalibrationSettings,
    Records,
    calibrate,
    check,
    fragment,
    page_of,
    read,
    study,
    terminal_lines,
)
from rdsim.calibration.fits import REFERENCE, SUCCESS, StepModel, bootstrap, fit_model, interval, success_intervals
from rdsim.calibration.likelihood import Kind, Law, gain_probabilities, window_probabilities
from rdsim.calibration.records import OUTCOMES
from rdsim.case import DAYS_PER_YEAR, attempt_success, median_years
from rdsim.domain import Calibration, Choice, Gate, Programme, Steps, Technology, Tranche, UncertaintyClass
from rdsim.errors import RecordsError
from rdsim.scenario import load
from rdsim.scenario.success import step_success, success_lines
from tests.columns import tables_of, unknown
from tests.command import run
from tests.simple import each_step, lived, plain
from tests.sizes import size
from tests.tiny import tiny_folder

ROOT = Path(__file__).parents[1]
TECHPORT = ROOT / "scenarios/records/techport_projects.csv"

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MEDIANS = (8.0, 10.0, 11.0, 12.0, 15.0, 18.0, 20.0, 14.0)
LINE = Programme(
    "Line",
    budget={2024: 100.0},
    starts={2024: 10},
    tranches=(Tranche(48.0, 1.0),),
    deadline_years=5.0,
    trl_target=9,
    gate=Gate(policy="always-pass"),
)


def lives(
    law: Law, begin: Ints, windows: Floats, rng: np.random.Generator, target: int = 9
) -> tuple[Ints, Ints, Floats]:
    """Gains, outcomes and months of simulated projects: attempt after attempt, with none of the code under test."""
    once = [float(attempt_success(np.array([one]), law.setback, law.attempts)[0]) for one in law.success]
    gain, outcome, months = np.zeros(len(begin), np.int64), np.zeros(len(begin), np.int64), np.zeros(len(begin))
    for row, (first, window) in enumerate(zip(begin.tolist(), windows.tolist(), strict=True)):
        trl, spent, ended = first, 0.0, "reached"
        while trl < target and ended == "reached":
            for _attempt in range(law.attempts):
                spent += float(rng.lognormal(np.log(law.medians[trl - 1]), law.sigma))
                succeeded = rng.random() < once[trl - 1]
                if succeeded or rng.random() >= law.setback:
                    break
            ended = "running" if spent > window else "reached" if succeeded else "failed"
            trl += ended == "reached"
        gain[row], outcome[row], months[row] = trl - first, OUTCOMES.index(ended), min(spent, window)  # type: ignore[arg-type]
    return gain, outcome, months


def gains(law: Law, begin: Ints, windows: Floats, rng: np.random.Generator) -> Ints:
    """Steps that simulated projects do."""
    return lives(law, begin, windows, rng)[0]


def simulated(count: int, seed: int, *, sigma: float = 0.6, pace: float = 0.0, partners: float = 0.0) -> Records:
    rng = np.random.default_rng(seed)
    begin = rng.integers(1, 7, count)
    months = rng.uniform(10, 60, count)
    helpers = rng.integers(1, 6, count).astype(float)
    law = Law(MEDIANS, sigma, "lognormal", (SUCCESS,) * 8)
    windows = months / ((months / REFERENCE) ** pace * (helpers / 2.0) ** partners)
    return records_of(begin, gains(law, begin, windows, rng), months, partners=helpers)


def records_of(
    begin: Ints, gain: Ints, months: Floats, outcome: Ints | None = None, partners: Floats | None = None
) -> Records:
    count = len(begin)
    told = np.full(count, -1) if outcome is None else outcome
    planned = np.where(told == OUTCOMES.index("reached"), gain, -1)
    helpers = np.full(count, np.nan) if partners is None else partners
    return Records("simulated", "", begin, gain, months, helpers, planned, 0, 0, "", told, told != 3)


EVENTUAL = (0.95, 0.9, 0.85, 0.75, 0.7, 0.8, 0.9, 0.95)


def told_records(count: int, seed: int, *, longest: float = 90.0, planned_ends: bool = False) -> Records:
    """Projects from TRL 3 to 5 that aim at TRL 7, some still under way, with their outcomes."""
    rng = np.random.default_rng(seed)
    begin, windows = rng.integers(3, 6, count), rng.uniform(12.0, longest, count)
    law = Law((14.0,) * 8, 0.6, "lognormal", EVENTUAL)
    gain, outcome, months = lives(law, begin, windows, rng, target=7)
    return records_of(begin, gain, windows if planned_ends else months, outcome)


def test_what_is_identified_is_recovered_from_simulated_records() -> None:
    records = simulated(4000, 1, pace=0.5, partners=0.2)
    found = fit_model(records, StepModel("steps"))
    assert found.identified.times[:6] == (1, 2, 3, 4, 5, 6)
    assert np.array(found.law.medians[:6]) == pytest.approx(np.array(MEDIANS[:6]), rel=0.1)
    assert found.law.sigma == pytest.approx(0.6, rel=0.12)
    assert found.pace == pytest.approx(0.5, abs=0.1)
    assert found.partners == pytest.approx(0.2, abs=0.06)


def test_bootstrap_intervals_narrow_with_more_records() -> None:
    widths = []
    for count in (300, 2400):
        records = simulated(count, 7)
        best = fit_model(records, StepModel("same", pace=False, partners=False))
        again = bootstrap(records, best, 40, 1, lambda _more: None)
        told = interval([one.law.sigma for one in again], best.law.sigma)
        assert told.n == 40
        widths.append(told.high - told.low)
    assert widths[1] < 0.6 * widths[0]


def test_bootstrap_spreads_are_those_of_estimates_from_other_records() -> None:
    model, truth = StepModel("steps", pace=False, partners=False), np.log(MEDIANS[:5])
    records = [simulated(500, seed) for seed in range(1, 13)]
    fits = [fit_model(one, model) for one in records]
    again = bootstrap(records[0], fits[0], 25, 1, lambda _more: None)
    spread = np.log([one.law.medians[:5] for one in again]).std(axis=0, ddof=1)
    errors = np.log([one.law.medians[:5] for one in fits]) - truth
    # Standard deviations of 12 and of 25 values: their ratio is known to a third at most.
    assert np.all(spread / errors.std(axis=0, ddof=1) > 0.6)
    assert np.all(spread / errors.std(axis=0, ddof=1) < 2.5)
    assert (abs(errors / spread) < 1.96).mean() > 0.9


@pytest.mark.parametrize("kind", ["lognormal", "gamma"])
def test_the_simulation_moves_projects_as_the_fit_says(kind: Kind) -> None:
    # The engines know nothing of convolutions: projects without waiting live for a window, and their TRLs are counted.
    medians, sigma, success = (12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0), 0.7, 0.9
    law = Law(medians, sigma, kind, (success,) * 8, setback=0.5, attempts=3)
    count, replications, years = 6, 3000, 4
    names = [f"T{trl}" for trl in range(1, count + 1)]
    goal = {name: Technology(name, name, "line", "f", trl=k, cost=1.0, value=1.0, trl_target=9)
            for k, name in enumerate(names, start=1)}  # fmt: skip
    for trl, name in enumerate(names, start=1):
        # Each project's steps succeed with the same probability, as the fit takes it.
        scenario = plain(
            {name: goal[name]},
            LINE,
            horizon_year=2024 + years - 1,
            steps=each_step(
                success,
                median_years=tuple(m / 12 for m in medians),
                distribution=kind,
                setback_probability=0.5,
                attempts=3,
            ),
            uncertainty={"medium": UncertaintyClass(sigma, 0.0)},
        )
        _, _, outcomes = lived(scenario, Choice(name, start_year=2024), replications=replications)
        start = float(outcomes.start_day[0, 0])
        months = (years * DAYS_PER_YEAR - start) / DAYS_PER_YEAR * 12
        seen = np.bincount(outcomes.trl[:, 0] - trl, minlength=9) / replications
        told = gain_probabilities(law, np.array([trl]), np.array([months]))[0]
        # Days are whole, and a step takes at least one: a fiftieth of a step at most beside the sampling error.
        assert np.abs(seen - told).max() < 4 * 0.5 / np.sqrt(replications) + 0.004, (trl, seen, told)


def test_a_finer_grid_changes_no_probability() -> None:
    law = Law(MEDIANS, 0.8)
    begin, windows = np.array([1, 3, 6]), np.array([12.0, 36.0, 60.0])
    coarse, fine = (gain_probabilities(law, begin, windows, grid) for grid in (0.5, 0.05))
    assert np.abs(coarse - fine).max() < 0.002
    assert coarse.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_the_shipped_records_agree_with_their_fit_and_not_with_another() -> None:
    records = read(TECHPORT)
    best = fit_model(records, StepModel("line"))
    assert records.count == 254
    good = check([], best, records, records, 1)
    assert good.is_passed
    assert good.inside == len(good.gains)
    slow = replace(best, parameters=best.parameters + np.array([0.5, 0, 0, 0, 0]))
    assert not check([], slow, records, records, 1).is_passed


def test_half_of_the_records_foretells_the_other() -> None:
    records = read(TECHPORT)
    order = np.random.default_rng(5).permutation(records.count)
    half, rest = records.some(order[::2]), records.some(order[1::2])
    best = fit_model(half, StepModel("line"))
    found = check(bootstrap(half, best, 20, 1, lambda _more: None), best, half, rest, 1)
    assert found.is_passed
    assert found.mean[1] <= found.observed_mean <= found.mean[2]
    assert found.projects == rest.count == 127


def test_projects_that_stop_at_their_plan_are_fitted_as_such() -> None:
    free = simulated(3000, 11)
    planned = np.minimum(2, 9 - free.begin)
    stopped = replace(free, planned=planned, gain=np.minimum(free.gain, planned))
    right = fit_model(stopped, StepModel("same", pace=False, partners=False, stops_at_plan=True))
    wrong = fit_model(stopped, StepModel("same", pace=False, partners=False))
    truth = fit_model(free, StepModel("same", pace=False, partners=False))
    assert right.law.medians[0] == pytest.approx(truth.law.medians[0], rel=0.1)
    assert wrong.law.medians[0] > 1.15 * truth.law.medians[0]
    assert right.gains(stopped)[:, 3:].max() == 0.0
    assert right.gains(stopped).sum(axis=1) == pytest.approx(1.0)


# --- success --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("planned_ends", "longest"), [(False, 90.0), (True, 90.0), (False, 40.0)])
def test_success_is_recovered_from_records_that_say_how_projects_ended(planned_ends: bool, longest: float) -> None:
    records = told_records(size(600, 6000), 1, planned_ends=planned_ends, longest=longest)
    model = StepModel("same", pace=False, partners=False, planned_ends=planned_ends)
    found = fit_model(records, model)
    assert found.identified.success == (3, 4, 5, 6)
    intervals = success_intervals(records, found)
    for trl, one in intervals.items():
        # Twelve intervals are looked at: 3.5 standard errors, of which an interval has 3.92.
        assert abs(one.mean - EVENTUAL[trl - 1]) < 3.5 / 3.92 * (one.high - one.low), (trl, one)
        assert one.high - one.low < (0.2 if longest > 50 else 0.3)
    assert found.law.success[:2] == (SUCCESS, SUCCESS)
    assert found.law.medians[0] == pytest.approx(14.0, rel=0.1)
    assert np.sum(found.gains(records), axis=1) == pytest.approx(1.0)


def test_intervals_of_success_cover_the_truth_at_the_counts_used() -> None:
    inside = []
    for seed in range(size(4, 100)):
        records = told_records(80, 100 + seed, longest=60.0)
        best = fit_model(records, StepModel("same", pace=False, partners=False))
        told = success_intervals(records, best)
        inside += [one.low <= EVENTUAL[trl - 1] <= one.high for trl, one in told.items()]
    # So many misses or more, of intervals at 95%, would have a probability of 0.005 at least.
    assert bdtrc(inside.count(False) - 1, len(inside), 0.05) > 0.005


def test_a_likelihood_by_hand() -> None:
    # One attempt a step, success 0.8, all attempts as good as instantaneous: outcomes have the probabilities of a walk.
    law = Law((0.02,) * 8, 0.1, "lognormal", (0.8,) * 8, setback=0.0, attempts=1)
    found = window_probabilities(law, np.array([6]), np.array([24.0]))
    assert found.at_least[0, :4] == pytest.approx([1.0, 0.8, 0.64, 0.512])
    assert found.failed[0, :4] == pytest.approx([0.2, 0.16, 0.128, 0.0])
    # With setbacks, 0.8 in the end is the same 0.8, and so are the failures.
    again = Law((0.02,) * 8, 0.1, "lognormal", (0.8,) * 8, setback=0.5, attempts=3)
    assert window_probabilities(again, np.array([6]), np.array([24.0])).failed[0, :3] == pytest.approx(
        [0.2, 0.16, 0.128]
    )
    assert again.failure_weights(0.8).sum() == pytest.approx(0.2)


def test_success_that_nobody_tells_of_stays_assumed_and_is_bounded() -> None:
    records = read(TECHPORT)
    best = fit_model(records, StepModel("line"))
    assert best.identified.success == ()
    assert success_intervals(records, best) == {}
    assert set(best.law.success) == {SUCCESS}
    assert records.failures().sum() == 0
    # Projects that ended short of their plan, or had none, by where they stood: 214 have a plan, and 156 came to it.
    short = (records.planned < 0) | (records.gain < records.planned)
    assert records.open_ends().sum() == (short & records.ended & (records.begin + records.gain < 9)).sum()


def outcome_csv(path: Path, records: Records) -> Path:
    """Records as a file, a third of the outcomes left out."""
    lines = ["trl_begin,trl_current,months,outcome"]
    for row, (first, gain, months) in enumerate(zip(records.begin, records.gain, records.months, strict=True)):
        outcome = "" if row % 3 == 0 else OUTCOMES[int(records.outcome[row])]
        lines.append(f"{first},{first + gain},{max(months, 0.1):.2f},{outcome}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_fitted_success_goes_into_a_calibration_that_nothing_shifts(tmp_path: Path) -> None:
    file = outcome_csv(tmp_path / "mine.csv", told_records(90, 4, longest=40.0))
    asked = CalibrationSettings("lognormal", bootstrap=2, success=0.9)
    found = calibrate(file, asked)
    assert set(found.success) == set(found.best.identified.success) >= {4, 5}
    assert found.records.has_outcome.sum() == 60
    text = fragment(found)
    assert "development_success" not in text
    lines = "\n".join(terminal_lines(found))
    assert "Eventual success of a step from TRL" in lines
    assert "From TRL 1, 2" in lines
    assert found.check.is_passed
    told = study(found)
    assert unknown(told, tables_of(told)) == []
    scenario = load(tiny_folder(tmp_path / "tiny", scenario=lambda old: old + "\n" + text), ["calibration=mine"])
    kind = step_success(scenario)
    assert kind.shift == 0.0
    assert kind.of_kind(5) == round(found.success[5].mean, 3)
    assert kind.of_kind(1) == Steps().success[0]
    told = "\n".join(success_lines(scenario))
    assert f"{found.success[5].mean:.3f}+" in told
    assert "+ derived" in told
    assert page_of(found).sections[1].title == "Success"


def test_outcomes_that_contradict_their_rows_are_faults(tmp_path: Path) -> None:
    head = "trl_begin,trl_current,trl_planned_end,start,end,outcome"
    rows = {
        "a": "3,4,4,2020-01,2022-01,lost",
        "b": "3,9,9,2020-01,2022-01,failed",
        "c": "3,4,5,2020-01,2022-01,reached",
    }
    path = tmp_path / "p.csv"
    path.write_text("\n".join([head, *["3,4,4,2020-01,2022-01,reached"] * 30, *rows.values()]) + "\n")
    with pytest.raises(RecordsError) as caught:
        read(path)
    for piece in (
        "row 32, column outcome",
        "row 33, column outcome",
        "row 34, column outcome",
        "below trl_planned_end",
    ):
        assert piece in str(caught.value), piece
    path.write_text("\n".join([head, *["3,4,,2020-01,2022-01,failed"] * 30]) + "\n")
    assert read(path).failures().tolist() == [0, 0, 0, 30, 0, 0, 0, 0]
    with pytest.raises(RecordsError, match="cannot be known at the last look, 2021-06"):
        read(path, "2021-06")


# --- records --------------------------------------------------------------------------------------


def written(path: Path, rows: int = 30, head: str = "trl_begin,trl_current,start,end,status", **cells: str) -> Path:
    width = len(head.split(","))
    lines = [head, *[",".join(["3", "4", "2020-01", "2022-01", "Completed"][:width])] * rows, *cells.values()]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_projects_that_have_not_ended_are_observed_until_the_last_look(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", active="2,2,2020-01,2030-01,Active", later="2,2,2022-06,2024-01,Active")
    found = read(path)
    assert (found.count, found.cut, found.left_out, found.as_of) == (31, 2, 1, "2022-01")
    assert found.months[-1] == 24.0
    assert read(path, "2023-01").months[-1] == 7.0
    assert read(path, "2023-01").months[-2] == 36.0


def test_every_fault_of_the_records_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", a="0,4,2020-01,2022-01,x", b="5,4,2020-01,2022-01,x", c="3,4,20,2019-01,x",
                   d="3,4,2020-01,2019-13,x", e="3,4,2021-01,2020-01,x")  # fmt: skip
    with pytest.raises(RecordsError) as caught:
        read(path)
    told = str(caught.value)
    for piece in ("row 32, column trl_begin", "row 33, column trl_current", "row 34, column start",
                  "row 35, column end", "row 36, column end"):  # fmt: skip
        assert piece in told, piece
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("trl_start,trl_current,months", 30, "trl_begin"),
        ("trl_begin,trl_current,start", 30, "months"),
        ("trl_begin,trl_current,start,end,status", 5, "at least 20"),
    ],
)
def test_records_that_cannot_be_fitted_are_refused(tmp_path: Path, head: str, rows: int, said: str) -> None:
    with pytest.raises(RecordsError, match=said):
        read(written(tmp_path / "p.csv", rows, head))


# --- as a user ------------------------------------------------------------------------------------


WORDS = ("calibrate", TECHPORT, "--bootstrap", "20", "--distribution", "lognormal", "--test", TECHPORT)


def test_the_command_writes_a_calibration_that_a_scenario_can_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsys, monkeypatch, *WORDS, "--out", tmp_path / "one")
    assert ran.code == 0, ran.err
    assert "slow cannot be told from failed" in ran.out.lower()
    assert "association" in ran.out
    assert "which were not fitted" in ran.out
    assert (tmp_path / "one/report.html").stat().st_size > 10_000
    text = (tmp_path / "one/calibration.toml").read_text()
    assert "assumed: from TRL 7, 8" in text
    folder = tiny_folder(tmp_path / "tiny", scenario=lambda old: old + "\n" + text)
    scenario = load(folder, ["calibration=techport"])
    years = scenario.calibrations["techport"].median_years
    assert years is not None
    assert median_years(scenario, "chip", 3) == years[2]
    assert years[6:] == Steps().median_years[6:]
    assert median_years(load(folder), "chip", 3) == load(folder).steps.median_years[2]


def test_the_same_records_give_the_same_calibration(tmp_path: Path) -> None:
    file = outcome_csv(tmp_path / "mine.csv", told_records(60, 4, longest=40.0))
    asked = CalibrationSettings("lognormal", bootstrap=2)
    one, two = (calibrate(file, asked) for _ in range(2))
    assert fragment(one) == fragment(two)
    assert list(terminal_lines(one)) == list(terminal_lines(two))
    assert all(table.equals(tables_of(study(two))[name]) for name, table in tables_of(study(one)).items())


def test_a_calibration_of_its_own_times_changes_what_is_simulated(tmp_path: Path) -> None:
    own = Calibration(1.0, median_years=(0.8,) * 8, duration_sigma=0.0)
    for calibration, days in ((Calibration(1.0), 2 * 180), (own, 2 * 288)):
        _, _, outcomes = lived(plain(calibrations={"only": calibration}), Choice("T", start_year=2024))
        assert outcomes.trl_day[0, 0, 5] - outcomes.start_day[0, 0] == pytest.approx(days, abs=2)
    spread = replace(own, duration_sigma=0.5)
    _, luck, _ = lived(plain(calibrations={"only": spread}), Choice("T", start_year=2024), replications=200)
    logs = np.log(luck.step_days[:, 0, 3, 0])
    assert logs.std() == pytest.approx(0.5, rel=0.15)


def test_a_missing_file_and_a_bad_month_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsys, monkeypatch, "calibrate", tmp_path / "none.csv")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    ran = run(capsys, monkeypatch, "calibrate", TECHPORT, "--as-of", "yesterday")
    assert ran.code == 2
    assert "--as-of" in ran.err


def test_python_gives_what_the_command_gives(tmp_path: Path) -> None:
    found = calibrate(TECHPORT, CalibrationSettings("gamma", bootstrap=size(5, 20), months=60.0))
    assert found.best.model.kind == "gamma"
    assert 'distribution = "gamma"' in fragment(found)
    assert "--months 60" in fragment(found)
    assert found.medians[2].low < found.medians[2].mean < found.medians[2].high
    assert found.lowest_success < 0.95
