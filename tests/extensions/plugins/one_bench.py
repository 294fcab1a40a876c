"""A constraint family that engines obey too: projects of a field share benches, one at every step."""

from dataclasses import replace

from rdsim import extend
from rdsim.domain import Facility, FacilityNeed

FIELD = extend.Text("field", "bio", description="Whose projects share the benches.")
BENCHES = extend.Parameter("benches", 1, lowest=1, whole=True, description="How many there are.")
STEPS = range(1, 9)


def engines(scenario, field, benches):
    """A facility more, which every step of the field's technologies waits for."""
    mine = [name for name, one in scenario.technologies.items() if one.field == field]
    needs = tuple(FacilityNeed(name, trl, "bench") for name in mine for trl in STEPS)
    return replace(
        scenario,
        facilities={**scenario.facilities, "bench": Facility("Bench", benches)},
        facility_needs=(*scenario.facility_needs, *needs),
    )


@extend.constraint_family(
    "one-bench",
    parameters=[FIELD, BENCHES],
    words=lambda year, what: f"the {what} projects begun in {year}",
    counts=extend.Counted("project", "projects"),
    engines=engines,
)
def rows(scenario, options, years, field, benches):
    """No more are begun in a year than there are benches."""
    for year in years:
        mine = options.where(
            lambda one, year=year: one.start_year == year and scenario.technologies[one.technology].field == field
        )
        if mine.any():
            yield extend.Row(mine, benches, field, year)
