"""Conflicts are irreducible and smallest, relaxations cheapest, by trying every portfolio; and both solvers agree."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdsim.errors import ProblemError
from rdsim.optimiser import (
    Evaluation,
    Groups,
    Labels,
    PortfolioProblem,
    Rules,
    Solving,
    evaluate,
    state_problem,
    state_rows,
)
from rdsim.optimiser.models.variations import with_slack
from rdsim.optimiser.questions.conflicts import Rule, cheapest_relaxation, conflicts, relax, relaxations, rules_of
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, brute_force, build, choices, draw
from tests.sizes import size

CASES = size(30, 150)
EXAMPLES = size(10, 100)
INDEPENDENT = tuple(family for family in FAMILIES if family != "carry")  # rules that can be judged one by one


@functools.cache
def posed(seed: int) -> PortfolioProblem:
    """A generated problem whose rules can be judged one by one."""
    parts = draw(seed)
    return build(parts, set(parts["families"]) & set(INDEPENDENT))


def shortage(problem: PortfolioProblem, judged: Evaluation, rule: Rule) -> float:
    """How far a portfolio is from obeying a rule; 1 for a rule that is obeyed or not."""
    start = {int(problem.group[option]): int(problem.stage[option]) for option in judged.chosen}
    if rule.kind == "row":
        over = judged.activity[rule.index] - problem.rows.cap[rule.index]
        sense = problem.rows.sense[rule.index]
        return max(0.0, over if sense != ">=" else 0.0, -over if sense != "<=" else 0.0)
    if rule.kind == "exclusion":
        return float(sum(group in start for group in problem.exclusions[rule.index]) > 1)
    if rule.kind == "prerequisite":
        dependent, needed = problem.prerequisites[rule.index].tolist()
        return float(dependent in start and start.get(needed, 99) > start[dependent])
    if rule.kind.startswith("option"):
        return float((rule.index in judged.chosen) != (rule.kind == "option fixed in"))
    return float((rule.index in start) == (rule.kind == "must-not-fund"))


@functools.lru_cache(CASES)
def broken_sets(problem: PortfolioProblem) -> list[int]:
    """The rules that each portfolio breaks, as bits; those that hold another set are left out."""
    rules = rules_of(problem)
    found = {
        sum(1 << place for place, rule in enumerate(rules) if shortage(problem, judged, rule) > 1e-9)
        for judged in choices(problem)
    }
    least: list[int] = []
    for one in sorted(found, key=int.bit_count):
        if not any(known & one == known for known in least):
            least.append(one)
    return least


def conflicting(broken: list[int], rules: int) -> bool:
    return all(one & rules for one in broken)


def assert_conflict(problem: PortfolioProblem, solver: str = "highs") -> int:
    broken, rules = broken_sets(problem), rules_of(problem)
    found = conflicts(problem, solving=Solving(solver=solver))
    if 0 in broken:
        assert found.rules == ()
        return 0
    bits = [1 << rules.index(rule) for rule in found.rules]
    assert conflicting(broken, sum(bits))
    assert not any(conflicting(broken, sum(bits) - bit) for bit in bits)
    assert found.smallest
    assert found.at_least == len(bits)
    fewer = itertools.combinations(range(len(rules)), len(bits) - 1)
    assert not any(conflicting(broken, sum(1 << place for place in places)) for places in fewer)
    return len(bits)


def test_conflicts_are_the_smallest() -> None:
    sizes: Counter[int] = Counter()
    for seed in range(CASES):
        sizes[assert_conflict(posed(seed))] += 1
    assert sum(sizes[count] for count in (1, 2, 3, 4)) >= 0.15 * CASES
    assert sizes[0] >= 0.15 * CASES
    assert len(sizes) >= 4


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(1000, 10**6), families=st.sets(st.sampled_from(INDEPENDENT), min_size=6))
def test_any_conflict(seed: int, families: set[str]) -> None:
    assert_conflict(build(draw(seed), families))


def test_without_rounds_a_conflict_is_irreducible_all_the_same() -> None:
    seen = 0
    for seed in range(CASES):
        problem = posed(seed)
        broken, rules = broken_sets(problem), rules_of(problem)
        found = conflicts(problem, rounds=0)
        bits = [1 << rules.index(rule) for rule in found.rules]
        if not bits:
            assert 0 in broken
            continue
        seen += 1
        assert not found.smallest
        assert conflicting(broken, sum(bits))
        assert not any(conflicting(broken, sum(bits) - bit) for bit in bits)
    assert seen >= 5


def cheapest(problem: PortfolioProblem, weights: dict[str, float], relative: bool) -> float:
    """By trying every portfolio: what it would cost to allow it."""
    best = math.inf
    rules = rules_of(problem)
    for judged in choices(problem):
        cost = 0.0
        for rule in rules:
            unit = 1.0
            if rule.kind == "row" and relative:
                unit = abs(problem.rows.cap[rule.index]) or problem.rows.scale[rule.index]
            short = shortage(problem, judged, rule)
            cost += short / unit * weights.get(rule.family, 1.0) if short > 1e-9 else 0.0
        best = min(best, cost)
    return best


@pytest.mark.parametrize("solver", INSTALLED)
def test_relaxations_are_the_cheapest_and_make_the_problem_feasible(solver: str) -> None:
    seen = 0
    for seed in range(CASES):
        problem = posed(seed)
        if brute_force(problem)[1]:
            continue
        seen += 1
        present = {*problem.rows.family, "must-fund", "exclusion", "exactly one"} & {
            rule.family for rule in rules_of(problem)
        }
        numbers = np.random.default_rng(seed).choice([0.25, 1.0, 3.0, math.inf], len(present), p=[0.3, 0.3, 0.3, 0.1])
        weights = dict(zip(sorted(present), numbers.tolist(), strict=True))
        relative = bool(seed % 2)
        found = cheapest_relaxation(problem, weights=weights, relative=relative, solving=Solving(solver=solver))
        assert found.cost == pytest.approx(cheapest(problem, weights, relative), abs=1e-6)
        if math.isfinite(found.cost):
            assert found.at_least == pytest.approx(found.cost)
            assert evaluate(relax(problem, found.changes), found.chosen).feasible
            assert found.cost == pytest.approx(sum(change.cost for change in found.changes))
    assert seen >= 5


def test_alternatives_differ_and_the_first_is_the_cheapest() -> None:
    seen = 0
    for seed in range(CASES):
        problem = build(draw(seed), draw(seed)["families"])
        if brute_force(problem)[1]:
            continue
        found = relaxations(problem, most=3)
        seen += len(found) > 1
        assert found[0].cost == pytest.approx(cheapest_relaxation(problem).cost)
        assert [one.cost for one in found] == sorted(one.cost for one in found)
        assert len({frozenset(change.rule for change in one.changes) for one in found}) == len(found)
        for one in found:
            assert brute_force(relax(problem, one.changes))[1]
    assert seen >= 3


def planner() -> PortfolioProblem:
    """Two technologies that must be funded, and money for one of them; what is left moves on."""
    rows = state_rows(
        [[3.0, 0.0, 4.0], [0.0, 3.0, 2.0]],
        [2.0, 4.0],
        labels=Labels(names=["budget leapfrog 2024", "budget leapfrog 2025"], family="budget"),
        carry=[(0, 1, 0.5)],
    )
    return state_problem(
        [5.0, 6.0, 7.0],
        rows=rows,
        groups=Groups(of=[0, 0, 1], names=["T001", "T002"]),
        rules=Rules(fixed_in_groups=[0, 1]),
    )


def test_the_words_are_the_planners() -> None:
    found = conflicts(planner())
    assert str(found).splitlines() == [
        "these cannot all be met, but without any one of them they can (no smaller set conflicts):",
        "  budget leapfrog 2024: at most 2",
        "  must-fund T002",
    ]
    ways = [str(one) for one in relaxations(planner(), weights={"must-fund": 0.9})]
    assert ways[:2] == [
        "drop must-fund T002",
        "raise budget leapfrog 2024 by 2 and raise budget leapfrog 2025 by 1",
    ]
    assert str(conflicts(state_problem([1.0]))) == "nothing conflicts: some portfolio satisfies every rule"
    assert str(cheapest_relaxation(state_problem([1.0]))) == "nothing needs to change"


def test_what_the_words_round_is_enough() -> None:
    rows = state_rows([[10 / 3]], [1.0], labels=Labels(names=["budget 2024"]))
    problem = state_problem([1.0], rows=rows, rules=Rules(fixed_in_groups=[0]))
    text = str(cheapest_relaxation(problem, weights={"must-fund": math.inf}))
    assert text == "raise budget 2024 by 2.334"
    assert brute_force(with_slack(problem, {0: float(text.rsplit(maxsplit=1)[-1])}))[1]


def test_a_row_left_out_passes_on_what_its_cap_allows() -> None:
    """Money of 2024 that is not there cannot save 2025: both budgets are needed to see it only if both are short."""
    rows = state_rows([[1.0], [5.0]], [2.0, 4.0], labels=Labels(names=["2024", "2025"]), carry=[(0, 1, 1.0)])
    problem = state_problem([1.0], rows=rows, rules=Rules(fixed_in_groups=[0]))
    assert conflicts(problem).rules == ()
    short = state_problem(
        [1.0],
        rows=state_rows([[1.0], [5.0]], [1.5, 4.0], labels=Labels(names=["2024", "2025"]), carry=[(0, 1, 1.0)]),
        rules=Rules(fixed_in_groups=[0]),
    )
    assert {rule.name for rule in conflicts(short).rules} == {"2024", "2025", "g0"}
    # Half a unit more of either year is enough: what 2024 does not use moves on.
    assert cheapest_relaxation(short, relative=False).cost == pytest.approx(0.5)


def test_soft_rows_never_conflict_and_nothing_may_be_all_that_can_change() -> None:
    soft = state_rows([[1.0]], [3.0], sense=">=", shortfall_price=[2.0])
    assert conflicts(state_problem([1.0], rows=soft)).rules == ()
    none = cheapest_relaxation(planner(), weights={"must-fund": math.inf, "budget": math.inf})
    assert (none.cost, none.changes) == (math.inf, ())
    assert relaxations(planner(), weights={"must-fund": math.inf, "budget": math.inf}) == ()


def test_weights_are_checked() -> None:
    with pytest.raises(ProblemError, match=r"(?s)weights of budget.*weights of bugdet"):
        cheapest_relaxation(planner(), weights={"budget": -1.0, "bugdet": 2.0})


def test_both_solvers_find_conflicts_of_one_size() -> None:
    for seed in range(CASES // 3):
        problem = build(draw(seed), draw(seed)["families"])
        found = [conflicts(problem, solving=Solving(solver=solver)) for solver in INSTALLED]
        assert len({len(one.rules) for one in found}) == 1
        assert all(one.smallest for one in found)
