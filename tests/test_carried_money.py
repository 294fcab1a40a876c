"""Money carried into a year without new money: one rule for plans and for the simulation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim import portfolio
from rdsim.case import TARGET, build, unconstrained_case
from rdsim.domain import (
    Choice,
    Gate,
    Mode,
    Network,
    Partner,
    PartnerEffect,
    Portfolio,
    Programme,
    Scenario,
    Technology,
    Tranche,
    ValueRules,
)
from rdsim.draws import Draws
from rdsim.engines import compiled
from rdsim.formulation import state
from rdsim.luck import lay_out
from rdsim.optimiser import evaluate
from rdsim.options import candidates, sample
from rdsim.purses import purse_at_most
from rdsim.rolling import decision_years
from rdsim.scenario import dump, plannable, remarks
from rdsim.search import build_instance, choose
from rdsim.simulation import simulate
from tests.command import run
from tests.simple import plain
from tests.sizes import size


def line(
    budget: dict[int, float], carry: float, shares: tuple[float, ...] = (0.5, 0.5), start: int = 2024
) -> Programme:
    tranches = tuple(Tranche(12.0, share) for share in shares)
    gate = Gate(policy="always-pass")
    return Programme("Line", budget, {start: 9}, tranches, 9.0, trl_target=9, carry_over=carry, gate=gate)


def world(programme: Programme, cost: float = 10.0) -> Scenario:
    """One technology whose steps take as long as its tranches, two years after its last step worth 100."""
    steps = len(programme.tranches)
    technology = Technology("T", "T", "line", "f", trl=9 - steps, cost=cost, value=100.0, trl_target=9)
    years = replace(plain().steps, median_years=(1.0,) * 8)
    value = ValueRules(market_months=12.0, market_sigma=0.0, loss_per_year=0.0)
    return plain({"T": technology}, programme, steps=years, value=value)


def test_what_is_carried_over_pays_the_second_tranche_and_every_door_knows_it() -> None:
    scenario = replace(world(line({2024: 10.0}, carry=1.0)), discount_rate=0.1)
    assert remarks(scenario) == ()
    found = choose(build_instance(scenario, samples=20, seed=1))
    worth = 100 / 1.1**3 - 5 - 5 / 1.1
    assert found.evaluation.objective == pytest.approx(worth) == pytest.approx(found.solution.bound, rel=1e-3)
    assert simulate(scenario, found.portfolio).replications["npv"].tolist() == pytest.approx([worth] * 200)
    assert decision_years(scenario) == [2025]
    nothing = replace(scenario, programmes={"line": line({2024: 10.0}, carry=0.4)})
    assert choose(build_instance(nothing, samples=20, seed=1)).portfolio.choices == ()


SAID = {
    "explain": "0 of 1 technologies are not funded",
    "certify": "It is at most 0.00 billion KRW (0.0%) from the best",
    "optimise": "funded 1 of 1 technologies",
}


@pytest.mark.parametrize("command", SAID)
def test_commands_speak_of_a_portfolio_that_carried_money_pays_for(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything there is is funded: nothing to explain, no gap, and no figure that is none."""
    dump(world(line({2024: 10.0}, 1.0)), tmp_path / "carried")
    ran = run(capsys, monkeypatch, command, tmp_path / "carried", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert SAID[command] in ran.out
    assert "nan" not in ran.out


@pytest.mark.parametrize("money", ["always", "quantile"])
@pytest.mark.parametrize(("rate", "funded"), [(1.0, 2), (0.5, 1)])
def test_money_that_holds_in_every_sample_counts_what_is_carried(money: str, rate: float, funded: int) -> None:
    """10 and 10 from 20: all of it carried pays both second tranches; half of the 10 that are left pays one."""
    two = world(line({2024: 20.0}, rate))
    names = {name: replace(two.technologies["T"], id=name) for name in "AB"}
    risk = replace(two.optimiser.risk, money=money)
    scenario = replace(two, technologies=names, optimiser=replace(two.optimiser, risk=risk))
    assert len(choose(build_instance(scenario, samples=10, seed=1)).portfolio.choices) == funded


def drawn(rng: np.random.Generator) -> Scenario:
    """Years with and without money, and awards about as large as what there is."""
    first = int(rng.integers(2024, 2027))
    budget = {year: float(rng.integers(1, 9)) for year in range(2024, 2030) if rng.random() < 0.5}
    tranches = (0.5, 0.5) if rng.random() < 0.5 else (0.25, 0.25, 0.5)
    carry = float(rng.choice([0.0, 0.25, 0.5, 1.0]))
    return world(line(budget or {2024: 4.0}, carry, tranches, first), cost=float(rng.integers(1, 13)))


def alone(scenario: Scenario, choice: Choice) -> tuple[bool, list[int]]:
    """Whether the option reaches its target in the world in which nothing is scarce, and when it is paid."""
    case = unconstrained_case(scenario, (choice,))
    out = compiled.run(case, lay_out(scenario, case, (choice,), Draws(1, range(1))))
    return bool(out.end_state[0, 0] == TARGET), out.tranche_day[0, 0].tolist()


def test_a_single_project_is_planned_if_and_only_if_the_simulation_pays_for_it_in_time() -> None:
    """What the rows allow is paid no later than planned; what is paid as planned the rows allow."""
    kinds: Counter[str] = Counter()
    count = size(60, 3000)
    for seed in range(count):
        scenario = drawn(np.random.default_rng(seed))
        (choice,) = candidates(scenario)
        options = sample(scenario, (choice,), samples=1, seed=1)
        reached, planned = alone(scenario, choice)
        allowed = reached and evaluate(state(scenario, options), (0,)).feasible
        chosen = portfolio.with_ranks(Portfolio((choice,)), scenario)
        case = build(scenario, chosen)
        out = compiled.run(case, lay_out(scenario, case, chosen.choices, Draws(1, range(1))))
        ended, days = out.end_state[0, 0] == TARGET, out.tranche_day[0, 0].tolist()
        assert allowed or not (ended and days == planned), seed
        assert not allowed or (ended and np.less_equal(days, planned).all()), seed
        budget = scenario.programmes["line"].budget
        carried = any(day >= 0 and not budget.get(2024 + day // 360) for day in planned)
        kinds["allowed" if allowed else "not allowed", "carried" if carried else "announced"] += 1
    assert len(kinds) == 4
    assert min(kinds.values()) > count / 20, kinds


@pytest.mark.parametrize("rate", [1.0, 0.3, 0.0])
def test_a_plan_counts_on_carried_money_for_late_requests_only_if_nothing_of_it_lapses(rate: float) -> None:
    """On the planned dates tranches fall due in 2024 and 2025; 2027 holds what 2026 left."""
    scenario = world(line({2024: 8.0, 2026: 6.0}, rate))
    billion = 10**9
    held = purse_at_most([8 * billion, 0, 6 * billion, 0], round(rate * 1e6))
    expected = {1.0: [8, 8, 14, 14], 0.3: [8, 2.4, 6.72, 0], 0.0: [8, 0, 6, 0]}[rate]
    assert [plannable(scenario, "line")[year] / billion for year in range(2024, 2028)] == pytest.approx(expected)
    assert held[2] == round((6 + 8 * rate**2) * billion)


def test_a_partner_is_charged_for_as_long_as_the_line_that_pays_can_have_money() -> None:
    """Money of 2024 alone, all of it carried. Talks take a day, so that the project ends in the third year."""
    base = world(line({2024: 20.0}, 1.0))
    joint = replace(
        base,
        modes={**base.modes, "joint": Mode("Joint")},
        partners={"P": Partner("P", "P", modes=("joint",), places=1, running_cost=2.0)},
        levels={"P": {"f": 80.0}},
        network=Network("line"),
        partner_effect=PartnerEffect(cost_overhead=0.0, success_shift=0.0, duration_gain=0.0),
    )
    posed = build_instance(joint, samples=2, seed=1)
    chosen = next(o for o, one in enumerate(posed.options.choices) if one.partner)
    judged = evaluate(posed.problem, (chosen,))
    assert judged.feasible
    plan = portfolio.with_ranks(Portfolio((posed.options.choices[chosen],)), joint)
    paid = simulate(joint, plan, replications=2).replications["network_paid"]
    assert judged.opening == -6.0
    assert paid.tolist() == [6.0, 6.0]
