"""Subject `fronts`: Pareto fronts of 20 points on korea-2024, alternatives and a budget ladder, and what is proven.

Each option is sampled 200 times, as the scenario's plan does with more. The floors of the front against the expected
number commercialised in time are elastic, the partners' front is drawn at the same gap, and value and CVaR are weighed
(see `rdsim.optimiser.questions.fronts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO
from benchmarks._timing import seconds
from rdsim.figures import figures_of
from rdsim.measures import measure_of
from rdsim.optimiser import PortfolioProblem, Solving, solve
from rdsim.optimiser.questions.alternatives import Alternatives, alternatives
from rdsim.optimiser.questions.fronts import VALUE, CVaR, Front, Objective, front
from rdsim.optimiser.questions.ladder import SHARES, Ladder, ladder
from rdsim.scenario import load
from rdsim.search import build_instance

__all__ = ["measure_fronts"]


class Size(NamedTuple):
    """How much is asked."""

    scenario: Path = SCENARIO
    samples: int = 200
    points: int = 20
    gap: float = 0.01
    alternatives: int = 10
    shares: Sequence[float] = SHARES


@subject("fronts", full=Size(), token=Size(MEDICAL, 20, 2, 0.1, 1, (0.9, 1.0)))
def measure_fronts(size: Size) -> None:
    """Fronts of 20 points to a 1% gap of each solve, ten alternatives, and a ladder of five rungs."""
    posed = build_instance(load(size.scenario), samples=size.samples)
    known = figures_of(posed.scenario)
    timely, partners = (
        measure_of(known[name], posed.scenario, posed.options)
        for name in ("commercialised_by_deadline", "partners_opened")
    )
    pairs: dict[str, tuple[Objective, str]] = {
        "commercialised in time": (timely, "max"),
        "partners": (partners, "min"),
        "CVaR at 0.9": (CVaR(0.9), "max"),
    }
    for name, (figure, sense) in pairs.items():
        _print_front(
            name,
            front(
                posed.problem, VALUE, figure, senses=("max", sense), points=size.points, solving=Solving(gap=size.gap)
            ),
        )
    _print_alternatives(posed.problem, size)
    _print_ladder(posed.problem, size)


def _print_front(name: str, found: Front) -> None:
    gaps, proven = [point.gap for point in found.points], sum(point.proven for point in found.points)
    first, last = found.points[0], found.points[-1]
    print(
        f"  value against {name}: {len(found.points)} points in {found.seconds:.1f} s, {found.solves} solves;", end=""
    )
    print(f" gap {median(gaps):.2%} in the median, {max(gaps):.2%} at most, {proven} proven;", end="")
    print(f" from {first.first:.1f}, {first.second:.2f} to {last.first:.1f}, {last.second:.2f}", flush=True)


def _print_alternatives(problem: PortfolioProblem, size: Size) -> None:
    best, answers = solve(problem, Solving(gap=size.gap)), list[Alternatives]()
    ask = partial(
        alternatives, problem, best, count=size.alternatives, within=0.01, swaps=5, solving=Solving(gap=size.gap)
    )
    taken = seconds(lambda: answers.append(ask()))
    nearest = [one.nearest for one in answers[0].portfolios]
    print(f"  alternatives within 1%, 5 swaps apart: {len(nearest)} of {size.alternatives} in {taken:.1f} s;", end="")
    print(f" nearest two {min(nearest, default=0)} swaps apart, {answers[0].solves} solves", flush=True)


def _print_ladder(problem: PortfolioProblem, size: Size) -> None:
    answers: list[Ladder] = []
    taken = seconds(lambda: answers.append(ladder(problem, size.shares, solving=Solving(gap=size.gap))))
    rungs = answers[0].rungs
    worth = ", ".join(f"{rung.share:.0%} {rung.plain.objective:.0f} ({rung.plain.gap:.2%})" for rung in rungs)
    prices = ", ".join("none" if rung.price is None else f"{rung.price.share:.2%}" for rung in rungs)
    print(f"  ladder: {taken:.1f} s; worth (gap) {worth}; price of nesting {prices}")
