"""The answer to a problem of a folder, in its words and its sign."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rdsim.numerals import numeral
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.folder.form import StatedProblem, stage_name
from rdsim.optimiser.problem.folder.text import csv_text, number_text
from rdsim.optimiser.problem.folder.writer import digest
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.problem.solution import Solution, Termination

__all__ = ["chosen_table", "describe", "record"]


def describe(posed: StatedProblem, solution: Solution) -> str:
    """A few lines for the terminal: how sure, the objective in the user's sign, what is chosen and opened."""
    problem, unit = posed.problem, f" {posed.unit}" if posed.unit else ""
    gap = f"{solution.gap:.2%}" if math.isfinite(solution.gap) else "unknown"
    at = "at least" if posed.minimise else "at most"
    objective, bound = (numeral(posed.sign * one, ".10g") for one in (solution.objective, solution.bound))
    chosen = [problem.option_names[option] for option in solution.chosen]
    opened = [_opening_text(problem, partner, stage) for partner, stage in solution.opened.items()]
    lines = [
        f"{posed.name}: {_sizes(problem)}",
        f"{solution.solver_label}: {solution.status} ({solution.termination}), proven gap {gap}, "
        f"{solution.seconds.total:.2f} s",
        f"objective {objective}, {at} {bound}{unit}",
        f"chosen {len(chosen):,}: {_listing(chosen)}",
    ]
    if problem.partner_names:
        lines.append(f"partners opened {len(opened):,}: {_listing(opened)}")
    if solution.termination is Termination.TIME_LIMIT:
        lines.append("the time limit stopped the solver: running again may give another answer")
    return "\n".join(lines)


def _sizes(problem: PortfolioProblem) -> str:
    counts = {
        "option": len(problem.option_names),
        "group": len(problem.group_names),
        "row": len(problem.rows.names),
        "partner": len(problem.partner_names),
    }
    return ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count)


def _opening_text(problem: PortfolioProblem, partner: int, stage: int) -> str:
    name = problem.partner_names[partner]
    return name if len(problem.stage_names) < 2 else f"{name} ({problem.stage_names[stage]})"


def _listing(names: Sequence[str], most: int = 30) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}" if names else "none"


def chosen_table(posed: StatedProblem, solution: Solution) -> str:
    """The text of chosen.csv: a line for each chosen option."""
    problem, worth = posed.problem, "cost" if posed.minimise else "value"
    lines = [["option", "group", "partners", "stage", worth]]
    for option in solution.chosen:
        partners = problem.partners[[option]].indices
        lines.append(
            [
                problem.option_names[option],
                problem.group_names[problem.group[option]],
                "|".join(problem.partner_names[partner] for partner in partners),
                stage_name(problem, problem.stage[option]),
                number_text(posed.sign * problem.expected_value[option]),
            ]
        )
    return csv_text(lines)


def record(posed: StatedProblem, solution: Solution, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of problem, solver and answer; `asked` are the settings given to the solver."""
    problem, judged = posed.problem, evaluate(posed.problem, solution.chosen)
    opened = {problem.partner_names[p]: stage_name(problem, stage) for p, stage in solution.opened.items()}
    return {
        "problem": {
            "name": posed.name,
            "digest": digest(posed),
            "sense": "minimise" if posed.minimise else "maximise",
            "unit": posed.unit,
            "options": len(problem.option_names),
            "groups": len(problem.group_names),
            "rows": len(problem.rows.names),
            "partners": len(problem.partner_names),
        },
        "solver": {
            "name": solution.solver,
            "version": solution.version,
            "method": solution.method,
            "asked": dict(asked),
            "status": str(solution.status),
            "termination": str(solution.termination),
            "objective": posed.sign * solution.objective,
            "bound": posed.sign * solution.bound,
            "gap": solution.gap,
            "seconds": solution.seconds.total,
        },
        "answer": {
            "chosen": [problem.option_names[option] for option in solution.chosen],
            "partners_opened": opened,
            "rows": {
                name: {"use": float(use), "room": float(room)}
                for name, use, room in zip(problem.rows.names, judged.activity, judged.room, strict=True)
            },
        },
    }
