"""Places: projects with a partner at a time, by partner and year."""

from __future__ import annotations

from collections.abc import Iterator

from rdsim.domain import Scenario
from rdsim.families.family import Counted, Family
from rdsim.families.rows import Openings, Options, Row
from rdsim.languages import NP_
from rdsim.languages import gettext as _

__all__ = ["PLACES"]


def _rows(scenario: Scenario, options: Options, openings: Openings, years: range) -> Iterator[Row]:
    """Places held on average over a year, within the partner's places.

    Model: R14.
    """
    for p, code in enumerate(openings.partners):
        for y, year in enumerate(years):
            use = options.occupancy[:, y] * openings.joined[:, p]
            if use.any():
                yield Row(use, float(scenario.partners[code].places), code, year)


def _words(scenario: Scenario, what: str, year: int) -> str:
    return _("the places at {name} in {year}").format(name=scenario.partners[what].name, year=year)


PLACES = Family(_rows, _words, Counted(NP_("unit", "place"), NP_("unit", "places")))
