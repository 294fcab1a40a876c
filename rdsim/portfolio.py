"""Portfolios: read, write, check against a scenario, rank, and show as a frame.

A portfolio file is a CSV with the columns ``technology, partner, mode, start_year`` and, if wanted, ``rank``; the
columns that `frame` adds for people are read over. Whatever does not fit the scenario is refused, all at once.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.errors import Fault, OutputError, PortfolioError
from rdsim.folders import write_whole
from rdsim.numerals import number
from rdsim.scenario import cost, eligible
from rdsim.tables import Row, Table, did_you_mean, headed, neutral, read_table, shown
from rdsim.texts import tidy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check", "frame", "from_frame", "ranked", "read", "write"]

_COLUMNS = ("technology", "partner", "mode", "start_year", "rank")
_REQUIRED = ("technology", "partner", "mode", "start_year")
_SHOWN = ("name", "programme", "field", "partner_name", "mode_name", "cost", "score")

Place = Callable[[int, str], str]
Finding = tuple[int, str, str, str, str]
Rule = Callable[[tuple[Choice, ...], Scenario], Iterator[Finding]]


def read(path: str | Path, scenario: Scenario) -> Portfolio:
    """The portfolio of a CSV file, named after the file; ranks as given, 0 where there are none.

    Raises:
        PortfolioError: with every fault: of the file, of each row against the scenario, and between rows.
    """
    return _portfolio(read_table(Path(path)), scenario, Path(path).stem)


def write(portfolio: Portfolio, path: str | Path) -> None:
    """Write the portfolio as CSV, whole and then renamed. Raises OutputError if the place cannot be written."""
    target = Path(path)
    text = io.StringIO()
    rows = ([one.technology, one.partner, one.mode, one.start_year, one.rank or ""] for one in portfolio.choices)
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *([neutral(str(cell)) for cell in row] for row in rows)])
    try:
        write_whole(target, text.getvalue())
    except OSError as error:
        raise OutputError((Fault(str(target), "the file must be writable", error.strerror or ""),)) from None


def check(portfolio: Portfolio, scenario: Scenario) -> None:
    """Raise PortfolioError with every fault of a portfolio that does not fit the scenario."""
    _refuse(_faults(portfolio.choices, scenario, _RULES, _choice_place(portfolio)))


def ranked(portfolio: Portfolio, scenario: Scenario) -> Portfolio:
    """The portfolio with unique ranks: those given, or 1..n by start year, then score (highest first), then id.

    A choice whose partner, or one of its members, belongs to a network that the programme prefers gains the
    programme's preference points on its score. Raises PortfolioError if only some ranks are given, or two are equal.
    """
    _refuse(_faults(portfolio.choices, scenario, (_rank_findings,), _choice_place(portfolio)))
    if all(choice.rank for choice in portfolio.choices):
        return portfolio
    order = sorted(portfolio.choices, key=lambda one: (one.start_year, -_score(scenario, one), one.technology))
    ranks = {choice.technology: rank for rank, choice in enumerate(order, start=1)}
    choices = (dataclasses.replace(choice, rank=ranks[choice.technology]) for choice in portfolio.choices)
    return dataclasses.replace(portfolio, choices=tuple(choices))


def frame(portfolio: Portfolio, scenario: Scenario) -> pd.DataFrame:
    """A row for each choice, in the portfolio's order: its columns, then names, cost (money) and score for people.

    A choice without a rank has a missing one; the column is of pandas' nullable integers.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone

    rows = [_shown_row(choice, scenario) for choice in portfolio.choices]
    table = pd.DataFrame(rows, columns=[*_COLUMNS, *_SHOWN])
    return table.astype({"start_year": "int64", "rank": "Int64"})


def from_frame(table: pd.DataFrame, scenario: Scenario, name: str = "portfolio") -> Portfolio:
    """The portfolio of a frame with the columns of the CSV; missing partners and ranks mean none.

    Raises PortfolioError with every fault.
    """
    records = [{str(key): _text(value) for key, value in row.items()} for row in table.to_dict("records")]
    rows = tuple(Row(index, {key: text for key, text in one.items() if text}) for index, one in enumerate(records))
    columns = tuple(str(column) for column in table.columns)
    return _portfolio(Table(f"frame {name}", columns, rows=rows), scenario, name)


def _portfolio(table: Table, scenario: Scenario, name: str) -> Portfolio:
    """The portfolio of a table, or all its faults; a cell that cannot be read is not judged again by the rules."""
    table = headed(table, (*_COLUMNS, *_SHOWN))
    pairs = [_choice(row, table) for row in table.rows] if table.columns else []
    choices = tuple(choice for choice, _ in pairs)
    written = [*table.faults, *_column_faults(table), *(fault for _, wrong in pairs for fault in wrong)]
    places = {fault.where for fault in written}
    judged = _faults(choices, scenario, _RULES, lambda index, column: _cell(table, table.rows[index].number, column))
    _refuse([*written, *(fault for fault in judged if fault.where not in places)])
    return Portfolio(choices, name)


def _cell(table: Table, row: int, column: str) -> str:
    return f"{table.name}, row {row}, column {column}"


def _choice_place(portfolio: Portfolio) -> Place:
    return lambda index, column: f"portfolio {portfolio.name}, {portfolio.choices[index].technology}, {column}"


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise PortfolioError(tuple(dict.fromkeys(faults)))


def _column_faults(table: Table) -> Iterator[Fault]:
    if not table.columns:
        return
    missing = [column for column in _REQUIRED if column not in table.columns]
    known = (*_COLUMNS, *_SHOWN)
    for column in (one for one in table.columns if one and one not in known):
        advice = did_you_mean(column, [one for one in known if one not in table.columns])
        missing = [one for one in missing if f"'{one}'" not in advice]
        yield Fault(f"{table.name}, column {column}", "unknown column", "", advice)
    for column in missing:
        yield Fault(f"{table.name}, column {column}", "the column is required", "no such column")
    for column, unit in table.units.items():
        yield Fault(f"{table.name}, column {column}", "wrong unit: the column takes none", f"[{unit}]")


def _choice(row: Row, table: Table) -> tuple[Choice, list[Fault]]:
    """The row's choice and what is wrong with its cells; a number that cannot be read is 0."""
    faults: list[Fault] = []
    numbers = {"start_year": 0, "rank": 0}
    for column in numbers:
        text = row.cells.get(column, "")
        value = number(text, table.style)
        if isinstance(value, int) and value > 0:
            numbers[column] = value
        elif text or (column == "start_year" and column in table.columns):
            rule = (
                "must be a fiscal year" if column == "start_year" else "must be a whole number of 1 or more, or empty"
            )
            faults.append(Fault(_cell(table, row.number, column), rule, shown(text)))
    cells = row.cells
    return Choice(cells.get("technology", ""), cells.get("mode", ""), cells.get("partner", ""), **numbers), faults


def _faults(choices: tuple[Choice, ...], scenario: Scenario, rules: Iterable[Rule], where: Place) -> list[Fault]:
    findings = (finding for rule in rules for finding in rule(choices, scenario))
    return [Fault(where(index, column), *texts) for index, column, *texts in findings]


def _known_findings(choices: tuple[Choice, ...], scenario: Scenario) -> Iterator[Finding]:
    """Names that the scenario does not have, and technologies chosen twice."""
    first: dict[str, int] = {}
    for index, choice in enumerate(choices):
        for column, name, known in _names(choice, scenario):
            if name not in known:
                rule = f"must name a {column} of the scenario"
                yield index, column, rule, shown(name), did_you_mean(name, known)
        if choice.technology and first.setdefault(choice.technology, index) != index:
            yield index, "technology", "a technology must not be chosen twice", shown(choice.technology), ""


def _names(choice: Choice, scenario: Scenario) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    yield "technology", choice.technology, scenario.technologies
    yield "mode", choice.mode, scenario.modes
    if choice.partner:
        yield "partner", choice.partner, scenario.partners


def _option_findings(choices: tuple[Choice, ...], scenario: Scenario) -> Iterator[Finding]:
    for index, choice in enumerate(choices):
        if all(name in known for _, name, known in _names(choice, scenario)):
            reason = eligible(scenario, choice.technology, choice.partner, choice.mode)
            if reason:
                column = "partner" if choice.partner else "mode"
                rule = "the technology must be eligible with its partner and mode"
                yield index, column, rule, f"{_pair(choice)}: {reason}", ""


def _pair(choice: Choice) -> str:
    return f"{choice.technology} with {choice.partner or 'no partner'}, {choice.mode}"


def _start_findings(choices: tuple[Choice, ...], scenario: Scenario) -> Iterator[Finding]:
    for index, choice in enumerate(choices):
        technology = scenario.technologies.get(choice.technology)
        if technology is None:
            continue
        starts = scenario.programmes[technology.programme].starts
        if not starts.get(choice.start_year):
            years = ", ".join(str(year) for year in sorted(starts) if starts[year]) or "none"
            rule = f"must be a year in which programme {technology.programme} has starts: {years}"
            yield index, "start_year", rule, str(choice.start_year), ""


def _rank_findings(choices: tuple[Choice, ...], _: Scenario) -> Iterator[Finding]:
    """All ranks or none, all different, all positive."""
    given = Counter(choice.rank for choice in choices)
    some = set(given) != {0}
    for index, choice in enumerate(choices):
        if choice.rank < 0 or (some and not choice.rank):
            yield index, "rank", "all choices must have a rank of 1 or more, or none", str(choice.rank or "none"), ""
        elif some and given[choice.rank] > 1:
            yield index, "rank", "ranks must be unique", str(choice.rank), ""


def _pair_findings(choices: tuple[Choice, ...], scenario: Scenario) -> Iterator[Finding]:
    chosen = {choice.technology: index for index, choice in enumerate(choices)}
    for link in scenario.links:
        if link.kind == "exclusion" and link.technology in chosen and link.other in chosen:
            rule = "two technologies that exclude one another must not both be chosen"
            later = max(chosen[link.technology], chosen[link.other])
            yield later, "technology", rule, f"{link.technology} and {link.other}", ""


def _score(scenario: Scenario, choice: Choice) -> float:
    technology = scenario.technologies[choice.technology]
    programme = scenario.programmes[technology.programme]
    preferred = _networks(scenario, choice.partner) & set(programme.preferred_networks)
    return technology.score + (programme.preference_points if preferred else 0.0)


def _networks(scenario: Scenario, code: str) -> set[str]:
    if not code:
        return set()
    partner = scenario.partners[code]
    return {network for one in (code, *partner.members) for network in scenario.partners[one].networks}


def _shown_row(choice: Choice, scenario: Scenario) -> dict[str, object]:
    technology = scenario.technologies[choice.technology]
    return {
        **dataclasses.asdict(choice),
        "rank": choice.rank or None,
        "name": technology.name,
        "programme": technology.programme,
        "field": technology.field,
        "partner_name": scenario.partners[choice.partner].name if choice.partner else "",
        "mode_name": scenario.modes[choice.mode].name,
        "cost": cost(scenario, technology),
        "score": technology.score,
    }


def _text(value: Any) -> str:
    """A frame's value as a cell; every kind of missing value is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) in ("<NA>", "NaT"):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else tidy(str(value)).strip()


_RULES: tuple[Rule, ...] = (_known_findings, _option_findings, _start_findings, _rank_findings, _pair_findings)
