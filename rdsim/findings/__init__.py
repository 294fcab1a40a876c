"""What a plan, a proposal or a simulation found: its words, its record, the tables of its page, and all as a study."""

from __future__ import annotations

from rdsim.findings.page import gather
from rdsim.findings.record import proposal_record, simulation_record
from rdsim.findings.study import of_plan, of_problem, of_proposal, of_simulation, of_statement
from rdsim.findings.words import describe_plan, describe_proposal, describe_simulation, notes

__all__ = [
    "describe_plan",
    "describe_proposal",
    "describe_simulation",
    "gather",
    "notes",
    "of_plan",
    "of_problem",
    "of_proposal",
    "of_simulation",
    "of_statement",
    "proposal_record",
    "simulation_record",
]
