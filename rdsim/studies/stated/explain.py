"""Why a group of a stated problem is not chosen, what losing one would cost, what more of a cap is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rdsim.brief import count
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser import PortfolioProblem, Solution, Solving, require, solve
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.questions.explanation import (
    Bracket,
    Replacement,
    ScreenedGroup,
    WhyNot,
    WorthOfCap,
    cost_of_losing,
    screen,
    why_not,
    worth_of_cap,
)
from rdsim.report import Column, Section, Table
from rdsim.studies.stated.parts import mean_words, problem_study, solved_words
from rdsim.study import Study
from rdsim.tables import did_you_mean

__all__ = ["explain"]

ALL = "unfunded"
"""Asks about every group that is not chosen."""

_STEPS = (-0.5, -0.25, -0.1, 0.1, 0.25, 0.5)
"""Shares of its size by which a cap is moved."""


def explain(statement: StatedProblem, solving: Solving, names: tuple[str, ...]) -> Study:
    """Groups, chosen or not, and rows, by name; `unfunded`, and no name, ask about all groups that are not chosen.

    Raises: ProblemError with every unknown name; InfeasibleError without a portfolio, SolverError.
    """
    problem, best = statement.problem, require(solve(statement.problem, solving.to_gap(0.0)))
    _refuse_unknown(problem, names)
    chosen = {problem.group_names[int(problem.group[o])] for o in best.chosen}
    groups, rows = set(problem.group_names), set(problem.rows.names)
    screened = screen(problem, best, solving=solving) if not names or ALL in names else ()
    found: list[WhyNot | Replacement | WorthOfCap] = []
    for name in (one for one in names if one != ALL or one in groups | rows):
        if name in chosen:
            found.append(cost_of_losing(problem, best, name, solving=solving))
        elif name in groups:
            found.append(why_not(problem, best, name, solving=solving))
        else:
            row = problem.rows.names.index(name)
            size = abs(float(problem.rows.cap[row])) or 1.0
            found.append(worth_of_cap(problem, best, row, [step * size for step in _STEPS], solving=solving))
    return _study(statement, solving, best, screened, found)


def _refuse_unknown(problem: PortfolioProblem, names: tuple[str, ...]) -> None:
    known = [*problem.group_names, *problem.rows.names, ALL]
    rule = f"must be a group, a row, or {ALL}"
    faults = [Fault("NAME", rule, repr(name), did_you_mean(name, known)) for name in names if name not in known]
    if faults:
        raise ProblemError(tuple(faults))


def _study(
    statement: StatedProblem,
    solving: Solving,
    best: Solution,
    screened: tuple[ScreenedGroup, ...],
    found: list[WhyNot | Replacement | WorthOfCap],
) -> Study:
    exact, caps = (
        pd.DataFrame(list(_exact_rows(found)), columns=_EXACT),
        pd.DataFrame(list(_cap_rows(found)), columns=_CAPS),
    )
    glance = pd.DataFrame(
        [
            (one.name, one.loss.low, one.loss.high, one.best_alone, "" if one.reason is None else one.reason.value)
            for one in screened
        ],
        columns=["group", "loss_low", "loss_high", "best_alone", "reason"],
    )
    sentences = tuple(line.strip() for one in found for line in str(one).splitlines())
    heads = [f"{count(len(screened), 'group')} {'is' if len(screened) == 1 else 'are'} not chosen."] if screened else []
    lead = (solved_words(statement, best), *heads, *sentences[:6], *mean_words(statement))
    sections = [Section("What was asked", sentences, (), ())] if sentences else []
    if len(glance):
        sections.append(Section("All that are not chosen", (_READING,), (), (_glance_table(glance),)))
    if len(caps):
        sections.append(Section("What caps are worth", (), (), (_cap_table(caps),)))
    record = {"explained": {"asked": len(found), "unfunded": len(screened), "gap": best.gap}}
    tables = {"unfunded": glance, "exact": exact, "caps": caps}
    return problem_study("explain", statement, solving, ("Why, and why not", lead, tuple(sections)), tables, record)


_READING = (
    "To choose a group all the same costs at least the lower number, which is proven by the relaxation, and at most "
    "the upper one, which a portfolio shows; the upper one is infinite where no simple exchange makes room."
)
_EXACT = ["name", "kind", "cost", "cost_low", "cost_high", "why"]
_CAPS = ["row", "amount", "cap", "worth", "worth_low", "worth_high"]


def _exact_rows(found: list[WhyNot | Replacement | WorthOfCap]) -> Iterator[tuple[object, ...]]:
    for one in found:
        if isinstance(one, Replacement):
            yield (one.name, "chosen", *_limits(one.cost), str(one))
        elif isinstance(one, WhyNot):
            yield (one.name, "not chosen", *_limits(one.loss), str(one))


def _limits(one: Bracket | None) -> tuple[float, float, float]:
    return (math.nan, math.nan, math.nan) if one is None else (one.found, one.low, one.high)


def _cap_rows(found: list[WhyNot | Replacement | WorthOfCap]) -> Iterator[tuple[object, ...]]:
    for one in found:
        if isinstance(one, WorthOfCap):
            for step in one.steps:
                yield (one.name, step.amount, step.cap, step.worth.found, step.worth.low, step.worth.high)


def _glance_table(table: pd.DataFrame) -> Table:
    columns = {
        "group": Column("Group"),
        "loss_low": Column("Costs at least", "money"),
        "loss_high": Column("at most", "money"),
        "best_alone": Column("Best option alone", "money"),
        "reason": Column("Why"),
    }
    return Table("Groups that are not chosen, the nearest first.", table, columns)


def _cap_table(table: pd.DataFrame) -> Table:
    columns = {
        "row": Column("Row"),
        "amount": Column("Moved by", "money"),
        "cap": Column("Cap", "money"),
        "worth": Column("Worth", "money"),
        "worth_low": Column("at least", "money"),
        "worth_high": Column("at most", "money"),
    }
    return Table("Each step is solved again.", table, columns)
