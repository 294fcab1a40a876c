"""Means with the luck of the market in expectation: the same means, known better, beside rows that are as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rdsim
from rdsim.domain import Choice, Market, Portfolio, Scenario, Technology
from rdsim.figures import Figure, has_market_luck, register
from rdsim.simulation import ENGINES, Running, Simulation, replicate, replication_tables, simulate
from rdsim.stats import count_interval, mean_interval
from tests.simple import plain
from tests.sizes import size
from tests.tiny import tiny_folder

COUNT = size(1000, 20_000)
FUNDED = Portfolio(tuple(Choice(name, start_year=2024) for name in ("T1", "T2", "T4", "T6")), "crowded")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Tiny: markets hang together by shared factors, and links bring synergies."""
    return rdsim.load(tiny_folder(tmp_path_factory.mktemp("expected") / "tiny"))


@pytest.fixture(scope="module")
def lived(scenario: Scenario) -> Simulation:
    return simulate(scenario, FUNDED, replications=COUNT)


def test_rows_are_as_they_were(scenario: Scenario, lived: Simulation) -> None:
    """One simulation gives both tables, and what came in it is what a simulation with the market's luck gives."""
    plainly = replicate(scenario, FUNDED, replications=COUNT)
    both = replication_tables(scenario, FUNDED, replications=COUNT)
    assert plainly.equals(lived.replications)
    assert plainly.equals(both.replications)
    assert lived.expected.equals(both.expected)


def test_engines_expect_the_same(scenario: Scenario) -> None:
    one, other = (simulate(scenario, FUNDED, replications=6, running=Running(engine)) for engine in ENGINES)
    assert one.expected.equals(other.expected)
    assert one.replications.equals(other.replications)


def test_means_are_the_same_and_known_better(lived: Simulation) -> None:
    names = [str(name) for name in lived.expected.columns.drop("replication")]
    assert {"npv", "value_pv", "commercialised", "commercialised_by_deadline", "sales"} <= set(names)
    for name in names:
        drawn, expected = (table[name].to_numpy(np.float64) for table in (lived.replications, lived.expected))
        error = (drawn - expected).std() / np.sqrt(COUNT)
        assert abs(drawn.mean() - expected.mean()) <= 4 * error + 1e-9, name
        assert expected.std() <= drawn.std() + 1e-12, name
    drawn, expected = (table["npv"].to_numpy(np.float64) for table in (lived.replications, lived.expected))
    assert expected.std() < 0.8 * drawn.std()
    assert lived.estimate("npv") == mean_interval(expected)
    assert lived.summary().loc["npv", "low"] == lived.estimate("npv").low


def test_what_the_market_does_not_move_is_as_drawn(lived: Simulation) -> None:
    assert "paid" not in lived.expected
    assert lived.estimate("paid") == mean_interval(lived.replications["paid"])
    assert lived.estimate("target") == count_interval(lived.replications["target"], 0.95, len(FUNDED.choices))


# --- by hand --------------------------------------------------------------------------------------


def two() -> Scenario:
    """A comes to the market with a chance of 0.5, B of 0.2; all else is certain, and nothing is discounted."""
    shared = {"programme": "line", "field": "f", "trl": 4, "cost": 10.0, "trl_target": 6, "market_share": 0.5}
    rows = {
        "A": Technology("A", "A", value=100.0, market_probability=0.5, market_size=40.0, **shared),  # type: ignore[arg-type]
        "B": Technology("B", "B", value=80.0, market_probability=0.2, market_size=20.0, **shared),  # type: ignore[arg-type]
    }
    return replace(plain(rows), market=Market(share=0.1, world={2030: 200.0, 2035: 400.0}))


BOTH = Portfolio((Choice("A", start_year=2024), Choice("B", start_year=2024)))


def test_of_a_certain_course_the_mean_is_exact() -> None:
    """Value 0.5 x 100 + 0.2 x 80; sales 0.5 x 40 x 0.5 + 0.2 x 20 x 0.5; both on the market by 2030 if ever."""
    found = simulate(two(), BOTH, replications=15)
    cost = found.replications["cost_pv"].iloc[0]
    exact = {
        "npv": 66.0 - cost,
        "commercialised": 0.7,
        "commercialised_by_2035": 0.7,
        "sales": 12.0,
        "market_share_2035": 0.1 + 12.0 / 400.0,
        "sales_2030": (0.1 + 12.0 / 400.0) * 200.0,
    }
    for name, value in exact.items():
        estimate = found.estimate(name)
        assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((value,) * 3), name
    assert found.replications["npv"].nunique() > 1
    assert found.replications["market_share_2035"].nunique() > 1


@pytest.mark.usefixtures("taken_back")
def test_a_registered_figure_keeps_the_luck() -> None:
    """It may be anything but linear: the square of what came is not the square of what was expected."""
    own = Figure("squared", "value squared", market=lambda value_pv: value_pv**2)
    register(own)
    assert not has_market_luck(own)
    found = simulate(two(), BOTH, replications=20)
    assert "squared" not in found.expected
    assert found.estimate("squared") == mean_interval(found.replications["squared"])
