"""Fronts: the whole set of brute force, whatever the figures; some points; elastic floors on larger problems."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.instances import Shape, draw_problem
from rdsim.errors import InfeasibleError, ProblemError, SolverError
from rdsim.optimiser import Evaluation, Groups, PortfolioProblem, Solving, evaluate, state_problem, state_rows
from rdsim.optimiser.models.variations import Measure, count_of_options, opposite
from rdsim.optimiser.questions.fronts import VALUE, CVaR, Front, Objective, front
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, build, draw, portfolios
from tests.sizes import EFFORT

Pairs = set[tuple[float, float]]
EXAMPLES = 25


def figure_of(problem: PortfolioProblem, figure: Objective, judged: Evaluation) -> float:
    if isinstance(figure, CVaR):
        same = judged.objective - judged.expected
        return low_tail(problem.values[:, list(judged.chosen)].sum(axis=1) + same, figure.level)
    return figure.of(problem, judged) if isinstance(figure, Measure) else judged.objective


def low_tail(values: np.ndarray, level: float) -> float:
    """Mean of the smallest 1 - level share of equally likely values, in exact fractions."""
    left = share = (1 - Fraction(level).limit_denominator(1000)) * len(values)
    total = Fraction(0)
    for value in sorted(values.tolist()):
        part = min(Fraction(1), left)
        total, left = total + part * Fraction(value), left - part
    return float(total / share)


def sampled(problem: PortfolioProblem, seed: int) -> PortfolioProblem:
    """The problem with seven worlds of values: a common factor, failures, and noise."""
    rng = np.random.default_rng([seed, 7])
    worlds = (7, len(problem.option_names))
    factor = rng.choice([0.5, 1.0, 1.5], (7, 1)) * rng.choice([0.0, 1.0, 2.0], worlds)
    return replace(problem, values=np.rint(problem.expected_value * factor + rng.integers(-3, 4, worlds)))


def true_front(problem: PortfolioProblem, figures: tuple[Objective, Objective], senses: tuple[str, str]) -> Pairs:
    """The non-dominated pairs of figures, by comparing all with all."""
    signs = [1 if sense == "max" else -1 for sense in senses]
    pairs = {
        tuple(sign * round(figure_of(problem, one, judged), 6) for sign, one in zip(signs, figures, strict=True))
        for judged in portfolios(problem)
    }
    best = {one for one in pairs if not any(a >= one[0] and b >= one[1] and (a, b) != one for a, b in pairs)}
    return {(signs[0] * a, signs[1] * b) for a, b in best}


def measures(problem: PortfolioProblem, seed: int) -> dict[str, Objective]:
    """Figures of all kinds: whole, not whole, of openings, with both signs."""
    rng = np.random.default_rng(seed)
    options, openings = len(problem.option_names), problem.opening_value.size
    mixed = Measure(
        "mixed", rng.integers(-3, 6, options).astype(float), rng.integers(-2, 3, openings).astype(float), True
    )
    return {
        VALUE: VALUE,
        "funded": count_of_options("funded", np.ones(options)),
        "partners": Measure("partners", np.zeros(options), np.ones(openings), integer=True),
        "chance": Measure("chance", rng.integers(1, 100, options) / 100, np.zeros(0)),
        "mixed": mixed,
    }


def pairs_of(found: Front) -> list[tuple[float, float]]:
    return [(round(point.first, 6), round(point.second, 6)) for point in found.points]


def assert_judged(problem: PortfolioProblem, found: Front, figures: tuple[Objective, Objective]) -> None:
    for point in found.points:
        judged = evaluate(problem, point.chosen)
        assert judged.feasible
        assert judged.opened == point.opened
        assert point.first == pytest.approx(figure_of(problem, figures[0], judged), abs=1e-9)
        assert point.second == pytest.approx(figure_of(problem, figures[1], judged), abs=1e-9)


def assert_whole(
    problem: PortfolioProblem, figures: tuple[Objective, Objective], senses: Any, solver: str = "highs"
) -> int:
    expected = true_front(problem, figures, senses)
    if not expected:
        with pytest.raises(InfeasibleError):
            front(problem, *figures, senses=senses, solving=Solving(solver=solver))
        return 0
    found = front(problem, *figures, senses=senses, solving=Solving(solver=solver))
    assert len(found.points) == len(expected)
    assert set(pairs_of(found)) == expected
    assert found.complete
    assert all(point.proven and point.gap == 0 for point in found.points)
    assert_judged(problem, found, figures)
    return len(expected)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    families=st.sets(st.sampled_from(FAMILIES)),
    names=st.permutations([VALUE, "funded", "partners", "chance", "mixed"]).map(lambda names: names[:2]),
    senses=st.tuples(st.sampled_from(["max", "min"]), st.sampled_from(["max", "min"])),
)
def test_the_whole_front_is_that_of_brute_force(
    seed: int, families: set[str], names: list[str], senses: tuple[str, str]
) -> None:
    problem = build(draw(seed), families)
    known = measures(problem, seed)
    senses = tuple("max" if name == VALUE else sense for name, sense in zip(names, senses, strict=True))  # type: ignore[assignment]
    assert_whole(problem, (known[names[0]], known[names[1]]), senses)


@pytest.mark.parametrize("solver", INSTALLED)
def test_each_solver_finds_the_whole_front_and_fronts_are_not_trivial(solver: str) -> None:
    sizes: Counter[int] = Counter()
    for seed in range(12 if solver == "highs" else 5):
        problem = build(draw(seed), {"budget", "opening value", "synergies", "antagonisms", "international"})
        known = measures(problem, seed)
        sizes[assert_whole(problem, (VALUE, known["partners"]), ("max", "min"), solver)] += 1
        sizes[assert_whole(problem, (known["funded"], VALUE), ("max", "max"), solver)] += 1
        sizes[assert_whole(problem, (VALUE, known["mixed"]), ("max", "min"), solver)] += 1
    assert sum(count for size, count in sizes.items() if size >= 3) >= 5


@pytest.mark.parametrize("solver", INSTALLED)
def test_fronts_with_a_cvar_are_those_of_brute_force(solver: str) -> None:
    """Value against CVaR, and CVaR against figures that are whole, that are not, and of which less is better."""
    sizes: Counter[int] = Counter()
    for seed in range(10 if solver == "highs" else 4):
        problem = sampled(build(draw(seed), {"budget", "opening value", "synergies", "international"}), seed)
        known, tail = measures(problem, seed), CVaR((0.3, 0.6, 0.9)[seed % 3])
        sizes[assert_whole(problem, (VALUE, tail), ("max", "max"), solver)] += 1
        sizes[assert_whole(problem, (tail, known["partners"]), ("max", "min"), solver)] += 1
        sizes[assert_whole(problem, (known["chance"], tail), ("min", "max"), solver)] += 1
    assert sum(count for size, count in sizes.items() if size >= 3) >= 5, sizes


def test_some_points_of_value_and_cvar_reach_both_ends() -> None:
    seen = 0
    for seed in range(8):
        problem = sampled(build(draw(seed), {"budget", "synergies", "opening value"}), seed)
        figures: tuple[Objective, Objective] = (CVaR(0.6), VALUE)
        expected = sorted(true_front(problem, figures, ("max", "max")), key=lambda pair: -pair[1])
        found = front(problem, *figures, points=2)
        assert found.aim == VALUE
        assert set(pairs_of(found)) <= set(expected)
        assert (pairs_of(found)[0], pairs_of(found)[-1]) == (expected[0], expected[-1])
        assert all(point.proven for point in found.points)
        seen += len(expected) > len(found.points)
    assert seen >= 2


def test_cvar_of_equally_good_values_is_cleaned_up() -> None:
    """Both are worth 4 on average; the second never less than 3. The third has more of neither."""
    problem = state_problem(np.array([[0.0, 3.0, 2.0], [8.0, 5.0, 2.0]]), groups=Groups(of=[0, 0, 0]))
    for points in (None, 2):
        found = front(problem, VALUE, CVaR(0.5), points=points)
        assert pairs_of(found) == [(4.0, 3.0)]
        assert found.points[0].proven


@pytest.mark.parametrize("names", [(VALUE, "cvar"), (VALUE, "chance"), ("cvar", "chance")])
def test_bounds_at_a_gap_hold_for_every_portfolio_there_is(names: tuple[str, str]) -> None:
    """No portfolio with as much of the other figure is above a point's bound."""
    open_ = 0
    for seed in range(6):
        problem = sampled(build(draw(seed), {"budget", "opening value", "antagonisms"}), seed)
        known = {**measures(problem, seed), "cvar": CVaR(0.6)}
        figures = (known[names[0]], known[names[1]])
        found = front(problem, *figures, points=4, solving=Solving(gap=0.1, effort=EFFORT))
        pairs = true_front(problem, figures, ("max", "max"))
        assert_judged(problem, found, figures)
        assert 1 <= len(found.points) <= 4
        for point in found.points:
            assert point.bound >= point.first
            assert point.gap == pytest.approx((point.bound - point.first) / abs(point.first), abs=1e-6)
            assert max(a for a, b in pairs if b >= point.second - 1e-6) <= point.bound + 1e-6
            open_ += point.gap > 0
    assert open_ >= 3


def test_solvers_agree_on_the_portfolios() -> None:
    problem = build(draw(3), {"budget", "opening value"})
    known = measures(problem, 3)
    fronts = [
        front(problem, VALUE, known["funded"], senses=("max", "min"), solving=Solving(solver=solver))
        for solver in INSTALLED
    ]
    assert len({tuple(point.chosen for point in one.points) for one in fronts}) == 1


def test_the_order_of_the_figures_changes_no_point() -> None:
    problem = build(draw(5), {"budget", "starts", "opening value"})
    funded = measures(problem, 5)["funded"]
    there = front(problem, VALUE, funded, senses=("max", "min"))
    back = front(problem, funded, VALUE, senses=("min", "max"))
    assert there.aim == back.aim == VALUE
    assert pairs_of(there) == [(b, a) for a, b in pairs_of(back)]


@pytest.mark.parametrize("solver", INSTALLED)
def test_some_points_are_on_the_whole_front_and_reach_its_ends(solver: str) -> None:
    seen = 0
    for seed in range(10 if solver == "highs" else 4):
        problem = build(draw(seed), {"budget", "synergies", "opening value"})
        figures: tuple[Objective, Objective] = (VALUE, opposite_of(measures(problem, seed)["chance"]))
        expected = sorted(true_front(problem, figures, ("max", "max")), key=lambda pair: -pair[0])
        found = front(problem, *figures, points=4, solving=Solving(solver=solver))
        assert set(pairs_of(found)) <= set(expected)
        assert len(found.points) <= 4
        assert (pairs_of(found)[0], pairs_of(found)[-1]) == (expected[0], expected[-1])
        assert all(point.proven for point in found.points)
        assert_judged(problem, found, figures)
        seen += len(found.points) >= 3 and not found.complete
    assert seen >= 2


def opposite_of(figure: Objective) -> Measure:
    assert isinstance(figure, Measure)
    return opposite(figure)


def test_weakly_dominated_points_are_cleaned_away() -> None:
    """Two portfolios are worth the same; the one with less of the second figure comes first in every tie."""
    problem = state_problem([5.0, 5.0, 3.0], groups=Groups(of=[0, 0, 0]))
    second = Measure("second", np.array([1.0, 2.0, 3.0]), np.zeros(0))
    for points in (None, 2, 3):
        found = front(problem, VALUE, second, points=points)
        assert pairs_of(found) == [(5.0, 2.0), (3.0, 3.0)]
        assert all(point.proven for point in found.points)


def test_few_levels_of_a_whole_figure_are_swept() -> None:
    problem = build(draw(8), {"budget"})
    funded = measures(problem, 8)["funded"]
    assert front(problem, VALUE, funded, senses=("max", "min"), points=50).complete


LARGE = Shape(technologies=180, partners=4, starts=2, fields=6)
SMALL = Shape(technologies=40, partners=5, starts=3, fields=3)


@pytest.fixture(scope="module")
def middle() -> tuple[PortfolioProblem, Measure]:
    problem, of = draw_problem(4, LARGE)
    rng = np.random.default_rng(4)
    chance = np.clip(rng.normal(0.15, 0.05, of.partner.size) + 0.03 * (of.partner >= 0), 0, 1)
    return problem, Measure("chance", chance, np.zeros(0))


def test_elastic_floors_give_points_with_honest_bounds(middle: tuple[PortfolioProblem, Measure]) -> None:
    problem, chance = middle
    found = front(problem, VALUE, chance, points=5, solving=Solving(gap=0.02, effort=EFFORT))
    apart = front(problem, VALUE, chance, points=3, solving=Solving(gap=0.03, seed=1, effort=EFFORT))
    assert 4 <= len(found.points) <= 5
    assert found.median_gap <= 0.02
    assert_judged(problem, found, (VALUE, chance))
    assert all(a.first > b.first and a.second < b.second for a, b in itertools.pairwise(found.points))
    for point in found.points:
        assert point.bound >= point.first
        for other in (*found.points, *apart.points):
            assert other.second < point.second - 1e-4 or other.first <= point.bound + 1e-6


def test_a_front_repeats(middle: tuple[PortfolioProblem, Measure]) -> None:
    problem, chance = middle
    first, second = (
        front(problem, VALUE, chance, points=3, solving=Solving(gap=0.05, seed=5, effort=EFFORT)) for _ in range(2)
    )
    assert first == second


def test_a_flat_front_is_one_point() -> None:
    problem = state_problem([3.0, 2.0])
    found = front(
        problem, VALUE, Measure("same", np.array([1.0, 2.0]), np.zeros(0)), points=5, solving=Solving(gap=0.01)
    )
    assert pairs_of(found) == [(5.0, 3.0)]


def test_no_time_is_no_answer_and_little_time_no_complete_front() -> None:
    problem, of = draw_problem(0, SMALL)
    funded = count_of_options("funded", np.ones(of.partner.size))
    with pytest.raises(SolverError, match="time limit"):
        front(problem, VALUE, funded, solving=Solving(time_limit=0.0))
    found = front(problem, VALUE, funded, senses=("max", "min"), solving=Solving(time_limit=1.5))
    assert not found.complete
    assert not found.points[-1].proven


@pytest.mark.parametrize(
    ("figures", "settings_", "rule"),
    [
        ((VALUE, VALUE), {}, "must differ"),
        ((VALUE, "number"), {}, 'a CVaR or "value"'),
        ((VALUE, Measure("short", np.zeros(1), np.zeros(0))), {}, "must have 2 uses"),
        ((VALUE, Measure("odd", np.array([1.0, math.nan]), np.zeros(0))), {}, "must be finite"),
        ((VALUE, count_of_options("n", np.ones(2))), {"senses": ("min", "max")}, "only be maximised"),
        ((VALUE, count_of_options("n", np.ones(2))), {"senses": ("max", "most")}, "max or min"),
        ((VALUE, count_of_options("n", np.ones(2))), {"points": 1}, "at least 2"),
        ((VALUE, Measure("x", np.ones(2), np.zeros(0))), {"solving": Solving(gap=0.01)}, "must be given"),
    ],
)
def test_wrong_arguments_are_refused(figures: Any, settings_: dict[str, Any], rule: str) -> None:
    with pytest.raises(ProblemError, match=rule):
        front(state_problem([3.0, 2.0], rows=state_rows([[1, 1]], [1])), *figures, **settings_)


def test_all_wrong_arguments_are_named_at_once() -> None:
    problem = state_problem([3.0, 2.0])
    odd = Measure("odd", np.array([math.inf]), np.zeros(0))
    with pytest.raises(ProblemError) as caught:
        front(
            problem,
            odd,
            CVaR(1.5),
            senses=("most", "min"),
            points=1,
            solving=Solving(gap=2.0, time_limit=-1.0, threads=0),
        )
    where = [fault.where for fault in caught.value.faults]
    named = ["sense of first", "first", "first", "sense of second", "level of second", "points"]
    assert where == [*named, "gap", "time_limit", "threads"]
    with pytest.raises(ProblemError, match="at most may be a CVaR"):
        front(problem, CVaR(0.5), CVaR(0.9))
    with pytest.raises(ProblemError, match="must differ"):
        front(problem, CVaR(0.5), CVaR(0.5))


def test_no_more_points_than_were_asked_for_and_both_ends() -> None:
    seen = 0
    for seed in range(90):
        problem = build(draw(seed), set(draw(seed)["families"]))
        rng = np.random.default_rng(seed)
        other = Measure("other", rng.integers(0, 9, len(problem.option_names)).astype(float), np.zeros(0))
        try:
            every = front(problem, "value", other)
        except InfeasibleError:
            continue
        if len(every.points) < 4:
            continue
        seen += 1
        few = front(problem, "value", other, points=3, solving=Solving(gap=0.01))
        assert 2 <= len(few.points) <= 3
    assert seen >= 3
