"""Portfolios: read, write, check against a scenario, rank, and show as a frame.

A portfolio file is a CSV with the columns ``technology, partner, mode, start_year`` and, if wanted, ``rank``; the
columns that `frame` adds for people are read over. Whatever does not fit the scenario is refused, all at once.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from rdsim.arguments import check_arguments
from rdsim.domain import ROOMS, TAG, Choice, Portfolio, Scenario
from rdsim.errors import Fault, InputError, OutputError, PortfolioError
from rdsim.folders import write_whole
from rdsim.numerals import number
from rdsim.scenario import cost, eligible, sound, tags_of
from rdsim.spreadsheets import BookSheet, read_sheets
from rdsim.tables import (
    CsvTable,
    TableRow,
    did_you_mean,
    neutral,
    read_table,
    shown_value,
    table_of_frame,
    table_of_sheet,
    with_known_headings,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Choice", "Portfolio", "check", "frame", "from_frame", "read", "with_ranks", "write"]

_COLUMNS = ("technology", "partner", "mode", "start_year", "rank")
_REQUIRED = ("technology", "partner", "mode", "start_year")
_SHOWN = ("name", "programme", "field", "partner_name", "mode_name", "cost", "score")

_BOOK, _SHEET, _CODE = ".xlsx", "portfolio", "_code"
_TECHNOLOGY = ("technology", "technology_code")
_PLAIN = ("start_year", "rank")
"""Headings of a run's workbook that have no code beside them."""

Place = Callable[[int, str], str]
Finding = tuple[int, str, str, str, str]
Rule = Callable[[tuple[Choice, ...], Scenario], Iterator[Finding]]


@check_arguments("scenario")
def read(path: str | Path, scenario: Scenario | None) -> Portfolio:
    """The portfolio of a CSV file or of a workbook's sheet `portfolio`, named after the file; 0 where no rank is given.

    The sheet may be that of a run's workbook, where codes stand beside names: codes are read.

    Without a scenario (None) it is held only to what is true in any: readable cells, no technology twice.

    Raises:
        PortfolioError: with every fault: of the file, of each row against the scenario, and between rows.

    >>> import rdsim
    >>> scenario = rdsim.examples.starter()
    >>> rdsim.write_portfolio(rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),)), "mine.csv")
    >>> rdsim.read_portfolio("mine.csv", scenario).choices
    (Choice(technology='C1', mode='domestic', partner='', start_year=2026, rank=1),)
    """
    return _portfolio(_table_at(Path(path)), scenario, Path(path).stem)


@check_arguments("portfolio")
def write(portfolio: Portfolio, path: str | Path) -> None:
    """Write the portfolio as CSV, whole and then renamed. Raises PortfolioError for what is no portfolio,
    OutputError if the place cannot be written.

    >>> import rdsim
    >>> from pathlib import Path
    >>> rdsim.write_portfolio(rdsim.Portfolio((rdsim.Choice("C1", start_year=2026, rank=1),)), "other.csv")
    >>> print(Path("other.csv").read_text())
    technology,partner,mode,start_year,rank
    C1,,domestic,2026,1
    <BLANKLINE>
    """
    target = Path(path)
    text = io.StringIO()
    _refuse(_made_faults(portfolio))
    rows = ([one.technology, one.partner, one.mode, one.start_year, one.rank or ""] for one in portfolio.choices)
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *([neutral(str(cell)) for cell in row] for row in rows)])
    try:
        write_whole(target, text.getvalue())
    except OSError as error:
        raise OutputError((Fault(str(target), "the file must be writable", error.strerror or ""),)) from None


def check(portfolio: Portfolio, scenario: Scenario) -> None:
    """Raise PortfolioError with every fault of a portfolio that does not fit the scenario.

    Raises ScenarioError where no files could hold the scenario.
    """
    faults = _made_faults(portfolio)
    readable = portfolio if not faults else _readable(portfolio)
    _refuse([*faults, *_faults(readable.choices, sound(scenario), _RULES, _choice_place(readable))])


def with_ranks(portfolio: Portfolio, scenario: Scenario) -> Portfolio:
    """The portfolio with unique ranks: those given, or 1..n by start year, then score (highest first), then id.

    A choice whose partner, or one of its members, belongs to a network that the programme prefers gains the
    programme's preference points on its score. Raises PortfolioError if only some ranks are given, or two are equal.

    Model: D21.
    """
    _refuse(_faults(portfolio.choices, scenario, (_rank_findings,), _choice_place(portfolio)))
    if all(choice.rank for choice in portfolio.choices):
        return portfolio
    order = sorted(portfolio.choices, key=lambda one: (one.start_year, -_score(scenario, one), one.technology))
    ranks = {choice.technology: rank for rank, choice in enumerate(order, start=1)}
    choices = (dataclasses.replace(choice, rank=ranks[choice.technology]) for choice in portfolio.choices)
    return dataclasses.replace(portfolio, choices=tuple(choices))


def frame(portfolio: Portfolio, scenario: Scenario | None = None) -> pd.DataFrame:
    """A row for each choice, in the portfolio's order: its columns, then names, cost (money), score and tags.

    Names and what follows are a scenario's, for people. A choice without a rank has a missing one; the column is of
    pandas' nullable integers. Raises PortfolioError for a portfolio that does not fit the scenario, or that no file
    could hold.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone

    if scenario is None:
        _refuse(_made_faults(portfolio))
    else:
        check(portfolio, scenario)
    rows = [_row(choice) if scenario is None else _shown_row(choice, scenario) for choice in portfolio.choices]
    tags = [f"{TAG}{name}" for name in tags_of(scenario)] if scenario else []
    table = pd.DataFrame(rows, columns=[*_COLUMNS, *(_SHOWN if scenario else ()), *tags])
    return table.astype({"start_year": "int64", "rank": "Int64"})


def from_frame(table: pd.DataFrame, scenario: Scenario | None = None, name: str = "portfolio") -> Portfolio:
    """The portfolio of a frame with the columns of the CSV; missing partners and ranks mean none.

    Raises PortfolioError with every fault: of the frame, and with a scenario of what does not fit it.
    """
    return _portfolio(table_of_frame(table, f"frame {name}"), scenario, name)


def _table_at(path: Path) -> CsvTable:
    """The table of a file; what keeps it from being read is among its faults."""
    if path.suffix.casefold() != _BOOK or not path.is_file():
        return read_table(path)
    try:
        sheets = [one for one in read_sheets(path, [_SHEET]) if one.name.casefold() == _SHEET]
    except InputError as error:
        return CsvTable(path.name, faults=error.faults)
    if not sheets:
        return CsvTable(path.name, faults=(Fault(path.name, f"must have a sheet called {_SHEET}", "none"),))
    return table_of_sheet(_from_headings_on(sheets[0]), f"{path.name}, sheet {sheets[0].name}")


def _from_headings_on(sheet: BookSheet) -> BookSheet:
    """The sheet without lines above its headings, and of a run's workbook with codes in the place of names."""
    heads = (row for row, cells in sheet.rows.items() if any(_heading(cell) in _TECHNOLOGY for cell in cells))
    head = next(heads, min(sheet.rows, default=0))
    rows = {row: cells for row, cells in sheet.rows.items() if row >= head}
    if not rows:
        return sheet
    headings = list(enumerate(map(_heading, rows[head])))
    codes = {name.removesuffix(_CODE): place for place, name in headings if name.endswith(_CODE)}
    if not codes:
        return replace(sheet, rows=rows)
    known = codes | {name: place for place, name in headings if name in _PLAIN}
    places = [(name, known[name]) for name in _COLUMNS if name in known]
    kept = {row: tuple(cells[p] if p < len(cells) else None for _, p in places) for row, cells in rows.items()}
    kept[head] = tuple(name for name, _ in places)
    whole = {row: cells for row, cells in kept.items() if row == head or cells[0] is not None}  # no row of totals
    return replace(sheet, rows=whole)


def _heading(cell: object) -> str:
    return str(cell or "").strip().casefold().replace(" ", "_")


def _made_faults(portfolio: Portfolio) -> list[Fault]:
    """What no file could hold of a portfolio that was put together in Python."""
    choices: object = getattr(portfolio, "choices", None)
    if not isinstance(choices, tuple) or not hasattr(portfolio, "name"):
        return [Fault("portfolio", "must be a Portfolio of a tuple of choices", type(portfolio).__name__)]
    labels = ((f"portfolio {portfolio.name}, choice {index}", one) for index, one in enumerate(choices))
    return [fault for label, one in labels for fault in _made_choice_faults(label, one)]


def _made_choice_faults(where: str, choice: object) -> Iterator[Fault]:
    if not isinstance(choice, Choice):
        yield Fault(where, "must be a Choice", type(choice).__name__)
        return
    for column in ("technology", "mode", "partner"):
        if not isinstance(getattr(choice, column), str):
            yield Fault(f"{where}, {column}", "must be text", shown_value(getattr(choice, column)))
    for column in ("start_year", "rank"):
        given: object = getattr(choice, column)
        if isinstance(given, bool) or not isinstance(given, Integral):
            yield Fault(f"{where}, {column}", "must be a whole number", shown_value(given))


def _readable(portfolio: Portfolio) -> Portfolio:
    """The choices of a portfolio with which nothing is wrong by themselves."""
    choices: object = getattr(portfolio, "choices", None)
    known = choices if isinstance(choices, tuple) else ()
    return Portfolio(tuple(one for one in known if not list(_made_choice_faults("", one))))


def _portfolio(table: CsvTable, scenario: Scenario | None, name: str) -> Portfolio:
    """The portfolio of a table, or all its faults; a cell that cannot be read is not judged again by the rules."""
    table = with_known_headings(table, (*_COLUMNS, *_SHOWN))
    pairs = [_choice(row, table) for row in table.rows] if table.columns else []
    choices = tuple(choice for choice, _ in pairs)
    written = [*table.faults, *_column_faults(table), *(fault for _, wrong in pairs for fault in wrong)]
    places = {fault.where for fault in written}

    def where(index: int, column: str) -> str:
        return _cell(table, table.rows[index].number, column)

    found = _own_findings(choices) if scenario is None else _findings(choices, sound(scenario), _RULES)
    judged = [Fault(where(index, column), *texts) for index, column, *texts in found]
    _refuse([*written, *(fault for fault in judged if fault.where not in places)])
    return Portfolio(choices, name)


def _cell(table: CsvTable, row: int, column: str) -> str:
    return f"{table.name}, row {row}, column {column}"


def _choice_place(portfolio: Portfolio) -> Place:
    return lambda index, column: f"portfolio {portfolio.name}, {portfolio.choices[index].technology}, {column}"


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise PortfolioError(tuple(dict.fromkeys(faults)))


def _column_faults(table: CsvTable) -> Iterator[Fault]:
    if not table.columns:
        return
    missing = [column for column in _REQUIRED if column not in table.columns]
    known = (*_COLUMNS, *_SHOWN)
    for column in (one for one in table.columns if one and one not in known and not one.startswith(TAG)):
        advice = did_you_mean(column, [one for one in known if one not in table.columns])
        missing = [one for one in missing if f"'{one}'" not in advice]
        yield Fault(f"{table.name}, column {column}", "unknown column", "", advice)
    for column in missing:
        yield Fault(f"{table.name}, column {column}", "the column is required", "no such column")
    for column, unit in table.units.items():
        yield Fault(f"{table.name}, column {column}", "wrong unit: the column takes none", f"[{unit}]")


def _choice(row: TableRow, table: CsvTable) -> tuple[Choice, list[Fault]]:
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
            faults.append(Fault(_cell(table, row.number, column), rule, shown_value(text)))
    cells = row.cells
    return Choice(cells.get("technology", ""), cells.get("mode", ""), cells.get("partner", ""), **numbers), faults


def _faults(choices: tuple[Choice, ...], scenario: Scenario, rules: Iterable[Rule], where: Place) -> list[Fault]:
    return [Fault(where(index, column), *texts) for index, column, *texts in _findings(choices, scenario, rules)]


def _findings(choices: tuple[Choice, ...], scenario: Scenario, rules: Iterable[Rule]) -> Iterator[Finding]:
    return (finding for rule in rules for finding in rule(choices, scenario))


def _own_findings(choices: tuple[Choice, ...]) -> Iterator[Finding]:
    """What is wrong with choices in any scenario."""
    yield from _twice_findings(choices)
    yield from _rank_findings(choices)


def _known_findings(choices: tuple[Choice, ...], scenario: Scenario) -> Iterator[Finding]:
    """Names that the scenario does not have, and technologies chosen twice."""
    for index, choice in enumerate(choices):
        for column, name, known in _names(choice, scenario):
            if name not in known:
                rule = f"must name a {column} of the scenario"
                yield index, column, rule, shown_value(name), did_you_mean(name, known)
    yield from _twice_findings(choices)


def _twice_findings(choices: tuple[Choice, ...]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, choice in enumerate(choices):
        if choice.technology and first.setdefault(choice.technology, index) != index:
            yield index, "technology", "a technology must not be chosen twice", shown_value(choice.technology), ""


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


def _rank_findings(choices: tuple[Choice, ...], _: Scenario | None = None) -> Iterator[Finding]:
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
    """Model: D21."""
    technology = scenario.technologies[choice.technology]
    programme = scenario.programmes[technology.programme]
    preferred = _networks(scenario, choice.partner) & set(programme.preferred_networks)
    return technology.score + (programme.preference_points if preferred else 0.0)


def _networks(scenario: Scenario, code: str) -> set[str]:
    if not code:
        return set()
    partner = scenario.partners[code]
    return {network for one in (code, *partner.members) for network in scenario.partners[one].networks}


def _row(choice: Choice) -> dict[str, object]:
    return {**dataclasses.asdict(choice), "rank": choice.rank or None}


def _shown_row(choice: Choice, scenario: Scenario) -> dict[str, object]:
    technology = scenario.technologies[choice.technology]
    return {
        **_row(choice),
        "name": technology.name,
        "programme": technology.programme,
        "field": technology.field,
        "partner_name": scenario.partners[choice.partner].name if choice.partner else "",
        "mode_name": scenario.modes[choice.mode].name,
        "cost": cost(scenario, technology),
        "score": technology.score,
        **{f"{TAG}{name}": technology.tags.get(name, "") for name in tags_of(scenario)},
    }


_RULES: tuple[Rule, ...] = (_known_findings, _option_findings, _start_findings, _rank_findings, _pair_findings)


class _Room:
    """What is answered of portfolios (`rdsim.domain.ROOMS`)."""

    from_frame = staticmethod(from_frame)
    frame = staticmethod(frame)


ROOMS.portfolio = _Room()
