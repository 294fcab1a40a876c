"""How much of one thing must be given up for more of another: a Pareto front, every point of it simulated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from rdsim.defaults import DEFAULT_SOLVER
from rdsim.errors import Fault, ProblemError
from rdsim.measures import measure_named, measures
from rdsim.numerals import numeral
from rdsim.optimiser import evaluate
from rdsim.optimiser.questions.fronts import Figure, Front, Point, front
from rdsim.report import Column, Plot, Section, Sheet, Table
from rdsim.report.words import amount
from rdsim.search import Posed, Proposal
from rdsim.studies.parts import intervals, judged, listing, money, picked, record_of, speaks_of
from rdsim.study import Study

__all__ = ["frontier"]

CHEAPER = ("payments", "abroad")
"""Figures of which less is better, unless the caller says otherwise."""

MARKED = "given"
"""Name of the portfolio that is marked beside the front."""

_NOTHING = 5e-5
"""A gap that is shown as 0.00%."""

MONEY = ("value", "cvar", "payments", "abroad", "international")


def frontier(
    posed: Posed,
    first: str = "value",
    second: str = "commercialised-in-time",
    *,
    points: int | None = 20,
    best: Proposal | None = None,
    gap: float | None = None,
    replications: int | None = None,
    solver: str = DEFAULT_SOLVER,
    time_limit: float | None = None,
) -> Study:
    """The front of two figures by name (see `rdsim.measures`); `min:NAME` or `max:NAME` says which way is better.

    `points` is how many at most, None for all there are; `gap` the relative gap of each solve, by default the
    scenario's. Each point is simulated on `replications`, by default the scenario's. `best`, a proposal of this very
    problem (`rdsim.search.in_own_terms`), is marked beside the front. Raises ProblemError for unknown
    names, InfeasibleError and SolverError as `front` does.
    """
    known = measures(posed.scenario, posed.options, posed.problem)
    named = [_sensed(name) for name in (first, second)]
    _check(named, list(known))
    figures = [measure_named(name, known) for name, _ in named]
    wanted = posed.scenario.optimiser.gap if gap is None else gap
    found = front(
        posed.problem,
        figures[0],
        figures[1],
        senses=(named[0][1], named[1][1]),
        points=points,
        gap=0.0 if points is None else wanted,
        solver=solver,
        time_limit=time_limit,
    )
    marked = None if best is None else _marked(posed, best, (figures[0], figures[1]))
    return _study(posed, found, best, marked, replications)


def _marked(posed: Posed, best: Proposal, figures: tuple[Figure, Figure]) -> Point:
    """A portfolio as a point beside the front; nothing is proven of it."""
    first, second = (_value_of(posed, best, figure) for figure in figures)
    solution = best.solution
    return Point(first, second, solution.chosen, solution.opened, math.nan, math.nan, False)


def _value_of(posed: Posed, best: Proposal, figure: Figure) -> float:
    return best.evaluation.objective if isinstance(figure, str) else figure.of(posed.problem, best.evaluation)


def _sensed(name: str) -> tuple[str, str]:
    sense, colon, rest = name.partition(":")
    if colon and sense in {"min", "max"}:
        return rest, sense
    return name, "min" if name.startswith(CHEAPER) else "max"


def _check(named: list[tuple[str, str]], known: list[str]) -> None:
    """Both names at once."""
    faults: list[Fault] = []
    for name, _ in named:
        try:
            measure_named(name, dict.fromkeys(known, "value"))
        except ProblemError as error:
            faults.extend(error.faults)
    if not faults and named[0][0] == named[1][0]:
        faults.append(Fault("figure", "the two figures must differ", named[0][0]))
    if faults:
        raise ProblemError(tuple(dict.fromkeys(faults)))


def _study(posed: Posed, found: Front, best: Proposal | None, marked: Point | None, replications: int | None) -> Study:
    width = len(str(len(found.points)))
    names = [f"point-{number:0{width}d}" for number in range(1, len(found.points) + 1)]
    portfolios = {name: picked(posed, point.chosen, name) for name, point in zip(names, found.points, strict=True)}
    table = pd.DataFrame(list(_rows(posed, found.points, names)))
    if best is not None and marked is not None:
        portfolios[MARKED] = best.portfolio
        table = pd.concat([table, pd.DataFrame(list(_rows(posed, [marked], [MARKED])))], ignore_index=True)
    simulated = judged(posed, portfolios, replications)
    table = table.merge(simulated, on="portfolio", how="left").assign(order=range(len(portfolios)))
    record = {
        **record_of(posed),
        "front": {
            "first": found.first,
            "second": found.second,
            "senses": list(found.senses),
            "complete": found.complete,
            "points": len(found.points),
            "median_gap": found.median_gap,
            "solves": found.solves,
            "seconds": found.seconds,
        },
    }
    sheet = _sheet(posed, found, table)
    study = Study("frontier", posed.scenario, posed.seed, sheet, {"frontier": table}, record, portfolios)
    return speaks_of(study, best, _NO_PLAN)


_NO_PLAN = (
    "This speaks of no plan: each point is a portfolio of its own, chosen by the optimiser without simulation "
    "(--portfolio marks a plan beside them)."
)


def _rows(posed: Posed, points: Sequence[Point], names: list[str]) -> Iterator[dict[str, object]]:
    problem = posed.problem
    before: frozenset[int] | None = None
    for name, point in zip(names, points, strict=True):
        groups = frozenset(int(problem.group[o]) for o in point.chosen)
        yield {
            "portfolio": name,
            "first": point.first,
            "second": point.second,
            "bound": point.bound,
            "gap": point.gap,
            "proven": point.proven,
            "funded": len(groups),
            "joint": sum(bool(posed.options.choices[o].partner) for o in point.chosen),
            "partners": len(evaluate(problem, point.chosen).opened),
            "enters": "" if before is None else " ".join(problem.group_names[g] for g in sorted(groups - before)),
            "leaves": "" if before is None else " ".join(problem.group_names[g] for g in sorted(before - groups)),
        }
        before = groups


# --- words ----------------------------------------------------------------------------------------


def _title(posed: Posed, name: str) -> str:
    unit = f", {posed.scenario.money_unit}" if name.startswith(MONEY) else ""
    return name.replace("-", " ") + unit


def _sheet(posed: Posed, found: Front, table: pd.DataFrame) -> Sheet:
    lead = (_range(posed, found), _proof(found), *_marked_words(posed, found, table))
    plots = [_plot(posed, found, table), _simulated_plot(posed, table)]
    reading = (
        "A point is a portfolio. No other known portfolio is better in one of the two figures without being worse in "
        "the other. Points are chosen on the optimiser's samples and simulated on others; the simulated value is the "
        "one to believe."
    )
    return Sheet(
        "Efficient frontier",
        posed.scenario.title,
        lead,
        (Section("The front", (reading,), plots, (_shown(posed, found, table),)),),
    )


def _marked_words(posed: Posed, found: Front, table: pd.DataFrame) -> Iterator[str]:
    """Where the given portfolio lies."""
    for row in table[table["portfolio"] == MARKED].to_dict("records"):
        figures = f"{_figure(posed, found.first, row['first'])} and {_figure(posed, found.second, row['second'])}"
        yield f"The portfolio that this speaks of has {figures} (marked in the figures); nothing is proven of it."


def _figure(posed: Posed, name: str, value: float) -> str:
    unit = f" {posed.scenario.money_unit}" if name.startswith(MONEY) else ""
    return f"{name.replace('-', ' ')} {amount(value)}{unit}"


def _range(posed: Posed, found: Front) -> str:
    ends = [
        f"{_figure(posed, found.first, point.first)} with {_figure(posed, found.second, point.second)}"
        for point in (found.points[0], found.points[-1])
    ]
    if len(found.points) == 1:
        return f"One portfolio is best in both: {ends[0]}."
    return f"{len(found.points)} portfolios, from {ends[0]} to {ends[1]} (options alone, added up)."


def _proof(found: Front) -> str:
    proven = sum(point.proven for point in found.points)
    if found.complete:
        return "Every point is proven, and the front is complete: there is no other."
    gaps = [point.gap for point in found.points]
    if max(gaps) < _NOTHING:
        return "Every point is proven to within 0.01%. Between the points there may be more."
    return (
        f"{proven} of {len(found.points)} points are proven optimal; the others may lie above by their gap: median "
        f"{numeral(float(np.median(gaps)), '.2%')}, largest {numeral(max(gaps), '.2%')}. Between the points "
        "there may be more."
    )


def _plot(posed: Posed, found: Front, table: pd.DataFrame) -> Plot:
    second, first = (_title(posed, name) for name in (found.second, found.first))
    shown = table[["portfolio", "first", "second", "bound", "gap", "funded", "partners", "order"]].assign(
        series=_series(table)
    )
    return Plot(
        "front",
        f"What does more {found.second.replace('-', ' ')} cost in {found.first.replace('-', ' ')}?",
        _slope(posed, found),
        "Each point is a portfolio; the line above it reaches to the limit that the solver proved.",
        shown.assign(limit=shown["bound"].where(np.isfinite(shown["bound"]), shown["first"])),
        ("second", second),
        ("first", first),
        low="first",
        high="limit",
        colour="series",
        tips={
            "portfolio": Column("Portfolio"),
            "first": Column(first, "money"),
            "second": Column(second, "money"),
            "gap": Column("gap", "share"),
            "funded": Column("funded", "count"),
            "partners": Column("partners opened", "count"),
        },
    )


def _series(table: pd.DataFrame) -> list[str]:
    return ["this portfolio" if name == MARKED else "the front" for name in table["portfolio"]]


def _slope(posed: Posed, found: Front) -> str:
    if len(found.points) < 2:
        return "Nothing has to be given up."
    start, middle = found.points[0], found.points[len(found.points) // 2]
    won = _figure(posed, found.second, abs(middle.second - start.second))
    lost = _figure(posed, found.first, abs(start.first - middle.first))
    return f"Half way along the points, a gain of {won} costs {lost}."


def _simulated_plot(posed: Posed, table: pd.DataFrame) -> Plot:
    return Plot(
        "simulated",
        "What does the simulation say of these portfolios?",
        f"Mean net value and its interval, {money(float(table['npv'].max()), posed.scenario)} at the most.",
        "Mean over the replications of the simulation, the same for every portfolio; the line is its "
        f"{posed.scenario.simulation.confidence:.0%} interval. Across: commercialised by the deadline, on average.",
        table[["portfolio", "in_time", "npv", "npv_low", "npv_high", "order"]].assign(series=_series(table)),
        ("in_time", "commercialised by the deadline, simulated"),
        ("npv", f"net value, simulated, {posed.scenario.money_unit}"),
        low="npv_low",
        high="npv_high",
        joined=False,
        colour="series",
        tips={
            "portfolio": Column("Portfolio"),
            "npv": Column("net value", "money"),
            "npv_low": Column("from", "money"),
            "npv_high": Column("to", "money"),
        },
    )


def _shown(posed: Posed, found: Front, table: pd.DataFrame) -> Table:
    frame = table.assign(
        simulated=intervals(table),
        certain=["proven" if proven else "" for proven in table["proven"]],
        enters=[listing(names.split(), none="") for names in table["enters"]],
        leaves=[listing(names.split(), none="") for names in table["leaves"]],
    )
    columns = {
        "portfolio": Column("Portfolio"),
        "first": Column(_title(posed, found.first), "money"),
        "second": Column(_title(posed, found.second), "money"),
        "gap": Column("Gap", "share"),
        "certain": Column(""),
        "funded": Column("Funded", "count"),
        "joint": Column("with a partner", "count"),
        "partners": Column("Partners opened", "count"),
        "simulated": Column(f"Simulated net value, {posed.scenario.money_unit}"),
        "enters": Column("Enters"),
        "leaves": Column("Leaves"),
    }
    caption = f"The points; simulated means with {posed.scenario.simulation.confidence:.0%} intervals"
    count = int(table["n"].iloc[0]) if len(table) else 0
    return Table(f"{caption}, {count} replications.", frame, columns)
