"""Cells and quantities become the plain values that the validator expects: numbers in the scenario's units.

What cannot be converted is left as it is; if the reason is a unit or a way of writing, a finding says so.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from rdsim.domain import Scenario
from rdsim.numerals import PLAIN, Style, exact, number, number_advice, quantity_parts
from rdsim.scenario.cells import Cell, cell_entries
from rdsim.scenario.findings import Finding
from rdsim.scenario.shapes import ROOT, Path, Shape, judged_shape, parts, words
from rdsim.scenario.units import SCALES, MoneyUnit, factor, money_unit, unit_words
from rdsim.tables import shown_value
from rdsim.texts import DEEPEST, invisible, tidy

__all__ = ["plain", "resolve", "stated_money"]


def plain(value: Any, depth: int = 0) -> Any:
    """A scenario, or a part of one, as TOML would have given it: tables with text keys, lists, Python's own numbers.

    What a field need not have and has not is left out; what is no plain data is left for the validator to refuse.
    """
    if depth > DEEPEST:
        return f"more than {DEEPEST} tables or lists in one another"
    record: Any = type(value)
    if record.__module__ == Scenario.__module__ and hasattr(record, "__dataclass_fields__"):
        shapes = parts(record)
        fields = ((name, getattr(value, name)) for name in shapes)
        return {name: plain(one, depth + 1) for name, one in fields if one is not None or not shapes[name].optional}
    if isinstance(value, Mapping):
        return {tidy(str(key)): plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
    return plain(value.tolist(), depth + 1) if hasattr(value, "tolist") else value


def stated_money(mapping: dict[str, Any]) -> tuple[MoneyUnit, list[Finding]]:
    """The scenario's money unit, and what is wrong with it; then billions stand in, so that the rest can be checked."""
    text, currency = mapping.get("money_unit"), mapping.get("currency")
    stated = money_unit(text) if isinstance(text, str) else None
    if stated and stated.currency == currency:
        return stated, []
    scale = stated.scale if stated else SCALES["billion"]
    stand_in = MoneyUnit(scale, currency if isinstance(currency, str) else "KRW")
    if not isinstance(text, str) or not isinstance(currency, str):
        return stand_in, []
    rule = f"must be '<scale> {currency}' with the scenario's currency and one of the scales {_scales()}, or none"
    return stand_in, [Finding((("money_unit",), ("currency",)), rule, shown_value(text))]


def resolve(mapping: dict[str, Any], money: MoneyUnit) -> tuple[dict[str, Any], list[Finding]]:
    """A copy of the mapping with every cell and quantity converted, and what could not be."""
    resolution = _Resolution(money)
    return resolution.value(mapping, ROOT, ()), resolution.findings


@dataclass
class _Resolution:
    """One walk over the mapping, with the findings that it gathers."""

    money: MoneyUnit
    findings: list[Finding] = field(default_factory=list)

    def value(self, value: Any, shape: Shape | None, path: Path) -> Any:
        if shape is not None and shape.joined and isinstance(value, Cell | str):
            value = self.apart(value, shape, path)
        if isinstance(value, dict):
            return {key: self.value(item, _below(shape, key, value), (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, shape and shape.item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, Cell):
            value = self.cell(value, shape, path)
        elif isinstance(value, str):
            value = self.text(value, shape, path)
        elif isinstance(value, int | float) and shape is not None and shape.written:
            return str(int(value) if isinstance(value, bool) else value)
        if shape is not None and isinstance(value, int | float):
            self.limit(value, shape, path)
        return value

    def apart(self, value: Cell | str, shape: Shape, path: Path) -> Any:
        """What a cell that holds several things holds, or a text in its place."""
        found, broken = cell_entries(value, shape)
        if broken:
            self.findings.append(Finding((path,), *broken))
        return found

    def limit(self, value: float, shape: Shape, path: Path) -> None:
        """Money must not be above its limit, whatever unit it is counted in; all else is validated as it stands."""
        if shape.most is not None and value > shape.most * SCALES["billion"] / self.money.scale:
            self.findings.append(Finding((path,), f"must be {words(shape, str(self.money))}", shown_value(value)))

    def cell(self, cell: Cell, shape: Shape | None, path: Path) -> Any:
        """A cell's number times its column's factor; a cell with a unit of its own needs none of the column's."""
        scale = self.column_factor(cell.unit, shape, path) if cell.unit else Fraction(1)
        value, fraction = number(cell.text, cell.style), exact(cell.text, cell.style)
        if value is None or fraction is None:
            return self.text(cell.text, shape, path, cell.style)
        return value if scale == 1 or scale is None else _scale(fraction, scale)

    def column_factor(self, unit: str, shape: Shape | None, path: Path) -> Fraction | None:
        found = factor(unit, shape.unit, self.money) if shape and shape.unit else None
        if found is None:
            column = path if path[0] == "judgements" else (*path[:1], "*", *path[2:])
            self.wrong_unit(column, shape, f"[{unit}]")
        return found

    def text(self, value: str, shape: Shape | None, path: Path, style: Style = PLAIN) -> Any:
        """Text where text belongs, without outer blanks; a quantity where a number belongs, in the field's unit."""
        if shape is None or shape.kind not in ("number", "whole"):
            return self.clean(value.strip(), path)
        written = quantity_parts(value, style)
        scale = factor(written[1], shape.unit, self.money) if written and shape.unit else None
        if written and scale is not None:
            return _scale(written[0], scale)
        if written and shape.unit:
            self.wrong_unit(path, shape, shown_value(value))
        elif advice := number_advice(value, style, share=_is_share(shape)):
            self.findings.append(
                Finding((path,), f"must be {words(shape, str(self.money))}", shown_value(value), advice)
            )
        return value

    def wrong_unit(self, path: Path, shape: Shape | None, found: str) -> None:
        allowed = unit_words(shape.unit, self.money) if shape and shape.unit else ""
        rule = f"wrong unit: must be in {allowed}" if allowed else "wrong unit: the column takes none"
        self.findings.append(Finding((path,), rule, found))

    def clean(self, text: str, path: Path) -> str:
        """Text that a file can hold: no control characters but line ends and tabs, nothing that cannot be seen."""
        bad = next((one for one in text if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\r\t"), "")
        if bad:
            self.findings.append(Finding((path,), "text must not hold control characters", f"U+{ord(bad):04X}"))
        elif unseen := invisible(text):
            self.findings.append(Finding((path,), "text must hold nothing that cannot be seen", unseen))
        return tidy(text.encode("utf-8", "replace").decode())


def _below(shape: Shape | None, key: str, beside: dict[str, Any]) -> Shape | None:
    """The shape of a key; what experts judge has the unit of the input that stands beside it."""
    if shape is None:
        return None
    found = parts(shape.record).get(key) if shape.record else shape.item
    if found is None or found.unit != "as its input":
        return found
    meant = judged_shape(str(beside.get("input", "")).strip())
    return replace(found, unit=meant.unit if meant else "")


def _is_share(shape: Shape) -> bool:
    """Whether 92% of it is 0.92: an index of up to 100 or 200 is written as 92."""
    return shape.upper is None or shape.upper[0] <= 1


def _scale(value: Fraction, scale: Fraction) -> int | float:
    """The nearest number to the exact product, an int where it is whole."""
    product = value * scale
    try:
        return int(product) if product.denominator == 1 else float(product)
    except OverflowError:
        return math.inf


def _scales() -> str:
    return ", ".join(scale for scale in SCALES if scale)
