"""At gap 0 the optimum equals brute force, whatever families are on; and every family is seen to bind."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdsim.optimiser import PortfolioProblem, Solving, Status, evaluate, solve
from rdsim.optimiser.models.milp import columns_of, formulate
from rdsim.optimiser.solving.reach import reachable
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, brute_force, build, canonical, draw
from tests.sizes import size

CASES = size(80, 240)
EXAMPLES = size(40, 300)


@functools.cache
def drawn(seed: int) -> dict[str, Any]:
    return draw(seed)


@functools.cache
def optimum(seed: int, families: tuple[str, ...]) -> tuple[float, tuple[tuple[int, ...], ...]]:
    best, optima = brute_force(build(drawn(seed), families))
    return best, tuple(optima)


def preferred(problem: PortfolioProblem, optima: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The canonical optimum: options that fit nowhere do not count, not even as numbers."""
    options = reachable(problem).options.tolist()
    within = [tuple(options.index(option) for option in chosen) for chosen in optima]
    return tuple(options[option] for option in canonical(within, len(options)))


def assert_optimal(problem: PortfolioProblem, solver: str, best: float, optima: tuple[tuple[int, ...], ...]) -> None:
    solution = solve(problem, Solving(gap=0, solver=solver))
    if not optima:
        assert solution.status is Status.INFEASIBLE
        assert solution.chosen == ()
        return
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(best, abs=1e-9)
    assert solution.bound == pytest.approx(best, abs=1e-6)
    assert solution.chosen == preferred(problem, optima)
    assert solution.opened == evaluate(problem, solution.chosen).opened


@pytest.mark.parametrize("solver", INSTALLED)
def test_the_optimum_is_that_of_brute_force(solver: str) -> None:
    for seed in range(CASES if solver == "highs" else CASES // 4):
        families = drawn(seed)["families"]
        assert_optimal(build(drawn(seed), families), solver, *optimum(seed, families))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(1000, 10**6), families=st.sets(st.sampled_from(FAMILIES)))
def test_any_set_of_families(seed: int, families: set[str]) -> None:
    problem = build(draw(seed), families)
    best, optima = brute_force(problem)
    assert_optimal(problem, "highs", best, tuple(optima))


@settings(max_examples=EXAMPLES // 2, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), gap=st.sampled_from([0.0, 0.02, 0.2]))
def test_rens_is_honest_about_what_it_knows(seed: int, gap: float) -> None:
    problem = build(draw(seed), draw(seed)["families"])
    best, optima = brute_force(problem)
    solution = solve(problem, Solving(gap=gap), method="rens")
    assert (solution.status is Status.INFEASIBLE) == (not optima)
    if optima:
        assert evaluate(problem, solution.chosen).feasible
        assert solution.objective <= best + 1e-9 <= solution.bound + 1e-6
        assert best - solution.objective <= solution.gap * max(abs(solution.objective), 1e-9) + 1e-6


def test_every_family_binds_and_the_suite_is_varied() -> None:
    """A family binds where leaving it out changes the optimum; 5% of the cases is the least."""
    seen: Counter[str] = Counter()
    for seed in range(CASES):
        families = drawn(seed)["families"]
        best, optima = optimum(seed, families)
        seen["infeasible"] += not optima
        seen["feasible"] += bool(optima)
        for family in families:
            others = tuple(other for other in families if other != family)
            seen[family] += optimum(seed, others)[0] != best
    rare = {name: seen[name] / CASES for name in (*FAMILIES, "infeasible", "feasible") if seen[name] < 0.05 * CASES}
    assert not rare


def test_ties_consortia_and_openings_occur() -> None:
    seen: Counter[str] = Counter()
    for seed in range(CASES):
        problem = build(drawn(seed), drawn(seed)["families"])
        _, optima = optimum(seed, drawn(seed)["families"])
        seen["tie"] += len(optima) > 1
        chosen = list(optima[0]) if optima else []
        seen["consortium"] += bool((problem.partners[chosen].sum(axis=1) > 1).any()) if chosen else 0
        seen["opened late"] += bool(optima) and any(evaluate(problem, chosen).opened.values())
    assert min(seen["consortium"], seen["opened late"]) >= 0.05 * CASES
    assert seen["tie"] >= 2


def test_the_columns_of_a_judged_portfolio_satisfy_the_model_and_give_its_worth() -> None:
    judged_ones = 0
    for seed in range(60):
        problem = build(draw(seed), set(draw(seed)["families"]))
        model = formulate(problem)
        judged = evaluate(problem, solve(problem, Solving(gap=0)).chosen)
        if not judged.feasible:
            continue
        judged_ones += 1
        columns = columns_of(problem, judged)
        activity = model.matrix @ columns
        for sense, found, limit in zip(model.sense, activity, model.rhs, strict=True):
            assert {"<=": found <= limit + 1e-9, ">=": found >= limit - 1e-9, "==": abs(found - limit) <= 1e-9}[sense]
        assert (columns >= model.lower - 1e-9).all()
        assert (columns <= model.upper + 1e-9).all()
        assert model.value @ columns == pytest.approx(judged.objective)
    assert judged_ones >= 25
