"""A Weibull distribution by its quantile function, with its median at 1."""

import numpy as np

from rdsim import extend

SHAPE = extend.Parameter("shape", 1.5, lowest=0.2, highest=20.0, description="Below 2 the tail is long.")


@extend.distribution("weibull", parameters=[SHAPE])
def quantile(u, shape):
    """Times that grow as the shape's inverse power of the log odds of being over."""
    return (np.log(1.0 - u) / np.log(0.5)) ** (1.0 / shape)
