"""Figures of outcomes, against sums done by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rdsim.arrays import Array
from rdsim.case import END_STATES, Case, Outcomes
from rdsim.domain import (
    Choice,
    Deliverable,
    International,
    Link,
    Market,
    Mode,
    Network,
    Partner,
    Scenario,
    Technology,
    ValueRules,
)
from rdsim.engines import compiled, process
from rdsim.figures import column_figures
from rdsim.metrics import (
    Worth,
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


def counted(scenario: Scenario, choices: Sequence[Choice], case: Case, out: Outcomes, found: Worth) -> dict[str, Array]:
    """All figures that a scenario's replications have."""
    return replication_figures(scenario, choices, case, out, found, column_figures(scenario))


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
    figures = counted(scenario, choices, case, out, found)
    network = 3.0 + 1.0 / 1.05  # opening and running in 2024; running in 2025, when its project still lives
    assert figures["network_pv"][0] == pytest.approx(network)
    synergy = 30 / 1.05 ** (900 / 360)
    assert figures["npv"][0] == pytest.approx(found.npv[0].sum() + synergy - network)
    assert figures["commercialised"][0] == 2
    assert figures["paid_by_partners"][0] == pytest.approx(2.7)
    assert figures["paid_abroad"][0] == pytest.approx(1.08)


def test_deliverables_are_counted_by_the_year_in_which_they_are_handed_in() -> None:
    """The solution comes with TRL 6: of A on day 360, the first of 2025, of B, from TRL 5, on day 180 of 2024."""
    items = {"solution-1": Deliverable(after_trl=6, mean_months=0.0), "book": Deliverable(after_trl=9)}
    row = Technology("A", "A", "line", "f", trl=4, cost=10.0, value=100.0, trl_target=6)
    scenario = plain({"A": row, "B": replace(row, id="B", trl=5)})
    line = replace(scenario.programmes["line"], deliverables=items)
    scenario = replace(
        scenario, programmes={"line": line, "empty": replace(line, deliverables={"export": items["book"]})}
    )
    choices = [Choice("A", start_year=2024), Choice("B", start_year=2024)]
    case, _, out = lived(scenario, *choices)
    found = counted(scenario, choices, case, out, worth(scenario, choices, case, out, np.ones((1, 2))))
    figures = {name: column for name, column in found.items() if name.startswith("delivered_")}
    by_year = [figures[f"delivered_solution_1_by_{year}"].tolist() for year in (2024, 2025, 2040)]
    assert by_year == [[1], [2], [2]]
    assert figures["delivered_solution_1"].tolist() == [2]
    assert figures["delivered_book"].tolist() == figures["delivered_export_by_2040"].tolist() == [0]
    assert len(figures) == 3 * (1 + 17)


def test_the_international_share_counts_outside_spending_and_all_home_money_of_joint_projects() -> None:
    scenario = joint()
    case, _, out = lived(scenario, Choice("A", "joint", "P", 2024), Choice("B", "domestic", "", 2024))
    shares = international_share(scenario, case, out)
    assert shares[2024][0] == pytest.approx((6.0 + 2.7) / 100)
    assert shares[2025][0] == pytest.approx(0.0)


def test_without_the_right_to_implement_home_realises_a_part_of_what_it_keeps() -> None:
    """Rights 80%, of which home can realise three quarters; a domestic project has all of its value."""
    scenario = joint()
    modes = {**scenario.modes, "joint": replace(scenario.modes["joint"], implementation=0.75)}
    scenario = replace(scenario, modes=modes)
    choices = [Choice("A", "joint", "P", 2024), Choice("B", "domestic", "", 2024)]
    case, _, out = lived(scenario, *choices)
    assert worth(scenario, choices, case, out, np.ones((1, 2))).value[0].tolist() == [pytest.approx(60.0), 100.0]


@pytest.mark.parametrize(("floor", "short", "needed"), [(0.15, 6.3, 12.3), (0.08, 0.0, 5.3), (0.02, 0.0, 0.0)])
def test_shortfall_of_the_international_share_and_the_spending_that_closes_it(
    floor: float, short: float, needed: float
) -> None:
    """Joint projects are paid 2.7 in 2024, outside spending is 6 of a budget of 100."""
    scenario = joint()
    scenario = replace(scenario, international=replace(scenario.international, share_floor={2024: floor}))
    choices = [Choice("A", "joint", "P", 2024), Choice("B", "domestic", "", 2024)]
    case, _, out = lived(scenario, *choices)
    figures = counted(scenario, choices, case, out, worth(scenario, choices, case, out, np.ones((1, 2))))
    assert figures["international_shortfall_2024"][0] == pytest.approx(short)
    assert figures["outside_spending_needed_2024"][0] == pytest.approx(needed)
    assert "international_shortfall_2025" not in figures


def test_the_share_of_the_world_market_grows_on_market_days() -> None:
    """On the market on the first day of 2026 (50, a tenth of it) and of 2027 (100, a fifth); a world of 200."""
    rows = {
        "A": Technology("A", "A", "line", "f", trl=4, cost=1.0, trl_target=6, market_size=50.0, market_share=0.1),
        "B": Technology("B", "B", "line", "f", trl=4, cost=1.0, trl_target=6, market_size=100.0, market_share=0.2),
    }
    market = Market(share=0.05, world={2025: 100.0, 2026: 160.0, 2027: 200.0})
    scenario = plain(rows, market=market)
    case, _, out = lived(scenario, *(choices := [Choice("A", start_year=2024), Choice("B", start_year=2025)]))
    assert out.market_day[0].tolist() == [720, 1080]
    worths = worth(scenario, choices, case, out, np.ones((1, 2)))
    found = counted(scenario, choices, case, out, worths)
    figures = {name: float(values[0]) for name, values in found.items() if name.startswith(("market_", "sales_"))}
    shares = {2025: 0.05, 2026: 0.05 + 5 / 200, 2027: 0.05 + 25 / 200}
    sales = {2025: 5.0, 2026: 0.075 * 160, 2027: 0.175 * 200}
    expected = {f"market_share_{year}": share for year, share in shares.items()}
    assert figures == pytest.approx({**expected, **{f"sales_{year}": amount for year, amount in sales.items()}})
    without = counted(plain(rows), choices, case, out, worths)
    assert not any(name.startswith(("market_", "sales_")) for name in without)


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


@pytest.mark.parametrize("deadline", [3.6, 3.5, 2.5, 2.4])
def test_the_deadline_counts_from_the_planned_year_whatever_the_call_and_the_wait(deadline: float) -> None:
    """Called in July of 2025, B waits for the call of 2026: it starts on day 900, and is sold on day 900 + 720.

    Planned for 2025, which begins on day 360: its market comes three and a half years after that, A's two and a half.
    """
    line = replace(plain().programmes["line"], call_month=7, starts={2025: 1, 2026: 1}, deadline_years=deadline)
    technologies = {
        name: Technology(name, name, "line", "f", trl=4, cost=9.0, value=100.0, trl_target=6) for name in "AB"
    }
    scenario = plain(technologies, line)
    choices = [Choice("A", start_year=2025), Choice("B", start_year=2025)]
    case, _, out = lived(scenario, *choices)
    assert out.market_day[0].tolist() == [540 + 720, 900 + 720]
    found = worth(scenario, choices, case, out, np.ones((1, 2)))
    assert found.in_time[0].tolist() == [deadline >= 2.5, deadline >= 3.5]
    late = max(0.0, 3.5 - deadline)
    assert found.value[0, 1] == pytest.approx(100 * (1 - 0.15 * late))


@pytest.mark.parametrize(("day", "kept"), [(100, 100.0), (179, 100.0), (181, 80.0), (300, 80.0), (800, 80.0)])
def test_rights_stay_as_signed_once_a_step_was_worked_together(day: int, kept: float) -> None:
    """Talks until day 180, when the first step begins: a break before leaves home everything, a later one nothing."""
    scenario = joint()
    case, luck, whole = lived(scenario, choice := Choice("A", "joint", "P", 2024))
    broken = luck._replace(break_day=np.where(np.arange(17) == day // 360, day, -1)[None, None])
    for out in (compiled.run(case, broken), process.run(case, broken)):
        values = [worth(scenario, [choice], case, one, np.ones((1, 1))).value[0, 0] for one in (whole, out)]
        assert values == [80.0, kept]


def test_the_luck_of_the_market_multiplies_the_value() -> None:
    scenario = plain()
    case, _, out = lived(scenario, choice := Choice("T", start_year=2024))
    assert worth(scenario, [choice], case, out, np.full((1, 1), 1.7)).value[0, 0] == pytest.approx(170.0)


def test_figures_count_end_states_and_waits_over_projects() -> None:
    line = replace(plain().programmes["line"], starts={2024: 1, 2025: 1})
    technologies = {
        name: Technology(name, name, "line", "f", trl=4, cost=9.0, value=9.0, trl_target=6) for name in "ABC"
    }
    scenario = plain(technologies, line)
    choices = [Choice(name, start_year=2024) for name in "ABC"]
    case, _, out = lived(scenario, *choices)
    figures = counted(scenario, choices, case, out, worth(scenario, choices, case, out, np.ones((1, 3))))
    assert [int(figures[name][0]) for name in ("target", "running", "commercialised", "partners_opened")] == [
        2,
        1,
        2,
        0,
    ]
    assert figures["wait_start"][0] == out.wait_start.sum() == 360 + case.horizon
    assert figures["paid"][0] == pytest.approx(9.0)
    assert sum(int(figures[state][0]) for state in END_STATES) == 3


def test_more_projects_than_a_byte_holds_are_counted_and_what_never_happens_is_in_no_year() -> None:
    names = [f"T{k:03}" for k in range(300)]
    technologies = {
        name: Technology(name, name, "line", "f", trl=4, cost=0.1, value=9.0, trl_target=6 if k % 100 else 9)
        for k, name in enumerate(names)
    }
    scenario = plain(technologies)
    choices = [Choice(name, start_year=2024) for name in names]
    case, _, out = lived(scenario, *choices)
    figures = counted(scenario, choices, case, out, worth(scenario, choices, case, out, np.ones((1, 300))))
    by_year = [int(figures[f"commercialised_by_{year}"][0]) for year in range(2024, 2041)]
    assert by_year == [sum(0 <= day < end * 360 for day in out.market_day[0].tolist()) for end in range(1, 18)]
    assert figures["target"][0] == (out.end_state == END_STATES.index("target")).sum() == by_year[-1] == 297
    assert figures["agreements_by_2040"][0] == 0


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
