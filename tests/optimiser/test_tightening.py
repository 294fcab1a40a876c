"""Models of fixed caps are tightened: the relaxation says less nonsense, and no portfolio is lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rdsim.optimiser import Groups, Labels, PartnerNetwork, PortfolioProblem, Solving, solve, state_problem, state_rows
from rdsim.optimiser.adapters import RunLimits, SolverState, find_solver
from rdsim.optimiser.models.milp import formulate, tighten

PLACES = 2


def places(partners: int = 3, technologies: int = 6) -> PortfolioProblem:
    """Every technology with any partner; a partner has two places, and to open it costs as much as two are worth."""
    options = list(itertools.product(range(technologies), range(partners)))
    with_whom = np.array([[partner == p for p in range(partners)] for _, partner in options])
    return state_problem(
        np.array([[1.0 + 0.01 * technology for technology, _ in options]]),
        rows=state_rows(
            with_whom.T.astype(float),
            np.full(partners, float(PLACES)),
            labels=Labels(names=[f"places P{p} 2024" for p in range(partners)], family=["places"] * partners),
        ),
        option_names=[f"T{technology}/P{partner}" for technology, partner in options],
        groups=Groups(
            of=[technology for technology, _ in options], names=[f"T{technology}" for technology in range(technologies)]
        ),
        network=PartnerNetwork(
            partners=with_whom,
            partner_names=[f"P{p}" for p in range(partners)],
            stage=[0] * len(options),
            stage_names=["2024"],
            opening_value=np.full((partners, 1), -1.5),
        ),
    )


def relaxed(problem: PortfolioProblem, tight: bool) -> float:
    """The optimum of the relaxation, with or without tightening."""
    model = formulate(problem)
    answer = find_solver("highs").run(tighten(problem, model) if tight else model, RunLimits(), relaxed=True)
    assert answer.state is SolverState.OPTIMAL
    return answer.bound


def test_places_come_only_with_an_opened_partner_in_the_relaxation_too() -> None:
    """Untightened, one partner's cost opens the places of three; tightened, all three are paid for."""
    whole = sum(1.0 + 0.01 * technology for technology in range(6))
    assert relaxed(places(), tight=False) == pytest.approx(whole - 1.5)
    assert relaxed(places(), tight=True) == pytest.approx(whole - 3 * 1.5)
    assert solve(places(), Solving(gap=0)).objective == pytest.approx(whole - 3 * 1.5)
