"""Step times and success fitted to records of real projects."""

from rdsim.calibrating.fitting import Fit, fit
from rdsim.calibrating.records import Records, read

__all__ = ["Fit", "Records", "fit", "read"]
