"""What a sweep says is sure: intervals that cover at the counts users run, and nothing called clear that is noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats as reference

from rdsim.designs import Design, DesignKind, Factor
from rdsim.stats import Interval, cvar, cvar_interval, mean_interval
from rdsim.sweep.analysis import Analysis
from rdsim.sweep.answers import answers
from rdsim.sweep.measures import parse_metric
from rdsim.sweep.page import page_of
from tests.sizes import size

Floats = npt.NDArray[np.float64]
Response = Callable[[Mapping[str, Any], np.random.Generator], float]

# --- CVaR -----------------------------------------------------------------------------------------


def lognormal(share: float, sigma: float) -> float:
    """Mean of the lowest share of a lognormal variable with median 1."""
    return math.exp(sigma**2 / 2) * reference.norm.cdf(reference.norm.ppf(share) - sigma) / share


TAILS: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], Floats], Callable[[float], float]]] = {
    "normal": (
        lambda rng, shape: rng.standard_normal(shape),
        lambda share: -reference.norm.pdf(reference.norm.ppf(share)) / share,
    ),
    "skewed to the good": (
        lambda rng, shape: np.exp(0.8 * rng.standard_normal(shape)),
        lambda share: lognormal(share, 0.8),
    ),
    "skewed to the bad": (lambda rng, shape: -rng.exponential(size=shape), lambda share: -1 + math.log(share)),
    "a heavy tail": (
        lambda rng, shape: -np.exp(0.5 * rng.standard_normal(shape)),
        lambda share: -(math.exp(0.125) - (1 - share) * lognormal(1 - share, 0.5)) / share,
    ),
}


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("tail", TAILS)
def test_an_interval_of_cvar_covers_at_the_counts_that_users_run(level: float, tail: str) -> None:
    draw, truth = TAILS[tail]
    rng, times = np.random.default_rng(7), size(250, 4000)
    right = truth(1 - level)
    for n in (20, 30, 50, 100, 200):
        found = [cvar_interval(samples, level) for samples in draw(rng, (times, n))]
        covered = float(np.mean([one.low <= right <= one.high for one in found]))
        assert covered >= 0.93 - 3 * math.sqrt(0.95 * 0.05 / times), (n, covered)
        assert all(one.low < one.mean < one.high for one in found)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_an_interval_of_cvar_covers_where_values_repeat(level: float) -> None:
    """Counts, and a loss that comes in 4 of 100: how many of the samples are in the tail is itself luck."""
    share, times = 1 - level, size(250, 4000)
    counts = np.arange(40)
    chance = reference.poisson.pmf(counts, 3)
    within = np.diff(np.minimum(np.cumsum(np.concatenate([[0.0], chance])), share))
    kinds: list[tuple[Callable[[np.random.Generator, tuple[int, int]], Floats], float]] = [
        (lambda rng, shape: rng.poisson(3, shape).astype(float), float(counts @ within) / share),
        (lambda rng, shape: np.where(rng.random(shape) < 0.04, -100.0, 10.0), 10.0 - 110.0 * 0.04 / share),
    ]
    rng = np.random.default_rng(8)
    for draw, right in kinds:
        for n in (100, 200, 1000):
            found = [cvar_interval(samples, level) for samples in draw(rng, (times, n))]
            covered = float(np.mean([one.low <= right <= one.high for one in found]))
            assert covered >= 0.92 - 3 * math.sqrt(0.95 * 0.05 / times), (n, covered)


def test_one_sample_in_the_tail_has_no_interval_and_many_have_the_usual_one() -> None:
    rng = np.random.default_rng(1)
    few = cvar_interval(rng.standard_normal(20), 0.95)
    assert (few.low, few.high) == (-math.inf, math.inf)
    many = rng.standard_normal(200_000)
    found = cvar_interval(many, 0.95)
    edge = np.quantile(many, 0.05)
    usual = mean_interval(edge - np.maximum(edge - many, 0) / 0.05)
    assert found.mean == cvar(many, 0.95) == pytest.approx(usual.mean, abs=1e-3)
    assert found.half_width == pytest.approx(usual.half_width, rel=0.15)
    high = cvar_interval(-many, 0.95, tail="high")
    assert (high.mean, high.low, high.high) == pytest.approx((-found.mean, -found.high, -found.low))
    constant = cvar_interval([4.0] * 50, 0.9)
    assert (constant.low, constant.high) == (4.0, 4.0)


# --- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "values", "low", "high"),
    [
        ("commercialised", [0, 0, 0, 1], 0.0, None),
        ("commercialised", [3, 3, 3, 2], None, 3.0),
        ("partners_opened", [2, 2, 1, 2], None, 2.0),
        ("paid", [0.0, 0.0, 0.0, 5.0], 0.0, None),
        ("cvar commercialised 0.5", [0, 0, 1, 1], 0.0, None),
    ],
)
def test_counts_and_money_spent_lie_within_what_can_be(
    metric: str, values: list[float], low: float | None, high: float | None
) -> None:
    one = parse_metric(metric)
    assert one is not None
    found = one.measure(pd.DataFrame({one.figure: values}), 0.95, {"projects": 3, "partners": 2})
    assert low is None or found.low == low
    assert high is None or found.high == high
    assert found.low <= found.mean <= found.high


def test_a_value_may_be_negative() -> None:
    metric = parse_metric("npv")
    assert metric is not None
    values = [0.0, 0.0, 0.0, 1.0]
    assert metric.measure(pd.DataFrame({"npv": values}), 0.95, {"projects": 3}) == mean_interval(values)
    assert Interval(1.0, -1.0, 3.0, 4).within(0.0, 2.0) == Interval(1.0, 0.0, 2.0, 4)


# --- sweeps made up for the purpose ---------------------------------------------------------------


def made(
    kind: DesignKind,
    response: Response,
    *,
    points: int | None = None,
    factors: Sequence[str] = ("a", "b", "c"),
    policies: Sequence[str] = (),
    values: Sequence[float] = (),
    seed: int = 1,
    half: float = 0.0,
    answer: str = "",
    metric: str = "npv",
) -> Analysis:
    """A sweep whose metric is a function of its levels; `half` is the half width of each point's interval."""
    varied = {name: Factor(values=tuple(values)) if values else Factor(range=(0.0, 1.0)) for name in factors}
    switch = {"policy": Factor(policies=tuple(policies))} if policies else {}
    design, rng = Design(kind, {**switch, **varied}, points, seed=seed), np.random.default_rng(seed)
    rows = []
    for number in range(design.count):
        levels = dict(zip([*switch, *varied], design.at(number), strict=True))
        mean = response(levels, rng)
        told = {metric: mean, f"{metric} low": mean - half, f"{metric} high": mean + half}
        rows.append({"point": number, **levels, "status": "done", "error": "", "n": 10, **told})
    told_factors = {
        name: {
            "label": name, "levels": [str(level) for level in one.level_list], "policy": bool(one.policies),
            "kind": one.kinds[0], "range": None, "own": None,
        }
        for name, one in {**switch, **varied}.items()
    }  # fmt: skip
    manifest = {
        "factors": told_factors, "metrics": [metric], "kinds": ["mean"], "paired": False, "confidence": 0.95,
        "design": {"kind": kind, "policies": len(design.policies), "base": design.base, "seed": seed},
        "policies": list(design.policies),
        "points": design.count, "replications": 10, "missing": 0, "failed": 0, "damaged": [], "task": "simulate",
        "title": "made", "description": "", "experiment": "made", "money_unit": "won",
        "answers": [answer] if answer else [], "scenario": {"name": "made"}, "stopped": "", "seed": 1,
    }  # fmt: skip
    return Analysis(pd.DataFrame(rows), manifest, metric)


def words(analysis: Analysis) -> str:
    sheet = page_of(analysis.table, analysis.manifest)
    return " ".join([*sheet.lead, *(line for section in sheet.sections for line in section.sentences)])


def only_a(levels: Mapping[str, Any], _: np.random.Generator) -> float:
    return 100.0 * levels["a"] ** 2


def test_in_a_saltelli_design_a_factor_without_effect_has_none() -> None:
    """The whole of the luck of `a` is in the means over repeated rows; in the pairs there is none of it."""
    analysis = made("saltelli", only_a, points=256, factors=("a", "b", "c", "d", "e", "f"))
    tornado = analysis.tornado().set_index("factor")
    assert list(tornado.index[tornado["clear"]]) == ["a"]
    assert (tornado.loc[["b", "c", "d", "e", "f"], "swing"] == 0).all()
    curve = analysis.response("a")
    assert (curve["n"] == 32).all()
    at = curve["at"].to_numpy(np.float64)
    assert np.abs(curve["mean"].to_numpy(np.float64) - 100 * at**2).max() < 12
    assert "64 independent worlds" in words(analysis)
    found = analysis.estimate(analysis.finished_points)
    assert (found.n, found.low < 100 / 3 < found.high) == (64, True)


def test_curves_of_pairs_cover_where_factors_interact() -> None:
    def response(levels: Mapping[str, Any], _: np.random.Generator) -> float:
        return float(levels["a"] * levels["b"] + levels["c"])

    hits = []
    for seed in range(size(25, 400)):
        curve = made("saltelli", response, points=160, seed=seed).response("a")
        right = curve["at"] / 2 + 0.5
        hits += ((curve["low"] <= right) & (right <= curve["high"])).tolist()
    assert 0.9 < np.mean(hits) <= 1.0


@pytest.mark.parametrize("kind", ["latin-hypercube", "sobol", "saltelli"])
def test_noise_is_called_clear_no_more_often_than_its_error_rate(kind: DesignKind) -> None:
    def noise(levels: Mapping[str, Any], rng: np.random.Generator) -> float:
        return 5 * levels["a"] + float(rng.exponential())

    times = size(40, 600)
    told = [made(kind, noise, points=80, factors=("a", "b", "c"), seed=seed).tornado() for seed in range(times)]
    wrong = [bool(one.loc[one["factor"] != "a", "clear"].any()) for one in told]
    assert np.mean(wrong) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / times)
    assert np.mean([bool(one.loc[one["factor"] == "a", "clear"].all()) for one in told]) > 0.6


def test_points_that_somebody_chose_have_no_interval_but_that_of_luck() -> None:
    exact = made("grid", lambda levels, _: 140.0 - 368 * levels["a"], factors=("a",), values=(0.0, 0.1), answer="{npv}")
    assert "Over the 2 points, net present value (won) runs from 103.2 to 140.0." in words(
        Analysis(exact.table, {**exact.manifest, "answers": []}, "npv")
    )
    assert answers(exact.table, exact.manifest) == ["121.6 (alike in all, n = 10)"]
    lucky = made("grid", only_a, factors=("a", "b"), values=(0.0, 0.5, 1.0), half=2.0)
    curve = lucky.response("a")
    assert (curve["high"] - curve["low"]).tolist() == pytest.approx([4.0] * 3)
    assert lucky.tornado().set_index("factor").loc["b", "swing"] == 0


def test_regret_over_chosen_worlds_has_no_interval() -> None:
    def response(levels: Mapping[str, Any], rng: np.random.Generator) -> float:
        return float(levels["a"]) * (1.5 if levels["policy"] == "plan" else 1.0)

    grid = made("grid", response, policies=("plan", "one-shot"), values=(0.0, 0.5, 1.0), half=0.1)
    assert "regret_low" not in grid.regret()
    told = grid.differences().iloc[0]
    assert (told["over"], told["difference"]) == ("replications", pytest.approx(0.25))
    assert told["high"] - told["low"] == pytest.approx(
        0.4
    )  # limits add up: nothing is known of how luck hangs together
    drawn = made("latin-hypercube", response, points=20, policies=("plan", "one-shot"), half=0.1)
    assert {"regret_low", "regret_high"} <= set(drawn.regret())
    assert set(drawn.differences()["n"]) == {20}
    # Policies of a world are no two samples of it.
    assert drawn.estimate(drawn.finished_points).n == 20
    assert "20 independent worlds" not in words(drawn)


def test_a_result_that_never_changes_depends_on_nothing() -> None:
    told = words(made("grid", lambda levels, rng: 5.0, values=(0.0, 1.0)))
    assert "is 5.00 at every point" in told
    assert "Most depends on" not in told
    assert "None of the factors moves" in told


def test_a_swing_that_may_be_noise_is_said_to_be() -> None:
    told = words(made("grid", only_a, factors=("a", "b"), values=(0.0, 0.1), half=5.0))
    assert (
        "No factor is shown to move net present value (won); the largest swing, a's, is from 0.00 at 0 to 1.00" in told
    )


def test_means_of_counts_over_worlds_are_not_below_zero() -> None:
    def response(levels: Mapping[str, Any], rng: np.random.Generator) -> float:
        return float(levels["a"] > 0.9) * 3

    analysis = made("latin-hypercube", response, points=24, metric="commercialised")
    assert analysis.estimate(analysis.finished_points).low == 0.0
    assert (analysis.response("b")["low"] >= 0).all()
    assert (analysis.response("a")["high"] <= 3).all()


def test_shares_of_more_than_all_are_said_to_be_estimates() -> None:
    seen = set()
    for seed in range(20):
        analysis = made("saltelli", only_a, points=64, factors=("a", "b"), seed=seed)
        shares = analysis.indices()
        assert shares is not None
        assert (shares["n"] == 16).all()
        more = float(shares["first"].sum()) > 1
        if more not in seen:
            assert ("first-order shares add up to" in words(analysis)) == more
        seen.add(more)
        if len(seen) == 2:
            break
    assert seen == {True, False}
