"""The sentences and the table of doubts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rdsim.report import words
from rdsim.report.data import aggregates
from rdsim.stats import quantile
from tests.report import synthetic
from tests.report.synthetic import Shape

REPORT = synthetic.build()
MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"


def _manifest(**changes: Any) -> dict[str, Any]:
    return {**REPORT.manifest, **changes}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1,234"),
        (43.04, "43.0"),
        (1.239, "1.24"),
        (-0.306, f"{MINUS}0.31"),
        (-0.001, "0.00"),
        (0.0, "0.00"),
        (None, NONE),
        (float("nan"), NONE),
        (float("inf"), NONE),
    ],
)
def test_amounts_have_fitting_decimals(value: float | None, text: str) -> None:
    assert words.amount(value) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_read_like_sentences(names: list[str], text: str) -> None:
    assert words.sentence_list(names) == text


def test_of_a_consortium_each_member_counts_as_a_partner_once() -> None:
    table = REPORT.technologies.copy()
    joint = table.index[table["partner"] != ""]
    table["partner"] = table["partner"].astype(object)
    table.loc[joint, "partner"] = "US"
    table.loc[joint[0], "partner"] = "US+TW"
    told = replace(REPORT, technologies=table)
    assert "4 of them with 2 partners abroad" in words.headline(told)[0]
    assert "projects are joint, with 2 partners" in words.partners(
        told, aggregates.money_by(told, "partner_name", "mode")
    )


def test_headline_has_the_main_figures() -> None:
    text = " ".join(words.headline(REPORT))
    npv = REPORT.manifest["estimates"]["npv"]
    assert "funds 6 of 9 technologies, 4 of them with 2 partners abroad" in text
    assert f"{words.amount(npv['mean'])} billion KRW (95% interval" in text
    assert "20 replications" in text
    assert "probably reached in 2024; probably missed in 2025" in text


def test_headline_tells_the_share_of_the_world_market_that_is_aimed_at() -> None:
    aim = {"year": 2031, "target": 0.15, "mean": 0.125, "low": 0.07, "high": 0.21, "n": len(REPORT.replications)}
    share = {"mean": 0.072, "low": 0.071, "high": 0.073, "n": aim["n"]}
    estimates = {**REPORT.manifest["estimates"], "market_share_2031": share}
    manifest = _manifest(market_targets=[aim], estimates=estimates)
    shares = np.linspace(0.05, 0.15, len(REPORT.replications))
    table = REPORT.replications.assign(market_share_2031=shares)
    text = words.headline(replace(REPORT, manifest=manifest, replications=table))[-1]
    assert text == (
        "The share of the world market in 2031 is expected to be 7.2% (in nine of ten replications 5.5% to 14.5%); "
        "15.0% is reached with a probability of 12.5% (95% interval 7.0% to 21.0%)."
    )
    assert "world market" not in " ".join(words.headline(REPORT))


def test_headline_names_the_best_rule_and_that_it_is_not_allowed() -> None:
    text = words.headline(REPORT)[-2]
    assert "value per cost" in text
    assert "could not be chosen" in text


def test_a_loss_against_the_best_rule_is_called_one() -> None:
    rule = REPORT.manifest["baselines"]["value-per-cost"]
    worse = rule | {"difference": {"mean": -5.0, "low": -9.0, "high": -1.0, "n": 20}, "feasible": True}
    text = words.headline(replace(REPORT, manifest=_manifest(baselines={"value-per-cost": worse})))[-2]
    assert f"the plan is worth 5.00 billion KRW less (interval of the gain {MINUS}9.00 to {MINUS}1.00)." in text
    assert "could not" not in text


@pytest.mark.parametrize(
    ("low", "high", "told"), [(1.0, 9.0, True), (-9.0, -1.0, True), (-1.0, 9.0, False), (None, None, False)]
)
def test_the_headline_says_when_nothing_is_shown(low: float | None, high: float | None, told: bool) -> None:
    rule = REPORT.manifest["baselines"]["value-per-cost"]
    unsure = rule | {"difference": {"mean": 4.0, "low": low, "high": high, "n": 20}}
    text = words.headline(replace(REPORT, manifest=_manifest(baselines={"value-per-cost": unsure})))[-2]
    assert ("cannot tell which is better" not in text) is told


def test_the_headline_accounts_for_the_money() -> None:
    """Announced 100 in a year, 50 paid to projects, 10 back, 20 for partners, 40 lapsed."""
    year = REPORT.budget[REPORT.budget["year"] == 2024].query("programme == 'Leaps'")
    budget = year.assign(spent=50.0, refunded=10.0, spent_network=20.0, lapsed=40.0)
    plan = REPORT.plan.query("programme == 'Leaps' and year == 2024").assign(announced=100.0)
    text = words.headline(replace(REPORT, budget=budget, plan=plan))
    assert (
        "Of 100.0 billion KRW announced, 60.0 is paid on average, net of refunds and with 20.0 for opening and "
        "running partners; 40.0 lapses unused."
    ) in text
    free = words.headline(replace(REPORT, budget=budget.assign(spent_network=0.0), plan=plan))
    assert "Of 100.0 billion KRW announced, 40.0 is paid on average, net of refunds; 40.0 lapses unused." in free


def test_partners_cost_something_themselves() -> None:
    cost = words.amount(REPORT.budget["spent_network"].sum() / 20)
    text = words.partners(REPORT, aggregates.money_by(REPORT, "partner_name", "mode"))
    assert text.endswith(f"Opening and running the partners costs another {cost} billion KRW.")


def test_projects_that_never_start_have_no_length() -> None:
    table = aggregates.schedule(REPORT).assign(begin=float("nan"))
    assert words.durations(table) == "6 projects, none of which ever starts."


def test_chance_is_named_where_it_explains_the_gap() -> None:
    npv = REPORT.manifest["estimates"]["npv"]
    for gap, told in ((0.9, True), (1.1, False)):
        solver = REPORT.manifest["solver"] | {"objective": npv["mean"] + gap * (npv["high"] - npv["mean"])}
        found = words.doubts(replace(REPORT, manifest=_manifest(solver=solver)))
        view = next(doubt for doubt in found if doubt.source.startswith("Optimiser"))
        assert ("chance could explain" in view.meaning) is told


def test_optimism_and_alone_less_together_are_told_apart_where_fresh_samples_are() -> None:
    npv = REPORT.manifest["estimates"]["npv"]
    fresh = {"mean": npv["mean"] + 10, "low": npv["mean"] + 7, "high": npv["mean"] + 13, "n": 1000}
    report = replace(REPORT, manifest={**REPORT.manifest, "fresh": fresh})
    found = {doubt.source: doubt for doubt in words.doubts(report)}
    assert "Optimiser's view less simulation" not in found
    assert found["Optimism"].money == f"{words.amount(60.0 - fresh['mean'])} ± 3.00"
    half = math.hypot(3.0, (npv["high"] - npv["low"]) / 2)
    assert found["Alone less together"].money == f"10.0 ± {words.amount(half)}"
    solver = {**REPORT.manifest["solver"], "expected": fresh["mean"] + 1.0, "risk": {"cvar": 1.0}}
    risky = words.doubts(replace(report, manifest={**report.manifest, "solver": solver}))
    assert next(doubt for doubt in risky if doubt.source == "Optimism").money.startswith("1.00")
    assert "the aim of this portfolio's options" in risky[0].meaning


def test_luck_is_between_percentiles_of_the_replications() -> None:
    npv = REPORT.replications["npv"].to_numpy()
    luck = next(doubt for doubt in words.doubts(REPORT) if doubt.source.startswith("Luck"))
    ends = (words.amount(quantile(npv, level)) for level in (0.1, 0.9))
    assert luck.money == " to ".join(ends)


def test_gains_are_clear_only_when_the_interval_is() -> None:
    rows = [("a", 5.0, 1.0, 9.0, True, ""), ("b", 2.0, -1.0, 5.0, False, "money")]
    table = pd.DataFrame(rows, columns=["policy", "mean", "low", "high", "feasible", "broken"])
    text = words.gains(table, "EUR")
    assert text.startswith("Worth more than a (by 5.00 EUR); not clearly worth more than b (by 2.00 EUR).")
    assert text.endswith("breaking a rule of the scenario: b.")
    outside = words.gains(table.assign(broken=["not allowed by the call", "money"], feasible=False), "EUR")
    assert outside.endswith("breaking a rule of the scenario: b. Not allowed by the call: a.")


def test_a_rule_that_does_better_is_said_to() -> None:
    rows = [("a", -2.0, -3.0, -1.0, True, ""), ("b", -2.0, -5.0, 1.0, True, "")]
    table = pd.DataFrame(rows, columns=["policy", "mean", "low", "high", "feasible", "broken"])
    assert words.gains(table, "EUR") == (
        f"Not clearly worth more than b (by {words.amount(-2.0)} EUR); worth less than a (by 2.00 EUR)."
    )


def test_a_rule_that_chooses_the_same_is_said_to() -> None:
    rows = [("a", 0.0, 0.0, 0.0, True, ""), ("b", 0.0, -1.0, 1.0, True, "")]
    table = pd.DataFrame(rows, columns=["policy", "mean", "low", "high", "feasible", "broken"])
    assert words.gains(table, "EUR") == (
        "Not clearly worth more than b (by 0.00 EUR); worth the same as a in every replication."
    )
    nothing = {"mean": 0.0, "low": 0.0, "high": 0.0, "n": 20}
    rule = REPORT.manifest["baselines"]["domestic-only"] | {"difference": nothing}
    text = words.headline(replace(REPORT, manifest=_manifest(baselines={"domestic-only": rule})))[-2]
    assert text.endswith("the plan is worth the same in every replication.")


def test_losses_that_never_come_are_none() -> None:
    table = aggregates.policies(REPORT)
    assert "in none it is" in words.spread(REPORT, table.assign(loss=0.0))
    assert "in 0.5% it is" in words.spread(REPORT, table.assign(loss=0.005))


def test_figures_of_risk_say_what_luck_they_share() -> None:
    table, shared = aggregates.policies(REPORT), "coming to the market 10% with all; market values independent"
    report = replace(REPORT, manifest=_manifest(shared_luck=shared))
    luck = next(doubt.meaning for doubt in words.doubts(report) if doubt.source.startswith("Luck"))
    for text in (luck, words.spread(report, table), words.even_odds(report)):
        assert text.endswith(f" This rests on the luck that is shared, in shares of variance: {shared}.")
    assert "rests on" not in words.spread(REPORT, table)  # of a run that does not say


def test_one_way_of_funding_is_named() -> None:
    table = aggregates.money_by(REPORT, "partner_name", "mode")
    assert "with 2 partners, all by matching funds; they" in words.partners(REPORT, table)
    both = table.assign(mode=[str(place) for place in range(len(table))])
    assert "with 2 partners; they" in words.partners(REPORT, both)


def test_gains_with_unknown_intervals_are_not_clear() -> None:
    columns = ["policy", "mean", "low", "high", "feasible", "broken"]
    table = pd.DataFrame([("a", 5.0, None, None, True, "")], columns=columns)
    assert words.gains(table.astype({"low": float}), "EUR") == "Not clearly worth more than a (by 5.00 EUR)."


def test_even_odds_are_reached_as_often_as_said() -> None:
    counts = pd.DataFrame({"commercialised": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]})
    text = words.even_odds(replace(REPORT, replications=counts))
    assert text == (
        "At least 1 with a probability of 90%, at least 5 with a probability of 50% "
        "and at least 9 with a probability of 10%."
    )
    none = words.even_odds(replace(REPORT, replications=counts * 0))
    assert none == "Not even one with a probability of 10%."


def test_use_of_money_names_the_years_of_overpromising() -> None:
    part = aggregates.spending(REPORT).query("programme == 'Leaps'")
    text = words.use_of_money(part, "EUR")
    assert "Of 60.0 EUR announced" in text
    assert "more than is announced in 2024, 2025 and 2026" in text


def test_doubts_give_money_and_percent() -> None:
    found = {doubt.source: doubt for doubt in words.doubts(REPORT)}
    npv = REPORT.manifest["estimates"]["npv"]
    half = (npv["high"] - npv["low"]) / 2
    assert (found["Solver's gap"].money, found["Solver's gap"].percent) == ("0.60", "1.00%")
    assert found["Sampling"].money == f"± {words.amount(half)}"
    assert found["Sampling"].percent == f"{half / npv['mean']:.1%}"
    view = found["Optimiser's view less simulation"]
    assert view.money == f"{words.amount(60.0 - npv['mean'])} ± {words.amount(half)}"
    assert "optimism" not in " ".join(found).lower()  # waiting is in it too
    assert "Assumed: 9 rows of technologies." in found["Not covered"].meaning


def test_doubts_admit_what_the_solver_did_not_prove() -> None:
    solver = REPORT.manifest["solver"] | {"bound": None, "gap": None}
    found = words.doubts(replace(REPORT, manifest=_manifest(solver=solver)))
    assert (found[0].money, found[0].percent) == ("unknown", NONE)


def test_one_replication_gives_no_sampling_error() -> None:
    alone = synthetic.build(Shape(replications=1))
    assert "Sampling" not in {doubt.source for doubt in words.doubts(alone)}
    assert "unknown from one replication" in " ".join(words.headline(alone))


@pytest.mark.parametrize(
    ("low", "high", "point"),
    [
        (3.0, 3.0, True),
        (0.0, 0.0, True),
        (3.0, 3.1, False),
        (-math.inf, math.inf, False),
        (-math.inf, 3.0, False),
        (3.0, math.inf, False),
    ],
)
def test_an_interval_without_an_end_is_not_one_of_no_width(low: float, high: float, point: bool) -> None:
    assert words.is_point(low, high) is point


def test_tiles_say_what_they_count() -> None:
    labels = [tile.label for tile in words.tiles(REPORT)]
    assert labels[:2] == ["technologies funded", "net present value, billion KRW"]
    assert all(tile.detail for tile in words.tiles(REPORT))


def _freedoms() -> dict[str, object]:
    """A rule with the plan's payment ratios, 20 behind, and within the announced money, 49 behind."""
    rule = REPORT.manifest["baselines"]["domestic-only"] | {"rule": "value-per-cost", "feasible": True}
    behind = {"mean": 20.0, "low": 14.0, "high": 26.0, "n": 20}
    further = {"mean": 49.0, "low": 31.0, "high": 66.0, "n": 20}
    return {
        "value-per-cost": rule | {"equal_freedom": False, "difference": further},
        "value-per-cost-at-plan-ratios": rule | {"difference": behind},
    }


def test_the_headline_lead_is_the_one_at_equal_freedom_and_the_other_stands_beside_it() -> None:
    told = replace(REPORT, manifest=_manifest(baselines=_freedoms()))
    equal, less = words.headline(told)[-3:-1]
    assert equal.startswith("The best of the simple rules with the plan's payment ratios, value per cost, is worth")
    assert "worth 20.0 billion KRW more (interval of the gain 14.0 to 26.0)" in equal
    assert less.startswith("Of those made within the announced money, which may promise less than the plan, the best")
    assert "worth 49.0 billion KRW more" in less
    assert aggregates.policy_labels(told) == {
        "value-per-cost": "value per cost, announced money",
        "value-per-cost-at-plan-ratios": "value per cost, plan's payment ratios",
    }


def test_the_search_panel_tells_gains_by_freedom() -> None:
    search = {
        "portfolios": 3,
        "replications": 60,
        "stopped": False,
        "changed": True,
        "selection": {},
        "payment_ratio_factors": {"leap": 1.4},
    }
    told = words.search_words(replace(REPORT, manifest=_manifest(baselines=_freedoms(), search=search)))
    assert told[-1] == (
        "In replications that chose nothing it is worth, in billion KRW, 20.0 (14.0 to 26.0) more than value per cost "
        "with the same payment ratios; 49.0 (31.0 to 66.0) more than value per cost within the announced money "
        "(intervals hold together)."
    )


def test_promises_are_told_with_why_they_pay() -> None:
    promises = {"busiest": {"leap": 1.39}, "sentences": ["Expected payments reach 139%.", "Full awards: 160%."]}
    told = words.promise_words(replace(REPORT, manifest=_manifest(promises=promises)))
    assert (told[0], told[2]) == ("Expected payments reach 139%.", "Full awards: 160%.")
    assert "pays where projects" in told[1]
    modest = {"busiest": {"leap": 0.9, "base": None}, "sentences": ["Expected payments stay within."]}
    assert words.promise_words(replace(REPORT, manifest=_manifest(promises=modest))) == [
        "Expected payments stay within."
    ]
    assert words.promise_words(REPORT) == []


def test_a_bound_is_never_told_beside_a_value_that_it_does_not_bound() -> None:
    gap = words.doubts(REPORT)[0]
    assert "60.6" in gap.meaning
    assert "60.0" in gap.meaning
    assert "does not bound the net value of a whole portfolio that is simulated" in gap.meaning
    assert words.amount(REPORT.manifest["estimates"]["npv"]["mean"]) not in gap.meaning


# --- the lead and the awards ----------------------------------------------------------------------


ABOVE = [
    {"name": "Foundations", "year": 2025, "announced": 117.0, "awards": 187.0, "above": 70.0},
    {"name": "Leaps", "year": 2027, "announced": 0.0, "awards": 12.0, "above": 12.0},
]


def test_awards_above_the_announced_money_are_told_by_line_and_year() -> None:
    told = replace(REPORT, manifest=_manifest(promises={"above": ABOVE, "sentences": ["Payments.", "Awards."]}))
    first, second = words.award_rows(told)
    assert first == {
        "line": "Foundations",
        "year": "2025",
        "awards": "187.0",
        "announced": "117.0",
        "above": "70.0",
        "ratio": "160%",
    }
    assert (second["line"], second["ratio"]) == ("Leaps", "no money announced")
    tile = next(tile for tile in words.tiles(told) if "above the announced money" in tile.label)
    assert tile.figure == "70.0"
    assert "2025 of Foundations" in tile.detail
    assert words.promise_words(told) == ["Payments."]  # the table tells of the awards
    assert words.award_rows(REPORT) == []
    assert not any("above" in tile.label for tile in words.tiles(REPORT))


def test_the_lead_is_a_row_of_parts_for_each_comparator() -> None:
    assert words.lead_words(REPORT) == ["promising more", "the loop", "lead"]
    (row,) = words.lead_rows(REPORT)
    assert row["comparator"] == "value per cost"
    assert str(row["cells"][-1]).startswith("3.50 (")  # type: ignore[index]
    assert words.lead_rows(replace(REPORT, manifest=_manifest(lead=None))) == []


def test_the_plan_stands_beside_every_other_portfolio() -> None:
    rules = dict(REPORT.manifest["baselines"])
    rules["at-award-ratio-1"] = {
        **rules["domestic-only"],
        "rule": "at-award-ratio-1",
        "kind": "optimised",
        "awards_above": [
            {"programme": "p", "year": 2025, "amount": 4.0},
            {"programme": "p", "year": 2026, "amount": 7},
        ],
    }
    told = replace(REPORT, manifest=_manifest(baselines=rules, promises={"above": ABOVE, "sentences": []}))
    plan, *others = words.side_by_side(told)
    assert (plan["name"], plan["above"], plan["behind"]) == ("the plan", "70.0", "")
    assert [one["above"] for one in others] == ["nothing", "nothing", "7.00"]
    assert others[-1]["name"] == "best with full awards within the announced money"
    headline = " ".join(words.headline(told))
    assert "at-award-ratio-1" not in headline  # it is no simple rule
    assert words.side_by_side(replace(REPORT, manifest=_manifest(baselines={}))) == []
