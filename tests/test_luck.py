"""Chance laid out: medians and spreads, common factors, agreements, breaks, budgets, exchange, deliverables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdsim.case import DAYS_PER_YEAR, Case, SamplePaths, build
from rdsim.domain import (
    BudgetRisk,
    Calibration,
    Choice,
    Deliverable,
    ExchangeRisk,
    FieldFactorRisk,
    FormationStage,
    Mode,
    Partner,
    Portfolio,
    Risks,
    Scenario,
    Steps,
    TechField,
    Technology,
    Tranche,
    UncertaintyClass,
)
from rdsim.draws import Draws
from rdsim.engines import compiled
from rdsim.engines.compiled.contracts import blank_state
from rdsim.luck import agreement_chance, lay_out, path_bytes, value_factor
from rdsim.scenario import load
from rdsim.stats import mean_interval, proportion_interval
from tests.simple import plain
from tests.sizes import size

R = size(4000, 40000)


def technology(name: str, field: str = "f") -> Technology:
    return Technology(name, name, "line", field, trl=2, cost=10.0, value=100.0)


def laid_out(scenario: Scenario, *choices: Choice, replications: int = R, first: int = 0) -> tuple[Case, SamplePaths]:
    ranked = tuple(replace(choice, rank=rank) for rank, choice in enumerate(choices, start=1))
    case = build(scenario, Portfolio(ranked))
    return case, lay_out(scenario, case, ranked, Draws(3, range(first, first + replications)))


A, B, C = (Choice(name, start_year=2024) for name in "ABC")
THREE = {"A": technology("A"), "B": technology("B"), "C": technology("C", "g")}
FIELDS = {"f": TechField("F"), "g": TechField("G")}


def spread(sigma: float, distribution: str = "lognormal", **risk: float) -> Scenario:
    steps = Steps((0.5, 0.7, 0.9, 1.1, 0.5, 0.7, 0.9, 1.1), distribution, 0.5, 2)  # type: ignore[arg-type]
    return plain(
        THREE,
        fields=FIELDS,
        steps=steps,
        uncertainty={"medium": UncertaintyClass(sigma, 0.8)},
        risks=Risks(FieldFactorRisk(**risk)),
    )


@pytest.mark.parametrize("distribution", ["lognormal", "gamma"])
def test_step_times_have_the_stated_median_and_spread(distribution: str) -> None:
    _, luck = laid_out(spread(0.55, distribution), A)
    days = luck.step_days[:, 0, :, 0]
    median = np.array([0.5, 0.7, 0.9, 1.1, 0.5, 0.7, 0.9, 1.1]) * DAYS_PER_YEAR
    assert np.median(days, axis=0) == pytest.approx(median, rel=0.05)
    variation = days.std(axis=0) / days.mean(axis=0)
    assert variation == pytest.approx(np.full(8, np.sqrt(np.expm1(0.55**2))), rel=0.12)


def test_without_spread_times_are_certain() -> None:
    for distribution in ("lognormal", "gamma"):
        _, luck = laid_out(spread(0.0, distribution), A, replications=20)
        assert np.allclose(luck.step_days[:, 0, 0], 180.0)


def test_zero_loadings_are_independence_and_others_bind_a_field_together() -> None:
    _, alone = laid_out(spread(0.55), A, B, C)
    _, bound = laid_out(spread(0.55, success_loading=0.6, duration_loading=0.6), A, B, C)
    limit = 4.5 / np.sqrt(R)

    def correlation(luck: SamplePaths, name: str, other: int) -> float:
        table = getattr(luck, name)[:, :, 3, 0]
        table = np.log(table) if name == "step_days" else table
        return float(np.corrcoef(table[:, 0], table[:, other])[0, 1])

    for name in ("step", "step_days"):
        assert abs(correlation(alone, name, 1)) < limit
        assert abs(correlation(bound, name, 2)) < limit  # another field
    assert correlation(bound, "step_days", 1) == pytest.approx(0.36, abs=0.06)
    assert correlation(bound, "step", 1) == pytest.approx(6 / np.pi * np.arcsin(0.36 / 2), abs=0.06)


def test_a_fields_good_years_are_short_and_likely() -> None:
    _, luck = laid_out(spread(0.55, success_loading=0.9, duration_loading=0.9), A)
    days, chance = np.log(luck.step_days[:, 0, 0, 0]), luck.step[:, 0, 0, 0]
    # Small luck numbers succeed, so time and luck number rise together.
    assert np.corrcoef(days, chance)[0, 1] > 0.5


def test_dropping_a_technology_leaves_the_luck_of_the_others() -> None:
    scenario = spread(0.55, success_loading=0.3, duration_loading=0.3)
    _, whole = laid_out(scenario, A, B, C, replications=20)
    _, less = laid_out(scenario, A, C, replications=20)
    for name in ("step_days", "step", "gate", "commercial", "market_days", "deliverable_days"):
        assert (getattr(whole, name)[:, [0, 2]] == getattr(less, name)).all(), name


def test_batches_do_not_matter() -> None:
    scenario = spread(0.55, success_loading=0.3, duration_loading=0.3)
    _, whole = laid_out(scenario, A, B, replications=20)
    _, tail = laid_out(scenario, A, B, replications=8, first=12)
    for name in SamplePaths._fields:
        assert (getattr(whole, name)[12:] == getattr(tail, name)).all(), name


def _with_partner(**modes: Mode) -> Scenario:
    partners = {
        code: Partner(code, code, modes=tuple(modes), places=9, agreement=0.7, break_rate=0.25, currency=money)
        for code, money in (("P", "USD"), ("Q", "JPY"))
    }
    return plain(
        THREE,
        fields=FIELDS,
        modes={"domestic": Mode("Domestic"), **modes},
        partners=partners,
        levels={code: {"f": 90.0} for code in partners},
        risks=Risks(exchange=ExchangeRisk(0.1), budget=BudgetRisk(0.1, 0.8, 1.2, 2024)),
    )


WILLING = Mode("Willing", agreement_probability=0.9, agreement_months=6.0, agreement_sigma=0.3)
ASKING = Mode("Asking", needs_counterpart=True, agreement_probability=0.9, agreement_months=6.0, agreement_sigma=0.3)


_ENDLESS = (
    *("programmes.*.gate.extensions=1000000", "programmes.*.gate.tolerance=1000000", "panels.*.seats=1000000"),
    *("facilities.*.capacity=1000000", "partners.US.places=1000000", "programmes.leap.starts.2025=1000000"),
)


def test_no_setting_lays_out_more_than_a_replication_can_come_to(tiny: Path) -> None:
    """Reviews are bounded by the half-years and years to the horizon, all else by what there is."""

    def room(overrides: list[str]) -> tuple[int, int]:
        scenario = load(tiny, overrides)
        choices = (Choice("T1", "direct", "US", 2024, 1), Choice("T6", start_year=2024, rank=2))
        case = build(scenario, Portfolio(choices))
        state = sum(column.nbytes for column in blank_state(case).values() if hasattr(column, "nbytes"))
        return path_bytes(scenario, case, choices), state

    (luck, state), (most_luck, most_state) = room([]), room([*_ENDLESS, "steps.attempts=3"])
    years = 13
    assert most_luck - luck == 2 * (2 * years) * 2 * 8  # two numbers for each of 26 more reviews of two technologies
    assert state < most_state < 2 * state


def test_agreements_come_at_their_rate_and_time() -> None:
    scenario = _with_partner(direct=WILLING, matching=ASKING)
    for mode, chance in (("direct", 0.9), ("matching", 0.63)):
        _, luck = laid_out(scenario, Choice("A", mode, "P", 2024))
        found = proportion_interval(int(luck.agreed.sum()), R, 0.9999)
        assert found.low <= chance <= found.high
        assert np.median(luck.agreement_days) == pytest.approx(180, rel=0.03)


def test_agreement_luck_is_the_same_in_every_mode_and_other_for_every_partner() -> None:
    scenario = _with_partner(direct=WILLING, matching=ASKING)
    _, direct = laid_out(scenario, Choice("A", "direct", "P", 2024), replications=500)
    _, matching = laid_out(scenario, Choice("A", "matching", "P", 2024), replications=500)
    _, elsewhere = laid_out(scenario, Choice("A", "direct", "Q", 2024), replications=500)
    assert (direct.agreement_days == matching.agreement_days).all()
    assert (matching.agreed <= direct.agreed).all()  # a lower probability never makes a success of a failure
    assert (direct.agreement_days != elsewhere.agreement_days).any()


def test_an_agreement_in_stages_has_luck_and_time_of_its_own_in_each() -> None:
    stages = (FormationStage("match", 2.0, 0.3, 0.8), FormationStage("memorandum", 4.0, 0.3, 0.9))
    asking = Mode("Asking", needs_counterpart=True, formation=stages)
    scenario = _with_partner(direct=WILLING, matching=asking)
    choice = Choice("A", "matching", "P", 2024)
    assert agreement_chance(scenario, choice) == pytest.approx(0.8 * 0.9 * 0.7)
    case, luck = laid_out(scenario, choice)
    assert case.stages.tolist() == [2]
    for h, (months, chance) in enumerate(((2.0, 0.8), (4.0, 0.9 * 0.7))):  # the agency has its say in the last
        found = proportion_interval(int(luck.agreed[:, 0, h].sum()), R, 0.9999)
        assert found.low <= chance <= found.high
        assert np.median(luck.agreement_days[:, 0, h]) == pytest.approx(30 * months, rel=0.03)
    assert abs(np.corrcoef(luck.agreed[:, 0].T)[0, 1]) < 4 / np.sqrt(R)
    assert abs(np.corrcoef(luck.agreement_days[:, 0].T)[0, 1]) < 4 / np.sqrt(R)
    _, whole = laid_out(scenario, Choice("A", "direct", "P", 2024))
    of_stage = np.ceil(60 * np.exp(0.3 * np.log(whole.agreement_days[:, 0, 0] / 180) / 0.3))
    assert (np.abs(luck.agreement_days[:, 0, 0] - of_stage) <= 1).all()  # the first stage has the luck of the whole


def test_breaks_come_at_their_hazard_within_their_year() -> None:
    _, luck = laid_out(_with_partner(direct=WILLING), Choice("A", "direct", "P", 2024))
    broken = luck.break_day[:, 0] >= 0
    found = proportion_interval(int(broken[:, 3].sum()), R, 0.9999)
    assert found.low <= 1 - np.exp(-0.25) <= found.high
    assert (luck.break_day[:, 0, 3][broken[:, 3]] // DAYS_PER_YEAR == 3).all()


def test_exchange_rates_start_at_one_and_keep_their_mean() -> None:
    _, luck = laid_out(_with_partner(direct=WILLING), Choice("A", "direct", "P", 2024))
    assert (luck.exchange_ppm[..., 0] == 1_000_000).all()
    for year in (1, 5):
        found = mean_interval(luck.exchange_ppm[:, 0, year] / 1e6, 0.9999)
        assert found.low <= 1.0 <= found.high
    assert np.log(luck.exchange_ppm[:, 0, 4] / 1e6).std() == pytest.approx(0.1 * 2, rel=0.05)
    assert abs(np.corrcoef(luck.exchange_ppm[:, 0, 4], luck.exchange_ppm[:, 1, 4])[0, 1]) < 4.5 / np.sqrt(R)


def test_budgets_are_certain_until_their_year_and_stay_within_limits() -> None:
    case, luck = laid_out(_with_partner(direct=WILLING), A)
    assert (luck.budget[:, 0, 0] == case.budget[0, 0]).all()
    share = luck.budget[:, 0, 1] / case.budget[0, 1]
    assert (share.min(), share.max()) == (0.8, 1.2)
    assert share.mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("distribution", ["gamma", "lognormal", "normal"])
def test_of_any_distribution_means_stay_what_is_stated(distribution: str) -> None:
    """Budgets keep mean and coefficient of variation before they are cut off, rates their mean in every year."""
    budget = BudgetRisk(0.2, 0.0, 5.0, distribution=distribution)
    risks = Risks(exchange=ExchangeRisk(0.1, distribution), budget=budget)
    scenario = replace(_with_partner(direct=WILLING), risks=risks)
    case, luck = laid_out(scenario, Choice("A", "direct", "P", 2024))
    share = luck.budget[:, 0, 1] / case.budget[0, 1]
    for mean in (mean_interval(share, 0.9999), mean_interval(luck.exchange_ppm[:, 0, 5] / 1e6, 0.9999)):
        assert mean.low <= 1.0 <= mean.high
    assert share.std() == pytest.approx(0.2, rel=0.05)
    assert (luck.exchange_ppm[..., 0] == 1_000_000).all()
    _, cut = laid_out(replace(scenario, risks=replace(risks, budget=replace(budget, lowest=0.8, highest=1.2))), A)
    assert (cut.budget[:, 0, 1].min(), cut.budget[:, 0, 1].max()) == (0.8 * case.budget[0, 1], 1.2 * case.budget[0, 1])


def test_of_any_distribution_medians_of_times_stay_what_is_stated() -> None:
    talks = replace(WILLING, distribution="gamma")
    scenario = _with_partner(direct=talks, matching=WILLING)
    scenario = replace(scenario, value=replace(scenario.value, market_sigma=0.5, market_distribution="gamma"))
    choices = (Choice("A", "direct", "P", 2024), Choice("B", "matching", "P", 2024))
    _, luck = laid_out(scenario, *choices)
    assert np.median(luck.agreement_days[:, :, 0], axis=0) == pytest.approx(180, rel=0.03)
    assert np.median(luck.market_days, axis=0) == pytest.approx(30 * scenario.value.market_months, rel=0.04)
    plain_talks = replace(scenario, modes={**scenario.modes, "direct": WILLING})
    _, before = laid_out(plain_talks, *choices)
    assert (luck.agreement_days[:, 1] == before.agreement_days[:, 1]).all()
    assert (luck.agreement_days[:, 0] != before.agreement_days[:, 0]).any()
    order = np.argsort(before.agreement_days[:, 0, 0], kind="stable")
    assert (np.diff(luck.agreement_days[order, 0, 0]) >= -1).all()  # the same score, another quantile


def test_deliverables_take_an_erlang_time() -> None:
    items = {"paper": Deliverable(count=3, due_tranche=1, mean_months=2.0), "form": Deliverable(mean_months=0.0)}
    scenario = plain()
    scenario = replace(scenario, programmes={"line": replace(scenario.programmes["line"], deliverables=items)})
    _, luck = laid_out(scenario, Choice("T", start_year=2024))
    days = luck.deliverable_days[:, 0, 0] - 0.5  # rounded up
    assert days.mean() == pytest.approx(180, rel=0.04)
    assert days.std() == pytest.approx(60 * np.sqrt(3), rel=0.06)
    assert (luck.deliverable_days[:, 0, 1] == 0).all()


def test_better_chances_never_turn_success_into_failure() -> None:
    scenario = spread(0.55)
    better = replace(scenario, calibrations={"only": Calibration(0.9)})
    worse = replace(scenario, calibrations={"only": Calibration(0.4)})
    (_, good), (_, bad) = laid_out(better, A), laid_out(worse, A)
    assert (bad.commercial <= good.commercial).all()
    assert bad.commercial.sum() < good.commercial.sum()


def rated(success: float) -> Calibration:
    return Calibration(0.5, development_success=success)


def test_a_higher_development_success_never_lowers_the_trl_reached() -> None:
    """With time to spare, the same luck and certain times: step by step a better chance does no harm."""
    line = replace(plain().programmes["line"], tranches=(Tranche(120.0, 1.0),))
    trl = []
    for success in (0.3, 0.6, 0.9):
        scenario = replace(spread(0.0), programmes={"line": line}, calibrations={"only": rated(success)})
        trl.append(compiled.run(*laid_out(scenario, A, B, C, replications=1000)).trl)
    assert (trl[0] <= trl[1]).all()
    assert (trl[1] <= trl[2]).all()
    assert trl[0].mean() < trl[1].mean() < trl[2].mean()


def test_the_market_values_luck_has_mean_one() -> None:
    factor = value_factor(spread(0.55), ["A"], Draws(3, range(R)))
    found = mean_interval(factor[:, 0], 0.9999)
    assert found.low <= 1.0 <= found.high
    assert np.log(factor).std() == pytest.approx(0.8, rel=0.05)
