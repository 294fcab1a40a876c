"""A market that holds no more than so much, whatever the luck."""

import numpy as np

from rdsim import extend

CAP = extend.Parameter("cap", 60.0, lowest=0.0, highest=1e6, description="Most that a technology is worth.")


@extend.market_model("capped", parameters=[CAP])
def value(listed, luck, rights, timeliness, cap):
    """What is listed, times luck, up to the cap."""
    return np.minimum(listed * luck, cap) * rights * timeliness
