"""The choice: a portfolio problem stated by arrays, solved to a proven gap, and judged independently."""

from rdsim.optimiser.problem.evaluation import Evaluation, Violation, evaluate
from rdsim.optimiser.problem.problem import (
    Groups,
    Labels,
    PartnerNetwork,
    PortfolioProblem,
    Rows,
    Rules,
    check,
    state_problem,
    state_rows,
)
from rdsim.optimiser.problem.solution import Seconds, Solution, Status, Termination, require
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.settings import Solving

__all__ = [
    "Evaluation",
    "Groups",
    "Labels",
    "PartnerNetwork",
    "PortfolioProblem",
    "Rows",
    "Rules",
    "Seconds",
    "Solution",
    "Solving",
    "Status",
    "Termination",
    "Violation",
    "check",
    "evaluate",
    "require",
    "solve",
    "state_problem",
    "state_rows",
]
