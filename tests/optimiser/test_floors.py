"""A floor that moves: its bounds are those of models stated anew, its portfolios keep every rule and the level."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from rdsim.optimiser import PortfolioProblem, Solving, evaluate
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.variations import Measure, with_floor
from rdsim.optimiser.solving.floors import Floor
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, build, draw
from tests.optimiser.test_fronts import portfolios


def measure_of(problem: PortfolioProblem, seed: int) -> Measure:
    """Chances of options and, in every second problem, something that openings take away."""
    rng = np.random.default_rng(seed)
    openings = -rng.random(problem.opening_value.size) if seed % 2 else np.zeros(0)
    return Measure("chance", rng.integers(1, 100, len(problem.option_names)) / 100, openings)


@pytest.mark.parametrize("solver", INSTALLED)
def test_bounds_are_those_of_relaxations_stated_anew(solver: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        problem = build(draw(seed), {"budget", "opening value", "synergies", "international", "carry"} & {*FAMILIES})
        measure = measure_of(problem, seed)
        floor = Floor(problem, measure, Solving(solver).begin())
        for level in (0.5, 2.0, 0.0, 1.0, 99.0, 0.7):
            stated = formulate(with_floor(problem, measure, level))
            anew = Highs().run(stated, RunLimits(), relaxed=True).bound
            bound = floor.bound(level)
            assert bound <= anew + 1e-6 * max(1.0, abs(anew)) or bound == anew
            best = max(
                (one.objective for one in portfolios(problem) if measure.of(problem, one) >= level), default=None
            )
            assert best is None or bound >= best - 1e-6
            seen["infeasible"] += math.isinf(bound)
            seen["equal"] += bound == pytest.approx(anew, rel=1e-6)
            seen["reached"] += best is not None
    assert seen["infeasible"] >= 12
    assert seen["equal"] >= 60
    assert seen["reached"] >= 20


def test_portfolios_of_small_problems_are_nearly_always_the_best() -> None:
    """From whatever portfolio the search begins; an infinite price lets none through that misses the level."""
    seen: Counter[str] = Counter()
    for seed in range(20):
        problem = build(draw(seed), {*draw(seed)["families"]})
        measure, every = measure_of(problem, seed), list(portfolios(problem))
        if len(every) < 2:
            continue
        figures = [measure.of(problem, one) for one in every]
        level = float(np.quantile(figures, 0.7))
        for price in (1.0, 20.0, math.inf):
            floor = Floor(problem, measure, Solving(gap=0.0, seed=seed).begin())
            floor.bound(level)
            worth = [
                one.objective - (price * max(0.0, level - figure) if figure < level else 0.0)
                for one, figure in zip(every, figures, strict=True)
            ]
            start = every[int(np.argmin(np.where(np.isfinite(worth), worth, math.inf)))]
            chosen = floor.best(level, price, [start.chosen])
            assert chosen is not None
            judged = evaluate(problem, chosen)
            figure = measure.of(problem, judged)
            assert judged.feasible
            assert math.isfinite(price) or figure >= level - 1e-6
            found = judged.objective - (price * max(0.0, level - figure) if figure < level - 1e-6 else 0.0)
            assert found <= max(worth) + 1e-4
            seen["all"] += 1
            seen["best"] += found >= max(worth) - 1e-4
            seen["moved"] += chosen != start.chosen
    assert seen["all"] >= 30
    assert seen["best"] >= 0.95 * seen["all"], seen
    assert seen["moved"] >= 0.5 * seen["all"], seen


def test_without_a_portfolio_to_begin_with_or_a_bound_there_is_none() -> None:
    problem = build(draw(1), {"budget"})
    measure = measure_of(problem, 2)
    floor = Floor(problem, measure, Solving().begin())
    floor.bound(1.0)
    assert floor.best(1.0, 5.0, []) is None
    assert floor.best(1.0, math.inf, [()]) is None
    assert floor.best(2.0, 5.0, [()]) is None
