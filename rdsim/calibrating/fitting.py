"""Maximum likelihood: step times from records, the models compared, and their intervals by bootstrap.

The time of the step from TRL i in a project with z partners and a window of T months has the median

    m_i (T / 36)^pace (z / 2)^partners     months,

lognormal or gamma. `pace` is there because the window is no experiment: who plans a short project plans quick steps.
Of m_i three shapes are compared: one for all, a line in TRL (of log m_i), and one for each step with enough records.
Akaike's criterion chooses (Akaike 1974, IEEE Trans. Automatic Control 19). Bootstrap: projects drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from rdsim.calibrating.likelihood import Kind, Law, gain_probabilities
from rdsim.calibrating.records import Records
from rdsim.stats import Interval

__all__ = ["ENOUGH", "REFERENCE", "Candidate", "Fit", "Model", "Shape", "fit", "fit_model"]

Floats = npt.NDArray[np.float64]
Shape = Literal["same", "line", "steps"]

REFERENCE = 36.0
"""Months of the window, and 2 partners (the usual number), at which medians are stated."""

ENOUGH = 30
"""A step is identified if at least so many projects attempted it."""

_MOST = 6
"""Own medians for the steps from TRL 1 to this one at most; later ones share it."""

_TINY = 1e-12


@dataclass(frozen=True)
class Model:
    """What is fitted."""

    shape: Shape
    kind: Kind = "lognormal"
    pace: bool = True
    partners: bool = True
    success: float = 1.0  # held fixed: records cannot tell slow from failed

    @property
    def name(self) -> str:
        """In words."""
        shape = {"same": "one median", "line": "medians in a line", "steps": "a median for each step"}[self.shape]
        extras = [word for word, on in (("pace of the window", self.pace), ("partners", self.partners)) if on]
        return f"{self.kind}, {shape}" + (f", {' and '.join(extras)}" if extras else "")


@dataclass(frozen=True, eq=False)
class Fit:
    """A model's estimates."""

    model: Model
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

    def windows(self, records: Records) -> Floats:
        """Months of each project, divided by what multiplies its step times."""
        return _windows(self.model, self.parameters, records)

    def gains(self, records: Records) -> Floats:
        """Probability of each number of steps, (N, 9), of projects with these beginnings, windows and partners."""
        return gain_probabilities(self.law, records.begin, self.windows(records))


@dataclass(frozen=True)
class Candidate:
    """A model that was compared."""

    name: str
    parameters: int
    log_likelihood: float
    aic: float


def fit(records: Records, kinds: tuple[Kind, ...] = ("lognormal", "gamma")) -> tuple[Fit, list[Candidate]]:
    """The best model by Akaike's criterion, and all that were compared, best first."""
    shapes: tuple[Shape, ...] = ("same", "line", "steps")
    models = [
        Model(shape, kind, pace, partners)
        for kind in kinds
        for shape in shapes
        for pace, partners in ((True, True), (True, False), (False, True), (False, False))
    ]
    fits = sorted((fit_model(records, model) for model in models), key=lambda one: one.aic)
    told = [Candidate(one.model.name, len(one.parameters), one.log_likelihood, one.aic) for one in fits]
    return fits[0], told


def fit_model(records: Records, model: Model, start: Floats | None = None) -> Fit:
    """The maximum likelihood estimates of one model, from a start or from the usual one."""
    identified = tuple(k + 1 for k, count in enumerate(records.at_risk().tolist()) if count >= ENOUGH)
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
        redone = fit_model(again, best.model, best.parameters)
        found.append(Fit(best.model, redone.parameters, redone.log_likelihood, best.identified))
        more(1)
    return found


def interval(values: Any, estimate: float, confidence: float = 0.95) -> Interval:
    """An estimate with the quantiles of its bootstrap values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(values, np.float64), [tail, 1 - tail])
    return Interval(float(estimate), float(low), float(high), len(values))


# --- parameters -----------------------------------------------------------------------------------


def _own(identified: tuple[int, ...]) -> int:
    """How many steps have a median of their own: from TRL 1 on, as far as they are identified."""
    return max(1, min(max(identified, default=1), _MOST))


def _sizes(model: Model, identified: tuple[int, ...]) -> int:
    return {"same": 1, "line": 2, "steps": _own(identified)}[model.shape]


def _start(model: Model, identified: tuple[int, ...]) -> Floats:
    medians = {"same": [2.7], "line": [2.7, 0.0], "steps": [2.7] * _own(identified)}[model.shape]
    return np.array([*medians, np.log(0.8), *([0.5] * model.pace), *([0.0] * model.partners)])


def _bounds(model: Model, identified: tuple[int, ...]) -> list[tuple[float, float]]:
    """Medians from a week to a century, spreads that a distribution can have."""
    medians = [(-1.4, 7.1)] * _sizes(model, identified)
    if model.shape == "line":
        medians[1] = (-1.5, 1.5)
    return [*medians, (np.log(0.1), np.log(3.0)), *([(-1.0, 3.0)] * model.pace), *([(-2.0, 2.0)] * model.partners)]


def _law(model: Model, parameters: Floats, identified: tuple[int, ...]) -> Law:
    steps = np.arange(1, 9)
    if model.shape == "line":
        logs = parameters[0] + parameters[1] * (steps - 3)
    elif model.shape == "steps":
        logs = parameters[np.minimum(steps, _own(identified)) - 1]
    else:
        logs = np.full(8, parameters[0])
    sigma = float(np.exp(parameters[_sizes(model, identified)]))
    return Law(tuple(np.exp(logs).tolist()), sigma, model.kind, model.success)


def _windows(model: Model, parameters: Floats, records: Records) -> Floats:
    factor = np.ones(records.count)
    if model.pace:
        factor *= (records.months / REFERENCE) ** parameters[-1 - model.partners]
    if model.partners:
        known = np.where(np.isnan(records.partners), 2.0, np.maximum(records.partners, 1.0))
        factor *= (known / 2.0) ** parameters[-1]
    return np.asarray(records.months / factor)


def _log_likelihood(model: Model, parameters: Floats, records: Records, identified: tuple[int, ...]) -> float:
    windows = np.clip(_windows(model, parameters, records), 0.01, 2000.0)
    chances = gain_probabilities(_law(model, parameters, identified), records.begin, windows)
    mine = chances[np.arange(records.count), records.gain]
    return float(np.log(np.maximum(mine, _TINY)).sum())


def profile_success(records: Records, best: Fit, levels: tuple[float, ...]) -> Iterator[tuple[float, Fit]]:
    """The model fitted again with other probabilities that a step ever succeeds: how little records say of it."""
    from dataclasses import replace  # noqa: PLC0415

    for level in levels:
        yield level, fit_model(records, replace(best.model, success=level), best.parameters)


__all__ += ["bootstrap", "interval", "profile_success"]
