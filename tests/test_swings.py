"""How far each assumption alone moves a headline: recomputed, ranked, and told as noise where it may be noise."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

from rdsim.assumptions import PLAN, Measuring, Swing, headlines_of, swings_of, worlds_of
from rdsim.domain import Assumption, Scenario
from rdsim.findings import of_plan
from rdsim.findings.page import gather
from rdsim.optimiser import Solving
from rdsim.plans import Plan, plan
from rdsim.report import words
from rdsim.report.charts import plan as figures
from rdsim.search import build_instance, choose
from rdsim.simulation import Running, simulate
from tests.report import synthetic
from tests.test_redecisions import world


def assumed() -> Scenario:
    """A world whose values are assumed widely, whose discount rate hardly, and one setting that does nothing."""
    bounds = {
        "values": Assumption(("technologies.*.value",), 0.5, 1.5, "a test", change="multiply", label="values"),
        "rate": Assumption(("discount_rate",), 0.04, 0.041, "a test", label="discount rate"),
        "idle": Assumption(("programmes.line.gate.alpha",), 0.04, 0.06, "a test", label="of a gate that all pass"),
    }
    return replace(world(redecisions=0), discount_rate=0.0405, assumptions=bounds)


@lru_cache
def planned() -> Plan:
    scenario = assumed()
    few = replace(scenario.optimiser.assumptions, points=10, replications=20, repeats=0)
    quiet = replace(scenario.optimiser.what_if, repeats=0)
    settings = replace(scenario.optimiser, assumptions=few, what_if=quiet)
    return plan(replace(scenario, optimiser=settings), replications=30, seed=3)


def test_a_swing_is_the_difference_between_the_bounds() -> None:
    """Recomputed from two simulations; the largest comes first; what moves nothing has no width."""
    scenario = assumed()
    worlds, portfolio = worlds_of(scenario), choose(build_instance(scenario, seed=3), Solving()).portfolio
    found = swings_of(worlds, {PLAN: portfolio}, headlines_of(scenario)[:1], Measuring(40, 5, Running(threads=1)))
    assert next(one.assumption for one in found) == "values"
    sizes = [abs(one.difference.mean) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    for one in found:
        low, high = (
            simulate(worlds.at({one.assumption: worlds.end(one.assumption, end)}), portfolio, replications=40, seed=5)
            for end in ("low", "high")
        )
        gap = (high.expected["npv"] - low.expected["npv"]).to_numpy()
        assert one.difference.mean == pytest.approx(gap.mean(), abs=1e-9)
        assert (one.at_low, one.at_high) == pytest.approx((low.expected["npv"].mean(), high.expected["npv"].mean()))
        assert one.difference.low <= one.difference.mean <= one.difference.high
    idle = next(one for one in found if one.assumption == "idle")
    assert idle.difference.mean == 0.0
    assert not idle.is_shown
    assert found[0].is_shown


def test_a_plan_ranks_them_for_its_value_and_its_lead() -> None:
    found = planned()
    assert found.survey is not None
    by = {}
    for one in found.survey.swings:
        by.setdefault(one.headline.name, []).append(one)
    assert "npv" in by
    (lead,) = by.keys() - {"npv"}
    equal = {name: one for name, one in found.comparisons.items() if f"lead over {name}" == lead}
    rules = [one for one in found.comparisons.values() if one.rule.name == next(iter(equal.values())).rule.name]
    assert rules
    assert {len(each) for each in by.values()} == {3}
    record = of_plan(found).record["assumptions"]["swings"]
    assert next(one["assumption"] for one in record if one["headline"] == "npv") == "values"


def test_the_page_shows_them_with_what_is_not_told_from_nothing() -> None:
    found = planned()
    report = replace(gather(found), manifest=of_plan(found).record)
    rows = words.swing_rows(report)
    assert rows[0]["label"] == "values"
    assert rows[0]["bounds"] == "0.5 to 1.5 times"
    assert len(rows[0]["swings"]) == 2
    first, second = list(figures.draw(report, "inputs"))
    assert "Net present value" in first.question
    assert "values" in first.answer
    assert "not told from nothing" in first.answer
    assert first.answer != second.answer
    assert "Portfolios are kept here" in words.input_words(report)[0]


def test_noise_is_told_as_noise() -> None:
    record = of_plan(planned()).record
    swings = [{**one, "is_shown": False} for one in record["assumptions"]["swings"]]
    report = replace(gather(planned()), manifest={**record, "assumptions": {**record["assumptions"], "swings": swings}})
    assert words.swing_answer(report, "npv").startswith("No assumption is shown to move it")
    cells = [cell for row in words.swing_rows(report) for cell in row["swings"] if "(" in cell["figure"]]
    assert cells
    assert {cell["doubt"] for cell in cells} == {"not told from nothing"}


def test_without_bounds_the_page_says_what_is_assumed() -> None:
    report = synthetic.build()
    said = " ".join(words.input_words(report))
    assert "was not looked at" in said
    assert "Assumed: 9 rows of technologies." in said
    assert words.swing_rows(report) == []
    assert list(figures.draw(report, "inputs")) == []


def test_an_interval_that_holds_nothing_is_not_shown() -> None:
    one = planned().survey
    assert one is not None
    known = one.swings[0]
    doubtful = Swing(known.headline, "x", 0.0, 1.0, replace(known.difference, low=-1.0, high=2.0))
    assert not doubtful.is_shown
