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
from rdsim.optimiser.questions.chances import Likeliest, likeliest
from rdsim.optimiser.questions.confidence import Optimality, Sampling, optimality, sampler
from rdsim.optimiser.questions.fronts import CVaR, Front, FrontPoint, front
from rdsim.optimiser.solving.appraisal import Risk, SampledRow
from rdsim.optimiser.solving.methods import solve
from rdsim.optimiser.solving.risk import RiskSolution, solve_risk
from rdsim.optimiser.solving.settings import Solving

__all__ = [
    "CVaR",
    "Evaluation",
    "Front",
    "FrontPoint",
    "Groups",
    "Labels",
    "Likeliest",
    "Optimality",
    "PartnerNetwork",
    "PortfolioProblem",
    "Risk",
    "RiskSolution",
    "Rows",
    "Rules",
    "SampledRow",
    "Sampling",
    "Seconds",
    "Solution",
    "Solving",
    "Status",
    "Termination",
    "Violation",
    "check",
    "evaluate",
    "front",
    "likeliest",
    "optimality",
    "require",
    "sampler",
    "solve",
    "solve_risk",
    "state_problem",
    "state_rows",
]
