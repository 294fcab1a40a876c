"""A whole benchmark: contests of portfolios by scenario, a race of optimisers, what changed since an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from rdsim.bench.against import changes, read_measurements
from rdsim.bench.entrants import fitting, require_portfolios, require_rules
from rdsim.bench.instances import NamedProblem, copies_of, published_problems
from rdsim.bench.races import Racing, race, require_solvers
from rdsim.bench.stages import BenchSettings, Contest, Progress, contest, quick
from rdsim.bench.tables import measurements
from rdsim.domain import Scenario
from rdsim.errors import Fault, InputError

__all__ = ["BenchRequest", "Benchmark", "require", "run"]

_RACE = "optimisers side by side"
"""Stands among what is missing for what was not finished of a race."""


@dataclass(frozen=True)
class BenchRequest:
    """What is asked of a benchmark: portfolios, optimisers, and what it is set against; None: nothing of the kind."""

    contests: BenchSettings = field(default_factory=BenchSettings)
    portfolios: tuple[Path, ...] = ()
    racing: Racing | None = None
    instances: Path | None = None
    """Folder of published problems, for the race."""
    against: Path | None = None
    token: bool = False
    """At a size of some seconds."""


@dataclass(eq=False)
class Benchmark:
    """What a benchmark found."""

    asked: BenchRequest
    contests: list[Contest] = field(default_factory=list)
    runs: list[dict[str, object]] = field(default_factory=list)
    """Rows of `rdsim.bench.races.race`."""
    racing: Racing | None = None
    earlier: pd.DataFrame | None = None
    missing: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def run_table(self) -> pd.DataFrame:
        """The rows of the race, as a table."""
        return pd.DataFrame(self.runs)

    @property
    def number_table(self) -> pd.DataFrame:
        """Every number that was measured."""
        return measurements(self.contests, self.run_table)

    @property
    def change_table(self) -> pd.DataFrame:
        """What changed since the earlier one; empty if it is set against none."""
        if self.earlier is None:
            return pd.DataFrame()
        return changes(self.number_table, self.earlier, self.contests[0].scenario.simulation.confidence)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What was not finished."""
        return tuple(dict.fromkeys((*(name for one in self.contests for name in one.missing), *self.missing)))


def require(scenarios: Sequence[Scenario], asked: BenchRequest) -> None:
    """Before anything long runs. Raises InputError with every fault of what is asked, and of scenarios of one name."""
    faults = list[Fault]()
    checks: list[Callable[[], object]] = [
        partial(require_rules, asked.contests.rules),
        partial(require_portfolios, asked.portfolios, scenarios),
        *([partial(require_solvers, asked.racing.solvers)] if asked.racing else []),
        *([partial(published_problems, asked.instances)] if asked.instances else []),
        *([partial(read_measurements, asked.against)] if asked.against else []),
    ]
    for check in checks:
        try:
            check()
        except InputError as error:
            faults += error.faults
    names = [one.name for one in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault("SCENARIO", "scenarios of a benchmark must have names of their own", repr(name)) for name in twice]
    if asked.instances and not asked.racing:
        faults.append(Fault("--instances", "needs optimisers to be set side by side", "none", "Give --solver NAME."))
    if faults:
        raise InputError(tuple(dict.fromkeys(faults)))


def run(
    scenarios: Sequence[Scenario],
    asked: BenchRequest | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Benchmark:
    """Benchmark scenarios one after another, then race the optimisers; a portfolio takes part where it fits.

    An interrupt leaves what is finished. Raises as `require` and `rdsim.bench.stages.contest`.
    """
    asked = asked or BenchRequest()
    require(scenarios, asked)
    found = Benchmark(asked, earlier=None if asked.against is None else read_measurements(asked.against))
    for scenario in scenarios:
        own, settings = quick(scenario, asked.contests) if asked.token else (scenario, asked.contests)
        mine = asked.portfolios if len(scenarios) == 1 else fitting(asked.portfolios, scenario)
        try:
            found.contests.append(contest(own, mine, settings, progress))
        except KeyboardInterrupt:
            if not found.contests:
                raise
            found.contests[-1].interrupted = True
        if found.contests[-1].interrupted:
            found.missing += [f"scenario {one.name}" for one in scenarios[len(found.contests) :]]
            found.missing += [_RACE] if asked.racing else []
            found.why = "interrupted"
            return found
    if asked.racing is not None:
        _race(found, asked.racing, progress)
    return found


def _race(found: Benchmark, racing: Racing, progress: Progress) -> None:
    """The optimisers on every scenario's problem, on copies of it, and on published ones."""
    asked = replace(racing, solvers=require_solvers(racing.solvers))
    if found.asked.token:
        asked = replace(asked, gaps=(0.05, 0.01), limit=min(asked.limit, 5.0), copies=min(asked.copies, 1))
    found.racing = asked
    problems: list[NamedProblem] = []
    for one in found.contests:
        problems += copies_of(one.scenario.name, one.posed.problem, asked.copies)
    problems += published_problems(found.asked.instances) if found.asked.instances else []
    try:
        race(problems, asked, partial(progress, "solvers"), found.runs, apart=True)
    except KeyboardInterrupt:
        found.missing.append(_RACE)
        found.why = "interrupted"
