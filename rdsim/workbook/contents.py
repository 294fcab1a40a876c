"""Which sheets a run has, and what stands in them: the run's tables and manifest, in names and in codes.

Nothing is estimated anew: figures are the manifest's, money is the mean of the run's own tables over replications. What
a run does not have - an optimiser's proposal has no payments in simulation - has no column, or no sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rdsim.domain import Portfolio, Scenario
from rdsim.figures import Figure, find_figure, from_files, unit_words
from rdsim.report import (
    PlanReport,
    firmness_words,
    headline,
    outcome_shares,
    payments_for_good,
    policy_labels,
    promise_words,
    yearly_payments,
)
from rdsim.scenario import cost, target
from rdsim.words import source_words
from rdsim.workbook.sheets import Cell, Chart, Heading, Overview, Share, Sheet, YearSums

__all__ = ["Contents", "sheets_of"]

_QUESTIONS = {
    "plan": "Which technologies to fund, with which partner countries, from which year?",
    "simulate": "What will probably come of this portfolio?",
    "optimise": "What does the optimiser propose? Nothing is simulated together yet: rdsim plan does.",
}
_CHARTS = 8
"""Programmes that have a chart of their own, at most: more are not looked at."""

_Body = Mapping[str, Any]
_Filled = tuple[Heading, Iterable[Cell]]


@dataclass(frozen=True, eq=False)
class Contents:
    """A run that is being written: what was asked, what was chosen, its tables and its manifest.

    `manifest` is as its file will be, without the digests. Money is in the scenario's `money_unit`.
    """

    command: str
    """``plan``, ``simulate`` or ``optimise``."""
    scenario: Scenario
    portfolio: Portfolio
    manifest: _Body
    projects: pd.DataFrame | None = None
    """A row for each replication and project; none of what was not simulated."""
    purses: pd.DataFrame | None = None
    """A row for each replication, programme and year; none of what was not simulated."""
    page: PlanReport | None = None
    """What the page of a plan shows."""

    @cached_property
    def payments(self) -> pd.DataFrame:
        """Expected payments by technology and year: technology, year, home, foreign; empty if nothing was simulated."""
        if self.projects is None or self.projects.empty:
            return pd.DataFrame(columns=["technology", "year", "home", "foreign"])
        return yearly_payments(self.projects)

    @cached_property
    def by_technology(self) -> dict[str, _Body]:
        """What the page says of each technology, by its code."""
        if self.page is None:
            return {}
        return {str(row["technology"]): {str(k): v for k, v in row.items()} for row in _records(self.page.technologies)}

    @cached_property
    def firmness(self) -> dict[str, str]:
        """By technology, what re-decisions say of it."""
        lists: Mapping[str, Sequence[str]] = self.manifest.get("redecisions", {}).get("technologies", {})
        return {name: word for word, names in lists.items() for name in names}

    @property
    def in_page(self) -> PlanReport | None:
        """The page with the manifest that it is drawn with."""
        return None if self.page is None else replace(self.page, manifest=self.manifest)


def sheets_of(source: Contents) -> list[Overview | Sheet]:
    """The sheets of a run's workbook, in their order."""
    budget = _budget(source)
    sheets = [_portfolio(source), _money(source), budget, _others(source), _assumptions(source), _results(source)]
    return [_overview(source, budget), *(one for one in sheets if one is not None)]


def _sheet(name: str, note: str, filled: Sequence[_Filled], charts: Sequence[Chart] = ()) -> Sheet:
    columns, values = [column for column, _ in filled], [list(cells) for _, cells in filled]
    return Sheet(name, note, columns, list(zip(*values, strict=True)), charts)


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


# --- what was chosen, and what was not ------------------------------------------------------------


def _portfolio(source: Contents) -> Sheet:
    scenario, choices = source.scenario, sorted(source.portfolio.choices, key=lambda one: (one.rank, one.technology))
    names = [one.technology for one in choices]
    filled: list[_Filled] = [
        (Heading("Rank", "count"), [one.rank for one in choices]),
        *_identity(scenario, names),
        (Heading("Partner code", "text"), [one.partner for one in choices]),
        (Heading("Partner", "text"), [_partner(scenario, one.partner) for one in choices]),
        (Heading("Mode code", "text"), [one.mode for one in choices]),
        (Heading("Mode", "text"), [scenario.modes[one.mode].name for one in choices]),
        (Heading("Start year", "year"), [one.start_year for one in choices]),
        (Heading("Full award", "money", total=True), [cost(scenario, name) for name in names]),
        *_expectations(source, names),
        *_firmness(source, names),
    ]
    note = (
        f"Funded technologies, in order of priority. Money in {scenario.money_unit}; expected payments are the mean "
        "over replications, net of refunds, from the announced budgets."
    )
    return _sheet("Portfolio", note, filled)


def _identity(scenario: Scenario, names: Sequence[str]) -> list[_Filled]:
    rows = [scenario.technologies[name] for name in names]
    return [
        (Heading("Technology code", "text"), names),
        (Heading("Technology", "text"), [row.name for row in rows]),
        (Heading("Programme code", "text"), [row.programme for row in rows]),
        (Heading("Programme", "text"), [scenario.programmes[row.programme].name for row in rows]),
        (Heading("Field code", "text"), [row.field for row in rows]),
        (Heading("Field", "text"), [scenario.fields[row.field].name for row in rows]),
        (Heading("TRL", "count"), [row.trl for row in rows]),
        (Heading("Target TRL", "count"), [target(scenario, row) for row in rows]),
    ]


def _partner(scenario: Scenario, code: str) -> str:
    return scenario.partners[code].name if code else ""


def _expectations(source: Contents, names: Sequence[str]) -> list[_Filled]:
    """What simulation expects of each technology; nothing if there was none."""
    if source.projects is None:
        return []
    sums = source.payments.groupby("technology")[["home", "foreign"]].sum()
    shares = outcome_shares(source.projects).set_index("technology")
    return [
        (Heading("Expected payments", "money", total=True), _look_up(sums["home"], names)),
        (Heading("Paid by partners", "money", total=True), _look_up(sums["foreign"], names)),
        (Heading("Chance of target", "share"), _look_up(shares["p_target"], names)),
        (Heading("Chance of market", "share"), _look_up(shares["p_market"], names)),
    ]


def _look_up(column: pd.Series[float], names: Sequence[str]) -> list[Cell]:
    known = {str(name): float(value) for name, value in column.items()}
    return [known.get(name) for name in names]


def _firmness(source: Contents, names: Sequence[str]) -> list[_Filled]:
    """What re-decisions say; nothing where there were none."""
    if not source.firmness:
        return []
    filled: list[_Filled] = [(Heading("Firmness", "text"), [source.firmness.get(name, "") for name in names])]
    if source.by_technology:
        filled.append((Heading("Share of decisions", "share"), [_word_of(source, name, "share") for name in names]))
    return filled


def _word_of(source: Contents, name: str, key: str) -> Cell:
    value: Cell = source.by_technology.get(name, {}).get(key)
    return value


def _others(source: Contents) -> Sheet:
    """Candidates that are not funded."""
    scenario, funded = source.scenario, {one.technology for one in source.portfolio.choices}
    names = [name for name in scenario.technologies if name not in funded]
    filled: list[_Filled] = [
        *_identity(scenario, names),
        (Heading("Full award", "money", total=True), [cost(scenario, name) for name in names]),
        *_firmness(source, names),
    ]
    if source.by_technology:
        filled += [
            (Heading("Value of best option", "money"), [_word_of(source, name, "expected_value") for name in names]),
            (Heading("Why not", "words"), [_word_of(source, name, "note") for name in names]),
        ]
    note = f"Candidates that are not funded. Money in {scenario.money_unit}."
    return _sheet("Not funded", note, filled)


# --- money ----------------------------------------------------------------------------------------

_MONEY = ("Year", "Programme code", "Programme", "Field code", "Field", "Partner code", "Partner", "For")
_FOR_PROJECTS, _FOR_PARTNERS = "projects", "opening and running partners"


def _money(source: Contents) -> Sheet | None:
    """Expected payments, a row for each year, programme, field and partner in which there are any."""
    if source.purses is None:
        return None
    rows = sorted([*_paid_to_projects(source), *_paid_for_partners(source)], key=lambda row: (*map(str, row[:8]),))
    columns = [Heading(title, "year" if title == "Year" else "text") for title in _MONEY]
    columns += [Heading("Expected payments", "money", total=True), Heading("Paid by partners", "money", total=True)]
    note = (
        f"In {source.scenario.money_unit}, mean over replications. Expected payments are from the announced budgets, "
        "net of refunds; what partner countries pay stands beside them. Totals are of the rows that are shown."
    )
    return Sheet("Money", note, columns, rows)


def _paid_to_projects(source: Contents) -> Iterator[tuple[Cell, ...]]:
    scenario = source.scenario
    partner_of = {one.technology: one.partner for one in source.portfolio.choices}
    sums: dict[tuple[int, str, str, str], list[tuple[float, float]]] = {}
    table = source.payments
    for name, year, home, foreign in zip(*(table[key].tolist() for key in table), strict=True):
        row = scenario.technologies[name]
        if home or foreign:
            sums.setdefault((year, row.programme, row.field, partner_of[name]), []).append((home, foreign))
    for (year, programme, field, partner), paid in sums.items():
        named = (scenario.programmes[programme].name, scenario.fields[field].name, _partner(scenario, partner))
        codes = (programme, named[0], field, named[1], partner, named[2])
        yield (year, *codes, _FOR_PROJECTS, *(math.fsum(amounts) for amounts in zip(*paid, strict=True)))


def _paid_for_partners(source: Contents) -> Iterator[tuple[Cell, ...]]:
    """What opening and running partners costs, which is of no field, and which the purses do not tell by partner."""
    for row in _purse_means(source):
        if row["spent_network"]:
            line = str(row["programme"])
            named = (line, source.scenario.programmes[line].name, "", "", "", "")
            yield (int(row["year"]), *named, _FOR_PARTNERS, float(row["spent_network"]), 0.0)


def _purse_means(source: Contents) -> list[dict[Any, Any]]:
    """Means over replications, by programme and year: the purses' columns, and `net`, what leaves for good."""
    if source.purses is None:
        return []
    table = source.purses.assign(
        programme=source.purses["programme"].astype(str), net=payments_for_good(source.purses)
    ).drop(columns="replication")
    return _records(table.groupby(["programme", "year"], as_index=False, sort=False).mean())


def _budget(source: Contents) -> Sheet | None:
    """Programme by year: announced, promised, paid and lapsed; none of a run that tells none of it but the first."""
    means = {(str(row["programme"]), int(row["year"])): row for row in _purse_means(source)}
    promised = {(one["programme"], one["year"]): one for one in source.manifest.get("promises", {}).get("years", ())}
    scenario = source.scenario
    years = range(scenario.start_year, scenario.horizon_year + 1)
    keys = [(code, year) for code in scenario.programmes for year in years]
    budgets = {code: line.budget for code, line in scenario.programmes.items()}
    filled: list[_Filled] = [
        (Heading("Programme code", "text"), [code for code, _ in keys]),
        (Heading("Programme", "text"), [scenario.programmes[code].name for code, _ in keys]),
        (Heading("Year", "year"), [year for _, year in keys]),
        (Heading("Announced", "money", total=True), [budgets[code].get(year, 0.0) for code, year in keys]),
    ]
    if promised:
        filled += [
            (Heading(title, "money", total=True), [promised[key][name] for key in keys])
            for title, name in (("Expected by optimiser", "payments"), ("Full awards", "awards"))
        ]
    if means:
        filled += [
            (Heading(title, "money", total=True), [means[key][name] for key in keys]) for title, name in _PURSES.items()
        ]
    note = (
        f"In {scenario.money_unit}. Expected payments are to projects and for partners, less refunds, as the mean over "
        "replications; announced is before shocks and what is carried over."
    )
    shown = [title for title in _IN_CHARTS if title in {column.title for column, _ in filled}]
    charts = [
        Chart(f"{scenario.programmes[code].name}, {scenario.money_unit}", "Year", shown, *_rows_of(number, len(years)))
        for number, code in enumerate(list(scenario.programmes)[:_CHARTS])
    ]
    return _sheet("Budget", note, filled, charts)


_PURSES = {
    "Paid to projects": "spent",
    "Paid for partners": "spent_network",
    "Refunded": "refunded",
    "Expected payments": "net",
    "Lapsed": "lapsed",
}
_IN_CHARTS = ("Announced", "Expected payments", "Lapsed")
"""Without a simulation there is the optimiser's expectation instead."""


def _rows_of(number: int, years: int) -> tuple[int, int]:
    return number * years, (number + 1) * years - 1


# --- assumptions and results ----------------------------------------------------------------------


def _assumptions(source: Contents) -> Sheet | None:
    """What nobody has measured, with its bounds; none where the scenario states nothing of the kind."""
    stated = source.scenario.assumptions
    if not stated:
        return None
    ones = list(stated.values())
    filled: list[_Filled] = [
        (Heading("Assumption code", "text"), list(stated)),
        (Heading("Assumption", "text"), [one.label or name for name, one in stated.items()]),
        (Heading("Low", "number"), [one.low for one in ones]),
        (Heading("High", "number"), [one.high for one in ones]),
        (Heading("How", "text"), [_HOW[one.change] for one in ones]),
        (Heading("Grade", "text"), [one.grade for one in ones]),
        (Heading("Why", "words"), [source_words(source.scenario, one.why) for one in ones]),
        (Heading("Settings", "words"), [", ".join(one.paths) for one in ones]),
    ]
    return _sheet("Assumptions", "What is assumed, and the bounds that it is believed to have.", filled)


_HOW = {"set": "the value itself", "multiply": "times the settings", "add": "added to the settings"}


def _results(source: Contents) -> Sheet | None:
    """Figures with their intervals, and the portfolios beside the plan; none if nothing was simulated."""
    rows = [*_figure_rows(source), *_comparison_rows(source)]
    if not rows:
        return None
    columns = [
        Heading("What", "text"),
        Heading("Figure", "text"),
        Heading("Unit", "text"),
        *(Heading(title, "number") for title in ("Mean", "Low", "High")),
        Heading("Replications", "count"),
        Heading("Note", "words"),
    ]
    note = f"Low and High are the ends of {_confidence(source)} intervals; those of leads hold for all together."
    return Sheet("Results", note, columns, rows)


def _confidence(source: Contents) -> str:
    return f"{source.scenario.simulation.confidence:.0%}"


def _figure_rows(source: Contents) -> Iterator[tuple[Cell, ...]]:
    luck = {"in expectation": "with the luck of the market in expectation", "as drawn": ""}
    known = from_files(source.manifest.get("figures", {}))
    for name, one in source.manifest.get("estimates", {}).items():
        figure = known.get(name) or find_figure(source.scenario, name)
        told = luck.get(one.get("market_luck", ""), "")
        share = figure.unit == "share" if figure is not None else False
        ends = [Share(end) if share and end is not None else end for end in _ends(one)[:3]]
        yield ("figure", *_label(source, name, figure), *ends, one["n"], told)


def _label(source: Contents, name: str, figure: Figure | None) -> tuple[str, str]:
    if figure is None:
        return name.replace("_", " "), ""
    return figure.label, unit_words(figure, source.scenario.money_unit) or figure.unit


def _ends(one: _Body) -> tuple[Any, ...]:
    return one["mean"], one["low"], one["high"], one["n"]


def _comparison_rows(source: Contents) -> Iterator[tuple[Cell, ...]]:
    page, unit = source.in_page, source.scenario.money_unit
    rules: Mapping[str, _Body] = source.manifest.get("baselines", {})
    if page is None or not rules:
        return
    labels = policy_labels(page)
    for name, one in rules.items():
        note = f"funds {one['funded']:,}{'' if one['allowed'] else '; not allowed by the call'}"
        note += "" if one["equal_freedom"] else "; with other payment ratios than the plan's"
        yield ("net present value of", labels[name], unit, *_ends(one["npv"]), note)
        yield ("lead of the plan over", labels[name], unit, *_ends(one["difference"]), "")


# --- the first sheet ------------------------------------------------------------------------------

_FIGURES = (
    Heading("Figure", "text"),
    Heading("Mean", "number"),
    Heading("Low", "number"),
    Heading("High", "number"),
    Heading("Replications", "count"),
    Heading("Unit", "text"),
)


def _overview(source: Contents, budget: Sheet | None) -> Overview:
    scenario, told = source.scenario, source.manifest.get("scenario", {})
    simulated = source.projects is not None
    lines: list[tuple[str, Cell]] = [
        ("Question", _QUESTIONS[source.command]),
        ("Scenario", scenario.name),
        ("About", scenario.description),
        ("Money in", scenario.money_unit),
        ("Technologies funded", len(source.portfolio.choices)),
        ("Candidates", len(scenario.technologies)),
        ("Settings changed", ", ".join(told.get("overrides", ()))),
        ("Seed", source.manifest.get("seed")),
        ("Replications", source.manifest.get("replications") if simulated else None),
        ("Intervals", _confidence(source) if simulated else ""),
        ("rdsim", source.manifest.get("rdsim")),
        ("Command", command_words(source.manifest.get("command", ()))),
    ]
    return Overview(
        scenario.title,
        [(label, value) for label, value in lines if value not in ("", None)],
        list(_sentences(source)),
        _FIGURES,
        [(row[1], *row[3:7], row[2]) for row in _main_rows(source)],
        None if budget is None else _year_sums(source, budget),
    )


def _sentences(source: Contents) -> Iterator[str]:
    page = source.in_page
    if page is not None:
        yield from headline(page)
        yield from firmness_words(page)
        yield from promise_words(page)


def _main_rows(source: Contents) -> Iterator[tuple[Cell, ...]]:
    """Rows of the figures that stand at the head of a report."""
    told = source.manifest.get("figures", {})
    names = list(source.manifest.get("estimates", {}))
    for name, row in zip(names, _figure_rows(source), strict=True):
        if told.get(name, {}).get("shown"):
            yield row


def _year_sums(source: Contents, budget: Sheet) -> YearSums:
    titles = {column.title for column in budget.columns}
    simulated = [title for title in _IN_CHARTS if title in titles]
    columns = simulated if source.purses is not None else [*simulated, "Expected by optimiser"]
    return YearSums(budget, columns, f"Money by year, {source.scenario.money_unit}")


def command_words(command: Iterable[str]) -> str:
    """The command, of whole paths their last part: a workbook is handed on, and is the same wherever its run stood."""
    return " ".join(Path(word).name if Path(word).is_absolute() else word for word in command)
