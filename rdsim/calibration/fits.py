"""Maximum likelihood: step times from records, the models compared, and their intervals by bootstrap.

The time of the step from TRL i in a project with z partners and a window of T months has the median

    m_i (T / 36)^pace (z / 2)^partners     months,

lognormal or gamma. `pace` is there because the window is no experiment: who plans a short project plans quick steps.
Of m_i three shapes are compared: one for all, a line in TRL (of log m_i), and one for each step with enough records.
m_i is the time of an attempt, as in the simulation; how often steps succeed is held fixed.
Akaike's criterion chooses (Akaike 1974, IEEE Trans. Automatic Control 19). Bootstrap: projects drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize

from rdsim.arrays import Floats
from rdsim.calibration.likelihood import Kind, Law, gain_probabilities
from rdsim.calibration.records import Records
from rdsim.stats import Interval

__all__ = [
    "ENOUGH",
    "PARTNERS",
    "REFERENCE",
    "SUCCESS",
    "Fit",
    "ModelScore",
    "Shape",
    "StepModel",
    "bootstrap",
    "fit",
    "fit_model",
    "interval",
    "lowest_success",
    "otherwise",
]

Shape = Literal["same", "line", "steps"]

REFERENCE = 36.0
"""Months of the window, and 2 partners (the usual number), at which medians are stated."""

PARTNERS = 2.0

ENOUGH = 10
"""A step is identified if at least so many projects completed it (ten events a parameter: Peduzzi et al. 1996,
J. Clinical Epidemiology 49)."""

SUCCESS = 0.872**0.25
"""A step's success, held fixed: MOTIE's 87.2% of projects (`parameters.md`) over the usual four steps; assumed."""

_TINY = 1e-12
_DROP = 1.92  # of the log-likelihood, at the ends of a 95% profile interval: half of chi-square's 3.84


@dataclass(frozen=True)
class StepModel:
    """What is fitted."""

    shape: Shape
    kind: Kind = "lognormal"
    pace: bool = True
    partners: bool = True
    success: float = SUCCESS  # held fixed: records cannot tell slow from failed
    stops_at_plan: bool = False  # who has come as far as planned would have gone on: at least so many steps

    @property
    def name(self) -> str:
        """In words."""
        shape = {"same": "one median", "line": "medians in a line", "steps": "a median for each step"}[self.shape]
        extras = [word for word, on in (("pace of the window", self.pace), ("partners", self.partners)) if on]
        return f"{self.kind}, {shape}" + (f", {' and '.join(extras)}" if extras else "")


@dataclass(frozen=True, eq=False)
class Fit:
    """A model's estimates."""

    model: StepModel
    parameters: Floats
    log_likelihood: float
    identified: tuple[int, ...]  # TRLs whose step was attempted often enough

    @property
    def aic(self) -> float:
        """Akaike's information criterion: less is better."""
        return 2 * len(self.parameters) - 2 * self.log_likelihood

    @property
    def law(self) -> Law:
        """Step times at the reference window and number of partners."""
        return _law(self.model, self.parameters, self.identified)

    @property
    def pace(self) -> float:
        """Exponent of the window; 0 if it is not in the model."""
        return float(self.parameters[-1 - self.model.partners]) if self.model.pace else 0.0

    @property
    def partners(self) -> float:
        """Exponent of the number of partners; 0 if it is not in the model."""
        return float(self.parameters[-1]) if self.model.partners else 0.0

    def medians_at(self, months: float) -> Floats:
        """Median months of an attempt at each step, (8,), for a window of so many months and the usual partners."""
        return np.array(self.law.medians, np.float64) * float((months / REFERENCE) ** self.pace)

    def windows(self, records: Records) -> Floats:
        """Months of each project, divided by what multiplies its step times."""
        return _windows(self.model, self.parameters, records)

    def gains(self, records: Records) -> Floats:
        """Probability of each number of steps, (N, 9), of projects with these beginnings, windows and partners; of
        those that stop where they were planned to, if the model says so."""
        chances = gain_probabilities(self.law, records.begin, self.windows(records))
        if self.model.stops_at_plan:
            for row in np.flatnonzero(records.planned >= 0).tolist():
                end = int(records.planned[row])
                chances[row, end] = chances[row, end:].sum()
                chances[row, end + 1 :] = 0.0
        return chances


@dataclass(frozen=True)
class ModelScore:
    """A model that was compared."""

    name: str
    parameters: int
    log_likelihood: float
    aic: float


def fit(
    records: Records,
    kinds: tuple[Kind, ...] = ("lognormal", "gamma"),
    success: float = SUCCESS,
    stops_at_plan: bool = False,
) -> tuple[Fit, list[ModelScore]]:
    """The best model by Akaike's criterion, and all that were compared, best first."""
    shapes: tuple[Shape, ...] = ("same", "line", "steps")
    told = bool(np.isfinite(records.partners).any())
    extras = [(pace, partners) for pace in (True, False) for partners in ((True, False) if told else (False,))]
    models = [
        StepModel(shape, kind, pace, partners, success, stops_at_plan)
        for kind in kinds
        for shape in shapes
        for pace, partners in extras
    ]
    fits = sorted((fit_model(records, model) for model in models), key=lambda one: one.aic)
    compared = [ModelScore(one.model.name, len(one.parameters), one.log_likelihood, one.aic) for one in fits]
    return fits[0], compared


def fit_model(records: Records, model: StepModel, like: Fit | None = None) -> Fit:
    """The maximum likelihood estimates of one model; `like` gives the start, and which steps are identified."""
    identified = _identified_steps(records) if like is None else like.identified
    start = None if like is None else like.parameters
    first = _start(model, identified) if start is None else start
    bounds = _bounds(model, identified)

    def loss(parameters: Floats) -> float:
        return -_log_likelihood(model, parameters, records, identified)

    found = minimize(loss, first, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200, "ftol": 1e-10})
    return Fit(model, np.asarray(found.x), -float(found.fun), identified)


def bootstrap(records: Records, best: Fit, count: int, seed: int, more: Callable[[int], None]) -> list[Fit]:
    """The model fitted again to projects drawn with replacement."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        again = records.some(rng.integers(0, records.count, records.count))
        found.append(fit_model(again, best.model, best))
        more(1)
    return found


def lowest_success(records: Records, best: Fit) -> float:
    """The lowest step success that the records do not rule out: lower end of its 95% profile interval (by bisection).

    1 if they rule out even less; what they never rule out is that every step succeeds in the end.
    """
    certain = fit_model(records, replace(best.model, success=1.0), best)
    top = max(certain.log_likelihood, best.log_likelihood)
    low, high = 0.3, 1.0
    for _ in range(6):
        middle = (low + high) / 2
        tried = fit_model(records, replace(best.model, success=middle), best)
        low, high = (low, middle) if tried.log_likelihood >= top - _DROP else (middle, high)
    return high


def otherwise(records: Records, best: Fit) -> Fit | None:
    """The model fitted under the other view of plans - that projects stop, or do not, where they were planned to;
    None if no plan is known."""
    if not records.at_plan.any():
        return None
    return fit_model(records, replace(best.model, stops_at_plan=not best.model.stops_at_plan), best)


def interval(values: Any, estimate: float, confidence: float = 0.95) -> Interval:
    """An estimate with the quantiles of its bootstrap values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(values, np.float64), [tail, 1 - tail])
    return Interval(float(estimate), float(low), float(high), len(values))


# --- parameters -----------------------------------------------------------------------------------


def _identified_steps(records: Records) -> tuple[int, ...]:
    return tuple(k + 1 for k, count in enumerate(records.completions().tolist()) if count >= ENOUGH)


def _own(identified: tuple[int, ...]) -> int:
    """How many steps have a median of their own: from the first that is identified to the last."""
    return max(1, max(identified, default=1) - min(identified, default=1) + 1)


def _sizes(model: StepModel, identified: tuple[int, ...]) -> int:
    return {"same": 1, "line": 2, "steps": _own(identified)}[model.shape]


def _start(model: StepModel, identified: tuple[int, ...]) -> Floats:
    medians = {"same": [2.7], "line": [2.7, 0.0], "steps": [2.7] * _own(identified)}[model.shape]
    return np.array([*medians, np.log(0.8), *([0.5] * model.pace), *([0.0] * model.partners)])


def _bounds(model: StepModel, identified: tuple[int, ...]) -> list[tuple[float, float]]:
    """Medians from a week to a century, spreads that a distribution can have."""
    medians = [(-1.4, 7.1)] * _sizes(model, identified)
    if model.shape == "line":
        medians[1] = (-1.5, 1.5)
    return [*medians, (np.log(0.1), np.log(3.0)), *([(-1.0, 3.0)] * model.pace), *([(-2.0, 2.0)] * model.partners)]


def _law(model: StepModel, parameters: Floats, identified: tuple[int, ...]) -> Law:
    steps = np.arange(1, 9)
    if model.shape == "line":
        logs = parameters[0] + parameters[1] * (steps - 3)
    elif model.shape == "steps":
        first = min(identified, default=1)
        logs = parameters[np.clip(steps - first, 0, _own(identified) - 1)]
    else:
        logs = np.full(8, parameters[0])
    sigma = float(np.exp(parameters[_sizes(model, identified)]))
    medians = np.clip(np.exp(logs), 0.01, 1e4)
    return Law(tuple(medians.tolist()), sigma, model.kind, model.success)


def _windows(model: StepModel, parameters: Floats, records: Records) -> Floats:
    factor = np.ones(records.count)
    if model.pace:
        factor *= (records.months / REFERENCE) ** parameters[-1 - model.partners]
    if model.partners:
        known = np.where(np.isnan(records.partners), PARTNERS, np.maximum(records.partners, 1.0))
        factor *= (known / PARTNERS) ** parameters[-1]
    return np.asarray(records.months / factor)


def _log_likelihood(model: StepModel, parameters: Floats, records: Records, identified: tuple[int, ...]) -> float:
    windows = np.clip(_windows(model, parameters, records), 0.01, 2000.0)
    chances = gain_probabilities(_law(model, parameters, identified), records.begin, windows)
    mine = chances[np.arange(records.count), records.gain]
    if model.stops_at_plan:
        further = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1][np.arange(records.count), records.gain]
        mine = np.where(records.at_plan, further, mine)
    return float(np.log(np.maximum(mine, _TINY)).sum())
