"""What a scenario's workbook checks by itself, in formulas: what looks wrong is seen in Excel, before it is read back.

Checks are hints: `rdsim check` knows all rules, and names the cells. Formulas name sheets, columns and rows, and words
that the domain lists, but no text of a scenario.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rdsim.scenario.shapes import Shape, dotted_path, words
from rdsim.workbook.forms import Form, Forms, Head

__all__ = ["SelfCheck", "YearMoney", "checks_of", "year_money"]

_TYPE_AGAIN = "Sums leave them out. A quantity with its unit is fine; else type the number again."


@dataclass(frozen=True)
class SelfCheck:
    """One count of what looks wrong: the sheet, what is counted, its formula, what it comes to now, and what to do."""

    sheet: str
    what: str
    formula: str
    advice: str
    value: int = 0


@dataclass(frozen=True)
class YearMoney:
    """A setting by programme and year: money, or starts. `rows` are the settings' paths, each with its sums now."""

    title: str
    key: str
    years: Sequence[int]
    rows: Mapping[str, Sequence[float]]


def checks_of(forms: Forms) -> list[SelfCheck]:
    """The checks of a workbook; of a scenario that was exported all come to nothing, but for numbers that are texts."""
    found = list(_setting_checks(forms.settings))
    for name, form in forms.tables.items():
        found += _table_checks(name, form, forms)
    return found


def _setting_checks(form: Form) -> Iterator[SelfCheck]:
    path, value, kind, needed = (form.span(title) for title in ("Setting", "Value", "Kind", "Required"))
    missing = f'=COUNTIFS({needed},"yes",{value},"")'
    yield SelfCheck(form.name, "required settings without a value", missing, "Fill them in: filter Required by yes.")
    yield SelfCheck(form.name, "settings that stand in two lines", _twice(path), "Delete one of the two.")
    texts = f'=SUMPRODUCT((({kind}="number")+({kind}="whole number"))*ISTEXT({value}))'
    places = form.place("Kind"), form.place("Value")
    now = sum(row[places[0]] in ("number", "whole number") and isinstance(row[places[1]], str) for row in form.rows)
    yield SelfCheck(form.name, "numbers that are texts", texts, _TYPE_AGAIN, now)


def _table_checks(name: str, form: Form, forms: Forms) -> Iterator[SelfCheck]:
    needed = [head for head in form.heads if head.required]
    filled = "+".join(f'({form.span(head.title)}<>"")' for head in needed)
    for head in needed:
        empty = f'=SUMPRODUCT((({filled})>0)*({form.span(head.title)}=""))'
        yield SelfCheck(form.name, f"{head.title}: empty, and required", empty, "Fill it in, or delete the row.")
    if name in ("technologies", "partners", "levels"):
        key = form.heads[0].title
        yield SelfCheck(form.name, f"{key}: in two rows", _twice(form.span(key)), "Each must be there once.")
    for head in form.heads:
        yield from _column_checks(form, head, forms)


def _column_checks(form: Form, head: Head, forms: Forms) -> Iterator[SelfCheck]:
    """Names that nothing has, words that are none, numbers beyond their limits, and numbers that are texts."""
    cells, shape = form.span(head.title), head.shape
    if shape is None:
        return
    if known := _range_of_names(head, form, forms):
        unknown = f'=SUMPRODUCT(({cells}<>"")*(COUNTIF({known},{cells})=0))'
        yield SelfCheck(
            form.name, f"{head.title}: names that nothing has", unknown, f"Names stand in {known.partition('!')[0]}."
        )
    elif shape.kind == "choice":
        counted = "".join(f'-COUNTIF({cells},"{word}")' for word in shape.choices)
        others = f'=SUMPRODUCT(--({cells}<>"")){counted}'
        yield SelfCheck(form.name, f"{head.title}: unknown words", others, f"Must be {words(shape)}.")
    if shape.kind in ("number", "whole"):
        texts = f"=SUMPRODUCT(--ISTEXT({cells}))"
        yield SelfCheck(form.name, f"{head.title}: numbers that are texts", texts, _TYPE_AGAIN)
        if outside := _outside(cells, shape):
            yield SelfCheck(form.name, f"{head.title}: out of limits", f"={outside}", f"Must be {words(shape)}.")


def _range_of_names(head: Head, form: Form, forms: Forms) -> str:
    """The range of the names that a column's are looked up in; none for a table's own."""
    own = form is forms.tables.get(head.table)
    allowed = next((one for one in form.allowed if one.column == form.place(head.title)), None)
    return "" if own or allowed is None else allowed.names


def _twice(cells: str) -> str:
    """The formula that counts cells whose text stands in another one too."""
    return f'=SUMPRODUCT(({cells}<>"")*(COUNTIF({cells},{cells}&"")>1))'


def _outside(cells: str, shape: Shape) -> str:
    """The count of numbers beyond limits, as a part of a formula; empty where there are none."""
    low, high = shape.lower, shape.upper
    texts = []
    if low:
        texts.append(f'COUNTIF({cells},"{"<" if low[1] else "<="}{low[0]:.15g}")')
    if high:
        texts.append(f'COUNTIF({cells},"{">" if high[1] else ">="}{high[0]:.15g}")')
    return "+".join(texts)


# --- sums -----------------------------------------------------------------------------------------


def year_money(forms: Forms) -> list[YearMoney]:
    """Announced money and starts, by programme and year."""
    s = forms.scenario
    money = {code: {year: float(one) for year, one in row.budget.items()} for code, row in s.programmes.items()}
    starts = {code: {year: float(one) for year, one in row.starts.items()} for code, row in s.programmes.items()}
    titles = (f"Announced money, {s.money_unit}", "budget", money), ("Projects that may start", "starts", starts)
    return [_by_year(*one) for one in titles]


def _by_year(title: str, key: str, tables: Mapping[str, Mapping[int, float]]) -> YearMoney:
    years = sorted({year for row in tables.values() for year in row})
    rows = {dotted_path(("programmes", code)): [row.get(year, 0.0) for year in years] for code, row in tables.items()}
    return YearMoney(title, key, years, rows)
