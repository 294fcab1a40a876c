"""Korean particles that depend on the sound before them: which of the two forms stands behind what was put in.

A translation writes both, as Korean forms do: `{name}은(는)`, `이(가)`, `을(를)`, `와(과)`, `(으)로`. The one is left
that fits the last sound of the word before it. Syllables say themselves whether they end in a consonant; digits and
Latin letters do as Koreans read them: 3 is 삼, LG is 엘지. What stands in brackets is not read: 서울(Seoul)은.
"""

from __future__ import annotations

import re

__all__ = ["final_sound", "with_particles"]

_PAIRS = {
    "은(는)": ("은", "는"),
    "는(은)": ("은", "는"),
    "이(가)": ("이", "가"),
    "가(이)": ("이", "가"),
    "을(를)": ("을", "를"),
    "를(을)": ("을", "를"),
    "과(와)": ("과", "와"),
    "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)": ("이", ""),
}
"""How a translation writes a particle: its form behind a consonant, and behind a vowel."""

_MARK = re.compile("|".join(re.escape(pair) for pair in sorted(_PAIRS, key=len, reverse=True)))
_TAIL = re.compile(
    r"(?:<[^<>]*>|[\s\"'\u2018\u2019\u201c\u201d\u300c\u300d\u300e\u300f*`]|\([^()]*\)|\[[^\[\]]*\]|[)\]}.,;:])+$"
)
"""What is not read at the end of a word: tags, quotes, and what stands in brackets."""

_DIGITS = dict(zip("0123456789", ("ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", ""), strict=True))
_SIGNS = {"%": "", "\N{DEGREE SIGN}": "", "+": "", "\N{EN DASH}": ""}
_LETTERS = {"L": "ㄹ", "M": "ㅁ", "N": "ㄴ", "R": "ㄹ"}
"""Names of letters that end in a consonant, in the word of capitals that they end: 엘, 엠, 엔, 알."""

_ENDINGS = re.compile(
    r"(?P<liquid>l|le)$|(?P<nasal>m|n|ng|me|ne|um|on)$|(?P<stop>(?:[^aeiou]|^)[aeiou][ptkb]|ck|et|ap|ip|op)$"
)
"""Words that are read with a last consonant: 호텔, 시스템, 재팬, 칩, 마켓; others end in a vowel: 테크, 클라우드."""


def with_particles(text: str) -> str:
    """The text with one form of each particle that it writes with both."""
    if "(" not in text:
        return text
    parts, place = [], 0
    for mark in _MARK.finditer(text):
        parts.append(text[place : mark.start()])
        parts.append(_fitting(mark[0], "".join(parts)))
        place = mark.end()
    return "".join([*parts, text[place:]])


def _fitting(pair: str, before: str) -> str:
    consonant, vowel = _PAIRS[pair]
    sound = final_sound(before)
    if sound is None:
        return pair
    if pair == "(으)로" and sound == "ㄹ":
        return vowel
    return consonant if sound else vowel


def final_sound(text: str) -> str | None:
    """The consonant that the last word ends in: "" for none, "ㄹ" and others by name; None if it cannot be read."""
    word = _TAIL.sub("", text)
    if not word:
        return None
    last = word[-1]
    if "가" <= last <= "힣":
        place = (ord(last) - ord("가")) % 28
        return "ㄹ" if place == 8 else "" if place == 0 else "ㅇ"
    if last in _DIGITS:
        return _DIGITS[last]
    if last in _SIGNS:
        return _SIGNS[last]
    found = re.search(r"[A-Za-z]+$", word)
    return _latin(found[0]) if found else None


def _latin(word: str) -> str:
    if word.isupper():
        return _LETTERS.get(word[-1], "")
    ending = _ENDINGS.search(word.lower())
    if ending is None:
        return ""
    return "ㄹ" if ending["liquid"] else "ㄴ" if ending["nasal"] else "ㄱ"
