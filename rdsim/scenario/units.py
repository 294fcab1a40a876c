"""Units of money, time and rates, and what numbers written with them are worth: "9 months", "500 million KRW".

Factors are exact fractions, so that "500 million KRW" is exactly 0.5 billion KRW. A month has 30 days and a year
360, the calendar of the simulation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["SCALES", "MoneyUnit", "factor", "money_unit", "unit_words"]

SCALES = {"": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

_MONTHS = {"month": Fraction(1), "year": Fraction(12), "day": Fraction(1, 30)}
_RATES = {
    "per year": Fraction(1),
    "% per year": Fraction(1, 100),
    "per month": Fraction(12),
    "% per month": Fraction(12, 100),
}


@dataclass(frozen=True)
class MoneyUnit:
    """A scale and a currency, as billion and KRW."""

    scale: int
    currency: str

    def __str__(self) -> str:
        name = next(name for name, scale in SCALES.items() if scale == self.scale)
        return f"{name} {self.currency}".strip()


def money_unit(text: str) -> MoneyUnit | None:
    """The money unit that `text` writes, '<scale> <currency>', or None."""
    match = re.fullmatch(r"(?:([a-z]+) )?([A-Z]{3})", " ".join(text.split()))
    if not match or (match[1] or "") not in SCALES:
        return None
    return MoneyUnit(SCALES[match[1] or ""], match[2])


def factor(written: str, unit: str, money: MoneyUnit) -> Fraction | None:
    """What a number in the written unit is multiplied by to be in the field's `unit`; None: not convertible."""
    if unit == "money":
        other = money_unit(written)
        return Fraction(other.scale, money.scale) if other and other.currency == money.currency else None
    if unit == "per year":
        return _RATES.get(re.sub(r"^(%?) ?/ ?", r"\1 per ", written.lower()).strip())
    months = _MONTHS.get(written.lower().removesuffix("s"))
    if months is None or unit not in ("months", "years"):
        return None
    return months if unit == "months" else months / 12


def unit_words(unit: str, money: MoneyUnit) -> str:
    """The units that a field takes, in words."""
    if unit == "money":
        return f"{money}, or another scale of {money.currency}"
    return {"months": "months, years or days", "years": "years, months or days"}.get(unit, "% per year, or per year")
