"""How sure: closed forms, coverage on problems whose true optimum is known, and samples that never choose and judge."""

from __future__ import annotations

import doctest
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy import stats as reference

from benchmarks.instances import Shape, draw_problem
from rdsim.errors import InfeasibleError, ProblemError, SolverError
from rdsim.optimiser import (
    Groups,
    PortfolioProblem,
    Solution,
    Solving,
    Status,
    Termination,
    evaluate,
    require,
    solve,
    state_problem,
    state_rows,
)
from rdsim.optimiser.models.variations import with_values
from rdsim.optimiser.questions import confidence
from rdsim.optimiser.questions.confidence import (
    BatchResult,
    Candidate,
    Draw,
    InformationValue,
    Optimality,
    Sampling,
    describe,
    estimate,
    optimality,
    sampler,
    stream_seed,
    terms,
    value_of_perfect_information,
    value_of_stochastic_solution,
)
from rdsim.optimiser.solving.appraisal import Risk, SampledRow, appraise
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.stats import cvar, mean_interval, quantile
from rdsim.streams import EVALUATION, INFORMATION, REDECIDED
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import build
from tests.optimiser.small import draw as draw_parts
from tests.sizes import size

RUNS = size(200, 1000)
EXPERIMENTS = 3000
RISK = Risk(level=0.8, weight=0.5)

# Independent normal values; at most `PICKED` options, so the truth of every portfolio is a closed form.
MEANS = np.array([10.0, 9.0, 8.5, 7.0, 6.0])
SPREADS = np.array([9.0, 2.0, 6.0, 1.0, 0.5])
PICKED = 2


def problem_of(options: int = MEANS.size, cap: float = PICKED) -> PortfolioProblem:
    """Choose at most `cap` options; no samples."""
    return state_problem(np.zeros(options), rows=state_rows(np.ones((1, options)), [cap]))


def normals(seed: int, means: np.ndarray = MEANS, spreads: np.ndarray = SPREADS) -> Draw:
    return sampler(seed, lambda rng, count: rng.normal(means, spreads, (count, len(means))))


def truth(chosen: tuple[int, ...], risk: Risk | None = None) -> float:
    """The objective of a sum of normals: its low-tail CVaR is mean - spread * density(z) / (1 - level)."""
    picked = list(chosen)
    mean, spread = MEANS[picked].sum(), math.sqrt((SPREADS[picked] ** 2).sum())
    if risk is None:
        return float(mean)
    normal = NormalDist()
    tail = mean - spread * normal.pdf(normal.inv_cdf(risk.level)) / (1 - risk.level)
    return float((1 - risk.weight) * mean + risk.weight * tail)


def true_optimum(risk: Risk | None = None) -> float:
    portfolios = itertools.chain.from_iterable(itertools.combinations(range(MEANS.size), k) for k in range(PICKED + 1))
    return max(truth(chosen, risk) for chosen in portfolios)


def at_least(share: float, nominal: float, runs: int) -> bool:
    """Whether a coverage is not below the nominal one by more than three standard deviations."""
    return share >= nominal - 3 * math.sqrt(nominal * (1 - nominal) / runs)


# ---------------------------------------------------------------- the estimates alone


def candidate_of(objective: float = 0.0, bound: float = 0.0) -> Candidate:
    return Candidate((0,), objective, bound)


def test_estimates_are_students_by_hand() -> None:
    batches = [
        BatchResult(12.0, 11.0, 9.0, 2.0),
        BatchResult(10.0, 10.0, 10.0, -1.0),
        BatchResult(14.0, 13.5, 11.0, 4.0),
        BatchResult(11.0, 10.5, 10.5, 3.0),
    ]
    found = estimate(candidate_of(13.0, 13.6), batches, np.array([9.0, 11.0, 10.0]), samples=7, confidence=0.9)
    gaps = np.array([3.0, 0.0, 3.0, 0.5])
    one_sided, two_sided = reference.t.ppf(0.9, 3), reference.t.ppf(0.95, 3)
    assert found.gap.mean == pytest.approx(1.625)
    assert found.gap.high == pytest.approx(1.625 + one_sided * reference.sem(gaps))
    bounds = np.array([12.0, 10.0, 14.0, 11.0])
    assert (found.upper.low, found.upper.high) == pytest.approx(
        (11.75 - two_sided * reference.sem(bounds), 11.75 + two_sided * reference.sem(bounds))
    )
    assert found.lower == mean_interval([9.0, 11.0, 10.0], 0.9)
    assert found.limits == (found.lower.low, found.upper.high)
    assert (found.sampling_gap.mean, found.batch_solver_gap.mean) == pytest.approx((1.125, 0.5))
    assert found.solver_gap == pytest.approx(0.6)
    assert found.optimism == mean_interval([2.0, -1.0, 4.0, 3.0], 0.9)
    assert found.overpromise.mean == pytest.approx(3.0)
    assert found.overpromise.low == pytest.approx(13.0 - found.lower.high)
    assert found.overpromise.high == pytest.approx(13.0 - found.lower.low)
    assert found.share(found.gap.mean) == pytest.approx(0.1625)
    assert (found.gap.n, found.upper.n, found.lower.n, found.samples) == (4, 4, 3, 7)


def test_limits_of_estimates_cover_as_often_as_they_say() -> None:
    """A one-sided 95%: neither 90% nor the 97.5% of the end of a two-sided interval."""
    rng, hits = np.random.default_rng(4), np.zeros(3)
    for _ in range(EXPERIMENTS):
        values, gaps = rng.normal(50.0, 3.0, 6), rng.normal(2.0, 1.0, 6)
        batches = [BatchResult(value + gap, value + gap, value) for value, gap in zip(values, gaps, strict=True)]
        found = estimate(candidate_of(), batches, rng.normal(50.0, 3.0, 20), samples=1)
        low, high = found.limits
        hits += (found.gap.high >= 2.0, found.upper.low <= 52.0 <= found.upper.high, low <= 50.0 and high >= 52.0)
    allowed = 4 * math.sqrt(0.95 * 0.05 / EXPERIMENTS)
    assert np.abs(hits / EXPERIMENTS - 0.95).max() < allowed


def test_share_of_nothing_is_unknown() -> None:
    found = estimate(candidate_of(), [BatchResult(1, 1, 0)] * 2, np.zeros(5), samples=1)
    assert math.isnan(found.share(1.0))
    assert "no share can be given" in describe(found)[2]


@pytest.mark.parametrize("level", [0.5, 0.75, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("count", [1, 7, 20, 100, 333])
def test_terms_at_the_samples_own_quantile_have_the_cvar_as_their_mean(level: float, count: int) -> None:
    worth = np.random.default_rng(count).normal(3.0, 10.0, count)
    found = terms(worth, Risk(level=level, weight=1.0), quantile(worth, 1 - level)).mean()
    assert found == pytest.approx(cvar(worth, level), abs=1e-9)


@pytest.mark.parametrize("threshold", [-50.0, -7.0, 0.0, 3.0, 80.0])
def test_terms_at_another_threshold_are_never_worth_more(threshold: float) -> None:
    worth, risk = np.random.default_rng(1).normal(3.0, 10.0, 500), Risk(level=0.9, weight=0.3)
    best = 0.7 * worth.mean() + 0.3 * cvar(worth, 0.9)
    assert terms(worth, risk, threshold).mean() <= best + 1e-9


def test_terms_without_risk_are_the_worths() -> None:
    worth = np.array([1.0, 2.0])
    assert (terms(worth, None, math.nan) == worth).all()
    assert (terms(worth, Risk(weight=0.0), math.nan) == worth).all()


# ---------------------------------------------------------------- coverage where the true optimum is known


@pytest.mark.parametrize("risk", [None, RISK], ids=["mean", "cvar"])
def test_limits_contain_the_true_optimum(risk: Risk | None) -> None:
    """From 3 batches of 25: the whole way, solver and all; the gap's limit is of this run's own portfolio."""
    best, problem = true_optimum(risk), problem_of()
    runs, hits, means = RUNS if risk is None else RUNS // 2, np.zeros(3), np.zeros(2)
    for seed in range(runs):
        found = optimality(problem, normals(seed), risk, sampling=Sampling(batches=3, samples=25, evaluation=150))
        own, (low, high) = truth(found.candidate.chosen, risk), found.limits
        hits += (low <= best <= high, found.gap.high >= best - own, found.lower.low <= own)
        means += (found.lower.mean - own, found.upper.mean - best)
    assert all(at_least(share, 0.95, runs) for share in hits / runs), hits / runs
    low_bias, high_bias = means / runs
    assert low_bias < 3 * 10 / math.sqrt(150 * runs)  # terms of a portfolio have a spread of about 10
    assert high_bias > 0.2  # the best of 25 worlds fits their luck


def test_gap_limit_covers_exactly_where_one_option_is_always_best() -> None:
    """The gap of the second option is then a mean of normals, with a one-sided t limit that is exact."""
    means, spreads, runs = np.array([10.0, 4.0]), np.array([3.0, 3.0]), 3 * RUNS // 2
    hits = 0
    for seed in range(runs):
        draw = normals(seed, means, spreads)
        found = optimality(
            problem_of(2, 1),
            draw,
            candidate=(1,),
            sampling=Sampling(batches=3, samples=10, evaluation=2),
            solving=Solving(gap=1e-4),
        )
        hits += found.gap.high >= 6.0
    assert abs(hits / runs - 0.95) < 3 * math.sqrt(0.95 * 0.05 / runs)


def test_the_winners_curse_is_seen_and_kept_out_of_the_value() -> None:
    """Thirty options alike: the best of 16 worlds promises the largest of thirty means, and is worth nothing."""
    options, samples, runs = 30, 16, RUNS // 2
    alike, spread = np.zeros(options), np.full(options, 4.0)
    problem = problem_of(options, 1)
    found = [
        optimality(
            problem,
            normals(seed, alike, spread),
            sampling=Sampling(batches=2, samples=samples, evaluation=100),
            solving=Solving(gap=1e-4),
        )
        for seed in range(runs)
    ]
    largest = 2.0428  # expected largest of 30 standard normals (Harter 1961, Biometrika 48)
    assert np.mean([one.lower.mean for one in found]) == pytest.approx(0.0, abs=4 * 0.4 / math.sqrt(runs))
    assert np.mean([one.optimism.mean for one in found]) == pytest.approx(largest, abs=4 * 0.65 / math.sqrt(runs))
    assert np.mean([one.upper.mean for one in found]) == pytest.approx(largest, abs=4 * 0.35 / math.sqrt(runs))
    assert np.mean([one.lower.low <= 0.0 <= one.lower.high for one in found]) > 0.85


@pytest.mark.parametrize(("options", "largest"), [(1, 0.0), (5, 1.16296), (30, 2.04276)])
def test_the_interval_of_optimism_covers_the_true_winners_curse(options: int, largest: float) -> None:
    """Options alike, of which one is chosen: the best promises the expected largest of so many means (Harter 1961)."""
    samples, runs, batches = 16, size(30, 1000), 8
    alike, spread = np.zeros(options), np.full(options, 4.0)
    problem = state_problem(
        alike, rows=state_rows(np.ones((1, options)), [1.0]), groups=Groups(of=np.zeros(options, dtype=int))
    )
    problem = replace(problem, exactly_one=np.array([True]))
    found = [
        optimality(
            problem,
            normals(seed, alike, spread),
            sampling=Sampling(batches=batches, samples=samples, evaluation=100),
            solving=Solving(gap=1e-4),
        )
        for seed in range(runs)
    ]
    covered = np.mean([one.optimism.low <= largest <= one.optimism.high for one in found])
    assert at_least(float(covered), 0.95, runs)


def test_cvar_of_few_samples_is_too_high_and_the_terms_are_not() -> None:
    """Why the candidate is judged by a threshold that was chosen before."""
    risk, rng = Risk(level=0.9, weight=1.0), np.random.default_rng(0)
    exact = -NormalDist().pdf(NormalDist().inv_cdf(0.9)) / 0.1
    worths = rng.normal(0.0, 1.0, (4000, 20))
    thresholds = [quantile(worth, 0.1) for worth in rng.normal(0.0, 1.0, (4000, 20))]
    naive = np.mean([cvar(worth, 0.9) for worth in worths])
    ours = np.mean([terms(worth, risk, q).mean() for worth, q in zip(worths, thresholds, strict=True)])
    assert naive > exact + 0.05
    assert ours < exact + 3 * 0.5 / math.sqrt(4000)


# ---------------------------------------------------------------- a solver that stops early


def stopping_early(short: float, over: float) -> Callable[..., Solution]:
    """A solver that finds nothing worth having, and proves a bound some way above the optimum."""

    def ask(problem: PortfolioProblem, settings: Any) -> Solution:
        best = solve(problem, Solving(gap=0))
        chosen = best.chosen if short == 0 else ()
        objective = evaluate(problem, chosen).objective
        changed = {"status": Status.FEASIBLE, "termination": Termination.ROUNDS, "bound": best.bound + over}
        return replace(best, chosen=chosen, objective=objective, gap=1.0, **changed)

    return ask


def test_upper_estimate_is_of_the_solvers_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the portfolios that a lazy solver finds instead, the limits would miss the truth by 19."""
    exact = optimality(
        problem_of(),
        normals(3),
        candidate=(0, 1),
        sampling=Sampling(batches=4, samples=50, evaluation=50),
        solving=Solving(gap=0),
    )
    monkeypatch.setattr(confidence, "ask", stopping_early(1.0, 0.25))
    found = optimality(
        problem_of(), normals(3), candidate=(0, 1), sampling=Sampling(batches=4, samples=50, evaluation=50)
    )
    assert found.upper.mean == pytest.approx(exact.upper.mean + 0.25)
    assert found.gap.mean == pytest.approx(exact.gap.mean + 0.25)
    assert found.sampling_gap.mean == 0.0  # nothing better than the candidate was found
    assert found.batch_solver_gap.mean == pytest.approx(exact.gap.mean + 0.25)
    assert exact.batch_solver_gap.mean == pytest.approx(0.0, abs=1e-9)
    assert exact.sampling_gap.mean == pytest.approx(exact.gap.mean)


def test_solver_gap_is_the_candidates_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence, "ask", stopping_early(0.0, 0.75))
    found = optimality(problem_of(), normals(3), sampling=Sampling(batches=2, samples=50, evaluation=50))
    assert found.solver_gap == pytest.approx(0.75)
    assert found.batch_solver_gap.mean == pytest.approx(0.75)


def test_parts_of_the_gap_add_up_on_a_larger_problem() -> None:
    problem, of = draw_problem(2, Shape(technologies=12, partners=3, starts=2, fields=1))
    technologies = of.field.size

    def make(rng: np.random.Generator, count: int) -> np.ndarray:
        return problem.expected_value * rng.lognormal(-0.18, 0.6, (count, technologies))[:, of.technology]

    found = optimality(
        problem, sampler(2, make), sampling=Sampling(batches=4, samples=30, evaluation=100), solving=Solving(gap=0.05)
    )
    parts = found.sampling_gap.mean + found.batch_solver_gap.mean
    assert found.gap.mean == pytest.approx(parts)
    assert all(batch.bound >= batch.incumbent >= batch.value for batch in found.batches)
    assert 0 <= found.solver_gap <= 0.0501 * found.candidate.objective
    assert evaluate(problem, found.candidate.chosen).feasible


def test_a_batch_without_a_bound_is_the_solvers_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence, "ask", stopping_early(1.0, math.inf))
    with pytest.raises(SolverError, match="batch 1 has no bound"):
        optimality(problem_of(), normals(1), candidate=(0,), sampling=Sampling(batches=2, samples=5, evaluation=5))


def test_the_time_limit_is_for_all_problems_together(monkeypatch: pytest.MonkeyPatch) -> None:
    left, ask = list[float](), confidence.ask

    def timed(problem: PortfolioProblem, settings: Any) -> Solution:
        left.append(settings.limits().seconds)
        return ask(problem, settings)

    monkeypatch.setattr(confidence, "ask", timed)
    optimality(
        problem_of(), normals(1), sampling=Sampling(batches=3, samples=5, evaluation=5), solving=Solving(time_limit=60)
    )
    assert len(left) == 4
    assert 60 >= left[0] > left[1] > left[2] > left[3] > 0


def test_no_portfolio_is_infeasible() -> None:
    problem = state_problem([1.0], rows=state_rows([[1]], [2], sense=">="))
    with pytest.raises(InfeasibleError):
        optimality(problem, normals(1, np.zeros(1), np.ones(1)), sampling=Sampling(batches=2, samples=5, evaluation=5))


@pytest.mark.parametrize("solver", INSTALLED)
def test_solvers_agree(solver: str) -> None:
    found = optimality(
        problem_of(),
        normals(9),
        sampling=Sampling(batches=2, samples=30, evaluation=30),
        solving=Solving(gap=0, solver=solver),
    )
    other = optimality(
        problem_of(), normals(9), sampling=Sampling(batches=2, samples=30, evaluation=30), solving=Solving(gap=0)
    )
    assert found.candidate.chosen == other.candidate.chosen
    assert found.gap.high == pytest.approx(other.gap.high)


# ---------------------------------------------------------------- which samples do what


class Recorder:
    """A draw that remembers what it was asked."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.asked = draw, list[tuple[int, int]]()

    def __call__(self, index: int, count: int) -> np.ndarray:
        self.asked.append((index, count))
        return self.draw(index, count)


def test_no_sample_both_chooses_and_judges() -> None:
    recorder = Recorder(normals(1))
    optimality(
        problem_of(), recorder, sampling=Sampling(batches=3, samples=40, evaluation=100), solving=Solving(gap=1e-3)
    )
    choosing = [(index, 40) for index in range(4)]
    judging = [(REDECIDED.first + 1, 40), (REDECIDED.first + 2, 40), (REDECIDED.first + 3, 40)]
    judging += [(EVALUATION.first, 40), (EVALUATION.first + 1, 40), (EVALUATION.first + 2, 20)]
    assert sorted(recorder.asked) == sorted(choosing + judging)


def test_samples_of_the_problem_choose_if_it_has_any() -> None:
    values, recorder = normals(77)(5, 60), Recorder(normals(1))
    problem = with_values(problem_of(), values)
    found = optimality(
        problem, recorder, sampling=Sampling(batches=2, samples=40, evaluation=40), solving=Solving(gap=0)
    )
    assert [index for index, _ in recorder.asked] == [1, REDECIDED.first + 1, 2, REDECIDED.first + 2, EVALUATION.first]
    assert found.candidate.chosen == solve(problem, Solving(gap=0)).chosen
    assert found.candidate.objective == pytest.approx(solve(problem, Solving(gap=0)).objective)


def test_evaluation_is_the_mean_over_its_parts() -> None:
    draw = normals(6)
    found = optimality(
        problem_of(),
        draw,
        candidate=(1, 3),
        sampling=Sampling(batches=2, samples=40, evaluation=90),
        solving=Solving(gap=1e-3),
    )
    parts = [draw(EVALUATION.first, 40), draw(EVALUATION.first + 1, 40), draw(EVALUATION.first + 2, 10)]
    worth = np.concatenate(parts)[:, [1, 3]].sum(axis=1)
    assert found.lower == mean_interval(worth)


def test_pairs_are_on_the_same_batch() -> None:
    draw = normals(6)
    found = optimality(
        problem_of(),
        draw,
        candidate=(1, 3),
        sampling=Sampling(batches=3, samples=40, evaluation=10),
        solving=Solving(gap=0),
    )
    for index, batch in enumerate(found.batches, start=1):
        means = draw(index, 40).mean(axis=0)
        assert batch.value == pytest.approx(means[[1, 3]].sum())
        assert batch.bound == pytest.approx(np.sort(means)[-2:].sum())


def test_batches_are_judged_by_the_threshold_chosen_before() -> None:
    draw = normals(6)
    found = optimality(
        problem_of(),
        draw,
        RISK,
        candidate=(1, 3),
        sampling=Sampling(batches=3, samples=40, evaluation=10),
        solving=Solving(gap=1e-3),
    )
    assert found.candidate.threshold == quantile(draw(0, 40)[:, [1, 3]].sum(axis=1), 0.2)
    for index, batch in enumerate(found.batches, start=1):
        worth = draw(index, 40)[:, [1, 3]].sum(axis=1)
        assert batch.value == pytest.approx(terms(worth, RISK, found.candidate.threshold).mean())


@pytest.mark.parametrize("risk", [None, RISK], ids=["mean", "cvar"])
def test_a_quicker_draw_of_the_chosen_options_changes_nothing(risk: Risk | None) -> None:
    draw, asked = normals(8), list[tuple[int, tuple[int, ...]]]()

    def some(index: int, count: int, options: tuple[int, ...]) -> np.ndarray:
        asked.append((index, options))
        return draw(index, count)[:, list(options)]

    sampling, solving = Sampling(batches=2, samples=30, evaluation=45), Solving(gap=1e-3)
    found = optimality(problem_of(), draw, risk, sampling=replace(sampling, draw_some=some), solving=solving)
    assert found == optimality(problem_of(), draw, risk, sampling=sampling, solving=solving)
    judged = [(index, options) for index, options in asked if index < REDECIDED.first]
    assert judged == [(EVALUATION.first, found.candidate.chosen), (EVALUATION.first + 1, found.candidate.chosen)]
    redecided = [(index, options) for index, options in asked if index >= REDECIDED.first]
    problems = [with_values(problem_of(), draw(index, 30)) for index in (1, 2)]
    assert redecided == [
        (
            REDECIDED.first + number,
            solve_risk(one, risk, Solving(gap=1e-3)).chosen if risk else solve(one, Solving(gap=1e-3)).chosen,
        )
        for number, one in enumerate(problems, start=1)
    ]


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 10, 11, 12, 13, 15, 17, 18, 19])  # feasible ones
def test_of_certain_values_everything_is_known(seed: int) -> None:
    """Openings, synergies and soft rows count as the judge counts them; no gap is left, and no interval has a width."""
    parts = draw_parts(seed)
    problem = build(parts, parts["families"])
    answer = require(solve(problem, Solving(gap=0)))

    def draw(_index: int, count: int) -> np.ndarray:
        return np.tile(problem.expected_value, (count, 1))

    found = optimality(problem, draw, sampling=Sampling(batches=3, samples=4, evaluation=9), solving=Solving(gap=0))
    assert found.candidate.chosen == answer.chosen
    numbers = (found.lower.low, found.lower.high, found.upper.low, found.upper.high, found.candidate.objective)
    assert numbers == pytest.approx((answer.objective,) * 5)
    assert (found.gap.high, found.solver_gap, found.optimism.mean) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_sampled_money_is_kept_as_a_rule() -> None:
    """Option 0 costs too much in one of four worlds, so no batch may have it either."""
    use = np.array([[1.0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [9, 1, 1, 1, 1]])
    risk = replace(RISK, weight=0.0, money=(SampledRow(0, use, "always"),))
    draw = normals(1)
    found = optimality(
        problem_of(), draw, risk, sampling=Sampling(batches=2, samples=30, evaluation=30), solving=Solving(gap=0)
    )
    means = [draw(index, 30).mean(axis=0) for index in range(3)]
    assert found.candidate.objective == pytest.approx(np.sort(means[0][1:])[-2:].sum())
    assert [batch.bound for batch in found.batches] == pytest.approx([np.sort(one[1:])[-2:].sum() for one in means[1:]])
    value = value_of_stochastic_solution(
        problem_of(), draw, risk, sampling=Sampling(samples=30, evaluation=30), solving=Solving(gap=0)
    )
    assert value.chosen == found.candidate.chosen
    with pytest.raises(ProblemError, match="must keep every row"):
        optimality(
            problem_of(), normals(1), risk, candidate=(0,), sampling=Sampling(batches=2, samples=30, evaluation=30)
        )


def test_a_solution_of_the_risk_is_judged_with_its_bound() -> None:
    problem = with_values(problem_of(), normals(5)(0, 50))
    solution = solve_risk(problem, RISK, Solving(gap=0))
    found = optimality(
        problem,
        normals(6),
        RISK,
        candidate=solution,
        sampling=Sampling(batches=2, samples=50, evaluation=50),
        solving=Solving(gap=1e-3),
    )
    judged = appraise(problem, RISK, solution.chosen)
    assert found.candidate.objective == pytest.approx(judged.objective)
    assert found.candidate.bound == solution.bound
    assert found.candidate.threshold == quantile(judged.worth, 0.2)


# ---------------------------------------------------------------- value of the stochastic solution


def test_vss_is_nothing_where_only_the_mean_counts() -> None:
    found = value_of_stochastic_solution(
        problem_of(), normals(4), sampling=Sampling(samples=20, evaluation=100), solving=Solving(gap=0)
    )
    assert found.linear
    assert (found.difference.low, found.difference.mean, found.difference.high) == (0.0, 0.0, 0.0)
    assert "changes nothing" in describe(found)[0]


def test_vss_of_cvar_is_the_closed_form() -> None:
    """The means pick options 0 and 1; the true objective knows better."""
    certain, best = truth((0, 1), RISK), true_optimum(RISK)
    found = value_of_stochastic_solution(
        problem_of(), normals(4), RISK, sampling=Sampling(samples=400, evaluation=20_000), solving=Solving(gap=1e-3)
    )
    assert found.chosen == (0, 1)
    assert not found.linear
    assert found.difference.low <= best - certain <= found.difference.high
    assert found.difference.half_width < 0.3 * (best - certain)
    assert found.difference.mean == pytest.approx(found.stochastic.mean - found.certain.mean)


def test_vss_covers_as_often_as_it_says() -> None:
    candidate, hits = Candidate((1, 3), 0.0, math.inf, 0.0), 0
    exact = NormalDist(MEANS[[1, 3]].sum(), math.hypot(2.0, 1.0))
    candidate = replace(candidate, threshold=exact.inv_cdf(0.2))
    for seed in range(RUNS):
        found = value_of_stochastic_solution(
            problem_of(),
            normals(seed),
            RISK,
            candidate=candidate,
            sampling=Sampling(samples=300, evaluation=300),
            solving=Solving(gap=1e-3),
        )
        hits += found.difference.low <= truth((1, 3), RISK) - truth(found.chosen, RISK) <= found.difference.high
    assert abs(hits / RUNS - 0.95) < 3 * math.sqrt(0.95 * 0.05 / RUNS)


def test_vss_of_point_values_is_the_price_of_believing_them() -> None:
    """Who takes option 4 to be worth most, as if its success were certain, loses what the others are worth."""
    point = np.array([0.0, 0.0, 0.0, 7.0, 60.0])
    found = value_of_stochastic_solution(
        problem_of(), normals(4), point=point, sampling=Sampling(samples=300, evaluation=20_000), solving=Solving(gap=0)
    )
    assert found.chosen == (3, 4)
    assert not found.linear
    assert found.difference.low <= true_optimum() - truth((3, 4)) <= found.difference.high


def test_vss_is_paired() -> None:
    """A luck common to all options is in both portfolios, and leaves the difference alone."""
    draw = sampler(1, lambda rng, count: MEANS + 100 * rng.normal(size=(count, 1)) + rng.normal(size=(count, 5)))
    point = -np.arange(5.0) + 10
    found = value_of_stochastic_solution(
        problem_of(), draw, candidate=(1, 2), point=point, sampling=Sampling(evaluation=500), solving=Solving(gap=0)
    )
    assert found.chosen == (0, 1)
    assert found.difference.mean == pytest.approx(-1.5, abs=0.3)
    assert found.difference.half_width < 0.2
    assert found.stochastic.half_width > 5


# ---------------------------------------------------------------- expected value of perfect information

PAIR = (np.array([5.0, 5.0]), np.array([3.0, 3.0]))
PAIR_EVPI = 3.0 / math.sqrt(math.pi)  # expected largest of two normals less their mean


def judged_pair(seed: int, candidate: tuple[int, ...] = (0,)) -> Optimality:
    return optimality(
        problem_of(2, 1),
        normals(seed, *PAIR),
        candidate=candidate,
        sampling=Sampling(batches=4, samples=200, evaluation=10),
        solving=Solving(gap=1e-4),
    )


def test_evpi_is_the_closed_form() -> None:
    problem = replace(problem_of(2, 1), values=np.zeros(2))
    exactly = replace(problem, group=np.zeros(2, np.int64), group_names=("g",), exactly_one=np.array([True]))
    known = optimality(
        exactly, normals(1, *PAIR), sampling=Sampling(batches=4, samples=2000, evaluation=10), solving=Solving(gap=0)
    )
    found = value_of_perfect_information(exactly, normals(1, *PAIR), known, solves=250, solving=Solving(gap=0))
    assert found.least == pytest.approx(found.most)
    assert found.most == pytest.approx(PAIR_EVPI, abs=4 * 2.5 / math.sqrt(250))
    assert found.low <= PAIR_EVPI <= found.high
    assert found.high - found.low < 1.8
    assert found.n == 250


def test_evpi_limits_cover() -> None:
    """At least 95%, as the candidate's shortfall is allowed for; the candidate may even be a poor one."""
    runs, hits = RUNS // 6, 0
    for seed in range(runs):
        draw = normals(seed, np.array([5.0, 4.0]), np.array([1.0, 1.0]))
        sampling, solving = Sampling(batches=4, samples=50, evaluation=2), Solving(gap=1e-4)
        known = optimality(problem_of(2, 1), draw, candidate=(1,), sampling=sampling, solving=solving)
        found = value_of_perfect_information(problem_of(2, 1), draw, known, solves=25, solving=Solving(gap=1e-4))
        exact = _expected_largest(1.0, math.sqrt(2)) + 4.0 - 5.0
        hits += found.low <= exact <= found.high
        assert found.shortfall > 0.7  # the candidate is worth 1 less than the best now
    assert at_least(hits / runs, 0.95, runs)


def _expected_largest(difference: float, spread: float) -> float:
    """E max(X, Y) - E Y of normals whose difference X - Y is normal (Clark 1961); here neither is ever negative."""
    normal, z = NormalDist(), difference / spread
    return difference * normal.cdf(z) + spread * normal.pdf(z)


def test_evpi_allows_for_a_solver_that_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    known = judged_pair(2)
    exact = value_of_perfect_information(problem_of(2, 1), normals(2, *PAIR), known, solves=50, solving=Solving(gap=0))
    monkeypatch.setattr(confidence, "ask", stopping_early(1.0, 0.5))
    found = value_of_perfect_information(problem_of(2, 1), normals(2, *PAIR), known, solves=50)
    assert found.most == pytest.approx(exact.most + 0.5)
    assert found.high == pytest.approx(exact.high + 0.5)
    assert found.least == pytest.approx(_mean_of_floor(2), abs=1e-9)
    assert found.low == 0.0


def _mean_of_floor(seed: int) -> float:
    """Who finds nothing in hindsight keeps the candidate, or nothing where that is worth less."""
    values = normals(seed, *PAIR)(INFORMATION.first, 50)[:, 0]
    return float(np.maximum(-values, 0.0).mean())


def test_evpi_has_half_of_the_risk_for_the_shortfall_and_a_quarter_for_each_end() -> None:
    known = judged_pair(3)
    found = value_of_perfect_information(problem_of(2, 1), normals(3, *PAIR), known, solves=40, solving=Solving(gap=0))
    values = normals(3, *PAIR)(INFORMATION.first, 40)
    differences = np.maximum(values.max(axis=1), 0.0) - values[:, 0]
    gaps = np.array([batch.bound - batch.value for batch in known.batches])
    hindsight = mean_interval(differences, 0.975)
    assert found.shortfall == pytest.approx(gaps.mean() + reference.t.ppf(0.975, 3) * reference.sem(gaps))
    assert found.high == pytest.approx(hindsight.high)
    assert found.low == pytest.approx(max(0.0, hindsight.low - found.shortfall))


def test_evpi_of_cvar_takes_the_same_objective_in_hindsight() -> None:
    problem, draw = problem_of(2, 1), normals(5, *PAIR)
    known = optimality(
        problem, draw, RISK, sampling=Sampling(batches=2, samples=300, evaluation=10), solving=Solving(gap=1e-3)
    )
    found = value_of_perfect_information(problem, draw, known, RISK, solves=300, solving=Solving(gap=0))
    values = draw(INFORMATION.first, 300)
    best = np.maximum(values.max(axis=1), 0.0)
    now = terms(values[:, list(known.candidate.chosen)].sum(axis=1), RISK, known.candidate.threshold)
    assert found.worth == pytest.approx(0.5 * best.mean() + 0.5 * cvar(best, 0.8))
    assert found.most == pytest.approx(found.worth - now.mean())


# ---------------------------------------------------------------- what is refused

USUAL = Sampling(batches=2, samples=5, evaluation=5)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"sampling": replace(USUAL, batches=1)}, "batches"),
        ({"sampling": replace(USUAL, samples=0)}, "samples"),
        ({"sampling": replace(USUAL, evaluation=1)}, "evaluation"),
        ({"sampling": replace(USUAL, confidence=0.5)}, "confidence"),
        ({"sampling": replace(USUAL, confidence=1.0)}, "confidence"),
        ({"solving": Solving(gap=1.0)}, "gap"),
        ({"candidate": (0, 1, 2)}, "candidate: must keep every row"),
        ({"candidate": (9,)}, "chosen"),
        ({"risk": Risk(floor=1.0)}, "risk.floor"),
        ({"risk": Risk(target=1.0, probability=0.5)}, "risk.probability"),
        ({"risk": Risk(level=1.5)}, "risk.level"),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ProblemError, match=where):
        optimality(problem_of(), normals(1), **{"sampling": USUAL, **change})


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        optimality(problem_of(), normals(1), sampling=Sampling(batches=1, evaluation=0, confidence=2))
    assert [fault.where for fault in caught.value.faults] == ["confidence", "batches", "evaluation"]


@pytest.mark.parametrize(
    ("draw", "rule"),
    [
        (lambda index, count: np.zeros((count, 4)), r"draw\(0, 5\): must have shape"),
        (lambda index, count: np.zeros((count - 1, 5)), r"draw\(0, 5\): must have shape"),
        (lambda index, count: np.full((count, 5), math.nan), r"draw\(0, 5\): must be finite"),
        (
            lambda index, count: (
                normals(1)(index, count) * (math.inf if EVALUATION.first <= index < REDECIDED.first else 1.0)
            ),
            rf"draw\({EVALUATION.first}, 5\): must be fin",
        ),
        (
            lambda index, count: normals(1)(index, count) * (math.inf if index >= REDECIDED.first else 1.0),
            rf"draw\({REDECIDED.first + 1}, 5\): must be fin",
        ),
    ],
)
def test_wrong_samples_are_refused(draw: Draw, rule: str) -> None:
    with pytest.raises(ProblemError, match=rule):
        optimality(problem_of(), draw, sampling=Sampling(batches=2, samples=5, evaluation=5))


def test_a_draw_that_ignores_its_index_is_refused() -> None:
    """It would make every interval a point, and the sample that chooses the one that judges."""

    def draw(_index: int, count: int) -> np.ndarray:
        return np.random.default_rng(1).normal(MEANS, 1.0, (count, 5))

    with pytest.raises(ProblemError, match="must give other samples for another index"):
        optimality(
            problem_of(), draw, sampling=Sampling(batches=3, samples=30, evaluation=30), solving=Solving(gap=1e-3)
        )


def test_a_solution_of_another_sample_is_refused() -> None:
    stranger = solve(with_values(problem_of(), normals(1)(0, 9)), solving=Solving(gap=0))
    with pytest.raises(ProblemError, match="must be the solution of this problem's samples"):
        optimality(
            with_values(problem_of(), normals(1)(1, 9)),
            normals(2),
            candidate=stranger,
            sampling=Sampling(batches=2, samples=5),
        )


def test_a_point_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ProblemError, match="point"):
        value_of_stochastic_solution(
            problem_of(), normals(1), point=[1.0, 2.0], sampling=Sampling(samples=5, evaluation=5)
        )


def test_the_callers_arrays_stay_writeable() -> None:
    kept = [np.array(normals(1)(index, 20)) for index in range(3)]
    optimality(
        problem_of(),
        lambda index, count: kept[index % 3],
        RISK,
        sampling=Sampling(batches=2, samples=20, evaluation=20),
        solving=Solving(gap=1e-3),
    )
    assert all(values.flags.writeable for values in kept)


# ---------------------------------------------------------------- samplers and sentences


def test_streams_differ_and_repeat() -> None:
    seeds = {
        stream_seed(seed, index) for seed in range(20) for index in [*range(50), EVALUATION.first, INFORMATION.first]
    }
    assert len(seeds) == 20 * 52
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert stream_seed(3, 4) == stream_seed(3, 4) != stream_seed(4, 3)
    assert (normals(1)(7, 5) == normals(1)(7, 5)).all()


def test_the_same_input_gives_the_same_answer() -> None:
    first, second = (
        optimality(
            problem_of(),
            normals(1),
            RISK,
            sampling=Sampling(batches=2, samples=20, evaluation=20),
            solving=Solving(gap=1e-3),
        )
        for _ in range(2)
    )
    assert first == second
    assert first.seconds > 0


def test_sentences_say_what_the_figures_mean() -> None:
    batches = [BatchResult(12.0, 11.0, 9.0, 2.0), BatchResult(10.0, 10.0, 10.0, 2.1)]
    found = estimate(candidate_of(13.0, 13.6), batches, np.array([9.0, 11.0, 10.0]), samples=1000, confidence=0.9)
    told = describe(found, "bn KRW", ".2f")
    heads = [sentence.split(":")[0] for sentence in told]
    names = ["Value", "True optimum", "Gap", "Solver gap", "Sampling gap", "Batch solver gap", "Optimism"]
    assert heads == names
    assert all("bn KRW" in sentence and sentence.endswith(".") for sentence in told)
    assert "0.60 bn KRW (6.0%)" in told[3]
    assert "1.00 bn KRW (10%)" in told[4]
    assert "promised 3.00 bn KRW (30%) more than fresh samples" in told[6]
    assert "on 2 other samples promised 2.05 bn KRW (20%) more on average" in told[6]
    assert "looks better than it is" in told[6]
    assert "1,000 samples" in told[1]


def test_sentences_say_what_is_not_known() -> None:
    found = estimate(candidate_of(9.0, math.inf), [BatchResult(10.0, 10.0, 10.0)] * 2, np.full(4, 10.0), samples=50)
    told = describe(found)
    assert "not known" in told[3]
    assert "too rare for 50 samples" in told[2]
    assert "promised 1.0 (10%) less than" in told[6]
    assert "hardly flatter what they choose" in told[6]
    assert "-0.0" not in " ".join(told)


def test_sentences_of_information() -> None:
    told = describe(InformationValue(2.0, 2.5, 0.0, 3.0, 0.4, 30.0, 100, 0.95), "M EUR", ".1f")
    assert "between 0.0 and 3.0 M EUR more (0.00% to 10%" in told[0]
    assert "no study, forecast or delay that only brings knowledge is worth more than 3.0 M EUR" in told[1]


def test_the_examples_run() -> None:
    assert doctest.testmod(confidence).failed == 0
