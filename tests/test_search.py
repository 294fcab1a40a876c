"""Proposals and plans: what is chosen is feasible, repeatable, judged on other draws, and compared in pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim import findings
from rdsim.domain import Scenario
from rdsim.errors import InfeasibleError, SolverError
from rdsim.optimiser import Solving, Status, evaluate, solve, state_problem
from rdsim.plans import Plan, plan
from rdsim.scenario import load
from rdsim.search import baselines, fresh_worth, optimise
from rdsim.stats import paired_difference
from tests.tiny import tiny_folder


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("search") / "tiny"))


@pytest.fixture(scope="module")
def found(scenario: Scenario) -> Plan:
    return plan(scenario, replications=25, seed=4)


def test_a_proposal_is_feasible_and_proven(scenario: Scenario) -> None:
    proposal = optimise(scenario)
    assert proposal.solution.status is Status.OPTIMAL
    assert proposal.evaluation.feasible
    assert proposal.solution.bound >= proposal.evaluation.objective - 1e-6
    chosen = {
        (choice.technology, choice.partner, choice.mode, choice.start_year) for choice in proposal.portfolio.choices
    }
    indices = [proposal.options.choices[o] for o in proposal.solution.chosen]
    assert chosen == {(choice.technology, choice.partner, choice.mode, choice.start_year) for choice in indices}


def test_the_same_seed_proposes_the_same_portfolio(scenario: Scenario) -> None:
    assert optimise(scenario, seed=9).portfolio == optimise(scenario, seed=9).portfolio


def test_must_fund_is_funded_and_exclusions_hold(scenario: Scenario) -> None:
    funded = {choice.technology for choice in optimise(scenario).portfolio.choices}
    assert "T2" in funded
    assert not {"T5", "T6"} <= funded


def test_what_cannot_be_met_is_an_error_that_says_why(tiny: Path) -> None:
    demands = ["technologies.T5.status=must-fund", "technologies.T6.status=must-fund"]
    with pytest.raises(InfeasibleError, match="T5"):
        optimise(load(tiny, demands))


def test_what_the_check_sees_is_said_where_the_solver_names_no_conflict(tiny: Path) -> None:
    demands = ["technologies.*.status=must-fund", "programmes.*.budget.*=1e-6"]
    with pytest.raises(InfeasibleError) as caught:
        optimise(load(tiny, demands))
    first, *rest = str(caught.value).splitlines()
    assert first == "no portfolio satisfies every row: the scenario asks for what cannot be:"
    assert any("programmes.leap.budget" in line for line in rest)


def test_a_solver_that_calls_a_feasible_scenario_infeasible_is_not_believed(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = replace(solve(state_problem([1.0]), Solving(gap=0)), status=Status.INFEASIBLE)
    monkeypatch.setattr("rdsim.search.proposals.solve", lambda *_, **__: answer)
    with pytest.raises(SolverError, match="solver highs: said that no portfolio satisfies every row, and then found"):
        optimise(scenario, samples=2)


def test_rules_are_judged_by_the_same_rows_and_never_beat_the_optimum(scenario: Scenario) -> None:
    proposal = optimise(scenario, solving=Solving(gap=0.0))
    rules = baselines(scenario, proposal)
    assert set(rules) == {"value-per-cost", "evaluation-score", "domestic-only", "random-feasible"}
    for name, rule in rules.items():
        again = evaluate(proposal.problem, rule.evaluation.chosen)
        assert again.objective == rule.evaluation.objective
        if rule.evaluation.feasible:
            assert rule.evaluation.objective <= proposal.evaluation.objective + 1e-6, name
    assert all(not choice.partner for choice in rules["domestic-only"].portfolio.choices)


def test_a_plan_parts_optimism_from_waiting(scenario: Scenario, found: Plan) -> None:
    """Fresh samples are others than those that chose, as many as are needed, and repeat."""
    assert found.fresh is not None
    assert found.fresh.n == 1000
    assert found.fresh.low <= found.fresh.mean <= found.fresh.high
    again = fresh_worth(scenario, found.proposal, count=1000, seed=4)
    assert again == found.fresh
    evaluation = found.proposal.evaluation
    same = evaluation.opening + evaluation.synergy - evaluation.shortfall
    worths = np.atleast_2d(found.proposal.problem.values)
    chosen = worths[:, list(found.proposal.solution.chosen)].sum(axis=1) + same
    assert evaluation.objective == pytest.approx(float(chosen.mean()))
    error = chosen.std() / np.sqrt(len(chosen)) + (found.fresh.high - found.fresh.low) / 4
    assert abs(found.fresh.mean - chosen.mean()) < 6 * error
    assert found.fresh.mean != pytest.approx(float(chosen.mean()), rel=1e-9)


def test_a_plan_compares_on_the_same_replications(found: Plan) -> None:
    assert found.simulation is not None
    best = found.simulation.expected
    for comparison in found.comparisons.values():
        for table in (comparison.replications, comparison.expected):
            assert table["replication"].tolist() == best["replication"].tolist()
        by_hand = paired_difference(best["npv"], comparison.expected["npv"], 0.95, len(found.comparisons))
        assert comparison.difference == by_hand


def test_the_draws_that_judge_are_not_those_that_chose(found: Plan) -> None:
    """A portfolio's own samples and its evaluation differ even for a project that waits for nothing."""
    assert found.simulation is not None
    options = found.proposal.options
    o = found.proposal.solution.chosen[0]
    projects = found.simulation.projects
    judged = projects[projects["technology"] == options.choices[o].technology]["npv"].to_numpy()
    assert not np.array_equal(np.sort(judged)[:20], np.sort(options.npv[:20, o]))


def test_progress_of_each_stage_ends_at_the_whole(scenario: Scenario) -> None:
    told: list[tuple[str, int, int]] = []
    found = plan(scenario, replications=6, seed=4, progress=lambda *step: told.append(step))
    simulated = 6 * (1 + len(found.comparisons))
    assert told[:2] == [("optimise", 0, 1), ("optimise", 1, 1)]
    last = {stage: (done, whole) for stage, done, whole in told}
    asked = ["absence", "lapse", "change", "partners"]
    assert list(last) == ["optimise", "search", "simulate", "firmness", *asked[: len(last) - 4]]
    assert len(last) >= 7
    assert last["simulate"] == (simulated, simulated)
    assert all(done == whole for done, whole in last.values())


def test_findings_say_what_a_planner_needs(found: Plan, scenario: Scenario) -> None:
    text = findings.describe_plan(found)
    assert "proven gap" in text
    assert "95% interval" in text
    tables = findings.gather(found)
    assert len(tables.technologies) == len(scenario.technologies)
    unfunded = tables.technologies[~tables.technologies["funded"]]
    assert (unfunded["note"].str.len() > 0).all()
    assert tables.technologies["funded"].sum() == len(found.proposal.portfolio.choices)
    planned = tables.plan.groupby("programme")["planned"].sum()
    assert (planned >= 0).all()
    announced = {line.name: sum(line.budget.values()) for line in scenario.programmes.values()}
    assert tables.plan.groupby("programme")["announced"].sum().to_dict() == pytest.approx(announced)


def test_promised_awards_add_up(found: Plan) -> None:
    promised = findings.gather(found).plan["promised"].sum()
    awards = found.proposal.options.award[list(found.proposal.solution.chosen)].sum()
    assert promised == pytest.approx(awards)
