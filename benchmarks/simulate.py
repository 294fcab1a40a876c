"""Subject `simulate`: both engines on the Korean scenario, with the portfolio that value per cost picks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import subject
from rdsim.case import build
from rdsim.domain import Choice, Portfolio, Scenario
from rdsim.draws import Draws
from rdsim.engines import compiled, process
from rdsim.luck import lay_out
from rdsim.scenario import load
from rdsim.search import baselines, propose

SCENARIO = Path(__file__).parent.parent / "scenarios" / "korea-2024"
REPEATS = 5
REPLICATIONS = {"compiled": 500, "simpy": 10}


def _seconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _choices(scenario: Scenario) -> tuple[Choice, ...]:
    proposal = propose(scenario, samples=20)
    rule = baselines(scenario, proposal)["value-per-cost"]
    return tuple(sorted(rule.portfolio.choices, key=lambda choice: choice.rank))


@subject("simulate")
def simulate() -> None:
    """Milliseconds a replication, events a second, the draws apart, and the ratio of the engines side by side."""
    scenario = load(SCENARIO)
    choices = _choices(scenario)
    case = build(scenario, Portfolio(choices))
    few, many = (Draws(1, range(REPLICATIONS[name])) for name in ("simpy", "compiled"))
    luck_few, luck_many = (lay_out(scenario, case, choices, draws) for draws in (few, many))
    compiled.run(case, luck_few)  # compiles, or loads what was compiled
    events = compiled.count_events(case, luck_many) / len(many.replications)
    rows = [
        (
            _seconds(lambda: process.run(case, luck_few)) / len(few.replications),
            _seconds(lambda: compiled.run(case, luck_many)) / len(many.replications),
            _seconds(lambda: lay_out(scenario, case, choices, many)) / len(many.replications),
        )
        for _ in range(REPEATS)
    ]
    print(f"{len(choices)} projects, {events:,.0f} events a replication; median of {REPEATS} repeats (min .. max)")
    for name, column in zip(("simpy", "compiled", "draws"), zip(*rows, strict=True), strict=True):
        rate = "" if name == "draws" else f", {events / median(column):>12,.0f} events a second"
        spread = f"({min(column) * 1e3:.3f} .. {max(column) * 1e3:.3f})"
        print(f"  {name:<9}{median(column) * 1e3:>9.3f} ms a replication {spread}{rate}")
    for name, extra in (("engines alone", 0), ("draws included", 1)):
        ratios = [(slow + extra * draws) / (fast + extra * draws) for slow, fast, draws in rows]
        print(f"  simpy / compiled, {name}: {median(ratios):.1f} ({min(ratios):.1f} .. {max(ratios):.1f})")
