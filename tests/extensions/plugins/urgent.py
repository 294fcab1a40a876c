"""A queue rule: who has least to do before its deadline comes last, but waiting makes up for it."""

from rdsim import extend

AGEING = extend.Parameter(
    "ageing", 0.5, lowest=0.0, highest=100.0, description="Days of slack that a day's wait is worth."
)


@extend.queue_rule("urgent", parameters=[AGEING])
def key(deadline, days, waited, ageing):
    """Least slack first."""
    return deadline - days - ageing * waited
