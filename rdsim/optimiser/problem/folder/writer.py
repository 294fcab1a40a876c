"""A problem as a folder that reads as an equal one."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rdsim.errors import Fault, ProblemError
from rdsim.folders import new_folder
from rdsim.optimiser.problem.folder.form import CHOICES, COLUMNS, SETTINGS, WORDS, StatedProblem, name_rule, stage_name
from rdsim.optimiser.problem.folder.text import csv_text, number_text
from rdsim.optimiser.problem.problem import PortfolioProblem, Rows
from rdsim.tables import shown_value
from rdsim.texts import toml_value

__all__ = ["digest", "write"]


DENSE = 0.2
"""From this share of filled cells on, uses are written as columns of options.csv."""


def write(problem: PortfolioProblem, folder: str | Path, *, name: str = "", minimise: bool = False) -> None:
    """Write a folder that reads as an equal problem; with `minimise`, values are written as costs.

    Raises: ProblemError if a name would not survive; OutputError if the folder is not new or empty, or not writable.
    """
    texts = _files(StatedProblem(problem, name, minimise))
    with new_folder(folder, "a problem is written to a new or an empty folder") as draft:
        for file, text in texts.items():
            (draft / file).write_text(text, encoding="utf-8", newline="")


def digest(posed: StatedProblem) -> str:
    """SHA-256 of the problem as `write` would write it: blind to its name and to how its folder was written."""
    texts = _files(StatedProblem(posed.problem, minimise=posed.minimise))
    if posed.risk is not None:
        texts["risk"] = repr(posed.risk)
    for one in posed.sampled:
        texts[f"sampled {one.row}"] = f"{one.holds} {one.level!r} {one.use.tolist()!r}"
    return hashlib.sha256(json.dumps(texts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _files(posed: StatedProblem) -> dict[str, str]:
    """Every file's text; tables that would say nothing are left out."""
    faults = tuple(_unwritable(posed.problem))
    if faults:
        raise ProblemError(faults)
    problem, worth = posed.problem, "cost" if posed.minimise else "value"
    wide = _fits_columns(problem, worth)
    tables = {
        "options": _options(posed, worth, wide),
        "rows": _rows(problem.rows),
        "uses": [] if wide else _uses(problem),
        "groups": _groups(problem) if _needs_groups(problem) else [],
        "partners": _partners(problem) if _needs_partners(problem) else [],
        "openings": _openings(posed, worth),
        "links": _links(posed, worth),
        "samples": _samples(posed),
    }
    opening_uses = list(_opening_uses(problem))
    tables["uses"] = [*(tables["uses"] or [["row", "option", "partner", "stage", "amount"]]), *opening_uses]
    texts = {f"{name}.csv": csv_text(lines) for name, lines in tables.items() if len(lines) > 1 or name == "options"}
    return {SETTINGS: _settings(posed), **texts}


def _unwritable(problem: PortfolioProblem) -> Iterator[Fault]:
    """Names that would not come back."""
    named = {
        "option_names": problem.option_names,
        "group_names": problem.group_names,
        "partner_names": problem.partner_names,
        "stage_names": problem.stage_names,
        "rows.names": problem.rows.names,
        "rows.family": problem.rows.family,
    }
    for where, names in named.items():
        for name in dict.fromkeys(names):
            rule = name_rule(name)
            if rule:
                yield Fault(where, rule, shown_value(name))
    if not problem.stage_names:
        yield Fault("stage_names", "must name a stage at least", "none")
    barred = [name for name in problem.partner_names if "|" in name]
    several = {group for groups in problem.exclusions if len(groups) > 2 for group in groups}
    barred += [problem.group_names[group] for group in sorted(several) if "|" in problem.group_names[group]]
    if barred:
        yield Fault("names", "partners, and groups of an exclusion of several, must not hold |", shown_value(barred[0]))
    if problem.values.ndim > 1:
        for name in problem.option_names:
            if name == "sample" or set(name) & set("[]"):
                yield Fault(
                    "option_names", "the name of an option with samples must not be 'sample' nor hold [ or ]", name
                )


def _fits_columns(problem: PortfolioProblem, worth: str) -> bool:
    """True if uses are dense enough to be columns of options.csv, and every row's name may head one."""
    own = {worth, *COLUMNS["options"]}
    rows = problem.rows
    proper = all(name not in own and not set(name) & set("[]") for name in rows.names)
    return proper and rows.use.nnz >= DENSE * len(rows.names) * len(problem.option_names)


def _settings(posed: StatedProblem) -> str:
    problem = posed.problem
    lines = {"name": posed.name, "unit": posed.unit}
    text = [f"{key} = {toml_value(value)}" for key, value in lines.items() if value]
    text.append(f'sense = "{"minimise" if posed.minimise else "maximise"}"')
    if problem.stage_names != ("s0",):
        text.append(f"stages = {toml_value(problem.stage_names)}")
    return "\n".join(text) + "\n"


def _options(posed: StatedProblem, worth: str, wide: bool) -> list[list[str]]:
    """Names, groups, partners, stages, what is fixed, values unless there are samples, uses if they fit."""
    problem = posed.problem
    start, member = problem.partners.indptr, problem.partners.indices
    sampled = problem.values.ndim > 1
    alone = problem.group_names == problem.option_names and (np.diff(problem.group) == 1).all()
    rows = problem.rows.names if wide else ()
    use = problem.rows.use.toarray() if wide else np.zeros((0, len(problem.option_names)))
    lines = [["option", "group", "partners", "stage", "fixed", *([] if sampled else [worth]), *rows]]
    for option, name in enumerate(problem.option_names):
        partners = "|".join(problem.partner_names[p] for p in member[start[option] : start[option + 1]])
        fixed = _fixing(option, problem.fixed_in_options, problem.fixed_out_options)
        value = [] if sampled else [number_text(posed.sign * problem.values[option])]
        stage = problem.stage_names[problem.stage[option]] if problem.stage_names != ("s0",) else ""
        group = problem.group_names[problem.group[option]]
        head = [name, "" if alone else group, partners, stage, fixed]
        lines.append([*head, *value, *(_amount(use[row, option]) for row in range(len(rows)))])
    return _without_empty(lines, {"group", "partners", "stage", "fixed"})


def _fixing(index: int, inside: Sequence[int], outside: Sequence[int]) -> str:
    return "in" if index in inside else "out" if index in outside else ""


def _rows(rows: Rows) -> list[list[str]]:
    carry = {source: (rows.names[target], number_text(rate)) for source, target, rate in rows.carry}
    lines = [["row", "family", "sense", "cap", "shortfall_price", "carry_to", "carry_rate"]]
    for row, name in enumerate(rows.names):
        price = "" if math.isnan(rows.shortfall_price[row]) else number_text(rows.shortfall_price[row])
        target, rate = carry.get(row, ("", ""))
        lines.append([name, rows.family[row], WORDS[rows.sense[row]], number_text(rows.cap[row]), price, target, rate])
    return _without_empty(lines, {"shortfall_price", "carry_to", "carry_rate"})


def _uses(problem: PortfolioProblem) -> list[list[str]]:
    rows, use = problem.rows.names, problem.rows.use.tocoo()
    cells = zip(*use.coords, use.data, strict=True)
    lines = [[rows[row], problem.option_names[option], "", "", number_text(amount)] for row, option, amount in cells]
    return [["row", "option", "partner", "stage", "amount"], *lines]


def _opening_uses(problem: PortfolioProblem) -> Iterator[list[str]]:
    use, stages = problem.rows.opening_use.tocoo(), len(problem.stage_names)
    for row, opening, amount in zip(*use.coords, use.data, strict=True):
        stage = stage_name(problem, opening % stages)
        yield [problem.rows.names[row], "", problem.partner_names[opening // stages], stage, number_text(amount)]


def _needs_groups(problem: PortfolioProblem) -> bool:
    """False if the options alone say which groups there are, in their order."""
    named = tuple(dict.fromkeys(problem.group_names[group] for group in problem.group))
    special = problem.exactly_one.any() or problem.fixed_in_groups or problem.fixed_out_groups
    return bool(special) or named != problem.group_names


def _needs_partners(problem: PortfolioProblem) -> bool:
    """False if the options alone say which partners there are, in their order."""
    return tuple(dict.fromkeys(problem.partner_names[p] for p in problem.partners.indices)) != problem.partner_names


def _groups(problem: PortfolioProblem) -> list[list[str]]:
    choices = {exact: word for word, exact in CHOICES.items()}
    lines = [["group", "choice", "fixed"]]
    for group, name in enumerate(problem.group_names):
        fixed = _fixing(group, problem.fixed_in_groups, problem.fixed_out_groups)
        lines.append([name, choices[bool(problem.exactly_one[group])], fixed])
    return _without_empty(lines, {"fixed"})


def _partners(problem: PortfolioProblem) -> list[list[str]]:
    return [["partner"], *([name] for name in problem.partner_names)]


def _openings(posed: StatedProblem, worth: str) -> list[list[str]]:
    problem = posed.problem
    lines = [["partner", "stage", worth]]
    for partner, stage in np.argwhere(problem.opening_value != 0):
        value = number_text(posed.sign * problem.opening_value[partner, stage])
        lines.append([problem.partner_names[partner], stage_name(problem, stage), value])
    return lines


def _links(posed: StatedProblem, worth: str) -> list[list[str]]:
    problem, names = posed.problem, posed.problem.group_names
    lines = [["group", "link", "with", worth]]
    lines += [[names[group], "needs", names[other], ""] for group, other in problem.prerequisites]
    for groups in problem.exclusions:
        word = "excludes" if len(groups) == 2 else "at most one"
        lines += [[names[groups[0]], word, "|".join(names[group] for group in groups[1:]), ""]] if groups else []
    for first, second, value in problem.synergies:
        lines.append([names[first], "synergy", names[second], number_text(posed.sign * value)])
    return _without_empty(lines, {worth})


def _samples(posed: StatedProblem) -> list[list[str]]:
    values = posed.problem.values
    if values.ndim < 2:
        return []
    lines = [
        [str(sample), *(number_text(posed.sign * value) for value in row)] for sample, row in enumerate(values, start=1)
    ]
    return [["sample", *posed.problem.option_names], *lines]


def _without_empty(lines: list[list[str]], optional: set[str]) -> list[list[str]]:
    """The table without those optional columns that hold nothing."""
    head = lines[0]
    kept = [c for c, name in enumerate(head) if name not in optional or any(line[c] for line in lines[1:])]
    return [[line[column] for column in kept] for line in lines]


def _amount(value: float) -> str:
    return number_text(value) if value else ""
