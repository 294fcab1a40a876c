"""The choice: a portfolio problem stated by arrays, solved to a proven gap, and judged independently."""

from rdsim.optimiser.evaluation import Evaluation, Violation, evaluate
from rdsim.optimiser.methods import solve
from rdsim.optimiser.problem import PortfolioProblem, Rows, check, state_problem, state_rows
from rdsim.optimiser.solution import Seconds, Solution, Status, Termination, require

__all__ = [
    "Evaluation",
    "PortfolioProblem",
    "Rows",
    "Seconds",
    "Solution",
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
