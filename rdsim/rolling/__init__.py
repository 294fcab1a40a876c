"""Policies in time: decide once, or again each fiscal year; and what could be done if luck were known."""

from __future__ import annotations

from rdsim.rolling.course import Course, Lived
from rdsim.rolling.decisions import Policy, Supply, past_of, proposals, sooner, stopping
from rdsim.rolling.futures import Worlds
from rdsim.rolling.hindsight import foresee, foreseen
from rdsim.rolling.knowledge import Knowledge, Phase, Standing, knowledge_at
from rdsim.rolling.policy import Rolled, courses, decision_years, roll, roll_one, supply_of
from rdsim.rolling.prospects import Ahead, Prospects

__all__ = [
    "Ahead",
    "Course",
    "Knowledge",
    "Lived",
    "Phase",
    "Policy",
    "Prospects",
    "Rolled",
    "Standing",
    "Supply",
    "Worlds",
    "courses",
    "decision_years",
    "foresee",
    "foreseen",
    "knowledge_at",
    "past_of",
    "proposals",
    "roll",
    "roll_one",
    "sooner",
    "stopping",
    "supply_of",
]
