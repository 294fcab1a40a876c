"""A benchmark as a study: its page, its tables, its workbook, its record."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd

from rdsim.bench.against import MEASUREMENTS
from rdsim.bench.benchmark import Benchmark
from rdsim.bench.page import Tables, lead, sections
from rdsim.bench.race_page import change_section, change_sentences, race_section, race_sentences
from rdsim.bench.races import geometric_means, profiles
from rdsim.bench.stages import Contest
from rdsim.bench.tables import tables_of
from rdsim.brief import count
from rdsim.optimiser import Solving
from rdsim.optimiser.adapters import versions_of
from rdsim.report import Page, Section
from rdsim.scenario import digest
from rdsim.streams import MEASURED_AGAINST, REPORTED
from rdsim.study import Study
from rdsim.version import VERSION

__all__ = ["machine", "study"]

_LIBRARIES = ("highspy", "numba", "numpy", "PuLP", "scipy", "simpy")


def study(found: Benchmark) -> Study:
    """A benchmark as a study."""
    contests, runs, change = found.contests, found.run_table, found.change_table
    tables = {name: table for name, table in tables_of(contests).items() if len(table)}
    shown = {**dict.fromkeys(_NAMES, pd.DataFrame()), **tables}
    tables |= _race_tables(found, runs) | ({"changes": change} if len(change) else {})
    first, many = contests[0], len(contests) > 1
    title = first.scenario.title if not many else f"{count(len(contests), 'scenario')} side by side"
    return Study(
        "bench",
        None if many else first.scenario,
        first.judged.measured.seed,
        Page("Benchmark of portfolios", title, _lead(found, shown, runs, change), _sections(found, shown, change)),
        {**tables, MEASUREMENTS: found.number_table},
        _record(found),
        {_file(one, name, many=many): entrant.portfolio for one in contests for name, entrant in one.entrants.items()},
        parquet=frozenset({MEASUREMENTS}),
        replications=first.judged.measured.replications,
        engine=first.asked.running.engine,
        missing=found.lacks,
        why="; ".join(dict.fromkeys(filter(None, (*(one.why for one in contests), found.why)))),
        workbook=tuple(tables),
    )


def _race_tables(found: Benchmark, runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if runs.empty or found.racing is None:
        return {}
    return {
        "solver_runs": runs,
        "solver_means": geometric_means(runs, found.racing.limit),
        "solver_profiles": profiles(runs),
    }


def _lead(found: Benchmark, shown: Tables, runs: pd.DataFrame, change: pd.DataFrame) -> list[str]:
    many = len(found.contests) > 1
    lines = [sentence for one in found.contests for sentence in _lines(one, shown, many=many)]
    if len(runs) and found.racing is not None:
        lines += list(race_sentences(runs, found.racing))[:2]
    return [*lines, *(change_sentences(change) if found.earlier is not None else ())]


def _sections(found: Benchmark, shown: Tables, change: pd.DataFrame) -> list[Section]:
    many = len(found.contests) > 1
    parts = [section for one in found.contests for section in sections(one, shown, many=many)]
    titles = {name: title for one in found.contests for name, title in one.titles.items()}
    titles |= {world.name: world.title for one in found.contests for world in one.worlds}
    more = (race_section(found), change_section(found, titles, change))
    return [*parts, *(one for one in more if one is not None), _how(found.contests)]


_NAMES = (
    *("entrants", "rows", "worlds", "values", "ranks", "regrets", "regrets_in_short", "tradeoffs", "shared"),
    *("differences", "rivals", "doubts", "rolling"),
)


def _lines(found: Contest, tables: Tables, *, many: bool) -> list[str]:
    lines = list(lead(found, tables))
    return [f"{found.scenario.name}: {line}" for line in lines] if many else lines


def _file(found: Contest, name: str, *, many: bool) -> str:
    return f"{found.scenario.name}-{name}" if many else name


def machine() -> dict[str, Any]:
    """What the benchmark ran on: processor, cores, system, Python, libraries that matter."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _record(found: Benchmark) -> dict[str, Any]:
    contests, racing = found.contests, found.racing
    return {
        "money_unit": contests[0].scenario.money_unit,
        "confidence": contests[0].scenario.simulation.confidence,
        "machine": machine(),
        "bench": [_of(one) for one in contests],
        "race": None
        if racing is None
        else {**asdict(racing), "versions": [versions_of(one) for one in racing.solvers]},
    }


def _of(found: Contest) -> dict[str, Any]:
    measured, asked = found.judged.measured, found.asked
    return {
        "scenario": found.scenario.name,
        "digest": digest(found.scenario),
        "seed": measured.seed,
        "replications": measured.replications,
        "replications_elsewhere": measured.elsewhere,
        "streams": {"told": REPORTED.first, "choosing": MEASURED_AGAINST.first},
        "samples": found.posed.samples,
        "repeats": asked.repeats,
        "batches": asked.batches,
        "rolled": 0 if found.rolled is None else len(found.rolled),
        "payment_ratios": found.chosen.payment_ratios,
        "worlds": [one.name for one in found.worlds],
        "entrants": {name: one.title for name, one in found.entrants.items()},
        "seconds": found.seconds,
    }


def _how(contests: Sequence[Contest]) -> Section:
    here, solver = machine(), Solving().solver
    named = solver if isinstance(solver, str) else solver.name
    lines = [
        f"{one.scenario.name}: seed {one.judged.measured.seed}; {one.judged.measured.replications:,} replications as "
        f"stated, {one.judged.measured.elsewhere:,} in each other world and as many, others, to choose what is "
        f"measured against; {one.posed.samples:,} samples behind each option; {sum(one.seconds.values()):,.0f} "
        "seconds."
        for one in contests
    ]
    libraries = ", ".join(f"{name} {told}" for name, told in here["libraries"].items())
    lines += [
        f"Measured on {here['cores']} cores of an {here['processor']} machine, {here['system']}; rdsim "
        f"{VERSION}, Python {here['python']}, {libraries}; decided by {versions_of(named)}.",
        "Nothing is chosen and told on the same sample: options, the loop, what is measured against, and what is "
        "told have streams of their own, which share no number.",
    ]
    return Section("How it was measured", lines)
