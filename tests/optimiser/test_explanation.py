"""Explanations against brute force: losses, rises, cuts and caps are exact at gap 0, and honest at others."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rdsim
from rdsim.errors import ProblemError
from rdsim.formulation import state
from rdsim.optimiser import (
    Groups,
    Labels,
    PortfolioProblem,
    Rules,
    Solution,
    Solving,
    evaluate,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.adapters import RunLimits, find_solver
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.variations import with_caps, with_fixed, with_slack, with_use, with_values
from rdsim.optimiser.questions.conflicts import Change, relax
from rdsim.optimiser.questions.explanation import (
    CUT_STEP,
    Reason,
    Ways,
    WhyNot,
    absence,
    cost_of_losing,
    relaxation_duals,
    rises,
    screen,
    why_not,
    worth_of_cap,
)
from rdsim.options import candidates, sample
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import FAMILIES, PARTNERS, STAGES, brute_force, build, draw
from tests.sizes import EFFORT, FULL, size

SEEDS = size(18, 120)
EXAMPLES = size(6, 60)
CROWDED = frozenset({"budget", "starts", "places", "abroad", "field ceiling", "partner share"})


@dataclass(frozen=True, eq=False)
class Everything:
    """Every portfolio of a problem, so that many variations of caps, uses and values are judged at once."""

    member: np.ndarray  # (N, O)
    funded: np.ndarray  # (N, G) bool
    openings: np.ndarray  # (N, P * S)
    allowed: np.ndarray  # (N,) bool: breaks nothing but rows
    extra: np.ndarray  # (N,) worth of openings and synergies

    @staticmethod
    def of(problem: PortfolioProblem) -> Everything:
        by_group = [np.flatnonzero(problem.group == group).tolist() for group in range(len(problem.group_names))]
        picks = itertools.product(*([None, *options] for options in by_group))
        judged = [evaluate(problem, [option for option in pick if option is not None]) for pick in picks]
        member, openings = np.zeros((len(judged), problem.group.size)), np.zeros((len(judged), PARTNERS * STAGES))
        for place, one in enumerate(judged):
            member[place, list(one.chosen)] = 1
            openings[place, [partner * STAGES + stage for partner, stage in one.opened.items()]] = 1
        rows = set(problem.rows.names)
        return Everything(
            member=member,
            funded=np.stack([member[:, options].any(axis=1) for options in by_group], axis=1),
            openings=openings,
            allowed=np.array([all(broken.name in rows for broken in one.violations) for one in judged]),
            extra=np.array([one.opening + one.synergy for one in judged]),
        )

    def worth(self, problem: PortfolioProblem) -> np.ndarray:
        """Objective of every portfolio in a variation, shape (N,); -inf where it breaks a rule."""
        rows = problem.rows
        activity = self.member @ rows.use.toarray().T + self.openings @ rows.opening_use.toarray().T
        room = np.tile(rows.cap, (len(activity), 1))
        for source, target, rate in sorted(rows.carry):  # of the families here: by ascending year
            room[:, target] += rate * np.maximum(0.0, room[:, source] - activity[:, source])
        over = np.maximum(0.0, activity - room) * [sense != ">=" for sense in rows.sense]
        excess = over + np.maximum(0.0, room - activity) * [sense != "<=" for sense in rows.sense]
        hard = np.isnan(rows.shortfall_price)
        fits = (excess <= 1e-6 * rows.scale)[:, hard].all(axis=1) & self.allowed
        price = excess[:, ~hard] @ rows.shortfall_price[~hard]
        return np.where(fits, self.member @ problem.expected_value + self.extra - price, -np.inf)

    def with_and_without(self, problem: PortfolioProblem, group: int) -> tuple[float, float]:
        """(A1, A0) in a variation."""
        worth, inside = self.worth(problem), self.funded[:, group]
        return float(worth[inside].max(initial=-np.inf)), float(worth[~inside].max(initial=-np.inf))


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem with an answer, and every portfolio that it has."""

    problem: PortfolioProblem
    solution: Solution
    everything: Everything

    @staticmethod
    def of(problem: PortfolioProblem, solution: Solution | None = None) -> Posed:
        return Posed(problem, solution or solve(problem, Solving(gap=0)), Everything.of(problem))

    def with_and_without(self, group: int, variation: PortfolioProblem | None = None) -> tuple[float, float]:
        """(A1, A0), by default of the problem itself."""
        return self.everything.with_and_without(variation or self.problem, group)

    @property
    def unfunded(self) -> list[int]:
        funded = set(self.problem.group[list(self.solution.chosen)].tolist())
        return [group for group in range(len(self.problem.group_names)) if group not in funded]


@functools.cache
def case(seed: int, families: frozenset[str]) -> Posed | None:
    """A problem with an answer, or none."""
    posed = Posed.of(build(draw(seed), families))
    return posed if posed.solution.has_portfolio else None


def cases() -> list[Posed]:
    """Problems of any families, and as many in which several kinds of limits crowd together."""
    kinds = [(seed, frozenset(draw(seed)["families"])) for seed in range(SEEDS)]
    kinds += [(seed, CROWDED) for seed in range(SEEDS)]
    return [found for seed, families in kinds if (found := case(seed, families)) is not None]


@pytest.mark.parametrize("seed", range(4))
def test_everything_agrees_with_the_judge(seed: int) -> None:
    """The quick enumeration of these tests, against the slow one."""
    parts = draw(seed)
    problem = build(parts, parts["families"])
    every = Everything.of(problem)
    for variation in (
        problem,
        with_slack(problem, dict.fromkeys(range(0, len(problem.rows.names), 2), 1.5)),
        with_values(problem, problem.values + 0.5 * (problem.group == 1)),
        with_use(problem, problem.rows.use.toarray() * 0.75),
    ):
        for group in range(0, len(problem.group_names), 2):
            inside = brute_force(with_fixed(variation, groups_in=[group]))[0]
            outside = brute_force(with_fixed(variation, groups_out=[group]))[0]
            assert every.with_and_without(variation, group) == pytest.approx((inside, outside))


def ruled_out(problem: PortfolioProblem, group: int) -> bool:
    return set(np.flatnonzero(problem.group == group).tolist()) <= set(problem.fixed_out_options)


def cheaper(problem: PortfolioProblem, group: int, cut: float, family: str) -> PortfolioProblem:
    """The group's use of ceilings of a family (of all, if it has none) less a share."""
    use = problem.rows.use.toarray()
    ceilings = [row for row, sense in enumerate(problem.rows.sense) if sense == "<="]
    chosen = [row for row in ceilings if problem.rows.family[row] == family] or ceilings
    use[np.ix_(chosen, np.flatnonzero(problem.group == group))] *= 1 - cut
    return with_use(problem, use)


def assert_caps(posed: Posed, group: int, found: WhyNot) -> None:
    """At the amount it comes in; at no smaller amount, and with rows called hopeless at none."""
    assert found.open_caps == ()
    problem = posed.problem
    for rise in found.caps:
        assert rise.amount.low == pytest.approx(rise.amount.found, abs=1e-4)
        inside, outside = posed.with_and_without(group, with_slack(problem, {rise.row: rise.amount.found}))
        assert inside >= outside - 1e-5
        for share in (0.0, 0.3, 0.7, 0.95):
            amount = share * rise.amount.found - 1e-3 * (share > 0)
            inside, outside = posed.with_and_without(group, with_slack(problem, {rise.row: max(amount, 0.0)}))
            assert inside < outside
    for name in found.no_cap:
        row = problem.rows.names.index(name)
        for amount in (0.5, 2.0, 7.0, 40.0):
            inside, outside = posed.with_and_without(group, with_slack(problem, {row: amount}))
            assert inside < outside


def assert_cut(posed: Posed, group: int, found: WhyNot) -> None:
    enough = found.cut.found if math.isfinite(found.cut.found) else 1.0
    inside, outside = posed.with_and_without(group, cheaper(posed.problem, group, enough, "budget"))
    assert (inside >= outside - 1e-6) == math.isfinite(found.cut.found)
    if math.isfinite(found.cut.found) and found.cut.found > 0:
        inside, outside = posed.with_and_without(group, cheaper(posed.problem, group, found.cut.low, "budget"))
        assert inside < outside
        assert found.cut.high - found.cut.low <= CUT_STEP


def assert_explained(posed: Posed, group: int) -> WhyNot:
    problem, solution = posed.problem, posed.solution
    found = why_not(problem, solution, group, solving=Solving(gap=0), ways=Ways(within=math.inf))
    if ruled_out(problem, group):
        assert found.reason is Reason.RULED_OUT
        return found
    inside, outside = posed.with_and_without(group)
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
    assert_cut(posed, group, found)
    assert_caps(posed, group, found)
    return found


def assert_rise_brings_it_in(posed: Posed, group: int, found: WhyNot) -> None:
    for rise, comes in ((found.loss.found + 0.5, True), (found.loss.found - 0.5, False)):
        dearer = with_values(posed.problem, posed.problem.values + rise * (posed.problem.group == group))
        inside, outside = posed.with_and_without(group, dearer)
        assert (inside > outside) == comes
        assert inside != outside


def test_why_not_is_exact() -> None:
    seen: Counter[str] = Counter()
    for posed in cases():
        for group in posed.unfunded:
            found = assert_explained(posed, group)
            seen[found.reason.name] += 1
            seen["cut"] += math.isfinite(found.cut.found)
            seen["cap"] += bool(found.caps)
            seen["no cap"] += not found.caps and found.reason is Reason.CROWDED_OUT
            seen["link"] += bool(found.links)
            if math.isfinite(found.loss.found) and found.loss.found > 0.5:
                assert_rise_brings_it_in(posed, group, found)
                seen["rise"] += 1
            for rule in found.links:
                looser = Everything.of(relax(posed.problem, [Change(rule, 1.0, 0.0)]))
                inside, outside = looser.with_and_without(posed.problem, group)
                assert inside >= outside - 1e-6
    for name in ("CROWDED_OUT", "IMPOSSIBLE", "LINKED", "WORTHLESS", "AS_GOOD", "cut", "cap", "no cap", "link", "rise"):
        assert seen[name] >= 2, (name, seen)


def test_amounts_that_are_tried_are_enough_and_their_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of large problems, taken on small ones."""
    for module in (absence, rises):
        monkeypatch.setattr(module, "SMALL", 0)
    seen: Counter[str] = Counter()
    for posed in cases()[::2]:
        problem = posed.problem
        for group in posed.unfunded[:2]:
            found = why_not(
                problem,
                posed.solution,
                group,
                solving=Solving(gap=0),
                ways=Ways(within=4.0, whole=("starts", "places"), cut_step=0.2),
            )
            for rise in found.caps:
                if rise.family in {"starts", "places"}:
                    assert rise.amount.found == int(rise.amount.found)
                inside, outside = posed.with_and_without(group, with_slack(problem, {rise.row: rise.amount.found}))
                assert inside >= outside - 1e-6
                less = max(0.0, 0.99 * rise.amount.low - 1e-3)
                inside, outside = posed.with_and_without(group, with_slack(problem, {rise.row: less}))
                assert inside < outside
                seen["cap"] += 1
            for name in found.no_cap:
                row = problem.rows.names.index(name)
                size = abs(float(problem.rows.cap[row])) or float(problem.rows.scale[row])
                for share in (0.5, 2.0, 4.0):
                    inside, outside = posed.with_and_without(group, with_slack(problem, {row: share * size}))
                    assert inside < outside or found.reason in {Reason.RULED_OUT, Reason.NO_OPTION}
                seen["no cap"] += 1
    assert min(seen["cap"], seen["no cap"]) >= 5


def test_counted_caps_rise_by_whole_units() -> None:
    rows = state_rows([[0.5, 0.75]], [1.0], labels=Labels(names=["places US 2025"], family="places"))
    problem = state_problem([3.0, 2.0], rows=rows)
    solution = solve(problem, Solving(gap=0))
    for whole, amount in (((), 0.25), (("places",), 1.0)):
        assert why_not(problem, solution, 1, solving=Solving(gap=0), ways=Ways(whole=whole)).caps[
            0
        ].amount.found == pytest.approx(amount)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(1000, 10**6), families=st.sets(st.sampled_from(FAMILIES), min_size=4))
def test_any_group_is_explained(seed: int, families: set[str]) -> None:
    posed = Posed.of(build(draw(seed), families))
    for group in posed.unfunded[:1] if posed.solution.has_portfolio else ():
        assert_explained(posed, group)


def test_losing_a_group_costs_what_brute_force_says() -> None:
    seen: Counter[bool] = Counter()
    for posed in cases():
        problem, solution = posed.problem, posed.solution
        for group in {int(problem.group[option]) for option in solution.chosen}:
            found = cost_of_losing(problem, solution, group, solving=Solving(gap=0))
            if group in problem.fixed_in_groups:
                assert found.conflict is not None
                assert found.conflict.rules[0].name == problem.group_names[group]
                continue
            left = posed.with_and_without(group)[1]
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
    for posed in cases()[: size(10, 60)]:
        problem, solution = posed.problem, posed.solution
        for row in range(0, len(problem.rows.names), 4):
            table = worth_of_cap(problem, solution, row, [-2.0, 1.0, 3.0], solving=Solving(gap=0))
            senses[problem.rows.sense[row]] += 1
            senses["soft"] += bool(problem.rows.is_soft[row])
            now = posed.everything.worth(problem).max()
            for step in table.steps:
                moved = with_caps(problem, {row: float(problem.rows.cap[row]) + step.amount})
                there = posed.everything.worth(moved).max()
                assert step.worth.found == pytest.approx(there - now, abs=1e-6)
                assert step.worth.exact or there == -math.inf
    assert min(senses[name] for name in ("<=", ">=", "==", "soft")) >= 1


def test_steps_are_a_piecewise_table() -> None:
    problem = state_problem([6.0, 10.0, 12.0], rows=state_rows([[1, 2, 3]], [3], labels=Labels(names=["budget"])))
    table = worth_of_cap(problem, solve(problem, Solving(gap=0)), "budget", [2.0, -1.0, 3.0], solving=Solving(gap=0))
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
    for posed in cases():
        screened = screen(posed.problem, posed.solution)
        assert sorted(one.group for one in screened) == posed.unfunded
        for one in screened:
            if one.reason is Reason.RULED_OUT:
                continue
            inside, outside = posed.with_and_without(one.group)
            loss = outside - inside
            assert one.loss.low - 1e-5 <= loss <= one.loss.high + 1e-6
            found += math.isfinite(one.loss.high)
    assert found >= 5


@pytest.mark.parametrize("solver", INSTALLED)
def test_hints_are_slopes_of_the_relaxation(solver: str) -> None:
    """A concave function's slope at a point lies between its slopes to both sides."""
    adapter, step, priced = find_solver(solver), 1e-3, 0

    def relaxed(problem: PortfolioProblem) -> float:
        return adapter.run(formulate(problem), RunLimits(), relaxed=True).bound

    for posed in cases()[:6]:
        problem = posed.problem
        found = relaxation_duals(problem, Solving(solver=solver))
        for row in range(0, len(problem.rows.names), 2):
            cap = float(problem.rows.cap[row])
            up, down = (relaxed(with_caps(problem, {row: cap + move})) for move in (step, -step))
            assert (up - found.bound) / step - 1e-3 <= found.worth[row]
            assert found.worth[row] <= (found.bound - down) / step + 1e-3
            priced += abs(found.worth[row]) > 1e-3
    assert priced >= 2


@pytest.mark.parametrize("solver", INSTALLED)
def test_limits_hold_at_any_gap(solver: str) -> None:
    for posed in cases()[:8]:
        problem, rough = posed.problem, solve(posed.problem, Solving(gap=0.3, solver=solver))
        for group in replace(posed, solution=rough).unfunded[:2]:
            if ruled_out(problem, group):
                continue
            found = why_not(problem, rough, group, solving=Solving(gap=0.3, solver=solver), ways=Ways(caps=()))
            inside, outside = posed.with_and_without(group)
            assert found.verified
            assert found.loss.low - 1e-6 <= max(0.0, outside - inside) <= found.loss.high + 1e-6
            if math.isfinite(found.cut.low) and found.cut.low > 0:
                inside, outside = posed.with_and_without(group, cheaper(problem, group, found.cut.low, "budget"))
                assert inside < outside + 1e-6


def test_both_solvers_explain_alike() -> None:
    for posed in cases()[:6]:
        problem, solution = posed.problem, posed.solution
        for group in posed.unfunded[:1]:
            first, *others = (
                why_not(problem, solution, group, solving=Solving(gap=0, solver=solver)) for solver in INSTALLED
            )
            for other in others:
                assert other.reason is first.reason
                assert other.loss.found == pytest.approx(first.loss.found, abs=1e-6)
                assert other.cut.found == pytest.approx(first.cut.found, abs=1e-9)
                assert [rise.row for rise in other.caps] == [rise.row for rise in first.caps]


def planner() -> PortfolioProblem:
    rows = state_rows(
        [[2.0, 3.0, 2.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0]],
        [4.0, 3.0],
        labels=Labels(names=["budget leapfrog 2025", "starts leapfrog 2025"], family=["budget", "starts"]),
    )
    return state_problem(
        [9.0, 8.0, 7.0, -2.0, 1.0],
        rows=rows,
        groups=Groups(names=["T1", "T2", "T3", "T4", "T5"]),
        option_names=["T1/2025", "T2/2025", "T3/2025", "T4/2025", "T5/2025"],
        rules=Rules(fixed_out_groups=[4]),
    )


def test_it_reads_well() -> None:
    problem = planner()
    solution = solve(problem, Solving(gap=0))
    assert why_not(problem, solution, "T2", solving=Solving(gap=0)).describe("bn KRW").splitlines() == [
        "T2 is not funded: others make better use of what it needs.",
        "  Funding it now would lower the objective by 8 bn KRW; its value would have to rise by as much.",
        "  The best portfolio found with it - in: T2/2025; out: T1, T3.",
        "  Its cost would have to fall by 34%.",
        "  One cap alone would do: raising budget leapfrog 2025 by 1.",
    ]
    assert why_not(problem, solution, "T4", solving=Solving(gap=0)).reason is Reason.WORTHLESS
    assert why_not(problem, solution, "T5", solving=Solving(gap=0)).reason is Reason.RULED_OUT
    empty = state_problem([1.0], groups=Groups(of=[0], names=["T1", "T2"]))
    assert why_not(empty, solve(empty, Solving(gap=0)), "T2").reason is Reason.NO_OPTION
    assert (
        str(cost_of_losing(problem, solution, "T1", solving=Solving(gap=0)))
        == "losing T1 would cost 8; in: T2/2025; out: T1, T3"
    )


def test_a_saving_counts_as_value() -> None:
    """Money saved is worth something: with it a smaller cut of the cost is enough."""
    problem = planner()
    solution = solve(problem, Solving(gap=0))
    plain = why_not(problem, solution, "T2", solving=Solving(gap=0)).cut.found
    assert (
        why_not(problem, solution, "T2", solving=Solving(gap=0), ways=Ways(saving=np.full(5, 30.0))).cut.found < plain
    )


def test_questions_that_make_no_sense_are_refused() -> None:
    problem = planner()
    solution = solve(problem, Solving(gap=0))
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


GAP = 0.002 if FULL else 0.01


@pytest.fixture(scope="module")
def korea() -> tuple[PortfolioProblem, Solution]:
    scenario = rdsim.load(Path(__file__).parents[2] / "scenarios" / "korea-2024")
    problem = state(scenario, sample(scenario, candidates(scenario), samples=20, seed=1))
    return problem, solve(problem, Solving(gap=GAP, effort=EFFORT))


def test_korean_technologies_are_explained(korea: tuple[PortfolioProblem, Solution]) -> None:
    problem, solution = korea
    screened = [one for one in screen(problem, solution) if one.reason is None]
    assert len(screened) >= 3
    closest = {one.group: one for one in screened}
    for one in screened[-1:] if size(0, 1) == 0 else (screened[0], screened[len(screened) // 2], screened[-1]):
        found = why_not(
            problem,
            solution,
            one.group,
            solving=Solving(gap=GAP, effort=EFFORT),
            ways=Ways(caps=None if size(0, 1) else ()),
        )
        assert found.verified
        assert found.name in found.describe("bn KRW")
        # Both are right, so the limits of the quick screen and of the solves overlap.
        assert max(found.loss.low, closest[one.group].loss.low) <= min(found.loss.high, one.loss.high) + 1e-6
        if found.exchange is not None:
            assert any(name.startswith(f"{one.name}/") for name in found.exchange.joined)
