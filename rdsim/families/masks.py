"""Which options are of one programme, institute or field, or begin in one year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rdsim.domain import Scenario
from rdsim.families.rows import Options

if TYPE_CHECKING:
    from rdsim.arrays import Bools


__all__ = ["begins_in", "options_of"]


def options_of(
    scenario: Scenario, options: Options, column: Literal["programme", "institute", "field"], what: str
) -> Bools:
    """Options whose technology has an id in a column, shape (O,)."""
    return options.where(lambda choice: getattr(scenario.technologies[choice.technology], column) == what)


def begins_in(options: Options, year: int) -> Bools:
    """Options that begin in a fiscal year, shape (O,)."""
    return options.where(lambda choice: choice.start_year == year)
