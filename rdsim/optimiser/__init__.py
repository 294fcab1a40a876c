"""The choice: a portfolio problem stated by arrays, solved to a proven gap, and judged independently."""

from rdsim.optimiser.problem.evaluation import Evaluation, Violation, evaluate
from rdsim.optimiser.problem.problem import PortfolioProblem, Rows, check, state_problem, state_rows
from rdsim.optimiser.problem.solution import Seconds, Solution, Status, Termination, require
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.settings import Solving

__all__ = [
    "Evaluation",
    "PortfolioProblem",
    "Rows",
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
