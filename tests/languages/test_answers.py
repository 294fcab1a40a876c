"""Comparisons, answers to questions and what-if pages in Korean: told from what they kept in English."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rdsim import comparison, languages
from rdsim.languages import gettext as _
from rdsim.languages import join_texts, keeping, kept_texts, noting, retold, speaking, unit_of_money
from rdsim.report import Column, Page, Plot, Section, Table, page_text
from rdsim.report.data.kept import page_from
from rdsim.runs import source_again
from tests.command import quietly, run
from tests.languages.test_pages import HANGUL, foreign_words
from tests.serve.desks import ready, request, served, small_run
from tests.tiny import tiny_folder

CELL = re.compile(r'<td class="number">([^<]*)</td>')


# --- pages ----------------------------------------------------------------------------------------


def _page(unit: str) -> Page:
    """A page as a study makes it, with a text that its table alone holds."""
    told = [_("{amount} {unit}").format(amount="1,887", unit=unit_of_money(unit)), _("not funded")]
    frame = pd.DataFrame({"what": [*told, "시나리오의 말"], "worth": [1.5, 2.5, 3.5]})
    columns = {"what": Column(_("Technology")), "worth": Column(_("Worth, {unit}").format(unit=unit), "money")}
    plot = Plot("one", _("How far apart are they?"), "", "", frame, ("worth", _("worth")), ("what", ""), kind="bars")
    table = Table(_("The portfolios"), frame, columns)
    return Page(_("Explanation"), "a title", [_("What was asked")], [Section(_("Not funded"), (), (plot,), (table,))])


def test_a_page_knows_what_the_texts_of_its_tables_say() -> None:
    with noting() as noted:
        page = _page("billion KRW")
    assert [type(one) for one in page.sections[0].tables[0].frame["what"]] == [str] * 3
    read = page_from(json.loads(page_text(page.with_noted(noted), {})), "page")
    assert read.retold() is read
    with speaking("ko"):
        told, table = read.retold(), read.retold().sections[0].tables[0]
    assert (told.kind, told.title, told.lead) == ("선정 이유 설명", "a title", ["질문과 답"])
    assert list(table.frame["what"]) == ["1조 8,870억 원", "미선정", "시나리오의 말"]
    assert list(table.frame["worth"]) == [1.5, 2.5, 3.5]
    assert table.columns["worth"] == Column("가치, 십억 원", "money")
    assert list(told.sections[0].plots[0].frame["what"]) == list(table.frame["what"])


def test_a_page_that_kept_no_texts_is_drawn_as_it_stands() -> None:
    document = json.loads(page_text(_page("billion KRW"), {}))
    del document["texts"]
    with speaking("ko"):
        told = page_from(document, "page").retold()
    assert (told.kind, told.sections[0].title) == ("Explanation", "Not funded")
    assert list(told.sections[0].tables[0].frame["what"])[1] == "not funded"


def test_a_text_that_says_itself_ends() -> None:
    one = join_texts(["T2"], ", ")
    kept = kept_texts([one, _("{names} and {number} more").format(names=one, number=3)])
    alone = join_texts([_("not funded")], " ")
    with speaking("ko"):
        assert retold(alone) == "미선정"
        with keeping(kept_texts([alone])):
            assert retold(str.__str__(alone)) == "미선정"
    with speaking("ko"), keeping(kept):
        assert retold("T2") == "T2"
        assert retold("T2 and 3 more") == "T2 외 3건"


def test_a_text_that_was_noted_is_known_again_where_it_is_filled_in() -> None:
    with noting() as noted:
        plain = str.__str__(_("not funded"))
        known = _("{name} {amount}").format(name=plain, amount="+1")
    with noting(noted):
        again = _("{name} {amount}").format(name=plain, amount="+1")
    unknown = _("{name} {amount}").format(name=plain, amount="+1")
    assert known == again == unknown
    with speaking("ko"):
        assert [retold(one) for one in (known, again, unknown)] == ["미선정 +1", "미선정 +1", "not funded +1"]


# --- runs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny scenario."""
    return tiny_folder(tmp_path_factory.mktemp("answers") / "tiny")


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Path]:
    """A plan of it, and the same portfolio simulated on another seed."""
    first, second = folder.parent / "first", folder.parent / "second"
    quick = ("--one-shot", "--brief-page", "--replications", 20, "--set", "optimiser.samples=20")
    assert quietly("plan", folder, *quick, "--set", "optimiser.redecisions=4", "--out", first) == 0
    words = ("simulate", folder, "--portfolio", first, "--seed", 7, "--replications", 20, "--out", second)
    assert quietly(*words) == 0
    return [first, second]


def _numbers(page: str) -> Iterator[str]:
    """What cells of numbers hold."""
    yield from (html.unescape(one) for one in CELL.findall(page) if re.search(r"\d", one) and not HANGUL.search(one))


def _both(out: Path) -> tuple[str, str]:
    """The page of a run in Korean and in English."""
    found = []
    for language in ("ko", "en"):
        assert quietly("report", out, "--language", language) == 0
        found.append((out / "report.html").read_text(encoding="utf-8"))
    return found[0], found[1]


def test_runs_are_compared_in_korean(
    runs: list[Path], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder.parent / "compared"
    ran = run(capsys, monkeypatch, "compare", *runs, "--out", out, "--language", "ko")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "first 대비 second:"
    assert [line for line in lines if not (HANGUL.search(line) or line.startswith("  "))] == []  # but paths and values
    english = comparison.compare(*runs).lines
    assert len(english) == len(lines) - 1
    assert not any(HANGUL.search(line) for line in english if "치료제" not in line)
    korean, other = _both(out)
    beside_inputs = re.sub(r"<section>\s*<h2>서로 다른 입력</h2>.*?</section>", "", korean, flags=re.DOTALL)
    assert foreign_words(beside_inputs, folder) <= {"first", "second", "Welch"}
    assert list(_numbers(korean)) == list(_numbers(other))
    for table in out.glob("*.csv"):
        cells = table.read_text(encoding="utf-8").replace("치료제", "").replace("반도체", "")
        assert not HANGUL.search(cells.replace("미국", "")), table.name


def test_a_question_about_a_plan_is_answered_in_korean(
    runs: list[Path], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "ko")
    for words in (("explain", runs[0], "T1", "US", "budget leap 2025"), ("ladder", runs[0])):
        ran = run(capsys, monkeypatch, *words)
        assert ran.code == 0, ran.err
        assert all(HANGUL.search(line) for line in ran.out.splitlines())
    for name in ("explain", "ladder"):
        korean, english = _both(runs[0] / "answers" / name)
        assert foreign_words(korean.replace(runs[0].as_posix(), "first"), folder) <= {"first", "unfunded"}
        assert list(_numbers(korean)) == list(_numbers(english))
    korean, _english = _both(runs[0])
    for name in ("explain", "ladder"):
        section = re.search(rf'<section id="answer-{name}">.*?</section>', korean, flags=re.DOTALL)
        assert section is not None
        assert foreign_words(section[0].replace(runs[0].as_posix(), "first"), folder) <= {"first", name}


def test_what_was_answered_by_earlier_versions_is_drawn_beside_korean(runs: list[Path], folder: Path) -> None:
    old = folder.parent / "old"
    shutil.copytree(runs[0], old)
    assert quietly("explain", old) == 0
    page = old / "answers" / "explain" / "page" / "page.json"
    document = json.loads(page.read_text(encoding="utf-8"))
    document.pop("texts")
    page.write_text(json.dumps(document), encoding="utf-8")
    korean, _english = _both(old)
    section = re.search(r'<section id="answer-explain">.*?</section>', korean, flags=re.DOTALL)
    assert section is not None
    assert "Each answer" in section[0] or "Name technologies" in section[0]


# --- what if --------------------------------------------------------------------------------------


def test_a_run_is_asked_what_if_in_korean(tmp_path: Path) -> None:
    place = ready(small_run(tmp_path))
    with speaking("ko"), served(place) as port:
        first = request(port, "/")[2]
        entry = place.ask(replace(place.levers, must_fund=(*place.levers.must_fund, "T4")))
        assert entry.answer.changes
        answer = request(port, f"/answers/{entry.number}")[2]
    assert json.loads(place.history.folder.joinpath("000001.json").read_text(encoding="utf-8"))["answer"]["figures"]
    assert not HANGUL.search(re.sub("치료제|반도체|미국", "", json.dumps(entry.answer.record(), ensure_ascii=False)))
    for page in (first, answer):
        assert '<html lang="ko">' in page
        assert 'id="data-texts"' in page
        assert foreign_words(page, tmp_path) <= {"plan", "run", "set", "UTC"}
    with served(place) as port:
        english = request(port, f"/answers/{entry.number}")[2]
    assert '<html lang="en">' in english
    assert "data-texts" not in english
    assert list(_numbers(answer)) == list(_numbers(english))


def test_whose_portfolio_a_run_was_asked_about_is_known_again() -> None:
    for source, korean in (("the plan of a/b", "a/b의 계획"), ("the portfolio of c.csv", "c.csv의 포트폴리오")):
        again = source_again(str(source))
        assert again == source
        with speaking("ko"):
            assert retold(again) == korean
    assert source_again("mine") == "mine"
