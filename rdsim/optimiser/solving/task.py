"""A problem and a risk as a linear model, short of the cuts: what `kelley` bounds and `risk` solves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rdsim.arrays import Bools, Floats, Ints
from rdsim.optimiser.models.milp import formulate, lay_out, opening_weights, tighten
from rdsim.optimiser.models.model import Model, restrict
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.optimiser.solving.appraisal import Appraiser, Risk, SampledRow, cap_of, rule_names
from rdsim.optimiser.solving.tail import (
    Cuts,
    SampledFigure,
    Support,
    TailRule,
    tail_mean,
    tail_weights,
    with_column,
    with_cuts,
)

__all__ = ["RiskModel", "state_task"]


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A problem and a risk as a linear model, short of the cuts.

    If CVaR counts in the objective, column `tail` times `unit` is the tail mean of the options' values; the unit, their
    size, makes tolerances relative.
    """

    problem: PortfolioProblem
    risk: Risk
    judge: Appraiser
    model: Model
    values: SampledFigure
    rules: tuple[TailRule, ...]
    tail: int | None
    unit: float

    @property
    def counting(self) -> tuple[TailRule, ...]:
        """The rules that rows alone cannot state."""
        return tuple(rule for rule in self.rules if rule.counts)

    def worth_of(self, columns: Floats) -> float:
        """The objective of these columns, with the tail mean that they have instead of the one they claim."""
        claimed = self.model.offset + float(self.model.value @ columns)
        if self.tail is None:
            return claimed
        return claimed + self.risk.weight * (self.tail_of(columns) - self.unit * float(columns[self.tail]))

    def tail_of(self, columns: Floats) -> float:
        """Tail mean of the options' values at these columns."""
        return tail_mean(self.values.of(columns), self.risk.level)

    def violations(self, columns: Floats, rules: tuple[TailRule, ...], margin: float) -> list[Support]:
        """What these columns break: the objective's tail by more than `margin`, and the rules, by their place."""
        found = [] if self.tail is None else self._tail_violations(columns, self.tail, margin)
        for place, rule in enumerate(rules):
            found.extend(rule.violations(columns, place))
        return found

    def _tail_violations(self, columns: Floats, tail: int, margin: float) -> list[Support]:
        sampled = self.values.of(columns)
        worst, weights = tail_weights(sampled, self.risk.level)
        over = self.unit * columns[tail] - weights @ sampled[worst]
        return [Support(None, worst, weights)] if over > margin else []

    def cuts(self, supports: Sequence[Support]) -> Cuts:
        """The rows that the supports stand for."""
        rows = [self._row(support) for support in supports]
        names = ("objective" if support.rule is None else self.rules[support.rule].name for support in supports)
        coefficients = np.array([row for row, _ in rows]).reshape(len(rows), self.model.value.size)
        return Cuts(coefficients, np.array([cap for _, cap in rows], dtype=np.float64), tuple(names))

    def _row(self, support: Support) -> tuple[Floats, float]:
        """For the objective: unit * tail <= weights @ values @ x.

        Model: R25.
        """
        if support.rule is not None:
            return self.rules[support.rule].row(support)
        row, constant = self.values.combine(support)
        row = -row
        row[self.tail] = self.unit
        return row, constant

    def narrow(self, open_: Bools) -> tuple[RiskModel, Ints]:
        """The task with the open options only, the others at their lower bounds, and the columns that are left."""
        upper = self.model.upper.copy()
        options = open_.size
        upper[:options] = np.where(open_, upper[:options], self.model.lower[:options])
        model, kept = restrict(self.model, self.model.lower, upper)
        rest = self.model.lower.copy()
        rest[kept] = 0.0
        rules = tuple(rule.narrow(kept, rest) for rule in self.rules)
        tail = None if self.tail is None else int(np.searchsorted(kept, self.tail))
        return replace(self, model=model, values=self.values.narrow(kept, rest), rules=rules, tail=tail), kept


def state_task(problem: PortfolioProblem, risk: Risk) -> RiskModel:
    """The model of a checked problem and a checked risk."""
    judge, model = Appraiser(problem, risk), tighten(problem, formulate(problem))
    options = len(problem.option_names)
    fixed, unit = model.value.copy(), float(np.abs(problem.expected_value).max(initial=0.0)) or 1.0
    fixed[:options] = 0.0
    tail = model.value.size if risk.weight > 0 else None
    if tail is not None:
        fixed = np.append(fixed, 0.0)
        model = _with_tail(problem, risk, model, unit)
    worth = SampledFigure(np.atleast_2d(problem.values), fixed)
    values = replace(worth, fixed=np.zeros(fixed.size))
    return RiskModel(problem, risk, judge, model, values, tuple(_rules(problem, risk, judge, worth)), tail, unit)


def _with_tail(problem: PortfolioProblem, risk: Risk, model: Model, unit: float) -> Model:
    """The model with the column of the tail mean, at most the mean: without a first cut it would be unbounded.

    Model: R21.
    """
    options = len(problem.option_names)
    value = model.value.copy()
    value[:options] *= 1 - risk.weight
    model = with_column(replace(model, value=value), "tail", risk.weight * unit)
    row = np.zeros(model.value.size)
    row[:options] = -problem.expected_value
    row[-1] = unit
    return with_cuts(model, Cuts(row[np.newaxis], np.zeros(1), ("objective",)))


def _rules(problem: PortfolioProblem, risk: Risk, judge: Appraiser, worth: SampledFigure) -> list[TailRule]:
    """The rules, in the order in which the judge lists them."""
    rules: list[TailRule] = []
    if risk.floor is not None:
        rules.append(TailRule("cvar", worth, risk.floor, judge.worth_tolerance(risk.floor), level=risk.level))
    if risk.target is not None and risk.probability is not None:
        tolerance = judge.worth_tolerance(risk.target)
        rules.append(TailRule("target", worth, risk.target, tolerance, share=risk.probability))
    names = rule_names(problem, risk.money)
    for place, row in enumerate(risk.money):
        figure = _money_figure(problem, row, worth.fixed.size)
        share = {"expected": None, "quantile": row.level, "always": 1.0}[row.holds]
        name, cap = names[place], cap_of(problem, row)
        rules.append(TailRule(name, figure, -cap, judge.money_tolerance(place), share=share))
    return rules


def _money_figure(problem: PortfolioProblem, row: SampledRow, columns: int) -> SampledFigure:
    """Money with its sign changed, so that more is better."""
    layout, weights = lay_out(problem), opening_weights(problem)[1 + row.row]
    fixed = np.zeros(columns)
    for (partner, stage), column in layout.opening.items():
        fixed[column] = -weights[partner, stage]
    return SampledFigure(np.atleast_2d(row.use), fixed, -1.0)
