"""Simple rules: feasible, repeatable, in the order they claim, and never better than the bound."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from benchmarks.instances import Shape, draw_problem
from rdsim.choice_rules import CHOOSING_RULES
from rdsim.errors import ProblemError
from rdsim.optimiser import Groups, Labels, PartnerNetwork, Solving, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.solving.baselines import fill, run_baseline
from tests.optimiser.small import build, draw, problem_of_fields

RULES = tuple(CHOOSING_RULES)


def pick(name: str, values: list[float], cost: list[float], seed: int = 0, **parts: Any) -> tuple[int, ...]:
    problem = problem_of_fields(values=values, **parts)
    return run_baseline(name, problem, cost, np.arange(len(problem.group_names), 0, -1), seed)


def test_there_are_the_four_rules() -> None:
    assert RULES == ("value-per-cost", "evaluation-score", "domestic-only", "random-feasible")


@pytest.mark.parametrize("name", RULES)
def test_a_portfolio_keeps_every_cap_and_is_no_better_than_the_bound(name: str) -> None:
    problem, of = draw_problem(4, Shape(technologies=40, partners=6, starts=3, fields=3))
    chosen = run_baseline(name, problem, of.cost, of.score)
    judged = evaluate(problem, chosen)
    assert chosen
    caps = {"budget", "starts", "places", "abroad", "field ceiling", "choice", "prerequisite", "exclusion"}
    assert not caps & {violation.family for violation in judged.violations}
    assert judged.objective <= solve(problem, Solving(gap=0.05)).bound + 1e-6
    assert chosen == run_baseline(name, problem, of.cost, of.score)


@pytest.mark.parametrize("name", RULES)
def test_incremental_arithmetic_agrees_with_the_judge(name: str) -> None:
    """On small problems of every family: what a rule built breaks only floors, quotas and what is fixed or exact."""
    for seed in range(60):
        parts = draw(seed)
        problem = build(parts, parts["families"])
        chosen = run_baseline(name, problem, parts["cost"].sum(axis=1), np.arange(5), seed)
        broken = {violation.family for violation in evaluate(problem, chosen).violations}
        assert broken <= {"field floor", "quota", "fixed", "choice"}
        counts = np.bincount(problem.group[list(chosen)], minlength=5)
        assert counts.max(initial=0) <= 1


def test_no_option_that_fits_is_left_out() -> None:
    for seed in range(30):
        parts = draw(seed)
        problem = build(parts, ("budget", "carry", "places", "opening use", "prerequisites", "exclusions"))
        chosen = run_baseline("value-per-cost", problem, parts["cost"].sum(axis=1), np.arange(5))
        for option in set(range(len(problem.option_names))) - set(chosen):
            if problem.group[option] not in problem.group[list(chosen)] and problem.expected_value[option] > 0:
                assert not evaluate(problem, [*chosen, option]).feasible


def test_value_per_cost_takes_the_best_ratio_first() -> None:
    rows = state_rows([[4, 3, 3]], [6])
    assert pick("value-per-cost", [9.0, 6.0, 5.0], [4, 3, 3], rows=rows) == (0,)  # 9/4 first, then nothing fits


def test_score_order_takes_the_best_option_of_the_best_technology() -> None:
    problem = state_problem([3.0, 5.0, 9.0], groups=Groups(of=[0, 0, 1]), rows=state_rows([[1, 1, 1]], [1]))
    assert run_baseline("evaluation-score", problem, [1, 1, 1], [80, 60]) == (1,)
    assert run_baseline("evaluation-score", problem, [1, 1, 1], [60, 80]) == (2,)


def test_domestic_only_has_no_partner_and_may_be_empty() -> None:
    assert pick("domestic-only", [9.0, 5.0], [1, 1], partners=[0, -1]) == (1,)
    assert pick("domestic-only", [9.0, 5.0], [1, 1], partners=[0, 0]) == ()


def test_random_depends_on_its_seed_alone() -> None:
    problem, of = draw_problem(4, Shape(technologies=20, partners=4, starts=2, fields=3))
    drawn = [run_baseline("random-feasible", problem, of.cost, of.score, seed) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("name", RULES)
def test_what_must_be_funded_goes_first_with_its_prerequisites(name: str) -> None:
    chosen = pick(
        name,
        [1.0, -2.0, 50.0, 50.0],
        [1, 1, 1, 1],
        rows=state_rows([[1, 1, 1, 1]], [2]),
        prerequisites=[(0, 1)],
        fixed_in_groups=[0],
    )
    assert chosen == (0, 1)


@pytest.mark.parametrize("name", RULES)
def test_what_is_fixed_out_or_worth_nothing_stays_out(name: str) -> None:
    chosen = pick(name, [5.0, 4.0, 0.0, -1.0, 3.0], [1] * 5, fixed_out_groups=[0], fixed_out_options=[1])
    assert chosen == (4,)


@pytest.mark.parametrize("name", RULES)
def test_a_floor_that_is_not_met_is_shown(name: str) -> None:
    rows = state_rows(
        [[1, 1], [1, 1]], [1, 2], sense=["<=", ">="], labels=Labels(names=["cap", "floor"], family=["cap", "floor"])
    )
    problem = state_problem([5.0, 4.0], rows=rows)
    judged = evaluate(problem, run_baseline(name, problem, [1, 1], [1, 2]))
    assert [(v.family, v.amount) for v in judged.violations] == [("floor", 1.0)]


def test_an_option_that_opens_a_partner_earlier_moves_the_cost() -> None:
    """Option 0 opens the partner in year 1 (5 of 5 spent); option 1 would move that to year 0, where no money is."""
    rows = state_rows([[0, 0], [0, 0]], [1, 5], opening_use=[[5, 0], [0, 5]])
    problem = state_problem([2.0, 1.0], network=PartnerNetwork(partners=[0, 0], stage=[1, 0]), rows=rows)
    assert fill(problem, np.array([0, 1])) == (0,)
    assert fill(problem, np.array([1, 0])) == (0,)


def test_eleven_thousand_options_take_about_a_second() -> None:
    problem, of = draw_problem(0)
    assert len(problem.option_names) > 11_000
    began = time.perf_counter()
    for name in RULES:
        run_baseline(name, problem, of.cost, of.score)
    assert time.perf_counter() - began < 15


@pytest.mark.parametrize("wrong", ["name", "cost", "score"])
def test_wrong_arguments_are_refused(wrong: str) -> None:
    problem = state_problem([1.0, 2.0])
    arguments = {"name": "value-per-cost", "cost": [1.0, 1.0], "score": [1.0, 1.0]}
    arguments[wrong] = {"name": "guess", "cost": [1.0], "score": [1.0]}[wrong]
    with pytest.raises(ProblemError):
        run_baseline(arguments["name"], problem, arguments["cost"], arguments["score"])
