"""Limits in which the answer is known: dates by hand, chains, queues, rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdsim.case import EXHAUSTED, FAILED, STOPPED, TARGET, UNFUNDED, attempt_success
from rdsim.domain import (
    Calibration,
    Choice,
    Facility,
    FacilityNeed,
    Gate,
    Link,
    Mode,
    Network,
    Panel,
    Partner,
    Programme,
    ReferenceRow,
    Steps,
    Technology,
    TechnologyStep,
    Tranche,
    UncertaintyClass,
)
from rdsim.engines import compiled, process
from rdsim.stats import proportion_interval
from tests.simple import each_step, lived, plain
from tests.sizes import size

BILLION = 10**9


def technology(name: str, trl: int = 4, target: int = 6, cost: float = 10.0) -> Technology:
    return Technology(name, name, "line", "f", trl=trl, cost=cost, value=100.0, trl_target=target)


def programme(tranches: tuple[Tranche, ...], gate: Gate | None = None, **budget: float) -> Programme:
    money = {int(year.removeprefix("y")): amount for year, amount in budget.items()} or {
        2024 + k: 100.0 for k in range(6)
    }
    starts = dict.fromkeys(range(2024, 2030), 1000)
    return Programme("Line", money, starts, tranches, 5.0, trl_target=9, gate=gate or Gate(policy="always-pass"))


YEARLY = (Tranche(12.0, 0.5), Tranche(12.0, 0.5))


# --- dates by hand --------------------------------------------------------------------------------


def test_certain_times_give_the_dates_that_one_computes_by_hand() -> None:
    """Steps of 180 days from TRL 4 to 7, tranches of 360 days, a review of 30 days between them.

    Paid on day 0; TRL 5 on day 180 and TRL 6 on day 360, which ends the tranche; reviewed until day 390, when the
    second tranche is paid; TRL 7 on day 570; the 180 unused days of the second tranche's 5 bn are refunded.
    """
    gate = Gate(policy="threshold", panel="p")
    scenario = plain({"T": technology("T", 4, 7)}, programme(YEARLY, gate), panels={"p": Panel(1, 1.0)})
    _, _, out = lived(scenario, Choice("T", start_year=2024))
    assert out.end_state[0, 0] == TARGET
    assert out.tranche_day[0, 0].tolist() == [0, 390]
    assert out.trl_day[0, 0, 3:7].tolist() == [0, 180, 360, 570]
    assert (out.end_day[0, 0], out.refund_day[0, 0]) == (570, 570)
    assert out.refund[0, 0] == 5 * BILLION * 180 // 360
    assert out.market_day[0, 0] == 570 + 360
    assert (out.funded_days[0, 0], out.worked_days[0, 0], out.reviews[0, 0]) == (720, 540, 1)


def test_a_step_pauses_at_the_end_of_its_tranche() -> None:
    """Steps of 270 days, tranches of 360: the second step works 90 days, pauses for the review, works 180 more."""
    steps = each_step(median_years=(0.75,) * 8)
    gate = Gate(policy="threshold", panel="p", tolerance=9)
    scenario = plain({"T": technology("T", 4, 6)}, programme(YEARLY, gate), panels={"p": Panel(1, 2.0)}, steps=steps)
    _, _, out = lived(scenario, Choice("T", start_year=2024))
    assert out.trl_day[0, 0, 4:6].tolist() == [270, 360 + 60 + 180]


def test_unspent_money_is_carried_over_at_its_rate_and_the_rest_lapses() -> None:
    """12 bn in 2024, 5 bn spent, 40% of 7 bn carried: 2.8 bn and 3 bn new pay the second tranche of 5 bn."""
    line = replace(programme(YEARLY, y2024=12.0, y2025=3.0), carry_over=0.4)
    scenario = plain({"T": technology("T", 4, 7)}, line)
    _, _, out = lived(scenario, Choice("T", start_year=2024))
    assert out.lapsed[0, 0, 0] == 4.2 * BILLION
    assert out.carried_in[0, 0, 1] == 2.8 * BILLION
    assert out.tranche_day[0, 0, 1] == 360
    short = replace(line, carry_over=0.2)
    _, _, out = lived(replace(scenario, programmes={"line": short}), Choice("T", start_year=2024))
    assert out.end_state[0, 0] == UNFUNDED


def test_behind_plan_a_project_is_extended_without_money_and_then_stopped() -> None:
    """Planned: two steps a year; a factor of luck is not needed: the project's steps take two years each."""
    scenario = plain(
        {"T": technology("T", 4, 8)}, programme((Tranche(12.0, 0.5),) * 2, Gate("threshold", extensions=1))
    )
    case, luck, _ = lived(scenario, Choice("T", start_year=2024))
    from rdsim.engines import compiled, process  # noqa: PLC0415

    slow = luck._replace(step_days=luck.step_days * 4)
    for out in (compiled.run(case, slow), process.run(case, slow)):
        assert out.end_state[0, 0] == STOPPED
        assert out.extensions[0, 0] == 1
        assert out.end_day[0, 0] == 360 + 180
        assert out.funded_days[0, 0] == 540
        assert out.paid[0, 0].tolist() == [5 * BILLION, 0]


@pytest.mark.parametrize("allowed", [1_000_000, 3000])
def test_extensions_without_end_are_given_until_the_horizon_and_luck_is_laid_out_as_far(allowed: int) -> None:
    """A step of seven years in six, and extensions of a day: 360 days are paid, 1800 more given, each with a review."""
    line = replace(plain().programmes["line"], gate=Gate(extensions=allowed, extension_months=0.0))
    steps = each_step(median_years=(7.0,) * 8)
    case, luck, _ = lived(plain(programme=line, horizon_year=2029, steps=steps), Choice("T", start_year=2024))
    assert luck.gate.shape == luck.review_error.shape == (1, 1, 6 * 360 + 2)
    behind = case._replace(median_days=case.median_days // 7)
    for engine in (compiled, process):
        out = engine.run(behind, luck)
        assert out.extensions[0, 0] == out.reviews[0, 0] == 5 * 360


def test_a_start_waits_for_next_year_when_the_years_starts_are_used_up() -> None:
    line = replace(programme(YEARLY), starts={2024: 1, 2025: 1})
    scenario = plain({name: technology(name) for name in "ABC"}, line)
    _, _, out = lived(scenario, *(Choice(name, start_year=2024) for name in "ABC"))
    assert out.start_day[0].tolist() == [0, 360, -1]
    assert out.wait_start[0, 1] == 360


def test_a_prerequisite_is_waited_for_and_a_failed_one_blocks() -> None:
    link = (Link("prerequisite", "B", "A"),)
    scenario = plain({name: technology(name) for name in "AB"}, links=link)
    _, _, out = lived(scenario, Choice("A", start_year=2024), Choice("B", start_year=2024))
    assert out.start_day[0].tolist() == [0, 360]
    hopeless = replace(scenario, steps=replace(scenario.steps, median_years=(9.0,) * 8))
    _, _, out = lived(hopeless, Choice("A", start_year=2024), Choice("B", start_year=2024))
    assert out.end_state[0].tolist() == [EXHAUSTED, 7]
    _, _, alone = lived(scenario, Choice("B", start_year=2024))
    assert alone.end_state[0, 0] == 7


def test_two_steps_on_one_test_bed_follow_each_other() -> None:
    """Both need the bed for their first step of 180 days; funded days run on while the second waits."""
    needs = tuple(FacilityNeed(name, 4, "bed") for name in "AB")
    scenario = plain(
        {name: technology(name) for name in "AB"}, facilities={"bed": Facility("Bed", 1)}, facility_needs=needs
    )
    _, _, out = lived(scenario, Choice("A", start_year=2024), Choice("B", start_year=2024))
    assert out.trl_day[0, :, 4].tolist() == [180, 360]
    assert out.wait_facility[0].tolist() == [0, 180]
    assert out.tranche_day[0, 1].tolist() == [0, 360]


def test_who_is_stopped_while_waiting_for_a_bed_lets_those_behind_him_pass() -> None:
    """A uses one of two beds for 24 months; B needs both, so that C behind it waits, until B is stopped.

    One tranche of 36 months: no tranche ends on the day of the stop and asks for the beds again.
    """
    needs = tuple(FacilityNeed(name, 4, "bed", units) for name, units in (("A", 1), ("B", 2), ("C", 1)))
    scenario = plain(
        {name: technology(name) for name in "ABC"},
        programme((Tranche(36.0, 1.0),)),
        facilities={"bed": Facility("Bed", 2)},
        facility_needs=needs,
        technology_steps=(TechnologyStep("A", 4, median_months=24.0),),
    )
    choices = [Choice(name, start_year=2024) for name in "ABC"]
    _, _, left_alone = lived(scenario, *choices)
    assert left_alone.wait_facility[0].tolist() == [0, 720, 900]
    _, _, out = lived(scenario, *choices, stops={"B": 2025})
    assert out.wait_facility[0].tolist() == [0, 360, 360]
    assert out.end_state[0].tolist()[1:] == [STOPPED, TARGET]
    assert out.trl_day[0, 2, 4:6].tolist() == [540, 720]


def test_joint_money_is_shared_sent_abroad_and_not_returned_after_a_break() -> None:
    """Home pays 60% of 10.8 bn (8% overhead); half of it goes abroad; a break on day 300 drops the project."""
    mode = Mode("Joint", home_cost_share=0.6, abroad_share=0.5, agreement_months=3.0)
    line = replace(programme(YEARLY), fallback="drop")
    partner = Partner("P", "P", modes=("joint",), places=1, setup_months=1.0, setup_cost=1.0, running_cost=0.5)
    scenario = plain(
        {"T": technology("T", 4, 9)},
        line,
        modes={"domestic": Mode("Domestic"), "joint": mode},
        partners={"P": partner},
        levels={"P": {"f": 20.0}},
        network=Network("line"),
    )
    case, luck, out = lived(scenario, Choice("T", "joint", "P", 2024))
    half = 10 * BILLION * 108 // 100 * 6 // 10 // 2
    assert out.opened_day[0, 0] == 0
    assert out.place_day[0, 0] == 30
    assert out.agreement_day[0, 0] == 120
    assert out.tranche_day[0, 0, 0] == 120
    assert (out.paid[0, 0, 0], out.paid_abroad[0, 0, 0]) == (half, half // 2)
    assert out.paid_foreign[0, 0, 0] == 10 * BILLION * 108 // 100 * 4 // 10 // 2
    assert out.network_paid[0, 0, 0] == 1.5 * BILLION
    from rdsim.engines import compiled, process  # noqa: PLC0415

    broken = luck._replace(break_day=np.where(np.arange(17) == 0, 300, luck.break_day))
    for out in (compiled.run(case, broken), process.run(case, broken)):
        assert (out.end_state[0, 0], out.end_day[0, 0]) == (5, 300)
        assert out.refund[0, 0] == (half - half // 2) * 180 // 360


# --- queues ---------------------------------------------------------------------------------------


def test_one_panel_seat_is_a_d_d_1_queue() -> None:
    """n reviews arrive together and take d days each: the k-th in rank waits k d."""
    count, scenario = (
        7,
        plain(
            {f"T{k}": technology(f"T{k}", 4, 8) for k in range(7)},
            programme(YEARLY, Gate("always-pass", panel="p")),
            panels={"p": Panel(1, 2.0)},
        ),
    )
    _, _, out = lived(scenario, *(Choice(f"T{k}", start_year=2024) for k in range(count)))
    assert out.wait_panel[0].tolist() == [60 * k for k in range(count)]
    assert out.tranche_day[0, :, 1].tolist() == [360 + 60 * (k + 1) for k in range(count)]


def test_drop_the_worst_carries_the_fraction_to_the_next_round() -> None:
    """14 reviews at 10%: one is dropped and 0.4 carried; at the next round 13 reviews make 1.7: one more."""
    gate = Gate("drop-worst", drop_share=0.1)
    names = [f"T{k:02d}" for k in range(14)]
    line = programme(
        (Tranche(12.0, 0.4), Tranche(12.0, 0.3), Tranche(12.0, 0.3)), gate, y2024=300.0, y2025=300.0, y2026=300.0
    )
    scenario = plain({name: technology(name, 1, 9) for name in names}, line)
    _, _, out = lived(scenario, *(Choice(name, start_year=2024) for name in names))
    stopped = out.end_day[0][out.end_state[0] == STOPPED]
    assert sorted(stopped.tolist()) == [360, 720]
    # All are equal, so those of lowest rank go first.
    assert out.end_state[0, -2:].tolist() == [STOPPED, STOPPED]


@settings(max_examples=size(40, 300))
@given(
    costs=st.lists(st.integers(1, 8), min_size=2, max_size=7),
    money=st.lists(st.integers(1, 20), min_size=5, max_size=5),
    extra=st.lists(st.integers(0, 9), min_size=5, max_size=5),
)
def test_more_money_never_pays_anyone_later_with_one_tranche_each(
    costs: list[int], money: list[int], extra: list[int]
) -> None:
    """Requests at the same time, a strict purse, carry-over of everything, nothing else scarce (model section 6).

    And nobody is unfunded: a request that more money keeps from being hopeless blocks those behind it for longer.
    """
    money[-1] += sum(costs)
    names = [f"T{k}" for k in range(len(costs))]
    techs = {name: technology(name, cost=float(cost)) for name, cost in zip(names, costs, strict=True)}

    def paid_days(budget: list[int]) -> np.ndarray:
        line = replace(
            programme((Tranche(12.0, 1.0),)), carry_over=1.0, budget={2024 + y: float(m) for y, m in enumerate(budget)}
        )
        _, _, out = lived(plain(techs, line), *(Choice(name, start_year=2024) for name in names))
        return np.where(out.tranche_day[0, :, 0] < 0, 10**9, out.tranche_day[0, :, 0])

    assert (paid_days([a + b for a, b in zip(money, extra, strict=True)]) <= paid_days(money)).all()


# --- rates ----------------------------------------------------------------------------------------

LONG = (Tranche(120.0, 1.0),)


def _share(scenario: object, state: int, replications: int) -> tuple[int, int]:
    _, _, out = lived(scenario, Choice("T", start_year=2024), replications=replications)  # type: ignore[arg-type]
    return int((out.end_state == state).sum()), replications


@pytest.mark.parametrize(("setback", "attempts"), [(0.0, 1), (0.5, 3), (1.0, 2), (0.9, 5)])
@pytest.mark.parametrize("development", [0.5, 0.872])
def test_development_success_is_reached_over_all_steps_and_attempts(
    setback: float, attempts: int, development: float
) -> None:
    eventual = np.array([[development ** (1 / 3), 0.2], [0.0, 1.0]])
    q = attempt_success(eventual, setback, attempts)
    assert q * sum(((1 - q) * setback) ** k for k in range(attempts)) == pytest.approx(eventual, abs=1e-12)
    assert q[1].tolist() == [0.0, 1.0]
    scenario = plain(
        {"T": technology("T", 4, 7)},
        programme(LONG, y2024=100.0),
        calibrations={"only": Calibration(1.0, development_success=development, reference=(ReferenceRow(4, 7),))},
        steps=Steps((0.1,) * 8, "lognormal", setback, attempts),
    )
    hits = _share(scenario, TARGET, size(4000, 40000))
    found = proportion_interval(*hits, confidence=0.9999)
    assert found.low <= development <= found.high


@pytest.mark.parametrize(("development", "market", "product"), [(0.872, 0.228, 0.199), (0.89, 0.532, 0.47)])
def test_from_start_to_market_the_rates_multiply(development: float, market: float, product: float) -> None:
    """The products 0.199 and 0.47 of parameters.md are checks, never inputs; waiting and gates are off."""
    assert development * market == pytest.approx(product, abs=0.004)
    scenario = plain(
        {"T": technology("T", 4, 8)},
        programme(LONG, y2024=100.0),
        calibrations={"only": Calibration(market, development_success=development)},
        steps=Steps((0.1,) * 8, "lognormal", 0.5, 3),
    )
    _, _, out = lived(scenario, Choice("T", start_year=2024), replications=size(4000, 40000))
    found = proportion_interval(int((out.market_day >= 0).sum()), out.market_day.size, 0.9999)
    assert found.low <= development * market <= found.high


def test_an_absorbing_chain_ends_where_its_matrix_says() -> None:
    """No waiting and no setbacks: step k is the last with probability q^k (1 - q), target with q^n."""
    q, n = 0.8, 4
    scenario = plain(
        {"T": technology("T", 4, 4 + n)},
        programme(LONG, y2024=100.0),
        steps=each_step(q, median_years=(0.1,) * 8),
    )
    chain = np.zeros((n + 2, n + 2))
    chain[np.arange(n), np.arange(1, n + 1)], chain[:n, n + 1] = q, 1 - q
    chain[n, n] = chain[n + 1, n + 1] = 1
    absorbed = np.linalg.matrix_power(chain, n)[0]
    replications = size(5000, 50000)
    _, _, out = lived(scenario, Choice("T", start_year=2024), replications=replications)
    for state, code in ((n, TARGET), (n + 1, FAILED)):
        found = proportion_interval(int((out.end_state == code).sum()), replications, 0.9999)
        assert found.low <= absorbed[state] <= found.high
    for k in range(n):
        ended = int(((out.end_state == FAILED) & (out.trl == 4 + k)).sum())
        found = proportion_interval(ended, replications, 0.9999)
        assert found.low <= q**k * (1 - q) <= found.high


def test_certain_success_and_certain_failure() -> None:
    sure = plain(
        {"T": technology("T", 4, 8)}, programme(LONG, y2024=100.0), uncertainty={"medium": UncertaintyClass(0.5, 0.0)}
    )
    assert _share(sure, TARGET, 500) == (500, 500)
    hits, _ = _share(replace(sure, steps=each_step(0.001)), FAILED, 500)
    # At most a few pass one step, none passes four.
    assert hits == 500


def test_without_a_market_nothing_is_sold() -> None:
    scenario = plain(calibrations={"only": Calibration(0.0)})
    _, _, out = lived(scenario, Choice("T", start_year=2024), replications=50)
    assert (out.end_state == TARGET).all()
    assert (out.market_day == -1).all()
