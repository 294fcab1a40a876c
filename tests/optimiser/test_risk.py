"""Mean, CVaR, chance constraints and sampled money: brute force on small problems, valid bounds on large ones."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, vstack

from benchmarks.instances import Shape, draw_problem
from benchmarks.risk import draw_samples, extensive_form
from rdsim.errors import ProblemError
from rdsim.optimiser import (
    Groups,
    Labels,
    PortfolioProblem,
    Solving,
    Status,
    Termination,
    evaluate,
    state_problem,
    state_rows,
)
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.solving import kelley, risk
from rdsim.optimiser.solving.appraisal import Risk, SampledRow, appraise, cvar
from rdsim.optimiser.solving.risk import RiskSearch, relax, solve_risk
from rdsim.optimiser.solving.tail import no_cuts, tail_mean, tail_weights
from rdsim.optimiser.solving.task import state_task
from tests.optimiser.machine import INSTALLED
from tests.optimiser.small import build, draw
from tests.sizes import EFFORT

SAMPLES = 7
LEVELS = (0.3, 0.5, 0.6, 0.75, 0.9)  # of 7 samples: each splits one


def low_tail(values: np.ndarray, level: float) -> float:
    """Mean of the smallest 1 - level share of equally likely values, in exact fractions."""
    share = (1 - Fraction(level).limit_denominator(1000)) * len(values)
    total, left = Fraction(0), share
    for value in sorted(values.tolist()):
        part = min(Fraction(1), left)
        total, left = total + part * Fraction(value), left - part
    return float(total / share)


def sampled(seed: int, families: set[str]) -> PortfolioProblem:
    """A small problem with worlds of values: a common factor, failures, and noise."""
    problem = build(draw(seed), families)
    rng = np.random.default_rng([seed, 7])
    worlds = (SAMPLES, len(problem.option_names))
    factor = rng.choice([0.5, 1.0, 1.5], (SAMPLES, 1)) * rng.choice([0.0, 1.0, 2.0], worlds)
    return replace(problem, values=np.rint(problem.expected_value * factor + rng.integers(-3, 4, worlds)))


def money_of(problem: PortfolioProblem, seed: int) -> np.ndarray:
    """Sampled use of the first row, about as much as its expected use."""
    rng = np.random.default_rng([seed, 9])
    return problem.rows.use[[0], :].toarray() * rng.choice([0.5, 1.0, 1.5], (SAMPLES, len(problem.option_names)))


Listed = list[tuple[tuple[int, ...], np.ndarray]]


def listed(problem: PortfolioProblem) -> Listed:
    """Every portfolio that breaks no row, and its worth in every sample."""
    by_group = [np.flatnonzero(problem.group == group).tolist() for group in range(len(problem.group_names))]
    found = []
    for pick in itertools.product(*([None, *options] for options in by_group)):
        chosen = tuple(option for option in pick if option is not None)
        judged = evaluate(problem, chosen)
        if judged.feasible:
            same = judged.objective - float(problem.expected_value[list(chosen)].sum())
            found.append((chosen, problem.values[:, list(chosen)].sum(axis=1) + same))
    return found


def risk_drawn(seed: int, problem: PortfolioProblem, known: Listed) -> Risk:
    """One risk of every kind in turn; limits near the most that portfolios reach, at times a little more."""
    level, weight = LEVELS[seed % len(LEVELS)], (0.0, 0.4, 1.0)[seed % 3]
    share = (0.5, 0.7, 1.0)[seed // 3 % 3]
    need = math.ceil(share * SAMPLES - 1e-9)
    tails = [low_tail(worth, level) for _, worth in known] or [0.0]
    reached = [float(np.sort(worth)[SAMPLES - need]) for _, worth in known] or [0.0]
    at = (0.9, 0.98, 1.0)[seed // 4 % 3]
    more = 1.0 if seed % 16 in {1, 2} else 0.0
    kinds: list[dict[str, Any]] = [
        {},
        {"floor": float(np.quantile(tails, at)) + more},
        {"target": float(np.quantile(reached, at)) + 3 * more, "probability": share},
        {"money": (SampledRow(0, money_of(problem, seed), ("expected", "quantile", "always")[seed // 4 % 3], 0.7),)},
    ]
    return Risk(level=level, weight=weight, **kinds[seed % 4])


def keeps(problem: PortfolioProblem, risk: Risk, worth: np.ndarray, chosen: tuple[int, ...]) -> bool:
    """Every rule of the risk, from its definition."""
    slack = 1e-6 * max(1.0, float(np.abs(worth).max()))
    kept = risk.floor is None or low_tail(worth, risk.level) >= risk.floor - slack
    if risk.target is not None and risk.probability is not None:
        kept &= int((worth >= risk.target - slack).sum()) >= math.ceil(risk.probability * len(worth) - 1e-9)
    for row in risk.money:
        paid = row.use[:, list(chosen)].sum(axis=1) + opening_money(problem, row.row, chosen)
        cap = float(problem.rows.cap[row.row]) + slack
        enough = {
            "expected": float(paid.mean()) <= cap,
            "quantile": int((paid <= cap).sum()) >= math.ceil(row.level * len(paid) - 1e-9),
            "always": bool((paid <= cap).all()),
        }
        kept &= enough[row.holds]
    return kept


def opening_money(problem: PortfolioProblem, row: int, chosen: tuple[int, ...]) -> float:
    opened = evaluate(problem, chosen).opened
    stages = len(problem.stage_names)
    use = problem.rows.opening_use[[row], :].toarray().ravel()
    return float(sum(use[partner * stages + stage] for partner, stage in opened.items())) if use.size else 0.0


def best_of(problem: PortfolioProblem, risk: Risk, known: Listed) -> float:
    """The best objective of any portfolio that keeps every rule; -inf if none does."""
    best = -math.inf
    for chosen, worth in known:
        if keeps(problem, risk, worth, chosen):
            mean = (1 - risk.weight) * float(worth.mean())
            best = max(best, mean + risk.weight * low_tail(worth, risk.level))
    return best


# --- CVaR itself ----------------------------------------------------------------------------------


def test_cvar_splits_an_atom() -> None:
    """Costs 10, 20, 30, 40 at level 0.6: VaR 30, and CVaR (0.15 x 30 + 0.25 x 40) / 0.4 = 36.25."""
    costs = np.array([10.0, 20.0, 30.0, 40.0])
    assert cvar(costs, 0.6, "high") == pytest.approx(36.25)
    assert -tail_mean(-costs, 0.6) == pytest.approx(36.25)
    assert tail_mean(costs, 0.6) == pytest.approx(13.75)
    worst, weights = tail_weights(costs, 0.6)
    assert dict(zip(worst.tolist(), weights.tolist(), strict=True)) == pytest.approx({0: 0.625, 1: 0.375})


@pytest.mark.parametrize("level", [0.0, 0.25, 0.3, 0.5, 0.61, 0.75, 0.9, 0.99])
def test_tail_means_are_those_of_exact_fractions(level: float) -> None:
    rng = np.random.default_rng(3)
    for count in (1, 2, 7, 40):
        values = rng.integers(-9, 30, count).astype(float)
        assert tail_mean(values, level) == pytest.approx(low_tail(values, level))
        worst, weights = tail_weights(values, level)
        assert weights.sum() == pytest.approx(1)
        assert (weights >= 0).all()
        assert float(weights @ values[worst]) == pytest.approx(low_tail(values, level))


# --- against brute force --------------------------------------------------------------------------


@pytest.mark.parametrize("solver", INSTALLED)
def test_exact_answers_are_those_of_brute_force(solver: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(48):
        problem = sampled(seed, {*draw(seed)["families"][::3], "budget"})
        known = listed(problem)
        risk = risk_drawn(seed, problem, known)
        best, found = best_of(problem, risk, known), solve_risk(problem, risk, Solving(gap=0, solver=solver))
        kind = "floor" if risk.floor is not None else "chance" if risk.probability else "money" if risk.money else "aim"
        if best == -math.inf:
            assert found.status is Status.INFEASIBLE
            seen[f"no {kind}"] += 1
            continue
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(best, abs=1e-5)
        assert found.bound == pytest.approx(best, abs=1e-4)
        judged = appraise(problem, risk, found.chosen)
        assert judged.feasible
        assert judged.objective == pytest.approx(found.objective, abs=1e-9)
        assert keeps(problem, risk, judged.worth, found.chosen)
        assert judged.cvar == pytest.approx(low_tail(judged.worth, risk.level))
        free = best_of(problem, Risk(level=risk.level, weight=risk.weight), known)
        seen[f"{kind} binds" if best < free - 1e-6 else kind] += 1
    for kind in ("aim", "floor binds", "chance binds", "money binds"):
        assert seen[kind] >= 2, seen
    assert min(seen["no floor"], seen["no chance"]) >= 1, seen


def test_search_is_feasible_and_its_bound_is_valid() -> None:
    seen: Counter[str] = Counter()
    for seed in range(48):
        problem = sampled(seed, {*draw(seed)["families"][::3], "budget"})
        known = listed(problem)
        risk = risk_drawn(seed, problem, known)
        best, found = (
            best_of(problem, risk, known),
            solve_risk(problem, risk, Solving(gap=0.05, effort=EFFORT), method="search"),
        )
        if best == -math.inf:
            assert not found.has_portfolio
            continue
        assert found.bound >= best - 1e-5
        if found.has_portfolio:
            assert appraise(problem, risk, found.chosen).feasible
            assert found.objective <= best + 1e-5
            seen["near"] += found.objective >= best - 0.05 * abs(best) - 1e-6
            seen["found"] += 1
    assert seen["found"] >= 12, seen
    assert seen["near"] >= 0.8 * seen["found"], seen


def test_weight_trades_mean_for_tail() -> None:
    """A safe 4 against 0 or 9 by halves: the mean prefers the bet, the tail does not, and the turn is where it is."""
    values = np.array([[4.0, 0.0], [4.0, 9.0]])
    problem = state_problem(values, groups=Groups(of=[0, 0]))
    for weight, option in ((0.0, 1), (0.1, 1), (0.12, 0), (1.0, 0)):  # 4.5 (1 - w) > 4 while w < 1/9
        assert solve_risk(problem, Risk(level=0.5, weight=weight), solving=Solving(gap=0)).chosen == (option,)


def test_rules_tell_their_values_and_which_bind() -> None:
    values = np.array([[4.0, 0.0], [4.0, 9.0]])
    problem = state_problem(
        values, rows=state_rows([[1, 1]], [1.0], labels=Labels(names=["money"])), groups=Groups(of=[0, 0])
    )
    found = solve_risk(problem, Risk(level=0.5, floor=1.0), solving=Solving(gap=0))
    assert found.chosen == (0,)
    assert [(rule.name, rule.value, rule.limit) for rule in found.rules] == [("cvar", 4.0, 1.0)]
    risky = Risk(level=0.5, target=9.0, probability=0.5)
    found = solve_risk(problem, risky, Solving(gap=0))
    assert found.chosen == (1,)
    assert found.probability == 0.5
    hungry = Risk(money=(SampledRow(0, np.array([[1.0, 0.5], [1.0, 1.5]]), "always"),))
    found = solve_risk(problem, hungry, Solving(gap=0))
    assert found.chosen == (0,)
    assert found.binding


# --- large problems -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> PortfolioProblem:
    problem, of = draw_problem(4, Shape(technologies=180, partners=4, starts=2, fields=6))
    return draw_samples(problem, of, 200, 1)


def test_a_large_problem_is_solved_to_its_gap_and_repeats(large: PortfolioProblem) -> None:
    risk = Risk(level=0.9, weight=0.5)
    found = solve_risk(large, risk, Solving(gap=0.02, effort=EFFORT))
    assert found.gap <= 0.02
    assert found.termination is Termination.TARGET
    judged = appraise(large, risk, found.chosen)
    assert judged.feasible
    assert judged.objective == pytest.approx(found.objective)
    assert found.bound >= judged.objective
    assert found.cuts > 0
    again = solve_risk(large, risk, Solving(gap=0.02, effort=EFFORT))
    assert (again.chosen, again.bound) == (found.chosen, found.bound)


HALF = Risk(level=0.9, weight=0.5)


def bound_of(problem: PortfolioProblem, gap: float, risk: Risk = HALF) -> tuple[float, int]:
    """Bound of the relaxation by cuts, and how many relaxations it took."""
    task = state_task(problem, risk)
    hunt = RiskSearch(task, Solving(gap=gap, effort=EFFORT).begin(), no_cuts(task.model.value.size))
    assert relax(hunt, hunt.settings.solver.relaxation(task.model), task.rules) is not None
    return hunt.bound, hunt.rounds


def test_sifted_options_bound_all_of_them(large: PortfolioProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where few options come in at a time, the bound is still not below the least there is, and near it."""
    textbook = Highs().run(extensive_form(large, 0.9, 0.5), RunLimits(), relaxed=True).bound
    least, _ = bound_of(large, 1e-4)
    assert 0.999 * textbook <= least <= (1 + 1e-5) * textbook
    monkeypatch.setattr(risk, "LARGE", 200)
    for entering in (20, 150):
        monkeypatch.setattr(kelley, "ENTERING", entering)
        bound, _ = bound_of(large, 0.01)
        assert (1 - 2e-5) * least <= bound <= 1.004 * least


def test_rules_have_their_price_in_sifting(large: PortfolioProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A floor on CVaR and money in every sample, with and without sifting."""
    free = solve_risk(large, Risk(level=0.9, weight=0.0), solving=Solving(gap=0.02, effort=EFFORT))
    cautious = solve_risk(large, Risk(level=0.9, weight=1.0), solving=Solving(gap=0.02, effort=EFFORT))
    row = next(row for row, family in enumerate(large.rows.family) if family == "budget")
    use = large.rows.use[[row]].toarray() * np.linspace(0.8, 1.2, 5)[:, None]
    money = (SampledRow(row, use, "always"),)
    strict = Risk(level=0.9, weight=0.2, floor=(free.cvar + cautious.cvar) / 2, money=money)
    plain, _ = bound_of(large, 1e-3, strict)
    monkeypatch.setattr(risk, "LARGE", 200)
    sifted, _ = bound_of(large, 1e-3, strict)
    assert sifted == pytest.approx(plain, rel=2e-3)


def test_options_that_cannot_stand_alone_are_not_sifted(
    large: PortfolioProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A floor that only the options of least value fill: those first looked at have no portfolio."""
    worst = np.flatnonzero(large.expected_value <= np.sort(large.expected_value)[200])
    rows = large.rows
    floor = np.zeros((1, len(large.option_names)))
    floor[0, worst] = 1.0
    more = replace(
        rows,
        use=csr_array(vstack([rows.use, csr_array(floor)])),
        cap=np.append(rows.cap, 5.0),
        sense=(*rows.sense, ">="),
        names=(*rows.names, "the least"),
        family=(*rows.family, "floor"),
        opening_use=csr_array(vstack([rows.opening_use, csr_array((1, rows.opening_use.shape[1]))])),
        shortfall_price=np.append(rows.shortfall_price, np.nan),
    )
    problem = replace(large, rows=more)
    plain, _ = bound_of(problem, 1e-3)
    monkeypatch.setattr(risk, "LARGE", 200)
    monkeypatch.setattr(kelley, "EACH", 1)
    sifted, _ = bound_of(problem, 1e-3)
    assert sifted == pytest.approx(plain, rel=2e-3)


def test_walks_are_the_same_on_one_core_and_on_two(large: PortfolioProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk, "_finish_with_cuts", lambda *_: None)
    found = []
    for count in (1, 2):
        monkeypatch.setattr("rdsim.optimiser.solving.annealing.cores", lambda count=count: count)
        quick = Solving(gap=1e-5, effort="quick")
        found.append(solve_risk(large, Risk(level=0.9, weight=0.5), solving=quick, method="search"))
    assert found[0].chosen == found[1].chosen
    assert found[0].objective > 0


def test_a_floor_is_kept_on_a_large_problem(large: PortfolioProblem) -> None:
    free = solve_risk(large, Risk(level=0.9, weight=0.0), solving=Solving(gap=0.02, effort=EFFORT))
    cautious = solve_risk(large, Risk(level=0.9, weight=1.0), solving=Solving(gap=0.02, effort=EFFORT))
    assert cautious.cvar > free.cvar
    floor = (free.cvar + cautious.cvar) / 2
    found = solve_risk(large, Risk(level=0.9, floor=floor), solving=Solving(gap=0.02, effort=EFFORT))
    assert found.has_portfolio
    assert found.cvar >= floor - 1e-6 * abs(floor)
    assert found.objective <= free.bound


def test_no_time_is_no_answer(large: PortfolioProblem) -> None:
    found = solve_risk(large, Risk(level=0.9, weight=0.5), solving=Solving(gap=0.001, time_limit=0.0))
    assert found.status is Status.NO_ANSWER
    assert found.termination is Termination.TIME_LIMIT


# --- faults ---------------------------------------------------------------------------------------


def test_all_faults_of_a_risk_are_told_at_once() -> None:
    problem = state_problem([[1.0, 2.0], [3.0, 4.0]], rows=state_rows([[1, 1]], [1]))
    wrong = Risk(level=1.2, weight=-0.1, floor=math.nan, probability=1.5, money=(SampledRow(3, np.ones(2), "often"),))
    with pytest.raises(ProblemError) as caught:
        solve_risk(problem, wrong)
    words = str(caught.value)
    for part in ("level", "weight", "floor", "probability", "row", "holds"):
        assert part in words, words
    with pytest.raises(ProblemError, match="method"):
        solve_risk(problem, Risk(), method="guess")
