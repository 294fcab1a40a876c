"""A purse rule that keeps back a share of the year's money from those who begin."""

from rdsim import extend

SHARE = extend.Parameter("kept", 0.4, lowest=0.0, highest=1.0, description="Share of the year's money kept back.")


@extend.purse_rule("reserve", parameters=[SHARE])
def pays(amount, purse, budget, tranche, kept):
    """Who runs is paid as ever."""
    return tranche > 0 or purse - amount >= kept * budget
