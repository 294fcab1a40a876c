"""Options by programme."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rdsim.domain import Scenario
from rdsim.families.rows import Options

__all__ = ["by_programme"]


def by_programme(scenario: Scenario, options: Options) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Each programme, and which options are of it, shape (O,)."""
    lines = np.array([scenario.technologies[choice.technology].programme for choice in options.choices])
    for name in scenario.programmes:
        yield name, lines == name
