"""Budget ladders: each rung the best of brute force, nesting kept, and its price exact."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from rdsim.errors import ProblemError
from rdsim.optimiser import Groups, Labels, PortfolioProblem, Solving, Status, evaluate, state_problem, state_rows
from rdsim.optimiser.models.variations import with_caps
from rdsim.optimiser.questions.ladder import SHARES, ladder
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import build, draw


def best_of(problem: PortfolioProblem, holds: object = None, only: object = None) -> float:
    """The best objective among portfolios that hold some options and only some; -inf if there is none."""
    must = set(holds) if isinstance(holds, tuple) else set()
    may = set(only) if isinstance(only, tuple) else set(range(len(problem.option_names)))
    by_group = [np.flatnonzero(problem.group == group).tolist() for group in range(len(problem.group_names))]
    best = -math.inf
    for pick in itertools.product(*([None, *options] for options in by_group)):
        chosen = {option for option in pick if option is not None}
        if must <= chosen <= may:
            judged = evaluate(problem, sorted(chosen))
            best = max(best, judged.objective if judged.feasible else -math.inf)
    return best


@pytest.mark.parametrize("solver", INSTALLED)
def test_every_rung_is_that_of_brute_force(solver: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(16):
        parts = draw(seed)
        problem = build(parts, {*parts["families"], "budget"})
        rows = [row for row, family in enumerate(problem.rows.family) if family == "budget"]
        found = ladder(problem, (0.5, 0.8, 1.0, 1.3), solving=Solving(gap=0, solver=solver))
        assert [rung.share for rung in found.rungs] == [0.5, 0.8, 1.0, 1.3]
        stated = {
            rung.share: with_caps(problem, {row: float(problem.rows.cap[row]) * rung.share for row in rows})
            for rung in found.rungs
        }
        for rung in found.rungs:
            best = best_of(stated[rung.share])
            if best == -math.inf:
                assert rung.plain.status is Status.INFEASIBLE
                assert rung.price is None
                seen["infeasible"] += 1
                continue
            assert rung.plain.status is Status.OPTIMAL
            assert rung.plain.objective == pytest.approx(best, abs=1e-6)
            assert evaluate(stated[rung.share], rung.plain.chosen).feasible
        chain = [rung for rung in found.rungs if rung.nested is not None and rung.nested.has_portfolio]
        for low, high in itertools.pairwise(chain):
            assert low.nested is not None
            assert high.nested is not None
            assert set(low.nested.chosen) <= set(high.nested.chosen)
            assert set(high.added) == set(high.nested.chosen) - set(low.nested.chosen)
        for rung in chain:
            price = rung.price
            assert price is not None
            assert price.amount >= -1e-6
            assert price.low == pytest.approx(price.amount, abs=1e-6)  # at gap 0 the price is known exactly
            assert price.high == pytest.approx(price.amount, abs=1e-6)
            seen["price"] += price.amount > 0.5
            if rung.share == 1.0:
                assert price.amount == pytest.approx(0, abs=1e-6)
        outward = {rung.share: rung for rung in chain}
        if 1.0 in outward and 1.3 in outward:
            below, above = outward[1.0].nested, outward[1.3].nested
            assert below is not None
            assert above is not None
            assert above.objective == pytest.approx(best_of(stated[1.3], holds=below.chosen), abs=1e-6)
        if 1.0 in outward and 0.8 in outward:
            above, below = outward[1.0].nested, outward[0.8].nested
            assert below is not None
            assert above is not None
            assert below.objective == pytest.approx(best_of(stated[0.8], only=above.chosen), abs=1e-6)
    assert seen["price"] >= 2, seen
    assert seen["infeasible"] >= 1, seen


def test_more_money_may_drop_what_less_money_funds_and_nesting_has_a_price() -> None:
    """With 3 the small one is bought; with 5 the large one is better, but not beside what is already funded."""
    problem = state_problem(
        [3.0, 10.0], rows=state_rows([[3, 5]], [3], labels=Labels(family="budget")), groups=Groups(names=["S", "L"])
    )
    found = ladder(problem, (1.0, 5 / 3), solving=Solving(gap=0))
    low, high = found.rungs
    assert (low.plain.chosen, high.plain.chosen) == ((0,), (1,))
    assert high.nested is not None
    assert high.nested.chosen == (0,)
    assert high.price is not None
    assert high.price.amount == pytest.approx(7)
    assert high.price.share == pytest.approx(0.7)
    shrinking = ladder(problem, (1.0, 5 / 3), start=5 / 3, solving=Solving(gap=0))
    assert shrinking.rungs[0].price is not None
    assert shrinking.rungs[0].price.amount == pytest.approx(3)
    assert shrinking.rungs[1].price is not None
    assert shrinking.rungs[1].price.amount == 0


def test_a_plain_ladder_has_no_price_and_repeats() -> None:
    problem = build(draw(8), {"budget", "places"})
    found = ladder(problem, nested=False, solving=Solving(gap=0))
    assert [rung.share for rung in found.rungs] == sorted(SHARES)
    assert all(rung.nested is None and rung.price is None for rung in found.rungs)
    again = ladder(problem, nested=False, solving=Solving(gap=0))
    assert [rung.plain.chosen for rung in again.rungs] == [rung.plain.chosen for rung in found.rungs]


def test_a_nested_ladder_repeats() -> None:
    problem = build(draw(8), {"budget", "places", "opening value"})
    assert ladder(problem, solving=Solving(gap=0)) == ladder(problem, solving=Solving(gap=0))


def test_at_a_gap_the_price_is_bracketed() -> None:
    exact, rough = (
        ladder(build(draw(5), {"budget", "synergies"}), solving=Solving(gap=gap)).rungs for gap in (0.0, 0.2)
    )
    for true, told in zip(exact, rough, strict=True):
        assert told.plain.objective <= true.plain.objective + 1e-6 <= told.plain.bound + 2e-6
        assert told.price is not None
        assert told.price.low - 1e-6 <= told.price.amount <= told.price.high + 1e-6


def test_no_time_is_no_answer_and_no_price() -> None:
    found = ladder(build(draw(8), {"budget"}), solving=Solving(time_limit=0.0))
    assert {rung.plain.status for rung in found.rungs} == {Status.NO_ANSWER}
    assert all(rung.price is None for rung in found.rungs)


def test_all_wrong_arguments_are_named_at_once() -> None:
    problem = state_problem([1.0], rows=state_rows([[1]], [1], labels=Labels(family="budget")))
    with pytest.raises(ProblemError) as caught:
        ladder(problem, (0.0, math.nan), families=("money",), start=math.inf, solving=Solving(gap=-1.0, threads=0))
    words = str(caught.value)
    assert "shares: must be finite and above 0" in words
    assert "families: must be among budget" in words
    assert [fault.where for fault in caught.value.faults] == ["shares", "start", "families", "gap", "threads"]
