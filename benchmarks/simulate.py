"""Subject `simulate`: the Korean scenario with its optimised portfolio on both engines, draws and figures apart.

One thread is measured by the time that it computes, two threads and plans by the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks import subject
from benchmarks._korea import Korea, optimised
from benchmarks._loops import first, in_turns, loop
from benchmarks._timing import interleaved, ratios, spread
from rdsim import search
from rdsim.case import technologies
from rdsim.domain import Scenario
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.frames import replication_frame
from rdsim.luck import chance, lay_out, lay_out_rest, value_factor
from rdsim.metrics import replication_figures, sold_by_technology, worth
from rdsim.planning import plan
from rdsim.simulation import replicate

__all__ = ["simulate"]

SEED = 1
REPEATS, PLANS = 7, 3
FEW, MANY = 10, 512
CACHED = 8
"""Replications whose luck and outcomes, about 120 kB each, stay in a core's second cache."""
THREADED = 8192
PLANNED = 2000

SIMPY, LAID = "SimPy engine, luck laid out", "all luck laid out, compiled"
LOOP, SMALL, NOTHING = "compiled loop, luck laid out", "the same in the cache", "a call of the loop"
RUNNER = "compiled engine, draws included"


@subject("simulate")
def simulate() -> None:
    """korea-2024 with its optimised portfolio: engines, draws, figures, threads, and the parts of a plan."""
    korea = optimised()
    _print_engines(korea)
    _print_parts(korea)
    _print_threads(korea)
    _print_plan(korea.scenario)


# --- engines and draws ----------------------------------------------------------------------------


def _engine(korea: Korea, many: Draws) -> Callable[[], object]:
    """The compiled engine as a simulation uses it: what scipy lays out is part of the draws."""
    runner = compiled.Runner(korea.case, chance(korea.scenario, korea.case, korea.choices, SEED))
    return lambda: runner(many.replications, lay_out_rest(korea.scenario, korea.case, korea.choices, many))


def _print_engines(korea: Korea) -> None:
    scenario, case, choices, many = korea.scenario, korea.case, korea.choices, Draws(SEED, range(MANY))
    luck, turns = lay_out(scenario, case, choices, many), MANY // CACHED
    few, small = first(luck, FEW), first(luck, CACHED)
    jobs: dict[str, Callable[[], object]] = {
        SIMPY: lambda: process.run(case, few),
        LAID: lambda: lay_out(scenario, case, choices, many),
        RUNNER: _engine(korea, many),
        LOOP: loop(case, luck, MANY),
        SMALL: in_turns(loop(case, small, CACHED), turns),
        NOTHING: in_turns(loop(case, small, 0), turns),
    }
    found = interleaved(jobs, REPEATS, time.thread_time)
    found[SMALL] = [whole - call for whole, call in zip(found[SMALL], found.pop(NOTHING), strict=True)]
    per = {name: [one / (FEW if name == SIMPY else MANY) for one in column] for name, column in found.items()}
    events = {FEW: compiled.count_events(case, few) / FEW, MANY: compiled.count_events(case, luck) / MANY}
    events |= {CACHED: compiled.count_events(case, small) / CACHED}
    print(
        f"{len(choices)} projects, {events[MANY]:,.0f} events a replication; median of {REPEATS} repeats (min .. max)"
    )
    print(f"  SimPy runs {FEW} of them; the luck of {CACHED} stays in the cache, that of {MANY} does not")
    sizes = {SIMPY: FEW, RUNNER: MANY, LOOP: MANY, SMALL: CACHED}
    for name, column in per.items():
        _print_row(name, column, events[sizes[name]] if name in sizes else 0.0)
    _print_ratios(per)


def _print_row(name: str, per: list[float], events: float) -> None:
    rate = f"{1 / median(per):>10,.0f} replications/s"
    more = f" {events / median(per):>12,.0f} events/s" if events else ""
    print(f"  {name:<32}{spread([one * 1e3 for one in per], 4):>28} ms {rate}{more}")


def _print_ratios(per: dict[str, list[float]]) -> None:
    slow = [engine + draws for engine, draws in zip(per[SIMPY], per[LAID], strict=True)]
    added = [(whole - loop) * 1e3 for whole, loop in zip(per[RUNNER], per[LOOP], strict=True)]
    print(f"  SimPy / compiled, draws included, one thread: {spread(ratios(slow, per[RUNNER]), 0)}")
    print(f"  SimPy / compiled, luck laid out: {spread(ratios(per[SIMPY], per[LOOP]), 0)}")
    print(f"  draws when asked for, beside luck laid out before: {spread(added, 4)} ms more")


# --- from draws to summary figures ----------------------------------------------------------------


def _print_parts(korea: Korea) -> None:
    """Where the time from draws to a table of summary figures goes: each part on the results of those before."""
    scenario, case, choices, many = korea.scenario, korea.case, korea.choices, Draws(SEED, range(MANY))
    names, engine = technologies(choices), _engine(korea, many)
    found: Any = engine()
    sold = sold_by_technology(case, found)
    factor = value_factor(scenario, names, many, sold)
    value = worth(scenario, choices, case, found, factor)
    figures = replication_figures(scenario, choices, case, found, value)
    parts: dict[str, Callable[[], object]] = {
        "engine, draws included": engine,
        "luck of the market value": lambda: value_factor(scenario, names, many, sold_by_technology(case, found)),
        "worth": lambda: worth(scenario, choices, case, found, factor),
        "summary figures": lambda: replication_figures(scenario, choices, case, found, value),
        "their table": lambda: replication_frame(many.replications, figures),
    }
    times = interleaved(parts, REPEATS, time.thread_time)
    whole = [sum(turn) for turn in zip(*times.values(), strict=True)]
    per = spread([one / MANY * 1e3 for one in whole], 4)
    print(f"  from draws to summary figures, {MANY} replications at a time: {per} ms each, of which")
    for name, column in times.items():
        print(f"    {name:<26}{spread([one * 100 for one in ratios(column, whole)], 1)} %")


# --- threads --------------------------------------------------------------------------------------


def _print_threads(korea: Korea) -> None:
    run = partial(replicate, korea.scenario, korea.portfolio, replications=THREADED)
    found = interleaved({"one": partial(run, threads=1), "two": partial(run, threads=2)}, REPEATS)
    gain, rate = ratios(found["one"], found["two"]), THREADED / median(found["two"])
    print(f"  two threads / one, summary figures included: {spread(gain)}; {rate:,.0f} replications/s with two")


# --- a plan ---------------------------------------------------------------------------------------


@contextmanager
def _watched(times: dict[str, float], *names: str) -> Iterator[None]:
    """Add up the seconds that functions of `rdsim.search` take, while it runs as it always does."""

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **settings: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*given, **settings)
            finally:
                times[name] = times.get(name, 0.0) + time.perf_counter() - began

        return run

    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch.object(search, name, watch(name, getattr(search, name))))
        yield


def _parts_of_plan(scenario: Scenario) -> dict[str, float]:
    """Seconds of each part of a plan; the simulation takes in the choice of the simple rules' portfolios."""
    marks: list[tuple[str, float]] = []
    times: dict[str, float] = {}
    began = time.perf_counter()
    with _watched(times, "sample", "state", "solve"):
        plan(scenario, replications=PLANNED, progress=lambda stage, *_: marks.append((stage, time.perf_counter())))
    optimised_at = max(at for stage, at in marks if stage == "optimise")
    whole, after = optimised_at - began, marks[-1][1] - optimised_at
    return {**times, "optimisation": whole, "simulation": after}


def _print_plan(scenario: Scenario) -> None:
    found = [_parts_of_plan(scenario) for _ in range(PLANS)]
    share = [one["simulation"] / one["optimisation"] for one in found]
    print(f"  plan at {PLANNED} replications, {PLANS} repeats: simulation / optimisation {spread(share)}")
    for name in ("optimisation", "sample", "state", "solve", "simulation"):
        inside = "  of which " if name in {"sample", "state", "solve"} else ""
        print(f"    {inside + name:<26}{spread([one[name] for one in found])} s")
