"""Subject `simulate`: the Korean scenario with its optimised portfolio on both engines, draws, threads, the plan.

Subject `memory`: a million replications of its summary figures, and how much memory they took.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import subject
from rdsim.case import Case, build, empty_outcomes, technologies
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.luck import chance, lay_out, lay_out_rest, value_factor
from rdsim.metrics import replication_figures, sold_by_technology, worth
from rdsim.planning import plan
from rdsim.scenario import load
from rdsim.search import propose
from rdsim.simulation import replicate

SCENARIO = Path(__file__).parent.parent / "scenarios" / "korea-2024"
REPEATS = 7
FEW, MANY = 10, 512
THREADED = 8192
PLANNED = 2000
LIMIT = 2 * 2**30


def _seconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _spread(numbers: list[float], digits: int = 2) -> str:
    return f"{median(numbers):.{digits}f} ({min(numbers):.{digits}f} .. {max(numbers):.{digits}f})"


@dataclass(frozen=True)
class _Korea:
    """The scenario, its optimised portfolio, and its arrays."""

    scenario: Scenario
    portfolio: Portfolio
    choices: tuple[Choice, ...]
    case: Case


def _korea() -> _Korea:
    scenario = load(SCENARIO)
    portfolio = propose(scenario, samples=50).portfolio
    choices = tuple(sorted(portfolio.choices, key=lambda choice: choice.rank))
    return _Korea(scenario, portfolio, choices, build(scenario, portfolio))


@subject("simulate")
def simulate() -> None:
    """korea-2024 with its optimised portfolio: engines, draws, metrics, threads, and the parts of a plan."""
    korea = _korea()
    _print_engines(korea)
    _print_threads(korea)
    _print_plan(korea.scenario)


def _print_engines(korea: _Korea) -> None:
    scenario, case, choices = korea.scenario, korea.case, korea.choices
    few, many = Draws(1, range(FEW)), Draws(1, range(MANY))
    luck_few, luck_many = lay_out(scenario, case, choices, few), lay_out(scenario, case, choices, many)
    events = compiled.count_events(case, luck_many) / MANY
    runner = compiled.Runner(case, chance(scenario, case, choices, 1))
    loop, outcomes = compiled.Loop(case, luck_many), empty_outcomes(case, MANY)
    rest = lay_out_rest(scenario, case, choices, many)

    def figures() -> None:
        found = runner(many.replications, rest)
        factor = value_factor(scenario, technologies(choices), many, sold_by_technology(case, found))
        replication_figures(scenario, choices, case, found, worth(scenario, choices, case, found, factor))

    jobs: dict[str, tuple[Callable[[], object], int]] = {
        "SimPy engine, luck laid out": (lambda: process.run(case, luck_few), FEW),
        "all luck laid out, compiled": (lambda: lay_out(scenario, case, choices, many), MANY),
        "compiled engine, luck laid out": (lambda: loop(outcomes), MANY),
        "compiled engine, draws included": (lambda: runner(many.replications, rest), MANY),
        "the same and summary figures": (figures, MANY),
    }
    for job, _ in jobs.values():
        job()
    rows = [{name: _seconds(job) / count for name, (job, count) in jobs.items()} for _ in range(REPEATS)]
    print(f"{len(choices)} projects, {events:,.0f} events a replication; median of {REPEATS} repeats (min .. max)")
    for name in jobs:
        column = [row[name] * 1e3 for row in rows]
        per_second = 1e3 / median(column)
        rate = f"{per_second:>10,.0f} replications/s" + (
            "" if "luck laid out, compiled" in name else f" {per_second * events:>12,.0f} events/s"
        )
        print(f"  {name:<32}{_spread(column, 4):>28} ms {rate}")
    slow = [row["SimPy engine, luck laid out"] + row["all luck laid out, compiled"] for row in rows]
    fast = [row["compiled engine, draws included"] for row in rows]
    alone = [row["SimPy engine, luck laid out"] / row["compiled engine, luck laid out"] for row in rows]
    both = [a / b for a, b in zip(slow, fast, strict=True)]
    print(f"  SimPy / compiled, draws included, one thread: {_spread(both, 0)}")
    print(f"  SimPy / compiled, luck laid out: {_spread(alone, 0)}")


def _print_threads(korea: _Korea) -> None:
    def run(threads: int) -> float:
        return _seconds(lambda: replicate(korea.scenario, korea.portfolio, replications=THREADED, threads=threads))

    rows = [(run(1), run(2)) for _ in range(REPEATS)]
    rate = THREADED / median([two for _, two in rows])
    ratios = [one / two for one, two in rows]
    print(f"  two threads / one, summary figures included: {_spread(ratios)}; {rate:,.0f} replications/s with two")


def _print_plan(scenario: Scenario) -> None:
    """The parts of `rdsim plan`, as its progress tells them."""
    marks: list[tuple[str, float]] = []
    began = time.perf_counter()
    plan(scenario, replications=PLANNED, progress=lambda stage, *_: marks.append((stage, time.perf_counter() - began)))
    optimised = max(seconds for stage, seconds in marks if stage == "optimise")
    simulated = marks[-1][1] - optimised
    print(
        f"  plan at {PLANNED} replications: optimisation {optimised:.2f} s, simulation (5 portfolios) {simulated:.2f} s"
    )


MEASURE = """
import resource, sys, time
from benchmarks.simulate import SCENARIO
from rdsim import portfolio
from rdsim.scenario import load
from rdsim.simulation import replicate
scenario = load(SCENARIO)
chosen = portfolio.read(sys.argv[1], scenario)
replicate(scenario, chosen, replications=100)
began = time.perf_counter()
table = replicate(scenario, chosen, replications=int(sys.argv[2]))
seconds = time.perf_counter() - began
print(len(table), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@subject("memory")
def memory() -> None:
    """Peak memory of 10^5 and 10^6 replications of korea-2024's summary figures, each in a process of its own."""
    import tempfile  # noqa: PLC0415

    from rdsim import portfolio  # noqa: PLC0415

    korea = _korea()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portfolio.csv"
        portfolio.write(korea.portfolio, path)
        for count in (100_000, 1_000_000):
            words = [sys.executable, "-c", MEASURE, str(path), str(count)]
            rows, seconds, peak = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
            kept = "within" if float(peak) < LIMIT else "BEYOND"
            rate = int(rows) / float(seconds)
            most = float(peak) / 2**20
            print(f"  {count:>9,}: {float(seconds):6.1f} s, {rate:,.0f}/s, peak {most:,.0f} MiB, {kept} 2 GiB")
