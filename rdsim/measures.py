"""Figures of a portfolio as the optimiser sees them: what options alone come to, added up.

Any figure that options contribute to (see `rdsim.figures`) may be what a front is drawn of, or a floor set on; beside
them stand ``value``, the objective (the scenario's aim, with shortfalls), and ``cvar``, its mean in the worst samples.
What waiting does shows only in a simulation.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from rdsim.arrays import Floats
from rdsim.case import DAYS_PER_YEAR
from rdsim.domain import Scenario
from rdsim.errors import Fault, ProblemError, RenamedWarning
from rdsim.figures import Figure, current_name, figures_of
from rdsim.formulation import figure_values, opening, openings_of, synergies_of
from rdsim.metrics import discount
from rdsim.optimiser import PortfolioProblem
from rdsim.optimiser.models.variations import Measure
from rdsim.optimiser.problem.problem import frozen
from rdsim.optimiser.questions.fronts import VALUE
from rdsim.options import Options, contribution
from rdsim.tables import did_you_mean

__all__ = ["CVAR", "measure_of", "restate", "savings", "tradable_figures"]

CVAR = "cvar"
"""The name of the objective's mean in the worst samples."""


def tradable_figures(scenario: Scenario, names: Iterable[str]) -> list[Figure | str]:
    """The figures of those names, that options contribute to; `value` and `cvar` are themselves.

    Raises: ProblemError with the nearest name for each that there is none of.
    """
    names = list(names)
    known = {name: figure for name, figure in figures_of(scenario, names).items() if figure.is_additive}
    found: list[Figure | str] = []
    faults = []
    for name in names:
        now = _today(name, known)
        if now in known or now in (VALUE, CVAR):
            found.append(known.get(now, now))
            continue
        every = [VALUE, CVAR, *known]
        rule = f"must be {VALUE}, {CVAR} or a figure that options contribute to, as {', '.join(list(known)[:8])}"
        faults.append(Fault("figure", rule, repr(name), did_you_mean(name, every)))
    if faults:
        raise ProblemError(tuple(dict.fromkeys(faults)))
    return found


def _today(name: str, known: Mapping[str, Figure]) -> str:
    """The name of today; an old one is told."""
    now = current_name(name, known)
    if now != name:
        warnings.warn(f"the figure {name} is now called {now}; write that", RenamedWarning, stacklevel=3)
    return now


def measure_of(figure: Figure, scenario: Scenario, options: Options, use: Floats | None = None) -> Measure:
    """A figure as the optimiser counts it; `use` is what each option is expected to add, (O,), if samples must tell."""
    stages = sorted({choice.start_year for choice in options.choices})
    opened = opening(figure, scenario, openings_of(scenario, options, stages)).ravel()
    each = np.array(contribution(figure, scenario, options) if use is None else use, np.float64)
    whole = figure.unit == "count" and bool((each == np.round(each)).all() and (opened == np.round(opened)).all())
    return Measure(figure.name, frozen(each), frozen(opened if opened.any() else np.zeros(0)), integer=whole)


def restate(figure: Figure, scenario: Scenario, options: Options, problem: PortfolioProblem) -> PortfolioProblem:
    """The problem whose objective is a figure, with its synergies, which are no sum over options; no soft row costs."""
    stages, rows = [int(name) for name in problem.stage_names], problem.rows
    free = np.where(rows.is_soft, 0.0, rows.shortfall_price)
    groups = {name: g for g, name in enumerate(problem.group_names)}
    return replace(
        problem,
        values=frozen(np.array(figure_values(figure, scenario, options))),
        opening_value=frozen(opening(figure, scenario, openings_of(scenario, options, stages))),
        synergies=tuple(synergies_of(scenario, options, groups, figure.synergies)),
        rows=replace(rows, shortfall_price=frozen(free)),
    )


def savings(scenario: Scenario, options: Options) -> Floats:
    """Net value that each option gains if it costs nothing: its expected payments, discounted, shape (O,)."""
    years = np.arange(options.payments.shape[1], dtype=np.int64)
    return np.asarray(options.payments @ discount(scenario, years * DAYS_PER_YEAR))
