"""Factors that markets, budgets and the breaks of a bloc share: single numbers stay what they were, sums spread."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import ndtri
from scipy.stats import binom, kstest, multivariate_normal

from rdsim.case import SamplePaths, build
from rdsim.domain import (
    BreakRisk,
    BudgetRisk,
    Calibration,
    Choice,
    FieldFactorRisk,
    Judgement,
    Link,
    MarketFactorRisk,
    Mode,
    Partner,
    Portfolio,
    Risks,
    Scenario,
    TechField,
    Technology,
    UncertaintyClass,
    ValueRules,
)
from rdsim.draws import Draws, Purpose
from rdsim.formulation import state
from rdsim.luck import both_chance, comes_to_market, lay_out, value_factor
from rdsim.luck.joint import bivariate_normal
from rdsim.options import sample
from rdsim.scenario import digest
from rdsim.simulation import expected_worths, replicate
from rdsim.stats import cvar, mean_interval
from rdsim.words import shared_luck_words
from tests.simple import plain
from tests.sizes import size

R = size(20_000, 200_000)
LIMIT = 4.5 / math.sqrt(R)
SHARES = MarketFactorRisk(0.15, 0.45, 0.2, 0.4)
NONE = MarketFactorRisk(0.0, 0.0, 0.0, 0.0)
CHANCE = 0.3
Bools = npt.NDArray[np.bool_]


def technology(name: str, field: str = "f") -> Technology:
    return Technology(name, name, "line", field, trl=4, cost=10.0, value=100.0, trl_target=6)


def world(shares: MarketFactorRisk = SHARES, **changes: Any) -> Scenario:
    """A and B are of one field, C of another; R&D is certain, the market is not."""
    partners = {
        code: Partner(code, code, modes=("direct",), places=9, break_rate=0.25, bloc=bloc)
        for code, bloc in (("P", "north"), ("Q", "north"), ("S", "south"), ("U", ""))
    }
    line = plain().programmes["line"]
    return plain(
        **{
            "technologies": {"A": technology("A"), "B": technology("B"), "C": technology("C", "g")},
            "programmes": {"line": line, "other": line},
            "fields": {"f": TechField("F"), "g": TechField("G")},
            "calibrations": {"only": Calibration(CHANCE)},
            "uncertainty": {"medium": UncertaintyClass(0.0, 0.8)},
            "modes": {"domestic": Mode("Domestic"), "direct": Mode("Direct")},
            "partners": partners,
            "levels": {code: {"f": 90.0, "g": 90.0} for code in partners},
            "risks": Risks(
                budget=BudgetRisk(0.1, 0.0, 5.0, common=0.6), breaks=BreakRisk(bloc_share=0.5), market_factor=shares
            ),
            **changes,
        }
    )


CHOICES = tuple(Choice(name, start_year=2024, rank=rank) for rank, name in enumerate("ABC", start=1))
DRAWS = Draws(3, range(R))


@pytest.fixture(scope="module")
def luck() -> SamplePaths:
    return laid_out(world())


def laid_out(scenario: Scenario, draws: Draws = DRAWS) -> SamplePaths:
    return lay_out(scenario, build(scenario, Portfolio(CHOICES)), CHOICES, draws)


def within(count: int, chance: float, n: int = R) -> bool:
    """Whether a count is one that a chance may well give."""
    low, high = binom.interval(0.9999, n, chance)
    return bool(low <= count <= high)


def correlation(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


# --- the bivariate normal distribution ------------------------------------------------------------


def test_the_bivariate_normal_is_that_of_the_books() -> None:
    bounds = (-6.0, -1.2, -0.3, 0.0, 0.5, 4.0)
    for one, other, shared in itertools.product(bounds, bounds, (-0.9, -0.3, 0.0, 0.1, 0.7, 0.999)):
        known = multivariate_normal.cdf([one, other], cov=[[1.0, shared], [shared, 1.0]])
        assert bivariate_normal(one, other, shared) == pytest.approx(known, abs=2e-8), (one, other, shared)


def test_what_is_sure_or_out_of_the_question_takes_nothing_from_the_other() -> None:
    for shared in (-0.4, 0.0, 0.7):
        assert bivariate_normal(math.inf, 0.4, shared) == pytest.approx(bivariate_normal(0.4, 9.0, shared))
        assert bivariate_normal(-math.inf, 0.4, shared) == 0.0
        assert bivariate_normal(0.0, 0.0, shared) == pytest.approx(0.25 + math.asin(shared) / math.tau)
    scenario = world()
    for chance in (0.0, 0.2, 1.0):
        assert both_chance(scenario, ("A", 1.0), ("B", chance)) == pytest.approx(chance)
        assert both_chance(scenario, ("A", 0.0), ("B", chance)) == 0.0


def test_two_markets_share_what_is_common_and_in_one_field_more() -> None:
    bound = float(ndtri(CHANCE))
    for other, shared in (("B", 0.6), ("C", 0.15)):
        known = multivariate_normal.cdf([bound, bound], cov=[[1.0, shared], [shared, 1.0]])
        assert both_chance(world(), ("A", CHANCE), (other, CHANCE)) == pytest.approx(known, abs=1e-9)
        assert both_chance(world(NONE), ("A", CHANCE), (other, CHANCE)) == CHANCE * CHANCE


# --- markets --------------------------------------------------------------------------------------


def test_each_market_comes_with_its_chance_and_two_with_their_bivariate_chance(luck: SamplePaths) -> None:
    came = luck.commercial
    for t in range(3):
        assert within(int(came[:, t].sum()), CHANCE)
    for one, other in itertools.combinations("ABC", 2):
        both = int((came[:, "ABC".index(one)] & came[:, "ABC".index(other)]).sum())
        assert within(both, both_chance(world(), (one, CHANCE), (other, CHANCE))), (one, other)
    apart = both_chance(world(NONE), ("A", CHANCE), ("B", CHANCE))
    assert not within(int((came[:, 0] & came[:, 1]).sum()), apart)
    assert (comes_to_market(world(), ["A", "B", "C"], DRAWS) == came).all()


def values(scenario: Scenario, names: str = "ABC") -> npt.NDArray[np.float64]:
    return value_factor(scenario, list(names), DRAWS)


def test_a_market_value_keeps_its_distribution_and_shares_factors_of_its_own(luck: SamplePaths) -> None:
    factor = values(world())
    score = (np.log(factor) + 0.8**2 / 2) / 0.8
    for t in range(3):
        found = mean_interval(factor[:, t], 0.9999)
        assert found.low <= 1.0 <= found.high
        assert kstest(score[:, t], "norm").pvalue > 1e-4
    assert correlation(score[:, 0], score[:, 1]) == pytest.approx(0.6, abs=LIMIT)
    assert correlation(score[:, 0], score[:, 2]) == pytest.approx(0.2, abs=LIMIT)
    # Chance and value are independent, so that chance x mean value is what is expected.
    for t, other in itertools.product(range(3), range(3)):
        assert abs(correlation(luck.commercial[:, t].astype(float), score[:, other])) < LIMIT
    gained = mean_interval(luck.commercial[:, 0] * factor[:, 0], 0.9999)
    assert gained.low <= CHANCE <= gained.high


def test_values_of_other_distributions_and_of_experts_have_the_same_score() -> None:
    score = (np.log(values(world())) + 0.8**2 / 2) / 0.8
    gamma = values(replace(world(), value=ValueRules(distribution="gamma")))
    said = tuple(Judgement(name, "value", "X", 50.0, 100.0, 200.0) for name in "ABC")
    judged = values(replace(world(), judgements=said))
    for t in range(3):
        for factor in (gamma, judged):
            order = np.argsort(score[:, t])
            assert (np.diff(factor[order, t]) >= -1e-12).all()
            found = mean_interval(factor[:, t], 0.9999)
            assert found.low <= 1.0 <= found.high
    assert correlation(np.log(judged[:, 0]), np.log(judged[:, 1])) == pytest.approx(0.6, abs=LIMIT)


def test_values_are_drawn_where_they_are_wanted_and_the_same_there() -> None:
    wanted = np.zeros((R, 3), np.bool_)
    wanted[::7, 1] = wanted[5::11, 2] = True
    some = value_factor(world(), ["A", "B", "C"], DRAWS, wanted)
    assert np.array_equal(some, np.where(wanted, values(world()), 1.0))


def test_leaving_a_technology_out_leaves_the_luck_of_the_others() -> None:
    assert np.array_equal(values(world(), "AC"), values(world())[:, [0, 2]])
    assert np.array_equal(
        comes_to_market(world(), ["A", "C"], DRAWS), comes_to_market(world(), ["A", "B", "C"], DRAWS)[:, [0, 2]]
    )


# --- budgets and breaks ---------------------------------------------------------------------------


def test_budgets_of_a_year_share_a_factor_and_keep_their_spread(luck: SamplePaths) -> None:
    share = luck.budget[:, :, :6] / luck.budget[:, :, :6].mean(axis=0)
    assert share.std(axis=0) == pytest.approx(np.full((2, 6), 0.1), rel=0.05)
    assert kstest((share[:, 0, 3] - 1.0) / 0.1, "norm").pvalue > 1e-4
    assert correlation(share[:, 0, 3], share[:, 1, 3]) == pytest.approx(0.6, abs=LIMIT)
    assert abs(correlation(share[:, 0, 3], share[:, 1, 4])) < LIMIT  # another year
    assert abs(correlation(share[:, 0, 3], share[:, 0, 4])) < LIMIT


def test_breaks_share_a_factor_within_a_bloc_and_keep_their_chance(luck: SamplePaths) -> None:
    broken: Bools = luck.break_day >= 0
    chance = -math.expm1(-0.25)
    bound = float(ndtri(chance))
    for n in range(4):
        assert within(int(broken[:, n, 2].sum()), chance)
    together = bivariate_normal(bound, bound, 0.5)
    assert within(int((broken[:, 0, 2] & broken[:, 1, 2]).sum()), together)
    for other, year in ((2, 2), (3, 2), (1, 3)):  # another bloc, none, another year
        assert within(int((broken[:, 0, 2] & broken[:, other, year]).sum()), chance**2)
    assert not within(int((broken[:, 0, 2] & broken[:, 1, 2]).sum()), chance**2)


def test_without_shares_the_luck_is_everyones_own() -> None:
    """To the last bit: the numbers at everyone's own addresses, through nothing else."""
    risks = Risks(budget=BudgetRisk(0.1, 0.0, 5.0, common=0.0), breaks=BreakRisk(bloc_share=0.0), market_factor=NONE)
    scenario, draws = world(risks=risks), Draws(3, range(300))
    luck, names, years = laid_out(scenario, draws), ["A", "B", "C"], 17
    assert np.array_equal(luck.commercial, draws.uniform(Purpose.MARKET_LUCK, names)[..., 0, 0] < CHANCE)
    assert np.array_equal(comes_to_market(scenario, names, draws), luck.commercial)
    breaks = draws.uniform(Purpose.BREAK_LUCK, list("PQSU"), years)[..., 0] < -np.expm1(-0.25)
    assert np.array_equal(luck.break_day >= 0, breaks)
    score = ndtri(draws.uniform(Purpose.BUDGET, ["line", "other"], years)[..., 0])
    announced = laid_out(replace(scenario, risks=Risks())).budget[:300]
    assert np.abs(luck.budget - announced * (1.0 + 0.1 * score)).max() <= 1.0
    own = np.exp(0.8 * ndtri(draws.uniform(Purpose.MARKET_VALUE, names)[..., 0, 0]) - 0.32)
    assert value_factor(scenario, names, draws) == pytest.approx(own, rel=1e-12)


# --- what follows for figures ---------------------------------------------------------------------

LINKED = (Link("synergy", "A", "B", 80.0), Link("synergy", "B", "C", -30.0))


def test_expectations_are_exact_and_tails_grow() -> None:
    chosen, found = Portfolio(CHOICES), {}
    for name, shares in (("none", NONE), ("some", SHARES)):
        scenario = world(shares, links=LINKED)
        npv = replicate(scenario, chosen, replications=R, seed=3)["npv"].to_numpy(np.float64)
        expected = expected_worths(scenario, chosen, replications=4, seed=3)[0]
        known = 3 * (CHANCE * 100.0 - 5.0)  # the target is reached before the second tranche is due
        known += 80.0 * both_chance(scenario, ("A", CHANCE), ("B", CHANCE))
        known -= 30.0 * both_chance(scenario, ("B", CHANCE), ("C", CHANCE))
        assert expected == pytest.approx(np.full(4, known))
        simulated = mean_interval(npv, 0.9999)
        assert simulated.low <= known <= simulated.high
        found[name] = npv
    assert found["some"].std() > 1.1 * found["none"].std()
    assert (found["some"] < 0).mean() > (found["none"] < 0).mean() + 0.05
    assert cvar(found["some"], 0.5) < cvar(found["none"], 0.5)


def test_options_meet_the_factors_of_their_replication() -> None:
    """Each sampled alone: gains of one field move together, and means are those without shares."""
    samples = size(4000, 40_000)
    apart, shared = (sample(world(shares, links=LINKED), CHOICES, samples=samples, seed=3) for shares in (NONE, SHARES))
    assert np.array_equal(apart.mean, shared.mean)
    assert abs(correlation(apart.gain[:, 0], apart.gain[:, 1])) < 4.5 / math.sqrt(samples)
    assert correlation(shared.gain[:, 0], shared.gain[:, 1]) > 0.15
    for shares, options in ((NONE, apart), (SHARES, shared)):
        scenario = world(shares, links=LINKED)
        worths = {pair[:2]: pair[2] for pair in state(scenario, options).synergies}
        assert worths[0, 1] == pytest.approx(80.0 * both_chance(scenario, ("A", CHANCE), ("B", CHANCE)))
        assert worths[1, 2] == pytest.approx(-30.0 * both_chance(scenario, ("B", CHANCE), ("C", CHANCE)))


# --- the scenario ---------------------------------------------------------------------------------


def test_a_scenario_that_shares_nothing_is_the_one_it_was() -> None:
    """Its digest is that of before there were shares; any share makes another scenario."""
    silent = Risks(budget=BudgetRisk(0.1, common=0.0), breaks=BreakRisk(bloc_share=0.0), market_factor=NONE)
    nobody = {code: replace(one, bloc="") for code, one in world().partners.items()}
    before = world(risks=silent, partners=nobody)
    changed = [
        replace(before, risks=replace(silent, market_factor=MarketFactorRisk(0.0, 0.0, 0.1, 0.0))),
        replace(before, risks=replace(silent, budget=BudgetRisk(0.1, common=0.5))),
        replace(before, risks=replace(silent, breaks=BreakRisk(bloc_share=0.3))),
        replace(before, partners=world().partners),
    ]
    assert len({digest(one) for one in (before, *changed)}) == 5


def test_what_is_shared_is_told_and_independence_by_its_name() -> None:
    assert shared_luck_words(world()) == (
        "coming to the market 15% with all and 45% within a field; market values 20% with all and 40% within a field; "
        "success of steps independent; time of steps independent; budgets of a year 60% with all; "
        "breaks of a year 50% within a bloc"
    )
    quiet = world(NONE, partners={}, risks=Risks(FieldFactorRisk(0.3, 0.0), market_factor=NONE))
    assert shared_luck_words(quiet) == (
        "coming to the market independent; market values independent; success of steps 9% within a field; "
        "time of steps independent"
    )
