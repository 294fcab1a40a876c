"""Studies: questions about a scenario beyond one plan, each answered by a page, tables and portfolios.

Each is a function of a posed problem; `ask` asks one by the name of its command, a plug-in's too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdsim.studies.answer import StudySettings, ask, ask_of_problem
    from rdsim.studies.built_in.alternatives import alternatives
    from rdsim.studies.built_in.assumptions import assumptions
    from rdsim.studies.built_in.certificate import certificate
    from rdsim.studies.built_in.commitment import commitment
    from rdsim.studies.built_in.explanation import explanation
    from rdsim.studies.built_in.frontier import frontier
    from rdsim.studies.built_in.ladder import ladder
    from rdsim.studies.built_in.parts import speaks_of
    from rdsim.studies.built_in.payoff import payoff
    from rdsim.studies.built_in.rolling import rolling
    from rdsim.studies.question import Option, Question
    from rdsim.studies.questions import QUESTIONS
    from rdsim.study import Study

__all__ = [
    "QUESTIONS",
    "Option",
    "Question",
    "Study",
    "StudySettings",
    "alternatives",
    "ask",
    "ask_of_problem",
    "assumptions",
    "certificate",
    "commitment",
    "explanation",
    "frontier",
    "ladder",
    "payoff",
    "rolling",
    "speaks_of",
]

# Where each public name lives. They are imported when first used: the command line lists its commands at once.
_HOMES = {
    "QUESTIONS": "questions",
    "StudySettings": "answer",
    "Option": "question",
    "Question": "question",
    "alternatives": "built_in.alternatives",
    "ask": "answer",
    "ask_of_problem": "answer",
    "assumptions": "built_in.assumptions",
    "certificate": "built_in.certificate",
    "commitment": "built_in.commitment",
    "explanation": "built_in.explanation",
    "frontier": "built_in.frontier",
    "ladder": "built_in.ladder",
    "payoff": "built_in.payoff",
    "rolling": "built_in.rolling",
    "speaks_of": "built_in.parts",
}


def __getattr__(name: str) -> object:
    if name == "Study":
        return importlib.import_module("rdsim.study").Study
    if name not in _HOMES:
        raise AttributeError(f"module 'rdsim.studies' has no attribute {name!r}")
    return getattr(importlib.import_module(f"rdsim.studies.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
