"""A plan in Korean: no English is left but a scenario's own, and no file of a run but its page depends on the "
"language."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from rdsim import glossary, languages
from rdsim.languages import ENGLISH, keeping, speaking
from rdsim.report.data.kept import read_texts
from rdsim.report.page.html import visible_text
from rdsim.report.page.render import render
from rdsim.scenario import digest, load
from tests.command import quietly, run
from tests.report import synthetic
from tests.report.scripts import Scripts
from tests.tiny import tiny_folder

HANGUL = re.compile(r"[가-힣]")
LATIN = re.compile(r"[A-Za-z][A-Za-z'-]+")
OURS = {
    *(
        "rdsim",
        "TRL",
        "CVaR",
        "README",
        "CSV",
        "SHA-256",
        "SHA",
        "seed",
    ),  # names and terms that Korean takes as they are
    *(
        "plan",
        "one-shot",
        "brief-page",
        "assumptions",
        "optimiser",
        "redecisions",
        "report",
        "html",
    ),  # commands, settings
    *(
        "compiled",
        "highs",
        "direct",
        "python",
        "altair",
        "babel",
        "highspy",
        "jinja",
        "llvmlite",
        "numba",
        "numpy",
        "pandas",
        "PuLP",
        "pyarrow",
        "openpyxl",
        "pydantic",
        "scipy",
        "vl-convert-python",
        "XlsxWriter",
        "simpy",
        "altair",
        "babel",
        "jinja",
        "post",
        "llvmlite",
        "openpyxl",
        "pydantic",
        "rich",
        "typer",
        "vl-convert-python",
        "XlsxWriter",
    ),
}
"""Words of Latin letters on a Korean page that are no scenario's."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny scenario."""
    return tiny_folder(tmp_path_factory.mktemp("korean") / "tiny")


@pytest.fixture(scope="module")
def plan(folder: Path) -> Path:
    """A small plan of it, in Korean, with all that is asked of a plan."""
    out = folder.parent / "run"
    few = (
        "optimiser.samples=20",
        "optimiser.redecisions=4",
        "optimiser.what_if.repeats=2",
        "optimiser.search.rounds=1",
    )
    changes = [word for one in few for word in ("--set", one)]
    assert quietly("plan", folder, "--replications", 20, *changes, "--out", out, "--language", "ko") == 0
    return out


def _texts(page: str) -> Iterator[str]:
    """What is read on a page: texts, and what is said of regions and fields; no drawings, which tell of themselves."""
    body = re.sub(r"<(script|style|code|pre|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    yield from (html.unescape(text) for text in re.findall(r">([^<>]+)<", body))
    yield from (html.unescape(text) for text in re.findall(r'(?:aria-label|placeholder)="([^"]+)"', body))


def _scenario_words(folder: Path) -> set[str]:
    files = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in (".toml", ".csv")]
    return {word.lower() for word in LATIN.findall(" ".join(files))}


def foreign_words(page: str, folder: Path) -> set[str]:
    known = _scenario_words(folder) | {word.lower() for word in OURS}
    return {word for text in _texts(page) for word in LATIN.findall(text) if word.lower() not in known}


def test_no_english_is_left_on_a_korean_page(plan: Path, folder: Path) -> None:
    page = (plan / "report.html").read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert foreign_words(page, folder) == set()
    sentences = [text for text in _texts(page) if len(text.split()) > 6]
    assert len(sentences) > 60
    described = load(folder).description
    assert [
        text for text in sentences if not HANGUL.search(text) and text != described and ", python " not in text
    ] == []
    specs = re.findall(r'"title":"([^"]+)"', page)
    assert specs
    assert not [title for title in specs if set(LATIN.findall(title)) - OURS]


def test_no_english_is_left_in_a_korean_brief(
    plan: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "ko")
    assert run(capsys, monkeypatch, "brief", plan).out.startswith(f"{plan / 'brief.html'}에 기록했습니다")
    page, slide = ((plan / name).read_text(encoding="utf-8") for name in ("brief.html", "brief.svg"))
    assert foreign_words(page, folder) == set()
    assert '<html lang="ko">' in page
    assert "요청하는 결정" in visible_text(page)
    assert HANGUL.search(slide)


def test_no_file_but_the_page_depends_on_the_language(plan: Path, folder: Path) -> None:
    manifest = json.loads((plan / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["digest"] == digest(load(folder, manifest["scenario"]["overrides"]))
    told = [*manifest["notes"], *manifest["promises"]["sentences"], *manifest["redecisions"]["sentences"]]
    told += [one["sentence"] for one in manifest["what_if"]["changes"]] + [manifest["shared_luck"]]
    assert told
    assert not [one for one in told if HANGUL.search(re.sub("|".join(_names(folder)), "", one))]
    for path in (*plan.glob("*.csv"), *plan.glob("page/*.parquet")):
        table = pd.read_csv(path, dtype=str) if path.suffix == ".csv" else pd.read_parquet(path).astype(str)
        cells = {str(cell) for column in table for cell in (column, *table[column])}
        assert not [one for one in cells if HANGUL.search(re.sub("|".join(_names(folder)), "", one))], path.name


def _names(folder: Path) -> list[str]:
    """Words in Hangul that the scenario itself has."""
    files = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in (".toml", ".csv")]
    return sorted(set(re.findall(r"[가-힣]+", " ".join(files))), key=len, reverse=True)


def test_a_run_is_drawn_again_in_another_language(
    plan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsys, monkeypatch, "report", plan)
    english = (plan / "report.html").read_text(encoding="utf-8")
    assert (ran.code, ran.out.startswith("written to ")) == (0, True)
    assert '<html lang="en">' in english
    assert "data-texts" not in english
    manifest = json.loads((plan / "manifest.json").read_text(encoding="utf-8"))
    assert all(
        html.escape(one, quote=False) in html.unescape(english) or one in html.unescape(english)
        for one in manifest["notes"]
    )


def test_a_run_that_kept_no_texts_is_told_as_it_stands(plan: Path) -> None:
    kept = read_texts(plan)
    sentence = json.loads((plan / "manifest.json").read_text(encoding="utf-8"))["redecisions"]["sentences"][0]
    with speaking("ko"), keeping(kept):
        assert HANGUL.search(languages.retold(sentence))
    with speaking("ko"):
        assert languages.retold(sentence) == sentence


def test_a_language_that_is_not_spoken_is_refused(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(capsys, monkeypatch, "plan", tiny, "--language", "kr")
    assert ran.code == 2
    assert "Did you mean 'ko'?" in ran.err
    monkeypatch.setenv(languages.VARIABLE, "german")
    ran = run(capsys, monkeypatch, "index", tiny)
    assert (ran.code, "There are en, ko." in ran.err) == (2, True)


# --- pages without a run --------------------------------------------------------------------------


def test_english_is_the_same_whether_texts_know_what_they_say_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    report = synthetic.build()
    known = render(report, report.manifest)
    monkeypatch.setattr(languages, "Message", lambda text, says: str(text))
    assert _stripped(known) == _stripped(render(report, report.manifest))
    assert not HANGUL.search(visible_text(known))


def _stripped(page: str) -> str:
    """Without the numbers that the drawing library gives to marks, one after the other in a process."""
    return re.sub(r"(view|param|layer|gradient|clip|concat)_?\d+", "", page)


def test_terms_of_a_korean_page_are_explained_in_korean() -> None:
    with speaking("ko"):
        terms = dict(glossary.terms_of("순현재가치의 신뢰구간과 단순 규칙", {"matching": "대응자금"}))
        assert set(terms) == {"순현재가치", "신뢰구간", "단순 규칙"}
        assert all(HANGUL.search(meaning) for meaning in terms.values())


def test_scripts_speak_the_language_of_the_page() -> None:
    block = {"tails": {"2030": [[1.0, 1.0, 1.0], [0.4, 0.2, 0.6]]}, "replications": 1500, "confidence": 0.95}
    with speaking("ko"):
        texts = languages.script_texts()
    told = Scripts("odds.js", odds=block, texts=texts).ask("odds.answer", block, 1, "2030")
    assert (
        told
        == "2030년 말까지 시장에 나온 기술이 1개 이상일 확률은 반복 1,500회 가운데 40%입니다 (95% 신뢰구간 20%~60%)."
    )
    assert Scripts("odds.js", odds=block).ask("odds.answer", block, 1, "2030").startswith("At least 1 technology is on")
    assert languages.script_texts() == {}
    assert languages.active() == ENGLISH
