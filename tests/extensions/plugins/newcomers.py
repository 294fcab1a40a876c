"""A rule for choosing: those first who ask for little and are far from the market."""

from rdsim import extend

REACH = extend.Parameter("reach", 3.0, lowest=0, description="TRL steps to go that count as far.")


@extend.choosing_rule("newcomers", parameters=[REACH])
def worth(cost, technologies, reach):
    far = [min(9 - one.trl, reach) for one in technologies]
    return far, -cost
