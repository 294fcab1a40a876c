"""What less or more of the caps of a stated problem would do."""

from __future__ import annotations

import math

import pandas as pd

from rdsim.errors import Fault, ProblemError
from rdsim.numerals import numeral
from rdsim.optimiser import Solution, Solving
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.questions.ladder import Ladder
from rdsim.optimiser.questions.ladder import ladder as climb
from rdsim.report import Column, Plot, Section, Table
from rdsim.studies.stated.parts import chosen_rows, mean_words, names_of, number, problem_study, worth
from rdsim.study import Study
from rdsim.tables import did_you_mean

__all__ = ["ladder"]


def ladder(
    statement: StatedProblem, solving: Solving, shares: tuple[float, ...], nested: bool, families: str | None
) -> Study:
    """Portfolios at shares of the caps of some families of rows, by default of all rows; free and nested.

    Raises: ProblemError for unknown families and shares that cannot be; SolverError.
    """
    known = sorted(set(statement.problem.rows.family))
    wanted = known if families is None else [one.strip() for one in families.split(",") if one.strip()]
    faults = [
        Fault("--families", f"must be among {', '.join(known) or 'none'}", repr(one), did_you_mean(one, known))
        for one in wanted
        if one not in known
    ]
    if faults or not wanted:
        raise ProblemError(tuple(faults) or (Fault("--families", "needs a row whose cap can move", "no rows"),))
    found = climb(statement.problem, shares, families=wanted, nested=nested, solving=solving.to_gap(0.0))
    return _study(statement, solving, found)


def _study(statement: StatedProblem, solving: Solving, found: Ladder) -> Study:
    portfolios, rows = dict[str, tuple[int, ...]](), []
    for rung in found.rungs:
        for way, solution in (("plain", rung.plain), ("nested", rung.nested)):
            if solution is not None and solution.has_portfolio:
                portfolios[f"{way}-{rung.share * 100:g}"] = solution.chosen
        price = rung.price
        rows.append(
            {
                "share": rung.share,
                "plain": _objective(statement, rung.plain),
                "plain_bound": worth(statement, rung.plain.bound),
                "plain_gap": rung.plain.gap,
                "plain_chosen": len(rung.plain.chosen),
                "nested": _objective(statement, rung.nested),
                "nested_chosen": math.nan if rung.nested is None else len(rung.nested.chosen),
                "nested_adds": names_of(statement, rung.added) if rung.added else "",
                "price": math.nan if price is None else price.amount,
                "price_low": math.nan if price is None else price.low,
                "price_high": math.nan if price is None else price.high,
                "status": str(rung.plain.status),
            }
        )
    table = pd.DataFrame(rows)
    tables = {"ladder": table, "chosen": chosen_rows(statement, portfolios)}
    record = {"ladder": {"start": found.start, "families": list(found.families), "seconds": found.seconds}}
    page = ("Ladder of caps", _lead(statement, found, table), _sections(statement, table))
    return problem_study("ladder", statement, solving, page, tables, record)


def _objective(statement: StatedProblem, solution: Solution | None) -> float:
    return worth(statement, solution.objective) if solution is not None and solution.has_portfolio else math.nan


def _lead(statement: StatedProblem, found: Ladder, table: pd.DataFrame) -> tuple[str, ...]:
    of = f"the caps of {', '.join(found.families)}"
    known = table.dropna(subset=["plain"])
    if known.empty:
        return (f"No portfolio satisfies every row at any of these shares of {of}.", *mean_words(statement))
    ends = known.iloc[0], known.iloc[-1]
    told = (f"{number(statement, one['plain'])} with {numeral(one['share'], '.0%')}" for one in ends)
    lines = [f"The best portfolio found comes to {' and to '.join(told)} of {of}."]
    priced = table.dropna(subset=["price"])
    if len(priced):
        dearest = priced.sort_values("price").iloc[-1]
        lines.append(
            f"Never taking back a decision costs at most {number(statement, float(dearest['price']))}, at "
            f"{numeral(dearest['share'], '.0%')}."
        )
    return (*lines, *mean_words(statement))


def _sections(statement: StatedProblem, table: pd.DataFrame) -> tuple[Section, ...]:
    name = "cost" if statement.minimise else "value"
    parts = [table[["share", way]].rename(columns={way: "worth"}).assign(way=way) for way in ("plain", "nested")]
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["worth"])
    plot = Plot(
        "ladder",
        "What do smaller or larger caps do?",
        f"The {name} by share of the caps.",
        "Plain: the best portfolio at each share. Nested: what is chosen at a lower share stays at a higher one.",
        frame.assign(order=frame["share"]),
        ("share", "share of the caps"),
        ("worth", f"{name}{', ' + statement.unit if statement.unit else ''}"),
        colour="way",
        tips={"way": Column("ladder"), "share": Column("share", "share"), "worth": Column(name, "money")},
    )
    columns = {
        "share": Column("Caps", "share"),
        "plain": Column("Best", "money"),
        "plain_gap": Column("Gap", "share"),
        "plain_chosen": Column("Options", "count"),
        "nested": Column("Nested", "money"),
        "nested_chosen": Column("Options", "count"),
        "nested_adds": Column("Adds"),
        "price": Column("Price of nesting", "money"),
    }
    return (Section("Shares of the caps", (), (plot,), (Table("Portfolios by share.", table, columns),)),)
