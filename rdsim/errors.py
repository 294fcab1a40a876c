"""Every error that rdsim raises on purpose.

RdsimError
├── InputError            what the user gave is wrong                   exit code 2
│   ├── ScenarioError     a scenario folder or an override
│   ├── PortfolioError    a portfolio file or frame
│   ├── PolicyError       a policy that a user wrote
│   ├── ExtensionError    what a plug-in registers
│   ├── ProblemError      a portfolio problem stated by arrays or files
│   ├── ExperimentError   an experiment file, or a folder that holds no sweep
│   ├── RecordsError      records of projects that cannot be fitted
│   ├── RunError          a folder that holds no run, or not all that is asked of it
│   └── OutputError       the output folder cannot be used
├── InfeasibleError       no portfolio satisfies the rows               exit code 3
├── SolverError           a solver failed, or gave no answer in time    exit code 4
├── SweepError            a sweep is not complete                       exit code 4
├── DrawingError          a page could not be drawn                     exit code 4
└── EngineError           an engine broke one of its own promises       exit code 5: a defect of rdsim

Errors travel between processes: each keeps its arguments in ``args`` and builds its text in
``__str__``, so that ``pickle.loads(pickle.dumps(e))`` is the same error.
"""

from __future__ import annotations

import os
import re
import traceback
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "DrawingError",
    "EngineError",
    "ExperimentError",
    "ExtensionError",
    "Fault",
    "InfeasibleError",
    "InputError",
    "InstalledWarning",
    "OutputError",
    "PolicyError",
    "PortfolioError",
    "ProblemError",
    "RdsimError",
    "RecordsError",
    "RenamedWarning",
    "RunError",
    "ScenarioError",
    "SolverError",
    "SweepError",
    "cut",
    "fault_lines",
    "raised_text",
    "raising_line",
    "tell_new_name",
]


_WIDEST = 400
"""Characters of one part of a message: a cell of a hundred thousand is not printed whole."""
_ALIKE = 5
"""Faults of one kind that are listed one by one."""
_NUMBERS = re.compile(r"\d+")
_QUOTED = re.compile(r"'[^']*'")


def cut(text: str, width: int) -> str:
    """The text, or its beginning and end where it is longer than `width`."""
    return text if len(text) <= width else f"{text[: width - width // 4 - 5]} ... {text[-(width // 4) :]}"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: where it is, the rule it breaks, the value found, a way out."""

    where: str
    rule: str
    found: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        where, rule, found, suggestion = (
            cut(one, _WIDEST) for one in (self.where, self.rule, self.found, self.suggestion)
        )
        found = f" Found: {found}." if found else ""
        return f"{where}: {rule}.{found}{f' {suggestion}' if suggestion else ''}"

    @property
    def kind(self) -> tuple[str, str]:
        """What faults of one kind share: place and rule without the numbers of rows and entries."""
        return _NUMBERS.sub("0", self.where), _NUMBERS.sub("0", _QUOTED.sub("''", self.rule))


def fault_lines(faults: Iterable[Fault]) -> list[str]:
    """A line for each fault; of many of one kind the first few, and how many more there are."""
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    lines = []
    for alike in kinds.values():
        some = alike if len(alike) <= _ALIKE + 1 else alike[:_ALIKE]
        lines += [str(fault) for fault in some]
        more = len(alike) - len(some)
        lines += [f"... and {more:,} more like this, the last: {cut(alike[-1].where, _WIDEST)}"] if more else []
    return lines


_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def raising_line(error: BaseException) -> str:
    """Where code that is not rdsim's raised: file and line, the deepest one of the first such file; '' if none did."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "importlib" not in one.filename]
    foreign = [one for one in frames if not one.filename.startswith((_HERE, "<"))]
    lines = [one.lineno for one in foreign if one.filename == foreign[0].filename]
    return f"{os.path.basename(foreign[0].filename)}, line {lines[-1]}" if foreign else ""


def raised_text(error: BaseException) -> str:
    """What somebody else's code raised, as a fault tells it: kind, message, and where."""
    place = raising_line(error)
    return f"{type(error).__name__}: {error}{f' ({place})' if place else ''}"


class InstalledWarning(RuntimeWarning):
    """An installed package could not register what it brings: one line, which names it."""


class RenamedWarning(FutureWarning):
    """Something is called by an old name, which still works: one line, which says what to write."""


def tell_new_name(what: str, now: str) -> None:
    """Warn whoever called the caller that `what` is an old name, and say what to write."""
    warnings.warn(f"{what} is now called {now}; write that", RenamedWarning, stacklevel=3)


class RdsimError(Exception):
    """The root of rdsim's errors."""

    exit_code = 1


class InputError(RdsimError):
    """What the user gave is wrong; carries every fault found, not only the first."""

    exit_code = 2
    subject = "input"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"{count:,} fault{'s' if count != 1 else ''} in the {self.subject}"
        return "\n".join([head, *(f"  {line}" for line in fault_lines(self.faults))])


class ScenarioError(InputError):
    """A scenario folder or an override that cannot be used."""

    subject = "scenario"


class PortfolioError(InputError):
    """A portfolio that does not fit its scenario."""

    subject = "portfolio"


class PolicyError(InputError):
    """A gate policy or purse rule, written by a user, that fails or that an engine cannot run."""

    subject = "policy"


class ExtensionError(InputError):
    """What a plug-in registers, or takes back, is not what the extension point asks for."""

    subject = "extension"


class ProblemError(InputError):
    """A portfolio problem whose arrays or files contradict each other."""

    subject = "problem"


class ExperimentError(InputError):
    """An experiment that cannot be run as it is written, or a folder that holds no sweep."""

    subject = "experiment"


class RecordsError(InputError):
    """Records of projects that cannot be read, or are too few."""

    subject = "records"


class RunError(InputError):
    """A folder that holds no run, or a run without what is asked of it."""

    subject = "run"


class OutputError(InputError):
    """An output folder that cannot be written, or that holds a finished run."""

    subject = "output folder"


class InfeasibleError(RdsimError):
    """No portfolio satisfies the named rows."""

    exit_code = 3

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no portfolio satisfies every row: {self.reason}"


class SolverError(RdsimError):
    """A solver failed, is not installed, or gave no answer in time."""

    exit_code = 4

    def __init__(self, solver: str, reason: str) -> None:
        super().__init__(solver, reason)
        self.solver = solver
        self.reason = reason

    def __str__(self) -> str:
        return f"solver {self.solver}: {self.reason}"


class SweepError(RdsimError):
    """A sweep has points that failed or that are not done; what is finished is kept in its folder."""

    exit_code = 4

    def __init__(self, reason: str, done: int, points: int) -> None:
        super().__init__(reason, done, points)
        self.reason = reason
        self.done = done
        self.points = points

    def __str__(self) -> str:
        kept = f"{self.done} of {self.points} points are kept"
        return f"the sweep is not complete: {self.reason}; {kept}; run it again to go on"


class DrawingError(RdsimError):
    """A page could not be drawn; what it shows is whole where it was."""

    exit_code = 4

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the page could not be drawn: {self.reason}"


class EngineError(RdsimError):
    """An engine broke a promise of the model: a defect of rdsim, please report it."""

    exit_code = 5

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(engine, reason)
        self.engine = engine
        self.reason = reason

    def __str__(self) -> str:
        return f"engine {self.engine}: {self.reason}"
