"""Numbers of very different sizes: what cannot be chosen, or is forbidden by a price, loosens nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rdsim.errors import SolverError
from rdsim.optimiser import (
    Groups,
    Labels,
    PartnerNetwork,
    PortfolioProblem,
    Rules,
    Solving,
    Status,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.adapters import RunLimits, SolverResult
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.solving.appraisal import Risk, SampledRow
from rdsim.optimiser.solving.risk import solve_risk
from tests.optimiser.machine import INSTALLED

both = pytest.mark.parametrize("solver", INSTALLED)


@both
def test_an_option_that_fits_nowhere_loosens_no_cap(solver: str) -> None:
    problem = state_problem([1.0] * 5, rows=state_rows([[1e7, 1, 1, 1, 1]], [2]))
    found = solve(problem, Solving(solver=solver, gap=0))
    assert found.objective == 2
    assert 0 not in found.chosen
    assert evaluate(problem, found.chosen).activity[0] == 2
    assert not evaluate(problem, (1, 2, 3)).feasible


@both
def test_an_option_that_fills_a_floor_many_times_loosens_it_for_none(solver: str) -> None:
    problem = state_problem([-9.0, -1, -1, -1], rows=state_rows([[1e8, 1, 1, 1]], [2], sense=">="))
    found = solve(problem, Solving(solver=solver, gap=0))
    assert found.objective == -2
    assert not evaluate(problem, ()).feasible
    assert evaluate(problem, (0,)).feasible


@both
def test_money_passed_on_makes_room_for_an_option_larger_than_its_cap(solver: str) -> None:
    rows = state_rows([[0, 1], [9, 0]], [4, 5], carry=[(0, 1, 1.0)])
    problem = state_problem([3.0, 1.0], rows=rows)
    assert solve(problem, Solving(solver=solver, gap=0)).chosen == (0,)


@both
def test_large_whole_numbers_are_off_by_one_or_not_at_all(solver: str) -> None:
    use = [[1000001, 2000003, 3000005]]
    nothing = state_problem([1.0, 2, 3], rows=state_rows(use, [3000003], sense="=="))
    assert solve(nothing, Solving(solver=solver, gap=0)).status is Status.INFEASIBLE
    two = state_problem([1.0, 2, 3], rows=state_rows(use, [3000004], sense="=="))
    assert solve(two, Solving(solver=solver, gap=0)).chosen == (0, 1)
    assert not evaluate(nothing, (0, 1)).feasible


def cheapest(cost: np.ndarray, weight: np.ndarray, room: float) -> float:
    """The least cost of giving each job to one agent, by trying all ways."""
    jobs, agents = cost.shape
    best = np.inf
    for pick in itertools.product(range(agents), repeat=jobs):
        load = np.bincount(pick, weights=weight[range(jobs), pick], minlength=agents)
        if (load <= room).all():
            best = min(best, float(cost[range(jobs), pick].sum()))
    return best


@both
@pytest.mark.parametrize("forbidden", [1e6, 1e9])
def test_a_forbidding_price_leaves_the_other_prices_exact(solver: str, forbidden: float) -> None:
    solved = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cost, weight = rng.integers(10, 50, (5, 3)).astype(float), rng.integers(5, 20, (5, 3))
        cost[rng.random((5, 3)) < 0.2] = forbidden
        use = np.zeros((3, 15))
        for job, agent in itertools.product(range(5), range(3)):
            use[agent, 3 * job + agent] = weight[job, agent]
        rows = state_rows(use, [28] * 3)
        problem = state_problem(-cost.ravel(), groups=Groups(of=np.repeat(range(5), 3), exactly_one=True), rows=rows)
        best, found = cheapest(cost, weight, 28), solve(problem, Solving(solver=solver, gap=0))
        if best == np.inf:
            assert found.status is Status.INFEASIBLE
            continue
        solved += 1
        assert -found.objective == pytest.approx(best, rel=1e-9)
        assert found.bound >= -best - 1e-6 * abs(best)
    assert solved >= 6


@both
def test_mostly_forbidden_choices(solver: str) -> None:
    assert solve(state_problem([15.0, -1e10]), Solving(solver=solver, gap=0)).objective == 15
    assert solve(state_problem([-1e10, -1e9, 2.0, 1.5, -1e10]), Solving(solver=solver, gap=0)).objective == 3.5
    assert solve(state_problem([1e-13, 4.0, -3.0]), Solving(solver=solver, gap=0)).objective == pytest.approx(4.0)


def test_two_rules_on_the_money_of_one_row_have_names_of_their_own() -> None:
    problem = state_problem([[1.0, 2.0], [2.0, 1.0]], rows=state_rows([[1, 1]], [2], labels=Labels(names=["money"])))
    rules = (
        SampledRow(0, np.array([[1.0, 3], [1, 1]]), level=0.5),
        SampledRow(0, np.array([[1.0, 1], [1, 3]]), level=0.5),
    )
    found = solve_risk(problem, Risk(money=rules), solving=Solving(gap=0))
    assert [rule.name for rule in found.rules] == ["money at 0.5", "money at 0.5 (2)"]


@pytest.mark.parametrize("method", ["exact", "search"])
def test_a_time_limit_among_the_cuts_is_no_answer_or_one(method: str) -> None:
    rng = np.random.default_rng(1)
    problem = state_problem(rng.lognormal(0, 1, (300, 300)), rows=state_rows(rng.uniform(1, 9, (3, 300)), [200] * 3))
    for limit in (0.01, 0.05, 0.1, 0.2):
        found = solve_risk(
            problem, Risk(level=0.9, weight=0.5), solving=Solving(gap=0.001, time_limit=limit), method=method
        )
        assert found.status in {Status.NO_ANSWER, Status.FEASIBLE}


def test_a_floor_above_every_portfolio_is_infeasible() -> None:
    for seed in range(25):
        rng = np.random.default_rng(seed)
        values = rng.integers(-5, 20, (6, 5)).astype(float)
        problem = state_problem(values, rows=state_rows([rng.integers(1, 9, 5)], [12]))
        most = solve_risk(problem, Risk(level=0.6, weight=1), solving=Solving(gap=0)).cvar
        found = solve_risk(problem, Risk(level=0.6, weight=0.5, floor=1.02 * abs(most) + 0.1), solving=Solving(gap=0))
        assert found.status is Status.INFEASIBLE


def hard_to_choose_among_equals() -> PortfolioProblem:
    """HiGHS 1.15 never ended on this one when it had to choose among portfolios of exactly the optimum."""
    rows = state_rows(
        [[1, 4, 7, -1, 9, 6, 6, 2]], [13.5], sense="==", shortfall_price=[1.0], opening_use=[[5, -1, 4, 1, 4, 4]]
    )
    return state_problem(
        [-3.0, 1, 6, 16, 1, 6, -2, 18],
        groups=Groups(of=[0, 0, 0, 1, 1, 2, 2, 2], exactly_one=[1, 0, 1]),
        network=PartnerNetwork(
            stage=[0, 0, 0, 1, 0, 0, 0, 2],
            stage_names="abc",
            opening_value=[[0, -11, -1], [-6, 3, 1]],
            partners=[[0, 0], [0, 0], [0, 0], [0, 0], [1, 0], [0, 1], [1, 0], [1, 0]],
        ),
        rules=Rules(synergies=[(2, 0, 4.0), (2, 0, 3.0)], fixed_in_groups=[2]),
        rows=rows,
    )


def test_choosing_among_equals_ends() -> None:
    assert solve(hard_to_choose_among_equals(), Solving(gap=0)).objective == pytest.approx(44.5)


class Failing(Highs):
    """A solver that fails when it is asked for the second time."""

    asked = 0

    def run(
        self, model: Model, limits: RunLimits, *, relaxed: bool = False, start: np.ndarray | None = None
    ) -> SolverResult:
        Failing.asked += 1
        if Failing.asked > 1:
            raise SolverError("failing", "fails")
        return super().run(model, limits, relaxed=relaxed, start=start)


def test_a_failure_while_choosing_among_equals_loses_no_optimum() -> None:
    problem = hard_to_choose_among_equals()
    found = solve(problem, Solving(gap=0, solver=Failing()))
    assert Failing.asked == 2
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(44.5)
