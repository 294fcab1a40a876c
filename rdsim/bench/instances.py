"""Portfolio problems that optimisers are set side by side on: a scenario's, perturbed copies of it, published ones.

Published ones are read from a folder, in the layout of multi-constraint knapsacks of J. E. Beasley's OR-Library (files
`mknap*.txt`): the number of problems; of each n, m and the best known value (0: not known); n values; m rows of n
coefficients; m capacities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, diags_array

from rdsim.errors import Fault, InputError
from rdsim.folders import is_folder
from rdsim.optimiser import PortfolioProblem, state_problem, state_rows
from rdsim.optimiser.problem.problem import frozen

__all__ = ["NamedProblem", "copies_of", "perturbed_copy", "published_problems", "read_orlib"]

_MOST_NUMBERS = 20_000_000
_LARGEST = 1_000_000
"""Options of a problem, and rows, at most: more is no portfolio."""


@dataclass(frozen=True, eq=False)
class NamedProblem:
    """A problem, the group that it is told with, and the published optimum if there is one."""

    name: str
    group: str
    problem: PortfolioProblem
    published: float | None = None


def perturbed_copy(problem: PortfolioProblem, seed: int) -> PortfolioProblem:
    """A copy in which each technology is worth and uses another share of what it did, and each option a little more so.

    Lognormal factors: 20% on the worth of a technology, 5% on that of an option, 10% on what a technology uses.
    """
    rng = np.random.default_rng(seed)
    technologies, options = len(problem.group_names), len(problem.option_names)
    worth = rng.lognormal(0.0, 0.2, technologies)[problem.group] * rng.lognormal(0.0, 0.05, options)
    use = problem.rows.use @ diags_array(rng.lognormal(0.0, 0.1, technologies)[problem.group])
    rows = replace(problem.rows, use=csr_array(use))
    return replace(problem, values=frozen(problem.values * worth), rows=rows)


def copies_of(name: str, problem: PortfolioProblem, copies: int) -> Iterator[NamedProblem]:
    """A scenario's problem, by expected values, and perturbed copies of it."""
    plain = replace(problem, values=problem.expected_value)
    yield NamedProblem(name, name, plain)
    for seed in range(1, copies + 1):
        yield NamedProblem(f"{name}, copy {seed}", name, perturbed_copy(plain, seed))


# --- published ones ---------------------------------------------------------------------------------


def published_problems(folder: Path) -> list[NamedProblem]:
    """The problems of every text file (.txt) of a folder, in the order of names.

    Raises InputError with every file that is none, and for a folder without any.
    """
    paths = sorted(folder.glob("*.txt")) if is_folder(folder) else []
    if not paths:
        rule = "must be a folder with text files (.txt) of multi-constraint knapsacks, as OR-Library has them"
        raise InputError((Fault(str(folder), rule, "no such file" if is_folder(folder) else "no folder"),))
    found, faults = list[NamedProblem](), list[Fault]()
    for path in paths:
        try:
            found += read_orlib(path)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(tuple(faults))
    return found


def read_orlib(path: Path) -> list[NamedProblem]:
    """The problems of a file. Raises InputError if it is not of the layout."""
    try:
        words = path.read_text(encoding="ascii").split()
        if len(words) > _MOST_NUMBERS:
            raise ValueError(f"{len(words):,} numbers")
        numbers = iter([float(word) for word in words])
        found = list(_problems(path.stem, numbers))
        if next(numbers, None) is not None:
            raise ValueError("more numbers than problems")
    except (OSError, ValueError) as error:
        rule = "must hold multi-constraint knapsacks as OR-Library has them"
        advice = "Number of problems; of each n, m, best known; n values; m rows of n coefficients; m capacities."
        raise InputError((Fault(str(path), rule, str(error), advice),)) from None
    return found


def _problems(name: str, numbers: Iterator[float]) -> Iterator[NamedProblem]:
    count = _whole(numbers)
    for place in range(1, count + 1):
        options, rows = _whole(numbers), _whole(numbers)
        (best,), values = _take(numbers, 1), _take(numbers, options)
        use = np.array(_take(numbers, options * rows)).reshape(rows, options)
        problem = state_problem(values, rows=state_rows(use, _take(numbers, rows)))
        yield NamedProblem(f"{name}, problem {place}", "published", problem, best or None)


def _whole(numbers: Iterator[float]) -> int:
    (number,) = _take(numbers, 1)
    if number != int(number) or not 1 <= number <= _LARGEST:
        raise ValueError(f"{number:g} where a count should be")
    return int(number)


def _take(numbers: Iterator[float], count: int) -> list[float]:
    taken = list(islice(numbers, count))
    if len(taken) < count:
        raise ValueError("it ends too soon")
    return taken
