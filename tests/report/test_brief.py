"""A plan on one page: what it says comes from the run, prints on one sheet, and fits the slide."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from rdsim.report import words
from rdsim.report.page.policy_brief import _WIDTH, _breadth, _rows, one_page
from tests.command import run
from tests.report import synthetic
from tests.tiny import tiny_folder

REPORT = synthetic.build()
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[ET.Element]:
    """The slide's own lines: those within the figures are of the converter."""
    return ET.fromstring(svg).findall(f"{SVG}text")  # noqa: S314 - our own


def test_it_asks_for_what_starts_first_and_names_it() -> None:
    table = REPORT.technologies
    funded = table[table["funded"].astype(bool)]
    year = int(funded["start_year"].min())
    first = funded[funded["start_year"] == year]
    told = words.brief(REPORT)
    assert f"that start in {year}" in told.asked[0]
    assert words.amount(float(first["cost"].sum())) in told.asked[0]
    assert {one.rsplit(" (", 1)[0] for one in told.named} == set(first["name"])
    assert f"{len(table)} technologies" in told.question


def test_the_numbers_are_the_runs_own() -> None:
    npv = REPORT.manifest["estimates"]["npv"]
    told = words.brief(REPORT)
    assert told.numbers[0].figure == words.amount(npv["mean"])
    lost = (REPORT.replications["npv"] < 0).mean()
    assert f"In {lost:.0%} of the futures" in told.doubts[0]


def test_nothing_funded_asks_for_nothing() -> None:
    none = replace(REPORT, technologies=REPORT.technologies.assign(funded=False))
    told = words.brief(none)
    assert told.asked == ("No award is asked for.",)
    assert told.named == ()


def test_names_of_a_scenario_are_texts_on_both() -> None:
    odd = replace(REPORT, title="<script>alert(1)</script> & \N{HANGUL SYLLABLE GA}" * 8)
    drawn = one_page(odd, REPORT.manifest)
    assert "<script" not in drawn["html"]
    assert "<script" not in drawn["svg"]
    assert texts(drawn["svg"])[0].text.startswith("<script>")  # as a text, for the parser has undone what escaped it


def test_a_slides_lines_stay_within_it() -> None:
    long = replace(REPORT, title="An endlessly long title of a programme " * 9, description="x")
    for line in texts(one_page(long, REPORT.manifest)["svg"]):
        x, y, size = (float(line.attrib[name]) for name in ("x", "y", "font-size"))
        assert x + _breadth(line.text) * size <= _WIDTH
        assert y <= 720


@pytest.mark.parametrize("text", ["", "one", "two words", "x" * 90, "\N{HANGUL SYLLABLE GA}" * 40, "a b " * 30])
def test_broken_rows_keep_every_letter_and_the_width(text: str) -> None:
    rows = _rows(text, 12.0)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert all(_breadth(row) <= 12.0 for row in rows)


def test_a_brief_stands_beside_what_the_run_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("--replications", 20, "--set", "optimiser.samples=20", "--one-shot")
    assert run(capsys, monkeypatch, "plan", tiny_folder(tmp_path / "tiny"), *few, "--out", tmp_path / "run").code == 0
    assert {"brief.html", "brief.svg"} <= {path.name for path in (tmp_path / "run").iterdir()}, "with the page, at once"
    assert 'href="brief.html"' in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    ran = run(capsys, monkeypatch, "brief", tmp_path / "run")
    assert (ran.code, ran.err) == (0, "")
    listed = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {"brief.html", "brief.svg"} <= set(listed)
    marks = re.compile(rb"\b(clip|gradient)_?\d+")  # of drawings, which one process counts on
    for path, content in before.items():
        assert path.name == "manifest.json" or marks.sub(b"", path.read_bytes()) == marks.sub(b"", content)
    again = run(capsys, monkeypatch, "brief", tmp_path / "run")
    assert again.code == 0


def test_only_a_plan_has_a_brief(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = run(capsys, monkeypatch, "brief", tmp_path)
    assert missing.code == 2
    tiny = tiny_folder(tmp_path / "tiny")
    few = ("--set", "optimiser.samples=20", "--shares", "1", "--out", tmp_path / "study")
    assert run(capsys, monkeypatch, "ladder", tiny, *few).code == 0
    ran = run(capsys, monkeypatch, "brief", tmp_path / "study")
    assert ran.code == 2
    assert "only the run of a plan has a brief" in ran.err
