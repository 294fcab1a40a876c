"""The lead explained: parts that add up to it, the best within the announced money, awards above it in money."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rdsim import findings
from rdsim.domain import Calibration, Choice, Programme, Scenario, Technology, Tranche
from rdsim.errors import ScenarioError
from rdsim.families import row_words
from rdsim.formulation import row_index, state
from rdsim.lead import LEAD, PARTS, bound_sentences, lead_table, part_words
from rdsim.optimiser import Solving, evaluate
from rdsim.options import awards_due
from rdsim.plans import AT_PLAN_RATIOS, ONE_SHOT, OPTIMISED, Plan, plan, plan_beside_rules
from rdsim.promises import awards_above, promise_table
from rdsim.scenario import load
from rdsim.search import AT_AWARD_RATIO_1, AT_PAYMENT_RATIO_1, OWN, USUAL_ORDER, optimise
from rdsim.search.views import payment_ratios
from rdsim.stats import paired_difference
from tests.simple import each_step, plain
from tests.tiny import tiny_folder


def crowded(**changes: object) -> Scenario:
    """Eight alike technologies that must start in a year with money for two; the years after have plenty."""
    line = Programme(
        name="Line",
        budget={2024: 12.0, **{2025 + k: 100.0 for k in range(5)}},
        starts={2024: 8},
        tranches=(Tranche(12.0, 0.5), Tranche(12.0, 0.5)),
        deadline_years=8.0,
        trl_target=6,
    )
    technologies = {
        f"T{k}": Technology(f"T{k}", f"T{k}", "line", "f", trl=4, cost=10.0, value=40.0 + k, trl_target=6)
        for k in range(8)
    }
    market = {"only": Calibration(0.6)}
    return plain(technologies, line, calibrations=market, steps=each_step(0.9**0.5), discount_rate=0.04, **changes)


@pytest.fixture(scope="module")
def crowd() -> Plan:
    scenario = crowded()
    settings = replace(scenario.optimiser.search, replications=50, most_replications=200)
    return plan(replace(scenario, optimiser=replace(scenario.optimiser, samples=50, search=settings)), replications=40)


# --- the lead in parts ----------------------------------------------------------------------------


def test_parts_add_up_to_the_lead_over_every_comparator(crowd: Plan) -> None:
    table = lead_table(crowd)
    rules = {name for name in crowd.comparisons if name not in OWN and not name.endswith(AT_PLAN_RATIOS)}
    assert crowd.promises_more
    assert rules
    assert set(table["comparator"]) == {*rules, ONE_SHOT}
    for name, mine in table.groupby("comparator"):
        assert list(mine["part"]) == [*PARTS, LEAD]
        mean = mine.set_index("part")["mean"]
        assert mean[list(PARTS)].sum() == pytest.approx(mean[LEAD])
        assert mean[LEAD] == pytest.approx(crowd.comparisons[str(name)].difference.mean)


def test_each_part_is_the_paired_difference_of_two_portfolios(crowd: Plan) -> None:
    table = lead_table(crowd).set_index(["comparator", "part"])
    freer, optimum = f"value-per-cost{AT_PLAN_RATIOS}", f"{ONE_SHOT}{AT_PLAN_RATIOS}"
    usual = USUAL_ORDER if USUAL_ORDER in crowd.comparisons else OPTIMISED
    chain = ("value-per-cost", freer, optimum, usual, OPTIMISED)
    distinct = {(row["comparator"], row["part"]) for row in lead_table(crowd).to_dict("records")}
    assert len(distinct) == len(table)
    for part, less, more in zip(PARTS, chain, chain[1:], strict=False):
        plainly = paired_difference(crowd.worths(more), crowd.worths(less), crowd.confidence)
        told = table.loc[("value-per-cost", part)]
        assert told["mean"] == pytest.approx(plainly.mean)
        assert told["low"] <= plainly.low + 1e-9  # all intervals hold together: none is narrower than one alone
        assert told["high"] >= plainly.high - 1e-9
    assert table.loc[(ONE_SHOT, "optimising"), "mean"] == 0
    assert table.loc[("value-per-cost", "promising more"), "low"] > 0  # eight projects instead of two


def test_the_rule_with_the_plans_freedom_is_behind_by_the_rest(crowd: Plan) -> None:
    table = lead_table(crowd).set_index(["comparator", "part"])["mean"]
    rest = sum(table["value-per-cost", part] for part in PARTS[1:])
    assert rest == pytest.approx(crowd.comparisons[f"value-per-cost{AT_PLAN_RATIOS}"].difference.mean)


def test_a_plan_that_was_interrupted_tells_of_those_whose_steps_are_there(crowd: Plan) -> None:
    rest = {name: one for name, one in crowd.comparisons.items() if name != "value-per-cost"}
    cut = replace(crowd, comparisons=rest, missing=("value-per-cost",))
    assert "value-per-cost" not in set(lead_table(cut)["comparator"])
    assert ONE_SHOT in set(lead_table(cut)["comparator"])
    assert lead_table(replace(crowd, missing=(ONE_SHOT,))).empty
    assert lead_table(replace(crowd, simulation=None)).empty


def test_terminal_and_manifest_tell_the_parts(crowd: Plan) -> None:
    lines = findings.describe_plan(crowd).splitlines()
    place = next(n for n, line in enumerate(lines) if "more than value per cost at the announced money" in line)
    assert lines[place + 1].strip() == f"of that {part_words(lead_table(crowd))['value-per-cost']}"
    assert all(part in lines[place + 1] for part in PARTS)
    record = findings.of_plan(crowd).record
    assert json.loads(json.dumps(record["lead"]["parts"])) == lead_table(crowd).to_dict("records")
    assert record["baselines"][AT_PAYMENT_RATIO_1]["kind"] == "optimised"
    assert record["baselines"]["value-per-cost"]["kind"] == "rule"
    assert findings.of_plan(crowd).tables["lead"].equals(lead_table(crowd))


def test_sweeps_plan_beside_simple_rules_alone() -> None:
    scenario = crowded()
    settings = replace(scenario.optimiser.search, replications=20, most_replications=100, rounds=1)
    small = replace(scenario, optimiser=replace(scenario.optimiser, samples=20, search=settings))
    found = plan_beside_rules(small, replications=5)
    assert set(found.comparisons) & set(OWN) == {ONE_SHOT}


# --- within the announced money -------------------------------------------------------------------


def test_the_best_within_the_announced_money_stand_beside_the_plan(crowd: Plan) -> None:
    payments, awards = crowd.comparisons[AT_PAYMENT_RATIO_1], crowd.comparisons[AT_AWARD_RATIO_1]
    assert payments.rule.payment_ratios == {"line": 1.0}
    held = payments.rule.evaluation
    assert held.feasible
    assert awards.rule.evaluation.feasible
    assert awards_above(crowd.scenario, awards.rule.portfolio) == {}
    assert awards_above(crowd.scenario, crowd.proposal.portfolio)
    # Two projects of 10, half of it on the first day, fit into 12; their full awards too: the same money, two each.
    assert len(payments.rule.portfolio.choices) == len(awards.rule.portfolio.choices) == 2
    assert {one.technology for one in awards.rule.portfolio.choices} == {"T6", "T7"}
    assert crowd.comparisons[AT_AWARD_RATIO_1].difference.low > 0
    assert len(bound_sentences(crowd)) == 2


def test_a_plan_within_the_announced_money_has_no_such_rows() -> None:
    scenario = crowded()
    rich = replace(scenario, programmes={"line": replace(scenario.programmes["line"], budget={2024: 900.0, 2025: 900})})
    found = plan(rich, replications=10, one_shot=True)
    assert not set(found.comparisons) & set(OWN)
    assert promise_table(rich, found.proposal)["above"].sum() == 0
    assert findings.of_plan(found).record["promises"]["above"] == []


# --- awards ---------------------------------------------------------------------------------------


def test_awards_fall_due_by_tranche_from_the_day_of_the_call() -> None:
    scenario = crowded()
    due = awards_due(scenario, Choice("T3", "domestic", "", 2025))
    assert due.tolist()[:4] == [0.0, 5.0, 5.0, 0.0]
    assert due.sum() == 10.0
    late = replace(scenario.programmes["line"], call_month=7, tranches=(Tranche(6.0, 0.2), Tranche(12.0, 0.8)))
    shifted = replace(scenario, programmes={"line": late})
    assert awards_due(shifted, Choice("T3", "domestic", "", 2024)).tolist()[:3] == pytest.approx([2.0, 8.0, 0.0])


def test_the_award_ratio_holds_full_awards_to_a_multiple_of_the_money() -> None:
    scenario = replace(crowded(), optimiser=replace(crowded().optimiser, samples=20, payment_ratio={"line": 9.0}))
    free = optimise(scenario, solving=Solving(gap=0.0))
    assert len(free.portfolio.choices) == 8
    held = replace(scenario, optimiser=replace(scenario.optimiser, award_ratio={"line": 1.3}))
    found = optimise(held, solving=Solving(gap=0.0))
    assert len(found.portfolio.choices) == 3  # 15 of 12 x 1.3
    table = promise_table(held, found)
    assert table.loc[table["year"] == 2024, "award_ratio"].item() == pytest.approx(15 / 12)
    assert table.loc[table["year"] == 2024, "above"].item() == pytest.approx(3.0)
    (first, *_) = row_index(found.problem, "awards")
    assert row_words(held, first) == "the full awards of Line that fall due in 2024"
    assert not row_index(free.problem, "awards")


def test_where_no_money_is_announced_no_award_may_fall_due() -> None:
    scenario = crowded()
    line = replace(scenario.programmes["line"], budget={2024: 100.0}, carry_over=1.0)
    held = replace(
        scenario,
        programmes={"line": line},
        optimiser=replace(scenario.optimiser, samples=10, award_ratio={"line": 1.0}),
    )
    assert optimise(held).portfolio.choices == ()


def test_an_award_ratio_of_a_line_that_is_not_there_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"optimiser\.award_ratio\.lyne"):
        crowded().with_({"optimiser.award_ratio.lyne": 1.0})


def test_rolling_keeps_what_was_promised(tmp_path) -> None:  # type: ignore[no-untyped-def]
    scenario = load(tiny_folder(tmp_path / "tiny"), ("optimiser.award_ratio={ leap = 1, base = 1 }",))
    assert payment_ratios(scenario)["leap"] == 1.2
    found = optimise(scenario, samples=20)
    again = state(scenario, found.options)
    keys = row_index(again, "awards")
    assert {key.what for key in keys} == {"leap", "base"}
    assert evaluate(again, found.solution.chosen).feasible
    above = awards_above(scenario, found.portfolio)
    assert above == {}
    due = sum(awards_due(scenario, one) for one in found.portfolio.choices)
    assert np.asarray(due).sum() == pytest.approx(found.options.award[list(found.solution.chosen)].sum())
