"""A constraint family: at most so many new partners a year."""

from rdsim import extend

MOST = extend.Numbers(
    "most", each=extend.Parameter("each", 0, lowest=0, whole=True), description="New partners, by fiscal year."
)


def words(year):
    return f"the new partners of {year}"


@extend.constraint_family("new-partners", parameters=[MOST], words=words, counts=extend.Counted("partner", "partners"))
def rows(openings, years, most):
    """Partners that open in a year; those that are open already are no new ones."""
    for year in years:
        if year in most:
            yield extend.Row(None, most[year], year=year, openings=openings.in_year(year))
