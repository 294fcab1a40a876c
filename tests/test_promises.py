"""What is promised of the announced money, and who is compared with whom: the same freedom on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rdsim import findings
from rdsim.domain import Scenario
from rdsim.formulation import row_index
from rdsim.optimiser import Solving, evaluate
from rdsim.plans import AT_PLAN_RATIOS, ONE_SHOT, Plan, plan
from rdsim.promises import payment_sentence, promise_table, sentences
from rdsim.scenario import load
from rdsim.search import AT_AWARD_RATIO_1, OWN, Proposal, baselines, optimise
from rdsim.search.views import at_ratios, payment_ratios
from tests.tiny import tiny_folder

RULES = ("value-per-cost", "evaluation-score", "domestic-only", "random-feasible")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("promises") / "tiny"))


@pytest.fixture(scope="module")
def proposal(scenario: Scenario) -> Proposal:
    return optimise(scenario, samples=60, solving=Solving(gap=0.0))


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan of a quarter of the money, whose scenario lets both lines promise three times that."""
    scarce = (
        "programmes.leap.budget={ 2024 = 3, 2025 = 3, 2026 = 3, 2027 = 2, 2028 = 1 }",
        "programmes.base.budget={ 2024 = 2, 2025 = 2, 2026 = 2, 2027 = 2, 2028 = 1 }",
        "optimiser.payment_ratio={ leap = 3, base = 3 }",
    )
    scenario = load(tiny_folder(tmp_path_factory.mktemp("free") / "tiny"), scarce)
    return plan(scenario, replications=12, seed=4, one_shot=True)


def test_the_scenarios_own_payment_ratio_is_part_of_what_rows_hold_to(scenario: Scenario, proposal: Proposal) -> None:
    assert scenario.optimiser.payment_ratio == {"leap": 1.2}
    assert payment_ratios(scenario, {"leap": 1.5, "base": 2.0}) == pytest.approx({"leap": 1.8, "base": 2.0})
    assert proposal.payment_ratios == {"leap": 1.2, "base": 1.0}
    announced = at_ratios(scenario, proposal.problem, {"leap": 1.0, "base": 1.0})
    for key, row in row_index(announced, "budget").items():
        assert announced.rows.cap[row] == pytest.approx(scenario.programmes[key.what].budget.get(key.year, 0.0))


def test_every_rule_is_made_within_the_announced_money_and_with_the_plans_freedom(free: Plan) -> None:
    names = {*RULES, *(f"{rule}{AT_PLAN_RATIOS}" for rule in RULES)}
    assert {name for name in free.comparisons if name not in OWN} == names
    problem, scenario = free.proposal.problem, free.scenario
    once, thrice = (
        at_ratios(scenario, problem, dict.fromkeys(scenario.programmes, ratio), free.proposal.payment_ratios)
        for ratio in (1.0, 3.0)
    )
    more = 0
    for rule in RULES:
        tight, loose = free.comparisons[rule], free.comparisons[f"{rule}{AT_PLAN_RATIOS}"]
        assert (free.is_equal(tight), free.is_equal(loose)) == (False, True)
        for comparison, held in ((tight, once), (loose, thrice)):
            again = evaluate(held, comparison.rule.evaluation.chosen)
            assert again.violations == comparison.rule.evaluation.violations
        more += len(loose.rule.portfolio.choices) - len(tight.rule.portfolio.choices)
    assert more > 0


def test_who_promises_no_more_is_compared_once(scenario: Scenario) -> None:
    plain = replace(scenario, optimiser=replace(scenario.optimiser, payment_ratio={}))
    found = plan(plain, replications=6, seed=4, one_shot=True)
    assert not found.promises_more
    assert set(found.comparisons) - {AT_AWARD_RATIO_1} == set(RULES)
    assert "payment ratios" not in findings.describe_plan(found).split("simulated net value")[1]


def test_the_terminal_tells_both_leads_and_the_equal_one_first(free: Plan) -> None:
    lines = [line for line in findings.describe_plan(free).splitlines() if "more than" in line and "alone" not in line]
    told = [line for line in lines if "value per cost" in line]
    assert ["at the plan's payment ratios" in line for line in told] == [True, False]
    assert "at the announced money" in told[1]


def test_promises_add_up_to_what_rows_and_awards_say(scenario: Scenario, proposal: Proposal) -> None:
    table = promise_table(scenario, proposal).set_index(["programme", "year"])
    options, chosen = proposal.options, list(proposal.solution.chosen)
    assert table["awards"].sum() == pytest.approx(options.award[chosen].sum())
    for key, row in row_index(proposal.problem, "budget").items():
        known = table.loc[(key.what, key.year)]
        assert known["payments"] == pytest.approx(proposal.evaluation.activity[row])
    base = table.loc["base"]  # nothing is carried over in this line
    paying = base[base["announced"] > 0]
    assert np.allclose(paying["payment_ratio"], paying["payments"] / paying["announced"])
    assert np.allclose(paying["award_ratio"], paying["awards"] / paying["announced"])


def test_money_that_is_carried_over_is_room_for_payments(scenario: Scenario, proposal: Proposal) -> None:
    leap = promise_table(scenario, proposal).query("programme == 'leap'").sort_values("year")
    first, second = leap.iloc[0], leap.iloc[1]
    left = 0.5 * max(first["announced"] - first["payments"], 0.0)
    assert second["payment_ratio"] == pytest.approx(second["payments"] / (second["announced"] + left))


def test_payments_and_awards_are_told_apart(scenario: Scenario) -> None:
    columns = ["programme", "name", "year", "announced", "payments", "payment_ratio", "awards", "award_ratio"]
    rows = [
        ("base", "Foundational", 2024, 100.0, 80.0, 0.8, 90.0, 0.9),
        ("base", "Foundational", 2025, 117.0, 162.63, 1.39, 187.0, 187 / 117),
        ("leap", "Leapfrogging", 2025, 50.0, 40.0, 0.8, 50.0, 1.0),
    ]
    table = pd.DataFrame(rows, columns=columns)
    assert sentences(scenario, table) == [
        "Expected payments reach 139% of the announced money of Foundational in the busiest year.",
        "If no project ever stopped, full awards of Foundational would ask for more than is announced: "
        "2025 by 70 billion KRW (187 for 117, 160%).",
    ]
    assert payment_sentence(table[table["programme"] == "leap"]) == (
        "Expected payments stay within the announced money of every line and year."
    )


def test_rules_of_a_sweep_keep_the_rows_of_their_world(scenario: Scenario, proposal: Proposal) -> None:
    for rule in baselines(scenario, proposal).values():
        assert rule.payment_ratios == proposal.payment_ratios
        assert evaluate(proposal.problem, rule.evaluation.chosen).violations == rule.evaluation.violations
    assert ONE_SHOT not in baselines(scenario, proposal)
