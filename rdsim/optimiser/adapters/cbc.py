"""CBC as a process of its own, through PuLP; its bound is read from its log.

Its files live in a directory of their own, which goes away whatever happens to it.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pulp

from rdsim.arrays import Floats
from rdsim.errors import SolverError
from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.pulp_models import pulp_problem
from rdsim.optimiser.adapters.scaling import with_small_rows
from rdsim.optimiser.adapters.solver import Solver, is_linear
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.solution import Termination

__all__ = ["Cbc", "cbc_path"]

_RESULTS = (
    (r"Result - Optimal solution found \(within gap", SolverState.OPTIMAL, Termination.TARGET),
    (r"Result - Optimal solution found", SolverState.OPTIMAL, Termination.COMPLETE),
    (r"Result - Stopped on time", SolverState.STOPPED, Termination.TIME_LIMIT),
    (r"Result - Stopped on (node|iteration|solution)", SolverState.STOPPED, Termination.ROUNDS),
    (r"infeasible or unbounded", SolverState.INFEASIBLE, Termination.COMPLETE),  # `Solver.run` tells them apart
    (r"Result - .*(infeasible|Infeasible)", SolverState.INFEASIBLE, Termination.COMPLETE),
    (r"Result - .*(unbounded|Unbounded)", SolverState.UNBOUNDED, Termination.COMPLETE),
    (r"Result - ", SolverState.STOPPED, Termination.STOPPED),
    (r"(?m)(Linear relaxation|Problem is|Primal|proven) infeasible", SolverState.INFEASIBLE, Termination.COMPLETE),
    (r"(?m)(Dual infeasible|[Uu]nbounded)", SolverState.UNBOUNDED, Termination.COMPLETE),
    (r"(?m)^Stopped", SolverState.STOPPED, Termination.TIME_LIMIT),
    (r"(?m)^Optimal( objective| - objective)", SolverState.OPTIMAL, Termination.COMPLETE),
)


@dataclass(frozen=True)
class Cbc(Solver):
    """CBC as a process of its own, through PuLP."""

    name: str = "cbc"
    path: str = ""  # empty: the one that PuLP brings along, else the one on the PATH
    features = frozenset(Feature) - {Feature.TARGET, Feature.ROW_PRICES}
    aliases = ("pulp_cbc_cmd",)
    source = "PuLP 3.3 brings it along, for PuLP 4 install `pulp[cbc]` or put cbc on the PATH"

    @property
    def version(self) -> str:
        """The version that the program itself states."""
        path = self.path or cbc_path()
        if not path:
            return ""
        said = subprocess.run([path, "-quit"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - the solver
        found = re.search(r"Version:?\s+(\S+)", said.stdout)
        return found[1] if found else ""

    @property
    def is_installed(self) -> bool:
        """Whether there is a program."""
        return bool(self.path or cbc_path())

    def ask(self, model: Model, limits: RunLimits, *, relaxed: bool, start: Floats | None) -> SolverResult:
        """See `Solver.ask`. Where CBC says infeasible it is asked again without its preprocessing: that strengthens
        rows of mixed sizes by more than its own tolerance, and then takes the solution that it found itself for none.
        With large whole numbers it does so without it too, and is asked once more with rows of a common size. So it is
        where it contradicts itself.
        """
        began, smaller = time.perf_counter(), with_small_rows(model)
        tries = [(model, ()), (model, _PLAIN), *([(smaller, _PLAIN)] if smaller is not model else [])]
        answer, doubt = None, None
        for stated, options in tries:
            spent = time.perf_counter() - began
            left = limits if limits.seconds is None else replace(limits, seconds=limits.seconds - spent)
            try:
                answer = self._ask(stated, left, relaxed, start, options)
            except _ContradictionError as error:
                doubt = error  # what it says then is no answer
            if answer is not None and (answer.state is not SolverState.INFEASIBLE or is_linear(model, relaxed)):
                break
        if answer is None:
            assert doubt is not None  # noqa: S101 - one or the other
            raise SolverError(self.name, doubt.reason)
        return answer

    def _ask(
        self,
        model: Model,
        limits: RunLimits,
        relaxed: bool,
        start: Floats | None,
        options: tuple[str, ...] = (),
    ) -> SolverResult:
        program = self.path or cbc_path()
        if not program or shutil.which(program) is None:
            raise SolverError(self.name, f"is not installed; {self.source}")
        began = time.perf_counter()
        problem, variables = pulp_problem(model, relaxed=relaxed)
        loading = time.perf_counter() - began
        if start is not None:
            for variable, value in zip(variables, start.tolist(), strict=True):
                variable.setInitialValue(value, check=False)
        if limits.seconds is not None and limits.seconds <= 0:
            return SolverResult(SolverState.STOPPED, Termination.TIME_LIMIT, loading=loading)
        with tempfile.TemporaryDirectory(prefix="rdsim-") as folder:
            log, late = Path(folder) / "cbc.log", Path(folder) / "late"
            watched = program if limits.seconds is None else _watchdog(program, limits.seconds, late)
            command = _command(watched, limits, log, relaxed, start is not None, options)
            command.tmpDir = folder
            try:
                problem.solve(command)
            except (pulp.PulpSolverError, OSError, LookupError, ValueError) as error:  # killed, or an unreadable answer
                if late.exists():
                    return SolverResult(SolverState.STOPPED, Termination.TIME_LIMIT, loading=loading)
                raise SolverError(self.name, "failed, or was killed") from error
            if late.exists():
                return SolverResult(SolverState.STOPPED, Termination.TIME_LIMIT, loading=loading)
            text = log.read_text(encoding="utf-8", errors="replace")
        values = np.array([variable.varValue or 0.0 for variable in variables])
        costs = np.array([getattr(variable, "dj", None) or 0.0 for variable in variables])
        answer = _answer(model, text, values, costs, is_linear(model, relaxed))
        return replace(answer, loading=loading)


def cbc_path() -> str:
    """The CBC of PuLP 3, of the package behind `pulp[cbc]`, or of the PATH; empty if there is none."""
    bundled = getattr(getattr(pulp, "PULP_CBC_CMD", None), "pulp_cbc_path", "")
    path = bundled if bundled and os.access(bundled, os.X_OK) else str(pulp.COIN_CMD(msg=False).path)
    return path if shutil.which(path) else ""


_PLAIN = ("preprocess off",)


class _ContradictionError(SolverError):
    """What CBC says in one place is not what it says in another."""


_GRACE = 2.0
"""Seconds beyond its limit, and a tenth of it, that a solver may take to notice and to write what it has."""

_WATCHMAN = """#!{python} -IS
import os, signal, subprocess, sys
child = subprocess.Popen([{program!r}, *sys.argv[1:]], start_new_session=True)
def end(*_):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
def ended(*_):
    end()
    sys.exit(1)
signal.signal(signal.SIGTERM, ended)
signal.signal(signal.SIGINT, ended)
try:
    code = child.wait({seconds!r})
except subprocess.TimeoutExpired:
    open({late!r}, "w").close()
    code = 1
end()
sys.exit(code)
"""


def _watchdog(program: str, seconds: float, late: Path) -> str:
    """A program that runs the solver and ends it, with all it started, soon after its limit; `late` then exists.

    PuLP keeps the process to itself, and a solver that hangs looks at no clock. Not on Windows: there the limit is the
    solver's own.
    """
    if os.name == "nt":
        return program
    script = late.with_name("watched-cbc")
    told = {"python": sys.executable, "program": program, "seconds": 1.1 * seconds + _GRACE, "late": str(late)}
    script.write_text(_WATCHMAN.format(**told), encoding="utf-8")
    script.chmod(0o700)
    return str(script)


def _command(program: str, limits: RunLimits, log: Path, relaxed: bool, warm: bool, options: tuple[str, ...]) -> Any:
    seeds = (f"randomSeed {limits.seed % 10**8 + 1}", f"randomCbcSeed {limits.seed % 10**8 + 1}")
    return pulp.COIN_CMD(
        path=program,
        mip=not relaxed,
        msg=False,
        gapRel=limits.gap,
        timeLimit=limits.seconds,
        threads=limits.threads if limits.threads > 1 else None,
        maxNodes=limits.nodes,
        warmStart=warm,
        logPath=str(log),
        options=[*seeds, *options],
    )


def _answer(model: Model, text: str, values: Floats, costs: Floats, linear: bool) -> SolverResult:
    """The log says what happened; PuLP's own status calls a time limit optimal and leaves junk in the variables."""
    found = ((state, why) for pattern, state, why in _RESULTS if re.search(pattern, text))
    state, why = next(found, (None, Termination.STOPPED))
    if state is None:
        raise SolverError("cbc", f"gave no answer: {text.strip()[-200:]}")
    if state in {SolverState.INFEASIBLE, SolverState.UNBOUNDED}:
        return SolverResult(state, why, -math.inf if state is SolverState.INFEASIBLE else math.inf)
    has_values = state is SolverState.OPTIMAL or (not linear and "No feasible solution found" not in text)
    if has_values:
        _refuse_half_read(model, text, values)
    return SolverResult(
        state=state,
        termination=why,
        bound=_bound(model, state, text, values),
        values=values if has_values else None,
        reduced_costs=-costs if linear and state is SolverState.OPTIMAL else None,
    )


def _refuse_half_read(model: Model, text: str, values: Floats) -> None:
    """A solution file that was cut off or is not a number reads as zeros: its worth must be the one in the log."""
    printed = re.findall(r"^Objective value:\s+(\S+)", text, re.MULTILINE)
    worth = -float(model.value @ values)
    room = 1e-3 + 1e-5 * float(np.abs(model.value * values).sum())
    if not math.isfinite(worth) or (printed and abs(float(printed[-1]) - worth) > room):
        raise _ContradictionError("cbc", "its solution file does not hold the solution of its log")


def _bound(model: Model, state: SolverState, text: str, values: Floats) -> float:
    """Upper bound: from the log, where it is rounded to three decimals; the optimum itself if that is proven."""
    printed = re.findall(r"^Lower bound:\s+(\S+)", text, re.MULTILINE)
    if printed:
        lowest = float(printed[-1])
        return -(lowest - max(1e-3, 1e-6 * abs(lowest)))
    if state is SolverState.OPTIMAL:
        return float(model.value @ values)
    return math.inf
