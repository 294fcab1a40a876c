"""Catalogues hold every text of code, templates and scripts, and nothing else; what they say is put together well."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime

import pytest
from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

from rdsim.brief import count
from rdsim.errors import InputError
from rdsim.languages import (
    ENGLISH,
    N_,
    Message,
    active,
    gettext,
    join_texts,
    keeping,
    kept_texts,
    language_codes,
    listing,
    marks,
    moment,
    ngettext,
    pgettext,
    require,
    retold,
    speaking,
    unit_of_money,
)
from rdsim.languages.catalogue import po_file
from rdsim.languages.particles import with_particles
from rdsim.numerals import numeral
from rdsim.report import words
from tests.languages.extraction import extracted, merged, po_text

OTHERS = [language for language in language_codes() if language != ENGLISH]
FIELD = re.compile(r"\{(\w+)\}")


def _catalogue(language: str) -> Catalog:
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def _messages(catalog: Catalog) -> dict[tuple[object, str | None], Entry]:
    return {(message.id, message.context): message for message in catalog if message.id}


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple) else (str(text),)


@pytest.fixture(scope="module")
def marked() -> Catalog:
    """The texts that stand in the code now."""
    return extracted()


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_missing_and_none_is_dead(language: str, marked: Catalog) -> None:
    found = _catalogue(language)
    assert set(_messages(found)) == set(_messages(marked)), "make texts brings them together"
    assert not found.obsolete
    lacking = [key for key, one in _messages(found).items() if one.fuzzy or not all(_forms(one.string))]
    assert lacking == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_put_into_a_text_is_put_into_its_translation(language: str) -> None:
    for (ids, _), message in _messages(_catalogue(language)).items():
        asked = set(FIELD.findall(" ".join(_forms(ids))))
        for text in _forms(message.string):
            mine = set(FIELD.findall(text))
            is_noun = not asked and mine == {"number"}  # of `count`
            assert mine == asked or is_noun or mine | {"number"} == asked, (ids, text)


@pytest.mark.parametrize("language", OTHERS)
def test_tags_of_a_text_are_those_of_its_translation(language: str) -> None:
    for (ids, _), message in _messages(_catalogue(language)).items():
        tags = sorted(re.findall(r"</?\w+>", _forms(ids)[-1]))
        assert [sorted(re.findall(r"</?\w+>", text)) for text in _forms(message.string)] == [tags] * len(
            _forms(message.string)
        ), ids


@pytest.mark.parametrize("language", OTHERS)
def test_merging_a_catalogue_that_is_whole_leaves_it_as_it_is(language: str) -> None:
    path = po_file(language)
    assert po_text(merged(path)) == path.read_bytes()


# --- English --------------------------------------------------------------------------------------


def test_english_stands_in_the_code_and_needs_no_library() -> None:
    code = (
        "import sys; from rdsim import cli, languages; from rdsim.report import words; "
        "print(languages.gettext('{a} of {b}').format(a=1, b=2), words.amount(1234.5), 'babel' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "of", "2", "1,234", "False"]


def test_english_texts_are_what_they_were() -> None:
    assert active() == ENGLISH
    assert ngettext("{n} is open", "{n} are open", 1).format(n=1) == "1 is open"
    assert [count(number, "technology") for number in (1, 2, 1500)] == [
        "1 technology",
        "2 technologies",
        "1,500 technologies",
    ]
    assert [listing(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert (marks("1,234.5%"), moment(datetime(2026, 11, 3, 9, 5))) == ("1,234.5%", "2026-11-03 09:05")
    assert (pgettext("a year", "by the end of"), N_("x"), unit_of_money("billion KRW")) == (
        "by the end of",
        "x",
        "billion KRW",
    )


# --- Korean ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("독일은(는)", "독일은"),
        ("미국이(가) 제안", "미국이 제안"),
        ("캐나다을(를)", "캐나다를"),
        ("일본와(과) 미국", "일본과 미국"),
        ("서울(으)로", "서울로"),  # behind ㄹ
        ("부산(으)로", "부산으로"),
        ("제주(으)로", "제주로"),
        ("12은(는) 3을(를) 10이(가)", "12는 3을 10이"),
        ("45%이(가)", "45%가"),
        ("LG이(가) TRL을(를)", "LG가 TRL을"),
        ("Japan와(과) Germany와(과)", "Japan과 Germany와"),
        ("chip을(를) cloud을(를)", "chip을 cloud를"),
        ("양자 센싱 (T017)은(는)", "양자 센싱 (T017)은"),
        ("'비용 대비 가치'(으)로", "'비용 대비 가치'로"),
        ("<b>독일</b>은(는)", "<b>독일</b>은"),
        ("?!은(는)", "?!은(는)"),  # nothing that can be read
        ("세계(정부)", "세계(정부)"),
    ],
)
def test_a_particle_fits_the_last_sound_before_it(written: str, read: str) -> None:
    assert with_particles(written) == read


def test_numbers_lists_plurals_and_days_are_korean() -> None:
    with speaking("ko"):
        assert words.sentence_list(["독일", "일본", "미국"]) == "독일, 일본 및 미국"
        assert [count(number, "technology") for number in (1, 1500)] == ["기술 1개", "기술 1,500개"]
        assert words.amount(-1234.5) == "\N{MINUS SIGN}1,234"
        assert (words.span(2445, 2508), numeral(0.25, ".0%")) == ("2,445~2,508", "25%")
        assert moment(datetime(2026, 11, 3, 9, 5)) == "2026. 11. 3. 09:05"
        told = ngettext(
            "{technologies} of the plan starts later: not yet asked.",
            "{technologies} of the plan start later: not yet asked.",
            3,
        )
        assert told.format(technologies=count(3, "further technology")).startswith("계획의 나머지 기술 3개는 나중에")


def test_a_unit_of_money_is_translated_and_its_numbers_stay() -> None:
    with speaking("ko"):
        assert [unit_of_money(unit) for unit in ("billion KRW", "million KRW", "clams")] == [
            "십억 원",
            "백만 원",
            "clams",
        ]


def test_the_language_is_one_for_what_is_done_meanwhile() -> None:
    with speaking("ko"):
        with speaking(ENGLISH):
            assert gettext("Notes") == "Notes"
        assert gettext("Notes") == "참고 사항"
    assert gettext("Notes") == "Notes"


@pytest.mark.parametrize(("asked", "meant"), [("kor", "'ko'"), ("Korean", "'ko'"), ("xx-yy-zz", "There are en, ko.")])
def test_a_language_that_is_not_spoken_is_refused(asked: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        require(asked)
    assert meant in caught.value.faults[0].suggestion


# --- what was told in English ---------------------------------------------------------------------


def test_what_was_told_in_english_can_be_told_again() -> None:
    lead = gettext("lead over {portfolio}").format(portfolio=gettext("value per cost"))
    sentence = gettext("{headline} by {assumption}").format(headline=lead, assumption="a < b")
    both = join_texts([sentence, listing([count(2, "partner"), "독일"])], "; ")
    assert both == "lead over value per cost by a < b; 2 partners and 독일"
    kept = kept_texts({"sentences": [both, "plain"], "other": {"one": sentence}})
    assert set(kept) == {both, sentence}
    with speaking("ko"):
        assert retold(both) == "a < b에 따른 비용 대비 가치 대비 우위; 협력국 2곳 및 독일"
        plain = str(both)
        assert type(plain) is str
        assert retold(plain) == plain
        with keeping(kept):
            assert retold(plain) == retold(both)


@pytest.mark.parametrize("says", [{}, {"text": 3, "with": []}, {"one": "a"}, {"list": 5}, {"text": "{a}", "with": {}}])
def test_a_text_that_was_kept_wrongly_stands_in_english(says: dict[str, object]) -> None:
    with speaking("ko"), keeping({"as it was": says}):
        assert retold("as it was") == "as it was"


def test_a_text_is_a_text() -> None:
    found = gettext("{a} of {b}").format(a=1, b=2)
    assert isinstance(found, Message)
    assert (found == "1 of 2", hash(found) == hash("1 of 2"), f"{found}!") == (True, True, "1 of 2!")
    with pytest.raises(TypeError, match="by name"):
        gettext("{} of").format(1)
