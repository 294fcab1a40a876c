"""Portfolios of a stated problem nearly as good as the best, and how firmly each group is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rdsim.brief import count, listing
from rdsim.numerals import numeral
from rdsim.optimiser import Solution, Solving, require, solve
from rdsim.optimiser.problem.folder import StatedProblem
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.alternatives import Alternatives, Selection, selection
from rdsim.optimiser.questions.alternatives import alternatives as look_for_others
from rdsim.report import Column, Section, Table
from rdsim.studies.stated.parts import (
    chosen_rows,
    has_samples,
    mean_words,
    names_of,
    number,
    problem_study,
    solved_words,
    worth,
)
from rdsim.study import Study

__all__ = ["alternatives"]

_BEST = "best"


def alternatives(
    statement: StatedProblem, solving: Solving, count: int, within: float, swaps: int | None, resamples: int
) -> Study:
    """Other portfolios within a relative loss and so many `swaps` apart (by default one), and, where there are samples,
    how often each group is chosen when these are drawn anew, as many of them, with replacement.

    Raises: InfeasibleError without a portfolio, SolverError.
    """
    solving = solving.to_gap(0.0)
    best = require(solve(statement.problem, solving))
    found = look_for_others(statement.problem, best, count=count, within=within, swaps=swaps or 1, solving=solving)
    redrawn = _redrawn(statement, solving, resamples) if has_samples(statement) else None
    return _study(statement, solving, best, found, redrawn)


def _redrawn(statement: StatedProblem, solving: Solving, times: int) -> Selection:
    problem, rng = statement.problem, np.random.default_rng(solving.seed)
    samples, chosen = np.atleast_2d(problem.values), []
    for _ in range(times):
        mine = samples[rng.integers(len(samples), size=len(samples))]
        chosen.append(require(solve(replace(problem, values=frozen(mine)), solving)).chosen)
    return selection(problem, chosen)


def _study(
    statement: StatedProblem, solving: Solving, best: Solution, found: Alternatives, redrawn: Selection | None
) -> Study:
    names = [f"alternative-{number}" for number in range(1, len(found.portfolios) + 1)]
    table = pd.DataFrame(
        [
            {
                "portfolio": name,
                "objective": worth(statement, one.evaluation.objective),
                "loss": one.loss,
                "swaps": one.swaps,
                "nearest": one.nearest,
                **_exchange(statement, best.chosen, one.chosen),
            }
            for name, one in zip(names, found.portfolios, strict=True)
        ],
        columns=["portfolio", "objective", "loss", "swaps", "nearest", "joined", "left"],
    )
    among, problem = found.selection, statement.problem
    firm = pd.DataFrame({"group": problem.group_names, "in_alternatives": among.groups})
    if redrawn is not None:
        firm["in_resamples"] = redrawn.groups
    portfolios = {_BEST: best.chosen, **{name: one.chosen for name, one in zip(names, found.portfolios, strict=True)}}
    tables = {"alternatives": table, "selection": firm, "chosen": chosen_rows(statement, portfolios)}
    record = {
        "alternatives": {
            "wanted": found.wanted,
            "found": len(found.portfolios),
            "swaps": found.swaps,
            "exhausted": found.exhausted,
            "solves": found.solves,
            "resamples": 0 if redrawn is None else redrawn.count,
        }
    }
    lead = (solved_words(statement, best), *_lead(statement, found, among, redrawn), *mean_words(statement))
    page = ("Portfolios nearly as good", lead, _sections(table, firm))
    return problem_study("alternatives", statement, solving, page, tables, record)


def _exchange(statement: StatedProblem, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, str]:
    joined, left = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    return {
        "joined": names_of(statement, joined) if joined else "",
        "left": names_of(statement, left) if left else "",
    }


def _lead(
    statement: StatedProblem, found: Alternatives, among: Selection, redrawn: Selection | None
) -> tuple[str, ...]:
    least = number(statement, worth(statement, found.floor))
    every = "; there is no other, which is proven" if found.exhausted else ""
    way = "cost at most" if statement.minimise else "are worth at least"
    lines = [
        f"{count(len(found.portfolios), 'other portfolio')} found that {way} {least}, apart from one another{every}."
    ]
    told = f"All of them choose {count(len(among.core), 'group')}, some {len(among.borderline)}"
    lines.append(f"{told} ({listing(among.borderline) or 'none'}), none the other {len(among.exterior)}.")
    if redrawn is not None:
        lines.append(
            f"On samples drawn anew {count(redrawn.count, 'time')}, {count(len(redrawn.core), 'group')} "
            f"{'is' if len(redrawn.core) == 1 else 'are'} always chosen and {len(redrawn.borderline)} sometimes."
        )
    return tuple(lines)


def _sections(table: pd.DataFrame, firm: pd.DataFrame) -> tuple[Section, ...]:
    shown = {
        "portfolio": Column("Portfolio"),
        "objective": Column("Objective", "money"),
        "loss": Column("Loss", "share"),
        "swaps": Column("Decisions that differ", "count"),
        "joined": Column("In"),
        "left": Column("Out"),
    }
    firmness = {"group": Column("Group"), "in_alternatives": Column("Of these portfolios", "share")}
    if "in_resamples" in firm:
        firmness["in_resamples"] = Column("Of samples drawn anew", "share")
    chosen = firm[(firm.drop(columns="group") > 0).any(axis=1)]
    caption = f"Groups that any of them chooses: {numeral(len(chosen), ',d')}."
    return (
        Section("What else is nearly as good?", (), (), (Table("Beside the best.", table, shown),)),
        Section("How firmly is each chosen?", (), (), (Table(caption, chosen, firmness),)),
    )
