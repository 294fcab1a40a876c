"""Figures of a portfolio that a planner may name: what a front is drawn of, or a floor set on.

=======================  ===========================================================================================
value                    the objective: expected net present value, openings, synergies and shortfalls included
cvar                     the objective's mean in the worst samples, at the scenario's level of risk
commercialised-in-time   expected number on the market by their programme's deadline
commercialised           expected number on the market by the horizon
on-target                expected number that reach their target TRL
funded                   number of technologies funded
joint                    number of them with a partner
partners                 number of partners opened
payments                 expected home money, net of refunds, partners' cost included
payments-PROGRAMME       the same, of one programme
abroad                   expected money paid abroad
international            expected home money paid to joint projects
funded-FIELD             number of technologies funded in a field
=======================  ===========================================================================================

All are what the options come to alone, as the optimiser sees them: what waiting does shows only in a simulation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rdsim.domain import Scenario
from rdsim.errors import Fault, ProblemError
from rdsim.formulation import budget_rows
from rdsim.optimiser import PortfolioProblem
from rdsim.optimiser.models.variations import Measure, count_of_options
from rdsim.optimiser.questions.fronts import VALUE, CVaR, Figure
from rdsim.options import Options
from rdsim.tables import did_you_mean

__all__ = ["measure_named", "measures"]

Floats = npt.NDArray[np.float64]


def measures(scenario: Scenario, options: Options, problem: PortfolioProblem) -> dict[str, Figure]:
    """The figures by name; `problem` is the one that `formulation.state` makes of the scenario and options."""
    named = [*_numbers(scenario, options, problem), *_money(scenario, options, problem)]
    tail = CVaR(scenario.optimiser.risk.level)
    return {VALUE: VALUE, "cvar": tail, **{measure.name: measure for measure in named}}


def measure_named(name: str, known: dict[str, Figure]) -> Figure:
    """The figure of that name.

    Raises: ProblemError with the nearest name if there is none.
    """
    if name not in known:
        rule = f"must be one of {', '.join(known)}"
        raise ProblemError((Fault("figure", rule, repr(name), did_you_mean(name, list(known))),))
    return known[name]


def _numbers(scenario: Scenario, options: Options, problem: PortfolioProblem) -> Iterator[Measure]:
    yield _of_options("commercialised-in-time", options.p_in_time)
    yield _of_options("commercialised", options.p_market)
    yield _of_options("on-target", options.p_target)
    choices, technologies = options.choices, scenario.technologies
    yield count_of_options("funded", np.ones(len(choices)))
    yield count_of_options("joint", [bool(choice.partner) for choice in choices])
    openings = np.ones(problem.opening_value.size)
    yield Measure("partners", _zeros(options), _frozen(openings), integer=True)
    for field in scenario.fields:
        yield count_of_options(f"funded-{field}", [technologies[one.technology].field == field for one in choices])


def _money(scenario: Scenario, options: Options, problem: PortfolioProblem) -> Iterator[Measure]:
    lines = {name: _payments(scenario, problem, name) for name in scenario.programmes}
    use = sum((line.use for line in lines.values()), start=np.zeros(len(options.choices)))
    openings = sum((line.opening_use for line in lines.values()), start=np.zeros(problem.opening_value.size))
    yield Measure("payments", _frozen(use), _frozen(openings))
    yield from lines.values()
    yield _of_options("abroad", options.abroad.sum(axis=1))
    yield _of_options("international", options.joint.sum(axis=1))


def _payments(scenario: Scenario, problem: PortfolioProblem, programme: str) -> Measure:
    """The sum of a programme's budget rows, so that it counts what they count."""
    rows = budget_rows(scenario, problem)[programme]
    use, openings = problem.rows.use[rows].sum(axis=0), problem.rows.opening_use[rows].sum(axis=0)
    return Measure(f"payments-{programme}", _frozen(np.asarray(use)), _frozen(np.asarray(openings)))


def _of_options(name: str, use: Floats) -> Measure:
    return Measure(name, _frozen(np.array(use)), _frozen(np.zeros(0)))


def _zeros(options: Options) -> Floats:
    return _frozen(np.zeros(len(options.choices)))


def _frozen(array: Floats) -> Floats:
    array.setflags(write=False)
    return array
