"""Subject `confidence`: how sure an optimum is, what it takes to know, and how often the limits hold.

The Korean scenario with its options simulated afresh for each batch, a synthetic instance of that shape, and small
problems whose true optimum is a closed form.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO
from benchmarks.instances import Shape, draw_problem
from benchmarks.risk import draw_samples
from rdsim.arrays import Floats
from rdsim.domain import Choice, Scenario
from rdsim.formulation import state, values
from rdsim.optimiser import PortfolioProblem, Solving, state_problem, state_rows
from rdsim.optimiser.questions.confidence import (
    Draw,
    DrawSome,
    Optimality,
    Sampling,
    describe,
    optimality,
    sampler,
    stream_seed,
    value_of_perfect_information,
    value_of_stochastic_solution,
)
from rdsim.optimiser.solving.appraisal import Risk
from rdsim.options import candidates, sample
from rdsim.scenario import load

SEED = 7
RISK = Risk(level=0.95, weight=0.5)


@dataclass(frozen=True)
class Size:
    """How many batches, samples, worlds that are known in advance, and runs with a known truth."""

    scenario: Path = SCENARIO
    batches: int = 10
    samples: int | None = None  # of the scenario; None: as a plan has
    worlds: int = 30
    evaluation: int = 10_000  # samples that judge a portfolio
    synthetic: tuple[int, int] = (10, 1000)  # batches, samples
    risky: tuple[int, int] = (3, 200)  # the same for mean and CVaR
    shape: Shape | None = None  # None: that of korea-2024
    runs: Mapping[str, int] = field(default_factory=lambda: {"mean": 400, "mean and CVaR": 100})
    gap: float = 0.01


TOKEN = Size(
    scenario=MEDICAL, batches=2, samples=20, worlds=2, evaluation=50, synthetic=(2, 20), risky=(2, 20),
    shape=Shape(technologies=12, partners=3, fields=2), runs={"mean": 3, "mean and CVaR": 2}, gap=0.2,
)  # fmt: skip


@subject("confidence", full=Size(), token=TOKEN)
def measure_confidence(size: Size) -> None:
    """Limits on the true optimum by batches, value of the stochastic solution and of perfect information."""
    _measure_scenario(size)
    _measure_synthetic("mean", None, size, *size.synthetic)
    _measure_synthetic("mean and CVaR", RISK, size, *size.risky)
    for name, risk in (("mean", None), ("mean and CVaR", Risk(level=0.8, weight=0.5))):
        _measure_coverage(name, risk, size.runs[name])


# ---------------------------------------------------------------- the scenario


def _fresh(scenario: Scenario, choices: Sequence[Choice]) -> tuple[Draw, DrawSome]:
    """Options simulated afresh: all of them, and some alone; an option has the same luck in both."""
    every = tuple(range(len(choices)))

    def some(index: int, count: int, options: tuple[int, ...]) -> Floats:
        picked = tuple(choices[option] for option in options)
        found = sample(scenario, picked, samples=count, seed=stream_seed(SEED, index))
        return values(scenario, replace(found, mean=found.npv.mean(axis=0)))  # as they came: no luck is taken out

    return lambda index, count: some(index, count, every), some


def _measure_scenario(size: Size) -> None:
    scenario = load(size.scenario)
    count, choices = size.samples or scenario.optimiser.samples, candidates(scenario)
    problem = state(scenario, sample(scenario, choices, samples=count, seed=scenario.simulation.seed))
    draw, some = _fresh(scenario, choices)
    print(
        f"  {scenario.name}: {len(choices):,} options, {size.batches} batches of {count:,} samples, gap {size.gap:.1%}"
    )
    known = _measure(problem, draw, None, size, size.batches, count, draw_some=some, unit="bn KRW")
    began = time.perf_counter()
    information = value_of_perfect_information(problem, draw, known, solves=size.worlds, solving=Solving(gap=size.gap))
    _tell(f"perfect information, {time.perf_counter() - began:.1f} s", describe(information, "bn KRW"))


def _measure_synthetic(name: str, risk: Risk | None, size: Size, batches: int, samples: int) -> None:
    problem, of = draw_problem(0, size.shape)
    print(
        f"  synthetic, {name}: {len(problem.option_names):,} options, {batches} batches of {samples:,} samples, "
        f"gap {size.gap:.1%}"
    )
    _measure(
        problem,
        lambda index, count: draw_samples(problem, of, count, stream_seed(SEED, index)).values,
        risk,
        size,
        batches,
        samples,
    )


def _measure(
    problem: PortfolioProblem,
    draw: Draw,
    risk: Risk | None,
    size: Size,
    batches: int,
    samples: int,
    *,
    draw_some: DrawSome | None = None,
    unit: str = "",
) -> Optimality:
    """Optimality and value of the stochastic solution: seconds of each, and its sentences."""
    sampling, solving = Sampling(batches, samples, size.evaluation, draw_some=draw_some), Solving(gap=size.gap)
    known = optimality(problem, draw, risk, sampling=sampling, solving=solving)
    _tell(f"optimality, {known.seconds:.1f} s", describe(known, unit))
    began = time.perf_counter()
    stochastic = value_of_stochastic_solution(
        problem, draw, risk, candidate=known.candidate, sampling=sampling, solving=solving
    )
    _tell(f"stochastic solution, {time.perf_counter() - began:.1f} s", describe(stochastic, unit))
    return known


def _tell(head: str, sentences: Sequence[str]) -> None:
    print(f"    {head}")
    for sentence in sentences:
        print(f"      {sentence}", flush=True)


# ---------------------------------------------------------------- where the truth is known

MEANS = np.array([10.0, 9.0, 8.5, 7.0, 6.0])
SPREADS = np.array([9.0, 2.0, 6.0, 1.0, 0.5])


def _truth(chosen: Sequence[int], risk: Risk | None) -> float:
    """A sum of independent normals: at level 0.8, CVaR is the mean less 1.39981 standard deviations."""
    mean, spread = MEANS[list(chosen)].sum(), np.sqrt((SPREADS[list(chosen)] ** 2).sum())
    return float(mean - (0.0 if risk is None else risk.weight * 1.3998096 * spread))


def _measure_coverage(name: str, risk: Risk | None, runs: int) -> None:
    """Two of five options, 5 batches of 25 samples: shares of runs in which what is promised at 95% is so."""
    problem = state_problem(np.zeros(5), rows=state_rows(np.ones((1, 5)), [2]))
    best = max(_truth(pair, risk) for pair in itertools.combinations(range(5), 2))
    held = np.zeros(3)
    for seed in range(runs):
        draw = sampler(seed, lambda rng, count: rng.normal(MEANS, SPREADS, (count, 5)))
        found = optimality(problem, draw, risk, sampling=Sampling(batches=5, samples=25, evaluation=150))
        own, (low, high) = _truth(found.candidate.chosen, risk), found.limits
        held += (low <= best <= high, found.gap.high >= best - own, found.lower.low <= own)
    limits, gap, lower = held / runs
    print(f"  coverage, {name}, {runs} runs at 95%: limits {limits:.1%}, gap {gap:.1%}, lower end {lower:.1%}")
