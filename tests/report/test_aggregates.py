"""The tables behind the figures, against sums that are done by hand or another way round."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rdsim
from rdsim.report import words
from rdsim.report.charts.plan import draw
from rdsim.report.data import aggregates
from rdsim.simulation import Running
from rdsim.stats import mean_interval, quantile
from rdsim.titles import rule_title
from tests.report import synthetic
from tests.report.synthetic import Shape

REPORT = synthetic.build()


def test_fan_agrees_with_the_statistics() -> None:
    values = np.random.default_rng(4).normal(0, 1, (31, 2))
    table = aggregates.fan(pd.DataFrame(values, columns=pd.Index([2024, 2025], name="year")), 0.9)
    for column, row in zip(values.T, table.itertuples(), strict=True):
        mean = mean_interval(column, 0.9)
        assert (row.mean, row.low, row.high) == pytest.approx((mean.mean, mean.low, mean.high))
        assert [row.p10, row.p50, row.p90] == [quantile(column, level) for level in (0.1, 0.5, 0.9)]
    assert table["year"].tolist() == [2024, 2025]


def test_fan_of_one_replication_has_no_interval() -> None:
    table = aggregates.fan(pd.DataFrame([[3.0]], columns=pd.Index([2024], name="year")), 0.95)
    assert table.loc[0, ["mean", "p10", "p90"]].tolist() == [3.0, 3.0, 3.0]
    assert table[["low", "high"]].isna().all(axis=None)


def test_payments_are_means_over_replications() -> None:
    found = aggregates.payments(REPORT).set_index("technology")
    mine = REPORT.projects[REPORT.projects["technology"] == "T001"]
    expected = mine[[f"home_{year}" for year in synthetic.YEARS]].to_numpy().sum() / 20
    assert found.loc["T001", "home"] == pytest.approx(expected)


@pytest.mark.parametrize("keys", [("field", "programme"), ("partner_name", "mode"), ("programme", "start_year")])
def test_money_adds_up_however_it_is_split(keys: tuple[str, ...]) -> None:
    found = aggregates.money_by(REPORT, *keys)
    funded = REPORT.technologies[REPORT.technologies["funded"]]
    assert found["count"].sum() == len(funded)
    assert found["requested"].sum() == pytest.approx(funded["cost"].sum())
    assert found["home"].sum() == pytest.approx(aggregates.payments(REPORT)["home"].sum())


def test_requests_are_shares_of_fields() -> None:
    found = aggregates.requests(REPORT)
    assert found.groupby("field")["share"].sum().tolist() == pytest.approx([1.0] * 3)
    assert found["count"].sum() == len(REPORT.technologies)


def test_schedule_counts_unfinished_work_as_ending_after_the_horizon() -> None:
    projects = REPORT.projects.assign(end_time=REPORT.projects["end_time"].mask(REPORT.projects["replication"] >= 9))
    table = aggregates.schedule(synthetic.build(projects=projects)).set_index("technology")
    assert (table["p90"] == synthetic.HORIZON + 1).all()
    done = projects[(projects["technology"] == "T000") & projects["end_time"].notna()]["end_time"]
    assert table.loc["T000", "p10"] == np.sort(done)[1]
    assert table["programme"].tolist() == sorted(table["programme"])


def test_spending_is_net_of_refunds_and_ends_with_the_money() -> None:
    busy = REPORT.budget["year"] < 2028
    quiet = REPORT.budget.assign(
        **{name: REPORT.budget[name].where(busy, 0.0) for name in ("spent", "spent_network", "refunded", "lapsed")}
    )
    plan = REPORT.plan.assign(planned=0.0, promised=REPORT.plan["announced"])
    table = aggregates.spending(synthetic.build(budget=quiet, plan=plan))
    assert table["year"].max() == 2027
    row = table[(table["programme"] == "Leaps") & (table["year"] == 2025)].iloc[0]
    mine = quiet[(quiet["programme"] == "Leaps") & (quiet["year"] == 2025)]
    assert row["mean"] == pytest.approx((mine["spent"] + mine["spent_network"] - mine["refunded"]).mean())
    assert row["network"] == pytest.approx(mine["spent_network"].mean())
    assert row["lapsed"] == pytest.approx(mine["lapsed"].mean())
    assert (row["announced"], row["promised"]) == (20.0, 20.0)


def test_lines_of_the_same_name_are_one() -> None:
    """Names are for people; nothing says that two lines cannot share one."""
    plain = aggregates.spending(REPORT)
    both = aggregates.spending(
        synthetic.build(budget=REPORT.budget.assign(programme="Both"), plan=REPORT.plan.assign(programme="Both"))
    )
    sums = plain.groupby("year")[["announced", "planned", "promised", "mean", "network", "lapsed"]].sum()
    assert both.set_index("year")[sums.columns.tolist()].to_numpy() == pytest.approx(sums.to_numpy())


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_money_of_a_real_simulation_is_accounted_for(tiny: Path, engine: str) -> None:
    """What comes in is paid, lapses or is carried on, to the last won; partners cost something."""
    scenario = rdsim.load(tiny)
    portfolio = rdsim.optimise(scenario).portfolio
    purses = rdsim.simulate(scenario, portfolio, replications=5, seed=3, running=Running(engine=engine)).purses
    purses = purses.sort_values(["programme", "replication", "year"])
    left = purses["new_money"] + purses["carried_in"] - aggregates.payments_for_good(purses) - purses["lapsed"]
    carried = purses.groupby(["programme", "replication"], observed=True)["carried_in"].shift(-1)
    assert left[carried.notna()].to_numpy() == pytest.approx(carried.dropna().to_numpy(), abs=1e-9)
    assert purses["spent_network"].sum() > 0


def test_market_counts_up_to_each_year() -> None:
    table = aggregates.market(REPORT).set_index("year")
    counts = [(REPORT.projects["market_time"] < year + 1).sum() / 20 for year in synthetic.YEARS]
    assert table["mean"].tolist() == pytest.approx(counts)
    assert table["mean"].iloc[-1] == pytest.approx(REPORT.replications["commercialised"].mean())
    assert (table["low"] >= 0).all()


def test_deliverables_are_told_by_year_with_an_interval() -> None:
    """Ten of 20 replications, two of them with two projects; the interval is symmetric about a half."""
    late = [1] * 8 + [2] * 2 + [0] * 10
    counts = {"delivered_a_paper": late, "delivered_a_paper_by_2024": 0, "delivered_a_paper_by_2030": late}
    report = synthetic.build(replications=REPORT.replications.assign(**counts))
    found = aggregates.delivery_chances(report).set_index(["deliverable", "year"])
    assert found.index.to_list() == [("a paper", 2024), ("a paper", 2030)]
    assert found["share"].to_list() == [0.0, 0.5]
    half = found.loc["a paper", 2030]
    assert half["low"] + half["high"] == pytest.approx(1)
    assert 0.27 < half["low"] < 0.28
    assert set(found["n"]) == {20}
    assert "a paper 50% (27% to 73%)" in words.delivery_words(report, found.reset_index())
    assert aggregates.delivery_chances(REPORT).empty
    assert [figure.key for figure in draw(report, "results")] == ["market", "likelihood", "delivered", "international"]


def test_likelihood_falls_from_one_to_nothing() -> None:
    for _, part in aggregates.likelihood(REPORT).groupby("measure"):
        shares = part["share"].tolist()
        assert (shares[0], shares[-1]) == (1.0, 0.0)
        assert shares == sorted(shares, reverse=True)
    counts = REPORT.replications["commercialised"]
    found = aggregates.likelihood(REPORT).set_index(["measure", "count"])["share"]
    assert found["by the horizon", 2] == pytest.approx((counts >= 2).mean())


def test_international_says_how_likely_each_target_is() -> None:
    table = aggregates.international(REPORT).set_index("year")
    assert table.loc[[2024, 2025], "reached"].tolist() == [1.0, 0.0]
    assert math.isnan(table.loc[2026, "reached"])
    assert (table["p10"] <= table["p50"]).all()


def test_policies_keep_their_order_and_count_losses() -> None:
    table = aggregates.policies(REPORT)
    assert table["policy"].tolist() == ["the plan", *map(rule_title, synthetic.RULES)]
    npv = REPORT.replications["npv"]
    assert table.loc[0, "loss"] == (npv < 0).mean()
    assert table.loc[0, "p95"] == quantile(npv.to_numpy(), 0.95)


def test_differences_are_the_manifests() -> None:
    table = aggregates.differences(REPORT)
    assert table["feasible"].tolist() == [False, True]
    assert table.loc[0, "broken"] == "field floor robots"
    first = REPORT.manifest["baselines"]["value-per-cost"]["difference"]
    assert table.loc[0, ["mean", "low", "high"]].tolist() == [first["mean"], first["low"], first["high"]]


def test_formation_tells_stage_by_stage_how_many_projects_come_so_far() -> None:
    assert aggregates.formation(REPORT).empty  # a scenario whose agreements have no stages
    counts = {"talks": 9, "formed_discovery": 7, "formed_mou-workshop": 3, "target": 2, "commercialised": 1}
    staged = synthetic.build(replications=REPORT.replications.assign(**counts))
    table = aggregates.formation(staged)
    assert table["stage"].tolist() == [
        "began",
        "discovery",
        "mou workshop",
        "reached its target TRL",
        "on the market",
    ]
    assert table["mean"].tolist() == [9, 7, 3, 2, 1]
    assert words.formation_words(table) == (
        "9.00 projects begin to look for an agreement and 3.00 reach one; most are lost at mou workshop, 4.00 of them."
    )
    (figure,) = [one for one in draw(staged, "way") if one.key == "formation"]
    assert figure.answer == words.formation_words(table)
    assert all(one.key != "formation" for one in draw(REPORT, "way"))


def test_waits_are_per_project_and_leave_out_what_nobody_waits_for() -> None:
    table = aggregates.waits(REPORT)
    assert aggregates.CAUSES["wait_facility"] not in set(table["cause"])
    row = table[(table["programme"] == "Leaps") & (table["cause"] == aggregates.CAUSES["wait_money"])].iloc[0]
    mine = REPORT.projects.loc[REPORT.projects["programme"] == "Leaps", "wait_money"]
    assert row["mean"] == pytest.approx(mine.mean())
    assert row["share"] * row["days"] == pytest.approx(mine.mean())
    assert row["low"] <= row["mean"] <= row["high"]


def test_where_nobody_waits_there_is_nothing_to_show() -> None:
    never = REPORT.projects.assign(**dict.fromkeys(aggregates.CAUSES, 0))
    assert aggregates.waits(synthetic.build(projects=never)).empty


def test_ends_account_for_every_project() -> None:
    table = aggregates.ends(REPORT)
    assert table.groupby("programme")["share"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert table["count"].sum() == pytest.approx(6)
    assert table["state"].notna().all()


def test_tables_stay_small_however_many_replications() -> None:
    large = synthetic.build(Shape(replications=300, technologies=40, funded=30))
    verbs = ("schedule", "spending", "market", "international", "policies", "waits", "ends", "starts")
    assert max(len(getattr(aggregates, verb)(large)) for verb in verbs) <= 60


def test_years_in_which_money_only_lapses_are_shown() -> None:
    last = REPORT.budget["year"] == REPORT.budget["year"].max()
    still = ("spent", "spent_network", "refunded", "lapsed")
    idle = REPORT.budget.assign(**dict.fromkeys(still, 0.0)).assign(lapsed=np.where(last, 2.0, 0.0))
    plan = REPORT.plan.assign(planned=0.0, promised=0.0, announced=0.0)
    table = aggregates.spending(synthetic.build(budget=idle, plan=plan))
    assert table.groupby("programme")["lapsed"].sum().tolist() == [2.0] * table["programme"].nunique()
