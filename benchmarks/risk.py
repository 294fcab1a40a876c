"""Subject `risk`: mean-CVaR portfolios by cuts on the tail, beside the extensive form, same samples, same run.

The Korean scenario and perturbed copies; then synthetic instances of its shape with more and more samples. Their worths
are skewed (a technology may fail; what succeeds is lognormal) and correlated: a common factor for each field, for each
partner with breaks in relations, and for each technology.
"""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from benchmarks import subject
from benchmarks._korea import instances
from benchmarks._timing import ratios, seconds, spread
from benchmarks.instances import Attributes, draw_problem
from rdsim.optimiser import PortfolioProblem
from rdsim.optimiser.appraisal import Risk
from rdsim.optimiser.milp import Model, formulate
from rdsim.optimiser.problem import frozen
from rdsim.optimiser.risk import RiskSolution, solve_risk
from rdsim.optimiser.solvers import Highs, Limits
from rdsim.optimiser.tail import with_column

__all__ = ["draw_samples", "extensive_form"]

LEVEL, WEIGHT, GAP = 0.95, 0.5, 0.01
SAMPLES = (200, 1000, 10_000)
EXTENSIVE_SAMPLES = (200, 1000)
EXTENSIVE_SECONDS = float(os.environ.get("RDSIM_STOCK_SECONDS", "120"))
ANSWER_SECONDS = 60.0
SEEDS = (0, 1, 2)


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
    values *= problem.expected
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


def _extensive(problem: PortfolioProblem) -> tuple[float, float]:
    """Seconds that the extensive form's relaxation takes in HiGHS, and its bound; infinite if time was up."""
    model, bounds = extensive_form(problem, LEVEL, WEIGHT), [math.inf]
    limits = Limits(seconds=EXTENSIVE_SECONDS)
    taken = seconds(lambda: bounds.append(Highs().run(model, limits, relaxed=True).bound))
    return taken, bounds[-1]


def _ours(problem: PortfolioProblem) -> tuple[float, RiskSolution]:
    answers: list[RiskSolution] = []
    risk = Risk(level=LEVEL, weight=WEIGHT)
    taken = seconds(
        lambda: answers.append(solve_risk(problem, risk, gap=GAP, method="search", time_limit=ANSWER_SECONDS))
    )
    return taken, answers[0]


def _beside_extensive(problem: PortfolioProblem, found: RiskSolution) -> tuple[str, float]:
    """The extensive form's seconds and bound in words, and how many times longer it took."""
    slow, bound = _extensive(problem)
    late = " (its time limit)" if math.isinf(bound) else f", {bound / found.bound - 1:+.3%} from ours"
    return f"extensive bound {slow:6.1f} s{late}: {slow / found.seconds.lp:.0f} times", slow / found.seconds.lp


def _told(name: str, count: int, whole: float, found: RiskSolution) -> str:
    answer = f"bound {found.seconds.lp:6.2f} s, answer {whole:6.1f} s, gap {found.gap:.2%}, {found.cuts} cuts"
    return f"  {name}, {count:>6,} samples: {answer}"


def _measure_korea() -> None:
    """The scenario and perturbed copies, with the samples that a plan has."""
    times = []
    for name, problem in instances().items():
        whole, found = _ours(problem)
        words, ratio = _beside_extensive(problem, found)
        times.append(ratio)
        print(_told(name, len(problem.values), whole, found) + f"; {words}", flush=True)
    print(f"  extensive bound / ours: {spread(times)}")


def _measure_growth() -> None:
    """Synthetic instances of the Korean shape, with more and more samples."""
    bounds: dict[int, list[float]] = {count: [] for count in SAMPLES}
    for seed in SEEDS:
        problem, of = draw_problem(seed)
        for count in SAMPLES:
            sampled = draw_samples(problem, of, count, seed)
            whole, found = _ours(sampled)
            bounds[count].append(found.seconds.lp)
            words = f"; {_beside_extensive(sampled, found)[0]}" if count in EXTENSIVE_SAMPLES else ""
            print(_told(f"seed {seed}", count, whole, found) + words, flush=True)
    for low, high in itertools.pairwise(SAMPLES):
        print(f"  bound at {high:,} / at {low:,} samples: {spread(ratios(bounds[high], bounds[low]))}")


@subject("risk")
def measure_risk() -> None:
    """Mean and CVaR at equal weights: bound by cuts beside the extensive form's, and a portfolio within 60 s."""
    print(f"  CVaR at level {LEVEL}, weight {WEIGHT}; seconds of the bound, of the whole answer, and its proven gap")
    _measure_korea()
    _measure_growth()
