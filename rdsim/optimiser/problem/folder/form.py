"""The form of a problem's folder: its tables and columns, its words, and what may be a name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from rdsim.arrays import Floats
from rdsim.optimiser.problem.problem import PortfolioProblem
from rdsim.texts import invisible, tidy

__all__ = [
    "AIMS",
    "BY_SAMPLE",
    "CHOICES",
    "COLUMNS",
    "FIXED",
    "HOLDS",
    "LINKS",
    "REQUIRED",
    "RISK",
    "SENSES",
    "SETTINGS",
    "WIDE",
    "WORDS",
    "RiskTerms",
    "SampledUse",
    "StatedProblem",
    "name_rule",
    "stage_name",
]


SETTINGS = "problem.toml"
CHOICES = {"at most one": False, "exactly one": True}
SENSES = {
    **dict.fromkeys(("<=", "=<", "≤", "at most", ""), "<="),
    **dict.fromkeys((">=", "=>", "≥", "at least"), ">="),
    **dict.fromkeys(("==", "=", "exactly"), "=="),
}
WORDS = {"<=": "at most", ">=": "at least", "==": "exactly"}
AIMS = {"maximise": False, "maximize": False, "max": False, "minimise": True, "minimize": True, "min": True}
LINKS = ("needs", "excludes", "at most one", "synergy")
FIXED = ("in", "out")
COLUMNS = {
    "options": ("option", "value", "group", "partners", "stage", "load", "fixed", "most"),
    "rows": ("row", "cap", "sense", "family", "shortfall_price", "carry_to", "carry_rate", "holds", "level"),
    "uses": ("row", "option", "partner", "stage", "amount"),
    "groups": ("group", "choice", "fixed"),
    "partners": ("partner", "value", "capacity"),
    "openings": ("partner", "stage", "value"),
    "links": ("group", "link", "with", "value"),
    "samples": ("sample", "weight"),
    "sampled_uses": ("row",),
}
REQUIRED = {
    "options": ("option",),
    "rows": ("row", "cap"),
    "uses": ("row", "amount"),
    "groups": ("group",),
    "partners": ("partner",),
    "openings": ("partner", "stage"),
    "links": ("group", "link", "with"),
    "samples": (),
    "sampled_uses": ("row",),
}
WIDE = ("options", "partners", "openings")
"""Tables in which a column may bear the name of a row."""
BY_SAMPLE = ("samples", "sampled_uses")
"""Tables with a column for each option, and a line for each sample."""
HOLDS = ("expected", "quantile", "always")
"""How a row may hold whose use is known sample by sample."""


RISK = ("level", "weight", "floor", "target", "probability", "aim")
"""Settings of the table ``[risk]``."""


@dataclass(frozen=True)
class RiskTerms:
    """What ``[risk]`` asks of the sampled worth, in the user's sign; see `rdsim.optimiser.solving.appraisal.Risk`."""

    level: float = 0.95
    weight: float = 0.0
    floor: float | None = None
    """CVaR must be at least this; of costs, at most."""
    target: float | None = None
    probability: float | None = None
    """Share of the samples that must reach the target; None: it is reported."""
    aim: Literal["worth", "probability"] = "worth"
    """What is made large: mean and CVaR, or the share of the samples that reach the target."""


@dataclass(frozen=True, eq=False)
class SampledUse:
    """A row whose use is known sample by sample; see `rdsim.optimiser.solving.appraisal.SampledRow`."""

    row: int
    use: Floats
    """(N, O) use of each option in each sample."""
    holds: str
    level: float


@dataclass(frozen=True, eq=False)
class StatedProblem:
    """A problem with what its folder says about it beyond the arrays."""

    problem: PortfolioProblem
    name: str = ""
    minimise: bool = False
    unit: str = ""
    risk: RiskTerms | None = None
    sampled: tuple[SampledUse, ...] = ()

    @property
    def sign(self) -> float:
        """Turns rdsim's objective, which is maximised, into the user's."""
        return -1.0 if self.minimise else 1.0


def name_rule(name: str) -> str:
    """The rule that a name breaks, if any: it must come back from a cell as it went in."""
    if not name:
        return "must have a name"
    if name != name.strip() or any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in name):
        return "a name must not begin or end with a space, nor hold line breaks or control characters"
    if invisible(name):
        return "a name must hold nothing that cannot be seen"
    return "" if name == tidy(name) else "a name must be written with composed letters (NFC) and plain spaces"


def stage_name(problem: PortfolioProblem, stage: int) -> str:
    """A stage as a cell has it: empty where there is but one without a name."""
    return "" if problem.stage_names == ("s0",) else problem.stage_names[stage]
