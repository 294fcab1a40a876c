"""How a partner changes a project: an inverted U, absorption, coordination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdsim.domain import PartnerEffect
from rdsim.partnership import absorption, benefit, cost_factor, step_effect

EFFECT = PartnerEffect()


def test_the_benefit_is_an_inverted_u_in_the_gap() -> None:
    assert benefit(EFFECT, EFFECT.gap_best) == 1.0
    assert benefit(EFFECT, EFFECT.gap_best + EFFECT.gap_width / 2) == 0.75
    assert benefit(EFFECT, EFFECT.gap_best - EFFECT.gap_width) == 0.0
    assert benefit(EFFECT, EFFECT.gap_best + 3 * EFFECT.gap_width) == 0.0


@given(st.floats(-150, 150), st.floats(0, 50))
def test_nearer_to_the_best_gap_is_never_worse(near: float, more: float) -> None:
    gap = EFFECT.gap_best + near
    farther = gap + more if near >= 0 else gap - more
    assert benefit(EFFECT, gap) >= benefit(EFFECT, farther)


def test_absorption_grows_with_the_home_trl() -> None:
    shares = [absorption(EFFECT, trl) for trl in range(1, 10)]
    assert shares == sorted(shares)
    assert shares[0] == shares[1] == 0.0
    assert shares[3] == pytest.approx(2 / 3)
    assert shares[4] == shares[8] == 1.0


def test_a_medium_trl_with_a_better_partner_gains_most() -> None:
    """S002: little benefit at low home TRL; most for a medium home TRL with a high partner level."""
    low, medium = (step_effect(EFFECT, benefit(EFFECT, 12.0), trl, 1) for trl in (2, 5))
    assert (low.duration, low.success) == (1.0, 0.0)
    assert (medium.duration, medium.success) == (pytest.approx(0.8), pytest.approx(0.55))
    assert step_effect(EFFECT, benefit(EFFECT, -20.0), 5, 1).success == 0.0


def test_each_further_partner_costs_coordination() -> None:
    one, two = (step_effect(EFFECT, 1.0, 5, n) for n in (1, 2))
    assert two.duration == pytest.approx(one.duration * EFFECT.coordination_duration)
    assert two.success == one.success
    assert cost_factor(EFFECT, 2) == pytest.approx(cost_factor(EFFECT, 1) * EFFECT.coordination_cost)
    assert cost_factor(EFFECT, 1) == pytest.approx(1.08)


@given(st.floats(-100, 100), st.integers(1, 8), st.integers(1, 4))
def test_effects_stay_within_their_bounds(gap: float, trl: int, partners: int) -> None:
    found = step_effect(EFFECT, benefit(EFFECT, gap), trl, partners)
    assert 1 - EFFECT.duration_gain <= found.duration <= EFFECT.coordination_duration ** (partners - 1)
    assert 0 <= found.success <= EFFECT.success_shift


def test_a_step_may_start_where_absorption_has_no_slope() -> None:
    steep = PartnerEffect(trl_low=4.0, trl_high=4.0)
    assert [absorption(steep, trl) for trl in (3, 4, 5)] == [0.0, 1.0, 1.0]
