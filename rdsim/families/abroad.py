"""Money paid abroad, by year."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Family
from rdsim.families.rows import Options, Row
from rdsim.languages import gettext as _

__all__ = ["ABROAD"]


def _rows(scenario: Scenario, options: Options, years: range) -> Iterator[Row]:
    """Model: R16."""
    for year, cap in sorted(scenario.international.abroad_cap.items()):
        if year in years:
            yield Row(options.abroad[:, year - years.start], cap, year=year)


def _words(year: int) -> str:
    return _("the cap on money paid abroad in {year}").format(year=year)


ABROAD = Family(_rows, _words)
