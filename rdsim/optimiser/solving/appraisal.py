"""Risk: mean and CVaR of a portfolio's sampled worth, chance constraints, money that must suffice sample by sample.

The worth of a portfolio in sample n is ``values[n, chosen].sum() + opening + synergy - shortfall``. Samples are equally
likely, and sample n is one world for every option (common random numbers).

**Signs.** Worth is a value: more is better, and the tail is its low end. ``CVaR`` at level a is the mean of the worst
(smallest) 1 - a share of the worths, so it is at most the mean and at least the worst. (`cvar(costs, a, "high")` is
that of costs: values 10, 20, 30, 40 at level 0.6 give 13.75 low, 36.25 high.) The objective is maximised::

    (1 - weight) * mean of worth + weight * CVaR of worth

Source: Rockafellar & Uryasev 2002 (J. Banking & Finance 26), also for a level that splits a sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rdsim.arrays import Floats
from rdsim.errors import Fault, ProblemError
from rdsim.optimiser.problem.evaluation import TOLERANCE, Evaluation, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.solving.tail import least_count
from rdsim.stats import cvar

__all__ = [
    "Appraisal",
    "Appraiser",
    "Risk",
    "RuleValue",
    "SampledRow",
    "appraise",
    "cap_of",
    "check_risk",
    "cvar",
    "rule_names",
    "sampled_worth",
]

HOLDS = ("expected", "quantile", "always")


@dataclass(frozen=True, eq=False)
class SampledRow:
    """A ceiling on the sampled use of a row: ``use[n, chosen].sum() + use of the openings <= cap``.

    It stands beside the problem's own row, which stays as it is; money carried over from another row is not counted on.

    Args:
        row: index of the row whose openings, cap and name count.
        use: (N, O) use of every option in every sample, or (O,).
        holds: `expected` - in the mean; `quantile` - in at least a share `level` of the samples; `always` - in all.
        cap: instead of the row's own.
    """

    row: int
    use: Floats
    holds: str = "quantile"
    level: float = 0.9
    cap: float | None = None


@dataclass(frozen=True, eq=False)
class Risk:
    """What is asked of the sampled worth.

    Args:
        level: of CVaR, 0 < level < 1: 0.95 looks at the worst twentieth.
        weight: of CVaR in the objective, 0..1; the mean has the rest.
        floor: CVaR must be at least this.
        target, probability: worth must be at least `target` in a share `probability` of the samples; without a
            probability the share is reported, and nothing is asked of it.
        money: rows of sampled money.
    """

    level: float = 0.95
    weight: float = 0.0
    floor: float | None = None
    target: float | None = None
    probability: float | None = None
    money: tuple[SampledRow, ...] = ()


@dataclass(frozen=True)
class RuleValue:
    """A rule of the risk, the value that a portfolio has, and the limit. `binds` is for solutions to say."""

    name: str
    value: float
    sense: str
    limit: float
    tolerance: float
    binds: bool = False

    @property
    def slack(self) -> float:
        """Room to the limit; negative if it is broken."""
        return self.value - self.limit if self.sense == ">=" else self.limit - self.value

    @property
    def holds(self) -> bool:
        """True if the limit is kept, within the tolerance."""
        return self.slack >= -self.tolerance


@dataclass(frozen=True, eq=False)
class Appraisal:
    """A portfolio judged on its samples."""

    evaluation: Evaluation
    worth: Floats  # (N,)
    objective: float  # (1 - weight) * mean + weight * cvar
    mean: float
    cvar: float
    worst: float
    probability: float  # share of the samples that reach the target; nan without one
    rules: tuple[RuleValue, ...]

    @property
    def feasible(self) -> bool:
        """True if every row of the problem and every rule of the risk holds."""
        return self.evaluation.feasible and all(rule.holds for rule in self.rules)


# ---------------------------------------------------------------- the judge


def sampled_worth(problem: PortfolioProblem, evaluation: Evaluation) -> Floats:
    """Worth of a portfolio in every sample, shape (N,)."""
    same = evaluation.opening + evaluation.synergy - evaluation.shortfall
    return np.asarray(np.atleast_2d(problem.values)[:, list(evaluation.chosen)].sum(axis=1) + same)


def appraise(problem: PortfolioProblem, risk: Risk, chosen: Iterable[int]) -> Appraisal:
    """Judge a choice of option indices on the samples.

    Raises: ProblemError if an index names no option or is named twice, or the risk does not fit the problem.
    """
    check_risk(problem, risk)
    return Appraiser(problem, risk).appraise(chosen)


@dataclass(frozen=True, eq=False)
class Appraiser:
    """Judges many portfolios of one problem: from the samples alone, without any model."""

    problem: PortfolioProblem
    risk: Risk

    def appraise(self, chosen: Iterable[int]) -> Appraisal:
        """See `appraise`.

        Model: R21.
        """
        evaluation = evaluate(self.problem, chosen)
        worth = sampled_worth(self.problem, evaluation)
        tail = cvar(worth, self.risk.level)
        return Appraisal(
            evaluation=evaluation,
            worth=worth,
            objective=(1 - self.risk.weight) * evaluation.objective + self.risk.weight * tail,
            mean=evaluation.objective,
            cvar=tail,
            worst=float(worth.min()),
            probability=math.nan if self.risk.target is None else self._share_at_target(worth),
            rules=tuple(self._rules(evaluation, worth, tail)),
        )

    def _share_at_target(self, worth: Floats) -> float:
        target = self.risk.target or 0.0
        return float((worth >= target - self.worth_tolerance(target)).mean())

    def _rules(self, evaluation: Evaluation, worth: Floats, tail: float) -> Iterator[RuleValue]:
        """Model: R22, R23."""
        risk = self.risk
        if risk.floor is not None:
            yield RuleValue("cvar", tail, ">=", risk.floor, self.worth_tolerance(risk.floor))
        if risk.target is not None and risk.probability is not None:
            reached = -_quantile(-worth, risk.probability)
            yield RuleValue("target", reached, ">=", risk.target, self.worth_tolerance(risk.target))
        for place, row in enumerate(risk.money):
            yield self._money_rule(place, row, evaluation)

    def _money_rule(self, place: int, row: SampledRow, evaluation: Evaluation) -> RuleValue:
        """Model: R24."""
        opening_use = self.problem.rows.opening_use[[row.row]].toarray().ravel()
        stages = len(self.problem.stage_names)
        openings = [partner * stages + stage for partner, stage in evaluation.opened.items()]
        used = np.atleast_2d(row.use)[:, list(evaluation.chosen)].sum(axis=1) + opening_use[openings].sum()
        name, cap = rule_names(self.problem, self.risk.money)[place], cap_of(self.problem, row)
        return RuleValue(name, _statistic(used, row), "<=", cap, self.money_tolerance(place))

    @cached_property
    def _worth_scale(self) -> float:
        """The largest number in a worth."""
        synergies = [abs(value) for *_, value in self.problem.synergies]
        return max(_size(self.problem.values), _size(self.problem.opening_value), *synergies, 0.0)

    @cached_property
    def _money_scales(self) -> tuple[float, ...]:
        rows = self.problem.rows
        return tuple(
            max(_size(row.use), _size(rows.opening_use[[row.row]].data), abs(cap_of(self.problem, row)))
            for row in self.risk.money
        )

    def worth_tolerance(self, limit: float) -> float:
        """How far a worth may be under a limit and still counts as at it."""
        return TOLERANCE * max(self._worth_scale, abs(limit))

    def money_tolerance(self, place: int) -> float:
        """How far the money of a sampled row may be over its cap."""
        return TOLERANCE * self._money_scales[place]


def _size(numbers: Floats) -> float:
    return max(float(numbers.max(initial=0.0)), -float(numbers.min(initial=0.0)))


def _quantile(values: Floats, share: float) -> float:
    """The smallest value that at least a share of the values is at or below."""
    return float(np.sort(values)[max(1, least_count(share, values.size)) - 1])


def _statistic(used: Floats, row: SampledRow) -> float:
    if row.holds == "expected":
        return float(used.mean())
    return _quantile(used, row.level if row.holds == "quantile" else 1.0)


def rule_names(problem: PortfolioProblem, money: Sequence[SampledRow]) -> tuple[str, ...]:
    """What the rules of sampled money are called; the second of the same kind on the same row has a number."""
    names: list[str] = []
    for row in money:
        how = f"at {row.level:g}" if row.holds == "quantile" else row.holds
        name = f"{problem.rows.names[row.row]} {how}"
        again = sum(known == name or known.startswith(f"{name} (") for known in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return tuple(names)


def cap_of(problem: PortfolioProblem, row: SampledRow) -> float:
    """The cap of a sampled row: its own, else that of the problem's row."""
    return float(problem.rows.cap[row.row]) if row.cap is None else row.cap


# ---------------------------------------------------------------- what can be wrong


def check_risk(problem: PortfolioProblem, risk: Risk) -> None:
    """Raise ProblemError with every fault of the risk; return nothing if there is none."""
    faults = tuple(_risk_faults(risk)) + tuple(
        fault for place, row in enumerate(risk.money) for fault in _row_faults(problem, place, row)
    )
    if faults:
        raise ProblemError(faults)


def _risk_faults(risk: Risk) -> Iterator[Fault]:
    if not 0 < risk.level < 1:
        yield Fault("risk.level", "must lie in 0 < level < 1", repr(risk.level))
    if not 0 <= risk.weight <= 1:
        yield Fault("risk.weight", "must lie in 0..1", repr(risk.weight))
    if risk.probability is not None and not 0 < risk.probability <= 1:
        yield Fault("risk.probability", "must lie in 0 < probability <= 1", repr(risk.probability))
    if risk.probability is not None and risk.target is None:
        yield Fault("risk.probability", "needs a target", "none", "State `target` as well.")
    for where, number in (("floor", risk.floor), ("target", risk.target)):
        if number is not None and not math.isfinite(number):
            yield Fault(f"risk.{where}", "must be finite", repr(number))


def _row_faults(problem: PortfolioProblem, place: int, row: SampledRow) -> Iterator[Fault]:
    where, options = f"risk.money[{place}]", len(problem.option_names)
    if not 0 <= row.row < len(problem.rows.names):
        yield Fault(f"{where}.row", f"must lie in 0..{len(problem.rows.names) - 1}", repr(row.row))
    if row.holds not in HOLDS:
        yield Fault(f"{where}.holds", f"must be one of {', '.join(HOLDS)}", repr(row.holds))
    if not 0 < row.level <= 1:
        yield Fault(f"{where}.level", "must lie in 0 < level <= 1", repr(row.level))
    if row.use.ndim not in {1, 2} or row.use.shape[-1] != options or 0 in row.use.shape[:-1]:
        yield Fault(f"{where}.use", f"must have shape (samples, {options}) or ({options},)", str(row.use.shape))
    elif not np.isfinite(row.use).all():
        yield Fault(f"{where}.use", "must be finite")
    if row.cap is not None and not math.isfinite(row.cap):
        yield Fault(f"{where}.cap", "must be finite", repr(row.cap))
