"""Inputs that nobody would write on purpose, grown from valid ones: mutations of bytes, tokens, lines and trees."""

from __future__ import annotations

import random
import re
import unicodedata
from typing import Any

__all__ = ["ODD_TEXTS", "ODD_VALUES", "mutated_bytes", "mutated_text", "mutated_tree", "odd_value"]

ODD_TEXTS = (
    *("", " ", "0", "-1", "1e999", "-1e-999", "nan", "inf", "1,5", "1.234", "10,5", "1 150,5", "1'150.5", "9" * 5000),
    *("150.000 million KRW", "12 kg", "2 years", "4 % per year", "92%", "1e3", "0x10", "1_000", "2**31", "\u22125"),
    *("none", "true", "1979-05-27", "domestic", "T1", "US", "US|JP", "|", "||", ";", ",", "\t", "=1+1", "@x", "+", "-"),
    *(
        "\u200b",
        "\ufeff",
        "\u202e",
        "\x00",
        "\x07",
        "\x85",
        "\u2028",
        "\u1112\u1161\u11ab",
        "\ud55c",
        "\u3164",
        "\u00a0",
    ),
    *(
        "'",
        '"',
        '""',
        "'''",
        '"""',
        "[",
        "]",
        "{",
        "}",
        "[" * 3000,
        "{a=" * 500,
        "a." * 3000,
        "#",
        "=",
        "\\u200b",
        "\\",
    ),
    *("sep=;\n", "\r", "\n\n", "../../x", "/dev/full", "a" * 100_000, "total", "\uac00" * 300, "\U0001f468\u200d", "٣"),
    *("%s%n", "{0}", "{x!r:>99999}", "<script>", "&amp;", "`|`", "$(x)", "9223372036854775808", "-9223372036854775809"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 10**9, 2**63, -(2**63), 10**5000, 0.5, -0.0, 1e308, 5e-324),
    *(float("nan"), float("inf"), b"x", 1j, {1, 2}, [], {}, (), [[]], {"": ""}, object(), range(3), [None], "x"),
)

_TOKEN = re.compile(r"[^\W_]+|\s+|.", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def mutated_text(text: str, rng: random.Random) -> str:
    """The text after one to three mutations."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice(_TEXT)(text, rng)
    return text


def mutated_bytes(text: str, rng: random.Random) -> bytes:
    """The mutated text as bytes, now and then in another encoding or with broken bytes."""
    changed = mutated_text(text, rng) if rng.random() < 0.9 else text
    encoding = rng.choice(("utf-8",) * 12 + ("utf-8-sig", "utf-16", "euc-kr", "latin-1"))
    data = bytearray(changed.encode(encoding, "replace"))
    if rng.random() < 0.1 and data:
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def odd_value(rng: random.Random, depth: int = 0) -> Any:
    """A Python value that a script might give by mistake."""
    kind = rng.random()
    if depth < 3 and kind < 0.15:
        return [odd_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if depth < 3 and kind < 0.3:
        return {rng.choice(("a", "name", "months", "", 1, "2024")): odd_value(rng, depth + 1) for _ in range(2)}
    if kind < 0.6:
        return rng.choice(ODD_TEXTS)
    return rng.choice((*ODD_VALUES, rng.uniform(-10, 10), rng.randint(-5, 3000)))


def mutated_tree(tree: Any, rng: random.Random) -> Any:
    """A copy of plain data with one to three places changed, taken away, moved or grown."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        tree = _changed(tree, rng)
    return tree


def _changed(node: Any, rng: random.Random) -> Any:
    """One change somewhere below a node."""
    if not isinstance(node, dict | list) or not node or rng.random() < 0.1:
        return rng.choice((odd_value(rng), [node], {"x": node}, f"{type(node)}"))
    copy = dict(node) if isinstance(node, dict) else list(node)
    key = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
    kind = rng.random()
    if kind < 0.1:
        del copy[key]
    elif kind < 0.2 and isinstance(copy, dict):
        copy[rng.choice((f"{key}x", str(key).upper(), *ODD_TEXTS[:30]))] = copy.pop(key)
    elif kind < 0.3 and isinstance(copy, list):
        copy.insert(key, odd_value(rng))
    else:
        copy[key] = _changed(copy[key], rng)
    return copy


def _insert(text: str, rng: random.Random) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(ODD_TEXTS) + text[place:]


def _token(text: str, rng: random.Random) -> str:
    tokens = _TOKEN.findall(text) or [""]
    tokens[rng.randrange(len(tokens))] = rng.choice(ODD_TEXTS)
    return "".join(tokens)


def _cell(text: str, rng: random.Random) -> str:
    cells = re.split(r"([,;=\n])", text)
    cells[rng.randrange(len(cells))] = rng.choice(ODD_TEXTS)
    return "".join(cells)


def _number(text: str, rng: random.Random) -> str:
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return text
    one = rng.choice(numbers)
    value = rng.choice(
        ("0", "-1", "1e9", "1e-9", "0.5", "99999999", "2147483648", "9" * 400, f"-{one[0]}", f"{one[0]}.5")
    )
    return text[: one.start()] + value + text[one.end() :]


def _exchange(text: str, rng: random.Random) -> str:
    """A word in the place of another word."""
    words = list(re.finditer(r"[\w.+-]+", text))
    if len(words) < 2:
        return text
    one, other = rng.sample(words, 2)
    return text[: one.start()] + other[0] + text[one.end() :]


def _slice(text: str, rng: random.Random) -> str:
    start = rng.randint(0, len(text))
    stop = min(len(text), start + rng.choice((1, 3, 30, 300)))
    return text[:start] + text[start:stop] * rng.choice((0, 0, 2, 5)) + text[stop:]


def _lines(text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return text
    one, other = rng.sample(range(len(lines)), 2)
    kind = rng.randrange(4)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(one, lines[other])
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] *= rng.choice((2, 50))
    return "".join(lines)


def _form(text: str, rng: random.Random) -> str:
    """The whole in another form: separators, line ends, letters."""
    return rng.choice(
        (
            lambda: text.replace(",", ";"),
            lambda: text.replace(",", "\t"),
            lambda: text.replace(".", ","),
            lambda: text.replace("\n", "\r\n"),
            lambda: text.replace("\n", "\r"),
            text.upper,
            lambda: unicodedata.normalize("NFD", text),
            lambda: text[: rng.randint(0, len(text))],
            lambda: f"sep={rng.choice(',;|')}\n{text}",
            lambda: text.replace('"', "'"),
        )
    )()


_TEXT = (_insert, _token, _token, _cell, _cell, _number, _number, _exchange, _exchange, _slice, _lines, _lines, _form)
