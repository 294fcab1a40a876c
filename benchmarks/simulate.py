"""Subject `simulate`: the Korean scenario with its optimised portfolio on both engines, draws and figures apart.

One thread is measured by the time that it computes, two threads and plans by the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks import subject
from benchmarks._korea import SCENARIO, SMALL, Korea, optimised
from benchmarks._loops import first, in_turns, loop
from benchmarks._timing import interleaved, ratios, spread
from rdsim.case import technologies
from rdsim.domain import Scenario
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.figures import column_figures
from rdsim.formulation import state
from rdsim.frames import replication_frame
from rdsim.luck import chance, lay_out, lay_out_rest, value_factor
from rdsim.metrics import market_by_technology, replication_figures, worth
from rdsim.optimiser import Solving, solve
from rdsim.options import candidates, sample
from rdsim.plans import plan
from rdsim.scenario import load
from rdsim.simulation import Running, replicate

__all__ = ["simulate"]

SEED = 1


class Size(NamedTuple):
    """How many replications run at once, and how often all is repeated."""

    few: int = 10  # on the SimPy engine
    many: int = 512  # on the compiled one
    cached: int = 8  # their luck and outcomes, about 120 kB each, stay in a core's second cache
    threaded: int = 8192
    planned: int = 2000
    repeats: int = 7
    plans: int = 3
    scenario: Path = SCENARIO  # what is planned, as its settings say but for these
    overrides: Sequence[str] = ()


QUICK = ("optimiser.samples=20", "optimiser.search.replications=20", "optimiser.search.most_replications=100")
TOKEN = Size(1, 16, 8, 64, 20, 1, 1, SMALL, QUICK)

SIMPY, LAID = "SimPy engine, luck laid out", "all luck laid out, compiled"
LOOP, CACHED, NOTHING = "compiled loop, luck laid out", "the same in the cache", "a call of the loop"
RUNNER = "compiled engine, draws included"


@subject("simulate", full=Size(), token=TOKEN)
def simulate(size: Size) -> None:
    """korea-2024 with its optimised portfolio: engines, draws, figures, threads, and the parts of a plan."""
    korea = optimised(size.scenario)
    _print_engines(korea, size)
    _print_parts(korea, size)
    _print_threads(korea, size)
    _print_plan(size)


# --- engines and draws ----------------------------------------------------------------------------


def _engine(korea: Korea, many: Draws) -> Callable[[], object]:
    """The compiled engine as a simulation uses it: what scipy lays out is part of the draws."""
    runner = compiled.Runner(korea.case, chance(korea.scenario, korea.case, korea.choices, SEED))
    return lambda: runner(many.replications, lay_out_rest(korea.scenario, korea.case, korea.choices, many))


def _print_engines(korea: Korea, size: Size) -> None:
    scenario, case, choices, many = korea.scenario, korea.case, korea.choices, Draws(SEED, range(size.many))
    luck, turns = lay_out(scenario, case, choices, many), size.many // size.cached
    few, small = first(luck, size.few), first(luck, size.cached)
    jobs: dict[str, Callable[[], object]] = {
        SIMPY: lambda: process.run(case, few),
        LAID: lambda: lay_out(scenario, case, choices, many),
        RUNNER: _engine(korea, many),
        LOOP: loop(case, luck, size.many),
        CACHED: in_turns(loop(case, small, size.cached), turns),
        NOTHING: in_turns(loop(case, small, 0), turns),
    }
    found = interleaved(jobs, size.repeats, time.thread_time)
    found[CACHED] = [whole - call for whole, call in zip(found[CACHED], found.pop(NOTHING), strict=True)]
    per = {name: [one / (size.few if name == SIMPY else size.many) for one in column] for name, column in found.items()}
    events = {
        name: compiled.count_events(case, some) / len(some.agreed) for name, some in {SIMPY: few, CACHED: small}.items()
    }
    events |= dict.fromkeys((RUNNER, LOOP), compiled.count_events(case, luck) / size.many)
    print(
        f"{len(choices)} projects, {events[LOOP]:,.0f} events a replication; "
        f"median of {size.repeats} repeats (min .. max)"
    )
    print(
        f"  SimPy runs {size.few} of them; the luck of {size.cached} stays in the cache, that of {size.many} does not"
    )
    for name, column in per.items():
        _print_row(name, column, events.get(name, 0.0))
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


def _print_parts(korea: Korea, size: Size) -> None:
    """Where the time from draws to a table of summary figures goes: each part on the results of those before."""
    scenario, case, choices, many = korea.scenario, korea.case, korea.choices, Draws(SEED, range(size.many))
    names, engine = technologies(choices), _engine(korea, many)
    found: Any = engine()
    sold = market_by_technology(case, found)
    factor = value_factor(scenario, names, many, sold)
    value = worth(scenario, choices, case, found, factor)
    columns = column_figures(scenario)  # a simulation asks for them once
    figures = replication_figures(scenario, choices, case, found, value, columns)
    parts: dict[str, Callable[[], object]] = {
        "engine, draws included": engine,
        "luck of the market value": lambda: value_factor(scenario, names, many, market_by_technology(case, found)),
        "worth": lambda: worth(scenario, choices, case, found, factor),
        "summary figures": lambda: replication_figures(scenario, choices, case, found, value, columns),
        "their table": lambda: replication_frame(many.replications, figures),
    }
    times = interleaved(parts, size.repeats, time.thread_time)
    whole = [sum(turn) for turn in zip(*times.values(), strict=True)]
    per = spread([one / size.many * 1e3 for one in whole], 4)
    print(f"  from draws to summary figures, {size.many} replications at a time: {per} ms each, of which")
    for name, column in times.items():
        print(f"    {name:<26}{spread([one * 100 for one in ratios(column, whole)], 1)} %")


# --- threads --------------------------------------------------------------------------------------


def _print_threads(korea: Korea, size: Size) -> None:
    run = partial(replicate, korea.scenario, korea.portfolio, replications=size.threaded)
    found = interleaved(
        {"one": partial(run, running=Running(threads=1)), "two": partial(run, running=Running(threads=2))}, size.repeats
    )
    gain, rate = ratios(found["one"], found["two"]), size.threaded / median(found["two"])
    print(f"  two threads / one, summary figures included: {spread(gain)}; {rate:,.0f} replications/s with two")


# --- a plan ---------------------------------------------------------------------------------------


def _stages(scenario: Scenario, size: Size) -> dict[str, float]:
    """Seconds of each stage of a plan, from when it was first spoken of to when the next one was.

    With the stage of simulation come the simple rules' portfolios and the values of fresh samples before it.
    """
    began: dict[str, float] = {}
    plan(scenario, replications=size.planned, progress=lambda stage, *_: began.setdefault(stage, time.perf_counter()))
    ends = [*list(began.values())[1:], time.perf_counter()]
    return {stage: end - start for (stage, start), end in zip(began.items(), ends, strict=True)}


def _optimisation(scenario: Scenario) -> dict[str, float]:
    """Seconds of each part of the optimisation by itself."""
    settings, times = scenario.optimiser, [time.perf_counter()]
    options = sample(scenario, candidates(scenario), samples=settings.samples, seed=SEED)
    times.append(time.perf_counter())
    problem = state(scenario, options)
    times.append(time.perf_counter())
    solve(problem, Solving(gap=settings.gap))
    times.append(time.perf_counter())
    return dict(zip(("sample", "state", "solve"), np.diff(times).tolist(), strict=True))


def _print_plan(size: Size) -> None:
    scenario = load(size.scenario, size.overrides)
    for what, job in (("stages of a plan", partial(_stages, size=size)), ("parts of its optimisation", _optimisation)):
        found = [job(scenario) for _ in range(size.plans)]
        print(f"  {what} at {size.planned} replications, {size.plans} repeats:")
        for name in found[0]:
            print(f"    {name:<14}{spread([one[name] for one in found])} s")
