"""`rdsim bench` as it is typed: what it writes and says, portfolios from anywhere, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from rdsim import portfolio as portfolios
from rdsim.scenario import load
from tests.command import draw_here, quietly, run
from tests.tiny import tiny_folder

QUICK = ("--quick", "--rolled", "0", "--worlds", "crowded", "--one-shot", "--batches", "0", "--repeats", "0")


@pytest.fixture(scope="module")
def written(tiny: Path, files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "bench"
    code = quietly("bench", tiny, "--quick", "--portfolio", files[0], "--portfolio", files[1], "--out", folder)
    assert code == 0
    return folder


def test_a_benchmark_is_a_run_like_all_others(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"]
    assert manifest["study"] == "bench"
    assert {"machine", "bench", "versions", "seed"} <= manifest.keys()
    assert manifest["machine"]["cores"] >= 1
    assert (written / "report.html").stat().st_size > 10_000
    assert {"ranks.csv", "regrets.csv", "rivals.csv", "tables.xlsx", "measurements.parquet"} <= manifest["files"].keys()
    assert "portfolios/mine.csv" in manifest["files"]


def test_every_number_that_was_measured_is_kept(written: Path) -> None:
    table = pd.read_parquet(written / "measurements.parquet")
    assert list(table.columns) == ["scenario", "digest", "seed", "what", "world", "subject", "number", "amount"]
    ranks = pd.read_csv(written / "ranks.csv")
    for row in ranks.itertuples():
        mine = table[(table["what"] == "value") & (table["world"] == "as-stated") & (table["subject"] == row.entrant)]
        assert mine["amount"].mean() == pytest.approx(row.value)
    assert (table["what"] == "seconds").any()


def test_the_workbook_has_a_sheet_for_each_table(written: Path) -> None:
    book = openpyxl.load_workbook(written / "tables.xlsx", read_only=True)
    assert {"Ranks", "Regrets", "Rivals", "Rows"} <= set(book.sheetnames)


def test_portfolios_come_from_runs_and_workbooks(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_here(monkeypatch)
    chosen = tmp_path / "chosen"
    assert quietly("optimise", tiny, "--out", chosen) == 0
    given = ("--portfolio", chosen, "--portfolio", chosen / "portfolio.xlsx")
    ran = run(capsys, monkeypatch, "bench", tiny, *QUICK, *given, "--out", tmp_path / "found")
    assert ran.code == 0, ran.err
    entrants = pd.read_csv(tmp_path / "found" / "entrants.csv")
    assert {"chosen", "chosen-2"} <= set(entrants["entrant"])
    world = load(tiny)
    of_book = portfolios.read(chosen / "portfolio.xlsx", world)
    assert set(of_book.choices) == set(portfolios.read(chosen / "portfolio.csv", world).choices)


def test_a_workbook_of_ones_own_is_read_below_its_title(tiny: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Portfolio"
    for row in (
        ["What we would do"],
        [],
        ["Technology", "Partner", "Mode", "Start year"],
        ["T1", None, "domestic", 2024],
    ):
        sheet.append(row)
    book.save(tmp_path / "own.xlsx")
    (one,) = portfolios.read(tmp_path / "own.xlsx", load(tiny)).choices
    assert (one.technology, one.partner, one.mode, one.start_year) == ("T1", "", "domestic", 2024)


def test_all_faults_at_once(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, book = tmp_path / "wrong.csv", tmp_path / "none.xlsx"
    wrong.write_text("technology,partner,mode,start_year\nT1,,domestic,2024\nX9,,domestic,2024\nT2,ZZ,matching,2024\n")
    openpyxl.Workbook().save(book)
    given = (
        "--portfolio",
        wrong,
        "--portfolio",
        tmp_path / "missing.csv",
        "--portfolio",
        book,
        "--rule",
        "value-per-cos",
    )
    ran = run(capsys, monkeypatch, "bench", tiny, *QUICK, *given, "--out", tmp_path / "never")
    assert ran.code == 2
    for told in ("X9", "ZZ", "missing.csv", "sheet called portfolio", "Did you mean 'value-per-cost'?"):
        assert told in ran.err
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(("words", "told"), [(("--worlds", "crowdy"), "crowded"), (("--worlds", ","), "--worlds")])
def test_worlds_that_there_are_not(
    words: tuple[str, str], told: str, tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsys, monkeypatch, "bench", tiny, "--quick", *words)
    assert ran.code == 2
    assert told in ran.err


def test_several_scenarios_stand_side_by_side(
    tiny: Path,
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draw_here(monkeypatch)
    other = tiny_folder(
        tmp_path / "other",
        scenario=('name = "tiny"', 'name = "other"'),
        technologies=lambda text: text.replace("T6,", "T7,"),
        links=lambda text: text.replace("T6", "T7"),
        technology_steps=lambda text: text.replace("T6", "T7"),
        facility_needs=lambda text: text.replace("T6", "T7"),
    )
    ran = run(capsys, monkeypatch, "bench", tiny, other, *QUICK, "--portfolio", files[0], "--out", tmp_path / "both")
    assert ran.code == 0, ran.err
    entrants = pd.read_csv(tmp_path / "both" / "entrants.csv")
    assert set(entrants["scenario"]) == {"tiny", "other"}
    assert set(entrants.loc[entrants["entrant"] == "mine", "scenario"]) == {"tiny"}, "T6 is not in the other"
    twice = run(capsys, monkeypatch, "bench", tiny, tiny, *QUICK)
    assert twice.code == 2
    assert "names of their own" in twice.err
