"""Explanations against brute force: losses, rises, cuts and caps are exact at gap 0, and honest at others."""

from __future__ import annotations

import functools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rdsim
from rdsim.errors import ProblemError
from rdsim.optimiser import PortfolioProblem, Solution, evaluate, solve, state_problem, state_rows
from rdsim.optimiser.conflicts import Change, relaxed_by
from rdsim.optimiser.explanation import (
    CUT_STEP,
    Reason,
    WhyNot,
    cost_of_losing,
    hints,
    screen,
    why_not,
    worth_of_cap,
)
from rdsim.optimiser.milp import formulate
from rdsim.optimiser.solvers import Limits, solver_named
from rdsim.optimiser.variations import with_caps, with_fixed, with_slack, with_use, with_values
from rdsim.options import candidates, sample
from rdsim.statement import state
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, brute_force, build, draw
from tests.sizes import size

SEEDS = size(25, 120)
EXAMPLES = size(6, 60)


@functools.cache
def case(seed: int) -> tuple[PortfolioProblem, Solution] | None:
    """A problem with an answer, or none."""
    problem = build(draw(seed), draw(seed)["families"])
    solution = solve(problem, gap=0)
    return (problem, solution) if solution.has_portfolio else None


def cases() -> list[tuple[PortfolioProblem, Solution]]:
    return [found for seed in range(SEEDS) if (found := case(seed)) is not None]


def unfunded(problem: PortfolioProblem, solution: Solution) -> list[int]:
    funded = set(problem.group[list(solution.chosen)].tolist())
    return [group for group in range(len(problem.group_names)) if group not in funded]


def with_and_without(problem: PortfolioProblem, group: int) -> tuple[float, float]:
    """(A1, A0) by trying all."""
    inside = brute_force(with_fixed(problem, groups_in=[group]))[0]
    return inside, brute_force(with_fixed(problem, groups_out=[group]))[0]


def ruled_out(problem: PortfolioProblem, group: int) -> bool:
    return set(np.flatnonzero(problem.group == group).tolist()) <= set(problem.fixed_out_options)


def cheaper(problem: PortfolioProblem, group: int, cut: float, family: str) -> PortfolioProblem:
    """The group's use of ceilings of a family (of all, if it has none) less a share."""
    use = problem.rows.use.toarray()
    ceilings = [row for row, sense in enumerate(problem.rows.sense) if sense == "<="]
    chosen = [row for row in ceilings if problem.rows.family[row] == family] or ceilings
    use[np.ix_(chosen, np.flatnonzero(problem.group == group))] *= 1 - cut
    return with_use(problem, use)


def assert_caps(problem: PortfolioProblem, group: int, found: WhyNot) -> None:
    """At the amount it comes in; at no smaller amount, and with rows called hopeless at none."""
    assert found.open_caps == ()
    for rise in found.caps:
        assert rise.amount.low == pytest.approx(rise.amount.found, abs=1e-4)
        inside, outside = with_and_without(with_slack(problem, {rise.row: rise.amount.found}), group)
        assert inside >= outside - 1e-5
        for share in (0.0, 0.3, 0.7, 0.95):
            amount = share * rise.amount.found - 1e-3 * (share > 0)
            inside, outside = with_and_without(with_slack(problem, {rise.row: max(amount, 0.0)}), group)
            assert inside < outside
    for name in found.no_cap:
        row = problem.rows.names.index(name)
        for amount in (0.5, 2.0, 7.0, 40.0):
            inside, outside = with_and_without(with_slack(problem, {row: amount}), group)
            assert inside < outside


def assert_cut(problem: PortfolioProblem, group: int, found: WhyNot) -> None:
    enough = found.cut.found if math.isfinite(found.cut.found) else 1.0
    inside, outside = with_and_without(cheaper(problem, group, enough, "budget"), group)
    assert (inside >= outside - 1e-6) == math.isfinite(found.cut.found)
    if math.isfinite(found.cut.found) and found.cut.found > 0:
        inside, outside = with_and_without(cheaper(problem, group, found.cut.low, "budget"), group)
        assert inside < outside
        assert found.cut.high - found.cut.low <= CUT_STEP


def assert_explained(problem: PortfolioProblem, solution: Solution, group: int) -> WhyNot:
    found = why_not(problem, solution, group, gap=0, within=math.inf)
    if ruled_out(problem, group):
        assert found.reason is Reason.RULED_OUT
        return found
    inside, outside = with_and_without(problem, group)
    assert found.verified
    if inside == -math.inf:
        assert found.conflict is not None
        assert found.loss.low == math.inf
    else:
        assert found.conflict is None
        assert found.loss.exact
        assert found.loss.found == pytest.approx(outside - inside, abs=1e-6)
        assert evaluate(problem, solution.chosen).objective == pytest.approx(outside, abs=1e-6)
    if inside >= outside:
        assert found.reason is Reason.AS_GOOD
        return found
    assert_cut(problem, group, found)
    assert_caps(problem, group, found)
    return found


def assert_rise_brings_it_in(problem: PortfolioProblem, group: int, found: WhyNot) -> None:
    mine = problem.group == group
    for rise, comes in ((found.loss.found + 0.5, True), (found.loss.found - 0.5, False)):
        _, optima = brute_force(with_values(problem, problem.values + rise * mine))
        assert all(bool(mine[list(chosen)].any()) == comes for chosen in optima)


def test_why_not_is_exact() -> None:
    seen: Counter[str] = Counter()
    for problem, solution in cases():
        for group in unfunded(problem, solution):
            found = assert_explained(problem, solution, group)
            seen[found.reason.name] += 1
            seen["cut"] += math.isfinite(found.cut.found)
            seen["cap"] += bool(found.caps)
            seen["no cap"] += not found.caps and found.reason is Reason.CROWDED_OUT
            seen["link"] += bool(found.links)
            if math.isfinite(found.loss.found) and found.loss.found > 0.5:
                assert_rise_brings_it_in(problem, group, found)
                seen["rise"] += 1
            for rule in found.links:
                inside, outside = with_and_without(relaxed_by(problem, [Change(rule, 1.0, 0.0)]), group)
                assert inside >= outside - 1e-6
    for name in ("CROWDED_OUT", "IMPOSSIBLE", "cut", "cap", "link", "rise"):
        assert seen[name] >= 2, (name, seen)
    assert seen["no cap"] >= 1, seen


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(1000, 10**6), families=st.sets(st.sampled_from(FAMILIES), min_size=4))
def test_any_group_is_explained(seed: int, families: set[str]) -> None:
    problem = build(draw(seed), families)
    solution = solve(problem, gap=0)
    for group in unfunded(problem, solution)[:1] if solution.has_portfolio else ():
        assert_explained(problem, solution, group)


def test_losing_a_group_costs_what_brute_force_says() -> None:
    seen: Counter[bool] = Counter()
    for problem, solution in cases():
        for group in {int(problem.group[option]) for option in solution.chosen}:
            found = cost_of_losing(problem, solution, group, gap=0)
            if group in problem.fixed_in_groups:
                assert found.conflict is not None
                assert found.conflict.rules[0].name == problem.group_names[group]
                continue
            left = brute_force(with_fixed(problem, groups_out=[group]))[0]
            seen[left > -math.inf] += 1
            if left == -math.inf:
                assert found.cost.low == math.inf
                assert found.conflict is not None
                continue
            assert found.cost.exact
            assert found.cost.found == pytest.approx(solution.objective - left, abs=1e-6)
            assert found.exchange is not None
            assert problem.group_names[group] in found.exchange.left
    assert min(seen[True], seen[False]) >= 3


def test_the_worth_of_a_cap_is_that_of_brute_force() -> None:
    senses: Counter[str] = Counter()
    for problem, solution in cases()[: size(10, 60)]:
        for row in range(0, len(problem.rows.names), 4):
            table = worth_of_cap(problem, solution, row, [-2.0, 1.0, 3.0], gap=0)
            senses[problem.rows.sense[row]] += 1
            senses["soft"] += bool(problem.rows.is_soft[row])
            now = brute_force(problem)[0]
            for step in table.steps:
                there = brute_force(with_caps(problem, {row: float(problem.rows.cap[row]) + step.amount}))[0]
                assert step.worth.found == pytest.approx(there - now, abs=1e-6)
                assert step.worth.exact or there == -math.inf
    assert min(senses[name] for name in ("<=", ">=", "==", "soft")) >= 1


def test_steps_are_a_piecewise_table() -> None:
    problem = state_problem([6.0, 10.0, 12.0], rows=state_rows([[1, 2, 3]], [3], names=["budget"]))
    table = worth_of_cap(problem, solve(problem, gap=0), "budget", [2.0, -1.0, 3.0], gap=0)
    assert [(step.amount, step.cap, step.worth.found) for step in table.steps] == [
        (-1.0, 2.0, -6.0),
        (0.0, 3.0, 0.0),
        (2.0, 5.0, 6.0),
        (3.0, 6.0, 12.0),
    ]
    assert [step.per_unit.found for step in table.steps[1:]] == [6.0, 3.0, 6.0]
    assert table.hint == pytest.approx(4.0)
    assert "hint only" in str(table)


def test_a_screen_bounds_every_loss() -> None:
    found = 0
    for problem, solution in cases():
        screened = screen(problem, solution)
        assert sorted(one.group for one in screened) == unfunded(problem, solution)
        for one in screened:
            if one.reason is Reason.RULED_OUT:
                continue
            inside, outside = with_and_without(problem, one.group)
            loss = outside - inside
            assert one.loss.low - 1e-5 <= loss <= one.loss.high + 1e-6
            found += math.isfinite(one.loss.high)
    assert found >= 5


@pytest.mark.parametrize("solver", INSTALLED)
def test_hints_are_slopes_of_the_relaxation(solver: str) -> None:
    """A concave function's slope at a point lies between its slopes to both sides."""
    adapter, step, priced = solver_named(solver), 1e-3, 0

    def relaxed(problem: PortfolioProblem) -> float:
        return adapter.run(formulate(problem), Limits(), relaxed=True).bound

    for problem, _ in cases()[:6]:
        found = hints(problem, solver=solver)
        for row in range(0, len(problem.rows.names), 2):
            cap = float(problem.rows.cap[row])
            up, down = (relaxed(with_caps(problem, {row: cap + move})) for move in (step, -step))
            assert (up - found.bound) / step - 1e-3 <= found.worth[row]
            assert found.worth[row] <= (found.bound - down) / step + 1e-3
            priced += abs(found.worth[row]) > 1e-3
    assert priced >= 2


@pytest.mark.parametrize("solver", INSTALLED)
def test_limits_hold_at_any_gap(solver: str) -> None:
    for problem, _ in cases()[:8]:
        rough = solve(problem, gap=0.3, solver=solver)
        for group in unfunded(problem, rough)[:2]:
            if ruled_out(problem, group):
                continue
            found = why_not(problem, rough, group, gap=0.3, caps=(), solver=solver)
            inside, outside = with_and_without(problem, group)
            assert found.verified
            assert found.loss.low - 1e-6 <= max(0.0, outside - inside) <= found.loss.high + 1e-6
            if math.isfinite(found.cut.low) and found.cut.low > 0:
                inside, outside = with_and_without(cheaper(problem, group, found.cut.low, "budget"), group)
                assert inside < outside + 1e-6


def test_both_solvers_explain_alike() -> None:
    for problem, solution in cases()[:6]:
        for group in unfunded(problem, solution)[:1]:
            first, *others = (why_not(problem, solution, group, gap=0, solver=solver) for solver in INSTALLED)
            for other in others:
                assert other.reason is first.reason
                assert other.loss.found == pytest.approx(first.loss.found, abs=1e-6)
                assert other.cut.found == pytest.approx(first.cut.found, abs=1e-9)
                assert [rise.row for rise in other.caps] == [rise.row for rise in first.caps]


def planner() -> PortfolioProblem:
    rows = state_rows(
        [[2.0, 3.0, 2.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0]],
        [4.0, 3.0],
        names=["budget leapfrog 2025", "starts leapfrog 2025"],
        family=["budget", "starts"],
    )
    return state_problem(
        [9.0, 8.0, 7.0, -2.0, 1.0],
        rows=rows,
        group_names=["T1", "T2", "T3", "T4", "T5"],
        option_names=["T1/2025", "T2/2025", "T3/2025", "T4/2025", "T5/2025"],
        fixed_out_groups=[4],
    )


def test_it_reads_well() -> None:
    problem = planner()
    solution = solve(problem, gap=0)
    assert why_not(problem, solution, "T2", gap=0).describe("bn KRW").splitlines() == [
        "T2 is not funded: others make better use of what it needs.",
        "  Funding it now would lower the objective by 8 bn KRW; its value would have to rise by as much.",
        "  The best portfolio found with it - in: T2/2025; out: T1, T3.",
        "  Its cost would have to fall by 34%.",
        "  One cap alone would do: raising budget leapfrog 2025 by 1.",
    ]
    assert why_not(problem, solution, "T4", gap=0).reason is Reason.WORTHLESS
    assert why_not(problem, solution, "T5", gap=0).reason is Reason.RULED_OUT
    empty = state_problem([1.0], group=[0], group_names=["T1", "T2"])
    assert why_not(empty, solve(empty, gap=0), "T2").reason is Reason.NO_OPTION
    assert str(cost_of_losing(problem, solution, "T1", gap=0)) == "losing T1 would cost 8; in: T2/2025; out: T1, T3"


def test_a_saving_counts_as_value() -> None:
    """Money saved is worth something: with it a smaller cut of the cost is enough."""
    problem = planner()
    solution = solve(problem, gap=0)
    plain = why_not(problem, solution, "T2", gap=0).cut.found
    assert why_not(problem, solution, "T2", gap=0, saving=np.full(5, 30.0)).cut.found < plain


def test_questions_that_make_no_sense_are_refused() -> None:
    problem = planner()
    solution = solve(problem, gap=0)
    other = with_caps(problem, {0: 1.0})
    for ask in (
        lambda: why_not(problem, solution, "T1"),
        lambda: why_not(problem, solution, "T9"),
        lambda: why_not(other, solution, "T2"),
        lambda: cost_of_losing(problem, solution, "T2"),
        lambda: worth_of_cap(problem, solution, "budget", [1.0]),
        lambda: worth_of_cap(problem, solution, 0, [math.inf]),
    ):
        with pytest.raises(ProblemError):
            ask()


@pytest.fixture(scope="module")
def korea() -> tuple[PortfolioProblem, Solution]:
    scenario = rdsim.load(Path(__file__).parents[2] / "scenarios" / "korea-2024")
    problem = state(scenario, sample(scenario, candidates(scenario), samples=20, seed=1))
    return problem, solve(problem, gap=0.002)


def test_korean_technologies_are_explained(korea: tuple[PortfolioProblem, Solution]) -> None:
    problem, solution = korea
    screened = [one for one in screen(problem, solution) if one.reason is None]
    assert len(screened) >= 3
    closest = {one.group: one for one in screened}
    for one in screened[-1:] if size(0, 1) == 0 else (screened[0], screened[len(screened) // 2], screened[-1]):
        found = why_not(problem, solution, one.group, gap=0.002, caps=None if size(0, 1) else ())
        assert found.verified
        assert found.name in found.describe("bn KRW")
        # Both are right, so the limits of the quick screen and of the solves overlap.
        assert max(found.loss.low, closest[one.group].loss.low) <= min(found.loss.high, one.loss.high) + 1e-6
        if found.exchange is not None:
            assert any(name.startswith(f"{one.name}/") for name in found.exchange.joined)
