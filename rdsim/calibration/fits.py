"""Maximum likelihood: step times and success from records, the models compared, and their intervals.

The time of the step from TRL i in a project with z partners and a window of T months has the median

    m_i (T / 36)^pace (z / 2)^partners     months,

lognormal or gamma. `pace` is there because the window is no experiment: who plans a short project plans quick steps.
Of m_i three shapes are compared: one for all, a line in TRL (of log m_i), and one for each step with enough records.
m_i is the time of an attempt, as in the simulation. How often a step succeeds in the end is fitted where projects are
told to have failed at it, as a log-odds of its own, and held fixed elsewhere: gains alone cannot tell slow from failed.
Akaike's criterion chooses (Akaike 1974, IEEE Trans. Automatic Control 19). Bootstrap: projects drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

from rdsim.arrays import Floats
from rdsim.calibration.likelihood import Kind, Law, Windows, gain_probabilities, window_probabilities
from rdsim.calibration.records import Records
from rdsim.stats import Interval

__all__ = [
    "ENOUGH",
    "PARTNERS",
    "REFERENCE",
    "SUCCESS",
    "Fit",
    "Identified",
    "ModelScore",
    "Shape",
    "StepModel",
    "bootstrap",
    "fit",
    "fit_model",
    "interval",
    "lowest_success",
    "otherwise",
    "success_intervals",
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
_HALF = 0.5  # of a month: dates are no finer
_ODDS = (-4.0, 7.0)
"""Log-odds of a step's success, from 0.018 to 0.9991, that are searched."""
_START = 2.5
_NEAR = 0.03
_DROP = 1.92  # of the log-likelihood, at the ends of a 95% profile interval: half of chi-square's 3.84


@dataclass(frozen=True)
class StepModel:
    """What is fitted."""

    shape: Shape
    kind: Kind = "lognormal"
    pace: bool = True
    partners: bool = True
    success: float = SUCCESS  # of steps at which no failures are told: slow cannot be told from failed there
    stops_at_plan: bool = False  # who has come as far as planned would have gone on: at least so many steps
    planned_ends: bool = False  # who reached or failed did so by the end of the record, not just then

    @property
    def name(self) -> str:
        """In words."""
        shape = {"same": "one median", "line": "medians in a line", "steps": "a median for each step"}[self.shape]
        extras = [word for word, on in (("pace of the window", self.pace), ("partners", self.partners)) if on]
        return f"{self.kind}, {shape}" + (f", {' and '.join(extras)}" if extras else "")


@dataclass(frozen=True)
class Identified:
    """TRLs whose step records tell of: enough projects completed it; so many did, and some are told to have failed."""

    times: tuple[int, ...]
    success: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Fit:
    """A model's estimates."""

    model: StepModel
    parameters: Floats
    log_likelihood: float
    identified: Identified

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
        those that stop where they were planned to, if the model says so. Where a record says how the project ended,
        given that it ended so."""
        windows = self.windows(records)
        chances = gain_probabilities(self.law, records.begin, windows)
        if self.model.stops_at_plan:
            for row in np.flatnonzero((records.planned >= 0) & ~records.has_outcome).tolist():
                end = int(records.planned[row])
                chances[row, end] = chances[row, end:].sum()
                chances[row, end + 1 :] = 0.0
        if records.has_outcome.any():
            chances[records.has_outcome] = _told_gains(self, records.some(np.flatnonzero(records.has_outcome)))
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
    planned_ends: bool = False,
) -> tuple[Fit, list[ModelScore]]:
    """The best model by Akaike's criterion, and all that were compared, best first."""
    shapes: tuple[Shape, ...] = ("same", "line", "steps")
    told = bool(np.isfinite(records.partners).any())
    # A window that ends with what happened in it is no covariate of it.
    paces = (True, False) if planned_ends or not records.has_outcome.any() else (False,)
    extras = [(pace, partners) for pace in paces for partners in ((True, False) if told else (False,))]
    models = [
        StepModel(shape, kind, pace, partners, success, stops_at_plan, planned_ends)
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
    first = _start(model, identified) if like is None else like.parameters
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


def success_intervals(records: Records, best: Fit) -> dict[int, Interval]:
    """Eventual success of the steps whose success is identified, by TRL, with 95% intervals by likelihood ratio.

    The other parameters stay at their estimates, and the drop of the likelihood that is asked for grows by how much
    more is unknown when they are unknown too: exact where the log-likelihood is quadratic in them (Cox & Reid 1987,
    J. Royal Statistical Society B 49). An end beyond the log-odds that are searched is 0 or 1. `n` counts the
    projects that completed the step or failed at it.
    """
    if not best.identified.success:
        return {}
    first, seen = _sizes(best.model, best.identified) + 1, (records.completions() + records.failures()).tolist()
    drops = _DROP * _inflation(records, best)
    return {
        trl: Interval(float(expit(best.parameters[k])), *_ends(records, best, k, float(drops[k])), seen[trl - 1])
        for k, trl in enumerate(best.identified.success, start=first)
    }


def _ends(records: Records, best: Fit, place: int, drop: float) -> tuple[float, float]:
    """Probabilities at which the log-likelihood has dropped so far, along one parameter that is a log-odds."""
    moved = best.parameters.copy()

    def beyond(odds: float) -> float:
        moved[place] = odds
        return best.log_likelihood - drop - _log_likelihood(best.model, moved, records, best.identified)

    estimate = float(best.parameters[place])
    low, high = (
        float(expit(brentq(beyond, estimate, end, xtol=1e-3))) if beyond(end) > 0.0 else float(end > 0.0)
        for end in _ODDS
    )
    return low, high


def _inflation(records: Records, best: Fit) -> Floats:
    """Variance of each parameter over its variance if the others were known, from the information at the estimates."""
    information = _information(
        lambda moved: _log_likelihood(best.model, moved, records, best.identified), best.parameters
    )
    return np.maximum(np.diag(information) * np.diag(np.linalg.pinv(information)), 1.0)


def _information(likelihood: Callable[[Floats], float], at: Floats) -> Floats:
    """Minus the second derivatives, by central differences."""
    steps = np.eye(at.size) * _NEAR
    found = np.empty((at.size, at.size))
    for i, j in zip(*np.triu_indices(at.size), strict=True):
        one, other = steps[i], steps[j]
        corners = likelihood(at + one + other) - likelihood(at + one - other)
        corners += likelihood(at - one - other) - likelihood(at - one + other)
        found[i, j] = found[j, i] = -corners / (4.0 * _NEAR**2)
    return found


def otherwise(records: Records, best: Fit) -> Fit | None:
    """The model fitted under the other view of plans - that projects stop, or do not, where they were planned to;
    None if no plan is known of a project that does not say how it ended."""
    if not (records.at_plan & ~records.has_outcome).any():
        return None
    return fit_model(records, replace(best.model, stops_at_plan=not best.model.stops_at_plan), best)


def interval(values: Any, estimate: float, confidence: float = 0.95) -> Interval:
    """An estimate with the quantiles of its bootstrap values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(values, np.float64), [tail, 1 - tail])
    return Interval(float(estimate), float(low), float(high), len(values))


# --- parameters -----------------------------------------------------------------------------------


def _identified_steps(records: Records) -> Identified:
    times = tuple(k + 1 for k, count in enumerate(records.completions().tolist()) if count >= ENOUGH)
    failures = records.failures().tolist()
    return Identified(times, tuple(trl for trl in times if failures[trl - 1]))


def _own(identified: Identified) -> int:
    """How many steps have a median of their own: from the first that is identified to the last."""
    return max(1, max(identified.times, default=1) - min(identified.times, default=1) + 1)


def _sizes(model: StepModel, identified: Identified) -> int:
    return {"same": 1, "line": 2, "steps": _own(identified)}[model.shape]


def _start(model: StepModel, identified: Identified) -> Floats:
    medians = {"same": [2.7], "line": [2.7, 0.0], "steps": [2.7] * _own(identified)}[model.shape]
    odds = [_START] * len(identified.success)
    return np.array([*medians, np.log(0.8), *odds, *([0.5] * model.pace), *([0.0] * model.partners)])


def _bounds(model: StepModel, identified: Identified) -> list[tuple[float, float]]:
    """Medians from a week to a century, spreads that a distribution can have."""
    medians = [(-1.4, 7.1)] * _sizes(model, identified)
    if model.shape == "line":
        medians[1] = (-1.5, 1.5)
    odds = [_ODDS] * len(identified.success)
    return [
        *medians,
        (np.log(0.1), np.log(3.0)),
        *odds,
        *([(-1.0, 3.0)] * model.pace),
        *([(-2.0, 2.0)] * model.partners),
    ]


def _law(model: StepModel, parameters: Floats, identified: Identified) -> Law:
    steps = np.arange(1, 9)
    if model.shape == "line":
        logs = parameters[0] + parameters[1] * (steps - 3)
    elif model.shape == "steps":
        first = min(identified.times, default=1)
        logs = parameters[np.clip(steps - first, 0, _own(identified) - 1)]
    else:
        logs = np.full(8, parameters[0])
    place = _sizes(model, identified)
    sigma = float(np.exp(parameters[place]))
    medians = np.clip(np.exp(logs), 0.01, 1e4)
    own = dict(zip(identified.success, parameters[place + 1 :].tolist(), strict=False))
    success = tuple(float(expit(own[trl])) if trl in own else model.success for trl in steps.tolist())
    return Law(tuple(medians.tolist()), sigma, model.kind, success)


def _windows(model: StepModel, parameters: Floats, records: Records) -> Floats:
    factor = np.ones(records.count)
    if model.pace:
        factor *= (records.months / REFERENCE) ** parameters[-1 - model.partners]
    if model.partners:
        known = np.where(np.isnan(records.partners), PARTNERS, np.maximum(records.partners, 1.0))
        factor *= (known / PARTNERS) ** parameters[-1]
    return np.asarray(records.months / factor)


def _log_likelihood(model: StepModel, parameters: Floats, records: Records, identified: Identified) -> float:
    law, windows = _law(model, parameters, identified), _windows(model, parameters, records)
    mine = np.empty(records.count)
    told = records.has_outcome
    for chosen, chances in ((~told, _gain_chances), (told, _told_chances)):
        rows = np.flatnonzero(chosen)
        if rows.size:
            some = records.some(rows) if rows.size < records.count else records
            mine[rows] = chances(model, law, some, np.clip(windows[rows], 0.01, 2000.0))
    return float(np.log(np.maximum(mine, _TINY)).sum())


def _gain_chances(model: StepModel, law: Law, records: Records, windows: Floats) -> Floats:
    """Probability, (N,), of the gains of projects that do not say how they ended."""
    chances = gain_probabilities(law, records.begin, windows)
    mine = chances[np.arange(records.count), records.gain]
    if model.stops_at_plan:
        further = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1][np.arange(records.count), records.gain]
        mine = np.where(records.at_plan, further, mine)
    return np.asarray(mine)


def _told_chances(model: StepModel, law: Law, records: Records, windows: Floats) -> Floats:
    """Probability, (N,), of the gains and outcomes of projects that say how they ended."""
    return np.asarray(_course_chances(model, law, records, windows)[np.arange(records.count), records.gain])


def _course_chances(model: StepModel, law: Law, records: Records, windows: Floats) -> Floats:
    """Probability, (N, 9), of each number of steps together with how the project ended."""
    ends = windows * np.stack([1.0 - _HALF / records.months, np.ones(records.count), 1.0 + _HALF / records.months])
    found = window_probabilities(law, records.begin, np.maximum(ends, 0.0))
    at_least, failed = found.at_least, found.failed
    under_way = at_least[1, :, :-1] - at_least[1, :, 1:] - failed[1]
    if not model.planned_ends:
        found = Windows(at_least - at_least[[0]], failed - failed[[0]])
    month = 1 if model.planned_ends else 2
    reached, failing = found.at_least[month, :, :-1], found.failed[month]
    had_reached, had_failed = records.had("reached")[:, None], records.had("failed")[:, None]
    return np.maximum(np.where(had_reached, reached, np.where(had_failed, failing, under_way)), 0.0)


def _told_gains(best: Fit, records: Records) -> Floats:
    """Probability, (N, 9), of each number of steps given how the project ended; who reached it did its plan."""
    chances = _course_chances(best.model, best.law, records, best.windows(records)) + _TINY
    chances[records.had("reached")] = np.eye(chances.shape[1])[records.gain[records.had("reached")]]
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))
