"""Subject `risk`: mean-CVaR portfolios by cuts on the tail, beside the extensive form, same samples, same run.

The Korean scenario and perturbed copies; then synthetic instances of its shape with more and more samples. Their worths
are skewed (a technology may fail; what succeeds is lognormal) and correlated: a common factor for each field, for each
partner with breaks in relations, and for each technology.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from benchmarks import subject
from benchmarks._korea import MEDICAL, SCENARIO, instances
from benchmarks._timing import ratios, seconds, spread
from benchmarks.instances import Attributes, Shape, draw_problem
from rdsim.optimiser import PortfolioProblem, Solving
from rdsim.optimiser.adapters import RunLimits
from rdsim.optimiser.adapters.highs import Highs
from rdsim.optimiser.models.milp import formulate
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.solving.appraisal import Risk
from rdsim.optimiser.solving.risk import RiskSolution, solve_risk
from rdsim.optimiser.solving.tail import with_column

__all__ = ["draw_samples", "extensive_form"]

LEVEL, WEIGHT = 0.95, 0.5


class Size(NamedTuple):
    """Which instances, with how many samples, and how long an answer may take."""

    scenario: Path = SCENARIO
    copies: int = 5  # perturbed ones of it
    planned: int | None = None  # samples behind its options; None: as a plan has
    samples: tuple[int, ...] = (200, 1000, 10_000)
    extensive_samples: tuple[int, ...] = (200, 1000)
    seeds: tuple[int, ...] = (0, 1, 2)
    shape: Shape | None = None  # None: that of korea-2024
    gap: float = 0.01
    extensive_seconds: float = 120.0
    answer_seconds: float = 60.0


TOKEN = Size(MEDICAL, 1, 20, (20, 40), (20,), (0,), Shape(technologies=12, partners=3, fields=2), 0.2, 1.0, 1.0)


def draw_samples(problem: PortfolioProblem, of: Attributes, samples: int, seed: int) -> PortfolioProblem:
    """The problem with `samples` worlds of values, common to all its options; their expectation is its values."""
    rng = np.random.default_rng([seed, samples])
    technologies, fields = of.field.size, int(of.field.max()) + 1
    partners = len(problem.partner_names)
    common = rng.lognormal(-0.045, 0.3, (samples, fields))
    own = rng.lognormal(-0.18, 0.6, (samples, technologies)) * (rng.random((samples, technologies)) < 0.6) / 0.6
    at_peace = (rng.random((samples, partners + 1)) > 0.1) / 0.9
    partner = at_peace * rng.lognormal(-0.02, 0.2, (samples, partners + 1))
    partner[:, -1] = 1.0  # partner -1: domestic
    values = own[:, of.technology]
    values *= (common[:, of.field])[:, of.technology]
    values *= partner[:, of.partner]
    values *= problem.expected_value
    return replace(problem, values=frozen(values))


def extensive_form(problem: PortfolioProblem, level: float, weight: float) -> Model:
    """The textbook model of (1 - weight) * mean + weight * CVaR: a column and a row for each sample.

    tail = quantile - sum of short[n] / (N (1 - level)), short[n] >= quantile - values[n] @ x (Rockafellar and Uryasev).
    """
    model, values = formulate(problem), np.atleast_2d(problem.values)
    count, options = values.shape
    value = model.value.copy()
    value[:options] *= 1 - weight
    model = with_column(replace(model, value=value), "quantile", weight)
    columns = model.value.size
    other = csr_array((count, columns - options - 1))
    short = -csr_array(np.eye(count))
    rows = hstack([csr_array(-values), other, csr_array(np.ones((count, 1))), short])
    wide = hstack([model.matrix, csr_array((len(model.row_names), count))])
    return Model(
        column_names=(*model.column_names, *(f"short_{n:06d}" for n in range(count))),
        value=np.concatenate([model.value, np.full(count, -weight / (count * (1 - level)))]),
        offset=model.offset,
        lower=np.concatenate([model.lower, np.zeros(count)]),
        upper=np.concatenate([model.upper, np.full(count, np.inf)]),
        integer=np.concatenate([model.integer, np.zeros(count, dtype=bool)]),
        row_names=(*model.row_names, *(f"sample_{n:06d}" for n in range(count))),
        matrix=csr_array(vstack([wide, rows])),
        sense=(*model.sense, *("<=" for _ in range(count))),
        rhs=np.concatenate([model.rhs, np.zeros(count)]),
    )


def _extensive(problem: PortfolioProblem, size: Size) -> tuple[float, float]:
    """Seconds that the extensive form's relaxation takes in HiGHS, and its bound; infinite if time was up."""
    model, bounds = extensive_form(problem, LEVEL, WEIGHT), [math.inf]
    limits = RunLimits(seconds=size.extensive_seconds)
    taken = seconds(lambda: bounds.append(Highs().run(model, limits, relaxed=True).bound))
    return taken, bounds[-1]


def _ours(problem: PortfolioProblem, size: Size) -> tuple[float, RiskSolution]:
    answers: list[RiskSolution] = []
    risk = Risk(level=LEVEL, weight=WEIGHT)
    ask = partial(
        solve_risk, problem, risk, solving=Solving(gap=size.gap, time_limit=size.answer_seconds), method="search"
    )
    taken = seconds(lambda: answers.append(ask()))
    return taken, answers[0]


def _beside_extensive(problem: PortfolioProblem, found: RiskSolution, size: Size) -> tuple[str, float]:
    """The extensive form's seconds and bound in words, and how many times longer it took."""
    slow, bound = _extensive(problem, size)
    late = " (its time limit)" if math.isinf(bound) else f", {bound / found.bound - 1:+.3%} from ours"
    return f"extensive bound {slow:6.1f} s{late}: {slow / found.seconds.lp:.0f} times", slow / found.seconds.lp


def _told(name: str, count: int, whole: float, found: RiskSolution) -> str:
    answer = f"bound {found.seconds.lp:6.2f} s, answer {whole:6.1f} s, gap {found.gap:.2%}, {found.cuts} cuts"
    return f"  {name}, {count:>6,} samples: {answer}"


def _measure_scenario(size: Size) -> None:
    """The scenario and perturbed copies, with the samples that a plan has."""
    times = []
    for name, problem in instances(size.scenario, size.copies, size.planned).items():
        whole, found = _ours(problem, size)
        words, ratio = _beside_extensive(problem, found, size)
        times.append(ratio)
        print(_told(name, len(problem.values), whole, found) + f"; {words}", flush=True)
    print(f"  extensive bound / ours: {spread(times)}")


def _measure_growth(size: Size) -> None:
    """Synthetic instances of the Korean shape, with more and more samples."""
    bounds: dict[int, list[float]] = {count: [] for count in size.samples}
    for seed in size.seeds:
        problem, of = draw_problem(seed, size.shape)
        for count in size.samples:
            sampled = draw_samples(problem, of, count, seed)
            whole, found = _ours(sampled, size)
            bounds[count].append(found.seconds.lp)
            words = f"; {_beside_extensive(sampled, found, size)[0]}" if count in size.extensive_samples else ""
            print(_told(f"seed {seed}", count, whole, found) + words, flush=True)
    for low, high in itertools.pairwise(size.samples):
        print(f"  bound at {high:,} / at {low:,} samples: {spread(ratios(bounds[high], bounds[low]))}")


@subject("risk", full=Size(), token=TOKEN)
def measure_risk(size: Size) -> None:
    """Mean and CVaR at equal weights: bound by cuts beside the extensive form's, and a portfolio within 60 s."""
    print(f"  CVaR at level {LEVEL}, weight {WEIGHT}; seconds of the bound, of the whole answer, and its proven gap")
    _measure_scenario(size)
    _measure_growth(size)
