"""What comes through the doors: text, numbers, money, odd values; and how a command ends that cannot go on."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim import findings, plugins, portfolio, results
from rdsim.complaints import DEFECT
from rdsim.domain import Choice, Portfolio
from rdsim.errors import Fault, InputError, ScenarioError
from rdsim.memory import table_bytes
from rdsim.numerals import PLAIN, Style, number, number_advice, quantity_parts, style_of
from rdsim.optimiser import solve
from rdsim.optimiser.problem import folder as problems
from rdsim.results import _neutral
from rdsim.runs import read_run
from rdsim.scenario import dump, load
from rdsim.scenario.shapes import STAND_IN
from rdsim.simulation import simulate
from rdsim.sweep.readme import _escape
from rdsim.tables import neutral, plain_cell, read_table
from rdsim.texts import DEEPEST, parsed_toml
from tests.broken_inputs import BROKEN, broken_folder
from tests.command import run
from tests.tiny import TINY_FILES, tiny_folder

COMMAS = Style(decimal_comma=True, dots_may_group=True)
MIXED = Style(decimal_comma=True, commas_may_group=True)


def refusal(folder: Path, *overrides: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(folder, overrides[0] if overrides and isinstance(overrides[0], dict) else list(map(str, overrides)))
    return str(caught.value)


# Numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "style", "value"),
    [
        ("1.234", PLAIN, 1.234),
        ("1.234", COMMAS, None),
        ("1.2345", COMMAS, 1.2345),
        ("0.125", COMMAS, 0.125),
        ("1,234", COMMAS, 1.234),
        ("1,234", MIXED, None),
        ("1 150,5", COMMAS, 1150.5),
        ("1 150,5", PLAIN, None),
        ("1\u202f150.5", PLAIN, 1150.5),
        ("1'150.5", PLAIN, 1150.5),
        ("1\u2019150", PLAIN, 1150),
        ("1.234,5", COMMAS, 1234.5),
        ("1.234.567", COMMAS, 1234567),
        ("\u22125", PLAIN, -5),
        ("12 34", PLAIN, None),
    ],
)
def test_a_number_has_one_meaning_or_none(text: str, style: Style, value: float | None) -> None:
    assert number(text, style) == value


@pytest.mark.parametrize(
    ("text", "style", "advice"),
    [
        ("1.234", COMMAS, "Write 1234 if '.' separates thousands, 1,2340 if it is the decimal mark."),
        ("1 150,5", PLAIN, "Write 1150.5."),
        ("150.000 million KRW", PLAIN, "Write 150000 million KRW if"),
        ("10,5 million KRW", PLAIN, "Write 10.5 million KRW: a decimal comma"),
        ("1.234.567", PLAIN, "Write 1234567, without a separator"),
    ],
)
def test_a_number_of_two_meanings_comes_with_both(text: str, style: Style, advice: str) -> None:
    assert number_advice(text, style).startswith(advice)


def test_what_is_advised_is_read() -> None:
    assert number("1,2340", COMMAS) == 1.234
    assert quantity_parts("150.0000 million KRW") == (150, "million KRW")
    assert quantity_parts("150000 million KRW") == (150_000, "million KRW")
    assert quantity_parts("150.000 million KRW") is None


def test_a_files_style_is_told_by_its_sure_numbers() -> None:
    assert style_of(["10,5", "1.234"], semicolons=True) == COMMAS
    assert style_of(["10.5", "1,234"], semicolons=True) == MIXED
    assert style_of(["T1", "1.234"], semicolons=False) == PLAIN
    assert style_of(["10,5", "1.234"], semicolons=False) == Style(dots_may_group=True)


def test_a_share_in_per_cent_and_an_index_in_per_cent(tiny: Path) -> None:
    assert "Write a share as a number: 0.92." in refusal(tiny, "technologies.T1.market_share=92%")
    assert "Write the number alone: 92." in refusal(tiny, "technologies.T1.home_level=92%")


# Text and tables -----------------------------------------------------------------------------------


def _problem(folder: Path, options: str, rows: str = "row,cap\nw,5\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "options.csv").write_text(options, encoding="utf-8")
    (folder / "rows.csv").write_text(rows, encoding="utf-8")
    return folder


def test_a_word_composed_and_decomposed_is_one_group(tmp_path: Path) -> None:
    composed, decomposed = "\ubc18\ub3c4\uccb4", "\u1107\u1161\u11ab\u1103\u1169\u110e\u1166"
    folder = _problem(tmp_path / "p", f"option,value,group,w\nA,3,{composed},1\nB,2,{decomposed},1\n")
    posed = problems.read_statement(folder)
    assert posed.problem.group_names == (composed,)
    assert solve(posed.problem).objective == 3


def test_what_cannot_be_seen_is_refused_where_it_stands(tmp_path: Path) -> None:
    folder = _problem(tmp_path / "p", "option,value,group,w\nA,3,bio,1\nB,2,b\u200bio,1\n")
    with pytest.raises(InputError) as caught:
        problems.read_statement(folder)
    fault = caught.value.faults[0]
    assert fault.where == "options.csv, line 3, character 6"
    assert fault.found == "ZERO WIDTH SPACE (U+200B) behind 'B,2,b'"
    scenario = tiny_folder(tmp_path / "tiny", scenario=('"Bio"', r'"Bi\u202eo"'))
    assert "scenario.toml, fields.bio.name: text must hold nothing that cannot be seen" in refusal(scenario)


def test_thousands_with_dots_are_never_read_as_decimals(tmp_path: Path) -> None:
    options = "option;value;w\nA;1.234;1\nB;2,5;1\n"
    with pytest.raises(InputError, match=r"options.csv, row 2, column value.*Write 1234 if"):
        problems.read_statement(_problem(tmp_path / "p", options, "row;cap\nw;1\n"))
    table = TINY_FILES["technologies.csv"].replace('"mRNA, 치료제"', "mRNA").replace(",", ";")
    table = table.replace("15;120", "10,5;1.234")
    text = refusal(tiny_folder(tmp_path / "tiny", technologies=table))
    assert "row 2, column value" in text
    assert "Write 1234 if '.' separates thousands" in text


def test_a_line_for_the_separator_capital_headings_and_spaced_thousands_are_understood(tmp_path: Path) -> None:
    plain = load(tiny_folder(tmp_path / "plain", technologies=lambda text: text.replace("15,120", "1150.5,1200.25")))
    table = TINY_FILES["technologies.csv"].replace('"mRNA, 치료제"', "mRNA\u3001 치료제").replace(",", ";")
    header, rest = table.split("\n", 1)
    words = header.replace("id;name", "ID;Name").replace("home_level", "Home Level").replace("note", "NOTE")
    rest = rest.replace("15;120", "1\u00a0150,5;1\u202f200,25").replace("0.4", "0,4").replace("0.15", "0,15")
    rest = rest.replace("mRNA\u3001 치료제", "mRNA, 치료제")
    odd = load(tiny_folder(tmp_path / "odd", technologies=f"sep=;\r\n{words}\n{rest}"))
    assert odd == plain


def test_a_row_of_totals_and_a_copy_of_a_table_are_advised_upon_in_one_line(tmp_path: Path) -> None:
    total = "합계,,,,,72,325,,,,,,,,,,\n"
    text = refusal(tiny_folder(tmp_path / "total", technologies=lambda text: text + total))
    assert text.splitlines()[1:] == [
        "  technologies.csv, row 8: a row must not sum up the others. Found: '합계'. Delete the row of totals."
    ]
    folder = tiny_folder(tmp_path / "copy")
    (folder / "technologies (1).csv").write_text("id\n")
    text = refusal(folder)
    assert text.count("\n") == 1
    assert "technologies (1).csv: must not stand beside technologies.csv" in text
    problem = _problem(tmp_path / "p", "option,value,w\nA,3,1\nB,2,1\nTotal,5,2\n")
    (problem / "rows - Copy.csv").write_text("row\n")
    with pytest.raises(InputError) as caught:
        problems.read_statement(problem)
    assert [fault.where for fault in caught.value.faults] == ["options.csv, row 4", "rows - Copy.csv"]


def test_an_option_called_total_is_an_option(tmp_path: Path) -> None:
    posed = problems.read_statement(_problem(tmp_path / "p", "option,value,w\nA,3,1\nB,2,1\nTotal,4,2\n"))
    assert posed.problem.option_names == ("A", "B", "Total")


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_no_message_speaks_of_a_stand_in(broken: object, tmp_path: Path) -> None:
    text = refusal(broken_folder(broken, tmp_path / "b"), *broken.overrides)  # type: ignore[attr-defined, arg-type]
    assert STAND_IN not in text
    assert "XXX" not in text


def test_cells_that_a_spreadsheet_would_run_are_neutral_and_come_back(tmp_path: Path) -> None:
    names = ["=1+1", "-cmd", "@SUM(A1)", "+x", "'=a", "''-b"]
    folder = tiny_folder(tmp_path / "tiny")
    world = load(folder, {f"technologies.T{k}.name": name for k, name in enumerate(names, start=1)})
    dump(world, tmp_path / "out")
    assert load(tmp_path / "out") == world
    cells = [cell for row in read_table(tmp_path / "out" / "technologies.csv").rows for cell in row.cells.values()]
    assert names[0] in cells
    assert "\nT1,=1" not in (tmp_path / "out" / "technologies.csv").read_text()
    assert neutral("-5.5") == "-5.5"
    assert all(plain_cell(neutral(name)) == name for name in [*names, "'", "a", "-5", "'a", ""])


def test_headings_of_a_portfolio_may_be_capitals(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("Technology;Partner;Mode;Start Year\nT1;;domestic;2024\n")
    chosen = portfolio.read(file, load(tiny))
    assert chosen == Portfolio((Choice("T1", "domestic", "", 2024),), "mine")


# Money ---------------------------------------------------------------------------------------------


def test_limits_are_on_the_money_not_on_its_unit(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny", scenario=('"billion KRW"\nstart', '"million KRW"\nstart'))
    world = load(folder, ["technologies.T1.cost=150000", "technologies.T1.value=1500000"])
    assert world.technologies["T1"].cost == 150_000
    assert "at most 100000000. Found: 100000001" in refusal(folder, "technologies.T1.cost=100000001")
    billions = tiny_folder(tmp_path / "billions")
    assert "at most 100000. Found: 150000" in refusal(billions, "technologies.T1.cost=150000")


# Odd values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [b"x", 1j, {1, 2}, object(), 10**5000, 2**70, float("nan"), np.ones((2, 2)), np.datetime64("2024"), "a\ud800"],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_no_file_could_hold_is_a_fault(tiny: Path, value: object) -> None:
    assert "--set title" in refusal(tiny, {"title": value}) or "--set discount_rate" in refusal(
        tiny, {"discount_rate": value}
    )


def test_what_contains_itself_or_is_endlessly_deep_is_a_fault(tiny: Path) -> None:
    loop: list[object] = []
    loop.append(loop)
    assert f"more than {DEEPEST} tables or lists" in refusal(tiny, {"title": loop})
    assert "a path of 3,000 parts" in refusal(tiny, ".".join(["a"] * 3000) + "=1")
    assert "simulation.seed" in refusal(tiny, "simulation.seed=" + "[" * 3000)
    assert "simulation.seed" in refusal(tiny, "simulation.seed=" + "9" * 5000)


@pytest.mark.parametrize(
    "line", ["x = " + "[" * 3000, ".".join(["a"] * 20_000) + " = 1", "x = " + "9" * 5000, "x = 0x" + "f" * 5000]
)
def test_toml_beyond_all_measure_is_a_fault(tmp_path: Path, line: str) -> None:
    text = refusal(tiny_folder(tmp_path / "tiny", scenario=lambda text: f"{line}\n{text}"))
    assert text.splitlines()[1].startswith("  scenario.toml: must be valid TOML. Found: ")
    assert len(text) < 500


def test_arrays_and_numbers_of_numpy_are_plain_data(tiny: Path) -> None:
    world = load(tiny, {"steps.median_years": np.full(8, 1.5), "simulation.seed": np.int64(4)})
    assert world.steps.median_years == (1.5,) * 8
    assert world.simulation.seed == 4


def test_keys_of_toml_come_composed() -> None:
    assert list(parsed_toml('"\u1100\u1161" = 1')) == ["\uac00"]


# Messages ------------------------------------------------------------------------------------------


def test_many_faults_of_one_kind_are_one_group_and_no_line_is_endless() -> None:
    faults = [Fault(f"t.csv, row {row}, column x", "must be a number", "'a'") for row in range(2, 1202)]
    error = InputError((*faults, Fault("t.csv, row 3, column y", "must name a thing", "z" * 100_000)))
    lines = str(error).splitlines()
    assert lines[0] == "1,201 faults in the input"
    assert len(lines) == 8
    assert lines[6] == "  ... and 1,195 more like this, the last: t.csv, row 1201, column x"
    assert max(map(len, lines)) < 1000
    assert pickle.loads(pickle.dumps(error)).faults == error.faults  # noqa: S301


def test_what_nobody_foresaw_is_one_message_with_its_details_in_a_file(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("nobody thought of it")

    monkeypatch.setattr("rdsim.cli._load", fails)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = run(capsys, monkeypatch, "check", tiny)
    assert ran.code == DEFECT
    assert "KeyError: 'nobody thought of it'" in ran.err
    assert f"command: rdsim check {tiny}" in ran.err
    assert "Traceback" not in ran.err
    (kept,) = tmp_path.glob("rdsim-error-*.txt")
    assert str(kept) in ran.err
    assert 'raise KeyError("nobody thought of it")' in kept.read_text()
    ran = run(capsys, monkeypatch, "check", tiny, "--debug")
    assert ran.code == DEFECT
    assert "Traceback" in ran.err


def test_memory_and_files_that_fail_are_no_defects(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, words in ((MemoryError(), "not enough memory"), (OSError(28, "No space left", "x"), "No space left: x")):

        def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("rdsim.cli._load", fails)
        ran = run(capsys, monkeypatch, "check", tiny)
        assert (ran.code, words in ran.err) == (4, True)


def test_a_name_that_no_file_can_have_is_bad_input(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, monkeypatch, "check", tmp_path / ("a" * 300)).code == 2
    ran = run(capsys, monkeypatch, "simulate", tiny, "--portfolio", tiny / "x.csv", "--out", tmp_path / ("a" * 300))
    assert ran.code == 2


def _rdsim(*words: object, **given: object) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "rdsim", *map(str, words)]
    return subprocess.run(command, env=environment, check=False, stderr=subprocess.PIPE, **given)  # type: ignore[call-overload, no-any-return]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_output_is_one_message(tiny: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = _rdsim("check", tiny, stdout=full)
    assert ran.returncode == 4
    assert ran.stderr.decode().count("error: No space left on device") == 1
    assert b"Traceback" not in ran.stderr


def test_hangul_on_a_terminal_of_latin_letters_is_written_as_escapes(tiny: Path) -> None:
    ran = _rdsim("check", tiny, "--set", "limits.partners.US.ceiling=0", "--set", "name=반도체", stdout=subprocess.PIPE)
    assert ran.returncode == 2
    assert rb"\ubc18\ub3c4\uccb4" in ran.stderr


# Memory ------------------------------------------------------------------------------------------------------------


def test_tables_that_cannot_be_held_are_refused_before_the_work(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = load(tiny)
    chosen = Portfolio((Choice("T1", "domestic", "", 2024),))
    monkeypatch.setattr("rdsim.memory._memory", lambda: 10**9)
    with pytest.raises(InputError, match=r"10,000,000 replications of 1 projects need about .* GB") as caught:
        simulate(world, chosen, replications=10**7)
    fits = re.search(r"at most about ([\d,]+) replications", str(caught.value))
    assert fits is not None
    assert table_bytes(world, 1, int(fits[1].replace(",", ""))) <= 10**9


def test_the_estimate_of_memory_is_near_what_tables_take(tiny: Path) -> None:
    world = load(tiny)
    chosen = Portfolio((Choice("T1", "domestic", "", 2024), Choice("T4", "domestic", "", 2024)))
    found = simulate(world, chosen, replications=50)
    tables = (found.projects, found.replications, found.purses, found.partners, found.international)
    taken = sum(int(table.memory_usage(deep=False).sum()) for table in tables)
    assert 1 < table_bytes(world, 2, 50) / taken < 4


def test_answers_in_markdown_hold_no_html_and_no_cells_of_their_own() -> None:
    assert _escape("a <b>\n| c & d") == "a &lt;b&gt; \\| c &amp; d"


def test_tables_of_results_hold_no_formulas(tmp_path: Path) -> None:
    _neutral(pd.DataFrame({"id": ["=1+1", "a"], "value": [-1.5, 2.0]})).to_csv(tmp_path / "t.csv", index=False)
    assert (tmp_path / "t.csv").read_text() == "id,value\n'=1+1,-1.5\na,2.0\n"
    assert read_table(tmp_path / "t.csv").rows[0].cells["id"] == "=1+1"


def test_a_run_that_lacks_its_seed_or_overrides_is_refused(tmp_path: Path) -> None:
    scenario = tiny_folder(tmp_path / "tiny")
    found = simulate(load(scenario), Portfolio((Choice("T1", "domestic", "", 2024),)), replications=2)
    results.write(
        findings.of_simulation(found),
        results.Run(tmp_path / "run", scenario=str(scenario)),
    )
    assert read_run(tmp_path / "run").seed == 1
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    del manifest["seed"], manifest["scenario"]["overrides"]
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="must say the run's seed and overrides"):
        read_run(tmp_path / "run")


def test_the_plugins_of_a_run_are_run_only_if_they_are_named_again(tmp_path: Path) -> None:
    file, other = tmp_path / "mine.py", tmp_path / "other.py"
    file.write_text("", encoding="utf-8")
    other.write_text("raise SystemExit", encoding="utf-8")
    scenario = tiny_folder(tmp_path / "tiny")
    found = simulate(load(scenario), Portfolio((Choice("T1", "domestic", "", 2024),)), replications=2)
    results.write(
        findings.of_simulation(found),
        results.Run(tmp_path / "run", scenario=str(scenario), plugins=plugins.load([file])),
    )
    run = read_run(tmp_path / "run")
    for named in ([], [other]):
        with pytest.raises(InputError, match="only if it is named again") as caught:
            run.require_plugins(named)
        assert f"Give --plugin {file}." in str(caught.value)
    run.require_plugins([file])
