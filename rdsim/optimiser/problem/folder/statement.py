"""A folder read: the problem that it states, or every fault of it."""

from __future__ import annotations

from pathlib import Path

from rdsim.errors import Fault, ProblemError
from rdsim.folders import is_file, is_folder
from rdsim.optimiser.problem.folder.copies import with_copies
from rdsim.optimiser.problem.folder.files import read_settings, read_tables
from rdsim.optimiser.problem.folder.form import SETTINGS, StatedProblem
from rdsim.optimiser.problem.folder.names import name_everything
from rdsim.optimiser.problem.folder.parts import parts
from rdsim.optimiser.problem.folder.reader import Reader
from rdsim.optimiser.problem.folder.sampled import sampled_uses
from rdsim.optimiser.problem.problem import PortfolioProblem, state_problem

__all__ = ["read", "read_statement"]


def read(folder: str | Path) -> PortfolioProblem:
    """The problem that a folder states; see the module for the form.

    Raises: ProblemError with every fault: file, row, column, rule, what was found, and a way out.
    """
    return read_statement(folder).problem


def read_statement(folder: str | Path) -> StatedProblem:
    """As `read`, with the problem's name, sense and unit."""
    path = Path(folder)
    if not is_folder(path):
        found = "a file" if is_file(path) else "nothing"
        raise ProblemError((Fault(str(path), "must be a folder with options.csv", found),))
    return _statement(Reader(path))


def _statement(reader: Reader) -> StatedProblem:
    """Everything read, or every fault raised."""
    read_settings(reader)
    read_tables(reader)
    with_copies(reader)
    name_everything(reader)
    problem, sampled = parts(reader), sampled_uses(reader)
    if reader.risk is not None and "samples" not in reader.tables:
        rule = "needs samples of the options' values in samples.csv"
        reader.faults.append(Fault(f"{SETTINGS}, risk", rule, "no such table"))
    if reader.faults:
        raise ProblemError(tuple(dict.fromkeys(reader.faults)))  # copies of an option have their faults in common
    name = reader.settings.get("name", reader.folder.resolve().name)
    return StatedProblem(
        state_problem(**problem), name, reader.minimise, reader.settings.get("unit", ""), reader.risk, sampled
    )
