"""A plan, a simulation, a proposal, and the answer to a stated problem: each as a study.

These nouns do not know how they are told; so a study is made of them here, above them, and not by a method of theirs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from rdsim.domain import Scenario
from rdsim.errors import InfeasibleError, SolverError
from rdsim.findings.firmness import decision_table
from rdsim.findings.page import gather
from rdsim.findings.record import plan_record, proposal_record, simulation_record
from rdsim.findings.words import describe_plan, describe_proposal, describe_simulation
from rdsim.folders.contents import CHOSEN
from rdsim.frames import milestone_frame, payment_frame
from rdsim.languages import ENGLISH, speaking
from rdsim.lead import lead_table
from rdsim.numerals import numeral
from rdsim.optimiser import Solution, Solving, Status, require
from rdsim.optimiser.adapters import find_solver, untold
from rdsim.optimiser.problem import folder as problems
from rdsim.optimiser.questions.conflicts import NOTHING_IN_CONFLICT
from rdsim.optimiser.questions.stated import refusal_of, solve_statement
from rdsim.optimiser.solving.risk import RiskSolution
from rdsim.plans import OPTIMISED, Plan
from rdsim.promises import promise_table
from rdsim.search import Proposal
from rdsim.simulation import Simulation
from rdsim.study import Study
from rdsim.whatif import absence_table, lapse_table, unused_money, unused_table

__all__ = ["of_plan", "of_problem", "of_proposal", "of_simulation", "of_statement"]

_WHOLE = frozenset({"outcomes", "replications", "purses", "expected", "policies", "decisions", "payments",
                    "milestones"})  # fmt: skip
"""Tables that are stored with their types."""


def of_plan(found: Plan) -> Study:
    """A plan with what was finished of it; it has a page if its portfolio was simulated.

    The terminal is told in the active language.
    """
    said = describe_plan(found).splitlines()
    with speaking(ENGLISH):  # files hold English, and what its texts say
        return _study(found, said)


def _study(found: Plan, said: Sequence[str]) -> Study:
    simulation, policies = found.simulation, partial(_policies, found)
    tables = {} if simulation is None else _simulation_tables(simulation) | {"expected": partial(_expectations, found)}
    tables |= {} if simulation is None else {"unused": unused_table(unused_money(simulation))}
    tables |= {} if found.survey is None else {"worlds": found.survey.table}
    return Study(
        "plan",
        found.scenario,
        found.seed,
        None if simulation is None else partial(gather, found),
        tables
        | ({"policies": policies} if simulation is not None or found.comparisons else {})
        | ({"decisions": partial(decision_table, found)} if found.redecisions is not None else {})
        | _answers(found),
        plan_record(found),
        said=said,
        portfolio=found.proposal.portfolio,
        baselines={name: one.rule.portfolio for name, one in found.comparisons.items()},
        parquet=_WHOLE,
        replications=found.replications,
        engine=found.engine,
        missing=found.missing,
        why=found.failure,
    )


def _answers(found: Plan) -> dict[str, pd.DataFrame]:
    """Tables that a planner opens: what is promised, and what the lead is made of."""
    lead, promises = lead_table(found), promise_table(found.scenario, found.proposal)
    return {"promises": promises} | ({"lead": lead} if len(lead) else {}) | _what_if(found)


def _what_if(found: Plan) -> dict[str, pd.DataFrame]:
    """What lapses by cause, and what the technologies that are not funded would cost."""
    told = found.what_if
    lapse = {} if told.lapse is None else {"lapse": lapse_table(told.lapse)}
    return lapse | ({"unfunded": absence_table(found.scenario, told.absences)} if told.absences else {})


def _simulation_tables(simulation: Simulation) -> dict[str, Any]:
    return {
        "outcomes": simulation.projects,
        "replications": simulation.replications,
        "purses": simulation.purses,
        "payments": partial(payment_frame, simulation.projects),
        "milestones": partial(milestone_frame, simulation.scenario, simulation.projects),
        "expected": simulation.expected,
    }


def _policies(found: Plan) -> pd.DataFrame:
    """Replications of the plan and of every portfolio beside it, a policy below the other."""
    tables = {} if found.simulation is None else {OPTIMISED: found.simulation.replications}
    tables |= {name: comparison.replications for name, comparison in found.comparisons.items()}
    return pd.concat([table.assign(policy=name) for name, table in tables.items()], ignore_index=True)


def _expectations(found: Plan) -> pd.DataFrame:
    """As `_policies`, with the luck of the market in expectation."""
    return pd.concat([table.assign(policy=name) for name, table in found.expectations.items()], ignore_index=True)


def of_simulation(simulation: Simulation, trace: pd.DataFrame | None = None) -> Study:
    """A simulation, with the trace of its first replication if there is one."""
    return Study(
        "simulate",
        simulation.scenario,
        simulation.seed,
        tables=_simulation_tables(simulation) | ({} if trace is None else {"trace": trace}),
        record=simulation_record(simulation),
        said=describe_simulation(simulation).splitlines(),
        portfolio=simulation.portfolio,
        parquet=_WHOLE,
        replications=len(simulation.replications),
        engine=simulation.engine,
    )


def of_proposal(scenario: Scenario, proposal: Proposal, seed: int, asked: Mapping[str, Any] | None = None) -> Study:
    """What the optimiser chose; `asked` is what the solver was told."""
    return Study(
        "optimise",
        scenario,
        seed,
        record=proposal_record(scenario, proposal, asked or {}),
        said=describe_proposal(scenario, proposal).splitlines(),
        portfolio=proposal.portfolio,
        replications=0,
    )


def of_statement(posed: problems.StatedProblem, solving: Solving) -> Study:
    """A problem that was stated by tables, solved, as a study.

    Raises: InfeasibleError with a smallest conflict; NoSolutionError if none was found in time; SolverError.
    """
    solution, most = solve_statement(posed, solving)
    name = solving.solver if isinstance(solving.solver, str) else solving.solver.name
    if solution.status is Status.INFEASIBLE:
        why = refusal_of(posed, name)
        raise InfeasibleError(why) if why else SolverError(name, NOTHING_IN_CONFLICT)
    require(solution)
    told = {one: getattr(solving, one) for one in ("gap", "time_limit", "threads", "seed")}
    return of_problem(posed, solution, {**told, "untold": list(untold(find_solver(name)))}, most)


def of_problem(
    posed: problems.StatedProblem, solution: Solution, asked: Mapping[str, Any], most: float = math.nan
) -> Study:
    """The answer to a problem that was stated by tables; `asked` is what the solver was told.

    `most` is the largest share of the samples in which any portfolio reaches the target, where that is made large.
    """
    record, said = problems.record(posed, solution, asked), problems.describe(posed, solution).splitlines()
    if isinstance(solution, RiskSolution):
        record["risk"] = _risk_record(posed, solution, most)
        said.insert(3, _risk_words(posed, solution, most))
    return Study(
        "optimise",
        None,
        int(asked["seed"]),
        record=record,
        said=said,
        texts={CHOSEN.name: problems.chosen_table(posed, solution)},
    )


def _risk_record(posed: problems.StatedProblem, solution: RiskSolution, most: float) -> dict[str, Any]:
    """What the samples say of the portfolio, in the user's sign."""
    told = {name: posed.sign * getattr(solution, name) for name in ("mean", "cvar", "worst")}
    asked = {} if posed.risk is None else dataclasses.asdict(posed.risk)
    return {"asked": asked, **told, "probability": solution.probability, "probability_at_most": most}


def _risk_words(posed: problems.StatedProblem, solution: RiskSolution, most: float) -> str:
    """The same in a line."""
    level = 0.95 if posed.risk is None else posed.risk.level
    mean, tail, worst = (numeral(posed.sign * getattr(solution, name), ",.6g") for name in ("mean", "cvar", "worst"))
    told = f"over the samples: mean {mean}, CVaR at level {level:g} {tail}, worst {worst}"
    if math.isnan(solution.probability):
        return told
    share = f"; the target is reached in {numeral(solution.probability, '.2%')} of them"
    if math.isnan(most):
        return told + share
    proven = "which is the most there can be" if solution.probability >= most else f"at most {numeral(most, '.2%')} can"
    return f"{told}{share}, {proven}"
