"""More risk does not pay - where the conditions hold under which it cannot.

A project alone whose continuation is worth something in every state that it can reach, whose joint work is no slower,
no less successful and no dearer at home than domestic work, and whose contract is worth signing: what it is expected to
be worth does not rise with breaks in relations, with failing talks, with delay, with cost, or with less success.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rdsim.domain import (
    Choice,
    Gate,
    Mode,
    Partner,
    PartnerEffect,
    Programme,
    Scenario,
    Technology,
    Tranche,
    UncertaintyClass,
    ValueRules,
)
from rdsim.options import worth_alone
from tests.simple import plain
from tests.sizes import size

JOINT, DOMESTIC = Choice("T", "joint", "P", 2024), Choice("T", start_year=2024)
SAMPLES = 500

RISKS: dict[str, tuple[float, ...]] = {
    "breaks": (0.0, 0.3, 1.0, 3.0),
    "failing talks": (1.0, 0.7, 0.3),
    "delay": (1.0, 8.0, 20.0),
    "cost": (1.0, 1.2, 1.5),
    "less success": (0.95, 0.8, 0.5),
}


def drawn(rng: np.random.Generator) -> Scenario:
    """A joint project within the conditions, whose value is thirty times its cost."""

    def one_of(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    tranches = one_of(1, 2, 3, 4)
    line = Programme(
        name="Line",
        budget=dict.fromkeys(range(2024, 2061), 100.0),
        starts={2024: 9},
        tranches=(Tranche(one_of(12.0, 18.0), 1.0 / tranches),) * tranches,
        deadline_years=one_of(3.0, 8.0),
        trl_target=9,
        fallback=one_of("domestic", "drop"),
        gate=Gate(one_of("threshold", "always-pass"), 0.0, 0.5, 1, one_of(0, 1)),
    )
    trl = int(rng.integers(3, 8))
    overhead = one_of(0.0, 0.1)
    return plain(
        {"T": Technology("T", "T", "line", "f", trl=trl, cost=10.0, value=300.0, trl_target=min(9, trl + 2))},
        line,
        horizon_year=2060,
        discount_rate=0.04,
        uncertainty={"medium": UncertaintyClass(0.5, 0.0)},
        steps=replace(plain().steps, median_years=(0.8,) * 8, setback_probability=0.6, attempts=3, success=(0.84,) * 8),
        value=ValueRules(market_months=12.0, market_sigma=0.3, loss_per_year=0.1),
        modes={
            "domestic": Mode("Domestic"),
            "joint": Mode(
                "Joint",
                home_cost_share=1.0 / (1.0 + overhead),
                abroad_share=one_of(0.0, 0.3),
                value_share=one_of(1.0, 0.9, 0.8),
                agreement_months=4.0,
                agreement_sigma=0.4,
            ),
        },
        partners={"P": Partner("P", "P", modes=("joint",), places=1, break_rate=one_of(0.0, 0.2))},
        levels={"P": {"f": 92.0}},
        partner_effect=PartnerEffect(
            success_shift=one_of(0.0, 0.6, 2.0), duration_gain=one_of(0.0, 0.3), cost_overhead=overhead
        ),
    )


def at_risk(scenario: Scenario, risk: str, level: float) -> Scenario:
    """The scenario with a risk at a level."""
    if risk == "breaks":
        return replace(scenario, partners={"P": replace(scenario.partners["P"], break_rate=level)})
    if risk in ("failing talks", "delay"):
        change = {"agreement_probability": level} if risk == "failing talks" else {"agreement_months": level}
        return replace(scenario, modes={**scenario.modes, "joint": replace(scenario.modes["joint"], **change)})
    if risk == "cost":
        row = scenario.technologies["T"]
        return replace(scenario, technologies={"T": replace(row, cost=row.cost * level)})
    return replace(scenario, steps=replace(scenario.steps, success=(level**0.5,) * 8))


def worths(scenario: Scenario, *choices: Choice) -> np.ndarray:
    return worth_alone(scenario, choices, samples=SAMPLES, seed=7)


def worth_signing(scenario: Scenario) -> bool:
    """Whether the contract, if relations hold, is worth as much as going alone."""
    sure = at_risk(at_risk(scenario, "breaks", 0.0), "failing talks", 1.0)
    joint, alone = worths(sure, JOINT, DOMESTIC).T
    return bool(joint.mean() >= alone.mean())


def rises(scenario: Scenario, risk: str) -> float:
    """By how many standard errors the value rises, at most, from a level of risk to one above it."""
    at = [worths(at_risk(scenario, risk, level), JOINT)[:, 0] for level in RISKS[risk]]
    steps = [high - low for low, high in itertools.pairwise(at)]
    return max(float(step.mean() / (step.std() / np.sqrt(SAMPLES) + 1e-9)) for step in steps)


@pytest.mark.parametrize("risk", RISKS)
def test_more_risk_does_not_pay_within_the_conditions(risk: str) -> None:
    kinds: Counter[bool] = Counter()
    for seed in range(count := size(24, 600)):
        scenario = drawn(np.random.default_rng(seed))
        kinds[worthwhile := worth_signing(scenario)] += 1
        if worthwhile:
            assert rises(scenario, risk) < 4.0, (seed, risk)
    assert kinds[True] > count / 4


def contract(value: float, share: float) -> Scenario:
    """Talks of a year with a partner who brings nothing."""
    scenario = drawn(np.random.default_rng(0))
    yearly = (Tranche(12.0, 0.25),) * 4
    line = replace(scenario.programmes["line"], fallback="domestic", tranches=yearly, gate=Gate("always-pass"))
    return replace(
        scenario,
        programmes={"line": line},
        technologies={"T": replace(scenario.technologies["T"], value=value)},
        steps=replace(scenario.steps, setback_probability=0.0, attempts=1),
        modes={**scenario.modes, "joint": Mode("Joint", value_share=share, agreement_months=12.0)},
        partner_effect=PartnerEffect(success_shift=0.0, duration_gain=0.0, cost_overhead=0.0),
    )


def test_outside_the_conditions_breaks_may_pay() -> None:
    """A bad contract: rights are halved for nothing, and talks that break off leave home with all of them."""
    bad = contract(300.0, 0.5)
    assert not worth_signing(bad)
    assert rises(bad, "breaks") > 10.0


def test_outside_the_conditions_less_success_may_pay() -> None:
    """A project of negative worth, that fails early enough to spare its later tranches."""
    assert rises(contract(0.0, 1.0), "less success") > 4.0


def test_a_break_after_the_first_step_leaves_rights_as_they_were_signed() -> None:
    """With half of the rights the same projects come to half of the value, whenever relations break after that."""
    scenario = at_risk(contract(300.0, 1.0), "delay", 0.0)
    half = replace(scenario, modes={**scenario.modes, "joint": replace(scenario.modes["joint"], value_share=0.5)})
    for rate in (0.0, 0.5):
        whole, shared = (worths(at_risk(one, "breaks", rate), JOINT)[:, 0] for one in (scenario, half))
        cost = 2 * shared - whole  # value less cost: v - c, and v / 2 - c
        assert (cost <= 1e-6).all()
        assert whole.mean() > 0
