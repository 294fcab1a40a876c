"""A course: a portfolio and the decisions on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rdsim.case import Case, Outcomes
from rdsim.domain import Choice, Portfolio

__all__ = ["Course", "Lived"]


@dataclass(frozen=True)
class Course:
    """All that was ever funded or is planned, ranked; what was stopped when; which partners were kept in which year."""

    portfolio: Portfolio
    stops: Mapping[str, int] = field(default_factory=dict)  # technology: fiscal year at whose beginning it is stopped
    kept: Mapping[tuple[str, int], bool] = field(default_factory=dict)  # (partner, fiscal year)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Choices in order of rank."""
        return tuple(sorted(self.portfolio.choices, key=lambda choice: choice.rank))


class Lived(NamedTuple):
    """What came of a course in some replications."""

    choices: tuple[Choice, ...]
    case: Case
    outcomes: Outcomes
    worths: npt.NDArray[np.float64]  # (R,) given how R&D went, see `rdsim.expectation`
