"""Solvers: one interface to every solver library; nobody above asks who a solver is, only what it can.

Another library is one class: a `Solver` with a name, the features that it declares, and `ask`. It is registered by
`SOLVERS.register("name", MySolver())`, and then named wherever a solver is.
"""

from rdsim.optimiser.adapters.answers import Feature, RunLimits, SolverResult, SolverState
from rdsim.optimiser.adapters.names import (
    SOLVERS,
    find_solver,
    installed_solvers,
    solver_fault,
    solver_of,
    untold,
    versions_of,
)
from rdsim.optimiser.adapters.scaling import typical
from rdsim.optimiser.adapters.solver import Relaxation, Solver
from rdsim.optimiser.models.model import Model
from rdsim.optimiser.problem.solution import Termination

__all__ = [
    "SOLVERS",
    "Feature",
    "Model",
    "Relaxation",
    "RunLimits",
    "Solver",
    "SolverResult",
    "SolverState",
    "Termination",
    "find_solver",
    "installed_solvers",
    "solver_fault",
    "solver_of",
    "typical",
    "untold",
    "versions_of",
]
