"""How much of one figure of a stated problem more of another costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from rdsim.brief import count
from rdsim.errors import Fault, ProblemError
from rdsim.numerals import numeral
from rdsim.optimiser import PortfolioProblem, Solving
from rdsim.optimiser.models.variations import Measure, count_of_options
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.fronts import SENSES, VALUE, CVaR, Front, Objective, front
from rdsim.report import Column, Plot, Section, Table
from rdsim.studies.stated.parts import chosen_rows, has_samples, mean_words, names_of, problem_study
from rdsim.study import Study
from rdsim.tables import did_you_mean

__all__ = ["frontier"]

_CVAR, _CHOSEN, _OPENED = "cvar", "chosen", "opened"
_LEVEL = 0.95


def frontier(
    statement: StatedProblem, solving: Solving, first: str, second: str | None, points: int, level: float | None = None
) -> Study:
    """The front of two figures: the objective (`value` or `cost`), `cvar` of it, what is used of a row, by its name,
    `chosen` (how many options) or `opened` (how many partners).

    `min:NAME` or `max:NAME` says which way is better; without that, less of a row that has a ceiling is, and more of
    one that has a floor. `second` is by default `cvar` where there are samples, else the first row.

    Raises: ProblemError for unknown names; what `front` raises.
    """
    asked = [_name_and_sense(first), _name_and_sense(second or _other(statement))]
    figures = _figures(statement, [name for name, _ in asked], level)
    senses = [sense or _sense(statement, name) for name, sense in asked]
    _refuse_worse(statement, asked)
    found = front(
        statement.problem,
        *figures,
        senses=(_inside(statement, asked[0][0], senses[0]), _inside(statement, asked[1][0], senses[1])),
        points=points or None,
        solving=solving.to_gap(0.0),
    )
    return _study(statement, solving, found, (asked[0][0], asked[1][0]), (senses[0], senses[1]))


def _name_and_sense(name: str) -> tuple[str, str]:
    sense, colon, rest = name.partition(":")
    return (rest, sense) if colon and sense in SENSES else (name, "")


def _objective_name(statement: StatedProblem) -> str:
    return "cost" if statement.minimise else "value"


def _other(statement: StatedProblem) -> str:
    """The second figure, if none is named."""
    if has_samples(statement):
        return _CVAR
    names = statement.problem.rows.names
    return names[0] if names else _CHOSEN


def _figure_names(statement: StatedProblem) -> list[str]:
    problem = statement.problem
    tail = [_CVAR] if has_samples(statement) else []
    opened = [_OPENED] if problem.partner_names else []
    return [_objective_name(statement), *tail, *dict.fromkeys(problem.rows.names), _CHOSEN, *opened]


def _figures(statement: StatedProblem, names: list[str], level: float | None) -> tuple[Objective, Objective]:
    """Raises ProblemError with every name that is none."""
    own, known = _objective_name(statement), _figure_names(statement)
    names = [own if name in ("value", "cost") and name not in statement.problem.rows.names else name for name in names]
    faults = [
        Fault("figure", f"must be one of {', '.join(known)}", repr(name), did_you_mean(name, known, shown_at_most=0))
        for name in names
        if name not in known
    ]
    if faults:
        raise ProblemError(tuple(faults))
    if names[0] == names[1]:
        raise ProblemError((Fault("figure", "the two figures must differ", names[0]),))
    one, other = (_figure(statement, name, level) for name in names)
    return one, other


def _figure(statement: StatedProblem, name: str, level: float | None) -> Objective:
    problem = statement.problem
    if name == _objective_name(statement):
        return VALUE
    if name == _CVAR and name not in problem.rows.names:
        asked = statement.risk.level if statement.risk is not None else _LEVEL
        return CVaR(asked if level is None else level)
    if name in problem.rows.names:
        return _use_of(problem, problem.rows.names.index(name))
    if name == _CHOSEN:
        return count_of_options(_CHOSEN, np.ones(len(problem.option_names), bool))
    openings = np.ones(problem.opening_value.size)
    return Measure(_OPENED, frozen(np.zeros(len(problem.option_names))), frozen(openings), integer=True)


def _use_of(problem: PortfolioProblem, row: int) -> Measure:
    use, opening = (_dense(matrix, row) for matrix in (problem.rows.use, problem.rows.opening_use))
    whole = bool((use == np.round(use)).all() and (opening == np.round(opening)).all())
    return Measure(problem.rows.names[row], frozen(use), frozen(opening), integer=whole)


def _dense(matrix: csr_array, row: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(csr_array(matrix)[[row], :].toarray().ravel(), np.float64)


def _sense(statement: StatedProblem, name: str) -> str:
    """Which way is better, if nobody says."""
    rows = statement.problem.rows
    if name in rows.names:
        return "max" if rows.sense[rows.names.index(name)] == ">=" else "min"
    costs = statement.minimise and name in (_objective_name(statement), _CVAR)
    return "min" if costs or name == _OPENED else "max"


def _refuse_worse(statement: StatedProblem, asked: list[tuple[str, str]]) -> None:
    """The objective, and its tail, go one way alone."""
    own = {_objective_name(statement), _CVAR} - set(statement.problem.rows.names)
    better = "min" if statement.minimise else "max"
    wrong = [(name, sense) for name, sense in asked if name in own and sense not in ("", better)]
    if wrong:
        rule = f"can only be made {'small' if statement.minimise else 'large'}"
        raise ProblemError(tuple(Fault(f"figure {name}", rule, f"{sense}:{name}") for name, sense in wrong))


def _inside(statement: StatedProblem, name: str, sense: str) -> str:
    """The sense as the optimiser has it, whose objective is always maximised."""
    own = name in (_objective_name(statement), "value", _CVAR) and name not in statement.problem.rows.names
    return "max" if own else sense


# --- what is told ---------------------------------------------------------------------------------


def _study(
    statement: StatedProblem, solving: Solving, found: Front, names: tuple[str, str], senses: tuple[str, str]
) -> Study:
    own = {_objective_name(statement), _CVAR, "value"} - set(statement.problem.rows.names)
    signs = [statement.sign if name in own else 1.0 for name in names]
    width = len(str(len(found.points)))
    labels = [f"point-{number:0{width}d}" for number in range(1, len(found.points) + 1)]
    bound_sign = statement.sign if found.aim in (VALUE,) or found.aim.startswith(_CVAR) else 1.0
    table = pd.DataFrame(
        [
            {
                "portfolio": label,
                "first": signs[0] * one.first + 0.0,
                "second": signs[1] * one.second + 0.0,
                "bound": bound_sign * one.bound + 0.0,
                "gap": one.gap,
                "proven": one.proven,
                "chosen": len(one.chosen),
                "options": names_of(statement, one.chosen),
            }
            for label, one in zip(labels, found.points, strict=True)
        ]
    )
    chosen = chosen_rows(statement, {label: one.chosen for label, one in zip(labels, found.points, strict=True)})
    record = {
        "front": {
            "first": names[0],
            "second": names[1],
            "senses": list(senses),
            "complete": found.complete,
            "points": len(found.points),
            "median_gap": found.median_gap,
            "solves": found.solves,
            "seconds": found.seconds,
        }
    }
    page = ("Efficient frontier", (*_lead(found, table, names), *mean_words(statement)), _sections(table, names))
    return problem_study("frontier", statement, solving, page, {"frontier": table, "chosen": chosen}, record)


def _lead(found: Front, table: pd.DataFrame, names: tuple[str, str]) -> tuple[str, ...]:
    whole = "these are all there are, which is proven" if found.complete else "there may be others between them"
    ends = table.iloc[0], table.iloc[-1]
    told = [
        f"{names[0]} {numeral(one['first'], ',.6g')} with {names[1]} {numeral(one['second'], ',.6g')}" for one in ends
    ]
    span = f"From {told[0]} to {told[1]}." if len(table) > 1 else f"One portfolio is best in both: {told[0]}."
    return (f"{count(len(table), 'portfolio')} that no other beats in both figures; {whole}.", span)


def _sections(table: pd.DataFrame, names: tuple[str, str]) -> tuple[Section, ...]:
    plot = Plot(
        "frontier",
        f"How much {names[0]} does {names[1]} cost?",
        f"{names[0]} by {names[1]}, of portfolios that nothing found beats in both.",
        "Each point is a portfolio; the table says how far the solver proved it.",
        table.assign(order=range(len(table))),
        ("second", names[1]),
        ("first", names[0]),
        tips={
            "portfolio": Column("portfolio"),
            "first": Column(names[0], "money"),
            "second": Column(names[1], "money"),
            "options": Column("options"),
        },
    )
    columns = {
        "portfolio": Column("Portfolio"),
        "first": Column(names[0], "money"),
        "second": Column(names[1], "money"),
        "gap": Column("Gap", "share"),
        "chosen": Column("Options", "count"),
        "options": Column("Which"),
    }
    return (Section("The front", (), (plot,), (Table("Portfolios on the front.", table, columns),)),)
