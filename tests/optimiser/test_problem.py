"""Stating a problem, refusing a wrong one, and judging a choice by hand-worked figures."""

from __future__ import annotations

import doctest
import pickle
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array

from rdsim.errors import InfeasibleError, InputError, ProblemError, SolverError
from rdsim.optimiser import (
    Groups,
    Labels,
    PartnerNetwork,
    Rules,
    Solving,
    Status,
    check,
    evaluate,
    require,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.problem import problem
from tests.optimiser.small import problem_of_fields

KNAPSACK = {"values": [6.0, 10.0, 12.0], "rows": state_rows([[1, 2, 3]], cap=[5])}


def test_the_docstring_is_true() -> None:
    result = doctest.testmod(problem)
    assert result.attempted >= 3
    assert result.failed == 0


def test_arrays_are_read_only_and_copies() -> None:
    values = np.array([1.0, 2.0])
    stated = state_problem(values)
    values[0] = 99
    assert stated.values[0] == 1.0
    for array in (stated.values, stated.group, stated.rows.cap, stated.rows.use.data, stated.expected_value):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_samples_count_by_their_mean() -> None:
    stated = state_problem([[1.0, 8.0], [3.0, 0.0]])
    assert stated.expected_value.tolist() == [2.0, 4.0]
    assert evaluate(stated, [0, 1]).objective == 6.0


def test_a_pickled_problem_is_the_same_problem() -> None:
    stated = state_problem(**KNAPSACK, network=PartnerNetwork(partners=[0, -1, 1], opening_value=-1))
    again = pickle.loads(pickle.dumps(stated))  # noqa: S301 - our own bytes
    assert evaluate(again, [0, 2]).objective == evaluate(stated, [0, 2]).objective == 16.0


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "values of three dimensions": ({"values": np.zeros((1, 1, 3))}, "values"),
    "no samples": ({"values": np.zeros((0, 3))}, "values"),
    "value nan": ({"values": [1.0, np.nan, 2.0]}, "values"),
    "group too short": ({"group": [0, 1]}, "group"),
    "group negative": ({"group": [0, -1, 1]}, "group"),
    "group unnamed": ({"group": [0, 5, 1], "group_names": ["a", "b"]}, "group"),
    "exactly_one too long": ({"exactly_one": [True] * 9}, "exactly_one"),
    "stage unnamed": ({"stage": [0, 4, 0], "stage_names": ["a"]}, "stage"),
    "names repeated": ({"option_names": ["a", "a", "b"]}, "option_names"),
    "names missing": ({"option_names": ["a"]}, "values"),
    "row names repeated": (
        {"rows": state_rows([[1, 2, 3]] * 2, [1, 1], labels=Labels(names=["r", "r"]))},
        "rows.names",
    ),
    "partners of wrong shape": ({"partners": np.ones((2, 1), dtype=bool)}, "partners"),
    "opening value of wrong shape": ({"partners": [0, 1, 0], "opening_value": [[1.0]]}, "opening_value"),
    "opening value infinite": ({"partners": [0, 0, 0], "opening_value": -np.inf}, "opening_value"),
    "use of wrong shape": ({"rows": state_rows([[1, 2]], [1])}, "rows.use"),
    "use nan": ({"rows": state_rows([[1, np.nan, 2]], [1])}, "rows.use"),
    "cap infinite": ({"rows": state_rows([[1, 2, 3]], [np.inf])}, "rows.cap"),
    "opening use of wrong shape": (
        {"partners": [0, 0, 0], "rows": state_rows([[1, 2, 3]], [1], opening_use=[[1, 1]])},
        "rows.opening_use",
    ),
    "sense unknown": ({"rows": state_rows([[1, 2, 3]], [1], sense="<")}, "rows.sense"),
    "price negative": ({"rows": state_rows([[1, 2, 3]], [1], shortfall_price=[-1])}, "rows.shortfall_price"),
    "prices too many": ({"rows": state_rows([[1, 2, 3]], [1], shortfall_price=[1, 1])}, "rows.shortfall_price"),
    "families too few": ({"rows": state_rows([[1, 2, 3]], [1], labels=Labels(family=[]))}, "rows.family"),
    "carry out of range": ({"rows": state_rows([[1, 2, 3]], [1], carry=[(0, 3, 0.5)])}, "rows.carry"),
    "carry rate negative": ({"rows": state_rows([[1, 2, 3]] * 2, [1, 1], carry=[(0, 1, -0.5)])}, "rows.carry"),
    "carry rate nan": ({"rows": state_rows([[1, 2, 3]] * 2, [1, 1], carry=[(0, 1, np.nan)])}, "rows.carry"),
    "carry from a floor": (
        {"rows": state_rows([[1, 2, 3]] * 2, [1, 1], sense=">=", carry=[(0, 1, 0.5)])},
        "rows.carry",
    ),
    "carry from a soft row": (
        {"rows": state_rows([[1, 2, 3]] * 2, [1, 1], shortfall_price=[1, np.nan], carry=[(0, 1, 0.5)])},
        "rows.carry",
    ),
    "carry twice": ({"rows": state_rows([[1, 2, 3]] * 2, [1, 1], carry=[(0, 1, 0.5), (0, 1, 0.5)])}, "rows.carry"),
    "carry in a circle": ({"rows": state_rows([[1, 2, 3]] * 2, [1, 1], carry=[(0, 1, 1), (1, 0, 1)])}, "rows.carry"),
    "prerequisite of itself": ({"prerequisites": [(1, 1)]}, "prerequisites"),
    "prerequisite unknown": ({"prerequisites": [(1, 7)]}, "prerequisites"),
    "exclusion named twice": ({"exclusions": [(1, 1)]}, "exclusions"),
    "synergy with itself": ({"synergies": [(1, 1, 2.0)]}, "synergies"),
    "synergy infinite": ({"synergies": [(0, 1, np.inf)]}, "synergies"),
    "fixed both ways": ({"fixed_in_groups": [0], "fixed_out_groups": [0]}, "fixed_in_groups"),
    "fixed option unknown": ({"fixed_in_options": [9]}, "fixed_in_options"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_problem_is_refused(name: str) -> None:
    arguments, where = BROKEN[name]
    with pytest.raises(ProblemError) as caught:
        problem_of_fields(**(KNAPSACK | arguments))
    assert any(fault.where.startswith(where) for fault in caught.value.faults), str(caught.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        state_problem([1.0, np.inf, 2.0], rules=Rules(prerequisites=[(0, 0)], exclusions=[(9, 1)]))
    assert len(caught.value.faults) == 3
    assert pickle.loads(pickle.dumps(caught.value)).faults == caught.value.faults  # noqa: S301 - our own bytes


def test_a_problem_changed_by_hand_is_checked_again() -> None:
    stated = state_problem(**KNAPSACK)
    wrong = replace(stated, group=np.array([0, 1]))
    with pytest.raises(ProblemError):
        check(wrong)
    with pytest.raises(ProblemError):
        solve(wrong)


def test_one_partner_for_each_option_or_none() -> None:
    stated = state_problem([1.0, 2.0, 3.0], network=PartnerNetwork(partners=[1, -1, 0], partner_names=["a", "b", "c"]))
    assert stated.partners.toarray().tolist() == [[False, True, False], [False, False, False], [True, False, False]]


def test_duplicate_entries_of_a_matrix_add_up() -> None:
    twice = coo_array(([1.0, 1.0, 2.0], ([0, 0, 0], [0, 0, 1])), shape=(1, 2))
    stated = state_problem([5.0, 4.0], rows=state_rows(twice, [3]))
    assert stated.rows.use.toarray().tolist() == [[2.0, 2.0]]
    assert solve(stated, Solving(gap=0)).chosen == (0,)


# ---------------------------------------------------------------- the judge


def world() -> problem.PortfolioProblem:
    """Two years, two partners (option 1 is a consortium of both), budget with half carried over."""
    rows = state_rows(
        [[3, 2, 0], [0, 2, 6], [1, 1, 1]],
        [4, 5, 2],
        sense=["<=", "<=", ">="],
        labels=Labels(names=["budget 1", "budget 2", "wanted"], family=["budget", "budget", "international"]),
        opening_use=[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]],
        shortfall_price=[np.nan, np.nan, 10],
        carry=[(0, 1, 0.5)],
    )
    return state_problem(
        [20.0, 30.0, 40.0],
        rows=rows,
        network=PartnerNetwork(partners=[[1, 0], [1, 1], [0, 0]], stage=[0, 1, 1], opening_value=[[-5, -4], [-3, -2]]),
        rules=Rules(synergies=[(0, 2, 7.0), (1, 2, -6.0)], prerequisites=[(1, 0)]),
    )


def test_a_choice_judged_by_hand() -> None:
    judged = evaluate(world(), [0, 1])
    assert judged.opened == {
        0: 0,
        1: 1,
    }  # partner 0 opens with option 0, the consortium brings in partner 1 a year later
    assert judged.activity.tolist() == [6.0, 2.0, 2.0]
    assert judged.objective == 20 + 30 - 5 - 2
    assert [(v.family, v.name, v.amount) for v in judged.violations] == [("budget", "budget 1", 2.0)]
    assert not judged.feasible


def test_carry_over_and_a_soft_row_judged_by_hand() -> None:
    judged = evaluate(world(), [2])
    assert judged.carried.tolist() == [4.0, 0.0, 0.0]
    assert judged.room.tolist() == [4.0, 7.0, 2.0]  # half of 4 moves on: option 2 fits only because of it
    assert judged.feasible
    assert (judged.expected, judged.shortfall, judged.objective) == (40.0, 10.0, 30.0)


def test_a_dependent_group_may_start_with_its_prerequisite_but_not_before() -> None:
    stated = state_problem(
        [1.0, 1.0, 1.0],
        groups=Groups(of=[0, 0, 1]),
        network=PartnerNetwork(stage=[0, 1, 1]),
        rules=Rules(prerequisites=[(0, 1)]),
    )
    assert evaluate(stated, [1, 2]).feasible
    assert [v.family for v in evaluate(stated, [0, 2]).violations] == ["prerequisite"]
    assert [v.family for v in evaluate(stated, [1]).violations] == ["prerequisite"]


def test_rules_that_are_broken_are_named() -> None:
    stated = state_problem(
        [1.0] * 5,
        groups=Groups(of=[0, 0, 1, 2, 3], exactly_one=[False, False, True, False]),
        rules=Rules(exclusions=[(0, 1)], fixed_in_groups=[3], fixed_out_options=[0]),
    )
    families = Counter(violation.family for violation in evaluate(stated, [0, 1, 2]).violations)
    assert families == {"choice": 2, "exclusion": 1, "fixed": 2}


@pytest.mark.parametrize("chosen", [[3], [-1], [0, 0]])
def test_a_choice_that_is_none(chosen: list[int]) -> None:
    with pytest.raises(ProblemError):
        evaluate(state_problem(**KNAPSACK), chosen)


# ---------------------------------------------------------------- the answer


def test_an_infeasible_answer_becomes_an_error_only_on_request() -> None:
    stated = state_problem([1.0], rows=state_rows([[1]], [2], sense=">="))
    solution = solve(stated, Solving(gap=0))
    assert (solution.status, solution.chosen) == (Status.INFEASIBLE, ())
    assert np.isnan(solution.objective)
    with pytest.raises(InfeasibleError) as caught:
        require(solution)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own bytes
    with pytest.raises(SolverError):
        require(replace(solution, status=Status.NO_ANSWER))


def test_a_solution_pickles() -> None:
    solution = solve(state_problem(**KNAPSACK), Solving(gap=0))
    assert require(solution) is solution
    assert pickle.loads(pickle.dumps(solution)) == solution  # noqa: S301 - our own bytes


def test_an_effort_that_there_is_not_is_refused_where_it_is_stated() -> None:
    with pytest.raises(InputError, match="Solving, effort: must be one of quick, normal, long"):
        Solving(effort="idle")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"gap": -0.1}, {"gap": 1.0}, {"time_limit": -1}, {"threads": 0}], ids=str)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as raised:
        solve(state_problem(**KNAPSACK), Solving(**wrong))
    assert [fault.where for fault in raised.value.faults] == list(wrong)
    with pytest.raises(ProblemError, match="method"):
        solve(state_problem(**KNAPSACK), method="magic")
    with pytest.raises(SolverError):
        solve(state_problem(**KNAPSACK), Solving(solver="oracle"))
