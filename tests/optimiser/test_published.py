"""Families of published problems, stated by arrays and as folders: the optimum is that of a textbook model in scipy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from rdsim.optimiser import (
    Groups,
    PartnerNetwork,
    PortfolioProblem,
    Solving,
    Status,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.problem.folder import read, write
from tests.optimiser.machine import INSTALLED


class Stated(NamedTuple):
    """A problem as rdsim states it, and the optimum of a model written from the textbook."""

    problem: PortfolioProblem
    optimum: float


def textbook(value: np.ndarray, rows: list[tuple[np.ndarray, float, float]], whole: np.ndarray | None = None) -> float:
    """The largest value @ x with low <= row @ x <= high, x binary (or continuous and >= 0 where not whole)."""
    kind = np.ones(value.size) if whole is None else whole.astype(float)
    constraints = [LinearConstraint(row, low, high) for row, low, high in rows]
    upper = np.where(kind > 0, 1.0, np.inf)
    found = milp(-value, integrality=kind, bounds=Bounds(0, upper), constraints=constraints, options={"mip_rel_gap": 0})
    assert found.success
    return float(-found.fun)


def knapsacks(rng: np.random.Generator) -> Stated:
    """Several constraints, 40 items, coefficients up to 10^6."""
    weights = rng.integers(1, 10**6, (5, 40)).astype(float)
    value = np.floor(weights.mean(axis=0) + rng.integers(0, 500_000, 40))
    caps = np.floor(weights.sum(axis=1) / 2)
    problem = state_problem(value, rows=state_rows(weights, caps))
    return Stated(problem, textbook(value, [(row, -np.inf, cap) for row, cap in zip(weights, caps, strict=True)]))


def multiple_choice(rng: np.random.Generator) -> Stated:
    """Exactly one of each of 12 classes of 6, two constraints, some values negative."""
    group = np.repeat(np.arange(12), 6)
    value, weights = rng.integers(-20, 100, 72).astype(float), rng.integers(1, 50, (2, 72)).astype(float)
    caps = np.array([12 * 22.0, 12 * 24.0])
    problem = state_problem(value, groups=Groups(of=group, exactly_one=True), rows=state_rows(weights, caps))
    rows = [(row, -np.inf, cap) for row, cap in zip(weights, caps, strict=True)]
    rows += [((group == g).astype(float), 1.0, 1.0) for g in range(12)]
    return Stated(problem, textbook(value, rows))


def _assignment(rng: np.random.Generator, sign: float) -> Stated:
    """Jobs to agents: option (agent, job), a group for each job, a row for each agent."""
    agents, jobs = 5, 20
    value = sign * rng.integers(10, 51, (agents, jobs)).astype(float)
    use = rng.integers(5, 26, (agents, jobs)).astype(float)
    caps = np.floor(0.9 * use.sum(axis=1) / agents)
    rows = np.kron(np.eye(agents), np.ones(jobs)) * use.ravel()
    group = np.tile(np.arange(jobs), agents)
    problem = state_problem(value.ravel(), groups=Groups(of=group, exactly_one=True), rows=state_rows(rows, caps))
    limits = [(row, -np.inf, cap) for row, cap in zip(rows, caps, strict=True)]
    limits += [((group == job).astype(float), 1.0, 1.0) for job in range(jobs)]
    return Stated(problem, textbook(value.ravel(), limits))


def assignment_of_least_cost(rng: np.random.Generator) -> Stated:
    """Generalised assignment, minimised."""
    return _assignment(rng, -1.0)


def assignment_of_most_profit(rng: np.random.Generator) -> Stated:
    """Generalised assignment, maximised."""
    return _assignment(rng, 1.0)


def facilities(rng: np.random.Generator) -> Stated:
    """Capacitated facility location with single sourcing: a partner is a facility, a customer a group."""
    sites, customers = 6, 15
    demand = rng.integers(5, 36, customers).astype(float)
    cost = rng.integers(20, 400, (sites, customers)).astype(float)
    fixed, capacity = rng.integers(200, 600, sites).astype(float), np.full(sites, np.ceil(demand.sum() / 2.5))
    group, partner = np.tile(np.arange(customers), sites), np.repeat(np.eye(sites), customers, axis=0)
    use = np.kron(np.eye(sites), np.ones(customers)) * np.tile(demand, sites)
    problem = state_problem(
        -cost.ravel(),
        groups=Groups(of=group, exactly_one=True),
        network=PartnerNetwork(partners=partner, opening_value=-fixed[:, np.newaxis]),
        rows=state_rows(use, capacity),
    )
    value = np.concatenate([-cost.ravel(), -fixed])
    options = sites * customers
    rows = [(np.append(group == job, np.zeros(sites)).astype(float), 1.0, 1.0) for job in range(customers)]
    rows += [(np.append(use[site], -capacity * (np.arange(sites) == site)), -np.inf, 0.0) for site in range(sites)]
    for option in range(options):
        row = np.zeros(options + sites)
        row[option], row[options + option // customers] = 1.0, -1.0
        rows.append((row, -np.inf, 0.0))
    return Stated(problem, textbook(value, rows))


def periods(rng: np.random.Generator) -> Stated:
    """Money of four years, nine tenths of what is unspent passed on; each project in one of its start years."""
    projects, years, rate = 14, 4, 0.9
    group, start = np.repeat(np.arange(projects), years), np.tile(np.arange(years), projects)
    value = np.repeat(rng.integers(20, 90, projects), years) * 0.95**start
    cost = np.repeat(rng.integers(5, 20, projects), years).astype(float)
    use = np.where(start == np.arange(years)[:, np.newaxis], cost, 0.0)
    caps = rng.integers(10, 40, years).astype(float)
    carry = [(year, year + 1, rate) for year in range(years - 1)]
    problem = state_problem(
        value, groups=Groups(of=group), network=PartnerNetwork(stage=start), rows=state_rows(use, caps, carry=carry)
    )
    options = projects * years
    rows = [(np.append(group == g, np.zeros(years)).astype(float), 0.0, 1.0) for g in range(projects)]
    for year in range(years):  # spent + passed on <= cap + rate * passed in
        passed = (np.arange(years) == year) - rate * (np.arange(years) == year - 1)
        rows.append((np.append(use[year], passed), -np.inf, caps[year]))
    whole = np.append(np.ones(options), np.zeros(years))
    return Stated(problem, textbook(np.append(value, np.zeros(years)), rows, whole))


FAMILIES: tuple[Callable[[np.random.Generator], Stated], ...] = (
    knapsacks,
    multiple_choice,
    assignment_of_least_cost,
    assignment_of_most_profit,
    facilities,
    periods,
)


@pytest.mark.parametrize("solver", INSTALLED)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_solved_to_the_textbooks_optimum(
    family: Callable[[np.random.Generator], Stated], solver: str, tmp_path: Path
) -> None:
    for seed in range(2):
        problem, optimum = family(np.random.default_rng(seed))
        found = solve(problem, Solving(gap=0, solver=solver))
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(optimum, rel=1e-7)
        assert found.bound == pytest.approx(optimum, rel=1e-6)
        assert found.bound >= found.objective
        judged = evaluate(problem, found.chosen)
        assert judged.feasible
        assert judged.objective == pytest.approx(found.objective)
        folder = tmp_path / f"{seed}"
        write(problem, folder, minimise=bool((problem.values <= 0).all()))
        again = solve(read(folder), Solving(gap=0, solver=solver))
        assert again.objective == pytest.approx(optimum, rel=1e-7)
