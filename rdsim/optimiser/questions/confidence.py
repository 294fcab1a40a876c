"""How sure an optimum is: limits on the true optimum from fresh samples, and what uncertainty and information cost.

A portfolio is chosen on a sample of worlds; the truth is what it is worth over all worlds. Everything here is estimated
on samples that did not choose it, drawn by ``draw(index, count) -> (count, O)``: worlds of values that are independent
from one index to another (see `sampler`). Rows, openings and synergies are taken as they are stated.

===============  ==================================================================================================
lower            the portfolio's value on an evaluation sample: a lower estimate of the true optimum
upper            mean of the *bounds* of M batches of N samples. The best of a sample is on average at least the true
                 optimum, as it fits the sample's luck; the solver's bound is used, not its portfolio, so that this
                 stays true where the solver stops at a gap
gap              mean over the batches of bound less the portfolio's value on the same batch (common random numbers),
                 with a one-sided upper limit; it is the sum of the two parts below
sampling gap     of that, what the best portfolio known for a batch has more than this one: too few samples
batch solver gap of that, what is left to the bounds: solver stopped early
solver gap       bound less objective on the sample that chose the portfolio
overpromise      objective on that sample less the mean on the evaluation sample: what this very sample promised too
                 much or too little. Its luck, which chose the portfolio and is shared by all options, is in it
optimism         the winner's curse: what samples of this size promise too much on average of what they choose. Each
                 batch chooses anew, and its portfolio is judged on samples of its own, so the interval over the
                 batches holds the noise of choosing as well as that of judging
===============  ==================================================================================================

**CVaR.** With low-tail CVaR in the objective the portfolio is judged together with a threshold q, its quantile in the
sample that chose it: ``CVaR >= q + E[min(worth - q, 0)] / (1 - level)``, equal at the true quantile (Rockafellar &
Uryasev). So every value is a mean of independent terms. The best of a batch chooses its own q as well, so its bound
remains an upper estimate - CVaR of few samples is itself too high on average, which adds to it - and a q that is not
quite right makes the portfolio look a little worse, never better: both directions widen the limits.

What is refused: a floor on CVaR and a chance constraint on worth. They make what is allowed depend on the sample, and
the best of a batch is then no upper estimate. Rows of sampled money are kept as they are, with their samples.

**What the limits leave out.** The t intervals rest on means of batches being about normal. A portfolio that is best in
every batch has a gap whose limit is 0, although the true gap need not be: a better one may differ in worlds too rare
for a batch, so more samples in each, not more batches, find that out (Bayraksan & Morton 2006).

Sources: Mak, Morton & Wood 1999 (Operations Research Letters 24); Norkin, Pflug & Ruszczynski 1998 (Mathematical
Programming 83); Bayraksan & Morton 2006 (Mathematical Programming 108); Birge & Louveaux 2011, Introduction to
Stochastic Programming, chapter 4 (VSS, EVPI); Rockafellar & Uryasev 2002 (J. Banking & Finance 26).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from rdsim.arrays import Floats
from rdsim.errors import Fault, ProblemError, SolverError
from rdsim.languages import gettext as _
from rdsim.languages import join_texts
from rdsim.numerals import numeral
from rdsim.optimiser.problem.evaluation import evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, check, frozen, round_off
from rdsim.optimiser.problem.solution import Solution, require
from rdsim.optimiser.questions.series import ask
from rdsim.optimiser.solving.appraisal import Risk, appraise, check_risk
from rdsim.optimiser.solving.risk import solve_risk
from rdsim.optimiser.solving.settings import Solving, SolvingSeries, refuse
from rdsim.stats import Interval, mean_interval, paired_difference, quantile
from rdsim.streams import BATCHES, CHOOSING, EVALUATION, INFORMATION, REDECIDED

__all__ = [
    "BatchResult",
    "Candidate",
    "Draw",
    "DrawSome",
    "InformationValue",
    "Optimality",
    "Sampling",
    "StochasticValue",
    "UpperLimit",
    "describe",
    "estimate",
    "optimality",
    "sampler",
    "stream_seed",
    "terms",
    "value_of_perfect_information",
    "value_of_stochastic_solution",
]

Draw = Callable[[int, int], Floats]
"""(index, count) -> values of all options in `count` worlds, shape (count, O); independent from index to index."""

DrawSome = Callable[[int, int, tuple[int, ...]], Floats]
"""(index, count, options) -> values of these options alone, shape (count, options): the judge needs no others."""

FEWEST_ALIKE = 3


@dataclass(frozen=True)
class Sampling:
    """How many samples choose and judge."""

    batches: int = 10
    """M, at least 2; 10 to 30 are usual."""
    samples: int = 1000
    """N, in each batch; at most so many at a time are held in the evaluation."""
    evaluation: int = 10_000
    """Samples that judge the candidate."""
    confidence: float = 0.95
    """Of each interval and limit."""
    draw_some: DrawSome | None = None
    """Draws quicker where the options of one portfolio alone are needed; by default all are drawn."""


# ---------------------------------------------------------------- samples


def stream_seed(seed: int, index: int) -> int:
    """A seed, 0 <= seed < 2**63, that belongs to this seed and index: for simulators that take a seed alone."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def sampler(seed: int, make: Callable[[np.random.Generator, int], ArrayLike]) -> Draw:
    """A `Draw` from `make(generator, count)`, with a generator of its own for each index.

    >>> draw = sampler(1, lambda rng, count: rng.normal(10, 3, (count, 2)))
    >>> draw(0, 5).shape, bool((draw(0, 5) == draw(1, 5)).any())
    ((5, 2), False)
    """
    return lambda index, count: np.asarray(make(np.random.default_rng([seed, index]), count), np.float64)


# ---------------------------------------------------------------- what is found


@dataclass(frozen=True)
class Candidate:
    """A portfolio and what the sample that chose it says; only fresh samples say what it is worth."""

    chosen: tuple[int, ...]
    objective: float  # on the sample that chose it
    bound: float  # of the best portfolio on that sample; inf if none is known
    threshold: float = 0.0  # quantile of its worth there, which its CVaR is judged by; 0 without a risk


@dataclass(frozen=True)
class BatchResult:
    """One batch of samples: the best there, and the candidate on the same samples."""

    bound: float
    incumbent: float  # objective of the best portfolio known there, the candidate included
    value: float  # of the candidate
    optimism: float = 0.0  # what its own best is worth there, less what that is worth on fresh samples


@dataclass(frozen=True)
class UpperLimit:
    """A mean that is not negative, its one-sided upper confidence limit, and how many numbers are behind it."""

    mean: float
    high: float
    n: int


@dataclass(frozen=True)
class Optimality:
    """How near a portfolio is to the true optimum. Amounts are in the objective's unit."""

    candidate: Candidate
    lower: Interval  # the candidate on the evaluation sample, two-sided
    upper: Interval  # bounds of the batches, two-sided
    gap: UpperLimit
    sampling_gap: UpperLimit
    batch_solver_gap: UpperLimit
    batches: tuple[BatchResult, ...]
    samples: int  # in each batch
    confidence: float
    seconds: float = field(default=math.nan, compare=False)

    @property
    def solver_gap(self) -> float:
        """What the solver left open on the sample that chose the candidate; inf if it had no bound."""
        return max(0.0, self.candidate.bound - self.candidate.objective)

    @property
    def optimism(self) -> Interval:
        """The winner's curse: what a sample of the batches' size promises too much of what it chooses, on average."""
        return mean_interval([batch.optimism for batch in self.batches], self.confidence)

    @property
    def overpromise(self) -> Interval:
        """What the sample that chose the candidate promised, less what fresh samples give of this very candidate."""
        promised, found = self.candidate.objective, self.lower
        return Interval(promised - found.mean, promised - found.high, promised - found.low, found.n)

    @property
    def limits(self) -> tuple[float, float]:
        """The true optimum lies between these with at least the confidence (Bonferroni: half of the risk each)."""
        return self.lower.low, self.upper.high

    def share(self, amount: float) -> float:
        """An amount as a share of what the candidate is worth on the evaluation sample; nan if that is 0."""
        return amount / abs(self.lower.mean) if self.lower.mean else math.nan


@dataclass(frozen=True)
class StochasticValue:
    """Value of the stochastic solution: what it brings to reckon with uncertainty, on samples that chose neither.

    `linear`: no CVaR counts and the point values were the sample's means. The objective is then linear in the values,
    so their means say all there is to know, both portfolios solve the same problem, and the value is 0 by nature.
    """

    difference: Interval  # stochastic less certain, sample by sample
    stochastic: Interval
    certain: Interval
    chosen: tuple[int, ...]  # by who ignores uncertainty
    certain_gap: float  # solver's gap of that portfolio, in the objective's unit
    linear: bool
    confidence: float

    def share(self, amount: float) -> float:
        """An amount as a share of what the stochastic solution is worth; nan if that is 0."""
        return amount / abs(self.stochastic.mean) if self.stochastic.mean else math.nan


@dataclass(frozen=True)
class InformationValue:
    """Expected value of perfect information: the best in hindsight less the best now.

    `least` and `most` compare with the candidate, by the portfolios found in hindsight and by their bounds. EVPI lies
    between `low` and `high` with at least the confidence: a quarter of the risk is for each of `least` and `most`, half
    for the candidate's distance from the best now, which `low` is less by.
    """

    least: float
    most: float
    low: float
    high: float
    shortfall: float  # upper limit on what the candidate is worth less than the best now
    worth: float  # mean in hindsight, by the portfolios found
    n: int  # wait-and-see problems solved
    confidence: float

    def share(self, amount: float) -> float:
        """An amount as a share of the mean in hindsight; nan if that is 0."""
        return amount / abs(self.worth) if self.worth else math.nan


# ---------------------------------------------------------------- estimates


def terms(worth: Floats, risk: Risk | None, threshold: float) -> Floats:
    """Numbers whose mean is the objective of a worth, shape (N,); of CVaR a lower bound, tight at the quantile."""
    if risk is None or risk.weight == 0:
        return worth
    tail = threshold + np.minimum(worth - threshold, 0.0) / (1 - risk.level)
    return np.asarray((1 - risk.weight) * worth + risk.weight * tail)


def estimate(
    candidate: Candidate, batches: Sequence[BatchResult], evaluated: Floats, *, samples: int, confidence: float = 0.95
) -> Optimality:
    """What batches and the terms of an evaluation sample say; no sample may be the one that chose the candidate.

    Raises: ProblemError for fewer than two batches or terms, or an impossible confidence.
    """
    _refuse_counts(confidence, batches=len(batches), evaluation=len(evaluated))
    return Optimality(
        candidate=candidate,
        lower=mean_interval(evaluated, confidence),
        upper=mean_interval([batch.bound for batch in batches], confidence),
        gap=_limit([batch.bound - batch.value for batch in batches], confidence),
        sampling_gap=_limit([batch.incumbent - batch.value for batch in batches], confidence),
        batch_solver_gap=_limit([batch.bound - batch.incumbent for batch in batches], confidence),
        batches=tuple(batches),
        samples=samples,
        confidence=confidence,
    )


def _limit(amounts: ArrayLike, confidence: float) -> UpperLimit:
    """Mean and one-sided limit: the upper end of a two-sided interval with twice the risk."""
    found = mean_interval(amounts, 2 * confidence - 1)
    return UpperLimit(found.mean, found.high, found.n)


def _refuse_counts(confidence: float, **counts: int) -> None:
    refuse(
        ("confidence", 0.5 < confidence < 1, "must lie in 0.5 < confidence < 1", confidence),
        *((name, count >= 2, "must be at least 2", count) for name, count in counts.items()),
    )


# ---------------------------------------------------------------- one study


@dataclass(frozen=True, eq=False)
class _Portfolio:
    """Options and what openings, synergies and shortfalls add to their worth in every sample."""

    chosen: tuple[int, ...]
    same: float

    def worth(self, values: Floats) -> Floats:
        """Worth in every sample of values (N, O), shape (N,)."""
        return np.asarray(values[:, list(self.chosen)].sum(axis=1) + self.same)


@dataclass(frozen=True, eq=False)
class _Study:
    """What every question here is asked of."""

    problem: PortfolioProblem
    risk: Risk | None
    draw: Draw
    draw_some: DrawSome | None
    samples: int
    settings: SolvingSeries

    @property
    def linear(self) -> bool:
        """True if the objective is the mean of the worth."""
        return self.risk is None or self.risk.weight == 0

    def sample(self, index: int, count: int) -> Floats:
        """Fresh values of all options, checked, shape (count, O)."""
        return _check_sample(
            f"draw({index}, {count})", self.draw(index, count), (count, len(self.problem.option_names))
        )

    def sample_of(self, index: int, count: int, options: tuple[int, ...]) -> Floats:
        """Fresh values of some options, shape (count, options)."""
        if self.draw_some is None:
            return self.sample(index, count)[:, list(options)]
        where = f"draw_some({index}, {count}, ...)"
        return _check_sample(where, self.draw_some(index, count, options), (count, len(options)))

    def chooser(self) -> Floats:
        """The sample that chooses: the problem's own, else a fresh one."""
        own = self.problem.values
        return own if own.ndim == 2 else self.sample(CHOOSING.first, self.samples)

    def portfolio(self, chosen: Iterable[int]) -> _Portfolio:
        """A choice of options that keeps every row."""
        chosen = tuple(chosen)
        judged = evaluate(self.problem, chosen)
        names = [violation.name for violation in judged.violations]
        if self.risk is not None:
            names += [rule.name for rule in appraise(self.problem, self.risk, chosen).rules if not rule.holds]
        refuse(("candidate", not names, "must keep every row", names[:5]))
        return _Portfolio(judged.chosen, judged.opening + judged.synergy - judged.shortfall)

    def threshold(self, worth: Floats) -> float:
        """The quantile that makes the mean of `terms` the CVaR of these very samples."""
        return 0.0 if self.risk is None else quantile(worth, 1 - self.risk.level)

    def solve(self, values: Floats) -> Solution:
        """The best portfolio of a sample (N, O); in means, if they are all that counts."""
        if self.linear or self.risk is None:
            return self.solve_certain(round_off(values.mean(axis=0)))
        return self._solve_risk(values, self.risk)

    def solve_certain(self, values: Floats) -> Solution:
        """The best portfolio of one vector of values (O,): nothing is uncertain but what money is asked to suffice."""
        if self.risk is None or not self.risk.money:
            return ask(replace(self.problem, values=_read_only(values)), self.settings)
        return self._solve_risk(values, Risk(money=self.risk.money))

    def _solve_risk(self, values: Floats, risk: Risk) -> Solution:
        return solve_risk(replace(self.problem, values=_read_only(values)), risk, self.settings.rest)

    def evaluation_sample(self, options: tuple[int, ...], count: int) -> Iterator[Floats]:
        """The evaluation sample of some options, in parts no larger than a batch."""
        for index, part in enumerate(_parts(count, self.samples)):
            yield self.sample_of(EVALUATION.number(index), part, options)


def _parts(count: int, size: int) -> list[int]:
    whole, rest = divmod(count, size)
    return [size] * whole + [rest] * (rest > 0)


def _check_sample(where: str, values: ArrayLike, shape: tuple[int, int]) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ProblemError((Fault(where, f"must have shape {shape}", str(array.shape)),))
    if not np.isfinite(array).all():
        raise ProblemError((Fault(where, "must be finite"),))
    return array


def _read_only(values: Floats) -> Floats:
    """A view that cannot be written: the caller's own array stays as it is."""
    return frozen(values.view())


def _study(problem: PortfolioProblem, draw: Draw, risk: Risk | None, sampling: Sampling, solving: Solving) -> _Study:
    check(problem)
    refuse(("samples", sampling.samples >= 1, "must be at least 1", sampling.samples))
    if risk is not None:
        check_risk(problem, risk)
        why = "must be left out: it makes what is allowed depend on the sample, and bounds of batches are then none"
        refuse(
            ("risk.floor", risk.floor is None, why, risk.floor),
            ("risk.probability", risk.probability is None, why, risk.probability),
        )
    return _Study(problem, risk, draw, sampling.draw_some, sampling.samples, solving.begin())


# ---------------------------------------------------------------- the candidate


def _candidate(study: _Study, given: Candidate | Solution | Iterable[int] | None) -> Candidate:
    """The portfolio to judge: the one given, else the best of the sample that chooses."""
    if isinstance(given, Candidate):
        return given
    chooser = study.chooser()
    found = require(study.solve(chooser)) if given is None else given
    bound = found.bound if isinstance(found, Solution) else math.inf
    portfolio = study.portfolio(found.chosen if isinstance(found, Solution) else found)
    worth = portfolio.worth(chooser)
    threshold = study.threshold(worth)
    objective = float(terms(worth, study.risk, threshold).mean())
    if isinstance(given, Solution):
        _refuse_stranger(given, objective)
    return Candidate(portfolio.chosen, objective, bound, threshold)


def _refuse_stranger(given: Solution, objective: float) -> None:
    """A solution's bound means nothing on a sample that it was not solved on."""
    same = math.isclose(given.objective, objective, rel_tol=1e-6, abs_tol=1e-6)
    rule = f"must be the solution of this problem's samples and risk, where it is worth {objective:g}"
    refuse(("candidate", given.has_portfolio and same, rule, given.objective))


# ---------------------------------------------------------------- multiple replications


def optimality(
    problem: PortfolioProblem,
    draw: Draw,
    risk: Risk | None = None,
    *,
    candidate: Candidate | Solution | Iterable[int] | None = None,
    sampling: Sampling = Sampling(),
    solving: Solving = Solving(),
) -> Optimality:
    """How far a portfolio is from the true optimum, by multiple replications (Mak, Morton & Wood 1999).

    Args:
        problem: what to choose from. Values (N, O) are the sample that chose the candidate; values (O,) do not count,
            and a fresh sample chooses.
        draw: fresh samples; indices 0, 1, 2, ..., from 2**20 and from 2**22 on are asked for.
        risk: the objective, if it is not the mean.
        candidate: what to judge; a Solution must be one of this problem. By default the problem is solved. Options
            alone have no bound, and so no solver gap.
        sampling: how many samples choose and judge.
        solving: of each problem; the time limit is for all together.

    Raises: ProblemError for a wrong problem, risk, sample or setting; InfeasibleError if no portfolio exists;
    SolverError if the solver fails, or leaves a batch without a bound.

    >>> from rdsim.optimiser import state_problem, state_rows
    >>> problem = state_problem([0, 0, 0], rows=state_rows([[1, 1, 1]], cap=[1]))
    >>> draw = sampler(1, lambda rng, count: rng.normal([1.0, 2.0, 3.0], 1.0, (count, 3)))
    >>> found = optimality(problem, draw, sampling=Sampling(samples=100), solving=Solving(gap=0))
    >>> found.candidate.chosen, found.limits[0] < 3.0 < found.limits[1]
    ((2,), True)
    """
    began = time.perf_counter()
    _refuse_counts(sampling.confidence, batches=sampling.batches, evaluation=sampling.evaluation)
    study = _study(problem, draw, risk, sampling, solving)
    judged = _candidate(study, candidate)
    portfolio = study.portfolio(judged.chosen)
    found = _batches(study, portfolio, judged.threshold, sampling.batches)
    (evaluated,) = _side_by_side(study, [portfolio], [judged.threshold], sampling.evaluation)
    whole = estimate(judged, found, evaluated, samples=sampling.samples, confidence=sampling.confidence)
    return replace(whole, seconds=time.perf_counter() - began)


def _batches(study: _Study, portfolio: _Portfolio, threshold: float, count: int) -> list[BatchResult]:
    """The batches, one after another: no more than one sample is held at a time."""
    found, digests = [], set()
    for index in BATCHES.numbers(count):
        values = study.sample(index, study.samples)
        found.append(_batch(study, portfolio, threshold, values, index))
        digests.add(_digest(values) if np.ptp(values, axis=0).any() else str(index))
    alike = count >= FEWEST_ALIKE and len(digests) == 1
    refuse(("draw", not alike, "must give other samples for another index", f"{count} batches alike"))
    return found


def _digest(values: Floats) -> str:
    return hashlib.blake2b(np.ascontiguousarray(values).data).hexdigest()


def _batch(study: _Study, portfolio: _Portfolio, threshold: float, values: Floats, index: int) -> BatchResult:
    value = float(terms(portfolio.worth(values), study.risk, threshold).mean())
    solution = study.solve(values)
    incumbent, bound = _limits(study, solution, value, f"batch {index}")
    own = study.portfolio(solution.chosen) if solution.has_portfolio else portfolio
    return BatchResult(bound, incumbent, value, _optimism(study, own, values, index))


def _optimism(study: _Study, own: _Portfolio, values: Floats, index: int) -> float:
    """What a batch promises of the portfolio that it chose, less what samples that chose nothing give of it."""
    promised = own.worth(values)
    threshold = study.threshold(promised)
    drawn = study.sample_of(REDECIDED.number(index), study.samples, own.chosen)
    fresh = drawn.sum(axis=1) + own.same
    return float(terms(promised, study.risk, threshold).mean() - terms(fresh, study.risk, threshold).mean())


def _limits(study: _Study, solution: Solution, value: float, name: str) -> tuple[float, float]:
    """(objective of the best portfolio known, bound); the candidate is allowed too, so neither is below its value."""
    if not math.isfinite(solution.bound):
        raise SolverError(study.settings.solver.name, f"{name} has no bound ({solution.termination.value})")
    incumbent = max(solution.objective, value) if solution.has_portfolio else value
    return incumbent, max(solution.bound, incumbent)


# ---------------------------------------------------------------- the worth of reckoning with uncertainty


def value_of_stochastic_solution(
    problem: PortfolioProblem,
    draw: Draw,
    risk: Risk | None = None,
    *,
    candidate: Candidate | Solution | Iterable[int] | None = None,
    point: ArrayLike | None = None,
    sampling: Sampling = Sampling(),
    solving: Solving = Solving(),
) -> StochasticValue:
    """Objective of the candidate less that of the portfolio chosen as if nothing were uncertain.

    Both are judged on the same fresh samples, and the interval is that of their paired differences.

    Args: as `optimality`; `point` (O,) is what the planner who ignores uncertainty takes each option to be worth, by
    default its mean in the sample that chose the candidate (the expected-value solution). Rows of sampled money hold
    for that planner too, for a portfolio that is not allowed is worth nothing to compare.

    Raises: as `optimality`.
    """
    _refuse_counts(sampling.confidence, evaluation=sampling.evaluation)
    study, confidence = _study(problem, draw, risk, sampling, solving), sampling.confidence
    judged, chooser = _candidate(study, candidate), study.chooser()
    solution = require(study.solve_certain(_point(study, chooser, point)))
    ignorant = study.portfolio(solution.chosen)
    thresholds = (judged.threshold, study.threshold(ignorant.worth(chooser)))
    ours, theirs = _side_by_side(study, (study.portfolio(judged.chosen), ignorant), thresholds, sampling.evaluation)
    return StochasticValue(
        difference=paired_difference(ours, theirs, confidence),
        stochastic=mean_interval(ours, confidence),
        certain=mean_interval(theirs, confidence),
        chosen=ignorant.chosen,
        certain_gap=solution.bound - solution.objective,
        linear=study.linear and point is None,
        confidence=confidence,
    )


def _point(study: _Study, chooser: Floats, point: ArrayLike | None) -> Floats:
    if point is None:
        return np.asarray(chooser.mean(axis=0))
    values = np.atleast_2d(np.asarray(point, np.float64))
    return np.asarray(_check_sample("point", values, (1, len(study.problem.option_names)))[0])


def _side_by_side(
    study: _Study, portfolios: Sequence[_Portfolio], thresholds: Sequence[float], count: int
) -> list[Floats]:
    """Terms of several portfolios on one evaluation sample."""
    options = tuple(sorted({option for portfolio in portfolios for option in portfolio.chosen}))
    placed = [_Portfolio(tuple(options.index(o) for o in one.chosen), one.same) for one in portfolios]
    parts = [[one.worth(values) for one in placed] for values in study.evaluation_sample(options, count)]
    worths = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return [terms(worth, study.risk, q) for worth, q in zip(worths, thresholds, strict=True)]


# ---------------------------------------------------------------- the worth of knowing


def value_of_perfect_information(
    problem: PortfolioProblem,
    draw: Draw,
    known: Optimality,
    risk: Risk | None = None,
    *,
    solves: int = 100,
    solving: Solving = Solving(),
) -> InformationValue:
    """What a planner who knew each world before choosing would have more than the best who chooses now.

    `solves` fresh worlds are solved one by one; each is compared with the candidate in the same world. The candidate
    may be worth less than the best now, by at most the limit of `known`'s gap, so the lower limit allows for that;
    the upper one holds as it is. A solver that stops early is allowed for by its bounds.

    With CVaR in the objective the same objective is taken of the worths in hindsight. Their quantile is estimated from
    the same worlds, which makes it too high on average, and the lower limit right only for many of them.

    Args: as `optimality`; `known` is what that found for this problem, sampler and risk. Indices from 2**21 on.

    Raises: as `optimality`.
    """
    _refuse_counts(known.confidence, solves=solves)
    study = _study(problem, draw, risk, Sampling(samples=known.samples), solving)
    now, found, bounds = np.array(list(_worlds(study, study.portfolio(known.candidate.chosen), solves))).T
    ours = terms(now, risk, known.candidate.threshold)
    hindsight = terms(found, risk, study.threshold(found))
    doubt = 1 - known.confidence
    shortfall = _limit([batch.bound - batch.value for batch in known.batches], 1 - doubt / 2).high
    least = paired_difference(hindsight, ours, 1 - doubt / 2)
    most = paired_difference(terms(bounds, risk, study.threshold(bounds)), ours, 1 - doubt / 2)
    return InformationValue(
        least=least.mean,
        most=most.mean,
        low=max(0.0, least.low - shortfall),
        high=max(0.0, most.high),
        shortfall=shortfall,
        worth=float(hindsight.mean()),
        n=solves,
        confidence=known.confidence,
    )


def _worlds(study: _Study, portfolio: _Portfolio, count: int) -> Iterator[tuple[float, float, float]]:
    """(worth of the candidate, worth of the best found, bound) in each world."""
    for index, part in enumerate(_parts(count, study.samples)):
        values = study.sample(INFORMATION.number(index), part)
        for world, worth in zip(values, portfolio.worth(values).tolist(), strict=True):
            solution = study.solve_certain(world)
            yield (worth, *_limits(study, solution, worth, "a world in hindsight"))


# ---------------------------------------------------------------- in plain words


def describe(
    found: Optimality | StochasticValue | InformationValue, unit: str = "", form: str = ",.1f"
) -> tuple[str, ...]:
    """One sentence for each figure, in the unit and number format given: what it is, and what it means.

    >>> describe(InformationValue(4.0, 4.1, 3.0, 5.2, 0.1, 40.0, 100, 0.95), "bn KRW")[0]
    'Perfect information: who knew each world before choosing would have between 3.0 and 5.2 bn KRW more (7.5% to 13% \
of what they would have), with at least 95% confidence, from 100 worlds solved in hindsight.'
    """
    words = _Words(unit, form, found.share)
    if isinstance(found, Optimality):
        return tuple(_optimality_sentences(found, words))
    if isinstance(found, StochasticValue):
        return (_stochastic_sentence(found, words),)
    return tuple(_information_sentences(found, words))


@dataclass(frozen=True)
class _Words:
    """How amounts are written."""

    unit: str
    form: str
    share: Callable[[float], float]

    def number(self, amount: float) -> str:
        """A number alone; what rounds to nothing has no sign."""
        text = numeral(amount, self.form)
        return text.lstrip("-") if not any(digit in text for digit in "123456789") else text

    def money(self, amount: float) -> str:
        """A number with its unit."""
        told = _("{amount} {unit}")
        return told.format(amount=self.number(amount), unit=self.unit) if self.unit else self.number(amount)

    def per_cent(self, amount: float) -> str:
        """An amount as a share; none where there is nothing to compare with."""
        share = 100 * self.share(amount)
        digits = 0 if abs(share) >= 10 else 1 if abs(share) >= 1 else 2
        return _("no share can be given") if math.isnan(share) else f"{share:.{digits}f}%"

    def both(self, amount: float) -> str:
        """An amount in its unit and in per cent."""
        return _("{amount} ({share})").format(amount=self.money(amount), share=self.per_cent(amount))

    def spread(self, interval: Interval) -> str:
        """The ends of an interval."""
        return _("{low} to {high}").format(low=self.number(interval.low), high=self.money(interval.high))


def _optimality_sentences(found: Optimality, words: _Words) -> Iterator[str]:
    sure, (low, high) = f"{found.confidence:.0%}", found.limits
    yield _(
        "Value: on {number} fresh samples, which did not choose it, the portfolio is worth {value} ({confidence} "
        "interval {interval})."
    ).format(
        number=f"{found.lower.n:,}",
        value=words.money(found.lower.mean),
        confidence=sure,
        interval=words.spread(found.lower),
    )
    yield _(
        "True optimum: with at least {confidence} confidence the best there is lies between {low} and {high}; the "
        "upper end comes from the bounds of {number} batches of {samples} samples."
    ).format(
        confidence=sure,
        low=words.number(low),
        high=words.money(high),
        number=len(found.batches),
        samples=f"{found.samples:,}",
    )
    gap = _(
        "Gap: with {confidence} confidence the portfolio is at most {most} below the best there is; the estimate is "
        "{estimate}."
    ).format(confidence=sure, most=words.both(found.gap.high), estimate=words.both(found.gap.mean))
    yield join_texts([gap, *_unseen(found)], " ")
    yield _solver_gap_sentence(found, words)
    yield _(
        "Sampling gap: {estimate}, at most {most}, of that gap is because samples chose the portfolio and not the "
        "truth; more samples narrow it."
    ).format(estimate=words.both(found.sampling_gap.mean), most=words.both(found.sampling_gap.high))
    yield _(
        "Batch solver gap: the other {estimate}, at most {most}, is what the solver left open in the batches; more "
        "solver time narrows it."
    ).format(estimate=words.both(found.batch_solver_gap.mean), most=words.both(found.batch_solver_gap.high))
    yield _optimism_sentence(found, words)


def _unseen(found: Optimality) -> Iterator[str]:
    if not found.gap.high > 0:
        told = _("No batch had a better one, so what lies in worlds too rare for {samples} samples is not seen.")
        yield told.format(samples=f"{found.samples:,}")


def _solver_gap_sentence(found: Optimality, words: _Words) -> str:
    if math.isinf(found.solver_gap):
        return _("Solver gap: not known, as the portfolio came without a bound on the sample that chose it.")
    told = _(
        "Solver gap: on the sample that chose the portfolio none is better by more than {most}; more solver time "
        "narrows it."
    )
    return told.format(most=words.both(found.solver_gap))


def _optimism_sentence(found: Optimality, words: _Words) -> str:
    here, optimism, sure = found.overpromise, found.optimism, f"{found.confidence:.0%}"
    promised = (
        _(
            "Optimism: the sample that chose the portfolio promised {promised} more than fresh samples give of it "
            "({confidence} interval {interval}): plan with the fresh figure."
        )
        if here.mean >= 0
        else _(
            "Optimism: the sample that chose the portfolio promised {promised} less than fresh samples give of it "
            "({confidence} interval {interval}): plan with the fresh figure."
        )
    ).format(promised=words.both(abs(here.mean)), confidence=sure, interval=words.spread(here))
    again = (
        _(
            "Choosing anew on {number} other samples promised {promised} more on average than fresh samples gave of "
            "what each chose ({confidence} interval {interval}, the noise of choosing included): {meaning}."
        )
        if optimism.mean >= 0
        else _(
            "Choosing anew on {number} other samples promised {promised} less on average than fresh samples gave of "
            "what each chose ({confidence} interval {interval}, the noise of choosing included): {meaning}."
        )
    ).format(
        number=optimism.n,
        promised=words.both(abs(optimism.mean)),
        confidence=sure,
        interval=words.spread(optimism),
        meaning=_curse(optimism),
    )
    return join_texts([promised, again], " ")


def _curse(optimism: Interval) -> str:
    if optimism.low > 0:
        return _("what is chosen for looking best looks better than it is")
    return _("so many samples hardly flatter what they choose, or so few repeats do not show it")


def _stochastic_sentence(found: StochasticValue, words: _Words) -> str:
    if found.linear:
        told = _(
            "Stochastic solution: {difference}; when only the mean counts, the mean of each value says all that "
            "matters, so reckoning with uncertainty changes nothing, and any difference is the solver's."
        )
        return told.format(difference=words.both(found.difference.mean))
    return _(
        "Stochastic solution: reckoning with uncertainty brings {difference} more than choosing as if nothing were "
        "uncertain ({confidence} interval {interval}, both judged on the same {number} fresh samples)."
    ).format(
        difference=words.both(found.difference.mean),
        confidence=f"{found.confidence:.0%}",
        interval=words.spread(found.difference),
        number=f"{found.difference.n:,}",
    )


def _information_sentences(found: InformationValue, words: _Words) -> Iterator[str]:
    yield _(
        "Perfect information: who knew each world before choosing would have between {low} and {high} more ({least} to "
        "{most} of what they would have), with at least {confidence} confidence, from {number} worlds solved in "
        "hindsight."
    ).format(
        low=words.number(found.low),
        high=words.money(found.high),
        least=words.per_cent(found.low),
        most=words.per_cent(found.high),
        confidence=f"{found.confidence:.0%}",
        number=f"{found.n:,}",
    )
    yield _(
        "Worth of studies: no study, forecast or delay that only brings knowledge is worth more than {value}; the "
        "portfolio itself does {low} to {high} worse than hindsight on average."
    ).format(value=words.money(found.high), low=words.number(found.least), high=words.money(found.most))
