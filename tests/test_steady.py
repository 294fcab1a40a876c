"""What is stated does not depend on the last bits of what it is stated from, so neither does the portfolio."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rdsim
from rdsim.domain import Scenario
from rdsim.formulation import state
from rdsim.optimiser import PortfolioProblem, Solving, solve
from rdsim.optimiser.problem.problem import round_off
from rdsim.options import Options
from rdsim.search import Instance, build_instance
from tests.sizes import EFFORT

SCENARIOS = Path(__file__).parent.parent / "scenarios"
SUMMED = ("mean", "p_in_time", "payments", "abroad", "joint", "occupancy", "npv", "gain", "sold")


@pytest.fixture(scope="module", params=["medical-ai-2024", "korea-japan-fine-chemicals"])
def posed(request: pytest.FixtureRequest) -> Instance:
    return build_instance(rdsim.load(SCENARIOS / request.param), samples=40)


def shaken(options: Options, rng: np.random.Generator) -> Options:
    """Every figure that is a sum, a bit or two off, as another order of summation leaves it."""

    def one(name: str) -> Any:
        numbers = getattr(options, name)
        return numbers * (1 + rng.integers(-2, 3, numbers.shape) * 2.0**-53)

    assert set(SUMMED) <= {field.name for field in fields(options)}
    return replace(options, **{name: one(name) for name in SUMMED})


def stated(scenario: Scenario, options: Options) -> PortfolioProblem:
    return state(scenario, options)


def bytes_of(problem: PortfolioProblem) -> tuple[bytes, ...]:
    rows = problem.rows
    arrays = (problem.expected_value, problem.opening_value, rows.use.data, rows.opening_use.data, rows.cap)
    return tuple(array.tobytes() for array in arrays)


def test_the_last_bits_of_what_is_summed_are_not_in_the_problem_nor_in_its_portfolio(posed: Instance) -> None:
    rng = np.random.default_rng(2)
    first = solve(posed.problem, Solving(gap=0.01, effort=EFFORT))
    for _ in range(3):
        again = stated(posed.scenario, shaken(posed.options, rng))
        assert bytes_of(again) == bytes_of(posed.problem)
        assert again.synergies == posed.problem.synergies
        other = solve(again, Solving(gap=0.01, effort=EFFORT))
        assert (other.chosen, other.objective, other.bound) == (first.chosen, first.objective, first.bound)


def test_rounding_keeps_what_people_state_and_hides_the_last_bits() -> None:
    numbers = [0.0, 1.0, -2.5, 0.0101, 123456.789, 1e9, 0.1234567895, 12.5e-9]
    assert round_off(numbers).tolist() == numbers
    random = np.random.default_rng(3).lognormal(0, 3, 20_000)
    assert (round_off(random) == round_off(np.nextafter(random, np.inf))).all()
    assert np.abs(round_off(random) / random - 1).max() < 1e-9
