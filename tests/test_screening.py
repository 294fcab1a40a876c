"""Screening: layers of experts narrow a programme's candidates, by address, in time and at a price."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev

import numpy as np
import pytest

from rdsim import case, options, portfolio
from rdsim.domain import Choice, Portfolio, Scenario, Screening, ScreeningLayer
from rdsim.errors import PortfolioError, ScenarioError
from rdsim.scenario import (
    call_months,
    check,
    digest,
    dump,
    eligible,
    load,
    merits,
    remarks,
    screening_fees,
    screenings,
)
from rdsim.scenario.figures import partner_gain
from rdsim.scenario.screening import layers_in_use, screen
from rdsim.simulation import Running, expected_worths, replicate
from tests.command import run as command

COUNT, KEPT = 200, 100
MERIT = {f"X{n:03}": float(value) for n, value in enumerate(np.linspace(-2, 2, COUNT))}


def screening(layers: int, *, experts: int = 5, error: float = 1.0, keep: int = KEPT, **given: float) -> Screening:
    return Screening(keep, tuple(ScreeningLayer(experts, error) for _ in range(layers)), **given)  # type: ignore[arg-type]


def merit_kept(setting: Screening, lucks: int = 20) -> float:
    """Mean merit of those kept, over some lucks."""
    means = []
    for luck in range(lucks):
        out = screen(dataclasses.replace(setting, luck=luck), MERIT).dropped
        means.append(fmean(value for name, value in MERIT.items() if name not in out))
    return fmean(means)


# --- who is kept --------------------------------------------------------------------------------------


def test_experts_without_error_keep_the_best() -> None:
    found = screen(screening(1, error=0.0), MERIT)
    assert sorted(found.dropped) == sorted(MERIT)[: COUNT - KEPT]
    assert (found.candidates, found.kept, found.layers) == (COUNT, KEPT, 1)


@pytest.mark.parametrize("layers", range(7))
def test_exactly_so_many_are_kept_whatever_the_layers(layers: int) -> None:
    found = screen(screening(layers, keep=37), MERIT)
    assert found.kept == COUNT - len(found.dropped) == 37
    assert set(found.dropped.values()) <= set(range(1, layers + 1) if layers else [0])


def test_each_layer_keeps_as_large_a_share_as_every_other() -> None:
    out = screen(screening(3, keep=25), MERIT).dropped
    left = [COUNT - sum(layer <= number for layer in out.values()) for number in range(4)]
    assert left == [200, 100, 50, 25]


def test_what_is_kept_is_better_with_more_layers_more_experts_and_less_error() -> None:
    by_layers = [merit_kept(screening(layers)) for layers in (0, 1, 2, 4)]
    assert abs(by_layers[0]) < 0.1
    assert all(more > less for less, more in pairwise(by_layers))
    assert merit_kept(screening(1, experts=20)) > merit_kept(screening(1, experts=5)) > by_layers[0]
    assert merit_kept(screening(1, error=0.5)) > merit_kept(screening(1, error=2.0))


def test_twenty_experts_in_one_layer_see_as_well_as_their_error_says() -> None:
    """Scores and merit correlate as 1 / sqrt(1 + error^2 / experts); half of those above the median are found so."""
    rng = np.random.default_rng(1)
    merit = {f"X{n:04}": float(value) for n, value in enumerate(rng.standard_normal(4000))}
    out = screen(screening(1, experts=9, error=3.0, keep=2000), merit).dropped
    right = fmean((name in out) == (value < 0) for name, value in merit.items())
    correlation = 1 / math.sqrt(1 + 3.0**2 / 9)
    assert right == pytest.approx(0.5 + math.asin(correlation) / math.pi, abs=0.02)  # Sheppard 1899


def test_a_shared_error_is_not_averaged_away() -> None:
    many = {"experts": 500, "layers": 4}
    assert merit_kept(screening(**many)) == pytest.approx(1.0, abs=0.02)  # type: ignore[arg-type]
    assert merit_kept(screening(**many, shared_error=1.5)) < 0.75  # type: ignore[arg-type]


def test_the_luck_of_a_candidate_does_not_depend_on_the_list() -> None:
    setting = screening(2, keep=20)
    whole = screen(setting, MERIT).dropped
    some = {name: MERIT[name] for name in sorted(MERIT)[50:]}
    part = screen(setting, some)
    assert set(MERIT) - whole.keys() == set(some) - part.dropped.keys()  # the best 20 of all are the best 20 of these
    assert screen(dataclasses.replace(setting, luck=2), MERIT).dropped != whole


def test_fixed_candidates_stay_and_count() -> None:
    worst = sorted(MERIT)[:3]
    found = screen(screening(2), MERIT, worst)
    assert not found.dropped.keys() & set(worst)
    assert found.kept == KEPT


def test_fees_are_of_every_score_that_was_given() -> None:
    layers = (ScreeningLayer(4, 1.0, fee=0.5), ScreeningLayer(2, 1.0, fee=0.25))
    assert screen(Screening(50, layers), MERIT).paid == pytest.approx(200 * 4 * 0.5 + 100 * 2 * 0.25)
    assert screen(Screening(50, layers, depth=1), MERIT).paid == pytest.approx(200 * 4 * 0.5)
    assert screen(Screening(50, layers, depth=0), MERIT).paid == 0


def test_nothing_is_screened_by_default_and_a_long_keep_keeps_all() -> None:
    assert layers_in_use(Screening()) == ()
    assert screen(Screening(), MERIT).dropped == {}
    assert screen(screening(3, keep=COUNT + 1), MERIT).dropped == {}
    assert screen(screening(1), {}).kept == 0


# --- in a scenario -------------------------------------------------------------------------------------

KEEP_ONE = (
    "programmes.base.screening.keep=1",
    "programmes.base.screening.layers=[{ experts = 3, error = 0.0, months = 2.5, fee = 0.01 }]",
)


@pytest.fixture
def narrowed(tiny: Path) -> Scenario:
    """The tiny scenario, of whose three foundational candidates the best is kept."""
    return load(tiny, KEEP_ONE)


def test_merit_is_expected_value_per_cost_in_standard_deviations(tiny: Path) -> None:
    scenario = load(tiny)
    found = merits(scenario, "base")
    per_cost = {"T4": 60 / 9, "T5": 90 / 8, "T6": 55 / 10}
    logs = {name: math.log(ratio * 0.228) for name, ratio in per_cost.items()}
    mean, spread = fmean(logs.values()), pstdev(logs.values())
    assert found == pytest.approx({name: (value - mean) / spread for name, value in logs.items()})
    assert merits(load(tiny, ["technologies.T5.status=must-not-fund"]), "base").keys() == {"T4", "T6"}
    assert merits(load(tiny, ["technologies.T1.market_probability=0.5"]), "leap")["T1"] > merits(scenario, "leap")["T1"]


def test_what_fell_is_not_eligible_and_the_reason_is_told(narrowed: Scenario) -> None:
    assert screenings(narrowed)["base"].dropped == {"T4": 1, "T6": 1}
    why = "the screening kept 1 of 3 candidates, and it fell in layer 1 of 1"
    assert eligible(narrowed, "T6", "", "domestic") == why
    assert eligible(narrowed, "T5", "", "domestic") == ""
    assert eligible(narrowed, "T1", "", "domestic") == ""
    assert not {one.technology for one in options.candidates(narrowed)} & {"T4", "T6"}
    with pytest.raises(PortfolioError, match="fell in layer 1"):
        portfolio.check(Portfolio((Choice("T6", start_year=2024),)), narrowed)
    by_lot = load_again(narrowed, depth=0)
    reasons = [eligible(by_lot, name, "", "domestic") for name in ("T4", "T5", "T6")]
    assert reasons.count("the screening kept 1 of 3 candidates, and the lot fell on others") == 2


def load_again(scenario: Scenario, **given: int) -> Scenario:
    line = scenario.programmes["base"]
    changed = dataclasses.replace(line, screening=dataclasses.replace(line.screening, **given))  # type: ignore[arg-type]
    return dataclasses.replace(scenario, programmes={**scenario.programmes, "base": changed})


def test_must_fund_technologies_are_not_up_to_the_experts(tiny: Path) -> None:
    scenario = load(tiny, [*KEEP_ONE, "technologies.T6.status=must-fund"])
    assert screenings(scenario)["base"].dropped.keys() == {"T4", "T5"}
    assert check(scenario) == ()


def test_a_screening_delays_every_call_and_costs_its_fees(tiny: Path, narrowed: Scenario) -> None:
    plain, line = load(tiny), narrowed.programmes["base"]
    assert call_months(narrowed, line) == call_months(plain, plain.programmes["base"]) + 2.5
    chosen = Portfolio((Choice("T5", start_year=2024, rank=1), Choice("T2", start_year=2024, rank=2)))
    built, before = case.build(narrowed, chosen), case.build(plain, chosen)
    places = [list(narrowed.programmes).index(name) for name in ("base", "leap")]
    assert (built.call_day - before.call_day)[places].tolist() == [75, 0]
    assert screening_fees(narrowed) == pytest.approx(0.09)
    table, old = (replicate(one, chosen, replications=30) for one in (narrowed, plain))
    assert (table["screening_paid"] == screening_fees(narrowed)).all()
    assert (old["screening_paid"] == 0).all()
    assert np.allclose(
        table["npv"] + table["screening_paid"], table["value_pv"] - table["cost_pv"] - table["network_pv"]
    )
    free = load(tiny, [*KEEP_ONE, "programmes.base.screening.layers.0.fee=0"])
    lost = expected_worths(free, chosen, replications=30)[0] - expected_worths(narrowed, chosen, replications=30)[0]
    assert np.allclose(lost, 0.09)


def test_the_engines_agree_on_delayed_calls(narrowed: Scenario) -> None:
    chosen = Portfolio((Choice("T5", start_year=2024, rank=1), Choice("T2", "direct", "DE", 2024, rank=2)))
    one, other = (
        replicate(narrowed, chosen, replications=30, running=Running(engine=name)) for name in ("compiled", "simpy")
    )  # type: ignore[arg-type]
    assert one.equals(other)


def test_a_late_call_is_remarked_on(tiny: Path) -> None:
    late = [*KEEP_ONE, "programmes.base.starts.2026=1", "programmes.base.screening.layers.0.months=0"]
    assert remarks(load(tiny, late)) == ()
    assert "whose last tranche is 2 fiscal years later" in str(
        remarks(load(tiny, [*late, "programmes.base.starts.2027=1"]))
    )


def test_a_screening_survives_the_archive(narrowed: Scenario, tmp_path: Path) -> None:
    dump(narrowed, tmp_path / "dumped")
    again = load(tmp_path / "dumped")
    assert again == narrowed
    assert digest(again) == digest(narrowed)
    assert screenings(again) == screenings(narrowed)


@pytest.mark.parametrize(
    ("override", "where", "rule"),
    [
        ("depth=2", "programmes.base.screening.depth", "at most the number of layers, 1"),
        ("keep=none", "programmes.base.screening.keep", "must say how many candidates the layers keep"),
        ("keep=0", "programmes.base.screening.keep", "a whole number of 1 or more"),
        ("layers.0.experts=0", "programmes.base.screening.layers.0.experts", "from 1 to 1000"),
        ("layers.0.error=-1", "programmes.base.screening.layers.0.error", "from 0 to 100"),
        ("layers.0.months=12", "programmes.base.screening.layers.0.months", "must fit in a fiscal year"),
        ("shared_error=x", "programmes.base.screening.shared_error", "a number from 0 to 100"),
        ("lukc=3", "programmes.base.screening.lukc", "has no 'lukc'"),
    ],
)
def test_settings_that_cannot_be(tiny: Path, override: str, where: str, rule: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tiny, [*KEEP_ONE, f"programmes.base.screening.{override}"])
    (fault,) = caught.value.faults
    assert fault.where == f"--set {where}"
    assert rule in fault.rule


def test_check_tells_of_the_screening(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [word for one in KEEP_ONE for word in ("--set", one)]
    told = command(capsys, monkeypatch, "check", tiny, *words)
    assert "base: the screening keeps 1 of 3 candidates, in 1 layer" in told.out


def test_experts_who_ask_whether_a_partner_is_essential_keep_those_to_whom_it_is(tiny: Path) -> None:
    """With all weight on it and no error the candidates are kept in the order of what the best partner brings."""
    settings = {"programmes.leap.screening.keep": 2, "programmes.leap.screening.layers": [{"experts": 1, "error": 0.0}]}
    merit, needed = (load(tiny, {**settings, "programmes.leap.screening.essentiality": w}) for w in (0.0, 1.0))
    gains = {name: partner_gain(needed, name) for name in merits(needed, "leap")}
    assert len(set(gains.values())) > 1
    free = [name for name in gains if needed.technologies[name].status != "must-fund"]
    dropped = set(screenings(needed)["leap"].dropped)
    assert dropped
    assert max(gains[name] for name in dropped) <= min(gains[name] for name in free if name not in dropped)
    assert digest(merit) != digest(needed)
