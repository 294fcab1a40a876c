"""Prices of the linear relaxation: hints, and limits that hold, but no statement about portfolios."""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from rdsim.arrays import Floats
from rdsim.errors import SolverError
from rdsim.optimiser.adapters import RunLimits, Solver, SolverState, solver_of
from rdsim.optimiser.models.milp import RESOURCES, formulate, lay_out
from rdsim.optimiser.problem.problem import PortfolioProblem, frozen
from rdsim.optimiser.solving.settings import Solving

__all__ = ["RelaxationDuals", "relaxation_duals"]


@dataclass(frozen=True, eq=False)
class RelaxationDuals:
    """The linear relaxation: a valid bound, and prices that say nothing certain about portfolios.

    No change of a row's cap by d lifts any portfolio above bound + worth x d (weak duality).
    """

    bound: float
    worth: Floats  # (R,) objective of the relaxation gained by one more unit of each row's cap
    reduced_costs: Floats  # (O,)


def relaxation_duals(problem: PortfolioProblem, solving: Solving = Solving()) -> RelaxationDuals:
    """Prices of the linear relaxation: the reduced cost of a column, fixed at 0, that would add one unit to a cap.

    What rows pass on has no limit but their own room, so that a price counts all that a wider cap would pass on.

    A problem's relaxation is solved once, however many ask about it.

    Raises: SolverError if the relaxation has no optimum.
    """
    known = _KNOWN.setdefault(problem, {})
    adapter = solver_of(solving.solver)
    if adapter not in known:
        known[adapter] = _solve(problem, adapter)
    return known[adapter]


_KNOWN: WeakKeyDictionary[PortfolioProblem, dict[Solver, RelaxationDuals]] = WeakKeyDictionary()
"""By problem that is still in use, and by solver."""


def _solve(problem: PortfolioProblem, adapter: Solver) -> RelaxationDuals:
    model = formulate(problem)
    places = np.arange(len(model.row_names))[model.rows_of(RESOURCES)]
    count = places.size
    extra = csr_array(coo_array((-np.ones(count), (places, range(count))), shape=(len(model.row_names), count)))
    endless = model.upper.copy()
    endless[list(lay_out(problem).carry.values())] = np.inf
    priced = replace(
        model,
        column_names=(*model.column_names, *(f"more_{place:06d}" for place in range(count))),
        value=np.concatenate([model.value, np.zeros(count)]),
        lower=np.concatenate([model.lower, np.zeros(count)]),
        upper=np.concatenate([endless, np.zeros(count)]),
        integer=np.concatenate([model.integer, np.zeros(count, dtype=bool)]),
        matrix=csr_array(hstack([model.matrix, extra])) if count else model.matrix,
    )
    answer = adapter.run(priced, RunLimits(), relaxed=True)
    if answer.state is not SolverState.OPTIMAL or answer.reduced_costs is None:
        raise SolverError(adapter.name, f"the relaxation has no optimum ({answer.state.value})")
    costs = answer.reduced_costs
    return RelaxationDuals(answer.bound, frozen(costs[model.value.size :]), frozen(costs[: len(problem.option_names)]))
