"""Studies: questions about a scenario beyond one plan, each answered by a sheet, tables and portfolios."""

from __future__ import annotations

from rdsim.studies.alternatives import alternatives
from rdsim.studies.certificate import certificate
from rdsim.studies.commitment import commitment
from rdsim.studies.explanation import explanation
from rdsim.studies.frontier import frontier
from rdsim.studies.ladder import ladder
from rdsim.studies.rolling import rolling
from rdsim.study import Study

__all__ = ["Study", "alternatives", "certificate", "commitment", "explanation", "frontier", "ladder", "rolling"]
