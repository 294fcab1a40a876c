"""Factors, designs and metrics: what they promise, on numbers that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rdsim.designs import DESIGNS, Design, Distribution, Factor, bind
from rdsim.domain import Scenario
from rdsim.errors import InputError
from rdsim.scenario import Variations, digest, load
from rdsim.stats import cvar
from rdsim.sweep.measures import parse_metrics

GAIN, BEST = Factor(range=(0.0, 0.4)), Factor(values=(5.0, 10.0, 15.0))
POLICY = Factor(policies=("one-shot", "domestic-only"))


def test_a_grid_has_every_combination_once_with_the_ends_of_a_range() -> None:
    design = Design("grid", {"gain": GAIN, "best": BEST}, levels=3)
    points = [design.at(number) for number in range(design.count)]
    assert points == [(gain, best) for gain in (0.0, 0.2, 0.4) for best in (5.0, 10.0, 15.0)]


def test_one_at_a_time_is_the_scenario_itself_and_each_level_alone() -> None:
    design = Design("one-at-a-time", {"gain": GAIN, "best": BEST}, levels=2)
    points = [design.at(number) for number in range(design.count)]
    assert points == [(None, None), (0.0, None), (0.4, None), (None, 5.0), (None, 10.0), (None, 15.0)]


def test_every_policy_is_looked_at_in_every_world() -> None:
    for kind in ("grid", "one-at-a-time", "latin-hypercube", "sobol", "saltelli"):
        design = Design(kind, {"policy": POLICY, "gain": GAIN, "best": BEST}, points=8, levels=2)
        points = [design.at(number) for number in range(design.count)]
        assert [point[0] for point in points] == ["one-shot", "domestic-only"] * design.worlds
        assert [point[1:] for point in points[::2]] == [point[1:] for point in points[1::2]]


def test_a_latin_hypercube_has_one_point_in_each_of_its_rows() -> None:
    design = Design("latin-hypercube", {"a": GAIN, "b": GAIN}, points=20)
    points = np.array([design.at(number) for number in range(20)])
    for column in points.T:
        assert sorted(np.floor(column / 0.4 * 20).astype(int)) == list(range(20))


def test_saltelli_changes_one_factor_at_a_time_from_the_first_row_of_a_block() -> None:
    design = Design("saltelli", {"a": GAIN, "b": GAIN, "c": GAIN}, points=20)
    assert (design.base, design.count) == (4, 20)
    points = np.array([design.at(number) for number in range(20)]).reshape(4, 5, 3)
    for block in points:
        for f in range(3):
            changed = block[1 + f] != block[0]
            assert changed.tolist() == [one == f for one in range(3)]
            assert block[1 + f, f] == block[4, f]


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_design_is_the_same_again_and_other_points_need_no_earlier_ones(kind: str) -> None:
    rows = [{"gain": 0.1 * k} for k in range(4)]
    design = [Design(kind, {"gain": GAIN, "best": BEST}, 8, 3, rows if kind == "list" else (), 7) for _ in range(2)]
    points = [design[0].at(number) for number in range(design[0].count)]
    assert points == [design[1].at(number) for number in reversed(range(design[1].count))][::-1]
    assert len(points) == {"list": 4, "saltelli": 8, "one-at-a-time": 7}.get(kind, 8)


def test_sobol_points_stay_when_more_are_asked_for() -> None:
    few, many = (Design("sobol", {"a": GAIN, "b": GAIN}, points=points) for points in (8, 32))
    assert [few.at(k) for k in range(8)] == [many.at(k) for k in range(8)]


def test_quantiles_of_distributions() -> None:
    triangle = Distribution("triangular", low=0.0, mode=1.0, high=2.0)
    assert triangle.quantile(0.5) == pytest.approx(1.0)
    assert Distribution("lognormal", median=3.0, sigma=0.5).quantile(0.5) == pytest.approx(3.0)
    assert Distribution("loguniform", low=1.0, high=100.0).quantile(0.5) == pytest.approx(10.0)
    assert Factor(distribution=Distribution("normal", mean=7.2, sd=1.0), whole=True).at(0.5) == 7
    assert not list(triangle.faults("d"))
    assert list(Distribution("normal", mean=1.0).faults("d"))
    assert list(Distribution("uniform", low=2.0, high=1.0).faults("d"))
    assert list(Distribution("uniform", low=0.0, high=1.0, sd=2.0).faults("d"))


# --- factors in a scenario ------------------------------------------------------------------------


def test_factors_set_multiply_and_add_at_every_place(tiny: Path) -> None:
    variations = Variations(load(tiny))
    base = variations.scenario
    bound = bind("b", Factor(paths=("partners.*.break_rate",), change="multiply", values=(2.0,)), variations)
    world = variations.vary(bound.overrides(2.0))
    for code, partner in base.partners.items():
        assert world.partners[code].break_rate == 2 * partner.break_rate
    bound = bind("b", Factor(paths=("programmes.leap.budget",), change="multiply", values=(0.5,)), variations)
    world = variations.vary(bound.overrides(0.5))
    assert world.programmes["leap"].budget == {y: m / 2 for y, m in base.programmes["leap"].budget.items()}
    bound = bind("s", Factor(paths=("programmes.leap.starts",), change="add", values=(1,)), variations)
    assert variations.vary(bound.overrides(1)).programmes["leap"].starts[2024] == 3
    bound = bind("c", Factor(cases={"short": {"partner_effect.duration_gain": 0.5, "horizon_year": 2035}}), variations)
    world = variations.vary(bound.overrides("short"))
    assert (world.partner_effect.duration_gain, world.horizon_year) == (0.5, 2035)


def test_a_case_may_set_all_entries_and_then_one_of_them(tiny: Path) -> None:
    variations = Variations(load(tiny))
    cases = {"Japan": {"partners.*.agreement": 0.5, "partners.JP.agreement": 0.1}, "as it is": {}}
    bound = bind("c", Factor(cases=cases), variations)
    world = variations.vary(bound.overrides("Japan"))
    chances = {code: partner.agreement for code, partner in world.partners.items()}
    assert chances.pop("JP") == 0.1
    assert set(chances.values()) == {0.5}
    assert variations.vary(bound.overrides("as it is")) == variations.scenario


def test_a_varied_scenario_is_that_of_the_override_and_its_digest_tells_content(tiny: Path) -> None:
    variations = Variations(load(tiny))
    for path, value in (("partner_effect.duration_gain", 0.3), ("programmes.leap.budget.2024", "14 billion KRW")):
        bound = bind("x", Factor(paths=(path,), values=(value,)), variations)
        assert variations.vary(bound.overrides(value)) == load(tiny, {path: value})
    whole, fraction = (variations.override(("partner_effect", "gap_best"), value) for value in (12, 12.0))
    assert variations.digest([whole]) == variations.digest([fraction])
    same = variations.override(("partner_effect", "gap_best"), variations.value(("partner_effect", "gap_best")))
    assert variations.digest([same]) == variations.digest([])
    other = variations.override(("partner_effect", "gap_best"), 13)
    assert variations.digest([other]) != variations.digest([])
    assert digest(variations.scenario) == digest(load(tiny))


@pytest.mark.parametrize(
    "factor",
    [
        Factor(),
        Factor(values=(1,), range=(0.0, 1.0)),
        Factor(range=(1.0, 0.0)),
        Factor(paths=("nothing.*.more",), values=(1,)),
        Factor(paths=("name",), change="multiply", values=(2,)),
        Factor(values=("many",), change="add"),
        Factor(policies=("one-shot",), paths=("a.b",)),
        Factor(cases={"one": {"a=": 1}}),
    ],
)
def test_factors_that_cannot_be_are_refused(factor: Factor, tiny: Path) -> None:
    with pytest.raises(InputError):
        bind("f", factor, Variations(load(tiny)))


def test_a_star_in_a_case_sets_every_entry_and_leaves_the_scenario_alone(tiny: Path) -> None:
    variations = Variations(load(tiny))
    before = variations.digest(())
    bound = bind("f", Factor(cases={"level": {"levels.*.*": 90.0, "technologies.*.home_level": 80.0}}), variations)
    world = variations.vary(bound.overrides("level"))
    assert {level for row in world.levels.values() for level in row.values()} == {90.0}
    assert {row.home_level for row in world.technologies.values()} == {80.0}
    assert variations.digest(()) == before == Variations(load(tiny)).digest(())
    assert variations.digest(bound.overrides("level")) == digest_of(world)


def digest_of(scenario: Scenario) -> str:
    return Variations(scenario).digest(())


# --- metrics --------------------------------------------------------------------------------------


def test_metrics_measure_means_probabilities_quantiles_and_tails() -> None:
    values = np.arange(1.0, 101.0)
    table = pd.DataFrame({"npv": values})
    mean, chance, low, tail = parse_metrics(["npv", "npv >= 91", "quantile npv 0.05", "cvar npv 0.95"], ["npv"])
    assert mean.measure(table, 0.95).mean == 50.5
    estimate = chance.measure(table, 0.95)
    assert (estimate.mean, estimate.n) == (0.10, 100)
    assert 0 < estimate.low < 0.10 < estimate.high
    assert low.measure(table, 0.95).mean == 5.0
    assert tail.measure(table, 0.95).mean == pytest.approx(cvar(values, 0.95)) == pytest.approx(3.0)


def test_the_interval_of_a_tail_covers_it() -> None:
    """Of normal values the CVaR at 0.9 is -1.755; the nominal 95% interval is a little short at 400 values."""
    (metric,) = parse_metrics(["cvar npv 0.9"], ["npv"])
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        estimate = metric.measure(pd.DataFrame({"npv": rng.standard_normal(400)}), 0.95)
        hits += estimate.low <= -1.754983 <= estimate.high
    assert 0.90 <= hits / 400 <= 0.985


def test_every_wrong_metric_is_told() -> None:
    with pytest.raises(InputError) as told:
        parse_metrics(["npw", "npv => 2", "cvar npv 2"], ["npv", "sales"])
    assert len(told.value.faults) == 3
