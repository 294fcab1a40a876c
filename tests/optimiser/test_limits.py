"""Limits are kept, from outside where need be, and what they left open is said; what HiGHS refuses is heard."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import numpy as np
import pytest

from rdsim.errors import SolverError
from rdsim.optimiser import (
    Labels,
    PartnerNetwork,
    PortfolioProblem,
    Solving,
    Status,
    Termination,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.cbc import Cbc
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.questions.risk_conflicts import risk_diagnosis
from rdsim.optimiser.solving.appraisal import Risk
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.unproven import Unproven, unproven_solves

HANGS = """#!/bin/sh
if [ "$1" = "-quit" ]; then echo "Version: 1.0"; exit 0; fi
sleep 600 &
echo $! > {pid}
wait
"""


def knapsack() -> PortfolioProblem:
    return state_problem([3.0, 4.0, 5.0], rows=state_rows([[2, 3, 4]], [5]))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(os.name == "nt", reason="a process of its own is watched where there are sessions")
def test_a_solver_that_hangs_is_ended_at_its_limit_with_what_it_started(tmp_path: Path) -> None:
    program, pid = tmp_path / "cbc", tmp_path / "pid"
    program.write_text(HANGS.format(pid=pid), encoding="utf-8")
    program.chmod(0o755)
    began = time.perf_counter()
    with unproven_solves() as unproven:
        found = solve(knapsack(), Solving(solver=Cbc(path=str(program)), gap=0, time_limit=0.3))
    assert time.perf_counter() - began < 30
    assert (found.status, found.termination) == (Status.NO_ANSWER, Termination.TIME_LIMIT)
    assert unproven == [Unproven(0, math.inf)]
    for _ in range(100):
        if not is_alive(int(pid.read_text(encoding="utf-8"))):
            break
        time.sleep(0.1)
    assert not is_alive(int(pid.read_text(encoding="utf-8")))


def test_only_what_a_limit_left_open_is_noted() -> None:
    rng = np.random.default_rng(1)
    hard = state_problem(rng.lognormal(0, 1, 400), rows=state_rows(rng.uniform(1, 9, (6, 400)), [200.0] * 6))
    with unproven_solves() as unproven:
        solve(knapsack(), Solving(gap=0, time_limit=60))
        assert not unproven
        found = solve(hard, Solving(gap=0, time_limit=0.2))
    assert found.termination is Termination.TIME_LIMIT
    assert [one.asked for one in unproven] == [0]
    assert unproven[0].proven == found.gap > 0
    solve(hard, Solving(gap=0, time_limit=0.01))
    assert len(unproven) == 1


# ---------------------------------------------------------------- numbers that HiGHS refuses


def test_rows_that_are_refused_are_an_error_and_not_forgotten() -> None:
    relaxation = Highs().relaxation(formulate(knapsack()))
    relaxation.solve(RunLimits())
    with pytest.raises(SolverError, match="refused"):
        relaxation.add(np.ones((1, 3)), np.array([-1e21]))


def sampled(seed: int = 0) -> PortfolioProblem:
    rng = np.random.default_rng(seed)
    values = rng.integers(-5, 20, (40, 6)).astype(float)
    return state_problem(
        values,
        rows=state_rows([rng.integers(1, 9, 6)], [12], labels=Labels(names=["money"], family="budget")),
        network=PartnerNetwork(partners=[-1] * 6),
    )


@pytest.mark.parametrize("method", ["exact", "search"])
@pytest.mark.parametrize("floor", [1e3, 1e21, 1e300])
def test_a_floor_beyond_all_numbers_is_infeasible(method: str, floor: float) -> None:
    found = solve_risk(sampled(), Risk(level=0.6, weight=0.5, floor=floor), solving=Solving(gap=0), method=method)
    assert found.status is Status.INFEASIBLE
    target = Risk(level=0.6, target=floor, probability=0.5)
    assert solve_risk(sampled(), target, solving=Solving(gap=0), method=method).status is Status.INFEASIBLE


# ---------------------------------------------------------------- why a risk cannot be kept


def test_a_floor_that_cannot_be_reached_is_told_with_the_best_there_is_and_ways_out() -> None:
    problem = sampled()
    best = solve_risk(problem, Risk(level=0.6, weight=1.0), solving=Solving(gap=0))
    floor = best.cvar + 2.0
    told = risk_diagnosis(problem, Risk(level=0.6, floor=floor))
    assert "risk.floor" in told
    assert f"the best found has {best.cvar:,.4g}" in told
    assert "2 short" in told
    ways = told.split("ways out")[1]
    assert "lower risk.floor to" in ways
    lowered = float(ways.split("lower risk.floor to ")[1].split()[0].replace(",", ""))
    assert solve_risk(problem, Risk(level=0.6, floor=lowered), solving=Solving(gap=0)).has_portfolio
    assert best.cvar - 0.05 < lowered <= best.cvar
    assert "raise money by" in ways


def test_of_rules_that_can_be_kept_one_by_one_both_are_named() -> None:
    problem = sampled(3)
    best = solve_risk(problem, Risk(level=0.6, weight=1.0), solving=Solving(gap=0))
    risk = Risk(level=0.6, floor=best.cvar - 1e-6, target=best.mean + 4.0, probability=0.5)
    if solve_risk(problem, risk, Solving(gap=0), method="exact").has_portfolio:
        pytest.fail("the case is meant to have no portfolio")
    told = risk_diagnosis(problem, risk)
    assert "risk.target" in told
    assert "ways out" in told
    assert told.split("ways out")[1].count("lower risk.") >= 2


def test_a_probability_that_cannot_be_had_is_told_with_the_share_that_can() -> None:
    problem = sampled()
    told = risk_diagnosis(problem, Risk(level=0.6, target=40.0, probability=0.9))
    assert "40 in 0.9 of the samples" in told
    assert "the best found reaches it in" in told
    assert "lower risk.target to" in told
