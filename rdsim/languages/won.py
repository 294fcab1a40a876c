"""Amounts of billion KRW as Koreans write them, in 조 and 억: 1,887 십억 원 is 1조 8,870억 원.

Sentences say an amount and its unit apart: `{amount} {unit}`. Where a text is filled in with the unit, its numbers are
amounts, alone or as both ends of a range; what counts something else has a name that says so. Where an argument is a
whole amount already, ranges beside it are of its unit. As many digits are kept as were written. Tables, axes and labels
that name the unit once, and hold no number themselves, keep it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["WHOLE_UNIT", "jo_and_eok", "korean_amounts"]

WHOLE_UNIT = "십억 원"
_WON = "원"

_NUMBER = "[+\N{MINUS SIGN}-]?[\\d,]+(?:\\.\\d+)?"
_AMOUNTS = re.compile(f"({_NUMBER})(?:~({_NUMBER}))?(?P<share> \\([\\d.]+%\\))?")
_TOLD = re.compile(r"(?<![백천십])[만억조] 원$|^0 원$")
_OTHERWISE = {
    "all", "base", "confidence", "level", "losses", "number", "of", "places", "probability", "ratio", "repeats",
    "replications", "run", "samples", "share", "technologies", "weight", "year", "years",
}  # fmt: skip
"""Names of what is put into texts that no money is of, and that may be a bare number."""

_EOK_IN_JO, _MAN_IN_EOK, _EOK = 10_000, 10_000, 10
"""억 in a 조, 만 in an 억, and 억 in a billion."""


def korean_amounts(given: Mapping[str, object]) -> dict[str, object]:
    """What a text is filled in with, amounts of billion KRW in 조, 억 and 만."""
    whole = given.get("unit") == WHOLE_UNIT
    if not whole and not any(isinstance(one, str) and _TOLD.search(one) for one in given.values()):
        return dict(given)
    amounts = {name for name, one in given.items() if name not in _OTHERWISE and _is_amount(one)}
    told = {name: _amounts(one) if name in amounts else one for name, one in given.items()}
    return {**told, "unit": _WON} if whole and amounts else told


def _is_amount(value: object) -> bool:
    return isinstance(value, str) and _AMOUNTS.fullmatch(value) is not None


def _amounts(value: object) -> object:
    """An amount, or a range of two, in 조 and 억."""
    found = _AMOUNTS.fullmatch(str(value))
    assert found is not None  # noqa: S101 - `_is_amount` has looked
    return "~".join(jo_and_eok(end) for end in found.groups()[:2] if end) + (found["share"] or "")


def jo_and_eok(number: str) -> str:
    """A number of billions, as written, in 조, 억 or 만, with as many digits.

    >>> jo_and_eok("1,887"), jo_and_eok("34.4"), jo_and_eok("0.017"), jo_and_eok("20,000"), jo_and_eok("0.00")
    ('1조 8,870억', '344억', '1,700만', '20조', '0')
    """
    sign = number[0] if number[0] in "+-\N{MINUS SIGN}" else ""
    digits = number[len(sign) :].replace(",", "")
    decimals = len(digits.partition(".")[2])
    eok = round(float(digits) * _EOK, max(decimals - 1, 0))
    if eok == 0:
        return "0"
    if eok < 1:
        man = round(float(digits) * _EOK * _MAN_IN_EOK, max(decimals - 5, 0))
        return f"{sign}{man:,.{max(decimals - 5, 0)}f}만"
    jo, rest = divmod(eok, _EOK_IN_JO)
    parts = [f"{jo:,.0f}조"] if jo else []
    parts += [f"{rest:,.{0 if jo else max(decimals - 1, 0)}f}억"] if round(rest, 6) else []
    return sign + " ".join(parts)
