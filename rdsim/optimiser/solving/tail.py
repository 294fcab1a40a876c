"""Cuts on the tail: a sampled figure of a portfolio in a linear model, without a column for each sample.

A *sampled figure* is linear in the columns of a model, sample by sample: ``L[n] = samples[n] @ x + fixed @ column``.
Two kinds of statistics of it are bounded from below here:

* its **tail mean** at a level (its CVaR: the mean of the worst, smallest, 1 - level share; level 0 is the mean). It is
  the least of ``q @ L`` over all weights q >= 0 that sum to 1 and are at most ``1 / (N (1 - level))`` (Rockafellar and
  Uryasev 2002), so each q gives a row that holds for every portfolio, and the q that is least at one column
  vector gives the row that is tight there. Adding such rows until none is broken is Kelley's method (1960), for
  CVaR that of Kunzi-Bay and Mayer (2006): one dense row for each cut, whatever the number of samples.
* the **number of samples** in which it reaches a value: all (one row for each sample that is broken), a share (a
  binary column for each sample, or a row for each sample of a set that is kept).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from rdsim.arrays import Floats, Ints
from rdsim.optimiser.models.model import Model, with_rows_below
from rdsim.optimiser.problem.problem import PortfolioProblem

__all__ = [
    "Cuts",
    "SampledFigure",
    "Support",
    "TailRule",
    "least_count",
    "lowest",
    "no_cuts",
    "tail_mean",
    "tail_weights",
    "with_column",
    "with_cuts",
    "with_sample_columns",
]

ROUNDING = 1e-12
ROWS_AT_ONCE = 10


def tail_weights(values: Floats, level: float) -> tuple[Ints, Floats]:
    """The samples of the worst (smallest) 1 - level share and their weights, which sum to 1.

    A sample that the level splits gets the part that belongs to the tail. Equal values go to the smaller index first.

    Model: R25.
    """
    share = (1 - level) * values.size
    count = min(values.size, max(1, math.ceil(share * (1 - ROUNDING))))
    if count == values.size:
        worst = np.arange(values.size)
        split = int(values.argmax())
    else:
        worst = _smallest(values, count)
        split = int(values[worst].argmax())
    weights = np.full(count, 1 / share)
    weights[split] = 1 - (count - 1) / share
    return worst, weights


def _smallest(values: Floats, count: int) -> Ints:
    """Indices of the `count` smallest, ascending; of equal ones the first."""
    edge = np.partition(values, count - 1)[count - 1]
    below, equal = np.flatnonzero(values < edge), np.flatnonzero(values == edge)
    return np.sort(np.concatenate([below, equal[: count - below.size]]))


def tail_mean(values: Floats, level: float) -> float:
    """Mean of the worst (smallest) 1 - level share of equally likely values, shape (N,); at level 0 of all."""
    worst, weights = tail_weights(values, level)
    return float(weights @ values[worst])


def least_count(share: float, samples: int) -> int:
    """The fewest samples that are a share of all: 0.55 of 100 are 55, whatever floating point says."""
    return min(samples, max(0, math.ceil(share * samples * (1 - ROUNDING))))


@dataclass(frozen=True, eq=False)
class Cuts:
    """Rows ``coefficients @ column <= caps`` and what each belongs to; shapes (k, n) and (k,)."""

    coefficients: Floats
    caps: Floats
    names: tuple[str, ...]

    def and_(self, more: Cuts) -> Cuts:
        """These rows, then more."""
        return Cuts(
            np.concatenate([self.coefficients, more.coefficients]),
            np.concatenate([self.caps, more.caps]),
            (*self.names, *more.names),
        )

    def only(self, kept: Ints) -> Cuts:
        """Some of the rows."""
        return Cuts(self.coefficients[kept], self.caps[kept], tuple(self.names[row] for row in kept))

    def slack(self, columns: Floats) -> Floats:
        """Room that is left in each row, relative to the largest number in it, shape (k,)."""
        largest = np.maximum(np.abs(self.coefficients).max(axis=1, initial=0.0), np.abs(self.caps))
        room = self.caps - self.coefficients @ columns
        return np.asarray(room / np.maximum(largest, 1e-300))


def no_cuts(columns: int) -> Cuts:
    """No rows yet."""
    return Cuts(np.zeros((0, columns)), np.zeros(0), ())


def with_cuts(model: Model, cuts: Cuts) -> Model:
    """The model with the cuts as its last rows."""
    return with_rows_below(model, cuts.coefficients, cuts.caps) if cuts.names else model


@dataclass(frozen=True, eq=False)
class Support:
    """What a cut is made of: a rule's place (none: the objective's tail), samples, and weights that sum to 1."""

    rule: int | None
    samples: Ints
    weights: Floats


@dataclass(frozen=True, eq=False)
class SampledFigure:
    """``base[n] + sign * samples[n] @ x + fixed @ column``: a sampled figure; the options' columns come first."""

    samples: Floats  # (N, O)
    fixed: Floats  # (n,) what is the same in every sample
    sign: float = 1.0
    base: Floats = field(default_factory=lambda: np.zeros(1))  # (N,) or (1,): of columns that were taken out

    @property
    def count(self) -> int:
        """How many samples there are."""
        return int(self.samples.shape[0])

    def of(self, columns: Floats) -> Floats:
        """The figure in every sample, shape (N,)."""
        x = columns[: self.samples.shape[1]]
        used = np.flatnonzero(x)
        # Sums, not matrix products: the threads of a BLAS cost more than they bring here, and may round differently.
        sampled = (self.samples[:, used] * x[used]).sum(axis=1)
        return np.asarray(self.base + self.sign * sampled + float(self.fixed @ columns))

    def combine(self, support: Support) -> tuple[Floats, float]:
        """Coefficients (n,) and constant of the support's weighted mean; weights take few values."""
        row, options = self.fixed.copy(), self.samples.shape[1]
        for weight in np.unique(support.weights).tolist():
            alike = support.samples[support.weights == weight]
            rows = self.samples if alike.size == self.count else self.samples[alike]
            row[:options] += self.sign * weight * rows.sum(axis=0)
        return row, float(support.weights @ np.broadcast_to(self.base, self.count)[support.samples])

    def weigh(self, weights: Floats) -> Floats:
        """Coefficients (n,) of a weighted sum over the samples, weights (N,), most of them 0."""
        used = np.flatnonzero(weights)
        row = float(weights.sum()) * self.fixed
        row[: self.samples.shape[1]] += self.sign * np.einsum("n,no->o", weights[used], self.samples[used])
        return row

    def pad(self, columns: int) -> SampledFigure:
        """The figure in a model with more columns behind those it knows."""
        fixed = np.zeros(columns)
        fixed[: self.fixed.size] = self.fixed
        return replace(self, fixed=fixed)

    def narrow(self, kept: Ints, rest: Floats) -> SampledFigure:
        """The figure in a model with the kept columns only; `rest` (n,) has the others' values, 0 for the kept."""
        options = self.samples.shape[1]
        return SampledFigure(self.samples[:, kept[kept < options]], self.fixed[kept], self.sign, self.of(rest))


@dataclass(frozen=True, eq=False)
class TailRule:
    """A statistic of a figure must be at least `least`: its tail mean, or the value reached in a share of the samples.

    `share` none: the tail mean at `level`. Else: at least a share of the samples reaches `least`, and with `kept`
    the samples named there all do, which implies it.

    Model: R22, R23, R24.
    """

    name: str
    figure: SampledFigure
    least: float
    tolerance: float
    level: float = 0.0
    share: float | None = None
    kept: Ints | None = None

    @property
    def counts(self) -> bool:
        """True if rows alone cannot state it: a share of the samples, and none picked."""
        return self.share is not None and self.share < 1 and self.kept is None

    def violations(self, columns: Floats, place: int) -> list[Support]:
        """Supports of rows that are broken at these columns and that the rule implies; none if it holds or `counts`."""
        if self.counts:
            return []
        sampled, least = self.figure.of(columns), self.least - 2 * self.tolerance
        if self.share is None:
            worst, weights = tail_weights(sampled, self.level)
            return [Support(place, worst, weights)] if weights @ sampled[worst] < least else []
        kept = np.arange(sampled.size) if self.kept is None else self.kept
        worst = kept[np.argsort(sampled[kept], kind="stable")[:ROWS_AT_ONCE]]
        return [Support(place, np.array([sample]), np.ones(1)) for sample in worst[sampled[worst] < least]]

    def row(self, support: Support) -> tuple[Floats, float]:
        """(coefficients, cap) of ``coefficients @ column <= cap``, within the rule's tolerance."""
        row, constant = self.figure.combine(support)
        return -row, constant + self.tolerance - self.least

    def pad(self, columns: int) -> TailRule:
        """The rule in a model with more columns behind those it knows."""
        return replace(self, figure=self.figure.pad(columns))

    def narrow(self, kept: Ints, rest: Floats) -> TailRule:
        """The rule in a model with the kept columns only, see `SampledFigure.narrow`."""
        return replace(self, figure=self.figure.narrow(kept, rest))

    def as_tail(self) -> TailRule:
        """A stricter rule that rows can state: CVaR at the share, which implies that the share is reached."""
        return replace(self, level=self.share or 0.0, share=None) if self.counts else self

    def keeping(self, columns: Floats) -> TailRule:
        """A stricter rule that rows can state: it holds in the samples that are best at these columns."""
        if self.share is None or self.share >= 1:
            return self
        sampled = self.figure.of(columns)
        kept = np.argsort(-sampled, kind="stable")[: least_count(self.share, sampled.size)]
        return replace(self, kept=np.sort(kept))


# ---------------------------------------------------------------- models with more columns


def with_column(model: Model, name: str, value: float) -> Model:
    """The model with one more free continuous column, which no row has yet."""
    empty = csr_array((len(model.row_names), 1))
    return replace(
        model,
        column_names=(*model.column_names, name),
        value=np.append(model.value, value),
        lower=np.append(model.lower, -np.inf),
        upper=np.append(model.upper, np.inf),
        integer=np.append(model.integer, False),
        matrix=csr_array(hstack([model.matrix, empty])),
    )


def lowest(problem: PortfolioProblem, numbers: Floats) -> Floats:
    """The least sum that one option or none of each group can have, shape (...,) of numbers (..., O)."""
    total = np.zeros(numbers.shape[:-1])
    for group in range(len(problem.group_names)):
        least = numbers[..., problem.group == group].min(axis=-1, initial=np.inf)
        total = total + np.minimum(least, 0.0)
    return np.asarray(total)


def with_sample_columns(model: Model, rule: TailRule, floor: Floats) -> Model:
    """The model with a binary column for each sample, 1 only where the rule's figure reaches its least value.

    ``L[n] >= floor[n] + (least - floor[n]) u[n]`` and ``sum of u >= share * N``; `floor` (N,) is what L never falls
    below. Exact, and as large as the samples are many.

    Model: R23, V7.
    """
    figure, least = rule.figure, rule.least - rule.tolerance
    count, columns = figure.count, len(model.column_names)
    rise = np.maximum(least - floor, 0.0)
    options = figure.samples.shape[1]
    fixed = np.broadcast_to(-figure.fixed, (count, columns)).copy()
    fixed[:, :options] -= figure.sign * figure.samples
    diagonal = coo_array((rise, (np.arange(count), np.arange(count))), shape=(count, count))
    reached = hstack([csr_array(fixed), csr_array(diagonal)])
    enough = hstack([csr_array((1, columns)), csr_array(-np.ones((1, count)))])
    wide = hstack([model.matrix, csr_array((len(model.row_names), count))])
    names = (*(f"{rule.name}_{sample:06d}" for sample in range(count)), f"{rule.name}_share")
    return Model(
        column_names=(*model.column_names, *(f"u_{rule.name}_{sample:06d}" for sample in range(count))),
        value=np.concatenate([model.value, np.zeros(count)]),
        offset=model.offset,
        lower=np.concatenate([model.lower, np.zeros(count)]),
        upper=np.concatenate([model.upper, np.ones(count)]),
        integer=np.concatenate([model.integer, np.ones(count, dtype=bool)]),
        row_names=(*model.row_names, *names),
        matrix=csr_array(vstack([wide, reached, enough])),
        sense=(*model.sense, *("<=" for _ in names)),
        rhs=np.concatenate([model.rhs, -floor, [-float(least_count(rule.share or 0.0, count))]]),
        blocks=model.blocks,
    )
