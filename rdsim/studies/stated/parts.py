"""What studies of stated problems are made of: amounts in the user's sign, what is recorded, names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rdsim.brief import count
from rdsim.numerals import numeral
from rdsim.optimiser import Solution, Solving
from rdsim.optimiser.problem.folder import StatedProblem, digest
from rdsim.report import Page, Section
from rdsim.study import Study

__all__ = ["chosen_rows", "has_samples", "mean_words", "names_of", "number", "problem_study", "solved_words", "worth"]


def has_samples(statement: StatedProblem) -> bool:
    """Whether values are given by samples."""
    return bool(np.ndim(statement.problem.values) > 1)


def worth(statement: StatedProblem, value: float) -> float:
    """An objective in the user's sign: costs as costs."""
    return statement.sign * value + 0.0


def number(statement: StatedProblem, value: float) -> str:
    """An amount of the objective, already in the user's sign, with its unit."""
    text = "not known" if math.isnan(value) else numeral(value, ",.6g")
    return f"{text} {statement.unit}".rstrip()


def solved_words(statement: StatedProblem, solution: Solution) -> str:
    """The portfolio that a study speaks of."""
    objective = number(statement, worth(statement, solution.objective))
    proven = "proven best" if solution.gap == 0 else f"within {numeral(solution.gap, '.2%')} of the best"
    return (
        f"This speaks of the portfolio of {count(len(solution.chosen), 'option')} that the solver chose here: "
        f"{'cost' if statement.minimise else 'value'} {objective}, {proven}."
    )


def mean_words(statement: StatedProblem) -> tuple[str, ...]:
    """A line where a problem asks something of samples, and a study does not."""
    if statement.risk is None and not statement.sampled:
        return ()
    return ("This speaks of means: what is asked of the samples is not looked at here.",)


def chosen_rows(statement: StatedProblem, portfolios: Mapping[str, Iterable[int]]) -> pd.DataFrame:
    """A row for each option of each portfolio: portfolio, option, group."""
    problem = statement.problem
    rows = [
        (name, problem.option_names[o], problem.group_names[int(problem.group[o])])
        for name, chosen in portfolios.items()
        for o in chosen
    ]
    return pd.DataFrame(rows, columns=["portfolio", "option", "group"])


def problem_study(
    name: str,
    statement: StatedProblem,
    solving: Solving,
    page: tuple[str, tuple[str, ...], tuple[Section, ...]],
    tables: Mapping[str, pd.DataFrame],
    record: Mapping[str, Any],
) -> Study:
    """A study of a stated problem; `page` is its kind, its lead and its sections."""
    problem, (kind, lead, sections) = statement.problem, page
    told = {
        "problem": {
            "name": statement.name,
            "digest": digest(statement),
            "sense": "minimise" if statement.minimise else "maximise",
            "unit": statement.unit,
            "options": len(problem.option_names),
            "groups": len(problem.group_names),
            "rows": len(problem.rows.names),
            "partners": len(problem.partner_names),
        },
        "solver": {"name": solving.solver, "asked": {"gap": solving.gap, "time_limit": solving.time_limit}},
        **record,
    }
    title = statement.name or "A portfolio problem"
    return Study(name, None, solving.seed, Page(kind, title, lead, sections), tables, told)


def names_of(statement: StatedProblem, chosen: Iterable[int]) -> str:
    """Options by name, with commas between them."""
    return ", ".join(statement.problem.option_names[o] for o in chosen)
