"""Constraint families: rows are known by their keys, whatever ids are called, and say what of the past counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rdsim.domain import Choice, Institute, Limit, Limits, Mode, Network, Partner, Programme, Scenario, Technology
from rdsim.families import FAMILIES, Begun, Past, Row, RowKey, remaining_cap, row_words
from rdsim.families.family import cap_above_past
from rdsim.formulation import budget_rows, row_index
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.questions.conflicts import rules_of
from rdsim.promises import promise_table
from rdsim.search import Instance, build_instance, optimise
from rdsim.search.views import View, apply_view, at_ratios
from rdsim.words import rule_words
from tests.simple import plain

SAME = "a.b"
"""Id of a programme, a field, a partner and an institute; another programme's name begins with it."""


@pytest.fixture(scope="module")
def posed() -> Instance:
    return build_instance(alike(), samples=4, seed=1)


def alike() -> Scenario:
    base = plain()
    line = replace(base.programmes["line"], budget={2024: 40.0, 2025: 40.0}, starts={2024: 1, 2025: 1})
    lines: dict[str, Programme] = {SAME: line, f"{SAME}.2025": replace(line, name="Other", carry_over=0.5)}
    technologies = {
        name: Technology(name, name, programme, SAME, trl=4, cost=10.0, value=90.0, trl_target=6, institute=SAME)
        for name, programme in (("A", SAME), ("B", f"{SAME}.2025"))
    }
    field = replace(base.fields["f"], name="Field")
    return replace(
        base,
        programmes=lines,
        fields={SAME: field},
        institutes={SAME: Institute("Home", teams=1)},
        partners={SAME: Partner(SAME, "Abroad", modes=("joint",), places=1, setup_cost=1.0)},
        levels={SAME: {SAME: 90.0}},
        modes={"domestic": Mode("Domestic"), "joint": Mode("Joint", abroad_share=0.2)},
        technologies=technologies,
        limits=Limits(fields={SAME: Limit(0.05, 0.9)}, partners={SAME: Limit(0.0, 0.5)}),
        network=Network(programme=f"{SAME}.2025"),
    )


# --- keys -----------------------------------------------------------------------------------------


def test_names_tell_what_is_meant_and_keys_tell_apart_what_is_called_alike(posed: Instance) -> None:
    rows = posed.problem.rows
    assert rows.names == tuple(map(str, rows.keys))
    assert len(set(rows.keys)) == len(rows.keys)
    assert str(RowKey("field", SAME, side="floor")) == f"field floor {SAME}"
    assert {key.what for key in row_index(posed.problem, "budget")} == {SAME, f"{SAME}.2025"}
    words = {row_words(posed.scenario, key) for key in rows.keys if key.what == SAME and key.year in {0, 2025}}
    assert words == {
        "the 2025 budget of Line",
        "the starts of Line in 2025",
        "the places at Abroad in 2025",
        "the teams of Home in 2025",
        "the floor on the share of Field",
        "the ceiling on the share of Field",
        "the ceiling on the share of Abroad",
    }


def test_only_the_rows_of_the_programme_that_is_meant_are_moved(posed: Instance) -> None:
    scenario, problem = posed.scenario, posed.problem
    rows = budget_rows(scenario, problem)
    looser = at_ratios(scenario, problem, {SAME: 2.0})
    assert looser.rows.cap[rows[SAME]].tolist() == (2 * problem.rows.cap[rows[SAME]]).tolist()
    others = np.setdiff1d(np.arange(len(problem.rows.names)), rows[SAME])
    assert looser.rows.cap[others].tolist() == problem.rows.cap[others].tolist()
    view = View(dict.fromkeys(scenario.programmes, 1.0), np.zeros(len(problem.option_names)), spread=0.5)
    caps = apply_view(scenario, problem, view, sampled=False).rows.cap
    first = {key: caps[row] for key, row in row_index(problem, "starts").items()}
    assert {key.what: cap for key, cap in first.items() if key.year == 2024} == {SAME: 0.5, f"{SAME}.2025": 0.5}
    assert {cap for key, cap in first.items() if key.year == 2025} == {1.0}


def test_what_is_carried_goes_to_the_same_programme(posed: Instance) -> None:
    keys = posed.problem.rows.keys
    carried = [(keys[source], keys[target]) for source, target, _ in posed.problem.rows.carry]
    assert carried
    for source, target in carried:
        assert (source.what, source.year + 1) == (target.what, target.year) == (f"{SAME}.2025", target.year)


def test_partners_cost_is_promised_of_the_line_that_pays_for_them(posed: Instance) -> None:
    proposal = optimise(posed.scenario, samples=4, seed=1)
    joint = tuple(o for o, one in enumerate(proposal.options.choices) if one.partner and one.technology == "A")[:1]
    judged = evaluate(proposal.problem, joint)
    solution = replace(proposal.solution, chosen=judged.chosen, opened=judged.opened)
    table = promise_table(posed.scenario, replace(proposal, solution=solution, evaluation=judged))
    own = float(proposal.options.payments[list(joint)].sum())
    paid = table.groupby("programme")["payments"].sum()
    assert paid[SAME] == pytest.approx(own)
    assert paid[f"{SAME}.2025"] == pytest.approx(1.0)


def test_one_of_what_is_counted_is_told_as_one(posed: Instance) -> None:
    told = [rule_words(posed.scenario, rule) for rule in rules_of(posed.problem)]
    assert "the starts of Line in 2024 (at most 1 start)" in told
    assert "the places at Abroad in 2024 (at most 1 place)" in told
    assert "the 2024 budget of Line (at most 40 billion KRW)" in told


# --- the past -------------------------------------------------------------------------------------

PAST = Past(2026, frozenset(), ())


@pytest.mark.parametrize(
    ("year", "sense", "expected"),
    [
        (2026, "<=", 7.0),  # 4, but 5 are held and 2 will open
        (0, "<=", 7.0),
        (2025, ">=", 4.0),  # the year is gone
        (2026, ">=", 4.0),
        (0, ">=", 1.0),  # 3 of the 4 are done
    ],
)
def test_a_family_that_says_nothing_of_the_past_asks_for_no_less_than_is_held(
    year: int, sense: str, expected: float
) -> None:
    held, opening = (5.0, 2.0)
    assert cap_above_past(PAST, year, sense, 4.0, held, opening, 3.0) == expected
    assert cap_above_past(PAST, 2025, ">=", 4.0, 1.0, 0.0, 0.0) == 1.0


def test_shares_count_what_was_paid_and_starts_nothing_that_runs() -> None:
    scenario = alike()
    begun = Begun(Choice("A", "joint", SAME, 2024), (SAME,), over=False, paid=6.0, paid_joint=2.0)
    past = Past(2025, frozenset({SAME}), (begun,))
    given = {"left": scenario, "past": past, "held": 0.0, "opening": 0.0, "gone": 0.0}

    def cap(key: RowKey, cap: float, sense: str = "<=") -> float:
        return remaining_cap(key, scenario, {**given, "cap": cap, "sense": sense})

    assert cap(RowKey("field", SAME, side="ceiling"), 144.0) == 138.0
    assert cap(RowKey("partner", SAME, side="ceiling"), 80.0) == 78.0
    assert cap(RowKey("starts", SAME, 2025), 1.0) == 1.0
    assert [name for name, one in FAMILIES.items() if one.counts and not one.counts.running] == ["starts"]


def test_a_row_of_no_family_is_told_by_its_name() -> None:
    assert row_words(alike(), "at least: payments") == "at least: payments"
    assert Row(None, 1.0).sense == "<="
