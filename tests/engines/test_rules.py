"""The rules that both engines share, against exact arithmetic; compiled, they give the same numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rdsim.case import ENDLESS
from rdsim.engines import rules
from rdsim.engines.compiled import contracts
from rdsim.engines.rules import FAILURE, SETBACK, SUCCESS

MONEY = st.integers(0, ENDLESS)
PPM = st.integers(0, 1_000_000)
CHANCE = st.floats(0, 1)


@given(MONEY, PPM)
@example(ENDLESS, 1_000_000)
@example(999_999, 999_999)
def test_what_is_carried_over_is_rounded_down_and_nothing_overflows(unspent: int, rate: int) -> None:
    exact = math.floor(Fraction(unspent * rate, 1_000_000))
    assert rules.carry_over(unspent, rate) == contracts.carry_over(unspent, rate) == exact <= unspent


@given(MONEY, st.integers(1, 10_000_000))
@example(ENDLESS, 10_000_000)
def test_money_abroad_at_a_rate_is_rounded_down_and_nothing_overflows(amount: int, rate: int) -> None:
    exact = amount * rate // 1_000_000
    assert rules.at_rate(amount, rate) == contracts.at_rate(amount, rate) == exact


@given(MONEY, st.integers(1, 3600), st.data())
def test_a_refund_is_the_unused_share_rounded_down(paid: int, days: int, data: st.DataObject) -> None:
    unused = data.draw(st.integers(0, days))
    exact = math.floor(Fraction(paid * unused, days))
    assert rules.refund(paid, unused, days) == contracts.refund(paid, unused, days) == exact
    assert rules.refund(paid, days, days) == paid


@given(MONEY, MONEY, MONEY)
def test_what_fits_is_never_hopeless(amount: int, purse: int, announced: int) -> None:
    assert rules.fits(amount, purse) == contracts.fits(amount, purse) == (amount <= purse)
    hopeless = rules.hopeless(amount, purse, announced)
    assert hopeless == contracts.hopeless(amount, purse, announced) == (amount > purse + announced)
    assert not (hopeless and rules.fits(amount, purse))


@given(st.floats(0, 1e6), st.floats(0.1, 5))
@example(180.0, 1.0)
@example(0.0, 1.0)
def test_steps_take_whole_days_rounded_up_and_at_least_one(base: float, factor: float) -> None:
    found = rules.work_days(base, factor)
    assert found == contracts.work_days(base, factor) == max(1, math.ceil(base * factor))


@given(CHANCE, CHANCE, CHANCE)
def test_an_attempt_ends_in_one_of_three_ways(luck: float, success: float, setback: float) -> None:
    found = rules.attempt(luck, success, setback)
    assert found == contracts.attempt(luck, success, setback)
    assert (found == SUCCESS) == (luck < success)
    if found == SETBACK:
        assert luck < success + (1 - success) * setback
    if setback == 0:
        assert found != SETBACK


@given(CHANCE, CHANCE, CHANCE, CHANCE)
def test_a_better_chance_never_turns_good_luck_into_bad(luck: float, one: float, other: float, setback: float) -> None:
    """SUCCESS, SETBACK, FAILURE are 0, 1, 2; beyond the last bit of a sum, more success is never worse."""
    assert (SUCCESS, SETBACK, FAILURE) == (0, 1, 2)
    worse, better = sorted((one, other))
    edge = worse + (1 - worse) * setback
    if abs(luck - edge) > 1e-12:
        assert rules.attempt(luck, better, setback) <= rules.attempt(luck, worse, setback)


@given(st.lists(st.integers(1, 400), min_size=8, max_size=8), st.integers(1, 8), st.integers(0, 4000), st.data())
def test_planned_trl_counts_the_medians_that_fit(steps: list[int], trl: int, funded: int, data: st.DataObject) -> None:
    target = data.draw(st.integers(trl + 1, 9))
    medians = [sum(steps[: k + 1]) for k in range(8)]
    expected = trl + sum(day <= funded for day in medians[: target - trl])
    assert rules.planned_trl(medians, trl, target, funded) == expected
    assert trl <= expected <= target


@pytest.mark.parametrize(("day", "found"), [(0, 0), (1, 180), (179, 180), (180, 180), (181, 360), (3599, 3600)])
def test_rounds_are_at_half_years(day: int, found: int) -> None:
    assert rules.next_round(day) == contracts.next_round(day) == found


def test_the_compiled_engine_compiles_these_very_functions() -> None:
    shared = (
        "carry_over",
        "fits",
        "hopeless",
        "refund",
        "at_rate",
        "work_days",
        "attempt",
        "planned_trl",
        "next_round",
    )
    assert all(getattr(contracts, name).py_func is getattr(rules, name) for name in shared)


def test_the_phases_of_a_day_are_in_the_written_order() -> None:
    order = ("YEAR", "WORK", "BREAK", "PANEL", "AGREEMENT", "RELEASE", "REQUEST", "GRANT")
    assert [getattr(rules, name) for name in order] == list(range(1, 9))
