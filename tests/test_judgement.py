"""Expert judgement: quantiles met, pools against integrals and draws, what the simulation makes of it, bad tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtri

import rdsim
from rdsim import portfolio
from rdsim.case import build
from rdsim.domain import Choice, Input, Judgement, JudgementRules, Portfolio, Scenario
from rdsim.domain import UncertaintyClass as Spread
from rdsim.draws import Draws, Purpose
from rdsim.engines import compiled, process
from rdsim.errors import ExperimentError, ScenarioError
from rdsim.expectation import with_sure_market
from rdsim.figures import column_figures
from rdsim.luck import chance, lay_out, lay_out_rest, value_factor
from rdsim.metrics import replication_figures, worth
from rdsim.options import candidates
from rdsim.scenario import (
    cost,
    digest,
    distribution_of,
    dump,
    figure,
    home_level,
    judgement_lines,
    load,
    market_probability,
    market_value,
    remarks,
)
from rdsim.scenario.judgement import SCALES, Opinion, Pool, fit_distribution
from rdsim.scenario.loader import canonical
from rdsim.simulation import ENGINES, Running, expected_worths, simulate
from rdsim.stats import mean_interval
from tests.command import run as run_command
from tests.engines.luck_oracle import expected_luck, unlike
from tests.engines.test_equality import differing
from tests.simple import lived, plain
from tests.sizes import size
from tests.tiny import tiny_folder
from tests.worlds import draw_world

Floats = npt.NDArray[np.float64]

R = size(4000, 40000)
Z90 = float(ndtri(0.9))
KOREA = Path(__file__).parent.parent / "scenarios" / "korea-2024"
TEN = (0.1, 0.5, 0.9)


def said(what: Input, expert: str, *quantiles: float, trl: int | None = None, of: str = "T") -> Judgement:
    return Judgement(of, what, expert, *quantiles, trl)


VALUE = (said("value", "A", 60, 100, 260), said("value", "B", 20, 40, 60))
MONTHS = (said("months", "A", 5, 6, 12, trl=4), said("months", "B", 9, 20, 30, trl=4))
T = Choice("T", "domestic", "", 2024)


def world(*rows: Judgement, spread: float = 0.0, **rules: object) -> Scenario:
    """The plain scenario with judgements; `spread` is that of values and times that nobody judges."""
    return canonical(
        plain(
            uncertainty={"medium": Spread(spread, spread)},
            judgements=rows,
            judgement=JudgementRules(**rules),  # type: ignore[arg-type]
        )
    )


# --- one expert -----------------------------------------------------------------------------------

ordered = st.tuples(*[st.floats(0.001, 0.999)] * 3).map(sorted)


@settings(max_examples=200)
@given(ordered, st.sampled_from(sorted(SCALES)))
def test_the_three_quantiles_are_met(quantiles: list[float], what: Input) -> None:
    one = fit_distribution(said(what, "A", *quantiles))
    for level, value in zip(TEN, quantiles, strict=True):
        assert one.at(float(ndtri(level))) == pytest.approx(value, rel=1e-9)
        if quantiles[0] * 1.001 < quantiles[1] < quantiles[2] / 1.001:
            assert one.below(value) == pytest.approx(level, abs=1e-9)
    assert one.at(0.0) == pytest.approx(quantiles[1], rel=1e-14)


def integral(quantile: Callable[[float], float]) -> float:
    """Mean by numerical integration of a quantile function over probabilities, by halves."""
    halves = [
        quad(lambda z: quantile(z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), *ends) for ends in ((-10, 0), (0, 10))
    ]
    return sum(half[0] for half in halves)


@pytest.mark.parametrize(
    ("what", "quantiles"),
    [
        ("value", (60, 100, 260)),
        ("months", (9, 9, 40)),
        ("cost", (3, 3, 3)),
        ("market_probability", (0.04, 0.12, 0.5)),
        ("success", (0.5, 0.95, 0.99)),
        ("home_level", (70, 90, 95)),
    ],
)
def test_a_mean_is_the_integral_and_that_of_draws(what: Input, quantiles: tuple[float, float, float]) -> None:
    one = fit_distribution(said(what, "A", *quantiles))
    assert one.mean() == pytest.approx(integral(one.at), rel=1e-7)
    scores = np.random.default_rng(1).standard_normal(R)
    found = mean_interval(np.array([one.at(z) for z in scores]), 0.9999)
    assert found.low <= one.mean() + 1e-9
    assert one.mean() <= found.high + 1e-9


def test_a_symmetric_belief_is_the_plain_lognormal() -> None:
    one = fit_distribution(said("value", "A", 100 / np.exp(0.5 * Z90), 100, 100 * np.exp(0.5 * Z90)))
    assert (one.low, one.high) == (pytest.approx(0.5), pytest.approx(0.5))
    assert one.mean() == pytest.approx(100 * np.exp(0.125))


@settings(max_examples=100)
@given(ordered, st.floats(-8, 8))
def test_a_probability_stays_one(quantiles: list[float], score: float) -> None:
    assert 0.0 <= fit_distribution(said("success", "A", *quantiles)).at(score) <= 1.0


# --- pools ----------------------------------------------------------------------------------------

WEIGHTS = (0.25, 0.75)
PAIRS = {
    "value": (fit_distribution(VALUE[0]), fit_distribution(VALUE[1])),
    "success": (
        fit_distribution(said("success", "A", 0.5, 0.6, 0.95)),
        fit_distribution(said("success", "B", 0.2, 0.4, 0.5)),
    ),
    "home_level": (
        fit_distribution(said("home_level", "A", 60, 70, 95)),
        fit_distribution(said("home_level", "B", 80, 84, 99)),
    ),
}


@pytest.mark.parametrize("what", PAIRS)
def test_the_linear_pool_is_the_mixture(what: str) -> None:
    pool = Pool(WEIGHTS, PAIRS[what])
    for level in (0.01, 0.1, 0.3, 0.5, 0.9, 0.999):
        value = pool.quantile(level)
        assert sum(w * one.below(value) for w, one in zip(WEIGHTS, PAIRS[what], strict=True)) == pytest.approx(level)
    rng = np.random.default_rng(2)
    picked = np.where(rng.random(R) < 0.25, 0, 1)
    draws = np.array([PAIRS[what][k].at(z) for k, z in zip(picked, rng.standard_normal(R), strict=True)])
    for level in TEN:
        share = (draws <= pool.quantile(level)).mean()
        assert share == pytest.approx(level, abs=4.5 * np.sqrt(level * (1 - level) / R))
    found = mean_interval(draws, 0.9999)
    assert found.low <= pool.mean() <= found.high


@pytest.mark.parametrize("what", PAIRS)
def test_the_quantile_pool_averages_quantiles_has_the_same_mean_and_less_spread(what: str) -> None:
    linear, averaged = Pool(WEIGHTS, PAIRS[what]), Pool(WEIGHTS, PAIRS[what], "quantile")
    for level in TEN:
        each = [one.at(float(ndtri(level))) for one in PAIRS[what]]
        assert averaged.quantile(level) == pytest.approx(0.25 * each[0] + 0.75 * each[1])
    assert averaged.mean() == linear.mean()
    levels = (np.arange(2000) + 0.5) / 2000
    wide, narrow = (np.array([pool.quantile(float(u)) for u in levels]) for pool in (linear, averaged))
    assert averaged.mean() == pytest.approx(narrow.mean(), rel=2e-3)
    assert linear.mean() == pytest.approx(wide.mean(), rel=2e-3)
    assert narrow.std() < wide.std()


def test_a_mixture_of_certain_figures_jumps_where_it_should() -> None:
    certain = tuple(Opinion("log", value, 0.0, 0.0) for value in (10.0, 20.0))
    pool = Pool(WEIGHTS, certain)
    assert [pool.quantile(level) for level in (0.1, 0.25, 0.26, 0.9)] == pytest.approx([10, 10, 20, 20])
    assert Pool(WEIGHTS, certain, "quantile").quantile(0.5) == 17.5


def test_weights_say_who_counts() -> None:
    means = [fit_distribution(one).mean() for one in VALUE]
    for weights, expected in (
        ({}, sum(means) / 2),
        ({"A": 3.0}, 0.75 * means[0] + 0.25 * means[1]),
        ({"A": 0.0}, means[1]),
    ):
        assert market_value(world(*VALUE, weights=weights), "T") == pytest.approx(expected)
    assert market_value(world(*VALUE, weights={"A": 0.0, "B": 0.0}), "T") == 100.0
    assert market_value(world(*VALUE, expert="A", weights={"A": 0.0}), "T") == pytest.approx(means[0])


# --- figures that the model takes as numbers ------------------------------------------------------


def test_figures_are_means_or_what_is_asked_for() -> None:
    rows = (
        said("cost", "A", 8, 12, 20),
        said("home_level", "A", 60, 70, 90),
        said("market_probability", "A", 0.1, 0.2, 0.4),
        said("market_size", "A", 100, 200, 300),
        said("market_share", "A", 0.1, 0.2, 0.5),
        said("success", "A", 0.5, 0.7, 0.8, trl=4),
    )
    s = world(*rows)
    for one in rows:
        assert figure(s, "T", one.input, one.trl or 0) == pytest.approx(fit_distribution(one).mean())
    assert (cost(s, "T"), home_level(s, "T")) == (figure(s, "T", "cost"), figure(s, "T", "home_level"))
    assert market_probability(s, "T") == figure(s, "T", "market_probability")
    assert market_value(s, "T") == 100.0  # as listed: a market is only asked for where there is no value
    for level in ("p10", "p50", "p90"):
        asked = replace(s, judgement=JudgementRules(at={"cost": level}))  # type: ignore[dict-item]
        assert cost(asked, "T") == pytest.approx(getattr(rows[0], level))
        assert home_level(asked, "T") == home_level(s, "T")
    unlisted = replace(s, technologies={"T": replace(s.technologies["T"], value=None)})
    size, share = figure(s, "T", "market_size"), figure(s, "T", "market_share")
    assert size is not None
    assert share is not None
    assert market_value(unlisted, "T") == pytest.approx(size * share)
    assert cost(replace(s, requests_total=40.0), "T") == pytest.approx(40.0)


def test_the_engines_arrays_follow() -> None:
    s = world(said("cost", "A", 8, 12, 20), said("success", "A", 0.5, 0.7, 0.8, trl=4), *MONTHS)
    case = build(s, Portfolio((replace(T, rank=1),)))
    assert case.domestic.sum() == round(cost(s, "T") * 1e9)
    assert case.success[0, 3] == pytest.approx(fit_distribution(said("success", "A", 0.5, 0.7, 0.8, trl=4)).mean())
    assert case.success[0, 4] == 1.0
    pool = distribution_of(s, "T", "months", 4)
    assert pool is not None
    assert case.median_days[0, 0] == np.ceil(pool.quantile(0.5) * 30)


def test_sales_follow_the_judged_market() -> None:
    rows = (said("market_size", "A", 100, 200, 300), said("market_share", "A", 0.1, 0.2, 0.5))
    s = world(*rows)
    case, _, outcomes = lived(s, T, replications=3)
    worths = worth(s, (T,), case, outcomes, np.ones((3, 1)))
    sales = replication_figures(s, (T,), case, outcomes, worths, column_figures(s))["sales"]
    assert sales == pytest.approx(fit_distribution(rows[0]).mean() * fit_distribution(rows[1]).mean())


# --- what is drawn --------------------------------------------------------------------------------


def values(s: Scenario, count: int = R) -> Floats:
    return market_value(s, "T") * value_factor(s, ["T"], Draws(3, range(count)))[:, 0]


def days(s: Scenario, count: int = R) -> Floats:
    """Days of the first three attempts at the step from TRL 4, shape (count, 3)."""
    s = replace(s, steps=replace(s.steps, attempts=3))
    case = build(s, Portfolio((replace(T, rank=1),)))
    return lay_out(s, case, (replace(T, rank=1),), Draws(3, range(count))).step_days[:, 0, 3]


def test_one_experts_draws_have_his_quantiles_and_the_luck_of_before() -> None:
    one = fit_distribution(VALUE[0])
    own, everywhere, field = (
        ndtri(Draws(3, range(200)).uniform(purpose, [name])[:, 0, 0, 0])
        for purpose, name in ((Purpose.MARKET_VALUE, "T"), (Purpose.VALUE_COMMON, ""), (Purpose.VALUE_FIELD, "f"))
    )
    scores = np.sqrt(0.7) * own + np.sqrt(0.1) * everywhere + np.sqrt(0.2) * field
    expected = np.array([one.at(z) for z in scores])
    assert values(world(VALUE[0]), 200) == pytest.approx(expected, rel=1e-12)
    assert values(world(*VALUE, expert="A"), 200) == pytest.approx(expected, rel=1e-12)
    assert np.log(value_factor(world(spread=0.5), ["T"], Draws(3, range(200)))[:, 0]) == pytest.approx(
        0.5 * scores - 0.125
    )


@pytest.mark.parametrize("pooling", ["linear", "quantile"])
def test_draws_have_the_pools_quantiles_and_mean(pooling: str) -> None:
    for rows, what, trl, unit, draw in ((VALUE, "value", 0, 1.0, values), (MONTHS, "months", 4, 30.0, days)):
        s = world(*rows, pooling=pooling, weights={"A": 2.0})
        pool = distribution_of(s, "T", what, trl)  # type: ignore[arg-type]
        assert pool is not None
        found = draw(s).reshape(R, -1)[:, 0] / unit
        for level in (0.1, 0.3, 0.5, 0.7, 0.9):
            share = (found <= pool.quantile(level)).mean()
            assert share == pytest.approx(level, abs=4.5 * np.sqrt(level * (1 - level) / R))
        interval = mean_interval(found, 0.9999)
        assert interval.low <= pool.mean() <= interval.high


def test_in_each_replication_of_the_linear_pool_one_expert_is_right() -> None:
    for rows, draw in ((VALUE, values), (MONTHS, days)):
        pooled, first, second = (draw(world(*rows, expert=name)).reshape(R, -1) for name in ("", "A", "B"))
        of_first, of_second = np.isclose(pooled, first), np.isclose(pooled, second)
        assert (of_first | of_second).all()
        assert (of_first == of_first[:, :1]).all()  # the same one for all attempts at a step
        assert of_first[:, 0].mean() == pytest.approx(0.5, abs=4.5 * 0.5 / np.sqrt(R))


def test_what_is_taken_for_certain_has_no_spread() -> None:
    for rows, what, draw, unit in ((VALUE, "value", values, 1), (MONTHS, "months", days, 30)):
        for level, wanted in (("p10", 0.1), ("p90", 0.9)):
            pool = distribution_of(world(*rows), "T", what, 4 * (unit == 30))  # type: ignore[arg-type]
            assert pool is not None
            assert (draw(world(*rows, spread=0.5, at={what: level}), 20) == unit * pool.quantile(wanted)).all()


def test_with_gamma_times_a_judged_step_is_as_judged_and_others_are_not() -> None:
    s = world(*MONTHS, spread=0.5)
    gamma = replace(s, steps=replace(s.steps, distribution="gamma"))
    assert (days(gamma, 50) == days(s, 50)).all()
    case = build(s, Portfolio((replace(T, rank=1),)))
    other = [lay_out(one, case, (replace(T, rank=1),), Draws(3, range(50))).step_days[:, 0, 4] for one in (s, gamma)]
    assert (other[0] != other[1]).all()


def test_luck_is_that_of_the_oracle() -> None:
    judged = 0
    for seed in range(size(60, 400)):
        one = draw_world(seed)
        if any(row.input == "months" for row in one.scenario.judgements):
            judged += 1
            case = one.case()
            found = lay_out(one.scenario, case, one.choices, Draws(seed, range(5)))
            assert unlike(found, expected_luck(one.scenario, case, one.choices, seed, range(5))) == []
    assert judged >= 10


def test_the_luck_of_others_stays_where_it_was() -> None:
    names = {name: replace(plain().technologies["T"], id=name) for name in ("T", "U")}
    before = replace(world(spread=0.5), technologies=names)
    after = replace(world(*VALUE, *MONTHS, spread=0.5), technologies=names)
    draws, choices = Draws(3, range(50)), tuple(Choice(name, "domestic", "", 2024, k) for k, name in enumerate("TU", 1))
    factors = [value_factor(s, ["T", "U"], draws) for s in (before, after)]
    lucks = [lay_out(s, build(s, Portfolio(choices)), choices, draws) for s in (before, after)]
    assert (factors[0][:, 1] == factors[1][:, 1]).all()
    assert (factors[0][:, 0] != factors[1][:, 0]).all()
    assert (lucks[0].step_days[:, 1] == lucks[1].step_days[:, 1]).all()
    assert (lucks[0].step_days[:, 0, 4] == lucks[1].step_days[:, 0, 4]).all()
    assert (lucks[0].step_days[:, 0, 3] != lucks[1].step_days[:, 0, 3]).all()


# --- simulated ------------------------------------------------------------------------------------

PARTS = ["parts=judgements"]
SOME = ("T001", "T022", "T066", "T070", "F001", "F033", "F042", "F082", "T030", "F010")


def some(s: Scenario) -> Portfolio:
    options = {choice.technology: choice for choice in candidates(s) if choice.technology in SOME}
    return Portfolio(tuple(options.values()))


@pytest.mark.parametrize(
    "rules", [[], ["judgement.pooling=quantile", "steps.distribution=gamma"], ["judgement.expert=C"]]
)
def test_the_engines_are_equal(rules: list[str]) -> None:
    s = load(KOREA, [*PARTS, *rules])
    first, second = (simulate(s, some(s), replications=12, seed=5, running=Running(engine=one)) for one in ENGINES)
    for name in ("projects", "replications", "purses", "partners", "international"):
        assert getattr(first, name).equals(getattr(second, name)), name
    case, choices = build(s, some(s)), tuple(sorted(some(s).choices, key=lambda one: one.rank))
    luck = lay_out(s, case, choices, Draws(5, range(12)))
    drawing = compiled.Runner(case, chance(s, case, choices, 5))(
        range(12), lay_out_rest(s, case, choices, Draws(5, range(12)))
    )
    assert differing(process.run(case, luck), drawing) == []


def test_conditional_means_are_unbiased() -> None:
    s = load(KOREA, PARTS)
    given_path, _ = expected_worths(s, some(s), replications=R, seed=2)
    lucky = simulate(s, some(s), replications=R, seed=2).replications["npv"].to_numpy()
    found = mean_interval(lucky - given_path, 0.9999)
    assert found.low <= 0.0 <= found.high
    assert given_path.std() < lucky.std()


def test_a_sure_market_is_sure_and_pays_the_mean() -> None:
    s = world(*VALUE, said("market_probability", "A", 0.1, 0.2, 0.4), spread=0.5)
    sure = with_sure_market(s)
    assert market_probability(sure, "T") == 1.0
    assert market_value(sure, "T") == market_value(s, "T")
    assert (value_factor(sure, ["T"], Draws(1, range(9))) == 1.0).all()
    kept = with_sure_market(replace(s, judgement=JudgementRules(at={"value": "p90"})))
    assert market_value(kept, "T") == pytest.approx(distribution_of(s, "T", "value").quantile(0.9))  # type: ignore[union-attr]


# --- swept ----------------------------------------------------------------------------------------


def test_the_choice_of_expert_is_a_factor(tmp_path: Path) -> None:
    place, plan = folder(tmp_path / "x"), tmp_path / "plan.csv"
    plan.write_text("technology,mode,partner,start_year\nT1,domestic,,2024\nT3,domestic,,2024\n", encoding="utf-8")
    factors = {"judgement.expert": ["", "Kim", "Lee"], "judgement.pooling": ["linear", "quantile"]}
    table = rdsim.Experiment(str(place), factors=factors, policy=str(plan), replications=60).run().table
    assert list(table["status"]) == ["done"] * 6
    by = table.set_index(["judgement.expert", "judgement.pooling"])["npv"]
    assert by["Kim", "linear"] == by["Kim", "quantile"]  # one expert alone needs no pooling
    assert len(set(by.round(9))) == 4
    for expert, pooling in by.index:
        s = load(place, {"judgement.expert": expert, "judgement.pooling": pooling})
        alone = simulate(s, portfolio.read(plan, s), replications=60).replications["npv"]
        assert by[expert, pooling] == pytest.approx(alone.mean())


def test_an_unknown_expert_is_no_level(tmp_path: Path) -> None:
    factors = {"judgement.expert": ["Kim", "Lim"]}
    with pytest.raises(ExperimentError, match=r"Lim.*Did you mean"):
        rdsim.Experiment(str(folder(tmp_path / "x")), factors=factors, policy="value-per-cost").run()


# --- tables ---------------------------------------------------------------------------------------

TABLE = """\
technology,input,trl,expert,p10,p50,p90,source
T1,value,,Kim,60,120,200,talk
T1,value,,Lee,90000 million KRW,150,"300 billion KRW",
T1,months,5,Kim,9,1 years,"20 months",
T2,success,6,Lee,0.7,0.8,0.95,
T3,cost,,Lee,5,8,9,
"""


def folder(path: Path, table: str = TABLE, **changes: object) -> Path:
    made = tiny_folder(path, **changes)  # type: ignore[arg-type]
    (made / "judgements.csv").write_text(table, encoding="utf-8")
    return made


def test_quantities_are_in_the_units_of_their_input(tmp_path: Path) -> None:
    rows = {(one.technology, one.input, one.expert): one for one in load(folder(tmp_path / "x")).judgements}
    lee, kim = rows["T1", "value", "Lee"], rows["T1", "months", "Kim"]
    assert (lee.p10, lee.p50, lee.p90) == (90, 150, 300)
    assert (kim.trl, kim.p10, kim.p50, kim.p90) == (5, 9, 12, 20)
    heads = (
        "technology,input,expert,p10 [million KRW],p50 [million KRW],p90 [million KRW]\nT1,cost,Kim,9000,12000,15500\n"
    )
    (one,) = load(folder(tmp_path / "y", heads)).judgements
    assert (one.p10, one.p50, one.p90, one.trl) == (9, 12, 15.5, None)


def test_a_scenario_with_judgements_is_written_and_read_and_its_order_means_nothing(tmp_path: Path) -> None:
    s = load(
        folder(tmp_path / "x"), ["judgement.weights.Kim=2", "judgement.at.months=p90", "judgement.pooling=quantile"]
    )
    dump(s, tmp_path / "dumped")
    assert load(tmp_path / "dumped") == s
    head, *rows = TABLE.splitlines()
    other = load(folder(tmp_path / "y", "\n".join([head, *reversed(rows)]) + "\n"))
    plainly = load(tmp_path / "x")
    assert (other, digest(other)) == (plainly, digest(plainly))
    assert digest(load(tmp_path / "x", ["judgement.pooling=quantile"])) != digest(plainly)


BAD = {
    "unknown technology": ("T3,cost", "T9,cost", "row 6, column technology", "must name a technology", "'T9'"),
    "unknown input": ("T3,cost", "T3,costs", "row 6, column input", "must be one of 'value'", "Did you mean 'cost'?"),
    "no expert": ("T3,cost,,Lee", "T3,cost,,", "row 6, column expert", "is required", "nothing"),
    "twice": (
        "T3,cost,,Lee,5,8,9,",
        "T1,value,,Kim,5,8,9,",
        "row 6, column expert",
        "may judge a figure once",
        "'Kim'",
    ),
    "no step": ("T2,success,6", "T2,success,", "row 5, column trl", "must name the step", "nothing"),
    "a step too many": ("T3,cost,", "T3,cost,4", "row 6, column trl", "must be empty", "4"),
    "out of order": ("T3,cost,,Lee,5,8,9", "T3,cost,,Lee,5,8,7", "row 6, column p90", "must not be below p50, 8", "7"),
    "out of order below": ("Lee,5,8,9", "Lee,8.5,8,9", "row 6, column p50", "must not be below p10, 8.5", "8"),
    "no probability": ("0.7,0.8,0.95", "0.7,0.8,1.2", "row 5, column p90", "above 0 and below 1", "1.2"),
    "sure": ("0.7,0.8,0.95", "0.7,0.8,1", "row 5, column p90", "success must be a number above 0 and below 1", "1"),
    "nothing": ("Lee,5,8,9", "Lee,0,8,9", "row 6, column p10", "cost must be an amount of money in billion KRW", "0"),
    "too much": ("Lee,5,8,9", "Lee,5,8,2e5", "row 6, column p90", "at most 100000", "200000"),
    "too wide": ("Lee,5,8,9", "Lee,0.1,8,9", "row 6, column p50", "at most 46 times p10", "8 and 0.1"),
    "wrong unit": (
        "Lee,5,8,9",
        "Lee,5,8 months,9",
        "row 6, column p50",
        "wrong unit: must be in billion KRW",
        "8 months",
    ),
    "a unit of none": ("0.7,0.8,0.95", "0.7,0.8 months,0.95", "row 5, column p50", "must be a number", "0.8 months"),
    "no number": ("Lee,5,8,9", "Lee,5,many,9", "row 6, column p50", "must be a number", "'many'"),
    "unknown column": (",source", ",origin", "row 1, column origin", "unknown column", ""),
    "no median": (",p50,", ",p50 ,".replace("p50 ", "median"), "row 1, column p50", "the column is required", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    old, new, *texts = BAD[name]
    assert old in TABLE
    with pytest.raises(ScenarioError) as caught:
        load(folder(tmp_path / "x", TABLE.replace(old, new)))
    fault = next(one for one in caught.value.faults if texts[0] in one.where)
    assert fault.where.startswith("judgements.csv, ")
    assert texts[1] in fault.rule
    assert texts[2] in f"{fault.found} {fault.suggestion}"
    assert len(caught.value.faults) == (2 if name == "no median" else 1)


def test_all_faults_of_a_table_are_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = TABLE.replace("T3,cost", "T9,cost").replace("0.7,0.8", "0.9,0.8").replace("60,120", "160,120")
    place = folder(tmp_path / "x", wrong)
    done = run_command(capsys, monkeypatch, "check", place, "--set", "judgement.expert=Kin")
    assert done.code == 2
    assert "4 faults" in done.err
    for text in ("row 2, column p50", "row 5, column p50", "row 6, column technology", "--set judgement.expert"):
        assert text in done.err


SETTINGS = {
    "judgement.expert=Kin": ("must name an expert of judgements.csv: Kim, Lee", "Did you mean 'Kim'?"),
    "judgement.weights.Lea=2": ("must name an expert of judgements.csv: Kim, Lee", "Did you mean 'Lee'?"),
    "judgement.weights.Lee=-1": ("must be a number from 0", ""),
    "judgement.at.home_level=p90": ("must name an input that is judged: cost, months, success, value", ""),
    "judgement.at.costs=p90": ("the key must be one of 'value'", ""),
    "judgement.at.cost=p95": ("must be one of 'mean', 'p10', 'p50', 'p90'", "Did you mean 'p90'?"),
    "judgement.pooling=geometric": ("must be one of 'linear', 'quantile'", ""),
}


@pytest.mark.parametrize("override", SETTINGS)
def test_a_setting_that_fits_no_judgement_is_refused(override: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(folder(tmp_path / "x"), [override])
    (fault,) = caught.value.faults
    assert fault.where.startswith("--set judgement.")
    assert SETTINGS[override][0] in fault.rule
    assert SETTINGS[override][1] in fault.suggestion


def test_without_judgements_nobody_can_be_heard(tiny: Path) -> None:
    with pytest.raises(ScenarioError, match="and there are no judgements"):
        load(tiny, ["judgement.expert=Kim"])


# --- told -----------------------------------------------------------------------------------------


def test_a_check_says_whose_judgements_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run_command(capsys, monkeypatch, "check", folder(tmp_path / "x"))
    assert "judgements: 5 by 2 experts (Kim 2, Lee 3) of 4 figures of 3 technologies; pooled linearly\n" in done.out
    lines = list(judgement_lines(load(tmp_path / "x", ["judgement.expert=Kim"])))
    assert lines[0].endswith("only Kim is heard")
    assert lines[1].startswith("of 2 of these figures nobody who is heard says anything")
    assert list(judgement_lines(load(tmp_path / "x", ["judgements=[]"]))) == []


def test_idle_judgements_are_remarked(tmp_path: Path) -> None:
    idle = "technology,input,trl,expert,p10,p50,p90\nT1,months,3,Kim,3,4,5\nT1,market_size,,Kim,3,4,5\n"
    found = [str(fault) for fault in remarks(load(folder(tmp_path / "x", idle)))]
    assert (
        sum("months of T1: should be of a step that it takes, from TRL 5 to 8. Found: TRL 3" in one for one in found)
        == 1
    )
    assert sum("market_size of T1: changes sales and no value" in one for one in found) == 1
    assert not [one for one in remarks(load(folder(tmp_path / "y"))) if "judgements" in one.where]


def test_the_shipped_judgements_are_whole_and_illustrative() -> None:
    s = load(KOREA, PARTS)
    assert {one.source for one in s.judgements} == {"illustrative"}
    assert {one.expert for one in s.judgements} == {"A", "B", "C"}
    # The table gives each value itself: what is judged of its market would change sales and no value.
    assert {one.input for one in s.judgements} == set(SCALES) - {"market_size", "market_share"}
    assert not [one for one in remarks(s) if "judgements" in one.where]
    assert replace(s, judgements=()) == load(KOREA)
