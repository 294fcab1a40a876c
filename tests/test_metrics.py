"""Figures of outcomes, against sums done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rdsim.domain import Choice, International, Link, Mode, Network, Partner, Scenario, Technology, ValueRules
from rdsim.metrics import (
    by_year,
    calendar,
    home_by_year,
    international_share,
    replication_figures,
    timeliness,
    worth,
)
from tests.simple import lived, plain

RATE = 0.05


def joint() -> Scenario:
    partner = Partner("P", "P", modes=("joint",), places=2, setup_cost=2.0, running_cost=1.0)
    mode = Mode("Joint", home_cost_share=0.5, abroad_share=0.4, value_share=0.8, agreement_months=6.0)
    return plain(
        {name: Technology(name, name, "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6) for name in "AB"},
        modes={"domestic": Mode("Domestic"), "joint": mode},
        partners={"P": partner},
        levels={"P": {"f": 20.0}},
        network=Network("line"),
        discount_rate=RATE,
        links=(Link("synergy", "A", "B", 30.0),),
        international=International(rd_budget={2024: 100.0, 2025: 100.0}, outside_spending={2024: 6.0}),
    )


def test_value_and_cost_of_a_domestic_project() -> None:
    """Paid 5 bn on day 0; target on day 360 exactly at the tranche's end; on the market on day 720."""
    scenario = plain(discount_rate=RATE)
    case, _, out = lived(scenario, choice := Choice("T", start_year=2024))
    found = worth(scenario, [choice], case, out, np.ones((1, 1)))
    assert found.value[0, 0] == 100.0
    assert found.value_pv[0, 0] == pytest.approx(100 / 1.05**2)
    assert found.cost_pv[0, 0] == pytest.approx(5.0)
    assert found.npv[0, 0] == pytest.approx(100 / 1.05**2 - 5)
    assert found.in_time[0, 0]


def test_rights_refund_network_and_synergy_of_joint_projects() -> None:
    """Talks until day 180; paid 2.7 bn; target on day 540; refund none; on the market on day 900, rights 80%."""
    scenario = joint()
    choices = [Choice("A", "joint", "P", 2024), Choice("B", "domestic", "", 2024)]
    case, _, out = lived(scenario, *choices)
    found = worth(scenario, choices, case, out, np.ones((1, 2)))
    assert out.market_day[0].tolist() == [900, 720]
    assert found.value[0].tolist() == [80.0, 100.0]
    assert found.cost_pv[0, 0] == pytest.approx(2.7 / 1.05**0.5)
    figures = replication_figures(scenario, choices, case, out, found)
    network = 3.0 + 1.0 / 1.05  # opening and running in 2024; running in 2025, when its project still lives
    assert figures["network_pv"][0] == pytest.approx(network)
    synergy = 30 / 1.05 ** (900 / 360)
    assert figures["npv"][0] == pytest.approx(found.npv[0].sum() + synergy - network)
    assert figures["commercialised"][0] == 2
    assert figures["paid_by_partners"][0] == pytest.approx(2.7)
    assert figures["paid_abroad"][0] == pytest.approx(1.08)


def test_the_international_share_counts_outside_spending_and_all_home_money_of_joint_projects() -> None:
    scenario = joint()
    case, _, out = lived(scenario, Choice("A", "joint", "P", 2024), Choice("B", "domestic", "", 2024))
    shares = international_share(scenario, case, out)
    assert shares[2024][0] == pytest.approx((6.0 + 2.7) / 100)
    assert shares[2025][0] == pytest.approx(0.0)


def test_value_falls_after_the_deadline_and_never_below_nothing() -> None:
    scenario = plain(value=ValueRules(12.0, 0.0, loss_per_year=0.15))
    left = timeliness(scenario, np.array([-100, 0, 360, 720, 36000]))
    assert left.tolist() == [1.0, 1.0, 0.85, pytest.approx(0.7), 0.0]


def test_a_market_date_after_the_deadline_is_not_in_time() -> None:
    line = replace(plain().programmes["line"], deadline_years=1.5)
    scenario = plain(programme=line)
    case, _, out = lived(scenario, choice := Choice("T", start_year=2024))
    found = worth(scenario, [choice], case, out, np.ones((1, 1)))
    assert not found.in_time[0, 0]
    assert found.value[0, 0] == pytest.approx(100 * (1 - 0.15 * 0.5))


def test_money_by_year_keeps_every_won() -> None:
    days = np.array([[0, 359, 360, -1, 1000]])
    amounts = np.array([[1, 2, 4, 8, 16]])
    assert by_year(days, amounts, 4).tolist() == [[3, 4, 16, 0]]
    case, _, out = lived(plain(), Choice("T", start_year=2024))
    assert home_by_year(case, out).sum() == out.paid.sum() - out.refund.sum()


def test_times_are_decimal_calendar_years() -> None:
    march = plain(fiscal_year_start_month=4)
    assert calendar(march, np.array([0, 90, 360])).tolist() == [2024.25, 2024.5, 2025.25]
    assert np.isnan(calendar(march, np.array([-1]))[0])
