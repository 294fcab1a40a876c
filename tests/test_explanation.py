"""Explanations in words: names, units and figures that solving again confirms."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim.domain import Scenario
from rdsim.errors import ProblemError
from rdsim.explanation import (
    Explained,
    cap_words,
    explain,
    partner_standing,
    partner_standing_words,
    replacement_words,
    savings,
    screen_table,
    why_not_words,
)
from rdsim.families import RowKey
from rdsim.optimiser import PortfolioProblem, Solving, solve
from rdsim.optimiser.models.variations import with_caps, with_fixed, with_slack
from rdsim.optimiser.questions.conflicts import Conflict, Rule
from rdsim.optimiser.questions.explanation import (
    Bracket,
    CapRise,
    CapStep,
    Exchange,
    Reason,
    Replacement,
    WhyNot,
    WorthOfCap,
)
from rdsim.scenario import load
from rdsim.search import Proposal, optimise
from tests.tiny import tiny_folder

EXACT = Solving(gap=0)


def figure(value: float) -> Bracket:
    return Bracket(value, value, value)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("explanation") / "tiny"))


@pytest.fixture(scope="module")
def proposal(scenario: Scenario) -> Proposal:
    return optimise(scenario, solving=Solving(gap=0.0))


@pytest.fixture(scope="module")
def medical() -> tuple[Scenario, Proposal]:
    scenario = load(Path(__file__).parents[1] / "scenarios" / "medical-ai-2024")
    return scenario, optimise(scenario, samples=30, seed=1, solving=Solving(gap=0.0))


def test_why_not_is_told_with_names_and_confirmed(scenario: Scenario, proposal: Proposal) -> None:
    problem, best = proposal.problem, proposal.solution.objective
    for told in explain(scenario, proposal, ["T1", "T6"], EXACT):
        assert isinstance(told.found, WhyNot)
        assert told.text.startswith(f"{told.name} ({scenario.technologies[told.name].name}) is not funded: ")
        without = solve(with_fixed(problem, groups_in=[problem.group_names.index(told.name)]), solving=Solving(gap=0))
        assert told.found.loss.found == pytest.approx(best - without.objective, abs=1e-5)
        assert f"would cost {told.found.loss.found:,.3g} billion KRW of expected net value" in told.text
        assert "(verified by solving again)" in told.text
        assert str(told) == told.text


def test_losing_one_and_moving_a_cap_are_confirmed(medical: tuple[Scenario, Proposal]) -> None:
    scenario, proposal = medical
    problem, best = proposal.problem, proposal.solution.objective
    funded = proposal.portfolio.choices[0].technology
    cap = next(name for name in problem.rows.names if name.startswith("budget ") and name.endswith(" 2024"))
    lost, moved = explain(scenario, proposal, [funded, cap], EXACT)
    without = solve(with_fixed(problem, groups_out=[problem.group_names.index(funded)]), solving=Solving(gap=0))
    assert isinstance(lost.found, Replacement)
    assert lost.found.cost.found == pytest.approx(best - without.objective, abs=1e-6)
    assert f"Losing {funded} ({scenario.technologies[funded].name}) would cost" in lost.text
    assert isinstance(moved.found, WorthOfCap)
    row = problem.rows.names.index(cap)
    for step in moved.found.steps:
        again = solve(with_caps(problem, {row: step.cap}), Solving(gap=0))
        assert step.worth.found == pytest.approx(again.objective - best, abs=1e-6)
    assert "a hint only" in moved.text
    assert len(moved.text.splitlines()) == 6


def test_a_cap_that_brings_one_in_is_enough_as_it_is_told(medical: tuple[Scenario, Proposal]) -> None:
    """Where starts are plenty, money alone keeps one out; where money is plenty, starts do."""
    scenario, proposal = medical
    families = proposal.problem.rows.family
    kinds = set()
    for plenty, scarce in (("starts", "budget"), ("budget", "starts")):
        free = {row: 50.0 for row, family in enumerate(families) if family == plenty}
        problem = with_caps(proposal.problem, free)
        there = replace(proposal, problem=problem, solution=solve(problem, Solving(gap=0)))
        waiting = screen_table(scenario, there)["technology"][:1]
        kinds |= {family for one in explain(scenario, there, waiting, EXACT) for family in assert_enough(problem, one)}
        assert scarce in kinds


def assert_enough(problem: PortfolioProblem, told: Explained) -> set[str]:
    """Each cap that is told to do does, when the problem is solved again."""
    assert isinstance(told.found, WhyNot)
    for rise in told.found.caps:
        wider, group = with_slack(problem, {rise.row: rise.amount.found}), told.found.group
        inside = solve(with_fixed(wider, groups_in=[group]), Solving(gap=0)).objective
        outside = solve(with_fixed(wider, groups_out=[group]), Solving(gap=0)).objective
        assert inside >= outside - 1e-6
        assert rise.family not in {"starts", "places"} or rise.amount.found == int(rise.amount.found)
    return {rise.family for rise in told.found.caps}


def test_names_that_are_neither_are_refused_all_at_once(scenario: Scenario, proposal: Proposal) -> None:
    with pytest.raises(ProblemError) as caught:
        explain(scenario, proposal, ["T1", "T77", "budget"])
    assert [fault.found for fault in caught.value.faults] == ["'T77'", "'budget'"]


BUDGET = RowKey("budget", "leap", 2025)


def answer(**changes: object) -> WhyNot:
    plain = WhyNot(
        group=2,
        name="T3",
        reason=Reason.CROWDED_OUT,
        loss=Bracket(1.2, 0.8, 1.5),
        exchange=Exchange(("T3/JP/matching/2025",), ("T1",), ("T2/US/direct/2025",)),
        verified=True,
        cut=Bracket(0.2251, 0.2, 0.25),
        links=(Rule("exclusion", 0, "T3, T1", "exclusion: at most one of T3, T1", "exclusion"),),
        caps=(CapRise(14, "budget leap 2025", "budget", "<=", figure(3.0521), BUDGET),),
        no_cap=(),
        open_caps=(),
        within=1.0,
        conflict=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_whole_answer_reads_well(scenario: Scenario) -> None:
    assert why_not_words(scenario, answer()) == (
        "T3 (Packaging) is not funded: others make better use of what it needs. "
        "Bringing it in would cost 1.2 billion KRW of expected net value (proven: between 0.8 and 1.5 billion KRW): "
        "T3 with Japan from 2025 in place of T1 (AI 반도체); 1 other with another partner, mode or year. "
        "It comes in if its value rises by 1.2 billion KRW, or if its cost falls by 23%, "
        "or if one raises the 2025 budget of Leapfrogging by 3.06 billion KRW, "
        "or if exclusion: at most one of T3, T1 is dropped "
        "(verified by solving again, as far as portfolios were found)."
    )


def test_every_reason_has_its_words(scenario: Scenario) -> None:
    never = Bracket(math.inf, math.inf, math.inf)
    nothing = answer(loss=never, exchange=None, cut=never, links=(), caps=(), no_cap=("a", "b"))
    assert "no eligible option" in why_not_words(scenario, replace(nothing, reason=Reason.NO_OPTION))
    assert why_not_words(scenario, replace(nothing, reason=Reason.RULED_OUT)).endswith("the planner ruled it out.")
    worthless = why_not_words(scenario, replace(nothing, reason=Reason.WORTHLESS, within=math.inf))
    assert "even if it used nothing that is scarce" in worthless
    assert "No cut of its cost alone is enough." in worthless
    assert worthless.endswith("No single cap brings it in, which is proven.")
    open_ = replace(nothing, open_caps=("c",), cut=Bracket(math.inf, 0.0, math.inf))
    assert why_not_words(scenario, open_).endswith(
        "A cut of its cost alone was not found to be enough. "
        "No single cap relaxed by up to 100% was found to bring it in; for 2 of 3 it is proven that none does."
    )
    rules = (
        Rule("must-fund", 2, "T3", "must-fund T3", "must-fund"),
        Rule("row", 14, "budget leap 2025", "budget leap 2025: at most 14", "budget", BUDGET, "<=", 14.0),
        Rule("must-fund", 1, "T2", "must-fund T2", "must-fund"),
    )
    barred = replace(nothing, reason=Reason.IMPOSSIBLE, conflict=Conflict(rules, True, 3))
    assert (
        "no portfolio can hold it, for the 2025 budget of Leapfrogging (at most 14 billion KRW) and "
        "must-fund T2 (mRNA, 치료제) stand in its way."
    ) in why_not_words(scenario, barred)


def test_what_cannot_be_lost_and_what_is_not_known(scenario: Scenario, proposal: Proposal) -> None:
    (must,) = explain(scenario, proposal, ["T2"], EXACT)
    assert must.text == "T2 (mRNA, 치료제) cannot be lost: must-fund T2 (mRNA, 치료제)."
    unknown = Replacement(1, "T2", Bracket(math.inf, 0.0, math.inf), None, None)
    assert "is not known" in replacement_words(scenario, unknown)
    along = Replacement(1, "T2", figure(2.0), Exchange((), ("T2", "T3"), ()), None)
    assert replacement_words(scenario, along) == (
        "Losing T2 (mRNA, 치료제) would cost 2 billion KRW of expected net value; in its place: nothing, "
        "and T3 (Packaging) would go as well."
    )


def test_caps_are_told_step_by_step(scenario: Scenario) -> None:
    nan = figure(math.nan)
    steps = (
        CapStep(-7.0, 7.0, Bracket(-math.inf, -math.inf, -math.inf), nan, None),
        CapStep(-1.0, 13.0, Bracket(-2.0, -2.5, -1.0), nan, None),
        CapStep(0.0, 14.0, figure(0.0), nan, None),
        CapStep(1.0, 15.0, figure(0.0), nan, None),
        CapStep(2.0, 16.0, Bracket(1e-13, 0.0, 0.5), nan, None),
        CapStep(4.0, 18.0, figure(6.0), nan, None),
    )
    assert cap_words(scenario, WorthOfCap(14, "budget leap 2025", steps, -0.0, BUDGET)).splitlines() == [
        "the 2025 budget of Leapfrogging, now 14 billion KRW:",
        "  7 billion KRW less: no portfolio was found that satisfies every rule",
        "  1 billion KRW less costs 2 billion KRW, 2 for each (change proven: -2.5 to -1)",
        "  1 billion KRW more changes nothing",
        "  2 billion KRW more: no change was found (change proven: +0 to +0.5)",
        "  4 billion KRW more gains 6 billion KRW, 1.5 for each",
        "  (a hint only: in the linear relaxation one more billion KRW is worth 0 billion KRW)",
    ]


def test_the_screen_lists_all_that_are_not_funded(medical: tuple[Scenario, Proposal]) -> None:
    scenario, proposal = medical
    table = screen_table(scenario, proposal)
    funded = {choice.technology for choice in proposal.portfolio.choices}
    assert set(table["technology"]) == set(scenario.technologies) - funded
    assert table["loss_found"].dropna().is_monotonic_increasing
    known = table.dropna(subset=["loss_found"])
    assert len(known) >= 3
    assert (known["loss_at_least"] <= known["loss_found"] + 1e-9).all()
    for row in known.head(3).itertuples():
        group = proposal.problem.group_names.index(row.technology)
        loss = (
            proposal.solution.objective
            - solve(with_fixed(proposal.problem, groups_in=[group]), Solving(gap=0)).objective
        )
        assert row.loss_at_least - 1e-6 <= loss <= row.loss_at_most + 1e-6


def test_savings_are_discounted_payments(scenario: Scenario, proposal: Proposal) -> None:
    options = proposal.options
    found = savings(scenario, options)
    years = np.arange(options.payments.shape[1])
    assert found == pytest.approx((options.payments / (1 + scenario.discount_rate) ** years).sum(axis=1))
    assert (found > 0).all()
    assert (found < options.payments.sum(axis=1)).any()


# --- partners --------------------------------------------------------------------------------------


def test_a_consortium_that_is_not_chosen_is_told_what_it_lacks(scenario: Scenario, proposal: Proposal) -> None:
    standing = partner_standing(scenario, proposal, "US+JP")
    assert (standing.chosen, standing.eligible, standing.refusals) == ((), 6, ())
    worth = dict(zip(proposal.problem.option_names, proposal.options.expected_value.tolist(), strict=True))
    best = {
        partner: max(one for name, one in worth.items() if name.startswith(f"{standing.nearest}/{partner}/"))
        for partner in ("US+JP", standing.rival)
    }
    assert (standing.alone, standing.rival_alone) == (best["US+JP"], best[standing.rival])
    others = [one for name, one in worth.items() if name.startswith(f"{standing.nearest}/") and "/US+JP/" not in name]
    assert standing.rival_alone == max(others)
    (told,) = explain(scenario, proposal, ["US+JP"], EXACT)
    assert told.text == partner_standing_words(scenario, standing)
    assert "US+JP (US and Japan) is chosen for no technology; it may be for 6 of 6." in told.text
    assert "Together its members bring no more than JP alone." in told.text
    assert "Coordination makes steps 10% longer and projects 5% dearer" in told.text


def test_a_consortium_that_alone_may_be_chosen_is_told_of_as_such(scenario: Scenario) -> None:
    needy = scenario.with_({"technologies.T1.needs_fields": "chip|bio", "technologies.T1.partners_required": "US+JP"})
    proposal = optimise(needy, solving=EXACT)
    told = partner_standing_words(needy, partner_standing(needy, proposal, "US+JP"))
    assert "For T1 (AI 반도체)" in told
    assert "nobody else may be chosen" in told
    assert "US+JP brings 95%: 99% in Semiconductors (JP), 91% in Bio (US)" in told
    told = partner_standing_words(needy, partner_standing(needy, proposal, "DE"))
    assert "DE has no level in field chip (2); it must be done with US and JP, and DE is without US and JP (1)" in told


def test_a_technology_that_nobody_may_do_as_it_asks_says_so(scenario: Scenario) -> None:
    lost = scenario.with_({"technologies.T1.partners_required": "US+DE"})
    table = screen_table(lost, optimise(lost, solving=EXACT)).set_index("technology")
    reason = "it has no eligible option: it must be done with US and DE, and nobody has them all"
    assert table.loc["T1", "reason"] == reason
