"""How much of one thing must be given up for more of another: a Pareto front, every point of it simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from rdsim.aim import aim_of
from rdsim.arrays import Floats
from rdsim.domain import Scenario
from rdsim.errors import Fault, ProblemError
from rdsim.figures import Figure, column_figures, find_figure, unit_words
from rdsim.languages import N_, join_texts, unit_of_money
from rdsim.languages import gettext as _
from rdsim.measures import CVAR, measure_of, restate, tradable_figures
from rdsim.numerals import numeral
from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.questions.fronts import SENSES, VALUE, CVaR, Front, FrontPoint, Objective, front
from rdsim.options import expected_figures
from rdsim.report import Column, Page, Plot, Section, Table
from rdsim.report.words import amount, capital, sentence_list
from rdsim.search import Instance, Proposal, solving_of
from rdsim.studies.built_in.parts import (
    intervals,
    listing,
    ranked_portfolio,
    record_of,
    simulated_estimates,
    speaks_of,
)
from rdsim.study import Study
from rdsim.words import shared_luck_words

__all__ = ["frontier"]

MARKED = "given"
"""Name of the portfolio that is marked beside the front."""

_NOTHING = 5e-5
"""A gap that is shown as 0.00%."""


def frontier(
    posed: Instance,
    first: str = VALUE,
    second: str = "commercialised_by_deadline",
    *,
    points: int | None = 20,
    best: Proposal | None = None,
    replications: int | None = None,
    solving: Solving = Solving(),
) -> Study:
    """The front of two figures by name (see `rdsim.measures`); `min:NAME` or `max:NAME` says which way is better.

    Without that, a figure's own sense does. `points` is how many at most, None for all there are;
    `solving` is of each solve, by default to the scenario's gap. Each point is simulated on `replications`, by default
    the scenario's. `best`, a proposal of this very problem (`rdsim.search.in_own_terms`), is marked beside the front.
    Raises ProblemError for unknown names, InfeasibleError and SolverError as `front` does.
    """
    pair = _pair(posed, first, second)
    solving = solving_of(posed.scenario, solving)
    found = front(
        pair.problem,
        *pair.figures,
        senses=pair.senses,
        points=points,
        solving=replace(solving, gap=0.0) if points is None else solving,
    )
    marked = None if best is None else _mark(best, pair)
    return _study(posed, _with_names(found, pair), best, marked, replications)


def _with_names(found: Front, pair: _Pair) -> Front:
    """The front by the figures' own names: one of them may have been the objective."""
    told = {found.first: pair.names[0], found.second: pair.names[1]}
    return replace(found, first=pair.names[0], second=pair.names[1], aim=told[found.aim])


class _Pair(NamedTuple):
    """Two figures, as the front asks for them, and the problem in which it does."""

    names: tuple[str, str]
    figures: tuple[Objective, Objective]
    senses: tuple[str, str]
    problem: PortfolioProblem


def _pair(posed: Instance, first: str, second: str) -> _Pair:
    """Raises ProblemError for unknown names, for one figure twice, and for two that are no sums over options."""
    wanted = [_name_and_sense(name) for name in (first, second)]
    figures = tradable_figures(posed.scenario, [name for name, _ in wanted])
    if figures[0] == figures[1]:
        raise ProblemError((Fault("figure", "the two figures must differ", wanted[0][0]),))
    objective = _with_synergies(posed, figures)
    problem = posed.problem
    if objective is not None:
        problem = restate(objective, posed.scenario, posed.options, problem)
    asked = [_objective(posed, figure, objective) for figure in figures]
    names = [one.name if isinstance(one, Figure) else _name(put) for one, put in zip(figures, asked, strict=True)]
    senses = [sense or _sense(figure) for (_, sense), figure in zip(wanted, figures, strict=True)]
    return _Pair((names[0], names[1]), (asked[0], asked[1]), (senses[0], senses[1]), problem)


def _name(asked: Objective) -> str:
    return asked if isinstance(asked, str) else asked.name


def _with_synergies(posed: Instance, figures: Sequence[Figure | str]) -> Figure | None:
    """The one that counts synergies, which must be the objective: none if there are none."""
    linked = any(link.kind == "synergy" for link in posed.scenario.links)
    found = [one for one in figures if isinstance(one, Figure) and one.synergies and linked]
    if found and len(found) + sum(isinstance(one, str) for one in figures) > 1:
        rule = "only one of the two may count synergies, which are no sum over options"
        shown = " and ".join(one if isinstance(one, str) else one.name for one in figures)
        raise ProblemError((Fault("figure", rule, shown),))
    return found[0] if found else None


def _objective(posed: Instance, figure: Figure | str, objective: Figure | None) -> Objective:
    if figure is objective or figure == VALUE:
        return VALUE
    if isinstance(figure, str):
        return CVaR(posed.scenario.optimiser.risk.level)
    told = expected_figures(
        posed.scenario, posed.options, [figure], samples=posed.samples, seed=posed.seed, running=posed.running
    )
    return measure_of(figure, posed.scenario, posed.options, told[figure.name])


def _name_and_sense(name: str) -> tuple[str, str]:
    """The name, and which way is better, if it is said."""
    sense, colon, rest = name.partition(":")
    return (rest, sense) if colon and sense in SENSES else (name, "")


def _sense(figure: Figure | str) -> str:
    return "min" if isinstance(figure, Figure) and figure.sense == "less" else "max"


def _mark(best: Proposal, pair: _Pair) -> FrontPoint:
    """A portfolio as a point beside the front; nothing is proven of it."""
    told = evaluate(pair.problem, best.solution.chosen)
    first, second = (told.objective if isinstance(one, str) else one.of(pair.problem, told) for one in pair.figures)
    solution = best.solution
    return FrontPoint(first, second, solution.chosen, solution.opened, math.nan, math.nan, False)


def _study(
    posed: Instance, found: Front, best: Proposal | None, marked: FrontPoint | None, replications: int | None
) -> Study:
    width = len(str(len(found.points)))
    names = [f"point-{number:0{width}d}" for number in range(1, len(found.points) + 1)]
    portfolios = {
        name: ranked_portfolio(posed, point.chosen, name) for name, point in zip(names, found.points, strict=True)
    }
    table = pd.DataFrame(list(_rows(posed, found.points, names)))
    if best is not None and marked is not None:
        portfolios[MARKED] = best.portfolio
        table = pd.concat([table, pd.DataFrame(list(_rows(posed, [marked], [MARKED])))], ignore_index=True)
    simulated = simulated_estimates(posed, portfolios, replications, _of_pair(posed.scenario, found))
    table = table.merge(simulated, on="portfolio", how="left").assign(order=range(len(portfolios)))
    table = _as_known(table)
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
    page = _page(posed, found, table)
    study = Study("frontier", posed.scenario, posed.seed, page, {"frontier": table}, record, portfolios)
    return speaks_of(study, best, _(_NO_PLAN))


def _of_pair(scenario: Scenario, found: Front) -> dict[str, Callable[[pd.DataFrame], Floats]]:
    """What the simulation says of the two figures, by name of the table's column."""
    pair = {"first_simulated": found.first, "second_simulated": found.second}
    made = {told: _in_replications(scenario, name) for told, name in pair.items()}
    return {told: make for told, make in made.items() if make is not None}


def _in_replications(scenario: Scenario, name: str) -> Callable[[pd.DataFrame], Floats] | None:
    """How a figure comes from a table of replications; none for one that it does not hold."""
    weights = aim_of(scenario).weights
    if name == VALUE and all(figure.column for figure, _ in weights):
        return lambda table: sum(
            (weight * table[figure.name].to_numpy(np.float64) for figure, weight in weights), np.zeros(len(table))
        )
    if name in column_figures(scenario, [name]):
        return lambda table: table[name].to_numpy(np.float64)
    return None


def _as_known(table: pd.DataFrame) -> pd.DataFrame:
    """The table, where a figure that no replication holds stands as it was known before."""
    known = {
        f"{one}_simulated{end}": table[one]
        for one in ("first", "second")
        if f"{one}_simulated" not in table
        for end in ("", "_low", "_high")
    }
    return table.assign(**known)


_NO_PLAN = N_(
    "This speaks of no plan: each point is a portfolio of its own, chosen by the optimiser without simulation "
    "(--portfolio marks a plan beside them)."
)


def _rows(posed: Instance, points: Sequence[FrontPoint], names: list[str]) -> Iterator[dict[str, object]]:
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


def _label(posed: Instance, name: str) -> tuple[str, str]:
    """What a figure is called, and its unit."""
    figure = find_figure(posed.scenario, name)
    if figure is None:
        return _other_label(name), unit_of_money(posed.scenario.money_unit)
    return _(figure.label), unit_of_money(unit_words(figure, posed.scenario.money_unit))


def _other_label(name: str) -> str:
    """What a figure is called that is none of the registry: value, or a CVaR with its level."""
    if name == VALUE:
        return _("value")
    kind, _dash, level = name.partition("-")
    return _("cvar {level}").format(level=level) if kind == CVAR and level else name.replace("-", " ")


def _title(posed: Instance, name: str) -> str:
    return join_texts(list(filter(None, _label(posed, name))), ", ")


def _page(posed: Instance, found: Front, table: pd.DataFrame) -> Page:
    lead = (_range(posed, found), _proof(found), *_mark_words(posed, found, table), *_risk_words(posed, found))
    plots = [_plot(posed, found, table), _simulated_plot(posed, found, table)]
    reading = _(
        "A point is a portfolio. No other known portfolio is better in one of the two figures without being worse in "
        "the other. Points are chosen on the optimiser's samples and simulated on others; the simulated value is the "
        "one to believe."
    )
    return Page(
        _("Efficient frontier"),
        posed.scenario.title,
        lead,
        (Section(_("The front"), (reading,), plots, (_page_table(posed, found, table),)),),
    )


def _mark_words(posed: Instance, found: Front, table: pd.DataFrame) -> Iterator[str]:
    """Where the given portfolio lies."""
    for row in table[table["portfolio"] == MARKED].to_dict("records"):
        told = _(
            "The portfolio that this speaks of has {first} and {second} (marked in the figures); nothing is proven of "
            "it."
        )
        yield told.format(
            first=_figure(posed, found.first, row["first"]), second=_figure(posed, found.second, row["second"])
        )


def _risk_words(posed: Instance, found: Front) -> Iterator[str]:
    """What a figure of risk rests on."""
    if any(name.startswith(CVAR) for name in (found.first, found.second)):
        told = _("CVaR rests on shared luck, in shares of variance: {shares}.")
        yield told.format(shares=shared_luck_words(posed.scenario))


def _figure(posed: Instance, name: str, value: float) -> str:
    label, unit = _label(posed, name)
    told = _("{figure} {amount} {unit}") if unit else _("{figure} {amount}")
    return told.format(figure=label, amount=amount(value), unit=unit)


def _range(posed: Instance, found: Front) -> str:
    told = _("{first} with {second}")
    ends = [
        told.format(first=_figure(posed, found.first, point.first), second=_figure(posed, found.second, point.second))
        for point in (found.points[0], found.points[-1])
    ]
    if len(found.points) == 1:
        return _("One portfolio is best in both: {figures}.").format(figures=ends[0])
    told = _("{number} portfolios, from {start} to {end} (options alone, added up).")
    return told.format(number=len(found.points), start=ends[0], end=ends[1])


def _proof(found: Front) -> str:
    proven = sum(point.proven for point in found.points)
    if found.complete:
        return _("Every point is proven, and the front is complete: there is no other.")
    gaps = [point.gap for point in found.points]
    if max(gaps) < _NOTHING:
        return _("Every point is proven to within 0.01%. Between the points there may be more.")
    return _(
        "{number} of {all} points are proven optimal; the others may lie above by their gap: median {median}, largest "
        "{largest}. Between the points there may be more."
    ).format(
        number=proven,
        all=len(found.points),
        median=numeral(float(np.median(gaps)), ".2%"),
        largest=numeral(max(gaps), ".2%"),
    )


def _plot(posed: Instance, found: Front, table: pd.DataFrame) -> Plot:
    second, first = (_title(posed, name) for name in (found.second, found.first))
    shown = table[["portfolio", "first", "second", "bound", "gap", "funded", "partners", "order"]].assign(
        series=_series(table), portfolio=_names(table)
    )
    return Plot(
        "front",
        _("What does more of {second} cost in {first}?").format(
            second=_label(posed, found.second)[0], first=_label(posed, found.first)[0]
        ),
        _slope(posed, found),
        _("Each point is a portfolio; the line above it reaches to the limit that the solver proved."),
        shown.assign(limit=shown["bound"].where(np.isfinite(shown["bound"]), shown["first"])),
        ("second", second),
        ("first", first),
        low="first",
        high="limit",
        colour="series",
        tips={
            "portfolio": Column(_("Portfolio")),
            "first": Column(first, "money"),
            "second": Column(second, "money"),
            "gap": Column(_("gap"), "share"),
            "funded": Column(_("funded"), "count"),
            "partners": Column(_("partners opened"), "count"),
        },
    )


def _names(table: pd.DataFrame) -> list[str]:
    """What the portfolios' files are called, in words."""
    point = _("point-{number}")
    return [
        _("given") if name == MARKED else point.format(number=name.removeprefix("point-"))
        for name in table["portfolio"]
    ]


def _series(table: pd.DataFrame) -> list[str]:
    return [_("this portfolio") if name == MARKED else _("the front") for name in table["portfolio"]]


def _slope(posed: Instance, found: Front) -> str:
    if len(found.points) < 2:
        return _("Nothing has to be given up.")
    start, middle = found.points[0], found.points[len(found.points) // 2]
    won = _figure(posed, found.second, abs(middle.second - start.second))
    lost = _figure(posed, found.first, abs(start.first - middle.first))
    return _("Half way along the points, a gain of {gain} costs {cost}.").format(gain=won, cost=lost)


def _simulated_plot(posed: Instance, found: Front, table: pd.DataFrame) -> Plot:
    second, first = (_simulated_title(posed, name) for name in (found.second, found.first))
    columns = ["first_simulated", "first_simulated_low", "first_simulated_high", "second_simulated"]
    shown = table[["portfolio", *columns, "order"]].assign(portfolio=_names(table))
    reading = _(
        "Means over the replications of the simulation, the same for every portfolio; the line is the {confidence} "
        "interval."
    ).format(confidence=f"{posed.scenario.simulation.confidence:.0%}")
    return Plot(
        "simulated",
        _("What does the simulation say of these portfolios?"),
        _most(posed, found.first, float(table["first_simulated"].max())),
        join_texts([reading, *_known_words(posed, found)], " "),
        shown.assign(series=_series(table)),
        ("second_simulated", second),
        ("first_simulated", first),
        low="first_simulated_low",
        high="first_simulated_high",
        joined=False,
        colour="series",
        tips={
            "portfolio": Column(_("Portfolio")),
            "first_simulated": Column(first, "money"),
            "first_simulated_low": Column(_("from"), "money"),
            "first_simulated_high": Column(_("to"), "money"),
            "second_simulated": Column(second, "money"),
        },
    )


def _most(posed: Instance, name: str, value: float) -> str:
    """The highest mean of a figure, as a sentence that its name begins."""
    label, unit = _label(posed, name)
    told = (
        _("{figure} {amount} {unit} at the most, on average.")
        if unit
        else _("{figure} {amount} at the most, on average.")
    )
    return told.format(figure=capital(label), amount=amount(value), unit=unit)


def _simulated_title(posed: Instance, name: str) -> str:
    label, unit = _label(posed, name)
    known = _("simulated") if _in_replications(posed.scenario, name) else _("not simulated")
    return join_texts(list(filter(None, [label, known, unit])), ", ")


def _known_words(posed: Instance, found: Front) -> Iterator[str]:
    """Which of the figures is no column of the replications, and so the same in both drawings."""
    known = [name for name in (found.first, found.second) if _in_replications(posed.scenario, name) is None]
    if known:
        told = _("What options alone come to stands for {figures}, which no replication holds.")
        yield told.format(figures=sentence_list([_label(posed, name)[0] for name in known]))


def _page_table(posed: Instance, found: Front, table: pd.DataFrame) -> Table:
    frame = table.assign(
        **{f"{one}_told": intervals(table, f"{one}_simulated") for one in ("first", "second")},
        simulated=intervals(table),
        certain=[_("proven") if proven else "" for proven in table["proven"]],
        portfolio=_names(table),
        enters=[listing(names.split(), none="") for names in table["enters"]],
        leaves=[listing(names.split(), none="") for names in table["leaves"]],
    )
    pair = {
        "npv" if name == VALUE and aim_of(posed.scenario).is_default else name for name in (found.first, found.second)
    }
    columns = {
        "portfolio": Column(_("Portfolio")),
        "first": Column(_title(posed, found.first), "money"),
        "second": Column(_title(posed, found.second), "money"),
        "gap": Column(_("Gap"), "share"),
        "certain": Column(""),
        "funded": Column(_("Funded"), "count"),
        "joint": Column(_("with a partner"), "count"),
        "partners": Column(_("Partners opened"), "count"),
        "first_told": Column(_simulated_title(posed, found.first)),
        "second_told": Column(_simulated_title(posed, found.second)),
        **({} if "npv" in pair else {"simulated": Column(_simulated_title(posed, "npv"))}),
        "enters": Column(_("Enters")),
        "leaves": Column(_("Leaves")),
    }
    caption = _("The points; simulated means with {confidence} intervals, {replications} replications.").format(
        confidence=f"{posed.scenario.simulation.confidence:.0%}",
        replications=int(table["n"].iloc[0]) if len(table) else 0,
    )
    return Table(caption, frame, columns)
