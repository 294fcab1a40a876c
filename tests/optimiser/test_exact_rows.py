"""Rows are exact: numbers mean what they say in decimals, and what fits nowhere changes nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdsim.optimiser import PortfolioProblem, Rules, Solving, Status, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.model import restrict
from rdsim.optimiser.questions.conflicts import cheapest_relaxation, relax
from tests.optimiser.machine import INSTALLED
from tests.sizes import size

both = pytest.mark.parametrize("solver", INSTALLED)
EXAMPLES = size(30, 400)


def one_row(use: list[float], cap: float, values: list[float] | None = None, sense: str = "<=") -> PortfolioProblem:
    return state_problem(values or [3.0] * len(use), rows=state_rows([use], [cap], sense=sense))


@both
@pytest.mark.parametrize(
    ("use", "cap", "most"),
    [
        ([5.5, 6.25, 1e7], 10.0, 3.0),  # the last fits nowhere
        ([5e12, 5000001e6], 1e13, 3.0),  # over by a million
        ([5e12, 5e12], 1e13, 6.0),
        ([4503599627370496.0, 4503599627370497.0], 2.0**53, 3.0),  # over by one
        ([500000050.25, 500000050.5], 1e9, 3.0),
        ([500000000.0, 500000000.0001], 1e9, 3.0),
        ([0.1, 0.2], 0.3, 6.0),  # in binary 0.1 + 0.2 is more than 0.3
        ([0.1, 0.2000000000001], 0.3, 3.0),
        ([1e-9, 2e-9], 3e-9, 6.0),
        ([1e-9, 2.1e-9], 3e-9, 3.0),
    ],
)
def test_a_cap_is_kept_to_the_last_digit(solver: str, use: list[float], cap: float, most: float) -> None:
    found = solve(one_row(use, cap), Solving(solver=solver, gap=0))
    assert found.status is Status.OPTIMAL
    assert found.objective == most


@both
@pytest.mark.parametrize("cap", [-1e-9, -1e-11])
def test_a_cap_that_even_nothing_breaks_is_infeasible_in_small_units_too(solver: str, cap: float) -> None:
    assert solve(one_row([-cap, -cap], cap), Solving(solver=solver, gap=0)).status is Status.INFEASIBLE


@both
def test_what_has_no_binary_number_is_meant_as_it_is_written(solver: str) -> None:
    """5873947711e9 is beyond 2 ** 53, and the nearest binary number is 512 off."""
    instance = [5873947711e9, 1e9, 1e9, 1e9, 1e9], 5873947712e9, [4.0, 1.0, 1.0, 1.0, 1.0]
    assert evaluate(one_row(*instance), (0, 1)).feasible
    found = solve(one_row(*instance), Solving(solver=solver, gap=0))
    assert (found.status, found.objective) == (Status.OPTIMAL, 5.0)


@both
def test_floors_and_equations_are_exact_too(solver: str) -> None:
    floor = one_row([500000000.0, 499999999.9999, 3.0], 1e9, [-1.0, -1.0, -1.0], sense=">=")
    assert solve(floor, Solving(solver=solver, gap=0)).chosen == (0, 1, 2)
    exactly = one_row([0.1, 0.7, 0.8], 0.8, [1.0, 1.0, 1.5], sense="==")
    assert solve(exactly, Solving(solver=solver, gap=0)).chosen == (0, 1)
    never = one_row([5e12, 5000001e6], 10000000000001.0, sense="==")
    assert solve(never, Solving(solver=solver, gap=0)).status is Status.INFEASIBLE


@both
def test_money_passed_on_is_exact(solver: str) -> None:
    def carried(second: float) -> PortfolioProblem:
        rows = state_rows([[0.1, 0.0], [0.0, second]], [0.3, 0.1], carry=[(0, 1, 1.0)])
        return state_problem([1.0, 1.0], rows=rows)

    assert solve(carried(0.3), Solving(solver=solver, gap=0)).chosen == (0, 1)
    assert solve(carried(0.3000000001), Solving(solver=solver, gap=0)).objective == 1.0


# ---------------------------------------------------------------- against enumeration in exact arithmetic

DIGITS = st.integers(1, 9999)
POWERS = st.sampled_from([-9, -3, 0, 2, 9])


@st.composite
def instances(draw: st.DrawFn) -> tuple[list[float], list[str], list[str]]:
    """Values, uses as texts, caps as texts that some subset meets exactly, or misses by one in the last digit."""
    count, power = draw(st.integers(2, 6)), draw(POWERS)
    digits = [draw(st.one_of(DIGITS, st.integers(10**9, 10**12))) for _ in range(count)]
    uses = [f"{number}e{power}" for number in digits]
    subset = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    exact = sum(number for number, chosen in zip(digits, subset, strict=True) if chosen)
    cap = f"{exact + draw(st.integers(-1, 1))}e{power}"
    return [float(draw(st.integers(1, 20))) for _ in range(count)], uses, [cap]


def best_of(values: list[float], uses: list[str], cap: str) -> float:
    worth, stated = np.array(values), [Fraction(use) for use in uses]
    allowed = (
        float(worth @ chosen)
        for chosen in itertools.product([0, 1], repeat=len(values))
        if sum(use * taken for use, taken in zip(stated, chosen, strict=True)) <= Fraction(cap)
    )
    return max(allowed, default=-1.0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(instance=instances())
def test_the_optimum_is_that_of_exact_enumeration(instance: tuple[list[float], list[str], list[str]]) -> None:
    values, uses, (cap,) = instance
    found = solve(one_row([float(use) for use in uses], float(cap), values), solving=Solving(gap=0))
    best = best_of(values, uses, cap)
    assert found.status is (Status.INFEASIBLE if best < 0 else Status.OPTIMAL)
    if best >= 0:
        assert found.objective == best


LARGE = st.one_of(st.integers(1, 9), st.integers(10**8, 10**15 - 1))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), sense=st.sampled_from(["<=", ">=", "=="]), solver=st.sampled_from(INSTALLED))
def test_large_weights_are_exact_in_every_sense(data: st.DataObject, sense: str, solver: str) -> None:
    """Beside small ones, up to 1e24, where a cap is met, or missed by one of the smallest."""
    count, power = data.draw(st.integers(2, 5)), data.draw(st.sampled_from([-6, 0, 4, 9]))
    digits = data.draw(st.lists(LARGE, min_size=count, max_size=count))
    subset = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    met = sum(number for number, chosen in zip(digits, subset, strict=True) if chosen)
    cap = met + data.draw(st.integers(-1, 1))
    if cap >= 10**15:
        return  # more digits than are read as they are written
    worth = data.draw(st.lists(st.integers(1, 20), min_size=count, max_size=count))
    values = [-float(one) if sense == ">=" else float(one) for one in worth]
    uses = [float(f"{number}e{power}") for number in digits]
    found = solve(one_row(uses, float(f"{cap}e{power}"), values, sense), Solving(solver=solver, gap=0))
    keeps = {"<=": int.__le__, ">=": int.__ge__, "==": int.__eq__}[sense]
    sums = (
        (sum(digits[one] for one in chosen), sum(values[one] for one in chosen))
        for size_ in range(count + 1)
        for chosen in itertools.combinations(range(count), size_)
    )
    best = max((worth for total, worth in sums if keeps(total, cap)), default=None)
    assert found.status is (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    assert best is None or found.objective == best


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 10**6), size_=st.sampled_from([1e3, 1e7, 1e15, 1e22]), place=st.integers(0, 8))
def test_what_fits_nowhere_changes_nothing(seed: int, size_: float, place: int) -> None:
    """Not the portfolio, not the bound, not the choice among equals, wherever it stands."""
    rng = np.random.default_rng(seed)
    use, values, cap = rng.integers(1, 60, (2, 8)) / 4, rng.integers(1, 5, 8).astype(float), np.array([20.25, 17.0])
    names = [f"o{number}" for number in range(8)]
    without = solve(state_problem(values, rows=state_rows(use, cap), option_names=names), solving=Solving(gap=0))
    wide = np.insert(use, place, size_, axis=1)
    more = state_problem(
        np.insert(values, place, 1e9),
        rows=state_rows(wide, cap),
        option_names=np.insert(np.array(names, dtype="U9"), place, "x").tolist(),
    )
    found = solve(more, Solving(gap=0))
    assert {more.option_names[option] for option in found.chosen} == {names[option] for option in without.chosen}
    assert (found.objective, found.bound, found.status) == (without.objective, without.bound, without.status)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_and_a_trifle_of_money_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    use, values, cap = rng.integers(1, 60, (3, 8)) / 4, rng.integers(1, 5, 8).astype(float), np.full(3, 20.0)
    names, columns, rows = np.array([f"o{number}" for number in range(8)]), rng.permutation(8), rng.permutation(3)
    first = solve(state_problem(values, rows=state_rows(use, cap), option_names=names), solving=Solving(gap=0))
    other = solve(
        state_problem(
            values[columns], rows=state_rows(use[rows][:, columns], cap + 1e-9), option_names=names[columns].tolist()
        ),
        solving=Solving(gap=0),
    )
    assert {names[columns][option] for option in other.chosen} == {names[option] for option in first.chosen}


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_ways_out_are_exact_too(seed: int) -> None:
    """A change of a cap by what a solver says is a trifle too small: what is told is enough."""
    rng = np.random.default_rng(seed)
    use = rng.integers(1, 10**12, (2, 4)) / 10 ** rng.integers(0, 9)
    rows = state_rows(use, use.sum(axis=1) * rng.uniform(0.1, 0.9, 2))
    problem = state_problem(np.ones(4), rows=rows, rules=Rules(fixed_in_groups=[0, 1, 2, 3]))
    way = cheapest_relaxation(problem, weights={"must-fund": np.inf})
    assert evaluate(relax(problem, way.changes), way.chosen).feasible


@pytest.mark.parametrize(("cap", "told"), [(1000.0, "by 2,000"), (2999.5, "by 0.5"), (1765.5, "by 1,235")])
def test_ways_out_are_told_in_whole_numbers(cap: float, told: str) -> None:
    problem = one_row([3000.0], cap)
    way = cheapest_relaxation(replace(problem, fixed_in_groups=(0,)), weights={"must-fund": np.inf})
    assert str(way).endswith(told)


# ---------------------------------------------------------------- models and judges


def test_a_row_that_counts_is_not_dropped_where_a_stored_zero_meets_an_endless_column() -> None:
    """0 x inf is no number: a soft floor fell out of small models with releases of scipy that store zeros."""
    problem = state_problem([1.0, 2.0], rows=state_rows([[1, 1]], [2], sense=">=", shortfall_price=[0.5]))
    model = formulate(problem)
    stored = model.matrix.copy()
    row = model.row_names.index("row_0")
    start, end = stored.indptr[row], stored.indptr[row + 1]
    stored.data[start:end][stored.indices[start:end] == 0] = 0.0
    lower, upper = model.lower.copy(), model.upper.copy()
    kept = restrict(type(model)(**{**vars(model), "matrix": stored}), lower, upper)[0]
    assert "row_0" in kept.row_names


def test_the_judge_forgives_rounding_in_computed_numbers_only() -> None:
    third = 1 / 3
    computed = one_row([third, third, third], 3 * third - 1e-16)
    assert evaluate(computed, (0, 1, 2)).feasible
    assert not evaluate(one_row([third, third, third], 1 - 1e-9), (0, 1, 2)).feasible
    assert not evaluate(one_row([0.5, 0.500000000001], 1.0), (0, 1)).feasible
