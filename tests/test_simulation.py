"""Simulating portfolios: tables, batches, engines, traces."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from rdsim.case import build
from rdsim.domain import Choice, Deliverable, Portfolio, Scenario, Technology
from rdsim.draws import Draws
from rdsim.errors import InputError, PortfolioError
from rdsim.options import candidates, sample
from rdsim.portfolio import with_ranks
from rdsim.scenario import load
from rdsim.simulation import Batch, Running, Setup, Simulation, in_batches, replicate, simulate, trace
from tests.simple import plain
from tests.sizes import size
from tests.tiny import tiny_folder

CHOSEN = Portfolio(
    (
        Choice("T1", "direct", "US+JP", 2024),
        Choice("T2", "matching", "US", 2024),
        Choice("T3", "domestic", "", 2025),
        Choice("T4", "direct", "US", 2024),
        Choice("T5", "matching", "JP", 2024),
    )
)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load(tiny_folder(tmp_path_factory.mktemp("scenario") / "tiny"))


def test_every_table_has_its_rows(scenario: Scenario) -> None:
    found = simulate(scenario, CHOSEN, replications=12, seed=3)
    assert len(found.projects) == 12 * 5
    assert found.replications["replication"].tolist() == list(range(12))
    assert len(found.purses) == 12 * 2 * 13
    assert len(found.partners) == 12 * 3
    assert set(found.international["year"]) == set(range(2024, 2029))


def test_the_tables_agree_with_one_another(scenario: Scenario) -> None:
    found = simulate(scenario, CHOSEN, replications=40, seed=3)
    projects, replications = found.projects, found.replications.set_index("replication")
    home = projects.filter(regex=r"^home_\d+$").sum(axis=1).groupby(projects["replication"]).sum()
    assert np.allclose(home, replications["paid"] - replications["refunded"])
    spent = found.purses.groupby("replication")[["spent", "refunded", "lapsed"]].sum()
    assert np.allclose(spent["spent"], replications["paid"])
    abroad = projects.filter(regex=r"^abroad_\d+$").sum(axis=1).groupby(projects["replication"]).sum()
    assert np.allclose(abroad, replications["paid_abroad"])
    assert abroad.sum() > 0
    assert np.allclose(spent["lapsed"], replications["lapsed"])
    for state in projects["end_state"].cat.categories:
        assert ((projects["end_state"] == state).groupby(projects["replication"]).sum() == replications[state]).all()
    assert (
        projects["market_time"].notna().groupby(projects["replication"]).sum() == replications["commercialised"]
    ).all()


def test_the_summary_has_an_interval_and_a_count(scenario: Scenario) -> None:
    found = simulate(scenario, CHOSEN, replications=30, seed=3)
    table = found.summary()
    assert (table["n"] == 30).all()
    assert (table["low"] <= table["mean"]).all()
    assert table.loc["npv", "mean"] == pytest.approx(found.expected["npv"].mean())
    wider = found.summary(0.99)
    assert wider.loc["npv", "high"] > table.loc["npv", "high"]


def test_batches_engines_and_repeats_give_the_same_tables(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate(scenario, CHOSEN, replications=23, seed=3)
    again = simulate(scenario, CHOSEN, replications=23, seed=3)
    slow = simulate(scenario, CHOSEN, replications=23, seed=3, running=Running(engine="simpy"))
    monkeypatch.setattr("rdsim.simulation._BATCH_CELLS", 5 * 4)
    pieces = simulate(scenario, CHOSEN, replications=23, seed=3)
    for name in ("projects", "replications", "purses", "partners", "international"):
        for other in (again, slow, pieces):
            assert_frame_equal(getattr(whole, name), getattr(other, name))
    assert_frame_equal(replicate(scenario, CHOSEN, replications=23, seed=3), whole.replications)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_the_number_of_threads_changes_nothing(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr("rdsim.simulation._BATCH_CELLS", 5 * 3)
    alone = simulate(scenario, CHOSEN, replications=61, seed=3, running=Running(threads=1))
    together = simulate(scenario, CHOSEN, replications=61, seed=3, running=Running(threads=threads))
    for name in ("projects", "replications", "purses", "partners", "international"):
        assert_frame_equal(getattr(alone, name), getattr(together, name), check_exact=True)
    table = replicate(scenario, CHOSEN, replications=61, seed=3, running=Running(threads=threads))
    assert_frame_equal(table, alone.replications, check_exact=True)
    options = [
        sample(scenario, candidates(scenario), samples=20, seed=3, running=Running(threads=count))
        for count in (1, threads)
    ]
    for name in ("npv", "sold", "p_market", "payments", "abroad", "joint", "occupancy", "end_year"):
        assert np.array_equal(*(getattr(one, name) for one in options)), name


def _in_flight(scenario: Scenario, threads: int, job: Callable[[Batch], int]) -> Iterator[int]:
    chosen = with_ranks(CHOSEN, scenario)
    choices = tuple(sorted(chosen.choices, key=lambda choice: choice.rank))
    draws = Draws(3, range(120))
    return in_batches(Setup(scenario, choices, build(scenario, chosen)), draws, job, Running(threads=threads))


def test_threads_do_not_run_far_ahead_of_who_takes_their_results(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many replications there are, few batches are in memory at once."""
    monkeypatch.setattr("rdsim.simulation._BATCH_CELLS", 5)
    begun: list[int] = []

    def note(batch: Batch) -> int:
        begun.append(batch.draws.replications.start)
        return batch.draws.replications.start

    for taken, first in enumerate(_in_flight(scenario, 2, note)):
        assert first == taken
        assert len(begun) <= taken + 1 + 4
    assert sorted(begun) == list(range(120))


def test_an_error_in_a_thread_ends_the_run_and_leaves_no_thread_behind(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdsim.simulation._BATCH_CELLS", 5)

    def fail(batch: Batch) -> int:
        if batch.draws.replications.start == 7:
            raise RuntimeError("batch seven")
        return 0

    with pytest.raises(RuntimeError, match="batch seven"):
        list(_in_flight(scenario, 3, fail))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rdsim")]


def test_memory_grows_with_the_table_alone(scenario: Scenario) -> None:
    """Twice the replications need no more than their own rows, three times over: parts, whole, and some room."""

    def peak(count: int) -> tuple[int, int]:
        tracemalloc.start()
        table = replicate(scenario, CHOSEN, replications=count, seed=3, running=Running(threads=2))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, int(table.memory_usage(deep=True).sum())

    replicate(scenario, CHOSEN, replications=10, seed=3)
    few, small = peak(size(20_000, 100_000))
    many, large = peak(size(40_000, 200_000))
    assert many - few <= 3 * (large - small)


def test_a_portfolio_of_one_project_makes_no_larger_batches(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Purses and partners take room too: a batch is bounded in bytes."""
    monkeypatch.setattr("rdsim.simulation._BATCH_BYTES", 40_000)
    told: list[int] = []
    replicate(scenario, Portfolio((Choice("T3", start_year=2025),)), replications=40, progress=told.append)
    assert sum(told) == 40
    assert max(told) < 40


def test_progress_counts_every_replication(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdsim.simulation._BATCH_CELLS", 5 * 4)
    told: list[int] = []
    simulate(scenario, CHOSEN, replications=10, progress=told.append)
    assert told == [4, 4, 2]


def test_dropping_a_technology_leaves_those_that_do_not_meet_it(scenario: Scenario) -> None:
    """With nothing scarce, the others' rows are the same whether or not a technology is funded."""
    rich = {
        name: replace(line, budget=dict.fromkeys(range(2024, 2037), 1e4), starts={2024: 99, 2025: 99})
        for name, line in scenario.programmes.items()
    }
    partners = {code: replace(one, places=0 if one.members else 99) for code, one in scenario.partners.items()}
    panels = {name: replace(panel, seats=99) for name, panel in scenario.panels.items()}
    gates = {name: replace(line, gate=replace(line.gate, policy="threshold")) for name, line in rich.items()}
    world = replace(
        scenario, programmes=gates, partners=partners, panels=panels, links=(), facilities={}, facility_needs=()
    )
    ranked = Portfolio(tuple(replace(choice, rank=k) for k, choice in enumerate(CHOSEN.choices, start=1)))
    fewer = Portfolio(tuple(choice for choice in ranked.choices if choice.technology != "T2"))
    columns = ["replication", "technology", "end_state", "trl", "end_time", "market_time", "npv"]

    def rows(chosen: Portfolio) -> pd.DataFrame:
        table = simulate(world, chosen, replications=30, seed=3).projects[columns].astype({"technology": str})
        return table[table["technology"] != "T2"].reset_index(drop=True)

    assert_frame_equal(rows(ranked), rows(fewer))


def test_a_portfolio_that_does_not_fit_is_refused(scenario: Scenario) -> None:
    with pytest.raises(PortfolioError, match="T9"):
        simulate(scenario, Portfolio((Choice("T9", start_year=2024),)))


def test_an_unknown_engine_is_refused(scenario: Scenario) -> None:
    with pytest.raises(InputError, match="compiled, simpy"):
        simulate(scenario, CHOSEN, running=Running(engine="steam"))  # type: ignore[arg-type]


def test_a_trace_tells_the_story_of_one_replication(scenario: Scenario) -> None:
    found = simulate(scenario, CHOSEN, replications=3, seed=3)
    story = trace(scenario, CHOSEN, replication=2, seed=3)
    assert story["day"].is_monotonic_increasing
    ends = story[story["event"] == "ends"].set_index("id")["detail"]
    states = (
        found.projects[found.projects["replication"] == 2]
        .astype({"technology": str})
        .set_index("technology")["end_state"]
    )
    ended = states[states != "running"]
    assert ends.sort_index().to_dict() == ended.sort_index().astype(str).to_dict()
    waited = found.projects[found.projects["replication"] == 2].filter(like="wait_").sum().sum() > 0
    assert story["event"].str.startswith("waited for").any() == waited


# --- tables of a life that one knows --------------------------------------------------------------


@pytest.fixture(scope="module")
def known() -> Simulation:
    """Fiscal years from March. A is paid on day 0, at its target on day 360, sold on day 720; B waits for a start."""
    line = replace(
        plain().programmes["line"],
        starts={2024: 1, 2025: 1},
        budget={2024: 6.0, 2025: 11.0},
        carry_over=0.5,
        call_month=3,
        deliverables={"paper": Deliverable(mean_months=0.0), "patent": Deliverable(mean_months=1200.0)},
    )
    technologies = {
        name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6) for name in ("A", "B")
    }
    scenario = plain(technologies, line, fiscal_year_start_month=3, horizon_year=2027)
    return simulate(scenario, Portfolio((Choice("A", start_year=2024), Choice("B", start_year=2024))), replications=2)


def test_times_are_decimal_calendar_years_and_missing_where_nothing_happened(known: Simulation) -> None:
    rows = known.projects[known.projects["replication"] == 1].set_index("technology")
    march = 2024 + 2 / 12
    times = rows[["start_time", "tranche_1_time", "trl_5_time", "end_time", "market_time"]]
    assert times.loc["A"].to_numpy() == pytest.approx(np.array([0, 0, 0.5, 1, 2]) + march, abs=1e-4)
    assert times.loc["B"].to_numpy() == pytest.approx(np.array([1, 1, 1.5, 2, 3]) + march, abs=1e-4)
    missing = [
        "place_time",
        "agreement_time",
        "freed_time",
        "refund_time",
        "tranche_2_time",
        "trl_3_time",
        "trl_7_time",
    ]
    assert rows[missing].isna().all(axis=None)
    assert rows["wait_start"].tolist() == [0, 360]


def test_money_is_in_the_scenarios_unit_by_fiscal_year(known: Simulation) -> None:
    rows = known.projects[known.projects["replication"] == 0].set_index("technology")
    assert rows.filter(regex="^home_").loc["A"].tolist() == [5.0, 0.0, 0.0, 0.0]
    assert rows.filter(regex="^home_").loc["B"].tolist() == [0.0, 5.0, 0.0, 0.0]
    assert list(rows.filter(regex="^home_")) == ["home_2024", "home_2025", "home_2026", "home_2027"]
    purse = known.purses[known.purses["replication"] == 0].set_index("year")
    assert purse["carried_in"].tolist() == [0.0, 0.5, 3.25, 1.625]
    assert purse["lapsed"].tolist() == [0.5, 3.25, 1.625, 1.625]
    assert purse["spent"].tolist() == [5.0, 5.0, 0.0, 0.0]


def test_deliverables_and_states_are_told_by_name(known: Simulation) -> None:
    assert known.projects["delivered"].tolist() == ["paper"] * 4
    assert known.projects["end_state"].astype(str).tolist() == ["target"] * 4
    assert known.projects["in_time"].dtype == bool
    assert known.projects["rank"].tolist() == [1, 2, 1, 2]


def test_a_trace_names_technologies_partners_and_times(scenario: Scenario) -> None:
    story = trace(scenario, CHOSEN, seed=3)
    assert list(story) == ["time", "day", "subject", "id", "event", "detail"]
    assert (story["time"] - 2024).to_numpy() * 360 == pytest.approx(story["day"].to_numpy(), abs=0.05)
    projects, partners = (set(story.loc[story["subject"] == kind, "id"]) for kind in ("project", "partner"))
    assert projects <= {choice.technology for choice in CHOSEN.choices}
    assert partners <= {"US", "JP", "DE"}
    assert partners
    paid = story[story["event"] == "tranche paid"]
    won = paid["detail"].str.partition(": ")[2].astype(float).sum() / 1e9
    found = simulate(scenario, CHOSEN, replications=1, seed=3)
    assert won == pytest.approx(found.replications["paid"].iloc[0])
    opened = set(found.partners.loc[found.partners["opened_time"].notna(), "partner"])
    assert opened == set(story.loc[story["event"] == "opens", "id"])


def test_two_runs_write_the_same_bytes(scenario: Scenario) -> None:
    first, second = (simulate(scenario, CHOSEN, replications=7, seed=5) for _ in range(2))
    for name in ("projects", "replications", "purses", "partners", "international"):
        assert getattr(first, name).to_csv().encode() == getattr(second, name).to_csv().encode()
        assert getattr(first, name).to_parquet() == getattr(second, name).to_parquet()


def test_another_seed_is_another_luck(scenario: Scenario) -> None:
    first, second = (simulate(scenario, CHOSEN, replications=7, seed=seed) for seed in (5, 6))
    assert not first.replications["npv"].equals(second.replications["npv"])


def test_later_replications_are_the_same_whether_or_not_earlier_ones_are_run(scenario: Scenario) -> None:
    """Four replications are the first four of nine, the ninth alone is the ninth of nine."""
    few, many = (replicate(scenario, CHOSEN, replications=n, seed=5) for n in (4, 9))
    assert_frame_equal(few, many.head(4))
    story = trace(scenario, CHOSEN, replication=8, seed=5)
    won = story.loc[story["event"] == "tranche paid", "detail"].str.partition(": ")[2].astype(float).sum() / 1e9
    assert won == pytest.approx(many["paid"].iloc[8])


def test_impossible_threads_are_told_where_they_are_stated() -> None:
    with pytest.raises(InputError, match="Running, threads: must be a whole number of at least 1"):
        Running(threads=-3)


@pytest.mark.parametrize("run", [simulate, replicate])
def test_impossible_numbers_are_all_told_at_once(run: Callable[..., object], scenario: Scenario) -> None:
    with pytest.raises(InputError) as caught:
        run(scenario, Portfolio(()), replications=0, seed=-1)
    assert [fault.where for fault in caught.value.faults] == ["replications", "seed"]
    with pytest.raises(InputError, match="2\\*\\*63"):
        run(scenario, Portfolio(()), seed=2**63)
    with pytest.raises(InputError, match="whole number"):
        run(scenario, Portfolio(()), replications=2.5)
