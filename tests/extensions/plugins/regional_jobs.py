"""Two figures of one's own: jobs, and how much of a portfolio is in Asia."""

from rdsim import extend


@extend.figure("jobs", label="jobs", counted="course")
def jobs(outcomes, reached):
    """Ten for each project that was paid, and twenty more where its target is reached."""
    paid = outcomes.tranche_day[:, :, 0] >= 0
    return 10 * paid + 20 * reached


@extend.figure("asian", label="share of projects with a partner in Asia", unit="share", counted="portfolio")
def asian(scenario, choices):
    """Of the projects funded."""
    regions = [scenario.partners[one.partner].region for one in choices if one.partner]
    return regions.count("Asia") / max(len(choices), 1)
