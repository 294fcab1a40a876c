"""Rules beside a plan: at the scenario's payment ratios, and with the plan's freedom; the page says which is which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rdsim
from rdsim.optimiser import Solving
from rdsim.plans import AT_PLAN_RATIOS, plan
from rdsim.scenario import load
from rdsim.search import baselines, optimise
from rdsim.simulation import Running
from rdsim.sweep import run, write_report
from rdsim.sweep.decisions import PLAN, decide
from rdsim.sweep.tasks import portfolio_key

SETTINGS: dict[str, Any] = {
    "optimiser.samples": 20,
    "optimiser.search.rounds": 1,
    "optimiser.search.replications": 20,
    "optimiser.search.most_replications": 100,
}
RULE = "value-per-cost"
FREER = f"{RULE}{AT_PLAN_RATIOS}"
SAID = f"The payment ratios of {RULE} are those that the scenario sets"


def experiment(tiny: Path, policies: tuple[str, ...], settings: dict[str, Any], **more: Any) -> rdsim.Experiment:
    factors = {"policy": {"policies": list(policies)}} if policies else {}
    return rdsim.Experiment(
        str(tiny), settings={**SETTINGS, **settings}, factors=factors, replications=10, seed=1, **more
    )


def test_a_rule_with_the_plans_freedom_is_made_at_its_payment_ratios(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scarce = {"programmes.leap.budget": {2024: 3, 2025: 3, 2026: 3, 2027: 2, 2028: 1}, "programmes.base.budget.*": 2}
    world = load(tiny, {**SETTINGS, **scarce, "optimiser.payment_ratio": {"leap": 3, "base": 3}})
    ratios = {"leap": 1.0, "base": 1.0}
    proposal = optimise(world, seed=1, running=Running(threads=1))
    promised = SimpleNamespace(proposal=replace(proposal, payment_ratios=ratios))
    monkeypatch.setattr("rdsim.sweep.decisions.find_plan", lambda *_, **__: promised)
    how = (1, Solving(), Running(threads=1))
    plain, freer = (portfolio_key(decide(world, name, *how)) for name in (RULE, FREER))
    assert plain == portfolio_key(baselines(world, proposal, seed=1)[RULE].portfolio)
    assert freer == portfolio_key(baselines(world, proposal, payment_ratios=ratios, seed=1)[RULE].portfolio)
    assert plain != freer


def test_the_page_says_what_the_rules_are_held_to_unless_they_stand_there_at_equal_freedom(
    tiny: Path, tmp_path: Path
) -> None:
    for place, policies in (("unequal", (PLAN, RULE)), ("equal", (PLAN, RULE, FREER)), ("none", (RULE,))):
        run(experiment(tiny, policies, {}), tmp_path / place)
        page = write_report(tmp_path / place).read_text("utf-8")
        assert (SAID in page) == (place == "unequal"), place


@pytest.mark.parametrize("ratio", [1.0, 1.2])
def test_what_a_plan_gains_over_rules_with_its_freedom_is_a_figure(tiny: Path, ratio: float) -> None:
    settings = {"optimiser.payment_ratio.leap": ratio}
    planned = plan(load(tiny, SETTINGS | settings), replications=10, seed=1)
    assert planned.promises_more == (ratio > 1)
    metrics = ("gain_over_value_per_cost", "gain_over_value_per_cost_at_plan_ratios")
    row = experiment(tiny, (), settings, task="plan", metrics=metrics).run().table.iloc[0]
    assert planned.simulation is not None
    own = planned.simulation.replications["npv"]
    for metric, name in zip(metrics, (RULE, FREER if ratio > 1 else RULE), strict=True):
        # A sweep estimates from replications as drawn: its row may ask for a tail or a probability of the same figure.
        assert row[metric] == pytest.approx((own - planned.comparisons[name].replications["npv"]).mean())
