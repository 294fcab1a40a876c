"""What the page's scripts write: numbers as the page has them, cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest
from py_mini_racer import MiniRacer

from rdsim.report import words
from rdsim.report.page import render
from rdsim.tables import neutral
from tests.report.scripts import Scripts

CELLS = [
    *("=1+1", "+cmd", "-2", "-2x", "@SUM(A1)", "'=1", "''-x", "'plain", "12", "+1e3", "", "plain", "a,b", 'say "so"'),
    *("two\nlines", "\tcmd", "\r=1", "초격차 <b>", "-", "1.5.6"),
]


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    return Scripts()


def test_cells_are_as_neutral_as_in_the_tables_of_a_run(scripts: Scripts) -> None:
    assert [scripts.ask("sharing.neutral", cell) for cell in CELLS] == [neutral(cell) for cell in CELLS]
    assert [scripts.ask("sharing.neutral", one) for one in (None, -3, 0.25)] == ["", "-3", "0.25"]


def test_what_is_saved_is_read_back_cell_by_cell(scripts: Scripts) -> None:
    text = scripts.ask("sharing.asCsv", [["a", "b"], *([cell, "x"] for cell in CELLS)])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["a", "b"], *([neutral(cell), "x"] for cell in CELLS)]


def test_what_is_copied_keeps_its_rows_and_columns(scripts: Scripts) -> None:
    text = scripts.ask("sharing.asCells", [["a", "b"], *([cell, "x"] for cell in CELLS)])
    assert [line.count("\t") for line in text.split("\n")] == [1] * (len(CELLS) + 1)


@pytest.mark.parametrize("value", [0, 0.004, -0.001, 1.005, 9.994, 10, 12.34, -12.34, 199.96, 200, 1234567.8, -2500.4])
def test_amounts_are_those_of_the_page(scripts: Scripts, value: float) -> None:
    assert scripts.ask("sharing.amount", value) == words.amount(value)


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("file:///home/me/results/tiny/report.html", "/home/me/results/tiny"),
        ("file:///home/me/my%20plans/%EA%B3%84%ED%9A%8D/report.html", "'/home/me/my plans/계획'"),
        ("file:///home/me/o'hara/report.html", "'/home/me/o'\"'\"'hara'"),
        ("file:///C:/plans/tiny/report.html", "C:/plans/tiny"),
        ("https://example.org/tiny/report.html", "RUN"),
    ],
)
def test_commands_name_the_folder_that_the_page_was_opened_from(address: str, typed: str) -> None:
    protocol, _, path = address.partition("//")
    place = {"protocol": protocol, "pathname": path[path.index("/") :]}
    engine = MiniRacer()
    engine.eval(f"const window = {{ location: {json.dumps(place)} }}; const places = [{{ textContent: 'RUN' }}];")
    engine.eval("const document = { querySelectorAll: (which) => (which === '.run' ? places : []) };")
    engine.eval((Path(render.__file__).parent / "asking.js").read_text(encoding="utf-8"))
    found = str(engine.eval("places[0].textContent"))
    assert found == typed
    if typed != "RUN":
        assert shlex.split(found)[0] in unquote(address)
